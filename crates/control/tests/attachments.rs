//! Attaching volumes to instances that run or are stopped, and detaching them.

#![allow(clippy::unwrap_used, missing_docs)]

mod machines;
mod support;

use std::time::Duration;

use cairn_control::{
    Caller, Control, ErrorKind,
    request::{AttachVolume, CreateVolume, DetachVolume, InstanceIds, StopInstances},
};
use cairn_model::{AttachmentState, Instance, InstanceState, Volume, VolumeState};
use machines::*;
use support::*;

fn attach(volume: &Volume, instance: &Instance, device: &str) -> AttachVolume {
    AttachVolume {
        volume_id: volume.id.to_string(),
        instance_id: instance.id.to_string(),
        device: device.to_owned(),
        dry_run: false,
    }
}

fn detach(volume: &Volume) -> DetachVolume {
    DetachVolume {
        volume_id: volume.id.to_string(),
        ..DetachVolume::default()
    }
}

async fn stop(control: &Control, caller: &Caller, instance: &Instance) {
    let request = StopInstances {
        ids: vec![instance.id.to_string()],
        ..StopInstances::default()
    };
    control.stop_instances(caller, request).await.unwrap();
    until(control, caller, &instance.id, InstanceState::Stopped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_volume_comes_to_a_running_instance_and_goes() {
    let world = World::new(1);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&image)).await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    let attached = control
        .attach_volume(&caller, attach(&volume, &instance, "/dev/sdf"))
        .await
        .unwrap();
    assert_eq!(attached.attachment.state, AttachmentState::Attaching);
    control.idle().await.unwrap();
    let machine = world.fake.of(&instance.id);
    assert!(machine.has_disk(volume.id.as_str()));
    let now_volume = volume_now(&control, &caller, &volume).await;
    assert_eq!(
        (now_volume.state, now_volume.attachments[0].state),
        (VolumeState::InUse, AttachmentState::Attached)
    );
    assert!(!now_volume.attachments[0].delete_on_termination);
    assert_eq!(
        now(&control, &caller, &instance.id)
            .await
            .block_devices
            .len(),
        2
    );

    let message = refused(
        control
            .attach_volume(&caller, attach(&volume, &instance, "/dev/sdg"))
            .await,
        ErrorKind::VolumeInUse,
    );
    assert_eq!(
        message,
        format!("{} is already attached to an instance", volume.id)
    );
    let elsewhere = DetachVolume {
        device: Some("/dev/sdz".to_owned()),
        ..detach(&volume)
    };
    refused(
        control.detach_volume(&caller, elsewhere).await,
        ErrorKind::AttachmentNotFound,
    );
    let detached = control
        .detach_volume(&caller, detach(&volume))
        .await
        .unwrap();
    assert_eq!(detached.attachment.state, AttachmentState::Detaching);
    control.idle().await.unwrap();
    assert!(!machine.has_disk(volume.id.as_str()));
    assert_eq!(
        volume_now(&control, &caller, &volume).await.state,
        VolumeState::Available
    );
    refused(
        control.detach_volume(&caller, detach(&volume)).await,
        ErrorKind::IncorrectState,
    );
    assert_eq!(
        now(&control, &caller, &instance.id)
            .await
            .block_devices
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_attached_is_refused() {
    let world = World::new(2);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&image)).await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    let other_zone = CreateVolume {
        availability_zone: Some("us-east-1b".to_owned()),
        ..blank(1)
    };
    let other_zone = available_volume(&control, &caller, other_zone).await;
    let cases = [
        (
            attach(&volume, &instance, ""),
            ErrorKind::MissingParameter,
            "device",
        ),
        (
            attach(&volume, &instance, "/dev/nvme1"),
            ErrorKind::InvalidParameterValue,
            "/dev/nvme1 is not a valid EBS device name.",
        ),
        (
            attach(&volume, &instance, "/dev/sda"),
            ErrorKind::InvalidParameterValue,
            "Attachment point /dev/sda is already in use",
        ),
        (
            attach(&other_zone, &instance, "/dev/sdf"),
            ErrorKind::VolumeZoneMismatch,
            "is not in the same availability zone",
        ),
        (
            AttachVolume {
                volume_id: "vol-12345678".to_owned(),
                ..attach(&volume, &instance, "/dev/sdf")
            },
            ErrorKind::VolumeNotFound,
            "vol-12345678",
        ),
        (
            AttachVolume {
                dry_run: true,
                ..attach(&volume, &instance, "/dev/sdf")
            },
            ErrorKind::DryRun,
            "DryRun",
        ),
    ];
    for (request, kind, part) in cases {
        let message = refused(control.attach_volume(&caller, request).await, kind);
        assert!(message.contains(part), "{message}");
    }
    let from_nowhere = DetachVolume {
        instance_id: Some("i-x".to_owned()),
        ..detach(&volume)
    };
    refused(
        control.detach_volume(&caller, from_nowhere).await,
        ErrorKind::InstanceIdMalformed,
    );
    let root = instance.root_volume().unwrap().volume_id.to_string();
    let root = DetachVolume {
        volume_id: root,
        force: true,
        ..DetachVolume::default()
    };
    refused(
        control.detach_volume(&caller, root.clone()).await,
        ErrorKind::OperationNotPermitted,
    );
    stop(&control, &caller, &instance).await;
    let detached = control.detach_volume(&caller, root).await.unwrap();
    assert_eq!(
        detached.attachment.state,
        AttachmentState::Detached,
        "of a stopped instance it goes at once"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_instance_starts_with_what_was_attached_to_it() {
    let world = World::new(3);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&image)).await;
    stop(&control, &caller, &instance).await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    let attached = control
        .attach_volume(&caller, attach(&volume, &instance, "/dev/sdf"))
        .await
        .unwrap();
    assert_eq!(attached.attachment.state, AttachmentState::Attached);
    let start = InstanceIds {
        ids: vec![instance.id.to_string()],
        dry_run: false,
    };
    control.start_instances(&caller, start).await.unwrap();
    control.idle().await.unwrap();
    assert!(world.fake.of(&instance.id).has_disk(volume.id.as_str()));
}

/// A guest that does not let go of the volume that is attached to it.
async fn holding_guest(world: &World) -> (Control, Caller, Instance, Volume) {
    world.fake.set(|script| script.hold_disks = true);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&image)).await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    control
        .attach_volume(&caller, attach(&volume, &instance, "/dev/sdf"))
        .await
        .unwrap();
    control.idle().await.unwrap();
    (control, caller, instance, volume)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_is_taken_by_force_from_a_guest_that_holds_it() {
    for (seed, asked_before) in [(14, false), (15, true)] {
        let world = World::new(seed);
        let (control, caller, instance, volume) = holding_guest(&world).await;
        if asked_before {
            control
                .detach_volume(&caller, detach(&volume))
                .await
                .unwrap();
            control.idle().await.unwrap();
        }
        let force = DetachVolume {
            force: true,
            ..detach(&volume)
        };
        let told = control.detach_volume(&caller, force).await.unwrap();
        assert_eq!(told.attachment.state, AttachmentState::Detaching);
        control.idle().await.unwrap();
        let free = volume_now(&control, &caller, &volume).await;
        assert_eq!(
            (free.state, free.attachments),
            (VolumeState::Available, vec![])
        );
        assert!(!world.fake.of(&instance.id).has_disk(volume.id.as_str()));
        let instance = now(&control, &caller, &instance.id).await;
        assert_eq!(instance.block_devices.len(), 1);
        // Whoever asked the guest before asks no more.
        world.place.clock.advance(Duration::from_secs(6));
        control.wake_jobs();
        control.idle().await.unwrap();
        assert_eq!(volume_now(&control, &caller, &volume).await.attachments, []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_holds_a_disk_keeps_it_until_it_stops() {
    let world = World::new(4);
    let (control, caller, instance, volume) = holding_guest(&world).await;
    control
        .detach_volume(&caller, detach(&volume))
        .await
        .unwrap();
    control.idle().await.unwrap();
    world.place.clock.advance(Duration::from_secs(6));
    control.wake_jobs();
    control.idle().await.unwrap();
    let held = volume_now(&control, &caller, &volume).await;
    assert_eq!(
        (held.state, held.attachments[0].state),
        (VolumeState::InUse, AttachmentState::Detaching)
    );
    stop(&control, &caller, &instance).await;
    assert_eq!(
        volume_now(&control, &caller, &volume).await.state,
        VolumeState::Available
    );
    assert_eq!(
        now(&control, &caller, &instance.id)
            .await
            .block_devices
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_while_attaching_goes_on() {
    for (seed, kind, taken) in [
        (5, "attach-volume", false),
        (6, "attach-volume", true),
        (7, "detach-volume", false),
        (8, "detach-volume", true),
    ] {
        let world = World::new(seed);
        let (control, caller) = world.begin().await;
        let image = image(&control, &caller).await;
        let instance = launched(&control, &caller, launch(&image)).await;
        let volume = available_volume(&control, &caller, blank(1)).await;
        drop(control);
        let gate = StopAt::new(kind, 0, taken);
        let control = world.open_with(Some(gate.clone())).await;
        control
            .attach_volume(&caller, attach(&volume, &instance, "/dev/sdf"))
            .await
            .unwrap();
        control.idle().await.unwrap();
        if kind == "detach-volume" {
            control
                .detach_volume(&caller, detach(&volume))
                .await
                .unwrap();
            control.idle().await.unwrap();
        }
        assert!(gate.was_reached());
        drop(control);
        let control = world.open().await;
        control.idle().await.unwrap();
        let expected = if kind == "attach-volume" {
            VolumeState::InUse
        } else {
            VolumeState::Available
        };
        assert_eq!(
            volume_now(&control, &caller, &volume).await.state,
            expected,
            "{kind} {taken}"
        );
        let plugged = world.fake.of(&instance.id).has_disk(volume.id.as_str());
        assert_eq!(plugged, expected == VolumeState::InUse, "{kind} {taken}");
    }
}
