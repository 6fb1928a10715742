//! The engine held to `docs/volume.md`, on a simulated disk and on a real one.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, missing_docs)]

#[path = "suites.rs"]
mod plain;
#[path = "suites.rs"]
#[allow(
    clippy::duplicate_mod,
    reason = "a volume with a key holds what one without does"
)]
mod sealed;
mod secrets;
