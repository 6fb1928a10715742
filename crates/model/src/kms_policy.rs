//! Policies of keys: who besides what a grant says may do what with one.
//!
//! A policy is refused as a whole where anything in it is not understood: what would be left out might
//! be what it denies.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};

use crate::{
    ids::AccountId,
    kms_key::{EncryptionContext, KeyOperation},
};

/// The versions of the language, which do not differ in what is understood here.
const VERSIONS: &[&str] = &["2012-10-17", "2008-10-17"];
/// What every action begins with.
const ACTION_PREFIX: &str = "kms:";
/// What a condition's key begins with that is about one entry of the encryption context.
const CONTEXT_PREFIX: &str = "kms:encryptioncontext:";

/// What is asked of a key, as policies and grants see it.
#[derive(Clone, Copy, Debug)]
pub struct KeyRequest<'a> {
    /// The account that asks.
    pub account: &'a AccountId,
    /// What for.
    pub operation: KeyOperation,
    /// The ARN of the key.
    pub key_arn: &'a str,
    /// The service that asks on the account's behalf, such as `ec2.us-east-1.amazonaws.com`.
    pub via: Option<&'a str>,
    /// The encryption context, empty where there is none.
    pub context: &'a EncryptionContext,
}

/// What a policy says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is allowed.
    Allowed,
    /// It is denied, whatever else allows it.
    Denied,
    /// Nothing: it is for grants to allow it.
    Silent,
}

/// Why a policy is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// A version that there is not.
    #[error("The policy's Version '{0}' is none that there is.")]
    Version(String),
    /// No statement.
    #[error("The policy has no Statement.")]
    Empty,
    /// Two statements of one name.
    #[error("The Sid '{0}' is given more than once.")]
    Sid(String),
    /// A list that must not be empty.
    #[error("A statement has an empty {0}.")]
    EmptyList(&'static str),
    /// Nobody who could be meant.
    #[error(
        "Policy contains a statement with one or more invalid principals: '{0}' is neither an account number, nor the \
         ARN of an account's root, nor '*'."
    )]
    Principal(String),
    /// An action of another service.
    #[error("'{0}' is no action of KMS.")]
    Action(String),
    /// A resource that is no key.
    #[error("The resource '{0}' is neither '*' nor the ARN of a key.")]
    Resource(String),
    /// A condition whose operator is not known.
    #[error("The condition operator '{0}' is not understood here.")]
    Operator(String),
    /// A condition whose key is not known.
    #[error("The condition key '{0}' is not understood here, or not with this operator.")]
    ConditionKey(String),
}

/// A policy.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Policy {
    version: Option<String>,
    #[serde(rename = "Id")]
    _id: Option<String>,
    statement: OneOrMany<Statement>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statement {
    sid: Option<String>,
    effect: Effect,
    principal: Principal,
    action: OneOrMany<String>,
    resource: OneOrMany<String>,
    #[serde(default)]
    condition: Unique<Unique<OneOrMany<Scalar>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Principal {
    Text(String),
    Accounts(Accounts),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accounts {
    #[serde(rename = "AWS")]
    aws: OneOrMany<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Flag(bool),
}

impl Scalar {
    fn as_str(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Flag(true) => "true",
            Self::Flag(false) => "false",
        }
    }
}

/// A map in which no name comes twice: of two conditions of one name, one would be left out.
#[derive(Clone, Debug)]
struct Unique<T>(BTreeMap<String, T>);

impl<T> Default for Unique<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Unique<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Unique<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique<T>, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, T>()? {
                    if entries.insert(name.clone(), value).is_some() {
                        return Err(de::Error::custom(format_args!("{name} comes twice")));
                    }
                }
                Ok(Unique(entries))
            }
        }
        from.deserialize_map(Entries(PhantomData))
    }
}

impl Policy {
    /// Refuses a policy that says what is not understood.
    ///
    /// # Errors
    /// What that is.
    pub fn check(&self) -> Result<(), PolicyFault> {
        if let Some(version) = self
            .version
            .as_ref()
            .filter(|v| !VERSIONS.contains(&v.as_str()))
        {
            return Err(PolicyFault::Version(version.clone()));
        }
        let statements = self.statement.as_slice();
        if statements.is_empty() {
            return Err(PolicyFault::Empty);
        }
        let mut sids = std::collections::BTreeSet::new();
        for statement in statements {
            match &statement.sid {
                Some(sid) if !sids.insert(sid) => return Err(PolicyFault::Sid(sid.clone())),
                _ => statement.check()?,
            }
        }
        Ok(())
    }

    /// What it says of a request.
    pub fn verdict(&self, request: &KeyRequest<'_>) -> Verdict {
        let statements = self.statement.as_slice().iter();
        let matching: Vec<Effect> = statements
            .filter(|statement| statement.is_about(request))
            .map(|statement| statement.effect)
            .collect();
        match matching.contains(&Effect::Deny) {
            true => Verdict::Denied,
            false if matching.is_empty() => Verdict::Silent,
            false => Verdict::Allowed,
        }
    }
}

impl Statement {
    fn check(&self) -> Result<(), PolicyFault> {
        let lists = [
            ("Principal", self.principals().is_empty()),
            ("Action", self.action.as_slice().is_empty()),
            ("Resource", self.resource.as_slice().is_empty()),
        ];
        if let Some((name, _)) = lists.into_iter().find(|(_, is_empty)| *is_empty) {
            return Err(PolicyFault::EmptyList(name));
        }
        refuse(self.principals(), is_principal, PolicyFault::Principal)?;
        refuse(self.action.as_slice(), is_action, PolicyFault::Action)?;
        refuse(self.resource.as_slice(), is_resource, PolicyFault::Resource)?;
        for (operator, keys) in &self.condition.0 {
            let operator =
                Operator::named(operator).ok_or_else(|| PolicyFault::Operator(operator.clone()))?;
            for (key, values) in &keys.0 {
                if !operator.takes(key) || values.as_slice().is_empty() {
                    return Err(PolicyFault::ConditionKey(key.clone()));
                }
            }
        }
        Ok(())
    }

    fn principals(&self) -> &[String] {
        match &self.principal {
            Principal::Text(text) => std::slice::from_ref(text),
            Principal::Accounts(accounts) => accounts.aws.as_slice(),
        }
    }

    fn is_about(&self, request: &KeyRequest<'_>) -> bool {
        let action = format!("{ACTION_PREFIX}{}", request.operation).to_ascii_lowercase();
        let is_action = |pattern: &String| is_like(&pattern.to_ascii_lowercase(), &action);
        let is_resource = |pattern: &String| is_like(pattern, request.key_arn);
        self.principals()
            .iter()
            .any(|principal| is_account(principal, request.account))
            && self.action.as_slice().iter().any(is_action)
            && self.resource.as_slice().iter().any(is_resource)
            && self.condition.0.iter().all(|(operator, keys)| {
                let mut keys = keys.0.iter();
                Operator::named(operator).is_some_and(|operator| {
                    keys.all(|(key, values)| operator.holds(key, values.as_slice(), request))
                })
            })
    }
}

fn refuse(
    texts: &[String],
    is_good: impl Fn(&str) -> bool,
    fault: impl FnOnce(String) -> PolicyFault,
) -> Result<(), PolicyFault> {
    match texts.iter().find(|text| !is_good(text)) {
        Some(bad) => Err(fault(bad.clone())),
        None => Ok(()),
    }
}

/// The account that a principal is, be it by number or by the ARN of its root; none if it is neither.
pub fn account_of(principal: &str) -> Option<AccountId> {
    let root = principal.strip_prefix("arn:aws:iam::");
    let number = root.map_or(Some(principal), |rest| rest.strip_suffix(":root"));
    number?.parse().ok()
}

fn is_principal(text: &str) -> bool {
    text == "*" || account_of(text).is_some()
}

fn is_account(principal: &str, account: &AccountId) -> bool {
    principal == "*" || account_of(principal).as_ref() == Some(account)
}

fn is_action(text: &str) -> bool {
    let prefix = text.get(..ACTION_PREFIX.len());
    text == "*" || prefix.is_some_and(|p| p.eq_ignore_ascii_case(ACTION_PREFIX))
}

fn is_resource(text: &str) -> bool {
    text == "*" || text.starts_with("arn:aws:kms:")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equals,
    Like,
    Flag,
}

impl Operator {
    fn named(name: &str) -> Option<Self> {
        match name {
            "StringEquals" => Some(Self::Equals),
            "StringLike" => Some(Self::Like),
            "Bool" => Some(Self::Flag),
            _ => None,
        }
    }

    fn takes(self, key: &str) -> bool {
        let key = key.to_ascii_lowercase();
        match (self, key.as_str()) {
            (Self::Flag, key) => key == "kms:grantisforawsresource",
            (_, "kms:viaservice" | "kms:calleraccount") => true,
            (_, key) => key.len() > CONTEXT_PREFIX.len() && key.starts_with(CONTEXT_PREFIX),
        }
    }

    /// Whether one of the values is the request's. What a request does not have is like nothing.
    fn holds(self, key: &str, values: &[Scalar], request: &KeyRequest<'_>) -> bool {
        let Some(found) = value_of(key, request) else {
            return false;
        };
        values.iter().map(Scalar::as_str).any(|value| match self {
            Self::Like => is_like(value, found),
            Self::Equals | Self::Flag => value == found,
        })
    }
}

fn value_of<'a>(key: &str, request: &KeyRequest<'a>) -> Option<&'a str> {
    match key.to_ascii_lowercase().as_str() {
        "kms:viaservice" => request.via,
        "kms:calleraccount" => Some(request.account.as_str()),
        // Grants of services are not made by requests here.
        "kms:grantisforawsresource" => Some("false"),
        _ => {
            let name = key.get(CONTEXT_PREFIX.len()..)?;
            request.context.get(name).map(String::as_str)
        }
    }
}

/// Whether a text is like a pattern, in which `*` stands for any characters and `?` for one.
fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[t] => {
                p += 1;
                t += 1;
            }
            // Back to the last star, which takes one more.
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/f0f1f2f3-f4f5-46f7-b8f9-fafbfcfdfeff";

    fn read(text: &str) -> Result<Policy, String> {
        let policy: Policy = serde_json::from_str(text).map_err(|fault| fault.to_string())?;
        policy.check().map_err(|fault| fault.to_string())?;
        Ok(policy)
    }

    fn statement(text: &str) -> String {
        format!(r#"{{"Version": "2012-10-17", "Statement": [{{{text}}}]}}"#)
    }

    fn allow(principal: &str, action: &str, condition: &str) -> String {
        statement(&format!(
            r#""Effect": "Allow", "Principal": {principal}, "Action": {action}, "Resource": "*"{condition}"#
        ))
    }

    struct Asked {
        account: &'static str,
        operation: KeyOperation,
        via: Option<&'static str>,
        context: EncryptionContext,
    }

    fn asked(account: &'static str, operation: KeyOperation) -> Asked {
        Asked {
            account,
            operation,
            via: None,
            context: EncryptionContext::new(),
        }
    }

    fn verdict(policy: &str, asked: &Asked) -> Verdict {
        read(policy).unwrap().verdict(&KeyRequest {
            account: &asked.account.parse().unwrap(),
            operation: asked.operation,
            key_arn: KEY,
            via: asked.via,
            context: &asked.context,
        })
    }

    const ONE: &str = "111111111111";
    const TWO: &str = "222222222222";

    #[test]
    fn principals_are_accounts() {
        let one = asked(ONE, KeyOperation::Decrypt);
        let two = asked(TWO, KeyOperation::Decrypt);
        for (principal, expected) in [
            (r#""*""#, [true, true]),
            (r#"{"AWS": "*"}"#, [true, true]),
            (r#"{"AWS": "111111111111"}"#, [true, false]),
            (
                r#"{"AWS": ["arn:aws:iam::222222222222:root"]}"#,
                [false, true],
            ),
            (
                r#"{"AWS": ["111111111111", "arn:aws:iam::222222222222:root"]}"#,
                [true, true],
            ),
        ] {
            let policy = allow(principal, r#""kms:*""#, "");
            let found = [&one, &two].map(|asked| verdict(&policy, asked) == Verdict::Allowed);
            assert_eq!(found, expected, "{principal}");
        }
    }

    #[test]
    fn actions_have_wildcards_and_no_case() {
        for (action, expected) in [
            (r#""kms:*""#, [true, true]),
            (r#""*""#, [true, true]),
            (r#""KMS:decrypt""#, [true, false]),
            (r#"["kms:Encrypt", "kms:ReEncrypt*"]"#, [false, true]),
            (r#""kms:?ecrypt""#, [true, false]),
            (r#""kms:Decryp""#, [false, false]),
        ] {
            let policy = allow(r#""*""#, action, "");
            let found = [KeyOperation::Decrypt, KeyOperation::ReEncryptFrom]
                .map(|operation| verdict(&policy, &asked(ONE, operation)) == Verdict::Allowed);
            assert_eq!(found, expected, "{action}");
        }
    }

    #[test]
    fn a_denial_outweighs_and_silence_is_neither() {
        let text = r#"{"Statement": [
            {"Sid": "a", "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"},
            {"Sid": "b", "Effect": "Deny", "Principal": {"AWS": "111111111111"}, "Action": "kms:Decrypt", "Resource": "*"}]}"#;
        let of = |account, operation| verdict(text, &asked(account, operation));
        assert_eq!(of(ONE, KeyOperation::Decrypt), Verdict::Denied);
        assert_eq!(of(ONE, KeyOperation::Encrypt), Verdict::Allowed);
        assert_eq!(of(TWO, KeyOperation::Decrypt), Verdict::Allowed);
        let silent = allow(r#"{"AWS": "222222222222"}"#, r#""kms:*""#, "");
        let one = asked(ONE, KeyOperation::Decrypt);
        assert_eq!(verdict(&silent, &one), Verdict::Silent);
    }

    #[test]
    fn resources_are_this_key_or_not() {
        for (resource, expected) in [
            ("*", Verdict::Allowed),
            (KEY, Verdict::Allowed),
            ("arn:aws:kms:*:123456789012:key/*", Verdict::Allowed),
            ("arn:aws:kms:us-east-1:210987654321:key/*", Verdict::Silent),
        ] {
            let policy = allow(r#""*""#, r#""kms:*""#, "").replace(
                r#""Resource": "*""#,
                &format!(r#""Resource": "{resource}""#),
            );
            let found = verdict(&policy, &asked(ONE, KeyOperation::Decrypt));
            assert_eq!(found, expected, "{resource}");
        }
    }

    #[test]
    fn conditions_all_hold_by_one_of_their_values() {
        let mut via_ec2 = asked(ONE, KeyOperation::Decrypt);
        via_ec2.via = Some("ec2.us-east-1.amazonaws.com");
        via_ec2.context = [("Purpose".to_owned(), "tests".to_owned())].into();
        let direct = asked(TWO, KeyOperation::Decrypt);
        for (condition, expected) in [
            (
                r#"{"StringEquals": {"kms:ViaService": "ec2.us-east-1.amazonaws.com"}}"#,
                [true, false],
            ),
            (
                r#"{"StringLike": {"KMS:viaservice": ["s3.*", "ec2.*.amazonaws.com"]}}"#,
                [true, false],
            ),
            (
                r#"{"StringEquals": {"kms:ViaService": "ec2.*"}}"#,
                [false, false],
            ),
            (
                r#"{"StringEquals": {"kms:CallerAccount": ["111111111111", "222222222222"]}}"#,
                [true, true],
            ),
            (
                r#"{"StringEquals": {"kms:EncryptionContext:Purpose": "tests"}}"#,
                [true, false],
            ),
            (
                r#"{"StringEquals": {"kms:EncryptionContext:Other": "tests"}}"#,
                [false, false],
            ),
            (
                r#"{"Bool": {"kms:GrantIsForAWSResource": true}}"#,
                [false, false],
            ),
            (
                r#"{"Bool": {"kms:GrantIsForAWSResource": "false"}}"#,
                [true, true],
            ),
            (
                r#"{"StringEquals": {"kms:CallerAccount": "111111111111", "kms:EncryptionContext:Purpose": "else"}}"#,
                [false, false],
            ),
            ("{}", [true, true]),
        ] {
            let policy = allow(
                r#""*""#,
                r#""kms:*""#,
                &format!(r#", "Condition": {condition}"#),
            );
            let found =
                [&via_ec2, &direct].map(|asked| verdict(&policy, asked) == Verdict::Allowed);
            assert_eq!(found, expected, "{condition}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let good = allow(r#""*""#, r#""kms:*""#, "");
        read(&good).unwrap();
        let conditions = [
            r#"{"StringNotEquals": {"kms:CallerAccount": "1"}}"#,
            r#"{"StringEquals": {"aws:SourceIp": "1"}}"#,
            r#"{"StringEquals": {"kms:EncryptionContext:": "1"}}"#,
            r#"{"StringEquals": {"kms:CallerAccount": []}}"#,
            r#"{"Bool": {"kms:CallerAccount": "true"}}"#,
            r#"{"StringEquals": {"kms:CallerAccount": "1", "kms:CallerAccount": "2"}}"#,
            r#"{"StringEquals": {"kms:CallerAccount": "1"}, "StringEquals": {}}"#,
            r#"{"StringEquals": {"kms:CallerAccount": 1}}"#,
        ]
        .map(|condition| {
            allow(
                r#""*""#,
                r#""kms:*""#,
                &format!(r#", "Condition": {condition}"#),
            )
        });
        let others = [
            "".to_owned(),
            "{}".to_owned(),
            r#"{"Statement": []}"#.to_owned(),
            good.replace("2012-10-17", "2012-10-18"),
            good.replace("\"Version\"", "\"Versions\""),
            good.replace("Allow", "allow"),
            good.replace("\"Action\"", "\"NotAction\""),
            good.replace("\"Principal\"", "\"NotPrincipal\""),
            good.replace("\"Resource\": \"*\"", "\"Resource\": \"arn:aws:s3:::b\""),
            good.replace("\"Resource\": \"*\"", "\"Resource\": []"),
            good.replace("kms:*", "ec2:*"),
            good.replace("\"kms:*\"", "[]"),
            good.replace("\"Effect\"", "\"Effect\": \"Deny\", \"Effect\""),
            allow(r#"{"Service": "ec2.amazonaws.com"}"#, r#""kms:*""#, ""),
            allow(r#"{"AWS": "*", "Service": "x"}"#, r#""kms:*""#, ""),
            allow(
                r#"{"AWS": "arn:aws:iam::111111111111:user/me"}"#,
                r#""kms:*""#,
                "",
            ),
            allow(r#"{"AWS": []}"#, r#""kms:*""#, ""),
            allow(r#""1111""#, r#""kms:*""#, ""),
        ];
        for bad in conditions.iter().chain(&others) {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        /// Patterns are compared as the plain recursion would.
        #[test]
        fn likeness_is_what_it_is_defined_as(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            fn plain(pattern: &[u8], text: &[u8]) -> bool {
                match (pattern, text) {
                    ([], []) => true,
                    ([b'*', rest @ ..], _) => plain(rest, text) || (!text.is_empty() && plain(pattern, &text[1..])),
                    ([b'?', rest @ ..], [_, more @ ..]) => plain(rest, more),
                    ([p, rest @ ..], [t, more @ ..]) => p == t && plain(rest, more),
                    _ => false,
                }
            }
            prop_assert_eq!(is_like(&pattern, &text), plain(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
