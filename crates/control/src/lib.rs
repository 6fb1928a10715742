//! The verbs: what a client can ask for, each readable top to bottom in one place.
//!
//! The only room that sees metadata, blocks, volumes and machines together. Every verb takes the
//! [`Caller`] and one request of [`request`], and answers with nouns of the model or an
//! [`Error`] whose kind the dialects in `api` turn into their codes.
//!
//! Invariants: bytes are durable before metadata names them; what a verb shows it has committed;
//! whatever goes on after an answer is a job, and a job that a crash interrupted goes on.
//!
//! - [`caller`]: who asks, and where.
//! - [`error`]: what can go wrong, by kind.
//! - [`request`], [`answer`]: the requests of all verbs, and those answers that are not nouns.
//! - [`control`]: what the verbs share, from opening to shutdown.
//! - [`jobs`]: work that goes on after the answer.
//! - [`account`]: accounts and access keys.
//! - [`volume`], [`snapshot`]: volumes, and taking snapshots of them.
//! - `volume_status`: how they are.
//! - [`ebs`]: EBS direct: snapshots block by block.
//! - [`verify`]: proof that a snapshot is what it was.
//! - [`keys`]: the keys that encrypted volumes and snapshots are kept under.
//! - [`durable_file`]: small files that are written whole.
//! - [`attest`], `key_file`: that proof, signed, for others to check.
//! - [`collect`]: garbage collection, and what space costs.
//! - `holders`: everything that keeps blobs alive.
//! - [`export`]: the bytes of volumes, and how machines get at them.
//! - `record`: completed snapshots once more, beside their packs.
//! - [`scrub`]: packs read from end to end, and what that found.
//! - [`recover`]: metadata that was lost, rebuilt from packs and records.
//! - `engine`: the files that hold bytes.
//! - `image`: registering images, and making them of instances.
//! - `launch`, [`instance`], `attachment`: launching instances, starting and ending them, their
//!   volumes.
//! - `boot_set`: what guests read when they boot, fetched first the next time.
//! - [`machine`]: the machines of instances.
//! - `launch_template`: launches kept under a name.
//! - `key_pair`, `network`, `place`, `instance_type`: what launches refer to.
//! - [`space`]: what is refused, slowed and held when space runs out.
//! - `tags`: tags of everything.
//! - `ticks`: what is looked at now and then.

#![forbid(unsafe_code)]

pub mod account;
pub mod answer;
mod attachment;
pub mod attest;
mod boot_set;
pub mod caller;
pub mod collect;
pub mod control;
mod describe;
pub mod durable_file;
pub mod ebs;
mod engine;
pub mod error;
pub mod export;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod holders;
mod image;
pub mod instance;
mod instance_type;
pub mod jobs;
mod key_file;
mod key_pair;
pub mod keys;
mod launch;
mod launch_template;
pub mod machine;
mod mapping;
mod network;
mod place;
mod record;
pub mod recover;
pub mod request;
pub mod scrub;
mod seal;
pub mod snapshot;
pub mod space;
mod tags;
mod ticks;
mod token;
pub mod verify;
pub mod volume;
mod volume_status;

pub use caller::Caller;
pub use control::{Control, ControlOptions, OpenError};
pub use error::{Error, ErrorKind, Result};
