//! Which key a volume or snapshot is kept under, and whether that can be used.
//!
//! A key that is disabled or waits for its deletion stops all that is begun with it: volumes, snapshots,
//! copies, attachments, launches, reads and writes of blocks. What is attached keeps working until it is
//! detached, as on AWS.

use std::sync::Arc;

use cairn_blocks::{DataKey, DomainId};
use cairn_model::{
    AccountId, InstanceState, KeyOperation, KmsKey, KmsKeyId, KmsKeyState, Region, Snapshot,
    Volume,
    kms_key::{KeyName, NamedKey, id_of_arn},
};
use cairn_store::{
    Connection, WriteTx,
    domain::{self, Domain, Sealed},
    kms_key, volume as volumes,
};

use super::{
    KeyFault, KmsFault, Purpose,
    access::{self, Ask},
    lifecycle::NewKey,
};
use crate::{
    Caller, Control, Error, ErrorKind, Result,
    engine::{EngineError, blocking},
};

/// What KMS says of the key behind `alias/aws/ebs`.
const EBS_DESCRIPTION: &str =
    "Default key that protects my EBS volumes when no other key is defined";

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
    /// The key that something new is kept under; none if it is not encrypted. What is made from an
    /// encrypted snapshot always is.
    pub(crate) async fn key_for(&self, caller: &Caller, wish: Wish<'_>) -> Result<Option<KmsKey>> {
        let sealed = wish.source.filter(|source| source.kms_key_id.is_some());
        if let Some(source) = sealed {
            self.check_key_use(caller, source.kms_key_id.as_deref())
                .await?;
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
            (None, Some(arn)) => self.writable_key(caller, arn).await?,
            _ if wish.dry_run => return Ok(None),
            _ => self.ebs_key(caller).await?,
        };
        if wish.dry_run {
            return Ok(None);
        }
        self.ensure_domain(&caller.account, &key).await?;
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

    /// Refuses what is kept under a key that cannot be used now.
    pub(crate) async fn check_key(&self, arn: Option<&str>) -> Result<()> {
        check_arn(&mut *self.store().read().await?, arn).await
    }

    /// Refuses to go on with the blocks of a domain whose key cannot be used now.
    pub(crate) async fn check_key_of(&self, domain: DomainId) -> Result<()> {
        let conn = &mut *self.store().read().await?;
        let found = domain::get(conn, domain).await?;
        let Some(sealed) = found.and_then(|domain| domain.sealed) else {
            return Ok(());
        };
        let key = kms_key::get(conn, &sealed.key).await?;
        key.as_ref().map_or(Ok(()), check_usable)
    }

    /// Refuses to read what is kept under a key that cannot be used now, or not by the caller.
    pub(crate) async fn check_key_use(&self, caller: &Caller, arn: Option<&str>) -> Result<()> {
        let Some(arn) = arn else { return Ok(()) };
        let conn = &mut *self.store().read().await?;
        let key = by_arn(conn, arn).await?;
        check_usable(&key)?;
        check_allowed(conn, caller, &key, KeyOperation::Decrypt).await
    }

    /// Refuses to start instances that are stopped, with volumes under a key that cannot be used now.
    pub(crate) async fn check_keys_of_stopped(
        &self,
        caller: &Caller,
        ids: &[String],
    ) -> Result<()> {
        let conn = &mut *self.store().read().await?;
        for id in ids {
            let instance = self.find_instance(conn, caller, id).await?;
            if instance.state != InstanceState::Stopped {
                continue;
            }
            for device in &instance.block_devices {
                if let Some(volume) = volumes::get(conn, &device.volume_id).await? {
                    check_arn(conn, volume.kms_key_id.as_deref()).await?;
                }
            }
        }
        Ok(())
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
        // Only ever towards caution: a key may have been disabled since these were read.
        let disabled = keys.iter().filter(|key| key.state != KmsKeyState::Enabled);
        disabled.for_each(|key| self.keys().note(key));
        Ok(())
    }

    /// The key of a name that a request gives: the caller's, or another account's that lets it.
    async fn named_key(&self, caller: &Caller, name: &str) -> Result<KmsKey> {
        let conn = &mut *self.store().read().await?;
        let key = match find(conn, caller, name).await {
            Err(error) if error.kind == ErrorKind::KmsKeyNotFound => {
                let found = access::locate(conn, caller, name).await;
                found.map_err(|_| not_found(name))?
            }
            found => found?,
        };
        let allowed = check_allowed(conn, caller, &key, WRITE).await;
        allowed.map_err(|error| match error.kind {
            // Who is not let in is not told that there is such a key.
            ErrorKind::KmsKeyAccessDenied if key.account != caller.account => not_found(name),
            _ => error,
        })?;
        check_usable(&key)?;
        Ok(key)
    }

    /// The key of an ARN that a snapshot has, for something new.
    async fn writable_key(&self, caller: &Caller, arn: &str) -> Result<KmsKey> {
        let conn = &mut *self.store().read().await?;
        let key = by_arn(conn, arn).await?;
        check_usable(&key)?;
        check_allowed(conn, caller, &key, WRITE).await?;
        Ok(key)
    }

    /// The key behind `alias/aws/ebs`; made on first use.
    pub(crate) async fn ebs_key(&self, caller: &Caller) -> Result<KmsKey> {
        let managed =
            async |conn: &mut Connection| access::managed(conn, caller, &caller.account).await;
        if let Some(key) = managed(&mut *self.store().read().await?).await? {
            return Ok(key);
        }
        let mut tx = self.store().write().await?;
        if let Some(key) = managed(&mut tx).await? {
            return Ok(key);
        }
        let new = NewKey {
            description: EBS_DESCRIPTION.to_owned(),
            aws_managed: true,
            ..NewKey::default()
        };
        let key = self.insert_key(&mut tx, caller, new).await?;
        tx.commit().await?;
        Ok(key)
    }

    /// Makes the domain of an account's blocks under a key, which may be another's, if there is none yet.
    pub(crate) async fn ensure_domain(&self, account: &AccountId, key: &KmsKey) -> Result<()> {
        let find = async |conn: &mut Connection| {
            domain::find(conn, key.region, account, Some(&key.id)).await
        };
        if find(&mut *self.store().read().await?).await?.is_some() {
            return Ok(());
        }
        let mut tx = self.store().write().await?;
        if find(&mut tx).await?.is_none() {
            let id = domain::insert_sealed(&mut tx, key.region, account, &key.id).await?;
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

/// The caller's key of a name, in whatever state, also when its policy does not let the caller do
/// anything with it.
pub(crate) async fn find(conn: &mut Connection, caller: &Caller, name: &str) -> Result<KmsKey> {
    let own = NamedKey::read(name, caller.region, &caller.account)
        .ok()
        .filter(|named| named.account == caller.account);
    match own.map(|named| named.name) {
        // KMS does not know one that was deleted; it can be told what it is, though.
        Some(KeyName::Id(id)) => kms_key::get(conn, &id)
            .await?
            .filter(|key| key.account == caller.account && key.region == caller.region)
            .ok_or_else(|| not_found(name)),
        Some(KeyName::Alias(_)) => access::locate(conn, caller, name)
            .await
            .map_err(|_| not_found(name)),
        None => Err(not_found(name)),
    }
}

/// Whether something is kept under the account's own `alias/aws/ebs`, which nobody else can be let use.
pub(crate) async fn is_under_ebs_key(conn: &mut Connection, arn: Option<&str>) -> Result<bool> {
    let Some(id) = arn.and_then(id_of_arn) else {
        return Ok(false);
    };
    let key = kms_key::get(conn, &id).await?;
    Ok(key.is_some_and(|key| key.aws_managed))
}

/// Refuses what is kept under a key that cannot be used now.
pub(crate) async fn check_arn(conn: &mut Connection, arn: Option<&str>) -> Result<()> {
    match arn {
        Some(arn) => check_usable(&by_arn(conn, arn).await?),
        None => Ok(()),
    }
}

/// What an account needs to be allowed to keep something new under a key.
const WRITE: KeyOperation = KeyOperation::GenerateDataKeyWithoutPlaintext;

/// Refuses what neither the policy of a key nor a grant lets EBS do on behalf of the caller.
async fn check_allowed(
    conn: &mut Connection,
    caller: &Caller,
    key: &KmsKey,
    operation: KeyOperation,
) -> Result<()> {
    let via = format!("ec2.{}.amazonaws.com", caller.region);
    let ask = Ask {
        via: Some(&via),
        ..Ask::of(operation)
    };
    let allowed = access::authorize(conn, &caller.account, key, ask).await;
    allowed.map(drop).map_err(|error| match error.kind {
        ErrorKind::Kms(KmsFault::AccessDenied) => Error::new(ErrorKind::KmsKeyAccessDenied, error),
        _ => error,
    })
}

async fn by_arn(conn: &mut Connection, arn: &str) -> Result<KmsKey> {
    let found = match id_of_arn(arn) {
        Some(id) => kms_key::get(conn, &id).await?,
        None => None,
    };
    found.ok_or_else(|| not_found(arn))
}

fn is_ebs_alias(caller: &Caller, name: &str) -> bool {
    let named = NamedKey::read(name, caller.region, &caller.account);
    named.is_ok_and(|named| named.is_of_ebs() && named.account == caller.account)
}

fn check_usable(key: &KmsKey) -> Result<()> {
    match key.state {
        KmsKeyState::Enabled => Ok(()),
        _ => Err(unusable(key)),
    }
}

pub(crate) fn unusable(key: &KmsKey) -> Error {
    let state = match key.state {
        KmsKeyState::Enabled => "enabled",
        KmsKeyState::Disabled => "disabled",
        KmsKeyState::PendingDeletion | KmsKeyState::Erasing => "pending deletion",
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
