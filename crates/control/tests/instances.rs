//! Instances from their launch to their end, over machines that a script plays.

#![allow(
    clippy::unwrap_used,
    clippy::semicolon_if_nothing_returned,
    missing_docs
)]

mod machines;
mod support;

use std::time::Duration;

use cairn_control::{
    ErrorKind,
    answer::InstanceAttributeValue,
    instance::SSH_TAG,
    request::{
        ById, ChangeTags, CreateKeyPair, Describe, DescribeAttribute, DescribeInstanceStatus,
        EbsRequest, InstanceIds, MappingRequest, NetworkInterfaceRequest, RunInstances,
        StopInstances, TerminateInstances,
    },
};
use cairn_model::{
    AttachmentState, InstanceId, InstanceState, Page, Tag, TagSpecification, Volume, VolumeState,
    instance::ShutdownBehavior,
};
use cairn_vmm::{Exit, ShutdownCause};
use machines::*;
use support::*;
use tokio::runtime::Runtime;

fn these(ids: &[&InstanceId]) -> InstanceIds {
    InstanceIds {
        ids: ids.iter().map(ToString::to_string).collect(),
        dry_run: false,
    }
}

fn ending(ids: &[&InstanceId]) -> TerminateInstances {
    TerminateInstances {
        ids: ids.iter().map(ToString::to_string).collect(),
        ..TerminateInstances::default()
    }
}

fn stop(id: &impl ToString, force: bool) -> StopInstances {
    StopInstances {
        ids: vec![id.to_string()],
        force,
        ..StopInstances::default()
    }
}

async fn volumes(control: &cairn_control::Control, caller: &cairn_control::Caller) -> Vec<Volume> {
    control
        .describe_volumes(caller, everything())
        .await
        .unwrap()
        .items
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_launch_makes_a_machine_of_an_image() {
    let world = World::new(1);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let key = CreateKeyPair {
        key_name: "k".to_owned(),
        key_type: Some("ed25519".to_owned()),
        ..Default::default()
    };
    let key = control
        .create_key_pair(&caller, key)
        .await
        .unwrap()
        .key_pair;
    let tags = |resource_type: &str| TagSpecification {
        resource_type: resource_type.to_owned(),
        tags: vec![Tag {
            key: "Name".to_owned(),
            value: resource_type.to_owned(),
        }],
    };
    let data = EbsRequest {
        volume_size: Some(2),
        delete_on_termination: Some(false),
        ..EbsRequest::default()
    };
    let request = RunInstances {
        key_name: Some("k".to_owned()),
        user_data: Some("IyEvYmluL3NoCg==".to_owned()),
        block_device_mappings: vec![device("/dev/sdf", data)],
        tag_specifications: vec![tags("instance"), tags("volume")],
        ..launch(&image)
    };
    let instance = launched(&control, &caller, request).await;

    assert_eq!(instance.state, InstanceState::Running);
    assert_eq!(instance.private_ip.to_string(), "172.31.0.4");
    assert_eq!(instance.availability_zone, "us-east-1a");
    assert_eq!(instance.tags["Name"], "instance");
    assert_eq!(
        instance.tags[SSH_TAG],
        format!("127.0.0.1:{}", instance.ssh_port.unwrap())
    );
    assert_eq!(instance.security_groups[0].1, "default");
    assert!(
        instance
            .block_devices
            .iter()
            .all(|d| d.state == AttachmentState::Attached)
    );

    let machine = world.fake.of(&instance.id);
    let spec = &machine.spec;
    assert_eq!(
        (spec.vcpus, spec.memory_mib, spec.disks.len()),
        (2, 1024, 2)
    );
    assert!(spec.disks[0].boot && spec.disks[0].device_name == "/dev/xvda" && !spec.disks[1].boot);
    assert_eq!(spec.network.ssh_port, instance.ssh_port);

    let made = volumes(&control, &caller).await;
    let root = made
        .iter()
        .find(|v| v.id == instance.root_volume().unwrap().volume_id)
        .unwrap();
    assert_eq!((root.state, root.size_gib), (VolumeState::InUse, 1));
    assert_eq!(root.tags["Name"], "volume");
    assert_eq!(root.attachments[0].state, AttachmentState::Attached);
    assert!(root.attachments[0].delete_on_termination, "as in the image");
    assert!(
        read(&control, root, 0, 8192).await == root_bytes(),
        "the bytes of the image"
    );

    let path = |path: &str| machine.metadata(&format!("/latest/{path}"));
    assert_eq!(path("meta-data/instance-id"), instance.id.to_string());
    assert_eq!(path("meta-data/ami-id"), image.to_string());
    assert_eq!(path("meta-data/local-ipv4"), "172.31.0.4");
    assert_eq!(
        path("meta-data/public-keys/0/openssh-key").trim(),
        key.public_key
    );
    assert_eq!(path("user-data"), "#!/bin/sh\n");
    let console = control.get_console_output(
        &caller,
        ById {
            id: instance.id.to_string(),
            dry_run: false,
        },
    );
    assert_eq!(
        console.await.unwrap().output,
        format!("hello from {}\n", instance.id).into_bytes()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_instances_of_a_launch_have_their_own_of_everything() {
    let world = World::new(2);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let request = RunInstances {
        min_count: 1,
        max_count: 3,
        client_token: Some("t".to_owned()),
        ..launch(&image)
    };
    let reservation = control
        .run_instances(&caller, request.clone())
        .await
        .unwrap();
    control.idle().await.unwrap();
    assert_eq!(world.fake.alive(), 3);
    let addresses: Vec<_> = reservation
        .instances
        .iter()
        .map(|i| i.private_ip.to_string())
        .collect();
    assert_eq!(addresses, ["172.31.0.4", "172.31.0.5", "172.31.0.6"]);
    let mut ports: Vec<_> = reservation.instances.iter().map(|i| i.ssh_port).collect();
    ports.dedup();
    assert_eq!(ports.len(), 3);

    let again = control
        .run_instances(&caller, request.clone())
        .await
        .unwrap();
    assert_eq!(again.id, reservation.id);
    assert!(
        again
            .instances
            .iter()
            .all(|i| i.state == InstanceState::Running),
        "as they are now"
    );
    assert_eq!(world.fake.starts(), 3);
    let other = RunInstances {
        instance_type: Some("t3.small".to_owned()),
        ..request
    };
    refused(
        control.run_instances(&caller, other).await,
        ErrorKind::IdempotentParameterMismatch,
    );

    let all = control
        .describe_instances(&caller, everything())
        .await
        .unwrap();
    assert_eq!(all.items.len(), 1, "one reservation");
    let one = Describe {
        filters: vec![filter("launch-index", &["2"])],
        ..Describe::default()
    };
    let one = control.describe_instances(&caller, one).await.unwrap();
    assert_eq!(
        one.items[0].instances.len(),
        1,
        "a filter chooses among the instances"
    );
    let subnets = Describe {
        filters: vec![filter("available-ip-address-count", &["4088"])],
        ..Describe::default()
    };
    assert_eq!(
        control
            .describe_subnets(&caller, subnets)
            .await
            .unwrap()
            .items
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_does_not_start_leaves_nothing_but_the_reason() {
    let world = World::new(3);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let before = volumes(&control, &caller).await.len();
    world
        .fake
        .set(|script| script.fail_start = Some("no such processor".to_owned()));
    let instance = launched(&control, &caller, launch(&image)).await;
    assert_eq!(instance.state, InstanceState::Terminated);
    let (code, message) = instance.state_reason.unwrap();
    assert_eq!(code, "Server.InternalError");
    assert!(message.contains("no such processor"), "{message}");
    assert_eq!(volumes(&control, &caller).await.len(), before);
    world.fake.set(|script| script.fail_start = None);
    let next = launched(&control, &caller, launch(&image)).await;
    assert_eq!(
        (next.private_ip, next.state),
        (instance.private_ip, InstanceState::Running)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_instance_starts_again_as_it_was() {
    let world = World::new(4);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let first = launched(&control, &caller, launch(&image)).await;
    let root = volumes(&control, &caller)
        .await
        .into_iter()
        .find(|v| !v.attachments.is_empty())
        .unwrap();
    write(&control, &root, 4096, pattern(9, 4096)).await;

    let changes = control
        .stop_instances(&caller, stop(&first.id, false))
        .await
        .unwrap();
    assert_eq!(
        (changes[0].previous, changes[0].current),
        (InstanceState::Running, InstanceState::Stopping)
    );
    control.idle().await.unwrap();
    let stopped = now(&control, &caller, &first.id).await;
    assert_eq!(stopped.state, InstanceState::Stopped);
    assert_eq!(
        stopped.state_reason.unwrap().0,
        "Client.UserInitiatedShutdown"
    );
    assert!(
        stopped
            .state_transition_reason
            .starts_with("User initiated (2026-11-")
    );
    assert_eq!(world.fake.alive(), 0);
    let again = control
        .stop_instances(&caller, stop(&first.id, false))
        .await
        .unwrap();
    assert_eq!(
        again[0].current,
        InstanceState::Stopped,
        "stopping what is stopped changes nothing"
    );
    refused(
        control.reboot_instances(&caller, these(&[&first.id])).await,
        ErrorKind::IncorrectInstanceState,
    );

    world.place.clock.advance(Duration::from_secs(60));
    let changes = control
        .start_instances(&caller, these(&[&first.id]))
        .await
        .unwrap();
    assert_eq!(changes[0].current, InstanceState::Pending);
    control.idle().await.unwrap();
    let second = now(&control, &caller, &first.id).await;
    assert_eq!(second.state, InstanceState::Running);
    assert_eq!(
        (second.private_ip, second.ssh_port),
        (first.private_ip, first.ssh_port)
    );
    assert_eq!(second.block_devices, first.block_devices);
    assert!(second.launch_time > first.launch_time && second.state_reason.is_none());
    assert!(
        read(&control, &root, 4096, 4096).await == pattern(9, 4096),
        "what the guest wrote"
    );
    assert_eq!((world.fake.starts(), world.fake.alive()), (2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_still_boots_hears_the_power_button_later() {
    let world = World::with_deadline(5, Duration::from_secs(60));
    world.fake.set(|script| script.ignored_powerdowns = 2);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&image)).await;
    let machine = world.fake.of(&instance.id);
    control
        .stop_instances(&caller, stop(&instance.id, false))
        .await
        .unwrap();
    control.idle().await.unwrap();
    assert_eq!(*machine.powerdowns.lock().unwrap(), 3);
    assert_eq!(
        machine.ended_by(),
        Some(Exit::Shutdown(ShutdownCause::Guest))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_does_not_hear_is_ended() {
    let world = World::new(5);
    world
        .fake
        .set(|script| script.ignored_powerdowns = u32::MAX);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    for force in [false, true] {
        let instance = launched(&control, &caller, launch(&image)).await;
        control
            .stop_instances(&caller, stop(&instance.id, force))
            .await
            .unwrap();
        control.idle().await.unwrap();
        assert_eq!(
            now(&control, &caller, &instance.id).await.state,
            InstanceState::Stopped
        );
    }
    assert_eq!(world.fake.alive(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_guest_does_itself_shows() {
    let world = World::new(6);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;

    let stops = launched(&control, &caller, launch(&image)).await;
    world.fake.of(&stops.id).power_off();
    let stops = until(&control, &caller, &stops.id, InstanceState::Stopped).await;
    assert_eq!(
        stops.state_reason.unwrap().0,
        "Client.InstanceInitiatedShutdown"
    );

    let behavior = Some("terminate".to_owned());
    let request = RunInstances {
        instance_initiated_shutdown_behavior: behavior,
        ..launch(&image)
    };
    let ends = launched(&control, &caller, request).await;
    world.fake.of(&ends.id).power_off();
    let ends = until(&control, &caller, &ends.id, InstanceState::Terminated).await;
    assert!(ends.block_devices.is_empty());

    let crashes = launched(&control, &caller, launch(&image)).await;
    world.fake.of(&crashes.id).crash();
    let crashes = until(&control, &caller, &crashes.id, InstanceState::Stopped).await;
    assert_eq!(crashes.state_reason.unwrap().0, "Server.InternalError");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reboot_is_a_restart_of_the_guest() {
    let world = World::new(7);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&image)).await;
    control
        .reboot_instances(&caller, these(&[&instance.id]))
        .await
        .unwrap();
    control.idle().await.unwrap();
    assert_eq!((world.fake.starts(), world.fake.alive()), (2, 1));
    assert_eq!(
        now(&control, &caller, &instance.id).await.state,
        InstanceState::Running
    );
    // The end of the second machine is heard as that of the first was before.
    world.fake.of(&instance.id).power_off();
    until(&control, &caller, &instance.id, InstanceState::Stopped).await;

    world
        .fake
        .set(|script| script.ignored_powerdowns = u32::MAX);
    let deaf = launched(&control, &caller, launch(&image)).await;
    control
        .reboot_instances(&caller, these(&[&deaf.id]))
        .await
        .unwrap();
    control.idle().await.unwrap();
    assert_eq!(
        *world.fake.of(&deaf.id).resets.lock().unwrap(),
        1,
        "it gets the reset button"
    );
    world.fake.of(&deaf.id).power_off();
    until(&control, &caller, &deaf.id, InstanceState::Stopped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn termination_takes_what_goes_with_the_instance() {
    let world = World::new(8);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let data = EbsRequest {
        volume_size: Some(1),
        delete_on_termination: Some(false),
        ..EbsRequest::default()
    };
    let request = RunInstances {
        block_device_mappings: vec![device("/dev/sdf", data)],
        ..launch(&image)
    };
    let instance = launched(&control, &caller, request).await;
    let kept = instance
        .block_devices
        .iter()
        .find(|d| d.device_name == "/dev/sdf")
        .unwrap()
        .volume_id
        .clone();
    let gone = instance.root_volume().unwrap().volume_id.clone();

    let changes = control
        .terminate_instances(&caller, ending(&[&instance.id]))
        .await
        .unwrap();
    assert_eq!(changes[0].current, InstanceState::ShuttingDown);
    control.idle().await.unwrap();
    let ended = now(&control, &caller, &instance.id).await;
    assert_eq!(
        (ended.state, ended.ssh_port),
        (InstanceState::Terminated, None)
    );
    assert_eq!(world.fake.alive(), 0);
    let left = volumes(&control, &caller).await;
    assert!(left.iter().all(|volume| volume.id != gone));
    let kept = left.iter().find(|volume| volume.id == kept).unwrap();
    assert_eq!(
        (kept.state, kept.attachments.len()),
        (VolumeState::Available, 0)
    );

    let again = control
        .terminate_instances(&caller, ending(&[&instance.id]))
        .await
        .unwrap();
    assert_eq!(
        again[0].current,
        InstanceState::Terminated,
        "it can be said twice"
    );
    refused(
        control
            .start_instances(&caller, these(&[&instance.id]))
            .await,
        ErrorKind::IncorrectInstanceState,
    );
    world.place.clock.advance(Duration::from_secs(3599));
    assert_eq!(
        now(&control, &caller, &instance.id).await.state,
        InstanceState::Terminated
    );
    world.place.clock.advance(Duration::from_secs(2));
    let message = refused(
        control
            .describe_instances(&caller, ids(&[&instance.id]))
            .await,
        ErrorKind::InstanceNotFound,
    );
    assert_eq!(
        message,
        format!("The instance ID '{}' does not exist", instance.id)
    );
    drop(control);
    let control = world.open().await;
    assert!(
        !world
            .place
            .data_dir()
            .join("instances")
            .join(instance.id.as_str())
            .exists()
    );
    refused(
        control
            .terminate_instances(&caller, ending(&[&instance.id]))
            .await,
        ErrorKind::InstanceNotFound,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn protections_hold_for_requests() {
    let world = World::new(9);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let request = RunInstances {
        disable_api_termination: Some(true),
        disable_api_stop: Some(true),
        ..launch(&image)
    };
    let instance = launched(&control, &caller, request).await;
    let free = launched(&control, &caller, launch(&image)).await;
    let both = control
        .terminate_instances(&caller, ending(&[&free.id, &instance.id]))
        .await;
    let message = refused(both, ErrorKind::OperationNotPermitted);
    assert_eq!(
        message,
        format!(
            "The instance '{}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.",
            instance.id
        )
    );
    refused(
        control
            .stop_instances(&caller, stop(&instance.id, false))
            .await,
        ErrorKind::OperationNotPermitted,
    );
    assert_eq!(
        now(&control, &caller, &free.id).await.state,
        InstanceState::Running,
        "all or nothing"
    );
    let attribute = DescribeAttribute {
        id: instance.id.to_string(),
        attribute: "disableApiTermination".to_owned(),
        dry_run: false,
    };
    let value = control
        .describe_instance_attribute(&caller, attribute.clone())
        .await
        .unwrap()
        .value;
    assert_eq!(value, InstanceAttributeValue::DisableApiTermination(true));
    let unknown = DescribeAttribute {
        attribute: "colour".to_owned(),
        ..attribute
    };
    refused(
        control.describe_instance_attribute(&caller, unknown).await,
        ErrorKind::InvalidParameterValue,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_outlive_the_server() {
    let world = World::new(10);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let stays = launched(&control, &caller, launch(&image)).await;
    let powers_off = launched(&control, &caller, launch(&image)).await;
    let dies = launched(&control, &caller, launch(&image)).await;
    drop(control);
    world.fake.of(&powers_off.id).power_off();
    world.fake.of(&dies.id).crash();

    let control = world.open().await;
    control.idle().await.unwrap();
    assert_eq!(
        now(&control, &caller, &stays.id).await.state,
        InstanceState::Running
    );
    assert_eq!(world.fake.starts(), 3, "nothing was started anew");
    assert_eq!(
        world
            .fake
            .of(&stays.id)
            .metadata("/latest/meta-data/instance-id"),
        stays.id.to_string()
    );
    let powers_off = now(&control, &caller, &powers_off.id).await;
    assert_eq!(
        powers_off.state_reason.unwrap().0,
        "Client.InstanceInitiatedShutdown"
    );
    let dies = now(&control, &caller, &dies.id).await;
    assert_eq!(
        (dies.state, dies.state_reason.unwrap().0.as_str()),
        (InstanceState::Stopped, "Server.InternalError")
    );
    // The server hears of machines that it did not start, too.
    world.fake.of(&stays.id).power_off();
    until(&control, &caller, &stays.id, InstanceState::Stopped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_at_any_step_of_a_launch_goes_on() {
    for (seed, step, taken) in [(20, 0, false), (21, 0, true), (22, 1, false), (23, 1, true)] {
        let world = World::new(seed);
        let (control, caller) = world.begin().await;
        let image = image(&control, &caller).await;
        drop(control);
        let gate = StopAt::new("launch-instance", step, taken);
        let control = world.open_with(Some(gate.clone())).await;
        let instance = control
            .run_instances(&caller, launch(&image))
            .await
            .unwrap()
            .instances
            .remove(0);
        control.idle().await.unwrap();
        assert!(gate.was_reached(), "step {step}");
        drop(control);
        let control = world.open().await;
        control.idle().await.unwrap();
        let instance = now(&control, &caller, &instance.id).await;
        assert_eq!(
            instance.state,
            InstanceState::Running,
            "step {step} {taken}"
        );
        assert_eq!(
            (world.fake.starts(), world.fake.alive()),
            (1, 1),
            "step {step} {taken}"
        );
        let root = instance.root_volume().unwrap().volume_id.clone();
        let root = volumes(&control, &caller)
            .await
            .into_iter()
            .find(|v| v.id == root)
            .unwrap();
        assert!(
            read(&control, &root, 0, 8192).await == root_bytes(),
            "step {step} {taken}"
        );
    }
}

#[test]
fn a_server_killed_while_a_machine_starts_finds_it_again() {
    let world = World::new(60);
    world.fake.set(|script| script.hang_after_start = true);
    let first = Runtime::new().unwrap();
    let (caller, id) = first.block_on(async {
        let (control, caller) = world.begin().await;
        let image = image(&control, &caller).await;
        let launched = control.run_instances(&caller, launch(&image)).await;
        world.fake.news.notified().await;
        (caller, launched.unwrap().instances.remove(0).id)
    });
    // Every task is dropped where it waits.
    drop(first);
    world.fake.set(|script| script.hang_after_start = false);
    Runtime::new().unwrap().block_on(async {
        let control = world.open().await;
        // A second machine would end the job's task, and nothing would be idle again.
        let idle = tokio::time::timeout(Duration::from_secs(30), control.idle()).await;
        idle.expect("the launch goes on").unwrap();
        let instance = now(&control, &caller, &id).await;
        assert_eq!(instance.state, InstanceState::Running);
        assert_eq!((world.fake.starts(), world.fake.alive()), (1, 1));
        world.fake.of(&id).power_off();
        until(&control, &caller, &id, InstanceState::Stopped).await;
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_at_any_step_of_an_end_goes_on() {
    for (seed, kind, step, taken) in [
        (30, "stop-instance", 0, true),
        (31, "stop-instance", 1, false),
        (32, "stop-instance", 1, true),
        (33, "terminate-instance", 0, true),
        (34, "terminate-instance", 1, true),
        (35, "reboot-instance", 0, true),
        (36, "reboot-instance", 1, true),
    ] {
        let world = World::new(seed);
        let (control, caller) = world.begin().await;
        let image = image(&control, &caller).await;
        let instance = launched(&control, &caller, launch(&image)).await;
        drop(control);
        let gate = StopAt::new(kind, step, taken);
        let control = world.open_with(Some(gate.clone())).await;
        let expected = match kind {
            "stop-instance" => {
                control
                    .stop_instances(&caller, stop(&instance.id, false))
                    .await
                    .unwrap();
                InstanceState::Stopped
            }
            "terminate-instance" => {
                control
                    .terminate_instances(&caller, ending(&[&instance.id]))
                    .await
                    .unwrap();
                InstanceState::Terminated
            }
            _ => {
                control
                    .reboot_instances(&caller, these(&[&instance.id]))
                    .await
                    .unwrap();
                InstanceState::Running
            }
        };
        control.idle().await.unwrap();
        assert!(gate.was_reached(), "{kind} {step}");
        drop(control);
        let control = world.open().await;
        control.idle().await.unwrap();
        assert_eq!(
            now(&control, &caller, &instance.id).await.state,
            expected,
            "{kind} {step} {taken}"
        );
        assert_eq!(
            world.fake.alive() == 1,
            expected == InstanceState::Running,
            "{kind} {step} {taken}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_can_be_terminated_before_it_runs() {
    let world = World::new(40);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let before = volumes(&control, &caller).await.len();
    let data = EbsRequest {
        volume_size: Some(1),
        delete_on_termination: Some(false),
        ..EbsRequest::default()
    };
    let request = RunInstances {
        block_device_mappings: vec![device("/dev/sdf", data)],
        ..launch(&image)
    };
    drop(control);
    // The launch is recorded, and does not get to its first step.
    let control = world
        .open_with(Some(StopAt::new("launch-instance", 0, false)))
        .await;
    let instance = control
        .run_instances(&caller, request)
        .await
        .unwrap()
        .instances
        .remove(0);
    control.idle().await.unwrap();
    control
        .terminate_instances(&caller, ending(&[&instance.id]))
        .await
        .unwrap();
    drop(control);
    let control = world.open().await;
    control.idle().await.unwrap();
    assert_eq!(
        now(&control, &caller, &instance.id).await.state,
        InstanceState::Terminated
    );
    assert_eq!(
        (world.fake.starts(), volumes(&control, &caller).await.len()),
        (0, before)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn launches_that_cannot_be_are_refused_before_anything_is_made() {
    let world = World::new(50);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let good = launch(&image);
    let with = |change: &dyn Fn(&mut RunInstances)| {
        let mut request = good.clone();
        change(&mut request);
        request
    };
    let text = |text: &str| Some(text.to_owned());
    let cases: Vec<(RunInstances, ErrorKind, &str)> = vec![
        (
            with(&|r| r.image_id = None),
            ErrorKind::MissingParameter,
            "ImageId",
        ),
        (
            with(&|r| r.image_id = text("ami-1")),
            ErrorKind::ImageIdMalformed,
            "Invalid id: \"ami-1\"",
        ),
        (
            with(&|r| r.image_id = text("ami-12345678")),
            ErrorKind::ImageNotFound,
            "The image id '[ami-12345678]' does not exist",
        ),
        (
            with(&|r| r.min_count = 0),
            ErrorKind::InvalidParameterValue,
            "minCount",
        ),
        (
            with(&|r| r.min_count = 2),
            ErrorKind::InvalidParameterValue,
            "maxCount",
        ),
        (
            with(&|r| (r.min_count, r.max_count) = (21, 21)),
            ErrorKind::InstanceLimitExceeded,
            "more instances (21) than one launch may have (20)",
        ),
        (
            with(&|r| r.instance_type = text("t9.huge")),
            ErrorKind::InvalidParameterValue,
            "Invalid value 't9.huge' for InstanceType.",
        ),
        (
            with(&|r| r.instance_type = text("t4g.micro")),
            ErrorKind::InvalidParameterValue,
            "The architecture 'arm64' of the specified instance type does not match the architecture 'x86_64'",
        ),
        (
            with(&|r| r.key_name = text("none")),
            ErrorKind::KeyPairNotFound,
            "The key pair 'none' does not exist",
        ),
        (
            with(&|r| r.subnet_id = text("subnet-12345678")),
            ErrorKind::SubnetNotFound,
            "subnet-12345678",
        ),
        (
            with(&|r| r.subnet_id = text("sub")),
            ErrorKind::SubnetIdMalformed,
            "sub",
        ),
        (
            with(&|r| r.availability_zone = text("us-east-1z")),
            ErrorKind::InvalidParameterValue,
            "Invalid availability zone: [us-east-1z]",
        ),
        (
            with(&|r| r.security_group_ids = vec!["sg-12345678".to_owned()]),
            ErrorKind::SecurityGroupNotFound,
            "sg-12345678",
        ),
        (
            with(&|r| r.security_groups = vec!["web".to_owned()]),
            ErrorKind::SecurityGroupNotFound,
            "web",
        ),
        (
            with(&|r| r.user_data = text("***")),
            ErrorKind::InvalidParameterValue,
            "Invalid BASE64 encoding of user data.",
        ),
        (
            with(&|r| r.user_data = Some("A".repeat(21_848))),
            ErrorKind::InvalidParameterValue,
            "User data is limited to 16384 bytes",
        ),
        (
            with(&|r| r.private_ip_address = text("10.0.0.1")),
            ErrorKind::InvalidParameterValue,
            "does not fall within the subnet's address range",
        ),
        (
            with(&|r| r.private_ip_address = text("172.31.0.3")),
            ErrorKind::InvalidParameterValue,
            "does not fall within",
        ),
        (
            with(&|r| r.instance_initiated_shutdown_behavior = text("halt")),
            ErrorKind::InvalidParameterValue,
            "halt",
        ),
        (
            with(&|r| r.metadata_options.http_tokens = text("maybe")),
            ErrorKind::InvalidParameterValue,
            "HttpTokens",
        ),
        (
            with(&|r| r.metadata_options.http_put_response_hop_limit = Some(65)),
            ErrorKind::InvalidParameterValue,
            "from 1 to 64",
        ),
        (
            with(&|r| {
                r.block_device_mappings = vec![MappingRequest {
                    device_name: text("/dev/xvda"),
                    no_device: text(""),
                    ..Default::default()
                }]
            }),
            ErrorKind::BlockDeviceMappingInvalid,
            "root device",
        ),
        (
            with(&|r| {
                r.block_device_mappings = vec![device(
                    "/dev/xvda",
                    EbsRequest {
                        volume_size: Some(0),
                        ..Default::default()
                    },
                )]
            }),
            ErrorKind::BlockDeviceMappingInvalid,
            "smaller than snapshot",
        ),
        (
            with(&|r| r.block_device_mappings = vec![device("/dev/sdf", EbsRequest::default())]),
            ErrorKind::MissingParameter,
            "size or snapshotId",
        ),
        (
            with(&|r| {
                r.block_device_mappings = vec![device(
                    "/dev/sdf",
                    EbsRequest {
                        volume_size: Some(1),
                        encrypted: Some(true),
                        kms_key_id: Some("alias/mine".to_owned()),
                        ..Default::default()
                    },
                )]
            }),
            ErrorKind::KmsKeyNotFound,
            "'alias/mine' does not exist",
        ),
        (
            with(&|r| {
                r.block_device_mappings = vec![device(
                    "/dev/sdf",
                    EbsRequest {
                        snapshot_id: text("snap-12345678"),
                        ..Default::default()
                    },
                )]
            }),
            ErrorKind::SnapshotNotFound,
            "The snapshot 'snap-12345678' does not exist.",
        ),
        (
            with(&|r| {
                r.network_interface = Some(NetworkInterfaceRequest {
                    device_index: Some(1),
                    ..Default::default()
                })
            }),
            ErrorKind::UnsupportedOperation,
            "one network interface",
        ),
        (
            with(&|r| {
                r.network_interface = Some(NetworkInterfaceRequest::default());
                r.subnet_id = text("subnet-12345678");
            }),
            ErrorKind::InvalidParameterCombination,
            "Network interfaces and an instance-level subnet ID may not be specified on the same request",
        ),
        (
            with(&|r| r.network_interface = Some(NetworkInterfaceRequest::default())),
            ErrorKind::MissingParameter,
            "Each network interface requires a device index.",
        ),
        (
            with(&|r| {
                r.network_interface = Some(NetworkInterfaceRequest {
                    device_index: Some(0),
                    associate_public_ip_address: Some(true),
                    ..Default::default()
                })
            }),
            ErrorKind::UnsupportedOperation,
            "no public addresses",
        ),
        (
            with(&|r| {
                r.network_interface = Some(NetworkInterfaceRequest {
                    device_index: Some(0),
                    delete_on_termination: Some(false),
                    ..Default::default()
                })
            }),
            ErrorKind::UnsupportedOperation,
            "goes with its instance",
        ),
        (
            with(&|r| {
                r.security_groups = vec!["default".to_owned()];
                r.subnet_id = text("subnet-12345678");
            }),
            ErrorKind::SubnetNotFound,
            "subnet-12345678",
        ),
        (
            with(&|r| {
                r.availability_zone = text("us-east-1a");
                r.availability_zone_id = text("use1-az2");
            }),
            ErrorKind::InvalidParameterCombination,
            "different Availability Zones",
        ),
        (
            with(&|r| {
                r.instance_type = text("t2.micro");
                r.ebs_optimized = Some(true);
            }),
            ErrorKind::Unsupported,
            "EBS-optimized instances are not supported",
        ),
        (
            with(&|r| {
                r.metadata_options.instance_metadata_tags = text("enabled");
                r.tag_specifications = vec![TagSpecification {
                    resource_type: "instance".to_owned(),
                    tags: vec![Tag {
                        key: "team/name".to_owned(),
                        value: String::new(),
                    }],
                }]
            }),
            ErrorKind::InvalidParameterValue,
            "'team/name' is not a valid tag key",
        ),
        (
            with(&|r| {
                r.tag_specifications = vec![TagSpecification {
                    resource_type: "snapshot".to_owned(),
                    tags: vec![],
                }]
            }),
            ErrorKind::InvalidParameterValue,
            "'snapshot' is not a valid taggable resource type for this operation.",
        ),
        (
            with(&|r| r.client_token = Some("t".repeat(65))),
            ErrorKind::InvalidParameterValue,
            "up to 64 characters",
        ),
        (
            with(&|r| r.dry_run = true),
            ErrorKind::DryRun,
            "Request would have succeeded, but DryRun flag is set.",
        ),
    ];
    let before = volumes(&control, &caller).await.len();
    for (request, kind, part) in cases {
        let message = refused(control.run_instances(&caller, request).await, kind);
        assert!(message.contains(part), "{message}");
    }
    let all = Describe {
        page: Page {
            max_results: Some(5),
            next_token: None,
        },
        ..everything()
    };
    assert!(
        control
            .describe_instances(&caller, all)
            .await
            .unwrap()
            .items
            .is_empty()
    );
    assert_eq!(volumes(&control, &caller).await.len(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_can_be_asked_for_once() {
    let world = World::new(51);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let zone = Some("us-east-1b".to_owned());
    let request = RunInstances {
        private_ip_address: Some("172.31.16.77".to_owned()),
        availability_zone: zone,
        ..launch(&image)
    };
    let instance = launched(&control, &caller, request.clone()).await;
    assert_eq!(instance.private_ip.to_string(), "172.31.16.77");
    assert_eq!(instance.private_dns_name(), "ip-172-31-16-77.ec2.internal");
    let message = refused(
        control.run_instances(&caller, request).await,
        ErrorKind::PrivateAddressInUse,
    );
    assert_eq!(message, "Address 172.31.16.77 is in use.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_do_not_see_one_another() {
    let world = World::new(52);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&image)).await;
    let other = new_caller(&control).await;
    assert!(
        control
            .describe_instances(&other, everything())
            .await
            .unwrap()
            .items
            .is_empty()
    );
    refused(
        control
            .describe_instances(&other, ids(&[&instance.id]))
            .await,
        ErrorKind::InstanceNotFound,
    );
    refused(
        control
            .terminate_instances(&other, ending(&[&instance.id]))
            .await,
        ErrorKind::InstanceNotFound,
    );
    refused(
        control.run_instances(&other, launch(&image)).await,
        ErrorKind::ImageNotFound,
    );
    let tags = ChangeTags {
        resources: vec![instance.id.to_string()],
        tags: vec![("a".to_owned(), None)],
        dry_run: false,
    };
    refused(
        control.create_tags(&other, tags).await,
        ErrorKind::InstanceNotFound,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn describes_are_checked_filtered_and_paged() {
    let world = World::new(53);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    for _ in 0..6 {
        launched(&control, &caller, launch(&image)).await;
    }
    let page = |token| Describe {
        page: Page {
            max_results: Some(5),
            next_token: token,
        },
        ..everything()
    };
    let first = control
        .describe_instances(&caller, page(None))
        .await
        .unwrap();
    assert_eq!(first.items.len(), 5);
    let second = control
        .describe_instances(&caller, page(first.next_token.clone()))
        .await
        .unwrap();
    assert_eq!((second.items.len(), second.next_token), (1, None));
    assert!(!first.items.contains(&second.items[0]));
    let elsewhere = DescribeInstanceStatus {
        common: page(first.next_token),
        include_all: false,
    };
    refused(
        control.describe_instance_status(&caller, elsewhere).await,
        ErrorKind::InvalidNextToken,
    );

    let one = second.items[0].instances[0].clone();
    let both = Describe {
        ids: vec![one.id.to_string()],
        ..page(None)
    };
    refused(
        control.describe_instances(&caller, both).await,
        ErrorKind::InvalidParameterCombination,
    );
    let unknown = Describe {
        filters: vec![filter("colour", &["red"])],
        ..everything()
    };
    let message = refused(
        control.describe_instances(&caller, unknown).await,
        ErrorKind::InvalidParameterValue,
    );
    assert_eq!(message, "The filter 'colour' is invalid");
    refused(
        control.describe_instances(&caller, ids(&[&"i-xyz"])).await,
        ErrorKind::InstanceIdMalformed,
    );

    control
        .stop_instances(&caller, stop(&one.id, true))
        .await
        .unwrap();
    control.idle().await.unwrap();
    let running = DescribeInstanceStatus::default();
    assert_eq!(
        control
            .describe_instance_status(&caller, running.clone())
            .await
            .unwrap()
            .items
            .len(),
        5
    );
    let all = DescribeInstanceStatus {
        include_all: true,
        ..running
    };
    let all = control
        .describe_instance_status(&caller, all)
        .await
        .unwrap()
        .items;
    assert_eq!(
        all.iter()
            .filter(|status| status.instance_status == "not-applicable")
            .count(),
        1
    );
    assert_eq!(
        one.instance_initiated_shutdown_behavior,
        ShutdownBehavior::Stop
    );
}
