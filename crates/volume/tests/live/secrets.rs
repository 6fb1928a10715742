//! What the files of a sealed volume show, and what they do without their key.

use std::{collections::BTreeSet, ops::ControlFlow, path::Path, sync::Arc};

use cairn_blocks::{
    BLOCK_SIZE, BlockStore, DataKey, Digest, DomainId, MemoryIndex, Root,
    disk::{Disk, OpenMode},
};
use cairn_testkit::{Crash, Errno, Fault, OpKind, Rng, SimDisk};
use cairn_volume::{
    Background, Base, EpochTag, Error, Options, Outcome, Volume, VolumeSpec, Wait, Work,
    claims::claims,
};

use crate::sealed::harness::{World, key, some_key, tag};

const BLOCK: u64 = BLOCK_SIZE as u64;
const DOMAIN: DomainId = DomainId(1);
const DIR: &str = "/volume";

/// What the guest writes: half of it compressible, half of it random.
fn marked() -> Vec<u8> {
    let mut bytes = b"the guest's own!".repeat(256);
    let mut random = vec![0; 4096];
    Rng::new(77).fill(&mut random);
    bytes.append(&mut random);
    bytes
}

/// A small volume whose content is marked throughout, and who looks for the marks.
struct Canary {
    sim: SimDisk,
    index: Arc<MemoryIndex>,
    store: Arc<BlockStore>,
    volume: Option<Arc<Volume>>,
    key: Option<DataKey>,
    needles: Vec<[u8; 16]>,
    /// The kinds of files in which one was found.
    found: BTreeSet<String>,
}

impl Canary {
    fn new(key: Option<DataKey>) -> Self {
        let sim = SimDisk::new();
        let index = Arc::new(MemoryIndex::new());
        let marked = marked();
        let needles = [&marked[..16], &marked[4096..4112], &marked[8176..]];
        let mut canary = Self {
            store: store(&sim, &index),
            sim,
            index,
            volume: None,
            key,
            needles: needles.map(|bytes| bytes.try_into().unwrap()).to_vec(),
            found: BTreeSet::new(),
        };
        let base = canary.base();
        canary.create(base);
        canary
    }

    /// A snapshot of two blocks, both full of the marks.
    fn base(&mut self) -> Root {
        let digests = [0, 1].map(|block: u8| {
            let mut bytes = marked().repeat(BLOCK_SIZE / 8192);
            bytes[100] = block;
            let digest = self.store.put(DOMAIN, &bytes).unwrap().digest();
            (u64::from(block), digest)
        });
        self.store.sync(DOMAIN).unwrap();
        let root = self.store.build(DOMAIN, None, 6 * BLOCK, digests).unwrap();
        self.look_for(&root);
        root
    }

    /// Looks for what an index holds from now on.
    fn look_for(&mut self, root: &Root) {
        let blocks = self.store.blocks(DOMAIN, root, 0);
        let digests: Vec<_> = blocks.map(|item| item.unwrap().1).collect();
        let needle = |digest: &Digest| digest.0[..16].try_into().unwrap();
        self.needles.extend(digests.iter().map(needle));
        self.needles.push(needle(&root.node));
    }

    fn create(&mut self, root: Root) {
        let spec = VolumeSpec {
            size_bytes: 6 * BLOCK,
            domain: DOMAIN,
            base: Some(Base {
                domain: DOMAIN,
                root,
            }),
        };
        let options = self.options("boot");
        let dir = Path::new(DIR);
        cairn_volume::create(&self.sim, dir, &spec, self.key.as_ref(), &options).unwrap();
        self.open("boot");
    }

    fn options(&self, boot: &str) -> Options {
        Options {
            background: Background::Manual,
            journal_segment_bytes: 64 << 10,
            journal_cap_bytes: 1 << 20,
            ..Options::new(boot)
        }
    }

    fn open(&mut self, boot: &str) {
        self.volume = None;
        let disk: Arc<dyn Disk> = Arc::new(self.sim.clone());
        let (store, options) = (Arc::clone(&self.store), self.options(boot));
        let volume = cairn_volume::open(disk, Path::new(DIR), store, self.key.clone(), options);
        self.volume = Some(volume.unwrap());
        self.look();
    }

    fn crash(&mut self, crash: Crash, boot: &str) {
        self.sim.crash(crash);
        self.look();
        self.store = store(&self.sim, &self.index);
        self.open(boot);
    }

    fn volume(&self) -> &Arc<Volume> {
        self.volume.as_ref().unwrap()
    }

    fn write(&mut self, offset: u64, fua: bool) {
        let done = self.volume().write(offset, &marked(), fua, Wait::Yes);
        assert_eq!(done.unwrap(), Outcome::Done);
        self.look();
        self.check(offset);
    }

    fn check(&self, offset: u64) {
        let mut read = vec![0; 8192];
        let done = self.volume().read(offset, &mut read, Wait::Yes).unwrap();
        assert_eq!(done, Outcome::Done);
        assert!(read == marked(), "what was written at {offset}");
    }

    fn work(&mut self) {
        while self.volume().work().unwrap() == Work::Progress {
            self.look();
        }
    }

    fn capture(&mut self, name: &str) -> Root {
        let tag = EpochTag::new(name).unwrap();
        let volume = Arc::clone(self.volume());
        let root = volume.capture(&tag, &mut |_| {
            self.look();
            ControlFlow::Continue(())
        });
        let root = root.unwrap();
        self.look_for(&root);
        self.look();
        root
    }

    /// Looks for the marks in every file of the volume.
    fn look(&mut self) {
        let dir = Path::new(DIR);
        for name in self.sim.list(dir).unwrap() {
            let bytes = self.sim.contents(dir.join(&name));
            if holds_one(&bytes, &self.needles) {
                let kind = name.split('-').next().unwrap_or(&name);
                self.found.insert(kind.to_owned());
            }
        }
    }
}

fn store(sim: &SimDisk, index: &Arc<MemoryIndex>) -> Arc<BlockStore> {
    let opened = BlockStore::open(
        Arc::new(sim.clone()),
        Path::new("/store"),
        Arc::<MemoryIndex>::clone(index),
        Arc::new(cairn_blocks::NoKeys),
        cairn_blocks::Options::default(),
    );
    Arc::new(opened.unwrap())
}

fn holds_one(bytes: &[u8], needles: &[[u8; 16]]) -> bool {
    needles.iter().any(|needle| {
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|byte| *byte == needle[0]) {
            if rest[at..].starts_with(needle) {
                return true;
            }
            rest = &rest[at + 1..];
        }
        false
    })
}

/// Lets a volume do everything that it does; returns the kinds of files that showed something.
fn live(key: Option<DataKey>) -> BTreeSet<String> {
    let mut canary = Canary::new(key);
    // Into the journal, since the base is absent; then folded and hydrated.
    canary.write(4096, false);
    canary.write(BLOCK - 4096, true);
    canary.volume().flush().unwrap();
    canary.look();
    canary.work();
    // In place, on and off the border of a sector.
    canary.write(2 * BLOCK, false);
    canary.write(3 * BLOCK + 100, true);
    canary.volume().freeze(&tag(1)).unwrap();
    // Over the image.
    canary.write(2 * BLOCK, false);
    canary.write(8192, true);
    canary.work();
    let root = canary.capture("snap-1");
    // The checkpoints of closing and opening hold what was released.
    canary.volume().close().unwrap();
    canary.open("boot");
    canary.volume().commit(&tag(1), &root).unwrap();
    canary.work();
    canary.volume().trim(2 * BLOCK + 700, 3000, true).unwrap();
    canary.look();
    canary.write(4 * BLOCK, false);
    canary.volume().freeze(&tag(2)).unwrap();
    canary.write(4 * BLOCK + 4096, true);
    canary.crash(Crash::Kill, "boot");
    canary.check(4 * BLOCK + 4096);
    canary.volume().abandon(&tag(2)).unwrap();
    canary.work();
    canary.crash(Crash::PowerLoss(3), "next");
    canary.check(4 * BLOCK + 4096);
    canary.check(8192);
    canary.volume().close().unwrap();
    canary.look();
    canary.found
}

#[test]
fn no_file_of_a_sealed_volume_shows_content_or_digests() {
    assert_eq!(live(Some(some_key(0))), BTreeSet::new());
    // Whoever looks would see it.
    let everywhere = ["data", "journal", "state"].map(str::to_owned);
    assert_eq!(live(None), everywhere.into());
}

/// A sealed volume with things in its journal, whose process was killed.
fn killed() -> World {
    let mut world = World::new(16 << 10, true);
    world.write(0, 8, true);
    world.freeze().unwrap();
    world.write(0, 8, true);
    world.write(100, 20, true);
    world.crash_without_opening(Crash::Kill);
    world.open_store();
    world
}

#[test]
fn without_its_key_a_volume_does_not_open() {
    let mut world = killed();
    let (disk, dir) = (world.witness.disk(), world.dir());
    let files = |world: &World| -> Vec<_> {
        let names = world.sim.list(&dir).unwrap();
        names
            .iter()
            .map(|name| world.sim.contents(dir.join(name)))
            .collect()
    };
    let before = files(&world);
    let wrong = some_key(9);
    assert!(matches!(world.try_open_with(None), Err(Error::KeyNeeded)));
    let opened = world.try_open_with(Some(wrong.clone()));
    assert!(matches!(opened, Err(Error::WrongKey)));
    let claimed = |key: Option<&DataKey>| claims(&disk, &dir, key, "boot-0");
    assert!(matches!(claimed(None), Err(Error::KeyNeeded)));
    assert!(matches!(claimed(Some(&wrong)), Err(Error::WrongKey)));
    claimed(key(0).as_ref()).unwrap();
    assert!(files(&world) == before, "what is refused changes nothing");
    world.open();
    world.check();
    world.check_snapshots();
}

#[test]
fn a_plain_volume_takes_no_key() {
    let sim = SimDisk::new();
    let spec = VolumeSpec {
        size_bytes: BLOCK,
        domain: DOMAIN,
        base: None,
    };
    let dir = Path::new(DIR);
    cairn_volume::create(&sim, dir, &spec, None, &Options::new("boot")).unwrap();
    let claimed = claims(&sim, dir, Some(&some_key(0)), "boot");
    assert!(matches!(claimed, Err(Error::Invalid(_))));
    claims(&sim, dir, None, "boot").unwrap();
}

#[test]
fn a_record_that_was_changed_on_purpose_is_refused() {
    let world = killed();
    let names = world.sim.list(&world.dir()).unwrap();
    let newest = names.iter().rfind(|name| name.starts_with("journal-"));
    let path = world.dir().join(newest.unwrap());
    let bytes = world.sim.contents(&path);
    let incarnation = &bytes[16..24];
    let first_lsn = u64::from_le_bytes(bytes[32..40].try_into().unwrap());
    let (mut at, mut changed) = (64, 0);
    // The records, one after the other.
    while u64::from_le_bytes(bytes[at + 8..at + 16].try_into().unwrap())
        == first_lsn + at as u64 - 64
    {
        let len = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
        let end = at + 32 + len;
        let is_sealed = [1, 6, 7, 8, 9].contains(&bytes[at + 24]);
        for flip in [at + 25, at + 32, at + 32 + len / 2, end - 1] {
            let mut bad = bytes[at..end].to_vec();
            bad[flip - at] ^= 1;
            let crc = crc32c::crc32c_append(crc32c::crc32c(incarnation), &bad[4..]);
            let other = world.fork();
            let file = other.sim.open(&path, OpenMode::ReadWrite).unwrap();
            file.write_all_at(&crc.to_le_bytes(), at as u64).unwrap();
            file.write_all_at(&[bad[flip - at]], flip as u64).unwrap();
            drop(file);
            if is_sealed {
                let mut other = other;
                let opened = other.try_recover(Crash::Kill);
                assert!(
                    matches!(opened, Err(Error::Damaged(_))),
                    "byte {flip}: {opened:?}"
                );
                changed += 1;
            }
        }
        at += (32 + len).next_multiple_of(8);
    }
    assert!(changed >= 12, "{changed}");
}

#[test]
fn a_record_that_rots_while_the_volume_is_open_is_not_served() {
    let mut world = World::new(16 << 10, true);
    world.freeze().unwrap();
    world.write(0, 8, true);
    world.freeze().unwrap();
    world.write(0, 8, true);
    let names = world.sim.list(&world.dir()).unwrap();
    let newest = names.iter().rfind(|name| name.starts_with("journal-"));
    let path = world.dir().join(newest.unwrap());
    let last = world.sim.contents(&path);
    let last = last.iter().rposition(|byte| *byte != 0).unwrap() as u64;
    world.sim.rot(&path, last - 1000, 1);
    let mut buf = [0; 512];
    for sector in 0..8 {
        for wait in [Wait::No, Wait::Yes] {
            world
                .volume()
                .read(sector * 512, &mut buf, wait)
                .unwrap_err();
        }
    }
    // The images of before are what they were; the one of now cannot be had.
    let now = world.freeze().unwrap();
    for _ in 0..2 {
        world.capture(u32::MAX);
        world.commit();
    }
    let captured = world
        .volume()
        .capture(&tag(now), &mut |_| ControlFlow::Continue(()));
    assert!(matches!(captured, Err(Error::Damaged(_))), "{captured:?}");
}

#[test]
fn appends_that_fail_use_up_their_nonces() {
    let mut world = World::new(64 << 10, true);
    world.write(0, 64, true);
    world.freeze().unwrap();
    for round in 1..=3_u8 {
        let fault = Fault::nth(OpKind::Write, 1, Errno::IO).on("journal-");
        world.sim.inject(fault);
        let write = |byte| world.volume().write(4096, &[byte; 4096], true, Wait::Yes);
        write(round).unwrap_err();
        assert_eq!(write(100 + round).unwrap(), Outcome::Done);
        let mut read = [0; 4096];
        let done = world.volume().read(4096, &mut read, Wait::Yes).unwrap();
        assert_eq!((done, read), (Outcome::Done, [100 + round; 4096]));
    }
    assert_eq!(world.witness.retries(), 3);
    // The freeze, and each write twice.
    assert_eq!(world.witness.sealed(), 7);
    world.crash_without_opening(Crash::LoseAll);
    world.open_store();
    world.open();
    let mut read = [0; 4096];
    let done = world.volume().read(4096, &mut read, Wait::Yes).unwrap();
    assert_eq!((done, read), (Outcome::Done, [103; 4096]));
}
