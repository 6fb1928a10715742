//! `cairn status`.

use crate::{
    cli::{Global, Status},
    client::{cairn, connect},
    failure::Result,
    output,
};

/// Shows what the server says about itself.
pub(crate) async fn run(global: &Global, args: &Status) -> Result<()> {
    let client = connect(global, &args.region)?;
    let status = cairn::status(&client).await?;
    let endpoint = client.target().endpoint.clone();
    output::print(global.output, &status, |status| {
        let members = status.as_object().into_iter().flatten();
        let lines = members.map(|(name, value)| format!("{name:<14}{}", plain(value)));
        std::iter::once(format!("{:<14}{endpoint}", "Endpoint"))
            .chain(lines)
            .collect::<Vec<_>>()
            .join("\n")
    })
}

fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
