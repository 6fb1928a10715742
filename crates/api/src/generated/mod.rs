//! EC2's requests and responses, written by `xtask codegen`: names and shapes as the service
//! model has them. What each member means is in AWS's API reference.

#![allow(missing_docs, reason = "the members of EC2's API, by their names")]

#[rustfmt::skip]
pub mod request;
#[rustfmt::skip]
pub mod response;
