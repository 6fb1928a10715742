//! A disk that tells of each write before it happens, for tests of what is on a disk at any time.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use cairn_blocks::disk::{Disk, DiskFile, OpenMode, Space};

/// Told the file, the bytes and their offset; also of writes that the disk does not take, since it may
/// hold a part of them.
type OnWrite = Arc<dyn Fn(&Path, &[u8], u64) + Send + Sync>;

/// A disk that passes everything on to another one.
#[derive(Clone)]
pub struct Tap {
    disk: Arc<dyn Disk>,
    on_write: OnWrite,
}

impl Tap {
    /// A disk over `disk` that calls `on_write` before each write to a file.
    pub fn new(
        disk: Arc<dyn Disk>,
        on_write: impl Fn(&Path, &[u8], u64) + Send + Sync + 'static,
    ) -> Self {
        Self {
            disk,
            on_write: Arc::new(on_write),
        }
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tap").field(&self.disk).finish()
    }
}

impl Disk for Tap {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(TapFile {
            file: self.disk.open(path, mode)?,
            path: path.to_owned(),
            on_write: Arc::clone(&self.on_write),
        }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.disk.create_dir_all(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.disk.list(dir)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.sync_dir(dir)
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        self.disk.space(path)
    }

    fn takes_file_of(&self, dir: &Path, bytes: u64) -> io::Result<bool> {
        self.disk.takes_file_of(dir, bytes)
    }
}

struct TapFile {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    on_write: OnWrite,
}

impl fmt::Debug for TapFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TapFile").field(&self.path).finish()
    }
}

impl DiskFile for TapFile {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buf, offset)
    }

    fn try_read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<bool> {
        self.file.try_read_exact_at(buf, offset)
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        (self.on_write)(&self.path, buf, offset);
        self.file.write_all_at(buf, offset)
    }

    fn write_all_at_durably(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        (self.on_write)(&self.path, buf, offset);
        self.file.write_all_at_durably(buf, offset)
    }

    fn punch_hole(&self, offset: u64, len: u64) -> io::Result<()> {
        self.file.punch_hole(offset, len)
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        self.file.allocate(offset, len)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        self.file.next_data(offset)
    }

    fn next_hole(&self, offset: u64) -> io::Result<u64> {
        self.file.next_hole(offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn forget_cached(&self) -> io::Result<()> {
        self.file.forget_cached()
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.file.try_lock()
    }
}
