//! Copies of snapshots: which bytes they move, and that they are whole or not there.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::path::Path;

use cairn_control::{
    Caller, Control, ErrorKind,
    request::{CopySnapshot, CreateVolume, ModifySnapshotAttribute, kms::CreateGrant},
};
use cairn_model::{Snapshot, SnapshotState, TagSpecification, Volume};
use support::*;

const BLOCK: usize = 512 * 1024;

fn copy_of(snapshot: &Snapshot) -> CopySnapshot {
    CopySnapshot {
        source_region: snapshot.region.name().to_owned(),
        source_snapshot_id: snapshot.id.to_string(),
        ..CopySnapshot::default()
    }
}

async fn copy(control: &Control, caller: &Caller, request: CopySnapshot) -> Snapshot {
    let begun = control.copy_snapshot(caller, request).await.unwrap();
    assert_eq!((begun.state, begun.progress), (SnapshotState::Pending, 0));
    control.idle().await.unwrap();
    let done = snapshot_now(control, caller, &begun).await;
    let why = done.state_message.clone();
    assert_eq!(done.state, SnapshotState::Completed, "{why:?}");
    assert_eq!(done.progress, 100);
    done
}

async fn restored(control: &Control, caller: &Caller, snapshot: &Snapshot) -> Volume {
    let zone = format!("{}a", caller.region);
    let request = CreateVolume {
        availability_zone: Some(zone),
        ..from_snapshot(snapshot)
    };
    available_volume(control, caller, request).await
}

async fn share(control: &Control, caller: &Caller, snapshot: &Snapshot, with: &Caller) {
    let request = ModifySnapshotAttribute {
        snapshot_id: snapshot.id.to_string(),
        operation_type: Some("add".to_owned()),
        user_ids: vec![with.account.to_string()],
        attribute: Some("createVolumePermission".to_owned()),
        ..ModifySnapshotAttribute::default()
    };
    control
        .modify_snapshot_attribute(caller, request)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_within_a_domain_takes_no_bytes() {
    let place = Place::new(801);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(1, 3 * BLOCK)).await;
    let source = take_snapshot(&control, &caller, &volume).await;
    let before = pack_bytes(&place, "us-east-1");
    let request = CopySnapshot {
        description: Some("a copy".to_owned()),
        completion_duration_minutes: Some(15),
        destination_region: Some("us-east-1".to_owned()),
        ..copy_of(&source)
    };
    let done = copy(&control, &caller, request).await;
    assert_eq!(pack_bytes(&place, "us-east-1"), before);
    assert_eq!(
        (&done.digest, done.full_size_bytes),
        (&source.digest, source.full_size_bytes)
    );
    assert_eq!(done.description, "a copy");
    assert_eq!(done.volume_id.as_str(), "vol-ffffffff");
    assert_ne!(done.signature, source.signature, "it is another snapshot's");
    control
        .delete_snapshot(&caller, by_id(&source.id))
        .await
        .unwrap();
    control
        .delete_volume(&caller, by_id(&volume.id))
        .await
        .unwrap();
    control.idle().await.unwrap();
    collect_all(&place, &control, &caller).await;
    let copied = restored(&control, &caller, &done).await;
    assert_eq!(
        read(&control, &copied, 0, 3 * BLOCK).await,
        pattern(1, 3 * BLOCK)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_to_another_region_moves_what_is_missing_there() {
    let place = Place::new(802);
    let (control, caller) = place.begin().await;
    let there = in_region(&caller, "eu-west-1");
    let volume = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(1, 8 * BLOCK)).await;
    write(&control, &volume, 900 * BLOCK as u64, pattern(5, 4096)).await;
    let first = take_snapshot(&control, &caller, &volume).await;
    write(&control, &volume, 0, pattern(2, BLOCK)).await;
    let second = take_snapshot(&control, &caller, &volume).await;

    let copied = copy(&control, &there, copy_of(&first)).await;
    assert_eq!(copied.digest, first.digest);
    let once = pack_bytes(&place, "eu-west-1");
    assert!(once > 8 * BLOCK as u64, "{once}");
    let next = copy(&control, &there, copy_of(&second)).await;
    assert_eq!(next.digest, second.digest);
    let grown = pack_bytes(&place, "eu-west-1") - once;
    assert!((BLOCK as u64..2 * BLOCK as u64).contains(&grown), "{grown}");
    // Nothing of it is needed where it came from.
    for snapshot in [&first, &second] {
        control
            .delete_snapshot(&caller, by_id(&snapshot.id))
            .await
            .unwrap();
    }
    control.idle().await.unwrap();
    let back = restored(&control, &there, &next).await;
    assert_eq!(read(&control, &back, 0, BLOCK).await, pattern(2, BLOCK));
    let rest = read(&control, &back, BLOCK as u64, 7 * BLOCK).await;
    assert_eq!(rest, pattern(1, 8 * BLOCK)[BLOCK..]);
    let last = read(&control, &back, 900 * BLOCK as u64, BLOCK).await;
    assert_eq!(last[..4096], pattern(5, 4096));
    assert_eq!(last[4096..], vec![0; BLOCK - 4096]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_change_on_the_way_and_the_digest_does_not() {
    let place = Place::new(803);
    let (control, caller) = place.begin().await;
    let stranger = new_caller(&control).await;
    let (key, other) = (
        control.create_key(&caller, None).await.unwrap(),
        control.create_key(&stranger, None).await.unwrap(),
    );
    let volume = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(1, 2 * BLOCK)).await;
    let plain = take_snapshot(&control, &caller, &volume).await;
    let request = CopySnapshot {
        encrypted: Some(true),
        kms_key_id: Some(key.id.to_string()),
        ..copy_of(&plain)
    };
    let sealed = copy(&control, &caller, request).await;
    assert_eq!(sealed.kms_key_id, Some(key.arn()));
    assert_eq!(sealed.digest, plain.digest);
    // One's own key goes along within the region, and the account's own is taken elsewhere.
    let same = copy(&control, &caller, copy_of(&sealed)).await;
    assert_eq!(same.kms_key_id, Some(key.arn()));
    let there = in_region(&caller, "eu-west-1");
    let elsewhere = copy(&control, &there, copy_of(&sealed)).await;
    assert!(elsewhere.encrypted && elsewhere.kms_key_id != Some(key.arn()));
    assert_eq!(elsewhere.digest, plain.digest);
    refused(
        control
            .copy_snapshot(
                &caller,
                CopySnapshot {
                    encrypted: Some(false),
                    ..copy_of(&sealed)
                },
            )
            .await,
        ErrorKind::InvalidParameterValue,
    );

    share(&control, &caller, &sealed, &stranger).await;
    let request = CopySnapshot {
        encrypted: Some(true),
        kms_key_id: Some(other.arn()),
        ..copy_of(&sealed)
    };
    // Being let in to the snapshot is not being let use its key.
    refused(
        control.copy_snapshot(&stranger, request.clone()).await,
        ErrorKind::KmsKeyAccessDenied,
    );
    let grant = CreateGrant {
        key_id: key.id.to_string(),
        grantee_principal: format!("arn:aws:iam::{}:root", stranger.account),
        operations: vec!["Decrypt".to_owned()],
        ..CreateGrant::default()
    };
    control.create_grant(&caller, grant).await.unwrap();
    let theirs = copy(&control, &stranger, request).await;
    assert_eq!(
        (&theirs.account, &theirs.kms_key_id),
        (&stranger.account, &Some(other.arn()))
    );
    assert_eq!(theirs.digest, plain.digest);
    // The copy is under its own key alone.
    control.delete_key(&caller, key.id.as_str()).await.unwrap();
    control.idle().await.unwrap();
    let back = restored(&control, &stranger, &theirs).await;
    assert_eq!(
        read(&control, &back, 0, 2 * BLOCK).await,
        pattern(1, 2 * BLOCK)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_a_crash_interrupts_is_made_of_a_source_that_is_gone() {
    for taken in [false, true] {
        let place = Place::new(804);
        let (control, caller) = place.begin().await;
        let there = in_region(&caller, "eu-west-1");
        let volume = available_volume(&control, &caller, blank(1)).await;
        write(&control, &volume, 0, pattern(1, 3 * BLOCK)).await;
        let source = take_snapshot(&control, &caller, &volume).await;
        control
            .delete_volume(&caller, by_id(&volume.id))
            .await
            .unwrap();
        control.idle().await.unwrap();
        control.shutdown().await;
        drop(control);

        let gate = StopAt::new("copy-snapshot", 0, taken);
        let control = place.open_with(Some(gate.clone())).await;
        let begun = control
            .copy_snapshot(&there, copy_of(&source))
            .await
            .unwrap();
        control.idle().await.unwrap();
        assert!(gate.was_reached());
        control
            .delete_snapshot(&caller, by_id(&source.id))
            .await
            .unwrap();
        drop(control);

        // All that is garbage goes before the copy goes on.
        let gate = StopAt::new("copy-snapshot", 0, false);
        let control = place.open_with(Some(gate)).await;
        control.idle().await.unwrap();
        collect_all(&place, &control, &caller).await;
        drop(control);
        let control = place.open().await;
        control.idle().await.unwrap();
        let done = snapshot_now(&control, &there, &begun).await;
        assert_eq!(
            (done.state, &done.digest),
            (SnapshotState::Completed, &source.digest)
        );
        let back = restored(&control, &there, &done).await;
        assert_eq!(
            read(&control, &back, 0, 3 * BLOCK).await,
            pattern(1, 3 * BLOCK)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_copied_is_refused() {
    let place = Place::new(805);
    let (control, caller) = place.begin().await;
    let stranger = new_caller(&control).await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(1, BLOCK)).await;
    let source = take_snapshot(&control, &caller, &volume).await;
    let cases = [
        (
            CopySnapshot {
                source_region: "mars-1".to_owned(),
                ..copy_of(&source)
            },
            ErrorKind::InvalidParameterValue,
        ),
        (
            CopySnapshot {
                source_region: "eu-west-1".to_owned(),
                ..copy_of(&source)
            },
            ErrorKind::SnapshotNotFound,
        ),
        (
            CopySnapshot {
                source_snapshot_id: "snap-xyz".to_owned(),
                ..copy_of(&source)
            },
            ErrorKind::SnapshotIdMalformed,
        ),
        (
            CopySnapshot {
                destination_region: Some("eu-west-1".to_owned()),
                ..copy_of(&source)
            },
            ErrorKind::InvalidParameterValue,
        ),
        (
            CopySnapshot {
                kms_key_id: Some("alias/aws/ebs".to_owned()),
                ..copy_of(&source)
            },
            ErrorKind::InvalidParameterDependency,
        ),
        (
            CopySnapshot {
                encrypted: Some(true),
                kms_key_id: Some("alias/none".to_owned()),
                ..copy_of(&source)
            },
            ErrorKind::KmsKeyNotFound,
        ),
        (
            CopySnapshot {
                completion_duration_minutes: Some(14),
                ..copy_of(&source)
            },
            ErrorKind::InvalidParameterValue,
        ),
        (
            CopySnapshot {
                completion_duration_minutes: Some(2895),
                ..copy_of(&source)
            },
            ErrorKind::InvalidParameterValue,
        ),
        (
            CopySnapshot {
                description: Some("x".repeat(256)),
                ..copy_of(&source)
            },
            ErrorKind::InvalidParameterValue,
        ),
        (
            CopySnapshot {
                tag_specifications: vec![TagSpecification {
                    resource_type: "volume".to_owned(),
                    tags: Vec::new(),
                }],
                ..copy_of(&source)
            },
            ErrorKind::InvalidParameterValue,
        ),
        (
            CopySnapshot {
                dry_run: true,
                ..copy_of(&source)
            },
            ErrorKind::DryRun,
        ),
    ];
    for (request, kind) in cases {
        refused(control.copy_snapshot(&caller, request).await, kind);
    }
    refused(
        control.copy_snapshot(&stranger, copy_of(&source)).await,
        ErrorKind::SnapshotNotFound,
    );
    // Not one of them left anything behind.
    let count = |found: cairn_model::Paged<Snapshot>| found.items.len();
    let found = control
        .describe_snapshots(&caller, Default::default())
        .await
        .unwrap();
    assert_eq!(count(found), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_what_cannot_be_read_fails_as_a_whole() {
    let place = Place::new(806);
    let (control, caller) = place.begin().await;
    let there = in_region(&caller, "eu-west-1");
    let volume = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(1, 2 * BLOCK)).await;
    let source = take_snapshot(&control, &caller, &volume).await;
    control.shutdown().await;
    drop(control);
    let packs = place.data_dir().join("regions/us-east-1/packs");
    damage_data(&packs);
    let control = place.open().await;
    let begun = control
        .copy_snapshot(&there, copy_of(&source))
        .await
        .unwrap();
    control.idle().await.unwrap();
    let failed = snapshot_now(&control, &there, &begun).await;
    assert_eq!(failed.state, SnapshotState::Error);
    assert!(failed.state_message.is_some() && failed.root.is_none());
}

/// Flips a byte in the middle of every pack of data.
fn damage_data(packs: &Path) {
    for entry in std::fs::read_dir(packs).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "data")
        {
            let mut bytes = std::fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0xff;
            std::fs::write(&path, bytes).unwrap();
        }
    }
}
