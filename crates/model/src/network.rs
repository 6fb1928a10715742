//! The default network of an account in a region, to describe and to launch into.

use std::{collections::BTreeSet, fmt, net::Ipv4Addr, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    filter::{Filterable, maybe, one},
    ids::{AccountId, DhcpOptionsId, SecurityGroupId, SubnetId, VpcId},
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
    /// Its DHCP options, those of its region; absent where the id is made of its own.
    #[serde(default)]
    pub dhcp_options: Option<DhcpOptionsId>,
    /// What is set of it.
    #[serde(default)]
    pub attributes: VpcAttributes,
    /// Tags.
    pub tags: Tags,
}

/// What ModifyVpcAttribute sets. None of it changes what guests see yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VpcAttributes {
    /// Names for public addresses; a default VPC has them.
    pub enable_dns_hostnames: Option<bool>,
    /// The name server at the network's second address.
    pub enable_dns_support: bool,
    /// Metrics of the use of addresses.
    pub enable_network_address_usage_metrics: bool,
}

impl Default for VpcAttributes {
    fn default() -> Self {
        Self {
            enable_dns_hostnames: None,
            enable_dns_support: true,
            enable_network_address_usage_metrics: false,
        }
    }
}

impl Vpc {
    /// The id of its DHCP options.
    pub fn dhcp_options_id(&self) -> String {
        match &self.dhcp_options {
            Some(id) => id.to_string(),
            None => self
                .id
                .as_str()
                .replacen(VpcId::PREFIX, DhcpOptionsId::PREFIX, 1),
        }
    }

    /// The id of what ties its block of addresses to it.
    pub fn cidr_association_id(&self) -> String {
        self.id
            .as_str()
            .replacen(VpcId::PREFIX, "vpc-cidr-assoc-", 1)
    }

    /// Whether instances get names for public addresses.
    pub fn has_dns_hostnames(&self) -> bool {
        self.attributes
            .enable_dns_hostnames
            .unwrap_or(self.is_default)
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
    /// Whether launches into it ask for public addresses. There are none here: it is kept and shown.
    #[serde(default)]
    pub map_public_ip_on_launch: bool,
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

impl SecurityGroup {
    /// The name of the group that every VPC has, which cannot be deleted.
    pub const DEFAULT: &'static str = "default";

    /// Its ARN.
    pub fn arn(&self) -> String {
        format!(
            "arn:aws:ec2:{}:{}:security-group/{}",
            self.region, self.account, self.id
        )
    }

    /// The group of instances in a VPC that name none.
    pub fn default_of(vpc: &Vpc, entropy: &dyn Entropy) -> Self {
        Self {
            id: SecurityGroupId::generate(entropy),
            account: vpc.account.clone(),
            region: vpc.region,
            vpc_id: vpc.id.clone(),
            name: Self::DEFAULT.to_owned(),
            description: "default VPC security group".to_owned(),
            tags: Tags::new(),
        }
    }
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
        dhcp_options: None,
        attributes: VpcAttributes::default(),
        tags: Tags::new(),
    };
    let subnets = region
        .zones()
        .map(|zone| default_subnet(&vpc, zone, entropy))
        .collect();
    let security_group = SecurityGroup::default_of(&vpc, entropy);
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
        prefix: DEFAULT_SUBNET_PREFIX,
    };
    Subnet {
        default_for_az: true,
        ..new_subnet(vpc, zone, cidr, entropy)
    }
}

/// The size of default subnets.
const DEFAULT_SUBNET_PREFIX: u8 = 20;

/// A default subnet of a zone that has none, at the first free place of its VPC.
pub fn default_subnet_among(
    vpc: &Vpc,
    zone: Zone,
    taken: &[Cidr],
    entropy: &dyn Entropy,
) -> Option<Subnet> {
    let whole: Cidr = vpc.cidr_block.parse().ok()?;
    let step = 1u32 << (32 - u32::from(DEFAULT_SUBNET_PREFIX));
    let places = 1u32.checked_shl(u32::from(DEFAULT_SUBNET_PREFIX.checked_sub(whole.prefix)?))?;
    let blocks = (0..places).map(|place| Cidr {
        address: whole.nth(place * step),
        prefix: DEFAULT_SUBNET_PREFIX,
    });
    let mut free = blocks.filter(|block| !taken.iter().any(|other| other.overlaps(*block)));
    let cidr = free.next()?;
    Some(Subnet {
        default_for_az: true,
        ..new_subnet(vpc, zone, cidr, entropy)
    })
}

/// A subnet of a VPC, untagged.
pub fn new_subnet(vpc: &Vpc, zone: Zone, cidr: Cidr, entropy: &dyn Entropy) -> Subnet {
    Subnet {
        id: SubnetId::generate(entropy),
        account: vpc.account.clone(),
        region: vpc.region,
        vpc_id: vpc.id.clone(),
        cidr_block: cidr.to_string(),
        availability_zone: zone.name(),
        availability_zone_id: zone.id(),
        default_for_az: false,
        available_ip_address_count: cidr.usable(),
        map_public_ip_on_launch: false,
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
    /// The same block with its host bits cleared.
    #[must_use]
    pub fn network(self) -> Self {
        let mask = u32::MAX
            .checked_shl(32 - u32::from(self.prefix.min(32)))
            .unwrap_or(0);
        Self {
            address: Ipv4Addr::from(u32::from(self.address) & mask),
            prefix: self.prefix,
        }
    }

    /// Whether all addresses of the other block are in this one.
    pub fn holds(self, other: Self) -> bool {
        let widened = Self {
            address: other.address,
            prefix: self.prefix,
        };
        other.prefix >= self.prefix && widened.network().address == self.network().address
    }

    /// Whether the blocks have an address in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.holds(other) || other.holds(self)
    }

    /// Whether a VPC or a subnet can have this size: from /16 to /28.
    pub fn is_size_of_network(self) -> bool {
        (16..=28).contains(&self.prefix)
    }

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
            "cidr-block-association.association-id" => one(self.cidr_association_id()),
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
            "map-public-ip-on-launch" => one(self.map_public_ip_on_launch),
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
        let part = |index: usize| {
            crate::vpc_part::VpcPart::all_of(&network.vpc, &Counting(1.into()))[index].clone()
        };
        all_have_fields(&crate::vpc_part::RouteTable {
            part: part(0),
            cidr_block: network.vpc.cidr_block.clone(),
            gateway_id: None,
        });
        all_have_fields(&crate::vpc_part::NetworkAcl {
            part: part(1),
            subnets: network.subnets.clone(),
        });
        all_have_fields(&crate::vpc_part::InternetGateway(part(2)));
        let options = crate::vpc_part::VpcPart::dhcp_options_of(&network.vpc);
        all_have_fields(&crate::vpc_part::DhcpOptions(options));
        let entropy = Counting(1.into());
        all_have_fields(&crate::security_group::GroupWithRules {
            rules: crate::security_group::default_rules(&network.security_group, &entropy),
            names: Vec::new(),
            group: network.security_group.clone(),
        });
    }

    #[test]
    fn a_default_subnet_goes_where_there_is_room() {
        let network = layout("eu-west-1");
        let zone = network.vpc.region.zones().next().expect("a zone");
        let taken: Vec<Cidr> = network
            .subnets
            .iter()
            .skip(1)
            .map(|s| s.cidr_block.parse().expect("a block"))
            .collect();
        let entropy = Counting(1.into());
        let made = default_subnet_among(&network.vpc, zone, &taken, &entropy).expect("room");
        assert_eq!(made.cidr_block, "172.31.0.0/20");
        let full = ["172.31.0.0/16".parse().expect("a block")];
        assert_eq!(
            default_subnet_among(&network.vpc, zone, &full, &entropy),
            None
        );
    }
}
