//! Who may use a snapshot, and the block of public access.

use cairn_control::{
    answer::SnapshotAttributeValue,
    request::{self as verbs, EnableSnapshotBlock, Grantee},
};
use cairn_model::{Permissions, permission::EVERYBODY};

use super::{
    Answered, Call, answer,
    common::{Done, some},
};
use crate::generated::{request, response};

pub(super) async fn describe_attribute(call: &Call<'_>) -> Answered {
    let asked: request::DescribeSnapshotAttributeRequest = call.request()?;
    let request = verbs::SnapshotAttributeRequest {
        snapshot_id: asked.snapshot_id,
        attribute: asked.attribute,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let found = call
        .control
        .describe_snapshot_attribute(call.caller, request)
        .await?;
    let id = some(&found.snapshot_id);
    answer(match found.value {
        SnapshotAttributeValue::CreateVolumePermission(permissions) => {
            response::DescribeSnapshotAttributeResult {
                snapshot_id: id,
                create_volume_permissions: Some(show(&permissions)),
                product_codes: None,
            }
        }
        SnapshotAttributeValue::ProductCodes => response::DescribeSnapshotAttributeResult {
            snapshot_id: id,
            create_volume_permissions: None,
            product_codes: Some(Vec::new()),
        },
    })
}

fn show(permissions: &Permissions) -> Vec<response::CreateVolumePermission> {
    let everybody = permissions
        .public
        .then(|| response::CreateVolumePermission {
            user_id: None,
            group: some(EVERYBODY),
        });
    let accounts = permissions.accounts.iter();
    let accounts = accounts.map(|account| response::CreateVolumePermission {
        user_id: some(account),
        group: None,
    });
    everybody.into_iter().chain(accounts).collect()
}

pub(super) async fn modify_attribute(call: &Call<'_>) -> Answered {
    let asked: request::ModifySnapshotAttributeRequest = call.request()?;
    let permission = asked.create_volume_permission.unwrap_or_default();
    let request = verbs::ModifySnapshotAttribute {
        snapshot_id: asked.snapshot_id,
        attribute: asked.attribute,
        operation_type: asked.operation_type,
        user_ids: asked.user_ids,
        group_names: asked.group_names,
        add: grantees(permission.add),
        remove: grantees(permission.remove),
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .modify_snapshot_attribute(call.caller, request)
        .await?;
    answer(Done)
}

fn grantees(items: Vec<request::CreateVolumePermission>) -> Vec<Grantee> {
    let grantee = |item: request::CreateVolumePermission| Grantee {
        user_id: item.user_id,
        group: item.group,
    };
    items.into_iter().map(grantee).collect()
}

pub(super) async fn reset_attribute(call: &Call<'_>) -> Answered {
    let asked: request::ResetSnapshotAttributeRequest = call.request()?;
    let request = verbs::SnapshotAttributeRequest {
        snapshot_id: asked.snapshot_id,
        attribute: asked.attribute,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .reset_snapshot_attribute(call.caller, request)
        .await?;
    answer(Done)
}

pub(super) async fn enable_block(call: &Call<'_>) -> Answered {
    let asked: request::EnableSnapshotBlockPublicAccessRequest = call.request()?;
    let request = EnableSnapshotBlock {
        state: asked.state,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let state = call
        .control
        .enable_snapshot_block_public_access(call.caller, request)
        .await?;
    answer(response::EnableSnapshotBlockPublicAccessResult { state: some(state) })
}

pub(super) async fn disable_block(call: &Call<'_>) -> Answered {
    let asked: request::DisableSnapshotBlockPublicAccessRequest = call.request()?;
    let dry_run = asked.dry_run.unwrap_or_default();
    let state = call
        .control
        .disable_snapshot_block_public_access(call.caller, dry_run)
        .await?;
    answer(response::DisableSnapshotBlockPublicAccessResult { state: some(state) })
}

pub(super) async fn block_state(call: &Call<'_>) -> Answered {
    let asked: request::GetSnapshotBlockPublicAccessStateRequest = call.request()?;
    let dry_run = asked.dry_run.unwrap_or_default();
    let state = call
        .control
        .snapshot_block_public_access(call.caller, dry_run)
        .await?;
    answer(response::GetSnapshotBlockPublicAccessStateResult {
        state: some(state),
        managed_by: some("account"),
    })
}
