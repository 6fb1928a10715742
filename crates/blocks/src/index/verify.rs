//! Reads everything and recomputes the root.

use std::{
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    node::{Level, Node},
    root::empty_root,
    walk::Place,
};
use crate::{
    error::{Damage, Error},
    store::BlockStore,
    types::{BlobKind, Digest, DomainId, Root},
};

/// Threads that read blocks.
const THREADS: usize = 2;

/// How far a verification has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerifyProgress {
    /// Blocks read.
    pub blocks: u64,
    /// Their plaintext in bytes, of those that could be read.
    pub bytes: u64,
    /// Index nodes read.
    pub nodes: u64,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// The snapshot that was verified.
    pub root: Root,
    /// How much was read.
    pub checked: VerifyProgress,
    /// Blocks that are not what they should be, in order.
    pub bad_blocks: Vec<BadBlock>,
    /// Index nodes that are not what they should be, in order.
    pub bad_nodes: Vec<BadNode>,
    /// The root node, computed from the bytes that were read; `None` if some could not be.
    pub recomputed: Option<Digest>,
}

impl VerifyReport {
    /// Whether every byte of the snapshot is there and is what it was.
    pub fn is_intact(&self) -> bool {
        self.bad_blocks.is_empty()
            && self.bad_nodes.is_empty()
            && self.recomputed == Some(self.root.node)
    }
}

/// A block that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadBlock {
    /// The number of the block.
    pub block: u64,
    /// What it should be.
    pub digest: Digest,
    /// What is wrong.
    pub reason: BadReason,
}

/// An index node that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadNode {
    /// The blocks of which nothing is known without it.
    pub blocks: Range<u64>,
    /// What it should be.
    pub digest: Digest,
    /// What is wrong.
    pub reason: BadReason,
}

/// What is wrong with a block or a node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReason {
    /// The index does not know it.
    #[error("it is missing")]
    Missing,
    /// Its bytes are not what they were.
    #[error("{0}")]
    Damaged(Damage),
    /// It is no valid index node at its place.
    #[error("{0}")]
    Invalid(&'static str),
    /// The file system could not read it.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

impl BlockStore {
    /// Reads every node and every block of a snapshot from its pack, past the caches of this
    /// store, and recomputes all hashes from the bytes up to the root. Reads with two threads;
    /// `progress` is called from them, once for each leaf.
    ///
    /// # Errors
    /// When the blob index fails, or the domain's key cannot be had or is erased. Whatever is wrong with the snapshot is in the report.
    pub fn verify(
        &self,
        domain: DomainId,
        root: &Root,
        progress: &(dyn Fn(&VerifyProgress) + Sync),
    ) -> Result<VerifyReport, Error> {
        let verifier = Verifier {
            store: self,
            findings: Mutex::default(),
            progress,
        };
        let recomputed = verifier.node(&Place::root(domain, root), root.node)?;
        let mut findings = verifier
            .findings
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        findings.bad_blocks.sort_unstable_by_key(|bad| bad.block);
        findings
            .bad_nodes
            .sort_unstable_by_key(|bad| bad.blocks.start);
        let Findings {
            checked,
            bad_blocks,
            bad_nodes,
        } = findings;
        Ok(VerifyReport {
            root: *root,
            checked,
            bad_blocks,
            bad_nodes,
            recomputed,
        })
    }
}

struct Verifier<'a> {
    store: &'a BlockStore,
    findings: Mutex<Findings>,
    progress: &'a (dyn Fn(&VerifyProgress) + Sync),
}

#[derive(Default)]
struct Findings {
    checked: VerifyProgress,
    bad_blocks: Vec<BadBlock>,
    bad_nodes: Vec<BadNode>,
}

impl Verifier<'_> {
    /// Checks a node and all below it. Returns its hash as computed from what lies below it,
    /// `None` if some of that could not be read.
    fn node(&self, place: &Place, digest: Digest) -> Result<Option<Digest>, Error> {
        let node = match self.read_node(place, digest)? {
            Ok(node) => node,
            Err(reason) => {
                let end = (place.first_block + place.level.blocks()).min(place.blocks);
                self.note(|findings| {
                    findings.bad_nodes.push(BadNode {
                        blocks: place.first_block..end,
                        digest,
                        reason,
                    });
                });
                return Ok(None);
            }
        };
        let children: Vec<_> = node.children().collect();
        let hashes = match place.level {
            Level::Root => children
                .iter()
                .map(|(at, digest)| self.child(place, *at, *digest))
                .collect::<Result<Vec<_>, _>>()?,
            Level::Mid => self.side_by_side(place, &children)?,
            Level::Leaf => self.leaf(place, &children)?,
        };
        let recomputed: Option<Vec<_>> = children
            .iter()
            .zip(hashes)
            .map(|((at, _), hash)| Some((*at, hash?)))
            .collect();
        Ok(recomputed.map(|children| Node::from_children(place.level, children).digest()))
    }

    fn child(&self, place: &Place, at: usize, digest: Digest) -> Result<Option<Digest>, Error> {
        match place.child(at) {
            Some(below) => self.node(&below, digest),
            None => self.block(place, at, digest),
        }
    }

    /// Checks children with several threads, each of which takes the next one.
    fn side_by_side(
        &self,
        place: &Place,
        children: &[(usize, Digest)],
    ) -> Result<Vec<Option<Digest>>, Error> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            while let Some((at, digest)) = children.get(next.fetch_add(1, Ordering::Relaxed)) {
                done.push((*at, self.child(place, *at, *digest)?));
            }
            Ok(done)
        };
        let mut done = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
            let results = threads.into_iter().map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            results.collect::<Result<Vec<_>, Error>>()
        })?
        .concat();
        done.sort_unstable_by_key(|(at, _)| *at);
        Ok(done.into_iter().map(|(_, hash)| hash).collect())
    }

    fn leaf(
        &self,
        place: &Place,
        children: &[(usize, Digest)],
    ) -> Result<Vec<Option<Digest>>, Error> {
        let hashes = children
            .iter()
            .map(|(at, digest)| self.child(place, *at, *digest))
            .collect::<Result<Vec<_>, _>>()?;
        let checked = self.note(|findings| findings.checked);
        (self.progress)(&checked);
        Ok(hashes)
    }

    /// Checks a block. Returns the hash of the bytes that are there.
    fn block(&self, place: &Place, at: usize, digest: Digest) -> Result<Option<Digest>, Error> {
        let (actual, bytes, reason) = match self.store.read(place.domain, &digest, BlobKind::Data) {
            Ok((plain, actual, _)) => (
                Some(actual),
                plain.len() as u64,
                (actual != digest).then_some(BadReason::Damaged(Damage::Hash)),
            ),
            Err(error) => (None, 0, Some(reason_of(error)?)),
        };
        self.note(|findings| {
            findings.checked.blocks += 1;
            findings.checked.bytes += bytes;
            findings.bad_blocks.extend(reason.map(|reason| BadBlock {
                block: place.child_start(at),
                digest,
                reason,
            }));
        });
        Ok(actual)
    }

    /// Reads a node from its pack. The inner error is what is wrong with it.
    fn read_node(&self, place: &Place, digest: Digest) -> Result<Result<Node, BadReason>, Error> {
        if place.level == Level::Root && digest == empty_root() {
            return Ok(Ok(Node::empty(Level::Root)));
        }
        let read = self
            .store
            .load(place.domain, &digest, BlobKind::Meta)
            .and_then(|bytes| {
                let node = place.decode(digest, &bytes)?;
                place.check(digest, &node)?;
                Ok(node)
            });
        self.note(|findings| findings.checked.nodes += 1);
        match read {
            Ok(node) => Ok(Ok(node)),
            Err(error) => reason_of(error).map(Err),
        }
    }

    fn note<T>(&self, change: impl FnOnce(&mut Findings) -> T) -> T {
        change(&mut self.findings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What an error says of the blob; an error that says nothing of it is handed back.
fn reason_of(error: Error) -> Result<BadReason, Error> {
    match error {
        Error::NotFound { .. } => Ok(BadReason::Missing),
        Error::Damaged { reason, .. } => Ok(BadReason::Damaged(reason)),
        Error::InvalidNode { reason, .. } => Ok(BadReason::Invalid(reason)),
        Error::Io { source, .. } => Ok(BadReason::Unreadable(source.to_string())),
        other => Err(other),
    }
}
