//! Live volumes: a sparse file, and a journal for what may not go there yet.
//!
//! A volume is a block device and nothing else. It knows no protocol, no AWS and no SQL. Its
//! bytes lie in a file in which offset equals offset; writes to blocks that belong to a snapshot
//! being captured, or that were not fetched from their base yet, go to a journal and are folded
//! in later. `docs/volume.md` is the protocol; the names there are the names here.
//!
//! - [`types`]: what a volume is to be, and the small words of its interface.
//! - [`error`]: what can go wrong, by what the caller has to do about it.
//! - [`volume`]: the open volume: create, open, grow, close, remove.
//! - `guest`: read, write, flush: what must be fast.
//! - `discard`: trim, write zeros, extents.
//! - [`epoch`]: freeze, commit, abandon.
//! - `capture`: the image of an epoch goes to the block store.
//! - [`claims`]: what garbage collection has to keep for a volume.
//! - `settle`: fold and hydrate.
//! - `base`: blocks that are still in the base.
//! - `work`: the background work, and the thread that does it.
//! - `checkpointing`: checkpoints while the volume is in use.
//! - `recovery`: the newest checkpoint, and the journal replayed over it.
//! - `state`: what the gate guards, and the transitions that recovery replays.
//! - `entries`: journal entries over blocks.
//! - `journal`: appending, syncing and trimming segments.
//! - `record`, `checkpoint`, `codec`: the bytes on disk.
//! - `seal`: the keys of a sealed volume.
//! - `sealed_file`: its data file.
//! - `plane`: one bit for each block.
//! - `pressure`: what writers do when space is scarce.
//! - `sync`: locks, group commit, signals.
//! - `todo_list`: what the background work is told to look at.
//! - `hydration`: how far a volume is filled.
//! - `touched`: the order in which a guest first needed its base.
//! - `geometry`: blocks, regions, leaves.

#![forbid(unsafe_code)]

pub mod claims;
pub mod epoch;
pub mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod hydration;
pub mod types;
pub mod volume;

mod base;
mod capture;
mod checkpoint;
mod checkpointing;
mod codec;
mod discard;
mod entries;
mod geometry;
mod guest;
mod journal;
mod plane;
mod pressure;
mod priority;
mod record;
mod recovery;
mod seal;
mod sealed_file;
mod settle;
mod state;
mod sync;
mod todo_list;
mod touched;
mod work;

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
