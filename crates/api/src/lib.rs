//! AWS's dialects over the verbs of `control`: signatures, EC2's query protocol, EBS direct, KMS,
//! STS, and a few operations of our own. Translates; decides nothing.
//!
//! One address serves every service of every region: both stand in the credential scope of the
//! signature. A request goes down this list and its answer comes back up:
//!
//! - [`server`]: connections, and what every request goes through.
//! - `received`: a request with its body.
//! - [`sigv4`]: who sent it.
//! - `dialect`: which language it speaks, and how that words answers and refusals.
//! - [`form`], [`query`], [`xml`]: the query protocol.
//! - [`generated`]: EC2's requests and responses.
//! - `ec2`, `ebs`, `kms`, `rbin`, `sts`, `account`, `cairn`: the operations.
//! - `problem`, `codes`: what can be wrong, and what the dialects call it.

#![forbid(unsafe_code)]

mod account;
mod cairn;
mod codes;
mod dialect;
mod ebs;
mod ec2;
pub mod form;
pub mod generated;
mod kms;
#[cfg(test)]
mod oracle;
mod problem;
pub mod query;
mod rbin;
mod received;
mod rest;
mod server;
pub mod sigv4;
mod sts;
pub mod xml;

pub use server::Api;
