// Written by `cargo run -p xtask -- codegen` from crates/api/model/ec2.json; do not edit.

//! Requests of EC2.

use cairn_model::Timestamp;

use crate::query::{Blob, FromQuery, Group, QueryError, Shape};

/// The version of the API.
pub const API_VERSION: &str = "2016-11-15";

/// Every operation, and the request it takes.
pub const OPERATIONS: &[(&str, &str)] = &[
    ("DescribeRegions", "DescribeRegionsRequest"),
    ("DescribeAvailabilityZones", "DescribeAvailabilityZonesRequest"),
    ("ModifyAvailabilityZoneGroup", "ModifyAvailabilityZoneGroupRequest"),
    ("DescribeAccountAttributes", "DescribeAccountAttributesRequest"),
    ("CreateVolume", "CreateVolumeRequest"),
    ("DescribeVolumes", "DescribeVolumesRequest"),
    ("DescribeVolumeStatus", "DescribeVolumeStatusRequest"),
    ("DeleteVolume", "DeleteVolumeRequest"),
    ("AttachVolume", "AttachVolumeRequest"),
    ("DetachVolume", "DetachVolumeRequest"),
    ("CreateSnapshot", "CreateSnapshotRequest"),
    ("DescribeSnapshots", "DescribeSnapshotsRequest"),
    ("DeleteSnapshot", "DeleteSnapshotRequest"),
    ("RegisterImage", "RegisterImageRequest"),
    ("CreateImage", "CreateImageRequest"),
    ("DescribeImages", "DescribeImagesRequest"),
    ("DescribeImageAttribute", "DescribeImageAttributeRequest"),
    ("DeregisterImage", "DeregisterImageRequest"),
    ("RunInstances", "RunInstancesRequest"),
    ("DescribeInstances", "DescribeInstancesRequest"),
    ("DescribeInstanceStatus", "DescribeInstanceStatusRequest"),
    ("StartInstances", "StartInstancesRequest"),
    ("StopInstances", "StopInstancesRequest"),
    ("RebootInstances", "RebootInstancesRequest"),
    ("TerminateInstances", "TerminateInstancesRequest"),
    ("GetConsoleOutput", "GetConsoleOutputRequest"),
    ("DescribeInstanceAttribute", "DescribeInstanceAttributeRequest"),
    ("DescribeInstanceTypes", "DescribeInstanceTypesRequest"),
    ("CreateKeyPair", "CreateKeyPairRequest"),
    ("ImportKeyPair", "ImportKeyPairRequest"),
    ("DescribeKeyPairs", "DescribeKeyPairsRequest"),
    ("DeleteKeyPair", "DeleteKeyPairRequest"),
    ("DescribeVpcs", "DescribeVpcsRequest"),
    ("DescribeSubnets", "DescribeSubnetsRequest"),
    ("DescribeSecurityGroups", "DescribeSecurityGroupsRequest"),
    ("CreateTags", "CreateTagsRequest"),
    ("DeleteTags", "DeleteTagsRequest"),
    ("DescribeTags", "DescribeTagsRequest"),
    ("CreateSnapshots", "CreateSnapshotsRequest"),
    ("CopySnapshot", "CopySnapshotRequest"),
    ("DescribeSnapshotAttribute", "DescribeSnapshotAttributeRequest"),
    ("ModifySnapshotAttribute", "ModifySnapshotAttributeRequest"),
    ("ResetSnapshotAttribute", "ResetSnapshotAttributeRequest"),
    ("LockSnapshot", "LockSnapshotRequest"),
    ("UnlockSnapshot", "UnlockSnapshotRequest"),
    ("DescribeLockedSnapshots", "DescribeLockedSnapshotsRequest"),
    ("ModifySnapshotTier", "ModifySnapshotTierRequest"),
    ("RestoreSnapshotTier", "RestoreSnapshotTierRequest"),
    ("DescribeSnapshotTierStatus", "DescribeSnapshotTierStatusRequest"),
    ("ListSnapshotsInRecycleBin", "ListSnapshotsInRecycleBinRequest"),
    ("RestoreSnapshotFromRecycleBin", "RestoreSnapshotFromRecycleBinRequest"),
    ("ListVolumesInRecycleBin", "ListVolumesInRecycleBinRequest"),
    ("RestoreVolumeFromRecycleBin", "RestoreVolumeFromRecycleBinRequest"),
    ("EnableFastSnapshotRestores", "EnableFastSnapshotRestoresRequest"),
    ("DisableFastSnapshotRestores", "DisableFastSnapshotRestoresRequest"),
    ("DescribeFastSnapshotRestores", "DescribeFastSnapshotRestoresRequest"),
    ("EnableSnapshotBlockPublicAccess", "EnableSnapshotBlockPublicAccessRequest"),
    ("DisableSnapshotBlockPublicAccess", "DisableSnapshotBlockPublicAccessRequest"),
    ("GetSnapshotBlockPublicAccessState", "GetSnapshotBlockPublicAccessStateRequest"),
    ("ModifyImageAttribute", "ModifyImageAttributeRequest"),
    ("ResetImageAttribute", "ResetImageAttributeRequest"),
    ("CancelImageLaunchPermission", "CancelImageLaunchPermissionRequest"),
    ("EnableImage", "EnableImageRequest"),
    ("DisableImage", "DisableImageRequest"),
    ("EnableImageDeprecation", "EnableImageDeprecationRequest"),
    ("DisableImageDeprecation", "DisableImageDeprecationRequest"),
    ("EnableImageDeregistrationProtection", "EnableImageDeregistrationProtectionRequest"),
    ("DisableImageDeregistrationProtection", "DisableImageDeregistrationProtectionRequest"),
    ("DescribeImageReferences", "DescribeImageReferencesRequest"),
    ("GetImageAncestry", "GetImageAncestryRequest"),
    ("DescribeInstanceImageMetadata", "DescribeInstanceImageMetadataRequest"),
    ("CreateImageUsageReport", "CreateImageUsageReportRequest"),
    ("DescribeImageUsageReports", "DescribeImageUsageReportsRequest"),
    ("DescribeImageUsageReportEntries", "DescribeImageUsageReportEntriesRequest"),
    ("DeleteImageUsageReport", "DeleteImageUsageReportRequest"),
    ("EnableImageBlockPublicAccess", "EnableImageBlockPublicAccessRequest"),
    ("DisableImageBlockPublicAccess", "DisableImageBlockPublicAccessRequest"),
    ("GetImageBlockPublicAccessState", "GetImageBlockPublicAccessStateRequest"),
    ("EnableAllowedImagesSettings", "EnableAllowedImagesSettingsRequest"),
    ("DisableAllowedImagesSettings", "DisableAllowedImagesSettingsRequest"),
    ("GetAllowedImagesSettings", "GetAllowedImagesSettingsRequest"),
    ("ReplaceImageCriteriaInAllowedImagesSettings", "ReplaceImageCriteriaInAllowedImagesSettingsRequest"),
    ("CopyImage", "CopyImageRequest"),
    ("ListImagesInRecycleBin", "ListImagesInRecycleBinRequest"),
    ("RestoreImageFromRecycleBin", "RestoreImageFromRecycleBinRequest"),
    ("ModifyVolume", "ModifyVolumeRequest"),
    ("DescribeVolumesModifications", "DescribeVolumesModificationsRequest"),
    ("DescribeVolumeAttribute", "DescribeVolumeAttributeRequest"),
    ("ModifyVolumeAttribute", "ModifyVolumeAttributeRequest"),
    ("EnableVolumeIO", "EnableVolumeIORequest"),
    ("CopyVolumes", "CopyVolumesRequest"),
    ("CreateReplaceRootVolumeTask", "CreateReplaceRootVolumeTaskRequest"),
    ("DescribeReplaceRootVolumeTasks", "DescribeReplaceRootVolumeTasksRequest"),
    ("EnableEbsEncryptionByDefault", "EnableEbsEncryptionByDefaultRequest"),
    ("DisableEbsEncryptionByDefault", "DisableEbsEncryptionByDefaultRequest"),
    ("GetEbsEncryptionByDefault", "GetEbsEncryptionByDefaultRequest"),
    ("GetEbsDefaultKmsKeyId", "GetEbsDefaultKmsKeyIdRequest"),
    ("ModifyEbsDefaultKmsKeyId", "ModifyEbsDefaultKmsKeyIdRequest"),
    ("ResetEbsDefaultKmsKeyId", "ResetEbsDefaultKmsKeyIdRequest"),
    ("CreateVpc", "CreateVpcRequest"),
    ("DeleteVpc", "DeleteVpcRequest"),
    ("CreateDefaultVpc", "CreateDefaultVpcRequest"),
    ("DescribeVpcAttribute", "DescribeVpcAttributeRequest"),
    ("ModifyVpcAttribute", "ModifyVpcAttributeRequest"),
    ("CreateSubnet", "CreateSubnetRequest"),
    ("CreateDefaultSubnet", "CreateDefaultSubnetRequest"),
    ("DeleteSubnet", "DeleteSubnetRequest"),
    ("ModifySubnetAttribute", "ModifySubnetAttributeRequest"),
    ("CreateSecurityGroup", "CreateSecurityGroupRequest"),
    ("DeleteSecurityGroup", "DeleteSecurityGroupRequest"),
    ("AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupIngressRequest"),
    ("AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupEgressRequest"),
    ("RevokeSecurityGroupIngress", "RevokeSecurityGroupIngressRequest"),
    ("RevokeSecurityGroupEgress", "RevokeSecurityGroupEgressRequest"),
    ("DescribeSecurityGroupRules", "DescribeSecurityGroupRulesRequest"),
    ("ModifySecurityGroupRules", "ModifySecurityGroupRulesRequest"),
    ("DescribeNetworkInterfaces", "DescribeNetworkInterfacesRequest"),
    ("CreateNetworkInterface", "CreateNetworkInterfaceRequest"),
    ("DeleteNetworkInterface", "DeleteNetworkInterfaceRequest"),
    ("AttachNetworkInterface", "AttachNetworkInterfaceRequest"),
    ("DetachNetworkInterface", "DetachNetworkInterfaceRequest"),
    ("DescribeRouteTables", "DescribeRouteTablesRequest"),
    ("DescribeInternetGateways", "DescribeInternetGatewaysRequest"),
    ("DescribeNetworkAcls", "DescribeNetworkAclsRequest"),
    ("DescribeDhcpOptions", "DescribeDhcpOptionsRequest"),
    ("DescribeAddresses", "DescribeAddressesRequest"),
    ("ModifyInstanceAttribute", "ModifyInstanceAttributeRequest"),
    ("ResetInstanceAttribute", "ResetInstanceAttributeRequest"),
    ("ModifyInstanceMetadataOptions", "ModifyInstanceMetadataOptionsRequest"),
    ("GetInstanceMetadataDefaults", "GetInstanceMetadataDefaultsRequest"),
    ("ModifyInstanceMetadataDefaults", "ModifyInstanceMetadataDefaultsRequest"),
    ("DescribeInstanceCreditSpecifications", "DescribeInstanceCreditSpecificationsRequest"),
    ("GetPasswordData", "GetPasswordDataRequest"),
    ("MonitorInstances", "MonitorInstancesRequest"),
    ("UnmonitorInstances", "UnmonitorInstancesRequest"),
    ("DescribeIamInstanceProfileAssociations", "DescribeIamInstanceProfileAssociationsRequest"),
    ("AssociateIamInstanceProfile", "AssociateIamInstanceProfileRequest"),
    ("DisassociateIamInstanceProfile", "DisassociateIamInstanceProfileRequest"),
    ("DescribeInstanceTypeOfferings", "DescribeInstanceTypeOfferingsRequest"),
    ("CreateLaunchTemplate", "CreateLaunchTemplateRequest"),
    ("CreateLaunchTemplateVersion", "CreateLaunchTemplateVersionRequest"),
    ("DescribeLaunchTemplates", "DescribeLaunchTemplatesRequest"),
    ("DescribeLaunchTemplateVersions", "DescribeLaunchTemplateVersionsRequest"),
    ("ModifyLaunchTemplate", "ModifyLaunchTemplateRequest"),
    ("DeleteLaunchTemplate", "DeleteLaunchTemplateRequest"),
    ("DeleteLaunchTemplateVersions", "DeleteLaunchTemplateVersionsRequest"),
    ("GetLaunchTemplateData", "GetLaunchTemplateDataRequest"),
];

/// Parses a request of the named operation and shows what was understood.
#[cfg(test)]
pub(crate) fn understood(operation: &str, group: &Group) -> Option<Result<serde_json::Value, QueryError>> {
    fn show<T: FromQuery + serde::Serialize>(group: &Group) -> Result<serde_json::Value, QueryError> {
        T::from_query(group).map(|request| serde_json::to_value(request).unwrap())
    }
    Some(match operation {
        "DescribeRegions" => show::<DescribeRegionsRequest>(group),
        "DescribeAvailabilityZones" => show::<DescribeAvailabilityZonesRequest>(group),
        "ModifyAvailabilityZoneGroup" => show::<ModifyAvailabilityZoneGroupRequest>(group),
        "DescribeAccountAttributes" => show::<DescribeAccountAttributesRequest>(group),
        "CreateVolume" => show::<CreateVolumeRequest>(group),
        "DescribeVolumes" => show::<DescribeVolumesRequest>(group),
        "DescribeVolumeStatus" => show::<DescribeVolumeStatusRequest>(group),
        "DeleteVolume" => show::<DeleteVolumeRequest>(group),
        "AttachVolume" => show::<AttachVolumeRequest>(group),
        "DetachVolume" => show::<DetachVolumeRequest>(group),
        "CreateSnapshot" => show::<CreateSnapshotRequest>(group),
        "DescribeSnapshots" => show::<DescribeSnapshotsRequest>(group),
        "DeleteSnapshot" => show::<DeleteSnapshotRequest>(group),
        "RegisterImage" => show::<RegisterImageRequest>(group),
        "CreateImage" => show::<CreateImageRequest>(group),
        "DescribeImages" => show::<DescribeImagesRequest>(group),
        "DescribeImageAttribute" => show::<DescribeImageAttributeRequest>(group),
        "DeregisterImage" => show::<DeregisterImageRequest>(group),
        "RunInstances" => show::<RunInstancesRequest>(group),
        "DescribeInstances" => show::<DescribeInstancesRequest>(group),
        "DescribeInstanceStatus" => show::<DescribeInstanceStatusRequest>(group),
        "StartInstances" => show::<StartInstancesRequest>(group),
        "StopInstances" => show::<StopInstancesRequest>(group),
        "RebootInstances" => show::<RebootInstancesRequest>(group),
        "TerminateInstances" => show::<TerminateInstancesRequest>(group),
        "GetConsoleOutput" => show::<GetConsoleOutputRequest>(group),
        "DescribeInstanceAttribute" => show::<DescribeInstanceAttributeRequest>(group),
        "DescribeInstanceTypes" => show::<DescribeInstanceTypesRequest>(group),
        "CreateKeyPair" => show::<CreateKeyPairRequest>(group),
        "ImportKeyPair" => show::<ImportKeyPairRequest>(group),
        "DescribeKeyPairs" => show::<DescribeKeyPairsRequest>(group),
        "DeleteKeyPair" => show::<DeleteKeyPairRequest>(group),
        "DescribeVpcs" => show::<DescribeVpcsRequest>(group),
        "DescribeSubnets" => show::<DescribeSubnetsRequest>(group),
        "DescribeSecurityGroups" => show::<DescribeSecurityGroupsRequest>(group),
        "CreateTags" => show::<CreateTagsRequest>(group),
        "DeleteTags" => show::<DeleteTagsRequest>(group),
        "DescribeTags" => show::<DescribeTagsRequest>(group),
        "CreateSnapshots" => show::<CreateSnapshotsRequest>(group),
        "CopySnapshot" => show::<CopySnapshotRequest>(group),
        "DescribeSnapshotAttribute" => show::<DescribeSnapshotAttributeRequest>(group),
        "ModifySnapshotAttribute" => show::<ModifySnapshotAttributeRequest>(group),
        "ResetSnapshotAttribute" => show::<ResetSnapshotAttributeRequest>(group),
        "LockSnapshot" => show::<LockSnapshotRequest>(group),
        "UnlockSnapshot" => show::<UnlockSnapshotRequest>(group),
        "DescribeLockedSnapshots" => show::<DescribeLockedSnapshotsRequest>(group),
        "ModifySnapshotTier" => show::<ModifySnapshotTierRequest>(group),
        "RestoreSnapshotTier" => show::<RestoreSnapshotTierRequest>(group),
        "DescribeSnapshotTierStatus" => show::<DescribeSnapshotTierStatusRequest>(group),
        "ListSnapshotsInRecycleBin" => show::<ListSnapshotsInRecycleBinRequest>(group),
        "RestoreSnapshotFromRecycleBin" => show::<RestoreSnapshotFromRecycleBinRequest>(group),
        "ListVolumesInRecycleBin" => show::<ListVolumesInRecycleBinRequest>(group),
        "RestoreVolumeFromRecycleBin" => show::<RestoreVolumeFromRecycleBinRequest>(group),
        "EnableFastSnapshotRestores" => show::<EnableFastSnapshotRestoresRequest>(group),
        "DisableFastSnapshotRestores" => show::<DisableFastSnapshotRestoresRequest>(group),
        "DescribeFastSnapshotRestores" => show::<DescribeFastSnapshotRestoresRequest>(group),
        "EnableSnapshotBlockPublicAccess" => show::<EnableSnapshotBlockPublicAccessRequest>(group),
        "DisableSnapshotBlockPublicAccess" => show::<DisableSnapshotBlockPublicAccessRequest>(group),
        "GetSnapshotBlockPublicAccessState" => show::<GetSnapshotBlockPublicAccessStateRequest>(group),
        "ModifyImageAttribute" => show::<ModifyImageAttributeRequest>(group),
        "ResetImageAttribute" => show::<ResetImageAttributeRequest>(group),
        "CancelImageLaunchPermission" => show::<CancelImageLaunchPermissionRequest>(group),
        "EnableImage" => show::<EnableImageRequest>(group),
        "DisableImage" => show::<DisableImageRequest>(group),
        "EnableImageDeprecation" => show::<EnableImageDeprecationRequest>(group),
        "DisableImageDeprecation" => show::<DisableImageDeprecationRequest>(group),
        "EnableImageDeregistrationProtection" => show::<EnableImageDeregistrationProtectionRequest>(group),
        "DisableImageDeregistrationProtection" => show::<DisableImageDeregistrationProtectionRequest>(group),
        "DescribeImageReferences" => show::<DescribeImageReferencesRequest>(group),
        "GetImageAncestry" => show::<GetImageAncestryRequest>(group),
        "DescribeInstanceImageMetadata" => show::<DescribeInstanceImageMetadataRequest>(group),
        "CreateImageUsageReport" => show::<CreateImageUsageReportRequest>(group),
        "DescribeImageUsageReports" => show::<DescribeImageUsageReportsRequest>(group),
        "DescribeImageUsageReportEntries" => show::<DescribeImageUsageReportEntriesRequest>(group),
        "DeleteImageUsageReport" => show::<DeleteImageUsageReportRequest>(group),
        "EnableImageBlockPublicAccess" => show::<EnableImageBlockPublicAccessRequest>(group),
        "DisableImageBlockPublicAccess" => show::<DisableImageBlockPublicAccessRequest>(group),
        "GetImageBlockPublicAccessState" => show::<GetImageBlockPublicAccessStateRequest>(group),
        "EnableAllowedImagesSettings" => show::<EnableAllowedImagesSettingsRequest>(group),
        "DisableAllowedImagesSettings" => show::<DisableAllowedImagesSettingsRequest>(group),
        "GetAllowedImagesSettings" => show::<GetAllowedImagesSettingsRequest>(group),
        "ReplaceImageCriteriaInAllowedImagesSettings" => show::<ReplaceImageCriteriaInAllowedImagesSettingsRequest>(group),
        "CopyImage" => show::<CopyImageRequest>(group),
        "ListImagesInRecycleBin" => show::<ListImagesInRecycleBinRequest>(group),
        "RestoreImageFromRecycleBin" => show::<RestoreImageFromRecycleBinRequest>(group),
        "ModifyVolume" => show::<ModifyVolumeRequest>(group),
        "DescribeVolumesModifications" => show::<DescribeVolumesModificationsRequest>(group),
        "DescribeVolumeAttribute" => show::<DescribeVolumeAttributeRequest>(group),
        "ModifyVolumeAttribute" => show::<ModifyVolumeAttributeRequest>(group),
        "EnableVolumeIO" => show::<EnableVolumeIORequest>(group),
        "CopyVolumes" => show::<CopyVolumesRequest>(group),
        "CreateReplaceRootVolumeTask" => show::<CreateReplaceRootVolumeTaskRequest>(group),
        "DescribeReplaceRootVolumeTasks" => show::<DescribeReplaceRootVolumeTasksRequest>(group),
        "EnableEbsEncryptionByDefault" => show::<EnableEbsEncryptionByDefaultRequest>(group),
        "DisableEbsEncryptionByDefault" => show::<DisableEbsEncryptionByDefaultRequest>(group),
        "GetEbsEncryptionByDefault" => show::<GetEbsEncryptionByDefaultRequest>(group),
        "GetEbsDefaultKmsKeyId" => show::<GetEbsDefaultKmsKeyIdRequest>(group),
        "ModifyEbsDefaultKmsKeyId" => show::<ModifyEbsDefaultKmsKeyIdRequest>(group),
        "ResetEbsDefaultKmsKeyId" => show::<ResetEbsDefaultKmsKeyIdRequest>(group),
        "CreateVpc" => show::<CreateVpcRequest>(group),
        "DeleteVpc" => show::<DeleteVpcRequest>(group),
        "CreateDefaultVpc" => show::<CreateDefaultVpcRequest>(group),
        "DescribeVpcAttribute" => show::<DescribeVpcAttributeRequest>(group),
        "ModifyVpcAttribute" => show::<ModifyVpcAttributeRequest>(group),
        "CreateSubnet" => show::<CreateSubnetRequest>(group),
        "CreateDefaultSubnet" => show::<CreateDefaultSubnetRequest>(group),
        "DeleteSubnet" => show::<DeleteSubnetRequest>(group),
        "ModifySubnetAttribute" => show::<ModifySubnetAttributeRequest>(group),
        "CreateSecurityGroup" => show::<CreateSecurityGroupRequest>(group),
        "DeleteSecurityGroup" => show::<DeleteSecurityGroupRequest>(group),
        "AuthorizeSecurityGroupIngress" => show::<AuthorizeSecurityGroupIngressRequest>(group),
        "AuthorizeSecurityGroupEgress" => show::<AuthorizeSecurityGroupEgressRequest>(group),
        "RevokeSecurityGroupIngress" => show::<RevokeSecurityGroupIngressRequest>(group),
        "RevokeSecurityGroupEgress" => show::<RevokeSecurityGroupEgressRequest>(group),
        "DescribeSecurityGroupRules" => show::<DescribeSecurityGroupRulesRequest>(group),
        "ModifySecurityGroupRules" => show::<ModifySecurityGroupRulesRequest>(group),
        "DescribeNetworkInterfaces" => show::<DescribeNetworkInterfacesRequest>(group),
        "CreateNetworkInterface" => show::<CreateNetworkInterfaceRequest>(group),
        "DeleteNetworkInterface" => show::<DeleteNetworkInterfaceRequest>(group),
        "AttachNetworkInterface" => show::<AttachNetworkInterfaceRequest>(group),
        "DetachNetworkInterface" => show::<DetachNetworkInterfaceRequest>(group),
        "DescribeRouteTables" => show::<DescribeRouteTablesRequest>(group),
        "DescribeInternetGateways" => show::<DescribeInternetGatewaysRequest>(group),
        "DescribeNetworkAcls" => show::<DescribeNetworkAclsRequest>(group),
        "DescribeDhcpOptions" => show::<DescribeDhcpOptionsRequest>(group),
        "DescribeAddresses" => show::<DescribeAddressesRequest>(group),
        "ModifyInstanceAttribute" => show::<ModifyInstanceAttributeRequest>(group),
        "ResetInstanceAttribute" => show::<ResetInstanceAttributeRequest>(group),
        "ModifyInstanceMetadataOptions" => show::<ModifyInstanceMetadataOptionsRequest>(group),
        "GetInstanceMetadataDefaults" => show::<GetInstanceMetadataDefaultsRequest>(group),
        "ModifyInstanceMetadataDefaults" => show::<ModifyInstanceMetadataDefaultsRequest>(group),
        "DescribeInstanceCreditSpecifications" => show::<DescribeInstanceCreditSpecificationsRequest>(group),
        "GetPasswordData" => show::<GetPasswordDataRequest>(group),
        "MonitorInstances" => show::<MonitorInstancesRequest>(group),
        "UnmonitorInstances" => show::<UnmonitorInstancesRequest>(group),
        "DescribeIamInstanceProfileAssociations" => show::<DescribeIamInstanceProfileAssociationsRequest>(group),
        "AssociateIamInstanceProfile" => show::<AssociateIamInstanceProfileRequest>(group),
        "DisassociateIamInstanceProfile" => show::<DisassociateIamInstanceProfileRequest>(group),
        "DescribeInstanceTypeOfferings" => show::<DescribeInstanceTypeOfferingsRequest>(group),
        "CreateLaunchTemplate" => show::<CreateLaunchTemplateRequest>(group),
        "CreateLaunchTemplateVersion" => show::<CreateLaunchTemplateVersionRequest>(group),
        "DescribeLaunchTemplates" => show::<DescribeLaunchTemplatesRequest>(group),
        "DescribeLaunchTemplateVersions" => show::<DescribeLaunchTemplateVersionsRequest>(group),
        "ModifyLaunchTemplate" => show::<ModifyLaunchTemplateRequest>(group),
        "DeleteLaunchTemplate" => show::<DeleteLaunchTemplateRequest>(group),
        "DeleteLaunchTemplateVersions" => show::<DeleteLaunchTemplateVersionsRequest>(group),
        "GetLaunchTemplateData" => show::<GetLaunchTemplateDataRequest>(group),
        _ => return None,
    })
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct AssociateIamInstanceProfileRequest {
    pub iam_instance_profile: IamInstanceProfileSpecification,
    pub instance_id: String,
}

impl FromQuery for AssociateIamInstanceProfileRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["IamInstanceProfile", "InstanceId"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            iam_instance_profile: group.required("IamInstanceProfile")?,
            instance_id: group.required("InstanceId")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct AttachNetworkInterfaceRequest {
    pub dry_run: Option<bool>,
    pub network_interface_id: String,
    pub instance_id: String,
    pub device_index: i32,
}

impl FromQuery for AttachNetworkInterfaceRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "NetworkInterfaceId", "InstanceId", "DeviceIndex"],
            ignored: &[],
            refused: &["EnaSrdSpecification", "EnaQueueCount"],
            only: &[("NetworkCardIndex", &["0"])],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            network_interface_id: group.required("NetworkInterfaceId")?,
            instance_id: group.required("InstanceId")?,
            device_index: group.required("DeviceIndex")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct AttachVolumeRequest {
    pub device: String,
    pub instance_id: String,
    pub volume_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for AttachVolumeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Device", "InstanceId", "VolumeId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[("EbsCardIndex", &["0"])],
        })?;
        Ok(Self {
            device: group.required("Device")?,
            instance_id: group.required("InstanceId")?,
            volume_id: group.required("VolumeId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct AttributeBooleanValue {
    pub value: Option<bool>,
}

impl FromQuery for AttributeBooleanValue {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Value"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            value: group.optional("Value")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct AttributeValue {
    pub value: Option<String>,
}

impl FromQuery for AttributeValue {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Value"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            value: group.kept("Value")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct AuthorizeSecurityGroupEgressRequest {
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: Option<bool>,
    pub group_id: String,
    pub ip_permissions: Vec<IpPermission>,
}

impl FromQuery for AuthorizeSecurityGroupEgressRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["TagSpecification", "DryRun", "GroupId", "IpPermissions"],
            ignored: &[],
            refused: &["SourceSecurityGroupName", "SourceSecurityGroupOwnerId", "IpProtocol", "FromPort", "ToPort", "CidrIp"],
            only: &[],
        })?;
        Ok(Self {
            tag_specifications: group.list("TagSpecification")?,
            dry_run: group.optional("DryRun")?,
            group_id: group.required("GroupId")?,
            ip_permissions: group.list("IpPermissions")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct AuthorizeSecurityGroupIngressRequest {
    pub cidr_ip: Option<String>,
    pub from_port: Option<i32>,
    pub group_id: Option<String>,
    pub group_name: Option<String>,
    pub ip_permissions: Vec<IpPermission>,
    pub ip_protocol: Option<String>,
    pub source_security_group_name: Option<String>,
    pub source_security_group_owner_id: Option<String>,
    pub to_port: Option<i32>,
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: Option<bool>,
}

impl FromQuery for AuthorizeSecurityGroupIngressRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["CidrIp", "FromPort", "GroupId", "GroupName", "IpPermissions", "IpProtocol", "SourceSecurityGroupName", "SourceSecurityGroupOwnerId", "ToPort", "TagSpecification", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            cidr_ip: group.optional("CidrIp")?,
            from_port: group.optional("FromPort")?,
            group_id: group.optional("GroupId")?,
            group_name: group.optional("GroupName")?,
            ip_permissions: group.list("IpPermissions")?,
            ip_protocol: group.optional("IpProtocol")?,
            source_security_group_name: group.optional("SourceSecurityGroupName")?,
            source_security_group_owner_id: group.optional("SourceSecurityGroupOwnerId")?,
            to_port: group.optional("ToPort")?,
            tag_specifications: group.list("TagSpecification")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct BlobAttributeValue {
    pub value: Option<Blob>,
}

impl FromQuery for BlobAttributeValue {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Value"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            value: group.optional("Value")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct BlockDeviceMapping {
    pub ebs: Option<EbsBlockDevice>,
    pub no_device: Option<String>,
    pub device_name: Option<String>,
    pub virtual_name: Option<String>,
}

impl FromQuery for BlockDeviceMapping {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Ebs", "NoDevice", "DeviceName", "VirtualName"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            ebs: group.optional("Ebs")?,
            no_device: group.kept("NoDevice")?,
            device_name: group.optional("DeviceName")?,
            virtual_name: group.optional("VirtualName")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CancelImageLaunchPermissionRequest {
    pub image_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for CancelImageLaunchPermissionRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            image_id: group.required("ImageId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CapacityReservationSpecification {
}

impl FromQuery for CapacityReservationSpecification {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &[],
            ignored: &[],
            refused: &["CapacityReservationTarget"],
            only: &[("CapacityReservationPreference", &["open"])],
        })?;
        Ok(Self {
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CopyImageRequest {
    pub client_token: Option<String>,
    pub description: Option<String>,
    pub encrypted: Option<bool>,
    pub kms_key_id: Option<String>,
    pub name: String,
    pub source_image_id: String,
    pub source_region: String,
    pub copy_image_tags: Option<bool>,
    pub tag_specifications: Vec<TagSpecification>,
    pub snapshot_copy_completion_duration_minutes: Option<i64>,
    pub dry_run: Option<bool>,
}

impl FromQuery for CopyImageRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ClientToken", "Description", "Encrypted", "KmsKeyId", "Name", "SourceImageId", "SourceRegion", "CopyImageTags", "TagSpecification", "SnapshotCopyCompletionDurationMinutes", "DryRun"],
            ignored: &[],
            refused: &["DestinationOutpostArn", "DestinationAvailabilityZone", "DestinationAvailabilityZoneId"],
            only: &[],
        })?;
        Ok(Self {
            client_token: group.optional("ClientToken")?,
            description: group.optional("Description")?,
            encrypted: group.optional("Encrypted")?,
            kms_key_id: group.optional("KmsKeyId")?,
            name: group.required("Name")?,
            source_image_id: group.required("SourceImageId")?,
            source_region: group.required("SourceRegion")?,
            copy_image_tags: group.optional("CopyImageTags")?,
            tag_specifications: group.list("TagSpecification")?,
            snapshot_copy_completion_duration_minutes: group.optional("SnapshotCopyCompletionDurationMinutes")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CopySnapshotRequest {
    pub description: Option<String>,
    pub destination_region: Option<String>,
    pub encrypted: Option<bool>,
    pub kms_key_id: Option<String>,
    pub source_region: String,
    pub source_snapshot_id: String,
    pub tag_specifications: Vec<TagSpecification>,
    pub completion_duration_minutes: Option<i32>,
    pub dry_run: Option<bool>,
}

impl FromQuery for CopySnapshotRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Description", "DestinationRegion", "Encrypted", "KmsKeyId", "SourceRegion", "SourceSnapshotId", "TagSpecification", "CompletionDurationMinutes", "DryRun"],
            ignored: &["PresignedUrl"],
            refused: &["DestinationOutpostArn", "DestinationAvailabilityZone"],
            only: &[],
        })?;
        Ok(Self {
            description: group.optional("Description")?,
            destination_region: group.optional("DestinationRegion")?,
            encrypted: group.optional("Encrypted")?,
            kms_key_id: group.optional("KmsKeyId")?,
            source_region: group.required("SourceRegion")?,
            source_snapshot_id: group.required("SourceSnapshotId")?,
            tag_specifications: group.list("TagSpecification")?,
            completion_duration_minutes: group.optional("CompletionDurationMinutes")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CopyVolumesRequest {
    pub source_volume_id: String,
    pub iops: Option<i32>,
    pub size: Option<i32>,
    pub volume_type: Option<String>,
    pub dry_run: Option<bool>,
    pub tag_specifications: Vec<TagSpecification>,
    pub multi_attach_enabled: Option<bool>,
    pub throughput: Option<i32>,
    pub client_token: Option<String>,
}

impl FromQuery for CopyVolumesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["SourceVolumeId", "Iops", "Size", "VolumeType", "DryRun", "TagSpecification", "MultiAttachEnabled", "Throughput", "ClientToken"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            source_volume_id: group.required("SourceVolumeId")?,
            iops: group.optional("Iops")?,
            size: group.optional("Size")?,
            volume_type: group.optional("VolumeType")?,
            dry_run: group.optional("DryRun")?,
            tag_specifications: group.list("TagSpecification")?,
            multi_attach_enabled: group.optional("MultiAttachEnabled")?,
            throughput: group.optional("Throughput")?,
            client_token: group.optional("ClientToken")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreateDefaultSubnetRequest {
    pub availability_zone: Option<String>,
    pub dry_run: Option<bool>,
    pub availability_zone_id: Option<String>,
}

impl FromQuery for CreateDefaultSubnetRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["AvailabilityZone", "DryRun", "AvailabilityZoneId"],
            ignored: &[],
            refused: &[],
            only: &[("Ipv6Native", &["false"])],
        })?;
        Ok(Self {
            availability_zone: group.optional("AvailabilityZone")?,
            dry_run: group.optional("DryRun")?,
            availability_zone_id: group.optional("AvailabilityZoneId")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreateDefaultVpcRequest {
    pub dry_run: Option<bool>,
}

impl FromQuery for CreateDefaultVpcRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreateImageRequest {
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: Option<bool>,
    pub instance_id: String,
    pub name: String,
    pub description: Option<String>,
    pub no_reboot: Option<bool>,
    pub block_device_mappings: Vec<BlockDeviceMapping>,
}

impl FromQuery for CreateImageRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["TagSpecification", "DryRun", "InstanceId", "Name", "Description", "NoReboot", "BlockDeviceMapping"],
            ignored: &[],
            refused: &[],
            only: &[("SnapshotLocation", &["regional"])],
        })?;
        Ok(Self {
            tag_specifications: group.list("TagSpecification")?,
            dry_run: group.optional("DryRun")?,
            instance_id: group.required("InstanceId")?,
            name: group.required("Name")?,
            description: group.optional("Description")?,
            no_reboot: group.optional("NoReboot")?,
            block_device_mappings: group.list("BlockDeviceMapping")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreateImageUsageReportRequest {
    pub image_id: String,
    pub dry_run: Option<bool>,
    pub resource_types: Vec<ImageUsageResourceTypeRequest>,
    pub account_ids: Vec<String>,
    pub client_token: Option<String>,
    pub tag_specifications: Vec<TagSpecification>,
}

impl FromQuery for CreateImageUsageReportRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageId", "DryRun", "ResourceType", "AccountId", "ClientToken", "TagSpecification"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            image_id: group.required("ImageId")?,
            dry_run: group.optional("DryRun")?,
            resource_types: group.required_list("ResourceType")?,
            account_ids: group.list("AccountId")?,
            client_token: group.optional("ClientToken")?,
            tag_specifications: group.list("TagSpecification")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreateKeyPairRequest {
    pub key_name: String,
    pub key_type: Option<String>,
    pub tag_specifications: Vec<TagSpecification>,
    pub key_format: Option<String>,
    pub dry_run: Option<bool>,
}

impl FromQuery for CreateKeyPairRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["KeyName", "KeyType", "TagSpecification", "KeyFormat", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            key_name: group.required("KeyName")?,
            key_type: group.optional("KeyType")?,
            tag_specifications: group.list("TagSpecification")?,
            key_format: group.optional("KeyFormat")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreateLaunchTemplateRequest {
    pub dry_run: Option<bool>,
    pub client_token: Option<String>,
    pub launch_template_name: String,
    pub version_description: Option<String>,
    pub launch_template_data: RequestLaunchTemplateData,
    pub tag_specifications: Vec<TagSpecification>,
}

impl FromQuery for CreateLaunchTemplateRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "ClientToken", "LaunchTemplateName", "VersionDescription", "LaunchTemplateData", "TagSpecification"],
            ignored: &[],
            refused: &["Operator"],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            client_token: group.optional("ClientToken")?,
            launch_template_name: group.required("LaunchTemplateName")?,
            version_description: group.optional("VersionDescription")?,
            launch_template_data: group.required("LaunchTemplateData")?,
            tag_specifications: group.list("TagSpecification")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreateLaunchTemplateVersionRequest {
    pub dry_run: Option<bool>,
    pub client_token: Option<String>,
    pub launch_template_id: Option<String>,
    pub launch_template_name: Option<String>,
    pub source_version: Option<String>,
    pub version_description: Option<String>,
    pub launch_template_data: RequestLaunchTemplateData,
}

impl FromQuery for CreateLaunchTemplateVersionRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "ClientToken", "LaunchTemplateId", "LaunchTemplateName", "SourceVersion", "VersionDescription", "LaunchTemplateData"],
            ignored: &["ResolveAlias"],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            client_token: group.optional("ClientToken")?,
            launch_template_id: group.optional("LaunchTemplateId")?,
            launch_template_name: group.optional("LaunchTemplateName")?,
            source_version: group.optional("SourceVersion")?,
            version_description: group.optional("VersionDescription")?,
            launch_template_data: group.required("LaunchTemplateData")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreateNetworkInterfaceRequest {
    pub tag_specifications: Vec<TagSpecification>,
    pub client_token: Option<String>,
    pub subnet_id: String,
    pub description: Option<String>,
    pub private_ip_address: Option<String>,
    pub groups: Vec<String>,
    pub private_ip_addresses: Vec<PrivateIpAddressSpecification>,
    pub dry_run: Option<bool>,
}

impl FromQuery for CreateNetworkInterfaceRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["TagSpecification", "ClientToken", "SubnetId", "Description", "PrivateIpAddress", "SecurityGroupId", "PrivateIpAddresses", "DryRun"],
            ignored: &[],
            refused: &["Ipv4Prefix", "Ipv4PrefixCount", "Ipv6Prefix", "Ipv6PrefixCount", "EnablePrimaryIpv6", "ConnectionTrackingSpecification", "Operator", "SecondaryPrivateIpAddressCount", "Ipv6Addresses", "Ipv6AddressCount"],
            only: &[("InterfaceType", &["interface"])],
        })?;
        Ok(Self {
            tag_specifications: group.list("TagSpecification")?,
            client_token: group.optional("ClientToken")?,
            subnet_id: group.required("SubnetId")?,
            description: group.optional("Description")?,
            private_ip_address: group.optional("PrivateIpAddress")?,
            groups: group.list("SecurityGroupId")?,
            private_ip_addresses: group.list("PrivateIpAddresses")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreateReplaceRootVolumeTaskRequest {
    pub instance_id: String,
    pub snapshot_id: Option<String>,
    pub client_token: Option<String>,
    pub dry_run: Option<bool>,
    pub tag_specifications: Vec<TagSpecification>,
    pub image_id: Option<String>,
    pub delete_replaced_root_volume: Option<bool>,
    pub volume_initialization_rate: Option<i64>,
}

impl FromQuery for CreateReplaceRootVolumeTaskRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["InstanceId", "SnapshotId", "ClientToken", "DryRun", "TagSpecification", "ImageId", "DeleteReplacedRootVolume", "VolumeInitializationRate"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            instance_id: group.required("InstanceId")?,
            snapshot_id: group.optional("SnapshotId")?,
            client_token: group.optional("ClientToken")?,
            dry_run: group.optional("DryRun")?,
            tag_specifications: group.list("TagSpecification")?,
            image_id: group.optional("ImageId")?,
            delete_replaced_root_volume: group.optional("DeleteReplacedRootVolume")?,
            volume_initialization_rate: group.optional("VolumeInitializationRate")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreateSecurityGroupRequest {
    pub description: String,
    pub group_name: String,
    pub vpc_id: Option<String>,
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: Option<bool>,
}

impl FromQuery for CreateSecurityGroupRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["GroupDescription", "GroupName", "VpcId", "TagSpecification", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            description: group.required("GroupDescription")?,
            group_name: group.required("GroupName")?,
            vpc_id: group.optional("VpcId")?,
            tag_specifications: group.list("TagSpecification")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreateSnapshotRequest {
    pub description: Option<String>,
    pub volume_id: String,
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: Option<bool>,
}

impl FromQuery for CreateSnapshotRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Description", "VolumeId", "TagSpecification", "DryRun"],
            ignored: &[],
            refused: &["OutpostArn"],
            only: &[("Location", &["regional"])],
        })?;
        Ok(Self {
            description: group.optional("Description")?,
            volume_id: group.required("VolumeId")?,
            tag_specifications: group.list("TagSpecification")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreateSnapshotsRequest {
    pub description: Option<String>,
    pub instance_specification: InstanceSpecification,
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: Option<bool>,
    pub copy_tags_from_source: Option<String>,
}

impl FromQuery for CreateSnapshotsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Description", "InstanceSpecification", "TagSpecification", "DryRun", "CopyTagsFromSource"],
            ignored: &[],
            refused: &["OutpostArn"],
            only: &[("Location", &["regional"])],
        })?;
        Ok(Self {
            description: group.optional("Description")?,
            instance_specification: group.required("InstanceSpecification")?,
            tag_specifications: group.list("TagSpecification")?,
            dry_run: group.optional("DryRun")?,
            copy_tags_from_source: group.optional("CopyTagsFromSource")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreateSubnetRequest {
    pub tag_specifications: Vec<TagSpecification>,
    pub availability_zone: Option<String>,
    pub availability_zone_id: Option<String>,
    pub cidr_block: Option<String>,
    pub vpc_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for CreateSubnetRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["TagSpecification", "AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "VpcId", "DryRun"],
            ignored: &[],
            refused: &["Ipv6CidrBlock", "OutpostArn", "Ipv4IpamPoolId", "Ipv4NetmaskLength", "Ipv6IpamPoolId", "Ipv6NetmaskLength"],
            only: &[("Ipv6Native", &["false"])],
        })?;
        Ok(Self {
            tag_specifications: group.list("TagSpecification")?,
            availability_zone: group.optional("AvailabilityZone")?,
            availability_zone_id: group.optional("AvailabilityZoneId")?,
            cidr_block: group.optional("CidrBlock")?,
            vpc_id: group.required("VpcId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreateTagsRequest {
    pub dry_run: Option<bool>,
    pub resources: Vec<String>,
    pub tags: Vec<Tag>,
}

impl FromQuery for CreateTagsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "ResourceId", "Tag"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            resources: group.required_list("ResourceId")?,
            tags: group.required_list("Tag")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreateVolumePermission {
    pub user_id: Option<String>,
    pub group: Option<String>,
}

impl FromQuery for CreateVolumePermission {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["UserId", "Group"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            user_id: group.optional("UserId")?,
            group: group.optional("Group")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreateVolumePermissionModifications {
    pub add: Vec<CreateVolumePermission>,
    pub remove: Vec<CreateVolumePermission>,
}

impl FromQuery for CreateVolumePermissionModifications {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Add", "Remove"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            add: group.list("Add")?,
            remove: group.list("Remove")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreateVolumeRequest {
    pub availability_zone: Option<String>,
    pub availability_zone_id: Option<String>,
    pub encrypted: Option<bool>,
    pub iops: Option<i32>,
    pub kms_key_id: Option<String>,
    pub size: Option<i32>,
    pub snapshot_id: Option<String>,
    pub volume_type: Option<String>,
    pub tag_specifications: Vec<TagSpecification>,
    pub multi_attach_enabled: Option<bool>,
    pub throughput: Option<i32>,
    pub client_token: Option<String>,
    pub volume_initialization_rate: Option<i32>,
    pub dry_run: Option<bool>,
}

impl FromQuery for CreateVolumeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["AvailabilityZone", "AvailabilityZoneId", "Encrypted", "Iops", "KmsKeyId", "Size", "SnapshotId", "VolumeType", "TagSpecification", "MultiAttachEnabled", "Throughput", "ClientToken", "VolumeInitializationRate", "DryRun"],
            ignored: &[],
            refused: &["OutpostArn", "Operator"],
            only: &[],
        })?;
        Ok(Self {
            availability_zone: group.optional("AvailabilityZone")?,
            availability_zone_id: group.optional("AvailabilityZoneId")?,
            encrypted: group.optional("Encrypted")?,
            iops: group.optional("Iops")?,
            kms_key_id: group.optional("KmsKeyId")?,
            size: group.optional("Size")?,
            snapshot_id: group.optional("SnapshotId")?,
            volume_type: group.optional("VolumeType")?,
            tag_specifications: group.list("TagSpecification")?,
            multi_attach_enabled: group.optional("MultiAttachEnabled")?,
            throughput: group.optional("Throughput")?,
            client_token: group.optional("ClientToken")?,
            volume_initialization_rate: group.optional("VolumeInitializationRate")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreateVpcRequest {
    pub cidr_block: Option<String>,
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: Option<bool>,
}

impl FromQuery for CreateVpcRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["CidrBlock", "TagSpecification", "DryRun"],
            ignored: &[],
            refused: &["Ipv6Pool", "Ipv6CidrBlock", "Ipv4IpamPoolId", "Ipv4NetmaskLength", "Ipv6IpamPoolId", "Ipv6NetmaskLength", "Ipv6CidrBlockNetworkBorderGroup", "VpcEncryptionControl"],
            only: &[("AmazonProvidedIpv6CidrBlock", &["false"]), ("InstanceTenancy", &["default"])],
        })?;
        Ok(Self {
            cidr_block: group.optional("CidrBlock")?,
            tag_specifications: group.list("TagSpecification")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreationDateConditionRequest {
    pub maximum_days_since_created: Option<i32>,
}

impl FromQuery for CreationDateConditionRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["MaximumDaysSinceCreated"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            maximum_days_since_created: group.optional("MaximumDaysSinceCreated")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct CreditSpecificationRequest {
    pub cpu_credits: String,
}

impl FromQuery for CreditSpecificationRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["CpuCredits"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            cpu_credits: group.required("CpuCredits")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DeleteImageUsageReportRequest {
    pub report_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for DeleteImageUsageReportRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ReportId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            report_id: group.required("ReportId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DeleteKeyPairRequest {
    pub key_name: Option<String>,
    pub key_pair_id: Option<String>,
    pub dry_run: Option<bool>,
}

impl FromQuery for DeleteKeyPairRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["KeyName", "KeyPairId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            key_name: group.optional("KeyName")?,
            key_pair_id: group.optional("KeyPairId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DeleteLaunchTemplateRequest {
    pub dry_run: Option<bool>,
    pub launch_template_id: Option<String>,
    pub launch_template_name: Option<String>,
}

impl FromQuery for DeleteLaunchTemplateRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "LaunchTemplateId", "LaunchTemplateName"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            launch_template_id: group.optional("LaunchTemplateId")?,
            launch_template_name: group.optional("LaunchTemplateName")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DeleteLaunchTemplateVersionsRequest {
    pub dry_run: Option<bool>,
    pub launch_template_id: Option<String>,
    pub launch_template_name: Option<String>,
    pub versions: Vec<String>,
}

impl FromQuery for DeleteLaunchTemplateVersionsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "LaunchTemplateId", "LaunchTemplateName", "LaunchTemplateVersion"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            launch_template_id: group.optional("LaunchTemplateId")?,
            launch_template_name: group.optional("LaunchTemplateName")?,
            versions: group.required_list("LaunchTemplateVersion")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DeleteNetworkInterfaceRequest {
    pub dry_run: Option<bool>,
    pub network_interface_id: String,
}

impl FromQuery for DeleteNetworkInterfaceRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "NetworkInterfaceId"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            network_interface_id: group.required("NetworkInterfaceId")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DeleteSecurityGroupRequest {
    pub group_id: Option<String>,
    pub group_name: Option<String>,
    pub dry_run: Option<bool>,
}

impl FromQuery for DeleteSecurityGroupRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["GroupId", "GroupName", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            group_id: group.optional("GroupId")?,
            group_name: group.optional("GroupName")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DeleteSnapshotRequest {
    pub snapshot_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for DeleteSnapshotRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["SnapshotId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            snapshot_id: group.required("SnapshotId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DeleteSubnetRequest {
    pub subnet_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for DeleteSubnetRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["SubnetId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            subnet_id: group.required("SubnetId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DeleteTagsRequest {
    pub dry_run: Option<bool>,
    pub resources: Vec<String>,
    pub tags: Vec<Tag>,
}

impl FromQuery for DeleteTagsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "ResourceId", "Tag"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            resources: group.required_list("ResourceId")?,
            tags: group.list("Tag")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DeleteVolumeRequest {
    pub volume_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for DeleteVolumeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["VolumeId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            volume_id: group.required("VolumeId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DeleteVpcRequest {
    pub vpc_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for DeleteVpcRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["VpcId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            vpc_id: group.required("VpcId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DeprecationTimeConditionRequest {
    pub maximum_days_since_deprecated: Option<i32>,
}

impl FromQuery for DeprecationTimeConditionRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["MaximumDaysSinceDeprecated"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            maximum_days_since_deprecated: group.optional("MaximumDaysSinceDeprecated")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DeregisterImageRequest {
    pub image_id: String,
    pub delete_associated_snapshots: Option<bool>,
    pub dry_run: Option<bool>,
}

impl FromQuery for DeregisterImageRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageId", "DeleteAssociatedSnapshots", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            image_id: group.required("ImageId")?,
            delete_associated_snapshots: group.optional("DeleteAssociatedSnapshots")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeAccountAttributesRequest {
    pub dry_run: Option<bool>,
    pub attribute_names: Vec<String>,
}

impl FromQuery for DescribeAccountAttributesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "AttributeName"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            attribute_names: group.list("AttributeName")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeAddressesRequest {
    pub public_ips: Vec<String>,
    pub dry_run: Option<bool>,
    pub filters: Vec<Filter>,
    pub allocation_ids: Vec<String>,
}

impl FromQuery for DescribeAddressesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["PublicIp", "DryRun", "Filter", "AllocationId"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            public_ips: group.list("PublicIp")?,
            dry_run: group.optional("DryRun")?,
            filters: group.list("Filter")?,
            allocation_ids: group.list("AllocationId")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeAvailabilityZonesRequest {
    pub zone_names: Vec<String>,
    pub zone_ids: Vec<String>,
    pub dry_run: Option<bool>,
    pub filters: Vec<Filter>,
}

impl FromQuery for DescribeAvailabilityZonesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ZoneName", "ZoneId", "DryRun", "Filter"],
            ignored: &["AllAvailabilityZones"],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            zone_names: group.list("ZoneName")?,
            zone_ids: group.list("ZoneId")?,
            dry_run: group.optional("DryRun")?,
            filters: group.list("Filter")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeDhcpOptionsRequest {
    pub dhcp_options_ids: Vec<String>,
    pub next_token: Option<String>,
    pub max_results: Option<i32>,
    pub dry_run: Option<bool>,
    pub filters: Vec<Filter>,
}

impl FromQuery for DescribeDhcpOptionsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DhcpOptionsId", "NextToken", "MaxResults", "DryRun", "Filter"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dhcp_options_ids: group.list("DhcpOptionsId")?,
            next_token: group.optional("NextToken")?,
            max_results: group.optional("MaxResults")?,
            dry_run: group.optional("DryRun")?,
            filters: group.list("Filter")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeFastSnapshotRestoresRequest {
    pub filters: Vec<Filter>,
    pub max_results: Option<i32>,
    pub next_token: Option<String>,
    pub dry_run: Option<bool>,
}

impl FromQuery for DescribeFastSnapshotRestoresRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Filter", "MaxResults", "NextToken", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            filters: group.list("Filter")?,
            max_results: group.optional("MaxResults")?,
            next_token: group.optional("NextToken")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeIamInstanceProfileAssociationsRequest {
    pub association_ids: Vec<String>,
    pub filters: Vec<Filter>,
    pub max_results: Option<i32>,
    pub next_token: Option<String>,
}

impl FromQuery for DescribeIamInstanceProfileAssociationsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["AssociationId", "Filter", "MaxResults", "NextToken"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            association_ids: group.list("AssociationId")?,
            filters: group.list("Filter")?,
            max_results: group.optional("MaxResults")?,
            next_token: group.optional("NextToken")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeImageAttributeRequest {
    pub attribute: String,
    pub image_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for DescribeImageAttributeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Attribute", "ImageId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            attribute: group.required("Attribute")?,
            image_id: group.required("ImageId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeImageReferencesRequest {
    pub image_ids: Vec<String>,
    pub include_all_resource_types: Option<bool>,
    pub resource_types: Vec<ResourceTypeRequest>,
    pub next_token: Option<String>,
    pub dry_run: Option<bool>,
    pub max_results: Option<i32>,
}

impl FromQuery for DescribeImageReferencesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageId", "IncludeAllResourceTypes", "ResourceType", "NextToken", "DryRun", "MaxResults"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            image_ids: group.required_list("ImageId")?,
            include_all_resource_types: group.optional("IncludeAllResourceTypes")?,
            resource_types: group.list("ResourceType")?,
            next_token: group.optional("NextToken")?,
            dry_run: group.optional("DryRun")?,
            max_results: group.optional("MaxResults")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeImageUsageReportEntriesRequest {
    pub image_ids: Vec<String>,
    pub report_ids: Vec<String>,
    pub next_token: Option<String>,
    pub filters: Vec<Filter>,
    pub dry_run: Option<bool>,
    pub max_results: Option<i32>,
}

impl FromQuery for DescribeImageUsageReportEntriesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageId", "ReportId", "NextToken", "Filter", "DryRun", "MaxResults"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            image_ids: group.list("ImageId")?,
            report_ids: group.list("ReportId")?,
            next_token: group.optional("NextToken")?,
            filters: group.list("Filter")?,
            dry_run: group.optional("DryRun")?,
            max_results: group.optional("MaxResults")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeImageUsageReportsRequest {
    pub image_ids: Vec<String>,
    pub report_ids: Vec<String>,
    pub next_token: Option<String>,
    pub filters: Vec<Filter>,
    pub dry_run: Option<bool>,
    pub max_results: Option<i32>,
}

impl FromQuery for DescribeImageUsageReportsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageId", "ReportId", "NextToken", "Filter", "DryRun", "MaxResults"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            image_ids: group.list("ImageId")?,
            report_ids: group.list("ReportId")?,
            next_token: group.optional("NextToken")?,
            filters: group.list("Filter")?,
            dry_run: group.optional("DryRun")?,
            max_results: group.optional("MaxResults")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeImagesRequest {
    pub executable_users: Vec<String>,
    pub image_ids: Vec<String>,
    pub owners: Vec<String>,
    pub include_deprecated: Option<bool>,
    pub include_disabled: Option<bool>,
    pub max_results: Option<i32>,
    pub next_token: Option<String>,
    pub dry_run: Option<bool>,
    pub filters: Vec<Filter>,
}

impl FromQuery for DescribeImagesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ExecutableBy", "ImageId", "Owner", "IncludeDeprecated", "IncludeDisabled", "MaxResults", "NextToken", "DryRun", "Filter"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            executable_users: group.list("ExecutableBy")?,
            image_ids: group.list("ImageId")?,
            owners: group.list("Owner")?,
            include_deprecated: group.optional("IncludeDeprecated")?,
            include_disabled: group.optional("IncludeDisabled")?,
            max_results: group.optional("MaxResults")?,
            next_token: group.optional("NextToken")?,
            dry_run: group.optional("DryRun")?,
            filters: group.list("Filter")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeInstanceAttributeRequest {
    pub dry_run: Option<bool>,
    pub instance_id: String,
    pub attribute: String,
}

impl FromQuery for DescribeInstanceAttributeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "InstanceId", "Attribute"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            instance_id: group.required("InstanceId")?,
            attribute: group.required("Attribute")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeInstanceCreditSpecificationsRequest {
    pub dry_run: Option<bool>,
    pub filters: Vec<Filter>,
    pub instance_ids: Vec<String>,
    pub max_results: Option<i32>,
    pub next_token: Option<String>,
}

impl FromQuery for DescribeInstanceCreditSpecificationsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "Filter", "InstanceId", "MaxResults", "NextToken"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            filters: group.list("Filter")?,
            instance_ids: group.list("InstanceId")?,
            max_results: group.optional("MaxResults")?,
            next_token: group.optional("NextToken")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeInstanceImageMetadataRequest {
    pub filters: Vec<Filter>,
    pub instance_ids: Vec<String>,
    pub max_results: Option<i32>,
    pub next_token: Option<String>,
    pub dry_run: Option<bool>,
}

impl FromQuery for DescribeInstanceImageMetadataRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Filter", "InstanceId", "MaxResults", "NextToken", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            filters: group.list("Filter")?,
            instance_ids: group.list("InstanceId")?,
            max_results: group.optional("MaxResults")?,
            next_token: group.optional("NextToken")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeInstanceStatusRequest {
    pub instance_ids: Vec<String>,
    pub max_results: Option<i32>,
    pub next_token: Option<String>,
    pub dry_run: Option<bool>,
    pub filters: Vec<Filter>,
    pub include_all_instances: Option<bool>,
}

impl FromQuery for DescribeInstanceStatusRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["InstanceId", "MaxResults", "NextToken", "DryRun", "Filter", "IncludeAllInstances"],
            ignored: &["IncludeManagedResources"],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            instance_ids: group.list("InstanceId")?,
            max_results: group.optional("MaxResults")?,
            next_token: group.optional("NextToken")?,
            dry_run: group.optional("DryRun")?,
            filters: group.list("Filter")?,
            include_all_instances: group.optional("IncludeAllInstances")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeInstanceTypeOfferingsRequest {
    pub dry_run: Option<bool>,
    pub location_type: Option<String>,
    pub filters: Vec<Filter>,
    pub max_results: Option<i32>,
    pub next_token: Option<String>,
}

impl FromQuery for DescribeInstanceTypeOfferingsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "LocationType", "Filter", "MaxResults", "NextToken"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            location_type: group.optional("LocationType")?,
            filters: group.list("Filter")?,
            max_results: group.optional("MaxResults")?,
            next_token: group.optional("NextToken")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeInstanceTypesRequest {
    pub dry_run: Option<bool>,
    pub instance_types: Vec<String>,
    pub filters: Vec<Filter>,
    pub max_results: Option<i32>,
    pub next_token: Option<String>,
}

impl FromQuery for DescribeInstanceTypesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "InstanceType", "Filter", "MaxResults", "NextToken"],
            ignored: &["IncludeUnsupportedInRegion"],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            instance_types: group.list("InstanceType")?,
            filters: group.list("Filter")?,
            max_results: group.optional("MaxResults")?,
            next_token: group.optional("NextToken")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeInstancesRequest {
    pub instance_ids: Vec<String>,
    pub dry_run: Option<bool>,
    pub filters: Vec<Filter>,
    pub next_token: Option<String>,
    pub max_results: Option<i32>,
}

impl FromQuery for DescribeInstancesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["InstanceId", "DryRun", "Filter", "NextToken", "MaxResults"],
            ignored: &["IncludeManagedResources"],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            instance_ids: group.list("InstanceId")?,
            dry_run: group.optional("DryRun")?,
            filters: group.list("Filter")?,
            next_token: group.optional("NextToken")?,
            max_results: group.optional("MaxResults")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeInternetGatewaysRequest {
    pub next_token: Option<String>,
    pub max_results: Option<i32>,
    pub dry_run: Option<bool>,
    pub internet_gateway_ids: Vec<String>,
    pub filters: Vec<Filter>,
}

impl FromQuery for DescribeInternetGatewaysRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["NextToken", "MaxResults", "DryRun", "InternetGatewayId", "Filter"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            next_token: group.optional("NextToken")?,
            max_results: group.optional("MaxResults")?,
            dry_run: group.optional("DryRun")?,
            internet_gateway_ids: group.list("InternetGatewayId")?,
            filters: group.list("Filter")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeKeyPairsRequest {
    pub key_names: Vec<String>,
    pub key_pair_ids: Vec<String>,
    pub include_public_key: Option<bool>,
    pub dry_run: Option<bool>,
    pub filters: Vec<Filter>,
}

impl FromQuery for DescribeKeyPairsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["KeyName", "KeyPairId", "IncludePublicKey", "DryRun", "Filter"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            key_names: group.list("KeyName")?,
            key_pair_ids: group.list("KeyPairId")?,
            include_public_key: group.optional("IncludePublicKey")?,
            dry_run: group.optional("DryRun")?,
            filters: group.list("Filter")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeLaunchTemplateVersionsRequest {
    pub dry_run: Option<bool>,
    pub launch_template_id: Option<String>,
    pub launch_template_name: Option<String>,
    pub versions: Vec<String>,
    pub min_version: Option<String>,
    pub max_version: Option<String>,
    pub next_token: Option<String>,
    pub max_results: Option<i32>,
    pub filters: Vec<Filter>,
}

impl FromQuery for DescribeLaunchTemplateVersionsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "LaunchTemplateId", "LaunchTemplateName", "LaunchTemplateVersion", "MinVersion", "MaxVersion", "NextToken", "MaxResults", "Filter"],
            ignored: &["ResolveAlias", "IncludeManagedResources"],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            launch_template_id: group.optional("LaunchTemplateId")?,
            launch_template_name: group.optional("LaunchTemplateName")?,
            versions: group.list("LaunchTemplateVersion")?,
            min_version: group.optional("MinVersion")?,
            max_version: group.optional("MaxVersion")?,
            next_token: group.optional("NextToken")?,
            max_results: group.optional("MaxResults")?,
            filters: group.list("Filter")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeLaunchTemplatesRequest {
    pub dry_run: Option<bool>,
    pub launch_template_ids: Vec<String>,
    pub launch_template_names: Vec<String>,
    pub filters: Vec<Filter>,
    pub next_token: Option<String>,
    pub max_results: Option<i32>,
}

impl FromQuery for DescribeLaunchTemplatesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "LaunchTemplateId", "LaunchTemplateName", "Filter", "NextToken", "MaxResults"],
            ignored: &["IncludeManagedResources"],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            launch_template_ids: group.list("LaunchTemplateId")?,
            launch_template_names: group.list("LaunchTemplateName")?,
            filters: group.list("Filter")?,
            next_token: group.optional("NextToken")?,
            max_results: group.optional("MaxResults")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeLockedSnapshotsRequest {
    pub filters: Vec<Filter>,
    pub max_results: Option<i32>,
    pub next_token: Option<String>,
    pub snapshot_ids: Vec<String>,
    pub dry_run: Option<bool>,
}

impl FromQuery for DescribeLockedSnapshotsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Filter", "MaxResults", "NextToken", "SnapshotId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            filters: group.list("Filter")?,
            max_results: group.optional("MaxResults")?,
            next_token: group.optional("NextToken")?,
            snapshot_ids: group.list("SnapshotId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeNetworkAclsRequest {
    pub next_token: Option<String>,
    pub max_results: Option<i32>,
    pub dry_run: Option<bool>,
    pub network_acl_ids: Vec<String>,
    pub filters: Vec<Filter>,
}

impl FromQuery for DescribeNetworkAclsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["NextToken", "MaxResults", "DryRun", "NetworkAclId", "Filter"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            next_token: group.optional("NextToken")?,
            max_results: group.optional("MaxResults")?,
            dry_run: group.optional("DryRun")?,
            network_acl_ids: group.list("NetworkAclId")?,
            filters: group.list("Filter")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeNetworkInterfacesRequest {
    pub next_token: Option<String>,
    pub max_results: Option<i32>,
    pub dry_run: Option<bool>,
    pub network_interface_ids: Vec<String>,
    pub filters: Vec<Filter>,
}

impl FromQuery for DescribeNetworkInterfacesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["NextToken", "MaxResults", "DryRun", "NetworkInterfaceId", "Filter"],
            ignored: &["IncludeManagedResources"],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            next_token: group.optional("NextToken")?,
            max_results: group.optional("MaxResults")?,
            dry_run: group.optional("DryRun")?,
            network_interface_ids: group.list("NetworkInterfaceId")?,
            filters: group.list("Filter")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeRegionsRequest {
    pub region_names: Vec<String>,
    pub all_regions: Option<bool>,
    pub dry_run: Option<bool>,
    pub filters: Vec<Filter>,
}

impl FromQuery for DescribeRegionsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["RegionName", "AllRegions", "DryRun", "Filter"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            region_names: group.list("RegionName")?,
            all_regions: group.optional("AllRegions")?,
            dry_run: group.optional("DryRun")?,
            filters: group.list("Filter")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeReplaceRootVolumeTasksRequest {
    pub replace_root_volume_task_ids: Vec<String>,
    pub filters: Vec<Filter>,
    pub max_results: Option<i32>,
    pub next_token: Option<String>,
    pub dry_run: Option<bool>,
}

impl FromQuery for DescribeReplaceRootVolumeTasksRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ReplaceRootVolumeTaskId", "Filter", "MaxResults", "NextToken", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            replace_root_volume_task_ids: group.list("ReplaceRootVolumeTaskId")?,
            filters: group.list("Filter")?,
            max_results: group.optional("MaxResults")?,
            next_token: group.optional("NextToken")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeRouteTablesRequest {
    pub next_token: Option<String>,
    pub max_results: Option<i32>,
    pub dry_run: Option<bool>,
    pub route_table_ids: Vec<String>,
    pub filters: Vec<Filter>,
}

impl FromQuery for DescribeRouteTablesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["NextToken", "MaxResults", "DryRun", "RouteTableId", "Filter"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            next_token: group.optional("NextToken")?,
            max_results: group.optional("MaxResults")?,
            dry_run: group.optional("DryRun")?,
            route_table_ids: group.list("RouteTableId")?,
            filters: group.list("Filter")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeSecurityGroupRulesRequest {
    pub filters: Vec<Filter>,
    pub security_group_rule_ids: Vec<String>,
    pub dry_run: Option<bool>,
    pub next_token: Option<String>,
    pub max_results: Option<i32>,
}

impl FromQuery for DescribeSecurityGroupRulesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Filter", "SecurityGroupRuleId", "DryRun", "NextToken", "MaxResults"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            filters: group.list("Filter")?,
            security_group_rule_ids: group.list("SecurityGroupRuleId")?,
            dry_run: group.optional("DryRun")?,
            next_token: group.optional("NextToken")?,
            max_results: group.optional("MaxResults")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeSecurityGroupsRequest {
    pub group_ids: Vec<String>,
    pub group_names: Vec<String>,
    pub next_token: Option<String>,
    pub max_results: Option<i32>,
    pub dry_run: Option<bool>,
    pub filters: Vec<Filter>,
}

impl FromQuery for DescribeSecurityGroupsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["GroupId", "GroupName", "NextToken", "MaxResults", "DryRun", "Filter"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            group_ids: group.list("GroupId")?,
            group_names: group.list("GroupName")?,
            next_token: group.optional("NextToken")?,
            max_results: group.optional("MaxResults")?,
            dry_run: group.optional("DryRun")?,
            filters: group.list("Filter")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeSnapshotAttributeRequest {
    pub attribute: String,
    pub snapshot_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for DescribeSnapshotAttributeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Attribute", "SnapshotId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            attribute: group.required("Attribute")?,
            snapshot_id: group.required("SnapshotId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeSnapshotTierStatusRequest {
    pub filters: Vec<Filter>,
    pub dry_run: Option<bool>,
    pub next_token: Option<String>,
    pub max_results: Option<i32>,
}

impl FromQuery for DescribeSnapshotTierStatusRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Filter", "DryRun", "NextToken", "MaxResults"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            filters: group.list("Filter")?,
            dry_run: group.optional("DryRun")?,
            next_token: group.optional("NextToken")?,
            max_results: group.optional("MaxResults")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeSnapshotsRequest {
    pub max_results: Option<i32>,
    pub next_token: Option<String>,
    pub owner_ids: Vec<String>,
    pub restorable_by_user_ids: Vec<String>,
    pub snapshot_ids: Vec<String>,
    pub dry_run: Option<bool>,
    pub filters: Vec<Filter>,
}

impl FromQuery for DescribeSnapshotsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["MaxResults", "NextToken", "Owner", "RestorableBy", "SnapshotId", "DryRun", "Filter"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            max_results: group.optional("MaxResults")?,
            next_token: group.optional("NextToken")?,
            owner_ids: group.list("Owner")?,
            restorable_by_user_ids: group.list("RestorableBy")?,
            snapshot_ids: group.list("SnapshotId")?,
            dry_run: group.optional("DryRun")?,
            filters: group.list("Filter")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeSubnetsRequest {
    pub filters: Vec<Filter>,
    pub subnet_ids: Vec<String>,
    pub next_token: Option<String>,
    pub max_results: Option<i32>,
    pub dry_run: Option<bool>,
}

impl FromQuery for DescribeSubnetsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Filter", "SubnetId", "NextToken", "MaxResults", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            filters: group.list("Filter")?,
            subnet_ids: group.list("SubnetId")?,
            next_token: group.optional("NextToken")?,
            max_results: group.optional("MaxResults")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeTagsRequest {
    pub dry_run: Option<bool>,
    pub filters: Vec<Filter>,
    pub max_results: Option<i32>,
    pub next_token: Option<String>,
}

impl FromQuery for DescribeTagsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "Filter", "MaxResults", "NextToken"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            filters: group.list("Filter")?,
            max_results: group.optional("MaxResults")?,
            next_token: group.optional("NextToken")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeVolumeAttributeRequest {
    pub attribute: String,
    pub volume_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for DescribeVolumeAttributeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Attribute", "VolumeId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            attribute: group.required("Attribute")?,
            volume_id: group.required("VolumeId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeVolumeStatusRequest {
    pub max_results: Option<i32>,
    pub next_token: Option<String>,
    pub volume_ids: Vec<String>,
    pub dry_run: Option<bool>,
    pub filters: Vec<Filter>,
}

impl FromQuery for DescribeVolumeStatusRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["MaxResults", "NextToken", "VolumeId", "DryRun", "Filter"],
            ignored: &["IncludeManagedResources"],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            max_results: group.optional("MaxResults")?,
            next_token: group.optional("NextToken")?,
            volume_ids: group.list("VolumeId")?,
            dry_run: group.optional("DryRun")?,
            filters: group.list("Filter")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeVolumesModificationsRequest {
    pub dry_run: Option<bool>,
    pub volume_ids: Vec<String>,
    pub filters: Vec<Filter>,
    pub next_token: Option<String>,
    pub max_results: Option<i32>,
}

impl FromQuery for DescribeVolumesModificationsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "VolumeId", "Filter", "NextToken", "MaxResults"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            volume_ids: group.list("VolumeId")?,
            filters: group.list("Filter")?,
            next_token: group.optional("NextToken")?,
            max_results: group.optional("MaxResults")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeVolumesRequest {
    pub volume_ids: Vec<String>,
    pub dry_run: Option<bool>,
    pub filters: Vec<Filter>,
    pub next_token: Option<String>,
    pub max_results: Option<i32>,
}

impl FromQuery for DescribeVolumesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["VolumeId", "DryRun", "Filter", "NextToken", "MaxResults"],
            ignored: &["IncludeManagedResources"],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            volume_ids: group.list("VolumeId")?,
            dry_run: group.optional("DryRun")?,
            filters: group.list("Filter")?,
            next_token: group.optional("NextToken")?,
            max_results: group.optional("MaxResults")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeVpcAttributeRequest {
    pub attribute: String,
    pub vpc_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for DescribeVpcAttributeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Attribute", "VpcId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            attribute: group.required("Attribute")?,
            vpc_id: group.required("VpcId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DescribeVpcsRequest {
    pub filters: Vec<Filter>,
    pub vpc_ids: Vec<String>,
    pub next_token: Option<String>,
    pub max_results: Option<i32>,
    pub dry_run: Option<bool>,
}

impl FromQuery for DescribeVpcsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Filter", "VpcId", "NextToken", "MaxResults", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            filters: group.list("Filter")?,
            vpc_ids: group.list("VpcId")?,
            next_token: group.optional("NextToken")?,
            max_results: group.optional("MaxResults")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DetachNetworkInterfaceRequest {
    pub dry_run: Option<bool>,
    pub attachment_id: String,
}

impl FromQuery for DetachNetworkInterfaceRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "AttachmentId"],
            ignored: &["Force"],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            attachment_id: group.required("AttachmentId")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DetachVolumeRequest {
    pub device: Option<String>,
    pub force: Option<bool>,
    pub instance_id: Option<String>,
    pub volume_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for DetachVolumeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Device", "Force", "InstanceId", "VolumeId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            device: group.optional("Device")?,
            force: group.optional("Force")?,
            instance_id: group.optional("InstanceId")?,
            volume_id: group.required("VolumeId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DisableAllowedImagesSettingsRequest {
    pub dry_run: Option<bool>,
}

impl FromQuery for DisableAllowedImagesSettingsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DisableEbsEncryptionByDefaultRequest {
    pub dry_run: Option<bool>,
}

impl FromQuery for DisableEbsEncryptionByDefaultRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DisableFastSnapshotRestoresRequest {
    pub availability_zones: Vec<String>,
    pub availability_zone_ids: Vec<String>,
    pub source_snapshot_ids: Vec<String>,
    pub dry_run: Option<bool>,
}

impl FromQuery for DisableFastSnapshotRestoresRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["AvailabilityZone", "AvailabilityZoneId", "SourceSnapshotId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            availability_zones: group.list("AvailabilityZone")?,
            availability_zone_ids: group.list("AvailabilityZoneId")?,
            source_snapshot_ids: group.required_list("SourceSnapshotId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DisableImageBlockPublicAccessRequest {
    pub dry_run: Option<bool>,
}

impl FromQuery for DisableImageBlockPublicAccessRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DisableImageDeprecationRequest {
    pub image_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for DisableImageDeprecationRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            image_id: group.required("ImageId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DisableImageDeregistrationProtectionRequest {
    pub image_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for DisableImageDeregistrationProtectionRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            image_id: group.required("ImageId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DisableImageRequest {
    pub image_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for DisableImageRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            image_id: group.required("ImageId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DisableSnapshotBlockPublicAccessRequest {
    pub dry_run: Option<bool>,
}

impl FromQuery for DisableSnapshotBlockPublicAccessRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct DisassociateIamInstanceProfileRequest {
    pub association_id: String,
}

impl FromQuery for DisassociateIamInstanceProfileRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["AssociationId"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            association_id: group.required("AssociationId")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct EbsBlockDevice {
    pub delete_on_termination: Option<bool>,
    pub iops: Option<i32>,
    pub snapshot_id: Option<String>,
    pub volume_size: Option<i32>,
    pub volume_type: Option<String>,
    pub kms_key_id: Option<String>,
    pub throughput: Option<i32>,
    pub encrypted: Option<bool>,
    pub volume_initialization_rate: Option<i32>,
}

impl FromQuery for EbsBlockDevice {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DeleteOnTermination", "Iops", "SnapshotId", "VolumeSize", "VolumeType", "KmsKeyId", "Throughput", "Encrypted", "VolumeInitializationRate"],
            ignored: &[],
            refused: &["OutpostArn", "AvailabilityZone", "AvailabilityZoneId", "EbsCardIndex"],
            only: &[],
        })?;
        Ok(Self {
            delete_on_termination: group.optional("DeleteOnTermination")?,
            iops: group.optional("Iops")?,
            snapshot_id: group.optional("SnapshotId")?,
            volume_size: group.optional("VolumeSize")?,
            volume_type: group.optional("VolumeType")?,
            kms_key_id: group.optional("KmsKeyId")?,
            throughput: group.optional("Throughput")?,
            encrypted: group.optional("Encrypted")?,
            volume_initialization_rate: group.optional("VolumeInitializationRate")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct EbsInstanceBlockDeviceSpecification {
    pub volume_id: Option<String>,
    pub delete_on_termination: Option<bool>,
}

impl FromQuery for EbsInstanceBlockDeviceSpecification {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["VolumeId", "DeleteOnTermination"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            volume_id: group.optional("VolumeId")?,
            delete_on_termination: group.optional("DeleteOnTermination")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct EnableAllowedImagesSettingsRequest {
    pub allowed_images_settings_state: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for EnableAllowedImagesSettingsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["AllowedImagesSettingsState", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            allowed_images_settings_state: group.required("AllowedImagesSettingsState")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct EnableEbsEncryptionByDefaultRequest {
    pub dry_run: Option<bool>,
}

impl FromQuery for EnableEbsEncryptionByDefaultRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct EnableFastSnapshotRestoresRequest {
    pub availability_zones: Vec<String>,
    pub availability_zone_ids: Vec<String>,
    pub source_snapshot_ids: Vec<String>,
    pub dry_run: Option<bool>,
}

impl FromQuery for EnableFastSnapshotRestoresRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["AvailabilityZone", "AvailabilityZoneId", "SourceSnapshotId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            availability_zones: group.list("AvailabilityZone")?,
            availability_zone_ids: group.list("AvailabilityZoneId")?,
            source_snapshot_ids: group.required_list("SourceSnapshotId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct EnableImageBlockPublicAccessRequest {
    pub image_block_public_access_state: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for EnableImageBlockPublicAccessRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageBlockPublicAccessState", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            image_block_public_access_state: group.required("ImageBlockPublicAccessState")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct EnableImageDeprecationRequest {
    pub image_id: String,
    pub deprecate_at: Timestamp,
    pub dry_run: Option<bool>,
}

impl FromQuery for EnableImageDeprecationRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageId", "DeprecateAt", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            image_id: group.required("ImageId")?,
            deprecate_at: group.required("DeprecateAt")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct EnableImageDeregistrationProtectionRequest {
    pub image_id: String,
    pub with_cooldown: Option<bool>,
    pub dry_run: Option<bool>,
}

impl FromQuery for EnableImageDeregistrationProtectionRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageId", "WithCooldown", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            image_id: group.required("ImageId")?,
            with_cooldown: group.optional("WithCooldown")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct EnableImageRequest {
    pub image_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for EnableImageRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            image_id: group.required("ImageId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct EnableSnapshotBlockPublicAccessRequest {
    pub state: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for EnableSnapshotBlockPublicAccessRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["State", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            state: group.required("State")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct EnableVolumeIORequest {
    pub dry_run: Option<bool>,
    pub volume_id: String,
}

impl FromQuery for EnableVolumeIORequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "VolumeId"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            volume_id: group.required("VolumeId")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct EnclaveOptionsRequest {
}

impl FromQuery for EnclaveOptionsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &[],
            ignored: &[],
            refused: &[],
            only: &[("Enabled", &["false"])],
        })?;
        Ok(Self {
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct Filter {
    pub name: Option<String>,
    pub values: Vec<String>,
}

impl FromQuery for Filter {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Name", "Value"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            name: group.optional("Name")?,
            values: group.list("Value")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct GetAllowedImagesSettingsRequest {
    pub dry_run: Option<bool>,
}

impl FromQuery for GetAllowedImagesSettingsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct GetConsoleOutputRequest {
    pub instance_id: String,
    pub latest: Option<bool>,
    pub dry_run: Option<bool>,
}

impl FromQuery for GetConsoleOutputRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["InstanceId", "Latest", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            instance_id: group.required("InstanceId")?,
            latest: group.optional("Latest")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct GetEbsDefaultKmsKeyIdRequest {
    pub dry_run: Option<bool>,
}

impl FromQuery for GetEbsDefaultKmsKeyIdRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct GetEbsEncryptionByDefaultRequest {
    pub dry_run: Option<bool>,
}

impl FromQuery for GetEbsEncryptionByDefaultRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct GetImageAncestryRequest {
    pub image_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for GetImageAncestryRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            image_id: group.required("ImageId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct GetImageBlockPublicAccessStateRequest {
    pub dry_run: Option<bool>,
}

impl FromQuery for GetImageBlockPublicAccessStateRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct GetInstanceMetadataDefaultsRequest {
    pub dry_run: Option<bool>,
}

impl FromQuery for GetInstanceMetadataDefaultsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct GetLaunchTemplateDataRequest {
    pub dry_run: Option<bool>,
    pub instance_id: String,
}

impl FromQuery for GetLaunchTemplateDataRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "InstanceId"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            instance_id: group.required("InstanceId")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct GetPasswordDataRequest {
    pub instance_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for GetPasswordDataRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["InstanceId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            instance_id: group.required("InstanceId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct GetSnapshotBlockPublicAccessStateRequest {
    pub dry_run: Option<bool>,
}

impl FromQuery for GetSnapshotBlockPublicAccessStateRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct HibernationOptionsRequest {
}

impl FromQuery for HibernationOptionsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &[],
            ignored: &[],
            refused: &[],
            only: &[("Configured", &["false"])],
        })?;
        Ok(Self {
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct IamInstanceProfileSpecification {
    pub arn: Option<String>,
    pub name: Option<String>,
}

impl FromQuery for IamInstanceProfileSpecification {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Arn", "Name"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            arn: group.optional("Arn")?,
            name: group.optional("Name")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ImageCriterionRequest {
    pub image_providers: Vec<String>,
    pub marketplace_product_codes: Vec<String>,
    pub image_names: Vec<String>,
    pub deprecation_time_condition: Option<DeprecationTimeConditionRequest>,
    pub creation_date_condition: Option<CreationDateConditionRequest>,
}

impl FromQuery for ImageCriterionRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageProvider", "MarketplaceProductCode", "ImageName", "DeprecationTimeCondition", "CreationDateCondition"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            image_providers: group.list("ImageProvider")?,
            marketplace_product_codes: group.list("MarketplaceProductCode")?,
            image_names: group.list("ImageName")?,
            deprecation_time_condition: group.optional("DeprecationTimeCondition")?,
            creation_date_condition: group.optional("CreationDateCondition")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ImageUsageResourceTypeOptionRequest {
    pub option_name: Option<String>,
    pub option_values: Vec<String>,
}

impl FromQuery for ImageUsageResourceTypeOptionRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["OptionName", "OptionValue"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            option_name: group.optional("OptionName")?,
            option_values: group.list("OptionValue")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ImageUsageResourceTypeRequest {
    pub resource_type: Option<String>,
    pub resource_type_options: Vec<ImageUsageResourceTypeOptionRequest>,
}

impl FromQuery for ImageUsageResourceTypeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ResourceType", "ResourceTypeOption"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            resource_type: group.optional("ResourceType")?,
            resource_type_options: group.list("ResourceTypeOption")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ImportKeyPairRequest {
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: Option<bool>,
    pub key_name: String,
    pub public_key_material: Blob,
}

impl FromQuery for ImportKeyPairRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["TagSpecification", "DryRun", "KeyName", "PublicKeyMaterial"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            tag_specifications: group.list("TagSpecification")?,
            dry_run: group.optional("DryRun")?,
            key_name: group.required("KeyName")?,
            public_key_material: group.required("PublicKeyMaterial")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct InstanceBlockDeviceMappingSpecification {
    pub device_name: Option<String>,
    pub ebs: Option<EbsInstanceBlockDeviceSpecification>,
}

impl FromQuery for InstanceBlockDeviceMappingSpecification {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DeviceName", "Ebs"],
            ignored: &[],
            refused: &["VirtualName", "NoDevice"],
            only: &[],
        })?;
        Ok(Self {
            device_name: group.optional("DeviceName")?,
            ebs: group.optional("Ebs")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct InstanceMaintenanceOptionsRequest {
}

impl FromQuery for InstanceMaintenanceOptionsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &[],
            ignored: &[],
            refused: &[],
            only: &[("AutoRecovery", &["default"])],
        })?;
        Ok(Self {
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct InstanceMetadataOptionsRequest {
    pub http_tokens: Option<String>,
    pub http_put_response_hop_limit: Option<i32>,
    pub http_endpoint: Option<String>,
    pub instance_metadata_tags: Option<String>,
}

impl FromQuery for InstanceMetadataOptionsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint", "InstanceMetadataTags"],
            ignored: &[],
            refused: &[],
            only: &[("HttpProtocolIpv6", &["disabled"])],
        })?;
        Ok(Self {
            http_tokens: group.optional("HttpTokens")?,
            http_put_response_hop_limit: group.optional("HttpPutResponseHopLimit")?,
            http_endpoint: group.optional("HttpEndpoint")?,
            instance_metadata_tags: group.optional("InstanceMetadataTags")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct InstanceNetworkInterfaceSpecification {
    pub associate_public_ip_address: Option<bool>,
    pub delete_on_termination: Option<bool>,
    pub description: Option<String>,
    pub device_index: Option<i32>,
    pub groups: Vec<String>,
    pub private_ip_address: Option<String>,
    pub subnet_id: Option<String>,
}

impl FromQuery for InstanceNetworkInterfaceSpecification {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["AssociatePublicIpAddress", "DeleteOnTermination", "Description", "DeviceIndex", "SecurityGroupId", "PrivateIpAddress", "SubnetId"],
            ignored: &[],
            refused: &["Ipv6AddressCount", "Ipv6Addresses", "NetworkInterfaceId", "PrivateIpAddresses", "SecondaryPrivateIpAddressCount", "AssociateCarrierIpAddress", "Ipv4Prefix", "Ipv4PrefixCount", "Ipv6Prefix", "Ipv6PrefixCount", "PrimaryIpv6", "EnaSrdSpecification", "ConnectionTrackingSpecification", "EnaQueueCount"],
            only: &[("InterfaceType", &["interface"]), ("NetworkCardIndex", &["0"])],
        })?;
        Ok(Self {
            associate_public_ip_address: group.optional("AssociatePublicIpAddress")?,
            delete_on_termination: group.optional("DeleteOnTermination")?,
            description: group.optional("Description")?,
            device_index: group.optional("DeviceIndex")?,
            groups: group.list("SecurityGroupId")?,
            private_ip_address: group.optional("PrivateIpAddress")?,
            subnet_id: group.optional("SubnetId")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct InstanceNetworkPerformanceOptionsRequest {
}

impl FromQuery for InstanceNetworkPerformanceOptionsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &[],
            ignored: &[],
            refused: &[],
            only: &[("BandwidthWeighting", &["default"])],
        })?;
        Ok(Self {
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct InstanceSpecification {
    pub instance_id: String,
    pub exclude_boot_volume: Option<bool>,
    pub exclude_data_volume_ids: Vec<String>,
}

impl FromQuery for InstanceSpecification {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["InstanceId", "ExcludeBootVolume", "ExcludeDataVolumeId"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            instance_id: group.required("InstanceId")?,
            exclude_boot_volume: group.optional("ExcludeBootVolume")?,
            exclude_data_volume_ids: group.list("ExcludeDataVolumeId")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct IpPermission {
    pub ip_protocol: Option<String>,
    pub from_port: Option<i32>,
    pub to_port: Option<i32>,
    pub user_id_group_pairs: Vec<UserIdGroupPair>,
    pub ip_ranges: Vec<IpRange>,
    pub ipv6_ranges: Vec<Ipv6Range>,
}

impl FromQuery for IpPermission {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["IpProtocol", "FromPort", "ToPort", "Groups", "IpRanges", "Ipv6Ranges"],
            ignored: &[],
            refused: &["PrefixListIds"],
            only: &[],
        })?;
        Ok(Self {
            ip_protocol: group.optional("IpProtocol")?,
            from_port: group.optional("FromPort")?,
            to_port: group.optional("ToPort")?,
            user_id_group_pairs: group.list("Groups")?,
            ip_ranges: group.list("IpRanges")?,
            ipv6_ranges: group.list("Ipv6Ranges")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct IpRange {
    pub description: Option<String>,
    pub cidr_ip: Option<String>,
}

impl FromQuery for IpRange {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Description", "CidrIp"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            description: group.optional("Description")?,
            cidr_ip: group.optional("CidrIp")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct Ipv6Range {
    pub description: Option<String>,
    pub cidr_ipv6: Option<String>,
}

impl FromQuery for Ipv6Range {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Description", "CidrIpv6"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            description: group.optional("Description")?,
            cidr_ipv6: group.optional("CidrIpv6")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct LaunchPermission {
    pub organization_arn: Option<String>,
    pub organizational_unit_arn: Option<String>,
    pub user_id: Option<String>,
    pub group: Option<String>,
}

impl FromQuery for LaunchPermission {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["OrganizationArn", "OrganizationalUnitArn", "UserId", "Group"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            organization_arn: group.optional("OrganizationArn")?,
            organizational_unit_arn: group.optional("OrganizationalUnitArn")?,
            user_id: group.optional("UserId")?,
            group: group.optional("Group")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct LaunchPermissionModifications {
    pub add: Vec<LaunchPermission>,
    pub remove: Vec<LaunchPermission>,
}

impl FromQuery for LaunchPermissionModifications {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Add", "Remove"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            add: group.list("Add")?,
            remove: group.list("Remove")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct LaunchTemplateBlockDeviceMappingRequest {
    pub device_name: Option<String>,
    pub virtual_name: Option<String>,
    pub ebs: Option<LaunchTemplateEbsBlockDeviceRequest>,
    pub no_device: Option<String>,
}

impl FromQuery for LaunchTemplateBlockDeviceMappingRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DeviceName", "VirtualName", "Ebs", "NoDevice"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            device_name: group.optional("DeviceName")?,
            virtual_name: group.optional("VirtualName")?,
            ebs: group.optional("Ebs")?,
            no_device: group.kept("NoDevice")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct LaunchTemplateEbsBlockDeviceRequest {
    pub encrypted: Option<bool>,
    pub delete_on_termination: Option<bool>,
    pub iops: Option<i32>,
    pub kms_key_id: Option<String>,
    pub snapshot_id: Option<String>,
    pub volume_size: Option<i32>,
    pub volume_type: Option<String>,
    pub throughput: Option<i32>,
    pub volume_initialization_rate: Option<i32>,
}

impl FromQuery for LaunchTemplateEbsBlockDeviceRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Encrypted", "DeleteOnTermination", "Iops", "KmsKeyId", "SnapshotId", "VolumeSize", "VolumeType", "Throughput", "VolumeInitializationRate"],
            ignored: &[],
            refused: &["EbsCardIndex"],
            only: &[],
        })?;
        Ok(Self {
            encrypted: group.optional("Encrypted")?,
            delete_on_termination: group.optional("DeleteOnTermination")?,
            iops: group.optional("Iops")?,
            kms_key_id: group.optional("KmsKeyId")?,
            snapshot_id: group.optional("SnapshotId")?,
            volume_size: group.optional("VolumeSize")?,
            volume_type: group.optional("VolumeType")?,
            throughput: group.optional("Throughput")?,
            volume_initialization_rate: group.optional("VolumeInitializationRate")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct LaunchTemplateIamInstanceProfileSpecificationRequest {
    pub arn: Option<String>,
    pub name: Option<String>,
}

impl FromQuery for LaunchTemplateIamInstanceProfileSpecificationRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Arn", "Name"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            arn: group.optional("Arn")?,
            name: group.optional("Name")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct LaunchTemplateInstanceMetadataOptionsRequest {
    pub http_tokens: Option<String>,
    pub http_put_response_hop_limit: Option<i32>,
    pub http_endpoint: Option<String>,
    pub instance_metadata_tags: Option<String>,
}

impl FromQuery for LaunchTemplateInstanceMetadataOptionsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint", "InstanceMetadataTags"],
            ignored: &[],
            refused: &[],
            only: &[("HttpProtocolIpv6", &["disabled"])],
        })?;
        Ok(Self {
            http_tokens: group.optional("HttpTokens")?,
            http_put_response_hop_limit: group.optional("HttpPutResponseHopLimit")?,
            http_endpoint: group.optional("HttpEndpoint")?,
            instance_metadata_tags: group.optional("InstanceMetadataTags")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct LaunchTemplateInstanceNetworkInterfaceSpecificationRequest {
    pub associate_public_ip_address: Option<bool>,
    pub delete_on_termination: Option<bool>,
    pub description: Option<String>,
    pub device_index: Option<i32>,
    pub groups: Vec<String>,
    pub private_ip_address: Option<String>,
    pub subnet_id: Option<String>,
}

impl FromQuery for LaunchTemplateInstanceNetworkInterfaceSpecificationRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["AssociatePublicIpAddress", "DeleteOnTermination", "Description", "DeviceIndex", "SecurityGroupId", "PrivateIpAddress", "SubnetId"],
            ignored: &[],
            refused: &["AssociateCarrierIpAddress", "Ipv6AddressCount", "Ipv6Addresses", "NetworkInterfaceId", "PrivateIpAddresses", "SecondaryPrivateIpAddressCount", "Ipv4Prefix", "Ipv4PrefixCount", "Ipv6Prefix", "Ipv6PrefixCount", "PrimaryIpv6", "EnaSrdSpecification", "ConnectionTrackingSpecification", "EnaQueueCount"],
            only: &[("InterfaceType", &["interface"]), ("NetworkCardIndex", &["0"])],
        })?;
        Ok(Self {
            associate_public_ip_address: group.optional("AssociatePublicIpAddress")?,
            delete_on_termination: group.optional("DeleteOnTermination")?,
            description: group.optional("Description")?,
            device_index: group.optional("DeviceIndex")?,
            groups: group.list("SecurityGroupId")?,
            private_ip_address: group.optional("PrivateIpAddress")?,
            subnet_id: group.optional("SubnetId")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct LaunchTemplatePlacementRequest {
    pub availability_zone: Option<String>,
    pub availability_zone_id: Option<String>,
    pub tenancy: Option<String>,
}

impl FromQuery for LaunchTemplatePlacementRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["AvailabilityZone", "AvailabilityZoneId", "Tenancy"],
            ignored: &[],
            refused: &["Affinity", "GroupName", "HostId", "SpreadDomain", "HostResourceGroupArn", "PartitionNumber", "GroupId"],
            only: &[],
        })?;
        Ok(Self {
            availability_zone: group.optional("AvailabilityZone")?,
            availability_zone_id: group.optional("AvailabilityZoneId")?,
            tenancy: group.optional("Tenancy")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct LaunchTemplateSpecification {
    pub launch_template_id: Option<String>,
    pub launch_template_name: Option<String>,
    pub version: Option<String>,
}

impl FromQuery for LaunchTemplateSpecification {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["LaunchTemplateId", "LaunchTemplateName", "Version"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            launch_template_id: group.optional("LaunchTemplateId")?,
            launch_template_name: group.optional("LaunchTemplateName")?,
            version: group.optional("Version")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct LaunchTemplateTagSpecificationRequest {
    pub resource_type: Option<String>,
    pub tags: Vec<Tag>,
}

impl FromQuery for LaunchTemplateTagSpecificationRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ResourceType", "Tag"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            resource_type: group.optional("ResourceType")?,
            tags: group.list("Tag")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct LaunchTemplatesMonitoringRequest {
    pub enabled: Option<bool>,
}

impl FromQuery for LaunchTemplatesMonitoringRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Enabled"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            enabled: group.optional("Enabled")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ListImagesInRecycleBinRequest {
    pub image_ids: Vec<String>,
    pub next_token: Option<String>,
    pub max_results: Option<i32>,
    pub dry_run: Option<bool>,
}

impl FromQuery for ListImagesInRecycleBinRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageId", "NextToken", "MaxResults", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            image_ids: group.list("ImageId")?,
            next_token: group.optional("NextToken")?,
            max_results: group.optional("MaxResults")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ListSnapshotsInRecycleBinRequest {
    pub max_results: Option<i32>,
    pub next_token: Option<String>,
    pub snapshot_ids: Vec<String>,
    pub dry_run: Option<bool>,
}

impl FromQuery for ListSnapshotsInRecycleBinRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["MaxResults", "NextToken", "SnapshotId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            max_results: group.optional("MaxResults")?,
            next_token: group.optional("NextToken")?,
            snapshot_ids: group.list("SnapshotId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ListVolumesInRecycleBinRequest {
    pub volume_ids: Vec<String>,
    pub dry_run: Option<bool>,
    pub max_results: Option<i32>,
    pub next_token: Option<String>,
}

impl FromQuery for ListVolumesInRecycleBinRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["VolumeId", "DryRun", "MaxResults", "NextToken"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            volume_ids: group.list("VolumeId")?,
            dry_run: group.optional("DryRun")?,
            max_results: group.optional("MaxResults")?,
            next_token: group.optional("NextToken")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct LockSnapshotRequest {
    pub snapshot_id: String,
    pub dry_run: Option<bool>,
    pub lock_mode: String,
    pub cool_off_period: Option<i32>,
    pub lock_duration: Option<i32>,
    pub expiration_date: Option<Timestamp>,
}

impl FromQuery for LockSnapshotRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["SnapshotId", "DryRun", "LockMode", "CoolOffPeriod", "LockDuration", "ExpirationDate"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            snapshot_id: group.required("SnapshotId")?,
            dry_run: group.optional("DryRun")?,
            lock_mode: group.required("LockMode")?,
            cool_off_period: group.optional("CoolOffPeriod")?,
            lock_duration: group.optional("LockDuration")?,
            expiration_date: group.optional("ExpirationDate")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ModifyAvailabilityZoneGroupRequest {
    pub group_name: String,
    pub opt_in_status: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for ModifyAvailabilityZoneGroupRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["GroupName", "OptInStatus", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            group_name: group.required("GroupName")?,
            opt_in_status: group.required("OptInStatus")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ModifyEbsDefaultKmsKeyIdRequest {
    pub kms_key_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for ModifyEbsDefaultKmsKeyIdRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["KmsKeyId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            kms_key_id: group.required("KmsKeyId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ModifyImageAttributeRequest {
    pub attribute: Option<String>,
    pub description: Option<AttributeValue>,
    pub image_id: String,
    pub launch_permission: Option<LaunchPermissionModifications>,
    pub operation_type: Option<String>,
    pub user_groups: Vec<String>,
    pub user_ids: Vec<String>,
    pub value: Option<String>,
    pub organization_arns: Vec<String>,
    pub organizational_unit_arns: Vec<String>,
    pub imds_support: Option<AttributeValue>,
    pub dry_run: Option<bool>,
}

impl FromQuery for ModifyImageAttributeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Attribute", "Description", "ImageId", "LaunchPermission", "OperationType", "UserGroup", "UserId", "Value", "OrganizationArn", "OrganizationalUnitArn", "ImdsSupport", "DryRun"],
            ignored: &[],
            refused: &["ProductCode"],
            only: &[],
        })?;
        Ok(Self {
            attribute: group.optional("Attribute")?,
            description: group.optional("Description")?,
            image_id: group.required("ImageId")?,
            launch_permission: group.optional("LaunchPermission")?,
            operation_type: group.optional("OperationType")?,
            user_groups: group.list("UserGroup")?,
            user_ids: group.list("UserId")?,
            value: group.kept("Value")?,
            organization_arns: group.list("OrganizationArn")?,
            organizational_unit_arns: group.list("OrganizationalUnitArn")?,
            imds_support: group.optional("ImdsSupport")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ModifyInstanceAttributeRequest {
    pub source_dest_check: Option<AttributeBooleanValue>,
    pub disable_api_stop: Option<AttributeBooleanValue>,
    pub dry_run: Option<bool>,
    pub instance_id: String,
    pub attribute: Option<String>,
    pub value: Option<String>,
    pub block_device_mappings: Vec<InstanceBlockDeviceMappingSpecification>,
    pub disable_api_termination: Option<AttributeBooleanValue>,
    pub instance_type: Option<AttributeValue>,
    pub user_data: Option<BlobAttributeValue>,
    pub instance_initiated_shutdown_behavior: Option<AttributeValue>,
    pub groups: Vec<String>,
    pub ebs_optimized: Option<AttributeBooleanValue>,
    pub sriov_net_support: Option<AttributeValue>,
    pub ena_support: Option<AttributeBooleanValue>,
}

impl FromQuery for ModifyInstanceAttributeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["SourceDestCheck", "DisableApiStop", "DryRun", "InstanceId", "Attribute", "Value", "BlockDeviceMapping", "DisableApiTermination", "InstanceType", "UserData", "InstanceInitiatedShutdownBehavior", "GroupId", "EbsOptimized", "SriovNetSupport", "EnaSupport"],
            ignored: &[],
            refused: &["Kernel", "Ramdisk"],
            only: &[],
        })?;
        Ok(Self {
            source_dest_check: group.optional("SourceDestCheck")?,
            disable_api_stop: group.optional("DisableApiStop")?,
            dry_run: group.optional("DryRun")?,
            instance_id: group.required("InstanceId")?,
            attribute: group.optional("Attribute")?,
            value: group.optional("Value")?,
            block_device_mappings: group.list("BlockDeviceMapping")?,
            disable_api_termination: group.optional("DisableApiTermination")?,
            instance_type: group.optional("InstanceType")?,
            user_data: group.optional("UserData")?,
            instance_initiated_shutdown_behavior: group.optional("InstanceInitiatedShutdownBehavior")?,
            groups: group.list("GroupId")?,
            ebs_optimized: group.optional("EbsOptimized")?,
            sriov_net_support: group.optional("SriovNetSupport")?,
            ena_support: group.optional("EnaSupport")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ModifyInstanceMetadataDefaultsRequest {
    pub http_tokens: Option<String>,
    pub http_put_response_hop_limit: Option<i32>,
    pub http_endpoint: Option<String>,
    pub instance_metadata_tags: Option<String>,
    pub dry_run: Option<bool>,
    pub http_tokens_enforced: Option<String>,
}

impl FromQuery for ModifyInstanceMetadataDefaultsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint", "InstanceMetadataTags", "DryRun", "HttpTokensEnforced"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            http_tokens: group.optional("HttpTokens")?,
            http_put_response_hop_limit: group.optional("HttpPutResponseHopLimit")?,
            http_endpoint: group.optional("HttpEndpoint")?,
            instance_metadata_tags: group.optional("InstanceMetadataTags")?,
            dry_run: group.optional("DryRun")?,
            http_tokens_enforced: group.optional("HttpTokensEnforced")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ModifyInstanceMetadataOptionsRequest {
    pub instance_id: String,
    pub http_tokens: Option<String>,
    pub http_put_response_hop_limit: Option<i32>,
    pub http_endpoint: Option<String>,
    pub dry_run: Option<bool>,
    pub instance_metadata_tags: Option<String>,
}

impl FromQuery for ModifyInstanceMetadataOptionsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["InstanceId", "HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint", "DryRun", "InstanceMetadataTags"],
            ignored: &[],
            refused: &[],
            only: &[("HttpProtocolIpv6", &["disabled"])],
        })?;
        Ok(Self {
            instance_id: group.required("InstanceId")?,
            http_tokens: group.optional("HttpTokens")?,
            http_put_response_hop_limit: group.optional("HttpPutResponseHopLimit")?,
            http_endpoint: group.optional("HttpEndpoint")?,
            dry_run: group.optional("DryRun")?,
            instance_metadata_tags: group.optional("InstanceMetadataTags")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ModifyLaunchTemplateRequest {
    pub dry_run: Option<bool>,
    pub client_token: Option<String>,
    pub launch_template_id: Option<String>,
    pub launch_template_name: Option<String>,
    pub default_version: Option<String>,
}

impl FromQuery for ModifyLaunchTemplateRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "ClientToken", "LaunchTemplateId", "LaunchTemplateName", "SetDefaultVersion"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            client_token: group.optional("ClientToken")?,
            launch_template_id: group.optional("LaunchTemplateId")?,
            launch_template_name: group.optional("LaunchTemplateName")?,
            default_version: group.optional("SetDefaultVersion")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ModifySecurityGroupRulesRequest {
    pub group_id: String,
    pub security_group_rules: Vec<SecurityGroupRuleUpdate>,
    pub dry_run: Option<bool>,
}

impl FromQuery for ModifySecurityGroupRulesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["GroupId", "SecurityGroupRule", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            group_id: group.required("GroupId")?,
            security_group_rules: group.required_list("SecurityGroupRule")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ModifySnapshotAttributeRequest {
    pub attribute: Option<String>,
    pub create_volume_permission: Option<CreateVolumePermissionModifications>,
    pub group_names: Vec<String>,
    pub operation_type: Option<String>,
    pub snapshot_id: String,
    pub user_ids: Vec<String>,
    pub dry_run: Option<bool>,
}

impl FromQuery for ModifySnapshotAttributeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Attribute", "CreateVolumePermission", "UserGroup", "OperationType", "SnapshotId", "UserId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            attribute: group.optional("Attribute")?,
            create_volume_permission: group.optional("CreateVolumePermission")?,
            group_names: group.list("UserGroup")?,
            operation_type: group.optional("OperationType")?,
            snapshot_id: group.required("SnapshotId")?,
            user_ids: group.list("UserId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ModifySnapshotTierRequest {
    pub snapshot_id: String,
    pub storage_tier: Option<String>,
    pub dry_run: Option<bool>,
}

impl FromQuery for ModifySnapshotTierRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["SnapshotId", "StorageTier", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            snapshot_id: group.required("SnapshotId")?,
            storage_tier: group.optional("StorageTier")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ModifySubnetAttributeRequest {
    pub assign_ipv6_address_on_creation: Option<AttributeBooleanValue>,
    pub map_public_ip_on_launch: Option<AttributeBooleanValue>,
    pub subnet_id: String,
    pub map_customer_owned_ip_on_launch: Option<AttributeBooleanValue>,
    pub enable_dns64: Option<AttributeBooleanValue>,
    pub enable_resource_name_dns_a_record_on_launch: Option<AttributeBooleanValue>,
    #[cfg_attr(test, serde(rename = "EnableResourceNameDnsAAAARecordOnLaunch"))]
    pub enable_resource_name_dns_aaaa_record_on_launch: Option<AttributeBooleanValue>,
}

impl FromQuery for ModifySubnetAttributeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["AssignIpv6AddressOnCreation", "MapPublicIpOnLaunch", "SubnetId", "MapCustomerOwnedIpOnLaunch", "EnableDns64", "EnableResourceNameDnsARecordOnLaunch", "EnableResourceNameDnsAAAARecordOnLaunch"],
            ignored: &[],
            refused: &["CustomerOwnedIpv4Pool", "EnableLniAtDeviceIndex", "DisableLniAtDeviceIndex"],
            only: &[("PrivateDnsHostnameTypeOnLaunch", &["ip-name"])],
        })?;
        Ok(Self {
            assign_ipv6_address_on_creation: group.optional("AssignIpv6AddressOnCreation")?,
            map_public_ip_on_launch: group.optional("MapPublicIpOnLaunch")?,
            subnet_id: group.required("SubnetId")?,
            map_customer_owned_ip_on_launch: group.optional("MapCustomerOwnedIpOnLaunch")?,
            enable_dns64: group.optional("EnableDns64")?,
            enable_resource_name_dns_a_record_on_launch: group.optional("EnableResourceNameDnsARecordOnLaunch")?,
            enable_resource_name_dns_aaaa_record_on_launch: group.optional("EnableResourceNameDnsAAAARecordOnLaunch")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ModifyVolumeAttributeRequest {
    #[cfg_attr(test, serde(rename = "AutoEnableIO"))]
    pub auto_enable_io: Option<AttributeBooleanValue>,
    pub volume_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for ModifyVolumeAttributeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["AutoEnableIO", "VolumeId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            auto_enable_io: group.optional("AutoEnableIO")?,
            volume_id: group.required("VolumeId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ModifyVolumeRequest {
    pub dry_run: Option<bool>,
    pub volume_id: String,
    pub size: Option<i32>,
    pub volume_type: Option<String>,
    pub iops: Option<i32>,
    pub throughput: Option<i32>,
    pub multi_attach_enabled: Option<bool>,
}

impl FromQuery for ModifyVolumeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "VolumeId", "Size", "VolumeType", "Iops", "Throughput", "MultiAttachEnabled"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            volume_id: group.required("VolumeId")?,
            size: group.optional("Size")?,
            volume_type: group.optional("VolumeType")?,
            iops: group.optional("Iops")?,
            throughput: group.optional("Throughput")?,
            multi_attach_enabled: group.optional("MultiAttachEnabled")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ModifyVpcAttributeRequest {
    pub enable_dns_hostnames: Option<AttributeBooleanValue>,
    pub enable_dns_support: Option<AttributeBooleanValue>,
    pub vpc_id: String,
    pub enable_network_address_usage_metrics: Option<AttributeBooleanValue>,
}

impl FromQuery for ModifyVpcAttributeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["EnableDnsHostnames", "EnableDnsSupport", "VpcId", "EnableNetworkAddressUsageMetrics"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            enable_dns_hostnames: group.optional("EnableDnsHostnames")?,
            enable_dns_support: group.optional("EnableDnsSupport")?,
            vpc_id: group.required("VpcId")?,
            enable_network_address_usage_metrics: group.optional("EnableNetworkAddressUsageMetrics")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct MonitorInstancesRequest {
    pub instance_ids: Vec<String>,
    pub dry_run: Option<bool>,
}

impl FromQuery for MonitorInstancesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["InstanceId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            instance_ids: group.required_list("InstanceId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct Placement {
    pub availability_zone_id: Option<String>,
    pub availability_zone: Option<String>,
}

impl FromQuery for Placement {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["AvailabilityZoneId", "AvailabilityZone"],
            ignored: &[],
            refused: &["Affinity", "GroupName", "PartitionNumber", "HostId", "SpreadDomain", "HostResourceGroupArn", "GroupId"],
            only: &[("Tenancy", &["default"])],
        })?;
        Ok(Self {
            availability_zone_id: group.optional("AvailabilityZoneId")?,
            availability_zone: group.optional("AvailabilityZone")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct PrivateDnsNameOptionsRequest {
}

impl FromQuery for PrivateDnsNameOptionsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &[],
            ignored: &[],
            refused: &[],
            only: &[("EnableResourceNameDnsAAAARecord", &["false"]), ("EnableResourceNameDnsARecord", &["false"]), ("HostnameType", &["ip-name"])],
        })?;
        Ok(Self {
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct PrivateIpAddressSpecification {
    pub primary: Option<bool>,
    pub private_ip_address: Option<String>,
}

impl FromQuery for PrivateIpAddressSpecification {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Primary", "PrivateIpAddress"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            primary: group.optional("Primary")?,
            private_ip_address: group.optional("PrivateIpAddress")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct RebootInstancesRequest {
    pub instance_ids: Vec<String>,
    pub dry_run: Option<bool>,
}

impl FromQuery for RebootInstancesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["InstanceId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            instance_ids: group.required_list("InstanceId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct RegisterImageRequest {
    pub image_location: Option<String>,
    pub boot_mode: Option<String>,
    pub tpm_support: Option<String>,
    pub uefi_data: Option<String>,
    pub imds_support: Option<String>,
    pub tag_specifications: Vec<TagSpecification>,
    pub dry_run: Option<bool>,
    pub name: String,
    pub description: Option<String>,
    pub architecture: Option<String>,
    pub kernel_id: Option<String>,
    pub ramdisk_id: Option<String>,
    pub root_device_name: Option<String>,
    pub block_device_mappings: Vec<BlockDeviceMapping>,
    pub virtualization_type: Option<String>,
    pub sriov_net_support: Option<String>,
    pub ena_support: Option<bool>,
}

impl FromQuery for RegisterImageRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageLocation", "BootMode", "TpmSupport", "UefiData", "ImdsSupport", "TagSpecification", "DryRun", "Name", "Description", "Architecture", "KernelId", "RamdiskId", "RootDeviceName", "BlockDeviceMapping", "VirtualizationType", "SriovNetSupport", "EnaSupport"],
            ignored: &[],
            refused: &["BillingProduct"],
            only: &[],
        })?;
        Ok(Self {
            image_location: group.optional("ImageLocation")?,
            boot_mode: group.optional("BootMode")?,
            tpm_support: group.optional("TpmSupport")?,
            uefi_data: group.optional("UefiData")?,
            imds_support: group.optional("ImdsSupport")?,
            tag_specifications: group.list("TagSpecification")?,
            dry_run: group.optional("DryRun")?,
            name: group.required("Name")?,
            description: group.optional("Description")?,
            architecture: group.optional("Architecture")?,
            kernel_id: group.optional("KernelId")?,
            ramdisk_id: group.optional("RamdiskId")?,
            root_device_name: group.optional("RootDeviceName")?,
            block_device_mappings: group.list("BlockDeviceMapping")?,
            virtualization_type: group.optional("VirtualizationType")?,
            sriov_net_support: group.optional("SriovNetSupport")?,
            ena_support: group.optional("EnaSupport")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ReplaceImageCriteriaInAllowedImagesSettingsRequest {
    pub image_criteria: Vec<ImageCriterionRequest>,
    pub dry_run: Option<bool>,
}

impl FromQuery for ReplaceImageCriteriaInAllowedImagesSettingsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageCriterion", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            image_criteria: group.list("ImageCriterion")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct RequestLaunchTemplateData {
    pub ebs_optimized: Option<bool>,
    pub iam_instance_profile: Option<LaunchTemplateIamInstanceProfileSpecificationRequest>,
    pub block_device_mappings: Vec<LaunchTemplateBlockDeviceMappingRequest>,
    pub network_interfaces: Vec<LaunchTemplateInstanceNetworkInterfaceSpecificationRequest>,
    pub image_id: Option<String>,
    pub instance_type: Option<String>,
    pub key_name: Option<String>,
    pub monitoring: Option<LaunchTemplatesMonitoringRequest>,
    pub placement: Option<LaunchTemplatePlacementRequest>,
    pub disable_api_termination: Option<bool>,
    pub instance_initiated_shutdown_behavior: Option<String>,
    pub user_data: Option<String>,
    pub tag_specifications: Vec<LaunchTemplateTagSpecificationRequest>,
    pub security_group_ids: Vec<String>,
    pub security_groups: Vec<String>,
    pub credit_specification: Option<CreditSpecificationRequest>,
    pub metadata_options: Option<LaunchTemplateInstanceMetadataOptionsRequest>,
    pub disable_api_stop: Option<bool>,
}

impl FromQuery for RequestLaunchTemplateData {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["EbsOptimized", "IamInstanceProfile", "BlockDeviceMapping", "NetworkInterface", "ImageId", "InstanceType", "KeyName", "Monitoring", "Placement", "DisableApiTermination", "InstanceInitiatedShutdownBehavior", "UserData", "TagSpecification", "SecurityGroupId", "SecurityGroup", "CreditSpecification", "MetadataOptions", "DisableApiStop"],
            ignored: &[],
            refused: &["KernelId", "RamDiskId", "ElasticGpuSpecification", "ElasticInferenceAccelerator", "InstanceMarketOptions", "CpuOptions", "CapacityReservationSpecification", "LicenseSpecification", "HibernationOptions", "EnclaveOptions", "InstanceRequirements", "PrivateDnsNameOptions", "MaintenanceOptions", "Operator", "NetworkPerformanceOptions", "SecondaryInterface"],
            only: &[],
        })?;
        Ok(Self {
            ebs_optimized: group.optional("EbsOptimized")?,
            iam_instance_profile: group.optional("IamInstanceProfile")?,
            block_device_mappings: group.list("BlockDeviceMapping")?,
            network_interfaces: group.list("NetworkInterface")?,
            image_id: group.optional("ImageId")?,
            instance_type: group.optional("InstanceType")?,
            key_name: group.optional("KeyName")?,
            monitoring: group.optional("Monitoring")?,
            placement: group.optional("Placement")?,
            disable_api_termination: group.optional("DisableApiTermination")?,
            instance_initiated_shutdown_behavior: group.optional("InstanceInitiatedShutdownBehavior")?,
            user_data: group.optional("UserData")?,
            tag_specifications: group.list("TagSpecification")?,
            security_group_ids: group.list("SecurityGroupId")?,
            security_groups: group.list("SecurityGroup")?,
            credit_specification: group.optional("CreditSpecification")?,
            metadata_options: group.optional("MetadataOptions")?,
            disable_api_stop: group.optional("DisableApiStop")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ResetEbsDefaultKmsKeyIdRequest {
    pub dry_run: Option<bool>,
}

impl FromQuery for ResetEbsDefaultKmsKeyIdRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ResetImageAttributeRequest {
    pub attribute: String,
    pub image_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for ResetImageAttributeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Attribute", "ImageId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            attribute: group.required("Attribute")?,
            image_id: group.required("ImageId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ResetInstanceAttributeRequest {
    pub dry_run: Option<bool>,
    pub instance_id: String,
    pub attribute: String,
}

impl FromQuery for ResetInstanceAttributeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["DryRun", "InstanceId", "Attribute"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            dry_run: group.optional("DryRun")?,
            instance_id: group.required("InstanceId")?,
            attribute: group.required("Attribute")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ResetSnapshotAttributeRequest {
    pub attribute: String,
    pub snapshot_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for ResetSnapshotAttributeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Attribute", "SnapshotId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            attribute: group.required("Attribute")?,
            snapshot_id: group.required("SnapshotId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ResourceTypeOption {
    pub option_name: Option<String>,
    pub option_values: Vec<String>,
}

impl FromQuery for ResourceTypeOption {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["OptionName", "OptionValue"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            option_name: group.optional("OptionName")?,
            option_values: group.list("OptionValue")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct ResourceTypeRequest {
    pub resource_type: Option<String>,
    pub resource_type_options: Vec<ResourceTypeOption>,
}

impl FromQuery for ResourceTypeRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ResourceType", "ResourceTypeOption"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            resource_type: group.optional("ResourceType")?,
            resource_type_options: group.list("ResourceTypeOption")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct RestoreImageFromRecycleBinRequest {
    pub image_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for RestoreImageFromRecycleBinRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ImageId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            image_id: group.required("ImageId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct RestoreSnapshotFromRecycleBinRequest {
    pub snapshot_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for RestoreSnapshotFromRecycleBinRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["SnapshotId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            snapshot_id: group.required("SnapshotId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct RestoreSnapshotTierRequest {
    pub snapshot_id: String,
    pub temporary_restore_days: Option<i32>,
    pub permanent_restore: Option<bool>,
    pub dry_run: Option<bool>,
}

impl FromQuery for RestoreSnapshotTierRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["SnapshotId", "TemporaryRestoreDays", "PermanentRestore", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            snapshot_id: group.required("SnapshotId")?,
            temporary_restore_days: group.optional("TemporaryRestoreDays")?,
            permanent_restore: group.optional("PermanentRestore")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct RestoreVolumeFromRecycleBinRequest {
    pub volume_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for RestoreVolumeFromRecycleBinRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["VolumeId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            volume_id: group.required("VolumeId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct RevokeSecurityGroupEgressRequest {
    pub security_group_rule_ids: Vec<String>,
    pub dry_run: Option<bool>,
    pub group_id: String,
    pub ip_permissions: Vec<IpPermission>,
}

impl FromQuery for RevokeSecurityGroupEgressRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["SecurityGroupRuleId", "DryRun", "GroupId", "IpPermissions"],
            ignored: &[],
            refused: &["SourceSecurityGroupName", "SourceSecurityGroupOwnerId", "IpProtocol", "FromPort", "ToPort", "CidrIp"],
            only: &[],
        })?;
        Ok(Self {
            security_group_rule_ids: group.list("SecurityGroupRuleId")?,
            dry_run: group.optional("DryRun")?,
            group_id: group.required("GroupId")?,
            ip_permissions: group.list("IpPermissions")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct RevokeSecurityGroupIngressRequest {
    pub cidr_ip: Option<String>,
    pub from_port: Option<i32>,
    pub group_id: Option<String>,
    pub group_name: Option<String>,
    pub ip_permissions: Vec<IpPermission>,
    pub ip_protocol: Option<String>,
    pub source_security_group_name: Option<String>,
    pub source_security_group_owner_id: Option<String>,
    pub to_port: Option<i32>,
    pub security_group_rule_ids: Vec<String>,
    pub dry_run: Option<bool>,
}

impl FromQuery for RevokeSecurityGroupIngressRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["CidrIp", "FromPort", "GroupId", "GroupName", "IpPermissions", "IpProtocol", "SourceSecurityGroupName", "SourceSecurityGroupOwnerId", "ToPort", "SecurityGroupRuleId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            cidr_ip: group.optional("CidrIp")?,
            from_port: group.optional("FromPort")?,
            group_id: group.optional("GroupId")?,
            group_name: group.optional("GroupName")?,
            ip_permissions: group.list("IpPermissions")?,
            ip_protocol: group.optional("IpProtocol")?,
            source_security_group_name: group.optional("SourceSecurityGroupName")?,
            source_security_group_owner_id: group.optional("SourceSecurityGroupOwnerId")?,
            to_port: group.optional("ToPort")?,
            security_group_rule_ids: group.list("SecurityGroupRuleId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct RunInstancesMonitoringEnabled {
    pub enabled: bool,
}

impl FromQuery for RunInstancesMonitoringEnabled {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Enabled"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            enabled: group.required("Enabled")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct RunInstancesRequest {
    pub block_device_mappings: Vec<BlockDeviceMapping>,
    pub image_id: Option<String>,
    pub instance_type: Option<String>,
    pub key_name: Option<String>,
    pub max_count: i32,
    pub min_count: i32,
    pub monitoring: Option<RunInstancesMonitoringEnabled>,
    pub placement: Option<Placement>,
    pub security_group_ids: Vec<String>,
    pub security_groups: Vec<String>,
    pub subnet_id: Option<String>,
    pub user_data: Option<String>,
    pub tag_specifications: Vec<TagSpecification>,
    pub launch_template: Option<LaunchTemplateSpecification>,
    pub credit_specification: Option<CreditSpecificationRequest>,
    pub capacity_reservation_specification: Option<CapacityReservationSpecification>,
    pub hibernation_options: Option<HibernationOptionsRequest>,
    pub metadata_options: Option<InstanceMetadataOptionsRequest>,
    pub enclave_options: Option<EnclaveOptionsRequest>,
    pub private_dns_name_options: Option<PrivateDnsNameOptionsRequest>,
    pub maintenance_options: Option<InstanceMaintenanceOptionsRequest>,
    pub disable_api_stop: Option<bool>,
    pub network_performance_options: Option<InstanceNetworkPerformanceOptionsRequest>,
    pub dry_run: Option<bool>,
    pub disable_api_termination: Option<bool>,
    pub instance_initiated_shutdown_behavior: Option<String>,
    pub private_ip_address: Option<String>,
    pub client_token: Option<String>,
    pub network_interfaces: Vec<InstanceNetworkInterfaceSpecification>,
    pub iam_instance_profile: Option<IamInstanceProfileSpecification>,
    pub ebs_optimized: Option<bool>,
}

impl FromQuery for RunInstancesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["BlockDeviceMapping", "ImageId", "InstanceType", "KeyName", "MaxCount", "MinCount", "Monitoring", "Placement", "SecurityGroupId", "SecurityGroup", "SubnetId", "UserData", "TagSpecification", "LaunchTemplate", "CreditSpecification", "CapacityReservationSpecification", "HibernationOptions", "MetadataOptions", "EnclaveOptions", "PrivateDnsNameOptions", "MaintenanceOptions", "DisableApiStop", "NetworkPerformanceOptions", "DryRun", "DisableApiTermination", "InstanceInitiatedShutdownBehavior", "PrivateIpAddress", "ClientToken", "NetworkInterface", "IamInstanceProfile", "EbsOptimized"],
            ignored: &["AdditionalInfo"],
            refused: &["Ipv6AddressCount", "Ipv6Address", "KernelId", "RamdiskId", "ElasticGpuSpecification", "ElasticInferenceAccelerator", "InstanceMarketOptions", "CpuOptions", "LicenseSpecification", "EnablePrimaryIpv6", "Operator", "SecondaryInterface"],
            only: &[],
        })?;
        Ok(Self {
            block_device_mappings: group.list("BlockDeviceMapping")?,
            image_id: group.optional("ImageId")?,
            instance_type: group.optional("InstanceType")?,
            key_name: group.optional("KeyName")?,
            max_count: group.required("MaxCount")?,
            min_count: group.required("MinCount")?,
            monitoring: group.optional("Monitoring")?,
            placement: group.optional("Placement")?,
            security_group_ids: group.list("SecurityGroupId")?,
            security_groups: group.list("SecurityGroup")?,
            subnet_id: group.optional("SubnetId")?,
            user_data: group.optional("UserData")?,
            tag_specifications: group.list("TagSpecification")?,
            launch_template: group.optional("LaunchTemplate")?,
            credit_specification: group.optional("CreditSpecification")?,
            capacity_reservation_specification: group.optional("CapacityReservationSpecification")?,
            hibernation_options: group.optional("HibernationOptions")?,
            metadata_options: group.optional("MetadataOptions")?,
            enclave_options: group.optional("EnclaveOptions")?,
            private_dns_name_options: group.optional("PrivateDnsNameOptions")?,
            maintenance_options: group.optional("MaintenanceOptions")?,
            disable_api_stop: group.optional("DisableApiStop")?,
            network_performance_options: group.optional("NetworkPerformanceOptions")?,
            dry_run: group.optional("DryRun")?,
            disable_api_termination: group.optional("DisableApiTermination")?,
            instance_initiated_shutdown_behavior: group.optional("InstanceInitiatedShutdownBehavior")?,
            private_ip_address: group.optional("PrivateIpAddress")?,
            client_token: group.optional("ClientToken")?,
            network_interfaces: group.list("NetworkInterface")?,
            iam_instance_profile: group.optional("IamInstanceProfile")?,
            ebs_optimized: group.optional("EbsOptimized")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct SecurityGroupRuleRequest {
    pub ip_protocol: Option<String>,
    pub from_port: Option<i32>,
    pub to_port: Option<i32>,
    pub cidr_ipv4: Option<String>,
    pub cidr_ipv6: Option<String>,
    pub referenced_group_id: Option<String>,
    pub description: Option<String>,
}

impl FromQuery for SecurityGroupRuleRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["IpProtocol", "FromPort", "ToPort", "CidrIpv4", "CidrIpv6", "ReferencedGroupId", "Description"],
            ignored: &[],
            refused: &["PrefixListId"],
            only: &[],
        })?;
        Ok(Self {
            ip_protocol: group.optional("IpProtocol")?,
            from_port: group.optional("FromPort")?,
            to_port: group.optional("ToPort")?,
            cidr_ipv4: group.optional("CidrIpv4")?,
            cidr_ipv6: group.optional("CidrIpv6")?,
            referenced_group_id: group.optional("ReferencedGroupId")?,
            description: group.optional("Description")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct SecurityGroupRuleUpdate {
    pub security_group_rule_id: String,
    pub security_group_rule: Option<SecurityGroupRuleRequest>,
}

impl FromQuery for SecurityGroupRuleUpdate {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["SecurityGroupRuleId", "SecurityGroupRule"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            security_group_rule_id: group.required("SecurityGroupRuleId")?,
            security_group_rule: group.optional("SecurityGroupRule")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct StartInstancesRequest {
    pub instance_ids: Vec<String>,
    pub dry_run: Option<bool>,
}

impl FromQuery for StartInstancesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["InstanceId", "DryRun"],
            ignored: &["AdditionalInfo"],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            instance_ids: group.required_list("InstanceId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct StopInstancesRequest {
    pub instance_ids: Vec<String>,
    pub hibernate: Option<bool>,
    pub skip_os_shutdown: Option<bool>,
    pub dry_run: Option<bool>,
    pub force: Option<bool>,
}

impl FromQuery for StopInstancesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["InstanceId", "Hibernate", "SkipOsShutdown", "DryRun", "Force"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            instance_ids: group.required_list("InstanceId")?,
            hibernate: group.optional("Hibernate")?,
            skip_os_shutdown: group.optional("SkipOsShutdown")?,
            dry_run: group.optional("DryRun")?,
            force: group.optional("Force")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct Tag {
    pub key: Option<String>,
    pub value: Option<String>,
}

impl FromQuery for Tag {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Key", "Value"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            key: group.optional("Key")?,
            value: group.kept("Value")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct TagSpecification {
    pub resource_type: Option<String>,
    pub tags: Vec<Tag>,
}

impl FromQuery for TagSpecification {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["ResourceType", "Tag"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            resource_type: group.optional("ResourceType")?,
            tags: group.list("Tag")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct TerminateInstancesRequest {
    pub instance_ids: Vec<String>,
    pub skip_os_shutdown: Option<bool>,
    pub dry_run: Option<bool>,
}

impl FromQuery for TerminateInstancesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["InstanceId", "SkipOsShutdown", "DryRun"],
            ignored: &["Force"],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            instance_ids: group.required_list("InstanceId")?,
            skip_os_shutdown: group.optional("SkipOsShutdown")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct UnlockSnapshotRequest {
    pub snapshot_id: String,
    pub dry_run: Option<bool>,
}

impl FromQuery for UnlockSnapshotRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["SnapshotId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            snapshot_id: group.required("SnapshotId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct UnmonitorInstancesRequest {
    pub instance_ids: Vec<String>,
    pub dry_run: Option<bool>,
}

impl FromQuery for UnmonitorInstancesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["InstanceId", "DryRun"],
            ignored: &[],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            instance_ids: group.required_list("InstanceId")?,
            dry_run: group.optional("DryRun")?,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = "PascalCase"))]
pub struct UserIdGroupPair {
    pub description: Option<String>,
    pub user_id: Option<String>,
    pub group_name: Option<String>,
    pub group_id: Option<String>,
}

impl FromQuery for UserIdGroupPair {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["Description", "UserId", "GroupName", "GroupId"],
            ignored: &["VpcId", "PeeringStatus"],
            refused: &["VpcPeeringConnectionId"],
            only: &[],
        })?;
        Ok(Self {
            description: group.optional("Description")?,
            user_id: group.optional("UserId")?,
            group_name: group.optional("GroupName")?,
            group_id: group.optional("GroupId")?,
        })
    }
}
