//! Volumes.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{AccountId, InstanceId, SnapshotId, VolumeId},
    place::Region,
    tag::Tags,
    time::Timestamp,
};

/// A volume as metadata knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its id.
    pub id: VolumeId,
    /// Owner.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// Name of its availability zone.
    pub availability_zone: String,
    /// Size in GiB.
    pub size_gib: i32,
    /// The snapshot it was made from.
    pub snapshot_id: Option<SnapshotId>,
    /// Type.
    pub volume_type: VolumeType,
    /// Provisioned or baseline I/O operations per second; types without one have none.
    pub iops: Option<i32>,
    /// Throughput in MiB/s (gp3).
    pub throughput: Option<i32>,
    /// Encrypted at rest.
    pub encrypted: bool,
    /// ARN of the key, if encrypted.
    pub kms_key_id: Option<String>,
    /// Whether several instances may attach it (io1, io2).
    pub multi_attach_enabled: bool,
    /// State.
    pub state: VolumeState,
    /// When it was created.
    pub create_time: Timestamp,
    /// Where it is attached.
    pub attachments: Vec<Attachment>,
    /// Tags.
    pub tags: Tags,
}

/// States of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of EC2, by their names")]
pub enum VolumeState {
    Creating,
    Available,
    InUse,
    Deleting,
    Deleted,
    Error,
}

/// Types of volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the types of EBS, by their names")]
pub enum VolumeType {
    Gp2,
    Gp3,
    Io1,
    Io2,
    St1,
    Sc1,
    Standard,
}

/// An attachment to an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The instance.
    pub instance_id: InstanceId,
    /// The device name.
    pub device: String,
    /// State.
    pub state: AttachmentState,
    /// When it was attached.
    pub attach_time: Timestamp,
    /// Whether the volume goes with the instance.
    pub delete_on_termination: bool,
}

/// States of an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of EC2, by their names")]
pub enum AttachmentState {
    Attaching,
    Attached,
    Detaching,
    Detached,
    Busy,
}
