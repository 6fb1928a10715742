//! The canonical form of a request: what both sides compute and only one sends.

use aws_lc_rs::digest::{SHA256, digest};
use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::UNSIGNED_PAYLOAD;
use crate::form::plus_to_space;

/// RFC 3986's unreserved characters stay as they are.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// What of a request is signed, apart from its body.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// The method.
    pub method: &'a str,
    /// The path as it is sent.
    pub path: &'a str,
    /// The query string as it is sent, without `?`.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
}

/// The body, as it enters a signature.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// By its SHA-256.
    Bytes(&'a [u8]),
    /// By its SHA-256, which whoever has the body has computed.
    Sha256([u8; 32]),
    /// Not at all.
    Unsigned,
}

impl Payload<'_> {
    /// What stands for the body: the hexadecimal SHA-256, or `UNSIGNED-PAYLOAD`.
    pub fn hash(&self) -> String {
        match self {
            Self::Bytes(body) => hex_sha256(body),
            Self::Sha256(hash) => hex::encode(hash),
            Self::Unsigned => UNSIGNED_PAYLOAD.to_owned(),
        }
    }
}

/// The canonical request. The signed header names are in small letters and in order.
pub fn request(parts: &Parts<'_>, signed_headers: &[String], payload: &Payload<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    for line in [parts.method, &path(parts.path), &query(parts.query)] {
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    for name in signed_headers {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        out.extend_from_slice(&header_values(parts.headers, name));
        out.push(b'\n');
    }
    out.push(b'\n');
    out.extend_from_slice(signed_headers.join(";").as_bytes());
    out.push(b'\n');
    out.extend_from_slice(payload.hash().as_bytes());
    out
}

/// The hexadecimal SHA-256 of bytes.
pub(super) fn hex_sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

/// The path without `.`, `..` and empty segments, and percent-encoded once more than it is sent.
fn path(sent: &str) -> String {
    let mut segments = Vec::new();
    for segment in sent.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let end = if sent.ends_with('/') && !segments.is_empty() {
        "/"
    } else {
        ""
    };
    let normal = format!("/{}{end}", segments.join("/"));
    percent_encode(normal.as_bytes(), RESERVED_IN_PATH).to_string()
}

/// The parameters in order of name and value, encoded in the one strict way. The signature of a
/// query-signed request is not part of what it signs. A `+` is the space that the form decoder
/// takes it for: two queries that differ in meaning must not have one canonical form.
fn query(sent: &str) -> String {
    let mut pairs: Vec<(String, String)> = sent
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encode_strictly(name), encode_strictly(value)))
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    pairs.sort_unstable();
    pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&")
}

fn encode_strictly(sent: &str) -> String {
    let decoded: Vec<u8> = percent_decode_str(&plus_to_space(sent)).collect();
    percent_encode(&decoded, RESERVED).to_string()
}

/// All values of a header, each trimmed and with single spaces, in the order sent.
fn header_values(headers: &HeaderMap, name: &str) -> Vec<u8> {
    let values: Vec<Vec<u8>> = headers
        .get_all(name)
        .iter()
        .map(|value| single_spaced(value.as_bytes()))
        .collect();
    values.join(&b","[..])
}

fn single_spaced(value: &[u8]) -> Vec<u8> {
    let words = value
        .split(|b| matches!(b, b' ' | b'\t'))
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(&b" "[..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normal_and_encoded_once_more() {
        for (sent, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("/snapshots/snap-1/blocks/0", "/snapshots/snap-1/blocks/0"),
            ("//a//b/", "/a/b/"),
            ("/a/./b/../c", "/a/c"),
            ("/../..", "/"),
            (
                "/tags/arn%3Aaws%3Adlm%3A%2Fp",
                "/tags/arn%253Aaws%253Adlm%253A%252Fp",
            ),
            ("/ሴ x", "/%E1%88%B4%20x"),
            ("/-._~", "/-._~"),
        ] {
            assert_eq!(path(sent), canonical, "{sent}");
        }
    }

    #[test]
    fn queries_are_sorted_and_encoded_in_one_way() {
        for (sent, canonical) in [
            ("b=2&a=1&a=0", "a=0&a=1&b=2"),
            ("a", "a="),
            ("a=b=c", "a=b%3Dc"),
            ("a=x+y", "a=x%20y"),
            ("a=x%20y", "a=x%20y"),
            ("a=x%2By", "a=x%2By"),
            ("%7Ea=%7e*", "~a=~%2A"),
            ("X-Amz-Signature=00&X-Amz-Date=1", "X-Amz-Date=1"),
        ] {
            assert_eq!(query(sent), canonical, "{sent}");
        }
    }

    #[test]
    fn header_values_are_joined_in_the_order_sent() {
        let mut headers = HeaderMap::new();
        headers.append("x-a", "  b \t  c ".parse().unwrap());
        headers.append("x-a", "a".parse().unwrap());
        assert_eq!(header_values(&headers, "x-a"), b"b c,a");
        assert_eq!(header_values(&headers, "x-none"), b"");
    }
}
