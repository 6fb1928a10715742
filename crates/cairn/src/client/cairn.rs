//! Cairn's own operations: accounts, verification, status.

use std::time::Duration;

use ::http::Method;
use cairn_control::attest::AttestationFile;
use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

use super::http::{CallError, Client, ENCODED, Request};

/// A new account; the secret is told this once.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NewAccount {
    pub(crate) account_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
}

/// What an account belongs to.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Memberships {
    pub(crate) account_id: String,
    /// ARNs of its organization and of its organizational units.
    pub(crate) memberships: Vec<String>,
}

/// What verification found.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VerifyReport {
    pub(crate) snapshot_id: String,
    /// Whether every block is there and the digest is right.
    pub(crate) ok: bool,
    /// The digest of record, in hexadecimal.
    pub(crate) digest: String,
    /// How many blocks were read.
    pub(crate) blocks_read: u64,
    /// Their bytes.
    pub(crate) bytes_read: u64,
    /// What is not as it should be.
    pub(crate) bad_blocks: Vec<BadBlocks>,
    /// The digest as the server signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attestation: Option<AttestationFile>,
}

/// A run of blocks that are not what they should be.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BadBlocks {
    /// The first of them.
    pub(crate) block_index: u64,
    /// How many.
    pub(crate) blocks: u64,
    /// What is wrong.
    pub(crate) reason: String,
}

/// What a server says about itself.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ServerStatus {
    /// Version of the program.
    pub(crate) version: String,
    /// What runs the guests' instructions: `kvm` or `tcg`.
    pub(crate) accelerator: String,
    /// Why it is that one.
    pub(crate) accelerator_reason: String,
    /// The caller's account.
    pub(crate) account: String,
    /// Whether that is the account that may make others.
    pub(crate) operator: bool,
    /// The region that was asked.
    pub(crate) region: String,
    /// All regions.
    pub(crate) regions: Vec<String>,
    /// The key that its attestations are signed with, in PEM.
    pub(crate) public_key: String,
    /// What scrubs of the region came to.
    pub(crate) scrub: ScrubSummary,
    /// How garbage collection is doing; for the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) collection: Option<CollectionState>,
}

/// A few words on the scrubs of a region.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ScrubSummary {
    /// When the last one ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<String>,
    /// Whether one is under way.
    pub(crate) running: bool,
    /// What was found and is not healed.
    pub(crate) findings: u64,
    /// Blobs that cannot be read now.
    pub(crate) bad_blobs: u64,
}

/// What scrubs of a region found.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ScrubStatus {
    /// The region.
    pub(crate) region: String,
    /// The last run, or the one under way; none if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<ScrubRun>,
    /// What was found and is not healed.
    pub(crate) findings: Vec<ScrubFinding>,
    /// How many findings are healed, or not needed by anything any more.
    pub(crate) healed: u64,
    /// Blobs that cannot be read now.
    pub(crate) bad_blobs: u64,
    /// Snapshots that cannot be read.
    pub(crate) snapshots: Vec<ScrubSnapshot>,
    /// Images of these.
    pub(crate) images: Vec<String>,
    /// Volumes that read from what cannot be read.
    pub(crate) volumes: Vec<String>,
}

/// A run.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ScrubRun {
    pub(crate) begun: String,
    /// None while it is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<String>,
    /// Packs read.
    pub(crate) packs: u64,
    /// Packs to read.
    pub(crate) all_packs: u64,
    pub(crate) blobs: u64,
    pub(crate) bytes: u64,
    /// Blobs of which only what needs no key was checked.
    #[serde(default)]
    pub(crate) unchecked_blobs: u64,
}

/// Bytes that are not what was written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ScrubFinding {
    pub(crate) file: String,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) fault: String,
    /// Whether a reader would miss them.
    pub(crate) unreadable: bool,
    pub(crate) found: String,
}

/// A snapshot that cannot be read.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ScrubSnapshot {
    pub(crate) snapshot_id: String,
    pub(crate) account: String,
    /// How many of its blocks cannot be.
    pub(crate) blocks: u64,
}

/// How garbage collection is doing.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CollectionState {
    /// Seconds from one pass to the next; absent when passes are run by hand alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) interval_seconds: Option<u64>,
    /// Seconds for which a pack stays condemned.
    pub(crate) grace_seconds: u64,
    /// Packs with less than so many percent of life are copied.
    pub(crate) repack_below_percent: u8,
    /// Whether nothing is collected until the operator resumes it.
    pub(crate) halted: bool,
    /// Why.
    pub(crate) alarms: Vec<CondemnedBlob>,
    /// The last pass since the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<LastCollection>,
}

/// A blob of a condemned pack that was read.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CondemnedBlob {
    /// The number of the pack, as in the name of its file.
    pub(crate) pack: String,
    /// The digest of the blob.
    pub(crate) blob: String,
}

/// The last pass.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LastCollection {
    /// When it ended.
    pub(crate) ended: String,
    /// Why it did not come to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// What it did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) regions: Vec<RegionCollection>,
}

/// What a garbage collection did, or would do.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Collection {
    /// Whether nothing was done.
    pub(crate) dry_run: bool,
    /// The regions that hold anything.
    pub(crate) regions: Vec<RegionCollection>,
    /// What deleting the snapshots that were named would free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) if_deleted: Option<Bytes>,
}

/// What was found and done in a region.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RegionCollection {
    /// The region.
    pub(crate) region: String,
    /// Everything.
    pub(crate) known: Packs,
    /// What of it is needed.
    pub(crate) live: Packs,
    /// Dead packs that are deleted after their grace.
    pub(crate) condemned: Packs,
    /// Packs mostly dead, of which what lives was copied; the amounts are what was dead.
    pub(crate) repacked: Packs,
    /// What was copied.
    pub(crate) copied: Packs,
    /// Condemned earlier, and not yet to be deleted.
    pub(crate) waiting: Packs,
    /// Deleted.
    pub(crate) deleted: Packs,
    /// Condemned earlier, and needed after all.
    pub(crate) pardoned: Packs,
    /// Files that nothing knew of.
    pub(crate) orphans: Packs,
}

/// Some packs.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Packs {
    /// Packs.
    pub(crate) packs: u64,
    /// Blobs in them.
    pub(crate) blobs: u64,
    /// Bytes on disk.
    pub(crate) bytes: u64,
}

/// What something costs on disk, in bytes.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Bytes {
    /// All of it.
    pub(crate) stored_bytes: u64,
    /// What no other snapshot needs.
    pub(crate) unique_bytes: u64,
    /// What other snapshots need too.
    pub(crate) shared_bytes: u64,
    /// What nothing else needs at all.
    pub(crate) freed_if_deleted_bytes: u64,
}

/// What the caller's things cost.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Usage {
    /// The account as a whole.
    pub(crate) account: Cost,
    /// Its images.
    pub(crate) images: Vec<Cost>,
    /// Its snapshots.
    pub(crate) snapshots: Vec<Cost>,
}

/// What one thing costs.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Cost {
    /// Its id.
    pub(crate) id: String,
    /// Bytes of its blocks before compression.
    pub(crate) logical_bytes: u64,
    /// What they cost on disk.
    #[serde(flatten)]
    pub(crate) bytes: Bytes,
}

/// Creates an account.
pub(crate) async fn create_account(
    client: &Client,
    name: Option<&str>,
    organization: Option<&str>,
    units: &[String],
) -> Result<NewAccount, CallError> {
    let asked = json!({ "Name": name, "Organization": organization, "Units": units });
    let mut request = post("/cairn/v1/accounts", &asked);
    request.repeatable = false;
    call(client, &request).await
}

/// Sets the organization and the organizational units that an account belongs to.
pub(crate) async fn set_memberships(
    client: &Client,
    account: &str,
    organization: Option<&str>,
    units: &[String],
) -> Result<Memberships, CallError> {
    let account = utf8_percent_encode(account, ENCODED);
    let path = format!("/cairn/v1/accounts/{account}/memberships");
    let asked = json!({ "Organization": organization, "Units": units });
    let request =
        Request::new("cairn", Method::PUT, &path).body("application/json", asked.to_string());
    call(client, &request).await
}

/// Makes a key.
pub(crate) async fn create_key(
    client: &Client,
    description: Option<&str>,
) -> Result<Key, CallError> {
    let mut request = post("/cairn/v1/keys", &json!({ "Description": description }));
    request.repeatable = false;
    call(client, &request).await
}

/// The caller's keys in the region.
pub(crate) async fn keys(client: &Client) -> Result<Keys, CallError> {
    call(
        client,
        &Request::new("cairn", Method::GET, "/cairn/v1/keys"),
    )
    .await
}

/// Has the server delete a key in some days.
pub(crate) async fn schedule_key_deletion(
    client: &Client,
    key: &str,
    days: Option<i32>,
) -> Result<Key, CallError> {
    let key = utf8_percent_encode(key, ENCODED);
    let path = format!("/cairn/v1/keys/{key}/deletion");
    let mut request = post(&path, &json!({ "Days": days }));
    request.repeatable = false;
    call(client, &request).await
}

/// Has the server delete a key at once.
pub(crate) async fn delete_key(client: &Client, key: &str) -> Result<Key, CallError> {
    let key = utf8_percent_encode(key, ENCODED);
    let path = format!("/cairn/v1/keys/{key}");
    let mut request = Request::new("cairn", Method::DELETE, path);
    request.repeatable = false;
    call(client, &request).await
}

/// Has the server read and check every block of a snapshot.
pub(crate) async fn verify(client: &Client, snapshot: &str) -> Result<VerifyReport, CallError> {
    // Whatever was typed is one segment of the path; the server says what is wrong with it.
    let snapshot = utf8_percent_encode(snapshot, ENCODED);
    let mut request = post(
        &format!("/cairn/v1/snapshots/{snapshot}/verify"),
        &json!({}),
    );
    // The server reads every block first; a large snapshot takes its time.
    request.timeout = Duration::from_secs(24 * 3600);
    call(client, &request).await
}

/// Has the server begin a scrub of the region, unless one is under way.
pub(crate) async fn start_scrub(
    client: &Client,
    mib_per_second: Option<u32>,
) -> Result<ScrubStatus, CallError> {
    let body = json!({ "MibPerSecond": mib_per_second });
    call(client, &post("/cairn/v1/scrub", &body)).await
}

/// What scrubs of the region found.
pub(crate) async fn scrub_status(client: &Client) -> Result<ScrubStatus, CallError> {
    let mut request = Request::new("cairn", Method::GET, "/cairn/v1/scrub");
    // Where something was found, the server looks at every snapshot.
    request.timeout = Duration::from_secs(3600);
    call(client, &request).await
}

/// Has the server collect garbage, or say what it would do.
pub(crate) async fn collect(
    client: &Client,
    dry_run: bool,
    resume: bool,
    if_deleted: &[String],
) -> Result<Collection, CallError> {
    let body = json!({ "DryRun": dry_run, "Resume": resume, "IfDeleted": if_deleted });
    let mut request = post("/cairn/v1/collections", &body);
    // It looks at everything that is stored.
    request.timeout = Duration::from_secs(24 * 3600);
    call(client, &request).await
}

/// What the caller's snapshots, images and account cost.
pub(crate) async fn usage(client: &Client) -> Result<Usage, CallError> {
    let mut request = Request::new("cairn", Method::GET, "/cairn/v1/usage");
    request.timeout = Duration::from_secs(24 * 3600);
    call(client, &request).await
}

/// What the server says about itself.
pub(crate) async fn status(client: &Client) -> Result<ServerStatus, CallError> {
    call(
        client,
        &Request::new("cairn", Method::GET, "/cairn/v1/status"),
    )
    .await
}

fn post(path: &str, body: &serde_json::Value) -> Request {
    Request::new("cairn", Method::POST, path).body("application/json", body.to_string())
}

async fn call<T: DeserializeOwned>(client: &Client, request: &Request) -> Result<T, CallError> {
    let answer = client.send(request).await?;
    serde_json::from_slice(&answer.body).map_err(|cause| {
        CallError::Lost(format!(
            "cannot make sense of the answer to {}: {cause}",
            request.path
        ))
    })
}

/// The caller's keys in a region.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Keys {
    pub(crate) keys: Vec<Key>,
}

/// A key of encrypted volumes and snapshots.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Key {
    pub(crate) key_id: String,
    pub(crate) arn: String,
    pub(crate) description: String,
    pub(crate) key_state: String,
    /// Whether it is the one behind alias/aws/ebs.
    pub(crate) aws_managed: bool,
    pub(crate) creation_date: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deletion_date: Option<String>,
}
