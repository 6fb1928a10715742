//! Opening: the newest checkpoint, and the journal replayed over it.

use std::{io, path::Path, sync::Arc};

use cairn_blocks::{
    DomainId,
    disk::{Disk, DiskFile, OpenMode},
};

use crate::{
    checkpoint::{self, Checkpoint, Newest, Slot},
    entries::{Entries, Entry, Source},
    error::{Error, IoContext as _},
    geometry::{BLOCK, MAX_BLOCKS, REGION_BLOCKS, block_count, index, pieces},
    journal::{Segment, Start, segment_number, segment_path},
    plane::Plane,
    record::{
        Kind, RECORD_HEADER, Record, RecordHeader, SEGMENT_HEADER, SegmentHeader, checksum,
        open_body,
    },
    seal::{Keys, RecordKey},
    state::{MAX_EPOCHS, State, block_plane},
};

/// What recovery found.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) state: State,
    pub(crate) present: Plane,
    pub(crate) known: Plane,
    pub(crate) intents: Plane,
    pub(crate) all_present: bool,
    pub(crate) entries: Entries,
    pub(crate) start: Start,
    /// The slot that the next checkpoint goes to, and its sequence.
    pub(crate) slot: Slot,
    pub(crate) sequence: u64,
}

/// Recovers a volume. Changes nothing on disk, except that the segments are synced.
pub(crate) fn recover(
    disk: &dyn Disk,
    dir: &Path,
    keys: Option<&Keys>,
    boot_id: &str,
) -> Result<Recovered, Error> {
    let files = SegmentFiles::list(disk, dir)?;
    let Some(Newest {
        slot,
        checkpoint,
        is_doubtful,
    }) = checkpoint::read_newest(disk, dir, keys)?
    else {
        return Err(Error::Damaged("no valid checkpoint".into()));
    };
    let same_boot = checkpoint.boot_id == boot_id;
    let (sequence, clean, replay_from) = (
        checkpoint.sequence,
        checkpoint.clean,
        checkpoint.replay_from,
    );
    let place = Place {
        disk,
        dir,
        keys,
        domain: checkpoint.domain,
    };
    let log = Log::read(&place, &files, &checkpoint, same_boot)?;
    let mut replay = Replay::new(checkpoint);
    log.records
        .iter()
        .try_for_each(|record| replay.apply(record))?;
    replay.is_doubtful = is_doubtful;
    // If a later checkpoint was lost, then blocks may have been written in place since this one,
    // in the regions that had intents then. (Had anything else happened, there would be records.)
    let nothing_written = clean && log.end == replay_from;
    if is_doubtful || !(same_boot || nothing_written) {
        replay.distrust_dirty();
    }
    // A volume that was never opened keeps the intents that it was created with.
    if sequence > 1 {
        replay.clear_idle_intents();
    }
    sync_segments(disk, dir, &log.segments)?;
    Ok(replay.finish(&files, log, slot.other(), sequence + 1))
}

/// Where the segments of a journal are, and what they are to be like.
struct Place<'a> {
    disk: &'a dyn Disk,
    dir: &'a Path,
    keys: Option<&'a Keys>,
    domain: DomainId,
}

/// The numbers of the journal's files and the newest incarnation among them.
struct SegmentFiles {
    numbers: Vec<u64>,
}

impl SegmentFiles {
    fn list(disk: &dyn Disk, dir: &Path) -> Result<Self, Error> {
        let names = disk.list(dir).context("list the volume's directory")?;
        Ok(Self {
            numbers: names
                .iter()
                .filter_map(|name| segment_number(name))
                .collect(),
        })
    }

    /// A number above all that are used.
    fn next(&self, at_least: u64) -> u64 {
        self.numbers
            .iter()
            .map(|number| number + 1)
            .max()
            .unwrap_or(0)
            .max(at_least)
    }
}

/// A record of the log and where it lies.
struct Found {
    lsn: u64,
    record: Record,
    segment: Arc<Segment>,
    /// Offset of the body in the segment's file, and its length as it is stored, in bytes.
    body: u64,
    body_len: u32,
}

/// The part of the log that is still needed.
struct Log {
    records: Vec<Found>,
    /// With the LSN after the last record of each.
    segments: Vec<(Arc<Segment>, u64)>,
    end: u64,
    tail: u64,
    incarnation: u64,
}

impl Log {
    /// Reads from the tail of the checkpoint to the end of the log.
    fn read(
        place: &Place<'_>,
        files: &SegmentFiles,
        checkpoint: &Checkpoint,
        same_boot: bool,
    ) -> Result<Self, Error> {
        let mut log = Self {
            records: Vec::new(),
            segments: Vec::new(),
            end: checkpoint.tail,
            tail: checkpoint.tail,
            incarnation: checkpoint.incarnation,
        };
        log.read_listed(place, checkpoint)?;
        log.read_chain(place, checkpoint)?;
        if log.end < checkpoint.replay_from {
            return Err(Error::Damaged(format!(
                "the journal ends at {}, before the checkpoint at {}",
                log.end, checkpoint.replay_from
            )));
        }
        log.check_nothing_follows(place, files, checkpoint, same_boot)?;
        Ok(log)
    }

    /// The segments that the checkpoint knows.
    fn read_listed(&mut self, place: &Place<'_>, checkpoint: &Checkpoint) -> Result<(), Error> {
        for listed in &checkpoint.segments {
            if listed.end_lsn.is_some_and(|end| end <= checkpoint.tail) {
                continue;
            }
            let segment = open_segment(place, listed.number)?.filter(|segment| {
                segment.first_lsn == listed.first_lsn && segment.incarnation == listed.incarnation
            });
            let Some(segment) = segment else {
                return Err(Error::Damaged(format!(
                    "journal segment {} is missing or damaged",
                    listed.number
                )));
            };
            if segment.first_lsn > self.end {
                return Err(Error::Damaged(format!(
                    "the journal has a gap before segment {}",
                    listed.number
                )));
            }
            self.read_segment(segment, listed.end_lsn)?;
            if listed.end_lsn.is_some_and(|end| end != self.end) {
                return Err(Error::Damaged(format!(
                    "journal segment {} is damaged",
                    listed.number
                )));
            }
        }
        Ok(())
    }

    /// The segments that were begun after the checkpoint.
    fn read_chain(&mut self, place: &Place<'_>, checkpoint: &Checkpoint) -> Result<(), Error> {
        let mut number = checkpoint.next_segment;
        while let Some(segment) = open_segment(place, number)? {
            if segment.first_lsn != self.end || segment.incarnation != self.incarnation {
                break;
            }
            self.read_segment(segment, None)?;
            number += 1;
        }
        Ok(())
    }

    /// Reads records from `self.end` on, to the first that is not valid, or to `end`.
    fn read_segment(&mut self, segment: Segment, end: Option<u64>) -> Result<(), Error> {
        let segment = Arc::new(segment);
        while end.is_none_or(|end| self.end < end)
            && let Some((header, record)) = read_record(&segment, self.end)?
        {
            let body = SEGMENT_HEADER + (self.end - segment.first_lsn) + RECORD_HEADER as u64;
            self.records.push(Found {
                lsn: self.end,
                record,
                segment: Arc::clone(&segment),
                body,
                body_len: header.body_len,
            });
            self.end += header.record_len();
        }
        self.segments.push((segment, self.end));
        Ok(())
    }

    /// Makes sure that the log ends here because a crash cut it off, and not because a record
    /// that was durable has been damaged since.
    fn check_nothing_follows(
        &self,
        place: &Place<'_>,
        files: &SegmentFiles,
        checkpoint: &Checkpoint,
        same_boot: bool,
    ) -> Result<(), Error> {
        let damaged = || Error::Damaged(format!("the journal is damaged at {}", self.end));
        if let Some((last, _)) = self.segments.last()
            && last.incarnation == self.incarnation
            && has_successor(last, self.end, same_boot)?
        {
            return Err(damaged());
        }
        let later = files
            .numbers
            .iter()
            .filter(|number| **number >= checkpoint.next_segment);
        for number in later.filter(|number| !self.has_read(**number)) {
            let segment = open_segment(place, *number)?;
            // Without a valid header it may be the one that should have come next.
            let segment = segment.unwrap_or(Segment {
                number: *number,
                incarnation: self.incarnation,
                first_lsn: self.end,
                file: open_file(place, *number)?,
                key: place.records(self.incarnation),
            });
            let is_later = segment.incarnation == self.incarnation && segment.first_lsn >= self.end;
            if segment.incarnation > self.incarnation
                || (is_later && has_successor(&segment, self.end, same_boot)?)
            {
                return Err(damaged());
            }
        }
        Ok(())
    }

    fn has_read(&self, number: u64) -> bool {
        self.segments
            .iter()
            .any(|(segment, _)| segment.number == number)
    }
}

impl Place<'_> {
    fn records(&self, incarnation: u64) -> Option<Arc<RecordKey>> {
        self.keys.map(|keys| Arc::new(keys.records(incarnation)))
    }
}

fn open_file(place: &Place<'_>, number: u64) -> Result<Arc<dyn DiskFile>, Error> {
    place
        .disk
        .open(&segment_path(place.dir, number), OpenMode::ReadWrite)
        .context("open a journal segment")
}

/// Opens a segment; `None` if it is missing, or its header is not valid.
fn open_segment(place: &Place<'_>, number: u64) -> Result<Option<Segment>, Error> {
    let path = segment_path(place.dir, number);
    let file = match place.disk.open(&path, OpenMode::ReadWrite) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.context("open a journal segment")?,
    };
    let mut bytes = [0; index(SEGMENT_HEADER)];
    if !read_bytes(&*file, &mut bytes, 0)? {
        return Ok(None);
    }
    let is_ours = |header: &SegmentHeader| {
        header.number == number
            && header.domain == place.domain
            && header.sealed == place.keys.is_some()
    };
    Ok(SegmentHeader::decode(&bytes)
        .filter(is_ours)
        .map(|header| Segment {
            number,
            incarnation: header.incarnation,
            first_lsn: header.first_lsn,
            file,
            key: place.records(header.incarnation),
        }))
}

/// Reads bytes; false if the file ends before.
fn read_bytes(file: &dyn DiskFile, buf: &mut [u8], offset: u64) -> Result<bool, Error> {
    match file.read_exact_at(buf, offset) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(Error::Io {
            action: "read the journal",
            source: error,
        }),
    }
}

/// The record at an LSN, if there is a valid one.
///
/// # Errors
/// [`Error::Damaged`] when its CRC is right and its tag is not: that is no accident of the disk.
fn read_record(segment: &Segment, lsn: u64) -> Result<Option<(RecordHeader, Record)>, Error> {
    let offset = SEGMENT_HEADER + (lsn - segment.first_lsn);
    let mut head = [0; RECORD_HEADER];
    if !read_bytes(&*segment.file, &mut head, offset)? {
        return Ok(None);
    }
    let Some(header) = RecordHeader::decode(&head, lsn) else {
        return Ok(None);
    };
    let mut bytes = vec![0; RECORD_HEADER - 4 + header.body_len as usize];
    if !read_bytes(&*segment.file, &mut bytes, offset + 4)?
        || header.crc != checksum(segment.incarnation, &bytes)
    {
        return Ok(None);
    }
    let Some(body) = open_body(&header, &mut bytes, segment.key.as_deref()) else {
        return Err(Error::Damaged(format!(
            "the journal's record at {lsn} was tampered with"
        )));
    };
    Ok(Record::decode(header.kind, body).map(|record| (header, record)))
}

/// Whether a segment holds a record after `from` which proves that there was a valid one at `from`
/// once: by saying that it was durable, or, on the boot that wrote it, by being there at all.
fn has_successor(segment: &Segment, from: u64, same_boot: bool) -> Result<bool, Error> {
    const WINDOW: usize = 1 << 20;
    let len = segment.file.len().context("measure a journal segment")?;
    let mut offset = SEGMENT_HEADER + from.saturating_sub(segment.first_lsn);
    while offset + RECORD_HEADER as u64 <= len {
        let mut window = vec![0; WINDOW.min(usize::try_from(len - offset).unwrap_or(WINDOW))];
        if !read_bytes(&*segment.file, &mut window, offset)? {
            return Ok(false);
        }
        let steps = window.len() / 8;
        for at in (0..steps).map(|step| step * 8) {
            let lsn = segment.first_lsn + offset + at as u64 - SEGMENT_HEADER;
            let seems_so = window[at + 8..].starts_with(&lsn.to_le_bytes());
            if seems_so
                && let Some((header, _)) = read_record(segment, lsn)?
                && (same_boot || header.durable > from)
            {
                return Ok(true);
            }
        }
        // A header may lie across the border of two windows.
        offset += (steps as u64 * 8).saturating_sub(8).max(8);
    }
    Ok(false)
}

/// After a kill the page cache may hold records that are not durable yet; the next checkpoint
/// relies on them.
fn sync_segments(
    disk: &dyn Disk,
    dir: &Path,
    segments: &[(Arc<Segment>, u64)],
) -> Result<(), Error> {
    segments
        .iter()
        .try_for_each(|(segment, _)| segment.file.sync_data().context("sync the journal"))?;
    disk.sync_dir(dir).context("sync the volume's directory")
}

/// The state while records are applied to it.
struct Replay {
    state: State,
    present: Plane,
    known: Plane,
    intents: Plane,
    all_present: bool,
    entries: Entries,
    replay_from: u64,
    incarnation: u64,
    next_segment: u64,
    /// There may have been a later checkpoint.
    is_doubtful: bool,
}

impl Replay {
    fn new(checkpoint: Checkpoint) -> Self {
        Self {
            state: State {
                domain: checkpoint.domain,
                size_bytes: checkpoint.size_bytes,
                base: checkpoint.base,
                dirty: Arc::new(checkpoint.dirty),
                epochs: checkpoint.epochs,
                last_commit: checkpoint.last_commit,
                closed: false,
            },
            present: checkpoint.present,
            known: checkpoint.known,
            intents: checkpoint.intents,
            all_present: checkpoint.all_present,
            entries: Entries::new(MAX_BLOCKS),
            replay_from: checkpoint.replay_from,
            incarnation: checkpoint.incarnation,
            next_segment: checkpoint.next_segment,
            is_doubtful: false,
        }
    }

    /// Applies a record. Of those before the checkpoint only the entries matter.
    fn apply(&mut self, found: &Found) -> Result<(), Error> {
        self.check(found)?;
        match &found.record {
            Record::Write { offset, len } => self.add_entries(found, *offset, *len),
            Record::Zero { offset, len } => self.add_entries(found, *offset, *len),
            Record::Fold(blocks) => self.fold(blocks),
            _ if found.lsn < self.replay_from => {}
            other => self.apply_change(found.lsn, other),
        }
        Ok(())
    }

    fn apply_change(&mut self, lsn: u64, record: &Record) {
        match record {
            Record::Dirty { block, count } => self.state.dirty.set_range(*block..*block + *count),
            Record::Intent(regions) => {
                for (region, present) in regions {
                    self.present.set_128(*region * REGION_BLOCKS, *present);
                    self.intents.set(*region);
                }
            }
            Record::Epoch { tag, size_bytes } => {
                self.state.freeze(tag.clone(), lsn, block_plane());
                if let Some(epoch) = self.state.epochs.last_mut() {
                    epoch.size_bytes = *size_bytes;
                }
            }
            Record::Release { tag, blocks } => self.state.release(tag, blocks),
            Record::Commit { tag, root } => self.state.commit(tag, root),
            Record::Abandon { tag } => self.state.abandon(tag),
            Record::Write { .. } | Record::Zero { .. } | Record::Fold(_) => {}
        }
    }

    fn add_entries(&mut self, found: &Found, offset: u64, len: u64) {
        for piece in pieces(offset, len) {
            let source = match found.record {
                Record::Zero { .. } => Source::Zero,
                _ => Source::of_write(&found.segment, found.body, found.body_len, piece.at),
            };
            let entry = Entry {
                lsn: found.lsn,
                start: piece.start,
                len: piece.len,
                source,
            };
            self.entries
                .insert(piece.block, entry, self.state.keep_through());
            if found.lsn >= self.replay_from {
                self.state.dirty.set(piece.block);
            }
        }
    }

    fn fold(&mut self, blocks: &[(u64, u64)]) {
        for (block, through) in blocks {
            self.entries.drop_through(*block, *through);
            self.present.set(*block);
        }
    }

    /// Refuses a record that names what the volume does not have. It has a valid CRC, so this is
    /// no accident of the disk.
    fn check(&self, found: &Found) -> Result<(), Error> {
        // The size may have grown since; records before that name less than there is now.
        let blocks = block_count(self.state.size_bytes);
        let fits = |offset: u64, len: u64| {
            offset
                .checked_add(len)
                .is_some_and(|end| end <= self.state.size_bytes)
        };
        let ok = match &found.record {
            Record::Write { offset, len } | Record::Zero { offset, len } => fits(*offset, *len),
            Record::Dirty { block, count } => {
                block.checked_add(*count).is_some_and(|end| end <= blocks)
            }
            Record::Intent(regions) => regions
                .iter()
                .all(|(region, _)| *region < blocks.div_ceil(REGION_BLOCKS)),
            Record::Fold(list) => list.iter().all(|(block, _)| *block < blocks),
            Record::Release { blocks: list, .. } => list.iter().all(|(block, _)| *block < blocks),
            Record::Epoch { .. } => {
                found.lsn < self.replay_from || self.state.epochs.len() < MAX_EPOCHS
            }
            Record::Commit { root, .. } => root.size_bytes <= self.state.size_bytes,
            Record::Abandon { .. } => true,
        };
        if ok {
            Ok(())
        } else {
            Err(Error::Damaged(format!(
                "the journal's record at {} is impossible",
                found.lsn
            )))
        }
    }

    /// After a power loss DIRTY records may be missing. Every write in place lies in a region that
    /// has an intent, in a block that is present.
    fn distrust_dirty(&mut self) {
        let blocks = block_count(self.state.size_bytes);
        for region in self.intents.ones(0..blocks.div_ceil(REGION_BLOCKS)) {
            let first = region * REGION_BLOCKS;
            if self.all_present {
                self.state
                    .dirty
                    .set_range(first..(first + REGION_BLOCKS).min(blocks));
            } else {
                self.state.dirty.set_128(first, self.present.get_128(first));
            }
        }
    }

    /// Regions without a dirty block need no intent until they are written again.
    fn clear_idle_intents(&mut self) {
        let idle: Vec<_> = self
            .intents
            .ones(0..block_count(self.state.size_bytes).div_ceil(REGION_BLOCKS))
            .filter(|region| self.state.dirty.get_128(*region * REGION_BLOCKS) == 0)
            .collect();
        idle.into_iter().for_each(|region| {
            self.intents.clear(region);
        });
    }

    fn finish(self, files: &SegmentFiles, log: Log, slot: Slot, sequence: u64) -> Recovered {
        let start = Start {
            tail: log.tail,
            segments: log.segments,
            lsn: log.end,
            next_segment: files.next(self.next_segment),
            // A checkpoint that was lost may have begun the next incarnation. Its number, and the
            // key that belongs to it, are not used again.
            incarnation: self.incarnation + 1 + u64::from(self.is_doubtful),
        };
        Recovered {
            state: self.state,
            present: self.present,
            known: self.known,
            intents: self.intents,
            all_present: self.all_present,
            entries: self.entries,
            start,
            slot,
            sequence,
        }
    }
}

/// Removes segments that are not among those in use: cut off by a crash, or no longer needed.
pub(crate) fn remove_strays(disk: &dyn Disk, dir: &Path, used: &[u64]) -> Result<(), Error> {
    for number in SegmentFiles::list(disk, dir)?
        .numbers
        .into_iter()
        .filter(|number| !used.contains(number))
    {
        disk.remove(&segment_path(dir, number))
            .context("remove a journal segment")?;
    }
    Ok(())
}

const _: () = assert!(
    Kind::Write as u8 == 1 && BLOCK == 1 << 19,
    "the formats on disk rely on these"
);
