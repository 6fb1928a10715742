//! Guests, freezes, captures and background work on one volume, in many orders.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, missing_docs)]

use std::{ops::ControlFlow, path::Path, sync::Arc};

use cairn_blocks::{BLOCK_SIZE, BlockStore, DomainId, MemoryIndex, NoKeys, Root, disk::Disk};
use cairn_schedules_std::{in_many_orders, thread};
use cairn_schedules_volume::{
    Background, EpochTag, Options, Outcome, Volume, VolumeSpec, Wait, Work, create, open,
    yielding::Yielding,
};
use cairn_testkit::{Crash, SimDisk};

const DOMAIN: DomainId = DomainId(1);
const BLOCK: u64 = BLOCK_SIZE as u64;
const SECTOR: u64 = 512;
/// Two blocks.
const SIZE: u64 = 2 * BLOCK;
/// Orders that each scheduler tries.
const ORDERS: u64 = 40;
const FAILED: &str = env!("CARGO_TARGET_TMPDIR");

/// A blank volume on a simulated disk.
#[derive(Clone)]
struct World {
    sim: SimDisk,
    store: Arc<BlockStore>,
    volume: Arc<Volume>,
}

impl World {
    fn new() -> Self {
        let sim = SimDisk::new();
        let spec = VolumeSpec {
            size_bytes: SIZE,
            domain: DOMAIN,
            base: None,
        };
        create(&sim, Path::new("/volume"), &spec, None, &options()).unwrap();
        Self::open(sim, "/store")
    }

    fn open(sim: SimDisk, store: &str) -> Self {
        // The block store is not scheduled: its calls are one step each.
        let disk: Arc<dyn Disk> = Arc::new(sim.clone());
        let index = Arc::new(MemoryIndex::new());
        let settings = cairn_blocks::Options::default();
        let store = BlockStore::open(disk, Path::new(store), index, Arc::new(NoKeys), settings);
        let store = Arc::new(store.unwrap());
        let volume = open(
            Arc::new(Yielding(sim.clone())),
            Path::new("/volume"),
            Arc::clone(&store),
            None,
            options(),
        );
        Self {
            sim,
            store,
            volume: volume.unwrap(),
        }
    }

    /// What a power loss leaves, opened again.
    fn after_power_loss(self) -> Self {
        let sim = self.sim.clone();
        sim.crash(Crash::LoseAll);
        drop(self);
        Self::open(sim, "/store-2")
    }

    fn write(&self, sector: u64, value: u8) {
        let data = [value; SECTOR as usize];
        let written = self.volume.write(sector * SECTOR, &data, false, Wait::Yes);
        assert_eq!(written.unwrap(), Outcome::Done);
    }

    fn read(&self, sector: u64) -> u8 {
        let mut buf = [0; SECTOR as usize];
        let read = self.volume.read(sector * SECTOR, &mut buf, Wait::Yes);
        assert_eq!(read.unwrap(), Outcome::Done);
        whole(&buf)
    }

    fn capture(&self, tag: &EpochTag) -> Root {
        let root = self.volume.capture(tag, &mut |_| ControlFlow::Continue(()));
        root.unwrap()
    }

    fn work_until_idle(&self) {
        while self.volume.work().unwrap() == Work::Progress {}
    }

    /// A sector of a snapshot.
    fn image(&self, root: &Root, sector: u64) -> u8 {
        let (block, within) = (sector * SECTOR / BLOCK, (sector * SECTOR % BLOCK) as usize);
        match self.store.leaf(DOMAIN, root, block).unwrap() {
            Some(digest) => {
                let bytes = self.store.get(DOMAIN, &digest).unwrap();
                whole(&bytes[within..within + SECTOR as usize])
            }
            None => 0,
        }
    }

    /// Runs something on a thread of its own.
    fn beside<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> thread::JoinHandle<T> {
        let world = self.clone();
        thread::spawn(move || act(&world))
    }
}

fn options() -> Options {
    Options {
        background: Background::Manual,
        journal_segment_bytes: 4 << 20,
        journal_cap_bytes: 16 << 20,
        ..Options::new("boot")
    }
}

fn tag(name: &str) -> EpochTag {
    EpochTag::new(name).unwrap()
}

/// The value of a sector, which is never a mixture.
fn whole(sector: &[u8]) -> u8 {
    assert!(
        sector.iter().all(|byte| *byte == sector[0]),
        "a torn sector"
    );
    sector[0]
}

/// A guest writes one sector after the other. An image with the second has the first.
#[test]
fn a_freeze_cuts_at_one_moment() {
    in_many_orders(ORDERS, FAILED, || {
        let world = World::new();
        let guest = world.beside(|world| {
            for value in 1..3 {
                world.write(0, value);
                world.write(1024, value);
            }
        });
        let freezes = world.beside(|world| {
            world.volume.freeze(&tag("first")).unwrap();
            world.volume.freeze(&tag("second")).unwrap();
        });
        guest.join().unwrap();
        freezes.join().unwrap();
        let mut before = (0, 0);
        for name in ["first", "second"] {
            let root = world.capture(&tag(name));
            let image = (world.image(&root, 0), world.image(&root, 1024));
            assert!(image.1 <= image.0 && image.0 <= image.1 + 1, "{image:?}");
            assert!(before <= image, "{name} is older: {before:?}, {image:?}");
            before = image;
            world.volume.commit(&tag(name), &root).unwrap();
        }
        world.work_until_idle();
        assert_eq!((world.read(0), world.read(1024)), (2, 2));
    });
}

/// What is captured beside a guest's writes is what was frozen, and the guest sees its own.
#[test]
fn a_capture_is_of_what_was_frozen() {
    in_many_orders(ORDERS, FAILED, || {
        let world = World::new();
        world.write(0, 1);
        world.write(1, 1);
        world.volume.freeze(&tag("snap")).unwrap();
        let guest = world.beside(|world| {
            world.write(0, 2);
            world.volume.trim(SECTOR, SECTOR, false).unwrap();
            assert_eq!((world.read(0), world.read(1)), (2, 0));
        });
        let folds = world.beside(World::work_until_idle);
        let root = world.capture(&tag("snap"));
        world.volume.commit(&tag("snap"), &root).unwrap();
        guest.join().unwrap();
        folds.join().unwrap();
        assert_eq!((world.image(&root, 0), world.image(&root, 1)), (1, 1));
        world.work_until_idle();
        assert_eq!((world.read(0), world.read(1)), (2, 0));
    });
}

/// While a block is folded and written, a reader sees no value after a newer one.
#[test]
fn a_fold_takes_nothing_back() {
    in_many_orders(ORDERS, FAILED, || {
        let world = World::new();
        world.write(0, 1);
        world.volume.freeze(&tag("snap")).unwrap();
        world.write(0, 2);
        let root = world.capture(&tag("snap"));
        world.volume.commit(&tag("snap"), &root).unwrap();
        let writer = world.beside(|world| {
            world.write(0, 3);
            world.write(0, 4);
        });
        let folds = world.beside(World::work_until_idle);
        let reader = world.beside(|world| {
            let seen = [(); 3].map(|()| world.read(0));
            assert!(seen.is_sorted() && seen[0] >= 2, "{seen:?}");
        });
        for part in [writer, folds, reader] {
            part.join().unwrap();
        }
        world.work_until_idle();
        assert_eq!(world.read(0), 4);
    });
}

/// Two guests write and flush at the same time: what a flush that has returned covers survives.
#[test]
fn a_flush_covers_what_came_before_it() {
    in_many_orders(ORDERS, FAILED, || {
        let world = World::new();
        let flushed = |sector: u64, value: u8| {
            move |world: &World| {
                let data = [value; SECTOR as usize];
                let at = sector * SECTOR;
                let written = world.volume.write(at, &data, false, Wait::Yes);
                written.and_then(|_| world.volume.flush()).is_ok()
            }
        };
        let other = world.beside(flushed(7, 2));
        assert!(flushed(0, 1)(&world));
        let world = world.after_power_loss();
        assert_eq!(world.read(0), 1, "flushed and lost");
        // It belongs to the process that died.
        drop(other.join());
    });
}

/// Group commit by itself, in many more orders.
#[test]
fn a_sync_covers_what_was_noted() {
    in_many_orders(
        100 * ORDERS,
        FAILED,
        cairn_schedules_volume::scenarios::a_sync_covers_what_was_noted,
    );
}

/// A trim and a flush at the same time; another flush, and the trim has happened for good.
#[test]
fn a_trim_survives_the_flush_after_it() {
    in_many_orders(ORDERS, FAILED, || {
        let world = World::new();
        world.write(0, 1);
        world.write(1024, 1);
        world.volume.flush().unwrap();
        let trims = world.beside(|world| world.volume.trim(0, BLOCK, false).unwrap());
        let flushes = world.beside(|world| world.volume.flush().unwrap());
        let folds = world.beside(World::work_until_idle);
        for part in [trims, flushes, folds] {
            part.join().unwrap();
        }
        world.volume.flush().unwrap();
        let world = world.after_power_loss();
        assert_eq!((world.read(0), world.read(1024)), (0, 1));
    });
}
