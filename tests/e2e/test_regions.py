"""Regions that an account opts into, and what becomes of calls in those that it has not."""

from .harness import BLOCK, REGION, ServerTest, pattern, wait_for

FAR = "af-south-1"
BY_DEFAULT, OPTIONAL = 17, 17


class Regions(ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = cls.server.cairn_json("account", "create", "--name", "other")
        cls.other_account, cls.other = made["AccountId"], (made["AccessKeyId"], made["SecretAccessKey"])

    @property
    def account(self):
        return self.server.client("account")

    def there(self, service="ec2", keys=None):
        return self.server.client(service, region=FAR, keys=keys)

    def status(self, region, keys=None):
        return self.server.client("account", keys=keys).get_region_opt_status(RegionName=region)["RegionOptStatus"]

    def refused_everywhere(self, keys=None):
        """Every service words it as what it says of a key that nobody has."""
        self.refused("AuthFailure", self.there(keys=keys).describe_volumes, status=401)
        self.refused("UnrecognizedClientException", self.there("ebs", keys).start_snapshot, VolumeSize=1, status=403)
        self.refused("UnrecognizedClientException", self.there("kms", keys).list_keys)
        self.refused("UnrecognizedClientException", self.there("rbin", keys).list_rules, ResourceType="EBS_VOLUME")
        self.refused("InvalidClientTokenId", self.there("sts", keys).get_caller_identity, status=403)

    def test_a_region_is_enabled_and_disabled(self):
        self.assertEqual(self.status(FAR), "DISABLED")
        self.refused_everywhere()
        blocks = {3: pattern("far", BLOCK)}
        source = self.upload(blocks)
        self.account.enable_region(RegionName=FAR)
        self.account.enable_region(RegionName=FAR)
        self.assertEqual((self.status(FAR), self.status(FAR, self.other)), ("ENABLED", "DISABLED"))
        self.refused_everywhere(self.other)
        shown = {found["RegionName"]: found["OptInStatus"] for found in self.ec2.describe_regions()["Regions"]}
        self.assertEqual((len(shown), shown[FAR], shown[REGION]), (BY_DEFAULT + 1, "opted-in", "opt-in-not-required"))
        # It has what every region has.
        ec2 = self.there()
        vpc, = ec2.describe_vpcs()["Vpcs"]
        self.assertTrue(vpc["IsDefault"])
        zones = ec2.describe_availability_zones(AllAvailabilityZones=True)["AvailabilityZones"]
        self.assertEqual([zone["ZoneId"] for zone in zones], ["afs1-az1", "afs1-az2", "afs1-az3"])
        copy = ec2.copy_snapshot(SourceRegion=REGION, SourceSnapshotId=source)["SnapshotId"]
        volume = ec2.create_volume(AvailabilityZone=f"{FAR}a", Size=1)["VolumeId"]

        def completed():
            return ec2.describe_snapshots(SnapshotIds=[copy])["Snapshots"][0]["State"] == "completed"
        wait_for("the copy", completed)
        self.account.disable_region(RegionName=FAR)
        self.account.disable_region(RegionName=FAR)
        self.assertEqual(self.status(FAR), "DISABLED")
        self.refused_everywhere()
        self.refused("InvalidParameterValue", self.ec2.copy_snapshot, SourceRegion=FAR, SourceSnapshotId=copy)
        self.refused("InvalidParameterValue", self.ec2.copy_image, SourceRegion=FAR, SourceImageId="ami-0123456789abcdef0", Name="refused")
        # What is there stays.
        self.server.cairn("gc")
        self.server.kill()
        self.server.start()
        self.refused_everywhere()
        self.account.enable_region(RegionName=FAR)
        self.assertEqual(self.there().describe_vpcs()["Vpcs"], [vpc])
        self.assertEqual(self.there().describe_volumes()["Volumes"][0]["VolumeId"], volume)
        self.assert_same_blocks(self.blocks_of(copy, ebs=self.there("ebs")), blocks)
        back = self.ec2.copy_snapshot(SourceRegion=FAR, SourceSnapshotId=copy)["SnapshotId"]
        self.completed(back)
        self.account.disable_region(RegionName=FAR)

    def test_regions_are_listed_and_described(self):
        account, pages = self.account, []
        self.account.enable_region(RegionName="me-south-1")
        request = {"MaxResults": 20}
        while request is not None:
            page = account.list_regions(**request)
            pages.append(len(page["Regions"]))
            request = {"MaxResults": 20, "NextToken": page["NextToken"]} if "NextToken" in page else None
        self.assertEqual(pages, [20, BY_DEFAULT + OPTIONAL - 20])
        enabled = account.list_regions(RegionOptStatusContains=["ENABLED", "ENABLING"])["Regions"]
        self.assertEqual(enabled, [{"RegionName": "me-south-1", "RegionOptStatus": "ENABLED"}])
        self.assertEqual(len(account.list_regions(RegionOptStatusContains=["ENABLED_BY_DEFAULT"])["Regions"]), BY_DEFAULT)
        every = {found["RegionName"]: found["OptInStatus"] for found in self.ec2.describe_regions(AllRegions=True)["Regions"]}
        self.assertEqual(len(every), BY_DEFAULT + OPTIONAL)
        self.assertEqual((every["me-south-1"], every["ap-east-1"]), ("opted-in", "not-opted-in"))
        out = [{"Name": "opt-in-status", "Values": ["not-opted-in"]}]
        self.assertEqual(len(self.ec2.describe_regions(AllRegions=True, Filters=out)["Regions"]), OPTIONAL - 1)
        self.assertEqual(self.ec2.describe_regions(Filters=out)["Regions"], [])
        found, = self.ec2.describe_regions(AllRegions=True, RegionNames=["ap-east-1"])["Regions"]
        self.assertEqual(found["Endpoint"], "ec2.ap-east-1.amazonaws.com")
        self.refused("InvalidParameterValue", self.ec2.describe_regions, RegionNames=["ap-east-1"])
        account.disable_region(RegionName="me-south-1")

    def test_what_is_refused(self):
        from botocore.exceptions import ClientError
        account = self.account

        def reason(call, **parameters):
            with self.assertRaises(ClientError) as caught:
                call(**parameters)
            answer = caught.exception.response
            self.assertEqual(answer["Error"]["Code"], "ValidationException", answer)
            self.assertTrue(answer["message"])
            return answer["reason"]
        for call in (account.enable_region, account.disable_region):
            self.assertEqual(reason(call, RegionName=REGION), "invalidRegionOptTarget")
            self.assertEqual(reason(call, RegionName="mars-1"), "fieldValidationFailed")
        self.assertEqual(reason(account.get_region_opt_status, RegionName="mars-1"), "fieldValidationFailed")
        self.assertEqual(reason(account.list_regions, RegionOptStatusContains=["OPEN"]), "fieldValidationFailed")
        self.assertEqual(reason(account.list_regions, NextToken="AAAA"), "fieldValidationFailed")
        own = self.server.client("sts").get_caller_identity()["Account"]
        self.assertEqual(account.get_region_opt_status(RegionName=FAR, AccountId=own)["RegionName"], FAR)
        for call in (account.enable_region, account.disable_region, account.get_region_opt_status):
            self.refused("AccessDeniedException", call, RegionName=FAR, AccountId=self.other_account, status=403)

    def test_groups_of_zones(self):
        modify, group = self.ec2.modify_availability_zone_group, f"{REGION}-zg-1"
        zone = self.ec2.describe_availability_zones()["AvailabilityZones"][0]
        self.assertEqual((zone["GroupName"], zone["OptInStatus"]), (group, "opt-in-not-required"))
        self.assertTrue(modify(GroupName=group, OptInStatus="opted-in")["Return"])
        self.refused("InvalidParameterValue", modify, GroupName=group, OptInStatus="not-opted-in")
        self.refused("InvalidParameterValue", modify, GroupName="us-west-2-lax-1", OptInStatus="opted-in")
