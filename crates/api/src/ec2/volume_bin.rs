//! Volumes in the Recycle Bin.

use cairn_control::request as verbs;
use cairn_model::Volume;

use super::{
    Answered, Call, answer,
    common::{self, some},
};
use crate::generated::{request, response};

pub(super) async fn list(call: &Call<'_>) -> Answered {
    let asked: request::ListVolumesInRecycleBinRequest = call.request()?;
    let common = common::describe(
        Vec::new(),
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
        .list_volumes_in_recycle_bin(call.caller, request)
        .await?;
    answer(response::ListVolumesInRecycleBinResult {
        volumes: found.items.iter().map(show).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn restore(call: &Call<'_>) -> Answered {
    let asked: request::RestoreVolumeFromRecycleBinRequest = call.request()?;
    let request = verbs::ById {
        id: asked.volume_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .restore_volume_from_recycle_bin(call.caller, request)
        .await?;
    answer(response::RestoreVolumeFromRecycleBinResult {
        r#return: Some(true),
    })
}

fn show(volume: &Volume) -> response::VolumeRecycleBinInfo {
    response::VolumeRecycleBinInfo {
        volume_id: some(&volume.id),
        volume_type: some(volume.volume_type),
        state: some(volume.state),
        size: Some(volume.size_gib),
        iops: volume.iops,
        throughput: volume.throughput,
        availability_zone: some(&volume.availability_zone),
        availability_zone_id: super::volume::zone_id(volume.region, &volume.availability_zone),
        source_volume_id: volume.source_volume_id.as_ref().map(ToString::to_string),
        snapshot_id: volume.snapshot_id.as_ref().map(ToString::to_string),
        operator: Some(super::volume::not_managed()),
        create_time: Some(volume.create_time),
        recycle_bin_enter_time: volume.recycled.map(|stay| stay.entered),
        recycle_bin_exit_time: volume.recycled.map(|stay| stay.exits),
    }
}
