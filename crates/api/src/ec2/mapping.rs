//! Block device mappings, as requests have them and as images show them.

use cairn_control::request as verbs;
use cairn_model::{BlockDeviceMapping, EbsBlockDevice};

use super::common::some;
use crate::generated::{request, response};

/// The mappings of a request.
pub(super) fn asked(mappings: Vec<request::BlockDeviceMapping>) -> Vec<verbs::MappingRequest> {
    mappings
        .into_iter()
        .map(|mapping| verbs::MappingRequest {
            device_name: mapping.device_name,
            virtual_name: mapping.virtual_name,
            no_device: mapping.no_device,
            ebs: mapping.ebs.map(asked_ebs),
        })
        .collect()
}

fn asked_ebs(ebs: request::EbsBlockDevice) -> verbs::EbsRequest {
    verbs::EbsRequest {
        snapshot_id: ebs.snapshot_id,
        volume_size: ebs.volume_size,
        volume_type: ebs.volume_type,
        iops: ebs.iops,
        throughput: ebs.throughput,
        delete_on_termination: ebs.delete_on_termination,
        encrypted: ebs.encrypted,
        kms_key_id: ebs.kms_key_id,
        volume_initialization_rate: ebs.volume_initialization_rate,
    }
}

/// The mappings of an image.
pub(super) fn show(mappings: &[BlockDeviceMapping]) -> Vec<response::BlockDeviceMapping> {
    mappings
        .iter()
        .map(|mapping| response::BlockDeviceMapping {
            ebs: mapping.ebs.as_ref().map(show_ebs),
            no_device: mapping.no_device.then(String::new),
            device_name: some(&mapping.device_name),
            virtual_name: mapping.virtual_name.clone(),
        })
        .collect()
}

fn show_ebs(ebs: &EbsBlockDevice) -> response::EbsBlockDevice {
    response::EbsBlockDevice {
        delete_on_termination: ebs.delete_on_termination,
        iops: ebs.iops,
        snapshot_id: ebs.snapshot_id.as_ref().map(ToString::to_string),
        volume_size: ebs.volume_size,
        volume_type: ebs.volume_type.map(|volume_type| volume_type.to_string()),
        kms_key_id: ebs.kms_key_id.clone(),
        throughput: ebs.throughput,
        encrypted: ebs.encrypted,
    }
}
