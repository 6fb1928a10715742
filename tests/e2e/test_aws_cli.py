"""The AWS CLI, unmodified: every operation that the server has, as people type it."""

import base64
import json

from .guests import MachineTest
from .harness import BLOCK, pattern


class AwsCli(MachineTest):
    def ask(self, *arguments):
        """Runs a command and gives its answer."""
        text = self.server.aws(*arguments, "--output", "json").stdout
        return json.loads(text) if text.strip() else {}

    def told(self, code, *arguments):
        """Runs a command that is refused."""
        done = self.server.aws(*arguments, check=False)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertIn(f"({code})", done.stderr)

    def waited(self, waiter, option, resource):
        """Runs a waiter of the CLI. It looks every 15 seconds, so another one that looks more often goes first."""
        parameter = "".join(word.capitalize() for word in option.strip("-").split("-"))
        self.ec2.get_waiter(waiter.replace("-", "_")).wait(
            **{parameter: [resource]}, WaiterConfig={"Delay": 1, "MaxAttempts": 90})
        self.server.aws("ec2", "wait", waiter, option, resource)

    def test_places(self):
        self.assertIn("us-east-1", [r["RegionName"] for r in self.ask("ec2", "describe-regions")["Regions"]])
        zones = self.ask("ec2", "describe-availability-zones")["AvailabilityZones"]
        self.assertIn(("us-east-1a", "available"), [(z["ZoneName"], z["State"]) for z in zones])
        names = [a["AttributeName"] for a in self.ask("ec2", "describe-account-attributes")["AccountAttributes"]]
        self.assertIn("default-vpc", names)
        types = self.ask("ec2", "describe-instance-types", "--instance-types", "t3.small")["InstanceTypes"]
        self.assertEqual(types[0]["MemoryInfo"]["SizeInMiB"], 2048)
        vpc = self.ask("ec2", "describe-vpcs")["Vpcs"][0]
        self.assertTrue(vpc["IsDefault"])
        subnets = self.ask("ec2", "describe-subnets", "--filters", f"Name=vpc-id,Values={vpc['VpcId']}")["Subnets"]
        self.assertGreaterEqual(len(subnets), 2)
        self.assertEqual(self.ask("ec2", "describe-security-groups")["SecurityGroups"][0]["GroupName"], "default")

    def test_keys(self):
        made = self.ask("ec2", "create-key-pair", "--key-name", "cli")
        self.assertIn("PRIVATE KEY", made["KeyMaterial"])
        self.told("InvalidKeyPair.Duplicate", "ec2", "create-key-pair", "--key-name", "cli")
        public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ me"
        (self.temp / "key.pub").write_text(public)
        self.ask("ec2", "import-key-pair", "--key-name", "mine", "--public-key-material", f"fileb://{self.temp}/key.pub")
        names = [k["KeyName"] for k in self.ask("ec2", "describe-key-pairs")["KeyPairs"]]
        self.assertEqual(sorted(names), ["cli", "mine"])
        for name in names:
            self.server.aws("ec2", "delete-key-pair", "--key-name", name)
        self.assertEqual(self.ask("ec2", "describe-key-pairs")["KeyPairs"], [])

    def test_volumes_snapshots_and_tags(self):
        volume = self.ask("ec2", "create-volume", "--availability-zone", "us-east-1a", "--size", "1", "--volume-type", "gp3",
                          "--tag-specifications", "ResourceType=volume,Tags=[{Key=Name,Value=cli}]")["VolumeId"]
        self.waited("volume-available", "--volume-ids", volume)
        snapshot = self.ask("ec2", "create-snapshot", "--volume-id", volume, "--description", "by hand")["SnapshotId"]
        self.waited("snapshot-completed", "--snapshot-ids", snapshot)
        found = self.ask("ec2", "describe-snapshots", "--owner-ids", "self", "--filters", "Name=description,Values=by*")
        self.assertEqual([s["SnapshotId"] for s in found["Snapshots"]], [snapshot])
        self.server.aws("ec2", "create-tags", "--resources", volume, snapshot, "--tags", "Key=for,Value=test")
        tags = self.ask("ec2", "describe-tags", "--filters", "Name=key,Values=for")["Tags"]
        self.assertEqual({t["ResourceId"] for t in tags}, {volume, snapshot})
        self.server.aws("ec2", "delete-tags", "--resources", volume, "--tags", "Key=for")
        self.told("DryRunOperation", "ec2", "delete-volume", "--volume-id", volume, "--dry-run")
        self.server.aws("ec2", "delete-volume", "--volume-id", volume)
        self.waited("volume-deleted", "--volume-ids", volume)
        self.server.aws("ec2", "delete-snapshot", "--snapshot-id", snapshot)
        self.told("InvalidSnapshot.NotFound", "ec2", "describe-snapshots", "--snapshot-ids", snapshot)

    def test_ebs_direct(self):
        import hashlib
        data = pattern("cli", BLOCK)
        (self.temp / "block").write_bytes(data)
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        snapshot = self.ask("ebs", "start-snapshot", "--volume-size", "1")["SnapshotId"]
        self.server.aws("ebs", "put-snapshot-block", "--snapshot-id", snapshot, "--block-index", "5", "--block-data",
                        str(self.temp / "block"), "--data-length", str(BLOCK), "--checksum", checksum,
                        "--checksum-algorithm", "SHA256")
        self.ask("ebs", "complete-snapshot", "--snapshot-id", snapshot, "--changed-blocks-count", "1")
        self.waited("snapshot-completed", "--snapshot-ids", snapshot)
        block = self.ask("ebs", "list-snapshot-blocks", "--snapshot-id", snapshot)["Blocks"][0]
        self.assertEqual(block["BlockIndex"], 5)
        self.server.aws("ebs", "get-snapshot-block", "--snapshot-id", snapshot, "--block-index", "5", "--block-token",
                        block["BlockToken"], str(self.temp / "back"))
        self.assertEqual((self.temp / "back").read_bytes(), data)
        changed = self.ask("ebs", "list-changed-blocks", "--second-snapshot-id", snapshot)["ChangedBlocks"]
        self.assertEqual([b["BlockIndex"] for b in changed], [5])

    def test_images_and_instances(self):
        image = self.blank_image()
        attribute = self.ask("ec2", "describe-image-attribute", "--image-id", image, "--attribute", "description")
        self.assertEqual(attribute["ImageId"], image)
        ran = self.ask("ec2", "run-instances", "--image-id", image, "--instance-type", "t3.micro", "--count", "1",
                       "--block-device-mappings", "DeviceName=/dev/xvda,Ebs={VolumeSize=2}",
                       "--tag-specifications", "ResourceType=instance,Tags=[{Key=Name,Value=cli}]")
        instance = ran["Instances"][0]["InstanceId"]
        self.waited("instance-running", "--instance-ids", instance)
        self.waited("instance-status-ok", "--instance-ids", instance)
        status = self.ask("ec2", "describe-instance-status", "--instance-ids", instance)["InstanceStatuses"][0]
        self.assertEqual(status["InstanceState"]["Name"], "running")
        kind = self.ask("ec2", "describe-instance-attribute", "--instance-id", instance, "--attribute", "instanceType")
        self.assertEqual(kind["InstanceType"]["Value"], "t3.micro")
        described = self.ask("ec2", "describe-instances", "--filters", "Name=tag:Name,Values=cli")
        self.assertEqual(described["Reservations"][0]["Instances"][0]["InstanceId"], instance)
        root = described["Reservations"][0]["Instances"][0]["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
        self.assertEqual(self.ask("ec2", "describe-volumes", "--volume-ids", root)["Volumes"][0]["Size"], 2)
        console = self.server.aws("ec2", "get-console-output", "--instance-id", instance, "--latest", "--output", "text")
        self.assertIn(instance, console.stdout)
        volume = self.ask("ec2", "create-volume", "--availability-zone",
                          described["Reservations"][0]["Instances"][0]["Placement"]["AvailabilityZone"], "--size", "1")["VolumeId"]
        self.waited("volume-available", "--volume-ids", volume)
        self.ask("ec2", "attach-volume", "--volume-id", volume, "--instance-id", instance, "--device", "/dev/sdf")
        self.waited("volume-in-use", "--volume-ids", volume)
        self.told("VolumeInUse", "ec2", "delete-volume", "--volume-id", volume)
        second = self.ask("ec2", "create-image", "--instance-id", instance, "--name", "by the cli", "--no-reboot")["ImageId"]
        self.waited("image-available", "--image-ids", second)
        self.assertEqual(len(self.ask("ec2", "describe-images", "--image-ids", second)["Images"][0]["BlockDeviceMappings"]), 2)
        self.server.aws("ec2", "reboot-instances", "--instance-ids", instance)
        self.ask("ec2", "stop-instances", "--instance-ids", instance, "--force")
        self.waited("instance-stopped", "--instance-ids", instance)
        # No system runs there that would let go of a disk.
        self.ask("ec2", "detach-volume", "--volume-id", volume, "--force")
        self.waited("volume-available", "--volume-ids", volume)
        self.ask("ec2", "start-instances", "--instance-ids", instance)
        self.waited("instance-running", "--instance-ids", instance)
        self.ask("ec2", "terminate-instances", "--instance-ids", instance)
        self.waited("instance-terminated", "--instance-ids", instance)
        self.told("InvalidVolume.NotFound", "ec2", "describe-volumes", "--volume-ids", root)
        self.ask("ec2", "deregister-image", "--image-id", second)
        self.assertEqual(self.ask("ec2", "describe-images", "--image-ids", second)["Images"], [])
        self.told("InvalidAMIID.NotFound", "ec2", "describe-images", "--image-ids", "ami-0123456789abcdef0")

    def test_identity(self):
        self.assertRegex(self.ask("sts", "get-caller-identity")["Account"], r"^\d{12}$")
