//! Keys as KMS knows them: what encrypted volumes and snapshots are kept under.
//!
//! Which states a key has, what leads from one to another, and what each of them lets be done stand in
//! two tables here: [`KmsKeyState::after`] and [`KmsKeyState::admits`].

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    ids::AccountId,
    place::Region,
    tag::Tags,
    time::{Entropy, Timestamp},
};

/// The alias of the key that EBS uses where none is named.
pub const EBS_ALIAS: &str = "alias/aws/ebs";
/// What every alias begins with.
pub const ALIAS_PREFIX: &str = "alias/";
/// What aliases begin with that only AWS's services have.
pub const RESERVED_ALIAS_PREFIX: &str = "alias/aws/";

/// What a ciphertext or a permission is bound to besides its key.
pub type EncryptionContext = BTreeMap<String, String>;

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
        Self::of_bytes(&bytes)
    }

    /// The id of these bytes.
    pub fn of_bytes(bytes: &[u8; 16]) -> Self {
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

    /// Its bytes.
    pub fn to_bytes(&self) -> [u8; 16] {
        let digits = self.0.bytes().filter_map(|b| char::from(b).to_digit(16));
        let mut bytes = [0; 16];
        for (at, digit) in digits.enumerate() {
            bytes[at / 2] = bytes[at / 2] << 4 | u8::try_from(digit).unwrap_or(0);
        }
        bytes
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
    /// When it is to be erased, if that is scheduled.
    #[serde(default)]
    pub deletion_date: Option<Timestamp>,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
    /// Its policy, where it is another one than keys of its kind have.
    #[serde(default)]
    pub policy: Option<String>,
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
pub enum KmsKeyState {
    /// It can be used.
    Enabled,
    /// It cannot be used until it is enabled again.
    Disabled,
    /// It cannot be used, and is erased on its deletion date unless that is cancelled.
    #[serde(rename = "DeletionScheduled")]
    PendingDeletion,
    /// It is being erased, and nothing can keep it. Documents of the time when a deletion could not be
    /// scheduled say `PendingDeletion`; they mean this. KMS makes no difference.
    #[serde(rename = "PendingDeletion")]
    Erasing,
    /// It is gone, and what was kept under it can never be read again. The name stays, so that it
    /// can be told why. (KMS forgets such keys.)
    Deleted,
}

/// What changes the state of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEvent {
    /// EnableKey.
    Enable,
    /// DisableKey.
    Disable,
    /// ScheduleKeyDeletion.
    Schedule,
    /// CancelKeyDeletion.
    Cancel,
    /// Its deletion date has come.
    Due,
    /// The operator has it erased at once.
    EraseNow,
    /// Its file is gone.
    Erased,
}

/// Each event with the states that it may come in, and the one that it leads to.
const TRANSITIONS: &[(KeyEvent, &[KmsKeyState], KmsKeyState)] = {
    use KeyEvent as E;
    use KmsKeyState as S;
    &[
        (E::Enable, &[S::Enabled, S::Disabled], S::Enabled),
        (E::Disable, &[S::Enabled, S::Disabled], S::Disabled),
        (E::Schedule, &[S::Enabled, S::Disabled], S::PendingDeletion),
        (E::Cancel, &[S::PendingDeletion], S::Disabled),
        (E::Due, &[S::PendingDeletion], S::Erasing),
        (
            E::EraseNow,
            &[S::Enabled, S::Disabled, S::PendingDeletion],
            S::Erasing,
        ),
        (E::Erased, &[S::Erasing], S::Deleted),
    ]
};

/// What can be asked of a key, by the names of the permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the actions of KMS, by their names")]
pub enum KeyOperation {
    Encrypt,
    Decrypt,
    ReEncryptFrom,
    ReEncryptTo,
    GenerateDataKey,
    GenerateDataKeyWithoutPlaintext,
    CreateGrant,
    CreateAlias,
    UpdateAlias,
    GetKeyRotationStatus,
    UpdateKeyDescription,
    TagResource,
    UntagResource,
    DeleteAlias,
    DescribeKey,
    GetKeyPolicy,
    ListGrants,
    ListKeyPolicies,
    ListResourceTags,
    PutKeyPolicy,
    RetireGrant,
    RevokeGrant,
    EnableKey,
    DisableKey,
    ScheduleKeyDeletion,
    CancelKeyDeletion,
}

/// Why the state of a key does not let something be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateFault {
    /// It is disabled.
    Disabled,
    /// It waits for its deletion, or does not.
    Invalid,
    /// KMS does not know it any more.
    Gone,
}

impl KmsKeyState {
    /// The state after an event; none if the event cannot come in this one.
    pub fn after(self, event: KeyEvent) -> Option<Self> {
        let mut rows = TRANSITIONS.iter();
        rows.find(|(on, from, _)| *on == event && from.contains(&self))
            .map(|(_, _, to)| *to)
    }

    /// Whether an operation can be done with a key in this state.
    ///
    /// # Errors
    /// Why not.
    pub fn admits(self, operation: KeyOperation) -> Result<(), StateFault> {
        match (self, operation.needs()) {
            (Self::Deleted, _) => Err(StateFault::Gone),
            (Self::Enabled, Needs::Enabled) | (_, Needs::Nothing) => Ok(()),
            (Self::Disabled, Needs::Enabled) => Err(StateFault::Disabled),
            (Self::Enabled | Self::Disabled, Needs::NoDeletion) => Ok(()),
            (_, Needs::Event(event)) if self.after(event).is_some() => Ok(()),
            _ => Err(StateFault::Invalid),
        }
    }

    /// As KMS spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::PendingDeletion | Self::Erasing => "PendingDeletion",
            Self::Deleted => "Deleted",
        }
    }
}

/// What an operation needs of the state of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Enabled,
    NoDeletion,
    Nothing,
    Event(KeyEvent),
}

impl KeyOperation {
    /// Every operation.
    pub const ALL: &'static [Self] = &[
        Self::Encrypt,
        Self::Decrypt,
        Self::ReEncryptFrom,
        Self::ReEncryptTo,
        Self::GenerateDataKey,
        Self::GenerateDataKeyWithoutPlaintext,
        Self::CreateGrant,
        Self::CreateAlias,
        Self::UpdateAlias,
        Self::GetKeyRotationStatus,
        Self::UpdateKeyDescription,
        Self::TagResource,
        Self::UntagResource,
        Self::DeleteAlias,
        Self::DescribeKey,
        Self::GetKeyPolicy,
        Self::ListGrants,
        Self::ListKeyPolicies,
        Self::ListResourceTags,
        Self::PutKeyPolicy,
        Self::RetireGrant,
        Self::RevokeGrant,
        Self::EnableKey,
        Self::DisableKey,
        Self::ScheduleKeyDeletion,
        Self::CancelKeyDeletion,
    ];

    fn needs(self) -> Needs {
        match self {
            Self::Encrypt
            | Self::Decrypt
            | Self::ReEncryptFrom
            | Self::ReEncryptTo
            | Self::GenerateDataKey
            | Self::GenerateDataKeyWithoutPlaintext
            | Self::CreateGrant => Needs::Enabled,
            Self::CreateAlias
            | Self::UpdateAlias
            | Self::GetKeyRotationStatus
            | Self::UpdateKeyDescription
            | Self::TagResource
            | Self::UntagResource => Needs::NoDeletion,
            Self::DeleteAlias
            | Self::DescribeKey
            | Self::GetKeyPolicy
            | Self::ListGrants
            | Self::ListKeyPolicies
            | Self::ListResourceTags
            | Self::PutKeyPolicy
            | Self::RetireGrant
            | Self::RevokeGrant => Needs::Nothing,
            Self::EnableKey => Needs::Event(KeyEvent::Enable),
            Self::DisableKey => Needs::Event(KeyEvent::Disable),
            Self::ScheduleKeyDeletion => Needs::Event(KeyEvent::Schedule),
            Self::CancelKeyDeletion => Needs::Event(KeyEvent::Cancel),
        }
    }
}

/// The action of a policy is `kms:` and this.
impl fmt::Display for KeyOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// An alias: another name of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KmsAlias {
    /// The name, with the prefix `alias/`.
    pub name: String,
    /// Owner.
    pub account: AccountId,
    /// Where it is.
    pub region: Region,
    /// The key.
    pub key: KmsKeyId,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it was last led to another key, or made.
    pub update_time: Timestamp,
}

/// The ARN of an alias.
pub fn alias_arn(region: Region, account: &AccountId, name: &str) -> String {
    format!("arn:aws:kms:{}:{account}:{name}", region.name())
}

/// Whether a text can be the name of an alias that somebody makes.
pub fn is_alias_name(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/_-".contains(&b);
    let rest = text.strip_prefix(ALIAS_PREFIX).unwrap_or_default();
    !rest.is_empty() && rest.bytes().all(is_plain) && !text.starts_with(RESERVED_ALIAS_PREFIX)
}

/// How a request names a key: by id, by alias, or by the ARN of either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyName {
    /// By id.
    Id(KmsKeyId),
    /// By alias, with the prefix `alias/`.
    Alias(String),
}

/// The name of a key, and whose key it is: only an ARN names another account's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedKey {
    /// Its owner.
    pub account: AccountId,
    /// Its name there.
    pub name: KeyName,
}

/// Why a text names no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// It is neither an id nor an alias.
    Unknown,
    /// It is an ARN, but not one of a key or an alias.
    Arn,
    /// It is an ARN of another region.
    Region,
}

impl NamedKey {
    /// Reads the name of a key as a request in a region, by an account, gives it.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(text: &str, region: Region, account: &AccountId) -> Result<Self, NameFault> {
        if !text.starts_with("arn:") {
            let name = KeyName::of(text, text).ok_or(NameFault::Unknown)?;
            let account = account.clone();
            return Ok(Self { account, name });
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", "aws", "kms", place, owner, resource] = parts[..] else {
            return Err(NameFault::Arn);
        };
        let account = owner.parse().map_err(|_| NameFault::Arn)?;
        let id = resource.strip_prefix("key/").unwrap_or_default();
        let name = KeyName::of(resource, id).ok_or(NameFault::Arn)?;
        match place == region.name() {
            true => Ok(Self { account, name }),
            false => Err(NameFault::Region),
        }
    }

    /// Whether it is the alias of the key that EBS uses.
    pub fn is_of_ebs(&self) -> bool {
        self.name == KeyName::Alias(EBS_ALIAS.to_owned())
    }
}

impl KeyName {
    fn of(alias: &str, id: &str) -> Option<Self> {
        if alias.starts_with(ALIAS_PREFIX) && alias.len() > ALIAS_PREFIX.len() {
            return Some(Self::Alias(alias.to_owned()));
        }
        id.parse().ok().map(Self::Id)
    }
}

/// The id of a key in the ARN that a volume or snapshot names it by.
pub fn id_of_arn(arn: &str) -> Option<KmsKeyId> {
    arn.rsplit_once(":key/")?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    fn ids_are_their_bytes() {
        let id = KmsKeyId::generate(&Counting);
        assert_eq!(id.to_bytes()[..3], [0xf0, 0xf1, 0xf2]);
        assert_eq!(KmsKeyId::of_bytes(&id.to_bytes()), id);
    }

    #[test]
    fn keys_are_named_in_four_ways() {
        let region = Region::named("us-east-1").unwrap();
        let account: AccountId = "123456789012".parse().unwrap();
        let uuid = "f0f1f2f3-f4f5-46f7-b8f9-fafbfcfdfeff";
        let read = |text: &str| NamedKey::read(text, region, &account);
        let named = |name: KeyName, account: &AccountId| {
            let account = account.clone();
            Ok(NamedKey { account, name })
        };
        let id = KeyName::Id(uuid.parse().unwrap());
        let alias = KeyName::Alias(EBS_ALIAS.to_owned());
        let arn = format!("arn:aws:kms:us-east-1:123456789012:key/{uuid}");
        assert_eq!(read(uuid), named(id.clone(), &account));
        assert_eq!(read(&arn), named(id.clone(), &account));
        assert_eq!(read(EBS_ALIAS), named(alias.clone(), &account));
        assert_eq!(
            read(&alias_arn(region, &account, EBS_ALIAS)),
            named(alias, &account)
        );
        assert_eq!(id_of_arn(&arn), Some(uuid.parse().unwrap()));
        let other: AccountId = "210987654321".parse().unwrap();
        let theirs = arn.replace("123456789012", "210987654321");
        assert_eq!(read(&theirs), named(id, &other));
        for (text, fault) in [
            ("", NameFault::Unknown),
            ("alias/", NameFault::Unknown),
            ("nonsense", NameFault::Unknown),
            (&format!("key/{uuid}"), NameFault::Unknown),
            (&arn.replace("us-east-1", "us-west-2"), NameFault::Region),
            (&arn.replace("key/", ""), NameFault::Arn),
            (&arn.replace(":kms:", ":ec2:"), NameFault::Arn),
            (&arn.replace("123456789012", "12"), NameFault::Arn),
            ("arn:aws:kms", NameFault::Arn),
        ] {
            assert_eq!(read(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn names_of_aliases_are_checked() {
        for good in ["alias/a", "alias/Backups/2026_x-y"] {
            assert!(is_alias_name(good), "{good}");
        }
        for bad in [
            "",
            "alias/",
            "mine",
            "alias/aws/ebs",
            "alias/aws/mine",
            "alias/a b",
            "alias/a:b",
        ] {
            assert!(!is_alias_name(bad), "{bad}");
        }
    }

    /// Documents of older versions are read as what they meant.
    #[test]
    fn what_was_being_deleted_still_is() {
        let read = |text: &str| serde_json::from_str::<KmsKeyState>(text).unwrap();
        assert_eq!(read("\"PendingDeletion\""), KmsKeyState::Erasing);
        assert_eq!(read("\"Enabled\""), KmsKeyState::Enabled);
        assert_eq!(read("\"Deleted\""), KmsKeyState::Deleted);
    }

    const STATES: [KmsKeyState; 5] = [
        KmsKeyState::Enabled,
        KmsKeyState::Disabled,
        KmsKeyState::PendingDeletion,
        KmsKeyState::Erasing,
        KmsKeyState::Deleted,
    ];

    #[test]
    fn what_a_state_admits_is_what_kms_says() {
        use KeyOperation as O;
        use StateFault as F;
        let invalid = Err(F::Invalid);
        for (operation, expected) in [
            (O::Decrypt, [Ok(()), Err(F::Disabled), invalid, invalid]),
            (O::CreateGrant, [Ok(()), Err(F::Disabled), invalid, invalid]),
            (O::TagResource, [Ok(()), Ok(()), invalid, invalid]),
            (O::DescribeKey, [Ok(()); 4]),
            (O::DeleteAlias, [Ok(()); 4]),
            (O::EnableKey, [Ok(()), Ok(()), invalid, invalid]),
            (O::DisableKey, [Ok(()), Ok(()), invalid, invalid]),
            (O::ScheduleKeyDeletion, [Ok(()), Ok(()), invalid, invalid]),
            (O::CancelKeyDeletion, [invalid, invalid, Ok(()), invalid]),
        ] {
            let found = STATES.map(|state| state.admits(operation));
            assert_eq!(found[..4], expected, "{operation}");
        }
        for operation in KeyOperation::ALL {
            let gone = KmsKeyState::Deleted.admits(*operation);
            assert_eq!(gone, Err(F::Gone), "{operation}");
        }
    }

    proptest! {
        /// Whatever happens to a key, there is no way back from its erasure, and it is used only
        /// while it is enabled.
        #[test]
        fn an_erasure_is_final(events in prop::collection::vec(0..7_usize, 0..24)) {
            use KeyEvent as E;
            let all = [E::Enable, E::Disable, E::Schedule, E::Cancel, E::Due, E::EraseNow, E::Erased];
            let (mut state, mut scheduled, mut lost) = (KmsKeyState::Enabled, false, false);
            for event in events.into_iter().map(|at| all[at]) {
                let Some(next) = state.after(event) else { continue };
                prop_assert!(!lost || event == E::Erased, "{event:?} in {state:?}");
                prop_assert!(event != E::Due || scheduled);
                prop_assert!(event != E::Erased || lost, "erased without being told");
                scheduled = event == E::Schedule;
                lost |= matches!(event, E::Due | E::EraseNow);
                state = next;
                let usable = state.admits(KeyOperation::Decrypt).is_ok();
                prop_assert_eq!(usable, state == KmsKeyState::Enabled);
            }
            prop_assert_eq!(lost, matches!(state, KmsKeyState::Erasing | KmsKeyState::Deleted));
        }
    }
}
