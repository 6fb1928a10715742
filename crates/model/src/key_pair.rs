//! Key pairs.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{AccountId, KeyPairId},
    place::Region,
    tag::Tags,
    time::Timestamp,
};

/// A key pair; the private half is shown once and not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPair {
    /// Its id.
    pub id: KeyPairId,
    /// Owner.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// Name, unique within account and region.
    pub name: String,
    /// Fingerprint as EC2 computes it for this kind of key.
    pub fingerprint: String,
    /// Kind of key.
    pub key_type: KeyType,
    /// The public key, in OpenSSH's form.
    pub public_key: String,
    /// When it was created or imported.
    pub create_time: Timestamp,
    /// Tags.
    pub tags: Tags,
}

/// Kinds of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum KeyType {
    Rsa,
    Ed25519,
}
