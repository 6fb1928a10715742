//! The cache of blocks on disk, through the store.

use std::{
    path::Path,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use cairn_blocks::{
    BLOCK_SIZE, BlobIndex, BlockStore, DataKey, DomainId, KeyError, Keyring, MemoryIndex, NoKeys,
    Options, Secrecy, disk::Disk,
};
use cairn_testkit::{Errno, Fault, OpKind, SimDisk};

use crate::support::{DIR, HERE, block, digest, options};

/// A store with a cache on disk for so many blocks.
fn open(sim: &SimDisk, index: &Arc<MemoryIndex>, keys: Arc<dyn Keyring>, slots: u64) -> BlockStore {
    open_with(sim, index, keys, slots, options())
}

fn open_with(
    sim: &SimDisk,
    index: &Arc<MemoryIndex>,
    keys: Arc<dyn Keyring>,
    slots: u64,
    options: Options,
) -> BlockStore {
    let disk: Arc<dyn Disk> = Arc::new(sim.clone());
    let index: Arc<dyn BlobIndex> = Arc::clone(index) as _;
    BlockStore::open(disk, Path::new(DIR), index, keys, options)
        .unwrap()
        .with_slots(slots * BLOCK_SIZE as u64, &[7; 32])
}

fn fill(store: &BlockStore, blocks: usize) {
    for n in 0..blocks {
        store.put(HERE, block(n)).unwrap();
    }
    store.sync(HERE).unwrap();
}

/// How often packs of blocks were read since the trace was started.
fn pack_reads(sim: &SimDisk) -> usize {
    let trace = sim.take_trace();
    let of_pack = |path: &Path| path.to_string_lossy().contains(".data");
    trace
        .iter()
        .filter(|entry| entry.op == OpKind::Read && of_pack(&entry.path))
        .count()
}

#[test]
fn a_block_that_is_loaded_again_is_kept() {
    let (sim, index) = (SimDisk::new(), Arc::default());
    let store = open(&sim, &index, Arc::new(NoKeys), 8);
    fill(&store, 4);
    for (round, kept) in [(4, 0), (4, 4), (0, 4), (0, 4)] {
        sim.start_trace();
        for n in 0..4 {
            assert_eq!(*store.get(HERE, &digest(n)).unwrap(), *block(n));
        }
        store.settle_slots();
        assert_eq!(pack_reads(&sim), round);
        assert_eq!(store.slot_stats().written, kept);
    }
    assert_eq!(store.slot_stats().hits, 8);
}

#[test]
fn a_bad_disk_under_the_cache_fails_no_read() {
    let (sim, index) = (SimDisk::new(), Arc::default());
    let store = open(&sim, &index, Arc::new(NoKeys), 8);
    fill(&store, 4);
    for op in [OpKind::Write, OpKind::Read] {
        sim.inject(Fault::always(op, Errno::IO).on("slots"));
        for _ in 0..3 {
            for n in 0..4 {
                assert_eq!(*store.get(HERE, &digest(n)).unwrap(), *block(n));
            }
            store.settle_slots();
        }
        sim.clear_faults();
        for n in 0..4 {
            assert_eq!(*store.get(HERE, &digest(n)).unwrap(), *block(n));
        }
        store.settle_slots();
    }
    let stats = store.slot_stats();
    assert!(stats.given_up >= 4 && stats.passed_over >= 4, "{stats:?}");
}

#[test]
fn a_store_opens_without_space_for_a_cache_and_without_one() {
    let (sim, index) = (SimDisk::new(), Arc::default());
    fill(&open(&sim, &index, Arc::new(NoKeys), 2), 2);
    sim.inject(Fault::always(OpKind::Allocate, Errno::NOSPC).on("slots"));
    let store = open(&sim, &index, Arc::new(NoKeys), 2);
    assert_eq!(store.slot_stats().slots, 0);
    assert_eq!(*store.get(HERE, &digest(1)).unwrap(), *block(1));
    drop(store);
    // One that a crash has left goes also where there is to be none.
    sim.clear_faults();
    let left = sim.fork();
    std::mem::forget(open(&left, &index, Arc::new(NoKeys), 2));
    left.crash(cairn_testkit::Crash::Kill);
    let has_file = || left.list(Path::new(DIR)).unwrap().contains(&"slots".into());
    assert!(has_file());
    let store = open(&left, &index, Arc::new(NoKeys), 0);
    assert!(!has_file());
    assert_eq!(*store.get(HERE, &digest(1)).unwrap(), *block(1));
}

/// Holds whoever loads a block until all readers have asked for it.
#[derive(Debug)]
struct Together(Barrier, AtomicUsize);

impl Keyring for Together {
    fn secrecy(&self, _: DomainId) -> Result<Secrecy, KeyError> {
        while self.1.load(Ordering::SeqCst) < READERS {
            std::thread::yield_now();
        }
        Ok(Secrecy::Plain)
    }

    fn salt(&self) -> [u8; 16] {
        [0; 16]
    }
}

const READERS: usize = 16;

/// From the memory's single flight down to the pack, which is read for one of them.
#[test]
fn many_readers_of_one_block_read_its_pack_once() {
    let (sim, index) = (SimDisk::new(), Arc::default());
    let settings = Options {
        block_cache_bytes: 4 << 20,
        ..options()
    };
    let asked = Arc::new(Together(Barrier::new(READERS), AtomicUsize::new(READERS)));
    let store = open_with(&sim, &index, Arc::clone(&asked) as _, 8, settings);
    fill(&store, 3);
    for n in 0..3 {
        asked.1.store(0, Ordering::SeqCst);
        sim.start_trace();
        std::thread::scope(|scope| {
            for _ in 0..READERS {
                scope.spawn(|| {
                    asked.0.wait();
                    asked.1.fetch_add(1, Ordering::SeqCst);
                    assert_eq!(*store.get(HERE, &digest(n)).unwrap(), *block(n));
                });
            }
        });
        assert_eq!(pack_reads(&sim), 1);
    }
    assert_eq!(store.slot_stats().misses, 3);
}

/// One domain, whose key goes.
#[derive(Debug, Default)]
struct OneKey {
    erased: AtomicBool,
}

impl Keyring for OneKey {
    fn secrecy(&self, _: DomainId) -> Result<Secrecy, KeyError> {
        let key = || DataKey::new(zeroize::Zeroizing::new([3; 32]));
        Ok(match self.erased.load(Ordering::SeqCst) {
            true => Secrecy::Erased,
            false => Secrecy::Sealed(key()),
        })
    }

    fn salt(&self) -> [u8; 16] {
        [9; 16]
    }
}

#[test]
fn nothing_is_found_of_a_domain_whose_key_is_gone() {
    let (sim, index) = (SimDisk::new(), Arc::default());
    let keys = Arc::new(OneKey::default());
    let store = open(&sim, &index, Arc::clone(&keys) as _, 4);
    fill(&store, 1);
    let get = || store.get(HERE, &digest(0)).map(drop);
    for _ in 0..2 {
        get().unwrap();
        store.settle_slots();
    }
    get().unwrap();
    assert_eq!(store.slot_stats().hits, 1);
    keys.erased.store(true, Ordering::SeqCst);
    // What the packs say of it is not the cache's business.
    drop(get());
    let stats = store.slot_stats();
    assert_eq!((stats.hits, stats.misses), (1, 2));
}
