//! STS: who the caller is, which every client asks first.

use cairn_control::Caller;
use http::StatusCode;

use crate::{
    dialect::{self, Answer},
    problem::Problem,
    query::{Group, Shape},
};

const API_VERSION: &str = "2011-06-15";

/// Answers a request of STS.
pub(crate) fn call(
    caller: &Caller,
    mut parameters: Group,
    request_id: &str,
) -> Result<Answer, Problem> {
    let action = parameters.take("Action").ok_or(Problem::ActionMissing)?;
    let version = parameters
        .take("Version")
        .unwrap_or_else(|| API_VERSION.to_owned());
    if version != API_VERSION {
        return Err(Problem::VersionUnknown {
            version,
            service: "AWSSecurityTokenServiceV20110615",
        });
    }
    match action.as_str() {
        "GetCallerIdentity" => get_caller_identity(caller, &parameters, request_id),
        _ => Err(Problem::ActionUnknown(action)),
    }
}

fn get_caller_identity(
    caller: &Caller,
    parameters: &Group,
    request_id: &str,
) -> Result<Answer, Problem> {
    parameters.check(&Shape {
        used: &[],
        ignored: &[],
        refused: &[],
        only: &[],
    })?;
    let document = dialect::sts_document("GetCallerIdentity", request_id, |xml| {
        xml.member("Arn", Some(&caller.arn()));
        xml.member("UserId", Some(caller.account.as_str()));
        xml.member("Account", Some(caller.account.as_str()));
    });
    Ok(dialect::xml(StatusCode::OK, document))
}
