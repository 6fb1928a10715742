//! What a volume costs, against the plain file it lies in. Figures for one machine at one moment;
//! compare only those of one run.
//!
//! `cargo run --release -p cairn-volume --example volume_bench -- DIRECTORY`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss
)]

use std::{
    fs::File,
    ops::ControlFlow,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use cairn_blocks::{BlockStore, DomainId, FsDisk, MemoryIndex, disk::Disk};
use cairn_testkit::Rng;
use cairn_volume::{Base, EpochTag, Options, Outcome, Volume, VolumeSpec, Wait};

const DOMAIN: DomainId = DomainId(1);
const GIB: u64 = 1 << 30;
/// The range that random operations fall in: it fits the page cache.
const SPAN: u64 = 256 << 20;
const ROUNDS: usize = 5;
/// A file of ext4 has less than 16 TiB.
const LARGE: u64 = 15 << 40;
/// Operations of a round; all rounds together must fit the journal.
const OPS: u64 = 30_000;

struct Bench {
    root: PathBuf,
    disk: Arc<dyn Disk>,
    store: Arc<BlockStore>,
}

impl Bench {
    fn volume(&self, name: &str, size_bytes: u64, base: Option<Base>) -> (Arc<Volume>, Duration) {
        let (dir, options) = (self.root.join(name), Options::new("bench"));
        let spec = VolumeSpec {
            size_bytes,
            domain: DOMAIN,
            base,
        };
        let started = Instant::now();
        cairn_volume::create(&*self.disk, &dir, &spec, None, &options).unwrap();
        let created = started.elapsed();
        let volume = cairn_volume::open(
            Arc::clone(&self.disk),
            &dir,
            Arc::clone(&self.store),
            None,
            options,
        )
        .unwrap();
        (volume, created)
    }
}

fn main() {
    let parent = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    let root = Path::new(&parent).join("volume-bench");
    let disk: Arc<dyn Disk> = Arc::new(FsDisk);
    let index = Arc::new(MemoryIndex::new());
    let options = cairn_blocks::Options::default();
    let store = BlockStore::open(
        Arc::clone(&disk),
        &root.join("store"),
        index,
        Arc::new(cairn_blocks::NoKeys),
        options,
    )
    .unwrap();
    let bench = Bench {
        root: root.clone(),
        disk,
        store: Arc::new(store),
    };
    steady(&bench);
    creation(&bench);
    pauses(&bench);
    capture(&bench);
    drop(bench);
    std::fs::remove_dir_all(root).unwrap();
}

/// What is measured, with its name; it is given an offset.
type Work<'a> = (&'a str, Box<dyn FnMut(u64) + 'a>);

fn done(result: std::io::Result<Outcome>) {
    assert_eq!(result.unwrap(), Outcome::Done);
}

/// Random 4 KiB operations in the steady state, in turns with the plain file.
fn steady(bench: &Bench) {
    let (volume, _) = bench.volume("steady", GIB, None);
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(bench.root.join("plain"))
        .unwrap();
    file.set_len(GIB).unwrap();
    let fill = vec![7; 1 << 20];
    for offset in (0..SPAN).step_by(fill.len()) {
        let _done = volume.write(offset, &fill, false, Wait::Yes).unwrap();
        file.write_all_at(&fill, offset).unwrap();
    }
    volume.flush().unwrap();
    file.sync_data().unwrap();
    let mut page = [1; 4096];
    let works: [Work<'_>; 2] = [
        (
            "plain",
            Box::new(|at| file.write_all_at(&[2; 4096], at).unwrap()),
        ),
        (
            "volume",
            Box::new(|at| done(volume.write(at, &[2; 4096], false, Wait::No))),
        ),
    ];
    report("randwrite 4 KiB", works);
    let mut other = [1; 4096];
    report(
        "randread 4 KiB",
        [
            (
                "plain",
                Box::new(|at| file.read_exact_at(&mut page, at).unwrap()),
            ),
            (
                "volume",
                Box::new(|at| done(volume.read(at, &mut other, Wait::No))),
            ),
        ],
    );
    let tag = EpochTag::new("frozen").unwrap();
    volume.freeze(&tag).unwrap();
    report(
        "randwrite 4 KiB, volume frozen",
        [
            (
                "plain",
                Box::new(|at| file.write_all_at(&[3; 4096], at).unwrap()),
            ),
            (
                "volume",
                Box::new(|at| done(volume.write(at, &[3; 4096], false, Wait::Yes))),
            ),
        ],
    );
    volume.abandon(&tag).unwrap();
}

/// Operations a second of two, in turns; the median of the rounds.
fn report(what: &str, mut works: [Work<'_>; 2]) {
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for (work, rates) in works.iter_mut().zip(&mut rates) {
            let mut rng = Rng::new(round as u64);
            let started = Instant::now();
            (0..OPS).for_each(|_| work.1(rng.below(SPAN / 4096) * 4096));
            rates.push(OPS as f64 / started.elapsed().as_secs_f64());
        }
    }
    let [plain, volume] = rates.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates[ROUNDS / 2]
    });
    println!(
        "{what}: plain {plain:.0}/s, volume {volume:.0}/s, ratio {:.3}",
        volume / plain
    );
}

fn creation(bench: &Bench) {
    for (name, size) in [("small", GIB), ("large", LARGE)] {
        let (volume, created) = bench.volume(name, size, None);
        println!(
            "create {} GiB: {:.1} ms",
            size / GIB,
            created.as_secs_f64() * 1e3
        );
        volume.close().unwrap();
    }
}

/// How long a freeze holds guests while two of them write, on a small volume and on a large one in
/// turns: the medians of the rounds, with the extremes.
fn pauses(bench: &Bench) {
    const SIZES: [u64; 2] = [GIB, 1024 * GIB];
    let volumes = SIZES.map(|size| bench.volume(&format!("pause-{size}"), size, None).0);
    let mut rounds = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (volume, rounds) in volumes.iter().zip(&mut rounds) {
            rounds.push(freezes(volume));
        }
    }
    for (size, rounds) in SIZES.iter().zip(rounds) {
        let spread = |at: usize| {
            let mut ms: Vec<_> = rounds
                .iter()
                .map(|round| round[at].as_secs_f64() * 1e3)
                .collect();
            ms.sort_by(f64::total_cmp);
            format!(
                "{:.3} ms ({:.3}–{:.3})",
                ms[ROUNDS / 2],
                ms[0],
                ms[ROUNDS - 1]
            )
        };
        println!(
            "freeze {} GiB under 2 writers: pause p50 {}, p99 {}",
            size / GIB,
            spread(50),
            spread(98)
        );
    }
    volumes.iter().for_each(|volume| volume.close().unwrap());
}

/// The pauses of a hundred freezes, sorted, each after some hundred writes all over the volume.
fn freezes(volume: &Arc<Volume>) -> Vec<Duration> {
    let size = volume.size_bytes();
    let finished = AtomicBool::new(false);
    // The one that freezes sleeps meanwhile, as a server does: two writers have two cores.
    let (written, some_written) = std::sync::mpsc::sync_channel(1);
    let mut pauses = std::thread::scope(|scope| {
        for seed in 0..2 {
            let (volume, finished, written) = (&volume, &finished, written.clone());
            scope.spawn(move || {
                let mut rng = Rng::new(seed);
                while !finished.load(Ordering::Relaxed) {
                    for _ in 0..100 {
                        let at = rng.below(SPAN / 4096) * (size / SPAN) * 4096;
                        let _done = volume.write(at, &[5; 4096], false, Wait::Yes).unwrap();
                    }
                    let _full = written.try_send(());
                }
            });
        }
        let pauses: Vec<_> = (0..100)
            .map(|n| {
                let tag = EpochTag::new(format!("snap-{n}")).unwrap();
                some_written.recv().unwrap();
                some_written.recv().unwrap();
                let freeze = volume.freeze(&tag).unwrap();
                volume.abandon(&tag).unwrap();
                freeze.pause
            })
            .collect();
        finished.store(true, Ordering::Relaxed);
        pauses
    });
    pauses.sort();
    pauses
}

/// The first snapshot, of data that halves when compressed; then an empty one, and a restore.
fn capture(bench: &Bench) {
    const BYTES: u64 = GIB;
    let (volume, _) = bench.volume("capture", 2 * GIB, None);
    let mut rng = Rng::new(1);
    let mut chunk = vec![0; 1 << 20];
    for offset in (0..BYTES).step_by(chunk.len()) {
        chunk
            .chunks_mut(128)
            .for_each(|some| rng.fill(&mut some[..64]));
        let _done = volume.write(offset, &chunk, false, Wait::Yes).unwrap();
    }
    volume.flush().unwrap();
    let snapshot = |name: &str| {
        let tag = EpochTag::new(name).unwrap();
        volume.freeze(&tag).unwrap();
        let started = Instant::now();
        let root = volume
            .capture(&tag, &mut |_| ControlFlow::Continue(()))
            .unwrap();
        let took = started.elapsed();
        volume.commit(&tag, &root).unwrap();
        (root, took)
    };
    let (root, took) = snapshot("first");
    println!(
        "capture of 1 GiB: {:.0} MiB/s",
        BYTES as f64 / f64::from(1 << 20) / took.as_secs_f64()
    );
    println!(
        "capture of nothing: {:.1} ms",
        snapshot("second").1.as_secs_f64() * 1e3
    );
    volume.close().unwrap();
    restore(bench, "restored", root, BYTES / 2);
    // A volume of 15 TiB with a block here and there, as far apart as its index allows.
    let (large, _) = bench.volume("scattered", LARGE, None);
    for at in (0..LARGE).step_by(1 << 36) {
        let _done = large.write(at, &[6; 4096], false, Wait::Yes).unwrap();
    }
    let tag = EpochTag::new("large").unwrap();
    large.freeze(&tag).unwrap();
    let root = large
        .capture(&tag, &mut |_| ControlFlow::Continue(()))
        .unwrap();
    large.commit(&tag, &root).unwrap();
    large.close().unwrap();
    restore(bench, "restored-large", root, 1 << 36);
}

/// Volumes of one snapshot: the medians of making one, and of the first read from it.
fn restore(bench: &Bench, name: &str, root: cairn_blocks::Root, at: u64) {
    let (mut creations, mut reads) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let base = Some(Base {
            domain: DOMAIN,
            root,
        });
        let (volume, created) = bench.volume(&format!("{name}-{round}"), root.size_bytes, base);
        creations.push(created.as_secs_f64() * 1e3);
        let started = Instant::now();
        let mut buf = [0; 4096];
        let _done = volume.read(at, &mut buf, Wait::Yes).unwrap();
        assert_ne!(buf, [0; 4096]);
        reads.push(started.elapsed().as_secs_f64() * 1e3);
        volume.close().unwrap();
    }
    let spread = |mut ms: Vec<f64>| {
        ms.sort_by(f64::total_cmp);
        format!(
            "{:.2} ms ({:.2}–{:.2})",
            ms[ROUNDS / 2],
            ms[0],
            ms[ROUNDS - 1]
        )
    };
    println!(
        "volume of a snapshot of {} GiB: create {}, first read {}",
        root.size_bytes / GIB,
        spread(creations),
        spread(reads)
    );
}
