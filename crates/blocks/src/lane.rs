//! The packs that one domain is writing of one kind, and their group commit.
//!
//! A blob goes through three states: *appended* (in a pack, in `pending`, readable, not
//! durable), *committed* (its pack was synced, then the index was told), and, when a sync
//! fails, *lost*. After a failed sync nobody can tell which bytes the device holds, so every
//! blob not yet committed is forgotten, its pack is never touched again, and a new one is begun.
//! [`Lane::sync`] fails until every lost blob has been put again: whoever put it has been told
//! that it is there, and must not be told by a later sync that it is durable.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    cipher::Keys,
    disk::{Disk, DiskFile},
    error::{Error, IoContext as _},
    frame::Frame,
    pack::{PackFiles, PackWriter},
    pack_format::PackHeader,
    session::Sessions,
    types::{BlobId, BlobIndex, BlobKind, DomainId, Location, PackId},
};

/// Full packs that may wait for a sync before a put has to do one: what bounds the memory for
/// blobs that nobody syncs.
const MAX_FULL_PACKS: usize = 4;

/// What all lanes of a store share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    pub(crate) index: Arc<dyn BlobIndex>,
    pub(crate) keys: Keys,
    pub(crate) files: PackFiles,
    pub(crate) counters: Counters,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) pack_target_bytes: u64,
    pub(crate) writer_epoch: u64,
}

impl Shared {
    /// Begins a pack.
    pub(crate) fn create_pack(
        &self,
        domain: DomainId,
        kind: BlobKind,
    ) -> Result<PackWriter, Error> {
        let domain_key = self.keys.of(domain)?;
        let pack = self.index.allocate_pack()?;
        let (encryption, key) = self.keys.of_new_pack(&domain_key, pack);
        let header = PackHeader {
            kind,
            domain,
            pack,
            writer_epoch: self.writer_epoch,
            encryption,
        };
        PackWriter::create(&*self.disk, &self.dir, &header, key)
    }
}

/// What was stored since the store was opened.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) blobs: AtomicU64,
    pub(crate) plain_bytes: AtomicU64,
    pub(crate) stored_bytes: AtomicU64,
}

/// What became of a blob that was to be appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It is in a pack now.
    New,
    /// Somebody else has put it meanwhile.
    Known,
    /// The index has learned of blobs since the caller asked it, maybe of this one: ask again.
    Stale,
}

/// How often the index was told of blobs of this lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation(u64);

/// See the head of this file.
#[derive(Debug)]
pub(crate) struct Lane {
    domain: DomainId,
    kind: BlobKind,
    shared: Arc<Shared>,
    state: Mutex<State>,
    committed: Condvar,
}

#[derive(Debug)]
struct State {
    open: Option<PackWriter>,
    /// Packs that are finished, but not yet synced and renamed.
    full: Vec<PackWriter>,
    /// Blobs appended and not yet committed.
    pending: HashMap<BlobId, Location>,
    lost: HashSet<BlobId>,
    losses: u64,
    appended: u64,
    committed: u64,
    generation: Generation,
    committing: bool,
}

/// One group commit: everything appended up to a point.
#[derive(Debug)]
struct Round {
    files: Vec<Arc<dyn DiskFile>>,
    full: Vec<PackWriter>,
    open: Option<PackId>,
    has_new_names: bool,
    blobs: Vec<(BlobId, Location)>,
    appended: u64,
}

/// What a failed round leaves behind.
enum Failure {
    /// A sync failed: the bytes may be gone.
    Lost(Error),
    /// The bytes are durable; what comes after can be tried again.
    Retry(Error),
}

impl Lane {
    pub(crate) fn new(domain: DomainId, kind: BlobKind, shared: Arc<Shared>) -> Self {
        let state = State {
            open: None,
            full: Vec::new(),
            pending: HashMap::new(),
            lost: HashSet::new(),
            losses: 0,
            appended: 0,
            committed: 0,
            generation: Generation(0),
            committing: false,
        };
        Self {
            domain,
            kind,
            shared,
            state: Mutex::new(state),
            committed: Condvar::new(),
        }
    }

    /// Where a blob lies that is appended and not yet committed.
    pub(crate) fn find_pending(&self, id: &BlobId) -> Option<Location> {
        self.lock().pending.get(id).copied()
    }

    /// Which of `ids` are pending, and the generation to hand to [`append`](Self::append) for
    /// those that are not, if the index does not know them either. Touches the packs of those that
    /// are.
    pub(crate) fn look(&self, ids: &[BlobId]) -> (Vec<bool>, Generation) {
        let state = self.lock();
        let pending: Vec<_> = ids.iter().map(|id| state.pending.get(id)).collect();
        let packs = pending.iter().flatten().map(|location| location.pack);
        self.shared.sessions.touch(packs);
        let is_pending = pending.iter().map(Option::is_some).collect();
        (is_pending, state.generation)
    }

    /// The packs with blobs that are not committed.
    pub(crate) fn pending_packs(&self) -> HashSet<PackId> {
        let state = self.lock();
        state
            .pending
            .values()
            .map(|location| location.pack)
            .collect()
    }

    /// Appends a blob that neither the lane nor, as of `seen`, the index knows.
    pub(crate) fn append(&self, frame: Frame<'_>, seen: Generation) -> Result<Appended, Error> {
        let mut state = self.lock();
        let id = frame.id();
        if let Some(location) = state.pending.get(&id) {
            self.shared.sessions.touch([location.pack]);
            return Ok(Appended::Known);
        }
        if state.generation != seen {
            return Ok(Appended::Stale);
        }
        let location = self.writable_pack(&mut state)?.append(frame)?;
        self.shared.sessions.touch([location.pack]);
        state.pending.insert(id, location);
        state.lost.remove(&id);
        state.appended += 1;
        self.count(&location);
        Ok(Appended::New)
    }

    /// Commits when so many packs are full that a put has to wait for the disk.
    pub(crate) fn relieve(&self) -> Result<(), Error> {
        let state = self.wait_for_commit(self.lock());
        if state.full.len() < MAX_FULL_PACKS {
            Ok(())
        } else {
            self.commit(state)
        }
    }

    /// Whether [`relieve`](Self::relieve) has something to do.
    pub(crate) fn is_burdened(&self) -> bool {
        self.lock().full.len() >= MAX_FULL_PACKS
    }

    /// Makes durable and records what was appended before the call. Callers that come while a
    /// commit runs share the next one.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        let mut state = self.lock();
        let (wanted, losses) = (state.appended, state.losses);
        loop {
            if !state.lost.is_empty() || state.losses != losses {
                return Err(Error::Lost {
                    domain: self.domain,
                    blobs: state.lost.len(),
                });
            }
            if state.committed >= wanted {
                return Ok(());
            }
            if state.committing {
                state = self.wait(state);
                continue;
            }
            self.commit(state)?;
            state = self.lock();
        }
    }

    /// Seals the open pack, so that it needs no recovery, and commits.
    pub(crate) fn seal(&self) -> Result<(), Error> {
        let mut state = self.wait_for_commit(self.lock());
        if state.open.as_ref().is_some_and(|pack| !pack.is_empty()) {
            finish_open(&mut state)?;
        }
        if !state.full.is_empty() || state.committed < state.appended {
            self.commit(state)?;
        } else {
            drop(state);
        }
        self.sync()
    }

    /// As [`seal`](Self::seal), if the open pack is one of these.
    pub(crate) fn seal_one_of(&self, packs: &HashSet<PackId>) -> Result<(), Error> {
        let open = self.lock().open.as_ref().map(PackWriter::id);
        match open.is_some_and(|pack| packs.contains(&pack)) {
            true => self.seal(),
            false => Ok(()),
        }
    }

    /// The pack to append to: the open one, or a new one if that is full.
    fn writable_pack<'a>(&self, state: &'a mut State) -> Result<&'a mut PackWriter, Error> {
        if state
            .open
            .as_ref()
            .is_some_and(|pack| pack.len() >= self.shared.pack_target_bytes)
        {
            finish_open(state)?;
        }
        match state.open {
            Some(ref mut pack) => Ok(pack),
            None => Ok(state.open.insert(self.create_pack()?)),
        }
    }

    fn create_pack(&self) -> Result<PackWriter, Error> {
        let pack = self.shared.create_pack(self.domain, self.kind)?;
        self.shared.files.add_unsealed(pack.id(), pack.file());
        Ok(pack)
    }

    fn count(&self, location: &Location) {
        let counters = &self.shared.counters;
        counters.blobs.fetch_add(1, Ordering::Relaxed);
        counters
            .plain_bytes
            .fetch_add(location.plain_len.into(), Ordering::Relaxed);
        counters
            .stored_bytes
            .fetch_add(location.stored_len.into(), Ordering::Relaxed);
    }

    /// Runs one round outside the lock; the caller has made sure that no other is running.
    fn commit(&self, mut state: MutexGuard<'_, State>) -> Result<(), Error> {
        let mut round = Round::begin(&mut state);
        drop(state);
        let turn = Turn(self);
        let outcome = self.run(&mut round);
        let mut state = self.lock();
        let result = match outcome {
            Ok(()) => {
                round.succeed(&mut state);
                Ok(())
            }
            Err(Failure::Lost(error)) => {
                state.lose();
                Err(error)
            }
            Err(Failure::Retry(error)) => {
                round.put_back(&mut state);
                Err(error)
            }
        };
        drop(state);
        drop(turn);
        result
    }

    /// Bytes, then names, then the index: never in another order.
    fn run(&self, round: &mut Round) -> Result<(), Failure> {
        for file in &round.files {
            file.sync_data()
                .context("sync pack in", &self.shared.dir)
                .map_err(Failure::Lost)?;
        }
        for pack in &mut round.full {
            pack.rename(&*self.shared.disk, &self.shared.dir)
                .map_err(Failure::Retry)?;
            self.shared.files.sealed(pack.id());
        }
        if round.has_new_names {
            let dir = &self.shared.dir;
            self.shared
                .disk
                .sync_dir(dir)
                .context("sync directory", dir)
                .map_err(Failure::Lost)?;
        }
        if !round.blobs.is_empty() {
            self.shared
                .index
                .insert(self.domain, &round.blobs)
                .map_err(|error| Failure::Retry(error.into()))?;
        }
        Ok(())
    }

    fn wait_for_commit<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        while state.committing {
            state = self.wait(state);
        }
        state
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.committed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Forgets every blob that is not committed, and the packs that hold them.
    fn lose(&mut self) {
        self.lost.extend(self.pending.drain().map(|(id, _)| id));
        self.open = None;
        self.full.clear();
        self.losses += 1;
        self.committed = self.appended;
    }
}

impl Round {
    fn begin(state: &mut State) -> Self {
        state.committing = true;
        let full = std::mem::take(&mut state.full);
        let writers = || full.iter().chain(&state.open);
        let files = writers().map(|pack| Arc::clone(pack.file())).collect();
        let has_new_names = !full.is_empty() || writers().any(|pack| !pack.named);
        let mut blobs: Vec<_> = state
            .pending
            .iter()
            .map(|(id, location)| (*id, *location))
            .collect();
        blobs.sort_unstable_by_key(|(_, location)| (location.pack, location.slot));
        let open = state.open.as_ref().map(PackWriter::id);
        Self {
            files,
            full,
            open,
            has_new_names,
            blobs,
            appended: state.appended,
        }
    }

    fn succeed(self, state: &mut State) {
        for (id, _) in &self.blobs {
            state.pending.remove(id);
        }
        let named = state
            .open
            .iter_mut()
            .chain(&mut state.full)
            .find(|pack| Some(pack.id()) == self.open);
        if let Some(pack) = named {
            pack.named = true;
        }
        state.committed = self.appended;
        state.generation.0 += 1;
    }

    /// Keeps the sealed packs for the next round, so that their renaming is not forgotten.
    fn put_back(self, state: &mut State) {
        state.full.splice(0..0, self.full);
    }
}

/// Lets the next round begin, however this one ended.
struct Turn<'a>(&'a Lane);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.lock().committing = false;
        self.0.committed.notify_all();
    }
}

/// Writes the table of the open pack and puts it among the full ones.
fn finish_open(state: &mut State) -> Result<(), Error> {
    if let Some(pack) = &mut state.open {
        pack.finish()?;
    }
    state.full.extend(state.open.take());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Density, FsDisk, MemoryIndex, frame::with_frame};

    fn append(lane: &Lane, n: u8, seen: Generation) -> Appended {
        let append = |frame: Frame<'_>| lane.append(frame, seen).unwrap();
        with_frame(
            BlobId([n; 32]),
            (BlobKind::Data, Density::Usual),
            &[n; 1000],
            append,
        )
        .unwrap()
    }

    /// A commit that came while the blob was being compressed may have been of the same blob.
    #[test]
    fn what_was_looked_up_before_a_commit_is_looked_up_again() {
        let dir = tempfile::tempdir().unwrap();
        let disk: Arc<dyn Disk> = Arc::new(FsDisk);
        let shared = Shared {
            files: PackFiles::new(Arc::clone(&disk), dir.path().to_path_buf()),
            disk,
            dir: dir.path().to_path_buf(),
            index: Arc::new(MemoryIndex::new()),
            keys: Keys::new(Arc::new(crate::NoKeys)),
            counters: Counters::default(),
            sessions: Arc::default(),
            pack_target_bytes: 1 << 20,
            writer_epoch: 0,
        };
        let lane = Lane::new(DomainId(1), BlobKind::Data, Arc::new(shared));
        let (_, seen) = lane.look(&[BlobId([1; 32])]);
        assert_eq!(append(&lane, 1, seen), Appended::New);
        assert_eq!(append(&lane, 1, seen), Appended::Known);
        lane.sync().unwrap();
        assert_eq!(append(&lane, 1, seen), Appended::Stale);
    }
}
