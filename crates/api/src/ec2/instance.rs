//! Instances.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use cairn_control::{
    answer::{InstanceAttribute, InstanceAttributeValue, InstanceStatus, Reservation, StateChange},
    request as verbs,
};
use cairn_model::{
    Image, Instance, InstanceState,
    instance::{InstanceBlockDevice, MetadataOptions},
    instance_type::InstanceType,
};

use super::{
    Answered, Call, answer,
    common::{self, Done, some},
    network_interface,
};
use crate::generated::{request, response};

pub(super) async fn describe(call: &Call<'_>) -> Answered {
    let asked: request::DescribeInstancesRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::Describe {
        ids: asked.instance_ids,
        ..common
    };
    let found = call
        .control
        .describe_instances(call.caller, request)
        .await?;
    let reservations = found.items.iter().map(show_reservation).collect();
    answer(response::DescribeInstancesResult {
        reservations,
        next_token: found.next_token,
    })
}

pub(super) async fn describe_status(call: &Call<'_>) -> Answered {
    let asked: request::DescribeInstanceStatusRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::DescribeInstanceStatus {
        common: verbs::Describe {
            ids: asked.instance_ids,
            ..common
        },
        include_all: asked.include_all_instances.unwrap_or_default(),
    };
    let found = call
        .control
        .describe_instance_status(call.caller, request)
        .await?;
    answer(response::DescribeInstanceStatusResult {
        instance_statuses: found.items.iter().map(show_status).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn start(call: &Call<'_>) -> Answered {
    let asked: request::StartInstancesRequest = call.request()?;
    let request = verbs::InstanceIds {
        ids: asked.instance_ids,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let changes = call.control.start_instances(call.caller, request).await?;
    answer(response::StartInstancesResult {
        starting_instances: changes.iter().map(show_change).collect(),
    })
}

pub(super) async fn stop(call: &Call<'_>) -> Answered {
    let asked: request::StopInstancesRequest = call.request()?;
    let request = verbs::StopInstances {
        ids: asked.instance_ids,
        force: asked.force.unwrap_or_default(),
        hibernate: asked.hibernate.unwrap_or_default(),
        skip_os_shutdown: asked.skip_os_shutdown.unwrap_or_default(),
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let changes = call.control.stop_instances(call.caller, request).await?;
    answer(response::StopInstancesResult {
        stopping_instances: changes.iter().map(show_change).collect(),
    })
}

pub(super) async fn reboot(call: &Call<'_>) -> Answered {
    let asked: request::RebootInstancesRequest = call.request()?;
    let request = verbs::InstanceIds {
        ids: asked.instance_ids,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control.reboot_instances(call.caller, request).await?;
    answer(Done)
}

pub(super) async fn terminate(call: &Call<'_>) -> Answered {
    let asked: request::TerminateInstancesRequest = call.request()?;
    let request = verbs::TerminateInstances {
        ids: asked.instance_ids,
        skip_os_shutdown: asked.skip_os_shutdown.unwrap_or_default(),
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let changes = call
        .control
        .terminate_instances(call.caller, request)
        .await?;
    answer(response::TerminateInstancesResult {
        terminating_instances: changes.iter().map(show_change).collect(),
    })
}

/// What an instance has written so far is always the latest; a request for that is no other.
pub(super) async fn console_output(call: &Call<'_>) -> Answered {
    let asked: request::GetConsoleOutputRequest = call.request()?;
    let request = verbs::ById {
        id: asked.instance_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let console = call
        .control
        .get_console_output(call.caller, request)
        .await?;
    answer(response::GetConsoleOutputResult {
        instance_id: some(console.instance_id),
        timestamp: Some(console.timestamp),
        output: Some(BASE64_STANDARD.encode(console.output)),
    })
}

pub(super) async fn describe_attribute(call: &Call<'_>) -> Answered {
    let asked: request::DescribeInstanceAttributeRequest = call.request()?;
    let request = verbs::DescribeAttribute {
        id: asked.instance_id,
        attribute: asked.attribute,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    answer(show_attribute(
        call.control
            .describe_instance_attribute(call.caller, request)
            .await?,
    ))
}

/// The instances of one launch. Groups of a reservation are those of EC2-Classic: none.
pub(super) fn show_reservation(reservation: &Reservation) -> response::Reservation {
    response::Reservation {
        reservation_id: some(&reservation.id),
        owner_id: some(&reservation.account),
        groups: Vec::new(),
        instances: reservation.instances.iter().map(show).collect(),
    }
}

/// An instance as EC2 shows it; of a terminated one the network and the volumes are gone.
fn show(instance: &Instance) -> response::Instance {
    let shown = whole(instance);
    if instance.state != InstanceState::Terminated {
        return shown;
    }
    response::Instance {
        block_device_mappings: Vec::new(),
        network_interfaces: Vec::new(),
        security_groups: Vec::new(),
        private_dns_name: some(""),
        private_ip_address: None,
        subnet_id: None,
        vpc_id: None,
        ..shown
    }
}

fn whole(instance: &Instance) -> response::Instance {
    response::Instance {
        architecture: some(instance.architecture),
        block_device_mappings: instance
            .block_devices
            .iter()
            .map(show_block_device)
            .collect(),
        client_token: Some(instance.client_token.clone().unwrap_or_default()),
        ebs_optimized: Some(instance.ebs_optimized),
        ena_support: Some(instance.ena_support),
        hypervisor: some(Image::HYPERVISOR),
        network_interfaces: interfaces(instance),
        iam_instance_profile: instance.iam_instance_profile.as_ref().map(|profile| {
            response::IamInstanceProfile {
                arn: some(&profile.arn),
                id: some(&profile.profile_id),
            }
        }),
        root_device_name: instance.root_device_name.clone(),
        root_device_type: some("ebs"),
        security_groups: groups(instance),
        source_dest_check: Some(instance.source_dest_check),
        state_reason: instance.state_reason.as_ref().map(reason),
        tags: common::tags(&instance.tags),
        virtualization_type: some("hvm"),
        cpu_options: InstanceType::named(&instance.instance_type).map(processors),
        capacity_reservation_specification: Some(
            response::CapacityReservationSpecificationResponse {
                capacity_reservation_preference: some("open"),
            },
        ),
        hibernation_options: Some(response::HibernationOptions {
            configured: Some(false),
        }),
        metadata_options: Some(metadata_options(&instance.metadata_options)),
        enclave_options: Some(response::EnclaveOptions {
            enabled: Some(false),
        }),
        boot_mode: instance.image_boot_mode.map(|mode| mode.to_string()),
        platform_details: some(Image::PLATFORM_DETAILS),
        usage_operation: some(Image::USAGE_OPERATION),
        usage_operation_update_time: Some(instance.launch_time),
        private_dns_name_options: Some(response::PrivateDnsNameOptionsResponse {
            hostname_type: some("ip-name"),
            enable_resource_name_dns_a_record: Some(false),
            enable_resource_name_dns_aaaa_record: Some(false),
        }),
        maintenance_options: Some(response::InstanceMaintenanceOptions {
            auto_recovery: some("default"),
        }),
        current_instance_boot_mode: some(instance.boot_mode),
        instance_id: some(&instance.id),
        image_id: some(&instance.image_id),
        state: Some(show_state(instance.state)),
        private_dns_name: Some(instance.private_dns_name()),
        // The port that leads to the guest is on the loopback of the host; no address is public.
        public_dns_name: some(""),
        public_ip_address: None,
        state_transition_reason: some(&instance.state_transition_reason),
        key_name: instance.key_name.clone(),
        ami_launch_index: Some(instance.launch_index),
        product_codes: Vec::new(),
        instance_type: some(&instance.instance_type),
        launch_time: Some(instance.launch_time),
        placement: Some(placement(instance)),
        monitoring: Some(response::Monitoring {
            state: some(enabled(instance.monitoring)),
        }),
        subnet_id: some(&instance.subnet_id),
        vpc_id: some(&instance.vpc_id),
        private_ip_address: some(instance.private_ip),
    }
}

fn show_block_device(device: &InstanceBlockDevice) -> response::InstanceBlockDeviceMapping {
    response::InstanceBlockDeviceMapping {
        device_name: some(&device.device_name),
        ebs: Some(response::EbsInstanceBlockDevice {
            attach_time: Some(device.attach_time),
            delete_on_termination: Some(device.delete_on_termination),
            status: some(device.state),
            volume_id: some(&device.volume_id),
        }),
    }
}

fn groups(instance: &Instance) -> Vec<response::GroupIdentifier> {
    let groups = instance.security_groups.iter();
    groups
        .map(|(id, name)| response::GroupIdentifier {
            group_id: some(id),
            group_name: some(name),
        })
        .collect()
}

fn interfaces(instance: &Instance) -> Vec<response::InstanceNetworkInterface> {
    let attached = instance.attached_interfaces.iter();
    std::iter::once(interface(instance))
        .chain(attached.map(network_interface::show_at_instance))
        .collect()
}

fn interface(instance: &Instance) -> response::InstanceNetworkInterface {
    let dns_name = instance.private_dns_name();
    response::InstanceNetworkInterface {
        attachment: Some(interface_attachment(instance)),
        description: some(&instance.network_interface_description),
        groups: groups(instance),
        mac_address: some(&instance.mac_address),
        network_interface_id: some(&instance.network_interface_id),
        owner_id: some(&instance.account),
        private_dns_name: some(&dns_name),
        private_ip_address: some(instance.private_ip),
        private_ip_addresses: vec![response::InstancePrivateIpAddress {
            primary: Some(true),
            private_dns_name: Some(dns_name),
            private_ip_address: some(instance.private_ip),
        }],
        source_dest_check: Some(instance.source_dest_check),
        status: some("in-use"),
        subnet_id: some(&instance.subnet_id),
        vpc_id: some(&instance.vpc_id),
        interface_type: some("interface"),
    }
}

/// The attachment of the one interface, which goes with its instance; its id is the interface's.
fn interface_attachment(instance: &Instance) -> response::InstanceNetworkInterfaceAttachment {
    response::InstanceNetworkInterfaceAttachment {
        attach_time: Some(instance.launch_time),
        attachment_id: Some(instance.network_interface_attachment_id()),
        delete_on_termination: Some(true),
        device_index: Some(0),
        status: some("attached"),
        network_card_index: Some(0),
    }
}

fn reason((code, message): &(String, String)) -> response::StateReason {
    response::StateReason {
        code: some(code),
        message: some(message),
    }
}

fn processors(instance_type: &InstanceType) -> response::CpuOptions {
    response::CpuOptions {
        core_count: Some(instance_type.cores),
        threads_per_core: Some(instance_type.threads_per_core()),
    }
}

pub(super) fn metadata_options(
    options: &MetadataOptions,
) -> response::InstanceMetadataOptionsResponse {
    response::InstanceMetadataOptionsResponse {
        state: some("applied"),
        http_tokens: some(if options.http_tokens_required {
            "required"
        } else {
            "optional"
        }),
        http_put_response_hop_limit: Some(options.http_put_response_hop_limit),
        http_endpoint: some(enabled(options.http_endpoint)),
        http_protocol_ipv6: some("disabled"),
        instance_metadata_tags: some(enabled(options.instance_metadata_tags)),
    }
}

pub(super) fn enabled(is: bool) -> &'static str {
    if is { "enabled" } else { "disabled" }
}

fn placement(instance: &Instance) -> response::Placement {
    response::Placement {
        availability_zone_id: instance.availability_zone_id(),
        group_name: some(""),
        tenancy: some("default"),
        availability_zone: some(&instance.availability_zone),
    }
}

pub(super) fn show_state(state: InstanceState) -> response::InstanceState {
    response::InstanceState {
        code: Some(state.code()),
        name: some(state),
    }
}

fn show_change(change: &StateChange) -> response::InstanceStateChange {
    response::InstanceStateChange {
        instance_id: some(&change.id),
        current_state: Some(show_state(change.current)),
        previous_state: Some(show_state(change.previous)),
    }
}

/// Of an instance that does not run there is nothing to tell in detail.
fn show_status(status: &InstanceStatus) -> response::InstanceStatus {
    let passed = || response::InstanceStatusDetails {
        impaired_since: None,
        name: some("reachability"),
        status: some("passed"),
    };
    let summary = |status: &str| response::InstanceStatusSummary {
        details: (status == "ok").then(passed).into_iter().collect(),
        status: some(status),
    };
    response::InstanceStatus {
        availability_zone: some(&status.availability_zone),
        availability_zone_id: status.availability_zone_id.clone(),
        instance_id: some(&status.id),
        instance_state: Some(show_state(status.state)),
        instance_status: Some(summary(status.instance_status)),
        system_status: Some(summary(status.system_status)),
        attached_ebs_status: Some(response::EbsStatusSummary {
            details: Vec::new(),
            status: some(status.instance_status),
        }),
    }
}

fn show_attribute(attribute: InstanceAttribute) -> response::InstanceAttribute {
    use InstanceAttributeValue as V;
    let instance = &attribute.instance;
    let mut shown = response::InstanceAttribute {
        instance_id: some(&instance.id),
        ..Default::default()
    };
    let text = |value| Some(response::AttributeValue { value });
    let yes = |value| Some(response::AttributeBooleanValue { value: Some(value) });
    match attribute.value {
        V::InstanceType(value) => shown.instance_type = text(Some(value)),
        V::Kernel => shown.kernel_id = text(None),
        V::Ramdisk => shown.ramdisk_id = text(None),
        V::UserData(value) => shown.user_data = text(value),
        V::DisableApiTermination(value) => shown.disable_api_termination = yes(value),
        V::DisableApiStop(value) => shown.disable_api_stop = yes(value),
        V::InstanceInitiatedShutdownBehavior(value) => {
            shown.instance_initiated_shutdown_behavior = text(some(value));
        }
        V::RootDeviceName(value) => shown.root_device_name = text(value),
        V::BlockDeviceMapping => {
            shown.block_device_mappings = Some(
                instance
                    .block_devices
                    .iter()
                    .map(show_block_device)
                    .collect(),
            );
        }
        V::ProductCodes => shown.product_codes = Some(Vec::new()),
        V::SourceDestCheck(value) => shown.source_dest_check = yes(value),
        V::GroupSet => shown.groups = Some(groups(instance)),
        V::EbsOptimized(value) => shown.ebs_optimized = yes(value),
        V::SriovNetSupport(value) => shown.sriov_net_support = text(value),
        V::EnaSupport(value) => shown.ena_support = yes(value),
        V::EnclaveOptions(value) => {
            shown.enclave_options = Some(response::EnclaveOptions {
                enabled: Some(value),
            });
        }
    }
    shown
}
