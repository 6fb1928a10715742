//! Copies of images: to another region, another account, another key.
//!
//! A copy is `pending` until the copies of its snapshots are complete; the transaction that completes
//! the last of them makes it available, and one that fails has it fail. It is recorded together with
//! them and their jobs, so that a crash leaves all of it or nothing.

use std::collections::BTreeMap;

use cairn_model::{
    BlockDeviceMapping, DeregistrationProtection, Image, ImageId, ImageState, KmsKey, Permissions,
    ResourceType, RootDeviceType, Snapshot, SnapshotCopy, SnapshotId, SourceImage, Tags,
    TagsByType,
    image::life::ImageEvent,
    tag::{self, RESERVED_PREFIX},
};
use cairn_store::{Connection, WriteTx, snapshot as snapshots};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    copy::{NewCopy, check_duration, source_region},
    describe,
    image::{check_image_name, check_takes, find_usable, insert, location, refuse_taken_name},
    request::CopyImage,
    snapshot,
    token::Idempotency,
};

impl Control {
    /// Copies an image, and the snapshots that it is made of, into the caller's region and account.
    pub async fn copy_image(&self, caller: &Caller, request: CopyImage) -> Result<ImageId> {
        check_image_name(&request.name)?;
        snapshot::check_description(request.description.as_deref().unwrap_or_default())?;
        check_duration(request.completion_duration_minutes)?;
        let made = [ResourceType::Image, ResourceType::Snapshot];
        let tags = TagsByType::of(&request.tag_specifications, &made)?;
        let there = Caller {
            region: source_region(&request.source_region)?,
            ..caller.clone()
        };
        self.check_region(caller, there.region).await?;
        let token = request.client_token.as_deref();
        let idempotency = Idempotency::of(caller, "CopyImage", token, &request)?;
        let (known, source) = {
            let conn = &mut *self.store().read().await?;
            let known = idempotency.known(conn).await?;
            // Whatever has become of the source: the copy was made.
            let source = match known {
                Some(_) => None,
                None => Some(self.copy_source(conn, &there, &request).await?),
            };
            if source.is_some() {
                refuse_taken_name(conn, caller, &request.name).await?;
            }
            (known, source)
        };
        if let Some(id) = known {
            describe::refuse_dry_run(request.dry_run)?;
            return id.parse().map_err(Error::internal);
        }
        let source = source.ok_or_else(|| Error::internal("a copy of nothing"))?;
        let image_tags = copied_tags(caller, &request, &source.image, &tags)?;
        let keys = self.copy_keys(caller, &request, &source).await?;
        if !self.engine().has_room(caller.region).await? {
            return Err(Error::storage_full());
        }
        describe::refuse_dry_run(request.dry_run)?;

        let mut tx = self.store().write().await?;
        if let Some(id) = idempotency.known(&mut tx).await? {
            return id.parse().map_err(Error::internal);
        }
        // It may have been withdrawn, or made private, since.
        let source = self.copy_source(&mut tx, &there, &request).await?;
        let copying = Copying {
            id: ImageId::generate(self.entropy()),
            request: &request,
            source: &source,
            keys: &keys,
            snapshot_tags: tags.tags(ResourceType::Snapshot),
        };
        let copies = self.record_snapshots(&mut tx, caller, &copying).await?;
        let image = self.copied(caller, &copying, &copies, image_tags);
        insert(&mut tx, &image).await?;
        idempotency
            .record(&mut tx, image.id.as_str(), self.now())
            .await?;
        tx.commit().await?;
        self.wake_jobs();
        Ok(image.id)
    }

    /// The image that is to be copied, with its snapshots. Whoever may launch an image may have what
    /// it is made of.
    async fn copy_source(
        &self,
        conn: &mut Connection,
        there: &Caller,
        request: &CopyImage,
    ) -> Result<Source> {
        let image = find_usable(conn, there, &request.source_image_id, self.now()).await?;
        check_takes(&image, ImageEvent::Copy, "copied")?;
        if image.root_device_type == RootDeviceType::InstanceStore {
            let message = format!(
                "The image '{}' cannot be copied: its content is a bundle in S3, which this server does not have.",
                image.id
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let mut found = BTreeMap::new();
        for id in image.snapshot_ids() {
            let snapshot = snapshots::get_present(conn, id).await?;
            let snapshot = snapshot.ok_or_else(|| snapshot::not_found(id.as_str()))?;
            snapshot::check_readable(&snapshot)?;
            found.insert(id.clone(), snapshot);
        }
        Ok(Source {
            image,
            snapshots: found,
        })
    }

    /// What each copy of a snapshot is kept under.
    async fn copy_keys(
        &self,
        caller: &Caller,
        request: &CopyImage,
        source: &Source,
    ) -> Result<BTreeMap<SnapshotId, Option<KmsKey>>> {
        let named = request.kms_key_id.as_deref().filter(|key| !key.is_empty());
        let mut keys = BTreeMap::new();
        for (id, snapshot) in &source.snapshots {
            let wish = (request.encrypted, named);
            let key = self
                .copy_key(caller, snapshot, wish, request.dry_run)
                .await?;
            keys.insert(id.clone(), key);
        }
        Ok(keys)
    }

    async fn record_snapshots(
        &self,
        tx: &mut WriteTx,
        caller: &Caller,
        copying: &Copying<'_>,
    ) -> Result<BTreeMap<SnapshotId, Snapshot>> {
        let mut copies = BTreeMap::new();
        for (id, source) in &copying.source.snapshots {
            let new = copying.new_copy(SnapshotId::generate(self.entropy()), id)?;
            let copy = self.record_copy(tx, caller, source, new).await?;
            copies.insert(id.clone(), copy);
        }
        Ok(copies)
    }

    /// The image as it is recorded. What its owner did with the source is not copied.
    fn copied(
        &self,
        caller: &Caller,
        copying: &Copying<'_>,
        copies: &BTreeMap<SnapshotId, Snapshot>,
        tags: Tags,
    ) -> Image {
        let (source, name) = (&copying.source.image, &copying.request.name);
        let here = source.region == caller.region;
        let mappings = source.block_device_mappings.iter();
        Image {
            id: copying.id.clone(),
            account: caller.account.clone(),
            region: caller.region,
            name: name.clone(),
            description: copying
                .request
                .description
                .clone()
                .filter(|t| !t.is_empty()),
            location: location(&caller.account, name),
            block_device_mappings: mappings.map(|m| mapped(m, copies)).collect(),
            // They are of one region.
            kernel_id: source.kernel_id.clone().filter(|_| here),
            ramdisk_id: source.ramdisk_id.clone().filter(|_| here),
            state: ImageState::Pending,
            state_reason: None,
            creation_date: self.stamp(),
            source_instance_id: None,
            source_image: Some(SourceImage {
                id: source.id.clone(),
                region: source.region,
            }),
            last_launched_time: None,
            deprecation_time: None,
            deregistration_protection: DeregistrationProtection::Disabled,
            deregistered_at: None,
            recycled: None,
            launch_permissions: Permissions::default(),
            tags,
            ..source.clone()
        }
    }
}

/// An image with its snapshots.
#[derive(Clone, Debug)]
struct Source {
    image: Image,
    snapshots: BTreeMap<SnapshotId, Snapshot>,
}

/// A copy that is about to be recorded.
#[derive(Debug)]
struct Copying<'a> {
    id: ImageId,
    request: &'a CopyImage,
    source: &'a Source,
    keys: &'a BTreeMap<SnapshotId, Option<KmsKey>>,
    snapshot_tags: Tags,
}

impl Copying<'_> {
    /// The copy of a snapshot. An image that has become another one since its keys were looked up is
    /// not copied.
    fn new_copy(&self, id: SnapshotId, source: &SnapshotId) -> Result<NewCopy> {
        let key = self.keys.get(source).cloned();
        let key = key.ok_or_else(|| Error::internal("an image has changed its snapshots"))?;
        let description = format!(
            "Copied for DestinationAmi {} from SourceAmi {} for SourceSnapshot {source}.",
            self.id, self.source.image.id
        );
        Ok(NewCopy {
            id,
            description,
            tags: self.snapshot_tags.clone(),
            key,
            copy: SnapshotCopy {
                completion_duration_minutes: self.request.completion_duration_minutes,
            },
        })
    }
}

/// A mapping of the source with the copy in its place.
fn mapped(
    mapping: &BlockDeviceMapping,
    copies: &BTreeMap<SnapshotId, Snapshot>,
) -> BlockDeviceMapping {
    let mut mapping = mapping.clone();
    if let Some(ebs) = &mut mapping.ebs
        && let Some(copy) = ebs.snapshot_id.as_ref().and_then(|id| copies.get(id))
    {
        ebs.snapshot_id = Some(copy.id.clone());
        ebs.encrypted = Some(copy.encrypted);
    }
    mapping
}

/// The tags that are asked for, over those of the source if they are the caller's and wished for.
fn copied_tags(
    caller: &Caller,
    request: &CopyImage,
    source: &Image,
    asked: &TagsByType,
) -> Result<Tags> {
    let wished = request.copy_image_tags && source.account == caller.account;
    let mut tags = source.tags.clone();
    tags.retain(|key, _| wished && !key.starts_with(RESERVED_PREFIX));
    tag::put(&mut tags, &asked.tags(ResourceType::Image))?;
    Ok(tags)
}
