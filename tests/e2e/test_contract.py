"""The contract of the Describe calls and of EBS direct, taken from botocore's own service model.

What the model documents is accepted, everything else is refused by AWS's code: filters, pages, ids
of every kind of stranger, dry runs.
"""

import re

from .harness import BLOCK, ServerTest, pattern

# Operations with the parameter that takes ids, the prefix of such an id, and the codes of what is
# malformed and of what is not there.
NOUNS = {
    "describe_volumes": ("VolumeIds", "vol", "InvalidVolumeID.Malformed", "InvalidVolume.NotFound"),
    "describe_snapshots": ("SnapshotIds", "snap", "InvalidSnapshotID.Malformed", "InvalidSnapshot.NotFound"),
    "describe_images": ("ImageIds", "ami", "InvalidAMIID.Malformed", "InvalidAMIID.NotFound"),
}
PLACES = ("describe_regions", "describe_availability_zones")


class Contract(ServerTest):
    def model(self, call):
        return self.ec2.meta.service_model.operation_model(self.ec2.meta.method_to_api_mapping[call])

    def documented_filters(self, call):
        """The names of an operation's filters, as its documentation lists them."""
        documentation = self.model(call).input_shape.members["Filters"].documentation
        names = re.findall(r"<li>\s*<p>\s*<code>(.*?)</code>", documentation)
        self.assertGreaterEqual(len(names), 3, documentation)
        return ["tag:Name" if name.startswith("tag") and name != "tag-key" else name for name in names]

    def test_every_documented_filter_is_one_and_no_other(self):
        for call in (*NOUNS, *PLACES, "describe_tags"):
            describe = getattr(self.ec2, call)
            for name in self.documented_filters(call):
                with self.subTest(call, filter=name):
                    describe(Filters=[{"Name": name, "Values": ["no such value"]}])
            for unknown in ("colour", "Tag:Name", "tag:"):
                with self.subTest(call, filter=unknown):
                    self.refused("InvalidParameterValue", describe, Filters=[{"Name": unknown, "Values": ["x"]}], status=400)
            with self.subTest(call, values=201):
                name = self.documented_filters(call)[0]
                describe(Filters=[{"Name": name, "Values": ["x"] * 200}])
                self.refused("FilterLimitExceeded", describe, Filters=[{"Name": name, "Values": ["x"] * 201}], status=400)

    def test_dry_runs_end_in_an_error(self):
        for call in (*NOUNS, *PLACES, "describe_tags", "describe_account_attributes"):
            with self.subTest(call):
                self.refused("DryRunOperation", getattr(self.ec2, call), DryRun=True, status=412)

    def test_ids_of_strangers(self):
        made = self.server.cairn_json("account", "create", "--name", "stranger")
        stranger = self.server.client("ec2", keys=(made["AccessKeyId"], made["SecretAccessKey"]))
        elsewhere = self.server.client("ec2", region="eu-west-1")
        snapshot = self.upload({0: pattern("mine", BLOCK)})
        volume = self.ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=snapshot)["VolumeId"]
        image = self.ec2.register_image(
            Name="mine", RootDeviceName="/dev/xvda", BlockDeviceMappings=[
                {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}])["ImageId"]
        own = {"vol": volume, "snap": snapshot, "ami": image}
        for call, (ids, prefix, malformed, unknown) in NOUNS.items():
            for text in (f"{prefix}-xyz", f"{prefix}-0123456789", f"{prefix}-ABCDEF01", "i-12345678", prefix):
                with self.subTest(call, id=text):
                    message = self.refused(malformed, getattr(self.ec2, call), **{ids: [text]}, status=400)
                    self.assertIn(text, message)
            for client in (stranger, elsewhere):
                with self.subTest(call, client=client.meta.region_name):
                    self.assertIn(own[prefix], self.refused(unknown, getattr(client, call), **{ids: [own[prefix]]}, status=400))
        for client in (stranger, elsewhere):
            self.refused("InvalidSnapshot.NotFound", client.create_volume, AvailabilityZone=f"{client.meta.region_name}a", SnapshotId=snapshot)
            self.refused("InvalidSnapshot.NotFound", client.register_image, Name="theirs", RootDeviceName="/dev/xvda", BlockDeviceMappings=[
                {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}])
            self.refused("InvalidVolume.NotFound", client.delete_volume, VolumeId=volume)
            self.refused("InvalidVolume.NotFound", client.create_snapshot, VolumeId=volume)
            self.refused("InvalidSnapshot.NotFound", client.delete_snapshot, SnapshotId=snapshot)
            self.refused("InvalidAMIID.NotFound", client.deregister_image, ImageId=image)
            self.refused("InvalidAMIID.NotFound", client.describe_image_attribute, ImageId=image, Attribute="description")
            self.refused("InvalidVolume.NotFound", client.create_tags, Resources=[volume], Tags=[{"Key": "a", "Value": ""}])
        for keys, region in (((made["AccessKeyId"], made["SecretAccessKey"]), "us-east-1"), (None, "eu-west-1")):
            ebs = self.server.client("ebs", region=region, keys=keys)
            for call, parameters in (
                (ebs.list_snapshot_blocks, {"SnapshotId": snapshot}),
                (ebs.list_changed_blocks, {"SecondSnapshotId": snapshot}),
                (ebs.get_snapshot_block, {"SnapshotId": snapshot, "BlockIndex": 0, "BlockToken": "AAAA"}),
                (ebs.complete_snapshot, {"SnapshotId": snapshot, "ChangedBlocksCount": 1}),
                (ebs.start_snapshot, {"VolumeSize": 1, "ParentSnapshotId": snapshot}),
            ):
                self.refused("ResourceNotFoundException", call, **parameters, status=404)

    def test_attributes_of_an_image(self):
        """Each attribute of the model has an answer of its own, or the refusal that AWS gives."""
        snapshot = self.upload({0: pattern("attributes", BLOCK)})
        image = self.ec2.register_image(
            Name="attributes", Description="all of them", RootDeviceName="/dev/xvda", Architecture="x86_64", VirtualizationType="hvm",
            BootMode="uefi", TpmSupport="v2.0", ImdsSupport="v2.0", SriovNetSupport="simple", UefiData="QU1aTg==",
            BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}])["ImageId"]
        expected = {
            "description": ("Description", {"Value": "all of them"}), "kernel": ("KernelId", {}), "ramdisk": ("RamdiskId", {}),
            "launchPermission": ("LaunchPermissions", []), "productCodes": ("ProductCodes", []),
            "sriovNetSupport": ("SriovNetSupport", {"Value": "simple"}), "bootMode": ("BootMode", {"Value": "uefi"}),
            "tpmSupport": ("TpmSupport", {"Value": "v2.0"}), "uefiData": ("UefiData", {"Value": "QU1aTg=="}),
            "lastLaunchedTime": ("LastLaunchedTime", {}), "imdsSupport": ("ImdsSupport", {"Value": "v2.0"}),
            "deregistrationProtection": ("DeregistrationProtection", {"Value": "disabled"}),
        }
        known = self.model("describe_image_attribute").input_shape.members["Attribute"].enum
        self.assertEqual(sorted(known), sorted([*expected, "blockDeviceMapping"]))
        for name, (member, value) in expected.items():
            with self.subTest(name):
                answer = self.ec2.describe_image_attribute(ImageId=image, Attribute=name)
                self.assertEqual((answer["ImageId"], answer[member]), (image, value))
        self.refused("AuthFailure", self.ec2.describe_image_attribute, ImageId=image, Attribute="blockDeviceMapping", status=401)
        self.refused("InvalidParameterValue", self.ec2.describe_image_attribute, ImageId=image, Attribute="colour", status=400)
        self.refused("DryRunOperation", self.ec2.describe_image_attribute, ImageId=image, Attribute="kernel", DryRun=True, status=412)

    def test_pages(self):
        for call, token in (("describe_volumes", "InvalidNextToken"), ("describe_snapshots", "InvalidNextToken"),
                            ("describe_tags", "InvalidNextToken"), ("describe_images", "InvalidNextToken")):
            describe = getattr(self.ec2, call)
            with self.subTest(call):
                self.refused(token, describe, NextToken="AAAA", status=400)
                self.refused("InvalidParameterValue", describe, MaxResults=-1, status=400)
                self.assertNotIn("NextToken", describe(MaxResults=1000))
        for call in ("describe_volumes", "describe_snapshots", "describe_tags"):
            self.refused("InvalidParameterValue", getattr(self.ec2, call), MaxResults=4, status=400)
        self.refused("InvalidParameterCombination", self.ec2.describe_volumes, VolumeIds=["vol-12345678"], MaxResults=5, status=400)
        self.refused("InvalidParameterCombination", self.ec2.describe_snapshots, SnapshotIds=["snap-12345678"], MaxResults=5, status=400)
