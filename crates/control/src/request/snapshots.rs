//! The requests about snapshots, beside those that take and delete them.

use cairn_model::{Filter, Page, TagSpecification, Tags, Timestamp, recycle_bin::RuleTag};

use super::Describe;

/// CreateSnapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct CreateSnapshots {
    pub instance_id: String,
    pub exclude_boot_volume: bool,
    pub exclude_data_volume_ids: Vec<String>,
    pub description: Option<String>,
    pub copy_tags_from_source: Option<String>,
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: bool,
}

/// CopySnapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct CopySnapshot {
    pub source_region: String,
    pub source_snapshot_id: String,
    pub destination_region: Option<String>,
    pub description: Option<String>,
    pub encrypted: Option<bool>,
    pub kms_key_id: Option<String>,
    pub completion_duration_minutes: Option<i32>,
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: bool,
}

/// DescribeSnapshotAttribute and ResetSnapshotAttribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct SnapshotAttributeRequest {
    pub snapshot_id: String,
    pub attribute: String,
    pub dry_run: bool,
}

/// Somebody that a permission names: an account, or a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct Grantee {
    pub user_id: Option<String>,
    pub group: Option<String>,
}

/// ModifySnapshotAttribute, in both of its forms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct ModifySnapshotAttribute {
    pub snapshot_id: String,
    pub attribute: Option<String>,
    pub operation_type: Option<String>,
    pub user_ids: Vec<String>,
    pub group_names: Vec<String>,
    /// Those of the other form, to be added.
    pub add: Vec<Grantee>,
    /// Likewise, to be removed.
    pub remove: Vec<Grantee>,
    pub dry_run: bool,
}

/// EnableSnapshotBlockPublicAccess.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct EnableSnapshotBlock {
    pub state: String,
    pub dry_run: bool,
}

/// LockSnapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct LockSnapshot {
    pub snapshot_id: String,
    pub lock_mode: String,
    pub lock_duration: Option<i32>,
    pub expiration_date: Option<Timestamp>,
    pub cool_off_period: Option<i32>,
    pub dry_run: bool,
}

/// ModifySnapshotTier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct ModifySnapshotTier {
    pub snapshot_id: String,
    pub storage_tier: Option<String>,
    pub dry_run: bool,
}

/// RestoreSnapshotTier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct RestoreSnapshotTier {
    pub snapshot_id: String,
    pub temporary_restore_days: Option<i32>,
    pub permanent_restore: Option<bool>,
    pub dry_run: bool,
}

/// EnableFastSnapshotRestores and DisableFastSnapshotRestores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct FastRestores {
    pub availability_zones: Vec<String>,
    pub availability_zone_ids: Vec<String>,
    pub source_snapshot_ids: Vec<String>,
    pub dry_run: bool,
}

/// rbin: CreateRule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the rbin request")]
pub struct CreateRule {
    pub resource_type: String,
    pub retention: Option<Period>,
    pub description: Option<String>,
    pub resource_tags: Vec<RuleTag>,
    pub exclude_resource_tags: Vec<RuleTag>,
    pub unlock_delay: Option<Period>,
    pub tags: Tags,
}

/// rbin: a number of days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// How many.
    pub value: i32,
    /// `DAYS`.
    pub unit: String,
}

/// rbin: UpdateRule. What is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the rbin request")]
pub struct UpdateRule {
    pub id: String,
    pub resource_type: Option<String>,
    pub retention: Option<Period>,
    pub description: Option<String>,
    pub resource_tags: Option<Vec<RuleTag>>,
    pub exclude_resource_tags: Option<Vec<RuleTag>>,
}

/// rbin: ListRules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the rbin request")]
pub struct ListRules {
    pub resource_type: String,
    pub resource_tags: Vec<RuleTag>,
    pub exclude_resource_tags: Vec<RuleTag>,
    pub lock_state: Option<String>,
    pub page: Page,
}

impl Describe {
    /// Of a list that has no filters.
    pub fn of_ids(ids: Vec<String>, page: Page, dry_run: bool) -> Self {
        Self {
            ids,
            filters: Vec::<Filter>::new(),
            page,
            dry_run,
            ..Self::default()
        }
    }
}
