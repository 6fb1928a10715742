//! What guests do: read, write, flush.
//!
//! The steady state takes no lock but the shared side of the gate, and allocates nothing.

use std::{
    io,
    ops::Range,
    sync::{RwLockReadGuard, TryLockError, atomic::Ordering},
};

use cairn_blocks::Urgency;

use crate::{
    entries::{Entry, Source, covers, read_slices, resolve},
    error::Error,
    geometry::{BLOCK, Piece, REGION_BLOCKS, block_len, blocks_of, index, pieces, within},
    journal::Appended,
    record::Record,
    state::State,
    sync::share,
    types::{Background, Base, Outcome, Wait, Work},
    volume::{Core, Volume},
};

/// Why a call has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// The gate is being taken.
    Gate,
    /// The journal is full, or a block is held.
    Room,
    /// Bytes are not at hand.
    Bytes,
}

/// What a guest operation wrote to: what a FUA has to sync.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Touched {
    pub(crate) data: bool,
    pub(crate) journal: bool,
}

impl Volume {
    /// Fills `buf` from `offset`.
    ///
    /// # Errors
    /// `InvalidInput` when the range ends beyond the volume; an error of another kind when the base
    /// or the disk cannot be read.
    pub fn read(&self, offset: u64, buf: &mut [u8], wait: Wait) -> io::Result<Outcome> {
        self.core.check_range(offset, buf.len() as u64)?;
        self.core.read(offset, buf, wait)
    }

    /// Writes `data` at `offset`; with `fua` it is durable on return.
    ///
    /// # Errors
    /// `InvalidInput` when the range ends beyond the volume; `StorageFull` when there is no space, and
    /// then nothing is damaged and later writes may succeed.
    pub fn write(&self, offset: u64, data: &[u8], fua: bool, wait: Wait) -> io::Result<Outcome> {
        self.core.check_range(offset, data.len() as u64)?;
        if !self.core.admit_writer(wait)? {
            return Ok(Outcome::WouldBlock);
        }
        let mut touched = Touched::default();
        if self.core.write(offset, data, wait, &mut touched)? == Outcome::WouldBlock {
            return Ok(Outcome::WouldBlock);
        }
        if fua {
            self.core.sync_touched(touched)?;
        }
        Ok(Outcome::Done)
    }

    /// Makes everything durable that was acknowledged before the call.
    ///
    /// # Errors
    /// After a failed sync every flush fails: the volume has to be reopened.
    pub fn flush(&self) -> io::Result<()> {
        self.core.sync_all()
    }
}

impl Core {
    /// The shared side of the gate.
    pub(crate) fn enter(
        &self,
        wait: Wait,
    ) -> io::Result<Result<RwLockReadGuard<'_, State>, Obstacle>> {
        let state = match wait {
            Wait::Yes => share(&self.gate),
            Wait::No => match self.gate.try_read() {
                Ok(state) => state,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return Ok(Err(Obstacle::Gate)),
            },
        };
        if state.closed {
            Err(Error::Closed.into())
        } else {
            Ok(Ok(state))
        }
    }

    /// Syncs what needs it; data and journal side by side if both do.
    pub(crate) fn sync_all(&self) -> io::Result<()> {
        self.failure.check()?;
        self.sync_both(self.data_sync.needs_sync(), self.journal.needs_sync())
    }

    /// Syncs what a FUA write touched. One in place needs the journal too if that holds a fold,
    /// which keeps the replay of older entries away from it.
    pub(crate) fn sync_touched(&self, touched: Touched) -> io::Result<()> {
        self.failure.check()?;
        self.sync_both(touched.data, touched.journal || self.journal.needs_sync())
    }

    fn sync_both(&self, data: bool, journal: bool) -> io::Result<()> {
        match (data, journal) {
            (false, false) => Ok(()),
            (true, false) => self.data_sync.sync(),
            (false, true) => self.journal.sync(),
            (true, true) if self.options.background == Background::Manual => {
                self.data_sync.sync().and_then(|()| self.journal.sync())
            }
            (true, true) => std::thread::scope(|scope| {
                let journal = scope.spawn(|| self.journal.sync());
                let data = self.data_sync.sync();
                let journal = journal
                    .join()
                    .unwrap_or_else(|_| Err(io::Error::other("a sync panicked")));
                data.and(journal)
            }),
        }
    }

    /// Writes, waiting where it may.
    fn write(
        &self,
        offset: u64,
        data: &[u8],
        wait: Wait,
        touched: &mut Touched,
    ) -> io::Result<Outcome> {
        let mut done = 0;
        self.retrying(wait, || {
            self.write_some(offset, data, &mut done, wait, touched)
        })
    }

    /// Tries until there is no obstacle, waiting in between where that is allowed.
    pub(crate) fn retrying(
        &self,
        wait: Wait,
        mut attempt: impl FnMut() -> io::Result<Result<(), Obstacle>>,
    ) -> io::Result<Outcome> {
        let patience = self.patience();
        let mut seen = None;
        loop {
            let is_full = match attempt() {
                Ok(Ok(())) => return Ok(Outcome::Done),
                Ok(Err(_)) => false,
                Err(error) if error.kind() == io::ErrorKind::StorageFull => true,
                Err(error) => return Err(error),
            };
            if wait == Wait::No {
                return Ok(Outcome::WouldBlock);
            }
            // The first time once more, now that what happens next is not missed.
            if let Some(seen) = seen.replace(self.room.now()) {
                self.may_wait(patience)?;
                match is_full {
                    true => self.wait_for_space(seen)?,
                    false => self.wait_for_room(seen)?,
                }
            }
        }
    }

    /// Writes from `done` on, under one hold of the gate.
    fn write_some(
        &self,
        offset: u64,
        data: &[u8],
        done: &mut u64,
        wait: Wait,
        touched: &mut Touched,
    ) -> io::Result<Result<(), Obstacle>> {
        let state = match self.enter(wait)? {
            Ok(state) => state,
            Err(obstacle) => return Ok(Err(obstacle)),
        };
        let len = data.len() as u64;
        while *done < len {
            let at = offset + *done;
            let (in_place, end) = self.run(&state, at, offset + len);
            let part = &data[index(*done)..index(end - offset)];
            if in_place {
                self.mark_dirty(&state, blocks_of(at, part.len() as u64))?;
                self.data.write_all_at(part, at)?;
                self.data_sync.note_write();
                touched.data = true;
            } else if let Err(obstacle) = self.write_journal(&state, at, part, touched)? {
                return Ok(Err(obstacle));
            }
            *done = end - offset;
        }
        Ok(Ok(()))
    }

    /// Whether the block at `offset` is written in place, and where the run of blocks ends that
    /// are written like it. A run to the journal is not longer than a record.
    pub(crate) fn run(&self, state: &State, offset: u64, end: u64) -> (bool, u64) {
        let first = offset / BLOCK;
        let in_place = self.is_in_place(state, first);
        let limit = if in_place {
            end
        } else {
            end.min(offset + self.journal.max_write())
        };
        let alike = (first + 1..)
            .find(|block| block * BLOCK >= limit || self.is_in_place(state, *block) != in_place);
        (
            in_place,
            alike.map_or(limit, |block| limit.min(block * BLOCK)),
        )
    }

    /// Whether a write to a block goes to `data`.
    pub(crate) fn is_in_place(&self, state: &State, block: u64) -> bool {
        self.intents.get(block / REGION_BLOCKS)
            && !self.entries.journaled().get(block)
            && self.is_present(block)
            && !state.is_frozen(block)
    }

    /// Notes in the journal which of the blocks are written in place for the first time in this
    /// epoch. The bit is set after the record is written: whoever sees it may rely on that.
    pub(crate) fn mark_dirty(&self, state: &State, blocks: Range<u64>) -> io::Result<()> {
        let mut at = blocks.start;
        while let Some(block) = state.dirty.next_clear(at, blocks.end) {
            at = state
                .dirty
                .next_set(block, blocks.end)
                .unwrap_or(blocks.end);
            self.journal.append(&Record::Dirty {
                block,
                count: at - block,
            })?;
            state.dirty.set_range(block..at);
        }
        Ok(())
    }

    /// Writes to the journal, and puts entries over the blocks.
    fn write_journal(
        &self,
        state: &State,
        offset: u64,
        data: &[u8],
        touched: &mut Touched,
    ) -> io::Result<Result<(), Obstacle>> {
        let len = data.len() as u64;
        if !self.may_append(offset, len) {
            return Ok(Err(Obstacle::Room));
        }
        let appended = self.journal.write(offset, data)?;
        touched.journal = true;
        self.add_entries(state, offset, len, &appended, |at| {
            Source::of_write(&appended.segment, appended.body, appended.body_len, at)
        });
        Ok(Ok(()))
    }

    /// Whether the journal has room for `len` bytes and no block of the range is held.
    pub(crate) fn may_append(&self, offset: u64, len: u64) -> bool {
        self.journal.has_room(len)
            && !blocks_of(offset, len).any(|block| self.entries.is_held(block))
    }

    /// Puts entries over the blocks of a range, and tells the background work of them.
    pub(crate) fn add_entries(
        &self,
        state: &State,
        offset: u64,
        len: u64,
        appended: &Appended,
        source: impl Fn(u64) -> Source,
    ) {
        for piece in pieces(offset, len) {
            let entry = Entry {
                lsn: appended.lsn,
                start: piece.start,
                len: piece.len,
                source: source(piece.at),
            };
            if u64::from(piece.len) < BLOCK && !self.is_present(piece.block) {
                self.touched.note(piece.block);
            }
            let is_first = self
                .entries
                .insert(piece.block, entry, state.keep_through());
            state.dirty.set(piece.block);
            if is_first {
                self.report_entry(state, piece.block);
            }
        }
    }

    /// Says that a block has an entry, so that it is captured, or given its intent, and folded.
    fn report_entry(&self, state: &State, block: u64) {
        if state.is_frozen(block) {
            self.todo.add_urgent(block);
            return;
        }
        let region = block / REGION_BLOCKS;
        if !self.intents.get(region) {
            self.todo.add_region(region);
        }
        self.todo.add_ready([block]);
        self.work.raise();
    }

    /// Waits until there may be room. Whoever runs the volume by hand has nobody else to wait for,
    /// and does the work here.
    pub(crate) fn wait_for_room(&self, seen: u64) -> io::Result<()> {
        self.failure.check()?;
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let result = match self.options.background {
            Background::Threads => {
                self.work.raise();
                self.room.wait(seen);
                Ok(())
            }
            Background::Manual => match self.work() {
                Ok(Work::Progress) => Ok(()),
                Ok(Work::Idle) => Err(io::Error::new(
                    io::ErrorKind::ResourceBusy,
                    "the journal is full",
                )),
                Err(error) => Err(error.into()),
            },
        };
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        result.and_then(|()| self.failure.check())
    }

    fn read(&self, offset: u64, buf: &mut [u8], wait: Wait) -> io::Result<Outcome> {
        if let Some(outcome) = self.read_plain(offset, buf, wait)? {
            return Ok(outcome);
        }
        for piece in pieces(offset, buf.len() as u64) {
            if self
                .read_piece(&piece, &mut buf[piece.range()], wait)?
                .is_err()
            {
                return Ok(Outcome::WouldBlock);
            }
        }
        Ok(Outcome::Done)
    }

    /// Reads from `data` alone; `None` if some block is not there, or has entries.
    fn read_plain(&self, offset: u64, buf: &mut [u8], wait: Wait) -> io::Result<Option<Outcome>> {
        let Ok(_state) = self.enter(wait)? else {
            return Ok(Some(Outcome::WouldBlock));
        };
        let is_plain = |block| self.is_present(block) && !self.entries.journaled().get(block);
        if !blocks_of(offset, buf.len() as u64).all(is_plain) {
            return Ok(None);
        }
        let done = self.read_data(buf, offset, wait)?;
        Ok(Some(if done {
            Outcome::Done
        } else {
            Outcome::WouldBlock
        }))
    }

    fn read_data(&self, buf: &mut [u8], offset: u64, wait: Wait) -> io::Result<bool> {
        match wait {
            Wait::No => self.data.try_read_exact_at(buf, offset),
            Wait::Yes => self.data.read_exact_at(buf, offset).map(|()| true),
        }
    }

    /// Reads a part of one block.
    fn read_piece(
        &self,
        piece: &Piece,
        buf: &mut [u8],
        wait: Wait,
    ) -> io::Result<Result<(), Obstacle>> {
        loop {
            let base = match self.read_present(piece, buf, wait)? {
                Found::Done => return Ok(Ok(())),
                Found::Obstacle(obstacle) => return Ok(Err(obstacle)),
                Found::Absent(_) if wait == Wait::No => return Ok(Err(Obstacle::Bytes)),
                Found::Absent(base) => base,
            };
            let _hurry = self.store.hurry(Urgency::Demand);
            if !self.is_known(piece.block) {
                self.learn(piece.block)?;
            } else if self.read_absent(piece, buf, base)? {
                return Ok(Ok(()));
            }
        }
    }

    /// Reads from `data` and the journal.
    fn read_present(&self, piece: &Piece, buf: &mut [u8], wait: Wait) -> io::Result<Found> {
        let state = match self.enter(wait)? {
            Ok(state) => state,
            Err(obstacle) => return Ok(Found::Obstacle(obstacle)),
        };
        let range = piece.start..piece.start + piece.len;
        let entries = self.entries.get(piece.block, range.clone(), u64::MAX);
        let slices = resolve(&entries, range);
        if !covers(&slices, piece.len) {
            if !self.is_present(piece.block) {
                return Ok(Found::Absent(state.base));
            }
            if !self.read_data(buf, piece.offset(), wait)? {
                return Ok(Found::Obstacle(Obstacle::Bytes));
            }
        }
        let done = read_slices(&slices, buf, piece.start, wait == Wait::Yes)?;
        Ok(if done {
            Found::Done
        } else {
            Found::Obstacle(Obstacle::Bytes)
        })
    }

    /// Reads from the base and the journal. False if the block came to be present meanwhile: then
    /// entries may be gone that the base does not have.
    fn read_absent(&self, piece: &Piece, buf: &mut [u8], base: Option<Base>) -> io::Result<bool> {
        self.touched.note(piece.block);
        let block = self.base_block(base, piece.block)?;
        self.todo.add_wanted(piece.block);
        self.work.raise();
        let Ok(_state) = self.enter(Wait::Yes)? else {
            return Ok(false);
        };
        if self.is_present(piece.block) {
            return Ok(false);
        }
        let range = piece.start..piece.start + piece.len;
        match block {
            Some(block) => buf.copy_from_slice(&block[piece.start as usize..range.end as usize]),
            None => buf.fill(0),
        }
        let entries = self.entries.get(piece.block, range.clone(), u64::MAX);
        read_slices(&resolve(&entries, range), buf, piece.start, true)
    }

    /// The image of a whole block of `data`: zeros beyond the end of the volume.
    pub(crate) fn read_block(&self, block: u64, size_bytes: u64, buf: &mut [u8]) -> io::Result<()> {
        let len = block_len(block, size_bytes);
        let (inside, beyond) = buf.split_at_mut(within(len) as usize);
        beyond.fill(0);
        self.data.read_exact_at(inside, block * BLOCK)
    }
}

/// What came of looking for a block's bytes.
enum Found {
    Done,
    Obstacle(Obstacle),
    /// They are those of this base.
    Absent(Option<Base>),
}
