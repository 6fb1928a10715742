//! Changing instances, and what is told of them besides.

use cairn_control::{
    answer::ProfileOfInstance, instance::metadata::MetadataDefaults, request as verbs,
};
use cairn_model::Instance;

use super::{
    Answered, Call, answer,
    common::{self, Done, some},
    instance::{enabled, metadata_options},
};
use crate::generated::{request, response};

pub(super) async fn modify(call: &Call<'_>) -> Answered {
    let asked: request::ModifyInstanceAttributeRequest = call.request()?;
    let yes = |value: Option<request::AttributeBooleanValue>| value.and_then(|v| v.value);
    let text = |value: Option<request::AttributeValue>| value.and_then(|v| v.value);
    let devices = asked.block_device_mappings.into_iter();
    let request = verbs::ModifyInstanceAttribute {
        instance_id: asked.instance_id,
        attribute: asked.attribute,
        value: asked.value,
        instance_type: text(asked.instance_type),
        user_data: asked
            .user_data
            .and_then(|data| data.value)
            .map(common::base64),
        disable_api_termination: yes(asked.disable_api_termination),
        disable_api_stop: yes(asked.disable_api_stop),
        instance_initiated_shutdown_behavior: text(asked.instance_initiated_shutdown_behavior),
        source_dest_check: yes(asked.source_dest_check),
        ebs_optimized: yes(asked.ebs_optimized),
        ena_support: yes(asked.ena_support),
        sriov_net_support: text(asked.sriov_net_support),
        groups: asked.groups,
        block_device_mappings: devices.map(device).collect(),
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .modify_instance_attribute(call.caller, request)
        .await?;
    answer(Done)
}

fn device(asked: request::InstanceBlockDeviceMappingSpecification) -> verbs::DeviceChange {
    let ebs = asked.ebs.unwrap_or_default();
    verbs::DeviceChange {
        device_name: asked.device_name,
        volume_id: ebs.volume_id,
        delete_on_termination: ebs.delete_on_termination,
    }
}

pub(super) async fn reset(call: &Call<'_>) -> Answered {
    let asked: request::ResetInstanceAttributeRequest = call.request()?;
    let request = verbs::DescribeAttribute {
        id: asked.instance_id,
        attribute: asked.attribute,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .reset_instance_attribute(call.caller, request)
        .await?;
    answer(Done)
}

pub(super) async fn modify_metadata_options(call: &Call<'_>) -> Answered {
    let asked: request::ModifyInstanceMetadataOptionsRequest = call.request()?;
    let request = verbs::ModifyMetadataOptions {
        instance_id: asked.instance_id,
        options: verbs::MetadataOptionsRequest {
            http_endpoint: asked.http_endpoint,
            http_tokens: asked.http_tokens,
            http_put_response_hop_limit: asked.http_put_response_hop_limit,
            instance_metadata_tags: asked.instance_metadata_tags,
        },
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let instance = call
        .control
        .modify_instance_metadata_options(call.caller, request)
        .await?;
    answer(response::ModifyInstanceMetadataOptionsResult {
        instance_id: some(&instance.id),
        instance_metadata_options: Some(metadata_options(&instance.metadata_options)),
    })
}

pub(super) async fn get_metadata_defaults(call: &Call<'_>) -> Answered {
    let asked: request::GetInstanceMetadataDefaultsRequest = call.request()?;
    let defaults = call
        .control
        .get_instance_metadata_defaults(call.caller, asked.dry_run.unwrap_or_default())
        .await?;
    answer(response::GetInstanceMetadataDefaultsResult {
        account_level: Some(show_defaults(&defaults)),
    })
}

fn show_defaults(defaults: &MetadataDefaults) -> response::InstanceMetadataDefaultsResponse {
    let word = |value: Option<bool>| value.map(|is| enabled(is).to_owned());
    let tokens = |required| if required { "required" } else { "optional" };
    response::InstanceMetadataDefaultsResponse {
        http_tokens: defaults
            .http_tokens_required
            .map(|required| tokens(required).to_owned()),
        http_put_response_hop_limit: defaults.http_put_response_hop_limit,
        http_endpoint: word(defaults.http_endpoint),
        instance_metadata_tags: word(defaults.instance_metadata_tags),
        managed_by: some("account"),
        http_tokens_enforced: word(defaults.http_tokens_enforced),
    }
}

pub(super) async fn modify_metadata_defaults(call: &Call<'_>) -> Answered {
    let asked: request::ModifyInstanceMetadataDefaultsRequest = call.request()?;
    let request = verbs::ModifyMetadataDefaults {
        options: verbs::MetadataOptionsRequest {
            http_endpoint: asked.http_endpoint,
            http_tokens: asked.http_tokens,
            http_put_response_hop_limit: asked.http_put_response_hop_limit,
            instance_metadata_tags: asked.instance_metadata_tags,
        },
        http_tokens_enforced: asked.http_tokens_enforced,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .modify_instance_metadata_defaults(call.caller, request)
        .await?;
    answer(response::ModifyInstanceMetadataDefaultsResult {
        r#return: Some(true),
    })
}

pub(super) async fn describe_credit_specifications(call: &Call<'_>) -> Answered {
    let asked: request::DescribeInstanceCreditSpecificationsRequest = call.request()?;
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
        .describe_credit_specifications(call.caller, request)
        .await?;
    let shown = found
        .items
        .into_iter()
        .map(|found| response::InstanceCreditSpecification {
            instance_id: some(&found.instance_id),
            cpu_credits: Some(found.cpu_credits),
        });
    answer(response::DescribeInstanceCreditSpecificationsResult {
        instance_credit_specifications: shown.collect(),
        next_token: found.next_token,
    })
}

/// Images here are of no system that has a password to give.
pub(super) async fn password_data(call: &Call<'_>) -> Answered {
    let asked: request::GetPasswordDataRequest = call.request()?;
    let request = verbs::ById {
        id: asked.instance_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let instance = call.control.get_password_data(call.caller, request).await?;
    answer(response::GetPasswordDataResult {
        instance_id: some(&instance.id),
        timestamp: Some(instance.launch_time),
        password_data: some(""),
    })
}

pub(super) async fn monitor(call: &Call<'_>) -> Answered {
    let asked: request::MonitorInstancesRequest = call.request()?;
    let request = verbs::InstanceIds {
        ids: asked.instance_ids,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let instances = call
        .control
        .set_monitoring(call.caller, request, true)
        .await?;
    answer(response::MonitorInstancesResult {
        instance_monitorings: instances.iter().map(monitoring).collect(),
    })
}

pub(super) async fn unmonitor(call: &Call<'_>) -> Answered {
    let asked: request::UnmonitorInstancesRequest = call.request()?;
    let request = verbs::InstanceIds {
        ids: asked.instance_ids,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let instances = call
        .control
        .set_monitoring(call.caller, request, false)
        .await?;
    answer(response::UnmonitorInstancesResult {
        instance_monitorings: instances.iter().map(monitoring).collect(),
    })
}

fn monitoring(instance: &Instance) -> response::InstanceMonitoring {
    response::InstanceMonitoring {
        instance_id: some(&instance.id),
        monitoring: Some(response::Monitoring {
            state: some(enabled(instance.monitoring)),
        }),
    }
}

pub(super) async fn describe_profiles(call: &Call<'_>) -> Answered {
    let asked: request::DescribeIamInstanceProfileAssociationsRequest = call.request()?;
    let common = common::describe(asked.filters, asked.max_results, asked.next_token, None)?;
    let request = verbs::Describe {
        ids: asked.association_ids,
        ..common
    };
    let found = call
        .control
        .describe_profile_associations(call.caller, request)
        .await?;
    answer(response::DescribeIamInstanceProfileAssociationsResult {
        iam_instance_profile_associations: found.items.iter().map(show_profile).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn associate_profile(call: &Call<'_>) -> Answered {
    let asked: request::AssociateIamInstanceProfileRequest = call.request()?;
    let request = verbs::AssociateProfile {
        instance_id: asked.instance_id,
        profile: verbs::ProfileName {
            arn: asked.iam_instance_profile.arn,
            name: asked.iam_instance_profile.name,
        },
    };
    let made = call.control.associate_profile(call.caller, request).await?;
    answer(response::AssociateIamInstanceProfileResult {
        iam_instance_profile_association: Some(show_profile(&made)),
    })
}

pub(super) async fn disassociate_profile(call: &Call<'_>) -> Answered {
    let asked: request::DisassociateIamInstanceProfileRequest = call.request()?;
    let gone = call
        .control
        .disassociate_profile(call.caller, &asked.association_id)
        .await?;
    answer(response::DisassociateIamInstanceProfileResult {
        iam_instance_profile_association: Some(show_profile(&gone)),
    })
}

fn show_profile(found: &ProfileOfInstance) -> response::IamInstanceProfileAssociation {
    response::IamInstanceProfileAssociation {
        association_id: some(&found.association.id),
        instance_id: some(&found.instance_id),
        iam_instance_profile: Some(response::IamInstanceProfile {
            arn: some(&found.association.arn),
            id: some(&found.association.profile_id),
        }),
        state: some(found.state),
        timestamp: Some(found.association.timestamp),
    }
}

pub(super) async fn describe_offerings(call: &Call<'_>) -> Answered {
    let asked: request::DescribeInstanceTypeOfferingsRequest = call.request()?;
    let request = verbs::DescribeOfferings {
        common: common::describe(
            asked.filters,
            asked.max_results,
            asked.next_token,
            asked.dry_run,
        )?,
        location_type: asked.location_type,
    };
    let found = call
        .control
        .describe_instance_type_offerings(call.caller, request)
        .await?;
    let shown = found
        .items
        .into_iter()
        .map(|offering| response::InstanceTypeOffering {
            instance_type: some(offering.instance_type),
            location_type: some(offering.location_type),
            location: Some(offering.location),
        });
    answer(response::DescribeInstanceTypeOfferingsResult {
        instance_type_offerings: shown.collect(),
        next_token: found.next_token,
    })
}
