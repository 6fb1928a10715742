//! The engine held to `docs/volume.md`, on a simulated disk and on a real one.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, missing_docs)]

mod crash_points;
mod failure;
mod fetching;
mod harness;
mod hostile;
mod model;
mod orders;
mod syncs;
mod threads;
