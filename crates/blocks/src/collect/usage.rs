//! What space costs, exactly: from marks, as a collection would see it.
//!
//! Bytes are those on disk: compressed, with the header and the table entry of each blob. The index
//! nodes of a snapshot count like its blocks.

use std::collections::HashMap;

use super::marks::{Marks, bytes_of};
use crate::{
    error::Error,
    store::BlockStore,
    types::{Digest, DomainId, Location, PackId, Root},
};

/// What a snapshot, or a group of them, costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Space {
    /// Bytes of all its blobs, each one once.
    pub stored: u64,
    /// Bytes of the blobs that no other snapshot needs.
    pub unique: u64,
    /// Bytes that a collection gives back once it is deleted: of blobs that nothing else needs, be
    /// it a snapshot, a volume or work under way.
    pub freed: u64,
}

impl Space {
    /// Bytes of the blobs that other snapshots need too.
    pub fn shared(&self) -> u64 {
        self.stored - self.unique
    }
}

/// Things that keep blobs alive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    /// Content, as of snapshots and of the bases of volumes.
    pub roots: Vec<(DomainId, Root)>,
    /// Blocks that are not in an index yet.
    pub blocks: Vec<(DomainId, Vec<Digest>)>,
}

impl Holders {
    fn mark(&self, store: &BlockStore, marks: &mut Marks) -> Result<(), Error> {
        for (domain, root) in &self.roots {
            marks.mark_root(store, *domain, root)?;
        }
        for (domain, blocks) in &self.blocks {
            marks.mark_blocks(store, *domain, blocks)?;
        }
        Ok(())
    }
}

impl BlockStore {
    /// What each of these snapshots costs beside the others and beside `holders`. Reads every index
    /// once in full, so the work grows with the blocks of all snapshots together.
    pub fn space_of_each(
        &self,
        snapshots: &[(DomainId, Root)],
        holders: &Holders,
    ) -> Result<Vec<Space>, Error> {
        let mut held = Marks::default();
        holders.mark(self, &mut held)?;
        let mut survey = Survey {
            held,
            owners: HashMap::new(),
            spaces: vec![Space::default(); snapshots.len()],
        };
        for (at, (domain, root)) in snapshots.iter().enumerate() {
            let meet = &mut |location: &Location| survey.meet(at, location);
            Marks::default().visit_root(self, *domain, root, meet)?;
        }
        Ok(survey.spaces)
    }

    /// What a group costs that would go together. `others` are the snapshots that stay, `holders`
    /// whatever else stays.
    pub fn space_of_group(
        &self,
        group: &Holders,
        others: &[(DomainId, Root)],
        holders: &Holders,
    ) -> Result<Space, Error> {
        let mut staying = Marks::default();
        for (domain, root) in others {
            staying.mark_root(self, *domain, root)?;
        }
        let unique = self.bytes_beyond(group, &staying)?;
        let stored = self.bytes_beyond(group, &Marks::default())?;
        holders.mark(self, &mut staying)?;
        Ok(Space {
            stored,
            unique,
            freed: self.bytes_beyond(group, &staying)?,
        })
    }

    /// Bytes of what a group reaches and these marks do not.
    fn bytes_beyond(&self, group: &Holders, marks: &Marks) -> Result<u64, Error> {
        let (mut seen, mut bytes) = (Marks::default(), 0);
        let meet = &mut |location: &Location| {
            if !marks.contains(location) {
                bytes += bytes_of(location);
            }
        };
        for (domain, root) in &group.roots {
            seen.visit_root(self, *domain, root, meet)?;
        }
        for (domain, blocks) in &group.blocks {
            seen.visit_blocks(self, *domain, blocks, meet)?;
        }
        Ok(bytes)
    }
}

/// Which snapshot is the only one to need a blob.
struct Survey {
    held: Marks,
    owners: HashMap<PackId, Vec<Owner>>,
    spaces: Vec<Space>,
}

/// The position of a snapshot, from 1; 0 for none.
type Owner = u32;

/// Several snapshots need the blob.
const MANY: Owner = Owner::MAX;

impl Survey {
    /// Notes that a snapshot needs a blob.
    fn meet(&mut self, snapshot: usize, location: &Location) {
        let bytes = bytes_of(location);
        let held = self.held.contains(location);
        let owners = self.owners.entry(location.pack).or_default();
        let slot = location.slot as usize;
        if slot >= owners.len() {
            owners.reserve_exact(slot + 1 - owners.len());
            owners.resize(slot + 1, 0);
        }
        self.spaces[snapshot].stored += bytes;
        let before = owners[slot];
        let owner = Owner::try_from(snapshot + 1).unwrap_or(MANY);
        owners[slot] = if before == 0 { owner } else { MANY };
        match before {
            0 if owner != MANY => self.spaces[snapshot].gain(bytes, held),
            0 | MANY => {}
            only => self.spaces[only as usize - 1].lose(bytes, held),
        }
    }
}

impl Space {
    fn gain(&mut self, bytes: u64, held: bool) {
        self.unique += bytes;
        self.freed += if held { 0 } else { bytes };
    }

    fn lose(&mut self, bytes: u64, held: bool) {
        self.unique -= bytes;
        self.freed -= if held { 0 } else { bytes };
    }
}
