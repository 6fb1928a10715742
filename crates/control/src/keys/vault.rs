//! The files of keys: the root key, and one file for each key, wrapped under it.
//!
//! The root key file holds 32 bytes as 64 hexadecimal digits. It is made when the first key is, and
//! only its owner may read it. A file in `keys/` is JSON: what the key is, so that it can be
//! recovered without a database, and `Wrapped`, the wrapped secret, base64.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cairn_model::{AccountId, Entropy, KmsKey, KmsKeyId, KmsKeyState, Region, Tags, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::durable_file;

/// A secret of a key.
pub(crate) type Secret = Zeroizing<[u8; 32]>;

/// What the file of a key says it is.
const FORMAT: &str = "cairn key v1";

/// The longest file of a key that is read, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// Why a key cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyFault {
    #[error("the root key file {} is missing: put it back, or name its place with keys.root_key in config.toml", .0.display())]
    RootMissing(PathBuf),
    #[error("others than its owner may read the root key file {}: chmod 600 it", .0.display())]
    RootNotPrivate(PathBuf),
    #[error("the root key file {} does not hold 64 hexadecimal digits", .0.display())]
    RootMalformed(PathBuf),
    #[error("the root key file {} is not the one that key {key} was wrapped under", path.display())]
    WrongRoot { path: PathBuf, key: KmsKeyId },
    #[error("the file of key {key}, {}, is missing", path.display())]
    Missing { path: PathBuf, key: KmsKeyId },
    #[error("the file {} holds no key: {reason}", path.display())]
    Malformed { path: PathBuf, reason: String },
    #[error("the {0} does not fit the key it is to be unwrapped with")]
    DataKey(String),
    #[error("key {0} was deleted, and what was kept under it cannot be read any more")]
    Erased(KmsKeyId),
    #[error("{}: {reason}", path.display())]
    Io { path: PathBuf, reason: String },
}

/// Where the files of keys lie.
#[derive(Debug)]
pub(crate) struct Vault {
    dir: PathBuf,
    root: PathBuf,
}

/// The file of a key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyFile {
    format: String,
    key_id: KmsKeyId,
    account: AccountId,
    region: Region,
    description: String,
    aws_managed: bool,
    create_time: Timestamp,
    wrapped: String,
}

impl Vault {
    /// The files of keys in `dir`, wrapped under the root key in the file `root`. Nothing is read yet.
    pub(crate) fn new(dir: PathBuf, root: PathBuf) -> Self {
        Self { dir, root }
    }

    /// Draws the secret of a new key and writes its file. The root key is made if this is the first.
    pub(crate) fn make(&self, key: &KmsKey, entropy: &dyn Entropy) -> Result<(), KeyFault> {
        fs::create_dir_all(&self.dir).map_err(at(&self.dir))?;
        let root = match self.root() {
            Err(KeyFault::RootMissing(_)) if self.ids()?.is_empty() => self.make_root(entropy)?,
            root => root?,
        };
        let mut secret = Secret::default();
        entropy.fill(&mut *secret);
        let wrapped = wrap(&root, &purpose(&key.id), &secret, entropy)?;
        let file = KeyFile {
            format: FORMAT.to_owned(),
            key_id: key.id.clone(),
            account: key.account.clone(),
            region: key.region,
            description: key.description.clone(),
            aws_managed: key.aws_managed,
            create_time: key.create_time,
            wrapped: STANDARD.encode(wrapped),
        };
        let path = self.path(&key.id);
        let text = serde_json::to_vec_pretty(&file).map_err(|cause| malformed(&path, &cause))?;
        durable_file::replace(&path, &text, 0o600).map_err(at(&path))
    }

    /// The secret of a key.
    pub(crate) fn open(&self, id: &KmsKeyId) -> Result<Secret, KeyFault> {
        let file = self.read(id)?;
        let path = self.path(id);
        let wrapped = STANDARD
            .decode(&file.wrapped)
            .map_err(|cause| malformed(&path, &cause))?;
        unwrap(&self.root()?, &purpose(id), &wrapped).ok_or_else(|| KeyFault::WrongRoot {
            path: self.root.clone(),
            key: id.clone(),
        })
    }

    /// Whether a key has a file.
    pub(crate) fn holds(&self, id: &KmsKeyId) -> Result<bool, KeyFault> {
        let path = self.path(id);
        path.try_exists().map_err(at(&path))
    }

    /// Removes the file of a key, if there is one. Its bytes are overwritten first, for what that is
    /// worth on the file system that it lies on.
    pub(crate) fn erase(&self, id: &KmsKeyId) -> Result<(), KeyFault> {
        let path = self.path(id);
        match fs::OpenOptions::new().write(true).open(&path) {
            Ok(file) => overwrite(&file).map_err(at(&path))?,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(cause) => return Err(at(&path)(cause)),
        }
        durable_file::remove(&path).map_err(at(&path))
    }

    /// The keys that have a file, as far as their files can be read; and what is wrong with the
    /// others.
    pub(crate) fn list(&self) -> Result<(Vec<KmsKey>, Vec<KeyFault>), KeyFault> {
        let (mut keys, mut faults) = (Vec::new(), Vec::new());
        for id in self.ids()? {
            match self.read(&id) {
                Ok(file) => keys.push(KmsKey {
                    id: file.key_id,
                    account: file.account,
                    region: file.region,
                    description: file.description,
                    aws_managed: file.aws_managed,
                    state: KmsKeyState::Enabled,
                    create_time: file.create_time,
                    deletion_date: None,
                    tags: Tags::new(),
                    policy: None,
                }),
                Err(fault) => faults.push(fault),
            }
        }
        Ok((keys, faults))
    }

    fn ids(&self) -> Result<Vec<KmsKeyId>, KeyFault> {
        let entries = match fs::read_dir(&self.dir) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(at(&self.dir))?,
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(at(&self.dir))?.file_name();
            ids.extend(name.to_str().and_then(|name| name.parse::<KmsKeyId>().ok()));
        }
        ids.sort();
        Ok(ids)
    }

    fn read(&self, id: &KmsKeyId) -> Result<KeyFile, KeyFault> {
        let path = self.path(id);
        let missing = || KeyFault::Missing {
            path: path.clone(),
            key: id.clone(),
        };
        let found = match fs::metadata(&path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Err(missing()),
            other => other.map_err(at(&path))?,
        };
        if found.len() > FILE_BYTES_MAX {
            return Err(malformed(&path, &"it is too long"));
        }
        let text = fs::read(&path).map_err(at(&path))?;
        let file: KeyFile =
            serde_json::from_slice(&text).map_err(|cause| malformed(&path, &cause))?;
        match file.format == FORMAT && file.key_id == *id {
            true => Ok(file),
            false => Err(malformed(
                &path,
                &"it is of another format, or of another key",
            )),
        }
    }

    fn path(&self, id: &KmsKeyId) -> PathBuf {
        self.dir.join(id.as_str())
    }

    fn root(&self) -> Result<Secret, KeyFault> {
        let path = &self.root;
        let found = match fs::metadata(path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                return Err(KeyFault::RootMissing(path.clone()));
            }
            other => other.map_err(at(path))?,
        };
        if found.permissions().mode() & 0o077 != 0 {
            return Err(KeyFault::RootNotPrivate(path.clone()));
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(at(path))?);
        let mut root = Secret::default();
        hex::decode_to_slice(text.trim(), &mut *root)
            .map_err(|_| KeyFault::RootMalformed(path.clone()))?;
        Ok(root)
    }

    fn make_root(&self, entropy: &dyn Entropy) -> Result<Secret, KeyFault> {
        let mut root = Secret::default();
        entropy.fill(&mut *root);
        let text = Zeroizing::new(format!("{}\n", &*Zeroizing::new(hex::encode(*root))));
        durable_file::replace(&self.root, text.as_bytes(), 0o600).map_err(at(&self.root))?;
        tracing::info!(path = %self.root.display(), "made the root key: keep a copy of it apart from the data, since what is encrypted cannot be read without it");
        Ok(root)
    }
}

/// Wraps a secret: nonce, ciphertext, tag.
pub(crate) fn wrap(
    under: &Secret,
    purpose: &str,
    secret: &Secret,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, KeyFault> {
    let mut nonce = [0; NONCE_LEN];
    entropy.fill(&mut nonce);
    let mut sealed = Zeroizing::new(secret.to_vec());
    let key = wrapping_key(under);
    let tag = key.and_then(|key| {
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_separate_tag(nonce, Aad::from(purpose), &mut sealed)
            .ok()
    });
    let tag = tag.ok_or_else(|| KeyFault::DataKey(purpose.to_owned()))?;
    Ok([&nonce[..], &sealed, tag.as_ref()].concat())
}

/// Unwraps a secret; `None` if it was not wrapped under this key, for this purpose.
pub(crate) fn unwrap(under: &Secret, purpose: &str, wrapped: &[u8]) -> Option<Secret> {
    let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_LEN>()?;
    let mut sealed = Zeroizing::new(sealed.to_vec());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let opened = wrapping_key(under)?
        .open_in_place(nonce, Aad::from(purpose), &mut sealed)
        .ok()?;
    let mut secret = Secret::default();
    (opened.len() == secret.len()).then(|| secret.copy_from_slice(opened))?;
    Some(secret)
}

fn wrapping_key(under: &Secret) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM_SIV, &**under)
        .ok()
        .map(LessSafeKey::new)
}

fn purpose(id: &KmsKeyId) -> String {
    format!("cairn key {id}")
}

fn overwrite(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::FileExt as _;
    let len = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    file.write_all_at(&vec![0; len], 0)?;
    file.sync_all()
}

fn malformed(path: &Path, reason: &dyn std::fmt::Display) -> KeyFault {
    KeyFault::Malformed {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> KeyFault {
    let path = path.to_owned();
    move |cause| KeyFault::Io {
        path,
        reason: cause.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    #[derive(Debug, Default)]
    struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
        }
    }

    fn key(entropy: &dyn Entropy) -> KmsKey {
        KmsKey {
            id: KmsKeyId::generate(entropy),
            account: "123456789012".parse().unwrap(),
            region: Region::named("us-east-1").unwrap(),
            description: "mine".into(),
            aws_managed: false,
            state: KmsKeyState::Enabled,
            create_time: Timestamp(7),
            deletion_date: None,
            tags: Tags::new(),
            policy: None,
        }
    }

    struct Place {
        dir: tempfile::TempDir,
        vault: Vault,
        entropy: Counting,
    }

    impl Place {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let vault = Vault::new(dir.path().join("keys"), dir.path().join("root-key"));
            Self {
                dir,
                vault,
                entropy: Counting::default(),
            }
        }

        fn root(&self) -> PathBuf {
            self.dir.path().join("root-key")
        }
    }

    #[test]
    fn a_key_is_read_back_and_listed() {
        let place = Place::new();
        let key = key(&place.entropy);
        place.vault.make(&key, &place.entropy).unwrap();
        assert_eq!(
            place.vault.open(&key.id).unwrap(),
            place.vault.open(&key.id).unwrap()
        );
        assert_eq!(place.vault.list().unwrap(), (vec![key], vec![]));
    }

    #[test]
    fn both_files_are_their_owners_alone() {
        let place = Place::new();
        let key = key(&place.entropy);
        place.vault.make(&key, &place.entropy).unwrap();
        for path in [place.root(), place.vault.path(&key.id)] {
            let mode = fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::set_permissions(place.root(), fs::Permissions::from_mode(0o640)).unwrap();
        let fault = place.vault.open(&key.id).unwrap_err();
        assert_eq!(fault, KeyFault::RootNotPrivate(place.root()));
    }

    #[test]
    fn a_root_key_is_not_made_over_keys_that_need_another() {
        let place = Place::new();
        let one = key(&place.entropy);
        place.vault.make(&one, &place.entropy).unwrap();
        fs::remove_file(place.root()).unwrap();
        let missing = KeyFault::RootMissing(place.root());
        let refused = place.vault.make(&key(&place.entropy), &place.entropy);
        assert_eq!(refused, Err(missing.clone()));
        assert_eq!(place.vault.open(&one.id), Err(missing));
    }

    #[test]
    fn another_root_key_opens_nothing() {
        let place = Place::new();
        let key = key(&place.entropy);
        place.vault.make(&key, &place.entropy).unwrap();
        fs::write(place.root(), "ab".repeat(32)).unwrap();
        let fault = place.vault.open(&key.id).unwrap_err();
        assert!(matches!(fault, KeyFault::WrongRoot { .. }), "{fault}");
        fs::write(place.root(), "short").unwrap();
        assert_eq!(
            place.vault.open(&key.id),
            Err(KeyFault::RootMalformed(place.root()))
        );
    }

    #[test]
    fn a_changed_file_opens_nothing() {
        let place = Place::new();
        let key = key(&place.entropy);
        place.vault.make(&key, &place.entropy).unwrap();
        let path = place.vault.path(&key.id);
        let secret = place.vault.open(&key.id).unwrap();
        let whole = fs::read(&path).unwrap();
        let wrapped_at = String::from_utf8(whole.clone()).unwrap();
        let wrapped_at = wrapped_at.find("Wrapped\"").unwrap() + 11;
        for at in wrapped_at..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(&path, changed).unwrap();
            // White space and the end of the document are not the key's.
            let opened = place.vault.open(&key.id);
            assert!(
                opened.is_err() || opened.is_ok_and(|opened| opened == secret),
                "{at}"
            );
        }
    }

    #[test]
    fn what_is_erased_is_gone() {
        let place = Place::new();
        let key = key(&place.entropy);
        place.vault.make(&key, &place.entropy).unwrap();
        place.vault.erase(&key.id).unwrap();
        place.vault.erase(&key.id).unwrap();
        assert!(!place.vault.holds(&key.id).unwrap());
        let fault = place.vault.open(&key.id).unwrap_err();
        assert!(matches!(fault, KeyFault::Missing { .. }), "{fault}");
        assert_eq!(
            fs::read_dir(place.dir.path().join("keys")).unwrap().count(),
            0
        );
    }

    #[test]
    fn a_secret_is_bound_to_what_it_is_for() {
        let entropy = Counting::default();
        let (under, secret) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let wrapped = wrap(&under, "one", &secret, &entropy).unwrap();
        assert_eq!(unwrap(&under, "one", &wrapped), Some(secret));
        assert_eq!(unwrap(&under, "two", &wrapped), None);
        assert_eq!(unwrap(&Secret::new([3; 32]), "one", &wrapped), None);
        assert_eq!(unwrap(&under, "one", &wrapped[..11]), None);
        for at in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[at] ^= 0x10;
            assert_eq!(unwrap(&under, "one", &changed), None, "{at}");
        }
    }
}
