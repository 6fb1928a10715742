//! Writes crate `api`'s EC2 types from `crates/api/model/ec2.json`, which `trim.py` beside it
//! makes from botocore's service model. The output is checked in; nothing is generated at build.
//!
//! - [`model`]: the trimmed model.
//! - [`names`]: names of the wire as Rust writes them.
//! - [`request`]: structs with `FromQuery`.
//! - [`response`]: structs with `ToXml`.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, ensure};

mod model;
mod names;
mod request;
mod response;

use model::Model;

const HEADER: &str =
    "// Written by `cargo run -p xtask -- codegen` from crates/api/model/ec2.json; do not edit.\n";

/// Writes every generated file.
pub(crate) fn write() -> Result<()> {
    for (path, text) in files()? {
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

/// Fails if a generated file is not as it would be written.
pub(crate) fn check() -> Result<()> {
    for (path, text) in files()? {
        let found =
            fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        ensure!(
            found == text,
            "{} is not what codegen writes: run it",
            path.display()
        );
    }
    Ok(())
}

fn files() -> Result<Vec<(PathBuf, String)>> {
    let api = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/api");
    let path = api.join("model/ec2.json");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let model: Model =
        serde_json::from_str(&text).with_context(|| format!("parse {}", path.display()))?;
    let generated = api.join("src/generated");
    Ok(vec![
        (generated.join("request.rs"), request::module(&model)),
        (generated.join("response.rs"), response::module(&model)),
    ])
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_checked_in_is_what_codegen_writes() {
        super::check().unwrap();
    }
}
