//! Ranges of pages that are allocated.

use std::{collections::BTreeMap, ops::Range};

/// A set of numbers, kept as ranges that do not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    /// Adds a range.
    pub(super) fn add(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let touching: Vec<_> = self
            .0
            .range(..=range.end)
            .filter(|(_, end)| **end >= range.start)
            .map(|(start, end)| *start..*end)
            .collect();
        let start = touching
            .first()
            .map_or(range.start, |first| first.start.min(range.start));
        let end = touching
            .last()
            .map_or(range.end, |last| last.end.max(range.end));
        for old in touching {
            self.0.remove(&old.start);
        }
        self.0.insert(start, end);
    }

    /// Takes a range out.
    pub(super) fn remove(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let cut: Vec<_> = self.overlapping_whole(&range).collect();
        for old in cut {
            self.0.remove(&old.start);
            self.add(old.start..range.start.min(old.end));
            self.add(range.end.max(old.start)..old.end);
        }
    }

    /// The parts of the set within a range.
    pub(super) fn within(&self, range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
        let (start, end) = (range.start, range.end);
        self.overlapping_whole(&range)
            .map(move |own| own.start.max(start)..own.end.min(end))
    }

    fn overlapping_whole(&self, range: &Range<u64>) -> impl Iterator<Item = Range<u64>> + use<'_> {
        let start = range.start;
        self.0
            .range(..range.end)
            .map(|(start, end)| *start..*end)
            .filter(move |own| own.end > start)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_as_a_set(steps in prop::collection::vec((any::<bool>(), 0..40u64, 0..12u64), 0..40)) {
            let (mut ranges, mut model) = (Ranges::default(), BTreeSet::new());
            for (add, start, len) in steps {
                let range = start..start + len;
                if add {
                    ranges.add(range.clone());
                    model.extend(range);
                } else {
                    ranges.remove(range.clone());
                    model.retain(|n| !range.contains(n));
                }
                let members: Vec<_> = ranges.within(0..u64::MAX).flatten().collect();
                prop_assert_eq!(&members, &model.iter().copied().collect::<Vec<_>>());
                let part: Vec<_> = ranges.within(10..20).flatten().collect();
                prop_assert_eq!(part, model.range(10..20).copied().collect::<Vec<_>>());
            }
        }
    }
}
