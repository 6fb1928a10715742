//! The instance metadata service: what a guest finds at 169.254.169.254.
//!
//! Each instance has a service of its own, on a unix socket of its own. QEMU
//! carries the guest's connections there by running [`link`] once for each, so
//! the service needs no address and knows by its socket which instance asks.
//! Paths, listings and the rules of sessions are those of EC2's IMDSv1 and
//! IMDSv2 ("Instance metadata and user data", EC2 User Guide).

mod data;
mod link;
pub(crate) mod respond;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod sample;
mod service;
mod token;
mod tree;

pub use data::{
    BlockDevice, HttpTokens, InstanceMetadata, MetadataOptions, NetworkInterface, PublicKey,
};
pub use link::link;
pub use service::{Clock, MetadataService, MetadataSource, SourceFuture};
pub use token::TokenKey;
