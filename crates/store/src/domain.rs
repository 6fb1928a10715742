//! Domains: the scopes of deduplication and of a data key, numbered.

use cairn_blocks::DomainId;
use cairn_model::{AccountId, KmsKeyId, Region, SnapshotId};
use sqlx::{Row as _, sqlite::SqliteRow};

use crate::{
    db::{Connection, WriteTx},
    error::{Error, Result},
};

/// The key of blocks that are not encrypted, as the column says it.
const PLAIN: &str = "";

/// What the column of archived snapshots says where there is none.
const SHARED: &str = "";

/// A domain and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Its number.
    pub id: DomainId,
    /// Where it is.
    pub region: Region,
    /// Its owner.
    pub account: AccountId,
    /// How its blocks are encrypted, if they are.
    pub sealed: Option<Sealed>,
    /// The archived snapshot that its blocks are of, and of nothing else.
    pub archive_of: Option<SnapshotId>,
}

/// What a domain's, or a volume's, bytes are encrypted with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The key that the data key is wrapped under.
    pub key: KmsKeyId,
    /// The wrapped data key.
    pub data_key: Vec<u8>,
}

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
    let found = find(tx, region, account, None).await?;
    found
        .map(|found| found.id)
        .ok_or_else(|| sqlx::Error::RowNotFound.into())
}

/// Makes a domain of blocks under a key. [`set_data_key`] has to follow in the same transaction: the
/// data key is bound to the number.
pub async fn insert_sealed(
    tx: &mut WriteTx,
    region: Region,
    account: &AccountId,
    key: &KmsKeyId,
) -> Result<DomainId> {
    let row =
        sqlx::query("INSERT INTO domain (region, account, key) VALUES ($1, $2, $3) RETURNING id")
            .bind(region.name())
            .bind(account.as_str())
            .bind(key.as_str())
            .fetch_one(&mut **tx)
            .await?;
    Ok(DomainId(row.try_get("id")?))
}

/// Makes the domain of the archived blocks of a snapshot. With a key, [`set_data_key`] has to follow in
/// the same transaction.
pub async fn insert_archive(
    tx: &mut WriteTx,
    region: Region,
    account: &AccountId,
    key: Option<&KmsKeyId>,
    snapshot: &SnapshotId,
) -> Result<DomainId> {
    let row = sqlx::query(
        "INSERT INTO domain (region, account, key, archive_of) VALUES ($1, $2, $3, $4) RETURNING id",
    )
    .bind(region.name())
    .bind(account.as_str())
    .bind(key.map_or(PLAIN, KmsKeyId::as_str))
    .bind(snapshot.as_str())
    .fetch_one(&mut **tx)
    .await?;
    Ok(DomainId(row.try_get("id")?))
}

/// The domain of the archived blocks of a snapshot, if there is one yet.
pub async fn find_archive(
    conn: &mut Connection,
    region: Region,
    account: &AccountId,
    snapshot: &SnapshotId,
) -> Result<Option<Domain>> {
    let row =
        sqlx::query("SELECT * FROM domain WHERE region = $1 AND account = $2 AND archive_of = $3")
            .bind(region.name())
            .bind(account.as_str())
            .bind(snapshot.as_str())
            .fetch_optional(conn)
            .await?;
    row.as_ref().map(read).transpose()
}

/// The domain of a number.
pub async fn get(conn: &mut Connection, id: DomainId) -> Result<Option<Domain>> {
    let row = sqlx::query("SELECT * FROM domain WHERE id = $1")
        .bind(id.0)
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Records the wrapped data key of a domain.
pub async fn set_data_key(tx: &mut WriteTx, domain: DomainId, data_key: &[u8]) -> Result<()> {
    sqlx::query("UPDATE domain SET data_key = $2 WHERE id = $1")
        .bind(domain.0)
        .bind(data_key)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Gives a domain back the number it had before the metadata was lost.
pub async fn restore(tx: &mut WriteTx, domain: &Domain) -> Result<()> {
    let sealed = domain.sealed.as_ref();
    sqlx::query(
        "INSERT INTO domain (id, region, account, key, data_key, archive_of)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(domain.id.0)
    .bind(domain.region.name())
    .bind(domain.account.as_str())
    .bind(sealed.map_or(PLAIN, |sealed| sealed.key.as_str()))
    .bind(sealed.map(|sealed| sealed.data_key.as_slice()))
    .bind(
        domain
            .archive_of
            .as_ref()
            .map_or(SHARED, SnapshotId::as_str),
    )
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

/// The domain of an account's blocks in a region under a key, or of those that are not encrypted, if
/// there is one yet.
pub async fn find(
    conn: &mut Connection,
    region: Region,
    account: &AccountId,
    key: Option<&KmsKeyId>,
) -> Result<Option<Domain>> {
    let row = sqlx::query(
        "SELECT * FROM domain WHERE region = $1 AND account = $2 AND key = $3 AND archive_of = ''",
    )
    .bind(region.name())
    .bind(account.as_str())
    .bind(key.map_or(PLAIN, KmsKeyId::as_str))
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(read).transpose()
}

/// All domains of a region.
pub async fn list_in(conn: &mut Connection, region: Region) -> Result<Vec<Domain>> {
    let rows = sqlx::query("SELECT * FROM domain WHERE region = $1 ORDER BY id")
        .bind(region.name())
        .fetch_all(conn)
        .await?;
    rows.iter().map(read).collect()
}

/// All domains of all regions.
pub async fn list_all(conn: &mut Connection) -> Result<Vec<Domain>> {
    let rows = sqlx::query("SELECT * FROM domain ORDER BY id")
        .fetch_all(conn)
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Result<Domain> {
    let damaged = |reason: &str| Error::Damaged {
        noun: "domain",
        reason: reason.to_owned(),
    };
    let (region, account): (&str, &str) = (row.try_get("region")?, row.try_get("account")?);
    let key: &str = row.try_get("key")?;
    let data_key: Option<Vec<u8>> = row.try_get("data_key")?;
    let sealed = match (key, data_key) {
        (PLAIN, None) => None,
        (key, Some(data_key)) => Some(Sealed {
            key: key.parse().map_err(|_| damaged("a malformed key id"))?,
            data_key,
        }),
        _ => return Err(damaged("a key without a data key")),
    };
    let archive_of = match row.try_get("archive_of")? {
        SHARED => None,
        id => Some(id.parse().map_err(|_| damaged("a malformed snapshot id"))?),
    };
    Ok(Domain {
        archive_of,
        id: DomainId(row.try_get("id")?),
        region: Region::named(region).ok_or_else(|| damaged("an unknown region"))?,
        account: account
            .parse()
            .map_err(|_| damaged("a malformed account number"))?,
        sealed,
    })
}
