//! Volumes and their attachments.

use cairn_control::{
    answer::{Initialization, VolumeEvent, VolumeStatus},
    request as verbs,
    volume_status::ENABLE_IO,
};
use cairn_model::{Attachment, Region, Volume, VolumeId};

use super::{
    Answered, Call, answer,
    common::{self, Done, some},
};
use crate::generated::{request, response};

pub(super) async fn create(call: &Call<'_>) -> Answered {
    let asked: request::CreateVolumeRequest = call.request()?;
    let request = verbs::CreateVolume {
        availability_zone: asked.availability_zone,
        availability_zone_id: asked.availability_zone_id,
        size: asked.size,
        snapshot_id: asked.snapshot_id,
        volume_type: asked.volume_type,
        iops: asked.iops,
        throughput: asked.throughput,
        encrypted: asked.encrypted,
        kms_key_id: asked.kms_key_id,
        multi_attach_enabled: asked.multi_attach_enabled,
        volume_initialization_rate: asked.volume_initialization_rate,
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        client_token: asked.client_token,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    answer(show(
        &call.control.create_volume(call.caller, request).await?,
    ))
}

pub(super) async fn describe(call: &Call<'_>) -> Answered {
    let asked: request::DescribeVolumesRequest = call.request()?;
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
    let found = call.control.describe_volumes(call.caller, request).await?;
    answer(response::DescribeVolumesResult {
        volumes: found.items.iter().map(show).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn describe_status(call: &Call<'_>) -> Answered {
    let asked: request::DescribeVolumeStatusRequest = call.request()?;
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
        .describe_volume_status(call.caller, request)
        .await?;
    answer(response::DescribeVolumeStatusResult {
        volume_statuses: found.items.iter().map(show_status).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn delete(call: &Call<'_>) -> Answered {
    let asked: request::DeleteVolumeRequest = call.request()?;
    let request = verbs::ById {
        id: asked.volume_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control.delete_volume(call.caller, request).await?;
    answer(Done)
}

pub(super) async fn attach(call: &Call<'_>) -> Answered {
    let asked: request::AttachVolumeRequest = call.request()?;
    let request = verbs::AttachVolume {
        volume_id: asked.volume_id,
        instance_id: asked.instance_id,
        device: asked.device,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let attached = call.control.attach_volume(call.caller, request).await?;
    answer(show_attachment(&attached.volume_id, &attached.attachment))
}

pub(super) async fn detach(call: &Call<'_>) -> Answered {
    let asked: request::DetachVolumeRequest = call.request()?;
    let request = verbs::DetachVolume {
        volume_id: asked.volume_id,
        instance_id: asked.instance_id,
        device: asked.device,
        force: asked.force.unwrap_or_default(),
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let detached = call.control.detach_volume(call.caller, request).await?;
    answer(show_attachment(&detached.volume_id, &detached.attachment))
}

fn show_status(status: &VolumeStatus) -> response::VolumeStatusItem {
    let volume = &status.volume;
    let (details, event) = (status.details(), status.event());
    response::VolumeStatusItem {
        actions: event
            .iter()
            .filter(|_| status.awaits_owner())
            .map(show_action)
            .collect(),
        availability_zone: some(&volume.availability_zone),
        events: event.iter().map(show_event).collect(),
        volume_id: some(&volume.id),
        volume_status: Some(response::VolumeStatusInfo {
            details: details
                .into_iter()
                .map(|(name, status)| response::VolumeStatusDetails {
                    name: some(name),
                    status: some(status),
                })
                .collect(),
            status: some(status.status()),
        }),
        initialization_status_details: status.initialization.map(show_initialization),
        availability_zone_id: zone_id(volume.region, &volume.availability_zone),
    }
}

fn show_event(event: &VolumeEvent) -> response::VolumeStatusEvent {
    response::VolumeStatusEvent {
        description: some(event.description),
        event_id: some(&event.id),
        event_type: some(event.event_type),
        not_after: None,
        not_before: None,
        instance_id: None,
    }
}

fn show_action(event: &VolumeEvent) -> response::VolumeStatusAction {
    let (code, description) = ENABLE_IO;
    response::VolumeStatusAction {
        code: some(code),
        description: some(description),
        event_id: some(&event.id),
        event_type: some(event.event_type),
    }
}

fn show_initialization(initialization: Initialization) -> response::InitializationStatusDetails {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let is_provisioned = initialization.seconds_left.is_some();
    response::InitializationStatusDetails {
        initialization_type: some(if is_provisioned {
            "provisioned-rate"
        } else {
            "default"
        }),
        progress: Some(whole(initialization.percent)),
        estimated_time_to_complete_in_seconds: initialization.seconds_left.map(whole),
    }
}

/// A volume as EC2 shows it: one that was made of no snapshot has an empty id there.
pub(super) fn show(volume: &Volume) -> response::Volume {
    response::Volume {
        availability_zone_id: zone_id(volume.region, &volume.availability_zone),
        iops: volume.iops,
        tags: common::tags(&volume.tags),
        volume_type: some(volume.volume_type),
        multi_attach_enabled: Some(volume.multi_attach_enabled),
        throughput: volume.throughput,
        volume_id: some(&volume.id),
        size: Some(volume.size_gib),
        snapshot_id: Some(
            volume
                .snapshot_id
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        ),
        availability_zone: some(&volume.availability_zone),
        state: some(volume.state),
        create_time: Some(volume.create_time),
        attachments: volume
            .attachments
            .iter()
            .map(|attachment| show_attachment(&volume.id, attachment))
            .collect(),
        encrypted: Some(volume.encrypted),
        kms_key_id: volume.kms_key_id.clone(),
        operator: Some(not_managed()),
        volume_initialization_rate: volume.initialization_rate,
        source_volume_id: volume.source_volume_id.as_ref().map(ToString::to_string),
    }
}

fn show_attachment(volume: &VolumeId, attachment: &Attachment) -> response::VolumeAttachment {
    response::VolumeAttachment {
        delete_on_termination: Some(attachment.delete_on_termination),
        volume_id: some(volume),
        instance_id: some(&attachment.instance_id),
        device: some(&attachment.device),
        state: some(attachment.state),
        attach_time: Some(attachment.attach_time),
    }
}

/// No service manages volumes here on somebody's behalf.
pub(super) fn not_managed() -> response::OperatorResponse {
    response::OperatorResponse {
        managed: Some(false),
    }
}

/// The id of a zone, from its name.
pub(super) fn zone_id(region: Region, zone: &str) -> Option<String> {
    region.zone(zone).map(cairn_model::place::Zone::id)
}
