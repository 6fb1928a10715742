//! Who besides its owner may use an image or a snapshot.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::AccountId;

/// What EC2 calls everybody.
pub const EVERYBODY: &str = "all";

/// The launch permissions of an image, or the create volume permissions of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Permissions {
    /// Whether everybody may use it (the group `all`).
    pub public: bool,
    /// The accounts that may.
    pub accounts: BTreeSet<AccountId>,
    /// ARNs of the organizations whose accounts may. Of images only.
    pub organizations: BTreeSet<String>,
    /// ARNs of the organizational units whose accounts may. Of images only.
    pub organizational_units: BTreeSet<String>,
}

impl Permissions {
    /// Whether nobody is let in.
    pub fn is_private(&self) -> bool {
        *self == Self::default()
    }

    /// Whom it lets in, each as [`Viewer::grantees`] spells it.
    pub fn grantees(&self) -> impl Iterator<Item = &str> {
        let everybody = self.public.then_some(EVERYBODY);
        let accounts = self.accounts.iter().map(AccountId::as_str);
        let arns = self.organizations.iter().chain(&self.organizational_units);
        everybody
            .into_iter()
            .chain(accounts)
            .chain(arns.map(String::as_str))
    }

    /// Whether it lets an account in by name, by membership, or with everybody.
    pub fn let_in(&self, viewer: &Viewer) -> bool {
        self.public || self.let_in_by_name(viewer)
    }

    /// Whether it lets an account in other than with everybody.
    pub fn let_in_by_name(&self, viewer: &Viewer) -> bool {
        let by_membership = |arn: &String| {
            self.organizations.contains(arn) || self.organizational_units.contains(arn)
        };
        self.accounts.contains(&viewer.account) || viewer.memberships.iter().any(by_membership)
    }
}

/// An account as permissions see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// Its number.
    pub account: AccountId,
    /// ARNs of the organization and of the organizational units that it belongs to.
    pub memberships: Vec<String>,
}

impl Viewer {
    /// What a permission may be spelled as that lets this account in: `all`, its number, or one of its
    /// memberships' ARNs.
    pub fn grantees(&self) -> impl Iterator<Item = &str> {
        [EVERYBODY, self.account.as_str()]
            .into_iter()
            .chain(self.memberships.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: &str) -> AccountId {
        number.parse().expect("an account")
    }

    fn viewer(number: &str, memberships: &[&str]) -> Viewer {
        Viewer {
            account: account(number),
            memberships: memberships.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn each_way_in_is_one() {
        let organization = "arn:aws:organizations::123456789012:organization/o-abcdefghij";
        let named = Permissions {
            accounts: [account("111111111111")].into(),
            ..Default::default()
        };
        let member = Permissions {
            organizations: [organization.to_owned()].into(),
            ..Default::default()
        };
        let unit = Permissions {
            organizational_units: [organization.to_owned()].into(),
            ..Default::default()
        };
        let public = Permissions {
            public: true,
            ..Default::default()
        };
        let (named_one, member_one) = (
            viewer("111111111111", &[]),
            viewer("222222222222", &[organization]),
        );
        for (permissions, lets) in [
            (Permissions::default(), [false, false]),
            (named, [true, false]),
            (member, [false, true]),
            (unit, [false, true]),
            (public, [true, true]),
        ] {
            let viewers = [&named_one, &member_one];
            assert_eq!(viewers.map(|viewer| permissions.let_in(viewer)), lets);
            // The same as SQL finds it: by the spelling of grantees.
            let spelled = viewers.map(|viewer| {
                let mut grantees = permissions.grantees();
                grantees.any(|grantee| viewer.grantees().any(|own| own == grantee))
            });
            assert_eq!(spelled, lets);
        }
    }
}
