//! The answers of verbs about snapshots.

use cairn_model::{Permissions, SnapshotId, Timestamp};

/// One attribute of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotAttributeValue {
    /// Who besides its owner may make volumes of it.
    CreateVolumePermission(Permissions),
    /// None has any.
    ProductCodes,
}

/// What DescribeSnapshotAttribute answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotAttribute {
    /// The snapshot.
    pub snapshot_id: SnapshotId,
    /// The attribute.
    pub value: SnapshotAttributeValue,
}

/// What RestoreSnapshotTier answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierRestore {
    /// The snapshot.
    pub snapshot_id: SnapshotId,
    /// When the restore began.
    pub started: Timestamp,
    /// For how many days; none if for good.
    pub days: Option<i32>,
}
