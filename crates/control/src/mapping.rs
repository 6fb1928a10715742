//! Block device mappings as clients send them, read into those of the model.

use cairn_model::{
    BlockDeviceMapping, EbsBlockDevice, VolumeType,
    block_device::{self, MappingError},
};

use crate::{
    Error, ErrorKind, Result, describe,
    request::{EbsRequest, MappingRequest},
};

/// Reads the mappings of a request and checks their form.
pub(crate) fn read(requests: &[MappingRequest]) -> Result<Vec<BlockDeviceMapping>> {
    let mappings = requests.iter().map(read_one).collect::<Result<Vec<_>>>()?;
    block_device::check(&mappings).map_err(mapping_error)?;
    Ok(mappings)
}

/// What EC2 calls mappings that cannot be.
pub(crate) fn mapping_error(error: MappingError) -> Error {
    let kind = match error {
        MappingError::NoSize(_) => ErrorKind::MissingParameter,
        _ => ErrorKind::BlockDeviceMappingInvalid,
    };
    Error::new(kind, error)
}

fn read_one(request: &MappingRequest) -> Result<BlockDeviceMapping> {
    let device_name = request.device_name.clone().filter(|name| !name.is_empty());
    let device_name = device_name.ok_or_else(|| {
        let message = "The request must contain the parameter BlockDeviceMapping.DeviceName";
        Error::new(ErrorKind::MissingParameter, message)
    })?;
    // Packer and others send an empty NoDevice, which says it as well as any other.
    let no_device = request.no_device.is_some();
    let ebs = request
        .ebs
        .as_ref()
        .filter(|_| !no_device)
        .map(read_ebs)
        .transpose()?;
    Ok(BlockDeviceMapping {
        device_name,
        virtual_name: request.virtual_name.clone(),
        no_device,
        ebs,
    })
}

fn read_ebs(request: &EbsRequest) -> Result<EbsBlockDevice> {
    let snapshot_id = request.snapshot_id.as_deref().filter(|id| !id.is_empty());
    let snapshot_id = snapshot_id
        .map(|id| describe::parse_id(id, ErrorKind::SnapshotIdMalformed))
        .transpose()?;
    Ok(EbsBlockDevice {
        snapshot_id,
        volume_size: request.volume_size,
        volume_type: request
            .volume_type
            .as_deref()
            .map(volume_type)
            .transpose()?,
        iops: request.iops,
        throughput: request.throughput,
        delete_on_termination: request.delete_on_termination,
        encrypted: request.encrypted,
        kms_key_id: request.kms_key_id.clone(),
        volume_initialization_rate: request.volume_initialization_rate,
    })
}

fn volume_type(text: &str) -> Result<VolumeType> {
    text.parse().map_err(|_| {
        let message = format!("Invalid volume type '{text}' in a block device mapping.");
        Error::new(ErrorKind::InvalidParameterValue, message)
    })
}
