//! Garbage collection: what is needed stays, whatever happens meanwhile, and the rest goes.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use cairn_blocks::{
    Alarm, BlobId, BlobIndex, DomainId, Error, IndexError, Location, MemoryIndex, PackId, Root,
    collect::{Collection, Report, Rules, usage::Holders},
    disk::Disk as _,
};
use cairn_testkit::{Crash, Errno, Fault, OpKind, Rng, SimDisk};

use crate::support::{
    BLOCKS, Bench, DIR, FlakyIndex, HERE, HERE_TAG, THERE, block, digest, id_in, pass_on,
};

pub(crate) const SIZE: u64 = 1 << 36;
pub(crate) const HOUR: i64 = 3_600_000_000;

/// Everything dead goes: packs are copied as soon as anything in them is dead.
pub(crate) fn rules(now: i64) -> Rules {
    Rules {
        domains: BTreeSet::from([HERE]),
        now,
        grace: Duration::from_secs(3600),
        repack_below_percent: 100,
    }
}

pub(crate) fn begin(bench: &Bench, roots: &[Root]) -> Collection {
    let mut collection = bench.store().begin_collection().unwrap();
    for root in roots {
        collection.mark_root(HERE, root).unwrap();
    }
    collection
}

fn collect(bench: &Bench, roots: &[Root], now: i64) -> Report {
    let plan = begin(bench, roots).plan(rules(now)).unwrap();
    plan.carry_out().unwrap()
}

/// A snapshot of these blocks, each one at the place of its number.
pub(crate) fn snapshot(bench: &Bench, numbers: impl IntoIterator<Item = usize>) -> Root {
    let numbers: Vec<_> = numbers.into_iter().collect();
    bench.put_all(numbers.iter().copied());
    build(bench, &numbers)
}

pub(crate) fn build(bench: &Bench, numbers: &[usize]) -> Root {
    let changes = numbers.iter().map(|n| (*n as u64 * 300, Some(digest(*n))));
    bench.store().build(HERE, None, SIZE, changes).unwrap()
}

#[track_caller]
pub(crate) fn assert_intact(bench: &Bench, roots: &[Root]) {
    for root in roots {
        let report = bench.store().verify(HERE, root, &|_| {}).unwrap();
        assert!(report.is_intact(), "{report:?}");
    }
    assert_eq!(
        bench.index.alarms().unwrap(),
        [],
        "nobody read what is condemned"
    );
}

/// Nothing is left but what these roots reach.
#[track_caller]
pub(crate) fn assert_nothing_else(bench: &Bench, roots: &[Root]) {
    let marked = begin(bench, roots).marked();
    let packs = bench.index.packs(None, usize::MAX).unwrap();
    let blobs: u64 = packs.iter().map(|usage| usage.blobs).sum();
    assert_eq!(blobs, marked.blobs, "the index knows what is needed");
    let files = bench.packs(".data").len() + bench.packs(".meta").len();
    assert_eq!(files, packs.len(), "and a file for each of its packs");
    assert_eq!(bench.packs(".open"), Vec::<std::path::PathBuf>::new());
    assert_eq!(bench.index.condemned().unwrap(), []);
}

fn bytes_on_disk(bench: &Bench) -> u64 {
    let packs = [bench.packs(".data"), bench.packs(".meta")].concat();
    packs
        .iter()
        .map(|path| bench.disk.contents(path).len() as u64)
        .sum()
}

#[test]
fn what_no_root_reaches_goes_after_two_passes_and_the_grace() {
    let bench = Bench::new();
    let kept = snapshot(&bench, 0..4);
    let gone = snapshot(&bench, 4..16);
    assert_intact(&bench, &[kept, gone]);
    let first = collect(&bench, &[kept], 0);
    assert!(
        first.condemned.packs > 0 && first.deleted.packs == 0,
        "{first:?}"
    );
    let early = collect(&bench, &[kept], HOUR - 1);
    assert_eq!(early.deleted.packs, 0, "within the grace");
    assert_eq!(
        early.waiting.packs,
        first.condemned.packs + first.repacked.packs
    );
    let before = bytes_on_disk(&bench);
    let last = collect(&bench, &[kept], HOUR);
    assert_eq!(last.deleted.packs, early.waiting.packs);
    assert_eq!(
        before - bytes_on_disk(&bench),
        last.deleted.bytes,
        "to the byte"
    );
    assert_intact(&bench, &[kept]);
    assert_nothing_else(&bench, &[kept]);
    assert!(bench.store().get(HERE, &digest(9)).is_err());
    let again = snapshot(&bench, 4..16);
    assert_intact(&bench, &[kept, again]);
}

#[test]
fn a_pass_that_is_not_carried_out_changes_nothing() {
    let bench = Bench::new();
    let root = snapshot(&bench, 0..12);
    let before = (bench.disk.mutations(), bench.index.packs(None, 99).unwrap());
    let plan = begin(&bench, &[]).plan(rules(0)).unwrap();
    let report = plan.report();
    assert_eq!(report.condemned.packs, before.1.len() as u64);
    drop(plan);
    assert_eq!(
        (bench.disk.mutations(), bench.index.packs(None, 99).unwrap()),
        before
    );
    assert_intact(&bench, &[root]);
}

#[test]
fn one_collection_at_a_time() {
    let bench = Bench::new();
    let first = begin(&bench, &[]);
    assert!(matches!(
        bench.store().begin_collection(),
        Err(Error::CollectionUnderWay)
    ));
    drop(first);
    drop(begin(&bench, &[]));
}

#[test]
fn packs_of_domains_that_were_not_marked_stay() {
    let bench = Bench::new();
    bench
        .store()
        .put_many(THERE, &[block(0), block(1)])
        .unwrap();
    bench.store().seal().unwrap();
    let report = collect(&bench, &[], 0);
    assert_eq!((report.condemned.packs, report.orphans.packs), (0, 0));
    assert!(bench.store().get(THERE, &digest(1)).is_ok());
}

#[test]
fn a_root_that_cannot_be_read_ends_the_pass() {
    let mut bench = Bench::new();
    let (kept, gone) = (snapshot(&bench, 0..4), snapshot(&bench, 4..9));
    bench.store().seal().unwrap();
    bench.reopen();
    let packs = bench.index.packs(None, 99).unwrap();
    bench
        .disk
        .inject(Fault::always(OpKind::Read, Errno::IO).on(".meta"));
    let mut collection = bench.store().begin_collection().unwrap();
    assert!(matches!(
        collection.mark_root(HERE, &kept),
        Err(Error::Io { .. })
    ));
    drop(collection);
    bench.disk.clear_faults();
    let mut collection = bench.store().begin_collection().unwrap();
    let unknown = Root {
        node: digest(0),
        ..kept
    };
    assert!(
        collection.mark_blocks(HERE, &[digest(BLOCKS - 1)]).is_err(),
        "missing"
    );
    assert!(collection.mark_root(HERE, &unknown).is_err(), "no node");
    drop(collection);
    assert_eq!(bench.index.packs(None, 99).unwrap(), packs);
    assert_intact(&bench, &[kept, gone]);
}

#[test]
fn a_list_of_packs_that_cannot_be_read_ends_the_pass() {
    let bench = Bench::new();
    let kept = snapshot(&bench, 0..4);
    snapshot(&bench, 4..9);
    bench.disk.inject(Fault::always(OpKind::List, Errno::IO));
    let failed = begin(&bench, &[kept]).plan(rules(0));
    assert!(matches!(failed, Err(Error::Io { .. })));
    bench.disk.clear_faults();
    assert_eq!(bench.index.condemned().unwrap(), []);
}

#[test]
fn a_block_that_rotted_is_not_copied_and_ends_the_pass_once() {
    let bench = Bench::new();
    snapshot(&bench, [0, 1, 2, 3]);
    bench.store().seal().unwrap();
    let live = build(&bench, &[0, 2]);
    let ids = [id_in(HERE, &digest(2))];
    let at = bench.index.locate(HERE, &ids).unwrap()[0].unwrap();
    let path = Path::new(DIR).join(format!("{:016x}.data", at.pack.0));
    bench.disk.rot(&path, at.offset + 40, 0xff);
    let open = bench.packs(".open");
    let failed = begin(&bench, &[live]).plan(rules(0)).unwrap().carry_out();
    assert!(matches!(failed, Err(Error::Damaged { .. })), "{failed:?}");
    assert_eq!(
        bench.index.condemned().unwrap(),
        [],
        "nothing was condemned"
    );
    assert_eq!(bench.packs(".open"), open, "the unfinished copy is gone");
    assert_eq!(
        bench.index.bad().unwrap().len(),
        1,
        "and the blob is known as bad"
    );
    collect(&bench, &[live], 0);
    assert!(bench.index.locate(HERE, &ids).unwrap()[0].unwrap().pack == at.pack);
    bench.put(2);
    bench.store().sync(HERE).unwrap();
    assert_intact(&bench, &[live]);
}

/// The writer finds a blob in a pack that is live, and stalls before any metadata names it.
#[test]
fn a_hit_in_a_session_keeps_its_pack_from_being_condemned() {
    let bench = Bench::new();
    let gone = snapshot(&bench, 0..8);
    bench.store().seal().unwrap();
    let session = bench.store().session();
    bench.put_all(0..8);
    let report = collect(&bench, &[], 0);
    let ids: Vec<_> = (0..8).map(|n| id_in(HERE, &digest(n))).collect();
    let found = bench.index.locate_reusable(HERE, &ids).unwrap();
    assert!(found.iter().all(Option::is_some), "{report:?}");
    collect(&bench, &[], 10 * HOUR);
    let root = build(&bench, &[0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(root, gone);
    drop(session);
    assert_intact(&bench, &[root]);
    collect(&bench, &[root], 20 * HOUR);
    assert_intact(&bench, &[root]);
}

/// The same between the mark and the moment in which packs are condemned.
#[test]
fn a_hit_after_the_mark_keeps_its_pack_from_being_condemned() {
    let bench = Bench::new();
    snapshot(&bench, 0..8);
    bench.store().seal().unwrap();
    let plan = begin(&bench, &[]).plan(rules(0)).unwrap();
    let session = bench.store().session();
    bench.put_all(0..8);
    let root = build(&bench, &[0, 1, 2, 3, 4, 5, 6, 7]);
    drop(session);
    plan.carry_out().unwrap();
    assert_intact(&bench, &[root]);
    assert_eq!(bench.index.condemned().unwrap(), []);
}

/// Condemned blobs are no hits: the writer stores its own, and the old ones may go.
#[test]
fn a_writer_does_not_rely_on_what_is_condemned() {
    let bench = Bench::new();
    let gone = snapshot(&bench, 0..8);
    bench.store().seal().unwrap();
    collect(&bench, &[], 0);
    let session = bench.store().session();
    let blobs = bench.store().stats().blobs;
    bench.put_all(0..8);
    assert_eq!(bench.store().stats().blobs, blobs + 8, "stored again");
    let root = build(&bench, &[0, 1, 2, 3, 4, 5, 6, 7]);
    drop(session);
    assert_eq!(root, gone);
    collect(&bench, &[root], HOUR);
    collect(&bench, &[root], 2 * HOUR);
    assert_intact(&bench, &[root]);
    bench.store().seal().unwrap();
    assert_nothing_else(&bench, &[root]);
}

/// A session that was open when a pack was condemned may rely on it in ways that nobody knows of.
#[test]
fn what_is_condemned_outlives_the_sessions_of_that_time() {
    let bench = Bench::new();
    let root = snapshot(&bench, 0..8);
    bench.store().seal().unwrap();
    let reader = bench.store().session();
    collect(&bench, &[], 0);
    let report = collect(&bench, &[], 10 * HOUR);
    assert_eq!(report.deleted.packs, 0);
    assert!(report.waiting.packs > 0);
    assert_intact(&bench, &[root]);
    drop(reader);
    let later = bench.store().session();
    let report = collect(&bench, &[], 11 * HOUR);
    assert!(
        report.deleted.packs > 0,
        "a session that began later holds nothing"
    );
    drop(later);
    assert_nothing_else(&bench, &[]);
}

/// The session ends, and names its root, after a collection looked at the roots.
#[test]
fn a_session_that_ends_during_a_pass_is_one_that_was_open() {
    let bench = Bench::new();
    let root = snapshot(&bench, 0..8);
    bench.store().seal().unwrap();
    let session = bench.store().session();
    collect(&bench, &[], 0);
    let second = begin(&bench, &[]);
    drop(session);
    let report = second.plan(rules(10 * HOUR)).unwrap().carry_out().unwrap();
    assert_eq!(report.deleted.packs, 0);
    let report = collect(&bench, &[root], 20 * HOUR);
    assert!(report.pardoned.packs > 0);
    assert_intact(&bench, &[root]);
}

#[test]
fn an_index_is_not_built_on_what_is_gone() {
    let bench = Bench::new();
    snapshot(&bench, 0..8);
    bench.store().seal().unwrap();
    collect(&bench, &[], 0);
    collect(&bench, &[], HOUR);
    let built = bench
        .store()
        .build(HERE, None, SIZE, [(0, Some(digest(3)))]);
    assert!(matches!(built, Err(Error::Unconfirmed { .. })), "{built:?}");
}

#[test]
fn to_confirm_a_blob_is_to_pardon_its_pack() {
    let bench = Bench::new();
    snapshot(&bench, 0..8);
    bench.store().seal().unwrap();
    let all = bench.index.packs(None, 99).unwrap().len();
    collect(&bench, &[], 0);
    let root = bench
        .store()
        .build(HERE, None, SIZE, [(0, Some(digest(3)))])
        .unwrap();
    assert!(bench.index.condemned().unwrap().len() < all);
    collect(&bench, &[root], HOUR);
    collect(&bench, &[root], 2 * HOUR);
    assert_intact(&bench, &[root]);
}

#[test]
fn reading_what_is_condemned_raises_an_alarm_and_halts_collection() {
    for restart in [false, true] {
        let mut bench = Bench::new();
        let root = snapshot(&bench, 0..3);
        bench.store().seal().unwrap();
        collect(&bench, &[], 0);
        if restart {
            bench.reopen();
        }
        assert_eq!(
            *bench.store().get(HERE, &digest(1)).unwrap(),
            *block(1),
            "it can be read"
        );
        let ids = [id_in(HERE, &digest(1))];
        let pack = bench.index.locate_reusable(HERE, &ids).unwrap()[0]
            .unwrap()
            .pack;
        let alarm = Alarm {
            pack,
            domain: HERE,
            id: ids[0],
        };
        assert_eq!(bench.index.alarms().unwrap(), [alarm]);
        assert!(matches!(
            bench.store().begin_collection(),
            Err(Error::CollectionHalted { alarms: 1 })
        ));
        bench.store().get(HERE, &digest(1)).unwrap();
        assert_eq!(bench.index.alarms().unwrap().len(), 1, "once");
        bench.reopen();
        assert!(
            bench.store().begin_collection().is_err(),
            "also after a restart"
        );
        bench.index.clear_alarms().unwrap();
        collect(&bench, &[root], HOUR);
        assert_intact(&bench, &[root]);
    }
}

#[test]
fn a_mark_raises_no_alarm() {
    let bench = Bench::new();
    let root = snapshot(&bench, 0..3);
    bench.store().seal().unwrap();
    collect(&bench, &[], 0);
    let report = collect(&bench, &[root], 0);
    assert!(report.pardoned.packs > 0);
    assert_intact(&bench, &[root]);
}

#[test]
fn a_file_without_rows_is_removed_and_one_that_is_written_is_not() {
    let bench = Bench::new();
    let root = snapshot(&bench, 0..8);
    bench.store().seal().unwrap();
    let orphan = PackId(bench.index.allocate_pack().unwrap().0);
    let young = PackId(orphan.0 + 100);
    let names = [orphan, young].map(|pack| Path::new(DIR).join(format!("{:016x}.data", pack.0)));
    for name in &names {
        let file = bench
            .disk
            .open(name, cairn_blocks::disk::OpenMode::CreateNew)
            .unwrap();
        file.write_all_at(&[1; 1000], 0).unwrap();
        file.sync_data().unwrap();
    }
    bench.put(20);
    let report = collect(&bench, &[root], 0);
    assert_eq!((report.orphans.packs, report.orphans.bytes), (1, 1000));
    assert!(!bench.packs(".data").contains(&names[0]));
    assert!(
        bench.packs(".data").contains(&names[1]),
        "its number was not given out yet"
    );
    assert_eq!(*bench.store().get(HERE, &digest(20)).unwrap(), *block(20));
    assert_intact(&bench, &[root]);
}

/// Its blobs are durable, and the index is yet to be told of them.
#[test]
fn a_sealed_pack_on_its_way_into_the_index_is_no_orphan() {
    let index = Arc::new(FlakyIndex::default());
    let bench = Bench::with_index(SimDisk::new(), Arc::clone(&index) as Arc<dyn BlobIndex>);
    index.fails.store(true, Ordering::SeqCst);
    bench.put_all(0..8);
    bench.store().seal().unwrap_err();
    let sealed = bench.packs(".data");
    assert!(!sealed.is_empty());
    let report = collect(&bench, &[], 0);
    assert_eq!((report.orphans.packs, bench.packs(".data")), (0, sealed));
    index.fails.store(false, Ordering::SeqCst);
    bench.store().sync(HERE).unwrap();
    let root = build(&bench, &[0, 1, 2, 3, 4, 5, 6, 7]);
    assert_intact(&bench, &[root]);
}

#[test]
fn what_is_pardoned_after_the_plan_is_not_deleted() {
    let bench = Bench::new();
    let root = snapshot(&bench, 0..8);
    bench.store().seal().unwrap();
    collect(&bench, &[], 0);
    let plan = begin(&bench, &[]).plan(rules(HOUR)).unwrap();
    let before = plan.report().deleted.packs;
    let condemned: Vec<_> = bench.index.condemned().unwrap();
    let pardoned: Vec<_> = condemned.iter().map(|usage| usage.pack).collect();
    bench.index.pardon(&pardoned).unwrap();
    let report = plan.carry_out().unwrap();
    assert!(before > 0 && report.deleted.packs == 0, "{report:?}");
    assert_intact(&bench, &[root]);
}

#[test]
fn sparse_packs_are_copied_as_they_are_stored() {
    let bench = Bench::new();
    snapshot(&bench, 0..16);
    bench.store().seal().unwrap();
    let few = build(&bench, &[1, 6, 11]);
    let before = bench.store().stats();
    let report = collect(&bench, &[few], 0);
    assert!(report.copied.blobs >= 3, "{report:?}");
    assert_eq!(bench.store().stats(), before, "copies are no puts");
    assert_intact(&bench, &[few]);
    collect(&bench, &[few], HOUR);
    assert_intact(&bench, &[few]);
    bench.store().seal().unwrap();
    assert_nothing_else(&bench, &[few]);
}

#[test]
fn packs_with_much_that_lives_are_left_alone() {
    let bench = Bench::new();
    snapshot(&bench, 0..4);
    bench.store().seal().unwrap();
    let most = build(&bench, &[0, 1, 2]);
    bench.store().seal().unwrap();
    let plan = begin(&bench, &[most]).plan(Rules {
        repack_below_percent: 50,
        ..rules(0)
    });
    let report = plan.unwrap().report();
    let dead = report.known.blobs - report.live.blobs;
    assert!(
        dead > report.condemned.blobs + report.repacked.blobs,
        "{report:?}"
    );
}

#[test]
fn space_is_told_to_the_byte() {
    let bench = Bench::new();
    let first = snapshot(&bench, [0, 1, 2]);
    let second = snapshot(&bench, [2, 3]);
    let third = snapshot(&bench, [3]);
    bench.store().seal().unwrap();
    let roots = [first, second, third].map(|root| (HERE, root));
    let held = Holders {
        roots: vec![(HERE, third)],
        blocks: vec![(HERE, vec![digest(0)])],
    };
    let spaces = bench.store().space_of_each(&roots, &held).unwrap();
    for (at, space) in spaces.iter().enumerate() {
        let group = Holders {
            roots: vec![roots[at]],
            blocks: Vec::new(),
        };
        let others: Vec<_> = (0..3).filter(|n| *n != at).map(|n| roots[n]).collect();
        assert_eq!(
            *space,
            bench
                .store()
                .space_of_group(&group, &others, &held)
                .unwrap()
        );
    }
    let [first_space, second_space, third_space] = spaces[..] else {
        panic!()
    };
    assert_eq!(third_space.freed, 0, "a volume was made of it");
    assert!(second_space.freed > 0 && second_space.shared() > 0);
    let one = |n: usize| {
        let ids = [id_in(HERE, &digest(n))];
        u64::from(
            bench.index.locate(HERE, &ids).unwrap()[0]
                .unwrap()
                .stored_len,
        ) + 64
            + 52
    };
    assert_eq!(
        first_space.unique - first_space.freed,
        one(0),
        "block 0 is held"
    );
    let leaf = 8 + 256 / 8 + 32 + HERE_TAG as u64 + 64 + 52;
    assert_eq!(
        first_space.shared(),
        one(2) + leaf,
        "of the first, only block 2 and its leaf are in another"
    );
    // What is foretold is what goes.
    let everything = begin(&bench, &[first, second, third]).marked().bytes;
    let mut rest = begin(&bench, &[second, third]);
    rest.mark_blocks(HERE, &[digest(0)]).unwrap();
    assert_eq!(everything - rest.marked().bytes, first_space.freed);
}

/// Dies at its `n`th change: that one and all calls after it fail.
#[derive(Debug)]
struct DyingIndex {
    inner: Arc<MemoryIndex>,
    left: AtomicU64,
}

impl DyingIndex {
    fn step(&self) -> Result<(), IndexError> {
        let left = self.left.load(Ordering::SeqCst);
        self.left.store(left.saturating_sub(1), Ordering::SeqCst);
        match left {
            0 => Err(IndexError("told to die".into())),
            _ => Ok(()),
        }
    }
}

impl BlobIndex for DyingIndex {
    pass_on!(locate);
    pass_on!(locate_reusable);
    pass_on!(looks);

    fn insert(&self, domain: DomainId, blobs: &[(BlobId, Location)]) -> Result<(), IndexError> {
        self.step()?;
        self.inner.insert(domain, blobs)
    }
    fn allocate_pack(&self) -> Result<PackId, IndexError> {
        self.step()?;
        self.inner.allocate_pack()
    }
    fn mark_bad(&self, domain: DomainId, blobs: &[(BlobId, PackId)]) -> Result<(), IndexError> {
        self.step()?;
        self.inner.mark_bad(domain, blobs)
    }
    fn condemn(&self, packs: &[PackId], at: i64) -> Result<(), IndexError> {
        self.step()?;
        self.inner.condemn(packs, at)
    }
    fn pardon(&self, packs: &[PackId]) -> Result<(), IndexError> {
        self.step()?;
        self.inner.pardon(packs)
    }
    fn confirm(&self, domain: DomainId, ids: &[BlobId]) -> Result<Vec<bool>, IndexError> {
        self.step()?;
        self.inner.confirm(domain, ids)
    }
    fn relocate(
        &self,
        domain: DomainId,
        blobs: &[(BlobId, PackId, Location)],
    ) -> Result<(), IndexError> {
        self.step()?;
        self.inner.relocate(domain, blobs)
    }
    fn forget_pack(&self, pack: PackId, condemned_at: i64) -> Result<bool, IndexError> {
        self.step()?;
        self.inner.forget_pack(pack, condemned_at)
    }
    fn purge(&self, go_on: &dyn Fn() -> bool) -> Result<(), IndexError> {
        self.step()?;
        self.inner.purge(go_on)
    }
    fn raise_alarm(&self, alarm: &Alarm) -> Result<(), IndexError> {
        self.step()?;
        self.inner.raise_alarm(alarm)
    }
    fn clear_alarms(&self) -> Result<(), IndexError> {
        self.step()?;
        self.inner.clear_alarms()
    }
}

/// Two snapshots, one of which was deleted, and packs of all kinds: dead, sparse, full of life.
fn half_dead() -> (SimDisk, Arc<MemoryIndex>, Root) {
    let index = Arc::new(MemoryIndex::new());
    let bench = Bench::with_index(SimDisk::new(), Arc::clone(&index) as Arc<dyn BlobIndex>);
    snapshot(&bench, 0..14);
    let kept = snapshot(&bench, [0, 5, 6, 7, 15, 16]);
    bench.disk.sync_dir(Path::new(DIR)).unwrap();
    (bench.disk.clone(), index, kept)
}

/// Both passes, as far as they get.
fn both_passes(bench: &Bench, kept: Root) -> Result<(), Error> {
    for now in [0, HOUR] {
        let mut collection = bench.store().begin_collection()?;
        collection.mark_root(HERE, &kept)?;
        collection.plan(rules(now))?.carry_out()?;
    }
    Ok(())
}

/// After a crash everything that is needed is there, and later passes tidy up.
fn check_after_crash(disk: SimDisk, index: Arc<MemoryIndex>, kept: Root, crash: Crash) {
    disk.crash(crash);
    let bench = Bench::with_index(disk, index as Arc<dyn BlobIndex>);
    assert_intact(&bench, &[kept]);
    for hour in 2..5 {
        collect(&bench, &[kept], hour * HOUR);
        assert_intact(&bench, &[kept]);
    }
    assert_nothing_else(&bench, &[kept]);
}

fn crashes() -> [Crash; 3] {
    [Crash::Kill, Crash::LoseAll, Crash::PowerLoss(7)]
}

#[test]
fn a_crash_at_any_change_of_the_disk_loses_nothing_and_leaves_nothing() {
    for crash in crashes() {
        let mut points = 0;
        loop {
            let (disk, index, kept) = half_dead();
            let bench = Bench::with_index(disk.clone(), Arc::clone(&index) as Arc<dyn BlobIndex>);
            disk.crash_at(points);
            let done = both_passes(&bench, kept).is_ok();
            drop(bench);
            check_after_crash(disk, index, kept, crash);
            if done {
                break;
            }
            points += 1;
        }
        assert!(points > 10, "{points} points to die at");
    }
}

#[test]
fn a_crash_at_any_change_of_the_index_loses_nothing_and_leaves_nothing() {
    for crash in crashes() {
        let mut points = 0;
        loop {
            let (disk, index, kept) = half_dead();
            let dying = Arc::new(DyingIndex {
                inner: Arc::clone(&index),
                left: AtomicU64::new(u64::MAX),
            });
            let bench = Bench::with_index(disk.clone(), Arc::clone(&dying) as Arc<dyn BlobIndex>);
            dying.left.store(points, Ordering::SeqCst);
            let done = both_passes(&bench, kept).is_ok();
            drop(bench);
            check_after_crash(disk, index, kept, crash);
            if done {
                break;
            }
            points += 1;
        }
        assert!(points > 5, "{points} points to die at");
    }
}

/// Writers that find each other's garbage, readers of what is deleted under their eyes, and a
/// collector without grace, all at once.
#[test]
fn threads_write_read_delete_and_collect_side_by_side() {
    const ROUNDS: usize = 30;
    let bench = Bench::new();
    let named = Mutex::new(Vec::<Root>::new());
    let (writing, passes) = (AtomicU64::new(3), AtomicU64::new(0));
    let named_roots = || named.lock().unwrap().clone();
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (bench, named, writing) = (&bench, &named, &writing);
            scope.spawn(move || {
                let _end = End(writing);
                let mut rng = Rng::new(thread + 1);
                for _ in 0..ROUNDS {
                    write_one(bench, named, &mut rng);
                    read_one(bench, named, &mut rng);
                }
            });
        }
        scope.spawn(|| {
            while writing.load(Ordering::SeqCst) > 0 {
                let mut collection = bench.store().begin_collection().unwrap();
                for root in named_roots() {
                    collection.mark_root(HERE, &root).unwrap();
                }
                let now = i64::try_from(passes.fetch_add(1, Ordering::SeqCst)).unwrap();
                let rules = Rules {
                    grace: Duration::ZERO,
                    ..rules(now)
                };
                collection.plan(rules).unwrap().carry_out().unwrap();
            }
        });
    });
    assert!(passes.load(Ordering::SeqCst) > 3);
    let roots = named_roots();
    assert_intact(&bench, &roots);
    bench.store().seal().unwrap();
    for hour in 1..4 {
        collect(&bench, &roots, hour * HOUR);
    }
    assert_intact(&bench, &roots);
    assert_nothing_else(&bench, &roots);
}

/// A thread has ended, also by a panic.
struct End<'a>(&'a AtomicU64);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn below(rng: &mut Rng, limit: usize) -> usize {
    let mut bytes = [0; 8];
    rng.fill(&mut bytes);
    usize::try_from(u64::from_le_bytes(bytes) % limit as u64).unwrap()
}

/// A snapshot of some blocks; of those there are already, now and then one is deleted.
fn write_one(bench: &Bench, named: &Mutex<Vec<Root>>, rng: &mut Rng) {
    let session = bench.store().session();
    let first = below(rng, BLOCKS);
    let numbers: Vec<_> = (0..4).map(|n| (first + n) % BLOCKS).collect();
    let root = snapshot(bench, numbers);
    let mut roots = named.lock().unwrap();
    roots.push(root);
    if roots.len() > 3 {
        let gone = below(rng, roots.len());
        roots.swap_remove(gone);
    }
    drop(roots);
    drop(session);
}

fn read_one(bench: &Bench, named: &Mutex<Vec<Root>>, rng: &mut Rng) {
    let _session = bench.store().session();
    let root = {
        let roots = named.lock().unwrap();
        roots[below(rng, roots.len())]
    };
    let report = bench.store().verify(HERE, &root, &|_| {}).unwrap();
    assert!(report.is_intact(), "{report:?}");
}
