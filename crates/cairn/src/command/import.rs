//! `cairn import`.

use std::{env, io::IsTerminal as _, path::PathBuf, sync::Arc, time::Duration};

use cairn_model::{block_device::is_device_name, image::check_name};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::{
    cli::{Architecture, BootMode, Global, Import, spelling},
    client::{Client, PATIENCE, connect, ebs, ec2},
    failure::{Failure, Result},
    host::{pause, unique_token},
    import::{disk::RawDisk, upload},
    output,
    stop::Stop,
};

/// What was imported.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Imported {
    snapshot_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    boot_mode: Option<String>,
    format: String,
    volume_size: u64,
    blocks: u64,
}

/// Imports a disk file; whatever goes wrong, nothing stays behind.
pub(crate) async fn run(global: &Global, args: &Import) -> Result<()> {
    let mut stop = Stop::new()?;
    let client = connect(global, &args.region)?;
    let disk = stop.or_told(prepare(&client, args)).await?;
    let client = client.patient(PATIENCE);
    let size = disk.volume_size_gib()?;
    let new = ebs::NewSnapshot {
        volume_size_gib: size,
        description: args.description.as_deref(),
        encrypted: args.encrypted,
        kms_key_arn: args.kms_key_arn.as_deref(),
        token: &unique_token(),
    };
    let snapshot = ebs::start_snapshot(&client, &new).await?;
    let outcome = fill_and_register(&client, args, disk, &snapshot, &mut stop).await;
    match outcome {
        Ok(imported) => output::print(global.output, &imported, text),
        Err(failure) => Err(undone(&client, args, &snapshot, failure, &mut stop).await),
    }
}

/// Looks at everything that can be refused before anything is sent.
async fn prepare(client: &Client, args: &Import) -> Result<Arc<RawDisk>> {
    check_device_name(&args.root_device_name)?;
    if let Some(name) = &args.name {
        // What RegisterImage would say, after the upload.
        check_name(name).map_err(|cause| {
            Failure::failed(format!(
                "--name {name:?}: {cause} (InvalidAMIName.Malformed)"
            ))
        })?;
        name_is_free(client, name).await?;
    }
    let temp_dir = args.temp_dir.clone().unwrap_or_else(env::temp_dir);
    open(args, temp_dir).await
}

fn check_device_name(name: &str) -> Result<()> {
    if is_device_name(name) {
        Ok(())
    } else {
        Err(Failure::Usage(format!(
            "--root-device-name {name:?}: give a name such as /dev/xvda or /dev/sda1"
        )))
    }
}

/// A name that is taken would be refused at the end; better to say so before the upload.
async fn name_is_free(client: &Client, name: &str) -> Result<()> {
    match ec2::own_image(client, name).await? {
        Some((image, _)) => Err(Failure::failed(format!(
            "AMI name {name} is already in use by AMI {image}"
        ))),
        None => Ok(()),
    }
}

async fn open(args: &Import, temp_dir: PathBuf) -> Result<Arc<RawDisk>> {
    RawDisk::open(&args.file, args.format, &temp_dir)
        .await
        .map(Arc::new)
}

async fn fill_and_register(
    client: &Client,
    args: &Import,
    disk: Arc<RawDisk>,
    snapshot: &str,
    stop: &mut Stop,
) -> Result<Imported> {
    let sent = stop.or_told(fill(client, args, &disk, snapshot)).await?;
    let boot_mode = boot_mode(args, &disk).map(spelling);
    let image_id = match &args.name {
        Some(name) => Some(register(client, args, name, boot_mode.as_deref(), snapshot).await?),
        None => None,
    };
    Ok(Imported {
        snapshot_id: snapshot.to_owned(),
        image_id,
        name: args.name.clone(),
        boot_mode: boot_mode.filter(|_| args.name.is_some()),
        format: spelling(disk.format),
        volume_size: disk.volume_size_gib()?,
        blocks: sent.blocks,
    })
}

/// How the image says that it boots. A disk that only UEFI can boot says so: the usual instance types
/// would start it by BIOS, and it would not come up.
fn boot_mode(args: &Import, disk: &RawDisk) -> Option<BootMode> {
    let can = args.architecture != Architecture::I386;
    let detected = (can && disk.boots_only_by_uefi).then_some(BootMode::Uefi);
    args.boot_mode.or(detected)
}

/// Sends the blocks, and waits until the snapshot is complete.
async fn fill(
    client: &Client,
    args: &Import,
    disk: &Arc<RawDisk>,
    snapshot: &str,
) -> Result<upload::Sent> {
    let bar = Bar::new();
    let sent = upload::send(client, snapshot, disk, usize::from(args.parallel), &bar.0).await?;
    disk.check_unchanged()?;
    ebs::complete_snapshot(client, snapshot, sent.blocks, &sent.aggregate).await?;
    wait_completed(client, snapshot).await?;
    Ok(sent)
}

async fn wait_completed(client: &Client, snapshot: &str) -> Result<()> {
    let mut wait = Duration::from_millis(10);
    loop {
        let found = ec2::describe_snapshot(client, snapshot).await?;
        let found = found.ok_or_else(|| {
            Failure::failed(format!("snapshot {snapshot} went away while it was made"))
        })?;
        match found.state.as_str() {
            "completed" => return Ok(()),
            "pending" => pause(wait).await,
            state => {
                let reason = found
                    .message
                    .unwrap_or_else(|| "the server's log tells more".into());
                return Err(Failure::failed(format!(
                    "snapshot {snapshot} became {state}: {reason}"
                )));
            }
        }
        wait = (wait * 2).min(Duration::from_secs(1));
    }
}

async fn register(
    client: &Client,
    args: &Import,
    name: &str,
    boot_mode: Option<&str>,
    snapshot: &str,
) -> Result<String> {
    let image = ec2::NewImage {
        name,
        description: args.description.as_deref(),
        architecture: &spelling(args.architecture),
        boot_mode,
        root_device_name: &args.root_device_name,
        snapshot_id: snapshot,
    };
    Ok(ec2::register_image(client, &image).await?)
}

/// Undoes what a failed import did, so that nothing is left behind; a second Ctrl-C ends that, too.
async fn undone(
    client: &Client,
    args: &Import,
    snapshot: &str,
    failure: Failure,
    stop: &mut Stop,
) -> Failure {
    match stop.or_told(undo(client, args, snapshot)).await {
        Ok(()) => failure,
        Err(why) => Failure::failed(format!(
            "{failure}; snapshot {snapshot} could not be deleted, and is left behind: {why}"
        )),
    }
}

/// Deletes the snapshot, and the image of it if one was registered though no answer said so.
async fn undo(client: &Client, args: &Import, snapshot: &str) -> Result<()> {
    if let Some(name) = &args.name
        && let Some(image) = ec2::image_of(client, name, snapshot).await?
    {
        ec2::deregister_image(client, &image).await?;
    }
    Ok(ec2::delete_snapshot(client, snapshot).await?)
}

/// A bar on a terminal, and nothing in a pipe. It is wiped when it is dropped: what comes next, a
/// message or the result, stands on a line of its own.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let style = ProgressStyle::with_template(
            "{bar:40} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left",
        );
        let bar = ProgressBar::with_draw_target(Some(0), target);
        // The template is a constant; were it wrong, the default style would do.
        Self(match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn text(imported: &Imported) -> String {
    let snapshot = format!("snapshot  {}", imported.snapshot_id);
    match &imported.image_id {
        Some(image) => format!("{snapshot}\nimage     {image}"),
        None => snapshot,
    }
}
