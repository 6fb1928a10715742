//! What every Describe has in common: ids, filters, pages.

use std::{collections::BTreeSet, fmt::Display, str::FromStr};

use aws_lc_rs::digest;
use cairn_model::{
    AccountId, Facet, Filter, Filterable, Paged, Permissions, Viewer,
    filter::Filters,
    page::{Bounds, PageKey, Pager},
    permission::EVERYBODY,
};
use cairn_store::{
    Connection,
    facet::{Cursor, Finder, Listed},
};

use crate::{Caller, Control, Error, ErrorKind, Result, request::Describe};

/// The most nouns that are read at once.
const READ_MAX: usize = 1024;

/// The id that a client sent, or the refusal that belongs to its noun.
pub(crate) fn parse_id<T>(text: &str, malformed: ErrorKind) -> Result<T>
where
    T: FromStr<Err: Display>,
{
    text.parse().map_err(|e| Error::new(malformed, e))
}

/// Checks the ids of a Describe that is paged in the way of volumes and snapshots: ids and pages
/// exclude each other, and more results than the most are as good as the most. `set` is what EC2
/// calls the ids.
pub(crate) fn check_ids<T>(
    request: &mut Describe,
    malformed: ErrorKind,
    set: &str,
    bounds: Bounds,
) -> Result<()>
where
    T: FromStr<Err: Display>,
{
    for id in &request.ids {
        parse_id::<T>(id, malformed)?;
    }
    if !request.ids.is_empty() && request.page.max_results.is_some() {
        return Err(Error::new(
            ErrorKind::InvalidParameterCombination,
            format!("The parameter {set} cannot be used with the parameter maxResults"),
        ));
    }
    request.page.max_results = request.page.max_results.map(|asked| asked.min(bounds.max));
    Ok(())
}

/// Owners that nobody here is.
pub(crate) const OWNER_ALIASES: &[&str] = &["amazon", "aws-marketplace", "aws-backup-vault"];

/// The accounts that a request names as owners or users, `self` being the caller; none if it names nobody.
/// Of `others`, aliases of others and what else the call knows, nothing here is the owner.
pub(crate) fn accounts(
    caller: &Caller,
    names: &[String],
    others: &[&str],
) -> Result<Option<BTreeSet<AccountId>>> {
    let mut accounts = BTreeSet::new();
    for name in names {
        match (name.as_str(), name.parse::<AccountId>()) {
            ("self", _) => drop(accounts.insert(caller.account.clone())),
            (_, Ok(account)) => drop(accounts.insert(account)),
            (name, Err(_)) if others.contains(&name) => {}
            (name, Err(_)) => return Err(unknown_user(name, others)),
        }
    }
    Ok((!names.is_empty()).then_some(accounts))
}

fn unknown_user(name: &str, others: &[&str]) -> Error {
    let others = others.join(", ");
    let message = format!(
        "Invalid user id: \"{name}\" (expecting an account number of twelve digits, self, {others})"
    );
    Error::new(ErrorKind::UserIdMalformed, message)
}

/// Those of whom a request asks what they may use: everybody (`all`), the caller, by name or by
/// membership, or another account, by name.
#[derive(Clone, Debug)]
pub(crate) struct Users {
    viewer: Viewer,
    everybody: bool,
    /// None: all nouns are wanted.
    named: Option<BTreeSet<AccountId>>,
}

impl Users {
    pub(crate) fn read(caller: &Caller, names: &[String]) -> Result<Self> {
        Ok(Self {
            viewer: caller.viewer(),
            everybody: names.iter().any(|name| name == EVERYBODY),
            named: accounts(caller, names, &[EVERYBODY])?,
        })
    }

    /// Whether the caller is among those that are named.
    pub(crate) fn name_caller(&self) -> bool {
        let named = self.named.as_ref();
        named.is_some_and(|named| named.contains(&self.viewer.account))
    }

    /// Whether one of them may use what has these permissions.
    pub(crate) fn may_use(&self, permissions: &Permissions) -> bool {
        let Some(named) = &self.named else {
            return true;
        };
        let is_let_in = |account: &AccountId| match *account == self.viewer.account {
            true => permissions.let_in_by_name(&self.viewer),
            false => permissions.accounts.contains(account),
        };
        (self.everybody && permissions.public) || named.iter().any(is_let_in)
    }
}

/// What nouns of these owners are looked up by; nothing, if anybody's are wanted.
pub(crate) fn owned_by(owners: Option<&BTreeSet<AccountId>>) -> Vec<Vec<Facet>> {
    let owned = |account: &AccountId| Facet::is("owner-id", account.as_str());
    owners
        .into_iter()
        .map(|owners| owners.iter().map(owned).collect())
        .collect()
}

/// Ends a call that was only to be checked, after its checks.
pub(crate) fn refuse_dry_run(dry_run: bool) -> Result<()> {
    if dry_run {
        return Err(Error::new(
            ErrorKind::DryRun,
            "Request would have succeeded, but DryRun flag is set.",
        ));
    }
    Ok(())
}

/// The nouns of these ids, which all have to be there; all nouns when no ids are given.
pub(crate) fn select<T>(
    nouns: Vec<T>,
    ids: &[String],
    id: impl Fn(&T) -> &str,
    missing: impl Fn(&str) -> Error,
) -> Result<Vec<T>> {
    if ids.is_empty() {
        return Ok(nouns);
    }
    let wanted: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    let found: Vec<T> = nouns
        .into_iter()
        .filter(|noun| wanted.contains(id(noun)))
        .collect();
    let known: BTreeSet<&str> = found.iter().map(&id).collect();
    match wanted.difference(&known).next() {
        Some(unknown) => Err(missing(unknown)),
        None => Ok(found),
    }
}

/// A Describe on its way: whose, and which.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) control: &'a Control,
    pub(crate) caller: &'a Caller,
    /// The operation, such as `DescribeVolumes`: tokens of one are not good for another.
    pub(crate) operation: &'static str,
    /// Bounds of MaxResults.
    pub(crate) bounds: Bounds,
    pub(crate) request: &'a Describe,
}

impl Question<'_> {
    /// The nouns that pass the filters, a page of them, in the order of `key`.
    pub(crate) fn answer<T: Filterable>(
        &self,
        nouns: Vec<T>,
        key: impl Fn(&T) -> String,
    ) -> Result<Paged<T>> {
        let filters = Filters::of::<T>(&self.request.filters)?;
        refuse_dry_run(self.request.dry_run)?;
        let nouns = nouns
            .into_iter()
            .filter(|noun| filters.matches(noun))
            .collect();
        let scope = self.scope();
        Ok(self.pager(&scope).cut(nouns, &self.request.page, key)?)
    }

    /// As [`answer`](Self::answer), of nouns that are looked up: those that `see` shows, among those that the caller
    /// finds and that have one of the facets of each of `choices`. Reads in proportion to the nouns that have a facet
    /// of the most selective filter, up to the end of the page.
    pub(crate) async fn look_up<T: Listed, S: Filterable>(
        &self,
        conn: &mut Connection,
        mut choices: Vec<Vec<Facet>>,
        see: impl Fn(T) -> Option<S>,
    ) -> Result<Paged<S>> {
        let filters = Filters::of::<S>(&self.request.filters)?;
        refuse_dry_run(self.request.dry_run)?;
        let scope = self.scope();
        let pager = self.pager(&scope);
        let (limit, after) = pager.begin(&self.request.page)?;
        let after = after.map(|key| key.parse()).transpose()?;
        choices.extend(filters.facets::<T>());
        let mut cursor = self.cursor::<T>(conn, &choices, after).await?;
        let mut shown = Vec::new();
        // One more than the page takes tells whether there is another page.
        let mut most = limit.saturating_add(1).min(READ_MAX);
        while shown.len() <= limit {
            let nouns = cursor.next(conn, most).await?;
            if nouns.is_empty() {
                break;
            }
            let with_key = |noun: T| {
                let key = noun.page_key().to_string();
                Some((key, see(noun).filter(|seen| filters.matches(seen))?))
            };
            let here = |noun: &T| noun.region() == self.caller.region;
            shown.extend(nouns.into_iter().filter(here).filter_map(with_key));
            most = READ_MAX;
        }
        Ok(pager.end(shown, limit))
    }

    async fn cursor<T: Listed>(
        &self,
        conn: &mut Connection,
        choices: &[Vec<Facet>],
        after: Option<PageKey>,
    ) -> Result<Cursor<T>> {
        let viewer = self.caller.viewer();
        let names: Vec<&str> = viewer.grantees().collect();
        let finder = Finder {
            region: self.caller.region,
            names: &names,
        };
        Ok(Cursor::open(conn, finder, choices, after).await?)
    }

    fn pager<'b>(&'b self, scope: &'b str) -> Pager<'b> {
        Pager {
            seal: self.control.seal(),
            scope,
            bounds: self.bounds,
        }
    }

    /// What a page token belongs to: the question with everything but the page.
    fn scope(&self) -> String {
        let Describe {
            ids,
            names,
            filters,
            ..
        } = self.request;
        let filters: Vec<_> = filters
            .iter()
            .map(|Filter { name, values }| (name, values))
            .collect();
        let question = format!("{ids:?} {names:?} {filters:?}");
        let hash = hex::encode(digest::digest(&digest::SHA256, question.as_bytes()));
        format!(
            "{} {} {} {hash}",
            self.operation, self.caller.account, self.caller.region
        )
    }
}
