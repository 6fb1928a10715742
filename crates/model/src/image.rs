//! Images (AMIs).

use serde::{Deserialize, Serialize};

use crate::{
    block_device::BlockDeviceMapping,
    ids::{AccountId, ImageId, InstanceId},
    place::Region,
    tag::Tags,
    time::Timestamp,
};

/// An image as metadata knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// Owner.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// Name, unique within account and region.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// Architecture.
    pub architecture: Architecture,
    /// Virtualization type.
    pub virtualization_type: VirtualizationType,
    /// Device name of the root volume.
    pub root_device_name: Option<String>,
    /// Block devices.
    pub block_device_mappings: Vec<BlockDeviceMapping>,
    /// Firmware; none leaves it to the instance type.
    pub boot_mode: Option<BootMode>,
    /// Enhanced networking (ENA).
    pub ena_support: bool,
    /// `simple`, or none.
    pub sriov_net_support: Option<String>,
    /// `v2.0`, or none.
    pub tpm_support: Option<String>,
    /// `v2.0`: instances get IMDSv2 only unless they ask otherwise.
    pub imds_support: Option<String>,
    /// Base64 of the UEFI variable store.
    pub uefi_data: Option<String>,
    /// Kernel id (paravirtual).
    pub kernel_id: Option<String>,
    /// RAM disk id (paravirtual).
    pub ramdisk_id: Option<String>,
    /// Location: `account/name`, or the manifest of an instance-store image.
    pub location: String,
    /// State.
    pub state: ImageState,
    /// Why it failed, if it did.
    pub state_reason: Option<String>,
    /// When it was registered.
    pub creation_date: Timestamp,
    /// The instance it was made from.
    pub source_instance_id: Option<InstanceId>,
    /// When an instance was last launched from it.
    pub last_launched_time: Option<Timestamp>,
    /// Tags.
    pub tags: Tags,
}

/// States of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of EC2, by their names")]
pub enum ImageState {
    Pending,
    Available,
    Invalid,
    Deregistered,
    Transient,
    Failed,
    Error,
    Disabled,
}

/// Processor architectures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Architecture {
    I386,
    X86_64,
    Arm64,
}

/// Virtualization types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum VirtualizationType {
    Hvm,
    Paravirtual,
}

/// Firmware that an image boots by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum BootMode {
    LegacyBios,
    Uefi,
    UefiPreferred,
}
