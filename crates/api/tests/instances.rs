//! Images and instances through the dialect, over machines that run nothing.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;

use http::Method;
use support::{Heard, Server};

const ZONE: &str = "us-east-1a";

/// A snapshot of zeros.
async fn snapshot(server: &Server) -> String {
    let started = server
        .ebs(Method::POST, "/snapshots", &[], br#"{"VolumeSize":1}"#)
        .await
        .json();
    let id = started["SnapshotId"].as_str().unwrap();
    let complete = format!("/snapshots/completion/{id}");
    server
        .ebs(
            Method::POST,
            &complete,
            &[("x-amz-ChangedBlocksCount", "0")],
            b"",
        )
        .await
        .expect_ok();
    server.control.idle().await.unwrap();
    id.to_owned()
}

async fn image(server: &Server) -> String {
    let snapshot = snapshot(server).await;
    let registered = server
        .ec2(
            "RegisterImage",
            &[
                ("Name", "base"),
                ("Architecture", "x86_64"),
                ("VirtualizationType", "hvm"),
                ("RootDeviceName", "/dev/xvda"),
                ("EnaSupport", "true"),
                ("SriovNetSupport", "simple"),
                ("BootMode", "uefi-preferred"),
                ("ImageLocation", ""),
                ("BlockDeviceMapping.1.DeviceName", "/dev/xvda"),
                ("BlockDeviceMapping.1.Ebs.SnapshotId", &snapshot),
                ("BlockDeviceMapping.1.Ebs.VolumeType", "gp3"),
                ("BlockDeviceMapping.2.DeviceName", "/dev/sdb"),
                ("BlockDeviceMapping.2.VirtualName", "ephemeral0"),
                ("TagSpecification.1.ResourceType", "image"),
                ("TagSpecification.1.Tag.1.Key", "run"),
                ("TagSpecification.1.Tag.1.Value", "1"),
            ],
        )
        .await;
    registered
        .expect_ok()
        .element("imageId")
        .unwrap()
        .to_owned()
}

async fn launched(server: &Server, image: &str) -> (String, Heard) {
    let run = answer_of_launch(server, image).await;
    let id = run.expect_ok().element("instanceId").unwrap().to_owned();
    server.control.idle().await.unwrap();
    (id, run)
}

/// What a launch with always the same token is answered.
async fn answer_of_launch(server: &Server, image: &str) -> Heard {
    let launch = [
        ("ImageId", image),
        ("MinCount", "1"),
        ("MaxCount", "1"),
        ("InstanceType", "t3.micro"),
        ("SubnetId", ""),
        ("UserData", "IyEvYmluL3NoCg=="),
        ("Placement.AvailabilityZone", ZONE),
        ("CreditSpecification.CpuCredits", "unlimited"),
        ("HibernationOptions.Configured", "false"),
        ("MetadataOptions.HttpTokens", "required"),
        ("ClientToken", "token-1"),
    ];
    server.ec2("RunInstances", &launch).await
}

#[tokio::test]
async fn an_image_shows_what_it_was_registered_with() {
    let server = Server::start().await;
    let id = image(&server).await;
    let shown = server
        .ec2(
            "DescribeImages",
            &[
                ("Owner.1", "self"),
                ("Filter.1.Name", "tag:run"),
                ("Filter.1.Value.1", "1"),
            ],
        )
        .await;
    for (name, value) in [
        ("imageId", id.as_str()),
        ("name", "base"),
        ("imageState", "available"),
        ("architecture", "x86_64"),
        ("virtualizationType", "hvm"),
        ("rootDeviceName", "/dev/xvda"),
        ("rootDeviceType", "ebs"),
        ("enaSupport", "true"),
        ("sriovNetSupport", "simple"),
        ("bootMode", "uefi-preferred"),
        ("hypervisor", "xen"),
        ("isPublic", "false"),
        ("imageType", "machine"),
        ("platformDetails", "Linux/UNIX"),
        ("usageOperation", "RunInstances"),
        ("creationDate", "2026-01-02T03:04:05.000Z"),
        ("deregistrationProtection", "disabled"),
        ("virtualName", "ephemeral0"),
        ("volumeSize", "1"),
        ("volumeType", "gp3"),
        ("deleteOnTermination", "true"),
        ("encrypted", "false"),
    ] {
        assert_eq!(shown.element(name), Some(value), "{name}: {}", shown.text());
    }
    assert_eq!(shown.element("platform"), None);
    assert!(!shown.text().contains("noDevice"), "{}", shown.text());

    let attribute = server
        .ec2(
            "DescribeImageAttribute",
            &[("ImageId", &id), ("Attribute", "launchPermission")],
        )
        .await;
    assert_eq!(attribute.expect_ok().element("launchPermission"), Some(""));
    assert_eq!(
        attribute.element("blockDeviceMapping"),
        None,
        "only what was asked for"
    );
    let attribute = server
        .ec2(
            "DescribeImageAttribute",
            &[("ImageId", &id), ("Attribute", "bootMode")],
        )
        .await;
    assert_eq!(attribute.element("value"), Some("uefi-preferred"));

    let again = server
        .ec2(
            "RegisterImage",
            &[("Name", "base"), ("ImageLocation", "a/b.manifest.xml")],
        )
        .await;
    assert_eq!(again.status, 400, "{}", again.text());
    let in_use = server
        .ec2(
            "DeleteSnapshot",
            &[("SnapshotId", shown.element("snapshotId").unwrap())],
        )
        .await;
    in_use.expect_error(400, "InvalidSnapshot.InUse");
    let gone = server
        .ec2(
            "DeregisterImage",
            &[("ImageId", &id), ("DeleteAssociatedSnapshots", "true")],
        )
        .await;
    assert_eq!(
        (gone.element("return"), gone.element("returnCode")),
        (Some("true"), Some("success"))
    );
    assert_eq!(
        server
            .ec2("DescribeImages", &[("ImageId.1", &id)])
            .await
            .element("imagesSet"),
        Some("")
    );
    server
        .ec2("DescribeImages", &[("ImageId.1", "ami-0123456789abcdef0")])
        .await
        .expect_error(400, "InvalidAMIID.NotFound");
    server
        .ec2("DescribeImages", &[("ImageId.1", "image")])
        .await
        .expect_error(400, "InvalidAMIID.Malformed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_from_launch_to_termination() {
    let server = Server::start().await;
    let image = image(&server).await;
    let (id, run) = launched(&server, &image).await;
    assert_eq!(run.element("name"), Some("pending"));
    let again = launched(&server, &image).await.1;
    assert_eq!(
        (again.element("instanceId"), again.element("reservationId")),
        (Some(id.as_str()), run.element("reservationId"))
    );

    let shown = server
        .ec2("DescribeInstances", &[("InstanceId.1", &id)])
        .await;
    for (name, value) in [
        ("code", "16"),
        ("name", "running"),
        ("imageId", image.as_str()),
        ("instanceType", "t3.micro"),
        ("privateIpAddress", "172.31.0.4"),
        ("privateDnsName", "ip-172-31-0-4.ec2.internal"),
        ("dnsName", ""),
        ("amiLaunchIndex", "0"),
        ("availabilityZone", ZONE),
        ("tenancy", "default"),
        ("architecture", "x86_64"),
        ("rootDeviceType", "ebs"),
        ("rootDeviceName", "/dev/xvda"),
        ("clientToken", "token-1"),
        ("httpTokens", "required"),
        ("httpEndpoint", "enabled"),
        ("bootMode", "uefi-preferred"),
        ("currentInstanceBootMode", "uefi"),
        ("coreCount", "1"),
        ("threadsPerCore", "2"),
        ("capacityReservationPreference", "open"),
        ("configured", "false"),
        ("sourceDestCheck", "true"),
        ("groupName", "default"),
        ("deviceIndex", "0"),
    ] {
        assert_eq!(shown.element(name), Some(value), "{name}: {}", shown.text());
    }
    assert_eq!(shown.element("keyName"), None);
    assert!(
        shown
            .text()
            .contains("<key>aws:cairn:ssh</key><value>127.0.0.1:"),
        "{}",
        shown.text()
    );
    let both = server
        .ec2(
            "DescribeInstances",
            &[("InstanceId.1", &id), ("MaxResults", "5")],
        )
        .await;
    both.expect_error(400, "InvalidParameterCombination");

    for (attribute, element, value) in [
        ("disableApiStop", "disableApiStop", "<value>false</value>"),
        (
            "disableApiTermination",
            "disableApiTermination",
            "<value>false</value>",
        ),
        (
            "instanceInitiatedShutdownBehavior",
            "instanceInitiatedShutdownBehavior",
            "<value>stop</value>",
        ),
        ("userData", "userData", "<value>IyEvYmluL3NoCg==</value>"),
        ("kernel", "kernel", ""),
    ] {
        let shown = server
            .ec2(
                "DescribeInstanceAttribute",
                &[("InstanceId", &id), ("Attribute", attribute)],
            )
            .await;
        assert_eq!(
            shown.expect_ok().element(element),
            Some(value),
            "{}",
            shown.text()
        );
        assert_eq!(shown.element("groupSet"), None, "only what was asked for");
    }
    let status = server
        .ec2("DescribeInstanceStatus", &[("InstanceId.1", &id)])
        .await;
    assert_eq!(
        status.text().matches("<status>ok</status>").count(),
        3,
        "{}",
        status.text()
    );
    let console = server
        .ec2(
            "GetConsoleOutput",
            &[("InstanceId", &id), ("Latest", "true")],
        )
        .await;
    assert_eq!(
        console.element("output"),
        Some(base64_of(&format!("hello from {id}\n")).as_str())
    );

    let stopped = server.ec2("StopInstances", &[("InstanceId.1", &id)]).await;
    assert_eq!(names(&stopped), ["stopping", "running"]);
    server.control.idle().await.unwrap();
    let all = [
        ("InstanceId.1", id.as_str()),
        ("IncludeAllInstances", "true"),
    ];
    let status = server.ec2("DescribeInstanceStatus", &all).await;
    let (told, details) = (status.expect_ok().text(), status.element("details"));
    assert_eq!(
        (told.matches("not-applicable").count(), details),
        (3, Some("")),
        "{told}"
    );
    let started = server.ec2("StartInstances", &[("InstanceId.1", &id)]).await;
    assert_eq!(names(&started), ["pending", "stopped"]);
    server.control.idle().await.unwrap();
    server
        .ec2("RebootInstances", &[("InstanceId.1", &id)])
        .await
        .expect_ok();
    let ended = server
        .ec2("TerminateInstances", &[("InstanceId.1", &id)])
        .await;
    assert_eq!(names(&ended), ["shutting-down", "running"]);
    server.control.idle().await.unwrap();
    let shown = server
        .ec2("DescribeInstances", &[("InstanceId.1", &id)])
        .await;
    assert_eq!(shown.element("name"), Some("terminated"));
    assert_eq!(shown.element("privateIpAddress"), None);
    assert_eq!(shown.element("networkInterfaceSet"), Some(""));
    let again = answer_of_launch(&server, &image).await;
    again.expect_error(400, "IdempotentInstanceTerminated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn volumes_come_and_go_and_an_image_is_made() {
    let server = Server::start().await;
    let image = image(&server).await;
    let (id, _) = launched(&server, &image).await;
    let volume = server
        .ec2("CreateVolume", &[("AvailabilityZone", ZONE), ("Size", "1")])
        .await;
    let volume = volume.element("volumeId").unwrap();
    server.control.idle().await.unwrap();
    let attach = [
        ("VolumeId", volume),
        ("InstanceId", &id),
        ("Device", "/dev/sdf"),
    ];
    let attached = server.ec2("AttachVolume", &attach).await;
    assert_eq!(attached.expect_ok().element("device"), Some("/dev/sdf"));
    assert!(["attaching", "attached"].contains(&attached.element("status").unwrap()));
    server.control.idle().await.unwrap();
    let shown = server
        .ec2("DescribeVolumes", &[("VolumeId.1", volume)])
        .await;
    assert_eq!(
        (
            shown.element("instanceId"),
            shown.text().contains("<status>in-use</status>")
        ),
        (Some(id.as_str()), true)
    );
    server
        .ec2("DeleteVolume", &[("VolumeId", volume)])
        .await
        .expect_error(400, "VolumeInUse");

    let made = server
        .ec2(
            "CreateImage",
            &[("InstanceId", &id), ("Name", "baked"), ("NoReboot", "true")],
        )
        .await;
    let baked = made.expect_ok().element("imageId").unwrap();
    server.control.idle().await.unwrap();
    let shown = server.ec2("DescribeImages", &[("ImageId.1", baked)]).await;
    assert_eq!(
        (
            shown.element("imageState"),
            shown.element("sourceInstanceId")
        ),
        (Some("available"), Some(id.as_str()))
    );
    assert_eq!(shown.text().matches("<snapshotId>").count(), 2);

    let detached = server
        .ec2("DetachVolume", &[("VolumeId", volume), ("Force", "false")])
        .await;
    assert_eq!(detached.expect_ok().element("volumeId"), Some(volume));
    server.control.idle().await.unwrap();
    let shown = server
        .ec2("DescribeVolumes", &[("VolumeId.1", volume)])
        .await;
    assert_eq!(
        (shown.element("status"), shown.element("attachmentSet")),
        (Some("available"), Some(""))
    );
}

#[tokio::test]
async fn launches_that_cannot_be_given_are_refused() {
    let server = Server::start().await;
    let image = image(&server).await;
    let run = async |more: &[(&str, &str)]| {
        let mut parameters = vec![
            ("ImageId", image.as_str()),
            ("MinCount", "1"),
            ("MaxCount", "1"),
        ];
        parameters.extend(more);
        server.ec2("RunInstances", &parameters).await
    };
    for (more, code) in [
        (
            &[("InstanceMarketOptions.MarketType", "spot")][..],
            "UnsupportedOperation",
        ),
        (
            &[("LaunchTemplate.LaunchTemplateId", "lt-1")],
            "InvalidLaunchTemplateId.Malformed",
        ),
        (
            &[("HibernationOptions.Configured", "true")],
            "UnsupportedOperation",
        ),
        (
            &[("Placement.Tenancy", "dedicated")],
            "UnsupportedOperation",
        ),
        (
            &[
                ("NetworkInterface.1.DeviceIndex", "0"),
                ("NetworkInterface.2.DeviceIndex", "1"),
            ],
            "UnsupportedOperation",
        ),
        (
            &[("MaintenanceOptions.AutoRecovery", "disabled")],
            "UnsupportedOperation",
        ),
        (
            &[("PrivateDnsNameOptions.HostnameType", "resource-name")],
            "UnsupportedOperation",
        ),
        (
            &[("NetworkPerformanceOptions.BandwidthWeighting", "vpc-1")],
            "UnsupportedOperation",
        ),
        (
            &[(
                "CapacityReservationSpecification.CapacityReservationPreference",
                "none",
            )],
            "UnsupportedOperation",
        ),
        (
            &[
                ("NetworkInterface.1.DeviceIndex", "0"),
                ("NetworkInterface.1.AssociatePublicIpAddress", "true"),
            ],
            "UnsupportedOperation",
        ),
        (
            &[("CreditSpecification.CpuCredits", "some")],
            "InvalidParameterValue",
        ),
        (
            &[("Placement.AvailabilityZone", "us-east-1z")],
            "InvalidParameterValue",
        ),
        (&[("PrivateIpAddress", "10.0.0.1")], "InvalidParameterValue"),
        (&[("InstanceType", "t3.huge")], "InvalidParameterValue"),
        (&[("KeyName", "nobody")], "InvalidKeyPair.NotFound"),
        (
            &[("SubnetId", "subnet-0123456789abcdef0")],
            "InvalidSubnetID.NotFound",
        ),
        (
            &[("SecurityGroupId.1", "sg-0123456789abcdef0")],
            "InvalidGroup.NotFound",
        ),
        (
            &[
                ("BlockDeviceMapping.1.DeviceName", "/dev/xvda"),
                ("BlockDeviceMapping.1.Ebs.Colour", "x"),
            ],
            "UnknownParameter",
        ),
    ] {
        run(more).await.expect_error(400, code);
    }
    // What is so anyway may be said.
    run(&[
        ("DryRun", "true"),
        ("MaintenanceOptions.AutoRecovery", "default"),
        ("PrivateDnsNameOptions.HostnameType", "ip-name"),
        (
            "PrivateDnsNameOptions.EnableResourceNameDnsARecord",
            "false",
        ),
        ("NetworkPerformanceOptions.BandwidthWeighting", "default"),
        (
            "CapacityReservationSpecification.CapacityReservationPreference",
            "open",
        ),
        ("NetworkInterface.1.DeviceIndex", "0"),
        ("NetworkInterface.1.AssociatePublicIpAddress", "false"),
        ("NetworkInterface.1.DeleteOnTermination", "true"),
        ("TagSpecification.1.ResourceType", "network-interface"),
        ("TagSpecification.1.Tag.1.Key", "Name"),
    ])
    .await
    .expect_error(412, "DryRunOperation");
    let many = [
        ("ImageId", image.as_str()),
        ("MinCount", "21"),
        ("MaxCount", "21"),
    ];
    server
        .ec2("RunInstances", &many)
        .await
        .expect_error(400, "InstanceLimitExceeded");
    let missing = server.ec2("RunInstances", &[("ImageId", &image)]).await;
    missing.expect_error(400, "MissingParameter");
    let unknown = server
        .ec2(
            "RunInstances",
            &[
                ("ImageId", "ami-0123456789abcdef0"),
                ("MinCount", "1"),
                ("MaxCount", "1"),
            ],
        )
        .await;
    unknown.expect_error(400, "InvalidAMIID.NotFound");
    server
        .ec2("DescribeInstances", &[("InstanceId.1", "i")])
        .await
        .expect_error(400, "InvalidInstanceID.Malformed");
    server
        .ec2("StopInstances", &[("InstanceId.1", "i-0123456789abcdef0")])
        .await
        .expect_error(400, "InvalidInstanceID.NotFound");
}

/// Everything that EC2's responses can hold by the model and that clients miss when it is absent
/// (`clients` in the design), element by element.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_terraform_reads_of_an_instance_is_absent() {
    let server = Server::start().await;
    let image = image(&server).await;
    let (id, _) = launched(&server, &image).await;
    let shown = server
        .ec2("DescribeInstances", &[("InstanceId.1", &id)])
        .await;
    let there: BTreeSet<&str> = shown
        .text()
        .split('<')
        .filter_map(|part| part.split('>').next())
        .collect();
    for element in [
        "reservationId",
        "ownerId",
        "groupSet",
        "architecture",
        "deviceName",
        "attachTime",
        "deleteOnTermination",
        "status",
        "volumeId",
        "clientToken",
        "ebsOptimized",
        "enaSupport",
        "hypervisor",
        "networkInterfaceSet",
        "rootDeviceName",
        "rootDeviceType",
        "groupId",
        "groupName",
        "sourceDestCheck",
        "virtualizationType",
        "coreCount",
        "threadsPerCore",
        "capacityReservationPreference",
        "configured",
        "state",
        "httpTokens",
        "httpPutResponseHopLimit",
        "httpEndpoint",
        "httpProtocolIpv6",
        "instanceMetadataTags",
        "enabled",
        "platformDetails",
        "usageOperation",
        "hostnameType",
        "enableResourceNameDnsARecord",
        "enableResourceNameDnsAAAARecord",
        "autoRecovery",
        "currentInstanceBootMode",
        "instanceId",
        "imageId",
        "code",
        "name",
        "privateDnsName",
        "dnsName",
        "reason",
        "amiLaunchIndex",
        "productCodes",
        "instanceType",
        "launchTime",
        "groupName",
        "tenancy",
        "availabilityZone",
        "subnetId",
        "vpcId",
        "privateIpAddress",
    ] {
        assert!(
            there.contains(element),
            "{element} is not in {}",
            shown.text()
        );
    }
}

/// The states of an answer of Start-, Stop- or TerminateInstances.
fn names(heard: &Heard) -> Vec<&str> {
    let parts = heard.expect_ok().text().split("<name>").skip(1);
    parts.map(|part| part.split('<').next().unwrap()).collect()
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(text)
}
