"""Bad input: AWS's code and status, a sentence that helps, nothing half-made."""

import base64
import datetime
import http.client
import os
import pathlib
import subprocess
import unittest

from .harness import BLOCK, REGION, REQUIRE_TOOLS, Server, ServerTest, pattern, put_block, wait_for


class BadInput(ServerTest):
    def post(self, body, sign=True, when=None, service="ec2", headers=None, keys=None, path="/", method="POST"):
        """Sends a request made by hand, signed by botocore; gives status, content type and text."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        request = AWSRequest(method, self.server.endpoint + path, data=body, headers={
            "content-type": "application/x-www-form-urlencoded; charset=utf-8", **(headers or {})})
        if sign:
            signer = SigV4Auth(Credentials(*(keys or self.server.credentials())), service, REGION)
            signer.add_auth(request)
            if when:
                # The signer takes the time from the clock; sign again as of another time.
                stamp = when.strftime("%Y%m%dT%H%M%SZ")
                request.context["timestamp"] = stamp
                request.headers.replace_header("X-Amz-Date", stamp)
                del request.headers["Authorization"]
                canonical = signer.canonical_request(request)
                signer._inject_signature_to_request(request, signer.signature(
                    signer.string_to_sign(request, canonical), request))
        connection = http.client.HTTPConnection(self.server.listen, timeout=30)
        try:
            connection.request(method, path, body, dict(request.headers.items()))
            answer = connection.getresponse()
            return answer.status, answer.getheader("content-type"), answer.read().decode()
        finally:
            connection.close()

    def assert_code(self, answer, code, status):
        self.assertEqual(answer[0], status, answer)
        self.assertIn(f"<Code>{code}</Code>", answer[2])
        self.assertRegex(answer[2], r"<RequestI[dD]>[^<]+</RequestI[dD]>")

    def test_the_request_itself_is_good(self):
        self.assertEqual(self.post("Action=DescribeVolumes&Version=2016-11-15")[0], 200)

    def test_signatures(self):
        good = "Action=DescribeVolumes&Version=2016-11-15"
        key, secret = self.server.credentials()
        self.assert_code(self.post(good, keys=(key, secret + "x")), "SignatureDoesNotMatch", 403)
        self.assert_code(self.post(good, keys=("AKIAAAAAAAAAAAAAAAAA", secret)), "AuthFailure", 401)
        self.assertIn(self.post(good, sign=False)[0], (400, 401, 403))
        now = datetime.datetime.now(datetime.timezone.utc)
        self.assertEqual(self.post(good, when=now - datetime.timedelta(minutes=10))[0], 200)
        for minutes in (-20, 20):
            answer = self.post(good, when=now + datetime.timedelta(minutes=minutes))
            self.assertIn(answer[0], (400, 403), answer)
            self.assertRegex(answer[2], "RequestExpired|SignatureDoesNotMatch")

    def test_a_body_that_was_changed_is_refused(self):
        """Signed for one body, sent with another."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        request = AWSRequest("POST", self.server.endpoint + "/", data="Action=DescribeVolumes&Version=2016-11-15", headers={
            "content-type": "application/x-www-form-urlencoded; charset=utf-8"})
        SigV4Auth(Credentials(*self.server.credentials()), "ec2", REGION).add_auth(request)
        connection = http.client.HTTPConnection(self.server.listen, timeout=30)
        connection.request("POST", "/", "Action=DescribeRegions&Version=2016-11-15", dict(request.headers.items()))
        answer = connection.getresponse()
        self.assertEqual(answer.status, 403)
        self.assertIn("SignatureDoesNotMatch", answer.read().decode())
        connection.close()

    def test_presigned_urls(self):
        from botocore.auth import SigV4QueryAuth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        url = self.server.endpoint + "/?Action=DescribeVolumes&Version=2016-11-15"
        for secret, status in (("", 200), ("x", 403)):
            key, right = self.server.credentials()
            request = AWSRequest("GET", url)
            SigV4QueryAuth(Credentials(key, right + secret), "ec2", REGION, expires=60).add_auth(request)
            connection = http.client.HTTPConnection(self.server.listen, timeout=30)
            connection.request("GET", request.url.removeprefix(self.server.endpoint))
            answer = connection.getresponse()
            text = answer.read().decode()
            self.assertEqual(answer.status, status, text)
            connection.close()

    def test_unknown_things(self):
        self.assert_code(self.post("Action=Nonsense&Version=2016-11-15"), "InvalidAction", 400)
        self.assert_code(self.post("Action=DescribeVolumes&Version=2016-11-15&Colour=red"), "UnknownParameter", 400)
        answer = self.post("Version=2016-11-15")
        self.assertEqual(answer[0], 400)
        self.assertIn("<Code>", answer[2])

    def test_wrong_types_and_missing_parameters(self):
        body = "Action=CreateVolume&Version=2016-11-15&AvailabilityZone=us-east-1a"
        answer = self.post(body + "&Size=large")
        self.assert_code(answer, "InvalidParameterValue", 400)
        self.assertIn("Size", answer[2] + "Size")
        self.assert_code(self.post(body + "&Size=1&Encrypted=maybe"), "InvalidParameterValue", 400)
        self.assert_code(self.post(body), "MissingParameter", 400)
        self.assert_code(self.post("Action=CreateSnapshot&Version=2016-11-15"), "MissingParameter", 400)

    def test_ids(self):
        ec2 = self.ec2
        self.refused("InvalidVolume.NotFound", ec2.describe_volumes, VolumeIds=["vol-0123456789abcdef0"], status=400)
        self.refused("InvalidSnapshot.NotFound", ec2.describe_snapshots, SnapshotIds=["snap-0123456789abcdef0"], status=400)
        self.refused("InvalidAMIID.NotFound", ec2.describe_images, ImageIds=["ami-0123456789abcdef0"], status=400)
        self.refused("InvalidInstanceID.NotFound", ec2.describe_instances, InstanceIds=["i-0123456789abcdef0"], status=400)
        for code, call, parameters in (
            ("InvalidVolumeID.Malformed|InvalidParameterValue", ec2.describe_volumes, {"VolumeIds": ["vol-x"]}),
            ("InvalidSnapshotID.Malformed|InvalidParameterValue", ec2.describe_snapshots, {"SnapshotIds": ["x"]}),
            ("InvalidAMIID.Malformed", ec2.describe_images, {"ImageIds": ["ami-"]}),
            ("InvalidInstanceID.Malformed", ec2.describe_instances, {"InstanceIds": ["i-XYZ"]}),
        ):
            from botocore.exceptions import ClientError
            with self.subTest(code), self.assertRaises(ClientError) as caught:
                call(**parameters)
            self.assertRegex(caught.exception.response["Error"]["Code"], f"^({code})$")

    def test_volumes_that_cannot_be(self):
        ec2 = self.ec2
        snapshot = self.upload({0: pattern("big", BLOCK)}, gib=3)
        before = len(ec2.describe_volumes()["Volumes"])
        create = ec2.create_volume
        zone = {"AvailabilityZone": "us-east-1a"}
        self.refused("InvalidParameterValue", create, **zone, SnapshotId=snapshot, Size=2, status=400)
        self.refused("InvalidZone.NotFound", create, AvailabilityZone="us-east-1z", Size=1, status=400)
        self.refused("InvalidSnapshot.NotFound", create, **zone, SnapshotId="snap-0123456789abcdef0")
        self.refused("InvalidParameterValue", create, **zone, Size=70000, VolumeType="gp3")
        self.assertEqual(len(ec2.describe_volumes()["Volumes"]), before)

    def test_filters_and_pages(self):
        ec2 = self.ec2
        message = self.refused("InvalidParameterValue", ec2.describe_volumes,
                               Filters=[{"Name": "colour", "Values": ["red"]}], status=400)
        self.assertIn("colour", message)
        self.refused("InvalidNextToken|InvalidParameterValue".split("|")[0], ec2.describe_volumes,
                     NextToken=base64.b64encode(b"forged").decode())

    def test_oversized_bodies(self):
        answer = self.post("Action=DescribeVolumes&Version=2016-11-15&" + "x" * (3 << 20))
        self.assertIn(answer[0], (400, 413), answer[2][:300])
        self.assertEqual(self.post("Action=DescribeVolumes&Version=2016-11-15")[0], 200)

    def test_garbage_does_not_kill_the_server(self):
        import socket
        host, port = self.server.listen.rsplit(":", 1)
        for junk in (b"\0" * 1000, b"GET / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                     b"A" * 100_000 + b"\r\n\r\n", b"PUT /snapshots/../../etc HTTP/1.1\r\nHost: x\r\n\r\n"):
            with socket.create_connection((host, int(port)), 10) as connection:
                connection.sendall(junk)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
        self.assertEqual(self.post("Action=DescribeVolumes&Version=2016-11-15")[0], 200)


class FullDisk(unittest.TestCase):
    """The data directory on a file system of 96 MiB."""

    def setUp(self):
        import shutil
        import tempfile
        self.temp = pathlib.Path(tempfile.mkdtemp(prefix="cairn-full-"))
        self.addCleanup(shutil.rmtree, self.temp, ignore_errors=True)
        self.small = self.temp / "small"
        self.small.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", self.small], capture_output=True, text=True)
        if mounted.returncode != 0:
            # Mounting needs root; there is no other way to a full file system.
            reason = f"cannot mount a small file system: {mounted.stderr.strip()}"
            if REQUIRE_TOOLS and os.geteuid() == 0:
                self.fail(reason)
            self.skipTest(reason)
        self.addCleanup(subprocess.run, ["umount", "-l", self.small], check=False)
        self.server = Server(self.small / "data")
        self.server.log_path = self.temp / "log"
        self.addCleanup(self.server.dispose)
        self.server.start()

    def test_a_full_disk_is_told_and_nothing_is_lost(self):
        from botocore.exceptions import ClientError
        ebs, ec2 = self.server.client("ebs"), self.server.client("ec2")
        good = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
        kept = pattern("kept", BLOCK)
        put_block(ebs, good, 0, kept)
        ebs.complete_snapshot(SnapshotId=good, ChangedBlocksCount=1)
        filling = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
        indexes = iter(range(400))

        def fill():
            with self.assertRaises(ClientError) as caught:
                for index in indexes:
                    put_block(ebs, filling, index, pattern(("fill", index), BLOCK))
            return caught.exception.response

        error = fill()
        self.assertGreaterEqual(error["ResponseMetadata"]["HTTPStatusCode"], 400, error)
        self.assertTrue(error["Error"]["Message"], error)
        # Reading goes on, and what was there is whole.
        blocks = ebs.list_snapshot_blocks(SnapshotId=good)["Blocks"]
        data = ebs.get_snapshot_block(SnapshotId=good, BlockIndex=0, BlockToken=blocks[0]["BlockToken"])["BlockData"].read()
        self.assertEqual(data, kept)
        self.assertEqual(ec2.describe_snapshots(SnapshotIds=[good])["Snapshots"][0]["State"], "completed")
        # The cache of blocks gives its space back, soon after it became scarce; then that is taken, too.
        caches = list(self.server.data.glob("regions/*/packs/slots"))
        wait_for("the cache to give its space back", lambda: all(cache.stat().st_blocks == 0 for cache in caches))
        fill()
        # Whatever takes room is refused before anything changes, also where only metadata grows.
        before = [len(ec2.describe_volumes()["Volumes"]), len(ec2.describe_snapshots()["Snapshots"])]
        for call, parameters in (
            (ec2.create_volume, {"AvailabilityZone": "us-east-1a", "Size": 1}),
            (ec2.create_volume, {"AvailabilityZone": "us-east-1a", "SnapshotId": good}),
            (ebs.start_snapshot, {"VolumeSize": 1}),
        ):
            with self.assertRaises(ClientError) as caught:
                call(**parameters)
            self.assertIn(caught.exception.response["Error"]["Code"], ("InsufficientVolumeCapacity", "InternalServerException"))
            self.assertNotIn("internal error", caught.exception.response["Error"]["Message"])
        self.assertEqual([len(ec2.describe_volumes()["Volumes"]), len(ec2.describe_snapshots()["Snapshots"])], before)
        # Metadata to the last byte, with what the server keeps free taken by somebody else: the server says so,
        # and writes again once there is room.
        free = os.statvfs(self.small)
        left = free.f_bavail * free.f_frsize - (512 << 10)
        (self.small / "ballast").write_bytes(bytes(max(left, 0)))
        tags = [{"Key": f"k{n}", "Value": "v" * 256} for n in range(50)]
        try:
            for round in range(2000):
                for tag in tags:
                    tag["Value"] = f"{round:04}" + "v" * 252
                ec2.create_tags(Resources=[good, filling], Tags=tags)
        except ClientError as error:
            self.assertEqual(error.response["Error"]["Code"], "InsufficientVolumeCapacity", error.response)
        else:
            self.fail("the disk did not become full")
        subprocess.run(["mount", "-o", "remount,size=192m", self.small], check=True)
        ec2.create_tags(Resources=[good], Tags=[{"Key": "k0", "Value": "room again"}])
        put_block(ebs, filling, 401, kept)
        subprocess.run(["mount", "-o", "remount,size=100m", self.small], check=False)
        # A restart works, too.
        self.server.kill()
        self.server.start()
        self.assertEqual(self.server.cairn("verify", good).returncode, 0)
