//! The rows by which SQL finds what an account was let in to.

use cairn_model::{Permissions, Viewer};
use serde::de::DeserializeOwned;

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::Result,
};

/// The statements that belong to a noun.
#[derive(Debug)]
pub(crate) struct Table {
    /// How errors call the noun.
    pub(crate) noun: &'static str,
    /// Deletes the rows of an id.
    pub(crate) clear: &'static str,
    /// Inserts one: id, grantee.
    pub(crate) grant: &'static str,
    /// The documents in a region ($1) that one of the grantees in a JSON list ($2) may use, once each, oldest first.
    pub(crate) granted: &'static str,
}

/// Writes the rows of a noun anew.
pub(crate) async fn rewrite(
    tx: &mut WriteTx,
    table: &Table,
    id: &str,
    permissions: &Permissions,
) -> Result<()> {
    sqlx::query(table.clear).bind(id).execute(&mut **tx).await?;
    insert(tx, table, id, permissions).await
}

/// Writes the rows of a new noun.
pub(crate) async fn insert(
    tx: &mut WriteTx,
    table: &Table,
    id: &str,
    permissions: &Permissions,
) -> Result<()> {
    for grantee in permissions.grantees() {
        sqlx::query(table.grant)
            .bind(id)
            .bind(grantee)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// The nouns in a region that an account is let in to, besides its own.
pub(crate) async fn granted<T: DeserializeOwned>(
    conn: &mut Connection,
    table: &Table,
    region: &str,
    viewer: &Viewer,
) -> Result<Vec<T>> {
    let grantees: Vec<&str> = viewer.grantees().collect();
    let rows = sqlx::query(table.granted)
        .bind(region)
        .bind(doc::encode(table.noun, &grantees)?)
        .fetch_all(conn)
        .await?;
    doc::decode_all(table.noun, &rows)
}
