"""`cairn import`: every format, byte for byte; hostile files; nothing stays behind."""

import contextlib
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

    def test_what_is_typed_wrong_is_told_before_anything_is_sent(self):
        before = self.nothing_left()
        done = self.server.cairn("import", self.raw, "--name", "x", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("InvalidAMIName.Malformed", done.stderr)
        done = self.server.cairn("import", self.raw, "--name", "fine", "--root-device-name", "/etc/fstab", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("/dev/xvda", done.stderr)
        self.assertEqual(self.nothing_left(), before)

    def test_an_image_that_cannot_be_registered_leaves_no_snapshot(self):
        """What only the server can refuse comes after the upload."""
        before = self.nothing_left()
        done = self.server.cairn("import", self.raw, "--name", "no such machine", "--architecture", "arm64",
                                 "--boot-mode", "legacy-bios", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("arm64", done.stderr)
        self.assertEqual(self.nothing_left(), before)

    def test_the_environment_alone_is_enough(self):
        keys = self.server.credentials()
        made = json.loads(self.server.cairn("import", self.raw, "--name", "by the environment", "--output", "json",
                                            keys=keys).stdout)
        self.assert_same_blocks(self.blocks_of(made["SnapshotId"]), CONTENT)

    def test_a_disk_ends_where_its_file_ends(self):
        """Not at a sector's end, nor at a block's: what is missing is zeros."""
        odd = self.temp / "odd.raw"
        odd.write_bytes(pattern("odd", 3 * BLOCK // 2 + 13))
        made = self.server.cairn_json("import", odd, "--snapshot-only")
        whole = odd.read_bytes().ljust(2 * BLOCK, b"\0")
        self.assert_same_blocks(self.blocks_of(made["SnapshotId"]), {0: whole[:BLOCK], 1: whole[BLOCK:]})
        odd.unlink()

    def test_great_disks_are_imported_and_those_too_great_are_not(self):
        for size, code in (("1T", 0), ("65T", 7), ("900P", 7)):
            path = self.temp / f"{size}.qcow2"
            subprocess.run([self.qemu_img, "create", "-q", "-f", "qcow2", "-o", "cluster_size=2M", path, size], check=True)
            done = self.server.cairn("import", path, "--snapshot-only", "--output", "json", check=False, timeout=60)
            self.assertEqual(done.returncode, code, done.stderr)
            path.unlink()
            if code == 0:
                self.assertEqual(json.loads(done.stdout)["VolumeSize"], 1024)
            else:
                self.assertIn("at most 65536", done.stderr)

    def test_a_disk_for_uefi_alone_says_so(self):
        disk = sparse_disk(self.temp / "uefi.raw", 1, {})
        subprocess.run([need("sfdisk", "apt install fdisk"), "-q", disk], text=True, check=True,
                       input="label: gpt\ntype=C12A7328-F81F-11D2-BA4B-00A0C93EC93B\n",
                       env=clean_environment() | {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
        for name, wanted, *arguments in (("told", "uefi"), ("asked", "legacy-bios", "--boot-mode", "legacy-bios")):
            made = self.server.cairn_json("import", disk, "--name", f"uefi {name}", *arguments)
            image = self.ec2.describe_images(ImageIds=[made["ImageId"]])["Images"][0]
            self.assertEqual((image["BootMode"], made["BootMode"]), (wanted, wanted))
        disk.unlink()

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
        """The header alone says so. Making a real one measures the processor, and fails on a busy machine."""
        path = self.convert("luks.qcow2", "-O", "qcow2")
        with open(path, "r+b") as file:
            file.seek(32)
            file.write(struct.pack(">I", 2))
        self.refused_file(path, saying="encrypted")

    def test_truncated_files_are_refused(self):
        for name, arguments in {"t.qcow2": ["-O", "qcow2"], "t.vmdk": ["-O", "vmdk", "-o", "subformat=streamOptimized"],
                                "t.vhd": ["-O", "vpc"], "t.vhdx": ["-O", "vhdx"], "m.vmdk": ["-O", "vmdk"]}.items():
            with self.subTest(name):
                path = self.convert(name, *arguments)
                os.truncate(path, path.stat().st_size * 2 // 3)
                self.refused_file(path)
        # A fixed VHD is the raw disk and a footer; without that, only its name tells.
        fixed = self.convert("fixed.vhd", "-O", "vpc", "-o", "force_size=on,subformat=fixed")
        os.truncate(fixed, fixed.stat().st_size - 512)
        self.refused_file(fixed, saying="--format raw")
        self.server.cairn("import", fixed, "--format", "raw", "--snapshot-only")
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
        pipe = self.temp / "pipe"
        os.mkfifo(pipe)
        self.refused_file(pipe, saying="neither a file nor a block device")
        self.refused_file("/dev/zero", saying="neither a file nor a block device")

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

    def test_ctrl_c_while_unpacking_ends_both_programs(self):
        """Sent to the process group, as a terminal does."""
        path = self.temp / "slow.qcow2"
        subprocess.run([self.qemu_img, "create", "-q", "-f", "qcow2", "-o", "preallocation=metadata", path, "512G"],
                       check=True)
        before, files = self.nothing_left(), set(self.temp.iterdir())
        process = subprocess.Popen([binary(), "--data", self.server.data, "import", path, "--name", "never",
                                    "--temp-dir", self.temp], env=clean_environment(), stderr=subprocess.PIPE, text=True,
                                   start_new_session=True)
        wait_for("qemu-img to run", lambda: self.unpackers(process.pid))
        unpackers = self.unpackers(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        _, complaint = process.communicate(timeout=60)
        self.assertEqual((process.returncode, complaint), (130, "cairn: interrupted\n"))
        wait_for("qemu-img to end", lambda: not any(self.is_running(pid) for pid in unpackers))
        self.assertEqual((self.nothing_left(), set(self.temp.iterdir())), (before, files))
        path.unlink()

    def unpackers(self, parent):
        """Process ids of a process's children that are `qemu-img` by now."""
        children = pathlib.Path(f"/proc/{parent}/task").glob("*/children")
        pids = [int(pid) for file in children for pid in file.read_text().split()]
        return [pid for pid in pids if self.is_running(pid)]

    def is_running(self, pid):
        with contextlib.suppress(OSError):
            return "qemu-img" == pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
        return False

    def test_a_terminal_sees_progress(self):
        """On a terminal a bar shows how far it is, and leaves the line to what comes after it."""
        dense = self.temp / "bar.raw"
        with open(dense, "wb") as file:
            for i in range(200):
                file.write(pattern(("bar", i), BLOCK))
        for arguments, code in ((["--snapshot-only"], 0), (["--name", "bar", "--architecture", "arm64",
                                                            "--boot-mode", "legacy-bios"], 1)):
            seen, done = self.on_terminal("import", dense, "--parallel", "1", *arguments)
            self.assertEqual(done.returncode, code, seen)
            self.assertIn("MiB/100.00 MiB", seen)
            shown = seen.rsplit("\r", 1)[-1] if code == 0 else seen
            self.assertNotIn("left", shown.splitlines()[-1], seen)
        dense.unlink()

    def on_terminal(self, *arguments):
        """Runs a command with a terminal as its standard error; what that shows, and the process."""
        ours, theirs = os.openpty()
        process = subprocess.Popen([binary(), "--data", self.server.data, *map(str, arguments)], stdout=subprocess.DEVNULL,
                                   stdin=subprocess.DEVNULL, stderr=theirs, env=clean_environment() | {"TERM": "xterm"})
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError), open(ours, "rb", 0) as terminal:
            while part := terminal.read(65536):
                seen += part
        process.wait(60)
        return seen.decode(errors="replace"), process

    def test_json_is_one_line(self):
        done = self.server.cairn("import", self.raw, "--snapshot-only", "--output", "json")
        self.assertEqual(done.stdout.count("\n"), 1)
        self.assertTrue(json.loads(done.stdout)["SnapshotId"].startswith("snap-"))
