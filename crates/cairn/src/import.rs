//! A disk file becomes a stream of blocks, and those a snapshot.
//!
//! - [`format`](mod@format): which format a file has, and whether it may be opened at all; read
//!   from its headers before any other program sees it.
//! - [`qemu_img`]: the program that unpacks formats other than raw, on a short leash.
//! - [`partitions`]: whether the partition table fits on the disk.
//! - [`disk`]: a file as the raw disk in it.
//! - [`blocks`]: the blocks of a raw disk that are not zero.
//! - [`upload`]: blocks into a snapshot, many at once.

pub(crate) mod blocks;
pub(crate) mod disk;
pub(crate) mod format;
pub(crate) mod partitions;
pub(crate) mod qemu_img;
pub(crate) mod upload;

/// Bytes of a GiB, the unit of volume sizes.
pub(crate) const GIB: u64 = 1 << 30;

/// The greatest volume, in GiB (EBS's limit).
pub(crate) const VOLUME_GIB_MAX: u64 = 65_536;
