//! Many threads on a real file system.

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use cairn_blocks::{BLOCK_SIZE, BlockStore, DomainId, FsDisk, MemoryIndex, Root, disk::Disk};
use cairn_testkit::Rng;
use cairn_volume::{Base, EpochTag, Options, Volume, VolumeSpec, Wait, freeze_all};

use super::harness::key;

const DOMAIN: DomainId = DomainId(1);
const BLOCK: u64 = BLOCK_SIZE as u64;

struct Place {
    _dir: tempfile::TempDir,
    root: std::path::PathBuf,
    disk: Arc<dyn Disk>,
    store: Arc<BlockStore>,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_path_buf();
        let disk: Arc<dyn Disk> = Arc::new(FsDisk);
        let options = cairn_blocks::Options::default();
        let index = Arc::new(MemoryIndex::new());
        let store = BlockStore::open(
            Arc::clone(&disk),
            &root.join("store"),
            index,
            Arc::new(cairn_blocks::NoKeys),
            options,
        )
        .unwrap();
        Self {
            _dir: dir,
            root,
            disk,
            store: Arc::new(store),
        }
    }

    fn volume(&self, name: &str, size_bytes: u64, base: Option<Base>) -> Arc<Volume> {
        let dir = self.root.join(name);
        let spec = VolumeSpec {
            size_bytes,
            domain: DOMAIN,
            base,
        };
        cairn_volume::create(&*self.disk, &dir, &spec, key(0).as_ref(), &options()).unwrap();
        self.open(&dir)
    }

    fn open(&self, dir: &Path) -> Arc<Volume> {
        cairn_volume::open(
            Arc::clone(&self.disk),
            dir,
            Arc::clone(&self.store),
            key(0),
            options(),
        )
        .unwrap()
    }

    /// The number at an offset of a snapshot.
    fn number_in(&self, root: &Root, offset: u64) -> u64 {
        match self.store.leaf(DOMAIN, root, offset / BLOCK).unwrap() {
            Some(digest) => {
                let bytes = self.store.get(DOMAIN, &digest).unwrap();
                number(&bytes[(offset % BLOCK) as usize..])
            }
            None => 0,
        }
    }
}

/// A small journal, so that writers meet its end.
/// As [`options`], with next to no hydration but of what is asked for.
fn slow() -> Options {
    Options {
        hydration_rate: std::num::NonZeroU64::new(1),
        ..options()
    }
}

fn options() -> Options {
    Options {
        journal_segment_bytes: 256 << 10,
        journal_cap_bytes: 2 << 20,
        ..Options::new("boot")
    }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes[..8].try_into().unwrap())
}

fn put(volume: &Volume, offset: u64, n: u64) {
    let _done = volume
        .write(offset, &n.to_le_bytes().repeat(512), false, Wait::Yes)
        .unwrap();
}

fn get(volume: &Volume, offset: u64) -> u64 {
    let mut buf = [0; 4096];
    let _done = volume.read(offset, &mut buf, Wait::Yes).unwrap();
    let n = number(&buf);
    assert!(
        buf.chunks(8).all(|chunk| number(chunk) == n),
        "a write is torn"
    );
    n
}

fn snapshot(volume: &Volume, n: u64) -> Root {
    let tag = EpochTag::new(format!("snap-{n}")).unwrap();
    volume.freeze(&tag).unwrap();
    let root = volume
        .capture(&tag, &mut |_| ControlFlow::Continue(()))
        .unwrap();
    volume.commit(&tag, &root).unwrap();
    root
}

/// Raises the flag when dropped, so that a failed assertion does not leave threads running.
struct Finish<'a>(&'a AtomicBool);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn snapshots_under_writers_are_consistent() {
    const WRITERS: u64 = 3;
    const SIZE: u64 = 80 << 20;
    let place = Place::new();
    // Restored from a snapshot, so that blocks are hydrated meanwhile.
    let first = place.volume("first", SIZE, None);
    for block in 0..SIZE / BLOCK {
        put(&first, block * BLOCK + 8192, 7_000_000 + block);
    }
    let root = snapshot(&first, 0);
    let volume = place.volume(
        "second",
        SIZE,
        Some(Base {
            domain: DOMAIN,
            root,
        }),
    );
    let finished = AtomicBool::new(false);
    let a = |writer: u64| writer * 40 * BLOCK;
    let b = |writer: u64| writer * 40 * BLOCK + 21 * BLOCK;
    let (roots, scratch) = std::thread::scope(|scope| {
        let _finish = Finish(&finished);
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (volume, finished) = (&volume, &finished);
                scope.spawn(move || {
                    let mut rng = Rng::new(writer);
                    let mut scratch = vec![0; 32];
                    for n in 1.. {
                        put(volume, a(writer), n);
                        if n % 4 == 0 {
                            volume.flush().unwrap();
                        }
                        put(volume, b(writer), n);
                        // And elsewhere, where nobody else writes: the first pages of blocks.
                        let slot = rng.below(32);
                        let at = (writer * 40 + slot) * BLOCK + 16_384;
                        scratch[slot as usize] = n;
                        put(volume, at, n);
                        assert_eq!(get(volume, at), n);
                        if rng.one_in(50) {
                            volume.trim(at, 4096, false).unwrap();
                            scratch[slot as usize] = 0;
                            assert_eq!(get(volume, at), 0);
                        }
                        if finished.load(Ordering::SeqCst) {
                            break;
                        }
                    }
                    scratch
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            let mut rng = Rng::new(99);
            while !finished.load(Ordering::SeqCst) {
                let block = rng.below(SIZE / BLOCK);
                assert_eq!(get(&volume, block * BLOCK + 8192), 7_000_000 + block);
            }
        });
        let roots: Vec<_> = (1..=12).map(|n| snapshot(&volume, n)).collect();
        drop(_finish);
        reader.join().unwrap();
        (
            roots,
            writers
                .into_iter()
                .map(|writer| writer.join().unwrap())
                .collect::<Vec<_>>(),
        )
    });
    for root in &roots {
        for writer in 0..WRITERS {
            let (first, second) = (
                place.number_in(root, a(writer)),
                place.number_in(root, b(writer)),
            );
            assert!(
                second <= first && first <= second + 1,
                "{first} before {second}"
            );
        }
        for block in 0..SIZE / BLOCK {
            assert_eq!(
                place.number_in(root, block * BLOCK + 8192),
                7_000_000 + block
            );
        }
    }
    let last = snapshot(&volume, 100);
    let check = |volume: &Volume| {
        for (writer, slots) in scratch.iter().enumerate() {
            for (slot, n) in slots.iter().enumerate() {
                let at = (writer as u64 * 40 + slot as u64) * BLOCK + 16_384;
                assert_eq!(get(volume, at), *n);
                assert_eq!(place.number_in(&last, at), *n);
            }
        }
    };
    check(&volume);
    volume.close().unwrap();
    drop(volume);
    let volume = place.open(&place.root.join("second"));
    check(&volume);
}

#[test]
fn two_volumes_are_frozen_at_one_moment() {
    let place = Place::new();
    let volumes = [
        place.volume("one", 8 << 20, None),
        place.volume("two", 8 << 20, None),
    ];
    let finished = AtomicBool::new(false);
    let written = AtomicU64::new(0);
    let images = std::thread::scope(|scope| {
        let finish = Finish(&finished);
        scope.spawn(|| {
            for n in 1.. {
                put(&volumes[0], 0, n);
                put(&volumes[1], 0, n);
                written.store(n, Ordering::SeqCst);
                if finished.load(Ordering::SeqCst) {
                    break;
                }
            }
        });
        let mut images = Vec::new();
        for n in 0..20 {
            let tag = EpochTag::new(format!("set-{n}")).unwrap();
            let before = written.load(Ordering::SeqCst);
            // In either order: the gates are taken in one.
            let mut set = vec![
                (volumes[0].clone(), tag.clone()),
                (volumes[1].clone(), tag.clone()),
            ];
            if n % 2 == 0 {
                set.reverse();
            }
            freeze_all(&set).unwrap();
            let roots = [0, 1].map(|at: usize| {
                let volume = &volumes[at];
                let root = volume
                    .capture(&tag, &mut |_| ControlFlow::Continue(()))
                    .unwrap();
                volume.commit(&tag, &root).unwrap();
                root
            });
            images.push((before, roots));
        }
        drop(finish);
        images
    });
    for (before, [one, two]) in images {
        let (one, two) = (place.number_in(&one, 0), place.number_in(&two, 0));
        assert!(
            two <= one && one <= two + 1,
            "{one} and {two} are not of one moment"
        );
        assert!(two >= before, "an acknowledged write is missing");
    }
}

#[test]
fn hydration_ends_and_the_base_is_read_no_more() {
    const SIZE: u64 = 40 << 20;
    let place = Place::new();
    let first = place.volume("first", SIZE, None);
    (0..SIZE / BLOCK)
        .step_by(2)
        .for_each(|block| put(&first, block * BLOCK, block + 1));
    let root = snapshot(&first, 0);
    let volume = place.volume(
        "second",
        SIZE,
        Some(Base {
            domain: DOMAIN,
            root,
        }),
    );
    while volume.hydration().present_blocks < SIZE / BLOCK {
        std::thread::yield_now();
    }
    for block in 0..SIZE / BLOCK {
        let expected = if block % 2 == 0 { block + 1 } else { 0 };
        assert_eq!(get(&volume, block * BLOCK), expected);
    }
}

#[test]
fn hydration_keeps_to_its_rate_but_for_what_is_asked_for() {
    /// What is hydrated at a time.
    const BATCH: u64 = 32;
    const SIZE: u64 = 4 * BATCH * BLOCK;
    let place = Place::new();
    let first = place.volume("first", SIZE, None);
    (0..SIZE / BLOCK).for_each(|block| put(&first, block * BLOCK, block + 1));
    let (domain, root) = (DOMAIN, snapshot(&first, 0));
    let dir = place.root.join("second");
    let spec = VolumeSpec {
        size_bytes: SIZE,
        domain,
        base: Some(Base { domain, root }),
    };
    cairn_volume::create(&*place.disk, &dir, &spec, key(0).as_ref(), &slow()).unwrap();
    let (disk, store) = (Arc::clone(&place.disk), Arc::clone(&place.store));
    let volume = cairn_volume::open(disk, &dir, store, key(0), slow()).unwrap();
    let wait_for = |present| {
        while volume.hydration().present_blocks < present {
            std::thread::yield_now();
        }
    };
    wait_for(BATCH);
    // From the end: the background would come from the front.
    let mut asked = 0;
    for block in (SIZE / BLOCK - BATCH / 2..SIZE / BLOCK).rev() {
        assert_eq!(get(&volume, block * BLOCK), block + 1);
        asked += 1;
        wait_for(BATCH + asked);
    }
    assert_eq!(volume.hydration().present_blocks, BATCH + asked);
}
