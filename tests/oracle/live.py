"""boto3 against a running server: the dialects as an unmodified client meets them.

Wants AWS_ENDPOINT_URL and credentials in the environment; `crates/api/tests/boto3.rs` gives them.
"""

import base64
import datetime
import hashlib
import unittest
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

BLOCK = 524_288
ZONE = "us-east-1a"
QUICK = {"Delay": 1, "MaxAttempts": 60}


def client(service, **changes):
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    return boto3.client(service, config=config, **changes)


def checksum(data):
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


class Live(unittest.TestCase):
    def setUp(self):
        self.ec2, self.ebs, self.sts = client("ec2"), client("ebs"), client("sts")

    def refused(self, code, status, call, **parameters):
        with self.assertRaises(ClientError) as caught:
            call(**parameters)
        response = caught.exception.response
        self.assertEqual((response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]), (code, status))
        self.assertTrue(response["Error"]["Message"])
        self.assertTrue(response["ResponseMetadata"]["RequestId"])
        return response

    def test_identity(self):
        identity = self.sts.get_caller_identity()
        self.assertRegex(identity["Account"], r"^[0-9]{12}$")
        self.assertEqual(identity["Arn"], f"arn:aws:iam::{identity['Account']}:root")

    def test_places(self):
        regions = {region["RegionName"] for region in self.ec2.describe_regions()["Regions"]}
        self.assertIn("us-east-1", regions)
        zones = self.ec2.describe_availability_zones()["AvailabilityZones"]
        self.assertEqual([zone["ZoneName"][-1] for zone in zones], list("abcdef"))
        west = client("ec2", region_name="eu-west-1").describe_availability_zones()["AvailabilityZones"]
        self.assertEqual({zone["RegionName"] for zone in west}, {"eu-west-1"})
        self.ec2.describe_account_attributes()

    def test_volume(self):
        tags = [{"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "a & b \u1234"}]}]
        made = self.ec2.create_volume(AvailabilityZone=ZONE, Size=1, VolumeType="gp3", TagSpecifications=tags)
        self.assertEqual((made["Size"], made["Iops"], made["Throughput"], made["Encrypted"]), (1, 3000, 125, False))
        self.assertEqual(made["CreateTime"].tzinfo.utcoffset(None), datetime.timedelta(0))
        volume = made["VolumeId"]
        self.ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig=QUICK)
        found = self.ec2.describe_volumes(Filters=[{"Name": "tag:Name", "Values": ["a & b *"]}])["Volumes"]
        self.assertEqual([(v["VolumeId"], v["Tags"], v["Attachments"]) for v in found], [(volume, tags[0]["Tags"], [])])
        self.refused("DryRunOperation", 412, self.ec2.delete_volume, VolumeId=volume, DryRun=True)
        self.ec2.delete_volume(VolumeId=volume)
        self.ec2.get_waiter("volume_deleted").wait(VolumeIds=[volume], WaiterConfig=QUICK)

    def test_pages(self):
        made = {self.ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"] for _ in range(12)}
        pages = list(self.ec2.get_paginator("describe_volumes").paginate(PaginationConfig={"PageSize": 5}))
        self.assertGreaterEqual(len(pages), 3)
        found = [volume["VolumeId"] for page in pages for volume in page["Volumes"]]
        self.assertEqual(len(found), len(set(found)))
        self.assertLessEqual(made, set(found))
        many = self.ec2.describe_volumes(VolumeIds=sorted(made, reverse=True))["Volumes"]
        self.assertEqual({volume["VolumeId"] for volume in many}, made)
        for volume in made:
            self.ec2.delete_volume(VolumeId=volume)

    def test_snapshot(self):
        started = self.ebs.start_snapshot(VolumeSize=1, Description="by boto3", Tags=[{"Key": "a", "Value": ""}])
        snapshot = started["SnapshotId"]
        self.assertEqual((started["Status"], started["BlockSize"], started["VolumeSize"]), ("pending", BLOCK, 1))
        self.assertIsInstance(started["StartTime"], datetime.datetime)
        blocks = {0: b"\x01" * BLOCK, 2047: b"\xff" * BLOCK}
        for index, data in blocks.items():
            put = self.put(snapshot, index, data)
            self.assertEqual((put["Checksum"], put["ChecksumAlgorithm"]), (checksum(data), "SHA256"))
        linear = hashlib.sha256(b"".join(hashlib.sha256(data).digest() for data in blocks.values())).digest()
        self.ebs.complete_snapshot(
            SnapshotId=snapshot,
            ChangedBlocksCount=2,
            Checksum=base64.b64encode(linear).decode(),
            ChecksumAlgorithm="SHA256",
            ChecksumAggregationMethod="LINEAR",
        )
        self.ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot], WaiterConfig=QUICK)
        shown = self.ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
        self.assertEqual((shown["Progress"], shown["Tags"]), ("100%", [{"Key": "a", "Value": ""}]))
        listed = self.ebs.list_snapshot_blocks(SnapshotId=snapshot)
        self.assertEqual([block["BlockIndex"] for block in listed["Blocks"]], [0, 2047])
        for block in listed["Blocks"]:
            got = self.ebs.get_snapshot_block(SnapshotId=snapshot, **block)
            self.assertEqual((got["DataLength"], got["Checksum"]), (BLOCK, checksum(blocks[block["BlockIndex"]])))
            self.assertEqual(got["BlockData"].read(), blocks[block["BlockIndex"]])
        changed = self.ebs.list_changed_blocks(SecondSnapshotId=snapshot)
        self.assertEqual([("FirstBlockToken" in block) for block in changed["ChangedBlocks"]], [False, False])
        self.restored(snapshot)

    def put(self, snapshot, index, data, **changes):
        asked = {"DataLength": len(data), "Checksum": checksum(data), "ChecksumAlgorithm": "SHA256"} | changes
        return self.ebs.put_snapshot_block(SnapshotId=snapshot, BlockIndex=index, BlockData=data, **asked)

    def restored(self, snapshot):
        """A volume of the snapshot, and a snapshot of that volume."""
        volume = self.ec2.create_volume(AvailabilityZone=ZONE, SnapshotId=snapshot)
        self.assertEqual((volume["SnapshotId"], volume["Size"]), (snapshot, 1))
        self.ec2.get_waiter("volume_available").wait(VolumeIds=[volume["VolumeId"]], WaiterConfig=QUICK)
        again = self.ec2.create_snapshot(VolumeId=volume["VolumeId"], Description="again")
        self.assertEqual((again["State"], again["Description"], again["VolumeId"]), ("pending", "again", volume["VolumeId"]))
        self.ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[again["SnapshotId"]], WaiterConfig=QUICK)
        changed = self.ebs.list_changed_blocks(FirstSnapshotId=snapshot, SecondSnapshotId=again["SnapshotId"])
        self.assertEqual(changed["ChangedBlocks"], [])
        for each in (again["SnapshotId"], snapshot):
            self.ec2.delete_snapshot(SnapshotId=each)
        self.refused("InvalidSnapshot.NotFound", 400, self.ec2.describe_snapshots, SnapshotIds=[snapshot])
        self.refused("ResourceNotFoundException", 404, self.ebs.list_snapshot_blocks, SnapshotId=snapshot)

    def test_blocks_that_are_wrong(self):
        snapshot = self.ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
        data = b"\x05" * BLOCK
        wrong = "ValidationException"
        self.refused(wrong, 400, self.put, snapshot=snapshot, index=0, data=data, Checksum=checksum(b""))
        self.refused(wrong, 400, self.put, snapshot=snapshot, index=2048, data=data)
        self.refused(wrong, 400, self.put, snapshot=snapshot, index=0, data=data[1:])
        response = self.refused("ResourceNotFoundException", 404, self.put, snapshot="snap-0123456789abcdef0", index=0, data=data)
        self.assertEqual(response["Reason"], "SNAPSHOT_NOT_FOUND")
        self.ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=0)

    def test_key_pairs(self):
        made = self.ec2.create_key_pair(KeyName="k", KeyType="ed25519")
        self.assertTrue(made["KeyMaterial"].startswith("-----BEGIN "))
        public = self.ec2.describe_key_pairs(KeyNames=["k"], IncludePublicKey=True)["KeyPairs"][0]["PublicKey"]
        again = self.ec2.import_key_pair(KeyName="again", PublicKeyMaterial=public.encode())
        self.assertEqual(again["KeyFingerprint"], made["KeyFingerprint"])
        self.refused("InvalidKeyPair.Duplicate", 400, self.ec2.create_key_pair, KeyName="k")
        for name in ("k", "again", "never"):
            self.ec2.delete_key_pair(KeyName=name)
        self.refused("InvalidKeyPair.NotFound", 400, self.ec2.describe_key_pairs, KeyNames=["k"])

    def test_network_and_types(self):
        vpc = self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]
        subnets = self.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]
        self.assertEqual(len({subnet["CidrBlock"] for subnet in subnets}), 6)
        group = self.ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"][0]
        self.assertEqual(group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"], group["GroupId"])
        pages = self.ec2.get_paginator("describe_instance_types").paginate(PaginationConfig={"PageSize": 5})
        types = {t["InstanceType"]: t for page in pages for t in page["InstanceTypes"]}
        self.assertEqual(types["t3.micro"]["MemoryInfo"]["SizeInMiB"], 1024)
        self.assertEqual(types["t4g.micro"]["ProcessorInfo"]["SupportedArchitectures"], ["arm64"])

    def test_image_and_instance(self):
        snapshot = self.ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
        self.ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=0)
        self.ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot], WaiterConfig=QUICK)
        root = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot, "DeleteOnTermination": True}}
        image = self.ec2.register_image(
            Name="by boto3", Architecture="x86_64", VirtualizationType="hvm", RootDeviceName="/dev/xvda",
            BlockDeviceMappings=[root], EnaSupport=True,
        )["ImageId"]
        self.ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig=QUICK)
        run = self.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=2, InstanceType="t3.nano", UserData="#!/bin/sh")
        ids = [instance["InstanceId"] for instance in run["Instances"]]
        self.assertEqual(len(ids), 2)
        self.ec2.get_waiter("instance_running").wait(InstanceIds=ids, WaiterConfig=QUICK)
        self.ec2.get_waiter("instance_status_ok").wait(InstanceIds=ids, WaiterConfig=QUICK)
        data = self.ec2.describe_instance_attribute(InstanceId=ids[0], Attribute="userData")["UserData"]["Value"]
        self.assertEqual(base64.b64decode(data), b"#!/bin/sh")
        self.assertIn(ids[0], self.ec2.get_console_output(InstanceId=ids[0])["Output"])
        baked = self.ec2.create_image(InstanceId=ids[0], Name="baked", NoReboot=True)["ImageId"]
        self.ec2.get_waiter("image_available").wait(ImageIds=[baked], WaiterConfig=QUICK)
        self.ec2.stop_instances(InstanceIds=ids)
        self.ec2.get_waiter("instance_stopped").wait(InstanceIds=ids, WaiterConfig=QUICK)
        self.ec2.terminate_instances(InstanceIds=ids)
        self.ec2.get_waiter("instance_terminated").wait(InstanceIds=ids, WaiterConfig=QUICK)
        gone = self.ec2.deregister_image(ImageId=baked, DeleteAssociatedSnapshots=True)
        self.assertEqual([result["ReturnCode"] for result in gone["DeleteSnapshotResults"]], ["success"])
        self.assertEqual(self.ec2.describe_images(ImageIds=[baked])["Images"], [])

    def test_errors(self):
        self.refused("InvalidVolumeID.Malformed", 400, self.ec2.describe_volumes, VolumeIds=["volume"])
        self.refused("InvalidVolume.NotFound", 400, self.ec2.describe_volumes, VolumeIds=["vol-0123456789abcdef0"])
        self.refused("InvalidParameterValue", 400, self.ec2.describe_volumes, Filters=[{"Name": "colour", "Values": ["red"]}])
        self.refused("MissingParameter", 400, self.ec2.delete_volume)
        self.refused("InvalidAction", 400, self.ec2.describe_bundle_tasks)
        nobody = {"aws_access_key_id": "AKIANOBODY", "aws_secret_access_key": "x"}
        self.refused("AuthFailure", 401, client("ec2", **nobody).describe_regions)
        self.refused("InvalidClientTokenId", 403, client("sts", **nobody).get_caller_identity)
        self.refused("UnrecognizedClientException", 403, client("ebs", **nobody).list_snapshot_blocks, SnapshotId="snap-0123456789abcdef0")
        liar = client("ec2", aws_secret_access_key="wrong", aws_access_key_id=self.ec2._request_signer._credentials.access_key)
        self.refused("SignatureDoesNotMatch", 403, liar.describe_regions)
        self.refused("SignatureDoesNotMatch", 403, client("ec2", region_name="eu-nowhere-1").describe_regions)

    def test_presigned(self):
        url = self.ec2.generate_presigned_url("describe_regions", ExpiresIn=3600, HttpMethod="GET")
        with urllib.request.urlopen(url) as answer:
            self.assertIn(b"us-east-1", answer.read())
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url.replace("DescribeRegions", "DescribeVpcs"))
        with caught.exception as error:
            self.assertEqual(error.code, 403)
            self.assertIn(b"<Code>SignatureDoesNotMatch</Code>", error.read())


if __name__ == "__main__":
    unittest.main()
