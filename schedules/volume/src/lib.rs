//! `cairn-volume`, from its own source, with a standard library that is scheduled. A module that
//! is new there is to be listed here; without it this does not compile.

#![forbid(unsafe_code)]
#![allow(missing_docs, unreachable_pub)]

extern crate cairn_schedules_std as std;

#[path = "../../../crates/volume/src/base.rs"]
mod base;
#[path = "../../../crates/volume/src/capture.rs"]
mod capture;
#[path = "../../../crates/volume/src/checkpoint.rs"]
mod checkpoint;
#[path = "../../../crates/volume/src/checkpointing.rs"]
mod checkpointing;
#[path = "../../../crates/volume/src/claims.rs"]
pub mod claims;
#[path = "../../../crates/volume/src/codec.rs"]
mod codec;
#[path = "../../../crates/volume/src/discard.rs"]
mod discard;
#[path = "../../../crates/volume/src/entries.rs"]
mod entries;
#[path = "../../../crates/volume/src/epoch.rs"]
pub mod epoch;
#[path = "../../../crates/volume/src/error.rs"]
pub mod error;
#[path = "../../../crates/volume/src/geometry.rs"]
mod geometry;
#[path = "../../../crates/volume/src/guest.rs"]
mod guest;
#[path = "../../../crates/volume/src/hydration.rs"]
mod hydration;
#[path = "../../../crates/volume/src/journal.rs"]
mod journal;
#[path = "../../../crates/volume/src/plane.rs"]
mod plane;
#[path = "../../../crates/volume/src/pressure.rs"]
mod pressure;
#[path = "../../../crates/volume/src/priority.rs"]
mod priority;
#[path = "../../../crates/volume/src/record.rs"]
mod record;
#[path = "../../../crates/volume/src/recovery.rs"]
mod recovery;
#[path = "../../../crates/volume/src/seal.rs"]
mod seal;
#[path = "../../../crates/volume/src/sealed_file.rs"]
mod sealed_file;
#[path = "../../../crates/volume/src/settle.rs"]
mod settle;
#[path = "../../../crates/volume/src/state.rs"]
mod state;
#[path = "../../../crates/volume/src/sync.rs"]
mod sync;
#[path = "../../../crates/volume/src/todo_list.rs"]
mod todo_list;
#[path = "../../../crates/volume/src/touched.rs"]
mod touched;
#[path = "../../../crates/volume/src/types.rs"]
pub mod types;
#[path = "../../../crates/volume/src/volume.rs"]
pub mod volume;
#[path = "../../../crates/volume/src/work.rs"]
mod work;

pub mod scenarios;
pub mod yielding;

pub use claims::Claims;
pub use epoch::freeze_all;
pub use error::Error;
pub use hydration::hydration;
pub use pressure::Pressure;
pub use types::{
    Background, Base, EpochTag, Extent, Freeze, Hydration, Options, Outcome, Progress, Scarcity,
    VolumeSpec, Wait, WhenFull, Work,
};
pub use volume::{Volume, create, open, remove};
