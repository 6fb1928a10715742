//! The rules of IMDSv1 and IMDSv2.

use http::HeaderName;

use super::super::sample::metadata;
use super::*;

const NOW: Duration = Duration::from_secs(1_800_000_000);
const ID: &str = "/latest/meta-data/instance-id";

struct Service {
    metadata: InstanceMetadata,
    key: TokenKey,
    now: Duration,
}

impl Service {
    fn new() -> Self {
        Self {
            metadata: metadata(),
            key: TokenKey::new(&[1; 32]),
            now: NOW,
        }
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let method = method.parse().unwrap();
        let request = Request {
            method: &method,
            path,
            headers: &map,
        };
        respond(request, &self.metadata, &self.key, self.now)
    }

    fn status(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
        self.ask(method, path, headers).status().as_u16()
    }

    fn token(&self, seconds: &str) -> String {
        let answer = self.ask("PUT", TOKEN_PATH, &[(TTL, seconds)]);
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()[TTL], seconds);
        String::from_utf8(answer.into_body()).unwrap()
    }
}

#[test]
fn a_session_reads_until_its_token_ends() {
    let mut service = Service::new();
    let token = service.token("60");
    let with_token = [(TOKEN, token.as_str())];
    let answer = service.ask("GET", ID, &with_token);
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()[CONTENT_TYPE], "text/plain");
    assert_eq!(answer.headers()[SERVER], "EC2ws");
    assert_eq!(answer.body(), b"i-0123456789abcdef0");
    service.now += Duration::from_secs(59);
    assert_eq!(service.status("GET", ID, &with_token), 200);
    service.now += Duration::from_secs(1);
    assert_eq!(service.status("GET", ID, &with_token), 401);
}

#[test]
fn without_a_token_only_version_one_is_answered() {
    let mut service = Service::new();
    assert_eq!(service.status("GET", ID, &[]), 401);
    assert_eq!(service.status("HEAD", ID, &[]), 401);
    assert_eq!(service.status("GET", "/", &[]), 401);
    assert_eq!(service.status("GET", "/latest/user-data", &[]), 401);
    service.metadata.options.http_tokens = HttpTokens::Optional;
    assert_eq!(service.status("GET", ID, &[]), 200);
    assert_eq!(service.status("GET", "/", &[]), 200);
}

#[test]
fn a_bad_token_is_refused_even_where_none_is_needed() {
    let mut service = Service::new();
    let other = TokenKey::new(&[2; 32]).issue("i-0123456789abcdef0", NOW, Duration::from_secs(60));
    let foreign = service
        .key
        .issue("i-00000000000000001", NOW, Duration::from_secs(60));
    for tokens in [HttpTokens::Required, HttpTokens::Optional] {
        service.metadata.options.http_tokens = tokens;
        for bad in ["", "nonsense", &other, &foreign] {
            assert_eq!(service.status("GET", ID, &[(TOKEN, bad)]), 401, "{bad:?}");
        }
    }
}

#[test]
fn a_session_has_a_length_within_bounds() {
    let service = Service::new();
    let put = |headers: &[(&str, &str)]| service.status("PUT", TOKEN_PATH, headers);
    let ttl = TTL;
    assert_eq!(put(&[]), 400);
    for bad in [
        "0",
        "21601",
        "-1",
        "",
        "1.5",
        "sixty",
        "99999999999999999999999",
    ] {
        assert_eq!(put(&[(ttl, bad)]), 400, "{bad:?}");
    }
    assert_eq!(put(&[(ttl, "60"), (ttl, "61")]), 400);
    assert_eq!(put(&[(ttl, "1")]), 200);
    assert_eq!(put(&[(ttl, "21600")]), 200);
}

#[test]
fn a_proxy_gets_no_token() {
    let service = Service::new();
    let ttl = (TTL, "60");
    let forwarded = ("X-Forwarded-For", "10.0.0.1");
    assert_eq!(service.status("PUT", TOKEN_PATH, &[ttl, forwarded]), 403);
}

#[test]
fn a_closed_endpoint_answers_nothing() {
    let mut service = Service::new();
    let token = service.token("60");
    service.metadata.options.http_endpoint_enabled = false;
    assert_eq!(service.status("GET", ID, &[(TOKEN, &token)]), 403);
    assert_eq!(service.status("PUT", TOKEN_PATH, &[(TTL, "60")]), 403);
}

#[test]
fn other_methods_and_paths_are_refused() {
    let service = Service::new();
    let token = service.token("60");
    let with_token = [(TOKEN, token.as_str())];
    for method in ["POST", "DELETE", "OPTIONS", "PATCH", "X"] {
        assert_eq!(service.status(method, ID, &with_token), 405, "{method}");
    }
    assert_eq!(service.status("PUT", ID, &with_token), 405);
    let answer = service.ask("GET", TOKEN_PATH, &with_token);
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()[ALLOW]),
        (405, &"PUT".parse().unwrap())
    );
    let answer = service.ask("GET", "/latest/nonsense", &with_token);
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.headers()[CONTENT_TYPE], "text/html");
    assert!(String::from_utf8_lossy(answer.body()).contains("<title>404 - Not Found</title>"));
}

#[test]
fn user_data_is_bytes() {
    let service = Service::new();
    let token = service.token("60");
    let answer = service.ask("GET", "/latest/user-data", &[(TOKEN, &token)]);
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/octet-stream");
    assert_eq!(answer.body(), &[0, 0xff, b'\n']);
}
