//! Look up, list, count, diff.

use std::{iter, sync::Arc};

use super::{
    node::{Level, Node},
    root::empty_root,
};
use crate::{
    error::Error,
    store::{BlockStore, Reader},
    types::{BlobKind, Digest, DomainId, Root},
};

/// A block in which two snapshots differ. `None` is a block of zeros, or beyond the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The number of the block.
    pub block: u64,
    /// The block in the first snapshot.
    pub first: Option<Digest>,
    /// The block in the second snapshot.
    pub second: Option<Digest>,
}

/// The 256 blocks around a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafNode {
    first_block: u64,
    node: Arc<Node>,
}

impl LeafNode {
    /// How many blocks a leaf covers.
    pub const BLOCKS: u64 = 256;

    /// The first block that this leaf covers.
    pub fn first_block(&self) -> u64 {
        self.first_block
    }

    /// The digest of a block, counted from the start of the volume. `None` is a block of zeros;
    /// so is a block that this leaf does not cover.
    pub fn get(&self, block: u64) -> Option<Digest> {
        let at = block
            .checked_sub(self.first_block)
            .filter(|at| *at < Self::BLOCKS)?;
        self.node.child(usize::try_from(at).ok()?)
    }

    /// The blocks that are not zero, in order.
    pub fn present(&self) -> impl Iterator<Item = (u64, Digest)> {
        self.node
            .children()
            .map(|(at, digest)| (self.first_block + at as u64, digest))
    }
}

/// One node of one snapshot, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) domain: DomainId,
    pub(super) level: Level,
    pub(super) first_block: u64,
    /// How many blocks the volume has.
    pub(super) blocks: u64,
}

impl Place {
    /// Where the root of a snapshot stands.
    pub(crate) fn root(domain: DomainId, root: &Root) -> Self {
        Self {
            domain,
            level: Level::Root,
            first_block: 0,
            blocks: root.block_count(),
        }
    }

    /// The first block that a child covers.
    pub(super) fn child_start(&self, at: usize) -> u64 {
        self.first_block + at as u64 * self.level.child_blocks()
    }

    /// The place of a child node; `None` if the children are blocks.
    pub(crate) fn child(&self, at: usize) -> Option<Self> {
        let level = self.level.below()?;
        Some(Self {
            level,
            first_block: self.child_start(at),
            ..*self
        })
    }

    /// The child that covers a block, which has to lie within this node.
    pub(super) fn child_of(&self, block: u64) -> usize {
        usize::try_from((block - self.first_block) / self.level.child_blocks())
            .unwrap_or(usize::MAX)
    }

    /// Decodes a node and checks that it fits here.
    pub(super) fn decode(&self, digest: Digest, bytes: &[u8]) -> Result<Node, Error> {
        Node::decode(self.level, bytes).map_err(|reason| Error::InvalidNode { digest, reason })
    }

    /// Refuses a node that does not fit here. The same bytes may fit elsewhere.
    pub(super) fn check(&self, digest: Digest, node: &Node) -> Result<(), Error> {
        if node.level() != self.level {
            return Err(Error::InvalidNode {
                digest,
                reason: "it stands at another level",
            });
        }
        match node.last_child() {
            Some(last) if self.child_start(last) >= self.blocks => Err(Error::InvalidNode {
                digest,
                reason: "it has children beyond the end of the volume",
            }),
            _ => Ok(()),
        }
    }
}

impl BlockStore {
    /// The digest of a block; `None` if it is zero.
    pub fn leaf(&self, domain: DomainId, root: &Root, block: u64) -> Result<Option<Digest>, Error> {
        Ok(self.leaf_node(domain, root, block)?.get(block))
    }

    /// The leaf that covers a block.
    pub fn leaf_node(
        &self,
        domain: DomainId,
        root: &Root,
        block: u64,
    ) -> Result<Arc<LeafNode>, Error> {
        if block >= root.block_count() {
            return Err(Error::OutOfRange {
                block,
                blocks: root.block_count(),
            });
        }
        let mut place = Place::root(domain, root);
        let mut node = self.node(&place, root.node)?;
        loop {
            let at = place.child_of(block);
            let Some(below) = place.child(at) else {
                return Ok(Arc::new(LeafNode {
                    first_block: place.first_block,
                    node,
                }));
            };
            node = match node.child(at) {
                Some(digest) => self.node(&below, digest)?,
                None => Arc::new(Node::empty(below.level)),
            };
            place = below;
        }
    }

    /// The blocks that are not zero, in order, from block `from` on. Ends after an error.
    pub fn blocks(
        &self,
        domain: DomainId,
        root: &Root,
        from: u64,
    ) -> impl Iterator<Item = Result<(u64, Digest), Error>> + use<'_> {
        self.diff(domain, None, domain, root, from)
            .filter_map(|change| {
                change
                    .map(|change| change.second.map(|digest| (change.block, digest)))
                    .transpose()
            })
    }

    /// The blocks in which two snapshots differ, in order, from block `from` on. Ends after an
    /// error. Subtrees with equal hashes are not read, so that the work grows with the changes;
    /// the two need no common history, and may differ in size.
    pub fn diff(
        &self,
        first_domain: DomainId,
        first: Option<&Root>,
        second_domain: DomainId,
        second: &Root,
        from: u64,
    ) -> impl Iterator<Item = Result<Change, Error>> + use<'_> {
        let first_root = first
            .copied()
            .unwrap_or_else(|| Root::empty(second.size_bytes));
        let sides = [(first_domain, first_root), (second_domain, *second)];
        let mut diff = Diff {
            store: self,
            from,
            stack: Vec::new(),
            start: Some(sides),
        };
        let mut failed = false;
        iter::from_fn(move || {
            if failed {
                return None;
            }
            let next = diff.advance().transpose();
            failed = matches!(next, Some(Err(_)));
            next
        })
    }

    /// How many blocks are not zero.
    pub fn count(&self, domain: DomainId, root: &Root) -> Result<u64, Error> {
        self.count_below(&Place::root(domain, root), root.node)
    }

    fn count_below(&self, place: &Place, digest: Digest) -> Result<u64, Error> {
        let node = self.node(place, digest)?;
        let mut count = 0;
        for (at, digest) in node.children() {
            count += match place.child(at) {
                Some(below) => self.count_below(&below, digest)?,
                None => 1,
            };
        }
        Ok(count)
    }

    /// A node, from memory or from its pack, that fits its place.
    pub(super) fn node(&self, place: &Place, digest: Digest) -> Result<Arc<Node>, Error> {
        self.node_with(place, digest, Reader::Anyone)
    }

    /// As [`node`](Self::node), read by `reader`.
    pub(crate) fn node_with(
        &self,
        place: &Place,
        digest: Digest,
        reader: Reader,
    ) -> Result<Arc<Node>, Error> {
        if place.level == Level::Root && digest == empty_root() {
            return Ok(Arc::new(Node::empty(Level::Root)));
        }
        self.shared.keys.check(place.domain)?;
        let node = self.nodes.get_or_load((place.domain, digest), || {
            let bytes = self.load_with(place.domain, &digest, BlobKind::Meta, reader)?;
            let node = place.decode(digest, &bytes)?;
            let weight = node.weight();
            Ok((Arc::new(node), weight))
        })?;
        place.check(digest, &node)?;
        Ok(node)
    }
}

/// Two trees walked side by side.
struct Diff<'a> {
    store: &'a BlockStore,
    from: u64,
    stack: Vec<Frame>,
    /// The roots, until the walk begins.
    start: Option<[(DomainId, Root); 2]>,
}

/// A pair of nodes at the same place, and the next child to look at.
struct Frame {
    places: [Place; 2],
    nodes: [Arc<Node>; 2],
    next: usize,
}

impl Diff<'_> {
    /// The next change, `None` at the end.
    fn advance(&mut self) -> Result<Option<Change>, Error> {
        if let Some(sides) = self.start.take() {
            let places = sides.map(|(domain, root)| Place::root(domain, &root));
            self.enter(places, sides.map(|(_, root)| Some(root.node)))?;
        }
        while let Some(frame) = self.stack.last_mut() {
            let Some((at, hashes)) = frame.next_difference() else {
                self.stack.pop();
                continue;
            };
            match (frame.places[0].child(at), frame.places[1].child(at)) {
                (Some(first), Some(second)) => self.enter([first, second], hashes)?,
                _ => {
                    let [first, second] = hashes;
                    return Ok(Some(Change {
                        block: frame.places[0].child_start(at),
                        first,
                        second,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// Goes down into a pair of nodes, unless they are equal or lie before the start.
    fn enter(&mut self, places: [Place; 2], hashes: [Option<Digest>; 2]) -> Result<(), Error> {
        let end = places[0].first_block + places[0].level.blocks();
        if hashes[0] == hashes[1] || end <= self.from {
            return Ok(());
        }
        let nodes = [
            self.node_or_empty(&places[0], hashes[0])?,
            self.node_or_empty(&places[1], hashes[1])?,
        ];
        let next = places[0].child_of(self.from.max(places[0].first_block));
        self.stack.push(Frame {
            places,
            nodes,
            next,
        });
        Ok(())
    }

    fn node_or_empty(&self, place: &Place, digest: Option<Digest>) -> Result<Arc<Node>, Error> {
        match digest {
            Some(digest) => self.store.node(place, digest),
            None => Ok(Arc::new(Node::empty(place.level))),
        }
    }
}

impl Frame {
    /// The next child in which the two nodes differ.
    fn next_difference(&mut self) -> Option<(usize, [Option<Digest>; 2])> {
        let [first, second] = &self.nodes;
        let fan_out = first.level().fan_out();
        let differs = |at: &usize| first.child(*at) != second.child(*at);
        let at = (self.next..fan_out).find(differs)?;
        self.next = at + 1;
        Some((at, [first.child(at), second.child(at)]))
    }
}
