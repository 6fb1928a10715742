//! The answers of verbs that are not nouns of the model.

mod images;
mod instances;
pub mod kms;
mod network;
mod snapshots;

use std::fmt;

use cairn_model::{
    BlockDeviceMapping, ImageId, Instance, InstanceId, InstanceState, KeyPair, Permissions,
    ReservationId, SnapshotId, Timestamp, Volume, VolumeId, ids::AccountId,
    instance::ShutdownBehavior, volume::Attachment,
};
use zeroize::Zeroizing;

mod volumes;

pub use images::*;
pub use instances::*;
pub use network::*;
pub use snapshots::*;
pub use volumes::*;

/// An attachment with its volume, as AttachVolume and DetachVolume show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeAttachment {
    /// The volume.
    pub volume_id: VolumeId,
    /// The attachment.
    pub attachment: Attachment,
}

/// How a volume is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeStatus {
    /// The volume.
    pub volume: Volume,
    /// Whether it can be read and written.
    pub is_usable: bool,
    /// Whether it still needs blocks that are lost.
    pub is_damaged: bool,
    /// How far it is filled from its snapshot; none if it was made from none.
    pub initialization: Option<Initialization>,
}

/// How far a volume is filled from its snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Initialization {
    /// From 0 to 100, which is all of it.
    pub percent: u64,
    /// How long the rest takes at the rate that was asked for, if one was.
    pub seconds_left: Option<u64>,
}

/// One attribute of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the attributes of EC2, by their names")]
pub enum ImageAttributeValue {
    Description(Option<String>),
    Kernel(Option<String>),
    Ramdisk(Option<String>),
    /// Who besides its owner may launch it.
    LaunchPermission(Permissions),
    ProductCodes,
    BlockDeviceMapping(Vec<BlockDeviceMapping>),
    SriovNetSupport(Option<String>),
    BootMode(Option<String>),
    TpmSupport(Option<String>),
    UefiData(Option<String>),
    LastLaunchedTime(Option<Timestamp>),
    ImdsSupport(Option<String>),
    DeregistrationProtection(String),
}

/// What DescribeImageAttribute answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageAttribute {
    /// The image.
    pub image_id: ImageId,
    /// The attribute.
    pub value: ImageAttributeValue,
}

/// One attribute of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the attributes of EC2, by their names")]
pub enum InstanceAttributeValue {
    InstanceType(String),
    Kernel,
    Ramdisk,
    /// Base64, or none.
    UserData(Option<String>),
    DisableApiTermination(bool),
    DisableApiStop(bool),
    InstanceInitiatedShutdownBehavior(ShutdownBehavior),
    RootDeviceName(Option<String>),
    /// The instance has the mapping.
    BlockDeviceMapping,
    ProductCodes,
    SourceDestCheck(bool),
    /// The instance has the groups.
    GroupSet,
    EbsOptimized(bool),
    SriovNetSupport(Option<String>),
    EnaSupport(bool),
    EnclaveOptions(bool),
}

/// What DescribeInstanceAttribute answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceAttribute {
    /// The instance.
    pub instance: Instance,
    /// The attribute.
    pub value: InstanceAttributeValue,
}

/// What DeregisterImage answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deregistered {
    /// For each snapshot that was to go: `success`, `skipped`, or why it stayed, as EC2 spells it.
    pub delete_snapshot_results: Vec<(SnapshotId, String)>,
}

/// The instances of one launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Its id.
    pub id: ReservationId,
    /// Owner.
    pub account: AccountId,
    /// Those of its instances that were asked for.
    pub instances: Vec<Instance>,
}

/// A change of an instance's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// The instance.
    pub id: InstanceId,
    /// Its state before.
    pub previous: InstanceState,
    /// Its state now.
    pub current: InstanceState,
}

/// Whether an instance and the host under it are well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceStatus {
    /// The instance.
    pub id: InstanceId,
    /// Name of its availability zone.
    pub availability_zone: String,
    /// Id of the same.
    pub availability_zone_id: Option<String>,
    /// Its state.
    pub state: InstanceState,
    /// `ok`, or `not-applicable` while it does not run. An instance is `ok` as soon as its machine
    /// runs: nothing here looks into the guest.
    pub instance_status: &'static str,
    /// The same for the host.
    pub system_status: &'static str,
}

/// What an instance wrote to its console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleOutput {
    /// The instance.
    pub instance_id: InstanceId,
    /// When this was read.
    pub timestamp: Timestamp,
    /// The last 64 KiB at most.
    pub output: Vec<u8>,
}

/// A new key pair, with the half that is shown this once.
#[derive(Clone, PartialEq, Eq)]
pub struct CreatedKeyPair {
    /// The key pair.
    pub key_pair: KeyPair,
    /// The private key as PEM.
    pub private_key: Zeroizing<String>,
}

/// The private key is not shown.
impl fmt::Debug for CreatedKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedKeyPair")
            .field("key_pair", &self.key_pair)
            .finish_non_exhaustive()
    }
}
