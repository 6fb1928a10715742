//! What the background work is told to look at.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Mutex,
};

use crate::sync::lock;

/// How many reads are remembered.
const MAX_WANTED: usize = 256;

/// Blocks and regions that wait for something. Each list may name what needs nothing any more.
#[derive(Debug, Default)]
pub(crate) struct Todo(Mutex<Lists>);

#[derive(Debug, Default)]
struct Lists {
    ready: BTreeSet<u64>,
    wanted: VecDeque<u64>,
    regions: BTreeSet<u64>,
    urgent: BTreeSet<u64>,
}

impl Todo {
    /// Blocks whose entries may be folded.
    pub(crate) fn add_ready(&self, blocks: impl IntoIterator<Item = u64>) {
        lock(&self.0).ready.extend(blocks);
    }

    /// A block that a reader fetched from the base. The newest are remembered.
    pub(crate) fn add_wanted(&self, block: u64) {
        let wanted = &mut lock(&self.0).wanted;
        if wanted.back() != Some(&block) {
            wanted.push_back(block);
        }
        if wanted.len() > MAX_WANTED {
            wanted.pop_front();
        }
    }

    /// A region that is written and has no intent.
    pub(crate) fn add_region(&self, region: u64) {
        lock(&self.0).regions.insert(region);
    }

    /// A block of a pending epoch that guests write.
    pub(crate) fn add_urgent(&self, block: u64) {
        lock(&self.0).urgent.insert(block);
    }

    /// Whether a block may have entries to fold.
    pub(crate) fn has_ready(&self) -> bool {
        !lock(&self.0).ready.is_empty()
    }

    /// Takes all regions.
    pub(crate) fn take_regions(&self) -> BTreeSet<u64> {
        std::mem::take(&mut lock(&self.0).regions)
    }

    /// Takes all urgent blocks.
    pub(crate) fn take_urgent(&self) -> BTreeSet<u64> {
        std::mem::take(&mut lock(&self.0).urgent)
    }

    /// Takes at most `max` blocks with entries, in order.
    pub(crate) fn take_ready(&self, max: usize) -> BTreeSet<u64> {
        let ready = &mut lock(&self.0).ready;
        std::iter::from_fn(|| ready.pop_first()).take(max).collect()
    }

    /// Takes at most `max` blocks that were read, in order.
    pub(crate) fn take_wanted(&self, max: usize) -> BTreeSet<u64> {
        let wanted = &mut lock(&self.0).wanted;
        let taken = wanted.len().min(max);
        wanted.drain(..taken).collect()
    }
}
