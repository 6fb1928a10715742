//! The words of this room.

use std::{fmt, num::NonZeroU64, sync::Arc, time::Duration};

use cairn_blocks::{DomainId, Root};

use crate::{
    error::Error,
    geometry::{MAX_SIZE, SECTOR},
    pressure::Pressure,
};

/// The snapshot that a volume starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Base {
    /// The domain that holds the snapshot's blobs. It may differ from the volume's own: then the
    /// first snapshot of the volume copies every block into the volume's domain.
    pub domain: DomainId,
    /// The snapshot.
    pub root: Root,
}

/// What a new volume is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeSpec {
    /// Size in bytes: a multiple of 512, at most 64 TiB, and no smaller than the base.
    pub size_bytes: u64,
    /// The domain that the volume's snapshots go to.
    pub domain: DomainId,
    /// Its first content; `None` is a blank volume.
    pub base: Option<Base>,
}

impl VolumeSpec {
    /// Checks the size.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        check_size(self.size_bytes)?;
        match self.base {
            Some(base) if base.root.size_bytes > self.size_bytes => {
                Err(Error::Invalid("the volume is smaller than its base"))
            }
            _ => Ok(()),
        }
    }
}

/// Refuses sizes that no volume can have.
pub(crate) fn check_size(size_bytes: u64) -> Result<(), Error> {
    if size_bytes == 0 || !size_bytes.is_multiple_of(SECTOR) || size_bytes > MAX_SIZE {
        return Err(Error::Invalid(
            "the size has to be a multiple of 512 bytes, from 512 to 64 TiB",
        ));
    }
    Ok(())
}

/// Who does the background work: fold, hydrate, intents, checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Background {
    /// A thread of the volume's own.
    Threads,
    /// Whoever calls [`Volume::work`](crate::Volume::work), and a write that would have to wait.
    /// Everything happens in the order of the calls, so that a test can repeat it.
    Manual,
}

/// How scarce space is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scarcity {
    /// There is enough.
    #[default]
    Ample,
    /// There is little: each write waits for a moment.
    Low,
    /// There is none to speak of: writes wait until there is.
    Exhausted,
}

/// What becomes of a write that finds no space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// It is refused.
    Refuse,
    /// It waits until there is space, or until [`Volume::abandon_waits`](crate::Volume::abandon_waits).
    Hold,
}

/// How a volume is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Size of a journal segment in bytes, at least 16 KiB.
    pub journal_segment_bytes: u64,
    /// How long the journal may grow, in bytes; at least two segments. A write that would exceed
    /// it waits.
    pub journal_cap_bytes: u64,
    /// The boot id of the kernel, at most 64 bytes. If it is the one of the last time, then the
    /// page cache survived and nothing that was written can be missing.
    pub boot_id: String,
    /// Who does the background work.
    pub background: Background,
    /// Whether the base is copied into the volume in the background, beyond what is touched.
    pub hydrate: bool,
    /// Blocks that are copied in the background before all others, in this order: an earlier
    /// volume's [`first_touched`](crate::Volume::first_touched). Blocks that do not exist do no harm.
    pub boot_set: Arc<[u64]>,
    /// How many bytes a second are copied in the background, on average; what is asked for is not
    /// held up by this. `None` is as fast as it goes. Only with [`Background::Threads`].
    pub hydration_rate: Option<NonZeroU64>,
    /// How scarce space is, for all volumes on a file system.
    pub pressure: Arc<Pressure>,
    /// What becomes of a write that finds no space.
    pub when_full: WhenFull,
}

impl Options {
    /// The settings for a server, on the boot that `boot_id` names.
    pub fn new(boot_id: impl Into<String>) -> Self {
        Self {
            journal_segment_bytes: 64 << 20,
            journal_cap_bytes: 1 << 30,
            boot_id: boot_id.into(),
            background: Background::Threads,
            hydrate: true,
            boot_set: Arc::default(),
            hydration_rate: None,
            pressure: Arc::default(),
            when_full: WhenFull::Hold,
        }
    }

    /// Checks the limits.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.journal_segment_bytes < 16 << 10 || self.journal_segment_bytes > 1 << 30 {
            return Err(Error::Invalid("a journal segment has from 16 KiB to 1 GiB"));
        }
        if self.journal_cap_bytes < 2 * self.journal_segment_bytes {
            return Err(Error::Invalid("the journal holds at least two segments"));
        }
        if self.boot_id.len() > 64 {
            return Err(Error::Invalid("a boot id has at most 64 bytes"));
        }
        Ok(())
    }
}

/// The caller's name for a freeze, for instance the id of the snapshot: 1 to 255 bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EpochTag(String);

impl EpochTag {
    /// A tag; it is refused when it is empty or longer than 255 bytes.
    pub fn new(name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        match name.len() {
            1..=255 => Ok(Self(name)),
            _ => Err(Error::Invalid("an epoch tag has from 1 to 255 bytes")),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EpochTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EpochTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch:{}", self.0)
    }
}

/// Whether a call may wait for a device, a lock or the block store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Answer at once, or say [`Outcome::WouldBlock`].
    No,
    /// Take as long as it takes.
    Yes,
}

/// What became of a call that was allowed to decline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// Done.
    Done,
    /// Nothing was acknowledged: ask again with [`Wait::Yes`], from a thread that may wait.
    WouldBlock,
}

/// A run of bytes that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Length in bytes.
    pub len: u64,
    /// Nothing is allocated here.
    pub hole: bool,
    /// Reads as zeros.
    pub zero: bool,
}

/// How far a capture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Blocks whose image is safe in the block store.
    pub captured_blocks: u64,
    /// Blocks of the epoch.
    pub total_blocks: u64,
    /// Bytes of blocks that the store did not have before, before compression.
    pub new_bytes: u64,
}

/// How much of a volume no longer needs its base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hydration {
    /// Blocks of the volume.
    pub total_blocks: u64,
    /// Blocks that are read from the volume's own file.
    pub present_blocks: u64,
}

/// What a freeze cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freeze {
    /// How long guests were held: from asking for the first gate to opening the last.
    pub pause: Duration,
}

/// What a unit of background work came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Something was done; there may be more.
    Progress,
    /// There is nothing to do.
    Idle,
}
