//! The Recycle Bin: rules that keep what was deleted for a while, and what is in it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    ids::AccountId,
    place::Region,
    tag::Tags,
    time::{Entropy, Timestamp},
};

/// A day.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Letters and digits of an identifier.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Characters of an identifier.
const IDENTIFIER_LEN: usize = 11;

/// The stay of a resource in the bin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recycled {
    /// When it was deleted.
    pub entered: Timestamp,
    /// When it is deleted for good.
    pub exits: Timestamp,
}

impl Recycled {
    /// Of what was deleted at an instant, and is kept for a while.
    pub fn since(entered: Timestamp, kept: Duration) -> Self {
        Self {
            entered,
            exits: entered.after(kept),
        }
    }
}

/// What rules are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecycledType {
    /// Snapshots.
    EbsSnapshot,
    /// Images.
    Ec2Image,
    /// Volumes.
    EbsVolume,
}

/// A tag that a rule asks for; without a value, any value will do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RuleTag {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Option<String>,
}

/// Whether a rule may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RuleLock {
    /// It was unlocked, or its unlock delay is over.
    Unlocked,
    /// It may not, until so many days after it is unlocked.
    Locked {
        /// The unlock delay in days.
        delay_days: i32,
    },
    /// It may not, until an instant.
    PendingUnlock {
        /// The unlock delay in days.
        delay_days: i32,
        /// When it may.
        ends: Timestamp,
    },
}

/// The states of a rule's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of rbin, by their names")]
pub enum RuleLockState {
    Locked,
    PendingUnlock,
    Unlocked,
}

/// What is done with a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleVerb {
    /// Change it, or delete it.
    Change,
    /// Lock it.
    Lock,
    /// Begin the delay after which it may be changed.
    Unlock,
}

impl RuleLockState {
    /// The table of what each state allows.
    pub fn allows(self, verb: RuleVerb) -> bool {
        match (self, verb) {
            (Self::Unlocked, verb) => verb != RuleVerb::Unlock,
            (Self::PendingUnlock, verb) => verb == RuleVerb::Lock,
            (Self::Locked, verb) => verb == RuleVerb::Unlock,
        }
    }
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionRule {
    /// Its identifier: eleven letters and digits.
    pub id: String,
    /// Owner.
    pub account: AccountId,
    /// Where it holds.
    pub region: Region,
    /// What it is about.
    pub resource_type: RecycledType,
    /// How long what was deleted is kept, in days.
    pub retention_days: i32,
    /// Description, possibly empty.
    pub description: String,
    /// The tags of which a resource has to have one; none for a rule about all resources.
    pub resource_tags: Vec<RuleTag>,
    /// The tags of which a resource may have none, of a rule about all resources.
    pub exclude_resource_tags: Vec<RuleTag>,
    /// Its lock; none if it was never locked.
    pub lock: Option<RuleLock>,
    /// When it was made.
    pub created: Timestamp,
    /// Its tags.
    pub tags: Tags,
}

impl RetentionRule {
    /// Makes an identifier.
    pub fn new_id(entropy: &dyn Entropy) -> String {
        let mut bytes = [0; IDENTIFIER_LEN];
        entropy.fill(&mut bytes);
        let letter = |byte: &u8| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]);
        bytes.iter().map(letter).collect()
    }

    /// Whether a text has the form of an identifier.
    pub fn is_id(text: &str) -> bool {
        text.len() == IDENTIFIER_LEN && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    }

    /// Its ARN.
    pub fn arn(&self) -> String {
        let Self {
            id,
            account,
            region,
            ..
        } = self;
        format!("arn:aws:rbin:{region}:{account}:rule/{id}")
    }

    /// Whether it keeps a resource with these tags.
    pub fn keeps(&self, tags: &Tags) -> bool {
        let has = |wanted: &RuleTag| {
            let found = tags.get(&wanted.key);
            found.is_some_and(|value| wanted.value.as_ref().is_none_or(|wanted| wanted == value))
        };
        match self.resource_tags.as_slice() {
            [] => !self.exclude_resource_tags.iter().any(has),
            some => some.iter().any(has),
        }
    }

    /// The state of its lock at an instant; none if it was never locked.
    pub fn lock_state(&self, now: Timestamp) -> Option<RuleLockState> {
        Some(match self.lock? {
            RuleLock::Unlocked => RuleLockState::Unlocked,
            RuleLock::Locked { .. } => RuleLockState::Locked,
            RuleLock::PendingUnlock { ends, .. } if now < ends => RuleLockState::PendingUnlock,
            RuleLock::PendingUnlock { .. } => RuleLockState::Unlocked,
        })
    }

    /// Whether something may be done with it at an instant.
    pub fn allows(&self, verb: RuleVerb, now: Timestamp) -> bool {
        let state = self.lock_state(now).unwrap_or(RuleLockState::Unlocked);
        state.allows(verb)
    }

    /// How long it keeps what was deleted.
    pub fn retention(&self) -> Duration {
        days(self.retention_days)
    }
}

/// So many days.
pub fn days(count: i32) -> Duration {
    DAY.saturating_mul(u32::try_from(count).unwrap_or(0))
}

/// How long a resource with these tags is kept once it is deleted; of several rules the longest counts.
pub fn retention<'a>(
    rules: impl IntoIterator<Item = &'a RetentionRule>,
    tags: &Tags,
) -> Option<Duration> {
    let keeping = rules.into_iter().filter(|rule| rule.keeps(tags));
    keeping.map(RetentionRule::retention).max()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(
        retention_days: i32,
        wanted: &[(&str, Option<&str>)],
        without: &[(&str, Option<&str>)],
    ) -> RetentionRule {
        let tags = |tags: &[(&str, Option<&str>)]| {
            let tag = |(key, value): &(&str, Option<&str>)| RuleTag {
                key: (*key).to_owned(),
                value: value.map(ToOwned::to_owned),
            };
            tags.iter().map(tag).collect()
        };
        RetentionRule {
            id: "AbCdEfGhIjK".to_owned(),
            account: "123456789012".parse().unwrap(),
            region: Region::named("eu-west-1").unwrap(),
            resource_type: RecycledType::EbsSnapshot,
            retention_days,
            description: String::new(),
            resource_tags: tags(wanted),
            exclude_resource_tags: tags(without),
            lock: None,
            created: Timestamp(0),
            tags: Tags::new(),
        }
    }

    #[test]
    fn the_longest_rule_that_matches_counts() {
        let tags = Tags::from([("team".to_owned(), "a".to_owned())]);
        let none = Tags::new();
        let all = rule(1, &[], &[]);
        let team = rule(7, &[("other", None), ("team", Some("a"))], &[]);
        let any_team = rule(3, &[("team", None)], &[]);
        let but_team = rule(9, &[], &[("team", Some("a"))]);
        let kept = |rules: &[&RetentionRule], tags| retention(rules.iter().copied(), tags);
        assert_eq!(kept(&[], &tags), None);
        assert_eq!(kept(&[&all], &none), Some(days(1)));
        assert_eq!(kept(&[&all, &team, &any_team], &tags), Some(days(7)));
        assert_eq!(kept(&[&team, &any_team], &none), None);
        assert_eq!(kept(&[&but_team], &tags), None);
        assert_eq!(kept(&[&but_team, &all], &none), Some(days(9)));
    }

    #[test]
    fn identifiers_and_arns_are_those_of_aws() {
        assert!(RetentionRule::is_id("AbCdEfGhIjK"));
        for wrong in ["AbCdEfGhIj", "AbCdEfGhIjKL", "AbCdEfGhIj-", ""] {
            assert!(!RetentionRule::is_id(wrong), "{wrong}");
        }
        let arn = rule(1, &[], &[]).arn();
        assert_eq!(arn, "arn:aws:rbin:eu-west-1:123456789012:rule/AbCdEfGhIjK");
    }

    proptest! {
        /// Whatever is done with a rule that was locked, it cannot be changed before its delay is over.
        #[test]
        fn a_locked_rule_waits_for_its_delay(verbs in prop::collection::vec((0..3u8, 0..20i64), 1..40)) {
            let mut rule = rule(1, &[], &[]);
            let (mut now, mut earliest) = (Timestamp(0), Timestamp(0));
            for (verb, wait) in verbs {
                now = now.after(days(i32::try_from(wait).unwrap()));
                match verb {
                    0 if rule.allows(RuleVerb::Lock, now) => {
                        rule.lock = Some(RuleLock::Locked { delay_days: 7 });
                        earliest = Timestamp(i64::MAX);
                    }
                    1 if rule.allows(RuleVerb::Unlock, now) => {
                        earliest = now.after(days(7));
                        rule.lock = Some(RuleLock::PendingUnlock { delay_days: 7, ends: earliest });
                    }
                    _ => prop_assert_eq!(rule.allows(RuleVerb::Change, now), now >= earliest),
                }
            }
        }
    }
}
