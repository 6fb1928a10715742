//! Encryption by default, and the key that is used where none is named.

use cairn_control::request as verbs;

use super::{Answered, Call, answer, common::some};
use crate::generated::{request, response};

fn settings(dry_run: Option<bool>) -> verbs::Settings {
    verbs::Settings {
        dry_run: dry_run.unwrap_or_default(),
    }
}

pub(super) async fn enable(call: &Call<'_>) -> Answered {
    let asked: request::EnableEbsEncryptionByDefaultRequest = call.request()?;
    let set = call
        .control
        .enable_encryption_by_default(call.caller, settings(asked.dry_run))
        .await?;
    answer(response::EnableEbsEncryptionByDefaultResult {
        ebs_encryption_by_default: Some(set.enabled),
    })
}

pub(super) async fn disable(call: &Call<'_>) -> Answered {
    let asked: request::DisableEbsEncryptionByDefaultRequest = call.request()?;
    let set = call
        .control
        .disable_encryption_by_default(call.caller, settings(asked.dry_run))
        .await?;
    answer(response::DisableEbsEncryptionByDefaultResult {
        ebs_encryption_by_default: Some(set.enabled),
    })
}

pub(super) async fn get(call: &Call<'_>) -> Answered {
    let asked: request::GetEbsEncryptionByDefaultRequest = call.request()?;
    let found = call
        .control
        .encryption_by_default(call.caller, settings(asked.dry_run))
        .await?;
    answer(response::GetEbsEncryptionByDefaultResult {
        ebs_encryption_by_default: Some(found.enabled),
        sse_type: some(found.sse_type()),
    })
}

pub(super) async fn get_key(call: &Call<'_>) -> Answered {
    let asked: request::GetEbsDefaultKmsKeyIdRequest = call.request()?;
    let key = call
        .control
        .default_key(call.caller, settings(asked.dry_run))
        .await?;
    answer(response::GetEbsDefaultKmsKeyIdResult {
        kms_key_id: Some(key),
    })
}

pub(super) async fn modify_key(call: &Call<'_>) -> Answered {
    let asked: request::ModifyEbsDefaultKmsKeyIdRequest = call.request()?;
    let request = verbs::ModifyDefaultKey {
        kms_key_id: asked.kms_key_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let key = call
        .control
        .modify_default_key(call.caller, request)
        .await?;
    answer(response::ModifyEbsDefaultKmsKeyIdResult {
        kms_key_id: Some(key),
    })
}

pub(super) async fn reset_key(call: &Call<'_>) -> Answered {
    let asked: request::ResetEbsDefaultKmsKeyIdRequest = call.request()?;
    let key = call
        .control
        .reset_default_key(call.caller, settings(asked.dry_run))
        .await?;
    answer(response::ResetEbsDefaultKmsKeyIdResult {
        kms_key_id: Some(key),
    })
}
