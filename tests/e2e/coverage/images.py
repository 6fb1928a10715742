"""Operations of images: who uses them, for how long, where they come from, and copies of them."""

import datetime

from . import IMAGE, INSTANCE, Row

REPORT = ("InvalidImageUsageReportId.Malformed", "InvalidImageUsageReportId.NotFound")
INSTANCES = [{"ResourceType": "ec2:Instance"}]


def of_image(**request):
    return lambda w: {"ImageId": w.image()} | request


def in_a_year():
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=365)


def shared(w):
    """An image of the stranger's that lets the caller in."""
    stranger = w.client("ec2", keys=w.test.stranger)
    image = stranger.register_image(Name=w.tag, ImageLocation="bucket/image.manifest.xml")["ImageId"]
    own = w.client("sts").get_caller_identity()["Account"]
    stranger.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": own}]})
    return image


def report(w):
    ec2 = w.client("ec2")
    made = ec2.create_image_usage_report(ImageId=w.image(), ResourceTypes=INSTANCES)["ReportId"]
    ec2.get_waiter("image_usage_report_available").wait(ReportIds=[made], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return made


def six_reports(w):
    return {"ReportIds": [report(w) for _ in range(6)]}


def recycled(w):
    """An image in the Recycle Bin."""
    rbin, image = w.client("rbin"), w.image()
    rule = rbin.create_rule(ResourceType="EC2_IMAGE", RetentionPeriod={"RetentionPeriodValue": 1, "RetentionPeriodUnit": "DAYS"})
    w.client("ec2").deregister_image(ImageId=image)
    rbin.delete_rule(Identifier=rule["Identifier"])
    return image


def six_recycled(w):
    return {"ImageIds": [recycled(w) for _ in range(6)]}


ROWS = [
    Row("ModifyImageAttribute", of_image(Description={"Value": "other"}), ids={"ImageId": IMAGE}, other_ids=("UserIds",)),
    Row("ResetImageAttribute", of_image(Attribute="launchPermission"), ids={"ImageId": IMAGE}),
    Row("CancelImageLaunchPermission", lambda w: {"ImageId": shared(w)}, ids={"ImageId": IMAGE}, stranger="OperationNotPermitted"),
    Row("CopyImage", lambda w: {"SourceImageId": w.image(), "SourceRegion": "us-east-1", "Name": w.tag}, ids={"SourceImageId": IMAGE},
        other_ids=("KmsKeyId", "DestinationAvailabilityZoneId"), token={"Description": "other"}, result="ImageId"),
    Row("EnableImage", of_image(), ids={"ImageId": IMAGE}),
    Row("DisableImage", of_image(), ids={"ImageId": IMAGE}),
    Row("EnableImageDeprecation", lambda w: {"ImageId": w.image(), "DeprecateAt": in_a_year()}, ids={"ImageId": IMAGE}),
    Row("DisableImageDeprecation", of_image(), ids={"ImageId": IMAGE}),
    Row("EnableImageDeregistrationProtection", of_image(), ids={"ImageId": IMAGE}),
    Row("DisableImageDeregistrationProtection", of_image(), ids={"ImageId": IMAGE}),
    Row("DescribeImageReferences", lambda w: {"ImageIds": [w.image()], "IncludeAllResourceTypes": True}, ids={"ImageIds[0]": IMAGE},
        pages="ImageReferences"),
    Row("GetImageAncestry", of_image(), ids={"ImageId": IMAGE}),
    Row("DescribeInstanceImageMetadata", lambda w: {"InstanceIds": [w.instance()]}, ids={"InstanceIds[0]": INSTANCE},
        pages="InstanceImageMetadata"),
    Row("CreateImageUsageReport", of_image(ResourceTypes=INSTANCES), ids={"ImageId": IMAGE}, other_ids=("AccountIds",),
        token={"AccountIds": ["111111111111"]}, result="ReportId"),
    Row("DescribeImageUsageReports", lambda w: {"ReportIds": [report(w)]}, ids={"ReportIds[0]": REPORT}, other_ids=("ImageIds",),
        pages="ImageUsageReports", fill=six_reports),
    Row("DescribeImageUsageReportEntries", lambda w: {"ReportIds": [report(w)]}, ids={"ReportIds[0]": REPORT}, other_ids=("ImageIds",),
        pages="ImageUsageReportEntries"),
    Row("DeleteImageUsageReport", lambda w: {"ReportId": report(w)}, ids={"ReportId": REPORT}),
    Row("EnableImageBlockPublicAccess", lambda w: {"ImageBlockPublicAccessState": "block-new-sharing"}),
    Row("DisableImageBlockPublicAccess"),
    Row("GetImageBlockPublicAccessState"),
    Row("EnableAllowedImagesSettings", lambda w: {"AllowedImagesSettingsState": "audit-mode"}),
    Row("DisableAllowedImagesSettings"),
    Row("GetAllowedImagesSettings"),
    Row("ReplaceImageCriteriaInAllowedImagesSettings", lambda w: {"ImageCriteria": [{"ImageProviders": ["none"]}]}),
    Row("ListImagesInRecycleBin", lambda w: {"ImageIds": [recycled(w)]}, ids={"ImageIds[0]": IMAGE}, pages="Images", fill=six_recycled),
    Row("RestoreImageFromRecycleBin", lambda w: {"ImageId": recycled(w)}, ids={"ImageId": IMAGE}),
]
