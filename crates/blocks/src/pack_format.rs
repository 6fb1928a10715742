//! The bytes of a pack, encoded and decoded. Everything is little endian; every CRC is CRC-32C.
//!
//! A pack is a header, then blobs one after the other, then, once it is sealed, a table of its
//! blobs and a footer. A pack without table and footer can be scanned from its start.
//!
//! ```text
//! header, 64 bytes                     blob header, 64 bytes, the stored bytes follow
//!  0  8  magic "cairnpak"               0  4  magic "blob"
//!  8  2  format version, 1              4  4  plain length
//! 10  1  kind: 1 data, 2 meta           8  4  stored length
//! 11  1  encryption: 0 none, 1 GCM     12  1  compression: 0 none, 1 zstd
//! 12  4  zero                          13  3  zero
//! 16  8  domain, signed                16 32  blob id
//! 24  8  pack id                       48  4  slot
//! 32  8  writer epoch                  52  4  CRC of the stored bytes
//! 40 16  salt, if encrypted            56  4  number of the nonce, if encrypted
//! 56  4  zero                          60  4  CRC of the pack id (8 bytes) and bytes 0..60
//! 60  4  CRC of bytes 0..60
//!
//! table entry, 52 bytes                footer, 48 bytes, the last of the file
//!  0 32  blob id                        0  8  magic "cairnend"
//! 32  4  slot                           8  2  format version, 1
//! 36  8  offset of the stored bytes    10  2  zero
//! 44  4  stored length                 12  4  number of table entries
//! 48  4  plain length                  16  8  pack id
//!                                      24  8  offset of the table
//!                                      32  4  CRC of the table
//!                                      36  8  zero
//!                                      44  4  CRC of bytes 0..44
//! ```
//!
//! The CRC of the stored bytes is for those who cannot or need not decompress them. For everyone
//! else the hash decides.
//!
//! The pack id in the CRC of a blob header keeps a blob of another pack, copied into this one
//! by a guest or by a file system gone wrong, from being taken for one of this pack.
//!
//! # Encrypted packs
//!
//! The packs of a domain that has a key are encrypted. They are of version 1 too: its header has kept
//! a byte for this, and its readers refuse every value of that byte that they do not know. All of
//! the above holds, and:
//!
//! - A blob id is HMAC-SHA-256, under a key derived from the one of the domain, of the SHA-256 of the
//!   plaintext.
//! - A pack has a key of its own, derived from the one of the domain for `"cairn pack v1"`, the domain
//!   (8 bytes), the pack id (8) and the salt (16), which is random. The key for blob ids is derived for
//!   `"cairn blob ids v1"`.
//! - The stored bytes are AES-256-GCM of the (compressed) bytes, then the tag of 16 bytes, which the
//!   stored length counts. The CRC is of both.
//! - The nonce is the number in bytes 56..60 of the blob header as 96 bits, little endian. It counts the
//!   appends to the pack from 0, those that failed as well, of which the disk may have kept something:
//!   it is the slot until one has failed. So no nonce is used twice under a key, and slots
//!   go on without gaps. A pack that a crash left open is never appended to.
//! - Authenticated along with them: domain (8 bytes), pack id (8), slot (4), blob id (32), plain length
//!   (4), compression (1). So a blob is refused at any place but its own.
//!
//! Without the key one sees the header of the pack, and of each blob its place, its length before
//! and after compression, and its id, which tells equal blobs of one domain and nothing else. The table
//! says nothing that the blob headers do not say. It is not encrypted, so that a pack that a crash left
//! open can be sealed, and an index rebuilt, when the key cannot be had. Headers and tables have only
//! their CRC: one that was forged leads to blobs that are refused.
//!
//! The salt stands in the header alone: a pack whose header is damaged is lost.

use crate::types::{BLOCK_SIZE, BlobId, BlobKind, DomainId, Location, PackId};

/// Length of the pack header, and offset of the first blob header.
pub(crate) const HEADER_LEN: usize = 64;
/// Length of a blob header.
pub(crate) const BLOB_HEADER_LEN: usize = 64;
/// Length of a table entry.
pub(crate) const ENTRY_LEN: usize = 52;
/// Length of the footer.
pub(crate) const FOOTER_LEN: usize = 48;
/// The longest plaintext of a blob. Index nodes are shorter than blocks.
pub(crate) const MAX_PLAIN_LEN: usize = BLOCK_SIZE;
/// The first bytes of every blob header.
pub(crate) const BLOB_MAGIC: [u8; 4] = *b"blob";

const HEADER_MAGIC: [u8; 8] = *b"cairnpak";
const FOOTER_MAGIC: [u8; 8] = *b"cairnend";
const VERSION: u16 = 1;

/// Bytes that are not what they should be, with the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// Length of the tag behind the encrypted bytes of a blob.
pub(crate) const TAG_LEN: usize = 16;

/// Random bytes that go into the key of an encrypted pack.
pub(crate) type Salt = [u8; 16];

/// Whether the blobs of a pack are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// They are not.
    None,
    /// With AES-256-GCM.
    Aes256Gcm(Salt),
}

impl Encryption {
    pub(crate) fn is_encrypted(&self) -> bool {
        *self != Self::None
    }
}

/// By how many bytes encryption makes a blob grow.
fn tag_len(is_encrypted: bool) -> usize {
    if is_encrypted { TAG_LEN } else { 0 }
}

/// What a pack says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PackHeader {
    pub(crate) kind: BlobKind,
    pub(crate) domain: DomainId,
    pub(crate) pack: PackId,
    pub(crate) writer_epoch: u64,
    pub(crate) encryption: Encryption,
}

impl PackHeader {
    pub(crate) fn encode(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        put(&mut bytes, 0, &HEADER_MAGIC);
        put(&mut bytes, 8, &VERSION.to_le_bytes());
        bytes[10] = kind_code(self.kind);
        put(&mut bytes, 16, &self.domain.0.to_le_bytes());
        put(&mut bytes, 24, &self.pack.0.to_le_bytes());
        put(&mut bytes, 32, &self.writer_epoch.to_le_bytes());
        if let Encryption::Aes256Gcm(salt) = &self.encryption {
            bytes[11] = 1;
            put(&mut bytes, 40, salt);
        }
        let crc = crc32c::crc32c(&bytes[..60]);
        put(&mut bytes, 60, &crc.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; HEADER_LEN]) -> Result<Self, Malformed> {
        expect(
            u32_at(bytes, 60) == crc32c::crc32c(&bytes[..60]),
            "pack header: CRC",
        )?;
        expect(take(bytes, 0) == HEADER_MAGIC, "pack header: magic")?;
        expect(
            u16::from_le_bytes(take(bytes, 8)) == VERSION,
            "pack header: unknown version",
        )?;
        let encryption = match bytes[11] {
            0 => Encryption::None,
            1 => Encryption::Aes256Gcm(take(bytes, 40)),
            _ => return Err(Malformed("pack header: unknown encryption")),
        };
        let has_salt = encryption.is_encrypted();
        expect(
            all_zero(&bytes[12..16])
                && all_zero(&bytes[56..60])
                && (has_salt || all_zero(&bytes[40..56])),
            "pack header: reserved bytes in use",
        )?;
        Ok(Self {
            kind: kind_of(bytes[10])?,
            domain: DomainId(i64::from_le_bytes(take(bytes, 16))),
            pack: PackId(u64_at(bytes, 24)),
            writer_epoch: u64_at(bytes, 32),
            encryption,
        })
    }
}

/// How the stored bytes of a blob came from the plain ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Zstd,
}

/// What stands before the stored bytes of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlobHeader {
    pub(crate) id: BlobId,
    pub(crate) plain_len: u32,
    pub(crate) stored_len: u32,
    pub(crate) compression: Compression,
    pub(crate) slot: u32,
    pub(crate) payload_crc: u32,
    /// The number of the nonce in an encrypted pack, 0 in others.
    pub(crate) nonce: u32,
}

impl BlobHeader {
    pub(crate) fn encode(&self, pack: PackId) -> [u8; BLOB_HEADER_LEN] {
        let mut bytes = [0; BLOB_HEADER_LEN];
        put(&mut bytes, 0, &BLOB_MAGIC);
        put(&mut bytes, 4, &self.plain_len.to_le_bytes());
        put(&mut bytes, 8, &self.stored_len.to_le_bytes());
        bytes[12] = u8::from(self.compression == Compression::Zstd);
        put(&mut bytes, 16, &self.id.0);
        put(&mut bytes, 48, &self.slot.to_le_bytes());
        put(&mut bytes, 52, &self.payload_crc.to_le_bytes());
        put(&mut bytes, 56, &self.nonce.to_le_bytes());
        let crc = blob_header_crc(pack, &bytes);
        put(&mut bytes, 60, &crc.to_le_bytes());
        bytes
    }

    /// Decodes the header of a blob of `pack`, which is encrypted or not.
    pub(crate) fn decode(
        bytes: &[u8; BLOB_HEADER_LEN],
        pack: PackId,
        is_encrypted: bool,
    ) -> Result<Self, Malformed> {
        expect(take(bytes, 0) == BLOB_MAGIC, "blob header: magic")?;
        expect(
            u32_at(bytes, 60) == blob_header_crc(pack, bytes),
            "blob header: CRC",
        )?;
        expect(
            all_zero(&bytes[13..16]) && (is_encrypted || all_zero(&bytes[56..60])),
            "blob header: reserved bytes in use",
        )?;
        let header = Self {
            id: BlobId(take(bytes, 16)),
            plain_len: u32_at(bytes, 4),
            stored_len: u32_at(bytes, 8),
            compression: compression_of(bytes[12])?,
            slot: u32_at(bytes, 48),
            payload_crc: u32_at(bytes, 52),
            nonce: u32_at(bytes, 56),
        };
        expect(
            header.lengths_are_possible(is_encrypted),
            "blob header: impossible lengths",
        )?;
        Ok(header)
    }

    /// What the table says of this blob, whose stored bytes begin at `offset`.
    pub(crate) fn entry(&self, offset: u64) -> TableEntry {
        TableEntry {
            id: self.id,
            slot: self.slot,
            offset,
            stored_len: self.stored_len,
            plain_len: self.plain_len,
        }
    }

    fn lengths_are_possible(&self, is_encrypted: bool) -> bool {
        let plain_len = self.plain_len as usize;
        let body_len = (self.stored_len as usize).checked_sub(tag_len(is_encrypted));
        plain_len <= MAX_PLAIN_LEN
            && body_len.is_some_and(|body_len| match self.compression {
                Compression::None => body_len == plain_len,
                Compression::Zstd => body_len < plain_len,
            })
    }
}

/// Where a sealed pack says that a blob lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TableEntry {
    pub(crate) id: BlobId,
    pub(crate) slot: u32,
    pub(crate) offset: u64,
    pub(crate) stored_len: u32,
    pub(crate) plain_len: u32,
}

impl TableEntry {
    /// The same as a location within `pack`.
    pub(crate) fn location(&self, pack: PackId) -> Location {
        let Self {
            slot,
            offset,
            stored_len,
            plain_len,
            ..
        } = *self;
        Location {
            pack,
            slot,
            offset,
            stored_len,
            plain_len,
        }
    }

    fn encode_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id.0);
        out.extend_from_slice(&self.slot.to_le_bytes());
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.stored_len.to_le_bytes());
        out.extend_from_slice(&self.plain_len.to_le_bytes());
    }

    fn decode(bytes: &[u8; ENTRY_LEN]) -> Self {
        Self {
            id: BlobId(take(bytes, 0)),
            slot: u32_at(bytes, 32),
            offset: u64_at(bytes, 36),
            stored_len: u32_at(bytes, 44),
            plain_len: u32_at(bytes, 48),
        }
    }
}

/// The table and the footer that seal a pack whose blobs end at `table_offset`.
pub(crate) fn encode_trailer(pack: PackId, table_offset: u64, entries: &[TableEntry]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * ENTRY_LEN + FOOTER_LEN);
    for entry in entries {
        entry.encode_to(&mut bytes);
    }
    let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    let footer = Footer {
        pack,
        table_offset,
        count,
        table_crc: crc32c::crc32c(&bytes),
    };
    bytes.extend_from_slice(&footer.encode());
    bytes
}

/// The last bytes of a sealed pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Footer {
    pub(crate) pack: PackId,
    pub(crate) table_offset: u64,
    pub(crate) count: u32,
    pub(crate) table_crc: u32,
}

impl Footer {
    fn encode(&self) -> [u8; FOOTER_LEN] {
        let mut bytes = [0; FOOTER_LEN];
        put(&mut bytes, 0, &FOOTER_MAGIC);
        put(&mut bytes, 8, &VERSION.to_le_bytes());
        put(&mut bytes, 12, &self.count.to_le_bytes());
        put(&mut bytes, 16, &self.pack.0.to_le_bytes());
        put(&mut bytes, 24, &self.table_offset.to_le_bytes());
        put(&mut bytes, 32, &self.table_crc.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..44]);
        put(&mut bytes, 44, &crc.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; FOOTER_LEN]) -> Result<Self, Malformed> {
        expect(
            u32_at(bytes, 44) == crc32c::crc32c(&bytes[..44]),
            "pack footer: CRC",
        )?;
        expect(take(bytes, 0) == FOOTER_MAGIC, "pack footer: magic")?;
        expect(
            u16::from_le_bytes(take(bytes, 8)) == VERSION,
            "pack footer: unknown version",
        )?;
        expect(
            all_zero(&bytes[10..12]) && all_zero(&bytes[36..44]),
            "pack footer: reserved bytes in use",
        )?;
        Ok(Self {
            pack: PackId(u64_at(bytes, 16)),
            table_offset: u64_at(bytes, 24),
            count: u32_at(bytes, 12),
            table_crc: u32_at(bytes, 32),
        })
    }

    /// Length of the table in bytes.
    pub(crate) fn table_len(&self) -> u64 {
        u64::from(self.count) * ENTRY_LEN as u64
    }
}

/// Decodes the table of a pack, encrypted or not, all of whose blobs have to lie before it.
pub(crate) fn decode_table(
    footer: &Footer,
    is_encrypted: bool,
    bytes: &[u8],
) -> Result<Vec<TableEntry>, Malformed> {
    expect(
        bytes.len() as u64 == footer.table_len(),
        "pack table: length",
    )?;
    expect(crc32c::crc32c(bytes) == footer.table_crc, "pack table: CRC")?;
    let (entries, _) = bytes.as_chunks::<ENTRY_LEN>();
    entries
        .iter()
        .map(|bytes| decode_entry(footer, is_encrypted, bytes))
        .collect()
}

fn decode_entry(
    footer: &Footer,
    is_encrypted: bool,
    bytes: &[u8; ENTRY_LEN],
) -> Result<TableEntry, Malformed> {
    let entry = TableEntry::decode(bytes);
    expect(
        is_possible(&entry.location(footer.pack), is_encrypted),
        "pack table: impossible blob",
    )?;
    let end = entry.offset.checked_add(u64::from(entry.stored_len));
    expect(
        end.is_some_and(|end| end <= footer.table_offset),
        "pack table: blob beyond the table",
    )?;
    Ok(entry)
}

/// Whether a blob of a pack that is encrypted or not may lie there, as far as the location alone can tell.
pub(crate) fn is_possible(location: &Location, is_encrypted: bool) -> bool {
    let (plain_len, stored_len) = (location.plain_len as usize, location.stored_len as usize);
    let body_len = stored_len.checked_sub(tag_len(is_encrypted));
    location.offset >= (HEADER_LEN + BLOB_HEADER_LEN) as u64
        && plain_len <= MAX_PLAIN_LEN
        && body_len.is_some_and(|body_len| body_len <= plain_len)
}

fn blob_header_crc(pack: PackId, bytes: &[u8; BLOB_HEADER_LEN]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&pack.0.to_le_bytes()), &bytes[..60])
}

fn kind_code(kind: BlobKind) -> u8 {
    match kind {
        BlobKind::Data => 1,
        BlobKind::Meta => 2,
    }
}

fn kind_of(code: u8) -> Result<BlobKind, Malformed> {
    match code {
        1 => Ok(BlobKind::Data),
        2 => Ok(BlobKind::Meta),
        _ => Err(Malformed("pack header: unknown kind")),
    }
}

fn compression_of(code: u8) -> Result<Compression, Malformed> {
    match code {
        0 => Ok(Compression::None),
        1 => Ok(Compression::Zstd),
        _ => Err(Malformed("blob header: unknown compression")),
    }
}

fn expect(holds: bool, otherwise: &'static str) -> Result<(), Malformed> {
    if holds {
        Ok(())
    } else {
        Err(Malformed(otherwise))
    }
}

fn all_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

fn put(bytes: &mut [u8], at: usize, field: &[u8]) {
    bytes[at..at + field.len()].copy_from_slice(field);
}

fn take<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&bytes[at..at + N]);
    field
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(take(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(take(bytes, at))
}

#[cfg(test)]
#[allow(clippy::assertions_on_result_states)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PACK: PackId = PackId(0x1234);

    fn header() -> PackHeader {
        PackHeader {
            kind: BlobKind::Meta,
            domain: DomainId(-5),
            pack: PACK,
            writer_epoch: 77,
            encryption: Encryption::None,
        }
    }

    fn encrypted_header() -> PackHeader {
        PackHeader {
            encryption: Encryption::Aes256Gcm([0x5a; 16]),
            ..header()
        }
    }

    fn encrypted_blob_header() -> BlobHeader {
        BlobHeader {
            nonce: 5,
            ..blob_header()
        }
    }

    fn blob_header() -> BlobHeader {
        BlobHeader {
            id: BlobId([9; 32]),
            plain_len: 524_288,
            stored_len: 1000,
            compression: Compression::Zstd,
            slot: 3,
            payload_crc: 0xdead_beef,
            nonce: 0,
        }
    }

    fn entries() -> Vec<TableEntry> {
        let entry = |slot: u32| TableEntry {
            id: BlobId([7; 32]),
            slot,
            offset: 128 + u64::from(slot) * 100,
            stored_len: 36,
            plain_len: 40,
        };
        (0..3).map(entry).collect()
    }

    fn decode_trailer(bytes: &[u8]) -> Result<(Footer, Vec<TableEntry>), Malformed> {
        let (table, footer) = bytes
            .split_last_chunk::<FOOTER_LEN>()
            .ok_or(Malformed("short"))?;
        let footer = Footer::decode(footer)?;
        Ok((footer, decode_table(&footer, false, table)?))
    }

    #[test]
    fn decodes_what_it_encodes() {
        for header in [header(), encrypted_header()] {
            assert_eq!(PackHeader::decode(&header.encode()), Ok(header));
        }
        for (header, is_encrypted) in [
            (blob_header(), false),
            (blob_header(), true),
            (encrypted_blob_header(), true),
        ] {
            assert_eq!(
                BlobHeader::decode(&header.encode(PACK), PACK, is_encrypted),
                Ok(header)
            );
        }
        assert!(BlobHeader::decode(&encrypted_blob_header().encode(PACK), PACK, false).is_err());
        let (footer, table) = decode_trailer(&encode_trailer(PACK, 364, &entries())).unwrap();
        assert_eq!(
            (footer.pack, footer.table_offset, table),
            (PACK, 364, entries())
        );
        assert_eq!(
            decode_trailer(&encode_trailer(PACK, 64, &[])).unwrap().1,
            []
        );
    }

    /// The bytes that the head of this file promises; packs on disks depend on them.
    #[test]
    fn the_layout_is_the_one_described() {
        let bytes = header().encode();
        assert_eq!(&bytes[..12], b"cairnpak\x01\x00\x02\x00");
        assert_eq!(
            (&bytes[12..16], &bytes[40..60]),
            ([0; 4].as_slice(), [0; 20].as_slice())
        );
        assert_eq!(
            (
                i64::from_le_bytes(take(&bytes, 16)),
                u64_at(&bytes, 24),
                u64_at(&bytes, 32)
            ),
            (-5, 0x1234, 77)
        );
        let bytes = blob_header().encode(PACK);
        assert_eq!(
            (&bytes[..4], u32_at(&bytes, 4), u32_at(&bytes, 8), bytes[12]),
            (b"blob".as_slice(), 524_288, 1000, 1)
        );
        assert_eq!(
            (&bytes[16..48], u32_at(&bytes, 48), u32_at(&bytes, 52)),
            ([9; 32].as_slice(), 3, 0xdead_beef)
        );
        let bytes = encrypted_header().encode();
        assert_eq!(&bytes[..12], b"cairnpak\x01\x00\x02\x01");
        assert_eq!(
            (&bytes[40..56], u32_at(&bytes, 56)),
            ([0x5a; 16].as_slice(), 0)
        );
        assert_eq!(u32_at(&encrypted_blob_header().encode(PACK), 56), 5);
        // CRC-32C of "123456789", the check value of its definition.
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn every_flip_of_a_bit_is_refused() {
        let headers = [header(), encrypted_header()].map(|header| header.encode());
        let blobs = [
            (blob_header().encode(PACK), false),
            (encrypted_blob_header().encode(PACK), true),
        ];
        let trailer = encode_trailer(PACK, 364, &entries());
        for bit in 0..8 {
            for at in 0..HEADER_LEN {
                for mut flipped in headers {
                    flipped[at] ^= 1 << bit;
                    assert!(
                        PackHeader::decode(&flipped).is_err(),
                        "pack header, byte {at}"
                    );
                }
                for (mut flipped, is_encrypted) in blobs {
                    flipped[at] ^= 1 << bit;
                    assert!(
                        BlobHeader::decode(&flipped, PACK, is_encrypted).is_err(),
                        "blob header, byte {at}"
                    );
                }
            }
            for at in 0..trailer.len() {
                let mut flipped = trailer.clone();
                flipped[at] ^= 1 << bit;
                assert!(decode_trailer(&flipped).is_err(), "trailer, byte {at}");
            }
        }
    }

    #[test]
    fn a_blob_of_another_pack_is_refused() {
        let other = PackId(PACK.0 + 1);
        assert!(BlobHeader::decode(&blob_header().encode(PACK), other, false).is_err());
    }

    #[test]
    fn impossible_lengths_are_refused_though_the_crc_is_right() {
        let decode = |header: BlobHeader, is_encrypted| {
            BlobHeader::decode(&header.encode(PACK), PACK, is_encrypted)
        };
        let refused = |header: BlobHeader| decode(header, false).is_err();
        assert!(refused(BlobHeader {
            plain_len: 524_289,
            ..blob_header()
        }));
        assert!(refused(BlobHeader {
            stored_len: 524_288,
            ..blob_header()
        }));
        assert!(refused(BlobHeader {
            compression: Compression::None,
            ..blob_header()
        }));
        // A tag makes a blob longer than its plaintext, and no blob is without.
        let raw = |stored_len| BlobHeader {
            stored_len,
            compression: Compression::None,
            ..blob_header()
        };
        assert!(!refused(raw(524_288)) && decode(raw(524_288), true).is_err());
        assert!(refused(raw(524_304)) && decode(raw(524_304), true).is_ok());
        let short = |stored_len| BlobHeader {
            stored_len,
            ..blob_header()
        };
        assert!(decode(short(15), true).is_err() && decode(short(16), true).is_ok());
        assert!(decode(short(524_304), true).is_err() && decode(short(524_303), true).is_ok());
        let at = |stored_len| TableEntry {
            stored_len,
            ..entries()[0]
        };
        let possible = |entry: TableEntry| {
            [false, true].map(|is_encrypted| is_possible(&entry.location(PACK), is_encrypted))
        };
        assert_eq!(possible(at(15)), [true, false]);
        assert_eq!(possible(at(40)), [true, true]);
        assert_eq!(possible(at(41)), [false, true]);
        assert_eq!(possible(at(57)), [false, false]);
        let beyond = TableEntry {
            offset: 340,
            ..entries()[0]
        };
        assert!(decode_trailer(&encode_trailer(PACK, 364, &[beyond])).is_err());
        let overflowing = TableEntry {
            offset: u64::MAX - 10,
            ..entries()[0]
        };
        assert!(decode_trailer(&encode_trailer(PACK, 364, &[overflowing])).is_err());
        let in_header = TableEntry {
            offset: 127,
            ..entries()[0]
        };
        assert!(decode_trailer(&encode_trailer(PACK, 364, &[in_header])).is_err());
    }

    proptest! {
        /// Arbitrary bytes, also under a right CRC, never panic, and decode to what encodes to them.
        #[test]
        fn decoding_is_canonical(mut bytes in any::<[[u8; 32]; 2]>(), right_crc: bool, right_magic: bool) {
            let mut bytes: [u8; 64] = std::mem::take(&mut bytes).concat().try_into().unwrap();
            if right_magic {
                put(&mut bytes, 0, b"blob");
            }
            if right_crc {
                let crc = blob_header_crc(PACK, &bytes);
                put(&mut bytes, 60, &crc.to_le_bytes());
            }
            for is_encrypted in [false, true] {
                if let Ok(header) = BlobHeader::decode(&bytes, PACK, is_encrypted) {
                    prop_assert_eq!(header.encode(PACK), bytes);
                }
            }
            if right_magic {
                put(&mut bytes, 0, b"cairnpak\x01\x00");
            }
            if right_crc {
                let crc = crc32c::crc32c(&bytes[..60]);
                put(&mut bytes, 60, &crc.to_le_bytes());
            }
            if let Ok(header) = PackHeader::decode(&bytes) {
                prop_assert_eq!(header.encode(), bytes);
            }
        }

        #[test]
        fn a_trailer_of_anything_never_panics(table in prop::collection::vec(any::<u8>(), 0..300), count in 0..6u32, offset: u64) {
            let footer = Footer { pack: PACK, table_offset: offset, count, table_crc: crc32c::crc32c(&table) };
            let bytes = [table, footer.encode().to_vec()].concat();
            if let Ok((decoded, entries)) = decode_trailer(&bytes) {
                prop_assert_eq!(encode_trailer(PACK, decoded.table_offset, &entries), bytes);
            }
        }
    }
}
