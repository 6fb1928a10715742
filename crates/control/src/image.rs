//! Images: registering them from snapshots, making them of instances, describing them.
//!
//! An image that is made of an instance is `pending` until all its snapshots are complete; the
//! transaction that completes the last of them makes it available.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cairn_model::{
    Architecture, AttachmentState, BlockDeviceMapping, BootMode, DeregistrationProtection,
    EbsBlockDevice, Faceted as _, Image, ImageId, ImageState, ImageType, Instance, InstanceId,
    InstanceState, Paged, Permissions, ResourceType, RootDeviceType, SeenImage, SnapshotId,
    SnapshotState, SourceImage, Tags, TagsByType, Timestamp, Viewer, VirtualizationType, Volume,
    VolumeType,
    block_device::{self, same_device},
    ids::AccountId,
    image::allowed::AllowedImages,
    image::{check_name, life::ImageEvent},
    instance::InstanceBlockDevice,
    page::Bounds,
    volume_shape::VolumeShape,
};
use cairn_store::{
    Connection, Constraint, WriteTx, image, snapshot as snapshots, volume as volume_rows,
};
use serde::{Deserialize, Serialize};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::{Deregistered, ImageAttribute, ImageAttributeValue},
    describe::{self, OWNER_ALIASES, Question, Users},
    image_life::check_unprotected,
    image_settings::allowed_images,
    instance::{give_up_restart, in_state, shut_down, start_again},
    jobs::{self, Failure, Job, Next},
    lock, mapping,
    request::{CreateImage, DeregisterImage, DescribeAttribute, DescribeImages, RegisterImage},
    snapshot::{self, NewSnapshot},
    volume as volumes,
};

/// What MaxResults of DescribeImages may be.
const PAGE: Bounds = Bounds { min: 1, max: 1000 };

/// The root device of a registration that names none.
const DEFAULT_ROOT: &str = "/dev/sda1";

impl Control {
    /// Registers an image of snapshots.
    pub async fn register_image(&self, caller: &Caller, request: RegisterImage) -> Result<ImageId> {
        let traits = Traits::read(&request)?;
        check_image_name(&request.name)?;
        snapshot::check_description(request.description.as_deref().unwrap_or_default())?;
        let mappings = mapping::read(&request.block_device_mappings)?;
        let tags = TagsByType::of(&request.tag_specifications, &[ResourceType::Image])?;
        let root = request
            .root_device_name
            .clone()
            .filter(|name| !name.is_empty());
        let root = root.unwrap_or_else(|| DEFAULT_ROOT.to_owned());

        let mut tx = self.store().write().await?;
        let mappings = match traits.root_device_type {
            RootDeviceType::Ebs => registered_mappings(&mut tx, caller, mappings, &root).await?,
            RootDeviceType::InstanceStore => bundled_mappings(mappings)?,
        };
        self.check_parts(&mut tx, caller, &request, &traits).await?;
        refuse_taken_name(&mut tx, caller, &request.name).await?;
        describe::refuse_dry_run(request.dry_run)?;
        let machine = traits.image_type == ImageType::Machine;
        let image = Image {
            id: ImageId::generate_of(traits.image_type, self.entropy()),
            account: caller.account.clone(),
            region: caller.region,
            location: named(request.image_location)
                .unwrap_or_else(|| location(&caller.account, &request.name)),
            name: request.name,
            description: request.description.filter(|text| !text.is_empty()),
            architecture: traits.architecture,
            virtualization_type: traits.virtualization_type,
            root_device_name: Some(root).filter(|_| machine),
            block_device_mappings: mappings,
            boot_mode: traits.boot_mode,
            ena_support: request.ena_support.unwrap_or(false),
            sriov_net_support: named(request.sriov_net_support),
            tpm_support: named(request.tpm_support),
            imds_support: named(request.imds_support),
            uefi_data: named(request.uefi_data),
            kernel_id: named(request.kernel_id).filter(|_| machine),
            ramdisk_id: named(request.ramdisk_id).filter(|_| machine),
            state: ImageState::Available,
            state_reason: None,
            image_type: traits.image_type,
            root_device_type: traits.root_device_type,
            creation_date: self.stamp(),
            source_instance_id: None,
            source_image: None,
            last_launched_time: None,
            deprecation_time: None,
            deregistration_protection: DeregistrationProtection::Disabled,
            deregistered_at: None,
            recycled: None,
            launch_permissions: Permissions::default(),
            tags: tags.tags(ResourceType::Image),
        };
        insert(&mut tx, &image).await?;
        tx.commit().await?;
        Ok(image.id)
    }

    /// Makes an image of an instance: snapshots of all its volumes, taken at one moment. A running
    /// guest is shut down for it and started again, unless `no_reboot` asks for what is on the
    /// disks as it is.
    pub async fn create_image(&self, caller: &Caller, request: CreateImage) -> Result<ImageId> {
        check_image_name(&request.name)?;
        snapshot::check_description(request.description.as_deref().unwrap_or_default())?;
        let changes = mapping::read(&request.block_device_mappings)?;
        let tags = TagsByType::of(
            &request.tag_specifications,
            &[ResourceType::Image, ResourceType::Snapshot],
        )?;
        let has_room = self.engine().has_room(caller.region).await?;
        let (image, job) = {
            let conn = &mut *self.store().read().await?;
            let instance = self
                .find_instance(conn, caller, &request.instance_id)
                .await?;
            check_can_be_imaged(&instance)?;
            check_root_is_attached(&instance)?;
            refuse_taken_name(conn, caller, &request.name).await?;
            let image = self.image_of(conn, &instance, &request, &tags).await?;
            let job = CreateImageJob {
                image: image.id.clone(),
                instance: instance.id.clone(),
                added: added(conn, caller, &instance, &changes).await?,
                devices: self.devices_to_snapshot(&instance, &changes),
                snapshot_tags: tags.tags(ResourceType::Snapshot),
            };
            if !has_room {
                return Err(Error::storage_full());
            }
            describe::refuse_dry_run(request.dry_run)?;
            let reboot = !request.no_reboot && instance.state == InstanceState::Running;
            (image, (job, reboot))
        };
        match job {
            (job, true) => self.create_image_later(&image, &job).await?,
            (job, false) => self.create_image_now(&image, &job).await?,
        }
        Ok(image.id)
    }

    /// The images of these ids, or all that the caller may see, that pass the filters; oldest first: its
    /// own, those that it was let in to, and public ones.
    pub async fn describe_images(
        &self,
        caller: &Caller,
        request: DescribeImages,
    ) -> Result<Paged<SeenImage>> {
        for id in &request.common.ids {
            describe::parse_id::<ImageId>(id, ErrorKind::ImageIdMalformed)?;
        }
        let owners = describe::accounts(caller, &request.owners, OWNER_ALIASES)?;
        let users = Users::read(caller, &request.executable_users)?;
        let question = Question {
            control: self,
            caller,
            operation: "DescribeImages",
            bounds: PAGE,
            request: &request.common,
        };
        let sight = |settings| Sight {
            viewer: caller.viewer(),
            settings,
            now: self.now(),
        };
        let is_wanted = |seen: &SeenImage| {
            let image = &seen.image;
            let mut owners = owners.iter();
            owners.all(|owners| owners.contains(&image.account))
                && users.may_use(&image.launch_permissions)
                && self.is_wanted(caller, &request, image)
        };
        let ids = &request.common.ids;
        if ids.is_empty() {
            let conn = &mut *self.store().read().await?;
            let sight = sight(allowed_images(conn, caller).await?);
            let see = |image| sight.see(image).filter(is_wanted);
            let owned = describe::owned_by(owners.as_ref());
            return question.look_up(conn, owned, see).await;
        }
        let conn = &mut *self.store().read_once().await?;
        let found = image::get_all(conn, ids).await?.into_iter();
        let sight = sight(allowed_images(conn, caller).await?);
        let here = found.filter(|image| image.region == caller.region);
        let mut found: Vec<_> = here.filter_map(|image| sight.see(image)).collect();
        refuse_unknown(&found, ids)?;
        found.retain(is_wanted);
        question.answer(found, |seen| seen.image.page_key().to_string())
    }

    /// Whether an image is to be shown, as far as its life goes. Deprecated ones of others are shown to
    /// who asks for such, or knows the id.
    fn is_wanted(&self, caller: &Caller, request: &DescribeImages, image: &Image) -> bool {
        let hidden = image.account != caller.account
            && !request.include_deprecated
            && request.common.ids.is_empty()
            && image.is_deprecated(self.now());
        let disabled = image.state == ImageState::Disabled && !request.include_disabled;
        image.deregistered_at.is_none() && !hidden && !disabled
    }

    /// One attribute of an image.
    pub async fn describe_image_attribute(
        &self,
        caller: &Caller,
        request: DescribeAttribute,
    ) -> Result<ImageAttribute> {
        let image = find(
            &mut *self.store().read().await?,
            caller,
            &request.id,
            self.now(),
        )
        .await?;
        let value = attribute(&image, &request.attribute)?;
        describe::refuse_dry_run(request.dry_run)?;
        Ok(ImageAttribute {
            image_id: image.id,
            value,
        })
    }

    /// Withdraws an image. Its snapshots stay, unless they are to go too and nothing else needs
    /// them; instances that were launched from it go on.
    pub async fn deregister_image(
        &self,
        caller: &Caller,
        request: DeregisterImage,
    ) -> Result<Deregistered> {
        let mut tx = self.store().write().await?;
        let image = find(&mut tx, caller, &request.image_id, self.now()).await?;
        check_unprotected(&image, self.now())?;
        let state = check_takes(&image, ImageEvent::Deregister, "deregistered")?;
        describe::refuse_dry_run(request.dry_run)?;
        self.withdraw(&mut tx, &image, state).await?;
        let mut results = Vec::new();
        // A snapshot may be at two devices.
        let snapshots: BTreeSet<_> = image.snapshot_ids().cloned().collect();
        for id in snapshots
            .iter()
            .filter(|_| request.delete_associated_snapshots)
        {
            let result = self.delete_with_image(&mut tx, id).await?;
            results.push((id.clone(), result.to_owned()));
        }
        tx.commit().await?;
        self.wake_jobs();
        Ok(Deregistered {
            delete_snapshot_results: results,
        })
    }

    /// Refuses a kernel or RAM disk that is not there for the caller, or is none.
    async fn check_parts(
        &self,
        conn: &mut Connection,
        caller: &Caller,
        request: &RegisterImage,
        traits: &Traits,
    ) -> Result<()> {
        for (id, image_type) in parts(request) {
            let part = find_usable(conn, caller, id, self.now()).await?;
            if part.image_type != image_type || traits.image_type != ImageType::Machine {
                let message = format!(
                    "The image '{id}' is that of a {}, and a {image_type} of a machine image is asked for.",
                    part.image_type
                );
                return Err(Error::new(ErrorKind::InvalidParameterValue, message));
            }
        }
        Ok(())
    }

    /// Deletes a snapshot of an image that was withdrawn, and says how that went, as EC2 does.
    async fn delete_with_image(&self, tx: &mut WriteTx, id: &SnapshotId) -> Result<&'static str> {
        let Some(snapshot) = snapshots::get(tx, id).await? else {
            return Ok("success");
        };
        if !snapshots::images_of(tx, id).await?.is_empty() {
            return Ok("skipped");
        }
        if lock::is_locked(&snapshot, self.now()) {
            return Ok("client-error");
        }
        self.discard(tx, &snapshot).await?;
        Ok("success")
    }

    /// The image as it is recorded before its snapshots are taken.
    async fn image_of(
        &self,
        conn: &mut Connection,
        instance: &Instance,
        request: &CreateImage,
        tags: &TagsByType,
    ) -> Result<Image> {
        let source = image::get(conn, &instance.image_id).await?;
        Ok(Image {
            id: ImageId::generate(self.entropy()),
            account: instance.account.clone(),
            region: instance.region,
            name: request.name.clone(),
            description: request.description.clone().filter(|text| !text.is_empty()),
            architecture: instance.architecture,
            virtualization_type: VirtualizationType::Hvm,
            root_device_name: instance.root_device_name.clone(),
            block_device_mappings: Vec::new(),
            boot_mode: source.as_ref().and_then(|source| source.boot_mode),
            ena_support: instance.ena_support,
            sriov_net_support: source
                .as_ref()
                .and_then(|source| source.sriov_net_support.clone()),
            tpm_support: source
                .as_ref()
                .and_then(|source| source.tpm_support.clone()),
            imds_support: source
                .as_ref()
                .and_then(|source| source.imds_support.clone()),
            uefi_data: None,
            kernel_id: None,
            ramdisk_id: None,
            location: location(&instance.account, &request.name),
            state: ImageState::Pending,
            state_reason: None,
            image_type: ImageType::Machine,
            root_device_type: RootDeviceType::Ebs,
            creation_date: self.stamp(),
            source_instance_id: Some(instance.id.clone()),
            source_image: Some(SourceImage {
                id: instance.image_id.clone(),
                region: instance.region,
            }),
            last_launched_time: None,
            deprecation_time: None,
            deregistration_protection: DeregistrationProtection::Disabled,
            deregistered_at: None,
            recycled: None,
            launch_permissions: Permissions::default(),
            tags: tags.tags(ResourceType::Image),
        })
    }

    /// The attached volumes that the request does not leave out, with the snapshots to be taken.
    fn devices_to_snapshot(
        &self,
        instance: &Instance,
        changes: &[BlockDeviceMapping],
    ) -> Vec<Device> {
        let attached = instance
            .block_devices
            .iter()
            .filter(|d| d.state == AttachmentState::Attached);
        let wanted = attached.filter_map(|device| {
            let change = change_of(changes, &device.device_name);
            (!change.is_some_and(|change| change.no_device)).then(|| Device {
                device: device.clone(),
                snapshot: SnapshotId::generate(self.entropy()),
                delete_on_termination: change
                    .and_then(|change| change.ebs.as_ref()?.delete_on_termination)
                    .unwrap_or(device.delete_on_termination),
            })
        });
        wanted.collect()
    }

    async fn create_image_later(&self, image: &Image, job: &CreateImageJob) -> Result<()> {
        let mut tx = self.store().write().await?;
        insert(&mut tx, image).await?;
        jobs::enqueue(&mut tx, job, self.now()).await?;
        tx.commit().await?;
        self.wake_jobs();
        Ok(())
    }

    async fn create_image_now(&self, image: &Image, job: &CreateImageJob) -> Result<()> {
        let (new, mappings) = job.plan(self).await?;
        let frozen = self.freeze_volumes(new).await?;
        let mut tx = self.store().write().await?;
        frozen.record(&mut tx).await?;
        let image = Image {
            block_device_mappings: mappings,
            ..image.clone()
        };
        insert(&mut tx, &image).await?;
        tx.commit().await?;
        frozen.keep();
        Ok(())
    }
}

/// Which images an account sees: its own, deregistered ones that are still known among those, and what it was let in
/// to. Others that its settings do not allow are not there for it.
struct Sight {
    viewer: Viewer,
    settings: AllowedImages,
    now: Timestamp,
}

impl Sight {
    fn see(&self, image: Image) -> Option<SeenImage> {
        let (account, now) = (&self.viewer.account, self.now);
        // Others do not know of a deregistered one.
        let is_shared =
            image.deregistered_at.is_none() && image.launch_permissions.let_in(&self.viewer);
        let is_there = image.is_known(now)
            && (image.account == *account || is_shared)
            && self.settings.let_use(&image, account, now);
        is_there.then(|| SeenImage {
            allowed: self.settings.judge(&image, account, now),
            image,
        })
    }
}

/// The image of an id that the caller may launch or copy: its own, one that it was let in to, or a
/// public one, if its settings allow it.
pub(crate) async fn find_usable(
    conn: &mut Connection,
    caller: &Caller,
    id: &str,
    now: Timestamp,
) -> Result<Image> {
    let image = find_seen(conn, caller, id, now).await?;
    let settings = allowed_images(conn, caller).await?;
    match settings.let_use(&image, &caller.account, now) {
        true => Ok(image),
        false => Err(Error::new(
            ErrorKind::ImageNotFound,
            format!(
                "The image id '[{id}]' does not exist: the Allowed AMIs settings of account {} do not allow it",
                caller.account
            ),
        )),
    }
}

/// The image of an id that instances can be launched from.
pub(crate) async fn launchable(
    conn: &mut Connection,
    caller: &Caller,
    id: &str,
    now: Timestamp,
) -> Result<Image> {
    let image = find_usable(conn, caller, id, now).await?;
    check_takes(&image, ImageEvent::Launch, "launched")?;
    if image.image_type != ImageType::Machine {
        let message = format!(
            "The image ID '{id}' is that of a {}, and cannot be launched by itself.",
            image.image_type
        );
        return Err(Error::new(ErrorKind::InvalidParameterValue, message));
    }
    match image.root_device_type {
        RootDeviceType::Ebs => Ok(image),
        RootDeviceType::InstanceStore => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "The image '{id}' is backed by instance store: its content is a bundle in S3, which this server does not have. It launches images backed by EBS only."
            ),
        )),
    }
}

/// The image of an id that the caller may see: its own, one that it was let in to, or a public one.
pub(crate) async fn find_seen(
    conn: &mut Connection,
    caller: &Caller,
    id: &str,
    now: Timestamp,
) -> Result<Image> {
    let image = find_here(conn, caller, id).await?;
    match image.account == caller.account || image.launch_permissions.let_in(&caller.viewer()) {
        true => registered(image, id, now),
        false => Err(not_found(id)),
    }
}

/// The caller's own image of an id. A deregistered one is unavailable as long as it is known.
pub(crate) async fn find(
    conn: &mut Connection,
    caller: &Caller,
    id: &str,
    now: Timestamp,
) -> Result<Image> {
    let image = find_here(conn, caller, id).await?;
    let is_own = image.account == caller.account;
    match is_own || image.launch_permissions.let_in(&caller.viewer()) {
        true if is_own => registered(image, id, now),
        true => {
            let message = format!("Not authorized for image:{id}");
            Err(Error::new(ErrorKind::ImageNotAuthorized, message))
        }
        false => Err(not_found(id)),
    }
}

/// The image of an id in the caller's region, whoever owns it.
async fn find_here(conn: &mut Connection, caller: &Caller, id: &str) -> Result<Image> {
    let parsed = describe::parse_id(id, ErrorKind::ImageIdMalformed)?;
    let found = image::get(conn, &parsed).await?;
    found
        .filter(|image| image.region == caller.region)
        .ok_or_else(|| not_found(id))
}

/// Some images are remembered for longer than they are known: what comes from them is still there.
fn registered(image: Image, id: &str, now: Timestamp) -> Result<Image> {
    if image.deregistered_at.is_none() {
        return Ok(image);
    }
    match image.is_known(now) {
        true => {
            let message = format!("The image ID '{id}' is no longer available");
            Err(Error::new(ErrorKind::ImageUnavailable, message))
        }
        false => Err(not_found(id)),
    }
}

/// The state that an event leads to, or the refusal of what cannot be; `what` is a participle.
pub(crate) fn check_takes(image: &Image, event: ImageEvent, what: &str) -> Result<ImageState> {
    image.state.after(event).ok_or_else(|| {
        let message = format!(
            "The image ID '{}' is not available: it is {}, and cannot be {what}.",
            image.id, image.state
        );
        Error::new(ErrorKind::ImageUnavailable, message)
    })
}

/// A snapshot is complete, or has failed: so are the images that waited for it alone, in the same
/// transaction.
pub(crate) async fn settle(tx: &mut WriteTx, id: &SnapshotId) -> Result<()> {
    for image_id in snapshots::images_of(tx, id).await? {
        let Some(found) = image::get(tx, &image_id).await? else {
            continue;
        };
        // Of one that was settled before, nothing that its snapshots do is told any more.
        let Some((event, reason)) = settled(tx, &found).await? else {
            continue;
        };
        if let Some(state) = found.state.after(event) {
            image::update(tx, &image_id, |image| {
                image.state = state;
                image.state_reason = reason;
            })
            .await?;
        }
    }
    Ok(())
}

/// What becomes of an image, once its snapshots tell.
async fn settled(tx: &mut WriteTx, image: &Image) -> Result<Option<(ImageEvent, Option<String>)>> {
    let mut all_complete = true;
    for id in image.snapshot_ids() {
        match snapshots::get(tx, id)
            .await?
            .map(|snapshot| (snapshot.state, snapshot.state_message))
        {
            Some((SnapshotState::Completed, _)) => {}
            Some((SnapshotState::Pending, _)) => all_complete = false,
            Some((SnapshotState::Error, message)) => {
                let reason = format!("Snapshot {id} failed: {}", message.unwrap_or_default());
                return Ok(Some((ImageEvent::Fail, Some(reason))));
            }
            None => {
                return Ok(Some((
                    ImageEvent::Fail,
                    Some(format!("Snapshot {id} was deleted")),
                )));
            }
        }
    }
    Ok(all_complete.then_some((ImageEvent::Complete, None)))
}

pub(crate) async fn insert(tx: &mut WriteTx, image: &Image) -> Result<()> {
    match image::insert(tx, image).await {
        Err(cairn_store::Error::Constraint(Constraint::ImageName)) => {
            let taken = image::get_named(tx, &image.account, image.region, &image.name).await?;
            Err(taken_name(&image.name, taken.as_ref()))
        }
        other => Ok(other?),
    }
}

pub(crate) async fn refuse_taken_name(
    conn: &mut Connection,
    caller: &Caller,
    name: &str,
) -> Result<()> {
    match image::get_named(conn, &caller.account, caller.region, name).await? {
        Some(taken) => Err(taken_name(name, Some(&taken))),
        None => Ok(()),
    }
}

fn taken_name(name: &str, by: Option<&Image>) -> Error {
    let by = by.map_or_else(|| "another one".to_owned(), |image| image.id.to_string());
    Error::new(
        ErrorKind::ImageNameDuplicate,
        format!("AMI name {name} is already in use by AMI {by}"),
    )
}

pub(crate) fn check_image_name(name: &str) -> Result<()> {
    if name.is_empty() {
        let message = "The request must contain the parameter name";
        return Err(Error::new(ErrorKind::MissingParameter, message));
    }
    check_name(name).map_err(|error| Error::new(ErrorKind::ImageNameMalformed, error))
}

pub(crate) fn location(account: &AccountId, name: &str) -> String {
    format!("{account}/{name}")
}

/// A text parameter, where an empty one is none.
fn named(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// What a registration says about the machine that the image is for.
struct Traits {
    architecture: Architecture,
    virtualization_type: VirtualizationType,
    boot_mode: Option<BootMode>,
    image_type: ImageType,
    root_device_type: RootDeviceType,
}

impl Traits {
    fn read(request: &RegisterImage) -> Result<Self> {
        let traits = Self {
            architecture: spelled("architecture", &request.architecture, Architecture::ALL)?
                .unwrap_or(Architecture::I386),
            virtualization_type: spelled(
                "virtualizationType",
                &request.virtualization_type,
                VirtualizationType::ALL,
            )?
            .unwrap_or(VirtualizationType::Paravirtual),
            boot_mode: spelled("bootMode", &request.boot_mode, BootMode::ALL)?,
            image_type: image_type(request)?,
            root_device_type: root_device_type(request)?,
        };
        traits.check_virtualization(request)?;
        traits.check_firmware(request)?;
        only("sriovNetSupport", &request.sriov_net_support, "simple")?;
        only("imdsSupport", &request.imds_support, "v2.0")?;
        Ok(traits)
    }

    fn check_virtualization(&self, request: &RegisterImage) -> Result<()> {
        let hvm = self.virtualization_type == VirtualizationType::Hvm;
        let machine = self.image_type == ImageType::Machine;
        if hvm && machine && parts(request).next().is_some() {
            return refuse_combination(
                "You cannot specify a kernel or RAM disk with virtualization type 'hvm'.",
            );
        }
        if !hvm && request.ena_support == Some(true) {
            return refuse_combination(
                "The parameter enaSupport requires virtualization type 'hvm'.",
            );
        }
        let uefi = matches!(
            self.boot_mode,
            Some(BootMode::Uefi | BootMode::UefiPreferred)
        );
        if !hvm && uefi {
            return refuse_combination(
                "The boot modes 'uefi' and 'uefi-preferred' require virtualization type 'hvm'.",
            );
        }
        if !hvm && self.architecture == Architecture::Arm64 {
            return refuse_combination(
                "The architecture 'arm64' requires virtualization type 'hvm'.",
            );
        }
        Ok(())
    }

    fn check_firmware(&self, request: &RegisterImage) -> Result<()> {
        match (self.architecture, self.boot_mode) {
            (Architecture::Arm64, Some(BootMode::LegacyBios | BootMode::UefiPreferred)) => {
                return refuse_combination(
                    "The architecture 'arm64' boots by the boot mode 'uefi' only.",
                );
            }
            (Architecture::I386, Some(BootMode::Uefi | BootMode::UefiPreferred)) => {
                return refuse_combination(
                    "The architecture 'i386' boots by the boot mode 'legacy-bios' only.",
                );
            }
            _ => {}
        }
        only("tpmSupport", &request.tpm_support, "v2.0")?;
        if request.tpm_support.as_deref() == Some("v2.0") && self.boot_mode != Some(BootMode::Uefi)
        {
            return refuse_combination("The parameter tpmSupport requires the boot mode 'uefi'.");
        }
        let uefi_data = request.uefi_data.as_deref().filter(|data| !data.is_empty());
        if uefi_data.is_some_and(|data| STANDARD.decode(data).is_err()) {
            let message = "The parameter uefiData is not valid base64.";
            return Err(Error::new(ErrorKind::InvalidParameterValue, message));
        }
        Ok(())
    }
}

/// A manifest is that of a kernel or RAM disk if the parameter is `true` instead of an id: so the
/// tools of old bundled them.
fn image_type(request: &RegisterImage) -> Result<ImageType> {
    let marked = |id: &Option<String>| id.as_deref() == Some("true");
    let image_type = match (marked(&request.kernel_id), marked(&request.ramdisk_id)) {
        (false, false) => return Ok(ImageType::Machine),
        (true, false) => ImageType::Kernel,
        (false, true) => ImageType::Ramdisk,
        (true, true) => {
            let message = "An image is that of a kernel or that of a RAM disk, not of both.";
            return Err(Error::new(ErrorKind::InvalidParameterCombination, message));
        }
    };
    match root_device_type(request)? {
        RootDeviceType::InstanceStore => Ok(image_type),
        RootDeviceType::Ebs => Err(Error::new(
            ErrorKind::MissingParameter,
            "Kernels and RAM disks are registered from a manifest: the request must contain the parameter imageLocation",
        )),
    }
}

/// An image with a location is a bundle in S3, of which no more is known than the path of its manifest.
fn root_device_type(request: &RegisterImage) -> Result<RootDeviceType> {
    let Some(location) = request.image_location.as_deref().filter(|l| !l.is_empty()) else {
        return Ok(RootDeviceType::Ebs);
    };
    let is_path = |path: &str| {
        path.split_once('/')
            .is_some_and(|(bucket, _)| bucket.len() >= 3)
    };
    match location.strip_suffix(".manifest.xml").is_some_and(is_path) {
        true => Ok(RootDeviceType::InstanceStore),
        false => Err(Error::new(
            ErrorKind::ImageManifestInvalid,
            format!(
                "The location '{location}' is not that of a manifest: BUCKET/PATH.manifest.xml"
            ),
        )),
    }
}

/// The kernel and the RAM disk that a registration names by their ids, with the type that each has to
/// have.
fn parts(request: &RegisterImage) -> impl Iterator<Item = (&str, ImageType)> {
    [
        (&request.kernel_id, ImageType::Kernel),
        (&request.ramdisk_id, ImageType::Ramdisk),
    ]
    .into_iter()
    .filter_map(|(id, image_type)| Some((id.as_deref()?, image_type)))
    .filter(|(id, _)| !id.is_empty() && *id != "true")
}

/// Bundles bring their own content: they have no EBS volumes.
fn bundled_mappings(mappings: Vec<BlockDeviceMapping>) -> Result<Vec<BlockDeviceMapping>> {
    match mappings.iter().find(|mapping| mapping.ebs.is_some()) {
        None => Ok(mappings.into_iter().filter(|m| !m.no_device).collect()),
        Some(mapping) => {
            let message = format!(
                "The device '{}' cannot be an EBS volume: an image with a manifest is backed by instance store.",
                mapping.device_name
            );
            Err(Error::new(ErrorKind::BlockDeviceMappingInvalid, message))
        }
    }
}

fn refuse_combination(message: &str) -> Result<()> {
    Err(Error::new(ErrorKind::InvalidParameterCombination, message))
}

fn spelled<T>(parameter: &str, text: &Option<String>, all: &[T]) -> Result<Option<T>>
where
    T: std::str::FromStr + ToString,
{
    let Some(text) = text.as_deref().filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        let known: Vec<_> = all.iter().map(ToString::to_string).collect();
        let message = format!(
            "Value ({text}) for parameter {parameter} is invalid. Expected one of: {}.",
            known.join(", ")
        );
        Error::new(ErrorKind::InvalidParameterValue, message)
    })
}

fn only(parameter: &str, text: &Option<String>, allowed: &str) -> Result<()> {
    match text.as_deref() {
        Some(text) if !text.is_empty() && text != allowed => Err(invalid(parameter, text)),
        _ => Ok(()),
    }
}

pub(crate) fn invalid(parameter: &str, text: &str) -> Error {
    let message = format!("Value ({text}) for parameter {parameter} is invalid.");
    Error::new(ErrorKind::InvalidParameterValue, message)
}

/// The mappings of a registration with sizes and types filled in. The root has to have a snapshot.
async fn registered_mappings(
    conn: &mut Connection,
    caller: &Caller,
    mappings: Vec<BlockDeviceMapping>,
    root: &str,
) -> Result<Vec<BlockDeviceMapping>> {
    if mappings.is_empty() {
        let message = "The request must contain the parameter blockDeviceMapping";
        return Err(Error::new(ErrorKind::MissingParameter, message));
    }
    let mut filled = Vec::new();
    for mut mapping in mappings.into_iter().filter(|mapping| !mapping.no_device) {
        if let Some(ebs) = mapping.ebs.take() {
            mapping.ebs = Some(registered_ebs(conn, caller, &mapping.device_name, ebs).await?);
        }
        filled.push(mapping);
    }
    let rooted = filled.iter().any(|mapping| {
        mapping.device_name == root
            && mapping
                .ebs
                .as_ref()
                .is_some_and(|ebs| ebs.snapshot_id.is_some())
    });
    if rooted {
        return Ok(filled);
    }
    let message = format!(
        "No root snapshot specified in device mapping: no device '{root}' with a snapshot."
    );
    Err(Error::new(ErrorKind::BlockDeviceMappingInvalid, message))
}

async fn registered_ebs(
    conn: &mut Connection,
    caller: &Caller,
    device_name: &str,
    ebs: EbsBlockDevice,
) -> Result<EbsBlockDevice> {
    if ebs.snapshot_id.is_some() && ebs.encrypted.is_some() {
        let message = "The parameter encrypted cannot be used with the parameter snapshotId in a block device mapping.";
        return Err(Error::new(ErrorKind::BlockDeviceMappingInvalid, message));
    }
    if ebs.kms_key_id.is_some() {
        let message = "The parameter kmsKeyId cannot be used in a block device mapping of RegisterImage: it is given when an instance is launched.";
        return Err(Error::new(ErrorKind::BlockDeviceMappingInvalid, message));
    }
    let snapshot = match &ebs.snapshot_id {
        Some(id) => Some(snapshot::find(conn, caller, id.as_str()).await?),
        None => None,
    };
    volumes::base(conn, snapshot.as_ref()).await?;
    let encrypted = snapshot
        .as_ref()
        .map_or(ebs.encrypted.unwrap_or(false), |snapshot| {
            snapshot.encrypted
        });
    volumes::check_initialization_rate(ebs.volume_initialization_rate, snapshot.is_some())?;
    let size = block_device::volume_size(
        device_name,
        &ebs,
        snapshot.map(|snapshot| snapshot.volume_size_gib),
    );
    let size = size.map_err(mapping::mapping_error)?;
    let volume_type = ebs.volume_type.unwrap_or(VolumeType::Gp2);
    VolumeShape::new(volume_type, size, ebs.iops, ebs.throughput).map_err(volumes::shape_error)?;
    Ok(EbsBlockDevice {
        volume_size: Some(size),
        volume_type: Some(volume_type),
        delete_on_termination: Some(ebs.delete_on_termination.unwrap_or(true)),
        encrypted: Some(encrypted),
        ..ebs
    })
}

fn check_can_be_imaged(instance: &Instance) -> Result<()> {
    if matches!(
        instance.state,
        InstanceState::Running | InstanceState::Stopped
    ) {
        return Ok(());
    }
    let message = format!("Instance '{}' is not 'running' or 'stopped'.", instance.id);
    Err(Error::new(ErrorKind::IncorrectState, message))
}

/// An image without the root volume could not be launched.
fn check_root_is_attached(instance: &Instance) -> Result<()> {
    let is_attached = |device: &&InstanceBlockDevice| device.state == AttachmentState::Attached;
    if instance.root_volume().filter(is_attached).is_some() {
        return Ok(());
    }
    let message = format!(
        "Instance '{}' does not have a volume attached at root ({}).",
        instance.id,
        instance.root_device_name.as_deref().unwrap_or_default()
    );
    Err(Error::new(ErrorKind::IncorrectState, message))
}

fn change_of<'a>(
    changes: &'a [BlockDeviceMapping],
    device_name: &str,
) -> Option<&'a BlockDeviceMapping> {
    changes
        .iter()
        .find(|change| same_device(&change.device_name, device_name))
}

/// The mappings that a request adds to those of the instance. Of a volume that is attached only
/// DeleteOnTermination can be changed: the rest is as it is.
async fn added(
    conn: &mut Connection,
    caller: &Caller,
    instance: &Instance,
    changes: &[BlockDeviceMapping],
) -> Result<Vec<BlockDeviceMapping>> {
    let mut added = Vec::new();
    for change in changes {
        let attached = instance
            .block_devices
            .iter()
            .find(|d| same_device(&d.device_name, &change.device_name));
        match attached {
            Some(device) => check_change(instance, device, change)?,
            None if change.no_device => {}
            None => added.push(added_mapping(conn, caller, change.clone()).await?),
        }
    }
    Ok(added)
}

async fn added_mapping(
    conn: &mut Connection,
    caller: &Caller,
    mut mapping: BlockDeviceMapping,
) -> Result<BlockDeviceMapping> {
    if let Some(ebs) = mapping.ebs.take() {
        mapping.ebs = Some(registered_ebs(conn, caller, &mapping.device_name, ebs).await?);
    }
    Ok(mapping)
}

fn check_change(
    instance: &Instance,
    device: &InstanceBlockDevice,
    change: &BlockDeviceMapping,
) -> Result<()> {
    let refuse = |message| Err(Error::new(ErrorKind::BlockDeviceMappingInvalid, message));
    let name = &device.device_name;
    if instance.root_device_name.as_deref() == Some(name) && change.ebs.is_none() {
        return refuse(format!(
            "The root device '{name}' cannot be left out of an image."
        ));
    }
    let only_deletion = change.ebs.as_ref().is_none_or(|ebs| {
        *ebs == EbsBlockDevice {
            delete_on_termination: ebs.delete_on_termination,
            ..Default::default()
        }
    });
    if only_deletion && change.virtual_name.is_none() {
        return Ok(());
    }
    refuse(format!(
        "Of the volume that is attached as '{name}' only DeleteOnTermination can be changed."
    ))
}

/// Takes an image of a running instance whose guest is shut down for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CreateImageJob {
    image: ImageId,
    instance: InstanceId,
    devices: Vec<Device>,
    added: Vec<BlockDeviceMapping>,
    snapshot_tags: Tags,
}

/// A volume that goes into an image.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Device {
    device: InstanceBlockDevice,
    snapshot: SnapshotId,
    delete_on_termination: bool,
}

impl Job for CreateImageJob {
    const KIND: &'static str = "create-image";

    /// The instance: while this goes on, it is expected that its machine ends.
    fn subject(&self) -> &str {
        self.instance.as_str()
    }

    async fn step(&self, control: &Control, step: u32) -> Result<Next, Failure> {
        match step {
            0 if self.is_wanted(control).await? => self.shut_down(control).await,
            1 if self.is_wanted(control).await? => self.freeze(control).await,
            0 | 1 => Ok(Next::Step),
            _ => start_again(control, &self.instance)
                .await
                .map(|()| Next::Done),
        }
    }

    /// The image has failed; its instance runs again.
    async fn undo(&self, control: &Control, step: u32, why: &str) -> Result<(), Failure> {
        match step {
            0 => self.fail(control, why).await,
            1 => match start_again(control, &self.instance).await {
                Err(Failure::Final(why)) => give_up_restart(control, &self.instance, &why).await,
                other => other,
            },
            _ => give_up_restart(control, &self.instance, why).await,
        }
    }
}

impl CreateImageJob {
    /// What is to be frozen, and the mappings of the image then.
    async fn plan(&self, control: &Control) -> Result<(Vec<NewSnapshot>, Vec<BlockDeviceMapping>)> {
        let conn = &mut *control.store().read().await?;
        let description = format!(
            "Created by CreateImage({}) for {}",
            self.instance, self.image
        );
        let (mut new, mut mappings) = (Vec::new(), Vec::new());
        for device in &self.devices {
            let volume = volume_rows::get(conn, &device.device.volume_id).await?;
            let volume = volume.ok_or_else(|| Error::internal("a volume of an image is gone"))?;
            mappings.push(device.mapping(&volume));
            new.push(NewSnapshot {
                id: device.snapshot.clone(),
                volume,
                description: description.clone(),
                tags: self.snapshot_tags.clone(),
            });
        }
        mappings.extend(self.added.iter().cloned());
        Ok((new, mappings))
    }

    /// Whether the image still waits for its snapshots.
    async fn is_wanted(&self, control: &Control) -> Result<bool, Failure> {
        let found = image::get(&mut *control.store().read().await?, &self.image).await?;
        Ok(found.is_some_and(|image| {
            image.state == ImageState::Pending && image.block_device_mappings.is_empty()
        }))
    }

    async fn shut_down(&self, control: &Control) -> Result<Next, Failure> {
        if in_state(control, &self.instance, InstanceState::Running)
            .await?
            .is_none()
        {
            return Ok(Next::Step);
        }
        control.room().set_rebooting(&self.instance, true);
        shut_down(control, &self.instance, true).await
    }

    async fn freeze(&self, control: &Control) -> Result<Next, Failure> {
        let (new, mappings) = self.plan(control).await?;
        let frozen = control.freeze_volumes(new).await?;
        let mut tx = control.store().write().await?;
        frozen.record(&mut tx).await?;
        image::update(&mut tx, &self.image, |image| {
            image.block_device_mappings = mappings;
        })
        .await?;
        tx.commit().await?;
        frozen.keep();
        Ok(Next::Step)
    }

    async fn fail(&self, control: &Control, why: &str) -> Result<(), Failure> {
        let mut tx = control.store().write().await?;
        image::update(&mut tx, &self.image, |image| {
            if image.state == ImageState::Pending && image.block_device_mappings.is_empty() {
                image.state = ImageState::Failed;
                image.state_reason = Some(why.to_owned());
            }
        })
        .await?;
        tx.commit().await?;
        Ok(())
    }
}

impl Device {
    fn mapping(&self, volume: &Volume) -> BlockDeviceMapping {
        // A baseline that follows from the size is no setting.
        let provisioned = volume.volume_type != VolumeType::Gp2;
        BlockDeviceMapping {
            device_name: self.device.device_name.clone(),
            virtual_name: None,
            no_device: false,
            ebs: Some(EbsBlockDevice {
                snapshot_id: Some(self.snapshot.clone()),
                volume_size: Some(volume.size_gib),
                volume_type: Some(volume.volume_type),
                iops: volume.iops.filter(|_| provisioned),
                throughput: volume.throughput,
                delete_on_termination: Some(self.delete_on_termination),
                encrypted: Some(volume.encrypted),
                kms_key_id: None,
                // How the volume was filled is no property of the image.
                volume_initialization_rate: None,
            }),
        }
    }
}

fn attribute(image: &Image, name: &str) -> Result<ImageAttributeValue> {
    use ImageAttributeValue as Value;
    Ok(match name {
        "description" => Value::Description(image.description.clone()),
        "kernel" => Value::Kernel(image.kernel_id.clone()),
        "ramdisk" => Value::Ramdisk(image.ramdisk_id.clone()),
        "launchPermission" => Value::LaunchPermission(image.launch_permissions.clone()),
        "productCodes" => Value::ProductCodes,
        // EC2 answers nobody, the owner included.
        "blockDeviceMapping" => {
            let message = "Unauthorized attempt to access restricted resource";
            return Err(Error::new(ErrorKind::ImageAttributeNotAuthorized, message));
        }
        "sriovNetSupport" => Value::SriovNetSupport(image.sriov_net_support.clone()),
        "bootMode" => Value::BootMode(image.boot_mode.map(|mode| mode.to_string())),
        "tpmSupport" => Value::TpmSupport(image.tpm_support.clone()),
        "uefiData" => Value::UefiData(image.uefi_data.clone()),
        "lastLaunchedTime" => Value::LastLaunchedTime(image.last_launched_time),
        "imdsSupport" => Value::ImdsSupport(image.imds_support.clone()),
        "deregistrationProtection" => {
            Value::DeregistrationProtection(image.deregistration_protection.as_str().to_owned())
        }
        unknown => return Err(invalid("attribute", unknown)),
    })
}

/// Refuses ids that nothing is known of, all of them in one sentence as EC2 does.
fn refuse_unknown(known: &[SeenImage], ids: &[String]) -> Result<()> {
    let known: BTreeSet<&str> = known.iter().map(|seen| seen.image.id.as_str()).collect();
    let unknown: Vec<&str> = ids
        .iter()
        .map(String::as_str)
        .filter(|id| !known.contains(id))
        .collect();
    match unknown.as_slice() {
        [] => Ok(()),
        [id] => Err(not_found(id)),
        several => {
            let message = format!("The image ids '[{}]' do not exist", several.join(", "));
            Err(Error::new(ErrorKind::ImageNotFound, message))
        }
    }
}

pub(crate) fn not_found(id: &str) -> Error {
    Error::new(
        ErrorKind::ImageNotFound,
        format!("The image id '[{id}]' does not exist"),
    )
}
