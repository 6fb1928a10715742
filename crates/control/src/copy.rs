//! Copies of snapshots: to another region, another account, another key.
//!
//! A copy is a snapshot of its own from the first moment, `pending` until a job has brought its
//! content over. Within a domain that takes no bytes at all; elsewhere it takes those blocks that
//! the target does not hold yet. The content is the same, and so is the digest.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use cairn_blocks::{BlockStore, Density, DomainId, Root, Transferred, transfer};
use cairn_model::{
    KmsKey, Permissions, Region, ResourceType, Snapshot, SnapshotCopy, SnapshotId, SnapshotState,
    Tags, tag::TagsByType,
};
use cairn_store::{WriteTx, snapshot};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    describe::refuse_dry_run,
    ebs::NO_VOLUME,
    engine::{Content, blocking},
    jobs::{self, Failure, Job, Next},
    keys::verbs::Wish,
    request::CopySnapshot,
    snapshot::{check_description, check_readable, complete, content_of, fail, find_usable},
};

/// Minutes in which a copy may be asked to be completed: multiples of the least.
const DURATION_LEAST: i32 = 15;
const DURATION_GREATEST: i32 = 2_880;

/// A copy to be recorded.
#[derive(Clone, Debug)]
pub(crate) struct NewCopy {
    pub(crate) id: SnapshotId,
    pub(crate) description: String,
    pub(crate) tags: Tags,
    /// What it is kept under, of [`Control::copy_key`].
    pub(crate) key: Option<KmsKey>,
    pub(crate) copy: SnapshotCopy,
}

impl Control {
    /// Copies a snapshot into the caller's region and account. It is `pending` when this returns, and
    /// completed once its content is there.
    pub async fn copy_snapshot(&self, caller: &Caller, request: CopySnapshot) -> Result<Snapshot> {
        let tags = TagsByType::of(&request.tag_specifications, &[ResourceType::Snapshot])?;
        let description = request.description.unwrap_or_default();
        check_description(&description)?;
        check_duration(request.completion_duration_minutes)?;
        check_destination(caller, request.destination_region.as_deref())?;
        let there = Caller {
            region: source_region(&request.source_region)?,
            ..caller.clone()
        };
        self.check_region(caller, there.region).await?;
        let id = &request.source_snapshot_id;
        let source = find_usable(&mut *self.store().read().await?, &there, id).await?;
        check_readable(&source)?;
        let key = (request.encrypted, request.kms_key_id.as_deref());
        let key = self.copy_key(caller, &source, key, request.dry_run).await?;
        if !self.engine().has_room(caller.region).await? {
            return Err(Error::storage_full());
        }
        refuse_dry_run(request.dry_run)?;
        let new = NewCopy {
            id: SnapshotId::generate(self.entropy()),
            description,
            tags: tags.tags(ResourceType::Snapshot),
            key,
            copy: SnapshotCopy {
                completion_duration_minutes: request.completion_duration_minutes,
            },
        };
        let mut tx = self.store().write().await?;
        // It may have been deleted, or made private, since.
        let source = find_usable(&mut tx, &there, id).await?;
        check_readable(&source)?;
        let copy = self.record_copy(&mut tx, caller, &source, new).await?;
        tx.commit().await?;
        self.wake_jobs();
        Ok(copy)
    }

    /// The key that a copy is kept under: the one asked for, else the source's if it is the caller's
    /// own and here, else the account's own. Made ready to be used, unless only to be checked.
    pub(crate) async fn copy_key(
        &self,
        caller: &Caller,
        source: &Snapshot,
        (encrypted, key): (Option<bool>, Option<&str>),
        dry_run: bool,
    ) -> Result<Option<KmsKey>> {
        if key.is_some() && encrypted != Some(true) {
            return Err(Error::new(
                ErrorKind::InvalidParameterDependency,
                "The parameter KmsKeyId requires the parameter Encrypted to be set.",
            ));
        }
        let wish = Wish {
            encrypted,
            key,
            source: Some(source),
            dry_run,
        };
        self.key_for(caller, wish).await
    }

    /// Records a copy in the caller's account and region, and the job that makes it, in a transaction
    /// of which the caller wakes the jobs after its commit. The source has to be readable, and may be
    /// deleted right after.
    pub(crate) async fn record_copy(
        &self,
        tx: &mut WriteTx,
        caller: &Caller,
        source: &Snapshot,
        new: NewCopy,
    ) -> Result<Snapshot> {
        let content = content_of(tx, source).await?;
        let copy = self.begin_copy(caller, source, new)?;
        snapshot::insert(tx, &copy).await?;
        let job = CopyJob {
            snapshot: copy.id.clone(),
            source_region: source.region,
            source: content,
        };
        jobs::enqueue(tx, &job, self.now()).await?;
        Ok(copy)
    }

    fn begin_copy(&self, caller: &Caller, source: &Snapshot, new: NewCopy) -> Result<Snapshot> {
        Ok(Snapshot {
            id: new.id,
            account: caller.account.clone(),
            region: caller.region,
            volume_id: NO_VOLUME.parse().map_err(Error::internal)?,
            volume_size_gib: source.volume_size_gib,
            description: new.description,
            state: SnapshotState::Pending,
            state_message: None,
            progress: 0,
            start_time: self.stamp(),
            completion_time: None,
            encrypted: new.key.is_some(),
            kms_key_id: new.key.map(|key| key.arn()),
            parent_id: None,
            full_size_bytes: None,
            root: None,
            digest: None,
            signature: None,
            create_volume_permissions: Permissions::default(),
            copy: Some(new.copy),
            lock: None,
            recycled: None,
            tiering: None,
            tags: new.tags,
        })
    }
}

pub(crate) fn check_duration(minutes: Option<i32>) -> Result<()> {
    let is_right = |minutes: &i32| {
        (DURATION_LEAST..=DURATION_GREATEST).contains(minutes) && minutes % DURATION_LEAST == 0
    };
    if minutes.as_ref().is_none_or(is_right) {
        return Ok(());
    }
    let text = format!(
        "CompletionDurationMinutes has to be from {DURATION_LEAST} to {DURATION_GREATEST}, in steps of {DURATION_LEAST}."
    );
    Err(Error::new(ErrorKind::InvalidParameterValue, text))
}

/// Clients name it to have their request signed for there; a copy is made where it is asked for.
fn check_destination(caller: &Caller, region: Option<&str>) -> Result<()> {
    match region.filter(|region| *region != caller.region.name()) {
        None => Ok(()),
        Some(other) => {
            let text = format!(
                "DestinationRegion is '{other}', but the request was sent to {}: a copy is made in the region that is asked for it.",
                caller.region
            );
            Err(Error::new(ErrorKind::InvalidParameterValue, text))
        }
    }
}

/// The region that something is to be copied from.
pub(crate) fn source_region(name: &str) -> Result<Region> {
    Region::named(name).ok_or_else(|| {
        let text = format!("Invalid value '{name}' for SourceRegion: there is no such region.");
        Error::new(ErrorKind::InvalidParameterValue, text)
    })
}

/// Content to be brought from a domain to another one.
#[derive(Debug)]
pub(crate) struct Move {
    pub(crate) from: (Arc<BlockStore>, DomainId),
    pub(crate) to: (Arc<BlockStore>, DomainId),
    pub(crate) root: Root,
    pub(crate) density: Density,
    /// For whom, and where it is told how far it is.
    pub(crate) snapshot: SnapshotId,
    pub(crate) progress: ProgressOf,
}

/// What shows how far a move is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ProgressOf {
    /// The snapshot's own progress: it is being made.
    Snapshot,
    /// The progress of a change of tier.
    Tiering,
}

impl ProgressOf {
    /// False: the snapshot is gone.
    async fn record(
        self,
        control: &Control,
        id: &SnapshotId,
        percent: u8,
    ) -> Result<bool, Failure> {
        let mut tx = control.store().write().await?;
        let shown = snapshot::update(&mut tx, id, |snapshot| self.put(snapshot, percent)).await?;
        tx.commit().await?;
        Ok(shown.is_some())
    }

    fn put(self, snapshot: &mut Snapshot, percent: u8) {
        match self {
            Self::Snapshot if snapshot.state == SnapshotState::Pending => {
                snapshot.progress = snapshot.progress.max(percent);
            }
            Self::Snapshot => {}
            Self::Tiering => {
                if let Some(tiering) = &mut snapshot.tiering {
                    tiering.progress = percent;
                }
            }
        }
    }
}

impl Move {
    /// Brings it over, unless the server ends or the snapshot is gone: none then. A key that cannot be used
    /// now ends it for good.
    pub(crate) async fn carry_out(self, control: &Control) -> Result<Option<Root>, Failure> {
        let _permit = control.engine().captures().acquire().await;
        // They were usable when this was asked for; with a key goes the use of what is under it.
        control.check_key_of(self.from.1).await?;
        control.check_key_of(self.to.1).await?;
        let percent = watch::Sender::new(0);
        let wanted = Arc::new(AtomicBool::new(true));
        let mut changes = percent.subscribe();
        let still_wanted = Arc::clone(&wanted);
        let (id, shown) = (self.snapshot.clone(), self.progress);
        let recording = async {
            while changes.changed().await.is_ok() {
                let now = *changes.borrow_and_update();
                let is_wanted = shown.record(control, &id, now).await?;
                still_wanted.store(is_wanted, Ordering::Relaxed);
            }
            Ok::<_, Failure>(())
        };
        let stopping = control.jobs().stopping().clone();
        let report = move |done: Transferred| {
            let now = percent_of(done);
            percent.send_if_modified(|shown| std::mem::replace(shown, now) != now);
            match stopping.is_cancelled() || !wanted.load(Ordering::Relaxed) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let (moved, recorded) = tokio::join!(blocking(move || self.transfer(report)), recording);
        recorded?;
        Ok(moved?)
    }

    fn transfer(
        &self,
        mut report: impl FnMut(Transferred) -> ControlFlow<()>,
    ) -> Result<Option<Root>, cairn_blocks::Error> {
        let _sessions = [self.from.0.session(), self.to.0.session()];
        let (from, to) = ((&*self.from.0, self.from.1), (&*self.to.0, self.to.1));
        transfer(from, to, &self.root, self.density, &mut report)
    }
}

/// Less than 100 until it is recorded as done.
fn percent_of(done: Transferred) -> u8 {
    let percent = done.blocks.saturating_mul(100) / done.all_blocks.max(1);
    u8::try_from(percent.min(99)).unwrap_or(99)
}

/// Brings the content of a copy over, and shows it as completed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CopyJob {
    snapshot: SnapshotId,
    source_region: Region,
    /// Needed until this job is over, whatever becomes of its snapshot.
    source: Content,
}

impl Job for CopyJob {
    const KIND: &'static str = "copy-snapshot";

    fn subject(&self) -> &str {
        self.snapshot.as_str()
    }

    async fn step(&self, control: &Control, _step: u32) -> Result<Next, Failure> {
        let found = snapshot::get(&mut *control.store().read().await?, &self.snapshot).await?;
        let pending = found.filter(|copy| copy.state == SnapshotState::Pending);
        let Some(copy) = pending else {
            return Ok(Next::Done);
        };
        // Until the copy names its root, nothing else does.
        let _session = control.session(copy.region).await?;
        match self.bring(control, &copy).await? {
            Some(root) => complete(control, &copy.id, &root).await?,
            None => return Ok(Next::Later(control.now())),
        }
        Ok(Next::Done)
    }

    async fn undo(&self, control: &Control, _step: u32, why: &str) -> Result<(), Failure> {
        fail(control, &self.snapshot, why).await
    }
}

impl CopyJob {
    async fn bring(&self, control: &Control, copy: &Snapshot) -> Result<Option<Root>, Failure> {
        let (root, domain) = (self.source.root()?, control.domain_of(copy).await?);
        if domain == self.source.domain() {
            return Ok(Some(root));
        }
        let from = control.engine().store(self.source_region).await?;
        let to = control.engine().store(copy.region).await?;
        let work = Move {
            from: (from, self.source.domain()),
            to: (to, domain),
            root,
            density: Density::Usual,
            snapshot: copy.id.clone(),
            progress: ProgressOf::Snapshot,
        };
        work.carry_out(control).await
    }
}
