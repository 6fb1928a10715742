//! The requests of KMS. Its clients send them as JSON, with these names; a member that is not here is
//! refused. Lists and texts that are left out are empty.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cairn_model::{EncryptionContext, kms_grant::GrantConstraints};
use serde::{Deserialize, Deserializer, de};
use zeroize::Zeroizing;

/// Bytes that may be secret: base64 in JSON, not shown, overwritten when they are dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretBytes(pub Zeroizing<Vec<u8>>);

impl<'de> Deserialize<'de> for SecretBytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(from)?);
        // The error must not say what stands there.
        let bytes = STANDARD.decode(text.as_bytes());
        let bytes = bytes.map_err(|_| de::Error::custom("a blob is not base64"))?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBytes({})", self.0.len())
    }
}

macro_rules! requests {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
        #[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
        #[allow(missing_docs, reason = "the members of the KMS request")]
        pub struct $name { $(pub $field: $type,)* }
    )*};
}

requests! {
    /// CreateKey.
    CreateKey {
        policy: Option<String>,
        description: Option<String>,
        key_usage: Option<String>,
        customer_master_key_spec: Option<String>,
        key_spec: Option<String>,
        origin: Option<String>,
        custom_key_store_id: Option<String>,
        bypass_policy_lockout_safety_check: Option<bool>,
        tags: Vec<KeyTag>,
        multi_region: Option<bool>,
        xks_key_id: Option<String>,
    }
    /// A tag of a key.
    KeyTag {
        tag_key: String,
        tag_value: String,
    }
    /// DescribeKey.
    DescribeKey {
        key_id: String,
        grant_tokens: Vec<String>,
    }
    /// EnableKey, DisableKey, CancelKeyDeletion, GetKeyRotationStatus.
    NamesKey {
        key_id: String,
    }
    /// ListKeys.
    ListKeys {
        limit: Option<i32>,
        marker: Option<String>,
    }
    /// CreateAlias, UpdateAlias.
    PutAlias {
        alias_name: String,
        target_key_id: String,
    }
    /// DeleteAlias.
    DeleteAlias {
        alias_name: String,
    }
    /// ListAliases; ListResourceTags and ListKeyPolicies, which must name a key.
    ListOfKey {
        key_id: Option<String>,
        limit: Option<i32>,
        marker: Option<String>,
    }
    /// ScheduleKeyDeletion.
    ScheduleKeyDeletion {
        key_id: String,
        pending_window_in_days: Option<i32>,
    }
    /// UpdateKeyDescription.
    UpdateKeyDescription {
        key_id: String,
        description: String,
    }
    /// TagResource.
    TagKey {
        key_id: String,
        tags: Vec<KeyTag>,
    }
    /// UntagResource.
    UntagKey {
        key_id: String,
        tag_keys: Vec<String>,
    }
    /// GenerateDataKey, GenerateDataKeyWithoutPlaintext.
    GenerateDataKey {
        key_id: String,
        encryption_context: EncryptionContext,
        number_of_bytes: Option<i32>,
        key_spec: Option<String>,
        grant_tokens: Vec<String>,
        recipient: Option<Recipient>,
        dry_run: Option<bool>,
    }
    /// GenerateRandom.
    GenerateRandom {
        number_of_bytes: Option<i32>,
        custom_key_store_id: Option<String>,
        recipient: Option<Recipient>,
    }
    /// Encrypt.
    Encrypt {
        key_id: String,
        plaintext: SecretBytes,
        encryption_context: EncryptionContext,
        grant_tokens: Vec<String>,
        encryption_algorithm: Option<String>,
        dry_run: Option<bool>,
    }
    /// Decrypt.
    Decrypt {
        ciphertext_blob: SecretBytes,
        encryption_context: EncryptionContext,
        grant_tokens: Vec<String>,
        key_id: Option<String>,
        encryption_algorithm: Option<String>,
        recipient: Option<Recipient>,
        dry_run: Option<bool>,
        dry_run_modifiers: Vec<String>,
    }
    /// ReEncrypt.
    ReEncrypt {
        ciphertext_blob: SecretBytes,
        source_encryption_context: EncryptionContext,
        source_key_id: Option<String>,
        destination_key_id: String,
        destination_encryption_context: EncryptionContext,
        source_encryption_algorithm: Option<String>,
        destination_encryption_algorithm: Option<String>,
        grant_tokens: Vec<String>,
        dry_run: Option<bool>,
        dry_run_modifiers: Vec<String>,
    }
    /// GetKeyPolicy.
    GetKeyPolicy {
        key_id: String,
        policy_name: Option<String>,
    }
    /// PutKeyPolicy.
    PutKeyPolicy {
        key_id: String,
        policy_name: Option<String>,
        policy: String,
        bypass_policy_lockout_safety_check: Option<bool>,
    }
    /// CreateGrant.
    CreateGrant {
        key_id: String,
        grantee_principal: String,
        retiring_principal: Option<String>,
        operations: Vec<String>,
        constraints: Option<GrantConstraints>,
        grant_tokens: Vec<String>,
        name: Option<String>,
        dry_run: Option<bool>,
    }
    /// ListGrants.
    ListGrants {
        key_id: String,
        grant_id: Option<String>,
        grantee_principal: Option<String>,
        limit: Option<i32>,
        marker: Option<String>,
    }
    /// ListRetirableGrants.
    ListRetirableGrants {
        retiring_principal: String,
        limit: Option<i32>,
        marker: Option<String>,
    }
    /// RetireGrant.
    RetireGrant {
        grant_token: Option<String>,
        key_id: Option<String>,
        grant_id: Option<String>,
        dry_run: Option<bool>,
    }
    /// RevokeGrant.
    RevokeGrant {
        key_id: String,
        grant_id: String,
        dry_run: Option<bool>,
    }
}

/// An enclave that an answer is to be encrypted for; there are none here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Recipient {}
