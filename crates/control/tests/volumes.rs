//! Volumes from their creation to their deletion.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::sync::Arc;

use cairn_control::{
    Control, ErrorKind,
    request::{ById, CreateVolume, Describe},
};
use cairn_model::{Page, Tag, TagSpecification, VolumeState, VolumeType};
use cairn_testkit::{OpKind, SimDisk, TraceEntry};
use cairn_volume::Scarcity;
use support::*;

fn tagged(size: i32, tags: &[(&str, &str)]) -> CreateVolume {
    let tags = tags
        .iter()
        .map(|(k, v)| Tag {
            key: (*k).to_owned(),
            value: (*v).to_owned(),
        })
        .collect();
    let specification = TagSpecification {
        resource_type: "volume".to_owned(),
        tags,
    };
    CreateVolume {
        tag_specifications: vec![specification],
        ..blank(size)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_volume_lives_from_creating_to_gone() {
    let place = Place::new(1);
    let (control, caller) = place.begin().await;
    let created = control
        .create_volume(&caller, tagged(1, &[("Name", "data")]))
        .await
        .unwrap();
    assert_eq!(created.state, VolumeState::Creating);
    assert_eq!(
        (created.volume_type, created.iops, created.throughput),
        (VolumeType::Gp2, Some(100), None)
    );
    assert_eq!(
        created.create_time.0 % 1_000_000,
        0,
        "times are whole seconds"
    );
    control.idle().await.unwrap();
    let available = volume_now(&control, &caller, &created).await;
    assert_eq!(available.state, VolumeState::Available);
    assert_eq!(available.tags["Name"], "data");
    let zeros = read(&control, &available, (1 << 30) - 4096, 4096).await;
    assert_eq!(
        zeros,
        vec![0; 4096],
        "a blank volume reads as zeros to its end"
    );

    control
        .delete_volume(&caller, by_id(&created.id))
        .await
        .unwrap();
    let again = control.delete_volume(&caller, by_id(&created.id)).await;
    refused(again, ErrorKind::VolumeNotFound);
    control.idle().await.unwrap();
    let gone = control.describe_volumes(&caller, ids(&[&created.id])).await;
    let message = refused(gone, ErrorKind::VolumeNotFound);
    assert_eq!(
        message,
        format!("The volume '{}' does not exist.", created.id)
    );
    assert!(!place.volume_dir(&created).exists(), "its files are gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_token_makes_one_volume() {
    let place = Place::new(2);
    let (control, caller) = place.begin().await;
    let with_token = |size| CreateVolume {
        client_token: Some("t-1".to_owned()),
        ..blank(size)
    };
    let first = control.create_volume(&caller, with_token(1)).await.unwrap();
    control.idle().await.unwrap();
    let second = control.create_volume(&caller, with_token(1)).await.unwrap();
    assert_eq!(second.id, first.id);
    assert_eq!(second.state, VolumeState::Available, "in its current state");
    refused(
        control.create_volume(&caller, with_token(2)).await,
        ErrorKind::IdempotentParameterMismatch,
    );
    let dry = CreateVolume {
        dry_run: true,
        ..with_token(1)
    };
    refused(control.create_volume(&caller, dry).await, ErrorKind::DryRun);
    drop(control);
    let control = place.open().await;
    let third = control.create_volume(&caller, with_token(1)).await.unwrap();
    assert_eq!(third.id, first.id, "also after a restart");
    let other = new_caller(&control).await;
    let others = control.create_volume(&other, with_token(1)).await.unwrap();
    assert_ne!(others.id, first.id, "tokens are an account's own");
    assert_eq!(
        control
            .describe_volumes(&caller, Describe::default())
            .await
            .unwrap()
            .items
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_same_time_a_token_makes_one_volume() {
    let place = Place::new(3);
    let (control, caller) = place.begin().await;
    let request = CreateVolume {
        client_token: Some("t".to_owned()),
        ..blank(1)
    };
    let calls = (0..8).map(|_| {
        let (control, caller, request) = (control.clone(), caller.clone(), request.clone());
        tokio::spawn(async move { control.create_volume(&caller, request).await.unwrap().id })
    });
    let mut made = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        made.push(call.await.unwrap());
    }
    made.dedup();
    assert_eq!(made.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let place = Place::new(4);
    let (control, caller) = place.begin().await;
    let cases = [
        (
            CreateVolume {
                availability_zone: None,
                ..blank(1)
            },
            ErrorKind::MissingParameter,
        ),
        (
            CreateVolume {
                size: None,
                ..blank(1)
            },
            ErrorKind::MissingParameter,
        ),
        (
            CreateVolume {
                availability_zone: Some("us-east-1x".to_owned()),
                ..blank(1)
            },
            ErrorKind::ZoneNotFound,
        ),
        (
            CreateVolume {
                availability_zone: Some("use1-az1".to_owned()),
                ..blank(1)
            },
            ErrorKind::ZoneNotFound,
        ),
        (
            CreateVolume {
                volume_type: Some("gp9".to_owned()),
                ..blank(1)
            },
            ErrorKind::VolumeTypeUnknown,
        ),
        (
            CreateVolume {
                volume_type: Some("st1".to_owned()),
                ..blank(1)
            },
            ErrorKind::VolumeSizeInvalid,
        ),
        (
            CreateVolume {
                volume_type: Some("io1".to_owned()),
                ..blank(4)
            },
            ErrorKind::MissingParameter,
        ),
        (
            CreateVolume {
                iops: Some(3000),
                ..blank(1)
            },
            ErrorKind::InvalidParameterCombination,
        ),
        (blank(0), ErrorKind::VolumeSizeInvalid),
        (blank(16_385), ErrorKind::VolumeSizeInvalid),
        (
            CreateVolume {
                encrypted: Some(true),
                kms_key_id: Some("k".to_owned()),
                ..blank(1)
            },
            ErrorKind::KmsKeyNotFound,
        ),
        (
            CreateVolume {
                kms_key_id: Some("k".to_owned()),
                ..blank(1)
            },
            ErrorKind::InvalidParameterDependency,
        ),
        (
            CreateVolume {
                snapshot_id: Some("snap-1".to_owned()),
                ..blank(1)
            },
            ErrorKind::SnapshotIdMalformed,
        ),
        (
            CreateVolume {
                snapshot_id: Some("snap-0123456789abcdef0".to_owned()),
                ..blank(1)
            },
            ErrorKind::SnapshotNotFound,
        ),
        (
            tagged(1, &[("aws:x", "y")]),
            ErrorKind::InvalidParameterValue,
        ),
        (
            CreateVolume {
                client_token: Some("t".repeat(65)),
                ..blank(1)
            },
            ErrorKind::InvalidParameterValue,
        ),
        (
            CreateVolume {
                volume_initialization_rate: Some(100),
                ..blank(1)
            },
            ErrorKind::InvalidParameterCombination,
        ),
        (
            CreateVolume {
                snapshot_id: Some("snap-0123456789abcdef0".to_owned()),
                volume_initialization_rate: Some(301),
                ..blank(1)
            },
            ErrorKind::InvalidParameterValue,
        ),
        (
            CreateVolume {
                dry_run: true,
                ..blank(1)
            },
            ErrorKind::DryRun,
        ),
        // A dry run checks first.
        (
            CreateVolume {
                dry_run: true,
                ..blank(0)
            },
            ErrorKind::VolumeSizeInvalid,
        ),
    ];
    for (request, kind) in cases {
        refused(control.create_volume(&caller, request).await, kind);
    }
    assert!(
        control
            .describe_volumes(&caller, Describe::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
    let by_zone_id = CreateVolume {
        availability_zone: None,
        availability_zone_id: Some("use1-az2".to_owned()),
        ..blank(1)
    };
    let made = control.create_volume(&caller, by_zone_id).await.unwrap();
    assert_eq!(made.availability_zone, "us-east-1b");
    refused(
        control.delete_volume(&caller, by_id(&"vol-xyz")).await,
        ErrorKind::VolumeIdMalformed,
    );
    let dry = ById {
        dry_run: true,
        ..by_id(&available_volume(&control, &caller, blank(1)).await.id)
    };
    refused(control.delete_volume(&caller, dry).await, ErrorKind::DryRun);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_and_other_regions_see_nothing() {
    let place = Place::new(5);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    let other = new_caller(&control).await;
    let mut elsewhere = caller.clone();
    elsewhere.region = cairn_model::Region::named("eu-west-1").unwrap();
    for stranger in [&other, &elsewhere] {
        refused(
            control.describe_volumes(stranger, ids(&[&volume.id])).await,
            ErrorKind::VolumeNotFound,
        );
        refused(
            control.delete_volume(stranger, by_id(&volume.id)).await,
            ErrorKind::VolumeNotFound,
        );
        assert!(
            control
                .describe_volumes(stranger, Describe::default())
                .await
                .unwrap()
                .items
                .is_empty()
        );
    }
}

async fn names(
    control: &Control,
    caller: &cairn_control::Caller,
    filters: Vec<cairn_model::Filter>,
) -> Vec<String> {
    let request = Describe {
        filters,
        ..Describe::default()
    };
    let found = control.describe_volumes(caller, request).await.unwrap();
    found
        .items
        .iter()
        .map(|volume| volume.tags["Name"].clone())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_and_pages() {
    let place = Place::new(6);
    let (control, caller) = place.begin().await;
    for n in 0..7 {
        let name = format!("v{n}");
        let stage = if n % 2 == 0 { "test" } else { "live" };
        let request = tagged(n + 1, &[("Name", &name), ("Stage", stage)]);
        control.create_volume(&caller, request).await.unwrap();
        place.clock.advance(std::time::Duration::from_secs(1));
    }
    control.idle().await.unwrap();
    let all = names(&control, &caller, vec![]).await;
    assert_eq!(
        all,
        ["v0", "v1", "v2", "v3", "v4", "v5", "v6"],
        "oldest first"
    );
    assert_eq!(
        names(&control, &caller, vec![filter("size", &["2", "3"])]).await,
        ["v1", "v2"]
    );
    let both = vec![filter("tag:Stage", &["te*"]), filter("size", &["1", "2"])];
    assert_eq!(names(&control, &caller, both).await, ["v0"]);
    assert_eq!(
        names(
            &control,
            &caller,
            vec![filter("create-time", &["2026-11-23T00:00:0?.000Z"])]
        )
        .await,
        all
    );
    for name in <cairn_model::Volume as cairn_model::Filterable>::FILTERS {
        names(&control, &caller, vec![filter(name, &["nothing has this"])]).await;
    }
    let unknown = Describe {
        filters: vec![filter("colour", &["red"])],
        ..Describe::default()
    };
    let message = refused(
        control.describe_volumes(&caller, unknown).await,
        ErrorKind::InvalidParameterValue,
    );
    assert_eq!(message, "The filter 'colour' is invalid");

    let page = |next_token| Describe {
        page: Page {
            max_results: Some(5),
            next_token,
        },
        ..Describe::default()
    };
    let first = control.describe_volumes(&caller, page(None)).await.unwrap();
    assert_eq!(first.items.len(), 5);
    // A volume that goes meanwhile hides no other.
    control
        .delete_volume(&caller, by_id(&first.items[4].id))
        .await
        .unwrap();
    control.idle().await.unwrap();
    let second = control
        .describe_volumes(&caller, page(first.next_token.clone()))
        .await
        .unwrap();
    assert_eq!(
        second
            .items
            .iter()
            .map(|v| v.tags["Name"].as_str())
            .collect::<Vec<_>>(),
        ["v5", "v6"]
    );
    assert_eq!(second.next_token, None);
    let mixed = Describe {
        page: Page {
            max_results: Some(5),
            next_token: None,
        },
        ..ids(&[&first.items[0].id])
    };
    refused(
        control.describe_volumes(&caller, mixed).await,
        ErrorKind::InvalidParameterCombination,
    );
    let altered = first
        .next_token
        .unwrap()
        .replacen(|c: char| c != 'A', "A", 1);
    refused(
        control.describe_volumes(&caller, page(Some(altered))).await,
        ErrorKind::InvalidNextToken,
    );
}

/// Creating takes as long for 8 TiB as for 1 GiB: what is counted is what lies on the disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn size_costs_nothing() {
    use std::os::unix::fs::MetadataExt as _;
    let place = Place::new(7);
    let (control, caller) = place.begin().await;
    let huge = available_volume(&control, &caller, blank(8192)).await;
    assert_eq!(huge.state, VolumeState::Available);
    let end = (8192 << 30) - 512;
    write(&control, &huge, end, vec![9; 512]).await;
    assert_eq!(read(&control, &huge, end, 512).await, vec![9; 512]);
    control.shutdown().await;
    let files = std::fs::read_dir(place.volume_dir(&huge)).unwrap();
    let allocated: u64 = files
        .map(|file| file.unwrap().metadata().unwrap().blocks() * 512)
        .sum();
    assert!(allocated < 64 << 20, "{allocated} bytes are allocated");
}

/// Waits until the server has looked at its space twice, and so has done what the first look told.
async fn looked_at_space(disk: &SimDisk) {
    disk.start_trace();
    let mut looks = 0;
    while looks < 2 {
        let trace = disk.take_trace();
        let is_look =
            |entry: &&TraceEntry| entry.op == OpKind::Query && entry.path.ends_with("regions");
        looks += trace.iter().filter(is_look).count();
        disk.start_trace();
        tokio::task::yield_now().await;
    }
}

/// The cache of decoded blocks takes no space that somebody else needs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cache_of_blocks_gives_its_space_back_when_it_is_scarce() {
    let disk = SimDisk::new();
    let place = Place {
        disk: Arc::new(disk.clone()),
        ..Place::new(61)
    };
    disk.set_capacity(4 << 30);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    write(&control, &volume, 0, pattern(1, 8 << 20)).await;
    let snapshot = take_snapshot(&control, &caller, &volume).await;
    let copy = available_volume(&control, &caller, from_snapshot(&snapshot)).await;
    assert_eq!(read(&control, &copy, 0, 8192).await, pattern(1, 8192));
    let slots = place.data_dir().join("regions/us-east-1/packs/slots");
    looked_at_space(&disk).await;
    assert_eq!(disk.contents(&slots).len(), 4 << 20, "there is room");

    // Below the twentieth that is kept, and not yet below half of it, where guests feel it.
    disk.set_free(disk.used() / 25);
    let scarce = control.space().await.unwrap();
    assert!(!scarce.has_room() && scarce.scarcity() == Scarcity::Ample);
    let used = disk.used();
    looked_at_space(&disk).await;
    assert_eq!(disk.contents(&slots).len(), 0, "the file takes no space");
    assert!(disk.used() + (4 << 20) <= used);
    assert!(control.space().await.unwrap().has_room());
    // Blocks come from their packs, and the cache does not grow again.
    assert_eq!(read(&control, &copy, 0, 8 << 20).await, pattern(1, 8 << 20));
    looked_at_space(&disk).await;
    assert_eq!(disk.contents(&slots).len(), 0);
    control.shutdown().await;
}
