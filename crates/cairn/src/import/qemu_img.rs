//! The program that unpacks formats other than raw, on a short leash.
//!
//! The image is its standard input and the raw disk its standard output, both opened here: the
//! file that was inspected is the file that is unpacked, whatever happens to its name meanwhile,
//! and the unpacked disk has no name at all. The format is always named, so that nothing is
//! guessed from the contents. Processor time, memory and the size of what it writes are limited.

use std::{fs::File, os::unix::process::ExitStatusExt as _, process::Stdio, time::Duration};

use serde::Deserialize;
use tokio::process::Command;

use super::GIB;
use crate::{
    cli::{Format, spelling},
    failure::{Failure, Result},
};

/// What `qemu-img info` says, as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Info {
    /// Bytes of the disk in the image.
    pub(crate) virtual_size: u64,
    #[serde(default)]
    encrypted: bool,
    backing_filename: Option<String>,
    format_specific: Option<Specific>,
}

#[derive(Debug, Deserialize)]
struct Specific {
    data: serde_json::Value,
}

/// What a run of the program may use.
struct Limits {
    /// Seconds of processor time; twice that, and half a minute, of wall time.
    seconds: u64,
    /// Bytes of a file that it writes.
    file_bytes: u64,
}

/// Address space, in KiB. Its thread pool alone reserves half a gigabyte.
const MEMORY_KIB: u64 = 4 << 20;

/// Reads an image's header.
pub(crate) async fn info(image: &File, format: Format) -> Result<Info> {
    let limits = Limits {
        seconds: 30,
        file_bytes: 0,
    };
    let options = image_options(format);
    let output = run(
        image,
        None,
        &["info", "--output=json", "--image-opts", &options],
        &limits,
    )
    .await?;
    if !output.status.success() {
        return Err(refused("cannot be read", format, &output));
    }
    let info: Info = serde_json::from_slice(&output.stdout).map_err(|cause| {
        Failure::failed(format!("cannot make sense of qemu-img's answer: {cause}"))
    })?;
    stands_alone(&info)?;
    Ok(info)
}

/// What the inspection of the header has established, seen once more by QEMU's eyes.
fn stands_alone(info: &Info) -> Result<()> {
    let external = info
        .format_specific
        .as_ref()
        .is_some_and(|specific| specific.data.get("data-file").is_some());
    match info {
        Info {
            backing_filename: Some(_),
            ..
        } => Err(Failure::bad_image("the image has a backing file")),
        Info {
            encrypted: true, ..
        } => Err(Failure::bad_image(
            "the image is encrypted; decrypt it first",
        )),
        _ if external => Err(Failure::bad_image(
            "the image keeps its data in another file",
        )),
        _ => Ok(()),
    }
}

/// Checks an image's tables against the length of its file. Reading beyond the end of a truncated
/// image gives zeros, not errors; so this is where truncation shows.
pub(crate) async fn check(image: &File, format: Format, virtual_size: u64) -> Result<()> {
    // The format keeps no tables that could be checked; its footer has been found.
    if format == Format::Vpc {
        return Ok(());
    }
    let options = image_options(format);
    let output = run(
        image,
        None,
        &["check", "--output=json", "--image-opts", &options],
        &limits(virtual_size),
    )
    .await?;
    match output.status.code() {
        // 3: space is lost, but the contents are right. 63: there is nothing to check.
        Some(0 | 3 | 63) => Ok(()),
        Some(2) => Err(Failure::bad_image(format!(
            "the {} image is truncated or damaged: `qemu-img check` tells more",
            spelling(format)
        ))),
        _ => Err(refused("cannot be checked", format, &output)),
    }
}

/// Unpacks an image into a sparse file.
pub(crate) async fn convert(
    image: &File,
    format: Format,
    virtual_size: u64,
    raw: &File,
) -> Result<()> {
    let options = image_options(format);
    let arguments = [
        "convert",
        "--image-opts",
        "-t",
        "writeback",
        "-O",
        "raw",
        "-S",
        "512k",
        &options,
        "/dev/stdout",
    ];
    let output = run(image, Some(raw), &arguments, &limits(virtual_size)).await?;
    if output.status.success() {
        Ok(())
    } else {
        Err(refused("cannot be unpacked", format, &output))
    }
}

fn limits(virtual_size: u64) -> Limits {
    Limits {
        seconds: 60 + 20 * virtual_size.div_ceil(GIB),
        file_bytes: virtual_size.saturating_add(1 << 20),
    }
}

/// The image on standard input, with its format named and nothing behind it.
fn image_options(format: Format) -> String {
    let more = match format {
        Format::Vpc => ",force_size_calc=current_size",
        _ => "",
    };
    format!(
        "driver={}{more},file.driver=file,file.filename=/dev/stdin",
        spelling(format)
    )
}

async fn run(
    image: &File,
    raw: Option<&File>,
    arguments: &[&str],
    limits: &Limits,
) -> Result<std::process::Output> {
    let stdio = |file: &File| file.try_clone().map(Stdio::from).map_err(Failure::failed);
    let mut command = Command::new("/bin/sh");
    // The shell sets the limits and becomes the program. `ulimit -f` counts in 512 bytes.
    command
        .args(["-c", "ulimit -t \"$1\" && ulimit -f \"$2\" && ulimit -v \"$3\" && ulimit -c 0 && shift 3 && exec qemu-img \"$@\""])
        .arg("qemu-img")
        .args([limits.seconds, limits.file_bytes.div_ceil(512), MEMORY_KIB].map(|limit| limit.to_string()))
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(stdio(image)?)
        .stdout(raw.map_or_else(|| Ok(Stdio::piped()), stdio)?)
        .stderr(Stdio::piped())
        // Ctrl-C on the terminal is for this program, which then ends that one.
        .process_group(0)
        .kill_on_drop(true);
    let wall = Duration::from_secs(30 + 2 * limits.seconds);
    let not_run = |cause| Failure::failed(format!("cannot run qemu-img: {cause}"));
    // Not `output()`, which would put a pipe in the place of the standard output chosen here.
    let child = command.spawn().map_err(not_run)?;
    let output = tokio::time::timeout(wall, child.wait_with_output())
        .await
        .map_err(|_| Failure::bad_image("qemu-img took too long over the image"))?
        .map_err(not_run)?;
    match output.status.code() {
        Some(127) => Err(Failure::failed(
            "qemu-img is not installed; it is needed for formats other than raw (Debian: qemu-utils)",
        )),
        _ => Ok(output),
    }
}

fn refused(what: &str, format: Format, output: &std::process::Output) -> Failure {
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.trim().lines().last().unwrap_or_default();
    let reason = last
        .split_once("qemu-img: ")
        .map_or(last, |(_, rest)| rest)
        .replace("/dev/stdin", "the file");
    let ended = output
        .status
        .signal()
        .map(|signal| format!("; it was ended by signal {signal}"))
        .unwrap_or_default();
    let full = reason.contains("No space left");
    let message = format!("the {} image {what}: {reason}{ended}", spelling(format));
    // A full disk is not the image's fault.
    if full {
        Failure::failed(message + "; name a roomier directory with --temp-dir")
    } else {
        Failure::bad_image(message)
    }
}
