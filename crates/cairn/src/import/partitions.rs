//! Whether a disk's partition table fits on the disk: the mark of a raw file that was cut short.
//!
//! Sources: UEFI specification 2.10, 5.3 (GPT); the MBR's layout as it has been since 1983.

use std::{fs::File, io, os::unix::fs::FileExt as _};

use crate::failure::{Failure, Result};

const SECTOR: u64 = 512;
/// The greatest partition table that is read.
const ENTRIES_MAX: usize = 1 << 20;

/// Refuses a disk whose partitions reach beyond its end.
pub(crate) fn check_fit(disk: &File, length: u64) -> Result<()> {
    let end = end_of_partitions(disk)
        .map_err(|cause| Failure::failed(format!("cannot read the disk: {cause}")))?;
    match end {
        Some(end) if end > length => Err(Failure::bad_image(format!(
            "the disk is truncated: its partitions reach to byte {end}, but the disk ends at byte {length}"
        ))),
        _ => Ok(()),
    }
}

/// The byte after the last partition, if there is a partition table.
fn end_of_partitions(disk: &File) -> io::Result<Option<u64>> {
    let mut head = [0; 1024];
    let count = read_up_to(disk, &mut head, 0)?;
    if count < head.len() || head[510..512] != [0x55, 0xaa] {
        return Ok(None);
    }
    if head[512..].starts_with(b"EFI PART") {
        gpt_end(disk, &head[512..])
    } else {
        Ok(mbr_end(&head))
    }
}

fn mbr_end(head: &[u8; 1024]) -> Option<u64> {
    let entries = head[446..510].chunks_exact(16);
    // A boot sector of a file system without partitions has code where the entries would be;
    // then the status bytes are not those of a partition table.
    if entries
        .clone()
        .any(|entry| !matches!(entry[0], 0x00 | 0x80))
    {
        return None;
    }
    let used = entries.filter(|entry| entry[4] != 0);
    used.map(|entry| (u64::from(le32(&entry[8..])) + u64::from(le32(&entry[12..]))) * SECTOR)
        .max()
}

fn gpt_end(disk: &File, header: &[u8]) -> io::Result<Option<u64>> {
    let table = le64(&header[72..]).saturating_mul(SECTOR);
    let count = le32(&header[80..]) as usize;
    let size = le32(&header[84..]) as usize;
    if size < 48 {
        return Ok(None);
    }
    let mut entries = vec![0; count.saturating_mul(size).min(ENTRIES_MAX)];
    let read = read_up_to(disk, &mut entries, table)?;
    let used = entries[..read]
        .chunks_exact(size)
        .filter(|entry| entry[..16] != [0; 16]);
    Ok(used
        .map(|entry| le64(&entry[40..]).saturating_add(1).saturating_mul(SECTOR))
        .max())
}

fn read_up_to(disk: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < bytes.len() {
        match disk.read_at(&mut bytes[done..], offset.saturating_add(done as u64)) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            // An offset that no file can have holds nothing.
            Err(cause) if cause.kind() == io::ErrorKind::InvalidInput => break,
            Err(cause) => return Err(cause),
        }
    }
    Ok(done)
}

fn le32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

fn le64(bytes: &[u8]) -> u64 {
    u64::from(le32(bytes)) | u64::from(le32(&bytes[4..])) << 32
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn checked(bytes: &[u8], length: u64) -> Result<()> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        check_fit(&file, length)
    }

    fn mbr(kind: u8, start: u32, sectors: u32) -> Vec<u8> {
        let mut bytes = vec![0; 2048];
        bytes[446 + 4] = kind;
        bytes[446 + 8..446 + 12].copy_from_slice(&start.to_le_bytes());
        bytes[446 + 12..446 + 16].copy_from_slice(&sectors.to_le_bytes());
        bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
        bytes
    }

    fn gpt(last_lba: u64, count: u32, size: u32) -> Vec<u8> {
        let mut bytes = mbr(0xee, 1, u32::MAX);
        bytes[512..520].copy_from_slice(b"EFI PART");
        bytes[512 + 72..512 + 80].copy_from_slice(&2u64.to_le_bytes());
        bytes[512 + 80..512 + 84].copy_from_slice(&count.to_le_bytes());
        bytes[512 + 84..512 + 88].copy_from_slice(&size.to_le_bytes());
        bytes[1024] = 1;
        bytes[1024 + 40..1024 + 48].copy_from_slice(&last_lba.to_le_bytes());
        bytes
    }

    #[test]
    fn partitions_have_to_end_on_the_disk() {
        checked(&mbr(0x83, 2048, 2048), 4096 * 512).unwrap();
        assert_eq!(
            checked(&mbr(0x83, 2048, 2049), 4096 * 512)
                .unwrap_err()
                .exit_code(),
            7
        );
        checked(&gpt(4095, 4, 128), 4096 * 512).unwrap();
        assert_eq!(
            checked(&gpt(4096, 4, 128), 4096 * 512)
                .unwrap_err()
                .exit_code(),
            7
        );
    }

    #[test]
    fn disks_without_a_table_are_no_concern_of_this() {
        checked(&[0xff; 4096], 1).unwrap();
        checked(&[], 1).unwrap();
        let mut boot_sector = mbr(0x83, u32::MAX, u32::MAX);
        boot_sector[446] = 0x74;
        checked(&boot_sector, 1).unwrap();
    }

    #[test]
    fn hostile_tables_are_bounded() {
        assert_eq!(
            checked(&gpt(u64::MAX, u32::MAX, 128), 1 << 30)
                .unwrap_err()
                .exit_code(),
            7
        );
        checked(&gpt(1, u32::MAX, u32::MAX), 1 << 30).unwrap();
        checked(&gpt(1, 1, 0), 1 << 30).unwrap();
    }
}
