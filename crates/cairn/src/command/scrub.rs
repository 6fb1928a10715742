//! `cairn scrub`.

use std::time::Duration;

use indicatif::HumanBytes;

use crate::{
    cli::{Global, Scrub},
    client::{
        PATIENCE,
        cairn::{self, ScrubFinding, ScrubRun, ScrubStatus},
        connect,
    },
    failure::{Failure, Result},
    host::pause,
    output,
};

/// The longest pause between two looks at a run.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Has a region scrubbed and waits for the end, or only shows what was found.
pub(crate) async fn run(global: &Global, args: &Scrub) -> Result<()> {
    let client = connect(global, &args.region)?;
    let status = if args.status {
        cairn::scrub_status(&client).await?
    } else {
        let begun = cairn::start_scrub(&client, args.rate).await?;
        wait(&client.patient(PATIENCE), begun).await?
    };
    output::print(global.output, &status, text)?;
    match status.findings.is_empty() && status.bad_blobs == 0 && status.snapshots.is_empty() {
        true => Ok(()),
        false => Err(Failure::NotVerified(format!(
            "{}: {} findings, {} blobs and {} snapshots cannot be read",
            status.region,
            status.findings.len(),
            status.bad_blobs,
            status.snapshots.len()
        ))),
    }
}

async fn wait(client: &crate::client::Client, begun: ScrubStatus) -> Result<ScrubStatus> {
    let bar = output::pack_bar();
    let mut status = begun;
    let mut time = Duration::from_millis(20);
    while let Some(run) = status.run.as_ref().filter(|run| run.ended.is_none()) {
        bar.set_length(run.all_packs);
        bar.set_position(run.packs);
        pause(time).await;
        time = (time * 2).min(LONGEST_PAUSE);
        status = cairn::scrub_status(client).await?;
    }
    bar.finish_and_clear();
    Ok(status)
}

fn text(status: &ScrubStatus) -> String {
    let snapshots = status.snapshots.iter().map(|touched| {
        format!(
            "{} of account {} cannot be read in {} blocks",
            touched.snapshot_id, touched.account, touched.blocks
        )
    });
    let images = status
        .images
        .iter()
        .map(|id| format!("{id} needs one of these"));
    let volumes = status
        .volumes
        .iter()
        .map(|id| format!("{id} reads from what cannot be read"));
    let healed = (status.healed > 0).then(|| format!("{} findings are healed", status.healed));
    std::iter::once(head(status))
        .chain(status.findings.iter().map(finding))
        .chain(snapshots)
        .chain(images)
        .chain(volumes)
        .chain(healed)
        .collect::<Vec<_>>()
        .join("\n")
}

fn head(status: &ScrubStatus) -> String {
    let ScrubStatus { region, run, .. } = status;
    let Some(run) = run else {
        return format!("{region}  never scrubbed");
    };
    let ScrubRun {
        begun,
        ended,
        packs,
        all_packs,
        blobs,
        bytes,
        unchecked_blobs,
    } = run;
    let when = match ended {
        Some(ended) => format!("from {begun} to {ended}"),
        None => format!("under way since {begun}, {packs} of {all_packs} packs"),
    };
    let verdict = match status.findings.len() {
        0 => "nothing found".to_owned(),
        count => format!("{count} findings"),
    };
    let locked = match unchecked_blobs {
        0 => String::new(),
        count => format!("  {count} blobs checked only in part, for want of their key"),
    };
    format!(
        "{region}  {verdict}  {packs} packs, {blobs} blobs, {} read, {when}{locked}",
        HumanBytes(*bytes)
    )
}

fn finding(finding: &ScrubFinding) -> String {
    let ScrubFinding {
        file,
        offset,
        length,
        fault,
        unreadable,
        ..
    } = finding;
    let place = match length {
        0 => file.clone(),
        _ => format!("{file}, {length} bytes from {offset}"),
    };
    let harm = if *unreadable {
        ""
    } else {
        " (no reader looks there)"
    };
    format!("{place}: {fault}{harm}")
}
