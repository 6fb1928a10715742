//! The blob table against the contract of the block store, and across a restart.

#![allow(clippy::unwrap_used, missing_docs)]

use std::{collections::BTreeSet, time::Instant};

use cairn_blocks::{
    BlobId, BlobIndex as _, DomainId, Location, PackId, conformance::blob_index_conformance,
};
use cairn_store::Store;
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
