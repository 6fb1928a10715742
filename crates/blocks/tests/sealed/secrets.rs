//! What a key protects, and what happens without it.

use std::{
    collections::BTreeSet,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
};

use cairn_blocks::{
    BLOCK_SIZE, BlobIndex as _, Damage, Digest, DomainId, Error, Location, MemoryIndex, PackId,
    Root,
    collect::{Rules, usage::Holders},
    disk::{Disk as _, OpenMode},
    scrub::{Fault, PackReport},
};
use cairn_testkit::{Crash, Rng, SimDisk};

use crate::{
    collecting::{HOUR, SIZE, assert_intact, begin, rules, snapshot},
    packs::{holds, id_under},
    support::{Bench, DIR, HERE, THERE, block, digest, id_in, random_block},
};

/// A bench whose index believes everything.
fn bench() -> (Bench, Arc<MemoryIndex>) {
    let index = Arc::new(MemoryIndex::new());
    let bench = Bench::with_index(SimDisk::new(), Arc::clone(&index) as Arc<_>);
    (bench, index)
}

/// The same disk once more, under an index that knows the same.
fn again(bench: &Bench, index: &MemoryIndex) -> (Bench, Arc<MemoryIndex>) {
    let copy = Arc::new(MemoryIndex::new());
    for (domain, id, location) in index.entries() {
        copy.insert(domain, &[(id, location)]).unwrap();
    }
    while copy.next_pack().unwrap() < index.next_pack().unwrap() {
        copy.allocate_pack().unwrap();
    }
    let bench = Bench::with_index(bench.disk.fork(), Arc::clone(&copy) as Arc<_>);
    (bench, copy)
}

fn locate(index: &MemoryIndex, domain: DomainId, n: usize) -> Location {
    let ids = [id_in(domain, &digest(n))];
    index.locate(domain, &ids).unwrap()[0].unwrap()
}

fn path_of(bench: &Bench, pack: PackId) -> PathBuf {
    let prefix = format!("{:016x}.", pack.0);
    let names = bench.disk.list(Path::new(DIR)).unwrap();
    let name = names.into_iter().find(|name| name.starts_with(&prefix));
    Path::new(DIR).join(name.unwrap())
}

fn write(bench: &Bench, path: &Path, bytes: &[u8], at: u64) {
    let file = bench.disk.open(path, OpenMode::ReadWrite).unwrap();
    file.write_all_at(bytes, at).unwrap();
    file.sync_data().unwrap();
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

fn faults(reports: &[PackReport]) -> Vec<&Fault> {
    let findings = reports.iter().flat_map(|report| &report.findings);
    findings.map(|finding| &finding.fault).collect()
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(read: Result<T, Error>, expected: Damage) {
    assert!(
        matches!(&read, Err(Error::Damaged { reason, .. }) if *reason == expected),
        "{read:?}"
    );
}

/// 64 bytes that nothing else holds.
fn canary() -> Vec<u8> {
    let mut pattern = vec![0; 64];
    Rng::new(0xca_7a71).fill(&mut pattern);
    pattern
}

/// A block in which the pattern is all that there is, and one that does not compress.
fn marked_blocks() -> [Vec<u8>; 2] {
    let pattern = canary();
    let compressible = pattern.iter().copied().cycle().take(BLOCK_SIZE).collect();
    let mut random = random_block(77);
    for at in (0..BLOCK_SIZE).step_by(4096) {
        random[at..at + 64].copy_from_slice(&pattern);
    }
    [compressible, random]
}

/// Puts blocks, recovers and collects; shows the disk after every step.
fn life(bench: &mut Bench, domain: DomainId, look: &dyn Fn(&Bench)) -> Vec<Root> {
    let blocks = marked_blocks();
    let mut roots = Vec::new();
    for crash in [Crash::Kill, Crash::LoseAll, Crash::PowerLoss(1)] {
        for block in &blocks {
            let at = roots.len() as u64;
            bench.store().put(domain, block).unwrap();
            look(bench);
            let filler = random_block(at + 100);
            let stored = [block, &filler].map(|block| bench.store().put(domain, block).unwrap());
            bench.store().sync(domain).unwrap();
            look(bench);
            let changes = stored.map(|stored| stored.digest());
            let changes = changes.into_iter().zip([at, at + 1]).map(|(d, n)| (n, d));
            roots.push(bench.store().build(domain, None, SIZE, changes).unwrap());
            look(bench);
        }
        bench.crash(crash);
        look(bench);
        bench.store().seal().unwrap();
        look(bench);
    }
    let kept = roots.split_off(roots.len() - 1);
    for now in [0, HOUR, 2 * HOUR] {
        let mut collection = bench.store().begin_collection().unwrap();
        collection.mark_root(domain, &kept[0]).unwrap();
        let rules = Rules {
            domains: BTreeSet::from([domain]),
            ..rules(now)
        };
        collection.plan(rules).unwrap().carry_out().unwrap();
        look(bench);
    }
    kept
}

fn everything(bench: &Bench) -> Vec<u8> {
    let names = bench.disk.list(Path::new(DIR)).unwrap();
    let contents = names
        .iter()
        .map(|name| bench.disk.contents(Path::new(DIR).join(name)));
    contents.collect::<Vec<_>>().concat()
}

/// The pattern, and the digests of the blocks that hold it.
fn secrets() -> Vec<Vec<u8>> {
    let digests = marked_blocks().map(|block| Digest::of(&block).0.to_vec());
    [canary()].into_iter().chain(digests).collect()
}

#[test]
fn nothing_of_a_sealed_domain_is_ever_on_the_disk() {
    let secrets = secrets();
    let (mut bench, _) = bench();
    bench.book.lock().unwrap().canaries.clone_from(&secrets);
    let look = |bench: &Bench| {
        let bytes = everything(bench);
        assert!(secrets.iter().all(|secret| !holds(&bytes, secret)));
    };
    let kept = life(&mut bench, HERE, &look);
    assert_intact(&bench, &kept);
    let nonces = bench.book.lock().unwrap().written.len();
    assert!(nonces > 20, "{nonces}");
}

/// Whoever looks for secrets would find them.
#[test]
fn everything_of_a_plain_domain_is_on_the_disk() {
    let (mut bench, _) = bench();
    let seen = std::cell::Cell::new(0);
    let look = |bench: &Bench| {
        let bytes = everything(bench);
        let found = secrets()
            .iter()
            .filter(|secret| holds(&bytes, secret))
            .count();
        seen.set(seen.get().max(found));
    };
    life(&mut bench, THERE, &look);
    assert_eq!(seen.get(), 3);
    assert_eq!(bench.book.lock().unwrap().written.len(), 0, "no nonces");
}

#[test]
fn an_append_that_failed_takes_its_nonce_along() {
    let (mut bench, index) = bench();
    bench.put(0);
    for seed in 0..3 {
        bench.disk.set_free(8192);
        let failed = bench.store().put(HERE, &random_block(seed));
        assert!(failed.unwrap_err().is_storage_full());
    }
    bench.disk.set_free(1 << 30);
    bench.put_all(1..4);
    bench.store().sync(HERE).unwrap();
    // The book has looked at every write; and slots are positions.
    let slots: Vec<_> = (0..4).map(|n| locate(&index, HERE, n).slot).collect();
    assert_eq!(slots, [0, 1, 2, 3]);
    assert_eq!(bench.book.lock().unwrap().written.len(), 4 + 3);
    let at = locate(&index, HERE, 1);
    let bytes = bench.disk.contents(path_of(&bench, at.pack));
    let header = usize::try_from(at.offset).unwrap() - 64;
    assert_eq!(bytes[header + 56..header + 60], 4u32.to_le_bytes());
    bench.crash(Crash::LoseAll);
    for n in 0..4 {
        assert!(*bench.store().get(HERE, &digest(n)).unwrap() == *block(n));
    }
}

/// The header of a blob with another slot, in another pack; its checksum is right.
fn forged(header: &[u8], slot: u32, pack: PackId) -> Vec<u8> {
    let mut header = header.to_vec();
    header[48..52].copy_from_slice(&slot.to_le_bytes());
    let crc = crc32c::crc32c(&pack.0.to_le_bytes());
    let crc = crc32c::crc32c_append(crc, &header[..60]);
    header[60..64].copy_from_slice(&crc.to_le_bytes());
    header
}

/// Moves block 0 to where another one lies, with its row, and with every checksum right.
fn move_block_0(bench: &Bench, index: &MemoryIndex, domain: DomainId, to: Location) {
    let from = locate(index, domain, 0);
    assert_eq!(from.stored_len, to.stored_len, "they are of one length");
    let bytes = bench.disk.contents(path_of(bench, from.pack));
    let at = usize::try_from(from.offset).unwrap();
    let header = forged(&bytes[at - 64..at], to.slot, to.pack);
    let moved = [&header, &bytes[at..at + from.stored_len as usize]].concat();
    write(bench, &path_of(bench, to.pack), &moved, to.offset - 64);
    let id = id_in(domain, &digest(0));
    index.relocate(domain, &[(id, from.pack, to)]).unwrap();
}

#[test]
fn a_blob_is_refused_at_any_place_but_its_own() {
    let (bench, index) = bench();
    for domain in [HERE, THERE] {
        for n in 0..12 {
            bench.store().put(domain, block(n)).unwrap();
        }
    }
    bench.store().seal().unwrap();
    let packs: BTreeSet<_> = (0..12).map(|n| locate(&index, HERE, n).pack).collect();
    assert!(packs.len() > 1);
    for n in 1..12 {
        let (moved, index) = again(&bench, &index);
        move_block_0(&moved, &index, HERE, locate(&index, HERE, n));
        assert_refused(moved.store().get(HERE, &digest(0)), Damage::Tag);
        // A plain blob may lie anywhere: this is no accident of the moving.
        move_block_0(&moved, &index, THERE, locate(&index, THERE, n));
        assert!(*moved.store().get(THERE, &digest(0)).unwrap() == *block(0));
    }
}

#[test]
fn a_pack_is_refused_in_another_domain_of_the_same_key() {
    let (bench, index) = bench();
    let other = DomainId(7);
    bench.keys.seal(other, 2);
    assert_eq!(
        id_under(&bench.keys, other, &digest(0)),
        id_in(HERE, &digest(0)),
        "the same key"
    );
    bench.put_all(0..2);
    bench.store().seal().unwrap();
    let at = locate(&index, HERE, 0);
    let path = path_of(&bench, at.pack);
    let id = id_in(HERE, &digest(0));
    index.insert(other, &[(id, at)]).unwrap();
    assert_refused(bench.store().get(other, &digest(0)), Damage::PackHeader);
    let mut header = bench.disk.contents(&path)[..64].to_vec();
    header[16..24].copy_from_slice(&other.0.to_le_bytes());
    let crc = crc32c::crc32c(&header[..60]);
    header[60..64].copy_from_slice(&crc.to_le_bytes());
    write(&bench, &path, &header, 0);
    assert_refused(bench.store().get(other, &digest(0)), Damage::Tag);
}

#[test]
fn nothing_is_read_under_another_key() {
    let (mut bench, index) = bench();
    let root = snapshot(&bench, 0..3);
    bench.store().seal().unwrap();
    bench.keys.seal(HERE, 3);
    bench.reopen();
    assert!(matches!(
        bench.store().get(HERE, &digest(0)),
        Err(Error::NotFound { .. })
    ));
    assert!(bench.store().leaf(HERE, &root, 0).is_err());
    // Even if the row is found.
    let at = locate(&index, HERE, 0);
    let id = id_under(&bench.keys, HERE, &digest(0));
    index.insert(HERE, &[(id, at)]).unwrap();
    assert_refused(bench.store().get(HERE, &digest(0)), Damage::Header);
}

/// Whoever turns a key into none, or the other way round, gets nothing.
#[test]
fn a_pack_has_to_be_what_its_domain_is() {
    let (mut bench, index) = bench();
    for domain in [HERE, THERE] {
        bench.store().put(domain, block(0)).unwrap();
    }
    bench.store().seal().unwrap();
    let rows = [HERE, THERE].map(|domain| (domain, locate(&index, domain, 0)));
    bench.keys = cairn_testkit::SimKeyring::new(9);
    bench.keys.seal(THERE, 2);
    bench.reopen();
    for (domain, at) in rows {
        let id = id_under(&bench.keys, domain, &digest(0));
        index.insert(domain, &[(id, at)]).unwrap();
        assert!(matches!(
            bench.store().get(domain, &digest(0)),
            Err(Error::Damaged { .. })
        ));
    }
    let reports = scrub(&bench);
    for report in &reports {
        assert!(matches!(report.findings[0].fault, Fault::Header(_)));
        assert_eq!(report.unchecked, 0);
    }
    let lost = Fault::Blob(Damage::PackHeader);
    assert!(faults(&reports).contains(&&lost));
}

/// The answers of a store about a domain whose key it does not get.
fn answers(bench: &Bench, root: &Root) -> Vec<Option<Error>> {
    let store = bench.store();
    vec![
        store.get(HERE, &digest(0)).err(),
        store.put(HERE, block(0)).err(),
        store.put(HERE, block(20)).err(),
        store
            .build(HERE, Some(root), SIZE, [(1, Some(digest(0)))])
            .err(),
        store.leaf(HERE, root, 0).err(),
        store.blocks(HERE, root, 0).find_map(Result::err),
        store.count(HERE, root).err(),
        store.verify(HERE, root, &|_| {}).err(),
        store.survey().unwrap().unreadable_blocks(HERE, root).err(),
    ]
}

#[test]
fn a_key_that_cannot_be_had_is_no_damage() {
    let (mut bench, index) = bench();
    let root = snapshot(&bench, 0..3);
    let known = bench.store().leaf(HERE, &root, 0).unwrap();
    assert!(known.is_some(), "and the nodes are in memory");
    for reopen in [false, true] {
        bench.keys.withhold(HERE);
        if reopen {
            bench.reopen();
        }
        for answer in answers(&bench, &root) {
            assert!(matches!(answer, Some(Error::Key(_))), "{answer:?}");
        }
        bench.store().sync(HERE).unwrap();
        assert_eq!(index.bad().unwrap(), []);
        bench.store().put(THERE, block(0)).unwrap();
        bench.keys.give_back(HERE);
        assert_intact(&bench, &[root]);
    }
}

/// What is in memory is not given out either.
#[test]
fn a_cached_block_needs_its_key_too() {
    let disk = SimDisk::new();
    let keys = crate::support::keyring();
    let options = cairn_blocks::Options {
        block_cache_bytes: 4 << 20,
        ..crate::support::options()
    };
    let store = cairn_blocks::BlockStore::open(
        Arc::new(disk.clone()),
        Path::new(DIR),
        Arc::new(MemoryIndex::new()),
        Arc::new(keys.clone()),
        options,
    )
    .unwrap();
    store.put(HERE, block(0)).unwrap();
    assert!(store.get(HERE, &digest(0)).is_ok());
    disk.start_trace();
    assert!(store.get(HERE, &digest(0)).is_ok());
    assert_eq!(disk.take_trace(), [], "it is in memory");
    keys.withhold(HERE);
    assert!(matches!(store.get(HERE, &digest(0)), Err(Error::Key(_))));
    keys.erase(HERE);
    assert!(matches!(
        store.get(HERE, &digest(0)),
        Err(Error::Erased { domain: HERE })
    ));
}

#[test]
fn a_collection_ends_when_a_key_cannot_be_had() {
    let (bench, index) = bench();
    let (kept, _) = (snapshot(&bench, [0, 5]), snapshot(&bench, 1..16));
    bench.store().seal().unwrap();
    bench.keys.withhold(HERE);
    let mut collection = bench.store().begin_collection().unwrap();
    let marked = collection.mark_root(HERE, &kept);
    assert!(matches!(marked, Err(Error::Key(_))), "{marked:?}");
    assert!(collection.mark_blocks(HERE, &[digest(0)]).is_err());
    drop(collection);
    bench.keys.give_back(HERE);
    // Or later, when what lives is copied.
    let plan = begin(&bench, &[kept]).plan(rules(0)).unwrap();
    assert!(plan.report().copied.blobs > 0);
    bench.keys.withhold(HERE);
    let carried = plan.carry_out();
    assert!(matches!(carried, Err(Error::Key(_))), "{carried:?}");
    assert_eq!(
        (index.bad().unwrap(), index.condemned().unwrap()),
        (vec![], vec![])
    );
    bench.keys.give_back(HERE);
    assert_intact(&bench, &[kept]);
}

#[test]
fn a_scrub_without_the_key_says_what_it_did_not_check() {
    for erase in [false, true] {
        let (bench, index) = bench();
        snapshot(&bench, 0..6);
        bench.store().put(THERE, block(0)).unwrap();
        bench.store().seal().unwrap();
        let all = index.entries().len() as u64;
        let unchecked =
            |reports: &[PackReport]| -> u64 { reports.iter().map(|report| report.unchecked).sum() };
        let reports = scrub(&bench);
        assert_eq!((unchecked(&reports), faults(&reports)), (0, vec![]));
        assert!(reports.iter().all(|report| report.locked.is_none()));
        match erase {
            true => bench.keys.erase(HERE),
            false => bench.keys.withhold(HERE),
        }
        let reports = scrub(&bench);
        assert_eq!(faults(&reports), Vec::<&Fault>::new());
        assert_eq!(unchecked(&reports), all - 1, "all but the plain one");
        let locked = reports.iter().filter(|report| report.locked.is_some());
        assert_eq!(locked.count(), reports.len() - 1);
        assert_eq!(index.bad().unwrap(), []);
        // What is certain is told all the same, each byte of it.
        let at = locate(&index, HERE, 2);
        let path = path_of(&bench, at.pack);
        for byte in at.offset - 64..at.offset + u64::from(at.stored_len) {
            let (rotten, index) = again(&bench, &index);
            rotten.disk.rot(&path, byte, 1);
            match erase {
                true => rotten.keys.erase(HERE),
                false => rotten.keys.withhold(HERE),
            }
            let reports = scrub(&rotten);
            let found = faults(&reports);
            assert!(
                matches!(found[..], [Fault::Blob(_)]),
                "byte {byte}: {found:?}"
            );
            assert_eq!(unchecked(&reports), all - 2);
            assert_eq!(index.bad().unwrap().len(), 1);
        }
    }
}

/// Neither at the opening nor when an index is rebuilt.
#[test]
fn nothing_is_lost_for_want_of_a_key() {
    for crash in [Crash::Kill, Crash::LoseAll, Crash::PowerLoss(3)] {
        for reindex in [false, true] {
            let (mut bench, _) = bench();
            let root = snapshot(&bench, 0..8);
            let last = bench.store().put(HERE, block(9)).unwrap().digest().unwrap();
            bench.store().sync(HERE).unwrap();
            assert!(!bench.packs(".open").is_empty());
            bench.keys.withhold(HERE);
            bench.crash(crash);
            assert_eq!(bench.packs(".open"), Vec::<PathBuf>::new());
            if reindex {
                // One pack without its table, so that its blobs have to be looked for.
                let path = bench.packs(".data")[0].clone();
                let len = bench.disk.contents(&path).len() as u64;
                bench.disk.rot(&path, len - 4, 1);
                bench.close();
                let keys = bench.keys.clone();
                bench = Bench::with_index(bench.disk, Arc::new(MemoryIndex::new()));
                bench.close();
                bench.keys = keys;
                bench.reopen();
                let found = bench.store().reindex().unwrap();
                assert_eq!(found.unread, []);
            }
            assert!(matches!(bench.store().get(HERE, &last), Err(Error::Key(_))));
            bench.keys.give_back(HERE);
            assert_intact(&bench, &[root]);
            assert!(*bench.store().get(HERE, &last).unwrap() == *block(9));
        }
    }
}

/// A wrong key looks like damage, of which an opening must not make a loss.
#[test]
fn an_opening_under_another_key_loses_nothing() {
    let (mut bench, _) = bench();
    bench.put_all(0..3);
    bench.store().sync(HERE).unwrap();
    for (seed, readable) in [(3, false), (2, true)] {
        bench.keys.seal(HERE, seed);
        bench.crash(Crash::LoseAll);
        for n in 0..3 {
            let read = bench.store().get(HERE, &digest(n));
            assert_eq!(read.is_ok(), readable, "block {n}");
        }
    }
}

/// A blob whose bytes are torn is not kept, with the key or without.
#[test]
fn what_is_torn_in_an_open_pack_is_found_without_the_key() {
    for withheld in [false, true] {
        let (bench, index) = bench();
        bench.put_all(0..3);
        bench.store().sync(HERE).unwrap();
        let at = locate(&index, HERE, 1);
        let disk = bench.disk.fork();
        disk.rot(path_of(&bench, at.pack), at.offset + 50, 0x10);
        let mut torn = Bench::with_index(SimDisk::new(), Arc::new(MemoryIndex::new()));
        torn.close();
        torn.disk = disk;
        if withheld {
            torn.keys.withhold(HERE);
        }
        torn.reopen();
        torn.keys.give_back(HERE);
        let found = [0, 1, 2].map(|n| torn.store().get(HERE, &digest(n)).is_ok());
        assert_eq!(found, [true, false, true], "withheld: {withheld}");
    }
}

#[test]
fn an_erased_domain_is_refused_and_becomes_garbage() {
    let (mut bench, index) = bench();
    let root = snapshot(&bench, 0..8);
    let cached = bench.store().leaf(HERE, &root, 0).unwrap();
    assert!(cached.is_some());
    bench.store().put(THERE, block(0)).unwrap();
    bench.store().sync(THERE).unwrap();
    bench.keys.erase(HERE);
    for reopen in [false, true] {
        if reopen {
            bench.crash(Crash::PowerLoss(1));
        }
        for answer in answers(&bench, &root) {
            assert!(
                matches!(answer, Some(Error::Erased { domain: HERE })),
                "{answer:?}"
            );
        }
    }
    assert_eq!(index.bad().unwrap(), []);
    // The caller may still name it, and asks what it costs.
    let named = Holders {
        roots: vec![(HERE, root)],
        blocks: vec![(HERE, vec![digest(0)])],
    };
    let spaces = bench
        .store()
        .space_of_each(&[(HERE, root)], &named)
        .unwrap();
    assert_eq!((spaces[0].stored, spaces[0].freed), (0, 0));
    let group = bench
        .store()
        .space_of_group(&named, &[(HERE, root)], &named);
    assert_eq!(group.unwrap().stored, 0);
    for now in [0, HOUR] {
        let mut collection = begin(&bench, &[root]);
        collection.mark_blocks(HERE, &[digest(0)]).unwrap();
        assert_eq!(collection.marked().blobs, 0);
        collection.plan(rules(now)).unwrap().carry_out().unwrap();
    }
    let left: Vec<_> = index.packs(None, 99).unwrap();
    assert!(left.iter().all(|usage| usage.domain == THERE), "{left:?}");
    assert_eq!(bench.packs("").len(), left.len() + 1, "and the lock");
    assert!(*bench.store().get(THERE, &digest(0)).unwrap() == *block(0));
}

/// A copy is encrypted for its new place, and not compressed again.
#[test]
fn what_is_copied_is_encrypted_anew() {
    let (bench, index) = bench();
    snapshot(&bench, 0..16);
    bench.store().seal().unwrap();
    let before = locate(&index, HERE, 6);
    let stored = |at: &Location| {
        let bytes = bench.disk.contents(path_of(&bench, at.pack));
        let offset = usize::try_from(at.offset).unwrap();
        bytes[offset..offset + at.stored_len as usize].to_vec()
    };
    let first = stored(&before);
    let few = crate::collecting::build(&bench, &[1, 6, 11]);
    let plan = begin(&bench, &[few]).plan(rules(0)).unwrap();
    plan.carry_out().unwrap();
    let after = locate(&index, HERE, 6);
    assert_ne!(after.pack, before.pack);
    assert_eq!(after.stored_len, before.stored_len);
    assert_ne!(stored(&after), first);
    assert_intact(&bench, &[few]);
}
