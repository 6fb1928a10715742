//! In which order a guest first needed the blocks of its base: what another guest of the same image
//! will need, and when.
//!
//! Only absent blocks are looked at, which are slow anyway.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use crate::{geometry::MAX_BLOCKS, plane::Plane, sync::lock};

/// So many blocks are remembered: 8 GiB, many times what a boot reads.
const MAX_TOUCHED: usize = 16 << 10;

/// See the head of this file.
#[derive(Debug)]
pub(crate) struct FirstTouches {
    seen: Plane,
    order: Mutex<Vec<u64>>,
    count: AtomicUsize,
}

impl Default for FirstTouches {
    fn default() -> Self {
        Self {
            seen: Plane::new(MAX_BLOCKS),
            order: Mutex::default(),
            count: AtomicUsize::new(0),
        }
    }
}

impl FirstTouches {
    /// Notes that a guest needs what the base holds for a block.
    pub(crate) fn note(&self, block: u64) {
        if self.count() == MAX_TOUCHED || !self.seen.set(block) {
            return;
        }
        let mut order = lock(&self.order);
        if order.len() < MAX_TOUCHED {
            order.push(block);
            self.count.store(order.len(), Ordering::Relaxed);
        }
    }

    /// How many blocks are noted.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// The blocks, in their order.
    pub(crate) fn order(&self) -> Vec<u64> {
        lock(&self.order).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_block_is_noted_once_and_only_so_many() {
        let touches = FirstTouches::default();
        for block in [7, 3, 7, 9, 3] {
            touches.note(block);
        }
        assert_eq!(touches.order(), [7, 3, 9]);
        (0..20_000).for_each(|block| touches.note(block));
        assert_eq!(
            (touches.count(), touches.order().len()),
            (MAX_TOUCHED, MAX_TOUCHED)
        );
        assert_eq!(touches.order()[..4], [7, 3, 9, 0]);
    }
}
