//! Account management (`account`): the regions that an account has, REST and JSON.
//!
//! Only what decides where calls are answered is served. Source:
//! <https://docs.aws.amazon.com/accounts/latest/reference/API_Operations.html>.

use bytes::Bytes;
use cairn_control::{Caller, Control, Error, ErrorKind, region};
use cairn_model::{Page, place::RegionOpt};
use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};

use crate::{
    dialect::{self, Answer},
    problem::Problem,
    received::Received,
    rest,
};

/// The paths of the operations that are served, each of which is a POST.
pub(crate) const PATHS: [&str; 4] = [
    "/enableRegion",
    "/disableRegion",
    "/getRegionOptStatus",
    "/listRegions",
];

/// A request about one region.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OneRegion {
    account_id: Option<String>,
    region_name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListRegions {
    account_id: Option<String>,
    max_results: Option<i32>,
    next_token: Option<String>,
    #[serde(default)]
    region_opt_status_contains: Vec<String>,
}

/// A region and its status.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    region_name: &'static str,
    region_opt_status: &'static str,
}

impl Shown {
    fn of(found: &RegionOpt) -> Self {
        Self {
            region_name: found.region.name(),
            region_opt_status: found.opt_in.as_status(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    regions: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// Answers a request of account management.
pub(crate) async fn call(
    control: &Control,
    caller: &Caller,
    received: &Received,
) -> Result<Answer, Problem> {
    if let Some((name, _)) = received.query_parameters()?.into_iter().next() {
        return Err(Problem::FieldUnknown(name));
    }
    match (received.method().as_str(), received.path()) {
        ("POST", "/enableRegion") => {
            let name = one_region(caller, received)?;
            control.enable_region(caller, &name).await?;
            Ok(nothing())
        }
        ("POST", "/disableRegion") => {
            let name = one_region(caller, received)?;
            control.disable_region(caller, &name).await?;
            Ok(nothing())
        }
        ("POST", "/getRegionOptStatus") => status(control, caller, received).await,
        ("POST", "/listRegions") => list(control, caller, received).await,
        _ => Err(Problem::OperationUnknown),
    }
}

async fn status(
    control: &Control,
    caller: &Caller,
    received: &Received,
) -> Result<Answer, Problem> {
    let region = region::named(&one_region(caller, received)?)?;
    let opt_in = control.region_opt(&caller.account, region).await?;
    dialect::json(StatusCode::OK, &Shown::of(&RegionOpt { region, opt_in }))
}

async fn list(control: &Control, caller: &Caller, received: &Received) -> Result<Answer, Problem> {
    let asked: ListRegions = rest::body(&received.body)?;
    check_account(caller, asked.account_id.as_deref())?;
    let page = Page {
        max_results: asked.max_results,
        next_token: asked.next_token,
    };
    let found = control
        .list_regions(caller, asked.region_opt_status_contains, page)
        .await?;
    let shown = Listed {
        regions: found.items.iter().map(Shown::of).collect(),
        next_token: found.next_token,
    };
    dialect::json(StatusCode::OK, &shown)
}

/// The name of the region that a request is about.
fn one_region(caller: &Caller, received: &Received) -> Result<String, Problem> {
    let asked: OneRegion = rest::body(&received.body)?;
    check_account(caller, asked.account_id.as_deref())?;
    let name = asked.region_name.filter(|name| !name.is_empty());
    name.ok_or_else(|| Problem::FieldMissing("RegionName".to_owned()))
}

/// Nobody manages the accounts of others here.
fn check_account(caller: &Caller, id: Option<&str>) -> Result<(), Problem> {
    if id.is_none_or(|id| id == caller.account.as_str()) {
        return Ok(());
    }
    let text = "User is not authorized to access the account that AccountId names";
    Err(Error::new(ErrorKind::Unauthorized, text).into())
}

fn nothing() -> Answer {
    Response::new(Bytes::new())
}
