//! Every byte that changes on the disk is found by a scrub, with what it means; and healed.

use std::{
    collections::BTreeSet,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
};

use cairn_blocks::{
    BlobIndex as _, Damage, DomainId, MemoryIndex, PackId, Root,
    disk::Disk as _,
    scrub::{Fault, Finding, PackReport},
};
use cairn_testkit::{Rng, SimDisk};

use crate::{
    HERE_IS_SEALED,
    support::{BLOCKS, Bench, DIR, HERE, THERE, block, digest, id_in},
};

/// A snapshot: its domain, its root, and its blocks with the numbers of what they hold.
type Made = (DomainId, Root, Vec<(u64, usize)>);

/// Two snapshots that share a block and a leaf, and a third in another domain.
struct Story {
    bench: Bench,
    index: Arc<MemoryIndex>,
    snapshots: Vec<Made>,
}

fn story() -> Story {
    let index = Arc::new(MemoryIndex::new());
    let bench = Bench::with_index(SimDisk::new(), Arc::clone(&index) as Arc<_>);
    let contents = [
        (HERE, vec![(5, 0), (300, 1)]),
        (HERE, vec![(5, 0), (70_000, 2)]),
        (THERE, vec![(5, 3)]),
    ];
    let snapshots = contents
        .into_iter()
        .map(|(domain, content)| (domain, take(&bench, domain, &content), content))
        .collect();
    bench.store().seal().unwrap();
    Story {
        bench,
        index,
        snapshots,
    }
}

fn take(bench: &Bench, domain: DomainId, content: &[(u64, usize)]) -> Root {
    for (_, n) in content {
        bench.store().put(domain, block(*n)).unwrap();
    }
    let changes = content.iter().map(|(at, n)| (*at, Some(digest(*n))));
    bench.store().build(domain, None, 1 << 36, changes).unwrap()
}

impl Story {
    /// The same on a disk of its own, after `change`.
    fn after(&self, change: impl FnOnce(&SimDisk)) -> (Bench, Arc<MemoryIndex>) {
        let disk = self.bench.disk.fork();
        change(&disk);
        let index = Arc::new(MemoryIndex::new());
        for (domain, id, location) in self.index.entries() {
            index.insert(domain, &[(id, location)]).unwrap();
        }
        while index.next_pack().unwrap() < self.index.next_pack().unwrap() {
            index.allocate_pack().unwrap();
        }
        let bench = Bench::with_index(disk, Arc::clone(&index) as Arc<_>);
        (bench, index)
    }

    fn packs(&self) -> Vec<PathBuf> {
        [self.bench.packs(".data"), self.bench.packs(".meta")].concat()
    }

    /// What readers say of the snapshots, without any scrub.
    fn intact(&self, bench: &Bench) -> Vec<bool> {
        let verify = |(domain, root, _): &(DomainId, Root, _)| {
            bench.store().verify(*domain, root, &|_| {}).unwrap()
        };
        self.snapshots
            .iter()
            .map(|snapshot| verify(snapshot).is_intact())
            .collect()
    }

    fn surveyed(&self, bench: &Bench) -> Vec<bool> {
        let mut survey = bench.store().survey().unwrap();
        self.snapshots
            .iter()
            .map(|(domain, root, _)| survey.unreadable_blocks(*domain, root).unwrap() == 0)
            .collect()
    }

    /// Everything is uploaded once more.
    fn heal(&self, bench: &Bench) {
        for (domain, root, content) in &self.snapshots {
            assert_eq!(take(bench, *domain, content), *root);
        }
    }
}

fn scrub(bench: &Bench) -> Vec<PackReport> {
    let packs = bench.store().packs_to_scrub(|_| true).unwrap();
    packs
        .into_iter()
        .filter_map(|pack| {
            let go_on = &mut |_| ControlFlow::Continue(());
            bench.store().scrub_pack(pack, go_on).unwrap()
        })
        .collect()
}

fn findings(reports: &[PackReport]) -> Vec<&Finding> {
    reports.iter().flat_map(|report| &report.findings).collect()
}

fn id_of(path: &Path) -> PackId {
    let name = path.file_stem().unwrap().to_str().unwrap();
    PackId(u64::from_str_radix(name, 16).unwrap())
}

#[test]
fn what_is_as_it_was_has_no_findings() {
    let story = story();
    let (bench, index) = story.after(|_| {});
    let reports = scrub(&bench);
    assert_eq!(findings(&reports), Vec::<&Finding>::new());
    let bytes: usize = story
        .packs()
        .iter()
        .map(|pack| bench.disk.contents(pack).len())
        .sum();
    assert_eq!(
        reports.iter().map(|report| report.bytes).sum::<u64>(),
        bytes as u64
    );
    let blobs: u64 = reports.iter().map(|report| report.blobs).sum();
    assert_eq!(blobs, index.entries().len() as u64);
    assert_eq!(story.surveyed(&bench), [true; 3]);
}

/// Every byte of every pack, a bit of it: found where it is; the snapshots named are those that
/// readers cannot read, no more and no less; and putting the same again heals them.
#[test]
fn every_flip_is_found_its_snapshots_are_named_and_it_is_healed() {
    let story = story();
    let mut rng = Rng::new(1);
    let mut touched = [0; 3];
    for pack in story.packs() {
        let len = story.bench.disk.contents(&pack).len() as u64;
        for at in 0..len {
            let flip = |disk: &SimDisk| disk.rot(&pack, at, 1 << rng.below(8));
            let (bench, index) = story.after(flip);
            let place = format!("{}, byte {at}", pack.display());
            let reports = scrub(&bench);
            let found = findings(&reports);
            assert!(
                found.iter().any(|finding| finding.range.contains(&at)),
                "{place}: {found:?}"
            );
            let elsewhere = reports.iter().filter(|report| report.pack != id_of(&pack));
            assert!(elsewhere.map(|report| report.findings.len()).sum::<usize>() == 0);
            let marked = index.bad().unwrap();
            let told: BTreeSet<_> = found.iter().filter_map(|finding| finding.blob).collect();
            let bad: BTreeSet<_> = marked
                .iter()
                .map(|(domain, id, _)| (*domain, *id))
                .collect();
            assert_eq!(told, bad, "{place}: what is told is what is marked");
            let surveyed = story.surveyed(&bench);
            assert_eq!(surveyed, story.intact(&bench), "{place}");
            for (count, intact) in touched.iter_mut().zip(&surveyed) {
                *count += usize::from(!intact);
            }
            if !bad.is_empty() {
                assert!(
                    surveyed.contains(&false),
                    "{place}: every blob is of a snapshot"
                );
                story.heal(&bench);
                bench.store().seal().unwrap();
                assert_eq!(story.intact(&bench), [true; 3], "{place}");
                assert_eq!(index.bad().unwrap(), [], "{place}");
                assert_eq!(story.surveyed(&bench), [true; 3], "{place}");
            }
        }
    }
    assert!(
        touched.iter().all(|count| *count > 300),
        "each snapshot has some bytes of its own: {touched:?}"
    );
}

#[test]
fn what_readers_never_look_at_is_told_apart() {
    let story = story();
    let pack = story.bench.packs(".data")[0].clone();
    let bytes = story.bench.disk.contents(&pack);
    let len = bytes.len() as u64;
    // The header of the pack, a checksum within a good header's reach, the table, the footer.
    for (at, expected) in [
        (20, "pack header: CRC"),
        (len - 100, "pack table: CRC"),
        (len - 4, "pack footer: CRC"),
    ] {
        let (bench, index) = story.after(|disk| disk.rot(&pack, at, 1));
        let reports = scrub(&bench);
        let found = findings(&reports);
        // Without the salt no blob can be read.
        let lost = if HERE_IS_SEALED && at == 20 { 3 } else { 0 };
        assert_eq!(found.len(), 1 + lost, "{found:?}");
        assert_eq!(found[0].fault.to_string(), expected);
        assert_eq!(found[0].blob, None);
        assert_eq!(index.bad().unwrap().len(), lost);
    }
}

#[test]
fn a_pack_that_is_missing_or_cut_short_costs_what_it_held() {
    let story = story();
    let pack = story.bench.packs(".data")[0].clone();
    let held = story.index.blobs_of(id_of(&pack)).unwrap();
    let (bench, index) = story.after(|disk| disk.remove(&pack).unwrap());
    let reports = scrub(&bench);
    let found = findings(&reports);
    assert!(
        found
            .iter()
            .all(|finding| finding.fault == Fault::Blob(Damage::PackMissing))
    );
    assert_eq!(found.len(), held.len());
    assert_eq!(index.bad().unwrap().len(), held.len());
    assert_eq!(story.surveyed(&bench), story.intact(&bench));

    let len = story.bench.disk.contents(&pack).len() as u64;
    for left in [0, 10, 64, 100, 200, len - 1] {
        let (bench, _) = story.after(|disk| {
            let mode = cairn_blocks::disk::OpenMode::ReadWrite;
            disk.open(&pack, mode).unwrap().set_len(left).unwrap();
        });
        assert!(
            !findings(&scrub(&bench)).is_empty(),
            "{left} bytes are left"
        );
        assert_eq!(
            story.surveyed(&bench),
            story.intact(&bench),
            "{left} bytes are left"
        );
    }
}

/// A row that says something else than the pack: the reader would be refused.
#[test]
fn a_row_that_is_wrong_is_found() {
    let story = story();
    let (bench, index) = story.after(|_| {});
    let (domain, id, location) = index.entries()[0];
    let elsewhere = cairn_blocks::Location {
        offset: location.offset + 1,
        ..location
    };
    index
        .relocate(domain, &[(id, location.pack, elsewhere)])
        .unwrap();
    let reports = scrub(&bench);
    let found = findings(&reports);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&found[0].fault, found[0].blob),
        (&Fault::Row, Some((domain, id)))
    );
    assert_eq!(index.bad().unwrap().len(), 1);
}

#[test]
fn an_open_pack_is_left_alone_and_a_scrub_can_be_ended() {
    let bench = Bench::new();
    bench.put_all(0..3);
    bench.store().sync(HERE).unwrap();
    assert_eq!(bench.store().packs_to_scrub(|_| true).unwrap(), []);
    assert_eq!(scrub(&bench), []);
    bench.store().seal().unwrap();
    let pack = bench.store().packs_to_scrub(|_| true).unwrap()[0];
    let mut told = 0;
    let ended = bench.store().scrub_pack(pack, &mut |bytes| {
        told += bytes;
        ControlFlow::Break(())
    });
    assert_eq!(ended.unwrap(), None);
    assert!(told > 0);
}

/// A reader that stumbles over a blob marks it, so that the next put heals it without any scrub.
#[test]
fn a_failed_read_marks_the_blob() {
    let story = story();
    let pack = story.bench.packs(".data")[0].clone();
    let (domain, id, location) = story.index.blobs_of(id_of(&pack)).unwrap()[0];
    let (bench, index) = story.after(|disk| disk.rot(&pack, location.offset - 20, 1));
    let digest = (0..BLOCKS)
        .map(digest)
        .find(|digest| id_in(domain, digest) == id)
        .unwrap();
    for _ in 0..2 {
        assert!(bench.store().get(domain, &digest).is_err());
    }
    assert_eq!(index.bad().unwrap(), [(domain, id, location)]);
    story.heal(&bench);
    bench.store().sync(domain).unwrap();
    assert!(bench.store().get(domain, &digest).is_ok());
    assert_eq!(index.bad().unwrap(), []);
}

/// What is stored anew lies in a younger pack: an index that is rebuilt has to find that one, and a
/// table that is damaged must not hide the blobs of its pack.
#[test]
fn an_index_is_rebuilt_from_the_youngest_copies_and_without_a_table() {
    let story = story();
    let pack = story.bench.packs(".data")[0].clone();
    let (_, _, location) = story.index.blobs_of(id_of(&pack)).unwrap()[0];
    let (mut bench, _) = story.after(|disk| disk.rot(&pack, location.offset - 20, 1));
    scrub(&bench);
    story.heal(&bench);
    bench.store().seal().unwrap();
    for meta in bench.packs(".meta") {
        let len = bench.disk.contents(&meta).len() as u64;
        bench.disk.rot(&meta, len - 4, 1);
    }
    bench.close();
    let rebuilt = Bench::with_index(bench.disk, Arc::new(MemoryIndex::new()));
    let found = rebuilt.store().reindex().unwrap();
    assert_eq!(found.unread, []);
    assert_eq!(story.intact(&rebuilt), [true; 3]);
}

#[test]
fn a_pack_whose_domain_cannot_be_told_is_named() {
    let story = story();
    let pack = story.bench.packs(".data")[0].clone();
    let disk = story.bench.disk.fork();
    disk.rot(&pack, 17, 1);
    let rebuilt = Bench::with_index(disk, Arc::new(MemoryIndex::new()));
    let found = rebuilt.store().reindex().unwrap();
    let unread: Vec<_> = found.unread.iter().map(|unread| &unread.path).collect();
    assert_eq!(unread, [&pack]);
    assert!(found.last_pack >= Some(id_of(&pack)));
    assert!(rebuilt.disk.list(Path::new(DIR)).unwrap().len() > 1);
}
