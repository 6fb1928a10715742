//! The bodies of Recycle Bin, as its service model has them.

use cairn_control::request as verbs;
use cairn_model::{
    RetentionRule, Tags,
    recycle_bin::{RuleLock, RuleLockState, RuleTag},
};
use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// The unit of all periods.
const DAYS: &str = "DAYS";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct CreateRule {
    retention_period: Option<RetentionPeriod>,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    resource_type: Option<String>,
    #[serde(default)]
    resource_tags: Vec<ResourceTag>,
    lock_configuration: Option<LockConfiguration>,
    #[serde(default)]
    exclude_resource_tags: Vec<ResourceTag>,
}

impl CreateRule {
    pub(super) fn request(self) -> Result<verbs::CreateRule, Problem> {
        Ok(verbs::CreateRule {
            resource_type: required(self.resource_type, "ResourceType")?,
            retention: self.retention_period.map(RetentionPeriod::period),
            description: self.description,
            resource_tags: rule_tags(self.resource_tags),
            exclude_resource_tags: rule_tags(self.exclude_resource_tags),
            unlock_delay: self.lock_configuration.map(LockConfiguration::delay),
            tags: tags(self.tags)?,
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct UpdateRule {
    retention_period: Option<RetentionPeriod>,
    description: Option<String>,
    resource_type: Option<String>,
    resource_tags: Option<Vec<ResourceTag>>,
    exclude_resource_tags: Option<Vec<ResourceTag>>,
}

impl UpdateRule {
    pub(super) fn request(self, id: &str) -> verbs::UpdateRule {
        verbs::UpdateRule {
            id: id.to_owned(),
            resource_type: self.resource_type,
            retention: self.retention_period.map(RetentionPeriod::period),
            description: self.description,
            resource_tags: self.resource_tags.map(rule_tags),
            exclude_resource_tags: self.exclude_resource_tags.map(rule_tags),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ListRules {
    pub(super) max_results: Option<i32>,
    pub(super) next_token: Option<String>,
    pub(super) resource_type: Option<String>,
    #[serde(default)]
    pub(super) resource_tags: Vec<ResourceTag>,
    pub(super) lock_state: Option<String>,
    #[serde(default)]
    pub(super) exclude_resource_tags: Vec<ResourceTag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct LockRule {
    pub(super) lock_configuration: Option<LockConfiguration>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct TagResource {
    #[serde(default)]
    pub(super) tags: Vec<Tag>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct RetentionPeriod {
    retention_period_value: i32,
    retention_period_unit: String,
}

impl RetentionPeriod {
    fn of(days: i32) -> Self {
        Self {
            retention_period_value: days,
            retention_period_unit: DAYS.to_owned(),
        }
    }

    fn period(self) -> verbs::Period {
        verbs::Period {
            value: self.retention_period_value,
            unit: self.retention_period_unit,
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct LockConfiguration {
    unlock_delay: UnlockDelay,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct UnlockDelay {
    unlock_delay_value: i32,
    unlock_delay_unit: String,
}

impl LockConfiguration {
    pub(super) fn delay(self) -> verbs::Period {
        verbs::Period {
            value: self.unlock_delay.unlock_delay_value,
            unit: self.unlock_delay.unlock_delay_unit,
        }
    }

    fn of(lock: RuleLock) -> Option<Self> {
        let days = match lock {
            RuleLock::Unlocked => return None,
            RuleLock::Locked { delay_days } | RuleLock::PendingUnlock { delay_days, .. } => {
                delay_days
            }
        };
        let unlock_delay = UnlockDelay {
            unlock_delay_value: days,
            unlock_delay_unit: DAYS.to_owned(),
        };
        Some(Self { unlock_delay })
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ResourceTag {
    resource_tag_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_tag_value: Option<String>,
}

pub(super) fn rule_tags(tags: Vec<ResourceTag>) -> Vec<RuleTag> {
    let tag = |tag: ResourceTag| RuleTag {
        key: tag.resource_tag_key,
        value: tag.resource_tag_value,
    };
    tags.into_iter().map(tag).collect()
}

fn resource_tags(tags: &[RuleTag]) -> Vec<ResourceTag> {
    let tag = |tag: &RuleTag| ResourceTag {
        resource_tag_key: tag.key.clone(),
        resource_tag_value: tag.value.clone(),
    };
    tags.iter().map(tag).collect()
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Tag {
    key: String,
    value: String,
}

/// Tags of a request, each key once.
pub(super) fn tags(tags: Vec<Tag>) -> Result<Tags, Problem> {
    let mut read = Tags::new();
    for Tag { key, value } in tags {
        if read.insert(key.clone(), value).is_some() {
            return Err(Problem::FieldRepeated(key));
        }
    }
    Ok(read)
}

fn shown_tags(tags: &Tags) -> Vec<Tag> {
    let tag = |(key, value): (&String, &String)| Tag {
        key: key.clone(),
        value: value.clone(),
    };
    tags.iter().map(tag).collect()
}

pub(super) fn required(text: Option<String>, name: &str) -> Result<String, Problem> {
    text.ok_or_else(|| Problem::FieldMissing(name.to_owned()))
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Rule {
    identifier: String,
    description: String,
    resource_type: &'static str,
    retention_period: RetentionPeriod,
    resource_tags: Vec<ResourceTag>,
    exclude_resource_tags: Vec<ResourceTag>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_configuration: Option<LockConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_state: Option<&'static str>,
    /// Seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_end_time: Option<i64>,
    rule_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
}

impl Rule {
    pub(super) fn of(rule: &RetentionRule, state: Option<RuleLockState>) -> Self {
        let ends = match rule.lock {
            Some(RuleLock::PendingUnlock { ends, .. }) => Some(ends.seconds()),
            _ => None,
        };
        Self {
            identifier: rule.id.clone(),
            description: rule.description.clone(),
            resource_type: rule.resource_type.as_str(),
            retention_period: RetentionPeriod::of(rule.retention_days),
            resource_tags: resource_tags(&rule.resource_tags),
            exclude_resource_tags: resource_tags(&rule.exclude_resource_tags),
            status: "available",
            lock_configuration: rule.lock.and_then(LockConfiguration::of),
            lock_state: state.map(RuleLockState::as_str),
            lock_end_time: ends.filter(|_| state == Some(RuleLockState::PendingUnlock)),
            rule_arn: rule.arn(),
            tags: None,
        }
    }

    pub(super) fn with_tags(rule: &RetentionRule, state: Option<RuleLockState>) -> Self {
        Self {
            tags: Some(shown_tags(&rule.tags)),
            ..Self::of(rule, state)
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Rules {
    pub(super) rules: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Summary {
    identifier: String,
    description: String,
    retention_period: RetentionPeriod,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_state: Option<&'static str>,
    rule_arn: String,
}

impl Summary {
    pub(super) fn of(rule: &RetentionRule, state: Option<RuleLockState>) -> Self {
        Self {
            identifier: rule.id.clone(),
            description: rule.description.clone(),
            retention_period: RetentionPeriod::of(rule.retention_days),
            lock_state: state.map(RuleLockState::as_str),
            rule_arn: rule.arn(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedTags {
    tags: Vec<Tag>,
}

impl ListedTags {
    pub(super) fn of(tags: &Tags) -> Self {
        Self {
            tags: shown_tags(tags),
        }
    }
}
