//! One signed request and its answer.

use std::time::{Duration, Instant};

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use bytes::Bytes;
use cairn_api::sigv4::{self, Payload};
use cairn_model::Clock as _;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

use super::{CONNECT_TIME_MAX, Target};
use crate::{
    failure::{Failure, Result},
    host::{RealClock, pause},
};

/// What stands for itself in a form, and in a segment of a path (RFC 3986's unreserved characters).
pub(super) const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The greatest answer that is read: a page of ten thousand block tokens is a few megabytes.
const ANSWER_MAX: usize = 64 << 20;

/// A signing client of one server.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    target: Target,
    authority: String,
    patience: Duration,
}

/// A request before it is signed.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The service of the credential scope: `ec2`, `ebs`, `sts` or `cairn`.
    pub(crate) service: &'static str,
    /// Method.
    pub(crate) method: Method,
    /// Path and query, percent-encoded.
    pub(crate) path: String,
    /// Headers beside those of the signature.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Body.
    pub(crate) body: Bytes,
    /// Whether the signature covers the body. What carries a checksum of its own need not be
    /// hashed twice.
    pub(crate) sign_body: bool,
    /// How long the answer may take.
    pub(crate) timeout: Duration,
    /// Whether it may be sent again when it is not known what became of it.
    pub(crate) repeatable: bool,
}

impl Request {
    /// A request that may be repeated, with a minute's time.
    pub(crate) fn new(service: &'static str, method: Method, path: impl Into<String>) -> Self {
        Self {
            service,
            method,
            path: path.into(),
            headers: Vec::new(),
            body: Bytes::new(),
            sign_body: true,
            timeout: Duration::from_secs(60),
            repeatable: true,
        }
    }

    /// The same request with one more header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same request with a body.
    pub(crate) fn body(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }
}

/// An answer with a status of success.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Body.
    pub(crate) body: Bytes,
}

/// An answer with a status of failure: AWS's code and sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The code, such as `InvalidSnapshot.NotFound`.
    pub(crate) code: String,
    /// The sentence.
    pub(crate) message: String,
    /// The HTTP status.
    pub(crate) status: u16,
}

/// What became of a request.
#[derive(Clone, Debug)]
pub(crate) enum CallError {
    /// The server refused it.
    Refused(Refusal),
    /// There is no connection to the server; the request was not sent.
    NotSent(String),
    /// The connection broke, or no answer came; nobody knows what became of the request.
    Lost(String),
}

impl CallError {
    /// For how long sending the request again may help. A server that is gone may be starting; one
    /// that answers and still cannot, as on a full disk, is no better off for being asked longer.
    fn deserves(&self) -> Duration {
        match self {
            Self::Refused(refusal) if matches!(refusal.status, 429 | 500 | 502 | 503 | 504) => {
                Duration::from_secs(10)
            }
            Self::Refused(_) => Duration::ZERO,
            Self::NotSent(_) | Self::Lost(_) => Duration::MAX,
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(refusal) => refusal.into(),
            CallError::NotSent(message) | CallError::Lost(message) => Self::Unreachable(message),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, message, .. } = &refusal;
        match code.as_str() {
            code if code.ends_with(".NotFound") || code == "ResourceNotFoundException" => {
                Self::NotFound(format!("{message} ({code})"))
            }
            "AuthFailure" | "InvalidClientTokenId" | "UnrecognizedClientException" => {
                Self::Failed(format!(
                    "{message} ({code}); the access key is not one of this server's: see its DIR/credentials, or `cairn env`"
                ))
            }
            _ => Self::Failed(format!("{message} ({code})")),
        }
    }
}

impl Client {
    /// A client that gives up at once where no server answers.
    pub(crate) fn new(target: Target) -> Result<Self> {
        let authority = authority(&target.endpoint)?;
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIME_MAX));
        connector.set_nodelay(true);
        let http = legacy::Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self {
            http,
            target,
            authority,
            patience: Duration::ZERO,
        })
    }

    /// The same client, waiting this long for a server that went away to come back.
    pub(crate) fn patient(&self, patience: Duration) -> Self {
        Self {
            patience,
            ..self.clone()
        }
    }

    /// The server that it talks to.
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// Sends a request, again if it is repeatable and the client patient.
    pub(crate) async fn send(&self, request: &Request) -> Result<Answer, CallError> {
        let begun = Instant::now();
        let mut wait = Duration::from_millis(50);
        loop {
            let error = match self.send_once(request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let may_repeat = request.repeatable || matches!(error, CallError::NotSent(_));
            let patience = error.deserves().min(self.patience);
            if !(may_repeat && begun.elapsed() + wait < patience) {
                return Err(error);
            }
            tracing::debug!(?error, "sending the request again");
            pause(wait).await;
            wait = (wait * 2).min(Duration::from_secs(2));
        }
    }

    async fn send_once(&self, request: &Request) -> Result<Answer, CallError> {
        let signed = self
            .signed(request)
            .map_err(|cause| CallError::NotSent(cause.to_string()))?;
        match tokio::time::timeout(request.timeout, self.exchange(signed)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(CallError::Lost(format!(
                "{} did not answer within {} s",
                self.target.endpoint,
                request.timeout.as_secs()
            ))),
        }
    }

    async fn exchange(&self, request: ::http::Request<Full<Bytes>>) -> Result<Answer, CallError> {
        let response = self
            .http
            .request(request)
            .await
            .map_err(|cause| self.transport_error(&cause))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_MAX)
            .collect()
            .await
            .map_err(|cause| {
                CallError::Lost(format!(
                    "the answer of {} broke off: {cause}",
                    self.target.endpoint
                ))
            })?
            .to_bytes();
        if head.status.is_success() {
            Ok(Answer { body })
        } else {
            Err(CallError::Refused(refusal(
                head.status,
                &head.headers,
                &body,
            )))
        }
    }

    fn transport_error(&self, cause: &legacy::Error) -> CallError {
        let endpoint = &self.target.endpoint;
        if cause.is_connect() {
            CallError::NotSent(nobody_answers(endpoint, root_cause(cause)))
        } else {
            CallError::Lost(format!("the connection to {endpoint} broke: {cause}"))
        }
    }

    fn signed(&self, request: &Request) -> Result<::http::Request<Full<Bytes>>> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, header_value(&self.authority)?);
        for (name, value) in &request.headers {
            headers.insert(HeaderName::from_static(name), header_value(value)?);
        }
        let uri: Uri = format!("http://{}{}", self.authority, request.path)
            .parse()
            .map_err(Failure::failed)?;
        let unsigned = ::http::Request::builder()
            .method(request.method.clone())
            .uri(uri)
            .body(Full::new(request.body.clone()))
            .map_err(Failure::failed)?;
        let (mut head, body) = unsigned.into_parts();
        head.headers = headers;
        let payload = if request.sign_body {
            Payload::Bytes(&request.body)
        } else {
            Payload::Unsigned
        };
        let Target {
            credentials,
            region,
            ..
        } = &self.target;
        let credentials = sigv4::Credentials {
            access_key_id: credentials.access_key_id.clone(),
            secret_access_key: credentials.secret_access_key.clone(),
        };
        sigv4::sign(
            &mut head,
            &payload,
            &credentials,
            region.name(),
            request.service,
            RealClock.now(),
        )
        .map_err(Failure::failed)?;
        Ok(::http::Request::from_parts(head, body))
    }
}

/// `host:port` of an endpoint, which has to be plain HTTP and nothing more.
pub(super) fn authority(endpoint: &str) -> Result<String> {
    let refused = |why: &str| Failure::Usage(format!("the server's address {endpoint:?} {why}"));
    let uri: Uri = endpoint.parse().map_err(|_| refused("is not a URL"))?;
    if uri.scheme_str() != Some("http") {
        return Err(refused(
            "is not one of plain HTTP; cairn itself talks only to cairn servers",
        ));
    }
    if !matches!(
        uri.path_and_query().map(::http::uri::PathAndQuery::as_str),
        None | Some("/")
    ) {
        return Err(refused("has a path; give only http://HOST:PORT"));
    }
    uri.authority()
        .map(ToString::to_string)
        .ok_or_else(|| refused("names no host"))
}

fn header_value(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text)
        .map_err(|_| Failure::Usage(format!("{text:?} cannot be sent in a header")))
}

fn root_cause(error: &dyn std::error::Error) -> &dyn std::error::Error {
    let mut root = error;
    while let Some(deeper) = root.source() {
        root = deeper;
    }
    root
}

pub(super) fn nobody_answers(endpoint: &str, cause: &dyn std::error::Error) -> String {
    format!("no server answers at {endpoint} ({cause}); is `cairn serve` running there?")
}

/// Reads the error of any dialect: EC2's and STS's XML, or JSON with a type in the header.
fn refusal(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Refusal {
    let text = String::from_utf8_lossy(body);
    let (code, message) = xml_error(&text)
        .or_else(|| json_error(headers, &text))
        .unwrap_or_else(|| ("HTTP".into(), format!("the server answered {status}")));
    Refusal {
        code,
        message,
        status: status.as_u16(),
    }
}

fn xml_error(text: &str) -> Option<(String, String)> {
    let document = roxmltree::Document::parse(text).ok()?;
    let error = document
        .descendants()
        .find(|node| node.has_tag_name("Error"))?;
    let child = |name: &str| {
        error
            .children()
            .find(|node| node.tag_name().name() == name)
            .and_then(|node| node.text())
            .map(str::to_owned)
    };
    Some((child("Code")?, child("Message").unwrap_or_default()))
}

fn json_error(headers: &HeaderMap, text: &str) -> Option<(String, String)> {
    let body: serde_json::Value = serde_json::from_str(text).ok()?;
    let member = |names: [&str; 2]| {
        names
            .iter()
            .find_map(|name| body.get(name)?.as_str())
            .map(str::to_owned)
    };
    let code = headers
        .get("x-amzn-errortype")
        .and_then(|value| value.to_str().ok())
        .map(|value| value.split(':').next().unwrap_or(value).to_owned())
        .or_else(|| member(["__type", "Code"]))?;
    Some((code, member(["Message", "message"]).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_are_taken() {
        assert_eq!(
            authority("http://127.0.0.1:8773").unwrap(),
            "127.0.0.1:8773"
        );
        assert_eq!(authority("http://[::1]:8773/").unwrap(), "[::1]:8773");
        for bad in [
            "https://127.0.0.1",
            "127.0.0.1:8773",
            "http://127.0.0.1/x",
            "",
            "http://a b",
        ] {
            assert_eq!(authority(bad).unwrap_err().exit_code(), 2, "{bad}");
        }
    }

    #[test]
    fn errors_of_both_dialects_are_understood() {
        let xml = "<?xml version=\"1.0\"?><Response><Errors><Error><Code>InvalidSnapshot.NotFound</Code>\
                   <Message>gone</Message></Error></Errors></Response>";
        let read = refusal(
            StatusCode::BAD_REQUEST,
            &HeaderMap::new(),
            &Bytes::from(xml),
        );
        assert_eq!(
            (read.code.as_str(), read.message.as_str()),
            ("InvalidSnapshot.NotFound", "gone")
        );
        assert_eq!(Failure::from(read).exit_code(), 3);

        let mut headers = HeaderMap::new();
        headers.insert(
            "x-amzn-errortype",
            HeaderValue::from_static("ValidationException:http://x"),
        );
        let read = refusal(
            StatusCode::BAD_REQUEST,
            &headers,
            &Bytes::from("{\"Message\":\"bad\"}"),
        );
        assert_eq!(
            (read.code.as_str(), read.message.as_str()),
            ("ValidationException", "bad")
        );

        let read = refusal(
            StatusCode::BAD_GATEWAY,
            &HeaderMap::new(),
            &Bytes::from("<html>"),
        );
        assert!(read.message.contains("502"));
    }
}
