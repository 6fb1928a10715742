//! Garbage collection of a server: what any noun or any work under way needs stays.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::{path::PathBuf, sync::Arc, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cairn_control::{
    Caller, Control, ErrorKind,
    collect::{CollectGarbage, Report},
    ebs::Hashed,
    request::{CompleteSnapshot, PutSnapshotBlock, StartSnapshot},
};
use cairn_model::{Snapshot, SnapshotState, Volume, VolumeState};
use cairn_testkit::{Crash, Rng, SimDisk};
use support::*;

const BLOCK: usize = 512 * 1024;

async fn collect(control: &Control, caller: &Caller) -> Report {
    let collected = control
        .collect_garbage(caller, CollectGarbage::default())
        .await
        .unwrap();
    let found = collected
        .regions
        .iter()
        .find(|region| region.region == caller.region);
    found.map(|found| found.report).unwrap_or_default()
}

/// Passes until all that is dead is gone: two, and one more for what the first of them copied.
async fn collect_all(place: &Place, control: &Control, caller: &Caller) -> Report {
    let mut last = Report::default();
    for _ in 0..3 {
        last = collect(control, caller).await;
        place.clock.advance(Duration::from_secs(2 * 3600));
    }
    last
}

async fn delete_snapshot(control: &Control, caller: &Caller, snapshot: &Snapshot) {
    control
        .delete_snapshot(caller, by_id(&snapshot.id))
        .await
        .unwrap();
    control.idle().await.unwrap();
}

async fn delete_volume(control: &Control, caller: &Caller, volume: &Volume) {
    control
        .delete_volume(caller, by_id(&volume.id))
        .await
        .unwrap();
    control.idle().await.unwrap();
}

#[track_caller]
fn assert_ok(report: &cairn_control::verify::VerifyReport) {
    assert!(report.ok, "{report:?}");
}

/// The packs of the region and their bytes.
fn packs(place: &Place) -> (usize, u64) {
    let dir: PathBuf = place.data_dir().join("regions/us-east-1/packs");
    let files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name() != "lock" && entry.file_name() != "slots")
        .map(|entry| entry.metadata().unwrap().len())
        .collect();
    (files.len(), files.iter().sum())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_snapshot_gives_the_disk_back_what_it_said_it_would() {
    let place = Place::new(70);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(1, 80 * BLOCK)).await;
    let first = take_snapshot(&control, &caller, &volume).await;
    write(&control, &volume, 0, pattern(2, 80 * BLOCK)).await;
    let second = take_snapshot(&control, &caller, &volume).await;
    let asked = CollectGarbage {
        dry_run: true,
        if_deleted: vec![first.id.to_string()],
        ..CollectGarbage::default()
    };
    let told = control.collect_garbage(&caller, asked).await.unwrap();
    let told = told.if_deleted.unwrap();
    let usage = control.disk_usage(&caller).await.unwrap();
    let cost = usage.snapshots.iter().find(|cost| cost.id == first.id);
    assert_eq!(cost.unwrap().space, told, "du says the same");
    assert!(told.freed >= 80 * BLOCK as u64, "{told:?}");
    let before = control
        .collect_garbage(
            &caller,
            CollectGarbage {
                dry_run: true,
                ..CollectGarbage::default()
            },
        )
        .await
        .unwrap();
    let before = before.regions[0].report;
    assert_eq!(before.known, before.live, "nothing is garbage yet");
    delete_snapshot(&control, &caller, &first).await;
    collect_all(&place, &control, &caller).await;
    let after = collect(&control, &caller).await;
    assert_eq!(before.live.bytes - after.live.bytes, told.freed, "exactly");
    let (_, bytes) = packs(&place);
    let garbage = bytes - after.live.bytes;
    assert!(garbage < after.live.bytes / 2, "{garbage} bytes of garbage");
    assert_ok(
        &control
            .verify_snapshot(&caller, by_id(&second.id))
            .await
            .unwrap(),
    );
    assert_eq!(
        read(&control, &volume, 0, 80 * BLOCK).await,
        pattern(2, 80 * BLOCK)
    );
    control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_volume_keeps_the_snapshot_that_it_was_made_from() {
    let place = Place::new(71);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(1, 70 * BLOCK)).await;
    let snapshot = take_snapshot(&control, &caller, &volume).await;
    delete_volume(&control, &caller, &volume).await;
    let copy = available_volume(&control, &caller, from_snapshot(&snapshot)).await;
    let usage = control.disk_usage(&caller).await.unwrap();
    assert_eq!(usage.snapshots[0].space.freed, 0, "the volume needs it");
    assert!(usage.account.space.freed >= 70 * BLOCK as u64, "{usage:?}");
    delete_snapshot(&control, &caller, &snapshot).await;
    // Also of a volume that is not open, and by a server that has not opened it.
    control.shutdown().await;
    drop(control);
    let control = place.open().await;
    let report = collect_all(&place, &control, &caller).await;
    assert_eq!(report.known.blobs, report.live.blobs, "{report:?}");
    assert_eq!(
        read(&control, &copy, 0, 70 * BLOCK).await,
        pattern(1, 70 * BLOCK)
    );
    control.release_volume(&copy.id).await.unwrap();
    let again = take_snapshot(&control, &caller, &copy).await;
    collect_all(&place, &control, &caller).await;
    assert_ok(
        &control
            .verify_snapshot(&caller, by_id(&again.id))
            .await
            .unwrap(),
    );
    delete_snapshot(&control, &caller, &again).await;
    delete_volume(&control, &caller, &copy).await;
    let report = collect_all(&place, &control, &caller).await;
    assert_eq!(report.known.packs, 0, "{report:?}");
    assert_eq!(packs(&place), (0, 0));
    control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_keeps_the_content_that_it_is_to_work_with() {
    let place = Place::new(72);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(1, 70 * BLOCK)).await;
    let snapshot = take_snapshot(&control, &caller, &volume).await;
    delete_volume(&control, &caller, &volume).await;
    control.shutdown().await;
    drop(control);
    let gate = StopAt::new("create-volume", 0, false);
    let control = place.open_with(Some(gate.clone())).await;
    let copy = control
        .create_volume(&caller, from_snapshot(&snapshot))
        .await
        .unwrap();
    control.idle().await.unwrap();
    assert!(gate.was_reached());
    control
        .delete_snapshot(&caller, by_id(&snapshot.id))
        .await
        .unwrap();
    collect_all(&place, &control, &caller).await;
    control.shutdown().await;
    drop(control);
    let control = place.open().await;
    control.idle().await.unwrap();
    let copy = volume_now(&control, &caller, &copy).await;
    assert_eq!(copy.state, VolumeState::Available);
    assert_eq!(
        read(&control, &copy, 0, 70 * BLOCK).await,
        pattern(1, 70 * BLOCK)
    );
    control.shutdown().await;
}

async fn put(control: &Control, caller: &Caller, upload: &Snapshot, index: i64, data: Vec<u8>) {
    let request = PutSnapshotBlock {
        snapshot_id: upload.id.to_string(),
        block_index: index,
        data_length: i64::try_from(data.len()).unwrap(),
        checksum: STANDARD.encode(digest(&SHA256, &data)),
        checksum_algorithm: "SHA256".to_owned(),
        progress: None,
        data: Hashed::of(data.into()),
    };
    control.put_snapshot_block(caller, request).await.unwrap();
}

async fn complete(control: &Control, caller: &Caller, upload: &Snapshot, count: i64) {
    let request = CompleteSnapshot {
        snapshot_id: upload.id.to_string(),
        changed_blocks_count: count,
        ..CompleteSnapshot::default()
    };
    control.complete_snapshot(caller, request).await.unwrap();
    control.idle().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_keeps_its_blocks_and_its_parent() {
    let place = Place::new(73);
    let (control, caller) = place.begin().await;
    let start = |parent: Option<&Snapshot>| StartSnapshot {
        volume_size: 1,
        parent_snapshot_id: parent.map(|parent| parent.id.to_string()),
        timeout: Some(4320),
        ..StartSnapshot::default()
    };
    let parent = control.start_snapshot(&caller, start(None)).await.unwrap();
    for index in 0..70 {
        put(
            &control,
            &caller,
            &parent,
            index,
            pattern(100 + index.unsigned_abs(), BLOCK),
        )
        .await;
    }
    complete(&control, &caller, &parent, 70).await;
    let child = control
        .start_snapshot(&caller, start(Some(&parent)))
        .await
        .unwrap();
    for index in 70..140 {
        put(
            &control,
            &caller,
            &child,
            index,
            pattern(100 + index.unsigned_abs(), BLOCK),
        )
        .await;
    }
    delete_snapshot(&control, &caller, &parent).await;
    let usage = control.disk_usage(&caller).await.unwrap();
    assert!(
        usage.account.space.stored >= 140 * BLOCK as u64,
        "{usage:?}"
    );
    collect_all(&place, &control, &caller).await;
    complete(&control, &caller, &child, 70).await;
    let report = control
        .verify_snapshot(&caller, by_id(&child.id))
        .await
        .unwrap();
    assert_ok(&report);
    assert_eq!(report.blocks, 140);
    collect_all(&place, &control, &caller).await;
    assert_ok(
        &control
            .verify_snapshot(&caller, by_id(&child.id))
            .await
            .unwrap(),
    );
    // One that is given up keeps nothing.
    let lost = control.start_snapshot(&caller, start(None)).await.unwrap();
    put(&control, &caller, &lost, 0, pattern(7, BLOCK)).await;
    delete_snapshot(&control, &caller, &lost).await;
    delete_snapshot(&control, &caller, &child).await;
    let report = collect_all(&place, &control, &caller).await;
    assert_eq!(report.known.packs, 0, "{report:?}");
    control.shutdown().await;
}

/// The snapshot is completed and deleted before its freeze became the base of its volume.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_freeze_whose_snapshot_is_deleted_before_its_commit_costs_the_volume_nothing() {
    let place = Place::new(74);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    control.shutdown().await;
    drop(control);
    let control = place
        .open_with(Some(StopAt::new("capture", 1, false)))
        .await;
    write(&control, &volume, 0, pattern(1, 70 * BLOCK)).await;
    let snapshot = begin_snapshot(&control, &caller, &volume).await;
    control.idle().await.unwrap();
    let completed = snapshot_now(&control, &caller, &snapshot).await;
    assert_eq!(completed.state, SnapshotState::Completed);
    write(&control, &volume, 0, pattern(2, 4096)).await;
    control
        .delete_snapshot(&caller, by_id(&snapshot.id))
        .await
        .unwrap();
    collect_all(&place, &control, &caller).await;
    control.shutdown().await;
    drop(control);
    let control = place.open().await;
    control.idle().await.unwrap();
    let mut expected = pattern(1, 70 * BLOCK);
    expected[..4096].copy_from_slice(&pattern(2, 4096));
    assert_eq!(read(&control, &volume, 0, 70 * BLOCK).await, expected);
    collect_all(&place, &control, &caller).await;
    let next = take_snapshot(&control, &caller, &volume).await;
    assert_ok(
        &control
            .verify_snapshot(&caller, by_id(&next.id))
            .await
            .unwrap(),
    );
    let copy = available_volume(&control, &caller, from_snapshot(&next)).await;
    assert_eq!(read(&control, &copy, 0, 70 * BLOCK).await, expected);
    control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passes_run_by_themselves_and_are_told_of() {
    let place = Place::new(75);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(1, 70 * BLOCK)).await;
    let snapshot = take_snapshot(&control, &caller, &volume).await;
    delete_snapshot(&control, &caller, &snapshot).await;
    delete_volume(&control, &caller, &volume).await;
    assert_eq!(control.collection_status().await.unwrap().last, None);
    let mut before = None;
    for pass in 0..3 {
        place.clock.advance(Duration::from_secs(2 * 3600));
        before = loop {
            let last = control.collection_status().await.unwrap().last;
            if last.is_some() && last != before {
                break last;
            }
            tokio::task::yield_now().await;
        };
        let regions = before.as_ref().unwrap().outcome.as_ref().unwrap();
        assert_eq!(regions.len(), 1, "pass {pass}");
    }
    assert_eq!(packs(&place), (0, 0));
    control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_volume_that_cannot_be_read_ends_the_pass() {
    let place = Place::new(76);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    let broken = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(1, 70 * BLOCK)).await;
    let snapshot = take_snapshot(&control, &caller, &volume).await;
    delete_snapshot(&control, &caller, &snapshot).await;
    delete_volume(&control, &caller, &volume).await;
    let before = packs(&place);
    let away = place.dir.path().join("away");
    std::fs::rename(place.volume_dir(&broken), &away).unwrap();
    for _ in 0..3 {
        let message = refused(
            control
                .collect_garbage(&caller, CollectGarbage::default())
                .await,
            ErrorKind::Internal,
        );
        assert!(message.contains(broken.id.as_str()), "{message}");
        place.clock.advance(Duration::from_secs(2 * 3600));
    }
    assert_eq!(packs(&place), before);
    let status = control.collection_status().await.unwrap();
    status.last.unwrap().outcome.unwrap_err();
    std::fs::rename(&away, place.volume_dir(&broken)).unwrap();
    collect_all(&place, &control, &caller).await;
    assert_eq!(packs(&place), (0, 0));
    control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_be_asked_for_is_refused() {
    let place = Place::new(77);
    let (control, caller) = place.begin().await;
    let other = new_caller(&control).await;
    let stranger = Caller {
        operator: false,
        ..other
    };
    let ask = |dry_run: bool, if_deleted: &[&str]| CollectGarbage {
        dry_run,
        resume: false,
        if_deleted: if_deleted.iter().map(ToString::to_string).collect(),
    };
    refused(
        control.collect_garbage(&stranger, ask(true, &[])).await,
        ErrorKind::Unauthorized,
    );
    refused(
        control
            .collect_garbage(&caller, ask(false, &["snap-1"]))
            .await,
        ErrorKind::InvalidParameterCombination,
    );
    refused(
        control
            .collect_garbage(&caller, ask(true, &["nonsense"]))
            .await,
        ErrorKind::SnapshotIdMalformed,
    );
    refused(
        control
            .collect_garbage(&caller, ask(true, &["snap-0123456789abcdef0"]))
            .await,
        ErrorKind::SnapshotNotFound,
    );
    let upload = StartSnapshot {
        volume_size: 1,
        ..StartSnapshot::default()
    };
    let upload = control.start_snapshot(&caller, upload).await.unwrap();
    refused(
        control
            .collect_garbage(&caller, ask(true, &[upload.id.as_str()]))
            .await,
        ErrorKind::IncorrectState,
    );
    let usage = control.disk_usage(&stranger).await.unwrap();
    assert_eq!(usage.account.space.stored, 0);
    control.shutdown().await;
}

/// A server's life in random order, on a disk that loses what was not synced.
struct Life {
    place: Place,
    disk: Arc<SimDisk>,
    rng: Rng,
    /// None while it is down.
    server: Option<Control>,
    caller: Caller,
    /// Volumes, and the number of the pattern in each of their blocks.
    volumes: Vec<(Volume, Vec<u64>)>,
    snapshots: Vec<(Snapshot, Vec<u64>)>,
    patterns: u64,
}

const BLOCKS: usize = 6;

impl Life {
    async fn begin(seed: u64) -> Self {
        let disk = Arc::new(SimDisk::new());
        let place = Place {
            disk: disk.clone(),
            ..Place::new(900 + seed)
        };
        let (control, caller) = place.begin().await;
        Self {
            place,
            disk,
            rng: Rng::new(seed + 1),
            server: Some(control),
            caller,
            volumes: Vec::new(),
            snapshots: Vec::new(),
            patterns: 0,
        }
    }

    fn control(&self) -> &Control {
        self.server.as_ref().unwrap()
    }

    fn below(&mut self, limit: usize) -> usize {
        let mut bytes = [0; 8];
        self.rng.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % limit.max(1) as u64).unwrap()
    }

    async fn step(&mut self) {
        match self.below(12) {
            0 => self.create().await,
            1 | 2 => self.restore().await,
            3..=5 => self.write().await,
            6 | 7 => self.snapshot().await,
            8 if !self.snapshots.is_empty() => {
                let at = self.below(self.snapshots.len());
                let (snapshot, _) = self.snapshots.swap_remove(at);
                // Its job may be under way.
                self.control()
                    .delete_snapshot(&self.caller, by_id(&snapshot.id))
                    .await
                    .unwrap();
            }
            9 if self.volumes.len() > 1 => {
                let at = self.below(self.volumes.len());
                let (volume, _) = self.volumes.swap_remove(at);
                delete_volume(self.control(), &self.caller, &volume).await;
            }
            10 => self.restart().await,
            _ => {
                collect(self.control(), &self.caller).await;
                self.place.clock.advance(Duration::from_secs(3600));
            }
        }
    }

    async fn create(&mut self) {
        let volume = available_volume(self.control(), &self.caller, blank(1)).await;
        self.volumes.push((volume, vec![0; BLOCKS]));
    }

    async fn restore(&mut self) {
        self.check().await;
        if self.snapshots.is_empty() {
            return self.create().await;
        }
        let at = self.below(self.snapshots.len());
        let (snapshot, content) = self.snapshots[at].clone();
        let request = from_snapshot(&snapshot);
        let volume = available_volume(self.control(), &self.caller, request).await;
        self.volumes.push((volume, content));
    }

    async fn write(&mut self) {
        if self.volumes.is_empty() {
            return self.create().await;
        }
        let (at, block) = (self.below(self.volumes.len()), self.below(BLOCKS));
        // Now and then bytes that were there before, perhaps in what was condemned since.
        let number = if self.below(2) == 0 {
            1 + self.below(usize::try_from(self.patterns).unwrap_or(1)) as u64
        } else {
            self.patterns += 1;
            self.patterns
        };
        let (volume, content) = &mut self.volumes[at];
        let data = pattern(number, BLOCK);
        write(
            self.server.as_ref().unwrap(),
            volume,
            (block * BLOCK) as u64,
            data,
        )
        .await;
        content[block] = number;
    }

    async fn snapshot(&mut self) {
        if self.volumes.is_empty() {
            return;
        }
        let at = self.below(self.volumes.len());
        let (volume, content) = self.volumes[at].clone();
        let snapshot = begin_snapshot(self.control(), &self.caller, &volume).await;
        self.snapshots.push((snapshot, content));
        if self.below(2) == 0 {
            self.control().idle().await.unwrap();
        }
    }

    /// A server that is killed, or loses its power.
    async fn restart(&mut self) {
        let crash = match self.below(3) {
            0 => Crash::Kill,
            1 => Crash::LoseAll,
            _ => Crash::PowerLoss(self.patterns),
        };
        if self.below(2) == 0 {
            self.control().idle().await.unwrap();
        }
        self.server = None;
        self.disk.crash(crash);
        if crash != Crash::Kill {
            self.place
                .boots
                .fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
        self.server = Some(self.place.open().await);
        self.check().await;
    }

    async fn check(&self) {
        self.control().idle().await.unwrap();
        // A job of the server before may have noted that the disk was gone, and wait to try again.
        self.place.clock.advance(Duration::from_secs(120));
        self.control().wake_jobs();
        self.control().idle().await.unwrap();
        for (snapshot, _) in &self.snapshots {
            let now = snapshot_now(self.control(), &self.caller, snapshot).await;
            assert_eq!(
                now.state,
                SnapshotState::Completed,
                "{:?}",
                now.state_message
            );
            assert_ok(
                &self
                    .control()
                    .verify_snapshot(&self.caller, by_id(&snapshot.id))
                    .await
                    .unwrap(),
            );
        }
        for (volume, content) in &self.volumes {
            let found = read(self.control(), volume, 0, BLOCKS * BLOCK).await;
            for (block, number) in content.iter().enumerate() {
                let expected = match number {
                    0 => vec![0; BLOCK],
                    number => pattern(*number, BLOCK),
                };
                assert!(
                    found[block * BLOCK..(block + 1) * BLOCK] == expected,
                    "block {block} of {} is not pattern {number}",
                    volume.id
                );
            }
        }
        let status = self.control().collection_status().await.unwrap();
        assert_eq!(status.alarms, [], "nobody read what is condemned");
    }

    async fn end(mut self) {
        self.check().await;
        for (snapshot, _) in std::mem::take(&mut self.snapshots) {
            delete_snapshot(self.control(), &self.caller, &snapshot).await;
        }
        collect_all(&self.place, self.control(), &self.caller).await;
        self.check().await;
        for (volume, _) in std::mem::take(&mut self.volumes) {
            delete_volume(self.control(), &self.caller, &volume).await;
        }
        let report = collect_all(&self.place, self.control(), &self.caller).await;
        assert_eq!(report.known.packs, 0, "{report:?}");
        let dir = self.place.data_dir().join("regions/us-east-1/packs");
        let left = cairn_blocks::disk::Disk::list(&*self.disk, &dir).unwrap();
        assert_eq!(left, ["lock", "slots"]);
        self.control().shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_life_with_collections_loses_nothing_and_leaves_nothing() {
    let seeds = match std::env::var("CAIRN_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (0..6).collect(),
    };
    for seed in seeds {
        println!("CAIRN_SEED={seed}");
        let mut life = Life::begin(seed).await;
        for _ in 0..40 {
            life.step().await;
        }
        life.end().await;
    }
}
