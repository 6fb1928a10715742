//! What tests of the engine stand on. Development only.
//!
//! - [`keys`]: a keyring that can be told to refuse.
//! - [`rng`]: small deterministic random numbers.
//! - [`sim`]: a simulated disk that loses, reorders and tears what was not synced.

#![forbid(unsafe_code)]

pub mod keys;
pub mod rng;
pub mod sim;

pub use keys::SimKeyring;
pub use rng::Rng;
pub use sim::{Crash, Errno, Fault, OpKind, SimDisk, TraceEntry};
