//! Networks and launch templates where time, repetition and the end of instances matter.

#![allow(clippy::unwrap_used, missing_docs)]

mod machines;
mod support;

use cairn_control::{
    Caller, Control, ErrorKind,
    request::{
        AttachNetworkInterface, ById, CreateLaunchTemplate, CreateNetworkInterface, DeleteTemplate,
        Describe, RunInstances, StopInstances, TemplateName, TemplateOfLaunch, TerminateInstances,
    },
};
use cairn_model::{Instance, NetworkInterface, launch_template::TemplateData};
use machines::*;

async fn terminate(control: &Control, caller: &Caller, instance: &Instance) {
    let request = TerminateInstances {
        ids: vec![instance.id.to_string()],
        ..TerminateInstances::default()
    };
    control.terminate_instances(caller, request).await.unwrap();
    control.idle().await.unwrap();
}

async fn stop(control: &Control, caller: &Caller, instance: &Instance) {
    let request = StopInstances {
        ids: vec![instance.id.to_string()],
        force: true,
        ..StopInstances::default()
    };
    control.stop_instances(caller, request).await.unwrap();
    control.idle().await.unwrap();
}

async fn interface(control: &Control, caller: &Caller, id: &str) -> NetworkInterface {
    let request = Describe {
        ids: vec![id.to_owned()],
        ..Describe::default()
    };
    let found = control
        .describe_network_interfaces(caller, request)
        .await
        .unwrap();
    found.items.into_iter().next().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attached_interface_outlives_its_instance_and_keeps_its_address() {
    let world = World::new(11);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&image)).await;
    let request = CreateNetworkInterface {
        subnet_id: instance.subnet_id.to_string(),
        ..CreateNetworkInterface::default()
    };
    let made = control
        .create_network_interface(&caller, request)
        .await
        .unwrap()
        .interface;
    assert_ne!(made.private_ip, instance.private_ip);
    let attach = AttachNetworkInterface {
        network_interface_id: made.id.to_string(),
        instance_id: instance.id.to_string(),
        device_index: 1,
        dry_run: false,
    };
    let running = control
        .attach_network_interface(&caller, attach.clone())
        .await;
    assert_eq!(running.unwrap_err().kind, ErrorKind::UnsupportedOperation);
    stop(&control, &caller, &instance).await;
    control
        .attach_network_interface(&caller, attach)
        .await
        .unwrap();
    let shown = now(&control, &caller, &instance.id).await;
    assert_eq!(shown.attached_interfaces.len(), 1);
    let delete = || ById {
        id: made.id.to_string(),
        dry_run: false,
    };
    let in_use = control.delete_network_interface(&caller, delete()).await;
    assert_eq!(in_use.unwrap_err().kind, ErrorKind::NetworkInterfaceInUse);
    terminate(&control, &caller, &instance).await;
    let free = interface(&control, &caller, made.id.as_str()).await;
    assert_eq!((free.attachment, free.private_ip), (None, made.private_ip));
    control
        .delete_network_interface(&caller, delete())
        .await
        .unwrap();
    control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_launch_that_is_sent_again_needs_its_template_no_more() {
    let world = World::new(12);
    let (control, caller) = world.begin().await;
    let image = image(&control, &caller).await;
    let template = CreateLaunchTemplate {
        name: "web".to_owned(),
        data: TemplateData {
            image_id: Some(image.to_string()),
            instance_type: Some("t3.micro".to_owned()),
            ..TemplateData::default()
        },
        ..CreateLaunchTemplate::default()
    };
    control
        .create_launch_template(&caller, template)
        .await
        .unwrap();
    let name = TemplateName {
        id: None,
        name: Some("web".to_owned()),
    };
    let request = RunInstances {
        min_count: 1,
        max_count: 1,
        launch_template: Some(TemplateOfLaunch {
            template: name.clone(),
            version: None,
        }),
        client_token: Some("once".to_owned()),
        ..RunInstances::default()
    };
    let first = control
        .run_instances(&caller, request.clone())
        .await
        .unwrap();
    let delete = DeleteTemplate {
        template: name,
        ..DeleteTemplate::default()
    };
    control
        .delete_launch_template(&caller, delete)
        .await
        .unwrap();
    let again = control
        .run_instances(&caller, request.clone())
        .await
        .unwrap();
    assert_eq!(first.instances[0].id, again.instances[0].id);
    let other = RunInstances {
        client_token: None,
        ..request
    };
    let gone = control.run_instances(&caller, other).await;
    assert_eq!(
        gone.unwrap_err().kind,
        ErrorKind::LaunchTemplateNameNotFound
    );
    control.shutdown().await;
}
