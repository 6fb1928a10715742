//! Sends signed requests of EC2 as fast as they are answered, and says how fast that was.
//!
//! `cargo run --release -p cairn-api --example describe_load -- ADDRESS CONNECTIONS SECONDS < FORMS` signs every line of
//! its input, a form such as `Action=DescribeSnapshots&Version=2016-11-15&SnapshotId.1=snap-…`, with the credentials in
//! `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, and then sends them over so many connections, one after the other
//! on each, in turns, for so long. The last line that it writes is JSON: requests a second, times in milliseconds, the
//! mean length of an answer. An answer other than 200 ends it with an error.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

use std::{
    io::BufRead as _,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use cairn_api::sigv4::{Credentials, Payload, sign};
use cairn_model::Timestamp;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

type Signed = Request<Full<Bytes>>;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let address: Arc<str> = arguments[0].as_str().into();
    let connections: usize = arguments[1].parse().unwrap();
    let time = Duration::from_secs_f64(arguments[2].parse().unwrap());
    let requests: Arc<[Signed]> = std::io::stdin()
        .lock()
        .lines()
        .map(|form| signed(&address, form.unwrap()))
        .collect();
    let began = Instant::now();
    let workers: Vec<_> = (0..connections)
        .map(|at| {
            let work = work(
                Arc::clone(&address),
                Arc::clone(&requests),
                at,
                connections,
                began + time,
            );
            tokio::spawn(work)
        })
        .collect();
    let (mut times, mut bytes) = (Vec::new(), 0);
    for worker in workers {
        let (some, length) = worker.await.unwrap();
        times.extend(some);
        bytes += length;
    }
    let elapsed = began.elapsed().as_secs_f64();
    times.sort_unstable();
    let millis = |share: f64| {
        let at = ((times.len() - 1) as f64 * share).round() as usize;
        times[at].as_secs_f64() * 1e3
    };
    println!(
        r#"{{"requests": {}, "per_second": {:.1}, "p50_ms": {:.4}, "p99_ms": {:.4}, "bytes": {}}}"#,
        times.len(),
        times.len() as f64 / elapsed,
        millis(0.5),
        millis(0.99),
        bytes / times.len(),
    );
}

fn signed(address: &str, form: String) -> Signed {
    let variable = |name| std::env::var(name).unwrap();
    let credentials = Credentials {
        access_key_id: variable("AWS_ACCESS_KEY_ID"),
        secret_access_key: variable("AWS_SECRET_ACCESS_KEY"),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = Timestamp(i64::try_from(now.as_micros()).unwrap());
    let request = Request::post("/").header("host", address).header(
        "content-type",
        "application/x-www-form-urlencoded; charset=utf-8",
    );
    let (mut head, ()) = request.body(()).unwrap().into_parts();
    let payload = Payload::Bytes(form.as_bytes());
    sign(&mut head, &payload, &credentials, "us-east-1", "ec2", now).unwrap();
    Request::from_parts(head, Full::new(Bytes::from(form)))
}

/// Sends every so manieth request until the time is over; at least one.
async fn work(
    address: Arc<str>,
    requests: Arc<[Signed]>,
    first: usize,
    step: usize,
    end: Instant,
) -> (Vec<Duration>, usize) {
    let mut sender = None;
    let (mut times, mut bytes) = (Vec::new(), 0);
    for request in requests.iter().cycle().skip(first).step_by(step) {
        // A server that closes its connections after each answer is spoken to anew, which is part of its time.
        let began = Instant::now();
        let mut open = match sender.take() {
            Some(open) => open,
            None => connect(&address).await,
        };
        let answer = open.send_request(request.clone()).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        times.push(began.elapsed());
        bytes += body.len();
        assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
        sender = open.ready().await.is_ok().then_some(open);
        if Instant::now() >= end {
            break;
        }
    }
    (times, bytes)
}

async fn connect(address: &str) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    // It ends with an error where the server closes it, which the next request then sees.
    tokio::spawn(async move { drop(connection.await) });
    sender
}
