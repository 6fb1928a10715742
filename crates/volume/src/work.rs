//! The background work, a unit at a time: intents, fold and hydrate, checkpoints.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Weak, atomic::Ordering},
    thread::JoinHandle,
    time::Duration,
};

use crate::{
    error::{Error, IoContext as _},
    geometry::REGION_BLOCKS,
    record::Record,
    sync::lock,
    types::Work,
    volume::{Core, Volume},
};

/// After a failure, for instance for want of space, the work is tried again after so long.
const RETRY: Duration = Duration::from_secs(1);
/// A region that needs an intent takes those after it along, for writers that go forward.
const REGIONS_AHEAD: u64 = 3;
/// Regions in one record.
const MAX_REGIONS_PER_RECORD: usize = 256;

impl Volume {
    /// Does one unit of background work. A volume with [`Background::Threads`] does this by itself.
    ///
    /// [`Background::Threads`]: crate::Background::Threads
    pub fn work(&self) -> Result<Work, Error> {
        self.core.work()
    }
}

impl Core {
    /// Does one unit of background work, the most urgent first.
    pub(crate) fn work(&self) -> Result<Work, Error> {
        self.check_usable()?;
        if self.record_intents()? {
            return Ok(Work::Progress);
        }
        // Writers that wait for room are helped by a checkpoint only after the fold.
        let must_fold = self.waiting.load(Ordering::SeqCst) > 0 && self.todo.has_ready();
        if !must_fold && self.wants_checkpoint(false) {
            self.checkpoint(false)?;
            return Ok(Work::Progress);
        }
        if self.settle_some()? {
            return Ok(Work::Progress);
        }
        if self.wants_checkpoint(true) {
            self.checkpoint(false)?;
            return Ok(Work::Progress);
        }
        Ok(Work::Idle)
    }

    /// Gives intents to the regions that are written and have none. False if there are none.
    fn record_intents(&self) -> Result<bool, Error> {
        let regions = self.regions_to_record();
        for batch in regions.chunks(MAX_REGIONS_PER_RECORD) {
            self.record_batch(batch)?;
        }
        Ok(!regions.is_empty())
    }

    /// The regions without an intent that are asked for, and some that follow, as far as their
    /// blocks are known to be present or not.
    fn regions_to_record(&self) -> Vec<u64> {
        let end = self.blocks().div_ceil(REGION_BLOCKS);
        let asked = self.todo.take_regions();
        let ahead = |region: &u64| *region..(*region + 1 + REGIONS_AHEAD).min(end);
        let mut regions: Vec<_> = asked.iter().flat_map(ahead).collect();
        regions.sort_unstable();
        regions.dedup();
        regions.retain(|region| !self.intents.get(*region) && self.learn_region(*region));
        regions
    }

    /// Learns a region's leaf. A region whose leaf cannot be read is written by way of the journal.
    fn learn_region(&self, region: u64) -> bool {
        match self.learn(region * REGION_BLOCKS) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(region, %error, "the base cannot be read");
                false
            }
        }
    }

    fn record_batch(&self, regions: &[u64]) -> Result<(), Error> {
        let present = |region: &u64| (*region, self.present.get_128(*region * REGION_BLOCKS));
        let record = Record::Intent(regions.iter().map(present).collect());
        let appended = {
            let _flip = lock(&self.flip);
            let appended = self
                .journal
                .append(&record)
                .context("append to the journal")?;
            regions.iter().for_each(|region| {
                self.recorded_intents.set(*region);
            });
            appended
        };
        self.journal
            .sync_to(appended.end)
            .context("sync the journal")?;
        regions.iter().for_each(|region| {
            self.intents.set(*region);
        });
        Ok(())
    }

    /// Starts the thread that works until the volume is closed or dropped.
    pub(crate) fn start_thread(core: &Arc<Self>) -> std::io::Result<JoinHandle<()>> {
        let core = Arc::downgrade(core);
        std::thread::Builder::new()
            .name("volume".into())
            .spawn(move || {
                if panic::catch_unwind(AssertUnwindSafe(|| run(&core))).is_err() {
                    give_up(&core);
                }
            })
    }
}

/// Works as long as there is a volume.
fn run(core: &Weak<Core>) {
    while let Some(core) = core.upgrade()
        && !core.stop.load(Ordering::SeqCst)
    {
        let seen = core.work.now();
        match core.work() {
            Ok(Work::Progress) => {}
            Ok(Work::Idle) => {
                let retry = core.has_unreadable().then_some(RETRY);
                let limit = retry.into_iter().chain(core.hydration_pause()).min();
                wait(&core, seen, limit);
                if retry.is_some() {
                    core.retry_unreadable();
                }
            }
            // What failed for good is reported by the calls of the guest.
            Err(Error::Failed | Error::Closed) => wait(&core, seen, None),
            Err(error) => {
                tracing::warn!(%error, "background work of a volume failed; it will be tried again");
                wait(&core, seen, Some(RETRY));
            }
        }
    }
}

/// Fails the volume whose thread panicked: writers that wait for its work would wait for ever.
fn give_up(core: &Weak<Core>) {
    if let Some(core) = core.upgrade() {
        core.failure.give_up("the background thread panicked");
        core.room.raise();
    }
}

fn wait(core: &Core, seen: u64, limit: Option<Duration>) {
    if core.stop.load(Ordering::SeqCst) {
        return;
    }
    match limit {
        Some(limit) => core.work.wait_at_most(seen, limit),
        None => core.work.wait(seen),
    }
}
