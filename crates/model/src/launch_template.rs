//! Launch templates: what a launch asks for, kept under a name, in numbered versions.

use serde::{Deserialize, Serialize};

use crate::{
    filter::{Filterable, many, maybe, one, time},
    ids::{AccountId, LaunchTemplateId},
    place::Region,
    tag::{TagSpecification, Tags},
    time::Timestamp,
};

/// The greatest number of versions of a template.
pub const VERSIONS_MAX: usize = 10_000;

/// A launch template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchTemplate {
    /// Its id.
    pub id: LaunchTemplateId,
    /// Owner.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// Name, unique within account and region.
    pub name: String,
    /// When it was made.
    pub create_time: Timestamp,
    /// ARN of who made it.
    pub created_by: String,
    /// The version that launches take which name none.
    pub default_version: i64,
    /// The number of the latest version; numbers are never used again.
    pub latest_version: i64,
    /// Tags.
    pub tags: Tags,
}

/// A version of a template. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateVersion {
    /// Number, from 1.
    pub number: i64,
    /// Description.
    pub description: Option<String>,
    /// When it was made.
    pub create_time: Timestamp,
    /// ARN of who made it.
    pub created_by: String,
    /// What it says.
    pub data: TemplateData,
}

/// What a version says: parameters of a launch, as they were given. Nothing in it is looked up
/// before the launch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the members of the EC2 structure")]
pub struct TemplateData {
    pub image_id: Option<String>,
    pub instance_type: Option<String>,
    pub key_name: Option<String>,
    pub security_group_ids: Vec<String>,
    pub security_groups: Vec<String>,
    pub network_interfaces: Vec<TemplateInterface>,
    pub availability_zone: Option<String>,
    pub availability_zone_id: Option<String>,
    pub tenancy: Option<String>,
    pub block_device_mappings: Vec<TemplateMapping>,
    pub user_data: Option<String>,
    pub iam_instance_profile: Option<TemplateProfile>,
    pub metadata_options: Option<TemplateMetadataOptions>,
    pub disable_api_termination: Option<bool>,
    pub disable_api_stop: Option<bool>,
    pub instance_initiated_shutdown_behavior: Option<String>,
    pub ebs_optimized: Option<bool>,
    pub monitoring: Option<bool>,
    pub cpu_credits: Option<String>,
    pub tag_specifications: Vec<TagSpecification>,
}

/// A network interface of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the members of the EC2 structure")]
pub struct TemplateInterface {
    pub device_index: Option<i32>,
    pub subnet_id: Option<String>,
    pub groups: Vec<String>,
    pub private_ip_address: Option<String>,
    pub associate_public_ip_address: Option<bool>,
    pub delete_on_termination: Option<bool>,
    pub description: Option<String>,
}

/// A block device mapping of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the members of the EC2 structure")]
pub struct TemplateMapping {
    pub device_name: Option<String>,
    pub virtual_name: Option<String>,
    pub no_device: Option<String>,
    pub ebs: Option<TemplateEbs>,
}

/// The volume of a mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the members of the EC2 structure")]
pub struct TemplateEbs {
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

/// An instance profile by ARN or name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the members of the EC2 structure")]
pub struct TemplateProfile {
    pub arn: Option<String>,
    pub name: Option<String>,
}

/// How the metadata service is to answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the members of the EC2 structure")]
pub struct TemplateMetadataOptions {
    pub http_endpoint: Option<String>,
    pub http_tokens: Option<String>,
    pub http_put_response_hop_limit: Option<i32>,
    pub instance_metadata_tags: Option<String>,
}

impl TemplateData {
    /// This one over another: what it says stands, and of the rest what the other one says.
    #[must_use]
    pub fn over(self, other: Self) -> Self {
        Self {
            image_id: self.image_id.or(other.image_id),
            instance_type: self.instance_type.or(other.instance_type),
            key_name: self.key_name.or(other.key_name),
            security_group_ids: first(self.security_group_ids, other.security_group_ids),
            security_groups: first(self.security_groups, other.security_groups),
            network_interfaces: first(self.network_interfaces, other.network_interfaces),
            availability_zone: self.availability_zone.or(other.availability_zone),
            availability_zone_id: self.availability_zone_id.or(other.availability_zone_id),
            tenancy: self.tenancy.or(other.tenancy),
            block_device_mappings: first(self.block_device_mappings, other.block_device_mappings),
            user_data: self.user_data.or(other.user_data),
            iam_instance_profile: self.iam_instance_profile.or(other.iam_instance_profile),
            metadata_options: self.metadata_options.or(other.metadata_options),
            disable_api_termination: self
                .disable_api_termination
                .or(other.disable_api_termination),
            disable_api_stop: self.disable_api_stop.or(other.disable_api_stop),
            instance_initiated_shutdown_behavior: self
                .instance_initiated_shutdown_behavior
                .or(other.instance_initiated_shutdown_behavior),
            ebs_optimized: self.ebs_optimized.or(other.ebs_optimized),
            monitoring: self.monitoring.or(other.monitoring),
            cpu_credits: self.cpu_credits.or(other.cpu_credits),
            tag_specifications: first(self.tag_specifications, other.tag_specifications),
        }
    }
}

fn first<T>(this: Vec<T>, other: Vec<T>) -> Vec<T> {
    if this.is_empty() { other } else { this }
}

/// A name that a version is asked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionName {
    /// `$Latest`.
    Latest,
    /// `$Default`.
    Default,
    /// A number.
    Number(i64),
}

impl VersionName {
    /// The number that it stands for.
    pub fn number(self, template: &LaunchTemplate) -> i64 {
        match self {
            Self::Latest => template.latest_version,
            Self::Default => template.default_version,
            Self::Number(number) => number,
        }
    }
}

impl std::str::FromStr for VersionName {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        match text {
            "$Latest" => Ok(Self::Latest),
            "$Default" => Ok(Self::Default),
            number => match number.parse() {
                Ok(number) if number > 0 => Ok(Self::Number(number)),
                _ => Err(InvalidVersion(text.to_owned())),
            },
        }
    }
}

/// Text that names no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Invalid launch template version: either '$Default', '$Latest', or a numeric version are allowed, not '{0}'."
)]
pub struct InvalidVersion(pub String);

/// Whether a template can have a name: 3 to 128 letters, digits and `( ) . / _ -`.
pub fn is_name(name: &str) -> bool {
    let is_good = |c: char| c.is_ascii_alphanumeric() || "()./_-".contains(c);
    (3..=128).contains(&name.len()) && name.chars().all(is_good)
}

impl Filterable for LaunchTemplate {
    const FILTERS: &'static [&'static str] = &["create-time", "launch-template-name"];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "create-time" => time(self.create_time),
            "launch-template-name" => one(&self.name),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }
}

/// A version with its template, as DescribeLaunchTemplateVersions shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionOfTemplate {
    /// The template.
    pub template: LaunchTemplate,
    /// The version.
    pub version: TemplateVersion,
}

impl VersionOfTemplate {
    /// Whether it is the template's default.
    pub fn is_default(&self) -> bool {
        self.template.default_version == self.version.number
    }
}

impl Filterable for VersionOfTemplate {
    const HAS_TAGS: bool = false;
    const FILTERS: &'static [&'static str] = &[
        "create-time",
        "ebs-optimized",
        "host-resource-group-arn",
        "http-endpoint",
        "http-protocol-ipv4",
        "http-tokens",
        "iam-instance-profile",
        "image-id",
        "instance-type",
        "is-default-version",
        "kernel-id",
        "license-configuration-arn",
        "network-card-index",
        "ram-disk-id",
    ];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        let data = &self.version.data;
        let metadata = data.metadata_options.as_ref();
        match name {
            "create-time" => time(self.version.create_time),
            "ebs-optimized" => maybe(data.ebs_optimized),
            "http-endpoint" | "http-protocol-ipv4" => {
                maybe(metadata.and_then(|m| m.http_endpoint.as_ref()))
            }
            "http-tokens" => maybe(metadata.and_then(|m| m.http_tokens.as_ref())),
            "iam-instance-profile" => many(
                data.iam_instance_profile
                    .iter()
                    .flat_map(|profile| profile.arn.iter().chain(&profile.name)),
            ),
            "image-id" => maybe(data.image_id.as_ref()),
            "instance-type" => maybe(data.instance_type.as_ref()),
            "is-default-version" => one(self.is_default()),
            other => Self::FILTERS.contains(&other).then(Vec::new),
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_named_by_number_or_role() {
        assert_eq!("$Latest".parse(), Ok(VersionName::Latest));
        assert_eq!("$Default".parse(), Ok(VersionName::Default));
        assert_eq!("12".parse(), Ok(VersionName::Number(12)));
        for text in ["", "0", "-1", "latest", "$latest", "1.0"] {
            assert!(text.parse::<VersionName>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_have_their_letters() {
        assert!(is_name("a-b") && is_name("Web/(1).x_y"));
        assert!(!is_name("ab") && !is_name("a b") && !is_name(&"x".repeat(129)));
    }

    #[test]
    fn a_new_version_says_what_it_says_over_its_source() {
        let source = TemplateData {
            image_id: Some("ami-1".to_owned()),
            instance_type: Some("t3.micro".to_owned()),
            security_groups: vec!["a".to_owned(), "b".to_owned()],
            ebs_optimized: Some(true),
            ..TemplateData::default()
        };
        let new = TemplateData {
            instance_type: Some("t3.small".to_owned()),
            security_groups: vec!["c".to_owned()],
            ebs_optimized: Some(false),
            ..TemplateData::default()
        };
        let made = new.over(source);
        assert_eq!(made.image_id.as_deref(), Some("ami-1"));
        assert_eq!(made.instance_type.as_deref(), Some("t3.small"));
        assert_eq!(made.security_groups, ["c"]);
        assert_eq!(made.ebs_optimized, Some(false));
    }
}
