//! Tags.

use cairn_control::request as verbs;
use cairn_model::tag::TagDescription;

use super::{
    Answered, Call, answer,
    common::{self, Done, some},
};
use crate::{
    generated::{request, response},
    problem::Problem,
    query::QueryError,
};

pub(super) async fn create(call: &Call<'_>) -> Answered {
    let asked: request::CreateTagsRequest = call.request()?;
    let mut request = change(asked.resources, asked.tags, asked.dry_run)?;
    for (_, value) in &mut request.tags {
        // A tag that is put without a value has an empty one; only a deletion tells them apart.
        value.get_or_insert_default();
    }
    call.control.create_tags(call.caller, request).await?;
    answer(Done)
}

pub(super) async fn delete(call: &Call<'_>) -> Answered {
    let asked: request::DeleteTagsRequest = call.request()?;
    call.control
        .delete_tags(
            call.caller,
            change(asked.resources, asked.tags, asked.dry_run)?,
        )
        .await?;
    answer(Done)
}

pub(super) async fn describe(call: &Call<'_>) -> Answered {
    let asked: request::DescribeTagsRequest = call.request()?;
    let request = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let found = call.control.describe_tags(call.caller, request).await?;
    answer(response::DescribeTagsResult {
        tags: found.items.iter().map(show).collect(),
        next_token: found.next_token,
    })
}

fn change(
    resources: Vec<String>,
    tags: Vec<request::Tag>,
    dry_run: Option<bool>,
) -> Result<verbs::ChangeTags, Problem> {
    let keyless = || Problem::from(QueryError::Missing("Tag.Key".to_owned()));
    let tags: Result<_, Problem> = tags
        .into_iter()
        .map(|tag| Ok((tag.key.ok_or_else(keyless)?, tag.value)))
        .collect();
    Ok(verbs::ChangeTags {
        resources,
        tags: tags?,
        dry_run: dry_run.unwrap_or_default(),
    })
}

fn show(tag: &TagDescription) -> response::TagDescription {
    response::TagDescription {
        key: some(&tag.key),
        resource_id: some(&tag.resource_id),
        resource_type: some(tag.resource_type),
        value: some(&tag.value),
    }
}
