//! The answers of KMS that are not nouns.

use std::fmt;

use cairn_model::{KmsKey, KmsKeyId, Timestamp};
use zeroize::Zeroizing;

/// A key that waits for its deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledDeletion {
    /// The key.
    pub key: KmsKey,
    /// The days that were asked for.
    pub days: i32,
}

/// An alias as it is listed. Those of services have no key before they are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedAlias {
    /// The name, with the prefix `alias/`.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The key that it leads to.
    pub target: Option<KmsKeyId>,
    /// When it was made.
    pub create_time: Option<Timestamp>,
    /// When it was last led to another key, or made.
    pub update_time: Option<Timestamp>,
}

/// Bytes that were encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encrypted {
    /// The key, by its ARN.
    pub key_arn: String,
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
}

/// A new data key.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKeyPair {
    /// As it is kept.
    pub encrypted: Encrypted,
    /// As it is used.
    pub plaintext: Zeroizing<Vec<u8>>,
}

/// Bytes that were decrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct Decrypted {
    /// The key, by its ARN.
    pub key_arn: String,
    /// The bytes.
    pub plaintext: Zeroizing<Vec<u8>>,
}

/// The secret is not shown.
impl fmt::Debug for DataKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKeyPair")
            .field("encrypted", &self.encrypted)
            .finish_non_exhaustive()
    }
}

/// The bytes are not shown.
impl fmt::Debug for Decrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decrypted")
            .field("key_arn", &self.key_arn)
            .finish_non_exhaustive()
    }
}

/// Bytes that were encrypted anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReEncrypted {
    /// The key that they were under.
    pub source_key_arn: String,
    /// What they are now.
    pub encrypted: Encrypted,
}

/// A grant that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeGrant {
    /// Its id.
    pub id: String,
    /// A token that names it.
    pub token: String,
}
