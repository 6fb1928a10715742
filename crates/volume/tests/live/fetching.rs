//! In which order the base is fetched, and what is remembered of that.

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex},
    thread,
};

use cairn_blocks::{
    BlockStore, DomainId, FsDisk, MemoryIndex, NoKeys,
    disk::{Disk, DiskFile, OpenMode, Space},
};
use cairn_testkit::{OpKind, SimDisk};
use cairn_volume::{Background, Base, Options, Volume, VolumeSpec, Wait, Work};

use super::harness::{BLOCK, key};

const DOMAIN: DomainId = DomainId(1);

/// A store on a disk with a base of so many blocks, each full of a number of its own; every fifth
/// is zero.
fn base(disk: &Arc<dyn Disk>, packs: &Path, blocks: u64) -> (Arc<BlockStore>, Base) {
    let options = cairn_blocks::Options {
        block_cache_bytes: 0,
        ..cairn_blocks::Options::default()
    };
    let (index, keys) = (Arc::new(MemoryIndex::new()), Arc::new(NoKeys));
    let store = BlockStore::open(Arc::clone(disk), packs, index, keys, options).unwrap();
    let put = |n: u64| (n, store.put(DOMAIN, &content(n)).unwrap().digest());
    let digests: Vec<_> = (0..blocks).map(put).collect();
    store.sync(DOMAIN).unwrap();
    let root = store.build(DOMAIN, None, blocks * BLOCK, digests).unwrap();
    (
        Arc::new(store),
        Base {
            domain: DOMAIN,
            root,
        },
    )
}

fn content(n: u64) -> Vec<u8> {
    let byte = if n.is_multiple_of(5) {
        0
    } else {
        1 + (n % 251) as u8
    };
    vec![byte; BLOCK as usize]
}

fn volume(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    (store, base): &(Arc<BlockStore>, Base),
    options: Options,
) -> Arc<Volume> {
    let spec = VolumeSpec {
        size_bytes: base.root.size_bytes,
        domain: DOMAIN,
        base: Some(*base),
    };
    cairn_volume::create(&**disk, dir, &spec, key(0).as_ref(), &options).unwrap();
    cairn_volume::open(Arc::clone(disk), dir, Arc::clone(store), key(0), options).unwrap()
}

fn by_hand(boot_set: &[u64]) -> Options {
    Options {
        background: Background::Manual,
        boot_set: boot_set.into(),
        ..Options::new("boot")
    }
}

fn read(volume: &Volume, block: u64) {
    let mut buf = [0; 4096];
    let _done = volume
        .read(block * BLOCK + 8192, &mut buf, Wait::Yes)
        .unwrap();
    assert_eq!(buf, content(block)[..4096], "block {block}");
}

fn write(volume: &Volume, block: u64, bytes: &[u8]) {
    let _done = volume
        .write(block * BLOCK, bytes, false, Wait::Yes)
        .unwrap();
}

fn work(volume: &Volume) {
    while volume.work().unwrap() == Work::Progress {}
}

/// The blocks that are written into `data` by the background work, in order.
fn fetched(sim: &SimDisk, volume: &Volume) -> Vec<u64> {
    sim.start_trace();
    work(volume);
    let trace = sim.take_trace();
    let to_data = trace
        .iter()
        .filter(|entry| entry.op == OpKind::Write && entry.path.ends_with("data"));
    to_data.map(|entry| entry.offset / BLOCK).collect()
}

#[test]
fn the_boot_set_is_fetched_first_and_in_its_order() {
    let sim = SimDisk::new();
    let disk: Arc<dyn Disk> = Arc::new(sim.clone());
    let base = base(&disk, Path::new("/packs"), 600);
    // Out of order, with repeats, with a zero block, with what does not exist, and more than a batch.
    let mut set = vec![501, 3, 77, 3, 40, 9_999, u64::MAX];
    set.extend((300..360_u64).rev().filter(|n| !n.is_multiple_of(5)));
    let volume = volume(&disk, Path::new("/v"), &base, by_hand(&set));
    let mut expected = vec![501, 3, 77];
    expected.extend((300..360_u64).rev().filter(|n| !n.is_multiple_of(5)));
    let others: Vec<_> = (0..600_u64)
        .filter(|n| !n.is_multiple_of(5) && !expected.contains(n))
        .collect();
    expected.extend(others);
    assert_eq!(fetched(&sim, &volume), expected);
    assert_eq!(volume.hydration().present_blocks, 600);
}

#[test]
fn what_a_guest_asks_for_goes_before_the_boot_set() {
    let sim = SimDisk::new();
    let disk: Arc<dyn Disk> = Arc::new(sim.clone());
    let base = base(&disk, Path::new("/packs"), 100);
    let volume = volume(&disk, Path::new("/v"), &base, by_hand(&[71, 72]));
    read(&volume, 93);
    assert_eq!(fetched(&sim, &volume)[..4], [93, 71, 72, 1]);
}

#[test]
fn what_a_guest_needs_of_its_base_is_remembered_once_and_in_order() {
    let sim = SimDisk::new();
    let disk: Arc<dyn Disk> = Arc::new(sim.clone());
    let base = base(&disk, Path::new("/packs"), 100);
    let first = volume(&disk, Path::new("/v"), &base, by_hand(&[]));
    read(&first, 42);
    write(&first, 7, &[9; 4096]);
    read(&first, 42);
    // Needs nothing of the base; nor does a zero block once that is known.
    write(&first, 8, &vec![9; BLOCK as usize]);
    read(&first, 10);
    read(&first, 3);
    work(&first);
    // All are present by now.
    read(&first, 50 + 1);
    assert_eq!(first.first_touched(), [42, 7, 3]);
    assert_eq!(first.first_touched_count(), 3);
    let again = volume(
        &disk,
        Path::new("/w"),
        &base,
        by_hand(&first.first_touched()),
    );
    assert_eq!(fetched(&sim, &again)[..3], [42, 7, 3]);
}

/// A boot set whose base cannot be read costs nothing but time.
#[test]
fn a_boot_set_that_cannot_be_read_holds_nothing_up() {
    let sim = SimDisk::new();
    let disk: Arc<dyn Disk> = Arc::new(sim.clone());
    let base = base(&disk, Path::new("/packs"), 40);
    let volume = volume(&disk, Path::new("/v"), &base, by_hand(&[33, 34]));
    let fault = cairn_testkit::Fault::nth(OpKind::Read, 1, cairn_testkit::Errno::IO);
    sim.inject(fault.on(".data"));
    let order = fetched(&sim, &volume);
    assert_eq!(order[..2], [34, 1]);
    assert!(!order.contains(&33));
    read(&volume, 33);
}

/// Readers of packs wait here, once it is shut, until they are let through one by one.
#[derive(Clone, Debug, Default)]
struct Gate(Arc<(Mutex<Queue>, Condvar)>);

#[derive(Debug, Default)]
struct Queue {
    shut: bool,
    waiting: HashSet<String>,
    passes: HashSet<String>,
    /// How often the background thread has come.
    fetches: u64,
}

impl Gate {
    fn pass(&self) {
        let name = thread::current().name().unwrap_or_default().to_owned();
        let (queue, changed) = &*self.0;
        let mut queue = queue.lock().unwrap();
        if !queue.shut {
            return;
        }
        queue.fetches += u64::from(name == "volume");
        queue.waiting.insert(name.clone());
        changed.notify_all();
        let may_go = |queue: &mut Queue| queue.shut && !queue.passes.remove(&name);
        let mut queue = changed.wait_while(queue, may_go).unwrap();
        queue.waiting.remove(&name);
    }

    fn change(&self, change: impl FnOnce(&mut Queue)) {
        change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }

    fn let_through(&self, name: &str) {
        self.change(|queue| {
            queue.passes.insert(name.to_owned());
        });
    }

    fn await_arrival_of(&self, name: &str) {
        let queue = self.0.0.lock().unwrap();
        let absent = |queue: &mut Queue| !queue.waiting.contains(name);
        drop(self.0.1.wait_while(queue, absent).unwrap());
    }

    fn fetches(&self) -> u64 {
        self.0.0.lock().unwrap().fetches
    }
}

/// The real disk, behind the gate.
#[derive(Debug)]
struct SlowDisk(Gate);

impl Disk for SlowDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let file = FsDisk.open(path, mode)?;
        let is_pack = path.to_string_lossy().contains(".data");
        Ok(if is_pack {
            Arc::new(SlowFile(file, self.0.clone()))
        } else {
            file
        })
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        FsDisk.create_dir_all(path)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        FsDisk.list(dir)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        FsDisk.remove(path)
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        FsDisk.remove_dir_all(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        FsDisk.rename(from, to)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        FsDisk.sync_dir(dir)
    }
    fn space(&self, path: &Path) -> io::Result<Space> {
        FsDisk.space(path)
    }
}

#[derive(Debug)]
struct SlowFile(Arc<dyn DiskFile>, Gate);

impl DiskFile for SlowFile {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.1.pass();
        self.0.read_exact_at(buf, offset)
    }
    fn try_read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<bool> {
        self.0.try_read_exact_at(buf, offset)
    }
    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(buf, offset)
    }
    fn write_all_at_durably(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at_durably(buf, offset)
    }
    fn punch_hole(&self, offset: u64, len: u64) -> io::Result<()> {
        self.0.punch_hole(offset, len)
    }
    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        self.0.allocate(offset, len)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        self.0.next_data(offset)
    }
    fn next_hole(&self, offset: u64) -> io::Result<u64> {
        self.0.next_hole(offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }
    fn try_lock(&self) -> io::Result<bool> {
        self.0.try_lock()
    }
}

#[test]
fn a_guest_waits_for_no_more_than_the_one_load_that_is_under_way() {
    let (dir, gate) = (tempfile::tempdir().unwrap(), Gate::default());
    let disk: Arc<dyn Disk> = Arc::new(SlowDisk(gate.clone()));
    let place = |name: &str| -> PathBuf { dir.path().join(name) };
    let base = base(&disk, &place("packs"), 64);
    base.0.seal().unwrap();
    gate.change(|queue| queue.shut = true);
    let volume = volume(&disk, &place("v"), &base, Options::new("boot"));
    gate.await_arrival_of("volume");
    let gave_way = thread::scope(|scope| {
        let guest = thread::Builder::new().name("guest".into());
        let guest = guest.spawn_scoped(scope, || read(&volume, 61)).unwrap();
        gate.await_arrival_of("guest");
        // The disk answers the one that came first, and would go on to answer it if it came again.
        gate.let_through("volume");
        let gave_way = loop {
            if volume.hydration().present_blocks > 13 {
                break true;
            }
            if gate.fetches() > 1 {
                break false;
            }
            thread::yield_now();
        };
        gate.let_through("guest");
        guest.join().unwrap();
        gave_way
    });
    // It goes on when nobody waits.
    gate.change(|queue| queue.shut = false);
    assert!(gave_way, "it fetched another block while the guest waited");
    while volume.hydration().present_blocks < 64 {
        thread::yield_now();
    }
    assert_eq!(volume.first_touched(), [61]);
}
