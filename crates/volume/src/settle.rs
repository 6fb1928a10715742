//! Fold and hydrate: bringing blocks to rest, so that they are read from `data` alone and written in
//! place.
//!
//! To settle a block is to write its whole content into `data`: the base, if the block is absent,
//! and then its entries. A block that is frozen is left alone until its image was captured.

use std::{
    collections::{BTreeSet, HashSet},
    io,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use cairn_blocks::{BLOCK_SIZE, Urgency, is_zero};

use crate::{
    entries::{Entry, Slice, Source, covers, read_slices, resolve},
    error::{Error, IoContext as _},
    geometry::{BLOCK, LEAF_BLOCKS, block_len, within},
    record::Record,
    sync::{exclude, lock},
    types::{Background, Base},
    volume::Core,
};

/// Blocks that are settled between two syncs: 16 MiB.
const BATCH: usize = 32;

/// How long what is fetched ahead waits when somebody more urgent came: twice as long each time that
/// somebody has come again, from the first to the second.
const GIVE_WAY: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(800)];

/// The state of whoever settles.
#[derive(Debug, Default)]
pub(crate) struct Settling {
    /// Where the search for absent blocks goes on.
    cursor: u64,
    /// Where the boot set goes on.
    boot_at: usize,
    /// Blocks that could not be read from the base. The search passes them by; those with entries
    /// are tried again after a while, and any when a reader could read it.
    unreadable: HashSet<u64>,
    /// One block's bytes.
    scratch: Vec<u8>,
    /// When the next blocks that nobody has read are due, at the rate that was asked for.
    next: Option<Instant>,
    /// Until when whatever may give way does.
    resting: Option<Instant>,
    /// How long to wait if somebody more urgent comes; `None` if nobody did the last time.
    patience: Option<Duration>,
}

impl Settling {
    /// How long it is until something is due that is not.
    fn pause(&self) -> Option<Duration> {
        let now = Instant::now();
        let waits = [self.next, self.resting].into_iter().flatten();
        waits
            .map(|due| due.saturating_duration_since(now))
            .filter(|left| !left.is_zero())
            .min()
    }

    /// Whether to leave the disk to guests now.
    fn is_resting(&self) -> bool {
        self.resting.is_some_and(|until| Instant::now() < until)
    }

    /// How long to wait now that somebody more urgent came, or did not. At a rate that was asked
    /// for the wait does not grow.
    fn give_way(&mut self, is_outranked: bool, has_rate: bool) -> Option<Duration> {
        let [least, most] = GIVE_WAY;
        self.patience = is_outranked.then(|| match self.patience {
            Some(before) if !has_rate => (before * 2).min(most),
            _ => least,
        });
        self.patience
    }
}

/// A block being settled.
#[derive(Debug)]
struct Job {
    block: u64,
    absent: bool,
    /// Oldest first.
    entries: Vec<Entry>,
}

impl Job {
    /// The LSN up to which entries are settled; zero, which no entry has, if there are none.
    fn through(&self) -> u64 {
        self.entries.last().map_or(0, |entry| entry.lsn)
    }
}

/// Blocks to settle, in this order, each once.
#[derive(Debug)]
struct Batch {
    blocks: Vec<u64>,
    urgency: Urgency,
    /// Guests have read them.
    were_read: bool,
}

impl Core {
    /// Settles some blocks, those first that were asked for. False if there was nothing to do.
    pub(crate) fn settle_some(&self) -> Result<bool, Error> {
        let mut settling = lock(&self.settling);
        let (begun, boot_at) = (Instant::now(), settling.boot_at);
        let batch = self.next_batch(&mut settling)?;
        if batch.blocks.is_empty() {
            return Ok(false);
        }
        let hurry = self.store.hurry(batch.urgency);
        let result = self.settle(&mut settling, &batch);
        drop(hurry);
        let left = result.as_deref().unwrap_or(&batch.blocks);
        if batch.urgency != Urgency::Demand && self.options.background == Background::Threads {
            let has_rate = self.options.hydration_rate.is_some();
            let wait = settling.give_way(!left.is_empty(), has_rate);
            settling.resting = wait.map(|wait| Instant::now() + wait);
            if !batch.were_read {
                settling.next = self.due_after(begun, batch.blocks.len() - left.len());
            }
        }
        if let Some(first) = left.iter().min() {
            // None of them is passed by.
            settling.cursor = settling.cursor.min(*first);
            settling.boot_at = boot_at;
            if batch.were_read {
                left.iter().for_each(|block| self.todo.add_wanted(*block));
            }
            left.iter().for_each(|block| self.entries.let_go(*block));
            let journaled = |block: &u64| self.entries.journaled().get(*block);
            self.todo.add_ready(left.iter().copied().filter(journaled));
        }
        self.room.raise();
        result.map(|_| true)
    }

    /// What comes next: what guests wrote; what they read, which they have, and which is written
    /// here so that it need not be fetched again; the boot set; the rest.
    fn next_batch(&self, settling: &mut Settling) -> Result<Batch, Error> {
        let mut batch = Batch {
            blocks: self.todo.take_ready(BATCH).into_iter().collect(),
            urgency: Urgency::Demand,
            were_read: false,
        };
        if !batch.blocks.is_empty() || settling.is_resting() {
            return Ok(batch);
        }
        batch.urgency = Urgency::BootSet;
        batch.blocks = self.todo.take_wanted(BATCH).into_iter().collect();
        batch.were_read = !batch.blocks.is_empty();
        if batch.were_read || !self.options.hydrate || settling.pause().is_some() {
            return Ok(batch);
        }
        batch.blocks = self.next_of_boot_set(settling);
        if batch.blocks.is_empty() {
            batch.urgency = Urgency::Hydration;
            batch.blocks = self.next_absent(settling)?.into_iter().collect();
        }
        Ok(batch)
    }

    /// The next absent blocks of the boot set, in its order.
    fn next_of_boot_set(&self, settling: &mut Settling) -> Vec<u64> {
        let mut found = Vec::new();
        while found.len() < BATCH
            && let Some(block) = self.options.boot_set.get(settling.boot_at).copied()
        {
            settling.boot_at += 1;
            let is_wanted = block < self.blocks()
                && !found.contains(&block)
                && !settling.unreadable.contains(&block)
                && self.is_absent(block);
            if is_wanted {
                found.push(block);
            }
        }
        found
    }

    /// Whether the base has a block that `data` has not. A boot set is a hint: if the base cannot
    /// say so now, the search for the rest will ask again.
    fn is_absent(&self, block: u64) -> bool {
        if !self.is_known(block)
            && let Err(error) = self.learn(block)
        {
            tracing::warn!(block, %error, "the base cannot be read");
            return false;
        }
        !self.is_present(block)
    }

    /// When the next blocks are due after so many since `begun`, at the rate that is asked for.
    fn due_after(&self, begun: Instant, blocks: usize) -> Option<Instant> {
        let rate = self.options.hydration_rate?;
        let bytes = blocks as u64 * BLOCK;
        Some(begun + Duration::from_millis(bytes * 1000 / rate))
    }

    /// How long until absent blocks are due, if they are not.
    pub(crate) fn hydration_pause(&self) -> Option<Duration> {
        lock(&self.settling).pause()
    }

    /// Puts the blocks with entries whose base could not be read back on the list.
    pub(crate) fn retry_unreadable(&self) {
        let journaled = |block: &u64| self.entries.journaled().get(*block);
        let again = std::mem::take(&mut lock(&self.settling).unreadable);
        self.todo.add_ready(again.into_iter().filter(journaled));
    }

    /// Whether blocks with entries wait for their base to be readable.
    pub(crate) fn has_unreadable(&self) -> bool {
        lock(&self.settling)
            .unreadable
            .iter()
            .any(|block| self.entries.journaled().get(*block))
    }

    /// The next absent blocks in the order of the volume. When there are none left, the base is
    /// no longer needed.
    fn next_absent(&self, settling: &mut Settling) -> Result<BTreeSet<u64>, Error> {
        let blocks = self.blocks();
        let mut found = BTreeSet::new();
        if self.all_present.load(Ordering::Acquire) {
            return Ok(found);
        }
        while settling.cursor < blocks && found.len() < BATCH {
            let Some(block) = self.present.next_clear(settling.cursor, blocks) else {
                settling.cursor = blocks;
                break;
            };
            if !self.known.get(block / LEAF_BLOCKS) {
                settling.cursor = block;
                self.learn(block)?;
                continue;
            }
            settling.cursor = block + 1;
            if !settling.unreadable.contains(&block) {
                found.insert(block);
            }
        }
        if found.is_empty() && self.present.next_clear(0, blocks).is_none() {
            self.all_present.store(true, Ordering::Release);
        }
        Ok(found)
    }

    /// Settles the blocks of a batch. Returns those that are left for later, as somebody more urgent
    /// reads; never all of them, so that it comes to an end however long that goes on.
    fn settle(&self, settling: &mut Settling, batch: &Batch) -> Result<Vec<u64>, Error> {
        let blocks = &batch.blocks;
        for block in blocks.iter().filter(|block| !self.is_known(**block)) {
            if let Err(error) = self.learn(*block) {
                tracing::warn!(block, %error, "the base cannot be read");
                settling.unreadable.insert(*block);
            }
        }
        let (base, size_bytes, jobs) = self.begin(blocks);
        // What `data` holds may never be newer than what the journal holds durably: after a power
        // loss the block would have changed, and nothing would say so.
        self.journal.sync().context("sync the journal")?;
        let (mut settled, mut left) = (Vec::with_capacity(jobs.len()), Vec::new());
        for job in jobs {
            if !settled.is_empty() && self.store.is_outranked(batch.urgency) {
                left.push(job.block);
            } else if self.write_job(settling, base, size_bytes, &job)? {
                settled.push((job.block, job.through()));
            } else {
                self.entries.let_go(job.block);
            }
        }
        if settled.is_empty() {
            return Ok(left);
        }
        self.data_sync.sync_now().context("sync the data file")?;
        self.finish(settled)?;
        Ok(left)
    }

    /// Looks at the blocks, alone: no write in place to a block that has entries is under way
    /// after this.
    fn begin(&self, blocks: &[u64]) -> (Option<Base>, u64, Vec<Job>) {
        let state = exclude(&self.gate);
        let wanted = |block: &&u64| !state.is_frozen(**block) && self.is_known(**block);
        let mut jobs = Vec::new();
        for block in blocks.iter().filter(wanted) {
            let entries = self.entries.get(*block, 0..within(BLOCK), u64::MAX);
            let absent = !self.is_present(*block);
            if absent || !entries.is_empty() {
                self.entries.hold_if_restless(*block);
                jobs.push(Job {
                    block: *block,
                    absent,
                    entries,
                });
            }
        }
        (state.base, state.size_bytes, jobs)
    }

    /// Writes a block into `data`. False if its base cannot be read.
    fn write_job(
        &self,
        settling: &mut Settling,
        base: Option<Base>,
        size_bytes: u64,
        job: &Job,
    ) -> Result<bool, Error> {
        let len = within(block_len(job.block, size_bytes));
        let slices = resolve(&job.entries, 0..len);
        settling.scratch.resize(BLOCK_SIZE, 0);
        if !job.absent || covers(&slices, len) {
            self.write_slices(job.block, &slices, &mut settling.scratch)
                .context("fold a block")?;
            return Ok(true);
        }
        match self.base_block(base, job.block) {
            Ok(Some(bytes)) => settling.scratch.copy_from_slice(&bytes),
            Ok(None) => settling.scratch.fill(0),
            Err(error) => {
                tracing::error!(block = job.block, %error, "a block of the base cannot be read");
                settling.unreadable.insert(job.block);
                return Ok(false);
            }
        }
        self.write_whole(job.block, &slices, &mut settling.scratch[..len as usize])
            .context("hydrate a block")?;
        Ok(true)
    }

    /// Writes what entries say over a block, in runs as long as possible.
    fn write_slices(&self, block: u64, slices: &[Slice], scratch: &mut [u8]) -> io::Result<()> {
        let is_zero = |slice: &Slice| matches!(slice.source, Source::Zero);
        let join = |a: &Slice, b: &Slice| a.start + a.len == b.start && is_zero(a) == is_zero(b);
        for run in slices.chunk_by(join) {
            let (start, len) = (run[0].start, run.iter().map(|slice| slice.len).sum::<u32>());
            let offset = block * BLOCK + u64::from(start);
            if is_zero(&run[0]) {
                self.data.punch_hole(offset, u64::from(len))?;
            } else {
                read_slices(run, scratch, 0, true)?;
                self.data
                    .write_all_at(&scratch[start as usize..(start + len) as usize], offset)?;
            }
        }
        Ok(())
    }

    /// Writes a whole block: what the base holds, which is in `bytes`, under the entries.
    fn write_whole(&self, block: u64, slices: &[Slice], bytes: &mut [u8]) -> io::Result<()> {
        read_slices(slices, bytes, 0, true)?;
        if is_zero(bytes) {
            self.data.punch_hole(block * BLOCK, bytes.len() as u64)
        } else {
            self.data.write_all_at(bytes, block * BLOCK)
        }
    }

    /// Notes that `data` holds the blocks, and drops the entries that it holds.
    fn finish(&self, settled: Vec<(u64, u64)>) -> Result<(), Error> {
        let _flip = lock(&self.flip);
        let state = exclude(&self.gate);
        if state.closed {
            return Err(Error::Closed);
        }
        self.journal
            .append(&Record::Fold(settled.clone()))
            .context("append to the journal")?;
        let mut restless = Vec::new();
        for (block, through) in settled {
            self.present.set(block);
            if self.entries.drop_through(block, through) {
                restless.push(block);
            }
        }
        drop(state);
        self.todo.add_ready(restless);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc, time::Duration};

    use cairn_blocks::{BLOCK_SIZE, BlockStore, DomainId, MemoryIndex, disk::Disk};
    use cairn_testkit::SimDisk;

    use super::*;
    use crate::{
        types::{Background, Options, Outcome, VolumeSpec, Wait},
        volume::{create, open},
    };

    #[test]
    fn who_gives_way_again_and_again_waits_longer_but_at_a_rate() {
        let mut settling = Settling::default();
        let mut waits = |came: &[bool], has_rate| -> Vec<_> {
            let wait = |came: &bool| settling.give_way(*came, has_rate);
            came.iter().map(wait).collect()
        };
        let ms = |ms| Some(Duration::from_millis(ms));
        assert_eq!(
            waits(&[true; 6], false),
            [ms(50), ms(100), ms(200), ms(400), ms(800), ms(800)]
        );
        assert_eq!(waits(&[false, true], false), [None, ms(50)]);
        assert_eq!(waits(&[true, true], true), [ms(50), ms(50)]);
    }

    #[test]
    fn the_first_write_outlives_a_hydration_that_began_before_it() {
        let disk: Arc<dyn Disk> = Arc::new(SimDisk::new());
        let index = Arc::new(MemoryIndex::default());
        let store = BlockStore::open(
            Arc::clone(&disk),
            Path::new("/packs"),
            index,
            Arc::new(cairn_blocks::NoKeys),
            cairn_blocks::Options::default(),
        );
        let store = Arc::new(store.unwrap());
        let domain = DomainId(1);
        let digest = store.put(domain, &vec![7; BLOCK_SIZE]).unwrap().digest();
        store.sync(domain).unwrap();
        let root = store.build(domain, None, 4 * BLOCK, [(0, digest)]).unwrap();
        let spec = VolumeSpec {
            size_bytes: 4 * BLOCK,
            domain,
            base: Some(Base { domain, root }),
        };
        let mut options = Options::new("boot".to_owned());
        options.background = Background::Manual;
        create(&*disk, Path::new("/volume"), &spec, None, &options).unwrap();
        let volume = open(disk, Path::new("/volume"), store, None, options).unwrap();
        let core = &volume.core;
        core.learn(0).unwrap();

        let (base, size_bytes, jobs) = core.begin(&[0]);
        let written = volume.write(0, &[9; 4096], false, Wait::Yes).unwrap();
        assert_eq!(written, Outcome::Done);
        let job = jobs.first().unwrap();
        assert!(
            core.write_job(&mut lock(&core.settling), base, size_bytes, job)
                .unwrap()
        );
        core.data_sync.sync_now().unwrap();
        core.finish(vec![(job.block, job.through())]).unwrap();

        let mut read = [0; 8192];
        assert_eq!(volume.read(0, &mut read, Wait::Yes).unwrap(), Outcome::Done);
        assert!(
            read[..4096].iter().all(|byte| *byte == 9)
                && read[4096..].iter().all(|byte| *byte == 7)
        );
    }
}
