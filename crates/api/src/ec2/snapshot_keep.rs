//! What keeps snapshots from being deleted: locks, and the Recycle Bin.

use cairn_control::{
    recycle_bin::RecycledSnapshot,
    request::{self as verbs, ById, Describe},
};
use cairn_model::{LockedSnapshot, Page};

use super::{
    Answered, Call, answer,
    common::{self, some},
    snapshot::sse_type,
};
use crate::generated::{request, response};

pub(super) async fn lock(call: &Call<'_>) -> Answered {
    let asked: request::LockSnapshotRequest = call.request()?;
    let request = verbs::LockSnapshot {
        snapshot_id: asked.snapshot_id,
        lock_mode: asked.lock_mode,
        lock_duration: asked.lock_duration,
        expiration_date: asked.expiration_date,
        cool_off_period: asked.cool_off_period,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let shown = show(&call.control.lock_snapshot(call.caller, request).await?);
    answer(response::LockSnapshotResult {
        snapshot_id: shown.snapshot_id,
        lock_state: shown.lock_state,
        lock_duration: shown.lock_duration,
        cool_off_period: shown.cool_off_period,
        cool_off_period_expires_on: shown.cool_off_period_expires_on,
        lock_created_on: shown.lock_created_on,
        lock_expires_on: shown.lock_expires_on,
        lock_duration_start_time: shown.lock_duration_start_time,
    })
}

fn show(locked: &LockedSnapshot) -> response::LockedSnapshotsInfo {
    let lock = &locked.lock;
    response::LockedSnapshotsInfo {
        owner_id: some(&locked.account),
        snapshot_id: some(&locked.snapshot_id),
        lock_state: some(locked.state),
        lock_duration: Some(lock.duration_days()),
        cool_off_period: lock.cool_off_hours,
        cool_off_period_expires_on: lock.cool_off_ends(),
        lock_created_on: Some(lock.created),
        lock_duration_start_time: lock.starts,
        lock_expires_on: lock.expires(),
    }
}

pub(super) async fn unlock(call: &Call<'_>) -> Answered {
    let asked: request::UnlockSnapshotRequest = call.request()?;
    let request = ById {
        id: asked.snapshot_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let id = call.control.unlock_snapshot(call.caller, request).await?;
    answer(response::UnlockSnapshotResult {
        snapshot_id: some(id),
    })
}

pub(super) async fn describe_locked(call: &Call<'_>) -> Answered {
    let asked: request::DescribeLockedSnapshotsRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = Describe {
        ids: asked.snapshot_ids,
        ..common
    };
    let found = call
        .control
        .describe_locked_snapshots(call.caller, request)
        .await?;
    answer(response::DescribeLockedSnapshotsResult {
        snapshots: found.items.iter().map(show).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn list_recycled(call: &Call<'_>) -> Answered {
    let asked: request::ListSnapshotsInRecycleBinRequest = call.request()?;
    let page = Page {
        max_results: asked.max_results,
        next_token: asked.next_token,
    };
    let dry_run = asked.dry_run.unwrap_or_default();
    let request = Describe::of_ids(asked.snapshot_ids, page, dry_run);
    let found = call
        .control
        .list_snapshots_in_recycle_bin(call.caller, request)
        .await?;
    answer(response::ListSnapshotsInRecycleBinResult {
        snapshots: found.items.iter().map(show_recycled).collect(),
        next_token: found.next_token,
    })
}

fn show_recycled(recycled: &RecycledSnapshot) -> response::SnapshotRecycleBinInfo {
    response::SnapshotRecycleBinInfo {
        snapshot_id: some(&recycled.snapshot_id),
        recycle_bin_enter_time: Some(recycled.stay.entered),
        recycle_bin_exit_time: Some(recycled.stay.exits),
        description: some(&recycled.description),
        volume_id: some(&recycled.volume_id),
    }
}

pub(super) async fn restore_recycled(call: &Call<'_>) -> Answered {
    let asked: request::RestoreSnapshotFromRecycleBinRequest = call.request()?;
    let request = ById {
        id: asked.snapshot_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let restored = call
        .control
        .restore_snapshot_from_recycle_bin(call.caller, request)
        .await?;
    answer(response::RestoreSnapshotFromRecycleBinResult {
        snapshot_id: some(&restored.id),
        description: some(&restored.description),
        encrypted: Some(restored.encrypted),
        owner_id: some(&restored.account),
        progress: Some(format!("{}%", restored.progress)),
        start_time: Some(restored.start_time),
        state: some(restored.state),
        volume_id: some(&restored.volume_id),
        volume_size: Some(restored.volume_size_gib),
        sse_type: some(sse_type(&restored)),
    })
}
