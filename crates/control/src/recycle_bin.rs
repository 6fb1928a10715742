//! The Recycle Bin: what was deleted and is kept for a while, by the account's rules.
//!
//! What is in the bin is gone for every verb but those of the bin. It keeps its bytes, and when its
//! time is over a job deletes it for good.

use std::time::Duration;

use cairn_model::{
    AccountId, Filterable, Paged, Recycled, RecycledType, Region, Snapshot, SnapshotId,
    SnapshotState, Tags, Timestamp, VolumeId, page::Bounds, recycle_bin as rules,
};
use cairn_store::{Connection, WriteTx, job, recycle_bin as store, snapshot};
use serde::{Deserialize, Serialize};

use crate::{
    Caller, Control, ErrorKind, Result,
    describe::{self, Question, refuse_dry_run},
    fast_restore,
    jobs::{self, Failure, Job, Next},
    lock, record,
    request::{ById, Describe},
    snapshot::not_found,
};

/// What MaxResults of the lists may be.
const PAGE: Bounds = Bounds { min: 5, max: 1000 };

/// The pause before the deletion of something that cannot be deleted yet is tried again.
const AGAIN: Duration = Duration::from_secs(60 * 60);

/// How long a resource of an account with these tags is kept once it is deleted; none: it is not.
pub(crate) async fn retention(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
    resource_type: RecycledType,
    tags: &Tags,
) -> Result<Option<Duration>> {
    let mut all = store::list(conn, account, region).await?;
    all.retain(|rule| rule.resource_type == resource_type);
    Ok(rules::retention(&all, tags))
}

/// A snapshot in the bin, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecycledSnapshot {
    /// The snapshot.
    pub snapshot_id: SnapshotId,
    /// Its stay.
    pub stay: Recycled,
    /// Its description.
    pub description: String,
    /// The volume it was taken of.
    pub volume_id: VolumeId,
}

impl RecycledSnapshot {
    fn of(snapshot: Snapshot) -> Option<Self> {
        Some(Self {
            stay: snapshot.recycled?,
            snapshot_id: snapshot.id,
            description: snapshot.description,
            volume_id: snapshot.volume_id,
        })
    }
}

/// The list has no filters.
impl Filterable for RecycledSnapshot {
    const FILTERS: &'static [&'static str] = &[];
    const HAS_TAGS: bool = false;

    fn filter_field(&self, _name: &str) -> Option<Vec<String>> {
        None
    }

    fn filter_tags(&self) -> Option<&Tags> {
        None
    }
}

impl Control {
    /// The caller's snapshots in the bin, those that were deleted first come first.
    pub async fn list_snapshots_in_recycle_bin(
        &self,
        caller: &Caller,
        mut request: Describe,
    ) -> Result<Paged<RecycledSnapshot>> {
        let malformed = ErrorKind::SnapshotIdMalformed;
        describe::check_ids::<SnapshotId>(&mut request, malformed, "snapshotSet", PAGE)?;
        let mut read = self.store().read().await?;
        let own = snapshot::list_recycled(&mut read, &caller.account, caller.region).await?;
        drop(read);
        let named = describe::select(own, &request.ids, |own| own.id.as_str(), not_found)?;
        let shown = named.into_iter().filter_map(RecycledSnapshot::of).collect();
        Question {
            control: self,
            caller,
            operation: "ListSnapshotsInRecycleBin",
            bounds: PAGE,
            request: &request,
        }
        .answer(shown, |snapshot| {
            format!("{:020} {}", snapshot.stay.entered.0, snapshot.snapshot_id)
        })
    }

    /// Takes a snapshot out of the bin: it is what it was before it was deleted.
    pub async fn restore_snapshot_from_recycle_bin(
        &self,
        caller: &Caller,
        request: ById,
    ) -> Result<Snapshot> {
        let mut tx = self.store().write().await?;
        let found = find_recycled(&mut tx, caller, &request.id).await?;
        refuse_dry_run(request.dry_run)?;
        jobs::withdraw::<EmptyBinJob>(&mut tx, found.id.as_str()).await?;
        let restored = snapshot::update(&mut tx, &found.id, |snapshot| {
            snapshot.recycled = None;
        })
        .await?;
        record::enqueue(self, &mut tx, found.region, &found.id).await?;
        tx.commit().await?;
        self.wake_jobs();
        restored.ok_or_else(|| not_found(&request.id))
    }

    /// Deletes a snapshot in the caller's transaction: into the bin if a rule of its account says so,
    /// else for good. The caller wakes the jobs after its commit.
    pub(crate) async fn discard(&self, tx: &mut WriteTx, found: &Snapshot) -> Result<()> {
        lock::check_deletable(found, self.now())?;
        // What holds nothing yet, or never will, is not kept.
        if found.state != SnapshotState::Completed {
            return self.forget(tx, found).await;
        }
        let kind = RecycledType::EbsSnapshot;
        match retention(tx, &found.account, found.region, kind, &found.tags).await? {
            Some(kept) => self.recycle(tx, found, kept).await,
            None => self.forget(tx, found).await,
        }
    }

    async fn recycle(&self, tx: &mut WriteTx, found: &Snapshot, kept: Duration) -> Result<()> {
        let stay = Recycled::since(self.stamp(), kept);
        fast_restore::forget(tx, &found.id).await?;
        snapshot::update(tx, &found.id, |snapshot| snapshot.recycled = Some(stay)).await?;
        record::enqueue(self, tx, found.region, &found.id).await?;
        enqueue_exit(self, tx, &found.id, stay.exits).await
    }

    /// Has a snapshot leave the bin, if it is there and nothing sees to that.
    pub(crate) async fn resume_bin(&self, tx: &mut WriteTx, found: &Snapshot) -> Result<()> {
        let Some(stay) = found.recycled else {
            return Ok(());
        };
        let jobs = job::list_of(tx, found.id.as_str()).await?;
        if jobs.iter().any(|job| job.kind == EmptyBinJob::KIND) {
            return Ok(());
        }
        enqueue_exit(self, tx, &found.id, stay.exits).await
    }
}

async fn find_recycled(conn: &mut Connection, caller: &Caller, id: &str) -> Result<Snapshot> {
    let parsed = describe::parse_id(id, ErrorKind::SnapshotIdMalformed)?;
    let found = snapshot::get(conn, &parsed).await?;
    found
        .filter(|found| found.account == caller.account && found.region == caller.region)
        .filter(|found| found.recycled.is_some())
        .ok_or_else(|| not_found(id))
}

async fn enqueue_exit(
    control: &Control,
    tx: &mut WriteTx,
    id: &SnapshotId,
    exits: Timestamp,
) -> Result<()> {
    let job = EmptyBinJob {
        snapshot: id.clone(),
    };
    jobs::enqueue_at(tx, &job, control.now(), exits).await?;
    Ok(())
}

/// Deletes a snapshot for good when its stay in the bin is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EmptyBinJob {
    snapshot: SnapshotId,
}

impl Job for EmptyBinJob {
    const KIND: &'static str = "empty-recycle-bin";

    fn subject(&self) -> &str {
        self.snapshot.as_str()
    }

    /// Never given up: what is in the bin nobody else can delete.
    async fn step(&self, control: &Control, _step: u32) -> Result<Next, Failure> {
        match self.delete(control).await {
            Ok(next) => Ok(next),
            Err(error) => {
                tracing::error!(snapshot = %self.snapshot, %error, "delete a snapshot from the Recycle Bin");
                Ok(Next::Later(control.now().after(AGAIN)))
            }
        }
    }

    async fn undo(&self, _control: &Control, _step: u32, _why: &str) -> Result<(), Failure> {
        Ok(())
    }
}

impl EmptyBinJob {
    async fn delete(&self, control: &Control) -> Result<Next> {
        let mut tx = control.store().write().await?;
        let Some(found) = snapshot::get(&mut tx, &self.snapshot).await? else {
            return Ok(Next::Done);
        };
        match found.recycled {
            None => return Ok(Next::Done),
            Some(stay) if control.now() < stay.exits => return Ok(Next::Later(stay.exits)),
            Some(_) => control.forget(&mut tx, &found).await?,
        }
        tx.commit().await?;
        control.wake_jobs();
        Ok(Next::Done)
    }
}
