//! Orders of syncs, each in the shortest trace that needs it.

use cairn_testkit::{Crash, OpKind};

use super::harness::{SECTORS_PER_BLOCK, World};

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
