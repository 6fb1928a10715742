//! Idempotency tokens of create calls.

use cairn_model::{AccountId, Region, Timestamp};
use sqlx::Row as _;

use crate::{
    db::{Connection, WriteTx},
    error::Result,
};

/// Where a token holds: nobody else's token is in the way.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The account.
    pub account: &'a AccountId,
    /// The region.
    pub region: Region,
    /// The operation, such as `CreateVolume`.
    pub operation: &'static str,
    /// The token as the client sent it.
    pub token: &'a str,
}

/// What a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Hash of the request that brought it first, hexadecimal.
    pub request: String,
    /// The id of what that request made.
    pub result: String,
}

/// What a token stands for, if it was seen before.
pub async fn get(conn: &mut Connection, scope: Scope<'_>) -> Result<Option<Known>> {
    let row = sqlx::query(
        "SELECT request, result FROM token WHERE account = $1 AND region = $2 AND operation = $3 AND token = $4",
    )
    .bind(scope.account.as_str())
    .bind(scope.region.name())
    .bind(scope.operation)
    .bind(scope.token)
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Known {
            request: row.try_get("request")?,
            result: row.try_get("result")?,
        })
    })
    .transpose()
}

/// Records what a token stands for, in the transaction that makes it.
pub async fn insert(
    tx: &mut WriteTx,
    scope: Scope<'_>,
    known: &Known,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO token (account, region, operation, token, request, result, created)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(scope.account.as_str())
    .bind(scope.region.name())
    .bind(scope.operation)
    .bind(scope.token)
    .bind(&known.request)
    .bind(&known.result)
    .bind(now.0)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Forgets the tokens from before an instant.
pub async fn delete_before(tx: &mut WriteTx, instant: Timestamp) -> Result<u64> {
    let done = sqlx::query("DELETE FROM token WHERE created < $1")
        .bind(instant.0)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected())
}
