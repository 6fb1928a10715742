//! Making, listing and deleting keys, and which key a volume or snapshot is kept under.

use std::{sync::Arc, time::Duration};

use cairn_blocks::DataKey;
use cairn_model::{
    AccountId, KmsKey, KmsKeyId, KmsKeyState, Region, Snapshot, Timestamp, Volume, VolumeState,
    kms_key::{EBS_ALIAS, KeyName, id_of_arn},
};
use cairn_store::{
    Connection, WriteTx,
    domain::{self, Domain, Sealed},
    kms_key, volume as volumes,
};
use serde::{Deserialize, Serialize};

use super::{KeyFault, Purpose};
use crate::{
    Caller, Control, Error, ErrorKind, Result,
    engine::{EngineError, blocking},
    jobs::{self, Failure, Job, Next},
    lock,
};

/// The longest description of a key, in characters.
const DESCRIPTION_MAX: usize = 8192;

/// What KMS says of the key behind `alias/aws/ebs`.
const EBS_DESCRIPTION: &str =
    "Default key that protects my EBS volumes when no other key is defined";

/// The pause before a key that could not be erased is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// What is asked for of a new volume or snapshot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) encrypted: Option<bool>,
    /// The name of a key.
    pub(crate) key: Option<&'a str>,
    /// What it is made from.
    pub(crate) source: Option<&'a Snapshot>,
    /// Whether only to say what is wrong with it.
    pub(crate) dry_run: bool,
}

impl Control {
    /// Makes a key.
    pub async fn create_key(&self, caller: &Caller, description: Option<String>) -> Result<KmsKey> {
        let description = description.unwrap_or_default();
        if description.chars().count() > DESCRIPTION_MAX {
            let text = format!("The description may have up to {DESCRIPTION_MAX} characters.");
            return Err(Error::new(ErrorKind::InvalidParameterValue, text));
        }
        let mut tx = self.store().write().await?;
        let key = self.insert_key(&mut tx, caller, description, false).await?;
        tx.commit().await?;
        Ok(key)
    }

    /// The caller's keys, oldest first, also those that were deleted.
    pub async fn list_keys(&self, caller: &Caller) -> Result<Vec<KmsKey>> {
        let mut read = self.store().read().await?;
        Ok(kms_key::list(&mut read, &caller.account, caller.region).await?)
    }

    /// Deletes a key for good: whatever is kept under it can never be read again. It is
    /// `PendingDeletion` when this returns, and gone soon after.
    pub async fn delete_key(&self, caller: &Caller, name: &str) -> Result<KmsKey> {
        let mut tx = self.store().write().await?;
        let key = find(&mut tx, caller, name).await?;
        if key.state != KmsKeyState::Enabled {
            return Err(unusable(&key));
        }
        check_not_attached(&mut tx, &key).await?;
        lock::check_key_deletable(&mut tx, &key, self.now()).await?;
        let deleting = kms_key::update(&mut tx, &key.id, |key| {
            key.state = KmsKeyState::PendingDeletion;
        })
        .await?;
        jobs::enqueue(&mut tx, &EraseKeyJob { key: key.id }, self.now()).await?;
        tx.commit().await?;
        self.wake_jobs();
        deleting.ok_or_else(|| Error::internal("a key went while it was held"))
    }

    /// The key that something new is kept under; none if it is not encrypted. What is made from an
    /// encrypted snapshot always is.
    pub(crate) async fn key_for(&self, caller: &Caller, wish: Wish<'_>) -> Result<Option<KmsKey>> {
        let sealed = wish.source.filter(|source| source.kms_key_id.is_some());
        if let Some(source) = sealed {
            self.check_key(source.kms_key_id.as_deref()).await?;
            if wish.encrypted == Some(false) {
                return Err(Error::new(
                    ErrorKind::InvalidParameterValue,
                    "What is made from an encrypted snapshot is encrypted: leave out Encrypted, or set it to true.",
                ));
            }
        }
        // What is made of another account's snapshot, or in another region, is kept under a key of one's
        // own that is there.
        let is_own =
            |source: &&Snapshot| source.account == caller.account && source.region == caller.region;
        let own = sealed.filter(is_own);
        let inherited = own.and_then(|source| source.kms_key_id.as_deref());
        let decided = self.ebs_encryption(caller).await?;
        let is_encrypted = sealed.is_some() || wish.encrypted == Some(true) || decided.by_default;
        let unnamed = inherited.or(decided.key.as_deref());
        let key = match (wish.key, unnamed) {
            (Some(name), _) if !is_ebs_alias(caller, name) => self.named_key(caller, name).await?,
            (None, _) if !is_encrypted => return Ok(None),
            (None, Some(arn)) => self.usable_key(arn).await?,
            _ if wish.dry_run => return Ok(None),
            _ => self.ebs_key(caller).await?,
        };
        if wish.dry_run {
            return Ok(None);
        }
        self.ensure_domain(&key).await?;
        Ok(Some(key))
    }

    /// The key that a request makes the default; none if it would have to be made first.
    pub(crate) async fn default_key_named(
        &self,
        caller: &Caller,
        name: &str,
        dry_run: bool,
    ) -> Result<Option<KmsKey>> {
        match is_ebs_alias(caller, name) {
            true if dry_run => Ok(None),
            true => self.ebs_key(caller).await.map(Some),
            false => self.named_key(caller, name).await.map(Some),
        }
    }

    /// Refuses what is kept under a key that cannot be used any more.
    pub(crate) async fn check_key(&self, arn: Option<&str>) -> Result<()> {
        match arn {
            Some(arn) => self.usable_key(arn).await.map(drop),
            None => Ok(()),
        }
    }

    /// Draws the data key of a volume that is about to be recorded as encrypted. Called after its row
    /// is there, in the same transaction.
    pub(crate) async fn seal_volume(&self, tx: &mut WriteTx, volume: &Volume) -> Result<()> {
        let Some(arn) = &volume.kms_key_id else {
            return Ok(());
        };
        let key = by_arn(tx, arn).await?;
        check_usable(&key)?;
        let data_key = self
            .new_data_key(&key.id, Purpose::Volume(volume.id.clone()))
            .await?;
        Ok(volumes::set_data_key(tx, &volume.id, &data_key).await?)
    }

    /// What the bytes of a volume are encrypted with, if they are.
    pub(crate) async fn volume_key(&self, volume: &Volume) -> Result<Option<DataKey>, EngineError> {
        let Some(arn) = &volume.kms_key_id else {
            return Ok(None);
        };
        let sealed = {
            let mut read = self.store().read().await?;
            let key = by_arn(&mut read, arn).await?;
            if self.keys().is_erased(&key)? {
                return Err(KeyFault::Erased(key.id).into());
            }
            let data_key = volumes::data_key(&mut read, &volume.id).await?;
            Sealed {
                key: key.id,
                data_key: data_key.unwrap_or_default(),
            }
        };
        let (keys, purpose) = (Arc::clone(self.keys()), Purpose::Volume(volume.id.clone()));
        blocking(move || keys.data_key(&sealed, &purpose))
            .await
            .map(Some)
    }

    /// Has the block stores know of all domains that there are.
    pub(crate) async fn know_domains(&self) -> Result<()> {
        let mut read = self.store().read().await?;
        let keys = kms_key::list_all(&mut read).await?;
        for domain in domain::list_all(&mut read).await? {
            let is_erased = is_erased(self, &keys, &domain)?;
            self.keys().know(&domain, is_erased);
        }
        Ok(())
    }

    /// The key of a name that a request gives.
    async fn named_key(&self, caller: &Caller, name: &str) -> Result<KmsKey> {
        let key = find(&mut *self.store().read().await?, caller, name).await?;
        check_usable(&key)?;
        Ok(key)
    }

    /// The key of an ARN that a volume or snapshot has.
    async fn usable_key(&self, arn: &str) -> Result<KmsKey> {
        let key = by_arn(&mut *self.store().read().await?, arn).await?;
        check_usable(&key)?;
        Ok(key)
    }

    /// The key behind `alias/aws/ebs`; made on first use.
    async fn ebs_key(&self, caller: &Caller) -> Result<KmsKey> {
        let found = managed(&mut *self.store().read().await?, caller).await?;
        if let Some(key) = found {
            return Ok(key);
        }
        let mut tx = self.store().write().await?;
        if let Some(key) = managed(&mut tx, caller).await? {
            return Ok(key);
        }
        let description = EBS_DESCRIPTION.to_owned();
        let key = self.insert_key(&mut tx, caller, description, true).await?;
        tx.commit().await?;
        Ok(key)
    }

    /// Makes a key: first its file, then its row. A crash in between leaves a file that nothing names.
    async fn insert_key(
        &self,
        tx: &mut WriteTx,
        caller: &Caller,
        description: String,
        aws_managed: bool,
    ) -> Result<KmsKey> {
        let key = KmsKey {
            id: KmsKeyId::generate(self.entropy()),
            account: caller.account.clone(),
            region: caller.region,
            description,
            aws_managed,
            state: KmsKeyState::Enabled,
            create_time: self.stamp(),
        };
        let (keys, made) = (Arc::clone(self.keys()), key.clone());
        blocking(move || keys.make(&made)).await?;
        kms_key::insert(tx, &key).await?;
        Ok(key)
    }

    /// Makes the domain of blocks under a key, if there is none yet.
    pub(crate) async fn ensure_domain(&self, key: &KmsKey) -> Result<()> {
        let find = async |conn: &mut Connection| {
            domain::find(conn, key.region, &key.account, Some(&key.id)).await
        };
        if find(&mut *self.store().read().await?).await?.is_some() {
            return Ok(());
        }
        let mut tx = self.store().write().await?;
        if find(&mut tx).await?.is_none() {
            let id = domain::insert_sealed(&mut tx, key.region, &key.account, &key.id).await?;
            let data_key = self.new_data_key(&key.id, Purpose::Domain(id)).await?;
            domain::set_data_key(&mut tx, id, &data_key).await?;
        }
        tx.commit().await?;
        // Until this is done the block stores refuse to touch the domain.
        self.know_domains().await
    }

    pub(crate) async fn new_data_key(&self, key: &KmsKeyId, purpose: Purpose) -> Result<Vec<u8>> {
        let (keys, key) = (Arc::clone(self.keys()), key.clone());
        Ok(blocking(move || keys.new_data_key(&key, &purpose)).await?)
    }
}

/// Whether a domain's key is gone for good.
pub(crate) fn is_erased(control: &Control, keys: &[KmsKey], domain: &Domain) -> Result<bool> {
    let Some(sealed) = &domain.sealed else {
        return Ok(false);
    };
    match keys.iter().find(|key| key.id == sealed.key) {
        Some(key) => Ok(control.keys().is_erased(key).map_err(EngineError::from)?),
        None => Err(Error::internal(format!("key {} has no row", sealed.key))),
    }
}

/// The key in an ARN that a noun names, as `domain.key` has it.
pub(crate) fn key_of(arn: Option<&str>) -> Result<Option<KmsKeyId>> {
    arn.map(|arn| {
        id_of_arn(arn).ok_or_else(|| Error::internal(format!("{arn} is no ARN of a key")))
    })
    .transpose()
}

/// The domain of what is kept under a key, or under none.
pub(crate) async fn domain_of(
    conn: &mut Connection,
    region: Region,
    account: &AccountId,
    arn: Option<&str>,
) -> Result<Domain> {
    let key = key_of(arn)?;
    let found = domain::find(conn, region, account, key.as_ref()).await?;
    found.ok_or_else(|| {
        let key = arn.unwrap_or("no key");
        Error::internal(format!(
            "account {account} has no domain in {region} under {key}"
        ))
    })
}

/// The caller's key of a name.
async fn find(conn: &mut Connection, caller: &Caller, name: &str) -> Result<KmsKey> {
    let found = match KeyName::read(name, caller.region, &caller.account) {
        Some(KeyName::Id(id)) => kms_key::get(conn, &id).await?,
        Some(KeyName::Alias(alias)) if alias == EBS_ALIAS => managed(conn, caller).await?,
        Some(KeyName::Alias(_)) | None => None,
    };
    found
        .filter(|key| key.account == caller.account && key.region == caller.region)
        .ok_or_else(|| not_found(name))
}

async fn by_arn(conn: &mut Connection, arn: &str) -> Result<KmsKey> {
    let found = match id_of_arn(arn) {
        Some(id) => kms_key::get(conn, &id).await?,
        None => None,
    };
    found.ok_or_else(|| not_found(arn))
}

/// The key that EBS uses where none is named, if there is one that can be used.
async fn managed(conn: &mut Connection, caller: &Caller) -> Result<Option<KmsKey>> {
    let keys = kms_key::list(conn, &caller.account, caller.region).await?;
    let is_usable = |key: &KmsKey| key.aws_managed && key.state == KmsKeyState::Enabled;
    Ok(keys.into_iter().find(is_usable))
}

fn is_ebs_alias(caller: &Caller, name: &str) -> bool {
    let name = KeyName::read(name, caller.region, &caller.account);
    name == Some(KeyName::Alias(EBS_ALIAS.to_owned()))
}

fn check_usable(key: &KmsKey) -> Result<()> {
    match key.state {
        KmsKeyState::Enabled => Ok(()),
        _ => Err(unusable(key)),
    }
}

async fn check_not_attached(conn: &mut Connection, key: &KmsKey) -> Result<()> {
    let arn = key.arn();
    let volumes = volumes::list(conn, &key.account, key.region).await?;
    let is_used = |volume: &&Volume| {
        volume.state == VolumeState::InUse && volume.kms_key_id.as_deref() == Some(&*arn)
    };
    let used: Vec<_> = volumes
        .iter()
        .filter(is_used)
        .map(|v| v.id.as_str())
        .collect();
    if used.is_empty() {
        return Ok(());
    }
    let text = format!(
        "Key {} is in use by attached volumes, which have to be detached first: {}.",
        key.id,
        used.join(", ")
    );
    Err(Error::new(ErrorKind::KmsKeyInUse, text))
}

fn unusable(key: &KmsKey) -> Error {
    let state = match key.state {
        KmsKeyState::Enabled => "enabled",
        KmsKeyState::PendingDeletion => "pending deletion",
        KmsKeyState::Deleted => "deleted",
    };
    let text = format!(
        "The key {} is {state}: nothing that is kept under it can be used.",
        key.arn()
    );
    Error::new(ErrorKind::KmsKeyInvalidState, text)
}

fn not_found(name: &str) -> Error {
    let text = format!("The key '{name}' does not exist in this account and region.");
    Error::new(ErrorKind::KmsKeyNotFound, text)
}

/// Erases a key. From the moment its file is gone there is no way back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EraseKeyJob {
    key: KmsKeyId,
}

impl Job for EraseKeyJob {
    const KIND: &'static str = "erase-key";

    fn subject(&self) -> &str {
        self.key.as_str()
    }

    async fn step(&self, control: &Control, step: u32) -> Result<Next, Failure> {
        match step {
            0 => self.erase(control).await,
            _ => self.show(control).await,
        }
    }

    /// It is tried until it succeeds: see [`erase`](Self::erase).
    async fn undo(&self, _control: &Control, _step: u32, _why: &str) -> Result<(), Failure> {
        Ok(())
    }
}

impl EraseKeyJob {
    async fn erase(&self, control: &Control) -> Result<Next, Failure> {
        if let Some(later) = self.locked_until(control).await? {
            return Ok(Next::Later(later));
        }
        let (keys, key) = (Arc::clone(control.keys()), self.key.clone());
        match blocking(move || keys.erase(&key)).await {
            Ok(()) => Ok(Next::Step),
            Err(error) => {
                tracing::error!(key = %self.key, %error, "erase a key");
                Ok(Next::Later(control.now().after(AGAIN)))
            }
        }
    }

    /// When to look again, if a snapshot that is locked was not before the key was to be deleted.
    async fn locked_until(&self, control: &Control) -> Result<Option<Timestamp>, Failure> {
        let mut read = control.store().read().await?;
        let Some(key) = kms_key::get(&mut read, &self.key).await? else {
            return Ok(None);
        };
        let locked = lock::locked_under(&mut read, &key, control.now()).await?;
        Ok((!locked.is_empty()).then(|| control.now().after(AGAIN)))
    }

    async fn show(&self, control: &Control) -> Result<Next, Failure> {
        let mut tx = control.store().write().await?;
        kms_key::update(&mut tx, &self.key, |key| key.state = KmsKeyState::Deleted).await?;
        tx.commit().await?;
        Ok(Next::Done)
    }
}
