//! What KMS refuses, in its own words.

use std::fmt::Display;

use crate::{Error, ErrorKind};

/// Conditions that KMS tells apart, beside those that others know as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the exceptions of KMS, by their names")]
pub enum KmsFault {
    AccessDenied,
    AlreadyExists,
    Disabled,
    DryRun,
    IncorrectKey,
    InvalidAliasName,
    InvalidArn,
    InvalidCiphertext,
    InvalidGrantId,
    InvalidGrantToken,
    InvalidMarker,
    InvalidState,
    LimitExceeded,
    MalformedPolicy,
    NotFound,
    Tag,
    Unsupported,
    Validation,
}

impl KmsFault {
    /// The refusal, with a sentence that helps.
    pub(crate) fn of(self, message: impl Display) -> Error {
        Error::new(ErrorKind::Kms(self), message)
    }
}

/// Refuses a text that is missing or too long; `member` is its name as KMS's sentences spell it.
pub(crate) fn check_length(member: &str, text: &str, max: usize) -> Result<(), Error> {
    match text.chars().count() {
        0 => Err(KmsFault::Validation.of(format!(
            "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must not be null and must have length greater than or equal to 1"
        ))),
        length if length > max => Err(KmsFault::Validation.of(format!(
            "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length less than or equal to {max}"
        ))),
        _ => Ok(()),
    }
}

/// Refuses a number out of bounds.
pub(crate) fn check_range(member: &str, value: i32, min: i32, max: i32) -> Result<(), Error> {
    match (min..=max).contains(&value) {
        true => Ok(()),
        false => Err(KmsFault::Validation.of(format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must be from {min} to {max}"
        ))),
    }
}

/// Refuses everything but the one value that there is here.
pub(crate) fn check_only(member: &str, asked: Option<&str>, only: &str) -> Result<(), Error> {
    match asked {
        Some(other) if other != only => Err(KmsFault::Unsupported.of(format!(
            "This server has {member} {only} only, not '{other}'."
        ))),
        _ => Ok(()),
    }
}

/// Refuses a member that has no effect here.
pub(crate) fn check_absent(member: &str, is_there: bool) -> Result<(), Error> {
    match is_there {
        true => Err(KmsFault::Unsupported.of(format!(
            "This server does not know what {member} asks for: leave it out."
        ))),
        false => Ok(()),
    }
}

/// Ends a call that was only to be checked, after its checks.
pub(crate) fn refuse_dry_run(dry_run: Option<bool>) -> Result<(), Error> {
    match dry_run {
        Some(true) => {
            Err(KmsFault::DryRun
                .of("The request would have succeeded, but the DryRun option is set."))
        }
        _ => Ok(()),
    }
}
