//! Our own operations, signed for the service `cairn`, REST and JSON:
//!
//! - `POST /cairn/v1/accounts` `{"Name", "Organization", "Units": [ARNs]}` → 201 `{"AccountId", "Name",
//!   "AccessKeyId", "SecretAccessKey"}`: makes an account. Only the operator's account may.
//! - `PUT /cairn/v1/accounts/{id}/memberships` `{"Organization", "Units": [ARNs]}` → `{"AccountId",
//!   "Memberships": [ARNs]}`: sets what the account belongs to. Only the operator's account may.
//! - `POST /cairn/v1/snapshots/{id}/verify` → `{"SnapshotId", "Ok", "Digest", "BlocksRead",
//!   "BytesRead", "BadBlocks": [{"BlockIndex", "Blocks", "Reason"}], "Attestation"}`: reads and
//!   checks every block; what is wrong with a run of blocks is said once. The attestation is an
//!   object with the fields of an attestation file.
//! - `POST /cairn/v1/scrub` `{"MibPerSecond"}` → as the next one: begins a scrub of the region, at the
//!   server's rate unless one is named; 0 is as fast as it goes. Only the operator's account may.
//! - `GET /cairn/v1/scrub` → `{"Region", "Run": {"Begun", "Ended", "Packs", "AllPacks", "Blobs", "Bytes", "UncheckedBlobs"},
//!   "Findings": [{"File", "Offset", "Length", "Fault", "Unreadable", "Found"}], "Healed",
//!   "BadBlobs", "Snapshots": [{"SnapshotId", "Account", "Blocks"}], "Images": [ids], "Volumes":
//!   [ids]}`: what was found. A run without an end is under way; without a run there was none.
//! - `POST /cairn/v1/collections` `{"DryRun", "Resume", "IfDeleted": [snapshot ids]}` →
//!   `{"DryRun", "Regions": [{"Region", "Known", "Live", "Condemned", "Repacked", "Copied",
//!   "Waiting", "Deleted", "Pardoned", "Orphans"}], "IfDeleted"}`: collects garbage, or says what it
//!   would. Amounts are `{"Packs", "Blobs", "Bytes"}`. Only the operator's account may.
//! - `POST /cairn/v1/keys` `{"Description"}` → 201 `{"KeyId", "Arn", "Description", "KeyState",
//!   "AwsManaged", "CreationDate"}`: makes a key for encrypted volumes and snapshots.
//! - `GET /cairn/v1/keys` → `{"Keys"}`, each like that: the caller's in the region.
//! - `POST /cairn/v1/keys/{key}/deletion` `{"Days"}` → 202, the key, with its `DeletionDate`: has it deleted in so many
//!   days, as KMS's ScheduleKeyDeletion does.
//! - `DELETE /cairn/v1/keys/{key}` → 202, the key: deletes it at once, and with it everything under it. Only the
//!   operator's account may.
//! - `GET /cairn/v1/usage` → `{"Account", "Images", "Snapshots"}`, each `{"Id", "LogicalBytes",
//!   "StoredBytes", "UniqueBytes", "SharedBytes", "FreedIfDeletedBytes"}`: what the caller's things
//!   cost in the region.
//! - `GET /cairn/v1/status` → `{"Version", "Accelerator", "AcceleratorReason", "Account", "Operator",
//!   "Region", "Regions": [names], "Time", "PublicKey", "Scrub": {"Ended", "Running", "Findings",
//!   "BadBlobs"}, "Collection"}`; the key in PEM, the last for the operator alone.

mod keys;
mod scrub;

use cairn_control::{
    Caller, Control,
    account::{Memberships, NewAccount},
    attest::{Attestation, AttestationFile},
    collect::{
        self, Amount, CollectGarbage, Collected, CollectionStatus, LastPass, RegionReport, Space,
    },
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
        ("PUT", ["cairn", "v1", "accounts", id, "memberships"]) => {
            set_memberships(control, caller, received, id).await
        }
        ("POST", ["cairn", "v1", "snapshots", id, "verify"]) => verify(control, caller, id).await,
        ("POST", ["cairn", "v1", "scrub"]) => scrub::start(control, caller, received).await,
        ("GET", ["cairn", "v1", "scrub"]) => scrub::status(control, caller).await,
        ("POST", ["cairn", "v1", "collections"]) => {
            collect_garbage(control, caller, received).await
        }
        ("POST", ["cairn", "v1", "keys"]) => keys::create(control, caller, received).await,
        ("GET", ["cairn", "v1", "keys"]) => keys::list(control, caller).await,
        ("POST", ["cairn", "v1", "keys", key, "deletion"]) => {
            keys::schedule(control, caller, received, key).await
        }
        ("DELETE", ["cairn", "v1", "keys", key]) => keys::delete(control, caller, key).await,
        ("GET", ["cairn", "v1", "usage"]) => usage(control, caller).await,
        ("GET", ["cairn", "v1", "status"]) => status(control, caller, now).await,
        _ => Err(Problem::OperationUnknown),
    }
}

async fn create_account(
    control: &Control,
    caller: &Caller,
    received: &Received,
) -> Result<Answer, Problem> {
    caller.check_operator("make accounts")?;
    let asked: AskedAccount = rest::body(&received.body)?;
    let memberships = Memberships {
        organization: asked.organization,
        units: asked.units,
    };
    let made = control.create_account_in(asked.name, memberships).await?;
    dialect::json(StatusCode::CREATED, &MadeAccount::of(&made))
}

async fn set_memberships(
    control: &Control,
    caller: &Caller,
    received: &Received,
    id: &str,
) -> Result<Answer, Problem> {
    caller.check_operator("say what accounts belong to")?;
    let asked: AskedMemberships = rest::body(&received.body)?;
    let memberships = Memberships {
        organization: asked.organization,
        units: asked.units,
    };
    let account = control.set_memberships(id, memberships).await?;
    let shown = ShownMemberships {
        account_id: account.id.as_str(),
        memberships: &account.memberships,
    };
    dialect::json(StatusCode::OK, &shown)
}

async fn verify(control: &Control, caller: &Caller, id: &str) -> Result<Answer, Problem> {
    let request = verbs::ById {
        id: id.to_owned(),
        dry_run: false,
    };
    let report = control.verify_snapshot(caller, request).await?;
    dialect::json(StatusCode::OK, &Report::of(&report))
}

async fn collect_garbage(
    control: &Control,
    caller: &Caller,
    received: &Received,
) -> Result<Answer, Problem> {
    let asked: AskedCollection = rest::body(&received.body)?;
    let request = CollectGarbage {
        dry_run: asked.dry_run,
        resume: asked.resume,
        if_deleted: asked.if_deleted,
    };
    let dry_run = request.dry_run;
    let collected = control.collect_garbage(caller, request).await?;
    dialect::json(StatusCode::OK, &Collection::of(dry_run, &collected))
}

async fn usage(control: &Control, caller: &Caller) -> Result<Answer, Problem> {
    let usage = control.disk_usage(caller).await?;
    let answer = Usage {
        account: Cost::of(&usage.account, usage.account.id.as_str()),
        images: usage
            .images
            .iter()
            .map(|cost| Cost::of(cost, cost.id.as_str()))
            .collect(),
        snapshots: usage
            .snapshots
            .iter()
            .map(|cost| Cost::of(cost, cost.id.as_str()))
            .collect(),
    };
    dialect::json(StatusCode::OK, &answer)
}

async fn status(control: &Control, caller: &Caller, now: Timestamp) -> Result<Answer, Problem> {
    let collection = match caller.operator {
        true => Some(control.collection_status().await?),
        false => None,
    };
    let collection = collection.as_ref().map(CollectionState::of);
    let scrub = scrub::Summary::of(control, caller).await?;
    let mut status = Status::of(control, caller, now, scrub);
    status.collection = collection;
    dialect::json(StatusCode::OK, &status)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
struct AskedCollection {
    dry_run: bool,
    resume: bool,
    if_deleted: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Collection {
    dry_run: bool,
    regions: Vec<RegionCollection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    if_deleted: Option<Bytes>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RegionCollection {
    region: &'static str,
    known: Packs,
    live: Packs,
    condemned: Packs,
    repacked: Packs,
    copied: Packs,
    waiting: Packs,
    deleted: Packs,
    pardoned: Packs,
    orphans: Packs,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Packs {
    packs: u64,
    blobs: u64,
    bytes: u64,
}

impl From<Amount> for Packs {
    fn from(amount: Amount) -> Self {
        let Amount {
            packs,
            blobs,
            bytes,
        } = amount;
        Self {
            packs,
            blobs,
            bytes,
        }
    }
}

impl Collection {
    fn of(dry_run: bool, collected: &Collected) -> Self {
        Self {
            dry_run,
            regions: collected.regions.iter().map(RegionCollection::of).collect(),
            if_deleted: collected.if_deleted.as_ref().map(Bytes::of),
        }
    }
}

impl RegionCollection {
    fn of(region: &RegionReport) -> Self {
        let report = region.report;
        Self {
            region: region.region.name(),
            known: report.known.into(),
            live: report.live.into(),
            condemned: report.condemned.into(),
            repacked: report.repacked.into(),
            copied: report.copied.into(),
            waiting: report.waiting.into(),
            deleted: report.deleted.into(),
            pardoned: report.pardoned.into(),
            orphans: report.orphans.into(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Usage<'a> {
    account: Cost<'a>,
    images: Vec<Cost<'a>>,
    snapshots: Vec<Cost<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Cost<'a> {
    id: &'a str,
    logical_bytes: u64,
    #[serde(flatten)]
    bytes: Bytes,
}

impl<'a> Cost<'a> {
    fn of<T>(cost: &collect::Cost<T>, id: &'a str) -> Self {
        Self {
            id,
            logical_bytes: cost.logical,
            bytes: Bytes::of(&cost.space),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Bytes {
    stored_bytes: u64,
    unique_bytes: u64,
    shared_bytes: u64,
    freed_if_deleted_bytes: u64,
}

impl Bytes {
    fn of(space: &Space) -> Self {
        Self {
            stored_bytes: space.stored,
            unique_bytes: space.unique,
            shared_bytes: space.shared(),
            freed_if_deleted_bytes: space.freed,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct CollectionState<'a> {
    /// Absent: only when the operator asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    interval_seconds: Option<u64>,
    grace_seconds: u64,
    repack_below_percent: u8,
    halted: bool,
    alarms: Vec<CondemnedBlob<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<LastCollection<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct CondemnedBlob<'a> {
    pack: &'a str,
    blob: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LastCollection<'a> {
    ended: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    regions: Vec<RegionCollection>,
}

impl<'a> CollectionState<'a> {
    fn of(status: &'a CollectionStatus) -> Self {
        let options = status.options;
        Self {
            interval_seconds: options.interval.map(|interval| interval.as_secs()),
            grace_seconds: options.grace.as_secs(),
            repack_below_percent: options.repack_below_percent,
            halted: !status.alarms.is_empty(),
            alarms: status
                .alarms
                .iter()
                .map(|read| CondemnedBlob {
                    pack: &read.pack,
                    blob: &read.blob,
                })
                .collect(),
            last: status.last.as_ref().map(LastCollection::of),
        }
    }
}

impl<'a> LastCollection<'a> {
    fn of(last: &'a LastPass) -> Self {
        Self {
            ended: last.ended.to_string(),
            error: last.outcome.as_ref().err().map(String::as_str),
            regions: last
                .outcome
                .iter()
                .flatten()
                .map(RegionCollection::of)
                .collect(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AskedAccount {
    name: Option<String>,
    organization: Option<String>,
    #[serde(default)]
    units: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AskedMemberships {
    organization: Option<String>,
    #[serde(default)]
    units: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownMemberships<'a> {
    account_id: &'a str,
    memberships: &'a [String],
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
    scrub: scrub::Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    collection: Option<CollectionState<'a>>,
}

impl<'a> Status<'a> {
    fn of(control: &'a Control, caller: &'a Caller, now: Timestamp, scrub: scrub::Summary) -> Self {
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
            scrub,
            collection: None,
        }
    }
}
