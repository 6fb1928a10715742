//! Doors for the fuzz targets in `fuzz/`: one function for each decoder. Each takes any bytes,
//! returns whether they were accepted, and panics if what was accepted is not what it says.
//!
//! A checksum keeps a fuzzer out as well as it keeps out rot, so the bytes get right ones first.
//! `signed` is what the fuzzer would have had to guess.

use std::ops::Range;

use crate::{
    check::Checker,
    cipher::DomainKey,
    frame,
    index::node::{Level, Node},
    pack_format::{
        BLOB_HEADER_LEN, BlobHeader, Encryption, FOOTER_LEN, Footer, HEADER_LEN, PackHeader,
        decode_table, encode_trailer,
    },
    recover,
    types::{BlobKind, Digest, DomainId, PackId},
};

/// The pack that all bytes here claim to be of.
const PACK: PackId = PackId(7);

/// Its domain.
const DOMAIN: DomainId = DomainId(-5);

/// A pack's header.
pub fn pack_header(bytes: &[u8]) -> bool {
    let bytes: [u8; HEADER_LEN] = fitted(bytes);
    let signed = with_crc(bytes, 0..60, 60);
    let Ok(header) = PackHeader::decode(&signed) else {
        return false;
    };
    assert_eq!(header.encode(), signed, "another header than was read");
    true
}

/// A valid one.
fn sample_pack_header() -> Vec<u8> {
    let header = PackHeader {
        kind: BlobKind::Data,
        domain: DOMAIN,
        pack: PACK,
        writer_epoch: 3,
        encryption: Encryption::None,
    };
    header.encode().to_vec()
}

/// Valid ones: plain, and encrypted.
pub fn sample_pack_headers() -> Vec<Vec<u8>> {
    let plain = sample_pack_header();
    let mut encrypted: [u8; HEADER_LEN] = fitted(&plain);
    encrypted[11] = 1;
    encrypted[40..56].fill(9);
    vec![plain, with_crc(encrypted, 0..60, 60).to_vec()]
}

/// A blob: header and stored bytes. What is accepted has the length that the header says.
pub fn blob(bytes: &[u8]) -> bool {
    let Some((header, stored)) = bytes.split_first_chunk::<BLOB_HEADER_LEN>() else {
        return false;
    };
    let signed = signed_blob_header(*header);
    if let Ok(encrypted) = BlobHeader::decode(&signed, PACK, true) {
        assert_eq!(
            encrypted.encode(PACK),
            signed,
            "another header than was read"
        );
    }
    let Ok(header) = BlobHeader::decode(&signed, PACK, false) else {
        return false;
    };
    assert_eq!(header.encode(PACK), signed, "another header than was read");
    let stored = &stored[..stored.len().min(header.stored_len as usize)];
    match frame::expand(&header, stored).expect("a decompressor") {
        Ok(plain) if stored.len() == header.stored_len as usize => {
            assert_eq!(plain.len(), header.plain_len as usize, "length of a blob");
            true
        }
        _ => false,
    }
}

/// Valid ones: stored as they are and compressed.
pub fn sample_blobs() -> Vec<Vec<u8>> {
    let framed = |kind, plain: &[u8]| {
        let id = DomainKey::plain(DOMAIN).id(&Digest::of(plain));
        frame::with_frame(id, (kind, frame::Density::Usual), plain, |frame| {
            frame.finish(PACK, 1, 1, None).1.to_vec()
        })
        .expect("a compressor")
    };
    vec![
        framed(BlobKind::Meta, b"a node is not compressed"),
        framed(BlobKind::Data, &[b'x'; 4096]),
    ]
}

/// Table and footer of a sealed pack.
pub fn trailer(bytes: &[u8]) -> bool {
    let Some((table, footer)) = bytes.split_last_chunk::<FOOTER_LEN>() else {
        return false;
    };
    let mut footer = *footer;
    footer[32..36].copy_from_slice(&crc32c::crc32c(table).to_le_bytes());
    let footer = with_crc(footer, 0..44, 44);
    let Ok(decoded) = Footer::decode(&footer) else {
        return false;
    };
    let Ok(entries) = decode_table(&decoded, false, table) else {
        return false;
    };
    for entry in &entries {
        let end = entry.offset + u64::from(entry.stored_len);
        assert!(end <= decoded.table_offset, "a blob beyond the table");
    }
    let again = encode_trailer(decoded.pack, decoded.table_offset, &entries);
    assert_eq!(
        again,
        [table, &footer].concat(),
        "another trailer than was read"
    );
    true
}

/// Valid ones: of an empty pack, and of one with three blobs.
pub fn sample_trailers() -> Vec<Vec<u8>> {
    let pack = sample_open_pack();
    let entries = recover::scan(&pack, PACK, &[Checker::plain(DOMAIN)]).expect("a decompressor");
    vec![
        encode_trailer(PACK, HEADER_LEN as u64, &[]),
        encode_trailer(PACK, pack.len() as u64, &entries),
    ]
}

/// A pack that a crash left unsealed: the blobs that are found lie within it and do not overlap.
pub fn open_pack(bytes: &[u8]) -> bool {
    let mut bytes = bytes.to_vec();
    sign_blob_headers(&mut bytes);
    let found = recover::scan(&bytes, PACK, &[Checker::plain(DOMAIN), Checker::Checksum])
        .expect("a decompressor");
    let mut end = HEADER_LEN as u64;
    for entry in &found {
        let header = entry.offset - BLOB_HEADER_LEN as u64;
        assert!(header >= end, "blobs overlap");
        end = entry.offset + u64::from(entry.stored_len);
        assert!(end <= bytes.len() as u64, "a blob beyond the pack");
    }
    !found.is_empty()
}

/// A valid one.
pub fn sample_open_pack() -> Vec<u8> {
    [vec![sample_pack_header()], sample_blobs()]
        .concat()
        .concat()
}

/// An index node: its level in the first byte, then its encoding.
pub fn node(bytes: &[u8]) -> bool {
    let Some((level, encoding)) = bytes.split_first() else {
        return false;
    };
    let level = [Level::Leaf, Level::Mid, Level::Root][usize::from(level % 3)];
    let Ok(node) = Node::decode(level, encoding) else {
        return false;
    };
    assert_eq!(node.encode(), encoding, "another node than was read");
    assert_eq!(node.children().count(), node.len(), "children of a node");
    for (at, hash) in node.children() {
        assert_eq!(node.child(at), Some(hash), "a child of a node");
    }
    true
}

/// Valid ones, of all levels.
pub fn sample_nodes() -> Vec<Vec<u8>> {
    let levels = [Level::Leaf, Level::Mid, Level::Root];
    let sample = |(code, level): (u8, Level)| {
        let children = [(0, Digest([1; 32])), (200, Digest([2; 32]))];
        [vec![code], Node::from_children(level, children).encode()].concat()
    };
    (0..).zip(levels).map(sample).collect()
}

fn sign_blob_headers(bytes: &mut [u8]) {
    let mut at = HEADER_LEN;
    while let Some(next) = recover::find_blob(bytes, at) {
        if let Some(header) = bytes[next..].first_chunk_mut::<BLOB_HEADER_LEN>() {
            *header = signed_blob_header(*header);
        }
        at = next + 1;
    }
}

fn signed_blob_header(mut header: [u8; BLOB_HEADER_LEN]) -> [u8; BLOB_HEADER_LEN] {
    let pack = crc32c::crc32c(&PACK.0.to_le_bytes());
    let crc = crc32c::crc32c_append(pack, &header[..60]);
    header[60..].copy_from_slice(&crc.to_le_bytes());
    header
}

fn with_crc<const N: usize>(mut bytes: [u8; N], over: Range<usize>, at: usize) -> [u8; N] {
    let crc = crc32c::crc32c(&bytes[over]);
    bytes[at..at + 4].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// The bytes in the length of the format: cut off, or followed by zeros.
fn fitted<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut fitted = [0; N];
    let len = bytes.len().min(N);
    fitted[..len].copy_from_slice(&bytes[..len]);
    fitted
}
