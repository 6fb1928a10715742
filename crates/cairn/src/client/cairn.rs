//! Cairn's own operations: accounts, verification, status.

use std::time::Duration;

use ::http::Method;
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
}

/// Creates an account.
pub(crate) async fn create_account(
    client: &Client,
    name: Option<&str>,
) -> Result<NewAccount, CallError> {
    let mut request = post("/cairn/v1/accounts", &json!({ "Name": name }));
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
