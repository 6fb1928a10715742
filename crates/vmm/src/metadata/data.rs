//! What the metadata service tells a guest, as plain data.

use std::net::Ipv4Addr;

use crate::spec::Architecture;

/// Everything about one instance that its guest may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceMetadata {
    /// `i-…`.
    pub instance_id: String,
    /// `ami-…`.
    pub image_id: String,
    /// Counts the instances of one launch from zero.
    pub ami_launch_index: u32,
    /// `t3.small` and the like.
    pub instance_type: String,
    /// The instruction set.
    pub architecture: Architecture,
    /// `r-…`.
    pub reservation_id: String,
    /// The owner, twelve digits.
    pub account_id: String,
    /// `us-east-1` and the like.
    pub region: String,
    /// `us-east-1a` and the like.
    pub availability_zone: String,
    /// `use1-az1` and the like.
    pub availability_zone_id: String,
    /// When the instance was launched, as `2026-11-23T07:00:00Z`.
    pub pending_time: String,
    /// `aki-…`, for paravirtual images.
    pub kernel_id: Option<String>,
    /// `ari-…`, for paravirtual images.
    pub ramdisk_id: Option<String>,
    /// The full host name, such as `ip-172-31-0-15.ec2.internal`.
    pub local_hostname: String,
    /// The domain of service addresses, `amazonaws.com`.
    pub services_domain: String,
    /// The partition, `aws`.
    pub partition: String,
    /// The network interface.
    pub network: NetworkInterface,
    /// The name of the root device, such as `/dev/xvda`.
    pub root_device_name: String,
    /// The other volumes that were mapped at the launch, in order.
    pub block_devices: Vec<BlockDevice>,
    /// The keys that may log in, in order.
    pub public_keys: Vec<PublicKey>,
    /// The user data as it was given, decoded.
    pub user_data: Option<Vec<u8>>,
    /// Keys and values of the instance's tags. Shown only if the options allow it.
    pub tags: Vec<(String, String)>,
    /// How the service may be used.
    pub options: MetadataOptions,
}

/// The network interface of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkInterface {
    /// The hardware address, in lower case.
    pub mac: String,
    /// `eni-…`.
    pub interface_id: String,
    /// The private address.
    pub private_ip: Ipv4Addr,
    /// `subnet-…`.
    pub subnet_id: String,
    /// The subnet's addresses, such as `172.31.0.0/20`.
    pub subnet_cidr: String,
    /// `vpc-…`.
    pub vpc_id: String,
    /// The VPC's addresses, such as `172.31.0.0/16`.
    pub vpc_cidr: String,
    /// Ids and names of the security groups, in order.
    pub security_groups: Vec<(String, String)>,
}

/// A volume besides the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockDevice {
    /// The name of the attachment, such as `/dev/sdb`.
    pub device_name: String,
}

/// A key that may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The key pair's name.
    pub name: String,
    /// The key in OpenSSH's form, one line.
    pub openssh_key: String,
}

/// How the service may be used: EC2's `InstanceMetadataOptions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetadataOptions {
    /// `HttpEndpoint`: whether the service answers at all.
    pub http_endpoint_enabled: bool,
    /// `HttpTokens`: whether a session token is needed.
    pub http_tokens: HttpTokens,
    /// `InstanceMetadataTags`: whether tags are shown.
    pub tags_enabled: bool,
}

/// Whether a request needs a session token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpTokens {
    /// Requests without one are answered (IMDSv1).
    Optional,
    /// Requests without one are refused (IMDSv2).
    Required,
}
