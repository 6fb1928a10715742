//! Scrubs, as our own operations tell of them.

use cairn_control::{
    Caller, Control,
    scrub::{self, Found, ScrubStatus, Touched},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::{
    dialect::{self, Answer},
    problem::Problem,
    received::Received,
    rest,
};

/// Begins a scrub of the caller's region.
pub(super) async fn start(
    control: &Control,
    caller: &Caller,
    received: &Received,
) -> Result<Answer, Problem> {
    let asked: AskedScrub = rest::body(&received.body)?;
    let rate = match asked.mib_per_second {
        None => control.scrub_rate(),
        Some(0) => None,
        Some(mib) => Some(u64::from(mib) << 20),
    };
    let status = control.start_scrub(caller, rate).await?;
    dialect::json(StatusCode::OK, &Scrub::of(&status))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AskedScrub {
    mib_per_second: Option<u32>,
}

/// What scrubs of the caller's region found.
pub(super) async fn status(control: &Control, caller: &Caller) -> Result<Answer, Problem> {
    let status = control.scrub_status(caller).await?;
    dialect::json(StatusCode::OK, &Scrub::of(&status))
}

/// A few words on the scrubs of the caller's region.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Summary {
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    running: bool,
    findings: u64,
    bad_blobs: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Scrub<'a> {
    region: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<ScrubRun>,
    findings: Vec<ScrubFinding<'a>>,
    healed: u64,
    bad_blobs: u64,
    snapshots: Vec<ScrubSnapshot<'a>>,
    images: Vec<&'a str>,
    volumes: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ScrubRun {
    begun: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    packs: u64,
    all_packs: u64,
    blobs: u64,
    bytes: u64,
    unchecked_blobs: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ScrubFinding<'a> {
    file: &'a str,
    offset: u64,
    length: u64,
    fault: &'a str,
    unreadable: bool,
    found: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ScrubSnapshot<'a> {
    snapshot_id: &'a str,
    account: &'a str,
    blocks: u64,
}

impl<'a> Scrub<'a> {
    fn of(status: &'a ScrubStatus) -> Self {
        // Before the first run there is nothing to be told of one.
        let run = status.run.as_ref().filter(|run| run.runs > 0);
        let finding = |found: &'a Found| ScrubFinding {
            file: &found.finding.file,
            offset: found.finding.offset,
            length: found.finding.length,
            fault: &found.finding.fault,
            unreadable: found.unreadable,
            found: found.finding.found.to_string(),
        };
        let snapshot = |touched: &'a Touched| ScrubSnapshot {
            snapshot_id: touched.id.as_str(),
            account: touched.account.as_str(),
            blocks: touched.blocks,
        };
        Self {
            region: status.region.name(),
            run: run.map(|run| ScrubRun {
                begun: run.begun.to_string(),
                ended: run.ended.map(|ended| ended.to_string()),
                packs: run.packs,
                all_packs: run.all_packs,
                blobs: run.blobs,
                bytes: run.bytes,
                unchecked_blobs: run.unchecked,
            }),
            findings: status.findings.iter().map(finding).collect(),
            healed: status.healed,
            bad_blobs: status.bad_blobs,
            snapshots: status.snapshots.iter().map(snapshot).collect(),
            images: status.images.iter().map(|id| id.as_str()).collect(),
            volumes: status.volumes.iter().map(|id| id.as_str()).collect(),
        }
    }
}

impl Summary {
    pub(super) async fn of(control: &Control, caller: &Caller) -> Result<Self, Problem> {
        let scrub::ScrubSummary {
            ended,
            running,
            findings,
            bad_blobs,
        } = control.scrub_summary(caller.region).await?;
        Ok(Self {
            ended: ended.map(|ended| ended.to_string()),
            running,
            findings,
            bad_blobs,
        })
    }
}
