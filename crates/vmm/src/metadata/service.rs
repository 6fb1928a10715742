//! The metadata service of one instance, on its unix socket.

use std::convert::Infallible;
use std::fs;
use std::future::Future;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::data::InstanceMetadata;
use super::respond::{Request, refuse, respond};
use super::token::TokenKey;
use crate::error::MachineError;
use crate::runtime::check_socket_path;

/// The longest head of a request, in bytes.
const HEAD_MAX: usize = 16 << 10;

/// The most header lines in a request.
const HEADERS_MAX: usize = 64;

/// How long a connection may stay without a whole request.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// The most connections of one guest that are served at once; more wait.
const CONNECTIONS_MAX: usize = 32;

/// Tells the time since the Unix epoch.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// What [`MetadataSource::metadata`] returns.
pub type SourceFuture<'a> = Pin<Box<dyn Future<Output = Option<InstanceMetadata>> + Send + 'a>>;

/// Where the service learns what to tell. It is asked once for each request, so
/// that changes of tags and options count at once.
pub trait MetadataSource: Send + Sync + 'static {
    /// Returns what there is to tell about an instance; `None` if that cannot be told now, or the
    /// instance does not exist.
    fn metadata<'a>(&'a self, instance_id: &'a str) -> SourceFuture<'a>;
}

/// The metadata service of one instance. It ends when this is dropped.
#[derive(Debug)]
pub struct MetadataService {
    _tasks: JoinSet<()>,
}

struct Instance {
    id: String,
    source: Arc<dyn MetadataSource>,
    key: TokenKey,
    clock: Clock,
}

impl MetadataService {
    /// Starts to answer on a unix socket, in place of whoever listened there
    /// before. The socket appears under its name only once it is listening.
    ///
    /// # Errors
    /// [`MachineError::SocketPathTooLong`], or [`MachineError::Io`] if the
    /// socket cannot be made.
    pub fn bind(
        socket: &Path,
        instance_id: &str,
        source: Arc<dyn MetadataSource>,
        key: TokenKey,
        clock: Clock,
    ) -> Result<Self, MachineError> {
        let listener = listen(socket)?;
        let id = instance_id.to_owned();
        let instance = Arc::new(Instance {
            id,
            source,
            key,
            clock,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, instance));
        Ok(Self { _tasks: tasks })
    }
}

/// Makes a listening socket that only this user can reach.
fn listen(socket: &Path) -> Result<UnixListener, MachineError> {
    let temporary = socket.with_extension("new");
    check_socket_path(&temporary)?;
    crate::layout::remove_file(&temporary)?;
    let listener = UnixListener::bind(&temporary);
    let listener = listener.map_err(MachineError::io("listen on", &temporary))?;
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o600))
        .and_then(|()| fs::rename(&temporary, socket))
        .map_err(MachineError::io("listen on", socket))?;
    Ok(listener)
}

async fn accept(listener: UnixListener, instance: Arc<Instance>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let instance = Arc::clone(&instance);
                connections.spawn(async move {
                    serve(stream, &instance).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "accept a metadata connection");
                pause().await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "out of descriptors, most likely; nothing tells when one is free again"
)]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(200)).await;
}

async fn serve(stream: UnixStream, instance: &Instance) {
    let service = service_fn(|request: hyper::Request<Incoming>| async move {
        Ok::<_, Infallible>(instance.answer(&request).await)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_MAX)
        .max_buf_size(HEAD_MAX)
        .max_headers(HEADERS_MAX)
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, instance = instance.id, "a metadata connection ended");
    }
}

impl Instance {
    async fn answer(&self, request: &hyper::Request<Incoming>) -> Response<Full<Bytes>> {
        let answer = match self.source.metadata(&self.id).await {
            Some(metadata) => {
                let request = Request {
                    method: request.method(),
                    path: request.uri().path(),
                    headers: request.headers(),
                };
                respond(request, &metadata, &self.key, (self.clock)())
            }
            // Not that there is nothing: a guest that asks while it boots has to ask again.
            None => refuse(StatusCode::SERVICE_UNAVAILABLE),
        };
        answer.map(|body| Full::new(Bytes::from(body)))
    }
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
