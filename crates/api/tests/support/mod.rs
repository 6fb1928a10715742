//! A server on a directory of its own, and a client that signs as we like.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

mod machines;

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use cairn_api::{
    Api,
    sigv4::{Credentials, Payload, sign},
};
use cairn_control::{Control, ControlOptions, machine::MachineOptions};
use cairn_model::{Clock, Entropy, Timestamp};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tempfile::TempDir;

pub const REGION: &str = "us-east-1";

/// A clock that stands where it was put.
#[derive(Debug)]
pub struct StillClock(pub Mutex<Timestamp>);

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Random bytes that are the same each time.
#[derive(Debug)]
struct Seeded(Mutex<u64>);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().unwrap();
        for byte in bytes {
            *state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = u8::try_from(*state >> 56).unwrap();
        }
    }
}

pub struct Server {
    pub api: Api,
    pub control: Control,
    pub clock: Arc<StillClock>,
    pub credentials: Credentials,
    _directory: TempDir,
}

/// Opens a directory, over machines that run nothing.
pub async fn open(directory: &Path, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Control {
    let mut options = ControlOptions::new(directory.join("data"), clock, entropy).unwrap();
    options.machines = MachineOptions {
        machines: Arc::new(machines::Idle),
        shutdown_deadline: Duration::from_secs(5),
        powerdown_interval: Duration::from_millis(10),
    };
    Control::open(options).await.unwrap()
}

/// An answer in full.
#[derive(Debug)]
pub struct Heard {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Server {
    pub async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(StillClock(Mutex::new(Timestamp(1_767_323_045_000_000))));
        let entropy = Arc::new(Seeded(Mutex::new(7)));
        let control = open(directory.path(), clock.clone(), entropy.clone()).await;
        let account = control
            .create_account(Some("test".to_owned()))
            .await
            .unwrap();
        let credentials = Credentials {
            access_key_id: account.access_key_id,
            secret_access_key: account.secret_access_key,
        };
        let api = Api::new(control.clone(), clock.clone(), entropy);
        Self {
            api,
            control,
            clock,
            credentials,
            _directory: directory,
        }
    }

    pub async fn send(&self, request: Request<Bytes>) -> Heard {
        heard(self.api.answer(request.map(Full::new)).await).await
    }

    /// Sends a signed request.
    pub async fn call(&self, service: &str, request: Request<Bytes>) -> Heard {
        self.send(self.signed(service, request)).await
    }

    pub fn signed(&self, service: &str, request: Request<Bytes>) -> Request<Bytes> {
        signed_as(
            &self.credentials,
            service,
            REGION,
            request,
            self.clock.now(),
        )
    }

    /// Calls an action of EC2; the parameters are encoded.
    pub async fn ec2(&self, action: &str, parameters: &[(&str, &str)]) -> Heard {
        self.call("ec2", query(action, parameters)).await
    }

    /// Calls EBS direct.
    pub async fn ebs(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Heard {
        self.call("ebs", rest(method, path, headers, body)).await
    }
}

pub async fn heard(answer: Response<Full<Bytes>>) -> Heard {
    let (head, body) = answer.into_parts();
    Heard {
        status: head.status,
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

pub fn signed_as(
    credentials: &Credentials,
    service: &str,
    region: &str,
    request: Request<Bytes>,
    now: Timestamp,
) -> Request<Bytes> {
    let (mut head, body) = request.into_parts();
    sign(
        &mut head,
        &Payload::Bytes(&body),
        credentials,
        region,
        service,
        now,
    )
    .unwrap();
    Request::from_parts(head, body)
}

pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A form of EC2.
pub fn form(action: &str, parameters: &[(&str, &str)]) -> String {
    let mut form = format!("Action={action}&Version=2016-11-15");
    for (name, value) in parameters {
        form.push_str(&format!("&{}={}", encode(name), encode(value)));
    }
    form
}

pub fn query(action: &str, parameters: &[(&str, &str)]) -> Request<Bytes> {
    post(&form(action, parameters))
}

pub fn post(form: &str) -> Request<Bytes> {
    Request::post("http://127.0.0.1:4500/")
        .header(
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8",
        )
        .body(Bytes::copy_from_slice(form.as_bytes()))
        .unwrap()
}

pub fn rest(method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Request<Bytes> {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1:4500{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Bytes::copy_from_slice(body)).unwrap()
}

impl Heard {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// What stands in the first element of a name.
    pub fn element(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.text().split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn request_id(&self) -> &str {
        self.headers["x-amzn-requestid"].to_str().unwrap()
    }

    #[track_caller]
    pub fn expect_error(&self, status: u16, code: &str) -> &Self {
        assert_eq!(
            (self.status.as_u16(), self.element("Code")),
            (status, Some(code)),
            "{}",
            self.text()
        );
        self
    }

    #[track_caller]
    pub fn expect_exception(&self, status: u16, name: &str, reason: Option<&str>) -> &Self {
        let body = self.json();
        let found = (
            self.status.as_u16(),
            self.headers["x-amzn-errortype"].to_str().unwrap(),
            body["Reason"].as_str(),
        );
        assert_eq!(found, (status, name, reason), "{body}");
        assert!(body["Message"].is_string(), "{body}");
        self
    }

    #[track_caller]
    pub fn expect_ok(&self) -> &Self {
        assert!(self.status.is_success(), "{} {}", self.status, self.text());
        self
    }
}
