"""coldsnap, unmodified: a disk goes up and comes down byte for byte."""

import os
import subprocess

from .harness import BLOCK, CACHE, GIB, ServerTest, need, pattern, sha256, sparse_disk


class Coldsnap(ServerTest):
    @classmethod
    def setUpClass(cls):
        cls.program = need(os.environ.get("CAIRN_COLDSNAP", CACHE / "coldsnap/bin/coldsnap"),
                           "cargo install coldsnap --version 0.12.0 --locked")
        super().setUpClass()

    def coldsnap(self, *arguments):
        done = subprocess.run([self.program, "--endpoint", self.server.endpoint, *map(str, arguments)],
                              env=self.server.environment(), capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout.strip()

    def test_a_disk_goes_up_and_comes_down(self):
        # coldsnap, built without optimisation, hashes holes slowly: the file is smaller than its volume.
        disk = sparse_disk(self.temp / "disk", 1, {i: pattern(i, BLOCK) for i in (0, 3, 4, 100, 199)})
        os.truncate(disk, 200 * BLOCK)
        snapshot = self.coldsnap("upload", "--wait", "--no-progress", disk)
        back = self.temp / "back"
        self.coldsnap("download", "--no-progress", snapshot, back)
        self.assertEqual(back.stat().st_size, GIB)
        os.truncate(back, 200 * BLOCK)
        self.assertEqual(sha256(back), sha256(disk))

    def test_a_dense_disk(self):
        with open(self.temp / "dense", "wb") as file:
            for i in range(64):
                file.write(pattern(("dense", i), BLOCK) if i % 7 else bytes(BLOCK))
        snapshot = self.coldsnap("upload", "--wait", "--no-progress", self.temp / "dense")
        self.coldsnap("download", "--no-progress", snapshot, self.temp / "dense-back")
        back = self.temp / "dense-back"
        self.assertEqual(back.stat().st_size, GIB)
        os.truncate(back, 64 * BLOCK)
        self.assertEqual(sha256(back), sha256(self.temp / "dense"))
