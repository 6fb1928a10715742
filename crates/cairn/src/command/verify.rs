//! `cairn verify`.

mod offline;

use std::path::Path;

use indicatif::HumanBytes;

use crate::{
    cli::{Global, Verify},
    client::{
        cairn::{self, BadBlocks, VerifyReport},
        connect,
    },
    failure::{Failure, Result},
    output,
};

/// Checks a snapshot, or a disk that should hold one; bad blocks are a failure with a code of its
/// own.
pub(crate) async fn run(global: &Global, args: &Verify) -> Result<()> {
    match (&args.snapshot, &args.offline, &args.attestation) {
        (Some(snapshot), _, _) => online(global, args, snapshot).await,
        (None, Some(image), Some(attestation)) => {
            let asked = offline::Asked {
                image,
                attestation,
                public_key: args.public_key.as_deref(),
            };
            offline::run(global, &asked)
        }
        _ => Err(Failure::Usage(
            "name a snapshot, or --offline IMAGE with --attestation FILE".into(),
        )),
    }
}

async fn online(global: &Global, args: &Verify, snapshot: &str) -> Result<()> {
    let client = connect(global, &args.region)?;
    let report = cairn::verify(&client, snapshot).await?;
    output::print(global.output, &report, text)?;
    if !report.ok {
        return Err(Failure::NotVerified(format!(
            "{} is not what its digest says",
            report.snapshot_id
        )));
    }
    match &args.export {
        Some(path) => export(&report, path),
        None => Ok(()),
    }
}

/// Leaves the attestation in a file.
fn export(report: &VerifyReport, path: &Path) -> Result<()> {
    let Some(attestation) = &report.attestation else {
        return Err(Failure::failed(format!(
            "the server gave no attestation of {}; it may be of an earlier version",
            report.snapshot_id
        )));
    };
    let mut text = serde_json::to_string_pretty(attestation).map_err(Failure::failed)?;
    text.push('\n');
    std::fs::write(path, text)
        .map_err(|cause| Failure::failed(format!("{}: {cause}", path.display())))
}

fn text(report: &VerifyReport) -> String {
    let verdict = if report.ok { "ok" } else { "BAD" };
    let head = format!(
        "{}  {verdict}  {} blocks read ({})\ndigest  {}",
        report.snapshot_id,
        report.blocks_read,
        HumanBytes(report.bytes_read),
        report.digest
    );
    let signed = report.attestation.iter().map(|attestation| {
        format!(
            "signed  {}  by {}",
            attestation.signature, attestation.public_key
        )
    });
    std::iter::once(head)
        .chain(signed)
        .chain(report.bad_blocks.iter().map(bad_line))
        .collect::<Vec<_>>()
        .join("\n")
}

fn bad_line(bad: &BadBlocks) -> String {
    let BadBlocks {
        block_index,
        blocks,
        reason,
    } = bad;
    match blocks {
        0 | 1 => format!("block {block_index}: {reason}"),
        _ => format!(
            "blocks {block_index} to {}: {reason}",
            block_index + blocks - 1
        ),
    }
}
