//! `cairn status`.

use cairn_control::attest::PublicKey;

use crate::{
    cli::{Global, Status},
    client::{
        cairn::{self, ScrubSummary, ServerStatus},
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
        ..
    } = status;
    // On one line, as `cairn verify --public-key` takes it too.
    let key =
        PublicKey::parse(public_key).map_or_else(|cause| cause.to_string(), |key| key.to_string());
    format!(
        "server       {endpoint}\nversion      {version}\naccelerator  {accelerator} ({accelerator_reason})\n\
         account      {account}\nregion       {region}\nregions      {}\npublic key   {key}\nscrub        {}",
        regions.join(" "),
        scrubbed(scrub)
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
