//! The service on a real socket, with clients that behave and clients that do not.

use std::sync::Mutex;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::sample;
use super::*;

const ID: &str = "i-0123456789abcdef0";

struct Source(Mutex<Option<InstanceMetadata>>);

impl MetadataSource for Source {
    fn metadata<'a>(&'a self, _instance_id: &'a str) -> SourceFuture<'a> {
        let metadata = self.0.lock().unwrap().clone();
        Box::pin(async move { metadata })
    }
}

struct Lab {
    dir: tempfile::TempDir,
    source: Arc<Source>,
    _service: MetadataService,
}

impl Lab {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let source = Arc::new(Source(Mutex::new(Some(sample::metadata()))));
        let service = serve(&dir.path().join("m.sock"), &source);
        Self {
            dir,
            source,
            _service: service,
        }
    }

    async fn connect(&self) -> UnixStream {
        UnixStream::connect(self.dir.path().join("m.sock"))
            .await
            .unwrap()
    }

    /// Sends bytes, ends the sending half, and returns everything that comes.
    async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // It may hang up before it has taken everything.
        let _taken = stream.write_all(bytes).await.is_ok();
        let _ended = stream.shutdown().await.is_ok();
        let mut answer = Vec::new();
        let _whole = stream.read_to_end(&mut answer).await.is_ok();
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn token(&self) -> String {
        let answer = self
            .exchange(b"PUT /latest/api/token HTTP/1.0\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n")
            .await;
        answer.rsplit("\r\n").next().unwrap().to_owned()
    }
}

fn serve(socket: &Path, source: &Arc<Source>) -> MetadataService {
    let clock: Clock = Arc::new(|| Duration::from_secs(1_800_000_000));
    let source: Arc<dyn MetadataSource> = Arc::clone(source) as _;
    MetadataService::bind(socket, ID, source, TokenKey::new(&[3; 32]), clock).unwrap()
}

fn get(path: &str, token: &str) -> Vec<u8> {
    let head =
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token: {token}\r\n\r\n");
    head.into_bytes()
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let lab = Lab::new();
    let token = lab.token().await;
    let requests = [
        get("/latest/meta-data/mac", &token),
        get("/latest/meta-data/ami-id", &token),
    ];
    let answers = lab.exchange(&requests.concat()).await;
    assert_eq!(
        answers.matches("HTTP/1.1 200 OK\r\n").count(),
        2,
        "{answers}"
    );
    assert!(answers.contains("\r\n\r\n02:00:17:2a:00:0f"), "{answers}");
    assert!(
        answers.ends_with("\r\n\r\nami-0123456789abcdef0"),
        "{answers}"
    );
    assert!(answers.contains("server: EC2ws\r\n"));
}

#[tokio::test]
async fn head_has_the_length_and_no_body() {
    let lab = Lab::new();
    let token = lab.token().await;
    let request = get("/latest/meta-data/mac", &token);
    let request = [b"HEAD", &request[3..]].concat();
    let answer = lab.exchange(&request).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(
        answer.contains("content-length: 17\r\n") && answer.ends_with("\r\n\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_token_outlives_the_service_and_not_the_instance() {
    let mut lab = Lab::new();
    let token = lab.token().await;
    lab._service = serve(&lab.dir.path().join("m.sock"), &lab.source);
    let request = get("/latest/meta-data/mac", &token);
    assert!(lab.exchange(&request).await.starts_with("HTTP/1.1 200"));
    *lab.source.0.lock().unwrap() = None;
    assert!(lab.exchange(&request).await.starts_with("HTTP/1.1 503"));
}

#[tokio::test]
async fn the_socket_is_closed_to_others() {
    let lab = Lab::new();
    let mode = fs::metadata(lab.dir.path().join("m.sock"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn hostile_requests_are_refused_and_the_next_is_served() {
    let lab = Lab::new();
    let token = lab.token().await;
    let long_path = get(&"/x".repeat(HEAD_MAX), &token);
    let long_header = get("/", &"t".repeat(HEAD_MAX));
    let many_headers = [
        b"GET / HTTP/1.1\r\n".to_vec(),
        b"a: b\r\n".repeat(HEADERS_MAX + 1),
        b"\r\n".to_vec(),
    ]
    .concat();
    let endless = vec![b'x'; 8 << 20];
    for hostile in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\xff\xfe GET / HTTP/1.1\r\n\r\n",
        &long_path,
        &long_header,
        &many_headers,
        &endless,
        b"",
        b"PUT /latest/api/token HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
    ] {
        let answer = lab.exchange(hostile).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{answer}"
        );
        let served = lab.exchange(&get("/latest/meta-data/mac", &token)).await;
        assert!(served.starts_with("HTTP/1.1 200"), "{served}");
    }
    let whole = get("/latest/meta-data/mac", &token);
    for length in 0..whole.len() {
        let answer = lab.exchange(&whole[..length]).await;
        assert!(!answer.starts_with("HTTP/1.1 200"), "{length}: {answer}");
    }
}

#[tokio::test]
async fn a_guest_that_hoards_connections_harms_only_itself_and_recovers() {
    let lab = Lab::new();
    let token = lab.token().await;
    let mut hoard = Vec::new();
    for _ in 0..CONNECTIONS_MAX + 8 {
        hoard.push(lab.connect().await);
    }
    drop(hoard);
    let served = lab.exchange(&get("/latest/meta-data/mac", &token)).await;
    assert!(served.starts_with("HTTP/1.1 200"), "{served}");
}
