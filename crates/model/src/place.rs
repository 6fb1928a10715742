//! Regions and availability zones.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    filter::{Filterable, one},
    tag::Tags,
};

/// A region that this server holds, by its AWS name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(&'static RegionFacts);

#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct RegionFacts {
    name: &'static str,
    /// What people call it, such as `US East (N. Virginia)`.
    long_name: &'static str,
    /// Short form in zone ids, such as `use1` in `use1-az1`.
    short: &'static str,
    /// Letters of the zones.
    zones: &'static str,
    /// Whether an account has it only once it has opted in.
    needs_opt_in: bool,
}

const fn facts(
    name: &'static str,
    long_name: &'static str,
    short: &'static str,
    zones: &'static str,
) -> RegionFacts {
    RegionFacts {
        name,
        long_name,
        short,
        zones,
        needs_opt_in: false,
    }
}

/// The regions of AWS, those that an account has without opting in and those that it opts into.
static REGIONS: [RegionFacts; 34] = [
    facts("af-south-1", "Africa (Cape Town)", "afs1", "abc").opt_in(),
    facts("ap-east-1", "Asia Pacific (Hong Kong)", "ape1", "abc").opt_in(),
    facts("ap-east-2", "Asia Pacific (Taipei)", "ape2", "abc").opt_in(),
    facts("ap-northeast-1", "Asia Pacific (Tokyo)", "apne1", "acd"),
    facts("ap-northeast-2", "Asia Pacific (Seoul)", "apne2", "abcd"),
    facts("ap-northeast-3", "Asia Pacific (Osaka)", "apne3", "abc"),
    facts("ap-south-1", "Asia Pacific (Mumbai)", "aps1", "abc"),
    facts("ap-south-2", "Asia Pacific (Hyderabad)", "aps2", "abc").opt_in(),
    facts("ap-southeast-1", "Asia Pacific (Singapore)", "apse1", "abc"),
    facts("ap-southeast-2", "Asia Pacific (Sydney)", "apse2", "abc"),
    facts("ap-southeast-3", "Asia Pacific (Jakarta)", "apse3", "abc").opt_in(),
    facts("ap-southeast-4", "Asia Pacific (Melbourne)", "apse4", "abc").opt_in(),
    facts("ap-southeast-5", "Asia Pacific (Malaysia)", "apse5", "abc").opt_in(),
    facts(
        "ap-southeast-6",
        "Asia Pacific (New Zealand)",
        "apse6",
        "abc",
    )
    .opt_in(),
    facts("ap-southeast-7", "Asia Pacific (Thailand)", "apse7", "abc").opt_in(),
    facts("ca-central-1", "Canada (Central)", "cac1", "abd"),
    facts("ca-west-1", "Canada West (Calgary)", "caw1", "abc").opt_in(),
    facts("eu-central-1", "Europe (Frankfurt)", "euc1", "abc"),
    facts("eu-central-2", "Europe (Zurich)", "euc2", "abc").opt_in(),
    facts("eu-north-1", "Europe (Stockholm)", "eun1", "abc"),
    facts("eu-south-1", "Europe (Milan)", "eus1", "abc").opt_in(),
    facts("eu-south-2", "Europe (Spain)", "eus2", "abc").opt_in(),
    facts("eu-west-1", "Europe (Ireland)", "euw1", "abc"),
    facts("eu-west-2", "Europe (London)", "euw2", "abc"),
    facts("eu-west-3", "Europe (Paris)", "euw3", "abc"),
    facts("il-central-1", "Israel (Tel Aviv)", "ilc1", "abc").opt_in(),
    facts("me-central-1", "Middle East (UAE)", "mec1", "abc").opt_in(),
    facts("me-south-1", "Middle East (Bahrain)", "mes1", "abc").opt_in(),
    facts("mx-central-1", "Mexico (Central)", "mxc1", "abc").opt_in(),
    facts("sa-east-1", "South America (Sao Paulo)", "sae1", "abc"),
    facts("us-east-1", "US East (N. Virginia)", "use1", "abcdef"),
    facts("us-east-2", "US East (Ohio)", "use2", "abc"),
    facts("us-west-1", "US West (N. California)", "usw1", "ab"),
    facts("us-west-2", "US West (Oregon)", "usw2", "abcd"),
];

impl RegionFacts {
    const fn opt_in(mut self) -> Self {
        self.needs_opt_in = true;
        self
    }
}

impl Region {
    /// All regions, by name.
    pub fn all() -> impl Iterator<Item = Self> {
        REGIONS.iter().map(Self)
    }

    /// The region of a name.
    pub fn named(name: &str) -> Option<Self> {
        REGIONS.iter().find(|r| r.name == name).map(Self)
    }

    /// The name, such as `us-east-1`.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Whether an account has it only once it has opted in.
    pub fn needs_opt_in(self) -> bool {
        self.0.needs_opt_in
    }

    /// The availability zones, in order.
    pub fn zones(self) -> impl Iterator<Item = Zone> {
        (1u8..)
            .zip(self.0.zones.chars())
            .map(move |(number, letter)| Zone {
                region: self,
                letter,
                number,
            })
    }

    /// The zone of a name (`us-east-1a`) or of an id (`use1-az1`).
    pub fn zone(self, name_or_id: &str) -> Option<Zone> {
        self.zones()
            .find(|zone| zone.name() == name_or_id || zone.id() == name_or_id)
    }
}

impl TryFrom<String> for Region {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        Self::named(&name).ok_or_else(|| format!("no region is named {name}"))
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.name().to_owned()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An availability zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone {
    /// The region it lies in.
    pub region: Region,
    letter: char,
    number: u8,
}

impl Zone {
    /// The name, such as `us-east-1a`.
    pub fn name(self) -> String {
        format!("{}{}", self.region, self.letter)
    }

    /// The id, such as `use1-az1`.
    pub fn id(self) -> String {
        format!("{}-az{}", self.region.0.short, self.number)
    }

    /// The group of zones that it belongs to: the only one of its region, such as `us-east-1-zg-1`.
    pub fn group_name(self) -> String {
        format!("{}-zg-1", self.region)
    }

    /// The same in words, such as `US East (N. Virginia) 1`.
    pub fn group_long_name(self) -> String {
        format!("{} 1", self.region.0.long_name)
    }

    /// Position in the region, from 0.
    pub fn index(self) -> u8 {
        self.number - 1
    }
}

impl Region {
    /// The host of its endpoint on AWS, by which clients know it.
    pub fn endpoint(self) -> String {
        format!("ec2.{self}.amazonaws.com")
    }
}

/// What a zone says about opting in. Those here are availability zones, which never ask for it.
pub const ZONE_OPT_IN_STATUS: &str = "opt-in-not-required";

/// What a region is to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptIn {
    /// It has it without asking.
    NotRequired,
    /// It has opted in.
    OptedIn,
    /// It has not opted in, or opted out again: calls in the region are refused.
    NotOptedIn,
}

impl OptIn {
    /// Whether calls are answered.
    pub fn is_enabled(self) -> bool {
        self != Self::NotOptedIn
    }

    /// As EC2 has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotRequired => "opt-in-not-required",
            Self::OptedIn => "opted-in",
            Self::NotOptedIn => "not-opted-in",
        }
    }

    /// As the service for accounts has it.
    pub fn as_status(self) -> &'static str {
        match self {
            Self::NotRequired => "ENABLED_BY_DEFAULT",
            Self::OptedIn => "ENABLED",
            Self::NotOptedIn => "DISABLED",
        }
    }
}

/// The statuses of the service for accounts. Opting in and out takes no time here, so that two of them
/// are never seen.
pub const OPT_STATUSES: [&str; 5] = [
    "ENABLED",
    "ENABLING",
    "DISABLING",
    "DISABLED",
    "ENABLED_BY_DEFAULT",
];

/// A region as an account has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegionOpt {
    /// The region.
    pub region: Region,
    /// What it is to the account.
    pub opt_in: OptIn,
}

impl Filterable for RegionOpt {
    const FILTERS: &'static [&'static str] = &["endpoint", "opt-in-status", "region-name"];
    const HAS_TAGS: bool = false;

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "endpoint" => one(self.region.endpoint()),
            "opt-in-status" => one(self.opt_in.as_str()),
            "region-name" => one(self.region.name()),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        None
    }
}

impl Filterable for Zone {
    const FILTERS: &'static [&'static str] = &[
        "group-long-name",
        "group-name",
        "message",
        "opt-in-status",
        "parent-zone-id",
        "parent-zone-name",
        "region-name",
        "state",
        "zone-id",
        "zone-name",
        "zone-type",
    ];
    const HAS_TAGS: bool = false;

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "group-long-name" => one(self.group_long_name()),
            "group-name" => one(self.group_name()),
            "opt-in-status" => one(ZONE_OPT_IN_STATUS),
            "region-name" => one(self.region),
            "state" => one("available"),
            "zone-id" => one(self.id()),
            "zone-name" => one(self.name()),
            "zone-type" => one("availability-zone"),
            name => Self::FILTERS.contains(&name).then(Vec::new),
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        None
    }
}
