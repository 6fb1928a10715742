//! Content that goes from one domain to another.

use std::ops::ControlFlow;

use cairn_blocks::{Density, Error, Root, Transferred, transfer};
use cairn_testkit::Crash;

use crate::support::{Bench, HERE, THERE, block, digest, random_block};

const GIB: u64 = 1 << 30;

/// A root in [`HERE`] of some blocks, the last one of its own.
fn content(bench: &Bench, blocks: &[usize]) -> Root {
    let store = bench.store();
    let mut changes = Vec::new();
    for (at, n) in (0..).zip(blocks) {
        store.put(HERE, block(*n)).unwrap();
        changes.push((at * 7, Some(digest(*n))));
    }
    store.build(HERE, None, GIB, changes).unwrap()
}

fn carry(bench: &Bench, root: &Root, density: Density) -> (Option<Root>, Transferred) {
    let store = &**bench.store();
    let _session = store.session();
    let mut last = Transferred::default();
    let mut report = |done| {
        last = done;
        ControlFlow::Continue(())
    };
    let moved = transfer((store, HERE), (store, THERE), root, density, &mut report).unwrap();
    (moved, last)
}

#[test]
fn only_what_is_missing_is_moved_and_the_root_is_the_same() {
    let bench = Bench::new();
    let first = content(&bench, &[0, 1, 2, 1]);
    let (moved, done) = carry(&bench, &first, Density::Usual);
    assert_eq!(moved, Some(first));
    assert_eq!((done.blocks, done.all_blocks), (4, 4));
    // What comes twice in one go may be read twice, and is stored once.
    let once = bench.store().stats().blobs;
    let second = content(&bench, &[0, 3, 2]);
    let before = bench.store().stats().blobs;
    assert!(before > once);
    let (moved, done) = carry(&bench, &second, Density::Usual);
    assert_eq!(moved, Some(second));
    assert_eq!(done.moved_bytes, cairn_blocks::BLOCK_SIZE as u64);
    for (at, n) in (0..).zip([0, 3, 2]) {
        let found = bench.store().leaf(THERE, &second, at * 7).unwrap();
        assert_eq!(found, Some(digest(n)));
        assert!(*bench.store().get(THERE, &digest(n)).unwrap() == *block(n));
    }
    let (moved, done) = carry(&bench, &second, Density::Dense);
    assert_eq!((moved, done.moved_bytes), (Some(second), 0));
}

#[test]
fn what_is_moved_is_durable() {
    let mut bench = Bench::new();
    let root = content(&bench, &[4, 5]);
    assert_eq!(carry(&bench, &root, Density::Dense).0, Some(root));
    bench.crash(Crash::LoseAll);
    for n in [4, 5] {
        assert!(*bench.store().get(THERE, &digest(n)).unwrap() == *block(n));
    }
    assert_eq!(bench.store().count(THERE, &root).unwrap(), 2);
}

#[test]
fn a_transfer_can_be_ended_and_begun_again() {
    let bench = Bench::new();
    let root = content(&bench, &[6, 7]);
    let store = &**bench.store();
    let mut stop = |_| ControlFlow::Break(());
    let ended = transfer(
        (store, HERE),
        (store, THERE),
        &root,
        Density::Usual,
        &mut stop,
    );
    assert_eq!(ended.unwrap(), None);
    assert_eq!(carry(&bench, &root, Density::Usual).0, Some(root));
}

#[test]
fn what_is_not_there_is_not_made_up() {
    let bench = Bench::new();
    let nothing = random_block(9);
    let missing = cairn_blocks::Digest::of(&nothing);
    let store = &**bench.store();
    let root = store
        .build_index(HERE, None, GIB, [(0, Some(missing))])
        .unwrap();
    let mut report = |_| ControlFlow::Continue(());
    let moved = transfer(
        (store, HERE),
        (store, THERE),
        &root,
        Density::Usual,
        &mut report,
    );
    assert!(matches!(moved, Err(Error::NotFound { .. })));
}
