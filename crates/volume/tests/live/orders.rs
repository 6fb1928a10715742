//! Orders of syncs, each in the shortest trace that needs it.

use std::{ops::ControlFlow, sync::Arc};

use cairn_testkit::{Crash, OpKind, SimDisk};
use cairn_volume::{Background, Options, Wait};

use super::harness::{BLOCK, SECTORS_PER_BLOCK, World, blank, tag};

/// Loses power in many ways, and looks whether the volume and all snapshots are right.
fn lose_power(world: &World) {
    for seed in 0..24 {
        let mut other = world.fork();
        other.crash(Crash::PowerLoss(seed));
        other.check();
        other.check_snapshots();
    }
}

#[test]
fn a_new_volume_is_written_in_place_at_once() {
    let mut world = World::new(16 << 10, true);
    world.sim.start_trace();
    world.write(0, 8, false);
    let trace = world.sim.take_trace();
    assert!(
        trace
            .iter()
            .any(|entry| entry.op == OpKind::Write && entry.path.ends_with("data"))
    );
}

#[test]
fn a_fua_in_place_is_not_overwritten_by_the_replay_of_an_older_entry() {
    let mut world = World::new(16 << 10, true);
    world.write(0, 8, true);
    world.freeze().unwrap();
    world.write(0, 8, true);
    world.capture(u32::MAX);
    world.commit();
    // Folded, and the record of that is not synced.
    world.work(1);
    world.write(0, 8, true);
    lose_power(&world);
    world.crash(Crash::LoseAll);
    world.check();
}

#[test]
fn an_intent_is_durable_before_a_write_in_place() {
    let mut world = World::new(16 << 10, true);
    world.write(8, 8, true);
    world.freeze().unwrap();
    world.capture(u32::MAX);
    world.commit();
    // Reopened with nothing dirty, no region has an intent. This asks for one.
    world.close_and_open();
    world.write(8, 8, false);
    world.work(1);
    world.write(SECTORS_PER_BLOCK, 64, false);
    lose_power(&world);
}

#[test]
fn what_a_fold_changes_is_in_the_next_snapshot() {
    let mut world = World::new(16 << 10, false);
    world.write(8, 8, true);
    world.freeze().unwrap();
    world.capture(u32::MAX);
    world.commit();
    // Reopened with nothing dirty, no region has an intent.
    world.close_and_open();
    world.write(16, 8, false);
    world.crash(Crash::Kill);
    // The entry is recovered, captured, and still there; then another comes, which is not synced.
    world.freeze().unwrap();
    world.capture(u32::MAX);
    world.commit();
    world.write(32, 8, false);
    world.work(1);
    world.crash(Crash::LoseAll);
    world.check();
    world.check_snapshots();
}

#[test]
fn an_abandoned_epoch_does_not_come_back_changed() {
    let mut world = World::new(16 << 10, true);
    world.write(0, 64, false);
    world.freeze().unwrap();
    world.abandon(0);
    world.write(0, 64, false);
    lose_power(&world);
}

/// A block that was put is released while the next ones are put, and may change then: it must not
/// be read again for the same image, however urgent guests make it.
#[test]
fn a_block_that_is_about_to_be_released_is_not_captured_again() {
    // Two rounds: the second one comes to the last block while that is about to be released.
    const BLOCKS: u64 = 100;
    let mut options = Options::new("boot");
    options.background = Background::Manual;
    let volume = blank(Arc::new(SimDisk::new()), BLOCKS * BLOCK, options);
    for block in 0..BLOCKS {
        let _done = volume
            .write(block * BLOCK, &[1; 512], false, Wait::Yes)
            .unwrap();
    }
    volume.freeze(&tag(1)).unwrap();
    let mut reports = 0;
    let mut last = None;
    let mut report = |progress| {
        // At the second report the first round is put, with the last block as an urgent one.
        reports += 1;
        let urgent: &[u64] = match reports {
            1 => &[BLOCKS - 1],
            2 => &[0],
            _ => &[],
        };
        for block in urgent {
            let _done = volume
                .write(block * BLOCK, &[2; 512], false, Wait::Yes)
                .unwrap();
        }
        last = Some(progress);
        ControlFlow::Continue(())
    };
    volume.capture(&tag(1), &mut report).unwrap();
    let last = last.unwrap();
    assert_eq!(last.total_blocks, BLOCKS);
    assert_eq!(last.captured_blocks, BLOCKS);
}
