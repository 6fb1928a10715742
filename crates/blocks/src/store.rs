//! The block store: put, sync, get.
//!
//! A store is a directory of packs (`<id>.data`, `<id>.meta`; `.open` behind it until sealed)
//! and a file `lock`, locked while the store is open. All calls may come from many threads at
//! once; they block, and belong on engine threads.

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tracing::{error, warn};

use crate::{
    cache::Cache,
    cipher::{DomainKey, Keys},
    disk::{Disk, DiskFile, OpenMode, create_dir_durably},
    error::{Damage, Error, IoContext as _},
    frame::{self, Density, Unreadable},
    index::Node,
    key::{KEY_LEN, Keyring},
    lane::{Appended, Counters, Generation, Lane, Shared},
    pack::PackFiles,
    pack_format::{BLOB_HEADER_LEN, is_possible},
    recover::{self, Reindexed},
    session::{Session, Sessions},
    slots::{self, SlotStats, Slots},
    types::{
        Alarm, BLOCK_SIZE, BlobId, BlobIndex, BlobKind, Digest, DomainId, Hashed, Location, PackId,
    },
    urgency::{Hurry, Readers, Urgency},
    zero::is_zero,
};

/// Blobs asked of the index at once.
const LOOKUP_BATCH: usize = 128;

/// How a store is run. None of it changes what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Size in bytes from which a pack is sealed and the next one begun.
    pub pack_target_bytes: u64,
    /// Memory for decoded blocks, in bytes.
    pub block_cache_bytes: usize,
    /// Memory for decoded index nodes, in bytes.
    pub node_cache_bytes: usize,
    /// The epoch of this writer, recorded in every pack that it begins.
    pub writer_epoch: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pack_target_bytes: 32 << 20,
            block_cache_bytes: 64 << 20,
            node_cache_bytes: 16 << 20,
            writer_epoch: 0,
        }
    }
}

/// What became of a block that was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It holds nothing but zeros, and nothing was stored.
    Zero,
    /// It was stored. It is durable after [`BlockStore::sync`].
    New(Digest),
    /// The domain holds it already. If that is since the last sync, it is durable after the next.
    Known(Digest),
}

impl Stored {
    /// The block's digest; `None` for a block of zeros, as in an index.
    pub fn digest(self) -> Option<Digest> {
        match self {
            Self::Zero => None,
            Self::New(digest) | Self::Known(digest) => Some(digest),
        }
    }
}

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Anyone who needs the blob: it should not be condemned.
    Anyone,
    /// A collection, which finds out what should not be condemned.
    Collection,
}

/// What was stored since the store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Blobs appended to packs.
    pub blobs: u64,
    /// Their plaintext, in bytes.
    pub plain_bytes: u64,
    /// Their stored form, in bytes, without headers.
    pub stored_bytes: u64,
}

/// A content-addressed store of 512 KiB blocks and index nodes.
#[derive(Debug)]
pub struct BlockStore {
    pub(crate) shared: Arc<Shared>,
    lanes: Mutex<BTreeMap<(DomainId, BlobKind), Arc<Lane>>>,
    blocks: Cache<(DomainId, Digest), Arc<[u8]>>,
    pub(crate) nodes: Cache<(DomainId, Digest), Arc<Node>>,
    /// Blocks that memory has no room for.
    slots: Option<Slots>,
    readers: Readers,
    /// What was found damaged since the store was opened, so that the index is told once.
    noted: Mutex<HashSet<(DomainId, BlobId, PackId)>>,
    /// A collection is under way.
    pub(crate) collecting: Arc<AtomicBool>,
    /// Collections are to end.
    pub(crate) collecting_stopped: AtomicBool,
    /// Held, not used: the lock lives as long as the open file.
    _lock: Arc<dyn DiskFile>,
}

impl BlockStore {
    /// Opens the store in `dir`, which is created if need be, and seals what a crash left
    /// unsealed.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        index: Arc<dyn BlobIndex>,
        keys: Arc<dyn Keyring>,
        options: Options,
    ) -> Result<Self, Error> {
        create_dir_durably(&*disk, dir).context("create directory", dir)?;
        let lock = lock_dir(&*disk, dir)?;
        let sessions: Arc<Sessions> = Arc::default();
        sessions.remember(index.condemned()?.iter().map(|usage| usage.pack));
        let shared = Arc::new(Shared {
            files: PackFiles::new(Arc::clone(&disk), dir.to_path_buf()),
            disk,
            dir: dir.to_path_buf(),
            index,
            keys: Keys::new(keys),
            sessions,
            counters: Counters::default(),
            pack_target_bytes: options.pack_target_bytes,
            writer_epoch: options.writer_epoch,
        });
        recover::recover(&shared)?;
        Ok(Self {
            shared,
            lanes: Mutex::default(),
            blocks: Cache::new(options.block_cache_bytes),
            nodes: Cache::new(options.node_cache_bytes),
            slots: None,
            readers: Readers::default(),
            noted: Mutex::default(),
            collecting: Arc::default(),
            collecting_stopped: AtomicBool::new(false),
            _lock: lock,
        })
    }

    /// Adds a cache of decoded blocks in a file of `bytes` bytes, which is made anew; with room for
    /// no block there is none. `key` has to be random, and never used for this before: the file is
    /// encrypted with it. A disk that does not let us is logged, and costs speed only.
    #[must_use]
    pub fn with_slots(mut self, bytes: u64, key: &[u8; KEY_LEN]) -> Self {
        let (disk, dir) = (&self.shared.disk, &self.shared.dir);
        let made = match bytes < BLOCK_SIZE as u64 {
            true => slots::remove(&**disk, dir).map(|()| None),
            false => Slots::open(disk, dir, bytes, key).map(Some),
        };
        self.slots = made.unwrap_or_else(|error| {
            warn!(%error, bytes, "there is no cache of blocks on disk");
            None
        });
        self
    }

    /// Says how urgent it is what the caller reads, until the guard is dropped.
    pub fn hurry(&self, urgency: Urgency) -> Hurry<'_> {
        self.readers.enter(urgency)
    }

    /// Whether somebody more urgent reads: then the next block is left for later.
    pub fn is_outranked(&self, urgency: Urgency) -> bool {
        self.readers.outrank(urgency)
    }

    /// What the cache of blocks on disk has done; nothing if there is none.
    pub fn slot_stats(&self) -> SlotStats {
        self.slots.as_ref().map(Slots::stats).unwrap_or_default()
    }

    /// Returns when the blocks that were read until now are in the cache on disk, or given up.
    pub fn settle_slots(&self) {
        if let Some(slots) = &self.slots {
            slots.settle();
        }
    }

    /// Gives the space of the cache on disk back, until the store is opened again. False: there was
    /// none.
    pub fn give_back_slots(&self) -> bool {
        let Some(slots) = self.slots.as_ref().filter(|slots| slots.stats().slots > 0) else {
            return false;
        };
        if let Err(error) = slots.give_back() {
            warn!(%error, "give the space of the cache of blocks back");
        }
        true
    }

    /// Opens a session: whatever is put from now on, found to be there already, or read, stays until
    /// it is dropped. To be held until metadata names what was put, or while what metadata names
    /// is read, if it could be deleted meanwhile.
    pub fn session(&self) -> Session {
        self.shared.sessions.open()
    }

    /// Stores a block of exactly [`BLOCK_SIZE`] bytes unless it is zero or the domain holds it.
    /// Durable only after [`sync`](Self::sync).
    pub fn put(&self, domain: DomainId, block: &[u8]) -> Result<Stored, Error> {
        self.put_all(domain, &[block], Density::Usual, |_| Digest::of(block))
            .map(|stored| stored[0])
    }

    /// As [`put`](Self::put), for a block that is hashed already. Bytes that have changed since are
    /// found out when the block is read.
    pub fn put_hashed<B: AsRef<[u8]>>(
        &self,
        domain: DomainId,
        block: &Hashed<B>,
    ) -> Result<Stored, Error> {
        self.put_all(domain, &[block.bytes()], Density::Usual, |_| block.digest())
            .map(|stored| stored[0])
    }

    /// As [`put`](Self::put), for many blocks, which asks the index for many at once. After an
    /// error any of them may have been stored.
    pub fn put_many(&self, domain: DomainId, blocks: &[&[u8]]) -> Result<Vec<Stored>, Error> {
        self.put_all(domain, blocks, Density::Usual, |at| Digest::of(blocks[at]))
    }

    /// Which of these blocks the domain holds, so that they need not be put. Like a put, it holds on
    /// to what it finds for as long as a [`session`](Self::session) lasts.
    pub fn holds(&self, domain: DomainId, digests: &[Digest]) -> Result<Vec<bool>, Error> {
        let key = self.shared.keys.of(domain)?;
        let lane = self.lane(domain, BlobKind::Data);
        let mut held = Vec::with_capacity(digests.len());
        for chunk in digests.chunks(LOOKUP_BATCH) {
            held.extend(self.known(&lane, domain, &key.ids(chunk))?.0);
        }
        Ok(held)
    }

    /// Makes durable, and records in the index, every put of the domain that returned before
    /// this call. Concurrent callers share the work.
    ///
    /// # Errors
    /// [`Error::Lost`] when blobs that were put since the last successful sync, by anyone in this
    /// domain, have been lost to a failed sync and not been put again.
    pub fn sync(&self, domain: DomainId) -> Result<(), Error> {
        // Blocks before the nodes that refer to them.
        [BlobKind::Data, BlobKind::Meta]
            .into_iter()
            .filter_map(|kind| self.existing_lane(domain, kind))
            .try_for_each(|lane| lane.sync())
    }

    /// Seals all open packs and makes everything durable, for an orderly shutdown.
    pub fn seal(&self) -> Result<(), Error> {
        let mut lanes: Vec<_> = self
            .lanes()
            .iter()
            .map(|(key, lane)| (*key, Arc::clone(lane)))
            .collect();
        lanes.sort_unstable_by_key(|((domain, kind), _)| (*domain, *kind == BlobKind::Meta));
        lanes.iter().try_for_each(|(_, lane)| lane.seal())
    }

    /// Reads a block. What is returned has the digest asked for, always.
    pub fn get(&self, domain: DomainId, digest: &Digest) -> Result<Arc<[u8]>, Error> {
        // Before any cache: what is erased must not be answered from one.
        self.shared.keys.check(domain)?;
        self.blocks.get_or_load((domain, *digest), || {
            let slots = self.slots.as_ref();
            let block = slots
                .and_then(|slots| slots.find(domain, digest))
                .map_or_else(|| self.load_and_offer(domain, digest), Ok)?;
            let len = block.len();
            Ok((block, len))
        })
    }

    /// A block from its pack, which the cache on disk is told of.
    fn load_and_offer(&self, domain: DomainId, digest: &Digest) -> Result<Arc<[u8]>, Error> {
        let block = self.load(domain, digest, BlobKind::Data)?;
        if let Some(slots) = &self.slots {
            slots.offer(domain, digest, &block);
        }
        Ok(block)
    }

    /// Tells the index of every blob in every sealed pack, for an index that was lost. Of copies of
    /// a blob the youngest is told of: later ones were made because something was wrong with the
    /// earlier. A pack that cannot be understood is logged and left out.
    pub fn reindex(&self) -> Result<Reindexed, Error> {
        recover::reindex(&self.shared)
    }

    /// What was stored since the store was opened.
    pub fn stats(&self) -> Stats {
        let counters = &self.shared.counters;
        Stats {
            blobs: counters.blobs.load(Ordering::Relaxed),
            plain_bytes: counters.plain_bytes.load(Ordering::Relaxed),
            stored_bytes: counters.stored_bytes.load(Ordering::Relaxed),
        }
    }

    /// Stores index nodes, given with their digests.
    pub(crate) fn put_nodes(
        &self,
        domain: DomainId,
        nodes: &[(Digest, Vec<u8>)],
    ) -> Result<(), Error> {
        let key = self.shared.keys.of(domain)?;
        let blobs: Vec<_> = nodes
            .iter()
            .map(|(digest, bytes)| (key.id(digest), bytes.as_slice()))
            .collect();
        let lane = self.lane(domain, BlobKind::Meta);
        blobs.chunks(LOOKUP_BATCH).try_for_each(|chunk| {
            self.store_chunk(&lane, domain, (BlobKind::Meta, Density::Usual), chunk)
                .map(drop)
        })
    }

    /// Reads a blob past the caches and checks its hash.
    pub(crate) fn load(
        &self,
        domain: DomainId,
        digest: &Digest,
        kind: BlobKind,
    ) -> Result<Arc<[u8]>, Error> {
        self.load_with(domain, digest, kind, Reader::Anyone)
    }

    /// As [`load`](Self::load).
    pub(crate) fn load_with(
        &self,
        domain: DomainId,
        digest: &Digest,
        kind: BlobKind,
        reader: Reader,
    ) -> Result<Arc<[u8]>, Error> {
        let (plain, actual, location) = self.read_with(domain, digest, kind, reader)?;
        match actual == *digest {
            true => Ok(plain),
            false => Err(Error::Damaged {
                digest: *digest,
                pack: location.pack,
                reason: Damage::Hash,
            }),
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Has the index know of a blob that cannot be read where it lies, so that the next put of it
    /// stores it anew. The reader is refused in any case.
    fn note_damage(&self, domain: DomainId, (digest, id): (&Digest, BlobId), pack: PackId) {
        if !self.noted().insert((domain, id, pack)) {
            return;
        }
        match self.shared.index.mark_bad(domain, &[(id, pack)]) {
            Ok(()) => error!(%digest, pack = pack.0, "a blob is damaged, and is marked bad"),
            Err(cause) => {
                error!(%digest, pack = pack.0, %cause, "a blob is damaged, and could not be marked bad");
                self.noted().remove(&(domain, id, pack));
            }
        }
    }

    fn noted(&self) -> MutexGuard<'_, HashSet<(DomainId, BlobId, PackId)>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what is stored under a digest, past the caches, and tells the digest it really has.
    pub(crate) fn read(
        &self,
        domain: DomainId,
        digest: &Digest,
        kind: BlobKind,
    ) -> Result<(Arc<[u8]>, Digest, Location), Error> {
        self.read_with(domain, digest, kind, Reader::Anyone)
    }

    /// As [`read`](Self::read).
    pub(crate) fn read_with(
        &self,
        domain: DomainId,
        digest: &Digest,
        kind: BlobKind,
        reader: Reader,
    ) -> Result<(Arc<[u8]>, Digest, Location), Error> {
        let key = self.shared.keys.of(domain)?;
        let id = key.id(digest);
        let find = || {
            let location = self.locate(domain, id, kind)?;
            location.ok_or(Error::NotFound {
                domain,
                digest: *digest,
            })
        };
        let mut location = find()?;
        if reader == Reader::Anyone && self.shared.sessions.may_be_condemned(location.pack) {
            // A copy may have taken its place since.
            location = find()?;
            self.check_condemned(domain, (digest, id), location.pack);
        }
        let plain = match self.read_at(&key, digest, kind, &location) {
            Err(Error::Damaged {
                reason: Damage::PackMissing,
                ..
            }) => {
                location = find()?;
                self.read_at(&key, digest, kind, &location)
            }
            read => read,
        };
        let plain = plain.inspect_err(|error| {
            if matches!(error, Error::Damaged { .. }) {
                self.note_damage(domain, (digest, id), location.pack);
            }
        })?;
        let actual = Digest::of(&plain);
        if actual != *digest {
            self.note_damage(domain, (digest, id), location.pack);
        }
        Ok((plain, actual, location))
    }

    /// Raises an alarm if a blob that is read lies in a condemned pack, unless it may be one of
    /// those that were deleted under a reader's eyes. The read goes on: its bytes are still there.
    fn check_condemned(&self, domain: DomainId, (digest, id): (&Digest, BlobId), pack: PackId) {
        let sessions = &self.shared.sessions;
        if !sessions.may_be_condemned(pack) || sessions.has_witness(pack) {
            return;
        }
        let alarm = Alarm { pack, domain, id };
        let raised = self.is_condemned(pack).and_then(|condemned| {
            sessions.forget([pack]);
            if condemned {
                error!(%digest, pack = pack.0, "read a blob of a condemned pack: nothing is collected until `cairn gc --resume`");
                self.shared.index.raise_alarm(&alarm)?;
            }
            Ok(())
        });
        if let Err(error) = raised {
            // The pack stays condemned, and so the next read tries again.
            sessions.remember([pack]);
            error!(%digest, pack = pack.0, %error, "raise an alarm: a condemned pack was read");
        }
    }

    fn is_condemned(&self, pack: PackId) -> Result<bool, Error> {
        let condemned = self.shared.index.condemned()?;
        Ok(condemned.iter().any(|usage| usage.pack == pack))
    }

    /// The packs with blobs on their way into the index.
    pub(crate) fn pending_packs(&self) -> HashSet<PackId> {
        let lanes: Vec<_> = self.lanes().values().map(Arc::clone).collect();
        lanes.iter().flat_map(|lane| lane.pending_packs()).collect()
    }

    /// Seals those of these packs that are appended to.
    pub(crate) fn seal_packs(&self, packs: &HashSet<PackId>) -> Result<(), Error> {
        let lanes: Vec<_> = self.lanes().values().map(Arc::clone).collect();
        lanes.iter().try_for_each(|lane| lane.seal_one_of(packs))
    }

    /// Where a blob lies: committed blobs are in the index, younger ones in their lane. The lane
    /// is asked first, as that is the way that blobs go.
    fn locate(
        &self,
        domain: DomainId,
        id: BlobId,
        kind: BlobKind,
    ) -> Result<Option<Location>, Error> {
        if let Some(location) = self
            .existing_lane(domain, kind)
            .and_then(|lane| lane.find_pending(&id))
        {
            return Ok(Some(location));
        }
        Ok(self
            .shared
            .index
            .locate(domain, &[id])?
            .first()
            .copied()
            .flatten())
    }

    fn read_at(
        &self,
        key: &DomainKey,
        digest: &Digest,
        kind: BlobKind,
        location: &Location,
    ) -> Result<Arc<[u8]>, Error> {
        let damaged = |reason| Error::Damaged {
            digest: *digest,
            pack: location.pack,
            reason,
        };
        if !is_possible(location, key.is_sealed()) {
            return Err(damaged(Damage::Location));
        }
        let file = self
            .shared
            .files
            .open(location.pack, kind)?
            .ok_or(damaged(Damage::PackMissing))?;
        let start = location.offset - BLOB_HEADER_LEN as u64;
        let fill = |buf: &mut [u8]| file.read_exact_at(buf, start);
        self.shared
            .keys
            .of_pack(key, location.pack, |buf| file.read_exact_at(buf, 0))
            .and_then(|pack_key| frame::read(location, key.id(digest), pack_key.as_deref(), fill))
            .map_err(|unreadable| match unreadable {
                Unreadable::Damaged(reason) => damaged(reason),
                Unreadable::Io(source) => Error::Io {
                    action: "read pack in",
                    path: self.shared.dir.clone(),
                    source,
                },
            })
    }

    pub(crate) fn put_all(
        &self,
        domain: DomainId,
        blocks: &[&[u8]],
        density: Density,
        digest_of: impl Fn(usize) -> Digest,
    ) -> Result<Vec<Stored>, Error> {
        if let Some(block) = blocks.iter().find(|block| block.len() != BLOCK_SIZE) {
            return Err(Error::BlockSize { len: block.len() });
        }
        let key = self.shared.keys.of(domain)?;
        let lane = self.lane(domain, BlobKind::Data);
        let digests: Vec<_> = blocks
            .iter()
            .enumerate()
            .map(|(at, block)| (!is_zero(block)).then(|| digest_of(at)))
            .collect();
        let blobs: Vec<_> = digests
            .iter()
            .zip(blocks)
            .filter_map(|(digest, block)| Some((key.id(digest.as_ref()?), *block)))
            .collect();
        let mut new = Vec::with_capacity(blobs.len());
        for chunk in blobs.chunks(LOOKUP_BATCH) {
            new.extend(self.store_chunk(&lane, domain, (BlobKind::Data, density), chunk)?);
        }
        let mut new = new.into_iter();
        Ok(digests
            .into_iter()
            .map(|digest| stored(digest, &mut new))
            .collect())
    }

    /// Stores blobs that are not known yet. Tells for each whether it was new.
    fn store_chunk(
        &self,
        lane: &Lane,
        domain: DomainId,
        form: (BlobKind, Density),
        blobs: &[(BlobId, &[u8])],
    ) -> Result<Vec<bool>, Error> {
        let ids: Vec<_> = blobs.iter().map(|(id, _)| *id).collect();
        let (known, seen) = self.known(lane, domain, &ids)?;
        let mut new = Vec::with_capacity(blobs.len());
        for ((id, plain), known) in blobs.iter().zip(known) {
            new.push(!known && self.store_blob(lane, domain, form, (*id, *plain), seen)?);
        }
        Ok(new)
    }

    /// Appends a blob that was unknown at `seen`. Tells whether it still was.
    fn store_blob(
        &self,
        lane: &Lane,
        domain: DomainId,
        form: (BlobKind, Density),
        blob: (BlobId, &[u8]),
        seen: Generation,
    ) -> Result<bool, Error> {
        let (id, plain) = blob;
        let mut seen = seen;
        loop {
            let (pending, now) = lane.look(&[id]);
            let known = if now == seen {
                pending
            } else {
                self.known(lane, domain, &[id])?.0
            };
            if known == [true] {
                return Ok(false);
            }
            seen = now;
            let appended = frame::with_frame(id, form, plain, |frame| lane.append(frame, seen));
            match appended.context("compress for", &self.shared.dir)?? {
                Appended::New => break,
                Appended::Known => return Ok(false),
                Appended::Stale => {}
            }
        }
        if lane.is_burdened() {
            lane.relieve()?;
        }
        Ok(true)
    }

    /// Which blobs need not be stored, since the lane or the index has them, and when that was so.
    fn known(
        &self,
        lane: &Lane,
        domain: DomainId,
        ids: &[BlobId],
    ) -> Result<(Vec<bool>, Generation), Error> {
        let (mut known, seen) = lane.look(ids);
        let _relying = self.shared.sessions.relying();
        let located = self.shared.index.locate_reusable(domain, ids)?;
        let packs = located.iter().flatten().map(|location| location.pack);
        self.shared.sessions.touch(packs);
        for (known, located) in known.iter_mut().zip(located) {
            *known |= located.is_some();
        }
        Ok((known, seen))
    }

    fn existing_lane(&self, domain: DomainId, kind: BlobKind) -> Option<Arc<Lane>> {
        self.lanes().get(&(domain, kind)).map(Arc::clone)
    }

    fn lane(&self, domain: DomainId, kind: BlobKind) -> Arc<Lane> {
        let new = || Arc::new(Lane::new(domain, kind, Arc::clone(&self.shared)));
        Arc::clone(self.lanes().entry((domain, kind)).or_insert_with(new))
    }

    fn lanes(&self) -> MutexGuard<'_, BTreeMap<(DomainId, BlobKind), Arc<Lane>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What to answer for a block, taking from `new` whether it was, unless it is zero.
fn stored(digest: Option<Digest>, new: &mut impl Iterator<Item = bool>) -> Stored {
    match digest {
        None => Stored::Zero,
        Some(digest) if new.next() == Some(true) => Stored::New(digest),
        Some(digest) => Stored::Known(digest),
    }
}

/// Takes the lock of a store, whose file is created on first use.
fn lock_dir(disk: &dyn Disk, dir: &Path) -> Result<Arc<dyn DiskFile>, Error> {
    let path: PathBuf = dir.join("lock");
    let file = match disk.open(&path, OpenMode::ReadWrite) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            disk.open(&path, OpenMode::CreateNew)
        }
        opened => opened,
    };
    let file = file.context("open lock", &path)?;
    match file.try_lock().context("lock", &path)? {
        true => Ok(file),
        false => Err(Error::Locked {
            dir: dir.to_path_buf(),
        }),
    }
}
