//! Changing volumes that exist: their size, type and performance.
//!
//! A volume grows in three steps, each of which can be taken twice: first its files, then what is shown
//! of it, then what a guest sees. A crash leaves the old size or the new one. The guest comes last
//! because QEMU does not let the disk of a machine grow: its NVMe controller reads the size once, when
//! it is plugged in, and allows no resize of the block node behind it. So a guest that has the volume
//! at that moment sees the old size until the volume was detached and attached again, or the instance
//! stopped and started; the modification is `optimizing` until then, and says so.

use std::time::Duration;

use cairn_model::{
    Modification, ModificationState, Paged, Timestamp, Volume, VolumeId, VolumeModification,
    VolumeState,
    modification::{Change, ChangeError, ModificationEvent, TooSoon, Traits, is_modifiable},
    page::Bounds,
};
use cairn_store::volume;
use serde::{Deserialize, Serialize};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    describe::{Question, refuse_dry_run},
    engine::blocking,
    jobs::{self, Failure, Job, Next},
    request::{Describe, ModifyVolume},
    volume as volumes,
};

/// What MaxResults of DescribeVolumesModifications may be; more than this is as good as this.
const PAGE: Bounds = Bounds { min: 5, max: 500 };

/// How long until it is looked again whether guests have let go of a volume.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What a modification says while a guest sees the old size.
const AWAITS_GUEST: &str = "The volume has its new size. The guest that has it attached sees the old one until the volume is detached and attached again, or its instance is stopped and started.";

impl Control {
    /// Changes what a volume is. It is `modifying` when this returns, and soon after as it was asked
    /// for, without being detached.
    pub async fn modify_volume(
        &self,
        caller: &Caller,
        request: ModifyVolume,
    ) -> Result<VolumeModification> {
        let has_room = self.engine().has_room(caller.region).await?;
        let mut tx = self.store().write().await?;
        let found = volumes::find(&mut tx, caller, &request.volume_id).await?;
        check_state(&found)?;
        let target = change(&request)?.target(&found).map_err(change_error)?;
        if let Some(last) = &found.modification {
            last.check_next(&found.id, self.now()).map_err(too_soon)?;
        }
        if target.size_gib > found.size_gib {
            self.check_fits(caller.region, target.size_gib).await?;
            if !has_room {
                return Err(volumes::no_room());
            }
        }
        refuse_dry_run(request.dry_run)?;
        let begun = Modification::begin(&found, target, self.stamp());
        volume::update(&mut tx, &found.id, |volume| {
            volume.modification = Some(begun.clone());
        })
        .await?;
        let job = ModifyJob {
            volume: found.id.clone(),
        };
        jobs::enqueue(&mut tx, &job, self.now()).await?;
        tx.commit().await?;
        self.wake_jobs();
        Ok(VolumeModification {
            volume_id: found.id,
            modification: begun,
        })
    }

    /// The newest modifications of these volumes, or of all that were ever modified, that pass the
    /// filters; oldest first.
    pub async fn describe_volumes_modifications(
        &self,
        caller: &Caller,
        mut request: Describe,
    ) -> Result<Paged<VolumeModification>> {
        let named = self.named_volumes(caller, &mut request).await?;
        let found: Vec<_> = named.iter().filter_map(VolumeModification::of).collect();
        let unmodified = named.iter().find(|volume| volume.modification.is_none());
        if let (Some(volume), false) = (unmodified, request.ids.is_empty()) {
            return Err(unmodified_volume(&volume.id));
        }
        request.page.max_results = request.page.max_results.map(|asked| asked.min(PAGE.max));
        Question {
            control: self,
            caller,
            operation: "DescribeVolumesModifications",
            bounds: PAGE,
            request: &request,
        }
        .answer(found, |found| {
            format!(
                "{:020} {}",
                found.modification.start_time.0, found.volume_id
            )
        })
    }

    /// No machine has a volume any more: whoever has it next sees its size.
    pub(crate) async fn seen_by_guests(&self, id: &VolumeId) -> Result<()> {
        let awaits = |volume: &Volume| {
            let modification = volume.modification.as_ref();
            modification.is_some_and(|modification| modification.awaits_guest)
        };
        let found = volume::get(&mut *self.store().read().await?, id).await?;
        if !found.is_some_and(|volume| awaits(&volume)) {
            return Ok(());
        }
        let now = self.stamp();
        let mut tx = self.store().write().await?;
        volume::update(&mut tx, id, |volume| settled(volume, now)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whether a machine has a volume, or is about to.
    async fn has_users(&self, id: &VolumeId) -> bool {
        let slot = self.engine().slot(id);
        let open = slot.open.lock().await;
        !open.users.is_empty()
    }
}

/// The modification is over: whoever uses the volume sees what it is.
fn settled(volume: &mut Volume, now: Timestamp) {
    if let Some(modification) = &mut volume.modification {
        modification.awaits_guest = false;
        modification.status_message = None;
        modification.advance(ModificationEvent::Settled, now);
    }
}

fn change(request: &ModifyVolume) -> Result<Change> {
    Ok(Change {
        size_gib: request.size,
        volume_type: volumes::volume_type(request.volume_type.as_deref())?,
        iops: request.iops,
        throughput: request.throughput,
        multi_attach_enabled: request.multi_attach_enabled,
    })
}

fn check_state(volume: &Volume) -> Result<()> {
    let id = &volume.id;
    match volume.state {
        state if is_modifiable(state) => Ok(()),
        VolumeState::Deleting | VolumeState::Deleted => Err(volumes::not_found(id.as_str())),
        state => Err(Error::new(
            ErrorKind::IncorrectState,
            format!("The volume '{id}' is '{state}', and cannot be modified."),
        )),
    }
}

fn change_error(error: ChangeError) -> Error {
    let kind = match error {
        ChangeError::Nothing => ErrorKind::MissingParameter,
        ChangeError::Smaller => ErrorKind::InvalidParameterValue,
        ChangeError::Shape(error) => return volumes::shape_error(error),
        ChangeError::NoMultiAttach(_) => ErrorKind::InvalidParameterCombination,
        ChangeError::Attached(_) => ErrorKind::IncorrectState,
        ChangeError::Shared { .. } | ChangeError::Fixed => ErrorKind::UnsupportedOperation,
    };
    Error::new(kind, error)
}

fn too_soon(error: TooSoon) -> Error {
    let kind = match error {
        TooSoon::UnderWay { .. } => ErrorKind::IncorrectModificationState,
        TooSoon::Cooldown(_) => ErrorKind::VolumeModificationRateExceeded,
    };
    Error::new(kind, error)
}

fn unmodified_volume(id: &VolumeId) -> Error {
    Error::new(
        ErrorKind::VolumeModificationNotFound,
        format!("Modification for volume '{id}' does not exist."),
    )
}

/// Makes a volume what it is to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ModifyJob {
    volume: VolumeId,
}

impl Job for ModifyJob {
    const KIND: &'static str = "modify-volume";

    fn subject(&self) -> &str {
        self.volume.as_str()
    }

    async fn step(&self, control: &Control, step: u32) -> Result<Next, Failure> {
        let Some(modification) = self.under_way(control).await? else {
            return Ok(Next::Done);
        };
        match step {
            0 => self.grow(control, &modification.target).await,
            1 => self.apply(control, &modification).await,
            _ => self.settle(control, &modification).await,
        }
    }

    /// Nothing shows the new size yet, and so the volume is as it was. That its files may be larger
    /// harms nobody: they are zeros that no one has seen.
    async fn undo(&self, control: &Control, step: u32, why: &str) -> Result<(), Failure> {
        if step > 0 {
            return Ok(());
        }
        let now = control.stamp();
        self.update(control, |volume| {
            if let Some(modification) = &mut volume.modification {
                modification.status_message = Some(why.to_owned());
                modification.advance(ModificationEvent::GivenUp, now);
            }
        })
        .await
    }
}

impl ModifyJob {
    /// The modification, unless it is over or its volume is being deleted.
    async fn under_way(&self, control: &Control) -> Result<Option<Modification>, Failure> {
        let found = volume::get(&mut *control.store().read().await?, &self.volume).await?;
        let found = found.filter(|volume| is_modifiable(volume.state));
        let modification = found.and_then(|volume| volume.modification);
        Ok(modification.filter(|modification| !modification.state.is_over()))
    }

    async fn grow(&self, control: &Control, target: &Traits) -> Result<Next, Failure> {
        let gib = u64::try_from(target.size_gib).map_err(Failure::fatal)?;
        let size_bytes = gib * volumes::GIB;
        let open = control.open_volume(&self.volume).await?;
        if open.size_bytes() < size_bytes {
            blocking(move || open.grow(size_bytes)).await?;
        } else {
            drop(open);
        }
        control.release_volume(&self.volume).await?;
        Ok(Next::Step)
    }

    async fn apply(&self, control: &Control, asked: &Modification) -> Result<Next, Failure> {
        let grew = asked.target.size_gib > asked.original.size_gib;
        let awaits_guest = grew && control.has_users(&self.volume).await;
        let now = control.stamp();
        self.update(control, |volume| {
            let Some(modification) = &mut volume.modification else {
                return;
            };
            // Applied once: what is done twice is done by nobody else in between.
            if modification.state == ModificationState::Modifying {
                modification.advance(ModificationEvent::Applied, now);
                modification.awaits_guest = awaits_guest;
                modification.status_message = awaits_guest.then(|| AWAITS_GUEST.to_owned());
                let target = modification.target;
                target.apply(volume);
            }
        })
        .await?;
        control.settle_limits(&self.volume).await?;
        Ok(Next::Step)
    }

    async fn settle(&self, control: &Control, asked: &Modification) -> Result<Next, Failure> {
        if asked.awaits_guest && control.has_users(&self.volume).await {
            return Ok(Next::Later(control.now().after(LOOK_AGAIN)));
        }
        let now = control.stamp();
        self.update(control, |volume| settled(volume, now)).await?;
        Ok(Next::Done)
    }

    async fn update(
        &self,
        control: &Control,
        change: impl FnOnce(&mut Volume) + Send,
    ) -> Result<(), Failure> {
        let mut tx = control.store().write().await?;
        volume::update(&mut tx, &self.volume, change).await?;
        tx.commit().await?;
        Ok(())
    }
}
