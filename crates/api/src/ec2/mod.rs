//! EC2: each operation parses its request, calls one verb, and shows the answer. What it means
//! is the verb's to know.
//!
//! - `common`: filters, pages, tags; the answer of operations that have none.
//! - one file for each noun.

use cairn_control::{Caller, Control};
use http::StatusCode;

use crate::{
    dialect::{self, Answer},
    generated::{request::API_VERSION, response::NAMESPACE},
    problem::Problem,
    query::{FromQuery, Group},
    xml::{ToXml, XmlWriter},
};

mod common;
mod ebs_encryption;
mod image;
mod image_bin;
mod image_copy;
mod image_life;
mod image_lineage;
mod image_settings;
mod image_sharing;
mod image_usage;
mod instance;
mod instance_attribute;
mod instance_type;
mod key_pair;
mod launch;
mod launch_template;
mod mapping;
mod network;
mod network_interface;
mod network_part;
mod place;
mod security_group;
mod snapshot;
mod snapshot_access;
mod snapshot_keep;
mod snapshot_tier;
mod tag;
mod volume;
mod volume_bin;
mod volume_changes;

/// What an operation has to go by.
#[derive(Debug)]
struct Call<'a> {
    control: &'a Control,
    caller: &'a Caller,
    parameters: Group,
}

impl Call<'_> {
    /// The request, of the type that its operation takes.
    fn request<T: FromQuery>(&self) -> Result<T, Problem> {
        Ok(T::from_query(&self.parameters)?)
    }
}

/// The response of an operation, or why there is none.
type Answered = Result<Box<dyn ToXml + Send>, Problem>;

/// Makes the response of an operation.
fn answer(response: impl ToXml + Send + 'static) -> Answered {
    Ok(Box::new(response))
}

/// Answers a request of EC2.
pub(crate) async fn call(
    control: &Control,
    caller: &Caller,
    mut parameters: Group,
    request_id: &str,
) -> Result<Answer, Problem> {
    let action = parameters
        .take("Action")
        .filter(|action| !action.is_empty())
        .ok_or(Problem::ActionMissing)?;
    check_version(parameters.take("Version"))?;
    let call = Call {
        control,
        caller,
        parameters,
    };
    let response = operation(&action, &call).await?;
    Ok(dialect::xml(
        StatusCode::OK,
        document(&action, &*response, request_id),
    ))
}

fn check_version(version: Option<String>) -> Result<(), Problem> {
    let version = version.ok_or_else(|| Problem::FieldMissing("Version".to_owned()))?;
    match version == API_VERSION {
        true => Ok(()),
        false => Err(Problem::VersionUnknown {
            version,
            service: "AmazonEC2",
        }),
    }
}

/// Every operation.
async fn operation(action: &str, call: &Call<'_>) -> Answered {
    match action {
        "DescribeRegions" => place::describe_regions(call).await,
        "DescribeAvailabilityZones" => place::describe_zones(call).await,
        "ModifyAvailabilityZoneGroup" => place::modify_zone_group(call).await,
        "DescribeAccountAttributes" => place::describe_account_attributes(call).await,
        "CreateVolume" => volume::create(call).await,
        "DescribeVolumes" => volume::describe(call).await,
        "DescribeVolumeStatus" => volume::describe_status(call).await,
        "DeleteVolume" => volume::delete(call).await,
        "ListVolumesInRecycleBin" => volume_bin::list(call).await,
        "RestoreVolumeFromRecycleBin" => volume_bin::restore(call).await,
        "AttachVolume" => volume::attach(call).await,
        "DetachVolume" => volume::detach(call).await,
        "ModifyVolume" => volume_changes::modify(call).await,
        "DescribeVolumesModifications" => volume_changes::describe_modifications(call).await,
        "DescribeVolumeAttribute" => volume_changes::describe_attribute(call).await,
        "ModifyVolumeAttribute" => volume_changes::modify_attribute(call).await,
        "EnableVolumeIO" => volume_changes::enable_io(call).await,
        "CopyVolumes" => volume_changes::copy(call).await,
        "CreateReplaceRootVolumeTask" => volume_changes::replace_root(call).await,
        "DescribeReplaceRootVolumeTasks" => volume_changes::describe_replace_root(call).await,
        "EnableEbsEncryptionByDefault" => ebs_encryption::enable(call).await,
        "DisableEbsEncryptionByDefault" => ebs_encryption::disable(call).await,
        "GetEbsEncryptionByDefault" => ebs_encryption::get(call).await,
        "GetEbsDefaultKmsKeyId" => ebs_encryption::get_key(call).await,
        "ModifyEbsDefaultKmsKeyId" => ebs_encryption::modify_key(call).await,
        "ResetEbsDefaultKmsKeyId" => ebs_encryption::reset_key(call).await,
        "CreateSnapshot" => snapshot::create(call).await,
        "DescribeSnapshots" => snapshot::describe(call).await,
        "DeleteSnapshot" => snapshot::delete(call).await,
        "CreateSnapshots" => snapshot::create_several(call).await,
        "DescribeSnapshotAttribute" => snapshot_access::describe_attribute(call).await,
        "ModifySnapshotAttribute" => snapshot_access::modify_attribute(call).await,
        "ResetSnapshotAttribute" => snapshot_access::reset_attribute(call).await,
        "EnableSnapshotBlockPublicAccess" => snapshot_access::enable_block(call).await,
        "DisableSnapshotBlockPublicAccess" => snapshot_access::disable_block(call).await,
        "GetSnapshotBlockPublicAccessState" => snapshot_access::block_state(call).await,
        "LockSnapshot" => snapshot_keep::lock(call).await,
        "UnlockSnapshot" => snapshot_keep::unlock(call).await,
        "DescribeLockedSnapshots" => snapshot_keep::describe_locked(call).await,
        "ListSnapshotsInRecycleBin" => snapshot_keep::list_recycled(call).await,
        "RestoreSnapshotFromRecycleBin" => snapshot_keep::restore_recycled(call).await,
        "ModifySnapshotTier" => snapshot_tier::modify(call).await,
        "RestoreSnapshotTier" => snapshot_tier::restore(call).await,
        "DescribeSnapshotTierStatus" => snapshot_tier::describe(call).await,
        "EnableFastSnapshotRestores" => snapshot_tier::enable_fast(call).await,
        "DisableFastSnapshotRestores" => snapshot_tier::disable_fast(call).await,
        "DescribeFastSnapshotRestores" => snapshot_tier::describe_fast(call).await,
        "CopySnapshot" => snapshot::copy(call).await,
        "RegisterImage" => image::register(call).await,
        "CreateImage" => image::create(call).await,
        "DescribeImages" => image::describe(call).await,
        "DescribeImageAttribute" => image::describe_attribute(call).await,
        "DeregisterImage" => image::deregister(call).await,
        "ModifyImageAttribute" => image_sharing::modify_attribute(call).await,
        "ResetImageAttribute" => image_sharing::reset_attribute(call).await,
        "CancelImageLaunchPermission" => image_sharing::cancel_launch_permission(call).await,
        "CopyImage" => image_copy::copy(call).await,
        "ListImagesInRecycleBin" => image_bin::list(call).await,
        "RestoreImageFromRecycleBin" => image_bin::restore(call).await,
        "EnableImage" => image_life::enable(call).await,
        "DisableImage" => image_life::disable(call).await,
        "EnableImageDeprecation" => image_life::enable_deprecation(call).await,
        "DisableImageDeprecation" => image_life::disable_deprecation(call).await,
        "EnableImageDeregistrationProtection" => image_life::enable_protection(call).await,
        "DisableImageDeregistrationProtection" => image_life::disable_protection(call).await,
        "DescribeImageReferences" => image_lineage::references(call).await,
        "GetImageAncestry" => image_lineage::ancestry(call).await,
        "DescribeInstanceImageMetadata" => image_lineage::instance_metadata(call).await,
        "CreateImageUsageReport" => image_usage::create(call).await,
        "DescribeImageUsageReports" => image_usage::describe(call).await,
        "DescribeImageUsageReportEntries" => image_usage::describe_entries(call).await,
        "DeleteImageUsageReport" => image_usage::delete(call).await,
        "EnableImageBlockPublicAccess" => image_settings::enable_block_public_access(call).await,
        "DisableImageBlockPublicAccess" => image_settings::disable_block_public_access(call).await,
        "GetImageBlockPublicAccessState" => image_settings::block_public_access(call).await,
        "EnableAllowedImagesSettings" => image_settings::enable_allowed(call).await,
        "DisableAllowedImagesSettings" => image_settings::disable_allowed(call).await,
        "GetAllowedImagesSettings" => image_settings::allowed(call).await,
        "ReplaceImageCriteriaInAllowedImagesSettings" => {
            image_settings::replace_criteria(call).await
        }
        "RunInstances" => launch::run(call).await,
        "DescribeInstances" => instance::describe(call).await,
        "DescribeInstanceStatus" => instance::describe_status(call).await,
        "StartInstances" => instance::start(call).await,
        "StopInstances" => instance::stop(call).await,
        "RebootInstances" => instance::reboot(call).await,
        "TerminateInstances" => instance::terminate(call).await,
        "GetConsoleOutput" => instance::console_output(call).await,
        "DescribeInstanceAttribute" => instance::describe_attribute(call).await,
        "DescribeInstanceTypes" => instance_type::describe(call).await,
        "CreateKeyPair" => key_pair::create(call).await,
        "ImportKeyPair" => key_pair::import(call).await,
        "DescribeKeyPairs" => key_pair::describe(call).await,
        "DeleteKeyPair" => key_pair::delete(call).await,
        "DescribeVpcs" => network::describe_vpcs(call).await,
        "DescribeSubnets" => network::describe_subnets(call).await,
        "DescribeSecurityGroups" => security_group::describe(call).await,
        "CreateTags" => tag::create(call).await,
        "DeleteTags" => tag::delete(call).await,
        "DescribeTags" => tag::describe(call).await,
        "CreateVpc" => network::create_vpc(call).await,
        "DeleteVpc" => network::delete_vpc(call).await,
        "CreateDefaultVpc" => network::create_default_vpc(call).await,
        "DescribeVpcAttribute" => network::describe_vpc_attribute(call).await,
        "ModifyVpcAttribute" => network::modify_vpc_attribute(call).await,
        "CreateSubnet" => network::create_subnet(call).await,
        "CreateDefaultSubnet" => network::create_default_subnet(call).await,
        "DeleteSubnet" => network::delete_subnet(call).await,
        "ModifySubnetAttribute" => network::modify_subnet_attribute(call).await,
        "CreateSecurityGroup" => security_group::create(call).await,
        "DeleteSecurityGroup" => security_group::delete(call).await,
        "AuthorizeSecurityGroupIngress" => security_group::authorize_ingress(call).await,
        "AuthorizeSecurityGroupEgress" => security_group::authorize_egress(call).await,
        "RevokeSecurityGroupIngress" => security_group::revoke_ingress(call).await,
        "RevokeSecurityGroupEgress" => security_group::revoke_egress(call).await,
        "DescribeSecurityGroupRules" => security_group::describe_rules(call).await,
        "ModifySecurityGroupRules" => security_group::modify_rules(call).await,
        "DescribeNetworkInterfaces" => network_interface::describe(call).await,
        "CreateNetworkInterface" => network_interface::create(call).await,
        "DeleteNetworkInterface" => network_interface::delete(call).await,
        "AttachNetworkInterface" => network_interface::attach(call).await,
        "DetachNetworkInterface" => network_interface::detach(call).await,
        "DescribeRouteTables" => network_part::describe_route_tables(call).await,
        "DescribeInternetGateways" => network_part::describe_internet_gateways(call).await,
        "DescribeNetworkAcls" => network_part::describe_network_acls(call).await,
        "DescribeDhcpOptions" => network_part::describe_dhcp_options(call).await,
        "DescribeAddresses" => network_part::describe_addresses(call),
        "ModifyInstanceAttribute" => instance_attribute::modify(call).await,
        "ResetInstanceAttribute" => instance_attribute::reset(call).await,
        "ModifyInstanceMetadataOptions" => instance_attribute::modify_metadata_options(call).await,
        "GetInstanceMetadataDefaults" => instance_attribute::get_metadata_defaults(call).await,
        "ModifyInstanceMetadataDefaults" => {
            instance_attribute::modify_metadata_defaults(call).await
        }
        "DescribeInstanceCreditSpecifications" => {
            instance_attribute::describe_credit_specifications(call).await
        }
        "GetPasswordData" => instance_attribute::password_data(call).await,
        "MonitorInstances" => instance_attribute::monitor(call).await,
        "UnmonitorInstances" => instance_attribute::unmonitor(call).await,
        "DescribeIamInstanceProfileAssociations" => {
            instance_attribute::describe_profiles(call).await
        }
        "AssociateIamInstanceProfile" => instance_attribute::associate_profile(call).await,
        "DisassociateIamInstanceProfile" => instance_attribute::disassociate_profile(call).await,
        "DescribeInstanceTypeOfferings" => instance_attribute::describe_offerings(call).await,
        "CreateLaunchTemplate" => launch_template::create(call).await,
        "CreateLaunchTemplateVersion" => launch_template::create_version(call).await,
        "DescribeLaunchTemplates" => launch_template::describe(call).await,
        "DescribeLaunchTemplateVersions" => launch_template::describe_versions(call).await,
        "ModifyLaunchTemplate" => launch_template::modify(call).await,
        "DeleteLaunchTemplate" => launch_template::delete(call).await,
        "DeleteLaunchTemplateVersions" => launch_template::delete_versions(call).await,
        "GetLaunchTemplateData" => launch_template::data_of_instance(call).await,
        _ => Err(Problem::ActionUnknown(action.to_owned())),
    }
}

/// The document of an answer.
pub(crate) fn document(action: &str, response: &dyn ToXml, request_id: &str) -> String {
    let mut xml = XmlWriter::new();
    xml.root(&format!("{action}Response"), NAMESPACE, |xml| {
        xml.member("requestId", Some(request_id));
        response.to_xml(xml);
    });
    xml.finish()
}
