//! Where blobs lie, for the block store.
//!
//! In a database file of its own. A snapshot of a full disk inserts a row for every block, in
//! transactions that each wait for the disk; in the file of the metadata every verb would queue
//! behind them for the one writer. Nothing needs both files in one transaction: bytes are durable
//! before their blob rows, and blob rows before the metadata that relies on them, so that after
//! a crash at any point `blobs.db` knows at least what `cairn.db` needs.

use std::path::Path;

use cairn_blocks::{Alarm, BlobId, BlobIndex, DomainId, IndexError, Location, PackId, PackUsage};
use sqlx::{
    AssertSqlSafe, Row as _, Sqlite, SqlitePool,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};
use tokio::runtime::Handle;

use crate::{
    db::{connect_options, pool},
    error::{Error, Result},
    migrations,
};

/// Blobs asked for by one query.
pub(crate) const LOCATE: usize = 128;

/// Rows in one statement: nine parameters each, of the 32 766 that SQLite allows.
const ROWS: usize = 128;

/// Rows in one transaction: enough that waiting for the disk does not matter, few enough that
/// others get their turn.
const BATCH: usize = 1024;

/// Packs forgotten in one transaction, with some hundred blobs each.
const FORGET: usize = 64;

/// Readers at a time: one for each engine thread that is likely to ask.
const READERS: u32 = 4;

/// The table of blobs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct BlobTable {
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
}

impl BlobTable {
    /// Opens the file, creating it on first use and bringing its schema up to date.
    pub(crate) async fn open(path: &Path) -> Result<Self> {
        let options = connect_options(path)?;
        let writer = pool(1).connect_with(options.clone()).await?;
        migrations::blobs().run(&writer).await?;
        let readers = pool(READERS)
            .connect_with(options.pragma("query_only", "1"))
            .await?;
        Ok(Self { writer, readers })
    }

    /// The index that the block store asks. Its calls block the calling thread until the runtime
    /// of `handle` has the answer: they are for engine threads, and panic on a thread of an
    /// async runtime.
    pub fn index(&self, handle: Handle) -> SqlBlobIndex {
        SqlBlobIndex {
            table: self.clone(),
            handle,
        }
    }

    /// Where blobs lie, in the order asked; also where they are only for reading.
    pub async fn locate(&self, domain: DomainId, ids: &[BlobId]) -> Result<Vec<Option<Location>>> {
        self.find(&LOCATE_SQL, domain, ids).await
    }

    /// As [`locate`](Self::locate), but only good blobs of packs that are not condemned.
    pub async fn locate_reusable(
        &self,
        domain: DomainId,
        ids: &[BlobId],
    ) -> Result<Vec<Option<Location>>> {
        self.find(&REUSABLE_SQL, domain, ids).await
    }

    /// Records where blobs lie; one that is known and reusable keeps its place. Durable on return.
    pub async fn insert(&self, domain: DomainId, blobs: &[(BlobId, Location)]) -> Result<()> {
        for batch in blobs.chunks(BATCH) {
            let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
            for rows in batch.chunks(ROWS) {
                insert_rows(&mut tx, domain, rows).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// Gives out a pack number that was never given out before. Durable on return.
    pub async fn allocate_pack(&self) -> Result<PackId> {
        let row = sqlx::query(
            "UPDATE pack_counter SET next = next + 1 WHERE only = 1 RETURNING next - 1 AS pack",
        )
        .fetch_one(&self.writer)
        .await?;
        Ok(PackId(unsigned(row.try_get("pack")?)?))
    }

    /// The number that is given out next.
    pub async fn next_pack(&self) -> Result<PackId> {
        let row = sqlx::query("SELECT next AS pack FROM pack_counter WHERE only = 1")
            .fetch_one(&self.readers)
            .await?;
        Ok(PackId(unsigned(row.try_get("pack")?)?))
    }

    /// Never gives out a pack number up to this one: there are packs that bear them. Durable on
    /// return.
    pub async fn reserve_packs(&self, last: PackId) -> Result<()> {
        sqlx::query("UPDATE pack_counter SET next = $1 WHERE only = 1 AND next < $1")
            .bind(signed(last.0.saturating_add(1))?)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn find(
        &self,
        sql: &str,
        domain: DomainId,
        ids: &[BlobId],
    ) -> Result<Vec<Option<Location>>> {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(LOCATE) {
            self.find_chunk(sql, domain, chunk, &mut found).await?;
        }
        Ok(found)
    }

    async fn find_chunk(
        &self,
        sql: &str,
        domain: DomainId,
        ids: &[BlobId],
        found: &mut Vec<Option<Location>>,
    ) -> Result<()> {
        let query = sqlx::query(AssertSqlSafe(sql.to_owned())).bind(domain.0);
        let mut known = std::collections::HashMap::with_capacity(ids.len());
        for row in id_list(query, ids).fetch_all(&self.readers).await? {
            let id: &[u8] = row.try_get("id")?;
            known.insert(id.to_vec(), location(&row)?);
        }
        found.extend(ids.iter().map(|id| known.get(id.0.as_slice()).copied()));
        Ok(())
    }
}

/// Binds up to [`LOCATE`] ids. A statement always has as many parameters, so that it is prepared
/// once; the last id fills what is left over.
pub(crate) fn id_list<'q>(
    mut query: Query<'q, Sqlite, SqliteArguments>,
    ids: &[BlobId],
) -> Query<'q, Sqlite, SqliteArguments> {
    let filling = ids.last().copied().unwrap_or(BlobId([0; 32]));
    for id in ids.iter().chain(std::iter::repeat(&filling)).take(LOCATE) {
        query = query.bind(id.0.to_vec());
    }
    query
}

static LOCATE_SQL: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
    let places: Vec<String> = (2..LOCATE + 2).map(|n| format!("${n}")).collect();
    format!(
        "SELECT id, pack, slot, byte_offset, stored_len, plain_len FROM blob WHERE domain = $1 AND id IN ({})",
        places.join(", ")
    )
});

static REUSABLE_SQL: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
    format!(
        "{} AND state = 0 AND pack NOT IN (SELECT pack FROM condemned_pack)",
        *LOCATE_SQL
    )
});

async fn insert_rows(
    tx: &mut sqlx::SqliteConnection,
    domain: DomainId,
    rows: &[(BlobId, Location)],
) -> Result<()> {
    let mut query =
        sqlx::query(AssertSqlSafe(insert_sql(rows.len()))).persistent(rows.len() == ROWS);
    for (id, at) in rows {
        query = query
            .bind(domain.0)
            .bind(id.0.to_vec())
            .bind(signed(at.pack.0)?)
            .bind(i64::from(at.slot))
            .bind(signed(at.offset)?)
            .bind(i64::from(at.stored_len))
            .bind(i64::from(at.plain_len));
    }
    query.execute(tx).await?;
    Ok(())
}

fn insert_sql(rows: usize) -> String {
    let values: Vec<String> = (0..rows)
        .map(|row| {
            let places: Vec<String> = (1..=7).map(|n| format!("${}", row * 7 + n)).collect();
            format!("({})", places.join(", "))
        })
        .collect();
    format!(
        "INSERT INTO blob (domain, id, pack, slot, byte_offset, stored_len, plain_len) VALUES {}
         ON CONFLICT (domain, id) DO UPDATE SET pack = excluded.pack, slot = excluded.slot,
             byte_offset = excluded.byte_offset, stored_len = excluded.stored_len,
             plain_len = excluded.plain_len, state = 0
         WHERE blob.state <> 0 OR blob.pack IN (SELECT pack FROM condemned_pack)",
        values.join(", ")
    )
}

pub(crate) fn location(row: &SqliteRow) -> Result<Location> {
    Ok(Location {
        pack: PackId(unsigned(row.try_get("pack")?)?),
        slot: narrow(row.try_get("slot")?)?,
        offset: unsigned(row.try_get("byte_offset")?)?,
        stored_len: narrow(row.try_get("stored_len")?)?,
        plain_len: narrow(row.try_get("plain_len")?)?,
    })
}

pub(crate) fn unsigned(number: i64) -> Result<u64> {
    u64::try_from(number).map_err(|_| damaged())
}

fn narrow(number: i64) -> Result<u32> {
    u32::try_from(number).map_err(|_| damaged())
}

pub(crate) fn signed(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|_| damaged())
}

fn damaged() -> Error {
    Error::Damaged {
        noun: "blob",
        reason: "a number is out of range".to_owned(),
    }
}

/// [`BlobTable`] for threads that may wait.
#[derive(Clone, Debug)]
pub struct SqlBlobIndex {
    table: BlobTable,
    handle: Handle,
}

impl SqlBlobIndex {
    /// Waits for an answer of the table.
    fn wait<T>(&self, answer: impl Future<Output = Result<T>>) -> Result<T, IndexError> {
        self.handle
            .block_on(answer)
            .map_err(|error| IndexError(error.to_string()))
    }
}

impl BlobIndex for SqlBlobIndex {
    fn locate(
        &self,
        domain: DomainId,
        ids: &[BlobId],
    ) -> Result<Vec<Option<Location>>, IndexError> {
        self.wait(self.table.locate(domain, ids))
    }

    fn locate_reusable(
        &self,
        domain: DomainId,
        ids: &[BlobId],
    ) -> Result<Vec<Option<Location>>, IndexError> {
        self.wait(self.table.locate_reusable(domain, ids))
    }

    fn insert(&self, domain: DomainId, blobs: &[(BlobId, Location)]) -> Result<(), IndexError> {
        self.wait(self.table.insert(domain, blobs))
    }

    fn allocate_pack(&self) -> Result<PackId, IndexError> {
        self.wait(self.table.allocate_pack())
    }

    fn next_pack(&self) -> Result<PackId, IndexError> {
        self.wait(self.table.next_pack())
    }

    fn packs(&self, after: Option<PackId>, limit: usize) -> Result<Vec<PackUsage>, IndexError> {
        self.wait(self.table.packs(after, limit))
    }

    fn condemned(&self) -> Result<Vec<PackUsage>, IndexError> {
        self.wait(self.table.condemned())
    }

    fn blobs_of(&self, pack: PackId) -> Result<Vec<(DomainId, BlobId, Location)>, IndexError> {
        self.wait(self.table.blobs_of(pack))
    }

    fn mark_bad(&self, domain: DomainId, blobs: &[(BlobId, PackId)]) -> Result<(), IndexError> {
        self.wait(self.table.mark_bad(domain, blobs))
    }

    fn bad(&self) -> Result<Vec<(DomainId, BlobId, Location)>, IndexError> {
        self.wait(self.table.bad())
    }

    fn condemn(&self, packs: &[PackId], at: i64) -> Result<(), IndexError> {
        self.wait(self.table.condemn(packs, at))
    }

    fn pardon(&self, packs: &[PackId]) -> Result<(), IndexError> {
        self.wait(self.table.pardon(packs))
    }

    fn confirm(&self, domain: DomainId, ids: &[BlobId]) -> Result<Vec<bool>, IndexError> {
        self.wait(self.table.confirm(domain, ids))
    }

    fn relocate(
        &self,
        domain: DomainId,
        blobs: &[(BlobId, PackId, Location)],
    ) -> Result<(), IndexError> {
        self.wait(self.table.relocate(domain, blobs))
    }

    fn forget_pack(&self, pack: PackId, condemned_at: i64) -> Result<bool, IndexError> {
        let forgotten = self.wait(self.table.forget_packs(&[(pack, condemned_at)]))?;
        Ok(forgotten == [true])
    }

    fn forget_packs(&self, packs: &[(PackId, i64)]) -> Result<Vec<bool>, IndexError> {
        let mut forgotten = Vec::with_capacity(packs.len());
        for batch in packs.chunks(FORGET) {
            forgotten.extend(self.wait(self.table.forget_packs(batch))?);
        }
        Ok(forgotten)
    }

    fn raise_alarm(&self, alarm: &Alarm) -> Result<(), IndexError> {
        self.wait(self.table.raise_alarm(alarm))
    }

    fn alarms(&self) -> Result<Vec<Alarm>, IndexError> {
        self.wait(self.table.alarms())
    }

    fn clear_alarms(&self) -> Result<(), IndexError> {
        self.wait(self.table.clear_alarms())
    }
}
