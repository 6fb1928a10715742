//! Which format a disk file has, and whether it may be opened at all.
//!
//! A disk image can name other files: backing files, external data files, extents. A program that
//! opens those reads whatever file of this machine the image's author chose (CVE-2015-5163,
//! CVE-2022-47951, CVE-2024-32498). So the headers are read here first, by code that opens
//! nothing, and whatever refers to something else is refused.
//!
//! Sources: QEMU's `docs/interop/qcow2.txt`; VMware's "Virtual Disk Format 5.0"; Microsoft's
//! "Virtual Hard Disk Image Format Specification".

use std::{fs::File, io, os::unix::fs::FileExt as _, path::Path};

use crate::{
    cli::{Format, spelling},
    failure::{Failure, Result},
};

/// Bytes at the start of a file that are looked at.
const HEAD: usize = 64 << 10;
/// Bytes of a VHD's footer.
const FOOTER: usize = 512;
/// The longest VMDK descriptor that is read; real ones have less than a kilobyte.
const DESCRIPTOR_MAX: u64 = 1 << 20;

/// The format of a file, after checking that the file stands alone. `wanted` is what the user
/// says it is; raw is believed, since every file is a raw disk.
pub(crate) fn inspect(file: &File, length: u64, wanted: Option<Format>) -> Result<Format> {
    if length == 0 {
        return Err(Failure::bad_image("the file is empty"));
    }
    let head = read(file, 0, HEAD as u64, length)?;
    let tail = read(
        file,
        length.saturating_sub(FOOTER as u64),
        FOOTER as u64,
        length,
    )?;
    let format = match wanted {
        Some(Format::Raw) => return Ok(Format::Raw),
        Some(wanted) => expect(wanted, &head, &tail)?,
        None => detect(&head, &tail)?,
    };
    match format {
        Format::Qcow2 => check_qcow2(&head)?,
        Format::Vmdk => check_vmdk(file, length, &head)?,
        Format::Vpc => check_vpc(&tail)?,
        Format::Raw | Format::Vhdx => {}
    }
    Ok(format)
}

/// Refuses a file whose name says a format that nothing in it does: one that was cut short has lost
/// a VHD's only mark, and its bytes would become a disk that nobody can read.
pub(crate) fn check_extension(path: &Path, found: Format) -> Result<()> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let extension = extension.map(str::to_ascii_lowercase).unwrap_or_default();
    let is_named_otherwise = matches!(
        extension.as_str(),
        "qcow" | "qcow2" | "vmdk" | "vhd" | "vpc" | "vhdx"
    );
    if found == Format::Raw && is_named_otherwise {
        return Err(Failure::bad_image(format!(
            "this is named as a {extension} file, but nothing in it marks it as one; it may be truncated. \
             If it is a raw disk, say so with --format raw"
        )));
    }
    Ok(())
}

fn read(file: &File, offset: u64, count: u64, length: u64) -> Result<Vec<u8>> {
    let count = count.min(length.saturating_sub(offset));
    let mut bytes = vec![0; usize::try_from(count).unwrap_or(0)];
    match file.read_exact_at(&mut bytes, offset) {
        Ok(()) => Ok(bytes),
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
            Err(Failure::failed("the file became shorter while it was read"))
        }
        Err(cause) => Err(Failure::failed(format!("cannot read the file: {cause}"))),
    }
}

/// What the user says the file is has to be what its header says.
fn expect(wanted: Format, head: &[u8], tail: &[u8]) -> Result<Format> {
    match magic(head, tail) {
        Some(Magic::Known(found)) if found == wanted => Ok(wanted),
        Some(Magic::Refused(why)) => Err(Failure::bad_image(why)),
        _ => Err(Failure::bad_image(format!(
            "this is not a {} file, or it is truncated: what marks one is missing",
            spelling(wanted)
        ))),
    }
}

fn detect(head: &[u8], tail: &[u8]) -> Result<Format> {
    match magic(head, tail) {
        Some(Magic::Known(format)) => Ok(format),
        Some(Magic::Refused(why)) => Err(Failure::bad_image(why)),
        None => Ok(Format::Raw),
    }
}

enum Magic {
    Known(Format),
    Refused(&'static str),
}

/// What the marks of a file say that it is; none for a raw disk.
fn magic(head: &[u8], tail: &[u8]) -> Option<Magic> {
    const DESCRIPTOR: &str = "this is a VMDK descriptor, which names other files as its extents; \
         convert the disk into one file first: qemu-img convert -O qcow2";
    const COMPRESSED: &str = "this is a compressed file; unpack it first";
    const ARCHIVE: &str =
        "this is an archive; unpack it first, and import the disk file that is in it";
    const CONVERT: &str =
        "this format is not supported; convert it first: qemu-img convert -O qcow2";
    let marks: [(usize, &[u8], Magic); 17] = [
        (0, b"QFI\xfb", Magic::Known(Format::Qcow2)),
        (0, b"KDMV", Magic::Known(Format::Vmdk)),
        (0, b"vhdxfile", Magic::Known(Format::Vhdx)),
        (0, b"COWD", Magic::Refused(CONVERT)),
        (0, b"# Disk DescriptorFile", Magic::Refused(DESCRIPTOR)),
        (0, b"QED\0", Magic::Refused(CONVERT)),
        (0, b"WithoutFreeSpace", Magic::Refused(CONVERT)),
        (0, b"WithouFreSpacExt", Magic::Refused(CONVERT)),
        (64, &[0x7f, 0x10, 0xda, 0xbe], Magic::Refused(CONVERT)),
        (0, &[0x1f, 0x8b, 0x08], Magic::Refused(COMPRESSED)),
        (0, b"\xfd7zXZ\0", Magic::Refused(COMPRESSED)),
        (0, &[0x28, 0xb5, 0x2f, 0xfd], Magic::Refused(COMPRESSED)),
        (0, b"BZh", Magic::Refused(COMPRESSED)),
        (0, b"PK\x03\x04", Magic::Refused(ARCHIVE)),
        (0, b"7z\xbc\xaf\x27\x1c", Magic::Refused(ARCHIVE)),
        (257, b"ustar", Magic::Refused(ARCHIVE)),
        (0, b"conectix", Magic::Known(Format::Vpc)),
    ];
    let at = |offset: usize, mark: &[u8]| {
        head.get(offset..)
            .is_some_and(|bytes| bytes.starts_with(mark))
    };
    let found = marks
        .into_iter()
        .find(|(offset, mark, _)| at(*offset, mark))
        .map(|(_, _, magic)| magic);
    found.or_else(|| {
        tail.starts_with(b"conectix")
            .then_some(Magic::Known(Format::Vpc))
    })
}

fn check_qcow2(head: &[u8]) -> Result<()> {
    const EXTERNAL_DATA: u64 = 1 << 2;
    let truncated = || Failure::bad_image("the qcow2 header is truncated");
    let version = be32(head, 4).ok_or_else(truncated)?;
    let backing_file_offset = be64(head, 8).ok_or_else(truncated)?;
    let crypt_method = be32(head, 32).ok_or_else(truncated)?;
    let incompatible = if version >= 3 {
        be64(head, 72).ok_or_else(truncated)?
    } else {
        0
    };
    if !matches!(version, 2 | 3) {
        return Err(Failure::bad_image(format!(
            "qcow version {version} is not supported, only qcow2 (2 and 3)"
        )));
    }
    if backing_file_offset != 0 {
        return Err(Failure::bad_image(
            "the image has a backing file; only images that stand alone are imported: qemu-img convert -O qcow2 \
             makes one, if you trust the file that it names",
        ));
    }
    if incompatible & EXTERNAL_DATA != 0 {
        return Err(Failure::bad_image(
            "the image keeps its data in another file; only images that stand alone are imported",
        ));
    }
    if crypt_method != 0 {
        return Err(Failure::bad_image(
            "the image is encrypted; decrypt it first",
        ));
    }
    Ok(())
}

fn check_vmdk(file: &File, length: u64, head: &[u8]) -> Result<()> {
    let truncated = || Failure::bad_image("the VMDK header is truncated");
    let capacity = le64(head, 12).ok_or_else(truncated)?;
    let descriptor_sector = le64(head, 28).ok_or_else(truncated)?;
    let descriptor_sectors = le64(head, 36).ok_or_else(truncated)?;
    // With no capacity of its own the header only wraps a descriptor, whose extents would be opened.
    if capacity == 0 || descriptor_sector == 0 || descriptor_sectors == 0 {
        return Err(Failure::bad_image(
            "the VMDK has no disk of its own, or no descriptor; only images in one file are imported",
        ));
    }
    let offset = descriptor_sector
        .checked_mul(512)
        .filter(|offset| *offset < length)
        .ok_or_else(truncated)?;
    let count = descriptor_sectors.saturating_mul(512).min(DESCRIPTOR_MAX);
    let bytes = read(file, offset, count, length)?;
    check_vmdk_descriptor(&String::from_utf8_lossy(&bytes))
}

fn check_vmdk_descriptor(descriptor: &str) -> Result<()> {
    let refused = |why: &str| {
        Err(Failure::bad_image(format!(
            "{why}; only VMDK images in one file are imported"
        )))
    };
    let lines = || descriptor.split(['\n', '\r', '\0']).map(str::trim);
    let value = |wanted: &str| {
        lines()
            .filter_map(|line| line.split_once('='))
            .find(|(key, _)| key.trim().eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.trim().trim_matches('"').to_ascii_lowercase())
    };
    let kind = value("createType").unwrap_or_default();
    if !matches!(kind.as_str(), "monolithicsparse" | "streamoptimized") {
        return refused(&format!("the VMDK is of type {kind:?}"));
    }
    if value("parentCID").is_some_and(|parent| parent != "ffffffff")
        || value("parentFileNameHint").is_some()
    {
        return refused("the VMDK has a parent");
    }
    let extents: Vec<_> = lines().filter(|line| is_extent(line)).collect();
    match extents[..] {
        [only] if !only.contains(['/', '\\']) => Ok(()),
        _ => refused("the VMDK names other files as its extents"),
    }
}

/// Whether a descriptor's line is one such as `RW 2048 SPARSE "disk.vmdk"`.
fn is_extent(line: &str) -> bool {
    let first = line.split_ascii_whitespace().next().unwrap_or_default();
    ["RW", "RDONLY", "NOACCESS"]
        .iter()
        .any(|access| first.eq_ignore_ascii_case(access))
}

fn check_vpc(footer: &[u8]) -> Result<()> {
    if !footer.starts_with(b"conectix") {
        return Err(Failure::bad_image(
            "the VHD is truncated: the footer at its end is missing",
        ));
    }
    match be32(footer, 60) {
        Some(2 | 3) => Ok(()),
        Some(4) => Err(Failure::bad_image(
            "the VHD has a parent; only images that stand alone are imported",
        )),
        _ => Err(Failure::bad_image("the VHD's type is unknown")),
    }
}

fn be32(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_be_bytes(
        bytes.get(offset..offset + 4)?.try_into().ok()?,
    ))
}

fn be64(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_be_bytes(
        bytes.get(offset..offset + 8)?.try_into().ok()?,
    ))
}

fn le64(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_le_bytes(
        bytes.get(offset..offset + 8)?.try_into().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn inspected(bytes: &[u8], wanted: Option<Format>) -> Result<Format> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        inspect(&file, bytes.len() as u64, wanted)
    }

    fn refusal(bytes: &[u8], wanted: Option<Format>) -> String {
        let failure = inspected(bytes, wanted).unwrap_err();
        assert_eq!(failure.exit_code(), 7, "{failure}");
        failure.to_string()
    }

    fn put(bytes: &mut [u8], offset: usize, value: &[u8]) {
        bytes[offset..offset + value.len()].copy_from_slice(value);
    }

    fn qcow2(version: u32) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        put(&mut bytes, 0, b"QFI\xfb");
        put(&mut bytes, 4, &version.to_be_bytes());
        bytes
    }

    fn vmdk(descriptor: &str) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        put(&mut bytes, 0, b"KDMV");
        put(&mut bytes, 12, &2048u64.to_le_bytes());
        put(&mut bytes, 28, &1u64.to_le_bytes());
        put(&mut bytes, 36, &4u64.to_le_bytes());
        put(&mut bytes, 512, descriptor.as_bytes());
        bytes
    }

    const DESCRIPTOR: &str = "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\n\
                              createType=\"monolithicSparse\"\nRW 2048 SPARSE \"disk.vmdk\"\n";

    fn vhd(kind: u32) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        put(&mut bytes, 4096 - 512, b"conectix");
        put(&mut bytes, 4096 - 512 + 60, &kind.to_be_bytes());
        bytes
    }

    #[test]
    fn formats_are_told_by_their_marks() {
        assert_eq!(inspected(&[0; 4096], None).unwrap(), Format::Raw);
        assert_eq!(inspected(&qcow2(3), None).unwrap(), Format::Qcow2);
        assert_eq!(inspected(&vmdk(DESCRIPTOR), None).unwrap(), Format::Vmdk);
        assert_eq!(inspected(&vhd(2), None).unwrap(), Format::Vpc);
        assert_eq!(inspected(b"vhdxfile....", None).unwrap(), Format::Vhdx);
    }

    #[test]
    fn raw_is_believed_and_nothing_else_is() {
        assert_eq!(
            inspected(&qcow2(3), Some(Format::Raw)).unwrap(),
            Format::Raw
        );
        assert!(refusal(&[0; 4096], Some(Format::Qcow2)).contains("not a qcow2 file"));
        assert!(refusal(&qcow2(3), Some(Format::Vhdx)).contains("not a vhdx file"));
    }

    #[test]
    fn a_name_that_says_more_than_the_file_is_doubted() {
        let check = |name: &str, found| check_extension(Path::new(name), found);
        for name in ["disk.vhd", "disk.QCOW2", "a.b.vmdk"] {
            let failure = check(name, Format::Raw).unwrap_err();
            assert_eq!(failure.exit_code(), 7, "{name}");
            assert!(failure.to_string().contains("--format raw"), "{failure}");
        }
        for name in ["disk.raw", "disk.img", "disk", "vhd"] {
            check(name, Format::Raw).unwrap();
        }
        check("disk.vhd", Format::Vpc).unwrap();
        check("disk.vmdk", Format::Qcow2).unwrap();
    }

    #[test]
    fn qcow2_files_that_refer_to_others_are_refused() {
        let mut backing = qcow2(3);
        put(&mut backing, 8, &104u64.to_be_bytes());
        assert!(refusal(&backing, None).contains("backing file"));
        let mut external = qcow2(3);
        put(&mut external, 72, &4u64.to_be_bytes());
        assert!(refusal(&external, None).contains("in another file"));
        let mut encrypted = qcow2(2);
        put(&mut encrypted, 32, &2u32.to_be_bytes());
        assert!(refusal(&encrypted, None).contains("encrypted"));
        assert!(refusal(&qcow2(1), None).contains("version 1"));
        assert!(refusal(&qcow2(3)[..40], None).contains("truncated"));
    }

    #[test]
    fn vmdk_files_that_refer_to_others_are_refused() {
        let with = |from: &str, to: &str| refusal(&vmdk(&DESCRIPTOR.replace(from, to)), None);
        assert!(with("monolithicSparse", "monolithicFlat").contains("type"));
        assert!(with("disk.vmdk", "/etc/shadow").contains("extents"));
        assert!(with("RW 2048", "RW 1 FLAT \"x\"\nRW 2048").contains("extents"));
        assert!(with("parentCID=ffffffff", "parentCID=12345678").contains("parent"));
        let mut wrapped = vmdk(DESCRIPTOR);
        put(&mut wrapped, 12, &0u64.to_le_bytes());
        assert!(refusal(&wrapped, None).contains("no disk of its own"));
        assert!(refusal(DESCRIPTOR.as_bytes(), None).contains("descriptor"));
    }

    #[test]
    fn vhd_files_with_a_parent_or_without_an_end_are_refused() {
        assert!(refusal(&vhd(4), None).contains("parent"));
        let mut headed = vhd(3);
        put(&mut headed, 0, b"conectix");
        headed.truncate(3000);
        assert!(refusal(&headed, None).contains("truncated"));
    }

    #[test]
    fn what_is_no_disk_is_refused_with_a_hint() {
        assert!(refusal(&[0x1f, 0x8b, 0x08, 0], None).contains("unpack"));
        assert!(refusal(b"PK\x03\x04", None).contains("archive"));
        assert!(refusal(b"", None).contains("empty"));
    }

    #[test]
    fn arbitrary_bytes_after_a_mark_do_no_harm() {
        for mark in [b"QFI\xfb".as_slice(), b"KDMV", b"conectix", b"vhdxfile"] {
            for fill in [0u8, 0x41, 0xff] {
                for length in [mark.len(), 40, 600, 5000] {
                    let mut bytes = vec![fill; length.max(mark.len())];
                    put(&mut bytes, 0, mark);
                    // Only that it ends, and with an answer for people.
                    let _format = inspected(&bytes, None)
                        .map_err(|failure| assert!(!failure.to_string().is_empty()));
                }
            }
        }
    }
}
