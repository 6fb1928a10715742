//! Images.

use cairn_model::{AccountId, Image, ImageId, Region, Timestamp};

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::Result,
    facet,
};

const NOUN: &str = "image";

/// Records a new image, and that it needs its snapshots: while it does, they cannot be deleted.
/// The name of another image of the account is refused as
/// [`Constraint::ImageName`](crate::Constraint::ImageName).
pub async fn insert(tx: &mut WriteTx, image: &Image) -> Result<()> {
    sqlx::query(
        "INSERT INTO image (id, account, region, name, state, create_time, deregistered, generation, doc)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8)",
    )
    .bind(image.id.as_str())
    .bind(image.account.as_str())
    .bind(image.region.name())
    .bind(&image.name)
    .bind(image.state.as_str())
    .bind(image.creation_date.0)
    .bind(image.deregistered_at.map(|at| at.0))
    .bind(doc::encode(NOUN, image)?)
    .execute(&mut **tx)
    .await?;
    facet::write(tx, None, Some(image)).await?;
    insert_needs(tx, image).await
}

/// The images of these ids that there are, whoever owns them, deregistered or not.
pub async fn get_all(conn: &mut Connection, ids: &[String]) -> Result<Vec<Image>> {
    let sql = "SELECT '[' || group_concat(doc) || ']' AS docs
               FROM image WHERE id IN (SELECT value FROM json_each($1))";
    doc::fetch_all(conn, NOUN, sql, ids).await
}

/// The image of an id, whoever owns it, deregistered or not.
pub async fn get(conn: &mut Connection, id: &ImageId) -> Result<Option<Image>> {
    Ok(read(conn, id).await?.map(|found| found.noun))
}

/// The image of an id, whoever owns it, unless it is deregistered.
pub async fn get_registered(conn: &mut Connection, id: &ImageId) -> Result<Option<Image>> {
    Ok(get(conn, id)
        .await?
        .filter(|image| image.deregistered_at.is_none()))
}

/// The image that has a name in an account and region.
pub async fn get_named(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
    name: &str,
) -> Result<Option<Image>> {
    let rows = sqlx::query(
        "SELECT doc FROM image WHERE account = $1 AND region = $2 AND name = $3 AND deregistered IS NULL",
    )
    .bind(account.as_str())
    .bind(region.name())
    .bind(name)
    .fetch_all(conn)
    .await?;
    Ok(doc::decode_all(NOUN, &rows)?.pop())
}

/// All images of an account in a region, deregistered ones that are still known among them,
/// oldest first.
pub async fn list(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<Image>> {
    let sql = "SELECT doc FROM image WHERE account = $1 AND region = $2 ORDER BY create_time, id";
    doc::fetch_owned(conn, NOUN, sql, (account.as_str(), region.name())).await
}

/// All images of an account in a region that are not deregistered, oldest first.
pub async fn list_registered(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<Image>> {
    let mut images = list(conn, account, region).await?;
    images.retain(|image| image.deregistered_at.is_none());
    Ok(images)
}

/// Changes an image and returns it as it is now; none if there is no such image. The snapshots that
/// it needs are recorded anew; a deregistered one needs none.
pub async fn update(
    tx: &mut WriteTx,
    id: &ImageId,
    change: impl FnOnce(&mut Image) + Send,
) -> Result<Option<Image>> {
    let Some(mut found) = read(tx, id).await? else {
        return Ok(None);
    };
    let before = found.noun.clone();
    change(&mut found.noun);
    write(tx, &found).await?;
    facet::write(tx, Some(&before), Some(&found.noun)).await?;
    sqlx::query("DELETE FROM image_snapshot WHERE image_id = $1")
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    if found.noun.deregistered_at.is_none() {
        insert_needs(tx, &found.noun).await?;
    }
    Ok(Some(found.noun))
}

/// Forgets the images that were deregistered before an instant, but for those that are in the Recycle
/// Bin, and those that instances or other images come from.
pub async fn delete_deregistered_before(tx: &mut WriteTx, instant: Timestamp) -> Result<u64> {
    let done = sqlx::query(
        "DELETE FROM image WHERE deregistered < $1 AND json_extract(doc, '$.recycled') IS NULL
             AND id NOT IN (SELECT image_id FROM instance)
             AND id NOT IN (SELECT json_extract(doc, '$.source_image.id') FROM image
                            WHERE json_extract(doc, '$.source_image.id') IS NOT NULL)",
    )
    .bind(instant.0)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

async fn insert_needs(tx: &mut WriteTx, image: &Image) -> Result<()> {
    for snapshot in image.snapshot_ids() {
        sqlx::query(
            "INSERT INTO image_snapshot (image_id, snapshot_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(image.id.as_str())
        .bind(snapshot.as_str())
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

async fn read(conn: &mut Connection, id: &ImageId) -> Result<Option<doc::Versioned<Image>>> {
    let sql = "SELECT doc, generation FROM image WHERE id = $1";
    doc::fetch(conn, NOUN, sql, id.as_str()).await
}

async fn write(tx: &mut WriteTx, changed: &doc::Versioned<Image>) -> Result<()> {
    let image = &changed.noun;
    let done = sqlx::query(
        "UPDATE image SET state = $3, deregistered = $4, doc = $5, generation = generation + 1
         WHERE id = $1 AND generation = $2",
    )
    .bind(image.id.as_str())
    .bind(changed.generation)
    .bind(image.state.as_str())
    .bind(image.deregistered_at.map(|at| at.0))
    .bind(doc::encode(NOUN, image)?)
    .execute(&mut **tx)
    .await?;
    doc::changed_one(NOUN, image.id.as_str(), done.rows_affected())
}
