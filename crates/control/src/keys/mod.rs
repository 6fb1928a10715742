//! The keys that encrypted volumes and snapshots are kept under.
//!
//! ```text
//! root key file → key (one file each in keys/) → data key of a domain or a volume (its row, and the
//! record of each snapshot) → keys of packs, blob ids, data files and journals, derived
//! ```
//!
//! Each arrow is a wrapping: AES-256-GCM-SIV (RFC 8452) under a random nonce, bound to what it is for.
//! A key's secret exists in its file alone, in no database and in no copy of one, so that removing the file
//! erases all that was ever kept under the key. What is not encrypted needs none of this.
//!
//! - [`vault`]: the files.
//! - [`digests`]: digests of encrypted blocks in rows.
//! - [`verbs`]: which key a volume or snapshot gets, and whether it can be used.
//! - [`lifecycle`]: making, listing, changing and deleting keys, as KMS does.
//! - [`access`]: which key a request of KMS means, and who may do what with it.
//! - [`policies`], [`grants`], [`aliases`], [`crypto`]: the other verbs of KMS.
//! - [`ciphertext`]: what encrypting for clients yields.
//! - [`fault`]: what KMS refuses.

pub(crate) mod access;
pub mod aliases;
pub(crate) mod ciphertext;
pub mod crypto;
pub(crate) mod digests;
pub mod fault;
pub mod grants;
pub mod lifecycle;
pub mod policies;
pub(crate) mod vault;
pub mod verbs;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cairn_blocks::{DataKey, DomainId, KeyError, Keyring, Secrecy};
use cairn_model::{EncryptionContext, Entropy, KmsKey, KmsKeyId, KmsKeyState, VolumeId};
use cairn_store::domain::{Domain, Sealed};
use zeroize::Zeroizing;

use ciphertext::Ciphertext;
pub use fault::KmsFault;
pub(crate) use vault::{KeyFault, Vault};

/// Where data keys come from. Calls read small files, and are made from threads that may wait.
#[derive(Debug)]
pub(crate) struct Keys {
    vault: Vault,
    entropy: Arc<dyn Entropy>,
    domains: Mutex<HashMap<DomainId, Entry>>,
    /// Keys that must not be used. What is attached goes on being read and written, so their data keys
    /// can still be had, but none is kept for longer than it is needed.
    suspended: Mutex<HashSet<KmsKeyId>>,
    /// Whether a domain that nobody told of is taken for a plain one, rather than left alone.
    unknown_is_plain: bool,
}

#[derive(Clone, Debug)]
enum Entry {
    Plain,
    /// With its data key, once it was needed.
    Sealed(Sealed, Option<DataKey>),
    Erased,
}

/// What a data key is for. It can be unwrapped for nothing else.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    Domain(DomainId),
    Volume(VolumeId),
}

impl Purpose {
    fn text(&self) -> String {
        match self {
            Self::Domain(domain) => format!("cairn data key of domain {}", domain.0),
            Self::Volume(volume) => format!("cairn data key of volume {volume}"),
        }
    }
}

impl Keys {
    pub(crate) fn new(vault: Vault, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            vault,
            entropy,
            domains: Mutex::default(),
            suspended: Mutex::default(),
            unknown_is_plain: false,
        }
    }

    /// For the recovery of metadata, which finds domains in packs that no record knows of. A sealed
    /// pack is refused where a plain one is expected.
    pub(crate) fn taking_unknown_for_plain(self) -> Self {
        Self {
            unknown_is_plain: true,
            ..self
        }
    }

    /// Has the block stores know of a domain; until then they leave it alone.
    pub(crate) fn know(&self, domain: &Domain, is_erased: bool) {
        let entry = match &domain.sealed {
            None => Entry::Plain,
            Some(_) if is_erased => Entry::Erased,
            Some(sealed) => Entry::Sealed(sealed.clone(), None),
        };
        self.domains().entry(domain.id).or_insert(entry);
    }

    /// Whether a key is gone for good.
    pub(crate) fn is_erased(&self, key: &KmsKey) -> Result<bool, KeyFault> {
        Ok(match key.state {
            KmsKeyState::Enabled | KmsKeyState::Disabled | KmsKeyState::PendingDeletion => false,
            KmsKeyState::Erasing => !self.vault.holds(&key.id)?,
            KmsKeyState::Deleted => true,
        })
    }

    /// Takes notice of the state of a key, once it is recorded: of one that must not be used, what was
    /// kept in memory is dropped.
    pub(crate) fn note(&self, key: &KmsKey) {
        if key.state == KmsKeyState::Enabled {
            self.suspended().remove(&key.id);
            return;
        }
        self.suspended().insert(key.id.clone());
        for entry in self.domains().values_mut() {
            if let Entry::Sealed(sealed, opened) = entry
                && sealed.key == key.id
            {
                *opened = None;
            }
        }
    }

    /// Encrypts for a client.
    pub(crate) fn encrypt(
        &self,
        key: &KmsKeyId,
        context: &EncryptionContext,
        plaintext: &[u8],
    ) -> Result<Ciphertext, KeyFault> {
        let secret = self.vault.open(key)?;
        Ciphertext::seal(&secret, key, context, plaintext, &*self.entropy)
            .ok_or_else(|| KeyFault::DataKey("plaintext of a client".to_owned()))
    }

    /// Decrypts for a client; none if it is no ciphertext of this key and context.
    pub(crate) fn decrypt(
        &self,
        key: &KmsKeyId,
        sealed: &Ciphertext,
        context: &EncryptionContext,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeyFault> {
        Ok(sealed.open(&self.vault.open(key)?, context))
    }

    /// The keys that have a file, and what is wrong with the files that cannot be read.
    pub(crate) fn list(&self) -> Result<(Vec<KmsKey>, Vec<KeyFault>), KeyFault> {
        self.vault.list()
    }

    /// Draws the secret of a new key. Durable on return.
    pub(crate) fn make(&self, key: &KmsKey) -> Result<(), KeyFault> {
        self.vault.make(key, &*self.entropy)
    }

    /// Erases a key, and with it all that was kept under it. Durable on return.
    pub(crate) fn erase(&self, key: &KmsKeyId) -> Result<(), KeyFault> {
        self.vault.erase(key)?;
        for entry in self.domains().values_mut() {
            if matches!(entry, Entry::Sealed(sealed, _) if sealed.key == *key) {
                *entry = Entry::Erased;
            }
        }
        Ok(())
    }

    /// Draws a data key, and wraps it.
    pub(crate) fn new_data_key(
        &self,
        key: &KmsKeyId,
        purpose: &Purpose,
    ) -> Result<Vec<u8>, KeyFault> {
        let mut data_key = Zeroizing::new([0; 32]);
        self.entropy.fill(&mut *data_key);
        let wrapping = self.vault.open(key)?;
        vault::wrap(&wrapping, &purpose.text(), &data_key, &*self.entropy)
    }

    /// Unwraps a data key.
    pub(crate) fn data_key(&self, sealed: &Sealed, purpose: &Purpose) -> Result<DataKey, KeyFault> {
        let wrapping = self.vault.open(&sealed.key)?;
        vault::unwrap(&wrapping, &purpose.text(), &sealed.data_key)
            .map(DataKey::new)
            .ok_or_else(|| KeyFault::DataKey(purpose.text()))
    }

    fn suspended(&self) -> MutexGuard<'_, HashSet<KmsKeyId>> {
        self.suspended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn domains(&self) -> MutexGuard<'_, HashMap<DomainId, Entry>> {
        self.domains.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keyring for Keys {
    fn secrecy(&self, domain: DomainId) -> Result<Secrecy, KeyError> {
        let sealed = match self.domains().get(&domain) {
            None if self.unknown_is_plain => return Ok(Secrecy::Plain),
            None => {
                return Err(KeyError {
                    domain,
                    reason: "nothing is known of this domain".to_owned(),
                });
            }
            Some(Entry::Plain) => return Ok(Secrecy::Plain),
            Some(Entry::Erased) => return Ok(Secrecy::Erased),
            Some(Entry::Sealed(_, Some(data_key))) => return Ok(Secrecy::Sealed(data_key.clone())),
            Some(Entry::Sealed(sealed, None)) => sealed.clone(),
        };
        let data_key = self.data_key(&sealed, &Purpose::Domain(domain));
        let data_key = data_key.map_err(|fault| KeyError {
            domain,
            reason: fault.to_string(),
        })?;
        // Asked first and held on to: who suspends a key drops what is kept under it afterwards.
        let suspended = self.suspended();
        let is_kept = !suspended.contains(&sealed.key);
        match self.domains().get_mut(&domain) {
            Some(Entry::Sealed(_, opened)) => *opened = is_kept.then(|| data_key.clone()),
            // Erased while it was opened.
            _ => return Ok(Secrecy::Erased),
        }
        Ok(Secrecy::Sealed(data_key))
    }

    fn salt(&self) -> [u8; 16] {
        let mut salt = [0; 16];
        self.entropy.fill(&mut salt);
        salt
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use cairn_model::{Region, Tags, Timestamp};

    use super::*;

    #[derive(Debug, Default)]
    struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
        }
    }

    fn key() -> KmsKey {
        KmsKey {
            id: KmsKeyId::of_bytes(&[3; 16]),
            account: "123456789012".parse().unwrap(),
            region: Region::named("us-east-1").unwrap(),
            description: String::new(),
            aws_managed: false,
            state: KmsKeyState::Enabled,
            create_time: Timestamp(0),
            deletion_date: None,
            tags: Tags::new(),
            policy: None,
        }
    }

    impl Keys {
        fn keeps_a_data_key_of(&self, domain: DomainId) -> bool {
            matches!(self.domains().get(&domain), Some(Entry::Sealed(_, Some(_))))
        }
    }

    #[test]
    fn the_data_keys_of_a_disabled_key_are_not_kept_in_memory() {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::new(dir.path().join("keys"), dir.path().join("root-key"));
        let keys = Keys::new(vault, Arc::new(Counting::default()));
        let (key, id) = (key(), DomainId(5));
        keys.make(&key).unwrap();
        let domain = Domain {
            id,
            region: key.region,
            account: key.account.clone(),
            archive_of: None,
            sealed: Some(Sealed {
                key: key.id.clone(),
                data_key: keys.new_data_key(&key.id, &Purpose::Domain(id)).unwrap(),
            }),
        };
        keys.know(&domain, false);
        // What is attached reads on, whatever the state.
        let read = || matches!(keys.secrecy(id).unwrap(), Secrecy::Sealed(_));
        assert!(read() && keys.keeps_a_data_key_of(id));
        for state in [KmsKeyState::Disabled, KmsKeyState::PendingDeletion] {
            let stopped = KmsKey {
                state,
                ..key.clone()
            };
            keys.note(&stopped);
            assert!(!keys.keeps_a_data_key_of(id), "{state:?}");
            assert!(read() && !keys.keeps_a_data_key_of(id), "{state:?}");
            keys.note(&key);
            assert!(read() && keys.keeps_a_data_key_of(id), "{state:?}");
        }
    }
}
