//! Encrypted volumes and snapshots: keys, what is kept under them, and what is left when one is gone.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use cairn_blocks::{
    Digest, FsDisk,
    disk::{Disk as _, OpenMode},
};
use cairn_control::{
    Caller, Control, ErrorKind,
    collect::CollectGarbage,
    ebs::Hashed,
    recover::{RecoverOptions, recover},
    request::{CreateVolume, GetSnapshotBlock, ListBlocks, PutSnapshotBlock, StartSnapshot},
};
use cairn_model::{KmsKey, KmsKeyState, Snapshot, SnapshotState};
use cairn_store::{Store, kms_key};
use support::*;

const BLOCK: usize = 512 * 1024;

/// What no file may hold: a text, over and over, and bytes that do not compress.
const CANARY: &[u8] = b"the canary that sings in plain text ";

fn canaries() -> Vec<u8> {
    let text = CANARY.iter().copied().cycle().take(BLOCK);
    text.chain(pattern(4_711, BLOCK)).collect()
}

fn encrypted(size: i32) -> CreateVolume {
    CreateVolume {
        encrypted: Some(true),
        ..blank(size)
    }
}

fn under(key: &KmsKey, size: i32) -> CreateVolume {
    CreateVolume {
        kms_key_id: Some(key.id.to_string()),
        ..encrypted(size)
    }
}

/// Reads all of a snapshot, and compares it with its digest.
async fn assert_verified(control: &Control, caller: &Caller, snapshot: &Snapshot) {
    let report = control.verify_snapshot(caller, by_id(&snapshot.id)).await;
    let report = report.unwrap();
    assert!(report.ok, "{report:?}");
}

async fn new_key(control: &Control, caller: &Caller) -> KmsKey {
    control.create_key(caller, None).await.unwrap()
}

/// All files below a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .flat_map(|entry| match entry.file_type().unwrap() {
            kind if kind.is_dir() => files(&entry.path()),
            kind if kind.is_file() => vec![entry.path()],
            _ => Vec::new(),
        })
        .collect()
}

/// The files of a server that hold any of the canaries, or the digest of a block of them.
fn singing(place: &Place) -> Vec<PathBuf> {
    let random = pattern(4_711, BLOCK);
    let data = canaries();
    let needles = [
        CANARY.to_vec(),
        random[4096..4096 + 32].to_vec(),
        sha256(&data[..BLOCK]).to_vec(),
        sha256(&data[BLOCK..]).to_vec(),
    ];
    let holds = |path: &PathBuf| needles.iter().any(|needle| contains(path, needle));
    files(&place.data_dir()).into_iter().filter(holds).collect()
}

/// Whether a file holds some bytes. Holes are left out: there is much of them.
fn contains(path: &Path, needle: &[u8]) -> bool {
    let Ok(file) = FsDisk.open(path, OpenMode::Read) else {
        return false;
    };
    let finder = memchr::memmem::Finder::new(needle);
    let mut at = 0;
    while let Some(start) = file.next_data(at).unwrap() {
        at = file.next_hole(start).unwrap();
        let mut bytes = vec![0; usize::try_from(at - start).unwrap()];
        file.read_exact_at(&mut bytes, start).unwrap();
        if finder.find(&bytes).is_some() {
            return true;
        }
    }
    false
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Digest::of(bytes).0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encrypted_volume_and_what_comes_of_it_are_encrypted() {
    let place = Place::new(1_001);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, encrypted(1)).await;
    let keys = control.list_keys(&caller).await.unwrap();
    assert!(keys.len() == 1 && keys[0].aws_managed, "{keys:?}");
    let arn = keys[0].arn();
    assert_eq!(
        (volume.encrypted, volume.kms_key_id.as_ref()),
        (true, Some(&arn))
    );
    write(&control, &volume, 0, canaries()).await;
    let taken = take_snapshot(&control, &caller, &volume).await;
    assert_eq!(taken.state, SnapshotState::Completed, "{taken:?}");
    assert_eq!(
        (taken.encrypted, taken.kms_key_id.as_ref()),
        (true, Some(&arn))
    );
    let restored = available_volume(&control, &caller, from_snapshot(&taken)).await;
    assert_eq!(
        (restored.encrypted, restored.kms_key_id.as_ref()),
        (true, Some(&arn))
    );
    assert_eq!(read(&control, &restored, 0, 2 * BLOCK).await, canaries());
    assert_verified(&control, &caller, &taken).await;
    // The same content, not encrypted, has the same digest.
    let plain = available_volume(&control, &caller, blank(1)).await;
    write(&control, &plain, 0, canaries()).await;
    let plain = take_snapshot(&control, &caller, &plain).await;
    assert_eq!(plain.digest, taken.digest);
    assert!(!plain.encrypted && plain.kms_key_id.is_none());
}

/// Written in place, journalled, captured, uploaded, restored, collected, and after a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_file_holds_what_an_encrypted_volume_holds() {
    let place = Place::new(1_002);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, encrypted(1)).await;
    write(&control, &volume, 0, canaries()).await;
    assert_eq!(singing(&place), <Vec<PathBuf>>::new());
    let pending = begin_snapshot(&control, &caller, &volume).await;
    // Frozen, so these go to the journal.
    write(&control, &volume, BLOCK as u64 / 2, canaries()).await;
    assert_eq!(singing(&place), <Vec<PathBuf>>::new());
    control.idle().await.unwrap();
    let taken = snapshot_now(&control, &caller, &pending).await;
    assert_eq!(taken.state, SnapshotState::Completed);
    let restored = available_volume(&control, &caller, from_snapshot(&taken)).await;
    assert_eq!(read(&control, &restored, 0, 2 * BLOCK).await, canaries());
    // Over blocks that are still in the base.
    write(&control, &restored, 4096, canaries()).await;
    upload(&control, &caller, None).await;
    assert_eq!(singing(&place), <Vec<PathBuf>>::new());
    control.shutdown().await;
    drop(control);
    assert_eq!(singing(&place), <Vec<PathBuf>>::new());
    let control = place.open().await;
    assert_eq!(read(&control, &restored, 4096, 2 * BLOCK).await, canaries());
    assert_eq!(singing(&place), <Vec<PathBuf>>::new());
    // The search does find what is there.
    let plain = available_volume(&control, &caller, blank(1)).await;
    write(&control, &plain, 0, canaries()).await;
    assert!(!singing(&place).is_empty());
}

/// Puts the canaries by EBS direct.
async fn upload(control: &Control, caller: &Caller, key: Option<&KmsKey>) -> Snapshot {
    let request = StartSnapshot {
        volume_size: 1,
        encrypted: Some(true),
        kms_key_arn: key.map(KmsKey::arn),
        ..StartSnapshot::default()
    };
    let started = control.start_snapshot(caller, request).await.unwrap();
    for (index, data) in (0..).zip(canaries().chunks(BLOCK)) {
        let put = PutSnapshotBlock {
            snapshot_id: started.id.to_string(),
            block_index: index,
            data_length: 512 << 10,
            data: Hashed::of(data.to_vec().into()),
            checksum: base64_of(&sha256(data)),
            checksum_algorithm: "SHA256".to_owned(),
            progress: None,
        };
        control.put_snapshot_block(caller, put).await.unwrap();
    }
    let complete = cairn_control::request::CompleteSnapshot {
        snapshot_id: started.id.to_string(),
        changed_blocks_count: 2,
        ..Default::default()
    };
    control.complete_snapshot(caller, complete).await.unwrap();
    control.idle().await.unwrap();
    let done = snapshot_now(control, caller, &started).await;
    assert_eq!(done.state, SnapshotState::Completed, "{done:?}");
    assert!(done.encrypted && done.kms_key_id.is_some());
    done
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_can_be_restored_under_another_key_and_what_is_plain_can_become_encrypted() {
    let place = Place::new(1_003);
    let (control, caller) = place.begin().await;
    let (one, two) = (
        new_key(&control, &caller).await,
        new_key(&control, &caller).await,
    );
    let volume = available_volume(&control, &caller, under(&one, 1)).await;
    write(&control, &volume, 0, canaries()).await;
    let taken = take_snapshot(&control, &caller, &volume).await;
    let wish = CreateVolume {
        encrypted: Some(true),
        kms_key_id: Some(two.arn()),
        ..from_snapshot(&taken)
    };
    let moved = available_volume(&control, &caller, wish).await;
    assert_eq!(moved.kms_key_id, Some(two.arn()));
    let moved = take_snapshot(&control, &caller, &moved).await;
    assert_eq!(
        (moved.kms_key_id.as_ref(), &moved.digest),
        (Some(&two.arn()), &taken.digest)
    );
    // It needs nothing of the first key any more.
    erase(&control, &caller, &one).await;
    assert_verified(&control, &caller, &moved).await;

    let plain = available_volume(&control, &caller, blank(1)).await;
    write(&control, &plain, 0, canaries()).await;
    let plain = take_snapshot(&control, &caller, &plain).await;
    let wish = CreateVolume {
        encrypted: Some(true),
        ..from_snapshot(&plain)
    };
    let sealed = available_volume(&control, &caller, wish).await;
    assert!(sealed.encrypted);
    assert_eq!(read(&control, &sealed, 0, 2 * BLOCK).await, canaries());
    let unsealed = CreateVolume {
        encrypted: Some(false),
        ..from_snapshot(&moved)
    };
    let refusal = control.create_volume(&caller, unsealed).await;
    refused(refusal, ErrorKind::InvalidParameterValue);
}

async fn erase(control: &Control, caller: &Caller, key: &KmsKey) {
    let deleting = control.delete_key(caller, key.id.as_str()).await.unwrap();
    assert_eq!(deleting.state, KmsKeyState::Erasing);
    control.idle().await.unwrap();
    let keys = control.list_keys(caller).await.unwrap();
    let gone = keys.iter().find(|found| found.id == key.id).unwrap();
    assert_eq!(gone.state, KmsKeyState::Deleted);
}

async fn collect(control: &Control, caller: &Caller) -> cairn_control::collect::Collected {
    let request = CollectGarbage::default();
    control.collect_garbage(caller, request).await.unwrap()
}

fn pack_bytes(place: &Place) -> u64 {
    let packs = place.data_dir().join("regions/us-east-1/packs");
    let sizes = files(&packs)
        .into_iter()
        .map(|path| fs::metadata(path).unwrap().len());
    sizes.sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_a_key_erases_what_is_under_it_and_nothing_else() {
    let place = Place::new(1_004);
    let (control, caller) = place.begin().await;
    let (doomed, other) = (
        new_key(&control, &caller).await,
        new_key(&control, &caller).await,
    );
    let mut kept = Vec::new();
    for request in [under(&doomed, 1), under(&other, 1), blank(1)] {
        let volume = available_volume(&control, &caller, request).await;
        write(&control, &volume, 0, canaries()).await;
        kept.push((take_snapshot(&control, &caller, &volume).await, volume));
    }
    for (_, volume) in &kept {
        control.release_volume(&volume.id).await.unwrap();
    }
    // What was in memory must not answer either.
    let (lost, lost_volume) = kept.remove(0);
    let listed = list_blocks(&lost);
    let token = control
        .list_snapshot_blocks(&caller, listed.clone())
        .await
        .unwrap();
    let get = GetSnapshotBlock {
        snapshot_id: lost.id.to_string(),
        block_index: 0,
        block_token: token.blocks[0].token.clone().unwrap(),
    };
    control
        .get_snapshot_block(&caller, get.clone())
        .await
        .unwrap();
    let before = pack_bytes(&place);
    erase(&control, &caller, &doomed).await;

    let kind = ErrorKind::KmsKeyInvalidState;
    refused(control.get_snapshot_block(&caller, get.clone()).await, kind);
    refused(control.list_snapshot_blocks(&caller, listed).await, kind);
    refused(
        control.verify_snapshot(&caller, by_id(&lost.id)).await,
        kind,
    );
    refused(
        control.create_volume(&caller, from_snapshot(&lost)).await,
        kind,
    );
    refused(
        control.create_volume(&caller, under(&doomed, 1)).await,
        kind,
    );
    refused(control.open_volume(&lost_volume.id).await, kind);
    refused(control.delete_key(&caller, doomed.id.as_str()).await, kind);
    for (snapshot, _) in &kept {
        assert_verified(&control, &caller, snapshot).await;
    }

    // Its bytes are garbage, and nobody is hindered in collecting them.
    collect(&control, &caller).await;
    place
        .clock
        .advance(std::time::Duration::from_secs(2 * 3600));
    let collected = collect(&control, &caller).await;
    assert!(
        collected.regions[0].report.deleted.packs > 0,
        "{collected:?}"
    );
    assert!(pack_bytes(&place) < before);
    for (snapshot, volume) in &kept {
        assert_verified(&control, &caller, snapshot).await;
        assert_eq!(read(&control, volume, 0, 2 * BLOCK).await, canaries());
    }

    // The volume and the snapshot can still be deleted, and all of it holds after a restart.
    control.shutdown().await;
    drop(control);
    let control = place.open().await;
    refused(control.get_snapshot_block(&caller, get).await, kind);
    control
        .delete_snapshot(&caller, by_id(&lost.id))
        .await
        .unwrap();
    control
        .delete_volume(&caller, by_id(&lost_volume.id))
        .await
        .unwrap();
    control.idle().await.unwrap();
    assert!(!place.volume_dir(&lost_volume).exists());
}

fn list_blocks(snapshot: &Snapshot) -> ListBlocks {
    ListBlocks {
        snapshot_id: snapshot.id.to_string(),
        ..ListBlocks::default()
    }
}

/// A server that is killed while it erases: before the file is gone, after it, and before it says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_that_was_interrupted_goes_on() {
    for (seed, step, taken) in [(1_010, 0, false), (1_011, 1, true), (1_012, 2, false)] {
        let place = Place::new(seed);
        let gate = StopAt::new("erase-key", step, taken);
        let control = place.open_with(Some(gate.clone())).await;
        let caller = new_caller(&control).await;
        let key = new_key(&control, &caller).await;
        let volume = available_volume(&control, &caller, under(&key, 1)).await;
        control.release_volume(&volume.id).await.unwrap();
        control.delete_key(&caller, key.id.as_str()).await.unwrap();
        drop(control.idle().await);
        assert!(gate.was_reached(), "{seed}");
        drop(control);
        let control = place.open().await;
        control.idle().await.unwrap();
        let keys = control.list_keys(&caller).await.unwrap();
        assert_eq!(keys[0].state, KmsKeyState::Deleted);
        assert!(!place.data_dir().join("keys").join(key.id.as_str()).exists());
        refused(
            control.open_volume(&volume.id).await,
            ErrorKind::KmsKeyInvalidState,
        );
    }
}

/// Without the root key what is encrypted waits, and what is not is as ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_plain_needs_no_root_key() {
    let place = Place::new(1_005);
    let (control, caller) = place.begin().await;
    let sealed = available_volume(&control, &caller, encrypted(1)).await;
    write(&control, &sealed, 0, canaries()).await;
    let sealed_snapshot = take_snapshot(&control, &caller, &sealed).await;
    let plain = available_volume(&control, &caller, blank(1)).await;
    write(&control, &plain, 0, canaries()).await;
    let plain_snapshot = take_snapshot(&control, &caller, &plain).await;
    control.shutdown().await;
    drop(control);
    let (root, away) = (
        place.data_dir().join("root-key"),
        place.dir.path().join("away"),
    );
    assert_eq!(
        fs::metadata(&root).unwrap().permissions().mode() & 0o777,
        0o600
    );
    fs::rename(&root, &away).unwrap();

    let control = place.open().await;
    assert_eq!(read(&control, &plain, 0, 2 * BLOCK).await, canaries());
    assert_verified(&control, &caller, &plain_snapshot).await;
    let kind = ErrorKind::KmsKeyUnavailable;
    let why = refused(control.open_volume(&sealed.id).await, kind);
    assert!(why.contains("root-key"), "{why}");
    refused(control.create_key(&caller, None).await, kind);
    control.start_scrub(&caller, None).await.unwrap();
    control.idle().await.unwrap();
    let scrubbed = control.scrub_status(&caller).await.unwrap();
    assert!(
        scrubbed.findings.is_empty() && scrubbed.snapshots.is_empty(),
        "{scrubbed:?}"
    );
    assert!(scrubbed.run.unwrap().unchecked >= 2);
    // Nothing is taken for garbage that cannot be looked at.
    let collected = control
        .collect_garbage(&caller, CollectGarbage::default())
        .await;
    assert!(collected.is_err(), "{collected:?}");
    control.shutdown().await;
    drop(control);

    fs::rename(&away, &root).unwrap();
    let control = place.open().await;
    assert_eq!(read(&control, &sealed, 0, 2 * BLOCK).await, canaries());
    assert_verified(&control, &caller, &sealed_snapshot).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metadata_of_encrypted_snapshots_is_recovered() {
    let place = Place::new(1_006);
    let (control, caller) = place.begin().await;
    let key = new_key(&control, &caller).await;
    let mut taken = Vec::new();
    for request in [under(&key, 1), encrypted(1), blank(1)] {
        let volume = available_volume(&control, &caller, request).await;
        write(&control, &volume, 0, canaries()).await;
        taken.push(take_snapshot(&control, &caller, &volume).await);
    }
    control.shutdown().await;
    drop(control);
    for name in ["cairn.db", "blobs.db"] {
        fs::remove_file(place.data_dir().join(name)).unwrap();
    }
    let options = RecoverOptions {
        data_dir: place.data_dir(),
        clock: place.clock.clone(),
        entropy: place.entropy.clone(),
        disk: place.disk.clone(),
        root_key: None,
        force: false,
    };
    let recovered = recover(options).await.unwrap();
    assert_eq!(recovered.unread, <Vec<String>>::new());
    let mut lost = recovered
        .snapshots
        .iter()
        .filter(|s| s.unreadable_blocks > 0);
    assert_eq!(lost.next(), None);
    let control = place.open().await;
    for snapshot in &taken {
        assert_eq!(snapshot_now(&control, &caller, snapshot).await, *snapshot);
        assert_verified(&control, &caller, snapshot).await;
        let volume = available_volume(&control, &caller, from_snapshot(snapshot)).await;
        assert_eq!(read(&control, &volume, 0, 2 * BLOCK).await, canaries());
    }
    let keys = control.list_keys(&caller).await.unwrap();
    assert!(keys.contains(&key), "{keys:?}");
    // What is used where none is named is still the same.
    let volume = available_volume(&control, &caller, encrypted(1)).await;
    assert_eq!(volume.kms_key_id, taken[1].kms_key_id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_named_and_refused_as_they_should_be() {
    let place = Place::new(1_007);
    let (control, caller) = place.begin().await;
    let key = new_key(&control, &caller).await;
    let stranger = new_caller(&control).await;
    for name in [key.id.to_string(), key.arn()] {
        let wish = CreateVolume {
            kms_key_id: Some(name),
            ..encrypted(1)
        };
        let volume = control.create_volume(&caller, wish.clone()).await.unwrap();
        assert_eq!(volume.kms_key_id, Some(key.arn()));
        refused(
            control.create_volume(&stranger, wish).await,
            ErrorKind::KmsKeyNotFound,
        );
    }
    let unknown = CreateVolume {
        kms_key_id: Some("alias/mine".to_owned()),
        ..encrypted(1)
    };
    refused(
        control.create_volume(&caller, unknown).await,
        ErrorKind::KmsKeyNotFound,
    );
    let alone = CreateVolume {
        encrypted: None,
        ..under(&key, 1)
    };
    refused(
        control.create_volume(&caller, alone).await,
        ErrorKind::InvalidParameterDependency,
    );
    let dry = CreateVolume {
        dry_run: true,
        ..encrypted(1)
    };
    let keys = control.list_keys(&stranger).await.unwrap().len();
    refused(
        control.create_volume(&stranger, dry).await,
        ErrorKind::DryRun,
    );
    assert_eq!(control.list_keys(&stranger).await.unwrap().len(), keys);
    let uploaded = upload(&control, &caller, Some(&key)).await;
    assert_eq!(uploaded.kms_key_id, Some(key.arn()));
}

/// It says so at once, and does not go on trying.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capture_whose_key_was_deleted_ends_in_error() {
    let place = Place::new(1_008);
    let gate = StopAt::new("capture", 0, false);
    let control = place.open_with(Some(gate.clone())).await;
    let caller = new_caller(&control).await;
    let key = new_key(&control, &caller).await;
    let volume = available_volume(&control, &caller, under(&key, 1)).await;
    write(&control, &volume, 0, canaries()).await;
    let pending = begin_snapshot(&control, &caller, &volume).await;
    drop(control.idle().await);
    assert!(gate.was_reached());
    drop(control);
    // As a deletion leaves it.
    fs::remove_file(place.data_dir().join("keys").join(key.id.as_str())).unwrap();
    let store = Store::open(&place.data_dir()).await.unwrap();
    let mut tx = store.write().await.unwrap();
    let deleted = |key: &mut KmsKey| key.state = KmsKeyState::Deleted;
    kms_key::update(&mut tx, &key.id, deleted).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;

    let control = place.open().await;
    control.idle().await.unwrap();
    let ended = snapshot_now(&control, &caller, &pending).await;
    assert_eq!(ended.state, SnapshotState::Error, "{ended:?}");
    assert!(ended.state_message.unwrap().contains("deleted"));
}
