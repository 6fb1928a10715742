//! The requests of the verbs on images.

use cairn_model::{
    TagSpecification, Timestamp,
    image::{allowed::ImageCriterion, usage::ResourceTypeWish},
};

use super::Describe;

/// Whom a ModifyImageAttribute names, as the client spells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct Grantees {
    pub user_ids: Vec<String>,
    pub user_groups: Vec<String>,
    pub organization_arns: Vec<String>,
    pub organizational_unit_arns: Vec<String>,
}

/// ModifyImageAttribute, in all its forms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct ModifyImageAttribute {
    pub image_id: String,
    pub attribute: Option<String>,
    pub value: Option<String>,
    pub operation_type: Option<String>,
    /// Whom `operation_type` is about.
    pub grantees: Grantees,
    /// LaunchPermission.Add and LaunchPermission.Remove.
    pub launch_permission: Option<(Grantees, Grantees)>,
    /// Present though empty where the description is to go.
    pub description: Option<String>,
    pub imds_support: Option<String>,
    pub dry_run: bool,
}

/// ResetImageAttribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct ResetImageAttribute {
    pub image_id: String,
    pub attribute: String,
    pub dry_run: bool,
}

/// EnableImageDeprecation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct EnableImageDeprecation {
    pub image_id: String,
    pub deprecate_at: Timestamp,
    pub dry_run: bool,
}

/// EnableImageDeregistrationProtection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct EnableDeregistrationProtection {
    pub image_id: String,
    pub with_cooldown: bool,
    pub dry_run: bool,
}

/// Of an account and region as a whole: a state that is to be set, as EC2 spells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetState {
    /// The state.
    pub state: String,
    /// Whether only to check.
    pub dry_run: bool,
}

/// ReplaceImageCriteriaInAllowedImagesSettings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct ReplaceImageCriteria {
    pub criteria: Vec<ImageCriterion>,
    pub dry_run: bool,
}

/// CopyImage.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct CopyImage {
    pub source_image_id: String,
    pub source_region: String,
    pub name: String,
    pub description: Option<String>,
    pub encrypted: Option<bool>,
    pub kms_key_id: Option<String>,
    pub copy_image_tags: bool,
    pub completion_duration_minutes: Option<i32>,
    pub tag_specifications: Vec<TagSpecification>,
    pub client_token: Option<String>,
    #[serde(skip)]
    pub dry_run: bool,
}

/// DescribeImageReferences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct DescribeImageReferences {
    /// Its ids are those of images.
    pub common: Describe,
    pub resource_types: Vec<ResourceTypeWish>,
    pub include_all_resource_types: bool,
}

/// CreateImageUsageReport.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct CreateImageUsageReport {
    pub image_id: String,
    pub resource_types: Vec<ResourceTypeWish>,
    pub account_ids: Vec<String>,
    pub tag_specifications: Vec<TagSpecification>,
    pub client_token: Option<String>,
    #[serde(skip)]
    pub dry_run: bool,
}

/// DescribeImageUsageReports and DescribeImageUsageReportEntries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct DescribeUsageReports {
    /// Its ids are those of reports.
    pub common: Describe,
    pub image_ids: Vec<String>,
}
