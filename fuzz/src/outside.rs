//! What clients and guests send, and files that people import.

use std::{fs::File, io::Write as _};

use cairn_api::{
    form,
    generated::request::{DescribeSnapshotsRequest, RegisterImageRequest, RunInstancesRequest},
    query::{FromQuery as _, Group},
    sigv4::{Parts, Payload, Presented},
};
use cairn_control::{attest::Attestation, fuzzing as control};
use cairn_model::{
    Timestamp,
    page::{Bounds, Page, Pager, Seal},
};
use cairn_nbd::fuzzing as nbd;
use cairn_vmm::fuzzing as vmm;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{Target, cli::Format, format, partitions};

/// The targets of this module.
pub const TARGETS: &[Target] = &[
    Target {
        name: "nbd_connection",
        run: nbd::connection,
        samples: nbd::sample_connections,
    },
    Target {
        name: "ec2_query",
        run: ec2_query,
        samples: || {
            let texts: [&[u8]; 3] = [
                b"ImageId=ami-1&MinCount=1&MaxCount=2&BlockDeviceMapping.1.Ebs.VolumeSize=8&SecurityGroupId.2=sg-1&SecurityGroupId.1=sg-2&UserData=eA%3D%3D",
                b"SnapshotId.1=snap-1&Filter.1.Name=tag%3Ak&Filter.1.Value.1=v+w&MaxResults=5",
                b"Name=a&RootDeviceName=%2Fdev%2Fsda1&BlockDeviceMapping.1.Ebs.SnapshotId=snap-1&EnaSupport=true",
            ];
            texts.map(<[u8]>::to_vec).to_vec()
        },
    },
    Target {
        name: "sigv4",
        run: sigv4,
        samples: sample_signatures,
    },
    Target {
        name: "ebs_token",
        run: |bytes| std::str::from_utf8(bytes).is_ok_and(control::ebs_token),
        samples: || vec![control::sample_ebs_token().into_bytes()],
    },
    Target {
        name: "page_token",
        run: page_token,
        samples: || vec![next_token("snap-2").into_bytes()],
    },
    Target {
        name: "kms_ciphertext",
        run: control::kms_ciphertext,
        samples: || vec![control::sample_kms_ciphertext()],
    },
    Target {
        name: "kms_policy",
        run: |bytes| std::str::from_utf8(bytes).is_ok_and(control::kms_policy),
        samples: || vec![control::SAMPLE_KMS_POLICY.as_bytes().to_vec()],
    },
    Target {
        name: "metadata_request",
        run: vmm::metadata_request,
        samples: vmm::sample_metadata_requests,
    },
    Target {
        name: "attestation",
        run: attestation,
        samples: || vec![SAMPLE_ATTESTATION.as_bytes().to_vec()],
    },
    Target {
        name: "import_format",
        run: import_format,
        samples: sample_images,
    },
    Target {
        name: "import_partitions",
        run: import_partitions,
        samples: sample_disks,
    },
];

/// A form, its tree, and three requests of different shapes made of it.
fn ec2_query(bytes: &[u8]) -> bool {
    let Ok(pairs) = form::decode(bytes) else {
        return false;
    };
    let count = pairs.len();
    let Ok(group) = Group::new(pairs) else {
        return false;
    };
    let instances = RunInstancesRequest::from_query(&group);
    let snapshots = DescribeSnapshotsRequest::from_query(&group);
    let image = RegisterImageRequest::from_query(&group);
    assert!(
        count <= form::PARAMETERS_MAX,
        "more parameters than are allowed"
    );
    instances.is_ok() || snapshots.is_ok() || image.is_ok()
}

/// A request as lines: the query string, then headers as `name: value`. What is presented is also
/// checked, against a secret that it cannot know.
fn sigv4(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let (query, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let headers: HeaderMap = rest
        .split('\n')
        .filter_map(|line| line.split_once(": "))
        .filter_map(|(name, value)| {
            let name = name.parse::<HeaderName>().ok()?;
            Some((name, value.parse::<HeaderValue>().ok()?))
        })
        .collect();
    let parts = Parts {
        method: "POST",
        path: "/snapshots/%E2%82%AC",
        query,
        headers: &headers,
    };
    let Ok(presented) = Presented::of(&parts) else {
        return false;
    };
    let day = Timestamp(1_440_938_160_000_000);
    drop(presented.check_time(day));
    let checked = presented.check_signature(&parts, &Payload::Bytes(b""), "a secret of 2026");
    assert!(checked.is_err(), "a signature without the secret");
    true
}

fn sample_signatures() -> Vec<Vec<u8>> {
    let credential = "AKIDEXAMPLE/20150830/us-east-1/ec2/aws4_request";
    let signature = "5d".repeat(32);
    let header = format!(
        "\nauthorization: AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, \
         Signature={signature}\nhost: example.com\nx-amz-date: 20150830T123600Z"
    );
    let escaped = credential.replace('/', "%2F");
    let query = format!(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={escaped}&X-Amz-Date=20150830T123600Z\
         &X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature={signature}\nhost: example.com"
    );
    vec![header.into_bytes(), query.into_bytes()]
}

/// A seal that is no secret, so that what depends on it is reached by chance.
struct Xor;

impl Seal for Xor {
    fn seal(&self, message: &[u8]) -> [u8; 32] {
        let mut seal = [0; 32];
        for (at, byte) in message.iter().enumerate() {
            seal[at % 32] ^= byte;
        }
        seal
    }
}

fn pager() -> Pager<'static> {
    Pager {
        seal: &Xor,
        scope: "snapshots",
        bounds: Bounds { min: 1, max: 10 },
    }
}

/// A page of three results after a token.
fn page_token(bytes: &[u8]) -> bool {
    let Ok(token) = std::str::from_utf8(bytes) else {
        return false;
    };
    let page = Page {
        max_results: Some(2),
        next_token: Some(token.to_owned()),
    };
    let items = vec!["snap-1", "snap-2", "snap-3"];
    let Ok(paged) = pager().cut(items, &page, |item| (*item).to_owned()) else {
        return false;
    };
    assert!(paged.items.len() <= 2, "a longer page than was asked for");
    true
}

/// The token after a result.
fn next_token(last: &str) -> String {
    let page = Page {
        max_results: Some(1),
        next_token: None,
    };
    let paged = pager().cut(vec![last, "z"], &page, |item| (*item).to_owned());
    paged
        .ok()
        .and_then(|paged| paged.next_token)
        .expect("a second page")
}

/// An attestation file. What is read is written back as what was read.
fn attestation(bytes: &[u8]) -> bool {
    let Ok(attestation) = Attestation::read(bytes) else {
        return false;
    };
    let again = attestation.to_file().try_into();
    assert_eq!(
        again,
        Ok(attestation.clone()),
        "another statement than was read"
    );
    // That nobody signed this is the usual answer.
    drop(attestation.check(None));
    true
}

const SAMPLE_ATTESTATION: &str = r#"{"Format":"cairn attestation v1","SnapshotId":"snap-0123456789abcdef0","VolumeId":"vol-ffffffff","Account":"123456789012","SizeBytes":1073741824,"Digest":"abababababababababababababababababababababababababababababababab","CompletionTime":"2026-11-24T10:00:00.000Z","PublicKey":"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=","Signature":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}"#;

/// A file whose format is looked for, and then claimed to be each one.
fn import_format(bytes: &[u8]) -> bool {
    let file = file_of(bytes);
    let length = bytes.len() as u64;
    let inspect = |wanted| format::inspect(&file, length, wanted).ok();
    let found = inspect(None);
    for wanted in [Format::Qcow2, Format::Vmdk, Format::Vpc, Format::Vhdx] {
        let claimed = inspect(Some(wanted));
        assert!(
            claimed.is_none_or(|claimed| claimed == wanted),
            "another format"
        );
        assert_eq!(claimed.is_some(), found == Some(wanted), "a claim decides");
    }
    if found == Some(Format::Qcow2) {
        assert_eq!(bytes[8..16], [0; 8], "a backing file");
    }
    found.is_some_and(|found| found != Format::Raw)
}

fn sample_images() -> Vec<Vec<u8>> {
    let mut qcow2 = b"QFI\xfb\x00\x00\x00\x03".to_vec();
    qcow2.resize(104, 0);
    let mut vpc = b"conectix".to_vec();
    vpc.resize(512, 0);
    vpc[63] = 3;
    let mut vmdk = b"KDMV\x01\x00\x00\x00".to_vec();
    vmdk.resize(512, 0);
    vmdk[12] = 8;
    vmdk[28] = 1;
    vmdk[36] = 1;
    vmdk.extend(
        b"createType=\"monolithicSparse\"\nparentCID=ffffffff\nRW 8 SPARSE \"disk.vmdk\"\n",
    );
    vec![qcow2, vpc, vmdk, b"vhdxfile".to_vec()]
}

/// A disk whose partitions are looked at.
fn import_partitions(bytes: &[u8]) -> bool {
    let file = file_of(bytes);
    let fits = partitions::check_fit(&file, bytes.len() as u64).is_ok();
    let longer = partitions::check_fit(&file, u64::MAX).is_ok();
    assert!(longer, "a partition beyond all bytes");
    let uefi = partitions::boots_only_by_uefi(&file).expect("a file that can be read");
    uefi || !fits
}

fn sample_disks() -> Vec<Vec<u8>> {
    const EFI_SYSTEM: [u8; 16] =
        *b"\x28\x73\x2a\xc1\x1f\xf8\xd2\x11\xba\x4b\x00\xa0\xc9\x3e\xc9\x3b";
    let mut mbr = vec![0; 2048];
    mbr[510..512].copy_from_slice(&[0x55, 0xaa]);
    mbr[450] = 0xef;
    mbr[454] = 1;
    mbr[458] = 2;
    let mut gpt = vec![0; 2048];
    gpt[510..512].copy_from_slice(&[0x55, 0xaa]);
    gpt[512..520].copy_from_slice(b"EFI PART");
    gpt[512 + 72] = 2;
    gpt[512 + 80] = 2;
    gpt[512 + 84] = 128;
    gpt[1024..1040].copy_from_slice(&EFI_SYSTEM);
    gpt[1056] = 1;
    gpt[1064] = 2;
    vec![mbr, gpt]
}

/// A file without a name.
fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("room for a temporary file");
    file
}
