//! Blocks, regions and leaves: how a volume is divided.

use std::ops::Range;

use cairn_blocks::BLOCK_SIZE;

/// Bytes in a block.
pub(crate) const BLOCK: u64 = BLOCK_SIZE as u64;
/// What sizes are a multiple of, in bytes.
pub(crate) const SECTOR: u64 = 512;
/// Size of the largest volume in bytes: 64 TiB.
pub(crate) const MAX_SIZE: u64 = 64 << 40;
/// Blocks of the largest volume.
pub(crate) const MAX_BLOCKS: u64 = MAX_SIZE / BLOCK;
/// Blocks in a region, the unit of write intents: 64 MiB.
pub(crate) const REGION_BLOCKS: u64 = 128;
/// Regions of the largest volume.
pub(crate) const MAX_REGIONS: u64 = MAX_BLOCKS / REGION_BLOCKS;
/// Blocks under a leaf node of the base's index: 128 MiB.
pub(crate) const LEAF_BLOCKS: u64 = 256;
/// Leaf nodes of the largest volume.
pub(crate) const MAX_LEAVES: u64 = MAX_BLOCKS / LEAF_BLOCKS;

const _: () = assert!(size_of::<usize>() == 8, "offsets are used as indexes");

/// An index from an offset or a length that memory can hold.
#[allow(clippy::cast_possible_truncation)] // Checked by the assertion above.
pub(crate) const fn index(n: u64) -> usize {
    n as usize
}

/// A length or an offset within a block, which fit 32 bits.
#[allow(clippy::cast_possible_truncation)] // A block has 2^19 bytes.
pub(crate) const fn within(n: u64) -> u32 {
    debug_assert!(n <= BLOCK);
    n as u32
}

/// How many blocks hold `size_bytes`; the last one may be partial.
pub(crate) const fn block_count(size_bytes: u64) -> u64 {
    size_bytes.div_ceil(BLOCK)
}

/// The blocks that a byte range touches.
pub(crate) const fn blocks_of(offset: u64, len: u64) -> Range<u64> {
    if len == 0 {
        return offset / BLOCK..offset / BLOCK;
    }
    offset / BLOCK..(offset + len).div_ceil(BLOCK)
}

/// How many bytes of a block lie within the volume.
pub(crate) const fn block_len(block: u64, size_bytes: u64) -> u64 {
    let left = size_bytes.saturating_sub(block * BLOCK);
    if left < BLOCK { left } else { BLOCK }
}

/// The part of a byte range that lies in one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) block: u64,
    /// Offset within the block in bytes.
    pub(crate) start: u32,
    /// Length in bytes.
    pub(crate) len: u32,
    /// Offset within the caller's range in bytes.
    pub(crate) at: u64,
}

impl Piece {
    /// Offset within the volume in bytes.
    pub(crate) fn offset(&self) -> u64 {
        self.block * BLOCK + u64::from(self.start)
    }

    /// Where the piece lies in the caller's buffer.
    pub(crate) fn range(&self) -> Range<usize> {
        index(self.at)..index(self.at + u64::from(self.len))
    }
}

/// Divides a byte range at the borders of blocks.
pub(crate) fn pieces(offset: u64, len: u64) -> impl Iterator<Item = Piece> {
    blocks_of(offset, len).map(move |block| {
        let from = offset.max(block * BLOCK);
        let to = (offset + len).min((block + 1) * BLOCK);
        Piece {
            block,
            start: within(from - block * BLOCK),
            len: within(to - from),
            at: from - offset,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_the_range_once() {
        let all: Vec<_> = pieces(BLOCK - 512, BLOCK + 1024).collect();
        assert_eq!(all.len(), 3);
        assert_eq!(
            all[0],
            Piece {
                block: 0,
                start: within(BLOCK - 512),
                len: 512,
                at: 0
            }
        );
        assert_eq!(
            all[1],
            Piece {
                block: 1,
                start: 0,
                len: within(BLOCK),
                at: 512
            }
        );
        assert_eq!(
            all[2],
            Piece {
                block: 2,
                start: 0,
                len: 512,
                at: 512 + BLOCK
            }
        );
        assert_eq!(pieces(5, 0).count(), 0);
    }

    #[test]
    fn the_last_block_may_be_partial() {
        assert_eq!(block_count(BLOCK + 512), 2);
        assert_eq!(block_len(0, BLOCK + 512), BLOCK);
        assert_eq!(block_len(1, BLOCK + 512), 512);
        assert_eq!(block_len(2, BLOCK + 512), 0);
    }
}
