"""Networks: security groups, VPCs, subnets, what comes with them, network interfaces."""

from . import INSTANCE, Row
from .first import GROUP, SUBNET, VPC, default_subnet, default_vpc, several

RULE = ("InvalidSecurityGroupRuleId.Malformed", "InvalidSecurityGroupRuleId.NotFound")
INTERFACE = ("InvalidNetworkInterfaceId.Malformed", "InvalidNetworkInterfaceID.NotFound")
ATTACHMENT = ("InvalidAttachmentID.NotFound", "InvalidAttachmentID.NotFound")

SSH = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
OUTWARD = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def rule(w):
    """A group with a rule: their ids."""
    group = w.security_group()
    made = w.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[SSH])
    return group, made["SecurityGroupRules"][0]["SecurityGroupRuleId"]


def revoked(w):
    group, _ = rule(w)
    return {"GroupId": group, "IpPermissions": [SSH]}


def modified(w):
    group, id = rule(w)
    new = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIpv4": "10.0.0.0/8"}
    return {"GroupId": group, "SecurityGroupRules": [{"SecurityGroupRuleId": id, "SecurityGroupRule": new}]}


def interface(w, subnet=None):
    made = w.ec2.create_network_interface(SubnetId=subnet or default_subnet(w))
    return made["NetworkInterface"]["NetworkInterfaceId"]


def attachable(w):
    instance = w.instance()
    shown = w.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return {"NetworkInterfaceId": interface(w, shown["SubnetId"]), "InstanceId": instance, "DeviceIndex": 1}


def attached(w):
    return {"AttachmentId": w.ec2.attach_network_interface(**attachable(w))["AttachmentId"]}


def without_default_subnet(w):
    """A zone whose default subnet is gone."""
    here = [{"Name": "availability-zone", "Values": ["us-east-1f"]}, {"Name": "default-for-az", "Values": ["true"]}]
    for subnet in w.ec2.describe_subnets(Filters=here)["Subnets"]:
        within = [{"Name": "subnet-id", "Values": [subnet["SubnetId"]]}]
        for found in w.ec2.describe_network_interfaces(Filters=within)["NetworkInterfaces"]:
            w.ec2.delete_network_interface(NetworkInterfaceId=found["NetworkInterfaceId"])
        w.ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    return {"AvailabilityZone": "us-east-1f"}


def part(call, result, parameter, id):
    """The request for the one that comes with the default VPC."""
    return lambda w: {parameter: [getattr(w.ec2, call)()[result][0][id]]}


ROWS = [
    Row("CreateVpc", lambda w: {"CidrBlock": "10.0.0.0/16"}, other_ids=("Ipv4IpamPoolId", "Ipv6IpamPoolId")),
    Row("DeleteVpc", lambda w: {"VpcId": w.vpc()}, ids={"VpcId": VPC}),
    Row("CreateDefaultVpc", succeeds="there is a default VPC, with instances in it"),
    Row("DescribeVpcAttribute", lambda w: {"VpcId": default_vpc(w), "Attribute": "enableDnsSupport"}, ids={"VpcId": VPC}),
    Row("ModifyVpcAttribute", lambda w: {"VpcId": w.vpc(), "EnableDnsHostnames": {"Value": True}}, ids={"VpcId": VPC}, dry_run=False),
    Row("CreateSubnet", lambda w: {"VpcId": w.vpc(), "CidrBlock": "10.0.1.0/24"}, ids={"VpcId": VPC},
        other_ids=("AvailabilityZoneId", "Ipv4IpamPoolId", "Ipv6IpamPoolId")),
    Row("CreateDefaultSubnet", without_default_subnet, other_ids=("AvailabilityZoneId",)),
    Row("DeleteSubnet", lambda w: {"SubnetId": w.subnet()}, ids={"SubnetId": SUBNET}),
    Row("ModifySubnetAttribute", lambda w: {"SubnetId": w.subnet(), "MapPublicIpOnLaunch": {"Value": True}}, ids={"SubnetId": SUBNET},
        dry_run=False),
    Row("CreateSecurityGroup", lambda w: {"GroupName": w.tag, "Description": "x", "VpcId": default_vpc(w)}, ids={"VpcId": VPC}),
    Row("DeleteSecurityGroup", lambda w: {"GroupId": w.security_group()}, ids={"GroupId": GROUP}),
    Row("AuthorizeSecurityGroupIngress", lambda w: {"GroupId": w.security_group(), "IpPermissions": [SSH]}, ids={"GroupId": GROUP},
        other_ids=("SourceSecurityGroupOwnerId",)),
    Row("AuthorizeSecurityGroupEgress", lambda w: {"GroupId": w.security_group(), "IpPermissions": [SSH]}, ids={"GroupId": GROUP},
        other_ids=("SourceSecurityGroupOwnerId",)),
    Row("RevokeSecurityGroupIngress", revoked, ids={"GroupId": GROUP}, other_ids=("SourceSecurityGroupOwnerId", "SecurityGroupRuleIds")),
    Row("RevokeSecurityGroupEgress", lambda w: {"GroupId": w.security_group(), "IpPermissions": [OUTWARD]}, ids={"GroupId": GROUP},
        other_ids=("SourceSecurityGroupOwnerId", "SecurityGroupRuleIds")),
    Row("DescribeSecurityGroupRules", lambda w: {"SecurityGroupRuleIds": [rule(w)[1]]}, ids={"SecurityGroupRuleIds[0]": RULE},
        pages="SecurityGroupRules", fill=several(rule)),
    Row("ModifySecurityGroupRules", modified, ids={"GroupId": GROUP, "SecurityGroupRules[0].SecurityGroupRuleId": RULE}),
    Row("DescribeNetworkInterfaces", lambda w: {"NetworkInterfaceIds": [interface(w)]}, ids={"NetworkInterfaceIds[0]": INTERFACE},
        pages="NetworkInterfaces", fill=several(interface)),
    Row("CreateNetworkInterface", lambda w: {"SubnetId": default_subnet(w)}, ids={"SubnetId": SUBNET},
        token={"Description": "other"}, result="NetworkInterface.NetworkInterfaceId"),
    Row("DeleteNetworkInterface", lambda w: {"NetworkInterfaceId": interface(w)}, ids={"NetworkInterfaceId": INTERFACE}),
    Row("AttachNetworkInterface", attachable, ids={"NetworkInterfaceId": INTERFACE, "InstanceId": INSTANCE}),
    Row("DetachNetworkInterface", attached, ids={"AttachmentId": ATTACHMENT}),
    Row("DescribeRouteTables", part("describe_route_tables", "RouteTables", "RouteTableIds", "RouteTableId"),
        ids={"RouteTableIds[0]": ("InvalidRouteTableId.Malformed", "InvalidRouteTableID.NotFound")}, pages="RouteTables"),
    Row("DescribeInternetGateways", part("describe_internet_gateways", "InternetGateways", "InternetGatewayIds", "InternetGatewayId"),
        ids={"InternetGatewayIds[0]": ("InvalidInternetGatewayId.Malformed", "InvalidInternetGatewayID.NotFound")}, pages="InternetGateways"),
    Row("DescribeNetworkAcls", part("describe_network_acls", "NetworkAcls", "NetworkAclIds", "NetworkAclId"),
        ids={"NetworkAclIds[0]": ("InvalidNetworkAclId.Malformed", "InvalidNetworkAclID.NotFound")}, pages="NetworkAcls"),
    Row("DescribeDhcpOptions", part("describe_dhcp_options", "DhcpOptions", "DhcpOptionsIds", "DhcpOptionsId"),
        ids={"DhcpOptionsIds[0]": ("InvalidDhcpOptionsId.Malformed", "InvalidDhcpOptionID.NotFound")}, pages="DhcpOptions"),
    Row("DescribeAddresses", other_ids=("AllocationIds",)),
]
