//! EBS direct's operations for an upload.

use ::http::Method;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::http::{CallError, Client, Request};

/// Bytes of a block: 512 KiB.
pub(crate) const BLOCK_SIZE: usize = 512 << 10;

/// A SHA-256 digest.
pub(crate) type Digest = [u8; 32];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Started {
    snapshot_id: String,
}

/// A snapshot to be started.
pub(crate) struct NewSnapshot<'a> {
    /// Size of the volume.
    pub(crate) volume_size_gib: u64,
    pub(crate) description: Option<&'a str>,
    pub(crate) encrypted: bool,
    pub(crate) kms_key_arn: Option<&'a str>,
    /// The same token gives the same snapshot.
    pub(crate) token: &'a str,
}

/// Starts a snapshot and gives its id.
pub(crate) async fn start_snapshot(
    client: &Client,
    new: &NewSnapshot<'_>,
) -> Result<String, CallError> {
    let mut body =
        json!({ "VolumeSize": new.volume_size_gib, "ClientToken": new.token, "Timeout": 60 });
    if let Some(description) = new.description {
        body["Description"] = description.into();
    }
    if new.encrypted {
        body["Encrypted"] = true.into();
    }
    if let Some(key) = new.kms_key_arn {
        body["KmsKeyArn"] = key.into();
    }
    let request =
        Request::new("ebs", Method::POST, "/snapshots").body("application/json", body.to_string());
    let answer = client.send(&request).await?;
    let started: Started = serde_json::from_slice(&answer.body).map_err(|cause| {
        CallError::Lost(format!(
            "cannot make sense of the answer to StartSnapshot: {cause}"
        ))
    })?;
    Ok(started.snapshot_id)
}

/// Puts one block of [`BLOCK_SIZE`] bytes.
pub(crate) async fn put_block(
    client: &Client,
    snapshot: &str,
    index: u64,
    data: Bytes,
    digest: &Digest,
) -> Result<(), CallError> {
    let mut request = Request::new(
        "ebs",
        Method::PUT,
        format!("/snapshots/{snapshot}/blocks/{index}"),
    )
    .header("x-amz-data-length", data.len().to_string())
    .header("x-amz-checksum", STANDARD.encode(digest))
    .header("x-amz-checksum-algorithm", "SHA256")
    .body("application/octet-stream", data);
    // The checksum header is signed, and it covers the body.
    request.sign_body = false;
    client.send(&request).await.map(drop)
}

/// Completes a snapshot of so many blocks. `aggregate` is the SHA-256 of the blocks' digests in
/// the order of their indexes.
pub(crate) async fn complete_snapshot(
    client: &Client,
    snapshot: &str,
    blocks: u64,
    aggregate: &Digest,
) -> Result<(), CallError> {
    let request = Request::new(
        "ebs",
        Method::POST,
        format!("/snapshots/completion/{snapshot}"),
    )
    .header("x-amz-changedblockscount", blocks.to_string())
    .header("x-amz-checksum", STANDARD.encode(aggregate))
    .header("x-amz-checksum-algorithm", "SHA256")
    .header("x-amz-checksum-aggregation-method", "LINEAR");
    client.send(&request).await.map(drop)
}
