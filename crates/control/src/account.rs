//! Accounts and their access keys.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use cairn_model::{
    AccountId, Entropy, Region,
    permission::{is_organization, is_organizational_unit},
};
use cairn_store::{
    WriteTx,
    account::{self, Account},
};

use crate::{Control, Error, ErrorKind, Result, network};

pub use cairn_store::account::AccessKey;

/// The longest name of an account, in characters.
const NAME_MAX: usize = 128;

/// What access key ids are spelled with.
const KEY_ID_LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What secrets are spelled with: 64 letters, so that every six bits are one.
const SECRET_LETTERS: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A new account. Its secret is told this once.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Its number.
    pub account: AccountId,
    /// What people call it.
    pub name: Option<String>,
    /// The id of its access key.
    pub access_key_id: String,
    /// The secret half of its access key.
    pub secret_access_key: String,
}

/// The secret is not shown.
impl std::fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewAccount")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// The organization and the organizational units that an account belongs to, as ARNs. There is no
/// more to an organization here: permissions name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memberships {
    /// The organization.
    pub organization: Option<String>,
    /// Its units.
    pub units: Vec<String>,
}

/// The access keys that requests came with, so that a request need not read the metadata before it is known whose it is.
#[derive(Debug, Default)]
pub(crate) struct KnownKeys(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    /// How often everything was forgotten.
    generation: u64,
    keys: HashMap<String, Arc<AccessKey>>,
}

impl KnownKeys {
    fn get(&self, id: &str) -> Option<Arc<AccessKey>> {
        self.read().keys.get(id).cloned()
    }

    fn generation(&self) -> u64 {
        self.read().generation
    }

    /// Keeps a key that was read in a generation; not if that is over, since the key may have changed meanwhile.
    fn keep(&self, key: AccessKey, generation: u64) -> Arc<AccessKey> {
        let key = Arc::new(key);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.generation == generation {
            known.keys.insert(key.id.clone(), Arc::clone(&key));
        }
        key
    }

    /// To be called after every commit that changes an access key or its account.
    fn forget(&self) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.generation += 1;
        known.keys.clear();
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memberships {
    /// The ARNs, if that is what they are.
    fn checked(self) -> Result<Vec<String>> {
        let wrong = |arn: &String, what: &str| {
            let message = format!("'{arn}' is not the ARN of an {what}.");
            Error::new(ErrorKind::InvalidParameterValue, message)
        };
        if let Some(arn) = self
            .organization
            .as_ref()
            .filter(|arn| !is_organization(arn))
        {
            return Err(wrong(arn, "organization"));
        }
        if let Some(arn) = self.units.iter().find(|arn| !is_organizational_unit(arn)) {
            return Err(wrong(arn, "organizational unit"));
        }
        Ok(self.organization.into_iter().chain(self.units).collect())
    }
}

impl Control {
    /// As [`create_account_in`](Self::create_account_in), in no organization.
    pub async fn create_account(&self, name: Option<String>) -> Result<NewAccount> {
        self.create_account_in(name, Memberships::default()).await
    }

    /// Makes an account with an access key, and its default network in every region. The first
    /// account runs the server: it may make others.
    pub async fn create_account_in(
        &self,
        name: Option<String>,
        memberships: Memberships,
    ) -> Result<NewAccount> {
        check_name(name.as_deref())?;
        let memberships = memberships.checked()?;
        let mut tx = self.store().write().await?;
        let operator = account::list(&mut tx).await?.is_empty();
        let account = Account {
            id: AccountId::generate(self.entropy()),
            name,
            operator,
            created: self.now(),
            memberships,
        };
        account::insert(&mut tx, &account).await?;
        let key = new_account_key(self.entropy(), &account);
        account::insert_key(&mut tx, &key, self.now()).await?;
        prepare_regions(&mut tx, &account.id, self.entropy()).await?;
        tx.commit().await?;
        self.know_domains().await?;
        Ok(NewAccount {
            account: account.id,
            name: account.name,
            access_key_id: key.id,
            secret_access_key: key.secret,
        })
    }

    /// Sets the organization and the organizational units that an account belongs to, in place of all
    /// others.
    pub async fn set_memberships(
        &self,
        account: &str,
        memberships: Memberships,
    ) -> Result<Account> {
        let memberships = memberships.checked()?;
        let id: AccountId = account
            .parse()
            .map_err(|error| Error::new(ErrorKind::UserIdMalformed, error))?;
        let mut tx = self.store().write().await?;
        account::set_memberships(&mut tx, &id, &memberships).await?;
        let found = account::get(&mut tx, &id).await?;
        tx.commit().await?;
        self.known_keys().forget();
        let unknown = || format!("There is no account {id} on this server.");
        found.ok_or_else(|| Error::new(ErrorKind::InvalidParameterValue, unknown()))
    }

    /// All accounts, oldest first.
    pub async fn accounts(&self) -> Result<Vec<Account>> {
        Ok(account::list(&mut *self.store().read().await?).await?)
    }

    /// The access key of an id, to check a signature with.
    pub async fn access_key(&self, id: &str) -> Result<Option<Arc<AccessKey>>> {
        let known = self.known_keys();
        if let Some(key) = known.get(id) {
            return Ok(Some(key));
        }
        let generation = known.generation();
        let found = account::get_key(&mut *self.store().read_once().await?, id).await?;
        Ok(found.map(|key| known.keep(key, generation)))
    }

    /// The access key that the first account was made with; none before it is made.
    pub async fn operator_key(&self) -> Result<Option<AccessKey>> {
        Ok(account::operator_key(&mut *self.store().read().await?).await?)
    }
}

/// What an account has from the beginning in every region that it does not opt into.
pub(crate) async fn prepare_regions(
    tx: &mut WriteTx,
    account: &AccountId,
    entropy: &dyn Entropy,
) -> Result<()> {
    for region in Region::all().filter(|region| !region.needs_opt_in()) {
        prepare_region(tx, account, region, entropy).await?;
    }
    Ok(())
}

/// What an account has in a region from the beginning, or since it has opted in.
pub(crate) async fn prepare_region(
    tx: &mut WriteTx,
    account: &AccountId,
    region: Region,
    entropy: &dyn Entropy,
) -> Result<()> {
    cairn_store::domain::plain(tx, region, account)
        .await
        .map_err(Error::internal)?;
    network::create_default_network(tx, account, region, entropy).await
}

/// An access key for an account, not on record yet.
pub(crate) fn new_account_key(entropy: &dyn Entropy, account: &Account) -> AccessKey {
    AccessKey {
        id: format!("AKIA{}", letters(entropy, KEY_ID_LETTERS, 16)),
        account: account.id.clone(),
        secret: letters(entropy, SECRET_LETTERS, 40),
        operator: account.operator,
        memberships: account.memberships.clone(),
    }
}

/// A name stands on one line, in lists and in logs.
fn check_name(name: Option<&str>) -> Result<()> {
    let fits = |name: &str| {
        (1..=NAME_MAX).contains(&name.chars().count()) && !name.contains(char::is_control)
    };
    if name.is_none_or(fits) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidParameterValue,
        format!("The name of an account has 1 to {NAME_MAX} characters on one line."),
    ))
}

/// Letters drawn evenly: their number divides 256.
fn letters<const N: usize>(entropy: &dyn Entropy, alphabet: &[u8; N], count: usize) -> String {
    const { assert!(256 % N == 0) };
    let mut bytes = vec![0; count];
    entropy.fill(&mut bytes);
    bytes
        .iter()
        .map(|byte| char::from(alphabet[usize::from(*byte) % N]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> AccessKey {
        AccessKey {
            id: "AKIA".to_owned(),
            account: "123456789012".parse().expect("an account"),
            secret: secret.to_owned(),
            operator: false,
            memberships: Vec::new(),
        }
    }

    #[test]
    fn a_key_that_was_read_before_a_change_is_not_kept_after_it() {
        let known = KnownKeys::default();
        let generation = known.generation();
        known.keep(key("first"), generation);
        assert_eq!(known.get("AKIA").expect("known").secret, "first");
        known.forget();
        assert_eq!(known.get("AKIA"), None);
        assert_eq!(known.keep(key("first"), generation).secret, "first");
        assert_eq!(known.get("AKIA"), None);
        known.keep(key("second"), known.generation());
        assert_eq!(known.get("AKIA").expect("known").secret, "second");
    }
}
