//! Keys that the server drew for itself.

use sqlx::Row as _;

use crate::{
    db::WriteTx,
    error::{Error, Result},
};

/// The key of a name: `fresh` if there was none, and then kept for good.
pub async fn get_or_insert(tx: &mut WriteTx, name: &str, fresh: &[u8; 32]) -> Result<[u8; 32]> {
    sqlx::query("INSERT INTO server_secret (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(name)
        .bind(hex::encode(fresh))
        .execute(&mut **tx)
        .await?;
    let row = sqlx::query("SELECT value FROM server_secret WHERE name = $1")
        .bind(name)
        .fetch_one(&mut **tx)
        .await?;
    let mut key = [0; 32];
    hex::decode_to_slice(row.try_get::<&str, _>("value")?, &mut key).map_err(|e| {
        Error::Damaged {
            noun: "server secret",
            reason: e.to_string(),
        }
    })?;
    Ok(key)
}
