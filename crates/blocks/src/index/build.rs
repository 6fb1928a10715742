//! A new index from an old one and changes.

use std::sync::Arc;

use super::{
    node::{Level, Node},
    root::{empty_root, zero_block},
    walk::Place,
};
use crate::{
    error::Error,
    store::BlockStore,
    types::{Digest, DomainId, Root},
};

/// Nodes stored at once.
const BATCH: usize = 128;

/// Blobs confirmed in one transaction.
const CONFIRM_BATCH: usize = 1024;

/// Blocks to change, in order, each one once.
type Changes = [(u64, Option<Digest>)];

impl BlockStore {
    /// Makes the index of a volume of `size_bytes` out of that of `base`, which may be smaller,
    /// and changes: a block's new digest, or `None` where it is zero now. Changes may come in any
    /// order; the last one of a block counts. Without a base, blocks not named are zero.
    ///
    /// On return the nodes are durable, and with them every block of the domain put before the
    /// call; every blob that the changes name is there, in a pack that is not condemned. Only paths to changed blocks are read and written; the memory needed grows with the
    /// number of changes alone.
    ///
    /// # Errors
    /// [`Error::Unconfirmed`] for a block that is not there.
    pub fn build(
        &self,
        domain: DomainId,
        base: Option<&Root>,
        size_bytes: u64,
        changes: impl IntoIterator<Item = (u64, Option<Digest>)>,
    ) -> Result<Root, Error> {
        let (root, relied_on) = self.make_index(domain, base, size_bytes, changes)?;
        self.confirm(domain, &relied_on)?;
        Ok(root)
    }

    /// As [`build`](Self::build), of blocks that need not be there: for tools and tests that want
    /// nothing but the index.
    pub fn build_index(
        &self,
        domain: DomainId,
        base: Option<&Root>,
        size_bytes: u64,
        changes: impl IntoIterator<Item = (u64, Option<Digest>)>,
    ) -> Result<Root, Error> {
        Ok(self.make_index(domain, base, size_bytes, changes)?.0)
    }

    /// Makes an index, and tells what it refers to that the old one may not: blocks and nodes.
    fn make_index(
        &self,
        domain: DomainId,
        base: Option<&Root>,
        size_bytes: u64,
        changes: impl IntoIterator<Item = (u64, Option<Digest>)>,
    ) -> Result<(Root, Vec<Digest>), Error> {
        check_size(base, size_bytes)?;
        let mut root = Root::empty(size_bytes);
        let changes = in_order(changes);
        if let Some((block, _)) = changes
            .last()
            .filter(|(block, _)| *block >= root.block_count())
        {
            return Err(Error::OutOfRange {
                block: *block,
                blocks: root.block_count(),
            });
        }
        let mut builder = Builder {
            store: self,
            domain,
            made: Vec::new(),
            relied_on: changes.iter().filter_map(|(_, digest)| *digest).collect(),
        };
        let base = base.map_or(empty_root(), |base| base.node);
        root.node = builder
            .rebuild(&Place::root(domain, &root), Some(base), &changes)?
            .unwrap_or(empty_root());
        builder.flush()?;
        self.sync(domain)?;
        Ok((root, builder.relied_on))
    }
}

impl BlockStore {
    /// Makes certain of blobs that an index refers to.
    fn confirm(&self, domain: DomainId, digests: &[Digest]) -> Result<(), Error> {
        let key = self.shared.keys.of(domain)?;
        for chunk in digests.chunks(CONFIRM_BATCH) {
            let confirmed = self.shared.index.confirm(domain, &key.ids(chunk))?;
            if let Some(at) = confirmed.iter().position(|there| !there) {
                return Err(Error::Unconfirmed {
                    domain,
                    digest: chunk[at],
                });
            }
        }
        Ok(())
    }
}

fn check_size(base: Option<&Root>, size_bytes: u64) -> Result<(), Error> {
    if size_bytes > Root::MAX_SIZE_BYTES {
        return Err(Error::VolumeSize {
            size_bytes,
            allowed: "64 TiB is the limit",
        });
    }
    if base.is_some_and(|base| base.size_bytes > size_bytes) {
        return Err(Error::VolumeSize {
            size_bytes,
            allowed: "the base is larger",
        });
    }
    Ok(())
}

/// Sorts changes and keeps the last one of each block. A block of zeros has no digest, whatever
/// the caller thinks.
fn in_order(
    changes: impl IntoIterator<Item = (u64, Option<Digest>)>,
) -> Vec<(u64, Option<Digest>)> {
    let zero = zero_block();
    let mut changes: Vec<_> = changes
        .into_iter()
        .map(|(block, digest)| (block, digest.filter(|digest| *digest != zero)))
        .collect();
    changes.sort_by_key(|(block, _)| *block);
    changes.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 = later.1;
        }
        same
    });
    changes
}

struct Builder<'a> {
    store: &'a BlockStore,
    domain: DomainId,
    /// Nodes not yet stored.
    made: Vec<(Digest, Vec<u8>)>,
    /// What the new index refers to and the old one may not.
    relied_on: Vec<Digest>,
}

impl Builder<'_> {
    /// The node at a place after the changes, which all lie below it. `None` if it is empty.
    fn rebuild(
        &mut self,
        place: &Place,
        base: Option<Digest>,
        changes: &Changes,
    ) -> Result<Option<Digest>, Error> {
        if changes.is_empty() {
            return Ok(base);
        }
        let old = match base {
            Some(digest) => self.store.node(place, digest)?,
            None => Arc::new(Node::empty(place.level)),
        };
        let mut children: Vec<_> = (0..place.level.fan_out()).map(|at| old.child(at)).collect();
        for group in changes.chunk_by(|a, b| place.child_of(a.0) == place.child_of(b.0)) {
            let at = place.child_of(group[0].0);
            children[at] = match place.child(at) {
                Some(below) => self.rebuild(&below, children[at], group)?,
                None => group[0].1,
            };
        }
        let present = children
            .into_iter()
            .enumerate()
            .filter_map(|(at, child)| Some((at, child?)));
        self.make(&Node::from_children(place.level, present), &old, base)
    }

    /// Names a node, and stores it unless it is the old one.
    fn make(
        &mut self,
        node: &Node,
        old: &Node,
        base: Option<Digest>,
    ) -> Result<Option<Digest>, Error> {
        if node.is_empty() {
            return Ok((node.level() == Level::Root).then(empty_root));
        }
        if node == old {
            return Ok(base);
        }
        let bytes = node.encode();
        let digest = Digest::of(&bytes);
        self.made.push((digest, bytes));
        self.relied_on.push(digest);
        if self.made.len() >= BATCH {
            self.flush()?;
        }
        Ok(Some(digest))
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.store.put_nodes(self.domain, &self.made)?;
        self.made.clear();
        Ok(())
    }
}
