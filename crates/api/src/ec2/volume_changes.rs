//! Changes of volumes: modifications, attributes, copies, other root volumes.

use cairn_control::{
    answer::{VolumeAttribute, VolumeAttributeValue},
    request as verbs,
};
use cairn_model::{ReplaceRootTask, VolumeModification};

use super::{
    Answered, Call, answer,
    common::{self, Done, some},
    volume,
};
use crate::generated::{request, response};

pub(super) async fn modify(call: &Call<'_>) -> Answered {
    let asked: request::ModifyVolumeRequest = call.request()?;
    let request = verbs::ModifyVolume {
        volume_id: asked.volume_id,
        size: asked.size,
        volume_type: asked.volume_type,
        iops: asked.iops,
        throughput: asked.throughput,
        multi_attach_enabled: asked.multi_attach_enabled,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let begun = call.control.modify_volume(call.caller, request).await?;
    answer(response::ModifyVolumeResult {
        volume_modification: Some(show_modification(&begun)),
    })
}

pub(super) async fn describe_modifications(call: &Call<'_>) -> Answered {
    let asked: request::DescribeVolumesModificationsRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::Describe {
        ids: asked.volume_ids,
        ..common
    };
    let found = call
        .control
        .describe_volumes_modifications(call.caller, request)
        .await?;
    answer(response::DescribeVolumesModificationsResult {
        volumes_modifications: found.items.iter().map(show_modification).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn describe_attribute(call: &Call<'_>) -> Answered {
    let asked: request::DescribeVolumeAttributeRequest = call.request()?;
    let request = verbs::DescribeAttribute {
        id: asked.volume_id,
        attribute: asked.attribute,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let found = call
        .control
        .describe_volume_attribute(call.caller, request)
        .await?;
    answer(show_attribute(&found))
}

pub(super) async fn modify_attribute(call: &Call<'_>) -> Answered {
    let asked: request::ModifyVolumeAttributeRequest = call.request()?;
    let request = verbs::ModifyVolumeAttribute {
        volume_id: asked.volume_id,
        auto_enable_io: asked.auto_enable_io.and_then(|attribute| attribute.value),
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .modify_volume_attribute(call.caller, request)
        .await?;
    answer(Done)
}

pub(super) async fn enable_io(call: &Call<'_>) -> Answered {
    let asked: request::EnableVolumeIORequest = call.request()?;
    let request = verbs::ById {
        id: asked.volume_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control.enable_volume_io(call.caller, request).await?;
    answer(Done)
}

pub(super) async fn copy(call: &Call<'_>) -> Answered {
    let asked: request::CopyVolumesRequest = call.request()?;
    let request = verbs::CopyVolumes {
        source_volume_id: asked.source_volume_id,
        size: asked.size,
        volume_type: asked.volume_type,
        iops: asked.iops,
        throughput: asked.throughput,
        multi_attach_enabled: asked.multi_attach_enabled,
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        client_token: asked.client_token,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let copies = call.control.copy_volumes(call.caller, request).await?;
    answer(response::CopyVolumesResult {
        volumes: copies.iter().map(volume::show).collect(),
    })
}

pub(super) async fn replace_root(call: &Call<'_>) -> Answered {
    let asked: request::CreateReplaceRootVolumeTaskRequest = call.request()?;
    let request = verbs::CreateReplaceRootVolumeTask {
        instance_id: asked.instance_id,
        snapshot_id: asked.snapshot_id,
        image_id: asked.image_id,
        delete_replaced_root_volume: asked.delete_replaced_root_volume.unwrap_or_default(),
        volume_initialization_rate: asked.volume_initialization_rate,
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        client_token: asked.client_token,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let task = call
        .control
        .create_replace_root_volume_task(call.caller, request)
        .await?;
    answer(response::CreateReplaceRootVolumeTaskResult {
        replace_root_volume_task: Some(show_task(&task)),
    })
}

pub(super) async fn describe_replace_root(call: &Call<'_>) -> Answered {
    let asked: request::DescribeReplaceRootVolumeTasksRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::Describe {
        ids: asked.replace_root_volume_task_ids,
        ..common
    };
    let found = call
        .control
        .describe_replace_root_volume_tasks(call.caller, request)
        .await?;
    answer(response::DescribeReplaceRootVolumeTasksResult {
        replace_root_volume_tasks: found.items.iter().map(show_task).collect(),
        next_token: found.next_token,
    })
}

fn show_modification(found: &VolumeModification) -> response::VolumeModification {
    let modification = &found.modification;
    let (original, target) = (&modification.original, &modification.target);
    response::VolumeModification {
        volume_id: some(&found.volume_id),
        modification_state: some(modification.state),
        status_message: modification.status_message.clone(),
        target_size: Some(target.size_gib),
        target_iops: target.iops,
        target_volume_type: some(target.volume_type),
        target_throughput: target.throughput,
        target_multi_attach_enabled: Some(target.multi_attach_enabled),
        original_size: Some(original.size_gib),
        original_iops: original.iops,
        original_volume_type: some(original.volume_type),
        original_throughput: original.throughput,
        original_multi_attach_enabled: Some(original.multi_attach_enabled),
        progress: Some(modification.progress()),
        start_time: Some(modification.start_time),
        end_time: modification.end_time,
        operator: Some(response::OperatorResponse {
            managed: Some(false),
        }),
    }
}

fn show_attribute(found: &VolumeAttribute) -> response::DescribeVolumeAttributeResult {
    let (auto_enable_io, product_codes) = match found.value {
        VolumeAttributeValue::AutoEnableIo(value) => {
            let value = Some(value);
            (Some(response::AttributeBooleanValue { value }), None)
        }
        VolumeAttributeValue::ProductCodes => (None, Some(Vec::new())),
    };
    response::DescribeVolumeAttributeResult {
        auto_enable_io,
        product_codes,
        volume_id: some(&found.volume_id),
    }
}

fn show_task(task: &ReplaceRootTask) -> response::ReplaceRootVolumeTask {
    response::ReplaceRootVolumeTask {
        replace_root_volume_task_id: some(&task.id),
        instance_id: some(&task.instance_id),
        task_state: some(task.state),
        start_time: some(task.start_time),
        complete_time: task.complete_time.map(|time| time.to_string()),
        tags: common::tags(&task.tags),
        image_id: task.image_id.as_ref().map(ToString::to_string),
        snapshot_id: task.snapshot_id.as_ref().map(ToString::to_string),
        delete_replaced_root_volume: Some(task.delete_replaced_root_volume),
    }
}
