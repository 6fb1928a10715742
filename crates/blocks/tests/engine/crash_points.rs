//! A short trace, ended at every operation that changes the disk, in every way to end.

use std::collections::BTreeSet;

use cairn_blocks::{Error, Root};
use cairn_testkit::{Crash, SimDisk};

use crate::support::{BLOCKS, Bench, HERE, THERE, block, digest};

const SIZE: u64 = 1 << 40;

const CRASHES: [Crash; 6] = [
    Crash::Kill,
    Crash::LoseAll,
    Crash::PowerLoss(1),
    Crash::PowerLoss(2),
    Crash::PowerLoss(3),
    Crash::PowerLoss(4),
];

/// What the store has promised by the time that it dies.
#[derive(Default)]
struct Promised {
    here: BTreeSet<usize>,
    there: BTreeSet<usize>,
    root: Option<Root>,
}

/// Fills some packs, builds an index over others, seals, and begins anew.
fn trace(bench: &Bench, promised: &mut Promised) -> Result<(), Error> {
    let store = bench.open()?;
    store.put_many(HERE, &[0, 1, 2].map(block))?;
    store.sync(HERE)?;
    promised.here.extend([0, 1, 2]);
    store.put_many(HERE, &[3, 4, 5, 6, 7].map(block))?;
    store.put(THERE, block(0))?;
    let root = store.build(
        HERE,
        None,
        SIZE,
        [(1, Some(digest(3))), (70_000, Some(digest(4)))],
    )?;
    promised.here.extend([3, 4, 5, 6, 7]);
    promised.root = Some(root);
    store.sync(THERE)?;
    promised.there.insert(0);
    store.put(HERE, block(8))?;
    store.seal()?;
    promised.here.insert(8);
    store.put(HERE, block(9))?;
    store.sync(HERE)?;
    promised.here.insert(9);
    Ok(())
}

fn check(bench: &Bench, promised: &Promised, context: &str) {
    for n in 0..BLOCKS {
        for (domain, promised) in [(HERE, &promised.here), (THERE, &promised.there)] {
            match bench.store().get(domain, &digest(n)) {
                Ok(found) => assert!(*found == *block(n), "{context}: block {n} has other bytes"),
                Err(error) => assert!(
                    !promised.contains(&n),
                    "{context}: block {n} was promised: {error:?}"
                ),
            }
        }
    }
    if let Some(root) = &promised.root {
        assert!(
            bench
                .store()
                .verify(HERE, root, &|_| {})
                .unwrap()
                .is_intact(),
            "{context}: the snapshot was promised"
        );
    }
}

/// The state in which no store was ever opened.
fn blank() -> Bench {
    let mut bench = Bench::new();
    bench.close();
    bench.disk.crash(Crash::Kill);
    bench
}

#[test]
fn what_was_promised_survives_death_at_every_operation() {
    let bench = blank();
    let before = bench.disk.mutations();
    trace(&bench, &mut Promised::default()).unwrap();
    let mutations = bench.disk.mutations() - before;
    assert!(mutations > 30, "the trace does something");
    for nth in 0..mutations {
        for crash in CRASHES {
            let mut bench = blank();
            let mut promised = Promised::default();
            bench.disk.crash_at(nth);
            assert!(trace(&bench, &mut promised).is_err());
            bench.crash(crash);
            check(&bench, &promised, &format!("{crash:?} at operation {nth}"));
        }
    }
}

#[test]
fn what_was_promised_survives_death_at_every_operation_of_the_recovery() {
    let mut died = 0;
    for crash in CRASHES {
        for nth in 0.. {
            let mut bench = blank();
            let mut promised = Promised::default();
            trace(&bench, &mut promised).unwrap();
            bench.disk.crash(crash);
            bench.disk.crash_at(nth);
            if bench.open().is_ok() {
                break;
            }
            died += 1;
            bench.crash(Crash::PowerLoss(nth));
            check(
                &bench,
                &promised,
                &format!("{crash:?}, then death at operation {nth} of the recovery"),
            );
        }
    }
    assert!(died > 30, "the recovery does something");
}

/// A store whose directory was never synced must not seem to be there.
#[test]
fn a_new_store_survives_as_soon_as_it_says_so() {
    let mut bench = Bench::with_index(
        SimDisk::new(),
        std::sync::Arc::new(cairn_blocks::MemoryIndex::new()),
    );
    bench.put(0);
    bench.store().sync(HERE).unwrap();
    bench.crash(Crash::LoseAll);
    assert!(bench.store().get(HERE, &digest(0)).is_ok());
}
