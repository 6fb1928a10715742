//! Tasks that replace root volumes.

use cairn_model::{AccountId, InstanceId, Region, ReplaceRootTask, ReplaceRootTaskId};

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::Result,
};

const NOUN: &str = "replace root volume task";

/// Records a new task.
pub async fn insert(tx: &mut WriteTx, task: &ReplaceRootTask) -> Result<()> {
    sqlx::query(
        "INSERT INTO replace_root_task (id, account, region, instance_id, start_time, generation, doc)
         VALUES ($1, $2, $3, $4, $5, 1, $6)",
    )
    .bind(task.id.as_str())
    .bind(task.account.as_str())
    .bind(task.region.name())
    .bind(task.instance_id.as_str())
    .bind(task.start_time.0)
    .bind(doc::encode(NOUN, task)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The task of an id, whoever owns it.
pub async fn get(conn: &mut Connection, id: &ReplaceRootTaskId) -> Result<Option<ReplaceRootTask>> {
    Ok(read(conn, id).await?.map(|found| found.noun))
}

/// All tasks of an account in a region, oldest first.
pub async fn list(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<ReplaceRootTask>> {
    let sql = "SELECT doc FROM replace_root_task WHERE account = $1 AND region = $2 ORDER BY start_time, id";
    doc::fetch_owned(conn, NOUN, sql, (account.as_str(), region.name())).await
}

/// The tasks of an instance, oldest first.
pub async fn list_of(conn: &mut Connection, instance: &InstanceId) -> Result<Vec<ReplaceRootTask>> {
    let sql = "SELECT doc FROM replace_root_task WHERE instance_id = $1 ORDER BY start_time, rowid";
    let rows = sqlx::query(sql)
        .bind(instance.as_str())
        .fetch_all(conn)
        .await?;
    doc::decode_all(NOUN, &rows)
}

/// Changes a task and returns it as it is now; none if there is no such task.
pub async fn update(
    tx: &mut WriteTx,
    id: &ReplaceRootTaskId,
    change: impl FnOnce(&mut ReplaceRootTask) + Send,
) -> Result<Option<ReplaceRootTask>> {
    let Some(mut found) = read(tx, id).await? else {
        return Ok(None);
    };
    change(&mut found.noun);
    let sql = "UPDATE replace_root_task SET doc = $3, generation = generation + 1 WHERE id = $1 AND generation = $2";
    doc::rewrite(tx, NOUN, sql, id.as_str(), &found).await?;
    Ok(Some(found.noun))
}

async fn read(
    conn: &mut Connection,
    id: &ReplaceRootTaskId,
) -> Result<Option<doc::Versioned<ReplaceRootTask>>> {
    let sql = "SELECT doc, generation FROM replace_root_task WHERE id = $1";
    doc::fetch(conn, NOUN, sql, id.as_str()).await
}
