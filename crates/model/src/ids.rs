//! Resource ids as AWS spells them: a prefix and 17 lower-case hexadecimal digits (8 for ids of
//! old; both are valid on input).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{image::ImageType, time::Entropy};

/// An id that is not spelled as one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid id: \"{id}\" (expecting {})", self.expected())]
pub struct MalformedId {
    /// What was given.
    pub id: String,
    /// What it has to begin with, such as `vol-`.
    pub prefix: &'static str,
}

impl MalformedId {
    fn expected(&self) -> String {
        let prefix = self.prefix;
        match prefix {
            "" => "an account number of twelve digits".to_owned(),
            // Clients look for the id between the first quotation mark and the last.
            _ if self.id.starts_with(prefix) => {
                format!("17 or 8 hexadecimal digits in small letters after {prefix}")
            }
            _ => format!("\"{prefix}...\""),
        }
    }
}

macro_rules! resource_id {
    ($(#[$doc:meta] $name:ident $prefix:literal $(or $other:literal)*;)*) => {$(
        #[$doc]
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// What ids of this kind begin with.
            pub const PREFIX: &'static str = $prefix;

            /// Makes a new id.
            pub fn generate(entropy: &dyn Entropy) -> Self {
                Self(format!(concat!($prefix, "{}"), seventeen_hex(entropy)))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;

            fn from_str(text: &str) -> Result<Self, MalformedId> {
                [$prefix $(, $other)*].iter().any(|prefix| well_formed(text, prefix)).then(|| Self(text.to_owned()))
                    .ok_or_else(|| MalformedId { id: text.to_owned(), prefix: $prefix })
            }
        }

        impl TryFrom<String> for $name {
            type Error = MalformedId;
            fn try_from(text: String) -> Result<Self, MalformedId> { text.parse() }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self { id.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
    )*};
}

resource_id! {
    /// A volume.
    VolumeId "vol-";
    /// A snapshot.
    SnapshotId "snap-";
    /// An image (AMI); `aki-` of a kernel, `ari-` of a RAM disk.
    ImageId "ami-" or "aki-" or "ari-";
    /// A report on who uses an image.
    ImageUsageReportId "amiur-";
    /// An instance.
    InstanceId "i-";
    /// What one RunInstances call reserved.
    ReservationId "r-";
    /// A task that replaces a root volume.
    ReplaceRootTaskId "replacevol-";
    /// A key pair.
    KeyPairId "key-";
    /// A virtual private cloud.
    VpcId "vpc-";
    /// A subnet.
    SubnetId "subnet-";
    /// A security group.
    SecurityGroupId "sg-";
    /// A network interface.
    NetworkInterfaceId "eni-";
    /// An internet gateway.
    InternetGatewayId "igw-";
    /// A rule of a security group.
    SecurityGroupRuleId "sgr-";
    /// A route table.
    RouteTableId "rtb-";
    /// A network access control list.
    NetworkAclId "acl-";
    /// A set of DHCP options.
    DhcpOptionsId "dopt-";
    /// The attachment of a network interface.
    InterfaceAttachmentId "eni-attach-";
    /// An allocation of a public address.
    AllocationId "eipalloc-";
    /// A launch template.
    LaunchTemplateId "lt-";
    /// What ties an instance profile to an instance.
    ProfileAssociationId "iip-assoc-";
}

impl ImageId {
    /// Makes a new id of an image of a type.
    pub fn generate_of(image_type: ImageType, entropy: &dyn Entropy) -> Self {
        let prefix = match image_type {
            ImageType::Machine => Self::PREFIX,
            ImageType::Kernel => "aki-",
            ImageType::Ramdisk => "ari-",
        };
        Self(format!("{prefix}{}", seventeen_hex(entropy)))
    }
}

fn well_formed(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(is_hex_part)
}

/// Whether a text has the form of an id, whatever it is the id of: a prefix, a hyphen, 8 or 17
/// hexadecimal digits in small letters.
pub fn is_well_formed(text: &str) -> bool {
    text.split_once('-')
        .is_some_and(|(prefix, hex)| !prefix.is_empty() && is_hex_part(hex))
}

fn is_hex_part(hex: &str) -> bool {
    matches!(hex.len(), 8 | 17)
        && hex
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// New ids have a leading zero, as those of AWS do.
fn seventeen_hex(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    format!("0{:016x}", u64::from_be_bytes(bytes))
}

/// An AWS account number: twelve digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

impl AccountId {
    /// Makes a new account number, the first digit not zero.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes);
        Self((100_000_000_000 + u64::from_be_bytes(bytes) % 900_000_000_000).to_string())
    }

    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        (text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| Self(text.to_owned()))
            .ok_or_else(|| MalformedId {
                id: text.to_owned(),
                prefix: "",
            })
    }
}

impl TryFrom<String> for AccountId {
    type Error = MalformedId;
    fn try_from(text: String) -> Result<Self, MalformedId> {
        text.parse()
    }
}

impl From<AccountId> for String {
    fn from(id: AccountId) -> Self {
        id.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
