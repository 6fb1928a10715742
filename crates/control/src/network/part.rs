//! What comes with VPCs, described: route tables, gateways, access control lists, DHCP options. And public
//! addresses, of which there are none.

use std::{fmt::Display, str::FromStr};

use cairn_model::{
    DhcpOptionsId, Filterable, InternetGatewayId, NetworkAclId, Paged, ResourceType, RouteTableId,
    filter::Filters,
    ids::AllocationId,
    page::Bounds,
    vpc_part::{Address, DhcpOptions, InternetGateway, NetworkAcl, RouteTable, VpcPart},
};
use cairn_store::{network, vpc_part};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    describe::{self, Question},
    request::{Describe, DescribeAddresses},
};

impl Control {
    /// The route tables of these ids, or all, that pass the filters; by id.
    pub async fn describe_route_tables(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Paged<RouteTable>> {
        check_ids::<RouteTableId>(&request, ErrorKind::RouteTableIdMalformed)?;
        let parts = self.parts(caller).await?;
        let gateways = of_kind(&parts, ResourceType::InternetGateway);
        let conn = &mut *self.store().read().await?;
        let vpcs = network::list_vpcs(conn, &caller.account, caller.region).await?;
        let tables = of_kind(&parts, ResourceType::RouteTable).into_iter();
        let tables = tables.map(|part| RouteTable {
            cidr_block: vpcs
                .iter()
                .find(|vpc| Some(&vpc.id) == part.vpc_id.as_ref())
                .map(|vpc| vpc.cidr_block.clone())
                .unwrap_or_default(),
            gateway_id: gateways
                .iter()
                .find(|gateway| gateway.vpc_id == part.vpc_id)
                .map(|gateway| gateway.id.clone()),
            part,
        });
        let kind = (ErrorKind::RouteTableNotFound, "routeTable");
        let found = describe::select(
            tables.collect(),
            &request.ids,
            |table| table.part.id.as_str(),
            |id| not_found(kind, id),
        )?;
        self.part_answer(caller, "DescribeRouteTables", &request, found, |t| &t.part)
    }

    /// The internet gateways of these ids, or all, that pass the filters; by id.
    pub async fn describe_internet_gateways(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Paged<InternetGateway>> {
        check_ids::<InternetGatewayId>(&request, ErrorKind::InternetGatewayIdMalformed)?;
        let parts = of_kind(&self.parts(caller).await?, ResourceType::InternetGateway);
        let kind = (ErrorKind::InternetGatewayNotFound, "internetGateway");
        let found = describe::select(
            parts.into_iter().map(InternetGateway).collect(),
            &request.ids,
            |gateway| gateway.0.id.as_str(),
            |id| not_found(kind, id),
        )?;
        self.part_answer(caller, "DescribeInternetGateways", &request, found, |g| {
            &g.0
        })
    }

    /// The network access control lists of these ids, or all, that pass the filters; by id.
    pub async fn describe_network_acls(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Paged<NetworkAcl>> {
        check_ids::<NetworkAclId>(&request, ErrorKind::NetworkAclIdMalformed)?;
        let parts = of_kind(&self.parts(caller).await?, ResourceType::NetworkAcl);
        let conn = &mut *self.store().read().await?;
        let subnets = network::list_subnets(conn, &caller.account, caller.region).await?;
        let acls = parts.into_iter().map(|part| NetworkAcl {
            subnets: subnets
                .iter()
                .filter(|subnet| Some(&subnet.vpc_id) == part.vpc_id.as_ref())
                .cloned()
                .collect(),
            part,
        });
        let kind = (ErrorKind::NetworkAclNotFound, "networkAcl");
        let found = describe::select(
            acls.collect(),
            &request.ids,
            |acl| acl.part.id.as_str(),
            |id| not_found(kind, id),
        )?;
        self.part_answer(caller, "DescribeNetworkAcls", &request, found, |a| &a.part)
    }

    /// The DHCP options of these ids, or all, that pass the filters; by id.
    pub async fn describe_dhcp_options(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Paged<DhcpOptions>> {
        check_ids::<DhcpOptionsId>(&request, ErrorKind::DhcpOptionsIdMalformed)?;
        let parts = of_kind(&self.parts(caller).await?, ResourceType::DhcpOptions);
        let kind = (ErrorKind::DhcpOptionsNotFound, "dhcpOption");
        let found = describe::select(
            parts.into_iter().map(DhcpOptions).collect(),
            &request.ids,
            |options| options.0.id.as_str(),
            |id| not_found(kind, id),
        )?;
        self.part_answer(caller, "DescribeDhcpOptions", &request, found, |o| &o.0)
    }

    /// Public addresses, of which there are none: those that are asked for do not exist.
    pub fn describe_addresses(
        &self,
        _caller: &Caller,
        request: &DescribeAddresses,
    ) -> Result<Vec<Address>> {
        Filters::of::<Address>(&request.common.filters)?;
        if let Some(id) = request.common.ids.first() {
            describe::parse_id::<AllocationId>(id, ErrorKind::AllocationNotFound)?;
            return Err(not_found((ErrorKind::AllocationNotFound, "allocation"), id));
        }
        if let Some(address) = request.public_ips.first() {
            return Err(unknown_address(address));
        }
        describe::refuse_dry_run(request.common.dry_run)?;
        Ok(Vec::new())
    }

    async fn parts(&self, caller: &Caller) -> Result<Vec<VpcPart>> {
        let conn = &mut *self.store().read().await?;
        Ok(vpc_part::list(conn, &caller.account, caller.region).await?)
    }

    fn part_answer<T: Filterable>(
        &self,
        caller: &Caller,
        operation: &'static str,
        request: &Describe,
        found: Vec<T>,
        part: impl Fn(&T) -> &VpcPart,
    ) -> Result<Paged<T>> {
        Question {
            control: self,
            caller,
            operation,
            bounds: Bounds::USUAL,
            request,
        }
        .answer(found, |noun| part(noun).id.clone())
    }
}

fn of_kind(parts: &[VpcPart], kind: ResourceType) -> Vec<VpcPart> {
    let of_kind = parts.iter().filter(|part| part.kind == kind);
    of_kind.cloned().collect()
}

fn check_ids<T>(request: &Describe, malformed: ErrorKind) -> Result<()>
where
    T: FromStr<Err: Display>,
{
    for id in &request.ids {
        describe::parse_id::<T>(id, malformed)?;
    }
    Ok(())
}

fn not_found((kind, what): (ErrorKind, &str), id: &str) -> Error {
    Error::new(kind, format!("The {what} ID '{id}' does not exist"))
}

fn unknown_address(text: &str) -> Error {
    match text.parse::<std::net::Ipv4Addr>() {
        Ok(address) => Error::new(
            ErrorKind::AddressNotFound,
            format!("Address '{address}' not found."),
        ),
        Err(_) => Error::new(
            ErrorKind::AddressMalformed,
            format!("The address '{text}' is not valid."),
        ),
    }
}
