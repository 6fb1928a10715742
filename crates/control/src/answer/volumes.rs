//! Answers about volumes.

use cairn_model::VolumeId;

/// Whether everything that is new is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncryptionByDefault {
    /// Whether it is.
    pub enabled: bool,
}

impl EncryptionByDefault {
    /// What it is encrypted with, as EC2 spells it.
    pub fn sse_type(self) -> &'static str {
        if self.enabled { "sse-kms" } else { "none" }
    }
}

/// One attribute of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the attributes of EC2, by their names")]
pub enum VolumeAttributeValue {
    AutoEnableIo(bool),
    ProductCodes,
}

/// What DescribeVolumeAttribute answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeAttribute {
    /// The volume.
    pub volume_id: VolumeId,
    /// The attribute.
    pub value: VolumeAttributeValue,
}

/// Something that happened to a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeEvent {
    /// Its id.
    pub id: String,
    /// What happened, as EC2 spells it.
    pub event_type: &'static str,
    /// How it stands.
    pub description: &'static str,
}
