//! What is stored, how often, and who shares the work.

use std::sync::{
    Arc, Barrier,
    atomic::{AtomicU64, Ordering},
};

use cairn_blocks::{
    BLOCK_SIZE, BlobId, BlobIndex, DomainId, Error, Hashed, IndexError, Location, MemoryIndex,
    PackId, Stats, Stored, disk::Disk as _,
};
use cairn_testkit::{Crash, SimDisk};

use crate::support::{
    Bench, DIR, FlakyIndex, HERE, HERE_TAG, THERE, block, changed, digest, pass_on, random_block,
};

#[test]
fn zeros_and_duplicates_are_not_stored() {
    let bench = Bench::new();
    let zeros = vec![0; BLOCK_SIZE];
    assert_eq!(bench.store().put(HERE, &zeros).unwrap(), Stored::Zero);
    assert_eq!(bench.store().stats(), Stats::default());
    let stored = bench
        .store()
        .put_many(HERE, &[block(0), &zeros, block(0), block(1)])
        .unwrap();
    assert_eq!(
        stored,
        [
            Stored::New(digest(0)),
            Stored::Zero,
            Stored::Known(digest(0)),
            Stored::New(digest(1))
        ]
    );
    let once = bench.store().stats();
    assert_eq!((once.blobs, once.plain_bytes), (2, 2 * BLOCK_SIZE as u64));
    assert!(once.stored_bytes < 2000, "repetitions compress: {once:?}");
    bench.store().sync(HERE).unwrap();
    assert_eq!(bench.put(0), Stored::Known(digest(0)));
    assert_eq!(
        bench
            .store()
            .put_hashed(HERE, &Hashed::of(block(1)))
            .unwrap(),
        Stored::Known(digest(1))
    );
    assert_eq!(bench.store().stats(), once);
    assert_eq!(
        bench.store().put(THERE, block(0)).unwrap(),
        Stored::New(digest(0)),
        "domains share nothing"
    );
}

#[test]
fn what_does_not_compress_is_stored_as_it_is() {
    let bench = Bench::new();
    let random = random_block(1);
    let stored = bench.store().put(HERE, &random).unwrap();
    assert_eq!(
        bench.store().stats().stored_bytes,
        (BLOCK_SIZE + HERE_TAG) as u64
    );
    assert!(*bench.store().get(HERE, &stored.digest().unwrap()).unwrap() == *random);
}

#[test]
fn a_block_has_one_size() {
    let bench = Bench::new();
    for len in [0, 512, BLOCK_SIZE - 1, BLOCK_SIZE + 1] {
        assert!(
            matches!(bench.store().put(HERE, &vec![1; len]), Err(Error::BlockSize { len: found }) if found == len)
        );
    }
}

#[test]
fn bytes_that_changed_since_they_were_hashed_are_found_out() {
    let bench = Bench::new();
    bench.store().put_hashed(HERE, &changed(1, 0)).unwrap();
    assert!(matches!(
        bench.store().get(HERE, &digest(1)),
        Err(Error::Damaged { .. })
    ));
}

#[test]
fn a_block_is_readable_before_it_is_durable_and_unknown_to_others() {
    let bench = Bench::new();
    bench.put(0);
    assert!(*bench.store().get(HERE, &digest(0)).unwrap() == *block(0));
    assert!(matches!(
        bench.store().get(THERE, &digest(0)),
        Err(Error::NotFound { .. })
    ));
    assert!(matches!(
        bench.store().get(HERE, &digest(1)),
        Err(Error::NotFound { .. })
    ));
}

#[test]
fn packs_of_one_domain_and_kind_are_begun_sealed_and_never_written_again() {
    let bench = Bench::new();
    for n in 0..20 {
        bench.put(n);
        bench.store().put(THERE, block(n)).unwrap();
    }
    bench.store().sync(HERE).unwrap();
    bench.store().sync(THERE).unwrap();
    let sealed: Vec<_> = bench
        .packs(".data")
        .into_iter()
        .map(|path| (bench.disk.contents(&path), path))
        .collect();
    assert!(
        sealed.len() > 4,
        "packs are sealed when they are full: {sealed:?}"
    );
    assert_eq!(
        bench.packs(".open").len(),
        2,
        "one open pack for each domain"
    );
    bench.put_all(20..24);
    bench.store().seal().unwrap();
    assert_eq!(bench.packs(".open").len(), 0);
    assert!(
        sealed
            .iter()
            .all(|(bytes, path)| bench.disk.contents(path) == *bytes)
    );
}

#[test]
fn a_sync_of_nothing_new_costs_nothing() {
    let bench = Bench::new();
    bench.put(0);
    bench.store().sync(HERE).unwrap();
    let before = bench.disk.mutations();
    bench.store().sync(HERE).unwrap();
    bench.store().sync(THERE).unwrap();
    assert_eq!(bench.disk.mutations(), before);
    bench.put(1);
    bench.store().sync(HERE).unwrap();
    assert_eq!(bench.disk.mutations(), before + 2, "one append, one sync");
}

#[test]
fn blobs_that_nobody_syncs_do_not_pile_up() {
    let bench = Bench::new();
    for seed in 0..12 {
        // Each of them fills a pack.
        bench.store().put(HERE, &random_block(seed)).unwrap();
    }
    assert!(
        bench.packs(".open").len() <= 5,
        "full packs are synced before they are many"
    );
    assert!(!bench.packs(".data").is_empty());
}

#[test]
fn an_open_store_is_locked() {
    let mut bench = Bench::new();
    assert!(matches!(bench.open(), Err(Error::Locked { .. })));
    bench.reopen();
}

#[test]
fn reindexing_finds_every_blob() {
    let mut bench = Bench::new();
    bench.put_all(0..20);
    let root = bench
        .store()
        .build(
            HERE,
            None,
            1 << 30,
            (0..20).map(|n| (n as u64, Some(digest(n)))),
        )
        .unwrap();
    bench.store().seal().unwrap();
    bench.close();
    let bench = Bench::with_index(bench.disk, Arc::new(MemoryIndex::new()));
    let found = bench.store().reindex().unwrap();
    assert_eq!(found.blobs, 20 + 3, "blocks and nodes");
    assert_eq!(found.domains, [HERE].into());
    assert_eq!(
        found.packs,
        bench.packs("").len() as u64 - 1,
        "all but the lock"
    );
    assert!(found.last_pack >= Some(PackId(found.packs)) && found.unread.is_empty());
    assert!(
        bench
            .store()
            .verify(HERE, &root, &|_| {})
            .unwrap()
            .is_intact()
    );
}

/// Holds the first insert until the test lets go.
#[derive(Debug)]
struct GatedIndex {
    inner: FlakyIndex,
    began: Barrier,
    go_on: Barrier,
}

impl BlobIndex for GatedIndex {
    pass_on!(locate);
    pass_on!(locate_reusable);

    fn insert(&self, domain: DomainId, blobs: &[(BlobId, Location)]) -> Result<(), IndexError> {
        if self.inner.inserts.load(Ordering::SeqCst) == 0 {
            self.began.wait();
            self.go_on.wait();
        }
        self.inner.insert(domain, blobs)
    }

    pass_on!(the_rest);
}

#[test]
fn callers_who_come_during_a_commit_share_the_next_one() {
    let disk = SimDisk::new();
    let index = Arc::new(GatedIndex {
        inner: FlakyIndex::default(),
        began: Barrier::new(2),
        go_on: Barrier::new(2),
    });
    let mut bench = Bench::with_index(disk.clone(), Arc::clone(&index) as Arc<dyn BlobIndex>);
    let all_put = Barrier::new(5);
    std::thread::scope(|scope| {
        let store = bench.store();
        bench.put(0);
        scope.spawn(|| store.sync(HERE).unwrap());
        index.began.wait();
        for n in 1..5 {
            let all_put = &all_put;
            scope.spawn(move || {
                store.put(HERE, block(n)).unwrap();
                all_put.wait();
                store.sync(HERE).unwrap();
            });
        }
        all_put.wait();
        index.go_on.wait();
    });
    assert_eq!(
        index.inner.inserts.load(Ordering::SeqCst),
        2,
        "four callers, one insert"
    );
    let open = bench.packs(".open");
    assert_eq!(
        open.iter().map(|path| disk.syncs(path)).sum::<u64>(),
        2,
        "and one sync"
    );
    bench.crash(Crash::LoseAll);
    (0..5).for_each(|n| assert!(*bench.store().get(HERE, &digest(n)).unwrap() == *block(n)));
    assert!(
        disk.list(DIR.as_ref())
            .unwrap()
            .contains(&"lock".to_owned())
    );
}

/// Holds the first lookup, which has its answer already, until the test lets go.
#[derive(Debug)]
struct SlowLookup {
    inner: MemoryIndex,
    lookups: AtomicU64,
    began: Barrier,
    go_on: Barrier,
}

impl BlobIndex for SlowLookup {
    pass_on!(locate);
    pass_on!(insert);
    pass_on!(the_rest);

    fn locate_reusable(
        &self,
        domain: DomainId,
        ids: &[BlobId],
    ) -> Result<Vec<Option<Location>>, IndexError> {
        let answer = self.inner.locate_reusable(domain, ids);
        if self.lookups.fetch_add(1, Ordering::SeqCst) == 0 {
            self.began.wait();
            self.go_on.wait();
        }
        answer
    }
}

/// Between the question and the append the blob went from nowhere through a pack into the index.
#[test]
fn an_answer_of_the_index_that_has_grown_old_is_not_relied_on() {
    let index = Arc::new(SlowLookup {
        inner: MemoryIndex::new(),
        lookups: AtomicU64::new(0),
        began: Barrier::new(2),
        go_on: Barrier::new(2),
    });
    let bench = Bench::with_index(SimDisk::new(), Arc::clone(&index) as Arc<dyn BlobIndex>);
    std::thread::scope(|scope| {
        let store = bench.store();
        let slow = scope.spawn(|| store.put(HERE, block(0)).unwrap());
        index.began.wait();
        assert_eq!(bench.put(0), Stored::New(digest(0)));
        store.sync(HERE).unwrap();
        index.go_on.wait();
        assert_eq!(slow.join().unwrap(), Stored::Known(digest(0)));
    });
    assert_eq!(bench.store().stats().blobs, 1);
}
