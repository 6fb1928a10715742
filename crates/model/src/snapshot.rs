//! Snapshots.

use serde::{Deserialize, Serialize};

use crate::{
    filter::{self, Filterable},
    ids::{AccountId, SnapshotId, VolumeId},
    permission::Permissions,
    place::Region,
    tag::Tags,
    time::Timestamp,
};

/// A snapshot as metadata knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its id.
    pub id: SnapshotId,
    /// Owner.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// The volume it was taken of; `vol-ffffffff` where there was none, as on AWS.
    pub volume_id: VolumeId,
    /// Size of the volume in GiB.
    pub volume_size_gib: i32,
    /// Description, possibly empty.
    pub description: String,
    /// State.
    pub state: SnapshotState,
    /// Why it failed, if it did.
    pub state_message: Option<String>,
    /// Progress in percent, 0–100.
    pub progress: u8,
    /// When it was begun: the point in time that it holds.
    pub start_time: Timestamp,
    /// When it was completed.
    pub completion_time: Option<Timestamp>,
    /// Encrypted at rest.
    pub encrypted: bool,
    /// ARN of the key, if encrypted.
    pub kms_key_id: Option<String>,
    /// The snapshot that an EBS direct upload was based on.
    pub parent_id: Option<SnapshotId>,
    /// Plaintext bytes of all its blocks that are not zero, once completed.
    pub full_size_bytes: Option<u64>,
    /// Hash of the root node of its Merkle index, hexadecimal, once completed.
    pub root: Option<String>,
    /// The snapshot digest, hexadecimal, once completed.
    pub digest: Option<String>,
    /// The server's signature over digest and identity, once completed. Snapshots completed by a
    /// server that had no key yet lack it until a job has signed them.
    #[serde(default)]
    pub signature: Option<SnapshotSignature>,
    /// Who besides its owner may make volumes of it.
    #[serde(default)]
    pub create_volume_permissions: Permissions,
    /// Tags.
    pub tags: Tags,
}

/// A signature over what [`Statement`](crate::attestation::Statement) says of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotSignature {
    /// The Ed25519 public key that it was made under: 32 bytes, base64.
    pub public_key: String,
    /// 64 bytes, base64.
    pub signature: String,
}

/// States of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of EC2, by their names")]
pub enum SnapshotState {
    Pending,
    Completed,
    Error,
}

impl Filterable for Snapshot {
    const FILTERS: &'static [&'static str] = &[
        "completion-time",
        "description",
        "encrypted",
        "owner-alias",
        "owner-id",
        "progress",
        "snapshot-id",
        "start-time",
        "status",
        "storage-tier",
        "transfer-type",
        "volume-id",
        "volume-size",
    ];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "completion-time" => Some(
                self.completion_time
                    .and_then(filter::time)
                    .unwrap_or_default(),
            ),
            "description" => filter::one(&self.description),
            "encrypted" => filter::one(self.encrypted),
            // Amazon owns none of the snapshots here, and none was copied in a given time.
            "owner-alias" | "transfer-type" => filter::maybe(None::<&str>),
            "owner-id" => filter::one(&self.account),
            "progress" => filter::one(format!("{}%", self.progress)),
            "snapshot-id" => filter::one(&self.id),
            "start-time" => filter::time(self.start_time),
            "status" => filter::one(self.state),
            "storage-tier" => filter::one("standard"),
            "volume-id" => filter::one(&self.volume_id),
            "volume-size" => filter::one(self.volume_size_gib),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }
}
