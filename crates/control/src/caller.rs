//! Who asks, and where.

use cairn_model::{AccountId, Region};

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
}

impl Caller {
    /// The ARN that GetCallerIdentity shows; every access key is its account's root for now.
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:root", self.account)
    }
}
