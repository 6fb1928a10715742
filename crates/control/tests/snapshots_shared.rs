//! Snapshots that others are let in to, and blocks of public access.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use cairn_control::{
    Caller, Control, ErrorKind,
    request::{CreateVolume, EnableSnapshotBlock, ModifySnapshotAttribute},
};
use cairn_model::Snapshot;
use support::*;

fn change(snapshot: &Snapshot, operation: &str, with: Option<&Caller>) -> ModifySnapshotAttribute {
    let groups = match with {
        Some(_) => Vec::new(),
        None => vec!["all".to_owned()],
    };
    ModifySnapshotAttribute {
        snapshot_id: snapshot.id.to_string(),
        operation_type: Some(operation.to_owned()),
        user_ids: with
            .map(|with| with.account.to_string())
            .into_iter()
            .collect(),
        group_names: groups,
        ..ModifySnapshotAttribute::default()
    }
}

async fn snapshot_of(control: &Control, caller: &Caller, request: CreateVolume) -> Snapshot {
    let volume = available_volume(control, caller, request).await;
    write(control, &volume, 0, pattern(8, 4096)).await;
    take_snapshot(control, caller, &volume).await
}

/// Whether an account can make a volume of a snapshot.
async fn can_use(control: &Control, caller: &Caller, snapshot: &Snapshot) -> bool {
    match control.create_volume(caller, from_snapshot(snapshot)).await {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind, ErrorKind::SnapshotNotFound, "{error}");
            false
        }
    }
}

async fn block(control: &Control, caller: &Caller, state: &str) {
    let request = EnableSnapshotBlock {
        state: state.to_owned(),
        dry_run: false,
    };
    let enabled = control.enable_snapshot_block_public_access(caller, request);
    assert_eq!(enabled.await.unwrap().as_str(), state);
    let shown = control.snapshot_block_public_access(caller, false).await;
    assert_eq!(shown.unwrap().as_str(), state);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_let_in_uses_it_until_that_ends() {
    let place = Place::new(991);
    let (control, owner) = place.begin().await;
    let (one, two) = (new_caller(&control).await, new_caller(&control).await);
    let snapshot = snapshot_of(&control, &owner, blank(1)).await;
    let modify = async |operation: &str, with: Option<&Caller>| {
        let request = change(&snapshot, operation, with);
        control.modify_snapshot_attribute(&owner, request).await
    };
    assert!(!can_use(&control, &one, &snapshot).await);
    modify("add", Some(&one)).await.unwrap();
    assert!(can_use(&control, &one, &snapshot).await);
    assert!(!can_use(&control, &two, &snapshot).await);
    // It is the owner's all the same.
    let request = change(&snapshot, "add", Some(&two));
    let others = control.modify_snapshot_attribute(&one, request).await;
    refused(others, ErrorKind::SnapshotNotFound);
    modify("remove", Some(&one)).await.unwrap();
    assert!(!can_use(&control, &one, &snapshot).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn public_access_is_blocked_as_far_as_its_owner_says() {
    let place = Place::new(992);
    let (control, owner) = place.begin().await;
    let other = new_caller(&control).await;
    let public = snapshot_of(&control, &owner, blank(1)).await;
    let private = snapshot_of(&control, &owner, blank(1)).await;
    let publish = async |snapshot: &Snapshot| {
        let request = change(snapshot, "add", None);
        control.modify_snapshot_attribute(&owner, request).await
    };
    let not = ErrorKind::OperationNotPermitted;
    publish(&public).await.unwrap();
    assert!(can_use(&control, &other, &public).await);
    block(&control, &owner, "block-new-sharing").await;
    refused(publish(&private).await, not);
    assert!(can_use(&control, &other, &public).await);
    block(&control, &owner, "block-all-sharing").await;
    refused(publish(&private).await, not);
    assert!(!can_use(&control, &other, &public).await);
    assert!(can_use(&control, &owner, &public).await);
    // Nobody else's block counts, nor that of another region.
    block(&control, &other, "block-all-sharing").await;
    let elsewhere = in_region(&owner, "eu-west-1");
    block(&control, &elsewhere, "block-all-sharing").await;
    control
        .disable_snapshot_block_public_access(&owner, false)
        .await
        .unwrap();
    assert!(can_use(&control, &other, &public).await);
    publish(&private).await.unwrap();
    assert!(can_use(&control, &other, &private).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encrypted_snapshots_are_shared_only_if_others_can_have_the_key() {
    let place = Place::new(993);
    let (control, owner) = place.begin().await;
    let other = new_caller(&control).await;
    let encrypted = |key: Option<String>| CreateVolume {
        encrypted: Some(true),
        kms_key_id: key,
        ..blank(1)
    };
    let modify = async |snapshot: &Snapshot, with: Option<&Caller>| {
        let request = change(snapshot, "add", with);
        control.modify_snapshot_attribute(&owner, request).await
    };
    let not = ErrorKind::OperationNotPermitted;
    let managed = snapshot_of(&control, &owner, encrypted(None)).await;
    refused(modify(&managed, Some(&other)).await, not);
    refused(modify(&managed, None).await, not);
    let key = control.create_key(&owner, None).await.unwrap();
    let own = snapshot_of(&control, &owner, encrypted(Some(key.arn()))).await;
    modify(&own, Some(&other)).await.unwrap();
    refused(modify(&own, None).await, not);
}
