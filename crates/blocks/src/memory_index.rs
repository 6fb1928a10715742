//! A [`BlobIndex`] in memory, for tests and tools.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::types::{BlobId, BlobIndex, DomainId, IndexError, Location, PackId};

/// An index that lives as long as the process. It counts as durable: a simulated crash leaves
/// it as it is, which is what a database that syncs every commit would do.
#[derive(Debug, Default)]
pub struct MemoryIndex {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    blobs: HashMap<(DomainId, BlobId), Location>,
    last_pack: u64,
}

impl MemoryIndex {
    /// An index that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything it knows, in no particular order.
    pub fn entries(&self) -> Vec<(DomainId, BlobId, Location)> {
        self.lock()
            .blobs
            .iter()
            .map(|((domain, id), location)| (*domain, *id, *location))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BlobIndex for MemoryIndex {
    fn locate(
        &self,
        domain: DomainId,
        ids: &[BlobId],
    ) -> Result<Vec<Option<Location>>, IndexError> {
        let inner = self.lock();
        Ok(ids
            .iter()
            .map(|id| inner.blobs.get(&(domain, *id)).copied())
            .collect())
    }

    fn insert(&self, domain: DomainId, blobs: &[(BlobId, Location)]) -> Result<(), IndexError> {
        let mut inner = self.lock();
        for (id, location) in blobs {
            inner.blobs.entry((domain, *id)).or_insert(*location);
        }
        Ok(())
    }

    fn allocate_pack(&self) -> Result<PackId, IndexError> {
        let mut inner = self.lock();
        inner.last_pack += 1;
        Ok(PackId(inner.last_pack))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conforms() {
        crate::conformance::blob_index_conformance(&MemoryIndex::new());
    }
}
