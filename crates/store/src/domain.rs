//! Domains: the scopes of deduplication, numbered.

use cairn_blocks::DomainId;
use cairn_model::{AccountId, Region};
use sqlx::Row as _;

use crate::{
    db::{Connection, WriteTx},
    error::{Error, Result},
};

/// The key of blocks that are not encrypted.
const PLAIN: &str = "";

/// The domain of an account's unencrypted blocks in a region; made on first use. A number is never
/// used for anything else, also after a crash.
pub async fn plain(tx: &mut WriteTx, region: Region, account: &AccountId) -> Result<DomainId> {
    sqlx::query(
        "INSERT INTO domain (region, account, key) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(region.name())
    .bind(account.as_str())
    .bind(PLAIN)
    .execute(&mut **tx)
    .await?;
    let row = find(tx, region, account).await?;
    row.ok_or_else(|| sqlx::Error::RowNotFound.into())
}

/// The domain of an account's unencrypted blocks in a region, if there is one yet.
pub async fn find(
    conn: &mut Connection,
    region: Region,
    account: &AccountId,
) -> Result<Option<DomainId>> {
    let row = sqlx::query("SELECT id FROM domain WHERE region = $1 AND account = $2 AND key = $3")
        .bind(region.name())
        .bind(account.as_str())
        .bind(PLAIN)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| row.try_get("id")).transpose()?.map(DomainId))
}

/// All domains of a region, with their owners.
pub async fn list_in(conn: &mut Connection, region: Region) -> Result<Vec<(DomainId, AccountId)>> {
    let rows = sqlx::query("SELECT id, account FROM domain WHERE region = $1 ORDER BY id")
        .bind(region.name())
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            let account: &str = row.try_get("account")?;
            let account = account.parse().map_err(|_| Error::Damaged {
                noun: "domain",
                reason: "a malformed account number".to_owned(),
            })?;
            Ok((DomainId(row.try_get("id")?), account))
        })
        .collect()
}
