//! Images.

use cairn_control::{
    answer::{ImageAttribute, ImageAttributeValue},
    request as verbs,
};
use cairn_model::{Image, Permissions, SeenImage, SnapshotId, permission::EVERYBODY};

use super::{
    Answered, Call, answer,
    common::{self, some},
    mapping,
};
use crate::generated::{request, response};

pub(super) async fn register(call: &Call<'_>) -> Answered {
    let asked: request::RegisterImageRequest = call.request()?;
    let request = verbs::RegisterImage {
        name: asked.name,
        description: asked.description,
        architecture: asked.architecture,
        virtualization_type: asked.virtualization_type,
        root_device_name: asked.root_device_name,
        block_device_mappings: mapping::asked(asked.block_device_mappings),
        boot_mode: asked.boot_mode,
        ena_support: asked.ena_support,
        sriov_net_support: asked.sriov_net_support,
        tpm_support: asked.tpm_support,
        imds_support: asked.imds_support,
        uefi_data: asked.uefi_data,
        kernel_id: asked.kernel_id,
        ramdisk_id: asked.ramdisk_id,
        image_location: asked.image_location,
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let id = call.control.register_image(call.caller, request).await?;
    answer(response::RegisterImageResult { image_id: some(id) })
}

pub(super) async fn create(call: &Call<'_>) -> Answered {
    let asked: request::CreateImageRequest = call.request()?;
    let request = verbs::CreateImage {
        instance_id: asked.instance_id,
        name: asked.name,
        description: asked.description,
        no_reboot: asked.no_reboot.unwrap_or_default(),
        block_device_mappings: mapping::asked(asked.block_device_mappings),
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let id = call.control.create_image(call.caller, request).await?;
    answer(response::CreateImageResult { image_id: some(id) })
}

pub(super) async fn describe(call: &Call<'_>) -> Answered {
    let asked: request::DescribeImagesRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::DescribeImages {
        common: verbs::Describe {
            ids: asked.image_ids,
            ..common
        },
        owners: asked.owners,
        executable_users: asked.executable_users,
        include_deprecated: asked.include_deprecated.unwrap_or_default(),
        include_disabled: asked.include_disabled.unwrap_or_default(),
    };
    let found = call.control.describe_images(call.caller, request).await?;
    let images = found.items.iter().map(show).collect();
    answer(response::DescribeImagesResult {
        images,
        next_token: found.next_token,
    })
}

pub(super) async fn describe_attribute(call: &Call<'_>) -> Answered {
    let asked: request::DescribeImageAttributeRequest = call.request()?;
    let request = verbs::DescribeAttribute {
        id: asked.image_id,
        attribute: asked.attribute,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    answer(show_attribute(
        call.control
            .describe_image_attribute(call.caller, request)
            .await?,
    ))
}

pub(super) async fn deregister(call: &Call<'_>) -> Answered {
    let asked: request::DeregisterImageRequest = call.request()?;
    let request = verbs::DeregisterImage {
        image_id: asked.image_id,
        delete_associated_snapshots: asked.delete_associated_snapshots.unwrap_or_default(),
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let done = call.control.deregister_image(call.caller, request).await?;
    let result = |(snapshot, code): (SnapshotId, String)| response::DeleteSnapshotReturnCode {
        snapshot_id: some(snapshot),
        return_code: Some(code),
    };
    answer(response::DeregisterImageResult {
        r#return: Some(true),
        delete_snapshot_results: done
            .delete_snapshot_results
            .into_iter()
            .map(result)
            .collect(),
    })
}

/// An image as EC2 shows it. Whom it lets in is an attribute, which it shows to its owner alone.
fn show(seen: &SeenImage) -> response::Image {
    let (image, source) = (&seen.image, seen.image.source_image.as_ref());
    response::Image {
        platform_details: some(Image::PLATFORM_DETAILS),
        usage_operation: some(Image::USAGE_OPERATION),
        block_device_mappings: mapping::show(&image.block_device_mappings),
        description: image.description.clone(),
        ena_support: Some(image.ena_support),
        hypervisor: some(Image::HYPERVISOR),
        name: some(&image.name),
        root_device_name: image.root_device_name.clone(),
        root_device_type: some(image.root_device_type),
        sriov_net_support: image.sriov_net_support.clone(),
        state_reason: image.state_reason.as_deref().map(why),
        tags: common::tags(&image.tags),
        virtualization_type: some(image.virtualization_type),
        boot_mode: image.boot_mode.map(|mode| mode.to_string()),
        tpm_support: image.tpm_support.clone(),
        imds_support: image.imds_support.clone(),
        source_instance_id: image.source_instance_id.as_ref().map(ToString::to_string),
        deprecation_time: image.deprecated_from().map(|time| time.to_string()),
        image_allowed: seen.allowed,
        source_image_id: source.map(|source| source.id.to_string()),
        source_image_region: source.map(|source| source.region.to_string()),
        deregistration_protection: some(image.deregistration_protection.as_str()),
        last_launched_time: image.last_launched_time.map(|time| time.to_string()),
        image_id: some(&image.id),
        image_location: some(&image.location),
        state: some(image.state),
        owner_id: some(&image.account),
        creation_date: some(image.creation_date),
        public: Some(image.launch_permissions.public),
        architecture: some(image.architecture),
        image_type: some(image.image_type),
        kernel_id: image.kernel_id.clone(),
        ramdisk_id: image.ramdisk_id.clone(),
        free_tier_eligible: Some(Image::FREE_TIER_ELIGIBLE),
    }
}

fn why(message: &str) -> response::StateReason {
    response::StateReason {
        code: some(Image::FAILURE_CODE),
        message: some(message),
    }
}

fn show_attribute(attribute: ImageAttribute) -> response::ImageAttribute {
    use ImageAttributeValue as V;
    let mut shown = response::ImageAttribute {
        image_id: some(attribute.image_id),
        ..Default::default()
    };
    let wrapped = |value| Some(response::AttributeValue { value });
    match attribute.value {
        V::Description(value) => shown.description = wrapped(value),
        V::Kernel(value) => shown.kernel_id = wrapped(value),
        V::Ramdisk(value) => shown.ramdisk_id = wrapped(value),
        V::LaunchPermission(who) => shown.launch_permissions = Some(permissions(&who)),
        V::ProductCodes => shown.product_codes = Some(Vec::new()),
        V::BlockDeviceMapping(mappings) => {
            shown.block_device_mappings = Some(mapping::show(&mappings));
        }
        V::SriovNetSupport(value) => shown.sriov_net_support = wrapped(value),
        V::BootMode(value) => shown.boot_mode = wrapped(value),
        V::TpmSupport(value) => shown.tpm_support = wrapped(value),
        V::UefiData(value) => shown.uefi_data = wrapped(value),
        V::LastLaunchedTime(value) => {
            shown.last_launched_time = wrapped(value.map(|time| time.to_string()));
        }
        V::ImdsSupport(value) => shown.imds_support = wrapped(value),
        V::DeregistrationProtection(value) => {
            shown.deregistration_protection = wrapped(Some(value));
        }
    }
    shown
}

fn permissions(who: &Permissions) -> Vec<response::LaunchPermission> {
    let everybody = who.public.then(|| response::LaunchPermission {
        group: some(EVERYBODY),
        ..Default::default()
    });
    let accounts = who
        .accounts
        .iter()
        .map(|account| response::LaunchPermission {
            user_id: some(account),
            ..Default::default()
        });
    let organizations = who
        .organizations
        .iter()
        .map(|arn| response::LaunchPermission {
            organization_arn: some(arn),
            ..Default::default()
        });
    let units = who.organizational_units.iter();
    let units = units.map(|arn| response::LaunchPermission {
        organizational_unit_arn: some(arn),
        ..Default::default()
    });
    let shared = accounts.chain(organizations).chain(units);
    everybody.into_iter().chain(shared).collect()
}
