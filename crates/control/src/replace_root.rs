//! Another root volume for an instance that runs.
//!
//! The new volume is made first. Then the guest is asked to shut down, the two volumes change places,
//! and the machine starts again; the instance runs all the time, as it does through a reboot. What
//! cannot be done is undone: the instance gets the root volume back that it had.

use cairn_model::{
    Attachment, AttachmentState, Image, Instance, InstanceId, InstanceState, KmsKey, Paged,
    ReplaceRootTask, ReplaceRootTaskId, ResourceType, Snapshot, SnapshotId, SnapshotState, Tags,
    Volume, VolumeId, VolumeState,
    instance::InstanceBlockDevice,
    page::Bounds,
    replace_root::{ReplaceRootEvent, ReplaceRootState},
    tag::TagsByType,
    volume::IoPolicy,
    volume_shape::VolumeShape,
};
use cairn_store::{Connection, WriteTx, instance, replace_root, snapshot as snapshots, volume};
use serde::{Deserialize, Serialize};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    describe::{self, Question, refuse_dry_run},
    engine::Content,
    image,
    instance::{detach, give_up_restart, in_state, shut_down},
    jobs::{self, Failure, Job, Next},
    keys::verbs::Wish,
    request::{CreateReplaceRootVolumeTask, Describe},
    snapshot,
    token::Idempotency,
    volume as volumes,
};

/// What MaxResults of DescribeReplaceRootVolumeTasks may be; more than this is as good as this.
const PAGE: Bounds = Bounds { min: 1, max: 50 };

impl Control {
    /// Gives an instance that runs another root volume: as it was at the launch, or as a snapshot of one
    /// of its root volumes or an image has it.
    pub async fn create_replace_root_volume_task(
        &self,
        caller: &Caller,
        request: CreateReplaceRootVolumeTask,
    ) -> Result<ReplaceRootTask> {
        check_choice(&request)?;
        let taggable = [ResourceType::ReplaceRootVolumeTask];
        let tags = TagsByType::of(&request.tag_specifications, &taggable)?;
        let rate = initialization_rate(&request)?;
        let token = request.client_token.as_deref();
        let idempotency = Idempotency::of(caller, "CreateReplaceRootVolumeTask", token, &request)?;
        let plan = {
            let mut read = self.store().read().await?;
            if let Some(id) = idempotency.known(&mut read).await? {
                refuse_dry_run(request.dry_run)?;
                return find(&mut read, caller, &id).await;
            }
            Plan::prepare(self, &mut read, caller, &request).await?
        };
        self.check_fits(caller.region, plan.shape.size_gib).await?;
        if !self.engine().has_room(caller.region).await? {
            return Err(volumes::no_room());
        }
        let key = self.root_key(caller, &request, &plan).await?;
        refuse_dry_run(request.dry_run)?;

        let mut tx = self.store().write().await?;
        if let Some(id) = idempotency.known(&mut tx).await? {
            return find(&mut tx, caller, &id).await;
        }
        // Looked up once more, in the transaction that acts on it.
        let plan = Plan::prepare(self, &mut tx, caller, &request).await?;
        let mut new = plan.volume(self, key);
        new.initialization_rate = rate;
        let tags = tags.tags(ResourceType::ReplaceRootVolumeTask);
        let task = plan.task(self, &request, &new.id, tags);
        let base = snapshot::content_of(&mut tx, &plan.source).await?;
        volume::insert(&mut tx, &new).await?;
        self.seal_volume(&mut tx, &new).await?;
        replace_root::insert(&mut tx, &task).await?;
        idempotency
            .record(&mut tx, task.id.as_str(), self.now())
            .await?;
        let job = ReplaceRootJob {
            task: task.id.clone(),
            instance: task.instance_id.clone(),
            base,
        };
        jobs::enqueue(&mut tx, &job, self.now()).await?;
        tx.commit().await?;
        self.wake_jobs();
        Ok(task)
    }

    /// The tasks of these ids, or all, that pass the filters; oldest first.
    pub async fn describe_replace_root_volume_tasks(
        &self,
        caller: &Caller,
        mut request: Describe,
    ) -> Result<Paged<ReplaceRootTask>> {
        let malformed = ErrorKind::ReplaceRootTaskIdMalformed;
        let set = "replaceRootVolumeTaskIds";
        describe::check_ids::<ReplaceRootTaskId>(&mut request, malformed, set, PAGE)?;
        let mut read = self.store().read().await?;
        let all = replace_root::list(&mut read, &caller.account, caller.region).await?;
        drop(read);
        let found = describe::select(all, &request.ids, |task| task.id.as_str(), not_found)?;
        Question {
            control: self,
            caller,
            operation: "DescribeReplaceRootVolumeTasks",
            bounds: PAGE,
            request: &request,
        }
        .answer(found, |task| {
            format!("{:020} {}", task.start_time.0, task.id)
        })
    }

    /// The key of the new volume: that of the one it replaces, or what its snapshot calls for.
    async fn root_key(
        &self,
        caller: &Caller,
        request: &CreateReplaceRootVolumeTask,
        plan: &Plan,
    ) -> Result<Option<KmsKey>> {
        let wish = Wish {
            encrypted: plan.root.encrypted.then_some(true),
            key: plan.root.kms_key_id.as_deref(),
            source: Some(&plan.source),
            dry_run: request.dry_run,
        };
        self.key_for(caller, wish).await
    }
}

/// What a task needs, looked up and checked.
#[derive(Debug)]
struct Plan {
    instance: Instance,
    /// The root volume that goes.
    root: Volume,
    /// What the new one is made from.
    source: Snapshot,
    image: Option<Image>,
    /// What later tasks go back to.
    launch_snapshot_id: SnapshotId,
    shape: VolumeShape,
}

impl Plan {
    async fn prepare(
        control: &Control,
        conn: &mut Connection,
        caller: &Caller,
        request: &CreateReplaceRootVolumeTask,
    ) -> Result<Self> {
        let instance = control
            .find_instance(conn, caller, &request.instance_id)
            .await?;
        let image = match named(&request.image_id) {
            Some(id) => Some(usable_image(conn, caller, &instance, id, control.now()).await?),
            None => None,
        };
        let asked = match named(&request.snapshot_id) {
            Some(id) => Some(snapshot::find_usable(conn, caller, id).await?),
            None => None,
        };
        let earlier = replace_root::list_of(conn, &instance.id).await?;
        check_instance(&instance, &earlier)?;
        let device = instance.root_volume().ok_or_else(|| no_root(&instance))?;
        let root = volume::get(conn, &device.volume_id).await?;
        let root = root.ok_or_else(|| no_root(&instance))?;
        let launched_from = launch_snapshot(&earlier, &root);
        let source = match (asked, &image) {
            (Some(asked), _) => checked_snapshot(asked, &root, &earlier)?,
            (None, Some(image)) => root_snapshot(conn, image).await?,
            (None, None) => launched(conn, &instance, launched_from.as_ref()).await?,
        };
        check_completed(&source)?;
        let launch_snapshot_id = match (&image, launched_from) {
            (None, Some(id)) => id,
            _ => source.id.clone(),
        };
        let shape = VolumeShape {
            volume_type: root.volume_type,
            size_gib: root.size_gib.max(source.volume_size_gib),
            iops: root.iops,
            throughput: root.throughput,
        };
        Ok(Self {
            instance,
            root,
            source,
            image,
            launch_snapshot_id,
            shape,
        })
    }

    fn volume(&self, control: &Control, key: Option<KmsKey>) -> Volume {
        Volume {
            id: VolumeId::generate(control.entropy()),
            size_gib: self.shape.size_gib,
            snapshot_id: Some(self.source.id.clone()),
            source_volume_id: None,
            encrypted: key.is_some(),
            kms_key_id: key.map(|key| key.arn()),
            io: IoPolicy::default(),
            modification: None,
            recycled: None,
            state: VolumeState::Creating,
            create_time: control.stamp(),
            attachments: Vec::new(),
            tags: Tags::new(),
            ..self.root.clone()
        }
    }

    fn task(
        &self,
        control: &Control,
        request: &CreateReplaceRootVolumeTask,
        new: &VolumeId,
        tags: Tags,
    ) -> ReplaceRootTask {
        let is_named = request.snapshot_id.is_some() || self.image.is_some();
        ReplaceRootTask {
            id: ReplaceRootTaskId::generate(control.entropy()),
            account: self.instance.account.clone(),
            region: self.instance.region,
            instance_id: self.instance.id.clone(),
            replaced_volume_id: self.root.id.clone(),
            new_volume_id: new.clone(),
            image_id: self.image.as_ref().map(|image| image.id.clone()),
            snapshot_id: is_named.then(|| self.source.id.clone()),
            launch_snapshot_id: self.launch_snapshot_id.clone(),
            delete_replaced_root_volume: request.delete_replaced_root_volume,
            state: ReplaceRootState::Pending,
            start_time: control.stamp(),
            complete_time: None,
            tags,
        }
    }
}

fn check_choice(request: &CreateReplaceRootVolumeTask) -> Result<()> {
    if named(&request.snapshot_id).is_none() || named(&request.image_id).is_none() {
        return Ok(());
    }
    let message = "The parameters SnapshotId and ImageId cannot be used together";
    Err(Error::new(ErrorKind::InvalidParameterCombination, message))
}

fn initialization_rate(request: &CreateReplaceRootVolumeTask) -> Result<Option<i32>> {
    // What does not fit is no rate that EBS offers, either.
    let rate = request.volume_initialization_rate;
    let rate = rate.map(|rate| i32::try_from(rate).unwrap_or(i32::MAX));
    volumes::check_initialization_rate(rate, true)?;
    Ok(rate)
}

fn check_instance(instance: &Instance, earlier: &[ReplaceRootTask]) -> Result<()> {
    let id = &instance.id;
    if instance.state != InstanceState::Running {
        let message = format!(
            "The instance '{id}' is '{}': only the root volume of a running instance can be replaced.",
            instance.state
        );
        return Err(Error::new(ErrorKind::IncorrectInstanceState, message));
    }
    if let Some(task) = earlier.iter().find(|task| !task.state.is_over()) {
        let message = format!(
            "The root volume of instance '{id}' is being replaced by task '{}'.",
            task.id
        );
        return Err(Error::new(ErrorKind::IncorrectInstanceState, message));
    }
    Ok(())
}

/// The snapshot that the root volume was launched from, whatever it was replaced with since.
fn launch_snapshot(earlier: &[ReplaceRootTask], root: &Volume) -> Option<SnapshotId> {
    let mut done = earlier.iter().rev();
    let done = done.find(|task| task.state == ReplaceRootState::Succeeded);
    done.map(|task| task.launch_snapshot_id.clone())
        .or_else(|| root.snapshot_id.clone())
}

/// A snapshot is one of the root volume or of an earlier one, or what the root volume was made from.
fn checked_snapshot(
    asked: Snapshot,
    root: &Volume,
    earlier: &[ReplaceRootTask],
) -> Result<Snapshot> {
    let is_root = |id: &VolumeId| {
        let mut replaced = earlier.iter();
        *id == root.id || replaced.any(|task| task.replaced_volume_id == *id)
    };
    if is_root(&asked.volume_id) || root.snapshot_id.as_ref() == Some(&asked.id) {
        return Ok(asked);
    }
    let message = format!(
        "The snapshot '{}' was not taken from a root volume of the instance.",
        asked.id
    );
    Err(Error::new(ErrorKind::InvalidParameterValue, message))
}

async fn usable_image(
    conn: &mut Connection,
    caller: &Caller,
    instance: &Instance,
    id: &str,
    now: cairn_model::Timestamp,
) -> Result<Image> {
    let image = image::find_usable(conn, caller, id, now).await?;
    if image.state != cairn_model::ImageState::Available {
        let message = format!(
            "The image ID '{id}' is not available: it is {}.",
            image.state
        );
        return Err(Error::new(ErrorKind::ImageUnavailable, message));
    }
    if image.architecture != instance.architecture {
        let message = format!(
            "The image '{id}' is of architecture {}, and the instance of {}.",
            image.architecture, instance.architecture
        );
        return Err(Error::new(ErrorKind::InvalidParameterValue, message));
    }
    Ok(image)
}

/// The snapshot of an image's root device. Whoever may launch an image may have what it is made of.
async fn root_snapshot(conn: &mut Connection, image: &Image) -> Result<Snapshot> {
    let mapping = image
        .block_device_mappings
        .iter()
        .find(|mapping| Some(&mapping.device_name) == image.root_device_name.as_ref());
    let id = mapping.and_then(|mapping| mapping.ebs.as_ref()?.snapshot_id.as_ref());
    let found = match id {
        Some(id) => snapshots::get(conn, id).await?,
        None => None,
    };
    found.ok_or_else(|| {
        let message = format!("The image '{}' has no root snapshot.", image.id);
        Error::new(ErrorKind::InvalidParameterValue, message)
    })
}

/// The snapshot of the launch. The instance was made of it, and so it may be used again.
async fn launched(
    conn: &mut Connection,
    instance: &Instance,
    id: Option<&SnapshotId>,
) -> Result<Snapshot> {
    let found = match id {
        Some(id) => snapshots::get(conn, id).await?,
        None => None,
    };
    found.ok_or_else(|| {
        let message = format!(
            "The snapshot that instance '{}' was launched from does not exist any more: name a snapshot or an image.",
            instance.id
        );
        Error::new(ErrorKind::SnapshotNotFound, message)
    })
}

fn check_completed(source: &Snapshot) -> Result<()> {
    if source.state == SnapshotState::Completed {
        return Ok(());
    }
    let message = format!("Snapshot is in invalid state - {}", source.state);
    Err(Error::new(ErrorKind::IncorrectState, message))
}

async fn find(conn: &mut Connection, caller: &Caller, id: &str) -> Result<ReplaceRootTask> {
    let parsed = describe::parse_id(id, ErrorKind::ReplaceRootTaskIdMalformed)?;
    let found = replace_root::get(conn, &parsed).await?;
    found
        .filter(|task| task.account == caller.account && task.region == caller.region)
        .ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> Error {
    let message = format!("The replace root volume task ID '{id}' does not exist");
    Error::new(ErrorKind::ReplaceRootTaskNotFound, message)
}

fn no_root(instance: &Instance) -> Error {
    let message = format!("The instance '{}' has no root volume.", instance.id);
    Error::new(ErrorKind::IncorrectInstanceState, message)
}

/// A text parameter, where an empty one is none.
fn named(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

/// Replaces the root volume of an instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReplaceRootJob {
    task: ReplaceRootTaskId,
    instance: InstanceId,
    base: Content,
}

impl Job for ReplaceRootJob {
    const KIND: &'static str = "replace-root-volume";

    fn subject(&self) -> &str {
        self.instance.as_str()
    }

    async fn step(&self, control: &Control, step: u32) -> Result<Next, Failure> {
        let task = self.task(control).await?;
        match step {
            0 => self.make(control, &task).await,
            1 => self.shut_down(control).await,
            2 => self.swap(control, &task).await,
            _ => self.start(control, &task).await,
        }
    }

    async fn undo(&self, control: &Control, step: u32, why: &str) -> Result<(), Failure> {
        let task = self.task(control).await?;
        self.advance(control, ReplaceRootEvent::Broken).await?;
        match step {
            0 => self.give_up(control, &task).await,
            1 => self.start_as_it_was(control, &task, why).await,
            2 => self.swap_back(control, &task).await,
            _ => Ok(()),
        }
    }
}

impl ReplaceRootJob {
    async fn task(&self, control: &Control) -> Result<ReplaceRootTask, Failure> {
        let found = replace_root::get(&mut *control.store().read().await?, &self.task).await?;
        found.ok_or_else(|| Failure::fatal("the task is not recorded"))
    }

    async fn advance(&self, control: &Control, event: ReplaceRootEvent) -> Result<(), Failure> {
        let mut tx = control.store().write().await?;
        self.advance_in(control, &mut tx, event).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn advance_in(
        &self,
        control: &Control,
        tx: &mut WriteTx,
        event: ReplaceRootEvent,
    ) -> Result<(), Failure> {
        let now = control.stamp();
        replace_root::update(tx, &self.task, |task| task.advance(event, now)).await?;
        Ok(())
    }

    /// The instance, as long as it is one whose root volume can be replaced.
    async fn running(&self, control: &Control) -> Result<Instance, Failure> {
        let found = in_state(control, &self.instance, InstanceState::Running).await?;
        found.ok_or_else(|| Failure::fatal("the instance does not run any more"))
    }

    async fn make(&self, control: &Control, task: &ReplaceRootTask) -> Result<Next, Failure> {
        self.running(control).await?;
        let new = volume::get(&mut *control.store().read().await?, &task.new_volume_id).await?;
        let new = new.ok_or_else(|| Failure::fatal("the new volume is not recorded"))?;
        control.make_volume(&new, Some(&self.base)).await?;
        let mut tx = control.store().write().await?;
        volume::update(&mut tx, &new.id, |new| new.state = VolumeState::InUse).await?;
        self.advance_in(control, &mut tx, ReplaceRootEvent::Begun)
            .await?;
        tx.commit().await?;
        Ok(Next::Step)
    }

    async fn shut_down(&self, control: &Control) -> Result<Next, Failure> {
        self.running(control).await?;
        control.room().set_rebooting(&self.instance, true);
        shut_down(control, &self.instance, true).await
    }

    /// The old volume stays attached in name until all is done, so that nobody takes it meanwhile.
    async fn swap(&self, control: &Control, task: &ReplaceRootTask) -> Result<Next, Failure> {
        let turn = control.room().turn(&self.instance).await;
        let instance = self.running(control).await?;
        control.end_machine(&instance, &turn).await?;
        let mut tx = control.store().write().await?;
        let (old, new) = (&task.replaced_volume_id, &task.new_volume_id);
        let Some(device) = device_of(&instance, old) else {
            return match device_of(&instance, new) {
                Some(_) => Ok(Next::Step),
                None => Err(Failure::fatal("the root volume was detached meanwhile")),
            };
        };
        let attachment = Attachment {
            instance_id: instance.id.clone(),
            device: device.device_name.clone(),
            state: AttachmentState::Attached,
            attach_time: control.stamp(),
            delete_on_termination: device.delete_on_termination,
        };
        replace_device(&mut tx, &instance.id, old, new, attachment.attach_time).await?;
        volume::update(&mut tx, new, |new| new.attachments = vec![attachment]).await?;
        volume::update(&mut tx, old, |old| {
            old.set_attachment(&instance.id, AttachmentState::Detaching);
        })
        .await?;
        tx.commit().await?;
        Ok(Next::Step)
    }

    async fn start(&self, control: &Control, task: &ReplaceRootTask) -> Result<Next, Failure> {
        let turn = control.room().turn(&self.instance).await;
        if task.state == ReplaceRootState::Succeeded {
            return Ok(Next::Done);
        }
        let instance = self.running(control).await?;
        if let Err(error) = control.boot(&instance, &turn).await {
            control.end_machine(&instance, &turn).await?;
            return Err(error);
        }
        let mut tx = control.store().write().await?;
        detach(&mut tx, &task.replaced_volume_id, &self.instance).await?;
        if task.delete_replaced_root_volume {
            discard(control, &mut tx, &task.replaced_volume_id).await?;
        }
        if let Some(image) = task.image_id.clone() {
            instance::update(&mut tx, &self.instance, |instance| {
                instance.image_id = image;
            })
            .await?;
        }
        self.advance_in(control, &mut tx, ReplaceRootEvent::Replaced)
            .await?;
        tx.commit().await?;
        control.wake_jobs();
        Ok(Next::Done)
    }

    /// The instance has the root volume again that it had; one that was terminated meanwhile leaves it
    /// to itself.
    async fn swap_back(&self, control: &Control, task: &ReplaceRootTask) -> Result<(), Failure> {
        let turn = control.room().turn(&self.instance).await;
        let found = instance::get(&mut *control.store().read().await?, &self.instance).await?;
        let Some(instance) = found else { return Ok(()) };
        let (old, new) = (&task.replaced_volume_id, &task.new_volume_id);
        if instance.state == InstanceState::Running {
            control.end_machine(&instance, &turn).await?;
        }
        let mut tx = control.store().write().await?;
        let attached = volume::get(&mut tx, old).await?;
        let attached = attached.and_then(|old| old.attachment_to(&instance.id).cloned());
        match (attached, device_of(&instance, new)) {
            (Some(attachment), Some(_)) => {
                let since = attachment.attach_time;
                replace_device(&mut tx, &instance.id, new, old, since).await?;
                volume::update(&mut tx, old, |old| {
                    old.set_attachment(&instance.id, AttachmentState::Attached);
                })
                .await?;
                volume::update(&mut tx, new, |new| new.attachments.clear()).await?;
            }
            (Some(attachment), None) if device_of(&instance, old).is_none() => {
                detach(&mut tx, old, &instance.id).await?;
                if attachment.delete_on_termination {
                    discard(control, &mut tx, old).await?;
                }
            }
            _ => {}
        }
        tx.commit().await?;
        Ok(())
    }

    /// The guest that was asked to shut down starts again. If it cannot, its instance is stopped.
    async fn start_as_it_was(
        &self,
        control: &Control,
        task: &ReplaceRootTask,
        why: &str,
    ) -> Result<(), Failure> {
        let booted = {
            let turn = control.room().turn(&self.instance).await;
            let found = in_state(control, &self.instance, InstanceState::Running).await?;
            let Some(instance) = found else { return Ok(()) };
            if device_of(&instance, &task.replaced_volume_id).is_none() {
                return Ok(());
            }
            control.end_machine(&instance, &turn).await?;
            control.boot(&instance, &turn).await
        };
        match booted {
            Ok(()) => Ok(()),
            Err(Failure::Final(_)) => give_up_restart(control, &self.instance, why).await,
            Err(passing) => Err(passing),
        }
    }

    /// The new volume goes. Whether the instance has its root volume tells how the task has ended.
    async fn give_up(&self, control: &Control, task: &ReplaceRootTask) -> Result<(), Failure> {
        let new = volume::get(&mut *control.store().read().await?, &task.new_volume_id).await?;
        let found = instance::get(&mut *control.store().read().await?, &self.instance).await?;
        let is_whole =
            found.is_some_and(|instance| device_of(&instance, &task.replaced_volume_id).is_some());
        let mut tx = control.store().write().await?;
        let is_left = |new: &Volume| {
            new.attachments.is_empty() && !matches!(new.state, VolumeState::Deleting)
        };
        if let Some(new) = new.filter(is_left) {
            volumes::begin_delete(&mut tx, &new.id, control.now()).await?;
        }
        let end = match is_whole {
            true => ReplaceRootEvent::Restored,
            false => ReplaceRootEvent::Lost,
        };
        self.advance_in(control, &mut tx, end).await?;
        tx.commit().await?;
        control.wake_jobs();
        Ok(())
    }
}

fn device_of<'a>(instance: &'a Instance, id: &VolumeId) -> Option<&'a InstanceBlockDevice> {
    let mut devices = instance.block_devices.iter();
    devices.find(|device| device.volume_id == *id)
}

/// Puts a volume in another's place at an instance.
async fn replace_device(
    tx: &mut WriteTx,
    id: &InstanceId,
    from: &VolumeId,
    to: &VolumeId,
    since: cairn_model::Timestamp,
) -> Result<(), Failure> {
    instance::update(tx, id, |instance| {
        let mut devices = instance.block_devices.iter_mut();
        if let Some(device) = devices.find(|device| device.volume_id == *from) {
            device.volume_id = to.clone();
            device.attach_time = since;
            device.state = AttachmentState::Attached;
        }
    })
    .await?;
    Ok(())
}

/// Deletes a volume that was detached, unless another instance has it.
async fn discard(control: &Control, tx: &mut WriteTx, id: &VolumeId) -> Result<()> {
    let found = volume::get(tx, id).await?;
    match found.filter(|volume| volume.attachments.is_empty()) {
        Some(volume) => control.discard_volume(tx, &volume).await,
        None => Ok(()),
    }
}
