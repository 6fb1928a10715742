//! VPCs and subnets, described; and what belongs to them.
//!
//! - `vpc`: making, changing and deleting VPCs and subnets.
//! - [`security_group`]: groups and their rules.
//! - [`interface`]: network interfaces.
//! - `part`: what comes with VPCs.
//!
//! All of it is kept, checked and shown; of packets nothing is decided by it yet.

pub(crate) mod interface;
mod part;
pub(crate) mod security_group;
mod vpc;

pub(crate) use vpc::create_default_network;

use cairn_model::{Paged, Subnet, SubnetId, Vpc, VpcId, page::Bounds};
use cairn_store::{Connection, network};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    describe::{self, Question},
    request::Describe,
};

impl Control {
    /// The VPCs of these ids, or all, that pass the filters; by id.
    pub async fn describe_vpcs(&self, caller: &Caller, request: Describe) -> Result<Paged<Vpc>> {
        for id in &request.ids {
            describe::parse_id::<VpcId>(id, ErrorKind::VpcIdMalformed)?;
        }
        let conn = &mut *self.store().read().await?;
        let all = network::list_vpcs(conn, &caller.account, caller.region).await?;
        let vpcs = describe::select(all, &request.ids, |vpc| vpc.id.as_str(), vpc_not_found)?;
        self.network_question(caller, "DescribeVpcs", &request)
            .answer(vpcs, |vpc| vpc.id.to_string())
    }

    /// The subnets of these ids, or all, that pass the filters; by id.
    pub async fn describe_subnets(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Paged<Subnet>> {
        for id in &request.ids {
            describe::parse_id::<SubnetId>(id, ErrorKind::SubnetIdMalformed)?;
        }
        let conn = &mut *self.store().read().await?;
        let all = network::list_subnets(conn, &caller.account, caller.region).await?;
        let subnets = describe::select(
            all,
            &request.ids,
            |subnet| subnet.id.as_str(),
            subnet_not_found,
        )?;
        self.network_question(caller, "DescribeSubnets", &request)
            .answer(subnets, |subnet| subnet.id.to_string())
    }

    fn network_question<'a>(
        &'a self,
        caller: &'a Caller,
        operation: &'static str,
        request: &'a Describe,
    ) -> Question<'a> {
        Question {
            control: self,
            caller,
            operation,
            bounds: Bounds::USUAL,
            request,
        }
    }
}

/// The caller's subnet of an id.
pub(crate) async fn find_subnet(
    conn: &mut Connection,
    caller: &Caller,
    id: &str,
) -> Result<Subnet> {
    let parsed = describe::parse_id(id, ErrorKind::SubnetIdMalformed)?;
    let found = network::get_subnet(conn, &parsed).await?;
    found
        .filter(|subnet| subnet.account == caller.account && subnet.region == caller.region)
        .ok_or_else(|| subnet_not_found(id))
}

/// The caller's VPC of an id.
pub(crate) async fn find_vpc(conn: &mut Connection, caller: &Caller, id: &str) -> Result<Vpc> {
    let parsed = describe::parse_id(id, ErrorKind::VpcIdMalformed)?;
    let found = network::get_vpc(conn, &parsed).await?;
    found
        .filter(|vpc| vpc.account == caller.account && vpc.region == caller.region)
        .ok_or_else(|| vpc_not_found(id))
}

/// The caller's default VPC.
pub(crate) async fn default_vpc(conn: &mut Connection, caller: &Caller) -> Result<Vpc> {
    let vpcs = network::list_vpcs(conn, &caller.account, caller.region).await?;
    vpcs.into_iter().find(|vpc| vpc.is_default).ok_or_else(|| {
        Error::new(
            ErrorKind::VpcIdNotSpecified,
            "No default VPC for this user: name a VPC, or a subnet, or make a default VPC.",
        )
    })
}

fn vpc_not_found(id: &str) -> Error {
    Error::new(
        ErrorKind::VpcNotFound,
        format!("The vpc ID '{id}' does not exist"),
    )
}

fn subnet_not_found(id: &str) -> Error {
    Error::new(
        ErrorKind::SubnetNotFound,
        format!("The subnet ID '{id}' does not exist"),
    )
}

/// Of a group that was named by its id or its name.
pub(crate) fn group_not_found(group: &str) -> Error {
    Error::new(
        ErrorKind::SecurityGroupNotFound,
        format!("The security group '{group}' does not exist"),
    )
}
