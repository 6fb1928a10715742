//! Network interfaces: those of instances, and those made by themselves.
//!
//! One made by itself can be attached to an instance that is stopped. It is kept and shown there; the
//! machine has its first interface only.

use std::net::Ipv4Addr;

use cairn_model::{
    Instance, InstanceState, InstanceType, InterfaceAttachmentId, NetworkInterface,
    NetworkInterfaceId, Paged, ResourceType, SecurityGroup, SecurityGroupId, Subnet, TagsByType,
    network::{Cidr, new_mac_address},
    network_interface::InterfaceAttachment,
    page::Bounds,
};
use cairn_store::{Connection, WriteTx, instance, network, network_interface, security_group};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::CreatedInterface,
    describe::{self, Question},
    network::{find_subnet, group_not_found},
    request::{AttachNetworkInterface, ById, CreateNetworkInterface, Describe},
    token::Idempotency,
};

/// The greatest number of groups of an interface.
const GROUPS_MAX: usize = 5;

impl Control {
    /// The network interfaces of these ids, or all, that pass the filters; by id.
    pub async fn describe_network_interfaces(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Paged<NetworkInterface>> {
        for id in &request.ids {
            parse(id)?;
        }
        let conn = &mut *self.store().read().await?;
        let mut all = network_interface::list(conn, &caller.account, caller.region).await?;
        let instances = instance::list(conn, &caller.account, caller.region).await?;
        let alive = instances.iter().filter(|i| i.terminated_at.is_none());
        all.extend(alive.filter_map(NetworkInterface::of));
        let found = describe::select(all, &request.ids, |i| i.id.as_str(), not_found)?;
        Question {
            control: self,
            caller,
            operation: "DescribeNetworkInterfaces",
            bounds: Bounds::USUAL,
            request: &request,
        }
        .answer(found, |interface| interface.id.to_string())
    }

    /// Makes a network interface in a subnet.
    pub async fn create_network_interface(
        &self,
        caller: &Caller,
        request: CreateNetworkInterface,
    ) -> Result<CreatedInterface> {
        let asked = address(&request)?;
        let taggable = [ResourceType::NetworkInterface];
        let tags = TagsByType::of(&request.tag_specifications, &taggable)?;
        let token = request.client_token.as_deref();
        let idempotency = Idempotency::of(caller, "CreateNetworkInterface", token, &request)?;
        let mut tx = self.store().write().await?;
        if let Some(id) = idempotency.known(&mut tx).await? {
            let interface = find(&mut tx, caller, &id).await?;
            describe::refuse_dry_run(request.dry_run)?;
            return Ok(created(interface, &request));
        }
        let subnet = find_subnet(&mut tx, caller, &request.subnet_id).await?;
        let groups = groups(&mut tx, caller, &subnet, &request.groups).await?;
        let private_ip = free_address(&mut tx, &subnet, asked).await?;
        describe::refuse_dry_run(request.dry_run)?;
        let interface = NetworkInterface {
            id: NetworkInterfaceId::generate(self.entropy()),
            account: caller.account.clone(),
            region: caller.region,
            availability_zone: subnet.availability_zone,
            vpc_id: subnet.vpc_id,
            subnet_id: subnet.id,
            description: request.description.clone().unwrap_or_default(),
            groups,
            mac_address: new_mac_address(self.entropy()),
            private_ip,
            source_dest_check: true,
            attachment: None,
            tags: tags.tags(ResourceType::NetworkInterface),
        };
        network_interface::insert(&mut tx, &interface).await?;
        idempotency
            .record(&mut tx, interface.id.as_str(), self.now())
            .await?;
        tx.commit().await?;
        Ok(created(interface, &request))
    }

    /// Deletes a network interface that is attached to nothing.
    pub async fn delete_network_interface(&self, caller: &Caller, request: ById) -> Result<()> {
        let mut tx = self.store().write().await?;
        let interface = find(&mut tx, caller, &request.id).await?;
        check_is_free(&interface)?;
        describe::refuse_dry_run(request.dry_run)?;
        network_interface::delete(&mut tx, &interface.id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Attaches a network interface to an instance that is stopped.
    pub async fn attach_network_interface(
        &self,
        caller: &Caller,
        request: AttachNetworkInterface,
    ) -> Result<InterfaceAttachmentId> {
        let mut tx = self.store().write().await?;
        let interface = find(&mut tx, caller, &request.network_interface_id).await?;
        let instance = self
            .find_instance(&mut tx, caller, &request.instance_id)
            .await?;
        check_is_free(&interface)?;
        check_fits(&interface, &instance)?;
        check_is_stopped(&instance, "attached")?;
        check_index(&mut tx, &instance, request.device_index).await?;
        describe::refuse_dry_run(request.dry_run)?;
        let attachment = InterfaceAttachment {
            id: InterfaceAttachmentId::generate(self.entropy()),
            instance_id: instance.id,
            device_index: request.device_index,
            attach_time: self.stamp(),
            delete_on_termination: false,
        };
        network_interface::update(&mut tx, &interface.id, |interface| {
            interface.attachment = Some(attachment.clone());
        })
        .await?;
        tx.commit().await?;
        Ok(attachment.id)
    }

    /// Detaches a network interface from an instance that is stopped. The first one stays.
    pub async fn detach_network_interface(&self, caller: &Caller, request: ById) -> Result<()> {
        let id: InterfaceAttachmentId =
            describe::parse_id(&request.id, ErrorKind::InterfaceAttachmentNotFound)?;
        let mut tx = self.store().write().await?;
        let interface = attached_as(&mut tx, caller, &id).await?;
        let attachment = interface.attachment.as_ref();
        let at = attachment.map(|attachment| attachment.instance_id.as_str());
        let instance = self
            .find_instance(&mut tx, caller, at.unwrap_or_default())
            .await?;
        if interface.id == instance.network_interface_id {
            return Err(Error::new(
                ErrorKind::OperationNotPermitted,
                "The network interface at device index 0 cannot be detached.",
            ));
        }
        check_is_stopped(&instance, "detached")?;
        describe::refuse_dry_run(request.dry_run)?;
        network_interface::update(&mut tx, &interface.id, |i| i.attachment = None).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// An instance is at its end: what was attached to it goes or is free again.
pub(crate) async fn release(tx: &mut WriteTx, instance: &Instance) -> cairn_store::Result<()> {
    for interface in network_interface::list_at(tx, &instance.id).await? {
        let attachment = interface.attachment.as_ref();
        if attachment.is_some_and(|attachment| attachment.delete_on_termination) {
            network_interface::delete(tx, &interface.id).await?;
        } else {
            network_interface::update(tx, &interface.id, |i| i.attachment = None).await?;
        }
    }
    Ok(())
}

fn parse(id: &str) -> Result<NetworkInterfaceId> {
    describe::parse_id(id, ErrorKind::NetworkInterfaceIdMalformed)
}

/// The caller's interface of an id, whether it is part of an instance or not.
async fn find(conn: &mut Connection, caller: &Caller, id: &str) -> Result<NetworkInterface> {
    let parsed = parse(id)?;
    let found = match network_interface::get(conn, &parsed).await? {
        Some(own) => Some(own),
        None => {
            let instance = instance::get_by_interface(conn, &parsed).await?;
            let alive = instance.filter(|i| i.terminated_at.is_none());
            alive.as_ref().and_then(NetworkInterface::of)
        }
    };
    found
        .filter(|found| found.account == caller.account && found.region == caller.region)
        .ok_or_else(|| not_found(id))
}

/// The caller's interface that is attached under an id.
async fn attached_as(
    conn: &mut Connection,
    caller: &Caller,
    id: &InterfaceAttachmentId,
) -> Result<NetworkInterface> {
    let mut all = network_interface::list(conn, &caller.account, caller.region).await?;
    let instances = instance::list(conn, &caller.account, caller.region).await?;
    let alive = instances.iter().filter(|i| i.terminated_at.is_none());
    all.extend(alive.filter_map(NetworkInterface::of));
    let is_it = |i: &NetworkInterface| i.attachment.as_ref().is_some_and(|a| a.id == *id);
    all.into_iter().find(is_it).ok_or_else(|| {
        Error::new(
            ErrorKind::InterfaceAttachmentNotFound,
            format!("The interface attachment '{id}' does not exist."),
        )
    })
}

/// The address that a request asks for: in one place, and one only.
fn address(request: &CreateNetworkInterface) -> Result<Option<Ipv4Addr>> {
    let given = request.private_ip_address.iter();
    let listed = request
        .private_ip_addresses
        .iter()
        .filter_map(|(address, _)| address.as_ref());
    let all: Vec<&String> = given.chain(listed).filter(|a| !a.is_empty()).collect();
    if all.len() > 1 {
        return Err(Error::new(
            ErrorKind::UnsupportedOperation,
            "This server gives each network interface one private address.",
        ));
    }
    let parsed = all.first().map(|text| {
        let message = format!("Value ({text}) for parameter address is invalid.");
        text.parse()
            .map_err(|_| Error::new(ErrorKind::InvalidParameterValue, message))
    });
    parsed.transpose()
}

async fn free_address(
    tx: &mut WriteTx,
    subnet: &Subnet,
    asked: Option<Ipv4Addr>,
) -> Result<Ipv4Addr> {
    let cidr: Cidr = subnet.cidr_block.parse().map_err(Error::internal)?;
    let taken = network::taken_addresses(tx, &subnet.id).await?;
    let Some(address) = asked else {
        let free = cidr.first_free(&taken);
        return free.ok_or_else(crate::launch::no_address);
    };
    crate::launch::check_address(cidr, address, &taken)?;
    Ok(address)
}

/// The groups of these ids in the VPC of a subnet, or its default one.
async fn groups(
    conn: &mut Connection,
    caller: &Caller,
    subnet: &Subnet,
    ids: &[String],
) -> Result<Vec<(SecurityGroupId, String)>> {
    let mut all = security_group::list(conn, &caller.account, caller.region).await?;
    all.retain(|group| group.vpc_id == subnet.vpc_id);
    chosen_groups(&all, ids)
}

/// The groups of these ids, or the default one.
pub(crate) fn chosen_groups(
    all: &[SecurityGroup],
    ids: &[String],
) -> Result<Vec<(SecurityGroupId, String)>> {
    let mut chosen: Vec<(SecurityGroupId, String)> = Vec::new();
    for id in ids {
        describe::parse_id::<SecurityGroupId>(id, ErrorKind::SecurityGroupIdMalformed)?;
        let found = all.iter().find(|group| group.id.as_str() == id);
        let found = found.ok_or_else(|| group_not_found(id))?;
        if !chosen.iter().any(|(known, _)| *known == found.id) {
            chosen.push((found.id.clone(), found.name.clone()));
        }
    }
    if chosen.len() > GROUPS_MAX {
        return Err(Error::new(
            ErrorKind::SecurityGroupsPerInterfaceLimitExceeded,
            format!("A network interface can have {GROUPS_MAX} security groups."),
        ));
    }
    if chosen.is_empty() {
        let default = all
            .iter()
            .filter(|group| group.name == SecurityGroup::DEFAULT);
        chosen.extend(default.map(|group| (group.id.clone(), group.name.clone())));
    }
    Ok(chosen)
}

fn created(interface: NetworkInterface, request: &CreateNetworkInterface) -> CreatedInterface {
    CreatedInterface {
        interface,
        client_token: request.client_token.clone(),
    }
}

fn check_is_free(interface: &NetworkInterface) -> Result<()> {
    if interface.attachment.is_none() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::NetworkInterfaceInUse,
        format!("Interface: [{}] in use.", interface.id),
    ))
}

fn check_fits(interface: &NetworkInterface, instance: &Instance) -> Result<()> {
    if interface.availability_zone == instance.availability_zone
        && interface.vpc_id == instance.vpc_id
    {
        return Ok(());
    }
    let message = format!(
        "You may not attach the network interface '{}' to an instance in another Availability Zone or VPC.",
        interface.id
    );
    Err(Error::new(ErrorKind::InvalidParameterCombination, message))
}

fn check_is_stopped(instance: &Instance, what: &str) -> Result<()> {
    match instance.state {
        InstanceState::Stopped => Ok(()),
        InstanceState::Running => Err(Error::new(
            ErrorKind::UnsupportedOperation,
            format!(
                "This server has no network interface {what} while an instance runs: stop '{}' first.",
                instance.id
            ),
        )),
        _ => Err(Error::new(
            ErrorKind::IncorrectInstanceState,
            format!(
                "The instance '{}' is not in a state in which a network interface can be {what}.",
                instance.id
            ),
        )),
    }
}

async fn check_index(tx: &mut WriteTx, instance: &Instance, index: i32) -> Result<()> {
    let refuse = |message: String| Err(Error::new(ErrorKind::InvalidParameterValue, message));
    let others = network_interface::list_at(tx, &instance.id).await?;
    let is_at = |i: &NetworkInterface| {
        i.attachment
            .as_ref()
            .is_some_and(|a| a.device_index == index)
    };
    if index == 0 || others.iter().any(is_at) {
        return refuse(format!(
            "Instance '{}' already has an interface attached at device index '{index}'.",
            instance.id
        ));
    }
    if index < 0 {
        return refuse(format!(
            "Value ({index}) for parameter deviceIndex is invalid."
        ));
    }
    let most = InstanceType::named(&instance.instance_type).map_or(1, |t| t.network_interfaces);
    if others.len() + 1 < usize::try_from(most).unwrap_or(1) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::AttachmentLimitExceeded,
        format!(
            "Interface count {} exceeds the limit for {}",
            others.len() + 2,
            instance.instance_type
        ),
    ))
}

fn not_found(id: &str) -> Error {
    Error::new(
        ErrorKind::NetworkInterfaceNotFound,
        format!("The networkInterface ID '{id}' does not exist"),
    )
}
