"""Changes of volumes by boto3: modifications, copies, attributes, several instances at once, other root volumes,
encryption by default. Bytes are compared, in two accounts and two regions.
"""

import os
import signal

from .guests import MachineTest
from .harness import BLOCK, GIB, ServerTest, pattern, sparse_disk, wait_for

ZONE = "us-east-1a"
NOBODY = "vol-0123456789abcdef0"


class VolumeTest:
    """What the classes below share."""

    def stranger(self, service="ec2"):
        if not hasattr(type(self), "other_keys"):
            made = self.server.cairn_json("account", "create")
            type(self).other_keys = made["AccessKeyId"], made["SecretAccessKey"]
        return self.server.client(service, keys=type(self).other_keys)

    def elsewhere(self):
        return self.server.client("ec2", region="eu-west-1")

    def make(self, **parameters):
        volume = self.ec2.create_volume(**({"AvailabilityZone": ZONE, "Size": 1} | parameters))["VolumeId"]
        self.available(volume)
        return volume

    def volume(self, volume, ec2=None):
        return (ec2 or self.ec2).describe_volumes(VolumeIds=[volume])["Volumes"][0]

    def modification(self, volume):
        return self.ec2.describe_volumes_modifications(VolumeIds=[volume])["VolumesModifications"][0]

    def modified(self, volume, *states):
        def state():
            found = self.modification(volume)
            self.assertNotEqual(found["ModificationState"], "failed", found)
            return found["ModificationState"] in (states or ("completed",)) and found
        return wait_for(f"{volume} to be modified", state)

    def content(self, volume):
        """What a volume holds, by way of a snapshot: {block: bytes}."""
        snapshot = self.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        self.completed(snapshot)
        return {index: data for index, data in self.blocks_of(snapshot).items() if any(data)}

    def nobodys(self, call, **parameters):
        """A call with a malformed id, an unknown one, and that of another account and region."""
        operation, id_name, own = call, *next(iter(parameters.items()))
        rest = {name: value for name, value in parameters.items() if name != id_name}
        wrap = (lambda one: [one]) if isinstance(own, list) else (lambda one: one)
        method = lambda client: getattr(client, operation)
        self.refused("InvalidVolumeID.Malformed", method(self.ec2), **{id_name: wrap("vol-xyz")}, **rest)
        self.refused("InvalidVolume.NotFound", method(self.ec2), **{id_name: wrap(NOBODY)}, **rest)
        self.refused("InvalidVolume.NotFound", method(self.stranger()), **{id_name: own}, **rest)
        self.refused("InvalidVolume.NotFound", method(self.elsewhere()), **{id_name: own}, **rest)
        self.refused("DryRunOperation", method(self.ec2), **{id_name: own}, **rest, DryRun=True, status=412)


class Changes(VolumeTest, ServerTest):
    def test_a_volume_grows(self):
        data = {0: pattern("grown", BLOCK), 2047: pattern("the last block", BLOCK)}
        volume = self.make(SnapshotId=self.upload(data))
        before = self.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        self.nobodys("modify_volume", VolumeId=volume, Size=10)
        begun = self.ec2.modify_volume(VolumeId=volume, Size=10, VolumeType="gp3", Iops=4000, Throughput=250)["VolumeModification"]
        self.assertEqual(begun["ModificationState"], "modifying")
        self.assertEqual((begun["OriginalSize"], begun["TargetSize"], begun["OriginalVolumeType"], begun["TargetVolumeType"]),
                         (1, 10, "gp2", "gp3"))
        over = self.modified(volume)
        self.assertEqual((over["Progress"], over["TargetIops"], over["TargetThroughput"]), (100, 4000, 250))
        self.assertLessEqual(over["StartTime"], over["EndTime"])
        found = self.volume(volume)
        self.assertEqual((found["Size"], found["VolumeType"], found["Iops"], found["Throughput"]), (10, "gp3", 4000, 250))
        self.assertEqual(os.path.getsize(self.server.data / "regions/us-east-1/volumes" / volume / "data"), 10 * GIB)
        self.assertEqual(self.content(volume), data)
        sizes = {s["SnapshotId"]: s["VolumeSize"] for s in self.ec2.describe_snapshots(Filters=[{"Name": "volume-id", "Values": [volume]}])["Snapshots"]}
        self.assertEqual(sizes.pop(before), 1)
        self.assertEqual(list(sizes.values()), [10])
        self.refused("VolumeModificationRateExceeded", self.ec2.modify_volume, VolumeId=volume, Size=11)

    def test_modifications_are_found_and_refused(self):
        volume, plain = self.make(), self.make()
        modify = self.ec2.modify_volume
        self.refused("MissingParameter", modify, VolumeId=volume)
        self.refused("InvalidParameterValue", modify, VolumeId=self.make(Size=2), Size=1)
        self.refused("InvalidParameterValue", modify, VolumeId=volume, Size=100_000)
        self.refused("InvalidParameterCombination", modify, VolumeId=volume, Iops=3000)
        self.refused("InvalidParameterCombination", modify, VolumeId=volume, MultiAttachEnabled=True)
        self.refused("UnknownVolumeType", modify, VolumeId=volume, VolumeType="gp9")
        describe = self.ec2.describe_volumes_modifications
        self.refused("InvalidVolumeModification.NotFound", describe, VolumeIds=[plain])
        modify(VolumeId=volume, Size=3)
        self.modified(volume)
        self.nobodys("describe_volumes_modifications", VolumeIds=[volume])
        self.refused("InvalidParameterValue", describe, Filters=[{"Name": "tag:x", "Values": ["y"]}])
        found = describe(Filters=[{"Name": "target-size", "Values": ["3"]}, {"Name": "modification-state", "Values": ["completed"]}])
        self.assertIn(volume, [m["VolumeId"] for m in found["VolumesModifications"]])
        self.assertEqual(describe(Filters=[{"Name": "volume-id", "Values": [plain]}])["VolumesModifications"], [])
        self.assertEqual(self.stranger().describe_volumes_modifications()["VolumesModifications"], [])
        self.refused("InvalidParameterValue", describe, MaxResults=4)
        self.refused("InvalidParameterCombination", describe, VolumeIds=[volume], MaxResults=5)

    def test_a_server_that_is_killed_leaves_the_old_size_or_the_new_one(self):
        data = {7: pattern("killed", BLOCK)}
        snapshot = self.upload(data)
        volumes = [self.make(SnapshotId=snapshot) for _ in range(6)]
        for volume in volumes:
            self.ec2.modify_volume(VolumeId=volume, Size=2)
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.wait()
        self.server.start()
        for volume in volumes:
            self.modified(volume)
            self.assertEqual(self.volume(volume)["Size"], 2)
        self.assertEqual(self.content(volumes[0]), data)

    def test_a_copy_is_what_its_source_was(self):
        data = {0: pattern("copied", BLOCK), 5: pattern("copied too", BLOCK)}
        volume = self.make(SnapshotId=self.upload(data))
        self.nobodys("copy_volumes", SourceVolumeId=volume)
        copy = self.ec2.copy_volumes(
            SourceVolumeId=volume, Size=3, VolumeType="gp3", ClientToken="once",
            TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "copy"}]}])["Volumes"][0]
        self.assertEqual((copy["State"], copy["Size"], copy["SourceVolumeId"], copy["VolumeType"], copy["Encrypted"]),
                         ("creating", 3, volume, "gp3", False))
        self.available(copy["VolumeId"])
        again = self.ec2.copy_volumes(
            SourceVolumeId=volume, Size=3, VolumeType="gp3", ClientToken="once",
            TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "copy"}]}])["Volumes"][0]
        self.assertEqual(again["VolumeId"], copy["VolumeId"])
        self.refused("IdempotentParameterMismatch", self.ec2.copy_volumes, SourceVolumeId=volume, ClientToken="once")
        self.ec2.delete_volume(VolumeId=volume)
        self.assertEqual(self.content(copy["VolumeId"]), data)
        self.assertEqual(self.volume(copy["VolumeId"])["Tags"], [{"Key": "Name", "Value": "copy"}])
        by_source = [{"Name": "source-volume-id", "Values": [volume]}]
        self.assertEqual([v["VolumeId"] for v in self.ec2.describe_volumes(Filters=by_source)["Volumes"]], [copy["VolumeId"]])
        self.refused("InvalidParameterValue", self.ec2.copy_volumes, SourceVolumeId=copy["VolumeId"], Size=2)
        status, = self.ec2.describe_volume_status(VolumeIds=[copy["VolumeId"]])["VolumeStatuses"]
        self.assertEqual(status["VolumeStatus"]["Status"], "ok")

    def test_attributes(self):
        volume = self.make()
        describe = self.ec2.describe_volume_attribute
        self.nobodys("describe_volume_attribute", VolumeId=volume, Attribute="autoEnableIO")
        self.nobodys("modify_volume_attribute", VolumeId=volume, AutoEnableIO={"Value": True})
        self.nobodys("enable_volume_io", VolumeId=volume)
        value = lambda: describe(VolumeId=volume, Attribute="autoEnableIO")["AutoEnableIO"]["Value"]
        self.assertIs(value(), False)
        self.ec2.modify_volume_attribute(VolumeId=volume, AutoEnableIO={"Value": True})
        self.assertIs(value(), True)
        codes = describe(VolumeId=volume, Attribute="productCodes")
        self.assertEqual((codes["ProductCodes"], codes["VolumeId"]), ([], volume))
        self.assertNotIn("AutoEnableIO", codes)
        self.refused("InvalidParameterValue", describe, VolumeId=volume, Attribute="size")
        self.refused("MissingParameter", self.ec2.modify_volume_attribute, VolumeId=volume)
        self.ec2.enable_volume_io(VolumeId=volume)
        status, = self.ec2.describe_volume_status(VolumeIds=[volume])["VolumeStatuses"]
        self.assertEqual((status["VolumeStatus"]["Status"], status["Events"], status["Actions"]), ("ok", [], []))


class EncryptionByDefault(VolumeTest, ServerTest):
    def test_what_is_new_is_encrypted(self):
        ec2 = self.ec2
        data = {3: pattern("plain", BLOCK)}
        plain = self.upload(data)
        self.refused("DryRunOperation", ec2.enable_ebs_encryption_by_default, DryRun=True, status=412)
        self.assertEqual(ec2.get_ebs_encryption_by_default()["SseType"], "none")
        self.assertIs(ec2.enable_ebs_encryption_by_default()["EbsEncryptionByDefault"], True)
        found = ec2.get_ebs_encryption_by_default()
        self.assertEqual((found["EbsEncryptionByDefault"], found["SseType"]), (True, "sse-kms"))
        for other in (self.stranger(), self.elsewhere()):
            self.assertIs(other.get_ebs_encryption_by_default()["EbsEncryptionByDefault"], False)
        self.assertEqual(ec2.get_ebs_default_kms_key_id()["KmsKeyId"], "alias/aws/ebs")
        of_ebs = self.volume(self.make())
        self.assertTrue(of_ebs["Encrypted"])
        key = self.server.cairn_json("key", "create")
        chosen = ec2.modify_ebs_default_kms_key_id(KmsKeyId=key["KeyId"])["KmsKeyId"]
        self.assertEqual((chosen, ec2.get_ebs_default_kms_key_id()["KmsKeyId"]), (key["Arn"], key["Arn"]))
        self.refused("InvalidKMSKey.NotFound", self.stranger().modify_ebs_default_kms_key_id, KmsKeyId=key["Arn"])
        self.refused("InvalidKMSKey.NotFound", self.elsewhere().modify_ebs_default_kms_key_id, KmsKeyId=key["Arn"])
        restored = self.make(SnapshotId=plain)
        self.assertEqual(self.volume(restored)["KmsKeyId"], key["Arn"])
        self.assertEqual(self.content(restored), data)
        self.assertEqual(self.ebs.start_snapshot(VolumeSize=1)["KmsKeyArn"], key["Arn"])
        self.refused("ValidationException", self.ebs.start_snapshot, VolumeSize=1, ParentSnapshotId=plain)
        self.server.stop()
        self.server.start()
        ec2 = self.ec2
        self.assertEqual(self.volume(self.make())["KmsKeyId"], key["Arn"])
        self.assertEqual(ec2.reset_ebs_default_kms_key_id()["KmsKeyId"], "alias/aws/ebs")
        self.assertEqual(self.volume(self.make())["KmsKeyId"], of_ebs["KmsKeyId"])
        self.assertIs(ec2.disable_ebs_encryption_by_default()["EbsEncryptionByDefault"], False)
        self.assertFalse(self.volume(self.make())["Encrypted"])


class WithInstances(VolumeTest, MachineTest):
    # There is no system in these guests.
    config = "[instances]\nshutdown_seconds = 2\n"

    def bootable(self, seed):
        """An image whose root begins with a pattern; nothing on it boots."""
        disk = sparse_disk(self.temp / f"{seed}.raw", 1, {0: pattern(seed, BLOCK)})
        return self.server.cairn_json("import", disk, "--name", f"{seed} {os.urandom(4).hex()}")["ImageId"]

    def root_of(self, instance):
        found = self.instance(instance)
        return next(m["Ebs"]["VolumeId"] for m in found["BlockDeviceMappings"] if m["DeviceName"] == found["RootDeviceName"])

    def replaced(self, task):
        def state():
            found, = self.ec2.describe_replace_root_volume_tasks(ReplaceRootVolumeTaskIds=[task])["ReplaceRootVolumeTasks"]
            self.assertNotIn(found["TaskState"], ("failing", "failed", "failed-detached"), found)
            return found["TaskState"] == "succeeded" and found
        return wait_for(f"{task} to succeed", state)

    def test_a_running_instance_keeps_the_old_size_until_it_is_stopped(self):
        instance = self.running(self.blank_image())
        root = self.root_of(instance)
        self.ec2.modify_volume(VolumeId=root, Size=2)
        found = self.modified(root, "optimizing")
        self.assertIn("stopped and started", found["StatusMessage"])
        self.assertEqual(self.volume(root)["Size"], 2)
        self.refused("IncorrectModificationState", self.ec2.modify_volume, VolumeId=root, Size=3)
        self.pull_the_plug([instance])
        self.assertNotIn("StatusMessage", self.modified(root))
        self.ec2.start_instances(InstanceIds=[instance])
        self.wait_instance(instance, "running")

    def test_several_instances_have_a_volume(self):
        shared = {"VolumeType": "io2", "Iops": 100, "Size": 4, "MultiAttachEnabled": True}
        self.refused("InvalidParameterCombination", self.make, MultiAttachEnabled=True)
        volume = self.make(**shared)
        self.assertIs(self.volume(volume)["MultiAttachEnabled"], True)
        first, second = (self.running(image) for image in [self.blank_image()] * 2)
        for instance in (first, second):
            self.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
        states = lambda: [a["State"] for a in self.volume(volume)["Attachments"]]
        wait_for("both attachments", lambda: states() == ["attached", "attached"])
        self.refused("VolumeInUse", self.ec2.attach_volume, VolumeId=volume, InstanceId=first, Device="/dev/sdg")
        self.refused("MissingParameter", self.ec2.detach_volume, VolumeId=volume)
        self.refused("VolumeInUse", self.ec2.delete_volume, VolumeId=volume)
        self.pull_the_plug([first, second])
        self.ec2.detach_volume(VolumeId=volume, InstanceId=first)
        found = self.volume(volume)
        self.assertEqual((found["State"], [a["InstanceId"] for a in found["Attachments"]]), ("in-use", [second]))
        self.ec2.detach_volume(VolumeId=volume, InstanceId=second)
        self.available(volume)

    def test_a_root_volume_is_replaced(self):
        image, other = self.bootable("as launched"), self.bootable("of the other image")
        instance = self.running(image)
        first = self.root_of(instance)
        create = self.ec2.create_replace_root_volume_task
        self.refused("InvalidInstanceID.NotFound", self.stranger().create_replace_root_volume_task, InstanceId=instance)
        self.refused("InvalidInstanceID.Malformed", create, InstanceId="i-xyz")
        self.refused("InvalidSnapshot.NotFound", create, InstanceId=instance, SnapshotId="snap-0123456789abcdef0")
        self.refused("InvalidAMIID.NotFound", create, InstanceId=instance, ImageId="ami-0123456789abcdef0")
        self.refused("InvalidParameterValue", create, InstanceId=instance, SnapshotId=self.upload({0: pattern("no root", BLOCK)}))
        self.refused("DryRunOperation", create, InstanceId=instance, DryRun=True, status=412)
        task = create(InstanceId=instance, ImageId=other, TagSpecifications=[
            {"ResourceType": "replace-root-volume-task", "Tags": [{"Key": "why", "Value": "to see"}]}])["ReplaceRootVolumeTask"]
        self.assertEqual((task["TaskState"], task["InstanceId"], task["ImageId"]), ("pending", instance, other))
        self.refused("IncorrectInstanceState", create, InstanceId=instance)
        done = self.replaced(task["ReplaceRootVolumeTaskId"])
        self.assertIn("CompleteTime", done)
        self.assertEqual(done["Tags"], [{"Key": "why", "Value": "to see"}])
        self.assertEqual(self.instance(instance)["State"]["Name"], "running")
        self.assertEqual(self.instance(instance)["ImageId"], other)
        second = self.root_of(instance)
        self.assertNotEqual(second, first)
        self.assertEqual(self.volume(first)["State"], "available")
        self.assertEqual(self.content(second), {0: pattern("of the other image", BLOCK)})
        self.assertEqual(self.content(first), {0: pattern("as launched", BLOCK)})
        describe = self.ec2.describe_replace_root_volume_tasks
        by_instance = [{"Name": "instance-id", "Values": [instance]}]
        self.assertEqual(len(describe(Filters=by_instance)["ReplaceRootVolumeTasks"]), 1)
        self.assertEqual(self.stranger().describe_replace_root_volume_tasks()["ReplaceRootVolumeTasks"], [])
        self.refused("InvalidReplaceRootVolumeTaskID.NotFound", describe, ReplaceRootVolumeTaskIds=["replacevol-0123456789abcdef0"])
        self.refused("InvalidReplaceRootVolumeTaskID.Malformed", describe, ReplaceRootVolumeTaskIds=["replacevol-x"])
        self.pull_the_plug([instance])
        self.refused("IncorrectInstanceState", create, InstanceId=instance)
