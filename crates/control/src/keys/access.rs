//! Which key a request means, and whether its caller may do with it what it asks.
//!
//! In this order, as on AWS: is there such a key, does its policy or a grant allow the operation, does
//! its state. An account that is not the key's owner is not told whether there is one.

use cairn_model::{
    AccountId, EncryptionContext, KeyOperation, KmsGrant, KmsKey, KmsKeyState, Page, PageError,
    Paged, Pager,
    kms_key::{KeyName, NameFault, NamedKey, StateFault},
    kms_policy::{KeyRequest, Verdict},
    page::Bounds,
};
use cairn_store::{Connection, kms_alias, kms_grant, kms_key};

use super::{
    fault::{KmsFault, check_length},
    policies,
};
use crate::{Caller, Control, Error, Result};

/// The longest name of a key, in characters.
const NAME_MAX: usize = 2048;

static NO_CONTEXT: EncryptionContext = EncryptionContext::new();

/// What is to be done with a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) operation: KeyOperation,
    pub(crate) context: &'a EncryptionContext,
    /// The service that asks on the caller's behalf.
    pub(crate) via: Option<&'a str>,
}

impl Ask<'static> {
    /// By the caller itself, with no context.
    pub(crate) fn of(operation: KeyOperation) -> Self {
        Self {
            operation,
            context: &NO_CONTEXT,
            via: None,
        }
    }
}

impl<'a> Ask<'a> {
    pub(crate) fn with(operation: KeyOperation, context: &'a EncryptionContext) -> Self {
        Self {
            operation,
            context,
            via: None,
        }
    }
}

/// What allowed a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Policy,
    Grants(Vec<KmsGrant>),
}

impl Control {
    /// The key of a name, with which the caller may do what it asks. Aliases are taken.
    pub(crate) async fn kms_key(
        &self,
        caller: &Caller,
        name: &str,
        ask: Ask<'_>,
    ) -> Result<KmsKey> {
        self.make_named_key(caller, name).await?;
        let conn = &mut *self.store().read().await?;
        let key = locate(conn, caller, name).await?;
        admit(conn, caller, &key, ask).await?;
        Ok(key)
    }

    /// Makes the key behind `alias/aws/ebs` if that is the name, and there is none yet.
    async fn make_named_key(&self, caller: &Caller, name: &str) -> Result<()> {
        let named = NamedKey::read(name, caller.region, &caller.account);
        if named.is_ok_and(|named| named.is_of_ebs() && named.account == caller.account) {
            self.ebs_key(caller).await?;
        }
        Ok(())
    }

    /// Cuts a page out of a list of KMS, whose marker is good for the same question alone.
    pub(crate) fn kms_page<T>(
        &self,
        caller: &Caller,
        list: List<'_>,
        items: Vec<T>,
        key: impl Fn(&T) -> String,
    ) -> Result<Paged<T>> {
        let scope = format!(
            "{} {} {} {}",
            list.operation, caller.account, caller.region, list.about
        );
        let pager = Pager {
            seal: self.seal(),
            scope: &scope,
            bounds: Bounds {
                min: 1,
                max: list.max,
            },
        };
        let page = Page {
            max_results: Some(list.limit.unwrap_or(list.usual)),
            next_token: list.marker.map(str::to_owned),
        };
        pager.cut(items, &page, key).map_err(|error| match error {
            PageError::InvalidToken => {
                KmsFault::InvalidMarker.of("The marker is not one that this operation gave out.")
            }
            PageError::TooFew { .. } | PageError::TooMany { .. } => {
                KmsFault::Validation.of(format!("The limit must be from 1 to {}.", list.max))
            }
        })
    }
}

/// A list of KMS, and which page of it is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List<'a> {
    pub(crate) operation: &'static str,
    /// What else is asked for.
    pub(crate) about: &'a str,
    pub(crate) limit: Option<i32>,
    pub(crate) marker: Option<&'a str>,
    /// The limit where none is given.
    pub(crate) usual: i32,
    pub(crate) max: i32,
}

/// Refuses an operation with a key that neither policy nor grant allows, or its state does not.
pub(crate) async fn admit(
    conn: &mut Connection,
    caller: &Caller,
    key: &KmsKey,
    ask: Ask<'_>,
) -> Result<Way> {
    let way = authorize(conn, &caller.account, key, ask).await?;
    check_state(key, ask.operation)?;
    Ok(way)
}

/// Refuses what neither the policy of a key nor a grant lets an account do.
pub(crate) async fn authorize(
    conn: &mut Connection,
    account: &AccountId,
    key: &KmsKey,
    ask: Ask<'_>,
) -> Result<Way> {
    let arn = key.arn();
    let request = KeyRequest {
        account,
        operation: ask.operation,
        key_arn: &arn,
        via: ask.via,
        context: ask.context,
    };
    if key.account != *account && !is_cross_account(ask.operation) {
        return Err(denied(account, ask.operation, &arn));
    }
    match policies::of(key)?.verdict(&request) {
        Verdict::Allowed => return Ok(Way::Policy),
        Verdict::Denied => return Err(denied(account, ask.operation, &arn)),
        Verdict::Silent => {}
    }
    let mut grants = kms_grant::list(conn, &key.id).await?;
    grants.retain(|grant| grant.allows(&request));
    match grants.is_empty() {
        true => Err(denied(account, ask.operation, &arn)),
        false => Ok(Way::Grants(grants)),
    }
}

/// What another account can do with a key at all.
fn is_cross_account(operation: KeyOperation) -> bool {
    use KeyOperation as O;
    matches!(
        operation,
        O::Encrypt
            | O::Decrypt
            | O::ReEncryptFrom
            | O::ReEncryptTo
            | O::GenerateDataKey
            | O::GenerateDataKeyWithoutPlaintext
            | O::CreateGrant
            | O::ListGrants
            | O::RetireGrant
            | O::RevokeGrant
            | O::DescribeKey
            | O::GetKeyRotationStatus
    )
}

/// Refuses what the state of a key does not admit.
pub(crate) fn check_state(key: &KmsKey, operation: KeyOperation) -> Result<()> {
    let arn = key.arn();
    let state = key.state.as_str();
    key.state.admits(operation).map_err(|fault| match fault {
        StateFault::Disabled => KmsFault::Disabled.of(format!("{arn} is disabled.")),
        StateFault::Invalid
            if key.state == KmsKeyState::Enabled || key.state == KmsKeyState::Disabled =>
        {
            KmsFault::InvalidState.of(format!("{arn} is not pending deletion."))
        }
        StateFault::Invalid => KmsFault::InvalidState.of(format!("{arn} is pending deletion.")),
        StateFault::Gone => KmsFault::NotFound.of(format!("Key '{arn}' does not exist ({state}).")),
    })
}

/// The key of a name, which may be an alias.
pub(crate) async fn locate(conn: &mut Connection, caller: &Caller, name: &str) -> Result<KmsKey> {
    check_length("keyId", name, NAME_MAX)?;
    let named = read_name(caller, name)?;
    let found = match &named.name {
        KeyName::Id(id) => kms_key::get(conn, id).await?,
        KeyName::Alias(_) if named.is_of_ebs() => managed(conn, caller, &named.account).await?,
        KeyName::Alias(alias) => {
            match kms_alias::get(conn, &named.account, caller.region, alias).await? {
                Some(alias) => kms_key::get(conn, &alias.key).await?,
                None => None,
            }
        }
    };
    let is_it = |key: &KmsKey| {
        key.account == named.account
            && key.region == caller.region
            && key.state != KmsKeyState::Deleted
    };
    found.filter(is_it).ok_or_else(|| missing(caller, &named))
}

/// The key of an id or of the ARN of one.
pub(crate) async fn locate_by_id(
    conn: &mut Connection,
    caller: &Caller,
    name: &str,
) -> Result<KmsKey> {
    check_length("keyId", name, NAME_MAX)?;
    match read_name(caller, name)?.name {
        KeyName::Id(_) => locate(conn, caller, name).await,
        KeyName::Alias(_) => Err(KmsFault::NotFound.of(format!("Invalid keyId '{name}'"))),
    }
}

fn read_name(caller: &Caller, name: &str) -> Result<NamedKey> {
    NamedKey::read(name, caller.region, &caller.account).map_err(|fault| match fault {
        NameFault::Unknown => KmsFault::NotFound.of(format!("Invalid keyId '{name}'")),
        NameFault::Arn => KmsFault::InvalidArn.of(format!("Invalid arn {name}")),
        NameFault::Region => KmsFault::NotFound.of(format!(
            "Invalid arn {name}: it is not of the region {}",
            caller.region
        )),
    })
}

fn missing(caller: &Caller, named: &NamedKey) -> Error {
    let (region, account) = (caller.region, &named.account);
    let (what, name) = match &named.name {
        KeyName::Id(id) => ("Key", format!("key/{id}")),
        KeyName::Alias(alias) => ("Alias", alias.clone()),
    };
    let arn = format!("arn:aws:kms:{region}:{account}:{name}");
    match *account == caller.account {
        true => KmsFault::NotFound.of(format!("{what} '{arn}' does not exist")),
        false => KmsFault::AccessDenied.of(format!(
            "User: {} is not authorized to access {arn}: it does not exist in this region, or its key policy and its grants do not let this account in",
            caller.arn()
        )),
    }
}

fn denied(account: &AccountId, operation: KeyOperation, arn: &str) -> Error {
    KmsFault::AccessDenied.of(format!(
        "User: arn:aws:iam::{account}:root is not authorized to perform: kms:{operation} on resource: {arn} because neither the key policy nor a grant allows it"
    ))
}

/// The key that EBS uses where none is named, if there is one that can be used.
pub(crate) async fn managed(
    conn: &mut Connection,
    caller: &Caller,
    account: &AccountId,
) -> Result<Option<KmsKey>> {
    let keys = kms_key::list(conn, account, caller.region).await?;
    let is_usable = |key: &KmsKey| key.aws_managed && key.state == KmsKeyState::Enabled;
    Ok(keys.into_iter().find(is_usable))
}
