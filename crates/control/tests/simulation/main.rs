//! A whole node, simulated: verbs of two accounts, drawn from a seed, on a disk that dies at any
//! operation and loses, reorders and tears what was not synced, or with a process that is killed at
//! any point of a job; compared with a model that is a few maps.
//!
//! Everything happens in one order, also where something dies (see [`life`]): a seed has the same verbs
//! with the same outcomes, and the same bytes go to the same places of the disk in the same order. The
//! test runs seeds twice and compares. Volumes have no threads of their own here; their background work
//! is a step like others.
//!
//! `CAIRN_SOAK_SECONDS=600 cargo test -p cairn-control --test simulation soak -- --nocapture` runs fresh
//! seeds for so long, from `CAIRN_SEED` on; one that fails is to be put into [`KEPT`].
//!
//! - `life`: one life of a server, from opening to death.
//! - `rest`: whether the other threads are at rest.
//! - `apart`: the disk, with the cache of blocks apart.

#![allow(clippy::unwrap_used, missing_docs)]

mod apart;
mod life;
mod rest;
#[path = "../support/mod.rs"]
mod support;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use apart::Apart;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cairn_control::{
    Caller, Control,
    collect::CollectGarbage,
    ebs::Hashed,
    jobs::{JobGate, JobPoint},
    request::{
        ById, CompleteSnapshot, CreateSnapshot, CreateVolume, Describe, DescribeSnapshots,
        GetSnapshotBlock, ListBlocks, PutSnapshotBlock, StartSnapshot,
    },
};
use cairn_model::{KmsKey, Snapshot, SnapshotState, Volume, VolumeState};
use cairn_testkit::{Crash, Rng, SimDisk};
use cairn_volume::{Background, Wait, Work};
use life::Life;
use support::*;

const PAGE: usize = 4096;
const SECTOR: usize = 512;
const BLOCK: usize = 512 * 1024;
const PAGES_OF_BLOCK: u64 = (BLOCK / PAGE) as u64;

/// Blocks that are written: neighbours, one in another leaf of the index, and the last one.
const BLOCKS: [u64; 6] = [0, 1, 2, 3, 700, 2047];

/// Seeds that once failed.
const KEPT: &[u64] = &[];

/// What a page holds: zeros, or the pattern of a number.
type Pages = BTreeMap<u64, u64>;

struct ModelVolume {
    noun: Volume,
    owner: usize,
    pages: Pages,
}

struct ModelSnapshot {
    noun: Snapshot,
    owner: usize,
    pages: Pages,
}

/// What was asked for and not yet answered.
enum UnderWay {
    Nothing,
    Write(usize, u64, Option<u64>),
    Create(usize, Pages),
    Take(usize, Pages),
    DeleteVolume(Box<ModelVolume>),
    DeleteSnapshot(Box<ModelSnapshot>),
}

struct Node {
    seed: u64,
    rng: Rng,
    place: Place,
    disk: SimDisk,
    killer: Arc<Killer>,
    control: Option<Control>,
    callers: Vec<Caller>,
    keys: Vec<KmsKey>,
    volumes: Vec<ModelVolume>,
    snapshots: Vec<ModelSnapshot>,
    under_way: UnderWay,
    next_fill: u64,
    trace: Vec<String>,
}

/// Kills the process at a point of a job.
#[derive(Debug)]
struct Killer {
    disk: SimDisk,
    points_left: AtomicU64,
}

impl JobGate for Killer {
    fn pass(&self, _: &JobPoint) -> bool {
        if self.points_left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.disk.kill();
        }
        !self.disk.is_dead()
    }
}

/// A node, and the life that it has just now.
struct World {
    life: Option<Life>,
    node: Node,
    /// Whether anything may die.
    deadly: bool,
    outcome: Outcome,
}

/// What a seed made.
#[derive(Debug, Default)]
struct Outcome {
    trace: Vec<String>,
    steps: u64,
    /// In the middle of a verb, or of opening.
    deaths: u64,
}

fn by_id(id: &impl ToString) -> ById {
    ById {
        id: id.to_string(),
        dry_run: false,
    }
}

fn page_bytes(fill: Option<&u64>) -> Vec<u8> {
    fill.map_or(vec![0; PAGE], |fill| pattern(*fill, PAGE))
}

fn block_bytes(pages: &Pages, block: u64) -> Vec<u8> {
    let first = block * PAGES_OF_BLOCK;
    (first..first + PAGES_OF_BLOCK)
        .flat_map(|page| page_bytes(pages.get(&page)))
        .collect()
}

/// What is answered as long as there is somebody to answer: what the process found out in the course of
/// its death is told to nobody.
async fn answer<T>(disk: &SimDisk, work: impl Future<Output = T>) -> T {
    let answer = work.await;
    if disk.is_dead() {
        std::future::pending::<()>().await;
    }
    answer
}

impl World {
    fn new(seed: u64, deadly: bool) -> Self {
        let mut world = Self {
            life: None,
            node: Node::new(seed),
            deadly,
            outcome: Outcome::default(),
        };
        world.begin_life();
        world.answered(async |node| {
            node.open().await;
            node.begin().await;
        });
        world
    }

    fn begin_life(&mut self) {
        self.node.disk.start_trace();
        let data_dir = self.node.place.data_dir();
        std::fs::create_dir_all(&data_dir).unwrap();
        self.life = Some(Life::begin(&self.node.disk, &data_dir));
    }

    /// Ends the life, and has what was not synced fare as is said.
    fn end_life(&mut self, how: Crash) {
        let life = self.life.take().unwrap();
        life.end(self.node.control.take());
        self.node.note_operations();
        self.node.disk.crash(how);
        if how != Crash::Kill {
            self.node.place.boots.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Has something done. None if it died over it.
    fn dare<T>(&mut self, work: impl AsyncFnOnce(&mut Node) -> T) -> Option<T> {
        let done = self.life.as_mut().unwrap().run(work(&mut self.node)).ok();
        self.node.note_operations();
        done
    }

    /// As [`dare`](Self::dare), where nothing dies.
    fn answered<T>(&mut self, work: impl AsyncFnOnce(&mut Node) -> T) -> T {
        self.dare(work).expect("nothing dies here")
    }

    fn step(&mut self) {
        self.outcome.steps += 1;
        match self.node.rng.below(22) {
            0 => self.restart(),
            1..4 if self.deadly => self.die(),
            _ => self.answered(Node::step),
        }
    }

    fn restart(&mut self) {
        self.node.note("restart");
        self.answered(async |node| node.control().shutdown().await);
        self.end_life(Crash::Kill);
        self.begin_life();
        self.answered(async |node| {
            node.open().await;
            node.check().await;
        });
    }

    /// The disk dies at some operation of a verb, or the process is killed somewhere in it, or else after
    /// it; and now and then once more in the recovery.
    fn die(&mut self) {
        self.arm(24, 5);
        let done = self.dare(Node::live_dangerously);
        self.die_of(done.is_some());
        if self.node.rng.one_in(3) {
            self.arm(24, 5);
            let done = self.dare(Node::recover);
            self.die_of(done.is_some());
        }
        self.answered(async |node| {
            node.recover().await;
            node.settle().await;
            node.adopt().await;
            node.check().await;
        });
    }

    /// Has this life end at some operation of the disk, or at some point of a job.
    fn arm(&mut self, operations: u64, points: u64) {
        if self.node.rng.one_in(2) {
            self.node.disk.crash_at(self.node.rng.below(operations));
        } else {
            let points = self.node.rng.below(points);
            self.node.killer.points_left.store(points, Ordering::SeqCst);
        }
    }

    fn die_of(&mut self, answered: bool) {
        let how = match self.node.rng.below(3) {
            0 => Crash::LoseAll,
            1 => Crash::Kill,
            _ => Crash::PowerLoss(self.node.rng.next_u64()),
        };
        self.outcome.deaths += u64::from(!answered);
        self.node
            .killer
            .points_left
            .store(u64::MAX, Ordering::SeqCst);
        self.end_life(how);
        self.node
            .note(&format!("died, answered: {answered}, {how:?}"));
        self.begin_life();
    }

    fn end(mut self) -> Outcome {
        self.answered(async |node| node.check().await);
        self.restart();
        self.end_life(Crash::Kill);
        self.outcome.trace = self.node.trace;
        self.outcome
    }
}

impl Node {
    fn new(seed: u64) -> Self {
        // In memory, where there is such a place: SQLite syncs each commit.
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        let disk = SimDisk::new();
        let killer = Arc::new(Killer {
            disk: disk.clone(),
            points_left: AtomicU64::new(u64::MAX),
        });
        let place = Place {
            dir: dir.unwrap(),
            background: Background::Manual,
            ..Place::new(seed)
        };
        Self {
            seed,
            rng: Rng::new(seed),
            place,
            disk,
            killer,
            control: None,
            callers: Vec::new(),
            keys: Vec::new(),
            volumes: Vec::new(),
            snapshots: Vec::new(),
            under_way: UnderWay::Nothing,
            next_fill: seed << 20 | 1,
            trace: Vec::new(),
        }
    }

    async fn open(&mut self) {
        self.place.disk = Arc::new(Apart::new(&self.disk));
        let gate: Arc<dyn JobGate> = self.killer.clone();
        let opened = answer(&self.disk, self.place.try_open(Some(gate))).await;
        self.control = Some(opened.unwrap());
    }

    async fn begin(&mut self) {
        for _ in 0..2 {
            let caller = new_caller(self.control()).await;
            self.keys
                .push(self.control().create_key(&caller, None).await.unwrap());
            self.callers.push(caller);
        }
    }

    fn control(&self) -> &Control {
        self.control.as_ref().unwrap()
    }

    fn note(&mut self, what: &str) {
        self.trace.push(what.to_owned());
    }

    /// Notes what was done to the disk since the last time.
    fn note_operations(&mut self) {
        let dir = self.place.dir.path().display().to_string();
        for done in self.disk.take_trace() {
            if done.op.is_mutation() {
                let path = done.path.display().to_string().replace(&dir, "");
                let (op, offset, len, sum) = (done.op, done.offset, done.len, done.sum);
                self.note(&format!("  {op:?} {path} {offset}+{len} {sum:016x}"));
            }
        }
        self.disk.start_trace();
    }

    async fn step(&mut self) {
        match self.rng.below(20) {
            0..2 => self.create_volume().await,
            2..8 => self.write().await,
            8..11 => self.snapshot().await,
            11 => self.restore().await,
            12 => self.delete_snapshot().await,
            13 => self.delete_volume().await,
            14 => self.upload().await,
            15 => self.collect().await,
            16 => self.scrub().await,
            17 => self.changed_blocks().await,
            _ => self.work().await,
        }
    }

    /// Some of the background work of a volume.
    async fn work(&mut self) {
        if self.volumes.is_empty() {
            return;
        }
        let at = self.rng.index(self.volumes.len());
        let units = 1 + self.rng.below(8);
        let open = self.control().open_volume(&self.volumes[at].noun.id);
        let open = answer(&self.disk, open).await.unwrap();
        let worked = tokio::task::spawn_blocking(move || {
            for done in 0..units {
                if open.work()? == Work::Idle {
                    return Ok(done);
                }
            }
            Ok::<_, cairn_volume::Error>(units)
        });
        let done = answer(&self.disk, worked).await.unwrap().unwrap();
        self.note(&format!("{done} units of work of volume {at}"));
    }

    /// What the owner asks for: encrypted under its key or not.
    fn request(&mut self, owner: usize) -> CreateVolume {
        let sealed = self.rng.one_in(2);
        CreateVolume {
            encrypted: sealed.then_some(true),
            kms_key_id: sealed.then(|| self.keys[owner].arn()),
            ..blank(1)
        }
    }

    async fn create_volume(&mut self) {
        if self.volumes.len() >= 4 {
            return;
        }
        let owner = self.rng.index(self.callers.len());
        let request = self.request(owner);
        self.note(&format!(
            "create a volume of {owner}, {:?}",
            request.encrypted
        ));
        let made = available_volume(self.control(), &self.callers[owner], request).await;
        assert_eq!(made.state, VolumeState::Available, "seed {}", self.seed);
        self.volumes.push(ModelVolume {
            noun: made,
            owner,
            pages: Pages::new(),
        });
    }

    /// A page of a volume, and what to write there: zeros now and then.
    fn draw_write(&mut self) -> Option<(usize, u64, Option<u64>)> {
        if self.volumes.is_empty() {
            return None;
        }
        let at = self.rng.index(self.volumes.len());
        let page = *self.rng.pick(&BLOCKS) * PAGES_OF_BLOCK + self.rng.below(3);
        let fill = (!self.rng.one_in(5)).then(|| {
            self.next_fill += 1;
            self.next_fill
        });
        Some((at, page, fill))
    }

    async fn write(&mut self) {
        for _ in 0..=self.rng.below(3) {
            let Some((at, page, fill)) = self.draw_write() else {
                return;
            };
            self.note(&format!("write page {page} of volume {at}: {fill:?}"));
            self.try_write(at, page, fill).await.unwrap();
            set(&mut self.volumes[at].pages, page, fill);
        }
    }

    async fn try_write(&self, at: usize, page: u64, fill: Option<u64>) -> Result<(), String> {
        let id = &self.volumes[at].noun.id;
        let open = self.control().open_volume(id).await;
        let open = open.map_err(|error| error.to_string())?;
        let data = page_bytes(fill.as_ref());
        let written = tokio::task::spawn_blocking(move || {
            let done = open.write(page * PAGE as u64, &data, false, Wait::Yes);
            done.map(drop).and_then(|()| open.flush())
        });
        written.await.unwrap().map_err(|error| error.to_string())
    }

    /// Taken, and written over before it is captured.
    async fn snapshot(&mut self) {
        if self.volumes.is_empty() || self.snapshots.len() >= 10 {
            return;
        }
        let at = self.rng.index(self.volumes.len());
        let (owner, noun) = (self.volumes[at].owner, self.volumes[at].noun.clone());
        self.note(&format!("take a snapshot of volume {at}"));
        let begun = begin_snapshot(self.control(), &self.callers[owner], &noun).await;
        let pages = self.volumes[at].pages.clone();
        if self.rng.one_in(2) {
            self.write().await;
        }
        self.control().idle().await.unwrap();
        self.expect_completed(begun, owner, pages).await;
    }

    async fn expect_completed(&mut self, begun: Snapshot, owner: usize, pages: Pages) {
        let noun = snapshot_now(self.control(), &self.callers[owner], &begun).await;
        assert_eq!(
            noun.state,
            SnapshotState::Completed,
            "seed {}: {noun:?}",
            self.seed
        );
        self.note(&format!("it has digest {:?}", noun.digest));
        self.snapshots.push(ModelSnapshot { noun, owner, pages });
    }

    async fn restore(&mut self) {
        if self.snapshots.is_empty() || self.volumes.len() >= 4 {
            return;
        }
        let from = self.rng.index(self.snapshots.len());
        let owner = self.snapshots[from].owner;
        let mut request = self.request(owner);
        request.size = None;
        request.snapshot_id = Some(self.snapshots[from].noun.id.to_string());
        self.note(&format!("restore snapshot {from}, {:?}", request.encrypted));
        let made = available_volume(self.control(), &self.callers[owner], request).await;
        assert_eq!(made.state, VolumeState::Available, "seed {}", self.seed);
        self.volumes.push(ModelVolume {
            noun: made,
            owner,
            pages: self.snapshots[from].pages.clone(),
        });
    }

    async fn delete_snapshot(&mut self) {
        if self.snapshots.is_empty() {
            return;
        }
        let at = self.rng.index(self.snapshots.len());
        self.note(&format!("delete snapshot {at}"));
        let gone = self.snapshots.remove(at);
        let caller = &self.callers[gone.owner];
        let deleted = self.control().delete_snapshot(caller, by_id(&gone.noun.id));
        deleted.await.unwrap();
        self.control().idle().await.unwrap();
    }

    async fn delete_volume(&mut self) {
        if self.volumes.len() < 2 {
            return;
        }
        let at = self.rng.index(self.volumes.len());
        self.note(&format!("delete volume {at}"));
        let gone = self.volumes.remove(at);
        let caller = &self.callers[gone.owner];
        let deleted = self.control().delete_volume(caller, by_id(&gone.noun.id));
        deleted.await.unwrap();
        self.control().idle().await.unwrap();
    }

    /// By EBS direct, over a parent or over zeros.
    async fn upload(&mut self) {
        if self.snapshots.len() >= 10 {
            return;
        }
        let owner = self.rng.index(self.callers.len());
        let caller = self.callers[owner].clone();
        let own: Vec<_> = (0..self.snapshots.len())
            .filter(|at| self.snapshots[*at].owner == owner)
            .collect();
        let parent = (!own.is_empty() && self.rng.one_in(2)).then(|| *self.rng.pick(&own));
        let sealed = parent.is_none() && self.rng.one_in(2);
        let request = StartSnapshot {
            volume_size: 1,
            parent_snapshot_id: parent.map(|at| self.snapshots[at].noun.id.to_string()),
            encrypted: sealed.then_some(true),
            kms_key_arn: sealed.then(|| self.keys[owner].arn()),
            ..StartSnapshot::default()
        };
        let mut pages = parent.map_or_else(Pages::new, |at| self.snapshots[at].pages.clone());
        let started = self
            .control()
            .start_snapshot(&caller, request)
            .await
            .unwrap();
        let count = 1 + self.rng.below(3);
        let mut put = std::collections::BTreeSet::new();
        for _ in 0..count {
            let block = *self.rng.pick(&BLOCKS);
            let first = block * PAGES_OF_BLOCK;
            pages.retain(|page, _| !(first..first + PAGES_OF_BLOCK).contains(page));
            self.next_fill += 1;
            pages.insert(first + self.rng.below(PAGES_OF_BLOCK), self.next_fill);
            let data = block_bytes(&pages, block);
            let request = PutSnapshotBlock {
                snapshot_id: started.id.to_string(),
                block_index: i64::try_from(block).unwrap(),
                data_length: 512 << 10,
                checksum: STANDARD.encode(digest(&SHA256, &data)),
                checksum_algorithm: "SHA256".to_owned(),
                progress: None,
                data: Hashed::of(data.into()),
            };
            self.control()
                .put_snapshot_block(&caller, request)
                .await
                .unwrap();
            put.insert(block);
        }
        self.note(&format!("upload {put:?} over {parent:?}"));
        let complete = CompleteSnapshot {
            snapshot_id: started.id.to_string(),
            changed_blocks_count: i64::try_from(put.len()).unwrap(),
            ..CompleteSnapshot::default()
        };
        self.control()
            .complete_snapshot(&caller, complete)
            .await
            .unwrap();
        self.control().idle().await.unwrap();
        self.expect_completed(started, owner, pages).await;
    }

    /// Two passes, with more than the grace between them.
    async fn collect(&mut self) {
        self.note("collect garbage");
        for _ in 0..2 {
            let request = CollectGarbage::default();
            let collected = self.control().collect_garbage(&self.callers[0], request);
            answer(&self.disk, collected).await.unwrap();
            self.place.clock.advance(Duration::from_secs(2 * 3600));
        }
    }

    async fn scrub(&mut self) {
        self.note("scrub");
        let operator = &self.callers[0];
        self.control().start_scrub(operator, None).await.unwrap();
        self.control().idle().await.unwrap();
        let found = self.control().scrub_status(operator).await.unwrap();
        assert!(
            found.findings.is_empty() && found.bad_blobs == 0,
            "seed {}: {found:?}",
            self.seed
        );
    }

    async fn changed_blocks(&mut self) {
        let owner = self.rng.index(self.callers.len());
        let own: Vec<_> = (0..self.snapshots.len())
            .filter(|at| self.snapshots[*at].owner == owner)
            .collect();
        if own.len() < 2 {
            return;
        }
        let (one, two) = (*self.rng.pick(&own), *self.rng.pick(&own));
        let (one, two) = (&self.snapshots[one], &self.snapshots[two]);
        let request = ListBlocks {
            first_snapshot_id: Some(one.noun.id.to_string()),
            snapshot_id: two.noun.id.to_string(),
            ..ListBlocks::default()
        };
        let listed = self
            .control()
            .list_changed_blocks(&self.callers[owner], request);
        let listed: Vec<_> = listed
            .await
            .unwrap()
            .blocks
            .iter()
            .map(|b| b.block_index)
            .collect();
        let differs =
            |block: &u64| block_bytes(&one.pages, *block) != block_bytes(&two.pages, *block);
        let expected: Vec<_> = BLOCKS
            .into_iter()
            .filter(differs)
            .map(|block| i64::try_from(block).unwrap())
            .collect();
        assert_eq!(listed, expected, "seed {}", self.seed);
        self.note(&format!("{listed:?} differ"));
    }

    /// Does something that is not to be relied upon before it is answered.
    async fn live_dangerously(&mut self) {
        match self.rng.below(8) {
            0..2 => self.dare_to_write().await,
            2 => self.dare_to_create().await,
            3 => self.dare_to_delete_a_volume().await,
            4 => self.dare_to_delete_a_snapshot().await,
            5 => self.collect().await,
            _ => self.dare_to_take_a_snapshot().await,
        }
    }

    async fn dare_to_write(&mut self) {
        let Some((at, page, fill)) = self.draw_write() else {
            return;
        };
        self.note(&format!(
            "dare to write page {page} of volume {at}: {fill:?}"
        ));
        self.under_way = UnderWay::Write(at, page, fill);
        answer(&self.disk, self.try_write(at, page, fill))
            .await
            .unwrap();
        set(&mut self.volumes[at].pages, page, fill);
        self.under_way = UnderWay::Nothing;
        self.work().await;
    }

    async fn dare_to_create(&mut self) {
        if self.volumes.len() >= 4 {
            return;
        }
        let owner = self.rng.index(self.callers.len());
        let mut request = self.request(owner);
        let from = self.draw_snapshot(owner);
        let pages = from.map_or_else(Pages::new, |at| self.snapshots[at].pages.clone());
        if let Some(at) = from {
            request.size = None;
            request.snapshot_id = Some(self.snapshots[at].noun.id.to_string());
        }
        self.note(&format!("dare to create a volume of {owner} from {from:?}"));
        self.under_way = UnderWay::Create(owner, pages.clone());
        let made = self.control().create_volume(&self.callers[owner], request);
        let noun = answer(&self.disk, made).await.unwrap();
        self.volumes.push(ModelVolume { noun, owner, pages });
        self.under_way = UnderWay::Nothing;
        self.idle().await;
    }

    /// A snapshot of an account, now and then.
    fn draw_snapshot(&mut self, owner: usize) -> Option<usize> {
        let own: Vec<_> = (0..self.snapshots.len())
            .filter(|at| self.snapshots[*at].owner == owner)
            .collect();
        (!own.is_empty() && self.rng.one_in(2)).then(|| *self.rng.pick(&own))
    }

    async fn dare_to_delete_a_volume(&mut self) {
        if self.volumes.len() < 2 {
            return;
        }
        let at = self.rng.index(self.volumes.len());
        self.note(&format!("dare to delete volume {at}"));
        let doomed = self.volumes.remove(at);
        let (owner, id) = (doomed.owner, by_id(&doomed.noun.id));
        self.under_way = UnderWay::DeleteVolume(Box::new(doomed));
        let deleted = self.control().delete_volume(&self.callers[owner], id);
        answer(&self.disk, deleted).await.unwrap();
        self.under_way = UnderWay::Nothing;
        self.idle().await;
    }

    async fn dare_to_delete_a_snapshot(&mut self) {
        if self.snapshots.is_empty() {
            return;
        }
        let at = self.rng.index(self.snapshots.len());
        self.note(&format!("dare to delete snapshot {at}"));
        let doomed = self.snapshots.remove(at);
        let (owner, id) = (doomed.owner, by_id(&doomed.noun.id));
        self.under_way = UnderWay::DeleteSnapshot(Box::new(doomed));
        let deleted = self.control().delete_snapshot(&self.callers[owner], id);
        answer(&self.disk, deleted).await.unwrap();
        self.under_way = UnderWay::Nothing;
        self.idle().await;
    }

    async fn dare_to_take_a_snapshot(&mut self) {
        if self.volumes.is_empty() || self.snapshots.len() >= 10 {
            return;
        }
        let at = self.rng.index(self.volumes.len());
        self.note(&format!("dare to take a snapshot of volume {at}"));
        let (owner, pages) = (self.volumes[at].owner, self.volumes[at].pages.clone());
        self.under_way = UnderWay::Take(owner, pages.clone());
        let request = CreateSnapshot {
            volume_id: self.volumes[at].noun.id.to_string(),
            ..CreateSnapshot::default()
        };
        let begun = self
            .control()
            .create_snapshot(&self.callers[owner], request);
        let noun = answer(&self.disk, begun).await.unwrap();
        self.snapshots.push(ModelSnapshot { noun, owner, pages });
        self.under_way = UnderWay::Nothing;
        self.idle().await;
    }

    /// Opens what a death left, and has what was under way taken up, also what is to be tried again only
    /// after a while.
    async fn recover(&mut self) {
        self.open().await;
        for _ in 0..3 {
            self.idle().await;
            self.place.clock.advance(Duration::from_secs(120));
        }
        self.idle().await;
    }

    async fn idle(&self) {
        answer(&self.disk, self.control().idle()).await.unwrap();
    }

    /// What was not answered was done or not done.
    async fn settle(&mut self) {
        match std::mem::replace(&mut self.under_way, UnderWay::Nothing) {
            UnderWay::Nothing => {}
            UnderWay::Write(at, page, fill) => self.settle_page(at, page, fill).await,
            UnderWay::Create(owner, pages) => {
                if let Some(noun) = self.unknown_volume(owner).await {
                    self.note("it was created");
                    self.volumes.push(ModelVolume { noun, owner, pages });
                }
            }
            UnderWay::Take(owner, pages) => {
                if let Some(noun) = self.unknown_snapshot(owner).await {
                    self.note("it was taken");
                    let noun = Snapshot {
                        state: SnapshotState::Pending,
                        ..noun
                    };
                    self.snapshots.push(ModelSnapshot { noun, owner, pages });
                }
            }
            UnderWay::DeleteVolume(doomed) => {
                let left = self.unknown_volume(doomed.owner).await;
                if left.is_some_and(|noun| noun.id == doomed.noun.id) {
                    self.note("it was not deleted");
                    self.volumes.push(*doomed);
                }
            }
            UnderWay::DeleteSnapshot(doomed) => {
                let left = self.unknown_snapshot(doomed.owner).await;
                if left.is_some_and(|noun| noun.id == doomed.noun.id) {
                    self.note("it was not deleted");
                    self.snapshots.push(*doomed);
                }
            }
        }
    }

    /// A volume of an account that the model does not know.
    async fn unknown_volume(&self, owner: usize) -> Option<Volume> {
        let caller = &self.callers[owner];
        let all = self.control().describe_volumes(caller, Describe::default());
        let is_known = |noun: &Volume| self.volumes.iter().any(|known| known.noun.id == noun.id);
        all.await
            .unwrap()
            .items
            .into_iter()
            .find(|noun| !is_known(noun))
    }

    /// A snapshot of an account that the model does not know.
    async fn unknown_snapshot(&self, owner: usize) -> Option<Snapshot> {
        let all = DescribeSnapshots::default();
        let all = self.control().describe_snapshots(&self.callers[owner], all);
        let is_known =
            |noun: &Snapshot| self.snapshots.iter().any(|known| known.noun.id == noun.id);
        all.await
            .unwrap()
            .items
            .into_iter()
            .find(|noun| !is_known(noun))
    }

    /// Each sector of a write that failed is old or new.
    async fn settle_page(&mut self, at: usize, page: u64, fill: Option<u64>) {
        let volume = &self.volumes[at];
        let old = page_bytes(volume.pages.get(&page));
        let new = page_bytes(fill.as_ref());
        let found = read(self.control(), &volume.noun, page * PAGE as u64, PAGE).await;
        for (n, sector) in found.chunks(SECTOR).enumerate() {
            let range = n * SECTOR..(n + 1) * SECTOR;
            assert!(
                sector == &old[range.clone()] || sector == &new[range],
                "seed {}: sector {n} of page {page} is neither old nor new",
                self.seed
            );
        }
        self.try_write(at, page, fill).await.unwrap();
        set(&mut self.volumes[at].pages, page, fill);
    }

    /// What was begun and not answered is gone, or as it would have been. A snapshot may have failed.
    async fn adopt(&mut self) {
        let mut kept = Vec::new();
        for known in std::mem::take(&mut self.snapshots) {
            let noun = snapshot_now(self.control(), &self.callers[known.owner], &known.noun).await;
            match noun.state {
                SnapshotState::Completed => kept.push(ModelSnapshot { noun, ..known }),
                SnapshotState::Error if known.noun.state == SnapshotState::Pending => {
                    let caller = &self.callers[known.owner];
                    let deleted = self.control().delete_snapshot(caller, by_id(&noun.id));
                    deleted.await.unwrap();
                }
                _ => panic!("seed {}: {noun:?}", self.seed),
            }
        }
        self.snapshots = kept;
        for owner in 0..self.callers.len() {
            let unknown = self.unknown_snapshot(owner).await;
            assert!(unknown.is_none(), "seed {}: {unknown:?}", self.seed);
            let unknown = self.unknown_volume(owner).await;
            assert!(unknown.is_none(), "seed {}: {unknown:?}", self.seed);
        }
        for caller in &self.callers {
            let all = self.control().describe_volumes(caller, Describe::default());
            for noun in all.await.unwrap().items {
                assert_eq!(noun.state, VolumeState::Available, "seed {}", self.seed);
            }
        }
        self.control().idle().await.unwrap();
    }

    /// Compares everything with the model.
    async fn check(&self) {
        for volume in &self.volumes {
            for block in BLOCKS {
                let found = read(self.control(), &volume.noun, block * BLOCK as u64, BLOCK).await;
                self.compare(&volume.pages, block, &found, &volume.noun.id);
            }
        }
        for snapshot in &self.snapshots {
            self.check_snapshot(snapshot).await;
        }
    }

    async fn check_snapshot(&self, snapshot: &ModelSnapshot) {
        let (caller, id) = (&self.callers[snapshot.owner], &snapshot.noun.id);
        let report = self
            .control()
            .verify_snapshot(caller, by_id(id))
            .await
            .unwrap();
        assert!(report.ok, "seed {}: {report:?}", self.seed);
        let request = ListBlocks {
            snapshot_id: id.to_string(),
            ..ListBlocks::default()
        };
        let listed = self
            .control()
            .list_snapshot_blocks(caller, request)
            .await
            .unwrap();
        let mut left: Vec<_> = BLOCKS.into_iter().collect();
        for block in listed.blocks {
            let index = u64::try_from(block.block_index).unwrap();
            let get = GetSnapshotBlock {
                snapshot_id: id.to_string(),
                block_index: block.block_index,
                block_token: block.token.unwrap(),
            };
            let found = self
                .control()
                .get_snapshot_block(caller, get)
                .await
                .unwrap();
            self.compare(&snapshot.pages, index, &found.data, id);
            left.retain(|block| *block != index);
        }
        for block in left {
            self.compare(&snapshot.pages, block, &[0; BLOCK], id);
        }
    }

    fn compare(&self, pages: &Pages, block: u64, found: &[u8], id: &dyn std::fmt::Display) {
        assert!(
            found == block_bytes(pages, block),
            "seed {}: block {block} of {id} is not what it should be; so far:\n{}",
            self.seed,
            self.trace.join("\n")
        );
    }
}

fn set(pages: &mut Pages, page: u64, fill: Option<u64>) {
    match fill {
        Some(fill) => pages.insert(page, fill),
        None => pages.remove(&page),
    };
}

/// Runs a seed, and gives what happened.
fn run(seed: u64, deadly: bool, steps: u32) -> Outcome {
    let _alone = rest::alone();
    let mut world = World::new(seed, deadly);
    for _ in 0..steps {
        world.step();
    }
    world.end()
}

/// A digest of what happened.
fn sum(trace: &[String]) -> String {
    hex::encode(digest(&SHA256, trace.join("\n").as_bytes()))
}

/// Runs a seed twice, and gives what happened both times.
fn run_twice(seed: u64, deadly: bool, steps: u32) -> Outcome {
    let (first, second) = (run(seed, deadly, steps), run(seed, deadly, steps));
    if sum(&first.trace) != sum(&second.trace) {
        let both = first.trace.iter().zip(&second.trace);
        let same = both.take_while(|(one, two)| one == two).count();
        let part = |trace: &[String]| {
            let end = trace.len().min(same + 5);
            trace[same.saturating_sub(20).min(end)..end].join("\n")
        };
        panic!(
            "seed {seed} has two outcomes, from line {same} on:\n{}\n--\n{}",
            part(&first.trace),
            part(&second.trace)
        );
    }
    first
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn the_same_seed_has_the_same_outcome() {
    let first = run_twice(1, false, 40);
    assert!(first.trace.len() > 400, "{:?}", first.trace);
    assert_ne!(sum(&run(2, false, 40).trace), sum(&first.trace));
}

#[test]
fn the_same_seed_has_the_same_outcome_also_where_something_dies() {
    let deaths: u64 = (200..203)
        .map(|seed| run_twice(seed, true, 40).deaths)
        .sum();
    assert!(deaths > 3, "{deaths} deaths");
}

#[test]
fn what_was_answered_holds_whatever_dies() {
    for seed in 100..106 {
        run(seed, true, 40);
    }
}

#[test]
fn seeds_that_failed_once_do_not_fail_again() {
    for seed in KEPT {
        run(*seed, true, 60);
    }
}

/// Fresh seeds for as long as `CAIRN_SOAK_SECONDS` says; none without. Each tenth is run twice.
#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "a budget of real time is what is asked for"
)]
fn soak() {
    let Some(seconds) = number("CAIRN_SOAK_SECONDS") else {
        return;
    };
    let first = number("CAIRN_SEED").unwrap_or(10_000);
    let begun = Instant::now();
    let (mut seed, mut steps, mut deaths) = (first, 0, 0);
    while begun.elapsed() < Duration::from_secs(seconds) {
        println!("seed {seed}");
        let outcome = if seed % 10 == 0 {
            run_twice(seed, true, 60)
        } else {
            run(seed, true, 60)
        };
        seed += 1;
        steps += outcome.steps;
        deaths += outcome.deaths;
    }
    let seeds = seed - first;
    println!("{seeds} seeds, {steps} steps, {deaths} deaths");
}
