//! Bit planes: one bit for each block (or region, or leaf), set and cleared without locks.

use std::{
    fmt,
    ops::Range,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::geometry::index;

/// Words in a chunk: 16 KiB, which is 64 GiB of volume in a plane of blocks.
const CHUNK_WORDS: usize = 2048;
/// Bits in a chunk.
const CHUNK_BITS: u64 = CHUNK_WORDS as u64 * 64;

type Chunk = Box<[AtomicU64]>;

/// A plane of bits, all zero at first. Memory is taken for those chunks that hold a one, so an
/// empty plane for 64 TiB costs 16 KiB.
pub(crate) struct Plane {
    chunks: Box<[OnceLock<Chunk>]>,
}

impl Plane {
    /// A plane with room for `bits` bits.
    pub(crate) fn new(bits: u64) -> Self {
        Self {
            chunks: (0..bits.div_ceil(CHUNK_BITS))
                .map(|_| OnceLock::new())
                .collect(),
        }
    }

    fn chunk(&self, bit: u64) -> Option<&Chunk> {
        self.chunks[index(bit / CHUNK_BITS)].get()
    }

    fn chunk_mut(&self, bit: u64) -> &Chunk {
        self.chunks[index(bit / CHUNK_BITS)]
            .get_or_init(|| (0..CHUNK_WORDS).map(|_| AtomicU64::new(0)).collect())
    }

    /// Whether a bit is set.
    pub(crate) fn get(&self, bit: u64) -> bool {
        self.chunk(bit)
            .is_some_and(|chunk| chunk[word_in(bit)].load(Ordering::Acquire) & mask(bit) != 0)
    }

    /// Sets a bit; true if it was clear.
    pub(crate) fn set(&self, bit: u64) -> bool {
        self.chunk_mut(bit)[word_in(bit)].fetch_or(mask(bit), Ordering::AcqRel) & mask(bit) == 0
    }

    /// Clears a bit; true if it was set.
    pub(crate) fn clear(&self, bit: u64) -> bool {
        self.chunk(bit).is_some_and(|chunk| {
            chunk[word_in(bit)].fetch_and(!mask(bit), Ordering::AcqRel) & mask(bit) != 0
        })
    }

    /// Sets every bit of a range.
    pub(crate) fn set_range(&self, bits: Range<u64>) {
        bits.for_each(|bit| {
            self.set(bit);
        });
    }

    /// The first set bit at or after `from` and before `end`.
    pub(crate) fn next_set(&self, from: u64, end: u64) -> Option<u64> {
        let mut at = from;
        while at < end {
            let Some(chunk) = self.chunk(at) else {
                at = (at / CHUNK_BITS + 1) * CHUNK_BITS;
                continue;
            };
            let rest = chunk[word_in(at)].load(Ordering::Acquire) >> (at % 64);
            if rest != 0 {
                return Some(at + u64::from(rest.trailing_zeros())).filter(|found| *found < end);
            }
            at = (at / 64 + 1) * 64;
        }
        None
    }

    /// The first clear bit at or after `from` and before `end`.
    pub(crate) fn next_clear(&self, from: u64, end: u64) -> Option<u64> {
        let mut at = from;
        while at < end {
            let Some(chunk) = self.chunk(at) else {
                return Some(at);
            };
            let rest = !chunk[word_in(at)].load(Ordering::Acquire) >> (at % 64);
            if rest != 0 {
                return Some(at + u64::from(rest.trailing_zeros())).filter(|found| *found < end);
            }
            at = (at / 64 + 1) * 64;
        }
        None
    }

    /// The set bits of a range, in order.
    pub(crate) fn ones(&self, bits: Range<u64>) -> impl Iterator<Item = u64> {
        let mut at = bits.start;
        std::iter::from_fn(move || {
            let found = self.next_set(at, bits.end)?;
            at = found + 1;
            Some(found)
        })
    }

    /// How many bits are set.
    pub(crate) fn count(&self) -> u64 {
        self.words()
            .map(|(_, word)| u64::from(word.count_ones()))
            .sum()
    }

    /// Sets every bit that is set in `other`.
    pub(crate) fn add(&self, other: &Self) {
        for (at, word) in other.words() {
            self.chunk_mut(at * 64)[index(at) % CHUNK_WORDS].fetch_or(word, Ordering::AcqRel);
        }
    }

    /// A plane with the same bits.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self {
            chunks: self.chunks.iter().map(|_| OnceLock::new()).collect(),
        };
        copy.add(self);
        copy
    }

    /// The words that are not zero, with their positions, in order.
    pub(crate) fn words(&self) -> impl Iterator<Item = (u64, u64)> {
        self.chunks
            .iter()
            .enumerate()
            .filter_map(|(n, chunk)| Some((n, chunk.get()?)))
            .flat_map(|(n, chunk)| {
                chunk
                    .iter()
                    .enumerate()
                    .map(move |(w, word)| {
                        ((n * CHUNK_WORDS + w) as u64, word.load(Ordering::Acquire))
                    })
                    .filter(|(_, word)| *word != 0)
            })
    }

    /// Sets the bits of a word; false if the plane has no such word.
    pub(crate) fn set_word(&self, at: u64, word: u64) -> bool {
        if at >= self.chunks.len() as u64 * CHUNK_WORDS as u64 {
            return false;
        }
        self.chunk_mut(at * 64)[index(at) % CHUNK_WORDS].fetch_or(word, Ordering::AcqRel);
        true
    }

    /// 128 bits from `at`, which is a multiple of 128: the blocks of a region.
    pub(crate) fn get_128(&self, at: u64) -> u128 {
        let Some(chunk) = self.chunk(at) else {
            return 0;
        };
        let low = chunk[word_in(at)].load(Ordering::Acquire);
        let high = chunk[word_in(at) + 1].load(Ordering::Acquire);
        u128::from(low) | u128::from(high) << 64
    }

    /// Sets those of 128 bits from `at`, a multiple of 128, that are set in `bits`.
    #[allow(clippy::cast_possible_truncation)] // The halves of the number.
    pub(crate) fn set_128(&self, at: u64, bits: u128) {
        if bits != 0 {
            let chunk = self.chunk_mut(at);
            chunk[word_in(at)].fetch_or(bits as u64, Ordering::AcqRel);
            chunk[word_in(at) + 1].fetch_or((bits >> 64) as u64, Ordering::AcqRel);
        }
    }
}

impl fmt::Debug for Plane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plane({} set)", self.count())
    }
}

/// Position of a bit's word in its chunk.
const fn word_in(bit: u64) -> usize {
    index(bit / 64) % CHUNK_WORDS
}

/// A bit's mask in its word.
const fn mask(bit: u64) -> u64 {
    1 << (bit % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_set_cleared_and_found() {
        let plane = Plane::new(1 << 20);
        let bits = [0, 63, 64, 127, CHUNK_BITS - 1, CHUNK_BITS, (1 << 20) - 1];
        for bit in bits {
            assert!(!plane.get(bit));
            assert!(plane.set(bit));
            assert!(!plane.set(bit));
            assert!(plane.get(bit));
        }
        assert_eq!(plane.ones(0..1 << 20).collect::<Vec<_>>(), bits);
        assert_eq!(plane.count(), bits.len() as u64);
        assert_eq!(plane.next_set(65, 127), None);
        assert_eq!(plane.next_clear(63, 1 << 20), Some(65));
        assert!(plane.clear(64));
        assert!(!plane.clear(64));
        assert_eq!(plane.next_clear(63, 1 << 20), Some(64));
        assert_eq!(plane.next_clear(63, 64), None);
    }

    #[test]
    fn planes_add_up() {
        let (a, b) = (Plane::new(1 << 18), Plane::new(1 << 18));
        a.set(3);
        b.set(3);
        b.set(200_000);
        a.add(&b);
        assert_eq!(a.ones(0..1 << 18).collect::<Vec<_>>(), [3, 200_000]);
        let copy = Plane::new(1 << 18);
        assert!(a.words().all(|(at, word)| copy.set_word(at, word)));
        assert_eq!(copy.ones(0..1 << 18).collect::<Vec<_>>(), [3, 200_000]);
        assert!(!copy.set_word(1 << 12, 1));
    }

    #[test]
    fn regions_are_read_and_written_at_once() {
        let plane = Plane::new(1 << 18);
        plane.set_128(256, 1 | 1 << 100);
        assert_eq!(plane.ones(0..1 << 18).collect::<Vec<_>>(), [256, 356]);
        assert_eq!(plane.get_128(256), 1 | 1 << 100);
        assert_eq!(plane.get_128(128), 0);
    }
}
