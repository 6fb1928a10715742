//! Vectors of AWS's published Signature Version 4 test suite, as kept in awslabs/aws-c-auth under
//! `tests/aws-signing-test-suite/v4` (the cases of services that normalise paths). Each line of a
//! case is a fact of the suite: the request, its signed headers, and the signature.

#![allow(clippy::unwrap_used)]

use cairn_api::sigv4::{AuthError, Credentials, Parts, Payload, Presented, sign};
use cairn_model::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue, Request};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const CREDENTIAL: &str = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";
const QUERY_CREDENTIAL: &str = "AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request";
/// 2015-08-30T12:36:00Z, when everything in the suite was signed.
const TIME: Timestamp = Timestamp(1_440_938_160_000_000);

struct Case {
    name: &'static str,
    method: &'static str,
    target: &'static str,
    /// Further headers than host and date.
    headers: &'static [(&'static str, &'static str)],
    signed: &'static str,
    body: &'static str,
    signature: &'static str,
}

const fn get(name: &'static str, target: &'static str, signature: &'static str) -> Case {
    Case {
        name,
        method: "GET",
        target,
        headers: &[],
        signed: "host;x-amz-date",
        body: "",
        signature,
    }
}

const HEADER_CASES: &[Case] = &[
    Case {
        name: "get-header-key-duplicate",
        headers: &[
            ("my-header1", "value2"),
            ("my-header1", "value2"),
            ("my-header1", "value1"),
        ],
        signed: "host;my-header1;x-amz-date",
        ..get(
            "",
            "/",
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        )
    },
    Case {
        name: "get-header-value-order",
        headers: &[
            ("my-header1", "value4"),
            ("my-header1", "value1"),
            ("my-header1", "value3"),
            ("my-header1", "value2"),
        ],
        signed: "host;my-header1;x-amz-date",
        ..get(
            "",
            "/",
            "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
        )
    },
    Case {
        name: "get-header-value-trim",
        headers: &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
        signed: "host;my-header1;my-header2;x-amz-date",
        ..get(
            "",
            "/",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        )
    },
    get(
        "get-relative-relative-normalized",
        "/example1/example2/../..",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    get(
        "get-slash-dot-slash-normalized",
        "/./",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    get(
        "get-slash-pointless-dot-normalized",
        "/./example",
        "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
    ),
    get(
        "get-slashes-normalized",
        "//example//",
        "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
    ),
    get(
        "get-space-normalized",
        "/example space/",
        "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
    ),
    get(
        "get-unreserved",
        "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    get(
        "get-utf8",
        "/ሴ",
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    ),
    get(
        "get-vanilla-empty-query-key",
        "/?Param1=value1",
        "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
    ),
    get(
        "get-vanilla-query-order-encoded",
        "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
        "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
    ),
    get(
        "get-vanilla-query-order-key-case",
        "/?Param2=value2&Param1=value1",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    get(
        "get-vanilla-query-unreserved",
        "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=\
         -._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    ),
    get(
        "get-vanilla-utf8-query",
        "/?ሴ=bar",
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    ),
    Case {
        name: "get-vanilla-with-session-token",
        headers: &[(
            "x-amz-security-token",
            "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
        )],
        signed: "host;x-amz-date;x-amz-security-token",
        ..get(
            "",
            "/",
            "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
        )
    },
    Case {
        name: "post-header-key-sort",
        method: "POST",
        headers: &[("my-header1", "value1")],
        signed: "host;my-header1;x-amz-date",
        ..get(
            "",
            "/",
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        )
    },
    Case {
        name: "post-x-www-form-urlencoded",
        method: "POST",
        headers: &[
            ("content-type", "application/x-www-form-urlencoded"),
            ("content-length", "13"),
            (
                "x-amz-content-sha256",
                "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
            ),
        ],
        signed: "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
        body: "Param1=value1",
        ..get(
            "",
            "/",
            "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
        )
    },
];

const QUERY_CASES: &[Case] = &[
    Case {
        signed: "host",
        ..get(
            "get-vanilla-query",
            "/",
            "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d",
        )
    },
    Case {
        headers: &[
            ("my-header1", "value4"),
            ("my-header1", "value1"),
            ("my-header1", "value3"),
            ("my-header1", "value2"),
        ],
        signed: "host;my-header1",
        ..get(
            "get-header-value-order",
            "/",
            "313720e71ca6202fdcfa9b20f88de01a4eb0638a83c833b1c184359a4eda864e",
        )
    },
    Case {
        signed: "host",
        ..get(
            "get-utf8",
            "/ሴ",
            "10eae3f14a260bd3911cc6d008d3c576d143b05b62f09782a7a4b37f52178e44",
        )
    },
];

impl Case {
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("example.amazonaws.com"));
        for (name, value) in self.headers {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        headers
    }

    fn split(&self) -> (&str, &str) {
        self.target.split_once('?').unwrap_or((self.target, ""))
    }

    /// The headers of the request as the suite signs it in its header.
    fn signed_headers(&self, signature: &str) -> HeaderMap {
        let mut headers = self.headers();
        headers.insert("x-amz-date", HeaderValue::from_static("20150830T123600Z"));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders={}, Signature={signature}",
            self.signed
        );
        headers.insert("authorization", authorization.parse().unwrap());
        headers
    }

    /// The query of the request as the suite signs it there.
    fn signed_query(&self, signature: &str) -> String {
        format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={QUERY_CREDENTIAL}&X-Amz-Date=20150830T123600Z\
             &X-Amz-SignedHeaders={}&X-Amz-Expires=3600&X-Amz-Signature={signature}",
            self.signed.replace(';', "%3B")
        )
    }

    fn check(&self, query: &str, headers: &HeaderMap, body: &str) -> Result<(), AuthError> {
        let (path, _) = self.split();
        let parts = Parts {
            method: self.method,
            path,
            query,
            headers,
        };
        let presented = Presented::of(&parts).unwrap();
        assert_eq!(presented.time, TIME, "{}", self.name);
        presented.check_signature(&parts, &Payload::Bytes(body.as_bytes()), SECRET)
    }
}

#[test]
fn requests_signed_in_the_header_are_accepted() {
    for case in HEADER_CASES {
        let headers = case.signed_headers(case.signature);
        assert_eq!(
            case.check(case.split().1, &headers, case.body),
            Ok(()),
            "{}",
            case.name
        );
    }
}

#[test]
fn requests_signed_in_the_query_are_accepted() {
    for case in QUERY_CASES {
        assert_eq!(
            case.check(&case.signed_query(case.signature), &case.headers(), ""),
            Ok(()),
            "{}",
            case.name
        );
    }
}

#[test]
fn another_signature_body_method_or_header_is_not() {
    for case in HEADER_CASES {
        let (query, headers) = (case.split().1, case.signed_headers(case.signature));
        let flipped = if case.signature.ends_with('0') {
            "1"
        } else {
            "0"
        };
        let other = format!("{}{flipped}", &case.signature[..63]);
        assert_eq!(
            case.check(query, &case.signed_headers(&other), case.body),
            Err(AuthError::Mismatch),
            "{}",
            case.name
        );
        assert_eq!(
            case.check(query, &headers, "another body"),
            Err(AuthError::Mismatch),
            "{}",
            case.name
        );
        assert_eq!(
            case.check("Param9=1", &headers, case.body),
            Err(AuthError::Mismatch),
            "{}",
            case.name
        );
        let mut host = headers.clone();
        host.insert("host", HeaderValue::from_static("example.com"));
        assert_eq!(
            case.check(query, &host, case.body),
            Err(AuthError::Mismatch),
            "{}",
            case.name
        );
        let method = Case {
            method: "PUT",
            ..*case
        };
        assert_eq!(
            method.check(query, &headers, case.body),
            Err(AuthError::Mismatch),
            "{}",
            case.name
        );
    }
}

#[test]
fn what_we_sign_is_what_the_suite_signs() {
    let credentials = Credentials {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: SECRET.into(),
    };
    for case in HEADER_CASES
        .iter()
        .filter(|case| case.target.parse::<http::Uri>().is_ok())
    {
        let (mut parts, ()) = Request::builder()
            .method(case.method)
            .uri(case.target)
            .body(())
            .unwrap()
            .into_parts();
        parts.headers = case.headers();
        sign(
            &mut parts,
            &Payload::Bytes(case.body.as_bytes()),
            &credentials,
            "us-east-1",
            "service",
            TIME,
        )
        .unwrap();
        let expected = case.signed_headers(case.signature);
        assert_eq!(
            parts.headers["authorization"], expected["authorization"],
            "{}",
            case.name
        );
    }
}

fn presented(query: &str) -> Result<Presented, AuthError> {
    Presented::of(&Parts {
        method: "GET",
        path: "/",
        query,
        headers: &HeaderMap::new(),
    })
}

#[test]
fn a_signature_in_the_query_is_good_for_as_long_as_it_says() {
    let case = &QUERY_CASES[0];
    let presented = presented(&case.signed_query(case.signature)).unwrap();
    let at = |seconds: i64| presented.check_time(Timestamp(TIME.0 + seconds * 1_000_000));
    assert_eq!(at(0), Ok(()));
    assert_eq!(at(3600), Ok(()));
    assert_eq!(
        at(3601),
        Err(AuthError::Expired("Request has expired.".to_owned()))
    );
    assert_eq!(at(-15 * 60), Ok(()));
    assert!(matches!(at(-15 * 60 - 1), Err(AuthError::Expired(_))));
}

#[test]
fn a_signature_in_the_header_is_good_for_a_quarter_of_an_hour_either_way() {
    let headers = HEADER_CASES[3].signed_headers(HEADER_CASES[3].signature);
    let presented = Presented::of(&Parts {
        method: "GET",
        path: "/",
        query: "",
        headers: &headers,
    })
    .unwrap();
    let at = |seconds: i64| {
        presented
            .check_time(Timestamp(TIME.0 + seconds * 1_000_000))
            .map_err(|e| e.to_string())
    };
    assert_eq!(at(15 * 60), Ok(()));
    assert_eq!(at(-15 * 60), Ok(()));
    assert_eq!(
        at(15 * 60 + 1).unwrap_err(),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - 15 min.)"
    );
    assert_eq!(
        at(-15 * 60 - 1).unwrap_err(),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T122059Z + 15 min.)"
    );
}

#[test]
fn a_signature_of_another_day_is_not_for_today() {
    let query = QUERY_CASES[0]
        .signed_query(QUERY_CASES[0].signature)
        .replace("%2F20150830%2F", "%2F20150829%2F");
    let error = presented(&query).unwrap().check_time(TIME).unwrap_err();
    assert!(matches!(error, AuthError::Scope(_)), "{error}");
}

#[test]
fn what_is_not_whole_is_named() {
    let good = QUERY_CASES[0].signed_query(QUERY_CASES[0].signature);
    let part = |name: &str| {
        good.split('&')
            .find(|pair| pair.starts_with(name))
            .unwrap()
            .to_owned()
    };
    for name in [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
    ] {
        let without = good
            .replace(&format!("{}&", part(name)), "")
            .replace(&format!("&{}", part(name)), "");
        assert_ne!(without, good);
        assert!(
            matches!(presented(&without), Err(AuthError::Incomplete(_))),
            "{name}"
        );
        let twice = format!("{good}&{}", part(name));
        assert!(
            matches!(presented(&twice), Err(AuthError::Incomplete(_))),
            "{name}"
        );
    }
    for (from, to) in [
        ("Expires=3600", "Expires=604801"),
        ("Expires=3600", "Expires=0"),
        ("Expires=3600", "Expires=-5"),
        ("HMAC-SHA256", "HMAC-SHA1"),
        ("20150830T123600Z", "yesterday"),
        ("aws4_request", "aws5_request"),
        ("SignedHeaders=host", "SignedHeaders=host%3Bdate"),
        ("SignedHeaders=host", "SignedHeaders=Host"),
        ("Signature=e9", "Signature=zz"),
        ("Signature=e9", "Signature="),
    ] {
        let bad = good.replace(from, to);
        assert_ne!(bad, good);
        assert!(
            matches!(presented(&bad), Err(AuthError::Incomplete(_))),
            "{to}"
        );
    }
    assert_eq!(
        presented("Action=DescribeVolumes"),
        Err(AuthError::MissingToken)
    );
    let week = good.replace("Expires=3600", "Expires=604800");
    assert_eq!(presented(&week).unwrap().expires, Some(604_800));
}

#[test]
fn authorization_headers_that_are_not_whole_are_named() {
    for (authorization, message) in [
        ("", "Unsupported AWS 'algorithm': ''."),
        (
            "Basic dXNlcjpwYXNz",
            "Unsupported AWS 'algorithm': 'Basic'.",
        ),
        (
            "AWS4-ECDSA-P256-SHA256 Credential=a",
            "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'.",
        ),
        (
            "AWS4-HMAC-SHA256",
            "Authorization header requires 'Credential' parameter.",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/b",
            "Authorization header requires 'Signature' parameter.",
        ),
        (
            "AWS4-HMAC-SHA256 Colour=red",
            "'Colour' is not a part of Authorization.",
        ),
        (
            "AWS4-HMAC-SHA256 Signature=1, Signature=2",
            "'Signature' was given more than once.",
        ),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", authorization.parse().unwrap());
        let error = Presented::of(&Parts {
            method: "GET",
            path: "/",
            query: "",
            headers: &headers,
        })
        .unwrap_err();
        assert_eq!(
            error,
            AuthError::Incomplete(message.to_owned()),
            "{authorization}"
        );
    }
}

#[test]
fn host_and_amazon_headers_have_to_be_signed() {
    let case = Case {
        signed: "x-amz-date",
        ..HEADER_CASES[3]
    };
    let headers = case.signed_headers(case.signature);
    assert!(matches!(
        case.check("", &headers, ""),
        Err(AuthError::Incomplete(_))
    ));
    let mut more = HEADER_CASES[3].signed_headers(HEADER_CASES[3].signature);
    more.insert("x-amz-checksum", HeaderValue::from_static("unsigned"));
    assert!(matches!(
        HEADER_CASES[3].check("", &more, ""),
        Err(AuthError::Incomplete(_))
    ));
}

#[test]
fn one_way_of_signing_is_enough() {
    let headers = HEADER_CASES[3].signed_headers(HEADER_CASES[3].signature);
    let query = QUERY_CASES[0].signed_query(QUERY_CASES[0].signature);
    let error = Presented::of(&Parts {
        method: "GET",
        path: "/",
        query: &query,
        headers: &headers,
    })
    .unwrap_err();
    assert!(matches!(error, AuthError::Incomplete(_)), "{error}");
}

proptest::proptest! {
    #[test]
    fn nothing_presented_panics(authorization in ".{0,200}", date in ".{0,40}", query in ".{0,200}") {
        let mut headers = HeaderMap::new();
        for (name, value) in [("authorization", &authorization), ("x-amz-date", &date)] {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
        let prefix = "AWS4-HMAC-SHA256 Credential=a/20150830/r/s/aws4_request, SignedHeaders=host, Signature=";
        let parts = Parts { method: "GET", path: &query, query: &query, headers: &headers };
        // The answers do not matter here, only that there are some.
        if let Ok(presented) = Presented::of(&parts) {
            drop(presented.check_time(TIME));
        }
        let value = format!("{prefix}{}", "a".repeat(64));
        headers.insert("authorization", value.parse().unwrap());
        let parts = Parts { method: "GET", path: &query, query: "", headers: &headers };
        if let Ok(presented) = Presented::of(&parts) {
            drop(presented.check_time(TIME));
            drop(presented.check_signature(&parts, &Payload::Unsigned, SECRET));
        }
    }
}
