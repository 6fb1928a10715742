//! Writing checkpoints while the volume is in use.

use std::sync::{Arc, atomic::Ordering};

use crate::{
    checkpoint::{self, Checkpoint, Slot},
    error::{Error, IoContext as _},
    geometry::{LEAF_BLOCKS, block_count},
    state::{Epoch, State},
    sync::{exclude, lock, share},
    volume::Core,
};

/// Where the next checkpoint goes.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    slot: Slot,
    sequence: u64,
    /// What the newest checkpoint still needs of the journal. The segments are kept that this one
    /// and the one before need, so that a damaged checkpoint does not lose the volume.
    tail: u64,
    /// The log's end then.
    end: u64,
}

impl Checkpoints {
    pub(crate) fn new(slot: Slot, sequence: u64, tail: u64) -> Self {
        Self {
            slot,
            sequence,
            tail,
            end: tail,
        }
    }

    /// Notes that a checkpoint is durable; returns the tail of the one before.
    fn wrote(&mut self, checkpoint: &Checkpoint) -> u64 {
        self.slot = self.slot.other();
        self.sequence += 1;
        self.end = checkpoint.replay_from;
        std::mem::replace(&mut self.tail, checkpoint.tail)
    }
}

impl Core {
    /// Writes a checkpoint, and lets go of the part of the journal that is no longer needed.
    /// `clean` says that nothing will be written any more.
    pub(crate) fn checkpoint(&self, clean: bool) -> Result<(), Error> {
        if self.failure.is_set() {
            return Err(Error::Failed);
        }
        let mut checkpoints = lock(&self.checkpoints);
        let checkpoint = Checkpoint {
            clean,
            ..self.look(checkpoints.sequence)
        };
        // To its end: an entry that came meanwhile may have hidden one, which then no longer
        // holds the tail back.
        self.journal
            .sync_to(self.journal.end())
            .context("sync the journal")?;
        checkpoint::write(
            &*self.disk,
            &self.dir,
            checkpoints.slot,
            &checkpoint.encode(self.keys.as_ref())?,
        )?;
        let tail = checkpoints.wrote(&checkpoint);
        let trimmed = self.journal.trim(tail).context("remove a journal segment");
        self.room.raise();
        trimmed
    }

    /// The state as of the log's end now. Meanwhile dirty bits may be set and leaves learned; the
    /// first is replayed, and the second does no harm.
    fn look(&self, sequence: u64) -> Checkpoint {
        let _flip = lock(&self.flip);
        let (end, segments, next_segment) = {
            // Alone for a moment: every record below the end was applied.
            let _gate = exclude(&self.gate);
            self.journal.layout()
        };
        let state = share(&self.gate);
        // A leaf is known after its blocks were marked present, and a region has its intent after
        // that. So those planes are copied first.
        let (known, intents) = (self.known.copy(), self.recorded_intents.copy());
        Checkpoint {
            sequence,
            replay_from: end,
            tail: self.entries.oldest().unwrap_or(end).min(end),
            incarnation: self.journal.incarnation(),
            next_segment,
            clean: false,
            boot_id: self.options.boot_id.clone(),
            domain: state.domain,
            size_bytes: self.planned_size.load(Ordering::SeqCst),
            base: state.base,
            all_present: self.all_present.load(Ordering::Acquire),
            last_commit: state.last_commit.clone(),
            segments,
            epochs: copy_epochs(&state),
            present: self.present.copy(),
            known,
            intents,
            dirty: state.dirty.copy(),
        }
    }

    /// Whether the journal grew enough for a checkpoint, or one would free what writers wait for,
    /// or tidy up while nothing else is to be done.
    pub(crate) fn wants_checkpoint(&self, idle: bool) -> bool {
        let checkpoints = lock(&self.checkpoints);
        let end = self.journal.end();
        if end - checkpoints.end >= self.options.journal_cap_bytes / 4 {
            return true;
        }
        let writers_wait = self.waiting.load(Ordering::SeqCst) > 0;
        let may_tidy = idle && self.journal.segments() > 1;
        if !(writers_wait || may_tidy) {
            return false;
        }
        let oldest = self.entries.oldest();
        // The journal may have grown since `end` was read: what it uses may exceed that.
        let untrimmed = end < checkpoints.tail + self.journal.used();
        let frees = untrimmed || checkpoints.tail < oldest.unwrap_or(end);
        frees && (writers_wait || oldest.is_none())
    }

    /// Makes the volume larger.
    pub(crate) fn grow(&self, size_bytes: u64) -> Result<(), Error> {
        let old = self.size_bytes.load(Ordering::Acquire);
        self.data
            .set_len(size_bytes)
            .context("grow the data file")?;
        self.data_sync.sync_now().context("sync the data file")?;
        // The checkpoint is durable before a record can name what is beyond the old size.
        self.planned_size.fetch_max(size_bytes, Ordering::SeqCst);
        self.checkpoint(false)?;
        let _learning = lock(&self.learning);
        let mut state = exclude(&self.gate);
        self.known.clear(block_count(old) / LEAF_BLOCKS);
        state.size_bytes = size_bytes;
        self.size_bytes.store(size_bytes, Ordering::Release);
        Ok(())
    }
}

fn copy_epochs(state: &State) -> Vec<Epoch> {
    let copy = |epoch: &Epoch| Epoch {
        tag: epoch.tag.clone(),
        lsn: epoch.lsn,
        size_bytes: epoch.size_bytes,
        frozen: Arc::new(epoch.frozen.copy()),
        released: epoch.released.clone(),
    };
    state.epochs.iter().map(copy).collect()
}
