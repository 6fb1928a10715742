"""Rows of the coverage table: EBS direct, STS, account management."""

import base64
import hashlib

from ..harness import BLOCK, pattern, put_block
from . import Row

MISSING = ("ValidationException", "ResourceNotFoundException")
REGION = "ap-east-1"
DATA = pattern("of the coverage table", BLOCK)


def pending(w):
    """An upload with one block."""
    made = w.client("ebs").start_snapshot(VolumeSize=1)["SnapshotId"]
    put_block(w.client("ebs"), made, 0, DATA)
    return made


def put(w):
    checksum = base64.b64encode(hashlib.sha256(DATA).digest()).decode()
    return {"SnapshotId": pending(w), "BlockIndex": 1, "BlockData": DATA, "DataLength": BLOCK, "Checksum": checksum,
            "ChecksumAlgorithm": "SHA256"}


def get(w):
    snapshot = w.snapshot()
    block, = w.client("ebs").list_snapshot_blocks(SnapshotId=snapshot)["Blocks"]
    return {"SnapshotId": snapshot, "BlockIndex": block["BlockIndex"], "BlockToken": block["BlockToken"]}


def ebs(operation, request, **others):
    return Row(operation, request, dry_run=False, service="ebs", bad_token=("ValidationException",), **others)


def account(operation, request=lambda w: {"RegionName": REGION}, **others):
    return Row(operation, request, dry_run=False, service="account", bad_token=("ValidationException",), stranger=None, **others)


ROWS = [
    ebs("StartSnapshot", lambda w: {"VolumeSize": 1}, token={"VolumeSize": 2}, result="SnapshotId", mismatch="ConflictException"),
    ebs("PutSnapshotBlock", put, ids={"SnapshotId": MISSING}),
    ebs("CompleteSnapshot", lambda w: {"SnapshotId": pending(w), "ChangedBlocksCount": 1}, ids={"SnapshotId": MISSING}),
    ebs("GetSnapshotBlock", get, ids={"SnapshotId": MISSING}),
    ebs("ListSnapshotBlocks", lambda w: {"SnapshotId": w.snapshot()}, ids={"SnapshotId": MISSING}, pages="Blocks"),
    ebs("ListChangedBlocks", lambda w: {"FirstSnapshotId": w.snapshot(), "SecondSnapshotId": w.snapshot()},
        ids={"SecondSnapshotId": MISSING, "FirstSnapshotId": MISSING}, pages="ChangedBlocks"),
    Row("GetCallerIdentity", service="sts", dry_run=False),
    account("EnableRegion"),
    account("DisableRegion"),
    account("GetRegionOptStatus"),
    account("ListRegions", lambda w: {}, pages="Regions", fill=lambda w: {}),
]
