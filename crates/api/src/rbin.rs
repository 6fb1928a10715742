//! Recycle Bin (`rbin`): the rules by which what was deleted is kept for a while, REST and JSON.
//!
//! - `wire`: what bodies look like.

use cairn_control::{Caller, Control, request as verbs};
use cairn_model::{Page, RetentionRule};
use http::StatusCode;

use crate::{
    dialect::{self, Answer},
    problem::Problem,
    received::Received,
    rest,
};

mod wire;

/// The query parameter that names the keys of tags.
const TAG_KEYS: &str = "tagKeys";

/// Answers a request of Recycle Bin.
pub(crate) async fn call(
    control: &Control,
    caller: &Caller,
    received: &Received,
) -> Result<Answer, Problem> {
    let segments = rest::segments(received.path())?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let asked = (received.method().as_str(), segments.as_slice());
    if asked
        != (
            "DELETE",
            &["tags", segments.last().copied().unwrap_or_default()],
        )
    {
        refuse_query(received)?;
    }
    match asked {
        ("POST", ["rules"]) => create(control, caller, received).await,
        ("POST", ["list-rules"]) => list(control, caller, received).await,
        ("GET", ["rules", id]) => get(control, caller, id).await,
        ("PATCH", ["rules", id]) => update(control, caller, received, id).await,
        ("DELETE", ["rules", id]) => delete(control, caller, id).await,
        ("PATCH", ["rules", id, "lock"]) => lock(control, caller, received, id).await,
        ("PATCH", ["rules", id, "unlock"]) => unlock(control, caller, id).await,
        ("POST", ["tags", arn]) => tag(control, caller, received, arn).await,
        ("DELETE", ["tags", arn]) => untag(control, caller, received, arn).await,
        ("GET", ["tags", arn]) => tags(control, caller, arn).await,
        _ => Err(Problem::OperationUnknown),
    }
}

/// Only one operation has parameters there.
fn refuse_query(received: &Received) -> Result<(), Problem> {
    match received.query_parameters()?.into_iter().next() {
        None => Ok(()),
        Some((name, _)) => Err(Problem::FieldUnknown(name)),
    }
}

async fn create(
    control: &Control,
    caller: &Caller,
    received: &Received,
) -> Result<Answer, Problem> {
    let asked: wire::CreateRule = rest::body(&received.body)?;
    let rule = control.create_rule(caller, asked.request()?).await?;
    let shown = wire::Rule::with_tags(&rule, control.lock_state_of(&rule));
    dialect::json(StatusCode::CREATED, &shown)
}

async fn list(control: &Control, caller: &Caller, received: &Received) -> Result<Answer, Problem> {
    let asked: wire::ListRules = rest::body(&received.body)?;
    let request = verbs::ListRules {
        resource_type: wire::required(asked.resource_type, "ResourceType")?,
        resource_tags: wire::rule_tags(asked.resource_tags),
        exclude_resource_tags: wire::rule_tags(asked.exclude_resource_tags),
        lock_state: asked.lock_state,
        page: Page {
            max_results: asked.max_results,
            next_token: asked.next_token,
        },
    };
    let found = control.list_rules(caller, request).await?;
    let summary = |rule: &RetentionRule| wire::Summary::of(rule, control.lock_state_of(rule));
    let shown = wire::Rules {
        rules: found.items.iter().map(summary).collect(),
        next_token: found.next_token,
    };
    dialect::json(StatusCode::OK, &shown)
}

async fn get(control: &Control, caller: &Caller, id: &str) -> Result<Answer, Problem> {
    let rule = control.get_rule(caller, id).await?;
    show(control, &rule)
}

async fn update(
    control: &Control,
    caller: &Caller,
    received: &Received,
    id: &str,
) -> Result<Answer, Problem> {
    let asked: wire::UpdateRule = rest::body(&received.body)?;
    let rule = control.update_rule(caller, asked.request(id)).await?;
    show(control, &rule)
}

async fn delete(control: &Control, caller: &Caller, id: &str) -> Result<Answer, Problem> {
    control.delete_rule(caller, id).await?;
    Ok(nothing(StatusCode::NO_CONTENT))
}

async fn lock(
    control: &Control,
    caller: &Caller,
    received: &Received,
    id: &str,
) -> Result<Answer, Problem> {
    let asked: wire::LockRule = rest::body(&received.body)?;
    let delay = asked.lock_configuration.map(wire::LockConfiguration::delay);
    let rule = control.lock_rule(caller, id, delay).await?;
    show(control, &rule)
}

async fn unlock(control: &Control, caller: &Caller, id: &str) -> Result<Answer, Problem> {
    let rule = control.unlock_rule(caller, id).await?;
    show(control, &rule)
}

async fn tag(
    control: &Control,
    caller: &Caller,
    received: &Received,
    arn: &str,
) -> Result<Answer, Problem> {
    let asked: wire::TagResource = rest::body(&received.body)?;
    let new = wire::tags(asked.tags)?;
    control.tag_rule(caller, arn, &new).await?;
    Ok(nothing(StatusCode::CREATED))
}

async fn untag(
    control: &Control,
    caller: &Caller,
    received: &Received,
    arn: &str,
) -> Result<Answer, Problem> {
    let mut keys = Vec::new();
    for (name, value) in received.query_parameters()? {
        match name == TAG_KEYS {
            true => keys.push(value),
            false => return Err(Problem::FieldUnknown(name)),
        }
    }
    control.untag_rule(caller, arn, &keys).await?;
    Ok(nothing(StatusCode::NO_CONTENT))
}

async fn tags(control: &Control, caller: &Caller, arn: &str) -> Result<Answer, Problem> {
    let tags = control.tags_of_rule(caller, arn).await?;
    dialect::json(StatusCode::OK, &wire::ListedTags::of(&tags))
}

fn show(control: &Control, rule: &RetentionRule) -> Result<Answer, Problem> {
    let shown = wire::Rule::of(rule, control.lock_state_of(rule));
    dialect::json(StatusCode::OK, &shown)
}

/// An answer that says nothing.
fn nothing(status: StatusCode) -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = status;
    answer
}
