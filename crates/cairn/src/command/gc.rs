//! `cairn gc`.

use indicatif::HumanBytes;

use crate::{
    cli::{Gc, Global},
    client::{
        cairn::{self, Bytes, Collection, Packs, RegionCollection},
        connect,
    },
    failure::Result,
    output,
};

/// Collects garbage, or says what that would do.
pub(crate) async fn run(global: &Global, args: &Gc) -> Result<()> {
    let client = connect(global, &args.region)?;
    let collection = cairn::collect(&client, args.dry_run, args.resume, &args.if_deleted).await?;
    output::print(global.output, &collection, text)
}

fn text(collection: &Collection) -> String {
    let dry_run = collection.dry_run;
    let mut lines: Vec<_> = collection
        .regions
        .iter()
        .flat_map(|region| region_lines(region, dry_run))
        .collect();
    if lines.is_empty() {
        lines.push("nothing is stored yet".to_owned());
    }
    lines.extend(collection.if_deleted.as_ref().map(freed_line));
    lines.join("\n")
}

fn region_lines(region: &RegionCollection, dry_run: bool) -> Vec<String> {
    let will = |did: &str, would: &str| if dry_run { would } else { did }.to_owned();
    let rows = [
        ("stored".to_owned(), region.known),
        ("  of that needed".to_owned(), region.live),
        (will("deleted", "would delete"), region.deleted),
        (will("condemned", "would condemn"), region.condemned),
        (
            will("repacked, dead", "would repack, dead"),
            region.repacked,
        ),
        (will("  copied", "  would copy"), region.copied),
        ("waiting for their grace".to_owned(), region.waiting),
        (will("orphans removed", "orphans to remove"), region.orphans),
        (will("pardoned", "would pardon"), region.pardoned),
    ];
    let always = 3;
    let shown = rows
        .iter()
        .enumerate()
        .filter(|(at, (_, packs))| *at < always || packs.packs > 0)
        .map(|(_, (what, packs))| line(what, packs));
    std::iter::once(region.region.clone())
        .chain(shown)
        .collect()
}

fn line(what: &str, amount: &Packs) -> String {
    let Packs {
        packs,
        blobs,
        bytes,
    } = amount;
    format!(
        "  {what:26}{packs:>8} packs {blobs:>10} blobs {bytes:>15} bytes ({})",
        HumanBytes(*bytes)
    )
}

fn freed_line(bytes: &Bytes) -> String {
    let freed = bytes.freed_if_deleted_bytes;
    format!(
        "deleting these snapshots frees {freed} bytes ({}) of the {} that they take",
        HumanBytes(freed),
        bytes.stored_bytes
    )
}
