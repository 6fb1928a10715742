//! Signed digests, and the records that lie beside the packs.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use cairn_blocks::FsDisk;
use cairn_control::{
    Caller, Control,
    attest::Attestation,
    jobs::{JobGate, JobPoint},
    request::ChangeTags,
};
use cairn_model::{Snapshot, SnapshotState};
use cairn_store::{Store, record, snapshot};
use support::*;

const BLOCK: usize = 512 * 1024;

async fn some_snapshot(control: &Control, caller: &Caller, seed: u64) -> Snapshot {
    let volume = available_volume(control, caller, blank(1)).await;
    write(control, &volume, 0, pattern(seed, BLOCK)).await;
    take_snapshot(control, caller, &volume).await
}

async fn attestation(control: &Control, caller: &Caller, snapshot: &Snapshot) -> Attestation {
    let report = control
        .verify_snapshot(caller, by_id(&snapshot.id))
        .await
        .unwrap();
    assert!(report.ok, "{report:?}");
    report.attestation.unwrap()
}

fn records_dir(place: &Place) -> PathBuf {
    place.data_dir().join("regions/us-east-1/snapshots")
}

fn record_of(place: &Place, snapshot: &Snapshot) -> Option<record::Record> {
    record::read(&FsDisk, &records_dir(place), &snapshot.id).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_completed_snapshot_is_signed_with_a_key_that_lasts() {
    let place = Place::new(901);
    let (control, caller) = place.begin().await;
    let taken = some_snapshot(&control, &caller, 1).await;
    let attested = attestation(&control, &caller, &taken).await;
    assert_eq!(attested.check(Some(control.public_key())), Ok(()));
    let statement = &attested.statement;
    assert_eq!(
        (
            &statement.snapshot_id,
            &statement.volume_id,
            &statement.account
        ),
        (&taken.id, &taken.volume_id, &taken.account)
    );
    assert_eq!(Some(statement.completion_time), taken.completion_time);
    assert_eq!(statement.size_bytes, 1 << 30);
    control.shutdown().await;
    drop(control);
    let control = place.open().await;
    assert_eq!(attestation(&control, &caller, &taken).await, attested);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_comes_with_its_snapshot_follows_its_tags_and_goes_with_it() {
    let place = Place::new(902);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(1, BLOCK)).await;
    let pending = begin_snapshot(&control, &caller, &volume).await;
    control.idle().await.unwrap();
    let taken = snapshot_now(&control, &caller, &pending).await;
    let record = record_of(&place, &taken).unwrap();
    assert_eq!(record.snapshot, taken);
    assert!(record.owner.operator);
    let tags = ChangeTags {
        resources: vec![taken.id.to_string()],
        tags: vec![("Name".to_owned(), Some("before".to_owned()))],
        dry_run: false,
    };
    control.create_tags(&caller, tags).await.unwrap();
    control.idle().await.unwrap();
    let tagged = record_of(&place, &taken).unwrap().snapshot;
    assert_eq!(tagged.tags["Name"], "before");
    control
        .delete_snapshot(&caller, by_id(&taken.id))
        .await
        .unwrap();
    control.idle().await.unwrap();
    assert_eq!(record_of(&place, &taken), None);
    assert_eq!(fs::read_dir(records_dir(&place)).unwrap().count(), 0);
}

/// Looks whether a record is there whenever a job comes to a point.
#[derive(Debug)]
struct Watch {
    records: PathBuf,
    at: JobPoint,
    seen: Mutex<Option<usize>>,
}

impl JobGate for Watch {
    fn pass(&self, point: &JobPoint) -> bool {
        let is_here = *point == self.at;
        if is_here {
            let count = fs::read_dir(&self.records).map_or(0, Iterator::count);
            *self.seen.lock().unwrap() = Some(count);
        }
        !is_here
    }
}

/// A server that is killed after the capture has completed the snapshot, and one that is killed
/// after its deletion: the record is there, and is still there until the job takes it away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_leaves_no_snapshot_without_a_record_and_no_record_for_long() {
    for (kind, taken, left) in [("capture", true, 1), ("record-snapshot", false, 1)] {
        let place = Place::new(903);
        let at = JobPoint {
            kind: kind.to_owned(),
            step: 0,
            undoing: false,
            taken,
        };
        let watch = Arc::new(Watch {
            records: records_dir(&place),
            at,
            seen: Mutex::new(None),
        });
        let control = place.open_with(Some(watch.clone())).await;
        let caller = new_caller(&control).await;
        let volume = available_volume(&control, &caller, blank(1)).await;
        write(&control, &volume, 0, pattern(1, BLOCK)).await;
        let snapshot = begin_snapshot(&control, &caller, &volume).await;
        control.idle().await.unwrap();
        let is_deleted = watch.seen.lock().unwrap().is_none();
        if is_deleted {
            let request = by_id(&snapshot.id);
            control.delete_snapshot(&caller, request).await.unwrap();
            control.idle().await.unwrap();
        }
        assert_eq!(*watch.seen.lock().unwrap(), Some(left), "{kind}");
        drop(control);
        let control = place.open().await;
        control.idle().await.unwrap();
        let record = record_of(&place, &snapshot);
        assert_eq!(record.is_none(), is_deleted, "{kind}");
        if let Some(record) = record {
            assert_eq!(record.snapshot.state, SnapshotState::Completed);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_that_was_changed_is_found_by_verify() {
    let place = Place::new(905);
    let (control, caller) = place.begin().await;
    let taken = some_snapshot(&control, &caller, 1).await;
    control.shutdown().await;
    drop(control);
    let store = Store::open(&place.data_dir()).await.unwrap();
    let mut tx = store.write().await.unwrap();
    snapshot::update(&mut tx, &taken.id, |snapshot| {
        snapshot.volume_id = "vol-ffffffff".parse().unwrap();
    })
    .await
    .unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    let control = place.open().await;
    let report = control
        .verify_snapshot(&caller, by_id(&taken.id))
        .await
        .unwrap();
    assert!(!report.ok && report.bad.is_empty(), "{report:?}");
}
