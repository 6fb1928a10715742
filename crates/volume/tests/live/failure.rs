//! A disk that is full, and one that fails.

use std::{
    io::{self, ErrorKind},
    path::Path,
    sync::Arc,
};

use cairn_blocks::disk::Disk as _;
use cairn_testkit::{Crash, Errno, Fault, OpKind, SimDisk};
use cairn_volume::{Error, Options, Outcome, Scarcity, Volume, VolumeSpec, Wait, Work};

use super::harness::{BLOCK, SECTORS_PER_BLOCK, World, blank, key, tag};

#[test]
fn after_a_failed_sync_no_flush_succeeds() {
    for file in ["data", "journal"] {
        let mut world = World::new(16 << 10, true);
        world.write(0, 8, true);
        world.freeze().unwrap();
        // One write to the journal, one in place.
        world.write(0, 8, false);
        world.write(256 * SECTORS_PER_BLOCK, 8, false);
        world
            .sim
            .inject(Fault::nth(OpKind::Sync, 1, Errno::IO).on(file));
        assert!(world.volume().flush().is_err(), "{file}");
        for _ in 0..3 {
            assert!(
                world.volume().flush().is_err(),
                "{file}: a later sync is not to be believed"
            );
        }
        let fua = world.volume().write(0, &[1; 512], true, Wait::Yes);
        fua.unwrap_err();
        assert!(matches!(world.volume().freeze(&tag(9)), Err(Error::Failed)));
        assert!(matches!(world.volume().work(), Err(Error::Failed)));
        assert!(world.volume().close().is_err());
    }
}

#[test]
fn a_failed_sync_loses_nothing_that_was_flushed() {
    let mut world = World::new(16 << 10, true);
    world.write(0, 100, false);
    world.flush();
    world.write(50, 100, false);
    world.sim.inject(Fault::always(OpKind::Sync, Errno::IO));
    assert!(world.volume().flush().is_err());
    world.crash(Crash::PowerLoss(7));
    world.check();
    world.check_snapshots();
}

#[test]
fn a_fold_whose_sync_fails_is_not_noted() {
    let mut world = World::new(16 << 10, true);
    // So that no region has an intent.
    world.close_and_open();
    world.write(256 * SECTORS_PER_BLOCK, 8, true);
    assert_eq!(world.volume().work().unwrap(), Work::Progress);
    world
        .sim
        .inject(Fault::nth(OpKind::Sync, 1, Errno::IO).on("data"));
    world.volume().work().unwrap_err();
    world.crash(Crash::LoseAll);
    world.check();
    world.check_snapshots();
}

#[test]
fn a_full_disk_is_reported_and_passes() {
    let mut world = World::new(64 << 10, true);
    world.write(0, 64, false);
    world.freeze().unwrap();
    world.sim.set_free(200 << 10);
    // Into the journal, until there is no room for another segment.
    let mut refused = 0;
    for n in 0..20 {
        let result = world.volume().write(n * 4096, &[7; 4096], false, Wait::Yes);
        match result {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::StorageFull);
                refused += 1;
            }
        }
    }
    for n in 0..20 {
        let result = world
            .volume()
            .write(BLOCK + n * 65_536, &[7; 65_536], false, Wait::Yes);
        refused += u32::from(result.is_err());
    }
    assert!(refused > 0, "the disk never got full");
    world.volume().flush().unwrap();
    world.sim.set_free(1 << 30);
    for n in 0..20 {
        let written = world.volume().write(n * 4096, &[8; 4096], true, Wait::Yes);
        assert_eq!(written.unwrap(), Outcome::Done);
    }
    let mut buf = [0; 4096];
    for n in 0..20 {
        let _done = world.volume().read(n * 4096, &mut buf, Wait::Yes).unwrap();
        assert_eq!(buf, [8; 4096]);
    }
    // The image of the freeze is what it was.
    world.capture(u32::MAX);
    world.commit();
}

#[test]
fn a_fold_that_finds_no_space_is_tried_again() {
    let mut world = World::new(1 << 20, true);
    // So that no region has an intent.
    world.close_and_open();
    world.write(256 * SECTORS_PER_BLOCK, 512, true);
    world.work(1);
    world.sim.set_free(0);
    let error = world.volume().work().unwrap_err();
    assert!(error.is_storage_full(), "{error:?}");
    world.check();
    world.sim.set_free(1 << 30);
    world.work(10);
    assert_eq!(world.volume().work().unwrap(), Work::Idle);
    world.crash(Crash::LoseAll);
    world.check();
    world.check_snapshots();
}

#[test]
fn what_cannot_be_is_refused() {
    let mut world = World::new(16 << 10, true);
    let (sim, options) = (world.sim.clone(), world.options());
    assert!(matches!(world.try_open(), Err(Error::Locked)));
    assert!(matches!(
        cairn_volume::remove(&sim, &world.dir()),
        Err(Error::Locked)
    ));
    let spec = VolumeSpec {
        size_bytes: 1 << 20,
        domain: world.domain,
        base: None,
    };
    assert!(matches!(
        cairn_volume::create(&sim, &world.dir(), &spec, key(0).as_ref(), &options),
        Err(Error::Exists)
    ));
    let create = |size_bytes, options: &Options| {
        let spec = VolumeSpec { size_bytes, ..spec };
        cairn_volume::create(
            &sim,
            "/volumes/other".as_ref(),
            &spec,
            key(0).as_ref(),
            options,
        )
    };
    assert!(matches!(create(0, &options), Err(Error::Invalid(_))));
    assert!(matches!(create(513, &options), Err(Error::Invalid(_))));
    assert!(matches!(
        create((64 << 40) + 512, &options),
        Err(Error::Invalid(_))
    ));
    let small = Options {
        journal_segment_bytes: 100,
        ..options
    };
    assert!(matches!(create(512, &small), Err(Error::Invalid(_))));

    let volume = world.volume().clone();
    let end = volume.size_bytes();
    let kind = |result: io::Result<_>| result.map(|_: Outcome| ()).unwrap_err().kind();
    assert_eq!(
        kind(volume.write(end - 512, &[0; 1024], false, Wait::Yes)),
        ErrorKind::InvalidInput
    );
    assert_eq!(
        kind(volume.read(u64::MAX, &mut [0; 2], Wait::Yes)),
        ErrorKind::InvalidInput
    );
    assert_eq!(
        volume.trim(end, 1, false).unwrap_err().kind(),
        ErrorKind::InvalidInput
    );

    volume.freeze(&tag(1)).unwrap();
    assert!(matches!(volume.freeze(&tag(1)), Err(Error::EpochExists(_))));
    (2..=5).for_each(|n| {
        volume.freeze(&tag(n)).unwrap();
    });
    assert!(matches!(
        volume.freeze(&tag(6)),
        Err(Error::TooManyEpochs { max: 5 })
    ));
    let capture = |n| volume.capture(&tag(n), &mut |_| std::ops::ControlFlow::Continue(()));
    assert!(matches!(capture(2), Err(Error::OutOfOrder { .. })));
    assert!(matches!(capture(9), Err(Error::UnknownEpoch(_))));
    assert!(matches!(
        volume.abandon(&tag(9)),
        Err(Error::UnknownEpoch(_))
    ));
    let root = capture(1).unwrap();
    volume.commit(&tag(1), &root).unwrap();
    volume.commit(&tag(1), &root).unwrap();
    assert!(matches!(
        volume.abandon(&tag(1)),
        Err(Error::UnknownEpoch(_))
    ));
    let _done = volume.write(0, &[1; 512], false, Wait::Yes).unwrap();
    volume.freeze(&tag(7)).unwrap();
    (2..=5).for_each(|n| volume.abandon(&tag(n)).unwrap());
    assert!(matches!(
        volume.commit(&tag(7), &root),
        Err(Error::NotCaptured(_))
    ));
    assert!(matches!(
        cairn_volume::freeze_all(&[(volume.clone(), tag(8)), (volume.clone(), tag(9))]),
        Err(Error::Invalid(_))
    ));
    world.volume = None;
}

#[test]
fn a_damaged_block_of_the_base_harms_nobody_else() {
    let mut world = World::new(64 << 10, true);
    for block in [0, 1, 127, 128, 255, 256] {
        world.write(block * SECTORS_PER_BLOCK + 9, 900, false);
    }
    world.freeze().unwrap();
    world.capture(u32::MAX);
    world.commit();
    world.clone_newest(false);
    world.store().seal().unwrap();
    world.crash_without_opening(Crash::LoseAll);
    let store = Path::new("/store");
    let names = world.sim.list(store).unwrap();
    let pack = names.iter().find(|name| name.ends_with(".data")).unwrap();
    let middle = world.sim.contents(store.join(pack)).len() as u64 / 2;
    world.sim.rot(store.join(pack), middle, 1);
    world.open_store();
    world.open();
    let volume = Arc::clone(world.volume());
    // Partial writes go to the journal, also where the base cannot be read.
    let first_sectors = [0, 1, 127, 128, 255, 256].map(|block| block * BLOCK);
    for offset in first_sectors {
        assert_eq!(
            volume.write(offset, &[5; 512], true, Wait::Yes).unwrap(),
            Outcome::Done
        );
    }
    world.work(100);
    assert_eq!(volume.work().unwrap(), Work::Idle);
    let mut buf = [0; 8192];
    let readable = |offset: &u64, buf: &mut [u8]| volume.read(*offset, buf, Wait::Yes).is_ok();
    let bad: Vec<_> = first_sectors
        .into_iter()
        .filter(|at| !readable(at, &mut buf))
        .collect();
    assert_eq!(bad.len(), 1, "one block is damaged");
    assert!(
        readable(&bad[0], &mut buf[..512]),
        "what was written can be read"
    );
    // Written as a whole, it needs its base no more.
    let whole = vec![6; BLOCK as usize];
    assert_eq!(
        volume.write(bad[0], &whole, true, Wait::Yes).unwrap(),
        Outcome::Done
    );
    assert!(readable(&bad[0], &mut buf));
    volume.close().unwrap();
    drop(volume);
    world.volume = None;
}

/// Writers wait for the background thread when the journal is full; without it, for ever.
#[test]
fn a_volume_whose_background_thread_panics_refuses_what_would_wait_for_it() {
    let sim = SimDisk::new();
    let mut options = Options::new("boot");
    options.journal_segment_bytes = 64 << 10;
    options.journal_cap_bytes = 128 << 10;
    let volume = threaded(&sim, options);
    // Frozen blocks go to the journal; once they are given up there is something to fold.
    let _done = volume.write(0, &[1; 4096], false, Wait::Yes).unwrap();
    volume.freeze(&tag(1)).unwrap();
    let _done = volume.write(0, &[2; 4096], false, Wait::Yes).unwrap();
    sim.inject(
        Fault::always(OpKind::Write, Errno::IO)
            .on("data")
            .by_panic(),
    );
    volume.abandon(&tag(1)).unwrap();
    let refused = (0..1000).any(|_| volume.write(0, &[3; 4096], false, Wait::Yes).is_err());
    assert!(refused, "the writes went on without a background thread");
    assert!(volume.flush().is_err());
    assert!(matches!(volume.freeze(&tag(2)), Err(Error::Failed)));
}

/// A blank volume with a thread of its own, on a simulated disk.
fn threaded(sim: &SimDisk, options: Options) -> Arc<Volume> {
    let volume = blank(Arc::new(sim.clone()), 4 * BLOCK, options);
    // So that the journal has its first segment.
    let _done = volume
        .write(3 * BLOCK, &[1; 512], false, Wait::Yes)
        .unwrap();
    volume
}

/// Waits until writes to the data file have been tried so many times.
fn wait_for_tries(sim: &SimDisk, tries: usize) {
    let mut tried = 0;
    while tried < tries {
        sim.start_trace();
        std::thread::yield_now();
        let trace = sim.take_trace();
        tried += trace
            .iter()
            .filter(|entry| entry.op == OpKind::Write && entry.path.ends_with("data"))
            .count();
    }
}

#[test]
fn a_guest_waits_for_space_and_is_not_told_of_a_full_disk() {
    let sim = SimDisk::new();
    let volume = threaded(&sim, Options::new("boot"));
    sim.set_free(0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| volume.write(BLOCK, &[7; 4096], true, Wait::Yes));
        let tried = volume.write(2 * BLOCK, &[7; 4096], false, Wait::No);
        assert_eq!(tried.unwrap(), Outcome::WouldBlock);
        wait_for_tries(&sim, 3);
        assert!(!writer.is_finished(), "it did not wait");
        sim.set_free(1 << 30);
        assert_eq!(writer.join().unwrap().unwrap(), Outcome::Done);
    });
    let mut read = [0; 4096];
    assert_eq!(
        volume.read(BLOCK, &mut read, Wait::Yes).unwrap(),
        Outcome::Done
    );
    assert_eq!(read, [7; 4096]);
}

#[test]
fn a_wait_for_space_ends_when_nobody_is_there_to_hear_of_it() {
    let sim = SimDisk::new();
    let volume = threaded(&sim, Options::new("boot"));
    sim.set_free(0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| volume.write(BLOCK, &[7; 4096], false, Wait::Yes));
        wait_for_tries(&sim, 3);
        volume.abandon_waits();
        writer.join().unwrap().unwrap_err();
        // The next one waits again.
        let writer = scope.spawn(|| volume.write(BLOCK, &[7; 4096], false, Wait::Yes));
        wait_for_tries(&sim, 3);
        sim.set_free(1 << 30);
        assert_eq!(writer.join().unwrap().unwrap(), Outcome::Done);
    });
}

#[test]
fn while_space_is_exhausted_writes_wait_and_reads_do_not() {
    let sim = SimDisk::new();
    let options = Options::new("boot");
    let pressure = Arc::clone(&options.pressure);
    let volume = threaded(&sim, options);
    assert_eq!(pressure.set(Scarcity::Exhausted), Scarcity::Ample);
    let begun = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            begun.wait();
            volume.write(0, &[7; 4096], false, Wait::Yes)
        });
        begun.wait();
        let tried = volume.write(0, &[8; 4096], false, Wait::No);
        assert_eq!(tried.unwrap(), Outcome::WouldBlock);
        let mut read = [1; 4096];
        assert_eq!(volume.read(0, &mut read, Wait::Yes).unwrap(), Outcome::Done);
        assert_eq!(read, [0; 4096], "the write did not wait");
        volume.trim(0, 4096, false).unwrap();
        assert!(!writer.is_finished());
        pressure.set(Scarcity::Low);
        assert_eq!(writer.join().unwrap().unwrap(), Outcome::Done);
        assert_eq!(volume.read(0, &mut read, Wait::Yes).unwrap(), Outcome::Done);
        assert_eq!(read, [7; 4096]);
    });
    // Slow, but not held.
    let _done = volume.write(0, &[9; 4096], false, Wait::Yes).unwrap();
}
