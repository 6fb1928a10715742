//! Instances.

use std::{net::Ipv4Addr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    filter::{Filterable, many, maybe, one, time},
    ids::{
        AccountId, ImageId, InstanceId, NetworkInterfaceId, ProfileAssociationId, ReservationId,
        SecurityGroupId, SubnetId, VolumeId, VpcId,
    },
    image::{Architecture, BootMode, Image},
    network_interface::NetworkInterface,
    place::Region,
    tag::Tags,
    time::Timestamp,
    volume::AttachmentState,
};

/// An instance as metadata knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// Owner.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// Name of its availability zone.
    pub availability_zone: String,
    /// The RunInstances call that it came from.
    pub reservation_id: ReservationId,
    /// Position in that call, from 0.
    pub launch_index: i32,
    /// The image it was launched from.
    pub image_id: ImageId,
    /// Instance type, such as `t3.small`.
    pub instance_type: String,
    /// Architecture of the image.
    pub architecture: Architecture,
    /// Firmware in use.
    pub boot_mode: BootMode,
    /// What the image asked for, if it did.
    #[serde(default)]
    pub image_boot_mode: Option<BootMode>,
    /// Name of the key pair.
    pub key_name: Option<String>,
    /// The public key as it was at the launch, in OpenSSH's form: whoever deletes the key pair, or
    /// makes another of its name, changes nothing about who may log in.
    #[serde(default)]
    pub public_key: Option<String>,
    /// State.
    pub state: InstanceState,
    /// Why it is in this state: code and sentence.
    pub state_reason: Option<(String, String)>,
    /// `User initiated (2026-01-02 03:04:05 GMT)` and the like; empty while running.
    pub state_transition_reason: String,
    /// When it was (last) started.
    pub launch_time: Timestamp,
    /// When it was terminated.
    pub terminated_at: Option<Timestamp>,
    /// VPC.
    pub vpc_id: VpcId,
    /// Subnet.
    pub subnet_id: SubnetId,
    /// Security groups, id and name.
    pub security_groups: Vec<(SecurityGroupId, String)>,
    /// Network interface.
    pub network_interface_id: NetworkInterfaceId,
    /// What the launch said of the network interface.
    #[serde(default)]
    pub network_interface_description: String,
    /// Tags of the network interface.
    #[serde(default)]
    pub network_interface_tags: Tags,
    /// Hardware address of the network interface.
    pub mac_address: String,
    /// Private address.
    pub private_ip: Ipv4Addr,
    /// Device name of the root volume.
    pub root_device_name: Option<String>,
    /// Its volumes: device name to what is attached there.
    pub block_devices: Vec<InstanceBlockDevice>,
    /// User data, base64 as given.
    pub user_data: Option<String>,
    /// How the metadata service answers.
    pub metadata_options: MetadataOptions,
    /// Whether the guest's own shutdown stops or terminates the instance.
    pub instance_initiated_shutdown_behavior: ShutdownBehavior,
    /// Termination protection.
    pub disable_api_termination: bool,
    /// Stop protection.
    pub disable_api_stop: bool,
    /// Dedicated EBS throughput, as asked.
    pub ebs_optimized: bool,
    /// ENA, from the image.
    pub ena_support: bool,
    /// Detailed monitoring, as asked.
    pub monitoring: bool,
    /// Source/destination check.
    pub source_dest_check: bool,
    /// TCP port on the host's loopback that leads to port 22 of the guest.
    pub ssh_port: Option<u16>,
    /// The client token of its launch.
    pub client_token: Option<String>,
    /// Its instance profile.
    #[serde(default)]
    pub iam_instance_profile: Option<ProfileAssociation>,
    /// `standard` or `unlimited`, if it was asked for.
    #[serde(default)]
    pub cpu_credits: Option<String>,
    /// `simple`, if it was set.
    #[serde(default)]
    pub sriov_net_support: Option<String>,
    /// The interfaces that were attached to it, where they are shown with it: they are kept apart.
    #[serde(skip)]
    pub attached_interfaces: Vec<NetworkInterface>,
    /// Tags.
    pub tags: Tags,
}

/// For how long a terminated instance is still described.
pub const TERMINATED_VISIBLE_FOR: Duration = Duration::from_secs(60 * 60);

/// The name that DNS has for an address inside its VPC.
pub fn private_dns_name(region: Region, address: Ipv4Addr) -> String {
    let address = address.to_string().replace('.', "-");
    match region.name() {
        "us-east-1" => format!("ip-{address}.ec2.internal"),
        region => format!("ip-{address}.{region}.compute.internal"),
    }
}

/// An instance profile at an instance. The profile itself is IAM's: nothing here looks into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileAssociation {
    /// The association.
    pub id: ProfileAssociationId,
    /// ARN of the profile.
    pub arn: String,
    /// Id of the profile.
    pub profile_id: String,
    /// When it was made.
    pub timestamp: Timestamp,
}

impl ProfileAssociation {
    /// The name of the profile: the last part of its ARN.
    pub fn name(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }
}

impl Instance {
    /// The name that DNS has for it inside its VPC, such as `ip-172-31-0-4.ec2.internal`.
    pub fn private_dns_name(&self) -> String {
        private_dns_name(self.region, self.private_ip)
    }

    /// The id of the attachment of its one network interface, which is that of the interface in
    /// another form.
    pub fn network_interface_attachment_id(&self) -> String {
        let interface = self.network_interface_id.as_str();
        interface.replacen(NetworkInterfaceId::PREFIX, "eni-attach-", 1)
    }

    /// The id of its availability zone, such as `use1-az1`.
    pub fn availability_zone_id(&self) -> Option<String> {
        let zone = self.region.zone(&self.availability_zone);
        zone.map(|zone| zone.id())
    }

    /// Whether it is still described: a terminated instance is for an hour.
    pub fn is_visible(&self, now: Timestamp) -> bool {
        self.terminated_at
            .is_none_or(|at| now < at.after(TERMINATED_VISIBLE_FOR))
    }

    /// The volume at the root device.
    pub fn root_volume(&self) -> Option<&InstanceBlockDevice> {
        let root = self.root_device_name.as_deref()?;
        self.block_devices
            .iter()
            .find(|device| device.device_name == root)
    }
}

impl Filterable for Instance {
    const FILTERS: &'static [&'static str] = &[
        "affinity",
        "architecture",
        "availability-zone",
        "availability-zone-id",
        "block-device-mapping.attach-time",
        "block-device-mapping.delete-on-termination",
        "block-device-mapping.device-name",
        "block-device-mapping.status",
        "block-device-mapping.volume-id",
        "boot-mode",
        "capacity-reservation-id",
        "capacity-reservation-specification.capacity-reservation-preference",
        "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-id",
        "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-resource-group-arn",
        "client-token",
        "current-instance-boot-mode",
        "dns-name",
        "ebs-optimized",
        "ena-support",
        "enclave-options.enabled",
        "hibernation-options.configured",
        "host-id",
        "hypervisor",
        "iam-instance-profile.arn",
        "iam-instance-profile.id",
        "iam-instance-profile.name",
        "image-id",
        "instance-id",
        "instance-lifecycle",
        "instance-state-code",
        "instance-state-name",
        "instance-type",
        "instance.group-id",
        "instance.group-name",
        "ip-address",
        "ipv6-address",
        "kernel-id",
        "key-name",
        "launch-index",
        "launch-time",
        "maintenance-options.auto-recovery",
        "metadata-options.http-endpoint",
        "metadata-options.http-protocol-ipv4",
        "metadata-options.http-protocol-ipv6",
        "metadata-options.http-put-response-hop-limit",
        "metadata-options.http-tokens",
        "metadata-options.instance-metadata-tags",
        "metadata-options.state",
        "monitoring-state",
        "network-interface.addresses.association.allocation-id",
        "network-interface.addresses.association.association-id",
        "network-interface.addresses.association.carrier-ip",
        "network-interface.addresses.association.customer-owned-ip",
        "network-interface.addresses.association.ip-owner-id",
        "network-interface.addresses.association.public-dns-name",
        "network-interface.addresses.association.public-ip",
        "network-interface.addresses.primary",
        "network-interface.addresses.private-dns-name",
        "network-interface.addresses.private-ip-address",
        "network-interface.association.allocation-id",
        "network-interface.association.association-id",
        "network-interface.association.carrier-ip",
        "network-interface.association.customer-owned-ip",
        "network-interface.association.ip-owner-id",
        "network-interface.association.public-dns-name",
        "network-interface.association.public-ip",
        "network-interface.attachment.attach-time",
        "network-interface.attachment.attachment-id",
        "network-interface.attachment.delete-on-termination",
        "network-interface.attachment.device-index",
        "network-interface.attachment.instance-id",
        "network-interface.attachment.instance-owner-id",
        "network-interface.attachment.network-card-index",
        "network-interface.attachment.status",
        "network-interface.availability-zone",
        "network-interface.deny-all-igw-traffic",
        "network-interface.description",
        "network-interface.group-id",
        "network-interface.group-name",
        "network-interface.ipv4-prefixes.ipv4-prefix",
        "network-interface.ipv6-address",
        "network-interface.ipv6-addresses.ipv6-address",
        "network-interface.ipv6-addresses.is-primary-ipv6",
        "network-interface.ipv6-native",
        "network-interface.ipv6-prefixes.ipv6-prefix",
        "network-interface.mac-address",
        "network-interface.network-interface-id",
        "network-interface.operator.managed",
        "network-interface.operator.principal",
        "network-interface.outpost-arn",
        "network-interface.owner-id",
        "network-interface.private-dns-name",
        "network-interface.private-ip-address",
        "network-interface.public-dns-name",
        "network-interface.requester-id",
        "network-interface.requester-managed",
        "network-interface.source-dest-check",
        "network-interface.status",
        "network-interface.subnet-id",
        "network-interface.tag-key",
        "network-interface.tag-value",
        "network-interface.vpc-id",
        "network-performance-options.bandwidth-weighting",
        "operator.managed",
        "operator.principal",
        "outpost-arn",
        "owner-id",
        "placement-group-name",
        "placement-partition-number",
        "platform",
        "platform-details",
        "private-dns-name",
        "private-dns-name-options.enable-resource-name-dns-a-record",
        "private-dns-name-options.enable-resource-name-dns-aaaa-record",
        "private-dns-name-options.hostname-type",
        "private-ip-address",
        "product-code",
        "product-code.type",
        "ramdisk-id",
        "reason",
        "requester-id",
        "reservation-id",
        "root-device-name",
        "root-device-type",
        "source-dest-check",
        "spot-instance-request-id",
        "state-reason-code",
        "state-reason-message",
        "subnet-id",
        "tenancy",
        "tpm-support",
        "usage-operation",
        "usage-operation-update-time",
        "virtualization-type",
        "vpc-id",
    ];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        if self.is_without(name) {
            return Some(Vec::new());
        }
        let field = match name.split_once('.') {
            Some(("block-device-mapping", rest)) => self.device_field(rest),
            Some(("network-interface", rest)) => self.interface_field(rest),
            Some(("metadata-options", rest)) => self.metadata_options.field(rest),
            _ => self.own_field(name).or_else(|| self.place_field(name)),
        };
        // What EC2 has and no instance has here is known, and absent.
        field.or_else(|| Self::FILTERS.contains(&name).then(Vec::new))
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }
}

impl Instance {
    /// Whether it has no such field any more: a terminated one has given back its network and its
    /// volumes, and is not shown with them.
    fn is_without(&self, filter: &str) -> bool {
        let place = [
            "network-interface.",
            "block-device-mapping.",
            "instance.group-",
        ];
        let is_of_place = place.iter().any(|prefix| filter.starts_with(prefix))
            || [
                "subnet-id",
                "vpc-id",
                "private-dns-name",
                "private-ip-address",
            ]
            .contains(&filter);
        self.state == InstanceState::Terminated && is_of_place
    }

    fn own_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "architecture" => one(self.architecture),
            "boot-mode" => maybe(self.image_boot_mode),
            "current-instance-boot-mode" => one(self.boot_mode),
            "capacity-reservation-specification.capacity-reservation-preference" => one("open"),
            "client-token" => maybe(self.client_token.as_ref()),
            "ebs-optimized" => one(self.ebs_optimized),
            "ena-support" => one(self.ena_support),
            "enclave-options.enabled" | "hibernation-options.configured" | "operator.managed" => {
                one(false)
            }
            "hypervisor" => one(Image::HYPERVISOR),
            "iam-instance-profile.arn" => maybe(self.iam_instance_profile.as_ref().map(|p| &p.arn)),
            "iam-instance-profile.id" => {
                maybe(self.iam_instance_profile.as_ref().map(|p| &p.profile_id))
            }
            "iam-instance-profile.name" => maybe(
                self.iam_instance_profile
                    .as_ref()
                    .map(ProfileAssociation::name),
            ),
            "image-id" => one(&self.image_id),
            "instance-id" => one(&self.id),
            "instance-state-code" => one(self.state.code()),
            "instance-state-name" => one(self.state),
            "instance-type" => one(&self.instance_type),
            "key-name" => maybe(self.key_name.as_ref()),
            "launch-index" => one(self.launch_index),
            "launch-time" => time(self.launch_time),
            "maintenance-options.auto-recovery" => one("default"),
            "monitoring-state" => one(on_off(self.monitoring)),
            "owner-id" => one(&self.account),
            "platform-details" => one(Image::PLATFORM_DETAILS),
            "reason" => one(&self.state_transition_reason),
            "reservation-id" => one(&self.reservation_id),
            "root-device-name" => maybe(self.root_device_name.as_ref()),
            "root-device-type" => one("ebs"),
            "state-reason-code" => maybe(self.state_reason.as_ref().map(|(code, _)| code)),
            "state-reason-message" => maybe(self.state_reason.as_ref().map(|(_, message)| message)),
            "usage-operation" => one(Image::USAGE_OPERATION),
            "virtualization-type" => one("hvm"),
            _ => None,
        }
    }

    fn place_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "availability-zone" => one(&self.availability_zone),
            "availability-zone-id" => maybe(self.availability_zone_id()),
            "subnet-id" => one(&self.subnet_id),
            "vpc-id" => one(&self.vpc_id),
            "private-dns-name" => one(self.private_dns_name()),
            "private-ip-address" => one(self.private_ip),
            "private-dns-name-options.hostname-type" => one("ip-name"),
            "private-dns-name-options.enable-resource-name-dns-a-record"
            | "private-dns-name-options.enable-resource-name-dns-aaaa-record" => one(false),
            "instance.group-id" => many(self.security_groups.iter().map(|(id, _)| id)),
            "instance.group-name" => many(self.security_groups.iter().map(|(_, name)| name)),
            "source-dest-check" => one(self.source_dest_check),
            "tenancy" => one("default"),
            _ => None,
        }
    }

    fn device_field(&self, name: &str) -> Option<Vec<String>> {
        let devices = self.block_devices.iter();
        match name {
            "attach-time" => Some(
                devices
                    .filter_map(|d| time(d.attach_time))
                    .flatten()
                    .collect(),
            ),
            "delete-on-termination" => many(devices.map(|d| d.delete_on_termination)),
            "device-name" => many(devices.map(|d| &d.device_name)),
            "status" => many(devices.map(|d| d.state)),
            "volume-id" => many(devices.map(|d| &d.volume_id)),
            _ => None,
        }
    }

    fn interface_field(&self, name: &str) -> Option<Vec<String>> {
        let own = self.own_interface_field(name)?;
        let attached = self.attached_interfaces.iter();
        let others = attached.filter_map(|interface| interface.field(name));
        Some(own.into_iter().chain(others.flatten()).collect())
    }

    fn own_interface_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "addresses.primary" => one(true),
            "addresses.private-dns-name" => one(self.private_dns_name()),
            "addresses.private-ip-address" => one(self.private_ip),
            "attachment.attach-time" => time(self.launch_time),
            "attachment.attachment-id" => one(self.network_interface_attachment_id()),
            "attachment.delete-on-termination" => one(true),
            "attachment.device-index" | "attachment.network-card-index" => one(0),
            "attachment.instance-id" => one(&self.id),
            "attachment.instance-owner-id" => one(&self.account),
            "attachment.status" => one("attached"),
            "group-id" | "group-name" => self.place_field(&format!("instance.{name}")),
            "description" => one(&self.network_interface_description),
            "deny-all-igw-traffic" | "ipv6-native" | "operator.managed" | "requester-managed" => {
                one(false)
            }
            "mac-address" => one(&self.mac_address),
            "network-interface-id" => one(&self.network_interface_id),
            "owner-id" => one(&self.account),
            "status" => one("in-use"),
            "tag-key" => many(self.network_interface_tags.keys()),
            "tag-value" => many(self.network_interface_tags.values()),
            name => self.place_field(name),
        }
    }
}

impl MetadataOptions {
    fn field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "http-endpoint" | "http-protocol-ipv4" => one(on_off(self.http_endpoint)),
            "http-protocol-ipv6" => one(on_off(false)),
            "http-put-response-hop-limit" => one(self.http_put_response_hop_limit),
            "http-tokens" => one(if self.http_tokens_required {
                "required"
            } else {
                "optional"
            }),
            "instance-metadata-tags" => one(on_off(self.instance_metadata_tags)),
            "state" => one("applied"),
            _ => None,
        }
    }
}

fn on_off(on: bool) -> &'static str {
    if on { "enabled" } else { "disabled" }
}

/// States of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of EC2, by their names")]
pub enum InstanceState {
    Pending,
    Running,
    ShuttingDown,
    Terminated,
    Stopping,
    Stopped,
}

impl InstanceState {
    /// The number that EC2 gives it.
    pub fn code(self) -> i32 {
        match self {
            Self::Pending => 0,
            Self::Running => 16,
            Self::ShuttingDown => 32,
            Self::Terminated => 48,
            Self::Stopping => 64,
            Self::Stopped => 80,
        }
    }
}

/// A volume at a device name of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceBlockDevice {
    /// The device name.
    pub device_name: String,
    /// The volume.
    pub volume_id: VolumeId,
    /// State of the attachment.
    pub state: AttachmentState,
    /// When it was attached.
    pub attach_time: Timestamp,
    /// Whether it goes with the instance.
    pub delete_on_termination: bool,
}

/// What the guest's own shutdown does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ShutdownBehavior {
    Stop,
    Terminate,
}

/// How the metadata service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataOptions {
    /// Whether it answers at all.
    pub http_endpoint: bool,
    /// Whether only IMDSv2 is answered.
    pub http_tokens_required: bool,
    /// Hops that an answer to a token request may take, 1–64.
    pub http_put_response_hop_limit: i32,
    /// Whether it shows the instance's tags.
    pub instance_metadata_tags: bool,
}
