//! Images (AMIs).
//!
//! - [`allowed`]: which images of others an account lets itself use.
//! - [`life`]: the states of an image, and what leads from one to another.
//! - [`usage`]: reports on who uses an image.

pub mod allowed;
pub mod life;
pub mod usage;

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    block_device::{BlockDeviceMapping, EbsBlockDevice},
    facet::{Faceted, viewers_of},
    filter::{Filterable, many, maybe, one, time},
    ids::{AccountId, ImageId, InstanceId, SnapshotId},
    page::PageKey,
    permission::Permissions,
    place::Region,
    recycle_bin::Recycled,
    tag::Tags,
    time::Timestamp,
};

/// An image as metadata knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// Owner.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// Name, unique within account and region.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// Architecture.
    pub architecture: Architecture,
    /// Virtualization type.
    pub virtualization_type: VirtualizationType,
    /// Device name of the root volume.
    pub root_device_name: Option<String>,
    /// Block devices.
    pub block_device_mappings: Vec<BlockDeviceMapping>,
    /// Firmware; none leaves it to the instance type.
    pub boot_mode: Option<BootMode>,
    /// Enhanced networking (ENA).
    pub ena_support: bool,
    /// `simple`, or none.
    pub sriov_net_support: Option<String>,
    /// `v2.0`, or none.
    pub tpm_support: Option<String>,
    /// `v2.0`: instances get IMDSv2 only unless they ask otherwise.
    pub imds_support: Option<String>,
    /// Base64 of the UEFI variable store.
    pub uefi_data: Option<String>,
    /// Kernel id (paravirtual).
    pub kernel_id: Option<String>,
    /// RAM disk id (paravirtual).
    pub ramdisk_id: Option<String>,
    /// Location: `account/name`, or the manifest of an instance-store image.
    pub location: String,
    /// State.
    pub state: ImageState,
    /// Why it failed, if it did.
    pub state_reason: Option<String>,
    /// Whether it boots a machine, or is a part of what paravirtual ones boot.
    #[serde(default)]
    pub image_type: ImageType,
    /// Where the root device comes from.
    #[serde(default)]
    pub root_device_type: RootDeviceType,
    /// When it was registered.
    pub creation_date: Timestamp,
    /// The instance it was made from.
    pub source_instance_id: Option<InstanceId>,
    /// The image that it is a copy of, or that the instance it was made from was launched from.
    #[serde(default)]
    pub source_image: Option<SourceImage>,
    /// When an instance was last launched from it.
    pub last_launched_time: Option<Timestamp>,
    /// When it is deprecated, as its owner says: see [`Image::deprecated_from`].
    #[serde(default)]
    pub deprecation_time: Option<Timestamp>,
    /// Whether it can be deregistered.
    #[serde(default)]
    pub deregistration_protection: DeregistrationProtection,
    /// When it was deregistered.
    #[serde(default)]
    pub deregistered_at: Option<Timestamp>,
    /// Its stay in the Recycle Bin, if it is in it; deregistered it is too then.
    #[serde(default)]
    pub recycled: Option<Recycled>,
    /// Who besides its owner may launch it.
    #[serde(default)]
    pub launch_permissions: Permissions,
    /// Tags.
    pub tags: Tags,
}

/// A name that no image can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, spaces, '(', ')', '[', \
     ']', '.', '/', '-', '\'', '@' and '_'"
)]
pub struct MalformedName;

/// Checks the name of an image.
///
/// # Errors
/// Other than 3–128 letters, digits and ` ()[]./'@_-`.
pub fn check_name(name: &str) -> Result<(), MalformedName> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b" ()[]./'@_-".contains(&b);
    if (3..=128).contains(&name.len()) && name.bytes().all(fits) {
        Ok(())
    } else {
        Err(MalformedName)
    }
}

/// For how long a deregistered image is still known, though no longer shown.
pub const DEREGISTERED_KNOWN_FOR: Duration = Duration::from_secs(60 * 60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long after its registration a public image is deprecated at the latest: two years.
pub const PUBLIC_UNTIL_DEPRECATED: Duration = Duration::from_secs(730 * 24 * 60 * 60);

/// How far ahead an image can be marked as deprecated: ten years.
pub const DEPRECATED_AHEAD: Duration = Duration::from_secs(3652 * 24 * 60 * 60);

/// For how long a protection with a cooldown goes on once it was switched off.
pub const PROTECTION_COOLDOWN: Duration = DAY;

/// The image that another one comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceImage {
    /// Its id.
    pub id: ImageId,
    /// Where it lies.
    pub region: Region,
}

/// Whether an image can be deregistered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeregistrationProtection {
    /// It can.
    #[default]
    Disabled,
    /// It cannot.
    Enabled {
        /// Whether the protection goes on for [`PROTECTION_COOLDOWN`] once it is switched off.
        with_cooldown: bool,
    },
    /// It was switched off, and goes on until an instant.
    Cooling {
        /// The instant.
        until: Timestamp,
    },
}

impl DeregistrationProtection {
    /// As EC2 spells it. It has no word for one that was switched off and goes on.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled | Self::Cooling { .. } => "disabled",
            Self::Enabled {
                with_cooldown: true,
            } => "enabled-with-cooldown",
            Self::Enabled {
                with_cooldown: false,
            } => "enabled-without-cooldown",
        }
    }

    /// Whether the image must stay.
    pub fn protects(self, now: Timestamp) -> bool {
        match self {
            Self::Disabled => false,
            Self::Enabled { .. } => true,
            Self::Cooling { until } => now < until,
        }
    }

    /// What it is once it is switched off.
    #[must_use]
    pub fn switched_off(self, now: Timestamp) -> Self {
        match self {
            Self::Enabled {
                with_cooldown: true,
            } => Self::Cooling {
                until: now.after(PROTECTION_COOLDOWN),
            },
            Self::Enabled {
                with_cooldown: false,
            } => Self::Disabled,
            other => other,
        }
    }
}

/// An image as an account sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenImage {
    /// The image.
    pub image: Image,
    /// Whether the account's settings let it be used; none if they say nothing of images.
    pub allowed: Option<bool>,
}

impl Filterable for SeenImage {
    const FILTERS: &'static [&'static str] = Image::FILTERS;

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "image-allowed" => one(self.allowed.unwrap_or(true)),
            name => self.image.filter_field(name),
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        self.image.filter_tags()
    }
}

impl Image {
    /// Nothing costs anything here.
    pub const FREE_TIER_ELIGIBLE: bool = true;
    /// The hypervisor that EC2 shows for every image.
    pub const HYPERVISOR: &'static str = "xen";
    /// The platform as shown; images of other systems are not told apart.
    pub const PLATFORM_DETAILS: &'static str = "Linux/UNIX";
    /// What EC2 calls the reason of an image that failed on the server's side, as all here do.
    pub const FAILURE_CODE: &'static str = "Server.InternalError";
    /// The operation that is billed.
    pub const USAGE_OPERATION: &'static str = "RunInstances";

    /// Its EBS volumes, with the names of the devices.
    pub fn ebs_devices(&self) -> impl Iterator<Item = (&str, &EbsBlockDevice)> {
        self.block_device_mappings
            .iter()
            .filter_map(|m| Some((m.device_name.as_str(), m.ebs.as_ref()?)))
    }

    /// The snapshots that it is made of.
    pub fn snapshot_ids(&self) -> impl Iterator<Item = &SnapshotId> {
        self.ebs_devices()
            .filter_map(|(_, ebs)| ebs.snapshot_id.as_ref())
    }

    /// Whether its id still means something: a deregistered one is known for an hour.
    pub fn is_known(&self, now: Timestamp) -> bool {
        self.deregistered_at
            .is_none_or(|at| now < at.after(DEREGISTERED_KNOWN_FOR))
    }

    /// From when on it is deprecated. A public image is two years after it was registered, whatever its
    /// owner says.
    pub fn deprecated_from(&self) -> Option<Timestamp> {
        let public = self
            .launch_permissions
            .public
            .then(|| self.creation_date.after(PUBLIC_UNTIL_DEPRECATED));
        self.deprecation_time.into_iter().chain(public).min()
    }

    /// Whether it is deprecated.
    pub fn is_deprecated(&self, now: Timestamp) -> bool {
        self.deprecated_from().is_some_and(|from| from <= now)
    }

    /// Its ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:ec2:{}::image/{}", self.region, self.id)
    }
}

impl Filterable for Image {
    const FILTERS: &'static [&'static str] = &[
        "architecture",
        "block-device-mapping.delete-on-termination",
        "block-device-mapping.device-name",
        "block-device-mapping.encrypted",
        "block-device-mapping.snapshot-id",
        "block-device-mapping.volume-size",
        "block-device-mapping.volume-type",
        "boot-mode",
        "creation-date",
        "description",
        "ena-support",
        "free-tier-eligible",
        "hypervisor",
        "image-allowed",
        "image-id",
        "image-type",
        "imds-support",
        "is-public",
        "kernel-id",
        "manifest-location",
        "name",
        "owner-alias",
        "owner-id",
        "platform",
        "platform-details",
        "product-code",
        "product-code.type",
        "ramdisk-id",
        "root-device-name",
        "root-device-type",
        "source-image-id",
        "source-image-region",
        "source-instance-id",
        "sriov-net-support",
        "state",
        "state-reason-code",
        "state-reason-message",
        "tpm-support",
        "usage-operation",
        "virtualization-type",
    ];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "architecture" => one(self.architecture),
            "block-device-mapping.device-name" => {
                many(self.block_device_mappings.iter().map(|m| &m.device_name))
            }
            "boot-mode" => maybe(self.boot_mode),
            "creation-date" => time(self.creation_date),
            "description" => maybe(self.description.as_ref()),
            "ena-support" => one(self.ena_support),
            "free-tier-eligible" => one(Self::FREE_TIER_ELIGIBLE),
            "hypervisor" => one(Self::HYPERVISOR),
            "image-id" => one(&self.id),
            "image-type" => one(self.image_type),
            "imds-support" => maybe(self.imds_support.as_ref()),
            "is-public" => one(self.launch_permissions.public),
            "kernel-id" => maybe(self.kernel_id.as_ref()),
            "manifest-location" => one(&self.location),
            "name" => one(&self.name),
            "owner-id" => one(&self.account),
            "platform-details" => one(Self::PLATFORM_DETAILS),
            "ramdisk-id" => maybe(self.ramdisk_id.as_ref()),
            "root-device-name" => maybe(self.root_device_name.as_ref()),
            "root-device-type" => one(self.root_device_type),
            "source-image-id" => maybe(self.source_image.as_ref().map(|source| &source.id)),
            "source-image-region" => maybe(self.source_image.as_ref().map(|source| source.region)),
            "source-instance-id" => maybe(self.source_instance_id.as_ref()),
            "sriov-net-support" => maybe(self.sriov_net_support.as_ref()),
            "state" => one(self.state),
            "state-reason-code" => maybe(self.state_reason.as_ref().map(|_| Self::FAILURE_CODE)),
            "state-reason-message" => maybe(self.state_reason.as_ref()),
            "tpm-support" => maybe(self.tpm_support.as_ref()),
            "usage-operation" => one(Self::USAGE_OPERATION),
            "virtualization-type" => one(self.virtualization_type),
            name if name.starts_with("block-device-mapping.") => self.mapping_field(name),
            // Of owners, platforms and product codes that nothing here has.
            name => Self::FILTERS.contains(&name).then(Vec::new),
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }
}

impl Faceted for Image {
    const FACETS: &'static [&'static str] = &[
        "architecture",
        "block-device-mapping.snapshot-id",
        "description",
        "image-id",
        "image-type",
        "is-public",
        "name",
        "owner-id",
        "root-device-type",
        "source-image-id",
        "source-instance-id",
        "state",
    ];
    const BEGINNINGS: &'static [&'static str] = &["name", "tag:Name"];

    fn page_key(&self) -> PageKey {
        PageKey {
            time: self.creation_date.0,
            id: self.id.to_string(),
        }
    }

    fn region(&self) -> Region {
        self.region
    }

    /// Deregistered nobody finds it.
    fn viewers(&self) -> BTreeSet<&str> {
        match self.deregistered_at {
            Some(_) => BTreeSet::new(),
            None => viewers_of(self.account.as_str(), &self.launch_permissions),
        }
    }
}

impl Image {
    fn mapping_field(&self, name: &str) -> Option<Vec<String>> {
        let ebs = self.ebs_devices().map(|(_, ebs)| ebs);
        match name {
            "block-device-mapping.delete-on-termination" => {
                many(ebs.filter_map(|e| e.delete_on_termination))
            }
            "block-device-mapping.encrypted" => many(ebs.filter_map(|e| e.encrypted)),
            "block-device-mapping.snapshot-id" => many(self.snapshot_ids()),
            "block-device-mapping.volume-size" => many(ebs.filter_map(|e| e.volume_size)),
            "block-device-mapping.volume-type" => many(ebs.filter_map(|e| e.volume_type)),
            _ => None,
        }
    }
}

/// States of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of EC2, by their names")]
pub enum ImageState {
    Pending,
    Available,
    Invalid,
    Deregistered,
    Transient,
    Failed,
    Error,
    Disabled,
}

/// What an image is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ImageType {
    #[default]
    Machine,
    Kernel,
    Ramdisk,
}

/// Where the root device of an image comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RootDeviceType {
    /// A snapshot, though an image that is being made of an instance names it only once it is taken.
    #[default]
    Ebs,
    /// A bundle in S3, which its location names.
    InstanceStore,
}

/// Processor architectures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Architecture {
    I386,
    X86_64,
    Arm64,
}

/// Virtualization types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum VirtualizationType {
    Hvm,
    Paravirtual,
}

/// Firmware that an image boots by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum BootMode {
    LegacyBios,
    Uefi,
    UefiPreferred,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::filter::{Filter, Filters};

    pub(crate) fn failed() -> Image {
        Image {
            id: "ami-12345678".parse().expect("an id"),
            account: "123456789012".parse().expect("an account"),
            region: Region::named("us-east-1").expect("a region"),
            name: "failed".to_owned(),
            description: None,
            architecture: Architecture::X86_64,
            virtualization_type: VirtualizationType::Hvm,
            root_device_name: Some("/dev/xvda".to_owned()),
            block_device_mappings: Vec::new(),
            boot_mode: None,
            ena_support: true,
            sriov_net_support: None,
            tpm_support: None,
            imds_support: None,
            uefi_data: None,
            kernel_id: None,
            ramdisk_id: None,
            location: "123456789012/failed".to_owned(),
            state: ImageState::Failed,
            state_reason: Some("Snapshot snap-12345678 was deleted".to_owned()),
            image_type: ImageType::Machine,
            root_device_type: RootDeviceType::Ebs,
            creation_date: Timestamp(0),
            source_instance_id: None,
            source_image: None,
            last_launched_time: None,
            deprecation_time: None,
            deregistration_protection: DeregistrationProtection::Disabled,
            deregistered_at: None,
            recycled: None,
            launch_permissions: Permissions::default(),
            tags: Tags::new(),
        }
    }

    #[test]
    fn filters_find_what_is_shown() {
        for (name, value, found) in [
            ("state-reason-code", Image::FAILURE_CODE, true),
            ("state-reason-message", "Snapshot * was deleted", true),
            ("root-device-type", "ebs", true),
            ("root-device-type", "instance-store", false),
            ("source-instance-id", "*", false),
            ("owner-alias", "amazon", false),
            ("free-tier-eligible", "true", true),
        ] {
            let filter = Filter {
                name: name.to_owned(),
                values: vec![value.to_owned()],
            };
            let filters = Filters::of::<Image>(&[filter]).expect("a filter");
            assert_eq!(filters.matches(&failed()), found, "{name}={value}");
        }
        let well = Image {
            state_reason: None,
            ..failed()
        };
        let any_reason = Filter {
            name: "state-reason-code".to_owned(),
            values: vec!["*".to_owned()],
        };
        let filters = Filters::of::<Image>(&[any_reason]).expect("a filter");
        assert!(!filters.matches(&well));
    }

    #[test]
    fn names_are_those_of_ec2() {
        for good in ["abc", "a b(c)[d]./'@_-", &"x".repeat(128)] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "ab",
            "a*c",
            "größe",
            "a,b",
            "tab\there",
            &"x".repeat(129),
        ] {
            assert_eq!(check_name(bad), Err(MalformedName), "{bad}");
        }
    }

    #[test]
    fn public_images_are_deprecated_after_two_years_at_the_latest() {
        let day = |days: i64| Timestamp(days * 86_400_000_000);
        let said = |public, said: Option<i64>| {
            let mut image = failed();
            image.launch_permissions.public = public;
            image.deprecation_time = said.map(day);
            image.deprecated_from()
        };
        assert_eq!(said(false, None), None);
        assert_eq!(said(false, Some(2000)), Some(day(2000)));
        assert_eq!(said(true, None), Some(day(730)));
        assert_eq!(said(true, Some(2000)), Some(day(730)));
        assert_eq!(said(true, Some(5)), Some(day(5)));
    }

    #[test]
    fn a_protection_goes_on_for_its_cooldown() {
        use DeregistrationProtection as P;
        let now = Timestamp(0);
        let with = P::Enabled {
            with_cooldown: true,
        };
        let off = with.switched_off(now);
        assert!(with.protects(now) && off.protects(now));
        assert!(!off.protects(now.after(PROTECTION_COOLDOWN)));
        assert_eq!(
            off.switched_off(now.after(DAY)),
            off,
            "nothing is won by asking again"
        );
        let without = P::Enabled {
            with_cooldown: false,
        };
        assert_eq!(without.switched_off(now), P::Disabled);
        assert_eq!(P::Disabled.switched_off(now), P::Disabled);
    }
}
