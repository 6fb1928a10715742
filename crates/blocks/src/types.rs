//! The words of this room.

use std::fmt;

/// Bytes in a block, the unit of EBS snapshots.
pub const BLOCK_SIZE: usize = 512 * 1024;

/// A SHA-256 over plaintext.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Hashes `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let mut out = [0; 32];
        out.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref());
        Self(out)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", &hex::encode(self.0)[..16])
    }
}

/// The scope of deduplication and, later, of a data key. Numbers are given out by the metadata
/// store: one per (region, account, key).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DomainId(pub i64);

/// The address of a blob within a domain: the SHA-256 of its plaintext in plain domains, keyed
/// in encrypted ones.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobId(pub [u8; 32]);

impl From<Digest> for BlobId {
    /// The address in a plain domain.
    fn from(digest: Digest) -> Self {
        Self(digest.0)
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blob:{}", &hex::encode(self.0)[..16])
    }
}

/// What a pack holds; data and index nodes never share a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlobKind {
    /// 512 KiB blocks.
    Data,
    /// Nodes of Merkle indexes.
    Meta,
}

/// A pack's number: monotonic and never used again, also after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackId(pub u64);

/// Where a blob lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// The pack.
    pub pack: PackId,
    /// The blob's position among the blobs of the pack, from 0.
    pub slot: u32,
    /// Offset in bytes of the stored (compressed) bytes within the pack.
    pub offset: u64,
    /// Length of the stored bytes.
    pub stored_len: u32,
    /// Length of the plaintext.
    pub plain_len: u32,
}

/// The top of a snapshot's Merkle index, with the size of the volume it describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// The root node's hash over plaintext.
    pub node: Digest,
    /// Size of the volume in bytes.
    pub size_bytes: u64,
}

/// Where blobs lie: the part of the metadata that the block store relies on.
///
/// Calls block; they are made from engine threads, never from an async task. An implementation
/// answers for its own durability: what [`insert`](Self::insert) was told is durable on return.
pub trait BlobIndex: fmt::Debug + Send + Sync {
    /// Looks up many blobs of a domain at once; the answer is in the order asked.
    fn locate(&self, domain: DomainId, ids: &[BlobId])
    -> Result<Vec<Option<Location>>, IndexError>;
    /// Records where blobs lie. The bytes are durable before this is called. A blob that is
    /// already known keeps its first location.
    fn insert(&self, domain: DomainId, blobs: &[(BlobId, Location)]) -> Result<(), IndexError>;
    /// Gives out a pack number that was never given out before, durably.
    fn allocate_pack(&self) -> Result<PackId, IndexError>;
}

/// The metadata store could not answer.
#[derive(Debug, thiserror::Error)]
#[error("blob index: {0}")]
pub struct IndexError(pub String);
