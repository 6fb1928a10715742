//! Where to listen, and taking over the name of a dead server's socket.

use rustix::{
    io::{Errno, retry_on_intr},
    net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType},
};
use std::{
    ffi::OsString,
    fmt, fs, io,
    net::{SocketAddr, TcpListener},
    os::{
        fd::OwnedFd,
        unix::{
            ffi::OsStrExt as _,
            fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
        },
    },
    path::{Path, PathBuf},
};

/// Longest path of a Unix socket, in bytes: `sun_path` of `unix(7)` has 108, one of them for a NUL.
const MAX_PATH: usize = 107;
/// Added to the path while the socket is being made.
const MAKING: &str = "~";
/// Clients that the kernel lets wait for `accept`.
const BACKLOG: i32 = 128;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A Unix socket at this path, for this user only (mode 0600). The path has at most 106 bytes.
    Unix(PathBuf),
    /// TCP on a loopback address. NBD without TLS authenticates nobody, so that no other address
    /// is accepted; port 0 takes a free one.
    Tcp(SocketAddr),
}

impl Address {
    /// A Unix socket at `path`.
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::Unix(path.into())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Tcp(address) => write!(f, "{address}"),
        }
    }
}

/// Why a server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// TCP is served on loopback only.
    #[error("{0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The path does not fit into a socket address.
    #[error("the path of a socket has at most 106 bytes, {path} has {len}")]
    PathTooLong {
        /// The path as given.
        path: PathBuf,
        /// Its length in bytes.
        len: usize,
    },
    /// There is a file of this name, and it is not a socket. It is left alone.
    #[error("{0} exists and is not a socket")]
    NotASocket(PathBuf),
    /// A living server listens there.
    #[error("a server listens on {0} already")]
    InUse(PathBuf),
    /// The system said no.
    #[error("listen on {address}")]
    Io {
        /// The address as given.
        address: Address,
        /// What the system said.
        source: io::Error,
    },
}

/// A listening socket.
#[derive(Debug)]
pub(crate) struct Listener {
    fd: OwnedFd,
    /// The address with the port that was given.
    pub(crate) address: Address,
    /// Device and inode of the socket's file, by which to know it again.
    file: Option<(u64, u64)>,
}

impl Listener {
    pub(crate) fn bind(address: Address) -> Result<Self, BindError> {
        match &address {
            Address::Unix(path) => bind_unix(path),
            Address::Tcp(ip) if !ip.ip().is_loopback() => Err(BindError::NotLoopback(*ip)),
            Address::Tcp(ip) => bind_tcp(*ip).map_err(|source| BindError::Io { address, source }),
        }
    }

    /// Waits for a client. Fails with `InvalidInput` after [`stop`](Self::stop).
    pub(crate) fn accept(&self) -> io::Result<OwnedFd> {
        let fd = retry_on_intr(|| net::accept_with(&self.fd, SocketFlags::CLOEXEC))?;
        if matches!(self.address, Address::Tcp(_)) {
            net::sockopt::set_tcp_nodelay(&fd, true)?;
        }
        Ok(fd)
    }

    /// Ends a wait in [`accept`](Self::accept), now and later.
    pub(crate) fn stop(&self) -> io::Result<()> {
        Ok(net::shutdown(&self.fd, net::Shutdown::Both)?)
    }

    /// Removes the socket's file, unless another server has put its own there.
    pub(crate) fn unlink(&self) -> io::Result<()> {
        let Address::Unix(path) = &self.address else {
            return Ok(());
        };
        if self.file == Some(identity(path)?) {
            fs::remove_file(path)?;
        }
        Ok(())
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<Listener> {
    let listener = TcpListener::bind(address)?;
    let address = Address::Tcp(listener.local_addr()?);
    Ok(Listener {
        fd: listener.into(),
        address,
        file: None,
    })
}

fn bind_unix(path: &Path) -> Result<Listener, BindError> {
    let len = path.as_os_str().as_bytes().len();
    if len + MAKING.len() > MAX_PATH {
        return Err(BindError::PathTooLong {
            path: path.to_owned(),
            len,
        });
    }
    let failed = |source| BindError::Io {
        address: Address::unix(path),
        source,
    };
    let making = with_suffix(path);
    check_free(path)?;
    check_free(&making)?;
    remove_stale(&making).map_err(failed)?;
    let listener = listen_at(&making).map_err(failed)?;
    let file = identity(&making).map_err(failed)?;
    // Clients see the old socket or the new one, never none.
    fs::rename(&making, path).map_err(failed)?;
    Ok(Listener {
        fd: listener,
        address: Address::unix(path),
        file: Some(file),
    })
}

/// Makes a socket that this user alone may connect to. Nobody can before it listens.
fn listen_at(path: &Path) -> io::Result<OwnedFd> {
    let fd = net::socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    net::bind(&fd, &SocketAddrUnix::new(path)?)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    net::listen(&fd, BACKLOG)?;
    Ok(fd)
}

/// A name may be taken when nothing is there, or a socket that nobody listens on.
fn check_free(path: &Path) -> Result<(), BindError> {
    let failed = |source| BindError::Io {
        address: Address::unix(path),
        source,
    };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(BindError::NotASocket(path.to_owned()));
        }
        Ok(_) => {}
    }
    match knock(path) {
        Ok(()) | Err(Errno::AGAIN) => Err(BindError::InUse(path.to_owned())),
        Err(Errno::CONNREFUSED | Errno::NOENT) => Ok(()),
        Err(error) => Err(failed(error.into())),
    }
}

/// Connects and leaves, without waiting: a server with many clients at its door says `EAGAIN`.
fn knock(path: &Path) -> Result<(), Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let fd = net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    net::connect(&fd, &SocketAddrUnix::new(path)?)
}

fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn with_suffix(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(MAKING);
    name.into()
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}
