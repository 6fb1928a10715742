//! `cairn du`.

use crate::{
    cli::{Du, Global},
    client::{
        cairn::{self, Cost, Usage},
        connect,
    },
    failure::Result,
    output,
};

/// Shows what snapshots, images and the account cost.
pub(crate) async fn run(global: &Global, args: &Du) -> Result<()> {
    let client = connect(global, &args.region)?;
    let usage = cairn::usage(&client).await?;
    output::print(global.output, &usage, text)
}

fn text(usage: &Usage) -> String {
    let head = format!(
        "{:24}{:>17}{:>17}{:>17}{:>17}{:>17}",
        "BYTES", "LOGICAL", "STORED", "UNIQUE", "SHARED", "FREED"
    );
    let costs = usage
        .snapshots
        .iter()
        .chain(&usage.images)
        .chain([&usage.account]);
    std::iter::once(head)
        .chain(costs.map(line))
        .collect::<Vec<_>>()
        .join("\n")
}

fn line(cost: &Cost) -> String {
    let bytes = &cost.bytes;
    format!(
        "{:24}{:>17}{:>17}{:>17}{:>17}{:>17}",
        cost.id,
        cost.logical_bytes,
        bytes.stored_bytes,
        bytes.unique_bytes,
        bytes.shared_bytes,
        bytes.freed_if_deleted_bytes
    )
}
