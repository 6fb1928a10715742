//! `cairn verify`.

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

/// Checks a snapshot; bad blocks are a failure with a code of its own.
pub(crate) async fn run(global: &Global, args: &Verify) -> Result<()> {
    let client = connect(global, &args.region)?;
    let report = cairn::verify(&client, &args.snapshot).await?;
    output::print(global.output, &report, text)?;
    if report.ok {
        Ok(())
    } else {
        Err(Failure::NotVerified(format!(
            "{} is not what its digest says",
            report.snapshot_id
        )))
    }
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
    std::iter::once(head)
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
