//! Many threads on a real file system.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use cairn_blocks::{BlobIndex, BlockStore, Error, FsDisk, MemoryIndex, Options};

use crate::support::{BLOCKS, HERE, THERE, block, digest, keyring, options};

fn open(dir: &Path, index: &Arc<MemoryIndex>) -> Result<BlockStore, Error> {
    let index = Arc::clone(index) as Arc<dyn BlobIndex>;
    BlockStore::open(
        Arc::new(FsDisk),
        &dir.join("some/blocks"),
        index,
        Arc::new(keyring()),
        Options {
            block_cache_bytes: 4 << 20,
            ..options()
        },
    )
}

#[test]
fn threads_put_sync_and_get_side_by_side() {
    let dir = tempfile::tempdir().unwrap();
    let index = Arc::new(MemoryIndex::new());
    let store = open(dir.path(), &index).unwrap();
    assert!(matches!(
        open(dir.path(), &index),
        Err(Error::Locked { .. })
    ));
    let new = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (store, new) = (&store, &new);
            scope.spawn(move || work(store, thread, new));
        }
    });
    assert_eq!(
        new.into_inner(),
        2 * BLOCKS as u64,
        "each block is stored once in each domain"
    );
    assert_eq!(store.stats().blobs, 2 * BLOCKS as u64);
    drop(store);
    check_all(&open(dir.path(), &index).unwrap());
}

fn work(store: &BlockStore, thread: usize, new: &AtomicU64) {
    for step in 0..BLOCKS {
        let n = (step * (thread * 2 + 1)) % BLOCKS;
        for domain in [HERE, THERE] {
            let stored = store.put_many(domain, &[block(n), block(step)]).unwrap();
            new.fetch_add(
                stored
                    .iter()
                    .filter(|stored| matches!(stored, cairn_blocks::Stored::New(_)))
                    .count() as u64,
                Ordering::Relaxed,
            );
            if step % 3 == thread % 3 {
                store.sync(domain).unwrap();
            }
            assert!(*store.get(domain, &digest(n)).unwrap() == *block(n));
        }
        if step % 8 == 7 {
            store.seal().unwrap();
        }
    }
    store.sync(HERE).unwrap();
    store.sync(THERE).unwrap();
}

fn check_all(store: &BlockStore) {
    for n in 0..BLOCKS {
        assert!(*store.get(HERE, &digest(n)).unwrap() == *block(n));
        assert!(*store.get(THERE, &digest(n)).unwrap() == *block(n));
    }
    let changes = (0..BLOCKS).map(|n| (n as u64 * 100, Some(digest(n))));
    let root = store.build(HERE, None, 1 << 36, changes).unwrap();
    let last_seen = AtomicU64::new(0);
    let report = store.verify(HERE, &root, &|progress| {
        last_seen.fetch_max(progress.blocks, Ordering::Relaxed);
    });
    let report = report.unwrap();
    assert!(report.is_intact(), "{report:?}");
    assert_eq!(
        (report.checked.blocks, last_seen.into_inner()),
        (BLOCKS as u64, BLOCKS as u64)
    );
}
