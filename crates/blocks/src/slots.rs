//! Decoded blocks on disk: a cache in fixed slots, behind the one in memory and before the packs.
//!
//! One file of slots of [`BLOCK_SIZE`] bytes, allocated when the cache is opened, and a table in
//! memory of which block lies in which slot. Blocks are found by domain and digest, so nothing in
//! it can be out of date, and all of it may be lost: the file is made anew at every opening, and
//! nothing is read from it that this process has not written.
//!
//! A slot is AES-256-GCM under a key that the cache is opened with and that is never written down,
//! so that blocks of sealed domains are not told by this file, nor by what is left of it after a
//! crash. Nonce (12 bytes): the slot's number, then a count of all writes under the key, little
//! endian. Additional data: domain and digest. The tag is kept in the table, so that a slot is a
//! block and nothing else; it is checked before anybody sees the block.
//!
//! A block is kept when it was loaded for the second time: to write what is read once, such as a disk
//! that is copied from end to end, would take the disk from whoever reads it. Slots are given away
//! by CLOCK: a block that was not asked for again since it was put there goes first.
//!
//! Whatever the disk does, a read is never worse than without this cache: it is a miss.

use std::{
    collections::HashMap,
    fmt, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use tracing::warn;

use crate::{
    cache::Lru,
    disk::{Disk, DiskFile, OpenMode},
    key::KEY_LEN,
    types::{BLOCK_SIZE, Digest, DomainId},
};

/// The file, in the directory of a store.
const FILE_NAME: &str = "slots";

/// Bytes of a slot.
const SLOT_BYTES: u64 = BLOCK_SIZE as u64;

/// Blocks that wait to be written: 4 MiB. One that finds no room is not kept.
const WAITING: usize = 8;

/// Loads that are remembered for each slot, so that a second one is known as such.
const REMEMBERED: usize = 2;

/// Which block a slot holds.
type Key = (DomainId, Digest);

/// What the cache on disk has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotStats {
    /// Blocks that there is room for.
    pub slots: u64,
    /// Blocks that were read from it.
    pub hits: u64,
    /// Blocks that it did not have.
    pub misses: u64,
    /// Blocks that were written to it.
    pub written: u64,
    /// Blocks that were not written, as too many were waiting already or the disk refused.
    pub passed_over: u64,
    /// Slots that are not used any more, as what was read was not what had been written.
    pub given_up: u64,
}

/// See the head of this file. Dropped, it ends its thread and removes its file.
pub(crate) struct Slots {
    table: Arc<Table>,
    loaded: Mutex<Lru<Key, ()>>,
    orders: Option<SyncSender<Order>>,
    writer: Option<JoinHandle<()>>,
}

/// What the writer is told.
enum Order {
    Keep(Key, Arc<[u8]>),
    /// Everything that was ordered before is done.
    Tell(SyncSender<()>),
}

struct Table {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    key: LessSafeKey,
    map: Mutex<Map>,
    counters: Counters,
    said: Said,
}

#[derive(Default)]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    written: AtomicU64,
    passed_over: AtomicU64,
    given_up: AtomicU64,
}

/// What was logged already: a bad disk would say it for every block.
#[derive(Default)]
struct Said {
    unreadable: AtomicBool,
    unwritable: AtomicBool,
    damaged: AtomicBool,
}

struct Map {
    places: HashMap<Key, usize>,
    /// Those that were ever used; there may be as many as `capacity`.
    slots: Vec<Slot>,
    capacity: usize,
    hand: usize,
    /// Writes so far.
    generation: u64,
}

#[derive(Clone, Copy)]
enum Slot {
    Free,
    /// Somebody writes it, for the time being.
    Claimed,
    Held {
        holding: Holding,
        /// Somebody has asked for it since the hand came by.
        used: bool,
    },
    GivenUp,
}

/// What a slot holds, and what it takes to read it.
#[derive(Clone, Copy)]
struct Holding {
    key: Key,
    slot: usize,
    generation: u64,
    tag: [u8; 16],
}

/// Why a slot was not read.
enum Flaw {
    Io(io::Error),
    Tag,
}

impl Slots {
    /// Makes the file in a store's directory anew, for as many blocks as `bytes` hold. The key is
    /// random, and was never used before.
    pub(crate) fn open(
        disk: &Arc<dyn Disk>,
        dir: &Path,
        bytes: u64,
        key: &[u8; KEY_LEN],
    ) -> io::Result<Self> {
        remove(&**disk, dir)?;
        let capacity = usize::try_from(bytes / SLOT_BYTES).map_err(io::Error::other)?;
        // The number of a slot is a part of its nonce.
        let capacity = capacity.min(u32::MAX as usize);
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(io::Error::other)?;
        let path = dir.join(FILE_NAME);
        let file = disk.open(&path, OpenMode::CreateNew)?;
        if let Err(error) = file.allocate(0, capacity as u64 * SLOT_BYTES) {
            remove(&**disk, dir)?;
            return Err(error);
        }
        let table = Arc::new(Table {
            disk: Arc::clone(disk),
            path,
            file,
            key: LessSafeKey::new(key),
            map: Mutex::new(Map::new(capacity)),
            counters: Counters::default(),
            said: Said::default(),
        });
        let (orders, waiting) = sync_channel(WAITING);
        let writer = std::thread::Builder::new().name("slots".into()).spawn({
            let table = Arc::clone(&table);
            move || table.write_all(&waiting)
        })?;
        Ok(Self {
            table,
            loaded: Mutex::new(Lru::new(capacity * REMEMBERED)),
            orders: Some(orders),
            writer: Some(writer),
        })
    }

    /// Finds a block. What is returned is what was kept, always.
    pub(crate) fn find(&self, domain: DomainId, digest: &Digest) -> Option<Arc<[u8]>> {
        let found = self.table.find((domain, *digest));
        let counters = &self.table.counters;
        let counter = match found {
            Some(_) => &counters.hits,
            None => &counters.misses,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// Keeps a block that was loaded from its pack, if that was not the first time.
    pub(crate) fn offer(&self, domain: DomainId, digest: &Digest, block: &Arc<[u8]>) {
        if self.was_loaded((domain, *digest)) {
            self.keep(domain, digest, block);
        }
    }

    /// Whether a block was loaded before, as far as that is remembered. From now on it was.
    fn was_loaded(&self, key: Key) -> bool {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let before = loaded.get(&key).is_some();
        loaded.insert(key, (), 1);
        before
    }

    /// Has a block written to a slot, after the return. Nobody waits for that: if too many are
    /// under way, it is not kept.
    pub(crate) fn keep(&self, domain: DomainId, digest: &Digest, block: &Arc<[u8]>) {
        if block.len() != BLOCK_SIZE {
            return;
        }
        let order = Order::Keep((domain, *digest), Arc::clone(block));
        let sent = self.orders.as_ref().map(|orders| orders.try_send(order));
        if let Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) = sent {
            self.table.counters.passed_over();
        }
    }

    /// Returns when what was to be kept until now is written, or given up.
    pub(crate) fn settle(&self) {
        let (tell, told) = sync_channel(1);
        let sent = self
            .orders
            .as_ref()
            .is_some_and(|orders| orders.send(Order::Tell(tell)).is_ok());
        if sent {
            // An error is a writer that has ended: it writes nothing more either.
            let _ended = told.recv();
        }
    }

    /// Gives the space back, for good: nothing is found and nothing kept any more.
    pub(crate) fn give_back(&self) -> io::Result<()> {
        self.table.lock().close();
        self.table.file.set_len(0)
    }

    /// What happened since it was opened.
    pub(crate) fn stats(&self) -> SlotStats {
        let counters = &self.table.counters;
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SlotStats {
            slots: self.table.lock().capacity as u64,
            hits: get(&counters.hits),
            misses: get(&counters.misses),
            written: get(&counters.written),
            passed_over: get(&counters.passed_over),
            given_up: get(&counters.given_up),
        }
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            warn!("the thread that writes the cache of blocks panicked");
        }
        if let Err(error) = self.table.disk.remove(&self.table.path) {
            // It is removed at the next opening, and not read before that.
            warn!(%error, path = %self.table.path.display(), "remove the cache of blocks");
        }
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slots").finish_non_exhaustive()
    }
}

/// Removes the file that an earlier process has left in a store's directory, if there is one.
pub(crate) fn remove(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    match disk.remove(&dir.join(FILE_NAME)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

impl Table {
    fn lock(&self) -> MutexGuard<'_, Map> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, key: Key) -> Option<Arc<[u8]>> {
        let holding = self.lock().find(&key)?;
        match self.read(&holding) {
            Ok(block) => Some(block),
            Err(flaw) => {
                // Overwritten under our eyes, it is nobody's fault.
                if self.lock().give_up(&holding) {
                    self.counters.given_up.fetch_add(1, Ordering::Relaxed);
                    self.tell_of(&holding, flaw);
                }
                None
            }
        }
    }

    fn read(&self, holding: &Holding) -> Result<Arc<[u8]>, Flaw> {
        let mut block: Arc<[u8]> = std::iter::repeat_n(0, BLOCK_SIZE).collect();
        let room = Arc::get_mut(&mut block).ok_or(Flaw::Tag)?;
        self.file
            .read_exact_at(room, offset_of(holding.slot))
            .map_err(Flaw::Io)?;
        let nonce = nonce(holding.slot, holding.generation);
        self.key
            .open_in_place_separate_tag(nonce, aad(&holding.key), &holding.tag, room)
            .map_err(|_| Flaw::Tag)?;
        Ok(block)
    }

    fn tell_of(&self, holding: &Holding, flaw: Flaw) {
        let slot = holding.slot;
        match flaw {
            Flaw::Io(error) if is_first(&self.said.unreadable) => {
                warn!(%error, slot, "the cache of blocks cannot be read; blocks come from their packs");
            }
            Flaw::Tag if is_first(&self.said.damaged) => {
                warn!(
                    slot,
                    "the cache of blocks is damaged; blocks come from their packs"
                );
            }
            Flaw::Io(_) | Flaw::Tag => {}
        }
    }

    /// Does what is ordered, until nobody can order any more.
    fn write_all(&self, orders: &Receiver<Order>) {
        let mut room = Vec::with_capacity(BLOCK_SIZE);
        for order in orders {
            match order {
                Order::Keep(key, block) => self.write(key, &block, &mut room),
                // Whoever asked may be gone.
                Order::Tell(tell) => drop(tell.send(())),
            }
        }
    }

    fn write(&self, key: Key, block: &[u8], room: &mut Vec<u8>) {
        let Some((slot, generation)) = self.lock().claim(&key) else {
            return;
        };
        let written = self.seal(key, (slot, generation), block, room);
        let holding = written.as_ref().ok().map(|tag| Holding {
            key,
            slot,
            generation,
            tag: *tag,
        });
        let is_open = self.lock().fill(slot, holding);
        match written {
            Ok(_) => drop(self.counters.written.fetch_add(1, Ordering::Relaxed)),
            Err(error) => self.note_unwritten(&error),
        }
        if !is_open && let Err(error) = self.file.set_len(0) {
            self.note_unwritten(&error);
        }
    }

    /// Writes a block into a slot. Returns the tag.
    fn seal(
        &self,
        key: Key,
        (slot, generation): (usize, u64),
        block: &[u8],
        room: &mut Vec<u8>,
    ) -> io::Result<[u8; 16]> {
        room.clear();
        room.extend_from_slice(block);
        let sealed = self
            .key
            .seal_in_place_separate_tag(nonce(slot, generation), aad(&key), room);
        let tag = sealed.map_err(io::Error::other)?;
        self.file.write_all_at(room, offset_of(slot))?;
        tag.as_ref().try_into().map_err(io::Error::other)
    }

    fn note_unwritten(&self, error: &io::Error) {
        self.counters.passed_over();
        if is_first(&self.said.unwritable) {
            warn!(%error, "the cache of blocks cannot be written; blocks come from their packs");
        }
    }
}

impl Counters {
    fn passed_over(&self) {
        self.passed_over.fetch_add(1, Ordering::Relaxed);
    }
}

impl Map {
    fn new(capacity: usize) -> Self {
        Self {
            places: HashMap::new(),
            slots: Vec::new(),
            capacity,
            hand: 0,
            generation: 0,
        }
    }

    /// What is held of a block. Notes that it was asked for.
    fn find(&mut self, key: &Key) -> Option<Holding> {
        let slot = *self.places.get(key)?;
        match self.slots.get_mut(slot)? {
            Slot::Held { holding, used } => {
                *used = true;
                Some(*holding)
            }
            Slot::Free | Slot::Claimed | Slot::GivenUp => None,
        }
    }

    /// A slot for a block that is not there yet, and the number of the write to it. Nobody else
    /// gets the slot until it is filled.
    fn claim(&mut self, key: &Key) -> Option<(usize, u64)> {
        if self.places.contains_key(key) {
            return None;
        }
        let slot = self.take()?;
        self.generation += 1;
        Some((slot, self.generation))
    }

    fn take(&mut self) -> Option<usize> {
        if self.slots.len() < self.capacity {
            self.slots.push(Slot::Claimed);
            return Some(self.slots.len() - 1);
        }
        // The first time round all may have been asked for; the second time none.
        for _ in 0..2 * self.slots.len() {
            let at = self.hand;
            self.hand = (at + 1) % self.slots.len();
            match self.slots[at] {
                Slot::Free => {}
                Slot::Held {
                    holding,
                    used: false,
                } => drop(self.places.remove(&holding.key)),
                Slot::Held {
                    holding,
                    used: true,
                } => {
                    self.slots[at] = Slot::Held {
                        holding,
                        used: false,
                    };
                    continue;
                }
                Slot::Claimed | Slot::GivenUp => continue,
            }
            self.slots[at] = Slot::Claimed;
            return Some(at);
        }
        None
    }

    /// What became of a claimed slot; with nothing written, another block may have it. False: the
    /// cache was closed meanwhile.
    fn fill(&mut self, slot: usize, holding: Option<Holding>) -> bool {
        let Some(state) = self.slots.get_mut(slot) else {
            return false;
        };
        *state = match holding {
            None => Slot::Free,
            Some(holding) => {
                self.places.insert(holding.key, slot);
                Slot::Held {
                    holding,
                    used: false,
                }
            }
        };
        true
    }

    /// Uses a slot no more that holds this still. False: it holds something else by now.
    fn give_up(&mut self, read: &Holding) -> bool {
        match self.slots.get_mut(read.slot) {
            Some(state @ Slot::Held { .. }) => {
                if !matches!(state, Slot::Held { holding, .. } if holding.generation == read.generation)
                {
                    return false;
                }
                *state = Slot::GivenUp;
                self.places.remove(&read.key);
                true
            }
            _ => false,
        }
    }

    fn close(&mut self) {
        self.places = HashMap::new();
        self.slots = Vec::new();
        self.capacity = 0;
        self.hand = 0;
    }
}

fn offset_of(slot: usize) -> u64 {
    slot as u64 * SLOT_BYTES
}

fn nonce(slot: usize, generation: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    // There are at most 2^32 slots.
    nonce[..4].copy_from_slice(&slot.to_le_bytes()[..4]);
    nonce[4..].copy_from_slice(&generation.to_le_bytes());
    Nonce::assume_unique_for_key(nonce)
}

fn aad(key: &Key) -> Aad<[u8; 40]> {
    let mut aad = [0; 40];
    aad[..8].copy_from_slice(&key.0.0.to_le_bytes());
    aad[8..].copy_from_slice(&key.1.0);
    Aad::from(aad)
}

/// True once.
fn is_first(said: &AtomicBool) -> bool {
    !said.swap(true, Ordering::Relaxed)
}

#[cfg(test)]
#[path = "slots_tests.rs"]
mod tests;
