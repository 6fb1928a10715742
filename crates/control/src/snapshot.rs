//! Snapshots: freezing volumes, capturing what was frozen, and what is left afterwards.
//!
//! A snapshot's point in time is the call. [`Control::freeze_volumes`] makes the freeze durable
//! before a row names it; the row and the job that captures the frozen bytes are written in one
//! transaction. What was frozen and never named is given up when the volume is opened next.

use std::{collections::BTreeSet, ops::ControlFlow, sync::Arc, time::Duration};

use cairn_blocks::{BLOCK_SIZE, DomainId, Root};
use cairn_model::{
    AccountId, Faceted as _, Paged, Permissions, Region, ResourceType, Snapshot, SnapshotId,
    SnapshotState, Tags, Viewer, Volume, VolumeId, VolumeState, page::Bounds, tag::TagsByType,
};
use cairn_store::{
    Connection, WriteTx,
    domain::{self, Domain},
    job, snapshot, volume as volumes,
};
use cairn_volume::{EpochTag, Progress};
use serde::{Deserialize, Serialize};
use tokio::{runtime::Handle, sync::watch};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    describe::{self, OWNER_ALIASES, Question, Users, refuse_dry_run},
    engine::{Content, EngineError, blocking},
    image,
    jobs::{self, Failure, Job, Next},
    keys::verbs::domain_of,
    lock, record,
    request::{ById, CreateSnapshot, DescribeSnapshots},
    snapshot_access::{Blocks, is_usable},
    volume, volume_copy,
};

/// What MaxResults of DescribeSnapshots may be; more than this is as good as this.
const PAGE: Bounds = Bounds { min: 5, max: 1000 };

/// The greatest length of a description, in characters.
const DESCRIPTION: usize = 255;

/// How long to wait for a freeze that is about to be recorded, or for another job to be done with one.
pub(crate) const RECORDING: Duration = Duration::from_secs(1);

/// Progress is recorded whenever it has grown by so many percent.
const PROGRESS_STEP: u8 = 5;

impl Control {
    /// Takes a snapshot: its content is what the volume held at this call. It is `pending` when
    /// this returns, and completed once its blocks are stored.
    pub async fn create_snapshot(
        &self,
        caller: &Caller,
        request: CreateSnapshot,
    ) -> Result<Snapshot> {
        let tags = TagsByType::of(&request.tag_specifications, &[ResourceType::Snapshot])?;
        let description = request.description.unwrap_or_default();
        check_description(&description)?;
        let volume =
            volume::find(&mut *self.store().read().await?, caller, &request.volume_id).await?;
        check_snapshotable(&volume)?;
        self.check_key(volume.kms_key_id.as_deref()).await?;
        if !self.engine().has_room(caller.region).await? {
            return Err(Error::storage_full());
        }
        refuse_dry_run(request.dry_run)?;
        let id = SnapshotId::generate(self.entropy());
        let new = NewSnapshot {
            id,
            volume,
            description,
            tags: tags.tags(ResourceType::Snapshot),
        };
        let frozen = self.freeze_volumes(vec![new]).await?;
        let mut tx = self.store().write().await?;
        frozen.record(&mut tx).await?;
        tx.commit().await?;
        let snapshots = frozen.keep();
        snapshots
            .into_iter()
            .next()
            .ok_or_else(|| Error::internal("a freeze of nothing"))
    }

    /// The snapshots of these ids, or all that the caller may see, that pass the filters; oldest first:
    /// its own, those that it was let in to, and public ones.
    pub async fn describe_snapshots(
        &self,
        caller: &Caller,
        mut request: DescribeSnapshots,
    ) -> Result<Paged<Snapshot>> {
        let common = &mut request.common;
        describe::check_ids::<SnapshotId>(
            common,
            ErrorKind::SnapshotIdMalformed,
            "snapshotSet",
            PAGE,
        )?;
        let owners = describe::accounts(caller, &request.owner_ids, OWNER_ALIASES)?;
        let users = Users::read(caller, &request.restorable_by_user_ids)?;
        let question = Question {
            control: self,
            caller,
            operation: "DescribeSnapshots",
            bounds: PAGE,
            request: &request.common,
        };
        let ids = &request.common.ids;
        let wish = |blocks| Wish {
            viewer: caller.viewer(),
            users: &users,
            owners: owners.as_ref(),
            blocks,
        };
        if ids.is_empty() {
            let mut read = self.store().read().await?;
            let wish = wish(Blocks::read(&mut read, caller.region).await?);
            let see = |snapshot| Some(snapshot).filter(|s| wish.can_see(s) && wish.wants(s));
            let owned = describe::owned_by(owners.as_ref());
            return question.look_up(&mut read, owned, see).await;
        }
        let (mut found, blocks) = self.named_snapshots(caller.region, ids).await?;
        let wish = wish(blocks);
        found.retain(|snapshot| snapshot.region == caller.region && wish.can_see(snapshot));
        let mut found = describe::select(found, ids, |s| s.id.as_str(), not_found)?;
        found.retain(|snapshot| wish.wants(snapshot));
        question.answer(found, |snapshot| snapshot.page_key().to_string())
    }

    /// The snapshots of these ids that there are, whoever owns them, and whose are hidden, if that matters.
    async fn named_snapshots(
        &self,
        region: Region,
        ids: &[String],
    ) -> Result<(Vec<Snapshot>, Blocks)> {
        let mut read = self.store().read_once().await?;
        let found = snapshot::get_all(&mut read, ids).await?;
        let blocks = Blocks::about(&mut read, region, found.iter()).await?;
        Ok((found, blocks))
    }

    /// Deletes a snapshot that no image needs. Blocks that others need stay; a snapshot that is
    /// still being taken is given up.
    pub async fn delete_snapshot(&self, caller: &Caller, request: ById) -> Result<()> {
        let mut tx = self.store().write().await?;
        let snapshot = find(&mut tx, caller, &request.id).await?;
        check_unused(&mut tx, &snapshot).await?;
        lock::check_deletable(&snapshot, self.now())?;
        refuse_dry_run(request.dry_run)?;
        self.discard(&mut tx, &snapshot).await?;
        tx.commit().await?;
        self.wake_jobs();
        Ok(())
    }

    /// Deletes a snapshot that no image needs any more, in the caller's transaction; the caller
    /// wakes the jobs after its commit.
    pub(crate) async fn forget(&self, tx: &mut WriteTx, snapshot: &Snapshot) -> Result<()> {
        let mut is_frozen = false;
        for job in job::list_of(tx, snapshot.id.as_str()).await? {
            // Also of a snapshot that is completed: what was frozen is then not yet committed.
            is_frozen |= job.kind == CaptureJob::KIND;
            job::delete(tx, job.id).await?;
        }
        if is_frozen {
            let abandon = AbandonJob {
                snapshot: snapshot.id.clone(),
                volume: snapshot.volume_id.clone(),
            };
            jobs::enqueue(tx, &abandon, self.now()).await?;
        }
        // Also of a snapshot that is not completed: a crash may have come in between.
        record::enqueue(self, tx, snapshot.region, &snapshot.id).await?;
        snapshot::delete(tx, &snapshot.id).await?;
        Ok(())
    }

    /// Sees to it that what is in the Recycle Bin leaves it some day, and that changes of tiers go on: their
    /// jobs do not survive the loss of the metadata, and records do.
    pub(crate) async fn resume_set_aside(&self) -> Result<()> {
        let mut tx = self.store().write().await?;
        for found in snapshot::list_set_aside(&mut tx).await? {
            self.resume_bin(&mut tx, &found).await?;
            self.resume_tier(&mut tx, &found).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Freezes volumes at one moment: what is in the snapshot of one was written before whatever
    /// is not in that of another. Durable on return; unless it is recorded and kept, it is undone.
    pub(crate) async fn freeze_volumes(&self, new: Vec<NewSnapshot>) -> Result<Frozen> {
        let mut epochs = Vec::with_capacity(new.len());
        for snapshot in &new {
            self.check_key(snapshot.volume.kms_key_id.as_deref())
                .await?;
            let tag = tag(&snapshot.id)?;
            epochs.push((self.open_volume(&snapshot.volume.id).await?, tag));
        }
        let start_time = self.stamp();
        let under_way = self.freeze(epochs).await?;
        let mut snapshots = Vec::with_capacity(new.len());
        for (new, (volume, tag)) in new.into_iter().zip(&under_way.epochs) {
            // A volume that is being made larger may not be shown as larger yet.
            let size_gib = size_at(volume, tag)?;
            snapshots.push(Snapshot {
                volume_size_gib: size_gib,
                ..new.begin(start_time)
            });
        }
        Ok(Frozen {
            under_way,
            snapshots,
        })
    }

    /// Freezes volumes under these tags. Dropped without being kept, the freezes are undone.
    pub(crate) async fn freeze(
        &self,
        epochs: Vec<(Arc<cairn_volume::Volume>, EpochTag)>,
    ) -> Result<UnderWay> {
        // Begun, a freeze runs to its end also when the caller goes away: what it yields then is
        // dropped, which undoes it.
        let under_way = UnderWay::new(self.clone(), epochs);
        let freeze = move || cairn_volume::freeze_all(&under_way.epochs).map(|_| under_way);
        match blocking(freeze).await {
            Ok(under_way) => Ok(under_way),
            Err(EngineError::Volume(cairn_volume::Error::TooManyEpochs { max })) => {
                Err(Error::new(
                    ErrorKind::ConcurrentSnapshotLimitExceeded,
                    format!(
                        "The volume has {max} pending snapshots, which is the maximum allowed."
                    ),
                ))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A snapshot to be taken.
#[derive(Clone, Debug)]
pub(crate) struct NewSnapshot {
    pub(crate) id: SnapshotId,
    pub(crate) volume: Volume,
    pub(crate) description: String,
    pub(crate) tags: Tags,
}

impl NewSnapshot {
    fn begin(self, start_time: cairn_model::Timestamp) -> Snapshot {
        Snapshot {
            id: self.id,
            account: self.volume.account,
            region: self.volume.region,
            volume_id: self.volume.id,
            volume_size_gib: self.volume.size_gib,
            description: self.description,
            state: SnapshotState::Pending,
            state_message: None,
            progress: 0,
            start_time,
            completion_time: None,
            encrypted: self.volume.encrypted,
            kms_key_id: self.volume.kms_key_id,
            parent_id: None,
            full_size_bytes: None,
            root: None,
            digest: None,
            signature: None,
            create_volume_permissions: Permissions::default(),
            copy: None,
            lock: None,
            recycled: None,
            tiering: None,
            tags: self.tags,
        }
    }
}

/// Volumes that are frozen. Dropped without [`keep`](Self::keep), the freeze is given up.
#[derive(Debug)]
pub(crate) struct Frozen {
    under_way: UnderWay,
    snapshots: Vec<Snapshot>,
}

impl Frozen {
    /// Records the snapshots, with the jobs that capture them. Call [`keep`](Self::keep) after the
    /// commit.
    pub(crate) async fn record(&self, tx: &mut WriteTx) -> Result<()> {
        for snapshot in &self.snapshots {
            // From the moment the row is there a deletion waits for the capture; before, it does not.
            let volume = volumes::get_present(tx, &snapshot.volume_id).await?;
            check_snapshotable(&volume.ok_or_else(|| gone(&snapshot.volume_id))?)?;
            snapshot::insert(tx, snapshot).await?;
            let capture = CaptureJob {
                snapshot: snapshot.id.clone(),
                volume: snapshot.volume_id.clone(),
            };
            jobs::enqueue(tx, &capture, self.under_way.control.now()).await?;
        }
        Ok(())
    }

    /// The freeze is on record: have it captured.
    pub(crate) fn keep(mut self) -> Vec<Snapshot> {
        self.under_way.keep();
        self.under_way.control.wake_jobs();
        std::mem::take(&mut self.snapshots)
    }
}

/// Freezes that are begun and not yet on record. Dropped, they are undone.
#[derive(Debug)]
pub(crate) struct UnderWay {
    control: Control,
    epochs: Vec<(Arc<cairn_volume::Volume>, EpochTag)>,
    runtime: Handle,
}

impl UnderWay {
    fn new(control: Control, epochs: Vec<(Arc<cairn_volume::Volume>, EpochTag)>) -> Self {
        for (_, tag) in &epochs {
            control.engine().freezing().insert(tag.clone());
        }
        Self {
            control,
            epochs,
            runtime: Handle::current(),
        }
    }

    /// The freezes are on record.
    pub(crate) fn keep(&mut self) {
        for (_, tag) in self.epochs.drain(..) {
            self.control.engine().freezing().remove(&tag);
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let epochs = std::mem::take(&mut self.epochs);
        if epochs.is_empty() {
            return;
        }
        let control = self.control.clone();
        // Not waited for: an epoch that stays is given up by the next capture of its volume, or
        // when the volume is opened next.
        drop(self.runtime.spawn_blocking(move || {
            for (volume, tag) in epochs {
                match volume.abandon(&tag) {
                    Ok(()) | Err(cairn_volume::Error::UnknownEpoch(_)) => {}
                    Err(error) => tracing::error!(%tag, %error, "give up a freeze"),
                }
                control.engine().freezing().remove(&tag);
            }
        }));
    }
}

/// The size in GiB that a volume had when it was frozen.
fn size_at(volume: &cairn_volume::Volume, tag: &EpochTag) -> Result<i32> {
    let bytes = volume.epoch_size(tag);
    let bytes = bytes.ok_or_else(|| Error::internal(format!("the freeze {tag} is gone")))?;
    i32::try_from(bytes / volume::GIB).map_err(Error::internal)
}

/// Which snapshots are asked for, and who asks.
#[derive(Debug)]
struct Wish<'a> {
    viewer: Viewer,
    users: &'a Users,
    /// None: whoever owns them.
    owners: Option<&'a BTreeSet<AccountId>>,
    blocks: Blocks,
}

impl Wish<'_> {
    fn can_see(&self, snapshot: &Snapshot) -> bool {
        snapshot.recycled.is_none() && is_usable(&self.viewer, snapshot, &self.blocks)
    }

    fn wants(&self, snapshot: &Snapshot) -> bool {
        // An owner can always restore what is its own, and needs no permission for it.
        let own = self.users.name_caller() && snapshot.account == self.viewer.account;
        (own || self.users.may_use(&self.blocks.effective(snapshot)))
            && self
                .owners
                .is_none_or(|owners| owners.contains(&snapshot.account))
    }
}

/// The snapshot of an id that the caller may make volumes of: its own, one that it was let in to, or a
/// public one.
pub(crate) async fn find_usable(
    conn: &mut Connection,
    caller: &Caller,
    id: &str,
) -> Result<Snapshot> {
    let parsed = describe::parse_id(id, ErrorKind::SnapshotIdMalformed)?;
    let found = snapshot::get_present(conn, &parsed).await?;
    let blocks = Blocks::about(conn, caller.region, found.iter()).await?;
    found
        .filter(|snapshot| snapshot.region == caller.region)
        .filter(|snapshot| is_usable(&caller.viewer(), snapshot, &blocks))
        .ok_or_else(|| not_found(id))
}

/// The caller's own snapshot of an id.
pub(crate) async fn find(conn: &mut Connection, caller: &Caller, id: &str) -> Result<Snapshot> {
    let parsed = describe::parse_id(id, ErrorKind::SnapshotIdMalformed)?;
    let found = snapshot::get_present(conn, &parsed).await?;
    found
        .filter(|snapshot| snapshot.account == caller.account && snapshot.region == caller.region)
        .ok_or_else(|| not_found(id))
}

/// Refuses to delete a snapshot that an image needs.
pub(crate) async fn check_unused(conn: &mut Connection, snapshot: &Snapshot) -> Result<()> {
    match snapshot::images_of(conn, &snapshot.id).await?.first() {
        Some(image) => Err(Error::new(
            ErrorKind::SnapshotInUse,
            format!(
                "The snapshot {} is currently in use by {image}",
                snapshot.id
            ),
        )),
        None => Ok(()),
    }
}

/// Refuses a snapshot that holds nothing yet, or nothing that can be read now.
pub(crate) fn check_readable(snapshot: &Snapshot) -> Result<()> {
    let id = &snapshot.id;
    let text = match snapshot.state {
        SnapshotState::Completed if snapshot.is_in_standard() => return Ok(()),
        SnapshotState::Completed => format!(
            "The snapshot '{id}' is in the archive tier: restore it with RestoreSnapshotTier before it is used."
        ),
        state => format!("Snapshot is in invalid state - {state}"),
    };
    Err(Error::new(ErrorKind::IncorrectState, text))
}

/// Where to find the content of a completed snapshot.
pub(crate) async fn content_of(conn: &mut Connection, snapshot: &Snapshot) -> Result<Content> {
    let domain = location_of(conn, snapshot).await?;
    let root = snapshot.root.clone();
    let root =
        root.ok_or_else(|| Error::internal(format!("snapshot {} has no content", snapshot.id)))?;
    Content::of_snapshot(snapshot, domain.id, root)
}

/// The domain that the blocks of a snapshot lie in now.
pub(crate) async fn location_of(conn: &mut Connection, snapshot: &Snapshot) -> Result<Domain> {
    let Some(archive) = snapshot.archive_location() else {
        let key = snapshot.kms_key_id.as_deref();
        return domain_of(conn, snapshot.region, &snapshot.account, key).await;
    };
    let found = domain::get(conn, DomainId(archive)).await?;
    found.ok_or_else(|| Error::internal(format!("the archive of {} is not there", snapshot.id)))
}

/// As [`content_of`], by a transaction of its own.
pub(crate) async fn content(control: &Control, snapshot: &Snapshot) -> Result<Content> {
    content_of(&mut *control.store().read().await?, snapshot).await
}

/// Checks a description's length.
pub(crate) fn check_description(description: &str) -> Result<()> {
    if description.chars().count() > DESCRIPTION {
        let text = format!("The description may have up to {DESCRIPTION} characters.");
        return Err(Error::new(ErrorKind::InvalidParameterValue, text));
    }
    Ok(())
}

/// Captures what was frozen for a snapshot and shows the snapshot as completed. The freezes of the
/// volume that came before are captured and committed on the way, since each one builds on the one
/// before it.
pub(crate) async fn capture(
    control: &Control,
    volume: &VolumeId,
    id: &SnapshotId,
) -> Result<Next, Failure> {
    let slot = control.engine().slot(volume);
    let _turn = slot.capture.lock().await;
    if !is_pending(control, id).await? {
        return Ok(Next::Step);
    }
    let _permit = control
        .engine()
        .captures()
        .acquire()
        .await
        .map_err(Failure::passing)?;
    let open = control.open_volume(volume).await?;
    let pending = open.pending_epochs();
    let Some(at) = pending
        .iter()
        .position(|epoch| epoch.as_str() == id.as_str())
    else {
        return Err(Failure::fatal("what was frozen for the snapshot is lost"));
    };
    for epoch in &pending[..at] {
        if let later @ Next::Later(_) = capture_earlier(control, &open, epoch).await? {
            return Ok(later);
        }
    }
    capture_epoch(control, &open, &pending[at]).await
}

/// Marks a snapshot as failed.
pub(crate) async fn fail(control: &Control, id: &SnapshotId, why: &str) -> Result<(), Failure> {
    let mut tx = control.store().write().await?;
    let failed = snapshot::update(&mut tx, id, |snapshot| {
        if snapshot.state == SnapshotState::Pending {
            snapshot.state = SnapshotState::Error;
            snapshot.state_message = Some(why.to_owned());
        }
    })
    .await?;
    if let Some(failed) = failed {
        record::enqueue(control, &mut tx, failed.region, id).await?;
    }
    image::settle(&mut tx, id).await?;
    tx.commit().await?;
    Ok(())
}

/// Shows a snapshot as completed, with all that its content tells. It is no error if it was deleted
/// meanwhile.
pub(crate) async fn complete(
    control: &Control,
    id: &SnapshotId,
    root: &Root,
) -> Result<(), Failure> {
    let found = snapshot::get(&mut *control.store().read().await?, id).await?;
    let Some(found) = found else { return Ok(()) };
    let full_size = full_size(control, &found, *root).await?;
    let mut tx = control.store().write().await?;
    let now = control.stamp();
    let completed = snapshot::update(&mut tx, id, |snapshot| {
        if snapshot.state == SnapshotState::Pending {
            snapshot.state = SnapshotState::Completed;
            snapshot.progress = 100;
            snapshot.completion_time = Some(now);
            snapshot.full_size_bytes = Some(full_size);
            snapshot.root = Some(root.node.to_string());
            snapshot.digest = Some(root.digest().to_string());
            snapshot.signature = control.signing().sign(snapshot);
            if let Some(lock) = &mut snapshot.lock {
                lock.starts = Some(now);
            }
        }
    })
    .await?;
    if let Some(completed) = completed.filter(|found| found.state == SnapshotState::Completed) {
        record::write(control, &mut tx, &completed).await?;
    }
    image::settle(&mut tx, id).await?;
    tx.commit().await?;
    Ok(())
}

impl Control {
    /// The domain of a snapshot's blocks.
    pub(crate) async fn domain_of(&self, snapshot: &Snapshot) -> Result<DomainId> {
        let key = snapshot.kms_key_id.as_deref();
        self.domain(snapshot.region, &snapshot.account, key).await
    }

    /// As [`session`](Self::session), of a snapshot's region.
    pub(crate) async fn session_of(
        &self,
        id: &SnapshotId,
    ) -> Result<Option<cairn_blocks::Session>, Failure> {
        let found = snapshot::get(&mut *self.store().read().await?, id).await?;
        Ok(match found {
            Some(snapshot) => Some(self.session(snapshot.region).await?),
            None => None,
        })
    }

    /// Holds on to what is put into the block store of a region from now on.
    pub(crate) async fn session(
        &self,
        region: Region,
    ) -> Result<cairn_blocks::Session, EngineError> {
        Ok(self.engine().store(region).await?.session())
    }

    /// Holds on to what snapshots of a region hold that are looked up from now on: they may be
    /// deleted while they are read. None if nothing was ever stored there.
    pub(crate) async fn reading(
        &self,
        region: Region,
    ) -> Result<Option<cairn_blocks::Session>, EngineError> {
        let store = self.engine().existing_store(region).await?;
        Ok(store.map(|store| store.session()))
    }
}

async fn full_size(control: &Control, snapshot: &Snapshot, root: Root) -> Result<u64, Failure> {
    let store = control.engine().store(snapshot.region).await?;
    let domain = control.domain_of(snapshot).await?;
    let blocks = blocking(move || store.count(domain, &root)).await?;
    Ok(blocks * BLOCK_SIZE as u64)
}

/// False: it was completed by a later freeze's capture, or deleted, or it failed.
async fn is_pending(control: &Control, id: &SnapshotId) -> Result<bool, Failure> {
    let found = snapshot::get(&mut *control.store().read().await?, id).await?;
    Ok(found.is_some_and(|snapshot| snapshot.state == SnapshotState::Pending))
}

/// Whether the files of a volume are there and stay for now.
async fn has_files(control: &Control, id: &VolumeId) -> Result<bool, Failure> {
    let found = volumes::get(&mut *control.store().read().await?, id).await?;
    Ok(found.is_some_and(|volume| volume.state != VolumeState::Deleting))
}

/// An earlier freeze of the same volume, to its end. If it cannot be captured it fails alone; if
/// its snapshot was deleted it is given up.
async fn capture_earlier(
    control: &Control,
    volume: &Arc<cairn_volume::Volume>,
    epoch: &EpochTag,
) -> Result<Next, Failure> {
    if control.engine().freezing().contains(epoch) {
        return Ok(Next::Later(control.now().after(RECORDING)));
    }
    if volume_copy::is_under_way(control, epoch).await? {
        // Its own job captures it, and gives it up.
        return Ok(Next::Later(control.now().after(RECORDING)));
    }
    let Ok(id) = snapshot_id(epoch) else {
        return abandon(volume, epoch).await.map(|()| Next::Step);
    };
    if snapshot::get(&mut *control.store().read().await?, &id)
        .await?
        .is_none()
    {
        return abandon(volume, epoch).await.map(|()| Next::Step);
    }
    match capture_epoch(control, volume, epoch).await {
        Ok(Next::Step) => commit(control, volume, epoch).await.map(|()| Next::Step),
        Err(Failure::Final(why)) => {
            fail(control, &id, &why).await?;
            abandon(volume, epoch).await.map(|()| Next::Step)
        }
        other => other,
    }
}

/// One freeze: its blocks into the block store, then the snapshot as completed.
async fn capture_epoch(
    control: &Control,
    volume: &Arc<cairn_volume::Volume>,
    epoch: &EpochTag,
) -> Result<Next, Failure> {
    let id = snapshot_id(epoch)?;
    // Until the snapshot names its root, nothing else does.
    let _session = control.session_of(&id).await?;
    let percent = watch::Sender::new(0);
    let recording = record_progress(control, &id, percent.subscribe());
    let captured = {
        let (volume, epoch) = (Arc::clone(volume), epoch.clone());
        let stopping = control.jobs().stopping().clone();
        let mut report = move |progress| {
            percent.send_replace(percent_of(progress));
            if stopping.is_cancelled() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        blocking(move || volume.capture(&epoch, &mut report))
    };
    // The sender ends with the capture, and the recording with the sender.
    let (captured, recorded) = tokio::join!(captured, recording);
    recorded?;
    match captured {
        Ok(root) => complete(control, &id, &root).await.map(|()| Next::Step),
        // By a deletion of the snapshot, or by the end of the server.
        Err(EngineError::Volume(cairn_volume::Error::Cancelled | cairn_volume::Error::Closed)) => {
            Ok(Next::Later(control.now()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Less than 100 until the snapshot is completed.
fn percent_of(progress: Progress) -> u8 {
    let done = progress.captured_blocks.saturating_mul(100) / progress.total_blocks.max(1);
    u8::try_from(done.min(99)).unwrap_or(99)
}

/// Records the progress now and then, until the capture is over.
async fn record_progress(
    control: &Control,
    id: &SnapshotId,
    mut percent: watch::Receiver<u8>,
) -> Result<(), Failure> {
    let mut recorded = 0;
    while percent.changed().await.is_ok() {
        let now = *percent.borrow_and_update();
        if now < recorded + PROGRESS_STEP {
            continue;
        }
        recorded = now;
        let mut tx = control.store().write().await?;
        snapshot::update(&mut tx, id, |snapshot| {
            if snapshot.state == SnapshotState::Pending {
                snapshot.progress = snapshot.progress.max(now);
            }
        })
        .await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Makes a captured freeze the base of its volume. Done already, nothing happens; a snapshot that
/// was deleted meanwhile is left to the job that gives its freeze up.
async fn commit(
    control: &Control,
    volume: &Arc<cairn_volume::Volume>,
    epoch: &EpochTag,
) -> Result<(), Failure> {
    let id = snapshot_id(epoch)?;
    let find = async || snapshot::get(&mut *control.store().read().await?, &id).await;
    let Some(found) = find().await? else {
        return Ok(());
    };
    let content = content(control, &found).await?;
    let root = content.root()?;
    let _committing = control.engine().commit_of(epoch, content);
    // Deleted from now on, its content is kept until it is the volume's.
    if find().await?.is_none() {
        return Ok(());
    }
    let (volume, epoch) = (Arc::clone(volume), epoch.clone());
    Ok(blocking(move || match volume.commit(&epoch, &root) {
        Err(cairn_volume::Error::UnknownEpoch(_)) => Ok(()),
        other => other,
    })
    .await?)
}

/// Gives a freeze up, unless that was done before.
pub(crate) async fn abandon(
    volume: &Arc<cairn_volume::Volume>,
    epoch: &EpochTag,
) -> Result<(), Failure> {
    let (volume, epoch) = (Arc::clone(volume), epoch.clone());
    Ok(blocking(move || match volume.abandon(&epoch) {
        Err(cairn_volume::Error::UnknownEpoch(_)) => Ok(()),
        other => other,
    })
    .await?)
}

fn tag(id: &SnapshotId) -> Result<EpochTag> {
    EpochTag::new(id.as_str()).map_err(Error::internal)
}

fn snapshot_id(epoch: &EpochTag) -> Result<SnapshotId, Failure> {
    epoch.as_str().parse().map_err(Failure::fatal)
}

pub(crate) fn not_found(id: &str) -> Error {
    Error::new(
        ErrorKind::SnapshotNotFound,
        format!("The snapshot '{id}' does not exist."),
    )
}

fn gone(id: &VolumeId) -> Error {
    Error::new(
        ErrorKind::VolumeNotFound,
        format!("The volume '{id}' does not exist."),
    )
}

pub(crate) fn check_snapshotable(volume: &Volume) -> Result<()> {
    match volume.state {
        VolumeState::Available | VolumeState::InUse => Ok(()),
        VolumeState::Deleting | VolumeState::Deleted => Err(gone(&volume.id)),
        state => Err(Error::new(
            ErrorKind::IncorrectState,
            format!(
                "The volume '{}' is '{state}', and no snapshot can be taken of it.",
                volume.id
            ),
        )),
    }
}

/// Captures what was frozen for a snapshot, then makes it the base of its volume.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CaptureJob {
    snapshot: SnapshotId,
    volume: VolumeId,
}

impl Job for CaptureJob {
    const KIND: &'static str = "capture";

    fn subject(&self) -> &str {
        self.snapshot.as_str()
    }

    async fn step(&self, control: &Control, step: u32) -> Result<Next, Failure> {
        match step {
            0 => capture(control, &self.volume, &self.snapshot).await,
            _ => self.commit(control).await,
        }
    }

    /// What cannot be read is shown as failed, never as something else.
    async fn undo(&self, control: &Control, step: u32, why: &str) -> Result<(), Failure> {
        if step == 0 {
            fail(control, &self.snapshot, why).await?;
            give_up(control, &self.volume, &self.snapshot).await?;
        }
        Ok(())
    }
}

impl CaptureJob {
    /// A volume that is being deleted needs no base any more.
    async fn commit(&self, control: &Control) -> Result<Next, Failure> {
        {
            let slot = control.engine().slot(&self.volume);
            let _turn = slot.capture.lock().await;
            if !has_files(control, &self.volume).await? {
                return Ok(Next::Done);
            }
            let volume = control.open_volume(&self.volume).await?;
            commit(control, &volume, &tag(&self.snapshot)?).await?;
        }
        control.release_volume(&self.volume).await?;
        Ok(Next::Done)
    }
}

/// Gives up the freeze of a snapshot that was deleted before it was complete.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AbandonJob {
    snapshot: SnapshotId,
    volume: VolumeId,
}

impl Job for AbandonJob {
    const KIND: &'static str = "abandon";

    fn subject(&self) -> &str {
        self.volume.as_str()
    }

    async fn step(&self, control: &Control, _step: u32) -> Result<Next, Failure> {
        give_up(control, &self.volume, &self.snapshot).await?;
        Ok(Next::Done)
    }

    async fn undo(&self, _control: &Control, _step: u32, _why: &str) -> Result<(), Failure> {
        Ok(())
    }
}

/// Gives up a freeze, and with it the capture that may be under way.
async fn give_up(control: &Control, volume: &VolumeId, id: &SnapshotId) -> Result<(), Failure> {
    if !has_files(control, volume).await? {
        return Ok(());
    }
    let open = control.open_volume(volume).await?;
    abandon(&open, &tag(id)?).await?;
    drop(open);
    Ok(control.release_volume(volume).await?)
}
