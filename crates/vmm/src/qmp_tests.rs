//! The client against a server that follows a script.

use std::future::Future;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;

use super::*;

const GREETING: &str = r#"{"QMP": {"version": {"qemu": {"major": 7}}, "capabilities": []}}"#;
const LIMIT: Duration = Duration::from_secs(10);

struct Peer(BufReader<UnixStream>);

impl Peer {
    async fn say(&mut self, line: &str) {
        self.0
            .get_mut()
            .write_all(format!("{line}\r\n").as_bytes())
            .await
            .unwrap();
    }

    async fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Greets, and answers the negotiation.
    async fn open(&mut self) {
        self.say(GREETING).await;
        let negotiation = self.hear().await;
        assert_eq!(negotiation["execute"], "qmp_capabilities");
        self.say(&format!(
            r#"{{"return": {{}}, "id": {}}}"#,
            negotiation["id"]
        ))
        .await;
    }
}

/// Runs a script as the server, and returns the client's connection.
async fn connect<S: Future<Output = ()> + Send + 'static>(
    limit: Duration,
    script: impl FnOnce(Peer) -> S + Send + 'static,
) -> (Result<Qmp, QmpError>, Arc<Mutex<Vec<QmpEvent>>>) {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("qmp");
    let listener = UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        script(Peer(BufReader::new(stream))).await;
    });
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    let qmp = Qmp::connect(&socket, limit, move |event| {
        heard.lock().unwrap().push(event);
    })
    .await;
    (qmp, events)
}

#[tokio::test]
async fn answers_find_their_commands_in_any_order() {
    let (qmp, events) = connect(LIMIT, |mut peer| async move {
        peer.open().await;
        let (first, second) = (peer.hear().await, peer.hear().await);
        peer.say(r#"{"event": "RESET", "data": {"guest": true}, "timestamp": {"seconds": 1}}"#)
            .await;
        for command in [second, first] {
            peer.say(&format!(
                r#"{{"return": {}, "id": {}}}"#,
                command["execute"], command["id"]
            ))
            .await;
        }
        peer.0.read_u8().await.unwrap_err();
    })
    .await;
    let qmp = qmp.unwrap();
    let (a, b) = tokio::join!(
        qmp.execute("a", json!({})),
        qmp.execute("b", json!({"x": 1}))
    );
    assert_eq!((a.unwrap(), b.unwrap()), (json!("a"), json!("b")));
    let events = events.lock().unwrap();
    assert_eq!(
        *events,
        [QmpEvent {
            name: "RESET".to_owned(),
            data: json!({"guest": true})
        }]
    );
}

#[tokio::test]
async fn a_refusal_carries_class_and_words() {
    let (qmp, _) = connect(LIMIT, |mut peer| async move {
        peer.open().await;
        let id = peer.hear().await["id"].clone();
        let refusal =
            format!(r#"{{"error": {{"class": "DeviceNotFound", "desc": "no x"}}, "id": {id}}}"#);
        peer.say(&refusal).await;
        peer.0.read_u8().await.unwrap_err();
    })
    .await;
    match qmp
        .unwrap()
        .execute("device_del", json!({"id": "x"}))
        .await
        .unwrap_err()
    {
        QmpError::Refused {
            command,
            class,
            description,
        } => {
            assert_eq!(
                (&*command, &*class, &*description),
                ("device_del", "DeviceNotFound", "no x")
            );
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let (qmp, _) = connect(Duration::from_secs(1), |mut peer| async move {
        peer.open().await;
        // Takes everything and says nothing.
        let mut taken = Vec::new();
        peer.0.read_to_end(&mut taken).await.unwrap();
    })
    .await;
    let error = qmp
        .unwrap()
        .execute("query-status", json!({}))
        .await
        .unwrap_err();
    assert!(
        matches!(error, QmpError::Timeout { seconds: 1, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn commands_fail_when_the_connection_ends() {
    let (qmp, events) = connect(LIMIT, |mut peer| async move {
        peer.open().await;
        peer.hear().await;
        peer.say(r#"{"event": "SHUTDOWN", "data": {"guest": true}}"#)
            .await;
    })
    .await;
    let qmp = qmp.unwrap();
    let error = qmp.execute("quit", json!({})).await.unwrap_err();
    assert!(matches!(error, QmpError::Closed), "{error}");
    qmp.closed().await;
    assert_eq!(events.lock().unwrap().len(), 1, "the last event came first");
    let error = qmp.execute("query-status", json!({})).await.unwrap_err();
    assert!(matches!(error, QmpError::Closed), "{error}");
}

#[tokio::test]
async fn a_line_has_a_bounded_length() {
    let (qmp, _) = connect(LIMIT, |mut peer| async move {
        peer.open().await;
        peer.hear().await;
        let part = vec![b'x'; 1 << 20];
        // The client hangs up before the end of it.
        for _ in 0..64 {
            if peer.0.get_mut().write_all(&part).await.is_err() {
                return;
            }
        }
        panic!("64 MiB were taken");
    })
    .await;
    let error = qmp
        .unwrap()
        .execute("query-status", json!({}))
        .await
        .unwrap_err();
    assert!(matches!(error, QmpError::Closed), "{error}");
}

#[tokio::test]
async fn what_does_not_greet_is_not_a_monitor() {
    for first in ["HTTP/1.1 200 OK", r#"{"return": {}}"#] {
        let (qmp, _) = connect(LIMIT, move |mut peer| async move { peer.say(first).await }).await;
        let error = qmp.unwrap_err();
        assert!(matches!(error, QmpError::Protocol(_)), "{error}");
    }
}
