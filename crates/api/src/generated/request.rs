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
        _ => return None,
    })
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
pub struct CreditSpecificationRequest {
}

impl FromQuery for CreditSpecificationRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &[],
            ignored: &[],
            refused: &[],
            only: &[("CpuCredits", &["standard", "unlimited"])],
        })?;
        Ok(Self {
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
pub struct DescribeRegionsRequest {
    pub region_names: Vec<String>,
    pub dry_run: Option<bool>,
    pub filters: Vec<Filter>,
}

impl FromQuery for DescribeRegionsRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["RegionName", "DryRun", "Filter"],
            ignored: &["AllRegions"],
            refused: &[],
            only: &[],
        })?;
        Ok(Self {
            region_names: group.list("RegionName")?,
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
    pub ebs_optimized: Option<bool>,
}

impl FromQuery for RunInstancesRequest {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.check(&Shape {
            used: &["BlockDeviceMapping", "ImageId", "InstanceType", "KeyName", "MaxCount", "MinCount", "Monitoring", "Placement", "SecurityGroupId", "SecurityGroup", "SubnetId", "UserData", "TagSpecification", "CreditSpecification", "CapacityReservationSpecification", "HibernationOptions", "MetadataOptions", "EnclaveOptions", "PrivateDnsNameOptions", "MaintenanceOptions", "DisableApiStop", "NetworkPerformanceOptions", "DryRun", "DisableApiTermination", "InstanceInitiatedShutdownBehavior", "PrivateIpAddress", "ClientToken", "NetworkInterface", "EbsOptimized"],
            ignored: &["AdditionalInfo"],
            refused: &["Ipv6AddressCount", "Ipv6Address", "KernelId", "RamdiskId", "ElasticGpuSpecification", "ElasticInferenceAccelerator", "LaunchTemplate", "InstanceMarketOptions", "CpuOptions", "LicenseSpecification", "EnablePrimaryIpv6", "Operator", "SecondaryInterface", "IamInstanceProfile"],
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
            ebs_optimized: group.optional("EbsOptimized")?,
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
