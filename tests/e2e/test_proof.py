"""Proof and repair: signed digests checked offline, scrubs, metadata rebuilt, data of earlier versions."""

import base64
import contextlib
import hashlib
import json
import os
import pathlib
import tarfile
import tempfile

from .harness import BLOCK, GIB, Server, ServerTest, binary, clean_environment, pattern, run, sparse_disk, wait_for

FIXTURES = pathlib.Path(__file__).resolve().parent / "fixtures"


def flip(path, at, mask=0x20):
    """Changes a bit of a file."""
    with open(path, "r+b") as file:
        file.seek(at, os.SEEK_END if at < 0 else os.SEEK_SET)
        at = file.tell()
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ mask]))


class Offline(ServerTest):
    """A disk against an attestation, with no server and no data directory."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.blocks = {0: pattern("boot", BLOCK), 3: pattern("data", BLOCK), 2047: pattern("end", BLOCK)}
        case = cls()
        cls.snapshot = case.upload(cls.blocks, Description="to be proven")
        cls.attestation = cls.temp / "snap.attestation"
        case.server.cairn("verify", cls.snapshot, "--export", cls.attestation)
        cls.key = cls.temp / "cairn.pub"
        cls.key.write_text(case.server.cairn_json("status")["PublicKey"])
        cls.disk = sparse_disk(cls.temp / "disk.raw", 1, cls.blocks)
        assert case.server.stop() == 0

    def runTest(self):
        """So that the class can be made for its helpers alone."""

    def offline(self, disk=None, attestation=None, key=None, trusted=True):
        arguments = ["verify", "--offline", disk or self.disk, "--attestation", attestation or self.attestation]
        if trusted:
            arguments += ["--public-key", key or self.key]
        return run([binary(), *arguments, "--output", "json"], clean_environment(), check=False)

    def assert_refused(self, done, *words, code=4):
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        for word in words:
            self.assertIn(word, done.stderr)

    def copy(self, name):
        path = self.temp / name
        # Sparse, as the original is.
        return sparse_disk(path, 1, self.blocks)

    def test_an_exported_disk_is_proven(self):
        for trusted in (True, False):
            done = self.offline(trusted=trusted)
            self.assertEqual(done.returncode, 0, done.stderr)
            found = json.loads(done.stdout)
            self.assertEqual((found["SnapshotId"], found["Ok"]), (self.snapshot, True))
            self.assertEqual(found["KeyTrusted"], trusted)
        attestation = json.loads(self.attestation.read_text())
        self.assertEqual((found["Digest"], found["SizeBytes"]), (attestation["Digest"], GIB))

    def test_the_key_is_in_the_data_directory_too(self):
        public = self.server.data / "signing-key.pub"
        self.assertEqual(self.key.read_text(), public.read_text())
        private = self.server.data / "signing-key.pem"
        self.assertEqual(private.stat().st_mode & 0o777, 0o600)
        # By the server's umask: nothing in the data directory is for others. `cairn status` hands it out.
        self.assertEqual(public.stat().st_mode & 0o777, 0o600)

    def test_a_changed_byte_is_found(self):
        for at in (5, 3 * BLOCK + 100, GIB - 1, 100 * BLOCK):
            disk = self.copy("changed.raw")
            flip(disk, at)
            self.assert_refused(self.offline(disk), "not the content", self.snapshot)

    def test_another_size_is_told(self):
        for size, word in ((GIB - 512, "shorter"), (GIB + 512, "longer"), (0, "shorter")):
            disk = self.copy("resized.raw")
            os.truncate(disk, size)
            self.assert_refused(self.offline(disk), word, str(size), str(GIB))

    def test_no_field_can_be_changed(self):
        good = json.loads(self.attestation.read_text())
        other = {
            "Format": "cairn attestation v2", "SnapshotId": "snap-0123456789abcdef0", "VolumeId": "vol-0123456789abcdef0",
            "Account": "000000000000", "SizeBytes": 2 * GIB, "Digest": "00" * 32,
            "CompletionTime": "2020-01-01T00:00:00.000Z", "Signature": base64.b64encode(bytes(64)).decode(),
            "PublicKey": good["PublicKey"][:-4] + "AAA=",
        }
        self.assertEqual(set(other), set(good))
        for field, value in other.items():
            for changed in (good | {field: value}, {k: v for k, v in good.items() if k != field}):
                path = self.temp / "changed.attestation"
                path.write_text(json.dumps(changed))
                for trusted in (True, False):
                    self.assert_refused(self.offline(attestation=path, trusted=trusted))

    def test_another_key_is_refused_and_named(self):
        other = self.temp / "other.pub"
        with contextlib.ExitStack() as stack:
            data = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory())) / "data"
            server = Server(data)
            stack.callback(server.dispose)
            server.start()
            other.write_text(server.cairn_json("status")["PublicKey"])
            server.stop()
        self.assert_refused(self.offline(key=other), "is signed by the key")
        other.write_text("no key at all")
        self.assert_refused(self.offline(key=other), "no Ed25519 public key", code=2)

    def test_what_is_no_attestation_is_refused(self):
        path = self.temp / "rubbish"
        for rubbish in (b"", b"\0" * 100_000, b"[" * 10_000, b"{}", b"null", os.urandom(500)):
            path.write_bytes(rubbish)
            self.assert_refused(self.offline(attestation=path), "no attestation")
        self.assert_refused(self.offline(attestation=self.temp / "absent"), "absent", code=1)
        self.assert_refused(self.offline(disk=self.temp / "absent"), "absent", code=1)

    def test_wrong_usage(self):
        for arguments in ([], ["--offline", self.disk], [self.snapshot, "--offline", self.disk, "--attestation", self.attestation],
                          [self.snapshot, "--public-key", self.key]):
            done = run([binary(), "verify", *arguments], clean_environment(), check=False)
            self.assertEqual(done.returncode, 2, arguments)


class Scrub(ServerTest):
    def setUp(self):
        super().setUp()
        self.packs = self.server.data / "regions/us-east-1/packs"

    def sealed(self, before=()):
        """Restarts the server, which seals its packs, and gives the data packs that are new."""
        self.assertEqual(self.server.stop(), 0, self.server.log_tail())
        self.server.start()
        return sorted(set(self.packs.glob("*.data")) - set(before))

    def scrub(self, code, *arguments):
        done = self.server.cairn("scrub", *arguments, "--output", "json", check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_rot_is_found_named_and_healed(self):
        hurt = {1: pattern("hurt", BLOCK), 2: pattern("shared", BLOCK)}
        first = self.upload(hurt)
        [pack] = self.sealed()
        image = self.ec2.register_image(
            Name="hurt", RootDeviceName="/dev/sda1",
            BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": first}}])["ImageId"]
        other = self.upload({5: pattern("whole", BLOCK)})
        self.sealed()
        clean = self.scrub(0)
        self.assertEqual((clean["Findings"], clean["Snapshots"]), ([], []))
        self.assertEqual(clean["Run"]["Packs"], 4)

        flip(pack, 64 + 64 + 1000)
        found = self.scrub(4)
        self.assertEqual([s["SnapshotId"] for s in found["Snapshots"]], [first])
        self.assertEqual(found["Images"], [image])
        [finding] = found["Findings"]
        self.assertTrue(finding["Unreadable"])
        self.assertEqual(finding["File"], f"packs/{pack.name}")
        self.assertEqual(self.scrub(4, "--status")["Findings"], [finding])
        self.assertIn("1 blobs cannot be read", self.server.cairn("status").stdout)
        self.assertEqual(self.server.cairn("verify", first, check=False).returncode, 4)
        self.assertEqual(self.server.cairn("verify", other).returncode, 0)

        again = self.upload(hurt)
        for snapshot in (first, again):
            self.assertEqual(self.server.cairn("verify", snapshot).returncode, 0)
        self.assert_same_blocks(self.blocks_of(first), hurt)
        healed = self.scrub(0, "--status")
        self.assertEqual((healed["Findings"], healed["Healed"], healed["BadBlobs"]), ([], 1, 0))

        # The footer of a pack: no reader looks at it.
        flip(pack, -1)
        found = self.scrub(4)
        self.assertEqual([f["Unreadable"] for f in found["Findings"]], [False, False])
        self.assertEqual(found["Snapshots"], [])
        self.ec2.deregister_image(ImageId=image)

    def test_only_the_operator_may(self):
        account = self.server.cairn_json("account", "create")
        keys = (account["AccessKeyId"], account["SecretAccessKey"])
        for arguments in ([], ["--status"]):
            done = self.server.cairn("scrub", *arguments, check=False, keys=keys)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("operator", done.stderr)


class Recover(ServerTest):
    def test_snapshots_come_back_byte_for_byte(self):
        account = self.server.cairn_json("account", "create", "--name", "backup")
        other_keys = (account["AccessKeyId"], account["SecretAccessKey"])
        own = {0: pattern("own", BLOCK), 9: pattern("nine", BLOCK)}
        mine = self.upload(own, Description="mine", Tags=[{"Key": "k", "Value": "v"}])
        gone = self.upload({1: pattern("gone", BLOCK)})
        west = self.server.client("ebs", region="us-west-2")
        theirs_ebs = self.server.client("ebs", keys=other_keys)
        theirs = {0: pattern("own", BLOCK), 4: pattern("theirs", BLOCK)}
        their = self.start_upload(theirs_ebs, theirs)
        far = self.start_upload(west, own)
        self.ec2.delete_snapshot(SnapshotId=gone)
        wait_for("the records", lambda: sorted(p.name for p in self.records("us-east-1")) == sorted([mine, their])
                 and [p.name for p in self.records("us-west-2")] == [far])
        before = self.ec2.describe_snapshots(SnapshotIds=[mine])["Snapshots"]
        digest = self.server.cairn_json("verify", mine)["Digest"]
        key = self.server.cairn_json("status")["PublicKey"]
        data = self.server.data
        running = run([binary(), "--data", data, "recover", "--force"], clean_environment(), check=False)
        self.assertEqual(running.returncode, 6, running.stderr)

        self.server.kill()
        self.assertEqual(self.recover(code=2).stdout, "")
        for lost in data.glob("*.db*"):
            lost.unlink()
        # A server that began anew would take everything for garbage.
        refused = run([binary(), "serve", "--data", data, "--listen", "127.0.0.1:0"], clean_environment(), check=False, timeout=60)
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn("cairn recover", refused.stderr)
        back = json.loads(self.recover().stdout)
        self.assertEqual(sorted(s["SnapshotId"] for s in back["Snapshots"]), sorted([mine, their, far]))
        self.assertEqual({s["UnreadableBlocks"] for s in back["Snapshots"]}, {0})
        keys = {a["AccountId"]: a for a in back["Accounts"]}
        self.assertEqual(keys[account["AccountId"]]["Name"], "backup")
        self.assertEqual([a["Operator"] for a in back["Accounts"]].count(True), 1)

        self.server.start()
        self.assertEqual(self.ec2.describe_snapshots(SnapshotIds=[mine])["Snapshots"], before)
        self.assertEqual(self.server.cairn_json("verify", mine)["Digest"], digest)
        self.assertEqual(self.server.cairn_json("status")["PublicKey"], key)
        self.assert_same_blocks(self.blocks_of(mine), own)
        self.assert_same_blocks(self.blocks_of(far, ebs=self.server.client("ebs", region="us-west-2")), own)
        new = keys[account["AccountId"]]
        new_keys = (new["AccessKeyId"], new["SecretAccessKey"])
        self.assert_same_blocks(self.blocks_of(their, ebs=self.server.client("ebs", keys=new_keys)), theirs)
        self.assertEqual(self.server.cairn("status", keys=other_keys, check=False).returncode, 1, "old keys are lost")
        self.refused("InvalidSnapshot.NotFound", self.ec2.describe_snapshots, SnapshotIds=[gone])
        after = self.upload({7: pattern("after", BLOCK)})
        self.assertEqual(self.server.cairn("verify", after).returncode, 0)
        self.server.cairn("scrub")

    def recover(self, *arguments, code=0):
        done = run([binary(), "--data", self.server.data, "recover", *arguments, "--output", "json"],
                   clean_environment(), check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def records(self, region):
        return list((self.server.data / "regions" / region / "snapshots").glob("snap-*"))

    def start_upload(self, ebs, blocks):
        from .harness import put_block
        snapshot = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
        for index, data in blocks.items():
            put_block(ebs, snapshot, index, data)
        ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=len(blocks))
        return snapshot


class EarlierVersions(ServerTest):
    """Data directories as earlier versions wrote them. `fixtures/README` tells how they were made."""

    @classmethod
    def setUpClass(cls):
        """Each archive has a server of its own."""

    def test_every_snapshot_verifies(self):
        archives = sorted(FIXTURES.glob("data-*.tar.xz"))
        self.assertTrue(archives)
        for archive in archives:
            with self.subTest(archive.name), tempfile.TemporaryDirectory(prefix="cairn-e2e-") as temp:
                temp = pathlib.Path(temp)
                with tarfile.open(archive) as tar:
                    # Older Pythons have no filters.
                    tar.extractall(temp, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
                expected = json.loads((temp / "expected.json").read_text())
                self.server = Server(temp / "data")
                try:
                    self.check(self.server.start(), expected)
                    self.check_recovery(self.server, len(expected["Snapshots"]) + 1)
                finally:
                    self.server.dispose()

    def check(self, server, expected):
        for snapshot in expected["Snapshots"]:
            keys, region = expected["Keys"][snapshot["Account"]], snapshot["Region"]
            report = server.cairn_json("verify", snapshot["SnapshotId"], "--region", region, keys=keys)
            self.assertEqual((report["Ok"], report["Digest"]), (True, snapshot["Digest"]))
            self.assertEqual(report["Attestation"]["Digest"], snapshot["Digest"])
            ebs = server.client("ebs", region=region, keys=keys)
            found = self.blocks_of(snapshot["SnapshotId"], ebs=ebs)
            self.assertEqual({str(i): hashlib.sha256(data).hexdigest() for i, data in found.items()}, snapshot["Blocks"])
        # The live volume, by a snapshot that is taken of it now.
        volume = expected["Volume"]
        keys = expected["Keys"][volume["Account"]]
        ec2 = server.client("ec2", keys=keys)
        taken = ec2.create_snapshot(VolumeId=volume["VolumeId"])["SnapshotId"]
        wait_for("the snapshot", lambda: ec2.describe_snapshots(SnapshotIds=[taken])["Snapshots"][0]["State"] == "completed")
        self.assertEqual(server.cairn_json("verify", taken, keys=keys)["Digest"], volume["Digest"])
        server.cairn("scrub")

    def check_recovery(self, server, count):
        """The upgrade has signed what was there, and given it its records."""
        records = server.data / "regions"
        wait_for("the records", lambda: len(list(records.glob("*/snapshots/snap-*"))) == count)
        self.assertEqual(server.stop(), 0)
        for lost in server.data.glob("*.db*"):
            lost.unlink()
        done = run([binary(), "--data", server.data, "recover", "--output", "json"], clean_environment())
        back = json.loads(done.stdout)["Snapshots"]
        self.assertEqual(len(back), count)
        self.assertEqual({(s["UnreadableBlocks"], s["SignatureOk"]) for s in back}, {(0, True)})
