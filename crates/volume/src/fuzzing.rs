//! Doors for the fuzz targets in `fuzz/`: the decoders of a volume's files. Each takes any bytes,
//! returns whether they were accepted, and panics if what was accepted is not what it says.
//!
//! Checksums keep a fuzzer out as well as they keep out rot, so the bytes get right ones first.

use std::path::Path;

use cairn_blocks::{
    DataKey, Digest, DomainId, Root,
    disk::{Disk, OpenMode},
};
use zeroize::Zeroizing;

use crate::{
    checkpoint::Checkpoint,
    error::Error,
    geometry::index,
    journal::segment_path,
    record::{
        FIRST_LSN, Kind, MAX_BODY, Place, RECORD_HEADER, Record, RecordHeader, SegmentHeader,
        WRITE_PREFIX, checksum, encode_record, record_len,
    },
    recovery,
    seal::Keys,
    types::{EpochTag, Options, VolumeSpec},
    volume,
};

const DOMAIN: DomainId = DomainId(1);
/// The boot that everything here happens on.
const BOOT: &str = "fuzzed";
/// Size of the volume whose journal is replayed, in bytes.
const SIZE: u64 = 1 << 30;
/// What a volume that was only created has in its checkpoint.
const INCARNATION: u64 = 0;
/// Likewise: the number of its first segment.
const SEGMENT: u64 = 0;

/// The header of a journal segment.
pub fn segment_header(bytes: &[u8]) -> bool {
    let Some((head, rest)) = bytes.split_at_checked(60) else {
        return false;
    };
    let signed = [head, &crc32c::crc32c(head).to_le_bytes(), rest].concat();
    let Some(header) = SegmentHeader::decode(&signed) else {
        return false;
    };
    // The twelve bytes before the CRC are zero when written and nobody reads them.
    assert_eq!(
        header.encode()[..48],
        signed[..48],
        "another header than was read"
    );
    true
}

/// A valid one.
pub fn sample_segment_header() -> Vec<u8> {
    header_of_first_segment().encode()
}

/// The body of a record, after a byte for its kind.
pub fn record(bytes: &[u8]) -> bool {
    let Some((kind, body)) = bytes.split_first() else {
        return false;
    };
    let mut header = [0; RECORD_HEADER];
    header[24] = *kind;
    let Some(header) = RecordHeader::decode(&header, 0) else {
        return false;
    };
    let Some(record) = Record::decode(header.kind, body) else {
        return false;
    };
    match &record {
        Record::Write { len, .. } => assert_eq!(
            *len + WRITE_PREFIX as u64,
            body.len() as u64,
            "bytes of a WRITE"
        ),
        _ => {
            let (kind, again) = record.encode();
            assert_eq!(kind, header.kind, "another kind than was read");
            let decoded = Record::decode(kind, &again);
            assert_eq!(
                decoded.as_ref(),
                Some(&record),
                "another record than was read"
            );
        }
    }
    true
}

/// One of each kind.
pub fn sample_records() -> Vec<Vec<u8>> {
    let encoded = |record: &Record| {
        let (kind, mut body) = record.encode();
        if kind == Kind::Write {
            body.extend([7; 512]);
        }
        [vec![kind as u8], body].concat()
    };
    samples().iter().map(encoded).collect()
}

/// The bytes of a journal's first segment after its header, replayed over a volume that `disk`,
/// which is empty, gets. Each record is given the LSN and the CRC that it needs to be read.
pub fn journal(disk: &dyn Disk, bytes: &[u8]) -> bool {
    let dir = Path::new("/volume");
    let spec = VolumeSpec {
        size_bytes: SIZE,
        domain: DOMAIN,
        base: None,
    };
    volume::create(disk, dir, &spec, None, &Options::new(BOOT)).expect("a volume");
    let records = signed_records(bytes);
    let file = disk
        .open(&segment_path(dir, SEGMENT), OpenMode::CreateNew)
        .expect("a segment");
    let segment = [header_of_first_segment().encode(), records].concat();
    file.write_all_at(&segment, 0).expect("room for a segment");
    match recovery::recover(disk, dir, None, BOOT) {
        Ok(recovered) => recovered.start.lsn > FIRST_LSN,
        Err(Error::Damaged(_)) => false,
        Err(other) => panic!("the disk is in order: {other}"),
    }
}

/// One with a record of each kind that does not contradict those before it.
pub fn sample_journal() -> Vec<u8> {
    let mut out = Vec::new();
    for record in samples() {
        let (kind, body) = record.encode();
        let body = match kind {
            Kind::Write => [body, vec![7; 512]].concat(),
            _ => body,
        };
        let place = Place {
            incarnation: INCARNATION,
            lsn: 0,
            durable: 0,
            seal: None,
        };
        encode_record(&mut out, &place, kind, &[&body]).expect("a short record");
    }
    out
}

/// The body of a checkpoint, and the same bytes as a whole file.
pub fn checkpoint(bytes: &[u8]) -> bool {
    // As a whole file it may be one of a sealed volume, which says that it wants a key.
    let of_file = !matches!(Checkpoint::decode(bytes, None), Ok(None));
    let Some(checkpoint) = Checkpoint::decode_body(1, bytes) else {
        return of_file;
    };
    // Planes may be written in more than one way. Once written by us they stay as they are.
    let body = checkpoint.encode_body();
    let again = Checkpoint::decode_body(1, &body).expect("what was encoded is decoded");
    assert_eq!(
        again.encode_body(),
        body,
        "another checkpoint than was read"
    );
    let file = checkpoint.encode(None).expect("room for a checkpoint");
    let whole = Checkpoint::decode(&file, None)
        .expect("it needs no key")
        .expect("what was encoded is decoded");
    assert_eq!(whole.encode_body(), body, "another file than was written");
    true
}

/// Valid ones: of a new volume, as a body and as a file.
pub fn sample_checkpoints() -> Vec<Vec<u8>> {
    let spec = VolumeSpec {
        size_bytes: SIZE,
        domain: DOMAIN,
        base: None,
    };
    let checkpoint = volume::first_checkpoint(&spec, &Options::new(BOOT));
    checkpoint.present.set_range(3..300);
    let file = checkpoint.encode(None).expect("room for a checkpoint");
    let key = DataKey::new(Zeroizing::new([7; 32]));
    let sealed = checkpoint
        .encode(Some(&Keys::new(key)))
        .expect("room for a checkpoint");
    vec![checkpoint.encode_body(), file, sealed]
}

fn header_of_first_segment() -> SegmentHeader {
    SegmentHeader {
        incarnation: INCARNATION,
        number: SEGMENT,
        first_lsn: FIRST_LSN,
        domain: DOMAIN,
        sealed: false,
    }
}

/// The bytes as records one after the other, each with the LSN of its place, a length that fits
/// and a right CRC. What is left at the end stays as it is.
fn signed_records(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut at = 0;
    while out.len() - at >= RECORD_HEADER {
        let longest = (out.len() - at - RECORD_HEADER).min(MAX_BODY);
        let record = &mut out[at..];
        let asked = u32::from_le_bytes([record[4], record[5], record[6], record[7]]) as usize;
        let len = asked.min(longest);
        record[4..8].copy_from_slice(&u32::try_from(len).expect("a bounded length").to_le_bytes());
        record[8..16].copy_from_slice(&(FIRST_LSN + at as u64).to_le_bytes());
        let crc = checksum(INCARNATION, &record[4..RECORD_HEADER + len]);
        record[..4].copy_from_slice(&crc.to_le_bytes());
        at += index(record_len(len));
        if at > out.len() {
            break;
        }
    }
    out
}

fn samples() -> Vec<Record> {
    let tag = |name: &str| EpochTag::new(name).expect("a short name");
    let root = Root {
        node: Digest([7; 32]),
        size_bytes: SIZE,
    };
    vec![
        Record::Intent(vec![(0, u128::MAX), (2, 1)]),
        Record::Write {
            offset: 4096,
            len: 512,
        },
        Record::Dirty { block: 3, count: 2 },
        Record::Zero {
            offset: 1 << 20,
            len: 1 << 20,
        },
        Record::Fold(vec![(0, FIRST_LSN), (2, 0)]),
        Record::Epoch {
            tag: tag("snap-1"),
            size_bytes: SIZE,
        },
        Record::Release {
            tag: tag("snap-1"),
            blocks: vec![(3, None), (4, Some(Digest([1; 32])))],
        },
        Record::Epoch {
            tag: tag("snap-2"),
            size_bytes: SIZE,
        },
        Record::Abandon { tag: tag("snap-2") },
        Record::Commit {
            tag: tag("snap-1"),
            root,
        },
    ]
}
