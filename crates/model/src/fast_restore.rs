//! Fast restores: a snapshot that is kept at hand in a zone.

use serde::{Deserialize, Serialize};

use crate::{
    filter::{self, Filterable},
    ids::{AccountId, SnapshotId},
    place::Region,
    tag::Tags,
    time::Timestamp,
};

/// The states of fast restores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of EC2, by their names")]
pub enum FastRestoreState {
    Enabling,
    Optimizing,
    Enabled,
    Disabling,
    Disabled,
}

impl FastRestoreState {
    /// The state that comes by itself, by work that is done.
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Enabling => Some(Self::Optimizing),
            Self::Optimizing => Some(Self::Enabled),
            Self::Disabling => Some(Self::Disabled),
            Self::Enabled | Self::Disabled => None,
        }
    }

    /// The state after they were enabled.
    pub fn enabled(self) -> Option<Self> {
        match self {
            Self::Disabled => Some(Self::Enabling),
            // It is under way, or done.
            Self::Enabling | Self::Optimizing | Self::Enabled => Some(self),
            Self::Disabling => None,
        }
    }

    /// The state after they were disabled.
    pub fn disabled(self) -> Option<Self> {
        match self {
            Self::Enabling | Self::Optimizing | Self::Enabled => Some(Self::Disabling),
            Self::Disabling | Self::Disabled => None,
        }
    }
}

/// Fast restores of a snapshot in a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FastRestore {
    /// The snapshot.
    pub snapshot_id: SnapshotId,
    /// Who enabled them.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// Name of the zone.
    pub zone: String,
    /// State.
    pub state: FastRestoreState,
    /// When they came into each state.
    pub times: FastRestoreTimes,
}

/// When fast restores came into each state, since they were enabled last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of EC2, by their names")]
pub struct FastRestoreTimes {
    pub enabling: Option<Timestamp>,
    pub optimizing: Option<Timestamp>,
    pub enabled: Option<Timestamp>,
    pub disabling: Option<Timestamp>,
    pub disabled: Option<Timestamp>,
}

impl FastRestore {
    /// Comes into a state.
    pub fn enter(&mut self, state: FastRestoreState, now: Timestamp) {
        let times = &mut self.times;
        let time = match state {
            FastRestoreState::Enabling => {
                *times = FastRestoreTimes::default();
                &mut times.enabling
            }
            FastRestoreState::Optimizing => &mut times.optimizing,
            FastRestoreState::Enabled => &mut times.enabled,
            FastRestoreState::Disabling => &mut times.disabling,
            FastRestoreState::Disabled => &mut times.disabled,
        };
        *time = Some(now);
        self.state = state;
    }

    /// Why it is in this state, as EC2 words it.
    pub fn reason(&self) -> &'static str {
        match self.state {
            FastRestoreState::Enabling | FastRestoreState::Disabling => "Client.UserInitiated",
            _ => "Client.UserInitiated - Lifecycle state transition",
        }
    }

    /// The id of the zone.
    pub fn zone_id(&self) -> String {
        let zone = self.region.zone(&self.zone);
        zone.map(|zone| zone.id()).unwrap_or_default()
    }
}

impl Filterable for FastRestore {
    const FILTERS: &'static [&'static str] = &[
        "availability-zone",
        "availability-zone-id",
        "owner-id",
        "snapshot-id",
        "state",
    ];
    const HAS_TAGS: bool = false;

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "availability-zone" => filter::one(&self.zone),
            "availability-zone-id" => filter::one(self.zone_id()),
            "owner-id" => filter::one(&self.account),
            "snapshot-id" => filter::one(&self.snapshot_id),
            "state" => filter::one(self.state),
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

    #[test]
    fn every_state_leads_to_one_that_stays() {
        use FastRestoreState::{Disabled, Disabling, Enabled, Enabling, Optimizing};
        for (state, rest) in [
            (Enabling, Enabled),
            (Optimizing, Enabled),
            (Enabled, Enabled),
            (Disabling, Disabled),
            (Disabled, Disabled),
        ] {
            let mut state = state;
            while let Some(next) = state.next() {
                state = next;
            }
            assert_eq!(state, rest);
        }
        assert_eq!(Disabled.enabled(), Some(Enabling));
        assert_eq!(Disabling.enabled(), None);
        assert_eq!(Optimizing.disabled(), Some(Disabling));
        assert_eq!(Disabled.disabled(), None);
    }
}
