//! The bytes of the journal. `docs/volume.md` says what each record means and when it is synced.
//!
//! All numbers are little endian.
//!
//! A segment begins with a header of 64 bytes: magic `CAIRNJRN`, version u32 (1), flags u32 (1 if the
//! volume is sealed, else 0), incarnation u64, number u64, first LSN u64, domain i64, 12 bytes of
//! zeros, CRC-32C u32 over the 60 bytes before.
//!
//! Records follow without gaps, each padded with zeros to a multiple of 8 bytes. A record has a
//! header of 32 bytes and a body: CRC-32C u32 over the rest of the header and the body, begun with
//! the incarnation; body length u32; LSN u64; durable LSN u64 (every record below it was durable
//! when this one was written); kind u8; attempt u32; 3 bytes of zeros.
//!
//! In a sealed volume the body of a record that [`is_sealed`](Kind::is_sealed) is encrypted, and
//! followed by a tag of 16 bytes which counts as a part of it. The cipher is AES-256-GCM-SIV with the
//! key of the incarnation; the nonce is LSN and attempt; the header but for its CRC is authenticated
//! too. The attempt says how many appends at this LSN had failed. It is zero in other records.
//!
//! The LSN is a byte position in the log: that of the next record is greater by this record's
//! length. An incarnation is one opening of the volume; with it in the CRC, the bytes of a
//! timeline that a crash cut off are never taken for those of the one that followed.

use cairn_blocks::{Digest, DomainId, Root};

use crate::{
    codec::{Reader, Writer},
    seal::{RecordKey, TAG, TooLong},
    types::EpochTag,
};

/// Length of a segment's header in bytes.
pub(crate) const SEGMENT_HEADER: u64 = 64;
/// Length of a record's header in bytes.
pub(crate) const RECORD_HEADER: usize = 32;
/// Length of what precedes the bytes in the body of a WRITE.
pub(crate) const WRITE_PREFIX: usize = 8;
/// The longest body: a WRITE of one MiB, with some room.
pub(crate) const MAX_BODY: usize = (1 << 20) + 4096;

/// Where the log of a new volume begins. Zero is taken: as the LSN through which something is
/// folded or kept it stands for "no entry".
pub(crate) const FIRST_LSN: u64 = 8;

const MAGIC: &[u8; 8] = b"CAIRNJRN";
const VERSION: u32 = 1;
const SEALED: u32 = 1;

/// What a segment says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) incarnation: u64,
    pub(crate) number: u64,
    pub(crate) first_lsn: u64,
    pub(crate) domain: DomainId,
    pub(crate) sealed: bool,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.bytes(MAGIC);
        out.u32(VERSION);
        out.u32(if self.sealed { SEALED } else { 0 });
        out.u64(self.incarnation);
        out.u64(self.number);
        out.u64(self.first_lsn);
        out.i64(self.domain.0);
        out.bytes(&[0; 12]);
        let crc = crc32c::crc32c(&out.0);
        out.u32(crc);
        out.0
    }

    /// The header, if these are the bytes of a valid one.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, crc) = bytes.split_at_checked(60)?;
        let mut fields = Reader(head);
        let known = fields.bytes(8)? == MAGIC && fields.u32()? == VERSION;
        let flags = fields.u32()?;
        let known = known && (flags == 0 || flags == SEALED);
        let header = Self {
            sealed: flags == SEALED,
            incarnation: fields.u64()?,
            number: fields.u64()?,
            first_lsn: fields.u64()?,
            domain: DomainId(fields.i64()?),
        };
        (known && Reader(crc).u32()? == crc32c::crc32c(head)).then_some(header)
    }
}

/// The kinds of records, by their numbers in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Write = 1,
    Zero = 2,
    Dirty = 3,
    Intent = 4,
    Fold = 5,
    Epoch = 6,
    Release = 7,
    Commit = 8,
    Abandon = 9,
}

impl Kind {
    fn decode(number: u8) -> Option<Self> {
        [
            Self::Write,
            Self::Zero,
            Self::Dirty,
            Self::Intent,
            Self::Fold,
            Self::Epoch,
            Self::Release,
            Self::Commit,
            Self::Abandon,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == number)
    }

    /// Whether a FLUSH has to make the record durable. A DIRTY is covered by its region's intent.
    pub(crate) fn matters(self) -> bool {
        self != Self::Dirty
    }

    /// Whether a sealed volume encrypts the bodies of these records. The others name blocks and
    /// ranges alone: that these were written or discarded, the data file shows as well.
    pub(crate) fn is_sealed(self) -> bool {
        match self {
            Self::Write | Self::Epoch | Self::Release | Self::Commit | Self::Abandon => true,
            Self::Zero | Self::Dirty | Self::Intent | Self::Fold => false,
        }
    }

    /// Length of a stored body in bytes.
    pub(crate) fn stored_len(self, body_len: usize, key: Option<&RecordKey>) -> usize {
        match key {
            Some(_) if self.is_sealed() => body_len + TAG,
            _ => body_len,
        }
    }
}

/// The header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) crc: u32,
    pub(crate) body_len: u32,
    pub(crate) lsn: u64,
    pub(crate) durable: u64,
    pub(crate) kind: Kind,
    /// How many appends at this LSN had failed; zero in records that are not sealed.
    pub(crate) attempt: u32,
}

impl RecordHeader {
    /// The header, if it is the one of a record at `lsn`. Its CRC is still to be compared.
    pub(crate) fn decode(bytes: &[u8; RECORD_HEADER], lsn: u64) -> Option<Self> {
        let mut fields = Reader(bytes);
        let header = Self {
            crc: fields.u32()?,
            body_len: fields.u32()?,
            lsn: fields.u64()?,
            durable: fields.u64()?,
            kind: Kind::decode(fields.u8()?)?,
            attempt: fields.u32()?,
        };
        let plausible =
            header.lsn == lsn && header.body_len as usize <= MAX_BODY && fields.0 == [0; 3];
        (plausible && (header.attempt == 0 || header.kind.is_sealed())).then_some(header)
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.u32(self.crc);
        out.u32(self.body_len);
        out.u64(self.lsn);
        out.u64(self.durable);
        out.u8(self.kind as u8);
        out.u32(self.attempt);
        out.bytes(&[0; 3]);
        out.0
    }

    /// Length of the whole record in bytes.
    pub(crate) fn record_len(&self) -> u64 {
        record_len(self.body_len as usize)
    }
}

/// Length of a record in bytes, padding included.
pub(crate) const fn record_len(body_len: usize) -> u64 {
    ((RECORD_HEADER + body_len).next_multiple_of(8)) as u64
}

/// Where and when a record is appended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) incarnation: u64,
    pub(crate) lsn: u64,
    pub(crate) durable: u64,
    /// The key of a sealed volume, and how many appends at the LSN had failed.
    pub(crate) seal: Option<(&'a RecordKey, u32)>,
}

/// Appends a record to `out`; the body is the parts in their order.
pub(crate) fn encode_record(
    out: &mut Vec<u8>,
    place: &Place<'_>,
    kind: Kind,
    body: &[&[u8]],
) -> Result<(), TooLong> {
    let start = out.len();
    let plain_len: usize = body.iter().map(|part| part.len()).sum();
    let seal = place.seal.filter(|_| kind.is_sealed());
    let body_len = kind.stored_len(plain_len, seal.map(|(key, _)| key));
    debug_assert!(body_len <= MAX_BODY);
    let header = RecordHeader {
        crc: 0,
        body_len: u32::try_from(body_len).unwrap_or(u32::MAX),
        lsn: place.lsn,
        durable: place.durable,
        kind,
        attempt: seal.map_or(0, |(_, attempt)| attempt),
    };
    out.extend_from_slice(&header.encode());
    body.iter().for_each(|part| out.extend_from_slice(part));
    if let Some((key, attempt)) = seal {
        let (header, body) = out[start + 4..].split_at_mut(RECORD_HEADER - 4);
        let tag = key.seal(place.lsn, attempt, header, body)?;
        out.extend_from_slice(&tag);
    }
    let crc = checksum(place.incarnation, &out[start + 4..]);
    out[start..start + 4].copy_from_slice(&crc.to_le_bytes());
    out.resize(start + index_len(body_len), 0);
    Ok(())
}

/// The plain body of a record; `rest` is what follows its CRC. `None` if the tag does not fit.
pub(crate) fn open_body<'a>(
    header: &RecordHeader,
    rest: &'a mut [u8],
    key: Option<&RecordKey>,
) -> Option<&'a mut [u8]> {
    let (head, body) = rest.split_at_mut_checked(RECORD_HEADER - 4)?;
    match key {
        Some(key) if header.kind.is_sealed() => key.open(header.lsn, header.attempt, head, body),
        _ => Some(body),
    }
}

fn index_len(body_len: usize) -> usize {
    (RECORD_HEADER + body_len).next_multiple_of(8)
}

/// The CRC of a record: over everything after the CRC itself, begun with the incarnation.
pub(crate) fn checksum(incarnation: u64, rest: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&incarnation.to_le_bytes()), rest)
}

/// A record with its fields. The bytes of a WRITE stay where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// `len` bytes for `offset`; they lie in the journal after the prefix.
    Write {
        offset: u64,
        len: u64,
    },
    Zero {
        offset: u64,
        len: u64,
    },
    Dirty {
        block: u64,
        count: u64,
    },
    /// Regions that may be written in place, with those of their blocks that are present.
    Intent(Vec<(u64, u128)>),
    /// Blocks, each with the LSN up to which its entries are in `data`.
    Fold(Vec<(u64, u64)>),
    Epoch {
        tag: EpochTag,
        size_bytes: u64,
    },
    Release {
        tag: EpochTag,
        blocks: Vec<(u64, Option<Digest>)>,
    },
    Commit {
        tag: EpochTag,
        root: Root,
    },
    Abandon {
        tag: EpochTag,
    },
}

impl Record {
    /// Its kind and body. Not for WRITE, whose bytes are not here.
    pub(crate) fn encode(&self) -> (Kind, Vec<u8>) {
        let mut out = Writer::default();
        let kind = match self {
            Self::Write { offset, .. } => {
                out.u64(*offset);
                Kind::Write
            }
            Self::Zero { offset, len } => {
                out.u64(*offset);
                out.u64(*len);
                Kind::Zero
            }
            Self::Dirty { block, count } => {
                out.u64(*block);
                out.u64(*count);
                Kind::Dirty
            }
            Self::Intent(regions) => {
                for (region, present) in regions {
                    out.u64(*region);
                    out.u128(*present);
                }
                Kind::Intent
            }
            Self::Fold(blocks) => {
                for (block, lsn) in blocks {
                    out.u64(*block);
                    out.u64(*lsn);
                }
                Kind::Fold
            }
            Self::Epoch { tag, size_bytes } => {
                out.tag(tag);
                out.u64(*size_bytes);
                Kind::Epoch
            }
            Self::Release { tag, blocks } => {
                out.tag(tag);
                for (block, digest) in blocks {
                    out.u64(*block);
                    out.block(*digest);
                }
                Kind::Release
            }
            Self::Commit { tag, root } => {
                out.tag(tag);
                out.root(root);
                Kind::Commit
            }
            Self::Abandon { tag } => {
                out.tag(tag);
                Kind::Abandon
            }
        };
        (kind, out.0)
    }

    /// The record of a body, if it is valid.
    pub(crate) fn decode(kind: Kind, body: &[u8]) -> Option<Self> {
        let mut fields = Reader(body);
        let record = match kind {
            Kind::Write => {
                let offset = fields.u64()?;
                return Some(Self::Write {
                    offset,
                    len: fields.0.len() as u64,
                });
            }
            Kind::Zero => Self::Zero {
                offset: fields.u64()?,
                len: fields.u64()?,
            },
            Kind::Dirty => Self::Dirty {
                block: fields.u64()?,
                count: fields.u64()?,
            },
            Kind::Intent => Self::Intent(list(&mut fields, |f| Some((f.u64()?, f.u128()?)))?),
            Kind::Fold => Self::Fold(list(&mut fields, |f| Some((f.u64()?, f.u64()?)))?),
            Kind::Epoch => Self::Epoch {
                tag: fields.tag()?,
                size_bytes: fields.u64()?,
            },
            Kind::Release => Self::Release {
                tag: fields.tag()?,
                blocks: list(&mut fields, |f| Some((f.u64()?, f.block()?)))?,
            },
            Kind::Commit => Self::Commit {
                tag: fields.tag()?,
                root: fields.root()?,
            },
            Kind::Abandon => Self::Abandon { tag: fields.tag()? },
        };
        fields.end()?;
        Some(record)
    }
}

/// Items to the end of the body.
fn list<T>(
    fields: &mut Reader<'_>,
    mut item: impl FnMut(&mut Reader<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let mut items = Vec::new();
    while !fields.0.is_empty() {
        items.push(item(fields)?);
    }
    Some(items)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn samples() -> Vec<Record> {
        let tag = EpochTag::new("snap-1").unwrap();
        let root = Root {
            node: Digest([7; 32]),
            size_bytes: 1 << 30,
        };
        vec![
            Record::Zero {
                offset: 512,
                len: 4096,
            },
            Record::Dirty { block: 3, count: 2 },
            Record::Intent(vec![(0, u128::MAX), (9, 1)]),
            Record::Fold(vec![(1, 77), (2, 0)]),
            Record::Epoch {
                tag: tag.clone(),
                size_bytes: 1 << 40,
            },
            Record::Release {
                tag: tag.clone(),
                blocks: vec![(5, None), (6, Some(Digest([1; 32])))],
            },
            Record::Commit {
                tag: tag.clone(),
                root,
            },
            Record::Abandon { tag },
        ]
    }

    #[test]
    fn records_survive_the_way_there_and_back() {
        for record in samples() {
            let (kind, body) = record.encode();
            assert_eq!(Record::decode(kind, &body), Some(record));
        }
    }

    #[test]
    fn every_flip_of_a_record_is_seen() {
        let key = key();
        for (record, key) in samples()
            .into_iter()
            .flat_map(|record| [(record.clone(), None), (record, Some(&key))])
        {
            let (kind, body) = record.encode();
            let bytes = encoded(kind, &body, key, 0);
            let end = RECORD_HEADER + kind.stored_len(body.len(), key);
            assert!(opens(&bytes[..end], key), "{record:?}");
            for at in 0..end {
                let mut bad = bytes[..end].to_vec();
                bad[at] ^= 0x10;
                assert!(!is_valid(&bad), "byte {at} of {record:?}");
                // Whoever changes it on purpose can compute the CRC.
                let crc = checksum(3, &bad[4..]);
                bad[..4].copy_from_slice(&crc.to_le_bytes());
                let seen = at < 4 || !is_valid(&bad) || !opens(&bad, key);
                assert!(seen || key.is_none() || !kind.is_sealed(), "byte {at}");
            }
            assert_ne!(checksum(4, &bytes[4..end]), checksum(3, &bytes[4..end]));
        }
    }

    #[test]
    fn what_is_appended_again_at_an_lsn_is_sealed_anew() {
        let key = key();
        let sealed = |attempt, body: &[u8]| encoded(Kind::Write, body, Some(&key), attempt);
        let (first, second) = (sealed(0, &[0; 64]), sealed(1, &[0; 64]));
        let body = RECORD_HEADER..RECORD_HEADER + 64;
        assert_ne!(first[body.clone()], second[body.clone()]);
        assert_ne!(first[body.clone()], [0; 64]);
        // The mode's own promise, should a nonce come back: the difference of two bodies is not
        // that of what is stored.
        let other = sealed(0, &[1; 64]);
        let difference = |at: usize| first[at] ^ other[at];
        assert!(!body.into_iter().all(|at| difference(at) == 1));
    }

    fn key() -> RecordKey {
        let key = cairn_blocks::DataKey::new(zeroize::Zeroizing::new([5; 32]));
        crate::seal::Keys::new(key).records(3)
    }

    fn encoded(kind: Kind, body: &[u8], key: Option<&RecordKey>, attempt: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let place = Place {
            incarnation: 3,
            lsn: 64,
            durable: 0,
            seal: key.map(|key| (key, attempt)),
        };
        encode_record(&mut bytes, &place, kind, &[body]).unwrap();
        bytes
    }

    fn header(bytes: &[u8]) -> Option<RecordHeader> {
        RecordHeader::decode(bytes[..RECORD_HEADER].try_into().unwrap(), 64)
    }

    /// Whether header and CRC are right.
    fn is_valid(bytes: &[u8]) -> bool {
        header(bytes).is_some_and(|header| {
            RECORD_HEADER + header.body_len as usize == bytes.len()
                && header.crc == checksum(3, &bytes[4..])
        })
    }

    fn opens(bytes: &[u8], key: Option<&RecordKey>) -> bool {
        let header = header(bytes).unwrap();
        open_body(&header, &mut bytes[4..].to_vec(), key).is_some()
    }

    #[test]
    fn every_flip_of_a_segment_header_is_seen() {
        let header = SegmentHeader {
            incarnation: 1,
            number: 2,
            first_lsn: 3,
            domain: DomainId(4),
            sealed: true,
        };
        let bytes = header.encode();
        assert_eq!(bytes.len() as u64, SEGMENT_HEADER);
        assert_eq!(SegmentHeader::decode(&bytes), Some(header));
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert_eq!(SegmentHeader::decode(&bad), None, "byte {at}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_or_refused(kind in 1u8..=9, body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let kind = Kind::decode(kind).unwrap();
            if let Some(record) = Record::decode(kind, &body)
                && kind != Kind::Write
            {
                let (again, bytes) = record.encode();
                prop_assert_eq!((again, bytes.len()), (kind, body.len()));
            }
        }
    }
}
