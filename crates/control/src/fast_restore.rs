//! Fast restores: the decoded blocks of a snapshot are kept at hand.
//!
//! On EBS a volume of such a snapshot is initialized from the start. Here any volume can be used at
//! once, and what it has not fetched yet it decodes when it is asked for. Fast restores spare it
//! that: every block is read, checked and put into the region's cache of decoded blocks, as many as
//! have room there.

use cairn_blocks::{BlockStore, DomainId, Root};
use cairn_model::{
    AccountId, FastRestore, FastRestoreState, Paged, Region, Snapshot, SnapshotId,
    fast_restore::FastRestoreTimes, page::Bounds, place::Zone,
};
use cairn_store::{Connection, WriteTx, fast_restore as store, snapshot};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::{FastRestoreFailure, FastRestoresChanged},
    describe::{Question, parse_id, refuse_dry_run},
    engine::blocking,
    jobs::{self, Failure, Job, Next},
    request::{Describe, FastRestores},
    snapshot::{check_readable, content, find_usable},
};

/// What MaxResults of DescribeFastSnapshotRestores may be.
const PAGE: Bounds = Bounds { min: 1, max: 200 };

/// What EC2 calls a state in which something cannot be done.
const INCORRECT_STATE: &str = "IncorrectState";

impl Control {
    /// Enables fast restores of snapshots in zones. What cannot be done for one is told of that one.
    pub async fn enable_fast_snapshot_restores(
        &self,
        caller: &Caller,
        request: FastRestores,
    ) -> Result<FastRestoresChanged> {
        self.change_fast_restores(caller, request, FastRestoreState::enabled)
            .await
    }

    /// Disables fast restores of snapshots in zones.
    pub async fn disable_fast_snapshot_restores(
        &self,
        caller: &Caller,
        request: FastRestores,
    ) -> Result<FastRestoresChanged> {
        self.change_fast_restores(caller, request, FastRestoreState::disabled)
            .await
    }

    /// The fast restores that the caller has enabled, and those that were disabled.
    pub async fn describe_fast_snapshot_restores(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Paged<FastRestore>> {
        let mut read = self.store().read().await?;
        let all = store::list(&mut read, &caller.account, caller.region).await?;
        drop(read);
        Question {
            control: self,
            caller,
            operation: "DescribeFastSnapshotRestores",
            bounds: PAGE,
            request: &request,
        }
        .answer(all, |restore| {
            format!("{} {}", restore.snapshot_id, restore.zone)
        })
    }

    async fn change_fast_restores(
        &self,
        caller: &Caller,
        request: FastRestores,
        change: fn(FastRestoreState) -> Option<FastRestoreState>,
    ) -> Result<FastRestoresChanged> {
        let zones = zones(caller, &request)?;
        check_ids(&request.source_snapshot_ids)?;
        refuse_dry_run(request.dry_run)?;
        let mut tx = self.store().write().await?;
        let mut changed = FastRestoresChanged::default();
        for id in &request.source_snapshot_ids {
            for zone in &zones {
                match self.change_one(&mut tx, caller, (id, zone), change).await? {
                    Ok(restore) => changed.successful.push(restore),
                    Err((code, message)) => changed.unsuccessful.push(FastRestoreFailure {
                        snapshot_id: id.clone(),
                        zone: zone.name(),
                        zone_id: zone.id(),
                        code,
                        message,
                    }),
                }
            }
        }
        tx.commit().await?;
        self.wake_jobs();
        Ok(changed)
    }

    /// The inner error is of this one alone.
    async fn change_one(
        &self,
        tx: &mut WriteTx,
        caller: &Caller,
        (id, zone): (&str, &Zone),
        change: fn(FastRestoreState) -> Option<FastRestoreState>,
    ) -> Result<Result<FastRestore, (&'static str, String)>> {
        let found = match usable(tx, caller, id).await {
            Ok(found) => found,
            Err(error) if error.kind == ErrorKind::SnapshotNotFound => {
                return Ok(Err(("InvalidSnapshot.NotFound", error.message)));
            }
            Err(error) if error.kind == ErrorKind::IncorrectState => {
                return Ok(Err((INCORRECT_STATE, error.message)));
            }
            Err(error) => return Err(error),
        };
        let known = get(tx, &caller.account, &found.id, &zone.name()).await?;
        let mut restore = known.unwrap_or_else(|| disabled(caller, &found.id, zone));
        let Some(next) = change(restore.state) else {
            let text = format!(
                "Fast restores of {id} in {} are {}.",
                zone.name(),
                restore.state
            );
            return Ok(Err((INCORRECT_STATE, text)));
        };
        if next != restore.state {
            restore.enter(next, self.stamp());
            store::put(tx, &restore).await?;
            jobs::enqueue(tx, &FastRestoreJob::of(&restore), self.now()).await?;
        }
        Ok(Ok(restore))
    }
}

/// A snapshot that fast restores can be enabled of.
async fn usable(conn: &mut Connection, caller: &Caller, id: &str) -> Result<Snapshot> {
    let found = find_usable(conn, caller, id).await?;
    check_readable(&found)?;
    Ok(found)
}

fn disabled(caller: &Caller, id: &SnapshotId, zone: &Zone) -> FastRestore {
    FastRestore {
        snapshot_id: id.clone(),
        account: caller.account.clone(),
        region: caller.region,
        zone: zone.name(),
        state: FastRestoreState::Disabled,
        times: FastRestoreTimes::default(),
    }
}

async fn get(
    conn: &mut Connection,
    account: &AccountId,
    id: &SnapshotId,
    zone: &str,
) -> Result<Option<FastRestore>> {
    let all = store::list_of(conn, id).await?;
    let is_it = |restore: &FastRestore| restore.account == *account && restore.zone == zone;
    Ok(all.into_iter().find(is_it))
}

/// Forgets the fast restores of a snapshot that is deleted.
pub(crate) async fn forget(tx: &mut WriteTx, id: &SnapshotId) -> Result<()> {
    Ok(store::delete_of(tx, id).await?)
}

/// Refuses what cannot be done with a snapshot that fast restores are enabled of.
pub(crate) async fn check_none(conn: &mut Connection, id: &SnapshotId) -> Result<()> {
    let all = store::list_of(conn, id).await?;
    match all
        .iter()
        .all(|restore| restore.state == FastRestoreState::Disabled)
    {
        true => Ok(()),
        false => {
            let text = format!("Fast restores of the snapshot '{id}' are enabled.");
            Err(Error::new(ErrorKind::IncorrectState, text))
        }
    }
}

fn zones(caller: &Caller, request: &FastRestores) -> Result<Vec<Zone>> {
    let (names, ids) = (&request.availability_zones, &request.availability_zone_ids);
    if names.is_empty() == ids.is_empty() {
        return Err(match names.is_empty() {
            true => Error::missing_parameter("AvailabilityZones or AvailabilityZoneIds"),
            false => Error::new(
                ErrorKind::InvalidParameterCombination,
                "AvailabilityZones and AvailabilityZoneIds cannot be used together.",
            ),
        });
    }
    let by_name = names.iter().map(|name| {
        let zone = caller.region.zone(name);
        zone.filter(|zone| zone.name() == *name)
            .ok_or_else(|| no_zone(name))
    });
    let by_id = ids.iter().map(|id| {
        let zone = caller.region.zone(id);
        zone.filter(|zone| zone.id() == *id)
            .ok_or_else(|| no_zone(id))
    });
    by_name.chain(by_id).collect()
}

fn no_zone(name: &str) -> Error {
    let text = format!("The zone '{name}' does not exist.");
    Error::new(ErrorKind::ZoneNotFound, text)
}

fn check_ids(ids: &[String]) -> Result<()> {
    if ids.is_empty() {
        return Err(Error::missing_parameter("SourceSnapshotIds"));
    }
    ids.iter()
        .try_for_each(|id| parse_id::<SnapshotId>(id, ErrorKind::SnapshotIdMalformed).map(drop))
}

/// Does what brings fast restores into the state that comes next.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FastRestoreJob {
    account: AccountId,
    snapshot: SnapshotId,
    region: Region,
    zone: String,
}

impl Job for FastRestoreJob {
    const KIND: &'static str = "fast-restore";

    fn subject(&self) -> &str {
        self.snapshot.as_str()
    }

    async fn step(&self, control: &Control, _step: u32) -> Result<Next, Failure> {
        let mut read = control.store().read().await?;
        let found = get(&mut read, &self.account, &self.snapshot, &self.zone).await?;
        drop(read);
        let Some(restore) = found else {
            return Ok(Next::Done);
        };
        let Some(next) = restore.state.next() else {
            return Ok(Next::Done);
        };
        if restore.state == FastRestoreState::Optimizing && !self.warm(control).await? {
            return Ok(Next::Later(control.now()));
        }
        self.enter(control, restore.state, next).await?;
        Ok(Next::Step)
    }

    /// What cannot be read is not at hand.
    async fn undo(&self, control: &Control, _step: u32, why: &str) -> Result<(), Failure> {
        tracing::error!(snapshot = %self.snapshot, zone = self.zone, why, "fast restores were not enabled");
        let (from, to) = (FastRestoreState::Optimizing, FastRestoreState::Disabled);
        self.enter(control, from, to).await
    }
}

impl FastRestoreJob {
    fn of(restore: &FastRestore) -> Self {
        Self {
            account: restore.account.clone(),
            snapshot: restore.snapshot_id.clone(),
            region: restore.region,
            zone: restore.zone.clone(),
        }
    }

    /// From one state into another, unless a verb was there first.
    async fn enter(
        &self,
        control: &Control,
        from: FastRestoreState,
        to: FastRestoreState,
    ) -> Result<(), Failure> {
        let mut tx = control.store().write().await?;
        let found = get(&mut tx, &self.account, &self.snapshot, &self.zone).await?;
        if let Some(mut restore) = found.filter(|restore| restore.state == from) {
            restore.enter(to, control.stamp());
            store::put(&mut tx, &restore).await?;
        }
        Ok(tx.commit().await?)
    }

    /// False: the server is about to end.
    async fn warm(&self, control: &Control) -> Result<bool, Failure> {
        let _session = control.session(self.region).await?;
        let found = snapshot::get(&mut *control.store().read().await?, &self.snapshot).await?;
        let Some(found) = found.filter(Snapshot::is_in_standard) else {
            return Ok(true);
        };
        let content = content(control, &found).await?;
        let (domain, root) = (content.domain(), content.root()?);
        let store = control.engine().store(self.region).await?;
        let stopping = control.jobs().stopping().clone();
        Ok(blocking(move || fetch(&store, domain, &root, &stopping)).await?)
    }
}

/// Reads as many blocks as have room in the cache. False: it was stopped.
fn fetch(
    store: &BlockStore,
    domain: DomainId,
    root: &Root,
    stopping: &CancellationToken,
) -> Result<bool, cairn_blocks::Error> {
    let room = usize::try_from(store.slot_stats().slots).unwrap_or(usize::MAX);
    for block in store.blocks(domain, root, 0).take(room) {
        if stopping.is_cancelled() {
            return Ok(false);
        }
        store.get(domain, &block?.1)?;
    }
    store.settle_slots();
    Ok(true)
}
