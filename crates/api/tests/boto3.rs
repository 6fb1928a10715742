//! boto3, unmodified, against the server: what `tests/oracle/live.py` asks of it.
//!
//! Where boto3 is not there this says so and passes; `CAIRN_REQUIRE_TOOLS=1` makes it fail then.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod support;

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use cairn_api::Api;
use cairn_model::{Clock, Entropy, Timestamp};
use tokio::{net::TcpListener, process::Command};

/// How many tests `live.py` holds: a run that finds none must not pass.
const LIVE_TESTS: usize = 11;

/// The time: boto3 signs with it.
#[derive(Debug)]
struct RealClock;

impl Clock for RealClock {
    #[allow(clippy::disallowed_methods, reason = "a real client takes part")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        Timestamp(i64::try_from(since.as_micros()).unwrap())
    }
}

/// Numbers that differ; nobody here has to be kept from foreseeing them.
#[derive(Debug)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            chunk.copy_from_slice(&number.to_be_bytes()[..chunk.len()]);
        }
    }
}

async fn boto3_is_there() -> bool {
    let import = Command::new("python3")
        .args(["-c", "import boto3"])
        .stderr(Stdio::null())
        .status()
        .await;
    let there = import.is_ok_and(|status| status.success());
    if !there {
        assert!(
            std::env::var_os("CAIRN_REQUIRE_TOOLS").is_none_or(|v| v != "1"),
            "boto3 is required"
        );
        println!("SKIPPED: python3 with boto3 is not there");
    }
    there
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_is_served() {
    if !boto3_is_there().await {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(RealClock);
    let entropy: Arc<dyn Entropy> = Arc::new(Counting(AtomicU64::new(1)));
    let control = support::open(directory.path(), Arc::clone(&clock), Arc::clone(&entropy)).await;
    let account = control.create_account(None).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let api = Api::new(control, clock, entropy);
    let serving = tokio::spawn(async move { api.serve(listener, std::future::pending()).await });
    let output = Command::new("python3")
        .args(["-m", "unittest", "-v", "live"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/oracle"))
        .env("AWS_ENDPOINT_URL", &endpoint)
        .env("AWS_ACCESS_KEY_ID", &account.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &account.secret_access_key)
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}");
    assert!(
        report.contains(&format!("Ran {LIVE_TESTS} tests")),
        "{report}"
    );
    assert!(!serving.is_finished());
}
