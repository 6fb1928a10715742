"""Operations of the first issues: volumes, snapshots, images, instances, places, tags."""

from . import IMAGE, INSTANCE, SNAPSHOT, VOLUME, Row

KEY_PAIR = ("InvalidParameterValue", "InvalidKeyPair.NotFound")
VPC = ("InvalidVpcId.Malformed", "InvalidVpcID.NotFound")
SUBNET = ("InvalidSubnetID.Malformed", "InvalidSubnetID.NotFound")
GROUP = ("InvalidGroupId.Malformed", "InvalidGroup.NotFound")

ZONE = "us-east-1a"


def run(w):
    return {"ImageId": w.test.blank, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}


def register(w):
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": w.snapshot()}}
    return {"Name": w.tag, "RootDeviceName": "/dev/xvda", "BlockDeviceMappings": [mapping]}


def attach(w):
    return {"VolumeId": w.volume(), "InstanceId": w.instance(), "Device": "/dev/sdf"}


def detach(w):
    volume, instance = w.attached()
    return {"VolumeId": volume, "InstanceId": instance, "Device": "/dev/sdf"}


def several(make, **request):
    """Makes six of something, for a Describe that lists five on a page."""
    def fill(w):
        for _ in range(6):
            make(w)
        return request
    return fill


def some_tags(w):
    return {"Resources": [w.volume()], "Tags": [{"Key": w.tag, "Value": ""}]}


def import_key(w):
    key = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ/+fX0WbCqW1dAYYk3JPtkuGDNfKhzSVs9fYGdLOIWK"
    return {"KeyName": w.tag, "PublicKeyMaterial": key}


def default_vpc(w):
    return w.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]


def default_subnet(w):
    return w.ec2.describe_subnets()["Subnets"][0]["SubnetId"]


def default_group(w):
    return w.ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"][0]["GroupId"]


ROWS = [
    Row("DescribeRegions"),
    Row("DescribeAvailabilityZones", other_ids=("ZoneIds",)),
    Row("ModifyAvailabilityZoneGroup", lambda w: {"GroupName": "us-east-1-zg-1", "OptInStatus": "opted-in"}),
    Row("DescribeAccountAttributes"),
    Row("CreateVolume", lambda w: {"AvailabilityZone": ZONE, "SnapshotId": w.snapshot()}, ids={"SnapshotId": SNAPSHOT},
        other_ids=("KmsKeyId", "AvailabilityZoneId"), token={"Size": 7}, result="VolumeId"),
    Row("DescribeVolumes", lambda w: {"VolumeIds": [w.volume()]}, ids={"VolumeIds[0]": VOLUME},
        pages="Volumes", fill=several(lambda w: w.volume())),
    Row("DescribeVolumeStatus", lambda w: {"VolumeIds": [w.volume()]}, ids={"VolumeIds[0]": VOLUME},
        pages="VolumeStatuses", fill=several(lambda w: w.volume())),
    Row("DeleteVolume", lambda w: {"VolumeId": w.volume()}, ids={"VolumeId": VOLUME}),
    Row("AttachVolume", attach, ids={"VolumeId": VOLUME, "InstanceId": INSTANCE}),
    Row("DetachVolume", detach, ids={"VolumeId": VOLUME, "InstanceId": INSTANCE}),
    Row("CreateSnapshot", lambda w: {"VolumeId": w.volume()}, ids={"VolumeId": VOLUME}),
    Row("DescribeSnapshots", lambda w: {"SnapshotIds": [w.snapshot()]}, ids={"SnapshotIds[0]": SNAPSHOT},
        other_ids=("OwnerIds", "RestorableByUserIds"),
        pages="Snapshots", fill=several(lambda w: w.snapshot())),
    Row("DeleteSnapshot", lambda w: {"SnapshotId": w.snapshot()}, ids={"SnapshotId": SNAPSHOT}),
    Row("RegisterImage", register, ids={"BlockDeviceMappings[0].Ebs.SnapshotId": SNAPSHOT}, other_ids=("KernelId", "RamdiskId")),
    Row("CreateImage", lambda w: {"InstanceId": w.instance(), "Name": w.tag}, ids={"InstanceId": INSTANCE}),
    Row("DescribeImages", lambda w: {"ImageIds": [w.image()]}, ids={"ImageIds[0]": IMAGE},
        pages="Images", fill=several(lambda w: w.image())),
    Row("DescribeImageAttribute", lambda w: {"ImageId": w.image(), "Attribute": "description"}, ids={"ImageId": IMAGE}),
    Row("DeregisterImage", lambda w: {"ImageId": w.image()}, ids={"ImageId": IMAGE}),
    Row("RunInstances", run, ids={"ImageId": IMAGE}, other_ids=("SubnetId", "KernelId", "RamdiskId", "SecurityGroupIds"),
        token={"MaxCount": 2}, result="ReservationId"),
    Row("DescribeInstances", lambda w: {"InstanceIds": [w.instance()]}, ids={"InstanceIds[0]": INSTANCE}, pages="Reservations"),
    Row("DescribeInstanceStatus", lambda w: {"InstanceIds": [w.instance()]}, ids={"InstanceIds[0]": INSTANCE}, pages="InstanceStatuses"),
    Row("StartInstances", lambda w: {"InstanceIds": [w.instance()]}, ids={"InstanceIds[0]": INSTANCE}),
    Row("StopInstances", lambda w: {"InstanceIds": [w.running_instance()], "Force": True}, ids={"InstanceIds[0]": INSTANCE}),
    Row("RebootInstances", lambda w: {"InstanceIds": [w.running_instance()]}, ids={"InstanceIds[0]": INSTANCE}),
    Row("TerminateInstances", lambda w: {"InstanceIds": [w.instance()]}, ids={"InstanceIds[0]": INSTANCE}),
    Row("GetConsoleOutput", lambda w: {"InstanceId": w.instance()}, ids={"InstanceId": INSTANCE}),
    Row("DescribeInstanceAttribute", lambda w: {"InstanceId": w.instance(), "Attribute": "userData"}, ids={"InstanceId": INSTANCE}),
    Row("DescribeInstanceTypes", pages="InstanceTypes", fill=lambda w: {}),
    Row("CreateKeyPair", lambda w: {"KeyName": w.tag, "KeyType": "ed25519"}),
    Row("ImportKeyPair", import_key),
    Row("DescribeKeyPairs", lambda w: {"KeyNames": [w.key_pair()]}, ids={"KeyNames[0]": (None, KEY_PAIR[1])}, other_ids=("KeyPairIds",)),
    Row("DeleteKeyPair", lambda w: {"KeyName": w.key_pair()}, other_ids=("KeyPairId",)),
    Row("DescribeVpcs", lambda w: {"VpcIds": [default_vpc(w)]}, ids={"VpcIds[0]": VPC}, pages="Vpcs"),
    Row("DescribeSubnets", lambda w: {"SubnetIds": [default_subnet(w)]}, ids={"SubnetIds[0]": SUBNET}, pages="Subnets"),
    Row("DescribeSecurityGroups", lambda w: {"GroupIds": [default_group(w)]}, ids={"GroupIds[0]": GROUP}, pages="SecurityGroups"),
    Row("CreateTags", some_tags, ids={"Resources[0]": ("InvalidID", VOLUME[1])}),
    Row("DeleteTags", some_tags, ids={"Resources[0]": ("InvalidID", VOLUME[1])}, stranger=None),
    Row("DescribeTags", pages="Tags", fill=several(lambda w: w.ec2.create_tags(**some_tags(w)))),
]
