//! Records of snapshots on a disk that loses what was not synced.

#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;

use cairn_blocks::disk::Disk as _;
use cairn_model::{Region, Snapshot, SnapshotState, Tags, Timestamp};
use cairn_store::record::{Owner, Record, read, remove, write};
use cairn_testkit::{Crash, SimDisk};

fn record(name: &str) -> Record {
    let snapshot = Snapshot {
        id: "snap-0123456789abcdef0".parse().unwrap(),
        account: "123456789012".parse().unwrap(),
        region: Region::named("eu-west-1").unwrap(),
        volume_id: "vol-ffffffff".parse().unwrap(),
        volume_size_gib: 3,
        description: String::new(),
        state: SnapshotState::Completed,
        state_message: None,
        progress: 100,
        start_time: Timestamp(1),
        completion_time: Some(Timestamp(2)),
        encrypted: false,
        kms_key_id: None,
        parent_id: None,
        full_size_bytes: Some(524_288),
        root: Some("aa".repeat(32)),
        digest: Some("bb".repeat(32)),
        signature: None,
        create_volume_permissions: Default::default(),
        copy: None,
        lock: None,
        recycled: None,
        tiering: None,
        tags: Tags::from([("Name".to_owned(), name.to_owned())]),
    };
    Record {
        domain: 7,
        data_key: None,
        owner: Owner {
            name: None,
            operator: true,
            created: Timestamp(0),
        },
        snapshot,
    }
}

fn crashes() -> impl Iterator<Item = Crash> {
    [Crash::Kill, Crash::LoseAll]
        .into_iter()
        .chain((0..20).map(Crash::PowerLoss))
}

#[test]
fn what_was_written_or_removed_is_so_after_every_crash() {
    let dir = Path::new("/snapshots");
    for crash in crashes() {
        let disk = SimDisk::new();
        for name in ["first", "second"] {
            let written = record(name);
            write(&disk, dir, &written).unwrap();
            disk.crash(crash);
            let found = read(&disk, dir, &written.snapshot.id).unwrap();
            assert_eq!(found.as_ref(), Some(&written), "{crash:?}");
        }
        remove(&disk, dir, &record("").snapshot.id).unwrap();
        disk.crash(crash);
        assert_eq!(disk.list(dir).unwrap(), <[String; 0]>::default());
    }
}

/// A crash at any change of the disk while one record takes the place of another.
#[test]
fn a_crash_leaves_the_old_record_or_the_new_one() {
    let dir = Path::new("/snapshots");
    let (old, new) = (record("old"), record("new"));
    for crash in crashes() {
        for nth in 0.. {
            let disk = SimDisk::new();
            write(&disk, dir, &old).unwrap();
            disk.crash_at(nth);
            let done = write(&disk, dir, &new).is_ok();
            disk.crash(crash);
            let found = read(&disk, dir, &old.snapshot.id).unwrap().unwrap();
            assert!(found == new || !done && found == old, "{crash:?} at {nth}");
            if done {
                assert!(nth > 2, "the disk never died");
                break;
            }
        }
    }
}
