//! The states that nouns go through: one table for each kind, of what may come after what.
//!
//! The store refuses every change that a table does not have, whoever makes it. Images, keys, locks,
//! tiers and what else has a table of its own events are beside their nouns.

use std::fmt;

use crate::{
    instance::InstanceState,
    snapshot::SnapshotState,
    volume::{AttachmentState, VolumeState},
};

/// States with a table.
pub trait Table: Copy + Eq + fmt::Display + 'static {
    /// All of them; the first is the one that a new noun is in.
    const ALL: &'static [Self];

    /// Those that may come next.
    fn next(self) -> &'static [Self];

    /// Whether a noun in this state may be in that one next. Nothing forbids to stay.
    fn may_become(self, next: Self) -> bool {
        self == next || self.next().contains(&next)
    }

    /// As [`may_become`](Self::may_become), of the states of a noun before and after a change.
    ///
    /// # Errors
    /// [`NoWay`] if the table does not have it.
    fn check(self, next: Self) -> Result<(), NoWay> {
        match self.may_become(next) {
            true => Ok(()),
            false => Err(NoWay {
                from: self.to_string(),
                to: next.to_string(),
            }),
        }
    }
}

/// A change of state that no table has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no way leads from {from} to {to}")]
pub struct NoWay {
    /// The state before.
    pub from: String,
    /// The state after.
    pub to: String,
}

impl Table for VolumeState {
    const ALL: &'static [Self] = &[
        Self::Creating,
        Self::Available,
        Self::InUse,
        Self::Deleting,
        Self::Deleted,
        Self::Error,
    ];

    fn next(self) -> &'static [Self] {
        match self {
            // A launch that is given up deletes what it was making.
            Self::Creating => &[Self::Available, Self::InUse, Self::Deleting, Self::Error],
            Self::Available => &[Self::InUse, Self::Deleting],
            Self::InUse => &[Self::Available, Self::Deleting],
            // There is no way back: what can be said is that it failed.
            Self::Deleting => &[Self::Deleted, Self::Error],
            Self::Error => &[Self::Deleting],
            Self::Deleted => &[],
        }
    }
}

impl Table for AttachmentState {
    const ALL: &'static [Self] = &[
        Self::Attaching,
        Self::Attached,
        Self::Detaching,
        Self::Detached,
        Self::Busy,
    ];

    fn next(self) -> &'static [Self] {
        match self {
            Self::Attaching => &[Self::Attached],
            Self::Attached => &[Self::Detaching],
            // A guest that could not be asked has it still.
            Self::Detaching => &[Self::Attached, Self::Detached],
            Self::Detached => &[],
            // Nothing here is ever in it: a guest that does not let go is being asked.
            Self::Busy => &[],
        }
    }
}

impl Table for SnapshotState {
    const ALL: &'static [Self] = &[Self::Pending, Self::Completed, Self::Error];

    fn next(self) -> &'static [Self] {
        match self {
            Self::Pending => &[Self::Completed, Self::Error],
            Self::Completed | Self::Error => &[],
        }
    }
}

impl Table for InstanceState {
    const ALL: &'static [Self] = &[
        Self::Pending,
        Self::Running,
        Self::Stopping,
        Self::Stopped,
        Self::ShuttingDown,
        Self::Terminated,
    ];

    fn next(self) -> &'static [Self] {
        match self {
            // A start that fails ends in `stopped`, a launch that fails in `terminated`.
            Self::Pending => &[Self::Running, Self::Stopping, Self::ShuttingDown],
            Self::Running => &[Self::Stopping, Self::ShuttingDown],
            Self::Stopping => &[Self::Stopped, Self::ShuttingDown],
            Self::Stopped => &[Self::Pending, Self::ShuttingDown],
            Self::ShuttingDown => &[Self::Terminated],
            Self::Terminated => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::volume::{
        Attachment, Volume,
        tests::{attachment, volume},
    };

    /// The states that some sequence of changes leads to.
    fn reachable<T: Table>(from: T) -> BTreeSet<String> {
        let (mut found, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(state) = open.pop() {
            if found.insert(state.to_string()) {
                open.extend(state.next());
            }
        }
        found
    }

    fn names<T: Table>(states: &[T]) -> BTreeSet<String> {
        states.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_state_is_reached_but_those_that_never_are() {
        assert_eq!(reachable(SnapshotState::Pending), names(SnapshotState::ALL));
        assert_eq!(reachable(InstanceState::Pending), names(InstanceState::ALL));
        assert_eq!(reachable(VolumeState::Creating), names(VolumeState::ALL));
        let mut attachments = names(AttachmentState::ALL);
        attachments.remove("busy");
        assert_eq!(reachable(AttachmentState::Attaching), attachments);
    }

    #[test]
    fn ends_are_ends() {
        for end in [SnapshotState::Completed, SnapshotState::Error] {
            assert_eq!(reachable(end), names(&[end]));
        }
        let going = [InstanceState::ShuttingDown, InstanceState::Terminated];
        assert_eq!(reachable(going[0]), names(&going));
        assert_eq!(reachable(going[1]), names(&going[1..]));
        let going = [
            VolumeState::Deleting,
            VolumeState::Deleted,
            VolumeState::Error,
        ];
        assert_eq!(reachable(going[0]), names(&going));
        assert_eq!(reachable(VolumeState::Deleted), names(&going[1..2]));
        let refusal = InstanceState::Terminated.check(InstanceState::Running);
        assert_eq!(
            refusal.unwrap_err().to_string(),
            "no way leads from terminated to running"
        );
    }

    /// Walks through wishes, and takes those that the table has.
    fn walk<T: Table>(wishes: &[usize]) -> Vec<T> {
        let mut states = vec![T::ALL[0]];
        for wish in wishes {
            let (last, next) = (states[states.len() - 1], T::ALL[wish % T::ALL.len()]);
            if last.check(next).is_ok() {
                states.push(next);
            }
        }
        states
    }

    fn wishes() -> impl Strategy<Value = Vec<usize>> {
        prop::collection::vec(0..60usize, 0..60)
    }

    proptest! {
        /// Whatever is tried in whatever order: an instance that goes is never seen again in any other
        /// way, and runs only out of `pending`.
        #[test]
        fn instances_go_for_good_and_run_only_once_they_were_started(wishes in wishes()) {
            use InstanceState as S;
            let states = walk::<S>(&wishes);
            for pair in states.windows(2) {
                prop_assert!(pair[1] != S::Running || matches!(pair[0], S::Pending | S::Running));
                prop_assert!(pair[0] != S::Terminated || pair[1] == S::Terminated);
                prop_assert!(
                    pair[0] != S::ShuttingDown || matches!(pair[1], S::ShuttingDown | S::Terminated)
                );
                prop_assert!(pair[1] != S::Stopped || matches!(pair[0], S::Stopping | S::Stopped));
            }
        }

        /// A snapshot changes its state once at most.
        #[test]
        fn snapshots_are_decided_once(wishes in wishes()) {
            let states = walk::<SnapshotState>(&wishes);
            let changes = states.windows(2).filter(|pair| pair[0] != pair[1]).count();
            prop_assert!(changes <= 1, "{states:?}");
        }

        /// What is being deleted is never used again.
        #[test]
        fn volumes_that_go_are_not_used_again(wishes in wishes()) {
            use VolumeState as S;
            let states = walk::<S>(&wishes);
            let gone = states.iter().position(|state| *state == S::Deleting);
            for state in gone.map_or(&[][..], |at| &states[at..]) {
                prop_assert!(matches!(state, S::Deleting | S::Deleted | S::Error), "{states:?}");
            }
        }

        /// The ways of a volume to change keep to both tables, and it is in use as long as it is attached.
        #[test]
        fn volumes_keep_to_their_tables(calls in prop::collection::vec((0..5u8, 0..3usize), 0..40)) {
            let ids: Vec<_> = ["i-0123456789abcdef0", "i-0fedcba9876543210", "i-00000000000000001"]
                .map(|id| id.parse::<crate::InstanceId>().unwrap())
                .into();
            let mut noun = volume();
            for (call, at) in calls {
                let before = noun.clone();
                let known = noun.attachment_to(&ids[at]).map(|found| found.state);
                match (call, known) {
                    (0, None) => {
                        noun.state = VolumeState::InUse;
                        noun.attachments.push(Attachment {
                            instance_id: ids[at].clone(),
                            state: AttachmentState::Attaching,
                            ..attachment()
                        });
                    }
                    (1, Some(state)) if state.may_become(AttachmentState::Attached) => {
                        noun.set_attachment(&ids[at], AttachmentState::Attached);
                    }
                    (2, Some(state)) if state.may_become(AttachmentState::Detaching) => {
                        noun.set_attachment(&ids[at], AttachmentState::Detaching);
                    }
                    (3, _) => noun.detach_from(&ids[at]),
                    _ => {}
                }
                prop_assert_eq!(before.check_change(&noun), Ok(()));
                prop_assert_eq!(noun.state == VolumeState::InUse, !noun.attachments.is_empty());
            }
        }

        /// A change that the table of attachments does not have is no change of the volume.
        #[test]
        fn attachments_keep_to_their_table(from in 0..5usize, to in 0..5usize) {
            let (from, to) = (AttachmentState::ALL[from], AttachmentState::ALL[to]);
            let with = |state| Volume {
                state: VolumeState::InUse,
                attachments: vec![Attachment { state, ..attachment() }],
                ..volume()
            };
            let allowed = with(from).check_change(&with(to)).is_ok();
            prop_assert_eq!(allowed, from == to || from.next().contains(&to));
        }
    }
}
