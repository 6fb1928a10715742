//! The verbs: what a client can ask for, each readable top to bottom in one place.
//!
//! The only room that sees metadata, blocks, volumes and machines together. Every verb takes the
//! [`Caller`] and one request of [`request`], and answers with nouns of the model or an
//! [`Error`] whose kind the dialects in `api` turn into their codes.
//!
//! Invariants: bytes are durable before metadata names them; what a verb shows it has committed;
//! whatever goes on after an answer is a job, and a job that a crash interrupted goes on.
//!
//! - [`caller`]: who asks, and where.
//! - [`error`]: what can go wrong, by kind.
//! - [`request`]: the requests of all verbs.
//! - [`control`]: what the verbs share, from opening to shutdown.
//! - [`jobs`]: work that goes on after the answer.
//! - [`account`]: accounts and access keys.
//! - [`volume`]: volumes.

#![forbid(unsafe_code)]

pub mod account;
pub mod caller;
pub mod control;
mod describe;
pub mod error;
pub mod jobs;
pub mod request;
mod seal;
mod token;
pub mod volume;

pub use caller::Caller;
pub use control::{Control, ControlOptions, OpenError};
pub use error::{Error, ErrorKind, Result};
