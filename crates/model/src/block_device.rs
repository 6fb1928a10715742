//! Block device mappings, of images and of launches: what stands at which device name, and how a
//! request's mappings go over those of an image.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{ids::SnapshotId, volume::VolumeType};

/// What stands at a device name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockDeviceMapping {
    /// The device name, such as `/dev/xvda`.
    pub device_name: String,
    /// `ephemeralN`.
    pub virtual_name: Option<String>,
    /// Suppresses the mapping of the image at this name.
    pub no_device: bool,
    /// An EBS volume.
    pub ebs: Option<EbsBlockDevice>,
}

/// The volume that a mapping asks for. Everything may be left open in a request; an image's
/// mapping has size and type filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EbsBlockDevice {
    /// The snapshot it is made from.
    pub snapshot_id: Option<SnapshotId>,
    /// Size in GiB.
    pub volume_size: Option<i32>,
    /// Type.
    pub volume_type: Option<VolumeType>,
    /// Provisioned I/O operations per second.
    pub iops: Option<i32>,
    /// Throughput in MiB/s (gp3).
    pub throughput: Option<i32>,
    /// Whether the volume goes with the instance.
    pub delete_on_termination: Option<bool>,
    /// Whether it is encrypted.
    pub encrypted: Option<bool>,
    /// The key.
    pub kms_key_id: Option<String>,
    /// How fast it is filled from its snapshot, in MiB/s.
    pub volume_initialization_rate: Option<i32>,
}

/// Why block device mappings are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// A device name that is none.
    #[error("Invalid device name {0}")]
    DeviceName(String),
    /// Two mappings for one device.
    #[error("The device '{0}' is used in more than one block-device mapping")]
    Repeated(String),
    /// A mapping with nothing in it, or with more than one thing.
    #[error(
        "A block device mapping must specify exactly one of ebs, virtualName and noDevice, for device '{0}'"
    )]
    NotOneThing(String),
    /// A virtual name that is not `ephemeral0` to `ephemeral23`.
    #[error("Invalid virtual name {0}")]
    VirtualName(String),
    /// The root device has to stay.
    #[error("The root device '{0}' cannot be suppressed or replaced by an instance store volume")]
    RootSuppressed(String),
    /// The root device keeps its snapshot.
    #[error("snapshotId cannot be modified on root device")]
    RootSnapshotChanged,
    /// Neither a size nor a snapshot.
    #[error("The request must contain the parameter size or snapshotId for device '{0}'")]
    NoSize(String),
    /// A size below that of the snapshot.
    #[error(
        "Volume of size {size}GB is smaller than snapshot '{snapshot}', expect size >= {least}GB"
    )]
    SmallerThanSnapshot {
        /// GiB asked for.
        size: i32,
        /// The snapshot.
        snapshot: SnapshotId,
        /// GiB of the snapshot.
        least: i32,
    },
}

/// Whether a device can be called so: `/dev/sda1`, `/dev/sdf`, `/dev/xvda`, `/dev/xvdba`, with or
/// without `/dev/`.
pub fn is_device_name(name: &str) -> bool {
    let short = name.strip_prefix("/dev/").unwrap_or(name);
    let rest = short
        .strip_prefix("xvd")
        .or_else(|| short.strip_prefix("sd"));
    let Some(rest) = rest else { return false };
    let letters = rest.bytes().take_while(u8::is_ascii_lowercase).count();
    let (letters, partition) = rest.split_at(letters);
    let letters_fit = match letters.len() {
        1 => true,
        2 => short.starts_with("xvd"),
        _ => false,
    };
    let is_number = !partition.starts_with('0') && partition.bytes().all(|b| b.is_ascii_digit());
    let partition_fits =
        partition.is_empty() || (is_number && partition.parse::<u8>().is_ok_and(|n| n <= 15));
    letters_fit && partition_fits
}

/// Whether two names mean the same device: `sdf`, `/dev/sdf` and `/dev/xvdf` are one attachment
/// point.
pub fn same_device(a: &str, b: &str) -> bool {
    canonical(a) == canonical(b)
}

fn canonical(name: &str) -> String {
    let short = name.strip_prefix("/dev/").unwrap_or(name);
    short
        .strip_prefix("sd")
        .map_or_else(|| short.to_owned(), |rest| format!("xvd{rest}"))
}

/// Checks the mappings of one request or image by themselves.
///
/// # Errors
/// A device name that is none or comes twice, or a mapping that does not say exactly one thing.
pub fn check(mappings: &[BlockDeviceMapping]) -> Result<(), MappingError> {
    let mut seen = BTreeSet::new();
    for mapping in mappings {
        let name = &mapping.device_name;
        if !is_device_name(name) {
            return Err(MappingError::DeviceName(name.clone()));
        }
        if !seen.insert(canonical(name)) {
            return Err(MappingError::Repeated(name.clone()));
        }
        check_says_one_thing(mapping)?;
    }
    Ok(())
}

fn check_says_one_thing(mapping: &BlockDeviceMapping) -> Result<(), MappingError> {
    if let Some(virtual_name) = mapping.virtual_name.as_deref().filter(|v| !is_ephemeral(v)) {
        return Err(MappingError::VirtualName(virtual_name.to_owned()));
    }
    let said = [
        mapping.virtual_name.is_some(),
        mapping.no_device,
        mapping.ebs.is_some(),
    ];
    if said.iter().filter(|said| **said).count() != 1 {
        return Err(MappingError::NotOneThing(mapping.device_name.clone()));
    }
    Ok(())
}

fn is_ephemeral(virtual_name: &str) -> bool {
    let number = virtual_name
        .strip_prefix("ephemeral")
        .and_then(|n| n.parse::<u8>().ok());
    number.is_some_and(|n| n < 24 && virtual_name == format!("ephemeral{n}"))
}

/// Puts the mappings of a request over those of an image, by device name. What the request leaves
/// open comes from the image; the root device stays, with its snapshot; `NoDevice` takes others
/// away. Both lists were [`check`]ed.
///
/// # Errors
/// The root device would go, or get another snapshot.
pub fn merge(
    image: &[BlockDeviceMapping],
    request: &[BlockDeviceMapping],
    root: Option<&str>,
) -> Result<Vec<BlockDeviceMapping>, MappingError> {
    let is_root = |mapping: &BlockDeviceMapping| {
        root.is_some_and(|root| same_device(root, &mapping.device_name))
    };
    let mut merged: Vec<BlockDeviceMapping> = image.to_vec();
    for mapping in request {
        let at = merged
            .iter()
            .position(|m| same_device(&m.device_name, &mapping.device_name));
        if is_root(mapping) {
            check_root_stays(at.map(|at| &merged[at]), mapping)?;
        }
        match at {
            Some(at) if mapping.no_device => drop(merged.remove(at)),
            Some(at) => merged[at] = over(&merged[at], mapping),
            None if mapping.no_device => {}
            None => merged.push(mapping.clone()),
        }
    }
    Ok(merged)
}

fn check_root_stays(
    image: Option<&BlockDeviceMapping>,
    request: &BlockDeviceMapping,
) -> Result<(), MappingError> {
    let Some(ebs) = &request.ebs else {
        return Err(MappingError::RootSuppressed(request.device_name.clone()));
    };
    let kept = image
        .and_then(|m| m.ebs.as_ref())
        .and_then(|e| e.snapshot_id.as_ref());
    match &ebs.snapshot_id {
        Some(asked) if kept.is_some_and(|kept| kept != asked) => {
            Err(MappingError::RootSnapshotChanged)
        }
        _ => Ok(()),
    }
}

fn over(image: &BlockDeviceMapping, request: &BlockDeviceMapping) -> BlockDeviceMapping {
    let ebs = match (&image.ebs, &request.ebs) {
        (Some(image), Some(request)) => Some(ebs_over(image, request)),
        (_, request) => request.clone(),
    };
    BlockDeviceMapping {
        device_name: image.device_name.clone(),
        virtual_name: request.virtual_name.clone(),
        no_device: false,
        ebs,
    }
}

fn ebs_over(image: &EbsBlockDevice, request: &EbsBlockDevice) -> EbsBlockDevice {
    // Performance belongs to the type that it was given for, and a size to its snapshot.
    let same_type = request
        .volume_type
        .is_none_or(|t| image.volume_type == Some(t));
    let same_snapshot = request.snapshot_id.is_none() || request.snapshot_id == image.snapshot_id;
    EbsBlockDevice {
        snapshot_id: request
            .snapshot_id
            .clone()
            .or_else(|| image.snapshot_id.clone()),
        volume_size: request
            .volume_size
            .or(image.volume_size.filter(|_| same_snapshot)),
        volume_type: request.volume_type.or(image.volume_type),
        iops: request.iops.or(image.iops.filter(|_| same_type)),
        throughput: request
            .throughput
            .or(image.throughput.filter(|_| same_type)),
        delete_on_termination: request
            .delete_on_termination
            .or(image.delete_on_termination),
        encrypted: request
            .encrypted
            .or(image.encrypted.filter(|_| same_snapshot)),
        kms_key_id: request
            .kms_key_id
            .clone()
            .or_else(|| image.kms_key_id.clone()),
        volume_initialization_rate: request
            .volume_initialization_rate
            .or(image.volume_initialization_rate),
    }
}

/// The size in GiB of the volume that a mapping asks for, at least that of its snapshot.
///
/// # Errors
/// No size and no snapshot, or a size below the snapshot's.
pub fn volume_size(
    device_name: &str,
    ebs: &EbsBlockDevice,
    snapshot_size_gib: Option<i32>,
) -> Result<i32, MappingError> {
    match (ebs.volume_size, snapshot_size_gib, &ebs.snapshot_id) {
        (Some(size), Some(least), Some(snapshot)) if size < least => {
            Err(MappingError::SmallerThanSnapshot {
                size,
                snapshot: snapshot.clone(),
                least,
            })
        }
        (Some(size), ..) | (None, Some(size), _) => Ok(size),
        (None, None, _) => Err(MappingError::NoSize(device_name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn snap(digit: char) -> SnapshotId {
        format!("snap-{}", digit.to_string().repeat(17))
            .parse()
            .expect("an id")
    }

    fn ebs(name: &str, ebs: EbsBlockDevice) -> BlockDeviceMapping {
        BlockDeviceMapping {
            device_name: name.to_owned(),
            ebs: Some(ebs),
            ..Default::default()
        }
    }

    fn none(name: &str) -> BlockDeviceMapping {
        BlockDeviceMapping {
            device_name: name.to_owned(),
            no_device: true,
            ..Default::default()
        }
    }

    fn image() -> Vec<BlockDeviceMapping> {
        let root = EbsBlockDevice {
            snapshot_id: Some(snap('a')),
            volume_size: Some(8),
            volume_type: Some(VolumeType::Gp3),
            iops: Some(4_000),
            delete_on_termination: Some(true),
            ..Default::default()
        };
        let data = EbsBlockDevice {
            snapshot_id: Some(snap('b')),
            volume_size: Some(1),
            ..Default::default()
        };
        vec![ebs("/dev/xvda", root), ebs("/dev/sdf", data)]
    }

    fn merged(request: &[BlockDeviceMapping]) -> Result<Vec<BlockDeviceMapping>, MappingError> {
        merge(&image(), request, Some("/dev/xvda"))
    }

    #[test]
    fn what_a_request_leaves_open_comes_from_the_image() {
        assert_eq!(merged(&[]), Ok(image()));
        let grown = EbsBlockDevice {
            volume_size: Some(20),
            ..Default::default()
        };
        let root = merged(&[ebs("/dev/xvda", grown)]).expect("merges")[0]
            .ebs
            .clone()
            .expect("ebs");
        assert_eq!(
            (root.volume_size, root.snapshot_id, root.iops),
            (Some(20), Some(snap('a')), Some(4_000))
        );
        assert_eq!(root.delete_on_termination, Some(true));
        let other_type = EbsBlockDevice {
            volume_type: Some(VolumeType::Gp2),
            ..Default::default()
        };
        let root = merged(&[ebs("sda", other_type)]).expect("merges")[0]
            .ebs
            .clone()
            .expect("ebs");
        assert_eq!(
            (root.iops, root.volume_type),
            (None, Some(VolumeType::Gp2)),
            "iops belonged to gp3"
        );
    }

    #[test]
    fn another_snapshot_brings_its_own_size() {
        let other = EbsBlockDevice {
            snapshot_id: Some(snap('c')),
            ..Default::default()
        };
        let data = merged(&[ebs("/dev/sdf", other)]).expect("merges")[1]
            .ebs
            .clone()
            .expect("ebs");
        assert_eq!(
            (data.snapshot_id, data.volume_size),
            (Some(snap('c')), None)
        );
    }

    #[test]
    fn devices_can_be_added_and_taken_away_but_not_the_root() {
        let added = ebs(
            "/dev/sdg",
            EbsBlockDevice {
                volume_size: Some(3),
                ..Default::default()
            },
        );
        let result = merged(&[none("/dev/xvdf"), added.clone(), none("/dev/sdz")]).expect("merges");
        assert_eq!(result, [image()[0].clone(), added]);
        assert_eq!(
            merged(&[none("/dev/sda")]),
            Err(MappingError::RootSuppressed("/dev/sda".to_owned()))
        );
        let other = EbsBlockDevice {
            snapshot_id: Some(snap('c')),
            ..Default::default()
        };
        assert_eq!(
            merged(&[ebs("/dev/xvda", other)]),
            Err(MappingError::RootSnapshotChanged)
        );
    }

    #[test]
    fn mappings_out_of_form_are_refused() {
        let plain = |name| ebs(name, EbsBlockDevice::default());
        let refuse =
            |mappings: &[BlockDeviceMapping]| check(mappings).expect_err("refused").to_string();
        assert_eq!(
            refuse(&[plain("/dev/sdf"), plain("/dev/xvdf")]),
            "The device '/dev/xvdf' is used in more than one block-device mapping"
        );
        assert_eq!(refuse(&[plain("/dev/vda")]), "Invalid device name /dev/vda");
        let both = BlockDeviceMapping {
            no_device: true,
            ..plain("/dev/sdf")
        };
        assert!(refuse(&[both]).contains("exactly one"));
        let virtual_name = |v: &str| BlockDeviceMapping {
            device_name: "/dev/sdb".to_owned(),
            virtual_name: Some(v.to_owned()),
            ..Default::default()
        };
        assert_eq!(check(&[virtual_name("ephemeral0")]), Ok(()));
        for bad in ["ephemeral24", "ephemeral00", "ephemeral", "disk0"] {
            assert_eq!(
                check(&[virtual_name(bad)]),
                Err(MappingError::VirtualName(bad.to_owned()))
            );
        }
    }

    #[test]
    fn device_names_are_those_of_ec2() {
        for good in [
            "/dev/sda1",
            "/dev/sdz15",
            "/dev/xvda",
            "/dev/xvdba",
            "xvdf",
            "sdb",
        ] {
            assert!(is_device_name(good), "{good}");
        }
        for bad in [
            "",
            "/dev/",
            "/dev/sd",
            "/dev/sdA",
            "/dev/sda0",
            "/dev/sda16",
            "/dev/sdaa",
            "/dev/nvme0n1",
            "/dev/xvdabc",
            "/dev/sda01",
            "/dev/sda+1",
        ] {
            assert!(!is_device_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_volume_is_as_large_as_its_snapshot_or_larger() {
        let of = |size, snapshot: Option<i32>| {
            let ebs = EbsBlockDevice {
                volume_size: size,
                snapshot_id: snapshot.map(|_| snap('a')),
                ..Default::default()
            };
            volume_size("/dev/sdf", &ebs, snapshot).map_err(|e| e.to_string())
        };
        assert_eq!(of(None, Some(8)), Ok(8));
        assert_eq!(of(Some(9), Some(8)), Ok(9));
        assert_eq!(of(Some(9), None), Ok(9));
        let small = format!(
            "Volume of size 7GB is smaller than snapshot '{}', expect size >= 8GB",
            snap('a')
        );
        assert_eq!(of(Some(7), Some(8)), Err(small));
        assert!(
            of(None, None)
                .expect_err("no size")
                .starts_with("The request must contain")
        );
    }

    proptest! {
        #[test]
        fn no_device_is_ever_mapped_twice(names in prop::collection::vec("(/dev/)?(sd|xvd)[a-h]", 0..8), gone in any::<bool>()) {
            let request: Vec<_> = names.iter().map(|name| if gone { none(name) } else { ebs(name, EbsBlockDevice::default()) }).collect();
            if check(&request).is_ok() && let Ok(merged) = merged(&request) {
                prop_assert_eq!(check(&merged), Ok(()));
                prop_assert!(merged.iter().any(|m| m.device_name == "/dev/xvda"));
            }
        }
    }
}
