//! Images from registration to withdrawal, and images of instances.

#![allow(
    clippy::unwrap_used,
    clippy::semicolon_if_nothing_returned,
    missing_docs
)]

mod machines;
mod support;

use std::sync::{
    Arc, Condvar, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use cairn_control::{
    Caller, Control, ErrorKind,
    answer::ImageAttributeValue,
    jobs::{JobGate, JobPoint},
    request::{
        ById, CreateImage, DeregisterImage, Describe, DescribeAttribute, DescribeImages,
        DescribeSnapshots, DetachVolume, EbsRequest, MappingRequest, RegisterImage, RunInstances,
        StopInstances,
    },
};
use cairn_model::{
    Architecture, Image, ImageId, ImageState, InstanceState, SnapshotState, Tag, TagSpecification,
    VirtualizationType, VolumeType,
};
use machines::*;
use support::*;

fn these(ids: &[&ImageId]) -> DescribeImages {
    DescribeImages {
        common: support::ids(ids),
        ..DescribeImages::default()
    }
}

async fn image_now(control: &Control, caller: &Caller, id: &ImageId) -> Image {
    control
        .describe_images(caller, these(&[id]))
        .await
        .unwrap()
        .items
        .remove(0)
        .image
}

fn withdrawal(id: &ImageId, delete_associated_snapshots: bool) -> DeregisterImage {
    DeregisterImage {
        image_id: id.to_string(),
        delete_associated_snapshots,
        dry_run: false,
    }
}

fn of_instance(instance: &cairn_model::Instance, name: &str, no_reboot: bool) -> CreateImage {
    CreateImage {
        instance_id: instance.id.to_string(),
        name: name.to_owned(),
        no_reboot,
        ..CreateImage::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_is_registered_found_and_withdrawn() {
    let world = World::new(1);
    let (control, caller) = world.begin().await;
    let snapshot = root_snapshot(&control, &caller).await;
    let id = control
        .register_image(&caller, registration("a b", &snapshot))
        .await
        .unwrap();
    let image = image_now(&control, &caller, &id).await;
    assert_eq!(
        (image.state, image.architecture),
        (ImageState::Available, Architecture::X86_64)
    );
    assert_eq!(image.location, format!("{}/a b", caller.account));
    let root = image.block_device_mappings[0].ebs.clone().unwrap();
    assert_eq!(
        (root.volume_size, root.volume_type),
        (Some(1), Some(VolumeType::Gp2))
    );
    assert_eq!(
        (root.delete_on_termination, root.encrypted),
        (Some(true), Some(false))
    );

    let again = control
        .register_image(&caller, registration("a b", &snapshot))
        .await;
    let message = refused(again, ErrorKind::ImageNameDuplicate);
    assert_eq!(
        message,
        format!("AMI name a b is already in use by AMI {id}")
    );
    let delete = ById {
        id: snapshot.id.to_string(),
        dry_run: false,
    };
    let message = refused(
        control.delete_snapshot(&caller, delete.clone()).await,
        ErrorKind::SnapshotInUse,
    );
    assert_eq!(
        message,
        format!("The snapshot {} is currently in use by {id}", snapshot.id)
    );

    let second = control
        .register_image(&caller, registration("second", &snapshot))
        .await
        .unwrap();
    let results = control
        .deregister_image(&caller, withdrawal(&id, true))
        .await
        .unwrap();
    assert_eq!(
        results.delete_snapshot_results,
        [(snapshot.id.clone(), "skipped".to_owned())]
    );
    assert!(
        control
            .describe_images(&caller, these(&[&id]))
            .await
            .unwrap()
            .items
            .is_empty(),
        "empty, not an error"
    );
    refused(
        control
            .deregister_image(&caller, withdrawal(&id, false))
            .await,
        ErrorKind::ImageUnavailable,
    );
    control
        .register_image(&caller, registration("a b", &snapshot))
        .await
        .unwrap();
    world
        .place
        .clock
        .advance(std::time::Duration::from_secs(3601));
    let message = refused(
        control.describe_images(&caller, these(&[&id])).await,
        ErrorKind::ImageNotFound,
    );
    assert_eq!(message, format!("The image id '[{id}]' does not exist"));
    let unknown = DescribeImages {
        common: Describe {
            ids: vec!["ami-11111111".to_owned(), "ami-22222222".to_owned()],
            ..Describe::default()
        },
        ..DescribeImages::default()
    };
    let message = refused(
        control.describe_images(&caller, unknown).await,
        ErrorKind::ImageNotFound,
    );
    assert_eq!(
        message,
        "The image ids '[ami-11111111, ami-22222222]' do not exist"
    );

    let named = DescribeImages {
        common: Describe {
            filters: vec![filter("name", &["a*"])],
            ..Describe::default()
        },
        owners: vec!["self".to_owned()],
        ..DescribeImages::default()
    };
    let found = control
        .describe_images(&caller, named.clone())
        .await
        .unwrap()
        .items;
    assert_eq!(found.len(), 1);
    let of_amazon = DescribeImages {
        owners: vec!["amazon".to_owned()],
        ..named
    };
    assert!(
        control
            .describe_images(&caller, of_amazon)
            .await
            .unwrap()
            .items
            .is_empty()
    );
    control
        .deregister_image(&caller, withdrawal(&found[0].image.id, false))
        .await
        .unwrap();
    let results = control
        .deregister_image(&caller, withdrawal(&second, true))
        .await
        .unwrap();
    assert_eq!(
        results.delete_snapshot_results,
        [(snapshot.id.clone(), "success".to_owned())]
    );
    refused(
        control.delete_snapshot(&caller, delete).await,
        ErrorKind::SnapshotNotFound,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registrations_that_cannot_be_are_refused() {
    let world = World::new(2);
    let (control, caller) = world.begin().await;
    let snapshot = root_snapshot(&control, &caller).await;
    let good = registration("good", &snapshot);
    let text = |text: &str| Some(text.to_owned());
    let with = |change: &dyn Fn(&mut RegisterImage)| {
        let mut request = good.clone();
        change(&mut request);
        request
    };
    let root = |change: &dyn Fn(&mut EbsRequest)| {
        with(&|r| change(r.block_device_mappings[0].ebs.as_mut().unwrap()))
    };
    let cases: Vec<(RegisterImage, ErrorKind, &str)> = vec![
        (
            with(&|r| r.name = String::new()),
            ErrorKind::MissingParameter,
            "name",
        ),
        (
            with(&|r| r.name = "a*".to_owned()),
            ErrorKind::ImageNameMalformed,
            "AMI names must be between 3 and 128",
        ),
        (
            with(&|r| r.architecture = text("sparc")),
            ErrorKind::InvalidParameterValue,
            "Value (sparc) for parameter architecture is invalid. Expected one of: i386, x86_64, arm64.",
        ),
        (
            with(&|r| r.image_location = text("bucket/x.manifest.xml")),
            ErrorKind::BlockDeviceMappingInvalid,
            "backed by instance store",
        ),
        (
            with(&|r| r.image_location = text("bucket/x.xml")),
            ErrorKind::ImageManifestInvalid,
            "bucket/x.xml",
        ),
        (
            with(&|r| r.kernel_id = text("true")),
            ErrorKind::MissingParameter,
            "imageLocation",
        ),
        (
            with(&|r| r.kernel_id = text("aki-1")),
            ErrorKind::InvalidParameterCombination,
            "kernel",
        ),
        (
            with(&|r| r.virtualization_type = None),
            ErrorKind::InvalidParameterCombination,
            "enaSupport",
        ),
        (
            with(&|r| (r.architecture, r.boot_mode) = (text("arm64"), text("legacy-bios"))),
            ErrorKind::InvalidParameterCombination,
            "arm64",
        ),
        (
            with(&|r| {
                (r.virtualization_type, r.ena_support) = (text("paravirtual"), None);
                r.boot_mode = text("uefi");
            }),
            ErrorKind::InvalidParameterCombination,
            "require virtualization type 'hvm'",
        ),
        (
            with(&|r| r.tpm_support = text("v2.0")),
            ErrorKind::InvalidParameterCombination,
            "tpmSupport",
        ),
        (
            with(&|r| r.imds_support = text("v1.0")),
            ErrorKind::InvalidParameterValue,
            "imdsSupport",
        ),
        (
            with(&|r| r.root_device_name = text("/dev/sda1")),
            ErrorKind::BlockDeviceMappingInvalid,
            "No root snapshot specified in device mapping",
        ),
        (
            with(&|r| r.block_device_mappings.clear()),
            ErrorKind::MissingParameter,
            "blockDeviceMapping",
        ),
        (
            with(&|r| {
                r.block_device_mappings
                    .push(r.block_device_mappings[0].clone())
            }),
            ErrorKind::BlockDeviceMappingInvalid,
            "used in more than one",
        ),
        (
            root(&|ebs| ebs.volume_size = Some(0)),
            ErrorKind::BlockDeviceMappingInvalid,
            "Volume of size 0GB is smaller than snapshot",
        ),
        (
            root(&|ebs| ebs.encrypted = Some(false)),
            ErrorKind::BlockDeviceMappingInvalid,
            "encrypted",
        ),
        (
            root(&|ebs| ebs.volume_type = text("ssd")),
            ErrorKind::InvalidParameterValue,
            "ssd",
        ),
        (
            root(&|ebs| ebs.iops = Some(100)),
            ErrorKind::InvalidParameterCombination,
            "iops is not supported for gp2",
        ),
        (
            root(&|ebs| ebs.snapshot_id = text("snap-12345678")),
            ErrorKind::SnapshotNotFound,
            "snap-12345678",
        ),
        (
            root(&|ebs| ebs.snapshot_id = text("snap-x")),
            ErrorKind::SnapshotIdMalformed,
            "snap-x",
        ),
        (
            with(&|r| r.dry_run = true),
            ErrorKind::DryRun,
            "DryRun flag is set",
        ),
    ];
    for (request, kind, part) in cases {
        let message = refused(control.register_image(&caller, request).await, kind);
        assert!(message.contains(part), "{message}");
    }
    assert!(
        control
            .describe_images(&caller, DescribeImages::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
    let plain = RegisterImage {
        architecture: None,
        virtualization_type: None,
        ena_support: None,
        ..registration("plain", &snapshot)
    };
    let id = control.register_image(&caller, plain).await.unwrap();
    let image = image_now(&control, &caller, &id).await;
    assert_eq!(
        (image.architecture, image.virtualization_type),
        (Architecture::I386, VirtualizationType::Paravirtual)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_of_an_instance_holds_its_disks() {
    for no_reboot in [true, false] {
        let world = World::new(3);
        let (control, caller) = world.begin().await;
        let base = image(&control, &caller).await;
        let data = EbsRequest {
            volume_size: Some(1),
            ..EbsRequest::default()
        };
        let request = RunInstances {
            block_device_mappings: vec![device("/dev/sdf", data)],
            ..launch(&base)
        };
        let instance = launched(&control, &caller, request).await;
        let volumes = control
            .describe_volumes(&caller, everything())
            .await
            .unwrap()
            .items;
        for (at, device) in (1u64..).zip(&instance.block_devices) {
            let volume = volumes.iter().find(|v| v.id == device.volume_id).unwrap();
            write(&control, volume, 1 << 20, pattern(at, 4096)).await;
        }
        let tags = |resource_type: &str| TagSpecification {
            resource_type: resource_type.to_owned(),
            tags: vec![Tag {
                key: "of".to_owned(),
                value: resource_type.to_owned(),
            }],
        };
        let request = CreateImage {
            tag_specifications: vec![tags("image"), tags("snapshot")],
            ..of_instance(&instance, "baked", no_reboot)
        };
        let id = control.create_image(&caller, request).await.unwrap();
        control.idle().await.unwrap();
        let baked = image_now(&control, &caller, &id).await;
        assert_eq!(baked.state, ImageState::Available);
        assert_eq!(
            (baked.source_instance_id.as_ref(), baked.tags["of"].as_str()),
            (Some(&instance.id), "image")
        );
        assert_eq!(baked.root_device_name.as_deref(), Some("/dev/xvda"));
        let snapshots = control
            .describe_snapshots(&caller, Default::default())
            .await
            .unwrap()
            .items;
        let made: Vec<_> = snapshots
            .iter()
            .filter(|s| s.tags.contains_key("of"))
            .collect();
        assert_eq!(made.len(), 2);
        assert_eq!(
            made[0].description,
            format!("Created by CreateImage({}) for {id}", instance.id)
        );
        assert_eq!(made[0].start_time, made[1].start_time, "one moment");

        assert_eq!(
            now(&control, &caller, &instance.id).await.state,
            InstanceState::Running
        );
        assert_eq!(
            world.fake.starts(),
            if no_reboot { 1 } else { 2 },
            "a reboot is a restart of the guest"
        );
        assert_eq!(world.fake.alive(), 1);

        let copy = launched(&control, &caller, launch(&id)).await;
        let volumes = control
            .describe_volumes(&caller, everything())
            .await
            .unwrap()
            .items;
        for (at, device) in (1u64..).zip(&instance.block_devices) {
            let twin = copy
                .block_devices
                .iter()
                .find(|d| d.device_name == device.device_name)
                .unwrap();
            let volume = volumes.iter().find(|v| v.id == twin.volume_id).unwrap();
            assert!(
                read(&control, volume, 1 << 20, 4096).await == pattern(at, 4096),
                "{}",
                device.device_name
            );
        }
        world.fake.of(&instance.id).power_off();
        until(&control, &caller, &instance.id, InstanceState::Stopped).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_is_pending_until_its_snapshots_are_complete() {
    let world = World::new(4);
    let (control, caller) = world.begin().await;
    let base = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&base)).await;
    drop(control);
    let gate = StopAt::new("capture", 0, false);
    let control = world.open_with(Some(gate.clone())).await;
    let id = control
        .create_image(&caller, of_instance(&instance, "baked", true))
        .await
        .unwrap();
    control.idle().await.unwrap();
    assert!(gate.was_reached());
    let pending = image_now(&control, &caller, &id).await;
    assert_eq!(pending.state, ImageState::Pending);
    refused(
        control.run_instances(&caller, launch(&id)).await,
        ErrorKind::ImageUnavailable,
    );
    drop(control);
    let control = world.open().await;
    control.idle().await.unwrap();
    assert_eq!(
        image_now(&control, &caller, &id).await.state,
        ImageState::Available
    );
    let snapshot = pending.snapshot_ids().next().unwrap();
    let request = DescribeSnapshots {
        common: ids(&[snapshot]),
        ..Default::default()
    };
    let snapshot = control
        .describe_snapshots(&caller, request)
        .await
        .unwrap()
        .items
        .remove(0);
    assert_eq!(snapshot.state, SnapshotState::Completed);
}

/// Lets one capture through, and stops the server before the next one.
#[derive(Debug, Default)]
struct OneCapture {
    begun: AtomicUsize,
    done: Mutex<bool>,
    news: Condvar,
}

impl JobGate for OneCapture {
    fn pass(&self, point: &JobPoint) -> bool {
        if point.kind != "capture" || point.step != 0 {
            return true;
        }
        if point.taken {
            *self.done.lock().unwrap() = true;
            self.news.notify_all();
            return true;
        }
        if self.begun.fetch_add(1, Ordering::SeqCst) == 0 {
            return true;
        }
        let done = self.done.lock().unwrap();
        drop(self.news.wait_while(done, |done| !*done).unwrap());
        false
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_waits_for_the_last_of_its_snapshots() {
    let world = World::new(7);
    let (control, caller) = world.begin().await;
    let base = image(&control, &caller).await;
    let data = EbsRequest {
        volume_size: Some(1),
        ..EbsRequest::default()
    };
    let request = RunInstances {
        block_device_mappings: vec![device("/dev/sdf", data)],
        ..launch(&base)
    };
    let instance = launched(&control, &caller, request).await;
    drop(control);
    let control = world.open_with(Some(Arc::new(OneCapture::default()))).await;
    let request = of_instance(&instance, "baked", true);
    let id = control.create_image(&caller, request).await.unwrap();
    control.idle().await.unwrap();
    let half = image_now(&control, &caller, &id).await;
    let request = DescribeSnapshots {
        common: Describe {
            filters: vec![filter("status", &["pending"])],
            ..Describe::default()
        },
        ..DescribeSnapshots::default()
    };
    let pending = control.describe_snapshots(&caller, request).await.unwrap();
    assert_eq!((half.state, pending.items.len()), (ImageState::Pending, 1));
    drop(control);
    let control = world.open().await;
    control.idle().await.unwrap();
    let whole = image_now(&control, &caller, &id).await;
    assert_eq!(
        whole.state,
        ImageState::Available,
        "{:?}",
        whole.state_reason
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_at_any_step_of_an_image_goes_on() {
    for (seed, step, taken) in [
        (10, 0, true),
        (11, 1, false),
        (12, 1, true),
        (13, 2, false),
        (14, 2, true),
    ] {
        let world = World::new(seed);
        let (control, caller) = world.begin().await;
        let base = image(&control, &caller).await;
        let instance = launched(&control, &caller, launch(&base)).await;
        drop(control);
        let gate = StopAt::new("create-image", step, taken);
        let control = world.open_with(Some(gate.clone())).await;
        let id = control
            .create_image(&caller, of_instance(&instance, "baked", false))
            .await
            .unwrap();
        control.idle().await.unwrap();
        assert!(gate.was_reached(), "step {step}");
        drop(control);
        let control = world.open().await;
        control.idle().await.unwrap();
        let baked = image_now(&control, &caller, &id).await;
        assert_eq!(
            (baked.state, baked.block_device_mappings.len()),
            (ImageState::Available, 1),
            "step {step} {taken}"
        );
        assert_eq!(
            now(&control, &caller, &instance.id).await.state,
            InstanceState::Running,
            "step {step} {taken}"
        );
        assert_eq!(world.fake.alive(), 1, "step {step} {taken}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mappings_of_an_instance_change_only_as_they_may() {
    let world = World::new(5);
    let (control, caller) = world.begin().await;
    let base = image(&control, &caller).await;
    let data = EbsRequest {
        volume_size: Some(1),
        ..EbsRequest::default()
    };
    let request = RunInstances {
        block_device_mappings: vec![device("/dev/sdf", data.clone())],
        ..launch(&base)
    };
    let instance = launched(&control, &caller, request).await;
    let without = |name: &str| MappingRequest {
        device_name: Some(name.to_owned()),
        no_device: Some(String::new()),
        ..MappingRequest::default()
    };
    let with = |mappings: Vec<MappingRequest>| CreateImage {
        block_device_mappings: mappings,
        ..of_instance(&instance, "changed", true)
    };
    let larger = EbsRequest {
        volume_size: Some(9),
        ..EbsRequest::default()
    };
    refused(
        control
            .create_image(&caller, with(vec![device("/dev/sdf", larger)]))
            .await,
        ErrorKind::BlockDeviceMappingInvalid,
    );
    refused(
        control
            .create_image(&caller, with(vec![without("/dev/xvda")]))
            .await,
        ErrorKind::BlockDeviceMappingInvalid,
    );
    let ephemeral = MappingRequest {
        device_name: Some("/dev/sdf".to_owned()),
        virtual_name: Some("ephemeral0".to_owned()),
        ..MappingRequest::default()
    };
    refused(
        control.create_image(&caller, with(vec![ephemeral])).await,
        ErrorKind::BlockDeviceMappingInvalid,
    );
    let kept = EbsRequest {
        delete_on_termination: Some(false),
        ..EbsRequest::default()
    };
    let changes = vec![
        without("/dev/sdf"),
        device("/dev/sdg", data),
        device("/dev/xvda", kept),
    ];
    let id = control.create_image(&caller, with(changes)).await.unwrap();
    control.idle().await.unwrap();
    let mappings = image_now(&control, &caller, &id)
        .await
        .block_device_mappings;
    let names: Vec<_> = mappings.iter().map(|m| m.device_name.as_str()).collect();
    assert_eq!(names, ["/dev/xvda", "/dev/sdg"]);
    assert_eq!(
        mappings[0].ebs.as_ref().unwrap().delete_on_termination,
        Some(false)
    );
    refused(
        control
            .create_image(&caller, of_instance(&instance, "changed", true))
            .await,
        ErrorKind::ImageNameDuplicate,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_without_its_root_volume_makes_no_image() {
    let world = World::new(7);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&image)).await;
    let stop = StopInstances {
        ids: vec![instance.id.to_string()],
        ..StopInstances::default()
    };
    control.stop_instances(&caller, stop).await.unwrap();
    control.idle().await.unwrap();
    let detach = DetachVolume {
        volume_id: instance.root_volume().unwrap().volume_id.to_string(),
        ..DetachVolume::default()
    };
    control.detach_volume(&caller, detach).await.unwrap();
    let message = refused(
        control
            .create_image(&caller, of_instance(&instance, "rootless", true))
            .await,
        ErrorKind::IncorrectState,
    );
    assert!(message.contains("at root (/dev/xvda)"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owners_and_users_are_accounts_or_aliases() {
    let world = World::new(8);
    let (control, caller) = world.begin().await;
    image(&control, &caller).await;
    let owned = |owner: &str| DescribeImages {
        owners: vec![owner.to_owned()],
        ..DescribeImages::default()
    };
    let executable = |user: &str| DescribeImages {
        executable_users: vec![user.to_owned()],
        ..DescribeImages::default()
    };
    for (request, count) in [
        (owned("self"), 1),
        (owned(caller.account.as_str()), 1),
        (owned("amazon"), 0),
        (owned("123456789012"), 0),
        (executable("self"), 0),
        (executable("all"), 0),
    ] {
        let found = control.describe_images(&caller, request).await.unwrap();
        assert_eq!(found.items.len(), count);
    }
    for request in [owned("me"), owned("1234"), executable("amazon")] {
        let message = refused(
            control.describe_images(&caller, request).await,
            ErrorKind::UserIdMalformed,
        );
        assert!(message.starts_with("Invalid user id: \""), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attributes_are_shown_one_at_a_time() {
    let world = World::new(6);
    let (control, caller) = world.begin().await;
    let id = image(&control, &caller).await;
    let ask = |attribute: &str| DescribeAttribute {
        id: id.to_string(),
        attribute: attribute.to_owned(),
        dry_run: false,
    };
    let launch = control
        .describe_image_attribute(&caller, ask("launchPermission"))
        .await
        .unwrap();
    assert_eq!(
        launch.value,
        ImageAttributeValue::LaunchPermission(Default::default())
    );
    let mapping = control
        .describe_image_attribute(&caller, ask("blockDeviceMapping"))
        .await;
    refused(mapping, ErrorKind::ImageAttributeNotAuthorized);
    refused(
        control
            .describe_image_attribute(&caller, ask("colour"))
            .await,
        ErrorKind::InvalidParameterValue,
    );
    let other = new_caller(&control).await;
    refused(
        control
            .describe_image_attribute(&other, ask("description"))
            .await,
        ErrorKind::ImageNotFound,
    );
}
