//! The trimmed model, as `trim.py` writes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::MapAccess};

/// A service.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Model {
    #[allow(dead_code, reason = "for the reader of the file")]
    pub(crate) service: String,
    pub(crate) api_version: String,
    pub(crate) xml_namespace: String,
    pub(crate) operations: Ordered<Operation>,
    pub(crate) requests: BTreeMap<String, RequestShape>,
    pub(crate) responses: BTreeMap<String, ResponseShape>,
}

/// An operation and the shapes it goes by.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    pub(crate) request: String,
    pub(crate) response: Option<String>,
}

/// A structure of requests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestShape {
    pub(crate) members: Ordered<RequestMember>,
    /// Wire names that are accepted and have no effect here.
    pub(crate) ignored: Vec<String>,
    /// Wire names that are refused when they carry a value.
    pub(crate) refused: Vec<String>,
    /// Wire names that may only have one of these values, which are what happens anyway.
    pub(crate) only: BTreeMap<String, Vec<String>>,
}

/// A member of a structure of requests.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RequestMember {
    pub(crate) wire: String,
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    #[serde(default)]
    pub(crate) required: bool,
    /// Whether an empty value is a value; elsewhere it means that the parameter is absent.
    #[serde(default)]
    pub(crate) keep_empty: bool,
}

/// A structure of responses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResponseShape {
    pub(crate) members: Ordered<ResponseMember>,
}

/// A member of a structure of responses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResponseMember {
    pub(crate) wire: String,
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    /// Whether a list may be absent, where others are an empty element.
    #[serde(default)]
    pub(crate) optional: bool,
}

/// A member's type.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Kind {
    Scalar(Scalar),
    List { list: Box<Self>, item: String },
    Structure { structure: String },
}

/// Types without parts.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scalar {
    String,
    Boolean,
    Integer,
    Long,
    Float,
    Double,
    Timestamp,
    Blob,
}

/// A JSON object whose order counts.
#[derive(Debug)]
pub(crate) struct Ordered<T>(pub(crate) Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Visitor(std::marker::PhantomData))
    }
}
