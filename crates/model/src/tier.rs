//! The tiers of a snapshot: standard, where it shares its blocks with others and can be used, and
//! archive, where it lies whole and packed tighter, to be restored before it is used again.

use serde::{Deserialize, Serialize};

use crate::{
    filter::{self, Filterable},
    ids::{AccountId, SnapshotId, VolumeId},
    snapshot::{Snapshot, SnapshotState},
    tag::Tags,
    time::Timestamp,
};

/// Days that a temporary restore may last.
pub const TEMPORARY_DAYS: std::ops::RangeInclusive<i32> = 1..=180;

/// The tiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the tiers of EC2, by their names")]
pub enum StorageTier {
    Standard,
    Archive,
}

/// How far the last change of tier is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of EC2, by their names")]
pub enum TieringStatus {
    ArchivalInProgress,
    ArchivalCompleted,
    ArchivalFailed,
    TemporaryRestoreInProgress,
    TemporaryRestoreCompleted,
    TemporaryRestoreFailed,
    PermanentRestoreInProgress,
    PermanentRestoreCompleted,
    PermanentRestoreFailed,
}

/// What is asked of a snapshot's tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TierVerb {
    /// Archive it.
    Archive,
    /// Restore it for some days, or for some more.
    RestoreForDays,
    /// Restore it for good.
    RestoreForGood,
    /// Use it: make a volume of it, read it, copy it.
    Use,
}

/// What a snapshot of which the tier was ever changed has to tell about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiering {
    /// Where it lies.
    pub tier: StorageTier,
    /// How far the last change is.
    pub status: TieringStatus,
    /// Why the last change failed.
    pub status_detail: Option<String>,
    /// How much of the last change is done, in percent.
    pub progress: u8,
    /// When the last change began.
    pub started: Timestamp,
    /// When it was archived last.
    pub archived: Option<Timestamp>,
    /// Until when a temporary restore lasts.
    pub restored_until: Option<Timestamp>,
    /// The domain of its archived blocks, which are no other snapshot's.
    pub archive_domain: Option<i64>,
}

impl TieringStatus {
    /// The table of what each state allows.
    pub fn allows(self, verb: TierVerb) -> bool {
        use TierVerb as V;
        match self {
            Self::ArchivalInProgress | Self::ArchivalFailed | Self::PermanentRestoreCompleted => {
                verb == V::Use || (verb == V::Archive && self != Self::ArchivalInProgress)
            }
            Self::ArchivalCompleted
            | Self::TemporaryRestoreFailed
            | Self::PermanentRestoreFailed => {
                matches!(verb, V::RestoreForDays | V::RestoreForGood)
            }
            Self::TemporaryRestoreInProgress | Self::PermanentRestoreInProgress => false,
            Self::TemporaryRestoreCompleted => verb != V::Archive,
        }
    }

    /// Whether a change is under way.
    pub fn is_under_way(self) -> bool {
        matches!(
            self,
            Self::ArchivalInProgress
                | Self::TemporaryRestoreInProgress
                | Self::PermanentRestoreInProgress
        )
    }
}

impl Tiering {
    /// Whether its blocks are those of the standard tier: only then can it be read.
    pub fn is_in_standard(&self) -> bool {
        self.status.allows(TierVerb::Use)
    }
}

/// The tier of a snapshot, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierStatus {
    /// The snapshot.
    pub snapshot_id: SnapshotId,
    /// The volume it was taken of.
    pub volume_id: VolumeId,
    /// Its owner.
    pub account: AccountId,
    /// Its state.
    pub state: SnapshotState,
    /// Its tags.
    pub tags: Tags,
    /// Its tier; none if that was never changed.
    pub tiering: Option<Tiering>,
}

impl TierStatus {
    /// Of a snapshot.
    pub fn of(snapshot: &Snapshot) -> Self {
        Self {
            snapshot_id: snapshot.id.clone(),
            volume_id: snapshot.volume_id.clone(),
            account: snapshot.account.clone(),
            state: snapshot.state,
            tags: snapshot.tags.clone(),
            tiering: snapshot.tiering.clone(),
        }
    }
}

impl Filterable for TierStatus {
    const FILTERS: &'static [&'static str] =
        &["snapshot-id", "volume-id", "last-tiering-operation"];
    const HAS_TAGS: bool = false;
    const HAS_TAG_KEY: bool = false;

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "snapshot-id" => filter::one(&self.snapshot_id),
            "volume-id" => filter::one(&self.volume_id),
            "last-tiering-operation" => {
                filter::maybe(self.tiering.as_ref().map(|tiering| tiering.status))
            }
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is archived, or on its way to or from there, is used by nobody; what changes is not
    /// changed again.
    #[test]
    fn the_table_of_tiers() {
        use TierVerb::{Archive, RestoreForDays, RestoreForGood, Use};
        use TieringStatus as S;
        let verbs = [Archive, RestoreForDays, RestoreForGood, Use];
        let allowed = |status: S| verbs.map(|verb| status.allows(verb));
        for (status, expected) in [
            (S::ArchivalInProgress, [false, false, false, true]),
            (S::ArchivalCompleted, [false, true, true, false]),
            (S::ArchivalFailed, [true, false, false, true]),
            (S::TemporaryRestoreInProgress, [false; 4]),
            (S::TemporaryRestoreCompleted, [false, true, true, true]),
            (S::TemporaryRestoreFailed, [false, true, true, false]),
            (S::PermanentRestoreInProgress, [false; 4]),
            (S::PermanentRestoreCompleted, [true, false, false, true]),
            (S::PermanentRestoreFailed, [false, true, true, false]),
        ] {
            assert_eq!(allowed(status), expected, "{status}");
        }
    }
}
