//! Volumes.

use std::ops::RangeInclusive;

use cairn_model::{
    Faceted as _, KmsKey, Paged, Region, ResourceType, Snapshot, Timestamp, Volume, VolumeId,
    VolumeState, VolumeType,
    modification::ChangeError,
    page::Bounds,
    place::Zone,
    tag::TagsByType,
    volume::IoPolicy,
    volume_shape::{ShapeError, VolumeShape},
};
use cairn_store::{Connection, WriteTx, snapshot as snapshots, volume};
use cairn_volume::VolumeSpec;
use serde::{Deserialize, Serialize};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    describe::{self, Question, refuse_dry_run},
    engine::{self, Content},
    jobs::{self, Failure, Job, Next},
    keys::verbs::Wish,
    request::{ById, CreateVolume, Describe},
    snapshot,
    token::Idempotency,
    volume_copy,
};

/// Bytes in a GiB.
pub(crate) const GIB: u64 = 1 << 30;

/// What MaxResults of DescribeVolumes and DescribeVolumeStatus may be; more than this is as good as this.
pub(crate) const PAGE: Bounds = Bounds { min: 5, max: 1000 };

/// The rates in MiB/s at which EBS offers to fetch a snapshot.
const INITIALIZATION_RATES: RangeInclusive<i32> = 100..=300;

impl Control {
    /// Makes a volume, blank or from a snapshot. It is `creating` when this returns, and available
    /// soon after, whatever its size: what it takes from the snapshot it fetches when needed.
    pub async fn create_volume(&self, caller: &Caller, request: CreateVolume) -> Result<Volume> {
        let zone = zone(caller, &request)?;
        let tags = TagsByType::of(&request.tag_specifications, &[ResourceType::Volume])?;
        check_options(&request)?;
        let token = request.client_token.as_deref();
        let idempotency = Idempotency::of(caller, "CreateVolume", token, &request)?;
        let has_room = self.engine().has_room(caller.region).await?;
        let key = self.new_volume_key(caller, &request, &idempotency).await?;

        let mut tx = self.store().write().await?;
        if let Some(id) = idempotency.known(&mut tx).await? {
            refuse_dry_run(request.dry_run)?;
            return find(&mut tx, caller, &id).await;
        }
        let source = match &request.snapshot_id {
            Some(id) => Some(snapshot::find_usable(&mut tx, caller, id).await?),
            None => None,
        };
        let shape = shape(&request, source.as_ref())?;
        let base = base(&mut tx, source.as_ref()).await?;
        self.check_fits(caller.region, shape.size_gib).await?;
        if !has_room {
            return Err(no_room());
        }
        refuse_dry_run(request.dry_run)?;
        let volume = Volume {
            id: VolumeId::generate(self.entropy()),
            account: caller.account.clone(),
            region: caller.region,
            availability_zone: zone.name(),
            size_gib: shape.size_gib,
            snapshot_id: source.map(|snapshot| snapshot.id),
            volume_type: shape.volume_type,
            iops: shape.iops,
            throughput: shape.throughput,
            encrypted: key.is_some(),
            kms_key_id: key.map(|key| key.arn()),
            multi_attach_enabled: request.multi_attach_enabled.unwrap_or_default(),
            initialization_rate: request.volume_initialization_rate,
            source_volume_id: None,
            io: IoPolicy::default(),
            modification: None,
            recycled: None,
            state: VolumeState::Creating,
            create_time: self.stamp(),
            attachments: Vec::new(),
            tags: tags.tags(ResourceType::Volume),
        };
        volume::insert(&mut tx, &volume).await?;
        self.seal_volume(&mut tx, &volume).await?;
        idempotency
            .record(&mut tx, volume.id.as_str(), self.now())
            .await?;
        jobs::enqueue(
            &mut tx,
            &CreateVolumeJob {
                volume: volume.id.clone(),
                base,
            },
            self.now(),
        )
        .await?;
        tx.commit().await?;
        self.wake_jobs();
        Ok(volume)
    }

    /// The key that a new volume is kept under, if it is to be encrypted. What is asked for is checked
    /// first, as far as that goes without changing anything.
    async fn new_volume_key(
        &self,
        caller: &Caller,
        request: &CreateVolume,
        idempotency: &Idempotency<'_>,
    ) -> Result<Option<KmsKey>> {
        let source = {
            let mut read = self.store().read().await?;
            if idempotency.known(&mut read).await?.is_some() {
                return Ok(None);
            }
            match &request.snapshot_id {
                Some(id) => Some(snapshot::find_usable(&mut read, caller, id).await?),
                None => None,
            }
        };
        shape(request, source.as_ref())?;
        let wish = Wish {
            encrypted: request.encrypted,
            key: request.kms_key_id.as_deref(),
            source: source.as_ref(),
            dry_run: request.dry_run,
        };
        self.key_for(caller, wish).await
    }

    /// The volumes of these ids, or all, that pass the filters; oldest first.
    pub async fn describe_volumes(
        &self,
        caller: &Caller,
        mut request: Describe,
    ) -> Result<Paged<Volume>> {
        let malformed = ErrorKind::VolumeIdMalformed;
        describe::check_ids::<VolumeId>(&mut request, malformed, "volumeSet", PAGE)?;
        let question = Question {
            control: self,
            caller,
            operation: "DescribeVolumes",
            bounds: PAGE,
            request: &request,
        };
        if request.ids.is_empty() {
            let mut read = self.store().read().await?;
            let see = |volume| Some(volume).filter(|volume| is_own(caller, volume));
            return question.look_up(&mut read, Vec::new(), see).await;
        }
        let named = named(&mut *self.store().read_once().await?, caller, &request.ids).await?;
        question.answer(named, |volume| volume.page_key().to_string())
    }

    /// The caller's volumes of these ids, or all; oldest first.
    pub(crate) async fn named_volumes(
        &self,
        caller: &Caller,
        request: &mut Describe,
    ) -> Result<Vec<Volume>> {
        let malformed = ErrorKind::VolumeIdMalformed;
        describe::check_ids::<VolumeId>(request, malformed, "volumeSet", PAGE)?;
        let mut read = self.store().read().await?;
        match request.ids.is_empty() {
            true => Ok(volume::list(&mut read, &caller.account, caller.region).await?),
            false => named(&mut read, caller, &request.ids).await,
        }
    }

    /// Deletes a volume that is attached to nothing, or puts it into the Recycle Bin. Snapshots of it stay, and those that are still
    /// being taken are completed first.
    pub async fn delete_volume(&self, caller: &Caller, request: ById) -> Result<()> {
        let mut tx = self.store().write().await?;
        let volume = find(&mut tx, caller, &request.id).await?;
        check_deletable(&volume)?;
        refuse_dry_run(request.dry_run)?;
        self.discard_volume(&mut tx, &volume).await?;
        tx.commit().await?;
        self.wake_jobs();
        Ok(())
    }

    /// Refuses a volume whose data file the file system would not take.
    pub(crate) async fn check_fits(&self, region: Region, size_gib: i32) -> Result<()> {
        let bytes = u64::try_from(size_gib).map_err(Error::internal)? * GIB;
        if self.engine().takes_volume_of(region, bytes).await? {
            return Ok(());
        }
        let message = format!(
            "Volume of {size_gib}GiB is too large for the file system that the server's data directory is on, which takes no file of this size."
        );
        Err(Error::new(ErrorKind::VolumeSizeInvalid, message))
    }

    /// Makes the files of a volume that is being created; they may be there from an attempt that
    /// was interrupted. A volume that is not being created any more is left as it is.
    pub(crate) async fn make_volume(
        &self,
        volume: &Volume,
        base: Option<&Content>,
    ) -> Result<(), Failure> {
        if volume.state != VolumeState::Creating {
            return Ok(());
        }
        let size_gib = u64::try_from(volume.size_gib).map_err(Failure::fatal)?;
        let spec = VolumeSpec {
            size_bytes: size_gib * GIB,
            domain: self
                .domain(volume.region, &volume.account, volume.kms_key_id.as_deref())
                .await?,
            base: base.map(engine::base).transpose()?,
        };
        let key = self.volume_key(volume).await?;
        Ok(self
            .engine()
            .create_volume(volume.region, &volume.id, spec, key)
            .await?)
    }
}

/// The caller's volumes of these ids, which all have to be there.
async fn named(conn: &mut Connection, caller: &Caller, ids: &[String]) -> Result<Vec<Volume>> {
    let mut found = volume::get_all(conn, ids).await?;
    found.retain(|volume| is_own(caller, volume));
    describe::select(found, ids, |volume| volume.id.as_str(), not_found)
}

/// Whether a volume is the caller's, and not in the Recycle Bin.
fn is_own(caller: &Caller, volume: &Volume) -> bool {
    volume.account == caller.account && volume.region == caller.region && volume.recycled.is_none()
}

/// The caller's volume of an id. One in the Recycle Bin is none.
pub(crate) async fn find(conn: &mut Connection, caller: &Caller, id: &str) -> Result<Volume> {
    let parsed = describe::parse_id(id, ErrorKind::VolumeIdMalformed)?;
    let found = volume::get_present(conn, &parsed).await?;
    found
        .filter(|volume| is_own(caller, volume))
        .ok_or_else(|| not_found(id))
}

/// The content that a volume of this snapshot starts with.
pub(crate) async fn base(
    conn: &mut Connection,
    source: Option<&Snapshot>,
) -> Result<Option<Content>> {
    let Some(source) = source else {
        return Ok(None);
    };
    snapshot::check_readable(source)?;
    snapshot::content_of(conn, source).await.map(Some)
}

/// Marks a volume for deletion, in the caller's transaction; a job does the rest.
pub(crate) async fn begin_delete(tx: &mut WriteTx, id: &VolumeId, now: Timestamp) -> Result<()> {
    volume::update(tx, id, |volume| {
        volume.state = VolumeState::Deleting;
        volume.attachments.clear();
    })
    .await?;
    jobs::enqueue(tx, &DeleteVolumeJob { volume: id.clone() }, now).await?;
    Ok(())
}

/// Refuses what has no room.
pub(crate) fn no_room() -> Error {
    Error::new(
        ErrorKind::InsufficientVolumeCapacity,
        "There is not enough capacity to fulfill your EBS volume creation request.",
    )
}

/// What EC2 calls a shape that cannot be.
pub(crate) fn shape_error(error: ShapeError) -> Error {
    let kind = match error {
        ShapeError::TooSmall { .. } | ShapeError::TooLarge { .. } => ErrorKind::VolumeSizeInvalid,
        ShapeError::MissingIops(_) => ErrorKind::MissingParameter,
        ShapeError::NotSupported { .. } => ErrorKind::InvalidParameterCombination,
        _ => ErrorKind::InvalidParameterValue,
    };
    Error::new(kind, error)
}

/// Refuses a volume that does not exist.
pub(crate) fn not_found(id: &str) -> Error {
    Error::new(
        ErrorKind::VolumeNotFound,
        format!("The volume '{id}' does not exist."),
    )
}

fn check_deletable(volume: &Volume) -> Result<()> {
    let id = &volume.id;
    if let Some(attachment) = volume.attachments.first() {
        let text = format!(
            "Volume {id} is currently attached to {}",
            attachment.instance_id
        );
        return Err(Error::new(ErrorKind::VolumeInUse, text));
    }
    match volume.state {
        VolumeState::Available | VolumeState::Error => Ok(()),
        // A second call finds it gone, as on EC2.
        VolumeState::Deleting | VolumeState::Deleted => Err(not_found(id.as_str())),
        state => Err(Error::new(
            ErrorKind::IncorrectState,
            format!("The volume '{id}' is '{state}'"),
        )),
    }
}

/// The zone, by its name or by its id.
fn zone(caller: &Caller, request: &CreateVolume) -> Result<Zone> {
    let named = match (&request.availability_zone, &request.availability_zone_id) {
        (Some(_), Some(_)) => {
            return Err(Error::new(
                ErrorKind::InvalidParameterCombination,
                "The parameters AvailabilityZone and AvailabilityZoneId cannot be used together",
            ));
        }
        (Some(name), None) => caller
            .region
            .zone(name)
            .filter(|zone| zone.name() == *name)
            .ok_or(name),
        (None, Some(id)) => caller
            .region
            .zone(id)
            .filter(|zone| zone.id() == *id)
            .ok_or(id),
        (None, None) => {
            return Err(Error::new(
                ErrorKind::MissingParameter,
                "The request must contain the parameter AvailabilityZone",
            ));
        }
    };
    named.map_err(|unknown| {
        Error::new(
            ErrorKind::ZoneNotFound,
            format!("The zone '{unknown}' does not exist."),
        )
    })
}

/// Refuses what this server cannot do, and says so.
fn check_options(request: &CreateVolume) -> Result<()> {
    if request.kms_key_id.is_some() && request.encrypted != Some(true) {
        return Err(Error::new(
            ErrorKind::InvalidParameterDependency,
            "The parameter KmsKeyId requires the parameter Encrypted to be set.",
        ));
    }
    check_initialization_rate(
        request.volume_initialization_rate,
        request.snapshot_id.is_some(),
    )
}

/// A volume is usable at once at any rate; one that EBS does not offer is refused all the same.
pub(crate) fn check_initialization_rate(rate: Option<i32>, from_snapshot: bool) -> Result<()> {
    let Some(rate) = rate else {
        return Ok(());
    };
    if !from_snapshot {
        return Err(Error::new(
            ErrorKind::InvalidParameterCombination,
            "The parameter VolumeInitializationRate can only be used with the parameter SnapshotId.",
        ));
    }
    if !INITIALIZATION_RATES.contains(&rate) {
        return Err(Error::new(
            ErrorKind::InvalidParameterValue,
            format!(
                "The volume initialization rate {rate} is not from {} to {} MiB/s.",
                INITIALIZATION_RATES.start(),
                INITIALIZATION_RATES.end()
            ),
        ));
    }
    Ok(())
}

fn shape(request: &CreateVolume, source: Option<&Snapshot>) -> Result<VolumeShape> {
    let volume_type = volume_type(request.volume_type.as_deref())?.unwrap_or(VolumeType::Gp2);
    check_multi_attach(volume_type, request.multi_attach_enabled)?;
    let size = size(request, source)?;
    VolumeShape::new(volume_type, size, request.iops, request.throughput).map_err(shape_error)
}

/// The type of a name, if there is one.
pub(crate) fn volume_type(spelled: Option<&str>) -> Result<Option<VolumeType>> {
    let Some(spelled) = spelled.filter(|spelled| !spelled.is_empty()) else {
        return Ok(None);
    };
    spelled.parse().map(Some).map_err(|_| {
        let text = format!("Unsupported volume type '{spelled}' for volume creation.");
        Error::new(ErrorKind::VolumeTypeUnknown, text)
    })
}

/// Refuses volumes for several instances of a type that is not for several.
pub(crate) fn check_multi_attach(volume_type: VolumeType, wanted: Option<bool>) -> Result<()> {
    if wanted != Some(true) || volume_type.has_multi_attach() {
        return Ok(());
    }
    let error = ChangeError::NoMultiAttach(volume_type);
    Err(Error::new(ErrorKind::InvalidParameterCombination, error))
}

fn size(request: &CreateVolume, source: Option<&Snapshot>) -> Result<i32> {
    match (request.size, source) {
        (Some(size), Some(snapshot)) if size < snapshot.volume_size_gib => Err(Error::new(
            ErrorKind::VolumeSizeInvalid,
            format!(
                "The volume size {size}GiB is smaller than the snapshot '{}', expect size>= {}GiB",
                snapshot.id, snapshot.volume_size_gib
            ),
        )),
        (Some(size), _) => Ok(size),
        (None, Some(snapshot)) => Ok(snapshot.volume_size_gib),
        (None, None) => Err(Error::new(
            ErrorKind::MissingParameter,
            "The request must contain the parameter size or snapshotId",
        )),
    }
}

/// Makes the files of a volume and shows it as available.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CreateVolumeJob {
    volume: VolumeId,
    base: Option<Content>,
}

impl Job for CreateVolumeJob {
    const KIND: &'static str = "create-volume";

    fn subject(&self) -> &str {
        self.volume.as_str()
    }

    async fn step(&self, control: &Control, step: u32) -> Result<Next, Failure> {
        match step {
            0 => self.make(control).await,
            _ => self.show(control, VolumeState::Available).await,
        }
    }

    async fn undo(&self, control: &Control, step: u32, _why: &str) -> Result<(), Failure> {
        if step == 0 {
            let volume = volume::get(&mut *control.store().read().await?, &self.volume).await?;
            if let Some(volume) = volume {
                control.destroy_volume(&volume).await?;
            }
            self.show(control, VolumeState::Error).await?;
        }
        Ok(())
    }
}

impl CreateVolumeJob {
    async fn make(&self, control: &Control) -> Result<Next, Failure> {
        let volume = volume::get(&mut *control.store().read().await?, &self.volume).await?;
        let volume = volume.ok_or_else(|| Failure::fatal("the volume is not recorded"))?;
        control.make_volume(&volume, self.base.as_ref()).await?;
        Ok(Next::Step)
    }

    async fn show(&self, control: &Control, state: VolumeState) -> Result<Next, Failure> {
        let mut tx = control.store().write().await?;
        volume::update(&mut tx, &self.volume, |volume| {
            if volume.state == VolumeState::Creating {
                volume.state = state;
            }
        })
        .await?;
        tx.commit().await?;
        Ok(Next::Done)
    }
}

/// Completes the snapshots that are still being taken of a volume, then removes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DeleteVolumeJob {
    volume: VolumeId,
}

impl Job for DeleteVolumeJob {
    const KIND: &'static str = "delete-volume";

    fn subject(&self) -> &str {
        self.volume.as_str()
    }

    async fn step(&self, control: &Control, step: u32) -> Result<Next, Failure> {
        match step {
            0 => self.complete_snapshots(control).await,
            1 => self.remove(control).await,
            _ => self.forget(control).await,
        }
    }

    /// There is no way back: what can be said is that the deletion failed.
    async fn undo(&self, control: &Control, step: u32, _why: &str) -> Result<(), Failure> {
        if step == 0 {
            let mut tx = control.store().write().await?;
            volume::update(&mut tx, &self.volume, |volume| {
                volume.state = VolumeState::Error;
            })
            .await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

impl DeleteVolumeJob {
    async fn complete_snapshots(&self, control: &Control) -> Result<Next, Failure> {
        let pending =
            snapshots::list_pending_of(&mut *control.store().read().await?, &self.volume).await?;
        for snapshot in pending {
            match snapshot::capture(control, &self.volume, &snapshot.id).await {
                Ok(Next::Later(instant)) => return Ok(Next::Later(instant)),
                Ok(_) => {}
                Err(Failure::Final(why)) => snapshot::fail(control, &snapshot.id, &why).await?,
                Err(passing) => return Err(passing),
            }
        }
        if volume_copy::are_under_way(control, &self.volume).await? {
            return Ok(Next::Later(control.now().after(snapshot::RECORDING)));
        }
        Ok(Next::Step)
    }

    async fn remove(&self, control: &Control) -> Result<Next, Failure> {
        let volume = volume::get(&mut *control.store().read().await?, &self.volume).await?;
        if let Some(volume) = volume {
            control.destroy_volume(&volume).await?;
        }
        Ok(Next::Step)
    }

    async fn forget(&self, control: &Control) -> Result<Next, Failure> {
        let mut tx = control.store().write().await?;
        volume::delete(&mut tx, &self.volume).await?;
        tx.commit().await?;
        Ok(Next::Done)
    }
}
