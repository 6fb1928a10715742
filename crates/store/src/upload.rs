//! Snapshots that a client writes block by block (EBS direct), while they are being written.

use std::time::Duration;

use cairn_model::{AccountId, Region, SnapshotId, Timestamp};
use sqlx::{Row as _, sqlite::SqliteRow};

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::{Error, Result},
};

/// An upload under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// When it was begun or last written to.
    pub last_activity: Timestamp,
    /// How long after that it is given up.
    pub timeout: Duration,
    /// Whether the client has said that it is complete.
    pub sealed: bool,
    /// What the blocks are put over, as the owner of the content writes it.
    pub base: Option<String>,
}

/// A block that was uploaded; its bytes are durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadedBlock {
    /// Position in the volume, in blocks.
    pub block_index: u64,
    /// SHA-256 of the block, 32 bytes; sealed by whoever owns the content if that is encrypted.
    pub digest: Vec<u8>,
}

/// Records that an upload was begun.
pub async fn insert(tx: &mut WriteTx, snapshot: &SnapshotId, upload: &Upload) -> Result<()> {
    sqlx::query("INSERT INTO upload (snapshot_id, last_activity, timeout, sealed, base) VALUES ($1, $2, $3, $4, $5)")
        .bind(snapshot.as_str())
        .bind(upload.last_activity.0)
        .bind(i64::try_from(upload.timeout.as_micros()).unwrap_or(i64::MAX))
        .bind(i64::from(upload.sealed))
        .bind(&upload.base)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The upload of a snapshot; none once it is over.
pub async fn get(conn: &mut Connection, snapshot: &SnapshotId) -> Result<Option<Upload>> {
    let row = sqlx::query(
        "SELECT last_activity, timeout, sealed, base FROM upload WHERE snapshot_id = $1",
    )
    .bind(snapshot.as_str())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(upload).transpose()
}

/// The uploads in a region that are not over, whoever owns them, by snapshot.
pub async fn list_in(
    conn: &mut Connection,
    region: Region,
) -> Result<Vec<(SnapshotId, AccountId, Upload)>> {
    let rows = sqlx::query(
        "SELECT snapshot_id, account, last_activity, timeout, sealed, base
         FROM upload JOIN snapshot ON snapshot.id = upload.snapshot_id
         WHERE region = $1 ORDER BY snapshot_id",
    )
    .bind(region.name())
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let id: &str = row.try_get("snapshot_id")?;
            let account: &str = row.try_get("account")?;
            Ok((
                id.parse().map_err(|_| damaged("a malformed snapshot id"))?,
                account
                    .parse()
                    .map_err(|_| damaged("a malformed account number"))?,
                upload(row)?,
            ))
        })
        .collect()
}

/// Takes no more blocks. False: the upload is over, or sealed already.
pub async fn seal(tx: &mut WriteTx, snapshot: &SnapshotId) -> Result<bool> {
    let done = sqlx::query("UPDATE upload SET sealed = 1 WHERE snapshot_id = $1 AND sealed = 0")
        .bind(snapshot.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends an upload and forgets its blocks. False: there was none.
pub async fn delete(tx: &mut WriteTx, snapshot: &SnapshotId) -> Result<bool> {
    doc::delete(
        tx,
        "DELETE FROM upload WHERE snapshot_id = $1",
        snapshot.as_str(),
    )
    .await
}

/// Records blocks, the later ones over the earlier ones of the same index. False, with nothing
/// recorded: the upload is over or sealed.
pub async fn put_blocks(
    tx: &mut WriteTx,
    snapshot: &SnapshotId,
    blocks: &[UploadedBlock],
    now: Timestamp,
) -> Result<bool> {
    let alive =
        sqlx::query("UPDATE upload SET last_activity = $2 WHERE snapshot_id = $1 AND sealed = 0")
            .bind(snapshot.as_str())
            .bind(now.0)
            .execute(&mut **tx)
            .await?;
    if alive.rows_affected() == 0 {
        return Ok(false);
    }
    for block in blocks {
        put_block(tx, snapshot, block).await?;
    }
    Ok(true)
}

/// The number of blocks of an upload.
pub async fn count(conn: &mut Connection, snapshot: &SnapshotId) -> Result<u64> {
    let row = sqlx::query("SELECT COUNT(*) AS blocks FROM upload_block WHERE snapshot_id = $1")
        .bind(snapshot.as_str())
        .fetch_one(conn)
        .await?;
    unsigned(row.try_get("blocks")?)
}

/// Up to `limit` blocks of an upload from an index on, in order.
pub async fn blocks(
    conn: &mut Connection,
    snapshot: &SnapshotId,
    from: u64,
    limit: u32,
) -> Result<Vec<UploadedBlock>> {
    let rows = sqlx::query(
        "SELECT block_index, digest FROM upload_block
         WHERE snapshot_id = $1 AND block_index >= $2 ORDER BY block_index LIMIT $3",
    )
    .bind(snapshot.as_str())
    .bind(signed(from)?)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(UploadedBlock {
                block_index: unsigned(row.try_get("block_index")?)?,
                digest: row.try_get("digest")?,
            })
        })
        .collect()
}

fn upload(row: &SqliteRow) -> Result<Upload> {
    Ok(Upload {
        last_activity: Timestamp(row.try_get("last_activity")?),
        timeout: Duration::from_micros(unsigned(row.try_get("timeout")?)?),
        sealed: row.try_get::<i64, _>("sealed")? != 0,
        base: row.try_get("base")?,
    })
}

async fn put_block(tx: &mut WriteTx, snapshot: &SnapshotId, block: &UploadedBlock) -> Result<()> {
    sqlx::query(
        "INSERT INTO upload_block (snapshot_id, block_index, digest) VALUES ($1, $2, $3)
         ON CONFLICT (snapshot_id, block_index) DO UPDATE SET digest = excluded.digest",
    )
    .bind(snapshot.as_str())
    .bind(signed(block.block_index)?)
    .bind(block.digest.as_slice())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn unsigned(number: i64) -> Result<u64> {
    u64::try_from(number).map_err(|_| damaged("a negative number"))
}

fn signed(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|_| damaged("a number out of range"))
}

fn damaged(reason: &str) -> Error {
    Error::Damaged {
        noun: "upload",
        reason: reason.to_owned(),
    }
}
