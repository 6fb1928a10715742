//! What operations cost, counted in operations of the disk.

use std::collections::BTreeMap;

use cairn_blocks::{BlockStore, DomainId, MemoryIndex, disk::Disk};
use cairn_testkit::{OpKind, SimDisk, TraceEntry};
use cairn_volume::{Background, EpochTag, Options, Outcome, Volume, VolumeSpec, Wait};
use std::{path::Path, sync::Arc};

use super::harness::{SECTORS_PER_BLOCK, World, key};

fn count(trace: &[TraceEntry], op: OpKind) -> usize {
    trace.iter().filter(|entry| entry.op == op).count()
}

#[test]
fn a_flush_is_one_sync_in_steady_state() {
    let mut world = World::new(1 << 20, true);
    world.write(0, 8, true);
    world.work(10);
    world.sim.start_trace();
    for n in 0..200 {
        world.write(n % 900, 8, false);
        world.flush();
    }
    let trace = world.sim.take_trace();
    let (syncs, writes) = (count(&trace, OpKind::Sync), count(&trace, OpKind::Write));
    assert!(syncs <= 200 * 105 / 100, "{syncs} syncs for 200 flushes");
    assert_eq!(writes, 200, "a write in place is one write");
    world.sim.start_trace();
    world.flush();
    assert_eq!(
        world.sim.take_trace(),
        [],
        "a flush of nothing does nothing"
    );
}

#[test]
fn a_write_over_a_frozen_block_is_one_append() {
    let mut world = World::new(1 << 20, true);
    world.write(0, 1024, true);
    world.freeze().unwrap();
    world.sim.start_trace();
    (0..50).for_each(|n| world.write(8 * n, 8, false));
    let trace = world.sim.take_trace();
    // And one segment, to begin with.
    assert!(
        count(&trace, OpKind::Write) <= 51 && count(&trace, OpKind::Sync) == 0,
        "{trace:?}"
    );
    world.sim.start_trace();
    world.flush();
    assert_eq!(count(&world.sim.take_trace(), OpKind::Sync), 1);
}

#[test]
fn nothing_waits_that_must_not() {
    let mut world = World::new(1 << 20, false);
    for block in [0, 1, 256] {
        world.write(block * SECTORS_PER_BLOCK, 8, false);
    }
    world.freeze().unwrap();
    world.capture(u32::MAX);
    world.commit();
    world.clone_newest(false);
    let volume = Arc::clone(world.volume());
    let mut buf = [0; 512];
    // The base is not at hand; a write needs it not.
    assert_eq!(
        volume.read(0, &mut buf, Wait::No).unwrap(),
        Outcome::WouldBlock
    );
    assert_eq!(
        volume.write(512, &[1; 512], false, Wait::No).unwrap(),
        Outcome::Done
    );
    assert_eq!(volume.read(512, &mut buf, Wait::No).unwrap(), Outcome::Done);
    assert_eq!(buf, [1; 512]);
    assert_eq!(volume.read(0, &mut buf, Wait::Yes).unwrap(), Outcome::Done);
    world.work(10);
    assert_eq!(volume.read(0, &mut buf, Wait::No).unwrap(), Outcome::Done);
    world.sim.set_at_hand(false);
    assert_eq!(
        volume.read(0, &mut buf, Wait::No).unwrap(),
        Outcome::WouldBlock
    );
    world.volume = None;
}

/// A blank volume of some size on a disk of its own.
fn blank(size_bytes: u64) -> (SimDisk, Arc<Volume>) {
    let sim = SimDisk::new();
    let dir = Path::new("/volumes/1");
    let options = Options {
        background: Background::Manual,
        ..Options::new("boot")
    };
    let spec = VolumeSpec {
        size_bytes,
        domain: DomainId(1),
        base: None,
    };
    cairn_volume::create(&sim, dir, &spec, key(0).as_ref(), &options).unwrap();
    let disk: Arc<dyn Disk> = Arc::new(sim.clone());
    let store = BlockStore::open(
        Arc::clone(&disk),
        Path::new("/store"),
        Arc::new(MemoryIndex::new()),
        Arc::new(cairn_blocks::NoKeys),
        cairn_blocks::Options::default(),
    );
    let volume = cairn_volume::open(disk, dir, Arc::new(store.unwrap()), key(0), options).unwrap();
    (sim, volume)
}

/// The operations, how many of each kind, and their bytes.
fn cost(trace: &[TraceEntry]) -> BTreeMap<String, (usize, u64)> {
    let mut cost = BTreeMap::new();
    for entry in trace.iter().filter(|entry| entry.op != OpKind::SetLen) {
        let sum: &mut (usize, u64) = cost.entry(format!("{:?}", entry.op)).or_default();
        *sum = (sum.0 + 1, sum.1 + entry.len);
    }
    cost
}

#[test]
fn creating_freezing_and_trimming_do_not_depend_on_the_size() {
    let sizes = [1 << 30, 1 << 40, 64 << 40];
    let costs: Vec<_> = sizes
        .into_iter()
        .map(|size| {
            let created = SimDisk::new();
            created.start_trace();
            let spec = VolumeSpec {
                size_bytes: size,
                domain: DomainId(1),
                base: None,
            };
            cairn_volume::create(
                &created,
                Path::new("/v"),
                &spec,
                key(0).as_ref(),
                &Options::new("boot"),
            )
            .unwrap();
            let create = cost(&created.take_trace());
            let (sim, volume) = blank(size);
            for offset in [0, size / 2, size - 4096] {
                let _done = volume.write(offset, &[1; 4096], false, Wait::Yes).unwrap();
            }
            sim.start_trace();
            volume.freeze(&EpochTag::new("snap").unwrap()).unwrap();
            let freeze = cost(&sim.take_trace());
            sim.start_trace();
            volume.trim(0, size, false).unwrap();
            let trim = cost(&sim.take_trace());
            (create, freeze, trim.values().map(|(n, _)| n).sum::<usize>())
        })
        .collect();
    for other in &costs[1..] {
        assert_eq!(other.1, costs[0].1, "a freeze depends on the size");
        assert_eq!(
            other.0.keys().collect::<Vec<_>>(),
            costs[0].0.keys().collect::<Vec<_>>()
        );
        let bytes = |cost: &BTreeMap<String, (usize, u64)>| cost["Write"].1;
        assert!(
            bytes(&other.0) < bytes(&costs[0].0) + 64,
            "a creation depends on the size"
        );
        assert!(
            other.2 <= 12,
            "a trim of a blank volume took {} operations",
            other.2
        );
    }
}
