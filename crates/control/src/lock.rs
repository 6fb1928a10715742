//! Locks of snapshots. The states, and what each allows, are in [`cairn_model::snapshot_lock`].
//!
//! A lock is part of its snapshot's record, which is written before the answer: it outlives the
//! databases. Whatever deletes a snapshot, or the key that it is kept under, asks here first.

use cairn_model::{
    KmsKey, LockedSnapshot, Paged, ResourceType, Snapshot, SnapshotId, SnapshotLock, SnapshotState,
    Timestamp,
    page::Bounds,
    snapshot_lock::{COOL_OFF_HOURS, DURATION_DAYS, LockMode, LockTerm, LockVerb},
};
use cairn_store::{Connection, WriteTx, snapshot};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    describe::{self, Question, refuse_dry_run},
    record,
    request::{ById, Describe, LockSnapshot},
    snapshot::{find, not_found},
};

/// What MaxResults of DescribeLockedSnapshots may be.
const PAGE: Bounds = Bounds { min: 5, max: 1000 };

impl Control {
    /// Locks a snapshot, or changes its lock as far as that allows it.
    pub async fn lock_snapshot(
        &self,
        caller: &Caller,
        request: LockSnapshot,
    ) -> Result<LockedSnapshot> {
        let mut tx = self.store().write().await?;
        let snapshot = find(&mut tx, caller, &request.snapshot_id).await?;
        let now = self.now();
        let wanted = wanted(&request, &snapshot, self.stamp())?;
        check_lockable(&snapshot)?;
        check_change(&snapshot, &wanted, now)?;
        refuse_dry_run(request.dry_run)?;
        let locked = self.put_lock(tx, &snapshot.id, Some(wanted)).await?;
        shown(&locked, now).ok_or_else(|| Error::internal("a lock went while it was put on"))
    }

    /// Takes the lock off a snapshot.
    pub async fn unlock_snapshot(&self, caller: &Caller, request: ById) -> Result<SnapshotId> {
        let mut tx = self.store().write().await?;
        let snapshot = find(&mut tx, caller, &request.id).await?;
        let Some(lock) = &snapshot.lock else {
            let text = format!("The snapshot '{}' is not locked.", request.id);
            return Err(Error::new(ErrorKind::IncorrectState, text));
        };
        if !lock.state(self.now()).allows(LockVerb::Unlock) {
            return Err(forbidden(&snapshot.id, lock, "unlocked"));
        }
        refuse_dry_run(request.dry_run)?;
        self.put_lock(tx, &snapshot.id, None).await?;
        Ok(snapshot.id)
    }

    /// The caller's locked snapshots, also those of which the lock has expired; oldest first.
    pub async fn describe_locked_snapshots(
        &self,
        caller: &Caller,
        mut request: Describe,
    ) -> Result<Paged<LockedSnapshot>> {
        let malformed = ErrorKind::SnapshotIdMalformed;
        describe::check_ids::<SnapshotId>(&mut request, malformed, "snapshotSet", PAGE)?;
        let mut read = self.store().read().await?;
        let own = snapshot::list(&mut read, &caller.account, caller.region).await?;
        drop(read);
        let named = describe::select(own, &request.ids, |own| own.id.as_str(), not_found)?;
        let now = self.now();
        let locked = named.iter().filter_map(|own| shown(own, now)).collect();
        Question {
            control: self,
            caller,
            operation: "DescribeLockedSnapshots",
            bounds: PAGE,
            request: &request,
        }
        .answer(locked, |locked| {
            format!("{:020} {}", locked.lock.created.0, locked.snapshot_id)
        })
    }

    /// Changes the lock of a snapshot, in its record too if it has one.
    async fn put_lock(
        &self,
        mut tx: WriteTx,
        id: &SnapshotId,
        lock: Option<SnapshotLock>,
    ) -> Result<Snapshot> {
        let changed = snapshot::update(&mut tx, id, |snapshot| snapshot.lock = lock).await?;
        let changed = changed.ok_or_else(|| not_found(id.as_str()))?;
        if changed.state == SnapshotState::Completed {
            record::write(self, &mut tx, &changed).await?;
        }
        tx.commit().await?;
        Ok(changed)
    }
}

/// A lock as it is shown; none if there is none.
fn shown(snapshot: &Snapshot, now: Timestamp) -> Option<LockedSnapshot> {
    let lock = snapshot.lock.clone()?;
    Some(LockedSnapshot {
        snapshot_id: snapshot.id.clone(),
        account: snapshot.account.clone(),
        state: lock.state(now),
        lock,
    })
}

/// The lock that is asked for.
fn wanted(request: &LockSnapshot, snapshot: &Snapshot, now: Timestamp) -> Result<SnapshotLock> {
    let mode = request.lock_mode.parse().map_err(|_| {
        let text = format!(
            "Value ({}) for parameter lockMode is invalid. It is compliance or governance.",
            request.lock_mode
        );
        Error::new(ErrorKind::InvalidParameterValue, text)
    })?;
    Ok(SnapshotLock {
        mode,
        created: now,
        starts: (snapshot.state == SnapshotState::Completed).then_some(now),
        term: term(request, now)?,
        cool_off_hours: cool_off(request, mode)?,
    })
}

fn term(request: &LockSnapshot, now: Timestamp) -> Result<LockTerm> {
    let (least, greatest) = (DURATION_DAYS.start(), DURATION_DAYS.end());
    match (request.lock_duration, request.expiration_date) {
        (Some(days), None) if DURATION_DAYS.contains(&days) => Ok(LockTerm::Days(days)),
        (Some(_), None) => Err(Error::new(
            ErrorKind::InvalidParameterValue,
            format!("LockDuration has to be from {least} to {greatest} days."),
        )),
        (None, Some(date)) => until(date, now),
        (Some(_), Some(_)) => Err(Error::new(
            ErrorKind::InvalidParameterCombination,
            "LockDuration and ExpirationDate cannot be used together.",
        )),
        (None, None) => Err(Error::missing_parameter("LockDuration or ExpirationDate")),
    }
}

fn until(date: Timestamp, now: Timestamp) -> Result<LockTerm> {
    let term = LockTerm::Until(date.whole_second());
    let lock = SnapshotLock {
        mode: LockMode::Governance,
        created: now,
        starts: Some(now),
        term,
        cool_off_hours: None,
    };
    match date > now && DURATION_DAYS.contains(&lock.duration_days()) {
        true => Ok(term),
        false => Err(Error::new(
            ErrorKind::InvalidParameterValue,
            format!(
                "ExpirationDate has to be in the future, {} days at most.",
                DURATION_DAYS.end()
            ),
        )),
    }
}

fn cool_off(request: &LockSnapshot, mode: LockMode) -> Result<Option<i32>> {
    match (request.cool_off_period, mode) {
        (None, _) => Ok(None),
        (Some(_), LockMode::Governance) => Err(Error::new(
            ErrorKind::InvalidParameterCombination,
            "CoolOffPeriod cannot be used with the lock mode governance.",
        )),
        (Some(hours), LockMode::Compliance) if COOL_OFF_HOURS.contains(&hours) => Ok(Some(hours)),
        (Some(_), LockMode::Compliance) => Err(Error::new(
            ErrorKind::InvalidParameterValue,
            format!(
                "CoolOffPeriod has to be from {} to {} hours.",
                COOL_OFF_HOURS.start(),
                COOL_OFF_HOURS.end()
            ),
        )),
    }
}

fn check_lockable(snapshot: &Snapshot) -> Result<()> {
    match snapshot.state {
        SnapshotState::Error => {
            let text = format!(
                "The snapshot '{}' has failed, and cannot be locked.",
                snapshot.id
            );
            Err(Error::new(ErrorKind::IncorrectState, text))
        }
        SnapshotState::Pending | SnapshotState::Completed => Ok(()),
    }
}

fn check_change(snapshot: &Snapshot, wanted: &SnapshotLock, now: Timestamp) -> Result<()> {
    match &snapshot.lock {
        Some(lock) if !lock.state(now).allows(lock.change_to(wanted)) => {
            Err(forbidden(&snapshot.id, lock, "locked in any weaker way"))
        }
        _ => Ok(()),
    }
}

/// Refuses to delete a snapshot that is locked. One that has failed holds nothing.
pub(crate) fn check_deletable(snapshot: &Snapshot, now: Timestamp) -> Result<()> {
    match &snapshot.lock {
        Some(lock) if is_locked(snapshot, now) => Err(forbidden(&snapshot.id, lock, "deleted")),
        _ => Ok(()),
    }
}

/// Whether a snapshot may not be deleted.
pub(crate) fn is_locked(snapshot: &Snapshot, now: Timestamp) -> bool {
    let forbids = |lock: &SnapshotLock| !lock.state(now).allows(LockVerb::Delete);
    snapshot.state != SnapshotState::Error && snapshot.lock.as_ref().is_some_and(forbids)
}

/// Refuses to delete a key under which a locked snapshot is kept: without its key it could never be
/// read again.
pub(crate) async fn check_key_deletable(
    conn: &mut Connection,
    key: &KmsKey,
    now: Timestamp,
) -> Result<()> {
    let locked = locked_under(conn, key, now).await?;
    if locked.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = locked.iter().map(SnapshotId::as_str).collect();
    let text = format!(
        "The key {} is needed by locked snapshots: {}.",
        key.id,
        names.join(", ")
    );
    Err(Error::new(ErrorKind::KmsKeyInUse, text))
}

/// The locked snapshots that are kept under a key, also those in the Recycle Bin.
pub(crate) async fn locked_under(
    conn: &mut Connection,
    key: &KmsKey,
    now: Timestamp,
) -> Result<Vec<SnapshotId>> {
    let arn = key.arn();
    let all = snapshot::list_in(conn, key.region).await?;
    let is_it = |snapshot: &&Snapshot| {
        snapshot.kms_key_id.as_deref() == Some(&*arn) && is_locked(snapshot, now)
    };
    Ok(all
        .iter()
        .filter(is_it)
        .map(|found| found.id.clone())
        .collect())
}

fn forbidden(id: &SnapshotId, lock: &SnapshotLock, what: &str) -> Error {
    let noun = ResourceType::Snapshot;
    let until = match lock.expires() {
        Some(expires) => format!("until {expires}"),
        None => format!("for {} days from its completion", lock.duration_days()),
    };
    let text = format!(
        "The {noun} '{id}' is locked in {} mode {until}, and cannot be {what}.",
        lock.mode
    );
    Error::new(ErrorKind::OperationNotPermitted, text)
}
