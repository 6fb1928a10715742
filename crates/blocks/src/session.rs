//! Who relies on what: sessions, and the packs that nobody may condemn now.
//!
//! Between the moment in which a blob is put, or found to be there already, and the moment in which
//! metadata names it, no mark can see that it is needed. Three things bridge that gap:
//!
//! - a [`Session`], held by whoever puts blobs until metadata names them, and by whoever reads what
//!   could be deleted meanwhile: a pack that was condemned while a session was open is not deleted
//!   before that session ends, and reading it is no alarm;
//! - every pack that a put has found a blob in, or appended one to, is *touched*: a collection
//!   does not condemn a pack that was touched since it began, or since the oldest session that was
//!   open then;
//! - whoever builds an index confirms all blobs that it relies on, in one transaction each.
//!
//! All of it lives in memory: no session outlives its process, and after a crash nothing is needed
//! but what metadata names.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use crate::types::PackId;

/// Counts what happens in a store: sessions that are opened, collections that begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Tick(u64);

/// See the head of this file.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    state: Mutex<State>,
    /// Shared while the index is asked for blobs to rely on, until their packs are touched; alone
    /// while packs are condemned.
    relying: RwLock<()>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    open: BTreeSet<Tick>,
    /// When packs were touched last.
    touched: HashMap<PackId, Tick>,
    /// When packs were condemned. Some of them may have been pardoned since: the index decides.
    condemned: HashMap<PackId, Tick>,
}

/// Held from before blobs are put, or looked for, until metadata names them. See
/// [`BlockStore::session`](crate::BlockStore::session).
#[derive(Debug)]
#[must_use = "a session lasts until it is dropped"]
pub struct Session {
    sessions: Arc<Sessions>,
    tick: Tick,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.sessions.lock().open.remove(&self.tick);
    }
}

impl Sessions {
    /// Opens a session.
    pub(crate) fn open(self: &Arc<Self>) -> Session {
        let mut state = self.lock();
        let tick = state.advance();
        state.open.insert(tick);
        Session {
            sessions: Arc::clone(self),
            tick,
        }
    }

    /// Notes that somebody relies on packs.
    pub(crate) fn touch(&self, packs: impl IntoIterator<Item = PackId>) {
        let mut state = self.lock();
        // Not before any session that is open, and before all that come.
        let now = Tick(state.next);
        for pack in packs {
            state.touched.insert(pack, now);
        }
    }

    /// To be held while the index is asked for blobs to rely on.
    pub(crate) fn relying(&self) -> RwLockReadGuard<'_, ()> {
        self.relying.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be held while packs are condemned.
    pub(crate) fn condemning(&self) -> RwLockWriteGuard<'_, ()> {
        self.relying.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a collection. Returns when the oldest session was opened that is open now.
    pub(crate) fn begin_pass(&self) -> Tick {
        let mut state = self.lock();
        let now = state.advance();
        let oldest = state.open.first().copied().unwrap_or(now);
        state.touched.retain(|_, touched| *touched >= oldest);
        oldest
    }

    /// Those of `packs` that were not touched since `oldest`.
    pub(crate) fn untouched(&self, packs: &[PackId], oldest: Tick) -> Vec<PackId> {
        let state = self.lock();
        let is_touched =
            |pack: &&PackId| state.touched.get(pack).is_some_and(|tick| *tick >= oldest);
        packs
            .iter()
            .filter(|pack| !is_touched(pack))
            .copied()
            .collect()
    }

    /// Notes that packs were condemned before any session that is open.
    pub(crate) fn remember(&self, packs: impl IntoIterator<Item = PackId>) {
        let mut state = self.lock();
        for pack in packs {
            state.condemned.insert(pack, Tick(0));
        }
    }

    /// Notes that packs are condemned.
    pub(crate) fn condemn(&self, packs: impl IntoIterator<Item = PackId>) {
        let mut state = self.lock();
        let now = state.advance();
        for pack in packs {
            state.condemned.insert(pack, now);
        }
    }

    /// Whether a pack may be condemned.
    pub(crate) fn may_be_condemned(&self, pack: PackId) -> bool {
        self.lock().condemned.contains_key(&pack)
    }

    /// Notes that packs are condemned no more, or gone.
    pub(crate) fn forget(&self, packs: impl IntoIterator<Item = PackId>) {
        let mut state = self.lock();
        for pack in packs {
            state.condemned.remove(&pack);
        }
    }

    /// Of the packs that are condemned: those for which every session has ended that was open when
    /// they were.
    pub(crate) fn abandoned(&self, condemned: &HashSet<PackId>, oldest: Tick) -> HashSet<PackId> {
        let state = self.lock();
        let is_over = |pack: &&PackId| state.condemned.get(pack).is_none_or(|tick| *tick < oldest);
        condemned.iter().filter(is_over).copied().collect()
    }

    /// Whether a session is open that was so when a pack was condemned.
    pub(crate) fn has_witness(&self, pack: PackId) -> bool {
        let state = self.lock();
        let condemned = state.condemned.get(&pack);
        condemned.is_some_and(|condemned| state.open.first().is_some_and(|open| open < condemned))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn advance(&mut self) -> Tick {
        self.next += 1;
        Tick(self.next)
    }
}
