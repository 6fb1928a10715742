//! A [`BlobIndex`] in memory, for tests and tools.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::types::{Alarm, BlobId, BlobIndex, DomainId, IndexError, Location, PackId, PackUsage};

/// An index that lives as long as the process. It counts as durable: a simulated crash leaves
/// it as it is, which is what a database that syncs every commit would do.
#[derive(Debug, Default)]
pub struct MemoryIndex {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    blobs: HashMap<(DomainId, BlobId), Row>,
    /// The domain of each condemned pack, and since when it is condemned.
    condemned: BTreeMap<PackId, (DomainId, i64)>,
    alarms: Vec<Alarm>,
    last_pack: u64,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    location: Location,
    bad: bool,
}

impl MemoryIndex {
    /// An index that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything it knows, in no particular order.
    pub fn entries(&self) -> Vec<(DomainId, BlobId, Location)> {
        self.lock().rows(|_| true)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn is_reusable(&self, row: &Row) -> bool {
        !row.bad && !self.condemned.contains_key(&row.location.pack)
    }

    fn rows(&self, wanted: impl Fn(&Row) -> bool) -> Vec<(DomainId, BlobId, Location)> {
        self.blobs
            .iter()
            .filter(|(_, row)| wanted(row))
            .map(|((domain, id), row)| (*domain, *id, row.location))
            .collect()
    }

    /// The row of a blob, while it lies in a pack.
    fn row_in(&mut self, domain: DomainId, id: BlobId, pack: PackId) -> Option<&mut Row> {
        let row = self.blobs.get_mut(&(domain, id))?;
        (row.location.pack == pack).then_some(row)
    }

    fn usage(&self) -> BTreeMap<PackId, PackUsage> {
        let mut packs = BTreeMap::new();
        for ((domain, _), row) in &self.blobs {
            let pack = row.location.pack;
            let usage = packs.entry(pack).or_insert_with(|| PackUsage {
                pack,
                domain: *domain,
                blobs: 0,
                stored_bytes: 0,
                condemned_at: self.condemned.get(&pack).map(|(_, at)| *at),
            });
            usage.domain = usage.domain.min(*domain);
            usage.blobs += 1;
            usage.stored_bytes += u64::from(row.location.stored_len);
        }
        packs
    }
}

impl BlobIndex for MemoryIndex {
    fn locate(
        &self,
        domain: DomainId,
        ids: &[BlobId],
    ) -> Result<Vec<Option<Location>>, IndexError> {
        let inner = self.lock();
        let find = |id: &BlobId| Some(inner.blobs.get(&(domain, *id))?.location);
        Ok(ids.iter().map(find).collect())
    }

    fn locate_reusable(
        &self,
        domain: DomainId,
        ids: &[BlobId],
    ) -> Result<Vec<Option<Location>>, IndexError> {
        let inner = self.lock();
        let find = |id: &BlobId| {
            let row = inner.blobs.get(&(domain, *id))?;
            inner.is_reusable(row).then_some(row.location)
        };
        Ok(ids.iter().map(find).collect())
    }

    fn insert(&self, domain: DomainId, blobs: &[(BlobId, Location)]) -> Result<(), IndexError> {
        let mut inner = self.lock();
        for (id, location) in blobs {
            let known = inner.blobs.get(&(domain, *id));
            if known.is_none_or(|row| !inner.is_reusable(row)) {
                let row = Row {
                    location: *location,
                    bad: false,
                };
                inner.blobs.insert((domain, *id), row);
            }
        }
        Ok(())
    }

    fn allocate_pack(&self) -> Result<PackId, IndexError> {
        let mut inner = self.lock();
        inner.last_pack += 1;
        Ok(PackId(inner.last_pack))
    }

    fn next_pack(&self) -> Result<PackId, IndexError> {
        Ok(PackId(self.lock().last_pack + 1))
    }

    fn packs(&self, after: Option<PackId>, limit: usize) -> Result<Vec<PackUsage>, IndexError> {
        let packs = self.lock().usage();
        let behind = |usage: &PackUsage| after.is_none_or(|after| usage.pack > after);
        Ok(packs.into_values().filter(behind).take(limit).collect())
    }

    fn condemned(&self) -> Result<Vec<PackUsage>, IndexError> {
        let inner = self.lock();
        let usage = inner.usage();
        let of = |(pack, (domain, at)): (&PackId, &(DomainId, i64))| {
            usage.get(pack).copied().unwrap_or(PackUsage {
                pack: *pack,
                domain: *domain,
                blobs: 0,
                stored_bytes: 0,
                condemned_at: Some(*at),
            })
        };
        Ok(inner.condemned.iter().map(of).collect())
    }

    fn blobs_of(&self, pack: PackId) -> Result<Vec<(DomainId, BlobId, Location)>, IndexError> {
        let mut blobs = self.lock().rows(|row| row.location.pack == pack);
        blobs.sort_unstable_by_key(|(domain, id, location)| (location.slot, *domain, *id));
        Ok(blobs)
    }

    fn mark_bad(&self, domain: DomainId, blobs: &[(BlobId, PackId)]) -> Result<(), IndexError> {
        let mut inner = self.lock();
        for (id, pack) in blobs {
            if let Some(row) = inner.row_in(domain, *id, *pack) {
                row.bad = true;
            }
        }
        Ok(())
    }

    fn bad(&self) -> Result<Vec<(DomainId, BlobId, Location)>, IndexError> {
        let mut blobs = self.lock().rows(|row| row.bad);
        blobs.sort_unstable_by_key(|(domain, id, _)| (*domain, *id));
        Ok(blobs)
    }

    fn condemn(&self, packs: &[PackId], at: i64) -> Result<(), IndexError> {
        let mut inner = self.lock();
        let usage = inner.usage();
        for usage in packs.iter().filter_map(|pack| usage.get(pack)) {
            inner
                .condemned
                .entry(usage.pack)
                .or_insert((usage.domain, at));
        }
        Ok(())
    }

    fn pardon(&self, packs: &[PackId]) -> Result<(), IndexError> {
        let mut inner = self.lock();
        for pack in packs {
            inner.condemned.remove(pack);
        }
        Ok(())
    }

    fn confirm(&self, domain: DomainId, ids: &[BlobId]) -> Result<Vec<bool>, IndexError> {
        let mut inner = self.lock();
        let mut confirmed = Vec::with_capacity(ids.len());
        for id in ids {
            let row = inner.blobs.get(&(domain, *id)).copied();
            let good = row.filter(|row| !row.bad);
            if let Some(row) = good {
                inner.condemned.remove(&row.location.pack);
            }
            confirmed.push(good.is_some());
        }
        Ok(confirmed)
    }

    fn relocate(
        &self,
        domain: DomainId,
        blobs: &[(BlobId, PackId, Location)],
    ) -> Result<(), IndexError> {
        let mut inner = self.lock();
        for (id, from, to) in blobs {
            if let Some(row) = inner.row_in(domain, *id, *from) {
                *row = Row {
                    location: *to,
                    bad: false,
                };
            }
        }
        Ok(())
    }

    fn forget_pack(&self, pack: PackId, condemned_at: i64) -> Result<bool, IndexError> {
        let mut inner = self.lock();
        if inner.condemned.get(&pack).map(|(_, at)| *at) != Some(condemned_at) {
            return Ok(false);
        }
        inner.condemned.remove(&pack);
        inner.blobs.retain(|_, row| row.location.pack != pack);
        Ok(true)
    }

    fn purge(&self, _: &dyn Fn() -> bool) -> Result<(), IndexError> {
        // A pack and its rows are forgotten at once.
        Ok(())
    }

    fn raise_alarm(&self, alarm: &Alarm) -> Result<(), IndexError> {
        let mut inner = self.lock();
        inner.condemned.remove(&alarm.pack);
        if !inner.alarms.contains(alarm) {
            inner.alarms.push(*alarm);
        }
        Ok(())
    }

    fn alarms(&self) -> Result<Vec<Alarm>, IndexError> {
        Ok(self.lock().alarms.clone())
    }

    fn clear_alarms(&self) -> Result<(), IndexError> {
        self.lock().alarms.clear();
        Ok(())
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
