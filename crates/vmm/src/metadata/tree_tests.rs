//! Listings and values, exactly.

use super::super::sample::metadata;
use super::*;

fn text(path: &str) -> Option<String> {
    match look_up(&metadata(), path)? {
        Found::Listing(text) => Some(text),
        Found::Value(bytes) | Found::UserData(bytes) => Some(String::from_utf8(bytes).unwrap()),
    }
}

fn meta(path: &str) -> Option<String> {
    text(&format!("/latest/meta-data/{path}"))
}

#[test]
fn listings_are_those_of_ec2() {
    let listings = [
        ("/latest", "dynamic\nmeta-data\nuser-data"),
        ("/latest/dynamic", "instance-identity/"),
        ("/latest/dynamic/instance-identity", "document"),
        (
            "/latest/meta-data",
            "ami-id\nami-launch-index\nami-manifest-path\nblock-device-mapping/\nevents/\nhostname\n\
             instance-action\ninstance-id\ninstance-life-cycle\ninstance-type\nlocal-hostname\n\
             local-ipv4\nmac\nnetwork/\nplacement/\nprofile\npublic-keys/\nreservation-id\n\
             security-groups\nservices/\ntags/",
        ),
        (
            "/latest/meta-data/block-device-mapping",
            "ami\nebs1\nebs2\nroot",
        ),
        ("/latest/meta-data/network", "interfaces/"),
        ("/latest/meta-data/network/interfaces", "macs/"),
        (
            "/latest/meta-data/network/interfaces/macs",
            "02:00:17:2a:00:0f/",
        ),
        (
            "/latest/meta-data/network/interfaces/macs/02:00:17:2a:00:0f",
            "device-number\ninterface-id\nlocal-hostname\nlocal-ipv4s\nmac\nnetwork-card\nowner-id\n\
             security-group-ids\nsecurity-groups\nsubnet-id\nsubnet-ipv4-cidr-block\nvpc-id\n\
             vpc-ipv4-cidr-block\nvpc-ipv4-cidr-blocks",
        ),
        (
            "/latest/meta-data/placement",
            "availability-zone\navailability-zone-id\nregion",
        ),
        ("/latest/meta-data/public-keys", "0=work laptop\n1=backup"),
        ("/latest/meta-data/public-keys/1", "openssh-key"),
        ("/latest/meta-data/services", "domain\npartition"),
        ("/latest/meta-data/tags", "instance/"),
        ("/latest/meta-data/tags/instance", "Name\nenv"),
    ];
    for (path, names) in listings {
        assert_eq!(text(path).as_deref(), Some(names), "{path}");
        assert_eq!(text(&format!("{path}/")).as_deref(), Some(names), "{path}/");
    }
}

/// As cloud-init crawls: a name with a slash is a directory, one without is a value, and each is
/// there. Only at the top are directories listed without their slash, and keys by their number.
#[test]
fn whatever_is_listed_is_there() {
    fn crawl(path: &str, found: &mut Vec<String>) {
        let Some(Found::Listing(labels)) = look_up(&metadata(), path) else {
            panic!("{path} is no directory");
        };
        for label in labels.lines() {
            let name = match path.ends_with("/public-keys/") {
                true => format!("{}/", label.split('=').next().unwrap()),
                false => label.to_owned(),
            };
            let child = format!("{path}{name}");
            match look_up(&metadata(), &child) {
                Some(Found::Listing(_)) => {
                    assert_eq!(name.ends_with('/'), path != "/latest/", "{child}");
                    crawl(&format!("{}/", child.trim_end_matches('/')), found);
                }
                Some(_) => {
                    assert!(!name.ends_with('/'), "{child}");
                    found.push(child);
                }
                None => panic!("{child} is listed, and not there"),
            }
        }
    }
    let mut found = Vec::new();
    crawl("/latest/", &mut found);
    for path in [
        "user-data",
        "dynamic/instance-identity/document",
        "meta-data/public-keys/1/openssh-key",
        "meta-data/network/interfaces/macs/02:00:17:2a:00:0f/vpc-ipv4-cidr-blocks",
        "meta-data/tags/instance/env",
    ] {
        assert!(found.contains(&format!("/latest/{path}")), "{path}");
    }
}

#[test]
fn values_are_those_of_the_instance() {
    let interface = "network/interfaces/macs/02:00:17:2a:00:0f";
    let values = [
        ("ami-id", "ami-0123456789abcdef0"),
        ("ami-launch-index", "3"),
        ("ami-manifest-path", "(unknown)"),
        ("block-device-mapping/ami", "/dev/xvda"),
        ("block-device-mapping/root", "/dev/xvda"),
        ("block-device-mapping/ebs1", "sdb"),
        ("block-device-mapping/ebs2", "xvdc"),
        ("events/maintenance/scheduled", "[]"),
        ("hostname", "ip-172-31-0-15.eu-central-1.compute.internal"),
        (
            "local-hostname",
            "ip-172-31-0-15.eu-central-1.compute.internal",
        ),
        ("instance-action", "none"),
        ("instance-id", "i-0123456789abcdef0"),
        ("instance-life-cycle", "on-demand"),
        ("instance-type", "t3.small"),
        ("local-ipv4", "172.31.0.15"),
        ("mac", "02:00:17:2a:00:0f"),
        ("placement/availability-zone", "eu-central-1a"),
        ("placement/availability-zone-id", "euc1-az2"),
        ("placement/region", "eu-central-1"),
        ("profile", "default-hvm"),
        ("public-keys/0/openssh-key", "ssh-ed25519 AAAA work laptop"),
        ("public-keys/1/openssh-key", "ssh-ed25519 AAAA backup"),
        ("reservation-id", "r-0123456789abcdef0"),
        ("security-groups", "default\nweb"),
        ("services/domain", "amazonaws.com"),
        ("services/partition", "aws"),
        ("tags/instance/Name", "web 1"),
        ("tags/instance/env", "ü"),
    ];
    for (path, value) in values {
        assert_eq!(meta(path).as_deref(), Some(value), "{path}");
        assert_eq!(
            meta(&format!("{path}/")),
            None,
            "a value is no directory: {path}/"
        );
    }
    let of_interface = [
        ("device-number", "0"),
        ("interface-id", "eni-0123456789abcdef0"),
        ("local-ipv4s", "172.31.0.15"),
        ("owner-id", "123456789012"),
        (
            "security-group-ids",
            "sg-0000000000000000a\nsg-0000000000000000b",
        ),
        ("security-groups", "default\nweb"),
        ("subnet-id", "subnet-0123456789abcdef0"),
        ("subnet-ipv4-cidr-block", "172.31.0.0/20"),
        ("vpc-id", "vpc-0123456789abcdef0"),
        ("vpc-ipv4-cidr-block", "172.31.0.0/16"),
    ];
    for (path, value) in of_interface {
        assert_eq!(
            meta(&format!("{interface}/{path}")).as_deref(),
            Some(value),
            "{path}"
        );
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    for path in [
        "/nonsense",
        "/latest/nonsense",
        "/latest/meta-data/nonsense",
        "/latest/meta-data/ami-id/x",
        "/latest/meta-data/public-keys/2",
        "/latest/meta-data/public-keys/0=work laptop",
        "/latest/meta-data/kernel-id",
        "/2099-01-01/meta-data",
        "/latest/api/token",
        "/latest/meta-data/../user-data",
        "/LATEST",
    ] {
        assert_eq!(text(path), None, "{path}");
    }
}

#[test]
fn every_version_has_the_same_tree() {
    let versions = text("/").unwrap();
    assert_eq!(text(""), Some(versions.clone()));
    assert!(versions.starts_with("1.0\n2007-01-19\n") && versions.ends_with("\nlatest"));
    for wanted in ["2009-04-04", "2016-09-02", "2018-09-24", "2021-03-23"] {
        assert!(
            versions.lines().any(|version| version == wanted),
            "{wanted}"
        );
    }
    for version in versions.lines() {
        let id = text(&format!("/{version}/meta-data/instance-id"));
        assert_eq!(id.as_deref(), Some("i-0123456789abcdef0"), "{version}");
    }
}

#[test]
fn what_an_instance_has_not_is_not_listed() {
    let mut metadata = metadata();
    metadata.public_keys.clear();
    metadata.user_data = None;
    metadata.options.tags_enabled = false;
    metadata.kernel_id = Some("aki-1".to_owned());
    let listing = |path: &str| match look_up(&metadata, path) {
        Some(Found::Listing(text)) => text,
        other => panic!("{path}: {other:?}"),
    };
    assert_eq!(listing("/latest"), "dynamic\nmeta-data");
    let names = listing("/latest/meta-data/");
    assert!(
        !names.contains("public-keys") && !names.contains("tags"),
        "{names}"
    );
    assert!(names.contains("\nkernel-id\n"));
    for path in [
        "user-data",
        "meta-data/tags/instance/Name",
        "meta-data/public-keys/",
    ] {
        assert_eq!(
            look_up(&metadata, &format!("/latest/{path}")),
            None,
            "{path}"
        );
    }
}

#[test]
fn user_data_is_given_byte_for_byte() {
    let found = look_up(&metadata(), "/latest/user-data");
    assert_eq!(found, Some(Found::UserData(vec![0, 0xff, b'\n'])));
}

#[test]
fn the_identity_document_is_written_as_ec2_writes_it() {
    let expected = "{\n  \"accountId\" : \"123456789012\",\n  \"architecture\" : \"x86_64\",\n  \
        \"availabilityZone\" : \"eu-central-1a\",\n  \"billingProducts\" : null,\n  \
        \"devpayProductCodes\" : null,\n  \"marketplaceProductCodes\" : null,\n  \
        \"imageId\" : \"ami-0123456789abcdef0\",\n  \"instanceId\" : \"i-0123456789abcdef0\",\n  \
        \"instanceType\" : \"t3.small\",\n  \"kernelId\" : null,\n  \
        \"pendingTime\" : \"2026-11-23T07:00:00Z\",\n  \"privateIp\" : \"172.31.0.15\",\n  \
        \"ramdiskId\" : null,\n  \"region\" : \"eu-central-1\",\n  \"version\" : \"2017-09-30\"\n}";
    let document = text("/latest/dynamic/instance-identity/document").unwrap();
    assert_eq!(document, expected);
    serde_json::from_str::<Value>(&document).unwrap();
}
