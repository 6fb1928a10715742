//! Requests about instances, instance profiles and launch templates.

use cairn_model::{TagSpecification, launch_template::TemplateData};

use super::Describe;

/// ModifyInstanceAttribute: one attribute, by its name and value or by a member of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct ModifyInstanceAttribute {
    pub instance_id: String,
    pub attribute: Option<String>,
    pub value: Option<String>,
    pub instance_type: Option<String>,
    /// Base64.
    pub user_data: Option<String>,
    pub disable_api_termination: Option<bool>,
    pub disable_api_stop: Option<bool>,
    pub instance_initiated_shutdown_behavior: Option<String>,
    pub source_dest_check: Option<bool>,
    pub ebs_optimized: Option<bool>,
    pub ena_support: Option<bool>,
    pub sriov_net_support: Option<String>,
    pub groups: Vec<String>,
    pub block_device_mappings: Vec<DeviceChange>,
    pub dry_run: bool,
}

/// What is to become of a volume when its instance is terminated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct DeviceChange {
    pub device_name: Option<String>,
    pub volume_id: Option<String>,
    pub delete_on_termination: Option<bool>,
}

/// ModifyInstanceMetadataOptions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct ModifyMetadataOptions {
    pub instance_id: String,
    pub options: super::MetadataOptionsRequest,
    pub dry_run: bool,
}

/// ModifyInstanceMetadataDefaults; values as EC2 spells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct ModifyMetadataDefaults {
    pub options: super::MetadataOptionsRequest,
    pub http_tokens_enforced: Option<String>,
    pub dry_run: bool,
}

/// An instance profile, by its ARN or its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct ProfileName {
    pub arn: Option<String>,
    pub name: Option<String>,
}

/// AssociateIamInstanceProfile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct AssociateProfile {
    pub instance_id: String,
    pub profile: ProfileName,
}

/// DescribeInstanceTypeOfferings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct DescribeOfferings {
    pub common: Describe,
    pub location_type: Option<String>,
}

/// A launch template, by its id or its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct TemplateName {
    pub id: Option<String>,
    pub name: Option<String>,
}

/// The version of a launch template that a launch takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct TemplateOfLaunch {
    pub template: TemplateName,
    pub version: Option<String>,
}

/// CreateLaunchTemplate.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct CreateLaunchTemplate {
    pub name: String,
    pub description: Option<String>,
    pub data: TemplateData,
    pub tag_specifications: Vec<TagSpecification>,
    pub client_token: Option<String>,
    #[serde(skip)]
    pub dry_run: bool,
}

/// CreateLaunchTemplateVersion.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct CreateTemplateVersion {
    pub template: TemplateName,
    pub source_version: Option<String>,
    pub description: Option<String>,
    pub data: TemplateData,
    pub client_token: Option<String>,
    #[serde(skip)]
    pub dry_run: bool,
}

/// DescribeLaunchTemplateVersions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct DescribeTemplateVersions {
    pub common: Describe,
    pub template: TemplateName,
    pub versions: Vec<String>,
    pub min_version: Option<String>,
    pub max_version: Option<String>,
}

/// ModifyLaunchTemplate.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct ModifyLaunchTemplate {
    pub template: TemplateName,
    pub default_version: Option<String>,
    pub client_token: Option<String>,
    #[serde(skip)]
    pub dry_run: bool,
}

/// DeleteLaunchTemplate and DeleteLaunchTemplateVersions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct DeleteTemplate {
    pub template: TemplateName,
    pub versions: Vec<String>,
    pub dry_run: bool,
}
