"""Real faults under a client that checks what it reads: a server that stands still, and a file system that is full.

fio writes with checksums by way of QEMU's NBD client, as a machine does. It ends with 0 only if no request failed
and all that it reads back is what it wrote.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from .guests import MachineTest, nbd
from .harness import Server, clean_environment, need, wait_for
from .test_crash import Relay, seeded

MIB = 1 << 20


def fio(uri, *arguments):
    program = need("fio", "apt install fio")
    if b"nbd" not in subprocess.run([program, "--enghelp"], capture_output=True).stdout:
        need("fio with its nbd engine")
    return subprocess.Popen(
        [program, "--name=fault", "--ioengine=nbd", f"--uri={uri}", "--bs=64k", "--verify=crc32c", "--verify_fatal=1",
         "--verify_state_save=0", "--randseed=7", "--iodepth=8", "--fsync=64", *arguments],
        env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def mount(case, *arguments):
    """Mounts something for a test class; it is skipped where that is not allowed, as in most containers."""
    mounted = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if mounted.returncode != 0:
        raise unittest.SkipTest(f"mount {arguments[0]} {arguments[1]}: {mounted.stderr.strip()}")
    case.addClassCleanup(subprocess.run, ["umount", "-l", arguments[-1]], check=False)


class Stopped(MachineTest):
    """A server that gets no processor for a while: the machine's host was suspended, or is short of memory."""

    def test_fio_verifies_across_a_server_that_stands_still(self):
        rng = seeded(self)
        instance = self.running(self.blank_image())
        volume = self.blank_volume()
        self.attach(volume, instance)
        relay = Relay(self, self.socket_of(volume))
        writer = fio(relay.uri, "--rw=randwrite", "--size=128M", "--rate=20m", "--do_verify=1")
        self.addCleanup(writer.kill)
        # Whatever happens to the test, the server goes on.
        self.addCleanup(self.server.process.send_signal, signal.SIGCONT)
        stops = 0
        while stops < 6 and writer.poll() is None:
            time.sleep(rng.uniform(0.1, 0.7))
            self.server.process.send_signal(signal.SIGSTOP)
            time.sleep(rng.uniform(0.1, 1.5))
            self.server.process.send_signal(signal.SIGCONT)
            stops += 1
        output, _ = writer.communicate(timeout=300)
        self.assertEqual(writer.returncode, 0, output)
        self.assertGreaterEqual(stops, 3, "the run was over before it was disturbed")
        # Freezing and capturing have not suffered either.
        snapshot = self.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        self.completed(snapshot)
        self.assertEqual(self.server.cairn("verify", snapshot).returncode, 0)
        relay.stop()
        self.terminate(instance)


class Full(MachineTest):
    """The data directory on a file system that gets full while a volume is written."""

    # The reserve below which writes are slowed is a twentieth, and writes wait below an eighth of that.
    SIZE = 768 * MIB
    BALLAST = 480 * MIB

    @classmethod
    def setUpClass(cls):
        need("qemu-system-x86_64", "apt install qemu-system-x86")
        cls.temp = pathlib.Path(tempfile.mkdtemp(prefix="cairn-full-"))
        cls.addClassCleanup(shutil.rmtree, cls.temp, ignore_errors=True)
        cls.small = cls.loop_mounted()
        cls.ballast = cls.small / "ballast"
        with open(cls.ballast, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, cls.BALLAST)
        cls.server = Server(cls.small / "data")
        cls.server.log_path = cls.temp / "log"
        cls.addClassCleanup(cls.server.dispose)
        cls.server.start()

    @classmethod
    def loop_mounted(cls):
        """A small ext4 on a loop device; the tests skip where that is not allowed."""
        image, small = cls.temp / "ext4", cls.temp / "small"
        small.mkdir()
        with open(image, "wb") as file:
            file.truncate(cls.SIZE)
        subprocess.run([need("mke2fs", "apt install e2fsprogs"), "-q", "-t", "ext4", "-m", "0", image], check=True)
        mount(cls, "-o", "loop", image, small)
        return small

    def free(self):
        found = os.statvfs(self.small)
        return found.f_bavail * found.f_frsize

    def test_a_disk_that_fills_at_once_fails_no_write(self):
        """Space goes faster than it is watched: it is the file system that refuses the writes."""
        instance = self.running(self.blank_image())
        volume = self.blank_volume()
        self.attach(volume, instance)
        relay = Relay(self, self.socket_of(volume))
        before = self.free()
        writer = fio(relay.uri, "--rw=write", "--size=100M", "--rate=40m", "--do_verify=1")
        self.addCleanup(writer.kill)
        wait_for("fio to write", lambda: self.free() < before - 16 * MIB, 60, 0.02)
        filler = self.small / "filler"
        self.addCleanup(filler.unlink, missing_ok=True)
        with open(filler, "wb") as file:
            with contextlib.suppress(OSError):
                while True:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, max(self.free() // 2, 4096))
        with self.assertRaises(subprocess.TimeoutExpired, msg="fio ended on a full file system"):
            writer.wait(3)
        filler.unlink()
        output, _ = writer.communicate(timeout=300)
        self.assertEqual(writer.returncode, 0, output)
        relay.stop()
        self.terminate(instance)
        self.ec2.delete_volume(VolumeId=volume)

    def test_writes_wait_for_space_and_none_fails(self):
        instance = self.running(self.blank_image())
        volume = self.blank_volume()
        self.attach(volume, instance)
        relay = Relay(self, self.socket_of(volume))
        arguments = ("--rw=write", "--size=400M")
        writer = fio(relay.uri, *arguments, "--do_verify=0")
        self.addCleanup(writer.kill)
        # Full, or nearly: what is left belongs to the metadata.
        wait_for("the file system to be full", lambda: self.free() < self.SIZE // 20 // 8 + MIB, 240, 0.02)
        with self.assertRaises(subprocess.TimeoutExpired, msg="fio ended on a full file system"):
            writer.wait(3)
        self.assertEqual(self.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"], "in-use")
        self.ballast.unlink()
        output, _ = writer.communicate(timeout=300)
        self.assertEqual(writer.returncode, 0, output)
        relay.stop()
        # All of it is there, also for the server that comes after a crash.
        self.server.kill()
        self.server.start()
        relay = Relay(self, self.socket_of(volume))
        reader = fio(relay.uri, *arguments, "--verify_only=1")
        output, _ = reader.communicate(timeout=300)
        self.assertEqual(reader.returncode, 0, output)
        relay.stop()
        self.terminate(instance)


class Broken(MachineTest):
    """The data directory on a device that fails: a file system on a loop device, whose file has no room to grow.

    The file system on top believes that it has space, and is told EIO when it writes.
    """

    SIZE = 2048 * MIB

    @classmethod
    def setUpClass(cls):
        need("qemu-system-x86_64", "apt install qemu-system-x86")
        cls.temp = pathlib.Path(tempfile.mkdtemp(prefix="cairn-broken-"))
        cls.addClassCleanup(shutil.rmtree, cls.temp, ignore_errors=True)
        cls.device, cls.disk = cls.temp / "device", cls.temp / "disk"
        cls.device.mkdir()
        cls.disk.mkdir()
        mount(cls, "-t", "tmpfs", "-o", "size=512m", "none", cls.device)
        image = cls.device / "ext4"
        with open(image, "wb") as file:
            file.truncate(cls.SIZE)
        subprocess.run([need("mke2fs", "apt install e2fsprogs"), "-q", "-t", "ext4", "-m", "0", image], check=True)
        mount(cls, "-o", "loop", image, cls.disk)
        cls.server = Server(cls.disk / "data")
        cls.server.log_path = cls.temp / "log"
        cls.addClassCleanup(cls.server.dispose)
        cls.server.start()

    def tearDown(self):
        """Nothing is left to be terminated on a device that failed."""

    def io(self, socket, *commands):
        """Runs commands of qemu-io on a volume; true if all of them succeeded."""
        words = [word for command in commands for word in ("-c", command)]
        done = subprocess.run([need("qemu-io", "apt install qemu-utils"), "-f", "raw", *words, nbd(socket)],
                              env=clean_environment(), capture_output=True, text=True, timeout=120)
        output = done.stdout + done.stderr
        failed = done.returncode != 0 or "failed" in output or "error" in output.lower()
        return not failed

    def test_what_was_flushed_survives_a_device_that_fails(self):
        instance = self.running(self.blank_image())
        volume = self.blank_volume()
        self.attach(volume, instance)
        socket = self.socket_of(volume)
        flushed = 0
        while self.io(socket, f"write -P {flushed % 250 + 1} {flushed}M 1M", "flush"):
            flushed += 1
            self.assertLess(flushed, 1000, "the device never failed")
        self.assertGreater(flushed, 20, "the device failed at once")
        # It says so, and goes on saying so: a flush that failed once may have lost anything.
        self.assertFalse(self.io(socket, "flush"))
        self.server.kill()
        for pid in self.server.machines():
            os.kill(pid, signal.SIGKILL)
        # Another device of the same content, which does not fail.
        wait_for("the file system to be free", lambda: subprocess.run(["umount", self.disk], capture_output=True).returncode == 0, 60, 0.5)
        subprocess.run(["mount", "-o", "remount,size=3g", self.device], check=True)
        checked = subprocess.run([need("e2fsck", "apt install e2fsprogs"), "-fy", self.device / "ext4"], capture_output=True, text=True)
        self.assertLess(checked.returncode, 4, checked.stdout + checked.stderr)
        subprocess.run(["mount", "-o", "loop", self.device / "ext4", self.disk], check=True)
        self.server.start()
        again = self.running(self.blank_image())
        self.ec2.stop_instances(InstanceIds=[instance], Force=True)
        self.wait_instance(instance, "stopped")
        self.ec2.detach_volume(VolumeId=volume)
        self.available(volume)
        self.attach(volume, again)
        socket = self.socket_of(volume)
        lost = [at for at in range(flushed) if not self.io(socket, f"read -P {at % 250 + 1} {at}M 1M")]
        self.assertEqual(lost, [], f"of {flushed} MiB that were flushed")
        self.terminate(again, instance)
