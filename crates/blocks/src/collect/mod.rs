//! Garbage collection: what no root reaches goes.
//!
//! Reachability is the only authority; nothing is counted. A collection runs like this:
//!
//! 1. [`BlockStore::begin_collection`] notes the next pack number and the oldest open session. Only
//!    then are the roots read.
//! 2. Whatever the roots reach is marked by pack and slot ([`Collection::mark_root`],
//!    [`Collection::mark_blocks`]). A blob that cannot be found, or a node that cannot be read, ends
//!    the collection with nothing done.
//! 3. [`Collection::plan`] compares the marks with what lies in each pack, and decides.
//! 4. [`Plan::carry_out`]: pardon condemned packs that are needed after all; copy what lives out of
//!    packs that are mostly dead; condemn these and the packs that are all dead; delete the packs
//!    that an earlier collection condemned, once their grace is over, all sessions of that time
//!    have ended and these marks too found nothing in them; remove files that the index does not
//!    know.
//!
//! The order of each step holds against a crash after any other: a copy is durable before its rows
//! move; the index forgets a pack before its file goes. What a crash leaves is a file
//! without rows, or rows that nobody is told of; the next collection removes either.
//!
//! Packs are condemned, not blobs: a blob that is dead in a live pack may be found again by a put,
//! which touches the pack, so that it is not condemned meanwhile (see `session`).
//!
//! - `marks`: what is reached, as bitmaps.
//! - `plan`: what is to be done.
//! - `repack`: copying what lives.
//! - [`usage`]: what space costs, from marks.

mod marks;
mod plan;
mod repack;
pub mod usage;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{
    error::Error,
    pack_format::{BLOB_HEADER_LEN, ENTRY_LEN},
    session::Tick,
    store::BlockStore,
    types::{Digest, DomainId, PackId, Root},
};

pub(crate) use marks::Marks;
pub use plan::Plan;

/// Bytes that a blob takes in a pack besides its stored bytes: its header and its table entry.
pub const BLOB_OVERHEAD: u64 = (BLOB_HEADER_LEN + ENTRY_LEN) as u64;

/// By which rules a collection decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The domains whose roots were marked, all of them. Packs of others are left alone.
    pub domains: BTreeSet<DomainId>,
    /// The time, in microseconds since the Unix epoch.
    pub now: i64,
    /// How long a pack stays condemned before it is deleted.
    pub grace: Duration,
    /// A pack is copied when less than so many percent of its stored bytes live; 0 for never.
    pub repack_below_percent: u8,
}

/// Some packs, and blobs in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Packs.
    pub packs: u64,
    /// Blobs: blocks and index nodes.
    pub blobs: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

impl Amount {
    fn add(&mut self, blobs: u64, bytes: u64) {
        self.packs += 1;
        self.blobs += blobs;
        self.bytes += bytes;
    }
}

/// What a collection found and did, or would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What the index knows in the domains that were looked at; `bytes`, here and in `live`, without
    /// the headers and footers of the packs.
    pub known: Amount,
    /// What of it the roots reach. `packs` are those that hold any of it.
    pub live: Amount,
    /// Packs condemned: nothing in them is needed. They are deleted by a later collection.
    pub condemned: Amount,
    /// Packs copied because little in them lives, and condemned; `blobs` and `bytes` are what
    /// was dead in them.
    pub repacked: Amount,
    /// What was copied for that.
    pub copied: Amount,
    /// Packs that an earlier collection condemned and that have to wait: for the end of their
    /// grace, or of a session.
    pub waiting: Amount,
    /// Packs deleted: the disk has got their bytes back.
    pub deleted: Amount,
    /// Condemned packs in which something is needed after all; they live again.
    pub pardoned: Amount,
    /// Files removed that the index knows nothing of: remains of a crash.
    pub orphans: Amount,
}

/// A collection under way. Dropped, it has changed nothing.
#[derive(Debug)]
pub struct Collection {
    store: Arc<BlockStore>,
    marks: Marks,
    /// Only packs before this one are looked at.
    start_pack: PackId,
    oldest: Tick,
    /// Held, not used.
    _turn: Turn,
}

/// One collection of a store at a time.
#[derive(Debug)]
struct Turn(Arc<AtomicBool>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl BlockStore {
    /// Begins a collection. Roots that are marked have to be read after this call.
    ///
    /// # Errors
    /// [`Error::CollectionHalted`] while there are alarms, [`Error::CollectionUnderWay`].
    pub fn begin_collection(self: &Arc<Self>) -> Result<Collection, Error> {
        let alarms = self.shared.index.alarms()?.len();
        if alarms > 0 {
            return Err(Error::CollectionHalted { alarms });
        }
        if self.collecting.swap(true, Ordering::SeqCst) {
            return Err(Error::CollectionUnderWay);
        }
        let turn = Turn(Arc::clone(&self.collecting));
        let start_pack = self.shared.index.next_pack()?;
        Ok(Collection {
            marks: Marks::default(),
            start_pack,
            oldest: self.shared.sessions.begin_pass(),
            store: Arc::clone(self),
            _turn: turn,
        })
    }
}

impl BlockStore {
    /// Ends the collection that is under way soon, with nothing half done, and those that come.
    pub fn stop_collecting(&self) {
        self.collecting_stopped.store(true, Ordering::SeqCst);
    }

    /// Whether to go on.
    fn check_collecting(&self) -> Result<(), Error> {
        match self.collecting_stopped.load(Ordering::SeqCst) {
            true => Err(Error::CollectionStopped),
            false => Ok(()),
        }
    }
}

impl Collection {
    /// Marks a snapshot: its blocks and the nodes of its index. What was marked before is not
    /// visited again.
    pub fn mark_root(&mut self, domain: DomainId, root: &Root) -> Result<(), Error> {
        self.marks.mark_root(&self.store, domain, root)
    }

    /// Marks blocks.
    pub fn mark_blocks(&mut self, domain: DomainId, blocks: &[Digest]) -> Result<(), Error> {
        self.marks.mark_blocks(&self.store, domain, blocks)
    }

    /// What is marked so far: blobs, and their bytes on disk.
    pub fn marked(&self) -> Amount {
        self.marks.amount()
    }
}
