//! Scrubs: all packs of a region read from end to end, now and then or when asked for, so that what
//! has rotted is known before somebody needs it.
//!
//! What a reader would miss is marked bad in the index; the next put of the same bytes, by a capture
//! or an upload, stores them anew and thereby heals it. A run is a job: it goes on after a restart
//! where it was. Findings stay until the file is read again.

use std::{collections::HashSet, ops::ControlFlow, sync::Arc, time::Duration};

use cairn_blocks::{
    BlobId, BlockStore, DomainId, PackId,
    scrub::{Finding as Flaw, PackReport},
};
use cairn_model::{
    AccountId, ImageId, Region, Snapshot, SnapshotId, Timestamp, Volume, VolumeId, VolumeState,
};
use cairn_store::{
    WriteTx, account, domain, image, job,
    scrub::{self, Finding, LostBlob, Run},
    snapshot, volume,
};
use serde::{Deserialize, Serialize};
use tokio::{runtime::Handle, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    Caller, Control, Result,
    engine::{EngineError, PACKS, RECORDS, blocking},
    jobs::{self, Failure, Job, Next},
    record,
    snapshot::content_of,
    ticks::Ticks,
};

/// How often the clock is looked at for regions that are due.
pub(crate) const TICK: Duration = Duration::from_secs(60);

/// How scrubs are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScrubOptions {
    /// From the begin of a run to the begin of the next; none: only when asked for.
    pub every: Option<Duration>,
    /// How fast packs are read; none: as fast as it goes.
    pub bytes_per_second: Option<u64>,
}

impl Default for ScrubOptions {
    /// Once a week, at a rate that a disk hardly notices.
    fn default() -> Self {
        Self {
            every: Some(Duration::from_secs(7 * 24 * 60 * 60)),
            bytes_per_second: Some(50 << 20),
        }
    }
}

/// How a region is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScrubStatus {
    /// The region.
    pub region: Region,
    /// The last run, or the one under way; none if there was none.
    pub run: Option<Run>,
    /// What was found and is not healed.
    pub findings: Vec<Found>,
    /// What was found and is healed, or not needed by anything any more.
    pub healed: u64,
    /// Blobs that cannot be read now; also those that a reader stumbled over since the last run.
    pub bad_blobs: u64,
    /// Snapshots that cannot be read.
    pub snapshots: Vec<Touched>,
    /// Images that need one of these.
    pub images: Vec<ImageId>,
    /// Volumes that read from what cannot be read, as far as they have not been filled.
    pub volumes: Vec<VolumeId>,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What.
    pub finding: Finding,
    /// Whether a reader would miss it. If not, it is known by the scrub alone.
    pub unreadable: bool,
}

/// A snapshot that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Its id.
    pub id: SnapshotId,
    /// Its owner.
    pub account: AccountId,
    /// How many of its blocks cannot be.
    pub blocks: u64,
}

/// A few words on a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScrubSummary {
    /// When the last run ended; none if there was none, or while one is under way.
    pub ended: Option<Timestamp>,
    /// Whether a run is under way.
    pub running: bool,
    /// What was found and is not healed.
    pub findings: u64,
    /// Blobs that cannot be read now.
    pub bad_blobs: u64,
}

impl Control {
    /// How fast packs are read unless somebody says otherwise, in bytes per second; none: as fast as
    /// it goes.
    pub fn scrub_rate(&self) -> Option<u64> {
        self.scrubs().bytes_per_second
    }

    /// Begins a scrub of the caller's region, unless one is under way. Only the operator's account
    /// may, as it tells of what all accounts have.
    pub async fn start_scrub(
        &self,
        caller: &Caller,
        bytes_per_second: Option<u64>,
    ) -> Result<ScrubStatus> {
        caller.check_operator("scrub, and see what was found")?;
        let mut tx = self.store().write().await?;
        begin(self, &mut tx, caller.region, bytes_per_second).await?;
        tx.commit().await?;
        self.wake_jobs();
        self.scrub_status(caller).await
    }

    /// What the scrubs of the caller's region found, and what it means for snapshots, images and
    /// volumes now.
    pub async fn scrub_status(&self, caller: &Caller) -> Result<ScrubStatus> {
        caller.check_operator("scrub, and see what was found")?;
        let region = caller.region;
        let (run, found) = {
            let mut read = self.store().read().await?;
            let run = scrub::get(&mut read, region).await?;
            (run, scrub::findings(&mut read, region).await?)
        };
        let bad = self.bad_blobs(region).await?;
        let (findings, healed) = sort_out(found, &bad);
        let mut status = ScrubStatus {
            region,
            findings,
            healed,
            bad_blobs: bad.len() as u64,
            snapshots: Vec::new(),
            images: Vec::new(),
            volumes: Vec::new(),
            run,
        };
        // Nothing is missing where nothing is bad and nothing was missing.
        let was_unreadable = status.run.as_ref().is_some_and(|run| run.unreadable > 0);
        if !bad.is_empty() || was_unreadable {
            status.snapshots = self.unreadable_snapshots(region).await?;
            status.images = self.images_of(region, &status.snapshots).await?;
            status.volumes = self.unreadable_volumes(region).await?;
        }
        Ok(status)
    }

    /// As [`scrub_status`](Self::scrub_status), without looking at any snapshot.
    pub async fn scrub_summary(&self, region: Region) -> Result<ScrubSummary> {
        let (run, found) = {
            let mut read = self.store().read().await?;
            let run = scrub::get(&mut read, region).await?;
            (run, scrub::findings(&mut read, region).await?)
        };
        let bad = self.bad_blobs(region).await?;
        let (findings, _) = sort_out(found, &bad);
        let run = run.filter(|run| run.runs > 0);
        Ok(ScrubSummary {
            ended: run.as_ref().and_then(|run| run.ended),
            running: run.is_some_and(|run| run.ended.is_none()),
            findings: findings.len() as u64,
            bad_blobs: bad.len() as u64,
        })
    }

    /// Begins a scrub of every region that has packs and is due.
    pub async fn scrub_if_due(&self) -> Result<()> {
        let Some(every) = self.scrubs().every else {
            return Ok(());
        };
        for region in self.engine().regions_with_packs().await? {
            let mut tx = self.store().write().await?;
            match scrub::get(&mut tx, region).await? {
                None => scrub::put(&mut tx, region, &Run::never(self.now())).await?,
                Some(run) if run.ended.is_some() && run.begun.after(every) <= self.now() => {
                    begin(self, &mut tx, region, self.scrubs().bytes_per_second).await?;
                }
                Some(_) => continue,
            }
            tx.commit().await?;
            self.wake_jobs();
        }
        Ok(())
    }

    /// The blobs of a region that are bad, and where they lie.
    async fn bad_blobs(&self, region: Region) -> Result<HashSet<LostBlob>> {
        let domains = self.domains(region).await?;
        let index = Arc::clone(self.engine().index());
        let bad =
            blocking(move || Ok::<_, EngineError>(index.bad().map_err(cairn_blocks::Error::from)?));
        let ours = bad.await?.into_iter();
        let ours = ours.filter(|(domain, _, _)| domains.contains(domain));
        let lost = ours.map(|(domain, id, location)| LostBlob {
            pack: location.pack,
            domain,
            id,
        });
        Ok(lost.collect())
    }

    async fn domains(&self, region: Region) -> Result<HashSet<DomainId>> {
        let mut read = self.store().read().await?;
        let domains = domain::list_in(&mut read, region).await?;
        Ok(domains.into_iter().map(|domain| domain.id).collect())
    }

    /// The completed snapshots of a region that cannot be read. One that is deleted meanwhile does
    /// not count.
    async fn unreadable_snapshots(&self, region: Region) -> Result<Vec<Touched>> {
        let mut contents = Vec::new();
        {
            let mut read = self.store().read().await?;
            for snapshot in snapshot::list_completed(&mut read, region).await? {
                let content = content_of(&mut read, &snapshot).await?;
                contents.push((snapshot, content.domain(), content.root()?));
            }
        }
        let store = self.engine().store(region).await?;
        let survey = move || {
            let mut survey = store.survey()?;
            let mut touched = Vec::new();
            for (snapshot, domain, root) in contents {
                let blocks = unlocked(survey.unreadable_blocks(domain, &root))?;
                touched.extend(blocks.filter(|n| *n > 0).map(|n| (snapshot, n)));
            }
            Ok::<_, cairn_blocks::Error>(touched)
        };
        let mut touched = Vec::new();
        for (snapshot, blocks) in blocking(survey).await? {
            let mut read = self.store().read().await?;
            if snapshot::get(&mut read, &snapshot.id).await?.is_some() {
                touched.push(Touched {
                    id: snapshot.id,
                    account: snapshot.account,
                    blocks,
                });
            }
        }
        Ok(touched)
    }

    async fn images_of(&self, region: Region, touched: &[Touched]) -> Result<Vec<ImageId>> {
        let mut read = self.store().read().await?;
        let accounts: HashSet<_> = touched.iter().map(|touched| &touched.account).collect();
        let ids: HashSet<_> = touched.iter().map(|touched| &touched.id).collect();
        let mut images = Vec::new();
        for account in accounts {
            let all = image::list_registered(&mut read, account, region).await?;
            let needing = all
                .into_iter()
                .filter(|image| image.snapshot_ids().any(|id| ids.contains(id)));
            images.extend(needing.map(|image| image.id));
        }
        images.sort();
        Ok(images)
    }

    /// The volumes of a region that still read from a snapshot's blocks, some of which cannot be
    /// read.
    async fn unreadable_volumes(&self, region: Region) -> Result<Vec<VolumeId>> {
        let mut volumes = Vec::new();
        {
            let mut read = self.store().read().await?;
            for account in account::list(&mut read).await? {
                volumes.extend(volume::list(&mut read, &account.id, region).await?);
            }
        }
        self.unreadable_among(region, volumes).await
    }

    /// Those of some volumes of a region that still need blocks which are lost. While nothing is known
    /// to be lost this costs next to nothing.
    pub(crate) async fn damaged_among(
        &self,
        region: Region,
        volumes: Vec<Volume>,
    ) -> Result<HashSet<VolumeId>> {
        if self.bad_blobs(region).await?.is_empty() {
            return Ok(HashSet::new());
        }
        let found = self.unreadable_among(region, volumes).await?;
        Ok(found.into_iter().collect())
    }

    async fn unreadable_among(
        &self,
        region: Region,
        mut volumes: Vec<Volume>,
    ) -> Result<Vec<VolumeId>> {
        volumes
            .retain(|volume| matches!(volume.state, VolumeState::Available | VolumeState::InUse));
        let mut bases = Vec::new();
        for volume in volumes {
            match self.open_volume(&volume.id).await {
                Ok(open) => {
                    let hydration = open.hydration();
                    let filled = hydration.present_blocks == hydration.total_blocks;
                    bases.extend(
                        open.base()
                            .filter(|_| !filled)
                            .map(|base| (volume.id.clone(), base)),
                    );
                    drop(open);
                    self.release_volume(&volume.id).await?;
                }
                Err(error) => {
                    tracing::warn!(volume = %volume.id, %error, "look at the base of a volume");
                }
            }
        }
        let store = self.engine().store(region).await?;
        let survey = move || {
            let mut survey = store.survey()?;
            let mut touched = Vec::new();
            for (id, base) in bases {
                let blocks = unlocked(survey.unreadable_blocks(base.domain, &base.root))?;
                touched.extend(blocks.filter(|n| *n > 0).map(|_| id));
            }
            Ok::<_, cairn_blocks::Error>(touched)
        };
        Ok(blocking(survey).await?)
    }
}

/// Begins scrubs that are due until the server stops.
pub(crate) async fn schedule(mut ticks: Ticks) {
    while let Some(control) = ticks.next().await {
        if let Err(error) = control.scrub_if_due().await {
            tracing::error!(%error, "look for regions to scrub");
        }
    }
}

/// Records a run and its job, unless there is one.
async fn begin(
    control: &Control,
    tx: &mut WriteTx,
    region: Region,
    bytes_per_second: Option<u64>,
) -> Result<()> {
    let under_way = job::list_of(tx, region.name()).await?;
    if under_way.iter().any(|job| job.kind == ScrubJob::KIND) {
        return Ok(());
    }
    let last = scrub::get(tx, region).await?;
    scrub::put(tx, region, &Run::begin(control.now(), last.as_ref())).await?;
    let job = ScrubJob {
        region,
        bytes_per_second,
    };
    jobs::enqueue(tx, &job, control.now()).await?;
    Ok(())
}

/// What is not healed, and how many are. A blob that the index finds elsewhere is healed; one that
/// it does not find at all is not needed.
fn sort_out(found: Vec<Finding>, bad: &HashSet<LostBlob>) -> (Vec<Found>, u64) {
    let mut healed = 0;
    let mut open = Vec::new();
    for finding in found {
        match finding.blob {
            Some(blob) if !bad.contains(&blob) => healed += 1,
            blob => open.push(Found {
                unreadable: blob.is_some(),
                finding,
            }),
        }
    }
    (open, healed)
}

/// Reads all packs of a region, then looks what is left of its snapshots.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ScrubJob {
    region: Region,
    bytes_per_second: Option<u64>,
}

impl Job for ScrubJob {
    const KIND: &'static str = "scrub";

    fn subject(&self) -> &str {
        self.region.name()
    }

    async fn step(&self, control: &Control, step: u32) -> Result<Next, Failure> {
        match step {
            0 => self.read_packs(control).await,
            1 => self.check_records(control).await,
            _ => self.end(control).await,
        }
    }

    /// The run is over, and it is said that it did not get to its end.
    async fn undo(&self, control: &Control, _step: u32, why: &str) -> Result<(), Failure> {
        let finding = Finding {
            file: PACKS.to_owned(),
            offset: 0,
            length: 0,
            fault: format!("the scrub did not get to its end: {why}"),
            blob: None,
            found: control.now(),
        };
        let mut tx = control.store().write().await?;
        scrub::replace_findings(&mut tx, self.region, PACKS, &[finding]).await?;
        if let Some(mut run) = scrub::get(&mut tx, self.region).await? {
            run.ended = Some(control.now());
            scrub::put(&mut tx, self.region, &run).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

impl ScrubJob {
    async fn read_packs(&self, control: &Control) -> Result<Next, Failure> {
        let store = control.engine().store(self.region).await?;
        let packs = self.packs(control, &store).await?;
        let run = self.take_up(control, packs.len() as u64).await?;
        for pack in packs.into_iter().filter(|pack| *pack >= run.next_pack) {
            let report = self.read_pack(control, &store, pack).await?;
            if control.jobs().stopping().is_cancelled() {
                return Ok(Next::Later(control.now()));
            }
            self.record(control, pack, report).await?;
        }
        Ok(Next::Step)
    }

    async fn packs(
        &self,
        control: &Control,
        store: &Arc<BlockStore>,
    ) -> Result<Vec<PackId>, Failure> {
        let domains = control.domains(self.region).await?;
        let store = Arc::clone(store);
        let list = move || store.packs_to_scrub(|domain| domains.contains(&domain));
        Ok(blocking(list).await?)
    }

    async fn take_up(&self, control: &Control, all_packs: u64) -> Result<Run, Failure> {
        let mut tx = control.store().write().await?;
        let run = scrub::get(&mut tx, self.region).await?;
        let mut run = run.unwrap_or_else(|| Run::begin(control.now(), None));
        run.all_packs = all_packs;
        scrub::put(&mut tx, self.region, &run).await?;
        tx.commit().await?;
        Ok(run)
    }

    async fn read_pack(
        &self,
        control: &Control,
        store: &Arc<BlockStore>,
        pack: PackId,
    ) -> Result<Option<PackReport>, Failure> {
        let store = Arc::clone(store);
        let mut pace = Pace::new(control, self.bytes_per_second);
        let read = move || store.scrub_pack(pack, &mut |bytes| pace.after(bytes));
        Ok(blocking(read).await?)
    }

    /// Records what became of a pack, and that it is done.
    async fn record(
        &self,
        control: &Control,
        pack: PackId,
        report: Option<PackReport>,
    ) -> Result<(), Failure> {
        let mut tx = control.store().write().await?;
        let Some(mut run) = scrub::get(&mut tx, self.region).await? else {
            return Err(Failure::fatal("the run is not on record"));
        };
        run.next_pack = PackId(pack.0.saturating_add(1));
        if let Some(report) = report {
            let file = format!("{PACKS}/{}", report.file);
            let findings = findings_of(&report, &file, control.now());
            scrub::replace_findings(&mut tx, self.region, &file, &findings).await?;
            run.packs += 1;
            run.blobs += report.blobs;
            run.bytes += report.bytes;
            run.unchecked += report.unchecked;
            if let Some(why) = report.locked {
                tracing::warn!(region = %self.region, file, why, "a pack was checked only in part");
            }
        }
        scrub::put(&mut tx, self.region, &run).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Compares the records of snapshots with their rows. One that is lost or damaged is written
    /// anew: the database has it all.
    async fn check_records(&self, control: &Control) -> Result<Next, Failure> {
        let completed = {
            let mut read = control.store().read().await?;
            snapshot::list_completed(&mut read, self.region).await?
        };
        for snapshot in completed {
            if control.jobs().stopping().is_cancelled() {
                return Ok(Next::Later(control.now()));
            }
            self.check_record(control, &snapshot).await?;
        }
        Ok(Next::Step)
    }

    async fn check_record(&self, control: &Control, snapshot: &Snapshot) -> Result<(), Failure> {
        if record::flaw(control, &snapshot.id).await?.is_none() {
            return Ok(());
        }
        // Again, with nobody else writing: it may have been changed between two looks.
        let mut tx = control.store().write().await?;
        let Some(flaw) = record::mend(control, &mut tx, &snapshot.id).await? else {
            return Ok(());
        };
        let file = format!("{RECORDS}/{}", snapshot.id);
        tracing::error!(region = %self.region, file, flaw, "the record of a snapshot is not what it was, and was written anew");
        let finding = Finding {
            file: file.clone(),
            offset: 0,
            length: 0,
            fault: format!(
                "the record of the snapshot was not what it was, and was written anew: {flaw}"
            ),
            blob: None,
            found: control.now(),
        };
        scrub::replace_findings(&mut tx, self.region, &file, &[finding]).await?;
        Ok(tx.commit().await?)
    }

    async fn end(&self, control: &Control) -> Result<Next, Failure> {
        let touched = control.unreadable_snapshots(self.region).await?;
        for snapshot in &touched {
            tracing::error!(region = %self.region, snapshot = %snapshot.id, blocks = snapshot.blocks, "a snapshot cannot be read");
        }
        let mut tx = control.store().write().await?;
        if let Some(mut run) = scrub::get(&mut tx, self.region).await? {
            scrub::forget_findings_before(&mut tx, self.region, run.begun).await?;
            run.ended = Some(control.now());
            run.unreadable = touched.len() as u64;
            scrub::put(&mut tx, self.region, &run).await?;
        }
        tx.commit().await?;
        control.settle_io_in(self.region).await?;
        Ok(Next::Done)
    }
}

/// What was found under a key that can be had. What cannot be looked at is not damaged.
fn unlocked<T>(found: Result<T, cairn_blocks::Error>) -> Result<Option<T>, cairn_blocks::Error> {
    use cairn_blocks::Error as E;
    match found {
        Err(E::Key(_) | E::Erased { .. }) => Ok(None),
        found => found.map(Some),
    }
}

/// What there is to be told of a pack.
fn findings_of(report: &PackReport, file: &str, now: Timestamp) -> Vec<Finding> {
    let finding = |flaw: &Flaw| {
        let (offset, length) = (flaw.range.start, flaw.range.end - flaw.range.start);
        tracing::error!(file, offset, length, fault = %flaw.fault, unreadable = flaw.blob.is_some(), "bytes of a pack are not what was written");
        Finding {
            file: file.to_owned(),
            offset,
            length,
            fault: flaw.fault.to_string(),
            blob: flaw.blob.map(|(domain, id): (DomainId, BlobId)| LostBlob {
                pack: report.pack,
                domain,
                id,
            }),
            found: now,
        }
    };
    let mut findings: Vec<_> = report.findings.iter().map(finding).collect();
    if report.more > 0 {
        findings.push(Finding {
            file: file.to_owned(),
            offset: 0,
            length: 0,
            fault: format!("there are {} more findings in this pack", report.more),
            blob: None,
            found: now,
        });
    }
    findings
}

/// Keeps a scrub at its rate, and ends it with the server.
struct Pace {
    bytes_per_second: Option<u64>,
    stopping: CancellationToken,
    runtime: Handle,
    /// On the clock that the pauses are taken from.
    begun: Instant,
    bytes: u64,
}

impl Pace {
    fn new(control: &Control, bytes_per_second: Option<u64>) -> Self {
        Self {
            bytes_per_second,
            stopping: control.jobs().stopping().clone(),
            runtime: Handle::current(),
            begun: Instant::now(),
            bytes: 0,
        }
    }

    fn after(&mut self, bytes: u64) -> ControlFlow<()> {
        self.bytes += bytes;
        let ahead = self.due().saturating_sub(self.begun.elapsed());
        if !ahead.is_zero() {
            // Ends early when the server stops.
            let stopped = async { tokio::time::timeout(ahead, self.stopping.cancelled()).await };
            drop(self.runtime.block_on(stopped));
        }
        match self.stopping.is_cancelled() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// How long the bytes so far should have taken.
    fn due(&self) -> Duration {
        let Some(rate) = self.bytes_per_second else {
            return Duration::ZERO;
        };
        let micros = u128::from(self.bytes) * 1_000_000 / u128::from(rate.max(1));
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}
