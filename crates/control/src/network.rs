//! VPCs, subnets and security groups.

use cairn_model::{
    AccountId, Entropy, Paged, Region, SecurityGroup, SecurityGroupId, Subnet, SubnetId, Vpc,
    VpcId, network::default_network, page::Bounds,
};
use cairn_store::{Connection, WriteTx, network};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    describe::{self, Question},
    request::Describe,
};

/// Makes the network that an account has in a region from its first day.
pub(crate) async fn create_default_network(
    tx: &mut WriteTx,
    account: &AccountId,
    region: Region,
    entropy: &dyn Entropy,
) -> Result<()> {
    Ok(network::insert(tx, &default_network(account, region, entropy)).await?)
}

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

    /// The security groups of these ids and names, or all, that pass the filters; by id.
    pub async fn describe_security_groups(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Paged<SecurityGroup>> {
        for id in &request.ids {
            describe::parse_id::<SecurityGroupId>(id, ErrorKind::SecurityGroupIdMalformed)?;
        }
        let conn = &mut *self.store().read().await?;
        let all = network::list_security_groups(conn, &caller.account, caller.region).await?;
        let groups = describe::select(
            all,
            &request.ids,
            |group| group.id.as_str(),
            group_not_found,
        )?;
        let groups =
            describe::select(groups, &request.names, |group| &group.name, group_not_found)?;
        self.network_question(caller, "DescribeSecurityGroups", &request)
            .answer(groups, |group| group.id.to_string())
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
