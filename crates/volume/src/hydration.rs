//! How far a volume is filled from its base, also while it is not open.

use std::path::Path;

use cairn_blocks::{DataKey, disk::Disk};

use crate::{
    error::Error, geometry::block_count, recovery, seal::Keys, types::Hydration, volume::open_data,
};

impl Hydration {
    /// How many per cent of the volume no longer need its base; 100 only when none does.
    pub fn percent(&self) -> u64 {
        match self.present_blocks >= self.total_blocks {
            true => 100,
            false => self.present_blocks * 100 / self.total_blocks,
        }
    }
}

/// How far a volume is filled that is not open. Changes nothing; `boot_id` is that of the kernel.
///
/// # Errors
/// [`Error::Locked`] when somebody has it open; [`Error::NotFound`] when there is none;
/// [`Error::Damaged`] when its files contradict themselves; with the wrong key, or none, or one too
/// many the errors of [`open`](crate::open).
pub fn hydration(
    disk: &dyn Disk,
    dir: &Path,
    key: Option<&DataKey>,
    boot_id: &str,
) -> Result<Hydration, Error> {
    let keys = key.cloned().map(Keys::new);
    let _lock = open_data(disk, dir)?;
    let found = recovery::recover(disk, dir, keys.as_ref(), boot_id)?;
    let total_blocks = block_count(found.state.size_bytes);
    Ok(Hydration {
        total_blocks,
        present_blocks: match found.all_present {
            true => total_blocks,
            false => found.present.count(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_per_cent_is_all_of_it() {
        let percent = |present_blocks, total_blocks| {
            let hydration = Hydration {
                total_blocks,
                present_blocks,
            };
            hydration.percent()
        };
        assert_eq!((percent(0, 3), percent(1, 3), percent(2, 3)), (0, 33, 66));
        assert_eq!((percent(1999, 2000), percent(2000, 2000)), (99, 100));
    }
}
