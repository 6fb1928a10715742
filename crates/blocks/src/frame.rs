//! A blob made ready for a pack: compressed, with its header, encrypted where it has to be; and the
//! way back.

use std::{cell::RefCell, io, sync::Arc};

use zstd::bulk::{Compressor, Decompressor};

use crate::{
    cipher::{DomainKey, PackKey},
    error::Damage,
    pack_format::{BLOB_HEADER_LEN, BlobHeader, Compression, MAX_PLAIN_LEN, TAG_LEN},
    types::{BlobId, BlobKind, Digest, Location, PackId},
};

/// zstd's level 1: measured at 1.9 times the speed of level 3, for 5 % more bytes (BENCHMARKS.md, P15).
const LEVEL: i32 = 1;

/// For what is written once and hardly ever read.
const DENSE_LEVEL: i32 = 19;

/// How tight a block is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Density {
    /// As fast as disks are.
    Usual,
    /// As tight as it goes, which takes a hundred times as long.
    Dense,
}

/// A blob whose header lacks what its pack decides: slot, nonce, and what encryption changes.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    header: BlobHeader,
    /// Length of the bytes before they are encrypted.
    body_len: usize,
    /// Room for the header, then these bytes, then room for a tag.
    bytes: &'a mut [u8],
}

impl<'a> Frame<'a> {
    /// Which blob this is.
    pub(crate) fn id(&self) -> BlobId {
        self.header.id
    }

    /// The header, and what to append to `pack`: header and stored bytes. With a key, `nonce` has to
    /// be a number that was never used for the pack.
    pub(crate) fn finish(
        self,
        pack: PackId,
        slot: u32,
        nonce: u32,
        key: Option<&PackKey>,
    ) -> (BlobHeader, &'a [u8]) {
        let Self {
            mut header,
            body_len,
            bytes,
        } = self;
        header.slot = slot;
        let (head, stored) = bytes.split_at_mut(BLOB_HEADER_LEN);
        let mut stored_len = body_len;
        if let Some(key) = key {
            header.nonce = nonce;
            let tag = key.encrypt(&header, &mut stored[..body_len]);
            stored_len += TAG_LEN;
            stored[body_len..stored_len].copy_from_slice(&tag);
            header.payload_crc = crc32c::crc32c(&stored[..stored_len]);
        }
        header.stored_len = short(stored_len);
        head.copy_from_slice(&header.encode(pack));
        (header, &bytes[..BLOB_HEADER_LEN + stored_len])
    }
}

/// Memory that a thread uses over and over to compress and decompress.
struct Scratch {
    compressor: Compressor<'static>,
    /// Made when it is needed first: it takes tens of megabytes.
    dense: Option<Compressor<'static>>,
    decompressor: Decompressor<'static>,
    framed: Vec<u8>,
    read: Vec<u8>,
}

thread_local! {
    static SCRATCH: RefCell<Option<Scratch>> = const { RefCell::new(None) };
}

/// Compresses a blob in this thread's memory and hands the frame to `use_it`, which must not
/// come back here.
pub(crate) fn with_frame<T>(
    id: BlobId,
    (kind, density): (BlobKind, Density),
    plain: &[u8],
    use_it: impl FnOnce(Frame<'_>) -> T,
) -> io::Result<T> {
    with_scratch(|scratch| {
        if density == Density::Dense && scratch.dense.is_none() {
            scratch.dense = Some(Compressor::new(DENSE_LEVEL)?);
        }
        Ok(use_it(frame(scratch, id, (kind, density), plain)))
    })?
}

/// Why a blob could not be read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// Its bytes are not those of the blob.
    Damaged(Damage),
    /// The file system failed.
    Io(io::Error),
}

impl Unreadable {
    /// What it means that bytes of a pack could not be read.
    pub(crate) fn of(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Damaged(Damage::Truncated),
            _ => Self::Io(error),
        }
    }
}

/// Lends memory of this thread to `fill`, which reads a blob's header and stored bytes into it,
/// and decodes them. `key` is the one of the pack, if it is encrypted.
pub(crate) fn read(
    location: &Location,
    id: BlobId,
    key: Option<&PackKey>,
    fill: impl FnOnce(&mut [u8]) -> io::Result<()>,
) -> Result<Arc<[u8]>, Unreadable> {
    let decode = |scratch: &mut Scratch| {
        let frame = unframe(&mut scratch.read, location, id, key, fill)?;
        frame.expand(&mut scratch.decompressor)
    };
    with_scratch(decode).map_err(Unreadable::Io)?
}

/// As [`read`], but checks the hash too and lends the frame to `use_it`, which may append it to
/// another pack of the domain without compressing it again, and must not come back here.
pub(crate) fn with_copy<T>(
    location: &Location,
    id: BlobId,
    (domain, key): (&DomainKey, Option<&PackKey>),
    fill: impl FnOnce(&mut [u8]) -> io::Result<()>,
    use_it: impl FnOnce(Frame<'_>) -> T,
) -> Result<T, Unreadable> {
    let copy = |scratch: &mut Scratch| {
        let frame = unframe(&mut scratch.read, location, id, key, fill)?;
        let plain = frame.expand(&mut scratch.decompressor)?;
        if domain.id(&Digest::of(&plain)) != id {
            return Err(Unreadable::Damaged(Damage::Hash));
        }
        Ok(use_it(frame))
    };
    with_scratch(copy).map_err(Unreadable::Io)?
}

/// Reads a blob's header and stored bytes, checks that they are those that were asked for, and
/// decrypts them.
fn unframe<'a>(
    room: &'a mut Vec<u8>,
    location: &Location,
    id: BlobId,
    key: Option<&PackKey>,
    fill: impl FnOnce(&mut [u8]) -> io::Result<()>,
) -> Result<Frame<'a>, Unreadable> {
    let len = BLOB_HEADER_LEN + location.stored_len as usize;
    room.resize((len + TAG_LEN).max(room.len()), 0);
    let bytes = &mut room[..len + TAG_LEN];
    fill(&mut bytes[..len]).map_err(Unreadable::of)?;
    let (header, stored) =
        split(&mut bytes[..len], location, id, key.is_some()).map_err(Unreadable::Damaged)?;
    let body_len = match key {
        Some(key) => key
            .decrypt(&header, stored)
            .map_err(Unreadable::Damaged)?
            .len(),
        None => stored.len(),
    };
    Ok(Frame {
        header,
        body_len,
        bytes,
    })
}

/// The header of a blob, if it is the one that was asked for, and its stored bytes.
fn split<'a>(
    framed: &'a mut [u8],
    location: &Location,
    id: BlobId,
    is_encrypted: bool,
) -> Result<(BlobHeader, &'a mut [u8]), Damage> {
    let (header, stored) = framed
        .split_first_chunk_mut::<BLOB_HEADER_LEN>()
        .ok_or(Damage::Header)?;
    let header =
        BlobHeader::decode(header, location.pack, is_encrypted).map_err(|_| Damage::Header)?;
    let is_its_own = header.id == id
        && (header.slot, header.stored_len, header.plain_len)
            == (location.slot, location.stored_len, location.plain_len);
    match is_its_own {
        true => Ok((header, stored)),
        false => Err(Damage::Header),
    }
}

impl Frame<'_> {
    /// The plaintext.
    fn expand(&self, decompressor: &mut Decompressor<'static>) -> Result<Arc<[u8]>, Unreadable> {
        let body = &self.bytes[BLOB_HEADER_LEN..][..self.body_len];
        decompress(decompressor, &self.header, body).map_err(Unreadable::Damaged)
    }
}

/// Decompresses bytes that may be anything, into exactly `header.plain_len` bytes.
pub(crate) fn expand(header: &BlobHeader, body: &[u8]) -> io::Result<Result<Arc<[u8]>, Damage>> {
    with_scratch(|scratch| decompress(&mut scratch.decompressor, header, body))
}

fn with_scratch<T>(use_it: impl FnOnce(&mut Scratch) -> T) -> io::Result<T> {
    SCRATCH.with_borrow_mut(|slot| {
        let scratch = match slot {
            Some(scratch) => scratch,
            None => slot.insert(Scratch {
                compressor: Compressor::new(LEVEL)?,
                dense: None,
                decompressor: Decompressor::new()?,
                framed: Vec::new(),
                read: Vec::new(),
            }),
        };
        Ok(use_it(scratch))
    })
}

fn frame<'a>(
    scratch: &'a mut Scratch,
    id: BlobId,
    (kind, density): (BlobKind, Density),
    plain: &[u8],
) -> Frame<'a> {
    let room = BLOB_HEADER_LEN + zstd::zstd_safe::compress_bound(MAX_PLAIN_LEN) + TAG_LEN;
    scratch.framed.resize(room, 0);
    let payload = &mut scratch.framed[BLOB_HEADER_LEN..];
    let compressor = match (&mut scratch.dense, density) {
        (Some(dense), Density::Dense) => dense,
        _ => &mut scratch.compressor,
    };
    // Nodes are hashes, which do not compress.
    let compressed = match kind {
        BlobKind::Data => compressor.compress_to_buffer(plain, payload).ok(),
        BlobKind::Meta => None,
    };
    let (compression, body_len) = match compressed {
        Some(len) if is_worth_it(len, plain.len()) => (Compression::Zstd, len),
        _ => {
            payload[..plain.len()].copy_from_slice(plain);
            (Compression::None, plain.len())
        }
    };
    let payload_crc = crc32c::crc32c(&payload[..body_len]);
    let header = BlobHeader {
        id,
        plain_len: short(plain.len()),
        stored_len: short(body_len),
        compression,
        slot: 0,
        payload_crc,
        nonce: 0,
    };
    Frame {
        header,
        body_len,
        bytes: &mut scratch.framed[..BLOB_HEADER_LEN + body_len + TAG_LEN],
    }
}

/// Compression that saves less than four per cent is not worth the time of every reader.
fn is_worth_it(stored: usize, plain: usize) -> bool {
    stored * 100 <= plain * 96
}

fn decompress(
    decompressor: &mut Decompressor<'static>,
    header: &BlobHeader,
    body: &[u8],
) -> Result<Arc<[u8]>, Damage> {
    match header.compression {
        Compression::None => Ok(Arc::from(body)),
        Compression::Zstd => decompress_zstd(decompressor, header.plain_len as usize, body),
    }
}

fn decompress_zstd(
    decompressor: &mut Decompressor<'static>,
    plain_len: usize,
    body: &[u8],
) -> Result<Arc<[u8]>, Damage> {
    let mut plain: Arc<[u8]> = std::iter::repeat_n(0, plain_len).collect();
    let room = Arc::get_mut(&mut plain).ok_or(Damage::Compression)?;
    match decompressor.decompress_to_buffer(body, room) {
        Ok(len) if len == plain_len => Ok(plain),
        _ => Err(Damage::Compression),
    }
}

/// Lengths here are bounded by [`MAX_PLAIN_LEN`], which fits.
fn short(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
