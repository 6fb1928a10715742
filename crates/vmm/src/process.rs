//! Which process a machine is, told apart from any later one with its number.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};
use serde::{Deserialize, Serialize};
use tokio::io::unix::AsyncFd;

use crate::error::MachineError;
use crate::layout;

/// Identifies one process for all time: a number is used again, but not with
/// the same start time in the same boot of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessRecord {
    pub(crate) pid: u32,
    /// In clock ticks since the host's boot, from proc(5) `stat`.
    pub(crate) start_time_ticks: u64,
    /// The host's boot, from `/proc/sys/kernel/random/boot_id`.
    pub(crate) boot_id: String,
}

/// A live process that is held by a descriptor: a signal to it can reach no other.
#[derive(Debug)]
pub(crate) struct Process {
    record: ProcessRecord,
    descriptor: AsyncFd<OwnedFd>,
}

impl Process {
    /// Takes hold of a process by its number; `None` if it is gone.
    pub(crate) fn open(pid: u32) -> io::Result<Option<Self>> {
        let Some(raw) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
            return Ok(None);
        };
        let descriptor = match rustix::process::pidfd_open(raw, PidfdFlags::NONBLOCK) {
            Ok(descriptor) => descriptor,
            Err(rustix::io::Errno::SRCH | rustix::io::Errno::INVAL) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let Some(start_time_ticks) = start_time(pid)? else {
            return Ok(None);
        };
        let record = ProcessRecord {
            pid,
            start_time_ticks,
            boot_id: boot_id()?,
        };
        Ok(Some(Self {
            record,
            descriptor: watch(descriptor)?,
        }))
    }

    /// Takes hold of the process that a record names; `None` if that one is gone.
    pub(crate) fn open_recorded(record: &ProcessRecord) -> io::Result<Option<Self>> {
        let found = Self::open(record.pid)?;
        Ok(found.filter(|process| process.record == *record))
    }

    /// Takes hold of the QEMU that wrote the pid file, if it is running: a
    /// process of that number whose command line names this very file.
    pub(crate) fn open_by_pid_file(pid_file: &Path) -> io::Result<Option<Self>> {
        let Some(pid) = read_pid_file(pid_file)? else {
            return Ok(None);
        };
        let found = Self::open(pid)?;
        Ok(found.filter(|_| command_line_names(pid, pid_file)))
    }

    pub(crate) fn record(&self) -> &ProcessRecord {
        &self.record
    }

    /// Kills the process; one that has ended already is fine.
    pub(crate) fn kill(&self) -> io::Result<()> {
        match rustix::process::pidfd_send_signal(self.descriptor.get_ref(), Signal::KILL) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns once the process has ended.
    pub(crate) async fn ended(&self) -> io::Result<()> {
        drop(self.descriptor.readable().await?);
        // QEMU detaches itself, so that it is a child of ours only where this
        // server is the first process of a container. Then nobody else reaps it.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        let target = WaitId::PidFd(std::os::fd::AsFd::as_fd(self.descriptor.get_ref()));
        if let Err(error) = rustix::process::waitid(target, options)
            && error != rustix::io::Errno::CHILD
        {
            tracing::debug!(%error, "reap the machine's process");
        }
        Ok(())
    }
}

#[expect(
    deprecated,
    reason = "its successor is unsafe because a type may close its descriptor while registered; OwnedFd does not"
)]
fn watch(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(descriptor)
}

/// Takes hold of the machine's process as its directory names it.
pub(crate) fn find(dir: &Path) -> Result<Option<Process>, MachineError> {
    let record_file = layout::process_file(dir);
    let found = match layout::read_record::<ProcessRecord>(&record_file)? {
        Some(record) => Process::open_recorded(&record),
        // The server died after QEMU had started and before it wrote the record.
        None => Process::open_by_pid_file(&layout::pid_file(dir)),
    };
    found.map_err(MachineError::io("look for the process of", &record_file))
}

/// Returns when a process started, in clock ticks since boot; `None` if it is
/// gone, or dead and not yet reaped.
fn start_time(pid: u32) -> io::Result<Option<u64>> {
    let stat = match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // ESRCH: it ended between the open and the read.
        Err(error) if error.raw_os_error() == Some(3) => return Ok(None),
        Err(error) => return Err(error),
    };
    parse_start_time(&stat)
}

/// The program's name, in parentheses, may hold anything; the fields count from
/// the last parenthesis. The state is field 3 and the start time field 22.
fn parse_start_time(stat: &str) -> io::Result<Option<u64>> {
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "malformed /proc stat");
    let (_, fields) = stat.rsplit_once(')').ok_or_else(malformed)?;
    let mut fields = fields.split_ascii_whitespace();
    if matches!(fields.next(), Some("Z" | "X")) {
        return Ok(None);
    }
    let ticks = fields.nth(18).ok_or_else(malformed)?;
    ticks.parse().map(Some).map_err(|_| malformed())
}

fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?
        .trim()
        .to_owned())
}

fn read_pid_file(pid_file: &Path) -> io::Result<Option<u32>> {
    match fs::read_to_string(pid_file) {
        Ok(text) => Ok(text.trim().parse().ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn command_line_names(pid: u32, pid_file: &Path) -> bool {
    let wanted = pid_file.as_os_str().as_encoded_bytes();
    fs::read(format!("/proc/{pid}/cmdline"))
        .is_ok_and(|line| line.split(|byte| *byte == 0).any(|word| word == wanted))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[tokio::test]
    async fn a_number_used_again_is_not_the_recorded_process() {
        let own = Process::open(std::process::id()).unwrap().unwrap();
        let record = own.record().clone();
        assert!(Process::open_recorded(&record).unwrap().is_some());

        let mut earlier = record.clone();
        earlier.start_time_ticks -= 1;
        assert!(Process::open_recorded(&earlier).unwrap().is_none());

        let mut other_boot = record;
        other_boot.boot_id = "another".to_owned();
        assert!(Process::open_recorded(&other_boot).unwrap().is_none());
    }

    #[tokio::test]
    async fn a_pid_file_names_only_a_process_that_was_given_it() {
        let dir = tempfile::tempdir().unwrap();
        let pid_file = dir.path().join("qemu.pid");
        assert!(Process::open_by_pid_file(&pid_file).unwrap().is_none());
        fs::write(&pid_file, format!("{}\n", std::process::id())).unwrap();
        assert!(Process::open_by_pid_file(&pid_file).unwrap().is_none());

        let mut child = std::process::Command::new("sh")
            .args([
                "-c",
                "echo ready; read line",
                "sh",
                pid_file.to_str().unwrap(),
            ])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // Just begun, a process has no command line for a moment.
        child
            .stdout
            .take()
            .unwrap()
            .read_exact(&mut [0; 5])
            .unwrap();
        fs::write(&pid_file, format!("{}\n", child.id())).unwrap();
        let found = Process::open_by_pid_file(&pid_file)
            .unwrap()
            .expect("the child");
        assert_eq!(found.record().pid, child.id());
        found.kill().unwrap();
        found.ended().await.unwrap();
        drop(child.wait());
    }

    #[tokio::test]
    async fn a_dead_process_that_nobody_reaped_is_gone() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        rustix::process::waitid(
            WaitId::Pid(Pid::from_child(&child)),
            WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
        )
        .unwrap();
        assert!(Process::open(child.id()).unwrap().is_none());
        drop(child.wait());
    }

    #[test]
    fn a_program_name_with_parentheses_does_not_shift_the_fields() {
        let fields: Vec<String> = (4..=30).map(|field| field.to_string()).collect();
        let stat = format!("7 (a) b (c) S {}", fields.join(" "));
        assert_eq!(parse_start_time(&stat).unwrap(), Some(22));
        assert_eq!(parse_start_time(&stat.replace(" S ", " Z ")).unwrap(), None);
        parse_start_time("7 (short) S 1").unwrap_err();
    }
}
