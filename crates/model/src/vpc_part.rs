//! What comes with a VPC: its main route table, its network access control list, the gateway of a default
//! VPC, and the DHCP options of a region. They are described and tagged; what they say follows from
//! the VPC.

use serde::{Deserialize, Serialize};

use crate::{
    filter::{Filterable, many, maybe, one},
    ids::{AccountId, InternetGatewayId, NetworkAclId, RouteTableId, VpcId},
    network::{Subnet, Vpc},
    place::Region,
    tag::{ResourceType, Tags},
    time::Entropy,
};

/// What is kept of such a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VpcPart {
    /// Its id.
    pub id: String,
    /// What it is: a route table, a network access control list, an internet gateway or DHCP options.
    pub kind: ResourceType,
    /// Owner.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// Its VPC; DHCP options have none.
    #[serde(default)]
    pub vpc_id: Option<VpcId>,
    /// Tags.
    #[serde(default)]
    pub tags: Tags,
}

impl VpcPart {
    fn of(vpc: &Vpc, kind: ResourceType, id: String) -> Self {
        Self {
            id,
            kind,
            account: vpc.account.clone(),
            region: vpc.region,
            vpc_id: Some(vpc.id.clone()),
            tags: Tags::new(),
        }
    }

    /// The parts of a new VPC: a default one has a gateway.
    pub fn all_of(vpc: &Vpc, entropy: &dyn Entropy) -> Vec<Self> {
        let table = RouteTableId::generate(entropy).to_string();
        let acl = NetworkAclId::generate(entropy).to_string();
        let mut parts = vec![
            Self::of(vpc, ResourceType::RouteTable, table),
            Self::of(vpc, ResourceType::NetworkAcl, acl),
        ];
        if vpc.is_default {
            let gateway = InternetGatewayId::generate(entropy).to_string();
            parts.push(Self::of(vpc, ResourceType::InternetGateway, gateway));
        }
        parts
    }

    /// The DHCP options that a VPC names.
    pub fn dhcp_options_of(vpc: &Vpc) -> Self {
        Self {
            vpc_id: None,
            ..Self::of(vpc, ResourceType::DhcpOptions, vpc.dhcp_options_id())
        }
    }

    /// Another id made of its own, such as that of an association.
    fn derived(&self, prefix: &str) -> String {
        match self.id.rsplit_once('-') {
            Some((_, hex)) => format!("{prefix}{hex}"),
            None => format!("{prefix}{}", self.id),
        }
    }
}

/// A set of DHCP options: the name server of the network and its domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhcpOptions(pub VpcPart);

impl DhcpOptions {
    /// The names and values of the options.
    pub fn configurations(&self) -> Vec<(&'static str, String)> {
        let domain = match self.0.region.name() {
            "us-east-1" => "ec2.internal".to_owned(),
            region => format!("{region}.compute.internal"),
        };
        vec![
            ("domain-name", domain),
            ("domain-name-servers", "AmazonProvidedDNS".to_owned()),
        ]
    }
}

impl Filterable for DhcpOptions {
    const FILTERS: &'static [&'static str] = &["dhcp-options-id", "key", "owner-id", "value"];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "dhcp-options-id" => one(&self.0.id),
            "key" => many(self.configurations().into_iter().map(|(key, _)| key)),
            "owner-id" => one(&self.0.account),
            "value" => many(self.configurations().into_iter().map(|(_, value)| value)),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.0.tags)
    }
}

/// An internet gateway. Guests reach nothing through it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternetGateway(pub VpcPart);

impl Filterable for InternetGateway {
    const FILTERS: &'static [&'static str] = &[
        "attachment.state",
        "attachment.vpc-id",
        "internet-gateway-id",
        "owner-id",
    ];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "attachment.state" => maybe(self.0.vpc_id.as_ref().map(|_| "available")),
            "attachment.vpc-id" => maybe(self.0.vpc_id.as_ref()),
            "internet-gateway-id" => one(&self.0.id),
            "owner-id" => one(&self.0.account),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.0.tags)
    }
}

/// The main route table of a VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTable {
    /// What is kept of it.
    pub part: VpcPart,
    /// Addresses of its VPC.
    pub cidr_block: String,
    /// The gateway that everything else goes to, if the VPC has one.
    pub gateway_id: Option<String>,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The addresses it is for.
    pub destination: String,
    /// What they are reached by: `local` or a gateway.
    pub gateway_id: String,
    /// How it came: with the table, or by a request.
    pub origin: &'static str,
}

impl RouteTable {
    /// The id of what makes it the main one of its VPC.
    pub fn association_id(&self) -> String {
        self.part.derived("rtbassoc-")
    }

    /// Its routes.
    pub fn routes(&self) -> Vec<Route> {
        let local = Route {
            destination: self.cidr_block.clone(),
            gateway_id: "local".to_owned(),
            origin: "CreateRouteTable",
        };
        let outward = self.gateway_id.iter().map(|gateway| Route {
            destination: "0.0.0.0/0".to_owned(),
            gateway_id: gateway.clone(),
            origin: "CreateRoute",
        });
        std::iter::once(local).chain(outward).collect()
    }
}

impl Filterable for RouteTable {
    const FILTERS: &'static [&'static str] = &[
        "association.gateway-id",
        "association.main",
        "association.route-table-association-id",
        "association.route-table-id",
        "association.subnet-id",
        "owner-id",
        "route-table-id",
        "route.destination-cidr-block",
        "route.destination-ipv6-cidr-block",
        "route.destination-prefix-list-id",
        "route.egress-only-internet-gateway-id",
        "route.gateway-id",
        "route.instance-id",
        "route.nat-gateway-id",
        "route.origin",
        "route.state",
        "route.transit-gateway-id",
        "route.vpc-peering-connection-id",
        "vpc-id",
    ];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        let routes = self.routes().into_iter();
        match name {
            "association.main" => one(true),
            "association.route-table-association-id" => one(self.association_id()),
            "association.route-table-id" | "route-table-id" => one(&self.part.id),
            "owner-id" => one(&self.part.account),
            "route.destination-cidr-block" => many(routes.map(|route| route.destination)),
            "route.gateway-id" => many(routes.map(|route| route.gateway_id)),
            "route.origin" => many(routes.map(|route| route.origin)),
            "route.state" => one("active"),
            "vpc-id" => maybe(self.part.vpc_id.as_ref()),
            other => Self::FILTERS.contains(&other).then(Vec::new),
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.part.tags)
    }
}

/// The network access control list of a VPC, which all its subnets have and which lets everything
/// pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkAcl {
    /// What is kept of it.
    pub part: VpcPart,
    /// The subnets of its VPC, with the ids of what ties them to it.
    pub subnets: Vec<Subnet>,
}

/// An entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AclEntry {
    /// Order.
    pub number: i32,
    /// Whether it is about what leaves.
    pub egress: bool,
    /// `allow` or `deny`.
    pub action: &'static str,
}

impl NetworkAcl {
    /// Its entries: all may pass, and the last one, which comes into play when none matches.
    pub const ENTRIES: [AclEntry; 4] = [
        entry(100, true, "allow"),
        entry(32767, true, "deny"),
        entry(100, false, "allow"),
        entry(32767, false, "deny"),
    ];

    /// The ids of what ties subnets to it, with the subnets.
    pub fn associations(&self) -> impl Iterator<Item = (String, &Subnet)> {
        let id = |subnet: &Subnet| subnet.id.as_str().replacen("subnet-", "aclassoc-", 1);
        self.subnets.iter().map(move |subnet| (id(subnet), subnet))
    }
}

const fn entry(number: i32, egress: bool, action: &'static str) -> AclEntry {
    AclEntry {
        number,
        egress,
        action,
    }
}

impl Filterable for NetworkAcl {
    const FILTERS: &'static [&'static str] = &[
        "association.association-id",
        "association.network-acl-id",
        "association.subnet-id",
        "default",
        "entry.cidr",
        "entry.egress",
        "entry.icmp.code",
        "entry.icmp.type",
        "entry.ipv6-cidr",
        "entry.port-range.from",
        "entry.port-range.to",
        "entry.protocol",
        "entry.rule-action",
        "entry.rule-number",
        "network-acl-id",
        "owner-id",
        "vpc-id",
    ];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        let entries = Self::ENTRIES.iter();
        match name {
            "association.association-id" => many(self.associations().map(|(id, _)| id)),
            "association.network-acl-id" => many(self.subnets.iter().map(|_| &self.part.id)),
            "association.subnet-id" => many(self.subnets.iter().map(|subnet| &subnet.id)),
            "default" => one(true),
            "entry.cidr" => one("0.0.0.0/0"),
            "entry.egress" => many(entries.map(|entry| entry.egress)),
            "entry.protocol" => one("-1"),
            "entry.rule-action" => many(entries.map(|entry| entry.action)),
            "entry.rule-number" => many(entries.map(|entry| entry.number)),
            "network-acl-id" => one(&self.part.id),
            "owner-id" => one(&self.part.account),
            "vpc-id" => maybe(self.part.vpc_id.as_ref()),
            other => Self::FILTERS.contains(&other).then(Vec::new),
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.part.tags)
    }
}

/// A public address. There are none here, and its filters are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {}

impl Filterable for Address {
    const FILTERS: &'static [&'static str] = &[
        "allocation-id",
        "association-id",
        "domain",
        "instance-id",
        "network-border-group",
        "network-interface-id",
        "network-interface-owner-id",
        "private-ip-address",
        "public-ip",
    ];

    fn filter_field(&self, _name: &str) -> Option<Vec<String>> {
        match *self {}
    }

    fn filter_tags(&self) -> Option<&Tags> {
        match *self {}
    }
}
