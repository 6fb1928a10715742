//! Regions, availability zones, and the attributes of an account.

use cairn_model::{
    Region,
    filter::Filters,
    place::{RegionOpt, Zone},
};
use cairn_store::network;

use crate::{
    Caller, Control, Error, ErrorKind, Result, describe,
    request::{Describe, DescribeRegions, ModifyZoneGroup},
};

/// The attributes that an account has, besides its default VPC.
const ACCOUNT_ATTRIBUTES: &[(&str, &str)] = &[
    ("supported-platforms", "VPC"),
    ("vpc-max-security-groups-per-interface", "5"),
    ("max-elastic-ips", "5"),
    ("max-instances", "20"),
    ("vpc-max-elastic-ips", "5"),
];
const DEFAULT_VPC: &str = "default-vpc";

impl Control {
    /// The regions of these names, or all, that pass the filters: those that the account has, unless all
    /// are asked for.
    pub async fn describe_regions(
        &self,
        caller: &Caller,
        request: DescribeRegions,
    ) -> Result<Vec<RegionOpt>> {
        let DescribeRegions {
            common: request,
            all_regions,
        } = request;
        let filters = Filters::of::<RegionOpt>(&request.filters)?;
        let mut shown = self.region_opts(&caller.account).await?;
        shown.retain(|found| all_regions || found.opt_in.is_enabled());
        let regions = describe::select(
            shown,
            &request.names,
            |found| found.region.name(),
            |name| {
                Error::new(
                    ErrorKind::RegionNotFound,
                    format!("Invalid region name: '{name}'"),
                )
            },
        )?;
        describe::refuse_dry_run(request.dry_run)?;
        Ok(regions
            .into_iter()
            .filter(|found| filters.matches(found))
            .collect())
    }

    /// The caller's region's zones of these names and ids, or all, that pass the filters.
    pub async fn describe_availability_zones(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Vec<Zone>> {
        let filters = Filters::of::<Zone>(&request.filters)?;
        let by_name = request
            .names
            .iter()
            .map(|name| the_zone(caller.region, name, Zone::name));
        let by_id = request
            .ids
            .iter()
            .map(|id| the_zone(caller.region, id, Zone::id));
        let asked = by_name.chain(by_id).collect::<Result<Vec<_>>>()?;
        describe::refuse_dry_run(request.dry_run)?;
        let zones = caller
            .region
            .zones()
            .filter(|zone| asked.is_empty() || asked.contains(zone));
        Ok(zones.filter(|zone| filters.matches(zone)).collect())
    }

    /// Opts into a group of zones. Those here are of availability zones, which every account is in, and
    /// out of which none gets.
    pub async fn modify_availability_zone_group(
        &self,
        caller: &Caller,
        request: ModifyZoneGroup,
    ) -> Result<()> {
        let group = &request.group_name;
        let refuse = |message| Err(Error::new(ErrorKind::InvalidParameterValue, message));
        if caller
            .region
            .zones()
            .all(|zone| zone.group_name() != *group)
        {
            return refuse(format!("Invalid availability zone group: [{group}]"));
        }
        match request.opt_in_status.as_str() {
            "opted-in" => describe::refuse_dry_run(request.dry_run),
            "not-opted-in" => refuse(format!(
                "The zone group '{group}' is one of availability zones: nobody opts out of it."
            )),
            other => refuse(format!(
                "Value ({other}) for parameter optInStatus is invalid. Valid values: opted-in, not-opted-in."
            )),
        }
    }

    /// Attributes of the account, name to values: those asked for, or all.
    pub async fn describe_account_attributes(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Vec<(String, Vec<String>)>> {
        let conn = &mut *self.store().read().await?;
        let vpcs = network::list_vpcs(conn, &caller.account, caller.region).await?;
        let default = vpcs
            .iter()
            .find(|vpc| vpc.is_default)
            .map_or("none", |vpc| vpc.id.as_str());
        let all = ACCOUNT_ATTRIBUTES
            .iter()
            .copied()
            .chain([(DEFAULT_VPC, default)]);
        let all: Vec<_> = all
            .map(|(name, value)| (name.to_owned(), vec![value.to_owned()]))
            .collect();
        let found = describe::select(
            all,
            &request.names,
            |(name, _)| name.as_str(),
            unknown_attribute,
        )?;
        describe::refuse_dry_run(request.dry_run)?;
        Ok(found)
    }
}

/// The zone of a name or id in a region.
pub(crate) fn zone(region: Region, name_or_id: &str) -> Result<Zone> {
    region.zone(name_or_id).ok_or_else(|| {
        Error::new(
            ErrorKind::ZoneNotFound,
            format!("Invalid availability zone: [{name_or_id}]"),
        )
    })
}

/// The zone that is called so. Calls that make something in a zone name the refusal otherwise.
fn the_zone(region: Region, text: &str, called: impl Fn(Zone) -> String) -> Result<Zone> {
    region
        .zones()
        .find(|zone| called(*zone) == text)
        .ok_or_else(|| {
            let message = format!("Invalid availability zone: [{text}]");
            Error::new(ErrorKind::InvalidParameterValue, message)
        })
}

fn unknown_attribute(name: &str) -> Error {
    let message =
        format!("Value ({name}) for parameter attributeName is invalid. Unknown attribute.");
    Error::new(ErrorKind::InvalidParameterValue, message)
}
