//! KMS: the keys of encrypted volumes and snapshots, AWS JSON 1.1.
//!
//! The operation stands in the header `X-Amz-Target`, its request in the body. Requests are read into
//! those of the verbs as they are; `wire` is what answers look like.

mod wire;

use cairn_control::{Caller, Control, keys::crypto::ALGORITHM, request::kms as verbs};
use http::StatusCode;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    dialect::{self, Answer},
    problem::Problem,
    received::Received,
    rest,
};

/// What the names of operations begin with in the header.
const PREFIX: &str = "TrentService.";
/// The header.
const TARGET: &str = "x-amz-target";

/// Answers a request of KMS.
pub(crate) async fn call(
    control: &Control,
    caller: &Caller,
    received: &Received,
) -> Result<Answer, Problem> {
    let target = rest::header(received.headers(), TARGET)?.ok_or(Problem::ActionMissing)?;
    let Some(operation) = target.strip_prefix(PREFIX) else {
        return Err(Problem::ActionUnknown(target));
    };
    match operation {
        "CreateKey"
        | "DescribeKey"
        | "ListKeys"
        | "EnableKey"
        | "DisableKey"
        | "ScheduleKeyDeletion"
        | "CancelKeyDeletion"
        | "GetKeyRotationStatus"
        | "UpdateKeyDescription" => of_keys(control, caller, received, operation).await,
        "CreateAlias" | "UpdateAlias" | "DeleteAlias" | "ListAliases" | "TagResource"
        | "UntagResource" | "ListResourceTags" => {
            of_names(control, caller, received, operation).await
        }
        "Encrypt"
        | "Decrypt"
        | "ReEncrypt"
        | "GenerateDataKey"
        | "GenerateDataKeyWithoutPlaintext"
        | "GenerateRandom" => of_bytes(control, caller, received, operation).await,
        _ => of_permissions(control, caller, received, operation).await,
    }
}

async fn of_keys(
    control: &Control,
    caller: &Caller,
    received: &Received,
    operation: &str,
) -> Result<Answer, Problem> {
    match operation {
        "CreateKey" => {
            let key = control.create_kms_key(caller, request(received)?).await?;
            answer(&wire::KeyAnswer::of(&key))
        }
        "DescribeKey" => {
            let key = control.describe_key(caller, request(received)?).await?;
            answer(&wire::KeyAnswer::of(&key))
        }
        "ListKeys" => {
            let keys = control.list_kms_keys(caller, request(received)?).await?;
            answer(&wire::page("Keys", &keys, wire::ListedKey::of))
        }
        "EnableKey" => nothing(
            control
                .enable_key(caller, request(received)?)
                .await
                .map(drop)?,
        ),
        "DisableKey" => nothing(
            control
                .disable_key(caller, request(received)?)
                .await
                .map(drop)?,
        ),
        "ScheduleKeyDeletion" => {
            let scheduled = control.schedule_key_deletion(caller, request(received)?);
            answer(&wire::Scheduled::of(&scheduled.await?))
        }
        "CancelKeyDeletion" => {
            let key = control
                .cancel_key_deletion(caller, request(received)?)
                .await?;
            answer(&wire::NamedKey { key_id: key.arn() })
        }
        "GetKeyRotationStatus" => {
            let key = control.get_key_rotation_status(caller, request(received)?);
            answer(&wire::Rotation::of(&key.await?))
        }
        _ => nothing(
            control
                .update_key_description(caller, request(received)?)
                .await?,
        ),
    }
}

async fn of_names(
    control: &Control,
    caller: &Caller,
    received: &Received,
    operation: &str,
) -> Result<Answer, Problem> {
    match operation {
        "CreateAlias" => nothing(control.create_alias(caller, request(received)?).await?),
        "UpdateAlias" => nothing(control.update_alias(caller, request(received)?).await?),
        "DeleteAlias" => nothing(control.delete_alias(caller, request(received)?).await?),
        "ListAliases" => {
            let aliases = control.list_aliases(caller, request(received)?).await?;
            answer(&wire::page("Aliases", &aliases, wire::Alias::of))
        }
        "TagResource" => nothing(control.tag_key(caller, request(received)?).await?),
        "UntagResource" => nothing(control.untag_key(caller, request(received)?).await?),
        _ => {
            let tags = control.list_key_tags(caller, request(received)?).await?;
            answer(&wire::page("Tags", &tags, wire::Tag::of))
        }
    }
}

async fn of_bytes(
    control: &Control,
    caller: &Caller,
    received: &Received,
    operation: &str,
) -> Result<Answer, Problem> {
    match operation {
        "Encrypt" => {
            let sealed = control.encrypt(caller, request(received)?).await?;
            answer(&wire::Encrypted::of(&sealed, Some(ALGORITHM)))
        }
        "Decrypt" => {
            let opened = control.decrypt(caller, request(received)?).await?;
            answer(&wire::Decrypted::of(&opened))
        }
        "ReEncrypt" => {
            let sealed = control.re_encrypt(caller, request(received)?).await?;
            answer(&wire::ReEncrypted::of(&sealed))
        }
        "GenerateDataKey" => {
            let pair = control
                .generate_data_key(caller, request(received)?)
                .await?;
            answer(&wire::DataKey::of(&pair))
        }
        "GenerateDataKeyWithoutPlaintext" => {
            let sealed = control.generate_data_key_without_plaintext(caller, request(received)?);
            answer(&wire::Encrypted::of(&sealed.await?, None))
        }
        _ => {
            let asked: verbs::GenerateRandom = request(received)?;
            answer(&wire::Random::of(&control.generate_random(&asked)?))
        }
    }
}

async fn of_permissions(
    control: &Control,
    caller: &Caller,
    received: &Received,
    operation: &str,
) -> Result<Answer, Problem> {
    match operation {
        "GetKeyPolicy" => {
            let policy = control.get_key_policy(caller, request(received)?).await?;
            answer(&wire::Policy::of(&policy))
        }
        "PutKeyPolicy" => nothing(control.put_key_policy(caller, request(received)?).await?),
        "ListKeyPolicies" => {
            let names = control
                .list_key_policies(caller, request(received)?)
                .await?;
            answer(&wire::page("PolicyNames", &names, String::clone))
        }
        "CreateGrant" => {
            let made = control.create_grant(caller, request(received)?).await?;
            answer(&wire::MadeGrant::of(&made))
        }
        "ListGrants" => {
            let (key, grants) = control.list_grants(caller, request(received)?).await?;
            answer(&wire::page("Grants", &grants, |grant| {
                wire::Grant::of(grant, &key)
            }))
        }
        "ListRetirableGrants" => {
            let grants = control
                .list_retirable_grants(caller, request(received)?)
                .await?;
            answer(&wire::page("Grants", &grants, |(grant, key)| {
                wire::Grant::of(grant, key)
            }))
        }
        "RetireGrant" => nothing(control.retire_grant(caller, request(received)?).await?),
        "RevokeGrant" => nothing(control.revoke_grant(caller, request(received)?).await?),
        other => Err(Problem::ActionUnknown(other.to_owned())),
    }
}

fn request<T: DeserializeOwned>(received: &Received) -> Result<T, Problem> {
    rest::body(&received.body)
}

fn answer(value: &impl Serialize) -> Result<Answer, Problem> {
    dialect::json_1_1(StatusCode::OK, value)
}

/// The answer of an operation that has none: an empty body.
fn nothing((): ()) -> Result<Answer, Problem> {
    Ok(dialect::json_1_1_empty())
}
