//! Keys as KMS knows them: what encrypted volumes and snapshots are kept under.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    ids::AccountId,
    place::Region,
    time::{Entropy, Timestamp},
};

/// The alias of the key that EBS uses where none is named.
pub const EBS_ALIAS: &str = "alias/aws/ebs";

/// The id of a key: a UUID in small letters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KmsKeyId(String);

impl KmsKeyId {
    /// Makes a new id: a random UUID (version 4, RFC 9562).
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let groups = [
            &bytes[..4],
            &bytes[4..6],
            &bytes[6..8],
            &bytes[8..10],
            &bytes[10..],
        ];
        Self(groups.map(hex).join("-"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is not the id of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not the id of a key")]
pub struct MalformedKeyId(pub String);

impl FromStr for KmsKeyId {
    type Err = MalformedKeyId;

    fn from_str(text: &str) -> Result<Self, MalformedKeyId> {
        let is_hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let lengths: Vec<_> = text.split('-').map(str::len).collect();
        match lengths == [8, 4, 4, 4, 12] && text.split('-').all(is_hex) {
            true => Ok(Self(text.to_owned())),
            false => Err(MalformedKeyId(text.to_owned())),
        }
    }
}

impl TryFrom<String> for KmsKeyId {
    type Error = MalformedKeyId;

    fn try_from(text: String) -> Result<Self, MalformedKeyId> {
        text.parse()
    }
}

impl From<KmsKeyId> for String {
    fn from(id: KmsKeyId) -> Self {
        id.0
    }
}

impl fmt::Display for KmsKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KmsKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key as metadata knows it. What it encrypts with is kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KmsKey {
    /// Its id.
    pub id: KmsKeyId,
    /// Owner.
    pub account: AccountId,
    /// Where it can be used.
    pub region: Region,
    /// Description, possibly empty.
    pub description: String,
    /// Whether it is the one behind [`EBS_ALIAS`], which nobody asked for by itself.
    pub aws_managed: bool,
    /// State.
    pub state: KmsKeyState,
    /// When it was made.
    pub create_time: Timestamp,
}

impl KmsKey {
    /// Its ARN, by which volumes and snapshots name it.
    pub fn arn(&self) -> String {
        let (region, account, id) = (self.region.name(), &self.account, &self.id);
        format!("arn:aws:kms:{region}:{account}:key/{id}")
    }
}

/// States of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of KMS, by their names")]
pub enum KmsKeyState {
    Enabled,
    /// It is being deleted: nothing may be begun with it any more.
    PendingDeletion,
    /// It is gone, and what was kept under it can never be read again. The name stays, so that it
    /// can be told why. (KMS forgets such keys.)
    Deleted,
}

/// How a request names a key: by id, by alias, or by the ARN of either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyName {
    /// By id.
    Id(KmsKeyId),
    /// By alias, with the prefix `alias/`.
    Alias(String),
}

impl KeyName {
    /// Reads the name of a key. An ARN has to be one of this region and account: nobody else's keys
    /// can be used. `None`: the text is no name of a key, or of somebody else's.
    pub fn read(text: &str, region: Region, account: &AccountId) -> Option<Self> {
        let resource = match text.strip_prefix("arn:aws:kms:") {
            Some(rest) => rest
                .strip_prefix(region.name())?
                .strip_prefix(':')?
                .strip_prefix(account.as_str())?
                .strip_prefix(':')?,
            None => text,
        };
        if resource.starts_with("alias/") && resource.len() > "alias/".len() {
            return Some(Self::Alias(resource.to_owned()));
        }
        let id = match resource == text {
            true => resource,
            false => resource.strip_prefix("key/")?,
        };
        id.parse().ok().map(Self::Id)
    }
}

/// The id of a key in the ARN that a volume or snapshot names it by.
pub fn id_of_arn(arn: &str) -> Option<KmsKeyId> {
    arn.rsplit_once(":key/")?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Counting;

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes
                .iter_mut()
                .zip(0xf0..=0xff)
                .for_each(|(byte, n)| *byte = n);
        }
    }

    #[test]
    fn ids_are_random_uuids() {
        let id = KmsKeyId::generate(&Counting);
        assert_eq!(id.as_str(), "f0f1f2f3-f4f5-46f7-b8f9-fafbfcfdfeff");
        assert_eq!(id.as_str().parse(), Ok(id));
        for text in [
            "",
            "f0f1f2f3",
            "F0F1F2F3-f4f5-46f7-b8f9-fafbfcfdfeff",
            "f0f1f2f3-f4f5-46f7-b8f9-fafbfcfdfeff0",
        ] {
            assert!(text.parse::<KmsKeyId>().is_err(), "{text}");
        }
    }

    #[test]
    fn keys_are_named_in_four_ways() {
        let region = Region::named("us-east-1").unwrap();
        let account: AccountId = "123456789012".parse().unwrap();
        let uuid = "f0f1f2f3-f4f5-46f7-b8f9-fafbfcfdfeff";
        let read = |text: &str| KeyName::read(text, region, &account);
        let id = Some(KeyName::Id(uuid.parse().unwrap()));
        let alias = Some(KeyName::Alias(EBS_ALIAS.to_owned()));
        let arn = format!("arn:aws:kms:us-east-1:123456789012:key/{uuid}");
        assert_eq!(read(uuid), id);
        assert_eq!(read(&arn), id);
        assert_eq!(read(EBS_ALIAS), alias);
        assert_eq!(
            read("arn:aws:kms:us-east-1:123456789012:alias/aws/ebs"),
            alias
        );
        assert_eq!(id_of_arn(&arn), Some(uuid.parse().unwrap()));
        for text in [
            "",
            "alias/",
            "nonsense",
            &format!("key/{uuid}"),
            &arn.replace("us-east-1", "us-west-2"),
            &arn.replace("123456789012", "210987654321"),
            &arn.replace("key/", ""),
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
