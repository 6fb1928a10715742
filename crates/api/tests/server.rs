//! The server over real sockets: connections, slow and rude clients, and its end.

#![allow(clippy::unwrap_used)]

mod support;

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use cairn_api::Api;
use cairn_model::{Clock, Entropy, Timestamp};
use http::{Method, Request};
use support::{Server, form, post, query, rest};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

struct Listening {
    server: Server,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

async fn listening() -> Listening {
    let server = Server::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let api = server.api.clone();
    let serving = tokio::spawn(async move {
        api.serve(listener, async move {
            stopped.await.unwrap();
        })
        .await
    });
    Listening {
        server,
        address,
        stop,
        serving,
    }
}

impl Listening {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

/// A request as it goes over the wire.
fn written(request: &Request<Bytes>) -> Vec<u8> {
    let target = request.uri().path_and_query().unwrap();
    let mut out = format!("{} {target} HTTP/1.1\r\n", request.method());
    for (name, value) in request.headers() {
        out.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    out.push_str(&format!("content-length: {}\r\n\r\n", request.body().len()));
    let mut out = out.into_bytes();
    out.extend_from_slice(request.body());
    out
}

/// Reads one answer with its body.
async fn read_answer(stream: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&heard).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return text;
            }
        }
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.unwrap();
        assert_ne!(count, 0, "the connection ended after {text:?}");
        heard.extend_from_slice(&buffer[..count]);
    }
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let listening = listening().await;
    let mut stream = listening.connect().await;
    for action in ["DescribeRegions", "DescribeVpcs", "LaunchRocket"] {
        stream
            .write_all(&written(
                &listening.server.signed("ec2", query(action, &[])),
            ))
            .await
            .unwrap();
        let answer = read_answer(&mut stream).await;
        let status = if action == "LaunchRocket" {
            "400 Bad Request"
        } else {
            "200 OK"
        };
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{answer}"
        );
        assert!(answer.contains("x-amzn-requestid: "), "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_answered() {
    let listening = listening().await;
    let mut stream = listening.connect().await;
    let form = format!("{}&A={}", form("DescribeRegions", &[]), "a".repeat(3 << 20));
    stream
        .write_all(&written(&listening.server.signed("ec2", post(&form))))
        .await
        .unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(
        answer.contains("<Code>RequestEntityTooLarge</Code>"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_body_that_is_much_too_long_is_answered_too() {
    let listening = listening().await;
    let mut stream = listening.connect().await;
    let length = 64 << 20;
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'a'; length]).await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn who_asks_first_need_not_send_a_body_that_is_too_long() {
    let listening = listening().await;
    let mut stream = listening.connect().await;
    let asked = |length: usize| {
        format!(
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    stream.write_all(asked(6).as_bytes()).await.unwrap();
    let consent = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut heard = vec![0; consent.len()];
    stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(heard, consent);
    stream.write_all(b"Action").await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    stream.write_all(asked(2 << 20).as_bytes()).await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_head_that_does_not_arrive_ends_the_connection() {
    let listening = listening().await;
    let mut stream = listening.connect().await;
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: a\r\n")
        .await
        .unwrap();
    tokio::time::pause();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_answered() {
    let listening = listening().await;
    let mut stream = listening.connect().await;
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nAction=")
        .await
        .unwrap();
    tokio::time::pause();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("<Code>RequestTimeout</Code>"), "{answer}");
}

#[tokio::test]
async fn what_is_not_http_ends_the_connection_and_nothing_else() {
    let listening = listening().await;
    let mut rude = listening.connect().await;
    rude.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
        .await
        .unwrap();
    let mut rest = Vec::new();
    rude.read_to_end(&mut rest).await.unwrap();
    let mut polite = listening.connect().await;
    polite
        .write_all(&written(
            &listening
                .server
                .signed("ec2", query("DescribeRegions", &[])),
        ))
        .await
        .unwrap();
    assert!(
        read_answer(&mut polite)
            .await
            .starts_with("HTTP/1.1 200 OK")
    );
}

#[tokio::test]
async fn the_server_ends_when_it_is_told_to() {
    let listening = listening().await;
    let mut idle = listening.connect().await;
    idle.write_all(&written(
        &listening
            .server
            .signed("ec2", query("DescribeRegions", &[])),
    ))
    .await
    .unwrap();
    read_answer(&mut idle).await;
    listening.stop.send(()).unwrap();
    listening.serving.await.unwrap().unwrap();
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0);
    TcpStream::connect(listening.address).await.unwrap_err();
}

#[derive(Debug)]
struct BrokenClock;

impl Clock for BrokenClock {
    fn now(&self) -> Timestamp {
        panic!("the clock broke")
    }
}

#[derive(Debug)]
struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

#[tokio::test]
async fn a_panic_is_an_answer() {
    let mut server = Server::start().await;
    server.api = Api::new(
        server.control.clone(),
        Arc::new(BrokenClock),
        Arc::new(NoEntropy),
    );
    let heard = server.call("ec2", query("DescribeRegions", &[])).await;
    heard.expect_error(500, "InternalError");
    assert_eq!(heard.request_id(), "00000000-0000-0000-0000-000000000000");
    assert!(!heard.text().contains("clock"), "{}", heard.text());
    let heard = server
        .call(
            "ebs",
            rest(Method::GET, "/snapshots/snap-12345678/blocks", &[], b""),
        )
        .await;
    heard.expect_exception(500, "InternalServerException", None);
    server
        .call("sts", post("Action=GetCallerIdentity&Version=2011-06-15"))
        .await
        .expect_error(500, "InternalError");
}
