//! Attaching volumes to instances, and detaching them.
//!
//! A stopped instance has no machine, so its volumes come and go at once. At a running one a job
//! plugs the disk in, or asks the guest to let go of it, which takes as long as the guest takes. A
//! forced detachment asks as well, and then cuts the disk off: what the guest still does with it fails,
//! so that nothing of it gets to the volume, wherever that is attached next.

use std::time::Duration;

use cairn_model::{
    Attachment, AttachmentState, Instance, InstanceId, InstanceState, Volume, VolumeId,
    VolumeState,
    block_device::{is_device_name, same_device},
    instance::InstanceBlockDevice,
    instance_type::VOLUMES_MAX,
    volume::MULTI_ATTACH_MAX,
};
use cairn_store::{WriteTx, instance, volume};
use cairn_vmm::MachineError;
use serde::{Deserialize, Serialize};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::VolumeAttachment,
    describe,
    instance::{detach, in_state, set_attached},
    jobs::{self, Failure, Job, Next},
    keys::verbs::check_arn,
    request::{AttachVolume, DetachVolume},
    volume as volumes,
};

/// How long to wait before a guest is asked again to let go of a disk.
const ASK_AGAIN: Duration = Duration::from_secs(5);

impl Control {
    /// Attaches a volume to an instance that runs or is stopped.
    pub async fn attach_volume(
        &self,
        caller: &Caller,
        request: AttachVolume,
    ) -> Result<VolumeAttachment> {
        let mut tx = self.store().write().await?;
        let volume = volumes::find(&mut tx, caller, &request.volume_id).await?;
        let instance = self
            .find_instance(&mut tx, caller, &request.instance_id)
            .await?;
        check_device(&instance, &request.device)?;
        check_attachable(&volume, &instance)?;
        check_arn(&mut tx, volume.kms_key_id.as_deref()).await?;
        describe::refuse_dry_run(request.dry_run)?;
        let running = instance.state == InstanceState::Running;
        let state = if running {
            AttachmentState::Attaching
        } else {
            AttachmentState::Attached
        };
        let attachment = Attachment {
            instance_id: instance.id.clone(),
            device: request.device,
            state,
            attach_time: self.stamp(),
            delete_on_termination: false,
        };
        record(&mut tx, &volume.id, &attachment).await?;
        if running {
            let job = AttachJob {
                volume: volume.id.clone(),
                instance: instance.id,
            };
            jobs::enqueue(&mut tx, &job, self.now()).await?;
        }
        tx.commit().await?;
        self.wake_jobs();
        Ok(VolumeAttachment {
            volume_id: volume.id,
            attachment,
        })
    }

    /// Detaches a volume from its instance. The root volume of an instance that runs stays.
    pub async fn detach_volume(
        &self,
        caller: &Caller,
        request: DetachVolume,
    ) -> Result<VolumeAttachment> {
        if let Some(id) = &request.instance_id {
            describe::parse_id::<InstanceId>(id, ErrorKind::InstanceIdMalformed)?;
        }
        let mut tx = self.store().write().await?;
        let volume = volumes::find(&mut tx, caller, &request.volume_id).await?;
        if let Some(id) = &request.instance_id {
            self.find_instance(&mut tx, caller, id).await?;
        }
        let mut attachment = attachment(&volume, &request)?;
        let instance = self
            .find_instance(&mut tx, caller, attachment.instance_id.as_str())
            .await?;
        check_detachable(&volume, &instance, &attachment)?;
        describe::refuse_dry_run(request.dry_run)?;
        // A guest that was asked and does not let go can still be forced.
        if attachment.state == AttachmentState::Detaching && !request.force {
            return Ok(VolumeAttachment {
                volume_id: volume.id,
                attachment,
            });
        }
        if instance.state == InstanceState::Running {
            attachment.state = AttachmentState::Detaching;
            set_detaching(&mut tx, &instance.id, &volume.id).await?;
            let job = DetachJob {
                volume: volume.id.clone(),
                instance: instance.id,
                force: request.force,
            };
            jobs::enqueue(&mut tx, &job, self.now()).await?;
        } else {
            attachment.state = AttachmentState::Detached;
            forget(&mut tx, &instance.id, &volume.id).await?;
        }
        tx.commit().await?;
        self.wake_jobs();
        Ok(VolumeAttachment {
            volume_id: volume.id,
            attachment,
        })
    }
}

/// Writes an attachment to both of its ends.
async fn record(tx: &mut WriteTx, id: &VolumeId, attachment: &Attachment) -> Result<()> {
    volume::update(tx, id, |volume| {
        volume.state = VolumeState::InUse;
        volume.attachments.push(attachment.clone());
    })
    .await?;
    let device = InstanceBlockDevice {
        device_name: attachment.device.clone(),
        volume_id: id.clone(),
        state: attachment.state,
        attach_time: attachment.attach_time,
        delete_on_termination: attachment.delete_on_termination,
    };
    instance::update(tx, &attachment.instance_id, |instance| {
        instance.block_devices.push(device);
    })
    .await?;
    Ok(())
}

/// Takes an attachment from both of its ends.
async fn forget(tx: &mut WriteTx, instance: &InstanceId, id: &VolumeId) -> Result<()> {
    detach(tx, id, instance).await?;
    instance::update(tx, instance, |i| {
        i.block_devices.retain(|device| device.volume_id != *id);
    })
    .await?;
    Ok(())
}

async fn set_detaching(tx: &mut WriteTx, instance: &InstanceId, id: &VolumeId) -> Result<()> {
    volume::update(tx, id, |volume| {
        volume.set_attachment(instance, AttachmentState::Detaching);
    })
    .await?;
    set_device(tx, instance, id, AttachmentState::Detaching).await
}

async fn set_device(
    tx: &mut WriteTx,
    instance: &InstanceId,
    id: &VolumeId,
    state: AttachmentState,
) -> Result<()> {
    instance::update(tx, instance, |instance| {
        for device in instance
            .block_devices
            .iter_mut()
            .filter(|device| device.volume_id == *id)
        {
            device.state = state;
        }
    })
    .await?;
    Ok(())
}

fn check_device(instance: &Instance, device: &str) -> Result<()> {
    if device.is_empty() {
        let message = "The request must contain the parameter device";
        return Err(Error::new(ErrorKind::MissingParameter, message));
    }
    let refuse = |message| Err(Error::new(ErrorKind::InvalidParameterValue, message));
    if !is_device_name(device) {
        return refuse(format!(
            "Value ({device}) for parameter device is invalid. {device} is not a valid EBS device name."
        ));
    }
    if instance
        .block_devices
        .iter()
        .any(|taken| same_device(&taken.device_name, device))
    {
        return refuse(format!(
            "Invalid value '{device}' for unixDevice. Attachment point {device} is already in use"
        ));
    }
    Ok(())
}

fn check_attachable(volume: &Volume, instance: &Instance) -> Result<()> {
    let refuse = |kind, message| Err(Error::new(kind, message));
    if volume.attachments.len() >= volume.attachments_max() {
        return refuse(
            ErrorKind::VolumeInUse,
            match volume.multi_attach_enabled {
                false => format!("{} is already attached to an instance", volume.id),
                true => format!(
                    "{} is already attached to {MULTI_ATTACH_MAX} instances, which is the maximum allowed.",
                    volume.id
                ),
            },
        );
    }
    if volume.attachment_to(&instance.id).is_some() {
        return refuse(
            ErrorKind::VolumeInUse,
            format!(
                "{} is already attached to instance '{}'",
                volume.id, instance.id
            ),
        );
    }
    let is_shared = volume.state == VolumeState::InUse && !volume.attachments.is_empty();
    if volume.state != VolumeState::Available && !is_shared {
        return refuse(
            ErrorKind::IncorrectState,
            format!("{} is not 'available'.", volume.id),
        );
    }
    check_settled(instance)?;
    if volume.availability_zone != instance.availability_zone {
        return refuse(
            ErrorKind::VolumeZoneMismatch,
            format!(
                "The volume '{}' is not in the same availability zone as instance '{}'",
                volume.id, instance.id
            ),
        );
    }
    if instance.block_devices.len() >= VOLUMES_MAX {
        return refuse(
            ErrorKind::AttachmentLimitExceeded,
            format!(
                "The instance '{}' has {VOLUMES_MAX} volumes, which is the maximum allowed.",
                instance.id
            ),
        );
    }
    Ok(())
}

fn check_settled(instance: &Instance) -> Result<()> {
    if matches!(
        instance.state,
        InstanceState::Running | InstanceState::Stopped
    ) {
        return Ok(());
    }
    let message = format!("Instance '{}' is not 'running' or 'stopped'.", instance.id);
    Err(Error::new(ErrorKind::IncorrectState, message))
}

/// The attachment that a request means.
fn attachment(volume: &Volume, request: &DetachVolume) -> Result<Attachment> {
    let Some(first) = volume.attachments.first() else {
        let message = format!("Volume '{}' is in the '{}' state.", volume.id, volume.state);
        return Err(Error::new(ErrorKind::IncorrectState, message));
    };
    if volume.multi_attach_enabled && request.instance_id.is_none() {
        let message = "The request must contain the parameter InstanceId, because Multi-Attach is enabled for the volume";
        return Err(Error::new(ErrorKind::MissingParameter, message));
    }
    let named = request.instance_id.as_deref().and_then(|id| {
        let mut attachments = volume.attachments.iter();
        attachments.find(|attachment| attachment.instance_id.as_str() == id)
    });
    let attachment = named.unwrap_or(first);
    let instance_fits = request
        .instance_id
        .as_deref()
        .is_none_or(|id| id == attachment.instance_id.as_str());
    let device_fits = request
        .device
        .as_deref()
        .is_none_or(|device| device == attachment.device);
    if instance_fits && device_fits {
        return Ok(attachment.clone());
    }
    let message = format!(
        "The volume '{}' is not attached to instance '{}' as device '{}'.",
        volume.id,
        request
            .instance_id
            .as_deref()
            .unwrap_or(attachment.instance_id.as_str()),
        request.device.as_deref().unwrap_or(&attachment.device),
    );
    Err(Error::new(ErrorKind::AttachmentNotFound, message))
}

fn check_detachable(volume: &Volume, instance: &Instance, attachment: &Attachment) -> Result<()> {
    check_settled(instance)?;
    let is_root = instance.root_device_name.as_deref() == Some(attachment.device.as_str());
    if is_root && instance.state == InstanceState::Running {
        let message = format!(
            "Unable to detach root volume '{}' from instance '{}'",
            volume.id, instance.id
        );
        return Err(Error::new(ErrorKind::OperationNotPermitted, message));
    }
    if attachment.state == AttachmentState::Attaching {
        let message = format!("The volume '{}' is 'attaching'.", volume.id);
        return Err(Error::new(ErrorKind::IncorrectState, message));
    }
    Ok(())
}

/// Plugs a volume into a machine that runs. An instance that stops or ends meanwhile settles its
/// attachments itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AttachJob {
    volume: VolumeId,
    instance: InstanceId,
}

impl Job for AttachJob {
    const KIND: &'static str = "attach-volume";

    fn subject(&self) -> &str {
        self.volume.as_str()
    }

    async fn step(&self, control: &Control, _step: u32) -> Result<Next, Failure> {
        let _turn = control.room().turn(&self.instance).await;
        let Some((instance, device)) = self.under_way(control).await? else {
            return Ok(Next::Done);
        };
        let machine = control.room().machine(&instance.id);
        let machine = machine.ok_or_else(|| Failure::passing("the machine is not there"))?;
        let disk = control
            .export_disk(&instance, &self.volume, &device.device_name)
            .await?;
        match machine.attach_disk(&disk).await {
            Ok(()) | Err(MachineError::DiskAlreadyAttached { .. }) => {}
            Err(
                error @ (MachineError::NoFreeSlot { .. } | MachineError::DiskNotReleased { .. }),
            ) => return Err(Failure::fatal(error)),
            Err(error) => return Err(Failure::passing(error)),
        }
        let mut tx = control.store().write().await?;
        set_attached(&mut tx, &self.volume, &self.instance).await?;
        set_device(
            &mut tx,
            &self.instance,
            &self.volume,
            AttachmentState::Attached,
        )
        .await?;
        tx.commit().await?;
        Ok(Next::Done)
    }

    /// The volume is available again.
    async fn undo(&self, control: &Control, _step: u32, _why: &str) -> Result<(), Failure> {
        let _turn = control.room().turn(&self.instance).await;
        if self.under_way(control).await?.is_none() {
            return Ok(());
        }
        control.unexport_from(&self.volume, &self.instance).await?;
        let mut tx = control.store().write().await?;
        forget(&mut tx, &self.instance, &self.volume).await?;
        tx.commit().await?;
        Ok(())
    }
}

impl AttachJob {
    async fn under_way(
        &self,
        control: &Control,
    ) -> Result<Option<(Instance, InstanceBlockDevice)>, Failure> {
        device(
            control,
            &self.instance,
            &self.volume,
            AttachmentState::Attaching,
        )
        .await
    }
}

/// Has a guest let go of a volume.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DetachJob {
    volume: VolumeId,
    instance: InstanceId,
    /// Whether the volume is taken from a guest that does not let go of it.
    #[serde(default)]
    force: bool,
}

impl Job for DetachJob {
    const KIND: &'static str = "detach-volume";

    fn subject(&self) -> &str {
        self.volume.as_str()
    }

    async fn step(&self, control: &Control, _step: u32) -> Result<Next, Failure> {
        if !self.is_under_way(control).await? {
            return Ok(Next::Done);
        }
        let machine = control.room().machine(&self.instance);
        let machine = machine.ok_or_else(|| Failure::passing("the machine is not there"))?;
        // Outside of the turn: a guest that does not let go must not be in the way of a stop.
        let id = self.volume.as_str();
        let let_go = match self.force {
            false => machine.detach_disk(id).await,
            true => machine.cut_disk(id).await,
        };
        match let_go {
            Ok(()) | Err(MachineError::DiskNotAttached { .. }) => {}
            Err(MachineError::DetachTimeout { .. }) => {
                return Ok(Next::Later(control.now().after(ASK_AGAIN)));
            }
            Err(error) => return Err(Failure::passing(error)),
        }
        self.finish(control).await?;
        Ok(Next::Done)
    }

    /// The guest has the volume still.
    async fn undo(&self, control: &Control, _step: u32, _why: &str) -> Result<(), Failure> {
        let _turn = control.room().turn(&self.instance).await;
        if self.is_under_way(control).await? {
            let mut tx = control.store().write().await?;
            set_attached(&mut tx, &self.volume, &self.instance).await?;
            set_device(
                &mut tx,
                &self.instance,
                &self.volume,
                AttachmentState::Attached,
            )
            .await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

impl DetachJob {
    async fn is_under_way(&self, control: &Control) -> Result<bool, Failure> {
        let found = device(
            control,
            &self.instance,
            &self.volume,
            AttachmentState::Detaching,
        )
        .await?;
        Ok(found.is_some())
    }

    async fn finish(&self, control: &Control) -> Result<(), Failure> {
        let _turn = control.room().turn(&self.instance).await;
        if self.is_under_way(control).await? {
            control.unexport_from(&self.volume, &self.instance).await?;
            let mut tx = control.store().write().await?;
            forget(&mut tx, &self.instance, &self.volume).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// A running instance and its device for a volume, if that is in a state.
async fn device(
    control: &Control,
    id: &InstanceId,
    volume: &VolumeId,
    state: AttachmentState,
) -> Result<Option<(Instance, InstanceBlockDevice)>, Failure> {
    let Some(instance) = in_state(control, id, InstanceState::Running).await? else {
        return Ok(None);
    };
    let found = instance
        .block_devices
        .iter()
        .find(|d| d.volume_id == *volume && d.state == state);
    let found = found.cloned();
    Ok(found.map(|device| (instance, device)))
}
