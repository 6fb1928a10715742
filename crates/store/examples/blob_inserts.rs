//! Measures what the index by pack costs whoever stores blobs: rows inserted with and without it,
//! in turns, as a snapshot of a full disk inserts them.
//!
//! `cargo run --release -p cairn-store --example blob_inserts -- [ROWS] [DIR]`, by default half a
//! million rows in a temporary directory. The medians of the rounds are printed.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss
)]

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use cairn_blocks::{BlobId, Digest, DomainId, Location, PackId};
use cairn_store::Store;
use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};

const ROUNDS: usize = 3;

/// Blocks of a pack.
const SLOTS: u64 = 64;

/// What one group commit inserts.
const BATCH: u64 = 256;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let rows: u64 = arguments.next().map_or(500_000, |n| n.parse().unwrap());
    let temporary = tempfile::tempdir().unwrap();
    let dir = arguments
        .next()
        .map_or_else(|| temporary.path().to_path_buf(), PathBuf::from);
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        without.push(insert(&dir.join(format!("without-{round}")), rows, false).await);
        with.push(insert(&dir.join(format!("with-{round}")), rows, true).await);
    }
    let rate = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        rows as f64 / times[ROUNDS / 2].as_secs_f64()
    };
    let (with, without) = (rate(&mut with), rate(&mut without));
    println!(
        "{rows} rows: {without:.0} rows/s without the index by pack, {with:.0} with it ({:.2} times)",
        with / without
    );
}

async fn insert(dir: &Path, rows: u64, by_pack: bool) -> Duration {
    std::fs::create_dir_all(dir).unwrap();
    let store = Store::open(dir).await.unwrap();
    if !by_pack {
        let options = SqliteConnectOptions::new().filename(dir.join("blobs.db"));
        let mut connection = options.connect().await.unwrap();
        let drop = sqlx::query("DROP INDEX blob_by_pack");
        drop.execute(&mut connection).await.unwrap();
    }
    let begun = Instant::now();
    let mut at = 0;
    while at < rows {
        let batch: Vec<_> = (at..(at + BATCH).min(rows)).map(blob).collect();
        store.blobs().insert(DomainId(1), &batch).await.unwrap();
        at += BATCH;
    }
    let spent = begun.elapsed();
    store.close().await;
    std::fs::remove_dir_all(dir).unwrap();
    spent
}

fn blob(n: u64) -> (BlobId, Location) {
    let location = Location {
        pack: PackId(1 + n / SLOTS),
        slot: u32::try_from(n % SLOTS).unwrap(),
        offset: 128 + (n % SLOTS) * 300_000,
        stored_len: 299_936,
        plain_len: 524_288,
    };
    (BlobId(Digest::of(&n.to_le_bytes()).0), location)
}
