//! Network interfaces.

use cairn_control::request as verbs;
use cairn_model::{NetworkInterface, network_interface::InterfaceAttachment};

use super::{
    Answered, Call, answer,
    common::{self, Done, some},
};
use crate::generated::{request, response};

pub(super) async fn describe(call: &Call<'_>) -> Answered {
    let asked: request::DescribeNetworkInterfacesRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::Describe {
        ids: asked.network_interface_ids,
        ..common
    };
    let found = call
        .control
        .describe_network_interfaces(call.caller, request)
        .await?;
    answer(response::DescribeNetworkInterfacesResult {
        network_interfaces: found.items.iter().map(show).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn create(call: &Call<'_>) -> Answered {
    let asked: request::CreateNetworkInterfaceRequest = call.request()?;
    let addresses = asked.private_ip_addresses.into_iter();
    let request = verbs::CreateNetworkInterface {
        subnet_id: asked.subnet_id,
        description: asked.description,
        private_ip_address: asked.private_ip_address,
        private_ip_addresses: addresses
            .map(|address| (address.private_ip_address, address.primary))
            .collect(),
        groups: asked.groups,
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        client_token: asked.client_token,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let made = call
        .control
        .create_network_interface(call.caller, request)
        .await?;
    answer(response::CreateNetworkInterfaceResult {
        network_interface: Some(show(&made.interface)),
        client_token: made.client_token,
    })
}

pub(super) async fn delete(call: &Call<'_>) -> Answered {
    let asked: request::DeleteNetworkInterfaceRequest = call.request()?;
    let request = verbs::ById {
        id: asked.network_interface_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .delete_network_interface(call.caller, request)
        .await?;
    answer(Done)
}

pub(super) async fn attach(call: &Call<'_>) -> Answered {
    let asked: request::AttachNetworkInterfaceRequest = call.request()?;
    let request = verbs::AttachNetworkInterface {
        network_interface_id: asked.network_interface_id,
        instance_id: asked.instance_id,
        device_index: asked.device_index,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let id = call
        .control
        .attach_network_interface(call.caller, request)
        .await?;
    answer(response::AttachNetworkInterfaceResult {
        attachment_id: some(id),
        network_card_index: Some(0),
    })
}

pub(super) async fn detach(call: &Call<'_>) -> Answered {
    let asked: request::DetachNetworkInterfaceRequest = call.request()?;
    let request = verbs::ById {
        id: asked.attachment_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .detach_network_interface(call.caller, request)
        .await?;
    answer(Done)
}

fn groups(interface: &NetworkInterface) -> Vec<response::GroupIdentifier> {
    let groups = interface.groups.iter();
    groups
        .map(|(id, name)| response::GroupIdentifier {
            group_id: some(id),
            group_name: some(name),
        })
        .collect()
}

fn show(interface: &NetworkInterface) -> response::NetworkInterface {
    let zone = interface.region.zone(&interface.availability_zone);
    response::NetworkInterface {
        attachment: interface
            .attachment
            .as_ref()
            .map(|attachment| show_attachment(interface, attachment)),
        availability_zone: some(&interface.availability_zone),
        description: some(&interface.description),
        groups: groups(interface),
        interface_type: some("interface"),
        mac_address: some(&interface.mac_address),
        network_interface_id: some(&interface.id),
        owner_id: some(&interface.account),
        private_dns_name: Some(interface.private_dns_name()),
        private_ip_address: some(interface.private_ip),
        private_ip_addresses: vec![response::NetworkInterfacePrivateIpAddress {
            primary: Some(true),
            private_dns_name: Some(interface.private_dns_name()),
            private_ip_address: some(interface.private_ip),
        }],
        requester_managed: Some(false),
        source_dest_check: Some(interface.source_dest_check),
        status: some(interface.status()),
        subnet_id: some(&interface.subnet_id),
        tag_set: common::tags(&interface.tags),
        vpc_id: some(&interface.vpc_id),
        deny_all_igw_traffic: Some(false),
        ipv6_native: Some(false),
        operator: Some(response::OperatorResponse {
            managed: Some(false),
        }),
        availability_zone_id: zone.map(|zone| zone.id()),
    }
}

fn show_attachment(
    interface: &NetworkInterface,
    attachment: &InterfaceAttachment,
) -> response::NetworkInterfaceAttachment {
    response::NetworkInterfaceAttachment {
        attach_time: Some(attachment.attach_time),
        attachment_id: some(&attachment.id),
        delete_on_termination: Some(attachment.delete_on_termination),
        device_index: Some(attachment.device_index),
        network_card_index: Some(0),
        instance_id: some(&attachment.instance_id),
        instance_owner_id: some(&interface.account),
        status: some("attached"),
    }
}

/// An interface that was attached to an instance, as the instance shows it.
pub(super) fn show_at_instance(interface: &NetworkInterface) -> response::InstanceNetworkInterface {
    let attachment = interface.attachment.as_ref();
    response::InstanceNetworkInterface {
        attachment: attachment.map(|attachment| response::InstanceNetworkInterfaceAttachment {
            attach_time: Some(attachment.attach_time),
            attachment_id: some(&attachment.id),
            delete_on_termination: Some(attachment.delete_on_termination),
            device_index: Some(attachment.device_index),
            status: some("attached"),
            network_card_index: Some(0),
        }),
        description: some(&interface.description),
        groups: groups(interface),
        mac_address: some(&interface.mac_address),
        network_interface_id: some(&interface.id),
        owner_id: some(&interface.account),
        private_dns_name: Some(interface.private_dns_name()),
        private_ip_address: some(interface.private_ip),
        private_ip_addresses: vec![response::InstancePrivateIpAddress {
            primary: Some(true),
            private_dns_name: Some(interface.private_dns_name()),
            private_ip_address: some(interface.private_ip),
        }],
        source_dest_check: Some(interface.source_dest_check),
        status: some("in-use"),
        subnet_id: some(&interface.subnet_id),
        vpc_id: some(&interface.vpc_id),
        interface_type: some("interface"),
    }
}
