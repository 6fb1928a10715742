//! Key pairs, tags, places, types and networks.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use aws_lc_rs::{
    digest,
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cairn_control::{
    ErrorKind,
    request::{ChangeTags, CreateKeyPair, DeleteKeyPair, Describe, DescribeRegions, ImportKeyPair},
};
use cairn_model::{Page, key_pair::KeyType};
use ssh_key::{HashAlg, PrivateKey, PublicKey};
use support::*;

/// Made by OpenSSL 3; the fingerprint is that of `openssl pkey -pubin -outform DER | openssl md5 -c`.
const RSA_PEM: &str = include_str!("keys/rsa.pem");
const RSA_OPENSSH: &str = include_str!("keys/rsa.pub");
const RSA_FINGERPRINT: &str = include_str!("keys/rsa.md5");

fn by_name(name: &str) -> Describe {
    Describe {
        names: vec![name.to_owned()],
        ..Describe::default()
    }
}

fn create(name: &str, key_type: &str) -> CreateKeyPair {
    CreateKeyPair {
        key_name: name.to_owned(),
        key_type: Some(key_type.to_owned()),
        ..CreateKeyPair::default()
    }
}

fn import(name: &str, material: &[u8]) -> ImportKeyPair {
    ImportKeyPair {
        key_name: name.to_owned(),
        public_key_material: material.to_vec(),
        ..ImportKeyPair::default()
    }
}

fn pem_body(text: &str) -> Vec<u8> {
    let body: String = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    STANDARD.decode(body).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_created_rsa_key_is_what_ec2_gives() {
    let place = Place::new(1);
    let (control, caller) = place.begin().await;
    let created = control
        .create_key_pair(&caller, create("k", "rsa"))
        .await
        .unwrap();
    assert!(
        created
            .private_key
            .starts_with("-----BEGIN RSA PRIVATE KEY-----\n")
    );
    let pair = rsa::KeyPair::from_der(&pem_body(&created.private_key)).unwrap();
    assert_eq!(pair.public_modulus_len(), 256);
    let pkcs8: Pkcs8V1Der<'static> = pair.as_der().unwrap();
    let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, pkcs8.as_ref());
    let hex: Vec<String> = sha1.as_ref().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(created.key_pair.fingerprint, hex.join(":"));
    PublicKey::from_openssh(&created.key_pair.public_key).unwrap();
    assert!(
        !format!("{created:?}").contains("PRIVATE"),
        "it is never shown"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_created_ed25519_key_is_what_ec2_gives() {
    let place = Place::new(2);
    let (control, caller) = place.begin().await;
    let created = control
        .create_key_pair(&caller, create("k", "ed25519"))
        .await
        .unwrap();
    let private = PrivateKey::from_openssh(created.private_key.as_str()).unwrap();
    let public = private.public_key();
    assert_eq!(public.to_openssh().unwrap(), created.key_pair.public_key);
    let openssh = public.fingerprint(HashAlg::Sha256).to_string();
    assert_eq!(
        format!(
            "SHA256:{}",
            created.key_pair.fingerprint.trim_end_matches('=')
        ),
        openssh
    );
    let imported = control
        .import_key_pair(
            &caller,
            import("copy", created.key_pair.public_key.as_bytes()),
        )
        .await;
    assert_eq!(imported.unwrap().fingerprint, created.key_pair.fingerprint);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_imported_in_every_form() {
    let place = Place::new(3);
    let (control, caller) = place.begin().await;
    let der = pem_body(RSA_PEM);
    let blob = RSA_OPENSSH.trim().split(' ').nth(1).unwrap();
    let forms: [&[u8]; 5] = [
        RSA_OPENSSH.as_bytes(),
        blob.as_bytes(),
        RSA_PEM.as_bytes(),
        &der,
        &STANDARD.decode(blob).unwrap(),
    ];
    for (at, form) in forms.iter().enumerate() {
        let key = control
            .import_key_pair(&caller, import(&format!("key-{at}"), form))
            .await
            .unwrap();
        assert_eq!(
            (key.key_type, key.fingerprint.as_str()),
            (KeyType::Rsa, RSA_FINGERPRINT.trim()),
            "form {at}"
        );
    }
    let dsa = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBA==";
    for bad in [
        b"".as_slice(),
        b"hello",
        b"ssh-rsa AAAA",
        dsa.as_bytes(),
        &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
    ] {
        let message = refused(
            control.import_key_pair(&caller, import("bad", bad)).await,
            ErrorKind::KeyFormatInvalid,
        );
        assert_eq!(message, "Key is not in valid OpenSSH public key format");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn key_pairs_have_names_of_their_own() {
    let place = Place::new(4);
    let (control, caller) = place.begin().await;
    let first = control
        .create_key_pair(&caller, create("k", "ed25519"))
        .await
        .unwrap()
        .key_pair;
    refused(
        control
            .create_key_pair(&caller, create("k", "ed25519"))
            .await,
        ErrorKind::KeyPairDuplicate,
    );
    refused(
        control.create_key_pair(&caller, create("", "rsa")).await,
        ErrorKind::InvalidParameterValue,
    );
    refused(
        control.create_key_pair(&caller, create("x", "dsa")).await,
        ErrorKind::InvalidParameterValue,
    );
    let ppk = CreateKeyPair {
        key_format: Some("ppk".to_owned()),
        ..create("x", "rsa")
    };
    refused(
        control.create_key_pair(&caller, ppk).await,
        ErrorKind::UnsupportedOperation,
    );
    let other = new_caller(&control).await;
    control
        .create_key_pair(&other, create("k", "ed25519"))
        .await
        .unwrap();
    let named = |name: &str| Describe {
        names: vec![name.to_owned()],
        ..Describe::default()
    };
    let found = control.describe_key_pairs(&caller, named("k")).await;
    assert_eq!(found.unwrap(), std::slice::from_ref(&first));
    let message = refused(
        control.describe_key_pairs(&caller, named("z")).await,
        ErrorKind::KeyPairNotFound,
    );
    assert_eq!(message, "The key pair 'z' does not exist");
    let delete = DeleteKeyPair {
        key_name: Some("k".to_owned()),
        ..DeleteKeyPair::default()
    };
    assert_eq!(
        control
            .delete_key_pair(&caller, delete.clone())
            .await
            .unwrap(),
        Some(first.id)
    );
    assert_eq!(
        control.delete_key_pair(&caller, delete).await.unwrap(),
        None,
        "it can be said twice"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_are_put_and_taken_all_or_none() {
    let place = Place::new(5);
    let (control, caller) = place.begin().await;
    let volume = available_volume(&control, &caller, blank(1)).await;
    let vpc = control
        .describe_vpcs(&caller, Describe::default())
        .await
        .unwrap()
        .items
        .remove(0);
    let change = |resources: &[&str], tags: &[(&str, Option<&str>)]| ChangeTags {
        resources: resources.iter().map(ToString::to_string).collect(),
        tags: tags
            .iter()
            .map(|(k, v)| ((*k).to_owned(), v.map(str::to_owned)))
            .collect(),
        dry_run: false,
    };
    let (v, n) = (volume.id.as_str(), vpc.id.as_str());
    control
        .create_tags(&caller, change(&[v, n], &[("a", Some("1")), ("b", None)]))
        .await
        .unwrap();
    control
        .create_tags(&caller, change(&[v], &[("a", Some("2"))]))
        .await
        .unwrap();
    let tags = volume_now(&control, &caller, &volume).await.tags;
    assert_eq!((tags["a"].as_str(), tags["b"].as_str()), ("2", ""));

    let missing = change(&[v, "vol-12345678"], &[("c", Some("3"))]);
    refused(
        control.create_tags(&caller, missing).await,
        ErrorKind::VolumeNotFound,
    );
    assert!(
        !volume_now(&control, &caller, &volume)
            .await
            .tags
            .contains_key("c"),
        "all or nothing"
    );
    for malformed in [
        "nonsense",
        "vol-xyz",
        "i-",
        "ami-123456789",
        "moon-12345678",
    ] {
        let message = refused(
            control
                .create_tags(&caller, change(&[malformed], &[("c", None)]))
                .await,
            ErrorKind::InvalidId,
        );
        assert_eq!(message, format!("The ID '{malformed}' is not valid"));
    }
    refused(
        control
            .create_tags(&caller, change(&["ami-12345678"], &[("c", None)]))
            .await,
        ErrorKind::ImageNotFound,
    );
    refused(
        control
            .create_tags(&caller, change(&[v], &[("aws:c", None)]))
            .await,
        ErrorKind::InvalidParameterValue,
    );
    refused(
        control
            .create_tags(&caller, change(&[], &[("c", None)]))
            .await,
        ErrorKind::MissingParameter,
    );
    refused(
        control.create_tags(&caller, change(&[v], &[])).await,
        ErrorKind::MissingParameter,
    );
    let keys: Vec<String> = (0..49).map(|n| format!("k{n}")).collect();
    let many: Vec<_> = keys.iter().map(|key| (key.as_str(), None)).collect();
    refused(
        control.create_tags(&caller, change(&[v], &many)).await,
        ErrorKind::TagLimitExceeded,
    );

    let of = |resource: &str| Describe {
        filters: vec![filter("resource-id", &[resource])],
        ..Describe::default()
    };
    let described = control.describe_tags(&caller, of(n)).await.unwrap().items;
    assert_eq!(described.len(), 2);
    assert_eq!(
        (
            described[0].key.as_str(),
            described[0].resource_type.as_str()
        ),
        ("a", "vpc")
    );
    let by_tag = Describe {
        filters: vec![filter("tag:a", &["2"])],
        ..Describe::default()
    };
    assert_eq!(
        control.describe_tags(&caller, by_tag).await.unwrap().items[0].resource_id,
        v
    );
    assert!(
        control
            .describe_tags(&new_caller(&control).await, of(n))
            .await
            .unwrap()
            .items
            .is_empty()
    );

    control
        .delete_tags(&caller, change(&[n], &[("a", Some("other"))]))
        .await
        .unwrap();
    assert_eq!(
        control
            .describe_tags(&caller, of(n))
            .await
            .unwrap()
            .items
            .len(),
        2,
        "the value has to be equal"
    );
    control
        .delete_tags(&caller, change(&[n], &[("a", Some("1"))]))
        .await
        .unwrap();
    assert_eq!(
        control
            .describe_tags(&caller, of(n))
            .await
            .unwrap()
            .items
            .len(),
        1
    );
    control
        .delete_tags(&caller, change(&[v, n], &[]))
        .await
        .unwrap();
    assert!(
        control
            .describe_tags(&caller, Describe::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_account_has_a_default_network() {
    let place = Place::new(6);
    let (control, caller) = place.begin().await;
    let vpcs = control
        .describe_vpcs(&caller, Describe::default())
        .await
        .unwrap()
        .items;
    assert_eq!(
        (vpcs.len(), vpcs[0].cidr_block.as_str(), vpcs[0].is_default),
        (1, "172.31.0.0/16", true)
    );
    let defaults = Describe {
        filters: vec![filter("default-for-az", &["true"])],
        ..Describe::default()
    };
    assert_eq!(
        control
            .describe_subnets(&caller, defaults)
            .await
            .unwrap()
            .items
            .len(),
        6
    );
    let named = Describe {
        names: vec!["default".to_owned()],
        ..Describe::default()
    };
    let groups = control
        .describe_security_groups(&caller, named)
        .await
        .unwrap()
        .items;
    assert_eq!((groups.len(), &groups[0].group.vpc_id), (1, &vpcs[0].id));
    let attribute = control
        .describe_account_attributes(&caller, by_name("default-vpc"))
        .await
        .unwrap();
    assert_eq!(
        attribute,
        [("default-vpc".to_owned(), vec![vpcs[0].id.to_string()])]
    );
    refused(
        control
            .describe_account_attributes(&caller, by_name("max-moons"))
            .await,
        ErrorKind::InvalidParameterValue,
    );
    let dry = Describe {
        dry_run: true,
        ..by_name("default-vpc")
    };
    refused(
        control.describe_account_attributes(&caller, dry).await,
        ErrorKind::DryRun,
    );
    refused(
        control
            .describe_vpcs(&caller, ids(&[&"vpc-12345678"]))
            .await,
        ErrorKind::VpcNotFound,
    );
    refused(
        control
            .describe_subnets(&caller, ids(&[&"vpc-12345678"]))
            .await,
        ErrorKind::SubnetIdMalformed,
    );
    let other = new_caller(&control).await;
    let others = control
        .describe_vpcs(&other, Describe::default())
        .await
        .unwrap()
        .items;
    assert_ne!(others[0].id, vpcs[0].id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zones_are_found_by_name_id_and_what_they_show() {
    let place = Place::new(8);
    let (control, caller) = place.begin().await;
    let found = async |request| {
        let zones = control.describe_availability_zones(&caller, request).await;
        zones.map(|zones| zones.iter().map(|zone| zone.id()).collect::<Vec<_>>())
    };
    assert_eq!(found(by_name("us-east-1b")).await.unwrap(), ["use1-az2"]);
    let by_either = Describe {
        ids: vec!["use1-az3".to_owned()],
        ..by_name("us-east-1b")
    };
    assert_eq!(found(by_either).await.unwrap(), ["use1-az2", "use1-az3"]);
    for unknown in [
        by_name("us-east-1z"),
        by_name("eu-west-1a"),
        by_name("use1-az1"),
        ids(&[&"us-east-1a"]),
    ] {
        let message = refused(found(unknown).await, ErrorKind::InvalidParameterValue);
        assert!(
            message.starts_with("Invalid availability zone: ["),
            "{message}"
        );
    }
    for (name, value, count) in [
        ("state", "available", 6),
        ("region-name", "us-east-1", 6),
        ("group-name", "us-east-1-zg-1", 6),
        ("group-name", "us-east-1", 0),
        ("group-long-name", "US East (N. Virginia) 1", 6),
        ("zone-id", "use1-az6", 1),
        ("parent-zone-name", "*", 0),
    ] {
        let filtered = Describe {
            filters: vec![filter(name, &[value])],
            ..Describe::default()
        };
        assert_eq!(
            found(filtered).await.unwrap().len(),
            count,
            "{name}={value}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_and_types_can_be_looked_up() {
    let place = Place::new(7);
    let (control, caller) = place.begin().await;
    let regions = control
        .describe_regions(&caller, DescribeRegions::default())
        .await
        .unwrap();
    assert!(
        regions
            .iter()
            .any(|found| found.region.endpoint() == "ec2.us-east-1.amazonaws.com")
    );
    refused(
        control
            .describe_regions(
                &caller,
                DescribeRegions {
                    common: by_name("us-east-9"),
                    all_regions: true,
                },
            )
            .await,
        ErrorKind::RegionNotFound,
    );
    let arm = Describe {
        filters: vec![
            filter("processor-info.supported-architecture", &["arm64"]),
            filter("memory-info.size-in-mib", &["1024"]),
        ],
        ..Describe::default()
    };
    let types = control
        .describe_instance_types(&caller, arm)
        .await
        .unwrap()
        .items;
    assert_eq!(
        types.iter().map(|t| t.name).collect::<Vec<_>>(),
        ["t4g.micro"]
    );
    for (name, value, wanted) in [
        ("ebs-info.maximum-ebs-attachments", "24", 35),
        ("ebs-info.encryption-support", "supported", 35),
        ("nitro-tpm-support", "supported", 0),
        ("instance-storage-info.disk.type", "ssd", 0),
        ("vcpu-info.valid-cores", "4", 2),
    ] {
        let request = Describe {
            filters: vec![filter(name, &[value])],
            ..Describe::default()
        };
        let found = control.describe_instance_types(&caller, request).await;
        assert_eq!(found.unwrap().items.len(), wanted, "{name}={value}");
    }
    let page = Describe {
        page: Page {
            max_results: Some(5),
            next_token: None,
        },
        ..Describe::default()
    };
    assert!(
        control
            .describe_instance_types(&caller, page)
            .await
            .unwrap()
            .next_token
            .is_some()
    );
    let unknown = Describe {
        names: vec!["t9.huge".to_owned()],
        ..Describe::default()
    };
    let message = refused(
        control.describe_instance_types(&caller, unknown).await,
        ErrorKind::InstanceTypeInvalid,
    );
    assert_eq!(
        message,
        "The following supplied instance types do not exist: [t9.huge]"
    );
}
