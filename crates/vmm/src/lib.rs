//! One machine: starts it, watches it, stops it, and answers its metadata requests.
//!
//! A machine is a QEMU process that outlives the server which started it. Its
//! disks are NBD exports on unix sockets that the server serves, its console is
//! a file, and it is steered over QMP. Nothing here knows images, snapshots or
//! SQL: a machine is what its [`MachineSpec`] says, in a directory of its own.
#![forbid(unsafe_code)]

mod accelerator;
mod arguments;
mod config;
mod console;
mod disks;
mod error;
mod events;
mod firmware;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod layout;
mod machine;
pub mod metadata;
mod process;
mod qmp;
mod runtime;
mod spec;
mod start;

pub use accelerator::{AcceleratorProbe, probe_accelerator};
pub use arguments::can_have_address;
pub use config::{AcceleratorChoice, Config, Egress};
pub use console::console_tail;
pub use error::MachineError;
pub use events::{Exit, MachineEvent, MachineEvents, ShutdownCause};
pub use layout::{EndOfRun, end_of_run};
pub use machine::{Machine, Status};
pub use qmp::QmpError;
pub use runtime::{SOCKET_PATH_MAX, runtime_dir};
pub use spec::{Accelerator, Architecture, BootMode, DiskSpec, MachineSpec, NetworkSpec};
pub use start::{check_host, reattach, start};
