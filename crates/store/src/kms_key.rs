//! The keys that encrypted volumes and snapshots are kept under.

use cairn_model::{AccountId, KmsKey, KmsKeyId, Region};

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::Result,
};

const NOUN: &str = "key";

/// Records a new key.
pub async fn insert(tx: &mut WriteTx, key: &KmsKey) -> Result<()> {
    sqlx::query(
        "INSERT INTO kms_key (id, account, region, aws_managed, create_time, generation, doc)
         VALUES ($1, $2, $3, $4, $5, 1, $6)",
    )
    .bind(key.id.as_str())
    .bind(key.account.as_str())
    .bind(key.region.name())
    .bind(i64::from(key.aws_managed))
    .bind(key.create_time.0)
    .bind(doc::encode(NOUN, key)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The key of an id, whoever owns it.
pub async fn get(conn: &mut Connection, id: &KmsKeyId) -> Result<Option<KmsKey>> {
    Ok(read(conn, id).await?.map(|found| found.noun))
}

/// All keys of an account in a region, oldest first.
pub async fn list(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<KmsKey>> {
    let sql = "SELECT doc FROM kms_key WHERE account = $1 AND region = $2 ORDER BY create_time, id";
    doc::fetch_owned(conn, NOUN, sql, (account.as_str(), region.name())).await
}

/// All keys, whoever owns them.
pub async fn list_all(conn: &mut Connection) -> Result<Vec<KmsKey>> {
    let rows = sqlx::query("SELECT doc FROM kms_key ORDER BY create_time, id")
        .fetch_all(conn)
        .await?;
    doc::decode_all(NOUN, &rows)
}

/// Changes a key and returns it as it is now; none if there is no such key.
pub async fn update(
    tx: &mut WriteTx,
    id: &KmsKeyId,
    change: impl FnOnce(&mut KmsKey) + Send,
) -> Result<Option<KmsKey>> {
    let Some(mut found) = read(tx, id).await? else {
        return Ok(None);
    };
    change(&mut found.noun);
    let sql = "UPDATE kms_key SET doc = $3, generation = generation + 1 WHERE id = $1 AND generation = $2";
    doc::rewrite(tx, NOUN, sql, id.as_str(), &found).await?;
    Ok(Some(found.noun))
}

async fn read(conn: &mut Connection, id: &KmsKeyId) -> Result<Option<doc::Versioned<KmsKey>>> {
    let sql = "SELECT doc, generation FROM kms_key WHERE id = $1";
    doc::fetch(conn, NOUN, sql, id.as_str()).await
}
