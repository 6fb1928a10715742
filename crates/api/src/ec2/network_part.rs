//! What comes with VPCs, and public addresses.

use cairn_control::request as verbs;
use cairn_model::vpc_part::{DhcpOptions, InternetGateway, NetworkAcl, RouteTable};

use super::{
    Answered, Call, answer,
    common::{self, some},
};
use crate::generated::{request, response};

pub(super) async fn describe_route_tables(call: &Call<'_>) -> Answered {
    let asked: request::DescribeRouteTablesRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::Describe {
        ids: asked.route_table_ids,
        ..common
    };
    let found = call
        .control
        .describe_route_tables(call.caller, request)
        .await?;
    answer(response::DescribeRouteTablesResult {
        route_tables: found.items.iter().map(show_table).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn describe_internet_gateways(call: &Call<'_>) -> Answered {
    let asked: request::DescribeInternetGatewaysRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::Describe {
        ids: asked.internet_gateway_ids,
        ..common
    };
    let found = call
        .control
        .describe_internet_gateways(call.caller, request)
        .await?;
    answer(response::DescribeInternetGatewaysResult {
        internet_gateways: found.items.iter().map(show_gateway).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn describe_network_acls(call: &Call<'_>) -> Answered {
    let asked: request::DescribeNetworkAclsRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::Describe {
        ids: asked.network_acl_ids,
        ..common
    };
    let found = call
        .control
        .describe_network_acls(call.caller, request)
        .await?;
    answer(response::DescribeNetworkAclsResult {
        network_acls: found.items.iter().map(show_acl).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn describe_dhcp_options(call: &Call<'_>) -> Answered {
    let asked: request::DescribeDhcpOptionsRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::Describe {
        ids: asked.dhcp_options_ids,
        ..common
    };
    let found = call
        .control
        .describe_dhcp_options(call.caller, request)
        .await?;
    answer(response::DescribeDhcpOptionsResult {
        dhcp_options: found.items.iter().map(show_options).collect(),
        next_token: found.next_token,
    })
}

pub(super) fn describe_addresses(call: &Call<'_>) -> Answered {
    let asked: request::DescribeAddressesRequest = call.request()?;
    let common = common::describe(asked.filters, None, None, asked.dry_run)?;
    let request = verbs::DescribeAddresses {
        common: verbs::Describe {
            ids: asked.allocation_ids,
            ..common
        },
        public_ips: asked.public_ips,
    };
    let found = call.control.describe_addresses(call.caller, &request)?;
    answer(response::DescribeAddressesResult {
        addresses: found.into_iter().map(|address| match address {}).collect(),
    })
}

fn show_table(table: &RouteTable) -> response::RouteTable {
    let main = response::RouteTableAssociation {
        main: Some(true),
        route_table_association_id: Some(table.association_id()),
        route_table_id: some(&table.part.id),
        association_state: Some(response::RouteTableAssociationState {
            state: some("associated"),
            status_message: None,
        }),
    };
    let routes = table.routes().into_iter().map(|route| response::Route {
        destination_cidr_block: Some(route.destination),
        gateway_id: Some(route.gateway_id),
        origin: some(route.origin),
        state: some("active"),
    });
    response::RouteTable {
        associations: vec![main],
        propagating_vgws: Vec::new(),
        route_table_id: some(&table.part.id),
        routes: routes.collect(),
        tags: common::tags(&table.part.tags),
        vpc_id: table.part.vpc_id.as_ref().map(ToString::to_string),
        owner_id: some(&table.part.account),
    }
}

fn show_gateway(gateway: &InternetGateway) -> response::InternetGateway {
    let part = &gateway.0;
    let attachments = part
        .vpc_id
        .iter()
        .map(|vpc| response::InternetGatewayAttachment {
            state: some("available"),
            vpc_id: some(vpc),
        });
    response::InternetGateway {
        attachments: attachments.collect(),
        internet_gateway_id: some(&part.id),
        owner_id: some(&part.account),
        tags: common::tags(&part.tags),
    }
}

fn show_acl(acl: &NetworkAcl) -> response::NetworkAcl {
    let associations = acl
        .associations()
        .map(|(id, subnet)| response::NetworkAclAssociation {
            network_acl_association_id: Some(id),
            network_acl_id: some(&acl.part.id),
            subnet_id: some(&subnet.id),
        });
    let entries = NetworkAcl::ENTRIES
        .iter()
        .map(|entry| response::NetworkAclEntry {
            cidr_block: some("0.0.0.0/0"),
            egress: Some(entry.egress),
            protocol: some("-1"),
            rule_action: some(entry.action),
            rule_number: Some(entry.number),
        });
    response::NetworkAcl {
        associations: associations.collect(),
        entries: entries.collect(),
        is_default: Some(true),
        network_acl_id: some(&acl.part.id),
        tags: common::tags(&acl.part.tags),
        vpc_id: acl.part.vpc_id.as_ref().map(ToString::to_string),
        owner_id: some(&acl.part.account),
    }
}

fn show_options(options: &DhcpOptions) -> response::DhcpOptions {
    let configurations = options.configurations().into_iter();
    response::DhcpOptions {
        owner_id: some(&options.0.account),
        tags: common::tags(&options.0.tags),
        dhcp_options_id: some(&options.0.id),
        dhcp_configurations: configurations
            .map(|(key, value)| response::DhcpConfiguration {
                key: some(key),
                values: vec![response::AttributeValue { value: Some(value) }],
            })
            .collect(),
    }
}
