//! Garbage collection of a whole server, and what space costs.
//!
//! A pass takes the regions one after the other; each is a collection of its block store (see
//! `cairn_blocks::collect`) with the roots that `holders` finds. Passes run by themselves at an
//! interval, and whenever the operator asks.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub use cairn_blocks::collect::{Amount, Report, usage::Space};
use cairn_blocks::{
    Alarm, BlockStore, DomainId,
    collect::{Collection, Rules, usage},
};
use cairn_model::{AccountId, Image, ImageId, Region, Snapshot, SnapshotId, Timestamp};
use cairn_store::{Connection, image};
use tokio_util::sync::CancellationToken;

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    engine::{EngineError, blocking},
    holders::{HeldSnapshot, Holders, upload_digests},
    snapshot,
    ticks::Ticks,
};

/// How often the clock is looked at for a pass that has become due. The clock may be a virtual one.
const TICK: Duration = Duration::from_secs(1);

/// The first pass after the start comes no later than this, so that a server which is restarted
/// often collects too.
const FIRST: Duration = Duration::from_secs(5 * 60);

/// How garbage is collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CollectionOptions {
    /// How long after a pass the next one comes; `None`: only when the operator asks.
    pub interval: Option<Duration>,
    /// How long a pack stays condemned before it is deleted.
    pub grace: Duration,
    /// A pack is copied when less than so many percent of its stored bytes live; 0 for never.
    pub repack_below_percent: u8,
}

impl Default for CollectionOptions {
    fn default() -> Self {
        Self {
            interval: Some(Duration::from_secs(60 * 60)),
            grace: Duration::from_secs(60 * 60),
            repack_below_percent: 50,
        }
    }
}

/// What the operator asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CollectGarbage {
    /// Whether only to say what would be done.
    pub dry_run: bool,
    /// Whether to forget alarms first.
    pub resume: bool,
    /// Says what deleting these snapshots of the caller would free; for a dry run.
    pub if_deleted: Vec<String>,
}

/// What a pass found and did in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegionReport {
    /// The region.
    pub region: Region,
    /// What was found and done.
    pub report: Report,
}

/// What the operator is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// The regions that hold anything.
    pub regions: Vec<RegionReport>,
    /// What deleting the snapshots that were named would free, all of them together.
    pub if_deleted: Option<Space>,
}

/// The last pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastPass {
    /// When it ended.
    pub ended: Timestamp,
    /// What it did, or why it was ended.
    pub outcome: Result<Vec<RegionReport>, String>,
}

/// How collection is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectionStatus {
    /// How garbage is collected.
    pub options: CollectionOptions,
    /// The last pass since the start.
    pub last: Option<LastPass>,
    /// What halts it, until the operator resumes it.
    pub alarms: Vec<CondemnedRead>,
}

/// A blob of a condemned pack that was read: it was taken for garbage, and is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CondemnedRead {
    /// The number of the pack, as in the name of its file.
    pub pack: String,
    /// The digest of the blob, hexadecimal.
    pub blob: String,
}

/// What one snapshot or one image costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost<T> {
    /// What it is.
    pub id: T,
    /// Bytes of its blocks that are not zeros, before compression, each one as often as it
    /// occurs.
    pub logical: u64,
    /// What it costs on disk.
    pub space: Space,
}

/// What an account costs in a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskUsage {
    /// The account as a whole: its snapshots, volumes and uploads.
    pub account: Cost<AccountId>,
    /// Its images, by id: all snapshots of an image together.
    pub images: Vec<Cost<ImageId>>,
    /// Its completed snapshots, oldest first.
    pub snapshots: Vec<Cost<SnapshotId>>,
}

/// What passes share.
#[derive(Debug)]
pub(crate) struct Collector {
    options: CollectionOptions,
    /// Held by the pass that runs.
    turn: tokio::sync::Mutex<()>,
    stop: CancellationToken,
    last: Mutex<Option<LastPass>>,
}

impl Collector {
    pub(crate) fn new(options: CollectionOptions) -> Self {
        Self {
            options,
            turn: tokio::sync::Mutex::default(),
            stop: CancellationToken::new(),
            last: Mutex::default(),
        }
    }

    fn last(&self) -> MutexGuard<'_, Option<LastPass>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control {
    /// Runs a pass now, or says what it would do. For the operator alone.
    pub async fn collect_garbage(
        &self,
        caller: &Caller,
        request: CollectGarbage,
    ) -> Result<Collected> {
        caller.check_operator("collect garbage")?;
        if !(request.if_deleted.is_empty() || request.dry_run) {
            return Err(Error::new(
                ErrorKind::InvalidParameterCombination,
                "IfDeleted deletes nothing, and so it needs DryRun.",
            ));
        }
        let if_deleted = match request.if_deleted.as_slice() {
            [] => None,
            ids => Some(self.freed_by(caller, ids).await?),
        };
        if request.resume && !request.dry_run {
            self.resume_collection().await?;
        }
        Ok(Collected {
            regions: self.pass(request.dry_run).await?,
            if_deleted,
        })
    }

    /// How collection is doing.
    pub async fn collection_status(&self) -> Result<CollectionStatus> {
        let last = self.collector().last().clone();
        Ok(CollectionStatus {
            options: self.collector().options,
            last,
            alarms: self.alarms().await?.iter().map(condemned_read).collect(),
        })
    }

    /// What the caller's snapshots, images and account cost in the caller's region.
    pub async fn disk_usage(&self, caller: &Caller) -> Result<DiskUsage> {
        let Some(store) = self.engine().existing_store(caller.region).await? else {
            return Ok(DiskUsage::nothing(caller));
        };
        let _session = store.session();
        let (mut holders, images) = {
            let mut read = self.store().read().await?;
            let holders = Holders::read(self, &mut read, caller.region).await?;
            let images = image::list_registered(&mut read, &caller.account, caller.region).await?;
            (holders, images)
        };
        holders.complete(self).await?;
        let others = Others::of(&holders, &mut *self.store().read().await?, caller).await?;
        let account = caller.account.clone();
        let usage = blocking(move || survey(&store, &holders, &images, &others, account));
        Ok(usage.await?)
    }

    /// Ends the pass that runs, for shutdown.
    pub(crate) async fn stop_collecting(&self) {
        self.collector().stop.cancel();
        self.engine().stop_collecting().await;
        drop(self.collector().turn.lock().await);
    }

    /// Runs passes at their interval until the server stops.
    pub(crate) fn start_collecting(&self) {
        let Some(interval) = self.collector().options.interval else {
            return;
        };
        let first = self.now().after(interval.min(FIRST));
        let ticks = Ticks::new(TICK, self, &self.collector().stop);
        tokio::spawn(run(ticks, interval, first));
    }

    async fn alarms(&self) -> Result<Vec<Alarm>> {
        let index = Arc::clone(self.engine().index());
        Ok(blocking(move || index.alarms().map_err(cairn_blocks::Error::from)).await?)
    }

    async fn resume_collection(&self) -> Result<()> {
        let alarms = self.alarms().await?;
        if alarms.is_empty() {
            return Ok(());
        }
        tracing::warn!(
            ?alarms,
            "collection goes on after alarms, since the operator says so"
        );
        let index = Arc::clone(self.engine().index());
        Ok(blocking(move || index.clear_alarms().map_err(cairn_blocks::Error::from)).await?)
    }

    /// A pass over all regions. What it did is kept for the status, unless it is a dry run.
    async fn pass(&self, dry_run: bool) -> Result<Vec<RegionReport>> {
        let _turn = self.collector().turn.lock().await;
        let outcome = self.collect_regions(dry_run).await;
        if !dry_run {
            let outcome = outcome.clone().map_err(|error| error.message);
            *self.collector().last() = Some(LastPass {
                ended: self.now(),
                outcome,
            });
        }
        outcome
    }

    async fn collect_regions(&self, dry_run: bool) -> Result<Vec<RegionReport>> {
        let mut reports = Vec::new();
        for region in Region::all() {
            if self.collector().stop.is_cancelled() {
                return Err(ended(cairn_blocks::Error::CollectionStopped.into()));
            }
            let store = self.engine().existing_store(region).await;
            if let Some(store) = store.map_err(ended)? {
                let report = self.collect_region(region, store, dry_run).await?;
                reports.push(RegionReport { region, report });
            }
        }
        Ok(reports)
    }

    async fn collect_region(
        &self,
        region: Region,
        store: Arc<BlockStore>,
        dry_run: bool,
    ) -> Result<Report> {
        // Before any root is read.
        let collection = blocking(move || store.begin_collection());
        let collection = collection.await.map_err(ended)?;
        let (mut holders, collection) = {
            let mut read = self.store().read().await?;
            let holders = Holders::read(self, &mut read, region).await?;
            let collection = mark_uploads(&mut read, &holders, collection).await?;
            (holders, collection)
        };
        holders.complete(self).await?;
        let options = self.collector().options;
        let rules = Rules {
            domains: holders.domain_ids(),
            now: self.now().0,
            grace: options.grace,
            repack_below_percent: options.repack_below_percent,
        };
        let work = move || {
            let plan = mark(collection, &holders)?.plan(rules)?;
            match dry_run {
                true => Ok::<_, cairn_blocks::Error>(plan.report()),
                false => plan.carry_out(),
            }
        };
        let report = blocking(work).await.map_err(ended)?;
        tracing::info!(%region, dry_run, ?report, "collected garbage");
        Ok(report)
    }

    /// What deleting snapshots of the caller would free, all of them together.
    async fn freed_by(&self, caller: &Caller, ids: &[String]) -> Result<Space> {
        let _session = self.reading(caller.region).await?;
        let mut read = self.store().read().await?;
        let mut chosen = Vec::with_capacity(ids.len());
        for id in ids {
            let found = snapshot::find(&mut read, caller, id).await?;
            if found.root.is_none() {
                let text = format!("The snapshot '{id}' is '{}', not completed.", found.state);
                return Err(Error::new(ErrorKind::IncorrectState, text));
            }
            chosen.push(found.id);
        }
        let mut holders = Holders::read(self, &mut read, caller.region).await?;
        drop(read);
        holders.complete(self).await?;
        let others = holders
            .others(&mut *self.store().read().await?, |_| true)
            .await?;
        let store = self.engine().store(caller.region).await?;
        let space = move || {
            let is_chosen = |snapshot: &Snapshot| chosen.contains(&snapshot.id);
            let group = usage::Holders {
                roots: holders.snapshot_roots(is_chosen),
                blocks: Vec::new(),
            };
            let staying = holders.snapshot_roots(|snapshot| !is_chosen(snapshot));
            store.space_of_group(&group, &staying, &others)
        };
        Ok(blocking(space).await?)
    }
}

fn condemned_read(alarm: &Alarm) -> CondemnedRead {
    CondemnedRead {
        pack: format!("{:016x}", alarm.pack.0),
        blob: hex::encode(alarm.id.0),
    }
}

/// Looks for a pass that is due until the server stops. Holds the server only while it works, so
/// that dropping the last handle ends it.
async fn run(mut ticks: Ticks, interval: Duration, first: Timestamp) {
    let mut due = first;
    while let Some(control) = ticks.next().await {
        if control.now() < due {
            continue;
        }
        if let Err(error) = control.pass(false).await {
            tracing::error!(%error, "collect garbage");
        }
        due = control.now().after(interval);
    }
}

/// Why a collection was ended, for the operator.
fn ended(error: EngineError) -> Error {
    use cairn_blocks::Error as E;
    let (kind, text) = match &error {
        EngineError::Blocks(E::CollectionHalted { alarms }) => (
            ErrorKind::IncorrectState,
            format!(
                "Collection is halted: {alarms} blobs of condemned packs were read, which are live again. \
                 Look into the server's log, then go on with `cairn gc --resume`."
            ),
        ),
        EngineError::Blocks(E::CollectionUnderWay) => (
            ErrorKind::IncorrectState,
            "A collection is under way already.".to_owned(),
        ),
        EngineError::Blocks(E::CollectionStopped) => (
            ErrorKind::ShuttingDown,
            "The server is shutting down.".to_owned(),
        ),
        error => (
            ErrorKind::Internal,
            format!(
                "The collection was ended, since not everything that is needed could be told from garbage: {error}"
            ),
        ),
    };
    Error::new(kind, text)
}

/// Marks the blocks of all uploads, some at a time: there may be more than fit into memory.
async fn mark_uploads(
    conn: &mut Connection,
    holders: &Holders,
    mut collection: Collection,
) -> Result<Collection> {
    for upload in &holders.uploads {
        let domain = upload.domain;
        let mut from = Some(0);
        while let Some(at) = from {
            let blocks;
            (blocks, from) = upload_digests(conn, upload, at).await?;
            let mark = move || {
                collection.mark_blocks(domain, &blocks)?;
                Ok::<_, cairn_blocks::Error>(collection)
            };
            collection = blocking(mark).await.map_err(ended)?;
        }
    }
    Ok(collection)
}

/// Marks everything that is not the block of an upload.
fn mark(mut collection: Collection, holders: &Holders) -> Result<Collection, cairn_blocks::Error> {
    for held in &holders.snapshots {
        collection.mark_root(held.domain, &held.root)?;
    }
    for (_, domain, root) in &holders.roots {
        collection.mark_root(*domain, root)?;
    }
    for (_, domain, blocks) in &holders.blocks {
        collection.mark_blocks(*domain, blocks)?;
    }
    Ok(collection)
}

/// What is held besides snapshots: by the account that is looked at, by the others, by all.
struct Others {
    own: usage::Holders,
    foreign: usage::Holders,
    all: usage::Holders,
}

impl Others {
    async fn of(holders: &Holders, conn: &mut Connection, caller: &Caller) -> Result<Self> {
        let is_own = |account: &AccountId| *account == caller.account;
        Ok(Self {
            own: holders.others(conn, is_own).await?,
            foreign: holders.others(conn, |account| !is_own(account)).await?,
            all: holders.others(conn, |_| true).await?,
        })
    }
}

fn survey(
    store: &BlockStore,
    holders: &Holders,
    images: &[Image],
    others: &Others,
    account: AccountId,
) -> Result<DiskUsage, cairn_blocks::Error> {
    let is_own = |held: &&HeldSnapshot| held.snapshot.account == account;
    let spaces = store.space_of_each(&holders.snapshot_roots(|_| true), &others.all)?;
    let of_snapshots: Vec<_> = holders
        .snapshots
        .iter()
        .zip(spaces)
        .filter(|(held, _)| is_own(held))
        .map(|(held, space)| Cost {
            id: held.snapshot.id.clone(),
            logical: logical(&held.snapshot),
            space,
        })
        .collect();
    let of_images = images
        .iter()
        .map(|image| cost_of_image(store, holders, &others.all, &of_snapshots, image))
        .collect::<Result<_, _>>()?;
    let own = usage::Holders {
        roots: [
            holders.snapshot_roots(|snapshot| snapshot.account == account),
            others.own.roots.clone(),
        ]
        .concat(),
        blocks: others.own.blocks.clone(),
    };
    let foreign = holders.snapshot_roots(|snapshot| snapshot.account != account);
    let space = store.space_of_group(&own, &foreign, &others.foreign)?;
    Ok(DiskUsage {
        account: Cost {
            logical: of_snapshots.iter().map(|cost| cost.logical).sum(),
            id: account,
            space,
        },
        images: of_images,
        snapshots: of_snapshots,
    })
}

/// What an image costs: all its snapshots together. With one snapshot it costs what that does.
fn cost_of_image(
    store: &BlockStore,
    holders: &Holders,
    others: &usage::Holders,
    of_snapshots: &[Cost<SnapshotId>],
    image: &Image,
) -> Result<Cost<ImageId>, cairn_blocks::Error> {
    let ids: std::collections::BTreeSet<_> = image.snapshot_ids().collect();
    let own: Vec<_> = of_snapshots
        .iter()
        .filter(|cost| ids.contains(&cost.id))
        .collect();
    let space = match own.as_slice() {
        [only] if ids.len() == 1 => only.space,
        _ => {
            let group = usage::Holders {
                roots: holders.snapshot_roots(|snapshot| ids.contains(&snapshot.id)),
                blocks: Vec::new(),
            };
            let staying: Vec<(DomainId, _)> =
                holders.snapshot_roots(|snapshot| !ids.contains(&snapshot.id));
            store.space_of_group(&group, &staying, others)?
        }
    };
    Ok(Cost {
        id: image.id.clone(),
        logical: own.iter().map(|cost| cost.logical).sum(),
        space,
    })
}

fn logical(snapshot: &Snapshot) -> u64 {
    snapshot.full_size_bytes.unwrap_or_default()
}

impl DiskUsage {
    fn nothing(caller: &Caller) -> Self {
        Self {
            account: Cost {
                id: caller.account.clone(),
                logical: 0,
                space: Space::default(),
            },
            images: Vec::new(),
            snapshots: Vec::new(),
        }
    }
}
