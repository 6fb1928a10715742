//! Keys that something needs, and what goes with a key.

#![allow(clippy::unwrap_used, missing_docs)]

mod machines;
mod support;

use std::time::Duration;

use cairn_control::{
    Caller, Control, ErrorKind,
    keys::KmsFault,
    request::{
        AttachVolume, CreateVolume, DetachVolume, LockSnapshot, StopInstances,
        kms::{CreateGrant, DescribeKey, ListRetirableGrants, ScheduleKeyDeletion},
    },
};
use cairn_model::{KmsKey, KmsKeyState};
use machines::*;
use support::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn under(key: &KmsKey) -> CreateVolume {
    CreateVolume {
        encrypted: Some(true),
        kms_key_id: Some(key.arn()),
        ..blank(1)
    }
}

async fn schedule(control: &Control, caller: &Caller, key: &KmsKey) {
    let request = ScheduleKeyDeletion {
        key_id: key.id.to_string(),
        pending_window_in_days: Some(7),
    };
    control
        .schedule_key_deletion(caller, request)
        .await
        .unwrap();
}

async fn state_of(control: &Control, caller: &Caller, key: &KmsKey) -> KmsKeyState {
    let keys = control.list_keys(caller).await.unwrap();
    keys.into_iter().find(|k| k.id == key.id).unwrap().state
}

async fn pass_time(place: &Place, control: &Control, by: Duration) {
    place.clock.advance(by);
    control.wake_jobs();
    control.idle().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_waits_for_the_locks_of_what_is_kept_under_it() {
    let place = Place::new(961);
    let (control, caller) = place.begin().await;
    let key = control.create_key(&caller, None).await.unwrap();
    let volume = available_volume(&control, &caller, under(&key)).await;
    let snapshot = take_snapshot(&control, &caller, &volume).await;
    schedule(&control, &caller, &key).await;
    // Locked only after the deletion was scheduled.
    let lock = LockSnapshot {
        snapshot_id: snapshot.id.to_string(),
        lock_mode: "compliance".to_owned(),
        lock_duration: Some(10),
        ..LockSnapshot::default()
    };
    control.lock_snapshot(&caller, lock).await.unwrap();
    let file = place.data_dir().join("keys").join(key.id.to_string());
    assert!(file.exists());
    pass_time(&place, &control, 8 * DAY).await;
    assert!(file.exists(), "it is needed");
    assert_ne!(
        state_of(&control, &caller, &key).await,
        KmsKeyState::Deleted
    );
    pass_time(&place, &control, 3 * DAY).await;
    assert!(!file.exists());
    assert_eq!(
        state_of(&control, &caller, &key).await,
        KmsKeyState::Deleted
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_grants_of_a_key_go_with_it() {
    let place = Place::new(962);
    let (control, caller) = place.begin().await;
    let key = control.create_key(&caller, None).await.unwrap();
    let own = format!("arn:aws:iam::{}:root", caller.account);
    let grant = CreateGrant {
        key_id: key.arn(),
        grantee_principal: own.clone(),
        retiring_principal: Some(own.clone()),
        operations: vec!["Decrypt".to_owned()],
        ..CreateGrant::default()
    };
    control.create_grant(&caller, grant).await.unwrap();
    let retirable = async || {
        let request = ListRetirableGrants {
            retiring_principal: own.clone(),
            ..ListRetirableGrants::default()
        };
        let listed = control.list_retirable_grants(&caller, request).await;
        listed.unwrap().items.len()
    };
    assert_eq!(retirable().await, 1);
    schedule(&control, &caller, &key).await;
    assert_eq!(retirable().await, 1);
    pass_time(&place, &control, 7 * DAY).await;
    assert_eq!(
        state_of(&control, &caller, &key).await,
        KmsKeyState::Deleted
    );
    assert_eq!(retirable().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_not_erased_under_a_volume_that_is_attached() {
    let world = World::new(963);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&image)).await;
    let stop = StopInstances {
        ids: vec![instance.id.to_string()],
        force: true,
        ..StopInstances::default()
    };
    control.stop_instances(&caller, stop).await.unwrap();
    control.idle().await.unwrap();
    let key = control.create_key(&caller, None).await.unwrap();
    let volume = available_volume(&control, &caller, under(&key)).await;
    let attach = AttachVolume {
        volume_id: volume.id.to_string(),
        instance_id: instance.id.to_string(),
        device: "/dev/sdf".to_owned(),
        dry_run: false,
    };
    control.attach_volume(&caller, attach).await.unwrap();
    let refusal = control.delete_key(&caller, key.id.as_str()).await;
    refused(refusal, ErrorKind::KmsKeyInUse);
    let detach = DetachVolume {
        volume_id: volume.id.to_string(),
        ..DetachVolume::default()
    };
    control.detach_volume(&caller, detach).await.unwrap();
    control.delete_key(&caller, key.id.as_str()).await.unwrap();
    control.idle().await.unwrap();
    assert_eq!(
        state_of(&control, &caller, &key).await,
        KmsKeyState::Deleted
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_of_its_region_alone() {
    let place = Place::new(964);
    let (control, caller) = place.begin().await;
    let key = control.create_key(&caller, None).await.unwrap();
    let elsewhere = in_region(&caller, "eu-west-1");
    let describe = DescribeKey {
        key_id: key.id.to_string(),
        ..DescribeKey::default()
    };
    control
        .describe_key(&caller, describe.clone())
        .await
        .unwrap();
    let refusal = control.describe_key(&elsewhere, describe).await;
    refused(refusal, ErrorKind::Kms(KmsFault::NotFound));
}
