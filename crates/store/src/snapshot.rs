//! Snapshots, and which images need them.

use cairn_model::{
    AccountId, ImageId, Region, Snapshot, SnapshotId, SnapshotState, VolumeId, state::Table as _,
};
use sqlx::Row as _;

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::{Error, Result},
    facet,
};

const NOUN: &str = "snapshot";

/// Records a new snapshot.
pub async fn insert(tx: &mut WriteTx, snapshot: &Snapshot) -> Result<()> {
    sqlx::query(
        "INSERT INTO snapshot (id, account, region, state, volume_id, start_time, generation, doc)
         VALUES ($1, $2, $3, $4, $5, $6, 1, $7)",
    )
    .bind(snapshot.id.as_str())
    .bind(snapshot.account.as_str())
    .bind(snapshot.region.name())
    .bind(snapshot.state.as_str())
    .bind(snapshot.volume_id.as_str())
    .bind(snapshot.start_time.0)
    .bind(doc::encode(NOUN, snapshot)?)
    .execute(&mut **tx)
    .await?;
    facet::write(tx, None, Some(snapshot)).await
}

/// The snapshot of an id, whoever owns it.
pub async fn get(conn: &mut Connection, id: &SnapshotId) -> Result<Option<Snapshot>> {
    Ok(read(conn, id).await?.map(|found| found.noun))
}

/// The snapshots of these ids that there are, whoever owns them.
pub async fn get_all(conn: &mut Connection, ids: &[String]) -> Result<Vec<Snapshot>> {
    let sql = "SELECT '[' || group_concat(doc) || ']' AS docs
               FROM snapshot WHERE id IN (SELECT value FROM json_each($1))";
    doc::fetch_all(conn, NOUN, sql, ids).await
}

/// As [`get`]; none if it is in the Recycle Bin.
pub async fn get_present(conn: &mut Connection, id: &SnapshotId) -> Result<Option<Snapshot>> {
    let found = get(conn, id).await?;
    Ok(found.filter(|snapshot| snapshot.recycled.is_none()))
}

/// The snapshots of an account in a region that are not in the Recycle Bin, oldest first.
pub async fn list(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<Snapshot>> {
    let mut all = list_owned(conn, account, region).await?;
    all.retain(|snapshot| snapshot.recycled.is_none());
    Ok(all)
}

/// The snapshots of an account in a region that are in the Recycle Bin, oldest first.
pub async fn list_recycled(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<Snapshot>> {
    let mut all = list_owned(conn, account, region).await?;
    all.retain(|snapshot| snapshot.recycled.is_some());
    Ok(all)
}

async fn list_owned(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<Snapshot>> {
    let sql = "SELECT doc FROM snapshot WHERE account = $1 AND region = $2 ORDER BY start_time, id";
    doc::fetch_owned(conn, NOUN, sql, (account.as_str(), region.name())).await
}

/// The completed snapshots of all accounts in a region, by id.
pub async fn list_completed(conn: &mut Connection, region: Region) -> Result<Vec<Snapshot>> {
    let rows = sqlx::query("SELECT doc FROM snapshot WHERE region = $1 AND state = $2 ORDER BY id")
        .bind(region.name())
        .bind(SnapshotState::Completed.as_str())
        .fetch_all(conn)
        .await?;
    doc::decode_all(NOUN, &rows)
}

/// All snapshots in a region, whoever owns them, oldest first.
pub async fn list_in(conn: &mut Connection, region: Region) -> Result<Vec<Snapshot>> {
    let rows = sqlx::query("SELECT doc FROM snapshot WHERE region = $1 ORDER BY start_time, id")
        .bind(region.name())
        .fetch_all(conn)
        .await?;
    doc::decode_all(NOUN, &rows)
}

/// The snapshots, whoever owns them, that are in the Recycle Bin or have a history of tiers, oldest first.
pub async fn list_set_aside(conn: &mut Connection) -> Result<Vec<Snapshot>> {
    let rows = sqlx::query(
        "SELECT doc FROM snapshot
         WHERE doc ->> 'recycled' IS NOT NULL OR doc ->> 'tiering' IS NOT NULL
         ORDER BY start_time, id",
    )
    .fetch_all(conn)
    .await?;
    doc::decode_all(NOUN, &rows)
}

/// The snapshots of a volume that are not complete yet, oldest first.
pub async fn list_pending_of(conn: &mut Connection, volume: &VolumeId) -> Result<Vec<Snapshot>> {
    let rows = sqlx::query(
        "SELECT doc FROM snapshot WHERE volume_id = $1 AND state = $2 ORDER BY start_time, id",
    )
    .bind(volume.as_str())
    .bind(SnapshotState::Pending.as_str())
    .fetch_all(conn)
    .await?;
    doc::decode_all(NOUN, &rows)
}

/// Changes a snapshot and returns it as it is now; none if there is no such snapshot.
pub async fn update(
    tx: &mut WriteTx,
    id: &SnapshotId,
    change: impl FnOnce(&mut Snapshot) + Send,
) -> Result<Option<Snapshot>> {
    let Some(mut found) = read(tx, id).await? else {
        return Ok(None);
    };
    let before = found.noun.clone();
    change(&mut found.noun);
    doc::check_way(NOUN, id.as_str(), before.state.check(found.noun.state))?;
    write(tx, &found).await?;
    facet::write(tx, Some(&before), Some(&found.noun)).await?;
    Ok(Some(found.noun))
}

/// Forgets a snapshot, with the blocks that were uploaded for it. False: there was none.
///
/// Fails with [`Constraint::Reference`](crate::Constraint::Reference) while an image needs it.
pub async fn delete(tx: &mut WriteTx, id: &SnapshotId) -> Result<bool> {
    let before = get(tx, id).await?;
    let deleted = doc::delete(tx, "DELETE FROM snapshot WHERE id = $1", id.as_str()).await?;
    facet::write(tx, before.as_ref(), None).await?;
    Ok(deleted)
}

/// The images that need a snapshot, by id.
pub async fn images_of(conn: &mut Connection, snapshot: &SnapshotId) -> Result<Vec<ImageId>> {
    let rows =
        sqlx::query("SELECT image_id FROM image_snapshot WHERE snapshot_id = $1 ORDER BY image_id")
            .bind(snapshot.as_str())
            .fetch_all(conn)
            .await?;
    rows.iter()
        .map(|row| image_id(row.try_get("image_id")?))
        .collect()
}

fn image_id(text: &str) -> Result<ImageId> {
    text.parse().map_err(|e| Error::Damaged {
        noun: "image id",
        reason: format!("{e}"),
    })
}

async fn read(conn: &mut Connection, id: &SnapshotId) -> Result<Option<doc::Versioned<Snapshot>>> {
    doc::fetch(
        conn,
        NOUN,
        "SELECT doc, generation FROM snapshot WHERE id = $1",
        id.as_str(),
    )
    .await
}

async fn write(tx: &mut WriteTx, changed: &doc::Versioned<Snapshot>) -> Result<()> {
    let snapshot = &changed.noun;
    let done = sqlx::query(
        "UPDATE snapshot SET state = $3, doc = $4, generation = generation + 1
         WHERE id = $1 AND generation = $2",
    )
    .bind(snapshot.id.as_str())
    .bind(changed.generation)
    .bind(snapshot.state.as_str())
    .bind(doc::encode(NOUN, snapshot)?)
    .execute(&mut **tx)
    .await?;
    doc::changed_one(NOUN, snapshot.id.as_str(), done.rows_affected())
}
