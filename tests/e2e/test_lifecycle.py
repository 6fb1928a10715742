"""Volumes, snapshots and images by boto3: waiters, paginators, filters, tags, tokens."""

from .harness import BLOCK, ServerTest, pattern, wait_for

FAST = {"Delay": 1, "MaxAttempts": 60}


class Lifecycle(ServerTest):
    def test_volume_snapshot_volume(self):
        ec2 = self.ec2
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, VolumeType="gp3")
        self.assertEqual(volume["State"], "creating")
        ec2.get_waiter("volume_available").wait(VolumeIds=[volume["VolumeId"]], WaiterConfig=FAST)
        snapshot = ec2.create_snapshot(VolumeId=volume["VolumeId"], Description="first")
        self.assertEqual(snapshot["State"], "pending")
        self.assertEqual(snapshot["VolumeSize"], 1)
        ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot["SnapshotId"]], WaiterConfig=FAST)
        copy = ec2.create_volume(AvailabilityZone="us-east-1b", SnapshotId=snapshot["SnapshotId"], Size=2)
        self.assertEqual((copy["Size"], copy["SnapshotId"]), (2, snapshot["SnapshotId"]))
        ec2.get_waiter("volume_available").wait(VolumeIds=[copy["VolumeId"]], WaiterConfig=FAST)
        for found in (volume, copy):
            ec2.delete_volume(VolumeId=found["VolumeId"])
            ec2.get_waiter("volume_deleted").wait(VolumeIds=[found["VolumeId"]], WaiterConfig=FAST)
        ec2.delete_snapshot(SnapshotId=snapshot["SnapshotId"])
        self.refused("InvalidSnapshot.NotFound", ec2.describe_snapshots, SnapshotIds=[snapshot["SnapshotId"]])

    def test_how_far_a_volume_is_filled(self):
        ec2 = self.ec2
        snapshot = self.upload({i: pattern(i, BLOCK) for i in range(3)})
        made = {}
        for name, options in (("default", {}), ("provisioned-rate", {"VolumeInitializationRate": 100})):
            made[name] = ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=snapshot, **options)["VolumeId"]
        blank = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        volumes = [*made.values(), blank]
        ec2.get_waiter("volume_available").wait(VolumeIds=volumes, WaiterConfig=FAST)
        found = {item["VolumeId"]: item for item in ec2.describe_volume_status(VolumeIds=volumes)["VolumeStatuses"]}
        self.assertEqual(set(found), set(volumes))
        for name, volume in made.items():
            status = found[volume]
            details = {detail["Name"]: detail["Status"] for detail in status["VolumeStatus"]["Details"]}
            self.assertEqual((status["VolumeStatus"]["Status"], details["io-enabled"]), ("ok", "passed"))
            self.assertEqual(details["initialization-state"], "initializing")
            initialization = status["InitializationStatusDetails"]
            self.assertEqual((initialization["InitializationType"], initialization["Progress"]), (name, 0))
            # A GiB at 100 MiB/s; without a rate nothing is promised.
            self.assertEqual(initialization.get("EstimatedTimeToCompleteInSeconds"), 11 if name != "default" else None)
        self.assertNotIn("InitializationStatusDetails", found[blank])
        self.refused("InvalidVolume.NotFound", ec2.describe_volume_status, VolumeIds=["vol-0123456789abcdef0"])
        self.refused("InvalidParameterValue", ec2.create_volume, AvailabilityZone="us-east-1a", SnapshotId=snapshot,
                     VolumeInitializationRate=99)

    def test_image_of_a_snapshot(self):
        ec2 = self.ec2
        snapshot = self.upload({0: pattern("image", BLOCK)})
        mapping = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot, "VolumeType": "gp3"}}
        image = ec2.register_image(Name="of a snapshot", Architecture="x86_64", VirtualizationType="hvm",
                                   RootDeviceName="/dev/xvda", EnaSupport=True, BlockDeviceMappings=[mapping])["ImageId"]
        ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig=FAST)
        found = ec2.describe_images(ImageIds=[image])["Images"][0]
        self.assertEqual(found["RootDeviceType"], "ebs")
        self.assertEqual(found["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"], snapshot)
        self.assertEqual(found["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"], 1)
        message = self.refused("InvalidAMIName.Duplicate", ec2.register_image, Name="of a snapshot",
                               RootDeviceName="/dev/xvda", BlockDeviceMappings=[mapping])
        self.assertIn(image, message)
        message = self.refused("InvalidSnapshot.InUse", ec2.delete_snapshot, SnapshotId=snapshot)
        self.assertIn(image, message)
        ec2.deregister_image(ImageId=image)
        self.assertEqual(ec2.describe_images(ImageIds=[image])["Images"], [])
        ec2.delete_snapshot(SnapshotId=snapshot)

    def test_pages_tags_and_filters(self):
        ec2 = self.ec2
        tags = [{"ResourceType": "volume", "Tags": [{"Key": "set", "Value": "paged"}]}]
        made = [ec2.create_volume(AvailabilityZone="us-east-1c", Size=1, TagSpecifications=tags)["VolumeId"]
                for _ in range(11)]
        pages = list(ec2.get_paginator("describe_volumes").paginate(
            Filters=[{"Name": "tag:set", "Values": ["pag*"]}], PaginationConfig={"PageSize": 5}))
        self.assertEqual([len(page["Volumes"]) for page in pages], [5, 5, 1])
        self.assertEqual(sorted(v["VolumeId"] for page in pages for v in page["Volumes"]), sorted(made))
        ec2.create_tags(Resources=made[:1], Tags=[{"Key": "Name", "Value": "one"}])
        named = ec2.describe_volumes(Filters=[{"Name": "tag:Name", "Values": ["one"]}])["Volumes"]
        self.assertEqual([v["VolumeId"] for v in named], made[:1])
        described = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": made[:1]}])["Tags"]
        self.assertEqual({(t["Key"], t["Value"]) for t in described}, {("set", "paged"), ("Name", "one")})
        ec2.delete_tags(Resources=made[:1], Tags=[{"Key": "Name"}])
        self.assertEqual(ec2.describe_volumes(Filters=[{"Name": "tag-key", "Values": ["Name"]}])["Volumes"], [])
        for volume in made:
            self.available(volume)
            ec2.delete_volume(VolumeId=volume)

    def test_the_same_token_gives_the_same_volume(self):
        ec2 = self.ec2
        first = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, ClientToken="token")
        again = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, ClientToken="token")
        self.assertEqual(first["VolumeId"], again["VolumeId"])
        self.refused("IdempotentParameterMismatch", ec2.create_volume,
                     AvailabilityZone="us-east-1a", Size=2, ClientToken="token")

    def test_a_dry_run_changes_nothing(self):
        ec2 = self.ec2
        before = len(ec2.describe_volumes()["Volumes"])
        self.refused("DryRunOperation", ec2.create_volume, AvailabilityZone="us-east-1a", Size=1, DryRun=True, status=412)
        self.assertEqual(len(ec2.describe_volumes()["Volumes"]), before)

    def test_snapshots_are_incremental_and_exact(self):
        """A volume of a snapshot, snapshotted again unchanged, is the same snapshot to the byte."""
        ec2, ebs = self.ec2, self.ebs
        blocks = {0: pattern("a", BLOCK), 7: pattern("b", BLOCK), 2047: pattern("c", BLOCK)}
        first = self.upload(blocks)
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=first)["VolumeId"]
        self.available(volume)
        second = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        self.completed(second)
        self.assert_same_blocks(self.blocks_of(second), blocks)
        changed = ebs.list_changed_blocks(FirstSnapshotId=first, SecondSnapshotId=second)
        self.assertEqual(changed["ChangedBlocks"], [])

    def test_every_region_is_its_own(self):
        west = self.server.client("ec2", region="us-west-2")
        volume = west.create_volume(AvailabilityZone="us-west-2a", Size=1)["VolumeId"]
        wait_for("the volume", lambda: west.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "available")
        self.refused("InvalidVolume.NotFound", self.ec2.describe_volumes, VolumeIds=[volume])
        west.delete_volume(VolumeId=volume)


class Restart(ServerTest):
    def test_everything_is_there_after_a_restart(self):
        blocks = {3: pattern("restart", BLOCK)}
        snapshot = self.upload(blocks)
        volume = self.ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=snapshot)["VolumeId"]
        self.available(volume)
        self.assertEqual(self.server.stop(), 0, self.server.log_tail())
        self.assertFalse((self.server.data / "endpoint").exists())
        self.server.start()
        self.assert_same_blocks(self.blocks_of(snapshot), blocks)
        self.assertEqual(self.available(volume)["SnapshotId"], snapshot)
