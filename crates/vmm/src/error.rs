//! What can go wrong with a machine.

use std::io;
use std::path::{Path, PathBuf};

use crate::qmp::QmpError;
use crate::spec::{Architecture, BootMode};

/// Why a machine could not be started, found or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MachineError {
    /// A program that runs the machine is not on this host.
    #[error("the program {program} was not found; install the package {package}")]
    MissingProgram {
        /// File name of the program.
        program: String,
        /// Debian's package that holds it.
        package: &'static str,
    },
    /// The firmware for this architecture is not on this host.
    #[error("the UEFI firmware for {architecture} was not found; install the package {package}")]
    MissingFirmware {
        /// The machine's architecture.
        architecture: Architecture,
        /// Debian's package that holds it.
        package: &'static str,
    },
    /// No such firmware exists for the architecture.
    #[error("a machine of architecture {architecture} cannot boot by {boot_mode}")]
    UnsupportedBoot {
        /// The machine's architecture.
        architecture: Architecture,
        /// The boot mode asked for.
        boot_mode: BootMode,
    },
    /// The machine's address shares too few leading bits with the metadata
    /// address for one user-mode network to hold both.
    #[error(
        "an instance at {private_ip} cannot reach the metadata service: choose a VPC inside \
         160.0.0.0/4, such as 172.31.0.0/16"
    )]
    UnsupportedNetwork {
        /// The private address asked for.
        private_ip: std::net::Ipv4Addr,
    },
    /// A value in the specification is not of its form.
    #[error("the machine's specification is not valid: {reason}")]
    InvalidSpec {
        /// Which value, and what is wrong with it.
        reason: String,
    },
    /// A unix socket's path would not fit its address.
    #[error("the socket path {} is longer than {} bytes", path.display(), crate::SOCKET_PATH_MAX)]
    SocketPathTooLong {
        /// The path.
        path: PathBuf,
    },
    /// The directory for sockets belongs to somebody else, or is open to others.
    #[error("the directory {} is not private: {reason}", path.display())]
    RuntimeDirNotPrivate {
        /// The directory.
        path: PathBuf,
        /// What was found.
        reason: &'static str,
    },
    /// The machine is running already.
    #[error("the machine {id} is already running")]
    AlreadyRunning {
        /// The instance.
        id: String,
    },
    /// QEMU refused to start.
    #[error("QEMU did not start: {message}")]
    Start {
        /// What QEMU said last.
        message: String,
    },
    /// QEMU did not finish its start in time.
    #[error("QEMU did not finish starting within {seconds} s")]
    StartTimeout {
        /// The time allowed.
        seconds: u64,
    },
    /// The monitor connection failed or QEMU refused a command.
    #[error("the machine's monitor: {0}")]
    Qmp(#[from] QmpError),
    /// Every place for a disk is taken.
    #[error("all {slots} disk slots are in use")]
    NoFreeSlot {
        /// How many there are.
        slots: usize,
    },
    /// The disk is attached already.
    #[error("{volume_id} is already attached")]
    DiskAlreadyAttached {
        /// The volume.
        volume_id: String,
    },
    /// The disk was cut off, and the guest has its dead device still.
    #[error("the guest has not released the device that {volume_id} had")]
    DiskNotReleased {
        /// The volume.
        volume_id: String,
    },
    /// The disk is not attached.
    #[error("{volume_id} is not attached")]
    DiskNotAttached {
        /// The volume.
        volume_id: String,
    },
    /// The guest has not let go of the disk in time; it may still do so.
    #[error("the guest has not released {volume_id}")]
    DetachTimeout {
        /// The volume.
        volume_id: String,
    },
    /// A file operation failed.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb phrase.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A record in the machine's directory cannot be read.
    #[error("read the record {}: {source}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: serde_json::Error,
    },
}

impl MachineError {
    /// Returns a function that puts the action and the path around an I/O error.
    pub(crate) fn io<'a>(
        action: &'static str,
        path: &'a Path,
    ) -> impl FnOnce(io::Error) -> Self + use<'a> {
        move |source| Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }
}
