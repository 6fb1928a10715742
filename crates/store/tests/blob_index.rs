//! The blob table against the contract of the block store, and across a restart.

#![allow(clippy::unwrap_used, missing_docs)]

use std::{cell::Cell, collections::BTreeSet, path::Path, time::Instant};

use cairn_blocks::{
    BlobId, BlobIndex as _, DomainId, Location, PackId, conformance::blob_index_conformance,
};
use cairn_store::{Store, blob::SqlBlobIndex};
use sqlx::{ConnectOptions as _, Row as _, sqlite::SqliteConnectOptions};
use tokio::runtime::Runtime;

fn location(n: u64) -> Location {
    Location {
        pack: PackId(n / 64),
        slot: u32::try_from(n % 64).unwrap(),
        offset: n * 4096,
        stored_len: 1000,
        plain_len: 524_288,
    }
}

fn id(n: u64) -> BlobId {
    let mut bytes = [7; 32];
    // Spread like hashes are.
    bytes[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    BlobId(bytes)
}

#[test]
fn keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let store = runtime.block_on(Store::open(dir.path())).unwrap();
    blob_index_conformance(&store.blobs().index(runtime.handle().clone()));
}

#[test]
fn a_restart_forgets_nothing_and_repeats_no_pack_number() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let mut packs = BTreeSet::new();
    for round in 0..3 {
        let store = runtime.block_on(Store::open(dir.path())).unwrap();
        let index = store.blobs().index(runtime.handle().clone());
        assert!(
            packs.insert(index.allocate_pack().unwrap()),
            "pack numbers are never given out twice"
        );
        index
            .insert(DomainId(1), &[(id(round), location(round))])
            .unwrap();
        let all: Vec<BlobId> = (0..=round).map(id).collect();
        let found = index.locate(DomainId(1), &all).unwrap();
        assert_eq!(
            found,
            (0..=round).map(|n| Some(location(n))).collect::<Vec<_>>()
        );
        // Dropped without closing, as by a kill.
    }
}

/// Not a gate on time: it prints what a lookup and an insert cost here.
#[test]
fn measures_itself() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let store = runtime.block_on(Store::open(dir.path())).unwrap();
    let index = store.blobs().index(runtime.handle().clone());
    let blobs: Vec<_> = (0..20_000).map(|n| (id(n), location(n))).collect();
    let begun = Instant::now();
    index.insert(DomainId(1), &blobs).unwrap();
    let inserted = begun.elapsed();
    let present: Vec<_> = (0..12_800).map(id).collect();
    let absent: Vec<_> = (100_000..112_800).map(id).collect();
    let begun = Instant::now();
    assert!(
        index
            .locate(DomainId(1), &present)
            .unwrap()
            .iter()
            .all(Option::is_some)
    );
    let hits = begun.elapsed();
    let begun = Instant::now();
    assert!(
        index
            .locate(DomainId(1), &absent)
            .unwrap()
            .iter()
            .all(Option::is_none)
    );
    println!(
        "20 000 inserts {inserted:?}; 12 800 hits {hits:?}; 12 800 misses {:?}",
        begun.elapsed()
    );
}

/// A pack of as many blobs, and another; the first is condemned and forgotten.
fn forget_one_of_two(index: &SqlBlobIndex, blobs: u64) {
    let one: Vec<_> = (0..blobs).map(|n| (id(n), in_pack(1, n))).collect();
    index.insert(HERE, &one).unwrap();
    index.insert(HERE, &[(id(blobs), in_pack(2, 0))]).unwrap();
    index.mark_bad(HERE, &[(id(0), PackId(1))]).unwrap();
    index.condemn(&[PackId(1)], 7).unwrap();
    assert_eq!(index.forget_packs(&[(PackId(1), 7)]).unwrap(), [true]);
}

const HERE: DomainId = DomainId(1);

fn in_pack(pack: u64, n: u64) -> Location {
    Location {
        pack: PackId(pack),
        slot: u32::try_from(n).unwrap(),
        ..location(n)
    }
}

/// Rows in the file, whether anybody is told of them or not, and packs that are to be purged.
fn rows(dir: &Path, runtime: &Runtime) -> (i64, i64) {
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(dir.join("blobs.db"));
        let mut connection = options.connect().await.unwrap();
        let counts = "SELECT (SELECT COUNT(*) FROM blob), (SELECT COUNT(*) FROM forgotten_pack)";
        let row = sqlx::query(counts).fetch_one(&mut connection).await;
        let row = row.unwrap();
        (row.get(0), row.get(1))
    })
}

#[test]
fn nobody_is_told_of_a_row_that_waits_to_be_purged() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let store = runtime.block_on(Store::open(dir.path())).unwrap();
    let index = store.blobs().index(runtime.handle().clone());
    forget_one_of_two(&index, 3);
    assert_eq!(rows(dir.path(), &runtime), (4, 1), "they are there");
    let all: Vec<_> = (0..4).map(id).collect();
    let left = [None, None, None, Some(in_pack(2, 0))];
    assert_eq!(index.locate(HERE, &all).unwrap(), left);
    assert_eq!(index.locate(HERE, &all[1..2]).unwrap(), [None], "alone");
    assert_eq!(index.locate_reusable(HERE, &all).unwrap(), left);
    let confirmed = index.confirm(HERE, &all).unwrap();
    assert_eq!(confirmed, [false, false, false, true]);
    let packs = index.packs(None, 9).unwrap();
    assert_eq!(
        packs.iter().map(|usage| usage.pack).collect::<Vec<_>>(),
        [PackId(2)]
    );
    assert_eq!(index.blobs_of(PackId(1)).unwrap(), []);
    assert_eq!(index.bad().unwrap(), []);
    index.condemn(&[PackId(1)], 8).unwrap();
    assert_eq!(index.condemned().unwrap(), []);
    let moved = [(id(1), PackId(1), in_pack(3, 0))];
    index.relocate(HERE, &moved).unwrap();
    assert_eq!(index.locate(HERE, &all).unwrap(), left, "it was gone");
}

#[test]
fn what_is_stored_again_after_its_pack_was_forgotten_outlives_the_purge() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let store = runtime.block_on(Store::open(dir.path())).unwrap();
    let index = store.blobs().index(runtime.handle().clone());
    forget_one_of_two(&index, 3);
    index.insert(HERE, &[(id(0), in_pack(3, 0))]).unwrap();
    let all: Vec<_> = (0..4).map(id).collect();
    let left = [Some(in_pack(3, 0)), None, None, Some(in_pack(2, 0))];
    assert_eq!(index.locate_reusable(HERE, &all).unwrap(), left);
    index.purge(&|| true).unwrap();
    assert_eq!(index.locate_reusable(HERE, &all).unwrap(), left);
    assert_eq!(rows(dir.path(), &runtime), (2, 0));
}

#[test]
fn what_is_stored_again_during_a_purge_outlives_it() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let store = runtime.block_on(Store::open(dir.path())).unwrap();
    let index = store.blobs().index(runtime.handle().clone());
    forget_one_of_two(&index, 3);
    // Asked when the rows are known that are to go, and before the first of them goes.
    let store_again = || {
        let insert = || index.insert(HERE, &[(id(0), in_pack(3, 0))]).unwrap();
        std::thread::scope(|scope| scope.spawn(insert).join().unwrap());
        true
    };
    index.purge(&store_again).unwrap();
    let found = index.locate_reusable(HERE, &[id(0), id(1)]).unwrap();
    assert_eq!(found, [Some(in_pack(3, 0)), None]);
    assert_eq!(rows(dir.path(), &runtime), (2, 0));
}

#[test]
fn a_purge_that_was_cut_off_is_taken_up_after_a_restart() {
    const BLOBS: u64 = 40_000;
    let dir = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let store = runtime.block_on(Store::open(dir.path())).unwrap();
    let index = store.blobs().index(runtime.handle().clone());
    forget_one_of_two(&index, BLOBS);
    let asked = Cell::new(0);
    let once = || asked.replace(asked.get() + 1) == 0;
    index.purge(&once).unwrap();
    let (left, packs) = rows(dir.path(), &runtime);
    assert!(1 < left && left < 40_000 && packs == 1, "{left} {packs}");
    assert_eq!(index.locate(HERE, &[id(1)]).unwrap(), [None]);
    // Dropped without closing, as by a kill.
    drop((index, store));
    let store = runtime.block_on(Store::open(dir.path())).unwrap();
    let index = store.blobs().index(runtime.handle().clone());
    let all: Vec<_> = (0..=BLOBS).map(id).collect();
    let found = index.locate(HERE, &all).unwrap();
    assert_eq!(found.iter().flatten().count(), 1, "half purged is gone");
    index.purge(&|| true).unwrap();
    assert_eq!(rows(dir.path(), &runtime), (1, 0));
}
