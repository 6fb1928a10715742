"""The command line: starting and stopping, accounts, env, verify, status, help, exit codes."""

import json
import os
import signal
import stat
import subprocess
import tempfile

from .harness import BLOCK, Server, ServerTest, binary, clean_environment, pattern, run, wait_for


class Serve(ServerTest):
    def test_the_first_start_shows_the_keys_once(self):
        shown = self.server.log_path.read_text()
        key, secret = self.server.credentials()
        self.assertEqual(shown.count(secret), 1)
        self.assertIn(f"export AWS_ENDPOINT_URL={self.server.endpoint} ", shown)
        self.assertIn(f"export AWS_ACCESS_KEY_ID={key}\n", shown)
        mode = stat.S_IMODE((self.server.data / "credentials").stat().st_mode)
        self.assertEqual(mode, 0o600)
        self.assertEqual(stat.S_IMODE(self.server.data.stat().st_mode), 0o700)

    def test_a_second_server_on_the_same_data_is_told_so(self):
        second = run([binary(), "serve", "--data", self.server.data, "--listen", "127.0.0.1:0"],
                     clean_environment(), check=False, timeout=30)
        self.assertEqual(second.returncode, 6, second.stderr)
        self.assertIn("in use", second.stderr)
        self.assertEqual(self.server.cairn("status").returncode, 0)

    def test_a_taken_address_is_told(self):
        with tempfile.TemporaryDirectory() as other:
            second = run([binary(), "serve", "--data", other, "--listen", self.server.listen],
                         clean_environment(), check=False, timeout=60)
            self.assertEqual(second.returncode, 1, second.stderr)
            self.assertIn("--listen", second.stderr)

    def test_env_makes_the_aws_cli_work(self):
        script = f'eval "$({binary()} --data {self.server.data} env)" && exec aws sts get-caller-identity --output json'
        done = run(["bash", "-c", script], clean_environment())
        identity = json.loads(done.stdout)
        self.assertRegex(identity["Account"], r"^\d{12}$")
        self.assertEqual(identity["Arn"], f"arn:aws:iam::{identity['Account']}:root")

    def test_env_takes_the_region(self):
        values = self.server.cairn_json("env", "--region", "eu-west-1")
        self.assertEqual((values["AWS_REGION"], values["AWS_DEFAULT_REGION"]), ("eu-west-1", "eu-west-1"))
        self.assertEqual(self.server.cairn("env", "--region", "mars-1", check=False).returncode, 2)

    def test_status_tells_version_and_accelerator(self):
        status = self.server.cairn_json("status")
        self.assertIn("tcg", json.dumps(status).lower())
        version = run([binary(), "--version"], clean_environment()).stdout.split()[1]
        self.assertIn(version, json.dumps(status))

    def test_commands_find_the_server_by_the_environment(self):
        environment = self.server.environment()
        done = run([binary(), "status", "--output", "json"], environment)
        self.assertTrue(json.loads(done.stdout))
        del environment["AWS_SECRET_ACCESS_KEY"]
        done = run([binary(), "status"], environment, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("AWS_SECRET_ACCESS_KEY", done.stderr)

    def test_no_server_has_an_exit_code_of_its_own(self):
        with tempfile.TemporaryDirectory() as empty:
            done = run([binary(), "--data", empty, "status"], clean_environment(), check=False)
            self.assertEqual(done.returncode, 5, done.stderr)
            self.assertIn("cairn serve", done.stderr)
        environment = self.server.environment() | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
        self.assertEqual(run([binary(), "status"], environment, check=False).returncode, 5)

    def test_an_id_that_is_none_is_refused_by_the_server(self):
        for wrong in ("snap-nonsense", "vol-0123456789abcdef0", "a b", "../status", "", "ä"):
            with self.subTest(wrong):
                done = self.server.cairn("verify", wrong, check=False)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertRegex(done.stderr, r"expecting .*snap-")

    def test_a_broken_standard_error_harms_nobody(self):
        """Whoever reads the log may go away; the server answers on, and exit codes stay what they are."""
        reading, writing = os.pipe()
        data = self.temp / "nobody-reads"
        process = subprocess.Popen([binary(), "serve", "--data", data, "--listen", "127.0.0.1:0", "--accelerator", "tcg",
                                    "--log", "debug"], env=clean_environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=writing)
        os.close(writing)
        os.close(reading)
        try:
            wait_for("the address", lambda: (data / "endpoint").exists() or process.poll() is not None)
            for _ in range(3):
                run([binary(), "--data", data, "status"], clean_environment())
        finally:
            process.terminate()
            self.assertEqual(process.wait(60), 0)
        done = subprocess.run(["sh", "-c", f"{binary()} --data {self.temp / 'nothing'} status 2>&-"], timeout=30,
                              env=clean_environment())
        self.assertEqual(done.returncode, 5)

    def test_what_is_kept_is_for_its_owner_alone(self):
        """Also in a directory that was made before, for others to look into."""
        server = Server(self.temp / "open")
        server.data.mkdir(mode=0o755)
        server.data.chmod(0o755)
        self.addCleanup(server.dispose)
        server.start()
        disk = self.temp / "small.raw"
        disk.write_bytes(pattern("small", BLOCK))
        server.cairn("import", disk, "--snapshot-only")
        found = [path for path in server.data.rglob("*") if not path.is_symlink()]
        self.assertTrue([path for path in found if ".data" in path.suffixes], found)
        self.assertEqual([path for path in found if path.stat().st_mode & 0o077], [])
        self.assertEqual(server.stop(), 0)

    def test_a_data_directory_that_cannot_be_is_told(self):
        file = self.temp / "a-file"
        file.write_text("")
        for data in (file, file / "below", "/proc/cairn"):
            done = run([binary(), "serve", "--data", data, "--listen", "127.0.0.1:0"], clean_environment(), check=False,
                       timeout=60)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(str(data), done.stderr)

    def test_every_command_has_help(self):
        top = run([binary(), "--help"], clean_environment()).stdout
        for command in ("serve", "env", "account", "import", "verify", "gc", "du", "status", "ssh", "completions"):
            self.assertIn(f"\n  {command} ", top)
            self.assertIn("Usage:", run([binary(), command, "--help"], clean_environment()).stdout)
        self.assertNotIn("metadata-link", top)
        self.assertIn("nothing stays behind", run([binary(), "import", "--help"], clean_environment()).stdout)

    def test_completions_complete(self):
        script = self.temp / "completions.bash"
        script.write_text(run([binary(), "completions", "bash"], clean_environment()).stdout)
        for words, wanted in ((["imp"], "import"), (["import", "--boot"], "--boot-mode"),
                              (["import", "--format", "vm"], "vmdk"), (["account", "cr"], "create")):
            typed = " ".join(["cairn", *words])
            asked = (f'source {script}; COMP_WORDS=({typed}) COMP_CWORD={len(words)}; '
                     f'_cairn cairn {words[-1]} {([""] + ["cairn", *words])[-2]}; echo "${{COMPREPLY[*]}}"')
            done = run(["bash", "-c", asked], clean_environment(), timeout=30)
            self.assertIn(wanted, done.stdout.split(), typed)
        for shell, wanted in (("bash", "_cairn"), ("zsh", "#compdef cairn"), ("fish", "complete -c cairn")):
            script = run([binary(), "completions", shell], clean_environment()).stdout
            self.assertIn(wanted, script)
            self.assertIn("--boot-mode" if shell != "fish" else "-l boot-mode", script)
            self.assertNotRegex(script, "metadata.link")

    def test_a_reader_that_goes_away_is_no_failure(self):
        for command in ("status", "env", "completions bash", "--help"):
            piped = f"{binary()} --data {self.server.data} {command} | true; exit ${{PIPESTATUS[0]}}"
            done = run(["bash", "-c", piped], clean_environment(), check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), command)

    def test_wrong_usage(self):
        for arguments in (["nonsense"], ["import"], ["serve", "--listen", "localhost"], ["account"]):
            self.assertEqual(run([binary(), *arguments], clean_environment(), check=False).returncode, 2, arguments)


class Stop(ServerTest):
    def test_signals_end_it_in_order(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.server.process.send_signal(number)
            self.assertEqual(self.server.process.wait(60), 0, self.server.log_tail())
            self.assertFalse((self.server.data / "endpoint").exists())
            done = self.server.cairn("status", check=False)
            self.assertEqual(done.returncode, 5)
            self.server.start()

    def test_a_killed_server_starts_again_and_shows_no_keys(self):
        self.server.kill()
        # Its address is still there; nobody answers, and `eval` gets nothing that leads nowhere.
        self.assertEqual(self.server.cairn("status", check=False).returncode, 5)
        done = self.server.cairn("env", check=False)
        self.assertEqual((done.returncode, done.stdout), (5, ""), done.stderr)
        self.assertIn(self.server.endpoint, done.stderr)
        before = self.server.credentials()
        length = self.server.log_path.stat().st_size
        self.server.start()
        self.assertEqual(self.server.credentials(), before)
        with open(self.server.log_path) as log:
            log.seek(length)
            self.assertNotIn(before[1], log.read())


    def test_keys_that_were_not_kept_are_kept_at_the_next_start(self):
        """A server killed between the account and its file must not lock everybody out."""
        before = self.server.credentials()
        self.server.kill()
        (self.server.data / "credentials").unlink()
        length = self.server.log_path.stat().st_size
        self.server.start()
        self.assertEqual(self.server.credentials(), before)
        self.assertEqual(stat.S_IMODE((self.server.data / "credentials").stat().st_mode), 0o600)
        self.assertEqual(self.server.cairn("status").returncode, 0)
        with open(self.server.log_path) as log:
            log.seek(length)
            self.assertNotIn(before[1], log.read())


class SettingsFile(ServerTest):
    def test_the_file_is_read_and_flags_win(self):
        data = self.temp / "other"
        data.mkdir(mode=0o700)
        (data / "config.toml").write_text('listen = "127.0.0.1:0"\nregion = "eu-north-1"\naccelerator = "tcg"\n')
        process = subprocess.Popen([binary(), "serve", "--data", data, "--region", "eu-west-3", "--output", "json"],
                                   env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            first = json.loads(process.stdout.readline())
            self.assertEqual(first["Region"], "eu-west-3")
            wait_for("the address", (data / "endpoint").exists)
            self.assertEqual((data / "endpoint").read_text().strip(), first["Endpoint"])
            named = json.loads(run([binary(), "--data", data, "env", "--output", "json"], clean_environment()).stdout)
            self.assertEqual((named["AWS_ENDPOINT_URL"], named["AWS_REGION"]), (first["Endpoint"], "eu-west-3"))
            environment = clean_environment() | {"AWS_REGION": "eu-west-1"}
            self.assertIn("AWS_REGION=eu-west-1 ", run([binary(), "--data", data, "env"], environment).stdout)
        finally:
            process.terminate()
            self.assertEqual(process.wait(60), 0)
            process.stdout.close()


class Verify(ServerTest):
    def test_a_good_snapshot_is_good(self):
        blocks = {i: pattern(i, BLOCK) for i in range(20)}
        snapshot = self.upload(blocks)
        report = self.server.cairn_json("verify", snapshot)
        self.assertTrue(report["Ok"], report)
        self.assertEqual(report["BadBlocks"], [])
        self.assertRegex(report["Digest"], r"[0-9a-f]{64}")
        self.assertEqual(self.server.cairn_json("verify", self.upload(blocks))["Digest"], report["Digest"])
        blocks[3] = pattern("other", BLOCK)
        self.assertNotEqual(self.server.cairn_json("verify", self.upload(blocks))["Digest"], report["Digest"])

    def test_unknown_snapshots_are_not_found(self):
        done = self.server.cairn("verify", "snap-0123456789abcdef0", check=False)
        self.assertEqual(done.returncode, 3, done.stderr)

    def test_a_flipped_bit_on_disk_is_found(self):
        """Breaks one byte of a pack behind the server's back: verify must name the block."""
        blocks = {i: pattern(("flip", i), BLOCK) for i in range(8)}
        snapshot = self.upload(blocks)
        self.assertTrue(self.server.cairn_json("verify", snapshot)["Ok"])
        self.assertEqual(self.server.stop(), 0)
        # Blocks that do not compress lie in the pack as they are.
        wanted = blocks[5][1000:1064]
        broken = 0
        for pack in sorted(self.server.data.glob("regions/us-east-1/packs/**/*")):
            data = pack.read_bytes() if pack.is_file() else b""
            position = data.find(wanted)
            if position >= 0:
                with open(pack, "r+b") as file:
                    file.seek(position)
                    file.write(bytes([data[position] ^ 1]))
                broken += 1
        self.assertGreater(broken, 0, "the block's bytes are in no pack")
        self.server.start()
        done = self.server.cairn("verify", snapshot, "--output", "json", check=False)
        self.assertEqual(done.returncode, 4, done.stdout + done.stderr)
        report = json.loads(done.stdout)
        self.assertFalse(report["Ok"])
        self.assertEqual([bad["BlockIndex"] for bad in report["BadBlocks"]], [5])


class Accounts(ServerTest):
    def test_accounts_see_nothing_of_one_another(self):
        made = self.server.cairn_json("account", "create", "--name", "second")
        self.assertEqual(set(made) - {"Name"}, {"AccountId", "AccessKeyId", "SecretAccessKey"})
        keys = made["AccessKeyId"], made["SecretAccessKey"]
        theirs, ours = self.server.client("ec2", keys=keys), self.ec2
        identity = self.server.client("sts", keys=keys).get_caller_identity()
        self.assertEqual(identity["Account"], made["AccountId"])
        volume = ours.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        self.available(volume)
        snapshot = self.upload({0: pattern("secret", BLOCK)})
        self.refused("InvalidVolume.NotFound", theirs.describe_volumes, VolumeIds=[volume])
        self.refused("InvalidVolume.NotFound", theirs.delete_volume, VolumeId=volume)
        self.refused("InvalidSnapshot.NotFound", theirs.describe_snapshots, SnapshotIds=[snapshot])
        self.refused("InvalidSnapshot.NotFound", theirs.create_volume, AvailabilityZone="us-east-1a", SnapshotId=snapshot)
        self.refused("ResourceNotFoundException", self.server.client("ebs", keys=keys).list_snapshot_blocks,
                     SnapshotId=snapshot)
        self.assertEqual(theirs.describe_volumes()["Volumes"], [])

    def test_a_new_account_has_its_default_network_everywhere(self):
        made = self.server.cairn_json("account", "create")
        keys = made["AccessKeyId"], made["SecretAccessKey"]
        regions = self.server.client("ec2", keys=keys).describe_regions()["Regions"]
        self.assertGreaterEqual(len(regions), 10)
        for region in regions:
            ec2 = self.server.client("ec2", region=region["RegionName"], keys=keys)
            vpcs = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
            self.assertEqual([vpc["CidrBlock"] for vpc in vpcs], ["172.31.0.0/16"], region)
            zones = ec2.describe_availability_zones()["AvailabilityZones"]
            subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpcs[0]["VpcId"]]}])["Subnets"]
            self.assertEqual(sorted(s["AvailabilityZone"] for s in subnets), sorted(z["ZoneName"] for z in zones))
            groups = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])
            self.assertEqual(len(groups["SecurityGroups"]), 1, region)

    def test_only_the_first_account_makes_others(self):
        made = self.server.cairn_json("account", "create")
        done = self.server.cairn("account", "create", keys=(made["AccessKeyId"], made["SecretAccessKey"]), check=False)
        self.assertEqual(done.returncode, 1, done.stdout)

    def test_json_is_one_line(self):
        done = self.server.cairn("account", "create", "--output", "json")
        self.assertEqual((done.stdout.count("\n"), done.stderr), (1, ""))

    def test_a_name_is_one_line(self):
        for wrong in ("", "two\nlines", "n" * 129):
            done = self.server.cairn("account", "create", "--name", wrong, check=False)
            self.assertEqual((done.returncode, done.stdout), (1, ""), wrong)
            self.assertIn("1 to 128 characters", done.stderr)
        self.server.cairn("account", "create", "--name", "Ä" * 128)

    def test_names_are_kept(self):
        text = self.server.cairn("account", "create", "--name", "text").stdout
        self.assertRegex(text, r"account +\d{12}\n")
