//! The block store against simulated disks that lose what was not synced, against rot, against
//! faults, and against many threads.

#![allow(clippy::unwrap_used, clippy::assertions_on_result_states)]

mod collecting;
mod collecting_model;
mod crash_points;
mod faults;
mod index;
mod model;
mod packs;
mod rot;
mod scrub;
mod slots;
mod storing;
mod support;
mod threads;
mod transferring;

/// Whether the domain that most of these tests use has a key; the other one is the opposite.
pub(crate) const HERE_IS_SEALED: bool = false;
