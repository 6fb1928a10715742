"""A server of one's own: the real binary on a new data directory, and machines that hold volumes open."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess

from . import run
from .api import Api

CONFIGURATION = """accelerator = "tcg"
[scrub]
interval_days = 0
mib_per_second = 0
[collection]
enabled = false
grace_seconds = 0
repack_below_percent = {repack_below_percent}
"""


class Server:
    """`cairn serve`; nothing runs in it by a schedule."""

    def __init__(self, binary, directory, repack_below_percent):
        self.binary, self.data = binary, pathlib.Path(directory)
        self.configuration = CONFIGURATION.format(repack_below_percent=repack_below_percent)
        self.log = self.data.with_suffix(".log")
        self.api = self.process = self.blank = None

    def start(self):
        self.data.mkdir(mode=0o700, exist_ok=True)
        (self.data / "config.toml").write_text(self.configuration)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.binary, "serve", "--data", self.data, "--listen", "127.0.0.1:0"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment())
        run.wait_for("the server", self._answers, 60)
        keys = dict((part.strip() for part in line.split("=", 1))
                    for line in (self.data / "credentials").read_text().splitlines() if "=" in line)
        address = (self.data / "endpoint").read_text().strip().removeprefix("http://")
        self.api = Api(address, keys["aws_access_key_id"], keys["aws_secret_access_key"])
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.log.read_text()[-3000:]}")
        return (self.data / "endpoint").exists() and (self.data / "credentials").exists()

    @property
    def pid(self):
        return self.process.pid

    def cairn(self, *arguments):
        """Runs a command of the binary against this server; gives what it took."""
        return run.timed([self.binary, "--data", self.data, *arguments], environment())

    def cairn_json(self, *arguments):
        """The same, for its answer."""
        done = subprocess.run([self.binary, "--data", self.data, *map(os.fspath, arguments), "--output", "json"],
                              env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"cairn {' '.join(map(str, arguments))} ended with {done.returncode}:\n{done.stderr}")
        return json.loads(done.stdout)

    def machines(self):
        """Process ids of the machines of this server's instances."""
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (process / "cmdline").read_bytes().split(b"\0")
                if b"qemu-system" in command[0] and any(os.fsencode(f"{self.data}/") in word for word in command):
                    found.append(int(process.name))
        return found

    def stop(self):
        """Ends the machines and the server."""
        for pid in self.machines():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process:
            run.stop(self.process)

    # Places on the disk.

    @property
    def packs(self):
        return self.data / "regions" / "us-east-1" / "packs"

    def volume_directory(self, volume):
        return self.data / "regions" / "us-east-1" / "volumes" / volume

    # Machines.

    def blank_image(self):
        """An AMI without a system: its machine finds nothing to boot, and is there to hold volumes."""
        if not self.blank:
            disk = self.data.with_suffix(".blank")
            with open(disk, "wb") as file:
                file.truncate(run.GIB)
            self.blank = self.cairn_json("import", disk, "--name", "blank")["ImageId"]
        return self.blank

    def launch(self, image, **parameters):
        """Runs an instance, and gives its id at once."""
        settings = {"ImageId": image, "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1} | parameters
        return self.api.ec2("RunInstances", **settings).findtext("instancesSet/item/instanceId")

    def pid_of(self, instance):
        """The process of an instance's machine."""
        for pid in self.machines():
            if instance in pathlib.Path(f"/proc/{pid}/cmdline").read_text():
                return pid
        raise RuntimeError(f"{instance} has no machine")

    def end(self, instance):
        """Pulls the plug of an instance, and waits until it is gone."""
        self.api.ec2("StopInstances", InstanceId_1=instance, Force="true")
        run.wait_for(f"{instance} to stop", lambda: self.api.instance_state(instance) == "stopped")
        self.api.ec2("TerminateInstances", InstanceId_1=instance)
        run.wait_for(f"{instance} to end", lambda: self.api.instance_state(instance) == "terminated")

    @contextlib.contextmanager
    def attached(self, *volumes, keep=False):
        """Attaches volumes to a machine of their own, and gives the sockets on which it reaches them.

        The machine is halted (SIGSTOP) meanwhile: it takes no processor time, and its requests do
        not mix with what is measured. The volumes are deleted at the end, unless they are kept.
        """
        instance = self.launch(self.blank_image())
        run.wait_for(f"{instance} to run", lambda: self.api.instance_state(instance) == "running")
        for number, volume in enumerate(volumes):
            self.api.ec2("AttachVolume", VolumeId=volume, InstanceId=instance, Device=f"/dev/sd{chr(ord('f') + number)}")
            run.wait_for(f"{volume} to be attached", lambda: self.api.attachment_state(volume) == "attached")
        machine = self.pid_of(instance)
        os.kill(machine, signal.SIGSTOP)
        try:
            yield [socket_of(volume) for volume in volumes]
        finally:
            os.kill(machine, signal.SIGCONT)
            self.end(instance)
            for volume in () if keep else volumes:
                self.api.ec2("DeleteVolume", VolumeId=volume)


def socket_of(volume):
    """The Unix socket of an attached volume."""
    def find():
        paths = [line.split()[-1] for line in pathlib.Path("/proc/net/unix").read_text().splitlines() if volume in line]
        # It is made beside its place and moved there; the kernel knows it by the first name.
        found = [pathlib.Path(path.removesuffix("~")) for path in paths if path.startswith("/")]
        return next((path for path in found if path.is_socket()), None)
    return run.wait_for(f"the socket of {volume}", find, 60)


def environment():
    """The environment without anything that would lead a client elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CAIRN_"))}
    return kept | {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}


@contextlib.contextmanager
def server(bench, repack_below_percent=50):
    """A server in the row's scratch directory, gone afterwards."""
    one = Server(bench.binary, bench.scratch / "data", repack_below_percent)
    try:
        yield one.start()
    finally:
        one.stop()
        shutil.rmtree(one.data, ignore_errors=True)
        one.data.with_suffix(".blank").unlink(missing_ok=True)
