//! A disk that remembers what was ever written to journals, and fails when a nonce comes back.

use std::{
    collections::{HashMap, HashSet},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use cairn_blocks::disk::{Disk, DiskFile, OpenMode, Space};
use cairn_testkit::SimDisk;

const SEGMENT_HEADER: u64 = 64;
/// The kinds of records that are sealed: WRITE, EPOCH, RELEASE, COMMIT, ABANDON.
const SEALED: [u8; 5] = [1, 6, 7, 8, 9];

/// A simulated disk. Clones see the same.
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    sim: SimDisk,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    /// The incarnations of the segments of sealed journals.
    incarnations: HashMap<PathBuf, u64>,
    /// What was sealed: volume and incarnation stand for the key, LSN and attempt are the nonce.
    nonces: HashSet<(PathBuf, u64, u64, u32)>,
    retries: u64,
}

impl Witness {
    pub(crate) fn new(sim: SimDisk) -> Self {
        Self {
            sim,
            seen: Arc::default(),
        }
    }

    /// For a fork of the disk: what is written there from now on is of another world.
    pub(crate) fn fork(&self, sim: SimDisk) -> Self {
        let seen = self.seen.lock().unwrap().clone();
        Self {
            sim,
            seen: Arc::new(Mutex::new(seen)),
        }
    }

    /// How many records were sealed.
    pub(crate) fn sealed(&self) -> usize {
        self.seen.lock().unwrap().nonces.len()
    }

    /// How many of them at an LSN at which another one had been sealed.
    pub(crate) fn retries(&self) -> u64 {
        self.seen.lock().unwrap().retries
    }
}

impl Seen {
    fn see(&mut self, path: &Path, bytes: &[u8], offset: u64) {
        let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        if offset < SEGMENT_HEADER {
            self.incarnations.remove(path);
            if u32_at(12) == 1 {
                self.incarnations.insert(path.to_owned(), u64_at(16));
            }
            return;
        }
        let Some(incarnation) = self.incarnations.get(path) else {
            return;
        };
        if SEALED.contains(&bytes[24]) {
            let (lsn, attempt) = (u64_at(8), u32_at(25));
            self.retries += u64::from(attempt > 0);
            let volume = path.parent().unwrap().to_owned();
            let is_new = self.nonces.insert((volume, *incarnation, lsn, attempt));
            assert!(is_new, "a nonce came back at {lsn} in {path:?}");
        }
    }
}

impl Disk for Witness {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.sim.open(path, mode)?;
        let name = path.file_name().unwrap().to_str().unwrap();
        if !name.starts_with("journal-") {
            return Ok(file);
        }
        Ok(Arc::new(Segment {
            file,
            path: path.to_owned(),
            seen: Arc::clone(&self.seen),
        }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.sim.create_dir_all(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.sim.list(dir)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.sim.remove(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.sim.remove_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.sim.rename(from, to)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.sim.sync_dir(dir)
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        self.sim.space(path)
    }
}

#[derive(Debug)]
struct Segment {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    seen: Arc<Mutex<Seen>>,
}

impl DiskFile for Segment {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buf, offset)
    }

    fn try_read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<bool> {
        self.file.try_read_exact_at(buf, offset)
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        // Also if the disk does not take it: it may hold a part.
        self.seen.lock().unwrap().see(&self.path, buf, offset);
        self.file.write_all_at(buf, offset)
    }

    fn write_all_at_durably(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.seen.lock().unwrap().see(&self.path, buf, offset);
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

    fn try_lock(&self) -> io::Result<bool> {
        self.file.try_lock()
    }
}
