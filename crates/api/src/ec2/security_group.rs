//! Security groups and their rules.

use cairn_control::request as verbs;
use cairn_model::{
    SecurityGroupRule,
    security_group::{GroupWithRules, Peer, Permission, RuleSpec},
};

use super::{
    Answered, Call, answer,
    common::{self, some},
};
use crate::generated::{request, response};

pub(super) async fn describe(call: &Call<'_>) -> Answered {
    let asked: request::DescribeSecurityGroupsRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::Describe {
        ids: asked.group_ids,
        names: asked.group_names,
        ..common
    };
    let found = call
        .control
        .describe_security_groups(call.caller, request)
        .await?;
    answer(response::DescribeSecurityGroupsResult {
        security_groups: found.items.iter().map(show).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn describe_rules(call: &Call<'_>) -> Answered {
    let asked: request::DescribeSecurityGroupRulesRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::Describe {
        ids: asked.security_group_rule_ids,
        ..common
    };
    let found = call
        .control
        .describe_security_group_rules(call.caller, request)
        .await?;
    answer(response::DescribeSecurityGroupRulesResult {
        security_group_rules: found.items.iter().map(show_rule).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn create(call: &Call<'_>) -> Answered {
    let asked: request::CreateSecurityGroupRequest = call.request()?;
    let request = verbs::CreateSecurityGroup {
        name: asked.group_name,
        description: asked.description,
        vpc_id: asked.vpc_id,
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let group = call
        .control
        .create_security_group(call.caller, request)
        .await?;
    answer(response::CreateSecurityGroupResult {
        group_id: some(&group.id),
        tags: common::tags(&group.tags),
        security_group_arn: Some(group.arn()),
    })
}

pub(super) async fn delete(call: &Call<'_>) -> Answered {
    let asked: request::DeleteSecurityGroupRequest = call.request()?;
    let request = verbs::DeleteSecurityGroup {
        group: verbs::GroupName {
            id: asked.group_id,
            name: asked.group_name,
        },
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let id = call
        .control
        .delete_security_group(call.caller, request)
        .await?;
    answer(response::DeleteSecurityGroupResult {
        r#return: Some(true),
        group_id: some(id),
    })
}

pub(super) async fn authorize_ingress(call: &Call<'_>) -> Answered {
    let asked: request::AuthorizeSecurityGroupIngressRequest = call.request()?;
    let flat = flat(asked.ip_protocol, asked.from_port, asked.to_port);
    let request = verbs::ChangeRules {
        group: verbs::GroupName {
            id: asked.group_id,
            name: asked.group_name,
        },
        is_egress: false,
        permissions: permissions(
            asked.ip_permissions,
            flat,
            asked.cidr_ip,
            asked.source_security_group_name,
            asked.source_security_group_owner_id,
        ),
        rule_ids: Vec::new(),
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let rules = call
        .control
        .authorize_security_group(call.caller, request)
        .await?;
    answer(response::AuthorizeSecurityGroupIngressResult {
        r#return: Some(true),
        security_group_rules: rules.iter().map(show_rule).collect(),
    })
}

pub(super) async fn authorize_egress(call: &Call<'_>) -> Answered {
    let asked: request::AuthorizeSecurityGroupEgressRequest = call.request()?;
    let request = verbs::ChangeRules {
        group: by_id(asked.group_id),
        is_egress: true,
        permissions: asked.ip_permissions.into_iter().map(permission).collect(),
        rule_ids: Vec::new(),
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let rules = call
        .control
        .authorize_security_group(call.caller, request)
        .await?;
    answer(response::AuthorizeSecurityGroupEgressResult {
        r#return: Some(true),
        security_group_rules: rules.iter().map(show_rule).collect(),
    })
}

pub(super) async fn revoke_ingress(call: &Call<'_>) -> Answered {
    let asked: request::RevokeSecurityGroupIngressRequest = call.request()?;
    let flat = flat(asked.ip_protocol, asked.from_port, asked.to_port);
    let request = verbs::ChangeRules {
        group: verbs::GroupName {
            id: asked.group_id,
            name: asked.group_name,
        },
        is_egress: false,
        permissions: permissions(
            asked.ip_permissions,
            flat,
            asked.cidr_ip,
            asked.source_security_group_name,
            asked.source_security_group_owner_id,
        ),
        rule_ids: asked.security_group_rule_ids,
        tag_specifications: Vec::new(),
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let revoked = call
        .control
        .revoke_security_group(call.caller, request)
        .await?;
    answer(response::RevokeSecurityGroupIngressResult {
        r#return: Some(true),
        unknown_ip_permissions: revoked.unknown.iter().map(show_unknown).collect(),
        revoked_security_group_rules: revoked.rules.iter().map(show_revoked).collect(),
    })
}

pub(super) async fn revoke_egress(call: &Call<'_>) -> Answered {
    let asked: request::RevokeSecurityGroupEgressRequest = call.request()?;
    let request = verbs::ChangeRules {
        group: by_id(asked.group_id),
        is_egress: true,
        permissions: asked.ip_permissions.into_iter().map(permission).collect(),
        rule_ids: asked.security_group_rule_ids,
        tag_specifications: Vec::new(),
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let revoked = call
        .control
        .revoke_security_group(call.caller, request)
        .await?;
    answer(response::RevokeSecurityGroupEgressResult {
        r#return: Some(true),
        unknown_ip_permissions: revoked.unknown.iter().map(show_unknown).collect(),
        revoked_security_group_rules: revoked.rules.iter().map(show_revoked).collect(),
    })
}

pub(super) async fn modify_rules(call: &Call<'_>) -> Answered {
    let asked: request::ModifySecurityGroupRulesRequest = call.request()?;
    let updates = asked.security_group_rules.into_iter();
    let request = verbs::ModifyRules {
        group_id: asked.group_id,
        updates: updates
            .map(|update| {
                let new = update.security_group_rule.map(new_rule);
                (update.security_group_rule_id, new)
            })
            .collect(),
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .modify_security_group_rules(call.caller, request)
        .await?;
    answer(response::ModifySecurityGroupRulesResult {
        r#return: Some(true),
    })
}

fn by_id(id: String) -> verbs::GroupName {
    verbs::GroupName {
        id: Some(id),
        name: None,
    }
}

/// What a request says of traffic in its own parameters.
fn flat(
    ip_protocol: Option<String>,
    from_port: Option<i32>,
    to_port: Option<i32>,
) -> request::IpPermission {
    request::IpPermission {
        ip_protocol,
        from_port,
        to_port,
        ..request::IpPermission::default()
    }
}

/// The permissions of a request, and the one that it has in its own parameters, if it has.
fn permissions(
    listed: Vec<request::IpPermission>,
    flat: request::IpPermission,
    cidr_ip: Option<String>,
    source_group: Option<String>,
    source_owner: Option<String>,
) -> Vec<verbs::Permission> {
    let mut permissions: Vec<_> = listed.into_iter().map(permission).collect();
    let peer = match (&cidr_ip, &source_group) {
        (None, None) if flat.ip_protocol.is_none() => return permissions,
        (None, None) => None,
        _ => Some(verbs::PeerRequest {
            cidr_ip,
            group: verbs::GroupName {
                id: None,
                name: source_group.clone(),
            },
            account: source_owner,
            ..verbs::PeerRequest::default()
        }),
    };
    // A group by its name alone is about all that its members send.
    let all = source_group.map(|_| "-1".to_owned());
    permissions.push(verbs::Permission {
        protocol: flat.ip_protocol.or(all),
        from_port: flat.from_port,
        to_port: flat.to_port,
        peers: peer.into_iter().collect(),
    });
    permissions
}

fn permission(asked: request::IpPermission) -> verbs::Permission {
    let ipv4 = asked.ip_ranges.into_iter().map(|range| verbs::PeerRequest {
        cidr_ip: range.cidr_ip,
        description: range.description,
        ..verbs::PeerRequest::default()
    });
    let ipv6 = asked
        .ipv6_ranges
        .into_iter()
        .map(|range| verbs::PeerRequest {
            cidr_ipv6: range.cidr_ipv6,
            description: range.description,
            ..verbs::PeerRequest::default()
        });
    let groups = asked
        .user_id_group_pairs
        .into_iter()
        .map(|pair| verbs::PeerRequest {
            group: verbs::GroupName {
                id: pair.group_id,
                name: pair.group_name,
            },
            account: pair.user_id,
            description: pair.description,
            ..verbs::PeerRequest::default()
        });
    verbs::Permission {
        protocol: asked.ip_protocol,
        from_port: asked.from_port,
        to_port: asked.to_port,
        peers: ipv4.chain(ipv6).chain(groups).collect(),
    }
}

fn new_rule(asked: request::SecurityGroupRuleRequest) -> verbs::Permission {
    let description = asked.description;
    let peer = |peer: verbs::PeerRequest| verbs::PeerRequest {
        description: description.clone(),
        ..peer
    };
    let ipv4 = asked.cidr_ipv4.map(|cidr| verbs::PeerRequest {
        cidr_ip: Some(cidr),
        ..verbs::PeerRequest::default()
    });
    let ipv6 = asked.cidr_ipv6.map(|cidr| verbs::PeerRequest {
        cidr_ipv6: Some(cidr),
        ..verbs::PeerRequest::default()
    });
    let group = asked.referenced_group_id.map(|id| verbs::PeerRequest {
        group: by_id(id),
        ..verbs::PeerRequest::default()
    });
    verbs::Permission {
        protocol: asked.ip_protocol,
        from_port: asked.from_port,
        to_port: asked.to_port,
        peers: [ipv4, ipv6, group]
            .into_iter()
            .flatten()
            .map(peer)
            .collect(),
    }
}

fn show(found: &GroupWithRules) -> response::SecurityGroup {
    let group = &found.group;
    let permissions = |is_egress| {
        let permissions = found.permissions(is_egress);
        permissions.iter().map(show_permission).collect()
    };
    response::SecurityGroup {
        group_id: some(&group.id),
        ip_permissions_egress: permissions(true),
        tags: common::tags(&group.tags),
        vpc_id: some(&group.vpc_id),
        security_group_arn: Some(group.arn()),
        owner_id: some(&group.account),
        group_name: some(&group.name),
        description: some(&group.description),
        ip_permissions: permissions(false),
    }
}

fn show_permission(permission: &Permission<'_>) -> response::IpPermission {
    let mut shown = response::IpPermission {
        ip_protocol: some(permission.protocol),
        from_port: permission.from_port,
        to_port: permission.to_port,
        ..response::IpPermission::default()
    };
    for rule in &permission.rules {
        add_peer(&mut shown, &rule.spec.peer, rule.description.clone());
    }
    shown
}

fn show_unknown(spec: &RuleSpec) -> response::IpPermission {
    let mut shown = response::IpPermission {
        ip_protocol: some(&spec.protocol),
        from_port: spec.from_port,
        to_port: spec.to_port,
        ..response::IpPermission::default()
    };
    add_peer(&mut shown, &spec.peer, None);
    shown
}

fn add_peer(to: &mut response::IpPermission, peer: &Peer, description: Option<String>) {
    match peer {
        Peer::Ipv4(cidr) => to.ip_ranges.push(response::IpRange {
            cidr_ip: some(cidr),
            description,
        }),
        Peer::Ipv6(cidr) => to.ipv6_ranges.push(response::Ipv6Range {
            cidr_ipv6: some(cidr),
            description,
        }),
        Peer::Group { id, account } => to.user_id_group_pairs.push(response::UserIdGroupPair {
            group_id: some(id),
            user_id: some(account),
            description,
            ..response::UserIdGroupPair::default()
        }),
    }
}

/// A rule; one about all protocols has all ports, -1 to -1.
fn show_rule(rule: &SecurityGroupRule) -> response::SecurityGroupRule {
    let spec = &rule.spec;
    let mut shown = response::SecurityGroupRule {
        security_group_rule_id: some(&rule.id),
        group_id: some(&rule.group_id),
        group_owner_id: some(&rule.account),
        is_egress: Some(rule.is_egress),
        ip_protocol: some(&spec.protocol),
        from_port: spec.from_port.or(Some(-1)),
        to_port: spec.to_port.or(Some(-1)),
        description: rule.description.clone(),
        tags: common::tags(&rule.tags),
        security_group_rule_arn: Some(rule.arn()),
        ..response::SecurityGroupRule::default()
    };
    match &spec.peer {
        Peer::Ipv4(cidr) => shown.cidr_ipv4 = some(cidr),
        Peer::Ipv6(cidr) => shown.cidr_ipv6 = some(cidr),
        Peer::Group { id, account } => {
            shown.referenced_group_info = Some(response::ReferencedSecurityGroup {
                group_id: some(id),
                user_id: some(account),
            });
        }
    }
    shown
}

fn show_revoked(rule: &SecurityGroupRule) -> response::RevokedSecurityGroupRule {
    let shown = show_rule(rule);
    let group = shown.referenced_group_info;
    response::RevokedSecurityGroupRule {
        security_group_rule_id: shown.security_group_rule_id,
        group_id: shown.group_id,
        is_egress: shown.is_egress,
        ip_protocol: shown.ip_protocol,
        from_port: shown.from_port,
        to_port: shown.to_port,
        cidr_ipv4: shown.cidr_ipv4,
        cidr_ipv6: shown.cidr_ipv6,
        referenced_group_id: group.and_then(|group| group.group_id),
        description: shown.description,
    }
}
