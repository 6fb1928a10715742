//! Work under way: see the migration for what a row means.

use cairn_model::Timestamp;
use sqlx::{Row as _, sqlite::SqliteRow};

use crate::{
    db::{Connection, WriteTx},
    error::{Error, Result},
};

/// The number of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub i64);

/// A job to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// What kind of work.
    pub kind: &'static str,
    /// The resource it works on.
    pub subject: String,
    /// What it needs to know, as JSON.
    pub payload: String,
    /// When it may begin.
    pub not_before: Timestamp,
}

/// A job as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// What kind of work.
    pub kind: String,
    /// The resource it works on.
    pub subject: String,
    /// What it needs to know, as JSON.
    pub payload: String,
    /// The next step to take, or to undo.
    pub step: u32,
    /// How often this step was tried.
    pub attempts: u32,
    /// When it may go on.
    pub not_before: Timestamp,
    /// Which way it goes.
    pub state: JobState,
    /// Why the last attempt failed, or why it is being undone.
    pub error: Option<String>,
}

/// Which way a job goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Forward.
    Ready,
    /// Backward: `step` is the last one yet to be undone.
    Undoing,
    /// Nowhere: it has been undone.
    Failed,
}

impl JobState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Undoing => "undoing",
            Self::Failed => "failed",
        }
    }
}

/// Records a job.
pub async fn insert(tx: &mut WriteTx, job: &NewJob, now: Timestamp) -> Result<JobId> {
    let row = sqlx::query(
        "INSERT INTO job (kind, subject, payload, step, attempts, not_before, state, error, created, updated)
         VALUES ($1, $2, $3, 0, 0, $4, 'ready', NULL, $5, $5) RETURNING id",
    )
    .bind(job.kind)
    .bind(&job.subject)
    .bind(&job.payload)
    .bind(job.not_before.0)
    .bind(now.0)
    .fetch_one(&mut **tx)
    .await?;
    Ok(JobId(row.try_get("id")?))
}

/// A job, if it is due.
pub async fn get_due(conn: &mut Connection, id: JobId, now: Timestamp) -> Result<Option<Job>> {
    let row = sqlx::query(
        "SELECT id, kind, subject, payload, step, attempts, not_before, state, error FROM job
         WHERE id = $1 AND state IN ('ready', 'undoing') AND not_before <= $2",
    )
    .bind(id.0)
    .bind(now.0)
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(job).transpose()
}

/// The jobs that are due, oldest first.
pub async fn list_due(conn: &mut Connection, now: Timestamp) -> Result<Vec<Job>> {
    let rows = sqlx::query(
        "SELECT id, kind, subject, payload, step, attempts, not_before, state, error FROM job
         WHERE state IN ('ready', 'undoing') AND not_before <= $1 ORDER BY id",
    )
    .bind(now.0)
    .fetch_all(conn)
    .await?;
    rows.iter().map(job).collect()
}

/// The jobs of a resource that are not over, oldest first.
pub async fn list_of(conn: &mut Connection, subject: &str) -> Result<Vec<Job>> {
    let rows = sqlx::query(
        "SELECT id, kind, subject, payload, step, attempts, not_before, state, error FROM job
         WHERE subject = $1 AND state IN ('ready', 'undoing') ORDER BY id",
    )
    .bind(subject)
    .fetch_all(conn)
    .await?;
    rows.iter().map(job).collect()
}

/// All jobs that are not over, oldest first.
pub async fn list_open(conn: &mut Connection) -> Result<Vec<Job>> {
    let rows = sqlx::query(
        "SELECT id, kind, subject, payload, step, attempts, not_before, state, error FROM job
         WHERE state IN ('ready', 'undoing') ORDER BY id",
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(job).collect()
}

/// Records how far a job is: everything but what it was inserted with. False: it is gone.
pub async fn update(tx: &mut WriteTx, job: &Job, now: Timestamp) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE job SET step = $2, attempts = $3, not_before = $4, state = $5, error = $6, updated = $7
         WHERE id = $1",
    )
    .bind(job.id.0)
    .bind(i64::from(job.step))
    .bind(i64::from(job.attempts))
    .bind(job.not_before.0)
    .bind(job.state.as_str())
    .bind(&job.error)
    .bind(now.0)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Forgets a job that is done. False: it was gone.
pub async fn delete(tx: &mut WriteTx, id: JobId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM job WHERE id = $1")
        .bind(id.0)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Forgets the jobs that failed before an instant.
pub async fn delete_failed_before(tx: &mut WriteTx, instant: Timestamp) -> Result<u64> {
    let done = sqlx::query("DELETE FROM job WHERE state = 'failed' AND updated < $1")
        .bind(instant.0)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected())
}

fn job(row: &SqliteRow) -> Result<Job> {
    Ok(Job {
        id: JobId(row.try_get("id")?),
        kind: row.try_get("kind")?,
        subject: row.try_get("subject")?,
        payload: row.try_get("payload")?,
        step: count(row, "step")?,
        attempts: count(row, "attempts")?,
        not_before: Timestamp(row.try_get("not_before")?),
        state: state(row.try_get("state")?)?,
        error: row.try_get("error")?,
    })
}

fn state(text: &str) -> Result<JobState> {
    match text {
        "ready" => Ok(JobState::Ready),
        "undoing" => Ok(JobState::Undoing),
        "failed" => Ok(JobState::Failed),
        other => Err(damaged(other)),
    }
}

fn count(row: &SqliteRow, column: &str) -> Result<u32> {
    let number: i64 = row.try_get(column)?;
    u32::try_from(number).map_err(|_| damaged(column))
}

fn damaged(reason: &str) -> Error {
    Error::Damaged {
        noun: "job",
        reason: reason.to_owned(),
    }
}
