"""What tests with machines share: an image that boots, instances, their consoles and shells."""

import os
import pathlib
import subprocess
import unittest

from .harness import CACHE, REQUIRE_TOOLS, ServerTest, binary, clean_environment, need, sparse_disk, wait_for

# What `scripts/guest-disk.sh` makes says so on its console.
READY = "CAIRN-GUEST-READY"


def nbd(socket):
    """The URI of what is offered on a unix socket."""
    return f"nbd+unix:///?socket={socket}"


class MachineTest(ServerTest):
    """Tests with instances. An image of zeros runs, too: its firmware finds nothing to boot."""

    @classmethod
    def setUpClass(cls):
        need("qemu-system-x86_64", "apt install qemu-system-x86")
        super().setUpClass()

    def tearDown(self):
        # A test that failed leaves no instance to the next one.
        if self.server.process.poll() is not None:
            self.server.start()
        states = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
        left = [i["InstanceId"] for r in self.ec2.describe_instances(Filters=states)["Reservations"] for i in r["Instances"]]
        self.terminate(*left)

    @classmethod
    def blank_image(cls):
        """An AMI that costs nothing to run."""
        disk = sparse_disk(cls.temp / "blank.raw", 1, {})
        return cls.server.cairn_json("import", disk, "--name", f"blank {os.urandom(4).hex()}")["ImageId"]

    def launch(self, image, count=1, **parameters):
        """Launches and gives the ids."""
        parameters = {"InstanceType": "t3.micro"} | parameters
        reservation = self.ec2.run_instances(ImageId=image, MinCount=count, MaxCount=count, **parameters)
        return [instance["InstanceId"] for instance in reservation["Instances"]]

    def running(self, image, **parameters):
        """Launches one and waits until it runs."""
        instance, = self.launch(image, **parameters)
        self.wait_instance(instance, "running")
        return instance

    def terminate(self, *instances):
        if instances:
            self.pull_the_plug(instances)
            self.ec2.terminate_instances(InstanceIds=list(instances))
            for instance in instances:
                self.wait_instance(instance, "terminated")

    def pull_the_plug(self, instances):
        """Stops machines by force: without a system nobody hears the power button, and an instance whose
        volumes outlive it is given its time to shut down."""
        running = [instance for instance in instances if self.instance_state(instance) == "running"]
        if running:
            self.ec2.stop_instances(InstanceIds=running, Force=True)
        for instance in running:
            self.wait_instance(instance, "stopped")

    def instance(self, instance):
        return self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]

    def attach(self, volume, instance, device="/dev/sdf"):
        self.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device=device)
        def attached():
            found = self.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]
            return found["State"] == "in-use" and found["Attachments"][0]["State"] == "attached"
        wait_for(f"{volume} to be attached", attached, 60)

    def detach(self, volume):
        self.ec2.detach_volume(VolumeId=volume)
        return self.available(volume, 90)

    def blank_volume(self, gib=1):
        volume = self.ec2.create_volume(AvailabilityZone="us-east-1a", Size=gib)["VolumeId"]
        self.available(volume)
        return volume

    def socket_of(self, volume):
        """The unix socket on which the server offers an attached volume to its machine."""
        def find():
            with open("/proc/net/unix") as sockets:
                paths = [line.split()[-1] for line in sockets if volume in line]
            # It is made beside its place and moved there; the kernel knows it by the first name.
            found = [pathlib.Path(path.removesuffix("~")) for path in paths if path.startswith("/")]
            return next((path for path in found if path.is_socket()), None)
        return wait_for(f"the socket of {volume}", find, 30)

    def nbdcopy(self, *arguments):
        """Runs nbdcopy, between files and the sockets of volumes (see `nbd`)."""
        program = need("nbdcopy", "apt install libnbd-bin")
        subprocess.run([program, *arguments], check=True, env=clean_environment(), timeout=120)

    def write(self, socket, blocks):
        """Writes blocks through a volume's socket, and flushes; all others stay as they are."""
        disk = sparse_disk(self.temp / f"write-{os.urandom(4).hex()}", 1, blocks)
        self.nbdcopy("--flush", "--target-is-zero", disk, nbd(socket))
        disk.unlink()


class GuestTest(MachineTest):
    """Tests with a guest that really boots."""

    @classmethod
    def setUpClass(cls):
        disk = pathlib.Path(os.environ.get("CAIRN_GUEST_DISK", CACHE / "guest.raw"))
        if not disk.exists():
            reason = f"{disk} is not there: scripts/guest-disk.sh makes it"
            if REQUIRE_TOOLS:
                raise AssertionError(reason)
            raise unittest.SkipTest(reason)
        need("ssh", "apt install openssh-client")
        super().setUpClass()
        cls.image = cls.server.cairn_json("import", disk, "--name", "guest")["ImageId"]
        cls.key = cls.temp / "key.pem"
        material = cls.server.client("ec2").create_key_pair(KeyName="key", KeyType="ed25519")["KeyMaterial"]
        cls.key.touch(mode=0o600)
        cls.key.write_text(material)

    def pull_the_plug(self, instances):
        """A guest that has booted shuts down when it is asked to."""

    def booted(self, image=None, script=None, **parameters):
        """Launches a guest and waits until it has booted; gives its id."""
        if script:
            parameters["UserData"] = script
        instance = self.running(image or self.image, KeyName="key", **parameters)
        self.ready(instance)
        return instance

    def console(self, instance):
        return self.ec2.get_console_output(InstanceId=instance, Latest=True).get("Output", "")

    def said(self, instance, text, times=1, timeout=150):
        """Waits until the guest has said something so often on its console."""
        try:
            wait_for(f"{instance} to say {text!r}", lambda: self.console(instance).count(text) >= times, timeout, 0.5)
        except AssertionError as cause:
            raise AssertionError(f"{cause}; its console:\n{self.console(instance)[-3000:]}") from None

    def ready(self, instance, times=1):
        self.said(instance, f"{READY} {instance}", times)

    def shell(self, instance, command, check=True, timeout=120):
        """Runs a command in the guest, by way of `cairn ssh`."""
        done = subprocess.run(
            [binary(), "--data", self.server.data, "ssh", instance, "-i", self.key, "--", command],
            env=clean_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"{command}\nended with {done.returncode} in {instance}:\n{done.stdout}{done.stderr}")
        return done.stdout

