//! Blocks, stores and indexes for the tests of this directory.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use cairn_blocks::{
    BLOCK_SIZE, BlobId, BlobIndex, BlockStore, Digest, DomainId, Hashed, IndexError, Location,
    MemoryIndex, Options, PackId, disk::Disk,
};
use cairn_testkit::{Crash, Rng, SimDisk, SimKeyring};

use crate::{
    HERE_IS_SEALED,
    packs::{Book, id_under, plaintext, watched},
};

pub(crate) const HERE: DomainId = DomainId(1);
pub(crate) const THERE: DomainId = DomainId(2);
pub(crate) const DIR: &str = "srv/blocks";

/// How many different blocks there are.
pub(crate) const BLOCKS: usize = 24;

static BLOCK_POOL: LazyLock<Vec<(Digest, Vec<u8>)>> = LazyLock::new(|| {
    (0..BLOCKS)
        .map(make_block)
        .map(|block| (Digest::of(&block), block))
        .collect()
});

/// Blocks that compress to some hundred bytes each, so that packs stay small.
fn make_block(n: usize) -> Vec<u8> {
    let mut pattern = [0; 128];
    Rng::new(n as u64 + 1).fill(&mut pattern);
    pattern.iter().copied().cycle().take(BLOCK_SIZE).collect()
}

pub(crate) fn block(n: usize) -> &'static [u8] {
    &BLOCK_POOL[n].1
}

pub(crate) fn digest(n: usize) -> Digest {
    BLOCK_POOL[n].0
}

/// A block that does not compress.
pub(crate) fn random_block(seed: u64) -> Vec<u8> {
    let mut block = vec![0; BLOCK_SIZE];
    Rng::new(seed).fill(&mut block);
    block
}

/// Packs of a few blocks, and caches too small to hide what is on the disk.
pub(crate) fn options() -> Options {
    Options {
        pack_target_bytes: 1500,
        block_cache_bytes: 0,
        node_cache_bytes: 20_000,
        writer_epoch: 1,
    }
}

/// One of the two domains has a key.
pub(crate) const SEALED: DomainId = if HERE_IS_SEALED { HERE } else { THERE };

/// By how much the tag of a blob lengthens it.
pub(crate) const HERE_TAG: usize = if HERE_IS_SEALED { 16 } else { 0 };

pub(crate) fn keyring() -> SimKeyring {
    let keys = SimKeyring::new(1);
    keys.seal(SEALED, 2);
    keys
}

/// The address of a blob, under the usual keys.
pub(crate) fn id_in(domain: DomainId, digest: &Digest) -> BlobId {
    id_under(&keyring(), domain, digest)
}

/// A store on a simulated disk, and what outlives its process.
pub(crate) struct Bench {
    pub(crate) disk: SimDisk,
    pub(crate) index: Arc<dyn BlobIndex>,
    pub(crate) keys: SimKeyring,
    /// What was ever written.
    pub(crate) book: Arc<Mutex<Book>>,
    store: Option<Arc<BlockStore>>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let disk = SimDisk::new();
        let index = Arc::new(CheckedIndex {
            disk: disk.clone(),
            inner: MemoryIndex::new(),
        });
        Self::with_index(disk, index)
    }

    pub(crate) fn with_index(disk: SimDisk, index: Arc<dyn BlobIndex>) -> Self {
        let mut bench = Self {
            disk,
            index,
            keys: keyring(),
            book: Arc::default(),
            store: None,
        };
        bench.reopen();
        bench
    }

    pub(crate) fn store(&self) -> &Arc<BlockStore> {
        self.store.as_ref().unwrap()
    }

    /// Ends the process and begins another.
    pub(crate) fn crash(&mut self, crash: Crash) {
        self.disk.crash(crash);
        self.reopen();
    }

    pub(crate) fn reopen(&mut self) {
        self.store = None;
        self.store = Some(Arc::new(self.open().unwrap()));
    }

    /// Opens the store once more, as another process would.
    pub(crate) fn open(&self) -> Result<BlockStore, cairn_blocks::Error> {
        let disk = watched(&self.disk, &self.book);
        open(Arc::new(disk), &self.index, &self.keys)
    }

    pub(crate) fn close(&mut self) {
        self.store = None;
    }

    pub(crate) fn put(&self, n: usize) -> cairn_blocks::Stored {
        self.store().put(HERE, block(n)).unwrap()
    }

    pub(crate) fn put_all(&self, numbers: impl IntoIterator<Item = usize>) {
        for n in numbers {
            self.put(n);
        }
    }

    /// The names of packs that end so.
    pub(crate) fn packs(&self, suffix: &str) -> Vec<PathBuf> {
        let names = self.disk.list(Path::new(DIR)).unwrap();
        names
            .iter()
            .filter(|name| name.ends_with(suffix))
            .map(|name| Path::new(DIR).join(name))
            .collect()
    }
}

fn open(
    disk: Arc<dyn Disk>,
    index: &Arc<dyn BlobIndex>,
    keys: &SimKeyring,
) -> Result<BlockStore, cairn_blocks::Error> {
    BlockStore::open(
        disk,
        Path::new(DIR),
        Arc::clone(index),
        Arc::new(keys.clone()),
        options(),
    )
}

/// Passes on to `self.inner` what a wrapper of an index does not change. Name the calls that it does.
macro_rules! pass_on {
    (locate) => {
        fn locate(
            &self,
            domain: DomainId,
            ids: &[BlobId],
        ) -> Result<Vec<Option<Location>>, IndexError> {
            self.inner.locate(domain, ids)
        }
    };
    (locate_reusable) => {
        fn locate_reusable(
            &self,
            domain: DomainId,
            ids: &[BlobId],
        ) -> Result<Vec<Option<Location>>, IndexError> {
            self.inner.locate_reusable(domain, ids)
        }
    };
    (insert) => {
        fn insert(&self, domain: DomainId, blobs: &[(BlobId, Location)]) -> Result<(), IndexError> {
            self.inner.insert(domain, blobs)
        }
    };
    (the_rest) => {
        crate::support::pass_on!(looks);
        fn allocate_pack(&self) -> Result<PackId, IndexError> {
            self.inner.allocate_pack()
        }
        fn mark_bad(&self, domain: DomainId, blobs: &[(BlobId, PackId)]) -> Result<(), IndexError> {
            self.inner.mark_bad(domain, blobs)
        }
        fn condemn(&self, packs: &[PackId], at: i64) -> Result<(), IndexError> {
            self.inner.condemn(packs, at)
        }
        fn pardon(&self, packs: &[PackId]) -> Result<(), IndexError> {
            self.inner.pardon(packs)
        }
        fn confirm(&self, domain: DomainId, ids: &[BlobId]) -> Result<Vec<bool>, IndexError> {
            self.inner.confirm(domain, ids)
        }
        fn relocate(
            &self,
            domain: DomainId,
            blobs: &[(BlobId, PackId, Location)],
        ) -> Result<(), IndexError> {
            self.inner.relocate(domain, blobs)
        }
        fn forget_pack(&self, pack: PackId, condemned_at: i64) -> Result<bool, IndexError> {
            self.inner.forget_pack(pack, condemned_at)
        }
        fn purge(&self, go_on: &dyn Fn() -> bool) -> Result<(), IndexError> {
            self.inner.purge(go_on)
        }
        fn raise_alarm(&self, alarm: &cairn_blocks::Alarm) -> Result<(), IndexError> {
            self.inner.raise_alarm(alarm)
        }
        fn clear_alarms(&self) -> Result<(), IndexError> {
            self.inner.clear_alarms()
        }
    };
    (looks) => {
        fn next_pack(&self) -> Result<PackId, IndexError> {
            self.inner.next_pack()
        }
        fn packs(
            &self,
            after: Option<PackId>,
            limit: usize,
        ) -> Result<Vec<cairn_blocks::PackUsage>, IndexError> {
            self.inner.packs(after, limit)
        }
        fn condemned(&self) -> Result<Vec<cairn_blocks::PackUsage>, IndexError> {
            self.inner.condemned()
        }
        fn blobs_of(&self, pack: PackId) -> Result<Vec<(DomainId, BlobId, Location)>, IndexError> {
            self.inner.blobs_of(pack)
        }
        fn bad(&self) -> Result<Vec<(DomainId, BlobId, Location)>, IndexError> {
            self.inner.bad()
        }
        fn alarms(&self) -> Result<Vec<cairn_blocks::Alarm>, IndexError> {
            self.inner.alarms()
        }
    };
}
pub(crate) use pass_on;

/// An index that refuses to learn of what a power failure could still take away.
#[derive(Debug)]
pub(crate) struct CheckedIndex {
    pub(crate) disk: SimDisk,
    pub(crate) inner: MemoryIndex,
}

impl BlobIndex for CheckedIndex {
    pass_on!(locate);
    pass_on!(locate_reusable);

    fn insert(&self, domain: DomainId, blobs: &[(BlobId, Location)]) -> Result<(), IndexError> {
        let after_power_loss = self.disk.fork();
        after_power_loss.crash(Crash::LoseAll);
        let index = MemoryIndex::new();
        index.insert(domain, blobs)?;
        let disk = Arc::new(after_power_loss.clone());
        let keys = keyring();
        let index = Arc::new(index) as Arc<dyn BlobIndex>;
        let store = open(disk, &index, &keys).unwrap();
        for (id, location) in blobs {
            let plain = plaintext(&after_power_loss, &keys, domain, location);
            let digest = Digest::of(&plain);
            assert!(
                id_under(&keys, domain, &digest) == *id,
                "the index is told of {id:?} at {location:?}, which is not durable"
            );
            let found = store.get(domain, &digest);
            assert!(found.is_ok_and(|found| *found == *plain), "{id:?}");
        }
        self.inner.insert(domain, blobs)
    }

    pass_on!(the_rest);
}

/// An index that fails on demand, and counts.
#[derive(Debug, Default)]
pub(crate) struct FlakyIndex {
    pub(crate) inner: MemoryIndex,
    pub(crate) fails: AtomicBool,
    pub(crate) inserts: AtomicU64,
}

impl BlobIndex for FlakyIndex {
    pass_on!(locate);
    pass_on!(locate_reusable);

    fn insert(&self, domain: DomainId, blobs: &[(BlobId, Location)]) -> Result<(), IndexError> {
        self.inserts.fetch_add(1, Ordering::SeqCst);
        if self.fails.load(Ordering::SeqCst) {
            return Err(IndexError("told to fail".into()));
        }
        self.inner.insert(domain, blobs)
    }

    pass_on!(the_rest);
}

/// The root node of an index with this content, computed from the description of the format
/// and nothing else.
pub(crate) fn expected_root(content: &BTreeMap<u64, Digest>) -> Digest {
    let leaves = level(content, 0, 256);
    let mids = level(&leaves, 1, 256);
    let root = level(&mids, 2, 2048);
    root.get(&0)
        .copied()
        .unwrap_or_else(|| Digest::of(&encode(2, 2048, &[])))
}

/// The nodes above numbered children.
fn level(children: &BTreeMap<u64, Digest>, level: u8, fan_out: u64) -> BTreeMap<u64, Digest> {
    let mut groups: BTreeMap<u64, Vec<(u64, Digest)>> = BTreeMap::new();
    for (at, digest) in children {
        groups
            .entry(at / fan_out)
            .or_default()
            .push((at % fan_out, *digest));
    }
    groups
        .into_iter()
        .map(|(at, group)| (at, Digest::of(&encode(level, fan_out, &group))))
        .collect()
}

fn encode(level: u8, fan_out: u64, children: &[(u64, Digest)]) -> Vec<u8> {
    let mut bitmap = vec![0u8; usize::try_from(fan_out / 8).unwrap()];
    children
        .iter()
        .for_each(|(at, _)| bitmap[usize::try_from(at / 8).unwrap()] |= 1 << (at % 8));
    let hashes = children.iter().flat_map(|(_, digest)| digest.0);
    b"cidx\x01"
        .iter()
        .copied()
        .chain([level, 0, 0])
        .chain(bitmap)
        .chain(hashes)
        .collect()
}

/// Bytes that change once they were looked at, as in memory that rots.
pub(crate) struct Fickle {
    looked_at: AtomicBool,
    before: &'static [u8],
    after: &'static [u8],
}

impl AsRef<[u8]> for Fickle {
    fn as_ref(&self) -> &[u8] {
        match self.looked_at.swap(true, Ordering::SeqCst) {
            false => self.before,
            true => self.after,
        }
    }
}

/// What was hashed as one block, and is another by now.
pub(crate) fn changed(before: usize, after: usize) -> Hashed<Fickle> {
    Hashed::of(Fickle {
        looked_at: AtomicBool::new(false),
        before: block(before),
        after: block(after),
    })
}
