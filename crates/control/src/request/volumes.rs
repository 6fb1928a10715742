//! Requests about volumes, beyond making, attaching and deleting them.

use cairn_model::TagSpecification;

use super::Describe;

/// A call on the settings of an account in a region, which has nothing else to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whether only to check.
    pub dry_run: bool,
}

/// ModifyEbsDefaultKmsKeyId.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct ModifyDefaultKey {
    pub kms_key_id: String,
    pub dry_run: bool,
}

/// ModifyVolume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct ModifyVolume {
    pub volume_id: String,
    pub size: Option<i32>,
    pub volume_type: Option<String>,
    pub iops: Option<i32>,
    pub throughput: Option<i32>,
    pub multi_attach_enabled: Option<bool>,
    pub dry_run: bool,
}

/// ModifyVolumeAttribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct ModifyVolumeAttribute {
    pub volume_id: String,
    pub auto_enable_io: Option<bool>,
    pub dry_run: bool,
}

/// CopyVolumes.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct CopyVolumes {
    pub source_volume_id: String,
    pub size: Option<i32>,
    pub volume_type: Option<String>,
    pub iops: Option<i32>,
    pub throughput: Option<i32>,
    pub multi_attach_enabled: Option<bool>,
    pub tag_specifications: Vec<TagSpecification>,
    pub client_token: Option<String>,
    #[serde(skip)]
    pub dry_run: bool,
}

/// CreateReplaceRootVolumeTask.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct CreateReplaceRootVolumeTask {
    pub instance_id: String,
    pub snapshot_id: Option<String>,
    pub image_id: Option<String>,
    pub delete_replaced_root_volume: bool,
    pub volume_initialization_rate: Option<i64>,
    pub tag_specifications: Vec<TagSpecification>,
    pub client_token: Option<String>,
    #[serde(skip)]
    pub dry_run: bool,
}

/// DescribeReplaceRootVolumeTasks.
pub type DescribeReplaceRootVolumeTasks = Describe;
