//! What the first guest of an image reads is fetched first for the next one.

#![allow(clippy::unwrap_used, missing_docs)]

mod machines;
mod support;

use std::{sync::Arc, time::Duration};

use cairn_control::{
    Caller, Control, ControlOptions, ErrorKind,
    answer::VolumeStatus,
    machine::MachineOptions,
    request::{
        CreateVolume, Describe, EbsRequest, RunInstances, StopInstances, TerminateInstances,
    },
};
use cairn_model::{ImageId, Instance, Snapshot};
use cairn_store::{Store, boot_set};
use cairn_testkit::{OpKind, SimDisk};
use cairn_volume::Wait;
use machines::*;
use support::*;

const BLOCK: u64 = 512 << 10;

/// The blocks of the root snapshot that hold something.
const BLOCKS: std::ops::Range<u64> = 0..40;

/// A server whose volumes lie on a disk that tells what is done to it.
struct Bench {
    world: World,
    sim: SimDisk,
}

impl Bench {
    fn new(seed: u64) -> Self {
        let (mut world, sim) = (World::new(seed), SimDisk::new());
        world.place.disk = Arc::new(sim.clone());
        Self { world, sim }
    }

    async fn open(&self, hydrate: bool) -> Control {
        let place = &self.world.place;
        let mut options =
            ControlOptions::new(place.data_dir(), place.clock.clone(), place.entropy.clone())
                .unwrap();
        options.disk = Arc::clone(&place.disk);
        options.volumes.hydrate = hydrate;
        options.machines = MachineOptions {
            machines: self.world.fake.clone(),
            shutdown_deadline: Duration::from_millis(50),
            powerdown_interval: Duration::from_millis(10),
        };
        Control::open(options).await.unwrap()
    }

    /// The blocks in the order in which they were written to a root volume's file.
    fn fetched(&self, volume: &str) -> Vec<u64> {
        let trace = self.sim.take_trace();
        let is_of = |path: &std::path::Path| path.ends_with(format!("{volume}/data"));
        let writes = trace
            .iter()
            .filter(|entry| entry.op == OpKind::Write && is_of(&entry.path));
        writes.map(|entry| entry.offset / BLOCK).collect()
    }

    /// What is recorded, read when no server is open.
    async fn recorded(&self, image: &ImageId, snapshot: &Snapshot) -> Option<Vec<u64>> {
        let store = Store::open(&self.world.place.data_dir()).await.unwrap();
        let found = boot_set::get(&mut store.read().await.unwrap(), image, &snapshot.id).await;
        store.close().await;
        found.unwrap()
    }
}

async fn root(control: &Control, caller: &Caller) -> (Snapshot, ImageId) {
    let volume = available_volume(control, caller, blank(1)).await;
    for block in BLOCKS {
        write(control, &volume, block * BLOCK, pattern(block + 1, 8192)).await;
    }
    let snapshot = take_snapshot(control, caller, &volume).await;
    let image = control
        .register_image(caller, registration("boots", &snapshot))
        .await
        .unwrap();
    (snapshot, image)
}

fn root_of(instance: &Instance) -> cairn_model::VolumeId {
    instance.root_volume().unwrap().volume_id.clone()
}

/// Reads blocks of the root volume, as its guest would.
async fn boot(control: &Control, instance: &Instance, blocks: &[u64]) {
    let open = control.open_volume(&root_of(instance)).await.unwrap();
    let blocks = blocks.to_vec();
    tokio::task::spawn_blocking(move || {
        for block in blocks {
            let mut buf = vec![0; 8192];
            let _done = open.read(block * BLOCK, &mut buf, Wait::Yes).unwrap();
            assert_eq!(buf, pattern(block + 1, 8192));
        }
    })
    .await
    .unwrap();
}

async fn stop(control: &Control, caller: &Caller, instance: &Instance) {
    let request = StopInstances {
        ids: vec![instance.id.to_string()],
        force: true,
        ..StopInstances::default()
    };
    control.stop_instances(caller, request).await.unwrap();
    control.idle().await.unwrap();
}

async fn terminate(control: &Control, caller: &Caller, instance: &Instance) {
    let request = TerminateInstances {
        ids: vec![instance.id.to_string()],
        ..TerminateInstances::default()
    };
    control.terminate_instances(caller, request).await.unwrap();
    control.idle().await.unwrap();
}

/// Waits until a volume has all blocks of its snapshot.
async fn filled(control: &Control, instance: &Instance) {
    let open = control.open_volume(&root_of(instance)).await.unwrap();
    while open.hydration().present_blocks < open.hydration().total_blocks {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_first_guest_reads_is_fetched_first_for_the_next() {
    let bench = Bench::new(1);
    let control = bench.open(false).await;
    let caller = new_caller(&control).await;
    let (snapshot, image) = root(&control, &caller).await;
    let first = launched(&control, &caller, launch(&image)).await;
    boot(&control, &first, &[31, 4, 17]).await;
    stop(&control, &caller, &first).await;
    control.shutdown().await;
    drop(control);
    assert_eq!(
        bench.recorded(&image, &snapshot).await,
        Some(vec![31, 4, 17])
    );

    let control = bench.open(true).await;
    bench.sim.start_trace();
    let second = launched(&control, &caller, launch(&image)).await;
    filled(&control, &second).await;
    let order = bench.fetched(root_of(&second).as_str());
    assert_eq!(order[..5], [31, 4, 17, 0, 1]);
    // Neither is it recorded again, nor does it stay when its image and snapshot go.
    boot(&control, &second, &[5]).await;
    terminate(&control, &caller, &second).await;
    terminate(&control, &caller, &first).await;
    control.shutdown().await;
    drop(control);
    assert_eq!(
        bench.recorded(&image, &snapshot).await,
        Some(vec![31, 4, 17])
    );
    let store = Store::open(&bench.world.place.data_dir()).await.unwrap();
    let mut tx = store.write().await.unwrap();
    let later = cairn_model::Timestamp(i64::MAX);
    cairn_store::image::update(&mut tx, &image, |image| {
        image.deregistered_at = Some(cairn_model::Timestamp(1));
    })
    .await
    .unwrap();
    // An image that instances come from is remembered with them.
    cairn_store::image::delete_deregistered_before(&mut tx, later)
        .await
        .unwrap();
    assert!(
        cairn_store::image::get(&mut tx, &image)
            .await
            .unwrap()
            .is_some()
    );
    cairn_store::instance::delete_terminated_before(&mut tx, later)
        .await
        .unwrap();
    cairn_store::image::delete_deregistered_before(&mut tx, later)
        .await
        .unwrap();
    let gone = boot_set::get(&mut tx, &image, &snapshot.id).await.unwrap();
    assert_eq!(gone, None);
}

/// Two images of one snapshot may boot differently.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_boot_set_is_of_one_image_alone() {
    let bench = Bench::new(7);
    let control = bench.open(false).await;
    let caller = new_caller(&control).await;
    let (snapshot, image) = root(&control, &caller).await;
    let other = control
        .register_image(&caller, registration("another", &snapshot))
        .await
        .unwrap();
    let first = launched(&control, &caller, launch(&image)).await;
    boot(&control, &first, &[31, 4, 17]).await;
    stop(&control, &caller, &first).await;
    control.shutdown().await;
    drop(control);
    let control = bench.open(true).await;
    bench.sim.start_trace();
    let second = launched(&control, &caller, launch(&other)).await;
    filled(&control, &second).await;
    let order = bench.fetched(root_of(&second).as_str());
    assert_eq!(order[..3], [0, 1, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_at_rest_is_recorded_while_it_runs() {
    let bench = Bench::new(2);
    let control = bench.open(false).await;
    let caller = new_caller(&control).await;
    let (snapshot, image) = root(&control, &caller).await;
    let first = launched(&control, &caller, launch(&image)).await;
    boot(&control, &first, &[9, 8]).await;
    control.record_boots().await;
    bench.world.place.clock.advance(Duration::from_secs(14));
    control.record_boots().await;
    boot(&control, &first, &[2]).await;
    control.record_boots().await;
    bench.world.place.clock.advance(Duration::from_secs(16));
    control.record_boots().await;
    // What comes after is not of the boot.
    boot(&control, &first, &[20]).await;
    control.shutdown().await;
    drop(control);
    assert_eq!(bench.recorded(&image, &snapshot).await, Some(vec![9, 8, 2]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_boot_set_costs_time_only_and_is_recorded_anew() {
    let bench = Bench::new(3);
    let mut control = bench.open(false).await;
    let caller = new_caller(&control).await;
    let (snapshot, image) = root(&control, &caller).await;
    for blocks in [[7, 6], [5, 4], [3, 2]] {
        let instance = launched(&control, &caller, launch(&image)).await;
        boot(&control, &instance, &blocks).await;
        terminate(&control, &caller, &instance).await;
        if blocks == [7, 6] {
            control.shutdown().await;
            drop(control);
            damage(&bench.world.place.data_dir().join("cairn.db"));
            control = bench.open(false).await;
        }
    }
    control.shutdown().await;
    drop(control);
    // The second launch found it damaged, so the third one was the first again.
    assert_eq!(bench.recorded(&image, &snapshot).await, Some(vec![3, 2]));
}

/// Changes the boot set of the blocks 7 and 6 behind the server's back.
fn damage(path: &std::path::Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let row = [1, 7, 0, 0, 0, 6, 0, 0, 0];
    let found = bytes.windows(row.len()).position(|window| window == row);
    bytes[found.unwrap() + 1] = 8;
    std::fs::write(path, bytes).unwrap();
}

fn at_rate(image: &ImageId, rate: i32) -> RunInstances {
    let ebs = EbsRequest {
        volume_initialization_rate: Some(rate),
        ..EbsRequest::default()
    };
    RunInstances {
        block_device_mappings: vec![device("/dev/xvda", ebs)],
        ..launch(image)
    }
}

async fn status(
    control: &Control,
    caller: &Caller,
    volume: &cairn_model::VolumeId,
) -> VolumeStatus {
    let asked = ids(&[volume]);
    let found = control.describe_volume_status(caller, asked).await;
    found.unwrap().items.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_launch_fills_its_volume_at_the_rate_that_it_asks_for() {
    let bench = Bench::new(4);
    let control = bench.open(true).await;
    let caller = new_caller(&control).await;
    let (_, image) = root(&control, &caller).await;
    for rate in [99, 301, -1] {
        let refusal = control.run_instances(&caller, at_rate(&image, rate)).await;
        refused(refusal, ErrorKind::InvalidParameterValue);
    }
    let mut blank = at_rate(&image, 200);
    blank.block_device_mappings[0] = device(
        "/dev/sdf",
        EbsRequest {
            volume_size: Some(1),
            volume_initialization_rate: Some(200),
            ..EbsRequest::default()
        },
    );
    let refusal = control.run_instances(&caller, blank).await;
    refused(refusal, ErrorKind::InvalidParameterCombination);

    let instance = launched(&control, &caller, at_rate(&image, 200)).await;
    let root = root_of(&instance);
    let volume = control.describe_volumes(&caller, ids(&[&root])).await;
    assert_eq!(volume.unwrap().items[0].initialization_rate, Some(200));
    filled(&control, &instance).await;
    let full = status(&control, &caller, &root).await;
    let full = full.initialization.unwrap();
    assert_eq!((full.percent, full.seconds_left), (100, Some(0)));
}

/// The rate is a part of the mapping that an image was registered with, as on EC2.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_of_an_image_holds_for_launches_that_name_none() {
    let bench = Bench::new(6);
    let control = bench.open(true).await;
    let caller = new_caller(&control).await;
    let (snapshot, _) = root(&control, &caller).await;
    let registered_at = |rate| {
        let mut request = registration(&format!("at {rate}"), &snapshot);
        let ebs = request.block_device_mappings[0].ebs.as_mut().unwrap();
        ebs.volume_initialization_rate = Some(rate);
        request
    };
    for rate in [99, 301] {
        let refusal = control.register_image(&caller, registered_at(rate)).await;
        refused(refusal, ErrorKind::InvalidParameterValue);
    }
    let mut blank = registered_at(200);
    let ebs = EbsRequest {
        volume_size: Some(1),
        volume_initialization_rate: Some(200),
        ..EbsRequest::default()
    };
    blank.block_device_mappings.push(device("/dev/sdf", ebs));
    let refusal = control.register_image(&caller, blank).await;
    refused(refusal, ErrorKind::InvalidParameterCombination);

    let image = control
        .register_image(&caller, registered_at(200))
        .await
        .unwrap();
    // One that changes the device and says nothing of the rate.
    let mut larger = at_rate(&image, 300);
    let ebs = EbsRequest {
        volume_size: Some(2),
        ..EbsRequest::default()
    };
    larger.block_device_mappings = vec![device("/dev/xvda", ebs)];
    let launches = [
        (launch(&image), 200),
        (at_rate(&image, 300), 300),
        (larger, 200),
    ];
    for (request, rate) in launches {
        let root = root_of(&launched(&control, &caller, request).await);
        let found = control.describe_volumes(&caller, ids(&[&root])).await;
        assert_eq!(found.unwrap().items[0].initialization_rate, Some(rate));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_far_a_volume_is_filled_is_shown_open_or_not() {
    let bench = Bench::new(5);
    let control = bench.open(false).await;
    let caller = new_caller(&control).await;
    let (snapshot, _) = root(&control, &caller).await;
    let request = CreateVolume {
        volume_initialization_rate: Some(256),
        ..from_snapshot(&snapshot)
    };
    let volume = available_volume(&control, &caller, request).await;
    // Nobody has opened it.
    let new = status(&control, &caller, &volume.id).await;
    let details = [
        ("io-enabled", "passed"),
        ("io-performance", "not-applicable"),
        ("initialization-state", "initializing"),
    ];
    assert_eq!((new.status(), new.details()), ("ok", details.to_vec()));
    let new = new.initialization.unwrap();
    assert_eq!((new.percent, new.seconds_left), (0, Some(4)));
    // With one read, all zero blocks of a leaf of 256 are known for what they are.
    read(&control, &volume, 600 * BLOCK, 512).await;
    let open = status(&control, &caller, &volume.id).await;
    let open = open.initialization.unwrap();
    assert_eq!(open.percent, 256 * 100 / 2048);
    control.release_volume(&volume.id).await.unwrap();
    let closed = status(&control, &caller, &volume.id).await;
    assert_eq!(closed.initialization.unwrap(), open);

    let blank = available_volume(&control, &caller, blank(1)).await;
    let blank = status(&control, &caller, &blank.id).await;
    assert_eq!((blank.initialization, blank.details().len()), (None, 2));
    let asked = Describe {
        filters: vec![filter("volume-status.details-status", &["initializing"])],
        ..Describe::default()
    };
    let found = control.describe_volume_status(&caller, asked).await;
    let found = found.unwrap().items;
    let found: Vec<_> = found.iter().map(|item| &item.volume.id).collect();
    assert_eq!(found, [&volume.id]);
}
