//! A snapshot's content from one domain to another, of the same store or of two.
//!
//! Only blocks that the target does not hold are read and written. What was transferred before an
//! interruption is found there when it is begun again, and so costs little.

use std::ops::ControlFlow;

use crate::{
    error::Error,
    frame::Density,
    store::BlockStore,
    types::{BLOCK_SIZE, BlobKind, Digest, DomainId, Root},
};

/// Blocks that are looked for, read and stored together: 16 MiB at most in memory.
const TOGETHER: usize = 32;

/// Blocks after which the index is built on and made durable.
const INDEXED_TOGETHER: usize = 4096;

/// How far a transfer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transferred {
    /// Blocks that the target holds by now.
    pub blocks: u64,
    /// Blocks that there are.
    pub all_blocks: u64,
    /// Bytes that had to be moved.
    pub moved_bytes: u64,
}

/// Where content comes from or goes to.
pub type Side<'a> = (&'a BlockStore, DomainId);

/// Transfers the content of `root`. On return it is durable in the target, under the same root: the
/// root is content alone. None: `report`, which is told now and then, has ended it.
///
/// Sessions of both stores have to be open.
///
/// # Errors
/// Those of both stores; a block that cannot be read ends it.
pub fn transfer(
    from: Side<'_>,
    to: Side<'_>,
    root: &Root,
    density: Density,
    report: &mut dyn FnMut(Transferred) -> ControlFlow<()>,
) -> Result<Option<Root>, Error> {
    let all_blocks = from.0.count(from.1, root)?;
    let mut work = Transfer {
        from,
        to,
        density,
        done: Transferred {
            all_blocks,
            ..Transferred::default()
        },
        built: Root::empty(root.size_bytes),
        changes: Vec::new(),
    };
    let mut blocks = from.0.blocks(from.1, root, 0);
    loop {
        if report(work.done).is_break() {
            return Ok(None);
        }
        let some: Vec<_> = blocks.by_ref().take(TOGETHER).collect::<Result<_, _>>()?;
        if some.is_empty() {
            return work.index().map(Some);
        }
        work.take(&some)?;
    }
}

/// A transfer under way.
struct Transfer<'a> {
    from: Side<'a>,
    to: Side<'a>,
    density: Density,
    done: Transferred,
    /// The index of what was transferred, as far as it is built.
    built: Root,
    /// Blocks that the index does not have yet.
    changes: Vec<(u64, Option<Digest>)>,
}

impl Transfer<'_> {
    fn take(&mut self, blocks: &[(u64, Digest)]) -> Result<(), Error> {
        let digests: Vec<_> = blocks.iter().map(|(_, digest)| *digest).collect();
        let held = self.to.0.holds(self.to.1, &digests)?;
        let missing = digests.iter().zip(held).filter(|(_, held)| !held);
        let missing: Vec<_> = missing.map(|(digest, _)| *digest).collect();
        self.put(&missing)?;
        let changes = blocks.iter().map(|(block, digest)| (*block, Some(*digest)));
        self.changes.extend(changes);
        self.done.blocks += blocks.len() as u64;
        match self.changes.len() >= INDEXED_TOGETHER {
            true => self.index().map(drop),
            false => Ok(()),
        }
    }

    /// Past the cache of blocks: nobody else will want them soon.
    fn put(&mut self, digests: &[Digest]) -> Result<(), Error> {
        let (from, domain) = self.from;
        let read = |digest| from.load(domain, digest, BlobKind::Data);
        let plain: Vec<_> = digests.iter().map(read).collect::<Result<_, _>>()?;
        let blocks: Vec<&[u8]> = plain.iter().map(AsRef::as_ref).collect();
        let (to, domain) = self.to;
        // Checked when they were read.
        to.put_all(domain, &blocks, self.density, |at| digests[at])?;
        self.done.moved_bytes += (digests.len() * BLOCK_SIZE) as u64;
        Ok(())
    }

    fn index(&mut self) -> Result<Root, Error> {
        let (to, domain) = self.to;
        let changes = std::mem::take(&mut self.changes);
        let size_bytes = self.built.size_bytes;
        self.built = to.build(domain, Some(&self.built), size_bytes, changes)?;
        Ok(self.built)
    }
}
