//! Our own operations, signed for the service `cairn`, REST and JSON:
//!
//! - `POST /cairn/v1/accounts` `{"Name"}` → 201 `{"AccountId", "Name", "AccessKeyId",
//!   "SecretAccessKey"}`: makes an account. Only the operator's account may.
//! - `POST /cairn/v1/snapshots/{id}/verify` → `{"SnapshotId", "Ok", "Digest", "BlocksRead",
//!   "BytesRead", "BadBlocks": [{"BlockIndex", "Blocks", "Reason"}], "Attestation"}`: reads and
//!   checks every block; what is wrong with a run of blocks is said once. The attestation is an
//!   object with the fields of an attestation file.
//! - `POST /cairn/v1/scrub` `{"MibPerSecond"}` → as the next one: begins a scrub of the region, at the
//!   server's rate unless one is named; 0 is as fast as it goes. Only the operator's account may.
//! - `GET /cairn/v1/scrub` → `{"Region", "Run": {"Begun", "Ended", "Packs", "AllPacks", "Blobs", "Bytes"},
//!   "Findings": [{"File", "Offset", "Length", "Fault", "Unreadable", "Found"}], "Healed",
//!   "BadBlobs", "Snapshots": [{"SnapshotId", "Account", "Blocks"}], "Images": [ids], "Volumes":
//!   [ids]}`: what was found. A run without an end is under way; without a run there was none.
//! - `GET /cairn/v1/status` → `{"Version", "Accelerator", "AcceleratorReason", "Account", "Operator",
//!   "Region", "Regions": [names], "Time", "PublicKey", "Scrub": {"Ended", "Running", "Findings",
//!   "BadBlobs"}}`; the key in PEM.

use cairn_control::{
    Caller, Control, Error, ErrorKind,
    account::NewAccount,
    attest::{Attestation, AttestationFile},
    request as verbs,
    scrub::{self, Found, ScrubStatus, Touched},
    verify::{BadRange, VerifyReport},
};
use cairn_model::{Region, Timestamp};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::{
    dialect::{self, Answer},
    problem::Problem,
    received::Received,
    rest,
};

/// Answers a request of ours.
pub(crate) async fn call(
    control: &Control,
    caller: &Caller,
    received: &Received,
    now: Timestamp,
) -> Result<Answer, Problem> {
    let segments = rest::segments(received.path())?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (received.method().as_str(), segments.as_slice()) {
        ("POST", ["cairn", "v1", "accounts"]) => create_account(control, caller, received).await,
        ("POST", ["cairn", "v1", "snapshots", id, "verify"]) => verify(control, caller, id).await,
        ("POST", ["cairn", "v1", "scrub"]) => start_scrub(control, caller, received).await,
        ("GET", ["cairn", "v1", "scrub"]) => {
            let status = control.scrub_status(caller).await?;
            dialect::json(StatusCode::OK, &Scrub::of(&status))
        }
        ("GET", ["cairn", "v1", "status"]) => {
            let scrub = control.scrub_summary(caller.region).await?;
            dialect::json(StatusCode::OK, &Status::of(control, caller, now, &scrub))
        }
        _ => Err(Problem::OperationUnknown),
    }
}

async fn create_account(
    control: &Control,
    caller: &Caller,
    received: &Received,
) -> Result<Answer, Problem> {
    if !caller.operator {
        return Err(Error::new(
            ErrorKind::Unauthorized,
            "Only the operator's account may make accounts.",
        )
        .into());
    }
    let asked: AskedAccount = rest::body(&received.body)?;
    let made = control.create_account(asked.name).await?;
    dialect::json(StatusCode::CREATED, &MadeAccount::of(&made))
}

async fn verify(control: &Control, caller: &Caller, id: &str) -> Result<Answer, Problem> {
    let request = verbs::ById {
        id: id.to_owned(),
        dry_run: false,
    };
    let report = control.verify_snapshot(caller, request).await?;
    dialect::json(StatusCode::OK, &Report::of(&report))
}

async fn start_scrub(
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

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AskedAccount {
    name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MadeAccount<'a> {
    account_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    access_key_id: &'a str,
    secret_access_key: &'a str,
}

impl<'a> MadeAccount<'a> {
    fn of(made: &'a NewAccount) -> Self {
        Self {
            account_id: made.account.as_str(),
            name: made.name.as_deref(),
            access_key_id: &made.access_key_id,
            secret_access_key: &made.secret_access_key,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Report<'a> {
    snapshot_id: &'a str,
    ok: bool,
    digest: &'a str,
    blocks_read: u64,
    bytes_read: u64,
    bad_blocks: Vec<Bad<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<AttestationFile>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Bad<'a> {
    block_index: u64,
    blocks: u64,
    reason: &'a str,
}

impl<'a> Report<'a> {
    fn of(report: &'a VerifyReport) -> Self {
        let bad = |bad: &'a BadRange| Bad {
            block_index: bad.first_block,
            blocks: bad.blocks,
            reason: &bad.reason,
        };
        Self {
            snapshot_id: report.snapshot_id.as_str(),
            ok: report.ok,
            digest: &report.digest,
            blocks_read: report.blocks,
            bytes_read: report.bytes,
            bad_blocks: report.bad.iter().map(bad).collect(),
            attestation: report.attestation.as_ref().map(Attestation::to_file),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Status<'a> {
    version: &'static str,
    accelerator: &'static str,
    accelerator_reason: &'a str,
    account: &'a str,
    operator: bool,
    region: &'static str,
    regions: Vec<&'static str>,
    time: String,
    public_key: String,
    scrub: ScrubSummary,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ScrubSummary {
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

impl<'a> Status<'a> {
    fn of(
        control: &'a Control,
        caller: &'a Caller,
        now: Timestamp,
        scrub: &scrub::ScrubSummary,
    ) -> Self {
        let (accelerator, accelerator_reason) = control.accelerator();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            accelerator,
            accelerator_reason,
            account: caller.account.as_str(),
            operator: caller.operator,
            region: caller.region.name(),
            regions: Region::all().map(Region::name).collect(),
            time: now.to_string(),
            public_key: control.public_key().to_pem(),
            scrub: ScrubSummary {
                ended: scrub.ended.map(|ended| ended.to_string()),
                running: scrub.running,
                findings: scrub.findings,
                bad_blobs: scrub.bad_blobs,
            },
        }
    }
}
