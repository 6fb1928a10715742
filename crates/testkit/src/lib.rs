//! What tests of the engine stand on. Development only.
//!
//! - [`keys`]: a keyring that can be told to refuse.
//! - [`rng`]: small deterministic random numbers.
//! - [`sim`]: a simulated disk that loses, reorders and tears what was not synced.
//! - [`tap`]: a disk that tells of each write.

#![forbid(unsafe_code)]

pub mod keys;
pub mod rng;
pub mod sim;
pub mod tap;

pub use keys::SimKeyring;
pub use rng::Rng;
pub use sim::{Crash, Errno, Fault, OpKind, SimDisk, TraceEntry};
pub use tap::Tap;
