//! Copies of images: whole or not there, with the bytes of the source; and images in the Recycle Bin.

#![allow(clippy::unwrap_used, missing_docs)]

mod machines;
mod support;

use std::{sync::Arc, time::Duration};

use cairn_control::{
    Caller, Control, ErrorKind,
    jobs::JobGate,
    request::{
        CopyImage, CreateRule, CreateVolume, DeregisterImage, Describe, DescribeImages, EbsRequest,
        EnableImageDeprecation, Grantees, ModifyImageAttribute, Period,
    },
};
use cairn_model::{
    Image, ImageId, ImageState, InstanceState, Snapshot, SnapshotState, Tag, TagSpecification,
    Timestamp,
};
use machines::*;
use support::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn copy_of(id: &ImageId, name: &str) -> CopyImage {
    CopyImage {
        source_image_id: id.to_string(),
        source_region: "us-east-1".to_owned(),
        name: name.to_owned(),
        ..CopyImage::default()
    }
}

fn withdrawal(id: &ImageId, with_snapshots: bool) -> DeregisterImage {
    DeregisterImage {
        image_id: id.to_string(),
        delete_associated_snapshots: with_snapshots,
        dry_run: false,
    }
}

async fn seen(control: &Control, caller: &Caller) -> Vec<ImageId> {
    let found = control.describe_images(caller, DescribeImages::default());
    let found = found.await.unwrap().items.into_iter();
    found.map(|seen| seen.image.id).collect()
}

async fn image_now(control: &Control, caller: &Caller, id: &ImageId) -> Image {
    let request = DescribeImages {
        common: ids(&[id]),
        ..DescribeImages::default()
    };
    let mut found = control.describe_images(caller, request).await.unwrap();
    found.items.remove(0).image
}

/// An image with a root and another disk, and the snapshots of both.
async fn two_disks(control: &Control, caller: &Caller) -> (ImageId, Vec<Snapshot>) {
    let root = root_snapshot(control, caller).await;
    let volume = available_volume(control, caller, blank(2)).await;
    write(control, &volume, 1 << 20, pattern(9, 1 << 20)).await;
    let data = take_snapshot(control, caller, &volume).await;
    let mut request = registration("two disks", &root);
    let ebs = EbsRequest {
        snapshot_id: Some(data.id.to_string()),
        ..EbsRequest::default()
    };
    request.block_device_mappings.push(device("/dev/sdf", ebs));
    let id = control.register_image(caller, request).await.unwrap();
    (id, vec![root, data])
}

async fn snapshots_of(control: &Control, caller: &Caller, image: &Image) -> Vec<Snapshot> {
    let mut found = Vec::new();
    for id in image.snapshot_ids() {
        let request = cairn_control::request::DescribeSnapshots {
            common: ids(&[id]),
            ..Default::default()
        };
        let mut one = control.describe_snapshots(caller, request).await.unwrap();
        found.push(one.items.remove(0));
    }
    found
}

fn digests(snapshots: &[Snapshot]) -> Vec<Option<String>> {
    snapshots.iter().map(|s| s.digest.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_holds_the_same_bytes_and_is_its_owners_alone() {
    let world = World::new(31);
    let (control, owner) = world.begin().await;
    let other = in_region(&new_caller(&control).await, "eu-west-1");
    let (id, sources) = two_disks(&control, &owner).await;
    let share = ModifyImageAttribute {
        image_id: id.to_string(),
        operation_type: Some("add".to_owned()),
        grantees: Grantees {
            user_ids: vec![other.account.to_string()],
            ..Grantees::default()
        },
        ..ModifyImageAttribute::default()
    };
    let refusal = control.copy_image(&other, copy_of(&id, "copy")).await;
    refused(refusal, ErrorKind::ImageNotFound);
    control.modify_image_attribute(&owner, share).await.unwrap();
    let deprecate = EnableImageDeprecation {
        image_id: id.to_string(),
        deprecate_at: Timestamp(i64::MAX / 4)
            .min(cairn_model::Clock::now(&*world.place.clock).after(DAY)),
        dry_run: false,
    };
    control
        .enable_image_deprecation(&owner, deprecate)
        .await
        .unwrap();
    let request = CopyImage {
        client_token: Some("once".to_owned()),
        ..copy_of(&id, "copy")
    };
    let copy = control.copy_image(&other, request.clone()).await.unwrap();
    assert_eq!(control.copy_image(&other, request).await.unwrap(), copy);
    control.idle().await.unwrap();
    let image = image_now(&control, &other, &copy).await;
    assert_eq!(image.state, ImageState::Available);
    let source = image.source_image.clone().unwrap();
    assert_eq!((source.id, source.region), (id.clone(), owner.region));
    assert!(image.launch_permissions.is_private() && image.deprecation_time.is_none());
    let copies = snapshots_of(&control, &other, &image).await;
    assert_eq!(digests(&copies), digests(&sources));
    let own = |snapshot: &Snapshot| snapshot.account == other.account;
    assert!(copies.iter().all(own));
    // Nothing of it needs the source.
    control
        .deregister_image(&owner, withdrawal(&id, true))
        .await
        .unwrap();
    control.idle().await.unwrap();
    let request = CreateVolume {
        availability_zone: Some("eu-west-1a".to_owned()),
        ..from_snapshot(&copies[1])
    };
    let volume = available_volume(&control, &other, request).await;
    let bytes = read(&control, &volume, 1 << 20, 1 << 20).await;
    assert!(bytes == pattern(9, 1 << 20));
    let instance = launched(&control, &other, launch(&copy)).await;
    assert_eq!(instance.state, InstanceState::Running);
    let lineage = control.image_ancestry(&other, by_id(&copy)).await.unwrap();
    assert_eq!(lineage.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_a_crash_interrupts_is_finished() {
    for (seed, taken) in [(32, false), (33, true)] {
        let world = World::new(seed);
        let (control, caller) = world.begin().await;
        let (id, sources) = two_disks(&control, &caller).await;
        control.shutdown().await;
        drop(control);
        let gate = StopAt::new("copy-snapshot", 0, taken);
        let control = world
            .open_with(Some(Arc::clone(&gate) as Arc<dyn JobGate>))
            .await;
        let there = in_region(&caller, "eu-west-1");
        let copy = control
            .copy_image(&there, copy_of(&id, "copy"))
            .await
            .unwrap();
        control.idle().await.unwrap();
        assert!(gate.was_reached());
        drop(control);
        let control = world.open().await;
        control.idle().await.unwrap();
        let image = image_now(&control, &there, &copy).await;
        assert_eq!(image.state, ImageState::Available);
        let copies = snapshots_of(&control, &there, &image).await;
        assert_eq!(digests(&copies), digests(&sources));
    }
}

/// Nobody can read what is under a key that is gone: the image fails with its snapshot.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_cannot_be_made_fails_with_its_image() {
    let world = World::new(34);
    let (control, caller) = world.begin().await;
    let key = control.create_key(&caller, None).await.unwrap();
    let request = CreateVolume {
        encrypted: Some(true),
        kms_key_id: Some(key.id.to_string()),
        ..blank(1)
    };
    let volume = available_volume(&control, &caller, request).await;
    write(&control, &volume, 0, root_bytes()).await;
    let root = take_snapshot(&control, &caller, &volume).await;
    let id = control
        .register_image(&caller, registration("sealed", &root))
        .await
        .unwrap();
    control.shutdown().await;
    drop(control);
    let gate = StopAt::new("copy-snapshot", 0, false);
    let control = world.open_with(Some(gate)).await;
    let there = in_region(&caller, "eu-west-1");
    let copy = control
        .copy_image(&there, copy_of(&id, "copy"))
        .await
        .unwrap();
    let image = image_now(&control, &there, &copy).await;
    assert_eq!(image.state, ImageState::Pending);
    assert_eq!(
        image.block_device_mappings[0]
            .ebs
            .as_ref()
            .unwrap()
            .encrypted,
        Some(true)
    );
    control.idle().await.unwrap();
    drop(control);
    let control = world
        .open_with(Some(StopAt::new("copy-snapshot", 0, false)))
        .await;
    control.delete_key(&caller, key.id.as_str()).await.unwrap();
    control.shutdown().await;
    drop(control);
    let control = world.open().await;
    for _ in 0..12 {
        control.idle().await.unwrap();
        world.place.clock.advance(Duration::from_secs(120));
        control.wake_jobs();
    }
    control.idle().await.unwrap();
    let image = image_now(&control, &there, &copy).await;
    assert_eq!(image.state, ImageState::Failed, "{:?}", image.state_reason);
    let copies = snapshots_of(&control, &there, &image).await;
    assert_eq!(copies[0].state, SnapshotState::Error);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_can_be_encrypted_and_bring_tags_along() {
    let world = World::new(35);
    let (control, caller) = world.begin().await;
    let (id, sources) = two_disks(&control, &caller).await;
    let tags = |pairs: &[(&str, &str)]| cairn_control::request::ChangeTags {
        resources: vec![id.to_string()],
        tags: pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), Some((*v).to_owned())))
            .collect(),
        dry_run: false,
    };
    control
        .create_tags(&caller, tags(&[("a", "1"), ("b", "2")]))
        .await
        .unwrap();
    let tag = Tag {
        key: "b".to_owned(),
        value: "3".to_owned(),
    };
    let specification = |resource_type: &str| TagSpecification {
        resource_type: resource_type.to_owned(),
        tags: vec![tag.clone()],
    };
    let request = CopyImage {
        encrypted: Some(true),
        copy_image_tags: true,
        tag_specifications: vec![specification("image"), specification("snapshot")],
        ..copy_of(&id, "sealed")
    };
    let copy = control.copy_image(&caller, request.clone()).await.unwrap();
    control.idle().await.unwrap();
    let image = image_now(&control, &caller, &copy).await;
    let pairs: Vec<_> = image.tags.iter().collect();
    let of = |text: &str| text.to_owned();
    assert_eq!(pairs, [(&of("a"), &of("1")), (&of("b"), &of("3"))]);
    let copies = snapshots_of(&control, &caller, &image).await;
    for (snapshot, (_, ebs)) in copies.iter().zip(image.ebs_devices()) {
        assert!(snapshot.encrypted && ebs.encrypted == Some(true));
        assert_eq!(snapshot.tags.len(), 1);
    }
    assert_eq!(digests(&copies), digests(&sources));
    // All is checked before anything is made.
    let before = seen(&control, &caller).await;
    for (request, kind) in [
        (copy_of(&id, "sealed"), ErrorKind::ImageNameDuplicate),
        (copy_of(&id, "x"), ErrorKind::ImageNameMalformed),
        (
            CopyImage {
                source_region: "mars-1".to_owned(),
                ..copy_of(&id, "elsewhere")
            },
            ErrorKind::InvalidParameterValue,
        ),
        (
            CopyImage {
                kms_key_id: Some("alias/aws/ebs".to_owned()),
                ..copy_of(&id, "keyed")
            },
            ErrorKind::InvalidParameterDependency,
        ),
        (
            CopyImage {
                completion_duration_minutes: Some(16),
                ..copy_of(&id, "timed")
            },
            ErrorKind::InvalidParameterValue,
        ),
        (
            CopyImage {
                dry_run: true,
                ..copy_of(&id, "dry")
            },
            ErrorKind::DryRun,
        ),
    ] {
        refused(control.copy_image(&caller, request).await, kind);
    }
    control.disable_image(&caller, by_id(&id)).await.unwrap();
    let refusal = control.copy_image(&caller, copy_of(&id, "disabled")).await;
    refused(refusal, ErrorKind::ImageUnavailable);
    assert_eq!(seen(&control, &caller).await.len() + 1, before.len());
}

async fn keep(control: &Control, caller: &Caller, resource_type: &str, days: i32) {
    let request = CreateRule {
        resource_type: resource_type.to_owned(),
        retention: Some(Period {
            value: days,
            unit: "DAYS".to_owned(),
        }),
        ..CreateRule::default()
    };
    control.create_rule(caller, request).await.unwrap();
}

async fn in_the_bin(control: &Control, caller: &Caller) -> Vec<ImageId> {
    let found = control.list_images_in_recycle_bin(caller, Describe::default());
    let found = found.await.unwrap().items.into_iter();
    found.map(|image| image.image_id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_comes_back_from_the_bin_once_its_snapshots_have() {
    let world = World::new(36);
    let (control, caller) = world.begin().await;
    keep(&control, &caller, "EC2_IMAGE", 3).await;
    keep(&control, &caller, "EBS_SNAPSHOT", 3).await;
    let root = root_snapshot(&control, &caller).await;
    let id = control
        .register_image(&caller, registration("base", &root))
        .await
        .unwrap();
    control.disable_image(&caller, by_id(&id)).await.unwrap();
    control.enable_image(&caller, by_id(&id)).await.unwrap();
    control
        .deregister_image(&caller, withdrawal(&id, true))
        .await
        .unwrap();
    assert!(seen(&control, &caller).await.is_empty());
    assert_eq!(
        in_the_bin(&control, &caller).await,
        std::slice::from_ref(&id)
    );
    let refusal = control.run_instances(&caller, launch(&id)).await;
    refused(refusal, ErrorKind::ImageUnavailable);
    // It is there as long as the rule says, over restarts.
    control.shutdown().await;
    drop(control);
    world.place.clock.advance(DAY * 2);
    let control = world.open().await;
    control.idle().await.unwrap();
    let refusal = control
        .restore_image_from_recycle_bin(&caller, by_id(&id))
        .await;
    let message = refused(refusal, ErrorKind::IncorrectState);
    assert!(message.contains(root.id.as_str()), "{message}");
    control
        .restore_snapshot_from_recycle_bin(&caller, by_id(&root.id))
        .await
        .unwrap();
    let taken = control
        .register_image(&caller, registration("base", &root))
        .await
        .unwrap();
    let refusal = control
        .restore_image_from_recycle_bin(&caller, by_id(&id))
        .await;
    refused(refusal, ErrorKind::ImageNameDuplicate);
    control
        .deregister_image(&caller, withdrawal(&taken, false))
        .await
        .unwrap();
    let stranger = new_caller(&control).await;
    let refusal = control
        .restore_image_from_recycle_bin(&stranger, by_id(&id))
        .await;
    refused(refusal, ErrorKind::ImageNotFound);
    control
        .restore_image_from_recycle_bin(&caller, by_id(&id))
        .await
        .unwrap();
    assert_eq!(in_the_bin(&control, &caller).await, [taken]);
    let refusal = control.delete_snapshot(&caller, by_id(&root.id)).await;
    refused(refusal, ErrorKind::SnapshotInUse);
    let instance = launched(&control, &caller, launch(&id)).await;
    assert_eq!(instance.state, InstanceState::Running);
    // Out of the bin, its time is not over.
    world.place.clock.advance(DAY * 4);
    control.wake_jobs();
    control.idle().await.unwrap();
    assert_eq!(seen(&control, &caller).await, [id]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bin_is_emptied_when_its_time_comes() {
    let world = World::new(37);
    let (control, caller) = world.begin().await;
    keep(&control, &caller, "EC2_IMAGE", 1).await;
    let id = image(&control, &caller).await;
    control
        .deregister_image(&caller, withdrawal(&id, false))
        .await
        .unwrap();
    assert_eq!(
        in_the_bin(&control, &caller).await,
        std::slice::from_ref(&id)
    );
    control.shutdown().await;
    drop(control);
    world.place.clock.advance(DAY);
    let control = world.open().await;
    control.idle().await.unwrap();
    assert!(in_the_bin(&control, &caller).await.is_empty());
    let refusal = control
        .restore_image_from_recycle_bin(&caller, by_id(&id))
        .await;
    refused(refusal, ErrorKind::ImageNotFound);
}
