//! Grants: permissions for a key that are given one by one, beside its policy.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    ids::AccountId,
    kms_key::{EncryptionContext, KeyOperation, KmsKeyId},
    kms_policy::{KeyRequest, account_of},
    place::Region,
    time::Timestamp,
};

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KmsGrant {
    /// Its id: 64 hexadecimal digits.
    pub id: String,
    /// The key.
    pub key: KmsKeyId,
    /// The key's region.
    pub region: Region,
    /// A name, by which a repeated request is known.
    pub name: Option<String>,
    /// Who may use the key, as the request named it.
    pub grantee: String,
    /// Who may give the grant back, beside the grantee.
    pub retiring: Option<String>,
    /// Who made it.
    pub issuer: AccountId,
    /// What it lets be done.
    pub operations: BTreeSet<KeyOperation>,
    /// With which encryption contexts.
    pub constraints: GrantConstraints,
    /// When it was made.
    pub create_time: Timestamp,
}

/// The encryption contexts that a grant is good for: all, unless one of these says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GrantConstraints {
    /// Those that have at least these entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_context_subset: Option<EncryptionContext>,
    /// This one alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_context_equals: Option<EncryptionContext>,
}

/// What a grant for a symmetric key can let be done.
pub const GRANTABLE: &[KeyOperation] = &[
    KeyOperation::Decrypt,
    KeyOperation::Encrypt,
    KeyOperation::GenerateDataKey,
    KeyOperation::GenerateDataKeyWithoutPlaintext,
    KeyOperation::ReEncryptFrom,
    KeyOperation::ReEncryptTo,
    KeyOperation::CreateGrant,
    KeyOperation::RetireGrant,
    KeyOperation::DescribeKey,
];

impl GrantConstraints {
    /// Whether a context is one of those.
    pub fn admit(&self, context: &EncryptionContext) -> bool {
        let subset = self.encryption_context_subset.as_ref();
        let equals = self.encryption_context_equals.as_ref();
        subset.is_none_or(|part| is_part(part, context)) && equals.is_none_or(|all| all == context)
    }

    /// Whether every context that `other` admits is admitted here, as far as that can be told.
    fn cover(&self, other: &Self) -> bool {
        let equals = other.encryption_context_equals.as_ref();
        let known = equals.or(other.encryption_context_subset.as_ref());
        let subset = self.encryption_context_subset.as_ref();
        subset.is_none_or(|part| known.is_some_and(|known| is_part(part, known)))
            && (self.encryption_context_equals.is_none()
                || self.encryption_context_equals.as_ref() == equals)
    }
}

fn is_part(part: &EncryptionContext, whole: &EncryptionContext) -> bool {
    part.iter()
        .all(|(key, value)| whole.get(key) == Some(value))
}

impl KmsGrant {
    /// Whether it allows what is asked. A grant to make grants is limited by what it
    /// [covers](Self::covers) as well.
    pub fn allows(&self, request: &KeyRequest<'_>) -> bool {
        account_of(&self.grantee).as_ref() == Some(request.account)
            && self.operations.contains(&request.operation)
            && (!has_context(request.operation) || self.constraints.admit(request.context))
    }

    /// Whether whoever has this grant may give another one on: no more than it lets be done, with no
    /// more contexts.
    pub fn covers(&self, other: &Self) -> bool {
        other.operations.is_subset(&self.operations) && self.constraints.cover(&other.constraints)
    }

    /// Whether an account may give it back.
    pub fn is_retirable_by(&self, account: &AccountId) -> bool {
        let is = |principal: &str| account_of(principal).as_ref() == Some(account);
        self.retiring.as_deref().is_some_and(is)
            || (is(&self.grantee) && self.operations.contains(&KeyOperation::RetireGrant))
    }

    /// Whether it is what a request of the same name asks for again.
    pub fn is_same_request(&self, other: &Self) -> bool {
        self.name.is_some()
            && (
                &self.name,
                &self.key,
                &self.grantee,
                &self.retiring,
                &self.issuer,
            ) == (
                &other.name,
                &other.key,
                &other.grantee,
                &other.retiring,
                &other.issuer,
            )
            && (&self.operations, &self.constraints) == (&other.operations, &other.constraints)
    }
}

/// Whether an operation has an encryption context, for constraints to be about.
fn has_context(operation: KeyOperation) -> bool {
    use KeyOperation as O;
    !matches!(operation, O::DescribeKey | O::RetireGrant | O::CreateGrant)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "f0f1f2f3-f4f5-46f7-b8f9-fafbfcfdfeff";

    fn context(entries: &[(&str, &str)]) -> EncryptionContext {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        entries.iter().map(own).collect()
    }

    fn grant(operations: &[KeyOperation], constraints: GrantConstraints) -> KmsGrant {
        KmsGrant {
            id: "1".to_owned(),
            key: KEY.parse().unwrap(),
            region: Region::named("us-east-1").unwrap(),
            name: Some("n".to_owned()),
            grantee: "arn:aws:iam::111111111111:root".to_owned(),
            retiring: None,
            issuer: "123456789012".parse().unwrap(),
            operations: operations.iter().copied().collect(),
            constraints,
            create_time: Timestamp(0),
        }
    }

    fn allows(
        grant: &KmsGrant,
        account: &str,
        operation: KeyOperation,
        context: &EncryptionContext,
    ) -> bool {
        grant.allows(&KeyRequest {
            account: &account.parse().unwrap(),
            operation,
            key_arn: "",
            via: None,
            context,
        })
    }

    fn subset(entries: &[(&str, &str)]) -> GrantConstraints {
        GrantConstraints {
            encryption_context_subset: Some(context(entries)),
            ..Default::default()
        }
    }

    fn equals(entries: &[(&str, &str)]) -> GrantConstraints {
        GrantConstraints {
            encryption_context_equals: Some(context(entries)),
            ..Default::default()
        }
    }

    #[test]
    fn a_grant_is_for_one_account_some_operations_and_some_contexts() {
        use KeyOperation as O;
        let none = context(&[]);
        let free = grant(&[O::Decrypt], GrantConstraints::default());
        assert!(allows(&free, "111111111111", O::Decrypt, &none));
        assert!(!allows(&free, "111111111111", O::Encrypt, &none));
        assert!(!allows(&free, "222222222222", O::Decrypt, &none));
        let (one, two) = (context(&[("a", "1")]), context(&[("a", "1"), ("b", "2")]));
        for (constraints, expected) in [
            (subset(&[("a", "1")]), [false, true, true]),
            (equals(&[("a", "1")]), [false, true, false]),
            (subset(&[("a", "2")]), [false, false, false]),
        ] {
            let bound = grant(&[O::Decrypt, O::DescribeKey], constraints.clone());
            let found = [&none, &one, &two].map(|c| allows(&bound, "111111111111", O::Decrypt, c));
            assert_eq!(found, expected, "{constraints:?}");
            assert!(allows(&bound, "111111111111", O::DescribeKey, &none));
        }
    }

    #[test]
    fn nobody_gives_more_on_than_they_have() {
        use KeyOperation as O;
        let any = GrantConstraints::default;
        let all = [O::Decrypt, O::Encrypt];
        for (have, give, expected) in [
            (grant(&all, any()), grant(&all, any()), true),
            (
                grant(&all, any()),
                grant(&[O::Decrypt], subset(&[("a", "1")])),
                true,
            ),
            (grant(&[O::Decrypt], any()), grant(&all, any()), false),
            (
                grant(&all, subset(&[("a", "1")])),
                grant(&all, any()),
                false,
            ),
            (
                grant(&all, subset(&[("a", "1")])),
                grant(&all, subset(&[("a", "1"), ("b", "2")])),
                true,
            ),
            (
                grant(&all, subset(&[("a", "1")])),
                grant(&all, equals(&[("a", "1"), ("b", "2")])),
                true,
            ),
            (
                grant(&all, subset(&[("a", "1")])),
                grant(&all, equals(&[("b", "2")])),
                false,
            ),
            (
                grant(&all, equals(&[("a", "1")])),
                grant(&all, subset(&[("a", "1")])),
                false,
            ),
            (
                grant(&all, equals(&[("a", "1")])),
                grant(&all, equals(&[("a", "1")])),
                true,
            ),
        ] {
            assert_eq!(have.covers(&give), expected, "{have:?} {give:?}");
        }
    }

    #[test]
    fn it_is_given_back_by_those_who_may() {
        let (one, two): (AccountId, AccountId) = (
            "111111111111".parse().unwrap(),
            "222222222222".parse().unwrap(),
        );
        let mut some = grant(&[KeyOperation::Decrypt], GrantConstraints::default());
        assert!(!some.is_retirable_by(&one) && !some.is_retirable_by(&two));
        some.retiring = Some("222222222222".to_owned());
        assert!(!some.is_retirable_by(&one) && some.is_retirable_by(&two));
        some.operations.insert(KeyOperation::RetireGrant);
        assert!(some.is_retirable_by(&one));
    }
}
