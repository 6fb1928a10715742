//! What the operations have in common.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use cairn_control::{Error, ErrorKind, request::Describe};
use cairn_model::{Filter, Page, Tag, TagSpecification, Tags};

use crate::{
    generated::{request, response},
    problem::Problem,
    query::{Blob, QueryError},
    xml::{ToXml, XmlWriter},
};

/// The answer of operations that have none: `<return>true</return>`.
#[derive(Debug)]
pub(super) struct Done;

impl ToXml for Done {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", Some(&true));
    }
}

/// The part of a Describe that all have: filters, page, dry run.
pub(super) fn describe(
    filters: Vec<request::Filter>,
    max_results: Option<i32>,
    next_token: Option<String>,
    dry_run: Option<bool>,
) -> Result<Describe, Problem> {
    let page = Page {
        max_results,
        next_token,
    };
    Ok(Describe {
        filters: self::filters(filters)?,
        page,
        dry_run: dry_run.unwrap_or_default(),
        ..Describe::default()
    })
}

/// Filters as the model has them.
pub(super) fn filters(filters: Vec<request::Filter>) -> Result<Vec<Filter>, Problem> {
    let nameless = || {
        Error::new(
            ErrorKind::InvalidParameterValue,
            "The filter 'null' is invalid",
        )
    };
    filters
        .into_iter()
        .map(|filter| {
            Ok(Filter {
                name: filter.name.ok_or_else(nameless)?,
                values: filter.values,
            })
        })
        .collect()
}

/// Tag specifications as the model has them. A tag without a value has an empty one.
pub(super) fn tag_specifications(
    specs: Vec<request::TagSpecification>,
) -> Result<Vec<TagSpecification>, Problem> {
    specs.into_iter().map(tag_specification).collect()
}

fn tag_specification(spec: request::TagSpecification) -> Result<TagSpecification, Problem> {
    let untyped = || {
        Error::new(
            ErrorKind::InvalidParameterValue,
            "Tag specification resource type must have a value",
        )
    };
    let tags: Result<_, Problem> = spec.tags.into_iter().map(tag).collect();
    Ok(TagSpecification {
        resource_type: spec.resource_type.ok_or_else(untyped)?,
        tags: tags?,
    })
}

fn tag(tag: request::Tag) -> Result<Tag, Problem> {
    let key = tag
        .key
        .ok_or_else(|| QueryError::Missing("Tag.Key".to_owned()))?;
    Ok(Tag {
        key,
        value: tag.value.unwrap_or_default(),
    })
}

/// Tags as they are shown.
pub(super) fn tags(tags: &Tags) -> Vec<response::Tag> {
    tags.iter()
        .map(|(key, value)| response::Tag {
            key: some(key),
            value: some(value),
        })
        .collect()
}

/// Text that is there.
pub(super) fn some(text: impl ToString) -> Option<String> {
    Some(text.to_string())
}

/// Bytes as base64.
pub(super) fn base64(blob: Blob) -> String {
    BASE64_STANDARD.encode(blob.0)
}

/// A sum of bytes or seconds, as the signed number that the wire has; one that does not fit is
/// the greatest.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
