"""The programs that Cairn is compared with: how each is told to do the same."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from . import run

PASSWORD = {"RESTIC_PASSWORD": "bench", "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
            "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes"}


class Archive:
    """A backup program with a repository of its own, new for each round."""

    def __init__(self, bench, name):
        self.scratch, self.name = bench.scratch, name
        self.repository = bench.scratch / f"{name}-repository"
        self.cache = bench.scratch / f"{name}-cache"
        self.environment = os.environ | PASSWORD | {
            "RESTIC_CACHE_DIR": str(self.cache), "BORG_BASE_DIR": str(self.cache)}
        self.number = 0

    def again(self):
        """An empty repository."""
        self.remove()
        self.cache.mkdir()
        self.number = 0
        self.create()
        return self

    def remove(self):
        for directory in (self.repository, self.cache):
            shutil.rmtree(directory, ignore_errors=True)

    def call(self, *command):
        return run.timed(command, self.environment)

    def stored(self):
        return run.stored_bytes(self.repository)


class Restic(Archive):
    """restic, compression `auto` (zstd's default level); it always encrypts."""

    program = "restic"

    def create(self):
        self.call("restic", "init", "--quiet", "--repository-version", "2", "--repo", self.repository)

    def backup(self, path):
        # A disk that was written to has a new time, and is read whole.
        return self.call("restic", "--quiet", "--repo", self.repository, "backup", path)

    def restore(self, path, target):
        return self.call("restic", "--quiet", "--repo", self.repository, "restore", "latest", "--target", target)

    def snapshots(self):
        done = subprocess.run(["restic", "--quiet", "--repo", self.repository, "snapshots", "--json"],
                              env=self.environment, capture_output=True, check=True)
        return [one["id"] for one in json.loads(done.stdout)]

    def forget(self, snapshots):
        return self.call("restic", "--quiet", "--repo", self.repository, "forget", "--prune", *snapshots)

    def check(self):
        return self.call("restic", "--quiet", "--repo", self.repository, "check", "--read-data")

    @staticmethod
    def version():
        return " ".join(run.first_line("restic", "version").split()[:2])


class Borg(Archive):
    """borg with chunks of a fixed size, as it takes for devices, zstd 1, not encrypted."""

    program = "borg"

    def create(self):
        self.call("borg", "init", "--encryption", "none", self.repository)

    def backup(self, path):
        self.number += 1
        return self.call("borg", "create", "--files-cache", "disabled", "--chunker-params", "fixed,524288",
                         "--compression", "zstd,1", f"{self.repository}::{self.number}", path)

    def check(self):
        return self.call("borg", "check", "--verify-data", self.repository)

    @staticmethod
    def version():
        return run.first_line("borg", "--version")


class Casync(Archive):
    """casync of a block device's image, with its own chunk sizes and zstd."""

    program = "casync"

    def create(self):
        self.repository.mkdir()

    def backup(self, path):
        self.number += 1
        return self.call("casync", "make", f"--store={self.repository / 'store.castr'}",
                         self.repository / f"{self.number}.caibx", path)

    @staticmethod
    def version():
        return run.first_line("casync", "--version")


ARCHIVES = {"restic": Restic, "borg": Borg, "casync": Casync}


def archives(bench, *names):
    """Those of these that are installed, and the names of those that are not."""
    there = {name: ARCHIVES[name](bench, name) for name in names if shutil.which(ARCHIVES[name].program)}
    return there, [name for name in names if name not in there]


class NbdServer:
    """An NBD server on a socket in the scratch directory."""

    def __init__(self, command, directory):
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=directory))
        self.socket = self.directory / "s"
        self.words = [os.fspath(word).replace("{socket}", str(self.socket)) for word in command]

    def __enter__(self):
        self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        run.wait_for(f"{self.words[0]} to serve", self._serves, 60)
        return self.socket

    def _serves(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{' '.join(self.words)} ended with {self.process.returncode}")
        return self.socket.is_socket()

    def __exit__(self, *_):
        run.stop(self.process)
        shutil.rmtree(self.directory, ignore_errors=True)


def qemu_nbd(bench, disk, form):
    """qemu-nbd, through the page cache, as `bench/nbd.py` has it."""
    return NbdServer(["qemu-nbd", "--persistent", "--shared=0", f"--format={form}", "--cache=writeback",
                      "--discard=unmap", "--socket={socket}", disk], bench.scratch)


def nbdkit_file(bench, disk):
    """nbdkit's file plugin."""
    return NbdServer(["nbdkit", "--foreground", "--unix", "{socket}", "file", disk], bench.scratch)


def uri(socket):
    return f"nbd+unix:///?socket={socket}"


def fio(socket, size_bytes, *options):
    """fio on an NBD socket: operations a second, the 99th percentile in milliseconds, and how many flushes it sent."""
    command = ["fio", "--name=bench", "--ioengine=nbd", f"--uri={uri(socket)}", f"--size={size_bytes}",
               "--randrepeat=1", "--output-format=json", *options]
    with tempfile.TemporaryDirectory() as scratch:
        output = run.timed(command, cwd=scratch).output
    job = json.loads(output[output.index("{"):])["jobs"][0]
    if job["error"]:
        raise RuntimeError(f"{' '.join(command)}: error {job['error']}")
    side = max((job["read"], job["write"]), key=lambda one: one["total_ios"])
    return {"iops": side["iops"], "p99 ms": side["clat_ns"]["percentile"]["99.000000"] / 1e6, "flushes": job["sync"]["total_ios"]}


RANDWRITE = ("--rw=randwrite", "--bs=4k", "--iodepth=16")


def lasting(seconds):
    """Options for a run of so many seconds."""
    return (f"--runtime={seconds}", "--time_based", "--norandommap")


def nbdcopy(source, target, *options):
    """Copies, with a flush at the end."""
    return run.timed(["nbdcopy", "--flush", *options, source, target])


def version(*programs):
    """What is installed of these, for the table."""
    options = {"fio": ("fio", "--version"), "qemu-nbd": ("qemu-nbd", "--version"), "nbdkit": ("nbdkit", "--version"),
               "nbdcopy": ("nbdcopy", "--version"), "qemu-img": ("qemu-img", "--version"),
               "cp": ("cp", "--version"), "qemu-system-x86_64": ("qemu-system-x86_64", "--version"),
               "qemu-storage-daemon": ("qemu-storage-daemon", "--version")}
    return [run.first_line(*options[program]).replace("(GNU coreutils) ", "").split(" (")[0] for program in programs]
