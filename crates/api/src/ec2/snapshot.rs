//! Snapshots.

use cairn_control::request as verbs;
use cairn_model::Snapshot;

use super::{
    Answered, Call, answer,
    common::{self, Done, signed, some},
};
use crate::generated::{request, response};

pub(super) async fn create(call: &Call<'_>) -> Answered {
    let asked: request::CreateSnapshotRequest = call.request()?;
    let request = verbs::CreateSnapshot {
        volume_id: asked.volume_id,
        description: asked.description,
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    answer(show(
        &call.control.create_snapshot(call.caller, request).await?,
    ))
}

pub(super) async fn describe(call: &Call<'_>) -> Answered {
    let asked: request::DescribeSnapshotsRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::DescribeSnapshots {
        common: verbs::Describe {
            ids: asked.snapshot_ids,
            ..common
        },
        owner_ids: asked.owner_ids,
        restorable_by_user_ids: asked.restorable_by_user_ids,
    };
    let found = call
        .control
        .describe_snapshots(call.caller, request)
        .await?;
    answer(response::DescribeSnapshotsResult {
        snapshots: found.items.iter().map(show).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn delete(call: &Call<'_>) -> Answered {
    let asked: request::DeleteSnapshotRequest = call.request()?;
    let request = verbs::ById {
        id: asked.snapshot_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control.delete_snapshot(call.caller, request).await?;
    answer(Done)
}

pub(super) async fn copy(call: &Call<'_>) -> Answered {
    let asked: request::CopySnapshotRequest = call.request()?;
    let request = verbs::CopySnapshot {
        source_region: asked.source_region,
        source_snapshot_id: asked.source_snapshot_id,
        destination_region: asked.destination_region,
        description: asked.description,
        encrypted: asked.encrypted,
        kms_key_id: asked.kms_key_id,
        completion_duration_minutes: asked.completion_duration_minutes,
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let copy = call.control.copy_snapshot(call.caller, request).await?;
    answer(response::CopySnapshotResult {
        tags: common::tags(&copy.tags),
        snapshot_id: some(&copy.id),
    })
}

fn show(snapshot: &Snapshot) -> response::Snapshot {
    response::Snapshot {
        tags: common::tags(&snapshot.tags),
        storage_tier: some(snapshot.storage_tier()),
        restore_expiry_time: snapshot
            .tiering
            .as_ref()
            .and_then(|tiering| tiering.restored_until),
        sse_type: some(sse_type(snapshot)),
        transfer_type: snapshot.copy.map(|copy| copy.transfer_type().to_owned()),
        completion_duration_minutes: snapshot
            .copy
            .and_then(|copy| copy.completion_duration_minutes),
        completion_time: snapshot.completion_time,
        full_snapshot_size_in_bytes: snapshot.full_size_bytes.map(signed),
        snapshot_id: some(&snapshot.id),
        volume_id: some(&snapshot.volume_id),
        state: some(snapshot.state),
        state_message: snapshot.state_message.clone(),
        start_time: Some(snapshot.start_time),
        progress: Some(format!("{}%", snapshot.progress)),
        owner_id: some(&snapshot.account),
        description: some(&snapshot.description),
        volume_size: Some(snapshot.volume_size_gib),
        encrypted: Some(snapshot.encrypted),
        kms_key_id: snapshot.kms_key_id.clone(),
    }
}

/// How EC2 calls the encryption of a snapshot.
fn sse_type(snapshot: &Snapshot) -> &'static str {
    match snapshot.encrypted {
        true => "sse-kms",
        false => "none",
    }
}
