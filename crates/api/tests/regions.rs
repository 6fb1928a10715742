//! Regions that an account opts into, by the service `account`, and their effect on every dialect.

#![allow(clippy::unwrap_used)]

mod support;

use http::Method;
use serde_json::json;
use support::{Heard, Server, query, rest, signed_as};

const FAR: &str = "af-south-1";

async fn account(server: &Server, path: &str, body: serde_json::Value) -> Heard {
    let body = body.to_string();
    let request = rest(Method::POST, path, &[], body.as_bytes());
    server.call("account", request).await
}

/// A call that is signed for the region.
async fn there(server: &Server, service: &str, request: http::Request<bytes::Bytes>) -> Heard {
    let (keys, now) = (&server.credentials, cairn_model::Clock::now(&*server.clock));
    server
        .send(signed_as(keys, service, FAR, request, now))
        .await
}

async fn vpcs_there(server: &Server) -> Heard {
    there(server, "ec2", query("DescribeVpcs", &[])).await
}

#[tokio::test]
async fn a_region_answers_those_who_opted_in() {
    let server = Server::start().await;
    let one = json!({ "RegionName": FAR });
    vpcs_there(&server).await.expect_error(401, "AuthFailure");
    account(&server, "/enableRegion", one.clone())
        .await
        .expect_ok();
    let vpcs = vpcs_there(&server).await;
    vpcs.expect_ok();
    assert_eq!(vpcs.element("isDefault"), Some("true"), "{}", vpcs.text());
    let status = account(&server, "/getRegionOptStatus", one.clone()).await;
    assert_eq!(status.json()["RegionOptStatus"], "ENABLED");
    account(&server, "/disableRegion", one.clone())
        .await
        .expect_ok();
    vpcs_there(&server).await.expect_error(401, "AuthFailure");
    for (service, path) in [
        ("ebs", "/snapshots"),
        ("rbin", "/rules"),
        ("account", "/listRegions"),
    ] {
        let refusal = there(&server, service, rest(Method::POST, path, &[], b"{}")).await;
        let code = refusal.headers["x-amzn-errortype"].to_str().unwrap();
        assert_eq!(
            (refusal.status.as_u16(), code),
            (403, "UnrecognizedClientException")
        );
    }
    // Done again it makes no second network.
    account(&server, "/enableRegion", one).await.expect_ok();
    let again = vpcs_there(&server).await;
    assert_eq!(again.element("vpcSet"), vpcs.element("vpcSet"));
}

#[tokio::test]
async fn what_is_wrong_is_worded_as_account_management_does() {
    let server = Server::start().await;
    for (path, body, name, reason) in [
        (
            "/enableRegion",
            json!({"RegionName": "us-east-1"}),
            "ValidationException",
            Some("invalidRegionOptTarget"),
        ),
        (
            "/disableRegion",
            json!({"RegionName": "mars-1"}),
            "ValidationException",
            Some("fieldValidationFailed"),
        ),
        (
            "/enableRegion",
            json!({}),
            "ValidationException",
            Some("fieldValidationFailed"),
        ),
        (
            "/listRegions",
            json!({"MaxResults": 51}),
            "ValidationException",
            Some("fieldValidationFailed"),
        ),
        (
            "/listRegions",
            json!({"Colour": 1}),
            "SerializationException",
            None,
        ),
        (
            "/getRegionOptStatus",
            json!({"RegionName": FAR, "AccountId": "999999999999"}),
            "AccessDeniedException",
            None,
        ),
        (
            "/getContactInformation",
            json!({}),
            "UnknownOperationException",
            None,
        ),
    ] {
        let refusal = account(&server, path, body).await;
        let told = refusal.json();
        assert_eq!(refusal.headers["x-amzn-errortype"], name, "{path} {told}");
        assert_eq!(told["reason"].as_str(), reason, "{path} {told}");
        assert!(
            told["message"].is_string() && told.get("Message").is_none(),
            "{told}"
        );
    }
    let unsigned = server
        .send(rest(Method::POST, "/listRegions", &[], b"{}"))
        .await;
    assert_eq!(
        unsigned.headers["x-amzn-errortype"],
        "MissingAuthenticationTokenException"
    );
    assert!(unsigned.json()["message"].is_string());
}
