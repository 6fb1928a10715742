"""Images shared, copied, taken out of use and remembered: two accounts, two regions, the bytes compared."""

import datetime
import os
import re

from .guests import MachineTest
from .harness import BLOCK, pattern, wait_for

AWAY = "eu-west-1"
ORGANIZATION = "arn:aws:organizations::123456789012:organization/o-abcdefghij"
UNIT = "arn:aws:organizations::123456789012:ou/o-abcdefghij/ou-ab12-11111111"


class Images(MachineTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = cls.server.cairn_json("account", "create", "--name", "other")
        cls.other, cls.other_keys = made["AccountId"], (made["AccessKeyId"], made["SecretAccessKey"])
        cls.owner = cls.server.client("sts").get_caller_identity()["Account"]

    @property
    def ec2_other(self):
        return self.server.client("ec2", keys=self.other_keys)

    def blocks(self):
        """What the root of a new image holds."""
        return {0: pattern(os.urandom(8), BLOCK), 100: pattern(os.urandom(8), BLOCK)}

    def image(self, blocks=None, **parameters):
        snapshot = self.upload(blocks or {0: pattern("root", BLOCK)})
        parameters = {"Name": f"image {os.urandom(4).hex()}", "EnaSupport": True, "Architecture": "x86_64",
                      "VirtualizationType": "hvm"} | parameters
        return self.ec2.register_image(
            RootDeviceName="/dev/xvda", BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}],
            **parameters)["ImageId"]

    def shown(self, image, ec2=None, **parameters):
        return (ec2 or self.ec2).describe_images(ImageIds=[image], **parameters)["Images"][0]

    def seen(self, ec2=None, **parameters):
        return {image["ImageId"] for image in (ec2 or self.ec2).describe_images(**parameters)["Images"]}

    def permissions(self, image):
        return self.ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")["LaunchPermissions"]

    def allow(self, image, **who):
        self.ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [who]})

    def root_snapshot(self, image, ec2=None):
        return self.shown(image, ec2)["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]

    def image_available(self, image, ec2):
        def state():
            found = self.shown(image, ec2)
            self.assertNotEqual(found["State"], "failed", found)
            return found["State"] == "available" and found
        return wait_for(f"{image} to be available", state)

    def test_permissions_in_every_form(self):
        image, change = self.image(), self.ec2.modify_image_attribute
        user, group = {"UserId": self.other}, {"Group": "all"}
        change(ImageId=image, OperationType="add", UserIds=[self.other])
        change(ImageId=image, Attribute="launchPermission", OperationType="add", UserIds=[self.other])
        self.assertEqual(self.permissions(image), [user])
        change(ImageId=image, LaunchPermission={"Remove": [user]})
        change(ImageId=image, LaunchPermission={"Remove": [user]})
        self.assertEqual(self.permissions(image), [])
        # Both at once, as Packer sends them.
        change(ImageId=image, UserIds=[self.other], LaunchPermission={"Add": [user]})
        change(ImageId=image, OperationType="add", OrganizationArns=[ORGANIZATION], OrganizationalUnitArns=[UNIT])
        everybody = [user, {"OrganizationArn": ORGANIZATION}, {"OrganizationalUnitArn": UNIT}]
        self.assertEqual(self.permissions(image), everybody)
        for wrong in ({"UserId": "12"}, {"Group": "some"}, {"OrganizationArn": UNIT}, {"OrganizationalUnitArn": ORGANIZATION}):
            self.refused("InvalidAMIAttributeItemValue", change, ImageId=image, status=400,
                         LaunchPermission={"Add": [{"UserId": self.owner}, wrong]})
        self.assertEqual(self.permissions(image), everybody, "all or nothing")
        self.refused("MissingParameter", change, ImageId=image)
        self.refused("MissingParameter", change, ImageId=image, UserIds=[self.other])
        self.refused("InvalidParameterValue", change, ImageId=image, OperationType="give", UserIds=[self.other])
        self.refused("InvalidParameterValue", change, ImageId=image, Attribute="kernel", Value="x")
        self.refused("InvalidParameterCombination", change, ImageId=image, Description={"Value": "x"}, LaunchPermission={"Add": [user]})
        self.refused("DryRunOperation", change, ImageId=image, LaunchPermission={"Remove": [user]}, DryRun=True, status=412)
        self.refused("AuthFailure", self.ec2_other.modify_image_attribute, ImageId=image, Description={"Value": "mine"})
        self.ec2.reset_image_attribute(ImageId=image, Attribute="launchPermission")
        self.assertEqual(self.permissions(image), [])
        self.refused("InvalidAMIID.NotFound", self.ec2_other.modify_image_attribute, ImageId=image, Description={"Value": "mine"})
        self.refused("InvalidParameterValue", self.ec2.reset_image_attribute, ImageId=image, Attribute="description")
        self.refused("OperationNotPermitted", change, ImageId=image, LaunchPermission={"Add": [group]})

    def test_description_and_imds(self):
        image, change = self.image(), self.ec2.modify_image_attribute
        change(ImageId=image, Description={"Value": "one"})
        self.assertEqual(self.shown(image)["Description"], "one")
        change(ImageId=image, Attribute="description", Value="two")
        self.assertEqual(self.shown(image)["Description"], "two")
        change(ImageId=image, Description={"Value": ""})
        self.assertNotIn("Description", self.shown(image))
        self.assertNotIn("ImdsSupport", self.shown(image))
        self.refused("InvalidParameterValue", change, ImageId=image, ImdsSupport={"Value": "v1.0"})
        change(ImageId=image, ImdsSupport={"Value": "v2.0"})
        self.assertEqual(self.shown(image)["ImdsSupport"], "v2.0")

    def test_a_shared_image_is_launched_by_another_account_with_the_same_bytes(self):
        blocks = self.blocks()
        image = self.image(blocks)
        self.refused("InvalidAMIID.NotFound", self.ec2_other.run_instances, ImageId=image, MinCount=1, MaxCount=1)
        self.allow(image, UserId=self.other)
        self.assertIn(image, self.seen(self.ec2_other, ExecutableUsers=["self"]))
        self.refused("AuthFailure", self.ec2_other.describe_image_attribute, ImageId=image, Attribute="launchPermission")
        self.assert_launched_bytes(image, blocks)
        self.assertTrue(self.ec2_other.cancel_image_launch_permission(ImageId=image)["Return"])
        self.assertEqual(self.permissions(image), [])
        self.refused("InvalidAMIID.NotFound", self.ec2_other.cancel_image_launch_permission, ImageId=image)
        self.refused("OperationNotPermitted", self.ec2.cancel_image_launch_permission, ImageId=image)

    def assert_launched_bytes(self, image, blocks):
        """Launches as the other account, and compares what its root volume holds."""
        ec2 = self.ec2_other
        instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro")["Instances"][0]["InstanceId"]
        describe = lambda: ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        try:
            found = wait_for("it to run", lambda: (i := describe())["State"]["Name"] == "running" and i, 120)
            volume = found["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
            snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
            ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot], WaiterConfig={"Delay": 1, "MaxAttempts": 100})
            self.assert_same_blocks(self.blocks_of(snapshot, self.server.client("ebs", keys=self.other_keys)), blocks)
        finally:
            ec2.stop_instances(InstanceIds=[instance], Force=True)
            wait_for("it to stop", lambda: describe()["State"]["Name"] == "stopped")
            ec2.terminate_instances(InstanceIds=[instance])

    def test_public_images(self):
        blocks = self.blocks()
        image, sealed = self.image(blocks), self.sealed_image()
        self.assertEqual(self.ec2.get_image_block_public_access_state()["ImageBlockPublicAccessState"], "block-new-sharing")
        self.refused("OperationNotPermitted", self.ec2.modify_image_attribute, ImageId=image, OperationType="add", UserGroups=["all"])
        self.assertEqual(self.ec2.disable_image_block_public_access()["ImageBlockPublicAccessState"], "unblocked")
        self.assertEqual(self.ec2.get_image_block_public_access_state()["ImageBlockPublicAccessState"], "unblocked")
        away = self.server.client("ec2", region=AWAY)
        self.assertEqual(away.get_image_block_public_access_state()["ImageBlockPublicAccessState"], "block-new-sharing")
        message = self.refused("OperationNotPermitted", self.ec2.modify_image_attribute, ImageId=sealed, OperationType="add", UserGroups=["all"])
        self.assertIn("encrypted", message)
        self.allow(image, Group="all")
        self.assertTrue(self.shown(image)["Public"])
        self.assertIn("DeprecationTime", self.shown(image))
        enabled = self.ec2.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
        self.assertEqual(enabled["ImageBlockPublicAccessState"], "block-new-sharing")
        self.allow(image, Group="all")
        self.assertIn(image, self.seen(self.ec2_other, Filters=[{"Name": "is-public", "Values": ["true"]}]))
        self.assertIn(image, self.seen(self.ec2_other, ExecutableUsers=["all"]))
        self.assert_launched_bytes(image, blocks)
        self.ec2.disable_image(ImageId=image)
        self.assertNotIn(image, self.seen(self.ec2_other, IncludeDisabled=True))

    def sealed_image(self):
        """An image under a key of the account's own."""
        key = self.server.cairn_json("key", "create")["KeyId"]
        snapshot = self.upload({0: pattern("sealed", BLOCK)}, Encrypted=True, KmsKeyArn=key)
        return self.ec2.register_image(
            Name=f"sealed {os.urandom(4).hex()}", RootDeviceName="/dev/xvda",
            BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}])["ImageId"]

    def test_organizations_let_their_members_in(self):
        image, unit_image = self.image(), self.image()
        self.allow(image, OrganizationArn=ORGANIZATION)
        self.allow(unit_image, OrganizationalUnitArn=UNIT)
        self.assertEqual({image, unit_image} & self.seen(self.ec2_other), set())
        set_to = self.server.cairn_json("account", "membership", self.other, "--organization", ORGANIZATION, "--unit", UNIT)
        self.assertEqual(set_to["Memberships"], [ORGANIZATION, UNIT])
        self.assertLessEqual({image, unit_image}, self.seen(self.ec2_other, ExecutableUsers=["self"]))
        self.server.cairn("account", "membership", self.other)
        self.assertEqual({image, unit_image} & self.seen(self.ec2_other), set())
        made = self.server.cairn_json("account", "create", "--organization", ORGANIZATION)
        keys = made["AccessKeyId"], made["SecretAccessKey"]
        self.assertIn(image, self.seen(self.server.client("ec2", keys=keys)))
        refused = self.server.cairn("account", "membership", self.other, "--unit", "ou-1", check=False)
        self.assertNotEqual(refused.returncode, 0)
        denied = self.server.cairn("account", "membership", self.other, keys=self.other_keys, check=False)
        self.assertNotEqual(denied.returncode, 0)

    def test_out_of_use_and_back(self):
        image = self.image()
        self.assertTrue(self.ec2.disable_image(ImageId=image)["Return"])
        self.assertEqual(self.ec2.describe_images(ImageIds=[image])["Images"], [])
        self.assertEqual(self.shown(image, IncludeDisabled=True)["State"], "disabled")
        self.refused("InvalidAMIID.Unavailable", self.ec2.run_instances, ImageId=image, MinCount=1, MaxCount=1)
        self.refused("InvalidAMIID.Unavailable", self.ec2.modify_image_attribute, ImageId=image, OperationType="add", UserIds=[self.other])
        self.assertTrue(self.ec2.enable_image(ImageId=image)["Return"])
        self.assertEqual(self.shown(image)["State"], "available")

    def test_deprecation(self):
        image = self.image()
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        tomorrow = (now + datetime.timedelta(days=1)).replace(second=40)
        self.assertTrue(self.ec2.enable_image_deprecation(ImageId=image, DeprecateAt=tomorrow)["Return"])
        minute = tomorrow.replace(second=0) + datetime.timedelta(minutes=1)
        self.assertEqual(self.shown(image)["DeprecationTime"], minute.strftime("%Y-%m-%dT%H:%M:00.000Z"))
        for wrong in (now - datetime.timedelta(hours=1), now + datetime.timedelta(days=3660)):
            self.refused("InvalidParameterValue", self.ec2.enable_image_deprecation, ImageId=image, DeprecateAt=wrong)
        self.assertTrue(self.ec2.disable_image_deprecation(ImageId=image)["Return"])
        self.assertNotIn("DeprecationTime", self.shown(image))

    def test_deregistration(self):
        image = self.image()
        snapshot = self.root_snapshot(image)
        self.assertEqual(self.ec2.enable_image_deregistration_protection(ImageId=image)["Return"], "true")
        self.assertEqual(self.shown(image)["DeregistrationProtection"], "enabled-without-cooldown")
        self.refused("OperationNotPermitted", self.ec2.deregister_image, ImageId=image)
        self.ec2.enable_image_deregistration_protection(ImageId=image, WithCooldown=True)
        value = self.ec2.describe_image_attribute(ImageId=image, Attribute="deregistrationProtection")["DeregistrationProtection"]
        self.assertEqual(value, {"Value": "enabled-with-cooldown"})
        self.ec2.disable_image_deregistration_protection(ImageId=image)
        self.assertIn("cooldown", self.refused("OperationNotPermitted", self.ec2.deregister_image, ImageId=image))
        other = self.register_over(snapshot)
        done = self.ec2.deregister_image(ImageId=other, DeleteAssociatedSnapshots=True)
        self.assertEqual(done["DeleteSnapshotResults"], [{"SnapshotId": snapshot, "ReturnCode": "skipped"}])
        self.refused("InvalidAMIID.Unavailable", self.ec2.deregister_image, ImageId=other)
        last = self.image()
        own = self.root_snapshot(last)
        done = self.ec2.deregister_image(ImageId=last, DeleteAssociatedSnapshots=True)
        self.assertEqual(done["DeleteSnapshotResults"], [{"SnapshotId": own, "ReturnCode": "success"}])
        self.refused("InvalidSnapshot.NotFound", self.ec2.describe_snapshots, SnapshotIds=[own])
        self.assertEqual(self.ec2.describe_images(ImageIds=[last])["Images"], [])

    def register_over(self, snapshot):
        return self.ec2.register_image(
            Name=f"over {os.urandom(4).hex()}", RootDeviceName="/dev/xvda",
            BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}])["ImageId"]

    def test_allowed_images(self):
        image, ec2 = self.image(Name=f"allowed {os.urandom(4).hex()}"), self.ec2_other
        self.allow(image, UserId=self.other)
        self.addCleanup(ec2.disable_allowed_images_settings)
        self.assertEqual(ec2.get_allowed_images_settings()["State"], "disabled")
        self.assertNotIn("ImageAllowed", self.shown(image, ec2))
        criteria = [{"ImageProviders": [self.owner], "ImageNames": ["allowed *"], "DeprecationTimeCondition": {"MaximumDaysSinceDeprecated": 0},
                     "CreationDateCondition": {"MaximumDaysSinceCreated": 30}}]
        none = [{"ImageProviders": ["none"]}]
        self.assertTrue(ec2.replace_image_criteria_in_allowed_images_settings(ImageCriteria=none)["ReturnValue"])
        self.assertEqual(ec2.enable_allowed_images_settings(AllowedImagesSettingsState="audit-mode")["AllowedImagesSettingsState"], "audit-mode")
        self.assertFalse(self.shown(image, ec2)["ImageAllowed"])
        not_allowed = [{"Name": "image-allowed", "Values": ["false"]}]
        self.assertIn(image, self.seen(ec2, Filters=not_allowed))
        ec2.enable_allowed_images_settings(AllowedImagesSettingsState="enabled")
        self.refused("InvalidAMIID.NotFound", ec2.describe_images, ImageIds=[image])
        self.refused("InvalidAMIID.NotFound", ec2.run_instances, ImageId=image, MinCount=1, MaxCount=1)
        self.refused("InvalidAMIID.NotFound", ec2.copy_image, SourceImageId=image, SourceRegion="us-east-1", Name="not allowed")
        ec2.replace_image_criteria_in_allowed_images_settings(ImageCriteria=criteria)
        self.assertEqual(ec2.get_allowed_images_settings()["ImageCriteria"], criteria)
        self.assertTrue(self.shown(image, ec2)["ImageAllowed"])
        self.assertTrue(self.shown(image)["State"], "the owner has settings of its own")
        for wrong in ([{"ImageProviders": ["none", self.owner]}], [{"ImageNames": ["a,b"]}], criteria * 11):
            self.refused("InvalidParameterValue", ec2.replace_image_criteria_in_allowed_images_settings, ImageCriteria=wrong)
        self.refused("InvalidParameterValue", ec2.enable_allowed_images_settings, AllowedImagesSettingsState="disabled")
        self.assertEqual(ec2.disable_allowed_images_settings()["AllowedImagesSettingsState"], "disabled")

    def test_a_copy_in_another_region_and_account(self):
        blocks = self.blocks()
        image = self.image(blocks)
        self.allow(image, UserId=self.other)
        ec2 = self.server.client("ec2", region=AWAY, keys=self.other_keys)
        asked = {"SourceImageId": image, "SourceRegion": "us-east-1", "Name": "the copy", "ClientToken": os.urandom(8).hex()}
        copy = ec2.copy_image(**asked)["ImageId"]
        self.assertEqual(ec2.copy_image(**asked)["ImageId"], copy)
        self.refused("IdempotentParameterMismatch", ec2.copy_image, **asked | {"Name": "another"})
        found = self.image_available(copy, ec2)
        self.assertEqual((found["SourceImageId"], found["SourceImageRegion"], found["OwnerId"]), (image, "us-east-1", self.other))
        snapshot = self.root_snapshot(copy, ec2)
        self.assert_same_blocks(self.blocks_of(snapshot, self.server.client("ebs", region=AWAY, keys=self.other_keys)), blocks)
        self.assertIn(image, ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["Description"])
        filters = [{"Name": "source-image-id", "Values": [image]}, {"Name": "source-image-region", "Values": ["us-east-1"]}]
        self.assertEqual(self.seen(ec2, Filters=filters), {copy})
        self.refused("InvalidAMIName.Duplicate", ec2.copy_image, **asked | {"ClientToken": os.urandom(8).hex()})
        self.refused("InvalidAMIID.NotFound", ec2.copy_image, SourceImageId=image, SourceRegion=AWAY, Name="not here")
        self.refused("InvalidAMIID.Malformed", ec2.copy_image, SourceImageId="ami-x", SourceRegion="us-east-1", Name="malformed")
        entries = ec2.get_image_ancestry(ImageId=copy)["ImageAncestryEntries"]
        self.assertEqual([entry["ImageId"] for entry in entries], [copy, image])
        self.assertEqual(entries[0]["SourceImageRegion"], "us-east-1")

    def test_a_copy_is_encrypted_and_the_killed_server_finishes_it(self):
        blocks = {index: pattern(("copy", index), BLOCK) for index in range(0, 64)}
        image = self.image(blocks)
        ec2 = self.server.client("ec2", region=AWAY)
        copy = ec2.copy_image(SourceImageId=image, SourceRegion="us-east-1", Name="sealed copy", Encrypted=True)["ImageId"]
        self.server.kill()
        self.server.start()
        ec2 = self.server.client("ec2", region=AWAY)
        found = self.image_available(copy, ec2)
        self.assertTrue(found["BlockDeviceMappings"][0]["Ebs"]["Encrypted"])
        snapshot = self.root_snapshot(copy, ec2)
        self.assertTrue(ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["Encrypted"])
        self.assert_same_blocks(self.blocks_of(snapshot, self.server.client("ebs", region=AWAY)), blocks)

    def test_what_refers_to_an_image(self):
        image = self.image()
        instance = self.running(image)
        describe = self.ec2.describe_image_references
        reference = {"ImageId": image, "ResourceType": "ec2:Instance",
                     "Arn": f"arn:aws:ec2:us-east-1:{self.owner}:instance/{instance}"}
        self.assertEqual(describe(ImageIds=[image], IncludeAllResourceTypes=True)["ImageReferences"], [reference])
        running = lambda state: [{"ResourceType": "ec2:Instance", "ResourceTypeOptions": [{"OptionName": "state-name", "OptionValues": [state]}]}]
        self.assertEqual(describe(ImageIds=[image], ResourceTypes=running("running"))["ImageReferences"], [reference])
        self.assertEqual(describe(ImageIds=[image], ResourceTypes=running("stopped"))["ImageReferences"], [])
        self.assertEqual(describe(ImageIds=[image], ResourceTypes=[{"ResourceType": "ec2:LaunchTemplate"}])["ImageReferences"], [])
        template = self.ec2.create_launch_template(LaunchTemplateName=f"of-{image}", LaunchTemplateData={"ImageId": image})["LaunchTemplate"]
        found, = describe(ImageIds=[image], ResourceTypes=[{"ResourceType": "ec2:LaunchTemplate"}])["ImageReferences"]
        self.assertEqual((found["ResourceType"], found["Arn"].split("/")[1]), ("ec2:LaunchTemplate", template["LaunchTemplateId"]))
        self.assertEqual(len(describe(ImageIds=[image], IncludeAllResourceTypes=True)["ImageReferences"]), 2)
        self.refused("MissingParameter", describe, ImageIds=[image])
        self.refused("InvalidParameterValue", describe, ImageIds=[image], ResourceTypes=[{"ResourceType": "ec2:Volume"}])
        self.refused("InvalidAMIID.Malformed", describe, ImageIds=["ami-1"], IncludeAllResourceTypes=True)
        metadata = self.ec2.describe_instance_image_metadata
        self.ec2.deregister_image(ImageId=image)
        found, = metadata(InstanceIds=[instance])["InstanceImageMetadata"]
        self.assertEqual((found["InstanceId"], found["State"]["Name"], found["ZoneId"]), (instance, "running", "use1-az1"))
        self.assertEqual((found["ImageMetadata"]["ImageId"], found["ImageMetadata"]["State"]), (image, "deregistered"))
        self.assertFalse(found["ImageMetadata"]["IsPublic"])
        by_type = [{"Name": "instance-type", "Values": ["t3.*"]}, {"Name": "instance-id", "Values": [instance]}]
        self.assertEqual(len(metadata(Filters=by_type)["InstanceImageMetadata"]), 1)
        self.refused("InvalidInstanceID.NotFound", self.ec2_other.describe_instance_image_metadata, InstanceIds=[instance])
        self.refused("InvalidParameterValue", metadata, Filters=[{"Name": "colour", "Values": ["red"]}])

    def test_usage_reports(self):
        image = self.image()
        self.running(image)
        create, kinds = self.ec2.create_image_usage_report, [{"ResourceType": "ec2:Instance"}]
        tags = [{"ResourceType": "image-usage-report", "Tags": [{"Key": "a", "Value": "b"}]}]
        report = create(ImageId=image, ResourceTypes=kinds, TagSpecifications=tags)["ReportId"]
        self.ec2.get_waiter("image_usage_report_available").wait(ReportIds=[report], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        found, = self.ec2.describe_image_usage_reports(ReportIds=[report])["ImageUsageReports"]
        self.assertEqual((found["ImageId"], found["State"], found["Tags"]), (image, "available", [{"Key": "a", "Value": "b"}]))
        self.assertEqual(found["ExpirationTime"] - found["CreationTime"], datetime.timedelta(days=30))
        entry, = self.ec2.describe_image_usage_report_entries(ReportIds=[report])["ImageUsageReportEntries"]
        self.assertEqual((entry["AccountId"], entry["ResourceType"], entry["UsageCount"]), (self.owner, "ec2:Instance", 1))
        self.ec2.create_tags(Resources=[report], Tags=[{"Key": "c", "Value": "d"}])
        by_tag = [{"Name": "tag:c", "Values": ["d"]}]
        self.assertEqual(len(self.ec2.describe_image_usage_reports(Filters=by_tag)["ImageUsageReports"]), 1)
        others = create(ImageId=image, ResourceTypes=kinds, AccountIds=[self.other])["ReportId"]
        wait_for("it", lambda: self.ec2.describe_image_usage_reports(ReportIds=[others])["ImageUsageReports"][0]["State"] == "available")
        self.assertEqual(self.ec2.describe_image_usage_report_entries(ReportIds=[others])["ImageUsageReportEntries"], [])
        self.refused("InvalidParameterValue", create, ImageId=image, ResourceTypes=[{"ResourceType": "ssm:Parameter"}])
        self.refused("InvalidAMIID.NotFound", self.ec2_other.create_image_usage_report, ImageId=image, ResourceTypes=kinds)
        self.assertTrue(self.ec2.delete_image_usage_report(ReportId=report)["Return"])
        self.refused("InvalidImageUsageReportId.NotFound", self.ec2.delete_image_usage_report, ReportId=report)

    def test_bundles_kernels_and_ram_disks(self):
        register, name = self.ec2.register_image, os.urandom(4).hex()
        kernel = register(Name=f"kernel {name}", ImageLocation="bucket/kernel.manifest.xml", KernelId="true")["ImageId"]
        ramdisk = register(Name=f"ramdisk {name}", ImageLocation="bucket/ramdisk.manifest.xml", RamdiskId="true")["ImageId"]
        machine = register(Name=f"machine {name}", ImageLocation="bucket/machine.manifest.xml", KernelId=kernel, RamdiskId=ramdisk)["ImageId"]
        self.refused("InvalidManifest", register, Name=f"bad {name}", ImageLocation="bucket/machine")
        self.refused("InvalidAMIID.NotFound", register, Name=f"bad {name}", ImageLocation="bucket/m.manifest.xml", KernelId="aki-12345678")
        for filters, expected in (
            ({"image-type": "kernel"}, {kernel}), ({"image-type": "ramdisk"}, {ramdisk}), ({"kernel-id": kernel}, {machine}),
            ({"ramdisk-id": ramdisk}, {machine}), ({"root-device-type": "instance-store", "image-type": "machine"}, {machine}),
            ({"manifest-location": "bucket/k*"}, {kernel}),
        ):
            found = self.seen(Filters=[{"Name": name, "Values": [value]} for name, value in filters.items()])
            self.assertEqual(found, expected, filters)
        self.refused("Unsupported", self.ec2.run_instances, ImageId=machine, MinCount=1, MaxCount=1)
        self.refused("InvalidParameterValue", self.ec2.run_instances, ImageId=kernel, MinCount=1, MaxCount=1)
        self.ec2.create_tags(Resources=[kernel], Tags=[{"Key": "a", "Value": "b"}])
        for image in (machine, kernel, ramdisk):
            self.ec2.deregister_image(ImageId=image)

    def test_every_filter_finds_what_is_shown(self):
        """Each filter of the model, with a value that the image has and one that it has not."""
        image = self.image(Description="every filter", BootMode="uefi", TpmSupport="v2.0", ImdsSupport="v2.0", SriovNetSupport="simple",
                           TagSpecifications=[{"ResourceType": "image", "Tags": [{"Key": "every", "Value": "filter"}]}])
        copy = self.ec2.copy_image(SourceImageId=image, SourceRegion="us-east-1", Name=f"filtered {os.urandom(4).hex()}",
                                   Description="every filter", CopyImageTags=True)["ImageId"]
        found = self.image_available(copy, self.ec2)
        ebs = found["BlockDeviceMappings"][0]["Ebs"]
        shown = {
            "architecture": "x86_64", "block-device-mapping.delete-on-termination": "true", "block-device-mapping.device-name": "/dev/xvda",
            "block-device-mapping.snapshot-id": ebs["SnapshotId"], "block-device-mapping.volume-size": "1",
            "block-device-mapping.volume-type": "gp2", "block-device-mapping.encrypted": "false", "creation-date": found["CreationDate"],
            "description": "every filter", "ena-support": "true", "free-tier-eligible": "true", "hypervisor": "xen", "image-allowed": "true",
            "image-id": copy, "image-type": "machine", "is-public": "false", "manifest-location": found["ImageLocation"],
            "name": found["Name"], "owner-id": self.owner, "root-device-name": "/dev/xvda", "root-device-type": "ebs",
            "source-image-id": image, "source-image-region": "us-east-1", "state": "available", "sriov-net-support": "simple",
            "virtualization-type": "hvm", "boot-mode": "uefi", "tpm-support": "v2.0", "imds-support": "v2.0",
            "platform-details": "Linux/UNIX", "usage-operation": "RunInstances", "tag:every": "filter", "tag-key": "every",
        }
        absent = ("kernel-id", "owner-alias", "platform", "product-code", "product-code.type", "ramdisk-id", "source-instance-id",
                  "state-reason-code", "state-reason-message")
        narrow = {"Name": "image-id", "Values": [copy]}
        for name, value in shown.items():
            with self.subTest(name):
                self.assertEqual(self.seen(Filters=[narrow, {"Name": name, "Values": [value]}]), {copy})
                self.assertEqual(self.seen(Filters=[narrow, {"Name": name, "Values": ["something else"]}]), set())
        for name in absent:
            with self.subTest(name):
                self.assertEqual(self.seen(Filters=[narrow, {"Name": name, "Values": ["*"]}]), set())
        model = self.ec2.meta.service_model.operation_model("DescribeImages").input_shape.members["Filters"].documentation
        named = set(re.findall(r"<p> <code>([^<]+)</code>", model)) - {"tag:&lt;key&gt;", "tag:<key>"}
        named = {name for name in named if not name.startswith("tag:")}
        self.assertEqual(named - set(shown) - set(absent), set(), "filters of the model that this test leaves out")

    def test_the_bin(self):
        image = self.image()
        self.assertEqual(self.ec2.list_images_in_recycle_bin()["Images"], [])
        self.refused("InvalidAMIID.NotFound", self.ec2.list_images_in_recycle_bin, ImageIds=[image])
        self.refused("InvalidAMIID.NotFound", self.ec2.restore_image_from_recycle_bin, ImageId=image)
        self.refused("InvalidAMIID.Malformed", self.ec2.restore_image_from_recycle_bin, ImageId="ami-x")
