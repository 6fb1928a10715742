//! Content-addressed block store: packs, the Merkle snapshot index, diff and verify.
//!
//! This room knows nothing of AWS, SQL or networks. It keeps blobs (512 KiB blocks and index
//! nodes) under content addresses in write-once packs, and tells a [`BlobIndex`] where they lie.
//!
//! - [`disk`]: the file system as the engine sees it, so that a simulated disk can stand in.
//! - [`types`]: digests, domains, locations and the other words of this room.

#![forbid(unsafe_code)]

pub mod disk;
pub mod types;

pub use types::{BLOCK_SIZE, BlobId, BlobIndex, BlobKind, Digest, DomainId, IndexError, Location, PackId, Root};
