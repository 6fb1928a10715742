//! Who asks, and where.

use cairn_model::{AccountId, Region, Viewer};

use crate::{Error, ErrorKind, Result};

/// The authenticated sender of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// The access key that signed.
    pub access_key_id: String,
    /// Region of the credential scope.
    pub region: Region,
    /// Whether the account runs this server: it may make other accounts.
    pub operator: bool,
    /// ARNs of the organization and of the organizational units that the account belongs to.
    pub memberships: Vec<String>,
}

impl Caller {
    /// The ARN that GetCallerIdentity shows; every access key is its account's root for now.
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:root", self.account)
    }

    /// The caller's account as permissions see it.
    pub fn viewer(&self) -> Viewer {
        Viewer {
            account: self.account.clone(),
            memberships: self.memberships.clone(),
        }
    }

    /// Refuses everybody but the operator; `what` is a verb phrase.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthorized`].
    pub fn check_operator(&self, what: &str) -> Result<()> {
        match self.operator {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Unauthorized,
                format!("Only the operator's account may {what}."),
            )),
        }
    }
}
