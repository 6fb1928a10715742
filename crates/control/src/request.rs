//! The requests of all verbs, in the words of the model.
//!
//! Ids are text here: a dialect hands on what the client sent, and the verb answers malformed
//! and unknown ids with the kind that belongs to the noun. The same goes for names of types and
//! zones. `dry_run` is checked by every verb that has it, after all other checks.

mod images;
mod instances;
pub mod kms;
mod network;
mod snapshots;

use bytes::Bytes;
use cairn_blocks::Hashed;
use cairn_model::{Filter, Page, TagSpecification};

mod volumes;

pub use images::*;
pub use instances::*;
pub use network::*;
pub use snapshots::*;
pub use volumes::*;

/// A Describe of nouns that are looked up by id, filtered and paged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Describe {
    /// Ids; empty means all.
    pub ids: Vec<String>,
    /// Names, for nouns that have them (key pairs, security groups, regions, zones, instance types).
    pub names: Vec<String>,
    /// Filters.
    pub filters: Vec<Filter>,
    /// Page.
    pub page: Page,
    /// Whether only to check.
    pub dry_run: bool,
}

/// DescribeRegions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeRegions {
    /// Names and filters.
    pub common: Describe,
    /// Whether also those that the account has not opted into.
    pub all_regions: bool,
}

/// ModifyAvailabilityZoneGroup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct ModifyZoneGroup {
    pub group_name: String,
    pub opt_in_status: String,
    pub dry_run: bool,
}

/// CreateVolume.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct CreateVolume {
    pub availability_zone: Option<String>,
    pub availability_zone_id: Option<String>,
    pub size: Option<i32>,
    pub snapshot_id: Option<String>,
    pub volume_type: Option<String>,
    pub iops: Option<i32>,
    pub throughput: Option<i32>,
    pub encrypted: Option<bool>,
    pub kms_key_id: Option<String>,
    pub multi_attach_enabled: Option<bool>,
    pub volume_initialization_rate: Option<i32>,
    pub tag_specifications: Vec<TagSpecification>,
    pub client_token: Option<String>,
    #[serde(skip)]
    pub dry_run: bool,
}

/// AttachVolume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct AttachVolume {
    pub volume_id: String,
    pub instance_id: String,
    pub device: String,
    pub dry_run: bool,
}

/// DetachVolume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct DetachVolume {
    pub volume_id: String,
    pub instance_id: Option<String>,
    pub device: Option<String>,
    pub force: bool,
    pub dry_run: bool,
}

/// CreateSnapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct CreateSnapshot {
    pub volume_id: String,
    pub description: Option<String>,
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: bool,
}

/// DescribeSnapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct DescribeSnapshots {
    pub common: Describe,
    pub owner_ids: Vec<String>,
    pub restorable_by_user_ids: Vec<String>,
}

/// DescribeImages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct DescribeImages {
    pub common: Describe,
    pub owners: Vec<String>,
    pub executable_users: Vec<String>,
    pub include_deprecated: bool,
    pub include_disabled: bool,
}

/// A verb on one resource by id, such as DeleteVolume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ById {
    /// The id.
    pub id: String,
    /// Whether only to check.
    pub dry_run: bool,
}

/// RegisterImage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct RegisterImage {
    pub name: String,
    pub description: Option<String>,
    pub architecture: Option<String>,
    pub virtualization_type: Option<String>,
    pub root_device_name: Option<String>,
    pub block_device_mappings: Vec<MappingRequest>,
    pub boot_mode: Option<String>,
    pub ena_support: Option<bool>,
    pub sriov_net_support: Option<String>,
    pub tpm_support: Option<String>,
    pub imds_support: Option<String>,
    pub uefi_data: Option<String>,
    pub kernel_id: Option<String>,
    pub ramdisk_id: Option<String>,
    pub image_location: Option<String>,
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: bool,
}

/// A block device mapping as a client sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct MappingRequest {
    pub device_name: Option<String>,
    pub virtual_name: Option<String>,
    /// Present, though usually empty, when the mapping is to be suppressed.
    pub no_device: Option<String>,
    pub ebs: Option<EbsRequest>,
}

/// The EBS part of a mapping as a client sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct EbsRequest {
    pub snapshot_id: Option<String>,
    pub volume_size: Option<i32>,
    pub volume_type: Option<String>,
    pub iops: Option<i32>,
    pub throughput: Option<i32>,
    pub delete_on_termination: Option<bool>,
    pub encrypted: Option<bool>,
    pub kms_key_id: Option<String>,
    pub volume_initialization_rate: Option<i32>,
}

/// CreateImage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct CreateImage {
    pub instance_id: String,
    pub name: String,
    pub description: Option<String>,
    pub no_reboot: bool,
    pub block_device_mappings: Vec<MappingRequest>,
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: bool,
}

/// DeregisterImage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct DeregisterImage {
    pub image_id: String,
    pub delete_associated_snapshots: bool,
    pub dry_run: bool,
}

/// DescribeImageAttribute and DescribeInstanceAttribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeAttribute {
    /// The image or instance.
    pub id: String,
    /// The attribute, as EC2 spells it.
    pub attribute: String,
    /// Whether only to check.
    pub dry_run: bool,
}

/// RunInstances.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct RunInstances {
    pub image_id: Option<String>,
    pub min_count: i32,
    pub max_count: i32,
    pub instance_type: Option<String>,
    pub key_name: Option<String>,
    pub subnet_id: Option<String>,
    pub security_group_ids: Vec<String>,
    pub security_groups: Vec<String>,
    pub private_ip_address: Option<String>,
    /// The first network interface's subnet, groups and address, for clients that send them there.
    pub network_interface: Option<NetworkInterfaceRequest>,
    pub availability_zone: Option<String>,
    pub availability_zone_id: Option<String>,
    pub block_device_mappings: Vec<MappingRequest>,
    pub user_data: Option<String>,
    pub metadata_options: MetadataOptionsRequest,
    pub disable_api_termination: Option<bool>,
    pub disable_api_stop: Option<bool>,
    pub instance_initiated_shutdown_behavior: Option<String>,
    pub ebs_optimized: Option<bool>,
    pub monitoring: Option<bool>,
    pub iam_instance_profile: Option<ProfileName>,
    pub cpu_credits: Option<String>,
    /// What says the rest.
    pub launch_template: Option<TemplateOfLaunch>,
    pub tag_specifications: Vec<TagSpecification>,
    pub client_token: Option<String>,
    #[serde(skip)]
    pub dry_run: bool,
}

/// A network interface asked for by RunInstances.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct NetworkInterfaceRequest {
    pub device_index: Option<i32>,
    pub subnet_id: Option<String>,
    pub groups: Vec<String>,
    pub private_ip_address: Option<String>,
    pub associate_public_ip_address: Option<bool>,
    pub delete_on_termination: Option<bool>,
    pub description: Option<String>,
}

/// Metadata options asked for by RunInstances; values as EC2 spells them.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct MetadataOptionsRequest {
    pub http_endpoint: Option<String>,
    pub http_tokens: Option<String>,
    pub http_put_response_hop_limit: Option<i32>,
    pub instance_metadata_tags: Option<String>,
}

/// DescribeInstanceStatus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeInstanceStatus {
    /// Ids, filters and page.
    pub common: Describe,
    /// Whether instances that do not run are shown too.
    pub include_all: bool,
}

/// Start- and RebootInstances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceIds {
    /// The instances.
    pub ids: Vec<String>,
    /// Whether only to check.
    pub dry_run: bool,
}

/// StopInstances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct StopInstances {
    pub ids: Vec<String>,
    pub force: bool,
    pub hibernate: bool,
    pub skip_os_shutdown: bool,
    pub dry_run: bool,
}

/// TerminateInstances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct TerminateInstances {
    pub ids: Vec<String>,
    pub skip_os_shutdown: bool,
    pub dry_run: bool,
}

/// CreateKeyPair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct CreateKeyPair {
    pub key_name: String,
    pub key_type: Option<String>,
    pub key_format: Option<String>,
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: bool,
}

/// ImportKeyPair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct ImportKeyPair {
    pub key_name: String,
    /// The public key, decoded from base64.
    pub public_key_material: Vec<u8>,
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: bool,
}

/// DeleteKeyPair, by name or id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct DeleteKeyPair {
    pub key_name: Option<String>,
    pub key_pair_id: Option<String>,
    pub dry_run: bool,
}

/// CreateTags and DeleteTags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeTags {
    /// The resources.
    pub resources: Vec<String>,
    /// Keys and values; on delete a value that is absent matches any. No keys at all: every tag.
    pub tags: Vec<(String, Option<String>)>,
    /// Whether only to check.
    pub dry_run: bool,
}

/// EBS direct: StartSnapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the members of the EBS request")]
pub struct StartSnapshot {
    pub volume_size: i64,
    pub parent_snapshot_id: Option<String>,
    pub description: Option<String>,
    pub tags: Vec<(String, String)>,
    pub client_token: Option<String>,
    pub encrypted: Option<bool>,
    pub kms_key_arn: Option<String>,
    /// Minutes, 10–4320.
    pub timeout: Option<i32>,
}

/// EBS direct: PutSnapshotBlock. The body was hashed, and checked against nothing yet but a
/// signature that covers it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EBS request")]
pub struct PutSnapshotBlock {
    pub snapshot_id: String,
    pub block_index: i64,
    /// `x-amz-Data-Length`.
    pub data_length: i64,
    /// `x-amz-Checksum`, base64.
    pub checksum: String,
    /// `x-amz-Checksum-Algorithm`.
    pub checksum_algorithm: String,
    pub progress: Option<i32>,
    pub data: Hashed<Bytes>,
}

/// EBS direct: CompleteSnapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EBS request")]
pub struct CompleteSnapshot {
    pub snapshot_id: String,
    pub changed_blocks_count: i64,
    pub checksum: Option<String>,
    pub checksum_algorithm: Option<String>,
    pub checksum_aggregation_method: Option<String>,
}

/// EBS direct: ListSnapshotBlocks (no first snapshot) and ListChangedBlocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EBS request")]
pub struct ListBlocks {
    pub first_snapshot_id: Option<String>,
    pub snapshot_id: String,
    pub page_token: Option<String>,
    pub max_results: Option<i32>,
    pub starting_block_index: Option<i64>,
}

/// EBS direct: GetSnapshotBlock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EBS request")]
pub struct GetSnapshotBlock {
    pub snapshot_id: String,
    pub block_index: i64,
    pub block_token: String,
}
