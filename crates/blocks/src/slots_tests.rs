//! What a bad disk does is tried through the store: see `tests/engine/slots.rs`.

use std::{
    collections::BTreeMap,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    sync::Barrier,
};

use cairn_testkit::Rng;
use tempfile::TempDir;

use super::*;
use crate::FsDisk;

const HERE: DomainId = DomainId(1);
const THERE: DomainId = DomainId(2);

/// A cache in a directory of its own.
struct Bench {
    slots: Slots,
    dir: TempDir,
}

impl Bench {
    fn new(capacity: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let slots = open(dir.path(), capacity, 1);
        Self { slots, dir }
    }

    /// Keeps a block, and waits until it is there.
    fn keep(&self, domain: DomainId, n: u8) {
        self.slots.keep(domain, &digest(n), &block(n));
        self.slots.settle();
    }

    fn has(&self, domain: DomainId, n: u8) -> bool {
        let found = self.slots.find(domain, &digest(n));
        assert!(found.as_ref().is_none_or(|found| *found == block(n)));
        found.is_some()
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join(FILE_NAME)
    }

    /// Changes a byte behind the cache's back.
    fn rot(&self, slot: u64, at: u64) {
        let mut options = std::fs::File::options();
        let file = options.read(true).write(true).open(self.path()).unwrap();
        let (at, mut byte) = (slot * SLOT_BYTES + at, [0]);
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
    }

    /// The bytes of a slot.
    fn sealed(&self, slot: usize) -> Vec<u8> {
        let bytes = std::fs::read(self.path()).unwrap();
        bytes[slot * BLOCK_SIZE..(slot + 1) * BLOCK_SIZE].to_vec()
    }

    /// Bytes that are allocated.
    fn used(&self) -> u64 {
        std::fs::metadata(self.path()).unwrap().blocks() * 512
    }
}

fn open(dir: &Path, capacity: u64, key: u8) -> Slots {
    let disk: Arc<dyn Disk> = Arc::new(FsDisk);
    Slots::open(&disk, dir, capacity * SLOT_BYTES, &[key; KEY_LEN]).unwrap()
}

fn digest(n: u8) -> Digest {
    Digest([n; 32])
}

fn block(n: u8) -> Arc<[u8]> {
    std::iter::repeat_n(n, BLOCK_SIZE).collect()
}

#[test]
fn what_is_kept_is_found_by_its_domain_and_digest_alone() {
    let bench = Bench::new(4);
    assert!(!bench.has(HERE, 1));
    bench.keep(HERE, 1);
    assert!(bench.has(HERE, 1));
    assert!(!bench.has(THERE, 1) && !bench.has(HERE, 2));
    let stats = bench.slots.stats();
    assert_eq!((stats.hits, stats.misses, stats.written), (1, 3, 1));
}

/// Random keeps and finds, with damage in between, against what was kept.
#[test]
fn no_wrong_block_is_ever_found() {
    for seed in 0..4 {
        let (bench, mut rng) = (Bench::new(5), Rng::new(seed));
        let mut kept: BTreeMap<(i64, u8), bool> = BTreeMap::new();
        let mut damage = 0;
        for _ in 0..150 {
            let (domain, n) = (
                DomainId(1 + (rng.next_u64() % 2).cast_signed()),
                (rng.next_u64() % 7) as u8,
            );
            match rng.next_u64() % 10 {
                0..5 => {
                    bench.keep(domain, n);
                    kept.insert((domain.0, n), true);
                }
                5..9 => {
                    let found = bench.has(domain, n);
                    assert!(!found || kept.contains_key(&(domain.0, n)), "never kept");
                }
                _ if bench.slots.stats().written >= 5 && damage < 4 => {
                    bench.rot(rng.next_u64() % 5, rng.next_u64() % SLOT_BYTES);
                    damage += 1;
                }
                _ => {}
            }
        }
        let stats = bench.slots.stats();
        assert!(stats.hits > 10 && stats.written > 20, "{stats:?}");
        assert!(stats.given_up <= damage, "{stats:?}");
    }
}

#[test]
fn a_slot_that_was_changed_is_a_miss_and_not_used_again() {
    let bench = Bench::new(2);
    bench.keep(HERE, 1);
    bench.keep(HERE, 2);
    bench.rot(0, 4711);
    assert!(!bench.has(HERE, 1) && bench.has(HERE, 2));
    assert_eq!(bench.slots.stats().given_up, 1);
    // The one that is left serves in turn.
    bench.keep(HERE, 1);
    assert!(bench.has(HERE, 1) && !bench.has(HERE, 2));
    assert_eq!(bench.slots.stats().given_up, 1);
}

#[test]
fn what_was_asked_for_again_stays_while_the_rest_passes_through() {
    let bench = Bench::new(3);
    bench.keep(HERE, 0);
    for n in 1..20 {
        assert!(bench.has(HERE, 0), "before {n}");
        bench.keep(HERE, n);
    }
    assert!(bench.has(HERE, 0));
}

#[test]
fn what_another_process_left_is_never_read() {
    let mut bench = Bench::new(4);
    bench.keep(HERE, 1);
    let before = bench.sealed(0);
    // Killed, it removes nothing.
    let left = bench.dir.path().join("left");
    std::fs::copy(bench.path(), &left).unwrap();
    drop(bench.slots);
    std::fs::rename(&left, bench.dir.path().join(FILE_NAME)).unwrap();
    bench.slots = open(bench.dir.path(), 4, 2);
    assert!(!bench.has(HERE, 1));
    // Not even if the old bytes were there still: another key has other bytes.
    bench.keep(HERE, 1);
    assert_ne!(before, bench.sealed(0));
    assert!(bench.has(HERE, 1));
}

#[test]
fn the_file_goes_with_the_cache() {
    let Bench { slots, dir } = Bench::new(1);
    drop(slots);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn the_file_tells_nothing_and_no_nonce_comes_twice() {
    let bench = Bench::new(1);
    let mut seen = Vec::new();
    // The same block again and again in the same slot.
    for n in [1, 2, 1, 2, 1] {
        bench.keep(HERE, n);
        let sealed = bench.sealed(0);
        assert!(!sealed.windows(16).any(|run| run == [n; 16]));
        // Under one nonce equal blocks would be equal, and others differ by what they differ.
        for other in &seen {
            assert_ne!(&sealed, other);
            let xor = |at: usize| sealed[at] ^ Vec::<u8>::as_slice(other)[at];
            assert!((1..1000).any(|at| xor(at) != xor(0)));
        }
        seen.push(sealed);
    }
}

#[test]
fn a_slot_opens_as_the_block_that_it_holds_alone() {
    let bench = Bench::new(1);
    bench.keep(HERE, 1);
    let holding = bench.slots.table.lock().find(&(HERE, digest(1))).unwrap();
    assert!(bench.slots.table.read(&holding).ok().is_some());
    for key in [(THERE, digest(1)), (HERE, digest(2))] {
        let other = Holding { key, ..holding };
        assert!(bench.slots.table.read(&other).ok().is_none());
    }
}

#[test]
fn a_reader_that_is_overtaken_by_a_writer_has_a_miss() {
    let bench = Bench::new(2);
    let together = Barrier::new(4);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (bench, together) = (&bench, &together);
            scope.spawn(move || {
                let mut rng = Rng::new(thread);
                together.wait();
                for _ in 0..100 {
                    let n = (rng.next_u64() % 5) as u8;
                    if !bench.has(HERE, n) {
                        bench.keep(HERE, n);
                    }
                }
            });
        }
    });
    let stats = bench.slots.stats();
    assert_eq!(stats.given_up, 0, "{stats:?}");
    assert!(stats.hits > 0 && stats.written > 10, "{stats:?}");
}

/// The reader has looked up where a block lies when the slot is given to another one.
#[test]
fn what_is_read_from_a_slot_after_it_changed_hands_is_nobodys_fault() {
    let bench = Bench::new(1);
    bench.keep(HERE, 1);
    let before = bench.slots.table.lock().find(&(HERE, digest(1))).unwrap();
    // Once to pass it by, as it was asked for.
    bench.keep(HERE, 2);
    assert!(bench.slots.table.read(&before).ok().is_none());
    assert!(!bench.slots.table.lock().give_up(&before));
    assert!(bench.has(HERE, 2));
}

#[test]
fn space_that_was_given_back_is_not_taken_again() {
    let bench = Bench::new(4);
    bench.keep(HERE, 1);
    let claimed = bench.slots.table.lock().claim(&(HERE, digest(2)));
    assert!(bench.used() >= 4 * SLOT_BYTES);
    bench.slots.give_back().unwrap();
    assert!(bench.used() < SLOT_BYTES);
    assert!(!bench.has(HERE, 1));
    bench.keep(HERE, 1);
    assert!(!bench.has(HERE, 1) && bench.used() < SLOT_BYTES);
    // Nor by a writer that had begun.
    assert!(!bench.slots.table.lock().fill(claimed.unwrap().0, None));
}
