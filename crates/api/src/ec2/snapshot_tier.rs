//! Where snapshots lie: tiers, and fast restores.

use cairn_control::{
    answer::FastRestoreFailure,
    request::{self as verbs, FastRestores},
};
use cairn_model::{FastRestore, StorageTier, TierStatus};

use super::{
    Answered, Call, answer,
    common::{self, some},
};
use crate::generated::{request, response};

pub(super) async fn modify(call: &Call<'_>) -> Answered {
    let asked: request::ModifySnapshotTierRequest = call.request()?;
    let request = verbs::ModifySnapshotTier {
        snapshot_id: asked.snapshot_id,
        storage_tier: asked.storage_tier,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let (id, started) = call
        .control
        .modify_snapshot_tier(call.caller, request)
        .await?;
    answer(response::ModifySnapshotTierResult {
        snapshot_id: some(id),
        tiering_start_time: Some(started),
    })
}

pub(super) async fn restore(call: &Call<'_>) -> Answered {
    let asked: request::RestoreSnapshotTierRequest = call.request()?;
    let request = verbs::RestoreSnapshotTier {
        snapshot_id: asked.snapshot_id,
        temporary_restore_days: asked.temporary_restore_days,
        permanent_restore: asked.permanent_restore,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let restore = call
        .control
        .restore_snapshot_tier(call.caller, request)
        .await?;
    answer(response::RestoreSnapshotTierResult {
        snapshot_id: some(restore.snapshot_id),
        restore_start_time: Some(restore.started),
        restore_duration: restore.days,
        is_permanent_restore: Some(restore.days.is_none()),
    })
}

pub(super) async fn describe(call: &Call<'_>) -> Answered {
    let asked: request::DescribeSnapshotTierStatusRequest = call.request()?;
    let request = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let found = call
        .control
        .describe_snapshot_tier_status(call.caller, request)
        .await?;
    answer(response::DescribeSnapshotTierStatusResult {
        snapshot_tier_statuses: found.items.iter().map(show).collect(),
        next_token: found.next_token,
    })
}

fn show(status: &TierStatus) -> response::SnapshotTierStatus {
    let tiering = status.tiering.as_ref();
    let tier = tiering.map_or(StorageTier::Standard, |tiering| tiering.tier);
    response::SnapshotTierStatus {
        snapshot_id: some(&status.snapshot_id),
        volume_id: some(&status.volume_id),
        status: some(status.state),
        owner_id: some(&status.account),
        tags: common::tags(&status.tags),
        storage_tier: some(tier),
        last_tiering_start_time: tiering.map(|tiering| tiering.started),
        last_tiering_progress: tiering.map(|tiering| i32::from(tiering.progress)),
        last_tiering_operation_status: tiering.map(|tiering| tiering.status.to_string()),
        last_tiering_operation_status_detail: tiering
            .and_then(|tiering| tiering.status_detail.clone()),
        archival_complete_time: tiering.and_then(|tiering| tiering.archived),
        restore_expiry_time: tiering.and_then(|tiering| tiering.restored_until),
    }
}

pub(super) async fn enable_fast(call: &Call<'_>) -> Answered {
    let asked: request::EnableFastSnapshotRestoresRequest = call.request()?;
    let request = FastRestores {
        availability_zones: asked.availability_zones,
        availability_zone_ids: asked.availability_zone_ids,
        source_snapshot_ids: asked.source_snapshot_ids,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let changed = call
        .control
        .enable_fast_snapshot_restores(call.caller, request)
        .await?;
    answer(response::EnableFastSnapshotRestoresResult {
        successful: changed.successful.iter().map(enabled).collect(),
        unsuccessful: changed.unsuccessful.iter().map(not_enabled).collect(),
    })
}

pub(super) async fn disable_fast(call: &Call<'_>) -> Answered {
    let asked: request::DisableFastSnapshotRestoresRequest = call.request()?;
    let request = FastRestores {
        availability_zones: asked.availability_zones,
        availability_zone_ids: asked.availability_zone_ids,
        source_snapshot_ids: asked.source_snapshot_ids,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let changed = call
        .control
        .disable_fast_snapshot_restores(call.caller, request)
        .await?;
    answer(response::DisableFastSnapshotRestoresResult {
        successful: changed.successful.iter().map(disabled).collect(),
        unsuccessful: changed.unsuccessful.iter().map(not_disabled).collect(),
    })
}

pub(super) async fn describe_fast(call: &Call<'_>) -> Answered {
    let asked: request::DescribeFastSnapshotRestoresRequest = call.request()?;
    let request = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let found = call
        .control
        .describe_fast_snapshot_restores(call.caller, request)
        .await?;
    answer(response::DescribeFastSnapshotRestoresResult {
        fast_snapshot_restores: found.items.iter().map(described).collect(),
        next_token: found.next_token,
    })
}

/// The three operations show the same under three names.
macro_rules! shown_as {
    ($($name:ident $item:ident;)*) => {$(
        fn $name(restore: &FastRestore) -> response::$item {
            response::$item {
                snapshot_id: some(&restore.snapshot_id),
                availability_zone: some(&restore.zone),
                availability_zone_id: some(restore.zone_id()),
                state: some(restore.state),
                state_transition_reason: some(restore.reason()),
                owner_id: some(&restore.account),
                enabling_time: restore.times.enabling,
                optimizing_time: restore.times.optimizing,
                enabled_time: restore.times.enabled,
                disabling_time: restore.times.disabling,
                disabled_time: restore.times.disabled,
            }
        }
    )*};
}

shown_as! {
    enabled EnableFastSnapshotRestoreSuccessItem;
    disabled DisableFastSnapshotRestoreSuccessItem;
    described DescribeFastSnapshotRestoreSuccessItem;
}

fn not_enabled(failure: &FastRestoreFailure) -> response::EnableFastSnapshotRestoreErrorItem {
    let error = response::EnableFastSnapshotRestoreStateError {
        code: some(failure.code),
        message: some(&failure.message),
    };
    response::EnableFastSnapshotRestoreErrorItem {
        snapshot_id: some(&failure.snapshot_id),
        fast_snapshot_restore_state_errors: vec![
            response::EnableFastSnapshotRestoreStateErrorItem {
                availability_zone: some(&failure.zone),
                availability_zone_id: some(&failure.zone_id),
                error: Some(error),
            },
        ],
    }
}

fn not_disabled(failure: &FastRestoreFailure) -> response::DisableFastSnapshotRestoreErrorItem {
    let error = response::DisableFastSnapshotRestoreStateError {
        code: some(failure.code),
        message: some(&failure.message),
    };
    response::DisableFastSnapshotRestoreErrorItem {
        snapshot_id: some(&failure.snapshot_id),
        fast_snapshot_restore_state_errors: vec![
            response::DisableFastSnapshotRestoreStateErrorItem {
                availability_zone: some(&failure.zone),
                availability_zone_id: some(&failure.zone_id),
                error: Some(error),
            },
        ],
    }
}
