//! A volume on a simulated disk, and a model of what it must hold.
//!
//! The model knows of each sector which values it may have after which crash, and of each
//! snapshot the exact bytes. A sector's value is a stamp, repeated through its 512 bytes; 0 is a
//! sector of zeros.

use std::{
    collections::BTreeMap,
    io,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use cairn_blocks::{
    BLOCK_SIZE, BlobIndex, BlockStore, DataKey, DomainId, MemoryIndex, NoKeys, Root,
    collect::Rules, disk::Disk,
};
use cairn_testkit::{Crash, SimDisk};
use cairn_volume::{
    Background, Base, EpochTag, Error, Options, Outcome, Volume, VolumeSpec, Wait, WhenFull, Work,
};

use zeroize::Zeroizing;

use super::witness::Witness;

pub(crate) const SECTOR: u64 = 512;
pub(crate) const BLOCK: u64 = BLOCK_SIZE as u64;
pub(crate) const SECTORS_PER_BLOCK: u64 = BLOCK / SECTOR;

/// The blocks that tests touch: at the borders of regions (128 blocks) and of leaves (256), with a
/// partial one at the end.
pub(crate) const HOT: [u64; 7] = [0, 1, 127, 128, 255, 256, 257];
/// Bytes of the partial block.
const PARTIAL: u64 = 64 * 1024;
pub(crate) const SIZE: u64 = 257 * BLOCK + PARTIAL;

pub(crate) type Stamp = u32;

/// The key of a volume: there is one if this suite's volumes are sealed.
pub(crate) fn key(volume: u32) -> Option<DataKey> {
    super::sealed().then(|| some_key(volume))
}

pub(crate) fn some_key(volume: u32) -> DataKey {
    DataKey::new(Zeroizing::new([volume as u8 + 1; 32]))
}

/// A blank volume with a store of its own, which is open.
pub(crate) fn blank(disk: Arc<dyn Disk>, size_bytes: u64, options: Options) -> Arc<Volume> {
    let dir = Path::new("/volume");
    let spec = VolumeSpec {
        size_bytes,
        domain: DomainId(1),
        base: None,
    };
    let (index, keys) = (Arc::new(MemoryIndex::new()), Arc::new(NoKeys));
    let settings = cairn_blocks::Options::default();
    let store = BlockStore::open(
        Arc::clone(&disk),
        Path::new("/packs"),
        index,
        keys,
        settings,
    );
    cairn_volume::create(&*disk, dir, &spec, key(0).as_ref(), &options).unwrap();
    cairn_volume::open(disk, dir, Arc::new(store.unwrap()), key(0), options).unwrap()
}

pub(crate) fn tag(n: u32) -> EpochTag {
    EpochTag::new(format!("snap-{n}")).unwrap()
}

/// The content of a sector.
pub(crate) fn sector_bytes(stamp: Stamp) -> [u8; 512] {
    let mut bytes = [0; 512];
    bytes[..4].copy_from_slice(&stamp.to_le_bytes());
    for len in [4, 8, 16, 32, 64, 128, 256] {
        bytes.copy_within(..len, len);
    }
    bytes
}

/// The stamp of a sector; fails if the sector is torn, which no disk does.
fn stamp_of(sector: &[u8]) -> Stamp {
    assert!(sector[4..] == sector[..508], "a sector holds a mixture");
    Stamp::from_le_bytes(sector[..4].try_into().unwrap())
}

/// What one sector may hold.
#[derive(Clone, Debug, Default)]
struct Cell {
    /// As of the last flush.
    flushed: Stamp,
    /// Acknowledged since, oldest first.
    since: Vec<Stamp>,
    /// Asked for and not acknowledged.
    maybe: Vec<Stamp>,
    /// Asked for by a process that died, and not what is read; a power loss may bring it up.
    lingering: Vec<Stamp>,
}

impl Cell {
    fn current(&self) -> Stamp {
        self.since.last().copied().unwrap_or(self.flushed)
    }

    fn allows(&self, stamp: Stamp, crash: Option<Crash>) -> bool {
        match crash {
            None => stamp == self.current(),
            Some(Crash::Kill) => stamp == self.current() || self.maybe.contains(&stamp),
            Some(Crash::PowerLoss(_) | Crash::LoseAll) => {
                stamp == self.flushed
                    || [&self.since, &self.maybe, &self.lingering]
                        .iter()
                        .any(|list| list.contains(&stamp))
            }
        }
    }
}

/// The hot sectors of a volume, by their number.
type Image = BTreeMap<u64, Stamp>;

/// What became of a freeze, as far as its owner knows.
#[derive(Clone, Debug, PartialEq)]
enum Fate {
    Pending,
    Captured(Root),
    Committed(Root),
    Abandoned,
}

#[derive(Clone, Debug)]
struct Snapshot {
    image: Image,
    size: u64,
    fate: Fate,
    /// The metadata does not name it any more.
    deleted: bool,
}

impl Snapshot {
    fn new(image: Image, size: u64, fate: Fate) -> Self {
        Self {
            image,
            size,
            fate,
            deleted: false,
        }
    }

    /// The content that the metadata names.
    fn root(&self) -> Option<Root> {
        match self.fate {
            Fate::Captured(root) | Fate::Committed(root) if !self.deleted => Some(root),
            _ => None,
        }
    }
}

/// The world: disk, store, volume, model.
pub(crate) struct World {
    pub(crate) sim: SimDisk,
    pub(crate) witness: Witness,
    index: Arc<MemoryIndex>,
    store: Option<Arc<BlockStore>>,
    pub(crate) volume: Option<Arc<Volume>>,
    volumes: u32,
    boot: u32,
    pub(crate) domain: DomainId,
    size: u64,
    cells: BTreeMap<u64, Cell>,
    /// By tag number, in the order of the freezes.
    snapshots: BTreeMap<u32, Snapshot>,
    next_tag: u32,
    /// The epoch whose commit or abandon was cut off, or that of a freeze.
    pub(crate) ending: Option<u32>,
    next_stamp: Stamp,
    hydrate: bool,
    segment: u64,
    /// Garbage was collected, or may be.
    pub(crate) collects: bool,
}

impl World {
    pub(crate) fn new(segment: u64, hydrate: bool) -> Self {
        let sim = SimDisk::new();
        let mut world = Self {
            witness: Witness::new(sim.clone()),
            sim,
            index: Arc::new(MemoryIndex::new()),
            store: None,
            volume: None,
            volumes: 0,
            boot: 0,
            domain: DomainId(1),
            size: SIZE,
            cells: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            next_tag: 1,
            ending: None,
            next_stamp: 1,
            hydrate,
            segment,
            collects: false,
        };
        world.open_store();
        world.reset_cells(&Image::new());
        world.create(None);
        world.open();
        world
    }

    /// Another world in the same state, with nothing open.
    pub(crate) fn fork(&self) -> Self {
        let index = MemoryIndex::new();
        for (domain, id, location) in self.index.entries() {
            index.insert(domain, &[(id, location)]).unwrap();
        }
        let last = self.index.allocate_pack().unwrap();
        while index.allocate_pack().unwrap() < last {}
        let sim = self.sim.fork();
        Self {
            witness: self.witness.fork(sim.clone()),
            sim,
            index: Arc::new(index),
            store: None,
            volume: None,
            cells: self.cells.clone(),
            snapshots: self.snapshots.clone(),
            ..*self
        }
    }

    /// Does what the owner does after a crash, if the volume opens at all.
    pub(crate) fn try_recover(&mut self, crash: Crash) -> Result<(), Error> {
        self.open_store();
        self.volume = Some(self.try_open()?);
        self.check_after(Some(crash));
        self.end_epochs();
        Ok(())
    }

    fn reset_cells(&mut self, image: &Image) {
        self.cells = hot_sectors()
            .map(|sector| {
                let flushed = image.get(&sector).copied().unwrap_or(0);
                (
                    sector,
                    Cell {
                        flushed,
                        ..Cell::default()
                    },
                )
            })
            .collect();
    }

    pub(crate) fn dir(&self) -> PathBuf {
        PathBuf::from(format!("/volumes/{}", self.volumes))
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            journal_segment_bytes: self.segment,
            journal_cap_bytes: 64 * self.segment.max(64 << 10),
            background: Background::Manual,
            hydrate: self.hydrate,
            when_full: WhenFull::Refuse,
            ..Options::new(format!("boot-{}", self.boot))
        }
    }

    fn create(&self, base: Option<Base>) {
        let spec = VolumeSpec {
            size_bytes: self.size,
            domain: self.domain,
            base,
        };
        let (key, options) = (key(self.volumes), self.options());
        cairn_volume::create(
            &self.witness.disk(),
            &self.dir(),
            &spec,
            key.as_ref(),
            &options,
        )
        .unwrap();
    }

    pub(crate) fn open_store(&mut self) {
        let index: Arc<dyn BlobIndex> = self.index.clone();
        let mut options = cairn_blocks::Options::default();
        if self.collects {
            // Nothing in memory hides what is not on the disk.
            options.block_cache_bytes = 0;
            options.node_cache_bytes = 0;
        }
        let store = BlockStore::open(
            Arc::new(self.sim.clone()),
            "/store".as_ref(),
            index,
            Arc::new(NoKeys),
            options,
        );
        self.store = Some(Arc::new(store.unwrap()));
    }

    pub(crate) fn store(&self) -> &Arc<BlockStore> {
        self.store.as_ref().unwrap()
    }

    pub(crate) fn try_open(&mut self) -> Result<Arc<Volume>, Error> {
        self.try_open_with(key(self.volumes))
    }

    pub(crate) fn try_open_with(&mut self, key: Option<DataKey>) -> Result<Arc<Volume>, Error> {
        let disk: Arc<dyn Disk> = Arc::new(self.witness.disk());
        cairn_volume::open(
            disk,
            &self.dir(),
            Arc::clone(self.store()),
            key,
            self.options(),
        )
    }

    pub(crate) fn open(&mut self) {
        self.volume = Some(self.try_open().unwrap());
    }

    pub(crate) fn volume(&self) -> &Arc<Volume> {
        self.volume.as_ref().unwrap()
    }

    fn stamp(&mut self) -> Stamp {
        self.next_stamp += 1;
        self.next_stamp
    }

    // What guests do.

    pub(crate) fn write(&mut self, sector: u64, count: u64, fua: bool) {
        let stamp = self.stamp();
        let data: Vec<u8> = (0..count).flat_map(|_| sector_bytes(stamp)).collect();
        let wait = if stamp.is_multiple_of(3) {
            Wait::No
        } else {
            Wait::Yes
        };
        let mut result = self.volume().write(sector * SECTOR, &data, fua, wait);
        if matches!(result, Ok(Outcome::WouldBlock)) {
            result = self.volume().write(sector * SECTOR, &data, fua, Wait::Yes);
        }
        self.wrote(sector, count, stamp, fua, result.map(|_| ()));
    }

    pub(crate) fn trim(&mut self, sector: u64, count: u64, fua: bool) {
        let result = self.volume().trim(sector * SECTOR, count * SECTOR, fua);
        self.wrote(sector, count, 0, fua, result);
    }

    pub(crate) fn zero(&mut self, sector: u64, count: u64, no_hole: bool, fua: bool) {
        let result = self
            .volume()
            .write_zeroes(sector * SECTOR, count * SECTOR, no_hole, fua);
        self.wrote(sector, count, 0, fua, result);
    }

    /// Notes a write in the model.
    fn wrote(&mut self, sector: u64, count: u64, stamp: Stamp, fua: bool, result: io::Result<()>) {
        let done = result.is_ok();
        for cell in self
            .cells
            .range_mut(sector..sector + count)
            .map(|(_, cell)| cell)
        {
            match (done, fua) {
                (true, true) => {
                    *cell = Cell {
                        flushed: stamp,
                        ..Cell::default()
                    }
                }
                (true, false) => cell.since.push(stamp),
                (false, _) => cell.maybe.push(stamp),
            }
        }
        if let Err(error) = result
            && !self.sim.is_dead()
        {
            let expected = [io::ErrorKind::ResourceBusy, io::ErrorKind::StorageFull];
            assert!(expected.contains(&error.kind()), "{error:?}");
            self.settle_maybe();
        }
    }

    /// After a failure that is no crash: what the sectors hold is what they hold.
    fn settle_maybe(&mut self) {
        let image = self.read_all();
        for (sector, cell) in &mut self.cells {
            let now = image[sector];
            assert!(
                now == cell.current() || cell.maybe.contains(&now),
                "sector {sector}"
            );
            if now != cell.current() {
                cell.since.push(now);
            }
            cell.lingering.append(&mut cell.maybe);
        }
    }

    pub(crate) fn flush(&mut self) {
        if self.volume().flush().is_ok() {
            self.all_flushed();
        } else {
            assert!(self.sim.is_dead());
        }
    }

    fn all_flushed(&mut self) {
        for cell in self.cells.values_mut() {
            *cell = Cell {
                flushed: cell.current(),
                ..Cell::default()
            };
        }
    }

    pub(crate) fn work(&mut self, steps: u32) {
        for _ in 0..steps {
            match self.volume().work() {
                Ok(Work::Progress) => {}
                Ok(Work::Idle) => return,
                Err(error) => return assert!(self.sim.is_dead(), "{error:?}"),
            }
        }
    }

    // Snapshots.

    pub(crate) fn freeze(&mut self) -> Option<u32> {
        let n = self.next_tag;
        self.next_tag += 1;
        let image = self.current_image();
        match self.volume().freeze(&tag(n)) {
            Ok(_) => {
                self.all_flushed();
                self.snapshots
                    .insert(n, Snapshot::new(image, self.size, Fate::Pending));
                Some(n)
            }
            Err(Error::TooManyEpochs { .. }) => None,
            Err(error) => {
                assert!(self.sim.is_dead(), "{error:?}");
                self.snapshots
                    .insert(n, Snapshot::new(image, self.size, Fate::Abandoned));
                self.ending = Some(n);
                None
            }
        }
    }

    fn oldest_pending(&self) -> Option<u32> {
        let open = |snapshot: &Snapshot| matches!(snapshot.fate, Fate::Pending | Fate::Captured(_));
        self.snapshots
            .iter()
            .find(|(_, snapshot)| open(snapshot))
            .map(|(n, _)| *n)
    }

    /// Captures the oldest pending epoch; stops after `limit` reports of progress.
    pub(crate) fn capture(&mut self, limit: u32) {
        let Some(n) = self.oldest_pending() else {
            return;
        };
        let mut left = limit;
        let result = self.volume().capture(&tag(n), &mut |_| {
            left = left.saturating_sub(1);
            if left == 0 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        match result {
            Ok(root) => self.captured(n, root),
            Err(Error::Cancelled) => {}
            Err(error) => assert!(self.sim.is_dead(), "{error:?}"),
        }
    }

    fn captured(&mut self, n: u32, root: Root) {
        let snapshot = self.snapshots.get_mut(&n).unwrap();
        if let Fate::Captured(before) = &snapshot.fate {
            assert_eq!(*before, root, "a repeated capture has another root");
        }
        snapshot.fate = Fate::Captured(root);
        self.check_snapshot(n, &root);
    }

    /// Commits the oldest epoch if it is captured.
    pub(crate) fn commit(&mut self) {
        let Some(n) = self.oldest_pending() else {
            return;
        };
        let Fate::Captured(root) = self.snapshots[&n].fate else {
            return;
        };
        self.ending = Some(n);
        match self.volume().commit(&tag(n), &root) {
            Ok(()) => {
                self.snapshots.get_mut(&n).unwrap().fate = Fate::Committed(root);
                self.ending = None;
            }
            Err(error) => assert!(self.sim.is_dead(), "{error:?}"),
        }
    }

    /// Abandons the `nth` pending epoch.
    pub(crate) fn abandon(&mut self, nth: usize) {
        let open: Vec<_> = self
            .snapshots
            .iter()
            .filter(|(_, snapshot)| matches!(snapshot.fate, Fate::Pending | Fate::Captured(_)))
            .map(|(n, _)| *n)
            .collect();
        let Some(n) = open.get(nth % open.len().max(1)) else {
            return;
        };
        match self.volume().abandon(&tag(*n)) {
            Ok(()) => self.snapshots.get_mut(n).unwrap().fate = Fate::Abandoned,
            Err(error) => {
                assert!(self.sim.is_dead(), "{error:?}");
                self.ending = Some(*n);
            }
        }
    }

    /// A new volume from the newest committed snapshot, in place of the one there is; in another
    /// domain if `foreign`.
    pub(crate) fn clone_newest(&mut self, foreign: bool) {
        let newest = self
            .snapshots
            .values()
            .rev()
            .find_map(|snapshot| match snapshot.fate {
                Fate::Committed(root) if !snapshot.deleted => {
                    Some((snapshot.image.clone(), root, snapshot.size))
                }
                _ => None,
            });
        let Some((image, root, size)) = newest else {
            return;
        };
        let base = Base {
            domain: self.domain,
            root,
        };
        self.volume = None;
        cairn_volume::remove(&self.sim, &self.dir()).unwrap();
        assert!(matches!(self.try_open(), Err(Error::NotFound)));
        self.volumes += 1;
        self.snapshots.clear();
        self.size = size;
        if foreign {
            self.domain = DomainId(self.domain.0 + 1);
        }
        self.create(Some(base));
        self.reset_cells(&image);
        self.open();
    }

    // Garbage collection.

    /// Deletes the `nth` snapshot that was committed.
    pub(crate) fn delete(&mut self, nth: usize) {
        let mut committed: Vec<_> = self
            .snapshots
            .values_mut()
            .filter(|snapshot| matches!(snapshot.fate, Fate::Committed(_)))
            .collect();
        let count = committed.len().max(1);
        if let Some(snapshot) = committed.get_mut(nth % count) {
            snapshot.deleted = true;
        }
    }

    /// Removes everything from the store that neither the volume nor a snapshot needs.
    pub(crate) fn collect(&mut self) {
        self.collects = true;
        for now in 0..2 {
            if let Err(error) = self.collect_once(now) {
                return assert!(self.sim.is_dead(), "{error:?}");
            }
        }
        assert_eq!(self.index.alarms().unwrap(), []);
    }

    fn collect_once(&self, now: i64) -> Result<(), Error> {
        let mut collection = self.store().begin_collection()?;
        let claims = self.volume().claims()?;
        if let Some(base) = claims.base {
            collection.mark_root(base.domain, &base.root)?;
        }
        collection.mark_blocks(claims.domain, &claims.released)?;
        for root in self.snapshots.values().filter_map(Snapshot::root) {
            collection.mark_root(self.domain, &root)?;
        }
        let rules = Rules {
            domains: (1..=self.domain.0).map(DomainId).collect(),
            now,
            grace: Duration::ZERO,
            repack_below_percent: 100,
        };
        collection.plan(rules)?.carry_out()?;
        Ok(())
    }

    pub(crate) fn grow(&mut self, bytes: u64) {
        let size = self.size + bytes;
        match self.volume().grow(size) {
            Ok(()) => self.size = size,
            Err(error) => {
                assert!(self.sim.is_dead(), "{error:?}");
            }
        }
    }

    // Crashes.

    /// Ends the process and opens the volume again.
    pub(crate) fn crash(&mut self, crash: Crash) {
        self.crash_without_opening(crash);
        self.recover(Some(crash));
    }

    pub(crate) fn crash_without_opening(&mut self, crash: Crash) {
        self.sim.crash(crash);
        self.volume = None;
        self.store = None;
        if crash != Crash::Kill {
            self.boot += 1;
        }
    }

    /// Opens everything, and does what the owner of a volume does.
    pub(crate) fn recover(&mut self, crash: Option<Crash>) {
        self.open_store();
        self.open();
        // A grow that was cut off may have been done.
        self.size = self.volume().size_bytes();
        self.check_after(crash);
        self.end_epochs();
    }

    pub(crate) fn close_and_open(&mut self) {
        let closed = self.volume().close();
        assert!(closed.is_ok() || self.sim.is_dead(), "{closed:?}");
        if closed.is_ok() {
            self.volume().read(0, &mut [0; 512], Wait::Yes).unwrap_err();
            self.all_flushed();
            self.volume = None;
            self.volume = self.try_open().ok();
            assert!(self.volume.is_some() || self.sim.is_dead());
        }
    }

    /// Compares what the volume holds with what it may hold, and takes it from there.
    fn check_after(&mut self, crash: Option<Crash>) {
        let image = self.read_all();
        let lost_power = crash.is_some_and(|crash| crash != Crash::Kill);
        for (sector, cell) in &mut self.cells {
            let now = image[sector];
            assert!(
                cell.allows(now, crash),
                "sector {sector} is {now} after {crash:?}: {cell:?}"
            );
            if lost_power {
                *cell = Cell {
                    flushed: now,
                    ..Cell::default()
                };
            } else {
                if now != cell.current() {
                    cell.since.push(now);
                }
                cell.lingering.append(&mut cell.maybe);
            }
        }
    }

    /// The owner of a volume compares its epochs with the metadata.
    fn end_epochs(&mut self) {
        let pending = self.volume().pending_epochs();
        for epoch in &pending {
            let n: u32 = epoch.as_str()["snap-".len()..].parse().unwrap();
            let deleted = self.snapshots[&n].deleted;
            match self.snapshots[&n].fate {
                Fate::Pending | Fate::Captured(_) => {}
                Fate::Committed(_) if deleted => {
                    self.volume().abandon(epoch).unwrap();
                    self.snapshots.get_mut(&n).unwrap().fate = Fate::Abandoned;
                }
                // A commit is durable with the next sync; the metadata knows of it before.
                Fate::Committed(root) => self.volume().commit(epoch, &root).unwrap(),
                Fate::Abandoned => {
                    assert_eq!(self.ending, Some(n), "epoch {n} was abandoned, and is back");
                    self.volume().abandon(epoch).unwrap();
                }
            }
        }
        self.adopt_ends(&pending);
    }

    /// A commit or an abandon that was cut off may have been done: the epoch is over then.
    fn adopt_ends(&mut self, pending: &[EpochTag]) {
        let base = self.volume().base();
        let ending = self.ending.take();
        for (n, snapshot) in self
            .snapshots
            .iter_mut()
            .filter(|(n, _)| !pending.contains(&tag(**n)))
        {
            let root = match snapshot.fate {
                Fate::Committed(_) | Fate::Abandoned => continue,
                Fate::Captured(root) => Some(root),
                Fate::Pending => None,
            };
            assert_eq!(ending, Some(*n), "epoch {n} is gone, and nobody ended it");
            let committed = root.filter(|root| {
                base == Some(Base {
                    domain: self.domain,
                    root: *root,
                })
            });
            snapshot.fate = committed.map_or(Fate::Abandoned, Fate::Committed);
        }
    }

    // Comparing.

    fn current_image(&self) -> Image {
        self.cells
            .iter()
            .map(|(sector, cell)| (*sector, cell.current()))
            .collect()
    }

    /// The stamps of all hot sectors.
    fn read_all(&self) -> Image {
        let mut image = Image::new();
        let mut buf = vec![0; BLOCK_SIZE];
        for block in HOT {
            let len = (SIZE - block * BLOCK).min(BLOCK) as usize;
            self.read_exact(block * BLOCK, &mut buf[..len]);
            for (n, sector) in buf[..len].chunks(512).enumerate() {
                image.insert(block * SECTORS_PER_BLOCK + n as u64, stamp_of(sector));
            }
        }
        image
    }

    fn read_exact(&self, offset: u64, buf: &mut [u8]) {
        if self.volume().read(offset, buf, Wait::No).unwrap() == Outcome::WouldBlock {
            assert_eq!(
                self.volume().read(offset, buf, Wait::Yes).unwrap(),
                Outcome::Done
            );
        }
    }

    /// Reads a range that may cross blocks.
    pub(crate) fn check_range(&self, sector: u64, count: u64) {
        let mut buf = vec![0; (count * SECTOR) as usize];
        self.read_exact(sector * SECTOR, &mut buf);
        for (n, bytes) in buf.chunks(512).enumerate() {
            let sector = sector + n as u64;
            let expected = self.cells.get(&sector).map_or(0, Cell::current);
            assert_eq!(stamp_of(bytes), expected, "sector {sector}");
        }
    }

    /// Compares the whole volume, and that what is reported as zero is zero.
    pub(crate) fn check(&mut self) {
        self.check_after(None);
        for block in HOT {
            let len = (SIZE - block * BLOCK).min(BLOCK);
            let mut at = block * BLOCK;
            for extent in self.volume().extents(at, len).unwrap() {
                assert!(extent.len > 0 && at + extent.len <= block * BLOCK + len);
                for sector in at.div_ceil(SECTOR)..(at + extent.len) / SECTOR {
                    assert!(
                        !extent.zero || self.cells[&sector].current() == 0,
                        "sector {sector}"
                    );
                }
                at += extent.len;
            }
        }
    }

    /// Compares a snapshot with the image of its freeze, byte for byte.
    fn check_snapshot(&self, n: u32, root: &Root) {
        let snapshot = &self.snapshots[&n];
        assert_eq!(root.size_bytes, snapshot.size);
        let expected = blocks_of(&snapshot.image);
        let mut found = BTreeMap::new();
        for item in self.store().blocks(self.domain, root, 0) {
            let (block, digest) = item.unwrap();
            let bytes = self.store().get(self.domain, &digest).unwrap();
            assert_eq!(
                Some(&*bytes),
                expected.get(&block).map(|bytes| &**bytes),
                "block {block}"
            );
            found.insert(block, Some(digest));
        }
        assert_eq!(found.len(), expected.len(), "snapshot {n} misses blocks");
        // Its root does not depend on how it came about.
        let fresh = self
            .store()
            .build(self.domain, None, snapshot.size, found)
            .unwrap();
        assert_eq!(fresh, *root);
    }

    /// Takes a snapshot of everything and compares it; then every older one again.
    pub(crate) fn check_snapshots(&mut self) {
        while self.oldest_pending().is_some() {
            self.capture(u32::MAX);
            self.commit();
        }
        self.freeze().unwrap();
        self.capture(u32::MAX);
        self.commit();
        for (n, snapshot) in &self.snapshots {
            if let Some(root) = snapshot.root() {
                self.check_snapshot(*n, &root);
            }
        }
    }
}

/// The sectors of the hot blocks.
fn hot_sectors() -> impl Iterator<Item = u64> {
    HOT.into_iter().flat_map(|block| {
        let first = block * SECTORS_PER_BLOCK;
        first..(first + SECTORS_PER_BLOCK).min(SIZE / SECTOR)
    })
}

/// The blocks of an image that are not zero.
fn blocks_of(image: &Image) -> BTreeMap<u64, Vec<u8>> {
    let mut blocks: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for (sector, stamp) in image.iter().filter(|(_, stamp)| **stamp != 0) {
        let block = blocks
            .entry(sector / SECTORS_PER_BLOCK)
            .or_insert_with(|| vec![0; BLOCK_SIZE]);
        let at = (sector % SECTORS_PER_BLOCK * SECTOR) as usize;
        block[at..at + 512].copy_from_slice(&sector_bytes(*stamp));
    }
    blocks
}
