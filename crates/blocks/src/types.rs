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

/// Bytes with the SHA-256 that was computed over them. There is no other way to make one than to
/// hash: a digest that somebody claims, such as a client, never becomes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashed<B> {
    bytes: B,
    digest: Digest,
}

impl<B: AsRef<[u8]>> Hashed<B> {
    /// Hashes `bytes`.
    pub fn of(bytes: B) -> Self {
        let digest = Digest::of(bytes.as_ref());
        Self { bytes, digest }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// Their digest.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// The scope of deduplication and of a data key. Numbers are given out by the metadata
/// store: one per (region, account, key).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DomainId(pub i64);

/// The address of a blob within a domain: the SHA-256 of its plaintext in plain domains, an HMAC of
/// that in sealed ones. Only the block store can tell which blob has which.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobId(pub [u8; 32]);

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blob:{}", &hex::encode(self.0)[..16])
    }
}

/// What a pack holds; data and index nodes never share a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

/// What the index knows of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackUsage {
    /// The pack.
    pub pack: PackId,
    /// The domain of its blobs.
    pub domain: DomainId,
    /// How many blobs the index finds there.
    pub blobs: u64,
    /// Their stored bytes, without headers and table entries.
    pub stored_bytes: u64,
    /// When it was condemned, in microseconds since the Unix epoch; `None` while it is live.
    pub condemned_at: Option<i64>,
}

/// A read found its blob in a condemned pack: what was taken for garbage is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// The pack, which is condemned no more.
    pub pack: PackId,
    /// The domain of the blob.
    pub domain: DomainId,
    /// The blob that was read.
    pub id: BlobId,
}

/// Where blobs lie: the part of the metadata that the block store relies on.
///
/// A pack is *live* or *condemned*, a blob *good* or *bad*. A good blob of a live pack is
/// *reusable*: whoever puts it again need not store it. Everything else is only for reading.
///
/// Calls block; they are made from engine threads, never from an async task. An implementation
/// answers for its own durability: what a call has changed is durable on return. Each call is one
/// transaction, but for [`insert`](Self::insert), which may be one for each part of its batch, and
/// [`purge`](Self::purge).
pub trait BlobIndex: fmt::Debug + Send + Sync {
    /// Looks up many blobs of a domain at once, for reading: also bad ones, and those of condemned
    /// packs. The answer is in the order asked.
    fn locate(&self, domain: DomainId, ids: &[BlobId])
    -> Result<Vec<Option<Location>>, IndexError>;
    /// As [`locate`](Self::locate), but finds only blobs that are reusable.
    fn locate_reusable(
        &self,
        domain: DomainId,
        ids: &[BlobId],
    ) -> Result<Vec<Option<Location>>, IndexError>;
    /// Records where blobs lie. The bytes are durable before this is called. A blob that is
    /// already known keeps its location if it is reusable there; else the new one replaces it, and
    /// the blob counts as good.
    fn insert(&self, domain: DomainId, blobs: &[(BlobId, Location)]) -> Result<(), IndexError>;
    /// Gives out a pack number that was never given out before, durably.
    fn allocate_pack(&self) -> Result<PackId, IndexError>;
    /// The number that [`allocate_pack`](Self::allocate_pack) gives out next.
    fn next_pack(&self) -> Result<PackId, IndexError>;

    /// Up to `limit` packs that hold blobs, by number, from the one behind `after` on.
    fn packs(&self, after: Option<PackId>, limit: usize) -> Result<Vec<PackUsage>, IndexError>;
    /// The packs that are condemned, by number; also those of which all blobs have moved away.
    fn condemned(&self) -> Result<Vec<PackUsage>, IndexError>;
    /// The blobs of a pack, by slot.
    fn blobs_of(&self, pack: PackId) -> Result<Vec<(DomainId, BlobId, Location)>, IndexError>;

    /// Notes that blobs cannot be read where they lie. One that lies in another pack by now is left
    /// alone.
    fn mark_bad(&self, domain: DomainId, blobs: &[(BlobId, PackId)]) -> Result<(), IndexError>;
    /// The blobs that are bad.
    fn bad(&self) -> Result<Vec<(DomainId, BlobId, Location)>, IndexError>;

    /// Condemns packs that hold blobs, `at` in microseconds since the Unix epoch. One that is
    /// condemned stays so since when it was.
    fn condemn(&self, packs: &[PackId], at: i64) -> Result<(), IndexError>;
    /// Makes condemned packs live again.
    fn pardon(&self, packs: &[PackId]) -> Result<(), IndexError>;
    /// Makes blobs certain that somebody relies on: pardons the packs they lie in. Tells for each
    /// whether it is there and good.
    fn confirm(&self, domain: DomainId, ids: &[BlobId]) -> Result<Vec<bool>, IndexError>;
    /// Records that blobs were copied, each from a pack to a new location, and read well on the
    /// way. One that lies in another pack by now is left alone.
    fn relocate(
        &self,
        domain: DomainId,
        blobs: &[(BlobId, PackId, Location)],
    ) -> Result<(), IndexError>;
    /// Forgets a pack and its blobs, if it is still condemned since `condemned_at`. False: it is
    /// not, and nothing was forgotten.
    fn forget_pack(&self, pack: PackId, condemned_at: i64) -> Result<bool, IndexError>;

    /// As [`forget_pack`](Self::forget_pack), for many packs with what each is condemned since.
    /// Tells which were forgotten. May be one transaction for several of them.
    fn forget_packs(&self, packs: &[(PackId, i64)]) -> Result<Vec<bool>, IndexError> {
        packs
            .iter()
            .map(|(pack, condemned_at)| self.forget_pack(*pack, *condemned_at))
            .collect()
    }
    /// Gives back what forgotten packs still take in the index, if anything: nobody is told of it.
    /// Many transactions, between which `go_on` is asked; what is left when it says no is left to
    /// the next call.
    fn purge(&self, go_on: &dyn Fn() -> bool) -> Result<(), IndexError>;

    /// Pardons the pack of an alarm and keeps the alarm until it is cleared.
    fn raise_alarm(&self, alarm: &Alarm) -> Result<(), IndexError>;
    /// The alarms that were not cleared, oldest first.
    fn alarms(&self) -> Result<Vec<Alarm>, IndexError>;
    /// Forgets all alarms.
    fn clear_alarms(&self) -> Result<(), IndexError>;
}

/// The metadata store could not answer.
#[derive(Debug, thiserror::Error)]
#[error("blob index: {0}")]
pub struct IndexError(pub String);
