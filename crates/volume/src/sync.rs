//! Locks, group commit, and the signal that wakes whoever waits.

use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU64, Ordering, fence},
    },
    time::Duration,
};

use cairn_blocks::disk::DiskFile;

use crate::error::Error;

/// Locks, also after a panic elsewhere: what the locks here guard is consistent between
/// statements, and a volume that stops answering is worse.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As [`lock`], for sharing.
pub(crate) fn share<T>(gate: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    gate.read().unwrap_or_else(PoisonError::into_inner)
}

/// As [`lock`], for having it alone.
pub(crate) fn exclude<T>(gate: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    gate.write().unwrap_or_else(PoisonError::into_inner)
}

/// Syncs of the data file. Callers that come together share one.
#[derive(Debug)]
pub(crate) struct DataSync {
    file: Arc<dyn DiskFile>,
    /// Whether something was written since the last sync began.
    unsynced: AtomicBool,
    /// How many rounds were begun and ended. Rounds never overlap.
    begun: AtomicU64,
    ended: AtomicU64,
    round: Mutex<()>,
    failure: Arc<Failure>,
}

impl DataSync {
    /// For a file that may hold unsynced bytes of an earlier process.
    pub(crate) fn new(file: Arc<dyn DiskFile>, failure: Arc<Failure>) -> Self {
        Self {
            file,
            failure,
            unsynced: AtomicBool::new(true),
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            round: Mutex::new(()),
        }
    }

    /// Notes that something was written. To be called after the write and before it is
    /// acknowledged. Steady state is a load of a cache line that nobody writes.
    pub(crate) fn note_write(&self) {
        fence(Ordering::SeqCst);
        if !self.unsynced.load(Ordering::SeqCst) {
            self.unsynced.store(true, Ordering::SeqCst);
        }
    }

    /// Whether a sync has something to do.
    pub(crate) fn needs_sync(&self) -> bool {
        self.unsynced.load(Ordering::SeqCst)
            || self.begun.load(Ordering::SeqCst) != self.ended.load(Ordering::SeqCst)
    }

    /// Makes everything durable that was noted before the call.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let begun_before = self.begun.load(Ordering::SeqCst);
        let _round = lock(&self.round);
        self.failure.check()?;
        if self.ended.load(Ordering::SeqCst) > begun_before {
            return Ok(());
        }
        let this = self.begun.load(Ordering::SeqCst) + 1;
        self.begun.store(this, Ordering::SeqCst);
        if self.unsynced.swap(false, Ordering::SeqCst) {
            self.failure.noting(self.file.sync_data())?;
        }
        self.ended.store(this, Ordering::SeqCst);
        Ok(())
    }

    /// Syncs whatever was written, noted or not, and by itself.
    pub(crate) fn sync_now(&self) -> io::Result<()> {
        self.failure.check()?;
        self.failure.noting(self.file.sync_data())
    }
}

/// Whether a sync ever failed. The kernel reports a lost page once and then forgets it, so that
/// no later sync can be believed.
#[derive(Debug, Default)]
pub(crate) struct Failure(AtomicBool);

impl Failure {
    /// Whether a sync failed.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Refuses when a sync failed.
    pub(crate) fn check(&self) -> io::Result<()> {
        if self.is_set() {
            Err(io::Error::other(Error::Failed))
        } else {
            Ok(())
        }
    }

    /// Fails the volume for another reason than a sync.
    pub(crate) fn give_up(&self, why: &str) {
        tracing::error!(why, "the volume has to be reopened");
        self.0.store(true, Ordering::SeqCst);
    }

    /// Passes on the result of a sync, and remembers if it is a failure.
    pub(crate) fn noting(&self, result: io::Result<()>) -> io::Result<()> {
        if let Err(error) = &result {
            tracing::error!(%error, "a sync failed; the volume has to be reopened");
            self.0.store(true, Ordering::SeqCst);
        }
        result
    }
}

/// Something changed: a counter to wait for.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Signal {
    /// The counter now; to be read before looking at the state that is waited for.
    pub(crate) fn now(&self) -> u64 {
        *lock(&self.count)
    }

    /// Says that something changed.
    pub(crate) fn raise(&self) {
        *lock(&self.count) += 1;
        self.changed.notify_all();
    }

    /// Waits until something changed since `seen`.
    pub(crate) fn wait(&self, seen: u64) {
        let count = lock(&self.count);
        drop(
            self.changed
                .wait_while(count, |count| *count == seen)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    /// As [`wait`](Self::wait), but not for longer than `limit`.
    pub(crate) fn wait_at_most(&self, seen: u64, limit: Duration) {
        let count = lock(&self.count);
        drop(
            self.changed
                .wait_timeout_while(count, limit, |count| *count == seen),
        );
    }
}
