//! One file: what is seen, what is durable, what lies in between.

use std::sync::Arc;

use super::{
    image::{Image, PAGE, touched_pages, whole_pages},
    ranges::Ranges,
};
use crate::rng::Rng;

/// What a device writes as a whole or not at all.
const SECTOR: usize = 512;

/// A change to the bytes of a file.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Write { offset: u64, data: Arc<[u8]> },
    Punch { offset: u64, len: u64 },
    ExtendTo(u64),
    SetLen(u64),
}

impl Op {
    fn apply(&self, image: &mut Image) {
        match self {
            Self::Write { offset, data } => image.write(data, *offset),
            Self::Punch { offset, len } => image.punch(*offset, *len),
            Self::ExtendTo(len) => image.extend_to(*len),
            Self::SetLen(len) => image.set_len(*len),
        }
    }

    /// Applies some of the sectors of a write.
    fn apply_torn(&self, image: &mut Image, rng: &mut Rng) {
        let Self::Write { offset, data } = self else {
            return self.apply(image);
        };
        // Sectors are those of the device, whatever the offset of the write.
        let mut at = 0;
        while at < data.len() {
            let here = offset + at as u64;
            let to_boundary =
                SECTOR - usize::try_from(here % SECTOR as u64).expect("below a sector");
            let end = data.len().min(at + to_boundary);
            if rng.one_in(2) {
                image.write(&data[at..end], here);
            }
            at = end;
        }
    }
}

/// A change that is not known to be on the device, or one that is (`settled`), kept because an
/// older one before it is not.
#[derive(Clone, Debug)]
struct Pending {
    op: Op,
    settled: bool,
}

/// See the head of this file.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    seen: Image,
    durable: Image,
    pending: Vec<Pending>,
    allocated: Ranges,
    durable_allocated: Ranges,
    /// Pages that count as used, of data or allocated.
    pub(super) pages_used: u64,
    /// The open file that holds the lock.
    pub(super) locked_by: Option<u64>,
    /// How many open files there are.
    pub(super) handles: u64,
    /// How often it was synced.
    pub(super) syncs: u64,
}

impl File {
    /// What readers see.
    pub(super) fn seen(&self) -> &Image {
        &self.seen
    }

    /// Whether some change could still be lost.
    pub(super) fn has_unsynced(&self) -> bool {
        self.pending.iter().any(|pending| !pending.settled)
    }

    /// Makes a change that is not durable.
    pub(super) fn change(&mut self, op: Op) {
        self.see(&op);
        self.pending.push(Pending { op, settled: false });
    }

    /// Makes a change that is durable at once, while older ones are not.
    pub(super) fn change_durably(&mut self, op: Op) {
        self.see(&op);
        if self.pending.is_empty() {
            op.apply(&mut self.durable);
        } else {
            self.pending.push(Pending { op, settled: true });
        }
    }

    /// How many bytes from the start of a write fit, if `free_pages` can still be taken.
    pub(super) fn bytes_that_fit(&self, offset: u64, len: u64, free_pages: u64) -> u64 {
        let end = offset.saturating_add(len);
        let mut free = free_pages;
        for page in touched_pages(offset, end) {
            if self.seen.has_page(page) || self.allocated.within(page..page + 1).next().is_some() {
                continue;
            }
            if free == 0 {
                return (page * PAGE).saturating_sub(offset);
            }
            free -= 1;
        }
        len
    }

    /// How many pages an allocation would take.
    pub(super) fn pages_to_allocate(&self, offset: u64, len: u64) -> u64 {
        let range = touched_pages(offset, offset.saturating_add(len));
        (range.end - range.start) - self.used_in(range)
    }

    /// Makes everything durable.
    pub(super) fn sync(&mut self) {
        self.syncs += 1;
        for pending in self.pending.drain(..) {
            pending.op.apply(&mut self.durable);
        }
        self.durable_allocated = self.allocated.clone();
    }

    /// Fails to make anything durable: readers still see the changes, but nobody will write them.
    pub(super) fn fail_sync(&mut self) {
        self.syncs += 1;
        self.lose_unsettled();
    }

    /// Keeps what is durable, and of the rest what `rng` decides; without it, nothing.
    pub(super) fn lose_power(&mut self, rng: Option<&mut Rng>) {
        match rng {
            Some(rng) => self.lose_some(rng),
            None => self.lose_unsettled(),
        }
        self.seen = self.durable.clone();
        self.allocated = self.durable_allocated.clone();
        self.pages_used = self.used_in(0..u64::MAX);
    }

    /// Flips bits of a byte, on the device and for readers, as rot does.
    pub(super) fn rot(&mut self, offset: u64, mask: u8) {
        for image in [&mut self.seen, &mut self.durable] {
            let mut byte = [0];
            image.read(&mut byte, offset);
            image.write(&[byte[0] ^ mask], offset);
        }
    }

    fn see(&mut self, op: &Op) {
        let range = match op {
            Op::Write { offset, data } => touched_pages(*offset, offset + data.len() as u64),
            Op::Punch { offset, len } => touched_pages(*offset, offset.saturating_add(*len)),
            Op::ExtendTo(_) => 0..0,
            Op::SetLen(len) => len / PAGE..u64::MAX,
        };
        let before = self.used_in(range.clone());
        op.apply(&mut self.seen);
        match op {
            Op::Punch { offset, len } => self
                .allocated
                .remove(whole_pages(*offset, offset.saturating_add(*len))),
            Op::SetLen(len) => self.allocated.remove(len.div_ceil(PAGE)..u64::MAX),
            Op::Write { .. } | Op::ExtendTo(_) => {}
        }
        self.pages_used = self.pages_used + self.used_in(range) - before;
    }

    /// Sets space aside. The caller has made sure that there is enough.
    pub(super) fn allocate(&mut self, offset: u64, len: u64) {
        let end = offset.saturating_add(len);
        self.pages_used += self.pages_to_allocate(offset, len);
        self.allocated.add(touched_pages(offset, end));
        self.change(Op::ExtendTo(end));
    }

    /// Pages in a range that hold data or are allocated.
    fn used_in(&self, pages: std::ops::Range<u64>) -> u64 {
        let only_allocated: u64 = self
            .allocated
            .within(pages.clone())
            .map(|part| (part.end - part.start) - self.seen.pages_in(part))
            .sum();
        self.seen.pages_in(pages) + only_allocated
    }

    fn lose_unsettled(&mut self) {
        for pending in self.pending.drain(..).filter(|pending| pending.settled) {
            pending.op.apply(&mut self.durable);
        }
    }

    /// Changes between two settled ones may have reached the device in any order, or not at all;
    /// none of them can undo a settled one that came later.
    fn lose_some(&mut self, rng: &mut Rng) {
        let survival = rng.below(4);
        let pending = std::mem::take(&mut self.pending);
        for group in pending.split_inclusive(|pending| pending.settled) {
            let (settled, mut unsettled): (Vec<_>, Vec<_>) =
                group.iter().partition(|pending| pending.settled);
            rng.shuffle(&mut unsettled);
            for pending in unsettled {
                match (survival, rng.below(4)) {
                    // Everything survived, or everything but one in four.
                    (0, _) | (1, 1..) | (2, 0) => pending.op.apply(&mut self.durable),
                    (3, 0..2) => pending.op.apply_torn(&mut self.durable, rng),
                    _ => {}
                }
            }
            settled
                .iter()
                .for_each(|pending| pending.op.apply(&mut self.durable));
        }
    }
}
