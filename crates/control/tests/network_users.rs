//! What of a network is in use, and stays.

#![allow(clippy::unwrap_used, missing_docs)]

mod machines;
mod support;

use cairn_control::{
    Caller, Control, ErrorKind,
    request::{
        AttachNetworkInterface, ChangeRules, CreateNetworkInterface, CreateSecurityGroup,
        CreateSubnet, CreateVpc, DeleteSecurityGroup, Describe, GroupName, PeerRequest, Permission,
        RunInstances, StopInstances, TerminateInstances,
    },
};
use cairn_model::{Instance, NetworkInterface, Vpc};
use machines::*;
use support::*;

const IN_USE: ErrorKind = ErrorKind::DependencyViolation;

async fn group(control: &Control, caller: &Caller, name: &str, vpc: Option<&Vpc>) -> String {
    let request = CreateSecurityGroup {
        name: name.to_owned(),
        description: "in use".to_owned(),
        vpc_id: vpc.map(|vpc| vpc.id.to_string()),
        ..CreateSecurityGroup::default()
    };
    let made = control.create_security_group(caller, request).await;
    made.unwrap().id.to_string()
}

fn of(id: &str) -> GroupName {
    GroupName {
        id: Some(id.to_owned()),
        name: None,
    }
}

async fn delete_group(control: &Control, caller: &Caller, id: &str) -> cairn_control::Result<()> {
    let request = DeleteSecurityGroup {
        group: of(id),
        dry_run: false,
    };
    control
        .delete_security_group(caller, request)
        .await
        .map(drop)
}

async fn interface_in(
    control: &Control,
    caller: &Caller,
    subnet: &str,
    groups: &[&str],
) -> NetworkInterface {
    let request = CreateNetworkInterface {
        subnet_id: subnet.to_owned(),
        groups: groups.iter().map(ToString::to_string).collect(),
        ..CreateNetworkInterface::default()
    };
    let made = control.create_network_interface(caller, request).await;
    made.unwrap().interface
}

async fn stopped(control: &Control, caller: &Caller, request: RunInstances) -> Instance {
    let instance = launched(control, caller, request).await;
    let stop = StopInstances {
        ids: vec![instance.id.to_string()],
        force: true,
        ..StopInstances::default()
    };
    control.stop_instances(caller, stop).await.unwrap();
    control.idle().await.unwrap();
    now(control, caller, &instance.id).await
}

async fn terminate(control: &Control, caller: &Caller, instance: &Instance) {
    let request = TerminateInstances {
        ids: vec![instance.id.to_string()],
        ..TerminateInstances::default()
    };
    control.terminate_instances(caller, request).await.unwrap();
    control.idle().await.unwrap();
}

fn attach(interface: &NetworkInterface, instance: &Instance, index: i32) -> AttachNetworkInterface {
    AttachNetworkInterface {
        network_interface_id: interface.id.to_string(),
        instance_id: instance.id.to_string(),
        device_index: index,
        dry_run: false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_security_group_stays_while_anything_has_it() {
    let world = World::new(971);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let used = group(&control, &caller, "used", None).await;
    let request = RunInstances {
        security_group_ids: vec![used.clone()],
        ..launch(&image)
    };
    let instance = launched(&control, &caller, request).await;
    refused(delete_group(&control, &caller, &used).await, IN_USE);
    terminate(&control, &caller, &instance).await;
    let subnet = instance.subnet_id.to_string();
    let interface = interface_in(&control, &caller, &subnet, &[&used]).await;
    refused(delete_group(&control, &caller, &used).await, IN_USE);
    control
        .delete_network_interface(&caller, by_id(&interface.id))
        .await
        .unwrap();
    let other = group(&control, &caller, "other", None).await;
    let rule = ChangeRules {
        group: of(&other),
        permissions: vec![Permission {
            protocol: Some("tcp".to_owned()),
            from_port: Some(22),
            to_port: Some(22),
            peers: vec![PeerRequest {
                group: of(&used),
                ..PeerRequest::default()
            }],
        }],
        ..ChangeRules::default()
    };
    control
        .authorize_security_group(&caller, rule)
        .await
        .unwrap();
    refused(delete_group(&control, &caller, &used).await, IN_USE);
    delete_group(&control, &caller, &other).await.unwrap();
    delete_group(&control, &caller, &used).await.unwrap();
    // The default group stays in any case.
    let all = control
        .describe_security_groups(&caller, Describe::default())
        .await
        .unwrap();
    assert_eq!(all.items.len(), 1);
    let default = all.items[0].group.id.to_string();
    let refusal = delete_group(&control, &caller, &default).await;
    refused(refusal, ErrorKind::CannotDelete);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vpcs_and_subnets_stay_while_anything_is_in_them() {
    let world = World::new(972);
    let (control, caller) = world.begin().await;
    let request = CreateVpc {
        cidr_block: Some("10.0.0.0/16".to_owned()),
        ..CreateVpc::default()
    };
    let vpc = control.create_vpc(&caller, request).await.unwrap();
    let request = CreateSubnet {
        vpc_id: vpc.id.to_string(),
        cidr_block: Some("10.0.1.0/24".to_owned()),
        ..CreateSubnet::default()
    };
    let subnet = control.create_subnet(&caller, request).await.unwrap();
    refused(control.delete_vpc(&caller, by_id(&vpc.id)).await, IN_USE);
    let interface = interface_in(&control, &caller, subnet.id.as_str(), &[]).await;
    let refusal = control.delete_subnet(&caller, by_id(&subnet.id)).await;
    refused(refusal, IN_USE);
    control
        .delete_network_interface(&caller, by_id(&interface.id))
        .await
        .unwrap();
    control
        .delete_subnet(&caller, by_id(&subnet.id))
        .await
        .unwrap();
    let own = group(&control, &caller, "own", Some(&vpc)).await;
    refused(control.delete_vpc(&caller, by_id(&vpc.id)).await, IN_USE);
    delete_group(&control, &caller, &own).await.unwrap();
    control.delete_vpc(&caller, by_id(&vpc.id)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interface_goes_where_there_is_a_place_for_it() {
    let world = World::new(973);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = stopped(&control, &caller, launch(&image)).await;
    let subnet = instance.subnet_id.to_string();
    let one = interface_in(&control, &caller, &subnet, &[]).await;
    let two = interface_in(&control, &caller, &subnet, &[]).await;
    let try_attach = async |interface: &NetworkInterface, index| {
        let request = attach(interface, &instance, index);
        control.attach_network_interface(&caller, request).await
    };
    let wrong = ErrorKind::InvalidParameterValue;
    refused(try_attach(&one, 0).await, wrong);
    refused(try_attach(&one, -1).await, wrong);
    // Of another zone.
    let subnets = control
        .describe_subnets(&caller, Describe::default())
        .await
        .unwrap();
    let elsewhere = subnets
        .items
        .iter()
        .find(|subnet| subnet.availability_zone != instance.availability_zone);
    let far = interface_in(&control, &caller, elsewhere.unwrap().id.as_str(), &[]).await;
    refused(
        try_attach(&far, 1).await,
        ErrorKind::InvalidParameterCombination,
    );
    let attached = try_attach(&one, 1).await.unwrap();
    refused(try_attach(&one, 2).await, ErrorKind::NetworkInterfaceInUse);
    let refusal = control.delete_network_interface(&caller, by_id(&one.id));
    refused(refusal.await, ErrorKind::NetworkInterfaceInUse);
    refused(try_attach(&two, 1).await, wrong);
    // A t3.micro has two, its first one included.
    refused(
        try_attach(&two, 2).await,
        ErrorKind::AttachmentLimitExceeded,
    );
    control
        .detach_network_interface(&caller, by_id(&attached))
        .await
        .unwrap();
    try_attach(&two, 2).await.unwrap();
    // The first one stays, whatever state the instance is in.
    let found = control
        .describe_network_interfaces(&caller, ids(&[&instance.network_interface_id]))
        .await
        .unwrap();
    let first = found.items[0].attachment.as_ref().unwrap().id.clone();
    let refusal = control.detach_network_interface(&caller, by_id(&first));
    refused(refusal.await, ErrorKind::OperationNotPermitted);
}
