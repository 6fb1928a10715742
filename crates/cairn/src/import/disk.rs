//! A file as the raw disk in it.

use std::{
    fs::File,
    io::{self, Seek as _, SeekFrom},
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::Path,
};

use rustix::fs::{Mode, OFlags};

use super::{GIB, VOLUME_GIB_MAX, format, partitions, qemu_img};
use crate::{
    cli::Format,
    failure::{Failure, Result},
};

/// A raw disk, ready to be read.
#[derive(Debug)]
pub(crate) struct RawDisk {
    /// The bytes; a file without a name if they had to be unpacked.
    pub(crate) file: File,
    /// How many there are.
    pub(crate) length: u64,
    /// The format of the file that it came from.
    pub(crate) format: Format,
    /// Whether UEFI can boot it and a BIOS cannot.
    pub(crate) boots_only_by_uefi: bool,
    before: Stamp,
}

/// What tells whether a file was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: (i64, i64),
}

impl RawDisk {
    /// Opens a disk file, unpacking it into `temp_dir` if its format is not raw.
    pub(crate) async fn open(path: &Path, wanted: Option<Format>, temp_dir: &Path) -> Result<Self> {
        let named = |failure: Failure| name(path, failure);
        let image =
            open(path).map_err(|cause| Failure::failed(format!("{}: {cause}", path.display())))?;
        let length = length(&image).map_err(named)?;
        let format = format::inspect(&image, length, wanted).map_err(named)?;
        if wanted.is_none() {
            format::check_extension(path, format).map_err(named)?;
        }
        let mut disk = match format {
            Format::Raw => Self {
                before: Stamp::of(&image)?,
                file: image,
                length,
                format,
                boots_only_by_uefi: false,
            },
            _ => unpack(&image, format, temp_dir).await.map_err(named)?,
        };
        size_in_gib(disk.length).map_err(named)?;
        partitions::check_fit(&disk.file, disk.length).map_err(named)?;
        disk.boots_only_by_uefi =
            partitions::boots_only_by_uefi(&disk.file).map_err(Failure::failed)?;
        Ok(disk)
    }

    /// The size of a volume that holds it, in GiB.
    pub(crate) fn volume_size_gib(&self) -> Result<u64> {
        size_in_gib(self.length)
    }

    /// Fails if the file was changed since it was opened: then what was read is no disk that ever was.
    pub(crate) fn check_unchanged(&self) -> Result<()> {
        self.before.check(&self.file)
    }
}

impl Stamp {
    fn of(file: &File) -> Result<Self> {
        let metadata = file.metadata().map_err(Failure::failed)?;
        Ok(Self {
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        })
    }

    /// Fails if the file has another stamp by now.
    fn check(self, file: &File) -> Result<()> {
        if Self::of(file)? == self {
            Ok(())
        } else {
            Err(Failure::failed(
                "the disk file was changed while it was read; stop what writes to it, and import it again",
            ))
        }
    }
}

/// Opens a file to read. Without `NONBLOCK`, a named pipe would keep this waiting for its other end,
/// and no signal could end that.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

/// Bytes of a file or a block device.
pub(crate) fn length(mut file: &File) -> Result<u64> {
    let kind = file.metadata().map_err(Failure::failed)?.file_type();
    if !kind.is_file() && !kind.is_block_device() {
        return Err(Failure::bad_image(
            "this is neither a file nor a block device",
        ));
    }
    file.seek(SeekFrom::End(0)).map_err(Failure::failed)
}

async fn unpack(image: &File, format: Format, temp_dir: &Path) -> Result<RawDisk> {
    let before = Stamp::of(image)?;
    let info = qemu_img::info(image, format).await?;
    size_in_gib(info.virtual_size)?;
    qemu_img::check(image, format, info.virtual_size).await?;
    let file = tempfile::tempfile_in(temp_dir).map_err(|cause| {
        Failure::failed(format!(
            "cannot unpack into {}: {cause}",
            temp_dir.display()
        ))
    })?;
    qemu_img::convert(image, format, info.virtual_size, &file).await?;
    before.check(image)?;
    Ok(RawDisk {
        before: Stamp::of(&file)?,
        length: length(&file)?,
        file,
        format,
        boots_only_by_uefi: false,
    })
}

fn size_in_gib(length: u64) -> Result<u64> {
    match length.div_ceil(GIB) {
        0 => Err(Failure::bad_image("the disk is empty")),
        gib if gib > VOLUME_GIB_MAX => Err(Failure::bad_image(format!(
            "the disk has {gib} GiB; a volume has at most {VOLUME_GIB_MAX}"
        ))),
        gib => Ok(gib),
    }
}

/// The same failure with the file's name before it.
fn name(path: &Path, failure: Failure) -> Failure {
    let message = format!("{}: {failure}", path.display());
    match failure {
        Failure::BadImage(_) => Failure::BadImage(message),
        _ => Failure::Failed(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_up_to_whole_gib() {
        assert_eq!(size_in_gib(1).unwrap(), 1);
        assert_eq!(size_in_gib(GIB).unwrap(), 1);
        assert_eq!(size_in_gib(GIB + 1).unwrap(), 2);
        assert_eq!(size_in_gib(0).unwrap_err().exit_code(), 7);
        assert_eq!(size_in_gib(u64::MAX).unwrap_err().exit_code(), 7);
    }

    #[tokio::test]
    async fn a_raw_file_that_changes_is_noticed() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("disk");
        std::fs::write(&path, [1; 4096]).unwrap();
        let disk = RawDisk::open(&path, None, temp.path()).await.unwrap();
        disk.check_unchanged().unwrap();
        std::fs::write(&path, [1; 8192]).unwrap();
        assert_eq!(disk.check_unchanged().unwrap_err().exit_code(), 1);
    }

    /// Makes a disk of 8 MiB and files of it in other formats; none if there is no `qemu-img`.
    fn converted(
        temp: &Path,
        formats: &[(&str, &str)],
    ) -> Option<(Vec<u8>, Vec<std::path::PathBuf>)> {
        let mut disk = vec![0; 8 << 20];
        for (index, byte) in disk
            .iter_mut()
            .enumerate()
            .filter(|(index, _)| index / 65536 % 3 == 1)
        {
            *byte = u8::try_from((index * 7 + index / 251) % 256).unwrap();
        }
        let raw = temp.join("disk.raw");
        std::fs::write(&raw, &disk).unwrap();
        let convert = |(format, options): &(&str, &str)| {
            let path = temp.join(format!("{format}-{options}"));
            let mut command = std::process::Command::new("qemu-img");
            command.args(["convert", "-f", "raw", "-O", format]);
            command.args(
                (!options.is_empty())
                    .then_some(["-o", options])
                    .into_iter()
                    .flatten(),
            );
            command.arg(&raw).arg(&path).status().ok().map(|status| {
                assert!(status.success(), "{path:?}");
                path
            })
        };
        let files: Option<Vec<_>> = formats.iter().map(convert).collect();
        if files.is_none() {
            assert!(
                std::env::var("CAIRN_REQUIRE_TOOLS").is_err(),
                "qemu-img is not installed"
            );
            println!(
                "SKIPPED {}: qemu-img is not installed",
                std::thread::current().name().unwrap_or("a test")
            );
        }
        Some((disk, files?))
    }

    const FORMATS: [(&str, &str); 6] = [
        ("qcow2", ""),
        ("vmdk", ""),
        ("vmdk", "subformat=streamOptimized"),
        ("vpc", "force_size=on"),
        ("vpc", "force_size=on,subformat=fixed"),
        ("vhdx", ""),
    ];

    #[tokio::test]
    async fn every_format_is_unpacked_to_the_same_bytes() {
        let temp = tempfile::tempdir().unwrap();
        let Some((expected, files)) = converted(temp.path(), &FORMATS) else {
            return;
        };
        for path in files {
            let disk = RawDisk::open(&path, None, temp.path()).await.unwrap();
            let mut found = vec![0; expected.len()];
            std::os::unix::fs::FileExt::read_exact_at(&disk.file, &mut found, 0).unwrap();
            assert_eq!(disk.length, expected.len() as u64, "{path:?}");
            assert!(found == expected, "{path:?}");
        }
        // What is unpacked has no name: not even a crash leaves it behind.
        assert_eq!(
            std::fs::read_dir(temp.path()).unwrap().count(),
            FORMATS.len() + 1
        );
    }

    #[tokio::test]
    async fn truncated_files_are_refused() {
        let temp = tempfile::tempdir().unwrap();
        let Some((_, files)) = converted(temp.path(), &FORMATS) else {
            return;
        };
        for path in files
            .iter()
            .filter(|path| !path.ends_with("vpc-force_size=on,subformat=fixed"))
        {
            let file = File::options().write(true).open(path).unwrap();
            file.set_len(file.metadata().unwrap().len() * 2 / 3)
                .unwrap();
            let outcome = RawDisk::open(path, None, temp.path()).await;
            assert_eq!(
                outcome.err().map(|failure| failure.exit_code()),
                Some(7),
                "{path:?}"
            );
        }
    }

    #[tokio::test]
    async fn what_is_no_file_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        assert!(
            RawDisk::open(temp.path(), None, temp.path())
                .await
                .unwrap_err()
                .exit_code()
                == 7
        );
        assert!(
            RawDisk::open(Path::new("/dev/null"), None, temp.path())
                .await
                .unwrap_err()
                .exit_code()
                == 7
        );
        assert!(
            RawDisk::open(&temp.path().join("none"), None, temp.path())
                .await
                .unwrap_err()
                .exit_code()
                == 1
        );
    }
}
