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

/// Gives a domain back the number it had before the metadata was lost.
pub async fn restore(
    tx: &mut WriteTx,
    domain: DomainId,
    region: Region,
    account: &AccountId,
) -> Result<()> {
    sqlx::query("INSERT INTO domain (id, region, account, key) VALUES ($1, $2, $3, $4)")
        .bind(domain.0)
        .bind(region.name())
        .bind(account.as_str())
        .bind(PLAIN)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Never gives out a number up to this one: it is written in packs.
pub async fn reserve(tx: &mut WriteTx, domain: DomainId) -> Result<()> {
    // The table remembers the highest number it ever held.
    sqlx::query("INSERT INTO domain (id, region, account, key) VALUES ($1, '', '', '') ON CONFLICT DO NOTHING")
        .bind(domain.0)
        .execute(&mut **tx)
        .await?;
    sqlx::query("DELETE FROM domain WHERE id = $1 AND region = '' AND account = ''")
        .bind(domain.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The domains of a region.
pub async fn list(conn: &mut Connection, region: Region) -> Result<Vec<DomainId>> {
    let rows = sqlx::query("SELECT id FROM domain WHERE region = $1 ORDER BY id")
        .bind(region.name())
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| Ok(DomainId(row.try_get("id")?)))
        .collect()
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
