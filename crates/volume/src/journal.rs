//! The journal while the volume is open: appending, syncing, and letting go of old segments.
//!
//! Records are written to the file under one lock, in the order of their LSNs. So whatever a
//! `kill -9` leaves behind is a prefix of the log, and an acknowledged write is in it.

use std::{
    collections::VecDeque,
    fmt, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use cairn_blocks::{
    DomainId,
    disk::{Disk, DiskFile, OpenMode},
};

use crate::{
    error::Error,
    record::{
        Kind, MAX_BODY, Place, RECORD_HEADER, Record, RecordHeader, SEGMENT_HEADER, SegmentHeader,
        WRITE_PREFIX, encode_record, open_body, record_len,
    },
    seal::{Keys, RecordKey, TAG},
    sync::{Failure, lock},
};

/// The most bytes that one WRITE carries.
const MAX_WRITE: u64 = 1 << 20;

/// One file of the journal.
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) incarnation: u64,
    pub(crate) first_lsn: u64,
    pub(crate) file: Arc<dyn DiskFile>,
    /// The key of its records, if the volume is sealed.
    pub(crate) key: Option<Arc<RecordKey>>,
}

impl Segment {
    /// Reads the plain body of a record whose stored body is `len` bytes at `body`. With `wait`
    /// false: only if the bytes are at hand; else the answer is `None`.
    pub(crate) fn read_body(&self, body: u64, len: u32, wait: bool) -> io::Result<Option<Vec<u8>>> {
        let at = body - RECORD_HEADER as u64;
        let lsn = self.first_lsn + at - SEGMENT_HEADER;
        let mut bytes = vec![0; RECORD_HEADER + len as usize];
        if wait {
            self.file.read_exact_at(&mut bytes, at)?;
        } else if !self.file.try_read_exact_at(&mut bytes, at)? {
            return Ok(None);
        }
        let header = bytes
            .first_chunk()
            .and_then(|head| RecordHeader::decode(head, lsn))
            .filter(|header| header.body_len == len);
        let body = header
            .and_then(|header| open_body(&header, &mut bytes[4..], self.key.as_deref()))
            .map(|body| body.to_vec());
        let damaged = || Error::Damaged(format!("the journal's record at {lsn} is damaged"));
        body.map(Some).ok_or_else(|| damaged().into())
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Segment({} from {})", self.number, self.first_lsn)
    }
}

/// A segment as a checkpoint lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentRef {
    pub(crate) number: u64,
    pub(crate) incarnation: u64,
    pub(crate) first_lsn: u64,
    /// Where its records end; `None` while it is being appended to.
    pub(crate) end_lsn: Option<u64>,
}

/// Where a record went.
#[derive(Clone, Debug)]
pub(crate) struct Appended {
    pub(crate) lsn: u64,
    /// The LSN after it.
    pub(crate) end: u64,
    pub(crate) segment: Arc<Segment>,
    /// Offset of the body in the segment's file.
    pub(crate) body: u64,
    /// Length of the body as it is stored, in bytes.
    pub(crate) body_len: u32,
}

/// Where the journal begins when a volume is opened.
#[derive(Debug)]
pub(crate) struct Start {
    /// Segments that recovery found; none of them is appended to.
    pub(crate) segments: Vec<(Arc<Segment>, u64)>,
    /// The next LSN.
    pub(crate) lsn: u64,
    /// Where the records begin that are still needed.
    pub(crate) tail: u64,
    /// The number of the next segment; greater than that of any file there is.
    pub(crate) next_segment: u64,
    /// This opening of the volume.
    pub(crate) incarnation: u64,
}

/// What is fixed while the journal is open.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    pub(crate) domain: DomainId,
    pub(crate) keys: Option<Keys>,
    pub(crate) segment_bytes: u64,
    pub(crate) cap_bytes: u64,
    pub(crate) failure: Arc<Failure>,
}

/// The journal of an open volume.
#[derive(Debug)]
pub(crate) struct Journal {
    settings: Settings,
    incarnation: u64,
    /// The key of this opening, if the volume is sealed.
    key: Option<Arc<RecordKey>>,
    head: Mutex<Head>,
    /// Held by whoever syncs: who waits for it finds the work done.
    syncing: Mutex<()>,
    /// LSN after the last record.
    end: AtomicU64,
    /// LSN after the last record that a FLUSH has to make durable.
    matters: AtomicU64,
    /// Every record below is durable.
    durable: AtomicU64,
    /// Records below are no longer needed.
    tail: AtomicU64,
}

/// The end that is appended to.
#[derive(Debug)]
struct Head {
    /// All live segments with the LSN after their last record (for the last one: `lsn`).
    segments: VecDeque<(Arc<Segment>, u64)>,
    /// Whether the last of them takes records.
    open: bool,
    lsn: u64,
    /// How many records were made for this LSN: none may be sealed as one before was.
    attempts: u32,
    next_segment: u64,
    /// Segments that hold records which were not synced.
    unsynced: Vec<Arc<Segment>>,
    /// Whether segments were created since the directory was synced.
    names_unsynced: bool,
    scratch: Vec<u8>,
}

impl Journal {
    /// Continues a journal, in a segment of its own.
    pub(crate) fn new(settings: Settings, start: Start) -> Self {
        let keys = settings.keys.as_ref();
        Self {
            key: keys.map(|keys| Arc::new(keys.records(start.incarnation))),
            settings,
            incarnation: start.incarnation,
            end: AtomicU64::new(start.lsn),
            matters: AtomicU64::new(start.lsn),
            durable: AtomicU64::new(start.lsn),
            tail: AtomicU64::new(start.tail),
            syncing: Mutex::new(()),
            head: Mutex::new(Head {
                segments: start.segments.into(),
                open: false,
                lsn: start.lsn,
                attempts: 0,
                next_segment: start.next_segment,
                unsynced: Vec::new(),
                names_unsynced: false,
                scratch: Vec::new(),
            }),
        }
    }

    /// This opening of the volume.
    pub(crate) fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// The most bytes that [`write`](Self::write) takes at once.
    pub(crate) fn max_write(&self) -> u64 {
        MAX_WRITE
            .min(self.max_body() - WRITE_PREFIX as u64)
            .next_multiple_of(512)
            - 512
    }

    /// The longest body that fits a segment.
    pub(crate) fn max_body(&self) -> u64 {
        let longest = (MAX_BODY as u64)
            .min(self.settings.segment_bytes - SEGMENT_HEADER - RECORD_HEADER as u64 - 8);
        longest - self.key.as_ref().map_or(0, |_| TAG as u64)
    }

    /// Appends a WRITE.
    pub(crate) fn write(&self, offset: u64, data: &[u8]) -> io::Result<Appended> {
        self.append_parts(Kind::Write, &[&offset.to_le_bytes(), data])
    }

    /// Appends any other record.
    pub(crate) fn append(&self, record: &Record) -> io::Result<Appended> {
        let (kind, body) = record.encode();
        self.append_parts(kind, &[&body])
    }

    fn append_parts(&self, kind: Kind, body: &[&[u8]]) -> io::Result<Appended> {
        let key = self.key.as_deref();
        let body_len = kind.stored_len(body.iter().map(|part| part.len()).sum(), key);
        let len = record_len(body_len);
        let mut head = lock(&self.head);
        let segment = self.segment_for(&mut head, len)?;
        let (lsn, offset) = (head.lsn, SEGMENT_HEADER + head.lsn - segment.first_lsn);
        let place = Place {
            incarnation: self.incarnation,
            lsn,
            durable: self.durable.load(Ordering::Acquire),
            seal: match key {
                Some(key) => Some((key, head.next_attempt()?)),
                None => None,
            },
        };
        let mut bytes = std::mem::take(&mut head.scratch);
        bytes.clear();
        let written = encode_record(&mut bytes, &place, kind, body)
            .map_err(|_| io::Error::other("a record is too long to be sealed"))
            .and_then(|()| segment.file.write_all_at(&bytes, offset));
        head.scratch = bytes;
        written?;
        head.advance(&segment, len);
        if kind.matters() {
            self.matters.store(head.lsn, Ordering::SeqCst);
        }
        self.end.store(head.lsn, Ordering::SeqCst);
        Ok(Appended {
            lsn,
            end: head.lsn,
            segment,
            body: offset + RECORD_HEADER as u64,
            body_len: u32::try_from(body_len).unwrap_or(u32::MAX),
        })
    }

    /// The segment that takes a record of `len` bytes.
    fn segment_for(&self, head: &mut Head, len: u64) -> io::Result<Arc<Segment>> {
        if head.open
            && let Some((last, _)) = head.segments.back()
            && SEGMENT_HEADER + (head.lsn - last.first_lsn) + len <= self.settings.segment_bytes
        {
            return Ok(Arc::clone(last));
        }
        let segment = Arc::new(self.create_segment(head.next_segment, head.lsn)?);
        head.next_segment += 1;
        head.open = true;
        head.names_unsynced = true;
        head.segments.push_back((Arc::clone(&segment), head.lsn));
        Ok(segment)
    }

    /// Creates a segment. When there is no space for it, no trace of it is left.
    fn create_segment(&self, number: u64, first_lsn: u64) -> io::Result<Segment> {
        let path = segment_path(&self.settings.dir, number);
        let file = self.create_file(&path)?;
        let header = SegmentHeader {
            incarnation: self.incarnation,
            number,
            first_lsn,
            domain: self.settings.domain,
            sealed: self.key.is_some(),
        };
        let filled = file
            .allocate(0, self.settings.segment_bytes)
            .and_then(|()| file.write_all_at(&header.encode(), 0));
        if let Err(error) = filled {
            drop(file);
            // A file that stays is removed by the next attempt, or by the next opening.
            let _ignored = self.settings.disk.remove(&path);
            return Err(error);
        }
        Ok(Segment {
            number,
            incarnation: self.incarnation,
            first_lsn,
            file,
            key: self.key.clone(),
        })
    }

    fn create_file(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        match self.settings.disk.open(path, OpenMode::CreateNew) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.settings.disk.remove(path)?;
                self.settings.disk.open(path, OpenMode::CreateNew)
            }
            other => other,
        }
    }

    /// LSN after the last record.
    pub(crate) fn end(&self) -> u64 {
        self.end.load(Ordering::SeqCst)
    }

    /// Whether a FLUSH has something to do here.
    pub(crate) fn needs_sync(&self) -> bool {
        self.matters.load(Ordering::SeqCst) > self.durable.load(Ordering::SeqCst)
    }

    /// Makes every record that matters durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.sync_to(self.matters.load(Ordering::SeqCst))
    }

    /// Makes every record below `lsn` durable. Callers that come together share one sync.
    pub(crate) fn sync_to(&self, lsn: u64) -> io::Result<()> {
        if self.durable.load(Ordering::SeqCst) >= lsn {
            return Ok(());
        }
        let _syncing = lock(&self.syncing);
        self.settings.failure.check()?;
        if self.durable.load(Ordering::SeqCst) >= lsn {
            return Ok(());
        }
        let (segments, names, end) = lock(&self.head).take_unsynced();
        self.settings
            .failure
            .noting(self.sync_files(&segments, names))?;
        self.durable.store(end, Ordering::SeqCst);
        Ok(())
    }

    fn sync_files(&self, segments: &[Arc<Segment>], names: bool) -> io::Result<()> {
        segments
            .iter()
            .try_for_each(|segment| segment.file.sync_data())?;
        if names {
            self.settings.disk.sync_dir(&self.settings.dir)
        } else {
            Ok(())
        }
    }

    /// Bytes of the log that are still needed.
    pub(crate) fn used(&self) -> u64 {
        self.end() - self.tail.load(Ordering::SeqCst)
    }

    /// Whether `len` more bytes of guest data fit.
    pub(crate) fn has_room(&self, len: u64) -> bool {
        self.used() + len <= self.settings.cap_bytes
    }

    /// Whether writers will meet the cap if things go on like this.
    pub(crate) fn is_half_full(&self) -> bool {
        self.used() > self.settings.cap_bytes / 2
    }

    /// The log's end, the segments that hold it from `tail` on, and the number of the next one.
    pub(crate) fn layout(&self) -> (u64, Vec<SegmentRef>, u64) {
        let head = lock(&self.head);
        let refs = head
            .segments
            .iter()
            .enumerate()
            .map(|(n, (segment, end))| SegmentRef {
                number: segment.number,
                incarnation: segment.incarnation,
                first_lsn: segment.first_lsn,
                end_lsn: (!head.open || n + 1 < head.segments.len()).then_some(*end),
            });
        (head.lsn, refs.collect(), head.next_segment)
    }

    /// The numbers of the live segments.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        lock(&self.head)
            .segments
            .iter()
            .map(|(segment, _)| segment.number)
            .collect()
    }

    /// How many segments there are.
    pub(crate) fn segments(&self) -> usize {
        lock(&self.head).segments.len()
    }

    /// Forgets the records below `tail`: a durable checkpoint no longer needs them.
    pub(crate) fn trim(&self, tail: u64) -> io::Result<()> {
        self.tail.fetch_max(tail, Ordering::SeqCst);
        for segment in lock(&self.head).take_below(tail) {
            self.settings
                .disk
                .remove(&segment_path(&self.settings.dir, segment.number))?;
        }
        Ok(())
    }
}

impl Head {
    /// How many records were made for this LSN before. Counted before anything is written, so that
    /// no way out of a write that fails can leave it uncounted.
    fn next_attempt(&mut self) -> io::Result<u32> {
        let attempt = self.attempts;
        let next = attempt.checked_add(1);
        self.attempts = next.ok_or_else(|| io::Error::other("too many appends failed"))?;
        Ok(attempt)
    }

    fn advance(&mut self, segment: &Arc<Segment>, len: u64) {
        self.lsn += len;
        self.attempts = 0;
        if let Some((_, end)) = self.segments.back_mut() {
            *end = self.lsn;
        }
        if !self
            .unsynced
            .last()
            .is_some_and(|last| Arc::ptr_eq(last, segment))
        {
            self.unsynced.push(Arc::clone(segment));
        }
    }

    fn take_unsynced(&mut self) -> (Vec<Arc<Segment>>, bool, u64) {
        (
            std::mem::take(&mut self.unsynced),
            std::mem::take(&mut self.names_unsynced),
            self.lsn,
        )
    }

    /// Takes the segments off the front that lie below `tail`; the open one stays.
    fn take_below(&mut self, tail: u64) -> Vec<Arc<Segment>> {
        let mut taken = Vec::new();
        while let Some((_, end)) = self.segments.front()
            && *end <= tail
            && !(self.open && self.segments.len() == 1)
        {
            taken.extend(self.segments.pop_front().map(|(segment, _)| segment));
        }
        taken
    }
}

/// The file of a segment.
pub(crate) fn segment_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("journal-{number:016x}"))
}

/// The number in the name of a segment's file.
pub(crate) fn segment_number(name: &str) -> Option<u64> {
    name.strip_prefix("journal-")
        .filter(|hex| hex.len() == 16)
        .and_then(|hex| u64::from_str_radix(hex, 16).ok())
}
