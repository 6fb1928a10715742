//! `cairn status`.

use std::time::Duration;

use cairn_control::attest::PublicKey;
use indicatif::{HumanBytes, HumanDuration};

use crate::{
    cli::{Global, Status},
    client::{
        cairn::{self, CollectionState, LastCollection, ScrubSummary, ServerStatus},
        connect,
    },
    failure::Result,
    output,
};

/// Shows what the server says about itself.
pub(crate) async fn run(global: &Global, args: &Status) -> Result<()> {
    let client = connect(global, &args.region)?;
    let status = cairn::status(&client).await?;
    let endpoint = client.target().endpoint.clone();
    output::print(global.output, &status, |status| text(&endpoint, status))
}

fn text(endpoint: &str, status: &ServerStatus) -> String {
    let ServerStatus {
        version,
        accelerator,
        accelerator_reason,
        account,
        region,
        regions,
        public_key,
        scrub,
        collection,
        ..
    } = status;
    // On one line, as `cairn verify --public-key` takes it too.
    let key =
        PublicKey::parse(public_key).map_or_else(|cause| cause.to_string(), |key| key.to_string());
    let collection = collection.as_ref().map(collection_text);
    format!(
        "server       {endpoint}\nversion      {version}\naccelerator  {accelerator} ({accelerator_reason})\n\
         account      {account}\nregion       {region}\nregions      {}\npublic key   {key}\nscrub        {}{}",
        regions.join(" "),
        scrubbed(scrub),
        collection.unwrap_or_default()
    )
}

/// The state of the region's packs, on one line.
fn scrubbed(scrub: &ScrubSummary) -> String {
    let when = match (&scrub.ended, scrub.running) {
        (_, true) => "under way".to_owned(),
        (Some(ended), false) => format!("ended {ended}"),
        (None, false) => "never yet".to_owned(),
    };
    match (scrub.findings, scrub.bad_blobs) {
        (0, 0) => format!("{when}, nothing found"),
        (findings, bad) => {
            format!(
                "{when}, {findings} findings, {bad} blobs cannot be read: see `cairn scrub --status`"
            )
        }
    }
}

/// How garbage collection is doing, in a line, and one more for each alarm.
fn collection_text(state: &CollectionState) -> String {
    let schedule = match state.interval_seconds {
        Some(seconds) => format!("every {}", HumanDuration(Duration::from_secs(seconds))),
        None => "only by hand".to_owned(),
    };
    let last = match &state.last {
        None => "no pass since the start".to_owned(),
        Some(LastCollection {
            ended,
            error: Some(error),
            ..
        }) => format!("the last pass, at {ended}, failed: {error}"),
        Some(last) => {
            let freed: u64 = last.regions.iter().map(|region| region.deleted.bytes).sum();
            format!("last at {}, which freed {}", last.ended, HumanBytes(freed))
        }
    };
    let alarms: String = state
        .alarms
        .iter()
        .map(|alarm| {
            format!(
                "\n             blob {} of pack {} was read though it was condemned",
                alarm.blob, alarm.pack
            )
        })
        .collect();
    match state.halted {
        true => format!("\ncollection   HALTED until `cairn gc --resume`{alarms}"),
        false => format!("\ncollection   {schedule}; {last}"),
    }
}
