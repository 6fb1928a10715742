//! Capture: the image of an epoch goes to the block store.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::{
        Arc, Mutex,
        atomic::Ordering,
        mpsc::{Receiver, channel},
    },
};

use cairn_blocks::{BLOCK_SIZE, Digest, DomainId, Root, Stored};

use crate::{
    entries::{Slice, covers, read_slices, resolve},
    epoch::in_order,
    error::{Error, IoContext as _},
    geometry::{BLOCK, MAX_BLOCKS, block_count, block_len, within},
    plane::Plane,
    priority::give_way,
    record::Record,
    state::Released,
    sync::{exclude, lock, share},
    types::{Background, Base, EpochTag, Progress},
    volume::{Core, Volume},
};

/// Blocks that are put into the store at once, by each worker: 4 MiB.
const PUT: usize = 8;
/// Blocks that are released together: one sync of the store and one of the journal for 32 MiB.
const RELEASE: usize = 64;
/// Threads that put blocks, and give way to everybody else.
const WORKERS: usize = 2;

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

/// A block of the image: where its bytes are. It is found by whoever runs the capture, and read by
/// threads that give way: these take none of the locks that guests wait for, and load nothing from
/// the store that a guest may want as well.
struct Image {
    block: u64,
    under: Under,
    /// What the journal holds over that.
    over: Vec<Slice>,
}

/// What lies under the slices of an image.
enum Under {
    Zeros,
    /// The block as it is in `data`.
    Data,
    Bytes(Arc<[u8]>),
}

impl Under {
    fn of_base(bytes: Option<Arc<[u8]>>) -> Self {
        bytes.map_or(Self::Zeros, Self::Bytes)
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
    /// Buffers for [`PUT`] blocks that nobody uses now.
    buffers: Mutex<Vec<Vec<u8>>>,
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
            buffers: Mutex::default(),
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
        let find = |block| self.find_image(block);
        let put = self.put(blocks, find, || self.make_durable(before))?;
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

    /// Puts blocks into the store, and does something else `meanwhile`. `find` says where
    /// the bytes of a block are.
    fn put(
        &self,
        blocks: &[u64],
        find: impl Fn(u64) -> Result<Image, Error>,
        meanwhile: impl FnOnce() -> Result<(), Error>,
    ) -> Result<Vec<(u64, Stored)>, Error> {
        let (give, images) = channel();
        let images = Mutex::new(images);
        let hand_out = || {
            // Taken along, so that whoever waits for images hears that these were all.
            let give = give;
            for some in blocks.chunks(PUT) {
                let images = some.iter().map(|block| find(*block));
                // Nobody takes it when all workers have failed, and then they say so.
                let _taken = give.send(images.collect::<Result<Vec<_>, _>>()?);
            }
            Ok(())
        };
        if self.core.options.background == Background::Manual {
            hand_out().and_then(|()| meanwhile())?;
            return self.put_all(&images);
        }
        std::thread::scope(|scope| {
            let work = || {
                give_way();
                self.put_all(&images)
            };
            let workers = [(); WORKERS].map(|()| scope.spawn(work));
            let result = hand_out().and_then(|()| meanwhile());
            // Writers that the journal holds up wait for nobody who gives way.
            let mut put = match result {
                Ok(()) if self.is_pressing() => self.put_all(&images),
                other => other.map(|()| Vec::new()),
            };
            for worker in workers {
                let theirs = worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                put = put.and_then(|put| Ok([put, theirs?].concat()));
            }
            put
        })
    }

    /// Whether the journal holds up writers, or will soon.
    fn is_pressing(&self) -> bool {
        self.core.waiting.load(Ordering::SeqCst) > 0 || self.core.journal.is_half_full()
    }

    /// Puts images into the store until there are no more.
    fn put_all(&self, images: &Mutex<Receiver<Vec<Image>>>) -> Result<Vec<(u64, Stored)>, Error> {
        let mut put = Vec::new();
        let mut buffer = lock(&self.buffers).pop().unwrap_or_default();
        buffer.resize(PUT * BLOCK_SIZE, 0);
        loop {
            let next = lock(images).recv();
            let Ok(some) = next else { break };
            put.extend(self.put_some(&some, &mut buffer)?);
        }
        lock(&self.buffers).push(buffer);
        Ok(put)
    }

    /// Puts up to [`PUT`] images into the store.
    fn put_some(&self, images: &[Image], buffer: &mut [u8]) -> Result<Vec<(u64, Stored)>, Error> {
        let buffers = buffer.chunks_mut(BLOCK_SIZE);
        images
            .iter()
            .zip(buffers)
            .try_for_each(|(image, bytes)| self.read_image(image, bytes))?;
        let bytes: Vec<_> = buffer.chunks(BLOCK_SIZE).take(images.len()).collect();
        let stored = self.core.store.put_many(self.domain, &bytes)?;
        Ok(images.iter().map(|image| image.block).zip(stored).collect())
    }

    fn count(&mut self, captured: &[(u64, Stored)]) {
        self.progress.captured_blocks += captured.len() as u64;
        let new = captured
            .iter()
            .filter(|(_, stored)| matches!(stored, Stored::New(_)))
            .count();
        self.progress.new_bytes += new as u64 * BLOCK;
    }

    /// Finds a block as it was at the freeze.
    ///
    /// The gate is not needed. No guest writes a frozen block in place. A fold that began before
    /// the freeze may end meanwhile, and drop entries; so the entries are taken first: either they
    /// are all there, or what they said is in `data`, and the block is marked present.
    fn find_image(&self, block: u64) -> Result<Image, Error> {
        let len = within(block_len(block, self.size_bytes));
        let entries = self.core.entries.get(block, 0..len, self.lsn);
        let over = resolve(&entries, 0..len);
        let under = if covers(&over, len) {
            Under::Zeros
        } else if self.core.is_present(block) {
            Under::Data
        } else {
            Under::of_base(self.core.base_block(self.base, block)?)
        };
        Ok(Image { block, under, over })
    }

    fn read_image(&self, image: &Image, bytes: &mut [u8]) -> Result<(), Error> {
        match &image.under {
            Under::Zeros => bytes.fill(0),
            Under::Data => self
                .core
                .read_block(image.block, self.size_bytes, bytes)
                .context("read a frozen block")?,
            Under::Bytes(base) => bytes.copy_from_slice(base),
        }
        read_slices(&image.over, bytes, 0, true).context("read the journal")?;
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
            let find = |block| {
                let bytes = self.core.store.get(base.domain, &some[&block])?;
                Ok(Image {
                    block,
                    under: Under::Bytes(bytes),
                    over: Vec::new(),
                })
            };
            let stored = self.put(&blocks, find, || Ok(()))?;
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
