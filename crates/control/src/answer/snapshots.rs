//! The answers of verbs about snapshots.

use cairn_model::{FastRestore, Permissions, SnapshotId, Timestamp};

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

/// What came of enabling or disabling fast restores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FastRestoresChanged {
    /// What was done.
    pub successful: Vec<FastRestore>,
    /// What was not.
    pub unsuccessful: Vec<FastRestoreFailure>,
}

/// A zone in which fast restores of a snapshot could not be enabled or disabled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FastRestoreFailure {
    /// The snapshot, as it was asked for.
    pub snapshot_id: String,
    /// The zone.
    pub zone: String,
    /// The id of the zone.
    pub zone_id: String,
    /// Why, in EC2's code.
    pub code: &'static str,
    /// Why, as a sentence.
    pub message: String,
}
