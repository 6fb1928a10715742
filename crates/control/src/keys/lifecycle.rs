//! Making, listing, changing and deleting keys.

use std::{sync::Arc, time::Duration};

use cairn_model::{
    KeyOperation, KmsKey, KmsKeyId, KmsKeyState, Paged, Tags, Timestamp, Volume, VolumeState,
    kms_key::KeyEvent, tag as rules,
};
use cairn_store::{Connection, WriteTx, kms_alias, kms_grant, kms_key, volume as volumes};
use serde::{Deserialize, Serialize};

use super::{
    access::{Ask, List, admit, locate_by_id},
    fault::{KmsFault, check_absent, check_only, check_range},
    policies,
};
use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::kms::ScheduledDeletion,
    engine::blocking,
    jobs::{self, Failure, Job, Next},
    lock,
    request::kms as asked,
};

/// The longest description of a key, in characters.
const DESCRIPTION_MAX: usize = 8192;

/// The days that a deletion waits: the least, the most, and where nothing is said.
const DAYS: (i32, i32) = (7, 30);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The pause before a key that could not be erased is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// What a new key is, beside its id.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewKey {
    pub(crate) description: String,
    pub(crate) aws_managed: bool,
    pub(crate) tags: Tags,
    pub(crate) policy: Option<String>,
}

impl Control {
    /// Makes a key.
    pub async fn create_key(&self, caller: &Caller, description: Option<String>) -> Result<KmsKey> {
        let request = asked::CreateKey {
            description,
            ..Default::default()
        };
        self.create_kms_key(caller, request).await
    }

    /// Makes a key, as KMS's clients ask for one.
    pub async fn create_kms_key(
        &self,
        caller: &Caller,
        request: asked::CreateKey,
    ) -> Result<KmsKey> {
        check_kind(&request)?;
        let description = request.description.unwrap_or_default();
        check_description(&description)?;
        if let Some(policy) = &request.policy {
            let bypass = request.bypass_policy_lockout_safety_check.unwrap_or(false);
            let any = format!("arn:aws:kms:{}:{}:key/new", caller.region, caller.account);
            policies::check_policy(caller, &any, policy, bypass)?;
        }
        let new = NewKey {
            description,
            aws_managed: false,
            tags: tags(&request.tags)?,
            policy: request.policy,
        };
        let mut tx = self.store().write().await?;
        let key = self.insert_key(&mut tx, caller, new).await?;
        tx.commit().await?;
        Ok(key)
    }

    /// The caller's keys, oldest first, also those that were deleted.
    pub async fn list_keys(&self, caller: &Caller) -> Result<Vec<KmsKey>> {
        let mut read = self.store().read().await?;
        Ok(kms_key::list(&mut read, &caller.account, caller.region).await?)
    }

    /// The caller's keys as KMS lists them: without those that were deleted, in the order of their ids.
    pub async fn list_kms_keys(
        &self,
        caller: &Caller,
        request: asked::ListKeys,
    ) -> Result<Paged<KmsKey>> {
        let mut keys = self.list_keys(caller).await?;
        keys.retain(|key| key.state != KmsKeyState::Deleted);
        let list = List {
            operation: "ListKeys",
            about: "",
            limit: request.limit,
            marker: request.marker.as_deref(),
            usual: 100,
            max: 1000,
        };
        self.kms_page(caller, list, keys, |key| key.id.to_string())
    }

    /// A key by any of its names.
    pub async fn describe_key(
        &self,
        caller: &Caller,
        request: asked::DescribeKey,
    ) -> Result<KmsKey> {
        self.check_grant_tokens(&request.grant_tokens)?;
        let ask = Ask::of(KeyOperation::DescribeKey);
        self.kms_key(caller, &request.key_id, ask).await
    }

    /// The key of which it is asked whether its secret is changed now and then. It never is: what was
    /// kept under a key stays under that secret.
    pub async fn get_key_rotation_status(
        &self,
        caller: &Caller,
        request: asked::NamesKey,
    ) -> Result<KmsKey> {
        let conn = &mut *self.store().read().await?;
        let key = locate_by_id(conn, caller, &request.key_id).await?;
        admit(
            conn,
            caller,
            &key,
            Ask::of(KeyOperation::GetKeyRotationStatus),
        )
        .await?;
        Ok(key)
    }

    /// Lets a key be used again.
    pub async fn enable_key(&self, caller: &Caller, request: asked::NamesKey) -> Result<KmsKey> {
        let operation = KeyOperation::EnableKey;
        self.turn_key(caller, &request.key_id, operation, KeyEvent::Enable)
            .await
    }

    /// Stops the use of a key.
    pub async fn disable_key(&self, caller: &Caller, request: asked::NamesKey) -> Result<KmsKey> {
        let operation = KeyOperation::DisableKey;
        self.turn_key(caller, &request.key_id, operation, KeyEvent::Disable)
            .await
    }

    /// Stops the use of a key and has it erased in some days, unless that is cancelled.
    pub async fn schedule_key_deletion(
        &self,
        caller: &Caller,
        request: asked::ScheduleKeyDeletion,
    ) -> Result<ScheduledDeletion> {
        let days = request.pending_window_in_days.unwrap_or(DAYS.1);
        check_range("pendingWindowInDays", days, DAYS.0, DAYS.1)?;
        let mut tx = self.store().write().await?;
        let key = locate_by_id(&mut tx, caller, &request.key_id).await?;
        let ask = Ask::of(KeyOperation::ScheduleKeyDeletion);
        admit(&mut tx, caller, &key, ask).await?;
        lock::check_key_deletable(&mut tx, &key, self.now()).await?;
        let due = self.stamp().after(DAY * days.unsigned_abs());
        let key = change(&mut tx, &key, KeyEvent::Schedule, Some(due)).await?;
        let job = EraseKeyJob {
            key: key.id.clone(),
        };
        jobs::enqueue_at(&mut tx, &job, self.now(), due).await?;
        tx.commit().await?;
        self.keys().note(&key);
        Ok(ScheduledDeletion { key, days })
    }

    /// Takes back a deletion that has not come yet. The key is disabled then.
    pub async fn cancel_key_deletion(
        &self,
        caller: &Caller,
        request: asked::NamesKey,
    ) -> Result<KmsKey> {
        let operation = KeyOperation::CancelKeyDeletion;
        self.turn_key(caller, &request.key_id, operation, KeyEvent::Cancel)
            .await
    }

    /// Deletes a key at once and for good: whatever is kept under it can never be read again. It is
    /// being erased when this returns, and gone soon after. The operator's alone, whatever the key's
    /// policy says.
    pub async fn delete_key(&self, caller: &Caller, name: &str) -> Result<KmsKey> {
        caller.check_operator("erase a key at once; others schedule its deletion")?;
        let mut tx = self.store().write().await?;
        let key = super::verbs::find(&mut tx, caller, name).await?;
        if key.state.after(KeyEvent::EraseNow).is_none() {
            return Err(super::verbs::unusable(&key));
        }
        check_not_attached(&mut tx, &key).await?;
        lock::check_key_deletable(&mut tx, &key, self.now()).await?;
        let key = change(&mut tx, &key, KeyEvent::EraseNow, None).await?;
        let job = EraseKeyJob {
            key: key.id.clone(),
        };
        jobs::enqueue(&mut tx, &job, self.now()).await?;
        tx.commit().await?;
        self.keys().note(&key);
        self.wake_jobs();
        Ok(key)
    }

    /// Describes a key anew.
    pub async fn update_key_description(
        &self,
        caller: &Caller,
        request: asked::UpdateKeyDescription,
    ) -> Result<()> {
        check_description(&request.description)?;
        let operation = KeyOperation::UpdateKeyDescription;
        self.edit_key(caller, &request.key_id, operation, |key| {
            key.description = request.description;
            Ok(())
        })
        .await
    }

    /// Puts tags on a key, over those of the same keys.
    pub async fn tag_key(&self, caller: &Caller, request: asked::TagKey) -> Result<()> {
        let new = tags(&request.tags)?;
        self.edit_key(caller, &request.key_id, KeyOperation::TagResource, |key| {
            rules::put(&mut key.tags, &new).map_err(|fault| KmsFault::LimitExceeded.of(fault))
        })
        .await
    }

    /// Takes tags from a key.
    pub async fn untag_key(&self, caller: &Caller, request: asked::UntagKey) -> Result<()> {
        for key in &request.tag_keys {
            rules::check_key(key).map_err(|fault| KmsFault::Tag.of(fault))?;
        }
        self.edit_key(
            caller,
            &request.key_id,
            KeyOperation::UntagResource,
            |key| {
                key.tags.retain(|name, _| !request.tag_keys.contains(name));
                Ok(())
            },
        )
        .await
    }

    /// The tags of a key.
    pub async fn list_key_tags(
        &self,
        caller: &Caller,
        request: asked::ListOfKey,
    ) -> Result<Paged<(String, String)>> {
        let name = request.key_id.unwrap_or_default();
        let conn = &mut *self.store().read().await?;
        let key = locate_by_id(conn, caller, &name).await?;
        admit(conn, caller, &key, Ask::of(KeyOperation::ListResourceTags)).await?;
        let list = List {
            operation: "ListResourceTags",
            about: key.id.as_str(),
            limit: request.limit,
            marker: request.marker.as_deref(),
            usual: 50,
            max: 50,
        };
        let tags = key.tags.clone().into_iter().collect();
        self.kms_page(caller, list, tags, |(name, _): &(String, String)| {
            name.clone()
        })
    }

    /// Makes a key: first its file, then its row. A crash in between leaves a file that nothing names.
    pub(crate) async fn insert_key(
        &self,
        tx: &mut WriteTx,
        caller: &Caller,
        new: NewKey,
    ) -> Result<KmsKey> {
        let key = KmsKey {
            id: KmsKeyId::generate(self.entropy()),
            account: caller.account.clone(),
            region: caller.region,
            description: new.description,
            aws_managed: new.aws_managed,
            state: KmsKeyState::Enabled,
            create_time: self.stamp(),
            deletion_date: None,
            tags: new.tags,
            policy: new.policy,
        };
        let (keys, made) = (Arc::clone(self.keys()), key.clone());
        blocking(move || keys.make(&made)).await?;
        kms_key::insert(tx, &key).await?;
        Ok(key)
    }

    /// Has an event happen to a key. What is kept of its secret in memory is dropped once that is
    /// recorded.
    async fn turn_key(
        &self,
        caller: &Caller,
        name: &str,
        operation: KeyOperation,
        event: KeyEvent,
    ) -> Result<KmsKey> {
        let mut tx = self.store().write().await?;
        let key = locate_by_id(&mut tx, caller, name).await?;
        admit(&mut tx, caller, &key, Ask::of(operation)).await?;
        let key = change(&mut tx, &key, event, None).await?;
        tx.commit().await?;
        self.keys().note(&key);
        Ok(key)
    }

    /// Changes what a key says of itself.
    async fn edit_key(
        &self,
        caller: &Caller,
        name: &str,
        operation: KeyOperation,
        edit: impl FnOnce(&mut KmsKey) -> Result<()> + Send,
    ) -> Result<()> {
        let mut tx = self.store().write().await?;
        let mut key = locate_by_id(&mut tx, caller, name).await?;
        admit(&mut tx, caller, &key, Ask::of(operation)).await?;
        edit(&mut key)?;
        kms_key::update(&mut tx, &key.id.clone(), |kept| *kept = key).await?;
        Ok(tx.commit().await?)
    }
}

/// Records what an event makes of a key.
async fn change(
    tx: &mut WriteTx,
    key: &KmsKey,
    event: KeyEvent,
    deletion_date: Option<Timestamp>,
) -> Result<KmsKey> {
    let impossible = || Error::internal(format!("{event:?} of key {} is not possible", key.id));
    let state = key.state.after(event).ok_or_else(impossible)?;
    let changed = kms_key::update(tx, &key.id, |key| {
        key.state = state;
        key.deletion_date = deletion_date;
    });
    changed.await?.ok_or_else(impossible)
}

fn check_kind(request: &asked::CreateKey) -> Result<()> {
    check_only("KeyUsage", request.key_usage.as_deref(), "ENCRYPT_DECRYPT")?;
    check_only("KeySpec", request.key_spec.as_deref(), "SYMMETRIC_DEFAULT")?;
    let old_spec = request.customer_master_key_spec.as_deref();
    check_only("CustomerMasterKeySpec", old_spec, "SYMMETRIC_DEFAULT")?;
    check_only("Origin", request.origin.as_deref(), "AWS_KMS")?;
    check_absent("CustomKeyStoreId", request.custom_key_store_id.is_some())?;
    check_absent("XksKeyId", request.xks_key_id.is_some())?;
    check_absent("MultiRegion", request.multi_region == Some(true))
}

fn check_description(text: &str) -> Result<()> {
    match text.chars().count() <= DESCRIPTION_MAX {
        true => Ok(()),
        false => Err(KmsFault::Validation.of(format!(
            "The description may have up to {DESCRIPTION_MAX} characters."
        ))),
    }
}

fn tags(asked: &[asked::KeyTag]) -> Result<Tags> {
    let pairs = asked
        .iter()
        .map(|tag| (tag.tag_key.as_str(), tag.tag_value.as_str()));
    rules::checked(pairs).map_err(|fault| match fault {
        rules::TagError::LimitExceeded => KmsFault::LimitExceeded.of(fault),
        _ => KmsFault::Tag.of(fault),
    })
}

async fn check_not_attached(conn: &mut Connection, key: &KmsKey) -> Result<()> {
    let arn = key.arn();
    let volumes = volumes::list_in(conn, key.region).await?;
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

/// Erases a key, once its deletion date has come. From the moment its file is gone there is no way
/// back. A job whose deletion was cancelled, or put off, has nothing to do: each scheduling has its own.
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
            0 => self.begin(control).await,
            1 => self.erase(control).await,
            _ => self.show(control).await,
        }
    }

    /// It is tried until it succeeds: see [`erase`](Self::erase).
    async fn undo(&self, _control: &Control, _step: u32, _why: &str) -> Result<(), Failure> {
        Ok(())
    }
}

impl EraseKeyJob {
    async fn begin(&self, control: &Control) -> Result<Next, Failure> {
        let mut tx = control.store().write().await?;
        let Some(key) = kms_key::get(&mut tx, &self.key).await? else {
            return Ok(Next::Done);
        };
        let is_due = key.deletion_date.is_some_and(|due| due <= control.now());
        match key.state {
            KmsKeyState::Erasing => return Ok(Next::Step),
            KmsKeyState::PendingDeletion if is_due => {}
            _ => return Ok(Next::Done),
        }
        let key = change(&mut tx, &key, KeyEvent::Due, key.deletion_date).await?;
        tx.commit().await?;
        control.keys().note(&key);
        Ok(Next::Step)
    }

    async fn erase(&self, control: &Control) -> Result<Next, Failure> {
        if self.is_needed(control).await? {
            return Ok(Next::Later(control.now().after(AGAIN)));
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

    /// Whether a snapshot under the key is locked that was not when the key was to be deleted.
    async fn is_needed(&self, control: &Control) -> Result<bool, Failure> {
        let mut read = control.store().read().await?;
        let Some(key) = kms_key::get(&mut read, &self.key).await? else {
            return Ok(false);
        };
        let locked = lock::locked_under(&mut read, &key, control.now()).await?;
        Ok(!locked.is_empty())
    }

    /// KMS forgets the names and the permissions of a key that is gone.
    async fn show(&self, control: &Control) -> Result<Next, Failure> {
        let mut tx = control.store().write().await?;
        kms_key::update(&mut tx, &self.key, |key| {
            key.state = key.state.after(KeyEvent::Erased).unwrap_or(key.state);
        })
        .await?;
        kms_alias::delete_of(&mut tx, &self.key).await?;
        kms_grant::delete_of(&mut tx, &self.key).await?;
        tx.commit().await?;
        Ok(Next::Done)
    }
}
