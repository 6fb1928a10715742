//! What can go wrong in the block store, by what the caller has to do about it.

use std::{io, path::PathBuf};

use crate::key::KeyError;
use crate::types::{Digest, DomainId, IndexError, PackId};

/// A failure of the block store.
#[expect(
    clippy::error_impl_error,
    reason = "it is the error of this crate, and named with it"
)]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The domain holds no such blob.
    #[error("no blob {digest} in domain {}", domain.0)]
    NotFound {
        /// The domain asked.
        domain: DomainId,
        /// What was asked for.
        digest: Digest,
    },
    /// The blob is known, but its bytes are not what they were. Another copy has to be put.
    #[error("blob {digest} in pack {:016x} is damaged: {reason}", pack.0)]
    Damaged {
        /// The blob. Whoever copies blobs of a sealed domain knows no more than its address.
        digest: Digest,
        /// The pack that should hold it.
        pack: PackId,
        /// What is wrong with it.
        reason: Damage,
    },
    /// An index node has the right hash, but is no valid node at its place.
    #[error("index node {digest} is invalid: {reason}")]
    InvalidNode {
        /// The node.
        digest: Digest,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Blobs that had been put were lost to an earlier failure before they became durable. What
    /// was put since the last sync that succeeded has to be put again.
    #[error("{blobs} blobs of domain {} were lost before they became durable, and have to be put again", domain.0)]
    Lost {
        /// The domain.
        domain: DomainId,
        /// How many blobs are still to be put again.
        blobs: usize,
    },
    /// A block has to be exactly [`BLOCK_SIZE`](crate::BLOCK_SIZE) bytes long.
    #[error("a block of {len} bytes")]
    BlockSize {
        /// The length given.
        len: usize,
    },
    /// A volume of this size cannot be indexed, or is smaller than the base it is built on.
    #[error("a volume of {size_bytes} bytes, where {allowed}")]
    VolumeSize {
        /// The size given, in bytes.
        size_bytes: u64,
        /// What would be possible.
        allowed: &'static str,
    },
    /// A block beyond the end of the volume.
    #[error("block {block} of a volume of {blocks} blocks")]
    OutOfRange {
        /// The block asked for.
        block: u64,
        /// How many blocks there are.
        blocks: u64,
    },
    /// Somebody else has the store open.
    #[error("the block store {} is in use", dir.display())]
    Locked {
        /// The directory of the store.
        dir: PathBuf,
    },
    /// A blob that an index refers to is missing or damaged: the index cannot be relied on. Its
    /// blocks have to be put again.
    #[error("blob {digest} of domain {} is needed, and not there any more", domain.0)]
    Unconfirmed {
        /// The domain.
        domain: DomainId,
        /// The blob.
        digest: Digest,
    },
    /// A pack that the index knows has no file.
    #[error("pack {:016x} has no file", pack.0)]
    PackGone {
        /// The pack.
        pack: PackId,
    },
    /// Reads found blobs in condemned packs, so nothing is collected until an operator has seen it.
    #[error("collection is halted by {alarms} alarms: condemned packs were read")]
    CollectionHalted {
        /// How many.
        alarms: usize,
    },
    /// The store is about to be closed.
    #[error("the collection was stopped")]
    CollectionStopped,
    /// A store is collected once at a time.
    #[error("the store is being collected already")]
    CollectionUnderWay,
    /// The domain's key is there, but cannot be had now.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The domain's key is gone for good, and with it all that the domain held.
    #[error("the key of domain {} was deleted: what it held cannot be read any more", domain.0)]
    Erased {
        /// The domain.
        domain: DomainId,
    },
    /// The metadata store could not answer.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The file system failed.
    #[error("{action} {}", path.display())]
    Io {
        /// What was tried, as a verb phrase.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// The answer.
        source: io::Error,
    },
}

impl Error {
    /// Whether the file system has no space left.
    pub fn is_storage_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull)
    }
}

/// What is wrong with a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The pack's file is missing.
    #[error("its pack is missing")]
    PackMissing,
    /// The pack ends before the blob does.
    #[error("its pack ends before it")]
    Truncated,
    /// The recorded location cannot be one of a blob.
    #[error("its location is impossible")]
    Location,
    /// The blob's header is not the one of this blob.
    #[error("its header is not its own")]
    Header,
    /// The header of the pack is damaged, of another pack or domain, or says that the pack is
    /// encrypted where the domain is plain, or the other way round.
    #[error("the header of its pack is not the one of a pack of its domain")]
    PackHeader,
    /// The stored bytes do not fit their checksum, and without the key nothing else can be told.
    #[error("it does not fit its checksum")]
    Checksum,
    /// The bytes are not what was encrypted for this place under this key.
    #[error("its authentication tag does not fit")]
    Tag,
    /// The stored bytes do not decompress to the recorded length.
    #[error("it does not decompress")]
    Compression,
    /// The bytes have another hash.
    #[error("its bytes have another hash")]
    Hash,
}

/// Names what was tried, on the way from `io::Error` to [`Error`].
pub(crate) trait IoContext<T> {
    /// Adds a verb phrase and a path.
    fn context(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T, Error>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn context(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T, Error> {
        self.map_err(|source| Error::Io {
            action,
            path: path.into(),
            source,
        })
    }
}
