//! Burstable instances, the offerings of types, and passwords.

use cairn_model::{Instance, InstanceState, InstanceType, Paged, page::Bounds};
use cairn_store::instance;

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::{CreditSpecification, Offering},
    describe::{self, Question},
    instance_type::STANDARD_BY_DEFAULT,
    request::{ById, Describe, DescribeOfferings},
};

impl Control {
    /// How burstable instances pay: those of these ids, or all that are `unlimited`.
    pub async fn describe_credit_specifications(
        &self,
        caller: &Caller,
        mut request: Describe,
    ) -> Result<Paged<CreditSpecification>> {
        let bounds = Bounds::USUAL;
        describe::check_ids::<cairn_model::InstanceId>(
            &mut request,
            ErrorKind::InstanceIdMalformed,
            "instancesSet",
            bounds,
        )?;
        let conn = &mut *self.store().read().await?;
        let mut all = instance::list(conn, &caller.account, caller.region).await?;
        all.retain(|i| i.state != InstanceState::Terminated);
        let found = describe::select(all, &request.ids, |i| i.id.as_str(), super::not_found)?;
        let mut specifications = Vec::new();
        for instance in &found {
            match specification(instance) {
                Some(specification) => specifications.push(specification),
                None if request.ids.is_empty() => {}
                None => return Err(not_burstable(instance)),
            }
        }
        if request.ids.is_empty() {
            specifications.retain(|specification| specification.cpu_credits == "unlimited");
        }
        Question {
            control: self,
            caller,
            operation: "DescribeInstanceCreditSpecifications",
            bounds,
            request: &request,
        }
        .answer(specifications, |found| found.instance_id.to_string())
    }

    /// The types of instance that can be had in the region or its zones: all of them everywhere.
    pub async fn describe_instance_type_offerings(
        &self,
        caller: &Caller,
        request: DescribeOfferings,
    ) -> Result<Paged<Offering>> {
        let (location_type, places) = places(caller, request.location_type.as_deref())?;
        let offerings = InstanceType::all().iter().flat_map(|of_type| {
            places.iter().map(|place| Offering {
                instance_type: of_type.name,
                location_type,
                location: place.clone(),
            })
        });
        Question {
            control: self,
            caller,
            operation: "DescribeInstanceTypeOfferings",
            bounds: Bounds::USUAL,
            request: &request.common,
        }
        .answer(offerings.collect(), |offering| {
            format!("{} {}", offering.instance_type, offering.location)
        })
    }

    /// The instance whose password is asked for. Only Windows has one, and no image here is of it.
    pub async fn get_password_data(&self, caller: &Caller, request: ById) -> Result<Instance> {
        let conn = &mut *self.store().read().await?;
        let found = self.find_instance(conn, caller, &request.id).await?;
        describe::refuse_dry_run(request.dry_run)?;
        Ok(found)
    }
}

fn specification(instance: &Instance) -> Option<CreditSpecification> {
    let of_type = InstanceType::named(&instance.instance_type)?;
    let by_default = match instance.instance_type.starts_with(STANDARD_BY_DEFAULT) {
        true => "standard",
        false => "unlimited",
    };
    let asked = instance.cpu_credits.clone();
    of_type.burstable.then(|| CreditSpecification {
        instance_id: instance.id.clone(),
        cpu_credits: asked.unwrap_or_else(|| by_default.to_owned()),
    })
}

fn places(caller: &Caller, location_type: Option<&str>) -> Result<(&'static str, Vec<String>)> {
    let region = caller.region;
    Ok(match location_type.unwrap_or("region") {
        "" | "region" => ("region", vec![region.name().to_owned()]),
        "availability-zone" => (
            "availability-zone",
            region.zones().map(cairn_model::place::Zone::name).collect(),
        ),
        "availability-zone-id" => (
            "availability-zone-id",
            region.zones().map(cairn_model::place::Zone::id).collect(),
        ),
        other => {
            let message = format!(
                "Value ({other}) for parameter LocationType is invalid. It is region, availability-zone or availability-zone-id."
            );
            return Err(Error::new(ErrorKind::InvalidParameterValue, message));
        }
    })
}

fn not_burstable(instance: &Instance) -> Error {
    let message = format!(
        "The instance '{}' is of type {}, whose performance is not burstable.",
        instance.id, instance.instance_type
    );
    Error::new(ErrorKind::InvalidParameterValue, message)
}
