//! Network interfaces: those that instances have from their launch, and those made by themselves.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::{
    filter::{Filterable, many, maybe, one, time},
    ids::{
        AccountId, InstanceId, InterfaceAttachmentId, NetworkInterfaceId, SecurityGroupId,
        SubnetId, VpcId,
    },
    instance::{Instance, private_dns_name},
    place::Region,
    tag::Tags,
    time::Timestamp,
};

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInterface {
    /// Its id.
    pub id: NetworkInterfaceId,
    /// Owner.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// Name of its availability zone.
    pub availability_zone: String,
    /// VPC.
    pub vpc_id: VpcId,
    /// Subnet.
    pub subnet_id: SubnetId,
    /// Description.
    pub description: String,
    /// Security groups, id and name.
    pub groups: Vec<(SecurityGroupId, String)>,
    /// Hardware address.
    pub mac_address: String,
    /// Private address.
    pub private_ip: Ipv4Addr,
    /// Source/destination check.
    pub source_dest_check: bool,
    /// What it is attached to.
    pub attachment: Option<InterfaceAttachment>,
    /// Tags.
    pub tags: Tags,
}

/// An interface at an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceAttachment {
    /// Its id.
    pub id: InterfaceAttachmentId,
    /// The instance.
    pub instance_id: InstanceId,
    /// Position among the interfaces of the instance; the first one's is 0.
    pub device_index: i32,
    /// When it was attached.
    pub attach_time: Timestamp,
    /// Whether it goes with the instance.
    pub delete_on_termination: bool,
}

impl NetworkInterface {
    /// The first interface of an instance, which it has from its launch until its end.
    pub fn of(instance: &Instance) -> Option<Self> {
        Some(Self {
            id: instance.network_interface_id.clone(),
            account: instance.account.clone(),
            region: instance.region,
            availability_zone: instance.availability_zone.clone(),
            vpc_id: instance.vpc_id.clone(),
            subnet_id: instance.subnet_id.clone(),
            description: instance.network_interface_description.clone(),
            groups: instance.security_groups.clone(),
            mac_address: instance.mac_address.clone(),
            private_ip: instance.private_ip,
            source_dest_check: instance.source_dest_check,
            attachment: Some(InterfaceAttachment {
                id: instance.network_interface_attachment_id().parse().ok()?,
                instance_id: instance.id.clone(),
                device_index: 0,
                attach_time: instance.launch_time,
                delete_on_termination: true,
            }),
            tags: instance.network_interface_tags.clone(),
        })
    }

    /// `available` or `in-use`.
    pub fn status(&self) -> &'static str {
        match self.attachment {
            Some(_) => "in-use",
            None => "available",
        }
    }

    /// The name that DNS has for its address.
    pub fn private_dns_name(&self) -> String {
        private_dns_name(self.region, self.private_ip)
    }

    fn attachment_field(&self, name: &str) -> Option<Vec<String>> {
        let attachment = self.attachment.as_ref();
        match name {
            "attach-time" => match attachment {
                Some(attachment) => time(attachment.attach_time),
                None => Some(Vec::new()),
            },
            "attachment-id" => maybe(attachment.map(|a| &a.id)),
            "delete-on-termination" => maybe(attachment.map(|a| a.delete_on_termination)),
            "device-index" => maybe(attachment.map(|a| a.device_index)),
            "instance-id" => maybe(attachment.map(|a| &a.instance_id)),
            "instance-owner-id" => maybe(attachment.map(|_| &self.account)),
            "network-card-index" => maybe(attachment.map(|_| 0)),
            "status" => maybe(attachment.map(|_| "attached")),
            _ => None,
        }
    }

    /// A field as the filters of interfaces call it, and those of instances after
    /// `network-interface.`.
    pub fn field(&self, name: &str) -> Option<Vec<String>> {
        if let Some(name) = name.strip_prefix("attachment.") {
            return self.attachment_field(name);
        }
        match name {
            "addresses.primary" => one(true),
            "addresses.private-dns-name" | "private-dns-name" => one(self.private_dns_name()),
            "addresses.private-ip-address" | "private-ip-address" => one(self.private_ip),
            "availability-zone" => one(&self.availability_zone),
            "availability-zone-id" => maybe(
                self.region
                    .zone(&self.availability_zone)
                    .map(|zone| zone.id()),
            ),
            "description" => one(&self.description),
            "group-id" => many(self.groups.iter().map(|(id, _)| id)),
            "group-name" => many(self.groups.iter().map(|(_, name)| name)),
            "interface-type" => one("interface"),
            "mac-address" => one(&self.mac_address),
            "network-interface-id" => one(&self.id),
            "deny-all-igw-traffic" | "ipv6-native" | "operator.managed" | "requester-managed" => {
                one(false)
            }
            "owner-id" => one(&self.account),
            "source-dest-check" => one(self.source_dest_check),
            "status" => one(self.status()),
            "subnet-id" => one(&self.subnet_id),
            "tag-key" => many(self.tags.keys()),
            "tag-value" => many(self.tags.values()),
            "vpc-id" => one(&self.vpc_id),
            _ => None,
        }
    }
}

impl Filterable for NetworkInterface {
    const FILTERS: &'static [&'static str] = &[
        "addresses.association.owner-id",
        "addresses.association.public-ip",
        "addresses.primary",
        "addresses.private-ip-address",
        "association.allocation-id",
        "association.association-id",
        "association.ip-owner-id",
        "association.public-dns-name",
        "association.public-ip",
        "attachment.attach-time",
        "attachment.attachment-id",
        "attachment.delete-on-termination",
        "attachment.device-index",
        "attachment.instance-id",
        "attachment.instance-owner-id",
        "attachment.status",
        "availability-zone",
        "availability-zone-id",
        "description",
        "group-id",
        "group-name",
        "interface-type",
        "ipv6-addresses.ipv6-address",
        "mac-address",
        "network-interface-id",
        "operator.managed",
        "operator.principal",
        "owner-id",
        "private-dns-name",
        "private-ip-address",
        "requester-id",
        "requester-managed",
        "source-dest-check",
        "status",
        "subnet-id",
        "vpc-id",
    ];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        let known = Self::FILTERS.contains(&name);
        known.then(|| self.field(name).unwrap_or_default())
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }
}
