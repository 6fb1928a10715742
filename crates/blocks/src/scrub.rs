//! Reads sealed packs from end to end, and tells of every byte that is not what was written.
//!
//! Readers check what they read; a scrub reads what nobody has asked for in a long time, and the
//! bytes that no reader ever looks at: headers of packs, tables, footers, checksums. A pack is read
//! in order, a blob at a time. What a reader would miss is marked bad in the index, so that the
//! next put of the same bytes stores them anew; the rest is told, because recovery relies on it.
//!
//! Where the key of an encrypted pack cannot be had, or is gone, headers, lengths and checksums are
//! checked, and it is told how many blobs could not be checked further: that is no damage.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    ops::{ControlFlow, Range},
    sync::Arc,
};

use tracing::debug;

use crate::{
    check::Checker,
    disk::{DiskFile, OpenMode},
    error::{Damage, Error, IoContext as _},
    lane::Shared,
    pack::PackName,
    pack_format::{
        BLOB_HEADER_LEN, BlobHeader, FOOTER_LEN, Footer, HEADER_LEN, Malformed, PackHeader,
        TableEntry, decode_table, is_possible,
    },
    recover::{as_len, decode_footer, decode_header, list_packs},
    store::BlockStore,
    types::{BlobId, BlobKind, DomainId, Location, PackId},
};

/// Packs asked of the index at once.
const PACKS: usize = 1024;

/// Findings that are told of one pack. One that holds nothing but rubbish has a finding for each of
/// its blobs, of which nobody reads that many.
pub const FINDINGS_MAX: usize = 1000;

/// What became of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackReport {
    /// The pack.
    pub pack: PackId,
    /// The name of its file, as far as it is known.
    pub file: String,
    /// Bytes read.
    pub bytes: u64,
    /// Blobs checked.
    pub blobs: u64,
    /// What is not what was written, in the order of the pack; up to [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// How many there are beyond these.
    pub more: u64,
    /// Blobs of which nothing but header, length and checksum could be checked, for want of the key.
    pub unchecked: u64,
    /// Why the key could not be had: [`Error::Key`] or [`Error::Erased`], as text.
    pub locked: Option<String>,
}

/// Bytes that are not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where they lie in the pack.
    pub range: Range<u64>,
    /// What is wrong.
    pub fault: Fault,
    /// The blob that a reader would miss; it is marked bad. None: no reader looks at these bytes.
    pub blob: Option<(DomainId, BlobId)>,
}

/// What is wrong with bytes of a pack.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A blob cannot be read.
    #[error("a blob cannot be read: {0}")]
    Blob(Damage),
    /// A blob is what it was, but its checksum, or a bit that decompression ignores, is not.
    #[error("a blob is intact, but does not fit its checksum")]
    Checksum,
    /// The index says that a blob lies where there is none.
    #[error("the index says that a blob lies here, and none does")]
    Row,
    /// The header of the pack.
    #[error("{0}")]
    Header(&'static str),
    /// The table or the footer.
    #[error("{0}")]
    Trailer(&'static str),
    /// Bytes between blobs that belong to nothing.
    #[error("these bytes belong to nothing")]
    Stray,
    /// The device does not give them back.
    #[error("the device does not give these bytes back: {0}")]
    Unreadable(String),
}

impl BlockStore {
    /// The packs there are to scrub, in order: the sealed ones here, and those that the index says
    /// blobs of `is_ours` domains lie in.
    ///
    /// # Errors
    /// The directory's and the index's.
    pub fn packs_to_scrub(&self, is_ours: impl Fn(DomainId) -> bool) -> Result<Vec<PackId>, Error> {
        let shared = self.shared();
        let mut packs = BTreeSet::new();
        let mut after = None;
        loop {
            let some = shared.index.packs(after, PACKS)?;
            let Some(last) = some.last() else { break };
            after = Some(last.pack);
            let ours = some.iter().filter(|pack| is_ours(pack.domain));
            packs.extend(ours.map(|pack| pack.pack));
        }
        // Listed after the index was asked: a pack that was deleted meanwhile has no rows any more.
        let names = list_packs(&*shared.disk, &shared.dir)?;
        packs.extend(
            names
                .iter()
                .filter(|name| name.sealed)
                .map(|name| name.pack),
        );
        for open in names.iter().filter(|name| !name.sealed) {
            packs.remove(&open.pack);
        }
        Ok(packs.into_iter().collect())
    }

    /// Reads a pack from the device, and marks bad in the index what a reader would miss. `pace` is
    /// told of bytes as they are read, and may take its time or end the scrub of the pack.
    ///
    /// A pack that is not sealed yet, or was deleted, has nothing to be found; nor is there a report
    /// when `pace` ended it.
    ///
    /// # Errors
    /// The index's, and those of the directory. Whatever is wrong with the pack is in the report.
    pub fn scrub_pack(
        &self,
        pack: PackId,
        pace: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Option<PackReport>, Error> {
        let shared = self.shared();
        let report = match self.find_pack(pack)? {
            Found::Sealed(name, file) => {
                // The point is what the device holds, not what memory does.
                if let Err(cause) = file.forget_cached() {
                    debug!(pack = pack.0, %cause, "the cache may answer for the device");
                }
                // Asked after the file was opened: rows are repointed only to packs that are there.
                let rows = shared.index.blobs_of(pack)?;
                let len = file.len().context("look at pack in", &shared.dir)?;
                let mut scrub = Scrub::new(shared, name, &*file, len, rows);
                let read = scrub
                    .run(pace)
                    .context("decompress a blob of", &shared.dir)?;
                if read.is_break() {
                    return Ok(None);
                }
                scrub.finish()
            }
            Found::Open => return Ok(None),
            Found::Nothing => missing(pack, shared.index.blobs_of(pack)?),
        };
        for (domain, blobs) in report.bad() {
            shared.index.mark_bad(domain, &blobs)?;
        }
        Ok(Some(report.capped()))
    }

    /// Looks under the final names twice, as a pack may be sealed between the looks.
    fn find_pack(&self, pack: PackId) -> Result<Found, Error> {
        let shared = self.shared();
        for sealed in [true, false, true] {
            for kind in [BlobKind::Data, BlobKind::Meta] {
                let name = PackName { pack, kind, sealed };
                let path = name.path(&shared.dir);
                match shared.disk.open(&path, OpenMode::Read) {
                    Ok(file) if sealed => return Ok(Found::Sealed(name, file)),
                    Ok(_) => return Ok(Found::Open),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error).context("open pack", path),
                }
            }
        }
        Ok(Found::Nothing)
    }
}

/// What there is of a pack.
enum Found {
    Sealed(PackName, Arc<dyn DiskFile>),
    /// It is being written.
    Open,
    /// It is lost, or it was deleted.
    Nothing,
}

/// The report of a pack that is not there.
fn missing(pack: PackId, rows: Vec<Row>) -> PackReport {
    let finding = |(domain, id, location): Row| Finding {
        range: range_of(&location),
        fault: Fault::Blob(Damage::PackMissing),
        blob: Some((domain, id)),
    };
    PackReport {
        pack,
        file: format!("{:016x}", pack.0),
        bytes: 0,
        blobs: rows.len() as u64,
        findings: rows.into_iter().map(finding).collect(),
        more: 0,
        unchecked: 0,
        locked: None,
    }
}

impl PackReport {
    /// What has to be marked bad, by domain.
    fn bad(&self) -> BTreeMap<DomainId, Vec<(BlobId, PackId)>> {
        let mut bad: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (domain, id) in self.findings.iter().filter_map(|finding| finding.blob) {
            bad.entry(domain).or_default().push((id, self.pack));
        }
        bad
    }

    fn capped(mut self) -> Self {
        self.more = self.findings.len().saturating_sub(FINDINGS_MAX) as u64;
        self.findings.truncate(FINDINGS_MAX);
        self
    }
}

/// What the index says of a blob of a pack.
type Row = (DomainId, BlobId, Location);

/// What was found where a blob should lie.
#[derive(Clone, Debug)]
enum Seen {
    Good(TableEntry),
    Bad(Range<u64>, Fault),
}

/// A pack being read.
struct Scrub<'a> {
    shared: &'a Shared,
    name: PackName,
    file: &'a dyn DiskFile,
    len: u64,
    rows: Vec<Row>,
    /// How blobs are checked.
    checker: Checker,
    /// Why they are not checked further.
    locked: Option<Error>,
    unchecked: u64,
    /// Where the table begins, if the footer tells.
    table_offset: Option<u64>,
    table: Option<Vec<TableEntry>>,
    /// Where stored bytes should begin by table and index, and how many there are.
    expected: BTreeMap<u64, u32>,
    /// What lies there, by where the stored bytes begin.
    seen: BTreeMap<u64, Seen>,
    /// What belongs to no blob.
    findings: Vec<Finding>,
}

impl<'a> Scrub<'a> {
    fn new(
        shared: &'a Shared,
        name: PackName,
        file: &'a dyn DiskFile,
        len: u64,
        rows: Vec<Row>,
    ) -> Self {
        Self {
            shared,
            name,
            file,
            len,
            checker: Checker::plain(DomainId(0)),
            locked: None,
            unchecked: 0,
            rows,
            table_offset: None,
            table: None,
            expected: BTreeMap::new(),
            seen: BTreeMap::new(),
            findings: Vec::new(),
        }
    }

    /// Reads all of it. Breaks off when the pace does.
    fn run(&mut self, pace: &mut dyn FnMut(u64) -> ControlFlow<()>) -> io::Result<ControlFlow<()>> {
        self.read_header();
        let bad_footer = self.read_trailer();
        self.expect();
        let mut at = HEADER_LEN as u64;
        while let Some(next) = self.step(at)? {
            if pace(next - at).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            at = next;
        }
        if let Some(fault) = bad_footer {
            self.find(at.min(self.len)..self.len, fault);
        }
        Ok(ControlFlow::Continue(()))
    }

    fn read_header(&mut self) {
        let mut bytes = [0; HEADER_LEN];
        let fault = match self.file.read_exact_at(&mut bytes, 0) {
            Ok(()) => match decode_header(&bytes, self.name) {
                Ok(header) => return self.unlock(&header),
                Err(Malformed(reason)) => Fault::Header(reason),
            },
            Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
                Fault::Header("pack header: too short")
            }
            Err(cause) => Fault::Unreadable(cause.to_string()),
        };
        // Without the salt nothing can be read of an encrypted pack, which this is if the domain has a key.
        if let Some((domain, ..)) = self.rows.first() {
            self.checker = Checker::without_header(&self.shared.keys, *domain);
        }
        self.find_in_header(fault);
    }

    /// Gets the key of the pack.
    fn unlock(&mut self, header: &PackHeader) {
        (self.checker, self.locked) = Checker::of(&self.shared.keys, header);
        if matches!(self.checker, Checker::Lost(_)) {
            self.find_in_header(Fault::Header(
                "pack header: encrypted in a plain domain, or not in one with a key",
            ));
        }
    }

    fn find_in_header(&mut self, fault: Fault) {
        self.find(0..self.len.min(HEADER_LEN as u64), fault);
    }

    /// Reads what the end of the pack says of it. With a bad footer it is not known yet where that
    /// begins, and the fault is handed back.
    fn read_trailer(&mut self) -> Option<Fault> {
        let Some(at) = self.len.checked_sub(FOOTER_LEN as u64) else {
            return Some(Fault::Trailer("pack footer: too short"));
        };
        let mut bytes = [0; FOOTER_LEN];
        if let Err(cause) = self.file.read_exact_at(&mut bytes, at) {
            return Some(Fault::Unreadable(cause.to_string()));
        }
        match decode_footer(&bytes, self.name, self.len) {
            Ok(footer) => {
                self.table_offset = Some(footer.table_offset);
                self.read_table(&footer);
                None
            }
            Err(Malformed(reason)) => Some(Fault::Trailer(reason)),
        }
    }

    fn read_table(&mut self, footer: &Footer) {
        let mut bytes = vec![0; as_len(footer.table_len())];
        let fault = match self.file.read_exact_at(&mut bytes, footer.table_offset) {
            Ok(()) => match decode_table(footer, self.checker.is_encrypted(), &bytes) {
                Ok(table) => {
                    self.table = Some(table);
                    return;
                }
                Err(Malformed(reason)) => Fault::Trailer(reason),
            },
            Err(cause) => Fault::Unreadable(cause.to_string()),
        };
        self.find(self.table_range(), fault);
    }

    fn table_range(&self) -> Range<u64> {
        let end = self.len.saturating_sub(FOOTER_LEN as u64);
        self.table_offset.unwrap_or(end)..end
    }

    /// A damaged header of a blob must not hide the blobs behind it: table and index tell where
    /// these are.
    fn expect(&mut self) {
        let rows = self.rows.iter().map(|(_, _, location)| *location);
        let table = self.table.iter().flatten();
        let table = table.map(|entry| entry.location(self.name.pack));
        let is_encrypted = self.checker.is_encrypted();
        let possible = rows
            .chain(table)
            .filter(|location| is_possible(location, is_encrypted));
        self.expected = possible
            .map(|location| (location.offset, location.stored_len))
            .collect();
    }

    /// Checks what begins at `at`, and tells where the next thing does; `None` at the trailer.
    fn step(&mut self, at: u64) -> io::Result<Option<u64>> {
        let end = self.table_offset.unwrap_or(self.len);
        if at >= end {
            return Ok(None);
        }
        match self.blob_header(at, end) {
            Ok(header) => self.check_blob(at, &header).map(Some),
            Err(fault) => Ok(self.skip(at, end, fault)),
        }
    }

    fn blob_header(&self, at: u64, end: u64) -> Result<BlobHeader, Fault> {
        let offset = at + BLOB_HEADER_LEN as u64;
        if offset > end {
            return Err(Fault::Blob(Damage::Truncated));
        }
        let mut bytes = [0; BLOB_HEADER_LEN];
        self.file
            .read_exact_at(&mut bytes, at)
            .map_err(|cause| fault_of(&cause))?;
        let header = BlobHeader::decode(&bytes, self.name.pack, self.checker.is_encrypted())
            .map_err(|_| Fault::Blob(Damage::Header))?;
        match offset + u64::from(header.stored_len) <= end {
            true => Ok(header),
            false => Err(Fault::Blob(Damage::Truncated)),
        }
    }

    /// Checks the stored bytes behind a good header. Tells where they end.
    fn check_blob(&mut self, at: u64, header: &BlobHeader) -> io::Result<u64> {
        let offset = at + BLOB_HEADER_LEN as u64;
        let end = offset + u64::from(header.stored_len);
        let mut stored = vec![0; header.stored_len as usize];
        let seen = match self.file.read_exact_at(&mut stored, offset) {
            Err(cause) => Seen::Bad(at..end, fault_of(&cause)),
            Ok(()) => match self.checker.damage(header, &stored)? {
                Some(damage) => Seen::Bad(at..end, Fault::Blob(damage)),
                None => Seen::Good(header.entry(offset)),
            },
        };
        let is_good = matches!(seen, Seen::Good(_));
        self.unchecked += u64::from(is_good && matches!(self.checker, Checker::Checksum));
        if is_good && crc32c::crc32c(&stored) != header.payload_crc {
            self.find(offset..end, Fault::Checksum);
        }
        self.seen.insert(offset, seen);
        Ok(end)
    }

    /// Where to go on behind what is no blob; `None` if that may be the trailer.
    fn skip(&mut self, at: u64, end: u64, fault: Fault) -> Option<u64> {
        let offset = at + BLOB_HEADER_LEN as u64;
        if let Some(stored_len) = self.expected.get(&offset) {
            let next = (offset + u64::from(*stored_len)).min(end);
            self.seen.insert(offset, Seen::Bad(at..next, fault));
            return Some(next);
        }
        let behind = self.expected.range(offset + 1..).next();
        let next = match behind.map(|(offset, _)| offset - BLOB_HEADER_LEN as u64) {
            Some(next) if next < end => next,
            _ => self.table_offset?,
        };
        self.find(at..next, Fault::Stray);
        Some(next)
    }

    fn find(&mut self, range: Range<u64>, fault: Fault) {
        self.findings.push(Finding {
            range,
            fault,
            blob: None,
        });
    }

    /// Compares what was seen with what table and index say.
    fn finish(mut self) -> PackReport {
        if let Some(table) = &self.table
            && !self.is_listed(table)
        {
            let fault = Fault::Trailer("pack table: it does not list what the pack holds");
            self.find(self.table_range(), fault);
        }
        let mut findings = std::mem::take(&mut self.findings);
        let mut owners = BTreeMap::new();
        for (domain, id, location) in &self.rows {
            match self.seen.get(&location.offset) {
                Some(Seen::Bad(..)) => {
                    owners.insert(location.offset, (*domain, *id));
                }
                Some(Seen::Good(entry))
                    if entry.id == *id && entry.location(self.name.pack) == *location => {}
                _ => findings.push(Finding {
                    range: range_of(location),
                    fault: Fault::Row,
                    blob: Some((*domain, *id)),
                }),
            }
        }
        let blobs = self.seen.len() as u64;
        for (offset, seen) in self.seen {
            if let Seen::Bad(range, fault) = seen {
                let blob = owners.get(&offset).copied();
                findings.push(Finding { range, fault, blob });
            }
        }
        findings.sort_by_key(|finding| (finding.range.start, finding.range.end));
        PackReport {
            pack: self.name.pack,
            file: self.name.file_name(),
            bytes: self.len,
            blobs,
            findings,
            more: 0,
            unchecked: self.unchecked,
            locked: self.locked.map(|error| error.to_string()),
        }
    }

    /// Whether the table lists what was seen and nothing else. Of what is damaged it may be right.
    fn is_listed(&self, table: &[TableEntry]) -> bool {
        let is_right = |entry: &TableEntry| match self.seen.get(&entry.offset) {
            Some(Seen::Good(seen)) => seen == entry,
            Some(Seen::Bad(..)) => true,
            None => false,
        };
        table.len() == self.seen.len() && table.iter().all(is_right)
    }
}

fn fault_of(cause: &io::Error) -> Fault {
    match cause.kind() {
        io::ErrorKind::UnexpectedEof => Fault::Blob(Damage::Truncated),
        _ => Fault::Unreadable(cause.to_string()),
    }
}

/// The bytes of a blob with its header.
fn range_of(location: &Location) -> Range<u64> {
    let Location {
        offset, stored_len, ..
    } = location;
    offset.saturating_sub(BLOB_HEADER_LEN as u64)..offset.saturating_add(u64::from(*stored_len))
}
