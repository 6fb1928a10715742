//! A client for the QEMU Machine Protocol: JSON, one object a line, over a
//! unix socket (QEMU's docs/interop/qmp-spec).
//!
//! One task owns the connection. It writes commands in the order they come,
//! matches answers to them by id, and hands events to whoever listens.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

/// The longest line taken from QEMU, in bytes. The longest answer that we ask
/// for is a list of devices, a few kilobytes.
const LINE_MAX: usize = 4 << 20;

/// Commands that wait to be written.
const QUEUE: usize = 16;

/// Why a monitor command has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QmpError {
    /// The socket could not be reached.
    #[error("connect to the monitor: {0}")]
    Connect(#[source] io::Error),
    /// What came is not QMP.
    #[error("the monitor does not speak QMP: {0}")]
    Protocol(String),
    /// The connection ended.
    #[error("the monitor connection is closed")]
    Closed,
    /// No answer came in time.
    #[error("no answer to {command} within {seconds} s")]
    Timeout {
        /// The command.
        command: String,
        /// The time allowed.
        seconds: u64,
    },
    /// QEMU refused the command.
    #[error("{command} was refused: {description}")]
    Refused {
        /// The command.
        command: String,
        /// QEMU's error class, such as `GenericError` or `DeviceNotFound`.
        class: String,
        /// QEMU's words.
        description: String,
    },
}

/// An event, by QEMU's name for it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct QmpEvent {
    #[serde(rename = "event")]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) data: Value,
}

/// A connection to one machine's monitor. It closes when this is dropped.
#[derive(Debug)]
pub(crate) struct Qmp {
    commands: mpsc::Sender<Command>,
    closed: watch::Receiver<bool>,
    command_timeout: Duration,
}

#[derive(Debug)]
struct Command {
    execute: String,
    arguments: Value,
    answer: oneshot::Sender<Result<Value, QmpError>>,
}

/// Whatever QEMU sends: a greeting, an event, an answer or a refusal.
#[derive(Debug, Deserialize)]
struct Message {
    #[serde(rename = "QMP")]
    greeting: Option<Value>,
    #[serde(flatten)]
    event: Option<QmpEvent>,
    id: Option<u64>,
    #[serde(rename = "return")]
    value: Option<Value>,
    error: Option<Refusal>,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    class: String,
    desc: String,
}

impl Qmp {
    /// Connects, and leaves capability negotiation behind. Every event after
    /// that goes to `on_event`, in order, before the connection counts as closed.
    pub(crate) async fn connect(
        socket: &Path,
        command_timeout: Duration,
        on_event: impl Fn(QmpEvent) + Send + 'static,
    ) -> Result<Self, QmpError> {
        let stream = UnixStream::connect(socket)
            .await
            .map_err(QmpError::Connect)?;
        let (reader, writer) = stream.into_split();
        let mut lines = Lines::new(reader);
        let greeting = timeout(command_timeout, lines.next()).await;
        expect_greeting(greeting.map_err(|_| timed_out("greeting", command_timeout))?)?;

        let (commands, queue) = mpsc::channel(QUEUE);
        let (closing, closed) = watch::channel(false);
        let connection = Connection {
            lines,
            writer,
            on_event,
            waiting: HashMap::new(),
            next_id: 0,
        };
        tokio::spawn(connection.run(queue, closing));
        let qmp = Self {
            commands,
            closed,
            command_timeout,
        };
        qmp.execute("qmp_capabilities", json!({})).await?;
        Ok(qmp)
    }

    /// Executes a command and returns what it returns.
    pub(crate) async fn execute(&self, command: &str, arguments: Value) -> Result<Value, QmpError> {
        let (answer, answered) = oneshot::channel();
        let request = Command {
            execute: command.to_owned(),
            arguments,
            answer,
        };
        let exchange = async {
            self.commands
                .send(request)
                .await
                .map_err(|_| QmpError::Closed)?;
            answered.await.map_err(|_| QmpError::Closed)?
        };
        timeout(self.command_timeout, exchange)
            .await
            .map_err(|_| timed_out(command, self.command_timeout))?
    }

    /// Returns once the connection has ended and its last event was handed over.
    pub(crate) async fn closed(&self) {
        let mut closed = self.closed.clone();
        // An error says that the sender, which is the connection, is gone.
        let _ended = closed.wait_for(|closed| *closed).await.is_ok();
    }
}

fn timed_out(command: &str, limit: Duration) -> QmpError {
    QmpError::Timeout {
        command: command.to_owned(),
        seconds: limit.as_secs(),
    }
}

fn expect_greeting(line: Result<Vec<u8>, QmpError>) -> Result<(), QmpError> {
    match parse(&line?)?.greeting {
        Some(_) => Ok(()),
        None => Err(QmpError::Protocol("no greeting".to_owned())),
    }
}

fn parse(line: &[u8]) -> Result<Message, QmpError> {
    serde_json::from_slice(line).map_err(|error| QmpError::Protocol(error.to_string()))
}

/// The owner of the connection, and its one loop.
struct Connection<F> {
    lines: Lines,
    writer: OwnedWriteHalf,
    on_event: F,
    waiting: HashMap<u64, (String, oneshot::Sender<Result<Value, QmpError>>)>,
    next_id: u64,
}

impl<F: Fn(QmpEvent) + Send> Connection<F> {
    async fn run(mut self, mut queue: mpsc::Receiver<Command>, closing: watch::Sender<bool>) {
        if let Err(error) = self.serve(&mut queue).await {
            tracing::debug!(%error, "the monitor connection ended");
        }
        closing.send_replace(true);
    }

    async fn serve(&mut self, queue: &mut mpsc::Receiver<Command>) -> Result<(), QmpError> {
        loop {
            tokio::select! {
                command = queue.recv() => match command {
                    Some(command) => self.send(command).await?,
                    None => return Ok(()),
                },
                line = self.lines.next() => self.receive(&line?)?,
            }
        }
    }

    async fn send(&mut self, command: Command) -> Result<(), QmpError> {
        let id = self.next_id;
        self.next_id += 1;
        let mut line = json!({
            "execute": command.execute, "arguments": command.arguments, "id": id,
        })
        .to_string();
        line.push('\n');
        self.waiting.retain(|_, (_, answer)| !answer.is_closed());
        self.waiting.insert(id, (command.execute, command.answer));
        self.writer
            .write_all(line.as_bytes())
            .await
            .map_err(|_| QmpError::Closed)
    }

    fn receive(&mut self, line: &[u8]) -> Result<(), QmpError> {
        let message = parse(line)?;
        if let Some(event) = message.event {
            (self.on_event)(event);
            return Ok(());
        }
        let Some((command, answer)) = message.id.and_then(|id| self.waiting.remove(&id)) else {
            return Ok(());
        };
        let result = match message.error {
            Some(refusal) => Err(QmpError::Refused {
                command,
                class: refusal.class,
                description: refusal.desc,
            }),
            None => Ok(message.value.unwrap_or(Value::Null)),
        };
        // Whoever asked may have given up; then nobody wants the answer.
        let _wanted = answer.send(result).is_ok();
        Ok(())
    }
}

/// Lines of bounded length. Reading one may be abandoned and taken up again.
struct Lines {
    reader: BufReader<OwnedReadHalf>,
    partial: Vec<u8>,
}

impl Lines {
    fn new(reader: OwnedReadHalf) -> Self {
        Self {
            reader: BufReader::new(reader),
            partial: Vec::new(),
        }
    }

    async fn next(&mut self) -> Result<Vec<u8>, QmpError> {
        loop {
            let available = self.reader.fill_buf().await.map_err(|_| QmpError::Closed)?;
            if available.is_empty() {
                return Err(QmpError::Closed);
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(available.len(), |end| end + 1);
            self.partial.extend_from_slice(&available[..taken]);
            self.reader.consume(taken);
            if self.partial.len() > LINE_MAX {
                return Err(QmpError::Protocol(format!(
                    "a line of more than {LINE_MAX} bytes"
                )));
            }
            if end.is_some() {
                return Ok(std::mem::take(&mut self.partial));
            }
        }
    }
}

#[cfg(test)]
#[path = "qmp_tests.rs"]
mod tests;
