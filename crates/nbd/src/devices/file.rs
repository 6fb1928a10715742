//! A disk in a file, byte for byte.

use crate::device::{BlockDevice, Extent, Outcome, Wait};
use rustix::{
    fs::{FallocateFlags, SeekFrom, fallocate, fdatasync, seek},
    io::{Errno, ReadWriteFlags, preadv2, pwritev2, retry_on_intr},
};
use std::{
    fs::{File, OpenOptions},
    io::{self, IoSlice, IoSliceMut},
    os::unix::fs::FileExt as _,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// Zeros that are written at a time where the file system cannot make them by itself, in bytes.
const ZEROS: usize = 256 << 10;
/// Extents that are looked up at a time, at most.
const MAX_LOOKED_UP: usize = 1024;

/// A raw image file: the offset in the file is the offset on the disk. Reads and writes go through
/// the page cache; nothing is durable before a flush. For tests, benchmarks and examples.
#[derive(Debug)]
pub struct FileDevice {
    file: File,
    size: u64,
    read_only: bool,
    /// The file system can read without waiting (`RWF_NOWAIT`).
    can_decline: AtomicBool,
    /// The file system can punch holes.
    can_punch: bool,
    /// `lseek` moves a position that the descriptor has once.
    seeking: Mutex<()>,
}

impl FileDevice {
    /// Opens an image for reading and writing. Its size stays what it is now.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::with(OpenOptions::new().read(true).write(true).open(path)?, false)
    }

    /// Opens an image for reading.
    pub fn open_read_only(path: &Path) -> io::Result<Self> {
        Self::with(File::open(path)?, true)
    }

    fn with(file: File, read_only: bool) -> io::Result<Self> {
        let size = file.metadata()?.len();
        let can_punch = !read_only && can_punch(&file, size)?;
        let (can_decline, seeking) = (AtomicBool::new(true), Mutex::default());
        Ok(Self {
            file,
            size,
            read_only,
            can_decline,
            can_punch,
            seeking,
        })
    }

    /// Reads what is in memory. `None` when something is not, or the file system cannot say.
    fn read_now(&self, mut offset: u64, mut buf: &mut [u8]) -> io::Result<Option<()>> {
        while !buf.is_empty() {
            let read = retry_on_intr(|| {
                preadv2(
                    &self.file,
                    &mut [IoSliceMut::new(&mut *buf)],
                    offset,
                    ReadWriteFlags::NOWAIT,
                )
            });
            let read = match read {
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::OPNOTSUPP) => {
                    self.can_decline.store(false, Ordering::Relaxed);
                    return Ok(None);
                }
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => read?,
            };
            buf = &mut buf[read..];
            offset += read as u64;
        }
        Ok(Some(()))
    }

    fn write_durably(&self, mut offset: u64, mut data: &[u8]) -> io::Result<()> {
        while !data.is_empty() {
            let written = retry_on_intr(|| {
                pwritev2(
                    &self.file,
                    &[IoSlice::new(data)],
                    offset,
                    ReadWriteFlags::DSYNC,
                )
            })?;
            data = &data[written..];
            offset += written as u64;
        }
        Ok(())
    }

    /// Makes a range read as zeros, by the first of the ways that the file system knows.
    fn zero(&self, offset: u64, len: u64, no_hole: bool) -> io::Result<()> {
        let way = if no_hole {
            FallocateFlags::ZERO_RANGE
        } else {
            FallocateFlags::PUNCH_HOLE
        };
        match retry_on_intr(|| fallocate(&self.file, way | FallocateFlags::KEEP_SIZE, offset, len))
        {
            Err(Errno::OPNOTSUPP) => self.write_zeros(offset, len),
            done => Ok(done?),
        }
    }

    fn write_zeros(&self, offset: u64, len: u64) -> io::Result<()> {
        let zeros = vec![0; ZEROS];
        let end = offset + len;
        for from in (offset..end).step_by(ZEROS) {
            let run = usize::try_from(end - from).unwrap_or(ZEROS).min(ZEROS);
            self.file.write_all_at(&zeros[..run], from)?;
        }
        Ok(())
    }

    fn sync_if(&self, fua: bool) -> io::Result<()> {
        if fua { self.flush() } else { Ok(()) }
    }

    /// The extent that begins at `from`, cut at `end`.
    fn extent(&self, from: u64, end: u64) -> io::Result<Extent> {
        let data = match seek(&self.file, SeekFrom::Data(from)) {
            // There is no data up to the end of the file.
            Err(Errno::NXIO) => end,
            found => found?.min(end),
        };
        if data > from {
            return Ok(Extent {
                len: data - from,
                hole: true,
                zero: true,
            });
        }
        let hole = seek(&self.file, SeekFrom::Hole(from))?.min(end);
        Ok(Extent {
            len: hole - from,
            hole: false,
            zero: false,
        })
    }
}

impl BlockDevice for FileDevice {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_only(&self) -> bool {
        self.read_only
    }

    fn read(&self, offset: u64, buf: &mut [u8], wait: Wait) -> io::Result<Outcome> {
        if wait == Wait::No && self.can_decline.load(Ordering::Relaxed) {
            return Ok(self
                .read_now(offset, buf)?
                .map_or(Outcome::WouldBlock, |()| Outcome::Done));
        }
        if wait == Wait::No {
            return Ok(Outcome::WouldBlock);
        }
        self.file.read_exact_at(buf, offset)?;
        Ok(Outcome::Done)
    }

    /// A write without `fua` is a copy to the page cache, and counts as one that does not wait.
    fn write(&self, offset: u64, data: &[u8], fua: bool, wait: Wait) -> io::Result<Outcome> {
        match (fua, wait) {
            (true, Wait::No) => return Ok(Outcome::WouldBlock),
            (true, Wait::Yes) => self.write_durably(offset, data)?,
            (false, _) => self.file.write_all_at(data, offset)?,
        }
        Ok(Outcome::Done)
    }

    fn flush(&self) -> io::Result<()> {
        Ok(retry_on_intr(|| fdatasync(&self.file))?)
    }

    fn trim(&self, offset: u64, len: u64, fua: bool) -> io::Result<()> {
        self.zero(offset, len, false)?;
        self.sync_if(fua)
    }

    fn write_zeroes(&self, offset: u64, len: u64, no_hole: bool, fua: bool) -> io::Result<()> {
        self.zero(offset, len, no_hole)?;
        self.sync_if(fua)
    }

    /// Zeros that are to stay allocated are left out: whether those are quick is seen only when it is too late.
    fn fast_zeroes(&self, no_hole: bool) -> bool {
        self.can_punch && !no_hole
    }

    fn extents(&self, offset: u64, len: u64) -> io::Result<Vec<Extent>> {
        let _turn = self.seeking.lock().unwrap_or_else(PoisonError::into_inner);
        let end = offset + len;
        let mut extents = Vec::new();
        let mut from = offset;
        while from < end && extents.len() < MAX_LOOKED_UP {
            let extent = self.extent(from, end)?;
            from += extent.len;
            extents.push(extent);
        }
        Ok(extents)
    }
}

/// Punches a hole behind the end of the file, where there is nothing, to see whether that works.
fn can_punch(file: &File, size: u64) -> io::Result<bool> {
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    match retry_on_intr(|| fallocate(file, flags, size, 4096)) {
        Ok(()) => Ok(true),
        Err(Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
