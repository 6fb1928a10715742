//! What every Describe has in common: ids, filters, pages.

use std::{collections::BTreeSet, fmt::Display, str::FromStr};

use aws_lc_rs::digest;
use cairn_model::{
    AccountId, Filter, Filterable, Paged,
    filter::Filters,
    page::{Bounds, Pager},
};

use crate::{Caller, Control, Error, ErrorKind, Result, request::Describe};

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

/// Who may restore or launch what is public.
pub(crate) const EVERYBODY: &str = "all";

/// Whether the caller is among the accounts named, or none is named. Aliases name others.
pub(crate) fn names_caller(caller: &Caller, names: &[String], aliases: &[&str]) -> Result<bool> {
    for name in names {
        let known =
            name == "self" || aliases.contains(&name.as_str()) || name.parse::<AccountId>().is_ok();
        if !known {
            let aliases = aliases.join(", ");
            return Err(Error::new(
                ErrorKind::UserIdMalformed,
                format!(
                    "Invalid user id: \"{name}\" (expecting an account number of twelve digits, self, {aliases})"
                ),
            ));
        }
    }
    Ok(names.is_empty()
        || names
            .iter()
            .any(|name| name == "self" || name == caller.account.as_str()))
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
    match wanted
        .iter()
        .find(|wanted| !found.iter().any(|noun| id(noun) == **wanted))
    {
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
        let pager = Pager {
            seal: self.control.seal(),
            scope: &scope,
            bounds: self.bounds,
        };
        Ok(pager.cut(nouns, &self.request.page, key)?)
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
