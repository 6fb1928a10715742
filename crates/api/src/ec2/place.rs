//! Regions, availability zones, and what an account may have.

use cairn_control::request as verbs;
use cairn_model::place::{RegionOpt, ZONE_OPT_IN_STATUS, Zone};

use super::{
    Answered, Call, answer,
    common::{self, some},
};
use crate::generated::{request, response};

pub(super) async fn describe_regions(call: &Call<'_>) -> Answered {
    let asked: request::DescribeRegionsRequest = call.request()?;
    let common = common::describe(asked.filters, None, None, asked.dry_run)?;
    let request = verbs::DescribeRegions {
        common: verbs::Describe {
            names: asked.region_names,
            ..common
        },
        all_regions: asked.all_regions.unwrap_or_default(),
    };
    let found = call.control.describe_regions(call.caller, request).await?;
    answer(response::DescribeRegionsResult {
        regions: found.iter().map(show_region).collect(),
    })
}

pub(super) async fn describe_zones(call: &Call<'_>) -> Answered {
    let asked: request::DescribeAvailabilityZonesRequest = call.request()?;
    let common = common::describe(asked.filters, None, None, asked.dry_run)?;
    let request = verbs::Describe {
        ids: asked.zone_ids,
        names: asked.zone_names,
        ..common
    };
    let found = call
        .control
        .describe_availability_zones(call.caller, request)
        .await?;
    let availability_zones = found.iter().map(|zone| show_zone(*zone)).collect();
    answer(response::DescribeAvailabilityZonesResult { availability_zones })
}

pub(super) async fn describe_account_attributes(call: &Call<'_>) -> Answered {
    let asked: request::DescribeAccountAttributesRequest = call.request()?;
    let common = common::describe(Vec::new(), None, None, asked.dry_run)?;
    let request = verbs::Describe {
        names: asked.attribute_names,
        ..common
    };
    let found = call
        .control
        .describe_account_attributes(call.caller, request)
        .await?;
    let account_attributes = found
        .into_iter()
        .map(|(name, values)| show_attribute(name, values))
        .collect();
    answer(response::DescribeAccountAttributesResult { account_attributes })
}

pub(super) async fn modify_zone_group(call: &Call<'_>) -> Answered {
    let asked: request::ModifyAvailabilityZoneGroupRequest = call.request()?;
    let request = verbs::ModifyZoneGroup {
        group_name: asked.group_name,
        opt_in_status: asked.opt_in_status,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .modify_availability_zone_group(call.caller, request)
        .await?;
    answer(response::ModifyAvailabilityZoneGroupResult {
        r#return: Some(true),
    })
}

fn show_region(found: &RegionOpt) -> response::Region {
    response::Region {
        opt_in_status: some(found.opt_in.as_str()),
        region_name: some(found.region.name()),
        endpoint: Some(found.region.endpoint()),
    }
}

fn show_zone(zone: Zone) -> response::AvailabilityZone {
    response::AvailabilityZone {
        opt_in_status: some(ZONE_OPT_IN_STATUS),
        messages: Vec::new(),
        region_name: some(zone.region),
        zone_name: Some(zone.name()),
        zone_id: Some(zone.id()),
        group_long_name: Some(zone.group_long_name()),
        group_name: Some(zone.group_name()),
        network_border_group: some(zone.region),
        zone_type: some("availability-zone"),
        state: some("available"),
    }
}

fn show_attribute(name: String, values: Vec<String>) -> response::AccountAttribute {
    let value = |value| response::AccountAttributeValue {
        attribute_value: Some(value),
    };
    response::AccountAttribute {
        attribute_name: Some(name),
        attribute_values: values.into_iter().map(value).collect(),
    }
}
