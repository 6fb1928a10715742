//! Tags.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A resource's tags, key to value.
pub type Tags = BTreeMap<String, String>;

/// One tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// The key: 1–127 characters, not beginning with `aws:`.
    pub key: String,
    /// The value: up to 255 characters, may be empty.
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
    Image,
    Instance,
    InternetGateway,
    KeyPair,
    NetworkInterface,
    SecurityGroup,
    Snapshot,
    Subnet,
    Volume,
    Vpc,
}
