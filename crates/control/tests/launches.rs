//! What a launch leaves behind that is asked for later, and launches that cannot be.

#![allow(clippy::unwrap_used, missing_docs)]

mod machines;
mod support;

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use cairn_blocks::{
    FsDisk,
    disk::{Disk, DiskFile, OpenMode, Space},
};
use cairn_control::{
    Caller, Control, ErrorKind,
    request::{
        ChangeTags, CreateKeyPair, DeleteKeyPair, Describe, DescribeInstanceStatus, DetachVolume,
        InstanceIds, MappingRequest, NetworkInterfaceRequest, RunInstances, StopInstances,
        TerminateInstances,
    },
};
use cairn_model::{
    Instance, InstanceState, ResourceType, Tag, TagSpecification, VolumeState, VolumeType,
};
use machines::*;
use support::*;

async fn terminate(control: &Control, caller: &Caller, instance: &Instance) {
    let request = TerminateInstances {
        ids: vec![instance.id.to_string()],
        ..TerminateInstances::default()
    };
    control.terminate_instances(caller, request).await.unwrap();
    control.idle().await.unwrap();
}

async fn make_key(control: &Control, caller: &Caller, name: &str) -> String {
    let request = CreateKeyPair {
        key_name: name.to_owned(),
        key_type: Some("ed25519".to_owned()),
        ..CreateKeyPair::default()
    };
    let created = control.create_key_pair(caller, request).await.unwrap();
    created.key_pair.public_key
}

async fn forget_key(control: &Control, caller: &Caller, name: &str) {
    let request = DeleteKeyPair {
        key_name: Some(name.to_owned()),
        ..DeleteKeyPair::default()
    };
    control.delete_key_pair(caller, request).await.unwrap();
}

/// The instances that pass a filter.
async fn found(control: &Control, caller: &Caller, name: &str, value: &str) -> usize {
    let request = Describe {
        filters: vec![filter(name, &[value])],
        ..Describe::default()
    };
    let found = control.describe_instances(caller, request).await.unwrap();
    found.items.iter().map(|r| r.instances.len()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_has_the_key_of_its_launch_whatever_becomes_of_the_key_pair() {
    let world = World::new(1);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let key = make_key(&control, &caller, "k").await;
    let request = RunInstances {
        key_name: Some("k".to_owned()),
        ..launch(&image)
    };
    let instance = launched(&control, &caller, request).await;
    let machine = world.fake.of(&instance.id);
    let shown = || machine.metadata("/latest/meta-data/public-keys/0/openssh-key");
    forget_key(&control, &caller, "k").await;
    assert_eq!(shown(), key, "a key pair that is gone");
    let other = make_key(&control, &caller, "k").await;
    assert_ne!(other, key);
    assert_eq!(shown(), key, "another key pair of the same name");
    assert_eq!(
        machine.metadata("/latest/meta-data/public-keys/"),
        "0=k",
        "under the name of the launch"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_of_a_launch_that_is_over_launches_nothing() {
    let world = World::new(2);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let request = RunInstances {
        client_token: Some("t".to_owned()),
        ..launch(&image)
    };
    let instance = launched(&control, &caller, request.clone()).await;
    let dry = RunInstances {
        dry_run: true,
        ..request.clone()
    };
    refused(control.run_instances(&caller, dry).await, ErrorKind::DryRun);
    terminate(&control, &caller, &instance).await;
    for hours in [0, 2] {
        world.place.clock.advance(Duration::from_secs(hours * 3600));
        let message = refused(
            control.run_instances(&caller, request.clone()).await,
            ErrorKind::IdempotentInstanceTerminated,
        );
        assert!(message.contains("Use another token"), "{message}");
    }
    assert_eq!(world.fake.starts(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_interface_has_tags_until_its_instance_ends() {
    let world = World::new(3);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let request = RunInstances {
        network_interface: Some(NetworkInterfaceRequest {
            device_index: Some(0),
            description: Some("uplink".to_owned()),
            ..NetworkInterfaceRequest::default()
        }),
        tag_specifications: vec![TagSpecification {
            resource_type: "network-interface".to_owned(),
            tags: vec![Tag {
                key: "Name".to_owned(),
                value: "eth0".to_owned(),
            }],
        }],
        ..launch(&image)
    };
    let instance = launched(&control, &caller, request).await;
    assert!(!instance.tags.contains_key("Name"), "not the instance's");
    let interface = instance.network_interface_id.to_string();
    let tags = async || {
        let request = Describe {
            filters: vec![filter("resource-id", &[&interface])],
            ..Describe::default()
        };
        let tags = control.describe_tags(&caller, request).await.unwrap();
        let of_type = |t: &cairn_model::tag::TagDescription| {
            assert_eq!(t.resource_type, ResourceType::NetworkInterface);
            format!("{}={}", t.key, t.value)
        };
        tags.items.iter().map(of_type).collect::<Vec<_>>()
    };
    assert_eq!(tags().await, ["Name=eth0"]);
    let change = ChangeTags {
        resources: vec![interface.clone()],
        tags: vec![("team".to_owned(), Some("web".to_owned()))],
        dry_run: false,
    };
    control.create_tags(&caller, change.clone()).await.unwrap();
    assert_eq!(tags().await, ["Name=eth0", "team=web"]);
    for (name, value) in [
        ("network-interface.tag-key", "team"),
        ("network-interface.tag-value", "eth0"),
        ("network-interface.description", "uplink"),
        (
            "network-interface.attachment.attachment-id",
            &interface.replace("eni-", "eni-attach-"),
        ),
    ] {
        assert_eq!(found(&control, &caller, name, value).await, 1, "{name}");
        assert_eq!(found(&control, &caller, name, "other").await, 0, "{name}");
    }
    terminate(&control, &caller, &instance).await;
    assert!(tags().await.is_empty());
    refused(
        control.create_tags(&caller, change).await,
        ErrorKind::NetworkInterfaceNotFound,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminated_instance_is_not_found_by_what_it_gave_back() {
    let world = World::new(4);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&image)).await;
    let given_back = [
        ("vpc-id", instance.vpc_id.to_string()),
        ("private-ip-address", instance.private_ip.to_string()),
        ("instance.group-name", "default".to_owned()),
        ("network-interface.status", "in-use".to_owned()),
        ("block-device-mapping.status", "attached".to_owned()),
    ];
    for (name, value) in &given_back {
        assert_eq!(found(&control, &caller, name, value).await, 1, "{name}");
    }
    terminate(&control, &caller, &instance).await;
    for (name, value) in &given_back {
        assert_eq!(found(&control, &caller, name, value).await, 0, "{name}");
    }
    let state = found(&control, &caller, "instance-state-name", "terminated");
    assert_eq!(state.await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_is_filtered_by_the_id_of_the_zone() {
    let world = World::new(5);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&image)).await;
    let zone = instance.availability_zone_id().unwrap();
    for (value, wanted) in [(zone.as_str(), 1), ("use1-az99", 0)] {
        let request = DescribeInstanceStatus {
            common: Describe {
                filters: vec![filter("availability-zone-id", &[value])],
                ..Describe::default()
            },
            include_all: false,
        };
        let found = control.describe_instance_status(&caller, request).await;
        assert_eq!(found.unwrap().items.len(), wanted, "{value}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_without_its_root_volume_does_not_start() {
    let world = World::new(6);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&image)).await;
    let ids = vec![instance.id.to_string()];
    let stop = StopInstances {
        ids: ids.clone(),
        ..StopInstances::default()
    };
    control.stop_instances(&caller, stop).await.unwrap();
    control.idle().await.unwrap();
    let root = DetachVolume {
        volume_id: instance.root_volume().unwrap().volume_id.to_string(),
        ..DetachVolume::default()
    };
    for (id, kind) in [
        ("i-1", ErrorKind::InstanceIdMalformed),
        ("i-12345678", ErrorKind::InstanceNotFound),
    ] {
        let elsewhere = DetachVolume {
            instance_id: Some(id.to_owned()),
            ..root.clone()
        };
        refused(control.detach_volume(&caller, elsewhere).await, kind);
    }
    control.detach_volume(&caller, root).await.unwrap();
    let start = InstanceIds {
        ids,
        dry_run: false,
    };
    let message = refused(
        control.start_instances(&caller, start).await,
        ErrorKind::InvalidParameterValue,
    );
    assert!(
        message.ends_with("Instance does not have a volume attached at root (/dev/xvda)"),
        "{message}"
    );
    let after = now(&control, &caller, &instance.id).await;
    assert_eq!(after.state, InstanceState::Stopped);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_must_not_be_stopped_must_not_be_terminated() {
    let world = World::new(7);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let request = RunInstances {
        disable_api_stop: Some(true),
        ..launch(&image)
    };
    let instance = launched(&control, &caller, request).await;
    let request = TerminateInstances {
        ids: vec![instance.id.to_string()],
        ..TerminateInstances::default()
    };
    let message = refused(
        control.terminate_instances(&caller, request).await,
        ErrorKind::OperationNotPermitted,
    );
    assert!(message.contains("disableApiStop"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_is_asked_to_shut_down_unless_that_is_to_be_skipped() {
    let world = World::new(8);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let keeps = MappingRequest {
        device_name: Some("/dev/xvda".to_owned()),
        ebs: Some(cairn_control::request::EbsRequest {
            delete_on_termination: Some(false),
            ..Default::default()
        }),
        ..MappingRequest::default()
    };
    for skip_os_shutdown in [false, true] {
        let request = RunInstances {
            block_device_mappings: vec![keeps.clone()],
            ..launch(&image)
        };
        let instance = launched(&control, &caller, request.clone()).await;
        let machine = world.fake.of(&instance.id);
        let end = TerminateInstances {
            ids: vec![instance.id.to_string()],
            skip_os_shutdown,
            dry_run: false,
        };
        control.terminate_instances(&caller, end).await.unwrap();
        control.idle().await.unwrap();
        assert_eq!(*machine.powerdowns.lock().unwrap() == 0, skip_os_shutdown);

        let instance = launched(&control, &caller, request).await;
        let machine = world.fake.of(&instance.id);
        let stop = StopInstances {
            ids: vec![instance.id.to_string()],
            skip_os_shutdown,
            ..StopInstances::default()
        };
        control.stop_instances(&caller, stop).await.unwrap();
        control.idle().await.unwrap();
        assert_eq!(*machine.powerdowns.lock().unwrap() == 0, skip_os_shutdown);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_that_a_guest_sees_have_keys_that_it_can_ask_for() {
    let world = World::new(9);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let mut request = launch(&image);
    request.metadata_options.instance_metadata_tags = Some("enabled".to_owned());
    let sees = launched(&control, &caller, request).await;
    let does_not = launched(&control, &caller, launch(&image)).await;
    let change = |instance: &Instance, key: &str| ChangeTags {
        resources: vec![instance.id.to_string()],
        tags: vec![(key.to_owned(), Some("x".to_owned()))],
        dry_run: false,
    };
    let refusal = control.create_tags(&caller, change(&sees, "a/b")).await;
    refused(refusal, ErrorKind::InvalidParameterValue);
    let good = control.create_tags(&caller, change(&sees, "a.b"));
    good.await.unwrap();
    let good = control.create_tags(&caller, change(&does_not, "a/b"));
    good.await.unwrap();
    let tags = world.fake.of(&sees.id);
    assert_eq!(tags.metadata("/latest/meta-data/tags/instance/"), "a.b");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_this_host_cannot_run_is_refused_by_name() {
    let world = World::new(10);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    world.fake.set(|script| script.missing_program = true);
    let message = refused(
        control.run_instances(&caller, launch(&image)).await,
        ErrorKind::Unsupported,
    );
    assert_eq!(
        message,
        "This server cannot run instances of architecture x86_64 that boot by legacy-bios: \
         the program qemu-system-aarch64 was not found; install the package qemu-system-arm."
    );
    world.fake.set(|script| {
        script.missing_program = false;
        script.no_ports = true;
    });
    let message = refused(
        control.run_instances(&caller, launch(&image)).await,
        ErrorKind::InsufficientInstanceCapacity,
    );
    assert!(message.contains("no TCP port"), "{message}");
    assert!(
        control
            .describe_instances(&caller, everything())
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

/// Waits for the jobs, as long as a test may take.
async fn settle(control: &Control) {
    tokio::time::timeout(Duration::from_secs(60), control.idle())
        .await
        .expect("the jobs come to an end")
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_panics_is_tried_again_and_given_up_in_the_end() {
    let world = World::new(11);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    world.fake.set(|script| script.panic_start = true);
    let run = async || {
        let launched = control.run_instances(&caller, launch(&image)).await;
        settle(&control).await;
        launched.unwrap().instances.remove(0).id
    };
    let passing = run().await;
    assert_eq!(
        now(&control, &caller, &passing).await.state,
        InstanceState::Pending
    );
    world.fake.set(|script| script.panic_start = false);
    world.place.clock.advance(Duration::from_secs(2));
    control.wake_jobs();
    settle(&control).await;
    assert_eq!(
        now(&control, &caller, &passing).await.state,
        InstanceState::Running
    );

    world.fake.set(|script| script.panic_start = true);
    let lasting = run().await;
    for _ in 0..8 {
        world.place.clock.advance(Duration::from_secs(61));
        control.wake_jobs();
        settle(&control).await;
    }
    let instance = now(&control, &caller, &lasting).await;
    assert_eq!(instance.state, InstanceState::Terminated);
    let (_, reason) = instance.state_reason.unwrap();
    assert!(reason.contains("the step panicked"), "{reason}");
}

/// A file system that is full when it is told so, and takes files of less than 16 TiB.
#[derive(Debug, Default)]
struct Ext4 {
    full: AtomicBool,
}

const TIB: u64 = 1 << 40;

impl Disk for Ext4 {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        FsDisk.open(path, mode)
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        FsDisk.create_dir_all(path)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        FsDisk.list(dir)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        FsDisk.remove(path)
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        FsDisk.remove_dir_all(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        FsDisk.rename(from, to)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        FsDisk.sync_dir(dir)
    }
    fn space(&self, path: &Path) -> io::Result<Space> {
        let space = FsDisk.space(path)?;
        let free = if self.full.load(Ordering::SeqCst) {
            0
        } else {
            space.free
        };
        Ok(Space { free, ..space })
    }
    fn takes_file_of(&self, _dir: &Path, bytes: u64) -> io::Result<bool> {
        Ok(bytes < 16 * TIB)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_disk_cannot_hold_is_refused_before_anything_is_made() {
    let disk = Arc::new(Ext4::default());
    let mut world = World::new(12);
    world.place.disk = disk.clone();
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let before = control.describe_volumes(&caller, everything()).await;
    let before = before.unwrap().items.len();

    let large = cairn_control::request::CreateVolume {
        volume_type: Some(VolumeType::Gp3.to_string()),
        ..blank(16 << 10)
    };
    let message = refused(
        control.create_volume(&caller, large.clone()).await,
        ErrorKind::VolumeSizeInvalid,
    );
    assert_eq!(
        message,
        "Volume of 16384GiB is too large for the file system that the server's data directory is on, which takes no file of this size."
    );
    let data = cairn_control::request::EbsRequest {
        volume_size: Some(16 << 10),
        volume_type: Some("gp3".to_owned()),
        ..Default::default()
    };
    let request = RunInstances {
        block_device_mappings: vec![device("/dev/sdf", data)],
        ..launch(&image)
    };
    refused(
        control.run_instances(&caller, request).await,
        ErrorKind::VolumeSizeInvalid,
    );
    let fits = cairn_control::request::CreateVolume {
        size: Some(8 << 10),
        ..large
    };
    let fits = available_volume(&control, &caller, fits).await;
    assert_eq!(fits.state, VolumeState::Available);

    disk.full.store(true, Ordering::SeqCst);
    refused(
        control.create_volume(&caller, blank(1)).await,
        ErrorKind::InsufficientVolumeCapacity,
    );
    refused(
        control.run_instances(&caller, launch(&image)).await,
        ErrorKind::InsufficientVolumeCapacity,
    );
    disk.full.store(false, Ordering::SeqCst);
    let after = control.describe_volumes(&caller, everything()).await;
    assert_eq!(after.unwrap().items.len(), before + 1);
    launched(&control, &caller, launch(&image)).await;
}
