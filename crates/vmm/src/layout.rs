//! The files of a machine's directory.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::MachineError;

/// The specification, written before the machine starts.
pub(crate) fn spec_file(dir: &Path) -> PathBuf {
    dir.join("machine.json")
}

/// Which process the machine is, written after it has started.
pub(crate) fn process_file(dir: &Path) -> PathBuf {
    dir.join("process.json")
}

/// QEMU's own record of its process; QEMU removes it when it ends in order.
pub(crate) fn pid_file(dir: &Path) -> PathBuf {
    dir.join("qemu.pid")
}

/// What QEMU has to say.
pub(crate) fn log_file(dir: &Path) -> PathBuf {
    dir.join("qemu.log")
}

/// What the guest wrote to its serial port.
pub(crate) fn console_file(dir: &Path) -> PathBuf {
    dir.join("console.log")
}

/// The UEFI variables of this machine.
pub(crate) fn variables_file(dir: &Path) -> PathBuf {
    dir.join("uefi-variables.fd")
}

/// The monitor's socket.
pub(crate) fn qmp_socket(runtime_dir: &Path, id: &str) -> PathBuf {
    runtime_dir.join(format!("{id}.qmp"))
}

/// How a machine that is gone came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndOfRun {
    /// QEMU ended in order: the guest powered off, or the machine was told to quit.
    Orderly,
    /// QEMU was killed or crashed, or the host went down.
    Abrupt,
}

/// Tells how a machine that is no longer running ended, from what QEMU left in
/// its directory. For a server that was not there to see it.
#[must_use]
pub fn end_of_run(dir: &Path) -> EndOfRun {
    if pid_file(dir).exists() {
        EndOfRun::Abrupt
    } else {
        EndOfRun::Orderly
    }
}

/// Writes a record so that it is there, whole, after a crash of the host.
pub(crate) fn write_record(path: &Path, record: &impl Serialize) -> Result<(), MachineError> {
    let text = serde_json::to_vec_pretty(record).map_err(|source| MachineError::Record {
        path: path.to_owned(),
        source,
    })?;
    replace_file(path, &text).map_err(MachineError::io("write", path))
}

/// Reads a record; `None` if there is none.
pub(crate) fn read_record<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, MachineError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(MachineError::io("read", path)(error)),
    };
    let record = serde_json::from_slice(&text).map_err(|source| MachineError::Record {
        path: path.to_owned(),
        source,
    })?;
    Ok(Some(record))
}

/// Removes a file that may not be there.
pub(crate) fn remove_file(path: &Path) -> Result<(), MachineError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(MachineError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

fn replace_file(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = File::create(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    let parent = path.parent().unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}
