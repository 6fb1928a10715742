//! Measures a garbage collection of many blobs: how long it takes, and how much memory.
//!
//! `cargo run --release -p cairn-store --example collect_scale -- DIR BLOBS` makes an index of so
//! many blobs in DIR, if there is none, half of them of a snapshot that was deleted; then, in a
//! process of its own, collects. The index nodes are real; of the blocks there are only the rows,
//! since nothing of a collection reads a block unless it copies it. BLOBS has to be a multiple of
//! 128: a pack with blobs of both halves would be copied, and there is nothing to copy. A third
//! word, `prepare` or `collect`, has only that done: to collect in copies of one index.
//!
//! While it collects, somebody else wants to write every few milliseconds. How long that had to wait at
//! most is how long the longest transaction took, to within the 100 ms in which SQLite asks again.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation
)]

use std::{
    collections::BTreeSet,
    ops::Range,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use cairn_blocks::{
    BLOCK_SIZE, BlockStore, Digest, DomainId, FsDisk, Location, Options, PackId, Root,
    collect::Rules,
};
use cairn_store::Store;
use sqlx::{
    ConnectOptions as _, Connection as _,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::runtime::Runtime;

const DOMAIN: DomainId = DomainId(1);

/// Blocks of a pack of 32 MiB, if they do not compress.
const SLOTS: u64 = 64;

/// Blobs made at once.
const CHUNK: u64 = 1 << 18;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let dir = Path::new(&arguments[0]);
    let blobs: u64 = arguments[1].parse().unwrap();
    let only = arguments.get(2).map(String::as_str);
    if only == Some("collect") {
        return collect(dir, blobs);
    }
    if !dir.join("ready").exists() {
        prepare(dir, blobs);
    }
    if only == Some("prepare") {
        return;
    }
    let this = std::env::current_exe().unwrap();
    let done = std::process::Command::new(this)
        .args(&arguments)
        .arg("collect")
        .status();
    assert!(done.unwrap().success());
}

/// The digest of a block that nobody has.
fn name(n: u64) -> Digest {
    Digest::of(&n.to_le_bytes())
}

fn open(dir: &Path, runtime: &Runtime) -> (Store, Arc<BlockStore>) {
    let store = runtime.block_on(Store::open(dir)).unwrap();
    let index = Arc::new(store.blobs().index(runtime.handle().clone()));
    let packs = BlockStore::open(
        Arc::new(FsDisk),
        &dir.join("packs"),
        index,
        Arc::new(cairn_blocks::NoKeys),
        Options::default(),
    );
    (store, Arc::new(packs.unwrap()))
}

fn prepare(dir: &Path, blobs: u64) {
    let begun = Instant::now();
    std::fs::create_dir_all(dir).unwrap();
    let runtime = Runtime::new().unwrap();
    let (store, packs) = open(dir, &runtime);
    let halves = [0..blobs / 2, blobs / 2..blobs];
    let roots = halves.map(|half| snapshot(&packs, half));
    packs.seal().unwrap();
    drop(packs);
    runtime.block_on(async {
        store.close().await;
        insert_rows(dir, blobs).await;
    });
    let root: Root = roots[0];
    std::fs::write(dir.join("root"), root.node.0).unwrap();
    std::fs::write(dir.join("ready"), b"").unwrap();
    let spent = begun.elapsed();
    println!("{blobs} blobs made in {spent:.1?}");
}

fn snapshot(packs: &BlockStore, range: Range<u64>) -> Root {
    let mut root = Root::empty(64 << 40);
    let mut at = range.start;
    while at < range.end {
        let chunk = at..(at + CHUNK).min(range.end);
        let changes = chunk.clone().map(|n| (n - range.start, Some(name(n))));
        root = packs
            .build_index(DOMAIN, Some(&root), root.size_bytes, changes)
            .unwrap();
        at = chunk.end;
    }
    root
}

/// The rows as the store writes them, but all at once: in its transactions of some thousand rows, every
/// row costs a page of this table.
async fn insert_rows(dir: &Path, blobs: u64) {
    let options = SqliteConnectOptions::new()
        .filename(dir.join("blobs.db"))
        .journal_mode(SqliteJournalMode::Off)
        .synchronous(SqliteSynchronous::Off)
        .pragma("cache_size", "-8000000");
    let mut connection = options.connect().await.unwrap();
    let mut tx = connection.begin().await.unwrap();
    for n in 0..blobs {
        let at = location(n);
        sqlx::query(
            "INSERT INTO blob (domain, id, pack, slot, byte_offset, stored_len, plain_len)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(DOMAIN.0)
        .bind(name(n).0.to_vec())
        .bind(at.pack.0.cast_signed())
        .bind(i64::from(at.slot))
        .bind(at.offset.cast_signed())
        .bind(i64::from(at.stored_len))
        .bind(i64::from(at.plain_len))
        .execute(&mut *tx)
        .await
        .unwrap();
    }
    sqlx::query("UPDATE pack_counter SET next = 10000000")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    connection.close().await.unwrap();
}

fn location(n: u64) -> Location {
    let slot = n % SLOTS;
    let len = u32::try_from(BLOCK_SIZE).unwrap();
    Location {
        // Behind those of the nodes.
        pack: PackId(1_000_000 + n / SLOTS),
        slot: u32::try_from(slot).unwrap(),
        offset: 128 + slot * (BLOCK_SIZE as u64 + 64),
        stored_len: len,
        plain_len: len,
    }
}

fn collect(dir: &Path, blobs: u64) {
    let runtime = Runtime::new().unwrap();
    let (_store, packs) = open(dir, &runtime);
    let node = Digest(std::fs::read(dir.join("root")).unwrap().try_into().unwrap());
    let root = Root {
        node,
        size_bytes: 64 << 40,
    };
    println!("{blobs} blobs; {} before", memory());
    let other = OtherWriter::start(dir, &runtime);
    for now in [0, 1] {
        let begun = Instant::now();
        let mut collection = packs.begin_collection().unwrap();
        collection.mark_root(DOMAIN, &root).unwrap();
        let (marked, mark_memory) = (begun.elapsed(), memory());
        let rules = Rules {
            domains: BTreeSet::from([DOMAIN]),
            now,
            grace: Duration::ZERO,
            repack_below_percent: 50,
        };
        let plan = collection.plan(rules).unwrap();
        let planned = begun.elapsed() - marked;
        let report = plan.carry_out().unwrap();
        let done = begun.elapsed() - marked - planned;
        let rate = report.live.blobs as f64 / marked.as_secs_f64();
        println!(
            "mark {marked:.1?} ({rate:.0} blobs/s, {mark_memory}), plan {planned:.1?}, carry out {done:.1?}; \
             {} packs condemned, {} deleted; others waited for {:.0?} at most; {}",
            report.condemned.packs,
            report.deleted.packs,
            other.longest_wait(),
            memory()
        );
    }
}

/// Somebody who wants to write, too.
struct OtherWriter(Arc<AtomicU64>);

impl OtherWriter {
    fn start(dir: &Path, runtime: &Runtime) -> Self {
        let longest = Arc::new(AtomicU64::new(0));
        let (told, file) = (Arc::clone(&longest), dir.join("blobs.db"));
        runtime.spawn(async move {
            let options = SqliteConnectOptions::new().filename(file);
            let options = options.busy_timeout(Duration::from_secs(600));
            let mut connection = options.connect().await.unwrap();
            loop {
                let begun = Instant::now();
                let turn = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
                told.fetch_max(begun.elapsed().as_millis() as u64, Relaxed);
                turn.rollback().await.unwrap();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        Self(longest)
    }

    /// The longest wait since this was asked the last time.
    fn longest_wait(&self) -> Duration {
        Duration::from_millis(self.0.swap(0, Relaxed))
    }
}

/// The greatest memory of this process so far.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    format!("{} MiB at most", kib / 1024)
}
