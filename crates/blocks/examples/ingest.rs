//! Measures how fast one thread stores blocks that are new, beside the floor: SHA-256 and zstd of
//! the same blocks and nothing else.
//!
//! `cargo run --release --example ingest -- [MiB] [directory]`, by default 1024 MiB into a
//! temporary directory. Rounds of floor and store take turns; the medians are printed.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::cast_precision_loss)]

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use cairn_blocks::{BLOCK_SIZE, BlockStore, Digest, DomainId, FsDisk, MemoryIndex, Options};

const ROUNDS: usize = 5;
const MIB: usize = 1 << 20;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mib: usize = arguments.next().map_or(1024, |mib| mib.parse().unwrap());
    let temporary = tempfile::tempdir().unwrap();
    let dir = arguments
        .next()
        .map_or_else(|| temporary.path().to_path_buf(), PathBuf::from);
    let blocks: Vec<_> = (0..mib * MIB / BLOCK_SIZE)
        .map(|n| block(n as u64))
        .collect();
    let slices: Vec<_> = blocks.iter().map(Vec::as_slice).collect();
    let (mut floors, mut puts, mut syncs) = (Vec::new(), Vec::new(), Vec::new());
    let mut ratio = 0.0;
    for round in 0..ROUNDS {
        floors.push(time(|| floor(&slices)));
        let dir = dir.join(format!("round-{round}"));
        let store = BlockStore::open(
            Arc::new(FsDisk),
            &dir,
            Arc::new(MemoryIndex::new()),
            Arc::new(cairn_blocks::NoKeys),
            Options::default(),
        )
        .unwrap();
        puts.push(time(|| ingest(&store, &slices)));
        syncs.push(time(|| store.sync(DomainId(1)).unwrap()));
        ratio = store.stats().plain_bytes as f64 / store.stats().stored_bytes as f64;
        drop(store);
        std::fs::remove_dir_all(dir).unwrap();
    }
    println!("{mib} MiB, compressed {ratio:.2} to 1, medians of {ROUNDS}");
    report("floor (SHA-256, zstd 1)", mib, &floors);
    report("put_many", mib, &puts);
    report(
        "put_many and sync",
        mib,
        &puts
            .iter()
            .zip(&syncs)
            .map(|(put, sync)| put.plus(*sync))
            .collect::<Vec<_>>(),
    );
}

fn report(what: &str, mib: usize, spent: &[Spent]) {
    let rate = |of: fn(&Spent) -> Duration| {
        let mut times: Vec<_> = spent.iter().map(of).collect();
        times.sort_unstable();
        mib as f64 / times[times.len() / 2].as_secs_f64()
    };
    println!(
        "{what:24} {:5.0} MiB/s of processor time, {:5.0} MiB/s of wall time",
        rate(|spent| spent.cpu),
        rate(|spent| spent.wall)
    );
}

/// The time that something took.
#[derive(Clone, Copy)]
struct Spent {
    wall: Duration,
    cpu: Duration,
}

impl Spent {
    fn plus(self, other: Self) -> Self {
        Self {
            wall: self.wall + other.wall,
            cpu: self.cpu + other.cpu,
        }
    }
}

/// Text that compresses about as a disk of programs and documents does.
fn block(seed: u64) -> Vec<u8> {
    let mut rng = cairn_testkit::Rng::new(seed + 1);
    let words: Vec<Vec<u8>> = (0..600).map(|_| word(&mut rng)).collect();
    let mut block = Vec::with_capacity(BLOCK_SIZE + 64);
    while block.len() < BLOCK_SIZE {
        match rng.below(5) {
            0 => block.extend_from_slice(&rng.next_u64().to_le_bytes()),
            _ => block.extend_from_slice(rng.pick::<Vec<u8>>(&words)),
        }
    }
    block.truncate(BLOCK_SIZE);
    block
}

fn word(rng: &mut cairn_testkit::Rng) -> Vec<u8> {
    let mut word = vec![0; 4 + rng.index(20)];
    rng.fill(&mut word);
    word
}

fn floor(blocks: &[&[u8]]) {
    let mut compressor = zstd::bulk::Compressor::new(1).unwrap();
    let mut out = vec![0; zstd::zstd_safe::compress_bound(BLOCK_SIZE)];
    for block in blocks {
        std::hint::black_box(Digest::of(block));
        std::hint::black_box(
            compressor
                .compress_to_buffer(block, out.as_mut_slice())
                .unwrap(),
        );
    }
}

fn ingest(store: &BlockStore, blocks: &[&[u8]]) {
    for batch in blocks.chunks(64) {
        std::hint::black_box(store.put_many(DomainId(1), batch).unwrap());
    }
}

fn time(work: impl FnOnce()) -> Spent {
    let (start, cpu_before) = (Instant::now(), cpu());
    work();
    Spent {
        wall: start.elapsed(),
        cpu: cpu() - cpu_before,
    }
}

/// Processor time of this process so far, in the kernel and outside.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.try_into().unwrap(),
        time.tv_nsec.try_into().unwrap(),
    )
}
