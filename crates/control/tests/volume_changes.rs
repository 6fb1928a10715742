//! Changes of volumes that no instance has: modifications, copies, attributes, encryption by default.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::{fs::FileExt as _, net::UnixStream},
    path::Path,
    sync::atomic::Ordering,
    time::Duration,
};

use cairn_control::{
    Caller, Control, ErrorKind,
    collect::CollectGarbage,
    request::{
        CopyVolumes, CreateVolume, Describe, DescribeAttribute, ModifyDefaultKey, ModifyVolume,
        ModifyVolumeAttribute, Settings, StartSnapshot,
    },
};
use cairn_model::{ModificationState, Region, SnapshotState, Volume, VolumeState};
use support::*;

const BLOCK: usize = 512 * 1024;
const GIB: u64 = 1 << 30;

fn grow(volume: &Volume, size: i32) -> ModifyVolume {
    ModifyVolume {
        volume_id: volume.id.to_string(),
        size: Some(size),
        ..ModifyVolume::default()
    }
}

fn copy_of(volume: &Volume) -> CopyVolumes {
    CopyVolumes {
        source_volume_id: volume.id.to_string(),
        ..CopyVolumes::default()
    }
}

async fn modification_now(
    control: &Control,
    caller: &Caller,
    volume: &Volume,
) -> cairn_model::Modification {
    let mut found = control
        .describe_volumes_modifications(caller, ids(&[&volume.id]))
        .await
        .unwrap();
    found.items.remove(0).modification
}

async fn copied(control: &Control, caller: &Caller, request: CopyVolumes) -> Volume {
    let mut copies = control.copy_volumes(caller, request).await.unwrap();
    let copy = copies.remove(0);
    assert_eq!(copy.state, VolumeState::Creating);
    copy
}

/// A server that is stopped at a point of a job, and the one that goes on.
async fn interrupted<T>(
    place: &Place,
    caller: &Caller,
    point: (&str, u32, bool),
    act: impl AsyncFnOnce(&Control, &Caller) -> T,
) -> (Control, T) {
    let gate = StopAt::new(point.0, point.1, point.2);
    let control = place.open_with(Some(gate.clone())).await;
    let made = act(&control, caller).await;
    control.idle().await.unwrap();
    assert!(gate.was_reached(), "{point:?}");
    drop(control);
    // The machine, too: what was not synced is gone with the page cache as far as anybody can tell.
    place.boots.fetch_add(1, Ordering::SeqCst);
    let control = place.open().await;
    control.idle().await.unwrap();
    (control, made)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_volume_grows_and_its_snapshots_with_it() {
    let place = Place::new(1201);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(1, BLOCK)).await;
    let before = take_snapshot(&control, &caller, &volume).await;
    let pending = begin_snapshot(&control, &caller, &volume).await;
    let begun = control
        .modify_volume(&caller, grow(&volume, 3))
        .await
        .unwrap();
    assert_eq!(begun.modification.state, ModificationState::Modifying);
    control.idle().await.unwrap();
    let grown = volume_now(&control, &caller, &volume).await;
    assert_eq!(
        (grown.size_gib, grown.iops, grown.state),
        (3, Some(100), VolumeState::Available)
    );
    let over = modification_now(&control, &caller, &volume).await;
    assert_eq!(
        (over.state, over.progress(), over.status_message),
        (ModificationState::Completed, 100, None)
    );
    assert_eq!(read(&control, &volume, 0, BLOCK).await, pattern(1, BLOCK));
    assert_eq!(
        read(&control, &volume, 3 * GIB - 4096, 4096).await,
        vec![0; 4096],
        "what is new is zeros"
    );
    write(&control, &volume, 2 * GIB, pattern(2, BLOCK)).await;
    let after = take_snapshot(&control, &caller, &volume).await;
    let pending = snapshot_now(&control, &caller, &pending).await;
    assert_eq!(
        (
            before.volume_size_gib,
            pending.volume_size_gib,
            after.volume_size_gib
        ),
        (1, 1, 3)
    );
    assert_eq!(before.digest, pending.digest);
    for (snapshot, size) in [(&pending, 1), (&after, 3)] {
        assert_eq!(snapshot.state, SnapshotState::Completed);
        let restored = available_volume(&control, &caller, from_snapshot(snapshot)).await;
        assert_eq!(restored.size_gib, size);
        assert_eq!(read(&control, &restored, 0, BLOCK).await, pattern(1, BLOCK));
    }
    let restored = available_volume(&control, &caller, from_snapshot(&after)).await;
    assert_eq!(
        read(&control, &restored, 2 * GIB, BLOCK).await,
        pattern(2, BLOCK)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_leaves_the_old_size_or_the_new_one() {
    let place = Place::new(1202);
    let (control, caller) = place.begin().await;
    drop(control);
    let mut seed = 0;
    for step in 0..3 {
        for taken in [false, true] {
            seed += 1;
            let point = ("modify-volume", step, taken);
            let (control, volume) = interrupted(&place, &caller, point, async |control, caller| {
                let volume = control.create_volume(caller, blank(1)).await.unwrap();
                control.idle().await.unwrap();
                write(control, &volume, 0, pattern(seed, BLOCK)).await;
                control
                    .modify_volume(caller, grow(&volume, 2))
                    .await
                    .unwrap();
                volume
            })
            .await;
            let grown = volume_now(&control, &caller, &volume).await;
            assert_eq!(grown.size_gib, 2, "{point:?}");
            let over = modification_now(&control, &caller, &volume).await;
            assert_eq!(over.state, ModificationState::Completed, "{point:?}");
            assert_eq!(
                read(&control, &volume, 0, BLOCK).await,
                pattern(seed, BLOCK)
            );
            assert_eq!(
                control.open_volume(&volume.id).await.unwrap().size_bytes(),
                2 * GIB
            );
            control.release_volume(&volume.id).await.unwrap();
            drop(control);
        }
    }
}

/// A snapshot that is taken while the files are larger and nothing shows it has the size of its bytes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_in_the_middle_of_growing_is_whole() {
    let place = Place::new(1203);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(1, BLOCK)).await;
    let open = control.open_volume(&volume.id).await.unwrap();
    open.grow(2 * GIB).unwrap();
    drop(open);
    let snapshot = take_snapshot(&control, &caller, &volume).await;
    assert_eq!(
        (snapshot.state, snapshot.volume_size_gib),
        (SnapshotState::Completed, 2)
    );
    let report = control
        .verify_snapshot(&caller, by_id(&snapshot.id))
        .await
        .unwrap();
    assert!(report.ok, "{report:?}");
    let restored = available_volume(&control, &caller, from_snapshot(&snapshot)).await;
    assert_eq!(read(&control, &restored, 0, BLOCK).await, pattern(1, BLOCK));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn modifications_are_refused_as_on_ec2() {
    let place = Place::new(1204);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(2)).await;
    let change = |request: ModifyVolume| {
        let request = ModifyVolume {
            volume_id: volume.id.to_string(),
            ..request
        };
        control.modify_volume(&caller, request)
    };
    let unknown = ModifyVolume {
        volume_id: "vol-0123456789abcdef0".to_owned(),
        ..grow(&volume, 3)
    };
    refused(
        control.modify_volume(&caller, unknown).await,
        ErrorKind::VolumeNotFound,
    );
    let stranger = new_caller(&control).await;
    refused(
        control.modify_volume(&stranger, grow(&volume, 3)).await,
        ErrorKind::VolumeNotFound,
    );
    let elsewhere = Caller {
        region: Region::named("eu-west-1").unwrap(),
        ..caller.clone()
    };
    refused(
        control.modify_volume(&elsewhere, grow(&volume, 3)).await,
        ErrorKind::VolumeNotFound,
    );
    refused(
        change(ModifyVolume::default()).await,
        ErrorKind::MissingParameter,
    );
    refused(
        change(grow(&volume, 1)).await,
        ErrorKind::InvalidParameterValue,
    );
    refused(
        change(grow(&volume, 20_000)).await,
        ErrorKind::VolumeSizeInvalid,
    );
    let typed = |spelled: &str| ModifyVolume {
        volume_type: Some(spelled.to_owned()),
        ..ModifyVolume::default()
    };
    refused(change(typed("gp4")).await, ErrorKind::VolumeTypeUnknown);
    refused(change(typed("st1")).await, ErrorKind::VolumeSizeInvalid);
    let shared = ModifyVolume {
        multi_attach_enabled: Some(true),
        ..ModifyVolume::default()
    };
    refused(change(shared).await, ErrorKind::InvalidParameterCombination);
    let fast = ModifyVolume {
        iops: Some(200),
        ..ModifyVolume::default()
    };
    refused(change(fast).await, ErrorKind::InvalidParameterCombination);
    let only_checked = ModifyVolume {
        dry_run: true,
        ..grow(&volume, 3)
    };
    refused(change(only_checked).await, ErrorKind::DryRun);
    let describe = |request: Describe| control.describe_volumes_modifications(&caller, request);
    refused(
        describe(ids(&[&volume.id])).await,
        ErrorKind::VolumeModificationNotFound,
    );
    assert_eq!(describe(Describe::default()).await.unwrap().items, []);

    change(typed("gp3")).await.unwrap();
    control.idle().await.unwrap();
    let changed = volume_now(&control, &caller, &volume).await;
    assert_eq!(
        (changed.iops, changed.throughput, changed.size_gib),
        (Some(3_000), Some(125), 2)
    );
    refused(
        change(grow(&volume, 3)).await,
        ErrorKind::VolumeModificationRateExceeded,
    );
    place.clock.advance(Duration::from_secs(6 * 60 * 60));
    change(grow(&volume, 3)).await.unwrap();
    control.idle().await.unwrap();
    let filtered = |name: &str, value: &str| Describe {
        filters: vec![filter(name, &[value])],
        ..Describe::default()
    };
    for (name, value) in [
        ("modification-state", "completed"),
        ("original-size", "2"),
        ("target-size", "3"),
        ("original-volume-type", "gp3"),
        ("target-iops", "3000"),
        ("targetMultiAttachEnabled", "false"),
        ("volume-id", volume.id.as_str()),
    ] {
        assert_eq!(
            describe(filtered(name, value)).await.unwrap().items.len(),
            1,
            "{name}"
        );
        assert_eq!(
            describe(filtered(name, "x")).await.unwrap().items.len(),
            0,
            "{name}"
        );
    }
    refused(
        describe(filtered("tag-key", "x")).await,
        ErrorKind::InvalidParameterValue,
    );
}

/// One that is under way keeps the next one out, and a deletion out of its way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_under_way_comes_first() {
    let place = Place::new(1205);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    drop(control);
    let gate = StopAt::new("modify-volume", 0, false);
    let control = place.open_with(Some(gate)).await;
    control
        .modify_volume(&caller, grow(&volume, 2))
        .await
        .unwrap();
    control.idle().await.unwrap();
    let message = refused(
        control.modify_volume(&caller, grow(&volume, 3)).await,
        ErrorKind::IncorrectModificationState,
    );
    assert!(message.contains("'modifying'"), "{message}");
    control
        .delete_volume(&caller, by_id(&volume.id))
        .await
        .unwrap();
    drop(control);
    let control = place.open().await;
    control.idle().await.unwrap();
    refused(
        control.describe_volumes(&caller, ids(&[&volume.id])).await,
        ErrorKind::VolumeNotFound,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_has_what_its_source_had_at_the_call() {
    let place = Place::new(1211);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(1, 2 * BLOCK)).await;
    let snapshot = begin_snapshot(&control, &caller, &volume).await;
    let larger = CopyVolumes {
        size: Some(2),
        volume_type: Some("gp3".to_owned()),
        ..copy_of(&volume)
    };
    let copy = copied(&control, &caller, larger).await;
    assert_eq!(copy.source_volume_id.as_ref(), Some(&volume.id));
    write(&control, &volume, 0, pattern(2, BLOCK)).await;
    let later = begin_snapshot(&control, &caller, &volume).await;
    write(&control, &volume, 0, pattern(3, BLOCK)).await;
    // The jobs of one volume wait for each other, by the clock.
    while volume_now(&control, &caller, &copy).await.state == VolumeState::Creating {
        place.clock.advance(Duration::from_secs(1));
        control.wake_jobs();
        control.idle().await.unwrap();
    }
    place.clock.advance(Duration::from_secs(2));
    control.wake_jobs();
    control.idle().await.unwrap();
    let copy = volume_now(&control, &caller, &copy).await;
    assert_eq!((copy.state, copy.size_gib), (VolumeState::Available, 2));
    assert_eq!(copy.volume_type.as_str(), "gp3");
    assert_eq!(
        read(&control, &copy, 0, 2 * BLOCK).await,
        pattern(1, 2 * BLOCK)
    );
    assert_eq!(read(&control, &copy, 2 * GIB - 512, 512).await, [0; 512]);
    assert_eq!(read(&control, &volume, 0, BLOCK).await, pattern(3, BLOCK));
    for (snapshot, seed) in [(snapshot, 1), (later, 2)] {
        let snapshot = snapshot_now(&control, &caller, &snapshot).await;
        assert_eq!(snapshot.state, SnapshotState::Completed);
        let restored = available_volume(&control, &caller, from_snapshot(&snapshot)).await;
        assert_eq!(
            read(&control, &restored, 0, BLOCK).await,
            pattern(seed, BLOCK)
        );
    }
    let own = take_snapshot(&control, &caller, &copy).await;
    assert_eq!(own.state, SnapshotState::Completed);
    assert_eq!(
        control
            .open_volume(&volume.id)
            .await
            .unwrap()
            .pending_epochs(),
        [],
        "what was frozen for the copy is given up"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_goes_on_after_a_crash_and_outlives_its_source() {
    let place = Place::new(1212);
    let (control, caller) = place.begin().await;
    drop(control);
    let mut seed = 10;
    for step in 0..2 {
        for taken in [false, true] {
            seed += 1;
            let point = ("copy-volume", step, taken);
            let (control, (volume, copy)) =
                interrupted(&place, &caller, point, async |control, caller| {
                    let volume = available_volume(control, caller, blank(1)).await;
                    write(control, &volume, 0, pattern(seed, BLOCK)).await;
                    let copy = copied(control, caller, copy_of(&volume)).await;
                    write(control, &volume, 0, pattern(99, BLOCK)).await;
                    control
                        .delete_volume(caller, by_id(&volume.id))
                        .await
                        .unwrap();
                    (volume, copy)
                })
                .await;
            place.clock.advance(Duration::from_secs(2));
            control.wake_jobs();
            control.idle().await.unwrap();
            let copy = volume_now(&control, &caller, &copy).await;
            assert_eq!(copy.state, VolumeState::Available, "{point:?}");
            refused(
                control.describe_volumes(&caller, ids(&[&volume.id])).await,
                ErrorKind::VolumeNotFound,
            );
            control
                .collect_garbage(&caller, CollectGarbage::default())
                .await
                .unwrap();
            place.clock.advance(Duration::from_secs(86_400));
            control
                .collect_garbage(&caller, CollectGarbage::default())
                .await
                .unwrap();
            assert_eq!(
                read(&control, &copy, 0, BLOCK).await,
                pattern(seed, BLOCK),
                "{point:?}"
            );
            control.release_volume(&copy.id).await.unwrap();
            drop(control);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_are_made_once_and_refused_as_volumes_are() {
    let place = Place::new(1213);
    let (control, caller) = place.begin().await;
    let encrypted = CreateVolume {
        encrypted: Some(true),
        ..blank(2)
    };
    let volume = available_volume(&control, &caller, encrypted).await;
    let smaller = CopyVolumes {
        size: Some(1),
        ..copy_of(&volume)
    };
    refused(
        control.copy_volumes(&caller, smaller).await,
        ErrorKind::VolumeSizeInvalid,
    );
    let typed = |spelled: &str| CopyVolumes {
        volume_type: Some(spelled.to_owned()),
        ..copy_of(&volume)
    };
    refused(
        control.copy_volumes(&caller, typed("io2")).await,
        ErrorKind::VolumeSizeInvalid,
    );
    let shared = CopyVolumes {
        multi_attach_enabled: Some(true),
        ..copy_of(&volume)
    };
    refused(
        control.copy_volumes(&caller, shared).await,
        ErrorKind::InvalidParameterCombination,
    );
    let stranger = new_caller(&control).await;
    refused(
        control.copy_volumes(&stranger, copy_of(&volume)).await,
        ErrorKind::VolumeNotFound,
    );
    let checked = CopyVolumes {
        dry_run: true,
        ..copy_of(&volume)
    };
    refused(
        control.copy_volumes(&caller, checked).await,
        ErrorKind::DryRun,
    );
    let tokened = |size| CopyVolumes {
        client_token: Some("once".to_owned()),
        size: Some(size),
        ..copy_of(&volume)
    };
    let copy = copied(&control, &caller, tokened(3)).await;
    assert_eq!(
        copy.kms_key_id, volume.kms_key_id,
        "it is kept under the same key"
    );
    control.idle().await.unwrap();
    let again = control.copy_volumes(&caller, tokened(3)).await.unwrap();
    assert_eq!(again[0].id, copy.id);
    refused(
        control.copy_volumes(&caller, tokened(4)).await,
        ErrorKind::IdempotentParameterMismatch,
    );
    let all = control
        .describe_volumes(&caller, Describe::default())
        .await
        .unwrap();
    assert_eq!(all.items.len(), 2);
    let of_source = Describe {
        filters: vec![filter("source-volume-id", &[volume.id.as_str()])],
        ..Describe::default()
    };
    let found = control.describe_volumes(&caller, of_source).await.unwrap();
    assert_eq!(
        found.items.iter().map(|v| &v.id).collect::<Vec<_>>(),
        [&copy.id]
    );
}

/// What a client of a volume's socket is told when it reads 512 bytes: 0, or an error of NBD.
fn read_error(socket: &Path, offset: u64) -> u32 {
    let mut stream = UnixStream::connect(socket).unwrap();
    let mut greeting = [0; 18];
    stream.read_exact(&mut greeting).unwrap();
    // NBD_OPT_EXPORT_NAME of the export "", and no zeros behind the answer.
    stream.write_all(&3_u32.to_be_bytes()).unwrap();
    stream.write_all(b"IHAVEOPT\0\0\0\x01\0\0\0\0").unwrap();
    stream.read_exact(&mut [0; 10]).unwrap();
    let mut request = 0x2560_9513_u32.to_be_bytes().to_vec();
    request.extend([0; 12]);
    request.extend(offset.to_be_bytes());
    request.extend(512_u32.to_be_bytes());
    stream.write_all(&request).unwrap();
    let mut reply = [0; 16];
    stream.read_exact(&mut reply).unwrap();
    u32::from_be_bytes(reply[4..8].try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_volume_that_lost_blocks_is_impaired_until_its_owner_goes_on() {
    let place = Place::new(1221);
    let (control, caller) = place.begin().await;
    let source = available_volume(&control, &caller, blank(1)).await;
    write(&control, &source, 0, pattern(1, 2 * BLOCK)).await;
    let snapshot = take_snapshot(&control, &caller, &source).await;
    let volume = available_volume(&control, &caller, from_snapshot(&snapshot)).await;
    control.shutdown().await;
    drop(control);
    let packs = place.data_dir().join("regions/us-east-1/packs");
    let mut data: Vec<_> = fs::read_dir(packs)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(".data"))
        .collect();
    data.sort();
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&data[0])
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, 300).unwrap();
    file.write_all_at(&[byte[0] ^ 1], 300).unwrap();
    let control = place.open().await;
    let statuses = async |filters| {
        let request = Describe {
            filters,
            ..Describe::default()
        };
        control
            .describe_volume_status(&caller, request)
            .await
            .unwrap()
            .items
    };
    let status = async || {
        let found = statuses(vec![]).await;
        let found = found.into_iter().find(|found| found.volume.id == volume.id);
        let found = found.unwrap();
        (
            found.status(),
            found.details()[0].1,
            found.event().map(|event| event.description),
        )
    };
    let fine = ("ok", "passed", None);
    assert_eq!(status().await, fine);
    control
        .enable_volume_io(&caller, by_id(&volume.id))
        .await
        .unwrap();
    control.start_scrub(&caller, None).await.unwrap();
    control.idle().await.unwrap();
    let waiting = ("impaired", "failed", Some("Awaiting Action: Enable IO"));
    assert_eq!(
        status().await,
        waiting,
        "what was enabled before does not count"
    );
    let socket = control.export_volume(&volume.id).await.unwrap();
    let whole = BLOCK as u64;
    let error = async || {
        let socket = socket.clone();
        let read = tokio::task::spawn_blocking(move || read_error(&socket, whole));
        read.await.unwrap()
    };
    assert_ne!(error().await, 0, "guests are kept out of all of it");
    let by_action = vec![filter("action.code", &["enable-volume-io"])];
    assert_eq!(statuses(by_action.clone()).await.len(), 1);
    let modify = |value| ModifyVolumeAttribute {
        volume_id: volume.id.to_string(),
        auto_enable_io: Some(value),
        dry_run: false,
    };
    let going_on = ("impaired", "passed", Some("IO Enabled"));
    control
        .modify_volume_attribute(&caller, modify(true))
        .await
        .unwrap();
    assert_eq!(error().await, 0);
    assert_eq!(status().await, going_on);
    control
        .modify_volume_attribute(&caller, modify(false))
        .await
        .unwrap();
    assert_ne!(error().await, 0);
    assert_eq!(status().await, waiting);
    control
        .enable_volume_io(&caller, by_id(&volume.id))
        .await
        .unwrap();
    assert_eq!(status().await, going_on);
    assert_eq!(statuses(by_action).await.len(), 0);
    let impaired = vec![filter("volume-status.status", &["impaired"])];
    assert_eq!(
        statuses(impaired).await.len(),
        1,
        "the other one has all its blocks"
    );
    let attribute = DescribeAttribute {
        id: volume.id.to_string(),
        attribute: "nothing".to_owned(),
        dry_run: false,
    };
    refused(
        control.describe_volume_attribute(&caller, attribute).await,
        ErrorKind::InvalidParameterValue,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_new_is_encrypted_where_that_is_the_default() {
    let place = Place::new(1231);
    let (control, caller) = place.begin().await;
    let other = new_caller(&control).await;
    let plain = available_volume(&control, &caller, blank(1)).await;
    write(&control, &plain, 0, pattern(1, BLOCK)).await;
    let plain_snapshot = take_snapshot(&control, &caller, &plain).await;
    let settings = Settings::default();
    let only_checked = Settings { dry_run: true };
    refused(
        control
            .enable_encryption_by_default(&caller, only_checked)
            .await,
        ErrorKind::DryRun,
    );
    assert!(
        !control
            .encryption_by_default(&caller, settings)
            .await
            .unwrap()
            .enabled
    );
    control
        .enable_encryption_by_default(&caller, settings)
        .await
        .unwrap();
    assert!(
        control
            .encryption_by_default(&caller, settings)
            .await
            .unwrap()
            .enabled
    );
    assert!(
        !control
            .encryption_by_default(&other, settings)
            .await
            .unwrap()
            .enabled
    );
    assert_eq!(
        control.default_key(&caller, settings).await.unwrap(),
        "alias/aws/ebs"
    );

    let blank_one = available_volume(&control, &caller, blank(1)).await;
    let managed = control.list_keys(&caller).await.unwrap().remove(0);
    assert_eq!(blank_one.kms_key_id, Some(managed.arn()));
    let mine = control.create_key(&caller, None).await.unwrap();
    let choose = |name: &str| ModifyDefaultKey {
        kms_key_id: name.to_owned(),
        dry_run: false,
    };
    let set = control
        .modify_default_key(&caller, choose(mine.id.as_str()))
        .await
        .unwrap();
    assert_eq!(set, mine.arn());
    assert_eq!(
        control.default_key(&caller, settings).await.unwrap(),
        mine.arn()
    );
    refused(
        control
            .modify_default_key(&other, choose(&mine.arn()))
            .await,
        ErrorKind::KmsKeyNotFound,
    );
    let restored = available_volume(&control, &caller, from_snapshot(&plain_snapshot)).await;
    assert_eq!(restored.kms_key_id, Some(mine.arn()));
    assert_eq!(read(&control, &restored, 0, BLOCK).await, pattern(1, BLOCK));
    let copy = copied(&control, &caller, copy_of(&plain)).await;
    assert_eq!(
        copy.kms_key_id,
        Some(mine.arn()),
        "also a copy of what is plain"
    );
    control.idle().await.unwrap();
    assert_eq!(read(&control, &copy, 0, BLOCK).await, pattern(1, BLOCK));
    let start = |parent: Option<String>| StartSnapshot {
        volume_size: 1,
        parent_snapshot_id: parent,
        ..StartSnapshot::default()
    };
    let upload = control.start_snapshot(&caller, start(None)).await.unwrap();
    assert_eq!(upload.kms_key_id, Some(mine.arn()));
    let parent = Some(plain_snapshot.id.to_string());
    refused(
        control.start_snapshot(&caller, start(parent.clone())).await,
        ErrorKind::EbsInvalidParentSnapshot,
    );
    let unencrypted = CreateVolume {
        encrypted: Some(false),
        ..blank(1)
    };
    assert!(
        available_volume(&control, &caller, unencrypted)
            .await
            .encrypted
    );
    assert!(!available_volume(&control, &other, blank(1)).await.encrypted);
    let elsewhere = Caller {
        region: Region::named("eu-west-1").unwrap(),
        ..caller.clone()
    };
    let there = CreateVolume {
        availability_zone: Some("eu-west-1a".to_owned()),
        ..blank(1)
    };
    assert!(
        !available_volume(&control, &elsewhere, there)
            .await
            .encrypted
    );

    control.reset_default_key(&caller, settings).await.unwrap();
    let of_ebs = available_volume(&control, &caller, blank(1)).await;
    assert_eq!(of_ebs.kms_key_id, Some(managed.arn()));
    control
        .disable_encryption_by_default(&caller, settings)
        .await
        .unwrap();
    assert!(
        !available_volume(&control, &caller, blank(1))
            .await
            .encrypted
    );
    control
        .start_snapshot(&caller, start(parent))
        .await
        .unwrap();
}
