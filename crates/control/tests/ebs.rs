//! EBS direct: snapshots written and read block by block.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::{collections::BTreeMap, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cairn_control::{
    Caller, Control, ErrorKind, Result,
    ebs::Hashed,
    ebs::{BlockList, PutBlock},
    request::{
        ById, CompleteSnapshot, GetSnapshotBlock, ListBlocks, PutSnapshotBlock, StartSnapshot,
    },
};
use cairn_model::{Snapshot, SnapshotState};
use support::*;

const BLOCK: usize = 512 * 1024;

fn start(volume_size: i64) -> StartSnapshot {
    StartSnapshot {
        volume_size,
        ..StartSnapshot::default()
    }
}

fn checksum(data: &[u8]) -> String {
    STANDARD.encode(digest(&SHA256, data))
}

fn put_request(snapshot: &Snapshot, index: i64, data: Vec<u8>) -> PutSnapshotBlock {
    PutSnapshotBlock {
        snapshot_id: snapshot.id.to_string(),
        block_index: index,
        data_length: i64::try_from(data.len()).unwrap(),
        checksum: checksum(&data),
        checksum_algorithm: "SHA256".to_owned(),
        progress: None,
        data: Hashed::of(data.into()),
    }
}

async fn put(
    control: &Control,
    caller: &Caller,
    snapshot: &Snapshot,
    index: i64,
    data: Vec<u8>,
) -> Result<PutBlock> {
    control
        .put_snapshot_block(caller, put_request(snapshot, index, data))
        .await
}

fn complete(snapshot: &Snapshot, count: i64) -> CompleteSnapshot {
    CompleteSnapshot {
        snapshot_id: snapshot.id.to_string(),
        changed_blocks_count: count,
        ..CompleteSnapshot::default()
    }
}

fn list(snapshot: &Snapshot) -> ListBlocks {
    ListBlocks {
        snapshot_id: snapshot.id.to_string(),
        ..ListBlocks::default()
    }
}

fn indexes(list: &BlockList) -> Vec<i64> {
    list.blocks.iter().map(|block| block.block_index).collect()
}

/// Uploads blocks as a snapshot and waits until it is completed.
async fn upload(
    control: &Control,
    caller: &Caller,
    request: StartSnapshot,
    blocks: &BTreeMap<i64, Vec<u8>>,
) -> Snapshot {
    let snapshot = control.start_snapshot(caller, request).await.unwrap();
    for (index, data) in blocks {
        put(control, caller, &snapshot, *index, data.clone())
            .await
            .unwrap();
    }
    let digests: Vec<u8> = blocks
        .values()
        .flat_map(|data| digest(&SHA256, data).as_ref().to_vec())
        .collect();
    let request = CompleteSnapshot {
        checksum: Some(checksum(&digests)),
        checksum_algorithm: Some("SHA256".to_owned()),
        checksum_aggregation_method: Some("LINEAR".to_owned()),
        ..complete(&snapshot, i64::try_from(blocks.len()).unwrap())
    };
    assert_eq!(
        control.complete_snapshot(caller, request).await.unwrap(),
        SnapshotState::Pending
    );
    control.idle().await.unwrap();
    let done = snapshot_now(control, caller, &snapshot).await;
    assert_eq!(done.state, SnapshotState::Completed);
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_uploaded_is_downloaded() {
    let place = Place::new(21);
    let (control, caller) = place.begin().await;
    let blocks = BTreeMap::from([
        (0, pattern(1, BLOCK)),
        (7, vec![0; BLOCK]),
        (2047, pattern(2, BLOCK)),
    ]);
    let snapshot = upload(&control, &caller, start(1), &blocks).await;
    assert_eq!(
        snapshot.full_size_bytes,
        Some(2 * BLOCK as u64),
        "zeros are not stored"
    );
    assert_eq!(snapshot.volume_id.as_str(), "vol-ffffffff");
    let listed = control
        .list_snapshot_blocks(&caller, list(&snapshot))
        .await
        .unwrap();
    assert_eq!(
        (indexes(&listed), listed.volume_size_gib),
        (vec![0, 2047], 1)
    );
    for block in &listed.blocks {
        let token = block.token.clone().unwrap();
        assert!(
            token.len() <= 256
                && token
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
        );
        let request = GetSnapshotBlock {
            snapshot_id: snapshot.id.to_string(),
            block_index: block.block_index,
            block_token: token,
        };
        let read = control.get_snapshot_block(&caller, request).await.unwrap();
        assert_eq!(*read.data, *blocks[&block.block_index]);
        assert_eq!(read.checksum, checksum(&read.data));
    }
    let volume = available_volume(&control, &caller, from_snapshot(&snapshot)).await;
    assert_eq!(
        read(&control, &volume, 2047 * BLOCK as u64, BLOCK).await,
        blocks[&2047]
    );
    assert_eq!(
        read(&control, &volume, 7 * BLOCK as u64, BLOCK).await,
        vec![0; BLOCK]
    );
    // The same content by way of a volume is the same snapshot.
    let blank = available_volume(&control, &caller, blank(1)).await;
    write(&control, &blank, 0, blocks[&0].clone()).await;
    write(&control, &blank, 2047 * BLOCK as u64, blocks[&2047].clone()).await;
    assert_eq!(
        take_snapshot(&control, &caller, &blank).await.digest,
        snapshot.digest
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_is_its_parent_and_what_was_put_over_it() {
    let place = Place::new(22);
    let (control, caller) = place.begin().await;
    let parent_blocks = BTreeMap::from([
        (0, pattern(1, BLOCK)),
        (1, pattern(2, BLOCK)),
        (2, pattern(3, BLOCK)),
    ]);
    let parent = upload(&control, &caller, start(1), &parent_blocks).await;
    let request = StartSnapshot {
        parent_snapshot_id: Some(parent.id.to_string()),
        ..start(2)
    };
    let changes = BTreeMap::from([
        (1, pattern(4, BLOCK)),
        (2, vec![0; BLOCK]),
        (3000, pattern(5, BLOCK)),
    ]);
    let child = upload(&control, &caller, request, &changes).await;
    assert_eq!(child.parent_id.as_ref(), Some(&parent.id));
    let all = control
        .list_snapshot_blocks(&caller, list(&child))
        .await
        .unwrap();
    assert_eq!(indexes(&all), [0, 1, 3000]);
    let changed = ListBlocks {
        first_snapshot_id: Some(parent.id.to_string()),
        ..list(&child)
    };
    let changed = control.list_changed_blocks(&caller, changed).await.unwrap();
    let sides: Vec<_> = changed
        .blocks
        .iter()
        .map(|b| (b.block_index, b.first_token.is_some(), b.token.is_some()))
        .collect();
    assert_eq!(
        sides,
        [(1, true, true), (2, true, false), (3000, false, true)]
    );
    assert_eq!(changed.volume_size_gib, 2);
    // A token of the first snapshot is good for the first snapshot alone.
    let of = |snapshot: &Snapshot, token: &Option<String>| GetSnapshotBlock {
        snapshot_id: snapshot.id.to_string(),
        block_index: 1,
        block_token: token.clone().unwrap(),
    };
    let both = &changed.blocks[0];
    let first = control
        .get_snapshot_block(&caller, of(&parent, &both.first_token))
        .await
        .unwrap();
    assert_eq!(*first.data, *parent_blocks[&1]);
    let second = control
        .get_snapshot_block(&caller, of(&child, &both.token))
        .await
        .unwrap();
    assert_eq!(*second.data, *changes[&1]);
    refused(
        control
            .get_snapshot_block(&caller, of(&parent, &both.token))
            .await,
        ErrorKind::EbsInvalidBlockToken,
    );
    // The child outlives its parent.
    control
        .delete_snapshot(
            &caller,
            ById {
                id: parent.id.to_string(),
                dry_run: false,
            },
        )
        .await
        .unwrap();
    let volume = available_volume(&control, &caller, from_snapshot(&child)).await;
    assert_eq!(read(&control, &volume, 0, BLOCK).await, parent_blocks[&0]);
    assert_eq!(
        read(&control, &volume, 2 * BLOCK as u64, BLOCK).await,
        vec![0; BLOCK]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals() {
    let place = Place::new(23);
    let (control, caller) = place.begin().await;
    for (request, kind) in [
        (start(0), ErrorKind::EbsInvalidVolumeSize),
        (start(65_537), ErrorKind::EbsInvalidVolumeSize),
        (
            StartSnapshot {
                timeout: Some(9),
                ..start(1)
            },
            ErrorKind::EbsInvalidParameterValue,
        ),
        (
            StartSnapshot {
                encrypted: Some(true),
                kms_key_arn: Some("arn:aws:kms:us-east-1:123456789012:key/x".to_owned()),
                ..start(1)
            },
            ErrorKind::KmsKeyNotFound,
        ),
        (
            StartSnapshot {
                kms_key_arn: Some("alias/aws/ebs".to_owned()),
                ..start(1)
            },
            ErrorKind::EbsInvalidParameterValue,
        ),
        (
            StartSnapshot {
                encrypted: Some(false),
                parent_snapshot_id: Some("snap-0123456789abcdef0".to_owned()),
                ..start(1)
            },
            ErrorKind::EbsInvalidParameterValue,
        ),
        (
            StartSnapshot {
                client_token: Some("two words".to_owned()),
                ..start(1)
            },
            ErrorKind::EbsInvalidParameterValue,
        ),
        (
            StartSnapshot {
                tags: vec![("aws:x".to_owned(), String::new())],
                ..start(1)
            },
            ErrorKind::EbsInvalidTag,
        ),
        (
            StartSnapshot {
                parent_snapshot_id: Some("snap-x".to_owned()),
                ..start(1)
            },
            ErrorKind::EbsInvalidSnapshotId,
        ),
        (
            StartSnapshot {
                parent_snapshot_id: Some("snap-0123456789abcdef0".to_owned()),
                ..start(1)
            },
            ErrorKind::EbsSnapshotNotFound,
        ),
    ] {
        refused(control.start_snapshot(&caller, request).await, kind);
    }
    let snapshot = control.start_snapshot(&caller, start(1)).await.unwrap();
    let good = put_request(&snapshot, 0, pattern(1, BLOCK));
    let mut other = pattern(1, BLOCK);
    other[BLOCK - 1] ^= 1;
    let flipped = PutSnapshotBlock {
        data: Hashed::of(other.into()),
        ..good.clone()
    };
    for (request, kind) in [
        (flipped, ErrorKind::EbsChecksumMismatch),
        (
            PutSnapshotBlock {
                checksum: "x".to_owned(),
                ..good.clone()
            },
            ErrorKind::EbsChecksumMismatch,
        ),
        (
            PutSnapshotBlock {
                block_index: 2048,
                ..good.clone()
            },
            ErrorKind::EbsInvalidBlock,
        ),
        (
            PutSnapshotBlock {
                block_index: -1,
                ..good.clone()
            },
            ErrorKind::EbsInvalidBlock,
        ),
        (
            PutSnapshotBlock {
                data_length: 4096,
                ..good.clone()
            },
            ErrorKind::EbsInvalidBlock,
        ),
        (
            put_request(&snapshot, 0, vec![1; 4096]),
            ErrorKind::EbsInvalidBlock,
        ),
        (
            PutSnapshotBlock {
                checksum_algorithm: "MD5".to_owned(),
                ..good.clone()
            },
            ErrorKind::EbsInvalidParameterValue,
        ),
        (
            PutSnapshotBlock {
                progress: Some(101),
                ..good.clone()
            },
            ErrorKind::EbsInvalidParameterValue,
        ),
        (
            PutSnapshotBlock {
                snapshot_id: "nap".to_owned(),
                ..good.clone()
            },
            ErrorKind::EbsInvalidSnapshotId,
        ),
        (
            PutSnapshotBlock {
                snapshot_id: "snap-0123456789abcdef0".to_owned(),
                ..good.clone()
            },
            ErrorKind::EbsSnapshotNotFound,
        ),
    ] {
        refused(control.put_snapshot_block(&caller, request).await, kind);
    }
    control
        .put_snapshot_block(&caller, good.clone())
        .await
        .unwrap();
    refused(
        control.list_snapshot_blocks(&caller, list(&snapshot)).await,
        ErrorKind::EbsSnapshotNotCompleted,
    );
    refused(
        control
            .complete_snapshot(&caller, complete(&snapshot, 2))
            .await,
        ErrorKind::EbsInvalidParameterValue,
    );
    let wrong = CompleteSnapshot {
        checksum: Some(checksum(b"else")),
        ..complete(&snapshot, 1)
    };
    refused(
        control.complete_snapshot(&caller, wrong).await,
        ErrorKind::EbsContentMismatch,
    );
    control
        .complete_snapshot(&caller, complete(&snapshot, 1))
        .await
        .unwrap();
    refused(
        control.put_snapshot_block(&caller, good.clone()).await,
        ErrorKind::EbsSnapshotNotPending,
    );
    control.idle().await.unwrap();
    let again = control
        .complete_snapshot(&caller, complete(&snapshot, 1))
        .await
        .unwrap();
    assert_eq!(
        again,
        SnapshotState::Completed,
        "said twice, because the answer was lost"
    );
    refused(
        control.put_snapshot_block(&caller, good).await,
        ErrorKind::EbsSnapshotNotPending,
    );
    let get = GetSnapshotBlock {
        snapshot_id: snapshot.id.to_string(),
        block_index: 0,
        block_token: STANDARD.encode([0; 40]),
    };
    refused(
        control.get_snapshot_block(&caller, get).await,
        ErrorKind::EbsInvalidBlockToken,
    );
    let volume = available_volume(&control, &caller, blank(1)).await;
    let taken = begin_snapshot(&control, &caller, &volume).await;
    refused(
        control
            .complete_snapshot(&caller, complete(&taken, 0))
            .await,
        ErrorKind::EbsSnapshotNotPending,
    );
    control.idle().await.unwrap();
    refused(
        put(&control, &caller, &taken, 0, vec![1; BLOCK]).await,
        ErrorKind::EbsSnapshotNotPending,
    );
    let stranger = new_caller(&control).await;
    refused(
        control
            .list_snapshot_blocks(&stranger, list(&snapshot))
            .await,
        ErrorKind::EbsSnapshotNotFound,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_token_begins_one_snapshot() {
    let place = Place::new(24);
    let (control, caller) = place.begin().await;
    let with_token = |size| StartSnapshot {
        client_token: Some("t".to_owned()),
        ..start(size)
    };
    let first = control
        .start_snapshot(&caller, with_token(1))
        .await
        .unwrap();
    assert_eq!(
        control
            .start_snapshot(&caller, with_token(1))
            .await
            .unwrap()
            .id,
        first.id
    );
    refused(
        control.start_snapshot(&caller, with_token(2)).await,
        ErrorKind::EbsClientTokenMismatch,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_come_in_pages() {
    let place = Place::new(25);
    let (control, caller) = place.begin().await;
    let snapshot = control.start_snapshot(&caller, start(1)).await.unwrap();
    let mut puts = Vec::new();
    for index in 0..250 {
        let (control, caller, snapshot) = (control.clone(), caller.clone(), snapshot.clone());
        // Every third block, all at once; the last of them twice.
        puts.push(tokio::spawn(async move {
            put(
                &control,
                &caller,
                &snapshot,
                index * 3,
                vec![u8::try_from(index % 7 + 1).unwrap(); BLOCK],
            )
            .await
        }));
    }
    for put in puts {
        put.await.unwrap().unwrap();
    }
    control
        .complete_snapshot(&caller, complete(&snapshot, 250))
        .await
        .unwrap();
    control.idle().await.unwrap();
    let page = |token: Option<String>, from: Option<i64>| ListBlocks {
        page_token: token,
        max_results: Some(5),
        starting_block_index: from,
        ..list(&snapshot)
    };
    let mut seen = Vec::new();
    let mut token = None;
    loop {
        let found = control
            .list_snapshot_blocks(&caller, page(token, Some(4)))
            .await
            .unwrap();
        assert!(found.blocks.len() <= 100, "fewer than 100 count as 100");
        seen.extend(indexes(&found));
        token = found.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, (2..250).map(|n| n * 3).collect::<Vec<_>>());
    let first = control
        .list_snapshot_blocks(&caller, page(None, None))
        .await
        .unwrap();
    let token = first.next_token.unwrap();
    let other = ListBlocks {
        page_token: Some(token.clone()),
        ..list(&snapshot)
    };
    let other = ListBlocks {
        first_snapshot_id: Some(snapshot.id.to_string()),
        ..other
    };
    refused(
        control.list_changed_blocks(&caller, other).await,
        ErrorKind::EbsInvalidPageToken,
    );
    for hostile in ["", "AAAA", "=", &token[..token.len() - 4]] {
        let request = page(Some(hostile.to_owned()), None);
        refused(
            control.list_snapshot_blocks(&caller, request).await,
            ErrorKind::EbsInvalidPageToken,
        );
    }
    let many = ListBlocks {
        max_results: Some(10_001),
        ..list(&snapshot)
    };
    refused(
        control.list_snapshot_blocks(&caller, many).await,
        ErrorKind::EbsInvalidParameterValue,
    );
    // Tokens hold for a week.
    let get = GetSnapshotBlock {
        snapshot_id: snapshot.id.to_string(),
        block_index: 0,
        block_token: first.blocks[0].token.clone().unwrap(),
    };
    place.clock.advance(Duration::from_secs(7 * 24 * 3600 - 60));
    control
        .get_snapshot_block(&caller, get.clone())
        .await
        .unwrap();
    place.clock.advance(Duration::from_secs(120));
    refused(
        control.get_snapshot_block(&caller, get).await,
        ErrorKind::EbsInvalidBlockToken,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_progress_that_a_client_tells_is_shown_and_never_goes_back() {
    let place = Place::new(28);
    let (control, caller) = place.begin().await;
    let snapshot = control.start_snapshot(&caller, start(1)).await.unwrap();
    for (index, told, shown) in [
        (0, None, 0),
        (1, Some(40), 40),
        (2, Some(20), 40),
        (3, None, 40),
        (4, Some(100), 99),
    ] {
        let put = PutSnapshotBlock {
            progress: told,
            ..put_request(&snapshot, index, pattern(1, BLOCK))
        };
        control.put_snapshot_block(&caller, put).await.unwrap();
        let now = snapshot_now(&control, &caller, &snapshot).await;
        assert_eq!((now.state, now.progress), (SnapshotState::Pending, shown));
    }
    control
        .complete_snapshot(&caller, complete(&snapshot, 5))
        .await
        .unwrap();
    control.idle().await.unwrap();
    let done = snapshot_now(&control, &caller, &snapshot).await;
    assert_eq!((done.state, done.progress), (SnapshotState::Completed, 100));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_left_alone_fails() {
    let place = Place::new(26);
    let (control, caller) = place.begin().await;
    let request = StartSnapshot {
        timeout: Some(10),
        ..start(1)
    };
    let snapshot = control.start_snapshot(&caller, request).await.unwrap();
    let minutes = async |minutes: u64| {
        place.clock.advance(Duration::from_secs(60 * minutes));
        control.wake_jobs();
        control.idle().await.unwrap();
        snapshot_now(&control, &caller, &snapshot).await.state
    };
    assert_eq!(minutes(9).await, SnapshotState::Pending);
    put(&control, &caller, &snapshot, 0, pattern(1, BLOCK))
        .await
        .unwrap();
    assert_eq!(
        minutes(9).await,
        SnapshotState::Pending,
        "a block gives it more time"
    );
    assert_eq!(minutes(1).await, SnapshotState::Error);
    refused(
        put(&control, &caller, &snapshot, 1, pattern(1, BLOCK)).await,
        ErrorKind::EbsSnapshotNotPending,
    );
    refused(
        control
            .complete_snapshot(&caller, complete(&snapshot, 1))
            .await,
        ErrorKind::EbsSnapshotNotPending,
    );
    refused(
        control
            .create_volume(&caller, from_snapshot(&snapshot))
            .await,
        ErrorKind::IncorrectState,
    );
    control
        .delete_snapshot(
            &caller,
            ById {
                id: snapshot.id.to_string(),
                dry_run: false,
            },
        )
        .await
        .unwrap();
}

/// What was answered survives a kill.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_put_that_was_answered_survives_a_kill() {
    let place = Place::new(27);
    let (control, caller) = place.begin().await;
    let snapshot = control.start_snapshot(&caller, start(1)).await.unwrap();
    put(&control, &caller, &snapshot, 3, pattern(1, BLOCK))
        .await
        .unwrap();
    drop(control);
    let control = place.open().await;
    put(&control, &caller, &snapshot, 4, pattern(2, BLOCK))
        .await
        .unwrap();
    control
        .complete_snapshot(&caller, complete(&snapshot, 2))
        .await
        .unwrap();
    control.idle().await.unwrap();
    let volume = available_volume(&control, &caller, from_snapshot(&snapshot)).await;
    assert_eq!(
        read(&control, &volume, 3 * BLOCK as u64, BLOCK).await,
        pattern(1, BLOCK)
    );
    assert_eq!(
        read(&control, &volume, 4 * BLOCK as u64, BLOCK).await,
        pattern(2, BLOCK)
    );
}
