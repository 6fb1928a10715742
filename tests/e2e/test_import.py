"""`cairn import`: every format, byte for byte; hostile files; nothing stays behind."""

import json
import os
import pathlib
import signal
import struct
import subprocess

from .harness import BLOCK, GIB, ServerTest, binary, clean_environment, need, pattern, sparse_disk, wait_for

CONTENT = {0: pattern("boot", BLOCK), 2: pattern("two", BLOCK), 900: pattern("late", BLOCK), 1023: pattern("end", BLOCK)}


class Import(ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.qemu_img = need("qemu-img", "apt install qemu-utils")
        cls.raw = cls.temp / "disk.raw"
        sparse_disk(cls.raw, 1, CONTENT)
        os.truncate(cls.raw, GIB // 2)

    def convert(self, name, *arguments):
        path = self.temp / name
        subprocess.run([self.qemu_img, "convert", "-f", "raw", *arguments, self.raw, path], check=True)
        return path

    def nothing_left(self):
        """No snapshot and no image but those there were before."""
        return (sorted(s["SnapshotId"] for s in self.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]),
                sorted(i["ImageId"] for i in self.ec2.describe_images(Owners=["self"])["Images"]))

    def refused_file(self, path, *arguments, saying="", code=7):
        before, files = self.nothing_left(), set(self.temp.iterdir())
        done = self.server.cairn("import", path, "--name", f"bad {pathlib.Path(path).name}", "--temp-dir", self.temp,
                                 *arguments, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertIn(saying, done.stderr)
        self.assertNotIn("panicked", done.stderr)
        self.assertEqual(self.nothing_left(), before)
        self.assertEqual(set(self.temp.iterdir()), files)

    def test_every_format_becomes_the_same_disk(self):
        files = {
            "raw": self.raw,
            "qcow2": self.convert("d.qcow2", "-O", "qcow2", "-c"),
            "vmdk": self.convert("d.vmdk", "-O", "vmdk"),
            "vmdk stream": self.convert("s.vmdk", "-O", "vmdk", "-o", "subformat=streamOptimized"),
            "vpc": self.convert("d.vhd", "-O", "vpc", "-o", "force_size=on"),
            "vpc fixed": self.convert("f.vhd", "-O", "vpc", "-o", "force_size=on,subformat=fixed"),
            "vhdx": self.convert("d.vhdx", "-O", "vhdx"),
        }
        digests = set()
        for name, path in files.items():
            with self.subTest(name):
                made = self.server.cairn_json("import", path, "--name", f"from {name}", "--description", name,
                                              "--boot-mode", "legacy-bios")
                self.assertEqual((made["Format"], made["VolumeSize"]), (name.split()[0], 1))
                self.assert_same_blocks(self.blocks_of(made["SnapshotId"]), CONTENT)
                image = self.ec2.describe_images(ImageIds=[made["ImageId"]])["Images"][0]
                self.assertEqual((image["Name"], image["Architecture"], image["BootMode"], image["RootDeviceName"]),
                                 (f"from {name}", "x86_64", "legacy-bios", "/dev/xvda"))
                self.assertEqual(image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"], made["SnapshotId"])
                digests.add(self.server.cairn_json("verify", made["SnapshotId"])["Digest"])
        self.assertEqual(len(digests), 1)

    def test_a_snapshot_only(self):
        made = self.server.cairn_json("import", self.raw, "--snapshot-only")
        self.assertNotIn("ImageId", made)
        self.assert_same_blocks(self.blocks_of(made["SnapshotId"]), CONTENT)

    def test_output_for_people_and_silence_in_a_pipe(self):
        done = self.server.cairn("import", self.raw, "--name", "for people", "--architecture", "arm64")
        self.assertRegex(done.stdout, r"^snapshot  snap-[0-9a-f]{17}\nimage     ami-[0-9a-f]{17}\n$")
        self.assertEqual(done.stderr, "")

    def test_an_empty_disk_has_no_blocks(self):
        empty = sparse_disk(self.temp / "empty.raw", 3, {})
        made = self.server.cairn_json("import", empty, "--snapshot-only")
        self.assertEqual((made["VolumeSize"], made["Blocks"]), (3, 0))
        self.assertEqual(self.blocks_of(made["SnapshotId"]), {})
        empty.unlink()

    def test_a_taken_name_is_told_before_anything_is_sent(self):
        self.server.cairn("import", self.raw, "--name", "taken")
        before = self.nothing_left()
        done = self.server.cairn("import", self.raw, "--name", "taken", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("already in use", done.stderr)
        self.assertEqual(self.nothing_left(), before)

    def test_a_bad_name_leaves_no_snapshot(self):
        before = self.nothing_left()
        done = self.server.cairn("import", self.raw, "--name", "x", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("InvalidAMIName.Malformed", done.stderr)
        self.assertEqual(self.nothing_left(), before)

    def test_files_that_refer_to_others_are_refused(self):
        secret = self.temp / "secret"
        secret.write_bytes(b"do not read me" * 5000)
        overlay = self.temp / "overlay.qcow2"
        subprocess.run([self.qemu_img, "create", "-q", "-f", "qcow2", "-b", secret, "-F", "raw", overlay, "1G"], check=True)
        self.refused_file(overlay, saying="backing file")
        external = self.temp / "external.qcow2"
        subprocess.run([self.qemu_img, "create", "-q", "-f", "qcow2", "-o", f"data_file={secret},data_file_raw=on",
                        external, "1G"], check=True)
        self.refused_file(external, saying="another file")
        descriptor = self.temp / "flat.vmdk"
        descriptor.write_text("# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n"
                              f'createType="monolithicFlat"\nRW 100 FLAT "{secret}" 0\n')
        self.refused_file(descriptor, saying="extents")
        self.refused_file(descriptor, "--format", "vmdk", saying="extents")
        # A sparse header without a disk of its own, around a descriptor that names the secret.
        wrapped = self.temp / "wrapped.vmdk"
        header = bytearray(512)
        struct.pack_into("<4sIIQQQQ", header, 0, b"KDMV", 1, 3, 0, 128, 1, 20)
        wrapped.write_bytes(bytes(header) + descriptor.read_bytes().ljust(20 * 512, b"\0"))
        self.refused_file(wrapped, saying="one file")

    def test_encrypted_files_are_refused(self):
        path = self.temp / "luks.qcow2"
        subprocess.run([self.qemu_img, "create", "-q", "--object", "secret,id=s,data=x", "-f", "qcow2",
                        "-o", "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10", path, "16M"], check=True)
        self.refused_file(path, saying="encrypted")

    def test_truncated_files_are_refused(self):
        for name, arguments in {"t.qcow2": ["-O", "qcow2"], "t.vmdk": ["-O", "vmdk", "-o", "subformat=streamOptimized"],
                                "t.vhd": ["-O", "vpc"], "t.vhdx": ["-O", "vhdx"], "m.vmdk": ["-O", "vmdk"]}.items():
            with self.subTest(name):
                path = self.convert(name, *arguments)
                os.truncate(path, path.stat().st_size * 2 // 3)
                self.refused_file(path)
        partitioned = self.temp / "cut.raw"
        sparse_disk(partitioned, 1, {})
        subprocess.run([need("sfdisk", "apt install fdisk"), "-q", partitioned], input="label: gpt\n,\n", text=True,
                       check=True, env=clean_environment() | {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
        os.truncate(partitioned, GIB // 2)
        self.refused_file(partitioned, saying="truncated")

    def test_what_is_no_disk_is_refused(self):
        for name, content, saying in (("e", b"", "empty"), ("g.gz", b"\x1f\x8b\x08" + bytes(600), "unpack"),
                                      ("z.zip", b"PK\x03\x04" + bytes(600), "archive")):
            path = self.temp / name
            path.write_bytes(content)
            self.refused_file(path, saying=saying)
        self.refused_file(self.temp, saying="neither a file nor a block device")
        self.refused_file(self.temp / "nowhere", saying="No such file", code=1)
        self.refused_file(self.raw, "--format", "qcow2", saying="not a qcow2 file")

    def test_a_format_that_is_named_is_believed_for_raw_only(self):
        """A raw disk that begins like a qcow2 file with a backing file is only bytes."""
        disguised = self.temp / "disguised.raw"
        head = struct.pack(">4sIQIIQ", b"QFI\xfb", 3, 104, 11, 16, GIB).ljust(BLOCK, b"x")
        sparse_disk(disguised, 1, {0: head})
        self.refused_file(disguised, saying="backing file")
        made = self.server.cairn_json("import", disguised, "--format", "raw", "--snapshot-only")
        self.assert_same_blocks(self.blocks_of(made["SnapshotId"]), {0: head})
        disguised.unlink()

    def test_a_garbled_header_does_no_harm(self):
        good = self.convert("fuzz.qcow2", "-O", "qcow2").read_bytes()[: 4 << 20]
        for seed in range(20):
            garbled = bytearray(good)
            for position in pattern(("garble", seed), 24):
                garbled[4 + position % 100] = pattern((seed, position), 1)[0]
            path = self.temp / f"garbled-{seed}.qcow2"
            path.write_bytes(garbled)
            done = self.server.cairn("import", path, "--snapshot-only", check=False)
            self.assertIn(done.returncode, (0, 1, 7), done.stderr)
            self.assertNotIn("panicked", done.stderr)
            if done.returncode:
                self.assertTrue(done.stderr.startswith("cairn: "), done.stderr)
            path.unlink()

    def test_ctrl_c_leaves_nothing_behind(self):
        dense = self.temp / "dense.raw"
        with open(dense, "wb") as file:
            for i in range(1500):
                file.write(pattern(("dense", i), BLOCK))
        before = self.nothing_left()
        process = subprocess.Popen([binary(), "--data", self.server.data, "import", dense, "--name", "never",
                                    "--parallel", "1"], env=clean_environment(), stderr=subprocess.PIPE, text=True)
        wait_for("the upload to begin", lambda: self.nothing_left() != before)
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, complaint)
        self.assertEqual(self.nothing_left(), before)
        dense.unlink()

    def test_json_is_one_line(self):
        done = self.server.cairn("import", self.raw, "--snapshot-only", "--output", "json")
        self.assertEqual(done.stdout.count("\n"), 1)
        self.assertTrue(json.loads(done.stdout)["SnapshotId"].startswith("snap-"))
