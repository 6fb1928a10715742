//! A keyring whose keys come from a seed, and which can be told to refuse.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cairn_blocks::{DataKey, DomainId, KeyError, Keyring, Secrecy};
use zeroize::Zeroizing;

use crate::Rng;

/// A keyring in memory. Clones are the same keyring. A domain that it was not told of is plain.
#[derive(Clone)]
pub struct SimKeyring(Arc<Mutex<State>>);

struct State {
    salts: Rng,
    keys: BTreeMap<DomainId, DataKey>,
    erased: BTreeSet<DomainId>,
    withheld: BTreeSet<DomainId>,
}

impl SimKeyring {
    /// A keyring without keys, whose salts come from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            salts: Rng::new(seed),
            keys: BTreeMap::new(),
            erased: BTreeSet::new(),
            withheld: BTreeSet::new(),
        })))
    }

    /// Gives a domain the key that comes from `seed`.
    pub fn seal(&self, domain: DomainId, seed: u64) {
        self.lock().keys.insert(domain, key(seed));
    }

    /// Takes the key of a domain away for good.
    pub fn erase(&self, domain: DomainId) {
        self.lock().erased.insert(domain);
    }

    /// Refuses the key of a domain, until it is [given back](Self::give_back).
    pub fn withhold(&self, domain: DomainId) {
        self.lock().withheld.insert(domain);
    }

    /// Ends the refusal.
    pub fn give_back(&self, domain: DomainId) {
        self.lock().withheld.remove(&domain);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(seed: u64) -> DataKey {
    let mut bytes = Zeroizing::new([0; cairn_blocks::key::KEY_LEN]);
    Rng::new(seed).fill(&mut *bytes);
    DataKey::new(bytes)
}

impl fmt::Debug for SimKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimKeyring").finish_non_exhaustive()
    }
}

impl Keyring for SimKeyring {
    fn secrecy(&self, domain: DomainId) -> Result<Secrecy, KeyError> {
        let state = self.lock();
        if state.erased.contains(&domain) {
            return Ok(Secrecy::Erased);
        }
        if state.withheld.contains(&domain) {
            return Err(KeyError {
                domain,
                reason: "told to refuse it".into(),
            });
        }
        let key = state.keys.get(&domain).cloned();
        Ok(key.map_or(Secrecy::Plain, Secrecy::Sealed))
    }

    fn salt(&self) -> [u8; 16] {
        let mut salt = [0; 16];
        self.lock().salts.fill(&mut salt);
        salt
    }
}
