//! The NBD protocol over any block device.
//!
//! Source: <https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md>. This room has no
//! knowledge of volumes: it serves whatever implements [`BlockDevice`].

#![forbid(unsafe_code)]

pub mod device;

pub use device::{BlockDevice, Extent, Outcome, Wait};
