//! Nouns as documents.
//!
//! A noun's row holds the whole struct of the model as JSON in `doc`. Columns beside it repeat
//! what SQL has to see: ids, owner, region, state, times, names that are unique, relations. The
//! document is the truth; columns are written from it in the same statement, never alone.
//! `generation` counts the changes: an update names the generation it read and fails with
//! [`Error::Conflict`] when another one came first.

use cairn_model::state::NoWay;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row as _, sqlite::SqliteRow};

use crate::{
    db::{Connection, WriteTx},
    error::{Error, Result},
};

/// A noun and the generation it was read at.
#[derive(Clone, Debug)]
pub(crate) struct Versioned<T> {
    pub(crate) noun: T,
    pub(crate) generation: i64,
}

/// The document of a noun.
pub(crate) fn encode<T: Serialize>(noun: &'static str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::Damaged {
        noun,
        reason: e.to_string(),
    })
}

/// The noun of a document.
pub(crate) fn decode<T: DeserializeOwned>(noun: &'static str, doc: &str) -> Result<T> {
    serde_json::from_str(doc).map_err(|e| Error::Damaged {
        noun,
        reason: e.to_string(),
    })
}

/// Reads one noun by a statement with one parameter that yields `doc` and `generation`.
pub(crate) async fn fetch<T: DeserializeOwned>(
    conn: &mut Connection,
    noun: &'static str,
    sql: &'static str,
    id: &str,
) -> Result<Option<Versioned<T>>> {
    let row = sqlx::query(sql).bind(id).fetch_optional(conn).await?;
    row.map(|row| from_row(noun, &row)).transpose()
}

/// The nouns of many documents that SQL has joined into one text, `docs`, which is null where there are none. Rows are
/// handed from thread to thread one by one, which costs more than what is in them.
pub(crate) fn decode_joined<T: DeserializeOwned>(
    noun: &'static str,
    row: &SqliteRow,
) -> Result<Vec<T>> {
    let docs: Option<&str> = row.try_get("docs")?;
    decode(noun, docs.unwrap_or("[]"))
}

/// Reads the nouns of these ids, in no order, by a statement with one parameter, a list in JSON, that yields `docs`.
pub(crate) async fn fetch_all<T: DeserializeOwned>(
    conn: &mut Connection,
    noun: &'static str,
    sql: &'static str,
    ids: &[String],
) -> Result<Vec<T>> {
    let ids = encode(noun, &ids)?;
    let row = sqlx::query(sql).bind(ids).fetch_one(conn).await?;
    decode_joined(noun, &row)
}

/// Reads the nouns that a query yields as `doc`.
pub(crate) fn decode_all<T: DeserializeOwned>(
    noun: &'static str,
    rows: &[SqliteRow],
) -> Result<Vec<T>> {
    rows.iter()
        .map(|row| decode(noun, row.try_get::<&str, _>("doc")?))
        .collect()
}

/// Reads all nouns of an owner in a region, by a statement with these two parameters.
pub(crate) async fn fetch_owned<T: DeserializeOwned>(
    conn: &mut Connection,
    noun: &'static str,
    sql: &'static str,
    owner: (&str, &str),
) -> Result<Vec<T>> {
    let rows = sqlx::query(sql)
        .bind(owner.0)
        .bind(owner.1)
        .fetch_all(conn)
        .await?;
    decode_all(noun, &rows)
}

/// Fails with [`Error::State`] if no way leads from the state that a noun was in to the one that it is in.
pub(crate) fn check_way(noun: &'static str, id: &str, way: Result<(), NoWay>) -> Result<()> {
    way.map_err(|way| Error::State {
        noun,
        id: id.to_owned(),
        way,
    })
}

/// Fails with [`Error::Conflict`] unless a guarded update changed exactly one row.
pub(crate) fn changed_one(noun: &'static str, id: &str, rows: u64) -> Result<()> {
    match rows {
        1 => Ok(()),
        _ => Err(Error::Conflict {
            noun,
            id: id.to_owned(),
        }),
    }
}

/// Writes a changed noun by a statement with its id, the generation that was read, and the
/// document, for nouns of which no column can change.
pub(crate) async fn rewrite<T: Serialize>(
    tx: &mut WriteTx,
    noun: &'static str,
    sql: &'static str,
    id: &str,
    changed: &Versioned<T>,
) -> Result<()> {
    let done = sqlx::query(sql)
        .bind(id)
        .bind(changed.generation)
        .bind(encode(noun, &changed.noun)?)
        .execute(&mut **tx)
        .await?;
    changed_one(noun, id, done.rows_affected())
}

/// Deletes one noun by a statement with one parameter. False: there was none.
pub(crate) async fn delete(tx: &mut WriteTx, sql: &'static str, id: &str) -> Result<bool> {
    Ok(sqlx::query(sql)
        .bind(id)
        .execute(&mut **tx)
        .await?
        .rows_affected()
        > 0)
}

fn from_row<T: DeserializeOwned>(noun: &'static str, row: &SqliteRow) -> Result<Versioned<T>> {
    let noun = decode(noun, row.try_get::<&str, _>("doc")?)?;
    Ok(Versioned {
        noun,
        generation: row.try_get("generation")?,
    })
}
