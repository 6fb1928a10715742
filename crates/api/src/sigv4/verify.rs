//! Whether what a client presents holds, now.

use std::{fmt::Display, time::Duration};

use cairn_model::Timestamp;

use super::{Parts, Payload, Presented, canonical, key::StringToSign, presented::stamp};

/// How far a client's clock may be off.
const SKEW: Duration = Duration::from_secs(15 * 60);
/// The longest that a query-signed request may be good for: seven days.
pub const EXPIRES_MAX_SECONDS: u64 = 7 * 24 * 60 * 60;

/// Why a request is not accepted as its sender's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// It presents nothing.
    #[error("Request is missing Authentication Token")]
    MissingToken,
    /// What it presents is not whole.
    #[error("{0}")]
    Incomplete(String),
    /// Nobody has this access key.
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
    /// It comes with a session token; there are no temporary credentials here.
    #[error("The security token included in the request is invalid.")]
    SessionToken,
    /// It is for another day, or for a region or service that is not here.
    #[error("{0}")]
    Scope(String),
    /// It is too old, or not yet good.
    #[error("{0}")]
    Expired(String),
    /// It signs something else, or with another secret.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
}

impl AuthError {
    pub(super) fn incomplete(why: impl Display) -> Self {
        Self::Incomplete(why.to_string())
    }

    pub(super) fn lacks(part: &str) -> Self {
        Self::Incomplete(format!("Authorization header requires '{part}' parameter."))
    }

    pub(super) fn unsupported(algorithm: &str) -> Self {
        Self::Incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'."))
    }
}

impl Presented {
    /// Whether it is for today and good now.
    ///
    /// # Errors
    ///
    /// If it is for another day than it was made on, too old, from the future, or comes with a
    /// session token.
    pub fn check_time(&self, now: Timestamp) -> Result<(), AuthError> {
        let day = &self.stamp[..8];
        if self.scope.date != day {
            return Err(AuthError::Scope(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{day}', from '{}'.",
                self.scope.date, self.stamp
            )));
        }
        if self.time > now.after(SKEW) {
            return Err(AuthError::Expired(format!(
                "Signature not yet current: {} is still later than {} ({} + 15 min.)",
                self.stamp,
                stamp(now.after(SKEW)),
                stamp(now)
            )));
        }
        self.check_age(now)
    }

    fn check_age(&self, now: Timestamp) -> Result<(), AuthError> {
        let lifetime = self.expires.map_or(SKEW, Duration::from_secs);
        if now <= self.time.after(lifetime) {
            return Ok(());
        }
        Err(AuthError::Expired(match self.expires {
            Some(_) => "Request has expired.".to_owned(),
            None => format!(
                "Signature expired: {} is now earlier than {} ({} - 15 min.)",
                self.stamp,
                stamp(Timestamp(now.0 - 15 * 60 * 1_000_000)),
                stamp(now)
            ),
        }))
    }

    /// Whether it signs this request under this secret.
    ///
    /// # Errors
    ///
    /// [`AuthError::Incomplete`] if a header that has to be signed is not, otherwise
    /// [`AuthError::Mismatch`].
    pub fn check_signature(
        &self,
        parts: &Parts<'_>,
        payload: &Payload<'_>,
        secret: &str,
    ) -> Result<(), AuthError> {
        self.check_signed_headers(parts)?;
        let canonical_request = canonical::request(parts, &self.signed_headers, payload);
        let string = StringToSign {
            stamp: &self.stamp,
            scope: &self.scope,
            canonical_request: &canonical_request,
        };
        string
            .verify(secret, &self.signature)
            .map_err(|_| AuthError::Mismatch)
    }

    /// Host and every `x-amz-` header have to be signed. A `Date` that says when need not be: the
    /// string to sign has the time itself.
    fn check_signed_headers(&self, parts: &Parts<'_>) -> Result<(), AuthError> {
        let signed = |name: &str| self.signed_headers.iter().any(|signed| signed == name);
        if !signed("host") {
            return Err(AuthError::incomplete(
                "'Host' must be a 'SignedHeader' in the AWS Authorization.",
            ));
        }
        let unsigned = parts
            .headers
            .keys()
            .find(|name| name.as_str().starts_with("x-amz-") && !signed(name.as_str()));
        match unsigned {
            Some(name) => Err(AuthError::incomplete(format_args!(
                "The header '{name}' must be signed."
            ))),
            None => Ok(()),
        }
    }
}
