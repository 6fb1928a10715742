"""Networks: security groups and their rules, VPCs, subnets, what comes with them, network interfaces."""

import re

from .harness import ServerTest

ANYWHERE = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


class Networks(ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = cls.server.cairn_json("account", "create", "--name", "stranger")
        cls.stranger = cls.server.client("ec2", keys=(made["AccessKeyId"], made["SecretAccessKey"]))
        cls.elsewhere = cls.server.client("ec2", region="eu-west-1")

    def default_vpc(self, client=None):
        vpcs = (client or self.ec2).describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
        self.assertEqual(len(vpcs), 1)
        return vpcs[0]["VpcId"]

    def group(self, name, **parameters):
        return self.ec2.create_security_group(GroupName=name, Description="of a test", **parameters)["GroupId"]

    def shown(self, group):
        return self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]

    def vpc(self, cidr="172.16.0.0/16"):
        vpc = self.ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        self.addCleanup(self.forget_vpc, vpc)
        return vpc

    def forget_vpc(self, vpc):
        mine = [{"Name": "vpc-id", "Values": [vpc]}]
        for interface in self.ec2.describe_network_interfaces(Filters=mine)["NetworkInterfaces"]:
            self.ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
        for subnet in self.ec2.describe_subnets(Filters=mine)["Subnets"]:
            self.ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        for group in self.ec2.describe_security_groups(Filters=mine)["SecurityGroups"]:
            if group["GroupName"] != "default":
                self.ec2.delete_security_group(GroupId=group["GroupId"])
        if self.ec2.describe_vpcs(Filters=mine)["Vpcs"]:
            self.ec2.delete_vpc(VpcId=vpc)

    def test_a_group_from_its_making_to_its_end(self):
        group = self.group("life", TagSpecifications=[{"ResourceType": "security-group", "Tags": [{"Key": "a", "Value": "1"}]}])
        shown = self.shown(group)
        self.assertEqual((shown["VpcId"], shown["IpPermissions"], shown["Tags"]), (self.default_vpc(), [], [{"Key": "a", "Value": "1"}]))
        self.assertEqual(shown["IpPermissionsEgress"], [
            {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": []}])
        self.refused("InvalidGroup.Duplicate", self.group, "life")
        self.group("life", VpcId=self.vpc())
        self.refused("InvalidParameterValue", self.group, "sg-x")
        self.refused("InvalidParameterValue", self.group, "default")
        self.refused("InvalidVpcID.NotFound", self.group, "x", VpcId="vpc-12345678")
        self.refused("DryRunOperation", self.group, "dry", DryRun=True, status=412)
        self.refused("CannotDelete", self.ec2.delete_security_group, GroupName="default")
        self.refused("InvalidGroup.NotFound", self.stranger.delete_security_group, GroupId=group)
        self.refused("InvalidGroup.NotFound", self.elsewhere.delete_security_group, GroupId=group)
        self.refused("InvalidGroupId.Malformed", self.ec2.delete_security_group, GroupId="sg-x")
        self.assertEqual(self.ec2.delete_security_group(GroupName="life")["GroupId"], group)
        self.refused("InvalidGroup.NotFound", self.ec2.describe_security_groups, GroupIds=[group])

    def test_rules_are_added_and_taken(self):
        group = self.group("rules", VpcId=self.vpc())
        made = self.ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[{**ANYWHERE, "IpRanges": [{"CidrIp": "10.1.2.3/8", "Description": "office"}]},
                                          {"IpProtocol": "icmpv6", "Ipv6Ranges": [{"CidrIpv6": "2001:DB8::/32"}]},
                                          {"IpProtocol": "6", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": [{"GroupId": group}]}],
            TagSpecifications=[{"ResourceType": "security-group-rule", "Tags": [{"Key": "k", "Value": "v"}]}])["SecurityGroupRules"]
        self.assertEqual([rule.get("CidrIpv4") for rule in made], ["10.0.0.0/8", None, None])
        self.assertEqual([rule["Tags"] for rule in made], [[{"Key": "k", "Value": "v"}]] * 3)
        self.assertEqual([rule["FromPort"] for rule in made], [22, -1, 22])
        permissions = {p["IpProtocol"]: p for p in self.shown(group)["IpPermissions"]}
        self.assertEqual(sorted(permissions), ["icmpv6", "tcp"])
        self.assertEqual(permissions["tcp"]["IpRanges"], [{"CidrIp": "10.0.0.0/8", "Description": "office"}])
        self.assertEqual([pair["GroupId"] for pair in permissions["tcp"]["UserIdGroupPairs"]], [group])
        again = {**ANYWHERE, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        authorize = self.ec2.authorize_security_group_ingress
        self.refused("InvalidPermission.Duplicate", authorize, GroupId=group, IpPermissions=[ANYWHERE, again])
        self.assertEqual(len(self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]), 4)
        self.refused("InvalidParameterValue", authorize, GroupId=group, IpPermissions=[ANYWHERE, ANYWHERE])
        self.refused("InvalidParameterValue", authorize, GroupId=group, CidrIp="1.2.3.4", IpProtocol="tcp", FromPort=1, ToPort=1)
        self.refused("InvalidGroup.NotFound", authorize, GroupId=group, IpPermissions=[
            {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-12345678"}]}])
        self.refused("MissingParameter", authorize, GroupId=group)
        self.refused("DryRunOperation", authorize, GroupId=group, IpPermissions=[ANYWHERE], DryRun=True)
        many = [{**ANYWHERE, "FromPort": port, "ToPort": port} for port in range(100, 158)]
        self.refused("RulesPerSecurityGroupLimitExceeded", authorize, GroupId=group, IpPermissions=many)
        self.refused("InvalidGroup.NotFound", self.stranger.authorize_security_group_ingress, GroupId=group, IpPermissions=[ANYWHERE])
        revoke = self.ec2.revoke_security_group_ingress
        self.refused("InvalidPermission.NotFound", revoke, GroupId=group, IpPermissions=[ANYWHERE])
        self.assertEqual([r["SecurityGroupRuleId"] for r in revoke(GroupId=group, IpPermissions=[again])["RevokedSecurityGroupRules"]],
                         [made[0]["SecurityGroupRuleId"]])
        revoke(GroupId=group, SecurityGroupRuleIds=[made[1]["SecurityGroupRuleId"]])
        self.refused("InvalidSecurityGroupRuleId.NotFound", revoke, GroupId=group, SecurityGroupRuleIds=[made[1]["SecurityGroupRuleId"]])
        self.refused("InvalidSecurityGroupRuleId.Malformed", revoke, GroupId=group, SecurityGroupRuleIds=["sgr-x"])
        # As Terraform does with each new group.
        outward = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        self.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[outward])
        self.refused("InvalidPermission.NotFound", self.ec2.revoke_security_group_egress, GroupId=group, IpPermissions=[outward])
        self.assertEqual(self.shown(group)["IpPermissionsEgress"], [])
        self.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[outward])

    def test_in_a_default_vpc_what_is_not_there_is_told(self):
        group = self.group("told")
        self.ec2.authorize_security_group_ingress(GroupName="told", CidrIp="1.2.3.4/32", IpProtocol="udp", FromPort=53, ToPort=53)
        answer = self.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[ANYWHERE])
        self.assertEqual([p["IpProtocol"] for p in answer["UnknownIpPermissions"]], ["tcp"])
        self.ec2.revoke_security_group_ingress(GroupName="told", CidrIp="1.2.3.4/32", IpProtocol="udp", FromPort=53, ToPort=53)
        self.assertEqual(self.shown(group)["IpPermissions"], [])

    def test_rules_change_under_their_ids(self):
        group = self.group("changing")
        first, second = (self.ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[{**ANYWHERE, "FromPort": port, "ToPort": port}])["SecurityGroupRules"][0]["SecurityGroupRuleId"]
            for port in (22, 80))
        new = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv4": "10.0.0.0/8", "Description": "new"}
        modify = self.ec2.modify_security_group_rules
        modify(GroupId=group, SecurityGroupRules=[{"SecurityGroupRuleId": first, "SecurityGroupRule": new}])
        shown = self.ec2.describe_security_group_rules(SecurityGroupRuleIds=[first])["SecurityGroupRules"][0]
        self.assertEqual((shown["FromPort"], shown["CidrIpv4"], shown["Description"]), (443, "10.0.0.0/8", "new"))
        self.refused("InvalidPermission.Duplicate", modify, GroupId=group, SecurityGroupRules=[{"SecurityGroupRuleId": second, "SecurityGroupRule": new}])
        self.refused("InvalidSecurityGroupRuleId.NotFound", modify, GroupId=group, SecurityGroupRules=[
            {"SecurityGroupRuleId": "sgr-12345678", "SecurityGroupRule": new}])
        self.ec2.create_tags(Resources=[first], Tags=[{"Key": "of", "Value": "a rule"}])
        tagged = self.ec2.describe_security_group_rules(Filters=[{"Name": "tag:of", "Values": ["a rule"]}])["SecurityGroupRules"]
        self.assertEqual([rule["SecurityGroupRuleId"] for rule in tagged], [first])
        self.refused("InvalidSecurityGroupRuleId.NotFound", self.stranger.create_tags, Resources=[first], Tags=[{"Key": "a", "Value": ""}])

    def test_a_group_in_use_stays(self):
        used, user = self.group("used"), self.group("user")
        self.ec2.authorize_security_group_ingress(GroupId=user, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": used}]}])
        self.refused("DependencyViolation", self.ec2.delete_security_group, GroupId=used)
        self.ec2.delete_security_group(GroupId=user)
        subnet = self.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        interface = self.ec2.create_network_interface(SubnetId=subnet, Groups=[used])["NetworkInterface"]["NetworkInterfaceId"]
        self.refused("DependencyViolation", self.ec2.delete_security_group, GroupId=used)
        self.ec2.delete_network_interface(NetworkInterfaceId=interface)
        self.ec2.delete_security_group(GroupId=used)

    def test_a_vpc_and_its_subnets(self):
        self.refused("InvalidVpc.Range", self.ec2.create_vpc, CidrBlock="10.0.0.0/8")
        self.refused("InvalidParameterValue", self.ec2.create_vpc, CidrBlock="10.0.0.0")
        self.refused("MissingParameter", self.ec2.create_vpc)
        vpc = self.vpc()
        create = lambda cidr, **more: self.ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, **more)["Subnet"]
        subnet = create("172.16.1.0/24", AvailabilityZone="us-east-1b")
        self.assertEqual((subnet["AvailableIpAddressCount"], subnet["AvailabilityZoneId"], subnet["DefaultForAz"]), (251, "use1-az2", False))
        self.refused("InvalidSubnet.Conflict", create, "172.16.1.128/25")
        self.refused("InvalidSubnet.Range", create, "172.17.0.0/24")
        self.refused("InvalidSubnet.Range", create, "172.16.2.0/29")
        self.refused("InvalidParameterValue", create, "172.16.2.0/24", AvailabilityZone="us-east-1z")
        self.refused("DependencyViolation", self.ec2.delete_vpc, VpcId=vpc)
        self.ec2.modify_subnet_attribute(SubnetId=subnet["SubnetId"], MapPublicIpOnLaunch={"Value": True})
        self.assertTrue(self.ec2.describe_subnets(SubnetIds=[subnet["SubnetId"]])["Subnets"][0]["MapPublicIpOnLaunch"])
        self.refused("UnsupportedOperation", self.ec2.modify_subnet_attribute, SubnetId=subnet["SubnetId"], EnableDns64={"Value": True})
        for client in (self.stranger, self.elsewhere):
            self.refused("InvalidVpcID.NotFound", client.delete_vpc, VpcId=vpc)
            self.refused("InvalidSubnetID.NotFound", client.delete_subnet, SubnetId=subnet["SubnetId"])
            self.refused("InvalidVpcID.NotFound", client.create_subnet, VpcId=vpc, CidrBlock="172.16.9.0/24")
        attribute = lambda name: self.ec2.describe_vpc_attribute(VpcId=vpc, Attribute=name)
        self.assertEqual(attribute("enableDnsHostnames")["EnableDnsHostnames"], {"Value": False})
        self.assertEqual(attribute("enableDnsSupport")["EnableDnsSupport"], {"Value": True})
        self.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        self.assertEqual(attribute("enableDnsHostnames")["EnableDnsHostnames"], {"Value": True})
        self.refused("InvalidParameterValue", attribute, "colour")
        self.ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        self.ec2.delete_vpc(VpcId=vpc)
        self.refused("InvalidVpcID.NotFound", self.ec2.describe_vpcs, VpcIds=[vpc])

    def test_a_default_vpc_can_be_made_anew(self):
        client = self.elsewhere
        self.refused("DefaultVpcAlreadyExists", client.create_default_vpc)
        vpc = self.default_vpc(client)
        subnets = client.describe_subnets()["Subnets"]
        self.refused("DefaultSubnetAlreadyExistsInAvailabilityZone", client.create_default_subnet, AvailabilityZone="eu-west-1a")
        client.delete_subnet(SubnetId=subnets[0]["SubnetId"])
        made = client.create_default_subnet(AvailabilityZone=subnets[0]["AvailabilityZone"])["Subnet"]
        self.assertEqual((made["CidrBlock"], made["DefaultForAz"]), (subnets[0]["CidrBlock"], True))
        for subnet in client.describe_subnets()["Subnets"]:
            client.delete_subnet(SubnetId=subnet["SubnetId"])
        client.delete_vpc(VpcId=vpc)
        self.assertEqual(client.describe_internet_gateways()["InternetGateways"], [])
        self.refused("DefaultVpcDoesNotExist", client.create_default_subnet, AvailabilityZone="eu-west-1a")
        self.refused("VPCIdNotSpecified", client.create_security_group, GroupName="x", Description="y")
        client.create_default_vpc()
        self.assertEqual(len(client.describe_subnets()["Subnets"]), 3)
        self.assertEqual(len(client.describe_internet_gateways()["InternetGateways"]), 1)
        self.assertEqual(len(client.describe_dhcp_options()["DhcpOptions"]), 1)

    def test_what_comes_with_a_vpc(self):
        vpc = self.default_vpc()
        mine = [{"Name": "vpc-id", "Values": [vpc]}]
        gateway, = self.ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])["InternetGateways"]
        table, = self.ec2.describe_route_tables(Filters=mine)["RouteTables"]
        self.assertEqual([route["GatewayId"] for route in table["Routes"]], ["local", gateway["InternetGatewayId"]])
        self.assertTrue(table["Associations"][0]["Main"])
        acl, = self.ec2.describe_network_acls(Filters=mine)["NetworkAcls"]
        self.assertEqual(len(acl["Associations"]), 6)
        options, = self.ec2.describe_dhcp_options()["DhcpOptions"]
        self.assertEqual(self.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["DhcpOptionsId"], options["DhcpOptionsId"])
        other = self.vpc("172.20.0.0/16")
        self.assertEqual(self.ec2.describe_vpcs(VpcIds=[other])["Vpcs"][0]["DhcpOptionsId"], options["DhcpOptionsId"])
        self.assertEqual(self.ec2.describe_addresses()["Addresses"], [])
        self.refused("InvalidAddress.NotFound", self.ec2.describe_addresses, PublicIps=["1.2.3.4"])
        self.refused("InvalidAllocationID.NotFound", self.ec2.describe_addresses, AllocationIds=["eipalloc-12345678"])
        for id, call, parameter, code in (
            (gateway["InternetGatewayId"], "describe_internet_gateways", "InternetGatewayIds", "InvalidInternetGatewayID.NotFound"),
            (table["RouteTableId"], "describe_route_tables", "RouteTableIds", "InvalidRouteTableID.NotFound"),
            (acl["NetworkAclId"], "describe_network_acls", "NetworkAclIds", "InvalidNetworkAclID.NotFound"),
            (options["DhcpOptionsId"], "describe_dhcp_options", "DhcpOptionsIds", "InvalidDhcpOptionID.NotFound"),
        ):
            with self.subTest(call):
                self.ec2.create_tags(Resources=[id], Tags=[{"Key": "part", "Value": call}])
                shown, = [value for key, value in getattr(self.ec2, call)(Filters=[{"Name": "tag:part", "Values": [call]}]).items() if isinstance(value, list)]
                self.assertEqual(len(shown), 1)
                self.assertEqual(self.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [id]}])["Tags"][0]["Value"], call)
                for client in (self.stranger, self.elsewhere):
                    self.refused(code, getattr(client, call), **{parameter: [id]})
                    self.refused(code, client.create_tags, Resources=[id], Tags=[{"Key": "a", "Value": ""}])

    def test_network_interfaces(self):
        subnet = self.ec2.describe_subnets()["Subnets"][0]
        create = lambda **more: self.ec2.create_network_interface(SubnetId=subnet["SubnetId"], **more)["NetworkInterface"]
        address = subnet["CidrBlock"].replace(".0/20", ".77")
        made = create(Description="spare", PrivateIpAddress=address, ClientToken="once")
        self.assertEqual(create(Description="spare", PrivateIpAddress=address, ClientToken="once"), made)
        self.refused("IdempotentParameterMismatch", create, Description="other", PrivateIpAddress=address, ClientToken="once")
        self.assertEqual((made["Status"], made["PrivateIpAddress"], [g["GroupName"] for g in made["Groups"]]), ("available", address, ["default"]))
        self.refused("InvalidIPAddress.InUse", create, PrivateIpAddress=address)
        self.refused("InvalidParameterValue", create, PrivateIpAddress="10.0.0.9")
        self.refused("InvalidGroup.NotFound", create, Groups=["sg-12345678"])
        self.refused("UnsupportedOperation", create, PrivateIpAddresses=[{"PrivateIpAddress": address, "Primary": True}, {"PrivateIpAddress": "172.31.0.9"}])
        id = made["NetworkInterfaceId"]
        left = self.ec2.describe_subnets(SubnetIds=[subnet["SubnetId"]])["Subnets"][0]["AvailableIpAddressCount"]
        self.assertEqual(left, subnet["AvailableIpAddressCount"] - 1)
        self.refused("DependencyViolation", self.ec2.delete_subnet, SubnetId=subnet["SubnetId"])
        for client in (self.stranger, self.elsewhere):
            self.refused("InvalidNetworkInterfaceID.NotFound", client.describe_network_interfaces, NetworkInterfaceIds=[id])
            self.refused("InvalidNetworkInterfaceID.NotFound", client.delete_network_interface, NetworkInterfaceId=id)
        self.refused("InvalidNetworkInterfaceId.Malformed", self.ec2.delete_network_interface, NetworkInterfaceId="eni-x")
        self.refused("InvalidAttachmentID.NotFound", self.ec2.detach_network_interface, AttachmentId="eni-attach-12345678")
        self.refused("InvalidInstanceID.NotFound", self.ec2.attach_network_interface, NetworkInterfaceId=id, InstanceId="i-12345678", DeviceIndex=1)
        self.ec2.delete_network_interface(NetworkInterfaceId=id)
        self.refused("InvalidNetworkInterfaceID.NotFound", self.ec2.describe_network_interfaces, NetworkInterfaceIds=[id])

    def test_every_documented_filter_is_one(self):
        for call in ("describe_vpcs", "describe_subnets", "describe_security_groups", "describe_security_group_rules", "describe_network_interfaces",
                     "describe_route_tables", "describe_internet_gateways", "describe_network_acls", "describe_dhcp_options", "describe_addresses"):
            operation = self.ec2.meta.service_model.operation_model(self.ec2.meta.method_to_api_mapping[call])
            documentation = operation.input_shape.members["Filters"].documentation
            names = re.findall(r"<li>\s*<p>\s*<code>(.*?)</code>", documentation)
            self.assertGreaterEqual(len(names), 3, call)
            for name in names:
                name = "tag:Name" if name.startswith("tag") and name != "tag-key" else name
                with self.subTest(call, filter=name):
                    getattr(self.ec2, call)(Filters=[{"Name": name, "Values": ["no such value"]}])
            with self.subTest(call):
                self.refused("InvalidParameterValue", getattr(self.ec2, call), Filters=[{"Name": "colour", "Values": ["x"]}])
                self.refused("DryRunOperation", getattr(self.ec2, call), DryRun=True)
