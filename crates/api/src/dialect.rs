//! The languages that the server speaks, and how each words an answer and a refusal.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    account, codes, problem::Problem, received::Received, sigv4::AuthError, xml::XmlWriter,
};

/// Where the id of a request stands in every answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
/// Room for an answer with a secret in it, so that no shorter copy of it is left behind.
const JSON_ROOM: usize = 8 << 10;
const STS_NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The JSON of services that name the operation in a header.
const JSON_1_1: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");

/// An answer on its way out.
pub(crate) type Answer = Response<Bytes>;

/// A language, by the service that speaks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// EC2: the query protocol, XML with one envelope per operation.
    Ec2,
    /// STS: the query protocol, XML with a result and metadata.
    Sts,
    /// EBS direct: REST and JSON.
    Ebs,
    /// Recycle Bin: REST and JSON.
    Rbin,
    /// KMS: JSON 1.1, the operation in a header.
    Kms,
    /// Account management: REST and JSON, its errors in names of their own.
    Account,
    /// Our own: REST and JSON.
    Cairn,
}

impl Dialect {
    /// The dialect of a service.
    pub(crate) fn of_service(service: &str) -> Option<Self> {
        match service {
            "ec2" => Some(Self::Ec2),
            "sts" => Some(Self::Sts),
            "ebs" => Some(Self::Ebs),
            "rbin" => Some(Self::Rbin),
            "kms" => Some(Self::Kms),
            "account" => Some(Self::Account),
            "cairn" => Some(Self::Cairn),
            _ => None,
        }
    }

    /// The dialect that a request without a readable scope was most likely meant in.
    pub(crate) fn guessed(received: &Received) -> Self {
        let path = received.path();
        if path.starts_with("/cairn/") {
            Self::Cairn
        } else if account::PATHS.contains(&path) {
            Self::Account
        } else if path != "/" {
            Self::Ebs
        } else if received.headers().contains_key("x-amz-target") {
            Self::Kms
        } else if received.mentions("Version=2011-06-15") {
            Self::Sts
        } else {
            Self::Ec2
        }
    }

    /// Words a refusal.
    pub(crate) fn refuse(self, problem: &Problem, request_id: &str) -> Answer {
        tracing::debug!(request_id, dialect = ?self, %problem, "refused");
        match self {
            Self::Ec2 => xml(
                codes::ec2(problem).1,
                ec2_error(codes::ec2(problem).0, problem, request_id),
            ),
            Self::Sts => xml(
                codes::sts(problem).1,
                sts_error(codes::sts(problem), problem, request_id),
            ),
            Self::Ebs | Self::Rbin | Self::Cairn => json_error(codes::json(problem), problem),
            Self::Account => account_error(codes::json(problem), problem),
            Self::Kms => {
                let (name, status) = codes::kms(problem);
                let mut answer = json_error(codes::Exception::plain(name, status), problem);
                answer.headers_mut().insert(CONTENT_TYPE, JSON_1_1);
                answer
            }
        }
    }
}

/// An XML answer.
pub(crate) fn xml(status: StatusCode, document: String) -> Answer {
    let mut answer = Response::new(Bytes::from(document));
    *answer.status_mut() = status;
    answer.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/xml;charset=UTF-8"),
    );
    answer
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Result<Answer, Problem> {
    let body = serde_json::to_vec(value).map_err(cairn_control::Error::internal)?;
    let mut answer = Response::new(Bytes::from(body));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(answer)
}

/// A JSON answer of a service that names the operation in a header. Its text is overwritten when it was
/// sent, as it may hold a secret.
pub(crate) fn json_1_1(status: StatusCode, value: &impl Serialize) -> Result<Answer, Problem> {
    let mut body = Zeroizing::new(Vec::with_capacity(JSON_ROOM));
    serde_json::to_writer(&mut *body, value).map_err(cairn_control::Error::internal)?;
    let mut answer = Response::new(Bytes::from_owner(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, JSON_1_1);
    Ok(answer)
}

/// The same for an operation that answers nothing.
pub(crate) fn json_1_1_empty() -> Answer {
    let mut answer = Response::new(Bytes::new());
    answer.headers_mut().insert(CONTENT_TYPE, JSON_1_1);
    answer
}

/// What EC2 says of a key that nobody has; others speak of the token, as the problem itself does.
fn ec2_message(problem: &Problem) -> String {
    match problem {
        Problem::Auth(AuthError::UnknownKey | AuthError::SessionToken) => {
            "AWS was not able to validate the provided access credentials".to_owned()
        }
        other => other.to_string(),
    }
}

fn ec2_error(code: &str, problem: &Problem, request_id: &str) -> String {
    let mut xml = XmlWriter::new();
    xml.element("Response", |xml| {
        xml.element("Errors", |xml| {
            xml.element("Error", |xml| {
                xml.member("Code", Some(code));
                xml.member("Message", Some(&ec2_message(problem)));
            });
        });
        xml.member("RequestID", Some(request_id));
    });
    xml.finish()
}

fn sts_error((code, status): codes::QueryCode, problem: &Problem, request_id: &str) -> String {
    let at_fault = if status.is_server_error() {
        "Receiver"
    } else {
        "Sender"
    };
    let mut xml = XmlWriter::new();
    xml.root("ErrorResponse", STS_NAMESPACE, |xml| {
        xml.element("Error", |xml| {
            xml.member("Type", Some(at_fault));
            xml.member("Code", Some(code));
            xml.member("Message", Some(&problem.to_string()));
        });
        xml.member("RequestId", Some(request_id));
    });
    xml.finish()
}

/// The document of an STS answer: a result, and the id of the request.
pub(crate) fn sts_document(
    operation: &str,
    request_id: &str,
    result: impl FnOnce(&mut XmlWriter),
) -> String {
    let mut xml = XmlWriter::new();
    xml.root(&format!("{operation}Response"), STS_NAMESPACE, |xml| {
        xml.element(&format!("{operation}Result"), result);
        xml.element("ResponseMetadata", |xml| {
            xml.member("RequestId", Some(request_id));
        });
    });
    xml.finish()
}

/// What account management calls the members of an error, and the reasons of a wrong parameter.
fn account_error(exception: codes::Exception, problem: &Problem) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        #[serde(rename = "__type")]
        name: &'a str,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    }
    let reason = match (exception.name, exception.reason) {
        (codes::VALIDATION, Some(codes::REGION_OPT_TARGET)) => Some(codes::REGION_OPT_TARGET),
        (codes::VALIDATION, _) => Some("fieldValidationFailed"),
        _ => None,
    };
    let body = Body {
        name: exception.name,
        message: problem.to_string(),
        reason,
    };
    error_of(exception, &body)
}

fn json_error(exception: codes::Exception, problem: &Problem) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Body<'a> {
        #[serde(rename = "__type")]
        name: &'a str,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    }
    let body = Body {
        name: exception.name,
        message: problem.to_string(),
        reason: exception.reason,
    };
    error_of(exception, &body)
}

fn error_of(exception: codes::Exception, body: &impl Serialize) -> Answer {
    // Text and names only: this cannot fail, and an empty body would be the client's problem only.
    let mut answer = Response::new(Bytes::from(serde_json::to_vec(body).unwrap_or_default()));
    *answer.status_mut() = exception.status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ERROR_TYPE, HeaderValue::from_static(exception.name));
    answer
}
