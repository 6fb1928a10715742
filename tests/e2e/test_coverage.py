"""Every operation, by the table of `coverage`: unsigned, unknown parameter, malformed and unknown ids, another
account, dry run, pages, tokens, and the plain call.
"""

import json
import os
import re
import urllib.error
import urllib.request

from .coverage import rows
from .guests import MachineTest
from .harness import BLOCK, REGION, ROOT, pattern

# The services that are enumerated: EC2 by its allow-list, the others by what the server does not call unknown.
EC2 = json.loads((ROOT / "crates/api/model/ec2.json").read_text())["operations"]
SERVICES = ("ec2", "ebs", "kms", "rbin", "sts", "account")

# How services say that they do not know an operation.
UNKNOWN_OPERATION = ("UnknownOperationException", "InvalidAction")

# How services say that a call is not signed.
UNSIGNED = {
    "ec2": ("MissingAuthenticationToken", 403), "sts": ("MissingAuthenticationToken", 403),
    "kms": ("MissingAuthenticationTokenException", 400),
}

# How a dry run ends, and how pages are called.
DRY_RUN = {"ec2": ("DryRunOperation", 412), "kms": ("DryRunOperationException", 412)}
PAGES = {"ec2": ("MaxResults", "NextToken", "NextToken"), "kms": ("Limit", "Marker", "NextMarker")}

# An id that is well formed and that nobody has, by the prefix of the id that a call was given.
NOBODY = "0123456789abcdef0"


class World:
    """Makes what calls need: each method makes one anew, of the caller's own account."""

    def __init__(self, test):
        self.test, self.count = test, 0

    @property
    def tag(self):
        self.count += 1
        return f"coverage-{self.count}-{os.urandom(3).hex()}"

    def client(self, service, **where):
        return self.test.server.client(service, **where)

    @property
    def ec2(self):
        return self.client("ec2")

    def snapshot(self):
        return self.test.upload({0: pattern(self.tag, BLOCK)})

    def volume(self, **parameters):
        parameters = {"AvailabilityZone": f"{REGION}a", "Size": 1} | parameters
        volume = self.ec2.create_volume(**parameters)["VolumeId"]
        self.test.available(volume)
        return volume

    def image(self, **parameters):
        mapping = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": self.snapshot()}}
        parameters = {"Architecture": "x86_64", "VirtualizationType": "hvm"} | parameters
        return self.ec2.register_image(
            Name=self.tag, RootDeviceName="/dev/xvda", BlockDeviceMappings=[mapping], **parameters)["ImageId"]

    def running_instance(self, **parameters):
        return self.test.running(self.test.blank, **parameters)

    def instance(self, **parameters):
        """One that is stopped."""
        instance = self.running_instance(**parameters)
        self.ec2.stop_instances(InstanceIds=[instance], Force=True)
        self.test.wait_instance(instance, "stopped")
        return instance

    def attached(self):
        """A volume, and the stopped instance that it is attached to."""
        instance, volume = self.instance(), self.volume()
        self.ec2.attach_volume(InstanceId=instance, VolumeId=volume, Device="/dev/sdf")
        return volume, instance

    def vpc(self):
        return self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]

    def subnet(self):
        return self.ec2.create_subnet(VpcId=self.vpc(), CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]

    def security_group(self):
        return self.ec2.create_security_group(GroupName=self.tag, Description="of the coverage table")["GroupId"]

    def key_pair(self):
        name = self.tag
        self.ec2.create_key_pair(KeyName=name, KeyType="ed25519")
        return name

    def key(self):
        return self.client("kms").create_key()["KeyMetadata"]["KeyId"]


class Coverage(MachineTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.blank = cls.blank_image()
        made = cls.server.cairn_json("account", "create", "--name", "stranger")
        cls.stranger = made["AccessKeyId"], made["SecretAccessKey"]

    def setUp(self):
        super().setUp()
        self.world = World(self)

    def model(self, row):
        return self.server.client(row.service).meta.service_model.operation_model(row.operation)

    def method(self, client, row):
        methods = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}
        return getattr(client, methods[row.operation])

    def call(self, row, keys=None, **parameters):
        return self.method(self.server.client(row.service, keys=keys), row)(**parameters)

    def test_every_operation_has_one_row(self):
        named = [(row.service, row.operation) for row in rows()]
        self.assertEqual(len(named), len(set(named)), "rows that are there twice")
        self.assertEqual({service for service, _ in named}, set(SERVICES))
        for service in SERVICES:
            with self.subTest(service):
                served = sorted(EC2) if service == "ec2" else self.served(service)
                self.assertEqual(sorted(operation for of, operation in named if of == service), served)

    def served(self, service):
        """The operations of a service's model that the server knows: it refuses what it is sent otherwise."""
        from botocore.exceptions import ClientError
        client, known = self.server.client(service), []
        for method, operation in client.meta.method_to_api_mapping.items():
            model = client.meta.service_model.operation_model(operation)
            if model.auth_type == "none":
                # Nothing is answered that is not signed.
                continue
            shape = model.input_shape
            try:
                getattr(client, method)(**(least(shape) if shape else {}))
            except ClientError as refusal:
                if refusal.response["Error"]["Code"] in UNKNOWN_OPERATION:
                    continue
            known.append(operation)
        self.assertTrue(known)
        return sorted(known)

    def test_rows_say_what_the_model_has(self):
        for row in rows():
            with self.subTest(row.operation):
                model = self.model(row)
                members = model.input_shape.members if model.input_shape else {}
                self.assertEqual(row.dry_run, "DryRun" in members, "dry_run")
                self.assertEqual(row.pages is not None, set(pages_of(row)[:2]) <= set(members), "pages")
                self.assertEqual(row.token is not None, "ClientToken" in members, "token")
                ids = {name for name in members if row.service == "ec2" and re.search(r"Ids?$", name)}
                said = {re.split(r"[.\[]", name)[0] for name in (*row.ids, *row.other_ids)}
                self.assertEqual(ids - said, set(), "ids that the row says nothing of")

    def test_unsigned_calls_are_refused(self):
        import botocore
        for row in rows():
            code, status = UNSIGNED.get(row.service, ("MissingAuthenticationTokenException", 403))
            model = self.model(row)
            if model.auth_type:
                self.unsigned_by_hand(row, model, code, status)
                continue
            with self.subTest(row.operation):
                client = self.server.client(row.service, signature_version=botocore.UNSIGNED)
                shape = model.input_shape
                self.refused(code, self.method(client, row), **(least(shape) if shape else {}), status=status)

    def unsigned_by_hand(self, row, model, code, status):
        """What the client signs whatever it is told."""
        with self.subTest(row.operation):
            path = re.sub(r"\{[^}]*\}", "1", model.http["requestUri"])
            request = urllib.request.Request(self.server.endpoint + path, b"x", method=model.http["method"])
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(request)
            with caught.exception as answer:
                self.assertEqual((answer.code, code.encode() in answer.read()), (status, True))

    def test_ids_that_are_malformed_or_of_nobody(self):
        for row in (row for row in rows() if row.ids):
            good = row.request(self.world)
            for path, (malformed, missing) in row.ids.items():
                own = value_at(good, path)
                if malformed:
                    with self.subTest(row.operation, malformed=path):
                        self.refused(malformed, self.call, row, **replaced(good, path, own[:-1] + "!"))
                if missing:
                    with self.subTest(row.operation, missing=path):
                        nobody = of_nobody(own)
                        self.refused(missing, self.call, row, **replaced(good, path, nobody))

    def test_another_account_is_let_in_nowhere(self):
        for row in (row for row in rows() if row.ids and row.stranger is not None):
            with self.subTest(row.operation):
                code = next(iter(row.ids.values()))[1] if row.stranger == "as the first id" else row.stranger
                self.refused(code, self.call, row, keys=self.stranger, **row.request(self.world))

    def test_dry_runs_change_nothing(self):
        """The same call succeeds afterwards."""
        for row in rows():
            with self.subTest(row.operation):
                request = row.request(self.world)
                if row.dry_run:
                    code, status = DRY_RUN[row.service]
                    self.refused(code, self.call, row, DryRun=True, **request, status=status)
                if row.succeeds is True:
                    self.call(row, **request)

    def test_tokens_make_one_thing(self):
        for row in (row for row in rows() if row.token is not None):
            with self.subTest(row.operation):
                request = row.request(self.world) | {"ClientToken": self.world.tag}
                first, second = (self.call(row, **request) for _ in range(2))
                self.assertEqual(value_at(first, row.result), value_at(second, row.result))
                self.refused(row.mismatch, self.call, row, **(request | row.token))

    def test_pages(self):
        for row in (row for row in rows() if row.pages):
            request = row.request(self.world)
            most, token, next_token = pages_of(row)
            with self.subTest(row.operation, token="forged"):
                self.refused_with(row.bad_token, row, **request, **{token: "AAAA"})
            if row.fill is None:
                continue
            with self.subTest(row.operation, pages=row.page_min):
                request = row.fill(self.world)
                every = self.call(row, **request)
                self.assertNotIn(next_token, every)
                self.assertGreater(len(every[row.pages]), row.page_min)
                found, parameters = [], {}
                while parameters is not None:
                    page = self.call(row, **request, **parameters, **{most: row.page_min})
                    self.assertLessEqual(len(page[row.pages]), row.page_min)
                    found += page[row.pages]
                    parameters = {token: page[next_token]} if next_token in page else None
                self.assertEqual(found, every[row.pages])

    def refused_with(self, codes, row, **request):
        from botocore.exceptions import ClientError
        with self.assertRaises(ClientError) as caught:
            self.call(row, **request)
        self.assertIn(caught.exception.response["Error"]["Code"], codes)


def least(shape):
    """The least that a client lets through as a value of a shape: what is required, and nothing that is right."""
    if shape.type_name == "structure":
        return {name: least(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "list":
        return [least(shape.member)] * max(shape.metadata.get("min", 0), 1)
    if shape.type_name == "map":
        return {}
    number = max(shape.metadata.get("min", 0), 0)
    plain = {"string": "x" * max(number, 1), "blob": b"x" * max(number, 1), "boolean": False, "timestamp": 0}
    return plain.get(shape.type_name, number)


def pages_of(row):
    return PAGES.get(row.service, PAGES["ec2"])


def steps(path):
    """`"A[0].B"` → A, 0, B."""
    return [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path)]


def value_at(value, path):
    for step in steps(path):
        value = value[step]
    return value


def replaced(value, path, new):
    """The value with another one in its place at the path; what is not on the way is shared."""
    first, *rest = steps(path) if isinstance(path, str) else path
    copy = list(value) if isinstance(value, list) else dict(value)
    copy[first] = replaced(copy[first], rest, new) if rest else new
    return copy


def of_nobody(own):
    """An id of the same kind that nobody has."""
    if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", own):
        return "01234567-89ab-4cde-8f01-23456789abcd"
    return f"{own.rsplit('-', 1)[0]}-{NOBODY}" if re.search(r"-[0-9a-f]{8,17}$", own) else f"{own}-of-nobody"
