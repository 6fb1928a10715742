//! A server that is killed before and after every step of every job, and the next one that goes on.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::sync::{Arc, atomic::Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cairn_control::{
    Caller, Control, ErrorKind,
    ebs::Hashed,
    jobs::JobPoint,
    request::{CompleteSnapshot, Describe, DescribeSnapshots, PutSnapshotBlock, StartSnapshot},
};
use cairn_model::{Snapshot, SnapshotState, Volume, VolumeState};
use cairn_testkit::{Crash, SimDisk};
use support::*;

const BLOCK: usize = 512 * 1024;

/// What the story made, as far as it came.
#[derive(Debug, Default)]
struct Story {
    volume: Option<Volume>,
    first: Option<Snapshot>,
    second: Option<Snapshot>,
    upload: Option<Snapshot>,
    copy: Option<Volume>,
    deleted: bool,
}

/// Everything that jobs do here, one after the other. Verbs are called in any case; where a server
/// that was stopped leaves something undone, the next one does it.
async fn act(control: &Control, caller: &Caller) -> Story {
    let mut story = Story::default();
    let volume = control.create_volume(caller, blank(1)).await.unwrap();
    control.idle().await.unwrap();
    story.volume = Some(volume_now(control, caller, &volume).await);
    if story.volume.as_ref().unwrap().state != VolumeState::Available {
        return story;
    }
    write(control, &volume, 0, pattern(1, BLOCK)).await;
    story.first = Some(begin_snapshot(control, caller, &volume).await);
    write(control, &volume, 0, pattern(2, BLOCK)).await;
    story.second = Some(begin_snapshot(control, caller, &volume).await);
    write(control, &volume, 0, pattern(3, BLOCK)).await;
    story.upload = Some(upload(control, caller).await);
    control.idle().await.unwrap();
    let first = snapshot_now(control, caller, story.first.as_ref().unwrap()).await;
    if first.state != SnapshotState::Completed {
        return story;
    }
    story.copy = Some(
        control
            .create_volume(caller, from_snapshot(&first))
            .await
            .unwrap(),
    );
    control
        .delete_volume(caller, by_id(&volume.id))
        .await
        .unwrap();
    story.deleted = true;
    control.idle().await.unwrap();
    story
}

async fn upload(control: &Control, caller: &Caller) -> Snapshot {
    let request = StartSnapshot {
        volume_size: 1,
        ..StartSnapshot::default()
    };
    let snapshot = control.start_snapshot(caller, request).await.unwrap();
    put(control, caller, &snapshot, 5, pattern(7, BLOCK)).await;
    complete_upload(control, caller, &snapshot).await;
    snapshot
}

async fn put(control: &Control, caller: &Caller, snapshot: &Snapshot, index: i64, data: Vec<u8>) {
    let put = PutSnapshotBlock {
        snapshot_id: snapshot.id.to_string(),
        block_index: index,
        data_length: 524_288,
        checksum: STANDARD.encode(digest(&SHA256, &data)),
        checksum_algorithm: "SHA256".to_owned(),
        progress: None,
        data: Hashed::of(data.into()),
    };
    control.put_snapshot_block(caller, put).await.unwrap();
}

async fn complete_upload(control: &Control, caller: &Caller, snapshot: &Snapshot) {
    let complete = CompleteSnapshot {
        snapshot_id: snapshot.id.to_string(),
        changed_blocks_count: 1,
        ..CompleteSnapshot::default()
    };
    control.complete_snapshot(caller, complete).await.unwrap();
}

/// What has to be true once the next server has gone on.
async fn check(control: &Control, caller: &Caller, story: &Story, at: &str) {
    control.idle().await.unwrap();
    for volume in control
        .describe_volumes(caller, Describe::default())
        .await
        .unwrap()
        .items
    {
        assert_eq!(volume.state, VolumeState::Available, "{at}");
    }
    let all = control
        .describe_snapshots(caller, DescribeSnapshots::default())
        .await
        .unwrap()
        .items;
    for snapshot in &all {
        assert_eq!(
            snapshot.state,
            SnapshotState::Completed,
            "{at}: {:?}",
            snapshot.state_message
        );
        assert!(
            control
                .verify_snapshot(caller, by_id(&snapshot.id))
                .await
                .unwrap()
                .ok,
            "{at}"
        );
    }
    for (seed, snapshot) in [(1, &story.first), (2, &story.second)] {
        let Some(snapshot) = snapshot else { continue };
        assert!(all.iter().any(|found| found.id == snapshot.id), "{at}");
        check_copy(control, caller, snapshot, 0, seed, at).await;
    }
    if let Some(upload) = &story.upload {
        check_copy(control, caller, upload, 5, 7, at).await;
    }
    if let Some(copy) = &story.copy {
        assert_eq!(
            read(control, copy, 0, BLOCK).await,
            pattern(1, BLOCK),
            "{at}"
        );
    }
    let Some(volume) = &story.volume else { return };
    if story.deleted {
        let gone = control.describe_volumes(caller, ids(&[&volume.id])).await;
        refused(gone, ErrorKind::VolumeNotFound);
    } else if story.second.is_some() {
        assert_eq!(
            read(control, volume, 0, BLOCK).await,
            pattern(3, BLOCK),
            "{at}: the volume lost a write"
        );
        // It goes on as if nothing had been.
        let again = take_snapshot(control, caller, volume).await;
        assert_eq!(
            again.state,
            SnapshotState::Completed,
            "{at}: {:?}",
            again.state_message
        );
        check_copy(control, caller, &again, 0, 3, at).await;
    }
}

async fn check_copy(
    control: &Control,
    caller: &Caller,
    snapshot: &Snapshot,
    block: u64,
    seed: u64,
    at: &str,
) {
    let copy = available_volume(control, caller, from_snapshot(snapshot)).await;
    assert_eq!(
        read(control, &copy, block * BLOCK as u64, BLOCK).await,
        pattern(seed, BLOCK),
        "{at}"
    );
}

/// Every point that the story comes to.
async fn points() -> Vec<JobPoint> {
    let place = Place::new(30);
    let trace = Arc::new(Trace::default());
    let control = place.open_with(Some(trace.clone())).await;
    let caller = new_caller(&control).await;
    let story = act(&control, &caller).await;
    assert!(story.deleted, "the story comes to its end");
    check(&control, &caller, &story, "no crash").await;
    let mut points = Vec::new();
    for point in trace.0.lock().unwrap().iter() {
        if !points.contains(point) {
            points.push(point.clone());
        }
    }
    points
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_at_any_step_is_gone_on_with() {
    let points = points().await;
    for kind in [
        "create-volume",
        "delete-volume",
        "capture",
        "complete-upload",
    ] {
        assert!(
            points.iter().any(|point| point.kind == kind),
            "the story has no {kind}"
        );
    }
    for point in points {
        let at = format!("{point:?}");
        let place = Place::new(31);
        let caller = {
            let (control, caller) = place.begin().await;
            control.shutdown().await;
            caller
        };
        let gate = StopAt::new(&point.kind, point.step, point.taken);
        let story = {
            let control = place.open_with(Some(gate.clone())).await;
            act(&control, &caller).await
        };
        assert!(gate.was_reached(), "{at}");
        let control = place.open().await;
        check(&control, &caller, &story, &at).await;
    }
}

/// An orderly end in the middle of the work is no different.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_in_the_middle_is_gone_on_with() {
    let place = Place::new(32);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(1, 64 * BLOCK)).await;
    let first = begin_snapshot(&control, &caller, &volume).await;
    write(&control, &volume, 0, pattern(2, BLOCK)).await;
    control.shutdown().await;
    drop(control);
    let control = place.open().await;
    control.idle().await.unwrap();
    let first = snapshot_now(&control, &caller, &first).await;
    assert_eq!(
        first.state,
        SnapshotState::Completed,
        "{:?}",
        first.state_message
    );
    let copy = available_volume(&control, &caller, from_snapshot(&first)).await;
    assert_eq!(
        read(&control, &copy, 0, 64 * BLOCK).await,
        pattern(1, 64 * BLOCK)
    );
    assert_eq!(read(&control, &volume, 0, BLOCK).await, pattern(2, BLOCK));
}

/// Two servers never share a data directory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_directory_has_one_server() {
    let place = Place::new(33);
    let control = place.open().await;
    let options = cairn_control::ControlOptions::new(
        place.data_dir(),
        place.clock.clone(),
        place.entropy.clone(),
    );
    let second = Control::open(options.unwrap()).await;
    assert!(
        matches!(second, Err(cairn_control::OpenError::InUse(_))),
        "{second:?}"
    );
    drop(control);
    place.open().await;
}

/// Everything that was answered, on a disk that loses whatever was not synced, and tears and
/// reorders the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_survives_a_power_loss() {
    for seed in 0..6 {
        let disk = Arc::new(SimDisk::new());
        let place = Place {
            disk: disk.clone(),
            ..Place::new(40 + seed)
        };
        let control = place.open().await;
        let caller = new_caller(&control).await;
        let volume = available_volume(&control, &caller, blank(1)).await;
        write(&control, &volume, 0, pattern(1, 2 * BLOCK)).await;
        let first = take_snapshot(&control, &caller, &volume).await;
        write(&control, &volume, 4096, pattern(2, 8192)).await;
        // Answered, and not yet captured: the jobs are stopped.
        drop(control);
        let control = place
            .open_with(Some(StopAt::new("capture", 0, false)))
            .await;
        let uploading = StartSnapshot {
            volume_size: 1,
            ..StartSnapshot::default()
        };
        let uploading = control.start_snapshot(&caller, uploading).await.unwrap();
        put(&control, &caller, &uploading, 9, pattern(3, BLOCK)).await;
        let second = begin_snapshot(&control, &caller, &volume).await;
        drop(control);
        disk.crash(if seed == 0 {
            Crash::LoseAll
        } else {
            Crash::PowerLoss(seed)
        });
        place.boots.fetch_add(1, Ordering::SeqCst);

        let at = format!("seed {seed}");
        let control = place.open().await;
        control.idle().await.unwrap();
        assert!(
            control
                .verify_snapshot(&caller, by_id(&first.id))
                .await
                .unwrap()
                .ok,
            "{at}"
        );
        check_copy(&control, &caller, &first, 0, 1, &at).await;
        let second = snapshot_now(&control, &caller, &second).await;
        assert_eq!(
            second.state,
            SnapshotState::Completed,
            "{at}: {:?}",
            second.state_message
        );
        let copy = available_volume(&control, &caller, from_snapshot(&second)).await;
        let mut expected = pattern(1, 2 * BLOCK);
        expected[4096..4096 + 8192].copy_from_slice(&pattern(2, 8192));
        assert_eq!(read(&control, &copy, 0, 2 * BLOCK).await, expected, "{at}");
        assert_eq!(
            read(&control, &volume, 0, 2 * BLOCK).await,
            expected,
            "{at}: flushed bytes are lost"
        );
        complete_upload(&control, &caller, &uploading).await;
        control.idle().await.unwrap();
        check_copy(&control, &caller, &uploading, 9, 3, &at).await;
    }
}
