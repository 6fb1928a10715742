//! What the tests of the verbs stand on: a server on a temporary directory, with a clock that is
//! set by hand and randomness that repeats.

#![allow(clippy::unwrap_used, dead_code, missing_docs, unreachable_pub)]

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use cairn_blocks::{FsDisk, disk::Disk};
use cairn_control::{
    Caller, Control, ControlOptions, Error, ErrorKind, OpenError,
    collect::CollectGarbage,
    jobs::{JobGate, JobPoint},
    request::{ById, CreateSnapshot, CreateVolume, Describe, DescribeSnapshots},
};
use cairn_model::{Clock, Entropy, Filter, Region, Snapshot, Timestamp, Volume};
use cairn_volume::{Background, Wait};
use tempfile::TempDir;

/// 2026-11-23T00:00:00Z and a fraction.
const BEGINNING: i64 = 1_795_392_000_123_456;

#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn advance(&self, by: Duration) {
        self.0
            .fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// SplitMix64.
#[derive(Debug)]
pub struct Seeded(AtomicU64);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = mix(self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst));
            chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
        }
    }
}

fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Stops the server at a point of a job, once.
#[derive(Debug)]
pub struct StopAt {
    pub point: JobPoint,
    pub reached: Mutex<bool>,
}

impl StopAt {
    pub fn new(kind: &str, step: u32, taken: bool) -> Arc<Self> {
        let point = JobPoint {
            kind: kind.to_owned(),
            step,
            undoing: false,
            taken,
        };
        Arc::new(Self {
            point,
            reached: Mutex::new(false),
        })
    }

    pub fn was_reached(&self) -> bool {
        *self.reached.lock().unwrap()
    }
}

impl JobGate for StopAt {
    fn pass(&self, point: &JobPoint) -> bool {
        if *point == self.point {
            *self.reached.lock().unwrap() = true;
        }
        *point != self.point
    }
}

/// Remembers every point that jobs came to.
#[derive(Debug, Default)]
pub struct Trace(pub Mutex<Vec<JobPoint>>);

impl JobGate for Trace {
    fn pass(&self, point: &JobPoint) -> bool {
        self.0.lock().unwrap().push(point.clone());
        true
    }
}

/// A data directory that servers come and go over.
pub struct Place {
    pub dir: TempDir,
    pub clock: Arc<ManualClock>,
    pub entropy: Arc<Seeded>,
    pub disk: Arc<dyn Disk>,
    /// How often the machine was started.
    pub boots: AtomicU64,
    /// Who does the background work of volumes.
    pub background: Background,
}

impl Place {
    pub fn new(seed: u64) -> Self {
        // What the server logs belongs to what a failed test shows.
        let log = tracing_subscriber::fmt()
            .with_test_writer()
            .with_max_level(tracing_subscriber::filter::LevelFilter::WARN);
        drop(log.try_init());
        Self {
            dir: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock(AtomicI64::new(BEGINNING))),
            entropy: Arc::new(Seeded(AtomicU64::new(seed))),
            disk: Arc::new(FsDisk),
            boots: AtomicU64::new(0),
            background: Background::Threads,
        }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub async fn open(&self) -> Control {
        self.open_with(None).await
    }

    pub async fn open_with(&self, gate: Option<Arc<dyn JobGate>>) -> Control {
        for _ in 0..100_000 {
            match self.try_open(gate.clone()).await {
                Ok(control) => return control,
                // The last handles of a server that was dropped go with its tasks.
                Err(OpenError::InUse(_)) => tokio::task::yield_now().await,
                Err(error) => panic!("open the server: {error}"),
            }
        }
        panic!("somebody holds on to the server before this one");
    }

    pub async fn try_open(&self, gate: Option<Arc<dyn JobGate>>) -> Result<Control, OpenError> {
        let mut options =
            ControlOptions::new(self.data_dir(), self.clock.clone(), self.entropy.clone()).unwrap();
        options.volumes.journal_segment_bytes = 4 << 20;
        options.volumes.journal_cap_bytes = 32 << 20;
        options.volumes.background = self.background;
        options.job_gate = gate;
        options.disk = Arc::clone(&self.disk);
        options.volumes.boot_id = format!("boot {}", self.boots.load(Ordering::SeqCst));
        Control::open(options).await
    }

    /// A server with one account.
    pub async fn begin(&self) -> (Control, Caller) {
        let control = self.open().await;
        let caller = new_caller(&control).await;
        (control, caller)
    }

    pub fn volume_dir(&self, volume: &Volume) -> PathBuf {
        let region = self.data_dir().join("regions").join(volume.region.name());
        region.join("volumes").join(volume.id.as_str())
    }
}

pub async fn new_caller(control: &Control) -> Caller {
    let account = control.create_account(None).await.unwrap();
    Caller {
        account: account.account,
        access_key_id: account.access_key_id,
        region: Region::named("us-east-1").unwrap(),
        operator: true,
        memberships: Vec::new(),
    }
}

pub fn blank(size: i32) -> CreateVolume {
    CreateVolume {
        availability_zone: Some("us-east-1a".to_owned()),
        size: Some(size),
        ..CreateVolume::default()
    }
}

pub fn from_snapshot(snapshot: &Snapshot) -> CreateVolume {
    CreateVolume {
        size: None,
        snapshot_id: Some(snapshot.id.to_string()),
        ..blank(0)
    }
}

pub fn ids<T: std::fmt::Display>(ids: &[&T]) -> Describe {
    Describe {
        ids: ids.iter().map(ToString::to_string).collect(),
        ..Describe::default()
    }
}

pub fn filter(name: &str, values: &[&str]) -> Filter {
    Filter {
        name: name.to_owned(),
        values: values.iter().map(ToString::to_string).collect(),
    }
}

/// A volume that is available.
pub async fn available_volume(control: &Control, caller: &Caller, request: CreateVolume) -> Volume {
    let volume = control.create_volume(caller, request).await.unwrap();
    control.idle().await.unwrap();
    volume_now(control, caller, &volume).await
}

pub async fn volume_now(control: &Control, caller: &Caller, volume: &Volume) -> Volume {
    let mut found = control
        .describe_volumes(caller, ids(&[&volume.id]))
        .await
        .unwrap();
    found.items.remove(0)
}

pub async fn snapshot_now(control: &Control, caller: &Caller, snapshot: &Snapshot) -> Snapshot {
    let request = DescribeSnapshots {
        common: ids(&[&snapshot.id]),
        ..DescribeSnapshots::default()
    };
    let mut found = control.describe_snapshots(caller, request).await.unwrap();
    found.items.remove(0)
}

pub async fn begin_snapshot(control: &Control, caller: &Caller, volume: &Volume) -> Snapshot {
    let request = CreateSnapshot {
        volume_id: volume.id.to_string(),
        ..CreateSnapshot::default()
    };
    control.create_snapshot(caller, request).await.unwrap()
}

/// A snapshot that is completed.
pub async fn take_snapshot(control: &Control, caller: &Caller, volume: &Volume) -> Snapshot {
    let snapshot = begin_snapshot(control, caller, volume).await;
    control.idle().await.unwrap();
    snapshot_now(control, caller, &snapshot).await
}

/// Bytes that no two seeds share.
pub fn pattern(seed: u64, len: usize) -> Vec<u8> {
    let words = (0..len.div_ceil(8) as u64)
        .flat_map(|n| mix(seed.wrapping_mul(0x1_0000_01b3) ^ n).to_le_bytes());
    words.take(len).collect()
}

pub async fn write(control: &Control, volume: &Volume, offset: u64, data: Vec<u8>) {
    let open = control.open_volume(&volume.id).await.unwrap();
    tokio::task::spawn_blocking(move || {
        open.write(offset, &data, false, Wait::Yes)
            .map(|_| ())
            .unwrap();
        open.flush().unwrap();
    })
    .await
    .unwrap();
}

pub async fn read(control: &Control, volume: &Volume, offset: u64, len: usize) -> Vec<u8> {
    let open = control.open_volume(&volume.id).await.unwrap();
    tokio::task::spawn_blocking(move || {
        let mut data = vec![0xee; len];
        open.read(offset, &mut data, Wait::Yes).map(|_| ()).unwrap();
        data
    })
    .await
    .unwrap()
}

#[track_caller]
pub fn refused<T: std::fmt::Debug>(result: Result<T, Error>, kind: ErrorKind) -> String {
    let error = result.expect_err("a refusal");
    assert_eq!(error.kind, kind, "{error}");
    error.message
}

pub fn by_id(id: &impl ToString) -> ById {
    ById {
        id: id.to_string(),
        dry_run: false,
    }
}

/// The caller as it asks in another region.
pub fn in_region(caller: &Caller, region: &str) -> Caller {
    Caller {
        region: Region::named(region).unwrap(),
        ..caller.clone()
    }
}

/// Collects garbage until all is gone that can go: two marks, a grace apart, and one to follow.
pub async fn collect_all(place: &Place, control: &Control, caller: &Caller) {
    for _ in 0..3 {
        let pass = CollectGarbage::default();
        control.collect_garbage(caller, pass).await.unwrap();
        place.clock.advance(Duration::from_secs(2 * 3600));
    }
}

/// Bytes in the packs of a region, but for the cache.
pub fn pack_bytes(place: &Place, region: &str) -> u64 {
    let packs = place.data_dir().join("regions").join(region).join("packs");
    let len = |entry: std::fs::DirEntry| match entry.file_name() == "slots" {
        true => 0,
        false => entry.metadata().unwrap().len(),
    };
    std::fs::read_dir(packs).map_or(0, |files| files.map(|entry| len(entry.unwrap())).sum())
}
