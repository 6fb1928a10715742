//! Volumes.

use serde::{Deserialize, Serialize};

use crate::{
    filter::{self, Filterable},
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
    /// The rate in MiB/s at which it was asked to fetch its snapshot. It is usable at once whatever
    /// the rate.
    #[serde(default)]
    pub initialization_rate: Option<i32>,
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

impl Filterable for Volume {
    const FILTERS: &'static [&'static str] = &[
        "attachment.attach-time",
        "attachment.delete-on-termination",
        "attachment.device",
        "attachment.instance-id",
        "attachment.status",
        "availability-zone",
        "availability-zone-id",
        "create-time",
        "encrypted",
        "fast-restored",
        "multi-attach-enabled",
        "operator.managed",
        "operator.principal",
        "size",
        "snapshot-id",
        "source-volume-id",
        "status",
        "volume-id",
        "volume-type",
    ];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        let attachments = self.attachments.iter();
        match name {
            "attachment.attach-time" => Some(
                attachments
                    .filter_map(|a| filter::time(a.attach_time))
                    .flatten()
                    .collect(),
            ),
            "attachment.delete-on-termination" => {
                filter::many(attachments.map(|a| a.delete_on_termination))
            }
            "attachment.device" => filter::many(attachments.map(|a| &a.device)),
            "attachment.instance-id" => filter::many(attachments.map(|a| &a.instance_id)),
            "attachment.status" => filter::many(attachments.map(|a| a.state)),
            "availability-zone" => filter::one(&self.availability_zone),
            "availability-zone-id" => filter::maybe(
                self.region
                    .zone(&self.availability_zone)
                    .map(|zone| zone.id()),
            ),
            "create-time" => filter::time(self.create_time),
            "encrypted" => filter::one(self.encrypted),
            // Every volume here is lazily restored: none is made by fast snapshot restore.
            "fast-restored" => filter::one(false),
            "multi-attach-enabled" => filter::one(self.multi_attach_enabled),
            // Every volume is its user's own, and none is a copy of another volume.
            "operator.managed" => filter::one(false),
            "operator.principal" | "source-volume-id" => filter::maybe(None::<&str>),
            "size" => filter::one(self.size_gib),
            "snapshot-id" => filter::maybe(self.snapshot_id.as_ref()),
            "status" => filter::one(self.state),
            "volume-id" => filter::one(&self.id),
            "volume-type" => filter::one(self.volume_type),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }
}
