//! The listening server.

use crate::{
    address::{Address, BindError, Listener},
    connection,
    registry::{Exports, Place},
    socket::Socket,
};
use std::{
    io,
    os::fd::OwnedFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// How long to wait for a descriptor or a thread to become free before trying again.
const RETRY_ACCEPT: Duration = Duration::from_secs(1);

/// What may be set about a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a shutdown waits for a client to take its replies before it cuts the connection.
    pub drain_grace: Duration,
    /// How long a client that negotiates may keep silent.
    pub handshake_timeout: Duration,
    /// Clients at a time. More are hung up on.
    pub max_connections: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            drain_grace: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(30),
            max_connections: 256,
        }
    }
}

/// An NBD server: listens, and serves every client by threads of its own. Dropping it is [`shutdown`](Self::shutdown).
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    listener: Listener,
    exports: Exports,
    settings: Settings,
    stopping: AtomicBool,
}

impl Server {
    /// Listens, with the default settings and no exports.
    ///
    /// At the path of a Unix socket, a socket that a dead server has left is replaced in one step;
    /// a living server's socket and any other file are left alone.
    pub fn bind(address: Address) -> Result<Self, BindError> {
        Self::bind_with(address, Settings::default())
    }

    /// Listens, with no exports.
    pub fn bind_with(address: Address, settings: Settings) -> Result<Self, BindError> {
        let listener = Listener::bind(address.clone())?;
        let exports = Exports::new(settings.max_connections);
        let shared = Arc::new(Shared {
            listener,
            exports,
            settings,
            stopping: AtomicBool::new(false),
        });
        let acceptor = Arc::clone(&shared);
        let accepting = thread::Builder::new()
            .name("nbd-accept".to_owned())
            .spawn(move || acceptor.accept_until_stopped())
            .map_err(|source| BindError::Io { address, source })?;
        Ok(Self {
            shared,
            accepting: Some(accepting),
        })
    }

    /// The exports, to be added to and removed from at any time.
    #[must_use]
    pub fn exports(&self) -> &Exports {
        &self.shared.exports
    }

    /// Where the server listens: with the port that was given, where port 0 was asked for.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.shared.listener.address
    }

    /// Stops accepting, answers the requests that were received, closes the connections and removes
    /// the socket's file. When this returns, no device is in use any more.
    pub fn shutdown(self) {
        drop(self);
    }

    fn stop_accepting(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        if let Err(error) = self.shared.listener.unlink() {
            tracing::debug!(%error, "remove the socket's file");
        }
        match self.shared.listener.stop() {
            Ok(()) => {}
            // Without it the thread would not end, and a join would wait for ever.
            Err(error) => {
                tracing::error!(%error, "stop accepting");
                return;
            }
        }
        if self
            .accepting
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!("the accepting thread panicked");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        // Closing first: an accepting thread that waits for a descriptor wakes up.
        self.shared.exports.refuse_newcomers();
        self.stop_accepting();
        self.shared.exports.close(self.shared.settings.drain_grace);
    }
}

impl Shared {
    fn accept_until_stopped(self: &Arc<Self>) {
        while !self.is_stopping() {
            match self.listener.accept() {
                Ok(client) => self.welcome(client),
                Err(_) if self.is_stopping() => return,
                // A client that was gone before it was accepted.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::warn!(%error, "accept a client");
                    self.exports.wait_for_change(RETRY_ACCEPT);
                }
            }
        }
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Gives a client a thread. One that cannot be served is hung up on.
    fn welcome(self: &Arc<Self>, client: OwnedFd) {
        let Some(place) = self.exports.admit(Arc::new(Socket::new(client))) else {
            tracing::warn!("hang up on a client: too many connections");
            return;
        };
        let shared = Arc::clone(self);
        let started = thread::Builder::new()
            .name("nbd-reader".to_owned())
            .spawn(move || shared.serve(&place));
        if let Err(error) = started {
            tracing::warn!(%error, "start a thread for a client");
        }
    }

    fn serve(&self, place: &Place) {
        tracing::debug!(connection = place.id, "client connected");
        match connection::serve(place, &self.exports, self.settings.handshake_timeout) {
            Ok(()) => tracing::debug!(connection = place.id, "client disconnected"),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::info!(connection = place.id, %error, cause, "connection ended");
            }
        }
    }
}
