"""kill -9 of the server at random moments: what was answered is there, what was begun is finished or undone.

The moments come from a seed, which is shown; CAIRN_SEED repeats a run.
"""

import concurrent.futures
import hashlib
import os
import random
import subprocess
import threading
import time

from .guests import MachineTest, nbd
from .harness import BLOCK, ServerTest, binary, clean_environment, need, pattern, put_block, sparse_disk, wait_for


def seeded(test):
    """The random numbers of a test; the seed is on the console if it fails."""
    seed = int(os.environ.get("CAIRN_SEED", random.SystemRandom().randrange(1 << 32)))
    test.addCleanup(lambda: print(f"      CAIRN_SEED={seed}"))
    return random.Random(seed)


class Relay:
    """An NBD server of QEMU's in front of a volume's socket: it waits while the server is away.

    fio's own NBD engine ends with its connection; what a machine has in QEMU is this.
    """

    def __init__(self, test, socket):
        self.path = test.temp / f"relay-{os.urandom(4).hex()}.sock"
        daemon = need("qemu-storage-daemon", "apt install qemu-system-common or qemu-utils")
        self.process = subprocess.Popen([
            daemon, "--blockdev", f"driver=nbd,node-name=disk,server.type=unix,server.path={socket},reconnect-delay=3600",
            "--nbd-server", f"addr.type=unix,addr.path={self.path}",
            "--export", "type=nbd,id=e,node-name=disk,name=,writable=on"], env=clean_environment())
        test.addCleanup(self.stop)
        wait_for("the relay", self.path.exists, 30)

    @property
    def uri(self):
        return nbd(self.path)

    def stop(self):
        if self.process.poll() is None:
            # Asked to end, it would wait for the server first.
            self.process.kill()
            self.process.wait(30)


class Volumes(MachineTest):
    """Volumes under load, while the server is killed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.blank = cls.blank_image()

    def kill_while(self, process, rng, shortest=0.2, longest=2.5, most=8):
        """Kills and restarts the server at random times until a process ends; gives how often."""
        kills = 0
        while process.poll() is None and kills < most:
            try:
                process.wait(rng.uniform(shortest, longest))
            except subprocess.TimeoutExpired:
                self.server.kill()
                time.sleep(rng.uniform(0, 0.5))
                self.server.start()
                kills += 1
        return kills

    def fio(self, uri, *arguments):
        program = need("fio", "apt install fio")
        if b"nbd" not in subprocess.run([program, "--enghelp"], capture_output=True).stdout:
            need("fio with its nbd engine")
        return subprocess.Popen(
            [program, "--name=crash", "--ioengine=nbd", f"--uri={uri}", "--bs=4k-64k", "--size=256M", "--verify=crc32c",
             "--verify_fatal=1", "--randseed=7", "--group_reporting", *arguments],
            env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def test_fio_verifies_across_kills(self):
        """Random writes with checksums and flushes; after every kill all that was written is there."""
        rng = seeded(self)
        instance = self.running(self.blank)
        volume = self.blank_volume()
        self.attach(volume, instance)
        relay = Relay(self, self.socket_of(volume))
        writer = self.fio(relay.uri, "--rw=randwrite", "--iodepth=8", "--fsync=64", "--do_verify=1", "--rate=20m",
                          "--verify_state_save=0", "--io_size=256M")
        kills = self.kill_while(writer, rng)
        output, _ = writer.communicate(timeout=300)
        self.assertEqual(writer.returncode, 0, output)
        self.assertGreaterEqual(kills, 3, "the run was over before it was disturbed")
        relay.stop()
        self.server.kill()
        self.server.start()
        relay = Relay(self, self.socket_of(volume))
        again = self.fio(relay.uri, "--rw=randwrite", "--verify_only=1", "--iodepth=8", "--io_size=256M",
                         "--verify_state_save=0")
        output, _ = again.communicate(timeout=300)
        self.assertEqual(again.returncode, 0, output)
        relay.stop()
        self.terminate(instance)
        self.ec2.delete_volume(VolumeId=volume)

    def test_snapshots_are_exact_whenever_the_server_dies(self):
        """kill -9 while a snapshot is being captured and the volume is written over."""
        rng = seeded(self)
        instance = self.running(self.blank)
        volume = self.blank_volume()
        self.attach(volume, instance)
        state, snapshots = {}, []
        for round_ in range(4):
            changed = {rng.randrange(2048): pattern((round_, i, rng.random()), BLOCK) for i in range(120)}
            self.write(self.socket_of(volume), changed)
            state |= changed
            snapshots.append((self.ec2.create_snapshot(VolumeId=volume)["SnapshotId"], dict(state)))
            # What is written from now on belongs to the next one.
            over = {index: pattern((round_, "over", index), BLOCK) for index in rng.sample(sorted(state), 20)}
            self.write(self.socket_of(volume), over)
            state |= over
            time.sleep(rng.uniform(0, 0.4))
            self.server.kill()
            self.server.start()
        for snapshot, expected in snapshots:
            self.completed(snapshot)
            self.assert_same_blocks(self.blocks_of(snapshot), expected)
            self.assertEqual(self.server.cairn("verify", snapshot).returncode, 0)
        self.terminate(instance)

    def test_launches_are_finished_or_undone(self):
        """kill -9 while instances are launched: no machine without an instance, no volume without its launch."""
        rng = seeded(self)
        for round_ in range(4):
            token = f"launch-{rng.random()}"
            launching = threading.Thread(target=self.try_launch, args=(token,))
            launching.start()
            time.sleep(rng.uniform(0.02, 1.2))
            self.server.kill()
            launching.join()
            self.server.start()
            settled = ("running", "terminated", "stopped")
            wait_for("every instance to settle", lambda: all(
                i["State"]["Name"] in settled for i in self.instances()), 120, 0.2)
            running = [i for i in self.instances() if i["State"]["Name"] == "running"]
            wait_for("as many machines as instances", lambda: len(self.server.machines()) == len(running), 30)
            # The same token gives the same instances, whether or not the first answer arrived.
            again = self.ec2.run_instances(ImageId=self.blank, InstanceType="t3.micro", MinCount=2, MaxCount=2,
                                           ClientToken=token)["Instances"]
            for instance in again:
                wait_for("it to settle", lambda: self.instance_state(instance["InstanceId"]) in settled, 120, 0.2)
            ids = [i["InstanceId"] for i in self.instances() if i["State"]["Name"] != "terminated"]
            self.assertLessEqual(len(ids), 2)
            volumes = self.ec2.describe_volumes()["Volumes"]
            attached = {v["Attachments"][0]["InstanceId"] for v in volumes if v["Attachments"]}
            self.assertLessEqual(attached, set(ids))
            self.terminate(*ids)
            wait_for("the volumes to go", lambda: not self.ec2.describe_volumes(
                Filters=[{"Name": "attachment.instance-id", "Values": ids or ["i-none"]}])["Volumes"], 60)
            self.assertEqual(self.server.machines(), [])

    def instances(self):
        return [i for r in self.ec2.describe_instances()["Reservations"] for i in r["Instances"]]

    def try_launch(self, token):
        """Launches two; the answer may be lost."""
        from botocore.exceptions import BotoCoreError, ClientError
        try:
            self.ec2.run_instances(ImageId=self.blank, InstanceType="t3.micro", MinCount=2, MaxCount=2, ClientToken=token)
        except (BotoCoreError, ClientError):
            pass


class Uploads(ServerTest):
    def test_what_was_acknowledged_survives(self):
        """kill -9 in the middle of parallel puts: a block whose put was answered is never sent again."""
        from botocore.exceptions import BotoCoreError, ClientError
        rng = seeded(self)
        blocks = {i: pattern(("up", i), BLOCK) for i in rng.sample(range(2048), 300)}
        snapshot = self.ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
        missing, kills = set(blocks), 0
        while missing:
            ebs, dead = self.ebs, threading.Event()

            def put(index):
                if dead.is_set():
                    return None
                try:
                    put_block(ebs, snapshot, index, blocks[index])
                    return index
                except (BotoCoreError, ClientError):
                    return None

            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                batch = sorted(missing) if kills >= 4 else rng.sample(sorted(missing), len(missing))
                results = [pool.submit(put, index) for index in batch]
                if kills < 4:
                    time.sleep(rng.uniform(0.02, 0.6))
                    self.server.kill()
                    dead.set()
                    kills += 1
                missing -= {r.result() for r in results}
            if self.server.process.poll() is not None:
                self.server.start()
        digests = b"".join(hashlib.sha256(blocks[i]).digest() for i in sorted(blocks))
        import base64
        self.ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=len(blocks), ChecksumAlgorithm="SHA256",
                                   ChecksumAggregationMethod="LINEAR",
                                   Checksum=base64.b64encode(hashlib.sha256(digests).digest()).decode())
        self.server.kill()
        self.server.start()
        self.completed(snapshot)
        self.assert_same_blocks(self.blocks_of(snapshot), blocks)

    def test_an_import_goes_on_when_the_server_comes_back(self):
        rng = seeded(self)
        blocks = {i: pattern(("import", i), BLOCK) for i in range(400)}
        disk = sparse_disk(self.temp / "import.raw", 1, blocks)
        process = subprocess.Popen([binary(), "--data", self.server.data, "import", disk, "--name", "imported",
                                    "--output", "json", "--parallel", "4"],
                                   env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3):
            time.sleep(rng.uniform(0.05, 0.8))
            if process.poll() is None:
                self.server.kill()
                time.sleep(rng.uniform(0, 0.5))
                self.server.start()
        output, complaint = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, complaint)
        import json
        made = json.loads(output)
        self.assert_same_blocks(self.blocks_of(made["SnapshotId"]), blocks)
        self.assertEqual(len(self.ec2.describe_images(Owners=["self"])["Images"]), 1)
        self.assertEqual(len(self.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]), 1)

    def test_an_upload_that_nobody_finishes_is_no_snapshot(self):
        """A pending upload is still pending after a kill, and can be deleted."""
        snapshot = self.ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
        put_block(self.ebs, snapshot, 0, pattern("half", BLOCK))
        self.server.kill()
        self.server.start()
        found = self.ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
        self.assertEqual(found["State"], "pending")
        self.refused("ValidationException", self.ebs.list_snapshot_blocks, SnapshotId=snapshot)
        self.ec2.delete_snapshot(SnapshotId=snapshot)
        self.refused("InvalidSnapshot.NotFound", self.ec2.describe_snapshots, SnapshotIds=[snapshot])


class Creations(ServerTest):
    def test_volumes_are_finished_or_never_were(self):
        """kill -9 around CreateVolume: an answered volume is there, and all of them settle."""
        from botocore.exceptions import BotoCoreError, ClientError
        rng = seeded(self)
        answered = []
        for round_ in range(6):
            def create():
                for number in range(20):
                    try:
                        made = self.ec2.create_volume(AvailabilityZone="us-east-1a", Size=1,
                                                      ClientToken=f"{round_}-{number}-{self.server.listen}")
                        answered.append(made["VolumeId"])
                    except (BotoCoreError, ClientError):
                        return
            creating = threading.Thread(target=create)
            creating.start()
            time.sleep(rng.uniform(0.05, 0.5))
            self.server.kill()
            creating.join()
            self.server.start()
        wait_for("all to be available", lambda: all(
            v["State"] == "available" for v in self.ec2.describe_volumes()["Volumes"]), 60)
        there = {v["VolumeId"] for v in self.ec2.describe_volumes()["Volumes"]}
        self.assertLessEqual(set(answered), there)
        for volume in there:
            self.ec2.delete_volume(VolumeId=volume)
        self.server.kill()
        self.server.start()
        wait_for("all to be gone", lambda: not self.ec2.describe_volumes()["Volumes"], 60)
        left = list(self.server.data.glob("regions/*/volumes/vol-*"))
        wait_for("their files to be gone", lambda: not [p for p in left if p.exists()], 30)
