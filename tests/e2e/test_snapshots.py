"""Snapshots of others and for others: copies, permissions, locks, the Recycle Bin, tiers, fast restores."""

import datetime

from .guests import MachineTest
from .harness import BLOCK, ServerTest, pattern, put_block, wait_for

ELSEWHERE = "eu-west-1"
DAYS = {"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
DELAY = {"UnlockDelay": {"UnlockDelayValue": 7, "UnlockDelayUnit": "DAYS"}}
NOBODY = "snap-0123456789abcdef0"


class Snapshots(ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = cls.server.cairn_json("account", "create", "--name", "other")
        cls.other_account, cls.other = made["AccountId"], (made["AccessKeyId"], made["SecretAccessKey"])
        cls.theirs = cls.server.client("ec2", keys=cls.other)
        cls.their_ebs = cls.server.client("ebs", keys=cls.other)

    def finished(self, ec2, snapshot):
        def state():
            found = ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
            self.assertNotEqual(found["State"], "error", found)
            return found["State"] == "completed" and found
        return wait_for(f"{snapshot} to complete", state)

    def let_in(self, snapshot, **whom):
        self.ec2.modify_snapshot_attribute(
            SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", **(whom or {"UserIds": [self.other_account]}))

    def bytes_by_volume(self, ec2, ebs, snapshot):
        """What a volume made of a snapshot holds, by a snapshot of it."""
        volume = ec2.create_volume(AvailabilityZone=f"{ec2.meta.region_name}a", SnapshotId=snapshot)["VolumeId"]
        wait_for(f"{volume} to be available", lambda: ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "available")
        again = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        self.finished(ec2, again)
        return volume, self.blocks_of(again, ebs=ebs)

    def test_a_copy_has_the_same_bytes_elsewhere(self):
        blocks = {0: pattern("copy", BLOCK), 7: pattern("copy 7", BLOCK)}
        source = self.upload(blocks)
        there, ebs = self.server.client("ec2", region=ELSEWHERE), self.server.client("ebs", region=ELSEWHERE)
        tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "Name", "Value": "copied"}]}]
        answer = there.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=source, Description="a copy",
                                     CompletionDurationMinutes=30, TagSpecifications=tags)
        self.assertEqual(answer["Tags"], tags[0]["Tags"])
        copy = self.finished(there, answer["SnapshotId"])
        self.assertEqual((copy["VolumeId"], copy["Description"], copy["TransferType"], copy["CompletionDurationMinutes"]),
                         ("vol-ffffffff", "a copy", "time-based", 30))
        self.assert_same_blocks(self.blocks_of(copy["SnapshotId"], ebs=ebs), blocks)
        proof = self.server.cairn_json("verify", source)
        self.ec2.delete_snapshot(SnapshotId=source)
        self.assert_same_blocks(self.bytes_by_volume(there, ebs, copy["SnapshotId"])[1], blocks)
        self.assertTrue(proof["Ok"], proof)
        back = self.ec2.copy_snapshot(SourceRegion=ELSEWHERE, SourceSnapshotId=copy["SnapshotId"], Encrypted=True)["SnapshotId"]
        self.assertTrue(self.finished(self.ec2, back)["Encrypted"])
        self.assert_same_blocks(self.blocks_of(back), blocks)
        filters = [{"Name": "transfer-type", "Values": ["time-based"]}]
        self.assertEqual([found["SnapshotId"] for found in there.describe_snapshots(Filters=filters)["Snapshots"]], [copy["SnapshotId"]])
        for code, request in (
            ("InvalidParameterValue", {"SourceRegion": "mars-1"}),
            ("InvalidSnapshot.NotFound", {"SourceRegion": "us-east-2"}),
            ("InvalidParameterDependency", {"KmsKeyId": "alias/aws/ebs"}),
            ("InvalidParameterValue", {"CompletionDurationMinutes": 16}),
            ("UnsupportedOperation", {"DestinationOutpostArn": "arn:aws:outposts:us-east-1:1:outpost/op-1"}),
        ):
            with self.subTest(request):
                self.refused(code, self.ec2.copy_snapshot, **({"SourceRegion": "us-east-1", "SourceSnapshotId": back} | request))

    def test_a_copy_goes_on_when_the_server_is_killed(self):
        blocks = {index: pattern(("killed", index), BLOCK) for index in range(48)}
        source = self.upload(blocks)
        copies = []
        for _ in range(3):
            there = self.server.client("ec2", region=ELSEWHERE)
            copies.append(there.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=source, Encrypted=True)["SnapshotId"])
            if len(copies) == 3:
                self.ec2.delete_snapshot(SnapshotId=source)
            self.server.kill()
            self.server.start()
        for copy in copies:
            self.finished(self.server.client("ec2", region=ELSEWHERE), copy)
            self.assert_same_blocks(self.blocks_of(copy, ebs=self.server.client("ebs", region=ELSEWHERE)), blocks)

    def test_whoever_was_let_in_reads_the_same_bytes(self):
        blocks = {1: pattern("shared", BLOCK), 3: pattern("shared 3", BLOCK)}
        snapshot = self.upload(blocks)
        self.refused("InvalidSnapshot.NotFound", self.theirs.create_volume, AvailabilityZone="us-east-1a", SnapshotId=snapshot)
        self.refused("ResourceNotFoundException", self.their_ebs.list_snapshot_blocks, SnapshotId=snapshot)
        self.let_in(snapshot)
        self.let_in(snapshot)
        shown = self.ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
        self.assertEqual(shown["CreateVolumePermissions"], [{"UserId": self.other_account}])
        self.assertIn(snapshot, [found["SnapshotId"] for found in self.theirs.describe_snapshots(RestorableByUserIds=["self"])["Snapshots"]])
        self.assert_same_blocks(self.blocks_of(snapshot, ebs=self.their_ebs), blocks)
        second = self.upload({1: blocks[1]})
        self.let_in(second)
        changed = self.their_ebs.list_changed_blocks(FirstSnapshotId=second, SecondSnapshotId=snapshot)
        self.assertEqual([block["BlockIndex"] for block in changed["ChangedBlocks"]], [3])
        copy = self.theirs.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=snapshot)["SnapshotId"]
        self.finished(self.theirs, copy)
        volume, found = self.bytes_by_volume(self.theirs, self.their_ebs, snapshot)
        self.assert_same_blocks(found, blocks)
        # Only the owner changes it, deletes it, or sees who else is let in.
        for call in (self.theirs.delete_snapshot, self.theirs.unlock_snapshot):
            self.refused("InvalidSnapshot.NotFound", call, SnapshotId=snapshot)
        for call in (self.theirs.describe_snapshot_attribute, self.theirs.reset_snapshot_attribute):
            self.refused("InvalidSnapshot.NotFound", call, SnapshotId=snapshot, Attribute="createVolumePermission")
        self.ec2.delete_snapshot(SnapshotId=snapshot)
        again = self.theirs.create_snapshot(VolumeId=volume)["SnapshotId"]
        self.finished(self.theirs, again)
        self.assert_same_blocks(self.blocks_of(again, ebs=self.their_ebs), blocks)
        self.assert_same_blocks(self.blocks_of(copy, ebs=self.their_ebs), blocks)

    def test_permissions_change_as_a_whole(self):
        snapshot = self.upload({0: pattern("permissions", BLOCK)})
        modify = self.ec2.modify_snapshot_attribute

        def permissions():
            return self.ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")["CreateVolumePermissions"]
        modify(SnapshotId=snapshot, CreateVolumePermission={"Add": [{"UserId": self.other_account}, {"UserId": "111111111111"}]})
        both = [{"UserId": account} for account in sorted([self.other_account, "111111111111"])]
        self.assertEqual(permissions(), both)
        add = {"OperationType": "add"}
        for code, request in (
            ("InvalidUserID.Malformed", add | {"UserIds": ["222222222222", "nobody"]}),
            ("InvalidParameterValue", add | {"GroupNames": ["none"]}),
            ("InvalidParameterCombination", {"CreateVolumePermission": {"Add": [{"Group": "all"}], "Remove": [{"UserId": "111111111111"}]}}),
            ("InvalidParameterCombination", add | {"UserIds": ["222222222222"], "CreateVolumePermission": {"Add": [{"Group": "all"}]}}),
            ("InvalidParameterValue", {"OperationType": "change", "UserIds": ["222222222222"]}),
            ("InvalidParameterValue", add | {"Attribute": "productCodes", "UserIds": ["222222222222"]}),
            ("MissingParameter", add), ("MissingParameter", {}),
        ):
            with self.subTest(code, request=request):
                self.refused(code, modify, SnapshotId=snapshot, **request)
        self.assertEqual(permissions(), both)
        modify(SnapshotId=snapshot, OperationType="remove", UserIds=["111111111111", "333333333333"])
        self.assertEqual(permissions(), [{"UserId": self.other_account}])
        self.ec2.reset_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
        self.assertEqual(permissions(), [])
        self.assertEqual(self.ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="productCodes")["ProductCodes"], [])
        self.refused("InvalidParameterValue", self.ec2.describe_snapshot_attribute, SnapshotId=snapshot, Attribute="colour")
        encrypted = self.upload({0: pattern("e", BLOCK)}, Encrypted=True)
        for whom in ({"UserIds": [self.other_account]}, {"GroupNames": ["all"]}):
            self.refused("OperationNotPermitted", modify, SnapshotId=encrypted, OperationType="add", **whom)

    def test_public_access_can_be_blocked(self):
        ec2 = self.server.client("ec2", region="us-west-2")
        theirs = self.server.client("ec2", region="us-west-2", keys=self.other)
        ebs = self.server.client("ebs", region="us-west-2")
        blocks = {0: pattern("public", BLOCK)}
        made = [ebs.start_snapshot(VolumeSize=1)["SnapshotId"] for _ in range(2)]
        for snapshot in made:
            put_block(ebs, snapshot, 0, blocks[0])
            ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=1)
            self.finished(ec2, snapshot)
        public, private = made
        share = {"OperationType": "add", "GroupNames": ["all"]}

        def visible():
            return [found["SnapshotId"] for found in theirs.describe_snapshots(RestorableByUserIds=["all"])["Snapshots"]]
        ec2.modify_snapshot_attribute(SnapshotId=public, **share)
        self.assertEqual(visible(), [public])
        self.assertEqual(ec2.get_snapshot_block_public_access_state()["State"], "unblocked")
        self.assertEqual(ec2.enable_snapshot_block_public_access(State="block-new-sharing")["State"], "block-new-sharing")
        self.refused("OperationNotPermitted", ec2.modify_snapshot_attribute, SnapshotId=private, **share)
        self.assertEqual(visible(), [public])
        ec2.enable_snapshot_block_public_access(State="block-all-sharing")
        self.assertEqual(visible(), [])
        self.refused("InvalidSnapshot.NotFound", theirs.create_volume, AvailabilityZone="us-west-2a", SnapshotId=public)
        self.refused("OperationNotPermitted", ec2.modify_snapshot_attribute, SnapshotId=private, **share)
        # It is the owner's block that counts, and only of the region.
        self.assertEqual(theirs.get_snapshot_block_public_access_state()["State"], "unblocked")
        self.assertEqual(self.ec2.get_snapshot_block_public_access_state()["State"], "unblocked")
        self.assertEqual(ec2.disable_snapshot_block_public_access()["State"], "unblocked")
        self.assertEqual(visible(), [public])
        volume = theirs.create_volume(AvailabilityZone="us-west-2a", SnapshotId=public)
        self.assertEqual(volume["Size"], 1)
        self.refused("InvalidParameterValue", ec2.enable_snapshot_block_public_access, State="unblocked")

    def test_locks(self):
        ec2, snapshot = self.ec2, self.upload({0: pattern("lock", BLOCK)})
        shown = ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance", LockDuration=2)
        self.assertEqual((shown["LockState"], shown["LockDuration"]), ("governance", 2))
        self.assertEqual(shown["LockExpiresOn"] - shown["LockDurationStartTime"], datetime.timedelta(days=2))
        self.refused("OperationNotPermitted", ec2.delete_snapshot, SnapshotId=snapshot)
        until = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=30)
        shown = ec2.lock_snapshot(SnapshotId=snapshot, LockMode="compliance", ExpirationDate=until, CoolOffPeriod=3)
        self.assertEqual((shown["LockState"], shown["LockExpiresOn"], shown["CoolOffPeriod"]), ("compliance-cooloff", until, 3))
        found = ec2.describe_locked_snapshots(Filters=[{"Name": "lock-state", "Values": ["compliance-cooloff"]}])["Snapshots"]
        self.assertEqual([item["SnapshotId"] for item in found], [snapshot])
        ec2.unlock_snapshot(SnapshotId=snapshot)
        self.assertEqual(ec2.describe_locked_snapshots(SnapshotIds=[snapshot])["Snapshots"], [])
        self.refused("IncorrectState", ec2.unlock_snapshot, SnapshotId=snapshot)
        for code, request in (
            ("InvalidParameterValue", {"LockMode": "secrecy", "LockDuration": 1}),
            ("InvalidParameterValue", {"LockMode": "governance", "LockDuration": 36501}),
            ("MissingParameter", {"LockMode": "governance"}),
            ("InvalidParameterCombination", {"LockMode": "governance", "LockDuration": 1, "ExpirationDate": until}),
            ("InvalidParameterCombination", {"LockMode": "governance", "LockDuration": 1, "CoolOffPeriod": 1}),
            ("InvalidParameterValue", {"LockMode": "compliance", "LockDuration": 1, "CoolOffPeriod": 73}),
            ("InvalidParameterValue", {"LockMode": "compliance", "ExpirationDate": until - datetime.timedelta(days=60)}),
        ):
            with self.subTest(request):
                self.refused(code, ec2.lock_snapshot, SnapshotId=snapshot, **request)
        ec2.lock_snapshot(SnapshotId=snapshot, LockMode="compliance", LockDuration=1)
        self.refused("OperationNotPermitted", ec2.unlock_snapshot, SnapshotId=snapshot)
        image = ec2.register_image(Name="of a locked one", RootDeviceName="/dev/xvda", BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}])["ImageId"]
        results = ec2.deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)["DeleteSnapshotResults"]
        self.assertEqual([(r["SnapshotId"], r["ReturnCode"]) for r in results], [(snapshot, "client-error")])
        self.completed(snapshot)

    def test_the_recycle_bin(self):
        ec2, rbin = self.ec2, self.server.client("rbin")
        blocks = {2: pattern("bin", BLOCK)}
        kept = self.upload(blocks, Tags=[{"Key": "keep", "Value": "yes"}])
        gone = self.upload({0: pattern("gone", BLOCK)}, Tags=[{"Key": "keep", "Value": "no"}])
        rule = rbin.create_rule(ResourceType="EBS_SNAPSHOT", RetentionPeriod=DAYS, Description="those to keep",
                                ResourceTags=[{"ResourceTagKey": "keep", "ResourceTagValue": "yes"}], Tags=[{"Key": "a", "Value": "b"}])
        self.assertEqual((rule["Status"], rule["Tags"], rule["RetentionPeriod"]), ("available", [{"Key": "a", "Value": "b"}], DAYS))
        for snapshot in (kept, gone):
            ec2.delete_snapshot(SnapshotId=snapshot)
            self.refused("InvalidSnapshot.NotFound", ec2.describe_snapshots, SnapshotIds=[snapshot])
        self.assertEqual(ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [kept]}])["Tags"], [])
        self.refused("InvalidSnapshot.NotFound", ec2.create_tags, Resources=[kept], Tags=[{"Key": "a", "Value": ""}])
        self.refused("ResourceNotFoundException", self.ebs.list_snapshot_blocks, SnapshotId=kept)
        found = [item for item in ec2.list_snapshots_in_recycle_bin()["Snapshots"] if item["SnapshotId"] in (kept, gone)]
        self.assertEqual([item["SnapshotId"] for item in found], [kept])
        self.assertEqual(found[0]["RecycleBinExitTime"] - found[0]["RecycleBinEnterTime"], datetime.timedelta(days=7))
        self.refused("InvalidSnapshot.NotFound", self.theirs.restore_snapshot_from_recycle_bin, SnapshotId=kept)
        self.server.kill()
        self.server.start()
        ec2, rbin = self.ec2, self.server.client("rbin")
        restored = ec2.restore_snapshot_from_recycle_bin(SnapshotId=kept)
        self.assertEqual((restored["SnapshotId"], restored["State"]), (kept, "completed"))
        self.assert_same_blocks(self.blocks_of(kept), blocks)
        self.assertEqual(ec2.list_snapshots_in_recycle_bin(SnapshotIds=[])["Snapshots"], [])
        rbin.delete_rule(Identifier=rule["Identifier"])
        ec2.delete_snapshot(SnapshotId=kept)
        self.refused("InvalidSnapshot.NotFound", ec2.restore_snapshot_from_recycle_bin, SnapshotId=kept)

    def reason(self, code, reason, call, **parameters):
        from botocore.exceptions import ClientError
        with self.assertRaises(ClientError) as caught:
            call(**parameters)
        answer = caught.exception.response
        self.assertEqual((answer["Error"]["Code"], answer.get("Reason")), (code, reason), answer)

    def test_rules(self):
        rbin, theirs = self.server.client("rbin"), self.server.client("rbin", keys=self.other)
        base = {"ResourceType": "EC2_IMAGE", "RetentionPeriod": DAYS}
        rule = rbin.create_rule(**base, ExcludeResourceTags=[{"ResourceTagKey": "scratch"}])
        identifier, arn = rule["Identifier"], rule["RuleArn"]
        self.assertRegex(arn, r"^arn:aws:rbin:us-east-1:\d{12}:rule/[0-9a-zA-Z]{11}$")
        found = rbin.get_rule(Identifier=identifier)
        self.assertEqual(found["ExcludeResourceTags"], [{"ResourceTagKey": "scratch"}])
        self.assertNotIn("LockState", found)
        listed = rbin.list_rules(ResourceType="EC2_IMAGE", ExcludeResourceTags=[{"ResourceTagKey": "scratch"}])["Rules"]
        self.assertEqual([item["Identifier"] for item in listed], [identifier])
        self.assertEqual(rbin.list_rules(ResourceType="EBS_SNAPSHOT", LockState="locked")["Rules"], [])
        changed = rbin.update_rule(Identifier=identifier, Description="changed", RetentionPeriod=DAYS | {"RetentionPeriodValue": 30})
        self.assertEqual((changed["Description"], changed["RetentionPeriod"]["RetentionPeriodValue"]), ("changed", 30))
        rbin.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b/ c", "Value": "2"}])
        self.assertEqual(rbin.list_tags_for_resource(ResourceArn=arn)["Tags"], [{"Key": "a", "Value": "1"}, {"Key": "b/ c", "Value": "2"}])
        rbin.untag_resource(ResourceArn=arn, TagKeys=["a", "b/ c"])
        self.assertEqual(rbin.list_tags_for_resource(ResourceArn=arn)["Tags"], [])
        locked = rbin.lock_rule(Identifier=identifier, LockConfiguration=DELAY)
        self.assertEqual((locked["LockState"], locked["LockConfiguration"]), ("locked", DELAY))
        conflict = ("ConflictException", "INVALID_RULE_STATE")
        self.reason(*conflict, rbin.update_rule, Identifier=identifier, Description="no")
        self.reason(*conflict, rbin.delete_rule, Identifier=identifier)
        unlocked = rbin.unlock_rule(Identifier=identifier)
        self.assertEqual(unlocked["LockState"], "pending_unlock")
        wait = unlocked["LockEndTime"] - datetime.datetime.now(datetime.timezone.utc)
        self.assertTrue(datetime.timedelta(days=6) < wait <= datetime.timedelta(days=7), wait)
        self.reason(*conflict, rbin.delete_rule, Identifier=identifier)
        self.reason(*conflict, rbin.unlock_rule, Identifier=identifier)
        missing, value = ("ResourceNotFoundException", "RULE_NOT_FOUND"), ("ValidationException", "INVALID_PARAMETER_VALUE")
        for client, unknown in ((theirs, identifier), (rbin, "0123456789a")):
            self.reason(*missing, client.get_rule, Identifier=unknown)
            self.reason(*missing, client.delete_rule, Identifier=unknown)
            self.reason(*missing, client.update_rule, Identifier=unknown, Description="no")
            self.reason(*missing, client.lock_rule, Identifier=unknown, LockConfiguration=DELAY)
            self.reason(*missing, client.unlock_rule, Identifier=unknown)
        self.reason(*missing, theirs.list_tags_for_resource, ResourceArn=arn)
        self.reason(*value, rbin.get_rule, Identifier="short")
        for wrong in (
            {"ResourceType": "S3_BUCKET"}, {"RetentionPeriod": DAYS | {"RetentionPeriodValue": 366}},
            {"ResourceType": "EBS_VOLUME", "RetentionPeriod": DAYS | {"RetentionPeriodValue": 8}},
            {"RetentionPeriod": DAYS | {"RetentionPeriodUnit": "WEEKS"}}, {"Description": "x" * 256},
            {"ResourceTags": [{"ResourceTagKey": "a"}], "ExcludeResourceTags": [{"ResourceTagKey": "b"}]},
            {"ResourceTags": [{"ResourceTagKey": "a"}], "LockConfiguration": DELAY},
        ):
            with self.subTest(wrong):
                self.reason(*value, rbin.create_rule, **(base | wrong))
        self.reason("ValidationException", "INVALID_PAGE_TOKEN", rbin.list_rules, ResourceType="EC2_IMAGE", NextToken="AAAA")

    def tier(self, snapshot):
        filters = [{"Name": "snapshot-id", "Values": [snapshot]}]
        return self.ec2.describe_snapshot_tier_status(Filters=filters)["SnapshotTierStatuses"][0]

    def tiered(self, snapshot, status):
        return wait_for(f"{snapshot} to be {status}", lambda: self.tier(snapshot).get("LastTieringOperationStatus") == status and self.tier(snapshot))

    def test_tiers(self):
        ec2, blocks = self.ec2, {0: b"text that compresses well. " * (BLOCK // 27) + bytes(BLOCK % 27), 5: pattern("archive", BLOCK)}
        snapshot = self.upload(blocks)
        digest = self.server.cairn_json("verify", snapshot)["Digest"]
        self.assertEqual(self.tier(snapshot)["StorageTier"], "standard")
        self.refused("InvalidParameterValue", ec2.modify_snapshot_tier, SnapshotId=snapshot, StorageTier="standard")
        self.refused("IncorrectState", ec2.restore_snapshot_tier, SnapshotId=snapshot, PermanentRestore=True)
        begun = ec2.modify_snapshot_tier(SnapshotId=snapshot, StorageTier="archive")
        self.assertEqual(begun["SnapshotId"], snapshot)
        archived = self.tiered(snapshot, "archival-completed")
        self.assertEqual((archived["StorageTier"], archived["LastTieringProgress"]), ("archive", 100))
        self.assertEqual(ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["StorageTier"], "archive")
        self.refused("IncorrectState", ec2.create_volume, AvailabilityZone="us-east-1a", SnapshotId=snapshot)
        self.refused("IncorrectState", ec2.copy_snapshot, SourceRegion="us-east-1", SourceSnapshotId=snapshot)
        self.refused("ValidationException", self.ebs.list_snapshot_blocks, SnapshotId=snapshot)
        self.assertEqual(self.server.cairn_json("verify", snapshot)["Digest"], digest)
        self.refused("InvalidParameterValue", ec2.restore_snapshot_tier, SnapshotId=snapshot, TemporaryRestoreDays=181)
        self.refused("InvalidParameterCombination", ec2.restore_snapshot_tier, SnapshotId=snapshot, TemporaryRestoreDays=1, PermanentRestore=True)
        self.refused("MissingParameter", ec2.restore_snapshot_tier, SnapshotId=snapshot)
        restore = ec2.restore_snapshot_tier(SnapshotId=snapshot, TemporaryRestoreDays=2)
        self.assertEqual((restore["RestoreDuration"], restore["IsPermanentRestore"]), (2, False))
        found = self.tiered(snapshot, "temporary-restore-completed")
        self.assertEqual(found["StorageTier"], "archive")
        self.assertIn("RestoreExpiryTime", found)
        self.assert_same_blocks(self.blocks_of(snapshot), blocks)
        self.assertTrue(ec2.restore_snapshot_tier(SnapshotId=snapshot, PermanentRestore=True)["IsPermanentRestore"])
        self.assertEqual(self.tiered(snapshot, "permanent-restore-completed")["StorageTier"], "standard")
        self.assertEqual(self.server.cairn_json("verify", snapshot)["Digest"], digest)
        ec2.register_image(Name="of a restored one", RootDeviceName="/dev/xvda", BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}])
        self.refused("InvalidSnapshot.InUse", ec2.modify_snapshot_tier, SnapshotId=snapshot, StorageTier="archive")

    def test_fast_restores(self):
        ec2, snapshot = self.ec2, self.upload({0: pattern("fast", BLOCK)})
        request = {"AvailabilityZones": ["us-east-1a"], "SourceSnapshotIds": [snapshot]}
        begun = ec2.enable_fast_snapshot_restores(**request)
        self.assertEqual((begun["Successful"][0]["State"], begun["Unsuccessful"]), ("enabling", []))
        filters = [{"Name": "snapshot-id", "Values": [snapshot]}, {"Name": "state", "Values": ["enabled"]}]
        found = wait_for("fast restores", lambda: ec2.describe_fast_snapshot_restores(Filters=filters)["FastSnapshotRestores"])
        self.assertEqual((found[0]["AvailabilityZone"], found[0]["AvailabilityZoneId"]), ("us-east-1a", "use1-az1"))
        self.assertLessEqual(found[0]["EnablingTime"], found[0]["EnabledTime"])
        failed = ec2.enable_fast_snapshot_restores(AvailabilityZoneIds=["use1-az1"], SourceSnapshotIds=[NOBODY])["Unsuccessful"]
        self.assertEqual(failed[0]["FastSnapshotRestoreStateErrors"][0]["Error"]["Code"], "InvalidSnapshot.NotFound")
        stopped = ec2.disable_fast_snapshot_restores(**request)["Successful"]
        self.assertEqual(stopped[0]["State"], "disabling")
        self.refused("InvalidZone.NotFound", ec2.enable_fast_snapshot_restores, **(request | {"AvailabilityZones": ["mars-1a"]}))
        self.refused("MissingParameter", ec2.enable_fast_snapshot_restores, SourceSnapshotIds=[snapshot])
        self.refused("InvalidSnapshotID.Malformed", ec2.enable_fast_snapshot_restores, **(request | {"SourceSnapshotIds": ["snap-x"]}))


class SnapshotsOfAnInstance(MachineTest):
    def test_all_volumes_at_one_moment(self):
        ec2 = self.ec2
        instance = self.running(self.blank_image())
        self.pull_the_plug([instance])
        ec2.stop_instances(InstanceIds=[instance], Force=True)
        self.wait_instance(instance, "stopped")
        data, blocks = {}, {}
        for device in ("/dev/sdf", "/dev/sdg"):
            blocks[device] = {0: pattern(device, BLOCK)}
            volume = ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=self.upload(blocks[device]), TagSpecifications=[
                {"ResourceType": "volume", "Tags": [{"Key": "device", "Value": device}, {"Key": "over", "Value": "volume"}]}])["VolumeId"]
            self.available(volume)
            ec2.attach_volume(InstanceId=instance, VolumeId=volume, Device=device)
            data[device] = volume
        root = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
        whole = {"InstanceId": instance}
        made = ec2.create_snapshots(InstanceSpecification=whole, Description="all", CopyTagsFromSource="volume", TagSpecifications=[
            {"ResourceType": "snapshot", "Tags": [{"Key": "over", "Value": "request"}]}])["Snapshots"]
        by_volume = {snapshot["VolumeId"]: snapshot for snapshot in made}
        self.assertEqual(set(by_volume), {root, *data.values()})
        self.assertEqual(len({snapshot["StartTime"] for snapshot in made}), 1)
        for device, volume in data.items():
            tags = {tag["Key"]: tag["Value"] for tag in by_volume[volume]["Tags"]}
            self.assertEqual(tags, {"device": device, "over": "request"})
            self.completed(by_volume[volume]["SnapshotId"])
            self.assert_same_blocks(self.blocks_of(by_volume[volume]["SnapshotId"]), blocks[device])
        some = ec2.create_snapshots(InstanceSpecification=whole | {"ExcludeDataVolumeIds": [data["/dev/sdf"]]})["Snapshots"]
        self.assertEqual({snapshot["VolumeId"] for snapshot in some}, {root, data["/dev/sdg"]})
        some = ec2.create_snapshots(InstanceSpecification=whole | {"ExcludeBootVolume": True})["Snapshots"]
        self.assertEqual({snapshot["VolumeId"] for snapshot in some}, set(data.values()))
        create = ec2.create_snapshots
        self.refused("InvalidParameterValue", create, InstanceSpecification=whole | {"ExcludeDataVolumeIds": [root]})
        self.refused("InvalidParameterValue", create, InstanceSpecification=whole | {"ExcludeDataVolumeIds": ["vol-0123456789abcdef0"]})
        self.refused("InvalidVolumeID.Malformed", create, InstanceSpecification=whole | {"ExcludeDataVolumeIds": ["vol-x"]})
        everything = {"ExcludeBootVolume": True, "ExcludeDataVolumeIds": list(data.values())}
        self.refused("InvalidParameterValue", create, InstanceSpecification=whole | everything)
        self.refused("InvalidParameterValue", create, InstanceSpecification=whole, CopyTagsFromSource="instance")
        self.refused("InvalidInstanceID.NotFound", create, InstanceSpecification={"InstanceId": "i-0123456789abcdef0"})
        self.refused("DryRunOperation", create, InstanceSpecification=whole, DryRun=True)
