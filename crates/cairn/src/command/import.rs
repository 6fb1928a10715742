//! `cairn import`.

use std::{env, path::PathBuf, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    cli::{Global, Import, spelling},
    client::{Client, PATIENCE, connect, ebs, ec2},
    failure::{Failure, Result},
    host::{pause, unique_token},
    import::{disk::RawDisk, upload},
    output,
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
    format: String,
    volume_size: u64,
    blocks: u64,
}

/// Imports a disk file; whatever goes wrong, nothing stays behind.
pub(crate) async fn run(global: &Global, args: &Import) -> Result<()> {
    let client = connect(global, &args.region)?;
    if let Some(name) = &args.name {
        name_is_free(&client, name).await?;
    }
    let temp_dir = args.temp_dir.clone().unwrap_or_else(env::temp_dir);
    let disk = or_interrupted(open(args, temp_dir)).await?;
    let client = client.patient(PATIENCE);
    let size = disk.volume_size_gib()?;
    let snapshot =
        ebs::start_snapshot(&client, size, args.description.as_deref(), &unique_token()).await?;
    let outcome = fill_and_register(&client, args, disk, &snapshot).await;
    match outcome {
        Ok(imported) => output::print(global.output, &imported, text),
        Err(failure) => Err(undo(&client, &snapshot, failure).await),
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
) -> Result<Imported> {
    let sent = or_interrupted(fill(client, args, &disk, snapshot)).await?;
    let image_id = match &args.name {
        Some(name) => Some(register(client, args, name, snapshot).await?),
        None => None,
    };
    Ok(Imported {
        snapshot_id: snapshot.to_owned(),
        image_id,
        name: args.name.clone(),
        format: spelling(disk.format),
        volume_size: disk.volume_size_gib()?,
        blocks: sent.blocks,
    })
}

/// Sends the blocks, and waits until the snapshot is complete.
async fn fill(
    client: &Client,
    args: &Import,
    disk: &Arc<RawDisk>,
    snapshot: &str,
) -> Result<upload::Sent> {
    let bar = output::progress_bar(0);
    let sent = upload::send(client, snapshot, disk, usize::from(args.parallel), &bar).await?;
    disk.check_unchanged()?;
    ebs::complete_snapshot(client, snapshot, sent.blocks, &sent.aggregate).await?;
    wait_completed(client, snapshot).await?;
    bar.finish_and_clear();
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

async fn register(client: &Client, args: &Import, name: &str, snapshot: &str) -> Result<String> {
    let boot_mode = args.boot_mode.map(spelling);
    let image = ec2::NewImage {
        name,
        description: args.description.as_deref(),
        architecture: &spelling(args.architecture),
        boot_mode: boot_mode.as_deref(),
        root_device_name: &args.root_device_name,
        snapshot_id: snapshot,
    };
    Ok(ec2::register_image(client, &image).await?)
}

/// Deletes the snapshot, so that a failed import leaves nothing behind.
async fn undo(client: &Client, snapshot: &str, failure: Failure) -> Failure {
    match ec2::delete_snapshot(client, snapshot).await {
        Ok(()) => failure,
        Err(cause) => {
            let why = Failure::from(cause);
            Failure::failed(format!(
                "{failure}; and snapshot {snapshot} could not be deleted: {why}"
            ))
        }
    }
}

/// Runs something that may be dropped at any point, until Ctrl-C or SIGTERM.
async fn or_interrupted<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::failed)?;
    tokio::select! {
        outcome = work => outcome,
        _ = interrupt.recv() => Err(Failure::Interrupted),
        _ = terminate.recv() => Err(Failure::Interrupted),
    }
}

fn text(imported: &Imported) -> String {
    let snapshot = format!("snapshot  {}", imported.snapshot_id);
    match &imported.image_id {
        Some(image) => format!("{snapshot}\nimage     {image}"),
        None => snapshot,
    }
}
