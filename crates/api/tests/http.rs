//! The dialects over a real `Control`, through the whole of the server but its sockets.

#![allow(clippy::unwrap_used)]

mod support;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use cairn_api::{
    generated::{request, response},
    sigv4::{Credentials, Payload, sign},
};
use cairn_model::{Clock as _, Timestamp};
use http::{Method, Request};
use serde_json::json;
use support::{REGION, Server, encode, form, post, query, rest, signed_as};

const ZONE: &str = "us-east-1a";
const BLOCK: usize = 524_288;

#[tokio::test]
async fn every_operation_is_there_and_wants_a_signature_and_known_parameters() {
    let server = Server::start().await;
    for (action, _) in request::OPERATIONS {
        let unsigned = server.send(query(action, &[])).await;
        unsigned.expect_error(403, "MissingAuthenticationToken");
        let unknown = server.ec2(action, &[("Colour", "red")]).await;
        unknown.expect_error(400, "UnknownParameter");
        assert_eq!(
            unknown.element("Message"),
            Some("The parameter Colour is not recognized"),
            "{action}"
        );
    }
    let answered: Vec<_> = response::OPERATIONS
        .iter()
        .map(|(action, _)| *action)
        .collect();
    let asked: Vec<_> = request::OPERATIONS
        .iter()
        .map(|(action, _)| *action)
        .collect();
    assert_eq!(answered, asked);
}

/// Describes that want to be told of what, and one that has no DryRun.
const WITHOUT: &[&str] = &[
    "DescribeIamInstanceProfileAssociations",
    "DescribeImageReferences",
    "DescribeLaunchTemplateVersions",
];

#[tokio::test]
async fn a_dry_run_never_answers() {
    let server = Server::start().await;
    let lists = request::OPERATIONS.iter().filter(|(action, _)| {
        action.starts_with("Describe")
            && !action.ends_with("Attribute")
            && !WITHOUT.contains(action)
    });
    for (action, _) in lists {
        let heard = server.ec2(action, &[("DryRun", "true")]).await;
        assert_eq!(
            (heard.status.as_u16(), heard.element("Code")),
            (412, Some("DryRunOperation")),
            "{action}: {}",
            heard.text()
        );
    }
}

#[tokio::test]
async fn signatures_are_checked() {
    let server = Server::start().await;
    let now = server.clock.now();
    let regions = || query("DescribeRegions", &[]);
    let sent = async |credentials: &Credentials, service: &str, region: &str, at: Timestamp| {
        server
            .send(signed_as(credentials, service, region, regions(), at))
            .await
    };
    let good = &server.credentials;
    sent(good, "ec2", REGION, now).await.expect_ok();

    let wrong = Credentials {
        secret_access_key: "wrong".to_owned(),
        ..good.clone()
    };
    sent(&wrong, "ec2", REGION, now)
        .await
        .expect_error(403, "SignatureDoesNotMatch");
    let nobody = Credentials {
        access_key_id: "AKIANOBODY".to_owned(),
        ..good.clone()
    };
    let heard = sent(&nobody, "ec2", REGION, now).await;
    heard.expect_error(401, "AuthFailure");
    assert_eq!(
        heard.element("Message"),
        Some("AWS was not able to validate the provided access credentials")
    );
    sent(&nobody, "sts", REGION, now)
        .await
        .expect_error(403, "InvalidClientTokenId");
    sent(&nobody, "ebs", REGION, now).await.expect_exception(
        403,
        "UnrecognizedClientException",
        None,
    );
    sent(good, "ec2", "eu-nowhere-1", now)
        .await
        .expect_error(403, "SignatureDoesNotMatch");
    sent(good, "s3", REGION, now)
        .await
        .expect_error(403, "SignatureDoesNotMatch");
    let old = now.0 - 901 * 1_000_000;
    sent(good, "ec2", REGION, Timestamp(old))
        .await
        .expect_error(400, "RequestExpired");
    sent(good, "sts", REGION, Timestamp(old))
        .await
        .expect_error(403, "SignatureDoesNotMatch");
    sent(good, "ebs", REGION, Timestamp(old))
        .await
        .expect_exception(403, "InvalidSignatureException", None);
}

#[tokio::test]
async fn what_was_signed_is_what_is_answered() {
    let server = Server::start().await;
    let signed = server.signed("ec2", query("DescribeRegions", &[]));
    let (head, _) = signed.into_parts();
    let other_body = Request::from_parts(head.clone(), Bytes::from(form("DescribeVpcs", &[])));
    server
        .send(other_body)
        .await
        .expect_error(403, "SignatureDoesNotMatch");

    let mut unsigned_payload = head.clone();
    unsigned_payload
        .headers
        .insert("x-amz-content-sha256", "UNSIGNED-PAYLOAD".parse().unwrap());
    let body = Bytes::from(form("DescribeRegions", &[]));
    sign(
        &mut unsigned_payload,
        &Payload::Unsigned,
        &server.credentials,
        REGION,
        "ec2",
        server.clock.now(),
    )
    .unwrap();
    let unsigned_payload = Request::from_parts(unsigned_payload, body);
    server
        .send(unsigned_payload)
        .await
        .expect_error(403, "SignatureDoesNotMatch");

    let mut token = query("DescribeRegions", &[]);
    token
        .headers_mut()
        .insert("x-amz-security-token", "temporary".parse().unwrap());
    server
        .call("ec2", token)
        .await
        .expect_error(401, "AuthFailure");
}

#[tokio::test]
async fn get_works_as_post_does_and_signed_in_the_query() {
    let server = Server::start().await;
    let get = |form: &str| {
        Request::get(format!("http://127.0.0.1/?{form}"))
            .body(Bytes::new())
            .unwrap()
    };
    let got = server
        .call(
            "ec2",
            get(&form("DescribeRegions", &[("RegionName.1", REGION)])),
        )
        .await;
    assert_eq!(got.expect_ok().element("regionName"), Some(REGION));
    let twice = server
        .call(
            "ec2",
            get(&form("DescribeRegions", &[("Action", "DescribeVpcs")])),
        )
        .await;
    twice.expect_error(400, "MalformedQueryString");
    let broken = format!("{}&A=%zz", form("DescribeRegions", &[]));
    server
        .call("ec2", get(&broken))
        .await
        .expect_error(400, "MalformedQueryString");

    // What botocore presigns is checked in the oracle test; here only that its parameters are
    // not taken for the operation's.
    let presigned = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2F20260102%2Fus-east-1%2Fec2%2Faws4_request\
                     &X-Amz-Date=20260102T030405Z&X-Amz-SignedHeaders=host&X-Amz-Expires=60&X-Amz-Signature=";
    let signature = "0".repeat(64);
    let url = format!("{}&{presigned}{signature}", form("DescribeRegions", &[]));
    let heard = server.send(get(&url)).await;
    heard.expect_error(401, "AuthFailure");
}

#[tokio::test]
async fn forms_say_that_they_are_forms() {
    let server = Server::start().await;
    let sent = async |service: &str, content_type: Option<&str>, body: &str| {
        let mut request = Request::post("http://127.0.0.1:4500/");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let request = request.body(Bytes::copy_from_slice(body.as_bytes()));
        server.call(service, request.unwrap()).await
    };
    let regions = form("DescribeRegions", &[]);
    for good in [
        None,
        Some(""),
        Some("application/x-www-form-urlencoded"),
        Some("Application/X-WWW-Form-URLEncoded ; charset=utf-8"),
    ] {
        sent("ec2", good, &regions).await.expect_ok();
    }
    for (content_type, body) in [
        ("application/json", r#"{"Action":"DescribeRegions"}"#),
        ("application/json", regions.as_str()),
        ("text/plain;charset=UTF-8", regions.as_str()),
    ] {
        let heard = sent("ec2", Some(content_type), body).await;
        heard.expect_error(400, "InvalidQueryParameter");
        let message = heard.element("Message").unwrap();
        assert!(
            message.contains("application/x-www-form-urlencoded"),
            "{message}"
        );
    }
    let identity = "Action=GetCallerIdentity&Version=2011-06-15";
    sent("sts", Some("application/json"), identity)
        .await
        .expect_error(400, "InvalidQueryParameter");
    // A query string needs no body, and what is said of none does not matter.
    let get = Request::get(format!("http://127.0.0.1/?{regions}"))
        .header("content-type", "application/json")
        .body(Bytes::new());
    server.call("ec2", get.unwrap()).await.expect_ok();
}

#[tokio::test]
async fn request_ids_stand_in_head_and_body() {
    let server = Server::start().await;
    let good = server.ec2("DescribeRegions", &[]).await;
    assert_eq!(good.element("requestId"), Some(good.request_id()));
    let bad = server.ec2("DescribeRegions", &[("Colour", "red")]).await;
    assert_eq!(bad.element("RequestID"), Some(bad.request_id()));
    assert_ne!(good.request_id(), bad.request_id());
    assert_eq!(good.headers["content-type"], "text/xml;charset=UTF-8");
    let identity = server
        .call("sts", post("Action=GetCallerIdentity&Version=2011-06-15"))
        .await;
    assert_eq!(identity.element("RequestId"), Some(identity.request_id()));
}

#[tokio::test]
async fn actions_and_versions_are_known_or_refused() {
    let server = Server::start().await;
    let heard = server.ec2("LaunchRocket", &[]).await;
    heard.expect_error(400, "InvalidAction");
    assert_eq!(
        heard.element("Message"),
        Some("The action LaunchRocket is not valid for this web service.")
    );
    for (form, status, code) in [
        ("Version=2016-11-15", 400, "MissingAction"),
        ("Action=DescribeRegions", 400, "MissingParameter"),
        (
            "Action=DescribeRegions&Version=2099-01-01",
            400,
            "NoSuchVersion",
        ),
        (
            "Action=DescribeRegions&Version=2016-11-15&A=%zz",
            400,
            "MalformedQueryString",
        ),
        ("", 400, "MissingAction"),
    ] {
        server
            .call("ec2", post(form))
            .await
            .expect_error(status, code);
    }
    server
        .call("sts", post("Action=AssumeRole&Version=2011-06-15"))
        .await
        .expect_error(400, "InvalidAction");
    server
        .ebs(Method::GET, "/nothing/here", &[], b"")
        .await
        .expect_exception(404, "UnknownOperationException", None);
    server
        .ebs(Method::GET, "/", &[], b"")
        .await
        .expect_exception(404, "UnknownOperationException", None);
}

#[tokio::test]
async fn unsigned_requests_are_refused_in_the_language_they_were_meant_in() {
    let server = Server::start().await;
    let sts = server
        .send(post("Action=GetCallerIdentity&Version=2011-06-15"))
        .await;
    sts.expect_error(403, "MissingAuthenticationToken");
    assert!(sts.text().contains("<ErrorResponse "), "{}", sts.text());
    let ebs = server
        .send(rest(Method::GET, "/snapshots/snap-1/blocks", &[], b""))
        .await;
    ebs.expect_exception(403, "MissingAuthenticationTokenException", None);
    let own = server
        .send(rest(Method::GET, "/cairn/v1/status", &[], b""))
        .await;
    own.expect_exception(403, "MissingAuthenticationTokenException", None);
    let basic = Request::post("http://127.0.0.1/")
        .header("authorization", "Basic eA==")
        .body(Bytes::new())
        .unwrap();
    server
        .send(basic)
        .await
        .expect_error(400, "IncompleteSignature");
}

#[tokio::test]
async fn who_the_caller_is() {
    let server = Server::start().await;
    let account = server.control.accounts().await.unwrap()[0].id.to_string();
    let heard = server
        .call("sts", post("Action=GetCallerIdentity&Version=2011-06-15"))
        .await;
    heard.expect_ok();
    assert_eq!(heard.element("Account"), Some(account.as_str()));
    assert_eq!(
        heard.element("Arn"),
        Some(format!("arn:aws:iam::{account}:root").as_str())
    );
    assert_eq!(heard.element("UserId"), Some(account.as_str()));
}

#[tokio::test]
async fn bodies_have_a_bound() {
    let server = Server::start().await;
    let mut form = form("DescribeRegions", &[]);
    form.push_str(&format!("&A={}", "a".repeat(1 << 20)));
    server
        .call("ec2", post(&form))
        .await
        .expect_error(413, "RequestEntityTooLarge");
    let block = vec![0; (1 << 20) + 1];
    let heard = server
        .ebs(Method::PUT, "/snapshots/snap-1/blocks/0", &[], &block)
        .await;
    heard.expect_exception(400, "ValidationException", Some("INVALID_PARAMETER_VALUE"));
}

#[tokio::test]
async fn volumes_from_creation_to_deletion() {
    let server = Server::start().await;
    let created = server
        .ec2(
            "CreateVolume",
            &[
                ("AvailabilityZone", ZONE),
                ("Size", "1"),
                ("VolumeType", "gp3"),
                ("TagSpecification.1.ResourceType", "volume"),
                ("TagSpecification.1.Tag.1.Key", "Name"),
                ("TagSpecification.1.Tag.1.Value", "a<b&\"c\""),
            ],
        )
        .await;
    created.expect_ok();
    assert!(created.text().starts_with(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <CreateVolumeResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>"
    ));
    let id = created.element("volumeId").unwrap();
    for (name, value) in [
        ("size", "1"),
        ("snapshotId", ""),
        ("availabilityZone", ZONE),
        ("volumeType", "gp3"),
        ("iops", "3000"),
        ("throughput", "125"),
        ("encrypted", "false"),
        ("multiAttachEnabled", "false"),
        ("operator", "<managed>false</managed>"),
        ("attachmentSet", ""),
        ("createTime", "2026-01-02T03:04:05.000Z"),
        ("value", "a&lt;b&amp;&quot;c&quot;"),
    ] {
        assert_eq!(created.element(name), Some(value), "{name}");
    }
    server.control.idle().await.unwrap();
    let described = server.ec2("DescribeVolumes", &[("VolumeId.1", id)]).await;
    assert_eq!(described.element("volumeId"), Some(id));
    assert_eq!(described.element("status"), Some("available"));
    assert_eq!(described.element("nextToken"), None);
    let none = server
        .ec2(
            "DescribeVolumes",
            &[("Filter.1.Name", "size"), ("Filter.1.Value.1", "9")],
        )
        .await;
    assert_eq!(none.expect_ok().element("volumeSet"), Some(""));

    server
        .ec2("DeleteVolume", &[("VolumeId", id), ("DryRun", "true")])
        .await
        .expect_error(412, "DryRunOperation");
    let deleted = server.ec2("DeleteVolume", &[("VolumeId", id)]).await;
    assert_eq!(deleted.expect_ok().element("return"), Some("true"));
    server.control.idle().await.unwrap();
    server
        .ec2("DescribeVolumes", &[("VolumeId.1", id)])
        .await
        .expect_error(400, "InvalidVolume.NotFound");
}

#[tokio::test]
async fn bad_input_is_named() {
    let server = Server::start().await;
    let unknown = "0123456789abcdef0";
    for (action, parameters, code) in [
        (
            "DescribeVolumes",
            &[("VolumeId.1", "volume")][..],
            "InvalidVolumeID.Malformed",
        ),
        (
            "DescribeVolumes",
            &[("VolumeId.1", &format!("vol-{unknown}"))],
            "InvalidVolume.NotFound",
        ),
        (
            "DeleteVolume",
            &[("VolumeId", "i-12345678")],
            "InvalidVolumeID.Malformed",
        ),
        ("DeleteVolume", &[], "MissingParameter"),
        (
            "DescribeSnapshots",
            &[("SnapshotId.1", "snap")],
            "InvalidSnapshotID.Malformed",
        ),
        (
            "DescribeSnapshots",
            &[("SnapshotId.1", &format!("snap-{unknown}"))],
            "InvalidSnapshot.NotFound",
        ),
        (
            "CreateSnapshot",
            &[("VolumeId", &format!("vol-{unknown}"))],
            "InvalidVolume.NotFound",
        ),
        (
            "DescribeVolumes",
            &[("Filter.1.Name", "colour"), ("Filter.1.Value.1", "red")],
            "InvalidParameterValue",
        ),
        (
            "DescribeVolumes",
            &[("Filter.1.Value.1", "red")],
            "InvalidParameterValue",
        ),
        (
            "DescribeVolumes",
            &[("MaxResults", "lots")],
            "InvalidParameterValue",
        ),
        (
            "CreateVolume",
            &[("AvailabilityZone", ZONE), ("Size", "big")],
            "InvalidParameterValue",
        ),
        (
            "CreateVolume",
            &[
                ("AvailabilityZone", ZONE),
                ("Size", "1"),
                ("Encrypted", "maybe"),
            ],
            "InvalidParameterValue",
        ),
        (
            "CreateVolume",
            &[("AvailabilityZone", "mars-1a"), ("Size", "1")],
            "InvalidZone.NotFound",
        ),
        (
            "CreateVolume",
            &[
                ("AvailabilityZone", ZONE),
                ("Size", "1"),
                ("VolumeType", "gp9"),
            ],
            "UnknownVolumeType",
        ),
        (
            "CreateVolume",
            &[
                ("AvailabilityZone", ZONE),
                ("Size", "1"),
                ("OutpostArn", "arn"),
            ],
            "UnsupportedOperation",
        ),
        (
            "CreateTags",
            &[("ResourceId.1", "vol-12345678"), ("Tag.1.Value", "x")],
            "MissingParameter",
        ),
        (
            "DescribeRegions",
            &[("RegionName.1", "eu-nowhere-1")],
            "InvalidParameterValue",
        ),
        (
            "DescribeAvailabilityZones",
            &[("ZoneName.1", "mars-1a")],
            "InvalidParameterValue",
        ),
        (
            "DescribeImages",
            &[("Owner.1", "me")],
            "InvalidUserID.Malformed",
        ),
        (
            "DescribeSnapshots",
            &[("RestorableBy.1", "nobody")],
            "InvalidUserID.Malformed",
        ),
        (
            "CreateTags",
            &[("ResourceId.1", "vol-xyz"), ("Tag.1.Key", "x")],
            "InvalidID",
        ),
        (
            "CreateTags",
            &[
                ("ResourceId.1", "vol-12345678"),
                ("Tag.1.Key", "x"),
                ("Tag.1.Value", "\u{1}"),
            ],
            "InvalidCharacter",
        ),
        (
            "CreateSnapshot",
            &[("VolumeId", "vol-12345678"), ("Location", "local")],
            "UnsupportedOperation",
        ),
        (
            "ImportKeyPair",
            &[("KeyName", "k"), ("PublicKeyMaterial", "!")],
            "InvalidParameterValue",
        ),
        (
            "DescribeKeyPairs",
            &[("KeyName.1", "nobody")],
            "InvalidKeyPair.NotFound",
        ),
    ] {
        let heard = server.ec2(action, parameters).await;
        assert_eq!(
            heard.element("Code"),
            Some(code),
            "{action} {parameters:?}: {}",
            heard.text()
        );
        assert_eq!(heard.status, 400, "{action}");
    }
}

#[tokio::test]
async fn key_pairs_and_tags_and_the_network() {
    let server = Server::start().await;
    let created = server
        .ec2("CreateKeyPair", &[("KeyName", "k"), ("KeyType", "ed25519")])
        .await;
    assert!(
        created
            .expect_ok()
            .element("keyMaterial")
            .unwrap()
            .starts_with("-----BEGIN ")
    );
    let id = created.element("keyPairId").unwrap();
    server
        .ec2("CreateTags", &[("ResourceId.1", id), ("Tag.1.Key", "a")])
        .await
        .expect_ok();
    let tags = server
        .ec2(
            "DescribeTags",
            &[("Filter.1.Name", "resource-id"), ("Filter.1.Value.1", id)],
        )
        .await;
    let found = (
        tags.element("key"),
        tags.element("value"),
        tags.element("resourceType"),
    );
    assert_eq!(found, (Some("a"), Some(""), Some("key-pair")));
    // A deletion that names another value leaves the tag; one that names none takes any.
    let tag = |value| {
        [
            ("ResourceId.1", id),
            ("Tag.1.Key", "a"),
            ("Tag.1.Value", value),
        ]
    };
    server.ec2("DeleteTags", &tag("other")).await.expect_ok();
    assert_eq!(
        server.ec2("DescribeKeyPairs", &[]).await.element("key"),
        Some("a")
    );
    server.ec2("DeleteTags", &tag("")).await.expect_ok();
    assert_eq!(
        server.ec2("DescribeKeyPairs", &[]).await.element("tagSet"),
        None
    );
    let public = server
        .ec2("DescribeKeyPairs", &[("IncludePublicKey", "true")])
        .await;
    assert!(
        public
            .element("publicKey")
            .unwrap()
            .starts_with("ssh-ed25519 ")
    );
    assert_eq!(
        server
            .ec2("DescribeKeyPairs", &[])
            .await
            .element("publicKey"),
        None
    );
    let deleted = server.ec2("DeleteKeyPair", &[("KeyName", "k")]).await;
    assert_eq!(deleted.expect_ok().element("keyPairId"), Some(id));

    let vpc = server.ec2("DescribeVpcs", &[]).await;
    assert_eq!(
        (vpc.element("isDefault"), vpc.element("cidrBlock")),
        (Some("true"), Some("172.31.0.0/16"))
    );
    let subnets = server.ec2("DescribeSubnets", &[]).await;
    assert_eq!(subnets.text().matches("<subnetId>").count(), 6);
    let groups = server
        .ec2("DescribeSecurityGroups", &[("GroupName.1", "default")])
        .await;
    assert_eq!(groups.element("groupName"), Some("default"));
    let zones = server.ec2("DescribeAvailabilityZones", &[]).await;
    assert_eq!(zones.text().matches("<zoneName>").count(), 6);
    let types = server
        .ec2("DescribeInstanceTypes", &[("InstanceType.1", "t3.micro")])
        .await;
    assert_eq!(types.element("sizeInMiB"), Some("1024"));
    server
        .ec2("DescribeAccountAttributes", &[])
        .await
        .expect_ok();
}

#[tokio::test]
async fn pages_follow_each_other() {
    let server = Server::start().await;
    for _ in 0..7 {
        server
            .ec2("CreateVolume", &[("AvailabilityZone", ZONE), ("Size", "1")])
            .await
            .expect_ok();
    }
    let first = server.ec2("DescribeVolumes", &[("MaxResults", "5")]).await;
    assert_eq!(first.text().matches("<volumeId>").count(), 5);
    let token = first.element("nextToken").unwrap();
    let second = server
        .ec2(
            "DescribeVolumes",
            &[("MaxResults", "5"), ("NextToken", token)],
        )
        .await;
    assert_eq!(second.text().matches("<volumeId>").count(), 2);
    assert_eq!(second.element("nextToken"), None);
    let altered = server
        .ec2(
            "DescribeVolumes",
            &[("MaxResults", "5"), ("NextToken", &format!("{token}A"))],
        )
        .await;
    altered.expect_error(400, "InvalidNextToken");
}

/// Starts a snapshot of 1 GiB and returns its id.
async fn started(server: &Server) -> String {
    let body =
        json!({ "VolumeSize": 1, "Description": "d", "Tags": [{ "Key": "a", "Value": "b" }] });
    let heard = server
        .ebs(Method::POST, "/snapshots", &[], body.to_string().as_bytes())
        .await;
    assert_eq!(heard.status, 201, "{}", heard.text());
    let snapshot = heard.json();
    assert_eq!(snapshot["Status"], "pending");
    assert_eq!(snapshot["BlockSize"], 524_288);
    assert_eq!(snapshot["VolumeSize"], 1);
    assert_eq!(snapshot["StartTime"], 1_767_323_045);
    assert_eq!(snapshot["Tags"], json!([{ "Key": "a", "Value": "b" }]));
    assert_eq!(snapshot.get("KmsKeyArn"), None);
    snapshot["SnapshotId"].as_str().unwrap().to_owned()
}

fn block(filling: u8) -> Vec<u8> {
    vec![filling; BLOCK]
}

fn checksum(data: &[u8]) -> String {
    BASE64_STANDARD.encode(digest(&SHA256, data))
}

/// The headers of a block.
fn about<'a>(length: &'a str, checksum: &'a str) -> [(&'a str, &'a str); 3] {
    [
        ("x-amz-Data-Length", length),
        ("x-amz-Checksum", checksum),
        ("x-amz-Checksum-Algorithm", "SHA256"),
    ]
}

#[tokio::test]
async fn a_snapshot_written_block_by_block_reads_back() {
    let server = Server::start().await;
    let id = started(&server).await;
    for (index, filling) in [(3, 7), (0, 9)] {
        let data = block(filling);
        let sum = checksum(&data);
        let heard = server
            .ebs(
                Method::PUT,
                &format!("/snapshots/{id}/blocks/{index}"),
                &about("524288", &sum),
                &data,
            )
            .await;
        assert_eq!(heard.status, 201, "{}", heard.text());
        assert_eq!(heard.headers["x-amz-checksum"], sum.as_str());
        assert_eq!(heard.headers["x-amz-checksum-algorithm"], "SHA256");
    }
    let complete = format!("/snapshots/completion/{id}");
    let wrong = server
        .ebs(
            Method::POST,
            &complete,
            &[("x-amz-ChangedBlocksCount", "3")],
            b"",
        )
        .await;
    assert_eq!(wrong.status, 400, "{}", wrong.text());
    let missing = server.ebs(Method::POST, &complete, &[], b"").await;
    missing.expect_exception(400, "ValidationException", Some("INVALID_PARAMETER_VALUE"));
    let done = server
        .ebs(
            Method::POST,
            &complete,
            &[("x-amz-ChangedBlocksCount", "2")],
            b"",
        )
        .await;
    assert_eq!(done.status, 202, "{}", done.text());
    server.control.idle().await.unwrap();

    let described = server
        .ec2("DescribeSnapshots", &[("SnapshotId.1", &id)])
        .await;
    assert_eq!(
        (described.element("status"), described.element("progress")),
        (Some("completed"), Some("100%"))
    );
    assert_eq!(described.element("volumeSize"), Some("1"));
    assert_eq!(described.element("storageTier"), Some("standard"));

    let list = server
        .ebs(
            Method::GET,
            &format!("/snapshots/{id}/blocks?maxResults=100"),
            &[],
            b"",
        )
        .await
        .json();
    let indexes: Vec<_> = list["Blocks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["BlockIndex"].as_i64().unwrap())
        .collect();
    assert_eq!(indexes, [0, 3]);
    assert_eq!(
        (&list["VolumeSize"], &list["BlockSize"]),
        (&json!(1), &json!(524_288))
    );
    assert!(list["ExpiryTime"].as_i64().unwrap() > 1_767_323_045);
    assert_eq!(list.get("NextToken"), None);

    let token = list["Blocks"][1]["BlockToken"].as_str().unwrap();
    let path = format!("/snapshots/{id}/blocks/3?blockToken={}", encode(token));
    let got = server.ebs(Method::GET, &path, &[], b"").await;
    assert_eq!(got.status, 200);
    assert_eq!(got.body, block(7));
    assert_eq!(got.headers["x-amz-checksum"], checksum(&block(7)).as_str());
    assert_eq!(got.headers["x-amz-data-length"], "524288");
    let path = format!("/snapshots/{id}/blocks/0?blockToken={}", encode(token));
    let other = server.ebs(Method::GET, &path, &[], b"").await;
    other.expect_exception(400, "ValidationException", Some("INVALID_BLOCK_TOKEN"));
    let tokenless = server
        .ebs(Method::GET, &format!("/snapshots/{id}/blocks/0"), &[], b"")
        .await;
    tokenless.expect_exception(400, "ValidationException", Some("INVALID_PARAMETER_VALUE"));

    let small = server
        .ec2(
            "CreateVolume",
            &[
                ("AvailabilityZone", ZONE),
                ("Size", "0"),
                ("SnapshotId", &id),
            ],
        )
        .await;
    assert_eq!(small.status, 400, "{}", small.text());
    let verified = server
        .call(
            "cairn",
            rest(
                Method::POST,
                &format!("/cairn/v1/snapshots/{id}/verify"),
                &[],
                b"{}",
            ),
        )
        .await
        .json();
    assert_eq!(
        (&verified["Ok"], &verified["BlocksRead"]),
        (&json!(true), &json!(2)),
        "{verified}"
    );
    assert_eq!(verified["SnapshotId"], id.as_str());
}

#[tokio::test]
async fn changed_blocks_have_both_tokens() {
    let server = Server::start().await;
    let mut ids = Vec::new();
    for fillings in [[1, 2], [1, 3]] {
        let id = started(&server).await;
        for (index, filling) in fillings.into_iter().enumerate() {
            let data = block(filling);
            let path = format!("/snapshots/{id}/blocks/{index}");
            server
                .ebs(
                    Method::PUT,
                    &path,
                    &about("524288", &checksum(&data)),
                    &data,
                )
                .await
                .expect_ok();
        }
        let path = format!("/snapshots/completion/{id}");
        server
            .ebs(
                Method::POST,
                &path,
                &[("x-amz-ChangedBlocksCount", "2")],
                b"",
            )
            .await
            .expect_ok();
        server.control.idle().await.unwrap();
        ids.push(id);
    }
    let path = format!(
        "/snapshots/{}/changedblocks?firstSnapshotId={}",
        ids[1], ids[0]
    );
    let changed = server.ebs(Method::GET, &path, &[], b"").await.json();
    let blocks = changed["ChangedBlocks"].as_array().unwrap();
    assert_eq!(blocks.len(), 1, "{changed}");
    assert_eq!(blocks[0]["BlockIndex"], 1);
    assert!(
        blocks[0]["FirstBlockToken"].is_string() && blocks[0]["SecondBlockToken"].is_string(),
        "{changed}"
    );
    let alone = server
        .ebs(
            Method::GET,
            &format!("/snapshots/{}/changedblocks", ids[1]),
            &[],
            b"",
        )
        .await
        .json();
    assert_eq!(alone["ChangedBlocks"].as_array().unwrap().len(), 2);
    assert_eq!(alone["ChangedBlocks"][0].get("FirstBlockToken"), None);
}

#[tokio::test]
async fn blocks_are_checked() {
    let server = Server::start().await;
    let id = started(&server).await;
    let path = format!("/snapshots/{id}/blocks/0");
    let data = block(1);
    let sum = checksum(&data);
    let put = async |path: &str, headers: &[(&str, &str)], data: &[u8]| {
        server.ebs(Method::PUT, path, headers, data).await
    };
    let wrong_sum = put(&path, &about("524288", &checksum(b"other")), &data).await;
    assert_eq!(wrong_sum.status, 400, "{}", wrong_sum.text());
    let wrong_length = put(&path, &about("1024", &sum), &data).await;
    assert_eq!(wrong_length.status, 400, "{}", wrong_length.text());
    let short = put(&path, &about("524288", &checksum(&data[1..])), &data[1..]).await;
    assert_eq!(short.status, 400, "{}", short.text());
    let beyond = put(
        &format!("/snapshots/{id}/blocks/2048"),
        &about("524288", &sum),
        &data,
    )
    .await;
    assert_eq!(beyond.status, 400, "{}", beyond.text());
    for (path, headers) in [
        (
            format!("/snapshots/{id}/blocks/first"),
            about("524288", &sum).to_vec(),
        ),
        (path.clone(), about("524288", &sum)[1..].to_vec()),
        (path.clone(), about("524288", &sum)[..2].to_vec()),
        (path.clone(), about("many", &sum).to_vec()),
    ] {
        let heard = put(&path, &headers, &data).await;
        heard.expect_exception(400, "ValidationException", Some("INVALID_PARAMETER_VALUE"));
    }
    let nothing = put(
        "/snapshots/snap-0123456789abcdef0/blocks/0",
        &about("524288", &sum),
        &data,
    )
    .await;
    nothing.expect_exception(404, "ResourceNotFoundException", Some("SNAPSHOT_NOT_FOUND"));
    let complete = format!("/snapshots/completion/{id}");
    server
        .ebs(
            Method::POST,
            &complete,
            &[("x-amz-ChangedBlocksCount", "0")],
            b"",
        )
        .await
        .expect_ok();
}

#[tokio::test]
async fn blocks_may_come_unsigned_and_nothing_else() {
    let server = Server::start().await;
    let id = started(&server).await;
    let unsigned = |method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]| {
        let (mut head, body) = rest(method, path, headers, body).into_parts();
        sign(
            &mut head,
            &Payload::Unsigned,
            &server.credentials,
            REGION,
            "ebs",
            server.clock.now(),
        )
        .unwrap();
        Request::from_parts(head, body)
    };
    let data = block(1);
    let sum = checksum(&data);
    let path = format!("/snapshots/{id}/blocks/0");
    let heard = server
        .send(unsigned(Method::PUT, &path, &about("524288", &sum), &data))
        .await;
    assert_eq!(heard.status, 201, "{}", heard.text());
    let heard = server
        .send(unsigned(
            Method::POST,
            "/snapshots",
            &[],
            br#"{"VolumeSize":1}"#,
        ))
        .await;
    heard.expect_exception(403, "InvalidSignatureException", None);
}

#[tokio::test]
async fn bodies_and_queries_of_rest_are_checked() {
    let server = Server::start().await;
    for (body, name) in [
        (&b"{"[..], "SerializationException"),
        (b"[]", "SerializationException"),
        (br#"{"VolumeSize":"1"}"#, "SerializationException"),
        (
            br#"{"VolumeSize":1,"Colour":"red"}"#,
            "SerializationException",
        ),
        (
            br#"{"VolumeSize":1,"Tags":[{"Key":"aws:x","Value":"y"}]}"#,
            "ValidationException",
        ),
        (b"\xff", "SerializationException"),
        (b"", "ValidationException"),
        (
            br#"{"VolumeSize":1,"Tags":[{"Value":"x"}]}"#,
            "ValidationException",
        ),
        (br#"{"VolumeSize":0}"#, "ValidationException"),
    ] {
        let heard = server.ebs(Method::POST, "/snapshots", &[], body).await;
        assert_eq!(
            heard.headers["x-amzn-errortype"],
            name,
            "{body:?}: {}",
            heard.text()
        );
        assert_eq!(heard.status, 400);
    }
    for (query, sentence) in [
        (
            "maxResults=lots",
            "Value for parameter MaxResults is invalid. Expected an integer.",
        ),
        ("colour=red", "The parameter colour is not recognized"),
        (
            "pageToken=a&pageToken=b",
            "The parameter pageToken was given more than once.",
        ),
        (
            "startingBlockIndex=1.5",
            "Value for parameter StartingBlockIndex is invalid. Expected an integer.",
        ),
        (
            "pageToken=%zz",
            "The query string contains a syntax error: a % is not followed by two hexadecimal digits.",
        ),
    ] {
        let heard = server
            .ebs(
                Method::GET,
                &format!("/snapshots/snap-12345678/blocks?{query}"),
                &[],
                b"",
            )
            .await;
        heard.expect_exception(400, "ValidationException", Some("INVALID_PARAMETER_VALUE"));
        assert_eq!(heard.json()["Message"], sentence, "{query}");
    }
}

#[tokio::test]
async fn the_operator_makes_accounts_and_others_do_not() {
    let server = Server::start().await;
    let make = |name: &str| {
        rest(
            Method::POST,
            "/cairn/v1/accounts",
            &[],
            json!({ "Name": name }).to_string().as_bytes(),
        )
    };
    let heard = server.call("cairn", make("second")).await;
    assert_eq!(heard.status, 201, "{}", heard.text());
    let made = heard.json();
    assert_eq!(made["Name"], "second");
    let second = Credentials {
        access_key_id: made["AccessKeyId"].as_str().unwrap().to_owned(),
        secret_access_key: made["SecretAccessKey"].as_str().unwrap().to_owned(),
    };
    let as_second = |request| signed_as(&second, "cairn", REGION, request, server.clock.now());
    server
        .send(as_second(make("third")))
        .await
        .expect_exception(403, "AccessDeniedException", Some("UNAUTHORIZED_ACCOUNT"));
    let status = server
        .send(as_second(rest(Method::GET, "/cairn/v1/status", &[], b"")))
        .await
        .json();
    assert_eq!(
        (&status["Operator"], &status["Account"]),
        (&json!(false), &made["AccountId"])
    );
    // What one account has the other does not see.
    let volume = server
        .ec2("CreateVolume", &[("AvailabilityZone", ZONE), ("Size", "1")])
        .await;
    let id = volume.element("volumeId").unwrap();
    let request = signed_as(
        &second,
        "ec2",
        REGION,
        query("DescribeVolumes", &[("VolumeId.1", id)]),
        server.clock.now(),
    );
    server
        .send(request)
        .await
        .expect_error(400, "InvalidVolume.NotFound");
    let request = signed_as(
        &server.credentials,
        "ec2",
        "eu-west-1",
        query("DescribeVolumes", &[]),
        server.clock.now(),
    );
    assert_eq!(server.send(request).await.element("volumeSet"), Some(""));
}

/// The block that is stored is the one that was hashed here, whatever its client says of it.
#[tokio::test]
async fn a_block_that_changed_on_the_way_is_refused() {
    let server = Server::start().await;
    let id = started(&server).await;
    let (data, other) = (block(1), block(2));
    let (sum, path) = (checksum(&data), format!("/snapshots/{id}/blocks/0"));
    let (mut head, body) = rest(Method::PUT, &path, &about("524288", &sum), &data).into_parts();
    let claimed = hex::encode(digest(&SHA256, &data));
    head.headers
        .insert("x-amz-content-sha256", claimed.parse().unwrap());
    let signed = server.signed("ebs", Request::from_parts(head, body));
    let (head, _) = signed.into_parts();
    let changed = Request::from_parts(head.clone(), Bytes::from(other));
    let heard = server.send(changed).await;
    heard.expect_exception(403, "InvalidSignatureException", None);
    let whole = Request::from_parts(head, Bytes::from(data));
    assert_eq!(server.send(whole).await.status, 201);
}
