//! Changes of volumes that instances have: growing, several instances at once, other root volumes.

#![allow(clippy::unwrap_used, missing_docs)]

mod machines;
mod support;

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    time::Duration,
};

use cairn_control::{
    Caller, Control, ErrorKind,
    request::{
        AttachVolume, CreateReplaceRootVolumeTask, CreateVolume, Describe, DetachVolume,
        InstanceIds, ModifyVolume, RunInstances, StopInstances, TerminateInstances,
    },
};
use cairn_model::{
    AttachmentState, Instance, InstanceState, Modification, ModificationState, ReplaceRootState,
    ReplaceRootTask, Volume, VolumeId, VolumeState,
};
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

fn detach(volume: &Volume, instance: Option<&Instance>) -> DetachVolume {
    DetachVolume {
        volume_id: volume.id.to_string(),
        instance_id: instance.map(|instance| instance.id.to_string()),
        ..DetachVolume::default()
    }
}

fn grow(volume: &VolumeId, size: i32) -> ModifyVolume {
    ModifyVolume {
        volume_id: volume.to_string(),
        size: Some(size),
        ..ModifyVolume::default()
    }
}

async fn modification(control: &Control, caller: &Caller, id: &VolumeId) -> Modification {
    let mut found = control
        .describe_volumes_modifications(caller, ids(&[id]))
        .await
        .unwrap();
    found.items.remove(0).modification
}

async fn volume_of(control: &Control, caller: &Caller, id: &VolumeId) -> Volume {
    let mut found = control.describe_volumes(caller, ids(&[id])).await.unwrap();
    found.items.remove(0)
}

fn root(instance: &Instance) -> VolumeId {
    instance.root_volume().unwrap().volume_id.clone()
}

async fn tick(world: &World, control: &Control) {
    world.place.clock.advance(Duration::from_secs(5));
    control.wake_jobs();
    control.idle().await.unwrap();
}

/// The size that a client of the volume's socket is told: `NBD_OPT_EXPORT_NAME` of the export "".
fn exported_bytes(machine: &FakeMachine, volume: &VolumeId) -> u64 {
    let disk = machine
        .spec
        .disks
        .iter()
        .find(|disk| disk.volume_id == volume.as_str());
    let mut stream = UnixStream::connect(&disk.unwrap().socket).unwrap();
    let mut greeting = [0; 18];
    stream.read_exact(&mut greeting).unwrap();
    stream.write_all(&3_u32.to_be_bytes()).unwrap();
    stream.write_all(b"IHAVEOPT\0\0\0\x01\0\0\0\0").unwrap();
    let mut size = [0; 8];
    stream.read_exact(&mut size).unwrap();
    u64::from_be_bytes(size)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_sees_a_new_size_after_a_stop_and_a_start() {
    let world = World::new(1301);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&image)).await;
    let id = root(&instance);
    control.modify_volume(&caller, grow(&id, 2)).await.unwrap();
    control.idle().await.unwrap();
    assert_eq!(volume_of(&control, &caller, &id).await.size_gib, 2);
    assert_eq!(exported_bytes(&world.fake.of(&instance.id), &id), 2 << 30);
    for _ in 0..3 {
        let waiting = modification(&control, &caller, &id).await;
        assert_eq!(waiting.state, ModificationState::Optimizing);
        assert!(
            waiting
                .status_message
                .unwrap()
                .contains("stopped and started")
        );
        tick(&world, &control).await;
    }
    // A server that comes meanwhile knows it, too.
    control.shutdown().await;
    drop(control);
    let control = world.open().await;
    tick(&world, &control).await;
    let waiting = modification(&control, &caller, &id).await;
    assert_eq!(waiting.state, ModificationState::Optimizing);
    let request = StopInstances {
        ids: vec![instance.id.to_string()],
        ..StopInstances::default()
    };
    control.stop_instances(&caller, request).await.unwrap();
    until(&control, &caller, &instance.id, InstanceState::Stopped).await;
    let over = modification(&control, &caller, &id).await;
    assert_eq!(
        (over.state, over.status_message),
        (ModificationState::Completed, None)
    );
    let request = InstanceIds {
        ids: vec![instance.id.to_string()],
        dry_run: false,
    };
    control.start_instances(&caller, request).await.unwrap();
    until(&control, &caller, &instance.id, InstanceState::Running).await;
    assert_eq!(exported_bytes(&world.fake.of(&instance.id), &id), 2 << 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_speed_does_not_wait_for_the_guest_and_a_detachment_ends_the_wait() {
    let world = World::new(1302);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&image)).await;
    let typed = ModifyVolume {
        volume_id: root(&instance).to_string(),
        volume_type: Some("gp3".to_owned()),
        ..ModifyVolume::default()
    };
    control.modify_volume(&caller, typed).await.unwrap();
    control.idle().await.unwrap();
    let over = modification(&control, &caller, &root(&instance)).await;
    assert_eq!(over.state, ModificationState::Completed);
    let data = available_volume(&control, &caller, blank(1)).await;
    control
        .attach_volume(&caller, attach(&data, &instance, "/dev/sdf"))
        .await
        .unwrap();
    control.idle().await.unwrap();
    control
        .modify_volume(&caller, grow(&data.id, 2))
        .await
        .unwrap();
    control.idle().await.unwrap();
    let waiting = modification(&control, &caller, &data.id).await;
    assert_eq!(waiting.state, ModificationState::Optimizing);
    control
        .detach_volume(&caller, detach(&data, None))
        .await
        .unwrap();
    control.idle().await.unwrap();
    let over = modification(&control, &caller, &data.id).await;
    assert_eq!(over.state, ModificationState::Completed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_instances_have_a_volume_at_once() {
    let world = World::new(1311);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let two = RunInstances {
        min_count: 2,
        max_count: 2,
        ..launch(&image)
    };
    let instances = control.run_instances(&caller, two).await.unwrap().instances;
    control.idle().await.unwrap();
    let (first, second) = (&instances[0], &instances[1]);
    let shared = CreateVolume {
        volume_type: Some("io2".to_owned()),
        iops: Some(100),
        multi_attach_enabled: Some(true),
        ..blank(4)
    };
    let unfit = CreateVolume {
        multi_attach_enabled: Some(true),
        ..blank(4)
    };
    refused(
        control.create_volume(&caller, unfit).await,
        ErrorKind::InvalidParameterCombination,
    );
    let volume = available_volume(&control, &caller, shared).await;
    assert!(volume.multi_attach_enabled);
    for instance in [first, second] {
        control
            .attach_volume(&caller, attach(&volume, instance, "/dev/sdf"))
            .await
            .unwrap();
    }
    control.idle().await.unwrap();
    let now_volume = volume_now(&control, &caller, &volume).await;
    let states: Vec<_> = now_volume.attachments.iter().map(|a| a.state).collect();
    assert_eq!(states, [AttachmentState::Attached; 2]);
    assert!(world.fake.of(&first.id).has_disk(volume.id.as_str()));
    assert!(world.fake.of(&second.id).has_disk(volume.id.as_str()));
    refused(
        control
            .attach_volume(&caller, attach(&volume, first, "/dev/sdg"))
            .await,
        ErrorKind::VolumeInUse,
    );
    refused(
        control.detach_volume(&caller, detach(&volume, None)).await,
        ErrorKind::MissingParameter,
    );
    let alone = ModifyVolume {
        volume_id: volume.id.to_string(),
        multi_attach_enabled: Some(false),
        ..ModifyVolume::default()
    };
    refused(
        control.modify_volume(&caller, alone.clone()).await,
        ErrorKind::IncorrectState,
    );
    let by_instance = Describe {
        filters: vec![filter("attachment.instance-id", &[second.id.as_str()])],
        ..Describe::default()
    };
    let found = control
        .describe_volumes(&caller, by_instance)
        .await
        .unwrap();
    assert!(found.items.iter().any(|found| found.id == volume.id));

    // A new server takes both up, and the volume stays on offer until the last lets go.
    control.shutdown().await;
    drop(control);
    let control = world.open().await;
    control
        .detach_volume(&caller, detach(&volume, Some(first)))
        .await
        .unwrap();
    control.idle().await.unwrap();
    let left = volume_now(&control, &caller, &volume).await;
    assert_eq!(left.state, VolumeState::InUse);
    assert_eq!(left.attachments.len(), 1);
    assert_eq!(left.attachments[0].instance_id, second.id);
    assert!(control.export_volume(&volume.id).await.unwrap().exists());
    refused(
        control
            .detach_volume(&caller, detach(&volume, Some(first)))
            .await,
        ErrorKind::AttachmentNotFound,
    );
    let request = TerminateInstances {
        ids: vec![second.id.to_string()],
        ..TerminateInstances::default()
    };
    control.terminate_instances(&caller, request).await.unwrap();
    control.idle().await.unwrap();
    let free = volume_now(&control, &caller, &volume).await;
    assert_eq!(
        (free.state, free.attachments.len()),
        (VolumeState::Available, 0)
    );
    control.modify_volume(&caller, alone).await.unwrap();
    control.idle().await.unwrap();
    assert!(
        !volume_now(&control, &caller, &volume)
            .await
            .multi_attach_enabled
    );
}

fn replace(instance: &Instance) -> CreateReplaceRootVolumeTask {
    CreateReplaceRootVolumeTask {
        instance_id: instance.id.to_string(),
        ..CreateReplaceRootVolumeTask::default()
    }
}

async fn task_now(control: &Control, caller: &Caller, task: &ReplaceRootTask) -> ReplaceRootTask {
    let mut found = control
        .describe_replace_root_volume_tasks(caller, ids(&[&task.id]))
        .await
        .unwrap();
    found.items.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_volume_is_replaced_while_its_instance_runs() {
    let world = World::new(1321);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&image)).await;
    let old = root(&instance);
    let noun = volume_of(&control, &caller, &old).await;
    write(&control, &noun, 0, pattern(99, 4096)).await;
    let changed = take_snapshot(&control, &caller, &noun).await;
    let task = control
        .create_replace_root_volume_task(&caller, replace(&instance))
        .await
        .unwrap();
    assert_eq!(task.state, ReplaceRootState::Pending);
    refused(
        control
            .create_replace_root_volume_task(&caller, replace(&instance))
            .await,
        ErrorKind::IncorrectInstanceState,
    );
    control.idle().await.unwrap();
    let done = task_now(&control, &caller, &task).await;
    assert_eq!(done.state, ReplaceRootState::Succeeded);
    assert!(done.complete_time.is_some());
    let after = now(&control, &caller, &instance.id).await;
    assert_eq!(after.state, InstanceState::Running);
    assert_eq!(
        after.launch_time, instance.launch_time,
        "it ran all the time"
    );
    let new = volume_of(&control, &caller, &root(&after)).await;
    assert_ne!(new.id, old);
    assert_eq!(read(&control, &new, 0, 8192).await, root_bytes());
    assert_eq!(new.attachments[0].device, "/dev/xvda");
    assert!(new.attachments[0].delete_on_termination);
    let machine = world.fake.of(&instance.id);
    assert!(machine.has_disk(new.id.as_str()) && !machine.has_disk(old.as_str()));
    assert_eq!((world.fake.starts(), world.fake.alive()), (2, 1));
    let kept = volume_of(&control, &caller, &old).await;
    assert_eq!(
        (kept.state, kept.attachments.len()),
        (VolumeState::Available, 0)
    );

    // Back to what the first root volume held, and that one goes this time.
    let to_snapshot = CreateReplaceRootVolumeTask {
        snapshot_id: Some(changed.id.to_string()),
        delete_replaced_root_volume: true,
        ..replace(&instance)
    };
    control
        .create_replace_root_volume_task(&caller, to_snapshot)
        .await
        .unwrap();
    control.idle().await.unwrap();
    refused(
        control.describe_volumes(&caller, ids(&[&new.id])).await,
        ErrorKind::VolumeNotFound,
    );
    let after = now(&control, &caller, &instance.id).await;
    let third = volume_of(&control, &caller, &root(&after)).await;
    assert_eq!(read(&control, &third, 0, 4096).await, pattern(99, 4096));
    // And to the launch once more, whatever came in between.
    control
        .create_replace_root_volume_task(&caller, replace(&instance))
        .await
        .unwrap();
    control.idle().await.unwrap();
    let after = now(&control, &caller, &instance.id).await;
    let fourth = volume_of(&control, &caller, &root(&after)).await;
    assert_eq!(read(&control, &fourth, 0, 8192).await, root_bytes());
    let by_instance = Describe {
        filters: vec![filter("instance-id", &[instance.id.as_str()])],
        ..Describe::default()
    };
    let all = control
        .describe_replace_root_volume_tasks(&caller, by_instance)
        .await
        .unwrap();
    assert_eq!(all.items.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_replaces_a_root_volume_and_what_does_not_fit_is_refused() {
    let world = World::new(1322);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&image)).await;
    let foreign = root_snapshot(&control, &caller).await;
    let other = control
        .register_image(&caller, registration("other", &foreign))
        .await
        .unwrap();
    let ask = |request: CreateReplaceRootVolumeTask| {
        control.create_replace_root_volume_task(&caller, request)
    };
    let both = CreateReplaceRootVolumeTask {
        snapshot_id: Some(foreign.id.to_string()),
        image_id: Some(other.to_string()),
        ..replace(&instance)
    };
    refused(ask(both).await, ErrorKind::InvalidParameterCombination);
    let not_of_root = CreateReplaceRootVolumeTask {
        snapshot_id: Some(foreign.id.to_string()),
        ..replace(&instance)
    };
    refused(ask(not_of_root).await, ErrorKind::InvalidParameterValue);
    let stranger = new_caller(&control).await;
    refused(
        control
            .create_replace_root_volume_task(&stranger, replace(&instance))
            .await,
        ErrorKind::InstanceNotFound,
    );
    let checked = CreateReplaceRootVolumeTask {
        dry_run: true,
        ..replace(&instance)
    };
    refused(ask(checked).await, ErrorKind::DryRun);
    let to_image = CreateReplaceRootVolumeTask {
        image_id: Some(other.to_string()),
        client_token: Some("once".to_owned()),
        ..replace(&instance)
    };
    let task = ask(to_image.clone()).await.unwrap();
    control.idle().await.unwrap();
    assert_eq!(ask(to_image).await.unwrap().id, task.id);
    assert_eq!(
        task_now(&control, &caller, &task).await.state,
        ReplaceRootState::Succeeded
    );
    let after = now(&control, &caller, &instance.id).await;
    assert_eq!(after.image_id, other);
    let request = StopInstances {
        ids: vec![instance.id.to_string()],
        ..StopInstances::default()
    };
    control.stop_instances(&caller, request).await.unwrap();
    until(&control, &caller, &instance.id, InstanceState::Stopped).await;
    refused(
        ask(replace(&instance)).await,
        ErrorKind::IncorrectInstanceState,
    );
    refused(
        control
            .describe_replace_root_volume_tasks(&stranger, ids(&[&task.id]))
            .await,
        ErrorKind::ReplaceRootTaskNotFound,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_does_not_start_gets_its_root_volume_back() {
    let world = World::new(1323);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&image)).await;
    let old = root(&instance);
    world
        .fake
        .set(|script| script.fail_start = Some("as the script says".to_owned()));
    let task = control
        .create_replace_root_volume_task(&caller, replace(&instance))
        .await
        .unwrap();
    control.idle().await.unwrap();
    let failed = task_now(&control, &caller, &task).await;
    assert_eq!(failed.state, ReplaceRootState::Failed);
    let after = now(&control, &caller, &instance.id).await;
    assert_eq!(root(&after), old);
    assert_eq!(
        after.state,
        InstanceState::Stopped,
        "nothing starts here, the old one neither"
    );
    let kept = volume_of(&control, &caller, &old).await;
    assert_eq!(
        (kept.state, kept.attachments[0].state),
        (VolumeState::InUse, AttachmentState::Attached)
    );
    refused(
        control
            .describe_volumes(&caller, ids(&[&task.new_volume_id]))
            .await,
        ErrorKind::VolumeNotFound,
    );
    world.fake.set(|script| script.fail_start = None);
    let request = InstanceIds {
        ids: vec![instance.id.to_string()],
        dry_run: false,
    };
    control.start_instances(&caller, request).await.unwrap();
    until(&control, &caller, &instance.id, InstanceState::Running).await;
    assert!(world.fake.of(&instance.id).has_disk(old.as_str()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replacement_goes_on_after_a_crash_at_any_step() {
    for (seed, step) in (0..4).flat_map(|step| [(2 * step, step), (2 * step + 1, step)]) {
        let taken = seed % 2 == 1;
        let world = World::new(1330 + seed);
        let (control, caller) = world.begin().await;
        let image = image(&control, &caller).await;
        let instance = launched(&control, &caller, launch(&image)).await;
        control.shutdown().await;
        drop(control);
        let gate = StopAt::new("replace-root-volume", u32::try_from(step).unwrap(), taken);
        let control = world.open_with(Some(gate.clone())).await;
        let task = control
            .create_replace_root_volume_task(&caller, replace(&instance))
            .await
            .unwrap();
        control.idle().await.unwrap();
        assert!(gate.was_reached(), "{step} {taken}");
        drop(control);
        let control = world.open().await;
        control.idle().await.unwrap();
        let done = task_now(&control, &caller, &task).await;
        assert_eq!(done.state, ReplaceRootState::Succeeded, "{step} {taken}");
        let after = now(&control, &caller, &instance.id).await;
        assert_eq!(after.state, InstanceState::Running, "{step} {taken}");
        assert_eq!(root(&after), task.new_volume_id);
        assert_eq!(world.fake.alive(), 1, "{step} {taken}");
        assert!(
            world
                .fake
                .of(&instance.id)
                .has_disk(task.new_volume_id.as_str())
        );
        let old = volume_of(&control, &caller, &task.replaced_volume_id).await;
        assert_eq!(old.state, VolumeState::Available, "{step} {taken}");
        control.shutdown().await;
    }
}

/// Who ends the instance in the middle of it leaves no volume behind that nobody can use.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_is_terminated_meanwhile_takes_its_volumes_along() {
    for (seed, step) in [(1341, 1), (1342, 2), (1343, 3)] {
        let world = World::new(seed);
        let (control, caller) = world.begin().await;
        let image = image(&control, &caller).await;
        let instance = launched(&control, &caller, launch(&image)).await;
        control.shutdown().await;
        drop(control);
        let gate = StopAt::new("replace-root-volume", step, false);
        let control = world.open_with(Some(gate)).await;
        let task = control
            .create_replace_root_volume_task(&caller, replace(&instance))
            .await
            .unwrap();
        control.idle().await.unwrap();
        let request = TerminateInstances {
            ids: vec![instance.id.to_string()],
            ..TerminateInstances::default()
        };
        control.terminate_instances(&caller, request).await.unwrap();
        drop(control);
        let control = world.open().await;
        let mut rounds = 0;
        while !task_now(&control, &caller, &task).await.state.is_over() {
            rounds += 1;
            assert!(rounds < 10, "the task is not over");
            tick(&world, &control).await;
        }
        tick(&world, &control).await;
        let after = now(&control, &caller, &instance.id).await;
        assert_eq!(after.state, InstanceState::Terminated, "{step}");
        let all = control
            .describe_volumes(&caller, Describe::default())
            .await
            .unwrap();
        let left: Vec<_> = all
            .items
            .iter()
            .filter(|v| v.snapshot_id.is_some())
            .collect();
        assert_eq!(left, Vec::<&Volume>::new(), "{step}");
        assert_eq!(world.fake.alive(), 0);
        control.shutdown().await;
    }
}
