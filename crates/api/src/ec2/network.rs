//! VPCs and subnets.

use cairn_control::{answer::VpcAttribute, request as verbs};
use cairn_model::{Subnet, Vpc};

use super::{
    Answered, Call, answer,
    common::{self, Done, some},
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

pub(super) async fn create_vpc(call: &Call<'_>) -> Answered {
    let asked: request::CreateVpcRequest = call.request()?;
    let request = verbs::CreateVpc {
        cidr_block: asked.cidr_block,
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let vpc = call.control.create_vpc(call.caller, request).await?;
    answer(response::CreateVpcResult {
        vpc: Some(show_vpc(&vpc)),
    })
}

pub(super) async fn create_default_vpc(call: &Call<'_>) -> Answered {
    let asked: request::CreateDefaultVpcRequest = call.request()?;
    let dry_run = asked.dry_run.unwrap_or_default();
    let vpc = call
        .control
        .create_default_vpc(call.caller, dry_run)
        .await?;
    answer(response::CreateDefaultVpcResult {
        vpc: Some(show_vpc(&vpc)),
    })
}

pub(super) async fn delete_vpc(call: &Call<'_>) -> Answered {
    let asked: request::DeleteVpcRequest = call.request()?;
    let request = verbs::ById {
        id: asked.vpc_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control.delete_vpc(call.caller, request).await?;
    answer(Done)
}

pub(super) async fn describe_vpc_attribute(call: &Call<'_>) -> Answered {
    let asked: request::DescribeVpcAttributeRequest = call.request()?;
    let request = verbs::DescribeAttribute {
        id: asked.vpc_id.clone(),
        attribute: asked.attribute,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let attribute = call
        .control
        .describe_vpc_attribute(call.caller, request)
        .await?;
    let mut shown = response::DescribeVpcAttributeResult {
        vpc_id: Some(asked.vpc_id),
        ..response::DescribeVpcAttributeResult::default()
    };
    let yes = |value| Some(response::AttributeBooleanValue { value: Some(value) });
    match attribute {
        VpcAttribute::EnableDnsHostnames(value) => shown.enable_dns_hostnames = yes(value),
        VpcAttribute::EnableDnsSupport(value) => shown.enable_dns_support = yes(value),
        VpcAttribute::EnableNetworkAddressUsageMetrics(value) => {
            shown.enable_network_address_usage_metrics = yes(value);
        }
    }
    answer(shown)
}

pub(super) async fn modify_vpc_attribute(call: &Call<'_>) -> Answered {
    let asked: request::ModifyVpcAttributeRequest = call.request()?;
    let request = verbs::ModifyVpcAttribute {
        vpc_id: asked.vpc_id,
        enable_dns_hostnames: yes(asked.enable_dns_hostnames),
        enable_dns_support: yes(asked.enable_dns_support),
        enable_network_address_usage_metrics: yes(asked.enable_network_address_usage_metrics),
    };
    call.control
        .modify_vpc_attribute(call.caller, request)
        .await?;
    answer(Done)
}

pub(super) async fn create_subnet(call: &Call<'_>) -> Answered {
    let asked: request::CreateSubnetRequest = call.request()?;
    let request = verbs::CreateSubnet {
        vpc_id: asked.vpc_id,
        cidr_block: asked.cidr_block,
        availability_zone: asked.availability_zone,
        availability_zone_id: asked.availability_zone_id,
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let subnet = call.control.create_subnet(call.caller, request).await?;
    answer(response::CreateSubnetResult {
        subnet: Some(show_subnet(&subnet)),
    })
}

pub(super) async fn create_default_subnet(call: &Call<'_>) -> Answered {
    let asked: request::CreateDefaultSubnetRequest = call.request()?;
    let request = verbs::CreateDefaultSubnet {
        availability_zone: asked.availability_zone,
        availability_zone_id: asked.availability_zone_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let subnet = call
        .control
        .create_default_subnet(call.caller, request)
        .await?;
    answer(response::CreateDefaultSubnetResult {
        subnet: Some(show_subnet(&subnet)),
    })
}

pub(super) async fn delete_subnet(call: &Call<'_>) -> Answered {
    let asked: request::DeleteSubnetRequest = call.request()?;
    let request = verbs::ById {
        id: asked.subnet_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control.delete_subnet(call.caller, request).await?;
    answer(Done)
}

pub(super) async fn modify_subnet_attribute(call: &Call<'_>) -> Answered {
    let asked: request::ModifySubnetAttributeRequest = call.request()?;
    let others = [
        (
            "AssignIpv6AddressOnCreation",
            asked.assign_ipv6_address_on_creation,
        ),
        (
            "MapCustomerOwnedIpOnLaunch",
            asked.map_customer_owned_ip_on_launch,
        ),
        ("EnableDns64", asked.enable_dns64),
        (
            "EnableResourceNameDnsARecordOnLaunch",
            asked.enable_resource_name_dns_a_record_on_launch,
        ),
        (
            "EnableResourceNameDnsAAAARecordOnLaunch",
            asked.enable_resource_name_dns_aaaa_record_on_launch,
        ),
    ];
    let others = others
        .into_iter()
        .filter_map(|(name, value)| Some((name, yes(value)?)));
    let request = verbs::ModifySubnetAttribute {
        subnet_id: asked.subnet_id,
        map_public_ip_on_launch: yes(asked.map_public_ip_on_launch),
        others: others.collect(),
    };
    call.control
        .modify_subnet_attribute(call.caller, request)
        .await?;
    answer(Done)
}

fn yes(value: Option<request::AttributeBooleanValue>) -> Option<bool> {
    value.and_then(|value| value.value)
}

fn show_vpc(vpc: &Vpc) -> response::Vpc {
    let association = response::VpcCidrBlockAssociation {
        association_id: Some(vpc.cidr_association_id()),
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
        map_public_ip_on_launch: Some(subnet.map_public_ip_on_launch),
    }
}
