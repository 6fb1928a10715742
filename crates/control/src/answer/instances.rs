//! Answers about instances, instance profiles and launch templates.

use cairn_model::{
    InstanceId, LaunchTemplate, Tags,
    filter::{Filterable, one},
    instance::ProfileAssociation,
};

/// An instance profile at an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileOfInstance {
    /// The instance.
    pub instance_id: InstanceId,
    /// The association.
    pub association: ProfileAssociation,
    /// `associated`, or `disassociating` for one that ends with this answer.
    pub state: &'static str,
}

impl Filterable for ProfileOfInstance {
    const HAS_TAGS: bool = false;
    const FILTERS: &'static [&'static str] = &["instance-id", "state"];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "instance-id" => one(&self.instance_id),
            "state" => one(self.state),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        None
    }
}

/// How an instance pays for bursts of its processor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditSpecification {
    /// The instance.
    pub instance_id: InstanceId,
    /// `standard` or `unlimited`.
    pub cpu_credits: String,
}

impl Filterable for CreditSpecification {
    const HAS_TAGS: bool = false;
    const FILTERS: &'static [&'static str] = &["instance-id"];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "instance-id" => one(&self.instance_id),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        None
    }
}

/// A type of instance and a place where it can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offering {
    /// The type.
    pub instance_type: &'static str,
    /// `region`, `availability-zone` or `availability-zone-id`.
    pub location_type: &'static str,
    /// The place.
    pub location: String,
}

impl Filterable for Offering {
    const HAS_TAGS: bool = false;
    const FILTERS: &'static [&'static str] = &["instance-type", "location"];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "instance-type" => one(self.instance_type),
            "location" => one(&self.location),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        None
    }
}

/// What DeleteLaunchTemplateVersions did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedVersions {
    /// The template.
    pub template: LaunchTemplate,
    /// The versions that are gone.
    pub deleted: Vec<i64>,
    /// The versions that stay: number, code and why.
    pub kept: Vec<(i64, &'static str, String)>,
}
