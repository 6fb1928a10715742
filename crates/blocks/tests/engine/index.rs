//! Shapes and limits of the Merkle index.

use std::collections::BTreeMap;

use cairn_blocks::{BLOCK_SIZE, Change, Digest, Error, LeafNode, Root, RootBuilder};
use cairn_testkit::OpKind;
use proptest::prelude::*;

use crate::support::{Bench, HERE, THERE, expected_root};

const TIB: u64 = 1 << 40;

/// A digest of a block that nobody has.
fn name(n: u64) -> Digest {
    Digest::of(&n.to_le_bytes())
}

fn build(bench: &Bench, base: Option<&Root>, size: u64, changes: &[(u64, Option<Digest>)]) -> Root {
    bench
        .store()
        .build_index(HERE, base, size, changes.iter().copied())
        .unwrap()
}

#[test]
fn the_largest_volume_can_be_indexed_from_end_to_end() {
    let bench = Bench::new();
    let last = 64 * TIB / BLOCK_SIZE as u64 - 1;
    let root = build(
        &bench,
        None,
        64 * TIB,
        &[(0, Some(name(1))), (last, Some(name(2)))],
    );
    assert_eq!(
        root.node,
        expected_root(&BTreeMap::from([(0, name(1)), (last, name(2))]))
    );
    assert_eq!(
        bench.store().leaf(HERE, &root, last).unwrap(),
        Some(name(2))
    );
    assert_eq!(bench.store().leaf(HERE, &root, last - 1).unwrap(), None);
    let listed: Result<Vec<_>, _> = bench.store().blocks(HERE, &root, 1).collect();
    assert_eq!(listed.unwrap(), [(last, name(2))]);
    let too_large = bench.store().build_index(HERE, None, 64 * TIB + 1, []);
    assert!(matches!(too_large, Err(Error::VolumeSize { .. })));
}

#[test]
fn blocks_beyond_the_end_are_refused() {
    let bench = Bench::new();
    let size = 10 * BLOCK_SIZE as u64 + 1;
    let root = build(&bench, None, size, &[(10, Some(name(1)))]);
    assert_eq!(root.block_count(), 11, "the last block may be short");
    let beyond = bench
        .store()
        .build_index(HERE, None, size, [(11, Some(name(1)))]);
    assert!(matches!(
        beyond,
        Err(Error::OutOfRange {
            block: 11,
            blocks: 11
        })
    ));
    assert!(matches!(
        bench.store().leaf(HERE, &root, 11),
        Err(Error::OutOfRange { .. })
    ));
    // The same nodes under a smaller size are those of no volume.
    let smaller = Root {
        size_bytes: size - 1,
        ..root
    };
    assert!(matches!(
        bench.store().leaf(HERE, &smaller, 0),
        Err(Error::InvalidNode { .. })
    ));
    assert!(
        !bench
            .store()
            .verify(HERE, &smaller, &|_| {})
            .unwrap()
            .is_intact()
    );
}

#[test]
fn a_volume_may_grow_and_not_shrink() {
    let bench = Bench::new();
    let small = build(&bench, None, TIB, &[(3, Some(name(1)))]);
    let large = build(&bench, Some(&small), 2 * TIB, &[]);
    assert_eq!(large.node, small.node);
    assert_ne!(large.digest(), small.digest());
    let shrunk = bench.store().build_index(HERE, Some(&large), TIB, []);
    assert!(matches!(shrunk, Err(Error::VolumeSize { .. })));
}

#[test]
fn what_becomes_zero_leaves_no_trace() {
    let bench = Bench::new();
    let full = build(
        &bench,
        None,
        TIB,
        &[(3, Some(name(1))), (100_000, Some(name(2)))],
    );
    let emptied = build(&bench, Some(&full), TIB, &[(3, None), (100_000, None)]);
    assert_eq!(emptied, Root::empty(TIB));
    let zeros = Digest::of(&vec![0; BLOCK_SIZE]);
    assert_eq!(
        build(&bench, None, TIB, &[(3, Some(zeros))]),
        Root::empty(TIB),
        "zeros have no digest"
    );
    assert_eq!(bench.store().count(HERE, &emptied).unwrap(), 0);
    assert!(
        bench
            .store()
            .verify(HERE, &emptied, &|_| {})
            .unwrap()
            .is_intact()
    );
}

#[test]
fn the_last_change_of_a_block_counts() {
    let bench = Bench::new();
    let root = build(
        &bench,
        None,
        TIB,
        &[(3, Some(name(1))), (2, None), (3, None), (3, Some(name(2)))],
    );
    assert_eq!(bench.store().leaf(HERE, &root, 3).unwrap(), Some(name(2)));
    assert_eq!(root, build(&bench, None, TIB, &[(3, Some(name(2)))]));
}

#[test]
fn a_leaf_node_tells_of_256_blocks() {
    let bench = Bench::new();
    let root = build(
        &bench,
        None,
        TIB,
        &[
            (256, Some(name(1))),
            (511, Some(name(2))),
            (512, Some(name(3))),
        ],
    );
    let leaf = bench.store().leaf_node(HERE, &root, 300).unwrap();
    assert_eq!((leaf.first_block(), LeafNode::BLOCKS), (256, 256));
    assert_eq!(
        leaf.present().collect::<Vec<_>>(),
        [(256, name(1)), (511, name(2))]
    );
    assert_eq!(
        [256, 257, 511, 512, 0].map(|block| leaf.get(block)),
        [Some(name(1)), None, Some(name(2)), None, None]
    );
    assert_eq!(
        bench
            .store()
            .leaf_node(HERE, &root, 5)
            .unwrap()
            .present()
            .count(),
        0
    );
}

#[test]
fn snapshots_of_other_domains_and_sizes_are_compared() {
    let bench = Bench::new();
    let here = build(&bench, None, TIB, &[(1, Some(name(1))), (2, Some(name(2)))]);
    let changes = [(2, Some(name(2))), (TIB / BLOCK_SIZE as u64, Some(name(3)))];
    let there = bench
        .store()
        .build_index(THERE, None, 2 * TIB, changes)
        .unwrap();
    let found: Result<Vec<_>, _> = bench
        .store()
        .diff(HERE, Some(&here), THERE, &there, 0)
        .collect();
    let expected = [
        Change {
            block: 1,
            first: Some(name(1)),
            second: None,
        },
        Change {
            block: TIB / BLOCK_SIZE as u64,
            first: None,
            second: Some(name(3)),
        },
    ];
    assert_eq!(found.unwrap(), expected);
}

/// The whole point of the tree: work that grows with the changes, not with the volume.
#[test]
fn builds_and_diffs_touch_only_what_changed() {
    let mut bench = Bench::new();
    let dense: Vec<_> = (0..40)
        .flat_map(|leaf| (0..4).map(move |n| (leaf * 256 + n, Some(name(leaf * 10 + n)))))
        .collect();
    let base = build(&bench, None, TIB, &dense);
    bench.reopen();
    bench.disk.start_trace();
    let changed = build(&bench, Some(&base), TIB, &[(20 * 256, Some(name(9999)))]);
    // Of nodes: headers of packs are read for their salt.
    let reads = |bench: &Bench| {
        bench
            .disk
            .take_trace()
            .iter()
            .filter(|entry| entry.op == OpKind::Read && entry.offset > 0)
            .count()
    };
    // The index wrapper of these tests reads forks of the disk, which have traces of their own.
    assert_eq!(reads(&bench), 3, "a root, a mid node, a leaf");
    assert_eq!(bench.store().stats().blobs, 3);
    bench.reopen();
    bench.disk.start_trace();
    let found: Result<Vec<_>, _> = bench
        .store()
        .diff(HERE, Some(&base), HERE, &changed, 0)
        .collect();
    assert_eq!(found.unwrap().len(), 1);
    assert_eq!(reads(&bench), 6, "a path on either side");
    let none: Result<Vec<_>, _> = bench
        .store()
        .diff(HERE, Some(&base), HERE, &base, 0)
        .collect();
    assert_eq!(none.unwrap(), []);
}

#[test]
fn a_missing_node_ends_the_list_with_an_error() {
    let bench = Bench::new();
    let root = Root {
        node: name(1),
        size_bytes: TIB,
    };
    let listed: Vec<_> = bench.store().blocks(HERE, &root, 0).collect();
    assert!(matches!(listed.as_slice(), [Err(Error::NotFound { .. })]));
}

/// Volumes that end within a leaf, at its end, behind a mid node, and far out.
fn sizes() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(1),
        Just(BLOCK_SIZE as u64 * 256),
        Just(BLOCK_SIZE as u64 * 257 - 3),
        Just(1 << 35),
        Just((1 << 36) + 512),
        Just(Root::MAX_SIZE_BYTES),
    ]
}

proptest! {
    #[test]
    fn a_root_from_blocks_in_order_is_that_of_the_index(
        size in sizes(),
        blocks in prop::collection::btree_map(
            prop_oneof![0..4u64, 250..262u64, 65_530..65_540u64, 130_000..135_000u64, any::<u64>()],
            any::<[u8; 32]>().prop_map(Digest),
            0..40,
        ),
    ) {
        let count = Root::empty(size).block_count();
        let content: BTreeMap<u64, Digest> =
            blocks.into_iter().map(|(block, digest)| (block % count, digest)).collect();
        let mut builder = RootBuilder::new(size).unwrap();
        let mut next = 0;
        for (block, digest) in &content {
            // One by one or at a stroke.
            if block - next < 300 {
                (next..*block).for_each(|_| builder.push(None));
            } else {
                builder.skip(block - next);
            }
            builder.push(Some(*digest));
            next = block + 1;
        }
        builder.skip(count - next);
        let root = builder.finish().unwrap();
        prop_assert_eq!(root, Root { node: expected_root(&content), size_bytes: size });
    }
}

#[test]
fn a_root_from_blocks_needs_each_of_them_once_and_knows_zeros() {
    let blocks = |builder: &mut RootBuilder, count: u64| {
        (0..count).for_each(|_| builder.push(Some(Digest::of(&vec![0; BLOCK_SIZE]))));
    };
    for given in [0, 1, 3, 4] {
        let mut builder = RootBuilder::new(2 * BLOCK_SIZE as u64).unwrap();
        blocks(&mut builder, given);
        assert!(matches!(
            builder.finish(),
            Err(Error::OutOfRange { block, blocks: 2 }) if block == given
        ));
    }
    let mut builder = RootBuilder::new(2 * BLOCK_SIZE as u64).unwrap();
    blocks(&mut builder, 2);
    assert_eq!(
        builder.finish().unwrap(),
        Root::empty(2 * BLOCK_SIZE as u64)
    );
    assert!(RootBuilder::new(Root::MAX_SIZE_BYTES + 1).is_err());
}
