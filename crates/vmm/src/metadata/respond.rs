//! The rules of the metadata service: from a request to its answer, no I/O.

use std::time::Duration;

use http::header::{ACCEPT_RANGES, ALLOW, CONTENT_TYPE, SERVER};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::data::{HttpTokens, InstanceMetadata};
use super::token::TokenKey;
use super::tree::{self, Found};

/// A session's length in a token request, and in its answer.
const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";

/// The token of a session.
const TOKEN: &str = "x-aws-ec2-metadata-token";

/// Proxies add it. A token must not go to whoever asked a proxy for one.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The only path that takes a PUT.
const TOKEN_PATH: &str = "/latest/api/token";

/// The longest session, in seconds: six hours.
const TTL_MAX: u64 = 21_600;

/// What a request is judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderMap,
}

type Answer = Response<Vec<u8>>;

/// Answers a request of the guest of `metadata`. `now` counts from the Unix epoch.
pub(crate) fn respond(
    request: Request<'_>,
    metadata: &InstanceMetadata,
    key: &TokenKey,
    now: Duration,
) -> Answer {
    if !metadata.options.http_endpoint_enabled {
        return refuse(StatusCode::FORBIDDEN);
    }
    match (request.method, request.path) {
        (&Method::PUT, TOKEN_PATH) => issue_token(request.headers, metadata, key, now),
        (&Method::GET | &Method::HEAD, TOKEN_PATH) => not_allowed("PUT"),
        (&Method::GET | &Method::HEAD, _) => read(request, metadata, key, now),
        _ => not_allowed("GET, HEAD"),
    }
}

fn issue_token(
    headers: &HeaderMap,
    metadata: &InstanceMetadata,
    key: &TokenKey,
    now: Duration,
) -> Answer {
    if headers.contains_key(FORWARDED_FOR) {
        return refuse(StatusCode::FORBIDDEN);
    }
    let Some(seconds) = asked_ttl(headers) else {
        return refuse(StatusCode::BAD_REQUEST);
    };
    let token = key.issue(&metadata.instance_id, now, Duration::from_secs(seconds));
    let mut answer = give("text/plain", token.into_bytes());
    answer.headers_mut().insert(TTL, HeaderValue::from(seconds));
    answer
}

/// Returns the session's length if the request names exactly one that is allowed.
fn asked_ttl(headers: &HeaderMap) -> Option<u64> {
    let mut values = headers.get_all(TTL).iter();
    let (first, second) = (values.next()?, values.next());
    let seconds = first.to_str().ok()?.trim().parse().ok()?;
    (second.is_none() && (1..=TTL_MAX).contains(&seconds)).then_some(seconds)
}

fn read(
    request: Request<'_>,
    metadata: &InstanceMetadata,
    key: &TokenKey,
    now: Duration,
) -> Answer {
    if !may_read(request.headers, metadata, key, now) {
        return refuse(StatusCode::UNAUTHORIZED);
    }
    match tree::look_up(metadata, request.path) {
        Some(Found::Listing(names)) => give("text/plain", names.into_bytes()),
        Some(Found::Value(value)) => give("text/plain", value),
        Some(Found::UserData(bytes)) => give("application/octet-stream", bytes),
        None => refuse(StatusCode::NOT_FOUND),
    }
}

/// A token that is given must be good, even where none is needed.
fn may_read(
    headers: &HeaderMap,
    metadata: &InstanceMetadata,
    key: &TokenKey,
    now: Duration,
) -> bool {
    match headers.get(TOKEN) {
        Some(token) => key.accepts(token.as_bytes(), &metadata.instance_id, now),
        None => metadata.options.http_tokens == HttpTokens::Optional,
    }
}

fn not_allowed(methods: &'static str) -> Answer {
    let mut answer = refuse(StatusCode::METHOD_NOT_ALLOWED);
    answer
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(methods));
    answer
}

/// Refuses with a small page, as EC2 does.
pub(crate) fn refuse(status: StatusCode) -> Answer {
    let title = format!(
        "{} - {}",
        status.as_u16(),
        status.canonical_reason().unwrap_or("Error")
    );
    let page = format!(
        "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n\
         <!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \
         \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n\
         <html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n \
         <head>\n  <title>{title}</title>\n </head>\n \
         <body>\n  <h1>{title}</h1>\n </body>\n</html>\n"
    );
    answer(status, "text/html", page.into_bytes())
}

fn give(content_type: &'static str, body: Vec<u8>) -> Answer {
    let mut answer = answer(StatusCode::OK, content_type, body);
    answer
        .headers_mut()
        .insert(ACCEPT_RANGES, HeaderValue::from_static("none"));
    answer
}

fn answer(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(SERVER, HeaderValue::from_static("EC2ws"));
    answer
}

#[cfg(test)]
#[path = "respond_tests.rs"]
mod tests;
