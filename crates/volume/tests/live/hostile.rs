//! Bytes that rot: what is damaged is refused, or does not matter; it is never silently wrong.

use std::path::PathBuf;

use cairn_blocks::disk::Disk as _;
use cairn_testkit::Crash;
use cairn_volume::Error;

use super::harness::{SECTORS_PER_BLOCK, World};

/// A volume with everything in its journal, shut down by `crash`.
fn crashed(crash: Crash) -> World {
    let mut world = World::new(16 << 10, true);
    // So that no region has an intent.
    world.close_and_open();
    world.write(0, 8, false);
    world.write(256 * SECTORS_PER_BLOCK, 2, false);
    world.work(1);
    world.freeze().unwrap();
    world.write(2, 8, false);
    world.write(100, 20, false);
    world.flush();
    world.capture(u32::MAX);
    world.commit();
    world.work(2);
    world.freeze().unwrap();
    world.write(101, 20, false);
    world.write(255 * SECTORS_PER_BLOCK, 2, false);
    world.freeze().unwrap();
    world.freeze().unwrap();
    world.abandon(1);
    // What was synced last cannot be told from what was never synced. This is harmless.
    world.abandon(1);
    world.ending = Some(4);
    world.crash_without_opening(crash);
    world
}

#[test]
fn rot_in_checkpoints_and_journal_never_passes_unseen() {
    for crash in [Crash::Kill, Crash::LoseAll] {
        let world = crashed(crash);
        let (mut refused, mut opened) = (0, 0);
        for name in world.sim.list(&world.dir()).unwrap() {
            if name == "data" {
                continue;
            }
            let path = world.dir().join(&name);
            let used = world
                .sim
                .contents(&path)
                .iter()
                .rposition(|byte| *byte != 0)
                .unwrap_or(0) as u64;
            // Every byte of headers and small records, and some of every write.
            for at in (0..=used).filter(|at| *at < 200 || at % 211 == 0 || used - at < 100) {
                let mut other = world.fork();
                other.sim.rot(&path, at, 1 << (at % 8));
                match other.try_recover(crash) {
                    Ok(()) => {
                        opened += 1;
                        if at % 29 == 0 {
                            other.check_snapshots();
                        }
                    }
                    Err(Error::Damaged(_)) => refused += 1,
                    Err(error) => panic!("{name} at {at}: {error:?}"),
                }
            }
        }
        assert!(
            refused > 50 && opened > 50,
            "{refused} refused, {opened} opened"
        );
    }
}

/// The file of the newest checkpoint.
fn newest(world: &World) -> PathBuf {
    let sequence = |path: &PathBuf| {
        let bytes = world.sim.contents(path);
        u64::from_le_bytes(bytes[16..24].try_into().unwrap())
    };
    let slots = ["state-a", "state-b"].map(|name| world.dir().join(name));
    slots.into_iter().max_by_key(sequence).unwrap()
}

#[test]
fn a_damaged_checkpoint_of_this_opening_is_replaced_by_the_one_before() {
    let mut world = World::new(16 << 10, true);
    // Enough for a few checkpoints, with segments trimmed.
    for round in 0..12 {
        (0..100).for_each(|n| world.write(n, 8, n % 50 == 0));
        world.freeze().unwrap();
        (0..100).for_each(|n| world.write(n, 8, n % 50 == round));
        world.capture(u32::MAX);
        world.commit();
        world.work(100);
    }
    world.crash_without_opening(Crash::Kill);
    let path = newest(&world);
    world.sim.rot(&path, 100, 4);
    world.try_recover(Crash::Kill).unwrap();
    world.check_snapshots();
    world.crash_without_opening(Crash::Kill);
    for name in ["state-a", "state-b"] {
        let path = world.dir().join(name);
        world.sim.rot(&path, 100, 4);
    }
    assert!(matches!(
        world.try_recover(Crash::Kill),
        Err(Error::Damaged(_))
    ));
}

#[test]
fn a_damaged_checkpoint_that_began_this_opening_is_noticed() {
    let mut world = World::new(16 << 10, true);
    world.write(0, 8, true);
    let mut other = world.fork();
    // The one before is of an earlier opening, and says nothing of what this one wrote.
    other.crash_without_opening(Crash::Kill);
    let path = newest(&other);
    other.sim.rot(&path, 100, 4);
    assert!(matches!(
        other.try_recover(Crash::Kill),
        Err(Error::Damaged(_))
    ));
    // Here nothing is left but the bytes in place. They are found.
    world.crash_without_opening(Crash::LoseAll);
    world.sim.rot(&path, 100, 4);
    world.try_recover(Crash::LoseAll).unwrap();
    world.check_snapshots();
}

#[test]
fn a_lost_checkpoint_takes_the_nonces_of_its_opening_with_it() {
    let mut world = World::new(16 << 10, true);
    // So that no region has an intent.
    world.close_and_open();
    world.write(256 * SECTORS_PER_BLOCK, 8, false);
    world.crash_without_opening(Crash::LoseAll);
    // Nothing is left of this opening, but for whoever saw the disk before.
    let path = newest(&world);
    world.sim.rot(&path, 100, 4);
    world.try_recover(Crash::LoseAll).unwrap();
    // The first record of the next opening lies where that write was.
    world.freeze().unwrap();
    world.check();
}

#[test]
fn a_missing_file_is_noticed() {
    let world = crashed(Crash::Kill);
    let names = world.sim.list(&world.dir()).unwrap();
    let newest_segment = names
        .iter()
        .filter(|name| name.starts_with("journal"))
        .max()
        .unwrap();
    assert!(names.len() > 5, "{names:?}");
    // The newest segment cannot be told from one that was never made.
    let mut refused = 0;
    for name in names.iter().filter(|name| *name != newest_segment) {
        let mut other = world.fork();
        other.sim.remove(&other.dir().join(name)).unwrap();
        match other.try_recover(Crash::Kill) {
            // The checkpoint does not need it, and nothing was lost.
            Ok(()) => assert_ne!(name, "data"),
            Err(Error::NotFound) => assert_eq!(name, "data"),
            Err(error) => {
                assert!(matches!(error, Error::Damaged(_)), "{name}: {error:?}");
                refused += 1;
            }
        }
    }
    assert!(refused > 0);
}
