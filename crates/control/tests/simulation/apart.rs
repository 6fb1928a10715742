//! A disk on which the cache of blocks lies apart.
//!
//! The cache is written by a thread of its own beside everything else, when it gets to it, and nothing
//! of it outlives the server. So it has a disk to itself, on which nothing dies and nothing is traced.
//! Whether a block is found in it decides which reads there are, and no more than that.

use std::{io, path::Path, sync::Arc};

use cairn_blocks::disk::{Disk, DiskFile, OpenMode, Space};
use cairn_testkit::SimDisk;

#[derive(Debug)]
pub(crate) struct Apart {
    disk: SimDisk,
    cache: SimDisk,
}

impl Apart {
    /// Over a disk, with an empty cache.
    pub(crate) fn new(disk: &SimDisk) -> Self {
        Self {
            disk: disk.clone(),
            cache: SimDisk::new(),
        }
    }

    fn of(&self, path: &Path) -> &SimDisk {
        if path.file_name().is_some_and(|name| name == "slots") {
            &self.cache
        } else {
            &self.disk
        }
    }
}

impl Disk for Apart {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        self.cache.create_dir_all(path.parent().unwrap_or(path))?;
        self.of(path).open(path, mode)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.disk.create_dir_all(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.disk.list(dir)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.of(path).remove(path)
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
}
