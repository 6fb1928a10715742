//! Keys as KMS has them: what stops when one is disabled or deleted, what time and crashes do, and who
//! besides its owner can use one.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::{collections::BTreeSet, time::Duration};

use cairn_control::{
    Caller, Control, ErrorKind,
    keys::KmsFault,
    request::{
        ById, CreateVolume, GetSnapshotBlock, ListBlocks, StartSnapshot,
        kms::{
            CreateGrant, CreateKey, Decrypt, DeleteAlias, DescribeKey, Encrypt, GenerateDataKey,
            ListKeys, ListOfKey, NamesKey, PutAlias, PutKeyPolicy, ReEncrypt, RetireGrant,
            RevokeGrant, ScheduleKeyDeletion, SecretBytes,
        },
    },
};
use cairn_model::{
    EncryptionContext, KmsKey, KmsKeyState, Snapshot, SnapshotState, kms_grant::GrantConstraints,
    permission::Permissions,
};
use cairn_store::{Store, snapshot as snapshots};
use support::*;

const BLOCK: usize = 512 * 1024;
const DAY: Duration = Duration::from_secs(24 * 3600);

const fn kms(fault: KmsFault) -> ErrorKind {
    ErrorKind::Kms(fault)
}

fn names(key: &KmsKey) -> NamesKey {
    NamesKey {
        key_id: key.id.to_string(),
    }
}

fn under(key: &KmsKey) -> CreateVolume {
    CreateVolume {
        encrypted: Some(true),
        kms_key_id: Some(key.arn()),
        ..blank(1)
    }
}

async fn new_key(control: &Control, caller: &Caller) -> KmsKey {
    control.create_key(caller, None).await.unwrap()
}

async fn state_of(control: &Control, caller: &Caller, key: &KmsKey) -> KmsKeyState {
    let keys = control.list_keys(caller).await.unwrap();
    keys.into_iter().find(|k| k.id == key.id).unwrap().state
}

async fn schedule(control: &Control, caller: &Caller, key: &KmsKey, days: i32) -> KmsKey {
    let request = ScheduleKeyDeletion {
        key_id: key.id.to_string(),
        pending_window_in_days: Some(days),
    };
    let scheduled = control.schedule_key_deletion(caller, request).await;
    scheduled.unwrap().key
}

async fn list_blocks(
    control: &Control,
    caller: &Caller,
    snapshot: &Snapshot,
) -> cairn_control::Result<cairn_control::ebs::BlockList> {
    let request = ListBlocks {
        snapshot_id: snapshot.id.to_string(),
        ..ListBlocks::default()
    };
    control.list_snapshot_blocks(caller, request).await
}

fn context(entries: &[(&str, &str)]) -> EncryptionContext {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    entries.iter().map(own).collect()
}

fn bytes(bytes: &[u8]) -> SecretBytes {
    SecretBytes(bytes.to_vec().into())
}

/// Whether a file of the data directory holds the secret of a key. There is no such file but its own.
fn key_file(place: &Place, key: &KmsKey) -> std::path::PathBuf {
    place.data_dir().join("keys").join(key.id.as_str())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_key_stops_all_that_is_begun_and_enabling_lets_it_go_on() {
    let place = Place::new(2_001);
    let (control, caller) = place.begin().await;
    let key = new_key(&control, &caller).await;
    let volume = available_volume(&control, &caller, under(&key)).await;
    write(&control, &volume, 0, pattern(1, BLOCK)).await;
    let taken = take_snapshot(&control, &caller, &volume).await;
    let listed = list_blocks(&control, &caller, &taken).await.unwrap();
    let get = GetSnapshotBlock {
        snapshot_id: taken.id.to_string(),
        block_index: 0,
        block_token: listed.blocks[0].token.clone().unwrap(),
    };
    control
        .get_snapshot_block(&caller, get.clone())
        .await
        .unwrap();
    let restored = available_volume(&control, &caller, from_snapshot(&taken)).await;

    for delete in [false, true] {
        let expected = match delete {
            false => {
                control
                    .disable_key(&caller, names(&key))
                    .await
                    .unwrap()
                    .state
            }
            true => schedule(&control, &caller, &key, 7).await.state,
        };
        assert_eq!(state_of(&control, &caller, &key).await, expected);
        let kind = ErrorKind::KmsKeyInvalidState;
        refused(control.create_volume(&caller, under(&key)).await, kind);
        refused(
            control.create_volume(&caller, from_snapshot(&taken)).await,
            kind,
        );
        let snapshot = cairn_control::request::CreateSnapshot {
            volume_id: volume.id.to_string(),
            ..Default::default()
        };
        refused(control.create_snapshot(&caller, snapshot).await, kind);
        refused(control.get_snapshot_block(&caller, get.clone()).await, kind);
        refused(list_blocks(&control, &caller, &taken).await, kind);
        let start = StartSnapshot {
            volume_size: 1,
            encrypted: Some(true),
            kms_key_arn: Some(key.arn()),
            ..StartSnapshot::default()
        };
        refused(control.start_snapshot(&caller, start).await, kind);
        let verify = ById {
            id: taken.id.to_string(),
            dry_run: false,
        };
        refused(control.verify_snapshot(&caller, verify).await, kind);
        // What is open goes on: blocks that are still in the snapshot too.
        assert_eq!(read(&control, &restored, 0, BLOCK).await, pattern(1, BLOCK));
        // Garbage is collected meanwhile: nothing is lost, and nothing stands still.
        control
            .collect_garbage(&caller, Default::default())
            .await
            .unwrap();
        if delete {
            let cancelled = control
                .cancel_key_deletion(&caller, names(&key))
                .await
                .unwrap();
            assert_eq!(cancelled.state, KmsKeyState::Disabled);
            assert_eq!(cancelled.deletion_date, None);
        }
        control.enable_key(&caller, names(&key)).await.unwrap();
        control
            .get_snapshot_block(&caller, get.clone())
            .await
            .unwrap();
        available_volume(&control, &caller, from_snapshot(&taken)).await;
    }
}

/// The state is in the row: a server that begins anew holds to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_key_stays_disabled_after_a_restart() {
    let place = Place::new(2_002);
    let (control, caller) = place.begin().await;
    let key = new_key(&control, &caller).await;
    control.disable_key(&caller, names(&key)).await.unwrap();
    control.shutdown().await;
    drop(control);
    let control = place.open().await;
    let kind = ErrorKind::KmsKeyInvalidState;
    refused(control.create_volume(&caller, under(&key)).await, kind);
    let request = Encrypt {
        key_id: key.arn(),
        plaintext: bytes(b"plain"),
        ..Encrypt::default()
    };
    refused(
        control.encrypt(&caller, request).await,
        kms(KmsFault::Disabled),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_erased_when_its_day_comes_and_not_before() {
    let place = Place::new(2_003);
    let (control, caller) = place.begin().await;
    let key = new_key(&control, &caller).await;
    let alias = PutAlias {
        alias_name: "alias/doomed".to_owned(),
        target_key_id: key.id.to_string(),
    };
    control.create_alias(&caller, alias.clone()).await.unwrap();
    let volume = available_volume(&control, &caller, under(&key)).await;
    let taken = take_snapshot(&control, &caller, &volume).await;
    control.release_volume(&volume.id).await.unwrap();
    let scheduled = schedule(&control, &caller, &key, 7).await;
    assert_eq!(scheduled.state, KmsKeyState::PendingDeletion);
    let due = scheduled.deletion_date.unwrap();
    assert_eq!(due.seconds(), 1_795_392_000 + 7 * 24 * 3600);
    place.clock.advance(6 * DAY);
    control.wake_jobs();
    control.idle().await.unwrap();
    assert_eq!(
        state_of(&control, &caller, &key).await,
        KmsKeyState::PendingDeletion
    );
    assert!(key_file(&place, &key).exists());

    // The day comes while no server runs.
    control.shutdown().await;
    drop(control);
    place.clock.advance(DAY);
    let control = place.open().await;
    control.idle().await.unwrap();
    assert_eq!(
        state_of(&control, &caller, &key).await,
        KmsKeyState::Deleted
    );
    assert!(!key_file(&place, &key).exists());
    let describe = DescribeKey {
        key_id: key.arn(),
        ..DescribeKey::default()
    };
    refused(
        control.describe_key(&caller, describe).await,
        kms(KmsFault::NotFound),
    );
    let listed = control
        .list_kms_keys(&caller, ListKeys::default())
        .await
        .unwrap();
    assert!(listed.items.is_empty());
    let aliases = control
        .list_aliases(&caller, ListOfKey::default())
        .await
        .unwrap();
    assert_eq!(aliases.items.len(), 1, "that of EBS: {aliases:?}");
    // What it kept says why it cannot be read.
    let why = refused(
        list_blocks(&control, &caller, &taken).await,
        ErrorKind::KmsKeyInvalidState,
    );
    assert!(why.contains("is deleted"), "{why}");
    refused(
        control.open_volume(&volume.id).await,
        ErrorKind::KmsKeyInvalidState,
    );
}

/// Killed at each step of the erasure, before it and after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_that_was_interrupted_on_its_day_goes_on() {
    for (seed, step, taken) in [
        (2_010, 0, true),
        (2_011, 1, false),
        (2_012, 1, true),
        (2_013, 2, true),
    ] {
        let place = Place::new(seed);
        let gate = StopAt::new("erase-key", step, taken);
        let control = place.open_with(Some(gate.clone())).await;
        let caller = new_caller(&control).await;
        let key = new_key(&control, &caller).await;
        schedule(&control, &caller, &key, 7).await;
        place.clock.advance(7 * DAY);
        control.wake_jobs();
        drop(control.idle().await);
        assert!(gate.was_reached(), "{seed}");
        // There is no way back from here.
        let cancelled = control.cancel_key_deletion(&caller, names(&key)).await;
        assert!(cancelled.is_err(), "{cancelled:?}");
        drop(control);
        let control = place.open().await;
        control.idle().await.unwrap();
        assert_eq!(
            state_of(&control, &caller, &key).await,
            KmsKeyState::Deleted
        );
        assert!(!key_file(&place, &key).exists());
    }
}

/// The job of a deletion that was cancelled has nothing to do with a later one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_that_was_cancelled_or_put_off_does_not_come() {
    let place = Place::new(2_004);
    let (control, caller) = place.begin().await;
    let (kept, put_off) = (
        new_key(&control, &caller).await,
        new_key(&control, &caller).await,
    );
    for key in [&kept, &put_off] {
        schedule(&control, &caller, key, 7).await;
        control
            .cancel_key_deletion(&caller, names(key))
            .await
            .unwrap();
    }
    schedule(&control, &caller, &put_off, 30).await;
    place.clock.advance(8 * DAY);
    control.wake_jobs();
    control.idle().await.unwrap();
    assert_eq!(
        state_of(&control, &caller, &kept).await,
        KmsKeyState::Disabled
    );
    assert_eq!(
        state_of(&control, &caller, &put_off).await,
        KmsKeyState::PendingDeletion
    );
    place.clock.advance(22 * DAY);
    control.wake_jobs();
    control.idle().await.unwrap();
    assert_eq!(
        state_of(&control, &caller, &kept).await,
        KmsKeyState::Disabled
    );
    assert_eq!(
        state_of(&control, &caller, &put_off).await,
        KmsKeyState::Deleted
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_are_refused_as_kms_does() {
    let place = Place::new(2_005);
    let (control, caller) = place.begin().await;
    let key = new_key(&control, &caller).await;
    let cancelled = control.cancel_key_deletion(&caller, names(&key)).await;
    refused(cancelled, kms(KmsFault::InvalidState));
    for days in [6, 31] {
        let request = ScheduleKeyDeletion {
            key_id: key.id.to_string(),
            pending_window_in_days: Some(days),
        };
        let outcome = control.schedule_key_deletion(&caller, request).await;
        refused(outcome, kms(KmsFault::Validation));
    }
    schedule(&control, &caller, &key, 30).await;
    let invalid = kms(KmsFault::InvalidState);
    refused(control.enable_key(&caller, names(&key)).await, invalid);
    refused(control.disable_key(&caller, names(&key)).await, invalid);
    refused(
        control.get_key_rotation_status(&caller, names(&key)).await,
        invalid,
    );
    let alias = PutAlias {
        alias_name: "alias/late".to_owned(),
        target_key_id: key.id.to_string(),
    };
    refused(control.create_alias(&caller, alias).await, invalid);
    // The key that EBS made is nobody's to disable or delete, but the operator's.
    let ebs = DescribeKey {
        key_id: "alias/aws/ebs".to_owned(),
        ..DescribeKey::default()
    };
    let ebs = control.describe_key(&caller, ebs).await.unwrap();
    assert!(ebs.aws_managed);
    refused(
        control.disable_key(&caller, names(&ebs)).await,
        kms(KmsFault::AccessDenied),
    );
    let stranger = Caller {
        operator: false,
        ..caller.clone()
    };
    let erased = control.delete_key(&stranger, key.id.as_str()).await;
    refused(erased, ErrorKind::Unauthorized);
    // An erasure at once does not wait for the day.
    control.delete_key(&caller, key.id.as_str()).await.unwrap();
    control.idle().await.unwrap();
    assert_eq!(
        state_of(&control, &caller, &key).await,
        KmsKeyState::Deleted
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aliases_lead_to_keys_and_elsewhere() {
    let place = Place::new(2_006);
    let (control, caller) = place.begin().await;
    let (one, two) = (
        new_key(&control, &caller).await,
        new_key(&control, &caller).await,
    );
    let to = |key: &KmsKey| PutAlias {
        alias_name: "alias/mine".to_owned(),
        target_key_id: key.arn(),
    };
    refused(
        control.update_alias(&caller, to(&one)).await,
        kms(KmsFault::NotFound),
    );
    control.create_alias(&caller, to(&one)).await.unwrap();
    refused(
        control.create_alias(&caller, to(&two)).await,
        kms(KmsFault::AlreadyExists),
    );
    let by_alias = CreateVolume {
        encrypted: Some(true),
        kms_key_id: Some("alias/mine".to_owned()),
        ..blank(1)
    };
    let volume = available_volume(&control, &caller, by_alias.clone()).await;
    assert_eq!(volume.kms_key_id, Some(one.arn()));
    control.update_alias(&caller, to(&two)).await.unwrap();
    let volume = available_volume(&control, &caller, by_alias.clone()).await;
    assert_eq!(volume.kms_key_id, Some(two.arn()));
    let gone = DeleteAlias {
        alias_name: "alias/mine".to_owned(),
    };
    control.delete_alias(&caller, gone.clone()).await.unwrap();
    refused(
        control.delete_alias(&caller, gone).await,
        kms(KmsFault::NotFound),
    );
    refused(
        control.create_volume(&caller, by_alias).await,
        ErrorKind::KmsKeyNotFound,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ciphertexts_outlive_the_server_and_are_bound_to_key_and_context() {
    let place = Place::new(2_007);
    let (control, caller) = place.begin().await;
    let (one, two) = (
        new_key(&control, &caller).await,
        new_key(&control, &caller).await,
    );
    let bound = context(&[("purpose", "tests")]);
    let request = GenerateDataKey {
        key_id: one.arn(),
        key_spec: Some("AES_256".to_owned()),
        encryption_context: bound.clone(),
        ..GenerateDataKey::default()
    };
    let pair = control
        .generate_data_key(&caller, request.clone())
        .await
        .unwrap();
    assert_eq!(pair.plaintext.len(), 32);
    let other = control.generate_data_key(&caller, request).await.unwrap();
    assert_ne!(pair.plaintext, other.plaintext);
    control.shutdown().await;
    drop(control);
    let control = place.open().await;
    let decrypt = Decrypt {
        ciphertext_blob: bytes(&pair.encrypted.ciphertext),
        encryption_context: bound.clone(),
        ..Decrypt::default()
    };
    let opened = control.decrypt(&caller, decrypt.clone()).await.unwrap();
    assert_eq!(
        (opened.key_arn, opened.plaintext),
        (one.arn(), pair.plaintext.clone())
    );
    let unbound = Decrypt {
        encryption_context: context(&[]),
        ..decrypt.clone()
    };
    refused(
        control.decrypt(&caller, unbound).await,
        kms(KmsFault::InvalidCiphertext),
    );
    let wrong = Decrypt {
        key_id: Some(two.arn()),
        ..decrypt.clone()
    };
    refused(
        control.decrypt(&caller, wrong).await,
        kms(KmsFault::IncorrectKey),
    );
    let moved = ReEncrypt {
        ciphertext_blob: bytes(&pair.encrypted.ciphertext),
        source_encryption_context: bound,
        destination_key_id: two.arn(),
        ..ReEncrypt::default()
    };
    let moved = control.re_encrypt(&caller, moved).await.unwrap();
    assert_eq!(
        (&moved.source_key_arn, &moved.encrypted.key_arn),
        (&one.arn(), &two.arn())
    );
    control.delete_key(&caller, one.id.as_str()).await.unwrap();
    control.idle().await.unwrap();
    // What is under the key that is gone is gone, and what is under the other is not.
    refused(
        control.decrypt(&caller, decrypt).await,
        kms(KmsFault::NotFound),
    );
    let decrypt = Decrypt {
        ciphertext_blob: bytes(&moved.encrypted.ciphertext),
        ..Decrypt::default()
    };
    let opened = control.decrypt(&caller, decrypt.clone()).await.unwrap();
    assert_eq!(opened.plaintext, pair.plaintext);
    let stranger = new_caller(&control).await;
    refused(
        control.decrypt(&stranger, decrypt).await,
        kms(KmsFault::AccessDenied),
    );
}

/// A policy that lets an account do some things, and the owner everything.
fn letting_in(owner: &Caller, other: &Caller, actions: &str) -> String {
    let (owner, other) = (&owner.account, &other.account);
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [
            {{"Effect": "Allow", "Principal": {{"AWS": "{owner}"}}, "Action": "kms:*", "Resource": "*"}},
            {{"Effect": "Allow", "Principal": {{"AWS": "arn:aws:iam::{other}:root"}}, "Action": [{actions}], "Resource": "*"}}]}}"#
    )
}

async fn put_policy(control: &Control, caller: &Caller, key: &KmsKey, policy: String) {
    let request = PutKeyPolicy {
        key_id: key.id.to_string(),
        policy,
        ..PutKeyPolicy::default()
    };
    control.put_key_policy(caller, request).await.unwrap();
}

/// A completed snapshot under a key, shared with another account.
async fn shared(
    place: &Place,
    control: &Control,
    owner: &Caller,
    other: &Caller,
    key: &KmsKey,
) -> Snapshot {
    let volume = available_volume(control, owner, under(key)).await;
    write(control, &volume, 0, pattern(5, BLOCK)).await;
    let taken = take_snapshot(control, owner, &volume).await;
    assert_eq!(taken.state, SnapshotState::Completed);
    let store = Store::open(&place.data_dir()).await.unwrap();
    let mut tx = store.write().await.unwrap();
    let accounts = BTreeSet::from([other.account.clone()]);
    snapshots::update(&mut tx, &taken.id, |snapshot| {
        snapshot.create_volume_permissions = Permissions {
            accounts,
            ..Permissions::default()
        };
    })
    .await
    .unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    taken
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shared_snapshot_is_restored_by_whom_its_key_lets_in() {
    let place = Place::new(2_008);
    let (control, owner) = place.begin().await;
    let other = new_caller(&control).await;
    let key = new_key(&control, &owner).await;
    let taken = shared(&place, &control, &owner, &other, &key).await;
    let denied = ErrorKind::KmsKeyAccessDenied;
    refused(
        control.create_volume(&other, from_snapshot(&taken)).await,
        denied,
    );

    // Reading is enough for a volume under a key of one's own.
    let policy = letting_in(&owner, &other, r#""kms:Decrypt", "kms:DescribeKey""#);
    put_policy(&control, &owner, &key, policy).await;
    let volume = available_volume(&control, &other, from_snapshot(&taken)).await;
    assert_ne!(volume.kms_key_id, Some(key.arn()));
    assert_eq!(read(&control, &volume, 0, BLOCK).await, pattern(5, BLOCK));
    // For one under the foreign key it is not.
    let foreign = CreateVolume {
        encrypted: Some(true),
        kms_key_id: Some(key.arn()),
        ..from_snapshot(&taken)
    };
    let missing = ErrorKind::KmsKeyNotFound;
    refused(
        control.create_volume(&other, foreign.clone()).await,
        missing,
    );

    let policy = letting_in(&owner, &other, r#""kms:Decrypt", "kms:GenerateDataKey*""#);
    put_policy(&control, &owner, &key, policy).await;
    let volume = available_volume(&control, &other, foreign).await;
    assert_eq!(volume.kms_key_id, Some(key.arn()));
    assert_eq!(read(&control, &volume, 0, BLOCK).await, pattern(5, BLOCK));
    // What comes of it is the other account's, in a domain of its own, and still under that key.
    write(&control, &volume, 0, pattern(6, BLOCK)).await;
    let own = take_snapshot(&control, &other, &volume).await;
    assert_eq!(own.state, SnapshotState::Completed, "{own:?}");
    assert_eq!(
        (&own.account, own.kms_key_id.as_ref()),
        (&other.account, Some(&key.arn()))
    );
    control.shutdown().await;
    drop(control);
    let control = place.open().await;
    list_blocks(&control, &other, &own).await.unwrap();
    let restored = available_volume(&control, &other, from_snapshot(&own)).await;
    assert_eq!(read(&control, &restored, 0, BLOCK).await, pattern(6, BLOCK));

    // The key's owner can end it at any time.
    let policy = letting_in(&owner, &other, r#""kms:DescribeKey""#);
    put_policy(&control, &owner, &key, policy).await;
    refused(list_blocks(&control, &other, &own).await, denied);
    refused(
        control.create_volume(&other, from_snapshot(&own)).await,
        denied,
    );
    control.disable_key(&owner, names(&key)).await.unwrap();
    let kind = ErrorKind::KmsKeyInvalidState;
    refused(
        control.create_volume(&other, from_snapshot(&own)).await,
        kind,
    );
    control.delete_key(&owner, key.id.as_str()).await.unwrap();
    control.idle().await.unwrap();
    refused(list_blocks(&control, &other, &own).await, kind);
}

fn grant(key: &KmsKey, to: &Caller, operations: &[&str]) -> CreateGrant {
    CreateGrant {
        key_id: key.arn(),
        grantee_principal: format!("arn:aws:iam::{}:root", to.account),
        operations: operations.iter().map(ToString::to_string).collect(),
        ..CreateGrant::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grants_let_in_until_they_are_taken_away() {
    let place = Place::new(2_009);
    let (control, owner) = place.begin().await;
    let (other, third) = (new_caller(&control).await, new_caller(&control).await);
    let key = new_key(&control, &owner).await;
    let taken = shared(&place, &control, &owner, &other, &key).await;
    let denied = ErrorKind::KmsKeyAccessDenied;
    refused(
        control.create_volume(&other, from_snapshot(&taken)).await,
        denied,
    );
    let made = control
        .create_grant(&owner, grant(&key, &other, &["Decrypt"]))
        .await
        .unwrap();
    let volume = available_volume(&control, &other, from_snapshot(&taken)).await;
    assert_eq!(read(&control, &volume, 0, BLOCK).await, pattern(5, BLOCK));
    let revoke = RevokeGrant {
        key_id: key.arn(),
        grant_id: made.id,
        dry_run: None,
    };
    refused(
        control.revoke_grant(&other, revoke.clone()).await,
        kms(KmsFault::AccessDenied),
    );
    control.revoke_grant(&owner, revoke.clone()).await.unwrap();
    refused(
        control.revoke_grant(&owner, revoke).await,
        kms(KmsFault::NotFound),
    );
    refused(
        control.create_volume(&other, from_snapshot(&taken)).await,
        denied,
    );

    // A grant to make grants gives on no more than it has, and with no more contexts.
    let bound = GrantConstraints {
        encryption_context_subset: Some(context(&[("purpose", "tests")])),
        ..GrantConstraints::default()
    };
    let request = CreateGrant {
        constraints: Some(bound.clone()),
        ..grant(&key, &other, &["Encrypt", "CreateGrant", "RetireGrant"])
    };
    let made = control.create_grant(&owner, request).await.unwrap();
    for (operations, constraints) in [
        (&["Decrypt"][..], Some(bound.clone())),
        (&["Encrypt"][..], None),
    ] {
        let request = CreateGrant {
            constraints,
            ..grant(&key, &third, operations)
        };
        let outcome = control.create_grant(&other, request).await;
        refused(outcome, kms(KmsFault::AccessDenied));
    }
    let request = CreateGrant {
        constraints: Some(bound),
        ..grant(&key, &third, &["Encrypt"])
    };
    control.create_grant(&other, request).await.unwrap();
    let encrypt = |context| Encrypt {
        key_id: key.arn(),
        plaintext: bytes(b"plain"),
        encryption_context: context,
        ..Encrypt::default()
    };
    let good = encrypt(context(&[("purpose", "tests"), ("more", "is fine")]));
    control.encrypt(&third, good.clone()).await.unwrap();
    let bad = encrypt(context(&[("purpose", "else")]));
    refused(
        control.encrypt(&third, bad).await,
        kms(KmsFault::AccessDenied),
    );
    let retire = RetireGrant {
        grant_token: Some(made.token),
        ..RetireGrant::default()
    };
    refused(
        control.retire_grant(&third, retire.clone()).await,
        kms(KmsFault::AccessDenied),
    );
    control.retire_grant(&other, retire).await.unwrap();
    refused(
        control.encrypt(&other, good.clone()).await,
        kms(KmsFault::AccessDenied),
    );
    // The one that was made by it stays.
    control.encrypt(&third, good).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_locks_themselves_out_by_mistake() {
    let place = Place::new(2_014);
    let (control, owner) = place.begin().await;
    let other = new_caller(&control).await;
    let key = new_key(&control, &owner).await;
    let policy = format!(
        r#"{{"Statement": {{"Effect": "Allow", "Principal": {{"AWS": "{}"}}, "Action": "kms:*", "Resource": "*"}}}}"#,
        other.account
    );
    let mut request = PutKeyPolicy {
        key_id: key.arn(),
        policy: policy.clone(),
        ..PutKeyPolicy::default()
    };
    let outcome = control.put_key_policy(&owner, request.clone()).await;
    refused(outcome, kms(KmsFault::MalformedPolicy));
    let create = CreateKey {
        policy: Some(policy),
        ..CreateKey::default()
    };
    let outcome = control.create_kms_key(&owner, create).await;
    refused(outcome, kms(KmsFault::MalformedPolicy));
    request.bypass_policy_lockout_safety_check = Some(true);
    control
        .put_key_policy(&owner, request.clone())
        .await
        .unwrap();
    // The owner is governed by the policy too, and the other account is not the owner for it.
    let denied = kms(KmsFault::AccessDenied);
    refused(
        control.put_key_policy(&owner, request.clone()).await,
        denied,
    );
    refused(control.disable_key(&owner, names(&key)).await, denied);
    refused(
        control.create_volume(&owner, under(&key)).await,
        ErrorKind::KmsKeyAccessDenied,
    );
    refused(control.put_key_policy(&other, request).await, denied);
    let describe = DescribeKey {
        key_id: key.arn(),
        ..DescribeKey::default()
    };
    control.describe_key(&other, describe).await.unwrap();
}

/// What cannot be read is not taken for a wrong ciphertext.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_root_key_nothing_is_decrypted_and_nothing_is_lost() {
    let place = Place::new(2_016);
    let (control, caller) = place.begin().await;
    let key = new_key(&control, &caller).await;
    let encrypt = Encrypt {
        key_id: key.arn(),
        plaintext: bytes(b"plain"),
        ..Encrypt::default()
    };
    let sealed = control.encrypt(&caller, encrypt.clone()).await.unwrap();
    let decrypt = Decrypt {
        ciphertext_blob: bytes(&sealed.ciphertext),
        ..Decrypt::default()
    };
    let (root, away) = (
        place.data_dir().join("root-key"),
        place.dir.path().join("away"),
    );
    std::fs::rename(&root, &away).unwrap();
    let unavailable = ErrorKind::KmsKeyUnavailable;
    refused(control.encrypt(&caller, encrypt).await, unavailable);
    refused(control.decrypt(&caller, decrypt.clone()).await, unavailable);
    std::fs::rename(&away, &root).unwrap();
    let opened = control.decrypt(&caller, decrypt).await.unwrap();
    assert_eq!(*opened.plaintext, b"plain");
}
