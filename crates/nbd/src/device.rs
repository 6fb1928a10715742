//! What the server needs of a block device.

use std::{fmt::Debug, io};

/// Whether a call may wait for a device, a lock or the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Answer at once, or say [`Outcome::WouldBlock`] with nothing done.
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
    /// Nothing was done: ask again with [`Wait::Yes`], from a thread that may wait.
    WouldBlock,
}

/// A run of bytes that are alike, for `base:allocation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Length in bytes.
    pub len: u64,
    /// Nothing is allocated here (`NBD_STATE_HOLE`).
    pub hole: bool,
    /// Reads as zeros (`NBD_STATE_ZERO`).
    pub zero: bool,
}

/// A block device. Calls come from many threads at once; offsets and lengths are in bytes and
/// lie within [`size`](Self::size) (the server checks).
///
/// Errors are mapped to NBD by kind: `StorageFull` → `ENOSPC`, `InvalidInput` → `EINVAL`,
/// `PermissionDenied` and `ReadOnlyFilesystem` → `EPERM`, everything else → `EIO`.
pub trait BlockDevice: Debug + Send + Sync {
    /// Size in bytes.
    fn size(&self) -> u64;
    /// True when writes are refused.
    fn read_only(&self) -> bool {
        false
    }
    /// Fills `buf` from `offset`.
    fn read(&self, offset: u64, buf: &mut [u8], wait: Wait) -> io::Result<Outcome>;
    /// Writes `data` at `offset`; with `fua` it is durable on return.
    fn write(&self, offset: u64, data: &[u8], fua: bool, wait: Wait) -> io::Result<Outcome>;
    /// Makes every write that was acknowledged before this call durable, whichever connection
    /// it came by.
    fn flush(&self) -> io::Result<()>;
    /// Says that a range is no longer needed; it reads as zeros.
    fn trim(&self, offset: u64, len: u64, fua: bool) -> io::Result<()>;
    /// Makes a range read as zeros. With `no_hole` the space stays allocated where the device
    /// can do so.
    fn write_zeroes(&self, offset: u64, len: u64, no_hole: bool, fua: bool) -> io::Result<()>;
    /// True when [`write_zeroes`](Self::write_zeroes) is quicker than writing the zeros. Where it is
    /// not, a client that asks for `NBD_CMD_FLAG_FAST_ZERO` is told `ENOTSUP` and nothing is done.
    fn fast_zeroes(&self, _no_hole: bool) -> bool {
        false
    }
    /// Lets go of calls that wait for something that may never come: those on whose behalf they wait are
    /// cut off. They may fail, since nobody hears of it. Called when a connection is cut.
    fn abandon_waits(&self) {}
    /// Describes a range, from its start, in order and without gaps. May stop early, after at
    /// least one extent.
    fn extents(&self, offset: u64, len: u64) -> io::Result<Vec<Extent>>;
}
