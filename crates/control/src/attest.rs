//! Attestations: signed statements about snapshots that anyone can check who has the public key.
//!
//! An attestation travels as a small JSON file. What is signed is not that text but the bytes of
//! [`Statement::message`], so that the text may be reformatted.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cairn_blocks::Root;
use cairn_model::{Snapshot, SnapshotSignature, Statement, Timestamp};
use serde::{Deserialize, Serialize};

use crate::volume::GIB;

/// The largest attestation file that is read, in bytes. A real one has some 600.
pub const FILE_BYTES_MAX: usize = 16 << 10;

/// What the file says it is.
const FORMAT: &str = "cairn attestation v1";

/// A `SubjectPublicKeyInfo` of RFC 8410 before its 32 bytes of key.
const SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
const SPKI_LABEL: &str = "PUBLIC KEY";

/// A `PrivateKeyInfo` of RFC 8410 before its 32 bytes of seed.
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
const PKCS8_LABEL: &str = "PRIVATE KEY";

/// Why an attestation is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttestationError {
    /// It is longer than any attestation.
    #[error("this is no attestation: it has more than {FILE_BYTES_MAX} bytes")]
    TooLong,
    /// It is no JSON object of the right fields.
    #[error("this is no attestation: {0}")]
    Malformed(String),
    /// It is of a version that this program does not know.
    #[error(
        "this is no attestation that this version can read: its format is {0:?}, not \"cairn attestation v1\""
    )]
    Format(String),
    /// A field is not what it should be.
    #[error("the attestation's {field} is malformed")]
    Field {
        /// Its name in the file.
        field: &'static str,
    },
    /// The signature was not made under the key over this statement.
    #[error(
        "the signature does not fit: the attestation was changed after it was signed, or it was not signed by this key"
    )]
    Signature,
    /// It was signed by another key than the one to be trusted.
    #[error("the attestation is signed by the key {found}, not by {trusted}")]
    OtherKey {
        /// The key that it names.
        found: PublicKey,
        /// The key given.
        trusted: PublicKey,
    },
}

/// An Ed25519 public key. Shown as base64 of its `SubjectPublicKeyInfo`, on one line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads a key in PEM, or as it is shown.
    ///
    /// # Errors
    /// [`AttestationError::Field`] when it is neither.
    pub fn parse(text: &str) -> Result<Self, AttestationError> {
        let malformed = AttestationError::Field {
            field: "public key",
        };
        let der = match unpem(text, SPKI_LABEL) {
            Some(der) => der,
            None => STANDARD
                .decode(text.trim())
                .map_err(|_| malformed.clone())?,
        };
        der.strip_prefix(&SPKI_PREFIX)
            .and_then(|key| key.try_into().ok())
            .map(Self)
            .ok_or(malformed)
    }

    /// As a PEM file, which `openssl pkey -pubin` reads too.
    pub fn to_pem(self) -> String {
        pem(&self.spki(), SPKI_LABEL)
    }

    fn spki(self) -> Vec<u8> {
        [SPKI_PREFIX.as_slice(), &self.0].concat()
    }

    fn is_behind(self, message: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(message, signature)
            .is_ok()
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&STANDARD.encode(self.spki()))
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ed25519:{self}")
    }
}

/// A key that signs.
pub(crate) struct SigningKey {
    seed: [u8; 32],
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl SigningKey {
    /// The key of 32 random bytes.
    pub(crate) fn from_seed(seed: [u8; 32]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).ok()?;
        let public = PublicKey(pair.public_key().as_ref().try_into().ok()?);
        Some(Self { seed, pair, public })
    }

    /// Reads a private key in PEM (PKCS #8).
    pub(crate) fn from_pem(text: &str) -> Option<Self> {
        let der = zeroize::Zeroizing::new(unpem(text, PKCS8_LABEL)?);
        Self::from_seed(der.strip_prefix(&PKCS8_PREFIX)?.try_into().ok()?)
    }

    /// The private key in PEM (PKCS #8).
    pub(crate) fn to_pem(&self) -> zeroize::Zeroizing<String> {
        let der = zeroize::Zeroizing::new([PKCS8_PREFIX.as_slice(), &self.seed].concat());
        zeroize::Zeroizing::new(pem(&der, PKCS8_LABEL))
    }

    /// The half that everybody may know.
    pub(crate) fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs what a completed snapshot says of itself. None: it is not complete, or its digest
    /// is not that of its content.
    pub(crate) fn sign(&self, snapshot: &Snapshot) -> Option<SnapshotSignature> {
        let signature = self.pair.sign(&statement(snapshot)?.message());
        Some(SnapshotSignature {
            public_key: STANDARD.encode(self.public.0),
            signature: STANDARD.encode(signature.as_ref()),
        })
    }
}

impl Drop for SigningKey {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.seed);
    }
}

/// The private half is not shown.
impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.public)
    }
}

/// What there is to be stated about a snapshot, if it is completed and its digest is that of its
/// root and size.
pub(crate) fn statement(snapshot: &Snapshot) -> Option<Statement> {
    let root = Root {
        node: cairn_blocks::Digest(hex32(snapshot.root.as_deref()?)?),
        size_bytes: u64::try_from(snapshot.volume_size_gib).ok()? * GIB,
    };
    let digest = hex32(snapshot.digest.as_deref()?)?;
    (root.digest().0 == digest).then_some(Statement {
        digest,
        size_bytes: root.size_bytes,
        snapshot_id: snapshot.id.clone(),
        volume_id: snapshot.volume_id.clone(),
        account: snapshot.account.clone(),
        completion_time: snapshot.completion_time?,
    })
}

/// A statement, the key that signed it and its signature. Nothing is known of it before
/// [`check`](Self::check).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// What is stated.
    pub statement: Statement,
    /// The key that is said to have signed it.
    pub public_key: PublicKey,
    /// The signature.
    pub signature: [u8; 64],
}

impl Attestation {
    /// That of a snapshot that was signed.
    pub(crate) fn of(snapshot: &Snapshot, signature: &SnapshotSignature) -> Option<Self> {
        Some(Self {
            statement: statement(snapshot)?,
            public_key: PublicKey(base64_of(&signature.public_key)?),
            signature: base64_of(&signature.signature)?,
        })
    }

    /// Checks the signature; with a key to be trusted, also that it is this one that signed. With
    /// none, all that is known is that nothing was changed since whoever signed it did.
    ///
    /// # Errors
    /// [`AttestationError::OtherKey`], [`AttestationError::Signature`].
    pub fn check(&self, trusted: Option<PublicKey>) -> Result<(), AttestationError> {
        if let Some(trusted) = trusted.filter(|trusted| *trusted != self.public_key) {
            return Err(AttestationError::OtherKey {
                found: self.public_key,
                trusted,
            });
        }
        if !self
            .public_key
            .is_behind(&self.statement.message(), &self.signature)
        {
            return Err(AttestationError::Signature);
        }
        Ok(())
    }

    /// As it stands in a file.
    pub fn to_file(&self) -> AttestationFile {
        let Statement {
            digest,
            size_bytes,
            snapshot_id,
            volume_id,
            account,
            completion_time,
        } = &self.statement;
        AttestationFile {
            format: FORMAT.to_owned(),
            snapshot_id: snapshot_id.to_string(),
            volume_id: volume_id.to_string(),
            account: account.to_string(),
            size_bytes: *size_bytes,
            digest: hex::encode(digest),
            completion_time: completion_time.to_string(),
            public_key: self.public_key.to_string(),
            signature: STANDARD.encode(self.signature),
        }
    }

    /// Reads an attestation file that may come from anybody.
    ///
    /// # Errors
    /// All of [`AttestationError`] that are about form.
    pub fn read(bytes: &[u8]) -> Result<Self, AttestationError> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(AttestationError::TooLong);
        }
        let file: AttestationFile = serde_json::from_slice(bytes)
            .map_err(|cause| AttestationError::Malformed(cause.to_string()))?;
        file.try_into()
    }
}

/// The fields of an attestation file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AttestationFile {
    /// `cairn attestation v1`.
    pub format: String,
    /// The snapshot.
    pub snapshot_id: String,
    /// The volume it was taken of.
    pub volume_id: String,
    /// Its owner.
    pub account: String,
    /// Size of the volume in bytes.
    pub size_bytes: u64,
    /// The snapshot digest, hexadecimal.
    pub digest: String,
    /// When it was completed, RFC 3339.
    pub completion_time: String,
    /// The key that signed: base64 of its `SubjectPublicKeyInfo`.
    pub public_key: String,
    /// The signature, base64.
    pub signature: String,
}

impl TryFrom<AttestationFile> for Attestation {
    type Error = AttestationError;

    fn try_from(file: AttestationFile) -> Result<Self, AttestationError> {
        if file.format != FORMAT {
            return Err(AttestationError::Format(
                file.format.chars().take(40).collect(),
            ));
        }
        let field = |field| move || AttestationError::Field { field };
        let completed = Timestamp::parse(&file.completion_time);
        Ok(Self {
            statement: Statement {
                digest: hex32(&file.digest).ok_or_else(field("Digest"))?,
                size_bytes: file.size_bytes,
                snapshot_id: parse(&file.snapshot_id, "SnapshotId")?,
                volume_id: parse(&file.volume_id, "VolumeId")?,
                account: parse(&file.account, "Account")?,
                completion_time: completed.ok_or_else(field("CompletionTime"))?,
            },
            public_key: PublicKey::parse(&file.public_key).map_err(|_| field("PublicKey")())?,
            signature: base64_of(&file.signature).ok_or_else(field("Signature"))?,
        })
    }
}

fn parse<T: std::str::FromStr>(text: &str, field: &'static str) -> Result<T, AttestationError> {
    text.parse().map_err(|_| AttestationError::Field { field })
}

fn hex32(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

fn base64_of<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// RFC 7468, for what fits on one line.
fn pem(der: &[u8], label: &str) -> String {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        STANDARD.encode(der)
    )
}

fn unpem(text: &str, label: &str) -> Option<Vec<u8>> {
    let body = text
        .trim()
        .strip_prefix(&format!("-----BEGIN {label}-----"))?
        .strip_suffix(&format!("-----END {label}-----"))?;
    let body: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(body).ok()
}

#[cfg(test)]
mod tests {
    use cairn_model::{Region, SnapshotState, Tags};
    use proptest::prelude::*;

    use super::*;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed([seed; 32]).unwrap()
    }

    fn snapshot() -> Snapshot {
        let root = Root::empty(GIB);
        Snapshot {
            id: "snap-0123456789abcdef0".parse().unwrap(),
            account: "123456789012".parse().unwrap(),
            region: Region::named("us-east-1").unwrap(),
            volume_id: "vol-ffffffff".parse().unwrap(),
            volume_size_gib: 1,
            description: String::new(),
            state: SnapshotState::Completed,
            state_message: None,
            progress: 100,
            start_time: Timestamp(0),
            completion_time: Some(Timestamp(1_795_392_000_000_000)),
            encrypted: false,
            kms_key_id: None,
            parent_id: None,
            full_size_bytes: Some(0),
            root: Some(root.node.to_string()),
            digest: Some(root.digest().to_string()),
            signature: None,
            create_volume_permissions: Default::default(),
            copy: None,
            lock: None,
            recycled: None,
            tiering: None,
            tags: Tags::new(),
        }
    }

    fn attested(key: &SigningKey) -> Attestation {
        let snapshot = snapshot();
        Attestation::of(&snapshot, &key.sign(&snapshot).unwrap()).unwrap()
    }

    #[test]
    fn a_file_comes_back_and_holds() {
        let attestation = attested(&key(1));
        let text = serde_json::to_vec_pretty(&attestation.to_file()).unwrap();
        let read = Attestation::read(&text).unwrap();
        assert_eq!(read, attestation);
        assert_eq!(read.check(None), Ok(()));
        assert_eq!(read.check(Some(key(1).public())), Ok(()));
    }

    #[test]
    fn another_key_is_named_and_its_signature_does_not_fit() {
        let attestation = attested(&key(1));
        let refused = attestation.check(Some(key(2).public())).unwrap_err();
        assert!(
            refused.to_string().contains(&key(2).public().to_string()),
            "{refused}"
        );
        let renamed = Attestation {
            public_key: key(2).public(),
            ..attestation
        };
        assert_eq!(
            renamed.check(Some(key(2).public())),
            Err(AttestationError::Signature)
        );
    }

    /// Each field of the file changed to another good value, and to rubbish.
    #[test]
    fn no_field_can_be_changed() {
        let good = serde_json::to_value(attested(&key(1)).to_file()).unwrap();
        let changed = [
            ("SnapshotId", "snap-0123456789abcdef1".into()),
            ("VolumeId", "vol-fffffffe".into()),
            ("Account", "123456789013".into()),
            ("SizeBytes", (2 * GIB).into()),
            ("Digest", "00".repeat(32).into()),
            ("CompletionTime", "2026-11-24T00:00:00.000Z".into()),
            ("PublicKey", key(2).public().to_string().into()),
            ("Signature", STANDARD.encode([1; 64]).into()),
        ];
        for (field, value) in changed {
            let mut file = good.clone();
            file[field] = value;
            let read = Attestation::read(file.to_string().as_bytes()).unwrap();
            assert_eq!(
                read.check(None),
                Err(AttestationError::Signature),
                "{field}"
            );
        }
        let mut fields: Vec<&str> = changed_fields(&good);
        fields.push("Another");
        for field in fields {
            let mut file = good.clone();
            file[field] = "rubbish".into();
            assert!(
                Attestation::read(file.to_string().as_bytes()).is_err(),
                "{field}"
            );
            file.as_object_mut().unwrap().remove(field);
            let read = Attestation::read(file.to_string().as_bytes());
            assert_eq!(read.is_ok(), field == "Another", "{field}");
        }
    }

    fn changed_fields(file: &serde_json::Value) -> Vec<&str> {
        file.as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect()
    }

    #[test]
    fn what_is_not_complete_or_contradicts_itself_is_not_signed() {
        let incomplete = Snapshot {
            completion_time: None,
            ..snapshot()
        };
        assert_eq!(key(1).sign(&incomplete), None);
        let contradictory = Snapshot {
            volume_size_gib: 2,
            ..snapshot()
        };
        assert_eq!(key(1).sign(&contradictory), None);
    }

    /// The private key of RFC 8032, section 7.1, test 1, as OpenSSL writes it.
    #[test]
    fn keys_are_the_ones_of_the_standards() {
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let key = SigningKey::from_seed(hex32(seed).unwrap()).unwrap();
        assert_eq!(key.public(), PublicKey(hex32(public).unwrap()));
        let again = SigningKey::from_pem(&key.to_pem()).unwrap();
        assert_eq!(again.public(), key.public());
        let der = unpem(&key.to_pem(), PKCS8_LABEL).unwrap();
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).unwrap();
        for text in [key.public().to_pem(), key.public().to_string()] {
            assert_eq!(PublicKey::parse(&text), Ok(key.public()));
        }
        assert!(!format!("{key:?}").contains(&seed[..8]));
        for rubbish in ["", "rubbish", &key.to_pem()] {
            PublicKey::parse(rubbish).unwrap_err();
        }
        assert!(SigningKey::from_pem(&key.public().to_pem()).is_none());
    }

    proptest! {
        #[test]
        fn hostile_files_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert!(Attestation::read(&bytes).is_err());
        }

        /// A byte of a real file changed: refused, or the signature does not fit, or it means the same.
        #[test]
        fn a_changed_byte_changes_nothing_unseen(at in any::<prop::sample::Index>(), to in any::<u8>()) {
            let good = attested(&key(1));
            let mut text = serde_json::to_vec_pretty(&good.to_file()).unwrap();
            let at = at.index(text.len());
            text[at] = to;
            if let Ok(read) = Attestation::read(&text) {
                prop_assert!(read.check(Some(key(1).public())).is_err() || read == good);
            }
        }
    }

    #[test]
    fn a_file_without_end_is_not_read() {
        let nested = vec![b'['; FILE_BYTES_MAX];
        assert!(matches!(
            Attestation::read(&nested),
            Err(AttestationError::Malformed(_))
        ));
        assert_eq!(
            Attestation::read(&vec![b' '; FILE_BYTES_MAX + 1]),
            Err(AttestationError::TooLong)
        );
    }
}
