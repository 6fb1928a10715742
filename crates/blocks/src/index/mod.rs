//! The Merkle index of a snapshot: which block has which digest.
//!
//! A radix tree of fixed shape over block numbers. A leaf covers 256 blocks (128 MiB), a mid
//! node 256 leaves (32 GiB), the root up to 2048 mid nodes (64 TiB). Where a volume is zero
//! there is no node. Shape and encoding depend on the content alone, so that equal content has
//! an equal root, whatever its history, and two snapshots are compared by skipping what has
//! equal hashes, whether or not one descends from the other.
//!
//! - `node`: a node in memory and its encoding.
//! - `root`: the digest of a snapshot, and sizes.
//! - `build`: a new index from an old one and changes.
//! - `walk`: look up, list, count, diff.
//! - `verify`: reads everything and recomputes the root.
//! - `survey`: which snapshots cannot be read, without reading them.
//! - `stream`: the root of a volume from its blocks in order, without a store.

mod build;
#[cfg(not(feature = "fuzzing"))]
mod node;
#[cfg(feature = "fuzzing")]
pub(crate) mod node;
mod root;
mod stream;
mod survey;
mod verify;
mod walk;

pub(crate) use node::Node;
pub(crate) use root::empty_root;
pub use stream::RootBuilder;
pub use survey::Survey;
pub use verify::{BadBlock, BadNode, BadReason, VerifyProgress, VerifyReport};
pub(crate) use walk::Place;
pub use walk::{Change, LeafNode};
