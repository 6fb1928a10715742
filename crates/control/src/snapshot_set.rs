//! Snapshots of all volumes of an instance, taken at one moment.

use std::collections::BTreeSet;

use cairn_model::{
    AttachmentState, Instance, InstanceState, ResourceType, Snapshot, SnapshotId, Tags, Volume,
    VolumeId, instance::InstanceBlockDevice, tag as rules, tag::TagsByType,
};
use cairn_store::{Connection, volume};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    describe::{parse_id, refuse_dry_run},
    request::CreateSnapshots,
    snapshot::{NewSnapshot, check_description, check_snapshotable},
};

impl Control {
    /// Takes a snapshot of each volume that is attached to an instance and not left out. What is in one
    /// was written before whatever is not in another.
    pub async fn create_snapshots(
        &self,
        caller: &Caller,
        request: CreateSnapshots,
    ) -> Result<Vec<Snapshot>> {
        let tags = TagsByType::of(&request.tag_specifications, &[ResourceType::Snapshot])?;
        let tags = tags.tags(ResourceType::Snapshot);
        let description = request.description.clone().unwrap_or_default();
        check_description(&description)?;
        let copies_tags = check_tag_source(request.copy_tags_from_source.as_deref())?;
        let volumes = self.volumes_of(caller, &request).await?;
        let mut new = Vec::with_capacity(volumes.len());
        for volume in volumes {
            check_snapshotable(&volume)?;
            self.check_key(volume.kms_key_id.as_deref()).await?;
            let tags = match copies_tags {
                true => merged(&volume.tags, &tags)?,
                false => tags.clone(),
            };
            new.push(NewSnapshot {
                id: SnapshotId::generate(self.entropy()),
                volume,
                description: description.clone(),
                tags,
            });
        }
        if !self.engine().has_room(caller.region).await? {
            return Err(Error::storage_full());
        }
        refuse_dry_run(request.dry_run)?;
        let frozen = self.freeze_volumes(new).await?;
        let mut tx = self.store().write().await?;
        frozen.record(&mut tx).await?;
        tx.commit().await?;
        Ok(frozen.keep())
    }

    async fn volumes_of(&self, caller: &Caller, request: &CreateSnapshots) -> Result<Vec<Volume>> {
        let mut read = self.store().read().await?;
        let instance = self
            .find_instance(&mut read, caller, &request.instance_id)
            .await?;
        check_instance(&instance)?;
        let mut volumes = Vec::new();
        for device in wanted(&instance, request)? {
            volumes.push(get(&mut read, &device.volume_id).await?);
        }
        Ok(volumes)
    }
}

async fn get(conn: &mut Connection, id: &VolumeId) -> Result<Volume> {
    let found = volume::get(conn, id).await?;
    found.ok_or_else(|| Error::internal(format!("attached volume {id} is not there")))
}

fn check_instance(instance: &Instance) -> Result<()> {
    if matches!(
        instance.state,
        InstanceState::Running | InstanceState::Stopped | InstanceState::Stopping
    ) {
        return Ok(());
    }
    let text = format!(
        "The instance '{}' is '{}': no snapshots can be taken of its volumes.",
        instance.id, instance.state
    );
    Err(Error::new(ErrorKind::IncorrectInstanceState, text))
}

/// The attached volumes that the request does not leave out.
fn wanted<'a>(
    instance: &'a Instance,
    request: &CreateSnapshots,
) -> Result<Vec<&'a InstanceBlockDevice>> {
    let attached = |device: &&InstanceBlockDevice| device.state == AttachmentState::Attached;
    let attached: Vec<_> = instance.block_devices.iter().filter(attached).collect();
    let root = instance.root_volume().map(|device| &device.volume_id);
    let excluded = excluded(request, &attached, root)?;
    let is_wanted = |device: &&InstanceBlockDevice| match Some(&device.volume_id) == root {
        true => !request.exclude_boot_volume,
        false => !excluded.contains(&device.volume_id),
    };
    let wanted: Vec<_> = attached.into_iter().filter(is_wanted).collect();
    match wanted.is_empty() {
        true => Err(invalid(
            "No volumes are left of which snapshots could be taken.".to_owned(),
        )),
        false => Ok(wanted),
    }
}

/// The volumes that are left out, which have to be there, and none of them the boot volume.
fn excluded(
    request: &CreateSnapshots,
    attached: &[&InstanceBlockDevice],
    root: Option<&VolumeId>,
) -> Result<BTreeSet<VolumeId>> {
    let mut excluded = BTreeSet::new();
    for id in &request.exclude_data_volume_ids {
        let parsed: VolumeId = parse_id(id, ErrorKind::VolumeIdMalformed)?;
        if Some(&parsed) == root {
            return Err(invalid(format!(
                "The volume '{id}' is the boot volume: leave it out with ExcludeBootVolume."
            )));
        }
        if !attached.iter().any(|device| device.volume_id == parsed) {
            return Err(invalid(format!(
                "The volume '{id}' is not attached to the instance."
            )));
        }
        excluded.insert(parsed);
    }
    Ok(excluded)
}

fn check_tag_source(source: Option<&str>) -> Result<bool> {
    match source {
        None => Ok(false),
        Some("volume") => Ok(true),
        Some(other) => Err(invalid(format!(
            "Value ({other}) for parameter copyTagsFromSource is invalid. It is volume."
        ))),
    }
}

/// The tags of the volume, and over them those of the request. Tags that AWS sets are not copied.
fn merged(volume: &Tags, requested: &Tags) -> Result<Tags> {
    let own = volume
        .iter()
        .filter(|(key, _)| !key.starts_with(rules::RESERVED_PREFIX));
    let mut tags: Tags = own.map(|(k, v)| (k.clone(), v.clone())).collect();
    rules::put(&mut tags, requested)?;
    Ok(tags)
}

fn invalid(text: String) -> Error {
    Error::new(ErrorKind::InvalidParameterValue, text)
}
