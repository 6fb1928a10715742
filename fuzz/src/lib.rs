//! Fuzz targets: every decoder of bytes from outside or from the disk, one target for each.
//!
//! A target takes any bytes, returns whether its decoder accepted them, and panics when it
//! accepted what it should not have. It comes with inputs that are accepted, from which fuzzing
//! starts: a target whose inputs are refused tests nothing, and `tests/replay.rs` says so.
//!
//! - [`engine`]: what the block store and volumes keep on disk.
//! - [`outside`]: what clients and guests send, and files that people import.
//! - [`mutate`]: changes to inputs, for where libFuzzer is not.

#![forbid(unsafe_code)]

pub mod engine;
pub mod mutate;
pub mod outside;

// The binary has no library, so what it makes of a file that is imported is taken over from its
// source. `cli` stands in for the two words that it uses of the command line.
mod cli;
#[allow(dead_code)]
#[path = "../../crates/cairn/src/failure.rs"]
mod failure;
#[allow(dead_code)]
#[path = "../../crates/cairn/src/import/format.rs"]
mod format;
#[allow(dead_code)]
#[path = "../../crates/cairn/src/import/partitions.rs"]
mod partitions;

/// A decoder under test.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What it is called on the command line, and the directory of its kept inputs.
    pub name: &'static str,
    /// Decodes, and says whether that was accepted.
    pub run: fn(&[u8]) -> bool,
    /// Inputs that are accepted.
    pub samples: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub fn targets() -> Vec<Target> {
    [engine::TARGETS, outside::TARGETS].concat()
}

/// The target of a name.
pub fn target(name: &str) -> Option<Target> {
    targets().into_iter().find(|target| target.name == name)
}
