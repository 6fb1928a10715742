//! What a disk's partition table tells: whether it fits on the disk, which a raw file that was cut
//! short does not, and how the disk boots.
//!
//! Sources: UEFI specification 2.10, 5.3 (GPT); the MBR's layout as it has been since 1983.

use std::{fs::File, io, os::unix::fs::FileExt as _};

use crate::failure::{Failure, Result};

const SECTOR: u64 = 512;
/// Bytes at the start of a disk that a BIOS runs.
const BOOT_CODE: usize = 440;
/// The type of an EFI system partition in an MBR.
const EFI_SYSTEM_MBR: u8 = 0xef;
/// And in a GPT: C12A7328-F81F-11D2-BA4B-00A0C93EC93B, as its bytes lie.
const EFI_SYSTEM_GPT: [u8; 16] = [
    0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b,
];
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

/// Whether UEFI can boot the disk and a BIOS cannot: it has an EFI system partition, and where a
/// BIOS finds its code there is none.
pub(crate) fn boots_only_by_uefi(disk: &File) -> io::Result<bool> {
    let mut code = [0; BOOT_CODE];
    let count = read_up_to(disk, &mut code, 0)?;
    let found = partitions(disk)?;
    Ok(
        code[..count].iter().all(|byte| *byte == 0)
            && found.iter().any(|found| found.is_efi_system),
    )
}

/// The byte after the last partition, if there is a partition table.
fn end_of_partitions(disk: &File) -> io::Result<Option<u64>> {
    Ok(partitions(disk)?.iter().map(|found| found.end).max())
}

/// A partition, as far as it is looked at.
struct Partition {
    /// The byte after its last.
    end: u64,
    is_efi_system: bool,
}

/// All partitions; none if there is no partition table.
fn partitions(disk: &File) -> io::Result<Vec<Partition>> {
    let mut head = [0; 1024];
    let count = read_up_to(disk, &mut head, 0)?;
    if count < head.len() || head[510..512] != [0x55, 0xaa] {
        return Ok(Vec::new());
    }
    if head[512..].starts_with(b"EFI PART") {
        of_gpt(disk, &head[512..])
    } else {
        Ok(of_mbr(&head))
    }
}

fn of_mbr(head: &[u8; 1024]) -> Vec<Partition> {
    let entries = head[446..510].chunks_exact(16);
    // A boot sector of a file system without partitions has code where the entries would be;
    // then the status bytes are not those of a partition table.
    if entries
        .clone()
        .any(|entry| !matches!(entry[0], 0x00 | 0x80))
    {
        return Vec::new();
    }
    let used = entries.filter(|entry| entry[4] != 0);
    used.map(|entry| Partition {
        end: (u64::from(le32(&entry[8..])) + u64::from(le32(&entry[12..]))) * SECTOR,
        is_efi_system: entry[4] == EFI_SYSTEM_MBR,
    })
    .collect()
}

fn of_gpt(disk: &File, header: &[u8]) -> io::Result<Vec<Partition>> {
    let table = le64(&header[72..]).saturating_mul(SECTOR);
    let count = le32(&header[80..]) as usize;
    let size = le32(&header[84..]) as usize;
    if size < 48 {
        return Ok(Vec::new());
    }
    let mut entries = vec![0; count.saturating_mul(size).min(ENTRIES_MAX)];
    let read = read_up_to(disk, &mut entries, table)?;
    let used = entries[..read]
        .chunks_exact(size)
        .filter(|entry| entry[..16] != [0; 16]);
    Ok(used
        .map(|entry| Partition {
            end: le64(&entry[40..]).saturating_add(1).saturating_mul(SECTOR),
            is_efi_system: entry[..16] == EFI_SYSTEM_GPT,
        })
        .collect())
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
    fn a_disk_for_uefi_alone_is_told_from_others() {
        let only_uefi = |bytes: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            boots_only_by_uefi(&file).unwrap()
        };
        let mut disk = gpt(100, 4, 128);
        assert!(!only_uefi(&disk), "no EFI system partition");
        disk[1024 + 128..1024 + 144].copy_from_slice(&EFI_SYSTEM_GPT);
        assert!(only_uefi(&disk));
        disk[0] = 0xeb;
        assert!(!only_uefi(&disk), "code for a BIOS");
        assert!(only_uefi(&mbr(EFI_SYSTEM_MBR, 1, 2)));
        assert!(!only_uefi(&mbr(0x83, 1, 2)));
        assert!(!only_uefi(&[]));
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
