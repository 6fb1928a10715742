//! What answers of KMS look like. Times are seconds since the epoch, as numbers.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cairn_control::{
    answer::kms as answers,
    keys::{crypto::ALGORITHM, policies::POLICY_NAME},
};
use cairn_model::{KmsGrant, KmsKey, KmsKeyState, Paged, Timestamp, kms_grant::GrantConstraints};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// A time with its fraction.
fn seconds(time: Timestamp) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact for times of this millennium, to the microsecond"
    )]
    let micros = time.0 as f64;
    micros / 1e6
}

/// Base64 of bytes that may be secret; overwritten once it is sent on.
pub(super) struct Blob(Zeroizing<String>);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl Blob {
    fn of(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(STANDARD.encode(bytes)))
    }
}

/// A page of a list, under the name that the list has.
pub(super) fn page<T, W: Serialize>(
    name: &str,
    page: &Paged<T>,
    show: impl Fn(&T) -> W,
) -> Map<String, Value> {
    let items = page.items.iter().map(show);
    // What is shown here has only texts as keys, which JSON can always have.
    let items = items.map(|item| serde_json::to_value(item).unwrap_or_default());
    let mut answer = Map::new();
    answer.insert(name.to_owned(), items.collect());
    answer.insert("Truncated".to_owned(), page.next_token.is_some().into());
    if let Some(token) = &page.next_token {
        answer.insert("NextMarker".to_owned(), token.clone().into());
    }
    answer
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyAnswer<'a> {
    key_metadata: KeyMetadata<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyMetadata<'a> {
    #[serde(rename = "AWSAccountId")]
    account: &'a str,
    key_id: &'a str,
    arn: String,
    creation_date: f64,
    enabled: bool,
    description: &'a str,
    key_usage: &'static str,
    key_state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_date: Option<f64>,
    origin: &'static str,
    key_manager: &'static str,
    customer_master_key_spec: &'static str,
    key_spec: &'static str,
    encryption_algorithms: [&'static str; 1],
    multi_region: bool,
}

impl<'a> KeyAnswer<'a> {
    pub(super) fn of(key: &'a KmsKey) -> Self {
        let key_metadata = KeyMetadata {
            account: key.account.as_str(),
            key_id: key.id.as_str(),
            arn: key.arn(),
            creation_date: seconds(key.create_time),
            enabled: key.state == KmsKeyState::Enabled,
            description: &key.description,
            key_usage: "ENCRYPT_DECRYPT",
            key_state: key.state.as_str(),
            deletion_date: key.deletion_date.map(seconds),
            origin: "AWS_KMS",
            key_manager: if key.aws_managed { "AWS" } else { "CUSTOMER" },
            customer_master_key_spec: ALGORITHM,
            key_spec: ALGORITHM,
            encryption_algorithms: [ALGORITHM],
            multi_region: false,
        };
        Self { key_metadata }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedKey {
    key_id: String,
    key_arn: String,
}

impl ListedKey {
    pub(super) fn of(key: &KmsKey) -> Self {
        Self {
            key_id: key.id.to_string(),
            key_arn: key.arn(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NamedKey {
    pub(super) key_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Scheduled {
    key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_date: Option<f64>,
    key_state: &'static str,
    pending_window_in_days: i32,
}

impl Scheduled {
    pub(super) fn of(scheduled: &answers::ScheduledDeletion) -> Self {
        Self {
            key_id: scheduled.key.arn(),
            deletion_date: scheduled.key.deletion_date.map(seconds),
            key_state: scheduled.key.state.as_str(),
            pending_window_in_days: scheduled.days,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Rotation {
    key_id: String,
    key_rotation_enabled: bool,
}

impl Rotation {
    pub(super) fn of(key: &KmsKey) -> Self {
        Self {
            key_id: key.arn(),
            key_rotation_enabled: false,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Alias {
    alias_name: String,
    alias_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_date: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_updated_date: Option<f64>,
}

impl Alias {
    pub(super) fn of(alias: &answers::ListedAlias) -> Self {
        Self {
            alias_name: alias.name.clone(),
            alias_arn: alias.arn.clone(),
            target_key_id: alias.target.as_ref().map(ToString::to_string),
            creation_date: alias.create_time.map(seconds),
            last_updated_date: alias.update_time.map(seconds),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    tag_key: String,
    tag_value: String,
}

impl Tag {
    pub(super) fn of((key, value): &(String, String)) -> Self {
        Self {
            tag_key: key.clone(),
            tag_value: value.clone(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Encrypted<'a> {
    ciphertext_blob: Blob,
    key_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_algorithm: Option<&'static str>,
}

impl<'a> Encrypted<'a> {
    pub(super) fn of(sealed: &'a answers::Encrypted, algorithm: Option<&'static str>) -> Self {
        Self {
            ciphertext_blob: Blob::of(&sealed.ciphertext),
            key_id: &sealed.key_arn,
            encryption_algorithm: algorithm,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DataKey<'a> {
    plaintext: Blob,
    #[serde(flatten)]
    encrypted: Encrypted<'a>,
}

impl<'a> DataKey<'a> {
    pub(super) fn of(pair: &'a answers::DataKeyPair) -> Self {
        Self {
            plaintext: Blob::of(&pair.plaintext),
            encrypted: Encrypted::of(&pair.encrypted, None),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Decrypted<'a> {
    key_id: &'a str,
    plaintext: Blob,
    encryption_algorithm: &'static str,
}

impl<'a> Decrypted<'a> {
    pub(super) fn of(opened: &'a answers::Decrypted) -> Self {
        Self {
            key_id: &opened.key_arn,
            plaintext: Blob::of(&opened.plaintext),
            encryption_algorithm: ALGORITHM,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReEncrypted<'a> {
    ciphertext_blob: Blob,
    source_key_id: &'a str,
    key_id: &'a str,
    source_encryption_algorithm: &'static str,
    destination_encryption_algorithm: &'static str,
}

impl<'a> ReEncrypted<'a> {
    pub(super) fn of(sealed: &'a answers::ReEncrypted) -> Self {
        Self {
            ciphertext_blob: Blob::of(&sealed.encrypted.ciphertext),
            source_key_id: &sealed.source_key_arn,
            key_id: &sealed.encrypted.key_arn,
            source_encryption_algorithm: ALGORITHM,
            destination_encryption_algorithm: ALGORITHM,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Random {
    plaintext: Blob,
}

impl Random {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self {
            plaintext: Blob::of(bytes),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Policy<'a> {
    policy: &'a str,
    policy_name: &'static str,
}

impl<'a> Policy<'a> {
    pub(super) fn of(policy: &'a str) -> Self {
        Self {
            policy,
            policy_name: POLICY_NAME,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MadeGrant<'a> {
    grant_id: &'a str,
    grant_token: &'a str,
}

impl<'a> MadeGrant<'a> {
    pub(super) fn of(made: &'a answers::MadeGrant) -> Self {
        Self {
            grant_id: &made.id,
            grant_token: &made.token,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Grant {
    key_id: String,
    grant_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    creation_date: f64,
    grantee_principal: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retiring_principal: Option<String>,
    issuing_account: String,
    operations: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    constraints: Option<GrantConstraints>,
}

impl Grant {
    pub(super) fn of(grant: &KmsGrant, key: &KmsKey) -> Self {
        let constraints = Some(grant.constraints.clone());
        Self {
            key_id: key.arn(),
            grant_id: grant.id.clone(),
            name: grant.name.clone(),
            creation_date: seconds(grant.create_time),
            grantee_principal: grant.grantee.clone(),
            retiring_principal: grant.retiring.clone(),
            issuing_account: format!("arn:aws:iam::{}:root", grant.issuer),
            operations: grant.operations.iter().map(ToString::to_string).collect(),
            constraints: constraints.filter(|some| *some != GrantConstraints::default()),
        }
    }
}
