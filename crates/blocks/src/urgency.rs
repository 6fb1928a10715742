//! Who may wait for whom: a guest that needs a block now goes before what is fetched ahead.
//!
//! Nobody is held up in here. Whoever fetches ahead asks between two blocks whether somebody more
//! urgent reads from the same store, and leaves it the disk if so.

use std::sync::atomic::{AtomicU64, Ordering};

/// How urgent a read is, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// A guest waits for it.
    Demand,
    /// A guest will want it soon: an earlier one did.
    BootSet,
    /// A guest may want it some day.
    Hydration,
}

/// How many read from a store, by urgency.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    demand: AtomicU64,
    boot_set: AtomicU64,
    hydration: AtomicU64,
}

/// Held by whoever reads, for as long as that takes. See [`BlockStore::hurry`].
///
/// [`BlockStore::hurry`]: crate::BlockStore::hurry
#[derive(Debug)]
#[must_use = "it lasts until it is dropped"]
pub struct Hurry<'a>(&'a AtomicU64);

impl Readers {
    pub(crate) fn enter(&self, urgency: Urgency) -> Hurry<'_> {
        let count = match urgency {
            Urgency::Demand => &self.demand,
            Urgency::BootSet => &self.boot_set,
            Urgency::Hydration => &self.hydration,
        };
        count.fetch_add(1, Ordering::Relaxed);
        Hurry(count)
    }

    pub(crate) fn outrank(&self, urgency: Urgency) -> bool {
        let is_there = |count: &AtomicU64| count.load(Ordering::Relaxed) > 0;
        match urgency {
            Urgency::Demand => false,
            Urgency::BootSet => is_there(&self.demand),
            Urgency::Hydration => is_there(&self.demand) || is_there(&self.boot_set),
        }
    }
}

impl Drop for Hurry<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_waits_for_the_more_urgent_alone() {
        use Urgency::{BootSet, Demand, Hydration};
        let readers = Readers::default();
        for one in [Demand, BootSet, Hydration] {
            let hurry = readers.enter(one);
            for other in [Demand, BootSet, Hydration] {
                assert_eq!(readers.outrank(other), one < other, "{one:?} {other:?}");
            }
            drop(hurry);
            assert!(!readers.outrank(Hydration));
        }
    }
}
