//! Other names of keys.

use cairn_model::{AccountId, KmsAlias, KmsKeyId, Region};
use sqlx::Row as _;

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::Result,
};

const NOUN: &str = "alias";

/// Records an alias, or leads it to another key.
pub async fn put(tx: &mut WriteTx, alias: &KmsAlias) -> Result<()> {
    sqlx::query(
        "INSERT INTO kms_alias (account, region, name, key_id, doc) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account, region, name) DO UPDATE SET key_id = excluded.key_id, doc = excluded.doc",
    )
    .bind(alias.account.as_str())
    .bind(alias.region.name())
    .bind(&alias.name)
    .bind(alias.key.as_str())
    .bind(doc::encode(NOUN, alias)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The alias of a name.
pub async fn get(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
    name: &str,
) -> Result<Option<KmsAlias>> {
    let row =
        sqlx::query("SELECT doc FROM kms_alias WHERE account = $1 AND region = $2 AND name = $3")
            .bind(account.as_str())
            .bind(region.name())
            .bind(name)
            .fetch_optional(conn)
            .await?;
    row.map(|row| doc::decode(NOUN, row.try_get::<&str, _>("doc")?))
        .transpose()
}

/// All aliases of an account in a region, by name.
pub async fn list(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<KmsAlias>> {
    let sql = "SELECT doc FROM kms_alias WHERE account = $1 AND region = $2 ORDER BY name";
    doc::fetch_owned(conn, NOUN, sql, (account.as_str(), region.name())).await
}

/// Removes an alias. False: there was none.
pub async fn delete(
    tx: &mut WriteTx,
    account: &AccountId,
    region: Region,
    name: &str,
) -> Result<bool> {
    let done =
        sqlx::query("DELETE FROM kms_alias WHERE account = $1 AND region = $2 AND name = $3")
            .bind(account.as_str())
            .bind(region.name())
            .bind(name)
            .execute(&mut **tx)
            .await?;
    Ok(done.rows_affected() > 0)
}

/// Removes all aliases of a key.
pub async fn delete_of(tx: &mut WriteTx, key: &KmsKeyId) -> Result<()> {
    doc::delete(tx, "DELETE FROM kms_alias WHERE key_id = $1", key.as_str()).await?;
    Ok(())
}
