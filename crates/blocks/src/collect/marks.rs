//! What is reached, as one bit for each slot of each pack.

use std::collections::HashMap;

use super::{Amount, BLOB_OVERHEAD};
use crate::{
    error::{Damage, Error},
    index::{Place, empty_root},
    pack_format::{BLOB_HEADER_LEN, is_possible},
    store::{BlockStore, Reader},
    types::{Digest, DomainId, Location, PackId, Root},
};

/// Blobs asked of the index at once.
const LOOKUP_BATCH: usize = 128;

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
        let new = self.mark(store, domain, &[root.node], meet)?;
        match new.is_empty() {
            true => Ok(()),
            false => self.visit_below(store, &Place::root(domain, root), root.node, meet),
        }
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
        unless_erased(self.mark(store, domain, blocks, meet).map(drop))
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

    /// Marks what lies below a node. A subtree whose top was marked before was visited before.
    fn visit_below(
        &mut self,
        store: &BlockStore,
        place: &Place,
        node: Digest,
        meet: &mut dyn FnMut(&Location),
    ) -> Result<(), Error> {
        store.check_collecting()?;
        let node = store.node_with(place, node, Reader::Collection)?;
        let children: Vec<_> = node.children().collect();
        let digests: Vec<_> = children.iter().map(|(_, digest)| *digest).collect();
        let new = self.mark(store, place.domain, &digests, meet)?;
        for at in new {
            let (child, digest) = children[at];
            if let Some(below) = place.child(child) {
                self.visit_below(store, &below, digest, meet)?;
            }
        }
        Ok(())
    }

    /// Marks blobs. Returns the positions of those that were not marked before.
    fn mark(
        &mut self,
        store: &BlockStore,
        domain: DomainId,
        digests: &[Digest],
        meet: &mut dyn FnMut(&Location),
    ) -> Result<Vec<usize>, Error> {
        let key = store.shared.keys.of(domain)?;
        let mut new = Vec::new();
        for (chunk_at, chunk) in digests.chunks(LOOKUP_BATCH).enumerate() {
            let located = store.shared.index.locate(domain, &key.ids(chunk))?;
            for ((at, digest), location) in chunk.iter().enumerate().zip(located) {
                let location = location.ok_or(Error::NotFound {
                    domain,
                    digest: *digest,
                })?;
                if !is_possible(&location, key.is_sealed()) || !slot_is_possible(&location) {
                    return Err(Error::Damaged {
                        digest: *digest,
                        pack: location.pack,
                        reason: Damage::Location,
                    });
                }
                if self.set(&location) {
                    meet(&location);
                    new.push(chunk_at * LOOKUP_BATCH + at);
                }
            }
        }
        Ok(new)
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
