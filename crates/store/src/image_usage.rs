//! Reports on who uses an image, and what they are made of.

use cairn_model::{
    AccountId, ImageId, ImageUsageReportId, Region, Timestamp, image::usage::UsageReport,
};
use sqlx::Row as _;

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::{Error, Result},
};

const NOUN: &str = "image usage report";

/// Records a new report.
pub async fn insert(tx: &mut WriteTx, report: &UsageReport) -> Result<()> {
    sqlx::query(
        "INSERT INTO image_usage_report (id, account, region, create_time, generation, doc)
         VALUES ($1, $2, $3, $4, 1, $5)",
    )
    .bind(report.id.as_str())
    .bind(report.account.as_str())
    .bind(report.region.name())
    .bind(report.creation_time.0)
    .bind(doc::encode(NOUN, report)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The report of an id, whoever owns it.
pub async fn get(conn: &mut Connection, id: &ImageUsageReportId) -> Result<Option<UsageReport>> {
    Ok(read(conn, id).await?.map(|found| found.noun))
}

/// All reports of an account in a region, oldest first.
pub async fn list(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<UsageReport>> {
    let sql = "SELECT doc FROM image_usage_report WHERE account = $1 AND region = $2
               ORDER BY create_time, id";
    doc::fetch_owned(conn, NOUN, sql, (account.as_str(), region.name())).await
}

/// Changes a report and returns it as it is now; none if there is no such report.
pub async fn update(
    tx: &mut WriteTx,
    id: &ImageUsageReportId,
    change: impl FnOnce(&mut UsageReport) + Send,
) -> Result<Option<UsageReport>> {
    let Some(mut found) = read(tx, id).await? else {
        return Ok(None);
    };
    change(&mut found.noun);
    let sql = "UPDATE image_usage_report SET doc = $3, generation = generation + 1
               WHERE id = $1 AND generation = $2";
    doc::rewrite(tx, NOUN, sql, id.as_str(), &found).await?;
    Ok(Some(found.noun))
}

/// Deletes a report. False: there was none.
pub async fn delete(tx: &mut WriteTx, id: &ImageUsageReportId) -> Result<bool> {
    let sql = "DELETE FROM image_usage_report WHERE id = $1";
    doc::delete(tx, sql, id.as_str()).await
}

/// Forgets the reports that were asked for before an instant.
pub async fn delete_before(tx: &mut WriteTx, instant: Timestamp) -> Result<()> {
    sqlx::query("DELETE FROM image_usage_report WHERE create_time < $1")
        .bind(instant.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// How many instances each account has of an image; terminated ones do not count.
pub async fn count_instances(
    conn: &mut Connection,
    image: &ImageId,
) -> Result<Vec<(AccountId, u64)>> {
    let rows = sqlx::query(
        "SELECT account, COUNT(*) AS number FROM instance
         WHERE image_id = $1 AND terminated IS NULL GROUP BY account ORDER BY account",
    )
    .bind(image.as_str())
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let account: &str = row.try_get("account")?;
            let count: i64 = row.try_get("number")?;
            Ok((
                account.parse().map_err(damaged)?,
                u64::try_from(count).map_err(damaged)?,
            ))
        })
        .collect()
}

async fn read(
    conn: &mut Connection,
    id: &ImageUsageReportId,
) -> Result<Option<doc::Versioned<UsageReport>>> {
    let sql = "SELECT doc, generation FROM image_usage_report WHERE id = $1";
    doc::fetch(conn, NOUN, sql, id.as_str()).await
}

fn damaged(reason: impl std::fmt::Display) -> Error {
    Error::Damaged {
        noun: NOUN,
        reason: reason.to_string(),
    }
}
