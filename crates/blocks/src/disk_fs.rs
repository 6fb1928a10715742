//! The real file system.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, IoSlice, IoSliceMut},
    os::unix::fs::FileExt as _,
    path::Path,
    sync::Arc,
};

use rustix::{
    fs::{
        Advice, FallocateFlags, Mode, OFlags, SeekFrom, fadvise, fallocate, fdatasync, ftruncate,
        open, seek, statvfs,
    },
    io::{Errno, ReadWriteFlags, preadv2, pwritev2},
};

use crate::disk::{Disk, DiskFile, OpenMode, Space};

/// Files of the machine that this process runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct FsDisk;

impl Disk for FsDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(mode != OpenMode::Read)
            .create_new(mode == OpenMode::CreateNew);
        Ok(Arc::new(FsFile(options.open(path)?)))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = std::fs::read_dir(dir)?
            .map(|entry| entry?.file_name().into_string().map_err(not_unicode))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort_unstable();
        Ok(names)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        let found = retry(|| statvfs(path))?;
        Ok(Space {
            free: found.f_bavail * found.f_frsize,
            total: found.f_blocks * found.f_frsize,
        })
    }

    fn takes_file_of(&self, dir: &Path, bytes: u64) -> io::Result<bool> {
        // A file without a name: a process that is killed here leaves nothing.
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        let file = match retry(|| open(dir, flags, Mode::RUSR | Mode::WUSR)) {
            Ok(file) => file,
            Err(error) if is_unsupported(&error) => return Ok(true),
            Err(error) => return Err(error),
        };
        match retry(|| ftruncate(&file, bytes)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// An open file.
#[derive(Debug)]
struct FsFile(File);

impl DiskFile for FsFile {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_exact_at(buf, offset)
    }

    fn try_read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<bool> {
        let mut done = 0;
        while done < buf.len() {
            let rest = &mut buf[done..];
            let at = offset + done as u64;
            match retry(|| {
                preadv2(
                    &self.0,
                    &mut [IoSliceMut::new(rest)],
                    at,
                    ReadWriteFlags::NOWAIT,
                )
            }) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                // The file system cannot tell; a read that waits is the only one there is.
                Err(error) if is_unsupported(&error) => {
                    return self.0.read_exact_at(rest, at).map(|()| true);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(buf, offset)
    }

    fn write_all_at_durably(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let mut done = 0;
        while done < buf.len() {
            let rest = &buf[done..];
            let at = offset + done as u64;
            match retry(|| pwritev2(&self.0, &[IoSlice::new(rest)], at, ReadWriteFlags::DSYNC)) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => done += count,
                Err(error) if is_unsupported(&error) => {
                    self.0.write_all_at(rest, at)?;
                    return self.0.sync_data();
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn punch_hole(&self, offset: u64, len: u64) -> io::Result<()> {
        if len == 0 {
            return Ok(());
        }
        retry(|| {
            fallocate(
                &self.0,
                FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE,
                offset,
                len,
            )
        })
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        if len == 0 {
            return Ok(());
        }
        retry(|| fallocate(&self.0, FallocateFlags::empty(), offset, len))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        match seek(&self.0, SeekFrom::Data(offset)) {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NXIO) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn next_hole(&self, offset: u64) -> io::Result<u64> {
        match seek(&self.0, SeekFrom::Hole(offset)) {
            Ok(found) => Ok(found),
            // At or after the end of the file, which counts as a hole.
            Err(Errno::NXIO) => Ok(offset),
            Err(error) => Err(error.into()),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        // Not retried on its own account: a second fdatasync after a failed one may lie.
        retry(|| fdatasync(&self.0))
    }

    fn forget_cached(&self) -> io::Result<()> {
        retry(|| fadvise(&self.0, 0, None, Advice::DontNeed))
    }

    fn try_lock(&self) -> io::Result<bool> {
        match self.0.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Repeats a system call that a signal interrupted before it did anything.
fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> io::Result<T> {
    rustix::io::retry_on_intr(&mut call).map_err(io::Error::from)
}

/// Whether the kernel or the file system does not know the flag of a call.
fn is_unsupported(error: &io::Error) -> bool {
    [Errno::NOSYS, Errno::OPNOTSUPP, Errno::INVAL]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

fn not_unicode(name: std::ffi::OsString) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the name {} is not Unicode", name.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_says_which_files_it_takes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let file = File::create(&path).unwrap();
        for tib in [1, 15, 16, 64] {
            let taken = match file.set_len(tib << 40) {
                Ok(()) => true,
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge => false,
                Err(error) => panic!("{error}"),
            };
            let told = FsDisk.takes_file_of(dir.path(), tib << 40).unwrap();
            assert_eq!(told, taken, "{tib} TiB");
        }
        assert_eq!(FsDisk.list(dir.path()).unwrap(), ["file"]);
    }
}
