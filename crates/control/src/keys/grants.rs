//! Grants: permissions for a key that are given one by one.

use std::collections::BTreeSet;

use cairn_model::{
    KeyOperation, KmsGrant, KmsKey, Paged, kms_grant::GRANTABLE, kms_policy::account_of,
    page::Seal as _,
};
use cairn_store::{Connection, kms_grant, kms_key};

use super::{
    access::{Ask, List, Way, admit, authorize, check_state, locate_by_id},
    fault::{KmsFault, check_length, refuse_dry_run},
};
use crate::{
    Caller, Control, Error, Result,
    answer::kms::MadeGrant,
    request::kms::{CreateGrant, ListGrants, ListRetirableGrants, RetireGrant, RevokeGrant},
};

/// Grants that a key can have.
const GRANTS_MAX: usize = 50_000;
/// Tokens that a request can have.
const TOKENS_MAX: usize = 10;
/// The longest name, and the longest principal, in characters.
const NAME_MAX: usize = 256;
/// The length of an id, in bytes that are drawn.
const ID_BYTES: usize = 32;

impl Control {
    /// Makes a grant. One that has a name and was made before is given again.
    pub async fn create_grant(&self, caller: &Caller, request: CreateGrant) -> Result<MadeGrant> {
        self.check_grant_tokens(&request.grant_tokens)?;
        let mut tx = self.store().write().await?;
        let key = locate_by_id(&mut tx, caller, &request.key_id).await?;
        let grant = self.new_grant(caller, &key, &request)?;
        let way = admit(&mut tx, caller, &key, Ask::of(KeyOperation::CreateGrant)).await?;
        check_covered(&way, &grant)?;
        let known = kms_grant::list(&mut tx, &key.id).await?;
        if known.len() >= GRANTS_MAX {
            return Err(KmsFault::LimitExceeded.of(format!("A key can have {GRANTS_MAX} grants.")));
        }
        refuse_dry_run(request.dry_run)?;
        if let Some(same) = known.into_iter().find(|known| grant.is_same_request(known)) {
            return Ok(self.made(same.id));
        }
        kms_grant::insert(&mut tx, &grant).await?;
        tx.commit().await?;
        Ok(self.made(grant.id))
    }

    /// The grants of a key.
    pub async fn list_grants(
        &self,
        caller: &Caller,
        request: ListGrants,
    ) -> Result<(KmsKey, Paged<KmsGrant>)> {
        let conn = &mut *self.store().read().await?;
        let key = locate_by_id(conn, caller, &request.key_id).await?;
        admit(conn, caller, &key, Ask::of(KeyOperation::ListGrants)).await?;
        let mut grants = kms_grant::list(conn, &key.id).await?;
        if let Some(id) = &request.grant_id {
            check_id(id)?;
            grants.retain(|grant| grant.id == *id);
        }
        if let Some(principal) = &request.grantee_principal {
            let account = check_principal(principal)?;
            grants.retain(|grant| account_of(&grant.grantee).as_ref() == Some(&account));
        }
        let about = format!(
            "{} {:?} {:?}",
            key.id, request.grant_id, request.grantee_principal
        );
        let list = list(
            "ListGrants",
            &about,
            request.limit,
            request.marker.as_deref(),
        );
        let page = self.kms_page(caller, list, grants, |grant| grant.id.clone())?;
        Ok((key, page))
    }

    /// The grants that the caller may give back, each with its key.
    pub async fn list_retirable_grants(
        &self,
        caller: &Caller,
        request: ListRetirableGrants,
    ) -> Result<Paged<(KmsGrant, KmsKey)>> {
        let account = check_principal(&request.retiring_principal)?;
        if account != caller.account {
            return Err(KmsFault::AccessDenied.of(format!(
                "The grants that {account} may retire are told to that account alone."
            )));
        }
        let conn = &mut *self.store().read().await?;
        let mut found = Vec::new();
        for grant in kms_grant::list_in(conn, caller.region).await? {
            let retiring = grant.retiring.as_deref().and_then(account_of);
            if retiring.as_ref() == Some(&account) {
                let key = key_of(conn, &grant).await?;
                found.push((grant, key));
            }
        }
        let list = list(
            "ListRetirableGrants",
            "",
            request.limit,
            request.marker.as_deref(),
        );
        self.kms_page(caller, list, found, |(grant, _)| grant.id.clone())
    }

    /// Gives a grant back: by whom it is for, by whom it names for that, or by the key's owner.
    pub async fn retire_grant(&self, caller: &Caller, request: RetireGrant) -> Result<()> {
        let mut tx = self.store().write().await?;
        let grant = self.grant_to_retire(&mut tx, caller, &request).await?;
        let key = key_of(&mut tx, &grant).await?;
        if !grant.is_retirable_by(&caller.account) {
            authorize(
                &mut tx,
                &caller.account,
                &key,
                Ask::of(KeyOperation::RetireGrant),
            )
            .await?;
        }
        check_state(&key, KeyOperation::RetireGrant)?;
        refuse_dry_run(request.dry_run)?;
        kms_grant::delete(&mut tx, &grant.id).await?;
        Ok(tx.commit().await?)
    }

    /// Takes a grant away.
    pub async fn revoke_grant(&self, caller: &Caller, request: RevokeGrant) -> Result<()> {
        let mut tx = self.store().write().await?;
        let key = locate_by_id(&mut tx, caller, &request.key_id).await?;
        admit(&mut tx, caller, &key, Ask::of(KeyOperation::RevokeGrant)).await?;
        let grant = grant_of(&mut tx, &key, &request.grant_id).await?;
        refuse_dry_run(request.dry_run)?;
        kms_grant::delete(&mut tx, &grant.id).await?;
        Ok(tx.commit().await?)
    }

    /// Refuses tokens that were not given out here. They have no other effect: a grant is good from the
    /// moment that it is made.
    pub(crate) fn check_grant_tokens(&self, tokens: &[String]) -> Result<()> {
        if tokens.len() > TOKENS_MAX {
            return Err(
                KmsFault::Validation.of(format!("A request can have {TOKENS_MAX} grant tokens."))
            );
        }
        tokens
            .iter()
            .try_for_each(|token| self.grant_of_token(token).map(drop))
    }

    async fn grant_to_retire(
        &self,
        conn: &mut Connection,
        caller: &Caller,
        request: &RetireGrant,
    ) -> Result<KmsGrant> {
        match (&request.grant_token, &request.key_id, &request.grant_id) {
            (Some(token), None, None) => {
                let id = self.grant_of_token(token)?;
                let found = kms_grant::get(conn, &id).await?;
                found
                    .filter(|grant| grant.region == caller.region)
                    .ok_or_else(|| KmsFault::NotFound.of("The grant of this token does not exist."))
            }
            (None, Some(arn), Some(id)) => {
                let key = locate_by_id(conn, caller, arn).await?;
                grant_of(conn, &key, id).await
            }
            _ => Err(KmsFault::Validation.of(
                "Name the grant by GrantToken alone, or by KeyId (the key's ARN) and GrantId.",
            )),
        }
    }

    fn new_grant(&self, caller: &Caller, key: &KmsKey, request: &CreateGrant) -> Result<KmsGrant> {
        check_principal(&request.grantee_principal)?;
        if let Some(retiring) = &request.retiring_principal {
            check_principal(retiring)?;
        }
        if let Some(name) = &request.name {
            check_grant_name(name)?;
        }
        let constraints = request.constraints.clone().unwrap_or_default();
        let mut id = [0; ID_BYTES];
        self.entropy().fill(&mut id);
        Ok(KmsGrant {
            id: hex::encode(id),
            key: key.id.clone(),
            region: key.region,
            name: request.name.clone(),
            grantee: request.grantee_principal.clone(),
            retiring: request.retiring_principal.clone(),
            issuer: caller.account.clone(),
            operations: operations(&request.operations)?,
            constraints,
            create_time: self.stamp(),
        })
    }

    fn made(&self, id: String) -> MadeGrant {
        let seal = self.seal().seal(sealed(&id).as_bytes());
        let token = format!("{}{id}", hex::encode(seal));
        MadeGrant { id, token }
    }

    /// The id of the grant that a token is of.
    fn grant_of_token(&self, token: &str) -> Result<String> {
        let read = || {
            let (seal, id) = token.split_at_checked(64)?;
            let seal = hex::decode(seal).ok()?;
            let fits = self.seal().fits(sealed(id).as_bytes(), &seal);
            fits.then(|| id.to_owned())
        };
        read().ok_or_else(|| {
            KmsFault::InvalidGrantToken.of("The grant token is not one that was given out here.")
        })
    }
}

fn sealed(id: &str) -> String {
    format!("grant {id}")
}

fn list<'a>(
    operation: &'static str,
    about: &'a str,
    limit: Option<i32>,
    marker: Option<&'a str>,
) -> List<'a> {
    List {
        operation,
        about,
        limit,
        marker,
        usual: 50,
        max: 100,
    }
}

async fn key_of(conn: &mut Connection, grant: &KmsGrant) -> Result<KmsKey> {
    let found = kms_key::get(conn, &grant.key).await?;
    found.ok_or_else(|| Error::internal(format!("grant {} has no key", grant.id)))
}

async fn grant_of(conn: &mut Connection, key: &KmsKey, id: &str) -> Result<KmsGrant> {
    check_id(id)?;
    let found = kms_grant::get(conn, id).await?;
    found
        .filter(|grant| grant.key == key.id)
        .ok_or_else(|| KmsFault::NotFound.of(format!("Grant ID {id} not found")))
}

fn check_id(id: &str) -> Result<()> {
    match id.len() == 2 * ID_BYTES && id.bytes().all(|b| b.is_ascii_hexdigit()) {
        true => Ok(()),
        false => Err(KmsFault::InvalidGrantId.of(format!("'{id}' is not the id of a grant."))),
    }
}

fn check_principal(principal: &str) -> Result<cairn_model::AccountId> {
    check_length("principal", principal, NAME_MAX)?;
    account_of(principal).ok_or_else(|| {
        KmsFault::InvalidArn.of(format!(
            "'{principal}' is neither an account number nor the ARN of an account's root, and there are no other principals here."
        ))
    })
}

fn check_grant_name(name: &str) -> Result<()> {
    check_length("name", name, NAME_MAX)?;
    match name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b":/_-".contains(&b))
    {
        true => Ok(()),
        false => {
            Err(KmsFault::Validation.of("The name of a grant has letters, digits and :/_- only."))
        }
    }
}

fn operations(asked: &[String]) -> Result<BTreeSet<KeyOperation>> {
    if asked.is_empty() {
        return Err(KmsFault::Validation.of("A grant needs at least one operation."));
    }
    let read = |name: &String| {
        let mut known = GRANTABLE.iter().copied();
        known
            .find(|known| known.to_string() == *name)
            .ok_or_else(|| {
                KmsFault::Validation.of(format!(
                    "A grant for a symmetric encryption key cannot let '{name}' be done."
                ))
            })
    };
    asked.iter().map(read).collect()
}

/// Who may make grants by a grant gives on no more than that one has.
fn check_covered(way: &Way, grant: &KmsGrant) -> Result<()> {
    match way {
        Way::Grants(own) if !own.iter().any(|own| own.covers(grant)) => Err(KmsFault::AccessDenied
            .of("The grant would let more be done than the one that lets you make grants.")),
        Way::Grants(_) | Way::Policy => Ok(()),
    }
}
