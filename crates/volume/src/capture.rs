//! Capture: the image of an epoch goes to the block store.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::{Arc, atomic::Ordering},
};

use cairn_blocks::{BLOCK_SIZE, Digest, DomainId, Root, Stored};

use crate::{
    entries::{covers, read_slices, resolve},
    epoch::in_order,
    error::{Error, IoContext as _},
    geometry::{BLOCK, MAX_BLOCKS, block_count, block_len, within},
    plane::Plane,
    record::Record,
    state::Released,
    sync::{exclude, lock, share},
    types::{Background, Base, EpochTag, Progress},
    volume::{Core, Volume},
};

/// Blocks that are put into the store at once, by each worker: 8 MiB.
const PUT: usize = 16;
/// Blocks that are released together: one sync of the store and one of the journal for 32 MiB.
const RELEASE: usize = 64;

/// A block and what it holds; `None` stands for zeros.
type Captured = (u64, Option<Digest>);

impl Volume {
    /// Puts the image of an epoch into the block store, and builds its index. On return all of it
    /// is durable. Blocks that guests write, and thereby fill the journal, come first. Can be
    /// called again, after a failure or a crash, and also after it succeeded: the answer is the same.
    ///
    /// `progress` is called now and then; with [`ControlFlow::Break`] it ends the capture.
    ///
    /// # Errors
    /// [`Error::OutOfOrder`] while an earlier epoch is neither committed nor abandoned,
    /// [`Error::UnknownEpoch`], [`Error::Cancelled`], and those of the disk and the block store.
    pub fn capture(
        &self,
        tag: &EpochTag,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Root, Error> {
        let _capturing = lock(&self.core.capturing);
        self.core.check_usable()?;
        Capture::new(&self.core, tag)?.run(progress)
    }
}

/// A capture under way.
struct Capture<'a> {
    core: &'a Core,
    tag: &'a EpochTag,
    /// The image is everything below.
    lsn: u64,
    size_bytes: u64,
    domain: DomainId,
    base: Option<Base>,
    frozen: Arc<Plane>,
    progress: Progress,
    /// Where the search for frozen blocks goes on.
    cursor: u64,
    urgent: BTreeSet<u64>,
}

impl<'a> Capture<'a> {
    fn new(core: &'a Core, tag: &'a EpochTag) -> Result<Self, Error> {
        let state = share(&core.gate);
        let epoch = in_order(&state, tag)?;
        let captured_blocks = epoch.released.len() as u64;
        let total_blocks = captured_blocks + epoch.frozen.count();
        let frozen = Arc::clone(&epoch.frozen);
        let urgent = core
            .entries
            .journaled()
            .ones(0..MAX_BLOCKS)
            .filter(|block| frozen.get(*block))
            .collect();
        Ok(Self {
            core,
            tag,
            lsn: epoch.lsn,
            size_bytes: epoch.size_bytes,
            domain: state.domain,
            base: state.base,
            frozen,
            progress: Progress {
                captured_blocks,
                total_blocks,
                new_bytes: 0,
            },
            cursor: 0,
            urgent,
        })
    }

    fn run(mut self, report: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<Root, Error> {
        let foreign = self.base.filter(|base| base.domain != self.domain);
        if let Some(base) = foreign {
            self.progress.total_blocks += self.core.store.count(base.domain, &base.root)?;
        }
        let mut put = Vec::new();
        loop {
            self.report(report)?;
            let blocks = self.next_blocks(&put);
            if blocks.is_empty() && put.is_empty() {
                break;
            }
            put = self.put_while_releasing(&blocks, &put)?;
        }
        let mut changes = self.released()?;
        let base = match foreign {
            Some(base) => {
                self.copy_base(base, &mut changes, report)?;
                None
            }
            None => self.base.map(|base| base.root),
        };
        self.report(report)?;
        Ok(self
            .core
            .store
            .build(self.domain, base.as_ref(), self.size_bytes, changes)?)
    }

    /// Tells how far it is, and hears whether to go on.
    fn report(&self, report: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<(), Error> {
        let stop = self.core.stop_capture.load(Ordering::SeqCst);
        if stop || report(self.progress).is_break() {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }

    /// The next frozen blocks: those that guests write, and then in order; none of those that are
    /// put and about to be released, which may change as soon as they are.
    fn next_blocks(&mut self, put: &[(u64, Stored)]) -> Vec<u64> {
        self.urgent.extend(self.core.todo.take_urgent());
        let is_put = |block: &u64| put.iter().any(|(put, _)| put == block);
        let mut blocks = Vec::with_capacity(RELEASE);
        while blocks.len() < RELEASE
            && let Some(block) = self.urgent.pop_first()
        {
            if self.frozen.get(block) && !is_put(&block) {
                blocks.push(block);
            }
        }
        while blocks.len() < RELEASE
            && let Some(block) = self.frozen.next_set(self.cursor, MAX_BLOCKS)
        {
            self.cursor = block + 1;
            if !blocks.contains(&block) && !is_put(&block) {
                blocks.push(block);
            }
        }
        blocks.sort_unstable();
        blocks
    }

    /// Puts blocks into the store, and meanwhile makes durable and releases those that were put
    /// before: that waits for the disk, and putting for the processor.
    fn put_while_releasing(
        &mut self,
        blocks: &[u64],
        before: &[(u64, Stored)],
    ) -> Result<Vec<(u64, Stored)>, Error> {
        let read = |block, buf: &mut [u8]| self.read_image(block, buf);
        let put = if self.core.options.background == Background::Manual {
            self.make_durable(before)?;
            self.put(blocks, read)?
        } else {
            std::thread::scope(|scope| {
                let releasing = scope.spawn(|| self.make_durable(before));
                let put = self.put(blocks, read);
                match releasing.join() {
                    Ok(released) => released.and(put),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            })?
        };
        self.count(before);
        Ok(put)
    }

    fn make_durable(&self, put: &[(u64, Stored)]) -> Result<(), Error> {
        if put.is_empty() {
            return Ok(());
        }
        self.core.store.sync(self.domain)?;
        let digests: Vec<_> = put
            .iter()
            .map(|(block, stored)| (*block, stored.digest()))
            .collect();
        self.release(&digests)
    }

    /// Puts blocks into the store; `read` fills a buffer with one.
    fn put(
        &self,
        blocks: &[u64],
        read: impl Fn(u64, &mut [u8]) -> Result<(), Error> + Sync,
    ) -> Result<Vec<(u64, Stored)>, Error> {
        if self.core.options.background == Background::Manual || blocks.len() <= PUT {
            return self.put_in_turn(blocks, &read);
        }
        let (left, right) = blocks.split_at(blocks.len() / 2);
        std::thread::scope(|scope| {
            let right = scope.spawn(|| self.put_in_turn(right, &read));
            let mut captured = self.put_in_turn(left, &read)?;
            match right.join() {
                Ok(right) => captured.extend(right?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
            Ok(captured)
        })
    }

    fn put_in_turn(
        &self,
        blocks: &[u64],
        read: &(impl Fn(u64, &mut [u8]) -> Result<(), Error> + Sync),
    ) -> Result<Vec<(u64, Stored)>, Error> {
        let mut captured = Vec::with_capacity(blocks.len());
        let mut buffer = vec![0; blocks.len().min(PUT) * BLOCK_SIZE];
        for some in blocks.chunks(PUT) {
            let images = buffer.chunks_mut(BLOCK_SIZE);
            some.iter()
                .zip(images)
                .try_for_each(|(block, image)| read(*block, image))?;
            let images: Vec<_> = buffer.chunks(BLOCK_SIZE).take(some.len()).collect();
            captured.extend(
                some.iter()
                    .copied()
                    .zip(self.core.store.put_many(self.domain, &images)?),
            );
        }
        Ok(captured)
    }

    fn count(&mut self, captured: &[(u64, Stored)]) {
        self.progress.captured_blocks += captured.len() as u64;
        let new = captured
            .iter()
            .filter(|(_, stored)| matches!(stored, Stored::New(_)))
            .count();
        self.progress.new_bytes += new as u64 * BLOCK;
    }

    /// Reads a block as it was at the freeze.
    ///
    /// The gate is not needed. No guest writes a frozen block in place. A fold that began before
    /// the freeze may end meanwhile, and drop entries; so the entries are taken first: either they
    /// are all there, or what they said is in `data`, and the block is marked present.
    fn read_image(&self, block: u64, image: &mut [u8]) -> Result<(), Error> {
        let len = within(block_len(block, self.size_bytes));
        let entries = self.core.entries.get(block, 0..len, self.lsn);
        let slices = resolve(&entries, 0..len);
        if covers(&slices, len) {
            image[len as usize..].fill(0);
        } else if self.core.is_present(block) {
            self.core
                .read_block(block, self.size_bytes, image)
                .context("read a frozen block")?;
        } else {
            match self.core.base_block(self.base, block)? {
                Some(bytes) => image.copy_from_slice(&bytes),
                None => image.fill(0),
            }
        }
        read_slices(&slices, image, 0, true).context("read the journal")?;
        Ok(())
    }

    /// Notes durably that blocks are captured. After that they may change in place.
    fn release(&self, blocks: &[Captured]) -> Result<(), Error> {
        let core = self.core;
        {
            // Held over the sync: a checkpoint must see the record and what it says together.
            let _flip = lock(&core.flip);
            core.check_usable()?;
            let record = Record::Release {
                tag: self.tag.clone(),
                blocks: blocks.to_vec(),
            };
            let appended = core
                .journal
                .append(&record)
                .context("append to the journal")?;
            core.journal
                .sync_to(appended.end)
                .context("sync the journal")?;
            exclude(&core.gate).release(self.tag, blocks);
        }
        let journaled = core.entries.journaled();
        core.todo.add_ready(
            blocks
                .iter()
                .map(|(block, _)| *block)
                .filter(|block| journaled.get(*block)),
        );
        core.work.raise();
        Ok(())
    }

    /// Everything that was captured.
    fn released(&self) -> Result<Released, Error> {
        Ok(in_order(&share(&self.core.gate), self.tag)?
            .released
            .clone())
    }

    /// Copies what is unchanged from the base's domain to the volume's own.
    fn copy_base(
        &mut self,
        base: Base,
        changes: &mut Released,
        report: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut rest =
            self.core
                .store
                .blocks(base.domain, &base.root, 0)
                .filter(|item| match item {
                    Ok((block, _)) => {
                        *block < block_count(self.size_bytes) && !changes.contains_key(block)
                    }
                    Err(_) => true,
                });
        let mut copied = Released::new();
        loop {
            let some = rest
                .by_ref()
                .take(RELEASE)
                .collect::<Result<BTreeMap<_, _>, _>>()?;
            if some.is_empty() {
                break;
            }
            let blocks: Vec<_> = some.keys().copied().collect();
            let stored = self.put(&blocks, |block, buf| {
                buf.copy_from_slice(&self.core.store.get(base.domain, &some[&block])?);
                Ok(())
            })?;
            copied.extend(
                stored
                    .iter()
                    .map(|(block, stored)| (*block, stored.digest())),
            );
            self.report(report)?;
        }
        drop(rest);
        changes.append(&mut copied);
        self.core.store.sync(self.domain)?;
        Ok(())
    }
}
