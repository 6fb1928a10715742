//! The NBD protocol over any block device.
//!
//! Source: <https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md>. This room has no
//! knowledge of volumes: it serves whatever implements [`BlockDevice`].
//!
//! ```no_run
//! use cairn_nbd::{Address, Server, devices::MemoryDevice};
//! use std::sync::Arc;
//!
//! let server = Server::bind(Address::unix("/run/volume.sock"))?;
//! server.exports().insert("", Arc::new(MemoryDevice::new(1 << 30)))?;
//! // Clients come and go. Then:
//! server.shutdown();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

/// Where to listen, and taking over the name of a dead server's socket.
mod address;
/// One connection in transmission: read a batch, execute it, send one batch.
mod connection;
/// What the server needs of a block device.
pub mod device;
/// Devices for tests, benchmarks and examples.
pub mod devices;
/// Doors for the fuzz targets.
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
/// From the greeting to an export: fixed newstyle negotiation.
mod handshake;
/// Bytes that came from the client and are not yet executed.
mod inbox;
/// Devices that do no more in a second than they are told to.
mod limit;
/// Requests that are in order, and what to do for them.
mod operation;
/// Numbers and layouts of the wire.
mod proto;
/// Exports, the connections that use them, and how both end.
mod registry;
/// Replies as bytes, and their way to the client.
mod reply;
/// The listening server.
mod server;
/// A connected stream socket.
mod socket;
/// The threads of a connection that may wait.
mod workers;

pub use address::{Address, BindError};
pub use device::{BlockDevice, Extent, Outcome, Wait};
pub use limit::{Limit, Limited, Limiter, Now, Unit};
pub use proto::{MAX_NAME, MAX_PAYLOAD};
pub use registry::{ExportError, Exports};
pub use server::{Server, Settings};
