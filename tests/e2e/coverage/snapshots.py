"""Operations on snapshots: copies, permissions, locks, the Recycle Bin, tiers, fast restores."""

from . import INSTANCE, SNAPSHOT, Row
from ..harness import wait_for

PERIOD = {"RetentionPeriodValue": 1, "RetentionPeriodUnit": "DAYS"}
DELAY = {"UnlockDelay": {"UnlockDelayValue": 7, "UnlockDelayUnit": "DAYS"}}
TAG = {"ResourceTagKey": "of the coverage table", "ResourceTagValue": "only"}


def snapshot(w, **others):
    return {"SnapshotId": w.snapshot()} | others


def locked(w, mode="governance"):
    made = w.snapshot()
    w.client("ec2").lock_snapshot(SnapshotId=made, LockMode=mode, LockDuration=1)
    return made


def recycled(w):
    rbin, made = w.client("rbin"), w.snapshot()
    rule = rbin.create_rule(ResourceType="EBS_SNAPSHOT", RetentionPeriod=PERIOD)["Identifier"]
    w.client("ec2").delete_snapshot(SnapshotId=made)
    rbin.delete_rule(Identifier=rule)
    return made


def archived(w):
    ec2, made = w.client("ec2"), w.snapshot()
    ec2.modify_snapshot_tier(SnapshotId=made, StorageTier="archive")

    def is_archived():
        filters = [{"Name": "snapshot-id", "Values": [made]}]
        status = ec2.describe_snapshot_tier_status(Filters=filters)["SnapshotTierStatuses"][0]
        return status["LastTieringOperationStatus"] == "archival-completed"
    wait_for(f"{made} to be archived", is_archived)
    return made


def fast(w):
    return {"AvailabilityZones": ["us-east-1a"], "SourceSnapshotIds": [w.snapshot()]}


def faster(w):
    request = fast(w)
    w.client("ec2").enable_fast_snapshot_restores(**request)
    return request


def fast_ones(w):
    """Enabled to the end, so that they are the same on every page."""
    made = [faster(w)["SourceSnapshotIds"][0] for _ in range(6)]
    filters = [{"Name": "snapshot-id", "Values": made}, {"Name": "state", "Values": ["enabled"]}]
    ec2 = w.client("ec2")
    wait_for("fast restores", lambda: len(ec2.describe_fast_snapshot_restores(Filters=filters)["FastSnapshotRestores"]) == 6)
    return {"Filters": filters}


def rule(w, **others):
    request = {"ResourceType": "EBS_VOLUME", "RetentionPeriod": PERIOD, "ResourceTags": [TAG]} | others
    return w.client("rbin").create_rule(**request)


def everywhere(w):
    """A rule about all volumes: only such a one can be locked."""
    return rule(w, ResourceTags=[])["Identifier"]


def locked_rule(w):
    made = everywhere(w)
    w.client("rbin").lock_rule(Identifier=made, LockConfiguration=DELAY)
    return made


def several(make, **request):
    def fill(w):
        for _ in range(6):
            make(w)
        return request
    return fill


def rbin(operation, request, **others):
    return Row(operation, request, dry_run=False, service="rbin", bad_token=("ValidationException",), **others)


ROWS = [
    Row("CreateSnapshots", lambda w: {"InstanceSpecification": {"InstanceId": w.instance()}},
        ids={"InstanceSpecification.InstanceId": INSTANCE}),
    Row("CopySnapshot", lambda w: {"SourceRegion": "us-east-1", "SourceSnapshotId": w.snapshot()},
        ids={"SourceSnapshotId": SNAPSHOT}, other_ids=("KmsKeyId",)),
    Row("DescribeSnapshotAttribute", lambda w: snapshot(w, Attribute="createVolumePermission"), ids={"SnapshotId": SNAPSHOT}),
    Row("ModifySnapshotAttribute", lambda w: snapshot(
        w, Attribute="createVolumePermission", OperationType="add", UserIds=["123456789012"]),
        ids={"SnapshotId": SNAPSHOT, "UserIds[0]": ("InvalidUserID.Malformed", None)}),
    Row("ResetSnapshotAttribute", lambda w: snapshot(w, Attribute="createVolumePermission"), ids={"SnapshotId": SNAPSHOT}),
    Row("EnableSnapshotBlockPublicAccess", lambda w: {"State": "block-new-sharing"}),
    Row("DisableSnapshotBlockPublicAccess"),
    Row("GetSnapshotBlockPublicAccessState"),
    Row("LockSnapshot", lambda w: snapshot(w, LockMode="governance", LockDuration=1), ids={"SnapshotId": SNAPSHOT}),
    Row("UnlockSnapshot", lambda w: {"SnapshotId": locked(w)}, ids={"SnapshotId": SNAPSHOT}),
    Row("DescribeLockedSnapshots", lambda w: {"SnapshotIds": [locked(w)]}, ids={"SnapshotIds[0]": SNAPSHOT},
        pages="Snapshots", fill=several(locked)),
    Row("ListSnapshotsInRecycleBin", lambda w: {"SnapshotIds": [recycled(w)]}, ids={"SnapshotIds[0]": SNAPSHOT},
        pages="Snapshots", fill=several(recycled)),
    Row("RestoreSnapshotFromRecycleBin", lambda w: {"SnapshotId": recycled(w)}, ids={"SnapshotId": SNAPSHOT}),
    Row("ModifySnapshotTier", lambda w: snapshot(w, StorageTier="archive"), ids={"SnapshotId": SNAPSHOT}),
    Row("RestoreSnapshotTier", lambda w: {"SnapshotId": archived(w), "PermanentRestore": True}, ids={"SnapshotId": SNAPSHOT}),
    Row("DescribeSnapshotTierStatus", pages="SnapshotTierStatuses", fill=several(lambda w: w.snapshot())),
    # What does not exist is told of each snapshot, in an answer that is no error.
    Row("EnableFastSnapshotRestores", fast, ids={"SourceSnapshotIds[0]": ("InvalidSnapshotID.Malformed", None)},
        other_ids=("AvailabilityZoneIds",), stranger=None),
    Row("DisableFastSnapshotRestores", faster, ids={"SourceSnapshotIds[0]": ("InvalidSnapshotID.Malformed", None)},
        other_ids=("AvailabilityZoneIds",), stranger=None),
    Row("DescribeFastSnapshotRestores", pages="FastSnapshotRestores", fill=fast_ones),
    rbin("CreateRule", lambda w: {"ResourceType": "EBS_VOLUME", "RetentionPeriod": PERIOD, "ResourceTags": [TAG]}),
    rbin("GetRule", lambda w: {"Identifier": rule(w)["Identifier"]}),
    rbin("ListRules", lambda w: {"ResourceType": "EBS_VOLUME"}, pages="Rules",
         fill=several(rule, ResourceType="EBS_VOLUME")),
    rbin("UpdateRule", lambda w: {"Identifier": rule(w)["Identifier"], "Description": "another one"}),
    rbin("DeleteRule", lambda w: {"Identifier": rule(w)["Identifier"]}),
    rbin("LockRule", lambda w: {"Identifier": everywhere(w), "LockConfiguration": DELAY}),
    rbin("UnlockRule", lambda w: {"Identifier": locked_rule(w)}),
    rbin("TagResource", lambda w: {"ResourceArn": rule(w)["RuleArn"], "Tags": [{"Key": "a", "Value": "b"}]}),
    rbin("UntagResource", lambda w: {"ResourceArn": rule(w)["RuleArn"], "TagKeys": ["a"]}),
    rbin("ListTagsForResource", lambda w: {"ResourceArn": rule(w)["RuleArn"]}),
]
