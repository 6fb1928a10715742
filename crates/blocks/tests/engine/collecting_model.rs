//! Random traces of writers, snapshots, deletions and collections against a model: nothing that is
//! needed is ever missing, nobody is alarmed, and in the end nothing is left that is not needed.
//!
//! A collection is begun, marked and carried out in steps of their own, between which everybody
//! else goes on, and writers stall for as long as they like between any two of theirs.

use cairn_blocks::{Root, Session, collect::Plan};
use cairn_testkit::Crash;
use proptest::{prelude::*, sample::Index};

use crate::{
    collecting::{HOUR, SIZE, assert_intact, assert_nothing_else, begin, rules},
    support::{BLOCKS, Bench, HERE, block, digest},
};

#[derive(Clone, Debug)]
enum Step {
    /// A writer begins.
    Open,
    /// A writer puts blocks.
    Put(Index, Vec<usize>),
    /// A writer makes what it put durable, over what an earlier snapshot holds, and has it named.
    Finish(Index, Option<Index>),
    /// A writer puts blocks that are named one by one, as an upload or a volume does.
    Claim(Index),
    /// A writer goes away.
    GiveUp(Index),
    /// A reader begins, and reads a snapshot that may be deleted meanwhile.
    Read(Index),
    /// A reader ends.
    EndRead(Index),
    Delete(Index),
    Begin,
    CarryOut,
    Wait(i64),
    Crash(Crash),
}

fn step() -> impl Strategy<Value = Step> {
    let n = || any::<Index>();
    prop_oneof![
        3 => Just(Step::Open),
        8 => (n(), prop::collection::vec(0..BLOCKS, 1..6)).prop_map(|(at, blocks)| Step::Put(at, blocks)),
        5 => (n(), any::<Option<Index>>()).prop_map(|(at, base)| Step::Finish(at, base)),
        2 => n().prop_map(Step::Claim),
        1 => n().prop_map(Step::GiveUp),
        1 => n().prop_map(Step::Read),
        1 => n().prop_map(Step::EndRead),
        4 => n().prop_map(Step::Delete),
        6 => Just(Step::Begin),
        6 => Just(Step::CarryOut),
        3 => (0..3i64).prop_map(Step::Wait),
        1 => prop_oneof![Just(Crash::Kill), Just(Crash::LoseAll), any::<u64>().prop_map(Crash::PowerLoss)].prop_map(Step::Crash),
    ]
}

struct Writer {
    _session: Session,
    put: Vec<usize>,
}

/// What metadata names.
#[derive(Clone)]
enum Named {
    Snapshot(Root),
    Blocks(Vec<usize>),
}

struct World {
    bench: Bench,
    now: i64,
    writers: Vec<Writer>,
    readers: Vec<(Session, Root)>,
    named: Vec<Named>,
    plan: Option<Plan>,
}

impl World {
    fn new() -> Self {
        Self {
            bench: Bench::new(),
            now: 0,
            writers: Vec::new(),
            readers: Vec::new(),
            named: Vec::new(),
            plan: None,
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Open => self.writers.push(Writer {
                _session: self.bench.store().session(),
                put: Vec::new(),
            }),
            Step::Put(at, blocks) => self.put(at, &blocks),
            Step::Finish(at, base) => self.finish(at, base),
            Step::Claim(at) => self.claim(at),
            Step::GiveUp(at) => drop(take(&mut self.writers, at)),
            Step::Read(at) => {
                let session = self.bench.store().session();
                if let Some(root) = pick(&self.roots(), at) {
                    self.readers.push((session, root));
                }
            }
            Step::EndRead(at) => drop(take(&mut self.readers, at)),
            Step::Delete(at) => drop(take(&mut self.named, at)),
            Step::Begin => self.begin(),
            Step::CarryOut => self.carry_out(),
            Step::Wait(hours) => self.now += hours * HOUR,
            Step::Crash(crash) => self.crash(crash),
        }
        self.check();
    }

    fn put(&mut self, at: Index, blocks: &[usize]) {
        if self.writers.is_empty() {
            return;
        }
        let writer = at.index(self.writers.len());
        let bytes: Vec<_> = blocks.iter().map(|n| block(*n)).collect();
        self.bench.store().put_many(HERE, &bytes).unwrap();
        self.writers[writer].put.extend(blocks);
    }

    fn finish(&mut self, at: Index, base: Option<Index>) {
        // The metadata still names the base, and goes on to do so while the writer lives.
        let base = base.and_then(|base| pick(&self.roots(), base));
        let Some(writer) = take(&mut self.writers, at) else {
            return;
        };
        let changes = writer
            .put
            .iter()
            .map(|n| (*n as u64 * 300, Some(digest(*n))));
        let root = self
            .bench
            .store()
            .build(HERE, base.as_ref(), SIZE, changes)
            .unwrap();
        self.named.push(Named::Snapshot(root));
    }

    fn claim(&mut self, at: Index) {
        let Some(writer) = take(&mut self.writers, at) else {
            return;
        };
        self.bench.store().sync(HERE).unwrap();
        self.named.push(Named::Blocks(writer.put));
    }

    fn begin(&mut self) {
        self.plan = None;
        let mut collection = begin(&self.bench, &self.roots());
        for named in &self.named {
            if let Named::Blocks(blocks) = named {
                let digests: Vec<_> = blocks.iter().map(|n| digest(*n)).collect();
                collection.mark_blocks(HERE, &digests).unwrap();
            }
        }
        self.plan = Some(collection.plan(rules(self.now)).unwrap());
    }

    fn carry_out(&mut self) {
        if let Some(plan) = self.plan.take() {
            plan.carry_out().unwrap();
        }
    }

    fn crash(&mut self, crash: Crash) {
        self.plan = None;
        self.writers.clear();
        self.readers.clear();
        self.bench.close();
        self.bench.crash(crash);
    }

    fn roots(&self) -> Vec<Root> {
        let root = |named: &Named| match named {
            Named::Snapshot(root) => Some(*root),
            Named::Blocks(_) => None,
        };
        self.named.iter().filter_map(root).collect()
    }

    fn check(&self) {
        let read = self.readers.iter().map(|(_, root)| *root);
        let roots: Vec<_> = self.roots().into_iter().chain(read).collect();
        assert_intact(&self.bench, &roots);
        let claimed = self.named.iter().filter_map(|named| match named {
            Named::Blocks(blocks) => Some(blocks),
            Named::Snapshot(_) => None,
        });
        let put = self.writers.iter().map(|writer| &writer.put);
        for n in claimed.chain(put).flatten() {
            assert!(*self.bench.store().get(HERE, &digest(*n)).unwrap() == *block(*n));
        }
        assert_eq!(self.bench.index.alarms().unwrap(), []);
    }

    fn end(mut self) {
        self.carry_out();
        self.writers.clear();
        self.readers.clear();
        self.named
            .retain(|named| matches!(named, Named::Snapshot(_)));
        self.bench.store().seal().unwrap();
        for _ in 0..2 {
            self.now += HOUR;
            self.begin();
            self.carry_out();
        }
        // What was condemned before the last sessions ended.
        self.now += HOUR;
        self.begin();
        self.carry_out();
        self.check();
        assert_nothing_else(&self.bench, &self.roots());
    }
}

fn take<T>(from: &mut Vec<T>, at: Index) -> Option<T> {
    (!from.is_empty()).then(|| from.swap_remove(at.index(from.len())))
}

fn pick<T: Copy>(from: &[T], at: Index) -> Option<T> {
    (!from.is_empty()).then(|| from[at.index(from.len())])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 600, ..ProptestConfig::default() })]

    #[test]
    fn what_is_needed_stays_and_the_rest_goes(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in steps {
            world.run(step);
        }
        world.end();
    }
}
