//! Which snapshots cannot be read as they were: found without reading their blocks.

use std::collections::{HashMap, HashSet};

use super::{root::empty_root, walk::Place};
use crate::{
    error::Error,
    store::BlockStore,
    types::{BlobId, Digest, DomainId, Root},
};

/// Blocks looked up at once.
const LOOKUPS: usize = 256;

/// A survey of many snapshots. What they share is looked at once: it remembers 50 bytes or so for
/// each index node, which is half a megabyte for each TiB that differs.
#[derive(Debug)]
pub struct Survey<'a> {
    store: &'a BlockStore,
    bad: HashSet<(DomainId, BlobId)>,
    known: HashMap<(DomainId, Digest), u64>,
}

impl BlockStore {
    /// Begins a survey of snapshots, by what the index says is bad now.
    ///
    /// # Errors
    /// The index's.
    pub fn survey(&self) -> Result<Survey<'_>, Error> {
        let bad = self.shared().index.bad()?;
        Ok(Survey {
            store: self,
            bad: bad
                .into_iter()
                .map(|(domain, id, _)| (domain, id))
                .collect(),
            known: HashMap::new(),
        })
    }
}

impl Survey<'_> {
    /// How many blocks of a snapshot cannot be read: they are bad, no pack holds them, or an index
    /// node above them is so or cannot be read now.
    ///
    /// # Errors
    /// When the blob index fails, or the domain's key cannot be had or is erased: then nothing can be
    /// told.
    pub fn unreadable_blocks(&mut self, domain: DomainId, root: &Root) -> Result<u64, Error> {
        if root.node == empty_root() {
            return Ok(0);
        }
        self.below(&Place::root(domain, root), root.node)
    }

    fn below(&mut self, place: &Place, digest: Digest) -> Result<u64, Error> {
        if let Some(known) = self.known.get(&(place.domain, digest)) {
            return Ok(*known);
        }
        let count = self.count(place, digest)?;
        self.known.insert((place.domain, digest), count);
        Ok(count)
    }

    fn count(&mut self, place: &Place, digest: Digest) -> Result<u64, Error> {
        let end = (place.first_block + place.level.blocks()).min(place.blocks);
        let all = end.saturating_sub(place.first_block);
        let key = self.store.shared().keys.of(place.domain)?;
        if self.bad.contains(&(place.domain, key.id(&digest))) {
            return Ok(all);
        }
        let node = match self.store.node(place, digest) {
            Ok(node) => node,
            Err(error @ (Error::Index(_) | Error::Key(_) | Error::Erased { .. })) => {
                return Err(error);
            }
            Err(_) => return Ok(all),
        };
        let children: Vec<_> = node.children().collect();
        if place.child(0).is_none() {
            let digests: Vec<_> = children.iter().map(|(_, digest)| *digest).collect();
            return self.unreadable_among(place.domain, &key.ids(&digests));
        }
        let mut count = 0;
        for (at, digest) in children {
            if let Some(below) = place.child(at) {
                count += self.below(&below, digest)?;
            }
        }
        Ok(count)
    }

    fn unreadable_among(&self, domain: DomainId, blocks: &[BlobId]) -> Result<u64, Error> {
        let mut count = 0;
        for some in blocks.chunks(LOOKUPS) {
            let located = self.store.shared().index.locate(domain, some)?;
            let missing = |(id, location): (&BlobId, &Option<_>)| {
                location.is_none() || self.bad.contains(&(domain, *id))
            };
            count += some
                .iter()
                .zip(&located)
                .filter(|pair| missing(*pair))
                .count() as u64;
        }
        Ok(count)
    }
}
