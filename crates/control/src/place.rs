//! Regions, availability zones, and the attributes of an account.

use cairn_model::{
    Region,
    filter::Filters,
    place::{OPT_IN_STATUS, Zone},
};
use cairn_store::network;

use crate::{
    Caller, Control, Error, ErrorKind, Result, answer::RegionDescription, describe,
    request::Describe,
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
    /// The regions of these names, or all, that pass the filters.
    pub async fn describe_regions(
        &self,
        _caller: &Caller,
        request: Describe,
    ) -> Result<Vec<RegionDescription>> {
        let filters = Filters::of::<Region>(&request.filters)?;
        let regions = describe::select(
            Region::all().collect(),
            &request.names,
            |region| region.name(),
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
            .filter(|region| filters.matches(region))
            .map(description)
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

fn description(region: Region) -> RegionDescription {
    RegionDescription {
        name: region.name(),
        endpoint: region.endpoint(),
        opt_in_status: OPT_IN_STATUS,
    }
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
