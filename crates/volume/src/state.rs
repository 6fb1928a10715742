//! What a volume's gate guards: its base, its dirty blocks and its pending epochs, and the changes
//! of these. Recovery replays the same changes from the journal.

use std::{collections::BTreeMap, sync::Arc};

use cairn_blocks::{Digest, DomainId, Root};

use crate::{
    geometry::MAX_BLOCKS,
    plane::Plane,
    types::{Base, EpochTag},
};

/// How many epochs may be pending.
pub(crate) const MAX_EPOCHS: usize = 5;

/// The image of each captured block of an epoch; `None` stands for zeros.
pub(crate) type Released = BTreeMap<u64, Option<Digest>>;

/// A freeze that was neither committed nor abandoned yet.
#[derive(Debug)]
pub(crate) struct Epoch {
    pub(crate) tag: EpochTag,
    /// The image is everything below this LSN.
    pub(crate) lsn: u64,
    /// Size of the volume then, in bytes.
    pub(crate) size_bytes: u64,
    /// Blocks that may differ from the base and were not captured yet.
    pub(crate) frozen: Arc<Plane>,
    /// Blocks that were captured.
    pub(crate) released: Released,
}

/// What the gate guards.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) domain: DomainId,
    pub(crate) size_bytes: u64,
    pub(crate) base: Option<Base>,
    /// Blocks that may differ from the image of the newest pending epoch, or from the base.
    pub(crate) dirty: Arc<Plane>,
    /// Oldest first.
    pub(crate) epochs: Vec<Epoch>,
    /// The newest commit, so that it can be repeated.
    pub(crate) last_commit: Option<(EpochTag, Root)>,
    pub(crate) closed: bool,
}

impl State {
    /// Whether a block belongs to an image that was not captured yet.
    pub(crate) fn is_frozen(&self, block: u64) -> bool {
        self.epochs.iter().any(|epoch| epoch.frozen.get(block))
    }

    /// The LSN up to which entries belong to the images of pending epochs.
    pub(crate) fn keep_through(&self) -> u64 {
        self.epochs.last().map_or(0, |epoch| epoch.lsn)
    }

    /// The epoch of a tag.
    pub(crate) fn epoch(&self, tag: &EpochTag) -> Option<&Epoch> {
        self.epochs.iter().find(|epoch| epoch.tag == *tag)
    }

    /// Begins an epoch: what is dirty is its image. `fresh` is an empty plane.
    pub(crate) fn freeze(&mut self, tag: EpochTag, lsn: u64, fresh: Arc<Plane>) {
        let frozen = std::mem::replace(&mut self.dirty, fresh);
        let size_bytes = self.size_bytes;
        self.epochs.push(Epoch {
            tag,
            lsn,
            size_bytes,
            frozen,
            released: Released::new(),
        });
    }

    /// Notes blocks as captured: they may change in place again.
    pub(crate) fn release(&mut self, tag: &EpochTag, blocks: &[(u64, Option<Digest>)]) {
        if let Some(epoch) = self.epochs.iter_mut().find(|epoch| epoch.tag == *tag) {
            for (block, digest) in blocks {
                epoch.frozen.clear(*block);
                epoch.released.insert(*block, *digest);
            }
        }
    }

    /// Makes a captured epoch the base.
    pub(crate) fn commit(&mut self, tag: &EpochTag, root: &Root) {
        self.epochs.retain(|epoch| epoch.tag != *tag);
        self.base = Some(Base {
            domain: self.domain,
            root: *root,
        });
        self.last_commit = Some((tag.clone(), *root));
    }

    /// Forgets an epoch. What it held still differs from the base, and so goes to the next epoch,
    /// or back to the dirty blocks. A block that was captured and not written before the next
    /// freeze may have changed in place since: for that one the next epoch takes the digest over.
    pub(crate) fn abandon(&mut self, tag: &EpochTag) {
        let Some(at) = self.epochs.iter().position(|epoch| epoch.tag == *tag) else {
            return;
        };
        let gone = self.epochs.remove(at);
        match self.epochs.get_mut(at) {
            Some(next) => {
                next.frozen.add(&gone.frozen);
                for (block, digest) in gone.released {
                    if !next.frozen.get(block) {
                        next.released.entry(block).or_insert(digest);
                    }
                }
            }
            None => {
                self.dirty.add(&gone.frozen);
                gone.released.keys().for_each(|block| {
                    self.dirty.set(*block);
                });
            }
        }
    }

    /// Whether a block may differ from the base.
    pub(crate) fn is_changed(&self, block: u64) -> bool {
        self.dirty.get(block)
            || self
                .epochs
                .iter()
                .any(|epoch| epoch.frozen.get(block) || epoch.released.contains_key(&block))
    }

    /// The first block from `from` to `end` that may differ from the base.
    pub(crate) fn next_changed(&self, from: u64, end: u64) -> Option<u64> {
        let epochs = self.epochs.iter().flat_map(|epoch| {
            let released = epoch
                .released
                .range(from..end)
                .next()
                .map(|(block, _)| *block);
            [epoch.frozen.next_set(from, end), released]
        });
        epochs
            .chain([self.dirty.next_set(from, end)])
            .flatten()
            .min()
    }
}

/// An empty plane of blocks.
pub(crate) fn block_plane() -> Arc<Plane> {
    Arc::new(Plane::new(MAX_BLOCKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State {
            domain: DomainId(1),
            size_bytes: 1 << 30,
            base: None,
            dirty: block_plane(),
            epochs: Vec::new(),
            last_commit: None,
            closed: false,
        }
    }

    fn tag(name: &str) -> EpochTag {
        EpochTag::new(name).unwrap()
    }

    #[test]
    fn an_abandoned_epoch_goes_back_to_the_dirty_blocks() {
        let mut state = state();
        state.dirty.set(1);
        state.dirty.set(2);
        state.freeze(tag("a"), 10, block_plane());
        assert!(state.is_frozen(1) && !state.dirty.get(1));
        state.release(&tag("a"), &[(1, None)]);
        assert!(!state.is_frozen(1) && state.is_changed(1));
        state.abandon(&tag("a"));
        assert!(state.dirty.get(1) && state.dirty.get(2) && !state.is_frozen(2));
    }

    #[test]
    fn an_abandoned_epoch_goes_to_the_next_one() {
        let mut state = state();
        (1..=3).for_each(|block| {
            state.dirty.set(block);
        });
        state.freeze(tag("a"), 10, block_plane());
        let digest = Some(Digest([1; 32]));
        state.release(&tag("a"), &[(1, digest), (3, digest)]);
        state.dirty.set(3);
        state.freeze(tag("b"), 20, block_plane());
        state.abandon(&tag("a"));
        let next = &state.epochs[0];
        assert_eq!(next.frozen.ones(0..10).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(next.released, Released::from([(1, digest)]));
        assert_eq!(state.dirty.count(), 0);
    }
}
