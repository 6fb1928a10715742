//! A launch from a template: what the request says stands, and the template says the rest.

use std::collections::BTreeSet;

use cairn_model::{
    Tag, TagSpecification, Tags,
    launch_template::{
        TemplateData, TemplateEbs, TemplateInterface, TemplateMapping, TemplateMetadataOptions,
        VersionOfTemplate,
    },
};
use cairn_store::{Connection, launch_template};

use super::{find, named_version};
use crate::{
    Caller, Error, ErrorKind, Result,
    request::{
        EbsRequest, MappingRequest, MetadataOptionsRequest, NetworkInterfaceRequest, ProfileName,
        RunInstances,
    },
};

/// The tags by which an instance tells the template that it was launched from.
const ID_TAG: &str = "aws:ec2launchtemplate:id";
const VERSION_TAG: &str = "aws:ec2launchtemplate:version";

/// The request with what its template says, and the tags that tell of it.
pub(crate) async fn resolved(
    conn: &mut Connection,
    caller: &Caller,
    request: &RunInstances,
) -> Result<(RunInstances, Tags)> {
    let Some(asked) = &request.launch_template else {
        return Ok((request.clone(), Tags::new()));
    };
    let template = find(conn, caller, &asked.template).await?;
    let versions = launch_template::versions(conn, &template.id).await?;
    let name = asked.version.as_deref().filter(|v| !v.is_empty());
    let found = named_version(template, versions, name.unwrap_or("$Default"))?;
    let tags = tags(&found);
    Ok((over(request.clone(), found.version.data)?, tags))
}

fn tags(found: &VersionOfTemplate) -> Tags {
    Tags::from([
        (ID_TAG.to_owned(), found.template.id.to_string()),
        (VERSION_TAG.to_owned(), found.version.number.to_string()),
    ])
}

fn over(request: RunInstances, data: TemplateData) -> Result<RunInstances> {
    let has_groups = !(request.security_group_ids.is_empty() && request.security_groups.is_empty());
    let (group_ids, groups) = match has_groups {
        true => (request.security_group_ids, request.security_groups),
        false => (data.security_group_ids, data.security_groups),
    };
    let network_interface = match request.network_interface {
        Some(asked) => Some(asked),
        None => only_interface(data.network_interfaces)?,
    };
    let names_zone = given(&request.availability_zone) || given(&request.availability_zone_id);
    let (zone, zone_id) = match names_zone {
        true => (request.availability_zone, request.availability_zone_id),
        false => (data.availability_zone, data.availability_zone_id),
    };
    let profile = request.iam_instance_profile.filter(is_profile);
    Ok(RunInstances {
        image_id: or(request.image_id, data.image_id),
        instance_type: or(request.instance_type, data.instance_type),
        key_name: or(request.key_name, data.key_name),
        security_group_ids: group_ids,
        security_groups: groups,
        network_interface,
        availability_zone: zone,
        availability_zone_id: zone_id,
        block_device_mappings: mappings(request.block_device_mappings, data.block_device_mappings),
        user_data: or(request.user_data, data.user_data),
        iam_instance_profile: profile.or(data.iam_instance_profile.map(|profile| ProfileName {
            arn: profile.arn,
            name: profile.name,
        })),
        metadata_options: metadata(
            request.metadata_options,
            data.metadata_options.unwrap_or_default(),
        ),
        disable_api_termination: request
            .disable_api_termination
            .or(data.disable_api_termination),
        disable_api_stop: request.disable_api_stop.or(data.disable_api_stop),
        instance_initiated_shutdown_behavior: or(
            request.instance_initiated_shutdown_behavior,
            data.instance_initiated_shutdown_behavior,
        ),
        ebs_optimized: request.ebs_optimized.or(data.ebs_optimized),
        monitoring: request.monitoring.or(data.monitoring),
        cpu_credits: or(request.cpu_credits, data.cpu_credits),
        tag_specifications: tag_specifications(request.tag_specifications, data.tag_specifications),
        ..request
    })
}

fn given(text: &Option<String>) -> bool {
    text.as_ref().is_some_and(|text| !text.is_empty())
}

/// An empty text says nothing.
fn or(asked: Option<String>, template: Option<String>) -> Option<String> {
    asked.filter(|text| !text.is_empty()).or(template)
}

fn is_profile(profile: &ProfileName) -> bool {
    given(&profile.arn) || given(&profile.name)
}

/// Instances here have one interface.
fn only_interface(interfaces: Vec<TemplateInterface>) -> Result<Option<NetworkInterfaceRequest>> {
    if interfaces.len() > 1 {
        return Err(Error::new(
            ErrorKind::UnsupportedOperation,
            "This server gives each instance one network interface, and the launch template has more.",
        ));
    }
    let only = interfaces.into_iter().next();
    Ok(only.map(|interface| NetworkInterfaceRequest {
        device_index: interface.device_index,
        subnet_id: interface.subnet_id,
        groups: interface.groups,
        private_ip_address: interface.private_ip_address,
        associate_public_ip_address: interface.associate_public_ip_address,
        delete_on_termination: interface.delete_on_termination,
        description: interface.description,
    }))
}

/// Those of the template, except where the request has its own for the device.
fn mappings(asked: Vec<MappingRequest>, template: Vec<TemplateMapping>) -> Vec<MappingRequest> {
    let names: BTreeSet<_> = asked.iter().map(|m| m.device_name.clone()).collect();
    let kept = template
        .into_iter()
        .filter(|mapping| !names.contains(&mapping.device_name));
    kept.map(mapping).chain(asked).collect()
}

fn mapping(from: TemplateMapping) -> MappingRequest {
    MappingRequest {
        device_name: from.device_name,
        virtual_name: from.virtual_name,
        no_device: from.no_device,
        ebs: from.ebs.map(ebs),
    }
}

fn ebs(from: TemplateEbs) -> EbsRequest {
    EbsRequest {
        snapshot_id: from.snapshot_id,
        volume_size: from.volume_size,
        volume_type: from.volume_type,
        iops: from.iops,
        throughput: from.throughput,
        delete_on_termination: from.delete_on_termination,
        encrypted: from.encrypted,
        kms_key_id: from.kms_key_id,
        volume_initialization_rate: from.volume_initialization_rate,
    }
}

fn metadata(
    asked: MetadataOptionsRequest,
    template: TemplateMetadataOptions,
) -> MetadataOptionsRequest {
    MetadataOptionsRequest {
        http_endpoint: or(asked.http_endpoint, template.http_endpoint),
        http_tokens: or(asked.http_tokens, template.http_tokens),
        http_put_response_hop_limit: asked
            .http_put_response_hop_limit
            .or(template.http_put_response_hop_limit),
        instance_metadata_tags: or(
            asked.instance_metadata_tags,
            template.instance_metadata_tags,
        ),
    }
}

/// The tags of both; of the same key and kind of resource those of the request.
fn tag_specifications(
    asked: Vec<TagSpecification>,
    template: Vec<TagSpecification>,
) -> Vec<TagSpecification> {
    let mut all = asked;
    for from in template {
        match all
            .iter_mut()
            .find(|s| s.resource_type == from.resource_type)
        {
            Some(same) => {
                let known: BTreeSet<_> = same.tags.iter().map(|tag| tag.key.clone()).collect();
                let new = from.tags.into_iter();
                same.tags
                    .extend(new.filter(|tag: &Tag| !known.contains(&tag.key)));
            }
            None => all.push(from),
        }
    }
    all
}
