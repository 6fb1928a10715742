//! Starting a machine, and finding one again after a restart of the server.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;
use tokio::time::timeout;

use crate::arguments;
use crate::config::Config;
use crate::console;
use crate::error::MachineError;
use crate::firmware::{self, Firmware};
use crate::layout;
use crate::machine::{Machine, Status};
use crate::process::{self, Process};
use crate::runtime::check_socket_path;
use crate::spec::{Architecture, BootMode, MachineSpec};

/// How much of QEMU's last words goes into an error, in bytes.
const MESSAGE_MAX: u64 = 2000;

/// Starts a machine. Its specification is written to its directory first, and
/// what it takes to find the process again before the guest runs its first
/// instruction. The process belongs to no terminal and outlives this one.
///
/// # Errors
/// [`MachineError`] says what is missing or wrong; nothing then runs.
pub async fn start(spec: &MachineSpec, config: &Config) -> Result<Machine, MachineError> {
    spec.validate()?;
    check_sockets(spec)?;
    let firmware = firmware::find(spec.architecture, spec.boot_mode)?;
    let program = find_program(spec.architecture, config)?;
    let line = arguments::arguments(spec, config, firmware.as_ref())?;
    prepare_dir(spec, firmware.as_ref())?;
    launch(&program, &line, spec, config).await?;
    let started = take_hold(spec, config).await;
    if started.is_err() {
        kill_leftover(&spec.dir);
    }
    started
}

/// Tells whether this host has what a machine of this kind takes: the program and the firmware.
///
/// # Errors
/// [`MachineError`] says what is missing, and which package holds it.
pub fn check_host(
    architecture: Architecture,
    boot_mode: BootMode,
    config: &Config,
) -> Result<(), MachineError> {
    find_program(architecture, config)?;
    firmware::find(architecture, boot_mode).map(drop)
}

/// Finds a machine that an earlier server started; `None` if it is gone. A
/// start that was cut short is completed.
///
/// # Errors
/// [`MachineError`] if the records cannot be read, or the process is there and
/// its monitor does not answer.
pub async fn reattach(dir: &Path, config: &Config) -> Result<Option<Machine>, MachineError> {
    let Some(spec) = layout::read_record::<MachineSpec>(&layout::spec_file(dir))? else {
        return Ok(None);
    };
    let Some(process) = process::find(dir)? else {
        return Ok(None);
    };
    connect(&spec, config, process).await.map(Some)
}

fn check_sockets(spec: &MachineSpec) -> Result<(), MachineError> {
    check_socket_path(&layout::qmp_socket(&spec.runtime_dir, &spec.id))?;
    check_socket_path(&spec.metadata_socket)?;
    spec.disks
        .iter()
        .try_for_each(|disk| check_socket_path(&disk.socket))
}

/// Returns the path of the QEMU program for machines of an architecture.
fn find_program(architecture: Architecture, config: &Config) -> Result<PathBuf, MachineError> {
    let (program, package) = arguments::program(architecture);
    find_in(config, program).ok_or_else(|| MachineError::MissingProgram {
        program: program.to_owned(),
        package,
    })
}

/// Looks for a program where the configuration says, or in `PATH`.
pub(crate) fn find_in(config: &Config, program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> = match &config.qemu_dir {
        Some(dir) => vec![dir.clone()],
        None => std::env::split_paths(&path).collect(),
    };
    dirs.into_iter()
        .map(|dir| dir.join(program))
        .find(|path| path.is_file())
}

/// Puts the directory into the state that a start expects: the specification
/// and the firmware's variables there, all traces of an earlier run gone.
fn prepare_dir(spec: &MachineSpec, firmware: Option<&Firmware>) -> Result<(), MachineError> {
    let dir = &spec.dir;
    let created = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    created.map_err(MachineError::io("create", dir))?;
    if process::find(dir)?.is_some() {
        return Err(MachineError::AlreadyRunning {
            id: spec.id.clone(),
        });
    }
    layout::remove_file(&layout::process_file(dir))?;
    layout::remove_file(&layout::pid_file(dir))?;
    layout::remove_file(&layout::console_file(dir))?;
    layout::remove_file(&layout::qmp_socket(&spec.runtime_dir, &spec.id))?;
    firmware.map_or(Ok(()), |firmware| provide_variables(dir, firmware))?;
    layout::write_record(&layout::spec_file(dir), spec)
}

/// Gives a machine its own UEFI variables, unless it has some from an earlier start.
fn provide_variables(dir: &Path, firmware: &Firmware) -> Result<(), MachineError> {
    let variables = layout::variables_file(dir);
    if variables.exists() {
        return Ok(());
    }
    let partial = variables.with_extension("new");
    fs::copy(&firmware.variables, &partial)
        .and_then(|_| fs::rename(&partial, &variables))
        .map_err(MachineError::io("write", &variables))
}

/// Runs QEMU until it has detached itself, which it does once everything is
/// open and its monitor listens.
async fn launch(
    program: &Path,
    line: &[String],
    spec: &MachineSpec,
    config: &Config,
) -> Result<(), MachineError> {
    let log_file = layout::log_file(&spec.dir);
    let log = File::create(&log_file).map_err(MachineError::io("create", &log_file))?;
    let mut child = Command::new(program)
        .args(line)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .process_group(0)
        .spawn()
        .map_err(MachineError::io("run", program))?;
    let Ok(status) = timeout(config.start_timeout, child.wait()).await else {
        // It cannot be waited for longer; an error says that it has just ended.
        let _killed = child.start_kill().is_ok();
        kill_leftover(&spec.dir);
        return Err(MachineError::StartTimeout {
            seconds: config.start_timeout.as_secs(),
        });
    };
    let status = status.map_err(MachineError::io("wait for", program))?;
    if status.success() {
        return Ok(());
    }
    Err(MachineError::Start {
        message: last_words(&log_file, &status.to_string()),
    })
}

fn last_words(log_file: &Path, otherwise: &str) -> String {
    let words = console::read_tail(log_file, MESSAGE_MAX).unwrap_or_default();
    let words = String::from_utf8_lossy(&words).trim().to_owned();
    if words.is_empty() {
        otherwise.to_owned()
    } else {
        words
    }
}

/// Writes down which process it is, connects, and lets the guest run.
async fn take_hold(spec: &MachineSpec, config: &Config) -> Result<Machine, MachineError> {
    let pid_file = layout::pid_file(&spec.dir);
    let process = Process::open_by_pid_file(&pid_file)
        .map_err(MachineError::io("read", &pid_file))?
        .ok_or_else(|| MachineError::Start {
            message: last_words(&layout::log_file(&spec.dir), "it ended at once"),
        })?;
    connect(spec, config, process).await
}

async fn connect(
    spec: &MachineSpec,
    config: &Config,
    process: Process,
) -> Result<Machine, MachineError> {
    layout::write_record(&layout::process_file(&spec.dir), process.record())?;
    let machine = Machine::connect(spec, config, process).await?;
    if machine.status().await? == Status::Prelaunch {
        machine.resume().await?;
    }
    Ok(machine)
}

/// Ends a QEMU whose start has failed half-way.
fn kill_leftover(dir: &Path) {
    match process::find(dir) {
        Ok(Some(process)) => {
            if let Err(error) = process.kill() {
                tracing::warn!(%error, dir = %dir.display(), "kill a machine that failed to start");
            }
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "look for a machine that failed to start"),
    }
}
