//! Tags of resources that exist.

use cairn_model::{
    Paged, ResourceType, Tags, ids,
    page::Bounds,
    tag::{self as rules, TagDescription, TagError},
};
use cairn_store::{
    WriteTx, instance,
    tag::{self, Tagged},
};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    describe::{self, Question},
    record,
    request::{ChangeTags, Describe},
};

/// The greatest number of resources in one call.
const RESOURCES_MAX: usize = 1000;

impl Control {
    /// Puts tags on resources, over those of the same keys. All of it, or nothing.
    pub async fn create_tags(&self, caller: &Caller, request: ChangeTags) -> Result<()> {
        if request.tags.is_empty() {
            return Err(Error::missing_parameter("tagSet"));
        }
        let pairs = request
            .tags
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_deref().unwrap_or_default()));
        let new = rules::checked(pairs)?;
        self.change_tags(caller, &request, |tags| rules::put(tags, &new))
            .await
    }

    /// Takes tags from resources: those of a key, or of a key and a value, or all.
    pub async fn delete_tags(&self, caller: &Caller, request: ChangeTags) -> Result<()> {
        for (key, _) in &request.tags {
            rules::check_key(key)?;
        }
        let goes = |key: &str, value: &str| match request.tags.as_slice() {
            [] => !key.starts_with(rules::RESERVED_PREFIX),
            some => some
                .iter()
                .any(|(k, v)| k == key && v.as_deref().is_none_or(|v| v == value)),
        };
        let take = |tags: &mut Tags| {
            tags.retain(|key, value| !goes(key, value));
            Ok(())
        };
        self.change_tags(caller, &request, take).await
    }

    /// The tags of all the caller's resources that pass the filters.
    pub async fn describe_tags(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Paged<TagDescription>> {
        let conn = &mut *self.store().read().await?;
        let tagged = tag::list(conn, &caller.account, caller.region).await?;
        let tags = tagged
            .iter()
            .flat_map(|t| TagDescription::all_of(&t.id, t.resource_type, &t.tags));
        Question {
            control: self,
            caller,
            operation: "DescribeTags",
            bounds: Bounds::USUAL,
            request: &request,
        }
        .answer(tags.collect(), |tag| {
            format!("{} {}", tag.resource_id, tag.key)
        })
    }

    async fn change_tags(
        &self,
        caller: &Caller,
        request: &ChangeTags,
        change: impl Fn(&mut Tags) -> Result<(), TagError> + Send + Sync,
    ) -> Result<()> {
        check_count(request.resources.len())?;
        let mut tx = self.store().write().await?;
        for id in &request.resources {
            let mut found = find(&mut tx, caller, id).await?;
            change(&mut found.tags)?;
            check_for_metadata(&mut tx, &found).await?;
            tag::set(&mut tx, found.resource_type, id, found.tags).await?;
            if found.resource_type == ResourceType::Snapshot {
                let id = describe::parse_id(id, ErrorKind::InvalidId)?;
                record::enqueue(self, &mut tx, found.region, &id).await?;
            }
        }
        describe::refuse_dry_run(request.dry_run)?;
        tx.commit().await?;
        self.wake_jobs();
        Ok(())
    }
}

/// An instance that shows its tags to its guest takes only those that can be shown.
async fn check_for_metadata(tx: &mut WriteTx, tagged: &Tagged) -> Result<()> {
    if tagged.resource_type != ResourceType::Instance {
        return Ok(());
    }
    let id = tagged.id.parse().map_err(Error::internal)?;
    let found = instance::get(tx, &id).await?;
    if found.is_some_and(|instance| instance.metadata_options.instance_metadata_tags) {
        rules::check_for_metadata(&tagged.tags)?;
    }
    Ok(())
}

fn check_count(resources: usize) -> Result<()> {
    match resources {
        0 => Err(Error::missing_parameter("resourceIdSet")),
        1..=RESOURCES_MAX => Ok(()),
        _ => {
            let message = format!("A call can change the tags of up to {RESOURCES_MAX} resources.");
            Err(Error::new(ErrorKind::InvalidParameterValue, message))
        }
    }
}

async fn find(tx: &mut WriteTx, caller: &Caller, id: &str) -> Result<Tagged> {
    let invalid = || Error::new(ErrorKind::InvalidId, format!("The ID '{id}' is not valid"));
    let resource_type = ResourceType::of_id(id)
        .filter(|_| ids::is_well_formed(id))
        .ok_or_else(invalid)?;
    let found = tag::get(tx, resource_type, id).await?;
    found
        .filter(|tagged| tagged.account == caller.account && tagged.region == caller.region)
        .ok_or_else(|| not_found(resource_type, id))
}

fn not_found(resource_type: ResourceType, id: &str) -> Error {
    let (kind, message) = match resource_type {
        ResourceType::Image => (
            ErrorKind::ImageNotFound,
            format!("The image id '[{id}]' does not exist"),
        ),
        ResourceType::ImageUsageReport => (
            ErrorKind::ImageUsageReportNotFound,
            format!("The image usage report '{id}' does not exist."),
        ),
        ResourceType::Instance => (
            ErrorKind::InstanceNotFound,
            format!("The instance ID '{id}' does not exist"),
        ),
        ResourceType::KeyPair => (
            ErrorKind::KeyPairNotFound,
            format!("The key pair ID '{id}' does not exist"),
        ),
        ResourceType::ReplaceRootVolumeTask => (
            ErrorKind::ReplaceRootTaskNotFound,
            format!("The replace root volume task ID '{id}' does not exist"),
        ),
        ResourceType::SecurityGroup => (
            ErrorKind::SecurityGroupNotFound,
            format!("The security group '{id}' does not exist"),
        ),
        ResourceType::Snapshot => (
            ErrorKind::SnapshotNotFound,
            format!("The snapshot '{id}' does not exist."),
        ),
        ResourceType::Subnet => (
            ErrorKind::SubnetNotFound,
            format!("The subnet ID '{id}' does not exist"),
        ),
        ResourceType::Volume => (
            ErrorKind::VolumeNotFound,
            format!("The volume '{id}' does not exist."),
        ),
        ResourceType::Vpc => (
            ErrorKind::VpcNotFound,
            format!("The vpc ID '{id}' does not exist"),
        ),
        ResourceType::NetworkInterface => (
            ErrorKind::NetworkInterfaceNotFound,
            format!("The networkInterface ID '{id}' does not exist"),
        ),
        ResourceType::DhcpOptions => (
            ErrorKind::DhcpOptionsNotFound,
            format!("The dhcpOption ID '{id}' does not exist"),
        ),
        ResourceType::InternetGateway => (
            ErrorKind::InternetGatewayNotFound,
            format!("The internetGateway ID '{id}' does not exist"),
        ),
        ResourceType::LaunchTemplate => (
            ErrorKind::LaunchTemplateIdNotFound,
            format!("The launchTemplate ID '{id}' does not exist"),
        ),
        ResourceType::NetworkAcl => (
            ErrorKind::NetworkAclNotFound,
            format!("The networkAcl ID '{id}' does not exist"),
        ),
        ResourceType::RouteTable => (
            ErrorKind::RouteTableNotFound,
            format!("The routeTable ID '{id}' does not exist"),
        ),
        ResourceType::SecurityGroupRule => (
            ErrorKind::SecurityGroupRuleNotFound,
            format!("The security group rule ID '{id}' does not exist"),
        ),
    };
    Error::new(kind, message)
}
