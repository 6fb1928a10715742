//! A pack being written, and the open files of packs being read.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    cache::Lru,
    cipher::PackKey,
    disk::{Disk, DiskFile, OpenMode},
    error::{Error, IoContext as _},
    frame::Frame,
    pack_format::{BLOB_HEADER_LEN, HEADER_LEN, PackHeader, TableEntry, encode_trailer},
    types::{BlobKind, Location, PackId},
};

/// Files of sealed packs kept open for readers.
const OPEN_FILES: usize = 256;

/// What the name of a pack says: which one it is, what it holds, whether it is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PackName {
    pub(crate) pack: PackId,
    pub(crate) kind: BlobKind,
    pub(crate) sealed: bool,
}

impl PackName {
    /// The name of the file.
    pub(crate) fn file_name(&self) -> String {
        let kind = match self.kind {
            BlobKind::Data => "data",
            BlobKind::Meta => "meta",
        };
        let open = if self.sealed { "" } else { ".open" };
        format!("{:016x}.{kind}{open}", self.pack.0)
    }

    /// Reads a file's name; `None` if it is not the one of a pack.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (stem, sealed) = name
            .strip_suffix(".open")
            .map_or((name, true), |stem| (stem, false));
        let (number, kind) = stem.split_once('.')?;
        let kind = match kind {
            "data" => BlobKind::Data,
            "meta" => BlobKind::Meta,
            _ => return None,
        };
        let name_of = Self {
            pack: PackId(u64::from_str_radix(number, 16).ok()?),
            kind,
            sealed,
        };
        (name_of.file_name() == name).then_some(name_of)
    }

    /// The same pack, sealed.
    pub(crate) fn sealed(self) -> Self {
        Self {
            sealed: true,
            ..self
        }
    }

    /// Where the file lies.
    pub(crate) fn path(&self, dir: &Path) -> PathBuf {
        dir.join(self.file_name())
    }
}

/// A pack that is appended to. Its bytes up to `len` are never written again.
#[derive(Debug)]
pub(crate) struct PackWriter {
    name: PackName,
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    len: u64,
    entries: Vec<TableEntry>,
    /// What encrypts the blobs, if anything does.
    key: Option<Arc<PackKey>>,
    /// How many appends there were, failed ones included: the number of the next nonce.
    appends: u32,
    /// A failed write may have left bytes beyond `len`.
    torn: bool,
    /// The table and the footer are written.
    pub(crate) finished: bool,
    /// The name is durable.
    pub(crate) named: bool,
    /// The file bears its final name.
    pub(crate) renamed: bool,
}

impl PackWriter {
    /// Creates the file of a pack and writes its header. Nothing of it is durable yet. `key` is the
    /// one of this header.
    pub(crate) fn create(
        disk: &dyn Disk,
        dir: &Path,
        header: &PackHeader,
        key: Option<Arc<PackKey>>,
    ) -> Result<Self, Error> {
        let name = PackName {
            pack: header.pack,
            kind: header.kind,
            sealed: false,
        };
        let path = name.path(dir);
        let file = disk
            .open(&path, OpenMode::CreateNew)
            .context("create pack", &path)?;
        file.write_all_at(&header.encode(), 0)
            .context("write header of pack", &path)?;
        let len = HEADER_LEN as u64;
        Ok(Self {
            name,
            path,
            file,
            len,
            entries: Vec::new(),
            key,
            appends: 0,
            torn: false,
            finished: false,
            named: false,
            renamed: false,
        })
    }

    /// Which pack this is.
    pub(crate) fn id(&self) -> PackId {
        self.name.pack
    }

    /// Its file.
    pub(crate) fn file(&self) -> &Arc<dyn DiskFile> {
        &self.file
    }

    /// Where the file was created.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its length so far, in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Whether it holds no blob.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Appends a blob.
    pub(crate) fn append(&mut self, frame: Frame<'_>) -> Result<Location, Error> {
        let slot = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let nonce = self.next_nonce()?;
        let (header, bytes) = frame.finish(self.name.pack, slot, nonce, self.key.as_deref());
        let entry = header.entry(self.len + BLOB_HEADER_LEN as u64);
        self.write(bytes)?;
        self.len = entry.offset + u64::from(entry.stored_len);
        self.entries.push(entry);
        Ok(entry.location(self.name.pack))
    }

    /// A number that no append had before, also none that failed: what it wrote may be on the disk.
    fn next_nonce(&mut self) -> Result<u32, Error> {
        let nonce = self.appends;
        self.appends = nonce
            .checked_add(1)
            .ok_or(io::ErrorKind::QuotaExceeded.into())
            .context("append once more to pack", &self.path)?;
        Ok(nonce)
    }

    /// Writes the table and the footer. Nothing can be appended after that.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        let trailer = encode_trailer(self.name.pack, self.len, &self.entries);
        self.write(&trailer)?;
        self.finished = true;
        Ok(())
    }

    /// Gives a finished pack its final name, once.
    pub(crate) fn rename(&mut self, disk: &dyn Disk, dir: &Path) -> Result<(), Error> {
        if !self.renamed {
            disk.rename(&self.path, &self.name.sealed().path(dir))
                .context("seal pack", &self.path)?;
            self.renamed = true;
        }
        Ok(())
    }

    /// Writes at the end, without moving it. What an earlier failure left there is cut first, so
    /// that the footer will be the last of the file.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.torn {
            self.file
                .set_len(self.len)
                .context("cut torn end of pack", &self.path)?;
            self.torn = false;
        }
        self.torn = true;
        self.file
            .write_all_at(bytes, self.len)
            .context("append to pack", &self.path)?;
        self.torn = false;
        Ok(())
    }
}

/// The open files of packs, for readers.
#[derive(Debug)]
pub(crate) struct PackFiles {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    state: Mutex<OpenFiles>,
}

#[derive(Debug)]
struct OpenFiles {
    /// Packs that do not bear their final name: those being written, and those given up after a
    /// failed sync, which keep their name until the store is opened again.
    unsealed: HashMap<PackId, Arc<dyn DiskFile>>,
    sealed: Lru<PackId, Arc<dyn DiskFile>>,
}

impl PackFiles {
    /// No files open.
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: PathBuf) -> Self {
        Self {
            disk,
            dir,
            state: Mutex::new(OpenFiles {
                unsealed: HashMap::new(),
                sealed: Lru::new(OPEN_FILES),
            }),
        }
    }

    /// Remembers the file of a pack that is being written.
    pub(crate) fn add_unsealed(&self, pack: PackId, file: &Arc<dyn DiskFile>) {
        self.lock().unsealed.insert(pack, Arc::clone(file));
    }

    /// Notes that a pack got its final name.
    pub(crate) fn sealed(&self, pack: PackId) {
        let mut state = self.lock();
        if let Some(file) = state.unsealed.remove(&pack) {
            state.sealed.insert(pack, file, 1);
        }
    }

    /// Whether a pack does not bear its final name yet.
    pub(crate) fn is_unsealed(&self, pack: PackId) -> bool {
        self.lock().unsealed.contains_key(&pack)
    }

    /// Lets go of the file of a pack that is to be removed.
    pub(crate) fn forget(&self, pack: PackId) {
        self.lock().sealed.remove(&pack);
    }

    /// The file of a pack, or `None` if there is none. `kind` is what it probably holds.
    pub(crate) fn open(
        &self,
        pack: PackId,
        kind: BlobKind,
    ) -> Result<Option<Arc<dyn DiskFile>>, Error> {
        if let Some(file) = self.find(pack) {
            return Ok(Some(file));
        }
        let other = if kind == BlobKind::Data {
            BlobKind::Meta
        } else {
            BlobKind::Data
        };
        for kind in [kind, other] {
            let path = PackName {
                pack,
                kind,
                sealed: true,
            }
            .path(&self.dir);
            match self.disk.open(&path, OpenMode::Read) {
                Ok(file) => {
                    self.lock().sealed.insert(pack, Arc::clone(&file), 1);
                    return Ok(Some(file));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error).context("open pack", path),
            }
        }
        Ok(None)
    }

    fn find(&self, pack: PackId) -> Option<Arc<dyn DiskFile>> {
        let mut state = self.lock();
        state
            .unsealed
            .get(&pack)
            .cloned()
            .or_else(|| state.sealed.get(&pack))
    }

    fn lock(&self) -> MutexGuard<'_, OpenFiles> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for kind in [BlobKind::Data, BlobKind::Meta] {
            for sealed in [true, false] {
                let name = PackName {
                    pack: PackId(0xab),
                    kind,
                    sealed,
                };
                assert_eq!(PackName::parse(&name.file_name()), Some(name));
            }
        }
        for other in [
            "lock",
            "ab.data",
            "00000000000000AB.data",
            "00000000000000ab.data.open.open",
            "+0000000000000ab.data",
        ] {
            assert_eq!(PackName::parse(other), None, "{other}");
        }
    }
}
