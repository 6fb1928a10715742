//! Tags, and the rules that EC2 has for them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::filter::{Filterable, one};

/// A resource's tags, key to value.
pub type Tags = BTreeMap<String, String>;

/// The greatest number of tags that users may put on a resource.
pub const MAX_TAGS: usize = 50;
/// The greatest length of a key, in characters.
pub const MAX_KEY_CHARS: usize = 128;
/// The greatest length of a value, in characters.
pub const MAX_VALUE_CHARS: usize = 256;
/// What keys begin with that the service sets itself.
pub const RESERVED_PREFIX: &str = "aws:";

/// One tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// The key: 1–128 characters, not beginning with `aws:`.
    pub key: String,
    /// The value: up to 256 characters, may be empty.
    pub value: String,
}

/// Tags that a create call puts on what it creates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagSpecification {
    /// What is to be tagged, as the client spelled it.
    pub resource_type: String,
    /// The tags.
    pub tags: Vec<Tag>,
}

/// The kinds of resource that carry tags here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ResourceType {
    DhcpOptions,
    Image,
    ImageUsageReport,
    Instance,
    InternetGateway,
    KeyPair,
    LaunchTemplate,
    NetworkAcl,
    NetworkInterface,
    ReplaceRootVolumeTask,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Snapshot,
    Subnet,
    Volume,
    Vpc,
}

impl ResourceType {
    /// The kind of resource that an id of this form names, whether it exists or not.
    pub fn of_id(id: &str) -> Option<Self> {
        let (prefix, _) = id.split_once('-')?;
        Some(match prefix {
            "acl" => Self::NetworkAcl,
            "ami" | "aki" | "ari" => Self::Image,
            "amiur" => Self::ImageUsageReport,
            "dopt" => Self::DhcpOptions,
            "i" => Self::Instance,
            "igw" => Self::InternetGateway,
            "key" => Self::KeyPair,
            "eni" => Self::NetworkInterface,
            "replacevol" => Self::ReplaceRootVolumeTask,
            "lt" => Self::LaunchTemplate,
            "rtb" => Self::RouteTable,
            "sg" => Self::SecurityGroup,
            "sgr" => Self::SecurityGroupRule,
            "snap" => Self::Snapshot,
            "subnet" => Self::Subnet,
            "vol" => Self::Volume,
            "vpc" => Self::Vpc,
            _ => return None,
        })
    }
}

/// Why tags are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// A key without characters.
    #[error("Tag key cannot be empty.")]
    EmptyKey,
    /// A key that is too long.
    #[error("Tag key exceeds the maximum length of 128 characters")]
    KeyTooLong,
    /// A value that is too long.
    #[error("Tag value exceeds the maximum length of 256 characters")]
    ValueTooLong,
    /// A key that only the service sets.
    #[error("Tag keys starting with 'aws:' are reserved for internal use")]
    Reserved,
    /// A key that comes twice.
    #[error("Duplicate tag key '{0}' specified.")]
    Duplicate(String),
    /// More tags than a resource may have.
    #[error("The maximum number of Tags for a resource has been reached.")]
    LimitExceeded,
    /// A specification for what the call does not create.
    #[error("'{0}' is not a valid taggable resource type for this operation.")]
    NotTaggable(String),
    /// A specification that names no resource type.
    #[error("Tag specification resource type must have a value")]
    NoResourceType,
    /// Two specifications for the same resource type.
    #[error("The same resource type may not be specified more than once in tag specifications.")]
    RepeatedResourceType,
    /// A key that the metadata service could not show.
    #[error(
        "'{0}' is not a valid tag key. Tag keys must match pattern ([0-9a-zA-Z\\-_+=,.@:]{{1,255}}), and must not be a \
         reserved name ('.', '..', '_index'), because the instance's metadata options enable InstanceMetadataTags."
    )]
    NotForMetadata(String),
    /// A specification without tags.
    #[error("Tag specification must have at least one tag")]
    NoTags,
}

/// Checks the form of a key that a user wants to set or delete.
///
/// # Errors
/// A key that is empty, too long or reserved.
pub fn check_key(key: &str) -> Result<(), TagError> {
    if key.is_empty() {
        return Err(TagError::EmptyKey);
    }
    if key.chars().count() > MAX_KEY_CHARS {
        return Err(TagError::KeyTooLong);
    }
    // EC2 takes no spelling of the prefix, whatever the case of its letters.
    let prefix = key.get(..RESERVED_PREFIX.len());
    if prefix.is_some_and(|p| p.eq_ignore_ascii_case(RESERVED_PREFIX)) {
        return Err(TagError::Reserved);
    }
    Ok(())
}

/// Checks tags that a user wants to set together, and makes a map of them.
///
/// # Errors
/// A key or value out of form, the same key twice, or more than [`MAX_TAGS`].
pub fn checked<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Tags, TagError> {
    let mut checked = Tags::new();
    for (key, value) in tags {
        check_key(key)?;
        if value.chars().count() > MAX_VALUE_CHARS {
            return Err(TagError::ValueTooLong);
        }
        if checked.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(TagError::Duplicate(key.to_owned()));
        }
    }
    if checked.len() > MAX_TAGS {
        return Err(TagError::LimitExceeded);
    }
    Ok(checked)
}

/// Puts `new` tags, which were [`checked`], over those that a resource has.
///
/// # Errors
/// The resource would have more than [`MAX_TAGS`] tags; it is then left as it was.
pub fn put(tags: &mut Tags, new: &Tags) -> Result<(), TagError> {
    let added = new.keys().filter(|key| !tags.contains_key(*key)).count();
    let users = tags
        .keys()
        .filter(|key| !key.starts_with(RESERVED_PREFIX))
        .count();
    if users + added > MAX_TAGS {
        return Err(TagError::LimitExceeded);
    }
    tags.extend(new.iter().map(|(key, value)| (key.clone(), value.clone())));
    Ok(())
}

/// Checks that the metadata service can show tags: their keys are names in its paths.
///
/// # Errors
/// A key that is no such name.
pub fn check_for_metadata(tags: &Tags) -> Result<(), TagError> {
    let is_name = |key: &&String| {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_+=,.@:".contains(&b);
        key.bytes().all(is_plain) && ![".", "..", "_index"].contains(&key.as_str())
    };
    match tags.keys().find(|key| !is_name(key)) {
        Some(key) => Err(TagError::NotForMetadata(key.clone())),
        None => Ok(()),
    }
}

/// Tags by what they are for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagsByType(BTreeMap<ResourceType, Tags>);

impl TagsByType {
    /// Sorts out the specifications of a call that creates resources of the types in `taggable`.
    ///
    /// # Errors
    /// A type that the call does not create, a type that comes twice, or tags out of form.
    pub fn of(
        specifications: &[TagSpecification],
        taggable: &[ResourceType],
    ) -> Result<Self, TagError> {
        let mut by_type = BTreeMap::new();
        for specification in specifications {
            let resource_type = taggable_type(&specification.resource_type, taggable)?;
            if specification.tags.is_empty() {
                return Err(TagError::NoTags);
            }
            let tags = checked(
                specification
                    .tags
                    .iter()
                    .map(|tag| (tag.key.as_str(), tag.value.as_str())),
            )?;
            if by_type.insert(resource_type, tags).is_some() {
                return Err(TagError::RepeatedResourceType);
            }
        }
        Ok(Self(by_type))
    }

    /// The tags for resources of a type.
    pub fn tags(&self, resource_type: ResourceType) -> Tags {
        self.0.get(&resource_type).cloned().unwrap_or_default()
    }
}

fn taggable_type(text: &str, taggable: &[ResourceType]) -> Result<ResourceType, TagError> {
    if text.is_empty() {
        return Err(TagError::NoResourceType);
    }
    let resource_type = text.parse().ok().filter(|t| taggable.contains(t));
    resource_type.ok_or_else(|| TagError::NotTaggable(text.to_owned()))
}

/// A tag with the resource that carries it, as DescribeTags lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagDescription {
    /// Id of the resource.
    pub resource_id: String,
    /// Its kind.
    pub resource_type: ResourceType,
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// The same tag as a map, for the filter `tag:KEY`.
    pub as_map: Tags,
}

impl TagDescription {
    /// All tags of a resource.
    pub fn all_of(
        resource_id: &str,
        resource_type: ResourceType,
        tags: &Tags,
    ) -> impl Iterator<Item = Self> {
        tags.iter().map(move |(key, value)| Self {
            resource_id: resource_id.to_owned(),
            resource_type,
            key: key.clone(),
            value: value.clone(),
            as_map: Tags::from([(key.clone(), value.clone())]),
        })
    }
}

impl Filterable for TagDescription {
    // A key has a filter of its own here.
    const HAS_TAG_KEY: bool = false;
    const FILTERS: &'static [&'static str] = &["key", "resource-id", "resource-type", "value"];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "key" => one(&self.key),
            "resource-id" => one(&self.resource_id),
            "resource-type" => one(self.resource_type),
            "value" => one(&self.value),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.as_map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Filter, FilterError, Filters};

    fn specification(resource_type: &str, tags: &[(&str, &str)]) -> TagSpecification {
        let tags = tags
            .iter()
            .map(|&(k, v)| Tag {
                key: k.to_owned(),
                value: v.to_owned(),
            })
            .collect();
        TagSpecification {
            resource_type: resource_type.to_owned(),
            tags,
        }
    }

    #[test]
    fn tags_out_of_form_are_refused() {
        let check = |key: &str, value: &str| checked([(key, value)]).err();
        assert_eq!(check("", "x"), Some(TagError::EmptyKey));
        assert_eq!(check(&"ü".repeat(128), &"ü".repeat(256)), None);
        assert_eq!(check(&"ü".repeat(129), ""), Some(TagError::KeyTooLong));
        assert_eq!(check("k", &"v".repeat(257)), Some(TagError::ValueTooLong));
        assert_eq!(check("aws:x", "y"), Some(TagError::Reserved));
        assert_eq!(check("AWS:x", "y"), Some(TagError::Reserved));
        assert_eq!(check("awsx", "aws:"), None);
        assert_eq!(
            checked([("a", "1"), ("a", "1")]),
            Err(TagError::Duplicate("a".to_owned()))
        );
    }

    #[test]
    fn a_resource_has_at_most_fifty_tags_of_its_users() {
        let mut tags: Tags = (0..49).map(|n| (n.to_string(), String::new())).collect();
        tags.insert("aws:ours".to_owned(), String::new());
        let before = tags.clone();
        let two = checked([("a", ""), ("b", "")]).expect("form");
        assert_eq!(put(&mut tags, &two), Err(TagError::LimitExceeded));
        assert_eq!(tags, before);
        put(
            &mut tags,
            &checked([("a", ""), ("0", "new")]).expect("form"),
        )
        .expect("fifty");
        assert_eq!(tags["0"], "new");
    }

    #[test]
    fn specifications_are_for_what_the_call_creates() {
        let of = |specs: &[TagSpecification]| {
            TagsByType::of(specs, &[ResourceType::Volume, ResourceType::Instance])
        };
        let tags = of(&[specification("volume", &[("a", "1")])]).expect("good");
        assert_eq!(tags.tags(ResourceType::Volume)["a"], "1");
        assert!(tags.tags(ResourceType::Instance).is_empty());
        let refuse = |specs: &[TagSpecification]| of(specs).expect_err("refused").to_string();
        assert_eq!(
            refuse(&[specification("snapshot", &[("a", "1")])]),
            "'snapshot' is not a valid taggable resource type for this operation."
        );
        assert_eq!(
            refuse(&[specification("", &[("a", "1")])]),
            "Tag specification resource type must have a value"
        );
        assert_eq!(
            refuse(&[specification("volume", &[])]),
            "Tag specification must have at least one tag"
        );
        let twice = [
            specification("volume", &[("a", "1")]),
            specification("volume", &[("b", "1")]),
        ];
        assert!(refuse(&twice).starts_with("The same resource type"));
    }

    #[test]
    fn a_tag_is_found_by_its_parts_and_by_key_and_value_together() {
        let tags = Tags::from([("Owner".to_owned(), "Ann".to_owned())]);
        let tag = TagDescription::all_of("vol-12345678", ResourceType::Volume, &tags)
            .next()
            .expect("one");
        let filter = |name: &str, value: &str| {
            let filter = Filter {
                name: name.to_owned(),
                values: vec![value.to_owned()],
            };
            Filters::of::<TagDescription>(&[filter]).map(|filters| filters.matches(&tag))
        };
        for (name, value) in [
            ("key", "Own*"),
            ("value", "Ann"),
            ("resource-id", "vol-12345678"),
            ("resource-type", "volume"),
            ("tag:Owner", "Ann"),
        ] {
            assert_eq!(filter(name, value), Ok(true), "{name}");
            assert_eq!(filter(name, "other"), Ok(false), "{name}");
        }
        assert_eq!(filter("tag:Other", "*"), Ok(false));
        let unknown = filter("tag-key", "Owner");
        assert_eq!(unknown, Err(FilterError::Unknown("tag-key".to_owned())));
    }

    #[test]
    fn ids_tell_their_kind() {
        assert_eq!(
            ResourceType::of_id("ami-12345678"),
            Some(ResourceType::Image)
        );
        assert_eq!(ResourceType::of_id("i-0"), Some(ResourceType::Instance));
        assert_eq!(ResourceType::of_id("volume"), None);
        assert_eq!(ResourceType::of_id("xyz-1"), None);
    }
}
