//! Key pairs.

use cairn_model::{AccountId, KeyPair, KeyPairId, Region};

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::Result,
};

const NOUN: &str = "key pair";

/// Records a new key pair. The name of another one of the account is refused as
/// [`Constraint::KeyPairName`](crate::Constraint::KeyPairName).
pub async fn insert(tx: &mut WriteTx, key_pair: &KeyPair) -> Result<()> {
    sqlx::query(
        "INSERT INTO key_pair (id, account, region, name, generation, doc) VALUES ($1, $2, $3, $4, 1, $5)",
    )
    .bind(key_pair.id.as_str())
    .bind(key_pair.account.as_str())
    .bind(key_pair.region.name())
    .bind(&key_pair.name)
    .bind(doc::encode(NOUN, key_pair)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The key pair of an id, whoever owns it.
pub async fn get(conn: &mut Connection, id: &KeyPairId) -> Result<Option<KeyPair>> {
    Ok(read(conn, id).await?.map(|found| found.noun))
}

/// The key pair that has a name in an account and region.
pub async fn get_named(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
    name: &str,
) -> Result<Option<KeyPair>> {
    let rows =
        sqlx::query("SELECT doc FROM key_pair WHERE account = $1 AND region = $2 AND name = $3")
            .bind(account.as_str())
            .bind(region.name())
            .bind(name)
            .fetch_all(conn)
            .await?;
    Ok(doc::decode_all(NOUN, &rows)?.pop())
}

/// All key pairs of an account in a region, by name.
pub async fn list(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<KeyPair>> {
    let sql = "SELECT doc FROM key_pair WHERE account = $1 AND region = $2 ORDER BY name";
    doc::fetch_owned(conn, NOUN, sql, (account.as_str(), region.name())).await
}

/// Changes a key pair and returns it as it is now; none if there is no such key pair.
pub async fn update(
    tx: &mut WriteTx,
    id: &KeyPairId,
    change: impl FnOnce(&mut KeyPair) + Send,
) -> Result<Option<KeyPair>> {
    let Some(mut found) = read(tx, id).await? else {
        return Ok(None);
    };
    change(&mut found.noun);
    let sql = "UPDATE key_pair SET doc = $3, generation = generation + 1 WHERE id = $1 AND generation = $2";
    doc::rewrite(tx, NOUN, sql, id.as_str(), &found).await?;
    Ok(Some(found.noun))
}

/// Forgets a key pair. False: there was none.
pub async fn delete(tx: &mut WriteTx, id: &KeyPairId) -> Result<bool> {
    doc::delete(tx, "DELETE FROM key_pair WHERE id = $1", id.as_str()).await
}

async fn read(conn: &mut Connection, id: &KeyPairId) -> Result<Option<doc::Versioned<KeyPair>>> {
    let sql = "SELECT doc, generation FROM key_pair WHERE id = $1";
    doc::fetch(conn, NOUN, sql, id.as_str()).await
}
