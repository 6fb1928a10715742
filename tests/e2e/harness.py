"""What the end-to-end tests share: a server of their own, the clients, and disks to work on.

Every test class starts the real binary on a data directory of its own and a free port, and leaves
nothing running. Where a tool is missing, the test is skipped by name; with CAIRN_REQUIRE_TOOLS=1
it fails instead.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
REGION = "us-east-1"
BLOCK = 512 << 10
GIB = 1 << 30
REQUIRE_TOOLS = os.environ.get("CAIRN_REQUIRE_TOOLS") == "1"


def binary():
    """The binary under test."""
    path = pathlib.Path(os.environ.get("CAIRN_BIN", ROOT / "target/debug/cairn"))
    if not path.exists():
        raise RuntimeError(f"{path} is not there; build it, or name it in CAIRN_BIN")
    return path


def need(tool, hint=""):
    """The path of a program, or a skip (a failure where tools are required)."""
    found = shutil.which(str(tool))
    if found:
        return found
    reason = f"{tool} is not installed{hint and ': ' + hint}"
    if REQUIRE_TOOLS:
        raise AssertionError(f"{reason}, and CAIRN_REQUIRE_TOOLS=1")
    raise unittest.SkipTest(reason)


def free_port():
    """A TCP port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, condition, timeout=60.0, every=0.05):
    """Polls until `condition` gives something true, and returns it."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:.0f} s in vain for {what}")
        time.sleep(every)


def pattern(seed, length):
    """Bytes that do not compress and can be made again."""
    return random.Random(repr(seed)).randbytes(length)


def sha256(path):
    """The digest of a file, without its whole length in memory."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def sparse_disk(path, gib, blocks):
    """A raw disk of so many GiB with the given blocks in it: {index: bytes}."""
    with open(path, "wb") as file:
        file.truncate(gib * GIB)
        for index, data in blocks.items():
            file.seek(index * BLOCK)
            file.write(data)
    return path


class Server:
    """A server process on a data directory; it can be killed and started again on the same port."""

    def __init__(self, data, extra=(), listen=None):
        self.data = pathlib.Path(data)
        self.listen = listen or f"127.0.0.1:{free_port()}"
        self.extra = list(extra)
        self.log_path = self.data.parent / (self.data.name + ".log")
        self.process = None
        self.clients = {}

    @property
    def endpoint(self):
        return f"http://{self.listen}"

    def start(self, timeout=60):
        # Their connections led to the process before.
        self.clients = {}
        log = open(self.log_path, "ab")
        environment = clean_environment() | {"CAIRN_LOG": "info"}
        self.process = subprocess.Popen(
            [binary(), "serve", "--data", self.data, "--listen", self.listen, "--accelerator", "tcg", *self.extra],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
        )
        log.close()
        wait_for("the server to answer", self.answers, timeout)
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log_tail()}")
        host, port = self.listen.rsplit(":", 1)
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
            return (self.data / "endpoint").exists() and (self.data / "credentials").exists()
        return False

    def kill(self):
        """As power to the process: no handler runs."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout=60):
        """Asks it to end, and gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def log_tail(self, lines=60):
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def credentials(self):
        """Access key id and secret of the first account."""
        values = dict(
            (part.strip() for part in line.split("=", 1))
            for line in (self.data / "credentials").read_text().splitlines() if "=" in line
        )
        return values["aws_access_key_id"], values["aws_secret_access_key"]

    def environment(self, keys=None, region=REGION):
        """The environment in which the clients talk to this server."""
        key, secret = keys or self.credentials()
        return clean_environment() | {
            "AWS_ENDPOINT_URL": self.endpoint, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_REGION": region, "AWS_DEFAULT_REGION": region, "AWS_PAGER": "",
            "AWS_MAX_ATTEMPTS": "2", "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service, region=REGION, keys=None, **config):
        import boto3
        from botocore.config import Config
        key, secret = keys or self.credentials()
        settings = {"retries": {"total_max_attempts": 1}, "read_timeout": 120, "max_pool_connections": 32} | config
        # Making a client takes longer than most calls.
        known = (service, region, key, *sorted(config.items()))
        if known not in self.clients:
            self.clients[known] = boto3.session.Session(key, secret, region_name=region).client(
                service, endpoint_url=self.endpoint, config=Config(**settings))
        return self.clients[known]

    def cairn(self, *arguments, check=True, keys=None, timeout=600):
        """Runs a command of the binary against this server."""
        environment = self.environment(keys) if keys else clean_environment()
        data = [] if keys else ["--data", self.data]
        return run([binary(), *data, *arguments], environment, check, timeout)

    def cairn_json(self, *arguments, **options):
        return json.loads(self.cairn(*arguments, "--output", "json", **options).stdout)

    def aws(self, *arguments, check=True, keys=None, region=REGION, timeout=600):
        """Runs the AWS CLI against this server."""
        program = os.environ.get("CAIRN_AWS") or need("aws", "pip install awscli")
        return run([program, *arguments], self.environment(keys, region), check, timeout)

    def machines(self):
        """Process ids of the machines of this server's instances, whoever started them."""
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (process / "cmdline").read_bytes().split(b"\0")
                if b"qemu-system" in command[0] and any(os.fsencode(self.data) in word for word in command):
                    found.append(int(process.name))
        return found

    def dispose(self):
        """Ends the server and every machine that it left running."""
        if self.process and self.process.poll() is None:
            self.kill()
        for pid in self.machines():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def clean_environment():
    """The environment without anything that would lead a client elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CAIRN_"))} | {
        "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}


def run(command, environment, check=True, timeout=600):
    done = subprocess.run([os.fspath(word) for word in command], env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=timeout)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


class ServerTest(unittest.TestCase):
    """Tests with one server for the whole class."""

    extra = ()
    # What is in config.toml.
    config = ""
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.temp = pathlib.Path(tempfile.mkdtemp(prefix="cairn-e2e-"))
        cls.addClassCleanup(shutil.rmtree, cls.temp, ignore_errors=True)
        cls.server = Server(cls.temp / "data", cls.extra)
        cls.addClassCleanup(cls.server.dispose)
        if cls.config:
            cls.server.data.mkdir(mode=0o700)
            (cls.server.data / "config.toml").write_text(cls.config)
        cls.server.start()

    def setUp(self):
        # The server's log explains most failures, and is gone after the class.
        self.addCleanup(self.show_log_if_failed)

    def show_log_if_failed(self):
        outcome = getattr(self, "_outcome", None)
        result = getattr(outcome, "result", None)
        problems = getattr(result, "errors", []) + getattr(result, "failures", [])
        failed = any(test is self for test, _ in problems) or not getattr(outcome, "success", True)
        if failed:
            print(f"--- log of the server of {self.id()}\n{self.server.log_tail()}", file=sys.stderr)

    @property
    def ec2(self):
        return self.server.client("ec2")

    @property
    def ebs(self):
        return self.server.client("ebs")

    def refused(self, code, call, *arguments, status=None, **parameters):
        """Asserts that a call is refused with this code (and status), and gives the message."""
        from botocore.exceptions import ClientError
        with self.assertRaises(ClientError) as caught:
            call(*arguments, **parameters)
        response = caught.exception.response
        self.assertEqual(response["Error"]["Code"], code, response)
        if status is not None:
            self.assertEqual(response["ResponseMetadata"]["HTTPStatusCode"], status, response)
        return response["Error"]["Message"]

    def upload(self, blocks, gib=1, ebs=None, **parameters):
        """Makes a snapshot of the given blocks by EBS direct, and waits for it."""
        import base64
        ebs = ebs or self.ebs
        snapshot = ebs.start_snapshot(VolumeSize=gib, **parameters)["SnapshotId"]
        for index, data in blocks.items():
            put_block(ebs, snapshot, index, data)
        digests = b"".join(hashlib.sha256(blocks[index]).digest() for index in sorted(blocks))
        ebs.complete_snapshot(
            SnapshotId=snapshot, ChangedBlocksCount=len(blocks), ChecksumAlgorithm="SHA256",
            ChecksumAggregationMethod="LINEAR",
            Checksum=base64.b64encode(hashlib.sha256(digests).digest()).decode())
        self.completed(snapshot)
        return snapshot

    def completed(self, snapshot, timeout=120):
        """Waits until a snapshot is completed."""
        def state():
            found = self.ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
            self.assertNotEqual(found["State"], "error", found)
            return found["State"] == "completed" and found
        return wait_for(f"{snapshot} to complete", state, timeout)

    def available(self, volume, timeout=60):
        def state():
            found = self.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]
            self.assertNotEqual(found["State"], "error", found)
            return found["State"] == "available" and found
        return wait_for(f"{volume} to be available", state, timeout)

    def instance_state(self, instance):
        reservations = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
        return reservations[0]["Instances"][0]["State"]["Name"]

    def wait_instance(self, instance, wanted, timeout=120):
        def state():
            found = self.instance_state(instance)
            if wanted != "terminated":
                self.assertNotEqual(found, "terminated", f"{instance} on its way to {wanted}")
            return found == wanted
        wait_for(f"{instance} to be {wanted}", state, timeout, every=0.2)

    def blocks_of(self, snapshot, ebs=None):
        """Every block of a snapshot: {index: bytes}, checked against its checksum."""
        import base64
        ebs = ebs or self.ebs
        found = {}
        for block in (block for page in self.pages_of_blocks(snapshot, ebs=ebs) for block in page):
            answer = ebs.get_snapshot_block(
                SnapshotId=snapshot, BlockIndex=block["BlockIndex"], BlockToken=block["BlockToken"])
            data = answer["BlockData"].read()
            self.assertEqual(len(data), BLOCK)
            self.assertEqual(base64.b64decode(answer["Checksum"]), hashlib.sha256(data).digest())
            found[block["BlockIndex"]] = data
        return found

    def pages_of_blocks(self, snapshot, ebs=None, **parameters):
        """The pages of ListSnapshotBlocks, for which boto3 has no paginator."""
        ebs = ebs or self.ebs
        while True:
            page = ebs.list_snapshot_blocks(SnapshotId=snapshot, **parameters)
            yield page["Blocks"]
            if not page.get("NextToken"):
                return
            parameters["NextToken"] = page["NextToken"]

    def assert_same_blocks(self, found, expected):
        """Equal contents; a block of zeros may be there or not. Says which differ, not their bytes."""
        zero = bytes(BLOCK)
        indexes = sorted(set(found) | set(expected))
        different = [i for i in indexes if found.get(i, zero) != expected.get(i, zero)]
        self.assertEqual(different, [], "blocks that differ")


def put_block(ebs, snapshot, index, data, **parameters):
    """Puts one block with the right headers, unless `parameters` say otherwise."""
    import base64
    settings = {
        "SnapshotId": snapshot, "BlockIndex": index, "BlockData": data, "DataLength": len(data),
        "Checksum": base64.b64encode(hashlib.sha256(data).digest()).decode(), "ChecksumAlgorithm": "SHA256",
    }
    return ebs.put_snapshot_block(**(settings | parameters))
