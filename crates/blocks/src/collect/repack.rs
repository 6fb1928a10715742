//! Copying what lives out of packs that are mostly dead.
//!
//! Every blob is read, checked by its hash and written as it was stored into a new pack; what is encrypted is
//! so for its place, and is encrypted anew, but not compressed again. The new pack
//! is synced, gets its final name, and the name is synced too; only then do the rows move, all of a
//! pack in one transaction. A crash before that leaves a pack that the index does not know.

use std::sync::Arc;

use super::{Amount, BLOB_OVERHEAD, marks::Marks};
use crate::{
    cipher::DomainKey,
    error::{Damage, Error, IoContext as _},
    frame::{self, Frame, Unreadable},
    lane::Shared,
    pack::{PackName, PackWriter},
    pack_format::{BLOB_HEADER_LEN, is_possible},
    store::BlockStore,
    types::{BlobId, BlobKind, Digest, DomainId, Location, PackId},
};

/// Copies blobs into new packs, one for each domain and kind at a time.
#[derive(Debug)]
pub(crate) struct Repacker {
    shared: Arc<Shared>,
    outputs: Vec<Output>,
    copied: Amount,
}

/// A new pack and what goes there.
#[derive(Debug)]
struct Output {
    domain: DomainId,
    kind: BlobKind,
    key: DomainKey,
    pack: PackWriter,
    moves: Vec<(BlobId, PackId, Location)>,
}

impl Repacker {
    pub(crate) fn new(store: &BlockStore) -> Self {
        Self {
            shared: Arc::clone(&store.shared),
            outputs: Vec::new(),
            copied: Amount::default(),
        }
    }

    /// Copies what is marked in a pack.
    pub(crate) fn copy_pack(&mut self, name: PackName, marks: &Marks) -> Result<(), Error> {
        self.copied.packs += 1;
        for (domain, id, location) in self.shared.index.blobs_of(name.pack)? {
            if marks.contains(&location) {
                self.copy_blob(domain, name.kind, id, &location)?;
            }
        }
        Ok(())
    }

    /// Ends the packs that are not full yet. Returns what was copied.
    pub(crate) fn finish(mut self) -> Result<Amount, Error> {
        while let Some(output) = self.outputs.pop() {
            self.seal(output)?;
        }
        Ok(self.copied)
    }

    /// Removes what was not finished, after a failure. What cannot be removed is sealed when the
    /// store is opened next, and then an orphan.
    pub(crate) fn discard(self) {
        for output in self.outputs {
            let path = output.pack.path().to_path_buf();
            if let Err(error) = self.shared.disk.remove(&path) {
                tracing::warn!(path = %path.display(), %error, "remove an unfinished copy");
            }
        }
    }

    fn copy_blob(
        &mut self,
        domain: DomainId,
        kind: BlobKind,
        id: BlobId,
        location: &Location,
    ) -> Result<(), Error> {
        let at = self.output(domain, kind)?;
        let to = match self.append(at, id, location) {
            Err(error @ Error::Damaged { .. }) => {
                // Whoever puts the blob again heals it, and later collections leave its pack alone.
                self.shared.index.mark_bad(domain, &[(id, location.pack)])?;
                return Err(error);
            }
            other => other?,
        };
        let output = &mut self.outputs[at];
        output.moves.push((id, location.pack, to));
        self.copied.blobs += 1;
        self.copied.bytes += u64::from(location.stored_len) + BLOB_OVERHEAD;
        if output.pack.len() >= self.shared.pack_target_bytes {
            let output = self.outputs.swap_remove(at);
            self.seal(output)?;
        }
        Ok(())
    }

    fn append(&mut self, at: usize, id: BlobId, location: &Location) -> Result<Location, Error> {
        let damaged = |reason| Error::Damaged {
            digest: Digest(id.0),
            pack: location.pack,
            reason,
        };
        let shared = &self.shared;
        let Output {
            kind, key, pack, ..
        } = &mut self.outputs[at];
        if !is_possible(location, key.is_sealed()) {
            return Err(damaged(Damage::Location));
        }
        let file = shared.files.open(location.pack, *kind)?;
        let file = file.ok_or(damaged(Damage::PackMissing))?;
        let start = location.offset - BLOB_HEADER_LEN as u64;
        let fill = |buf: &mut [u8]| file.read_exact_at(buf, start);
        let append = |frame: Frame<'_>| pack.append(frame);
        let copied = shared
            .keys
            .of_pack(key, location.pack, |buf| file.read_exact_at(buf, 0))
            .and_then(|from| {
                frame::with_copy(location, id, (&*key, from.as_deref()), fill, append)
            });
        match copied {
            Ok(appended) => appended,
            Err(Unreadable::Damaged(reason)) => Err(damaged(reason)),
            Err(Unreadable::Io(error)) => Err(error).context("read pack in", &shared.dir),
        }
    }

    /// The position of the pack that blobs of this domain and kind go to.
    fn output(&mut self, domain: DomainId, kind: BlobKind) -> Result<usize, Error> {
        let fits = |output: &Output| (output.domain, output.kind) == (domain, kind);
        if let Some(at) = self.outputs.iter().position(fits) {
            return Ok(at);
        }
        let key = self.shared.keys.of(domain)?;
        let pack = self.shared.create_pack(domain, kind)?;
        self.outputs.push(Output {
            domain,
            kind,
            key,
            pack,
            moves: Vec::new(),
        });
        Ok(self.outputs.len() - 1)
    }

    /// Bytes, then the name, then the rows.
    fn seal(&self, mut output: Output) -> Result<(), Error> {
        let shared = &self.shared;
        output.pack.finish()?;
        output
            .pack
            .file()
            .sync_data()
            .context("sync pack in", &shared.dir)?;
        output.pack.rename(&*shared.disk, &shared.dir)?;
        shared
            .disk
            .sync_dir(&shared.dir)
            .context("sync directory", &shared.dir)?;
        // Whoever relies on one of these blobs has touched only the pack that it lay in.
        shared.sessions.touch([output.pack.id()]);
        shared.index.relocate(output.domain, &output.moves)?;
        Ok(())
    }
}
