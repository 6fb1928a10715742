//! Snapshots.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{AccountId, SnapshotId, VolumeId},
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
    /// Tags.
    pub tags: Tags,
}

/// States of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of EC2, by their names")]
pub enum SnapshotState {
    Pending,
    Completed,
    Error,
}
