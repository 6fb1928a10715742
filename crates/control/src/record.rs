//! Records of completed snapshots, beside the packs that hold their blocks: see
//! [`cairn_store::record`] for what they are for.
//!
//! Whoever writes or removes a record holds the one write transaction meanwhile, so that what the
//! file says and what the row says cannot overtake each other. A record that a crash left behind,
//! or that a deletion has yet to take away, has a job that brings it in line; nothing is ever
//! concluded from a row that is missing alone, since the database may be what was lost.

use std::time::Duration;

use cairn_model::{Region, Snapshot, SnapshotId, SnapshotState};
use cairn_store::{
    Connection, WriteTx, account, job,
    record::{Owner, Record},
    snapshot,
};
use serde::{Deserialize, Serialize};

use crate::{
    Control, Error, Result,
    jobs::{self, Failure, Job, Next},
    snapshot::location_of,
};

/// The pause before a record that could not be written or removed is tried again.
const AGAIN: Duration = Duration::from_secs(60);

/// Writes the record of a completed snapshot, in the transaction that shows it as such. Durable on
/// return.
pub(crate) async fn write(control: &Control, tx: &mut WriteTx, snapshot: &Snapshot) -> Result<()> {
    let record = of(tx, snapshot).await?;
    Ok(control
        .engine()
        .write_record(snapshot.region, record)
        .await?)
}

/// What the record of a completed snapshot has to say.
pub(crate) async fn of(conn: &mut Connection, snapshot: &Snapshot) -> Result<Record> {
    let domain = location_of(conn, snapshot).await?;
    let owner = account::get(conn, &snapshot.account).await?;
    let owner =
        owner.ok_or_else(|| Error::internal(format!("snapshot {} has no owner", snapshot.id)))?;
    Ok(Record {
        domain: domain.id.0,
        data_key: domain.sealed.map(|sealed| hex::encode(sealed.data_key)),
        owner: Owner {
            name: owner.name,
            operator: owner.operator,
            created: owner.created,
        },
        snapshot: lasting(snapshot),
    })
}

/// What lasts of a snapshot: how far a change of its tier is changes all the time, and is begun anew
/// where only the record is left.
fn lasting(snapshot: &Snapshot) -> Snapshot {
    let mut lasting = snapshot.clone();
    if let Some(tiering) = &mut lasting.tiering {
        tiering.progress = 0;
    }
    lasting
}

/// What is wrong with the record of a snapshot, if anything is.
pub(crate) async fn flaw(control: &Control, id: &SnapshotId) -> Result<Option<String>> {
    let mut read = control.store().read().await?;
    Ok(compare(control, &mut read, id).await?.map(|(_, flaw)| flaw))
}

/// Writes a record anew that is not what it should be, and tells what was wrong with it.
pub(crate) async fn mend(
    control: &Control,
    tx: &mut WriteTx,
    id: &SnapshotId,
) -> Result<Option<String>> {
    let Some((snapshot, flaw)) = compare(control, tx, id).await? else {
        return Ok(None);
    };
    write(control, tx, &snapshot).await?;
    Ok(Some(flaw))
}

/// Compares a record with its row. A record that a job is about to write may be anything.
async fn compare(
    control: &Control,
    conn: &mut Connection,
    id: &SnapshotId,
) -> Result<Option<(Snapshot, String)>> {
    let found = snapshot::get(conn, id).await?;
    let Some(found) = found.filter(|found| found.state == SnapshotState::Completed) else {
        return Ok(None);
    };
    let jobs = job::list_of(conn, id.as_str()).await?;
    if jobs.iter().any(|job| job.kind == RecordJob::KIND) {
        return Ok(None);
    }
    let expected = of(conn, &found).await?;
    let flaw = match control.engine().read_record(found.region, id).await? {
        Ok(Some(record)) if record == expected => return Ok(None),
        Ok(Some(_)) => "it says something else than the database".to_owned(),
        Ok(None) => "it is missing".to_owned(),
        Err(flaw) => flaw,
    };
    Ok(Some((found, flaw)))
}

/// Has the record of a snapshot brought in line with what the transaction makes of the snapshot.
pub(crate) async fn enqueue(
    control: &Control,
    tx: &mut WriteTx,
    region: Region,
    id: &SnapshotId,
) -> Result<()> {
    let job = RecordJob {
        region,
        snapshot: id.clone(),
    };
    jobs::enqueue(tx, &job, control.now()).await?;
    Ok(())
}

/// Brings the record of a snapshot in line with its row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RecordJob {
    region: Region,
    snapshot: SnapshotId,
}

impl Job for RecordJob {
    const KIND: &'static str = "record-snapshot";

    fn subject(&self) -> &str {
        self.snapshot.as_str()
    }

    /// Never given up: a record that stays would bring a deleted snapshot back some day.
    async fn step(&self, control: &Control, _step: u32) -> Result<Next, Failure> {
        match self.settle(control).await {
            Ok(()) => Ok(Next::Done),
            Err(error) => {
                tracing::warn!(snapshot = %self.snapshot, %error, "write or remove the record of a snapshot");
                Ok(Next::Later(control.now().after(AGAIN)))
            }
        }
    }

    async fn undo(&self, _control: &Control, _step: u32, _why: &str) -> Result<(), Failure> {
        Ok(())
    }
}

impl RecordJob {
    async fn settle(&self, control: &Control) -> Result<()> {
        let mut tx = control.store().write().await?;
        let found = snapshot::get(&mut tx, &self.snapshot).await?;
        match found.filter(|found| found.state == SnapshotState::Completed) {
            Some(found) => {
                let signed = signed(control, &mut tx, found).await?;
                write(control, &mut tx, &signed).await?;
            }
            None => {
                control
                    .engine()
                    .remove_record(self.region, &self.snapshot)
                    .await?;
            }
        }
        Ok(tx.commit().await?)
    }
}

/// A snapshot of before there was a key is signed now: the statement is about what was recorded
/// when it was completed, which nothing has changed since.
async fn signed(control: &Control, tx: &mut WriteTx, found: Snapshot) -> Result<Snapshot> {
    if found.signature.is_some() {
        return Ok(found);
    }
    let signature = control.signing().sign(&found);
    if signature.is_none() {
        tracing::error!(snapshot = %found.id, "the recorded digest is not that of the recorded root; the snapshot stays unsigned");
    }
    let updated =
        snapshot::update(tx, &found.id, |snapshot| snapshot.signature = signature).await?;
    Ok(updated.unwrap_or(found))
}
