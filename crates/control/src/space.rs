//! The space that the bytes lie in: what is refused, slowed down and held back when it runs out.
//!
//! In this order: new volumes and snapshots are refused while there is less than the reserve, so that
//! those in use can go on; below half of it guests are slowed down and no block of an upload is taken;
//! below an eighth guests wait. What is left is for the metadata, for captures under way and for
//! garbage collection. Nobody is told of a full disk who cannot do anything about it.

use std::time::Duration;

use cairn_blocks::disk::Space as OfDisk;
use cairn_volume::Scarcity;

use crate::{Control, Error, Result, ticks::Ticks};

/// Space that is kept free for the volumes there are, if the file system is large enough.
const RESERVE_BYTES: u64 = 1 << 30;

/// How often the file system is asked.
pub(crate) const EVERY: Duration = Duration::from_millis(500);

/// The space of the file system that holds the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Bytes that can still be written.
    pub free_bytes: u64,
    /// Size of the file system, in bytes.
    pub total_bytes: u64,
    /// Below so many free bytes no new volume or snapshot is made.
    pub reserve_bytes: u64,
}

impl Space {
    pub(crate) fn of(space: OfDisk) -> Self {
        Self {
            free_bytes: space.free,
            total_bytes: space.total,
            reserve_bytes: RESERVE_BYTES.min(space.total / 20),
        }
    }

    /// Whether there is room for one more volume or snapshot.
    pub fn has_room(&self) -> bool {
        self.free_bytes > self.reserve_bytes
    }

    /// Bytes beyond the reserve.
    pub(crate) fn spare_bytes(&self) -> u64 {
        self.free_bytes.saturating_sub(self.reserve_bytes)
    }

    /// What guests feel of it.
    pub fn scarcity(&self) -> Scarcity {
        if self.free_bytes >= self.reserve_bytes / 2 {
            Scarcity::Ample
        } else if self.free_bytes >= self.reserve_bytes / 8 {
            Scarcity::Low
        } else {
            Scarcity::Exhausted
        }
    }
}

impl Control {
    /// The space that there is.
    pub async fn space(&self) -> Result<Space> {
        Ok(self.engine().space().await?)
    }

    /// Refuses to store a block of an upload when guests need what is left. The file system is asked
    /// anew: between two looks of the watch an upload can fill a small one to its last byte.
    pub(crate) async fn check_space(&self) -> Result<()> {
        match self.space().await?.scarcity() {
            Scarcity::Ample => Ok(()),
            Scarcity::Low | Scarcity::Exhausted => Err(Error::storage_full()),
        }
    }
}

/// Tells the volumes how scarce space is, until the server ends.
pub(crate) async fn watch(mut ticks: Ticks) {
    while let Some(control) = ticks.next().await {
        match control.engine().space().await {
            Ok(space) => {
                // Before anybody is held up for want of it.
                if !space.has_room() {
                    control.engine().give_back_caches().await;
                }
                tell(&control, space);
            }
            // Without an answer, what was said last holds.
            Err(error) => tracing::warn!(%error, "ask the file system for its space"),
        }
    }
}

fn tell(control: &Control, space: Space) {
    let (free_mib, now) = (space.free_bytes >> 20, space.scarcity());
    let before = control.engine().pressure().set(now);
    match now {
        _ if now == before => {}
        Scarcity::Ample => tracing::info!(free_mib, "there is space again"),
        Scarcity::Low => tracing::warn!(free_mib, "space is low: guests are slowed down"),
        Scarcity::Exhausted => tracing::error!(free_mib, "space is exhausted: guests wait for it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(free: u64, total: u64) -> Space {
        Space::of(OfDisk { free, total })
    }

    #[test]
    fn what_is_refused_comes_before_what_is_slowed_and_what_waits() {
        const MIB: u64 = 1 << 20;
        const TIB: u64 = 1 << 40;
        assert!(space(1025 * MIB, TIB).has_room());
        assert!(!space(1024 * MIB, TIB).has_room());
        assert_eq!(space(512 * MIB, TIB).scarcity(), Scarcity::Ample);
        assert_eq!(space(511 * MIB, TIB).scarcity(), Scarcity::Low);
        assert_eq!(space(128 * MIB, TIB).scarcity(), Scarcity::Low);
        assert_eq!(space(127 * MIB, TIB).scarcity(), Scarcity::Exhausted);
        // A small file system keeps a twentieth.
        assert!(space(6 * MIB, 100 * MIB).has_room());
        assert_eq!(space(6 * MIB, 100 * MIB).scarcity(), Scarcity::Ample);
        assert_eq!(space(0, 100 * MIB).scarcity(), Scarcity::Exhausted);
    }
}
