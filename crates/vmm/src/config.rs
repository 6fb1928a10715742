//! Settings that hold for every machine of a server.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Which accelerator to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AcceleratorChoice {
    /// KVM if a small payload really runs under it, otherwise emulation.
    Auto,
    /// KVM, untested.
    Kvm,
    /// Emulation.
    Tcg,
}

/// What a guest may reach besides its own metadata service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Egress {
    /// Nothing. SSH from the host comes in through the forwarded port.
    Isolated,
    /// Whatever the server's user can reach, the host's loopback services (at
    /// the guest's gateway address) and link-local addresses included. Port 80
    /// of the metadata address always stays the guest's own service. Only for
    /// guests that are trusted as much as a program on the host.
    Open,
}

/// Settings that hold for every machine of a server.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the QEMU programs are; `None` searches `PATH`.
    pub qemu_dir: Option<PathBuf>,
    /// The command that connects its standard input and output to a unix
    /// socket ([`crate::metadata::link`]); the socket's path is appended.
    /// QEMU runs it once for each connection to the metadata service.
    pub metadata_link: Vec<String>,
    /// Which accelerator [`crate::probe_accelerator`] chooses.
    pub accelerator: AcceleratorChoice,
    /// What guests may reach.
    pub egress: Egress,
    /// How long a guest's disk request waits for a server that is gone.
    pub disk_reconnect: Duration,
    /// How long the start waits for a disk's server to listen.
    pub disk_open: Duration,
    /// How long QEMU may take to start, disks included.
    pub start_timeout: Duration,
    /// How long one monitor command may take.
    pub command_timeout: Duration,
    /// How long a guest may take to let go of a disk.
    pub detach_timeout: Duration,
}

impl Config {
    /// Returns the defaults around a link command: an isolated network, a
    /// probed accelerator, and disks that wait ten years for their server.
    #[must_use]
    pub fn new(metadata_link: Vec<String>) -> Self {
        Self {
            qemu_dir: None,
            metadata_link,
            accelerator: AcceleratorChoice::Auto,
            egress: Egress::Isolated,
            disk_reconnect: Duration::from_secs(10 * 365 * 24 * 3600),
            disk_open: Duration::from_secs(10),
            start_timeout: Duration::from_secs(60),
            command_timeout: Duration::from_secs(20),
            detach_timeout: Duration::from_secs(60),
        }
    }
}
