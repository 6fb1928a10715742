//! The plan of a launch: everything that follows from the image, the type and the request, before
//! anything is made.

use std::collections::BTreeMap;

use crate::{
    block_device::{self, BlockDeviceMapping, EbsBlockDevice, MappingError},
    ids::SnapshotId,
    image::{Architecture, BootMode, Image, VirtualizationType},
    instance::MetadataOptions,
    instance_type::{Hypervisor, InstanceType, VOLUMES_MAX},
    volume::VolumeType,
    volume_shape::{ShapeError, VolumeShape},
};

/// What every instance of a launch gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchPlan {
    /// Firmware.
    pub boot_mode: BootMode,
    /// Device name of the root volume.
    pub root_device_name: String,
    /// Volumes, the root first.
    pub volumes: Vec<PlannedVolume>,
    /// How the metadata service answers.
    pub metadata_options: MetadataOptions,
}

/// A volume to be made for an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedVolume {
    /// Where it is attached.
    pub device_name: String,
    /// What it is made from; empty if from nothing.
    pub snapshot_id: Option<SnapshotId>,
    /// Type, size and performance.
    pub shape: VolumeShape,
    /// Whether it goes with the instance.
    pub delete_on_termination: bool,
    /// Whether it is to be encrypted, if that is said.
    pub encrypted: Option<bool>,
    /// The name of the key, if one is given.
    pub kms_key_id: Option<String>,
    /// How fast it is filled from its snapshot, in MiB/s.
    pub initialization_rate: Option<i32>,
}

/// Metadata options as far as a request names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetadataRequest {
    /// Whether the service answers.
    pub http_endpoint: Option<bool>,
    /// Whether only IMDSv2 is answered.
    pub http_tokens_required: Option<bool>,
    /// Hops, 1–64.
    pub http_put_response_hop_limit: Option<i32>,
    /// Whether it shows tags.
    pub instance_metadata_tags: Option<bool>,
}

/// Why an image cannot be launched as asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LaunchError {
    /// The type runs no images of this architecture.
    #[error(
        "The architecture '{of_type}' of the specified instance type does not match the architecture '{of_image}' of \
         the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again. You \
         can use 'describe-instance-types' or 'describe-images' to discover the architecture of the instance type or \
         AMI."
    )]
    Architecture {
        /// What the type runs.
        of_type: String,
        /// What the image is.
        of_image: Architecture,
    },
    /// The image is paravirtual, and no type here runs that.
    #[error(
        "Virtualization type 'paravirtual' of the specified AMI is not supported by instances of type '{0}', which \
         run virtualization type 'hvm'."
    )]
    Paravirtual(&'static str),
    /// The type needs ENA and the image does not say that it can.
    #[error(
        "Enhanced networking with the Elastic Network Adapter (ENA) is required for the '{0}' instance type. Ensure \
         that you are using an AMI that is enabled for ENA."
    )]
    EnaRequired(&'static str),
    /// The type cannot boot the image's way.
    #[error(
        "The boot mode '{boot_mode}' of the specified AMI is not supported by the '{of_type}' instance type."
    )]
    BootMode {
        /// What the image asks for.
        boot_mode: BootMode,
        /// The type.
        of_type: &'static str,
    },
    /// There is no volume to boot from.
    #[error(
        "The specified AMI has no EBS root volume; only AMIs backed by EBS can be launched here."
    )]
    NoRootVolume,
    /// There are more volumes than a machine has places for.
    #[error(
        "An instance can have up to {VOLUMES_MAX} volumes; the block device mapping of the AMI and of the request asks for more."
    )]
    TooManyVolumes,
    /// The mappings.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// A volume.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A snapshot is gone.
    #[error("The snapshot '{0}' does not exist.")]
    SnapshotNotFound(SnapshotId),
    /// The image asks for a TPM.
    #[error(
        "The specified AMI requires a virtual TPM (TpmSupport v2.0), which instances of this server do not have."
    )]
    Tpm,
    /// The image brings UEFI variables.
    #[error(
        "The specified AMI brings UEFI variables of its own (UefiData), which this server does not load; register the \
         AMI without them to launch it with those of the firmware."
    )]
    UefiData,
    /// A hop limit out of bounds.
    #[error("The HttpPutResponseHopLimit must be from 1 to 64, not {0}.")]
    HopLimit(i32),
}

/// Plans a launch of `image` on `instance_type`. `sizes` has the size in GiB of each snapshot that
/// the image or the request names and that the caller may use.
///
/// # Errors
/// Image, type and request do not go together.
pub fn plan_launch(
    image: &Image,
    instance_type: &InstanceType,
    request: &[BlockDeviceMapping],
    metadata: MetadataRequest,
    sizes: &BTreeMap<SnapshotId, i32>,
) -> Result<LaunchPlan, LaunchError> {
    check_type_runs(instance_type, image)?;
    block_device::check(request)?;
    let root = image.root_device_name.as_deref();
    let mappings = block_device::merge(&image.block_device_mappings, request, root)?;
    let mut volumes = planned_volumes(&mappings, sizes)?;
    if volumes.len() > VOLUMES_MAX {
        return Err(LaunchError::TooManyVolumes);
    }
    let root_at = volumes
        .iter()
        .position(|v| Some(v.device_name.as_str()) == root)
        .ok_or(LaunchError::NoRootVolume)?;
    volumes[..=root_at].rotate_right(1);
    Ok(LaunchPlan {
        boot_mode: boot_mode(instance_type, image)?,
        root_device_name: volumes[0].device_name.clone(),
        volumes,
        metadata_options: metadata_options(image, metadata)?,
    })
}

fn check_type_runs(instance_type: &InstanceType, image: &Image) -> Result<(), LaunchError> {
    if !instance_type.runs(image.architecture) {
        let of_type = instance_type
            .architectures
            .iter()
            .map(|a| a.as_str())
            .collect::<Vec<_>>()
            .join(",");
        return Err(LaunchError::Architecture {
            of_type,
            of_image: image.architecture,
        });
    }
    if image.virtualization_type == VirtualizationType::Paravirtual {
        return Err(LaunchError::Paravirtual(instance_type.name));
    }
    if instance_type.hypervisor == Hypervisor::Nitro && !image.ena_support {
        return Err(LaunchError::EnaRequired(instance_type.name));
    }
    if image.tpm_support.is_some() {
        return Err(LaunchError::Tpm);
    }
    if image.uefi_data.is_some() {
        return Err(LaunchError::UefiData);
    }
    Ok(())
}

fn boot_mode(instance_type: &InstanceType, image: &Image) -> Result<BootMode, LaunchError> {
    let can = |mode| instance_type.boot_modes().contains(&mode);
    match image.boot_mode {
        None => Ok(instance_type.default_boot_mode()),
        Some(BootMode::UefiPreferred) if can(BootMode::Uefi) => Ok(BootMode::Uefi),
        Some(BootMode::UefiPreferred) => Ok(BootMode::LegacyBios),
        Some(mode) if can(mode) => Ok(mode),
        Some(boot_mode) => Err(LaunchError::BootMode {
            boot_mode,
            of_type: instance_type.name,
        }),
    }
}

/// Instance store volumes are left out: no type here has any, and EC2 leaves them out then too.
fn planned_volumes(
    mappings: &[BlockDeviceMapping],
    sizes: &BTreeMap<SnapshotId, i32>,
) -> Result<Vec<PlannedVolume>, LaunchError> {
    let with_ebs = mappings
        .iter()
        .filter_map(|m| Some((m.device_name.as_str(), m.ebs.as_ref()?)));
    with_ebs
        .map(|(device_name, ebs)| planned_volume(device_name, ebs, sizes))
        .collect()
}

fn planned_volume(
    device_name: &str,
    ebs: &EbsBlockDevice,
    sizes: &BTreeMap<SnapshotId, i32>,
) -> Result<PlannedVolume, LaunchError> {
    let snapshot_size = match &ebs.snapshot_id {
        Some(id) => Some(
            *sizes
                .get(id)
                .ok_or_else(|| LaunchError::SnapshotNotFound(id.clone()))?,
        ),
        None => None,
    };
    let size = block_device::volume_size(device_name, ebs, snapshot_size)?;
    let volume_type = ebs.volume_type.unwrap_or(VolumeType::Gp2);
    Ok(PlannedVolume {
        device_name: device_name.to_owned(),
        snapshot_id: ebs.snapshot_id.clone(),
        shape: VolumeShape::new(volume_type, size, ebs.iops, ebs.throughput)?,
        delete_on_termination: ebs.delete_on_termination.unwrap_or(true),
        encrypted: ebs.encrypted,
        kms_key_id: ebs.kms_key_id.clone(),
        initialization_rate: ebs.volume_initialization_rate,
    })
}

/// An image that says IMDSv2 asks for tokens, and for two hops so that containers get them too.
fn metadata_options(
    image: &Image,
    request: MetadataRequest,
) -> Result<MetadataOptions, LaunchError> {
    let v2 = image.imds_support.is_some();
    let hop_limit = request
        .http_put_response_hop_limit
        .unwrap_or(if v2 { 2 } else { 1 });
    if !(1..=64).contains(&hop_limit) {
        return Err(LaunchError::HopLimit(hop_limit));
    }
    Ok(MetadataOptions {
        http_endpoint: request.http_endpoint.unwrap_or(true),
        http_tokens_required: request.http_tokens_required.unwrap_or(v2),
        http_put_response_hop_limit: hop_limit,
        instance_metadata_tags: request.instance_metadata_tags.unwrap_or(false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        DeregistrationProtection, ImageState, ImageType, Region, RootDeviceType, Timestamp,
    };

    fn snap(digit: char) -> SnapshotId {
        format!("snap-{}", digit.to_string().repeat(17))
            .parse()
            .expect("an id")
    }

    fn device(name: &str, ebs: EbsBlockDevice) -> BlockDeviceMapping {
        BlockDeviceMapping {
            device_name: name.to_owned(),
            ebs: Some(ebs),
            ..Default::default()
        }
    }

    fn image() -> Image {
        let root = EbsBlockDevice {
            snapshot_id: Some(snap('a')),
            volume_size: Some(8),
            ..Default::default()
        };
        let data = EbsBlockDevice {
            volume_size: Some(1),
            delete_on_termination: Some(false),
            ..Default::default()
        };
        Image {
            id: "ami-12345678".parse().expect("an id"),
            account: "123456789012".parse().expect("an account"),
            region: Region::named("us-east-1").expect("a region"),
            name: "test".to_owned(),
            description: None,
            architecture: Architecture::X86_64,
            virtualization_type: VirtualizationType::Hvm,
            root_device_name: Some("/dev/xvda".to_owned()),
            block_device_mappings: vec![device("/dev/sdf", data), device("/dev/xvda", root)],
            boot_mode: None,
            ena_support: true,
            sriov_net_support: None,
            tpm_support: None,
            imds_support: None,
            uefi_data: None,
            kernel_id: None,
            ramdisk_id: None,
            location: String::new(),
            state: ImageState::Available,
            state_reason: None,
            creation_date: Timestamp(0),
            source_instance_id: None,
            last_launched_time: None,
            image_type: ImageType::Machine,
            root_device_type: RootDeviceType::Ebs,
            source_image: None,
            deprecation_time: None,
            deregistration_protection: DeregistrationProtection::Disabled,
            deregistered_at: None,
            recycled: None,
            launch_permissions: Default::default(),
            tags: BTreeMap::new(),
        }
    }

    fn plan(
        image: &Image,
        of_type: &str,
        request: &[BlockDeviceMapping],
    ) -> Result<LaunchPlan, LaunchError> {
        let of_type = InstanceType::named(of_type).expect("a type");
        plan_launch(
            image,
            of_type,
            request,
            MetadataRequest::default(),
            &[(snap('a'), 8)].into(),
        )
    }

    #[test]
    fn the_root_comes_first_and_defaults_are_inherited() {
        let plan = plan(&image(), "t3.micro", &[]).expect("a plan");
        assert_eq!(plan.root_device_name, "/dev/xvda");
        let devices: Vec<_> = plan
            .volumes
            .iter()
            .map(|v| (v.device_name.as_str(), v.delete_on_termination))
            .collect();
        assert_eq!(devices, [("/dev/xvda", true), ("/dev/sdf", false)]);
        assert_eq!(plan.volumes[0].shape.size_gib, 8);
        assert_eq!(plan.volumes[0].shape.volume_type, VolumeType::Gp2);
        assert_eq!(plan.boot_mode, BootMode::LegacyBios);
    }

    #[test]
    fn the_root_can_grow_but_not_shrink() {
        let root = |size| {
            [device(
                "/dev/xvda",
                EbsBlockDevice {
                    volume_size: Some(size),
                    ..Default::default()
                },
            )]
        };
        assert_eq!(
            plan(&image(), "t3.micro", &root(30))
                .expect("a plan")
                .volumes[0]
                .shape
                .size_gib,
            30
        );
        let refused = plan(&image(), "t3.micro", &root(7)).expect_err("too small");
        assert!(matches!(
            refused,
            LaunchError::Mapping(MappingError::SmallerThanSnapshot {
                size: 7,
                least: 8,
                ..
            })
        ));
    }

    #[test]
    fn image_and_type_have_to_go_together() {
        assert!(matches!(
            plan(&image(), "t4g.micro", &[]),
            Err(LaunchError::Architecture { .. })
        ));
        let plain = Image {
            ena_support: false,
            ..image()
        };
        assert_eq!(
            plan(&plain, "t3.micro", &[]),
            Err(LaunchError::EnaRequired("t3.micro"))
        );
        plan(&plain, "t2.micro", &[]).expect("Xen types need no ENA");
        let pv = Image {
            virtualization_type: VirtualizationType::Paravirtual,
            ..image()
        };
        assert_eq!(
            plan(&pv, "t2.micro", &[]),
            Err(LaunchError::Paravirtual("t2.micro"))
        );
        let bios_arm = Image {
            architecture: Architecture::Arm64,
            boot_mode: Some(BootMode::LegacyBios),
            ..image()
        };
        assert!(matches!(
            plan(&bios_arm, "t4g.micro", &[]),
            Err(LaunchError::BootMode { .. })
        ));
        let with_tpm = Image {
            tpm_support: Some("v2.0".to_owned()),
            ..image()
        };
        assert_eq!(plan(&with_tpm, "t3.micro", &[]), Err(LaunchError::Tpm));
        let with_variables = Image {
            uefi_data: Some("QU1aTg==".to_owned()),
            ..image()
        };
        assert_eq!(
            plan(&with_variables, "t3.micro", &[]),
            Err(LaunchError::UefiData)
        );
        let preferred = Image {
            boot_mode: Some(BootMode::UefiPreferred),
            ..image()
        };
        assert_eq!(
            plan(&preferred, "t3.micro", &[]).expect("a plan").boot_mode,
            BootMode::Uefi
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let rootless = Image {
            root_device_name: Some("/dev/sda1".to_owned()),
            ..image()
        };
        assert_eq!(
            plan(&rootless, "t3.micro", &[]),
            Err(LaunchError::NoRootVolume)
        );
        let many: Vec<_> = (b'b'..=b'z')
            .map(|letter| {
                let ebs = EbsBlockDevice {
                    volume_size: Some(1),
                    ..Default::default()
                };
                device(&format!("/dev/sd{}", char::from(letter)), ebs)
            })
            .collect();
        assert_eq!(
            plan(&image(), "t3.micro", &many),
            Err(LaunchError::TooManyVolumes)
        );
        plan(&image(), "t3.micro", &many[..VOLUMES_MAX - 2]).expect("a plan");
        let gone = [device(
            "/dev/sdg",
            EbsBlockDevice {
                snapshot_id: Some(snap('c')),
                ..Default::default()
            },
        )];
        assert_eq!(
            plan(&image(), "t3.micro", &gone),
            Err(LaunchError::SnapshotNotFound(snap('c')))
        );
    }

    #[test]
    fn an_image_that_supports_imds_v2_asks_for_tokens_unless_the_request_says_otherwise() {
        let v2 = Image {
            imds_support: Some("v2.0".to_owned()),
            ..image()
        };
        let options = metadata_options(&v2, MetadataRequest::default()).expect("options");
        assert!(options.http_tokens_required && options.http_put_response_hop_limit == 2);
        let request = MetadataRequest {
            http_tokens_required: Some(false),
            ..Default::default()
        };
        assert!(
            !metadata_options(&v2, request)
                .expect("options")
                .http_tokens_required
        );
        assert!(
            !metadata_options(&image(), MetadataRequest::default())
                .expect("options")
                .http_tokens_required
        );
        let far = MetadataRequest {
            http_put_response_hop_limit: Some(65),
            ..Default::default()
        };
        assert_eq!(
            metadata_options(&image(), far),
            Err(LaunchError::HopLimit(65))
        );
    }
}
