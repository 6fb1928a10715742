//! What keeps snapshots: locks and the Recycle Bin; and where they lie: tiers.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::{sync::Arc, time::Duration};

use cairn_blocks::FsDisk;
use cairn_control::{
    Caller, Control, ErrorKind,
    recover::{RecoverOptions, recover},
    request::{
        CopySnapshot, CreateRule, CreateVolume, Describe, FastRestores, LockSnapshot,
        ModifySnapshotTier, Period, RestoreSnapshotTier, StartSnapshot, kms::NamesKey,
    },
};
use cairn_model::{
    FastRestoreState, Snapshot, StorageTier, TierStatus, recycle_bin::RuleTag,
    snapshot_lock::LockState, tier::TieringStatus,
};
use support::*;

const BLOCK: usize = 512 * 1024;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn lock(snapshot: &Snapshot, mode: &str, days: i32) -> LockSnapshot {
    LockSnapshot {
        snapshot_id: snapshot.id.to_string(),
        lock_mode: mode.to_owned(),
        lock_duration: Some(days),
        ..LockSnapshot::default()
    }
}

fn rule(days: i32) -> CreateRule {
    CreateRule {
        resource_type: "EBS_SNAPSHOT".to_owned(),
        retention: Some(Period {
            value: days,
            unit: "DAYS".to_owned(),
        }),
        ..CreateRule::default()
    }
}

/// A snapshot whose volume is gone.
async fn lone_snapshot(
    control: &Control,
    caller: &Caller,
    request: CreateVolume,
    seed: u64,
) -> Snapshot {
    let volume = available_volume(control, caller, request).await;
    write(control, &volume, 0, pattern(seed, 3 * BLOCK)).await;
    let snapshot = take_snapshot(control, caller, &volume).await;
    control
        .delete_volume(caller, by_id(&volume.id))
        .await
        .unwrap();
    control.idle().await.unwrap();
    snapshot
}

async fn restored_bytes(control: &Control, caller: &Caller, snapshot: &Snapshot) -> Vec<u8> {
    let volume = available_volume(control, caller, from_snapshot(snapshot)).await;
    let bytes = read(control, &volume, 0, 3 * BLOCK).await;
    control
        .delete_volume(caller, by_id(&volume.id))
        .await
        .unwrap();
    control.idle().await.unwrap();
    bytes
}

async fn pass_time(place: &Place, control: &Control, by: Duration) {
    place.clock.advance(by);
    control.wake_jobs();
    control.idle().await.unwrap();
}

async fn tier_of(control: &Control, caller: &Caller, snapshot: &Snapshot) -> TierStatus {
    let found = control
        .describe_snapshot_tier_status(caller, Describe::default())
        .await
        .unwrap();
    found
        .items
        .into_iter()
        .find(|status| status.snapshot_id == snapshot.id)
        .unwrap()
}

async fn status_of(control: &Control, caller: &Caller, snapshot: &Snapshot) -> TieringStatus {
    tier_of(control, caller, snapshot)
        .await
        .tiering
        .unwrap()
        .status
}

fn recovery(place: &Place) -> RecoverOptions {
    RecoverOptions {
        data_dir: place.data_dir(),
        clock: place.clock.clone(),
        entropy: place.entropy.clone(),
        disk: Arc::new(FsDisk),
        root_key: None,
        force: true,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compliance_lock_yields_to_nobody_before_its_end() {
    let place = Place::new(901);
    let (control, caller) = place.begin().await;
    let key = control.create_key(&caller, None).await.unwrap();
    let encrypted = CreateVolume {
        encrypted: Some(true),
        kms_key_id: Some(key.id.to_string()),
        ..blank(1)
    };
    let snapshot = lone_snapshot(&control, &caller, encrypted, 1).await;
    let cooling = LockSnapshot {
        cool_off_period: Some(2),
        ..lock(&snapshot, "compliance", 10)
    };
    let shown = control.lock_snapshot(&caller, cooling).await.unwrap();
    assert_eq!(shown.state, LockState::ComplianceCooloff);
    // While it cools off it can be taken off, and its snapshot not be deleted.
    refused(
        control.delete_snapshot(&caller, by_id(&snapshot.id)).await,
        ErrorKind::OperationNotPermitted,
    );
    control
        .unlock_snapshot(&caller, by_id(&snapshot.id))
        .await
        .unwrap();
    let shown = control
        .lock_snapshot(&caller, lock(&snapshot, "compliance", 10))
        .await
        .unwrap();
    assert_eq!(shown.state, LockState::Compliance);
    let not_permitted = ErrorKind::OperationNotPermitted;
    for weaker in [
        lock(&snapshot, "compliance", 9),
        lock(&snapshot, "governance", 100),
        LockSnapshot {
            cool_off_period: Some(1),
            ..lock(&snapshot, "compliance", 100)
        },
    ] {
        refused(control.lock_snapshot(&caller, weaker).await, not_permitted);
    }
    refused(
        control.unlock_snapshot(&caller, by_id(&snapshot.id)).await,
        not_permitted,
    );
    refused(
        control.delete_snapshot(&caller, by_id(&snapshot.id)).await,
        not_permitted,
    );
    refused(
        control.delete_key(&caller, key.id.as_str()).await,
        ErrorKind::KmsKeyInUse,
    );
    control
        .lock_snapshot(&caller, lock(&snapshot, "compliance", 20))
        .await
        .unwrap();

    // It outlives a restart, and the databases.
    control.shutdown().await;
    drop(control);
    recover(recovery(&place)).await.unwrap();
    let control = place.open().await;
    collect_all(&place, &control, &caller).await;
    pass_time(&place, &control, 19 * DAY).await;
    refused(
        control.delete_snapshot(&caller, by_id(&snapshot.id)).await,
        not_permitted,
    );
    assert_eq!(
        restored_bytes(&control, &caller, &snapshot).await,
        pattern(1, 3 * BLOCK)
    );
    pass_time(&place, &control, 2 * DAY).await;
    let locked = control
        .describe_locked_snapshots(&caller, Describe::default())
        .await
        .unwrap();
    assert_eq!(locked.items[0].state, LockState::Expired);
    control
        .delete_snapshot(&caller, by_id(&snapshot.id))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lock_of_a_pending_snapshot_begins_with_its_completion() {
    let place = Place::new(902);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    control.shutdown().await;
    drop(control);
    let gate = StopAt::new("capture", 0, false);
    let control = place.open_with(Some(gate)).await;
    let pending = begin_snapshot(&control, &caller, &volume).await;
    let locked = control
        .lock_snapshot(&caller, lock(&pending, "compliance", 1))
        .await
        .unwrap();
    assert_eq!(
        (locked.state, locked.lock.starts),
        (LockState::Compliance, None)
    );
    refused(
        control.delete_snapshot(&caller, by_id(&pending.id)).await,
        ErrorKind::OperationNotPermitted,
    );
    control.idle().await.unwrap();
    drop(control);
    place.clock.advance(5 * DAY);
    let control = place.open().await;
    control.idle().await.unwrap();
    let locked = control
        .describe_locked_snapshots(&caller, Describe::default())
        .await
        .unwrap();
    assert_eq!(locked.items[0].state, LockState::Compliance);
    assert!(locked.items[0].lock.starts.is_some());
    pass_time(&place, &control, DAY).await;
    control
        .delete_snapshot(&caller, by_id(&pending.id))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deleted_stays_in_the_bin_for_as_long_as_its_rule_says() {
    let place = Place::new(903);
    let (control, caller) = place.begin().await;
    let snapshot = lone_snapshot(&control, &caller, blank(1), 1).await;
    // Enough that what it leaves behind is worth packing anew.
    let mut others = Vec::new();
    for seed in 2..6 {
        others.push(lone_snapshot(&control, &caller, blank(1), seed).await);
    }
    control.create_rule(&caller, rule(7)).await.unwrap();
    let tagged = CreateRule {
        resource_tags: vec![RuleTag {
            key: "keep".to_owned(),
            value: None,
        }],
        ..rule(30)
    };
    control.create_rule(&caller, tagged).await.unwrap();
    control
        .delete_snapshot(&caller, by_id(&snapshot.id))
        .await
        .unwrap();
    for other in &others {
        control
            .delete_snapshot(&caller, by_id(&other.id))
            .await
            .unwrap();
    }
    control.idle().await.unwrap();

    // It is gone for everybody but the bin.
    let gone = ErrorKind::SnapshotNotFound;
    refused(
        control.delete_snapshot(&caller, by_id(&snapshot.id)).await,
        gone,
    );
    refused(
        control
            .create_volume(&caller, from_snapshot(&snapshot))
            .await,
        gone,
    );
    let copy = CopySnapshot {
        source_region: "us-east-1".to_owned(),
        source_snapshot_id: snapshot.id.to_string(),
        ..CopySnapshot::default()
    };
    refused(control.copy_snapshot(&caller, copy).await, gone);
    let all = control
        .describe_snapshots(&caller, Default::default())
        .await
        .unwrap();
    assert!(all.items.is_empty());
    let bin = control
        .list_snapshots_in_recycle_bin(&caller, Describe::default())
        .await
        .unwrap();
    assert_eq!(bin.items.len(), 5);
    let stay = bin.items[0].stay;
    assert_eq!(stay.exits, stay.entered.after(7 * DAY));

    // Its bytes stay, also when the metadata is lost.
    collect_all(&place, &control, &caller).await;
    control.shutdown().await;
    drop(control);
    recover(recovery(&place)).await.unwrap();
    let control = place.open().await;
    control
        .restore_snapshot_from_recycle_bin(&caller, by_id(&snapshot.id))
        .await
        .unwrap();
    assert_eq!(
        restored_bytes(&control, &caller, &snapshot).await,
        pattern(1, 3 * BLOCK)
    );
    refused(
        control
            .restore_snapshot_from_recycle_bin(&caller, by_id(&snapshot.id))
            .await,
        gone,
    );

    // The others leave the bin after their time, also if nobody was there then.
    control.shutdown().await;
    drop(control);
    place.clock.advance(6 * DAY);
    let control = place.open().await;
    control.idle().await.unwrap();
    let listed = control
        .list_snapshots_in_recycle_bin(&caller, Describe::default())
        .await
        .unwrap();
    assert_eq!(listed.items.len(), 4);
    let before = pack_bytes(&place, "us-east-1");
    pass_time(&place, &control, DAY).await;
    let listed = control
        .list_snapshots_in_recycle_bin(&caller, Describe::default())
        .await
        .unwrap();
    assert!(listed.items.is_empty());
    collect_all(&place, &control, &caller).await;
    assert!(pack_bytes(&place, "us-east-1") < before - 9 * BLOCK as u64);
    assert_eq!(
        restored_bytes(&control, &caller, &snapshot).await,
        pattern(1, 3 * BLOCK)
    );
}

fn archive(snapshot: &Snapshot) -> ModifySnapshotTier {
    ModifySnapshotTier {
        snapshot_id: snapshot.id.to_string(),
        storage_tier: Some("archive".to_owned()),
        dry_run: false,
    }
}

fn restore(snapshot: &Snapshot, days: Option<i32>) -> RestoreSnapshotTier {
    RestoreSnapshotTier {
        snapshot_id: snapshot.id.to_string(),
        temporary_restore_days: days,
        permanent_restore: days.is_none().then_some(true),
        dry_run: false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archived_snapshot_is_whole_and_comes_back() {
    for encrypted in [false, true] {
        let place = Place::new(904);
        let (control, caller) = place.begin().await;
        let request = CreateVolume {
            encrypted: encrypted.then_some(true),
            ..blank(1)
        };
        let first = lone_snapshot(&control, &caller, request.clone(), 1).await;
        // Another one that shares its blocks.
        let twin = lone_snapshot(&control, &caller, request, 1).await;
        assert_eq!(first.digest, twin.digest);
        control
            .modify_snapshot_tier(&caller, archive(&first))
            .await
            .unwrap();
        control.idle().await.unwrap();
        assert_eq!(
            status_of(&control, &caller, &first).await,
            TieringStatus::ArchivalCompleted
        );
        let shown = snapshot_now(&control, &caller, &first).await;
        assert_eq!(
            (shown.storage_tier(), &shown.digest),
            (StorageTier::Archive, &first.digest)
        );
        let state = ErrorKind::IncorrectState;
        refused(
            control.create_volume(&caller, from_snapshot(&first)).await,
            state,
        );
        refused(
            control.modify_snapshot_tier(&caller, archive(&first)).await,
            state,
        );

        // Nothing else is needed of it, nor does it need anything else.
        collect_all(&place, &control, &caller).await;
        assert_eq!(
            restored_bytes(&control, &caller, &twin).await,
            pattern(1, 3 * BLOCK)
        );
        control
            .delete_snapshot(&caller, by_id(&twin.id))
            .await
            .unwrap();
        control.idle().await.unwrap();
        collect_all(&place, &control, &caller).await;
        let once = pack_bytes(&place, "us-east-1");
        assert!(
            (3 * BLOCK as u64..4 * BLOCK as u64).contains(&once),
            "{once}"
        );
        let proof = control
            .verify_snapshot(&caller, by_id(&first.id))
            .await
            .unwrap();
        assert!(proof.ok && Some(proof.digest) == first.digest);

        // The record knows where it lies.
        control.shutdown().await;
        drop(control);
        recover(recovery(&place)).await.unwrap();
        let control = place.open().await;
        control
            .restore_snapshot_tier(&caller, restore(&first, Some(3)))
            .await
            .unwrap();
        control.idle().await.unwrap();
        assert_eq!(
            status_of(&control, &caller, &first).await,
            TieringStatus::TemporaryRestoreCompleted
        );
        assert_eq!(
            restored_bytes(&control, &caller, &first).await,
            pattern(1, 3 * BLOCK)
        );
        collect_all(&place, &control, &caller).await;
        pass_time(&place, &control, 3 * DAY).await;
        assert_eq!(
            status_of(&control, &caller, &first).await,
            TieringStatus::ArchivalCompleted
        );
        refused(
            control.create_volume(&caller, from_snapshot(&first)).await,
            state,
        );
        collect_all(&place, &control, &caller).await;

        control
            .restore_snapshot_tier(&caller, restore(&first, None))
            .await
            .unwrap();
        control.idle().await.unwrap();
        let back = snapshot_now(&control, &caller, &first).await;
        assert_eq!(
            (back.storage_tier(), &back.digest),
            (StorageTier::Standard, &first.digest)
        );
        collect_all(&place, &control, &caller).await;
        assert_eq!(
            restored_bytes(&control, &caller, &first).await,
            pattern(1, 3 * BLOCK)
        );
        assert!(
            control
                .verify_snapshot(&caller, by_id(&first.id))
                .await
                .unwrap()
                .ok
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_tier_that_a_crash_interrupts_goes_on() {
    for (kind, taken) in [
        ("archive-snapshot", false),
        ("archive-snapshot", true),
        ("restore-snapshot", false),
        ("restore-snapshot", true),
    ] {
        let place = Place::new(905);
        let (control, caller) = place.begin().await;
        let snapshot = lone_snapshot(&control, &caller, blank(1), 1).await;
        control.shutdown().await;
        drop(control);
        let mut control = place.open_with(Some(StopAt::new(kind, 0, taken))).await;
        control
            .modify_snapshot_tier(&caller, archive(&snapshot))
            .await
            .unwrap();
        control.idle().await.unwrap();
        if kind == "restore-snapshot" {
            control
                .restore_snapshot_tier(&caller, restore(&snapshot, None))
                .await
                .unwrap();
            control.idle().await.unwrap();
        }
        drop(control);
        control = place.open_with(Some(StopAt::new(kind, 0, false))).await;
        control.idle().await.unwrap();
        collect_all(&place, &control, &caller).await;
        drop(control);
        control = place.open().await;
        control.idle().await.unwrap();
        if kind == "archive-snapshot" {
            control
                .restore_snapshot_tier(&caller, restore(&snapshot, None))
                .await
                .unwrap();
            control.idle().await.unwrap();
        }
        let status = status_of(&control, &caller, &snapshot).await;
        assert_eq!(
            status,
            TieringStatus::PermanentRestoreCompleted,
            "{kind} {taken}"
        );
        assert_eq!(
            restored_bytes(&control, &caller, &snapshot).await,
            pattern(1, 3 * BLOCK)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fast_restores_go_through_their_states() {
    let place = Place::new(906);
    let (control, caller) = place.begin().await;
    let snapshot = lone_snapshot(&control, &caller, blank(1), 1).await;
    let request = FastRestores {
        availability_zones: vec!["us-east-1a".to_owned(), "us-east-1b".to_owned()],
        source_snapshot_ids: vec![snapshot.id.to_string(), "snap-0123456789abcdef0".to_owned()],
        ..FastRestores::default()
    };
    let changed = control
        .enable_fast_snapshot_restores(&caller, request.clone())
        .await
        .unwrap();
    assert_eq!(
        (changed.successful.len(), changed.unsuccessful.len()),
        (2, 2)
    );
    assert!(
        changed
            .successful
            .iter()
            .all(|one| one.state == FastRestoreState::Enabling)
    );
    control.idle().await.unwrap();
    let states = async || {
        let all = control
            .describe_fast_snapshot_restores(&caller, Describe::default())
            .await;
        all.unwrap()
            .items
            .iter()
            .map(|one| one.state)
            .collect::<Vec<_>>()
    };
    assert_eq!(states().await, [FastRestoreState::Enabled; 2]);
    refused(
        control
            .modify_snapshot_tier(&caller, archive(&snapshot))
            .await,
        ErrorKind::IncorrectState,
    );
    control
        .disable_fast_snapshot_restores(&caller, request.clone())
        .await
        .unwrap();
    control.idle().await.unwrap();
    assert_eq!(states().await, [FastRestoreState::Disabled; 2]);
    let again = control
        .disable_fast_snapshot_restores(&caller, request)
        .await
        .unwrap();
    assert_eq!(again.unsuccessful.len(), 4);
    control
        .delete_snapshot(&caller, by_id(&snapshot.id))
        .await
        .unwrap();
    assert_eq!(states().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_holds_nothing_yet_does_not_get_into_the_bin() {
    let place = Place::new(930);
    let (control, caller) = place.begin().await;
    control.create_rule(&caller, rule(7)).await.unwrap();
    let request = StartSnapshot {
        volume_size: 1,
        ..StartSnapshot::default()
    };
    let upload = control.start_snapshot(&caller, request).await.unwrap();
    control
        .delete_snapshot(&caller, by_id(&upload.id))
        .await
        .unwrap();
    let bin = control
        .list_snapshots_in_recycle_bin(&caller, Describe::default())
        .await
        .unwrap();
    assert_eq!(bin.items, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tier_is_not_changed_under_a_key_that_is_disabled() {
    let place = Place::new(931);
    let (control, caller) = place.begin().await;
    let key = control.create_key(&caller, None).await.unwrap();
    let names = || NamesKey {
        key_id: key.id.to_string(),
    };
    let request = CreateVolume {
        encrypted: Some(true),
        kms_key_id: Some(key.arn()),
        ..blank(1)
    };
    let snapshot = lone_snapshot(&control, &caller, request, 3).await;
    let invalid = ErrorKind::KmsKeyInvalidState;
    control.disable_key(&caller, names()).await.unwrap();
    let begun = control.modify_snapshot_tier(&caller, archive(&snapshot));
    refused(begun.await, invalid);
    control.enable_key(&caller, names()).await.unwrap();
    control
        .modify_snapshot_tier(&caller, archive(&snapshot))
        .await
        .unwrap();
    control.idle().await.unwrap();
    control.disable_key(&caller, names()).await.unwrap();
    refused(
        control
            .restore_snapshot_tier(&caller, restore(&snapshot, None))
            .await,
        invalid,
    );
    control.enable_key(&caller, names()).await.unwrap();
    control
        .restore_snapshot_tier(&caller, restore(&snapshot, None))
        .await
        .unwrap();
    control.idle().await.unwrap();
    assert_eq!(
        restored_bytes(&control, &caller, &snapshot).await,
        pattern(3, 3 * BLOCK)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_restored_for_days_lies_in_both_places_and_goes_back_after_a_recovery() {
    let place = Place::new(932);
    let (control, caller) = place.begin().await;
    let snapshot = lone_snapshot(&control, &caller, blank(1), 6).await;
    control
        .modify_snapshot_tier(&caller, archive(&snapshot))
        .await
        .unwrap();
    control.idle().await.unwrap();
    collect_all(&place, &control, &caller).await;
    let archived = pack_bytes(&place, "us-east-1");
    control
        .restore_snapshot_tier(&caller, restore(&snapshot, Some(3)))
        .await
        .unwrap();
    control.idle().await.unwrap();
    collect_all(&place, &control, &caller).await;
    let in_both = pack_bytes(&place, "us-east-1");
    assert!(
        in_both >= 2 * (archived - 4096),
        "{in_both} of {archived} each"
    );
    control.shutdown().await;
    drop(control);
    recover(recovery(&place)).await.unwrap();
    let control = place.open().await;
    control.idle().await.unwrap();
    assert_eq!(
        status_of(&control, &caller, &snapshot).await,
        TieringStatus::TemporaryRestoreCompleted
    );
    pass_time(&place, &control, 3 * DAY).await;
    assert_eq!(
        status_of(&control, &caller, &snapshot).await,
        TieringStatus::ArchivalCompleted
    );
}
