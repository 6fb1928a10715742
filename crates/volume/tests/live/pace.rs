//! Guests and captures share the processors.

use std::{
    collections::BTreeSet,
    ops::ControlFlow,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use cairn_blocks::{BlockStore, DomainId, FsDisk, MemoryIndex, NoKeys, Root, disk::Disk};
use cairn_testkit::{Rng, Tap};
use cairn_volume::{EpochTag, Options, Volume, VolumeSpec, Wait};

use super::harness::{BLOCK, key};

const DOMAIN: DomainId = DomainId(1);
/// What is released together: see `capture.rs`.
const BLOCKS: u64 = 64;
/// Nobody else's is lower.
const LOWEST: i32 = 19;

fn priority() -> i32 {
    rustix::process::getpriority_process(None).unwrap()
}

/// At which priorities blocks went to packs, and anything to the files of the volume.
#[derive(Debug, Default)]
struct Seen {
    packs: BTreeSet<i32>,
    volume: BTreeSet<i32>,
}

struct Place {
    _dir: tempfile::TempDir,
    store: Arc<BlockStore>,
    volume: Arc<Volume>,
    seen: Arc<Mutex<Seen>>,
}

impl Place {
    /// A volume with a small journal.
    fn new() -> Self {
        let (dir, seen) = (tempfile::tempdir().unwrap(), Arc::<Mutex<Seen>>::default());
        let (packs, told) = (dir.path().join("packs"), Arc::clone(&seen));
        let disk: Arc<dyn Disk> = Arc::new(Tap::new(Arc::new(FsDisk), {
            let packs = packs.clone();
            move |path, bytes, _| {
                let mut told = told.lock().unwrap();
                if !path.starts_with(&packs) {
                    told.volume.insert(priority());
                } else if bytes.len() as u64 > BLOCK / 2 {
                    told.packs.insert(priority());
                }
            }
        }));
        let (index, keys) = (Arc::new(MemoryIndex::new()), Arc::new(NoKeys));
        let options = cairn_blocks::Options::default();
        let store = BlockStore::open(Arc::clone(&disk), &packs, index, keys, options).unwrap();
        let store = Arc::new(store);
        let options = Options {
            journal_segment_bytes: 256 << 10,
            journal_cap_bytes: 2 << 20,
            ..Options::new("boot")
        };
        let spec = VolumeSpec {
            size_bytes: 4 * BLOCKS * BLOCK,
            domain: DOMAIN,
            base: None,
        };
        let at = dir.path().join("volume");
        cairn_volume::create(&*disk, &at, &spec, key(0).as_ref(), &options).unwrap();
        let volume = cairn_volume::open(disk, &at, Arc::clone(&store), key(0), options).unwrap();
        Self {
            _dir: dir,
            store,
            volume,
            seen,
        }
    }

    fn write(&self, offset: u64, bytes: &[u8]) {
        let _done = self.volume.write(offset, bytes, false, Wait::Yes).unwrap();
    }

    /// Fills blocks with what does not compress, and freezes them.
    fn freeze(&self, n: u64, blocks: u64) -> EpochTag {
        for block in 0..blocks {
            self.write(block * BLOCK, &noise(n, block));
        }
        let tag = EpochTag::new(format!("snap-{n}")).unwrap();
        self.volume.freeze(&tag).unwrap();
        tag
    }

    fn capture(&self, tag: &EpochTag) -> Root {
        let go_on = &mut |_| ControlFlow::Continue(());
        let root = self.volume.capture(tag, go_on).unwrap();
        self.volume.commit(tag, &root).unwrap();
        root
    }

    fn assert_holds(&self, root: &Root, n: u64, blocks: u64) {
        for block in 0..blocks {
            let digest = self.store.leaf(DOMAIN, root, block).unwrap().unwrap();
            let bytes = self.store.get(DOMAIN, &digest).unwrap();
            assert!(
                bytes[..] == noise(n, block),
                "block {block} is not as frozen"
            );
        }
    }
}

fn noise(n: u64, block: u64) -> Vec<u8> {
    let mut rng = Rng::new(n << 32 | block);
    let words = (0..BLOCK / 8).map(|_| rng.below(u64::MAX).to_le_bytes());
    words.flatten().collect()
}

#[test]
fn blocks_are_put_by_threads_that_give_way_and_released_by_one_that_does_not() {
    let (place, own) = (Place::new(), priority());
    let tag = place.freeze(1, 2 * BLOCKS);
    let root = place.capture(&tag);
    let seen = place.seen.lock().unwrap();
    assert_eq!(seen.packs, BTreeSet::from([LOWEST]));
    assert_eq!(seen.volume, BTreeSet::from([own]));
    drop(seen);
    place.assert_holds(&root, 1, 2 * BLOCKS);
}

#[test]
fn a_capture_that_writers_will_wait_for_does_not_leave_it_to_threads_that_give_way() {
    let (place, own) = (Place::new(), priority());
    // Now and then the threads that give way may have been faster.
    let helped = (1..=50).any(|n| {
        let tag = place.freeze(n, BLOCKS);
        // More than half of the journal, over blocks that cannot be folded before they are captured.
        for block in 0..BLOCKS {
            place.write(block * BLOCK, &[7; 20 << 10]);
        }
        place.assert_holds(&place.capture(&tag), n, BLOCKS);
        place.seen.lock().unwrap().packs.contains(&own)
    });
    assert!(helped);
}

/// Ends the flood also when an assertion fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_capture_under_a_flood_of_writes_ends() {
    let place = Place::new();
    let tag = place.freeze(1, 3 * BLOCKS);
    let ended = AtomicBool::new(false);
    let root = std::thread::scope(|scope| {
        let _end = End(&ended);
        for writer in 0..4 {
            let (place, ended) = (&place, &ended);
            scope.spawn(move || {
                let mut rng = Rng::new(writer);
                while !ended.load(Ordering::SeqCst) {
                    place.write(rng.below(3 * BLOCKS * BLOCK / 4096) * 4096, &[9; 4096]);
                }
            });
        }
        place.capture(&tag)
    });
    place.assert_holds(&root, 1, 3 * BLOCKS);
}
