//! AWS Signature Version 4: checking what clients present, and signing.
//!
//! Source: "Signature Version 4 signing process" in AWS's General Reference, and its published
//! test suite (`tests/sigv4_vectors.rs`). Every service but S3 encodes the path once more than it
//! is sent; nothing here is S3.
//!
//! - [`canonical`]: the text that is signed, from a request.
//! - [`key`]: the key of a scope, and signatures under it.
//! - [`presented`]: what a client presents, in the `Authorization` header or in the query.
//! - [`verify`]: whether that holds, now.
//! - [`sign`]: signing, for our own client and tests.

pub mod canonical;
pub mod key;
pub mod presented;
mod sign;
pub mod verify;

pub use canonical::{Parts, Payload};
pub use key::Scope;
pub use presented::Presented;
pub use sign::{Credentials, sign};
pub use verify::AuthError;

/// The only algorithm there is.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How times are written: ISO 8601, basic format.
const TIME_FORMAT: &str = "%Y%m%dT%H%M%SZ";
/// What stands for the hash of a body that is not signed.
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
