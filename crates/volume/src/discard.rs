//! What guests do with ranges: trim, write zeros, ask what is allocated.

use std::{io, ops::Range};

use crate::{
    entries::Source,
    geometry::{BLOCK, LEAF_BLOCKS, block_count, blocks_of},
    guest::{Obstacle, Touched},
    record::Record,
    state::State,
    types::{Base, Extent, Wait},
    volume::{Core, Volume},
};

/// How much of a range is handled under one hold of the gate, in bytes.
const WINDOW: u64 = 1 << 30;
/// How many extents one answer has.
const MAX_EXTENTS: usize = 1024;

/// What a ZERO record takes of the journal at most, in bytes.
const ZERO_ROOM: u64 = 64;

/// What a discard does to bytes that are in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Discard {
    /// Gives the space back.
    Punch,
    /// Keeps, or takes, the space.
    Keep,
}

impl Volume {
    /// Says that a range is no longer needed; it reads as zeros.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn trim(&self, offset: u64, len: u64, fua: bool) -> io::Result<()> {
        self.core.check_range(offset, len)?;
        self.core.discard(offset, len, Discard::Punch, fua)
    }

    /// Makes a range read as zeros. With `no_hole` the space stays allocated, except that of
    /// blocks which are not in the volume's own file yet.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_zeroes(&self, offset: u64, len: u64, no_hole: bool, fua: bool) -> io::Result<()> {
        self.core.check_range(offset, len)?;
        self.core.discard(
            offset,
            len,
            if no_hole {
                Discard::Keep
            } else {
                Discard::Punch
            },
            fua,
        )
    }

    /// Describes a range, from its start, in order and without gaps. Stops early when the range is
    /// long or has many parts, after at least one extent.
    ///
    /// # Errors
    /// `InvalidInput` when the range ends beyond the volume; other errors of the base or the disk.
    pub fn extents(&self, offset: u64, len: u64) -> io::Result<Vec<Extent>> {
        self.core.check_range(offset, len)?;
        self.core.extents(offset, offset + len.min(WINDOW))
    }
}

impl Core {
    fn discard(&self, offset: u64, len: u64, how: Discard, fua: bool) -> io::Result<()> {
        let mut touched = Touched::default();
        let end = offset + len;
        let mut at = offset;
        while at < end {
            // All windows but the first begin at the border of a leaf.
            let window = ((at / WINDOW + 1) * WINDOW).min(end);
            let base = self.base();
            let zero = if how == Discard::Punch {
                self.zeros_of(base, at..window)
            } else {
                Vec::new()
            };
            let _done = self.retrying(Wait::Yes, || {
                self.discard_some(&mut at, window, how, base, &zero, &mut touched)
            })?;
            at = self.skip_unchanged(at, end, how, base);
        }
        if fua {
            self.sync_touched(touched)
        } else {
            Ok(())
        }
    }

    /// Where the next block lies that may differ from a blank base.
    fn skip_unchanged(&self, at: u64, end: u64, how: Discard, base: Option<Base>) -> u64 {
        if how == Discard::Keep || base.is_some() || at >= end {
            return at;
        }
        let Ok(Ok(state)) = self.enter(Wait::Yes) else {
            return at;
        };
        match state.next_changed(at / BLOCK, end.div_ceil(BLOCK)) {
            Some(block) => at.max(block * BLOCK),
            None => end,
        }
    }

    /// Which blocks of a range are zero in the base. If the base cannot say, then none.
    fn zeros_of(&self, base: Option<Base>, range: Range<u64>) -> Vec<Range<u64>> {
        let blocks = blocks_of(range.start, range.end - range.start);
        let Some(base) = base else {
            return vec![blocks];
        };
        let based = block_count(base.root.size_bytes);
        let mut zero: Vec<Range<u64>> = Vec::new();
        let mut at = blocks.start;
        while at < blocks.end.min(based) {
            let leaf_end = ((at / LEAF_BLOCKS + 1) * LEAF_BLOCKS)
                .min(blocks.end)
                .min(based);
            if let Ok(node) = self.store.leaf_node(base.domain, &base.root, at) {
                (at..leaf_end)
                    .filter(|block| node.get(*block).is_none())
                    .for_each(|block| extend(&mut zero, block));
            }
            at = leaf_end;
        }
        zero.extend((blocks.end > based).then(|| based.max(blocks.start)..blocks.end));
        zero
    }

    /// Discards from `at` to `end`, under one hold of the gate.
    fn discard_some(
        &self,
        at: &mut u64,
        end: u64,
        how: Discard,
        base: Option<Base>,
        zero: &[Range<u64>],
        touched: &mut Touched,
    ) -> io::Result<Result<(), Obstacle>> {
        let state = match self.enter(Wait::Yes)? {
            Ok(state) => state,
            Err(obstacle) => return Ok(Err(obstacle)),
        };
        let zero = if state.base == base { zero } else { &[] };
        while *at < end {
            let (path, until) = self.discard_run(&state, *at, end, zero);
            match path {
                Path::Zero => {}
                Path::InPlace => self.discard_in_place(&state, *at..until, how, touched)?,
                Path::Journal => {
                    if let Err(obstacle) = self.discard_by_journal(&state, *at..until, touched)? {
                        return Ok(Err(obstacle));
                    }
                }
            }
            *at = until;
        }
        Ok(Ok(()))
    }

    /// What is to be done with the block at `offset`, and where the run of blocks ends that need
    /// the same.
    fn discard_run(
        &self,
        state: &State,
        offset: u64,
        end: u64,
        zero: &[Range<u64>],
    ) -> (Path, u64) {
        let path = |block| {
            if is_in(zero, block)
                && !state.is_changed(block)
                && !self.entries.journaled().get(block)
            {
                Path::Zero
            } else if self.is_in_place(state, block) {
                Path::InPlace
            } else {
                Path::Journal
            }
        };
        let first = path(offset / BLOCK);
        let until =
            (offset / BLOCK + 1..).find(|block| block * BLOCK >= end || path(*block) != first);
        (first, until.map_or(end, |block| end.min(block * BLOCK)))
    }

    fn discard_in_place(
        &self,
        state: &State,
        range: Range<u64>,
        how: Discard,
        touched: &mut Touched,
    ) -> io::Result<()> {
        let len = range.end - range.start;
        self.mark_dirty(state, blocks_of(range.start, len))?;
        self.data.punch_hole(range.start, len)?;
        self.data_sync.note_write();
        touched.data = true;
        if how == Discard::Keep {
            self.data.allocate(range.start, len)
        } else {
            Ok(())
        }
    }

    fn discard_by_journal(
        &self,
        state: &State,
        range: Range<u64>,
        touched: &mut Touched,
    ) -> io::Result<Result<(), Obstacle>> {
        let (offset, len) = (range.start, range.end - range.start);
        let held = blocks_of(offset, len).any(|block| self.entries.is_held(block));
        if held || !self.journal.has_room(ZERO_ROOM) {
            return Ok(Err(Obstacle::Room));
        }
        let appended = self.journal.append(&Record::Zero { offset, len })?;
        touched.journal = true;
        self.add_entries(state, offset, len, &appended, |_| Source::Zero);
        Ok(Ok(()))
    }

    fn extents(&self, offset: u64, end: u64) -> io::Result<Vec<Extent>> {
        let mut extents: Vec<Extent> = Vec::new();
        let mut at = offset;
        while at < end && extents.len() < MAX_EXTENTS {
            let block_end = ((at / BLOCK + 1) * BLOCK).min(end);
            let (until, hole) = self.allocation(at, block_end)?;
            match extents.last_mut() {
                Some(last) if last.hole == hole => last.len += until - at,
                _ => extents.push(Extent {
                    len: until - at,
                    hole,
                    zero: hole,
                }),
            }
            at = until;
        }
        Ok(extents)
    }

    /// Whether a hole is at `offset`, and where it, or what is allocated, ends within the block.
    fn allocation(&self, offset: u64, block_end: u64) -> io::Result<(u64, bool)> {
        let block = offset / BLOCK;
        if !self.is_known(block) {
            self.learn(block)?;
        }
        let Ok(_state) = self.enter(Wait::Yes)? else {
            return Ok((block_end, false));
        };
        if self.entries.journaled().get(block) || !self.is_present(block) {
            return Ok((block_end, false));
        }
        match self.data.next_data(offset)? {
            Some(data) if data <= offset => Ok((
                self.data.next_hole(offset)?.clamp(offset + 1, block_end),
                false,
            )),
            data => Ok((data.unwrap_or(block_end).min(block_end), true)),
        }
    }
}

/// What a discard needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    /// Nothing: the block is zero.
    Zero,
    InPlace,
    Journal,
}

/// Adds a block to ranges that end at or before it.
fn extend(ranges: &mut Vec<Range<u64>>, block: u64) {
    match ranges.last_mut() {
        Some(last) if last.end == block => last.end += 1,
        _ => ranges.push(block..block + 1),
    }
}

/// Whether a block lies in one of the ranges, which are sorted.
fn is_in(ranges: &[Range<u64>], block: u64) -> bool {
    let at = ranges.partition_point(|range| range.end <= block);
    ranges.get(at).is_some_and(|range| range.contains(&block))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_was_added() {
        let mut ranges = Vec::new();
        [1, 2, 5, 6, 9]
            .into_iter()
            .for_each(|block| extend(&mut ranges, block));
        assert_eq!(ranges, [1..3, 5..7, 9..10]);
        let inside: Vec<_> = (0..11).filter(|block| is_in(&ranges, *block)).collect();
        assert_eq!(inside, [1, 2, 5, 6, 9]);
    }
}
