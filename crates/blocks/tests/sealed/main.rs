//! The tests of the block store once more, with the plain domain and the sealed one exchanged.

#![allow(clippy::unwrap_used, clippy::assertions_on_result_states)]

#[path = "../engine/collecting.rs"]
mod collecting;
#[path = "../engine/collecting_model.rs"]
mod collecting_model;
#[path = "../engine/crash_points.rs"]
mod crash_points;
#[path = "../engine/faults.rs"]
mod faults;
#[path = "../engine/index.rs"]
mod index;
#[path = "../engine/model.rs"]
mod model;
#[path = "../engine/packs.rs"]
mod packs;
#[path = "../engine/rot.rs"]
mod rot;
#[path = "../engine/scrub.rs"]
mod scrub;
mod secrets;
#[path = "../engine/storing.rs"]
mod storing;
#[path = "../engine/support.rs"]
mod support;
#[path = "../engine/threads.rs"]
mod threads;
#[path = "../engine/transferring.rs"]
mod transferring;

/// Whether the domain that most of these tests use has a key; the other one is the opposite.
pub(crate) const HERE_IS_SEALED: bool = true;
