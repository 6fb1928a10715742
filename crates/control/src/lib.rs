//! The verbs: what a client can ask for, each readable top to bottom in one place.
//!
//! The only room that sees metadata, blocks, volumes and machines together. Every verb takes the
//! [`Caller`] and one request of [`request`], and answers with nouns of the model or an
//! [`Error`] whose kind the dialects in `api` turn into their codes.
//!
//! - [`caller`]: who asks, and where.
//! - [`error`]: what can go wrong, by kind.
//! - [`request`]: the requests of all verbs.

#![forbid(unsafe_code)]

pub mod caller;
pub mod error;
pub mod request;

pub use caller::Caller;
pub use error::{Error, ErrorKind, Result};
