//! A blob made ready for a pack: compressed, with its header; and the way back.

use std::{cell::RefCell, io, sync::Arc};

use zstd::bulk::{Compressor, Decompressor};

use crate::{
    error::Damage,
    pack_format::{BLOB_HEADER_LEN, BlobHeader, Compression, MAX_PLAIN_LEN},
    types::{BlobId, BlobKind, Digest, Location, PackId},
};

/// zstd's level 1: measured at twice the speed of level 3 for one per cent of size.
const LEVEL: i32 = 1;

/// A blob whose header lacks only what its pack decides: its slot.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    header: BlobHeader,
    /// Room for the header, then the stored bytes.
    bytes: &'a mut [u8],
}

impl Frame<'_> {
    /// Which blob this is.
    pub(crate) fn id(&self) -> BlobId {
        self.header.id
    }

    /// Length of the stored bytes, without the header.
    pub(crate) fn stored_len(&self) -> u32 {
        self.header.stored_len
    }

    /// Length of the plaintext.
    pub(crate) fn plain_len(&self) -> u32 {
        self.header.plain_len
    }

    /// The bytes to append to `pack`: header and stored bytes.
    pub(crate) fn bytes_for(&mut self, pack: PackId, slot: u32) -> &[u8] {
        self.header.slot = slot;
        self.bytes[..BLOB_HEADER_LEN].copy_from_slice(&self.header.encode(pack));
        self.bytes
    }
}

/// Memory that a thread uses over and over to compress and decompress.
struct Scratch {
    compressor: Compressor<'static>,
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
    kind: BlobKind,
    plain: &[u8],
    use_it: impl FnOnce(Frame<'_>) -> T,
) -> io::Result<T> {
    with_scratch(|scratch| use_it(frame(scratch, id, kind, plain)))
}

/// Why a blob could not be read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// Its bytes are not those of the blob.
    Damaged(Damage),
    /// The file system failed.
    Io(io::Error),
}

/// Lends memory of this thread to `fill`, which reads a blob's header and stored bytes into it,
/// and decodes them.
pub(crate) fn read(
    location: &Location,
    id: BlobId,
    fill: impl FnOnce(&mut [u8]) -> io::Result<()>,
) -> Result<Arc<[u8]>, Unreadable> {
    let decode = |scratch: &mut Scratch| {
        let Scratch {
            read, decompressor, ..
        } = scratch;
        let framed = fill_frame(read, location, fill)?;
        let (_, plain) =
            unframe(decompressor, location, id, framed).map_err(Unreadable::Damaged)?;
        Ok(plain)
    };
    with_scratch(decode).map_err(Unreadable::Io)?
}

/// As [`read`], but checks the hash too and lends the frame to `use_it`, which may append it to
/// another pack as it is, and must not come back here.
pub(crate) fn with_copy<T>(
    location: &Location,
    id: BlobId,
    fill: impl FnOnce(&mut [u8]) -> io::Result<()>,
    use_it: impl FnOnce(Frame<'_>) -> T,
) -> Result<T, Unreadable> {
    let copy = |scratch: &mut Scratch| {
        let Scratch {
            read, decompressor, ..
        } = scratch;
        let framed = fill_frame(read, location, fill)?;
        let (header, plain) =
            unframe(decompressor, location, id, framed).map_err(Unreadable::Damaged)?;
        if BlobId::from(Digest::of(&plain)) != id {
            return Err(Unreadable::Damaged(Damage::Hash));
        }
        let bytes = framed;
        Ok(use_it(Frame { header, bytes }))
    };
    with_scratch(copy).map_err(Unreadable::Io)?
}

/// Reads a blob's header and stored bytes.
fn fill_frame<'a>(
    room: &'a mut Vec<u8>,
    location: &Location,
    fill: impl FnOnce(&mut [u8]) -> io::Result<()>,
) -> Result<&'a mut [u8], Unreadable> {
    let len = BLOB_HEADER_LEN + location.stored_len as usize;
    room.resize(len.max(room.len()), 0);
    let framed = &mut room[..len];
    fill(framed).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Unreadable::Damaged(Damage::Truncated),
        _ => Unreadable::Io(error),
    })?;
    Ok(framed)
}

/// Decompresses stored bytes that may be anything, into exactly `header.plain_len` bytes.
pub(crate) fn expand(header: &BlobHeader, stored: &[u8]) -> io::Result<Result<Arc<[u8]>, Damage>> {
    with_scratch(|scratch| decompress(&mut scratch.decompressor, header, stored))
}

fn with_scratch<T>(use_it: impl FnOnce(&mut Scratch) -> T) -> io::Result<T> {
    SCRATCH.with_borrow_mut(|slot| {
        let scratch = match slot {
            Some(scratch) => scratch,
            None => slot.insert(Scratch {
                compressor: Compressor::new(LEVEL)?,
                decompressor: Decompressor::new()?,
                framed: Vec::new(),
                read: Vec::new(),
            }),
        };
        Ok(use_it(scratch))
    })
}

fn frame<'a>(scratch: &'a mut Scratch, id: BlobId, kind: BlobKind, plain: &[u8]) -> Frame<'a> {
    let room = BLOB_HEADER_LEN + zstd::zstd_safe::compress_bound(MAX_PLAIN_LEN);
    scratch.framed.resize(room, 0);
    let payload = &mut scratch.framed[BLOB_HEADER_LEN..];
    // Nodes are hashes, which do not compress.
    let compressed = match kind {
        BlobKind::Data => scratch.compressor.compress_to_buffer(plain, payload).ok(),
        BlobKind::Meta => None,
    };
    let (compression, stored_len) = match compressed {
        Some(len) if is_worth_it(len, plain.len()) => (Compression::Zstd, len),
        _ => {
            payload[..plain.len()].copy_from_slice(plain);
            (Compression::None, plain.len())
        }
    };
    let payload_crc = crc32c::crc32c(&payload[..stored_len]);
    let header = BlobHeader {
        id,
        plain_len: short(plain.len()),
        stored_len: short(stored_len),
        compression,
        slot: 0,
        payload_crc,
    };
    Frame {
        header,
        bytes: &mut scratch.framed[..BLOB_HEADER_LEN + stored_len],
    }
}

/// Compression that saves less than four per cent is not worth the time of every reader.
fn is_worth_it(stored: usize, plain: usize) -> bool {
    stored * 100 <= plain * 96
}

fn unframe(
    decompressor: &mut Decompressor<'static>,
    location: &Location,
    id: BlobId,
    framed: &[u8],
) -> Result<(BlobHeader, Arc<[u8]>), Damage> {
    let (header, stored) = framed
        .split_first_chunk::<BLOB_HEADER_LEN>()
        .ok_or(Damage::Header)?;
    let header = BlobHeader::decode(header, location.pack).map_err(|_| Damage::Header)?;
    let is_its_own = header.id == id
        && (header.slot, header.stored_len, header.plain_len)
            == (location.slot, location.stored_len, location.plain_len);
    if !is_its_own {
        return Err(Damage::Header);
    }
    let plain = decompress(decompressor, &header, stored)?;
    Ok((header, plain))
}

fn decompress(
    decompressor: &mut Decompressor<'static>,
    header: &BlobHeader,
    stored: &[u8],
) -> Result<Arc<[u8]>, Damage> {
    match header.compression {
        Compression::None => Ok(Arc::from(stored)),
        Compression::Zstd => decompress_zstd(decompressor, header.plain_len as usize, stored),
    }
}

fn decompress_zstd(
    decompressor: &mut Decompressor<'static>,
    plain_len: usize,
    stored: &[u8],
) -> Result<Arc<[u8]>, Damage> {
    let mut plain: Arc<[u8]> = std::iter::repeat_n(0, plain_len).collect();
    let room = Arc::get_mut(&mut plain).ok_or(Damage::Compression)?;
    match decompressor.decompress_to_buffer(stored, room) {
        Ok(len) if len == plain_len => Ok(plain),
        _ => Err(Damage::Compression),
    }
}

/// Lengths here are bounded by [`MAX_PLAIN_LEN`], which fits.
fn short(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
