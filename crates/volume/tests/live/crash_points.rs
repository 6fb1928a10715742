//! Short traces, cut off at every mutation of the disk, in every way.

use std::{path::Path, sync::Arc};

use cairn_blocks::{BlockStore, DomainId, MemoryIndex, disk::Disk};
use cairn_testkit::{Crash, SimDisk};
use cairn_volume::{Background, Error, Options, VolumeSpec};

use super::harness::{BLOCK, SECTORS_PER_BLOCK, World, key};

/// A step of a trace.
type Step = fn(&mut World);

/// Prepares a world; then runs the trace, once as it is and once for each mutation that it makes
/// and each way to crash there.
fn cut_everywhere(prepare: Step, trace: &[Step]) {
    let total = {
        let mut world = prepared(prepare);
        let before = world.sim.mutations();
        trace.iter().for_each(|step| step(&mut world));
        let total = world.sim.mutations() - before;
        world.check();
        world.check_snapshots();
        total
    };
    assert!(total > 20, "the trace does next to nothing");
    for at in 0..total {
        for crash in [Crash::Kill, Crash::LoseAll, Crash::PowerLoss(at)] {
            let mut world = prepared(prepare);
            world.sim.crash_at(at);
            for step in trace {
                step(&mut world);
                if world.sim.is_dead() {
                    break;
                }
            }
            assert!(
                world.sim.is_dead(),
                "mutation {at} of {total} was not reached"
            );
            world.crash(crash);
            world.check();
            // What was pending can be ended, and the next snapshot holds everything.
            world.check_snapshots();
            world.work(100);
            world.check();
        }
    }
}

fn prepared(prepare: Step) -> World {
    let mut world = World::new(16 << 10, true);
    prepare(&mut world);
    world
}

#[test]
fn a_snapshot_of_a_blank_volume() {
    let trace: &[Step] = &[
        |w| w.write(0, 8, false),
        |w| w.write(SECTORS_PER_BLOCK - 4, 8, false),
        |w| w.flush(),
        |w| {
            w.freeze();
        },
        // Over the image, past it, and where there is no intent yet.
        |w| w.write(4, 8, false),
        |w| w.write(100, 8, true),
        |w| w.write(256 * SECTORS_PER_BLOCK, 8, false),
        |w| w.work(2),
        |w| w.trim(SECTORS_PER_BLOCK, 8, false),
        |w| w.capture(u32::MAX),
        |w| w.commit(),
        |w| w.work(20),
        |w| w.write(0, 4, false),
        |w| w.flush(),
        |w| w.close_and_open(),
        |w| w.write(9, 4, false),
    ];
    cut_everywhere(|_| {}, trace);
}

#[test]
fn a_restored_volume() {
    let prepare: Step = |w| {
        for block in [0, 1, 127, 128, 256] {
            w.write(block * SECTORS_PER_BLOCK + 3, 60, false);
        }
        w.freeze();
        w.capture(u32::MAX);
        w.commit();
        w.clone_newest(false);
    };
    let trace: &[Step] = &[
        |w| w.write(0, 2, false),
        |w| w.write(SECTORS_PER_BLOCK, SECTORS_PER_BLOCK, false),
        |w| w.trim(128 * SECTORS_PER_BLOCK, SECTORS_PER_BLOCK, false),
        |w| w.check_range(127 * SECTORS_PER_BLOCK, 64),
        |w| {
            w.freeze();
        },
        |w| w.write(2, 2, true),
        |w| w.work(3),
        |w| w.capture(u32::MAX),
        |w| w.write(128 * SECTORS_PER_BLOCK + 10, 2, false),
        |w| w.commit(),
        |w| w.work(20),
        |w| w.write(256 * SECTORS_PER_BLOCK, 2, false),
        |w| w.flush(),
    ];
    cut_everywhere(prepare, trace);
}

#[test]
fn garbage_is_collected_around_a_snapshot() {
    let prepare: Step = |w| {
        w.work(2);
        (0..4).for_each(|n| w.write(n * 8, 8, false));
        w.write(SECTORS_PER_BLOCK, 8, false);
        w.freeze();
        w.capture(u32::MAX);
        w.commit();
    };
    let trace: &[Step] = &[
        |w| w.write(4, 8, false),
        |w| {
            w.freeze();
        },
        |w| w.capture(2),
        |w| w.collect(),
        |w| w.write(SECTORS_PER_BLOCK, 8, false),
        |w| w.capture(u32::MAX),
        |w| w.commit(),
        |w| w.delete(0),
        |w| w.delete(1),
        |w| w.collect(),
        |w| w.write(8, 8, true),
    ];
    cut_everywhere(prepare, trace);
}

#[test]
fn several_epochs_and_an_abandoned_one() {
    let prepare: Step = |w| {
        w.work(2);
        w.write(0, 8, false);
        w.write(SECTORS_PER_BLOCK, 8, false);
    };
    let trace: &[Step] = &[
        |w| {
            w.freeze();
        },
        |w| w.write(4, 8, false),
        |w| {
            w.freeze();
        },
        |w| w.write(8, 8, false),
        |w| w.capture(2),
        |w| w.abandon(0),
        |w| w.write(SECTORS_PER_BLOCK + 4, 8, false),
        |w| w.capture(u32::MAX),
        |w| w.work(10),
        |w| w.abandon(0),
        |w| {
            w.freeze();
        },
        |w| w.grow(BLOCK),
        |w| w.capture(u32::MAX),
        |w| w.commit(),
        |w| w.work(10),
    ];
    cut_everywhere(prepare, trace);
}

#[test]
fn checkpoints_trim_the_journal() {
    let trace: &[Step] = &[
        |w| {
            w.write(0, 1, false);
            w.freeze();
        },
        |w| (0..6).for_each(|n| w.write(8 * n, 30, n == 3)),
        |w| w.work(3),
        |w| w.capture(u32::MAX),
        |w| w.commit(),
        |w| w.work(20),
        |w| w.write(0, 30, false),
        |w| w.close_and_open(),
    ];
    cut_everywhere(|_| {}, trace);
}

#[test]
fn a_creation_that_is_cut_off_can_be_undone_and_repeated() {
    let dir = Path::new("/volumes/1");
    let spec = VolumeSpec {
        size_bytes: 1 << 30,
        domain: DomainId(1),
        base: None,
    };
    let options = Options {
        background: Background::Manual,
        ..Options::new("boot")
    };
    for at in 0..20 {
        for crash in [Crash::Kill, Crash::LoseAll, Crash::PowerLoss(at)] {
            let sim = SimDisk::new();
            sim.crash_at(at);
            let created = cairn_volume::create(&sim, dir, &spec, key(0).as_ref(), &options);
            let removed = created.and_then(|()| cairn_volume::remove(&sim, dir));
            let died = sim.is_dead();
            assert!(died || removed.is_ok());
            sim.crash(crash);
            let open = || {
                let disk: Arc<dyn Disk> = Arc::new(sim.clone());
                let store = BlockStore::open(
                    Arc::clone(&disk),
                    Path::new("/store"),
                    Arc::new(MemoryIndex::new()),
                    Arc::new(cairn_blocks::NoKeys),
                    cairn_blocks::Options::default(),
                );
                cairn_volume::open(disk, dir, Arc::new(store.unwrap()), key(0), options.clone())
            };
            match open() {
                Ok(volume) => assert_eq!(volume.size_bytes(), 1 << 30),
                Err(error) => assert!(
                    matches!(error, Error::NotFound | Error::Damaged(_)),
                    "{error:?}"
                ),
            }
            cairn_volume::remove(&sim, dir).unwrap();
            cairn_volume::create(&sim, dir, &spec, key(0).as_ref(), &options).unwrap();
            sim.crash(Crash::LoseAll);
            assert_eq!(open().unwrap().size_bytes(), 1 << 30);
        }
    }
}
