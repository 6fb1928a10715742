//! Bodies of EBS direct. Times are seconds since the epoch, as numbers.

use cairn_control::{
    ebs::{BlockList, ListedBlock},
    request as verbs,
};
use cairn_model::{Snapshot, Tags};
use serde::{Deserialize, Serialize};

use super::BLOCK_SIZE;
use crate::problem::Problem;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct StartSnapshot {
    volume_size: Option<i64>,
    parent_snapshot_id: Option<String>,
    tags: Option<Vec<Tag>>,
    description: Option<String>,
    client_token: Option<String>,
    encrypted: Option<bool>,
    kms_key_arn: Option<String>,
    timeout: Option<i32>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Tag {
    key: Option<String>,
    value: Option<String>,
}

impl StartSnapshot {
    pub(super) fn request(self) -> Result<verbs::StartSnapshot, Problem> {
        let missing = |name: &str| Problem::FieldMissing(name.to_owned());
        let tag = |tag: Tag| {
            Ok((
                tag.key.ok_or_else(|| missing("Key"))?,
                tag.value.unwrap_or_default(),
            ))
        };
        let tags: Result<Vec<_>, Problem> = self.tags.into_iter().flatten().map(tag).collect();
        Ok(verbs::StartSnapshot {
            volume_size: self.volume_size.ok_or_else(|| missing("VolumeSize"))?,
            parent_snapshot_id: self.parent_snapshot_id,
            description: self.description,
            tags: tags?,
            client_token: self.client_token,
            encrypted: self.encrypted,
            kms_key_arn: self.kms_key_arn,
            timeout: self.timeout,
        })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartedSnapshot<'a> {
    description: &'a str,
    snapshot_id: &'a str,
    owner_id: &'a str,
    status: &'a str,
    start_time: i64,
    volume_size: i32,
    block_size: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_snapshot_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_arn: Option<&'a str>,
}

impl<'a> StartedSnapshot<'a> {
    pub(super) fn of(snapshot: &'a Snapshot) -> Self {
        Self {
            description: &snapshot.description,
            snapshot_id: snapshot.id.as_str(),
            owner_id: snapshot.account.as_str(),
            status: snapshot.state.as_str(),
            start_time: snapshot.start_time.seconds(),
            volume_size: snapshot.volume_size_gib,
            block_size: BLOCK_SIZE,
            tags: show_tags(&snapshot.tags),
            parent_snapshot_id: snapshot
                .parent_id
                .as_ref()
                .map(cairn_model::SnapshotId::as_str),
            kms_key_arn: snapshot.kms_key_id.as_deref(),
        }
    }
}

fn show_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter()
        .map(|(key, value)| Tag {
            key: Some(key.clone()),
            value: Some(value.clone()),
        })
        .collect()
}

#[derive(Debug, Serialize)]
pub(super) struct Nothing {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CompletedSnapshot {
    pub(super) status: &'static str,
}

/// What both lists say beside the blocks.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListHead {
    expiry_time: i64,
    volume_size: i64,
    block_size: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl ListHead {
    fn of(list: &mut BlockList) -> Self {
        Self {
            expiry_time: list.expiry.seconds(),
            volume_size: list.volume_size_gib.into(),
            block_size: BLOCK_SIZE,
            next_token: list.next_token.take(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SnapshotBlocks {
    blocks: Vec<Block>,
    #[serde(flatten)]
    head: ListHead,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Block {
    block_index: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    block_token: Option<String>,
}

impl SnapshotBlocks {
    pub(super) fn of(mut list: BlockList) -> Self {
        let head = ListHead::of(&mut list);
        let block = |block: ListedBlock| Block {
            block_index: block.block_index,
            block_token: block.token,
        };
        Self {
            blocks: list.blocks.into_iter().map(block).collect(),
            head,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangedBlocks {
    changed_blocks: Vec<ChangedBlock>,
    #[serde(flatten)]
    head: ListHead,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ChangedBlock {
    block_index: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_block_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    second_block_token: Option<String>,
}

impl ChangedBlocks {
    pub(super) fn of(mut list: BlockList) -> Self {
        let head = ListHead::of(&mut list);
        let block = |block: ListedBlock| ChangedBlock {
            block_index: block.block_index,
            first_block_token: block.first_token,
            second_block_token: block.token,
        };
        Self {
            changed_blocks: list.blocks.into_iter().map(block).collect(),
            head,
        }
    }
}
