//! Where blobs lie, for the block store.
//!
//! In a database file of its own. A snapshot of a full disk inserts a row for every block, in
//! transactions that each wait for the disk; in the file of the metadata every verb would queue
//! behind them for the one writer. Nothing needs both files in one transaction: bytes are durable
//! before their blob rows, and blob rows before the metadata that relies on them, so that after
//! a crash at any point `blobs.db` knows at least what `cairn.db` needs.

use std::{path::Path, sync::LazyLock};

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

/// Blobs confirmed by one query.
pub(crate) const LOCATE: usize = 128;

/// Blobs asked for by one query: a statement for each of these numbers is prepared, and the
/// smallest one that holds them all is taken. One is a read, many are a mark.
const LOCATES: [usize; 3] = [1, LOCATE, 2048];

/// Rows that a query may be ahead of whoever reads them. With fewer, both wake each other up all the
/// time, which costs more than the rows.
const ROWS_AHEAD: usize = 2048;

/// Rows in one statement: nine parameters each, of the 32 766 that SQLite allows.
const ROWS: usize = 128;

/// Rows in one transaction: enough that waiting for the disk does not matter, few enough that
/// others get their turn.
const BATCH: usize = 1024;

/// What the writer may keep of the file, in negative KiB: as much as a batch of a purge changes, which
/// is written more than once otherwise. Given back after each purge.
const WRITER_CACHE: &str = "-32768";

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
        let options = connect_options(path)?.row_buffer_size(ROWS_AHEAD);
        let for_writing = options.clone().pragma("cache_size", WRITER_CACHE);
        let writer = pool(1).connect_with(for_writing).await?;
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
        sql: &[String; LOCATES.len()],
        domain: DomainId,
        ids: &[BlobId],
    ) -> Result<Vec<Option<Location>>> {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(LOCATES[LOCATES.len() - 1]) {
            self.find_chunk(sql, domain, chunk, &mut found).await?;
        }
        Ok(found)
    }

    async fn find_chunk(
        &self,
        sql: &[String; LOCATES.len()],
        domain: DomainId,
        ids: &[BlobId],
        found: &mut Vec<Option<Location>>,
    ) -> Result<()> {
        let fits = LOCATES.iter().position(|places| ids.len() <= *places);
        let at = fits.unwrap_or(LOCATES.len() - 1);
        let query = sqlx::query(AssertSqlSafe(sql[at].clone())).bind(domain.0);
        let rows = id_list(query, ids, LOCATES[at]).fetch_all(&self.readers);
        let mut known = Vec::with_capacity(ids.len());
        for row in rows.await? {
            known.push((blob_id(row.try_get("id")?)?, location(&row)?));
        }
        known.sort_unstable_by_key(|(id, _)| *id);
        let find = |id| known.binary_search_by_key(id, |(known, _)| *known);
        found.extend(ids.iter().map(|id| find(id).ok().map(|at| known[at].1)));
        Ok(())
    }
}

/// Binds up to `places` ids. A statement always has as many parameters, so that it is prepared
/// once; the last id fills what is left over.
pub(crate) fn id_list<'q>(
    mut query: Query<'q, Sqlite, SqliteArguments>,
    ids: &[BlobId],
    places: usize,
) -> Query<'q, Sqlite, SqliteArguments> {
    let filling = ids.last().copied().unwrap_or(BlobId([0; 32]));
    for id in ids.iter().chain(std::iter::repeat(&filling)).take(places) {
        query = query.bind(id.0.to_vec());
    }
    query
}

/// Parameters of a statement that has many. They are without numbers: to SQLite `$1` is a name, and
/// it looks through all names for each parameter that is bound.
pub(crate) fn places(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// Blobs of packs that are forgotten are not there any more, though their rows may be.
static LOCATE_SQL: LazyLock<[String; LOCATES.len()]> = LazyLock::new(|| {
    LOCATES.map(|count| {
        format!(
            "SELECT id, pack, slot, byte_offset, stored_len, plain_len FROM blob
             WHERE domain = ? AND id IN ({})
                 AND pack NOT IN (SELECT pack FROM forgotten_pack)",
            places(count)
        )
    })
});

static REUSABLE_SQL: LazyLock<[String; LOCATES.len()]> = LazyLock::new(|| {
    LOCATE_SQL
        .each_ref()
        .map(|sql| format!("{sql} AND state = 0 AND pack NOT IN (SELECT pack FROM condemned_pack)"))
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
    let values = vec![format!("({})", places(7)); rows];
    format!(
        "INSERT INTO blob (domain, id, pack, slot, byte_offset, stored_len, plain_len) VALUES {}
         ON CONFLICT (domain, id) DO UPDATE SET pack = excluded.pack, slot = excluded.slot,
             byte_offset = excluded.byte_offset, stored_len = excluded.stored_len,
             plain_len = excluded.plain_len, state = 0
         WHERE blob.state <> 0 OR blob.pack IN (SELECT pack FROM condemned_pack)
             OR blob.pack IN (SELECT pack FROM forgotten_pack)",
        values.join(", ")
    )
}

pub(crate) fn blob_id(bytes: &[u8]) -> Result<BlobId> {
    bytes.try_into().map(BlobId).map_err(|_| Error::Damaged {
        noun: "blob",
        reason: "an id of the wrong length".to_owned(),
    })
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
        self.wait(self.table.forget_packs(packs))
    }

    fn purge(&self, go_on: &dyn Fn() -> bool) -> Result<(), IndexError> {
        self.wait(self.table.purge(go_on))
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
