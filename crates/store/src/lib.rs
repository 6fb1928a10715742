//! Metadata in SQL: what exists, in which state, and where its blobs lie.
//!
//! Invariants of this room: bytes are durable before a row names them (the callers' duty); all
//! rows that one verb changes are changed in one transaction; there is one writer at a time; a
//! noun is changed only if nobody changed it since it was read. No decisions about AWS are made
//! here, and no SQL is written anywhere else.
//!
//! - [`db`]: opening the files, transactions, durability.
//! - [`error`], [`constraint`]: what can go wrong, and the named rules of the schema.
//! - [`doc`]: nouns as documents with a generation.
//! - [`volume`], [`snapshot`], [`upload`], [`replace_root`]: the nouns of storage.
//! - [`image`], [`instance`], [`key_pair`], [`network`]: the nouns of machines.
//! - [`image_usage`]: reports on who uses an image.
//! - [`security_group`], [`vpc_part`], [`network_interface`]: what belongs to networks.
//! - [`launch_template`]: launches kept under a name.
//! - [`boot_set`]: what the guests of images read first.
//! - [`tag`]: the tags of all nouns.
//! - [`kms_key`], [`kms_alias`], [`kms_grant`]: the keys that encrypted volumes and snapshots are kept under,
//!   their other names, and who may use them.
//! - [`account`], [`domain`]: who owns, and within which bounds blocks are shared.
//! - [`setting`]: what an account has set for itself in a region.
//! - [`facet`]: the rows by which snapshots, images and volumes are looked up.
//! - [`job`], [`token`], [`secret`]: work under way, idempotency, the server's own keys.
//! - [`scrub`]: how far scrubs are, and what they found.
//! - [`blob`]: where blobs lie, for the block store.
//! - `collection`: what garbage collection and scrubbing ask of that.
//! - [`fast_restore`]: fast restores of snapshots.
//! - [`recycle_bin`]: the rules by which what was deleted is kept for a while.
//! - [`record`]: completed snapshots once more, in files beside the packs.

#![forbid(unsafe_code)]

pub mod account;
pub mod blob;
pub mod boot_set;
mod collection;
pub mod constraint;
pub mod db;
mod doc;
pub mod domain;
pub mod error;
pub mod facet;
pub mod fast_restore;
pub mod image;
pub mod image_usage;
pub mod instance;
pub mod job;
pub mod key_pair;
pub mod kms_alias;
pub mod kms_grant;
pub mod kms_key;
pub mod launch_template;
mod migrations;
pub mod network;
pub mod network_interface;
pub mod record;
pub mod recycle_bin;
pub mod replace_root;
pub mod scrub;
pub mod secret;
pub mod security_group;
pub mod setting;
pub mod snapshot;
pub mod tag;
pub mod token;
pub mod upload;
pub mod volume;
pub mod vpc_part;

pub use constraint::Constraint;
pub use db::{Connection, ReadOnce, ReadTx, Store, WriteTx};
pub use error::{Error, Result};
