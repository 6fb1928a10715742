//! Idempotency tokens: a create call that is sent again makes nothing new.

use aws_lc_rs::digest;
use cairn_model::Timestamp;
use cairn_store::{Connection, WriteTx, token};
use serde::Serialize;

use crate::{Caller, Error, ErrorKind, Result};

/// The longest token of EC2, in characters.
const LONGEST: usize = 64;

/// The same of reports.
const LONGEST_OF_REPORTS: usize = 128;

/// The same of EBS direct.
const LONGEST_OF_EBS: usize = 255;

/// A create call with its token, if it has one.
#[derive(Clone, Debug)]
pub(crate) struct Idempotency<'a> {
    caller: &'a Caller,
    operation: &'static str,
    token: Option<&'a str>,
    fingerprint: String,
}

impl<'a> Idempotency<'a> {
    /// Of a request; an empty token is none.
    pub(crate) fn of<T: Serialize>(
        caller: &'a Caller,
        operation: &'static str,
        token: Option<&'a str>,
        request: &T,
    ) -> Result<Self> {
        let token = token.filter(|token| !token.is_empty());
        let longest = match operation {
            "StartSnapshot" => LONGEST_OF_EBS,
            "CreateImageUsageReport" => LONGEST_OF_REPORTS,
            _ => LONGEST,
        };
        if token.is_some_and(|token| token.chars().count() > longest) {
            return Err(Error::new(
                ErrorKind::InvalidParameterValue,
                format!("The client token may have up to {longest} characters."),
            ));
        }
        Ok(Self {
            caller,
            operation,
            token,
            fingerprint: fingerprint(request)?,
        })
    }

    /// The id of what an earlier call with this token made. Another request under the same token
    /// is refused.
    pub(crate) async fn known(&self, conn: &mut Connection) -> Result<Option<String>> {
        let Some(scope) = self.scope() else {
            return Ok(None);
        };
        match token::get(conn, scope).await? {
            Some(known) if known.request == self.fingerprint => Ok(Some(known.result)),
            Some(_) => Err(mismatch(scope.token)),
            None => Ok(None),
        }
    }

    /// Records what this call made, in the transaction that makes it.
    pub(crate) async fn record(
        &self,
        tx: &mut WriteTx,
        result: &str,
        now: Timestamp,
    ) -> Result<()> {
        let Some(scope) = self.scope() else {
            return Ok(());
        };
        let known = token::Known {
            request: self.fingerprint.clone(),
            result: result.to_owned(),
        };
        Ok(token::insert(tx, scope, &known, now).await?)
    }

    fn scope(&self) -> Option<token::Scope<'_>> {
        Some(token::Scope {
            account: &self.caller.account,
            region: self.caller.region,
            operation: self.operation,
            token: self.token?,
        })
    }
}

fn mismatch(token: &str) -> Error {
    Error::new(
        ErrorKind::IdempotentParameterMismatch,
        format!(
            "Arguments on this idempotent request are inconsistent with arguments used in previous request(s) with the client token '{token}'."
        ),
    )
}

fn fingerprint<T: Serialize>(request: &T) -> Result<String> {
    let text = serde_json::to_vec(request).map_err(Error::internal)?;
    Ok(hex::encode(digest::digest(&digest::SHA256, &text)))
}
