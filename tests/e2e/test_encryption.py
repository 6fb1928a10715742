"""Encrypted volumes and snapshots, by real clients and under a real guest; and what is left when a key is gone."""

import json
import os
import pathlib
import shutil

from .guests import GuestTest
from .harness import BLOCK, ServerTest, pattern, sparse_disk, wait_for

TEXT = b"the canary that sings in plain text "
CANARY = (TEXT * (BLOCK // len(TEXT) + 1))[:BLOCK]
NOISE = pattern("noise of the canary", BLOCK)
NEEDLES = (TEXT, NOISE[4096:4096 + 32], NOISE[-64:-32])


def extents(path):
    """What a file holds, without its holes."""
    with open(path, "rb") as file:
        end, at = os.fstat(file.fileno()).st_size, 0
        while at < end:
            try:
                start = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:
                return
            at = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            yield os.pread(file.fileno(), at - start, start)


def singing(data):
    """The files of a data directory that hold any of the canaries."""
    def holds(path):
        return path.is_file() and any(needle in part for part in extents(path) for needle in NEEDLES)
    return sorted(str(path.relative_to(data)) for path in pathlib.Path(data).rglob("*") if holds(path))


class Keys(ServerTest):
    def key(self, *arguments):
        return self.server.cairn_json("key", *arguments)

    def delete(self, key, check=True):
        return self.server.cairn("key", "delete", key, "--now", "--erase-everything-under-it", "--output", "json", check=check)

    def test_the_key_of_ebs_is_made_by_itself(self):
        volume = self.ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)
        self.assertTrue(volume["Encrypted"])
        found, = [key for key in self.key("list")["Keys"] if key["AwsManaged"]]
        self.assertEqual(volume["KmsKeyId"], found["Arn"])
        self.assertRegex(found["Arn"], r"^arn:aws:kms:us-east-1:\d{12}:key/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.available(volume["VolumeId"])
        again = self.ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True, KmsKeyId="alias/aws/ebs")
        self.assertEqual(again["KmsKeyId"], found["Arn"])
        for name in ("root-key", f"keys/{found['KeyId']}"):
            self.assertEqual((self.server.data / name).stat().st_mode & 0o777, 0o600, name)
        text = self.server.cairn("key", "list").stdout
        self.assertIn("alias/aws/ebs", text)

    def test_what_the_clients_see(self):
        key = self.key("create", "--description", "mine")
        self.assertEqual((key["Description"], key["KeyState"]), ("mine", "Enabled"))
        snapshot = self.upload({0: CANARY, 5: NOISE}, Encrypted=True, KmsKeyArn=key["Arn"])
        found = self.ec2.describe_snapshots(Filters=[{"Name": "encrypted", "Values": ["true"]}], SnapshotIds=[snapshot])["Snapshots"]
        self.assertEqual([(s["Encrypted"], s["KmsKeyId"]) for s in found], [(True, key["Arn"])])
        self.assert_same_blocks(self.blocks_of(snapshot), {0: CANARY, 5: NOISE})
        plain = self.upload({0: CANARY, 5: NOISE})
        digests = {self.server.cairn_json("verify", s)["Digest"] for s in (snapshot, plain)}
        self.assertEqual(len(digests), 1, "the same content has the same digest, encrypted or not")
        changed = self.ebs.list_changed_blocks(FirstSnapshotId=plain, SecondSnapshotId=snapshot)
        self.assertEqual(changed["ChangedBlocks"], [])
        volume = self.ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=snapshot)
        self.assertEqual((volume["Encrypted"], volume["KmsKeyId"]), (True, key["Arn"]))
        child = self.ebs.start_snapshot(VolumeSize=1, ParentSnapshotId=snapshot)
        self.assertEqual(child["KmsKeyArn"], key["Arn"])
        out = self.server.aws("ec2", "describe-volumes", "--volume-ids", volume["VolumeId"], "--query", "Volumes[0].KmsKeyId", "--output", "text")
        self.assertEqual(out.stdout.strip(), key["Arn"])
        image = self.ec2.register_image(Name="sealed", RootDeviceName="/dev/xvda", Architecture="x86_64", VirtualizationType="hvm",
                                        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}])["ImageId"]
        mapping, = self.ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"]
        self.assertIs(mapping["Ebs"]["Encrypted"], True)

    def test_what_is_refused(self):
        make = self.ec2.create_volume
        where = {"AvailabilityZone": "us-east-1a", "Size": 1}
        unknown = "arn:aws:kms:us-east-1:123456789012:key/0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9"
        self.refused("InvalidKMSKey.NotFound", make, Encrypted=True, KmsKeyId=unknown, **where)
        self.refused("InvalidParameterDependency", make, KmsKeyId=unknown, **where)
        snapshot = self.upload({0: CANARY}, Encrypted=True)
        self.refused("InvalidParameterValue", make, AvailabilityZone="us-east-1a", SnapshotId=snapshot, Encrypted=False)
        start = self.ebs.start_snapshot
        self.refused("ValidationException", start, VolumeSize=1, Encrypted=True, KmsKeyArn=unknown)
        self.refused("ValidationException", start, VolumeSize=1, ParentSnapshotId=snapshot, Encrypted=True)
        other = self.server.cairn_json("account", "create")
        keys = (other["AccessKeyId"], other["SecretAccessKey"])
        mine = self.key("create")
        self.refused("InvalidKMSKey.NotFound", self.server.client("ec2", keys=keys).create_volume, Encrypted=True, KmsKeyId=mine["Arn"], **where)
        done = self.server.cairn("key", "delete", mine["KeyId"], "--now", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--erase-everything-under-it", done.stderr)

    def test_nothing_in_the_data_directory_is_plain(self):
        disk = sparse_disk(self.temp / "canary.raw", 1, {0: CANARY, 1: NOISE, 700: CANARY[:4096] + NOISE[4096:]})
        imported = self.server.cairn_json("import", disk, "--snapshot-only", "--encrypted")["SnapshotId"]
        self.assertEqual(singing(self.server.data), [])
        key = self.key("create")
        moved = self.ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=imported, Encrypted=True, KmsKeyId=key["KeyId"])
        self.available(moved["VolumeId"])
        taken = self.ec2.create_snapshot(VolumeId=moved["VolumeId"])["SnapshotId"]
        self.completed(taken)
        self.assertEqual(singing(self.server.data), [])
        self.assertEqual(self.blocks_of(taken)[1], NOISE)
        self.assertEqual(self.server.stop(), 0)
        self.assertEqual(singing(self.server.data), [])
        self.server.start()

    def test_a_deleted_key_takes_everything_under_it_along(self):
        doomed, other = self.key("create"), self.key("create")
        lost = self.upload({0: pattern("lost", BLOCK)}, Encrypted=True, KmsKeyArn=doomed["Arn"])
        kept = self.upload({0: pattern("lost", BLOCK)}, Encrypted=True, KmsKeyArn=other["Arn"])
        volume = self.ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=lost)["VolumeId"]
        self.available(volume)
        gone = json.loads(self.delete(doomed["KeyId"]).stdout)
        self.assertEqual(gone["KeyState"], "Deleted")
        self.assertFalse((self.server.data / "keys" / doomed["KeyId"]).exists())
        self.refused("InvalidKMSKey.InvalidState", self.ec2.create_volume, AvailabilityZone="us-east-1a", SnapshotId=lost)
        self.refused("ValidationException", self.ebs.list_snapshot_blocks, SnapshotId=lost)
        done = self.server.cairn("verify", lost, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is deleted", done.stderr)
        self.assert_same_blocks(self.blocks_of(kept), {0: pattern("lost", BLOCK)})
        self.assertTrue(self.server.cairn_json("verify", kept)["Ok"])
        self.server.cairn("gc")
        self.ec2.delete_volume(VolumeId=volume)
        self.ec2.delete_snapshot(SnapshotId=lost)
        self.assertEqual(self.delete(doomed["KeyId"], check=False).returncode, 1)


class RootKey(ServerTest):
    """The root key in a place of its own, which is not always there."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        assert cls.server.stop() == 0
        cls.root = cls.temp / "medium" / "root-key"
        cls.root.parent.mkdir()
        (cls.server.data / "config.toml").write_text(f'[keys]\nroot_key = "{cls.root}"\n')
        cls.server.start()

    def test_without_it_what_is_plain_is_as_ever(self):
        sealed = self.upload({0: NOISE}, Encrypted=True)
        plain = self.upload({0: NOISE})
        self.assertEqual(self.root.stat().st_mode & 0o777, 0o600)
        self.assertFalse((self.server.data / "root-key").exists())
        self.assertEqual(self.server.stop(), 0)
        away = self.temp / "away"
        shutil.move(self.root, away)
        self.server.start()
        self.assertTrue(self.server.cairn_json("verify", plain)["Ok"])
        self.refused("InvalidKMSKey.InvalidState", self.ec2.create_volume, AvailabilityZone="us-east-1a", Size=1, Encrypted=True)
        self.refused("ValidationException", self.ebs.list_snapshot_blocks, SnapshotId=sealed)
        shutil.move(away, self.root)
        os.chmod(self.root, 0o644)
        self.refused("ValidationException", self.ebs.list_snapshot_blocks, SnapshotId=sealed)
        os.chmod(self.root, 0o600)
        self.assertTrue(self.server.cairn_json("verify", sealed)["Ok"])


class SealedGuest(GuestTest):
    def test_a_guest_on_an_encrypted_root(self):
        """Boots from an encrypted root, writes, is imaged while it runs; the image boots, too."""
        key = self.server.cairn_json("key", "create")["Arn"]
        mapping = [{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True, "KmsKeyId": key}}]
        instance = self.booted(BlockDeviceMappings=mapping)
        root = self.instance(instance)["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
        volume = self.ec2.describe_volumes(VolumeIds=[root])["Volumes"][0]
        self.assertEqual((volume["Encrypted"], volume["KmsKeyId"]), (True, key))
        self.shell(instance, f"yes '{TEXT.decode()}' | head -c 3000000 >/root/canary; sync; sha256sum /root/canary >/root/sum; sync")
        self.assertEqual(singing(self.server.data), [])
        image = self.ec2.create_image(InstanceId=instance, Name="of a sealed root", NoReboot=True)["ImageId"]
        wait_for("the image", lambda: self.ec2.describe_images(ImageIds=[image])["Images"][0]["State"] == "available", 180, 0.5)
        self.assertEqual(singing(self.server.data), [])
        self.server.kill()
        self.server.start()
        self.assertIn("OK", self.shell(instance, "sha256sum -c /root/sum"))
        done = self.server.cairn("key", "delete", key, "--now", "--erase-everything-under-it", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(root, done.stderr)
        again = self.booted(image)
        self.assertIn("OK", self.shell(again, "sha256sum -c /root/sum"))
        self.terminate(again, instance)
        self.assertEqual(singing(self.server.data), [])
