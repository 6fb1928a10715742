//! Work that goes on after the answer.
//!
//! A job is a row that is inserted in the transaction which shows its intent. It is taken step by
//! step; each step is idempotent, and beside each stands what undoes it. The row names the step:
//! a server that was killed takes the step that was under way once more. A step that fails in
//! passing is tried again, later and later; one that cannot succeed turns the job round, and the
//! steps taken are undone, the last one first.
//!
//! To add a kind of work: implement [`Job`], and add a line to [`dispatch`].

use std::{
    collections::HashSet,
    fmt,
    future::Future,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use cairn_model::Timestamp;
use cairn_store::{
    WriteTx,
    job::{self, JobId, JobState, NewJob},
};
use futures_util::FutureExt as _;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    sync::{Notify, Semaphore, watch},
    time::MissedTickBehavior,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Control, Error, ErrorKind, Result,
    attachment::{AttachJob, DetachJob},
    control::Inner,
    copy::CopyJob,
    ebs::{CompleteUploadJob, ExpireUploadJob},
    fast_restore::FastRestoreJob,
    image::CreateImageJob,
    image_bin::EmptyImageBinJob,
    image_usage::UsageReportJob,
    instance::{RebootJob, StartJob, StopJob, TerminateJob},
    keys::lifecycle::EraseKeyJob,
    launch::LaunchJob,
    modification::ModifyJob,
    record::RecordJob,
    recycle_bin::EmptyBinJob,
    replace_root::ReplaceRootJob,
    scrub::ScrubJob,
    snapshot::{AbandonJob, CaptureJob},
    tier::{ArchiveJob, RestoreJob},
    volume::{CreateVolumeJob, DeleteVolumeJob},
    volume_bin::EmptyVolumeBinJob,
    volume_copy::CopyVolumeJob,
};

/// Jobs at a time; more wait. Most of a job is waiting, for a disk or for a machine.
const AT_ONCE: usize = 32;

/// How often the clock is looked at for jobs that have become due. The clock may be a virtual one,
/// so there is no waiting for an instant.
const TICK: Duration = Duration::from_secs(1);

/// Attempts at a step before it counts as failed for good.
const ATTEMPTS: u32 = 8;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A kind of work.
pub(crate) trait Job: fmt::Debug + Serialize + DeserializeOwned + Send + Sync {
    /// Its name in the table.
    const KIND: &'static str;

    /// The id of the resource that it works on.
    fn subject(&self) -> &str;

    /// Takes a step, the first being 0. Done twice it is done once.
    fn step(
        &self,
        control: &Control,
        step: u32,
    ) -> impl Future<Output = Result<Next, Failure>> + Send;

    /// Undoes a step, be it done, half done or not begun, because of `why`. Undone twice it is
    /// undone once.
    fn undo(
        &self,
        control: &Control,
        step: u32,
        why: &str,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// How a job goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// With the next step.
    Step,
    /// With this step again, not before an instant.
    Later(Timestamp),
    /// Not at all: it is done.
    Done,
}

/// A step that was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It may succeed the next time.
    Passing(String),
    /// It will not succeed: undo.
    Final(String),
}

impl Failure {
    /// A failure that another attempt may not see.
    pub(crate) fn passing(cause: impl fmt::Display) -> Self {
        Self::Passing(cause.to_string())
    }

    /// A failure that stays.
    pub(crate) fn fatal(cause: impl fmt::Display) -> Self {
        Self::Final(cause.to_string())
    }
}

impl From<cairn_store::Error> for Failure {
    fn from(error: cairn_store::Error) -> Self {
        Self::passing(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.kind {
            ErrorKind::KmsKeyInvalidState => Self::fatal(error),
            _ => Self::passing(error),
        }
    }
}

/// Where a job is, for a [`JobGate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPoint {
    /// The kind of work.
    pub kind: String,
    /// The step.
    pub step: u32,
    /// Whether it is being undone.
    pub undoing: bool,
    /// False before the step, true after it and before it is recorded.
    pub taken: bool,
}

/// Lets a test stop the server at a step, as if it had been killed there.
pub trait JobGate: fmt::Debug + Send + Sync {
    /// Whether the job may go on. False stops all jobs where they are.
    fn pass(&self, point: &JobPoint) -> bool;
}

/// Records a job; it begins once the transaction is committed and [`Control::wake_jobs`] was
/// called, or at the next look at the clock.
pub(crate) async fn enqueue<J: Job>(tx: &mut WriteTx, job: &J, now: Timestamp) -> Result<JobId> {
    enqueue_at(tx, job, now, now).await
}

/// As [`enqueue`], not to begin before an instant.
pub(crate) async fn enqueue_at<J: Job>(
    tx: &mut WriteTx,
    job: &J,
    now: Timestamp,
    not_before: Timestamp,
) -> Result<JobId> {
    let payload = serde_json::to_string(job).map_err(Error::internal)?;
    let row = NewJob {
        kind: J::KIND,
        subject: job.subject().to_owned(),
        payload,
        not_before,
    };
    Ok(job::insert(tx, &row, now).await?)
}

/// Takes back the jobs of a kind that are about something.
pub(crate) async fn withdraw<J: Job>(tx: &mut WriteTx, subject: &str) -> Result<()> {
    for row in job::list_of(tx, subject).await? {
        if row.kind == J::KIND {
            job::delete(tx, row.id).await?;
        }
    }
    Ok(())
}

/// What runs the jobs.
#[derive(Debug)]
pub(crate) struct Runner {
    running: Mutex<HashSet<JobId>>,
    slots: Semaphore,
    tasks: TaskTracker,
    signals: Arc<Signals>,
    gate: Option<Arc<dyn JobGate>>,
}

/// What outlives a [`Runner`] in its loop.
#[derive(Debug)]
struct Signals {
    wake: Notify,
    stop: CancellationToken,
    /// Counts what changed.
    changes: watch::Sender<u64>,
}

impl Runner {
    pub(crate) fn new(gate: Option<Arc<dyn JobGate>>) -> Self {
        let signals = Signals {
            wake: Notify::new(),
            stop: CancellationToken::new(),
            changes: watch::Sender::new(0),
        };
        Self {
            running: Mutex::new(HashSet::new()),
            slots: Semaphore::new(AT_ONCE),
            tasks: TaskTracker::new(),
            signals: Arc::new(signals),
            gate,
        }
    }

    /// Stops at the next step boundaries and waits until all jobs have come to one.
    pub(crate) async fn stop(&self) {
        self.signals.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Done when the server shuts down: what waits for long inside a step waits for this too.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.signals.stop
    }

    fn begin(&self, id: JobId) -> bool {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id)
    }

    fn end(&self, id: JobId) {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
        self.changed();
        self.signals.wake.notify_one();
    }

    fn is_idle(&self) -> bool {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }

    fn changed(&self) {
        self.signals
            .changes
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Asks the gate. A gate that says no is the end of this runner.
    fn passes(&self, job: &job::Job, taken: bool) -> bool {
        let Some(gate) = &self.gate else { return true };
        let undoing = job.state == JobState::Undoing;
        let passes = gate.pass(&JobPoint {
            kind: job.kind.clone(),
            step: job.step,
            undoing,
            taken,
        });
        if !passes {
            self.signals.stop.cancel();
        }
        passes
    }
}

impl Control {
    /// Has the jobs looked at now: after a commit that recorded one, or when the clock was set.
    pub fn wake_jobs(&self) {
        self.jobs().changed();
        self.jobs().signals.wake.notify_one();
    }

    /// Waits until no job is running or due. Jobs that wait for a later instant do not count. When
    /// the jobs were stopped, waits until all of them have.
    pub async fn idle(&self) -> Result<()> {
        let mut changes = self.changes();
        loop {
            changes.borrow_and_update();
            if self.jobs().stopping().is_cancelled() {
                self.jobs().stop().await;
                return Ok(());
            }
            if self.jobs().is_idle() && self.due().await?.is_empty() {
                return Ok(());
            }
            changes.changed().await.map_err(Error::internal)?;
        }
    }

    /// Tells whenever a job took a step or a verb recorded one: what waits for a state looks again.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.jobs().signals.changes.subscribe()
    }

    /// Starts the loop that runs the jobs; it ends with the server.
    pub(crate) fn start_jobs(&self) {
        let control = self.downgrade();
        let signals = Arc::clone(&self.jobs().signals);
        self.jobs().tasks.spawn(run(control, signals));
    }

    async fn due(&self) -> Result<Vec<job::Job>> {
        Ok(job::list_due(&mut *self.store().read().await?, self.now()).await?)
    }

    async fn start_due(&self) -> Result<()> {
        for job in self.due().await? {
            if self.jobs().begin(job.id) {
                let control = self.clone();
                self.jobs()
                    .tasks
                    .spawn(async move { control.run_job(job.id).await });
            }
        }
        Ok(())
    }

    /// Takes a job as far as it goes now.
    async fn run_job(&self, id: JobId) {
        let slot = self.jobs().slots.acquire().await;
        if let Err(error) = self.drive(id).await {
            tracing::error!(job = id.0, %error, "read or record how far a job is");
        }
        drop(slot);
        self.jobs().end(id);
    }

    /// Reads the job anew: since it was found due, another run may have ended that took it further.
    async fn drive(&self, id: JobId) -> Result<()> {
        let due = job::get_due(&mut *self.store().read().await?, id, self.now()).await?;
        let Some(mut job) = due else { return Ok(()) };
        while !self.jobs().stopping().is_cancelled() && self.advance(&mut job).await? {
            self.jobs().changed();
        }
        Ok(())
    }

    /// Takes one step, forward or backward, and records it. False: nothing more to do for now.
    async fn advance(&self, job: &mut job::Job) -> Result<bool> {
        if !self.jobs().passes(job, false) {
            return Ok(false);
        }
        // A step that panics has failed like any other; its job must not be running for ever.
        let outcome = AssertUnwindSafe(dispatch(self, job)).catch_unwind().await;
        let outcome =
            outcome.unwrap_or_else(|_| Err(Failure::Passing("the step panicked".to_owned())));
        if !self.jobs().passes(job, true) {
            return Ok(false);
        }
        let fate = fate(job, outcome, self.now());
        self.record(job, fate).await
    }

    async fn record(&self, job: &job::Job, fate: Fate) -> Result<bool> {
        let mut tx = self.store().write().await?;
        let known = match fate {
            Fate::Over => job::delete(&mut tx, job.id).await?,
            Fate::Now | Fate::Later | Fate::Failed => job::update(&mut tx, job, self.now()).await?,
        };
        tx.commit().await?;
        Ok(known && fate == Fate::Now)
    }
}

/// Looks for jobs that are due until the server stops. Holds the server only while it looks, so
/// that dropping the last handle ends it.
async fn run(control: Weak<Inner>, signals: Arc<Signals>) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = signals.stop.cancelled() => return,
            () = signals.wake.notified() => {}
            _ = tick.tick() => {}
        }
        let Some(control) = Control::upgrade(&control) else {
            return;
        };
        if let Err(error) = control.start_due().await {
            tracing::error!(%error, "look for jobs that are due");
        }
    }
}

/// What becomes of a job after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It goes on at once.
    Now,
    /// It goes on when it is due.
    Later,
    /// It is done.
    Over,
    /// It has been undone.
    Failed,
}

/// Writes into the row what the outcome of a step means.
fn fate(job: &mut job::Job, outcome: Result<Next, Failure>, now: Timestamp) -> Fate {
    match outcome {
        Ok(Next::Done) => Fate::Over,
        Ok(Next::Later(instant)) => {
            job.attempts = 0;
            job.not_before = instant;
            Fate::Later
        }
        Ok(Next::Step) => step_on(job),
        Err(Failure::Passing(why)) => try_again(job, why, now),
        Err(Failure::Final(why)) => turn_round(job, why, now),
    }
}

fn step_on(job: &mut job::Job) -> Fate {
    job.attempts = 0;
    match (job.state, job.step) {
        (JobState::Undoing, 0) => {
            job.state = JobState::Failed;
            return Fate::Failed;
        }
        (JobState::Undoing, _) => job.step -= 1,
        _ => job.step += 1,
    }
    Fate::Now
}

fn try_again(job: &mut job::Job, why: String, now: Timestamp) -> Fate {
    job.attempts += 1;
    if job.state == JobState::Ready && job.attempts >= ATTEMPTS {
        return turn_round(job, why, now);
    }
    tracing::warn!(
        job = job.id.0,
        kind = job.kind,
        step = job.step,
        attempts = job.attempts,
        why,
        "step of a job"
    );
    job.not_before = now.after(pause(job.attempts));
    if job.state == JobState::Ready {
        job.error = Some(why);
    }
    Fate::Later
}

/// An undo has to succeed some day, so it is never given up.
fn turn_round(job: &mut job::Job, why: String, now: Timestamp) -> Fate {
    if job.state == JobState::Undoing {
        return try_again(job, why, now);
    }
    tracing::error!(
        job = job.id.0,
        kind = job.kind,
        step = job.step,
        why,
        "a job failed and is being undone"
    );
    job.state = JobState::Undoing;
    job.attempts = 0;
    job.error = Some(why);
    Fate::Now
}

fn pause(attempts: u32) -> Duration {
    Duration::from_secs(1 << attempts.min(6)).min(LONGEST_PAUSE)
}

/// All kinds of work.
async fn dispatch(control: &Control, job: &job::Job) -> Result<Next, Failure> {
    match job.kind.as_str() {
        CreateVolumeJob::KIND => take::<CreateVolumeJob>(control, job).await,
        DeleteVolumeJob::KIND => take::<DeleteVolumeJob>(control, job).await,
        CaptureJob::KIND => take::<CaptureJob>(control, job).await,
        AbandonJob::KIND => take::<AbandonJob>(control, job).await,
        CopyJob::KIND => take::<CopyJob>(control, job).await,
        ArchiveJob::KIND => take::<ArchiveJob>(control, job).await,
        RestoreJob::KIND => take::<RestoreJob>(control, job).await,
        FastRestoreJob::KIND => take::<FastRestoreJob>(control, job).await,
        EmptyBinJob::KIND => take::<EmptyBinJob>(control, job).await,
        EmptyVolumeBinJob::KIND => take::<EmptyVolumeBinJob>(control, job).await,
        EraseKeyJob::KIND => take::<EraseKeyJob>(control, job).await,
        RecordJob::KIND => take::<RecordJob>(control, job).await,
        ScrubJob::KIND => take::<ScrubJob>(control, job).await,
        CompleteUploadJob::KIND => take::<CompleteUploadJob>(control, job).await,
        ExpireUploadJob::KIND => take::<ExpireUploadJob>(control, job).await,
        CreateImageJob::KIND => take::<CreateImageJob>(control, job).await,
        EmptyImageBinJob::KIND => take::<EmptyImageBinJob>(control, job).await,
        UsageReportJob::KIND => take::<UsageReportJob>(control, job).await,
        LaunchJob::KIND => take::<LaunchJob>(control, job).await,
        StartJob::KIND => take::<StartJob>(control, job).await,
        StopJob::KIND => take::<StopJob>(control, job).await,
        RebootJob::KIND => take::<RebootJob>(control, job).await,
        TerminateJob::KIND => take::<TerminateJob>(control, job).await,
        ModifyJob::KIND => take::<ModifyJob>(control, job).await,
        CopyVolumeJob::KIND => take::<CopyVolumeJob>(control, job).await,
        ReplaceRootJob::KIND => take::<ReplaceRootJob>(control, job).await,
        AttachJob::KIND => take::<AttachJob>(control, job).await,
        DetachJob::KIND => take::<DetachJob>(control, job).await,
        unknown => Err(Failure::fatal(format!(
            "no kind of job is called {unknown}"
        ))),
    }
}

async fn take<J: Job>(control: &Control, row: &job::Job) -> Result<Next, Failure> {
    let job: J = serde_json::from_str(&row.payload).map_err(Failure::fatal)?;
    if row.state == JobState::Undoing {
        let why = row.error.as_deref().unwrap_or_default();
        job.undo(control, row.step, why).await?;
        return Ok(Next::Step);
    }
    job.step(control, row.step).await
}
