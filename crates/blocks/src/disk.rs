//! The file system as the engine sees it.
//!
//! Everything that the engine makes durable goes through [`Disk`] and [`DiskFile`], so that a
//! simulated disk (`cairn-testkit`) can lose, reorder and tear whatever was not synced.
//!
//! Durability contract, the one of POSIX file systems with nothing added: bytes written are
//! durable after [`DiskFile::sync_data`] returns; a created, renamed or removed name is durable
//! after [`Disk::sync_dir`] of its directory returns. Without these calls any subset of the
//! writes may be lost at a power failure, in any order, torn at 512-byte sectors.

use std::{
    fmt::Debug,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// For reading; the file must exist.
    Read,
    /// For reading and writing; the file must exist.
    ReadWrite,
    /// For reading and writing; the file must not exist.
    CreateNew,
}

/// Space on the file system that holds a path, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Bytes that can still be allocated.
    pub free: u64,
    /// Size of the file system.
    pub total: u64,
}

/// A file system.
pub trait Disk: Debug + Send + Sync {
    /// Opens a file.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>>;
    /// Creates a directory and its missing parents.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Names in a directory, sorted. A missing directory is `NotFound`.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory with all it holds.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Renames a file, replacing the target atomically.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Space on the file system that holds `path`.
    fn space(&self, path: &Path) -> io::Result<Space>;
    /// Whether the file system that holds the directory `dir` takes a sparse file of so many bytes:
    /// ext4, for one, takes none of 16 TiB. Where that cannot be told it is taken for granted.
    fn takes_file_of(&self, dir: &Path, bytes: u64) -> io::Result<bool> {
        let _unknown = (dir, bytes);
        Ok(true)
    }
}

/// An open file. All calls take offsets in bytes and may run side by side.
#[expect(
    clippy::len_without_is_empty,
    reason = "a length that is asked of the file system can fail"
)]
pub trait DiskFile: Debug + Send + Sync {
    /// Fills `buf` from `offset`; `UnexpectedEof` when the file ends before.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;
    /// As [`read_exact_at`](Self::read_exact_at), but only if the bytes are at hand without
    /// waiting for the device. Returns false, with `buf` undefined, when they are not.
    fn try_read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<bool>;
    /// Writes all of `buf` at `offset`.
    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()>;
    /// Writes all of `buf` at `offset`; these bytes are durable on return (`RWF_DSYNC`).
    fn write_all_at_durably(&self, buf: &[u8], offset: u64) -> io::Result<()>;
    /// Deallocates a range without changing the length; it reads as zeros.
    fn punch_hole(&self, offset: u64, len: u64) -> io::Result<()>;
    /// Allocates space for a range, extending the file if need be; new bytes read as zeros.
    fn allocate(&self, offset: u64, len: u64) -> io::Result<()>;
    /// Sets the length.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// The length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// The first offset at or after `offset` that holds data, or `None` if a hole reaches to the end.
    fn next_data(&self, offset: u64) -> io::Result<Option<u64>>;
    /// The first offset at or after `offset` that lies in a hole (the end of the file counts as one).
    fn next_hole(&self, offset: u64) -> io::Result<u64>;
    /// Makes every byte written so far durable, and what is needed to read it back (`fdatasync`).
    fn sync_data(&self) -> io::Result<()>;
    /// Asks that what is read next comes from the device, as far as it was synced. An advice: where
    /// there is no such thing, nothing happens.
    fn forget_cached(&self) -> io::Result<()> {
        Ok(())
    }
    /// Takes an exclusive lock that lives as long as this open file. False: somebody else holds it.
    fn try_lock(&self) -> io::Result<bool>;
}

/// Creates a directory and its missing parents so that they survive a power failure.
///
/// The parent is synced also when the directory is already there: a crash may have come between
/// its creation and the sync.
pub fn create_dir_durably(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let missing = missing_ancestors(disk, path)?;
    disk.create_dir_all(path)?;
    for dir in missing.iter().map(PathBuf::as_path).chain([path]) {
        if let Some(parent) = dir.parent() {
            disk.sync_dir(or_current(parent))?;
        }
    }
    Ok(())
}

/// The directories above `path` that do not exist, innermost first.
fn missing_ancestors(disk: &dyn Disk, path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut missing = Vec::new();
    for dir in path.ancestors().skip(1) {
        match disk.list(or_current(dir)) {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                missing.push(dir.to_path_buf());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(missing)
}

/// The parent of a relative name of one part is the empty path, which no system call accepts.
fn or_current(dir: &Path) -> &Path {
    if dir.as_os_str().is_empty() {
        Path::new(".")
    } else {
        dir
    }
}
