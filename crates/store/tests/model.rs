//! The store against a model in memory: random changes, transactions dropped half way, reopenings.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use cairn_model::{
    AccountId, Entropy, Region, Snapshot, SnapshotId, SnapshotState, Tags, Timestamp, Volume,
    VolumeId, VolumeState, VolumeType,
};
use cairn_store::{
    Constraint, Error, ReadTx, Store, WriteTx, domain, job, snapshot, token,
    upload::{self, Upload, UploadedBlock},
    volume,
};
use proptest::prelude::*;
use tokio::runtime::Runtime;

/// Ids in order, so that a failure can be repeated.
#[derive(Debug, Default)]
struct Counter(Mutex<u64>);

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        let mut count = self.0.lock().unwrap();
        *count += 1;
        bytes.fill(0);
        bytes[..8].copy_from_slice(&count.to_be_bytes());
    }
}

fn account() -> AccountId {
    "123456789012".parse().unwrap()
}

fn region() -> Region {
    Region::named("eu-central-1").unwrap()
}

fn new_volume(id: VolumeId, at: i64) -> Volume {
    Volume {
        id,
        account: account(),
        region: region(),
        availability_zone: "eu-central-1a".to_owned(),
        size_gib: 8,
        snapshot_id: None,
        volume_type: VolumeType::Gp3,
        iops: Some(3000),
        throughput: Some(125),
        encrypted: false,
        kms_key_id: None,
        multi_attach_enabled: false,
        initialization_rate: None,
        source_volume_id: None,
        io: cairn_model::volume::IoPolicy::default(),
        modification: None,
        recycled: None,
        state: VolumeState::Creating,
        create_time: Timestamp(at),
        attachments: Vec::new(),
        tags: Tags::new(),
    }
}

fn new_snapshot(id: SnapshotId, volume_id: VolumeId, at: i64) -> Snapshot {
    Snapshot {
        id,
        account: account(),
        region: region(),
        volume_id,
        volume_size_gib: 8,
        description: String::new(),
        state: SnapshotState::Pending,
        state_message: None,
        progress: 0,
        start_time: Timestamp(at),
        completion_time: None,
        encrypted: false,
        kms_key_id: None,
        parent_id: None,
        full_size_bytes: None,
        root: None,
        digest: None,
        signature: None,
        create_volume_permissions: Default::default(),
        copy: None,
        lock: None,
        recycled: None,
        tiering: None,
        tags: Tags::new(),
    }
}

#[derive(Clone, Debug)]
enum Change {
    NewVolume,
    TagVolume(usize, u8),
    DropVolume(usize),
    NewUpload(usize),
    PutBlocks(usize, Vec<(u64, u8)>),
    SealUpload(usize),
    DropSnapshot(usize),
    NewJob(u8),
    MoveJob(usize, u32),
    DropJob(usize),
    UseToken(u8, u8),
}

#[derive(Clone, Debug)]
enum Step {
    /// Changes in one transaction, committed or not.
    Write(Vec<Change>, bool),
    Reopen,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => Just(Change::NewVolume),
        3 => (any::<usize>(), any::<u8>()).prop_map(|(at, tag)| Change::TagVolume(at, tag)),
        1 => any::<usize>().prop_map(Change::DropVolume),
        2 => any::<usize>().prop_map(Change::NewUpload),
        3 => (any::<usize>(), prop::collection::vec((0u64..16, any::<u8>()), 1..5))
            .prop_map(|(at, blocks)| Change::PutBlocks(at, blocks)),
        1 => any::<usize>().prop_map(Change::SealUpload),
        1 => any::<usize>().prop_map(Change::DropSnapshot),
        2 => any::<u8>().prop_map(Change::NewJob),
        2 => (any::<usize>(), 0u32..9).prop_map(|(at, step)| Change::MoveJob(at, step)),
        1 => any::<usize>().prop_map(Change::DropJob),
        2 => (0u8..4, any::<u8>()).prop_map(|(token, result)| Change::UseToken(token, result)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (prop::collection::vec(change(), 1..5), prop::bool::weighted(0.8))
            .prop_map(|(changes, commit)| Step::Write(changes, commit)),
        1 => Just(Step::Reopen),
    ]
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    volumes: BTreeMap<VolumeId, Volume>,
    snapshots: BTreeMap<SnapshotId, Snapshot>,
    uploads: BTreeMap<SnapshotId, (bool, BTreeMap<u64, Vec<u8>>)>,
    jobs: BTreeMap<i64, (String, u32)>,
    tokens: BTreeMap<u8, String>,
}

fn pick<K: Clone, V>(map: &BTreeMap<K, V>, at: usize) -> Option<K> {
    (!map.is_empty()).then(|| map.keys().nth(at % map.len()).unwrap().clone())
}

/// Applies a change to both and compares what the store says about it.
async fn apply(tx: &mut WriteTx, model: &mut Model, ids: &Counter, change: Change) {
    let now = i64::try_from(*ids.0.lock().unwrap()).unwrap();
    match change {
        Change::NewVolume => {
            let new = new_volume(VolumeId::generate(ids), now);
            volume::insert(tx, &new).await.unwrap();
            let again = volume::insert(tx, &new).await;
            assert!(
                matches!(again, Err(Error::Constraint(Constraint::Id))),
                "{again:?}"
            );
            model.volumes.insert(new.id.clone(), new);
        }
        Change::TagVolume(at, tag) => {
            let Some(id) = pick(&model.volumes, at) else {
                return;
            };
            let noun = model.volumes.get_mut(&id).unwrap();
            noun.tags.insert(tag.to_string(), "x".to_owned());
            noun.state = VolumeState::Available;
            let stored = volume::update(tx, &id, |volume| {
                volume.tags.insert(tag.to_string(), "x".to_owned());
                volume.state = VolumeState::Available;
            });
            assert_eq!(stored.await.unwrap().as_ref(), Some(&*noun));
        }
        Change::DropVolume(at) => {
            let Some(id) = pick(&model.volumes, at) else {
                return;
            };
            model.volumes.remove(&id);
            assert!(volume::delete(tx, &id).await.unwrap());
            assert!(!volume::delete(tx, &id).await.unwrap(), "deleted twice");
            assert_eq!(volume::update(tx, &id, |_| ()).await.unwrap(), None);
        }
        Change::NewUpload(at) => {
            let Some(of) = pick(&model.volumes, at) else {
                return;
            };
            let new = new_snapshot(SnapshotId::generate(ids), of, now);
            let upload = Upload {
                last_activity: Timestamp(now),
                timeout: Duration::from_secs(600),
                sealed: false,
                base: None,
            };
            snapshot::insert(tx, &new).await.unwrap();
            upload::insert(tx, &new.id, &upload).await.unwrap();
            model
                .uploads
                .insert(new.id.clone(), (false, BTreeMap::new()));
            model.snapshots.insert(new.id.clone(), new);
        }
        Change::PutBlocks(at, blocks) => {
            let Some(id) = pick(&model.uploads, at) else {
                return;
            };
            let (sealed, known) = model.uploads.get_mut(&id).unwrap();
            let blocks: Vec<_> = blocks
                .into_iter()
                .map(|(block_index, byte)| UploadedBlock {
                    block_index,
                    digest: vec![byte; 32],
                })
                .collect();
            let taken = upload::put_blocks(tx, &id, &blocks, Timestamp(now))
                .await
                .unwrap();
            assert_eq!(taken, !*sealed, "a sealed upload takes no blocks");
            if taken {
                known.extend(
                    blocks
                        .iter()
                        .map(|block| (block.block_index, block.digest.clone())),
                );
            }
        }
        Change::SealUpload(at) => {
            let Some(id) = pick(&model.uploads, at) else {
                return;
            };
            let (sealed, _) = model.uploads.get_mut(&id).unwrap();
            assert_eq!(upload::seal(tx, &id).await.unwrap(), !*sealed);
            *sealed = true;
        }
        Change::DropSnapshot(at) => {
            let Some(id) = pick(&model.snapshots, at) else {
                return;
            };
            model.snapshots.remove(&id);
            model.uploads.remove(&id);
            assert!(snapshot::delete(tx, &id).await.unwrap());
            assert_eq!(
                upload::get(tx, &id).await.unwrap(),
                None,
                "the upload goes with its snapshot"
            );
            assert_eq!(
                upload::count(tx, &id).await.unwrap(),
                0,
                "the blocks go with the upload"
            );
        }
        Change::NewJob(subject) => {
            let new = job::NewJob {
                kind: "test",
                subject: subject.to_string(),
                payload: "{}".to_owned(),
                not_before: Timestamp(0),
            };
            let id = job::insert(tx, &new, Timestamp(now)).await.unwrap();
            assert!(
                model
                    .jobs
                    .last_key_value()
                    .is_none_or(|(last, _)| *last < id.0)
            );
            model.jobs.insert(id.0, (new.subject, 0));
        }
        Change::MoveJob(at, step) => {
            let Some(id) = pick(&model.jobs, at) else {
                return;
            };
            let (subject, at) = model.jobs.get_mut(&id).unwrap();
            let mut job = job::list_of(tx, subject).await.unwrap();
            job.retain(|job| job.id.0 == id);
            job[0].step = step;
            *at = step;
            assert!(job::update(tx, &job[0], Timestamp(now)).await.unwrap());
        }
        Change::DropJob(at) => {
            let Some(id) = pick(&model.jobs, at) else {
                return;
            };
            model.jobs.remove(&id);
            assert!(job::delete(tx, job::JobId(id)).await.unwrap());
        }
        Change::UseToken(token, result) => use_token(tx, model, token, result).await,
    }
}

async fn use_token(tx: &mut WriteTx, model: &mut Model, token: u8, result: u8) {
    let (account, text) = (account(), token.to_string());
    let scope = token::Scope {
        account: &account,
        region: region(),
        operation: "Test",
        token: &text,
    };
    let known = token::get(tx, scope)
        .await
        .unwrap()
        .map(|known| known.result);
    assert_eq!(known.as_ref(), model.tokens.get(&token));
    let new = token::Known {
        request: "r".to_owned(),
        result: result.to_string(),
    };
    let inserted = token::insert(tx, scope, &new, Timestamp(0)).await;
    if known.is_some() {
        assert!(
            matches!(inserted, Err(Error::Constraint(Constraint::Token))),
            "{inserted:?}"
        );
    } else {
        inserted.unwrap();
        model.tokens.insert(token, new.result);
    }
}

/// Everything that the store holds, read back.
async fn read_back(read: &mut ReadTx, model: &Model) -> Model {
    let mut found = Model {
        tokens: model.tokens.clone(),
        ..Model::default()
    };
    for volume in volume::list(read, &account(), region()).await.unwrap() {
        found.volumes.insert(volume.id.clone(), volume);
    }
    for snapshot in snapshot::list(read, &account(), region()).await.unwrap() {
        if let Some(upload) = upload::get(read, &snapshot.id).await.unwrap() {
            let mut blocks = BTreeMap::new();
            // In pages, as the upload is read.
            let mut from = 0;
            while let page @ [.., last] =
                &upload::blocks(read, &snapshot.id, from, 3).await.unwrap()[..]
            {
                blocks.extend(
                    page.iter()
                        .map(|block| (block.block_index, block.digest.clone())),
                );
                from = last.block_index + 1;
            }
            found
                .uploads
                .insert(snapshot.id.clone(), (upload.sealed, blocks));
        }
        found.snapshots.insert(snapshot.id.clone(), snapshot);
    }
    for job in job::list_due(read, Timestamp(i64::MAX)).await.unwrap() {
        found.jobs.insert(job.id.0, (job.subject, job.step));
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_its_model_does(steps in prop::collection::vec(step(), 1..25)) {
        let dir = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let ids = Counter::default();
            let mut model = Model::default();
            let mut store = Store::open(dir.path()).await.unwrap();
            for step in steps {
                match step {
                    Step::Reopen => {
                        drop(store);
                        store = Store::open(dir.path()).await.unwrap();
                    }
                    Step::Write(changes, commit) => {
                        let mut next = model.clone();
                        let mut tx = store.write().await.unwrap();
                        for change in changes {
                            apply(&mut tx, &mut next, &ids, change).await;
                        }
                        let before = read_back(&mut store.read().await.unwrap(), &model).await;
                        assert_eq!(before, model, "what is not committed is not seen");
                        if commit {
                            tx.commit().await.unwrap();
                            model = next;
                        }
                    }
                }
                assert_eq!(read_back(&mut store.read().await.unwrap(), &model).await, model);
            }
        });
    }
}

#[tokio::test]
async fn domain_numbers_stay_and_are_never_given_out_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    for region in Region::all().take(3) {
        let store = Store::open(dir.path()).await.unwrap();
        let mut tx = store.write().await.unwrap();
        let number = domain::plain(&mut tx, region, &account()).await.unwrap();
        assert_eq!(
            domain::plain(&mut tx, region, &account()).await.unwrap(),
            number
        );
        tx.commit().await.unwrap();
        assert!(!seen.contains(&number));
        seen.push(number);
    }
    let store = Store::open(dir.path()).await.unwrap();
    let mut read = store.read().await.unwrap();
    for (region, number) in Region::all().zip(seen) {
        assert_eq!(
            domain::find(&mut read, region, &account(), None)
                .await
                .unwrap()
                .map(|found| found.id),
            Some(number)
        );
    }
}

#[tokio::test]
async fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let mut tx = store.write().await.unwrap();
    volume::insert(
        &mut tx,
        &new_volume(VolumeId::generate(&Counter::default()), 1),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
}

/// A read does not wait for a writer, and a writer that is dropped lets the next one in.
#[tokio::test]
async fn a_full_disk_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let mut tx = store.write().await.unwrap();
    // As if there were no room for another page.
    sqlx::query("PRAGMA max_page_count = 1")
        .execute(&mut *tx)
        .await
        .unwrap();
    let ids = Counter::default();
    let error = loop {
        let volume = new_volume(VolumeId::generate(&ids), 0);
        if let Err(error) = volume::insert(&mut tx, &volume).await {
            break error;
        }
    };
    assert!(error.is_storage_full(), "{error}");
    drop(tx);
    let mut tx = store.write().await.unwrap();
    let gone = sqlx::query("SELECT no_such_column").execute(&mut *tx).await;
    assert!(!Error::from(gone.unwrap_err()).is_storage_full());
}

#[tokio::test]
async fn readers_and_writers_do_not_hold_each_other_up() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let ids = Counter::default();
    let mut tx = store.write().await.unwrap();
    let first = new_volume(VolumeId::generate(&ids), 1);
    volume::insert(&mut tx, &first).await.unwrap();
    let mut read = store.read().await.unwrap();
    assert_eq!(volume::get(&mut read, &first.id).await.unwrap(), None);
    drop(tx);
    let mut tx = store.write().await.unwrap();
    assert_eq!(
        volume::get(&mut tx, &first.id).await.unwrap(),
        None,
        "dropped, nothing has happened"
    );
    volume::insert(&mut tx, &first).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        volume::get(&mut read, &first.id).await.unwrap(),
        None,
        "a read is of one moment"
    );
    drop(read);
    let mut read = store.read().await.unwrap();
    assert_eq!(
        volume::get(&mut read, &first.id).await.unwrap(),
        Some(first)
    );
}
