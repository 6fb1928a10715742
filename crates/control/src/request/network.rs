//! Requests about networks.

use cairn_model::TagSpecification;

use super::Describe;

/// CreateSecurityGroup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct CreateSecurityGroup {
    pub name: String,
    pub description: String,
    pub vpc_id: Option<String>,
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: bool,
}

/// A security group by its id, or by its name in the default VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct GroupName {
    pub id: Option<String>,
    pub name: Option<String>,
}

/// DeleteSecurityGroup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct DeleteSecurityGroup {
    pub group: GroupName,
    pub dry_run: bool,
}

/// Rules with a protocol and ports in common, as a client sends them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permission {
    /// Protocol.
    pub protocol: Option<String>,
    /// First port.
    pub from_port: Option<i32>,
    /// Last port.
    pub to_port: Option<i32>,
    /// Whom the rules are about.
    pub peers: Vec<PeerRequest>,
}

/// Whom a rule is to be about, and what is said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct PeerRequest {
    pub cidr_ip: Option<String>,
    pub cidr_ipv6: Option<String>,
    pub group: GroupName,
    pub account: Option<String>,
    pub description: Option<String>,
}

/// Authorize- and RevokeSecurityGroupIngress and -Egress.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct ChangeRules {
    pub group: GroupName,
    pub is_egress: bool,
    pub permissions: Vec<Permission>,
    /// Of a revocation only.
    pub rule_ids: Vec<String>,
    /// Of an authorization only.
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: bool,
}

/// ModifySecurityGroupRules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModifyRules {
    /// The group.
    pub group_id: String,
    /// Ids of rules, and what they say from now on: one rule each.
    pub updates: Vec<(String, Option<Permission>)>,
    /// Whether only to check.
    pub dry_run: bool,
}

/// CreateVpc.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct CreateVpc {
    pub cidr_block: Option<String>,
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: bool,
}

/// ModifyVpcAttribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct ModifyVpcAttribute {
    pub vpc_id: String,
    pub enable_dns_hostnames: Option<bool>,
    pub enable_dns_support: Option<bool>,
    pub enable_network_address_usage_metrics: Option<bool>,
}

/// CreateSubnet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct CreateSubnet {
    pub vpc_id: String,
    pub cidr_block: Option<String>,
    pub availability_zone: Option<String>,
    pub availability_zone_id: Option<String>,
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: bool,
}

/// CreateDefaultSubnet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct CreateDefaultSubnet {
    pub availability_zone: Option<String>,
    pub availability_zone_id: Option<String>,
    pub dry_run: bool,
}

/// ModifySubnetAttribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModifySubnetAttribute {
    /// The subnet.
    pub subnet_id: String,
    /// Whether launches into it ask for public addresses.
    pub map_public_ip_on_launch: Option<bool>,
    /// Attributes that can only be false here, by their names.
    pub others: Vec<(&'static str, bool)>,
}

/// DescribeAddresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct DescribeAddresses {
    pub common: Describe,
    pub public_ips: Vec<String>,
}

/// CreateNetworkInterface.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct CreateNetworkInterface {
    pub subnet_id: String,
    pub description: Option<String>,
    pub private_ip_address: Option<String>,
    /// Addresses, and whether each is the primary one.
    pub private_ip_addresses: Vec<(Option<String>, Option<bool>)>,
    pub groups: Vec<String>,
    pub tag_specifications: Vec<TagSpecification>,
    pub client_token: Option<String>,
    #[serde(skip)]
    pub dry_run: bool,
}

/// AttachNetworkInterface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the EC2 request")]
pub struct AttachNetworkInterface {
    pub network_interface_id: String,
    pub instance_id: String,
    pub device_index: i32,
    pub dry_run: bool,
}
