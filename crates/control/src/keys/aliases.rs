//! Aliases: other names of keys.

use cairn_model::{
    KeyOperation, KmsAlias, KmsKey, Paged,
    kms_key::{EBS_ALIAS, alias_arn, is_alias_name},
};
use cairn_store::{Connection, WriteTx, kms_alias};

use super::{
    access::{Ask, List, admit, locate_by_id, managed},
    fault::{KmsFault, check_length},
};
use crate::{
    Caller, Control, Error, Result,
    answer::kms::ListedAlias,
    request::kms::{DeleteAlias, ListOfKey, PutAlias},
};

/// The longest name of an alias, in characters.
const NAME_MAX: usize = 256;
/// Aliases that a key can have.
const ALIASES_MAX: usize = 50;

impl Control {
    /// Gives a key another name.
    pub async fn create_alias(&self, caller: &Caller, request: PutAlias) -> Result<()> {
        check_name(&request.alias_name)?;
        let mut tx = self.store().write().await?;
        let target = target(&mut tx, caller, &request, KeyOperation::CreateAlias).await?;
        if find(&mut tx, caller, &request.alias_name).await?.is_some() {
            let arn = alias_arn(caller.region, &caller.account, &request.alias_name);
            return Err(
                KmsFault::AlreadyExists.of(format!("An alias with the name {arn} already exists"))
            );
        }
        check_count(&mut tx, caller, &target).await?;
        let now = self.now();
        let alias = KmsAlias {
            name: request.alias_name,
            account: caller.account.clone(),
            region: caller.region,
            key: target.id,
            create_time: now,
            update_time: now,
        };
        kms_alias::put(&mut tx, &alias).await?;
        Ok(tx.commit().await?)
    }

    /// Leads an alias to another key.
    pub async fn update_alias(&self, caller: &Caller, request: PutAlias) -> Result<()> {
        check_name(&request.alias_name)?;
        let mut tx = self.store().write().await?;
        let mut alias = existing(&mut tx, caller, &request.alias_name).await?;
        let ask = Ask::of(KeyOperation::UpdateAlias);
        let from = locate_by_id(&mut tx, caller, alias.key.as_str()).await?;
        // What the state of the key before is does not matter.
        super::access::authorize(&mut tx, &caller.account, &from, ask).await?;
        let target = target(&mut tx, caller, &request, KeyOperation::UpdateAlias).await?;
        if target.id != from.id {
            check_count(&mut tx, caller, &target).await?;
        }
        alias.key = target.id;
        alias.update_time = self.now();
        kms_alias::put(&mut tx, &alias).await?;
        Ok(tx.commit().await?)
    }

    /// Takes a name away from its key.
    pub async fn delete_alias(&self, caller: &Caller, request: DeleteAlias) -> Result<()> {
        check_name(&request.alias_name)?;
        let mut tx = self.store().write().await?;
        let alias = existing(&mut tx, caller, &request.alias_name).await?;
        let key = locate_by_id(&mut tx, caller, alias.key.as_str()).await?;
        admit(&mut tx, caller, &key, Ask::of(KeyOperation::DeleteAlias)).await?;
        kms_alias::delete(&mut tx, &caller.account, caller.region, &alias.name).await?;
        Ok(tx.commit().await?)
    }

    /// The aliases of the caller, or those of one of its keys, and that of EBS.
    pub async fn list_aliases(
        &self,
        caller: &Caller,
        request: ListOfKey,
    ) -> Result<Paged<ListedAlias>> {
        let conn = &mut *self.store().read().await?;
        let key = match &request.key_id {
            Some(name) => Some(locate_by_id(conn, caller, name).await?),
            None => None,
        };
        let aliases = kms_alias::list(conn, &caller.account, caller.region).await?;
        let mut listed: Vec<_> = aliases.iter().map(show).collect();
        listed.push(show_ebs(conn, caller).await?);
        if let Some(key) = &key {
            listed.retain(|alias| alias.target.as_ref() == Some(&key.id));
        }
        let list = List {
            operation: "ListAliases",
            about: key.as_ref().map_or("", |key| key.id.as_str()),
            limit: request.limit,
            marker: request.marker.as_deref(),
            usual: 50,
            max: 100,
        };
        self.kms_page(caller, list, listed, |alias| alias.name.clone())
    }
}

fn show(alias: &KmsAlias) -> ListedAlias {
    ListedAlias {
        arn: alias_arn(alias.region, &alias.account, &alias.name),
        name: alias.name.clone(),
        target: Some(alias.key.clone()),
        create_time: Some(alias.create_time),
        update_time: Some(alias.update_time),
    }
}

async fn show_ebs(conn: &mut Connection, caller: &Caller) -> Result<ListedAlias> {
    let key = managed(conn, caller, &caller.account).await?;
    Ok(ListedAlias {
        name: EBS_ALIAS.to_owned(),
        arn: alias_arn(caller.region, &caller.account, EBS_ALIAS),
        create_time: key.as_ref().map(|key| key.create_time),
        update_time: key.as_ref().map(|key| key.create_time),
        target: key.map(|key| key.id),
    })
}

async fn find(conn: &mut Connection, caller: &Caller, name: &str) -> Result<Option<KmsAlias>> {
    Ok(kms_alias::get(conn, &caller.account, caller.region, name).await?)
}

async fn existing(conn: &mut Connection, caller: &Caller, name: &str) -> Result<KmsAlias> {
    let found = find(conn, caller, name).await?;
    found.ok_or_else(|| {
        let arn = alias_arn(caller.region, &caller.account, name);
        KmsFault::NotFound.of(format!("Alias {arn} is not found."))
    })
}

async fn target(
    tx: &mut WriteTx,
    caller: &Caller,
    request: &PutAlias,
    operation: KeyOperation,
) -> Result<KmsKey> {
    let key = locate_by_id(tx, caller, &request.target_key_id).await?;
    admit(tx, caller, &key, Ask::of(operation)).await?;
    Ok(key)
}

async fn check_count(tx: &mut WriteTx, caller: &Caller, key: &KmsKey) -> Result<()> {
    let aliases = kms_alias::list(tx, &caller.account, caller.region).await?;
    match aliases.iter().filter(|alias| alias.key == key.id).count() {
        count if count < ALIASES_MAX => Ok(()),
        _ => Err(KmsFault::LimitExceeded.of(format!("A key can have {ALIASES_MAX} aliases."))),
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    check_length("aliasName", name, NAME_MAX)?;
    match is_alias_name(name) {
        true => Ok(()),
        false => Err(KmsFault::InvalidAliasName.of(format!(
            "'{name}' is not the name of an alias that can be made: it has to be alias/ with letters, digits, /, _ and - behind it, and not to begin with alias/aws/."
        ))),
    }
}
