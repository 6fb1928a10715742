//! Chooses the accelerator by trying it.
//!
//! That `/dev/kvm` can be opened does not say that a stock guest runs under
//! it: some hosts offer a KVM that only takes kernels made for it, and others
//! one that is a hundred times slower than emulation. So a payload of 512 bytes
//! (`probe.S`) is booted, with a deadline.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::time::timeout;

use crate::config::{AcceleratorChoice, Config};
use crate::error::MachineError;
use crate::spec::Accelerator;
use crate::start;

/// The boot sector; `probe.S` is its source.
const PAYLOAD: &[u8] = include_bytes!("probe.bin");

/// A BIOS boots from nothing smaller than a few tracks.
const DISK_BYTES: u64 = 1 << 20;

/// What the payload writes, and the status that QEMU then ends with.
const SAID: &[u8] = b"CAIRN";
const STATUS: i32 = 33;

/// Where it is kept that KVM failed.
const FINDING: &str = "kvm-failed.json";

/// Emulation takes a third of a second for it.
const DEADLINE: Duration = Duration::from_secs(5);

/// Which accelerator machines get, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AcceleratorProbe {
    /// What to use for guests of the host's own architecture.
    pub accelerator: Accelerator,
    /// Why, to be shown.
    pub reason: String,
}

impl AcceleratorProbe {
    fn new(accelerator: Accelerator, reason: impl Into<String>) -> Self {
        Self {
            accelerator,
            reason: reason.into(),
        }
    }
}

/// Chooses the accelerator: what the configuration names, or KVM if a small
/// payload really runs under it within five seconds, otherwise emulation.
///
/// A KVM that failed is not tried again in the same boot, with the same QEMU: a restarted server
/// would keep its guests waiting for the deadline. `dir` is a private directory, for the payload's
/// disk and for what was found.
///
/// # Errors
/// [`MachineError::Io`] if the payload's disk cannot be written.
pub async fn probe_accelerator(
    config: &Config,
    dir: &Path,
) -> Result<AcceleratorProbe, MachineError> {
    let accelerator = match config.accelerator {
        AcceleratorChoice::Kvm => Accelerator::Kvm,
        AcceleratorChoice::Tcg => Accelerator::Tcg,
        AcceleratorChoice::Auto => return probe_kvm(config, dir).await,
    };
    Ok(AcceleratorProbe::new(
        accelerator,
        "set in the configuration",
    ))
}

async fn probe_kvm(config: &Config, dir: &Path) -> Result<AcceleratorProbe, MachineError> {
    let emulate = |reason: String| Ok(AcceleratorProbe::new(Accelerator::Tcg, reason));
    if !cfg!(target_arch = "x86_64") {
        return emulate(
            "KVM is only tried on x86_64 hosts; the configuration can choose it".into(),
        );
    }
    if let Err(error) = fs::File::options().read(true).write(true).open("/dev/kvm") {
        return emulate(format!("/dev/kvm cannot be opened: {error}"));
    }
    let Some(program) = start::find_in(config, "qemu-system-x86_64") else {
        return emulate("qemu-system-x86_64 was not found".into());
    };
    let here = Setting::now(&program);
    if let Some(fault) = here.as_ref().and_then(|here| recall(dir, here)) {
        return emulate(format!("{fault}; found earlier in this boot"));
    }
    match run_payload(&program, Accelerator::Kvm, dir).await? {
        Ok(()) => Ok(AcceleratorProbe::new(
            Accelerator::Kvm,
            "a test payload ran under KVM",
        )),
        Err(fault) => {
            let fault = format!("a test payload did not run under KVM: {fault}");
            if let Some(here) = here {
                remember(dir, here, &fault)?;
            }
            emulate(fault)
        }
    }
}

/// What a finding holds for: this boot, with this QEMU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Setting {
    boot_id: String,
    qemu: PathBuf,
    qemu_modified_s: u64,
}

impl Setting {
    /// None where the kernel does not tell: then nothing is remembered.
    fn now(qemu: &Path) -> Option<Self> {
        let modified = fs::metadata(qemu).and_then(|file| file.modified()).ok()?;
        Some(Self {
            boot_id: fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?,
            qemu: qemu.to_path_buf(),
            qemu_modified_s: modified.duration_since(UNIX_EPOCH).ok()?.as_secs(),
        })
    }
}

/// That KVM failed, and how.
#[derive(Debug, Serialize, Deserialize)]
struct Finding {
    setting: Setting,
    fault: String,
}

/// How KVM failed before in the same setting. A file that says nothing sensible says nothing.
fn recall(dir: &Path, here: &Setting) -> Option<String> {
    let text = fs::read(dir.join(FINDING)).ok()?;
    let finding: Finding = serde_json::from_slice(&text).ok()?;
    (finding.setting == *here).then_some(finding.fault)
}

fn remember(dir: &Path, setting: Setting, fault: &str) -> Result<(), MachineError> {
    let path = dir.join(FINDING);
    let finding = Finding {
        setting,
        fault: fault.to_owned(),
    };
    let text = serde_json::to_vec(&finding)
        .map_err(std::io::Error::from)
        .map_err(MachineError::io("encode", &path))?;
    fs::write(&path, text).map_err(MachineError::io("write", &path))
}

/// Boots the payload; the inner error says in words what it did instead of running.
async fn run_payload(
    program: &Path,
    accelerator: Accelerator,
    scratch: &Path,
) -> Result<Result<(), String>, MachineError> {
    let disk = scratch.join(format!("probe-{}.raw", std::process::id()));
    write_disk(&disk).map_err(MachineError::io("write", &disk))?;
    let ended = timeout(DEADLINE, boot(program, accelerator, &disk)).await;
    fs::remove_file(&disk).map_err(MachineError::io("remove", &disk))?;
    Ok(match ended {
        Err(_) => Err(format!("it did not finish within {} s", DEADLINE.as_secs())),
        Ok(output) => judge(&output.map_err(MachineError::io("run", program))?),
    })
}

/// Runs QEMU to its end, or kills it when this is dropped.
async fn boot(program: &Path, accelerator: Accelerator, disk: &Path) -> std::io::Result<Output> {
    Command::new(program)
        .args(payload_arguments(accelerator, disk))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output()
        .await
}

fn write_disk(path: &Path) -> std::io::Result<()> {
    fs::write(path, PAYLOAD)?;
    fs::File::options()
        .write(true)
        .open(path)?
        .set_len(DISK_BYTES)
}

fn payload_arguments(accelerator: Accelerator, disk: &Path) -> Vec<String> {
    let (accelerator, processor) = match accelerator {
        Accelerator::Kvm => ("kvm", "host"),
        Accelerator::Tcg => ("tcg", "max"),
    };
    let file = disk.display().to_string().replace(',', ",,");
    let drive = format!("if=ide,format=raw,file={file}");
    let words = [
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-no-reboot",
        "-machine",
        "q35",
        "-accel",
        accelerator,
        "-cpu",
        processor,
        "-m",
        "32M",
        "-serial",
        "stdio",
        "-drive",
        &drive,
        "-device",
        "isa-debug-exit,iobase=0xf4,iosize=4",
    ];
    words.map(str::to_owned).to_vec()
}

fn judge(output: &Output) -> Result<(), String> {
    let said = output
        .stdout
        .windows(SAID.len())
        .any(|window| window == SAID);
    if said && output.status.code() == Some(STATUS) {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let first = words.lines().next().unwrap_or("it said nothing");
    Err(format!("QEMU ended with {}: {first}", output.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a test's payload under emulation; `None`, printed, if QEMU is not here.
    async fn emulated() -> Option<Result<(), String>> {
        let config = Config::new(Vec::new());
        let Some(program) = start::find_in(&config, "qemu-system-x86_64") else {
            let required = std::env::var_os("CAIRN_REQUIRE_TOOLS").is_some();
            assert!(!required, "qemu-system-x86_64 not found");
            println!("SKIPPED accelerator probe: qemu-system-x86_64 not found");
            return None;
        };
        let scratch = tempfile::tempdir().unwrap();
        Some(
            run_payload(&program, Accelerator::Tcg, scratch.path())
                .await
                .unwrap(),
        )
    }

    #[tokio::test]
    async fn the_payload_runs_under_emulation() {
        if let Some(ran) = emulated().await {
            assert_eq!(ran, Ok(()));
        }
    }

    #[test]
    fn a_failure_is_remembered_for_its_boot_and_its_qemu() {
        let dir = tempfile::tempdir().unwrap();
        let setting = Setting::now(Path::new("/proc/self/exe")).unwrap();
        assert_eq!(recall(dir.path(), &setting), None);
        remember(dir.path(), setting.clone(), "it hung").unwrap();
        assert_eq!(recall(dir.path(), &setting), Some("it hung".to_owned()));
        let other_boot = Setting {
            boot_id: "another".into(),
            ..setting.clone()
        };
        let other_qemu = Setting {
            qemu_modified_s: 0,
            ..setting.clone()
        };
        assert_eq!(recall(dir.path(), &other_boot), None);
        assert_eq!(recall(dir.path(), &other_qemu), None);
        fs::write(dir.path().join(FINDING), "{").unwrap();
        assert_eq!(recall(dir.path(), &setting), None);
    }

    #[tokio::test]
    async fn a_setting_is_not_probed() {
        let mut config = Config::new(Vec::new());
        for (choice, accelerator) in [
            (AcceleratorChoice::Kvm, Accelerator::Kvm),
            (AcceleratorChoice::Tcg, Accelerator::Tcg),
        ] {
            config.accelerator = choice;
            let probe = probe_accelerator(&config, Path::new("/nonexistent"))
                .await
                .unwrap();
            assert_eq!(probe.accelerator, accelerator);
        }
    }

    #[test]
    fn words_without_the_status_do_not_count_nor_the_status_without_words() {
        let output = |status: &str, stdout: &[u8]| {
            let status = std::process::Command::new("sh")
                .args(["-c", status])
                .status()
                .unwrap();
            judge(&Output {
                status,
                stdout: stdout.to_vec(),
                stderr: Vec::new(),
            })
        };
        assert_eq!(output("exit 33", b"\rCAIRN\n"), Ok(()));
        assert!(output("exit 0", b"CAIRN\n").is_err());
        assert!(output("exit 33", b"").is_err());
    }

    #[test]
    fn the_payload_is_what_its_source_says() {
        let dir = tempfile::tempdir().unwrap();
        let (object, binary) = (dir.path().join("probe.o"), dir.path().join("probe.bin"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/probe.S");
        let assembled = std::process::Command::new("as")
            .arg("--32")
            .arg("-o")
            .arg(&object)
            .arg(&source)
            .status();
        let copied = std::process::Command::new("objcopy")
            .args(["-O", "binary", "-j", ".text"])
            .arg(&object)
            .arg(&binary)
            .status();
        if !cfg!(target_arch = "x86_64") || assembled.is_err() || copied.is_err() {
            assert!(
                std::env::var_os("CAIRN_REQUIRE_TOOLS").is_none(),
                "as, objcopy not found"
            );
            println!("SKIPPED the_payload_is_what_its_source_says: as, objcopy not found");
            return;
        }
        assert_eq!(fs::read(binary).unwrap(), PAYLOAD);
    }
}
