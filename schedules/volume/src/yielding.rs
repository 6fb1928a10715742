//! A disk on which another thread may run before and after each call.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use cairn_blocks::disk::{Disk, DiskFile, OpenMode, Space};
use cairn_testkit::SimDisk;

/// The simulated disk, with a point at which threads are scheduled on both sides of each call to
/// a file.
#[derive(Clone, Debug)]
pub struct Yielding(pub SimDisk);

#[derive(Debug)]
struct YieldingFile {
    file: Arc<dyn DiskFile>,
    /// Looking at it lets the scheduler decide anew. A yield would tell it to prefer others.
    crossing: AtomicBool,
}

impl YieldingFile {
    fn call<T>(&self, call: impl FnOnce(&dyn DiskFile) -> T) -> T {
        self.crossing.load(Ordering::SeqCst);
        let answer = call(&*self.file);
        self.crossing.load(Ordering::SeqCst);
        answer
    }
}

impl Disk for Yielding {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.0.open(path, mode)?;
        let crossing = AtomicBool::new(false);
        Ok(Arc::new(YieldingFile { file, crossing }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.0.create_dir_all(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.0.list(dir)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.remove(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.0.remove_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.0.sync_dir(dir)
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        self.0.space(path)
    }
}

impl DiskFile for YieldingFile {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.call(|file| file.read_exact_at(buf, offset))
    }

    fn try_read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<bool> {
        self.call(|file| file.try_read_exact_at(buf, offset))
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.call(|file| file.write_all_at(buf, offset))
    }

    fn write_all_at_durably(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.call(|file| file.write_all_at_durably(buf, offset))
    }

    fn punch_hole(&self, offset: u64, len: u64) -> io::Result<()> {
        self.call(|file| file.punch_hole(offset, len))
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        self.call(|file| file.allocate(offset, len))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.call(|file| file.set_len(len))
    }

    fn len(&self) -> io::Result<u64> {
        self.call(|file| file.len())
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        self.call(|file| file.next_data(offset))
    }

    fn next_hole(&self, offset: u64) -> io::Result<u64> {
        self.call(|file| file.next_hole(offset))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.call(|file| file.sync_data())
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.call(|file| file.try_lock())
    }
}
