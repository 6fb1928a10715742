//! Key pairs.

use cairn_control::request as verbs;
use cairn_model::KeyPair;

use super::{
    Answered, Call, answer,
    common::{self, some},
};
use crate::generated::{request, response};

pub(super) async fn create(call: &Call<'_>) -> Answered {
    let asked: request::CreateKeyPairRequest = call.request()?;
    let request = verbs::CreateKeyPair {
        key_name: asked.key_name,
        key_type: asked.key_type,
        key_format: asked.key_format,
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let created = call.control.create_key_pair(call.caller, request).await?;
    let pair = &created.key_pair;
    answer(response::KeyPair {
        key_pair_id: some(&pair.id),
        tags: common::tags(&pair.tags),
        key_name: some(&pair.name),
        key_fingerprint: some(&pair.fingerprint),
        key_material: some(created.private_key.as_str()),
    })
}

pub(super) async fn import(call: &Call<'_>) -> Answered {
    let asked: request::ImportKeyPairRequest = call.request()?;
    let request = verbs::ImportKeyPair {
        key_name: asked.key_name,
        public_key_material: asked.public_key_material.0,
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let pair = call.control.import_key_pair(call.caller, request).await?;
    answer(response::ImportKeyPairResult {
        key_fingerprint: some(&pair.fingerprint),
        key_name: some(&pair.name),
        key_pair_id: some(&pair.id),
        tags: common::tags(&pair.tags),
    })
}

pub(super) async fn describe(call: &Call<'_>) -> Answered {
    let asked: request::DescribeKeyPairsRequest = call.request()?;
    let common = common::describe(asked.filters, None, None, asked.dry_run)?;
    let request = verbs::Describe {
        ids: asked.key_pair_ids,
        names: asked.key_names,
        ..common
    };
    let found = call
        .control
        .describe_key_pairs(call.caller, request)
        .await?;
    let with_public_key = asked.include_public_key.unwrap_or_default();
    let key_pairs = found
        .iter()
        .map(|pair| show(pair, with_public_key))
        .collect();
    answer(response::DescribeKeyPairsResult { key_pairs })
}

pub(super) async fn delete(call: &Call<'_>) -> Answered {
    let asked: request::DeleteKeyPairRequest = call.request()?;
    let request = verbs::DeleteKeyPair {
        key_name: asked.key_name,
        key_pair_id: asked.key_pair_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let deleted = call.control.delete_key_pair(call.caller, request).await?;
    answer(response::DeleteKeyPairResult {
        r#return: Some(true),
        key_pair_id: deleted.map(|id| id.to_string()),
    })
}

fn show(pair: &KeyPair, with_public_key: bool) -> response::KeyPairInfo {
    response::KeyPairInfo {
        key_pair_id: some(&pair.id),
        key_type: some(pair.key_type),
        tags: common::tags(&pair.tags),
        public_key: with_public_key.then(|| pair.public_key.clone()),
        create_time: Some(pair.create_time),
        key_name: some(&pair.name),
        key_fingerprint: some(&pair.fingerprint),
    }
}
