"""The control plane around instances: templates, attributes, metadata defaults, profiles, offerings."""

import base64

from .harness import BLOCK, ServerTest, pattern


class Instances(ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = cls.server.cairn_json("account", "create", "--name", "stranger")
        cls.stranger = cls.server.client("ec2", keys=(made["AccessKeyId"], made["SecretAccessKey"]))
        cls.elsewhere = cls.server.client("ec2", region="eu-west-1")

    def image(self):
        """An image of a disk that boots nothing: its machine runs all the same."""
        if not hasattr(type(self), "the_image"):
            snapshot = self.upload({0: pattern("root", BLOCK)})
            type(self).the_image = self.ec2.register_image(
                Name="nothing", RootDeviceName="/dev/xvda", Architecture="x86_64", VirtualizationType="hvm", EnaSupport=True,
                BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}])["ImageId"]
        return self.the_image

    def launch(self, **parameters):
        defaults = {"MinCount": 1, "MaxCount": 1} | ({} if "LaunchTemplate" in parameters else {"ImageId": self.image(), "InstanceType": "t3.micro"})
        instance = self.ec2.run_instances(**defaults | parameters)["Instances"][0]["InstanceId"]
        self.addCleanup(self.terminate, instance)
        return instance

    def terminate(self, instance):
        if self.instance_state(instance) == "terminated":
            return
        self.ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": False})
        self.ec2.terminate_instances(InstanceIds=[instance])
        self.wait_instance(instance, "terminated")

    def stopped(self, **parameters):
        instance = self.launch(**parameters)
        self.wait_instance(instance, "running")
        self.ec2.stop_instances(InstanceIds=[instance], Force=True)
        self.wait_instance(instance, "stopped")
        return instance

    def shown(self, instance):
        return self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]

    def template(self, name, **data):
        made = self.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data or {"InstanceType": "t3.micro"})
        return made["LaunchTemplate"]["LaunchTemplateId"]

    def test_templates_and_their_versions(self):
        template = self.template("versions", InstanceType="t3.micro", ImageId="ami-12345678", EbsOptimized=True,
                                 TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "1"}]}])
        self.refused("InvalidLaunchTemplateName.AlreadyExistsException", self.template, "versions")
        self.refused("InvalidLaunchTemplateName.MalformedException", self.template, "a b")
        version = self.ec2.create_launch_template_version(
            LaunchTemplateName="versions", SourceVersion="1", VersionDescription="second", LaunchTemplateData={"InstanceType": "t3.small"})["LaunchTemplateVersion"]
        self.assertEqual((version["VersionNumber"], version["DefaultVersion"]), (2, False))
        data = version["LaunchTemplateData"]
        self.assertEqual((data["InstanceType"], data["ImageId"], data["EbsOptimized"]), ("t3.small", "ami-12345678", True))
        numbers = lambda **which: [v["VersionNumber"] for v in self.ec2.describe_launch_template_versions(**which)["LaunchTemplateVersions"]]
        self.assertEqual(numbers(LaunchTemplateId=template), [2, 1])
        self.assertEqual(numbers(LaunchTemplateId=template, Versions=["$Latest"]), [2])
        self.assertEqual(numbers(LaunchTemplateId=template, Versions=["$Default"]), [1])
        self.assertEqual(numbers(LaunchTemplateId=template, MinVersion="2"), [2])
        self.refused("InvalidLaunchTemplateId.VersionNotFound", numbers, LaunchTemplateId=template, Versions=["3"])
        changed = self.ec2.modify_launch_template(LaunchTemplateId=template, DefaultVersion="2")["LaunchTemplate"]
        self.assertEqual((changed["DefaultVersionNumber"], changed["LatestVersionNumber"]), (2, 2))
        done = self.ec2.delete_launch_template_versions(LaunchTemplateId=template, Versions=["1", "2", "9"])
        self.assertEqual([v["VersionNumber"] for v in done["SuccessfullyDeletedLaunchTemplateVersions"]], [1])
        self.assertEqual([v["ResponseError"]["Code"] for v in done["UnsuccessfullyDeletedLaunchTemplateVersions"]],
                         ["unexpectedError", "launchTemplateVersionDoesNotExist"])
        again = self.ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData={"KeyName": "k"})["LaunchTemplateVersion"]
        self.assertEqual(again["VersionNumber"], 3, "numbers are not used again")
        self.ec2.create_tags(Resources=[template], Tags=[{"Key": "kind", "Value": "of launch"}])
        found = self.ec2.describe_launch_templates(Filters=[{"Name": "tag:kind", "Values": ["of launch"]}])["LaunchTemplates"]
        self.assertEqual([t["LaunchTemplateId"] for t in found], [template])
        for client in (self.stranger, self.elsewhere):
            self.refused("InvalidLaunchTemplateId.NotFound", client.describe_launch_templates, LaunchTemplateIds=[template])
            self.refused("InvalidLaunchTemplateId.NotFound", client.delete_launch_template, LaunchTemplateId=template)
            self.refused("InvalidLaunchTemplateName.NotFoundException", client.describe_launch_templates, LaunchTemplateNames=["versions"])
            self.assertEqual(client.describe_launch_templates()["LaunchTemplates"], [])
        self.refused("InvalidLaunchTemplateId.Malformed", self.ec2.delete_launch_template, LaunchTemplateId="lt-x")
        self.ec2.delete_launch_template(LaunchTemplateName="versions")
        self.refused("InvalidLaunchTemplateId.NotFound", self.ec2.describe_launch_templates, LaunchTemplateIds=[template])

    def test_a_launch_from_a_template(self):
        template = self.template(
            "launching", ImageId=self.image(), InstanceType="t3.nano", UserData=base64.b64encode(b"from the template").decode(),
            DisableApiTermination=True, IamInstanceProfile={"Name": "web"}, MetadataOptions={"HttpTokens": "required"},
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "template"}, {"Key": "b", "Value": "template"}]}],
            BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 2}}, {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 1}}])
        instance = self.launch(
            LaunchTemplate={"LaunchTemplateId": template}, InstanceType="t3.micro", ClientToken="t",
            BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 3}}],
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "request"}]}])
        shown = self.shown(instance)
        self.assertEqual((shown["InstanceType"], shown["MetadataOptions"]["HttpTokens"]), ("t3.micro", "required"))
        self.assertTrue(shown["IamInstanceProfile"]["Arn"].endswith(":instance-profile/web"))
        tags = {tag["Key"]: tag["Value"] for tag in shown["Tags"]}
        self.assertEqual((tags["a"], tags["b"], tags["aws:ec2launchtemplate:id"]), ("request", "template", template))
        volumes = self.ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [instance]}])["Volumes"]
        self.assertEqual(sorted(volume["Size"] for volume in volumes), [1, 3])
        data = self.ec2.describe_instance_attribute(InstanceId=instance, Attribute="userData")["UserData"]["Value"]
        self.assertEqual(base64.b64decode(data), b"from the template")
        self.refused("OperationNotPermitted", self.ec2.terminate_instances, InstanceIds=[instance])
        self.assertEqual(self.ec2.get_launch_template_data(InstanceId=instance)["LaunchTemplateData"]["InstanceType"], "t3.micro")
        run = lambda **more: self.ec2.run_instances(MinCount=1, MaxCount=1, **more)
        self.refused("InvalidLaunchTemplateId.NotFound", run, LaunchTemplate={"LaunchTemplateId": "lt-12345678"})
        self.refused("InvalidLaunchTemplateName.NotFoundException", run, LaunchTemplate={"LaunchTemplateName": "none"})
        self.refused("InvalidLaunchTemplateId.VersionNotFound", run, LaunchTemplate={"LaunchTemplateId": template, "Version": "7"})
        self.refused("InvalidLaunchTemplateId.NotFound", self.stranger.run_instances, MinCount=1, MaxCount=1, LaunchTemplate={"LaunchTemplateId": template})

    def test_attributes_of_a_stopped_instance(self):
        instance = self.stopped()
        modify = lambda **change: self.ec2.modify_instance_attribute(InstanceId=instance, **change)
        modify(InstanceType={"Value": "t3.small"})
        modify(UserData={"Value": b"new"})
        modify(SriovNetSupport={"Value": "simple"})
        modify(Attribute="ebsOptimized", Value="true")
        modify(BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"DeleteOnTermination": True}}])
        self.assertEqual((self.shown(instance)["InstanceType"], self.shown(instance)["EbsOptimized"]), ("t3.small", True))
        attribute = lambda name: self.ec2.describe_instance_attribute(InstanceId=instance, Attribute=name)
        self.assertEqual(base64.b64decode(attribute("userData")["UserData"]["Value"]), b"new")
        self.assertEqual(attribute("sriovNetSupport")["SriovNetSupport"], {"Value": "simple"})
        self.refused("InvalidParameterValue", modify, InstanceType={"Value": "x9.huge"})
        self.refused("InvalidParameterCombination", modify, InstanceType={"Value": "t4g.micro"})
        self.refused("InvalidParameterCombination", modify, EnaSupport={"Value": False})
        self.refused("InvalidInstanceAttributeValue", modify, BlockDeviceMappings=[{"DeviceName": "/dev/sdz", "Ebs": {"DeleteOnTermination": True}}])
        self.refused("InvalidParameterCombination", modify, EbsOptimized={"Value": True}, DisableApiStop={"Value": True})
        self.refused("MissingParameter", modify)
        group = self.ec2.create_security_group(GroupName="of an instance", Description="x")["GroupId"]
        modify(Groups=[group])
        self.assertEqual([g["GroupId"] for g in self.shown(instance)["SecurityGroups"]], [group])
        self.refused("DependencyViolation", self.ec2.delete_security_group, GroupId=group)
        modify(SourceDestCheck={"Value": False})
        self.ec2.reset_instance_attribute(InstanceId=instance, Attribute="sourceDestCheck")
        self.assertTrue(self.shown(instance)["SourceDestCheck"])
        for client in (self.stranger, self.elsewhere):
            self.refused("InvalidInstanceID.NotFound", client.modify_instance_attribute, InstanceId=instance, DisableApiStop={"Value": True})
        subnet = self.shown(instance)["SubnetId"]
        interface = self.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
        self.refused("InvalidParameterValue", self.ec2.attach_network_interface, NetworkInterfaceId=interface, InstanceId=instance, DeviceIndex=0)
        attachment = self.ec2.attach_network_interface(NetworkInterfaceId=interface, InstanceId=instance, DeviceIndex=1)["AttachmentId"]
        self.assertEqual([i["NetworkInterfaceId"] for i in self.shown(instance)["NetworkInterfaces"]][1:], [interface])
        self.refused("InvalidNetworkInterface.InUse", self.ec2.delete_network_interface, NetworkInterfaceId=interface)
        self.ec2.detach_network_interface(AttachmentId=attachment)
        self.ec2.attach_network_interface(NetworkInterfaceId=interface, InstanceId=instance, DeviceIndex=1)
        self.ec2.terminate_instances(InstanceIds=[instance])
        self.wait_instance(instance, "terminated")
        free = self.ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"][0]
        self.assertEqual(free["Status"], "available")
        self.ec2.delete_security_group(GroupId=group)

    def test_a_running_instance(self):
        instance = self.launch(CreditSpecification={"CpuCredits": "standard"})
        self.wait_instance(instance, "running")
        modify = lambda **change: self.ec2.modify_instance_attribute(InstanceId=instance, **change)
        self.refused("IncorrectInstanceState", modify, InstanceType={"Value": "t3.small"})
        modify(DisableApiTermination={"Value": True})
        self.refused("OperationNotPermitted", self.ec2.terminate_instances, InstanceIds=[instance])
        modify(InstanceInitiatedShutdownBehavior={"Value": "terminate"})
        self.ec2.monitor_instances(InstanceIds=[instance])
        self.assertEqual(self.shown(instance)["Monitoring"], {"State": "enabled"})
        self.ec2.unmonitor_instances(InstanceIds=[instance])
        self.assertEqual(self.shown(instance)["Monitoring"], {"State": "disabled"})
        credits = self.ec2.describe_instance_credit_specifications(InstanceIds=[instance])["InstanceCreditSpecifications"]
        self.assertEqual(credits, [{"InstanceId": instance, "CpuCredits": "standard"}])
        self.assertEqual(self.ec2.get_password_data(InstanceId=instance)["PasswordData"], "")
        changed = self.ec2.modify_instance_metadata_options(InstanceId=instance, HttpTokens="required", HttpPutResponseHopLimit=3)
        self.assertEqual((changed["InstanceMetadataOptions"]["HttpTokens"], changed["InstanceMetadataOptions"]["HttpPutResponseHopLimit"]), ("required", 3))
        self.assertEqual(self.shown(instance)["MetadataOptions"]["HttpTokens"], "required")
        self.refused("InvalidParameterValue", self.ec2.modify_instance_metadata_options, InstanceId=instance, HttpPutResponseHopLimit=65)
        made = self.ec2.associate_iam_instance_profile(InstanceId=instance, IamInstanceProfile={"Name": "web"})["IamInstanceProfileAssociation"]
        self.refused("IncorrectState", self.ec2.associate_iam_instance_profile, InstanceId=instance, IamInstanceProfile={"Name": "web"})
        profiles = lambda client=self.ec2: client.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
        self.assertEqual([(p["AssociationId"], p["State"]) for p in profiles()], [(made["AssociationId"], "associated")])
        self.assertEqual(profiles(self.stranger), [])
        self.refused("InvalidAssociationID.NotFound", self.stranger.disassociate_iam_instance_profile, AssociationId=made["AssociationId"])
        self.ec2.disassociate_iam_instance_profile(AssociationId=made["AssociationId"])
        self.assertEqual(profiles(), [])
        interfaces = self.ec2.describe_network_interfaces(Filters=[{"Name": "attachment.instance-id", "Values": [instance]}])["NetworkInterfaces"]
        self.assertEqual([i["Status"] for i in interfaces], ["in-use"])
        self.refused("OperationNotPermitted", self.ec2.detach_network_interface, AttachmentId=interfaces[0]["Attachment"]["AttachmentId"])
        spare = self.ec2.create_network_interface(SubnetId=self.shown(instance)["SubnetId"])["NetworkInterface"]["NetworkInterfaceId"]
        self.refused("UnsupportedOperation", self.ec2.attach_network_interface, NetworkInterfaceId=spare, InstanceId=instance, DeviceIndex=1)
        self.ec2.delete_network_interface(NetworkInterfaceId=spare)

    def test_metadata_defaults(self):
        client = self.ec2
        self.assertNotIn("HttpTokens", client.get_instance_metadata_defaults()["AccountLevel"])
        client.modify_instance_metadata_defaults(HttpTokens="required", HttpPutResponseHopLimit=4, HttpTokensEnforced="enabled")
        self.addCleanup(client.modify_instance_metadata_defaults, HttpTokens="no-preference", HttpPutResponseHopLimit=-1, HttpTokensEnforced="no-preference")
        found = client.get_instance_metadata_defaults()["AccountLevel"]
        self.assertEqual((found["HttpTokens"], found["HttpPutResponseHopLimit"]), ("required", 4))
        for other in (self.stranger, self.elsewhere):
            self.assertNotIn("HttpTokens", other.get_instance_metadata_defaults()["AccountLevel"])
        options = self.shown(self.launch())["MetadataOptions"]
        self.assertEqual((options["HttpTokens"], options["HttpPutResponseHopLimit"]), ("required", 4))
        self.refused("UnsupportedOperation", self.launch, MetadataOptions={"HttpTokens": "optional"})
        self.refused("InvalidParameterValue", client.modify_instance_metadata_defaults, HttpTokens="sometimes")

    def test_offerings(self):
        offered = lambda **which: self.ec2.describe_instance_type_offerings(**which)["InstanceTypeOfferings"]
        only = [{"Name": "instance-type", "Values": ["t3.micro"]}]
        self.assertEqual(offered(Filters=only), [{"InstanceType": "t3.micro", "LocationType": "region", "Location": "us-east-1"}])
        self.assertEqual(len(offered(Filters=only, LocationType="availability-zone")), 6)
        self.assertEqual(offered(Filters=[*only, {"Name": "location", "Values": ["use1-az2"]}], LocationType="availability-zone-id")[0]["Location"], "use1-az2")
        self.refused("InvalidParameterValue", offered, LocationType="moon")
