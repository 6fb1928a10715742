"""The control plane around instances: attributes, metadata, profiles, offerings, launch templates."""

from . import INSTANCE, Row
from .first import several

ASSOCIATION = ("InvalidAssociationID.NotFound", "InvalidAssociationID.NotFound")
TEMPLATE = ("InvalidLaunchTemplateId.Malformed", "InvalidLaunchTemplateId.NotFound")

DATA = {"InstanceType": "t3.micro"}


def template(w):
    made = w.ec2.create_launch_template(LaunchTemplateName=w.tag, LaunchTemplateData=DATA)
    return made["LaunchTemplate"]["LaunchTemplateId"]


def versions(w):
    """A template with more versions than a page has."""
    id = template(w)
    for _ in range(6):
        w.ec2.create_launch_template_version(LaunchTemplateId=id, LaunchTemplateData=DATA)
    return {"LaunchTemplateId": id}


def two_versions(w):
    id = template(w)
    w.ec2.create_launch_template_version(LaunchTemplateId=id, LaunchTemplateData=DATA)
    return id


def association(w):
    made = w.ec2.associate_iam_instance_profile(InstanceId=w.instance(), IamInstanceProfile={"Name": "web"})
    return made["IamInstanceProfileAssociation"]["AssociationId"]


ROWS = [
    Row("ModifyInstanceAttribute", lambda w: {"InstanceId": w.instance(), "InstanceType": {"Value": "t3.small"}}, ids={"InstanceId": INSTANCE}),
    Row("ResetInstanceAttribute", lambda w: {"InstanceId": w.instance(), "Attribute": "sourceDestCheck"}, ids={"InstanceId": INSTANCE}),
    Row("ModifyInstanceMetadataOptions", lambda w: {"InstanceId": w.instance(), "HttpTokens": "required"}, ids={"InstanceId": INSTANCE}),
    Row("GetInstanceMetadataDefaults"),
    Row("ModifyInstanceMetadataDefaults", lambda w: {"HttpTokens": "no-preference"}),
    Row("DescribeInstanceCreditSpecifications", lambda w: {"InstanceIds": [w.instance()]}, ids={"InstanceIds[0]": INSTANCE},
        pages="InstanceCreditSpecifications"),
    Row("GetPasswordData", lambda w: {"InstanceId": w.instance()}, ids={"InstanceId": INSTANCE}),
    Row("MonitorInstances", lambda w: {"InstanceIds": [w.instance()]}, ids={"InstanceIds[0]": INSTANCE}),
    Row("UnmonitorInstances", lambda w: {"InstanceIds": [w.instance()]}, ids={"InstanceIds[0]": INSTANCE}),
    Row("DescribeIamInstanceProfileAssociations", lambda w: {"AssociationIds": [association(w)]}, ids={"AssociationIds[0]": ASSOCIATION},
        dry_run=False, pages="IamInstanceProfileAssociations"),
    Row("AssociateIamInstanceProfile", lambda w: {"InstanceId": w.instance(), "IamInstanceProfile": {"Name": "web"}}, ids={"InstanceId": INSTANCE},
        dry_run=False),
    Row("DisassociateIamInstanceProfile", lambda w: {"AssociationId": association(w)}, ids={"AssociationId": ASSOCIATION}, dry_run=False),
    Row("DescribeInstanceTypeOfferings", pages="InstanceTypeOfferings", fill=lambda w: {}),
    Row("CreateLaunchTemplate", lambda w: {"LaunchTemplateName": w.tag, "LaunchTemplateData": DATA},
        token={"VersionDescription": "other"}, result="LaunchTemplate.LaunchTemplateId"),
    Row("CreateLaunchTemplateVersion", lambda w: {"LaunchTemplateId": template(w), "LaunchTemplateData": DATA}, ids={"LaunchTemplateId": TEMPLATE},
        token={"VersionDescription": "other"}, result="LaunchTemplateVersion.VersionNumber"),
    Row("DescribeLaunchTemplates", lambda w: {"LaunchTemplateIds": [template(w)]}, ids={"LaunchTemplateIds[0]": TEMPLATE},
        pages="LaunchTemplates", fill=several(template)),
    Row("DescribeLaunchTemplateVersions", lambda w: {"LaunchTemplateId": template(w)}, ids={"LaunchTemplateId": TEMPLATE},
        pages="LaunchTemplateVersions", fill=versions),
    Row("ModifyLaunchTemplate", lambda w: {"LaunchTemplateId": two_versions(w), "DefaultVersion": "2"}, ids={"LaunchTemplateId": TEMPLATE},
        token={"DefaultVersion": "1"}, result="LaunchTemplate.LaunchTemplateId"),
    Row("DeleteLaunchTemplate", lambda w: {"LaunchTemplateId": template(w)}, ids={"LaunchTemplateId": TEMPLATE}),
    Row("DeleteLaunchTemplateVersions", lambda w: {"LaunchTemplateId": two_versions(w), "Versions": ["2"]}, ids={"LaunchTemplateId": TEMPLATE}),
    Row("GetLaunchTemplateData", lambda w: {"InstanceId": w.instance()}, ids={"InstanceId": INSTANCE}),
]
