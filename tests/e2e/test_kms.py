"""KMS by boto3 and the AWS CLI: keys, aliases, tags, ciphertexts, grants and policies; what stops when a key does."""

import base64
import json
import os

from .guests import MachineTest, nbd
from .harness import BLOCK, REGION, ServerTest, pattern, wait_for

UNKNOWN = "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9"


class KmsTest(ServerTest):
    def setUp(self):
        super().setUp()
        self.kms = self.watched(self.server.client("kms"))

    def watched(self, client):
        """Has every answer of a client compared with botocore's model: no member that the model does not have."""
        if not getattr(client, "cairn_watched", False):
            client.meta.events.register("before-parse.kms", self.check_shape)
            client.cairn_watched = True
        return client

    @staticmethod
    def check_shape(operation_model, response_dict, **_):
        def check(value, shape, where):
            if shape.type_name == "structure":
                unknown = set(value) - set(shape.members)
                assert not unknown, f"{where} has {unknown}"
                for name, inner in value.items():
                    check(inner, shape.members[name], f"{where}.{name}")
            elif shape.type_name == "list":
                for inner in value:
                    check(inner, shape.member, where)
            elif shape.type_name == "timestamp":
                assert isinstance(value, (int, float)), where
        assert response_dict["headers"]["content-type"] == "application/x-amz-json-1.1", response_dict["headers"]
        body = response_dict["body"]
        if response_dict["status_code"] == 200 and operation_model.output_shape is None:
            assert body == b"", body
        elif response_dict["status_code"] == 200:
            check(json.loads(body), operation_model.output_shape, operation_model.name)

    def stranger(self, region=REGION):
        """Another account: its number, and its client of a service."""
        made = self.server.cairn_json("account", "create")
        keys = (made["AccessKeyId"], made["SecretAccessKey"])
        return made["AccountId"], lambda service: self.watched(self.server.client(service, region=region, keys=keys)) \
            if service == "kms" else self.server.client(service, region=region, keys=keys)

    def key(self, **parameters):
        return self.kms.create_key(**parameters)["KeyMetadata"]

    def state(self, key):
        return self.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]

    def account(self):
        return self.server.client("sts").get_caller_identity()["Account"]


class Keys(KmsTest):
    def test_a_key_is_made_and_described_by_all_its_names(self):
        made = self.key(Description="mine", Tags=[{"TagKey": "a", "TagValue": "b"}])
        self.assertEqual(made["Arn"], f"arn:aws:kms:{REGION}:{self.account()}:key/{made['KeyId']}")
        self.assertEqual(
            {name: made[name] for name in ("AWSAccountId", "Enabled", "Description", "KeyUsage", "KeyState", "Origin", "KeyManager",
                                           "CustomerMasterKeySpec", "KeySpec", "EncryptionAlgorithms", "MultiRegion")},
            {"AWSAccountId": self.account(), "Enabled": True, "Description": "mine", "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled",
             "Origin": "AWS_KMS", "KeyManager": "CUSTOMER", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "KeySpec": "SYMMETRIC_DEFAULT",
             "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"], "MultiRegion": False})
        self.kms.create_alias(AliasName="alias/names", TargetKeyId=made["KeyId"])
        for name in (made["KeyId"], made["Arn"], "alias/names", f"arn:aws:kms:{REGION}:{self.account()}:alias/names"):
            self.assertEqual(self.kms.describe_key(KeyId=name)["KeyMetadata"], made, name)
        self.kms.update_key_description(KeyId=made["KeyId"], Description="")
        self.assertEqual(self.kms.describe_key(KeyId=made["KeyId"])["KeyMetadata"]["Description"], "")
        status = self.kms.get_key_rotation_status(KeyId=made["KeyId"])
        self.assertEqual((status["KeyId"], status["KeyRotationEnabled"]), (made["Arn"], False))
        listed = self.server.cairn_json("key", "list")["Keys"]
        self.assertIn(made["Arn"], [key["Arn"] for key in listed])

    def test_what_is_not_made(self):
        for parameters in ({"KeySpec": "RSA_2048"}, {"KeyUsage": "SIGN_VERIFY"}, {"Origin": "EXTERNAL"}, {"MultiRegion": True},
                           {"CustomerMasterKeySpec": "ECC_NIST_P256"}, {"CustomKeyStoreId": "cks-1"}):
            self.refused("UnsupportedOperationException", self.kms.create_key, status=400, **parameters)
        self.refused("ValidationException", self.kms.create_key, Description="x" * 8193)
        self.refused("TagException", self.kms.create_key, Tags=[{"TagKey": "aws:a", "TagValue": ""}])
        self.refused("TagException", self.kms.create_key, Tags=[{"TagKey": "a", "TagValue": ""}, {"TagKey": "a", "TagValue": "b"}])
        self.refused("MalformedPolicyDocumentException", self.kms.create_key, Policy="{}")
        self.refused("UnknownOperationException", self.kms.list_key_rotations, KeyId=UNKNOWN)

    def test_names_that_are_none(self):
        describe = self.kms.describe_key
        self.refused("NotFoundException", describe, KeyId=UNKNOWN, status=400)
        self.refused("NotFoundException", describe, KeyId="nonsense")
        self.refused("NotFoundException", describe, KeyId="alias/nobody")
        self.refused("NotFoundException", describe, KeyId="alias/aws/s3")
        self.refused("NotFoundException", describe, KeyId=f"arn:aws:kms:eu-west-1:{self.account()}:key/{UNKNOWN}")
        self.refused("NotFoundException", describe, KeyId=f"arn:aws:kms:{REGION}:{self.account()}:key/{UNKNOWN}")
        self.refused("InvalidArnException", describe, KeyId=f"arn:aws:ec2:{REGION}:{self.account()}:key/{UNKNOWN}")
        self.refused("AccessDeniedException", describe, KeyId=f"arn:aws:kms:{REGION}:123456789012:key/{UNKNOWN}")
        self.refused("NotFoundException", self.kms.enable_key, KeyId="alias/aws/ebs")
        mine = self.key()
        _, client = self.stranger()
        for call in ("describe_key", "enable_key", "disable_key", "schedule_key_deletion", "get_key_rotation_status", "list_grants",
                     "get_key_policy", "list_key_policies", "list_resource_tags"):
            self.refused("NotFoundException", getattr(client("kms"), call), KeyId=mine["KeyId"])
            self.refused("AccessDeniedException", getattr(client("kms"), call), KeyId=mine["Arn"])
        self.refused("NotFoundException", self.server.client("kms", region="eu-west-1").describe_key, KeyId=mine["KeyId"])

    def test_pages(self):
        made = {self.key()["KeyId"] for _ in range(5)}
        found, marker, pages = [], {}, 0
        while True:
            page = self.kms.list_keys(Limit=2, **marker)
            found += page["Keys"]
            pages += 1
            if not page["Truncated"]:
                self.assertNotIn("NextMarker", page)
                break
            self.assertEqual(len(page["Keys"]), 2)
            marker = {"Marker": page["NextMarker"]}
        self.assertGreaterEqual(pages, 3)
        ids = [key["KeyId"] for key in found]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertLessEqual(made, set(ids))
        self.assertEqual([key["KeyArn"].rsplit("/")[-1] for key in found], ids)
        paginated = [key for page in self.kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2}) for key in page["Keys"]]
        self.assertEqual(paginated, found)
        self.refused("InvalidMarkerException", self.kms.list_keys, Marker="AAAA")
        self.refused("InvalidMarkerException", self.kms.list_aliases, **marker)
        self.refused("ValidationException", self.kms.list_aliases, Limit=101)

    def test_the_key_of_ebs_is_made_when_it_is_asked_for(self):
        account, client = self.stranger()
        kms = client("kms")
        self.assertEqual(kms.list_keys()["Keys"], [])
        alias, = kms.list_aliases()["Aliases"]
        self.assertEqual(alias, {"AliasName": "alias/aws/ebs", "AliasArn": f"arn:aws:kms:{REGION}:{account}:alias/aws/ebs"})
        made = kms.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]
        self.assertEqual(made["KeyManager"], "AWS")
        self.assertEqual(kms.list_aliases()["Aliases"][0]["TargetKeyId"], made["KeyId"])
        volume = client("ec2").create_volume(AvailabilityZone=f"{REGION}a", Size=1, Encrypted=True)
        self.assertEqual(volume["KmsKeyId"], made["Arn"])
        # Only EBS encrypts under it, and nobody turns it off.
        for call, parameters in ((kms.encrypt, {"Plaintext": b"x"}), (kms.disable_key, {}), (kms.schedule_key_deletion, {}),
                                 (kms.tag_resource, {"Tags": [{"TagKey": "a", "TagValue": "b"}]})):
            self.refused("AccessDeniedException", call, KeyId=made["KeyId"], **parameters)
        policy = json.loads(kms.get_key_policy(KeyId=made["KeyId"])["Policy"])
        self.assertEqual(policy["Id"], "auto-ebs-2")

    def test_states(self):
        key = self.key()["KeyId"]
        self.kms.disable_key(KeyId=key)
        self.kms.disable_key(KeyId=key)
        self.assertEqual(self.state(key), "Disabled")
        self.assertIs(self.kms.describe_key(KeyId=key)["KeyMetadata"]["Enabled"], False)
        self.refused("DisabledException", self.kms.encrypt, KeyId=key, Plaintext=b"x")
        self.refused("KMSInvalidStateException", self.kms.cancel_key_deletion, KeyId=key)
        self.kms.enable_key(KeyId=key)
        self.assertEqual(self.state(key), "Enabled")
        self.refused("ValidationException", self.kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=6)
        self.refused("ValidationException", self.kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=31)
        done = self.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        described = self.kms.describe_key(KeyId=key)["KeyMetadata"]
        self.assertEqual((done["KeyId"], done["KeyState"], done["PendingWindowInDays"]), (described["Arn"], "PendingDeletion", 7))
        self.assertEqual(done["DeletionDate"], described["DeletionDate"])
        self.assertEqual(round((done["DeletionDate"] - described["CreationDate"]).total_seconds() / 86400), 7)
        for call, parameters in ((self.kms.enable_key, {}), (self.kms.disable_key, {}), (self.kms.schedule_key_deletion, {}),
                                 (self.kms.encrypt, {"Plaintext": b"x"}), (self.kms.get_key_rotation_status, {}),
                                 (self.kms.update_key_description, {"Description": ""}),
                                 (self.kms.tag_resource, {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
                                 (self.kms.untag_resource, {"TagKeys": ["a"]})):
            self.refused("KMSInvalidStateException", call, KeyId=key, **parameters)
        self.assertEqual(self.kms.cancel_key_deletion(KeyId=key)["KeyId"], described["Arn"])
        self.assertEqual(self.state(key), "Disabled")
        self.assertNotIn("DeletionDate", self.kms.describe_key(KeyId=key)["KeyMetadata"])

    def test_aliases(self):
        one, two = self.key()["KeyId"], self.key()["KeyId"]
        create = self.kms.create_alias
        for name in ("alias/aws/mine", "alias/", "mine", "alias/a:b"):
            self.refused("InvalidAliasNameException", create, AliasName=name, TargetKeyId=one)
        self.refused("NotFoundException", create, AliasName="alias/x", TargetKeyId=UNKNOWN)
        self.refused("NotFoundException", self.kms.update_alias, AliasName="alias/x", TargetKeyId=one)
        self.refused("NotFoundException", self.kms.delete_alias, AliasName="alias/x")
        create(AliasName="alias/one/a", TargetKeyId=one)
        create(AliasName="alias/one/b", TargetKeyId=one)
        self.refused("AlreadyExistsException", create, AliasName="alias/one/a", TargetKeyId=two)
        def names(key):
            return [alias["AliasName"] for alias in self.kms.list_aliases(KeyId=key)["Aliases"]]
        self.assertEqual(names(one), ["alias/one/a", "alias/one/b"])
        self.kms.update_alias(AliasName="alias/one/b", TargetKeyId=two)
        self.assertEqual((names(one), names(two)), (["alias/one/a"], ["alias/one/b"]))
        found = next(a for a in self.kms.list_aliases()["Aliases"] if a["AliasName"] == "alias/one/b")
        self.assertEqual(found["TargetKeyId"], two)
        self.assertGreaterEqual(found["LastUpdatedDate"], found["CreationDate"])
        volume = self.ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1, Encrypted=True, KmsKeyId="alias/one/b")
        self.assertTrue(volume["KmsKeyId"].endswith(two))
        self.kms.delete_alias(AliasName="alias/one/b")
        self.assertEqual(names(two), [])
        _, client = self.stranger()
        self.refused("NotFoundException", client("kms").delete_alias, AliasName="alias/one/a")
        client("kms").create_alias(AliasName="alias/one/a", TargetKeyId=client("kms").create_key()["KeyMetadata"]["KeyId"])

    def test_tags(self):
        key = self.key(Tags=[{"TagKey": "b", "TagValue": "1"}])["KeyId"]
        self.kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": ""}, {"TagKey": "b", "TagValue": "2"}])
        listed = self.kms.list_resource_tags(KeyId=key)
        self.assertEqual((listed["Tags"], listed["Truncated"]), ([{"TagKey": "a", "TagValue": ""}, {"TagKey": "b", "TagValue": "2"}], False))
        page = self.kms.list_resource_tags(KeyId=key, Limit=1)
        self.assertEqual((len(page["Tags"]), page["Truncated"]), (1, True))
        rest = self.kms.list_resource_tags(KeyId=key, Limit=1, Marker=page["NextMarker"])
        self.assertEqual(rest["Tags"], listed["Tags"][1:])
        self.kms.untag_resource(KeyId=key, TagKeys=["a", "nobody"])
        self.assertEqual(self.kms.list_resource_tags(KeyId=key)["Tags"], [{"TagKey": "b", "TagValue": "2"}])
        self.refused("TagException", self.kms.tag_resource, KeyId=key, Tags=[{"TagKey": "aws:x", "TagValue": ""}])
        many = [{"TagKey": str(n), "TagValue": ""} for n in range(50)]
        self.refused("LimitExceededException", self.kms.tag_resource, KeyId=key, Tags=many)

    def test_the_command_line(self):
        key = self.server.aws("kms", "create-key", "--query", "KeyMetadata.KeyId", "--output", "text").stdout.strip()
        done = self.server.cairn_json("key", "delete", key, "--days", "9")
        self.assertEqual(done["KeyState"], "PendingDeletion")
        self.assertIn(f"erased on {done['DeletionDate']}", self.server.cairn("key", "list").stdout)
        self.server.aws("kms", "cancel-key-deletion", "--key-id", key)
        self.assertEqual(self.state(key), "Disabled")
        self.assertIn("cancel-key-deletion", self.server.cairn("key", "delete", key).stdout)
        done = self.server.cairn("key", "delete", key, "--now", check=False)
        self.assertEqual(done.returncode, 2)
        self.server.cairn("key", "delete", key, "--now", "--erase-everything-under-it")
        self.refused("NotFoundException", self.kms.describe_key, KeyId=key)
        made = self.server.cairn_json("account", "create")
        keys = (made["AccessKeyId"], made["SecretAccessKey"])
        own = self.server.client("kms", keys=keys).create_key()["KeyMetadata"]["KeyId"]
        done = self.server.cairn("key", "delete", own, "--now", "--erase-everything-under-it", keys=keys, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("operator", done.stderr)


class Ciphertexts(KmsTest):
    def test_bytes_go_there_and_back(self):
        key = self.key()
        for plaintext, context in ((b"\0", {}), (os.urandom(4096), {}), (b"bound", {"a": "1", "b": "2"})):
            made = self.kms.encrypt(KeyId=key["KeyId"], Plaintext=plaintext, EncryptionContext=context)
            self.assertEqual((made["KeyId"], made["EncryptionAlgorithm"]), (key["Arn"], "SYMMETRIC_DEFAULT"))
            blob = made["CiphertextBlob"]
            if len(plaintext) > 8:
                self.assertNotIn(plaintext[:8], blob)
            opened = self.kms.decrypt(CiphertextBlob=blob, EncryptionContext=dict(reversed(context.items())))
            self.assertEqual((opened["Plaintext"], opened["KeyId"]), (plaintext, key["Arn"]))
        again = self.kms.encrypt(KeyId=key["KeyId"], Plaintext=b"bound", EncryptionContext={"a": "1", "b": "2"})
        self.assertNotEqual(again["CiphertextBlob"], blob)
        for context in ({}, {"a": "1"}, {"a": "1", "b": "3"}, {"a": "1", "b": "2", "c": "3"}):
            self.refused("InvalidCiphertextException", self.kms.decrypt, CiphertextBlob=blob, EncryptionContext=context)
        for at in (0, 1, 20, len(blob) - 1):
            changed = blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1:]
            code = "AccessDeniedException" if 1 <= at <= 16 else "InvalidCiphertextException"
            self.refused(code, self.kms.decrypt, CiphertextBlob=changed, EncryptionContext={"a": "1", "b": "2"})
        self.refused("InvalidCiphertextException", self.kms.decrypt, CiphertextBlob=b"nonsense")
        self.refused("InvalidCiphertextException", self.kms.decrypt, CiphertextBlob=b"\1" * 6144)
        self.refused("IncorrectKeyException", self.kms.decrypt, CiphertextBlob=blob, KeyId=self.key()["KeyId"], EncryptionContext={"a": "1", "b": "2"})
        self.refused("ValidationException", self.kms.encrypt, KeyId=key["KeyId"], Plaintext=b"x" * 4097)
        self.refused("ValidationException", self.kms.encrypt, KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext={"a": "b" * 8192})
        self.refused("UnsupportedOperationException", self.kms.encrypt, KeyId=key["KeyId"], Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_1")
        # Neither the data directory nor the log holds what was encrypted.
        secret = os.urandom(64)
        blob = self.kms.encrypt(KeyId=key["KeyId"], Plaintext=secret)["CiphertextBlob"]
        self.assertEqual(self.kms.decrypt(CiphertextBlob=blob)["Plaintext"], secret)
        for text in (secret, base64.b64encode(secret)):
            for path in [p for p in self.server.data.rglob("*") if p.is_file()] + [self.server.log_path]:
                if path.stat().st_size < 1 << 26:
                    self.assertNotIn(text, path.read_bytes(), path)

    def test_data_keys(self):
        key = self.key()
        for parameters, length in (({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 1024}, 1024), ({"NumberOfBytes": 1}, 1)):
            made = self.kms.generate_data_key(KeyId=key["Arn"], EncryptionContext={"a": "b"}, **parameters)
            self.assertEqual((len(made["Plaintext"]), made["KeyId"]), (length, key["Arn"]))
            opened = self.kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"a": "b"}, KeyId=key["Arn"])
            self.assertEqual(opened["Plaintext"], made["Plaintext"])
            hidden = self.kms.generate_data_key_without_plaintext(KeyId=key["Arn"], **parameters)
            self.assertNotIn("Plaintext", hidden)
            self.assertEqual(len(self.kms.decrypt(CiphertextBlob=hidden["CiphertextBlob"])["Plaintext"]), length)
        for parameters in ({}, {"KeySpec": "AES_256", "NumberOfBytes": 32}, {"NumberOfBytes": 1025}, {"KeySpec": "AES_512"}):
            self.refused("ValidationException", self.kms.generate_data_key, KeyId=key["KeyId"], **parameters)
        self.assertEqual(len(self.kms.generate_random(NumberOfBytes=333)["Plaintext"]), 333)
        self.assertNotEqual(self.kms.generate_random(NumberOfBytes=16)["Plaintext"], self.kms.generate_random(NumberOfBytes=16)["Plaintext"])
        self.refused("ValidationException", self.kms.generate_random)
        self.refused("ValidationException", self.kms.generate_random, NumberOfBytes=1025)
        self.refused("UnsupportedOperationException", self.kms.generate_random, NumberOfBytes=1, CustomKeyStoreId="cks-1")

    def test_re_encryption(self):
        one, two = self.key(), self.key()
        blob = self.kms.encrypt(KeyId=one["KeyId"], Plaintext=b"moved", EncryptionContext={"a": "b"})["CiphertextBlob"]
        moved = self.kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext={"a": "b"}, DestinationKeyId=two["Arn"],
                                    DestinationEncryptionContext={"c": "d"}, SourceKeyId=one["Arn"])
        self.assertEqual((moved["SourceKeyId"], moved["KeyId"]), (one["Arn"], two["Arn"]))
        opened = self.kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"c": "d"})
        self.assertEqual((opened["Plaintext"], opened["KeyId"]), (b"moved", two["Arn"]))
        self.refused("InvalidCiphertextException", self.kms.re_encrypt, CiphertextBlob=blob, DestinationKeyId=two["Arn"])
        self.refused("IncorrectKeyException", self.kms.re_encrypt, CiphertextBlob=blob, SourceEncryptionContext={"a": "b"},
                     DestinationKeyId=two["Arn"], SourceKeyId=two["Arn"])

    def test_dry_runs(self):
        key = self.key()["KeyId"]
        blob = self.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
        for call, parameters in ((self.kms.encrypt, {"KeyId": key, "Plaintext": b"x"}), (self.kms.decrypt, {"CiphertextBlob": blob}),
                                 (self.kms.re_encrypt, {"CiphertextBlob": blob, "DestinationKeyId": key}),
                                 (self.kms.generate_data_key, {"KeyId": key, "KeySpec": "AES_256"}),
                                 (self.kms.generate_data_key_without_plaintext, {"KeyId": key, "KeySpec": "AES_256"}),
                                 (self.kms.create_grant, {"KeyId": key, "GranteePrincipal": self.account(), "Operations": ["Decrypt"]})):
            self.refused("DryRunOperationException", call, DryRun=True, **parameters)
        self.assertEqual(self.kms.list_grants(KeyId=key)["Grants"], [])
        self.refused("InvalidCiphertextException", self.kms.decrypt, CiphertextBlob=blob + b"x", DryRun=True)


class Permissions(KmsTest):
    def policy(self, account, actions, condition=None):
        """A policy by which another account may do some things, and the own one everything."""
        theirs = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": actions, "Resource": "*"}
        if condition:
            theirs["Condition"] = condition
        own = {"Effect": "Allow", "Principal": {"AWS": self.account()}, "Action": "kms:*", "Resource": "*"}
        return json.dumps({"Version": "2012-10-17", "Statement": [own, theirs]})

    def test_policies(self):
        key = self.key()
        got = self.kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")
        self.assertEqual(json.loads(got["Policy"])["Statement"][0]["Principal"], {"AWS": f"arn:aws:iam::{self.account()}:root"})
        listed = self.kms.list_key_policies(KeyId=key["KeyId"])
        self.assertEqual((listed["PolicyNames"], listed["Truncated"]), (["default"], False))
        self.refused("NotFoundException", self.kms.get_key_policy, KeyId=key["KeyId"], PolicyName="other")
        account, client = self.stranger()
        text = self.policy(account, ["kms:Encrypt"])
        self.kms.put_key_policy(KeyId=key["KeyId"], Policy=text)
        self.assertEqual(self.kms.get_key_policy(KeyId=key["KeyId"])["Policy"], text)
        blob = client("kms").encrypt(KeyId=key["Arn"], Plaintext=b"theirs")["CiphertextBlob"]
        self.assertEqual(self.kms.decrypt(CiphertextBlob=blob)["Plaintext"], b"theirs")
        self.refused("AccessDeniedException", client("kms").decrypt, CiphertextBlob=blob)
        self.refused("NotFoundException", client("kms").encrypt, KeyId=key["KeyId"], Plaintext=b"x")
        # Administration stays with the owner, whatever the policy says.
        self.kms.put_key_policy(KeyId=key["KeyId"], Policy=self.policy(account, "kms:*"))
        self.assertEqual(client("kms").decrypt(CiphertextBlob=blob)["Plaintext"], b"theirs")
        self.refused("AccessDeniedException", client("kms").disable_key, KeyId=key["Arn"])
        self.refused("AccessDeniedException", client("kms").put_key_policy, KeyId=key["Arn"], Policy=text)
        bound = {"StringEquals": {"kms:EncryptionContext:team": "red"}, "StringLike": {"kms:CallerAccount": f"{account[:4]}*"}}
        self.kms.put_key_policy(KeyId=key["KeyId"], Policy=self.policy(account, "kms:Encrypt", bound))
        client("kms").encrypt(KeyId=key["Arn"], Plaintext=b"x", EncryptionContext={"team": "red"})
        self.refused("AccessDeniedException", client("kms").encrypt, KeyId=key["Arn"], Plaintext=b"x", EncryptionContext={"team": "blue"})
        put = self.kms.put_key_policy
        for bad in ("", "nonsense", "{}", text.replace("2012-10-17", "2012"), text.replace("kms:Encrypt", "s3:Get"),
                    text.replace(":root", ":user/me"), text.replace("Allow", "Maybe"),
                    self.policy(account, "kms:*", {"IpAddress": {"aws:SourceIp": "1.2.3.4"}})):
            self.refused("MalformedPolicyDocumentException" if bad else "ValidationException", put, KeyId=key["KeyId"], Policy=bad or " " * 40000)
        locked = json.dumps({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "kms:PutKeyPolicy", "Resource": "*"},
                                           {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}]})
        self.refused("MalformedPolicyDocumentException", put, KeyId=key["KeyId"], Policy=locked)
        put(KeyId=key["KeyId"], Policy=locked, BypassPolicyLockoutSafetyCheck=True)
        self.refused("AccessDeniedException", put, KeyId=key["KeyId"], Policy=text)

    def test_grants(self):
        key = self.key()
        account, client = self.stranger()
        grantee = f"arn:aws:iam::{account}:root"
        create = self.kms.create_grant
        made = create(KeyId=key["KeyId"], GranteePrincipal=grantee, RetiringPrincipal=grantee, Name="one", Operations=["Encrypt", "DescribeKey"],
                      Constraints={"EncryptionContextEquals": {"team": "red"}})
        again = create(KeyId=key["KeyId"], GranteePrincipal=grantee, RetiringPrincipal=grantee, Name="one", Operations=["DescribeKey", "Encrypt"],
                       Constraints={"EncryptionContextEquals": {"team": "red"}})
        self.assertEqual(again["GrantId"], made["GrantId"])
        other = create(KeyId=key["KeyId"], GranteePrincipal=self.account(), Operations=["Decrypt"])
        entry, = self.kms.list_grants(KeyId=key["Arn"], GrantId=made["GrantId"])["Grants"]
        self.assertEqual((entry["KeyId"], entry["Name"], entry["GranteePrincipal"], entry["RetiringPrincipal"], sorted(entry["Operations"]), entry["Constraints"],
                          entry["IssuingAccount"]),
                         (key["Arn"], "one", grantee, grantee, ["DescribeKey", "Encrypt"], {"EncryptionContextEquals": {"team": "red"}},
                          f"arn:aws:iam::{self.account()}:root"))
        self.assertEqual({g["GrantId"] for g in self.kms.list_grants(KeyId=key["KeyId"])["Grants"]}, {made["GrantId"], other["GrantId"]})
        page = self.kms.list_grants(KeyId=key["KeyId"], Limit=1)
        self.assertTrue(page["Truncated"])
        self.assertEqual(len(self.kms.list_grants(KeyId=key["KeyId"], Limit=1, Marker=page["NextMarker"])["Grants"]), 1)
        found, = self.kms.list_grants(KeyId=key["KeyId"], GranteePrincipal=account)["Grants"]
        self.assertEqual(found["GrantId"], made["GrantId"])
        retirable, = client("kms").list_retirable_grants(RetiringPrincipal=grantee)["Grants"]
        self.assertEqual(retirable["GrantId"], made["GrantId"])
        self.refused("AccessDeniedException", self.kms.list_retirable_grants, RetiringPrincipal=grantee)
        kms = client("kms")
        kms.encrypt(KeyId=key["Arn"], Plaintext=b"x", EncryptionContext={"team": "red"}, GrantTokens=[made["GrantToken"]])
        kms.describe_key(KeyId=key["Arn"])
        self.refused("InvalidGrantTokenException", kms.encrypt, KeyId=key["Arn"], Plaintext=b"x", EncryptionContext={"team": "red"}, GrantTokens=["x"])
        self.refused("AccessDeniedException", kms.encrypt, KeyId=key["Arn"], Plaintext=b"x")
        self.refused("AccessDeniedException", kms.create_grant, KeyId=key["Arn"], GranteePrincipal=grantee, Operations=["Encrypt"])
        self.refused("AccessDeniedException", kms.revoke_grant, KeyId=key["Arn"], GrantId=made["GrantId"])
        for code, parameters in (("ValidationException", {"Operations": ["Sign"]}), ("ValidationException", {"Operations": []}),
                                 ("InvalidArnException", {"GranteePrincipal": "arn:aws:iam::123456789012:user/x"}),
                                 ("ValidationException", {"Name": "a b"}), ("InvalidGrantTokenException", {"GrantTokens": ["x"]})):
            self.refused(code, create, **({"KeyId": key["KeyId"], "GranteePrincipal": grantee, "Operations": ["Encrypt"]} | parameters))
        self.refused("InvalidGrantIdException", self.kms.revoke_grant, KeyId=key["KeyId"], GrantId="x")
        self.refused("NotFoundException", self.kms.revoke_grant, KeyId=key["KeyId"], GrantId="0" * 64)
        self.refused("DryRunOperationException", self.kms.revoke_grant, KeyId=key["KeyId"], GrantId=other["GrantId"], DryRun=True)
        self.kms.revoke_grant(KeyId=key["KeyId"], GrantId=other["GrantId"])
        self.refused("ValidationException", kms.retire_grant, GrantId=made["GrantId"])
        self.refused("DryRunOperationException", kms.retire_grant, GrantToken=made["GrantToken"], DryRun=True)
        kms.retire_grant(GrantToken=made["GrantToken"])
        self.refused("NotFoundException", kms.retire_grant, GrantToken=made["GrantToken"])
        third = create(KeyId=key["KeyId"], GranteePrincipal=grantee, RetiringPrincipal=self.account(), Operations=["Encrypt"])
        self.kms.retire_grant(KeyId=key["Arn"], GrantId=third["GrantId"])
        self.assertEqual(self.kms.list_grants(KeyId=key["KeyId"])["Grants"], [])

    def test_foreign_keys_of_volumes(self):
        """A volume under another account's key: by its policy, by its grant, and not without."""
        key = self.key()
        account, client = self.stranger()
        make = client("ec2").create_volume
        where = {"AvailabilityZone": f"{REGION}a", "Size": 1, "Encrypted": True, "KmsKeyId": key["Arn"]}
        self.refused("InvalidKMSKey.NotFound", make, **where)
        via = {"StringEquals": {"kms:ViaService": f"ec2.{REGION}.amazonaws.com"}}
        self.kms.put_key_policy(KeyId=key["KeyId"], Policy=self.policy(account, "kms:GenerateDataKey*", via))
        self.assertEqual(make(**where)["KmsKeyId"], key["Arn"])
        self.refused("AccessDeniedException", client("kms").generate_data_key, KeyId=key["Arn"], KeySpec="AES_256")
        self.kms.put_key_policy(KeyId=key["KeyId"], Policy=self.policy(account, "kms:DescribeKey"))
        self.refused("InvalidKMSKey.NotFound", make, **where)
        made = self.kms.create_grant(KeyId=key["KeyId"], GranteePrincipal=account, Operations=["GenerateDataKeyWithoutPlaintext", "Decrypt"])
        volume = make(**where)["VolumeId"]
        ebs = client("ebs")
        snapshot = self.upload_as(client, {0: pattern("foreign", BLOCK)}, Encrypted=True, KmsKeyArn=key["Arn"])
        self.assert_readable(ebs, snapshot, pattern("foreign", BLOCK))
        self.kms.revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"])
        self.refused("AccessDeniedException", ebs.list_snapshot_blocks, SnapshotId=snapshot, status=403)
        self.refused("CustomerKeyHasBeenRevoked", client("ec2").create_volume, AvailabilityZone=f"{REGION}a", SnapshotId=snapshot, status=400)
        self.settled(client, volume)
        client("ec2").delete_volume(VolumeId=volume)

    def settled(self, client, volume):
        def state():
            return client("ec2").describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] != "creating"
        return wait_for(f"{volume} to settle", state)

    def upload_as(self, client, blocks, **parameters):
        from .harness import put_block
        ebs = client("ebs")
        snapshot = ebs.start_snapshot(VolumeSize=1, **parameters)["SnapshotId"]
        for index, data in blocks.items():
            put_block(ebs, snapshot, index, data)
        ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=len(blocks))
        wait_for("it to complete", lambda: client("ec2").describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"] == "completed")
        return snapshot

    def assert_readable(self, ebs, snapshot, expected):
        block = ebs.list_snapshot_blocks(SnapshotId=snapshot)["Blocks"][0]
        got = ebs.get_snapshot_block(SnapshotId=snapshot, BlockIndex=block["BlockIndex"], BlockToken=block["BlockToken"])
        self.assertEqual(got["BlockData"].read(), expected)


class Volumes(KmsTest):
    def test_a_disabled_key_stops_at_once_what_is_begun(self):
        key = self.key()["Arn"]
        snapshot = self.upload({0: pattern("kept", BLOCK)}, Encrypted=True, KmsKeyArn=key)
        block = self.ebs.list_snapshot_blocks(SnapshotId=snapshot)["Blocks"][0]
        get = {"SnapshotId": snapshot, "BlockIndex": block["BlockIndex"], "BlockToken": block["BlockToken"]}
        self.ebs.get_snapshot_block(**get)
        volume = self.ec2.create_volume(AvailabilityZone=f"{REGION}a", SnapshotId=snapshot)["VolumeId"]
        self.available(volume)
        where = {"AvailabilityZone": f"{REGION}a"}
        for stop, go in ((self.kms.disable_key, ()), (self.kms.schedule_key_deletion, (self.kms.cancel_key_deletion,))):
            stop(KeyId=key)
            code = "InvalidKMSKey.InvalidState"
            self.refused(code, self.ec2.create_volume, SnapshotId=snapshot, status=400, **where)
            self.refused(code, self.ec2.create_volume, Size=1, Encrypted=True, KmsKeyId=key, status=400, **where)
            self.refused(code, self.ec2.create_snapshot, VolumeId=volume, status=400)
            self.refused("ValidationException", self.ebs.get_snapshot_block, status=400, **get)
            self.refused("ValidationException", self.ebs.start_snapshot, VolumeSize=1, ParentSnapshotId=snapshot, status=400)
            for call in go:
                call(KeyId=key)
            self.kms.enable_key(KeyId=key)
            self.assertEqual(self.ebs.get_snapshot_block(**get)["BlockData"].read(), pattern("kept", BLOCK))
            self.completed(self.ec2.create_snapshot(VolumeId=volume)["SnapshotId"])


class Machines(MachineTest):
    def test_what_is_attached_keeps_working_until_it_is_detached(self):
        kms = self.server.client("kms")
        key = kms.create_key()["KeyMetadata"]["Arn"]
        image = self.blank_image()
        device = self.ec2.describe_images(ImageIds=[image])["Images"][0]["RootDeviceName"]
        root = {"BlockDeviceMappings": [{"DeviceName": device, "Ebs": {"Encrypted": True, "KmsKeyId": key}}]}
        instance = self.running(image, **root)
        snapshot = self.upload({0: pattern("attached", BLOCK)}, Encrypted=True, KmsKeyArn=key)
        volume = self.ec2.create_volume(AvailabilityZone=f"{REGION}a", SnapshotId=snapshot)["VolumeId"]
        other = self.ec2.create_volume(AvailabilityZone=f"{REGION}a", SnapshotId=snapshot)["VolumeId"]
        self.available(volume)
        self.available(other)
        self.attach(volume, instance)
        code = "InvalidKMSKey.InvalidState"
        kms.disable_key(KeyId=key)
        # Also blocks that were not read before: they come from the snapshot now.
        self.assertEqual(self.first_block(volume), pattern("attached", BLOCK))
        self.refused(code, self.ec2.attach_volume, VolumeId=other, InstanceId=instance, Device="/dev/sdg", status=400)
        self.refused(code, self.ec2.run_instances, ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro", status=400, **root)
        # A server that begins anew gives running machines their disks back.
        self.server.kill()
        self.server.start()
        self.assertEqual(self.first_block(volume), pattern("attached", BLOCK))
        self.pull_the_plug([instance])
        self.detach(volume)
        self.refused(code, self.ec2.attach_volume, VolumeId=volume, InstanceId=instance, Device="/dev/sdf", status=400)
        self.refused(code, self.ec2.start_instances, InstanceIds=[instance], status=400)
        self.refused("InvalidInstanceID.NotFound", self.ec2.start_instances, InstanceIds=["i-0123456789abcdef0"])
        self.server.client("kms").enable_key(KeyId=key)
        self.ec2.start_instances(InstanceIds=[instance])
        self.wait_instance(instance, "running")
        self.attach(volume, instance)

    def first_block(self, volume):
        """The first block of an attached volume, as its machine would read it."""
        target = self.temp / f"read-{os.urandom(4).hex()}"
        self.nbdcopy(nbd(self.socket_of(volume)), target)
        with open(target, "rb") as file:
            data = file.read(BLOCK)
        target.unlink()
        return data
