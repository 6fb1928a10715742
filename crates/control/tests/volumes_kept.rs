//! Volumes in the Recycle Bin.

#![allow(clippy::unwrap_used, missing_docs)]

mod machines;
mod support;

use std::time::Duration;

use cairn_control::{
    Caller, Control, ErrorKind,
    request::{
        ById, ChangeTags, CreateRule, CreateSnapshot, CreateVolume, Describe, EbsRequest, Period,
        TerminateInstances,
    },
};
use cairn_model::{
    SnapshotState, Tag, TagSpecification, Volume, VolumeState, recycle_bin::RuleTag,
};
use machines::*;
use support::*;

const BLOCK: usize = 512 * 1024;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A rule that keeps volumes with the tag `keep` for so many days.
fn rule(days: i32) -> CreateRule {
    CreateRule {
        resource_type: "EBS_VOLUME".to_owned(),
        retention: Some(Period {
            value: days,
            unit: "DAYS".to_owned(),
        }),
        resource_tags: vec![RuleTag {
            key: "keep".to_owned(),
            value: None,
        }],
        ..CreateRule::default()
    }
}

fn kept(request: CreateVolume) -> CreateVolume {
    let specification = TagSpecification {
        resource_type: "volume".to_owned(),
        tags: vec![Tag {
            key: "keep".to_owned(),
            value: "yes".to_owned(),
        }],
    };
    CreateVolume {
        tag_specifications: vec![specification],
        ..request
    }
}

async fn binned(control: &Control, caller: &Caller) -> Vec<Volume> {
    let listed = control
        .list_volumes_in_recycle_bin(caller, Describe::default())
        .await
        .unwrap();
    listed.items
}

async fn delete(control: &Control, caller: &Caller, volume: &Volume) {
    control
        .delete_volume(caller, by_id(&volume.id))
        .await
        .unwrap();
    control.idle().await.unwrap();
}

async fn pass_time(place: &Place, control: &Control, by: Duration) {
    place.clock.advance(by);
    control.wake_jobs();
    control.idle().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deleted_is_nobodys_until_it_is_restored() {
    let place = Place::new(940);
    let (control, caller) = place.begin().await;
    control.create_rule(&caller, rule(7)).await.unwrap();
    let source = available_volume(&control, &caller, blank(1)).await;
    write(&control, &source, 0, pattern(1, 3 * BLOCK)).await;
    let snapshot = take_snapshot(&control, &caller, &source).await;
    // Most of its bytes lie in packs that nothing but it needs.
    let volume = available_volume(&control, &caller, kept(from_snapshot(&snapshot))).await;
    write(&control, &volume, 0, pattern(2, BLOCK)).await;
    control
        .delete_snapshot(&caller, by_id(&snapshot.id))
        .await
        .unwrap();
    delete(&control, &caller, &source).await;
    assert!(!place.volume_dir(&source).exists(), "no rule keeps it");
    delete(&control, &caller, &volume).await;

    let gone = ErrorKind::VolumeNotFound;
    let id = || by_id(&volume.id);
    refused(control.delete_volume(&caller, id()).await, gone);
    let asked = ids(&[&volume.id]);
    refused(control.describe_volumes(&caller, asked).await, gone);
    let all = control.describe_volumes(&caller, Describe::default()).await;
    assert!(all.unwrap().items.is_empty());
    let snapshot = CreateSnapshot {
        volume_id: volume.id.to_string(),
        ..CreateSnapshot::default()
    };
    refused(control.create_snapshot(&caller, snapshot).await, gone);
    let tags = ChangeTags {
        resources: vec![volume.id.to_string()],
        ..ChangeTags::default()
    };
    refused(control.delete_tags(&caller, tags).await, gone);
    let tags = control.describe_tags(&caller, Describe::default()).await;
    assert!(tags.unwrap().items.is_empty());
    let bin = binned(&control, &caller).await;
    let stay = bin[0].recycled.unwrap();
    assert_eq!((bin.len(), &bin[0].id), (1, &volume.id));
    assert_eq!(stay.exits, stay.entered.after(7 * DAY));
    assert_eq!(bin[0].state, VolumeState::Available);

    // Others see nothing of it, nor does its owner elsewhere.
    let other = new_caller(&control).await;
    for stranger in [&other, &in_region(&caller, "eu-west-1")] {
        let restored = control
            .restore_volume_from_recycle_bin(stranger, id())
            .await;
        refused(restored, gone);
        assert!(binned(&control, stranger).await.is_empty());
    }

    // Garbage collection leaves it what it needs, and so does a restart.
    collect_all(&place, &control, &caller).await;
    control.shutdown().await;
    drop(control);
    let control = place.open().await;
    let dry = ById {
        dry_run: true,
        ..id()
    };
    let dry = control.restore_volume_from_recycle_bin(&caller, dry).await;
    refused(dry, ErrorKind::DryRun);
    control
        .restore_volume_from_recycle_bin(&caller, id())
        .await
        .unwrap();
    let restored = volume_now(&control, &caller, &volume).await;
    assert_eq!(
        (restored.state, restored.recycled),
        (VolumeState::Available, None)
    );
    assert_eq!(restored.tags, volume.tags);
    assert_eq!(read(&control, &volume, 0, BLOCK).await, pattern(2, BLOCK));
    let rest = read(&control, &volume, BLOCK as u64, 2 * BLOCK).await;
    assert_eq!(rest, pattern(1, 3 * BLOCK)[BLOCK..]);
    let again = control.restore_volume_from_recycle_bin(&caller, id()).await;
    refused(again, gone);
    // Nothing deletes it after the time that it was to stay.
    pass_time(&place, &control, 8 * DAY).await;
    assert_eq!(volume_now(&control, &caller, &volume).await, restored);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_restores_goes_after_its_time() {
    let place = Place::new(941);
    let (control, caller) = place.begin().await;
    control.create_rule(&caller, rule(2)).await.unwrap();
    let volume = available_volume(&control, &caller, kept(blank(1))).await;
    delete(&control, &caller, &volume).await;
    pass_time(&place, &control, DAY).await;
    assert_eq!(binned(&control, &caller).await.len(), 1);
    assert!(place.volume_dir(&volume).exists());
    // Also if nobody is there at that time.
    control.shutdown().await;
    drop(control);
    place.clock.advance(DAY);
    let control = place.open().await;
    control.idle().await.unwrap();
    assert!(binned(&control, &caller).await.is_empty());
    assert!(!place.volume_dir(&volume).exists());
    let restored = control.restore_volume_from_recycle_bin(&caller, by_id(&volume.id));
    refused(restored.await, ErrorKind::VolumeNotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_while_the_bin_is_emptied_goes_on() {
    let points = [
        ("empty-volume-bin", 0, false),
        ("empty-volume-bin", 0, true),
        ("delete-volume", 0, true),
        ("delete-volume", 1, true),
    ];
    for (number, (kind, step, taken)) in (0..).zip(points) {
        let place = Place::new(950 + number);
        let (control, caller) = place.begin().await;
        control.create_rule(&caller, rule(1)).await.unwrap();
        let volume = available_volume(&control, &caller, kept(blank(1))).await;
        delete(&control, &caller, &volume).await;
        control.shutdown().await;
        drop(control);
        place.clock.advance(DAY);
        let gate = StopAt::new(kind, step, taken);
        let control = place.open_with(Some(gate.clone())).await;
        control.idle().await.unwrap();
        assert!(gate.was_reached(), "{kind} {step}");
        control.shutdown().await;
        drop(control);
        let control = place.open().await;
        control.idle().await.unwrap();
        assert!(binned(&control, &caller).await.is_empty());
        assert!(!place.volume_dir(&volume).exists(), "{kind} {step}");
        let asked = control.describe_volumes(&caller, ids(&[&volume.id])).await;
        refused(asked, ErrorKind::VolumeNotFound);
        control.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_is_being_taken_is_completed() {
    let place = Place::new(942);
    let (control, caller) = place.begin().await;
    control.create_rule(&caller, rule(7)).await.unwrap();
    let volume = available_volume(&control, &caller, kept(blank(1))).await;
    write(&control, &volume, 0, pattern(5, BLOCK)).await;
    let snapshot = begin_snapshot(&control, &caller, &volume).await;
    delete(&control, &caller, &volume).await;
    let snapshot = snapshot_now(&control, &caller, &snapshot).await;
    assert_eq!(snapshot.state, SnapshotState::Completed);
    assert_eq!(binned(&control, &caller).await.len(), 1);
    let made = available_volume(&control, &caller, from_snapshot(&snapshot)).await;
    assert_eq!(read(&control, &made, 0, BLOCK).await, pattern(5, BLOCK));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn volumes_that_go_with_their_instance_are_kept_too() {
    let world = World::new(943);
    let (control, caller) = world.begin().await;
    let all = CreateRule {
        resource_tags: Vec::new(),
        ..rule(7)
    };
    let image = image(&control, &caller).await;
    let request = cairn_control::request::RunInstances {
        block_device_mappings: vec![device(
            "/dev/sdf",
            EbsRequest {
                volume_size: Some(1),
                delete_on_termination: Some(false),
                ..EbsRequest::default()
            },
        )],
        ..launch(&image)
    };
    let instance = launched(&control, &caller, request).await;
    control.create_rule(&caller, all).await.unwrap();
    let (root, stays) = (&instance.block_devices[0], &instance.block_devices[1]);
    let request = TerminateInstances {
        ids: vec![instance.id.to_string()],
        ..TerminateInstances::default()
    };
    control.terminate_instances(&caller, request).await.unwrap();
    control.idle().await.unwrap();
    let bin = binned(&control, &caller).await;
    assert_eq!(bin.len(), 1);
    assert_eq!(bin[0].id, root.volume_id);
    assert!(bin[0].attachments.is_empty());
    let request = by_id(&root.volume_id);
    control
        .restore_volume_from_recycle_bin(&caller, request)
        .await
        .unwrap();
    let root = volume_now(&control, &caller, &bin[0]).await;
    assert_eq!(read(&control, &root, 0, 8192).await, root_bytes());
    let left = control.describe_volumes(&caller, ids(&[&stays.volume_id]));
    assert_eq!(left.await.unwrap().items[0].state, VolumeState::Available);
}
