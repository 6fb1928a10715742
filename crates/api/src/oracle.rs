//! botocore as the oracle of the codec and of signatures: what it serializes is understood as it
//! was meant, what is written is parsed as it was put, what it signs is accepted.
//!
//! The Python side is in `tests/oracle`. Where botocore is not there these tests say so and pass;
//! `CAIRN_REQUIRE_TOOLS=1` makes them fail then.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::{
    ec2, form,
    generated::{request, response},
    query::Group,
    sigv4::{AuthError, Parts, Payload, Presented},
};

/// The seed of every random choice; change it to look further.
const SEED: &str = "20260102";

/// A Python program that says and hears one JSON value a line.
struct Oracle {
    child: Child,
    heard: BufReader<ChildStdout>,
    said: ChildStdin,
}

impl Oracle {
    fn start(program: &str, cases: &str) -> Option<Self> {
        if !botocore_is_there() {
            return None;
        }
        let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracle");
        let mut child = Command::new("python3")
            .arg(directory.join(program))
            .args([SEED, cases])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let heard = BufReader::new(child.stdout.take().unwrap());
        let said = child.stdin.take().unwrap();
        Some(Self { child, heard, said })
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.heard.read_line(&mut line).unwrap();
        serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("the oracle said {line:?}: {error}"))
    }

    fn say(&mut self, value: &Value) {
        writeln!(self.said, "{value}").unwrap();
    }

    fn end(mut self) {
        assert!(self.child.wait().unwrap().success());
    }
}

fn botocore_is_there() -> bool {
    let import = Command::new("python3")
        .args(["-c", "import botocore"])
        .stderr(Stdio::null())
        .status();
    let there = import.is_ok_and(|status| status.success());
    if !there {
        assert!(
            std::env::var_os("CAIRN_REQUIRE_TOOLS").is_none_or(|v| v != "1"),
            "botocore is required"
        );
        println!("SKIPPED: python3 with botocore is not there");
    }
    there
}

/// A value without members that are null or empty lists: the wire does not tell them from absent.
fn trimmed(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members
                .into_iter()
                .map(|(name, value)| (name, trimmed(value)));
            Value::Object(
                kept.filter(|(_, value)| !value.is_null() && *value != json!([]))
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(trimmed).collect()),
        other => other,
    }
}

#[test]
fn what_botocore_serializes_is_understood_as_it_was_meant() {
    let Some(mut oracle) = Oracle::start("ec2_requests.py", "12") else {
        return;
    };
    let mut cases = 0;
    loop {
        let case = oracle.hear();
        if case.is_null() {
            break;
        }
        let (operation, sent) = (
            case["operation"].as_str().unwrap(),
            case["form"].as_str().unwrap(),
        );
        let mut group = Group::new(form::decode(sent.as_bytes()).unwrap()).unwrap();
        assert_eq!(group.take("Action").as_deref(), Some(operation));
        assert_eq!(group.take("Version").as_deref(), Some(request::API_VERSION));
        let understood = request::understood(operation, &group).unwrap();
        let understood = understood.unwrap_or_else(|error| panic!("{operation} {sent}: {error}"));
        assert_eq!(
            trimmed(understood),
            trimmed(case["meant"].clone()),
            "{operation} {sent}"
        );
        cases += 1;
    }
    oracle.end();
    assert_eq!(cases, 12 * request::OPERATIONS.len());
}

#[test]
fn what_is_written_is_parsed_by_botocore_as_it_was_put() {
    let Some(mut oracle) = Oracle::start("ec2_responses.py", "12") else {
        return;
    };
    let verdict = loop {
        let case = oracle.hear();
        let Some(operation) = case["operation"].as_str() else {
            break case;
        };
        let written = response::written(operation, case["response"].clone()).unwrap();
        oracle.say(&Value::String(ec2::document(
            operation,
            &*written,
            "the-request",
        )));
    };
    oracle.end();
    assert_eq!(verdict["wrong"], json!([]));
    let answering = response::OPERATIONS
        .iter()
        .filter(|(_, response)| response.is_some())
        .count();
    assert_eq!(verdict["checked"], 12 * answering);
}

#[test]
fn what_botocore_signs_is_accepted_and_nothing_near_it() {
    let Some(mut oracle) = Oracle::start("sigv4.py", "400") else {
        return;
    };
    let mut cases = 0;
    loop {
        let case = oracle.hear();
        if case.is_null() {
            break;
        }
        check_signed(&case);
        cases += 1;
    }
    oracle.end();
    assert_eq!(cases, 400);
}

fn check_signed(case: &Value) {
    let text = |name: &str| case[name].as_str().unwrap();
    let headers = headers(case);
    let body = BASE64_STANDARD.decode(text("body")).unwrap();
    let parts = Parts {
        method: text("method"),
        path: text("path"),
        query: text("query"),
        headers: &headers,
    };
    let presented = Presented::of(&parts).unwrap_or_else(|error| panic!("{case}: {error}"));
    assert_eq!(
        presented.expires.is_some(),
        text("how") == "query",
        "{case}"
    );
    assert_eq!(
        (
            presented.scope.service.as_str(),
            presented.scope.region.as_str()
        ),
        (text("service"), "eu-west-1")
    );
    assert_eq!(presented.check_time(presented.time), Ok(()), "{case}");
    let check = |parts: &Parts<'_>, body: &[u8], secret: &str| {
        presented.check_signature(parts, &Payload::Bytes(body), secret)
    };
    assert_eq!(check(&parts, &body, text("secret")), Ok(()), "{case}");
    let mismatch = Err(AuthError::Mismatch);
    assert_eq!(check(&parts, &body, "another secret"), mismatch, "{case}");
    assert_eq!(
        check(&parts, &[&body[..], b"x"].concat(), text("secret")),
        mismatch,
        "{case}"
    );
    let path = format!("{}x", text("path"));
    assert_eq!(
        check(
            &Parts {
                path: &path,
                ..parts
            },
            &body,
            text("secret")
        ),
        mismatch,
        "{case}"
    );
    let query = format!("{}&x=y", text("query"));
    assert_eq!(
        check(
            &Parts {
                query: &query,
                ..parts
            },
            &body,
            text("secret")
        ),
        mismatch,
        "{case}"
    );
}

fn headers(case: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for pair in case["headers"].as_array().unwrap() {
        let (name, value) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    headers
}
