//! The blocks of a raw disk that are not zero, in order, found without reading its holes.

use std::{fs::File, io, os::unix::fs::FileExt as _};

use bytes::Bytes;
use rustix::{
    fs::{SeekFrom, seek},
    io::Errno,
};

use crate::client::ebs::{BLOCK_SIZE, Digest};

/// A block to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// Position on the disk, in blocks.
    pub(crate) index: u64,
    /// [`BLOCK_SIZE`] bytes; what lies beyond the end of the disk is zero.
    pub(crate) data: Bytes,
    /// Their SHA-256.
    pub(crate) digest: Digest,
}

/// A stretch of blocks that may hold something, `begin..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    begin: u64,
    end: u64,
}

impl Stretch {
    /// How many blocks it has.
    pub(crate) fn count(self) -> u64 {
        self.end - self.begin
    }

    /// Their positions, in order.
    pub(crate) fn indexes(self) -> std::ops::Range<u64> {
        self.begin..self.end
    }
}

/// Where the disk is no hole, by the file system's knowledge; neighbours do not overlap.
pub(crate) fn stretches(file: &File, length: u64) -> io::Result<Vec<Stretch>> {
    let block = BLOCK_SIZE as u64;
    let mut found: Vec<Stretch> = Vec::new();
    let mut position = 0;
    while position < length {
        let Some((data, hole)) = next_data(file, position, length)? else {
            break;
        };
        let begin = (data / block).max(found.last().map_or(0, |last| last.end));
        let end = hole.div_ceil(block);
        match found.last_mut() {
            Some(last) if last.end == begin => last.end = end,
            _ => found.push(Stretch { begin, end }),
        }
        position = end * block;
    }
    Ok(found)
}

/// The next stretch of bytes that is no hole, `(begin, end)`.
fn next_data(file: &File, position: u64, length: u64) -> io::Result<Option<(u64, u64)>> {
    let data = match seek(file, SeekFrom::Data(position)) {
        Ok(data) => data,
        Err(Errno::NXIO) => return Ok(None),
        // Block devices and some file systems cannot tell: then all of it may be data.
        Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(Some((position, length))),
        Err(cause) => return Err(cause.into()),
    };
    let hole = seek(file, SeekFrom::Hole(data))?;
    Ok((data < length).then_some((data, hole.min(length))))
}

/// Reads a block, or gives none if it is all zeros.
pub(crate) fn read_block(file: &File, length: u64, index: u64) -> io::Result<Option<Block>> {
    let offset = index * BLOCK_SIZE as u64;
    let within = usize::try_from(length.saturating_sub(offset))
        .unwrap_or(usize::MAX)
        .min(BLOCK_SIZE);
    let mut data = vec![0; BLOCK_SIZE];
    file.read_exact_at(&mut data[..within], offset)?;
    if is_zero(&data) {
        return Ok(None);
    }
    let digest = sha256(&data);
    Ok(Some(Block {
        index,
        data: data.into(),
        digest,
    }))
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    let mut digest = [0; 32];
    digest.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref());
    digest
}

fn is_zero(bytes: &[u8]) -> bool {
    // Equal to itself shifted by one, and beginning with zero: all zero. Compiles to memcmp.
    bytes.first() == Some(&0) && bytes[1..] == bytes[..bytes.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: u64 = BLOCK_SIZE as u64;

    fn sparse(length: u64, writes: &[(u64, &[u8])]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.set_len(length).unwrap();
        for (offset, bytes) in writes {
            file.write_all_at(bytes, *offset).unwrap();
        }
        file
    }

    fn indexes(file: &File, length: u64) -> Vec<u64> {
        let found = stretches(file, length).unwrap();
        let all = found.into_iter().flat_map(Stretch::indexes);
        all.filter(|index| read_block(file, length, *index).unwrap().is_some())
            .collect()
    }

    #[test]
    fn every_block_that_is_not_zero_is_found_once() {
        let length = 40 * BLOCK + 100;
        let writes: [(u64, &[u8]); 5] = [
            (3 * BLOCK - 1, b"ab"),
            (7 * BLOCK + 5, b"c"),
            (9 * BLOCK, &[0; 4096]),
            (20 * BLOCK, b"d"),
            (length - 1, b"e"),
        ];
        let file = sparse(length, &writes);
        assert_eq!(indexes(&file, length), [2, 3, 7, 20, 40]);
    }

    #[test]
    fn an_empty_disk_has_no_blocks() {
        assert!(indexes(&sparse(10 * BLOCK, &[]), 10 * BLOCK).is_empty());
    }

    #[test]
    fn the_last_block_is_filled_up_with_zeros() {
        let file = sparse(BLOCK + 3, &[(BLOCK, b"xyz")]);
        let block = read_block(&file, BLOCK + 3, 1).unwrap().unwrap();
        assert_eq!(block.data.len(), BLOCK_SIZE);
        assert!(block.data.starts_with(b"xyz\0") && is_zero(&block.data[3..]));
        assert_eq!(block.digest, sha256(&block.data));
    }

    #[test]
    fn zero_means_every_byte() {
        let mut bytes = vec![0; 1000];
        assert!(is_zero(&bytes));
        for position in [0, 1, 500, 999] {
            bytes[position] = 1;
            assert!(!is_zero(&bytes), "{position}");
            bytes[position] = 0;
        }
        assert!(!is_zero(&[1; 10]));
    }
}
