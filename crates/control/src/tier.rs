//! Tiers: archiving a snapshot, and restoring it from there. The states, and what each allows, are in
//! [`cairn_model::tier`].
//!
//! An archived snapshot is whole: its blocks lie in a domain of its own, packed as tight as it goes,
//! and share nothing. What it had in common with others stays for those; what it had alone is
//! garbage from then on. Its content, and so its digest, is the same in both places.

use std::sync::Arc;

use cairn_blocks::{Density, DomainId, Root};
use cairn_model::{
    Paged, Snapshot, SnapshotId, SnapshotState, StorageTier, TierStatus, Tiering, Timestamp,
    page::Bounds,
    recycle_bin::days,
    tier::{TEMPORARY_DAYS, TierVerb, TieringStatus},
};
use cairn_store::{WriteTx, domain, job, kms_key, snapshot};
use serde::{Deserialize, Serialize};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::TierRestore,
    copy::{Move, ProgressOf},
    describe::{Question, refuse_dry_run},
    engine::Content,
    fast_restore,
    jobs::{self, Failure, Job, Next},
    keys::{
        Purpose,
        verbs::{domain_of, key_of},
    },
    record,
    request::{Describe, ModifySnapshotTier, RestoreSnapshotTier},
    snapshot::{check_unused, content_of, find, not_found},
};

/// What MaxResults of DescribeSnapshotTierStatus may be.
const PAGE: Bounds = Bounds { min: 5, max: 1000 };

impl Control {
    /// Archives a snapshot. It can be used until that is done, and not after. Tells when it began.
    pub async fn modify_snapshot_tier(
        &self,
        caller: &Caller,
        request: ModifySnapshotTier,
    ) -> Result<(SnapshotId, Timestamp)> {
        let has_room = self.engine().has_room(caller.region).await?;
        let mut tx = self.store().write().await?;
        let found = find(&mut tx, caller, &request.snapshot_id).await?;
        check_tier(request.storage_tier.as_deref())?;
        check_allowed(&found, TierVerb::Archive)?;
        check_unused(&mut tx, &found).await?;
        fast_restore::check_none(&mut tx, &found.id).await?;
        self.check_key(found.kms_key_id.as_deref()).await?;
        if !has_room {
            return Err(Error::storage_full());
        }
        refuse_dry_run(request.dry_run)?;
        let started = self.stamp();
        let begun = |tiering: &mut Tiering| tiering.status = TieringStatus::ArchivalInProgress;
        begin(&mut tx, &found.id, started, begun).await?;
        record::enqueue(self, &mut tx, found.region, &found.id).await?;
        let job = ArchiveJob::of(&found.id);
        jobs::enqueue(&mut tx, &job, self.now()).await?;
        tx.commit().await?;
        self.wake_jobs();
        Ok((found.id, started))
    }

    /// Restores an archived snapshot, for some days or for good; one that is restored for some days can
    /// be given more, or fewer, or stay.
    pub async fn restore_snapshot_tier(
        &self,
        caller: &Caller,
        request: RestoreSnapshotTier,
    ) -> Result<TierRestore> {
        let has_room = self.engine().has_room(caller.region).await?;
        let mut tx = self.store().write().await?;
        let found = find(&mut tx, caller, &request.snapshot_id).await?;
        let days = restore_days(&request)?;
        let verb = match days {
            Some(_) => TierVerb::RestoreForDays,
            None => TierVerb::RestoreForGood,
        };
        check_allowed(&found, verb)?;
        self.check_key(found.kms_key_id.as_deref()).await?;
        if !has_room {
            return Err(Error::storage_full());
        }
        refuse_dry_run(request.dry_run)?;
        let started = self.stamp();
        match found.is_in_standard() {
            true => self.prolong(&mut tx, &found.id, days).await?,
            false => self.begin_restore(&mut tx, &found, days).await?,
        }
        tx.commit().await?;
        self.wake_jobs();
        Ok(TierRestore {
            snapshot_id: found.id,
            started,
            days,
        })
    }

    /// How the tiers of the caller's snapshots are; oldest first.
    pub async fn describe_snapshot_tier_status(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Paged<TierStatus>> {
        let mut read = self.store().read().await?;
        let own = snapshot::list(&mut read, &caller.account, caller.region).await?;
        drop(read);
        Question {
            control: self,
            caller,
            operation: "DescribeSnapshotTierStatus",
            bounds: PAGE,
            request: &request,
        }
        .answer(own.iter().map(TierStatus::of).collect(), |status| {
            status.snapshot_id.to_string()
        })
    }

    async fn begin_restore(
        &self,
        tx: &mut WriteTx,
        found: &Snapshot,
        days: Option<i32>,
    ) -> Result<()> {
        let id = &found.id;
        let begun = |tiering: &mut Tiering| {
            tiering.restore_days = days;
            tiering.status = match days {
                Some(_) => TieringStatus::TemporaryRestoreInProgress,
                None => TieringStatus::PermanentRestoreInProgress,
            };
        };
        begin(tx, id, self.stamp(), begun).await?;
        record::enqueue(self, tx, found.region, id).await?;
        let job = RestoreJob {
            snapshot: id.clone(),
        };
        jobs::enqueue(tx, &job, self.now()).await?;
        Ok(())
    }

    /// Of a snapshot that is restored already: only its end changes.
    async fn prolong(&self, tx: &mut WriteTx, id: &SnapshotId, days: Option<i32>) -> Result<()> {
        let now = self.stamp();
        let prolonged = |tiering: &mut Tiering| {
            tiering.restore_days = days;
            end_restore(tiering, now);
        };
        begin(tx, id, now, prolonged).await?;
        self.show_end(tx, id).await
    }

    /// After a restore has ended, or its end has changed: in the record, and with a job at the end.
    async fn show_end(&self, tx: &mut WriteTx, id: &SnapshotId) -> Result<()> {
        let Some(shown) = snapshot::get(tx, id).await? else {
            return Ok(());
        };
        record::write(self, tx, &shown).await?;
        let until = shown.tiering.and_then(|tiering| tiering.restored_until);
        if let Some(until) = until {
            jobs::enqueue_at(tx, &ArchiveJob::of(id), self.now(), until).await?;
        }
        Ok(())
    }

    /// Has a change of a snapshot's tier go on, if one was under way and nothing sees to that.
    pub(crate) async fn resume_tier(&self, tx: &mut WriteTx, found: &Snapshot) -> Result<()> {
        let (id, Some(tiering)) = (&found.id, &found.tiering) else {
            return Ok(());
        };
        use TieringStatus as S;
        let jobs = job::list_of(tx, id.as_str()).await?;
        if jobs
            .iter()
            .any(|job| [ArchiveJob::KIND, RestoreJob::KIND].contains(&job.kind.as_str()))
        {
            return Ok(());
        }
        let archive = ArchiveJob::of(id);
        match (tiering.status, tiering.restored_until) {
            (S::ArchivalInProgress, _) => jobs::enqueue(tx, &archive, self.now()).await.map(drop),
            (S::TemporaryRestoreCompleted, Some(until)) => {
                jobs::enqueue_at(tx, &archive, self.now(), until)
                    .await
                    .map(drop)
            }
            (S::TemporaryRestoreInProgress | S::PermanentRestoreInProgress, _) => {
                let restore = RestoreJob {
                    snapshot: id.clone(),
                };
                jobs::enqueue(tx, &restore, self.now()).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Sees to it that there is a domain for its blocks in the standard tier: where only its record was
    /// left, nothing else has made it.
    async fn ensure_shared_domain(&self, found: &Snapshot) -> Result<()> {
        let Some(id) = key_of(found.kms_key_id.as_deref())? else {
            return Ok(());
        };
        let key = kms_key::get(&mut *self.store().read().await?, &id).await?;
        match key {
            Some(key) => self.ensure_domain(&found.account, &key).await,
            None => Err(Error::internal(format!("key {id} has no row"))),
        }
    }

    /// The domain of a snapshot's archived blocks; made when it is archived first.
    async fn archive_domain(&self, found: &Snapshot) -> Result<DomainId> {
        let key = key_of(found.kms_key_id.as_deref())?;
        let mut tx = self.store().write().await?;
        let (region, account) = (found.region, &found.account);
        let known = domain::find_archive(&mut tx, region, account, &found.id).await?;
        if let Some(known) = known {
            return Ok(known.id);
        }
        let id = domain::insert_archive(&mut tx, region, account, key.as_ref(), &found.id).await?;
        if let Some(key) = &key {
            let data_key = self.new_data_key(key, Purpose::Domain(id)).await?;
            domain::set_data_key(&mut tx, id, &data_key).await?;
        }
        tx.commit().await?;
        // Until this is done the block stores refuse to touch the domain.
        self.know_domains().await?;
        Ok(id)
    }
}

/// Changes what a snapshot tells about its tier.
async fn begin(
    tx: &mut WriteTx,
    id: &SnapshotId,
    started: Timestamp,
    change: impl FnOnce(&mut Tiering) + Send,
) -> Result<()> {
    let begun = snapshot::update(tx, id, |snapshot| {
        let tiering = snapshot
            .tiering
            .get_or_insert_with(|| Tiering::new(started));
        tiering.started = started;
        tiering.progress = 0;
        tiering.status_detail = None;
        change(tiering);
    });
    begun.await?.map(drop).ok_or_else(|| not_found(id.as_str()))
}

/// The blocks are in the standard tier again.
fn end_restore(tiering: &mut Tiering, now: Timestamp) {
    tiering.progress = 100;
    tiering.restored_until = tiering.restore_days.map(|count| now.after(days(count)));
    (tiering.status, tiering.tier) = match tiering.restore_days {
        Some(_) => (
            TieringStatus::TemporaryRestoreCompleted,
            StorageTier::Archive,
        ),
        None => (
            TieringStatus::PermanentRestoreCompleted,
            StorageTier::Standard,
        ),
    };
}

fn check_tier(tier: Option<&str>) -> Result<()> {
    match tier {
        Some("archive") => Ok(()),
        None => Err(Error::missing_parameter("StorageTier")),
        Some(other) => {
            let text =
                format!("Value ({other}) for parameter storageTier is invalid. It is archive.");
            Err(Error::new(ErrorKind::InvalidParameterValue, text))
        }
    }
}

fn restore_days(request: &RestoreSnapshotTier) -> Result<Option<i32>> {
    match (request.temporary_restore_days, request.permanent_restore) {
        (Some(_), Some(true)) => Err(Error::new(
            ErrorKind::InvalidParameterCombination,
            "TemporaryRestoreDays and PermanentRestore cannot be used together.",
        )),
        (Some(count), _) if TEMPORARY_DAYS.contains(&count) => Ok(Some(count)),
        (Some(_), _) => {
            let (least, most) = (TEMPORARY_DAYS.start(), TEMPORARY_DAYS.end());
            let text = format!("TemporaryRestoreDays has to be from {least} to {most}.");
            Err(Error::new(ErrorKind::InvalidParameterValue, text))
        }
        (None, Some(true)) => Ok(None),
        (None, _) => Err(Error::missing_parameter(
            "TemporaryRestoreDays or PermanentRestore",
        )),
    }
}

fn check_allowed(found: &Snapshot, verb: TierVerb) -> Result<()> {
    let allows = match &found.tiering {
        Some(tiering) => tiering.status.allows(verb),
        None => verb == TierVerb::Archive,
    };
    if found.state == SnapshotState::Completed && allows {
        return Ok(());
    }
    let (state, tier) = (found.state, found.storage_tier());
    let status = found
        .tiering
        .as_ref()
        .map(|tiering| tiering.status.as_str());
    let text = format!(
        "The snapshot '{}' is {state}, in the {tier} tier ({}): its tier cannot be changed like this now.",
        found.id,
        status.unwrap_or("never archived")
    );
    Err(Error::new(ErrorKind::IncorrectState, text))
}

/// Archives a snapshot, or puts it back where it was when its restore ends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ArchiveJob {
    snapshot: SnapshotId,
}

impl Job for ArchiveJob {
    const KIND: &'static str = "archive-snapshot";

    fn subject(&self) -> &str {
        self.snapshot.as_str()
    }

    async fn step(&self, control: &Control, _step: u32) -> Result<Next, Failure> {
        let Some((found, tiering)) = read(control, &self.snapshot).await? else {
            return Ok(Next::Done);
        };
        match is_to_be_archived(&tiering, control.now()) {
            Some(true) => {}
            Some(false) => {
                let until = tiering.restored_until.unwrap_or_else(|| control.now());
                return Ok(Next::Later(until));
            }
            None => return Ok(Next::Done),
        }
        // Until the snapshot names its domain, nothing else holds what is in there.
        let _session = control.session(found.region).await?;
        let to = control.archive_domain(&found).await?;
        let from = content_of(&mut *control.store().read().await?, &found).await?;
        match bring(control, &found, (&from, to), Density::Dense).await? {
            true => self.show(control, to).await.map(|()| Next::Done),
            false => Ok(Next::Later(control.now())),
        }
    }

    async fn undo(&self, control: &Control, _step: u32, why: &str) -> Result<(), Failure> {
        let now = control.now();
        let failed = |tiering: &mut Tiering| {
            if is_to_be_archived(tiering, now) == Some(true) {
                tiering.status = TieringStatus::ArchivalFailed;
                tiering.tier = StorageTier::Standard;
                tiering.restored_until = None;
                tiering.status_detail = Some(why.to_owned());
            }
        };
        settle(control, &self.snapshot, failed).await
    }
}

/// None: not at all; false: not yet.
fn is_to_be_archived(tiering: &Tiering, now: Timestamp) -> Option<bool> {
    match (tiering.status, tiering.restored_until) {
        (TieringStatus::ArchivalInProgress, _) => Some(true),
        (TieringStatus::TemporaryRestoreCompleted, Some(until)) => Some(until <= now),
        _ => None,
    }
}

impl ArchiveJob {
    fn of(id: &SnapshotId) -> Self {
        Self {
            snapshot: id.clone(),
        }
    }

    async fn show(&self, control: &Control, archive: DomainId) -> Result<(), Failure> {
        let (now, stamp) = (control.now(), control.stamp());
        let done = |tiering: &mut Tiering| {
            // A verb may have prolonged the restore meanwhile.
            if is_to_be_archived(tiering, now) == Some(true) {
                tiering.status = TieringStatus::ArchivalCompleted;
                tiering.tier = StorageTier::Archive;
                tiering.progress = 100;
                tiering.archived.get_or_insert(stamp);
                tiering.restored_until = None;
                tiering.archive_domain = Some(archive.0);
            }
        };
        settle(control, &self.snapshot, done).await
    }
}

/// Brings an archived snapshot back into the standard tier.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RestoreJob {
    snapshot: SnapshotId,
}

impl Job for RestoreJob {
    const KIND: &'static str = "restore-snapshot";

    fn subject(&self) -> &str {
        self.snapshot.as_str()
    }

    async fn step(&self, control: &Control, _step: u32) -> Result<Next, Failure> {
        let Some((found, tiering)) = read(control, &self.snapshot).await? else {
            return Ok(Next::Done);
        };
        if !is_being_restored(&tiering) {
            return Ok(Next::Done);
        }
        let _session = control.session(found.region).await?;
        control.ensure_shared_domain(&found).await?;
        let (from, to) = {
            let mut read = control.store().read().await?;
            let key = found.kms_key_id.as_deref();
            let to = domain_of(&mut read, found.region, &found.account, key).await?;
            (content_of(&mut read, &found).await?, to.id)
        };
        match bring(control, &found, (&from, to), Density::Usual).await? {
            true => self.show(control).await.map(|()| Next::Done),
            false => Ok(Next::Later(control.now())),
        }
    }

    async fn undo(&self, control: &Control, _step: u32, why: &str) -> Result<(), Failure> {
        let failed = |tiering: &mut Tiering| {
            tiering.status = match tiering.status {
                TieringStatus::TemporaryRestoreInProgress => TieringStatus::TemporaryRestoreFailed,
                TieringStatus::PermanentRestoreInProgress => TieringStatus::PermanentRestoreFailed,
                other => other,
            };
            tiering.status_detail = Some(why.to_owned());
        };
        settle(control, &self.snapshot, failed).await
    }
}

impl RestoreJob {
    async fn show(&self, control: &Control) -> Result<(), Failure> {
        let now = control.stamp();
        let mut tx = control.store().write().await?;
        let restored = |snapshot: &mut Snapshot| {
            if let Some(tiering) = snapshot.tiering.as_mut().filter(|t| is_being_restored(t)) {
                end_restore(tiering, now);
            }
        };
        snapshot::update(&mut tx, &self.snapshot, restored).await?;
        control.show_end(&mut tx, &self.snapshot).await?;
        Ok(tx.commit().await?)
    }
}

fn is_being_restored(tiering: &Tiering) -> bool {
    matches!(
        tiering.status,
        TieringStatus::TemporaryRestoreInProgress | TieringStatus::PermanentRestoreInProgress
    )
}

async fn read(control: &Control, id: &SnapshotId) -> Result<Option<(Snapshot, Tiering)>, Failure> {
    let found = snapshot::get(&mut *control.store().read().await?, id).await?;
    Ok(found.and_then(|found| Some((found.clone(), found.tiering?))))
}

/// Brings content from one domain of a region into another. False: the server ends.
async fn bring(
    control: &Control,
    found: &Snapshot,
    (from, to): (&Content, DomainId),
    density: Density,
) -> Result<bool, Failure> {
    let store = control.engine().store(found.region).await?;
    let root: Root = from.root()?;
    let work = Move {
        from: (Arc::clone(&store), from.domain()),
        to: (store, to),
        root,
        density,
        snapshot: found.id.clone(),
        progress: ProgressOf::Tiering,
    };
    match work.carry_out(control).await? {
        Some(moved) if moved == root => Ok(true),
        Some(_) => Err(Failure::fatal("what was moved is not what was there")),
        None => Ok(false),
    }
}

/// Changes what a snapshot tells about its tier at the end of a job, in its record too.
async fn settle(
    control: &Control,
    id: &SnapshotId,
    change: impl FnOnce(&mut Tiering) + Send,
) -> Result<(), Failure> {
    let mut tx = control.store().write().await?;
    let changed = snapshot::update(&mut tx, id, |snapshot| {
        if let Some(tiering) = &mut snapshot.tiering {
            change(tiering);
        }
    });
    if let Some(changed) = changed.await? {
        record::write(control, &mut tx, &changed).await?;
    }
    Ok(tx.commit().await?)
}
