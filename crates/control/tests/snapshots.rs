//! Snapshots: the bytes of a moment, and what becomes of them.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::fs;

use cairn_control::{
    ErrorKind,
    request::{CreateSnapshot, CreateVolume, Describe, DescribeSnapshots},
};
use cairn_model::{Snapshot, SnapshotState, VolumeState};
use support::*;

const BLOCK: usize = 512 * 1024;

fn all_owned(owner: &str) -> DescribeSnapshots {
    DescribeSnapshots {
        owner_ids: vec![owner.to_owned()],
        ..DescribeSnapshots::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_holds_the_bytes_of_its_call() {
    let place = Place::new(11);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    let before = pattern(1, 3 * BLOCK);
    write(&control, &volume, 0, before.clone()).await;
    write(&control, &volume, 700 * BLOCK as u64, pattern(2, 4096)).await;
    let pending = begin_snapshot(&control, &caller, &volume).await;
    assert_eq!(
        (pending.state, pending.progress),
        (SnapshotState::Pending, 0)
    );
    // What comes after the call is in no way part of it.
    write(&control, &volume, 4096, pattern(3, BLOCK)).await;
    control.idle().await.unwrap();
    let done = snapshot_now(&control, &caller, &pending).await;
    assert_eq!((done.state, done.progress), (SnapshotState::Completed, 100));
    assert_eq!(done.full_size_bytes, Some(4 * BLOCK as u64));
    assert!(done.completion_time.is_some() && done.digest.is_some());

    let copy = available_volume(&control, &caller, from_snapshot(&done)).await;
    assert_eq!(
        (copy.size_gib, copy.snapshot_id.as_ref()),
        (1, Some(&done.id))
    );
    assert_eq!(read(&control, &copy, 0, 3 * BLOCK).await, before);
    assert_eq!(
        read(&control, &copy, 700 * BLOCK as u64, 4096).await,
        pattern(2, 4096)
    );
    assert_eq!(
        read(&control, &copy, 4 * BLOCK as u64, BLOCK).await,
        vec![0; BLOCK]
    );
    assert_eq!(
        read(&control, &volume, 4096, BLOCK).await,
        pattern(3, BLOCK),
        "the volume went on"
    );

    let larger = CreateVolume {
        size: Some(3),
        ..from_snapshot(&done)
    };
    let larger = available_volume(&control, &caller, larger).await;
    assert_eq!(read(&control, &larger, 0, BLOCK).await, before[..BLOCK]);
    assert_eq!(read(&control, &larger, 2 << 30, 4096).await, vec![0; 4096]);
    let again = take_snapshot(&control, &caller, &copy).await;
    assert_eq!(again.digest, done.digest, "equal content, equal digest");
    let longer = take_snapshot(&control, &caller, &larger).await;
    assert_ne!(longer.digest, done.digest, "the digest covers the size");
    let smaller = CreateVolume {
        size: Some(1),
        ..from_snapshot(&longer)
    };
    refused(
        control.create_volume(&caller, smaller).await,
        ErrorKind::VolumeSizeInvalid,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_snapshots_of_a_volume_each_keep_their_moment() {
    let place = Place::new(12);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    let mut taken = Vec::new();
    for round in 0..4 {
        write(&control, &volume, 0, pattern(round, 2 * BLOCK)).await;
        write(
            &control,
            &volume,
            (10 + round) * BLOCK as u64,
            pattern(100 + round, 4096),
        )
        .await;
        taken.push(begin_snapshot(&control, &caller, &volume).await);
    }
    control.idle().await.unwrap();
    for (round, snapshot) in (0..).zip(&taken) {
        assert_eq!(
            snapshot_now(&control, &caller, snapshot).await.state,
            SnapshotState::Completed
        );
        let copy = available_volume(&control, &caller, from_snapshot(snapshot)).await;
        assert_eq!(
            read(&control, &copy, 0, 2 * BLOCK).await,
            pattern(round, 2 * BLOCK),
            "round {round}"
        );
        for other in 0..4 {
            let expected = if other <= round {
                pattern(100 + other, 4096)
            } else {
                vec![0; 4096]
            };
            assert_eq!(
                read(&control, &copy, (10 + other) * BLOCK as u64, 4096).await,
                expected
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_snapshot_takes_nothing_with_it() {
    let place = Place::new(13);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(1, BLOCK)).await;
    let first = take_snapshot(&control, &caller, &volume).await;
    write(&control, &volume, BLOCK as u64, pattern(2, BLOCK)).await;
    let second = begin_snapshot(&control, &caller, &volume).await;
    write(&control, &volume, 2 * BLOCK as u64, pattern(3, BLOCK)).await;
    // Deleted while it is being taken, and before the next one is begun.
    control
        .delete_snapshot(&caller, by_id(&second.id))
        .await
        .unwrap();
    let third = begin_snapshot(&control, &caller, &volume).await;
    control
        .delete_snapshot(&caller, by_id(&first.id))
        .await
        .unwrap();
    control.idle().await.unwrap();
    for gone in [&first, &second] {
        let message = refused(
            control.delete_snapshot(&caller, by_id(&gone.id)).await,
            ErrorKind::SnapshotNotFound,
        );
        assert_eq!(
            message,
            format!("The snapshot '{}' does not exist.", gone.id)
        );
    }
    let third = snapshot_now(&control, &caller, &third).await;
    assert_eq!(
        third.state,
        SnapshotState::Completed,
        "{:?}",
        third.state_message
    );
    let copy = available_volume(&control, &caller, from_snapshot(&third)).await;
    for n in 1..=3 {
        assert_eq!(
            read(&control, &copy, (n - 1) * BLOCK as u64, BLOCK).await,
            pattern(n, BLOCK)
        );
    }
    // Also when the volume goes while a snapshot is being taken.
    write(&control, &volume, 0, pattern(9, BLOCK)).await;
    let last = begin_snapshot(&control, &caller, &volume).await;
    control
        .delete_volume(&caller, by_id(&volume.id))
        .await
        .unwrap();
    control.idle().await.unwrap();
    let last = snapshot_now(&control, &caller, &last).await;
    assert_eq!(
        last.state,
        SnapshotState::Completed,
        "{:?}",
        last.state_message
    );
    let copy = available_volume(&control, &caller, from_snapshot(&last)).await;
    assert_eq!(read(&control, &copy, 0, BLOCK).await, pattern(9, BLOCK));
    refused(
        control.describe_volumes(&caller, ids(&[&volume.id])).await,
        ErrorKind::VolumeNotFound,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn describing_and_refusing() {
    let place = Place::new(14);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    let described = CreateSnapshot {
        volume_id: volume.id.to_string(),
        description: Some("before the upgrade".to_owned()),
        ..CreateSnapshot::default()
    };
    let dry = CreateSnapshot {
        dry_run: true,
        ..described.clone()
    };
    refused(
        control.create_snapshot(&caller, dry).await,
        ErrorKind::DryRun,
    );
    let long = CreateSnapshot {
        description: Some("x".repeat(256)),
        ..described.clone()
    };
    refused(
        control.create_snapshot(&caller, long).await,
        ErrorKind::InvalidParameterValue,
    );
    let nowhere = CreateSnapshot {
        volume_id: "vol-0123456789abcdef0".to_owned(),
        ..described.clone()
    };
    refused(
        control.create_snapshot(&caller, nowhere).await,
        ErrorKind::VolumeNotFound,
    );
    let snapshot = control.create_snapshot(&caller, described).await.unwrap();
    let early = control
        .create_volume(&caller, from_snapshot(&snapshot))
        .await;
    if early.is_err() {
        refused(early, ErrorKind::IncorrectState);
    }
    control.idle().await.unwrap();

    let count = async |request| {
        control
            .describe_snapshots(&caller, request)
            .await
            .unwrap()
            .items
            .len()
    };
    assert_eq!(count(DescribeSnapshots::default()).await, 1);
    assert_eq!(count(all_owned("self")).await, 1);
    assert_eq!(count(all_owned(caller.account.as_str())).await, 1);
    assert_eq!(count(all_owned("amazon")).await, 0);
    assert_eq!(count(all_owned("123456789012")).await, 0);
    let public = DescribeSnapshots {
        restorable_by_user_ids: vec!["all".to_owned()],
        ..DescribeSnapshots::default()
    };
    assert_eq!(count(public).await, 0);
    let message = refused(
        control.describe_snapshots(&caller, all_owned("me")).await,
        ErrorKind::UserIdMalformed,
    );
    assert!(message.starts_with("Invalid user id: \"me\""), "{message}");
    let restorable_by = |user: &str| DescribeSnapshots {
        restorable_by_user_ids: vec![user.to_owned()],
        ..DescribeSnapshots::default()
    };
    assert_eq!(count(restorable_by("self")).await, 1);
    refused(
        control
            .describe_snapshots(&caller, restorable_by("amazon"))
            .await,
        ErrorKind::UserIdMalformed,
    );
    let at_a_rate = CreateVolume {
        volume_initialization_rate: Some(300),
        ..from_snapshot(&snapshot)
    };
    let made = control.create_volume(&caller, at_a_rate).await.unwrap();
    assert_eq!(made.initialization_rate, Some(300));
    let filtered = |filters| DescribeSnapshots {
        common: Describe {
            filters,
            ..Describe::default()
        },
        ..DescribeSnapshots::default()
    };
    assert_eq!(
        count(filtered(vec![
            filter("description", &["before*"]),
            filter("progress", &["100%"])
        ]))
        .await,
        1
    );
    assert_eq!(
        count(filtered(vec![filter("status", &["pending"])])).await,
        0
    );
    let unknown = DescribeSnapshots {
        common: Describe {
            ids: vec!["snap-0123456789abcdef0".to_owned()],
            ..Describe::default()
        },
        ..DescribeSnapshots::default()
    };
    refused(
        control.describe_snapshots(&caller, unknown).await,
        ErrorKind::SnapshotNotFound,
    );
    let stranger = new_caller(&control).await;
    refused(
        control
            .delete_snapshot(&stranger, by_id(&snapshot.id))
            .await,
        ErrorKind::SnapshotNotFound,
    );
    refused(
        control
            .create_volume(&stranger, from_snapshot(&snapshot))
            .await,
        ErrorKind::SnapshotNotFound,
    );
}

/// Flips a byte in the middle of every data pack.
fn damage_packs(place: &Place) {
    let packs = place.data_dir().join("regions/us-east-1/packs");
    for entry in fs::read_dir(packs).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        if bytes.len() > BLOCK {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&path, bytes).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_is_found_and_its_block_named() {
    let place = Place::new(15);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(5, 5 * BLOCK)).await;
    let snapshot = take_snapshot(&control, &caller, &volume).await;
    let report = control
        .verify_snapshot(&caller, by_id(&snapshot.id))
        .await
        .unwrap();
    assert!(report.ok && report.bad.is_empty(), "{report:?}");
    assert_eq!(
        (report.blocks, Some(&report.digest)),
        (5, snapshot.digest.as_ref())
    );
    control.shutdown().await;
    drop(control);
    damage_packs(&place);
    let control = place.open().await;
    let report = control
        .verify_snapshot(&caller, by_id(&snapshot.id))
        .await
        .unwrap();
    assert!(!report.ok);
    assert_eq!(report.bad.len(), 1, "{report:?}");
    assert!(report.bad[0].first_block < 5 && report.bad[0].blocks == 1);
    // A snapshot that needs the damaged block fails, and says so: it is never something else.
    let copy = available_volume(&control, &caller, from_snapshot(&snapshot)).await;
    assert_eq!(copy.state, VolumeState::Available);
    write(
        &control,
        &copy,
        report.bad[0].first_block * BLOCK as u64 + 512,
        vec![1; 512],
    )
    .await;
    let failed = take_snapshot_to_its_end(&place, &control, &caller, &copy).await;
    assert_eq!(failed.state, SnapshotState::Error);
    assert!(failed.state_message.is_some());
}

/// Lets the clock run until a snapshot is not pending any more.
async fn take_snapshot_to_its_end(
    place: &Place,
    control: &cairn_control::Control,
    caller: &cairn_control::Caller,
    volume: &cairn_model::Volume,
) -> Snapshot {
    let snapshot = begin_snapshot(control, caller, volume).await;
    for _ in 0..50 {
        control.idle().await.unwrap();
        let now = snapshot_now(control, caller, &snapshot).await;
        if now.state != SnapshotState::Pending {
            return now;
        }
        place.clock.advance(std::time::Duration::from_secs(60));
        control.wake_jobs();
    }
    panic!("the snapshot stays pending");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_goes_away_leaves_no_freeze() {
    let place = Place::new(16);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(1, BLOCK)).await;
    let open = control.open_volume(&volume.id).await.unwrap();
    for _ in 0..10 {
        let call = {
            let (control, caller, volume) = (control.clone(), caller.clone(), volume.clone());
            tokio::spawn(async move { begin_snapshot(&control, &caller, &volume).await })
        };
        // The caller goes away when the volume is frozen, most likely before that is on record.
        while open.pending_epochs().is_empty() && !call.is_finished() {
            tokio::task::yield_now().await;
        }
        call.abort();
        drop(call.await);
        control.idle().await.unwrap();
        // Giving up a freeze is not waited for by anybody.
        let mut patience = 1_000_000;
        while !open.pending_epochs().is_empty() {
            patience -= 1;
            assert!(patience > 0, "a freeze stays that nobody knows of");
            tokio::task::yield_now().await;
        }
    }
    drop(open);
    write(&control, &volume, 0, pattern(2, BLOCK)).await;
    let snapshot = take_snapshot_to_its_end(&place, &control, &caller, &volume).await;
    assert_eq!(
        snapshot.state,
        SnapshotState::Completed,
        "{:?}",
        snapshot.state_message
    );
    let copy = available_volume(&control, &caller, from_snapshot(&snapshot)).await;
    assert_eq!(read(&control, &copy, 0, BLOCK).await, pattern(2, BLOCK));
}
