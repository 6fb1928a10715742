//! Opening the files, transactions, durability.
//!
//! SQLite in WAL mode with `synchronous=FULL`: a transaction is durable when its commit returns,
//! also after a power loss. There is one writing connection, so that writers queue here instead
//! of failing as busy, and a few reading ones that see the last committed state and wait for
//! nobody.

use std::{
    fs, io,
    ops::{Deref, DerefMut},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    Connection as _, Sqlite, SqliteConnection, SqlitePool, Transaction,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    blob::BlobTable,
    error::{Error, Result},
    facet, migrations,
};

/// A connection within a transaction, for reading.
pub type Connection = SqliteConnection;

/// Readers at a time; more wait.
const READERS: u32 = 4;

/// Memory in KiB for pages of the metadata, for each reader at most: of 100,000 snapshots and as many images the
/// indexes by id take 10 MiB.
const READER_CACHE_KIB: u32 = 16 << 10;

/// How long a transaction waits for its turn before it gives up: far longer than any transaction
/// takes, short enough that a fault shows.
const TURN: Duration = Duration::from_secs(60);

/// The metadata of a server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
    blobs: BlobTable,
}

impl Store {
    /// Opens the metadata in `dir` (`cairn.db` and `blobs.db`), creating the files on first use
    /// and bringing their schema up to date. The files hold secrets: only their owner may read them.
    ///
    /// Two processes must not open the same directory; the caller holds the lock that sees to it.
    pub async fn open(dir: &Path) -> Result<Self> {
        let options = connect_options(&dir.join("cairn.db"))?;
        let writer = pool(1).connect_with(options.clone()).await?;
        migrations::metadata().run(&writer).await?;
        let readers = pool(READERS).connect_with(reading(options)).await?;
        let blobs = BlobTable::open(&dir.join("blobs.db")).await?;
        let store = Self {
            writer,
            readers,
            blobs,
        };
        facet::fill_all(&store).await?;
        Ok(store)
    }

    /// Begins to read: everything read until it is dropped is the state of one moment.
    pub async fn read(&self) -> Result<ReadTx> {
        Ok(ReadTx(self.readers.begin().await?))
    }

    /// A connection to read by single statements, each of which sees the state of its own moment: that saves beginning
    /// and ending a transaction, which is most of the time of a look at one noun.
    pub async fn read_once(&self) -> Result<ReadOnce> {
        Ok(ReadOnce(self.readers.acquire().await?))
    }

    /// Begins to write, once the writers before are done. Dropped without
    /// [`commit`](WriteTx::commit), nothing has happened.
    pub async fn write(&self) -> Result<WriteTx> {
        Ok(WriteTx(self.writer.begin_with("BEGIN IMMEDIATE").await?))
    }

    /// Where blobs lie.
    pub fn blobs(&self) -> &BlobTable {
        &self.blobs
    }

    /// Ends all connections, once their transactions are over.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
        self.blobs.close().await;
    }
}

/// A transaction that reads.
#[derive(Debug)]
pub struct ReadTx(Transaction<'static, Sqlite>);

impl Deref for ReadTx {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for ReadTx {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

/// A connection that reads, outside of any transaction.
#[derive(Debug)]
pub struct ReadOnce(PoolConnection<Sqlite>);

impl Deref for ReadOnce {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for ReadOnce {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

/// A transaction that writes: the only one at its time.
#[derive(Debug)]
pub struct WriteTx(Transaction<'static, Sqlite>);

impl WriteTx {
    /// Makes everything that was written durable and visible at once.
    pub async fn commit(self) -> Result<()> {
        Ok(self.0.commit().await?)
    }
}

impl Deref for WriteTx {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for WriteTx {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

fn reading(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .pragma("query_only", "1")
        .pragma("cache_size", format!("-{READER_CACHE_KIB}"))
}

/// How every connection is opened. The file is made first, by its owner for its owner; SQLite gives
/// the files beside it the same permissions.
pub(crate) fn connect_options(path: &Path) -> Result<SqliteConnectOptions> {
    create_private(path).map_err(Error::Create)?;
    Ok(SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(TURN))
}

/// A pool of up to `connections` that live as long as the pool, or until one of them cannot be used
/// any more.
pub(crate) fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .after_release(|connection, _| Box::pin(has_no_transaction(connection)))
        .max_connections(connections)
        .acquire_timeout(TURN)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// Whether a connection that is given back may be used again.
///
/// After a full disk or a failed read SQLite ends the transaction by itself. The rollback that sqlx
/// sends then fails for want of a transaction, and sqlx counts on as if there were one: every later
/// transaction of that connection would be refused, or never end. Such a connection is closed, and
/// another one takes its place.
async fn has_no_transaction(connection: &mut Connection) -> sqlx::Result<bool> {
    if connection.is_in_transaction() {
        // The rollback of a transaction that was dropped is on its way; an answer comes after it.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

fn create_private(path: &Path) -> io::Result<()> {
    match fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(file) => file.sync_all().and_then(|()| sync_parent(path)),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e),
    }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    fs::File::open(parent)?.sync_all()
}
