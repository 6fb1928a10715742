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

    def test_every_command_has_help(self):
        top = run([binary(), "--help"], clean_environment()).stdout
        for command in ("serve", "env", "account", "import", "verify", "gc", "du", "status", "ssh", "completions"):
            self.assertIn(f"\n  {command} ", top)
            self.assertIn("Usage:", run([binary(), command, "--help"], clean_environment()).stdout)
        self.assertNotIn("metadata-link", top)

    def test_completions_are_scripts(self):
        script = run([binary(), "completions", "bash"], clean_environment()).stdout
        checked = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, timeout=30)
        self.assertEqual(checked.returncode, 0, checked.stderr)

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
        # Its address is still there; nobody answers.
        self.assertEqual(self.server.cairn("status", check=False).returncode, 5)
        before = self.server.credentials()
        length = self.server.log_path.stat().st_size
        self.server.start()
        self.assertEqual(self.server.credentials(), before)
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

    def test_names_are_kept(self):
        text = self.server.cairn("account", "create", "--name", "text").stdout
        self.assertRegex(text, r"account +\d{12}\n")
