//! The data file of a sealed volume: what is written is encrypted, what is read is decrypted.
//!
//! Each sector of 512 bytes is encrypted by itself. One whose stored bytes are all zero reads as
//! zeros: that is a hole, or a range that was punched. No sector is encrypted to zeros but with a
//! probability of 2^-4096.
//!
//! A range that begins or ends within a sector is widened, by reading what lies around it. And
//! whoever read while a sector is being written would see a mixture of two ciphertexts, which is
//! noise, where a plain file shows a mixture of two contents. Against both there is a lock for each
//! block, or rather for all blocks with the same remainder: reads share it, and writes exclude them. A
//! kernel does the same for the whole of a file that is written.

use std::{
    io,
    ops::Range,
    sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError},
};

use cairn_blocks::disk::DiskFile;
use cairn_xts::Xts;

use crate::{
    geometry::{Piece, SECTOR, blocks_of, index, pieces},
    sync::{exclude, share},
};

const STRIPES: usize = 64;

/// See the head of this file. Lengths are multiples of a sector.
#[derive(Debug)]
pub(crate) struct SealedFile {
    file: Arc<dyn DiskFile>,
    xts: Xts,
    stripes: [RwLock<()>; STRIPES],
}

impl SealedFile {
    pub(crate) fn new(file: Arc<dyn DiskFile>, xts: Xts) -> Self {
        Self {
            file,
            xts,
            stripes: std::array::from_fn(|_| RwLock::new(())),
        }
    }

    fn stripe(&self, block: u64) -> &RwLock<()> {
        &self.stripes[index(block % STRIPES as u64)]
    }

    /// The shared side of a block's lock; `None` if that would have to wait and may not.
    fn share(&self, block: u64, wait: bool) -> Option<RwLockReadGuard<'_, ()>> {
        if wait {
            return Some(share(self.stripe(block)));
        }
        match self.stripe(block).try_read() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The exclusive sides of the locks of some blocks. Always in the same order, so that two who
    /// take several do not wait for each other.
    fn exclude(&self, blocks: Range<u64>) -> Vec<RwLockWriteGuard<'_, ()>> {
        let count = index(blocks.end - blocks.start);
        let wanted = |stripe: &usize| {
            let first = index(blocks.start % STRIPES as u64);
            (stripe + STRIPES - first) % STRIPES < count
        };
        (0..STRIPES)
            .filter(wanted)
            .map(|stripe| exclude(&self.stripes[stripe]))
            .collect()
    }

    /// Reads whole sectors as they are stored.
    fn read_stored(&self, buf: &mut [u8], offset: u64, wait: bool) -> io::Result<bool> {
        if wait {
            self.file.read_exact_at(buf, offset).map(|()| true)
        } else {
            self.file.try_read_exact_at(buf, offset)
        }
    }

    /// Decrypts whole sectors, but for those that are zero as they are stored.
    fn decrypt(&self, bytes: &mut [u8], offset: u64) {
        let (sectors, _) = bytes.as_chunks_mut::<{ cairn_xts::SECTOR }>();
        let mut first = offset / SECTOR;
        for run in sectors.chunk_by_mut(|a, b| is_hole(a) == is_hole(b)) {
            let count = run.len() as u64;
            if !is_hole(&run[0]) {
                self.xts.decrypt(first, run.as_flattened_mut());
            }
            first += count;
        }
    }

    /// Reads a part of one block.
    fn read_piece(&self, buf: &mut [u8], piece: &Piece, wait: bool) -> io::Result<bool> {
        let wide = widened(piece);
        if wide == (piece.offset()..piece.offset() + u64::from(piece.len)) {
            return self.read_sectors(buf, piece.block, wide.start, wait);
        }
        let mut bytes = vec![0; index(wide.end - wide.start)];
        let done = self.read_sectors(&mut bytes, piece.block, wide.start, wait)?;
        let skip = index(piece.offset() - wide.start);
        buf.copy_from_slice(&bytes[skip..skip + buf.len()]);
        Ok(done)
    }

    fn read_sectors(
        &self,
        buf: &mut [u8],
        block: u64,
        offset: u64,
        wait: bool,
    ) -> io::Result<bool> {
        let Some(reading) = self.share(block, wait) else {
            return Ok(false);
        };
        let done = self.read_stored(buf, offset, wait)?;
        drop(reading);
        if done {
            self.decrypt(buf, offset);
        }
        Ok(done)
    }

    fn read(&self, buf: &mut [u8], offset: u64, wait: bool) -> io::Result<bool> {
        for piece in pieces(offset, buf.len() as u64) {
            if !self.read_piece(&mut buf[piece.range()], &piece, wait)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn write(
        &self,
        buf: &[u8],
        offset: u64,
        write: impl Fn(&[u8], u64) -> io::Result<()>,
    ) -> io::Result<()> {
        for piece in pieces(offset, buf.len() as u64) {
            let bytes = &buf[piece.range()];
            let wide = widened(&piece);
            if wide == (piece.offset()..piece.offset() + u64::from(piece.len)) {
                let mut sealed = bytes.to_vec();
                self.xts.encrypt(wide.start / SECTOR, &mut sealed);
                let _writing = exclude(self.stripe(piece.block));
                write(&sealed, wide.start)?;
            } else {
                let _writing = exclude(self.stripe(piece.block));
                let sealed = self.sealed_over(bytes, piece.offset(), wide.clone())?;
                write(&sealed, wide.start)?;
            }
        }
        Ok(())
    }

    /// The sectors of `wide` as they are to be stored, with `bytes` at `offset`. The caller has the
    /// block's lock alone.
    fn sealed_over(&self, bytes: &[u8], offset: u64, wide: Range<u64>) -> io::Result<Vec<u8>> {
        let mut sectors = vec![0; index(wide.end - wide.start)];
        let at = index(offset - wide.start);
        let (first, last) = (0, sectors.len() - index(SECTOR));
        if at > 0 {
            self.read_sector(&mut sectors, first, wide.start)?;
        }
        if at + bytes.len() < sectors.len() && !(at > 0 && last == first) {
            self.read_sector(&mut sectors, last, wide.start)?;
        }
        sectors[at..at + bytes.len()].copy_from_slice(bytes);
        self.xts.encrypt(wide.start / SECTOR, &mut sectors);
        Ok(sectors)
    }

    /// Reads the sector at `at` of a buffer that begins at `base` of the file.
    fn read_sector(&self, sectors: &mut [u8], at: usize, base: u64) -> io::Result<()> {
        let sector = &mut sectors[at..at + index(SECTOR)];
        self.file.read_exact_at(sector, base + at as u64)?;
        self.decrypt(sector, base + at as u64);
        Ok(())
    }

    /// Writes zeros to a part of one sector. The caller has the block's lock alone.
    fn clear_part(&self, offset: u64, len: u64) -> io::Result<()> {
        if len == 0 {
            return Ok(());
        }
        let start = offset / SECTOR * SECTOR;
        let sealed = self.sealed_over(&vec![0; index(len)], offset, start..start + SECTOR)?;
        self.file.write_all_at(&sealed, start)
    }
}

/// The whole sectors that a piece touches. They lie in its block.
fn widened(piece: &Piece) -> Range<u64> {
    let end = piece.offset() + u64::from(piece.len);
    piece.offset() / SECTOR * SECTOR..end.next_multiple_of(SECTOR)
}

fn is_hole(sector: &[u8; cairn_xts::SECTOR]) -> bool {
    *sector == [0; cairn_xts::SECTOR]
}

impl DiskFile for SealedFile {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.read(buf, offset, true).map(|_| ())
    }

    fn try_read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<bool> {
        self.read(buf, offset, false)
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.write(buf, offset, |sealed, at| self.file.write_all_at(sealed, at))
    }

    fn write_all_at_durably(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.write(buf, offset, |sealed, at| {
            self.file.write_all_at_durably(sealed, at)
        })
    }

    fn punch_hole(&self, offset: u64, len: u64) -> io::Result<()> {
        let end = offset + len;
        let _writing = self.exclude(blocks_of(offset, len));
        // The whole sectors in between are punched; of those at the ends a part is cleared.
        let (first, last) = (offset.next_multiple_of(SECTOR), end / SECTOR * SECTOR);
        if first > last {
            return self.clear_part(offset, len);
        }
        self.clear_part(offset, first - offset)?;
        self.clear_part(last, end - last)?;
        self.file.punch_hole(first, last - first)
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        self.file.allocate(offset, len)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        self.file.next_data(offset)
    }

    fn next_hole(&self, offset: u64) -> io::Result<u64> {
        self.file.next_hole(offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn forget_cached(&self) -> io::Result<()> {
        self.file.forget_cached()
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.file.try_lock()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use cairn_blocks::disk::{Disk as _, OpenMode};
    use cairn_testkit::{Rng, SimDisk};
    use zeroize::Zeroizing;

    use super::*;
    use crate::{geometry::BLOCK, seal::Keys};

    const LEN: usize = 3 * 524_288;

    fn sealed(sim: &SimDisk) -> SealedFile {
        let file = sim.open(Path::new("/data"), OpenMode::CreateNew).unwrap();
        file.set_len(LEN as u64).unwrap();
        let key = cairn_blocks::DataKey::new(Zeroizing::new([9; 32]));
        SealedFile::new(file, Keys::new(key).data().unwrap())
    }

    fn contents(file: &SealedFile) -> Vec<u8> {
        let mut bytes = vec![1; LEN];
        file.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    }

    #[test]
    fn it_holds_what_a_plain_file_would() {
        let sim = SimDisk::new();
        sim.create_dir_all(Path::new("/")).unwrap();
        let (file, mut rng) = (sealed(&sim), Rng::new(1));
        let mut model = vec![0; LEN];
        for round in 0..400 {
            // At the borders of blocks, of sectors, and anywhere.
            let near = [0, 524_288, 1_048_576, 5000][rng.index(4)];
            let around = [1, 512, 513, 1500, 600_000][rng.index(5)];
            let offset = (near + rng.index(around)).min(LEN - 1);
            let len = [1, 200, 512, 4096, 530_000][rng.index(5)].min(LEN - offset);
            let range = offset..offset + len;
            if rng.one_in(4) {
                file.punch_hole(offset as u64, len as u64).unwrap();
                model[range.clone()].fill(0);
            } else {
                rng.fill(&mut model[range.clone()]);
                file.write_all_at(&model[range.clone()], offset as u64)
                    .unwrap();
            }
            let mut bytes = vec![1; len];
            assert!(file.try_read_exact_at(&mut bytes, offset as u64).unwrap());
            assert!(bytes == model[range], "round {round}");
            if round % 20 == 0 {
                assert!(contents(&file) == model, "round {round}");
            }
        }
        assert!(contents(&file) == model);
    }

    #[test]
    fn no_plain_sector_is_stored_and_holes_stay_holes() {
        let sim = SimDisk::new();
        sim.create_dir_all(Path::new("/")).unwrap();
        let file = sealed(&sim);
        assert_eq!(file.next_data(0).unwrap(), None);
        assert!(contents(&file) == vec![0; LEN]);
        file.write_all_at(&[7; 1000], 100).unwrap();
        file.write_all_at(&[0; 512], 4096).unwrap();
        let stored = sim.contents("/data");
        assert!(!stored.windows(16).any(|bytes| bytes == [7; 16]));
        assert!(
            stored[4096..4608] != [0; 512],
            "zeros that were written are told from holes"
        );
        file.punch_hole(0, 8192).unwrap();
        assert!(sim.contents("/data").iter().all(|byte| *byte == 0));
    }

    #[test]
    fn writers_of_one_sector_do_not_undo_each_other() {
        let sim = SimDisk::new();
        sim.create_dir_all(Path::new("/")).unwrap();
        let file = sealed(&sim);
        std::thread::scope(|scope| {
            for part in 0..8_u8 {
                let file = &file;
                scope.spawn(move || {
                    for round in 0..500_u16 {
                        let byte = part + 8 * u8::try_from(round % 31).unwrap();
                        let offset = u64::from(part) * 64;
                        file.write_all_at(&[byte; 64], offset).unwrap();
                        let mut bytes = [0; 64];
                        file.read_exact_at(&mut bytes, offset).unwrap();
                        assert!(bytes == [byte; 64], "part {part}");
                    }
                });
            }
        });
    }

    #[test]
    fn a_read_that_may_not_wait_says_so() {
        let sim = SimDisk::new();
        sim.create_dir_all(Path::new("/")).unwrap();
        let file = sealed(&sim);
        let _writing = file.exclude(1..2);
        let mut bytes = [0; 512];
        assert!(!file.try_read_exact_at(&mut bytes, BLOCK).unwrap());
        assert!(file.try_read_exact_at(&mut bytes, 0).unwrap());
        assert_eq!(file.exclude(2..2).len(), 0);
        assert_eq!(file.exclude(60..64).len() + file.exclude(64..65).len(), 5);
    }
}
