//! The default network of an account in a region, to describe and to launch into.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{AccountId, SecurityGroupId, SubnetId, VpcId},
    place::Region,
    tag::Tags,
};

/// A virtual private cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vpc {
    /// Its id.
    pub id: VpcId,
    /// Owner.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// Addresses, such as `172.31.0.0/16`.
    pub cidr_block: String,
    /// The default VPC of its region.
    pub is_default: bool,
    /// Tags.
    pub tags: Tags,
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    /// Its id.
    pub id: SubnetId,
    /// Owner.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// Its VPC.
    pub vpc_id: VpcId,
    /// Addresses, such as `172.31.16.0/20`.
    pub cidr_block: String,
    /// Name of its availability zone.
    pub availability_zone: String,
    /// Id of its availability zone.
    pub availability_zone_id: String,
    /// The default subnet of its zone.
    pub default_for_az: bool,
    /// Addresses not yet taken.
    pub available_ip_address_count: i32,
    /// Tags.
    pub tags: Tags,
}

/// A security group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Its id.
    pub id: SecurityGroupId,
    /// Owner.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// Its VPC.
    pub vpc_id: VpcId,
    /// Name, unique within its VPC.
    pub name: String,
    /// Description.
    pub description: String,
    /// Tags.
    pub tags: Tags,
}
