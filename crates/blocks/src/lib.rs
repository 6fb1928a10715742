//! Content-addressed block store: packs, the Merkle snapshot index, diff and verify.
//!
//! This room knows nothing of AWS, SQL or networks. It keeps blobs (512 KiB blocks and index
//! nodes) under content addresses in write-once packs, and tells a [`BlobIndex`] where they lie.
//!
//! - [`disk`]: the file system as the engine sees it, so that a simulated disk can stand in.
//! - [`disk_fs`]: the real file system.
//! - [`types`]: digests, domains, locations and the other words of this room.
//! - [`error`]: what can go wrong, by what the caller has to do about it.
//! - [`key`]: data keys, and who gives them out.
//! - [`store`]: the block store: put, sync, get.
//! - [`collect`]: garbage collection, and what space costs.
//! - [`transfer`]: a snapshot's content from one domain to another, of this store or another one.
//! - `session`: who relies on what, until metadata names it.
//! - [`index`]: the Merkle index of a snapshot: build, look up, diff, verify.
//! - [`scrub`]: reads packs from end to end, and tells of every changed byte.
//! - [`memory_index`]: a [`BlobIndex`] in memory, for tests and tools.
//! - [`conformance`]: what every [`BlobIndex`] must do, as a test.
//! - [`zero`]: whether a block holds nothing but zeros.
//! - `cipher`: what a key makes of digests and blobs.
//! - `check`: whether stored bytes are those of their blob.
//! - `pack_format`: the bytes of a pack, encoded and decoded.
//! - `pack`: a pack being written, and the open files of packs being read.
//! - `frame`: a blob made ready for a pack: compressed, with its header, encrypted if need be.
//! - `lane`: the packs that one domain is writing, and their group commit.
//! - `recover`: what is done with packs that a crash left unsealed.
//! - `cache`: decoded blobs and nodes kept in memory, each loaded once at a time.
//! - `urgency`: who may wait for whom.
//! - `slots`: decoded blocks kept in a file, encrypted, behind those in memory.

#![forbid(unsafe_code)]

pub mod collect;
pub mod conformance;
pub mod disk;
pub mod disk_fs;
pub mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod index;
pub mod key;
pub mod memory_index;
pub mod scrub;
pub mod store;
pub mod transfer;
pub mod types;
pub mod zero;

mod cache;
mod check;
mod cipher;
mod frame;
mod lane;
mod pack;
mod pack_format;
mod recover;
mod session;
mod slots;
mod urgency;

pub use disk_fs::FsDisk;
pub use error::{Damage, Error};
pub use frame::Density;
pub use index::{
    BadBlock, BadNode, BadReason, Change, LeafNode, RootBuilder, Survey, VerifyProgress,
    VerifyReport,
};
pub use key::{DataKey, KeyError, Keyring, NoKeys, Secrecy};
pub use memory_index::MemoryIndex;
pub use recover::{Reindexed, UnreadPack};
pub use session::Session;
pub use slots::SlotStats;
pub use store::{BlockStore, Options, Stats, Stored};
pub use transfer::{Transferred, transfer};
pub use types::{
    Alarm, BLOCK_SIZE, BlobId, BlobIndex, BlobKind, Digest, DomainId, Hashed, IndexError, Location,
    PackId, PackUsage, Root,
};
pub use urgency::{Hurry, Urgency};
pub use zero::is_zero;
