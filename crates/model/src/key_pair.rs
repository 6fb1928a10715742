//! Key pairs.

use serde::{Deserialize, Serialize};

use crate::{
    filter::{Filterable, one},
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

impl Filterable for KeyPair {
    const FILTERS: &'static [&'static str] = &["fingerprint", "key-name", "key-pair-id"];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "fingerprint" => one(&self.fingerprint),
            "key-name" => one(&self.name),
            "key-pair-id" => one(&self.id),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }
}
