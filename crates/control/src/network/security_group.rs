//! Security groups and their rules.

use cairn_model::{
    Paged, ResourceType, SecurityGroup, SecurityGroupId, SecurityGroupRule, SecurityGroupRuleId,
    TagsByType,
    page::Bounds,
    security_group::{
        GROUPS_MAX, GroupWithRules, Peer, RULES_MAX, RuleError, RuleSpec, TEXT_MAX, anywhere,
        check_description, ipv4_block, ipv6_block, others_named,
    },
};
use cairn_store::{Connection, WriteTx, instance, network_interface, security_group};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::Revoked,
    describe::{self, Question},
    network::{default_vpc, find_vpc, group_not_found},
    request::{
        ChangeRules, CreateSecurityGroup, DeleteSecurityGroup, Describe, GroupName, ModifyRules,
        PeerRequest, Permission,
    },
};

/// A rule that a client asks for: what it says, and its description.
type Asked = (RuleSpec, Option<String>);

impl Control {
    /// The security groups of these ids and names, or all, that pass the filters; by id.
    pub async fn describe_security_groups(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Paged<GroupWithRules>> {
        for id in &request.ids {
            describe::parse_id::<SecurityGroupId>(id, ErrorKind::SecurityGroupIdMalformed)?;
        }
        let all = self.groups_with_rules(caller).await?;
        let groups = describe::select(
            all,
            &request.ids,
            |found| found.group.id.as_str(),
            group_not_found,
        )?;
        let groups = describe::select(
            groups,
            &request.names,
            |found| &found.group.name,
            group_not_found,
        )?;
        self.group_question(caller, "DescribeSecurityGroups", &request)
            .answer(groups, |found| found.group.id.to_string())
    }

    async fn groups_with_rules(&self, caller: &Caller) -> Result<Vec<GroupWithRules>> {
        let conn = &mut *self.store().read().await?;
        let groups = security_group::list(conn, &caller.account, caller.region).await?;
        let rules = security_group::list_rules(conn, &caller.account, caller.region).await?;
        let names: Vec<_> = groups
            .iter()
            .map(|group| (group.id.clone(), group.name.clone()))
            .collect();
        let with_rules = groups.into_iter().map(|group| GroupWithRules {
            rules: rules_among(&rules, &group.id),
            names: names.clone(),
            group,
        });
        Ok(with_rules.collect())
    }

    /// The rules of these ids, or all, that pass the filters; by id.
    pub async fn describe_security_group_rules(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Paged<SecurityGroupRule>> {
        for id in &request.ids {
            parse_rule_id(id)?;
        }
        let conn = &mut *self.store().read().await?;
        let all = security_group::list_rules(conn, &caller.account, caller.region).await?;
        let rules = describe::select(all, &request.ids, |rule| rule.id.as_str(), rule_not_found)?;
        self.group_question(caller, "DescribeSecurityGroupRules", &request)
            .answer(rules, |rule| rule.id.to_string())
    }

    fn group_question<'a>(
        &'a self,
        caller: &'a Caller,
        operation: &'static str,
        request: &'a Describe,
    ) -> Question<'a> {
        Question {
            control: self,
            caller,
            operation,
            bounds: Bounds::USUAL,
            request,
        }
    }

    /// Makes a group, which lets everything out over IPv4 and nothing in.
    pub async fn create_security_group(
        &self,
        caller: &Caller,
        request: CreateSecurityGroup,
    ) -> Result<SecurityGroup> {
        check_group_text(&request)?;
        let tags = TagsByType::of(&request.tag_specifications, &[ResourceType::SecurityGroup])?;
        let mut tx = self.store().write().await?;
        let vpc = match request.vpc_id.as_deref().filter(|id| !id.is_empty()) {
            Some(id) => find_vpc(&mut tx, caller, id).await?,
            None => default_vpc(&mut tx, caller).await?,
        };
        let others = security_group::list(&mut tx, &caller.account, caller.region).await?;
        check_is_new(&others, &request.name, vpc.id.as_str())?;
        describe::refuse_dry_run(request.dry_run)?;
        let group = SecurityGroup {
            name: request.name,
            description: request.description,
            tags: tags.tags(ResourceType::SecurityGroup),
            ..SecurityGroup::default_of(&vpc, self.entropy())
        };
        security_group::insert(&mut tx, &group).await?;
        let outward = SecurityGroupRule::of(&group, true, anywhere(), self.entropy());
        security_group::insert_rule(&mut tx, &outward).await?;
        tx.commit().await?;
        Ok(group)
    }

    /// Deletes a group that nothing uses.
    pub async fn delete_security_group(
        &self,
        caller: &Caller,
        request: DeleteSecurityGroup,
    ) -> Result<SecurityGroupId> {
        let mut tx = self.store().write().await?;
        let group = named(&mut tx, caller, &request.group).await?;
        check_can_go(&mut tx, &group).await?;
        describe::refuse_dry_run(request.dry_run)?;
        security_group::delete(&mut tx, &group.id).await?;
        tx.commit().await?;
        Ok(group.id)
    }

    /// Adds rules to a group: all of them, or none.
    pub async fn authorize_security_group(
        &self,
        caller: &Caller,
        request: ChangeRules,
    ) -> Result<Vec<SecurityGroupRule>> {
        let taggable = [ResourceType::SecurityGroupRule];
        let tags = TagsByType::of(&request.tag_specifications, &taggable)?;
        if request.permissions.is_empty() {
            return Err(Error::missing_parameter("ipPermissions"));
        }
        let mut tx = self.store().write().await?;
        let group = named(&mut tx, caller, &request.group).await?;
        let asked = asked(&mut tx, caller, &group, &request.permissions).await?;
        let mut rules = direction(&mut tx, &group, request.is_egress).await?;
        let before = rules.len();
        for (spec, description) in asked {
            if rules[..before].iter().any(|rule| rule.spec == spec) {
                return Err(rule_exists(&spec));
            }
            if rules.iter().any(|rule| rule.spec == spec) {
                return Err(repeated());
            }
            rules.push(SecurityGroupRule {
                description,
                tags: tags.tags(ResourceType::SecurityGroupRule),
                ..SecurityGroupRule::of(&group, request.is_egress, spec, self.entropy())
            });
        }
        check_rule_count(&rules)?;
        describe::refuse_dry_run(request.dry_run)?;
        let new = rules.split_off(before);
        for rule in &new {
            security_group::insert_rule(&mut tx, rule).await?;
        }
        tx.commit().await?;
        Ok(new)
    }

    /// Takes rules from a group, by their ids or by what they say: all of them, or none. In a default VPC
    /// what is not there is told and no error.
    pub async fn revoke_security_group(
        &self,
        caller: &Caller,
        request: ChangeRules,
    ) -> Result<Revoked> {
        check_either(&request)?;
        let mut tx = self.store().write().await?;
        let group = named(&mut tx, caller, &request.group).await?;
        let rules = direction(&mut tx, &group, request.is_egress).await?;
        let mut revoked = by_ids(&rules, &request.rule_ids)?;
        let mut unknown = Vec::new();
        for (spec, _) in asked(&mut tx, caller, &group, &request.permissions).await? {
            match rules.iter().find(|rule| rule.spec == spec) {
                Some(rule) => revoked.push(rule.clone()),
                None => unknown.push(spec),
            }
        }
        let vpc = find_vpc(&mut tx, caller, group.vpc_id.as_str()).await?;
        if !(unknown.is_empty() || vpc.is_default) {
            return Err(rule_unknown());
        }
        describe::refuse_dry_run(request.dry_run)?;
        for rule in &revoked {
            security_group::delete_rule(&mut tx, &rule.id).await?;
        }
        tx.commit().await?;
        Ok(Revoked {
            rules: revoked,
            unknown,
        })
    }

    /// Changes what rules say, under their ids: all of them, or none.
    pub async fn modify_security_group_rules(
        &self,
        caller: &Caller,
        request: ModifyRules,
    ) -> Result<()> {
        if request.updates.is_empty() {
            return Err(Error::missing_parameter("securityGroupRules"));
        }
        let mut tx = self.store().write().await?;
        let group = find_group(&mut tx, caller, &request.group_id).await?;
        let mut rules = security_group::rules_of(&mut tx, &group.id).await?;
        for (id, new) in &request.updates {
            parse_rule_id(id)?;
            let permission = new
                .clone()
                .ok_or_else(|| Error::missing_parameter("securityGroupRule"))?;
            let (spec, description) =
                only_one(asked(&mut tx, caller, &group, &[permission]).await?)?;
            let at = rules.iter().position(|rule| rule.id.as_str() == id);
            let at = at.ok_or_else(|| rule_not_found(id))?;
            rules[at].spec = spec;
            rules[at].description = description;
        }
        check_all_differ(&rules)?;
        describe::refuse_dry_run(request.dry_run)?;
        for rule in rules {
            let id = rule.id.clone();
            security_group::update_rule(&mut tx, &id, |known| *known = rule).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

fn rules_among(rules: &[SecurityGroupRule], group: &SecurityGroupId) -> Vec<SecurityGroupRule> {
    let of_group = rules.iter().filter(|rule| rule.group_id == *group);
    of_group.cloned().collect()
}

/// The rules of a group in one direction.
async fn direction(
    conn: &mut Connection,
    group: &SecurityGroup,
    is_egress: bool,
) -> Result<Vec<SecurityGroupRule>> {
    let mut rules = security_group::rules_of(conn, &group.id).await?;
    rules.retain(|rule| rule.is_egress == is_egress);
    Ok(rules)
}

fn by_ids(rules: &[SecurityGroupRule], ids: &[String]) -> Result<Vec<SecurityGroupRule>> {
    let mut found = Vec::new();
    for id in ids {
        parse_rule_id(id)?;
        let rule = rules.iter().find(|rule| rule.id.as_str() == id);
        found.push(rule.ok_or_else(|| rule_not_found(id))?.clone());
    }
    Ok(found)
}

/// The caller's group of an id.
pub(crate) async fn find_group(
    conn: &mut Connection,
    caller: &Caller,
    id: &str,
) -> Result<SecurityGroup> {
    let parsed = describe::parse_id(id, ErrorKind::SecurityGroupIdMalformed)?;
    let found = security_group::get(conn, &parsed).await?;
    found
        .filter(|group| group.account == caller.account && group.region == caller.region)
        .ok_or_else(|| group_not_found(id))
}

/// The group that a request names; a name alone is one of the default VPC.
async fn named(conn: &mut Connection, caller: &Caller, group: &GroupName) -> Result<SecurityGroup> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    match (given(&group.id), given(&group.name)) {
        (Some(_), Some(_)) => Err(Error::new(
            ErrorKind::InvalidParameterCombination,
            "The parameters GroupId and GroupName exclude each other.",
        )),
        (Some(id), None) => find_group(conn, caller, &id).await,
        (None, Some(name)) => {
            let vpc = default_vpc(conn, caller).await?;
            let groups = security_group::list(conn, &caller.account, caller.region).await?;
            let mut of_vpc = groups.into_iter().filter(|group| group.vpc_id == vpc.id);
            let found = of_vpc.find(|group| group.name == name);
            found.ok_or_else(|| group_not_found(&name))
        }
        (None, None) => Err(Error::missing_parameter("groupId")),
    }
}

/// The rules that permissions ask for, one for each peer.
async fn asked(
    conn: &mut Connection,
    caller: &Caller,
    group: &SecurityGroup,
    permissions: &[Permission],
) -> Result<Vec<Asked>> {
    let mut rules = Vec::new();
    for permission in permissions {
        let protocol = permission.protocol.as_deref().filter(|p| !p.is_empty());
        let protocol = protocol.ok_or_else(|| Error::missing_parameter("ipProtocol"))?;
        if permission.peers.is_empty() {
            return Err(Error::missing_parameter("ipRanges, ipv6Ranges or groups"));
        }
        for asked in &permission.peers {
            let peer = peer(conn, caller, group, asked).await?;
            let (from, to) = (permission.from_port, permission.to_port);
            let spec = RuleSpec::read(protocol, from, to, peer).map_err(rule_error)?;
            let description = asked.description.clone().filter(|text| !text.is_empty());
            check_description(description.as_deref().unwrap_or_default()).map_err(rule_error)?;
            rules.push((spec, description));
        }
    }
    Ok(rules)
}

/// Whom a rule is about; a group is one of the same VPC.
async fn peer(
    conn: &mut Connection,
    caller: &Caller,
    group: &SecurityGroup,
    asked: &PeerRequest,
) -> Result<Peer> {
    if let Some(cidr) = &asked.cidr_ip {
        return ipv4_block(cidr).map_err(rule_error);
    }
    if let Some(cidr) = &asked.cidr_ipv6 {
        return ipv6_block(cidr).map_err(rule_error);
    }
    let account = asked.account.as_deref().filter(|text| !text.is_empty());
    if account.is_some_and(|account| account != caller.account.as_str()) {
        let named = asked.group.id.as_deref().or(asked.group.name.as_deref());
        return Err(group_not_found(named.unwrap_or_default()));
    }
    let other = named(conn, caller, &asked.group).await?;
    if other.vpc_id != group.vpc_id {
        return Err(group_not_found(other.id.as_str()));
    }
    Ok(Peer::Group {
        id: other.id,
        account: other.account,
    })
}

fn only_one(mut asked: Vec<Asked>) -> Result<Asked> {
    match (asked.pop(), asked.is_empty()) {
        (Some(only), true) => Ok(only),
        _ => Err(Error::new(
            ErrorKind::InvalidParameterCombination,
            "A rule is about one block of addresses or one group.",
        )),
    }
}

fn check_either(request: &ChangeRules) -> Result<()> {
    match (request.permissions.is_empty(), request.rule_ids.is_empty()) {
        (true, true) => Err(Error::missing_parameter(
            "ipPermissions or securityGroupRuleIds",
        )),
        (false, false) => Err(Error::new(
            ErrorKind::InvalidParameterCombination,
            "The parameters ipPermissions and securityGroupRuleIds exclude each other.",
        )),
        _ => Ok(()),
    }
}

fn check_group_text(request: &CreateSecurityGroup) -> Result<()> {
    let refuse = |message: String| Err(Error::new(ErrorKind::InvalidParameterValue, message));
    let name = &request.name;
    for (what, text) in [
        ("groupName", name),
        ("groupDescription", &request.description),
    ] {
        if text.is_empty() {
            return Err(Error::missing_parameter(what));
        }
        if check_description(text).is_err() {
            return refuse(format!(
                "Value ({text}) for parameter {what} is invalid. It has up to {TEXT_MAX} of the characters a-z, A-Z, 0-9, space and ._-:/()#,@[]+=&;{{}}!$*"
            ));
        }
    }
    if name.starts_with(SecurityGroupId::PREFIX) {
        return refuse(format!(
            "Value ({name}) for parameter groupName is invalid. Group names may not be in the format sg-*."
        ));
    }
    if name == SecurityGroup::DEFAULT {
        return refuse("Cannot use reserved security group name: default".to_owned());
    }
    Ok(())
}

fn check_is_new(others: &[SecurityGroup], name: &str, vpc: &str) -> Result<()> {
    let same = |group: &&SecurityGroup| group.name == name && group.vpc_id.as_str() == vpc;
    if others.iter().find(same).is_some() {
        return Err(duplicate(name, vpc));
    }
    if others.len() >= GROUPS_MAX {
        return Err(Error::new(
            ErrorKind::SecurityGroupLimitExceeded,
            format!("A region can have {GROUPS_MAX} security groups."),
        ));
    }
    Ok(())
}

async fn check_can_go(tx: &mut WriteTx, group: &SecurityGroup) -> Result<()> {
    if group.name == SecurityGroup::DEFAULT {
        let message = format!(
            "the specified group: \"{}\" name: \"default\" cannot be deleted by a user",
            group.id
        );
        return Err(Error::new(ErrorKind::CannotDelete, message));
    }
    if is_in_use(tx, group).await? {
        return Err(dependency(group.id.as_str()));
    }
    Ok(())
}

/// Whether an instance or a network interface has the group, or a rule of another group is about
/// it.
async fn is_in_use(tx: &mut WriteTx, group: &SecurityGroup) -> Result<bool> {
    let (account, region) = (&group.account, group.region);
    let is_it = |groups: &[(SecurityGroupId, String)]| groups.iter().any(|(id, _)| *id == group.id);
    let instances = instance::list(tx, account, region).await?;
    let mut alive = instances.iter().filter(|i| i.terminated_at.is_none());
    let interfaces = network_interface::list(tx, account, region).await?;
    let rules = security_group::list_rules(tx, account, region).await?;
    let is_named = others_named(&rules).contains(&group.id);
    Ok(is_named
        || alive.any(|instance| is_it(&instance.security_groups))
        || interfaces.iter().any(|interface| is_it(&interface.groups)))
}

fn check_rule_count(rules: &[SecurityGroupRule]) -> Result<()> {
    if rules.len() <= RULES_MAX {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::RulesPerSecurityGroupLimitExceeded,
        "The maximum number of rules per security group has been reached.",
    ))
}

fn check_all_differ(rules: &[SecurityGroupRule]) -> Result<()> {
    let said = |rule: &SecurityGroupRule| (rule.is_egress, rule.spec.clone());
    for (at, rule) in rules.iter().enumerate() {
        if rules[..at].iter().any(|other| said(other) == said(rule)) {
            return Err(rule_exists(&rule.spec));
        }
    }
    Ok(())
}

fn parse_rule_id(id: &str) -> Result<SecurityGroupRuleId> {
    describe::parse_id(id, ErrorKind::SecurityGroupRuleIdMalformed)
}

fn rule_error(error: RuleError) -> Error {
    let kind = match error {
        RuleError::Icmp { .. } | RuleError::Ports { .. } | RuleError::NoPorts(_) => {
            ErrorKind::InvalidParameterValue
        }
        RuleError::Protocol(_) => ErrorKind::PermissionMalformed,
        RuleError::Cidr(_) | RuleError::Description => ErrorKind::InvalidParameterValue,
    };
    Error::new(kind, error)
}

fn rule_exists(spec: &RuleSpec) -> Error {
    let peer = match &spec.peer {
        Peer::Ipv4(cidr) | Peer::Ipv6(cidr) => cidr.clone(),
        Peer::Group { id, .. } => id.to_string(),
    };
    let protocol = match spec.protocol.as_str() {
        "-1" => "ALL".to_owned(),
        other => other.to_uppercase(),
    };
    let port = |port: Option<i32>| port.map_or_else(|| "ALL".to_owned(), |port| port.to_string());
    let message = format!(
        "the specified rule \"peer: {peer}, {protocol}, from port: {}, to port: {}, ALLOW\" already exists",
        port(spec.from_port),
        port(spec.to_port)
    );
    Error::new(ErrorKind::PermissionDuplicate, message)
}

fn repeated() -> Error {
    Error::new(
        ErrorKind::InvalidParameterValue,
        "The same permission must not appear multiple times",
    )
}

fn rule_unknown() -> Error {
    Error::new(
        ErrorKind::PermissionNotFound,
        "The specified rule does not exist in this security group.",
    )
}

fn rule_not_found(id: &str) -> Error {
    Error::new(
        ErrorKind::SecurityGroupRuleNotFound,
        format!("The security group rule ID '{id}' does not exist"),
    )
}

fn duplicate(name: &str, vpc: &str) -> Error {
    Error::new(
        ErrorKind::SecurityGroupDuplicate,
        format!("The security group '{name}' already exists for VPC '{vpc}'"),
    )
}

/// What something else depends on cannot be deleted.
pub(crate) fn dependency(id: &str) -> Error {
    Error::new(
        ErrorKind::DependencyViolation,
        format!("resource {id} has a dependent object"),
    )
}
