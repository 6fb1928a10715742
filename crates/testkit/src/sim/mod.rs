//! A simulated disk that loses, reorders and tears what was not synced.
//!
//! A [`SimDisk`] keeps for every file what a reader sees (the page cache) and what the device
//! is sure to hold, and in between a list of changes that no sync has covered. Names work the
//! same way. A [`Crash`] decides what becomes of the changes in between:
//!
//! - after [`Crash::Kill`] all of them are still there, as the kernel goes on living;
//! - after [`Crash::LoseAll`] none is;
//! - after [`Crash::PowerLoss`] any subset is, applied in any order, writes torn at sectors of
//!   512 bytes.
//!
//! A sync that was made to fail by a [`Fault`] behaves as Linux does: readers still see the
//! bytes, but no later sync will write them, unless they are written again.
//!
//! Everything that is random comes from seeds, so that a failure can be repeated.
//!
//! - `disk`: the [`SimDisk`] and its files.
//! - `fault`: faults, the scripted death, the trace.
//! - `state`: files, names, and what a crash does to them.
//! - `file`: one file: what is seen, what is durable, what lies in between.
//! - `image`: the bytes of a file, sparse.
//! - `ranges`: ranges of pages that are allocated.

mod disk;
mod fault;
mod file;
mod image;
mod ranges;
mod state;
#[cfg(test)]
mod tests;

pub use disk::SimDisk;
pub use fault::{Fault, OpKind, TraceEntry};
pub use rustix::io::Errno;
pub use state::Crash;
