//! Permissions for keys that are given one by one.

use cairn_model::{KmsGrant, KmsKeyId, Region};
use sqlx::Row as _;

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::Result,
};

const NOUN: &str = "grant";

/// Records a new grant.
pub async fn insert(tx: &mut WriteTx, grant: &KmsGrant) -> Result<()> {
    sqlx::query("INSERT INTO kms_grant (id, key_id, region, doc) VALUES ($1, $2, $3, $4)")
        .bind(&grant.id)
        .bind(grant.key.as_str())
        .bind(grant.region.name())
        .bind(doc::encode(NOUN, grant)?)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The grant of an id.
pub async fn get(conn: &mut Connection, id: &str) -> Result<Option<KmsGrant>> {
    let row = sqlx::query("SELECT doc FROM kms_grant WHERE id = $1")
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(|row| doc::decode(NOUN, row.try_get::<&str, _>("doc")?))
        .transpose()
}

/// The grants of a key.
pub async fn list(conn: &mut Connection, key: &KmsKeyId) -> Result<Vec<KmsGrant>> {
    let rows = sqlx::query("SELECT doc FROM kms_grant WHERE key_id = $1 ORDER BY id")
        .bind(key.as_str())
        .fetch_all(conn)
        .await?;
    doc::decode_all(NOUN, &rows)
}

/// All grants of keys in a region.
pub async fn list_in(conn: &mut Connection, region: Region) -> Result<Vec<KmsGrant>> {
    let rows = sqlx::query("SELECT doc FROM kms_grant WHERE region = $1 ORDER BY id")
        .bind(region.name())
        .fetch_all(conn)
        .await?;
    doc::decode_all(NOUN, &rows)
}

/// Removes a grant. False: there was none.
pub async fn delete(tx: &mut WriteTx, id: &str) -> Result<bool> {
    doc::delete(tx, "DELETE FROM kms_grant WHERE id = $1", id).await
}

/// Removes all grants of a key.
pub async fn delete_of(tx: &mut WriteTx, key: &KmsKeyId) -> Result<()> {
    doc::delete(tx, "DELETE FROM kms_grant WHERE key_id = $1", key.as_str()).await?;
    Ok(())
}
