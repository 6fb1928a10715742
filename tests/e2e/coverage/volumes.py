"""Changes of volumes, and encryption by default."""

from ..harness import wait_for
from . import INSTANCE, VOLUME, Row

PERIOD = {"RetentionPeriodValue": 1, "RetentionPeriodUnit": "DAYS"}
TASK = ("InvalidReplaceRootVolumeTaskID.Malformed", "InvalidReplaceRootVolumeTaskID.NotFound")


def modified(w):
    volume = w.volume()
    w.ec2.modify_volume(VolumeId=volume, Size=2)
    return volume


def several_modified(w):
    for _ in range(6):
        modified(w)
    wait_for("the modifications to end", lambda: not pending(w))
    return {}


def pending(w):
    states = w.ec2.describe_volumes_modifications()["VolumesModifications"]
    return [state for state in states if state["ModificationState"] != "completed"]


def replaced(w):
    task = w.ec2.create_replace_root_volume_task(InstanceId=w.running_instance())
    return task["ReplaceRootVolumeTask"]["ReplaceRootVolumeTaskId"]


def recycled(w):
    """A volume in the Recycle Bin."""
    rbin, made = w.client("rbin"), w.volume()
    rule = rbin.create_rule(ResourceType="EBS_VOLUME", RetentionPeriod=PERIOD)["Identifier"]
    w.ec2.delete_volume(VolumeId=made)
    rbin.delete_rule(Identifier=rule)
    return made


def six_recycled(w):
    for _ in range(6):
        recycled(w)
    return {}


def one(w):
    return {"VolumeId": w.volume()}


ROWS = [
    Row("ModifyVolume", lambda w: {"VolumeId": w.volume(), "Size": 2}, ids={"VolumeId": VOLUME}),
    Row("DescribeVolumesModifications", lambda w: {"VolumeIds": [modified(w)]}, ids={"VolumeIds[0]": VOLUME},
        pages="VolumesModifications", fill=several_modified),
    Row("DescribeVolumeAttribute", lambda w: {"VolumeId": w.volume(), "Attribute": "autoEnableIO"}, ids={"VolumeId": VOLUME}),
    Row("ModifyVolumeAttribute", lambda w: {"VolumeId": w.volume(), "AutoEnableIO": {"Value": True}}, ids={"VolumeId": VOLUME}),
    Row("EnableVolumeIO", one, ids={"VolumeId": VOLUME}),
    Row("CopyVolumes", lambda w: {"SourceVolumeId": w.volume()}, ids={"SourceVolumeId": VOLUME},
        token={"Size": 2}, result="Volumes[0].VolumeId"),
    Row("CreateReplaceRootVolumeTask", lambda w: {"InstanceId": w.running_instance()}, ids={"InstanceId": INSTANCE},
        other_ids=("SnapshotId", "ImageId"), token={"DeleteReplacedRootVolume": True},
        result="ReplaceRootVolumeTask.ReplaceRootVolumeTaskId"),
    Row("DescribeReplaceRootVolumeTasks", lambda w: {"ReplaceRootVolumeTaskIds": [replaced(w)]},
        ids={"ReplaceRootVolumeTaskIds[0]": TASK}, pages="ReplaceRootVolumeTasks"),
    Row("ListVolumesInRecycleBin", lambda w: {"VolumeIds": [recycled(w)]}, ids={"VolumeIds[0]": VOLUME},
        pages="Volumes", fill=six_recycled),
    Row("RestoreVolumeFromRecycleBin", lambda w: {"VolumeId": recycled(w)}, ids={"VolumeId": VOLUME}),
    Row("EnableEbsEncryptionByDefault"),
    Row("GetEbsEncryptionByDefault"),
    Row("DisableEbsEncryptionByDefault"),
    Row("GetEbsDefaultKmsKeyId"),
    Row("ModifyEbsDefaultKmsKeyId", lambda w: {"KmsKeyId": w.key()}, ids={"KmsKeyId": (None, "InvalidKMSKey.NotFound")}),
    Row("ResetEbsDefaultKmsKeyId"),
]
