//! A disk that remembers what was ever written to journals, and fails when a nonce comes back.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use cairn_testkit::{SimDisk, Tap};

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

    /// The disk.
    pub(crate) fn disk(&self) -> Tap {
        let seen = Arc::clone(&self.seen);
        Tap::new(Arc::new(self.sim.clone()), move |path, bytes, offset| {
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.starts_with("journal-") {
                seen.lock().unwrap().see(path, bytes, offset);
            }
        })
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
