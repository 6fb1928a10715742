//! Fast restores of snapshots.

use cairn_model::{AccountId, FastRestore, Region, SnapshotId};

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::Result,
};

const NOUN: &str = "fast restore";

/// Records fast restores, over what was recorded of the same account, snapshot and zone.
pub async fn put(tx: &mut WriteTx, restore: &FastRestore) -> Result<()> {
    sqlx::query(
        "INSERT INTO fast_restore (account, snapshot_id, zone, region, doc) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account, snapshot_id, zone) DO UPDATE SET doc = excluded.doc",
    )
    .bind(restore.account.as_str())
    .bind(restore.snapshot_id.as_str())
    .bind(&restore.zone)
    .bind(restore.region.name())
    .bind(doc::encode(NOUN, restore)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// All fast restores that an account enabled in a region.
pub async fn list(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<FastRestore>> {
    let sql = "SELECT doc FROM fast_restore WHERE account = $1 AND region = $2 ORDER BY snapshot_id, zone";
    doc::fetch_owned(conn, NOUN, sql, (account.as_str(), region.name())).await
}

/// All fast restores of a snapshot, whoever enabled them.
pub async fn list_of(conn: &mut Connection, snapshot: &SnapshotId) -> Result<Vec<FastRestore>> {
    let rows =
        sqlx::query("SELECT doc FROM fast_restore WHERE snapshot_id = $1 ORDER BY account, zone")
            .bind(snapshot.as_str())
            .fetch_all(conn)
            .await?;
    doc::decode_all(NOUN, &rows)
}

/// Forgets all fast restores of a snapshot.
pub async fn delete_of(tx: &mut WriteTx, snapshot: &SnapshotId) -> Result<()> {
    sqlx::query("DELETE FROM fast_restore WHERE snapshot_id = $1")
        .bind(snapshot.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
