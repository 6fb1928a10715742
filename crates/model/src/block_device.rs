//! Block device mappings, of images and of launches.

use serde::{Deserialize, Serialize};

use crate::{ids::SnapshotId, volume::VolumeType};

/// What stands at a device name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockDeviceMapping {
    /// The device name, such as `/dev/xvda`.
    pub device_name: String,
    /// `ephemeralN`.
    pub virtual_name: Option<String>,
    /// Suppresses the mapping of the image at this name.
    pub no_device: bool,
    /// An EBS volume.
    pub ebs: Option<EbsBlockDevice>,
}

/// The volume that a mapping asks for. Everything may be left open in a request; an image's
/// mapping has size and type filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EbsBlockDevice {
    /// The snapshot it is made from.
    pub snapshot_id: Option<SnapshotId>,
    /// Size in GiB.
    pub volume_size: Option<i32>,
    /// Type.
    pub volume_type: Option<VolumeType>,
    /// Provisioned I/O operations per second.
    pub iops: Option<i32>,
    /// Throughput in MiB/s (gp3).
    pub throughput: Option<i32>,
    /// Whether the volume goes with the instance.
    pub delete_on_termination: Option<bool>,
    /// Whether it is encrypted.
    pub encrypted: Option<bool>,
    /// The key.
    pub kms_key_id: Option<String>,
}
