//! The rows by which nouns are looked up, page by page.
//!
//! A noun is on one list for each of its facets and each viewer. A list is kept in the order of pages, so that any page
//! of it is one range of rows, wherever it begins. A name of a list is 64 bits of a hash of what it is of: whoever reads
//! a list judges the nouns on it once more.
//!
//! Rows are written by [`write`] alone, in the transaction that writes the document, and only those that change. Those
//! of nouns that an older server left are made when the metadata is opened: [`fill_all`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cairn_blocks::Digest;
use cairn_model::{Facet, Faceted, Image, Region, Snapshot, Volume, page::PageKey};
use serde::de::DeserializeOwned;
use sqlx::{Row as _, sqlite::SqliteRow};

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::Result,
};

/// How many rows of a list are counted at most to tell which one is the shortest.
const PROBE: i64 = 512;

/// The fewest and the most rows of a list that are read at once.
const READ_AHEAD: (usize, usize) = (16, 1024);

/// How many nouns get their rows in one transaction when the metadata is opened.
const FILL: usize = 500;

/// A noun that is looked up by its facets.
pub trait Listed: Faceted + DeserializeOwned + Send {
    /// Where its rows are.
    const TABLE: Table;
}

/// The statements that belong to a noun.
#[derive(Debug)]
pub struct Table {
    noun: &'static str,
    /// Puts an id ($3) of a time ($2) on lists ($1, JSON).
    put: &'static str,
    /// Takes it off.
    take: &'static str,
    /// Empties all lists.
    clear: &'static str,
    /// The lengths of lists ($1, JSON), counted up to $2.
    probe: &'static str,
    /// Documents of a list ($1) after a time ($2) and id ($3), $4 at most, as [`doc::decode_joined`] takes them.
    read: &'static str,
    /// Documents after an id ($1), $2 at most, in the order of ids.
    after: &'static str,
}

macro_rules! listed {
    ($type:ty, $noun:literal) => {
        impl Listed for $type {
            const TABLE: Table = Table {
                noun: $noun,
                put: concat!(
                    "INSERT INTO ", $noun, "_facet (list, time, id)
                     SELECT value, $2, $3 FROM json_each($1) WHERE true ON CONFLICT DO NOTHING"
                ),
                take: concat!(
                    "DELETE FROM ", $noun, "_facet
                     WHERE list IN (SELECT value FROM json_each($1)) AND time = $2 AND id = $3"
                ),
                clear: concat!("DELETE FROM ", $noun, "_facet"),
                probe: concat!(
                    "SELECT asked.value AS list,
                            (SELECT count(*) FROM (SELECT 1 FROM ", $noun, "_facet WHERE list = asked.value LIMIT $2))
                            AS length
                     FROM json_each($1) AS asked"
                ),
                read: concat!(
                    "SELECT '[' || group_concat(doc) || ']' AS docs FROM (
                         SELECT doc
                         FROM ",
                    $noun,
                    "_facet AS facet CROSS JOIN ",
                    $noun,
                    " AS noun ON noun.id = facet.id
                         WHERE facet.list = $1 AND (facet.time, facet.id) > ($2, $3)
                         ORDER BY facet.time, facet.id LIMIT $4)"
                ),
                after: concat!("SELECT id, doc FROM ", $noun, " WHERE id > $1 ORDER BY id LIMIT $2"),
            };
        }
    };
}

listed!(Snapshot, "snapshot");
listed!(Image, "image");
listed!(Volume, "volume");

/// Has the lists say what a noun is now instead of what it was; none where it was, or is, not there.
pub(crate) async fn write<T: Listed>(
    tx: &mut WriteTx,
    before: Option<&T>,
    now: Option<&T>,
) -> Result<()> {
    let (old, new) = (Rows::of(before), Rows::of(now));
    match old.key == new.key {
        true => {
            put::<T>(tx, new.key.as_ref(), new.lists.difference(&old.lists)).await?;
            take::<T>(tx, old.key.as_ref(), old.lists.difference(&new.lists)).await
        }
        false => {
            put::<T>(tx, new.key.as_ref(), new.lists.iter()).await?;
            take::<T>(tx, old.key.as_ref(), old.lists.iter()).await
        }
    }
}

/// The rows of a noun.
#[derive(Debug, Default)]
struct Rows {
    key: Option<PageKey>,
    lists: BTreeSet<i64>,
}

impl Rows {
    fn of<T: Listed>(noun: Option<&T>) -> Self {
        noun.map(Self::of_noun).unwrap_or_default()
    }

    fn of_noun<T: Listed>(noun: &T) -> Self {
        let viewers = noun.viewers();
        let facets = match viewers.is_empty() {
            true => BTreeSet::new(),
            false => Facet::all_of(noun),
        };
        let of_viewer = |viewer| facets.iter().map(move |facet| (viewer, facet));
        let lists = viewers.into_iter().flat_map(of_viewer);
        Self {
            key: Some(noun.page_key()),
            lists: lists
                .map(|(viewer, facet)| name(noun.region(), viewer, facet))
                .collect(),
        }
    }
}

async fn put<T: Listed>(
    tx: &mut WriteTx,
    key: Option<&PageKey>,
    lists: impl Iterator<Item = &i64>,
) -> Result<()> {
    change(tx, &T::TABLE, T::TABLE.put, key, lists.copied().collect()).await
}

async fn take<T: Listed>(
    tx: &mut WriteTx,
    key: Option<&PageKey>,
    lists: impl Iterator<Item = &i64>,
) -> Result<()> {
    change(tx, &T::TABLE, T::TABLE.take, key, lists.copied().collect()).await
}

async fn change(
    tx: &mut WriteTx,
    table: &Table,
    sql: &'static str,
    key: Option<&PageKey>,
    lists: Vec<i64>,
) -> Result<()> {
    let Some(key) = key.filter(|_| !lists.is_empty()) else {
        return Ok(());
    };
    sqlx::query(sql)
        .bind(doc::encode(table.noun, &lists)?)
        .bind(key.time)
        .bind(&key.id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The name of the list of what a viewer finds in a region under a facet. Lengths keep texts from being cut elsewhere.
fn name(region: Region, viewer: &str, facet: &Facet) -> i64 {
    let (kind, field, value) = match facet {
        Facet::There => ("there", "", ""),
        Facet::Is { name, value } => ("is", name.as_str(), value.as_str()),
        Facet::Begins { name, text } => ("begins", name.as_str(), text.as_str()),
    };
    let mut text = Vec::with_capacity(128);
    for part in [region.name(), viewer, kind, field, value] {
        text.extend_from_slice(&(part.len() as u64).to_le_bytes());
        text.extend_from_slice(part.as_bytes());
    }
    let [a, b, c, d, e, f, g, h, ..] = Digest::of(&text).0;
    i64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// Who looks, and where.
#[derive(Clone, Copy, Debug)]
pub struct Finder<'a> {
    /// Where.
    pub region: Region,
    /// By what names permissions may let it in, its account's number among them.
    pub names: &'a [&'a str],
}

impl Finder<'_> {
    /// The lists that have whatever has one of the facets.
    fn lists(&self, facets: &[Facet]) -> Vec<i64> {
        let of_facet = |facet| {
            let viewers = self.names.iter();
            viewers.map(move |viewer| name(self.region, viewer, facet))
        };
        let lists: BTreeSet<i64> = facets.iter().flat_map(of_facet).collect();
        lists.into_iter().collect()
    }
}

/// Reads what is on some lists, in the order of pages, each noun once.
#[derive(Debug)]
pub struct Cursor<T> {
    streams: Vec<Stream<T>>,
    last: Option<PageKey>,
}

#[derive(Debug)]
struct Stream<T> {
    list: i64,
    after: PageKey,
    /// What is read of it and not yet shown.
    ahead: VecDeque<(PageKey, T)>,
    ended: bool,
}

impl<T: Listed> Cursor<T> {
    /// Begins to read after a key whatever has, for each of the choices, one of its facets. What lacks some of them is
    /// shown as well: only the choice that seems to have the fewest nouns is looked up.
    pub async fn open(
        conn: &mut Connection,
        finder: Finder<'_>,
        choices: &[Vec<Facet>],
        after: Option<PageKey>,
    ) -> Result<Self> {
        let there = vec![Facet::There];
        let choices = choices.iter().chain([&there]);
        let lists = choices.map(|facets| finder.lists(facets)).collect();
        let after = after.unwrap_or_else(before_all);
        let stream = |list| Stream {
            list,
            after: after.clone(),
            ahead: VecDeque::new(),
            ended: false,
        };
        let shortest = shortest::<T>(conn, lists).await?;
        Ok(Self {
            streams: shortest.into_iter().map(stream).collect(),
            last: None,
        })
    }

    /// The next nouns, `most` at most; none when there are no more.
    pub async fn next(&mut self, conn: &mut Connection, most: usize) -> Result<Vec<T>> {
        let mut found = Vec::new();
        while found.len() < most {
            let Some((key, noun)) = self.pop(conn, most - found.len()).await? else {
                break;
            };
            if self.last.as_ref() != Some(&key) {
                found.push(noun);
                self.last = Some(key);
            }
        }
        Ok(found)
    }

    /// What comes next on any of the lists, when so many are wanted.
    async fn pop(&mut self, conn: &mut Connection, wanted: usize) -> Result<Option<(PageKey, T)>> {
        let share = wanted / self.streams.len().max(1) + 1;
        for stream in &mut self.streams {
            if stream.ahead.is_empty() && !stream.ended {
                stream.read(conn, share).await?;
            }
        }
        self.streams.retain(|stream| !stream.ahead.is_empty());
        let key = |stream: &&mut Stream<T>| stream.ahead.front().map(|(key, _)| key.clone());
        let first = self.streams.iter_mut().min_by_key(key);
        Ok(first.and_then(|stream| stream.ahead.pop_front()))
    }
}

impl<T: Listed> Stream<T> {
    async fn read(&mut self, conn: &mut Connection, rows: usize) -> Result<()> {
        let rows = rows.clamp(READ_AHEAD.0, READ_AHEAD.1);
        let row = sqlx::query(T::TABLE.read)
            .bind(self.list)
            .bind(self.after.time)
            .bind(&self.after.id)
            .bind(i64::try_from(rows).unwrap_or(i64::MAX))
            .fetch_one(conn)
            .await?;
        let nouns: Vec<T> = doc::decode_joined(T::TABLE.noun, &row)?;
        self.ended = nouns.len() < rows;
        let mut ahead: Vec<_> = nouns.into_iter().map(|n| (n.page_key(), n)).collect();
        // SQLite joins them in their order, but promises nothing.
        ahead.sort_by(|(a, _), (b, _)| a.cmp(b));
        if let Some((key, _)) = ahead.last() {
            self.after = key.clone();
        }
        self.ahead = ahead.into();
        Ok(())
    }
}

/// No noun has a key before this one.
fn before_all() -> PageKey {
    PageKey {
        time: i64::MIN,
        id: String::new(),
    }
}

/// Of several unions of lists the one with the fewest rows, without the lists that have none. The longest are not told
/// apart.
async fn shortest<T: Listed>(conn: &mut Connection, unions: Vec<Vec<i64>>) -> Result<Vec<i64>> {
    let asked: BTreeSet<&i64> = unions.iter().flatten().collect();
    let rows = sqlx::query(T::TABLE.probe)
        .bind(doc::encode(T::TABLE.noun, &asked)?)
        .bind(PROBE)
        .fetch_all(conn)
        .await?;
    let lengths: BTreeMap<i64, i64> = rows.iter().map(length).collect::<Result<_>>()?;
    let of = |list: &i64| lengths.get(list).copied().unwrap_or_default();
    let shortest = unions
        .into_iter()
        .min_by_key(|lists| lists.iter().map(of).sum::<i64>());
    let mut shortest = shortest.unwrap_or_default();
    shortest.retain(|list| of(list) > 0);
    Ok(shortest)
}

fn length(row: &SqliteRow) -> Result<(i64, i64)> {
    Ok((row.try_get("list")?, row.try_get("length")?))
}

/// Makes the rows of all nouns that have none yet, or have those of another scheme.
pub(crate) async fn fill_all(store: &crate::Store) -> Result<()> {
    fill::<Snapshot>(store).await?;
    fill::<Image>(store).await?;
    fill::<Volume>(store).await
}

async fn fill<T: Listed>(store: &crate::Store) -> Result<()> {
    let mut filled = 0;
    while !is_filled::<T>(store).await? {
        let mut tx = store.write().await?;
        filled += fill_some::<T>(&mut tx).await?;
        tx.commit().await?;
        tracing::info!(noun = T::TABLE.noun, filled, "rows for looking up are made");
    }
    Ok(())
}

async fn is_filled<T: Listed>(store: &crate::Store) -> Result<bool> {
    let progress = progress::<T>(&mut *store.read().await?).await?;
    Ok(progress.is_some_and(|after| after.is_none()))
}

/// The last id that has its rows, of the scheme that is in force; none if no work was done for that, and none within
/// if all was.
async fn progress<T: Listed>(conn: &mut Connection) -> Result<Option<Option<String>>> {
    let row = sqlx::query("SELECT after FROM facet_fill WHERE noun = $1 AND scheme = $2")
        .bind(T::TABLE.noun)
        .bind(Facet::scheme::<T>())
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| row.try_get("after")).transpose()?)
}

async fn fill_some<T: Listed>(tx: &mut WriteTx) -> Result<usize> {
    let after = progress::<T>(tx).await?;
    if after.is_none() {
        sqlx::query(T::TABLE.clear).execute(&mut **tx).await?;
    }
    let rows = sqlx::query(T::TABLE.after)
        .bind(after.flatten().unwrap_or_default())
        .bind(i64::try_from(FILL).unwrap_or(i64::MAX))
        .fetch_all(&mut **tx)
        .await?;
    for noun in doc::decode_all::<T>(T::TABLE.noun, &rows)? {
        write(tx, None, Some(&noun)).await?;
    }
    let last = rows.last().filter(|_| rows.len() == FILL);
    let last: Option<String> = last.map(|row| row.try_get("id")).transpose()?;
    sqlx::query(
        "INSERT INTO facet_fill (noun, scheme, after) VALUES ($1, $2, $3)
         ON CONFLICT (noun) DO UPDATE SET scheme = excluded.scheme, after = excluded.after",
    )
    .bind(T::TABLE.noun)
    .bind(Facet::scheme::<T>())
    .bind(last)
    .execute(&mut **tx)
    .await?;
    Ok(rows.len())
}
