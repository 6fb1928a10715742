//! The retention rules of the Recycle Bin.

use cairn_model::{AccountId, Region, RetentionRule};

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::Result,
};

const NOUN: &str = "retention rule";

/// Records a new rule.
pub async fn insert(tx: &mut WriteTx, rule: &RetentionRule) -> Result<()> {
    sqlx::query(
        "INSERT INTO recycle_bin_rule (id, account, region, generation, doc) VALUES ($1, $2, $3, 1, $4)",
    )
    .bind(&rule.id)
    .bind(rule.account.as_str())
    .bind(rule.region.name())
    .bind(doc::encode(NOUN, rule)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The rule of an identifier, whoever owns it.
pub async fn get(conn: &mut Connection, id: &str) -> Result<Option<RetentionRule>> {
    Ok(read(conn, id).await?.map(|found| found.noun))
}

/// All rules of an account in a region, by identifier.
pub async fn list(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<RetentionRule>> {
    let sql = "SELECT doc FROM recycle_bin_rule WHERE account = $1 AND region = $2 ORDER BY id";
    doc::fetch_owned(conn, NOUN, sql, (account.as_str(), region.name())).await
}

/// Changes a rule and returns it as it is now; none if there is no such rule.
pub async fn update(
    tx: &mut WriteTx,
    id: &str,
    change: impl FnOnce(&mut RetentionRule) + Send,
) -> Result<Option<RetentionRule>> {
    let Some(mut found) = read(tx, id).await? else {
        return Ok(None);
    };
    change(&mut found.noun);
    let sql = "UPDATE recycle_bin_rule SET doc = $3, generation = generation + 1
               WHERE id = $1 AND generation = $2";
    doc::rewrite(tx, NOUN, sql, id, &found).await?;
    Ok(Some(found.noun))
}

/// Forgets a rule. False: there was none.
pub async fn delete(tx: &mut WriteTx, id: &str) -> Result<bool> {
    doc::delete(tx, "DELETE FROM recycle_bin_rule WHERE id = $1", id).await
}

async fn read(conn: &mut Connection, id: &str) -> Result<Option<doc::Versioned<RetentionRule>>> {
    let sql = "SELECT doc, generation FROM recycle_bin_rule WHERE id = $1";
    doc::fetch(conn, NOUN, sql, id).await
}
