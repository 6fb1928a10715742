//! Random traces against a model: what was promised is kept, whatever crashes.

use std::collections::{BTreeMap, BTreeSet};

use cairn_blocks::{BlockStore, Change, Digest, DomainId, Error, Root, Stored};
use cairn_testkit::{Crash, Errno, Fault, OpKind};
use proptest::{prelude::*, sample::Index};

use crate::support::{BLOCKS, Bench, HERE, THERE, block, digest, expected_root};

/// Content of a volume: its blocks that are not zero.
type Content = BTreeMap<u64, Digest>;

#[derive(Clone, Debug)]
enum Step {
    Put {
        there: bool,
        blocks: Vec<usize>,
    },
    Sync {
        there: bool,
    },
    Build {
        base: Option<Index>,
        grow: u64,
        changes: Vec<(u64, Option<usize>)>,
    },
    Get {
        there: bool,
        n: usize,
    },
    Diff {
        first: Option<Index>,
        second: Index,
        from: u64,
    },
    Verify {
        root: Index,
    },
    FailSync {
        skip: u64,
    },
    FailWrite {
        skip: u64,
    },
    Seal,
    Crash(Crash),
}

fn step() -> impl Strategy<Value = Step> {
    let n = 0..BLOCKS;
    prop_oneof![
        6 => (any::<bool>(), prop::collection::vec(n.clone(), 1..5)).prop_map(|(there, blocks)| Step::Put { there, blocks }),
        3 => any::<bool>().prop_map(|there| Step::Sync { there }),
        4 => (any::<Option<Index>>(), 0..2u64, prop::collection::vec((block_number(), prop::option::weighted(0.7, n.clone())), 0..8))
            .prop_map(|(base, grow, changes)| Step::Build { base, grow, changes }),
        2 => (any::<bool>(), n).prop_map(|(there, n)| Step::Get { there, n }),
        3 => (any::<Option<Index>>(), any::<Index>(), prop_oneof![Just(0), block_number()])
            .prop_map(|(first, second, from)| Step::Diff { first, second, from }),
        1 => any::<Index>().prop_map(|root| Step::Verify { root }),
        1 => (0..3u64).prop_map(|skip| Step::FailSync { skip }),
        1 => (0..6u64).prop_map(|skip| Step::FailWrite { skip }),
        1 => Just(Step::Seal),
        3 => prop_oneof![Just(Crash::Kill), Just(Crash::LoseAll), any::<u64>().prop_map(Crash::PowerLoss)].prop_map(Step::Crash),
    ]
}

/// Blocks close together and far apart, across leaves and mid nodes.
fn block_number() -> impl Strategy<Value = u64> {
    prop_oneof![3 => 0..6u64, 2 => 250..260u64, 1 => 65_530..65_540u64, 1 => 199_990..200_000u64]
}

/// What the store has promised.
struct World {
    bench: Bench,
    /// Blocks put since the last sync, or the last loss.
    put: BTreeSet<(DomainId, usize)>,
    durable: BTreeSet<(DomainId, usize)>,
    roots: Vec<(Root, Content)>,
    /// A sync was told to fail, so that errors are no surprise.
    faulty: bool,
}

const SMALLEST: u64 = 200_000 * 512 * 1024;

impl World {
    fn new() -> Self {
        let empty = (Root::empty(SMALLEST), Content::new());
        Self {
            bench: Bench::new(),
            put: BTreeSet::new(),
            durable: BTreeSet::new(),
            roots: vec![empty],
            faulty: false,
        }
    }

    fn store(&self) -> &BlockStore {
        self.bench.store()
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Put { there, blocks } => self.put(domain(there), &blocks),
            Step::Sync { there } => self.sync(domain(there)),
            Step::Build {
                base,
                grow,
                changes,
            } => self.build(base, grow, &changes),
            Step::Get { there, n } => self.get(domain(there), n),
            Step::Diff {
                first,
                second,
                from,
            } => self.diff(first, second, from),
            Step::Verify { root } => self.verify(root),
            Step::FailSync { skip } => self.fail(OpKind::Sync, Errno::IO, skip),
            Step::FailWrite { skip } => self.fail(OpKind::Write, Errno::NOSPC, skip),
            Step::Seal => self.seal(),
            Step::Crash(crash) => self.crash(crash),
        }
    }

    /// Lets the next operation of a kind fail, after so many more.
    fn fail(&mut self, op: OpKind, errno: Errno, skip: u64) {
        self.bench.disk.inject(Fault {
            skip,
            ..Fault::nth(op, 1, errno)
        });
        self.faulty = true;
    }

    fn put(&mut self, domain: DomainId, numbers: &[usize]) {
        let blocks: Vec<_> = numbers.iter().map(|n| block(*n)).collect();
        let stored = match self.store().put_many(domain, &blocks) {
            Ok(stored) => stored,
            Err(error) => return self.expect_fault(&error),
        };
        for (n, stored) in numbers.iter().zip(stored) {
            assert_eq!(stored.digest(), Some(digest(*n)));
            let is_new = self.put.insert((domain, *n)) && !self.durable.contains(&(domain, *n));
            if is_new && !self.faulty {
                continue; // An unsynced block of an earlier process may have been recovered.
            }
            assert!(
                is_new || self.faulty || stored == Stored::Known(digest(*n)),
                "stored once"
            );
        }
    }

    fn sync(&mut self, domain: DomainId) {
        match self.store().sync(domain) {
            Ok(()) => {
                self.durable
                    .extend(self.put.iter().filter(|(of, _)| *of == domain));
                self.put.retain(|(of, _)| *of != domain);
            }
            Err(error) => self.expect_fault(&error),
        }
    }

    fn build(&mut self, base: Option<Index>, grow: u64, changes: &[(u64, Option<usize>)]) {
        let (base, mut content) = match base {
            Some(base) => {
                let (root, content) = base.get(&self.roots);
                (Some(*root), content.clone())
            }
            None => (None, Content::new()),
        };
        let size = base.map_or(SMALLEST, |base| base.size_bytes) + grow * 512 * 1024;
        self.put(
            HERE,
            &changes.iter().filter_map(|(_, n)| *n).collect::<Vec<_>>(),
        );
        let digests = changes.iter().map(|(at, n)| (*at, n.map(digest)));
        for (at, digest) in digests.clone() {
            match digest {
                Some(digest) => content.insert(at, digest),
                None => content.remove(&at),
            };
        }
        match self.store().build(HERE, base.as_ref(), size, digests) {
            Ok(root) => {
                assert_eq!(
                    root,
                    Root {
                        node: expected_root(&content),
                        size_bytes: size
                    },
                    "the root depends on the content alone"
                );
                if !self.faulty {
                    self.durable
                        .extend(self.put.iter().filter(|(of, _)| *of == HERE));
                    self.put.retain(|(of, _)| *of != HERE);
                    self.roots.push((root, content));
                }
            }
            Err(error) => self.expect_fault(&error),
        }
    }

    fn get(&self, domain: DomainId, n: usize) {
        match self.store().get(domain, &digest(n)) {
            Ok(found) => assert!(*found == *block(n), "a block has its own bytes"),
            Err(Error::NotFound { .. }) => {
                assert!(
                    !self.durable.contains(&(domain, n)),
                    "a durable block is there"
                );
                assert!(
                    self.faulty || !self.put.contains(&(domain, n)),
                    "a block that was put is there"
                );
            }
            Err(error) => panic!("{error:?}"),
        }
    }

    fn diff(&self, first: Option<Index>, second: Index, from: u64) {
        let nothing = Content::new();
        let (first, first_content) = first.map_or((None, &nothing), |first| {
            let (root, content) = first.get(&self.roots);
            (Some(root), content)
        });
        let (second, second_content) = second.get(&self.roots);
        let found: Result<Vec<_>, _> = self.store().diff(HERE, first, HERE, second, from).collect();
        assert_eq!(
            found.unwrap(),
            expected_diff(first_content, second_content, from)
        );
    }

    fn verify(&self, root: Index) {
        let (root, content) = root.get(&self.roots);
        let report = self.store().verify(HERE, root, &|_| {}).unwrap();
        assert!(report.is_intact(), "{report:?}");
        assert_eq!(report.checked.blocks, content.len() as u64);
    }

    fn seal(&mut self) {
        match self.store().seal() {
            Ok(()) => {
                self.durable.append(&mut self.put);
                // A pack given up after a failed sync waits for the next recovery.
                let unsealed = self.bench.packs(".open").len();
                assert!(self.faulty || unsealed == 0, "nothing is left to recover");
            }
            Err(error) => self.expect_fault(&error),
        }
    }

    fn crash(&mut self, crash: Crash) {
        self.bench.crash(crash);
        self.put.clear();
        self.faulty = false;
        self.check_everything();
    }

    fn check_everything(&self) {
        for domain in [HERE, THERE] {
            (0..BLOCKS).for_each(|n| self.get(domain, n));
        }
        for (root, content) in &self.roots {
            let found: Result<Vec<_>, _> = self.store().blocks(HERE, root, 0).collect();
            assert_eq!(
                found.unwrap(),
                content
                    .iter()
                    .map(|(at, digest)| (*at, *digest))
                    .collect::<Vec<_>>()
            );
            assert_eq!(
                self.store().count(HERE, root).unwrap(),
                content.len() as u64
            );
        }
    }

    /// Nothing fails unless it was told to.
    fn expect_fault(&self, error: &Error) {
        assert!(self.faulty, "{error:?}");
        assert!(
            matches!(
                error,
                // A put that failed leaves nothing to build on.
                Error::Lost { .. } | Error::Io { .. } | Error::Unconfirmed { .. }
            ),
            "{error:?}"
        );
    }
}

fn domain(there: bool) -> DomainId {
    if there { THERE } else { HERE }
}

fn expected_diff(first: &Content, second: &Content, from: u64) -> Vec<Change> {
    let blocks: BTreeSet<_> = first
        .keys()
        .chain(second.keys())
        .copied()
        .filter(|block| *block >= from)
        .collect();
    let change = |block| Change {
        block,
        first: first.get(&block).copied(),
        second: second.get(&block).copied(),
    };
    blocks
        .into_iter()
        .map(change)
        .filter(|change| change.first != change.second)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn promises_are_kept(steps in prop::collection::vec(step(), 1..30)) {
        let mut world = World::new();
        for step in steps {
            world.run(step);
        }
        world.crash(Crash::LoseAll);
    }
}
