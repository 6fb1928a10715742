"""Packer, unmodified: its builders make images and volumes here, and leave nothing else behind."""

import json
import subprocess
import tempfile

from .guests import GuestTest
from .harness import BLOCK, need

# Packer asks for states that often.
POLL = {"AWS_POLL_DELAY_SECONDS": "1", "AWS_MAX_ATTEMPTS": "300"}


class Packer(GuestTest):
    @classmethod
    def setUpClass(cls):
        need("packer", "apt install packer")
        super().setUpClass()
        made = cls.server.cairn_json("account", "create", "--name", "friend")
        cls.friend = made["AccountId"], (made["AccessKeyId"], made["SecretAccessKey"])

    def setUp(self):
        super().setUp()
        self.before = self.leftovers()

    def build(self, builder, **settings):
        """Runs a build, and checks that it left neither instance, key pair nor security group."""
        template = {"builders": [{
            "type": builder, "region": "us-east-1", "custom_endpoint_ec2": self.server.endpoint, "source_ami": self.image,
            "instance_type": "t3.micro", "communicator": "none", "skip_metadata_api_check": True,
            "run_tags": {"made-by": "packer"}} | settings]}
        with tempfile.TemporaryDirectory(dir=self.temp) as directory:
            with open(f"{directory}/template.json", "w") as file:
                json.dump(template, file)
            environment = self.server.environment() | POLL | {
                "HOME": directory, "PACKER_CONFIG_DIR": directory, "CHECKPOINT_DISABLE": "1", "PACKER_NO_COLOR": "1"}
            done = subprocess.run(["packer", "build", "-machine-readable", "template.json"], cwd=directory, env=environment,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
        self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])
        self.assertEqual(self.leftovers(), self.before)
        artifacts = [line.split(",")[5] for line in done.stdout.splitlines() if ",artifact,0,id," in line]
        self.assertEqual(len(artifacts), 1, done.stdout[-3000:])
        # Of several regions: `us-east-1:ami-…%!(PACKER_COMMA)us-west-2:ami-…`.
        return dict(part.split(":") for part in artifacts[0].split("%!(PACKER_COMMA)"))

    def leftovers(self):
        instances = [i["InstanceId"] for r in self.ec2.describe_instances()["Reservations"] for i in r["Instances"]
                     if i["State"]["Name"] != "terminated"]
        groups = [group["GroupId"] for group in self.ec2.describe_security_groups()["SecurityGroups"]]
        return instances, groups, [key["KeyName"] for key in self.ec2.describe_key_pairs()["KeyPairs"]]

    def described(self, image, **where):
        return self.server.client("ec2", **where).describe_images(ImageIds=[image])["Images"][0]

    def test_an_image_of_an_instance_replaces_the_one_before(self):
        settings = {"ami_name": "packed", "force_deregister": True, "force_delete_snapshot": True, "tags": {"by": "packer"}}
        first = self.build("amazon-ebs", **settings)["us-east-1"]
        snapshot = self.described(first)["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
        second = self.build("amazon-ebs", **settings)["us-east-1"]
        self.assertNotEqual(first, second)
        self.assertEqual(self.ec2.describe_images(ImageIds=[first])["Images"], [])
        self.refused("InvalidSnapshot.NotFound", self.ec2.describe_snapshots, SnapshotIds=[snapshot])
        self.assertEqual(self.described(second)["Tags"], [{"Key": "by", "Value": "packer"}])
        self.booted(second)

    def test_an_image_can_be_encrypted(self):
        image = self.build("amazon-ebs", ami_name="encrypted", encrypt_boot=True)["us-east-1"]
        described = self.described(image)
        self.assertTrue(described["BlockDeviceMappings"][0]["Ebs"]["Encrypted"])
        self.assertEqual(described["State"], "available")

    def test_an_image_is_shared_and_copied(self):
        account, keys = self.friend
        made = self.build("amazon-ebs", ami_name="spread", ami_users=[account], ami_regions=["us-west-2"])
        self.assertEqual(sorted(made), ["us-east-1", "us-west-2"])
        for region, image in made.items():
            shared = self.described(image, keys=keys, region=region)
            self.assertEqual((shared["Name"], shared["Public"]), ("spread", False))
        contents = []
        for region, image in made.items():
            snapshot = self.described(image, region=region)["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
            contents.append(self.blocks_of(snapshot, ebs=self.server.client("ebs", region=region)))
        self.assert_same_blocks(*contents)
        self.assertGreater(len(contents[0]), 10)
        self.assertTrue(all(len(block) == BLOCK for block in contents[0].values()))

    def test_a_surrogate_is_registered(self):
        image = self.build(
            "amazon-ebssurrogate", ami_name="surrogate", ami_virtualization_type="hvm",
            launch_block_device_mappings=[{"device_name": "/dev/xvdf", "volume_size": 1, "volume_type": "gp2", "delete_on_termination": True}],
            ami_root_device={"source_device_name": "/dev/xvdf", "device_name": "/dev/xvda", "volume_size": 1,
                             "volume_type": "gp2", "delete_on_termination": True})["us-east-1"]
        described = self.described(image)
        self.assertEqual((described["State"], described["RootDeviceName"]), ("available", "/dev/xvda"))
        self.assertEqual(described["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"], 1)

    def test_volumes_are_what_is_wanted(self):
        made = self.build("amazon-ebsvolume", ebs_volumes=[
            {"device_name": "/dev/xvdf", "volume_size": 1, "volume_type": "gp2", "delete_on_termination": False,
             "tags": {"what": "data"}}])
        volume = made["us-east-1"]
        found = self.available(volume)
        self.assertEqual((found["Size"], found["Tags"]), (1, [{"Key": "what", "Value": "data"}]))
