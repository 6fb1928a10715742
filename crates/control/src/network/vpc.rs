//! VPCs and subnets: making, changing and deleting them.

use cairn_model::{
    AccountId, DhcpOptionsId, Entropy, Region, ResourceType, SecurityGroup, Subnet, TagsByType,
    Vpc, VpcId,
    network::{Cidr, VpcAttributes, default_network, default_subnet_among, new_subnet},
    place::Zone,
    security_group::default_rules,
    vpc_part::VpcPart,
};
use cairn_store::{Connection, WriteTx, network, security_group, vpc_part};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::VpcAttribute,
    describe,
    network::{default_vpc, find_subnet, find_vpc},
    place,
    request::{
        ById, CreateDefaultSubnet, CreateSubnet, CreateVpc, DescribeAttribute,
        ModifySubnetAttribute, ModifyVpcAttribute,
    },
};

/// The greatest number of VPCs in a region, as far as AWS raises it, and of subnets in a VPC.
const VPCS_MAX: usize = 500;
const SUBNETS_MAX: usize = 200;

/// Makes the network that an account has in a region from its first day.
pub(crate) async fn create_default_network(
    tx: &mut WriteTx,
    account: &AccountId,
    region: Region,
    entropy: &dyn Entropy,
) -> Result<()> {
    let made = default_network(account, region, entropy);
    vpc_part::insert(tx, &VpcPart::dhcp_options_of(&made.vpc)).await?;
    insert_vpc(tx, &made.vpc, &made.security_group, entropy).await?;
    for subnet in &made.subnets {
        network::insert_subnet(tx, subnet).await?;
    }
    Ok(())
}

/// Records a VPC with what comes with it.
async fn insert_vpc(
    tx: &mut WriteTx,
    vpc: &Vpc,
    group: &SecurityGroup,
    entropy: &dyn Entropy,
) -> Result<()> {
    network::insert_vpc(tx, vpc).await?;
    for part in VpcPart::all_of(vpc, entropy) {
        vpc_part::insert(tx, &part).await?;
    }
    security_group::insert(tx, group).await?;
    for rule in default_rules(group, entropy) {
        security_group::insert_rule(tx, &rule).await?;
    }
    Ok(())
}

impl Control {
    /// Makes a VPC with its route table, access control list and default group.
    pub async fn create_vpc(&self, caller: &Caller, request: CreateVpc) -> Result<Vpc> {
        let text = request
            .cidr_block
            .as_deref()
            .filter(|text| !text.is_empty());
        let cidr = cidr(text.ok_or_else(|| Error::missing_parameter("cidrBlock"))?)?;
        if !cidr.is_size_of_network() {
            return Err(range(ErrorKind::VpcRange, cidr));
        }
        let tags = TagsByType::of(&request.tag_specifications, &[ResourceType::Vpc])?;
        let mut tx = self.store().write().await?;
        let vpcs = network::list_vpcs(&mut tx, &caller.account, caller.region).await?;
        check_vpc_count(&vpcs)?;
        let dhcp_options = dhcp_options(&mut tx, caller).await?;
        describe::refuse_dry_run(request.dry_run)?;
        let vpc = Vpc {
            id: VpcId::generate(self.entropy()),
            account: caller.account.clone(),
            region: caller.region,
            cidr_block: cidr.network().to_string(),
            is_default: false,
            dhcp_options,
            attributes: VpcAttributes::default(),
            tags: tags.tags(ResourceType::Vpc),
        };
        let group = SecurityGroup::default_of(&vpc, self.entropy());
        insert_vpc(&mut tx, &vpc, &group, self.entropy()).await?;
        tx.commit().await?;
        Ok(vpc)
    }

    /// Makes the default VPC anew after it was deleted, with a subnet in each zone.
    pub async fn create_default_vpc(&self, caller: &Caller, dry_run: bool) -> Result<Vpc> {
        // That there is one is no matter of who may make one, which is what a dry run is for.
        describe::refuse_dry_run(dry_run)?;
        let mut tx = self.store().write().await?;
        let vpcs = network::list_vpcs(&mut tx, &caller.account, caller.region).await?;
        if let Some(known) = vpcs.iter().find(|vpc| vpc.is_default) {
            return Err(Error::new(
                ErrorKind::DefaultVpcAlreadyExists,
                format!(
                    "A Default VPC already exists for this account in this region: {}.",
                    known.id
                ),
            ));
        }
        check_vpc_count(&vpcs)?;
        let dhcp_options = dhcp_options(&mut tx, caller).await?;
        let mut made = default_network(&caller.account, caller.region, self.entropy());
        made.vpc.dhcp_options = dhcp_options;
        insert_vpc(&mut tx, &made.vpc, &made.security_group, self.entropy()).await?;
        for subnet in &made.subnets {
            network::insert_subnet(&mut tx, subnet).await?;
        }
        tx.commit().await?;
        Ok(made.vpc)
    }

    /// Deletes a VPC in which nothing is left but what came with it. The gateway of a default one goes too.
    pub async fn delete_vpc(&self, caller: &Caller, request: ById) -> Result<()> {
        let mut tx = self.store().write().await?;
        let vpc = find_vpc(&mut tx, caller, &request.id).await?;
        let subnets = network::list_subnets(&mut tx, &caller.account, caller.region).await?;
        let groups = security_group::list(&mut tx, &caller.account, caller.region).await?;
        let mut own = groups.iter().filter(|group| group.vpc_id == vpc.id);
        let has_subnet = subnets.iter().any(|subnet| subnet.vpc_id == vpc.id);
        if has_subnet || own.any(|group| group.name != SecurityGroup::DEFAULT) {
            let message = format!(
                "The vpc '{}' has dependencies and cannot be deleted.",
                vpc.id
            );
            return Err(Error::new(ErrorKind::DependencyViolation, message));
        }
        describe::refuse_dry_run(request.dry_run)?;
        for group in groups.iter().filter(|group| group.vpc_id == vpc.id) {
            security_group::delete(&mut tx, &group.id).await?;
        }
        network::delete_vpc(&mut tx, &vpc.id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// One attribute of a VPC.
    pub async fn describe_vpc_attribute(
        &self,
        caller: &Caller,
        request: DescribeAttribute,
    ) -> Result<VpcAttribute> {
        let conn = &mut *self.store().read().await?;
        let vpc = find_vpc(conn, caller, &request.id).await?;
        let attribute = match request.attribute.as_str() {
            "enableDnsHostnames" => VpcAttribute::EnableDnsHostnames(vpc.has_dns_hostnames()),
            "enableDnsSupport" => VpcAttribute::EnableDnsSupport(vpc.attributes.enable_dns_support),
            "enableNetworkAddressUsageMetrics" => VpcAttribute::EnableNetworkAddressUsageMetrics(
                vpc.attributes.enable_network_address_usage_metrics,
            ),
            unknown => return Err(unknown_attribute(unknown)),
        };
        describe::refuse_dry_run(request.dry_run)?;
        Ok(attribute)
    }

    /// Changes one attribute of a VPC.
    pub async fn modify_vpc_attribute(
        &self,
        caller: &Caller,
        request: ModifyVpcAttribute,
    ) -> Result<()> {
        let given = [
            request.enable_dns_hostnames,
            request.enable_dns_support,
            request.enable_network_address_usage_metrics,
        ];
        check_one_given(given.iter().flatten().count())?;
        let mut tx = self.store().write().await?;
        let vpc = find_vpc(&mut tx, caller, &request.vpc_id).await?;
        network::update_vpc(&mut tx, &vpc.id, |vpc| {
            let attributes = &mut vpc.attributes;
            attributes.enable_dns_hostnames = request
                .enable_dns_hostnames
                .or(attributes.enable_dns_hostnames);
            attributes.enable_dns_support = request
                .enable_dns_support
                .unwrap_or(attributes.enable_dns_support);
            attributes.enable_network_address_usage_metrics = request
                .enable_network_address_usage_metrics
                .unwrap_or(attributes.enable_network_address_usage_metrics);
        })
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Makes a subnet of a VPC.
    pub async fn create_subnet(&self, caller: &Caller, request: CreateSubnet) -> Result<Subnet> {
        let text = request
            .cidr_block
            .as_deref()
            .filter(|text| !text.is_empty());
        let cidr = cidr(text.ok_or_else(|| Error::missing_parameter("cidrBlock"))?)?;
        let zone = zone(
            caller,
            &request.availability_zone,
            &request.availability_zone_id,
        )?;
        let tags = TagsByType::of(&request.tag_specifications, &[ResourceType::Subnet])?;
        let mut tx = self.store().write().await?;
        let vpc = find_vpc(&mut tx, caller, &request.vpc_id).await?;
        let whole: Cidr = vpc.cidr_block.parse().map_err(Error::internal)?;
        if !(cidr.is_size_of_network() && whole.holds(cidr)) {
            return Err(range(ErrorKind::SubnetRange, cidr));
        }
        let taken = blocks_of(&mut tx, &vpc).await?;
        if taken.iter().any(|other| other.overlaps(cidr)) {
            return Err(Error::new(
                ErrorKind::SubnetConflict,
                format!("The CIDR '{cidr}' conflicts with another subnet"),
            ));
        }
        check_subnet_count(taken.len())?;
        describe::refuse_dry_run(request.dry_run)?;
        let zone = zone.or_else(|| caller.region.zones().next());
        let zone = zone.ok_or_else(|| Error::internal("a region has no zones"))?;
        let subnet = Subnet {
            tags: tags.tags(ResourceType::Subnet),
            ..new_subnet(&vpc, zone, cidr.network(), self.entropy())
        };
        network::insert_subnet(&mut tx, &subnet).await?;
        tx.commit().await?;
        Ok(subnet)
    }

    /// Makes the default subnet of a zone anew after it was deleted.
    pub async fn create_default_subnet(
        &self,
        caller: &Caller,
        request: CreateDefaultSubnet,
    ) -> Result<Subnet> {
        let zone = zone(
            caller,
            &request.availability_zone,
            &request.availability_zone_id,
        )?;
        let zone = zone.ok_or_else(|| Error::missing_parameter("availabilityZone"))?;
        let mut tx = self.store().write().await?;
        let vpc = default_vpc(&mut tx, caller)
            .await
            .map_err(|error| Error::new(ErrorKind::DefaultVpcDoesNotExist, error))?;
        let subnets = network::list_subnets(&mut tx, &caller.account, caller.region).await?;
        let is_it = |s: &Subnet| s.default_for_az && s.availability_zone == zone.name();
        if let Some(known) = subnets.iter().find(|subnet| is_it(subnet)) {
            let message = format!(
                "'{}' is already the default subnet in {}.",
                known.id,
                zone.name()
            );
            return Err(Error::new(ErrorKind::DefaultSubnetAlreadyExists, message));
        }
        let taken = blocks_of(&mut tx, &vpc).await?;
        let subnet = default_subnet_among(&vpc, zone, &taken, self.entropy());
        let subnet = subnet.ok_or_else(|| {
            let message = "The default VPC has no room for a subnet of 4096 addresses.";
            Error::new(ErrorKind::SubnetConflict, message)
        })?;
        describe::refuse_dry_run(request.dry_run)?;
        network::insert_subnet(&mut tx, &subnet).await?;
        tx.commit().await?;
        Ok(subnet)
    }

    /// Deletes a subnet in which no address is taken.
    pub async fn delete_subnet(&self, caller: &Caller, request: ById) -> Result<()> {
        let mut tx = self.store().write().await?;
        let subnet = find_subnet(&mut tx, caller, &request.id).await?;
        if !network::taken_addresses(&mut tx, &subnet.id)
            .await?
            .is_empty()
        {
            let message = format!(
                "The subnet '{}' has dependencies and cannot be deleted.",
                subnet.id
            );
            return Err(Error::new(ErrorKind::DependencyViolation, message));
        }
        describe::refuse_dry_run(request.dry_run)?;
        network::delete_subnet(&mut tx, &subnet.id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Changes one attribute of a subnet.
    pub async fn modify_subnet_attribute(
        &self,
        caller: &Caller,
        request: ModifySubnetAttribute,
    ) -> Result<()> {
        let given = request.others.len() + usize::from(request.map_public_ip_on_launch.is_some());
        check_one_given(given)?;
        if let Some((name, _)) = request.others.iter().find(|(_, value)| *value) {
            return Err(Error::new(
                ErrorKind::UnsupportedOperation,
                format!("{name} cannot be true on this server: its networks have no such thing."),
            ));
        }
        let mut tx = self.store().write().await?;
        let subnet = find_subnet(&mut tx, caller, &request.subnet_id).await?;
        if let Some(map) = request.map_public_ip_on_launch {
            network::update_subnet(&mut tx, &subnet.id, |subnet| {
                subnet.map_public_ip_on_launch = map;
            })
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// The DHCP options that the region has.
async fn dhcp_options(tx: &mut WriteTx, caller: &Caller) -> Result<Option<DhcpOptionsId>> {
    let parts = vpc_part::list(tx, &caller.account, caller.region).await?;
    let options = parts
        .iter()
        .find(|part| part.kind == ResourceType::DhcpOptions);
    options
        .map(|part| part.id.parse().map_err(Error::internal))
        .transpose()
}

async fn blocks_of(conn: &mut Connection, vpc: &Vpc) -> Result<Vec<Cidr>> {
    let subnets = network::list_subnets(conn, &vpc.account, vpc.region).await?;
    let own = subnets.iter().filter(|subnet| subnet.vpc_id == vpc.id);
    own.map(|subnet| subnet.cidr_block.parse().map_err(Error::internal))
        .collect()
}

fn cidr(text: &str) -> Result<Cidr> {
    text.parse().map_err(|_| {
        let message = format!(
            "Value ({text}) for parameter cidrBlock is invalid. This is not a valid CIDR block."
        );
        Error::new(ErrorKind::InvalidParameterValue, message)
    })
}

/// The zone that a request names, by name or id.
fn zone(caller: &Caller, name: &Option<String>, id: &Option<String>) -> Result<Option<Zone>> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    match (given(name), given(id)) {
        (Some(_), Some(_)) => Err(Error::new(
            ErrorKind::InvalidParameterCombination,
            "The parameters AvailabilityZone and AvailabilityZoneId exclude each other.",
        )),
        (None, None) => Ok(None),
        (Some(text), None) | (None, Some(text)) => {
            // It is a wrong value to what makes subnets, as to what launches.
            let zone = place::zone(caller.region, &text);
            zone.map(Some)
                .map_err(|error| Error::new(ErrorKind::InvalidParameterValue, error))
        }
    }
}

fn range(kind: ErrorKind, cidr: Cidr) -> Error {
    Error::new(kind, format!("The CIDR '{cidr}' is invalid."))
}

fn check_vpc_count(vpcs: &[Vpc]) -> Result<()> {
    if vpcs.len() < VPCS_MAX {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::VpcLimitExceeded,
        "The maximum number of VPCs has been reached.",
    ))
}

fn check_subnet_count(count: usize) -> Result<()> {
    if count < SUBNETS_MAX {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::SubnetLimitExceeded,
        "The maximum number of subnets has been reached.",
    ))
}

fn check_one_given(count: usize) -> Result<()> {
    match count {
        0 => Err(Error::missing_parameter("attribute")),
        1 => Ok(()),
        _ => Err(Error::new(
            ErrorKind::InvalidParameterCombination,
            "Fields for multiple attribute types specified: change one attribute with each call.",
        )),
    }
}

fn unknown_attribute(name: &str) -> Error {
    let message = format!("Value ({name}) for parameter attribute is invalid. Unknown attribute.");
    Error::new(ErrorKind::InvalidParameterValue, message)
}
