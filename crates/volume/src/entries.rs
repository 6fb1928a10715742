//! Journal entries that lie over blocks of `data`.

use std::{
    collections::HashMap,
    io,
    ops::Range,
    sync::{Arc, Mutex},
};

use crate::{geometry::index, journal::Segment, plane::Plane, record::WRITE_PREFIX, sync::lock};

const SHARDS: u64 = 64;
/// After so many folds that left new entries behind, the writers of a block are held.
const ROUNDS_BEFORE_HOLD: u8 = 2;

/// Where an entry's bytes come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Zero,
    /// From `offset` of a journal segment on.
    Journal {
        segment: Arc<Segment>,
        offset: u64,
    },
    /// From `skip` of the body of a sealed record on. It is opened as a whole, and its tag verified.
    Sealed {
        segment: Arc<Segment>,
        /// Where the stored body lies in the segment's file, and its length in bytes.
        body: u64,
        body_len: u32,
        skip: u32,
    },
}

impl Source {
    /// The bytes from `at` on of a WRITE whose stored body is `body_len` bytes at `body`.
    pub(crate) fn of_write(segment: &Arc<Segment>, body: u64, body_len: u32, at: u64) -> Self {
        let (segment, skip) = (Arc::clone(segment), WRITE_PREFIX as u64 + at);
        if segment.key.is_none() {
            let offset = body + skip;
            return Self::Journal { segment, offset };
        }
        Self::Sealed {
            segment,
            body,
            body_len,
            skip: u32::try_from(skip).unwrap_or(u32::MAX),
        }
    }

    /// The source of what lies `skip` bytes further.
    fn skip(&self, skip: u32) -> Self {
        match self {
            Self::Zero => Self::Zero,
            Self::Journal { segment, offset } => Self::Journal {
                segment: Arc::clone(segment),
                offset: offset + u64::from(skip),
            },
            Self::Sealed {
                segment,
                body,
                body_len,
                skip: before,
            } => Self::Sealed {
                segment: Arc::clone(segment),
                body: *body,
                body_len: *body_len,
                skip: before + skip,
            },
        }
    }

    /// Fills `buf`. With `wait` false: only if the bytes are at hand; else the answer is false.
    fn read(&self, buf: &mut [u8], wait: bool) -> io::Result<bool> {
        match self {
            Self::Zero => {
                buf.fill(0);
                Ok(true)
            }
            Self::Journal { segment, offset } if wait => {
                segment.file.read_exact_at(buf, *offset).map(|()| true)
            }
            Self::Journal { segment, offset } => segment.file.try_read_exact_at(buf, *offset),
            Self::Sealed {
                segment,
                body,
                body_len,
                skip,
            } => {
                let Some(bytes) = segment.read_body(*body, *body_len, wait)? else {
                    return Ok(false);
                };
                let from = *skip as usize;
                let part = bytes.get(from..from + buf.len());
                buf.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(true)
            }
        }
    }
}

/// A write that was redirected to the journal, or its part in one block.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) lsn: u64,
    /// Offset within the block in bytes.
    pub(crate) start: u32,
    /// Length in bytes.
    pub(crate) len: u32,
    pub(crate) source: Source,
}

impl Entry {
    fn end(&self) -> u32 {
        self.start + self.len
    }
}

/// The entries of a block, oldest first.
#[derive(Debug, Default)]
struct Stack {
    entries: Vec<Entry>,
    rounds: u8,
    held: bool,
}

/// All entries of a volume.
#[derive(Debug)]
pub(crate) struct Entries {
    shards: Box<[Mutex<HashMap<u64, Stack>>]>,
    /// The blocks that have entries. Bits are set while the block's shard is locked.
    journaled: Plane,
}

impl Entries {
    /// None, for a volume of at most `blocks` blocks.
    pub(crate) fn new(blocks: u64) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            journaled: Plane::new(blocks),
        }
    }

    fn shard(&self, block: u64) -> &Mutex<HashMap<u64, Stack>> {
        &self.shards[index(block % SHARDS)]
    }

    /// The blocks that have entries.
    pub(crate) fn journaled(&self) -> &Plane {
        &self.journaled
    }

    /// Puts an entry over a block. Entries that it hides go, except those at or below
    /// `keep_through`, which belong to the image of a pending epoch. True if it is the first one.
    pub(crate) fn insert(&self, block: u64, entry: Entry, keep_through: u64) -> bool {
        let mut shard = lock(self.shard(block));
        let stack = shard.entry(block).or_default();
        let (start, end, lsn) = (entry.start, entry.end(), entry.lsn);
        stack.entries.retain(|old| {
            old.lsn <= keep_through || old.lsn > lsn || old.start < start || old.end() > end
        });
        let at = stack.entries.partition_point(|old| old.lsn <= lsn);
        stack.entries.insert(at, entry);
        self.journaled.set(block)
    }

    /// The entries up to `through` that touch a range of a block.
    pub(crate) fn get(&self, block: u64, range: Range<u32>, through: u64) -> Vec<Entry> {
        if !self.journaled.get(block) {
            return Vec::new();
        }
        let shard = lock(self.shard(block));
        let Some(stack) = shard.get(&block) else {
            return Vec::new();
        };
        let touches = |entry: &&Entry| {
            entry.lsn <= through && entry.start < range.end && entry.end() > range.start
        };
        stack.entries.iter().filter(touches).cloned().collect()
    }

    /// Whether the writers of a block have to wait.
    pub(crate) fn is_held(&self, block: u64) -> bool {
        self.journaled.get(block)
            && lock(self.shard(block))
                .get(&block)
                .is_some_and(|stack| stack.held)
    }

    /// Holds the writers of a block that does not come to rest.
    pub(crate) fn hold_if_restless(&self, block: u64) {
        if let Some(stack) = lock(self.shard(block)).get_mut(&block) {
            stack.held = stack.rounds >= ROUNDS_BEFORE_HOLD;
        }
    }

    /// Lets the writers of a block go on.
    pub(crate) fn let_go(&self, block: u64) {
        if let Some(stack) = lock(self.shard(block)).get_mut(&block) {
            stack.held = false;
        }
    }

    /// Drops the entries up to `through`. True if there are others, which came meanwhile.
    pub(crate) fn drop_through(&self, block: u64, through: u64) -> bool {
        let mut shard = lock(self.shard(block));
        let Some(stack) = shard.get_mut(&block) else {
            return false;
        };
        stack.entries.retain(|entry| entry.lsn > through);
        stack.held = false;
        stack.rounds = stack.rounds.saturating_add(1);
        if !stack.entries.is_empty() {
            return true;
        }
        shard.remove(&block);
        self.journaled.clear(block);
        false
    }

    /// The LSN of the oldest entry.
    pub(crate) fn oldest(&self) -> Option<u64> {
        let first = |stack: &Stack| stack.entries.first().map(|entry| entry.lsn);
        self.shards
            .iter()
            .filter_map(|shard| lock(shard).values().filter_map(first).min())
            .min()
    }
}

/// A part of a block and where its newest bytes are.
#[derive(Debug)]
pub(crate) struct Slice {
    /// Offset within the block in bytes.
    pub(crate) start: u32,
    /// Length in bytes.
    pub(crate) len: u32,
    pub(crate) source: Source,
}

impl Slice {
    /// Where the slice lies in a buffer that begins at `base` of the block.
    fn range(&self, base: u32) -> Range<usize> {
        (self.start - base) as usize..(self.start - base + self.len) as usize
    }
}

/// What the newest entries say about a range of a block: slices that do not overlap, in order.
/// `entries` is oldest first.
pub(crate) fn resolve(entries: &[Entry], range: Range<u32>) -> Vec<Slice> {
    let mut gaps = vec![range];
    let mut slices = Vec::new();
    for entry in entries.iter().rev() {
        let mut left = Vec::with_capacity(gaps.len() + 1);
        for gap in gaps {
            let (from, to) = (gap.start.max(entry.start), gap.end.min(entry.end()));
            if from >= to {
                left.push(gap);
                continue;
            }
            slices.push(Slice {
                start: from,
                len: to - from,
                source: entry.source.skip(from - entry.start),
            });
            left.extend(
                [gap.start..from, to..gap.end]
                    .into_iter()
                    .filter(|rest| !rest.is_empty()),
            );
        }
        gaps = left;
    }
    slices.sort_unstable_by_key(|slice| slice.start);
    slices
}

/// Whether slices leave nothing of `len` bytes uncovered.
pub(crate) fn covers(slices: &[Slice], len: u32) -> bool {
    slices.iter().map(|slice| slice.len).sum::<u32>() == len
}

/// Reads slices into a buffer that begins at `base` of the block. With `wait` false: only if
/// their bytes are at hand; else the answer is false.
pub(crate) fn read_slices(
    slices: &[Slice],
    buf: &mut [u8],
    base: u32,
    wait: bool,
) -> io::Result<bool> {
    for slice in slices {
        if !slice.source.read(&mut buf[slice.range(base)], wait)? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zero(lsn: u64, start: u32, len: u32) -> Entry {
        Entry {
            lsn,
            start,
            len,
            source: Source::Zero,
        }
    }

    fn spans(slices: &[Slice]) -> Vec<(u32, u32)> {
        slices
            .iter()
            .map(|slice| (slice.start, slice.len))
            .collect()
    }

    #[test]
    fn newer_entries_hide_older_ones() {
        let entries = [zero(1, 0, 100), zero(2, 50, 100), zero(3, 60, 10)];
        assert_eq!(
            spans(&resolve(&entries, 0..200)),
            [(0, 50), (50, 10), (60, 10), (70, 80)]
        );
        assert_eq!(spans(&resolve(&entries, 55..65)), [(55, 5), (60, 5)]);
        assert!(covers(&resolve(&entries, 0..150), 150));
        assert!(!covers(&resolve(&entries, 0..151), 151));
    }

    #[test]
    fn hidden_entries_go_unless_an_epoch_needs_them() {
        let entries = Entries::new(1 << 17);
        assert!(entries.insert(7, zero(10, 0, 512), 0));
        assert!(!entries.insert(7, zero(20, 0, 512), 0));
        assert_eq!(entries.get(7, 0..512, u64::MAX).len(), 1);
        entries.insert(7, zero(30, 0, 1024), 25);
        assert_eq!(entries.get(7, 0..512, u64::MAX).len(), 2);
        assert_eq!(entries.get(7, 0..512, 25).len(), 1);
        assert_eq!(entries.oldest(), Some(20));
        assert!(entries.drop_through(7, 20));
        assert!(!entries.drop_through(7, 30));
        assert!(!entries.journaled().get(7));
    }

    #[test]
    fn late_entries_find_their_place() {
        let entries = Entries::new(1 << 17);
        entries.insert(1, zero(20, 0, 512), 0);
        entries.insert(1, zero(10, 0, 512), 0);
        let lsns: Vec<_> = entries
            .get(1, 0..512, u64::MAX)
            .iter()
            .map(|entry| entry.lsn)
            .collect();
        assert_eq!(lsns, [10, 20]);
    }

    #[test]
    fn a_restless_block_is_held_once() {
        let entries = Entries::new(1 << 17);
        for lsn in 1..=u64::from(ROUNDS_BEFORE_HOLD) {
            entries.insert(1, zero(2 * lsn, 0, 512), u64::MAX);
            entries.insert(1, zero(2 * lsn + 1, 0, 512), u64::MAX);
            entries.hold_if_restless(1);
            assert!(!entries.is_held(1));
            assert!(entries.drop_through(1, 2 * lsn));
        }
        entries.hold_if_restless(1);
        assert!(entries.is_held(1));
        assert!(!entries.drop_through(1, u64::MAX));
        assert!(!entries.is_held(1));
    }
}
