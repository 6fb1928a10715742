//! Volumes.

use cairn_model::{AccountId, Region, Volume, VolumeId};
use sqlx::Row as _;

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::Result,
    facet,
};

const NOUN: &str = "volume";

/// Records a new volume.
pub async fn insert(tx: &mut WriteTx, volume: &Volume) -> Result<()> {
    sqlx::query(
        "INSERT INTO volume (id, account, region, state, snapshot_id, instance_id, create_time, generation, doc)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8)",
    )
    .bind(volume.id.as_str())
    .bind(volume.account.as_str())
    .bind(volume.region.name())
    .bind(volume.state.as_str())
    .bind(volume.snapshot_id.as_ref().map(|id| id.as_str()))
    .bind(attached_to(volume))
    .bind(volume.create_time.0)
    .bind(doc::encode(NOUN, volume)?)
    .execute(&mut **tx)
    .await?;
    facet::write(tx, None, Some(volume)).await
}

/// The volumes of these ids that there are, whoever owns them.
pub async fn get_all(conn: &mut Connection, ids: &[String]) -> Result<Vec<Volume>> {
    let sql = "SELECT '[' || group_concat(doc) || ']' AS docs
               FROM volume WHERE id IN (SELECT value FROM json_each($1))";
    doc::fetch_all(conn, NOUN, sql, ids).await
}

/// The volume of an id, whoever owns it.
pub async fn get(conn: &mut Connection, id: &VolumeId) -> Result<Option<Volume>> {
    Ok(read(conn, id).await?.map(|found| found.noun))
}

/// The volume of an id, unless it is in the Recycle Bin.
pub async fn get_present(conn: &mut Connection, id: &VolumeId) -> Result<Option<Volume>> {
    let found = get(conn, id).await?;
    Ok(found.filter(|volume| volume.recycled.is_none()))
}

/// The volumes of an account in a region that are not in the Recycle Bin, oldest first.
pub async fn list(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<Volume>> {
    let mut all = list_owned(conn, account, region).await?;
    all.retain(|volume| volume.recycled.is_none());
    Ok(all)
}

/// The volumes of an account in a region that are in the Recycle Bin, oldest first.
pub async fn list_recycled(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<Volume>> {
    let mut all = list_owned(conn, account, region).await?;
    all.retain(|volume| volume.recycled.is_some());
    Ok(all)
}

async fn list_owned(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<Volume>> {
    let sql = "SELECT doc FROM volume WHERE account = $1 AND region = $2 ORDER BY create_time, id";
    doc::fetch_owned(conn, NOUN, sql, (account.as_str(), region.name())).await
}

/// All volumes in a region, also those in the Recycle Bin, whoever owns them, oldest first.
pub async fn list_in(conn: &mut Connection, region: Region) -> Result<Vec<Volume>> {
    let rows = sqlx::query("SELECT doc FROM volume WHERE region = $1 ORDER BY create_time, id")
        .bind(region.name())
        .fetch_all(conn)
        .await?;
    doc::decode_all(NOUN, &rows)
}

/// Changes a volume and returns it as it is now; none if there is no such volume.
pub async fn update(
    tx: &mut WriteTx,
    id: &VolumeId,
    change: impl FnOnce(&mut Volume) + Send,
) -> Result<Option<Volume>> {
    let Some(mut found) = read(tx, id).await? else {
        return Ok(None);
    };
    let before = found.noun.clone();
    change(&mut found.noun);
    doc::check_way(NOUN, id.as_str(), before.check_change(&found.noun))?;
    write(tx, &found).await?;
    facet::write(tx, Some(&before), Some(&found.noun)).await?;
    Ok(Some(found.noun))
}

/// Records the wrapped data key of a volume.
pub async fn set_data_key(tx: &mut WriteTx, id: &VolumeId, data_key: &[u8]) -> Result<()> {
    sqlx::query("UPDATE volume SET data_key = $2 WHERE id = $1")
        .bind(id.as_str())
        .bind(data_key)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The wrapped data key of a volume, if it is encrypted.
pub async fn data_key(conn: &mut Connection, id: &VolumeId) -> Result<Option<Vec<u8>>> {
    let row = sqlx::query("SELECT data_key FROM volume WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(conn)
        .await?;
    Ok(row
        .map(|row| row.try_get("data_key"))
        .transpose()?
        .flatten())
}

/// Forgets a volume. False: there was none.
pub async fn delete(tx: &mut WriteTx, id: &VolumeId) -> Result<bool> {
    let before = get(tx, id).await?;
    let deleted = doc::delete(tx, "DELETE FROM volume WHERE id = $1", id.as_str()).await?;
    facet::write(tx, before.as_ref(), None).await?;
    Ok(deleted)
}

async fn read(conn: &mut Connection, id: &VolumeId) -> Result<Option<doc::Versioned<Volume>>> {
    doc::fetch(
        conn,
        NOUN,
        "SELECT doc, generation FROM volume WHERE id = $1",
        id.as_str(),
    )
    .await
}

async fn write(tx: &mut WriteTx, changed: &doc::Versioned<Volume>) -> Result<()> {
    let volume = &changed.noun;
    let done = sqlx::query(
        "UPDATE volume SET state = $3, instance_id = $4, doc = $5, generation = generation + 1
         WHERE id = $1 AND generation = $2",
    )
    .bind(volume.id.as_str())
    .bind(changed.generation)
    .bind(volume.state.as_str())
    .bind(attached_to(volume))
    .bind(doc::encode(NOUN, volume)?)
    .execute(&mut **tx)
    .await?;
    doc::changed_one(NOUN, volume.id.as_str(), done.rows_affected())
}

/// The first of the instances that it is attached to.
fn attached_to(volume: &Volume) -> Option<&str> {
    volume
        .attachments
        .first()
        .map(|attachment| attachment.instance_id.as_str())
}
