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
//! - `snapshot_set`: snapshots of all volumes of an instance.
//! - `snapshot_access`: who may use a snapshot.
//! - `lock`: what protects snapshots from deletion.
//! - `copy`: copies of snapshots, to another region, account or key.
//! - `tier`: archived snapshots. `fast_restore`: snapshots that are kept at hand.
//! - `recycle_rules`, [`recycle_bin`], `volume_bin`: what was deleted and is kept for a while.
//! - `volume_status`, `volume_attribute`: how they are, and what becomes of them should some be lost.
//! - `volume_limits`: how fast guests may use them.
//! - `modification`, `volume_copy`: changing volumes that exist, and making copies of them.
//! - `replace_root`: another root volume for an instance that runs.
//! - `ebs_encryption`: what is encrypted when nobody says, and under which key.
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
//! - `image_sharing`, `image_life`, [`image_settings`]: who launches them, and for how long.
//! - `image_copy`, `image_bin`: copies of images, and images in the Recycle Bin.
//! - `image_lineage`, `image_usage`: where they come from, and what comes from them.
//! - `launch`, [`instance`], `attachment`: launching instances, starting and ending them, their
//!   volumes.
//! - `boot_set`: what guests read when they boot, fetched first the next time.
//! - [`machine`]: the machines of instances.
//! - `launch_template`: launches kept under a name.
//! - `key_pair`, `network`, `place`, `instance_type`: what launches refer to.
//! - [`region`]: the regions that an account has.
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
mod copy;
mod describe;
pub mod durable_file;
pub mod ebs;
mod ebs_encryption;
mod engine;
pub mod error;
pub mod export;
mod fast_restore;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod holders;
mod image;
mod image_bin;
mod image_copy;
mod image_life;
mod image_lineage;
pub mod image_settings;
mod image_sharing;
mod image_usage;
pub mod instance;
mod instance_type;
pub mod jobs;
mod key_file;
mod key_pair;
pub mod keys;
mod launch;
mod launch_template;
mod lock;
pub mod machine;
mod mapping;
mod modification;
mod network;
mod place;
mod record;
pub mod recover;
pub mod recycle_bin;
mod recycle_rules;
pub mod region;
mod replace_root;
pub mod request;
pub mod scrub;
mod seal;
pub mod snapshot;
mod snapshot_access;
mod snapshot_set;
pub mod space;
mod tags;
mod ticks;
mod tier;
mod token;
pub mod verify;
pub mod volume;
mod volume_attribute;
mod volume_bin;
mod volume_copy;
mod volume_limits;
pub mod volume_status;

pub use caller::Caller;
pub use control::{Control, ControlOptions, OpenError};
pub use error::{Error, ErrorKind, Result};
