//! The lock of a snapshot: what protects it from deletion, and who may still change that.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    filter::{self, Filterable},
    ids::{AccountId, SnapshotId},
    tag::Tags,
    time::Timestamp,
};

/// A day.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An hour.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Days that a lock may hold.
pub const DURATION_DAYS: std::ops::RangeInclusive<i32> = 1..=36_500;

/// Hours that a compliance lock may cool off.
pub const COOL_OFF_HOURS: std::ops::RangeInclusive<i32> = 1..=72;

/// The modes of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LockMode {
    /// Whoever may do so can take it off again.
    Governance,
    /// Once it has cooled off, nobody can, nor make it end earlier.
    Compliance,
}

/// The states of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the states of EC2, by their names")]
pub enum LockState {
    Governance,
    ComplianceCooloff,
    Compliance,
    Expired,
}

/// What one wants to do with a lock, or with what it protects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockVerb {
    /// Put a governance lock in its place.
    Govern,
    /// Put a compliance lock in its place that ends no earlier.
    Prolong,
    /// Put a compliance lock in its place that ends earlier, or may cool off.
    Weaken,
    /// Take it off.
    Unlock,
    /// Delete the snapshot.
    Delete,
}

/// How long a lock holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LockTerm {
    /// So many days from when it began to hold.
    Days(i32),
    /// Until an instant.
    Until(Timestamp),
}

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotLock {
    /// Its mode.
    pub mode: LockMode,
    /// When it was put on.
    pub created: Timestamp,
    /// When its term began: when it was put on, or when the snapshot was completed if that was later.
    pub starts: Option<Timestamp>,
    /// How long it holds.
    pub term: LockTerm,
    /// How long a compliance lock can be taken off again, in hours.
    pub cool_off_hours: Option<i32>,
}

impl LockState {
    /// The table of what each state allows.
    pub fn allows(self, verb: LockVerb) -> bool {
        use LockVerb as V;
        match self {
            Self::Governance | Self::ComplianceCooloff => verb != V::Delete,
            Self::Compliance => verb == V::Prolong,
            Self::Expired => true,
        }
    }
}

impl SnapshotLock {
    /// Its state at an instant. A lock whose term has not begun holds.
    pub fn state(&self, now: Timestamp) -> LockState {
        match self.mode {
            _ if self.expires().is_some_and(|expires| expires <= now) => LockState::Expired,
            LockMode::Governance => LockState::Governance,
            LockMode::Compliance if self.is_cooling(now) => LockState::ComplianceCooloff,
            LockMode::Compliance => LockState::Compliance,
        }
    }

    fn is_cooling(&self, now: Timestamp) -> bool {
        self.cool_off_ends().is_some_and(|ends| now < ends)
    }

    /// When it ends, once that is known.
    pub fn expires(&self) -> Option<Timestamp> {
        match self.term {
            LockTerm::Days(days) => self.starts.map(|starts| starts.after(times(DAY, days))),
            LockTerm::Until(instant) => Some(instant),
        }
    }

    /// Until when a compliance lock can be taken off again.
    pub fn cool_off_ends(&self) -> Option<Timestamp> {
        let hours = self.cool_off_hours?;
        Some(self.created.after(times(HOUR, hours)))
    }

    /// How long it holds, in days; a day that has begun counts.
    pub fn duration_days(&self) -> i32 {
        match self.term {
            LockTerm::Days(days) => days,
            LockTerm::Until(instant) => days_between(self.created, instant),
        }
    }

    /// What it is to put another lock in the place of this one.
    pub fn change_to(&self, new: &Self) -> LockVerb {
        match new.mode {
            LockMode::Governance => LockVerb::Govern,
            LockMode::Compliance if new.cool_off_hours.is_some() || self.ends_after(new) => {
                LockVerb::Weaken
            }
            LockMode::Compliance => LockVerb::Prolong,
        }
    }

    /// Of terms that have not begun, the days count.
    fn ends_after(&self, other: &Self) -> bool {
        match (self.expires(), other.expires()) {
            (Some(own), Some(other)) => own > other,
            (None, Some(_)) => true,
            _ => self.duration_days() > other.duration_days(),
        }
    }
}

fn times(unit: Duration, count: i32) -> Duration {
    unit.saturating_mul(u32::try_from(count).unwrap_or(0))
}

fn days_between(from: Timestamp, to: Timestamp) -> i32 {
    let day = 24 * 60 * 60;
    let seconds = (to.seconds() - from.seconds()).max(0);
    i32::try_from(seconds.saturating_add(day - 1) / day).unwrap_or(i32::MAX)
}

/// A locked snapshot, as it is shown at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedSnapshot {
    /// The snapshot.
    pub snapshot_id: SnapshotId,
    /// Its owner.
    pub account: AccountId,
    /// The lock.
    pub lock: SnapshotLock,
    /// The state of the lock.
    pub state: LockState,
}

impl Filterable for LockedSnapshot {
    const FILTERS: &'static [&'static str] = &["lock-state"];
    const HAS_TAGS: bool = false;
    const HAS_TAG_KEY: bool = false;

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "lock-state" => filter::one(self.state),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lock(mode: LockMode, starts: i64, term: LockTerm, cool_off: Option<i32>) -> SnapshotLock {
        SnapshotLock {
            mode,
            created: at(starts),
            starts: Some(at(starts)),
            term,
            cool_off_hours: cool_off,
        }
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp(hours * 3_600_000_000)
    }

    #[test]
    fn a_lock_goes_through_its_states_by_the_clock() {
        let days = LockTerm::Days(2);
        let compliance = lock(LockMode::Compliance, 0, days, Some(3));
        let states = [0, 2, 3, 47, 48].map(|hour| compliance.state(at(hour)));
        use LockState::{Compliance, ComplianceCooloff, Expired, Governance};
        let cooling = ComplianceCooloff;
        assert_eq!(states, [cooling, cooling, Compliance, Compliance, Expired]);
        let governance = lock(LockMode::Governance, 0, days, None);
        assert_eq!(governance.state(at(47)), Governance);
        assert_eq!(governance.state(at(48)), Expired);
        let pending = SnapshotLock {
            starts: None,
            ..governance
        };
        assert_eq!(
            (pending.state(at(900)), pending.expires()),
            (Governance, None)
        );
        let until = lock(LockMode::Governance, 0, LockTerm::Until(at(49)), None);
        assert_eq!((until.duration_days(), until.expires()), (3, Some(at(49))));
    }

    fn any_lock() -> impl Strategy<Value = SnapshotLock> {
        let term = prop_oneof![
            (1..100i32).prop_map(LockTerm::Days),
            (1..2400i64).prop_map(|hours| LockTerm::Until(at(hours))),
        ];
        let mode = prop_oneof![Just(LockMode::Governance), Just(LockMode::Compliance)];
        (mode, 0..100i64, term, prop::option::of(1..=72i32)).prop_map(
            |(mode, starts, term, cool_off)| {
                let cool_off = cool_off.filter(|_| mode == LockMode::Compliance);
                lock(mode, starts, term, cool_off)
            },
        )
    }

    proptest! {
        /// Whatever the table lets through, in whatever order: once a compliance lock is no more
        /// cooling off, its snapshot stays until the last end that was ever shown.
        #[test]
        fn compliance_is_never_shortened(locks in prop::collection::vec((any_lock(), 0..200i64), 1..20)) {
            let mut now = 0;
            let mut current: Option<SnapshotLock> = None;
            let mut promised: Option<Timestamp> = None;
            for (mut new, wait) in locks {
                now += wait;
                new.created = at(now);
                new.starts = Some(at(now));
                let state = current.as_ref().map(|lock| lock.state(at(now)));
                if state == Some(LockState::Compliance) {
                    promised = promised.max(current.as_ref().and_then(SnapshotLock::expires));
                }
                let allowed = current.as_ref().is_none_or(|old| old.state(at(now)).allows(old.change_to(&new)));
                if allowed {
                    current = Some(new);
                }
                if let (Some(lock), Some(promised)) = (&current, promised.filter(|end| at(now) < *end)) {
                    prop_assert_eq!(lock.state(at(now)), LockState::Compliance);
                    prop_assert!(!LockState::Compliance.allows(LockVerb::Delete));
                    prop_assert!(!LockState::Compliance.allows(LockVerb::Unlock));
                    prop_assert!(lock.expires() >= Some(promised));
                }
            }
        }
    }
}
