//! What is reached, as one bit for each slot of each pack.
//!
//! Nodes are looked up when they are met, since only one that was not marked before is visited.
//! Blocks, a hundred times as many, are gathered and looked up in the order of their addresses: so
//! the index is read from one end to the other, instead of a page somewhere for each block.

use std::collections::HashMap;

use super::{Amount, BLOB_OVERHEAD};
use crate::{
    cipher::DomainKey,
    error::{Damage, Error},
    index::{Place, empty_root},
    pack_format::{BLOB_HEADER_LEN, is_possible},
    store::{BlockStore, Reader},
    types::{BlobId, Digest, DomainId, Location, PackId, Root},
};

/// Blobs asked of the index at once.
const LOOKUP_BATCH: usize = 8192;

/// Blocks gathered before they are looked up: 64 MiB of addresses and digests.
const GATHER: usize = 1 << 20;

/// The marks of all packs: for 20 million blobs some thirty megabytes.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    packs: HashMap<PackId, PackMarks>,
    blobs: u64,
    bytes: u64,
}

/// The marks of a pack.
#[derive(Debug, Default)]
pub(crate) struct PackMarks {
    bits: Vec<u64>,
    /// Blobs marked.
    pub(crate) blobs: u64,
    /// Their stored bytes, without headers and table entries.
    pub(crate) stored_bytes: u64,
}

impl Marks {
    /// Marks everything that a root reaches.
    pub(crate) fn mark_root(
        &mut self,
        store: &BlockStore,
        domain: DomainId,
        root: &Root,
    ) -> Result<(), Error> {
        self.visit_root(store, domain, root, &mut |_| ())
    }

    /// Marks blocks.
    pub(crate) fn mark_blocks(
        &mut self,
        store: &BlockStore,
        domain: DomainId,
        blocks: &[Digest],
    ) -> Result<(), Error> {
        self.visit_blocks(store, domain, blocks, &mut |_| ())
    }

    /// As [`mark_root`](Self::mark_root), and shows each blob to `meet` that was not marked before.
    pub(crate) fn visit_root(
        &mut self,
        store: &BlockStore,
        domain: DomainId,
        root: &Root,
        meet: &mut dyn FnMut(&Location),
    ) -> Result<(), Error> {
        unless_erased(self.visit_all(store, domain, root, meet))
    }

    fn visit_all(
        &mut self,
        store: &BlockStore,
        domain: DomainId,
        root: &Root,
        meet: &mut dyn FnMut(&Location),
    ) -> Result<(), Error> {
        if root.node == empty_root() {
            return Ok(());
        }
        let mut walk = Walk::new(self, store, domain, meet)?;
        if walk.mark_nodes(&[root.node])?.is_empty() {
            return Ok(());
        }
        walk.visit_below(&Place::root(domain, root), root.node)?;
        walk.mark_gathered()
    }

    /// As [`mark_blocks`](Self::mark_blocks), and shows each block to `meet` that was not marked
    /// before.
    pub(crate) fn visit_blocks(
        &mut self,
        store: &BlockStore,
        domain: DomainId,
        blocks: &[Digest],
        meet: &mut dyn FnMut(&Location),
    ) -> Result<(), Error> {
        let walk = Walk::new(self, store, domain, meet);
        unless_erased(walk.and_then(|mut walk| {
            walk.gather(blocks.iter().copied())?;
            walk.mark_gathered()
        }))
    }

    /// The marks of a pack.
    pub(crate) fn of(&self, pack: PackId) -> Option<&PackMarks> {
        self.packs.get(&pack)
    }

    /// Whether a blob is marked where it lies.
    pub(crate) fn contains(&self, location: &Location) -> bool {
        let (word, bit) = position(location.slot);
        self.of(location.pack)
            .and_then(|marks| marks.bits.get(word))
            .is_some_and(|bits| bits & bit != 0)
    }

    /// How much is marked.
    pub(crate) fn amount(&self) -> Amount {
        Amount {
            packs: self.packs.len() as u64,
            blobs: self.blobs,
            bytes: self.bytes,
        }
    }

    /// Marks a location. True: it was not marked.
    fn set(&mut self, location: &Location) -> bool {
        let new = self
            .packs
            .entry(location.pack)
            .or_default()
            .set(location.slot, location.stored_len);
        if new {
            self.blobs += 1;
            self.bytes += bytes_of(location);
        }
        new
    }
}

impl PackMarks {
    fn set(&mut self, slot: u32, stored_len: u32) -> bool {
        let (word, bit) = position(slot);
        if word >= self.bits.len() {
            self.bits.reserve_exact(word + 1 - self.bits.len());
            self.bits.resize(word + 1, 0);
        }
        let new = self.bits[word] & bit == 0;
        if new {
            self.bits[word] |= bit;
            self.blobs += 1;
            self.stored_bytes += u64::from(stored_len);
        }
        new
    }
}

/// One root, or one list of blocks, being marked.
struct Walk<'a> {
    marks: &'a mut Marks,
    store: &'a BlockStore,
    domain: DomainId,
    key: DomainKey,
    meet: &'a mut dyn FnMut(&Location),
    /// Blocks that are not looked up yet.
    gathered: Vec<(BlobId, Digest)>,
}

impl<'a> Walk<'a> {
    fn new(
        marks: &'a mut Marks,
        store: &'a BlockStore,
        domain: DomainId,
        meet: &'a mut dyn FnMut(&Location),
    ) -> Result<Self, Error> {
        Ok(Self {
            marks,
            store,
            domain,
            key: store.shared.keys.of(domain)?,
            meet,
            gathered: Vec::new(),
        })
    }

    /// Marks the nodes below a node, and gathers the blocks. A subtree whose top was marked before
    /// was visited before.
    fn visit_below(&mut self, place: &Place, node: Digest) -> Result<(), Error> {
        self.store.check_collecting()?;
        let node = self.store.node_with(place, node, Reader::Collection)?;
        if node.level().below().is_none() {
            return self.gather(node.children().map(|(_, digest)| digest));
        }
        let children: Vec<_> = node.children().collect();
        let digests: Vec<_> = children.iter().map(|(_, digest)| *digest).collect();
        for at in self.mark_nodes(&digests)? {
            let (child, digest) = children[at];
            if let Some(below) = place.child(child) {
                self.visit_below(&below, digest)?;
            }
        }
        Ok(())
    }

    /// Marks nodes. Returns the positions of those that were not marked before.
    fn mark_nodes(&mut self, digests: &[Digest]) -> Result<Vec<usize>, Error> {
        let ids = self.key.ids(digests);
        let located = self.store.shared.index.locate(self.domain, &ids)?;
        let mut new = Vec::new();
        for ((at, digest), location) in digests.iter().enumerate().zip(located) {
            if self.mark(digest, location)? {
                new.push(at);
            }
        }
        Ok(new)
    }

    fn gather(&mut self, blocks: impl Iterator<Item = Digest>) -> Result<(), Error> {
        for digest in blocks {
            if self.gathered.len() == GATHER {
                self.mark_gathered()?;
            }
            self.gathered.push((self.key.id(&digest), digest));
        }
        Ok(())
    }

    /// Marks the blocks that were gathered.
    fn mark_gathered(&mut self) -> Result<(), Error> {
        let mut gathered = std::mem::take(&mut self.gathered);
        gathered.sort_unstable();
        gathered.dedup();
        for batch in gathered.chunks(LOOKUP_BATCH) {
            self.store.check_collecting()?;
            let ids: Vec<_> = batch.iter().map(|(id, _)| *id).collect();
            let located = self.store.shared.index.locate(self.domain, &ids)?;
            for ((_, digest), location) in batch.iter().zip(located) {
                self.mark(digest, location)?;
            }
        }
        gathered.clear();
        self.gathered = gathered;
        Ok(())
    }

    /// Marks a blob where the index has found it. True: it was not marked.
    fn mark(&mut self, digest: &Digest, location: Option<Location>) -> Result<bool, Error> {
        let location = location.ok_or(Error::NotFound {
            domain: self.domain,
            digest: *digest,
        })?;
        if !is_possible(&location, self.key.is_sealed()) || !slot_is_possible(&location) {
            return Err(Error::Damaged {
                digest: *digest,
                pack: location.pack,
                reason: Damage::Location,
            });
        }
        let new = self.marks.set(&location);
        if new {
            (self.meet)(&location);
        }
        Ok(new)
    }
}

/// What nobody will ever read, nobody holds: the key of its domain is gone.
fn unless_erased(marked: Result<(), Error>) -> Result<(), Error> {
    match marked {
        Err(Error::Erased { .. }) => Ok(()),
        other => other,
    }
}

/// What a blob takes on disk.
pub(super) fn bytes_of(location: &Location) -> u64 {
    u64::from(location.stored_len) + BLOB_OVERHEAD
}

fn position(slot: u32) -> (usize, u64) {
    ((slot / 64) as usize, 1 << (slot % 64))
}

/// Every blob before it has at least a header: so a number gone wrong cannot fill the memory.
fn slot_is_possible(location: &Location) -> bool {
    u64::from(location.slot) * BLOB_HEADER_LEN as u64 <= location.offset
}
