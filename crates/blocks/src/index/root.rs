//! The digest of a snapshot, and sizes.

use std::sync::LazyLock;

use super::node::{Level, Node};
use crate::types::{BLOCK_SIZE, Digest, Root};

/// What the digest of a snapshot begins with, so that it can be no other hash.
const SNAPSHOT_PREFIX: &[u8] = b"cairn snapshot v1\0";

static EMPTY_ROOT: LazyLock<Digest> = LazyLock::new(|| Node::empty(Level::Root).digest());
static ZERO_BLOCK: LazyLock<Digest> = LazyLock::new(|| Digest::of(&vec![0; BLOCK_SIZE]));

/// The root node of a volume of zeros, which is never stored.
pub(crate) fn empty_root() -> Digest {
    *EMPTY_ROOT
}

/// The digest of a block of zeros, which no index holds.
pub(super) fn zero_block() -> Digest {
    *ZERO_BLOCK
}

impl Root {
    /// The largest volume that can be indexed, in bytes: 64 TiB.
    pub const MAX_SIZE_BYTES: u64 = 64 << 40;

    /// The root of a volume of zeros.
    pub fn empty(size_bytes: u64) -> Self {
        Self {
            node: empty_root(),
            size_bytes,
        }
    }

    /// How many blocks the volume has; the last one may be shorter, and is indexed as if it went
    /// on with zeros.
    pub fn block_count(&self) -> u64 {
        self.size_bytes.div_ceil(BLOCK_SIZE as u64)
    }

    /// The digest of the snapshot. It depends on the content and the size of the volume alone:
    /// SHA-256 over `"cairn snapshot v1\0"`, the size in bytes (8 bytes, little endian) and the
    /// hash of the root node.
    pub fn digest(&self) -> Digest {
        Digest::of(
            &[
                SNAPSHOT_PREFIX,
                &self.size_bytes.to_le_bytes(),
                &self.node.0,
            ]
            .concat(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with `hashlib` of Python from the description of the formats: a change of
    /// either would change the digest of every snapshot that was ever signed.
    #[test]
    fn the_digest_of_an_empty_gibibyte_is_what_it_always_was() {
        let root = Root::empty(1 << 30);
        assert_eq!(
            root.node.to_string(),
            "97b8a545302234d0a1578202f354cd882f94664ccdcd14a5d11bd408957a2a2f"
        );
        assert_eq!(
            root.digest().to_string(),
            "d8fc8af4bcc5a45c5ee31840065604d73d4fd1f5efd7c45d17e271f5522c1eb0"
        );
    }

    #[test]
    fn the_size_is_part_of_the_digest() {
        assert_ne!(Root::empty(1 << 30).digest(), Root::empty(2 << 30).digest());
    }
}
