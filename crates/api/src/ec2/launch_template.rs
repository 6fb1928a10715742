//! Launch templates.

use cairn_control::{answer::DeletedVersions, request as verbs};
use cairn_model::{
    LaunchTemplate, TagSpecification,
    launch_template::{
        TemplateData, TemplateEbs, TemplateInterface, TemplateMapping, TemplateMetadataOptions,
        TemplateProfile, VersionOfTemplate,
    },
};

use super::{
    Answered, Call, answer,
    common::{self, some},
};
use crate::{
    generated::{request, response},
    problem::Problem,
};

pub(super) async fn create(call: &Call<'_>) -> Answered {
    let asked: request::CreateLaunchTemplateRequest = call.request()?;
    let request = verbs::CreateLaunchTemplate {
        name: asked.launch_template_name,
        description: asked.version_description,
        data: data(asked.launch_template_data)?,
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        client_token: asked.client_token,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let made = call
        .control
        .create_launch_template(call.caller, request)
        .await?;
    answer(response::CreateLaunchTemplateResult {
        launch_template: Some(show(&made)),
    })
}

pub(super) async fn create_version(call: &Call<'_>) -> Answered {
    let asked: request::CreateLaunchTemplateVersionRequest = call.request()?;
    let request = verbs::CreateTemplateVersion {
        template: verbs::TemplateName {
            id: asked.launch_template_id,
            name: asked.launch_template_name,
        },
        source_version: asked.source_version,
        description: asked.version_description,
        data: data(asked.launch_template_data)?,
        client_token: asked.client_token,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let made = call
        .control
        .create_launch_template_version(call.caller, request)
        .await?;
    answer(response::CreateLaunchTemplateVersionResult {
        launch_template_version: Some(show_version(&made)),
    })
}

pub(super) async fn describe(call: &Call<'_>) -> Answered {
    let asked: request::DescribeLaunchTemplatesRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::Describe {
        ids: asked.launch_template_ids,
        names: asked.launch_template_names,
        ..common
    };
    let found = call
        .control
        .describe_launch_templates(call.caller, request)
        .await?;
    answer(response::DescribeLaunchTemplatesResult {
        launch_templates: found.items.iter().map(show).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn describe_versions(call: &Call<'_>) -> Answered {
    let asked: request::DescribeLaunchTemplateVersionsRequest = call.request()?;
    let request = verbs::DescribeTemplateVersions {
        common: common::describe(
            asked.filters,
            asked.max_results,
            asked.next_token,
            asked.dry_run,
        )?,
        template: verbs::TemplateName {
            id: asked.launch_template_id,
            name: asked.launch_template_name,
        },
        versions: asked.versions,
        min_version: asked.min_version,
        max_version: asked.max_version,
    };
    let found = call
        .control
        .describe_launch_template_versions(call.caller, request)
        .await?;
    answer(response::DescribeLaunchTemplateVersionsResult {
        launch_template_versions: found.items.iter().map(show_version).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn modify(call: &Call<'_>) -> Answered {
    let asked: request::ModifyLaunchTemplateRequest = call.request()?;
    let request = verbs::ModifyLaunchTemplate {
        template: verbs::TemplateName {
            id: asked.launch_template_id,
            name: asked.launch_template_name,
        },
        default_version: asked.default_version,
        client_token: asked.client_token,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let changed = call
        .control
        .modify_launch_template(call.caller, request)
        .await?;
    answer(response::ModifyLaunchTemplateResult {
        launch_template: Some(show(&changed)),
    })
}

pub(super) async fn delete(call: &Call<'_>) -> Answered {
    let asked: request::DeleteLaunchTemplateRequest = call.request()?;
    let request = verbs::DeleteTemplate {
        template: verbs::TemplateName {
            id: asked.launch_template_id,
            name: asked.launch_template_name,
        },
        versions: Vec::new(),
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let gone = call
        .control
        .delete_launch_template(call.caller, request)
        .await?;
    answer(response::DeleteLaunchTemplateResult {
        launch_template: Some(show(&gone)),
    })
}

pub(super) async fn delete_versions(call: &Call<'_>) -> Answered {
    let asked: request::DeleteLaunchTemplateVersionsRequest = call.request()?;
    let request = verbs::DeleteTemplate {
        template: verbs::TemplateName {
            id: asked.launch_template_id,
            name: asked.launch_template_name,
        },
        versions: asked.versions,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let done = call
        .control
        .delete_launch_template_versions(call.caller, request)
        .await?;
    answer(show_deleted(&done))
}

pub(super) async fn data_of_instance(call: &Call<'_>) -> Answered {
    let asked: request::GetLaunchTemplateDataRequest = call.request()?;
    let request = verbs::ById {
        id: asked.instance_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let data = call
        .control
        .get_launch_template_data(call.caller, request)
        .await?;
    answer(response::GetLaunchTemplateDataResult {
        launch_template_data: Some(show_data(&data)),
    })
}

fn data(asked: request::RequestLaunchTemplateData) -> Result<TemplateData, Problem> {
    let placement = asked.placement.unwrap_or_default();
    let tags: Vec<_> = asked
        .tag_specifications
        .into_iter()
        .map(|spec| request::TagSpecification {
            resource_type: spec.resource_type,
            tags: spec.tags,
        })
        .collect();
    Ok(TemplateData {
        image_id: asked.image_id,
        instance_type: asked.instance_type,
        key_name: asked.key_name,
        security_group_ids: asked.security_group_ids,
        security_groups: asked.security_groups,
        network_interfaces: asked
            .network_interfaces
            .into_iter()
            .map(interface)
            .collect(),
        availability_zone: placement.availability_zone,
        availability_zone_id: placement.availability_zone_id,
        tenancy: placement.tenancy,
        block_device_mappings: asked
            .block_device_mappings
            .into_iter()
            .map(mapping)
            .collect(),
        user_data: asked.user_data,
        iam_instance_profile: asked.iam_instance_profile.map(|profile| TemplateProfile {
            arn: profile.arn,
            name: profile.name,
        }),
        metadata_options: asked
            .metadata_options
            .map(|options| TemplateMetadataOptions {
                http_endpoint: options.http_endpoint,
                http_tokens: options.http_tokens,
                http_put_response_hop_limit: options.http_put_response_hop_limit,
                instance_metadata_tags: options.instance_metadata_tags,
            }),
        disable_api_termination: asked.disable_api_termination,
        disable_api_stop: asked.disable_api_stop,
        instance_initiated_shutdown_behavior: asked.instance_initiated_shutdown_behavior,
        ebs_optimized: asked.ebs_optimized,
        monitoring: asked.monitoring.and_then(|monitoring| monitoring.enabled),
        cpu_credits: asked.credit_specification.map(|credit| credit.cpu_credits),
        tag_specifications: common::tag_specifications(tags)?,
    })
}

fn interface(
    asked: request::LaunchTemplateInstanceNetworkInterfaceSpecificationRequest,
) -> TemplateInterface {
    TemplateInterface {
        device_index: asked.device_index,
        subnet_id: asked.subnet_id,
        groups: asked.groups,
        private_ip_address: asked.private_ip_address,
        associate_public_ip_address: asked.associate_public_ip_address,
        delete_on_termination: asked.delete_on_termination,
        description: asked.description,
    }
}

fn mapping(asked: request::LaunchTemplateBlockDeviceMappingRequest) -> TemplateMapping {
    TemplateMapping {
        device_name: asked.device_name,
        virtual_name: asked.virtual_name,
        no_device: asked.no_device,
        ebs: asked.ebs.map(|ebs| TemplateEbs {
            snapshot_id: ebs.snapshot_id,
            volume_size: ebs.volume_size,
            volume_type: ebs.volume_type,
            iops: ebs.iops,
            throughput: ebs.throughput,
            delete_on_termination: ebs.delete_on_termination,
            encrypted: ebs.encrypted,
            kms_key_id: ebs.kms_key_id,
            volume_initialization_rate: ebs.volume_initialization_rate,
        }),
    }
}

fn show(template: &LaunchTemplate) -> response::LaunchTemplate {
    response::LaunchTemplate {
        launch_template_id: some(&template.id),
        launch_template_name: some(&template.name),
        create_time: Some(template.create_time),
        created_by: some(&template.created_by),
        default_version_number: Some(template.default_version),
        latest_version_number: Some(template.latest_version),
        tags: common::tags(&template.tags),
    }
}

fn show_version(found: &VersionOfTemplate) -> response::LaunchTemplateVersion {
    let version = &found.version;
    response::LaunchTemplateVersion {
        launch_template_id: some(&found.template.id),
        launch_template_name: some(&found.template.name),
        version_number: Some(version.number),
        version_description: version.description.clone(),
        create_time: Some(version.create_time),
        created_by: some(&version.created_by),
        default_version: Some(found.is_default()),
        launch_template_data: Some(show_data(&version.data)),
    }
}

fn show_data(data: &TemplateData) -> response::ResponseLaunchTemplateData {
    let profile = data.iam_instance_profile.as_ref();
    let credits = data.cpu_credits.clone();
    response::ResponseLaunchTemplateData {
        ebs_optimized: data.ebs_optimized,
        iam_instance_profile: profile.map(|profile| {
            response::LaunchTemplateIamInstanceProfileSpecification {
                arn: profile.arn.clone(),
                name: profile.name.clone(),
            }
        }),
        block_device_mappings: data
            .block_device_mappings
            .iter()
            .map(show_mapping)
            .collect(),
        network_interfaces: data.network_interfaces.iter().map(show_interface).collect(),
        image_id: data.image_id.clone(),
        instance_type: data.instance_type.clone(),
        key_name: data.key_name.clone(),
        monitoring: data
            .monitoring
            .map(|enabled| response::LaunchTemplatesMonitoring {
                enabled: Some(enabled),
            }),
        placement: show_placement(data),
        disable_api_termination: data.disable_api_termination,
        instance_initiated_shutdown_behavior: data.instance_initiated_shutdown_behavior.clone(),
        user_data: data.user_data.clone(),
        tag_specifications: data.tag_specifications.iter().map(show_tags).collect(),
        security_group_ids: data.security_group_ids.clone(),
        security_groups: data.security_groups.clone(),
        credit_specification: credits.map(|cpu_credits| response::CreditSpecification {
            cpu_credits: Some(cpu_credits),
        }),
        metadata_options: data.metadata_options.as_ref().map(show_metadata),
        disable_api_stop: data.disable_api_stop,
    }
}

fn show_placement(data: &TemplateData) -> Option<response::LaunchTemplatePlacement> {
    let shown = response::LaunchTemplatePlacement {
        availability_zone: data.availability_zone.clone(),
        availability_zone_id: data.availability_zone_id.clone(),
        tenancy: data.tenancy.clone(),
    };
    let is_empty = shown.availability_zone.is_none()
        && shown.availability_zone_id.is_none()
        && shown.tenancy.is_none();
    (!is_empty).then_some(shown)
}

fn show_interface(
    of: &TemplateInterface,
) -> response::LaunchTemplateInstanceNetworkInterfaceSpecification {
    response::LaunchTemplateInstanceNetworkInterfaceSpecification {
        associate_public_ip_address: of.associate_public_ip_address,
        delete_on_termination: of.delete_on_termination,
        description: of.description.clone(),
        device_index: of.device_index,
        groups: of.groups.clone(),
        private_ip_address: of.private_ip_address.clone(),
        subnet_id: of.subnet_id.clone(),
    }
}

fn show_mapping(of: &TemplateMapping) -> response::LaunchTemplateBlockDeviceMapping {
    let ebs = of.ebs.as_ref();
    response::LaunchTemplateBlockDeviceMapping {
        device_name: of.device_name.clone(),
        virtual_name: of.virtual_name.clone(),
        no_device: of.no_device.clone(),
        ebs: ebs.map(|ebs| response::LaunchTemplateEbsBlockDevice {
            encrypted: ebs.encrypted,
            delete_on_termination: ebs.delete_on_termination,
            iops: ebs.iops,
            kms_key_id: ebs.kms_key_id.clone(),
            snapshot_id: ebs.snapshot_id.clone(),
            volume_size: ebs.volume_size,
            volume_type: ebs.volume_type.clone(),
            throughput: ebs.throughput,
            volume_initialization_rate: ebs.volume_initialization_rate,
        }),
    }
}

fn show_metadata(of: &TemplateMetadataOptions) -> response::LaunchTemplateInstanceMetadataOptions {
    response::LaunchTemplateInstanceMetadataOptions {
        state: None,
        http_tokens: of.http_tokens.clone(),
        http_put_response_hop_limit: of.http_put_response_hop_limit,
        http_endpoint: of.http_endpoint.clone(),
        http_protocol_ipv6: some("disabled"),
        instance_metadata_tags: of.instance_metadata_tags.clone(),
    }
}

fn show_tags(of: &TagSpecification) -> response::LaunchTemplateTagSpecification {
    let tags = of.tags.iter();
    response::LaunchTemplateTagSpecification {
        resource_type: some(&of.resource_type),
        tags: tags
            .map(|tag| response::Tag {
                key: some(&tag.key),
                value: some(&tag.value),
            })
            .collect(),
    }
}

fn show_deleted(done: &DeletedVersions) -> response::DeleteLaunchTemplateVersionsResult {
    let (id, name) = (&done.template.id, &done.template.name);
    let gone = done.deleted.iter().map(|number| {
        response::DeleteLaunchTemplateVersionsResponseSuccessItem {
            launch_template_id: some(id),
            launch_template_name: some(name),
            version_number: Some(*number),
        }
    });
    let kept = done.kept.iter().map(|(number, code, why)| {
        response::DeleteLaunchTemplateVersionsResponseErrorItem {
            launch_template_id: some(id),
            launch_template_name: some(name),
            version_number: Some(*number),
            response_error: Some(response::ResponseError {
                code: some(code),
                message: some(why),
            }),
        }
    });
    response::DeleteLaunchTemplateVersionsResult {
        successfully_deleted_launch_template_versions: gone.collect(),
        unsuccessfully_deleted_launch_template_versions: kept.collect(),
    }
}
