//! Doors for the fuzz targets in `fuzz/`.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::metadata::{
    TokenKey,
    respond::{Request, respond},
    sample,
};

/// When it is, since the Unix epoch.
const NOW: Duration = Duration::from_secs(1_800_000_000);

/// A metadata request as lines: the method, the path, then headers as `name: value`. Returns
/// whether it was answered with something; a guest without a token never is.
pub fn metadata_request(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split('\n');
    let Some(method) = lines.next().and_then(|line| line.parse::<Method>().ok()) else {
        return false;
    };
    let path = lines.next().unwrap_or_default();
    let headers = headers(lines);
    let key = TokenKey::new(&[1; 32]);
    let request = Request {
        method: &method,
        path,
        headers: &headers,
    };
    let answer = respond(request, &sample::metadata(), &key, NOW);
    let length = answer.headers().get("content-length");
    assert!(
        length.is_none_or(|length| length.to_str().is_ok()),
        "a length that is no text"
    );
    answer.status().is_success()
}

fn headers<'a>(lines: impl Iterator<Item = &'a str>) -> HeaderMap {
    let pairs = lines.filter_map(|line| line.split_once(": "));
    pairs
        .filter_map(|(name, value)| {
            Some((
                name.parse::<HeaderName>().ok()?,
                value.parse::<HeaderValue>().ok()?,
            ))
        })
        .collect()
}

/// Requests that are answered: for a session, with its token, and for everything that is listed.
pub fn sample_metadata_requests() -> Vec<Vec<u8>> {
    let key = TokenKey::new(&[1; 32]);
    let id = sample::metadata().instance_id;
    let token = key.issue(&id, NOW, Duration::from_secs(60));
    let with_token =
        |path: &str| format!("GET\n{path}\nx-aws-ec2-metadata-token: {token}").into_bytes();
    vec![
        b"PUT\n/latest/api/token\nx-aws-ec2-metadata-token-ttl-seconds: 60".to_vec(),
        with_token("/latest/meta-data/"),
        with_token("/latest/meta-data/instance-id"),
        with_token("/latest/dynamic/instance-identity/document"),
        with_token("/latest/user-data"),
    ]
}
