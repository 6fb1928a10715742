//! What tests of the engine stand on. Development only.
//!
//! - [`rng`]: small deterministic random numbers.
//! - [`sim`]: a simulated disk that loses, reorders and tears what was not synced.

#![forbid(unsafe_code)]

pub mod rng;
pub mod sim;

pub use rng::Rng;
pub use sim::{Crash, Errno, Fault, OpKind, SimDisk, TraceEntry};
