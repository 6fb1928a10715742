//! What a volume needs of the block store: what garbage collection has to keep for it.

use std::path::Path;

use cairn_blocks::{DataKey, Digest, DomainId, disk::Disk};

use crate::{
    error::{Error, IoContext as _},
    recovery,
    seal::Keys,
    state::State,
    sync::share,
    types::Base,
    volume::{Volume, open_data},
};

/// Blobs that a volume relies on. Whatever a crash takes back from now on, it never needs others
/// than these and those that it puts later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Where its absent blocks come from, and what its next snapshot is made from.
    pub base: Option<Base>,
    /// The domain of its snapshots.
    pub domain: DomainId,
    /// Blocks in that domain that were captured for epochs that are still pending. The volume may
    /// have changed them since: no other place has their bytes.
    pub released: Vec<Digest>,
}

impl Claims {
    fn of(state: &State) -> Self {
        let released = state
            .epochs
            .iter()
            .flat_map(|epoch| epoch.released.values());
        Self {
            base: state.base,
            domain: state.domain,
            released: released.copied().flatten().collect(),
        }
    }
}

impl Volume {
    /// What the volume needs of the block store.
    ///
    /// # Errors
    /// [`Error::Closed`], [`Error::Failed`], and those of the disk.
    pub fn claims(&self) -> Result<Claims, Error> {
        self.core.check_usable()?;
        let claims = Claims::of(&share(&self.core.gate));
        // A commit is not synced for its own sake. Had a power loss taken it back, the volume
        // would need the base that it had before.
        self.core
            .journal
            .sync_to(self.core.journal.end())
            .context("sync the journal")?;
        Ok(claims)
    }
}

/// What a volume needs that is not open. Changes nothing; `boot_id` is that of the kernel.
///
/// # Errors
/// [`Error::Locked`] when somebody has it open; [`Error::NotFound`] when there is none;
/// [`Error::Damaged`] when its files contradict themselves; with the wrong key, or none, or one too
/// many the errors of [`open`](crate::open).
pub fn claims(
    disk: &dyn Disk,
    dir: &Path,
    key: Option<&DataKey>,
    boot_id: &str,
) -> Result<Claims, Error> {
    let keys = key.cloned().map(Keys::new);
    let _lock = open_data(disk, dir)?;
    Ok(Claims::of(
        &recovery::recover(disk, dir, keys.as_ref(), boot_id)?.state,
    ))
}
