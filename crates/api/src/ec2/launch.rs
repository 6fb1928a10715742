//! RunInstances: the request that has most to say.

use cairn_control::request as verbs;

use super::{Answered, Call, answer, common, instance, mapping};
use crate::{generated::request, problem::Problem, query::QueryError};

pub(super) async fn run(call: &Call<'_>) -> Answered {
    let asked: request::RunInstancesRequest = call.request()?;
    let request = verb(asked)?;
    answer(instance::show_reservation(
        &call.control.run_instances(call.caller, request).await?,
    ))
}

fn verb(asked: request::RunInstancesRequest) -> Result<verbs::RunInstances, Problem> {
    let placement = asked.placement.unwrap_or_default();
    Ok(verbs::RunInstances {
        image_id: asked.image_id,
        min_count: asked.min_count,
        max_count: asked.max_count,
        instance_type: asked.instance_type,
        key_name: asked.key_name,
        subnet_id: asked.subnet_id,
        security_group_ids: asked.security_group_ids,
        security_groups: asked.security_groups,
        private_ip_address: asked.private_ip_address,
        network_interface: only_interface(asked.network_interfaces)?,
        availability_zone: placement.availability_zone,
        availability_zone_id: placement.availability_zone_id,
        block_device_mappings: mapping::asked(asked.block_device_mappings),
        user_data: asked.user_data,
        metadata_options: asked
            .metadata_options
            .map(metadata_options)
            .unwrap_or_default(),
        disable_api_termination: asked.disable_api_termination,
        disable_api_stop: asked.disable_api_stop,
        instance_initiated_shutdown_behavior: asked.instance_initiated_shutdown_behavior,
        ebs_optimized: asked.ebs_optimized,
        monitoring: asked.monitoring.map(|monitoring| monitoring.enabled),
        iam_instance_profile: asked.iam_instance_profile.map(profile),
        cpu_credits: asked.credit_specification.map(|credit| credit.cpu_credits),
        launch_template: asked.launch_template.map(template),
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        client_token: asked.client_token,
        dry_run: asked.dry_run.unwrap_or_default(),
    })
}

fn profile(asked: request::IamInstanceProfileSpecification) -> verbs::ProfileName {
    verbs::ProfileName {
        arn: asked.arn,
        name: asked.name,
    }
}

fn template(asked: request::LaunchTemplateSpecification) -> verbs::TemplateOfLaunch {
    verbs::TemplateOfLaunch {
        template: verbs::TemplateName {
            id: asked.launch_template_id,
            name: asked.launch_template_name,
        },
        version: asked.version,
    }
}

/// Instances here have one network interface; a second one cannot be given.
fn only_interface(
    interfaces: Vec<request::InstanceNetworkInterfaceSpecification>,
) -> Result<Option<verbs::NetworkInterfaceRequest>, Problem> {
    let mut interfaces = interfaces.into_iter();
    let (first, second) = (interfaces.next(), interfaces.next());
    match second {
        Some(_) => Err(QueryError::Refused("NetworkInterface.2".to_owned()).into()),
        None => Ok(first.map(interface)),
    }
}

fn interface(
    asked: request::InstanceNetworkInterfaceSpecification,
) -> verbs::NetworkInterfaceRequest {
    verbs::NetworkInterfaceRequest {
        device_index: asked.device_index,
        subnet_id: asked.subnet_id,
        groups: asked.groups,
        private_ip_address: asked.private_ip_address,
        associate_public_ip_address: asked.associate_public_ip_address,
        delete_on_termination: asked.delete_on_termination,
        description: asked.description,
    }
}

fn metadata_options(
    asked: request::InstanceMetadataOptionsRequest,
) -> verbs::MetadataOptionsRequest {
    verbs::MetadataOptionsRequest {
        http_endpoint: asked.http_endpoint,
        http_tokens: asked.http_tokens,
        http_put_response_hop_limit: asked.http_put_response_hop_limit,
        instance_metadata_tags: asked.instance_metadata_tags,
    }
}
