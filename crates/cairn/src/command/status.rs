//! `cairn status`.

use std::time::Duration;

use indicatif::{HumanBytes, HumanDuration};

use crate::{
    cli::{Global, Status},
    client::{
        cairn::{self, CollectionState, LastCollection, ServerStatus},
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
        collection,
        ..
    } = status;
    let collection = collection.as_ref().map(collection_text);
    format!(
        "server       {endpoint}\nversion      {version}\naccelerator  {accelerator} ({accelerator_reason})\n\
         account      {account}\nregion       {region}\nregions      {}{}",
        regions.join(" "),
        collection.unwrap_or_default()
    )
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
