//! Bytes that change on the disk: wrong data is never returned, and what is wrong is named.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cairn_blocks::{BadBlock, BadReason, BlobIndex as _, Damage, Error, MemoryIndex, Root};
use cairn_testkit::{Rng, SimDisk};

use crate::{
    HERE_IS_SEALED,
    support::{Bench, HERE, block, changed, digest, expected_root},
};

/// A snapshot of three blocks in one sealed pack.
fn sealed() -> (Bench, Root) {
    let bench = Bench::new();
    let root = unsealed(&bench);
    bench.store().seal().unwrap();
    (bench, root)
}

fn unsealed(bench: &Bench) -> Root {
    bench.store().put_many(HERE, &[0, 1, 2].map(block)).unwrap();
    bench
        .store()
        .build(
            HERE,
            None,
            1 << 36,
            BLOCKS.map(|(at, n)| (at, Some(digest(n)))),
        )
        .unwrap()
}

/// Bytes in which zstd ignores a bit, at most. Such a change does no harm.
const IGNORED: usize = 12;

/// Where the blocks of the snapshot are.
const BLOCKS: [(u64, usize); 3] = [(5, 0), (300, 1), (70_000, 2)];

/// Which blocks can be read and which cannot. Wrong bytes end the test.
fn readable(bench: &Bench) -> [bool; 3] {
    BLOCKS.map(|(_, n)| match bench.store().get(HERE, &digest(n)) {
        Ok(found) => {
            assert!(*found == *block(n), "block {n} has other bytes");
            true
        }
        Err(Error::Damaged { digest: named, .. }) => {
            assert_eq!(named, digest(n));
            false
        }
        Err(error) => panic!("{error:?}"),
    })
}

fn only(suffix: &str, bench: &Bench) -> std::path::PathBuf {
    let packs = bench.packs(suffix);
    assert_eq!(packs.len(), 1);
    packs[0].clone()
}

#[test]
fn every_flip_in_a_sealed_pack_is_found_by_get_and_named_by_verify() {
    let (mut bench, root) = sealed();
    let pack = only(".data", &bench);
    let bytes = bench.disk.contents(&pack);
    let mut rng = Rng::new(1);
    let mut hits = [0; 3];
    for at in 0..bytes.len() as u64 {
        let mask = 1 << rng.below(8);
        bench.disk.rot(&pack, at, mask);
        bench.reopen();
        let readable = readable(&bench);
        let report = bench.store().verify(HERE, &root, &|_| {}).unwrap();
        let named: Vec<_> = report
            .bad_blocks
            .iter()
            .map(|bad| (bad.block, bad.digest))
            .collect();
        let expected: Vec<_> = BLOCKS
            .iter()
            .zip(readable)
            .filter(|(_, ok)| !ok)
            .map(|((at, n), _)| (*at, digest(*n)))
            .collect();
        assert_eq!(named, expected, "byte {at}");
        assert_eq!(report.is_intact(), expected.is_empty());
        for (hit, ok) in hits.iter_mut().zip(readable) {
            *hit += u32::from(!ok);
        }
        bench.disk.rot(&pack, at, mask);
    }
    assert!(
        hits.iter().all(|hits| *hits > 64),
        "each block has more bytes than its header: {hits:?}"
    );
    let blob_bytes = hits.iter().sum::<u32>() as usize;
    assert!(
        blob_bytes + 64 + 3 * 52 + 48 >= bytes.len() - IGNORED,
        "only headers and trailers may change unseen"
    );
    assert_eq!(readable(&bench), [true; 3], "the rot is undone");
}

#[test]
fn a_flip_in_an_unsealed_pack_costs_no_other_block() {
    let disk = SimDisk::new();
    let bench = Bench::with_index(disk, Arc::new(MemoryIndex::new()));
    let root = unsealed(&bench);
    let pack = only(".data.open", &bench);
    let len = bench.disk.contents(&pack).len() as u64;
    let (mut rng, mut total) = (Rng::new(2), 0);
    for at in 0..len {
        let disk = bench.disk.fork();
        disk.rot(&pack, at, 1 << rng.below(8));
        let rotten = Bench::with_index(disk, Arc::clone(&bench.index));
        let lost = readable(&rotten).iter().filter(|ok| !**ok).count();
        if at < 64 {
            let all = if HERE_IS_SEALED { 3 } else { 0 };
            assert_eq!(
                lost, all,
                "byte {at}: the header of the pack holds the salt alone"
            );
        } else {
            assert!(lost <= 1, "byte {at} cost {lost} blocks");
            total += lost;
        }
        let report = rotten.store().verify(HERE, &root, &|_| {}).unwrap();
        assert_eq!(report.bad_blocks.len(), lost);
    }
    assert!(
        total + 64 + IGNORED >= usize::try_from(len).unwrap(),
        "every other byte belongs to one"
    );
}

/// Were the index told of it, it would be a hit for the next put of its bytes, which would be lost.
#[test]
fn a_damaged_blob_of_an_unsealed_pack_is_no_hit() {
    let bench = Bench::new();
    unsealed(&bench);
    let pack = only(".data.open", &bench);
    // Behind the headers of the pack and of its first blob.
    bench.disk.rot(&pack, 64 + 64 + 100, 1);
    let index = Arc::new(MemoryIndex::new());
    for _ in 0..4 {
        index.allocate_pack().unwrap();
    }
    let after = Bench::with_index(bench.disk.fork(), index);
    after.store().put(HERE, block(0)).unwrap();
    after.store().sync(HERE).unwrap();
    assert_eq!(readable(&after), [true; 3]);
}

#[test]
fn every_flip_in_an_index_node_is_found_and_its_range_is_named() {
    let (mut bench, root) = sealed();
    let mut rng = Rng::new(3);
    let mut ranges = BTreeSet::new();
    for pack in bench.packs(".meta") {
        let len = bench.disk.contents(&pack).len() as u64;
        for at in 0..len {
            let mask = 1 << rng.below(8);
            bench.disk.rot(&pack, at, mask);
            bench.reopen();
            let report = bench.store().verify(HERE, &root, &|_| {}).unwrap();
            let listed: Result<Vec<_>, _> = bench.store().blocks(HERE, &root, 0).collect();
            match report.bad_nodes.as_slice() {
                [] => assert_eq!(listed.unwrap(), BLOCKS.map(|(at, n)| (at, digest(n)))),
                [bad] => {
                    assert!(listed.is_err() && report.recomputed.is_none());
                    ranges.insert((bad.blocks.start, bad.blocks.end));
                }
                more => panic!("{more:?}"),
            }
            bench.disk.rot(&pack, at, mask);
        }
    }
    let leaves = [(0, 256), (256, 512), (69_888, 70_144)];
    let mids = [(0, 65_536), (65_536, 131_072)];
    assert_eq!(
        ranges,
        leaves
            .into_iter()
            .chain(mids)
            .chain([(0, 131_072)])
            .collect()
    );
}

#[test]
fn missing_packs_and_missing_blobs_are_told_apart() {
    use cairn_blocks::disk::Disk as _;
    let (mut bench, root) = sealed();
    bench.disk.remove(&only(".data", &bench)).unwrap();
    bench.reopen();
    assert!(matches!(
        bench.store().get(HERE, &digest(0)),
        Err(Error::Damaged {
            reason: Damage::PackMissing,
            ..
        })
    ));
    let report = bench.store().verify(HERE, &root, &|_| {}).unwrap();
    assert!(
        report
            .bad_blocks
            .iter()
            .all(|bad| bad.reason == BadReason::Damaged(Damage::PackMissing))
    );
    assert_eq!((report.bad_blocks.len(), report.recomputed), (3, None));
    let absent = bench
        .store()
        .build_index(HERE, None, 1 << 30, [(1, Some(digest(9)))])
        .unwrap();
    let report = bench.store().verify(HERE, &absent, &|_| {}).unwrap();
    assert_eq!(
        report
            .bad_blocks
            .iter()
            .map(|bad| &bad.reason)
            .collect::<Vec<_>>(),
        [&BadReason::Missing]
    );
}

/// Nothing about the pack is wrong, only the name under which the block was put.
#[test]
fn verify_recomputes_the_root_from_the_bytes() {
    let bench = Bench::with_index(SimDisk::new(), Arc::new(MemoryIndex::new()));
    bench.store().put_hashed(HERE, &changed(1, 0)).unwrap();
    let root = bench
        .store()
        .build(HERE, None, 1 << 30, [(7, Some(digest(1)))])
        .unwrap();
    let report = bench.store().verify(HERE, &root, &|_| {}).unwrap();
    let reason = BadReason::Damaged(Damage::Hash);
    assert_eq!(
        report.bad_blocks,
        [BadBlock {
            block: 7,
            digest: digest(1),
            reason
        }]
    );
    assert_eq!(
        report.recomputed,
        Some(expected_root(&BTreeMap::from([(7, digest(0))])))
    );
}
