//! Tasks that replace the root volume of an instance that runs.

use serde::{Deserialize, Serialize};

use crate::{
    filter::{self, Filterable},
    ids::{AccountId, ImageId, InstanceId, ReplaceRootTaskId, SnapshotId, VolumeId},
    place::Region,
    tag::Tags,
    time::Timestamp,
};

/// A task as metadata knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplaceRootTask {
    /// Its id.
    pub id: ReplaceRootTaskId,
    /// Owner.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// The instance.
    pub instance_id: InstanceId,
    /// The root volume as it was.
    pub replaced_volume_id: VolumeId,
    /// The one that takes its place.
    pub new_volume_id: VolumeId,
    /// The image that the new one is made from, if one was named.
    pub image_id: Option<ImageId>,
    /// The snapshot that the new one is made from, if one was named or belongs to that image.
    pub snapshot_id: Option<SnapshotId>,
    /// The snapshot that a later task goes back to if it is told of nothing else.
    pub launch_snapshot_id: SnapshotId,
    /// Whether the volume that was replaced is deleted.
    pub delete_replaced_root_volume: bool,
    /// State.
    pub state: ReplaceRootState,
    /// When it was asked for.
    pub start_time: Timestamp,
    /// When it was over.
    pub complete_time: Option<Timestamp>,
    /// Tags.
    pub tags: Tags,
}

/// States of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of EC2, by their names")]
pub enum ReplaceRootState {
    Pending,
    InProgress,
    Failing,
    Succeeded,
    Failed,
    FailedDetached,
}

/// What happens to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplaceRootEvent {
    /// The new volume is there, and takes the other's place.
    Begun,
    /// The instance runs with it.
    Replaced,
    /// It cannot be, and what was done is being undone.
    Broken,
    /// The instance has the root volume that it had.
    Restored,
    /// The instance has none, or is gone.
    Lost,
}

impl ReplaceRootEvent {
    /// Every event.
    pub const ALL: &'static [Self] = &[
        Self::Begun,
        Self::Replaced,
        Self::Broken,
        Self::Restored,
        Self::Lost,
    ];
}

impl ReplaceRootState {
    /// The state that follows an event; none if the event is not one of this state.
    #[must_use]
    pub fn after(self, event: ReplaceRootEvent) -> Option<Self> {
        use ReplaceRootEvent as E;
        match (self, event) {
            (Self::Pending, E::Begun) => Some(Self::InProgress),
            (Self::InProgress, E::Replaced) => Some(Self::Succeeded),
            (Self::Pending | Self::InProgress, E::Broken) => Some(Self::Failing),
            (Self::Failing, E::Restored) => Some(Self::Failed),
            (Self::Failing, E::Lost) => Some(Self::FailedDetached),
            _ => None,
        }
    }

    /// Whether nothing follows.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::FailedDetached)
    }
}

impl ReplaceRootTask {
    /// Takes it to the state that follows an event; one that is none of its state changes nothing.
    pub fn advance(&mut self, event: ReplaceRootEvent, now: Timestamp) {
        let Some(state) = self.state.after(event) else {
            return;
        };
        self.state = state;
        if state.is_over() {
            self.complete_time = Some(now);
        }
    }
}

impl Filterable for ReplaceRootTask {
    const FILTERS: &'static [&'static str] = &["instance-id"];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "instance-id" => filter::one(&self.instance_id),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use ReplaceRootEvent as E;
    use ReplaceRootState as S;

    #[test]
    fn each_way_through_leads_to_its_end() {
        let through = |events: &[E]| {
            events
                .iter()
                .try_fold(S::Pending, |state, event| state.after(*event))
        };
        assert_eq!(through(&[E::Begun, E::Replaced]), Some(S::Succeeded));
        assert_eq!(through(&[E::Broken, E::Restored]), Some(S::Failed));
        assert_eq!(
            through(&[E::Begun, E::Broken, E::Restored]),
            Some(S::Failed)
        );
        assert_eq!(
            through(&[E::Begun, E::Broken, E::Lost]),
            Some(S::FailedDetached)
        );
        assert_eq!(through(&[E::Replaced]), None, "nothing was begun");
        assert_eq!(
            through(&[E::Begun, E::Restored]),
            None,
            "nothing is being undone"
        );
    }

    proptest! {
        /// Whatever happens in whatever order: what is over stays over, and is over only at one end.
        #[test]
        fn states_go_one_way(events in prop::collection::vec(0..5_usize, 0..16)) {
            let mut state = S::Pending;
            for event in events {
                let next = state.after(E::ALL[event]).unwrap_or(state);
                prop_assert!(!state.is_over() || next == state);
                prop_assert!(next != S::Succeeded || matches!(state, S::InProgress | S::Succeeded));
                prop_assert!(state != S::Failing || next != S::InProgress);
                state = next;
            }
        }
    }
}
