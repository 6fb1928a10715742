//! The retention rules of the Recycle Bin, as the service `rbin` has them.
//!
//! Source: <https://docs.aws.amazon.com/recyclebin/latest/APIReference/>.

use cairn_model::{
    Paged, RecycledType, RetentionRule, Tags,
    page::{Bounds, Pager},
    recycle_bin::{RuleLock, RuleLockState, RuleTag, RuleVerb, days},
    tag as tags,
};
use cairn_store::{Connection, WriteTx, recycle_bin as store};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    request::{CreateRule, ListRules, Period, UpdateRule},
};

/// Days that something is kept; volumes for fewer.
const RETENTION_DAYS: std::ops::RangeInclusive<i32> = 1..=365;
const VOLUME_RETENTION_DAYS: std::ops::RangeInclusive<i32> = 1..=7;

/// Days that an unlock takes.
const UNLOCK_DAYS: std::ops::RangeInclusive<i32> = 7..=30;

/// The greatest number of tags that a rule asks for, and of those that it leaves out.
const RESOURCE_TAGS: usize = 50;
const EXCLUDE_TAGS: usize = 5;

/// The greatest length of a description.
const DESCRIPTION: usize = 255;

/// The greatest number of rules of an account in a region.
const RULES: usize = 250;

/// What MaxResults of ListRules may be.
const PAGE: Bounds = Bounds { min: 1, max: 1000 };

/// The unit of all periods.
const DAYS: &str = "DAYS";

impl Control {
    /// Makes a rule. It holds for what is deleted from now on.
    pub async fn create_rule(&self, caller: &Caller, request: CreateRule) -> Result<RetentionRule> {
        let resource_type = resource_type(&request.resource_type)?;
        let retention = request.retention.as_ref();
        let retention = retention.ok_or_else(|| missing("RetentionPeriod"))?;
        let delay = request.unlock_delay.as_ref().map(unlock_days).transpose()?;
        let rule = RetentionRule {
            id: RetentionRule::new_id(self.entropy()),
            account: caller.account.clone(),
            region: caller.region,
            resource_type,
            retention_days: retention_days(resource_type, retention)?,
            description: request.description.unwrap_or_default(),
            resource_tags: request.resource_tags,
            exclude_resource_tags: request.exclude_resource_tags,
            lock: delay.map(|delay_days| RuleLock::Locked { delay_days }),
            created: self.stamp(),
            tags: checked_tags(&request.tags)?,
        };
        check(&rule)?;
        let mut tx = self.store().write().await?;
        check_count(&mut tx, caller).await?;
        store::insert(&mut tx, &rule).await?;
        tx.commit().await?;
        Ok(rule)
    }

    /// A rule of the caller.
    pub async fn get_rule(&self, caller: &Caller, id: &str) -> Result<RetentionRule> {
        find(&mut *self.store().read().await?, caller, id).await
    }

    /// The caller's rules about a type of resource that ask for one of these tags, if some are named,
    /// and are locked as it is asked for.
    pub async fn list_rules(
        &self,
        caller: &Caller,
        request: ListRules,
    ) -> Result<Paged<RetentionRule>> {
        let resource_type = resource_type(&request.resource_type)?;
        let state = request.lock_state.as_deref().map(lock_state).transpose()?;
        let mut read = self.store().read().await?;
        let mut rules = store::list(&mut read, &caller.account, caller.region).await?;
        drop(read);
        let now = self.now();
        rules.retain(|rule| {
            rule.resource_type == resource_type
                && state.is_none_or(|state| rule.lock_state(now) == Some(state))
                && names(&rule.resource_tags, &request.resource_tags)
                && names(&rule.exclude_resource_tags, &request.exclude_resource_tags)
        });
        let scope = format!(
            "ListRules {} {} {resource_type} {state:?} {:?} {:?}",
            caller.account, caller.region, request.resource_tags, request.exclude_resource_tags
        );
        let pager = Pager {
            seal: self.seal(),
            scope: &scope,
            bounds: PAGE,
        };
        Ok(pager.cut(rules, &request.page, |rule| rule.id.clone())?)
    }

    /// Changes a rule that is not locked. What is in the bin already stays as long as it was to.
    pub async fn update_rule(&self, caller: &Caller, request: UpdateRule) -> Result<RetentionRule> {
        let mut tx = self.store().write().await?;
        let mut rule = find(&mut tx, caller, &request.id).await?;
        self.check_allowed(&rule, RuleVerb::Change)?;
        if let Some(text) = &request.resource_type {
            rule.resource_type = resource_type(text)?;
        }
        if let Some(period) = &request.retention {
            rule.retention_days = retention_days(rule.resource_type, period)?;
        }
        rule.description = request.description.unwrap_or(rule.description);
        rule.resource_tags = request.resource_tags.unwrap_or(rule.resource_tags);
        let excluded = request.exclude_resource_tags;
        rule.exclude_resource_tags = excluded.unwrap_or(rule.exclude_resource_tags);
        check(&rule)?;
        self.put_rule(tx, rule).await
    }

    /// Deletes a rule that is not locked.
    pub async fn delete_rule(&self, caller: &Caller, id: &str) -> Result<()> {
        let mut tx = self.store().write().await?;
        let rule = find(&mut tx, caller, id).await?;
        self.check_allowed(&rule, RuleVerb::Change)?;
        store::delete(&mut tx, id).await?;
        Ok(tx.commit().await?)
    }

    /// Locks a rule: nobody can change it before so many days after it is unlocked again.
    pub async fn lock_rule(
        &self,
        caller: &Caller,
        id: &str,
        unlock_delay: Option<Period>,
    ) -> Result<RetentionRule> {
        let mut tx = self.store().write().await?;
        let mut rule = find(&mut tx, caller, id).await?;
        let delay = unlock_delay.ok_or_else(|| missing("LockConfiguration"))?;
        let delay_days = unlock_days(&delay)?;
        self.check_allowed(&rule, RuleVerb::Lock)?;
        rule.lock = Some(RuleLock::Locked { delay_days });
        check(&rule)?;
        self.put_rule(tx, rule).await
    }

    /// Begins the delay after which a locked rule can be changed.
    pub async fn unlock_rule(&self, caller: &Caller, id: &str) -> Result<RetentionRule> {
        let mut tx = self.store().write().await?;
        let mut rule = find(&mut tx, caller, id).await?;
        self.check_allowed(&rule, RuleVerb::Unlock)?;
        if let Some(RuleLock::Locked { delay_days }) = rule.lock {
            let ends = self.stamp().after(days(delay_days));
            rule.lock = Some(RuleLock::PendingUnlock { delay_days, ends });
        }
        self.put_rule(tx, rule).await
    }

    /// Puts tags on the rule of an ARN.
    pub async fn tag_rule(&self, caller: &Caller, arn: &str, new: &Tags) -> Result<()> {
        let mut tx = self.store().write().await?;
        let mut rule = find_by_arn(&mut tx, caller, arn).await?;
        tags::put(&mut rule.tags, &checked_tags(new)?).map_err(invalid)?;
        self.put_rule(tx, rule).await.map(drop)
    }

    /// Takes tags from the rule of an ARN.
    pub async fn untag_rule(&self, caller: &Caller, arn: &str, keys: &[String]) -> Result<()> {
        let mut tx = self.store().write().await?;
        let mut rule = find_by_arn(&mut tx, caller, arn).await?;
        rule.tags.retain(|key, _| !keys.contains(key));
        self.put_rule(tx, rule).await.map(drop)
    }

    /// The tags of the rule of an ARN.
    pub async fn tags_of_rule(&self, caller: &Caller, arn: &str) -> Result<Tags> {
        let rule = find_by_arn(&mut *self.store().read().await?, caller, arn).await?;
        Ok(rule.tags)
    }

    /// The time by which the states of locks are shown.
    pub fn lock_state_of(&self, rule: &RetentionRule) -> Option<RuleLockState> {
        rule.lock_state(self.now())
    }

    async fn put_rule(&self, mut tx: WriteTx, rule: RetentionRule) -> Result<RetentionRule> {
        let put = store::update(&mut tx, &rule.id.clone(), |old| *old = rule).await?;
        tx.commit().await?;
        put.ok_or_else(|| Error::internal("a rule went while it was held"))
    }

    fn check_allowed(&self, rule: &RetentionRule, verb: RuleVerb) -> Result<()> {
        if rule.allows(verb, self.now()) {
            return Ok(());
        }
        let state = rule
            .lock_state(self.now())
            .map_or("unlocked", RuleLockState::as_str);
        let text = format!("The rule {} is {state}.", rule.id);
        Err(Error::new(ErrorKind::RuleLockState, text))
    }
}

/// The caller's rule of an identifier.
async fn find(conn: &mut Connection, caller: &Caller, id: &str) -> Result<RetentionRule> {
    if !RetentionRule::is_id(id) {
        let text = format!("Invalid rule identifier '{id}': it has eleven letters and digits.");
        return Err(Error::new(ErrorKind::RuleInvalid, text));
    }
    let found = store::get(conn, id).await?;
    found
        .filter(|rule| rule.account == caller.account && rule.region == caller.region)
        .ok_or_else(|| not_found(id))
}

async fn find_by_arn(conn: &mut Connection, caller: &Caller, arn: &str) -> Result<RetentionRule> {
    let id = arn.rsplit_once(":rule/").map_or(arn, |(_, id)| id);
    let rule = find(conn, caller, id).await?;
    match rule.arn() == arn {
        true => Ok(rule),
        false => Err(not_found(arn)),
    }
}

async fn check_count(conn: &mut Connection, caller: &Caller) -> Result<()> {
    let rules = store::list(conn, &caller.account, caller.region).await?;
    if rules.len() < RULES {
        return Ok(());
    }
    let text = format!("There are {RULES} rules already, which is the most.");
    Err(Error::new(ErrorKind::RuleQuotaExceeded, text))
}

/// Checks a rule as a whole.
fn check(rule: &RetentionRule) -> Result<()> {
    if rule.description.chars().count() > DESCRIPTION {
        return Err(invalid(format!(
            "The description may have up to {DESCRIPTION} characters."
        )));
    }
    check_tags(&rule.resource_tags, RESOURCE_TAGS, "ResourceTags")?;
    check_tags(
        &rule.exclude_resource_tags,
        EXCLUDE_TAGS,
        "ExcludeResourceTags",
    )?;
    if !rule.resource_tags.is_empty() && !rule.exclude_resource_tags.is_empty() {
        return Err(invalid(
            "ResourceTags and ExcludeResourceTags cannot be used together.",
        ));
    }
    if !rule.resource_tags.is_empty() && rule.lock.is_some_and(|lock| lock != RuleLock::Unlocked) {
        return Err(invalid(
            "Only a rule about all resources of a region can be locked, not one with ResourceTags.",
        ));
    }
    // The type may have changed after the period was said.
    let period = Period {
        value: rule.retention_days,
        unit: DAYS.to_owned(),
    };
    retention_days(rule.resource_type, &period).map(drop)
}

fn check_tags(wanted: &[RuleTag], most: usize, name: &str) -> Result<()> {
    if wanted.len() > most {
        return Err(invalid(format!("{name} may have up to {most} tags.")));
    }
    for tag in wanted {
        let value = tag.value.as_deref().unwrap_or_default();
        let fits = (1..=127).contains(&tag.key.chars().count()) && value.chars().count() <= 256;
        if !fits {
            return Err(invalid(format!(
                "The keys in {name} have 1 to 127 characters, and the values up to 256."
            )));
        }
    }
    Ok(())
}

fn checked_tags(new: &Tags) -> Result<Tags> {
    let pairs = new
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    tags::checked(pairs).map_err(invalid)
}

fn resource_type(text: &str) -> Result<RecycledType> {
    text.parse().map_err(|_| {
        invalid(format!(
            "ResourceType is EBS_SNAPSHOT, EC2_IMAGE or EBS_VOLUME, not '{text}'."
        ))
    })
}

fn lock_state(text: &str) -> Result<RuleLockState> {
    text.parse().map_err(|_| {
        invalid(format!(
            "LockState is locked, pending_unlock or unlocked, not '{text}'."
        ))
    })
}

fn retention_days(resource_type: RecycledType, period: &Period) -> Result<i32> {
    let bounds = match resource_type {
        RecycledType::EbsVolume => VOLUME_RETENTION_DAYS,
        RecycledType::EbsSnapshot | RecycledType::Ec2Image => RETENTION_DAYS,
    };
    in_days(period, "RetentionPeriod", bounds)
}

fn unlock_days(period: &Period) -> Result<i32> {
    in_days(period, "UnlockDelay", UNLOCK_DAYS)
}

fn in_days(period: &Period, name: &str, bounds: std::ops::RangeInclusive<i32>) -> Result<i32> {
    if period.unit != DAYS {
        return Err(invalid(format!("The unit of {name} is {DAYS}.")));
    }
    match bounds.contains(&period.value) {
        true => Ok(period.value),
        false => Err(invalid(format!(
            "{name} has to be from {} to {} days.",
            bounds.start(),
            bounds.end()
        ))),
    }
}

/// Whether a rule has one of the tags that are asked for; a value that is absent matches any.
fn names(own: &[RuleTag], asked: &[RuleTag]) -> bool {
    let fits = |asked: &RuleTag, own: &RuleTag| {
        asked.key == own.key && (asked.value.is_none() || asked.value == own.value)
    };
    asked.is_empty()
        || asked
            .iter()
            .any(|asked| own.iter().any(|own| fits(asked, own)))
}

fn invalid(text: impl ToString) -> Error {
    Error::new(ErrorKind::RuleInvalid, text.to_string())
}

fn missing(parameter: &str) -> Error {
    invalid(format!(
        "The request must contain the parameter {parameter}"
    ))
}

fn not_found(id: &str) -> Error {
    let text = format!("The rule '{id}' does not exist.");
    Error::new(ErrorKind::RuleNotFound, text)
}
