//! Checkpoints: the state of a volume at a point of its journal.
//!
//! A checkpoint is a file, `state-a` or `state-b`, written in turn. All numbers are little endian.
//!
//! A header of 48 bytes: magic `CAIRNVOL`, version u32 (1), flags u32 (1 if the volume is sealed,
//! else 0), sequence u64, plain length u64, stored length u64, 8 bytes of zeros. Then the body,
//! compressed with zstd, and a SHA-256 over all before it. What follows in the file is left over
//! from a longer checkpoint.
//!
//! In a sealed volume 16 bytes follow the header that tell its key from others. The compressed body
//! is encrypted as a whole, since it holds digests, and a tag of 16 bytes follows it that counts as a
//! part of it. The cipher is AES-256-GCM-SIV, the nonce the sequence and four zeros; header and check
//! are authenticated too.
//!
//! The body is the fields of [`Checkpoint`] in their order. Text and tags have a length of one
//! byte before them, lists one of four or eight bytes, options a byte 0 or 1. A plane is the
//! number of its words that are not zero (u64), and for each its position (u64) and its bits (u64).

use std::{
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use cairn_blocks::{
    Digest, DomainId, Root,
    disk::{Disk, DiskFile, OpenMode},
};

use crate::{
    codec::{Reader, Writer},
    error::{Error, IoContext as _},
    geometry::{MAX_BLOCKS, MAX_LEAVES, MAX_REGIONS, index},
    journal::SegmentRef,
    plane::Plane,
    seal::{CHECK, Keys, TAG},
    state::{Epoch, MAX_EPOCHS},
    types::{Base, EpochTag},
};

const MAGIC: &[u8; 8] = b"CAIRNVOL";
const VERSION: u32 = 1;
const SEALED: u32 = 1;
const DIGEST: usize = 32;
/// No checkpoint is longer than this, in bytes: 64 TiB of changed blocks in every epoch.
const MAX_LEN: u64 = 40 << 30;

/// The state of a volume.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    /// Of two checkpoints the one with the greater sequence is the newer.
    pub(crate) sequence: u64,
    /// Changes of state below this LSN are in the checkpoint.
    pub(crate) replay_from: u64,
    /// The oldest record that is still needed: writes that were not folded.
    pub(crate) tail: u64,
    /// The opening of the volume that writes records from `replay_from` on.
    pub(crate) incarnation: u64,
    /// The number of the segment after those listed.
    pub(crate) next_segment: u64,
    /// The volume was closed: nothing was written after this checkpoint, and nothing is unsynced.
    pub(crate) clean: bool,
    pub(crate) boot_id: String,
    pub(crate) domain: DomainId,
    pub(crate) size_bytes: u64,
    pub(crate) base: Option<Base>,
    /// Every block is present.
    pub(crate) all_present: bool,
    pub(crate) last_commit: Option<(EpochTag, Root)>,
    pub(crate) segments: Vec<SegmentRef>,
    pub(crate) epochs: Vec<Epoch>,
    pub(crate) present: Plane,
    pub(crate) known: Plane,
    pub(crate) intents: Plane,
    pub(crate) dirty: Plane,
}

impl Checkpoint {
    /// The bytes of the file.
    pub(crate) fn encode(&self, keys: Option<&Keys>) -> Result<Vec<u8>, Error> {
        let plain = self.encode_body();
        let mut stored = zstd::bulk::compress(&plain, 1).context("compress a checkpoint")?;
        let mut out = Writer::default();
        out.bytes(MAGIC);
        out.u32(VERSION);
        out.u32(if keys.is_some() { SEALED } else { 0 });
        out.u64(self.sequence);
        out.u64(plain.len() as u64);
        out.u64((stored.len() + keys.map_or(0, |_| TAG)) as u64);
        out.u64(0);
        if let Some(keys) = keys {
            out.bytes(&keys.check());
            let tag = keys
                .checkpoints()
                .seal(self.sequence, &out.0, &mut stored)
                .map_err(|_| Error::Invalid("a checkpoint is too long to be sealed"))?;
            stored.extend_from_slice(&tag);
        }
        out.bytes(&stored);
        let digest = Digest::of(&out.0);
        out.bytes(&digest.0);
        Ok(out.0)
    }

    pub(crate) fn encode_body(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.u64(self.replay_from);
        out.u64(self.tail);
        out.u64(self.incarnation);
        out.u64(self.next_segment);
        out.u8(u8::from(self.clean));
        out.text(&self.boot_id);
        out.i64(self.domain.0);
        out.u64(self.size_bytes);
        option(&mut out, self.base.as_ref(), |out, base| {
            out.i64(base.domain.0);
            out.root(&base.root);
        });
        out.u8(u8::from(self.all_present));
        option(&mut out, self.last_commit.as_ref(), |out, (tag, root)| {
            out.tag(tag);
            out.root(root);
        });
        encode_segments(&mut out, &self.segments);
        out.u32(u32::try_from(self.epochs.len()).unwrap_or(u32::MAX));
        self.epochs
            .iter()
            .for_each(|epoch| encode_epoch(&mut out, epoch));
        for plane in [&self.present, &self.known, &self.intents, &self.dirty] {
            encode_plane(&mut out, plane);
        }
        out.0
    }

    /// The checkpoint of a file's bytes, if they are whole.
    ///
    /// # Errors
    /// [`Error::KeyNeeded`], [`Error::WrongKey`], and [`Error::Invalid`] if they are whole and the
    /// key is not theirs; [`Error::Damaged`] if it is, and they were changed on purpose.
    pub(crate) fn decode(bytes: &[u8], keys: Option<&Keys>) -> Result<Option<Self>, Error> {
        let Some(whole) = Whole::decode(bytes) else {
            return Ok(None);
        };
        let Some(stored) = whole.open(keys)? else {
            return Err(Error::Damaged("a checkpoint was tampered with".into()));
        };
        let plain = decompress(&stored, whole.plain_len);
        Ok(plain.and_then(|plain| Self::decode_body(whole.sequence, &plain)))
    }

    pub(crate) fn decode_body(sequence: u64, plain: &[u8]) -> Option<Self> {
        let mut f = Reader(plain);
        let checkpoint = Self {
            sequence,
            replay_from: f.u64()?,
            tail: f.u64()?,
            incarnation: f.u64()?,
            next_segment: f.u64()?,
            clean: f.flag()?,
            boot_id: f.text()?,
            domain: DomainId(f.i64()?),
            size_bytes: f.u64()?,
            base: optional(&mut f, |f| {
                Some(Base {
                    domain: DomainId(f.i64()?),
                    root: f.root()?,
                })
            })?,
            all_present: f.flag()?,
            last_commit: optional(&mut f, |f| Some((f.tag()?, f.root()?)))?,
            segments: decode_segments(&mut f)?,
            epochs: decode_epochs(&mut f)?,
            present: decode_plane(&mut f, MAX_BLOCKS)?,
            known: decode_plane(&mut f, MAX_LEAVES)?,
            intents: decode_plane(&mut f, MAX_REGIONS)?,
            dirty: decode_plane(&mut f, MAX_BLOCKS)?,
        };
        f.end()?;
        Some(checkpoint)
    }
}

/// A checkpoint's bytes, whose SHA-256 is right.
struct Whole<'a> {
    sequence: u64,
    plain_len: u64,
    /// What precedes the stored body.
    head: &'a [u8],
    /// What tells the key of a sealed volume.
    check: Option<&'a [u8]>,
    stored: &'a [u8],
}

impl<'a> Whole<'a> {
    fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Reader(bytes);
        let known = fields.bytes(8)? == MAGIC && fields.u32()? == VERSION;
        let flags = fields.u32()?;
        let (sequence, plain_len, stored_len) = (fields.u64()?, fields.u64()?, fields.u64()?);
        let known = known && fields.u64()? == 0 && (flags == 0 || flags == SEALED);
        if !known || plain_len > MAX_LEN || stored_len > MAX_LEN {
            return None;
        }
        let check = match flags {
            SEALED => Some(fields.bytes(CHECK)?),
            _ => None,
        };
        let (head, _) = bytes.split_at(bytes.len() - fields.0.len());
        let stored = fields.bytes(index(stored_len))?;
        let whole = &bytes[..head.len() + stored.len()];
        (Digest::of(whole).0.as_slice() == fields.bytes(DIGEST)?).then_some(Self {
            sequence,
            plain_len,
            head,
            check,
            stored,
        })
    }

    /// The compressed body; `None` if its tag does not fit.
    fn open(&self, keys: Option<&Keys>) -> Result<Option<Vec<u8>>, Error> {
        let mut body = self.stored.to_vec();
        match (self.check, keys) {
            (None, None) => Ok(Some(body)),
            (None, Some(_)) => Err(Error::Invalid("there is a key, and the volume is plain")),
            (Some(_), None) => Err(Error::KeyNeeded),
            (Some(check), Some(keys)) if check != keys.check() => Err(Error::WrongKey),
            (Some(_), Some(keys)) => {
                let key = keys.checkpoints();
                let opened = key.open(self.sequence, self.head, &mut body);
                let len = opened.map(|plain| plain.len());
                Ok(len.map(|len| {
                    body.truncate(len);
                    body
                }))
            }
        }
    }
}

/// Decompresses to exactly `len` bytes.
fn decompress(stored: &[u8], len: u64) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    zstd::stream::Decoder::new(stored)
        .ok()?
        .take(len + 1)
        .read_to_end(&mut plain)
        .ok()?;
    (plain.len() as u64 == len).then_some(plain)
}

fn option<T>(out: &mut Writer, value: Option<&T>, write: impl FnOnce(&mut Writer, &T)) {
    out.u8(u8::from(value.is_some()));
    if let Some(value) = value {
        write(out, value);
    }
}

fn optional<T>(
    f: &mut Reader<'_>,
    read: impl FnOnce(&mut Reader<'_>) -> Option<T>,
) -> Option<Option<T>> {
    if f.flag()? {
        Some(Some(read(f)?))
    } else {
        Some(None)
    }
}

fn encode_segments(out: &mut Writer, segments: &[SegmentRef]) {
    out.u32(u32::try_from(segments.len()).unwrap_or(u32::MAX));
    for segment in segments {
        out.u64(segment.number);
        out.u64(segment.incarnation);
        out.u64(segment.first_lsn);
        option(out, segment.end_lsn.as_ref(), |out, end| out.u64(*end));
    }
}

fn decode_segments(f: &mut Reader<'_>) -> Option<Vec<SegmentRef>> {
    let count = f.u32()?;
    (0..count)
        .map(|_| {
            Some(SegmentRef {
                number: f.u64()?,
                incarnation: f.u64()?,
                first_lsn: f.u64()?,
                end_lsn: optional(f, |f| f.u64())?,
            })
        })
        .collect()
}

fn encode_epoch(out: &mut Writer, epoch: &Epoch) {
    out.tag(&epoch.tag);
    out.u64(epoch.lsn);
    out.u64(epoch.size_bytes);
    encode_plane(out, &epoch.frozen);
    out.u64(epoch.released.len() as u64);
    for (block, digest) in &epoch.released {
        out.u64(*block);
        out.block(*digest);
    }
}

fn decode_epochs(f: &mut Reader<'_>) -> Option<Vec<Epoch>> {
    let count = f.u32()?;
    if count as usize > MAX_EPOCHS {
        return None;
    }
    (0..count).map(|_| decode_epoch(f)).collect()
}

fn decode_epoch(f: &mut Reader<'_>) -> Option<Epoch> {
    Some(Epoch {
        tag: f.tag()?,
        lsn: f.u64()?,
        size_bytes: f.u64()?,
        frozen: Arc::new(decode_plane(f, MAX_BLOCKS)?),
        released: {
            let count = f.u64()?;
            (0..count)
                .map(|_| Some((f.u64()?, f.block()?)))
                .collect::<Option<_>>()?
        },
    })
}

fn encode_plane(out: &mut Writer, plane: &Plane) {
    // A bit may be set meanwhile, so the count comes from the words that are written.
    let at = out.0.len();
    out.u64(0);
    let mut count = 0_u64;
    for (position, word) in plane.words() {
        out.u64(position);
        out.u64(word);
        count += 1;
    }
    out.0[at..at + 8].copy_from_slice(&count.to_le_bytes());
}

fn decode_plane(f: &mut Reader<'_>, bits: u64) -> Option<Plane> {
    let plane = Plane::new(bits);
    for _ in 0..f.u64()? {
        let (position, word) = (f.u64()?, f.u64()?);
        if !plane.set_word(position, word) {
            return None;
        }
    }
    Some(plane)
}

/// One of the two files that checkpoints are written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    A,
    B,
}

impl Slot {
    /// The one to write after this one.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    fn path(self, dir: &Path) -> PathBuf {
        dir.join(match self {
            Self::A => "state-a",
            Self::B => "state-b",
        })
    }
}

/// Writes a checkpoint; it is durable on return.
pub(crate) fn write(disk: &dyn Disk, dir: &Path, slot: Slot, bytes: &[u8]) -> Result<(), Error> {
    let (file, is_new) = open_slot(disk, &slot.path(dir)).context("open a checkpoint")?;
    file.write_all_at(bytes, 0).context("write a checkpoint")?;
    file.sync_data().context("sync a checkpoint")?;
    if is_new {
        disk.sync_dir(dir).context("sync the volume's directory")
    } else {
        Ok(())
    }
}

fn open_slot(disk: &dyn Disk, path: &Path) -> io::Result<(Arc<dyn DiskFile>, bool)> {
    match disk.open(path, OpenMode::ReadWrite) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok((disk.open(path, OpenMode::CreateNew)?, true))
        }
        other => Ok((other?, false)),
    }
}

/// The checkpoint that a volume is recovered from.
#[derive(Debug)]
pub(crate) struct Newest {
    pub(crate) slot: Slot,
    pub(crate) checkpoint: Checkpoint,
    /// The other file is no checkpoint: one that was being written when the process died, or one
    /// that was newer than this, and is damaged.
    pub(crate) is_doubtful: bool,
}

/// The newest valid checkpoint.
pub(crate) fn read_newest(
    disk: &dyn Disk,
    dir: &Path,
    keys: Option<&Keys>,
) -> Result<Option<Newest>, Error> {
    let mut newest: Option<Newest> = None;
    let mut is_doubtful = false;
    for slot in [Slot::A, Slot::B] {
        let bytes = read_file(disk, &slot.path(dir)).context("read a checkpoint")?;
        let Some(bytes) = bytes else { continue };
        let Some(checkpoint) = Checkpoint::decode(&bytes, keys)? else {
            is_doubtful = true;
            continue;
        };
        let is_newer = |other: &Newest| other.checkpoint.sequence < checkpoint.sequence;
        if newest.as_ref().is_none_or(is_newer) {
            newest = Some(Newest {
                slot,
                checkpoint,
                is_doubtful: false,
            });
        }
    }
    Ok(newest.map(|newest| Newest {
        is_doubtful,
        ..newest
    }))
}

fn read_file(disk: &dyn Disk, path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match disk.open(path, OpenMode::Read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut bytes = vec![0; index(file.len()?.min(MAX_LEN + 4096))];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use zeroize::Zeroizing;

    use super::*;
    use crate::state::block_plane;

    fn keys(byte: u8) -> Keys {
        Keys::new(cairn_blocks::DataKey::new(Zeroizing::new([byte; 32])))
    }

    fn sample() -> Checkpoint {
        let frozen = block_plane();
        frozen.set(9);
        let epoch = Epoch {
            tag: EpochTag::new("snap-1").unwrap(),
            lsn: 100,
            size_bytes: 1 << 30,
            frozen,
            released: [(3, None), (4, Some(Digest([4; 32])))].into(),
        };
        let segment = SegmentRef {
            number: 1,
            incarnation: 2,
            first_lsn: 3,
            end_lsn: Some(4),
        };
        let (dirty, present) = (Plane::new(MAX_BLOCKS), Plane::new(MAX_BLOCKS));
        dirty.set(MAX_BLOCKS - 1);
        present.set_range(0..300);
        Checkpoint {
            sequence: 7,
            replay_from: 50,
            tail: 40,
            incarnation: 2,
            next_segment: 3,
            clean: true,
            boot_id: "boot".into(),
            domain: DomainId(-5),
            size_bytes: 1 << 30,
            base: Some(Base {
                domain: DomainId(6),
                root: Root {
                    node: Digest([8; 32]),
                    size_bytes: 512,
                },
            }),
            all_present: false,
            last_commit: None,
            segments: vec![
                segment,
                SegmentRef {
                    end_lsn: None,
                    ..segment
                },
            ],
            epochs: vec![epoch],
            present,
            known: Plane::new(MAX_LEAVES),
            intents: Plane::new(MAX_REGIONS),
            dirty,
        }
    }

    #[test]
    fn a_checkpoint_survives_the_way_there_and_back() {
        for keys in [None, Some(keys(1))] {
            let keys = keys.as_ref();
            let decode = |bytes: &[u8]| Checkpoint::decode(bytes, keys).unwrap();
            let bytes = sample().encode(keys).unwrap();
            let again = decode(&bytes).unwrap();
            assert_eq!(again.encode(keys).unwrap(), bytes);
            assert_eq!(again.epochs[0].released, sample().epochs[0].released);
            assert!(again.epochs[0].frozen.get(9));
            let longer: Vec<u8> = bytes.iter().copied().chain([0; 100]).collect();
            assert!(decode(&longer).is_some());
        }
    }

    #[test]
    fn every_flip_and_every_cut_is_seen() {
        for keys in [None, Some(keys(1))] {
            let keys = keys.as_ref();
            let decode = |bytes: &[u8]| Checkpoint::decode(bytes, keys).unwrap();
            let bytes = sample().encode(keys).unwrap();
            for at in 0..bytes.len() {
                let mut bad = bytes.clone();
                bad[at] ^= 0x40;
                assert!(decode(&bad).is_none(), "byte {at}");
                assert!(decode(&bytes[..at]).is_none(), "cut at {at}");
            }
        }
    }

    /// Whoever changes a checkpoint on purpose can compute its SHA-256, and not its tag.
    #[test]
    fn every_flip_of_a_sealed_checkpoint_is_seen_by_its_tag_too() {
        let keys = keys(1);
        let bytes = sample().encode(Some(&keys)).unwrap();
        let end = bytes.len() - DIGEST;
        for at in 12..end {
            let mut bad = bytes[..end].to_vec();
            bad[at] ^= 0x40;
            let digest = Digest::of(&bad);
            bad.extend_from_slice(&digest.0);
            match Checkpoint::decode(&bad, Some(&keys)) {
                Ok(None) | Err(Error::Damaged(_) | Error::WrongKey) => {}
                other => panic!("byte {at}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_key_has_to_be_the_right_one() {
        let (plain, sealed) = (
            sample().encode(None).unwrap(),
            sample().encode(Some(&keys(1))).unwrap(),
        );
        let error = |bytes: &[u8], keys: Option<Keys>| {
            Checkpoint::decode(bytes, keys.as_ref())
                .map(|_| ())
                .unwrap_err()
        };
        assert!(matches!(error(&sealed, None), Error::KeyNeeded));
        assert!(matches!(error(&sealed, Some(keys(2))), Error::WrongKey));
        assert!(matches!(error(&plain, Some(keys(1))), Error::Invalid(_)));
    }

    #[test]
    fn a_sealed_checkpoint_shows_no_digest() {
        let (plain, sealed) = (
            sample().encode_body(),
            sample().encode(Some(&keys(1))).unwrap(),
        );
        let shows = |bytes: &[u8], byte| bytes.windows(8).any(|window| window == [byte; 8]);
        assert!(shows(&plain, 4) && shows(&plain, 8));
        assert!(!shows(&sealed, 4) && !shows(&sealed, 8));
    }

    proptest! {
        #[test]
        fn hostile_bodies_are_refused(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
            let mut body = sample().encode_body();
            for (at, byte) in flips {
                let at = at.index(body.len());
                body[at] = byte;
            }
            if let Some(checkpoint) = Checkpoint::decode_body(1, &body) {
                prop_assert!(checkpoint.epochs.len() <= MAX_EPOCHS);
            }
        }
    }
}
