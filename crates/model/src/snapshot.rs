//! Snapshots.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    facet::{Faceted, viewers_of},
    filter::{self, Filterable},
    ids::{AccountId, SnapshotId, VolumeId},
    page::PageKey,
    permission::Permissions,
    place::Region,
    recycle_bin::Recycled,
    snapshot_lock::SnapshotLock,
    tag::Tags,
    tier::{StorageTier, Tiering},
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
    /// What was asked of the copy, if it is one.
    #[serde(default)]
    pub copy: Option<SnapshotCopy>,
    /// What protects it from deletion.
    #[serde(default)]
    pub lock: Option<SnapshotLock>,
    /// Its stay in the Recycle Bin, while it is there.
    #[serde(default)]
    pub recycled: Option<Recycled>,
    /// Its tier, if that was ever changed.
    #[serde(default)]
    pub tiering: Option<Tiering>,
    /// Tags.
    pub tags: Tags,
}

/// What was asked of a copy of a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotCopy {
    /// Minutes in which it was to be completed, if that was asked for.
    pub completion_duration_minutes: Option<i32>,
}

impl SnapshotCopy {
    /// What EC2 calls the kind of transfer.
    pub const fn transfer_type(self) -> &'static str {
        match self.completion_duration_minutes {
            Some(_) => "time-based",
            None => "standard",
        }
    }
}

impl Snapshot {
    /// Where it lies.
    pub fn storage_tier(&self) -> StorageTier {
        let tier = self.tiering.as_ref().map(|tiering| tiering.tier);
        tier.unwrap_or(StorageTier::Standard)
    }

    /// The domain of its blocks, if that is one of its own: it is archived.
    pub fn archive_location(&self) -> Option<i64> {
        let archived = self
            .tiering
            .as_ref()
            .filter(|tiering| !tiering.is_in_standard());
        archived.and_then(|tiering| tiering.archive_domain)
    }

    /// Whether its blocks lie where they can be read: it is not archived, or is restored.
    pub fn is_in_standard(&self) -> bool {
        self.tiering.as_ref().is_none_or(Tiering::is_in_standard)
    }
}

/// What an account may block of public access to its snapshots in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SnapshotBlock {
    /// Nothing.
    Unblocked,
    /// No more snapshots are made public; those that are stay so.
    BlockNewSharing,
    /// Likewise, and those that are public are hidden.
    BlockAllSharing,
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
            // Amazon owns none of the snapshots here.
            "owner-alias" => filter::maybe(None::<&str>),
            "transfer-type" => filter::maybe(self.copy.map(SnapshotCopy::transfer_type)),
            "owner-id" => filter::one(&self.account),
            "progress" => filter::one(format!("{}%", self.progress)),
            "snapshot-id" => filter::one(&self.id),
            "start-time" => filter::time(self.start_time),
            "status" => filter::one(self.state),
            "storage-tier" => filter::one(self.storage_tier()),
            "volume-id" => filter::one(&self.volume_id),
            "volume-size" => filter::one(self.volume_size_gib),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }
}

impl Faceted for Snapshot {
    const FACETS: &'static [&'static str] = &[
        "description",
        "encrypted",
        "owner-id",
        "snapshot-id",
        "status",
        "storage-tier",
        "volume-id",
        "volume-size",
    ];
    const BEGINNINGS: &'static [&'static str] = &["tag:Name"];

    fn page_key(&self) -> PageKey {
        PageKey {
            time: self.start_time.0,
            id: self.id.to_string(),
        }
    }

    fn region(&self) -> Region {
        self.region
    }

    /// In the Recycle Bin nobody finds it.
    fn viewers(&self) -> BTreeSet<&str> {
        match self.recycled {
            Some(_) => BTreeSet::new(),
            None => viewers_of(self.account.as_str(), &self.create_volume_permissions),
        }
    }
}
