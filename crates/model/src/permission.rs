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

    /// Lets more in. A public one stays public.
    pub fn add(&mut self, more: &Self) {
        self.public |= more.public;
        self.accounts.extend(more.accounts.iter().cloned());
        self.organizations
            .extend(more.organizations.iter().cloned());
        let units = more.organizational_units.iter().cloned();
        self.organizational_units.extend(units);
    }

    /// Lets some in no longer; whom it did not let in it does not miss.
    pub fn remove(&mut self, less: &Self) {
        self.public &= !less.public;
        self.accounts
            .retain(|account| !less.accounts.contains(account));
        self.organizations
            .retain(|arn| !less.organizations.contains(arn));
        self.organizational_units
            .retain(|arn| !less.organizational_units.contains(arn));
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

/// Whether a text is the ARN of an organization: `arn:aws:organizations::ACCOUNT:organization/o-ID`.
pub fn is_organization(arn: &str) -> bool {
    path_of(arn, "organization").is_some_and(is_organization_id)
}

/// Whether a text is the ARN of an organizational unit: `arn:aws:organizations::ACCOUNT:ou/o-ID/ou-ID`.
pub fn is_organizational_unit(arn: &str) -> bool {
    let is_unit_id = |id: &str| has_form(id, "ou-", b"-");
    path_of(arn, "ou")
        .and_then(|path| path.split_once('/'))
        .is_some_and(|(organization, unit)| is_organization_id(organization) && is_unit_id(unit))
}

/// What stands behind `arn:aws:organizations::ACCOUNT:KIND/`.
fn path_of<'a>(arn: &'a str, kind: &str) -> Option<&'a str> {
    let rest = arn.strip_prefix("arn:aws:organizations::")?;
    let (account, rest) = rest.split_once(':')?;
    account.parse::<AccountId>().ok()?;
    rest.strip_prefix(kind)?.strip_prefix('/')
}

fn is_organization_id(id: &str) -> bool {
    has_form(id, "o-", b"")
}

fn has_form(id: &str, prefix: &str, others: &[u8]) -> bool {
    let fits = |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase() || others.contains(&b);
    id.strip_prefix(prefix)
        .is_some_and(|rest| (1..=64).contains(&rest.len()) && rest.bytes().all(fits))
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

    #[test]
    fn more_and_less_undo_each_other_and_repeat_to_no_effect() {
        let first = Permissions {
            accounts: [account("111111111111")].into(),
            ..Default::default()
        };
        let more = Permissions {
            public: true,
            accounts: [account("222222222222")].into(),
            organizations: ["a".to_owned()].into(),
            organizational_units: ["b".to_owned()].into(),
        };
        let mut changed = first.clone();
        changed.add(&more);
        let all = changed.clone();
        changed.add(&more);
        assert_eq!(changed, all);
        assert_eq!(all.grantees().count(), 5);
        changed.remove(&more);
        changed.remove(&more);
        assert_eq!(changed, first);
    }

    #[test]
    fn arns_of_organizations_and_their_units_are_told_apart() {
        let organization = "arn:aws:organizations::123456789012:organization/o-abcdefghij";
        let unit = "arn:aws:organizations::123456789012:ou/o-abcdefghij/ou-ab12-11111111";
        assert!(is_organization(organization) && !is_organization(unit));
        assert!(is_organizational_unit(unit) && !is_organizational_unit(organization));
        for bad in [
            "",
            "o-abcdefghij",
            "arn:aws:organizations::12:organization/o-abcdefghij",
            "arn:aws:organizations::123456789012:organization/",
            "arn:aws:organizations::123456789012:organization/o-ABC",
            "arn:aws:organizations::123456789012:ou/o-abcdefghij",
            "arn:aws:organizations::123456789012:ou/o-abcdefghij/x",
        ] {
            assert!(
                !is_organization(bad) && !is_organizational_unit(bad),
                "{bad}"
            );
        }
    }
}
