//! The root of a volume from its blocks in order, without a store.

use super::{
    node::{Level, Node},
    root::zero_block,
};
use crate::{
    error::Error,
    types::{Digest, Root},
};

/// Recomputes the root of a volume from the digests of its blocks, given in order.
///
/// What is not finished of each level is all that is kept: 80 KiB at most, whatever the size of the
/// volume.
#[derive(Debug)]
pub struct RootBuilder {
    size_bytes: u64,
    /// The next block to be given.
    next: u64,
    leaf: Vec<(usize, Digest)>,
    mid: Vec<(usize, Digest)>,
    root: Vec<(usize, Digest)>,
}

impl RootBuilder {
    /// Begins with a volume of `size_bytes`, of which nothing is known yet.
    ///
    /// # Errors
    /// [`Error::VolumeSize`] beyond [`Root::MAX_SIZE_BYTES`].
    pub fn new(size_bytes: u64) -> Result<Self, Error> {
        if size_bytes > Root::MAX_SIZE_BYTES {
            return Err(Error::VolumeSize {
                size_bytes,
                allowed: "64 TiB is the limit",
            });
        }
        Ok(Self {
            size_bytes,
            next: 0,
            leaf: Vec::new(),
            mid: Vec::new(),
            root: Vec::new(),
        })
    }

    /// Adds the next block; `None` is one of zeros. The last block of a volume may be shorter, and
    /// is hashed as if it went on with zeros.
    pub fn push(&mut self, digest: Option<Digest>) {
        if let Some(digest) = digest.filter(|digest| *digest != zero_block()) {
            self.leaf.push((at(Level::Leaf, self.next), digest));
        }
        self.skip(1);
    }

    /// Adds so many blocks of zeros.
    pub fn skip(&mut self, blocks: u64) {
        let before = self.next;
        self.next = before.saturating_add(blocks);
        if before / Level::Leaf.blocks() != self.next / Level::Leaf.blocks() {
            self.end_leaf(before);
        }
        if before / Level::Mid.blocks() != self.next / Level::Mid.blocks() {
            self.end_mid(before);
        }
    }

    /// The root of the volume.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless as many blocks were added as the volume has.
    pub fn finish(mut self) -> Result<Root, Error> {
        let mut root = Root::empty(self.size_bytes);
        let (block, blocks) = (self.next, root.block_count());
        if block != blocks {
            return Err(Error::OutOfRange { block, blocks });
        }
        let last = block.saturating_sub(1);
        self.end_leaf(last);
        self.end_mid(last);
        if !self.root.is_empty() {
            root.node = Node::from_children(Level::Root, self.root).digest();
        }
        Ok(root)
    }

    /// The leaf that holds `block` has all its blocks.
    fn end_leaf(&mut self, block: u64) {
        if !self.leaf.is_empty() {
            let leaf = Node::from_children(Level::Leaf, self.leaf.drain(..));
            self.mid.push((at(Level::Mid, block), leaf.digest()));
        }
    }

    /// Likewise the mid node.
    fn end_mid(&mut self, block: u64) {
        if !self.mid.is_empty() {
            let mid = Node::from_children(Level::Mid, self.mid.drain(..));
            self.root.push((at(Level::Root, block), mid.digest()));
        }
    }
}

/// Which child of its node of a level holds a block.
fn at(level: Level, block: u64) -> usize {
    let child = block / level.child_blocks() % level.fan_out() as u64;
    usize::try_from(child).unwrap_or(usize::MAX)
}
