//! The default network.

use cairn_control::request as verbs;
use cairn_model::{SecurityGroup, Subnet, Vpc, VpcId};

use super::{
    Answered, Call, answer,
    common::{self, some},
};
use crate::generated::{request, response};

pub(super) async fn describe_vpcs(call: &Call<'_>) -> Answered {
    let asked: request::DescribeVpcsRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::Describe {
        ids: asked.vpc_ids,
        ..common
    };
    let found = call.control.describe_vpcs(call.caller, request).await?;
    let vpcs = found.items.iter().map(show_vpc).collect();
    answer(response::DescribeVpcsResult {
        vpcs,
        next_token: found.next_token,
    })
}

pub(super) async fn describe_subnets(call: &Call<'_>) -> Answered {
    let asked: request::DescribeSubnetsRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::Describe {
        ids: asked.subnet_ids,
        ..common
    };
    let found = call.control.describe_subnets(call.caller, request).await?;
    let subnets = found.items.iter().map(show_subnet).collect();
    answer(response::DescribeSubnetsResult {
        subnets,
        next_token: found.next_token,
    })
}

pub(super) async fn describe_security_groups(call: &Call<'_>) -> Answered {
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
    let security_groups = found.items.iter().map(show_group).collect();
    answer(response::DescribeSecurityGroupsResult {
        security_groups,
        next_token: found.next_token,
    })
}

fn show_vpc(vpc: &Vpc) -> response::Vpc {
    let association = response::VpcCidrBlockAssociation {
        association_id: Some(
            vpc.id
                .as_str()
                .replacen(VpcId::PREFIX, "vpc-cidr-assoc-", 1),
        ),
        cidr_block: some(&vpc.cidr_block),
        cidr_block_state: Some(response::VpcCidrBlockState {
            state: some("associated"),
            status_message: None,
        }),
    };
    response::Vpc {
        owner_id: some(&vpc.account),
        instance_tenancy: some("default"),
        cidr_block_association_set: vec![association],
        is_default: Some(vpc.is_default),
        tags: common::tags(&vpc.tags),
        vpc_id: some(&vpc.id),
        state: some("available"),
        cidr_block: some(&vpc.cidr_block),
        dhcp_options_id: Some(vpc.dhcp_options_id()),
    }
}

fn show_subnet(subnet: &Subnet) -> response::Subnet {
    response::Subnet {
        availability_zone_id: some(&subnet.availability_zone_id),
        owner_id: some(&subnet.account),
        assign_ipv6_address_on_creation: Some(false),
        ipv6_cidr_block_association_set: Vec::new(),
        tags: common::tags(&subnet.tags),
        subnet_arn: Some(subnet.arn()),
        enable_dns64: Some(false),
        ipv6_native: Some(false),
        map_customer_owned_ip_on_launch: Some(false),
        private_dns_name_options_on_launch: Some(response::PrivateDnsNameOptionsOnLaunch {
            hostname_type: some("ip-name"),
            enable_resource_name_dns_a_record: Some(false),
            enable_resource_name_dns_aaaa_record: Some(false),
        }),
        subnet_id: some(&subnet.id),
        state: some("available"),
        vpc_id: some(&subnet.vpc_id),
        cidr_block: some(&subnet.cidr_block),
        available_ip_address_count: Some(subnet.available_ip_address_count),
        availability_zone: some(&subnet.availability_zone),
        default_for_az: Some(subnet.default_for_az),
        map_public_ip_on_launch: Some(false),
    }
}

/// A group as EC2 shows a default one: its members may reach each other, and everything else.
fn show_group(group: &SecurityGroup) -> response::SecurityGroup {
    let each_other = response::UserIdGroupPair {
        user_id: some(&group.account),
        group_id: some(&group.id),
        ..Default::default()
    };
    let anywhere = response::IpRange {
        cidr_ip: some("0.0.0.0/0"),
        description: None,
    };
    let all = response::IpPermission {
        ip_protocol: some("-1"),
        ..Default::default()
    };
    response::SecurityGroup {
        group_id: some(&group.id),
        ip_permissions_egress: vec![response::IpPermission {
            ip_ranges: vec![anywhere],
            ..all.clone()
        }],
        tags: common::tags(&group.tags),
        vpc_id: some(&group.vpc_id),
        security_group_arn: Some(format!(
            "arn:aws:ec2:{}:{}:security-group/{}",
            group.region, group.account, group.id
        )),
        owner_id: some(&group.account),
        group_name: some(&group.name),
        description: some(&group.description),
        ip_permissions: vec![response::IpPermission {
            user_id_group_pairs: vec![each_other],
            ..all
        }],
    }
}
