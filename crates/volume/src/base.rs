//! The base: the snapshot that a volume's absent blocks are read from.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
};

use cairn_blocks::Digest;

use crate::{
    error::{Error, IoContext as _},
    geometry::{BLOCK, LEAF_BLOCKS, block_count, block_len},
    sync::lock,
    types::Base,
    volume::Core,
};

impl Core {
    /// What the base holds for a block; `None` stands for zeros.
    pub(crate) fn base_digest(
        &self,
        base: Option<Base>,
        block: u64,
    ) -> Result<Option<Digest>, Error> {
        match base {
            Some(base) if block < block_count(base.root.size_bytes) => {
                Ok(self.store.leaf(base.domain, &base.root, block)?)
            }
            _ => Ok(None),
        }
    }

    /// The bytes that the base holds for a block; `None` stands for zeros.
    pub(crate) fn base_block(
        &self,
        base: Option<Base>,
        block: u64,
    ) -> Result<Option<Arc<[u8]>>, Error> {
        match (base, self.base_digest(base, block)?) {
            (Some(base), Some(digest)) => Ok(Some(self.store.get(base.domain, &digest)?)),
            _ => Ok(None),
        }
    }

    /// Whether it is known which blocks of a block's leaf the base has.
    pub(crate) fn is_known(&self, block: u64) -> bool {
        self.known.get(block / LEAF_BLOCKS) || self.is_present(block)
    }

    /// Learns which blocks of a block's leaf the base does not have: these are zeros, as are the
    /// holes of `data`, and so they are present.
    pub(crate) fn learn(&self, block: u64) -> Result<(), Error> {
        let _learning = lock(&self.learning);
        let leaf = block / LEAF_BLOCKS;
        if self.known.get(leaf) || self.all_present.load(Ordering::Acquire) {
            return Ok(());
        }
        let zero = self.zero_blocks(leaf)?;
        self.clear_remains(&zero)
            .context("clear the remains of a block")?;
        zero.into_iter().for_each(|block| {
            self.present.set(block);
        });
        self.known.set(leaf);
        Ok(())
    }

    /// The blocks of a leaf that the base does not have and that are not present yet.
    fn zero_blocks(&self, leaf: u64) -> Result<Vec<u64>, Error> {
        let base = self.base();
        let first = leaf * LEAF_BLOCKS;
        let based = base.map_or(0, |base| block_count(base.root.size_bytes));
        let node = match base {
            Some(base) if first < based => {
                Some(self.store.leaf_node(base.domain, &base.root, first)?)
            }
            _ => None,
        };
        let is_zero = |block: u64| {
            block >= based || node.as_ref().is_none_or(|node| node.get(block).is_none())
        };
        let last = (first + LEAF_BLOCKS).min(self.blocks());
        Ok((first..last)
            .filter(|block| !self.present.get(*block) && is_zero(*block))
            .collect())
    }

    /// What `data` holds for a block that is not present is left from a fold that a crash cut off,
    /// before the base changed. It must not show.
    fn clear_remains(&self, blocks: &[u64]) -> io::Result<()> {
        let Some(first) = blocks.first() else {
            return Ok(());
        };
        let size_bytes = self.data.len()?;
        let mut next_data = self.data.next_data(first * BLOCK)?;
        let mut cleared = false;
        for block in blocks {
            let (start, len) = (block * BLOCK, block_len(*block, size_bytes));
            if next_data.is_some_and(|at| at < start) {
                next_data = self.data.next_data(start)?;
            }
            if next_data.is_some_and(|at| at < start + len) {
                self.data.punch_hole(start, len)?;
                cleared = true;
            }
        }
        if cleared {
            self.data_sync.sync_now()
        } else {
            Ok(())
        }
    }
}
