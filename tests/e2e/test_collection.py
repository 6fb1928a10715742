"""Garbage collection and what space costs, through the real binary: bytes go from the disk, the rest verifies."""

import contextlib
import json
import sqlite3
import threading
import time

from .harness import BLOCK, Server, ServerTest, pattern, wait_for


class CollectionTest(ServerTest):
    """With settings of its own."""

    def packs(self):
        """Names of the packs of the region, and their lengths."""
        files = (self.server.data / "regions/us-east-1/packs").glob("*.*")
        return {file.name: file.stat().st_size for file in files}

    def bytes_on_disk(self):
        return sum(self.packs().values())

    def gc(self, *arguments):
        """The report of the region."""
        done = self.server.cairn_json("gc", *arguments)
        return next(region for region in done["Regions"] if region["Region"] == "us-east-1")

    def verified(self, snapshot):
        self.assertTrue(self.server.cairn_json("verify", snapshot)["Ok"])


class ByHand(CollectionTest):
    config = "[collection]\nenabled = false\ngrace_seconds = 0\n"

    def blocks(self, name, count, first=0):
        return {first + n: pattern((name, n), BLOCK) for n in range(count)}

    def test_a_deleted_snapshot_gives_its_bytes_back_and_no_others(self):
        shared = self.blocks("shared", 40)
        kept = self.upload(shared)
        gone = self.upload(shared | self.blocks("own", 80, first=1000))
        usage = {cost["Id"]: cost for cost in self.server.cairn_json("du")["Snapshots"]}
        self.assertEqual(usage[gone]["LogicalBytes"], 120 * BLOCK)
        self.assertGreaterEqual(usage[gone]["UniqueBytes"], 80 * BLOCK)
        self.assertGreaterEqual(usage[gone]["SharedBytes"], 40 * BLOCK)
        self.assertEqual(usage[gone]["StoredBytes"], usage[gone]["UniqueBytes"] + usage[gone]["SharedBytes"])
        told = self.server.cairn_json("gc", "--dry-run", "--if-deleted", gone)["IfDeleted"]
        self.assertEqual(told["FreedIfDeletedBytes"], usage[gone]["FreedIfDeletedBytes"])
        live = self.gc("--dry-run")["Live"]["Bytes"]
        before = self.packs()
        self.ec2.delete_snapshot(SnapshotId=gone)
        dry = self.gc("--dry-run")
        self.assertEqual(self.packs(), before)
        self.assertEqual(live - dry["Live"]["Bytes"], told["FreedIfDeletedBytes"])
        first = self.gc()
        self.assertEqual(first["Condemned"], dry["Condemned"])
        self.assertEqual(first["Deleted"]["Packs"], 0)
        with_copies = self.bytes_on_disk()
        second = self.gc()
        self.assertGreater(second["Deleted"]["Packs"], 0)
        self.assertEqual(with_copies - self.bytes_on_disk(), second["Deleted"]["Bytes"])
        self.assertLess(self.bytes_on_disk(), sum(before.values()) - 50 * BLOCK)
        self.verified(kept)
        self.assertEqual(self.blocks_of(kept), shared)
        self.assertEqual(self.server.cairn_json("status")["Collection"]["Halted"], False)
        # What was deleted can be stored again.
        again = self.upload(self.blocks("own", 80, first=1000))
        self.verified(again)
        for snapshot in (kept, again):
            self.ec2.delete_snapshot(SnapshotId=snapshot)

    def test_a_volume_keeps_what_it_was_made_from(self):
        snapshot = self.upload(self.blocks("base", 70))
        volume = self.ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=snapshot)["VolumeId"]
        self.available(volume)
        usage = {cost["Id"]: cost for cost in self.server.cairn_json("du")["Snapshots"]}
        self.assertEqual(usage[snapshot]["FreedIfDeletedBytes"], 0)
        self.ec2.delete_snapshot(SnapshotId=snapshot)
        for _ in range(2):
            self.gc()
        taken = self.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        self.completed(taken)
        self.assertEqual(self.blocks_of(taken), self.blocks("base", 70))
        self.ec2.delete_volume(VolumeId=volume)
        self.ec2.get_waiter("volume_deleted").wait(VolumeIds=[volume], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        for _ in range(2):
            self.gc()
        self.verified(taken)
        self.ec2.delete_snapshot(SnapshotId=taken)

    def test_uploads_and_deletions_under_constant_collection(self):
        stop = threading.Event()
        passes, problems = [], []

        def collect():
            while not stop.is_set():
                try:
                    passes.append(self.gc())
                except Exception as problem:  # noqa: BLE001 - it is told below
                    problems.append(problem)
                    return

        thread = threading.Thread(target=collect)
        thread.start()
        try:
            kept = []
            for n in range(12):
                blocks = self.blocks("again and again", 12) | self.blocks(("round", n), 8, first=100)
                snapshot = self.upload(blocks)
                if n % 3 == 0:
                    kept.append((snapshot, blocks))
                else:
                    self.ec2.delete_snapshot(SnapshotId=snapshot)
        finally:
            stop.set()
            thread.join()
        self.assertEqual(problems, [])
        self.assertGreater(len(passes), 2)
        for snapshot, blocks in kept:
            self.verified(snapshot)
            self.assertEqual(self.blocks_of(snapshot), blocks)
            self.ec2.delete_snapshot(SnapshotId=snapshot)
        self.assertFalse(self.server.cairn_json("status")["Collection"]["Halted"])

    def test_a_killed_server_goes_on(self):
        kept = self.upload(self.blocks("kept", 70))
        for round in range(4):
            gone = self.upload(self.blocks(("gone", round), 70))
            self.ec2.delete_snapshot(SnapshotId=gone)
            self.gc()
            collecting = threading.Thread(target=self.server.cairn, args=("gc",), kwargs={"check": False})
            collecting.start()
            time.sleep(0.02 * round)
            self.server.kill()
            collecting.join()
            self.server.start()
            self.verified(kept)
        for _ in range(3):
            report = self.gc()
        self.assertEqual(report["Condemned"]["Packs"], 0, report)
        self.verified(kept)
        self.ec2.delete_snapshot(SnapshotId=kept)

    def test_reading_what_is_condemned_halts_collection_until_the_operator_goes_on(self):
        snapshot = self.upload(self.blocks("condemned by mistake", 8))
        self.assertEqual(self.server.stop(), 0)
        # What a fault in the marks would do.
        with contextlib.closing(sqlite3.connect(self.server.data / "blobs.db")) as index, index:
            index.execute("INSERT INTO condemned_pack SELECT pack, MIN(domain), 0 FROM blob GROUP BY pack")
        self.server.start()
        self.verified(snapshot)
        state = self.server.cairn_json("status")["Collection"]
        self.assertTrue(state["Halted"])
        packs = {alarm["Pack"] for alarm in state["Alarms"]}
        self.assertTrue(packs)
        self.assertIn("HALTED", self.server.cairn("status").stdout)
        self.assertIn("read a blob of a condemned pack", self.server.log_tail(200))
        for arguments in ((), ("--dry-run",)):
            refused = self.server.cairn("gc", *arguments, check=False)
            self.assertEqual(refused.returncode, 1, refused.stderr)
            self.assertIn("--resume", refused.stderr)
        self.server.kill()
        self.server.start()
        self.assertTrue(self.server.cairn_json("status")["Collection"]["Halted"])
        self.gc("--resume")
        self.assertFalse(self.server.cairn_json("status")["Collection"]["Halted"])
        for _ in range(2):
            self.gc()
        self.verified(snapshot)
        self.ec2.delete_snapshot(SnapshotId=snapshot)

    def test_wrong_usage_is_told(self):
        for arguments, code in (
            (("--if-deleted", "snap-0123456789abcdef0"), 2),
            (("--dry-run", "--resume"), 2),
            (("--dry-run", "--if-deleted", "snap-0123456789abcdef0"), 3),
        ):
            done = self.server.cairn("gc", *arguments, check=False)
            self.assertEqual(done.returncode, code, done.stderr)
        made = self.server.cairn_json("account", "create")
        keys = (made["AccessKeyId"], made["SecretAccessKey"])
        done = self.server.cairn("gc", check=False, keys=keys)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("operator", done.stderr)
        self.assertEqual(self.server.cairn_json("du", keys=keys)["Account"]["StoredBytes"], 0)
        self.assertNotIn("Collection", self.server.cairn_json("status", keys=keys))
        self.assertIn("needed", self.server.cairn("gc", "--dry-run").stdout)
        self.assertIn("LOGICAL", self.server.cairn("du").stdout)
        self.assertIn("only by hand", self.server.cairn("status").stdout)


class BySchedule(CollectionTest):
    config = "[collection]\ninterval_seconds = 1\ngrace_seconds = 1\nrepack_below_percent = 100\n"

    def test_garbage_goes_by_itself(self):
        kept = self.upload({0: pattern("stays", BLOCK)})
        gone = self.upload({n: pattern(("goes", n), BLOCK) for n in range(80)})
        self.assertGreater(self.bytes_on_disk(), 80 * BLOCK)
        self.ec2.delete_snapshot(SnapshotId=gone)
        wait_for("the disk to get its bytes back", lambda: self.bytes_on_disk() < 2 * BLOCK, timeout=60)
        self.verified(kept)
        state = self.server.cairn_json("status")["Collection"]
        self.assertEqual((state["IntervalSeconds"], state["GraceSeconds"], state["RepackBelowPercent"]), (1, 1, 100))
        self.assertNotIn("Error", json.dumps(state["Last"]))
