// Written by `cargo run -p xtask -- codegen` from crates/api/model/ec2.json; do not edit.

//! Responses of EC2.

use cairn_model::Timestamp;

use crate::{xml::{ToXml, XmlWriter}};

/// The namespace of responses.
pub const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct AccountAttribute {
    pub attribute_name: Option<String>,
    pub attribute_values: Vec<AccountAttributeValue>,
}

impl ToXml for AccountAttribute {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("attributeName", self.attribute_name.as_ref());
        xml.list("attributeValueSet", "item", &self.attribute_values);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct AccountAttributeValue {
    pub attribute_value: Option<String>,
}

impl ToXml for AccountAttributeValue {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("attributeValue", self.attribute_value.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct Address {
    pub allocation_id: Option<String>,
    pub public_ip: Option<String>,
}

impl ToXml for Address {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("allocationId", self.allocation_id.as_ref());
        xml.member("publicIp", self.public_ip.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct AssociateIamInstanceProfileResult {
    pub iam_instance_profile_association: Option<IamInstanceProfileAssociation>,
}

impl ToXml for AssociateIamInstanceProfileResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("iamInstanceProfileAssociation", self.iam_instance_profile_association.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct AttachNetworkInterfaceResult {
    pub attachment_id: Option<String>,
    pub network_card_index: Option<i32>,
}

impl ToXml for AttachNetworkInterfaceResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("attachmentId", self.attachment_id.as_ref());
        xml.member("networkCardIndex", self.network_card_index.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct AttributeBooleanValue {
    pub value: Option<bool>,
}

impl ToXml for AttributeBooleanValue {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("value", self.value.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct AttributeValue {
    pub value: Option<String>,
}

impl ToXml for AttributeValue {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("value", self.value.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct AuthorizeSecurityGroupEgressResult {
    pub r#return: Option<bool>,
    pub security_group_rules: Vec<SecurityGroupRule>,
}

impl ToXml for AuthorizeSecurityGroupEgressResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
        xml.list("securityGroupRuleSet", "item", &self.security_group_rules);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct AuthorizeSecurityGroupIngressResult {
    pub r#return: Option<bool>,
    pub security_group_rules: Vec<SecurityGroupRule>,
}

impl ToXml for AuthorizeSecurityGroupIngressResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
        xml.list("securityGroupRuleSet", "item", &self.security_group_rules);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct AvailabilityZone {
    pub opt_in_status: Option<String>,
    pub messages: Vec<AvailabilityZoneMessage>,
    pub region_name: Option<String>,
    pub zone_name: Option<String>,
    pub zone_id: Option<String>,
    pub group_name: Option<String>,
    pub network_border_group: Option<String>,
    pub zone_type: Option<String>,
    pub group_long_name: Option<String>,
    pub state: Option<String>,
}

impl ToXml for AvailabilityZone {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("optInStatus", self.opt_in_status.as_ref());
        xml.list("messageSet", "item", &self.messages);
        xml.member("regionName", self.region_name.as_ref());
        xml.member("zoneName", self.zone_name.as_ref());
        xml.member("zoneId", self.zone_id.as_ref());
        xml.member("groupName", self.group_name.as_ref());
        xml.member("networkBorderGroup", self.network_border_group.as_ref());
        xml.member("zoneType", self.zone_type.as_ref());
        xml.member("groupLongName", self.group_long_name.as_ref());
        xml.member("zoneState", self.state.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct AvailabilityZoneMessage {
    pub message: Option<String>,
}

impl ToXml for AvailabilityZoneMessage {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("message", self.message.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct BlockDeviceMapping {
    pub ebs: Option<EbsBlockDevice>,
    pub no_device: Option<String>,
    pub device_name: Option<String>,
    pub virtual_name: Option<String>,
}

impl ToXml for BlockDeviceMapping {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("ebs", self.ebs.as_ref());
        xml.member("noDevice", self.no_device.as_ref());
        xml.member("deviceName", self.device_name.as_ref());
        xml.member("virtualName", self.virtual_name.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CancelImageLaunchPermissionResult {
    pub r#return: Option<bool>,
}

impl ToXml for CancelImageLaunchPermissionResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CapacityReservationSpecificationResponse {
    pub capacity_reservation_preference: Option<String>,
}

impl ToXml for CapacityReservationSpecificationResponse {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("capacityReservationPreference", self.capacity_reservation_preference.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CopyImageResult {
    pub image_id: Option<String>,
}

impl ToXml for CopyImageResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("imageId", self.image_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CopySnapshotResult {
    pub tags: Vec<Tag>,
    pub snapshot_id: Option<String>,
}

impl ToXml for CopySnapshotResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("snapshotId", self.snapshot_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CopyVolumesResult {
    pub volumes: Vec<Volume>,
}

impl ToXml for CopyVolumesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("volumeSet", "item", &self.volumes);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CpuOptions {
    pub core_count: Option<i32>,
    pub threads_per_core: Option<i32>,
}

impl ToXml for CpuOptions {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("coreCount", self.core_count.as_ref());
        xml.member("threadsPerCore", self.threads_per_core.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CreateDefaultSubnetResult {
    pub subnet: Option<Subnet>,
}

impl ToXml for CreateDefaultSubnetResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("subnet", self.subnet.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CreateDefaultVpcResult {
    pub vpc: Option<Vpc>,
}

impl ToXml for CreateDefaultVpcResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("vpc", self.vpc.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CreateImageResult {
    pub image_id: Option<String>,
}

impl ToXml for CreateImageResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("imageId", self.image_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CreateImageUsageReportResult {
    pub report_id: Option<String>,
}

impl ToXml for CreateImageUsageReportResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("reportId", self.report_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CreateLaunchTemplateResult {
    pub launch_template: Option<LaunchTemplate>,
}

impl ToXml for CreateLaunchTemplateResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("launchTemplate", self.launch_template.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CreateLaunchTemplateVersionResult {
    pub launch_template_version: Option<LaunchTemplateVersion>,
}

impl ToXml for CreateLaunchTemplateVersionResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("launchTemplateVersion", self.launch_template_version.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CreateNetworkInterfaceResult {
    pub network_interface: Option<NetworkInterface>,
    pub client_token: Option<String>,
}

impl ToXml for CreateNetworkInterfaceResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("networkInterface", self.network_interface.as_ref());
        xml.member("clientToken", self.client_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CreateReplaceRootVolumeTaskResult {
    pub replace_root_volume_task: Option<ReplaceRootVolumeTask>,
}

impl ToXml for CreateReplaceRootVolumeTaskResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("replaceRootVolumeTask", self.replace_root_volume_task.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CreateSecurityGroupResult {
    pub group_id: Option<String>,
    pub tags: Vec<Tag>,
    pub security_group_arn: Option<String>,
}

impl ToXml for CreateSecurityGroupResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("groupId", self.group_id.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("securityGroupArn", self.security_group_arn.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CreateSnapshotsResult {
    pub snapshots: Vec<SnapshotInfo>,
}

impl ToXml for CreateSnapshotsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("snapshotSet", "item", &self.snapshots);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CreateSubnetResult {
    pub subnet: Option<Subnet>,
}

impl ToXml for CreateSubnetResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("subnet", self.subnet.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CreateVolumePermission {
    pub user_id: Option<String>,
    pub group: Option<String>,
}

impl ToXml for CreateVolumePermission {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("userId", self.user_id.as_ref());
        xml.member("group", self.group.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CreateVpcResult {
    pub vpc: Option<Vpc>,
}

impl ToXml for CreateVpcResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("vpc", self.vpc.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CreationDateCondition {
    pub maximum_days_since_created: Option<i32>,
}

impl ToXml for CreationDateCondition {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("maximumDaysSinceCreated", self.maximum_days_since_created.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct CreditSpecification {
    pub cpu_credits: Option<String>,
}

impl ToXml for CreditSpecification {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("cpuCredits", self.cpu_credits.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DeleteImageUsageReportResult {
    pub r#return: Option<bool>,
}

impl ToXml for DeleteImageUsageReportResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DeleteKeyPairResult {
    pub r#return: Option<bool>,
    pub key_pair_id: Option<String>,
}

impl ToXml for DeleteKeyPairResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
        xml.member("keyPairId", self.key_pair_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DeleteLaunchTemplateResult {
    pub launch_template: Option<LaunchTemplate>,
}

impl ToXml for DeleteLaunchTemplateResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("launchTemplate", self.launch_template.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DeleteLaunchTemplateVersionsResponseErrorItem {
    pub launch_template_id: Option<String>,
    pub launch_template_name: Option<String>,
    pub version_number: Option<i64>,
    pub response_error: Option<ResponseError>,
}

impl ToXml for DeleteLaunchTemplateVersionsResponseErrorItem {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("launchTemplateId", self.launch_template_id.as_ref());
        xml.member("launchTemplateName", self.launch_template_name.as_ref());
        xml.member("versionNumber", self.version_number.as_ref());
        xml.member("responseError", self.response_error.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DeleteLaunchTemplateVersionsResponseSuccessItem {
    pub launch_template_id: Option<String>,
    pub launch_template_name: Option<String>,
    pub version_number: Option<i64>,
}

impl ToXml for DeleteLaunchTemplateVersionsResponseSuccessItem {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("launchTemplateId", self.launch_template_id.as_ref());
        xml.member("launchTemplateName", self.launch_template_name.as_ref());
        xml.member("versionNumber", self.version_number.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DeleteLaunchTemplateVersionsResult {
    pub successfully_deleted_launch_template_versions: Vec<DeleteLaunchTemplateVersionsResponseSuccessItem>,
    pub unsuccessfully_deleted_launch_template_versions: Vec<DeleteLaunchTemplateVersionsResponseErrorItem>,
}

impl ToXml for DeleteLaunchTemplateVersionsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("successfullyDeletedLaunchTemplateVersionSet", "item", &self.successfully_deleted_launch_template_versions);
        xml.list("unsuccessfullyDeletedLaunchTemplateVersionSet", "item", &self.unsuccessfully_deleted_launch_template_versions);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DeleteSecurityGroupResult {
    pub r#return: Option<bool>,
    pub group_id: Option<String>,
}

impl ToXml for DeleteSecurityGroupResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
        xml.member("groupId", self.group_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DeleteSnapshotReturnCode {
    pub snapshot_id: Option<String>,
    pub return_code: Option<String>,
}

impl ToXml for DeleteSnapshotReturnCode {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.member("returnCode", self.return_code.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DeprecationTimeCondition {
    pub maximum_days_since_deprecated: Option<i32>,
}

impl ToXml for DeprecationTimeCondition {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("maximumDaysSinceDeprecated", self.maximum_days_since_deprecated.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DeregisterImageResult {
    pub r#return: Option<bool>,
    pub delete_snapshot_results: Vec<DeleteSnapshotReturnCode>,
}

impl ToXml for DeregisterImageResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
        xml.list("deleteSnapshotResultSet", "item", &self.delete_snapshot_results);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeAccountAttributesResult {
    pub account_attributes: Vec<AccountAttribute>,
}

impl ToXml for DescribeAccountAttributesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("accountAttributeSet", "item", &self.account_attributes);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeAddressesResult {
    pub addresses: Vec<Address>,
}

impl ToXml for DescribeAddressesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("addressesSet", "item", &self.addresses);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeAvailabilityZonesResult {
    pub availability_zones: Vec<AvailabilityZone>,
}

impl ToXml for DescribeAvailabilityZonesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("availabilityZoneInfo", "item", &self.availability_zones);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeDhcpOptionsResult {
    pub next_token: Option<String>,
    pub dhcp_options: Vec<DhcpOptions>,
}

impl ToXml for DescribeDhcpOptionsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("nextToken", self.next_token.as_ref());
        xml.list("dhcpOptionsSet", "item", &self.dhcp_options);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeFastSnapshotRestoreSuccessItem {
    pub snapshot_id: Option<String>,
    pub availability_zone: Option<String>,
    pub availability_zone_id: Option<String>,
    pub state: Option<String>,
    pub state_transition_reason: Option<String>,
    pub owner_id: Option<String>,
    pub enabling_time: Option<Timestamp>,
    pub optimizing_time: Option<Timestamp>,
    pub enabled_time: Option<Timestamp>,
    pub disabling_time: Option<Timestamp>,
    pub disabled_time: Option<Timestamp>,
}

impl ToXml for DescribeFastSnapshotRestoreSuccessItem {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.member("availabilityZone", self.availability_zone.as_ref());
        xml.member("availabilityZoneId", self.availability_zone_id.as_ref());
        xml.member("state", self.state.as_ref());
        xml.member("stateTransitionReason", self.state_transition_reason.as_ref());
        xml.member("ownerId", self.owner_id.as_ref());
        xml.member("enablingTime", self.enabling_time.as_ref());
        xml.member("optimizingTime", self.optimizing_time.as_ref());
        xml.member("enabledTime", self.enabled_time.as_ref());
        xml.member("disablingTime", self.disabling_time.as_ref());
        xml.member("disabledTime", self.disabled_time.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeFastSnapshotRestoresResult {
    pub fast_snapshot_restores: Vec<DescribeFastSnapshotRestoreSuccessItem>,
    pub next_token: Option<String>,
}

impl ToXml for DescribeFastSnapshotRestoresResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("fastSnapshotRestoreSet", "item", &self.fast_snapshot_restores);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeIamInstanceProfileAssociationsResult {
    pub iam_instance_profile_associations: Vec<IamInstanceProfileAssociation>,
    pub next_token: Option<String>,
}

impl ToXml for DescribeIamInstanceProfileAssociationsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("iamInstanceProfileAssociationSet", "item", &self.iam_instance_profile_associations);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeImageReferencesResult {
    pub next_token: Option<String>,
    pub image_references: Vec<ImageReference>,
}

impl ToXml for DescribeImageReferencesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("nextToken", self.next_token.as_ref());
        xml.list("imageReferenceSet", "item", &self.image_references);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeImageUsageReportEntriesResult {
    pub next_token: Option<String>,
    pub image_usage_report_entries: Vec<ImageUsageReportEntry>,
}

impl ToXml for DescribeImageUsageReportEntriesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("nextToken", self.next_token.as_ref());
        xml.list("imageUsageReportEntrySet", "item", &self.image_usage_report_entries);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeImageUsageReportsResult {
    pub next_token: Option<String>,
    pub image_usage_reports: Vec<ImageUsageReport>,
}

impl ToXml for DescribeImageUsageReportsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("nextToken", self.next_token.as_ref());
        xml.list("imageUsageReportSet", "item", &self.image_usage_reports);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeImagesResult {
    pub next_token: Option<String>,
    pub images: Vec<Image>,
}

impl ToXml for DescribeImagesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("nextToken", self.next_token.as_ref());
        xml.list("imagesSet", "item", &self.images);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeInstanceCreditSpecificationsResult {
    pub instance_credit_specifications: Vec<InstanceCreditSpecification>,
    pub next_token: Option<String>,
}

impl ToXml for DescribeInstanceCreditSpecificationsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("instanceCreditSpecificationSet", "item", &self.instance_credit_specifications);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeInstanceImageMetadataResult {
    pub instance_image_metadata: Vec<InstanceImageMetadata>,
    pub next_token: Option<String>,
}

impl ToXml for DescribeInstanceImageMetadataResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("instanceImageMetadataSet", "item", &self.instance_image_metadata);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeInstanceStatusResult {
    pub instance_statuses: Vec<InstanceStatus>,
    pub next_token: Option<String>,
}

impl ToXml for DescribeInstanceStatusResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("instanceStatusSet", "item", &self.instance_statuses);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeInstanceTypeOfferingsResult {
    pub instance_type_offerings: Vec<InstanceTypeOffering>,
    pub next_token: Option<String>,
}

impl ToXml for DescribeInstanceTypeOfferingsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("instanceTypeOfferingSet", "item", &self.instance_type_offerings);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeInstanceTypesResult {
    pub instance_types: Vec<InstanceTypeInfo>,
    pub next_token: Option<String>,
}

impl ToXml for DescribeInstanceTypesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("instanceTypeSet", "item", &self.instance_types);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeInstancesResult {
    pub next_token: Option<String>,
    pub reservations: Vec<Reservation>,
}

impl ToXml for DescribeInstancesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("nextToken", self.next_token.as_ref());
        xml.list("reservationSet", "item", &self.reservations);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeInternetGatewaysResult {
    pub internet_gateways: Vec<InternetGateway>,
    pub next_token: Option<String>,
}

impl ToXml for DescribeInternetGatewaysResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("internetGatewaySet", "item", &self.internet_gateways);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeKeyPairsResult {
    pub key_pairs: Vec<KeyPairInfo>,
}

impl ToXml for DescribeKeyPairsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("keySet", "item", &self.key_pairs);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeLaunchTemplateVersionsResult {
    pub launch_template_versions: Vec<LaunchTemplateVersion>,
    pub next_token: Option<String>,
}

impl ToXml for DescribeLaunchTemplateVersionsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("launchTemplateVersionSet", "item", &self.launch_template_versions);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeLaunchTemplatesResult {
    pub launch_templates: Vec<LaunchTemplate>,
    pub next_token: Option<String>,
}

impl ToXml for DescribeLaunchTemplatesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("launchTemplates", "item", &self.launch_templates);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeLockedSnapshotsResult {
    pub snapshots: Vec<LockedSnapshotsInfo>,
    pub next_token: Option<String>,
}

impl ToXml for DescribeLockedSnapshotsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("snapshotSet", "item", &self.snapshots);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeNetworkAclsResult {
    pub network_acls: Vec<NetworkAcl>,
    pub next_token: Option<String>,
}

impl ToXml for DescribeNetworkAclsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("networkAclSet", "item", &self.network_acls);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeNetworkInterfacesResult {
    pub network_interfaces: Vec<NetworkInterface>,
    pub next_token: Option<String>,
}

impl ToXml for DescribeNetworkInterfacesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("networkInterfaceSet", "item", &self.network_interfaces);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeRegionsResult {
    pub regions: Vec<Region>,
}

impl ToXml for DescribeRegionsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("regionInfo", "item", &self.regions);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeReplaceRootVolumeTasksResult {
    pub replace_root_volume_tasks: Vec<ReplaceRootVolumeTask>,
    pub next_token: Option<String>,
}

impl ToXml for DescribeReplaceRootVolumeTasksResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("replaceRootVolumeTaskSet", "item", &self.replace_root_volume_tasks);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeRouteTablesResult {
    pub route_tables: Vec<RouteTable>,
    pub next_token: Option<String>,
}

impl ToXml for DescribeRouteTablesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("routeTableSet", "item", &self.route_tables);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeSecurityGroupRulesResult {
    pub security_group_rules: Vec<SecurityGroupRule>,
    pub next_token: Option<String>,
}

impl ToXml for DescribeSecurityGroupRulesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("securityGroupRuleSet", "item", &self.security_group_rules);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeSecurityGroupsResult {
    pub next_token: Option<String>,
    pub security_groups: Vec<SecurityGroup>,
}

impl ToXml for DescribeSecurityGroupsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("nextToken", self.next_token.as_ref());
        xml.list("securityGroupInfo", "item", &self.security_groups);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeSnapshotAttributeResult {
    pub product_codes: Option<Vec<ProductCode>>,
    pub snapshot_id: Option<String>,
    pub create_volume_permissions: Option<Vec<CreateVolumePermission>>,
}

impl ToXml for DescribeSnapshotAttributeResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list_if_there("productCodes", "item", self.product_codes.as_deref());
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.list_if_there("createVolumePermission", "item", self.create_volume_permissions.as_deref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeSnapshotTierStatusResult {
    pub snapshot_tier_statuses: Vec<SnapshotTierStatus>,
    pub next_token: Option<String>,
}

impl ToXml for DescribeSnapshotTierStatusResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("snapshotTierStatusSet", "item", &self.snapshot_tier_statuses);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeSnapshotsResult {
    pub next_token: Option<String>,
    pub snapshots: Vec<Snapshot>,
}

impl ToXml for DescribeSnapshotsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("nextToken", self.next_token.as_ref());
        xml.list("snapshotSet", "item", &self.snapshots);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeSubnetsResult {
    pub next_token: Option<String>,
    pub subnets: Vec<Subnet>,
}

impl ToXml for DescribeSubnetsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("nextToken", self.next_token.as_ref());
        xml.list("subnetSet", "item", &self.subnets);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeTagsResult {
    pub next_token: Option<String>,
    pub tags: Vec<TagDescription>,
}

impl ToXml for DescribeTagsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("nextToken", self.next_token.as_ref());
        xml.list("tagSet", "item", &self.tags);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeVolumeAttributeResult {
    #[cfg_attr(test, serde(rename = "AutoEnableIO"))]
    pub auto_enable_io: Option<AttributeBooleanValue>,
    pub product_codes: Option<Vec<ProductCode>>,
    pub volume_id: Option<String>,
}

impl ToXml for DescribeVolumeAttributeResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("autoEnableIO", self.auto_enable_io.as_ref());
        xml.list_if_there("productCodes", "item", self.product_codes.as_deref());
        xml.member("volumeId", self.volume_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeVolumeStatusResult {
    pub next_token: Option<String>,
    pub volume_statuses: Vec<VolumeStatusItem>,
}

impl ToXml for DescribeVolumeStatusResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("nextToken", self.next_token.as_ref());
        xml.list("volumeStatusSet", "item", &self.volume_statuses);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeVolumesModificationsResult {
    pub next_token: Option<String>,
    pub volumes_modifications: Vec<VolumeModification>,
}

impl ToXml for DescribeVolumesModificationsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("nextToken", self.next_token.as_ref());
        xml.list("volumeModificationSet", "item", &self.volumes_modifications);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeVolumesResult {
    pub next_token: Option<String>,
    pub volumes: Vec<Volume>,
}

impl ToXml for DescribeVolumesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("nextToken", self.next_token.as_ref());
        xml.list("volumeSet", "item", &self.volumes);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeVpcAttributeResult {
    pub enable_dns_hostnames: Option<AttributeBooleanValue>,
    pub enable_dns_support: Option<AttributeBooleanValue>,
    pub enable_network_address_usage_metrics: Option<AttributeBooleanValue>,
    pub vpc_id: Option<String>,
}

impl ToXml for DescribeVpcAttributeResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("enableDnsHostnames", self.enable_dns_hostnames.as_ref());
        xml.member("enableDnsSupport", self.enable_dns_support.as_ref());
        xml.member("enableNetworkAddressUsageMetrics", self.enable_network_address_usage_metrics.as_ref());
        xml.member("vpcId", self.vpc_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DescribeVpcsResult {
    pub next_token: Option<String>,
    pub vpcs: Vec<Vpc>,
}

impl ToXml for DescribeVpcsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("nextToken", self.next_token.as_ref());
        xml.list("vpcSet", "item", &self.vpcs);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DhcpConfiguration {
    pub key: Option<String>,
    pub values: Vec<AttributeValue>,
}

impl ToXml for DhcpConfiguration {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("key", self.key.as_ref());
        xml.list("valueSet", "item", &self.values);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DhcpOptions {
    pub owner_id: Option<String>,
    pub tags: Vec<Tag>,
    pub dhcp_options_id: Option<String>,
    pub dhcp_configurations: Vec<DhcpConfiguration>,
}

impl ToXml for DhcpOptions {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("ownerId", self.owner_id.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("dhcpOptionsId", self.dhcp_options_id.as_ref());
        xml.list("dhcpConfigurationSet", "item", &self.dhcp_configurations);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DisableAllowedImagesSettingsResult {
    pub allowed_images_settings_state: Option<String>,
}

impl ToXml for DisableAllowedImagesSettingsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("allowedImagesSettingsState", self.allowed_images_settings_state.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DisableEbsEncryptionByDefaultResult {
    pub ebs_encryption_by_default: Option<bool>,
}

impl ToXml for DisableEbsEncryptionByDefaultResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("ebsEncryptionByDefault", self.ebs_encryption_by_default.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DisableFastSnapshotRestoreErrorItem {
    pub snapshot_id: Option<String>,
    pub fast_snapshot_restore_state_errors: Vec<DisableFastSnapshotRestoreStateErrorItem>,
}

impl ToXml for DisableFastSnapshotRestoreErrorItem {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.list("fastSnapshotRestoreStateErrorSet", "item", &self.fast_snapshot_restore_state_errors);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DisableFastSnapshotRestoreStateError {
    pub code: Option<String>,
    pub message: Option<String>,
}

impl ToXml for DisableFastSnapshotRestoreStateError {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("code", self.code.as_ref());
        xml.member("message", self.message.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DisableFastSnapshotRestoreStateErrorItem {
    pub availability_zone: Option<String>,
    pub availability_zone_id: Option<String>,
    pub error: Option<DisableFastSnapshotRestoreStateError>,
}

impl ToXml for DisableFastSnapshotRestoreStateErrorItem {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("availabilityZone", self.availability_zone.as_ref());
        xml.member("availabilityZoneId", self.availability_zone_id.as_ref());
        xml.member("error", self.error.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DisableFastSnapshotRestoreSuccessItem {
    pub snapshot_id: Option<String>,
    pub availability_zone: Option<String>,
    pub availability_zone_id: Option<String>,
    pub state: Option<String>,
    pub state_transition_reason: Option<String>,
    pub owner_id: Option<String>,
    pub enabling_time: Option<Timestamp>,
    pub optimizing_time: Option<Timestamp>,
    pub enabled_time: Option<Timestamp>,
    pub disabling_time: Option<Timestamp>,
    pub disabled_time: Option<Timestamp>,
}

impl ToXml for DisableFastSnapshotRestoreSuccessItem {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.member("availabilityZone", self.availability_zone.as_ref());
        xml.member("availabilityZoneId", self.availability_zone_id.as_ref());
        xml.member("state", self.state.as_ref());
        xml.member("stateTransitionReason", self.state_transition_reason.as_ref());
        xml.member("ownerId", self.owner_id.as_ref());
        xml.member("enablingTime", self.enabling_time.as_ref());
        xml.member("optimizingTime", self.optimizing_time.as_ref());
        xml.member("enabledTime", self.enabled_time.as_ref());
        xml.member("disablingTime", self.disabling_time.as_ref());
        xml.member("disabledTime", self.disabled_time.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DisableFastSnapshotRestoresResult {
    pub successful: Vec<DisableFastSnapshotRestoreSuccessItem>,
    pub unsuccessful: Vec<DisableFastSnapshotRestoreErrorItem>,
}

impl ToXml for DisableFastSnapshotRestoresResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("successful", "item", &self.successful);
        xml.list("unsuccessful", "item", &self.unsuccessful);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DisableImageBlockPublicAccessResult {
    pub image_block_public_access_state: Option<String>,
}

impl ToXml for DisableImageBlockPublicAccessResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("imageBlockPublicAccessState", self.image_block_public_access_state.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DisableImageDeprecationResult {
    pub r#return: Option<bool>,
}

impl ToXml for DisableImageDeprecationResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DisableImageDeregistrationProtectionResult {
    pub r#return: Option<String>,
}

impl ToXml for DisableImageDeregistrationProtectionResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DisableImageResult {
    pub r#return: Option<bool>,
}

impl ToXml for DisableImageResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DisableSnapshotBlockPublicAccessResult {
    pub state: Option<String>,
}

impl ToXml for DisableSnapshotBlockPublicAccessResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("state", self.state.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct DisassociateIamInstanceProfileResult {
    pub iam_instance_profile_association: Option<IamInstanceProfileAssociation>,
}

impl ToXml for DisassociateIamInstanceProfileResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("iamInstanceProfileAssociation", self.iam_instance_profile_association.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct EbsBlockDevice {
    pub delete_on_termination: Option<bool>,
    pub iops: Option<i32>,
    pub snapshot_id: Option<String>,
    pub volume_size: Option<i32>,
    pub volume_type: Option<String>,
    pub kms_key_id: Option<String>,
    pub throughput: Option<i32>,
    pub encrypted: Option<bool>,
}

impl ToXml for EbsBlockDevice {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("deleteOnTermination", self.delete_on_termination.as_ref());
        xml.member("iops", self.iops.as_ref());
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.member("volumeSize", self.volume_size.as_ref());
        xml.member("volumeType", self.volume_type.as_ref());
        xml.member("kmsKeyId", self.kms_key_id.as_ref());
        xml.member("throughput", self.throughput.as_ref());
        xml.member("encrypted", self.encrypted.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct EbsInfo {
    pub ebs_optimized_support: Option<String>,
    pub encryption_support: Option<String>,
    pub nvme_support: Option<String>,
    pub maximum_ebs_attachments: Option<i32>,
    pub attachment_limit_type: Option<String>,
}

impl ToXml for EbsInfo {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("ebsOptimizedSupport", self.ebs_optimized_support.as_ref());
        xml.member("encryptionSupport", self.encryption_support.as_ref());
        xml.member("nvmeSupport", self.nvme_support.as_ref());
        xml.member("maximumEbsAttachments", self.maximum_ebs_attachments.as_ref());
        xml.member("attachmentLimitType", self.attachment_limit_type.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct EbsInstanceBlockDevice {
    pub attach_time: Option<Timestamp>,
    pub delete_on_termination: Option<bool>,
    pub status: Option<String>,
    pub volume_id: Option<String>,
}

impl ToXml for EbsInstanceBlockDevice {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("attachTime", self.attach_time.as_ref());
        xml.member("deleteOnTermination", self.delete_on_termination.as_ref());
        xml.member("status", self.status.as_ref());
        xml.member("volumeId", self.volume_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct EbsStatusDetails {
    pub impaired_since: Option<Timestamp>,
    pub name: Option<String>,
    pub status: Option<String>,
}

impl ToXml for EbsStatusDetails {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("impairedSince", self.impaired_since.as_ref());
        xml.member("name", self.name.as_ref());
        xml.member("status", self.status.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct EbsStatusSummary {
    pub details: Vec<EbsStatusDetails>,
    pub status: Option<String>,
}

impl ToXml for EbsStatusSummary {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("details", "item", &self.details);
        xml.member("status", self.status.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct EnableAllowedImagesSettingsResult {
    pub allowed_images_settings_state: Option<String>,
}

impl ToXml for EnableAllowedImagesSettingsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("allowedImagesSettingsState", self.allowed_images_settings_state.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct EnableEbsEncryptionByDefaultResult {
    pub ebs_encryption_by_default: Option<bool>,
}

impl ToXml for EnableEbsEncryptionByDefaultResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("ebsEncryptionByDefault", self.ebs_encryption_by_default.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct EnableFastSnapshotRestoreErrorItem {
    pub snapshot_id: Option<String>,
    pub fast_snapshot_restore_state_errors: Vec<EnableFastSnapshotRestoreStateErrorItem>,
}

impl ToXml for EnableFastSnapshotRestoreErrorItem {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.list("fastSnapshotRestoreStateErrorSet", "item", &self.fast_snapshot_restore_state_errors);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct EnableFastSnapshotRestoreStateError {
    pub code: Option<String>,
    pub message: Option<String>,
}

impl ToXml for EnableFastSnapshotRestoreStateError {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("code", self.code.as_ref());
        xml.member("message", self.message.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct EnableFastSnapshotRestoreStateErrorItem {
    pub availability_zone: Option<String>,
    pub availability_zone_id: Option<String>,
    pub error: Option<EnableFastSnapshotRestoreStateError>,
}

impl ToXml for EnableFastSnapshotRestoreStateErrorItem {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("availabilityZone", self.availability_zone.as_ref());
        xml.member("availabilityZoneId", self.availability_zone_id.as_ref());
        xml.member("error", self.error.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct EnableFastSnapshotRestoreSuccessItem {
    pub snapshot_id: Option<String>,
    pub availability_zone: Option<String>,
    pub availability_zone_id: Option<String>,
    pub state: Option<String>,
    pub state_transition_reason: Option<String>,
    pub owner_id: Option<String>,
    pub enabling_time: Option<Timestamp>,
    pub optimizing_time: Option<Timestamp>,
    pub enabled_time: Option<Timestamp>,
    pub disabling_time: Option<Timestamp>,
    pub disabled_time: Option<Timestamp>,
}

impl ToXml for EnableFastSnapshotRestoreSuccessItem {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.member("availabilityZone", self.availability_zone.as_ref());
        xml.member("availabilityZoneId", self.availability_zone_id.as_ref());
        xml.member("state", self.state.as_ref());
        xml.member("stateTransitionReason", self.state_transition_reason.as_ref());
        xml.member("ownerId", self.owner_id.as_ref());
        xml.member("enablingTime", self.enabling_time.as_ref());
        xml.member("optimizingTime", self.optimizing_time.as_ref());
        xml.member("enabledTime", self.enabled_time.as_ref());
        xml.member("disablingTime", self.disabling_time.as_ref());
        xml.member("disabledTime", self.disabled_time.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct EnableFastSnapshotRestoresResult {
    pub successful: Vec<EnableFastSnapshotRestoreSuccessItem>,
    pub unsuccessful: Vec<EnableFastSnapshotRestoreErrorItem>,
}

impl ToXml for EnableFastSnapshotRestoresResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("successful", "item", &self.successful);
        xml.list("unsuccessful", "item", &self.unsuccessful);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct EnableImageBlockPublicAccessResult {
    pub image_block_public_access_state: Option<String>,
}

impl ToXml for EnableImageBlockPublicAccessResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("imageBlockPublicAccessState", self.image_block_public_access_state.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct EnableImageDeprecationResult {
    pub r#return: Option<bool>,
}

impl ToXml for EnableImageDeprecationResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct EnableImageDeregistrationProtectionResult {
    pub r#return: Option<String>,
}

impl ToXml for EnableImageDeregistrationProtectionResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct EnableImageResult {
    pub r#return: Option<bool>,
}

impl ToXml for EnableImageResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct EnableSnapshotBlockPublicAccessResult {
    pub state: Option<String>,
}

impl ToXml for EnableSnapshotBlockPublicAccessResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("state", self.state.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct EnclaveOptions {
    pub enabled: Option<bool>,
}

impl ToXml for EnclaveOptions {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("enabled", self.enabled.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct GetAllowedImagesSettingsResult {
    pub state: Option<String>,
    pub image_criteria: Vec<ImageCriterion>,
    pub managed_by: Option<String>,
}

impl ToXml for GetAllowedImagesSettingsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("state", self.state.as_ref());
        xml.list("imageCriterionSet", "item", &self.image_criteria);
        xml.member("managedBy", self.managed_by.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct GetConsoleOutputResult {
    pub instance_id: Option<String>,
    pub timestamp: Option<Timestamp>,
    pub output: Option<String>,
}

impl ToXml for GetConsoleOutputResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("instanceId", self.instance_id.as_ref());
        xml.member("timestamp", self.timestamp.as_ref());
        xml.member("output", self.output.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct GetEbsDefaultKmsKeyIdResult {
    pub kms_key_id: Option<String>,
}

impl ToXml for GetEbsDefaultKmsKeyIdResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("kmsKeyId", self.kms_key_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct GetEbsEncryptionByDefaultResult {
    pub ebs_encryption_by_default: Option<bool>,
    pub sse_type: Option<String>,
}

impl ToXml for GetEbsEncryptionByDefaultResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("ebsEncryptionByDefault", self.ebs_encryption_by_default.as_ref());
        xml.member("sseType", self.sse_type.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct GetImageAncestryResult {
    pub image_ancestry_entries: Vec<ImageAncestryEntry>,
}

impl ToXml for GetImageAncestryResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("imageAncestryEntrySet", "item", &self.image_ancestry_entries);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct GetImageBlockPublicAccessStateResult {
    pub image_block_public_access_state: Option<String>,
    pub managed_by: Option<String>,
}

impl ToXml for GetImageBlockPublicAccessStateResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("imageBlockPublicAccessState", self.image_block_public_access_state.as_ref());
        xml.member("managedBy", self.managed_by.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct GetInstanceMetadataDefaultsResult {
    pub account_level: Option<InstanceMetadataDefaultsResponse>,
}

impl ToXml for GetInstanceMetadataDefaultsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("accountLevel", self.account_level.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct GetLaunchTemplateDataResult {
    pub launch_template_data: Option<ResponseLaunchTemplateData>,
}

impl ToXml for GetLaunchTemplateDataResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("launchTemplateData", self.launch_template_data.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct GetPasswordDataResult {
    pub instance_id: Option<String>,
    pub timestamp: Option<Timestamp>,
    pub password_data: Option<String>,
}

impl ToXml for GetPasswordDataResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("instanceId", self.instance_id.as_ref());
        xml.member("timestamp", self.timestamp.as_ref());
        xml.member("passwordData", self.password_data.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct GetSnapshotBlockPublicAccessStateResult {
    pub state: Option<String>,
    pub managed_by: Option<String>,
}

impl ToXml for GetSnapshotBlockPublicAccessStateResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("state", self.state.as_ref());
        xml.member("managedBy", self.managed_by.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct GroupIdentifier {
    pub group_id: Option<String>,
    pub group_name: Option<String>,
}

impl ToXml for GroupIdentifier {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("groupId", self.group_id.as_ref());
        xml.member("groupName", self.group_name.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct HibernationOptions {
    pub configured: Option<bool>,
}

impl ToXml for HibernationOptions {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("configured", self.configured.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct IamInstanceProfile {
    pub arn: Option<String>,
    pub id: Option<String>,
}

impl ToXml for IamInstanceProfile {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("arn", self.arn.as_ref());
        xml.member("id", self.id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct IamInstanceProfileAssociation {
    pub association_id: Option<String>,
    pub instance_id: Option<String>,
    pub iam_instance_profile: Option<IamInstanceProfile>,
    pub state: Option<String>,
    pub timestamp: Option<Timestamp>,
}

impl ToXml for IamInstanceProfileAssociation {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("associationId", self.association_id.as_ref());
        xml.member("instanceId", self.instance_id.as_ref());
        xml.member("iamInstanceProfile", self.iam_instance_profile.as_ref());
        xml.member("state", self.state.as_ref());
        xml.member("timestamp", self.timestamp.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct Image {
    pub platform_details: Option<String>,
    pub usage_operation: Option<String>,
    pub block_device_mappings: Vec<BlockDeviceMapping>,
    pub description: Option<String>,
    pub ena_support: Option<bool>,
    pub hypervisor: Option<String>,
    pub name: Option<String>,
    pub root_device_name: Option<String>,
    pub root_device_type: Option<String>,
    pub sriov_net_support: Option<String>,
    pub state_reason: Option<StateReason>,
    pub tags: Vec<Tag>,
    pub virtualization_type: Option<String>,
    pub boot_mode: Option<String>,
    pub tpm_support: Option<String>,
    pub deprecation_time: Option<String>,
    pub imds_support: Option<String>,
    pub source_instance_id: Option<String>,
    pub deregistration_protection: Option<String>,
    pub last_launched_time: Option<String>,
    pub image_allowed: Option<bool>,
    pub source_image_id: Option<String>,
    pub source_image_region: Option<String>,
    pub free_tier_eligible: Option<bool>,
    pub image_id: Option<String>,
    pub image_location: Option<String>,
    pub state: Option<String>,
    pub owner_id: Option<String>,
    pub creation_date: Option<String>,
    pub public: Option<bool>,
    pub architecture: Option<String>,
    pub image_type: Option<String>,
    pub kernel_id: Option<String>,
    pub ramdisk_id: Option<String>,
}

impl ToXml for Image {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("platformDetails", self.platform_details.as_ref());
        xml.member("usageOperation", self.usage_operation.as_ref());
        xml.list("blockDeviceMapping", "item", &self.block_device_mappings);
        xml.member("description", self.description.as_ref());
        xml.member("enaSupport", self.ena_support.as_ref());
        xml.member("hypervisor", self.hypervisor.as_ref());
        xml.member("name", self.name.as_ref());
        xml.member("rootDeviceName", self.root_device_name.as_ref());
        xml.member("rootDeviceType", self.root_device_type.as_ref());
        xml.member("sriovNetSupport", self.sriov_net_support.as_ref());
        xml.member("stateReason", self.state_reason.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("virtualizationType", self.virtualization_type.as_ref());
        xml.member("bootMode", self.boot_mode.as_ref());
        xml.member("tpmSupport", self.tpm_support.as_ref());
        xml.member("deprecationTime", self.deprecation_time.as_ref());
        xml.member("imdsSupport", self.imds_support.as_ref());
        xml.member("sourceInstanceId", self.source_instance_id.as_ref());
        xml.member("deregistrationProtection", self.deregistration_protection.as_ref());
        xml.member("lastLaunchedTime", self.last_launched_time.as_ref());
        xml.member("imageAllowed", self.image_allowed.as_ref());
        xml.member("sourceImageId", self.source_image_id.as_ref());
        xml.member("sourceImageRegion", self.source_image_region.as_ref());
        xml.member("freeTierEligible", self.free_tier_eligible.as_ref());
        xml.member("imageId", self.image_id.as_ref());
        xml.member("imageLocation", self.image_location.as_ref());
        xml.member("imageState", self.state.as_ref());
        xml.member("imageOwnerId", self.owner_id.as_ref());
        xml.member("creationDate", self.creation_date.as_ref());
        xml.member("isPublic", self.public.as_ref());
        xml.member("architecture", self.architecture.as_ref());
        xml.member("imageType", self.image_type.as_ref());
        xml.member("kernelId", self.kernel_id.as_ref());
        xml.member("ramdiskId", self.ramdisk_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ImageAncestryEntry {
    pub creation_date: Option<Timestamp>,
    pub image_id: Option<String>,
    pub source_image_id: Option<String>,
    pub source_image_region: Option<String>,
}

impl ToXml for ImageAncestryEntry {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("creationDate", self.creation_date.as_ref());
        xml.member("imageId", self.image_id.as_ref());
        xml.member("sourceImageId", self.source_image_id.as_ref());
        xml.member("sourceImageRegion", self.source_image_region.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ImageAttribute {
    pub description: Option<AttributeValue>,
    pub kernel_id: Option<AttributeValue>,
    pub ramdisk_id: Option<AttributeValue>,
    pub sriov_net_support: Option<AttributeValue>,
    pub boot_mode: Option<AttributeValue>,
    pub tpm_support: Option<AttributeValue>,
    pub uefi_data: Option<AttributeValue>,
    pub last_launched_time: Option<AttributeValue>,
    pub imds_support: Option<AttributeValue>,
    pub deregistration_protection: Option<AttributeValue>,
    pub image_id: Option<String>,
    pub launch_permissions: Option<Vec<LaunchPermission>>,
    pub product_codes: Option<Vec<ProductCode>>,
    pub block_device_mappings: Option<Vec<BlockDeviceMapping>>,
}

impl ToXml for ImageAttribute {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("description", self.description.as_ref());
        xml.member("kernel", self.kernel_id.as_ref());
        xml.member("ramdisk", self.ramdisk_id.as_ref());
        xml.member("sriovNetSupport", self.sriov_net_support.as_ref());
        xml.member("bootMode", self.boot_mode.as_ref());
        xml.member("tpmSupport", self.tpm_support.as_ref());
        xml.member("uefiData", self.uefi_data.as_ref());
        xml.member("lastLaunchedTime", self.last_launched_time.as_ref());
        xml.member("imdsSupport", self.imds_support.as_ref());
        xml.member("deregistrationProtection", self.deregistration_protection.as_ref());
        xml.member("imageId", self.image_id.as_ref());
        xml.list_if_there("launchPermission", "item", self.launch_permissions.as_deref());
        xml.list_if_there("productCodes", "item", self.product_codes.as_deref());
        xml.list_if_there("blockDeviceMapping", "item", self.block_device_mappings.as_deref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ImageCriterion {
    pub image_providers: Option<Vec<String>>,
    pub marketplace_product_codes: Option<Vec<String>>,
    pub image_names: Option<Vec<String>>,
    pub deprecation_time_condition: Option<DeprecationTimeCondition>,
    pub creation_date_condition: Option<CreationDateCondition>,
}

impl ToXml for ImageCriterion {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list_if_there("imageProviderSet", "item", self.image_providers.as_deref());
        xml.list_if_there("marketplaceProductCodeSet", "item", self.marketplace_product_codes.as_deref());
        xml.list_if_there("imageNameSet", "item", self.image_names.as_deref());
        xml.member("deprecationTimeCondition", self.deprecation_time_condition.as_ref());
        xml.member("creationDateCondition", self.creation_date_condition.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ImageMetadata {
    pub image_id: Option<String>,
    pub name: Option<String>,
    pub owner_id: Option<String>,
    pub state: Option<String>,
    pub creation_date: Option<String>,
    pub deprecation_time: Option<String>,
    pub image_allowed: Option<bool>,
    pub is_public: Option<bool>,
}

impl ToXml for ImageMetadata {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("imageId", self.image_id.as_ref());
        xml.member("name", self.name.as_ref());
        xml.member("imageOwnerId", self.owner_id.as_ref());
        xml.member("imageState", self.state.as_ref());
        xml.member("creationDate", self.creation_date.as_ref());
        xml.member("deprecationTime", self.deprecation_time.as_ref());
        xml.member("imageAllowed", self.image_allowed.as_ref());
        xml.member("isPublic", self.is_public.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ImageRecycleBinInfo {
    pub image_id: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub recycle_bin_enter_time: Option<Timestamp>,
    pub recycle_bin_exit_time: Option<Timestamp>,
}

impl ToXml for ImageRecycleBinInfo {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("imageId", self.image_id.as_ref());
        xml.member("name", self.name.as_ref());
        xml.member("description", self.description.as_ref());
        xml.member("recycleBinEnterTime", self.recycle_bin_enter_time.as_ref());
        xml.member("recycleBinExitTime", self.recycle_bin_exit_time.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ImageReference {
    pub image_id: Option<String>,
    pub resource_type: Option<String>,
    pub arn: Option<String>,
}

impl ToXml for ImageReference {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("imageId", self.image_id.as_ref());
        xml.member("resourceType", self.resource_type.as_ref());
        xml.member("arn", self.arn.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ImageUsageReport {
    pub image_id: Option<String>,
    pub report_id: Option<String>,
    pub resource_types: Vec<ImageUsageResourceType>,
    pub account_ids: Vec<String>,
    pub state: Option<String>,
    pub state_reason: Option<String>,
    pub creation_time: Option<Timestamp>,
    pub expiration_time: Option<Timestamp>,
    pub tags: Vec<Tag>,
}

impl ToXml for ImageUsageReport {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("imageId", self.image_id.as_ref());
        xml.member("reportId", self.report_id.as_ref());
        xml.list("resourceTypeSet", "item", &self.resource_types);
        xml.list("accountIdSet", "item", &self.account_ids);
        xml.member("state", self.state.as_ref());
        xml.member("stateReason", self.state_reason.as_ref());
        xml.member("creationTime", self.creation_time.as_ref());
        xml.member("expirationTime", self.expiration_time.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ImageUsageReportEntry {
    pub resource_type: Option<String>,
    pub report_id: Option<String>,
    pub usage_count: Option<i64>,
    pub account_id: Option<String>,
    pub image_id: Option<String>,
    pub report_creation_time: Option<Timestamp>,
}

impl ToXml for ImageUsageReportEntry {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("resourceType", self.resource_type.as_ref());
        xml.member("reportId", self.report_id.as_ref());
        xml.member("usageCount", self.usage_count.as_ref());
        xml.member("accountId", self.account_id.as_ref());
        xml.member("imageId", self.image_id.as_ref());
        xml.member("reportCreationTime", self.report_creation_time.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ImageUsageResourceType {
    pub resource_type: Option<String>,
    pub resource_type_options: Vec<ImageUsageResourceTypeOption>,
}

impl ToXml for ImageUsageResourceType {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("resourceType", self.resource_type.as_ref());
        xml.list("resourceTypeOptionSet", "item", &self.resource_type_options);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ImageUsageResourceTypeOption {
    pub option_name: Option<String>,
    pub option_values: Vec<String>,
}

impl ToXml for ImageUsageResourceTypeOption {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("optionName", self.option_name.as_ref());
        xml.list("optionValueSet", "item", &self.option_values);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ImportKeyPairResult {
    pub key_fingerprint: Option<String>,
    pub key_name: Option<String>,
    pub key_pair_id: Option<String>,
    pub tags: Vec<Tag>,
}

impl ToXml for ImportKeyPairResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("keyFingerprint", self.key_fingerprint.as_ref());
        xml.member("keyName", self.key_name.as_ref());
        xml.member("keyPairId", self.key_pair_id.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InitializationStatusDetails {
    pub initialization_type: Option<String>,
    pub progress: Option<i64>,
    pub estimated_time_to_complete_in_seconds: Option<i64>,
}

impl ToXml for InitializationStatusDetails {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("initializationType", self.initialization_type.as_ref());
        xml.member("progress", self.progress.as_ref());
        xml.member("estimatedTimeToCompleteInSeconds", self.estimated_time_to_complete_in_seconds.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct Instance {
    pub architecture: Option<String>,
    pub block_device_mappings: Vec<InstanceBlockDeviceMapping>,
    pub client_token: Option<String>,
    pub ebs_optimized: Option<bool>,
    pub ena_support: Option<bool>,
    pub hypervisor: Option<String>,
    pub iam_instance_profile: Option<IamInstanceProfile>,
    pub network_interfaces: Vec<InstanceNetworkInterface>,
    pub root_device_name: Option<String>,
    pub root_device_type: Option<String>,
    pub security_groups: Vec<GroupIdentifier>,
    pub source_dest_check: Option<bool>,
    pub state_reason: Option<StateReason>,
    pub tags: Vec<Tag>,
    pub virtualization_type: Option<String>,
    pub cpu_options: Option<CpuOptions>,
    pub capacity_reservation_specification: Option<CapacityReservationSpecificationResponse>,
    pub hibernation_options: Option<HibernationOptions>,
    pub metadata_options: Option<InstanceMetadataOptionsResponse>,
    pub enclave_options: Option<EnclaveOptions>,
    pub boot_mode: Option<String>,
    pub platform_details: Option<String>,
    pub usage_operation: Option<String>,
    pub usage_operation_update_time: Option<Timestamp>,
    pub private_dns_name_options: Option<PrivateDnsNameOptionsResponse>,
    pub maintenance_options: Option<InstanceMaintenanceOptions>,
    pub current_instance_boot_mode: Option<String>,
    pub instance_id: Option<String>,
    pub image_id: Option<String>,
    pub state: Option<InstanceState>,
    pub private_dns_name: Option<String>,
    pub public_dns_name: Option<String>,
    pub state_transition_reason: Option<String>,
    pub key_name: Option<String>,
    pub ami_launch_index: Option<i32>,
    pub product_codes: Vec<ProductCode>,
    pub instance_type: Option<String>,
    pub launch_time: Option<Timestamp>,
    pub placement: Option<Placement>,
    pub monitoring: Option<Monitoring>,
    pub subnet_id: Option<String>,
    pub vpc_id: Option<String>,
    pub private_ip_address: Option<String>,
    pub public_ip_address: Option<String>,
}

impl ToXml for Instance {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("architecture", self.architecture.as_ref());
        xml.list("blockDeviceMapping", "item", &self.block_device_mappings);
        xml.member("clientToken", self.client_token.as_ref());
        xml.member("ebsOptimized", self.ebs_optimized.as_ref());
        xml.member("enaSupport", self.ena_support.as_ref());
        xml.member("hypervisor", self.hypervisor.as_ref());
        xml.member("iamInstanceProfile", self.iam_instance_profile.as_ref());
        xml.list("networkInterfaceSet", "item", &self.network_interfaces);
        xml.member("rootDeviceName", self.root_device_name.as_ref());
        xml.member("rootDeviceType", self.root_device_type.as_ref());
        xml.list("groupSet", "item", &self.security_groups);
        xml.member("sourceDestCheck", self.source_dest_check.as_ref());
        xml.member("stateReason", self.state_reason.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("virtualizationType", self.virtualization_type.as_ref());
        xml.member("cpuOptions", self.cpu_options.as_ref());
        xml.member("capacityReservationSpecification", self.capacity_reservation_specification.as_ref());
        xml.member("hibernationOptions", self.hibernation_options.as_ref());
        xml.member("metadataOptions", self.metadata_options.as_ref());
        xml.member("enclaveOptions", self.enclave_options.as_ref());
        xml.member("bootMode", self.boot_mode.as_ref());
        xml.member("platformDetails", self.platform_details.as_ref());
        xml.member("usageOperation", self.usage_operation.as_ref());
        xml.member("usageOperationUpdateTime", self.usage_operation_update_time.as_ref());
        xml.member("privateDnsNameOptions", self.private_dns_name_options.as_ref());
        xml.member("maintenanceOptions", self.maintenance_options.as_ref());
        xml.member("currentInstanceBootMode", self.current_instance_boot_mode.as_ref());
        xml.member("instanceId", self.instance_id.as_ref());
        xml.member("imageId", self.image_id.as_ref());
        xml.member("instanceState", self.state.as_ref());
        xml.member("privateDnsName", self.private_dns_name.as_ref());
        xml.member("dnsName", self.public_dns_name.as_ref());
        xml.member("reason", self.state_transition_reason.as_ref());
        xml.member("keyName", self.key_name.as_ref());
        xml.member("amiLaunchIndex", self.ami_launch_index.as_ref());
        xml.list("productCodes", "item", &self.product_codes);
        xml.member("instanceType", self.instance_type.as_ref());
        xml.member("launchTime", self.launch_time.as_ref());
        xml.member("placement", self.placement.as_ref());
        xml.member("monitoring", self.monitoring.as_ref());
        xml.member("subnetId", self.subnet_id.as_ref());
        xml.member("vpcId", self.vpc_id.as_ref());
        xml.member("privateIpAddress", self.private_ip_address.as_ref());
        xml.member("ipAddress", self.public_ip_address.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InstanceAttribute {
    pub block_device_mappings: Option<Vec<InstanceBlockDeviceMapping>>,
    pub disable_api_termination: Option<AttributeBooleanValue>,
    pub ena_support: Option<AttributeBooleanValue>,
    pub enclave_options: Option<EnclaveOptions>,
    pub ebs_optimized: Option<AttributeBooleanValue>,
    pub instance_id: Option<String>,
    pub instance_initiated_shutdown_behavior: Option<AttributeValue>,
    pub instance_type: Option<AttributeValue>,
    pub kernel_id: Option<AttributeValue>,
    pub product_codes: Option<Vec<ProductCode>>,
    pub ramdisk_id: Option<AttributeValue>,
    pub root_device_name: Option<AttributeValue>,
    pub source_dest_check: Option<AttributeBooleanValue>,
    pub sriov_net_support: Option<AttributeValue>,
    pub user_data: Option<AttributeValue>,
    pub disable_api_stop: Option<AttributeBooleanValue>,
    pub groups: Option<Vec<GroupIdentifier>>,
}

impl ToXml for InstanceAttribute {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list_if_there("blockDeviceMapping", "item", self.block_device_mappings.as_deref());
        xml.member("disableApiTermination", self.disable_api_termination.as_ref());
        xml.member("enaSupport", self.ena_support.as_ref());
        xml.member("enclaveOptions", self.enclave_options.as_ref());
        xml.member("ebsOptimized", self.ebs_optimized.as_ref());
        xml.member("instanceId", self.instance_id.as_ref());
        xml.member("instanceInitiatedShutdownBehavior", self.instance_initiated_shutdown_behavior.as_ref());
        xml.member("instanceType", self.instance_type.as_ref());
        xml.member("kernel", self.kernel_id.as_ref());
        xml.list_if_there("productCodes", "item", self.product_codes.as_deref());
        xml.member("ramdisk", self.ramdisk_id.as_ref());
        xml.member("rootDeviceName", self.root_device_name.as_ref());
        xml.member("sourceDestCheck", self.source_dest_check.as_ref());
        xml.member("sriovNetSupport", self.sriov_net_support.as_ref());
        xml.member("userData", self.user_data.as_ref());
        xml.member("disableApiStop", self.disable_api_stop.as_ref());
        xml.list_if_there("groupSet", "item", self.groups.as_deref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InstanceBlockDeviceMapping {
    pub device_name: Option<String>,
    pub ebs: Option<EbsInstanceBlockDevice>,
}

impl ToXml for InstanceBlockDeviceMapping {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("deviceName", self.device_name.as_ref());
        xml.member("ebs", self.ebs.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InstanceCreditSpecification {
    pub instance_id: Option<String>,
    pub cpu_credits: Option<String>,
}

impl ToXml for InstanceCreditSpecification {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("instanceId", self.instance_id.as_ref());
        xml.member("cpuCredits", self.cpu_credits.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InstanceImageMetadata {
    pub instance_id: Option<String>,
    pub instance_type: Option<String>,
    pub launch_time: Option<Timestamp>,
    pub availability_zone: Option<String>,
    pub zone_id: Option<String>,
    pub state: Option<InstanceState>,
    pub owner_id: Option<String>,
    pub tags: Vec<Tag>,
    pub image_metadata: Option<ImageMetadata>,
    pub operator: Option<OperatorResponse>,
}

impl ToXml for InstanceImageMetadata {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("instanceId", self.instance_id.as_ref());
        xml.member("instanceType", self.instance_type.as_ref());
        xml.member("launchTime", self.launch_time.as_ref());
        xml.member("availabilityZone", self.availability_zone.as_ref());
        xml.member("zoneId", self.zone_id.as_ref());
        xml.member("instanceState", self.state.as_ref());
        xml.member("instanceOwnerId", self.owner_id.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("imageMetadata", self.image_metadata.as_ref());
        xml.member("operator", self.operator.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InstanceMaintenanceOptions {
    pub auto_recovery: Option<String>,
}

impl ToXml for InstanceMaintenanceOptions {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("autoRecovery", self.auto_recovery.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InstanceMetadataDefaultsResponse {
    pub http_tokens: Option<String>,
    pub http_put_response_hop_limit: Option<i32>,
    pub http_endpoint: Option<String>,
    pub instance_metadata_tags: Option<String>,
    pub managed_by: Option<String>,
    pub http_tokens_enforced: Option<String>,
}

impl ToXml for InstanceMetadataDefaultsResponse {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("httpTokens", self.http_tokens.as_ref());
        xml.member("httpPutResponseHopLimit", self.http_put_response_hop_limit.as_ref());
        xml.member("httpEndpoint", self.http_endpoint.as_ref());
        xml.member("instanceMetadataTags", self.instance_metadata_tags.as_ref());
        xml.member("managedBy", self.managed_by.as_ref());
        xml.member("httpTokensEnforced", self.http_tokens_enforced.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InstanceMetadataOptionsResponse {
    pub state: Option<String>,
    pub http_tokens: Option<String>,
    pub http_put_response_hop_limit: Option<i32>,
    pub http_endpoint: Option<String>,
    pub http_protocol_ipv6: Option<String>,
    pub instance_metadata_tags: Option<String>,
}

impl ToXml for InstanceMetadataOptionsResponse {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("state", self.state.as_ref());
        xml.member("httpTokens", self.http_tokens.as_ref());
        xml.member("httpPutResponseHopLimit", self.http_put_response_hop_limit.as_ref());
        xml.member("httpEndpoint", self.http_endpoint.as_ref());
        xml.member("httpProtocolIpv6", self.http_protocol_ipv6.as_ref());
        xml.member("instanceMetadataTags", self.instance_metadata_tags.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InstanceMonitoring {
    pub instance_id: Option<String>,
    pub monitoring: Option<Monitoring>,
}

impl ToXml for InstanceMonitoring {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("instanceId", self.instance_id.as_ref());
        xml.member("monitoring", self.monitoring.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InstanceNetworkInterface {
    pub attachment: Option<InstanceNetworkInterfaceAttachment>,
    pub description: Option<String>,
    pub groups: Vec<GroupIdentifier>,
    pub mac_address: Option<String>,
    pub network_interface_id: Option<String>,
    pub owner_id: Option<String>,
    pub private_dns_name: Option<String>,
    pub private_ip_address: Option<String>,
    pub private_ip_addresses: Vec<InstancePrivateIpAddress>,
    pub source_dest_check: Option<bool>,
    pub status: Option<String>,
    pub subnet_id: Option<String>,
    pub vpc_id: Option<String>,
    pub interface_type: Option<String>,
}

impl ToXml for InstanceNetworkInterface {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("attachment", self.attachment.as_ref());
        xml.member("description", self.description.as_ref());
        xml.list("groupSet", "item", &self.groups);
        xml.member("macAddress", self.mac_address.as_ref());
        xml.member("networkInterfaceId", self.network_interface_id.as_ref());
        xml.member("ownerId", self.owner_id.as_ref());
        xml.member("privateDnsName", self.private_dns_name.as_ref());
        xml.member("privateIpAddress", self.private_ip_address.as_ref());
        xml.list("privateIpAddressesSet", "item", &self.private_ip_addresses);
        xml.member("sourceDestCheck", self.source_dest_check.as_ref());
        xml.member("status", self.status.as_ref());
        xml.member("subnetId", self.subnet_id.as_ref());
        xml.member("vpcId", self.vpc_id.as_ref());
        xml.member("interfaceType", self.interface_type.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InstanceNetworkInterfaceAttachment {
    pub attach_time: Option<Timestamp>,
    pub attachment_id: Option<String>,
    pub delete_on_termination: Option<bool>,
    pub device_index: Option<i32>,
    pub status: Option<String>,
    pub network_card_index: Option<i32>,
}

impl ToXml for InstanceNetworkInterfaceAttachment {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("attachTime", self.attach_time.as_ref());
        xml.member("attachmentId", self.attachment_id.as_ref());
        xml.member("deleteOnTermination", self.delete_on_termination.as_ref());
        xml.member("deviceIndex", self.device_index.as_ref());
        xml.member("status", self.status.as_ref());
        xml.member("networkCardIndex", self.network_card_index.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InstancePrivateIpAddress {
    pub primary: Option<bool>,
    pub private_dns_name: Option<String>,
    pub private_ip_address: Option<String>,
}

impl ToXml for InstancePrivateIpAddress {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("primary", self.primary.as_ref());
        xml.member("privateDnsName", self.private_dns_name.as_ref());
        xml.member("privateIpAddress", self.private_ip_address.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InstanceState {
    pub code: Option<i32>,
    pub name: Option<String>,
}

impl ToXml for InstanceState {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("code", self.code.as_ref());
        xml.member("name", self.name.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InstanceStateChange {
    pub instance_id: Option<String>,
    pub current_state: Option<InstanceState>,
    pub previous_state: Option<InstanceState>,
}

impl ToXml for InstanceStateChange {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("instanceId", self.instance_id.as_ref());
        xml.member("currentState", self.current_state.as_ref());
        xml.member("previousState", self.previous_state.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InstanceStatus {
    pub availability_zone: Option<String>,
    pub availability_zone_id: Option<String>,
    pub instance_id: Option<String>,
    pub instance_state: Option<InstanceState>,
    pub instance_status: Option<InstanceStatusSummary>,
    pub system_status: Option<InstanceStatusSummary>,
    pub attached_ebs_status: Option<EbsStatusSummary>,
}

impl ToXml for InstanceStatus {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("availabilityZone", self.availability_zone.as_ref());
        xml.member("availabilityZoneId", self.availability_zone_id.as_ref());
        xml.member("instanceId", self.instance_id.as_ref());
        xml.member("instanceState", self.instance_state.as_ref());
        xml.member("instanceStatus", self.instance_status.as_ref());
        xml.member("systemStatus", self.system_status.as_ref());
        xml.member("attachedEbsStatus", self.attached_ebs_status.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InstanceStatusDetails {
    pub impaired_since: Option<Timestamp>,
    pub name: Option<String>,
    pub status: Option<String>,
}

impl ToXml for InstanceStatusDetails {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("impairedSince", self.impaired_since.as_ref());
        xml.member("name", self.name.as_ref());
        xml.member("status", self.status.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InstanceStatusSummary {
    pub details: Vec<InstanceStatusDetails>,
    pub status: Option<String>,
}

impl ToXml for InstanceStatusSummary {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("details", "item", &self.details);
        xml.member("status", self.status.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InstanceTypeInfo {
    pub instance_type: Option<String>,
    pub current_generation: Option<bool>,
    pub free_tier_eligible: Option<bool>,
    pub supported_usage_classes: Vec<String>,
    pub supported_root_device_types: Vec<String>,
    pub supported_virtualization_types: Vec<String>,
    pub bare_metal: Option<bool>,
    pub hypervisor: Option<String>,
    pub processor_info: Option<ProcessorInfo>,
    pub v_cpu_info: Option<VCpuInfo>,
    pub memory_info: Option<MemoryInfo>,
    pub instance_storage_supported: Option<bool>,
    pub ebs_info: Option<EbsInfo>,
    pub network_info: Option<NetworkInfo>,
    pub hibernation_supported: Option<bool>,
    pub burstable_performance_supported: Option<bool>,
    pub dedicated_hosts_supported: Option<bool>,
    pub auto_recovery_supported: Option<bool>,
    pub supported_boot_modes: Vec<String>,
    pub nitro_enclaves_support: Option<String>,
    pub nitro_tpm_support: Option<String>,
    pub reboot_migration_support: Option<String>,
}

impl ToXml for InstanceTypeInfo {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("instanceType", self.instance_type.as_ref());
        xml.member("currentGeneration", self.current_generation.as_ref());
        xml.member("freeTierEligible", self.free_tier_eligible.as_ref());
        xml.list("supportedUsageClasses", "item", &self.supported_usage_classes);
        xml.list("supportedRootDeviceTypes", "item", &self.supported_root_device_types);
        xml.list("supportedVirtualizationTypes", "item", &self.supported_virtualization_types);
        xml.member("bareMetal", self.bare_metal.as_ref());
        xml.member("hypervisor", self.hypervisor.as_ref());
        xml.member("processorInfo", self.processor_info.as_ref());
        xml.member("vCpuInfo", self.v_cpu_info.as_ref());
        xml.member("memoryInfo", self.memory_info.as_ref());
        xml.member("instanceStorageSupported", self.instance_storage_supported.as_ref());
        xml.member("ebsInfo", self.ebs_info.as_ref());
        xml.member("networkInfo", self.network_info.as_ref());
        xml.member("hibernationSupported", self.hibernation_supported.as_ref());
        xml.member("burstablePerformanceSupported", self.burstable_performance_supported.as_ref());
        xml.member("dedicatedHostsSupported", self.dedicated_hosts_supported.as_ref());
        xml.member("autoRecoverySupported", self.auto_recovery_supported.as_ref());
        xml.list("supportedBootModes", "item", &self.supported_boot_modes);
        xml.member("nitroEnclavesSupport", self.nitro_enclaves_support.as_ref());
        xml.member("nitroTpmSupport", self.nitro_tpm_support.as_ref());
        xml.member("rebootMigrationSupport", self.reboot_migration_support.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InstanceTypeOffering {
    pub instance_type: Option<String>,
    pub location_type: Option<String>,
    pub location: Option<String>,
}

impl ToXml for InstanceTypeOffering {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("instanceType", self.instance_type.as_ref());
        xml.member("locationType", self.location_type.as_ref());
        xml.member("location", self.location.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InternetGateway {
    pub attachments: Vec<InternetGatewayAttachment>,
    pub internet_gateway_id: Option<String>,
    pub owner_id: Option<String>,
    pub tags: Vec<Tag>,
}

impl ToXml for InternetGateway {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("attachmentSet", "item", &self.attachments);
        xml.member("internetGatewayId", self.internet_gateway_id.as_ref());
        xml.member("ownerId", self.owner_id.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct InternetGatewayAttachment {
    pub state: Option<String>,
    pub vpc_id: Option<String>,
}

impl ToXml for InternetGatewayAttachment {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("state", self.state.as_ref());
        xml.member("vpcId", self.vpc_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct IpPermission {
    pub ip_protocol: Option<String>,
    pub from_port: Option<i32>,
    pub to_port: Option<i32>,
    pub user_id_group_pairs: Vec<UserIdGroupPair>,
    pub ip_ranges: Vec<IpRange>,
    pub ipv6_ranges: Vec<Ipv6Range>,
    pub prefix_list_ids: Vec<PrefixListId>,
}

impl ToXml for IpPermission {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("ipProtocol", self.ip_protocol.as_ref());
        xml.member("fromPort", self.from_port.as_ref());
        xml.member("toPort", self.to_port.as_ref());
        xml.list("groups", "item", &self.user_id_group_pairs);
        xml.list("ipRanges", "item", &self.ip_ranges);
        xml.list("ipv6Ranges", "item", &self.ipv6_ranges);
        xml.list("prefixListIds", "item", &self.prefix_list_ids);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct IpRange {
    pub description: Option<String>,
    pub cidr_ip: Option<String>,
}

impl ToXml for IpRange {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("description", self.description.as_ref());
        xml.member("cidrIp", self.cidr_ip.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct Ipv6Range {
    pub description: Option<String>,
    pub cidr_ipv6: Option<String>,
}

impl ToXml for Ipv6Range {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("description", self.description.as_ref());
        xml.member("cidrIpv6", self.cidr_ipv6.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct KeyPair {
    pub key_pair_id: Option<String>,
    pub tags: Vec<Tag>,
    pub key_name: Option<String>,
    pub key_fingerprint: Option<String>,
    pub key_material: Option<String>,
}

impl ToXml for KeyPair {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("keyPairId", self.key_pair_id.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("keyName", self.key_name.as_ref());
        xml.member("keyFingerprint", self.key_fingerprint.as_ref());
        xml.member("keyMaterial", self.key_material.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct KeyPairInfo {
    pub key_pair_id: Option<String>,
    pub key_type: Option<String>,
    pub tags: Vec<Tag>,
    pub public_key: Option<String>,
    pub create_time: Option<Timestamp>,
    pub key_name: Option<String>,
    pub key_fingerprint: Option<String>,
}

impl ToXml for KeyPairInfo {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("keyPairId", self.key_pair_id.as_ref());
        xml.member("keyType", self.key_type.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("publicKey", self.public_key.as_ref());
        xml.member("createTime", self.create_time.as_ref());
        xml.member("keyName", self.key_name.as_ref());
        xml.member("keyFingerprint", self.key_fingerprint.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct LaunchPermission {
    pub organization_arn: Option<String>,
    pub organizational_unit_arn: Option<String>,
    pub user_id: Option<String>,
    pub group: Option<String>,
}

impl ToXml for LaunchPermission {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("organizationArn", self.organization_arn.as_ref());
        xml.member("organizationalUnitArn", self.organizational_unit_arn.as_ref());
        xml.member("userId", self.user_id.as_ref());
        xml.member("group", self.group.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct LaunchTemplate {
    pub launch_template_id: Option<String>,
    pub launch_template_name: Option<String>,
    pub create_time: Option<Timestamp>,
    pub created_by: Option<String>,
    pub default_version_number: Option<i64>,
    pub latest_version_number: Option<i64>,
    pub tags: Vec<Tag>,
}

impl ToXml for LaunchTemplate {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("launchTemplateId", self.launch_template_id.as_ref());
        xml.member("launchTemplateName", self.launch_template_name.as_ref());
        xml.member("createTime", self.create_time.as_ref());
        xml.member("createdBy", self.created_by.as_ref());
        xml.member("defaultVersionNumber", self.default_version_number.as_ref());
        xml.member("latestVersionNumber", self.latest_version_number.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct LaunchTemplateBlockDeviceMapping {
    pub device_name: Option<String>,
    pub virtual_name: Option<String>,
    pub ebs: Option<LaunchTemplateEbsBlockDevice>,
    pub no_device: Option<String>,
}

impl ToXml for LaunchTemplateBlockDeviceMapping {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("deviceName", self.device_name.as_ref());
        xml.member("virtualName", self.virtual_name.as_ref());
        xml.member("ebs", self.ebs.as_ref());
        xml.member("noDevice", self.no_device.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct LaunchTemplateEbsBlockDevice {
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

impl ToXml for LaunchTemplateEbsBlockDevice {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("encrypted", self.encrypted.as_ref());
        xml.member("deleteOnTermination", self.delete_on_termination.as_ref());
        xml.member("iops", self.iops.as_ref());
        xml.member("kmsKeyId", self.kms_key_id.as_ref());
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.member("volumeSize", self.volume_size.as_ref());
        xml.member("volumeType", self.volume_type.as_ref());
        xml.member("throughput", self.throughput.as_ref());
        xml.member("volumeInitializationRate", self.volume_initialization_rate.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct LaunchTemplateIamInstanceProfileSpecification {
    pub arn: Option<String>,
    pub name: Option<String>,
}

impl ToXml for LaunchTemplateIamInstanceProfileSpecification {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("arn", self.arn.as_ref());
        xml.member("name", self.name.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct LaunchTemplateInstanceMetadataOptions {
    pub state: Option<String>,
    pub http_tokens: Option<String>,
    pub http_put_response_hop_limit: Option<i32>,
    pub http_endpoint: Option<String>,
    pub http_protocol_ipv6: Option<String>,
    pub instance_metadata_tags: Option<String>,
}

impl ToXml for LaunchTemplateInstanceMetadataOptions {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("state", self.state.as_ref());
        xml.member("httpTokens", self.http_tokens.as_ref());
        xml.member("httpPutResponseHopLimit", self.http_put_response_hop_limit.as_ref());
        xml.member("httpEndpoint", self.http_endpoint.as_ref());
        xml.member("httpProtocolIpv6", self.http_protocol_ipv6.as_ref());
        xml.member("instanceMetadataTags", self.instance_metadata_tags.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct LaunchTemplateInstanceNetworkInterfaceSpecification {
    pub associate_public_ip_address: Option<bool>,
    pub delete_on_termination: Option<bool>,
    pub description: Option<String>,
    pub device_index: Option<i32>,
    pub groups: Vec<String>,
    pub private_ip_address: Option<String>,
    pub subnet_id: Option<String>,
}

impl ToXml for LaunchTemplateInstanceNetworkInterfaceSpecification {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("associatePublicIpAddress", self.associate_public_ip_address.as_ref());
        xml.member("deleteOnTermination", self.delete_on_termination.as_ref());
        xml.member("description", self.description.as_ref());
        xml.member("deviceIndex", self.device_index.as_ref());
        xml.list("groupSet", "groupId", &self.groups);
        xml.member("privateIpAddress", self.private_ip_address.as_ref());
        xml.member("subnetId", self.subnet_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct LaunchTemplatePlacement {
    pub availability_zone: Option<String>,
    pub availability_zone_id: Option<String>,
    pub tenancy: Option<String>,
}

impl ToXml for LaunchTemplatePlacement {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("availabilityZone", self.availability_zone.as_ref());
        xml.member("availabilityZoneId", self.availability_zone_id.as_ref());
        xml.member("tenancy", self.tenancy.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct LaunchTemplateTagSpecification {
    pub resource_type: Option<String>,
    pub tags: Vec<Tag>,
}

impl ToXml for LaunchTemplateTagSpecification {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("resourceType", self.resource_type.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct LaunchTemplateVersion {
    pub launch_template_id: Option<String>,
    pub launch_template_name: Option<String>,
    pub version_number: Option<i64>,
    pub version_description: Option<String>,
    pub create_time: Option<Timestamp>,
    pub created_by: Option<String>,
    pub default_version: Option<bool>,
    pub launch_template_data: Option<ResponseLaunchTemplateData>,
}

impl ToXml for LaunchTemplateVersion {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("launchTemplateId", self.launch_template_id.as_ref());
        xml.member("launchTemplateName", self.launch_template_name.as_ref());
        xml.member("versionNumber", self.version_number.as_ref());
        xml.member("versionDescription", self.version_description.as_ref());
        xml.member("createTime", self.create_time.as_ref());
        xml.member("createdBy", self.created_by.as_ref());
        xml.member("defaultVersion", self.default_version.as_ref());
        xml.member("launchTemplateData", self.launch_template_data.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct LaunchTemplatesMonitoring {
    pub enabled: Option<bool>,
}

impl ToXml for LaunchTemplatesMonitoring {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("enabled", self.enabled.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ListImagesInRecycleBinResult {
    pub images: Vec<ImageRecycleBinInfo>,
    pub next_token: Option<String>,
}

impl ToXml for ListImagesInRecycleBinResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("imageSet", "item", &self.images);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ListSnapshotsInRecycleBinResult {
    pub snapshots: Vec<SnapshotRecycleBinInfo>,
    pub next_token: Option<String>,
}

impl ToXml for ListSnapshotsInRecycleBinResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("snapshotSet", "item", &self.snapshots);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ListVolumesInRecycleBinResult {
    pub volumes: Vec<VolumeRecycleBinInfo>,
    pub next_token: Option<String>,
}

impl ToXml for ListVolumesInRecycleBinResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("volumeSet", "item", &self.volumes);
        xml.member("nextToken", self.next_token.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct LockSnapshotResult {
    pub snapshot_id: Option<String>,
    pub lock_state: Option<String>,
    pub lock_duration: Option<i32>,
    pub cool_off_period: Option<i32>,
    pub cool_off_period_expires_on: Option<Timestamp>,
    pub lock_created_on: Option<Timestamp>,
    pub lock_expires_on: Option<Timestamp>,
    pub lock_duration_start_time: Option<Timestamp>,
}

impl ToXml for LockSnapshotResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.member("lockState", self.lock_state.as_ref());
        xml.member("lockDuration", self.lock_duration.as_ref());
        xml.member("coolOffPeriod", self.cool_off_period.as_ref());
        xml.member("coolOffPeriodExpiresOn", self.cool_off_period_expires_on.as_ref());
        xml.member("lockCreatedOn", self.lock_created_on.as_ref());
        xml.member("lockExpiresOn", self.lock_expires_on.as_ref());
        xml.member("lockDurationStartTime", self.lock_duration_start_time.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct LockedSnapshotsInfo {
    pub owner_id: Option<String>,
    pub snapshot_id: Option<String>,
    pub lock_state: Option<String>,
    pub lock_duration: Option<i32>,
    pub cool_off_period: Option<i32>,
    pub cool_off_period_expires_on: Option<Timestamp>,
    pub lock_created_on: Option<Timestamp>,
    pub lock_duration_start_time: Option<Timestamp>,
    pub lock_expires_on: Option<Timestamp>,
}

impl ToXml for LockedSnapshotsInfo {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("ownerId", self.owner_id.as_ref());
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.member("lockState", self.lock_state.as_ref());
        xml.member("lockDuration", self.lock_duration.as_ref());
        xml.member("coolOffPeriod", self.cool_off_period.as_ref());
        xml.member("coolOffPeriodExpiresOn", self.cool_off_period_expires_on.as_ref());
        xml.member("lockCreatedOn", self.lock_created_on.as_ref());
        xml.member("lockDurationStartTime", self.lock_duration_start_time.as_ref());
        xml.member("lockExpiresOn", self.lock_expires_on.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct MemoryInfo {
    #[cfg_attr(test, serde(rename = "SizeInMiB"))]
    pub size_in_mib: Option<i64>,
}

impl ToXml for MemoryInfo {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("sizeInMiB", self.size_in_mib.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ModifyAvailabilityZoneGroupResult {
    pub r#return: Option<bool>,
}

impl ToXml for ModifyAvailabilityZoneGroupResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ModifyEbsDefaultKmsKeyIdResult {
    pub kms_key_id: Option<String>,
}

impl ToXml for ModifyEbsDefaultKmsKeyIdResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("kmsKeyId", self.kms_key_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ModifyInstanceMetadataDefaultsResult {
    pub r#return: Option<bool>,
}

impl ToXml for ModifyInstanceMetadataDefaultsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ModifyInstanceMetadataOptionsResult {
    pub instance_id: Option<String>,
    pub instance_metadata_options: Option<InstanceMetadataOptionsResponse>,
}

impl ToXml for ModifyInstanceMetadataOptionsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("instanceId", self.instance_id.as_ref());
        xml.member("instanceMetadataOptions", self.instance_metadata_options.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ModifyLaunchTemplateResult {
    pub launch_template: Option<LaunchTemplate>,
}

impl ToXml for ModifyLaunchTemplateResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("launchTemplate", self.launch_template.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ModifySecurityGroupRulesResult {
    pub r#return: Option<bool>,
}

impl ToXml for ModifySecurityGroupRulesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ModifySnapshotTierResult {
    pub snapshot_id: Option<String>,
    pub tiering_start_time: Option<Timestamp>,
}

impl ToXml for ModifySnapshotTierResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.member("tieringStartTime", self.tiering_start_time.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ModifyVolumeResult {
    pub volume_modification: Option<VolumeModification>,
}

impl ToXml for ModifyVolumeResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("volumeModification", self.volume_modification.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct MonitorInstancesResult {
    pub instance_monitorings: Vec<InstanceMonitoring>,
}

impl ToXml for MonitorInstancesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("instancesSet", "item", &self.instance_monitorings);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct Monitoring {
    pub state: Option<String>,
}

impl ToXml for Monitoring {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("state", self.state.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct NetworkAcl {
    pub associations: Vec<NetworkAclAssociation>,
    pub entries: Vec<NetworkAclEntry>,
    pub is_default: Option<bool>,
    pub network_acl_id: Option<String>,
    pub tags: Vec<Tag>,
    pub vpc_id: Option<String>,
    pub owner_id: Option<String>,
}

impl ToXml for NetworkAcl {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("associationSet", "item", &self.associations);
        xml.list("entrySet", "item", &self.entries);
        xml.member("default", self.is_default.as_ref());
        xml.member("networkAclId", self.network_acl_id.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("vpcId", self.vpc_id.as_ref());
        xml.member("ownerId", self.owner_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct NetworkAclAssociation {
    pub network_acl_association_id: Option<String>,
    pub network_acl_id: Option<String>,
    pub subnet_id: Option<String>,
}

impl ToXml for NetworkAclAssociation {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("networkAclAssociationId", self.network_acl_association_id.as_ref());
        xml.member("networkAclId", self.network_acl_id.as_ref());
        xml.member("subnetId", self.subnet_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct NetworkAclEntry {
    pub cidr_block: Option<String>,
    pub egress: Option<bool>,
    pub protocol: Option<String>,
    pub rule_action: Option<String>,
    pub rule_number: Option<i32>,
}

impl ToXml for NetworkAclEntry {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("cidrBlock", self.cidr_block.as_ref());
        xml.member("egress", self.egress.as_ref());
        xml.member("protocol", self.protocol.as_ref());
        xml.member("ruleAction", self.rule_action.as_ref());
        xml.member("ruleNumber", self.rule_number.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct NetworkCardInfo {
    pub network_card_index: Option<i32>,
    pub network_performance: Option<String>,
    pub maximum_network_interfaces: Option<i32>,
}

impl ToXml for NetworkCardInfo {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("networkCardIndex", self.network_card_index.as_ref());
        xml.member("networkPerformance", self.network_performance.as_ref());
        xml.member("maximumNetworkInterfaces", self.maximum_network_interfaces.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct NetworkInfo {
    pub network_performance: Option<String>,
    pub maximum_network_interfaces: Option<i32>,
    pub maximum_network_cards: Option<i32>,
    pub default_network_card_index: Option<i32>,
    pub network_cards: Vec<NetworkCardInfo>,
    pub ipv4_addresses_per_interface: Option<i32>,
    pub ipv6_addresses_per_interface: Option<i32>,
    pub ipv6_supported: Option<bool>,
    pub ena_support: Option<String>,
    pub efa_supported: Option<bool>,
    pub encryption_in_transit_supported: Option<bool>,
    pub ena_srd_supported: Option<bool>,
    pub flexible_ena_queues_support: Option<String>,
}

impl ToXml for NetworkInfo {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("networkPerformance", self.network_performance.as_ref());
        xml.member("maximumNetworkInterfaces", self.maximum_network_interfaces.as_ref());
        xml.member("maximumNetworkCards", self.maximum_network_cards.as_ref());
        xml.member("defaultNetworkCardIndex", self.default_network_card_index.as_ref());
        xml.list("networkCards", "item", &self.network_cards);
        xml.member("ipv4AddressesPerInterface", self.ipv4_addresses_per_interface.as_ref());
        xml.member("ipv6AddressesPerInterface", self.ipv6_addresses_per_interface.as_ref());
        xml.member("ipv6Supported", self.ipv6_supported.as_ref());
        xml.member("enaSupport", self.ena_support.as_ref());
        xml.member("efaSupported", self.efa_supported.as_ref());
        xml.member("encryptionInTransitSupported", self.encryption_in_transit_supported.as_ref());
        xml.member("enaSrdSupported", self.ena_srd_supported.as_ref());
        xml.member("flexibleEnaQueuesSupport", self.flexible_ena_queues_support.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct NetworkInterface {
    pub attachment: Option<NetworkInterfaceAttachment>,
    pub availability_zone: Option<String>,
    pub description: Option<String>,
    pub groups: Vec<GroupIdentifier>,
    pub interface_type: Option<String>,
    pub mac_address: Option<String>,
    pub network_interface_id: Option<String>,
    pub owner_id: Option<String>,
    pub private_dns_name: Option<String>,
    pub private_ip_address: Option<String>,
    pub private_ip_addresses: Vec<NetworkInterfacePrivateIpAddress>,
    pub requester_managed: Option<bool>,
    pub source_dest_check: Option<bool>,
    pub status: Option<String>,
    pub subnet_id: Option<String>,
    pub tag_set: Vec<Tag>,
    pub vpc_id: Option<String>,
    pub deny_all_igw_traffic: Option<bool>,
    pub ipv6_native: Option<bool>,
    pub operator: Option<OperatorResponse>,
    pub availability_zone_id: Option<String>,
}

impl ToXml for NetworkInterface {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("attachment", self.attachment.as_ref());
        xml.member("availabilityZone", self.availability_zone.as_ref());
        xml.member("description", self.description.as_ref());
        xml.list("groupSet", "item", &self.groups);
        xml.member("interfaceType", self.interface_type.as_ref());
        xml.member("macAddress", self.mac_address.as_ref());
        xml.member("networkInterfaceId", self.network_interface_id.as_ref());
        xml.member("ownerId", self.owner_id.as_ref());
        xml.member("privateDnsName", self.private_dns_name.as_ref());
        xml.member("privateIpAddress", self.private_ip_address.as_ref());
        xml.list("privateIpAddressesSet", "item", &self.private_ip_addresses);
        xml.member("requesterManaged", self.requester_managed.as_ref());
        xml.member("sourceDestCheck", self.source_dest_check.as_ref());
        xml.member("status", self.status.as_ref());
        xml.member("subnetId", self.subnet_id.as_ref());
        xml.list_if_any("tagSet", "item", &self.tag_set);
        xml.member("vpcId", self.vpc_id.as_ref());
        xml.member("denyAllIgwTraffic", self.deny_all_igw_traffic.as_ref());
        xml.member("ipv6Native", self.ipv6_native.as_ref());
        xml.member("operator", self.operator.as_ref());
        xml.member("availabilityZoneId", self.availability_zone_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct NetworkInterfaceAttachment {
    pub attach_time: Option<Timestamp>,
    pub attachment_id: Option<String>,
    pub delete_on_termination: Option<bool>,
    pub device_index: Option<i32>,
    pub network_card_index: Option<i32>,
    pub instance_id: Option<String>,
    pub instance_owner_id: Option<String>,
    pub status: Option<String>,
}

impl ToXml for NetworkInterfaceAttachment {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("attachTime", self.attach_time.as_ref());
        xml.member("attachmentId", self.attachment_id.as_ref());
        xml.member("deleteOnTermination", self.delete_on_termination.as_ref());
        xml.member("deviceIndex", self.device_index.as_ref());
        xml.member("networkCardIndex", self.network_card_index.as_ref());
        xml.member("instanceId", self.instance_id.as_ref());
        xml.member("instanceOwnerId", self.instance_owner_id.as_ref());
        xml.member("status", self.status.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct NetworkInterfacePrivateIpAddress {
    pub primary: Option<bool>,
    pub private_dns_name: Option<String>,
    pub private_ip_address: Option<String>,
}

impl ToXml for NetworkInterfacePrivateIpAddress {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("primary", self.primary.as_ref());
        xml.member("privateDnsName", self.private_dns_name.as_ref());
        xml.member("privateIpAddress", self.private_ip_address.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct OperatorResponse {
    pub managed: Option<bool>,
}

impl ToXml for OperatorResponse {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("managed", self.managed.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct Placement {
    pub availability_zone_id: Option<String>,
    pub group_name: Option<String>,
    pub tenancy: Option<String>,
    pub availability_zone: Option<String>,
}

impl ToXml for Placement {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("availabilityZoneId", self.availability_zone_id.as_ref());
        xml.member("groupName", self.group_name.as_ref());
        xml.member("tenancy", self.tenancy.as_ref());
        xml.member("availabilityZone", self.availability_zone.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct PrefixListId {
    pub description: Option<String>,
    pub prefix_list_id: Option<String>,
}

impl ToXml for PrefixListId {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("description", self.description.as_ref());
        xml.member("prefixListId", self.prefix_list_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct PrivateDnsNameOptionsOnLaunch {
    pub hostname_type: Option<String>,
    pub enable_resource_name_dns_a_record: Option<bool>,
    #[cfg_attr(test, serde(rename = "EnableResourceNameDnsAAAARecord"))]
    pub enable_resource_name_dns_aaaa_record: Option<bool>,
}

impl ToXml for PrivateDnsNameOptionsOnLaunch {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("hostnameType", self.hostname_type.as_ref());
        xml.member("enableResourceNameDnsARecord", self.enable_resource_name_dns_a_record.as_ref());
        xml.member("enableResourceNameDnsAAAARecord", self.enable_resource_name_dns_aaaa_record.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct PrivateDnsNameOptionsResponse {
    pub hostname_type: Option<String>,
    pub enable_resource_name_dns_a_record: Option<bool>,
    #[cfg_attr(test, serde(rename = "EnableResourceNameDnsAAAARecord"))]
    pub enable_resource_name_dns_aaaa_record: Option<bool>,
}

impl ToXml for PrivateDnsNameOptionsResponse {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("hostnameType", self.hostname_type.as_ref());
        xml.member("enableResourceNameDnsARecord", self.enable_resource_name_dns_a_record.as_ref());
        xml.member("enableResourceNameDnsAAAARecord", self.enable_resource_name_dns_aaaa_record.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ProcessorInfo {
    pub supported_architectures: Vec<String>,
    pub sustained_clock_speed_in_ghz: Option<f64>,
}

impl ToXml for ProcessorInfo {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("supportedArchitectures", "item", &self.supported_architectures);
        xml.member("sustainedClockSpeedInGhz", self.sustained_clock_speed_in_ghz.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ProductCode {
    pub product_code_id: Option<String>,
    pub product_code_type: Option<String>,
}

impl ToXml for ProductCode {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("productCode", self.product_code_id.as_ref());
        xml.member("type", self.product_code_type.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct PropagatingVgw {
    pub gateway_id: Option<String>,
}

impl ToXml for PropagatingVgw {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("gatewayId", self.gateway_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ReferencedSecurityGroup {
    pub group_id: Option<String>,
    pub user_id: Option<String>,
}

impl ToXml for ReferencedSecurityGroup {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("groupId", self.group_id.as_ref());
        xml.member("userId", self.user_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct Region {
    pub opt_in_status: Option<String>,
    pub region_name: Option<String>,
    pub endpoint: Option<String>,
}

impl ToXml for Region {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("optInStatus", self.opt_in_status.as_ref());
        xml.member("regionName", self.region_name.as_ref());
        xml.member("regionEndpoint", self.endpoint.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct RegisterImageResult {
    pub image_id: Option<String>,
}

impl ToXml for RegisterImageResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("imageId", self.image_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ReplaceImageCriteriaInAllowedImagesSettingsResult {
    pub return_value: Option<bool>,
}

impl ToXml for ReplaceImageCriteriaInAllowedImagesSettingsResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.return_value.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ReplaceRootVolumeTask {
    pub replace_root_volume_task_id: Option<String>,
    pub instance_id: Option<String>,
    pub task_state: Option<String>,
    pub start_time: Option<String>,
    pub complete_time: Option<String>,
    pub tags: Vec<Tag>,
    pub image_id: Option<String>,
    pub snapshot_id: Option<String>,
    pub delete_replaced_root_volume: Option<bool>,
}

impl ToXml for ReplaceRootVolumeTask {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("replaceRootVolumeTaskId", self.replace_root_volume_task_id.as_ref());
        xml.member("instanceId", self.instance_id.as_ref());
        xml.member("taskState", self.task_state.as_ref());
        xml.member("startTime", self.start_time.as_ref());
        xml.member("completeTime", self.complete_time.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("imageId", self.image_id.as_ref());
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.member("deleteReplacedRootVolume", self.delete_replaced_root_volume.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct Reservation {
    pub reservation_id: Option<String>,
    pub owner_id: Option<String>,
    pub groups: Vec<GroupIdentifier>,
    pub instances: Vec<Instance>,
}

impl ToXml for Reservation {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("reservationId", self.reservation_id.as_ref());
        xml.member("ownerId", self.owner_id.as_ref());
        xml.list("groupSet", "item", &self.groups);
        xml.list("instancesSet", "item", &self.instances);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ResetEbsDefaultKmsKeyIdResult {
    pub kms_key_id: Option<String>,
}

impl ToXml for ResetEbsDefaultKmsKeyIdResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("kmsKeyId", self.kms_key_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ResponseError {
    pub code: Option<String>,
    pub message: Option<String>,
}

impl ToXml for ResponseError {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("code", self.code.as_ref());
        xml.member("message", self.message.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct ResponseLaunchTemplateData {
    pub ebs_optimized: Option<bool>,
    pub iam_instance_profile: Option<LaunchTemplateIamInstanceProfileSpecification>,
    pub block_device_mappings: Vec<LaunchTemplateBlockDeviceMapping>,
    pub network_interfaces: Vec<LaunchTemplateInstanceNetworkInterfaceSpecification>,
    pub image_id: Option<String>,
    pub instance_type: Option<String>,
    pub key_name: Option<String>,
    pub monitoring: Option<LaunchTemplatesMonitoring>,
    pub placement: Option<LaunchTemplatePlacement>,
    pub disable_api_termination: Option<bool>,
    pub instance_initiated_shutdown_behavior: Option<String>,
    pub user_data: Option<String>,
    pub tag_specifications: Vec<LaunchTemplateTagSpecification>,
    pub security_group_ids: Vec<String>,
    pub security_groups: Vec<String>,
    pub credit_specification: Option<CreditSpecification>,
    pub metadata_options: Option<LaunchTemplateInstanceMetadataOptions>,
    pub disable_api_stop: Option<bool>,
}

impl ToXml for ResponseLaunchTemplateData {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("ebsOptimized", self.ebs_optimized.as_ref());
        xml.member("iamInstanceProfile", self.iam_instance_profile.as_ref());
        xml.list("blockDeviceMappingSet", "item", &self.block_device_mappings);
        xml.list("networkInterfaceSet", "item", &self.network_interfaces);
        xml.member("imageId", self.image_id.as_ref());
        xml.member("instanceType", self.instance_type.as_ref());
        xml.member("keyName", self.key_name.as_ref());
        xml.member("monitoring", self.monitoring.as_ref());
        xml.member("placement", self.placement.as_ref());
        xml.member("disableApiTermination", self.disable_api_termination.as_ref());
        xml.member("instanceInitiatedShutdownBehavior", self.instance_initiated_shutdown_behavior.as_ref());
        xml.member("userData", self.user_data.as_ref());
        xml.list("tagSpecificationSet", "item", &self.tag_specifications);
        xml.list("securityGroupIdSet", "item", &self.security_group_ids);
        xml.list("securityGroupSet", "item", &self.security_groups);
        xml.member("creditSpecification", self.credit_specification.as_ref());
        xml.member("metadataOptions", self.metadata_options.as_ref());
        xml.member("disableApiStop", self.disable_api_stop.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct RestoreImageFromRecycleBinResult {
    pub r#return: Option<bool>,
}

impl ToXml for RestoreImageFromRecycleBinResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct RestoreSnapshotFromRecycleBinResult {
    pub snapshot_id: Option<String>,
    pub description: Option<String>,
    pub encrypted: Option<bool>,
    pub owner_id: Option<String>,
    pub progress: Option<String>,
    pub start_time: Option<Timestamp>,
    pub state: Option<String>,
    pub volume_id: Option<String>,
    pub volume_size: Option<i32>,
    pub sse_type: Option<String>,
}

impl ToXml for RestoreSnapshotFromRecycleBinResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.member("description", self.description.as_ref());
        xml.member("encrypted", self.encrypted.as_ref());
        xml.member("ownerId", self.owner_id.as_ref());
        xml.member("progress", self.progress.as_ref());
        xml.member("startTime", self.start_time.as_ref());
        xml.member("status", self.state.as_ref());
        xml.member("volumeId", self.volume_id.as_ref());
        xml.member("volumeSize", self.volume_size.as_ref());
        xml.member("sseType", self.sse_type.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct RestoreSnapshotTierResult {
    pub snapshot_id: Option<String>,
    pub restore_start_time: Option<Timestamp>,
    pub restore_duration: Option<i32>,
    pub is_permanent_restore: Option<bool>,
}

impl ToXml for RestoreSnapshotTierResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.member("restoreStartTime", self.restore_start_time.as_ref());
        xml.member("restoreDuration", self.restore_duration.as_ref());
        xml.member("isPermanentRestore", self.is_permanent_restore.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct RestoreVolumeFromRecycleBinResult {
    pub r#return: Option<bool>,
}

impl ToXml for RestoreVolumeFromRecycleBinResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct RevokeSecurityGroupEgressResult {
    pub r#return: Option<bool>,
    pub unknown_ip_permissions: Vec<IpPermission>,
    pub revoked_security_group_rules: Vec<RevokedSecurityGroupRule>,
}

impl ToXml for RevokeSecurityGroupEgressResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
        xml.list("unknownIpPermissionSet", "item", &self.unknown_ip_permissions);
        xml.list("revokedSecurityGroupRuleSet", "item", &self.revoked_security_group_rules);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct RevokeSecurityGroupIngressResult {
    pub r#return: Option<bool>,
    pub unknown_ip_permissions: Vec<IpPermission>,
    pub revoked_security_group_rules: Vec<RevokedSecurityGroupRule>,
}

impl ToXml for RevokeSecurityGroupIngressResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("return", self.r#return.as_ref());
        xml.list("unknownIpPermissionSet", "item", &self.unknown_ip_permissions);
        xml.list("revokedSecurityGroupRuleSet", "item", &self.revoked_security_group_rules);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct RevokedSecurityGroupRule {
    pub security_group_rule_id: Option<String>,
    pub group_id: Option<String>,
    pub is_egress: Option<bool>,
    pub ip_protocol: Option<String>,
    pub from_port: Option<i32>,
    pub to_port: Option<i32>,
    pub cidr_ipv4: Option<String>,
    pub cidr_ipv6: Option<String>,
    pub referenced_group_id: Option<String>,
    pub description: Option<String>,
}

impl ToXml for RevokedSecurityGroupRule {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("securityGroupRuleId", self.security_group_rule_id.as_ref());
        xml.member("groupId", self.group_id.as_ref());
        xml.member("isEgress", self.is_egress.as_ref());
        xml.member("ipProtocol", self.ip_protocol.as_ref());
        xml.member("fromPort", self.from_port.as_ref());
        xml.member("toPort", self.to_port.as_ref());
        xml.member("cidrIpv4", self.cidr_ipv4.as_ref());
        xml.member("cidrIpv6", self.cidr_ipv6.as_ref());
        xml.member("referencedGroupId", self.referenced_group_id.as_ref());
        xml.member("description", self.description.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct Route {
    pub destination_cidr_block: Option<String>,
    pub gateway_id: Option<String>,
    pub origin: Option<String>,
    pub state: Option<String>,
}

impl ToXml for Route {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("destinationCidrBlock", self.destination_cidr_block.as_ref());
        xml.member("gatewayId", self.gateway_id.as_ref());
        xml.member("origin", self.origin.as_ref());
        xml.member("state", self.state.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct RouteTable {
    pub associations: Vec<RouteTableAssociation>,
    pub propagating_vgws: Vec<PropagatingVgw>,
    pub route_table_id: Option<String>,
    pub routes: Vec<Route>,
    pub tags: Vec<Tag>,
    pub vpc_id: Option<String>,
    pub owner_id: Option<String>,
}

impl ToXml for RouteTable {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("associationSet", "item", &self.associations);
        xml.list("propagatingVgwSet", "item", &self.propagating_vgws);
        xml.member("routeTableId", self.route_table_id.as_ref());
        xml.list("routeSet", "item", &self.routes);
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("vpcId", self.vpc_id.as_ref());
        xml.member("ownerId", self.owner_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct RouteTableAssociation {
    pub main: Option<bool>,
    pub route_table_association_id: Option<String>,
    pub route_table_id: Option<String>,
    pub association_state: Option<RouteTableAssociationState>,
}

impl ToXml for RouteTableAssociation {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("main", self.main.as_ref());
        xml.member("routeTableAssociationId", self.route_table_association_id.as_ref());
        xml.member("routeTableId", self.route_table_id.as_ref());
        xml.member("associationState", self.association_state.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct RouteTableAssociationState {
    pub state: Option<String>,
    pub status_message: Option<String>,
}

impl ToXml for RouteTableAssociationState {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("state", self.state.as_ref());
        xml.member("statusMessage", self.status_message.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct SecurityGroup {
    pub group_id: Option<String>,
    pub ip_permissions_egress: Vec<IpPermission>,
    pub tags: Vec<Tag>,
    pub vpc_id: Option<String>,
    pub security_group_arn: Option<String>,
    pub owner_id: Option<String>,
    pub group_name: Option<String>,
    pub description: Option<String>,
    pub ip_permissions: Vec<IpPermission>,
}

impl ToXml for SecurityGroup {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("groupId", self.group_id.as_ref());
        xml.list("ipPermissionsEgress", "item", &self.ip_permissions_egress);
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("vpcId", self.vpc_id.as_ref());
        xml.member("securityGroupArn", self.security_group_arn.as_ref());
        xml.member("ownerId", self.owner_id.as_ref());
        xml.member("groupName", self.group_name.as_ref());
        xml.member("groupDescription", self.description.as_ref());
        xml.list("ipPermissions", "item", &self.ip_permissions);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct SecurityGroupRule {
    pub security_group_rule_id: Option<String>,
    pub group_id: Option<String>,
    pub group_owner_id: Option<String>,
    pub is_egress: Option<bool>,
    pub ip_protocol: Option<String>,
    pub from_port: Option<i32>,
    pub to_port: Option<i32>,
    pub cidr_ipv4: Option<String>,
    pub cidr_ipv6: Option<String>,
    pub referenced_group_info: Option<ReferencedSecurityGroup>,
    pub description: Option<String>,
    pub tags: Vec<Tag>,
    pub security_group_rule_arn: Option<String>,
}

impl ToXml for SecurityGroupRule {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("securityGroupRuleId", self.security_group_rule_id.as_ref());
        xml.member("groupId", self.group_id.as_ref());
        xml.member("groupOwnerId", self.group_owner_id.as_ref());
        xml.member("isEgress", self.is_egress.as_ref());
        xml.member("ipProtocol", self.ip_protocol.as_ref());
        xml.member("fromPort", self.from_port.as_ref());
        xml.member("toPort", self.to_port.as_ref());
        xml.member("cidrIpv4", self.cidr_ipv4.as_ref());
        xml.member("cidrIpv6", self.cidr_ipv6.as_ref());
        xml.member("referencedGroupInfo", self.referenced_group_info.as_ref());
        xml.member("description", self.description.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("securityGroupRuleArn", self.security_group_rule_arn.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct Snapshot {
    pub tags: Vec<Tag>,
    pub storage_tier: Option<String>,
    pub restore_expiry_time: Option<Timestamp>,
    pub sse_type: Option<String>,
    pub transfer_type: Option<String>,
    pub completion_duration_minutes: Option<i32>,
    pub completion_time: Option<Timestamp>,
    pub full_snapshot_size_in_bytes: Option<i64>,
    pub snapshot_id: Option<String>,
    pub volume_id: Option<String>,
    pub state: Option<String>,
    pub state_message: Option<String>,
    pub start_time: Option<Timestamp>,
    pub progress: Option<String>,
    pub owner_id: Option<String>,
    pub description: Option<String>,
    pub volume_size: Option<i32>,
    pub encrypted: Option<bool>,
    pub kms_key_id: Option<String>,
}

impl ToXml for Snapshot {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("storageTier", self.storage_tier.as_ref());
        xml.member("restoreExpiryTime", self.restore_expiry_time.as_ref());
        xml.member("sseType", self.sse_type.as_ref());
        xml.member("transferType", self.transfer_type.as_ref());
        xml.member("completionDurationMinutes", self.completion_duration_minutes.as_ref());
        xml.member("completionTime", self.completion_time.as_ref());
        xml.member("fullSnapshotSizeInBytes", self.full_snapshot_size_in_bytes.as_ref());
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.member("volumeId", self.volume_id.as_ref());
        xml.member("status", self.state.as_ref());
        xml.member("statusMessage", self.state_message.as_ref());
        xml.member("startTime", self.start_time.as_ref());
        xml.member("progress", self.progress.as_ref());
        xml.member("ownerId", self.owner_id.as_ref());
        xml.member("description", self.description.as_ref());
        xml.member("volumeSize", self.volume_size.as_ref());
        xml.member("encrypted", self.encrypted.as_ref());
        xml.member("kmsKeyId", self.kms_key_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct SnapshotInfo {
    pub description: Option<String>,
    pub tags: Vec<Tag>,
    pub encrypted: Option<bool>,
    pub volume_id: Option<String>,
    pub state: Option<String>,
    pub volume_size: Option<i32>,
    pub start_time: Option<Timestamp>,
    pub progress: Option<String>,
    pub owner_id: Option<String>,
    pub snapshot_id: Option<String>,
    pub sse_type: Option<String>,
}

impl ToXml for SnapshotInfo {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("description", self.description.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("encrypted", self.encrypted.as_ref());
        xml.member("volumeId", self.volume_id.as_ref());
        xml.member("state", self.state.as_ref());
        xml.member("volumeSize", self.volume_size.as_ref());
        xml.member("startTime", self.start_time.as_ref());
        xml.member("progress", self.progress.as_ref());
        xml.member("ownerId", self.owner_id.as_ref());
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.member("sseType", self.sse_type.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct SnapshotRecycleBinInfo {
    pub snapshot_id: Option<String>,
    pub recycle_bin_enter_time: Option<Timestamp>,
    pub recycle_bin_exit_time: Option<Timestamp>,
    pub description: Option<String>,
    pub volume_id: Option<String>,
}

impl ToXml for SnapshotRecycleBinInfo {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.member("recycleBinEnterTime", self.recycle_bin_enter_time.as_ref());
        xml.member("recycleBinExitTime", self.recycle_bin_exit_time.as_ref());
        xml.member("description", self.description.as_ref());
        xml.member("volumeId", self.volume_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct SnapshotTierStatus {
    pub snapshot_id: Option<String>,
    pub volume_id: Option<String>,
    pub status: Option<String>,
    pub owner_id: Option<String>,
    pub tags: Vec<Tag>,
    pub storage_tier: Option<String>,
    pub last_tiering_start_time: Option<Timestamp>,
    pub last_tiering_progress: Option<i32>,
    pub last_tiering_operation_status: Option<String>,
    pub last_tiering_operation_status_detail: Option<String>,
    pub archival_complete_time: Option<Timestamp>,
    pub restore_expiry_time: Option<Timestamp>,
}

impl ToXml for SnapshotTierStatus {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.member("volumeId", self.volume_id.as_ref());
        xml.member("status", self.status.as_ref());
        xml.member("ownerId", self.owner_id.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("storageTier", self.storage_tier.as_ref());
        xml.member("lastTieringStartTime", self.last_tiering_start_time.as_ref());
        xml.member("lastTieringProgress", self.last_tiering_progress.as_ref());
        xml.member("lastTieringOperationStatus", self.last_tiering_operation_status.as_ref());
        xml.member("lastTieringOperationStatusDetail", self.last_tiering_operation_status_detail.as_ref());
        xml.member("archivalCompleteTime", self.archival_complete_time.as_ref());
        xml.member("restoreExpiryTime", self.restore_expiry_time.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct StartInstancesResult {
    pub starting_instances: Vec<InstanceStateChange>,
}

impl ToXml for StartInstancesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("instancesSet", "item", &self.starting_instances);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct StateReason {
    pub code: Option<String>,
    pub message: Option<String>,
}

impl ToXml for StateReason {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("code", self.code.as_ref());
        xml.member("message", self.message.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct StopInstancesResult {
    pub stopping_instances: Vec<InstanceStateChange>,
}

impl ToXml for StopInstancesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("instancesSet", "item", &self.stopping_instances);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct Subnet {
    pub availability_zone_id: Option<String>,
    pub map_customer_owned_ip_on_launch: Option<bool>,
    pub owner_id: Option<String>,
    pub assign_ipv6_address_on_creation: Option<bool>,
    pub ipv6_cidr_block_association_set: Vec<SubnetIpv6CidrBlockAssociation>,
    pub tags: Vec<Tag>,
    pub subnet_arn: Option<String>,
    pub enable_dns64: Option<bool>,
    pub ipv6_native: Option<bool>,
    pub private_dns_name_options_on_launch: Option<PrivateDnsNameOptionsOnLaunch>,
    pub subnet_id: Option<String>,
    pub state: Option<String>,
    pub vpc_id: Option<String>,
    pub cidr_block: Option<String>,
    pub available_ip_address_count: Option<i32>,
    pub availability_zone: Option<String>,
    pub default_for_az: Option<bool>,
    pub map_public_ip_on_launch: Option<bool>,
}

impl ToXml for Subnet {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("availabilityZoneId", self.availability_zone_id.as_ref());
        xml.member("mapCustomerOwnedIpOnLaunch", self.map_customer_owned_ip_on_launch.as_ref());
        xml.member("ownerId", self.owner_id.as_ref());
        xml.member("assignIpv6AddressOnCreation", self.assign_ipv6_address_on_creation.as_ref());
        xml.list("ipv6CidrBlockAssociationSet", "item", &self.ipv6_cidr_block_association_set);
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("subnetArn", self.subnet_arn.as_ref());
        xml.member("enableDns64", self.enable_dns64.as_ref());
        xml.member("ipv6Native", self.ipv6_native.as_ref());
        xml.member("privateDnsNameOptionsOnLaunch", self.private_dns_name_options_on_launch.as_ref());
        xml.member("subnetId", self.subnet_id.as_ref());
        xml.member("state", self.state.as_ref());
        xml.member("vpcId", self.vpc_id.as_ref());
        xml.member("cidrBlock", self.cidr_block.as_ref());
        xml.member("availableIpAddressCount", self.available_ip_address_count.as_ref());
        xml.member("availabilityZone", self.availability_zone.as_ref());
        xml.member("defaultForAz", self.default_for_az.as_ref());
        xml.member("mapPublicIpOnLaunch", self.map_public_ip_on_launch.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct SubnetIpv6CidrBlockAssociation {
    pub association_id: Option<String>,
    pub ipv6_cidr_block: Option<String>,
}

impl ToXml for SubnetIpv6CidrBlockAssociation {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("associationId", self.association_id.as_ref());
        xml.member("ipv6CidrBlock", self.ipv6_cidr_block.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct Tag {
    pub key: Option<String>,
    pub value: Option<String>,
}

impl ToXml for Tag {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("key", self.key.as_ref());
        xml.member("value", self.value.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct TagDescription {
    pub key: Option<String>,
    pub resource_id: Option<String>,
    pub resource_type: Option<String>,
    pub value: Option<String>,
}

impl ToXml for TagDescription {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("key", self.key.as_ref());
        xml.member("resourceId", self.resource_id.as_ref());
        xml.member("resourceType", self.resource_type.as_ref());
        xml.member("value", self.value.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct TerminateInstancesResult {
    pub terminating_instances: Vec<InstanceStateChange>,
}

impl ToXml for TerminateInstancesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("instancesSet", "item", &self.terminating_instances);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct UnlockSnapshotResult {
    pub snapshot_id: Option<String>,
}

impl ToXml for UnlockSnapshotResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("snapshotId", self.snapshot_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct UnmonitorInstancesResult {
    pub instance_monitorings: Vec<InstanceMonitoring>,
}

impl ToXml for UnmonitorInstancesResult {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("instancesSet", "item", &self.instance_monitorings);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct UserIdGroupPair {
    pub description: Option<String>,
    pub user_id: Option<String>,
    pub group_name: Option<String>,
    pub group_id: Option<String>,
    pub vpc_id: Option<String>,
    pub vpc_peering_connection_id: Option<String>,
    pub peering_status: Option<String>,
}

impl ToXml for UserIdGroupPair {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("description", self.description.as_ref());
        xml.member("userId", self.user_id.as_ref());
        xml.member("groupName", self.group_name.as_ref());
        xml.member("groupId", self.group_id.as_ref());
        xml.member("vpcId", self.vpc_id.as_ref());
        xml.member("vpcPeeringConnectionId", self.vpc_peering_connection_id.as_ref());
        xml.member("peeringStatus", self.peering_status.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct VCpuInfo {
    pub default_v_cpus: Option<i32>,
    pub default_cores: Option<i32>,
    pub default_threads_per_core: Option<i32>,
    pub valid_cores: Vec<i32>,
    pub valid_threads_per_core: Vec<i32>,
}

impl ToXml for VCpuInfo {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("defaultVCpus", self.default_v_cpus.as_ref());
        xml.member("defaultCores", self.default_cores.as_ref());
        xml.member("defaultThreadsPerCore", self.default_threads_per_core.as_ref());
        xml.list("validCores", "item", &self.valid_cores);
        xml.list("validThreadsPerCore", "item", &self.valid_threads_per_core);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct Volume {
    pub availability_zone_id: Option<String>,
    pub source_volume_id: Option<String>,
    pub iops: Option<i32>,
    pub tags: Vec<Tag>,
    pub volume_type: Option<String>,
    pub multi_attach_enabled: Option<bool>,
    pub throughput: Option<i32>,
    pub operator: Option<OperatorResponse>,
    pub volume_initialization_rate: Option<i32>,
    pub volume_id: Option<String>,
    pub size: Option<i32>,
    pub snapshot_id: Option<String>,
    pub availability_zone: Option<String>,
    pub state: Option<String>,
    pub create_time: Option<Timestamp>,
    pub attachments: Vec<VolumeAttachment>,
    pub encrypted: Option<bool>,
    pub kms_key_id: Option<String>,
}

impl ToXml for Volume {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("availabilityZoneId", self.availability_zone_id.as_ref());
        xml.member("sourceVolumeId", self.source_volume_id.as_ref());
        xml.member("iops", self.iops.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("volumeType", self.volume_type.as_ref());
        xml.member("multiAttachEnabled", self.multi_attach_enabled.as_ref());
        xml.member("throughput", self.throughput.as_ref());
        xml.member("operator", self.operator.as_ref());
        xml.member("volumeInitializationRate", self.volume_initialization_rate.as_ref());
        xml.member("volumeId", self.volume_id.as_ref());
        xml.member("size", self.size.as_ref());
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.member("availabilityZone", self.availability_zone.as_ref());
        xml.member("status", self.state.as_ref());
        xml.member("createTime", self.create_time.as_ref());
        xml.list("attachmentSet", "item", &self.attachments);
        xml.member("encrypted", self.encrypted.as_ref());
        xml.member("kmsKeyId", self.kms_key_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct VolumeAttachment {
    pub delete_on_termination: Option<bool>,
    pub volume_id: Option<String>,
    pub instance_id: Option<String>,
    pub device: Option<String>,
    pub state: Option<String>,
    pub attach_time: Option<Timestamp>,
}

impl ToXml for VolumeAttachment {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("deleteOnTermination", self.delete_on_termination.as_ref());
        xml.member("volumeId", self.volume_id.as_ref());
        xml.member("instanceId", self.instance_id.as_ref());
        xml.member("device", self.device.as_ref());
        xml.member("status", self.state.as_ref());
        xml.member("attachTime", self.attach_time.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct VolumeModification {
    pub volume_id: Option<String>,
    pub modification_state: Option<String>,
    pub status_message: Option<String>,
    pub target_size: Option<i32>,
    pub target_iops: Option<i32>,
    pub target_volume_type: Option<String>,
    pub target_throughput: Option<i32>,
    pub target_multi_attach_enabled: Option<bool>,
    pub original_size: Option<i32>,
    pub original_iops: Option<i32>,
    pub original_volume_type: Option<String>,
    pub original_throughput: Option<i32>,
    pub original_multi_attach_enabled: Option<bool>,
    pub progress: Option<i64>,
    pub start_time: Option<Timestamp>,
    pub end_time: Option<Timestamp>,
    pub operator: Option<OperatorResponse>,
}

impl ToXml for VolumeModification {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("volumeId", self.volume_id.as_ref());
        xml.member("modificationState", self.modification_state.as_ref());
        xml.member("statusMessage", self.status_message.as_ref());
        xml.member("targetSize", self.target_size.as_ref());
        xml.member("targetIops", self.target_iops.as_ref());
        xml.member("targetVolumeType", self.target_volume_type.as_ref());
        xml.member("targetThroughput", self.target_throughput.as_ref());
        xml.member("targetMultiAttachEnabled", self.target_multi_attach_enabled.as_ref());
        xml.member("originalSize", self.original_size.as_ref());
        xml.member("originalIops", self.original_iops.as_ref());
        xml.member("originalVolumeType", self.original_volume_type.as_ref());
        xml.member("originalThroughput", self.original_throughput.as_ref());
        xml.member("originalMultiAttachEnabled", self.original_multi_attach_enabled.as_ref());
        xml.member("progress", self.progress.as_ref());
        xml.member("startTime", self.start_time.as_ref());
        xml.member("endTime", self.end_time.as_ref());
        xml.member("operator", self.operator.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct VolumeRecycleBinInfo {
    pub volume_id: Option<String>,
    pub volume_type: Option<String>,
    pub state: Option<String>,
    pub size: Option<i32>,
    pub iops: Option<i32>,
    pub throughput: Option<i32>,
    pub availability_zone: Option<String>,
    pub availability_zone_id: Option<String>,
    pub source_volume_id: Option<String>,
    pub snapshot_id: Option<String>,
    pub operator: Option<OperatorResponse>,
    pub create_time: Option<Timestamp>,
    pub recycle_bin_enter_time: Option<Timestamp>,
    pub recycle_bin_exit_time: Option<Timestamp>,
}

impl ToXml for VolumeRecycleBinInfo {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("volumeId", self.volume_id.as_ref());
        xml.member("volumeType", self.volume_type.as_ref());
        xml.member("state", self.state.as_ref());
        xml.member("size", self.size.as_ref());
        xml.member("iops", self.iops.as_ref());
        xml.member("throughput", self.throughput.as_ref());
        xml.member("availabilityZone", self.availability_zone.as_ref());
        xml.member("availabilityZoneId", self.availability_zone_id.as_ref());
        xml.member("sourceVolumeId", self.source_volume_id.as_ref());
        xml.member("snapshotId", self.snapshot_id.as_ref());
        xml.member("operator", self.operator.as_ref());
        xml.member("createTime", self.create_time.as_ref());
        xml.member("recycleBinEnterTime", self.recycle_bin_enter_time.as_ref());
        xml.member("recycleBinExitTime", self.recycle_bin_exit_time.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct VolumeStatusAction {
    pub code: Option<String>,
    pub description: Option<String>,
    pub event_id: Option<String>,
    pub event_type: Option<String>,
}

impl ToXml for VolumeStatusAction {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("code", self.code.as_ref());
        xml.member("description", self.description.as_ref());
        xml.member("eventId", self.event_id.as_ref());
        xml.member("eventType", self.event_type.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct VolumeStatusDetails {
    pub name: Option<String>,
    pub status: Option<String>,
}

impl ToXml for VolumeStatusDetails {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("name", self.name.as_ref());
        xml.member("status", self.status.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct VolumeStatusEvent {
    pub description: Option<String>,
    pub event_id: Option<String>,
    pub event_type: Option<String>,
    pub not_after: Option<Timestamp>,
    pub not_before: Option<Timestamp>,
    pub instance_id: Option<String>,
}

impl ToXml for VolumeStatusEvent {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("description", self.description.as_ref());
        xml.member("eventId", self.event_id.as_ref());
        xml.member("eventType", self.event_type.as_ref());
        xml.member("notAfter", self.not_after.as_ref());
        xml.member("notBefore", self.not_before.as_ref());
        xml.member("instanceId", self.instance_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct VolumeStatusInfo {
    pub details: Vec<VolumeStatusDetails>,
    pub status: Option<String>,
}

impl ToXml for VolumeStatusInfo {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("details", "item", &self.details);
        xml.member("status", self.status.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct VolumeStatusItem {
    pub actions: Vec<VolumeStatusAction>,
    pub availability_zone: Option<String>,
    pub events: Vec<VolumeStatusEvent>,
    pub volume_id: Option<String>,
    pub volume_status: Option<VolumeStatusInfo>,
    pub initialization_status_details: Option<InitializationStatusDetails>,
    pub availability_zone_id: Option<String>,
}

impl ToXml for VolumeStatusItem {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.list("actionsSet", "item", &self.actions);
        xml.member("availabilityZone", self.availability_zone.as_ref());
        xml.list("eventsSet", "item", &self.events);
        xml.member("volumeId", self.volume_id.as_ref());
        xml.member("volumeStatus", self.volume_status.as_ref());
        xml.member("initializationStatusDetails", self.initialization_status_details.as_ref());
        xml.member("availabilityZoneId", self.availability_zone_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct Vpc {
    pub owner_id: Option<String>,
    pub instance_tenancy: Option<String>,
    pub cidr_block_association_set: Vec<VpcCidrBlockAssociation>,
    pub is_default: Option<bool>,
    pub tags: Vec<Tag>,
    pub vpc_id: Option<String>,
    pub state: Option<String>,
    pub cidr_block: Option<String>,
    pub dhcp_options_id: Option<String>,
}

impl ToXml for Vpc {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("ownerId", self.owner_id.as_ref());
        xml.member("instanceTenancy", self.instance_tenancy.as_ref());
        xml.list("cidrBlockAssociationSet", "item", &self.cidr_block_association_set);
        xml.member("isDefault", self.is_default.as_ref());
        xml.list_if_any("tagSet", "item", &self.tags);
        xml.member("vpcId", self.vpc_id.as_ref());
        xml.member("state", self.state.as_ref());
        xml.member("cidrBlock", self.cidr_block.as_ref());
        xml.member("dhcpOptionsId", self.dhcp_options_id.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct VpcCidrBlockAssociation {
    pub association_id: Option<String>,
    pub cidr_block: Option<String>,
    pub cidr_block_state: Option<VpcCidrBlockState>,
}

impl ToXml for VpcCidrBlockAssociation {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("associationId", self.association_id.as_ref());
        xml.member("cidrBlock", self.cidr_block.as_ref());
        xml.member("cidrBlockState", self.cidr_block_state.as_ref());
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = "PascalCase"))]
pub struct VpcCidrBlockState {
    pub state: Option<String>,
    pub status_message: Option<String>,
}

impl ToXml for VpcCidrBlockState {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.member("state", self.state.as_ref());
        xml.member("statusMessage", self.status_message.as_ref());
    }
}

/// Every operation, and the structure it answers with; none is a plain `return`.
pub const OPERATIONS: &[(&str, Option<&str>)] = &[
    ("DescribeRegions", Some("DescribeRegionsResult")),
    ("DescribeAvailabilityZones", Some("DescribeAvailabilityZonesResult")),
    ("ModifyAvailabilityZoneGroup", Some("ModifyAvailabilityZoneGroupResult")),
    ("DescribeAccountAttributes", Some("DescribeAccountAttributesResult")),
    ("CreateVolume", Some("Volume")),
    ("DescribeVolumes", Some("DescribeVolumesResult")),
    ("DescribeVolumeStatus", Some("DescribeVolumeStatusResult")),
    ("DeleteVolume", None),
    ("AttachVolume", Some("VolumeAttachment")),
    ("DetachVolume", Some("VolumeAttachment")),
    ("CreateSnapshot", Some("Snapshot")),
    ("DescribeSnapshots", Some("DescribeSnapshotsResult")),
    ("DeleteSnapshot", None),
    ("RegisterImage", Some("RegisterImageResult")),
    ("CreateImage", Some("CreateImageResult")),
    ("DescribeImages", Some("DescribeImagesResult")),
    ("DescribeImageAttribute", Some("ImageAttribute")),
    ("DeregisterImage", Some("DeregisterImageResult")),
    ("RunInstances", Some("Reservation")),
    ("DescribeInstances", Some("DescribeInstancesResult")),
    ("DescribeInstanceStatus", Some("DescribeInstanceStatusResult")),
    ("StartInstances", Some("StartInstancesResult")),
    ("StopInstances", Some("StopInstancesResult")),
    ("RebootInstances", None),
    ("TerminateInstances", Some("TerminateInstancesResult")),
    ("GetConsoleOutput", Some("GetConsoleOutputResult")),
    ("DescribeInstanceAttribute", Some("InstanceAttribute")),
    ("DescribeInstanceTypes", Some("DescribeInstanceTypesResult")),
    ("CreateKeyPair", Some("KeyPair")),
    ("ImportKeyPair", Some("ImportKeyPairResult")),
    ("DescribeKeyPairs", Some("DescribeKeyPairsResult")),
    ("DeleteKeyPair", Some("DeleteKeyPairResult")),
    ("DescribeVpcs", Some("DescribeVpcsResult")),
    ("DescribeSubnets", Some("DescribeSubnetsResult")),
    ("DescribeSecurityGroups", Some("DescribeSecurityGroupsResult")),
    ("CreateTags", None),
    ("DeleteTags", None),
    ("DescribeTags", Some("DescribeTagsResult")),
    ("CreateSnapshots", Some("CreateSnapshotsResult")),
    ("CopySnapshot", Some("CopySnapshotResult")),
    ("DescribeSnapshotAttribute", Some("DescribeSnapshotAttributeResult")),
    ("ModifySnapshotAttribute", None),
    ("ResetSnapshotAttribute", None),
    ("LockSnapshot", Some("LockSnapshotResult")),
    ("UnlockSnapshot", Some("UnlockSnapshotResult")),
    ("DescribeLockedSnapshots", Some("DescribeLockedSnapshotsResult")),
    ("ModifySnapshotTier", Some("ModifySnapshotTierResult")),
    ("RestoreSnapshotTier", Some("RestoreSnapshotTierResult")),
    ("DescribeSnapshotTierStatus", Some("DescribeSnapshotTierStatusResult")),
    ("ListSnapshotsInRecycleBin", Some("ListSnapshotsInRecycleBinResult")),
    ("RestoreSnapshotFromRecycleBin", Some("RestoreSnapshotFromRecycleBinResult")),
    ("ListVolumesInRecycleBin", Some("ListVolumesInRecycleBinResult")),
    ("RestoreVolumeFromRecycleBin", Some("RestoreVolumeFromRecycleBinResult")),
    ("EnableFastSnapshotRestores", Some("EnableFastSnapshotRestoresResult")),
    ("DisableFastSnapshotRestores", Some("DisableFastSnapshotRestoresResult")),
    ("DescribeFastSnapshotRestores", Some("DescribeFastSnapshotRestoresResult")),
    ("EnableSnapshotBlockPublicAccess", Some("EnableSnapshotBlockPublicAccessResult")),
    ("DisableSnapshotBlockPublicAccess", Some("DisableSnapshotBlockPublicAccessResult")),
    ("GetSnapshotBlockPublicAccessState", Some("GetSnapshotBlockPublicAccessStateResult")),
    ("ModifyImageAttribute", None),
    ("ResetImageAttribute", None),
    ("CancelImageLaunchPermission", Some("CancelImageLaunchPermissionResult")),
    ("EnableImage", Some("EnableImageResult")),
    ("DisableImage", Some("DisableImageResult")),
    ("EnableImageDeprecation", Some("EnableImageDeprecationResult")),
    ("DisableImageDeprecation", Some("DisableImageDeprecationResult")),
    ("EnableImageDeregistrationProtection", Some("EnableImageDeregistrationProtectionResult")),
    ("DisableImageDeregistrationProtection", Some("DisableImageDeregistrationProtectionResult")),
    ("DescribeImageReferences", Some("DescribeImageReferencesResult")),
    ("GetImageAncestry", Some("GetImageAncestryResult")),
    ("DescribeInstanceImageMetadata", Some("DescribeInstanceImageMetadataResult")),
    ("CreateImageUsageReport", Some("CreateImageUsageReportResult")),
    ("DescribeImageUsageReports", Some("DescribeImageUsageReportsResult")),
    ("DescribeImageUsageReportEntries", Some("DescribeImageUsageReportEntriesResult")),
    ("DeleteImageUsageReport", Some("DeleteImageUsageReportResult")),
    ("EnableImageBlockPublicAccess", Some("EnableImageBlockPublicAccessResult")),
    ("DisableImageBlockPublicAccess", Some("DisableImageBlockPublicAccessResult")),
    ("GetImageBlockPublicAccessState", Some("GetImageBlockPublicAccessStateResult")),
    ("EnableAllowedImagesSettings", Some("EnableAllowedImagesSettingsResult")),
    ("DisableAllowedImagesSettings", Some("DisableAllowedImagesSettingsResult")),
    ("GetAllowedImagesSettings", Some("GetAllowedImagesSettingsResult")),
    ("ReplaceImageCriteriaInAllowedImagesSettings", Some("ReplaceImageCriteriaInAllowedImagesSettingsResult")),
    ("CopyImage", Some("CopyImageResult")),
    ("ListImagesInRecycleBin", Some("ListImagesInRecycleBinResult")),
    ("RestoreImageFromRecycleBin", Some("RestoreImageFromRecycleBinResult")),
    ("ModifyVolume", Some("ModifyVolumeResult")),
    ("DescribeVolumesModifications", Some("DescribeVolumesModificationsResult")),
    ("DescribeVolumeAttribute", Some("DescribeVolumeAttributeResult")),
    ("ModifyVolumeAttribute", None),
    ("EnableVolumeIO", None),
    ("CopyVolumes", Some("CopyVolumesResult")),
    ("CreateReplaceRootVolumeTask", Some("CreateReplaceRootVolumeTaskResult")),
    ("DescribeReplaceRootVolumeTasks", Some("DescribeReplaceRootVolumeTasksResult")),
    ("EnableEbsEncryptionByDefault", Some("EnableEbsEncryptionByDefaultResult")),
    ("DisableEbsEncryptionByDefault", Some("DisableEbsEncryptionByDefaultResult")),
    ("GetEbsEncryptionByDefault", Some("GetEbsEncryptionByDefaultResult")),
    ("GetEbsDefaultKmsKeyId", Some("GetEbsDefaultKmsKeyIdResult")),
    ("ModifyEbsDefaultKmsKeyId", Some("ModifyEbsDefaultKmsKeyIdResult")),
    ("ResetEbsDefaultKmsKeyId", Some("ResetEbsDefaultKmsKeyIdResult")),
    ("CreateVpc", Some("CreateVpcResult")),
    ("DeleteVpc", None),
    ("CreateDefaultVpc", Some("CreateDefaultVpcResult")),
    ("DescribeVpcAttribute", Some("DescribeVpcAttributeResult")),
    ("ModifyVpcAttribute", None),
    ("CreateSubnet", Some("CreateSubnetResult")),
    ("CreateDefaultSubnet", Some("CreateDefaultSubnetResult")),
    ("DeleteSubnet", None),
    ("ModifySubnetAttribute", None),
    ("CreateSecurityGroup", Some("CreateSecurityGroupResult")),
    ("DeleteSecurityGroup", Some("DeleteSecurityGroupResult")),
    ("AuthorizeSecurityGroupIngress", Some("AuthorizeSecurityGroupIngressResult")),
    ("AuthorizeSecurityGroupEgress", Some("AuthorizeSecurityGroupEgressResult")),
    ("RevokeSecurityGroupIngress", Some("RevokeSecurityGroupIngressResult")),
    ("RevokeSecurityGroupEgress", Some("RevokeSecurityGroupEgressResult")),
    ("DescribeSecurityGroupRules", Some("DescribeSecurityGroupRulesResult")),
    ("ModifySecurityGroupRules", Some("ModifySecurityGroupRulesResult")),
    ("DescribeNetworkInterfaces", Some("DescribeNetworkInterfacesResult")),
    ("CreateNetworkInterface", Some("CreateNetworkInterfaceResult")),
    ("DeleteNetworkInterface", None),
    ("AttachNetworkInterface", Some("AttachNetworkInterfaceResult")),
    ("DetachNetworkInterface", None),
    ("DescribeRouteTables", Some("DescribeRouteTablesResult")),
    ("DescribeInternetGateways", Some("DescribeInternetGatewaysResult")),
    ("DescribeNetworkAcls", Some("DescribeNetworkAclsResult")),
    ("DescribeDhcpOptions", Some("DescribeDhcpOptionsResult")),
    ("DescribeAddresses", Some("DescribeAddressesResult")),
    ("ModifyInstanceAttribute", None),
    ("ResetInstanceAttribute", None),
    ("ModifyInstanceMetadataOptions", Some("ModifyInstanceMetadataOptionsResult")),
    ("GetInstanceMetadataDefaults", Some("GetInstanceMetadataDefaultsResult")),
    ("ModifyInstanceMetadataDefaults", Some("ModifyInstanceMetadataDefaultsResult")),
    ("DescribeInstanceCreditSpecifications", Some("DescribeInstanceCreditSpecificationsResult")),
    ("GetPasswordData", Some("GetPasswordDataResult")),
    ("MonitorInstances", Some("MonitorInstancesResult")),
    ("UnmonitorInstances", Some("UnmonitorInstancesResult")),
    ("DescribeIamInstanceProfileAssociations", Some("DescribeIamInstanceProfileAssociationsResult")),
    ("AssociateIamInstanceProfile", Some("AssociateIamInstanceProfileResult")),
    ("DisassociateIamInstanceProfile", Some("DisassociateIamInstanceProfileResult")),
    ("DescribeInstanceTypeOfferings", Some("DescribeInstanceTypeOfferingsResult")),
    ("CreateLaunchTemplate", Some("CreateLaunchTemplateResult")),
    ("CreateLaunchTemplateVersion", Some("CreateLaunchTemplateVersionResult")),
    ("DescribeLaunchTemplates", Some("DescribeLaunchTemplatesResult")),
    ("DescribeLaunchTemplateVersions", Some("DescribeLaunchTemplateVersionsResult")),
    ("ModifyLaunchTemplate", Some("ModifyLaunchTemplateResult")),
    ("DeleteLaunchTemplate", Some("DeleteLaunchTemplateResult")),
    ("DeleteLaunchTemplateVersions", Some("DeleteLaunchTemplateVersionsResult")),
    ("GetLaunchTemplateData", Some("GetLaunchTemplateDataResult")),
];

/// Writes a response of the named operation.
#[cfg(test)]
pub(crate) fn written(operation: &str, response: serde_json::Value) -> Option<Box<dyn ToXml>> {
    fn read<T: ToXml + serde::de::DeserializeOwned + 'static>(value: serde_json::Value) -> Box<dyn ToXml> {
        Box::new(serde_json::from_value::<T>(value).unwrap())
    }
    Some(match operation {
        "DescribeRegions" => read::<DescribeRegionsResult>(response),
        "DescribeAvailabilityZones" => read::<DescribeAvailabilityZonesResult>(response),
        "ModifyAvailabilityZoneGroup" => read::<ModifyAvailabilityZoneGroupResult>(response),
        "DescribeAccountAttributes" => read::<DescribeAccountAttributesResult>(response),
        "CreateVolume" => read::<Volume>(response),
        "DescribeVolumes" => read::<DescribeVolumesResult>(response),
        "DescribeVolumeStatus" => read::<DescribeVolumeStatusResult>(response),
        "AttachVolume" => read::<VolumeAttachment>(response),
        "DetachVolume" => read::<VolumeAttachment>(response),
        "CreateSnapshot" => read::<Snapshot>(response),
        "DescribeSnapshots" => read::<DescribeSnapshotsResult>(response),
        "RegisterImage" => read::<RegisterImageResult>(response),
        "CreateImage" => read::<CreateImageResult>(response),
        "DescribeImages" => read::<DescribeImagesResult>(response),
        "DescribeImageAttribute" => read::<ImageAttribute>(response),
        "DeregisterImage" => read::<DeregisterImageResult>(response),
        "RunInstances" => read::<Reservation>(response),
        "DescribeInstances" => read::<DescribeInstancesResult>(response),
        "DescribeInstanceStatus" => read::<DescribeInstanceStatusResult>(response),
        "StartInstances" => read::<StartInstancesResult>(response),
        "StopInstances" => read::<StopInstancesResult>(response),
        "TerminateInstances" => read::<TerminateInstancesResult>(response),
        "GetConsoleOutput" => read::<GetConsoleOutputResult>(response),
        "DescribeInstanceAttribute" => read::<InstanceAttribute>(response),
        "DescribeInstanceTypes" => read::<DescribeInstanceTypesResult>(response),
        "CreateKeyPair" => read::<KeyPair>(response),
        "ImportKeyPair" => read::<ImportKeyPairResult>(response),
        "DescribeKeyPairs" => read::<DescribeKeyPairsResult>(response),
        "DeleteKeyPair" => read::<DeleteKeyPairResult>(response),
        "DescribeVpcs" => read::<DescribeVpcsResult>(response),
        "DescribeSubnets" => read::<DescribeSubnetsResult>(response),
        "DescribeSecurityGroups" => read::<DescribeSecurityGroupsResult>(response),
        "DescribeTags" => read::<DescribeTagsResult>(response),
        "CreateSnapshots" => read::<CreateSnapshotsResult>(response),
        "CopySnapshot" => read::<CopySnapshotResult>(response),
        "DescribeSnapshotAttribute" => read::<DescribeSnapshotAttributeResult>(response),
        "LockSnapshot" => read::<LockSnapshotResult>(response),
        "UnlockSnapshot" => read::<UnlockSnapshotResult>(response),
        "DescribeLockedSnapshots" => read::<DescribeLockedSnapshotsResult>(response),
        "ModifySnapshotTier" => read::<ModifySnapshotTierResult>(response),
        "RestoreSnapshotTier" => read::<RestoreSnapshotTierResult>(response),
        "DescribeSnapshotTierStatus" => read::<DescribeSnapshotTierStatusResult>(response),
        "ListSnapshotsInRecycleBin" => read::<ListSnapshotsInRecycleBinResult>(response),
        "RestoreSnapshotFromRecycleBin" => read::<RestoreSnapshotFromRecycleBinResult>(response),
        "ListVolumesInRecycleBin" => read::<ListVolumesInRecycleBinResult>(response),
        "RestoreVolumeFromRecycleBin" => read::<RestoreVolumeFromRecycleBinResult>(response),
        "EnableFastSnapshotRestores" => read::<EnableFastSnapshotRestoresResult>(response),
        "DisableFastSnapshotRestores" => read::<DisableFastSnapshotRestoresResult>(response),
        "DescribeFastSnapshotRestores" => read::<DescribeFastSnapshotRestoresResult>(response),
        "EnableSnapshotBlockPublicAccess" => read::<EnableSnapshotBlockPublicAccessResult>(response),
        "DisableSnapshotBlockPublicAccess" => read::<DisableSnapshotBlockPublicAccessResult>(response),
        "GetSnapshotBlockPublicAccessState" => read::<GetSnapshotBlockPublicAccessStateResult>(response),
        "CancelImageLaunchPermission" => read::<CancelImageLaunchPermissionResult>(response),
        "EnableImage" => read::<EnableImageResult>(response),
        "DisableImage" => read::<DisableImageResult>(response),
        "EnableImageDeprecation" => read::<EnableImageDeprecationResult>(response),
        "DisableImageDeprecation" => read::<DisableImageDeprecationResult>(response),
        "EnableImageDeregistrationProtection" => read::<EnableImageDeregistrationProtectionResult>(response),
        "DisableImageDeregistrationProtection" => read::<DisableImageDeregistrationProtectionResult>(response),
        "DescribeImageReferences" => read::<DescribeImageReferencesResult>(response),
        "GetImageAncestry" => read::<GetImageAncestryResult>(response),
        "DescribeInstanceImageMetadata" => read::<DescribeInstanceImageMetadataResult>(response),
        "CreateImageUsageReport" => read::<CreateImageUsageReportResult>(response),
        "DescribeImageUsageReports" => read::<DescribeImageUsageReportsResult>(response),
        "DescribeImageUsageReportEntries" => read::<DescribeImageUsageReportEntriesResult>(response),
        "DeleteImageUsageReport" => read::<DeleteImageUsageReportResult>(response),
        "EnableImageBlockPublicAccess" => read::<EnableImageBlockPublicAccessResult>(response),
        "DisableImageBlockPublicAccess" => read::<DisableImageBlockPublicAccessResult>(response),
        "GetImageBlockPublicAccessState" => read::<GetImageBlockPublicAccessStateResult>(response),
        "EnableAllowedImagesSettings" => read::<EnableAllowedImagesSettingsResult>(response),
        "DisableAllowedImagesSettings" => read::<DisableAllowedImagesSettingsResult>(response),
        "GetAllowedImagesSettings" => read::<GetAllowedImagesSettingsResult>(response),
        "ReplaceImageCriteriaInAllowedImagesSettings" => read::<ReplaceImageCriteriaInAllowedImagesSettingsResult>(response),
        "CopyImage" => read::<CopyImageResult>(response),
        "ListImagesInRecycleBin" => read::<ListImagesInRecycleBinResult>(response),
        "RestoreImageFromRecycleBin" => read::<RestoreImageFromRecycleBinResult>(response),
        "ModifyVolume" => read::<ModifyVolumeResult>(response),
        "DescribeVolumesModifications" => read::<DescribeVolumesModificationsResult>(response),
        "DescribeVolumeAttribute" => read::<DescribeVolumeAttributeResult>(response),
        "CopyVolumes" => read::<CopyVolumesResult>(response),
        "CreateReplaceRootVolumeTask" => read::<CreateReplaceRootVolumeTaskResult>(response),
        "DescribeReplaceRootVolumeTasks" => read::<DescribeReplaceRootVolumeTasksResult>(response),
        "EnableEbsEncryptionByDefault" => read::<EnableEbsEncryptionByDefaultResult>(response),
        "DisableEbsEncryptionByDefault" => read::<DisableEbsEncryptionByDefaultResult>(response),
        "GetEbsEncryptionByDefault" => read::<GetEbsEncryptionByDefaultResult>(response),
        "GetEbsDefaultKmsKeyId" => read::<GetEbsDefaultKmsKeyIdResult>(response),
        "ModifyEbsDefaultKmsKeyId" => read::<ModifyEbsDefaultKmsKeyIdResult>(response),
        "ResetEbsDefaultKmsKeyId" => read::<ResetEbsDefaultKmsKeyIdResult>(response),
        "CreateVpc" => read::<CreateVpcResult>(response),
        "CreateDefaultVpc" => read::<CreateDefaultVpcResult>(response),
        "DescribeVpcAttribute" => read::<DescribeVpcAttributeResult>(response),
        "CreateSubnet" => read::<CreateSubnetResult>(response),
        "CreateDefaultSubnet" => read::<CreateDefaultSubnetResult>(response),
        "CreateSecurityGroup" => read::<CreateSecurityGroupResult>(response),
        "DeleteSecurityGroup" => read::<DeleteSecurityGroupResult>(response),
        "AuthorizeSecurityGroupIngress" => read::<AuthorizeSecurityGroupIngressResult>(response),
        "AuthorizeSecurityGroupEgress" => read::<AuthorizeSecurityGroupEgressResult>(response),
        "RevokeSecurityGroupIngress" => read::<RevokeSecurityGroupIngressResult>(response),
        "RevokeSecurityGroupEgress" => read::<RevokeSecurityGroupEgressResult>(response),
        "DescribeSecurityGroupRules" => read::<DescribeSecurityGroupRulesResult>(response),
        "ModifySecurityGroupRules" => read::<ModifySecurityGroupRulesResult>(response),
        "DescribeNetworkInterfaces" => read::<DescribeNetworkInterfacesResult>(response),
        "CreateNetworkInterface" => read::<CreateNetworkInterfaceResult>(response),
        "AttachNetworkInterface" => read::<AttachNetworkInterfaceResult>(response),
        "DescribeRouteTables" => read::<DescribeRouteTablesResult>(response),
        "DescribeInternetGateways" => read::<DescribeInternetGatewaysResult>(response),
        "DescribeNetworkAcls" => read::<DescribeNetworkAclsResult>(response),
        "DescribeDhcpOptions" => read::<DescribeDhcpOptionsResult>(response),
        "DescribeAddresses" => read::<DescribeAddressesResult>(response),
        "ModifyInstanceMetadataOptions" => read::<ModifyInstanceMetadataOptionsResult>(response),
        "GetInstanceMetadataDefaults" => read::<GetInstanceMetadataDefaultsResult>(response),
        "ModifyInstanceMetadataDefaults" => read::<ModifyInstanceMetadataDefaultsResult>(response),
        "DescribeInstanceCreditSpecifications" => read::<DescribeInstanceCreditSpecificationsResult>(response),
        "GetPasswordData" => read::<GetPasswordDataResult>(response),
        "MonitorInstances" => read::<MonitorInstancesResult>(response),
        "UnmonitorInstances" => read::<UnmonitorInstancesResult>(response),
        "DescribeIamInstanceProfileAssociations" => read::<DescribeIamInstanceProfileAssociationsResult>(response),
        "AssociateIamInstanceProfile" => read::<AssociateIamInstanceProfileResult>(response),
        "DisassociateIamInstanceProfile" => read::<DisassociateIamInstanceProfileResult>(response),
        "DescribeInstanceTypeOfferings" => read::<DescribeInstanceTypeOfferingsResult>(response),
        "CreateLaunchTemplate" => read::<CreateLaunchTemplateResult>(response),
        "CreateLaunchTemplateVersion" => read::<CreateLaunchTemplateVersionResult>(response),
        "DescribeLaunchTemplates" => read::<DescribeLaunchTemplatesResult>(response),
        "DescribeLaunchTemplateVersions" => read::<DescribeLaunchTemplateVersionsResult>(response),
        "ModifyLaunchTemplate" => read::<ModifyLaunchTemplateResult>(response),
        "DeleteLaunchTemplate" => read::<DeleteLaunchTemplateResult>(response),
        "DeleteLaunchTemplateVersions" => read::<DeleteLaunchTemplateVersionsResult>(response),
        "GetLaunchTemplateData" => read::<GetLaunchTemplateDataResult>(response),
        _ => return None,
    })
}
