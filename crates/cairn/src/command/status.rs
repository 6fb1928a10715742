//! `cairn status`.

use crate::{
    cli::{Global, Status},
    client::{
        cairn::{self, ServerStatus},
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
        ..
    } = status;
    format!(
        "server       {endpoint}\nversion      {version}\naccelerator  {accelerator} ({accelerator_reason})\n\
         account      {account}\nregion       {region}\nregions      {}",
        regions.join(" ")
    )
}
