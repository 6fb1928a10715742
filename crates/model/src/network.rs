//! The default network of an account in a region, to describe and to launch into.

use std::{collections::BTreeSet, fmt, net::Ipv4Addr, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    filter::{Filterable, maybe, one},
    ids::{AccountId, SecurityGroupId, SubnetId, VpcId},
    place::{Region, Zone},
    tag::Tags,
    time::Entropy,
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

impl Vpc {
    /// The id of its DHCP options. They are the same for every VPC, and nothing else is kept of
    /// them: the name server at the network's second address.
    pub fn dhcp_options_id(&self) -> String {
        self.id.as_str().replacen(VpcId::PREFIX, "dopt-", 1)
    }
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

impl Subnet {
    /// Its ARN.
    pub fn arn(&self) -> String {
        format!(
            "arn:aws:ec2:{}:{}:subnet/{}",
            self.region, self.account, self.id
        )
    }
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

/// What every account has in every region from its first day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultNetwork {
    /// The default VPC.
    pub vpc: Vpc,
    /// One default subnet in each zone.
    pub subnets: Vec<Subnet>,
    /// The group of instances that name none.
    pub security_group: SecurityGroup,
}

/// Lays out the default network: 172.31.0.0/16 with a /20 in each zone, as on AWS.
pub fn default_network(
    account: &AccountId,
    region: Region,
    entropy: &dyn Entropy,
) -> DefaultNetwork {
    let vpc = Vpc {
        id: VpcId::generate(entropy),
        account: account.clone(),
        region,
        cidr_block: Cidr {
            address: DEFAULT_VPC,
            prefix: 16,
        }
        .to_string(),
        is_default: true,
        tags: Tags::new(),
    };
    let subnets = region
        .zones()
        .map(|zone| default_subnet(&vpc, zone, entropy))
        .collect();
    let security_group = SecurityGroup {
        id: SecurityGroupId::generate(entropy),
        account: account.clone(),
        region,
        vpc_id: vpc.id.clone(),
        name: "default".to_owned(),
        description: "default VPC security group".to_owned(),
        tags: Tags::new(),
    };
    DefaultNetwork {
        vpc,
        subnets,
        security_group,
    }
}

const DEFAULT_VPC: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 0);

fn default_subnet(vpc: &Vpc, zone: Zone, entropy: &dyn Entropy) -> Subnet {
    let cidr = Cidr {
        address: Ipv4Addr::new(172, 31, zone.index() * 16, 0),
        prefix: 20,
    };
    Subnet {
        id: SubnetId::generate(entropy),
        account: vpc.account.clone(),
        region: vpc.region,
        vpc_id: vpc.id.clone(),
        cidr_block: cidr.to_string(),
        availability_zone: zone.name(),
        availability_zone_id: zone.id(),
        default_for_az: true,
        available_ip_address_count: cidr.usable(),
        tags: Tags::new(),
    }
}

/// A block of IPv4 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    /// The first address.
    pub address: Ipv4Addr,
    /// Bits of the network part, 0–32.
    pub prefix: u8,
}

/// AWS keeps the first four addresses of a subnet and the last one: network, router, name server,
/// one for later, broadcast.
const KEPT_FIRST: u32 = 4;
const KEPT_LAST: u32 = 1;

impl Cidr {
    /// The number of addresses that instances can have.
    pub fn usable(self) -> i32 {
        let all = self.all();
        i32::try_from(all.saturating_sub(u64::from(KEPT_FIRST + KEPT_LAST))).unwrap_or(i32::MAX)
    }

    /// Whether an instance can have this address.
    pub fn is_usable(self, address: Ipv4Addr) -> bool {
        let Some(offset) = u32::from(address).checked_sub(u32::from(self.address)) else {
            return false;
        };
        u64::from(offset) + u64::from(KEPT_LAST) < self.all() && offset >= KEPT_FIRST
    }

    /// The address at an offset from the first.
    pub fn nth(self, offset: u32) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.address).saturating_add(offset))
    }

    /// The lowest address that instances can have and none of `taken` is.
    pub fn first_free(self, taken: &BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
        let last = u32::try_from(self.all().saturating_sub(1)).unwrap_or(u32::MAX);
        (KEPT_FIRST..last)
            .map(|offset| self.nth(offset))
            .find(|address| !taken.contains(address))
    }

    /// The router's address.
    pub fn gateway(self) -> Ipv4Addr {
        self.nth(1)
    }

    fn all(self) -> u64 {
        1u64 << (32 - u32::from(self.prefix.min(32)))
    }
}

impl FromStr for Cidr {
    type Err = InvalidCidr;

    fn from_str(text: &str) -> Result<Self, InvalidCidr> {
        let parsed = text.split_once('/').and_then(|(address, prefix)| {
            let (address, prefix) = (address.parse().ok()?, prefix.parse().ok()?);
            (prefix <= 32).then_some(Self { address, prefix })
        });
        parsed.ok_or_else(|| InvalidCidr(text.to_owned()))
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Text that is not a block of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a CIDR block")]
pub struct InvalidCidr(pub String);

/// A new hardware address: unicast and locally administered.
pub fn new_mac_address(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 6];
    entropy.fill(&mut bytes);
    bytes[0] = (bytes[0] & 0xfc) | 0x02;
    bytes.map(|byte| format!("{byte:02x}")).join(":")
}

impl Filterable for Vpc {
    const FILTERS: &'static [&'static str] = &[
        "cidr",
        "cidr-block-association.association-id",
        "cidr-block-association.cidr-block",
        "cidr-block-association.state",
        "dhcp-options-id",
        "ipv6-cidr-block-association.association-id",
        "ipv6-cidr-block-association.ipv6-cidr-block",
        "ipv6-cidr-block-association.ipv6-pool",
        "ipv6-cidr-block-association.state",
        "is-default",
        "isDefault",
        "owner-id",
        "state",
        "vpc-id",
    ];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "cidr" | "cidr-block-association.cidr-block" => one(&self.cidr_block),
            "cidr-block-association.association-id" => {
                one(self
                    .id
                    .as_str()
                    .replacen(VpcId::PREFIX, "vpc-cidr-assoc-", 1))
            }
            "cidr-block-association.state" => one("associated"),
            "dhcp-options-id" => one(self.dhcp_options_id()),
            "ipv6-cidr-block-association.association-id"
            | "ipv6-cidr-block-association.ipv6-cidr-block"
            | "ipv6-cidr-block-association.ipv6-pool"
            | "ipv6-cidr-block-association.state" => maybe(None::<String>),
            "is-default" | "isDefault" => one(self.is_default),
            "owner-id" => one(&self.account),
            "state" => one("available"),
            "vpc-id" => one(&self.id),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }
}

impl Filterable for Subnet {
    const FILTERS: &'static [&'static str] = &[
        "availability-zone",
        "availabilityZone",
        "availability-zone-id",
        "availabilityZoneId",
        "available-ip-address-count",
        "cidr",
        "cidr-block",
        "cidrBlock",
        "customer-owned-ipv4-pool",
        "default-for-az",
        "defaultForAz",
        "enable-dns64",
        "enable-lni-at-device-index",
        "ipv6-cidr-block-association.association-id",
        "ipv6-cidr-block-association.ipv6-cidr-block",
        "ipv6-cidr-block-association.state",
        "ipv6-native",
        "map-customer-owned-ip-on-launch",
        "map-public-ip-on-launch",
        "outpost-arn",
        "owner-id",
        "private-dns-name-options-on-launch.enable-resource-name-dns-a-record",
        "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record",
        "private-dns-name-options-on-launch.hostname-type",
        "state",
        "subnet-arn",
        "subnet-id",
        "vpc-id",
    ];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "availability-zone" | "availabilityZone" => one(&self.availability_zone),
            "availability-zone-id" | "availabilityZoneId" => one(&self.availability_zone_id),
            "available-ip-address-count" => one(self.available_ip_address_count),
            "cidr" | "cidr-block" | "cidrBlock" => one(&self.cidr_block),
            "default-for-az" | "defaultForAz" => one(self.default_for_az),
            "map-public-ip-on-launch" => one(self.default_for_az),
            "enable-dns64"
            | "ipv6-native"
            | "map-customer-owned-ip-on-launch"
            | "private-dns-name-options-on-launch.enable-resource-name-dns-a-record"
            | "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record" => {
                one(false)
            }
            "private-dns-name-options-on-launch.hostname-type" => one("ip-name"),
            "customer-owned-ipv4-pool"
            | "enable-lni-at-device-index"
            | "ipv6-cidr-block-association.association-id"
            | "ipv6-cidr-block-association.ipv6-cidr-block"
            | "ipv6-cidr-block-association.state"
            | "outpost-arn" => maybe(None::<String>),
            "owner-id" => one(&self.account),
            "state" => one("available"),
            "subnet-arn" => one(self.arn()),
            "subnet-id" => one(&self.id),
            "vpc-id" => one(&self.vpc_id),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }
}

impl Filterable for SecurityGroup {
    const FILTERS: &'static [&'static str] = &[
        "description",
        "egress.ip-permission.cidr",
        "egress.ip-permission.from-port",
        "egress.ip-permission.group-id",
        "egress.ip-permission.group-name",
        "egress.ip-permission.ipv6-cidr",
        "egress.ip-permission.prefix-list-id",
        "egress.ip-permission.protocol",
        "egress.ip-permission.to-port",
        "egress.ip-permission.user-id",
        "group-id",
        "group-name",
        "ip-permission.cidr",
        "ip-permission.from-port",
        "ip-permission.group-id",
        "ip-permission.group-name",
        "ip-permission.ipv6-cidr",
        "ip-permission.prefix-list-id",
        "ip-permission.protocol",
        "ip-permission.to-port",
        "ip-permission.user-id",
        "owner-id",
        "vpc-id",
    ];

    /// A default group lets everything out, and in what comes from its own members.
    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "description" => one(&self.description),
            "egress.ip-permission.cidr" => one("0.0.0.0/0"),
            "egress.ip-permission.protocol" | "ip-permission.protocol" => one("-1"),
            "group-id" | "ip-permission.group-id" => one(&self.id),
            "group-name" | "ip-permission.group-name" => one(&self.name),
            "owner-id" | "ip-permission.user-id" => one(&self.account),
            "vpc-id" => one(&self.vpc_id),
            other => Self::FILTERS.contains(&other).then(Vec::new),
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Counting(std::sync::atomic::AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    fn layout(region: &str) -> DefaultNetwork {
        let account = "123456789012".parse().expect("an account");
        let region = Region::named(region).expect("a region");
        default_network(&account, region, &Counting(250.into()))
    }

    #[test]
    fn every_zone_has_its_subnet() {
        let network = layout("us-east-1");
        let blocks: Vec<_> = network
            .subnets
            .iter()
            .map(|s| s.cidr_block.as_str())
            .collect();
        assert_eq!(
            blocks,
            [
                "172.31.0.0/20",
                "172.31.16.0/20",
                "172.31.32.0/20",
                "172.31.48.0/20",
                "172.31.64.0/20",
                "172.31.80.0/20"
            ]
        );
        assert_eq!(network.subnets[5].availability_zone, "us-east-1f");
        assert!(
            network
                .subnets
                .iter()
                .all(|s| s.available_ip_address_count == 4091 && s.vpc_id == network.vpc.id)
        );
        assert_eq!(layout("us-west-1").subnets.len(), 2);
    }

    #[test]
    fn addresses_are_given_out_in_order_and_the_kept_ones_never() {
        let cidr: Cidr = "10.0.0.0/28".parse().expect("a block");
        assert_eq!(cidr.usable(), 11);
        let mut taken = BTreeSet::new();
        while let Some(address) = cidr.first_free(&taken) {
            assert!(cidr.is_usable(address));
            taken.insert(address);
        }
        assert_eq!(taken.len(), 11);
        assert_eq!(
            taken.first().map(ToString::to_string).as_deref(),
            Some("10.0.0.4")
        );
        assert_eq!(
            taken.last().map(ToString::to_string).as_deref(),
            Some("10.0.0.14")
        );
        for kept in [
            "9.255.255.255",
            "10.0.0.0",
            "10.0.0.3",
            "10.0.0.15",
            "10.0.0.16",
        ] {
            assert!(!cidr.is_usable(kept.parse().expect("an address")), "{kept}");
        }
    }

    #[test]
    fn blocks_parse_or_are_refused() {
        for bad in ["", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "x/8"] {
            assert_eq!(bad.parse::<Cidr>(), Err(InvalidCidr(bad.to_owned())));
        }
    }

    #[test]
    fn hardware_addresses_are_local_and_unicast() {
        assert_eq!(new_mac_address(&Counting(255.into())), "fe:ff:ff:ff:ff:ff");
        assert_eq!(new_mac_address(&Counting(0.into())), "02:00:00:00:00:00");
    }

    #[test]
    fn every_filter_that_is_named_has_a_field() {
        fn all_have_fields<T: Filterable>(noun: &T) {
            for name in T::FILTERS {
                assert!(noun.filter_field(name).is_some(), "{name}");
            }
        }
        let network = layout("eu-west-1");
        all_have_fields(&network.vpc);
        all_have_fields(&network.subnets[0]);
        all_have_fields(&network.security_group);
    }
}
