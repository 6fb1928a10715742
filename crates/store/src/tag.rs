//! The tags of every noun that has some, by id.
//!
//! Tags are part of their noun; here they are reached without knowing which noun it is. Network
//! interfaces are part of their instances.

use cairn_model::{
    AccountId, Instance, InstanceState, NetworkInterfaceId, Region, ResourceType, Tags,
    vpc_part::VpcPart,
};

use crate::{
    db::{Connection, WriteTx},
    error::Result,
    image, image_usage, instance, key_pair, launch_template, network, network_interface,
    replace_root, security_group, snapshot, volume, vpc_part,
};

/// A resource that carries tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub resource_type: ResourceType,
    /// Owner.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// Its tags.
    pub tags: Tags,
}

macro_rules! tagged {
    ($noun:expr, $resource_type:ident) => {
        $noun.map(|noun| Tagged {
            id: noun.id.to_string(),
            resource_type: ResourceType::$resource_type,
            account: noun.account,
            region: noun.region,
            tags: noun.tags,
        })
    };
}

/// The resource of a kind and id, whoever owns it. An id that is not one finds nothing.
pub async fn get(
    conn: &mut Connection,
    resource_type: ResourceType,
    id: &str,
) -> Result<Option<Tagged>> {
    macro_rules! by_id {
        ($get:path, $resource_type:ident) => {
            match id.parse() {
                Ok(id) => tagged!($get(conn, &id).await?, $resource_type),
                Err(_) => None,
            }
        };
    }
    Ok(match resource_type {
        ResourceType::Image => by_id!(image::get_registered, Image),
        ResourceType::ImageUsageReport => by_id!(image_usage::get, ImageUsageReport),
        ResourceType::Instance => by_id!(instance::get, Instance),
        ResourceType::KeyPair => by_id!(key_pair::get, KeyPair),
        ResourceType::ReplaceRootVolumeTask => {
            by_id!(replace_root::get, ReplaceRootVolumeTask)
        }
        ResourceType::SecurityGroup => by_id!(security_group::get, SecurityGroup),
        ResourceType::SecurityGroupRule => by_id!(security_group::get_rule, SecurityGroupRule),
        ResourceType::LaunchTemplate => by_id!(launch_template::get, LaunchTemplate),
        ResourceType::Snapshot => by_id!(snapshot::get_present, Snapshot),
        ResourceType::Subnet => by_id!(network::get_subnet, Subnet),
        ResourceType::Volume => by_id!(volume::get_present, Volume),
        ResourceType::Vpc => by_id!(network::get_vpc, Vpc),
        ResourceType::NetworkInterface => match id.parse() {
            Ok(id) => match instance::get_by_interface(conn, &id).await? {
                Some(instance) => interface_of(instance),
                None => tagged!(network_interface::get(conn, &id).await?, NetworkInterface),
            },
            Err(_) => None,
        },
        ResourceType::DhcpOptions
        | ResourceType::InternetGateway
        | ResourceType::NetworkAcl
        | ResourceType::RouteTable => vpc_part::get(conn, resource_type, id).await?.map(part),
    })
}

/// Replaces the tags of a resource. False: there is no such resource.
pub async fn set(
    tx: &mut WriteTx,
    resource_type: ResourceType,
    id: &str,
    tags: Tags,
) -> Result<bool> {
    macro_rules! by_id {
        ($update:path) => {
            match id.parse() {
                Ok(id) => $update(tx, &id, |noun| noun.tags = tags).await?.is_some(),
                Err(_) => false,
            }
        };
    }
    Ok(match resource_type {
        ResourceType::Image => by_id!(image::update),
        ResourceType::ImageUsageReport => by_id!(image_usage::update),
        ResourceType::Instance => by_id!(instance::update),
        ResourceType::KeyPair => by_id!(key_pair::update),
        ResourceType::ReplaceRootVolumeTask => by_id!(replace_root::update),
        ResourceType::SecurityGroup => by_id!(security_group::update),
        ResourceType::SecurityGroupRule => by_id!(security_group::update_rule),
        ResourceType::LaunchTemplate => by_id!(launch_template::update),
        ResourceType::Snapshot => by_id!(snapshot::update),
        ResourceType::Subnet => by_id!(network::update_subnet),
        ResourceType::Volume => by_id!(volume::update),
        ResourceType::Vpc => by_id!(network::update_vpc),
        ResourceType::NetworkInterface => match id.parse() {
            Ok(id) => set_of_interface(tx, &id, tags).await?,
            Err(_) => false,
        },
        ResourceType::DhcpOptions
        | ResourceType::InternetGateway
        | ResourceType::NetworkAcl
        | ResourceType::RouteTable => vpc_part::update(tx, id, |part| part.tags = tags)
            .await?
            .is_some(),
    })
}

fn part(part: VpcPart) -> Tagged {
    Tagged {
        id: part.id,
        resource_type: part.kind,
        account: part.account,
        region: part.region,
        tags: part.tags,
    }
}

/// The network interface of an instance: it goes with it.
fn interface_of(instance: Instance) -> Option<Tagged> {
    (instance.state != InstanceState::Terminated).then(|| Tagged {
        id: instance.network_interface_id.to_string(),
        resource_type: ResourceType::NetworkInterface,
        account: instance.account,
        region: instance.region,
        tags: instance.network_interface_tags,
    })
}

async fn set_of_interface(
    tx: &mut WriteTx,
    interface: &NetworkInterfaceId,
    tags: Tags,
) -> Result<bool> {
    let Some(found) = instance::get_by_interface(tx, interface).await? else {
        let changed = network_interface::update(tx, interface, |i| i.tags = tags).await?;
        return Ok(changed.is_some());
    };
    let changed = instance::update(tx, &found.id, |i| i.network_interface_tags = tags).await?;
    Ok(changed.is_some())
}

/// All resources of an account in a region that can carry tags.
pub async fn list(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<Tagged>> {
    let mut all = Vec::new();
    macro_rules! append {
        ($($list:path, $resource_type:ident;)*) => {$(
            let nouns = $list(conn, account, region).await?.into_iter();
            all.extend(tagged!(nouns, $resource_type));
        )*};
    }
    let instances = instance::list(conn, account, region).await?;
    all.extend(instances.iter().cloned().filter_map(interface_of));
    all.extend(tagged!(instances.into_iter(), Instance));
    append! {
        image::list_registered, Image;
        image_usage::list, ImageUsageReport;
        key_pair::list, KeyPair;
        replace_root::list, ReplaceRootVolumeTask;
        launch_template::list, LaunchTemplate;
        network_interface::list, NetworkInterface;
        security_group::list, SecurityGroup;
        security_group::list_rules, SecurityGroupRule;
        snapshot::list, Snapshot;
        network::list_subnets, Subnet;
        volume::list, Volume;
        network::list_vpcs, Vpc;
    }
    let parts = vpc_part::list(conn, account, region).await?;
    all.extend(parts.into_iter().map(part));
    Ok(all)
}
