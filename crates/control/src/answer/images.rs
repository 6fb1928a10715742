//! The answers of the verbs on images.

use cairn_model::{
    Filterable, Image, ImageId, Instance, Recycled, SourceImage, Tags, Timestamp, filter,
};

/// One image of a lineage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageAncestor {
    /// The image.
    pub image_id: ImageId,
    /// When it was registered.
    pub creation_date: Timestamp,
    /// Where it comes from; none of the first of them.
    pub source: Option<SourceImage>,
}

/// A resource that refers to an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageReference {
    /// The image.
    pub image_id: ImageId,
    /// The kind of resource, as EC2 spells it.
    pub resource_type: &'static str,
    /// The resource.
    pub arn: String,
}

/// References are not filtered.
impl Filterable for ImageReference {
    const FILTERS: &'static [&'static str] = &[];
    const HAS_TAGS: bool = false;

    fn filter_field(&self, _name: &str) -> Option<Vec<String>> {
        None
    }

    fn filter_tags(&self) -> Option<&Tags> {
        None
    }
}

/// An instance with what is still known of its image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceImage {
    /// The instance.
    pub instance: Instance,
    /// Id of its zone.
    pub zone_id: Option<String>,
    /// The image, be it deregistered, or shared no longer.
    pub image: Option<Image>,
    /// Whether the account's settings let it be used; none if they say nothing of images.
    pub image_allowed: Option<bool>,
}

impl Filterable for InstanceImage {
    const FILTERS: &'static [&'static str] = &[
        "availability-zone",
        "image-allowed",
        "instance-id",
        "instance-state-name",
        "instance-type",
        "launch-time",
        "owner-alias",
        "owner-id",
        "zone-id",
    ];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        let instance = &self.instance;
        match name {
            "availability-zone" => filter::one(&instance.availability_zone),
            "image-allowed" => filter::one(self.image_allowed.unwrap_or(true)),
            "instance-id" => filter::one(&instance.id),
            "instance-state-name" => filter::one(instance.state),
            "instance-type" => filter::one(&instance.instance_type),
            "launch-time" => filter::time(instance.launch_time),
            // Of images of Amazon's; there are none here.
            "owner-alias" => Some(Vec::new()),
            "owner-id" => filter::one(&instance.account),
            "zone-id" => filter::maybe(self.zone_id.as_ref()),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.instance.tags)
    }
}

/// An image in the Recycle Bin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecycledImage {
    /// The image.
    pub image_id: ImageId,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// Its stay.
    pub stay: Recycled,
}

/// What is in the bin is not filtered.
impl Filterable for RecycledImage {
    const FILTERS: &'static [&'static str] = &[];
    const HAS_TAGS: bool = false;

    fn filter_field(&self, _name: &str) -> Option<Vec<String>> {
        None
    }

    fn filter_tags(&self) -> Option<&Tags> {
        None
    }
}
