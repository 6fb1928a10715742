"""Terraform with the AWS provider, unmodified: plan, apply, a plan that is empty, a change in place, a plan that
is empty, destroy, and nothing left.

The provider comes from a filesystem mirror: CAIRN_TERRAFORM_MIRROR names one, or it lies where Terraform
looks by itself, or in a directory below /opt. Without one the test is skipped.
"""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

from .guests import GuestTest
from .harness import BLOCK, REQUIRE_TOOLS, pattern

PROVIDER = "registry.terraform.io/hashicorp/aws"
PLACES = ("~/.terraform.d/plugins", "/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins")

# The provider takes ten seconds of processor time to start, on each of the eight runs.
TIMEOUT = 600

SETTINGS = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" { type = string }
variable "source_snapshot" { type = string }
variable "friend" { type = string }
variable "image" { type = string }
variable "public_key" { type = string }
variable "size" { type = number }
variable "note" { type = string }
variable "deletes" { type = bool }

provider "aws" {
  region                      = "us-east-1"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  endpoints {
    %(endpoints)s
  }
}

provider "aws" {
  alias                       = "west"
  region                      = "us-west-2"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  endpoints {
    %(endpoints)s
  }
}
"""

RESOURCES = """
resource "aws_ebs_encryption_by_default" "here" {
  enabled = false
}

resource "aws_ebs_snapshot_block_public_access" "here" {
  state = "block-all-sharing"
}

resource "aws_ec2_image_block_public_access" "here" {
  state = "block-new-sharing"
}

resource "aws_key_pair" "login" {
  key_name   = "terraform"
  public_key = var.public_key
}

resource "aws_ebs_volume" "data" {
  availability_zone = "us-east-1a"
  size              = var.size
  type              = "gp3"
  tags              = { Name = "data", note = var.note }
}

resource "aws_ebs_volume" "restored" {
  availability_zone = "us-east-1a"
  snapshot_id       = var.source_snapshot
  type              = "gp3"
}

resource "aws_ebs_snapshot" "of_data" {
  volume_id   = aws_ebs_volume.data.id
  description = "taken by terraform"
  tags        = { note = var.note }
}

resource "aws_ebs_snapshot_copy" "west" {
  provider           = aws.west
  source_snapshot_id = aws_ebs_snapshot.of_data.id
  source_region      = "us-east-1"
  tags               = { note = var.note }
}

resource "aws_snapshot_create_volume_permission" "friend" {
  snapshot_id = aws_ebs_snapshot.of_data.id
  account_id  = var.friend
}

resource "aws_ami" "registered" {
  name                = "terraform-registered"
  description         = var.note
  architecture        = "x86_64"
  virtualization_type = "hvm"
  ena_support         = true
  root_device_name    = "/dev/xvda"
  ebs_block_device {
    device_name = "/dev/xvda"
    snapshot_id = var.source_snapshot
    volume_type = "gp3"
  }
}

resource "aws_ami_copy" "west" {
  provider          = aws.west
  name              = "terraform-copied"
  source_ami_id     = aws_ami.registered.id
  source_ami_region = "us-east-1"
}

resource "aws_ami_launch_permission" "friend" {
  image_id   = aws_ami.registered.id
  account_id = var.friend
}

resource "aws_rbin_rule" "keep" {
  description   = var.note
  resource_type = "EBS_SNAPSHOT"
  resource_tags {
    resource_tag_key   = "keep"
    resource_tag_value = "yes"
  }
  retention_period {
    retention_period_value = 1
    retention_period_unit  = "DAYS"
  }
}

resource "aws_instance" "machine" {
  ami                     = var.image
  instance_type           = "t3.micro"
  key_name                = aws_key_pair.login.key_name
  user_data               = "#!/bin/sh"
  disable_api_termination = false
  tags                    = { Name = "machine", note = var.note }
  root_block_device {
    delete_on_termination = var.deletes
    volume_type           = "gp3"
  }
}

resource "aws_volume_attachment" "data" {
  device_name  = "/dev/sdf"
  volume_id    = aws_ebs_volume.data.id
  instance_id  = aws_instance.machine.id
  force_detach = true
}

resource "aws_ami_from_instance" "made" {
  name                    = "terraform-made"
  source_instance_id      = aws_instance.machine.id
  snapshot_without_reboot = true
}

data "aws_ami" "registered" {
  owners = ["self"]
  filter {
    name   = "image-id"
    values = [aws_ami.registered.id]
  }
}

data "aws_ami_ids" "all" {
  owners     = ["self"]
  depends_on = [aws_ami.registered]
}

data "aws_ebs_snapshot" "of_data" {
  snapshot_ids = [aws_ebs_snapshot.of_data.id]
}

data "aws_ebs_snapshot_ids" "all" {
  owners     = ["self"]
  depends_on = [aws_ebs_snapshot.of_data]
}

output "volume" { value = aws_ebs_volume.data.id }
output "machine" { value = aws_instance.machine.id }
output "size" { value = aws_ebs_volume.data.size }
output "copy" { value = aws_ebs_snapshot_copy.west.id }
output "registered" { value = data.aws_ami.registered.id }
"""

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ/+fX0WbCqW1dAYYk3JPtkuGDNfKhzSVs9fYGdLOIWK terraform@example.com"


def mirror():
    """The directory of a filesystem mirror that has the AWS provider."""
    named = os.environ.get("CAIRN_TERRAFORM_MIRROR")
    places = [named] if named else [*PLACES, *pathlib.Path("/opt").glob("*")]
    for place in places:
        place = pathlib.Path(place).expanduser()
        if (place / PROVIDER).is_dir():
            return place
    return None


class Terraform(GuestTest):
    @classmethod
    def setUpClass(cls):
        # Nothing that is set up here can bring it: Debian has no package of it.
        if not shutil.which("terraform"):
            raise unittest.SkipTest("terraform is not installed")
        cls.mirror = mirror()
        if cls.mirror is None:
            reason = f"no filesystem mirror has {PROVIDER}; CAIRN_TERRAFORM_MIRROR may name one"
            if REQUIRE_TOOLS and os.environ.get("CAIRN_TERRAFORM_MIRROR"):
                raise AssertionError(reason)
            raise unittest.SkipTest(reason)
        super().setUpClass()
        made = cls.server.cairn_json("account", "create", "--name", "friend")
        cls.friend = made["AccountId"]

    def terraform(self, *arguments, codes=(0,)):
        environment = self.server.environment() | {
            "TF_CLI_CONFIG_FILE": str(self.directory / "terraform.rc"), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1",
            "HOME": str(self.directory)} | {f"TF_VAR_{name}": value for name, value in self.variables.items()}
        done = subprocess.run(["terraform", *arguments], cwd=self.directory, env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=TIMEOUT)
        self.assertIn(done.returncode, codes, f"terraform {arguments}\n{done.stdout[-8000:]}{done.stderr[-8000:]}")
        return done

    def write_configuration(self):
        self.directory = self.temp / "terraform"
        self.directory.mkdir()
        (self.directory / "terraform.rc").write_text(
            f'provider_installation {{\n  filesystem_mirror {{\n    path = "{self.mirror}"\n  }}\n}}\n')
        services = ("ec2", "sts", "rbin", "iam", "kms")
        endpoints = "\n    ".join(f"{name} = var.endpoint" for name in services)
        head = SETTINGS % {"endpoints": endpoints}
        (self.directory / "main.tf").write_text(head + RESOURCES)

    def test_the_life_of_resources(self):
        self.write_configuration()
        source = self.upload({0: pattern("terraform", BLOCK)})
        before = self.everything()
        self.variables = {
            "endpoint": self.server.endpoint, "source_snapshot": source, "friend": self.friend, "image": self.image,
            "public_key": KEY, "size": "1", "note": "first", "deletes": "true"}
        self.terraform("init", "-no-color")
        self.terraform("apply", "-auto-approve", "-no-color")
        self.nothing_to_do("after apply")
        values = self.outputs()
        self.assertEqual(values["size"], 1)
        self.assertIn("volume", values)

        self.variables |= {"size": "2", "note": "second"}
        self.terraform("apply", "-auto-approve", "-no-color")
        self.nothing_to_do("after a change in place")
        changed = self.outputs()
        self.assertEqual((changed["volume"], changed["size"]), (values["volume"], 2))
        self.assertEqual(changed["copy"], values["copy"])
        self.assertEqual(self.ec2.describe_volumes(VolumeIds=[values["volume"]])["Volumes"][0]["Size"], 2)
        described = self.ec2.describe_images(ImageIds=[values["registered"]])["Images"][0]
        self.assertEqual(described["Description"], "second")

        # A guest that has no system yet would not let go of its volume.
        self.ready(changed["machine"])
        self.terraform("destroy", "-auto-approve", "-no-color")
        self.assertEqual(self.everything(), before)

    def nothing_to_do(self, when):
        done = self.terraform("plan", "-detailed-exitcode", "-no-color", codes=(0, 2))
        self.assertEqual(done.returncode, 0, f"the plan {when} is not empty:\n{done.stdout}")

    def outputs(self):
        found = json.loads(self.terraform("output", "-json").stdout)
        return {name: output["value"] for name, output in found.items()}

    def everything(self):
        """Ids of all that Terraform could leave behind."""
        found = []
        for region in ("us-east-1", "us-west-2"):
            ec2 = self.server.client("ec2", region=region)
            found += [v["VolumeId"] for v in ec2.describe_volumes()["Volumes"]]
            found += [s["SnapshotId"] for s in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]]
            found += [i["ImageId"] for i in ec2.describe_images(Owners=["self"])["Images"]]
            found += [k["KeyPairId"] for k in ec2.describe_key_pairs()["KeyPairs"]]
            found += [i["InstanceId"] for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]
                      if i["State"]["Name"] != "terminated"]
        rbin = self.server.client("rbin")
        return sorted(found + [rule["Identifier"] for rule in rbin.list_rules(ResourceType="EBS_SNAPSHOT")["Rules"]])
