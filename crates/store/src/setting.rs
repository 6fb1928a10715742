//! What an account has set for itself in a region.
//!
//! A setting is a document under a name. One that was never set is its type's default.

use cairn_model::{AccountId, Region};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row as _, sqlite::SqliteRow};

use crate::{
    account::account_id,
    db::{Connection, WriteTx},
    doc,
    error::Result,
};

/// A kind of setting.
pub trait Setting: Serialize + DeserializeOwned + Default + Send {
    /// The name that it is stored under; never to be changed.
    const NAME: &'static str;
}

/// What an account has set in a region, or the default.
pub async fn get<T: Setting>(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<T> {
    let row =
        sqlx::query("SELECT doc FROM setting WHERE account = $1 AND region = $2 AND name = $3")
            .bind(account.as_str())
            .bind(region.name())
            .bind(T::NAME)
            .fetch_optional(conn)
            .await?;
    match row {
        Some(row) => doc::decode(T::NAME, row.try_get::<&str, _>("doc")?),
        None => Ok(T::default()),
    }
}

/// What all accounts that have set something have set in a region.
pub async fn list<T: Setting>(
    conn: &mut Connection,
    region: Region,
) -> Result<Vec<(AccountId, T)>> {
    let rows = sqlx::query("SELECT account, doc FROM setting WHERE name = $1 AND region = $2")
        .bind(T::NAME)
        .bind(region.name())
        .fetch_all(conn)
        .await?;
    let set = |row: &SqliteRow| {
        let account = account_id(row, "account")?;
        Ok((
            account,
            doc::decode(T::NAME, row.try_get::<&str, _>("doc")?)?,
        ))
    };
    rows.iter().map(set).collect()
}

/// Sets it.
pub async fn put<T: Setting>(
    tx: &mut WriteTx,
    account: &AccountId,
    region: Region,
    value: &T,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO setting (account, region, name, doc) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account, region, name) DO UPDATE SET doc = excluded.doc",
    )
    .bind(account.as_str())
    .bind(region.name())
    .bind(T::NAME)
    .bind(doc::encode(T::NAME, value)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
