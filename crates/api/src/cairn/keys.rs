//! Keys, as our own operations tell of them.

use cairn_control::{Caller, Control, request::kms::ScheduleKeyDeletion};
use cairn_model::KmsKey;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::{
    dialect::{self, Answer},
    problem::Problem,
    received::Received,
    rest,
};

/// Makes a key.
pub(super) async fn create(
    control: &Control,
    caller: &Caller,
    received: &Received,
) -> Result<Answer, Problem> {
    let asked: AskedKey = rest::body(&received.body)?;
    let key = control.create_key(caller, asked.description).await?;
    dialect::json(StatusCode::CREATED, &Key::of(&key))
}

/// The caller's keys.
pub(super) async fn list(control: &Control, caller: &Caller) -> Result<Answer, Problem> {
    let keys = control.list_keys(caller).await?;
    let keys = keys.iter().map(Key::of).collect();
    dialect::json(StatusCode::OK, &Keys { keys })
}

/// Has a key deleted in some days.
pub(super) async fn schedule(
    control: &Control,
    caller: &Caller,
    received: &Received,
    name: &str,
) -> Result<Answer, Problem> {
    let asked: AskedDeletion = rest::body(&received.body)?;
    let request = ScheduleKeyDeletion {
        key_id: name.to_owned(),
        pending_window_in_days: asked.days,
    };
    let scheduled = control.schedule_key_deletion(caller, request).await?;
    dialect::json(StatusCode::ACCEPTED, &Key::of(&scheduled.key))
}

/// Deletes a key at once.
pub(super) async fn delete(
    control: &Control,
    caller: &Caller,
    name: &str,
) -> Result<Answer, Problem> {
    let key = control.delete_key(caller, name).await?;
    dialect::json(StatusCode::ACCEPTED, &Key::of(&key))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AskedKey {
    description: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AskedDeletion {
    days: Option<i32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Keys {
    keys: Vec<Key>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Key {
    key_id: String,
    arn: String,
    description: String,
    key_state: &'static str,
    aws_managed: bool,
    creation_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_date: Option<String>,
}

impl Key {
    fn of(key: &KmsKey) -> Self {
        Self {
            key_id: key.id.to_string(),
            arn: key.arn(),
            description: key.description.clone(),
            key_state: key.state.as_str(),
            deletion_date: key.deletion_date.map(|date| date.to_string()),
            aws_managed: key.aws_managed,
            creation_date: key.create_time.to_string(),
        }
    }
}
