//! What the guest wrote to its serial port.
//!
//! QEMU appends to a file. While a server watches the machine, all but the last
//! part of that file is given back to the file system every few seconds, by
//! punching a hole: a guest that never stops talking fills no disk, and not a
//! byte is lost between looking and cutting, as would be by truncating.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::FallocateFlags;
use tokio::time::{MissedTickBehavior, interval};

use crate::error::MachineError;
use crate::layout;

/// How much of the console is kept, in bytes; GetConsoleOutput gives 64 KiB.
const KEPT: u64 = 256 << 10;

/// How often the file is cut, and so, times what a guest can write, how far it
/// can grow: a few megabytes under emulation.
const CUT_EVERY: Duration = Duration::from_secs(5);

/// A hole is punched in whole pages.
const PAGE: u64 = 4096;

/// Returns the last bytes of a machine's console, at most `bytes_max` and never
/// more than 256 KiB. The machine need not be running. A machine that has never
/// started has an empty console.
///
/// # Errors
/// [`MachineError::Io`] if the file cannot be read.
pub fn console_tail(dir: &Path, bytes_max: usize) -> Result<Vec<u8>, MachineError> {
    let path = layout::console_file(dir);
    match read_tail(&path, KEPT.min(bytes_max as u64)) {
        Ok(tail) => Ok(tail),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(MachineError::io("read", &path)(error)),
    }
}

/// Cuts the console's file for as long as this is polled.
pub(crate) async fn keep_short(path: PathBuf) {
    let mut ticks = interval(CUT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = cut(&path, KEPT) {
            tracing::warn!(%error, path = %path.display(), "cut the console's file; it may grow");
            return;
        }
    }
}

pub(crate) fn read_tail(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(bytes_max)))?;
    let mut tail = Vec::new();
    file.take(bytes_max).read_to_end(&mut tail)?;
    Ok(tail)
}

/// Gives back everything before the last `kept` bytes.
fn cut(path: &Path, kept: u64) -> io::Result<()> {
    let length = fs::metadata(path)?.len();
    let hole = length.saturating_sub(kept) / PAGE * PAGE;
    if hole == 0 {
        return Ok(());
    }
    let file = File::options().write(true).open(path)?;
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    Ok(rustix::fs::fallocate(&file, flags, 0, hole)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn the_tail_is_the_end_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(console_tail(dir.path(), 10).unwrap(), b"");
        fs::write(layout::console_file(dir.path()), b"first line\nlast line\n").unwrap();
        assert_eq!(console_tail(dir.path(), 10).unwrap(), b"last line\n");
        assert_eq!(console_tail(dir.path(), 1 << 20).unwrap().len(), 21);
    }

    #[test]
    fn cutting_gives_back_space_and_keeps_the_tail() {
        let dir = tempfile::tempdir().unwrap();
        let path = layout::console_file(dir.path());
        let mut text = vec![b'x'; 4 << 20];
        text.extend_from_slice(b"the end");
        fs::write(&path, &text).unwrap();
        let blocks_before = fs::metadata(&path).unwrap().blocks();
        cut(&path, KEPT).unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!(after.len(), text.len() as u64);
        assert!(
            after.blocks() * 512 <= KEPT + 8 * PAGE,
            "{} of {blocks_before}",
            after.blocks()
        );
        let tail = console_tail(dir.path(), 1 << 20).unwrap();
        assert_eq!(tail.len() as u64, KEPT);
        assert!(tail.ends_with(b"xxthe end") && !tail.contains(&0));
    }
}
