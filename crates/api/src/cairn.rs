//! Our own operations, signed for the service `cairn`, REST and JSON:
//!
//! - `POST /cairn/v1/accounts` `{"Name"}` → 201 `{"AccountId", "Name", "AccessKeyId",
//!   "SecretAccessKey"}`: makes an account. Only the operator's account may.
//! - `POST /cairn/v1/snapshots/{id}/verify` → `{"SnapshotId", "Ok", "Digest", "BlocksRead",
//!   "BytesRead", "BadBlocks": [{"BlockIndex", "Blocks", "Reason"}]}`: reads and checks every
//!   block; what is wrong with a run of blocks is said once.
//! - `GET /cairn/v1/status` → `{"Version", "Accelerator", "AcceleratorReason", "Account", "Operator",
//!   "Region", "Regions": [names], "Time"}`.

use cairn_control::{
    Caller, Control, Error, ErrorKind,
    account::NewAccount,
    request as verbs,
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
        ("GET", ["cairn", "v1", "status"]) => {
            dialect::json(StatusCode::OK, &Status::of(control, caller, now))
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
}

impl<'a> Status<'a> {
    fn of(control: &'a Control, caller: &'a Caller, now: Timestamp) -> Self {
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
        }
    }
}
