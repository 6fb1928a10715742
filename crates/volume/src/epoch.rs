//! Freezing volumes, and ending epochs: commit and abandon.

use std::{
    sync::{Arc, MutexGuard, atomic::Ordering},
    time::Instant,
};

use cairn_blocks::Root;

use crate::{
    error::{Error, IoContext as _},
    geometry::MAX_BLOCKS,
    record::Record,
    state::{Epoch, MAX_EPOCHS, State, block_plane},
    sync::{exclude, lock, share},
    types::{EpochTag, Freeze},
    volume::{Core, Volume},
};

/// Freezes several volumes at one moment: there is a point in time such that every image holds the
/// writes that were acknowledged before it, and none that were asked for after it. Durable on
/// return. If it fails, then no epoch is left pending that can be abandoned; what cannot be is in
/// [`Volume::pending_epochs`].
///
/// # Errors
/// [`Error::TooManyEpochs`] or [`Error::EpochExists`] of any of the volumes, with nothing done.
pub fn freeze_all(volumes: &[(Arc<Volume>, EpochTag)]) -> Result<Freeze, Error> {
    let mut set: Vec<_> = volumes
        .iter()
        .map(|(volume, tag)| (&*volume.core, tag))
        .collect();
    freeze_set(&mut set)
}

impl Volume {
    /// Freezes the volume alone; see [`freeze_all`].
    pub fn freeze(&self, tag: &EpochTag) -> Result<Freeze, Error> {
        freeze_set(&mut [(&*self.core, tag)])
    }

    /// Makes a captured epoch the base: blocks that did not change since need not be captured
    /// again. Repeating the newest commit does nothing.
    ///
    /// # Errors
    /// [`Error::UnknownEpoch`], [`Error::NotCaptured`], and [`Error::OutOfOrder`] while an earlier
    /// epoch is pending.
    pub fn commit(&self, tag: &EpochTag, root: &Root) -> Result<(), Error> {
        self.core.commit(tag, root)
    }

    /// Forgets an epoch, as if it had never been frozen. A capture of it that is under way ends
    /// with [`Error::Cancelled`].
    ///
    /// # Errors
    /// [`Error::UnknownEpoch`].
    pub fn abandon(&self, tag: &EpochTag) -> Result<(), Error> {
        self.core.abandon(tag)
    }
}

/// Freezes volumes, in the order of their serials so that two sets cannot wait for each other.
fn freeze_set(set: &mut [(&Core, &EpochTag)]) -> Result<Freeze, Error> {
    set.sort_by_key(|(core, _)| core.serial);
    if set
        .windows(2)
        .any(|pair| pair[0].0.serial == pair[1].0.serial)
    {
        return Err(Error::Invalid("a volume can be frozen only once at a time"));
    }
    let (result, frozen) = flip(set);
    let result = result.and_then(|freeze| {
        set.iter()
            .try_for_each(|(core, _)| core.make_freeze_durable())?;
        Ok(freeze)
    });
    if result.is_err() {
        for (core, tag) in &set[..frozen] {
            if let Err(error) = core.abandon(tag) {
                tracing::warn!(%tag, %error, "a freeze failed, and its epoch is left pending");
            }
        }
    }
    result
}

/// Takes every gate, and turns what is dirty into the images. Returns how many were turned.
fn flip(set: &[(&Core, &EpochTag)]) -> (Result<Freeze, Error>, usize) {
    let flips: Vec<_> = set.iter().map(|(core, _)| lock(&core.flip)).collect();
    let fresh: Vec<_> = set.iter().map(|_| block_plane()).collect();
    let started = Instant::now();
    let mut gates: Vec<_> = set.iter().map(|(core, _)| exclude(&core.gate)).collect();
    let mut frozen = 0;
    let result = (|| {
        for ((core, tag), state) in set.iter().zip(&gates) {
            core.may_freeze(state, tag)?;
        }
        for (((core, tag), state), fresh) in set.iter().zip(&mut gates).zip(fresh) {
            let record = Record::Epoch {
                tag: (*tag).clone(),
                size_bytes: state.size_bytes,
            };
            let appended = core
                .journal
                .append(&record)
                .context("append to the journal")?;
            state.freeze((*tag).clone(), appended.lsn, fresh);
            frozen += 1;
        }
        Ok(())
    })();
    drop(gates);
    let pause = started.elapsed();
    drop(flips);
    (result.map(|()| Freeze { pause }), frozen)
}

impl Core {
    fn may_freeze(&self, state: &State, tag: &EpochTag) -> Result<(), Error> {
        if state.closed {
            return Err(Error::Closed);
        }
        if self.failure.is_set() {
            return Err(Error::Failed);
        }
        if state.epoch(tag).is_some() {
            return Err(Error::EpochExists(tag.clone()));
        }
        if state.epochs.len() >= MAX_EPOCHS {
            return Err(Error::TooManyEpochs { max: MAX_EPOCHS });
        }
        Ok(())
    }

    /// The bytes in place first, then the record that makes them an image.
    fn make_freeze_durable(&self) -> Result<(), Error> {
        self.data_sync.sync().context("sync the data file")?;
        self.journal.sync().context("sync the journal")
    }

    fn commit(&self, tag: &EpochTag, root: &Root) -> Result<(), Error> {
        let _capturing = lock(&self.capturing);
        let _flip = lock(&self.flip);
        self.check_usable()?;
        if !self.may_commit(&share(&self.gate), tag, root)? {
            return Ok(());
        }
        let record = Record::Commit {
            tag: tag.clone(),
            root: *root,
        };
        self.journal
            .append(&record)
            .context("append to the journal")?;
        exclude(&self.gate).commit(tag, root);
        self.look_again();
        Ok(())
    }

    /// Whether there is something to commit; false if it was done before.
    fn may_commit(&self, state: &State, tag: &EpochTag, root: &Root) -> Result<bool, Error> {
        if state
            .last_commit
            .as_ref()
            .is_some_and(|(last, with)| last == tag && with == root)
        {
            return Ok(false);
        }
        let epoch = in_order(state, tag)?;
        if epoch.size_bytes != root.size_bytes {
            return Err(Error::Invalid("the root is not one of this epoch"));
        }
        match epoch.frozen.next_set(0, MAX_BLOCKS) {
            Some(_) => Err(Error::NotCaptured(tag.clone())),
            None => Ok(true),
        }
    }

    fn abandon(&self, tag: &EpochTag) -> Result<(), Error> {
        loop {
            // Only the oldest epoch can be under capture.
            let is_oldest =
                |state: &State| state.epochs.first().is_some_and(|first| first.tag == *tag);
            let oldest = is_oldest(&share(&self.gate));
            let _capturing = oldest.then(|| self.stop_capture());
            let _flip = lock(&self.flip);
            self.check_usable()?;
            let state = share(&self.gate);
            if state.epoch(tag).is_none() {
                return Err(Error::UnknownEpoch(tag.clone()));
            }
            if oldest || !is_oldest(&state) {
                drop(state);
                return self.end_abandoned(tag);
            }
        }
    }

    /// Ends a capture that is under way, and keeps others from beginning.
    pub(crate) fn stop_capture(&self) -> MutexGuard<'_, ()> {
        self.stop_capture.store(true, Ordering::SeqCst);
        let capturing = lock(&self.capturing);
        self.stop_capture.store(false, Ordering::SeqCst);
        capturing
    }

    /// To be called with `flip` held. The record is durable before any block may change in
    /// place: else a power loss could bring an epoch back whose image is no longer there.
    fn end_abandoned(&self, tag: &EpochTag) -> Result<(), Error> {
        let record = Record::Abandon { tag: tag.clone() };
        let appended = self
            .journal
            .append(&record)
            .context("append to the journal")?;
        self.journal
            .sync_to(appended.end)
            .context("sync the journal")?;
        exclude(&self.gate).abandon(tag);
        self.look_again();
        Ok(())
    }

    /// After an epoch ended, any block with entries may be one that can be folded.
    fn look_again(&self) {
        self.todo
            .add_ready(self.entries.journaled().ones(0..MAX_BLOCKS));
        self.work.raise();
    }
}

/// The epoch of a tag, if it is the oldest one.
pub(crate) fn in_order<'a>(state: &'a State, tag: &EpochTag) -> Result<&'a Epoch, Error> {
    let epoch = state
        .epoch(tag)
        .ok_or_else(|| Error::UnknownEpoch(tag.clone()))?;
    match state.epochs.first() {
        Some(first) if first.tag != *tag => Err(Error::OutOfOrder {
            first: first.tag.clone(),
        }),
        _ => Ok(epoch),
    }
}
