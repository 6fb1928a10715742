//! Security groups and their rules: what a rule says, when two say the same, what a group is shown as.
//!
//! Rules are kept and shown; no packet is filtered by them yet.

use std::{collections::BTreeSet, net::Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::{
    filter::{Filterable, many, one},
    ids::{AccountId, SecurityGroupId, SecurityGroupRuleId},
    network::{Cidr, SecurityGroup},
    place::Region,
    tag::Tags,
    time::Entropy,
};

/// The greatest number of rules that a group has in each direction, as an account of AWS has it.
pub const RULES_MAX: usize = 60;

/// The greatest number of groups in a region.
pub const GROUPS_MAX: usize = 2500;

/// The longest name, description of a group, and description of a rule, in characters.
pub const TEXT_MAX: usize = 255;

/// Every protocol.
pub const ALL_PROTOCOLS: &str = "-1";

/// Whom a rule lets in or out to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Peer {
    /// A block of IPv4 addresses, its host bits zero.
    Ipv4(String),
    /// A block of IPv6 addresses, in its canonical form.
    Ipv6(String),
    /// The members of a group.
    Group {
        /// The group.
        id: SecurityGroupId,
        /// Its owner.
        account: AccountId,
    },
}

/// What a rule says, apart from its name and description: two rules of a group cannot say the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RuleSpec {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, `-1` for all, or the number of another protocol.
    pub protocol: String,
    /// First port, or ICMP type; none for protocols without ports.
    pub from_port: Option<i32>,
    /// Last port, or ICMP code.
    pub to_port: Option<i32>,
    /// Whom it is about.
    pub peer: Peer,
}

/// A rule of a security group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroupRule {
    /// Its id.
    pub id: SecurityGroupRuleId,
    /// Owner.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// Its group.
    pub group_id: SecurityGroupId,
    /// Whether it is about what leaves, not about what comes in.
    pub is_egress: bool,
    /// What it says.
    pub spec: RuleSpec,
    /// Description.
    #[serde(default)]
    pub description: Option<String>,
    /// Tags.
    #[serde(default)]
    pub tags: Tags,
}

impl SecurityGroupRule {
    /// A new rule of a group.
    pub fn of(
        group: &SecurityGroup,
        is_egress: bool,
        spec: RuleSpec,
        entropy: &dyn Entropy,
    ) -> Self {
        Self {
            id: SecurityGroupRuleId::generate(entropy),
            account: group.account.clone(),
            region: group.region,
            group_id: group.id.clone(),
            is_egress,
            spec,
            description: None,
            tags: Tags::new(),
        }
    }

    /// Its ARN.
    pub fn arn(&self) -> String {
        format!(
            "arn:aws:ec2:{}:{}:security-group-rule/{}",
            self.region, self.account, self.id
        )
    }
}

/// The rule of every new group: everything may leave, over IPv4.
pub fn anywhere() -> RuleSpec {
    RuleSpec {
        protocol: ALL_PROTOCOLS.to_owned(),
        from_port: None,
        to_port: None,
        peer: Peer::Ipv4("0.0.0.0/0".to_owned()),
    }
}

/// The rules of a default group: its members may reach each other, and everything else.
pub fn default_rules(group: &SecurityGroup, entropy: &dyn Entropy) -> Vec<SecurityGroupRule> {
    let each_other = RuleSpec {
        peer: Peer::Group {
            id: group.id.clone(),
            account: group.account.clone(),
        },
        ..anywhere()
    };
    vec![
        SecurityGroupRule::of(group, false, each_other, entropy),
        SecurityGroupRule::of(group, true, anywhere(), entropy),
    ]
}

/// Why what a client sent is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A protocol that there is not.
    #[error("Invalid value '{0}' for IP protocol. Unknown protocol.")]
    Protocol(String),
    /// Ports are missing where the protocol has some.
    #[error("Invalid value for portRange. Must specify both from and to ports with {0}.")]
    NoPorts(String),
    /// Ports out of range or order.
    #[error(
        "Invalid value '{from}-{to}' for portRange. Ports are 0 to 65535, the first not above the last."
    )]
    Ports {
        /// First.
        from: i32,
        /// Last.
        to: i32,
    },
    /// ICMP type or code out of range.
    #[error(
        "Invalid value '{from}-{to}' for ICMP type and code. Both are -1 to 255, and all types have all codes."
    )]
    Icmp {
        /// Type.
        from: i32,
        /// Code.
        to: i32,
    },
    /// No block of addresses.
    #[error("CIDR block {0} is malformed")]
    Cidr(String),
    /// A description that is too long, or has other characters than AWS takes.
    #[error(
        "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*"
    )]
    Description,
}

impl RuleSpec {
    /// Reads protocol and ports as a client sends them, for one peer.
    ///
    /// # Errors
    /// What [`RuleError`] tells.
    pub fn read(
        protocol: &str,
        from_port: Option<i32>,
        to_port: Option<i32>,
        peer: Peer,
    ) -> Result<Self, RuleError> {
        let protocol = canonical_protocol(protocol)?;
        let (from_port, to_port) = ports(&protocol, from_port, to_port)?;
        Ok(Self {
            protocol,
            from_port,
            to_port,
            peer,
        })
    }
}

/// Names of protocols stay; the numbers of those that have a name become it.
fn canonical_protocol(text: &str) -> Result<String, RuleError> {
    let lower = text.to_ascii_lowercase();
    let number = lower.parse::<u8>().ok();
    Ok(match (lower.as_str(), number) {
        ("tcp", _) | (_, Some(6)) => "tcp".to_owned(),
        ("udp", _) | (_, Some(17)) => "udp".to_owned(),
        ("icmp", _) | (_, Some(1)) => "icmp".to_owned(),
        ("icmpv6", _) | (_, Some(58)) => "icmpv6".to_owned(),
        ("all" | "-1", _) => ALL_PROTOCOLS.to_owned(),
        (_, Some(other)) => other.to_string(),
        _ => return Err(RuleError::Protocol(text.to_owned())),
    })
}

fn ports(
    protocol: &str,
    from: Option<i32>,
    to: Option<i32>,
) -> Result<(Option<i32>, Option<i32>), RuleError> {
    let missing = || RuleError::NoPorts(protocol.to_owned());
    match protocol {
        "tcp" | "udp" => {
            let (from, to) = from.zip(to).ok_or_else(missing)?;
            // -1 to -1 is the way of older clients to say all ports.
            if (from, to) == (-1, -1) {
                return Ok((Some(0), Some(65535)));
            }
            let good = (0..=65535).contains(&from) && (0..=65535).contains(&to) && from <= to;
            match good {
                true => Ok((Some(from), Some(to))),
                false => Err(RuleError::Ports { from, to }),
            }
        }
        "icmp" | "icmpv6" => icmp(from, to, protocol == "icmpv6").ok_or(RuleError::Icmp {
            from: from.unwrap_or(-1),
            to: to.unwrap_or(-1),
        }),
        // Ports mean nothing to these, and AWS forgets them.
        _ => Ok((None, None)),
    }
}

/// ICMPv6 may leave both out, which means all.
fn icmp(from: Option<i32>, to: Option<i32>, optional: bool) -> Option<(Option<i32>, Option<i32>)> {
    let (from, to) = match (from, to) {
        (None, None) if optional => (-1, -1),
        (from, to) => (from?, to?),
    };
    let in_range = (-1..=255).contains(&from) && (-1..=255).contains(&to);
    (in_range && !(from == -1 && to != -1)).then_some((Some(from), Some(to)))
}

/// A block of IPv4 addresses as rules keep it: host bits are cleared, as AWS does.
///
/// # Errors
/// [`RuleError::Cidr`].
pub fn ipv4_block(text: &str) -> Result<Peer, RuleError> {
    let cidr: Cidr = text.parse().map_err(|_| RuleError::Cidr(text.to_owned()))?;
    Ok(Peer::Ipv4(cidr.network().to_string()))
}

/// A block of IPv6 addresses as rules keep it.
///
/// # Errors
/// [`RuleError::Cidr`].
pub fn ipv6_block(text: &str) -> Result<Peer, RuleError> {
    let parsed = text.split_once('/').and_then(|(address, prefix)| {
        let (address, prefix): (Ipv6Addr, u32) = (address.parse().ok()?, prefix.parse().ok()?);
        (prefix <= 128).then_some((address, prefix))
    });
    let (address, prefix) = parsed.ok_or_else(|| RuleError::Cidr(text.to_owned()))?;
    let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
    let network = Ipv6Addr::from(u128::from(address) & mask);
    Ok(Peer::Ipv6(format!("{network}/{prefix}")))
}

/// Checks a rule's description.
///
/// # Errors
/// [`RuleError::Description`].
pub fn check_description(text: &str) -> Result<(), RuleError> {
    let is_good = |c: char| c.is_ascii_alphanumeric() || "._-:/()#,@[]+=&;{}!$* ".contains(c);
    match text.chars().count() <= TEXT_MAX && text.chars().all(is_good) {
        true => Ok(()),
        false => Err(RuleError::Description),
    }
}

/// A group with its rules, as DescribeSecurityGroups shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupWithRules {
    /// The group.
    pub group: SecurityGroup,
    /// Its rules, by id.
    pub rules: Vec<SecurityGroupRule>,
    /// The names of the groups that rules are about, as far as they are known here.
    pub names: Vec<(SecurityGroupId, String)>,
}

/// The rules of a group that share protocol and ports, as EC2 shows them together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission<'a> {
    /// Protocol.
    pub protocol: &'a str,
    /// First port.
    pub from_port: Option<i32>,
    /// Last port.
    pub to_port: Option<i32>,
    /// The rules.
    pub rules: Vec<&'a SecurityGroupRule>,
}

impl GroupWithRules {
    /// The rules of a direction by protocol and ports.
    pub fn permissions(&self, is_egress: bool) -> Vec<Permission<'_>> {
        let mut permissions: Vec<Permission<'_>> = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.is_egress == is_egress) {
            let spec = &rule.spec;
            let same = |p: &&mut Permission<'_>| {
                (p.protocol, p.from_port, p.to_port)
                    == (spec.protocol.as_str(), spec.from_port, spec.to_port)
            };
            match permissions.iter_mut().find(same) {
                Some(permission) => permission.rules.push(rule),
                None => permissions.push(Permission {
                    protocol: &spec.protocol,
                    from_port: spec.from_port,
                    to_port: spec.to_port,
                    rules: vec![rule],
                }),
            }
        }
        permissions
    }

    fn rule_field(&self, is_egress: bool, name: &str) -> Option<Vec<String>> {
        let rules = self.rules.iter().filter(|rule| rule.is_egress == is_egress);
        let specs: Vec<&RuleSpec> = rules.map(|rule| &rule.spec).collect();
        let specs = specs.iter().copied();
        match name {
            "protocol" => many(specs.map(|spec| &spec.protocol)),
            "from-port" => many(specs.filter_map(|spec| spec.from_port)),
            "to-port" => many(specs.filter_map(|spec| spec.to_port)),
            "cidr" => many(specs.filter_map(|spec| match &spec.peer {
                Peer::Ipv4(cidr) => Some(cidr),
                _ => None,
            })),
            "ipv6-cidr" => many(specs.filter_map(|spec| match &spec.peer {
                Peer::Ipv6(cidr) => Some(cidr),
                _ => None,
            })),
            "group-id" => many(specs.filter_map(|spec| match &spec.peer {
                Peer::Group { id, .. } => Some(id),
                _ => None,
            })),
            "user-id" => many(specs.filter_map(|spec| match &spec.peer {
                Peer::Group { account, .. } => Some(account),
                _ => None,
            })),
            "group-name" => {
                let named = specs.filter_map(|spec| match &spec.peer {
                    Peer::Group { id, .. } => self.names.iter().find(|(known, _)| known == id),
                    _ => None,
                });
                many(named.map(|(_, name)| name))
            }
            "prefix-list-id" => Some(Vec::new()),
            _ => None,
        }
    }
}

/// The groups that rules are about, without the one that they belong to.
pub fn others_named<'a>(
    rules: impl IntoIterator<Item = &'a SecurityGroupRule>,
) -> BTreeSet<SecurityGroupId> {
    let named = rules.into_iter().filter_map(|rule| match &rule.spec.peer {
        Peer::Group { id, .. } if *id != rule.group_id => Some(id.clone()),
        _ => None,
    });
    named.collect()
}

impl Filterable for GroupWithRules {
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

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        if let Some(field) = name.strip_prefix("egress.ip-permission.") {
            return self.rule_field(true, field);
        }
        if let Some(field) = name.strip_prefix("ip-permission.") {
            return self.rule_field(false, field);
        }
        match name {
            "description" => one(&self.group.description),
            "group-id" => one(&self.group.id),
            "group-name" => one(&self.group.name),
            "owner-id" => one(&self.group.account),
            "vpc-id" => one(&self.group.vpc_id),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.group.tags)
    }
}

impl Filterable for SecurityGroupRule {
    const FILTERS: &'static [&'static str] = &["group-id", "security-group-rule-id"];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "group-id" => one(&self.group_id),
            "security-group-rule-id" => one(&self.id),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(protocol: &str, from: Option<i32>, to: Option<i32>) -> Result<RuleSpec, RuleError> {
        RuleSpec::read(protocol, from, to, anywhere().peer)
    }

    #[test]
    fn protocols_and_ports_are_kept_in_one_form() {
        let said = |protocol, from, to| {
            let spec = read(protocol, from, to).expect("a rule");
            (spec.protocol, spec.from_port, spec.to_port)
        };
        assert_eq!(
            said("6", Some(22), Some(22)),
            said("TCP", Some(22), Some(22))
        );
        assert_eq!(said("all", Some(1), Some(2)), ("-1".to_owned(), None, None));
        assert_eq!(said("50", Some(1), None), ("50".to_owned(), None, None));
        assert_eq!(
            said("58", None, None),
            ("icmpv6".to_owned(), Some(-1), Some(-1))
        );
        assert_eq!(
            said("tcp", Some(-1), Some(-1)),
            said("tcp", Some(0), Some(65535))
        );
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        assert!(matches!(
            read("xyz", None, None),
            Err(RuleError::Protocol(_))
        ));
        assert!(matches!(
            read("256", None, None),
            Err(RuleError::Protocol(_))
        ));
        assert!(matches!(
            read("tcp", Some(1), None),
            Err(RuleError::NoPorts(_))
        ));
        for (from, to) in [(2, 1), (-1, 5), (0, 65536)] {
            assert!(matches!(
                read("udp", Some(from), Some(to)),
                Err(RuleError::Ports { .. })
            ));
        }
        assert!(matches!(
            read("icmp", None, None),
            Err(RuleError::Icmp { .. })
        ));
        assert!(matches!(
            read("icmp", Some(-1), Some(3)),
            Err(RuleError::Icmp { .. })
        ));
        for text in ["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "::/0"] {
            assert!(ipv4_block(text).is_err(), "{text}");
        }
        ipv6_block("::/129").unwrap_err();
        assert!(check_description(&"x".repeat(256)).is_err());
        assert!(check_description("ü").is_err());
    }

    #[test]
    fn blocks_lose_their_host_bits() {
        assert_eq!(
            ipv4_block("10.1.2.3/8"),
            Ok(Peer::Ipv4("10.0.0.0/8".to_owned()))
        );
        assert_eq!(
            ipv4_block("1.2.3.4/0"),
            Ok(Peer::Ipv4("0.0.0.0/0".to_owned()))
        );
        assert_eq!(
            ipv6_block("2001:DB8::1/32"),
            Ok(Peer::Ipv6("2001:db8::/32".to_owned()))
        );
        assert_eq!(ipv6_block("::1/0"), Ok(Peer::Ipv6("::/0".to_owned())));
    }

    proptest! {
        #[test]
        fn reading_what_was_read_changes_nothing(
            protocol in "(tcp|udp|icmp|icmpv6|-1|[0-9]{1,3})",
            from in proptest::option::of(-2..70000i32),
            to in proptest::option::of(-2..70000i32),
            address: u32,
            prefix in 0u8..=32,
        ) {
            let block = format!("{}/{prefix}", std::net::Ipv4Addr::from(address));
            let peer = ipv4_block(&block).expect("a block");
            if let Ok(spec) = RuleSpec::read(&protocol, from, to, peer.clone()) {
                let again = RuleSpec::read(&spec.protocol, spec.from_port, spec.to_port, peer);
                prop_assert_eq!(again, Ok(spec));
            }
        }
    }
}
