//! Launch templates and their versions.

use cairn_model::{
    AccountId, ImageId, LaunchTemplate, LaunchTemplateId, Region, launch_template::TemplateVersion,
};

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::Result,
};

const TEMPLATE: &str = "launch template";
const VERSION: &str = "launch template version";

/// Records a new template, whose name no other one of its owner has.
pub async fn insert(tx: &mut WriteTx, template: &LaunchTemplate) -> Result<()> {
    sqlx::query(
        "INSERT INTO launch_template (id, account, region, name, generation, doc) VALUES ($1, $2, $3, $4, 1, $5)",
    )
    .bind(template.id.as_str())
    .bind(template.account.as_str())
    .bind(template.region.name())
    .bind(&template.name)
    .bind(doc::encode(TEMPLATE, template)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Records a new version of a template.
pub async fn insert_version(
    tx: &mut WriteTx,
    template: &LaunchTemplateId,
    version: &TemplateVersion,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO launch_template_version (template_id, number, doc) VALUES ($1, $2, $3)",
    )
    .bind(template.as_str())
    .bind(version.number)
    .bind(doc::encode(VERSION, version)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The template of an id, whoever owns it.
pub async fn get(conn: &mut Connection, id: &LaunchTemplateId) -> Result<Option<LaunchTemplate>> {
    Ok(read(conn, id).await?.map(|found| found.noun))
}

/// All templates of an account in a region, by name.
pub async fn list(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<LaunchTemplate>> {
    let sql = "SELECT doc FROM launch_template WHERE account = $1 AND region = $2 ORDER BY name";
    doc::fetch_owned(conn, TEMPLATE, sql, (account.as_str(), region.name())).await
}

/// The templates, whoever owns them, of whose latest `depth` versions one names an image; by id.
pub async fn referring(
    conn: &mut Connection,
    image: &ImageId,
    depth: u32,
) -> Result<Vec<LaunchTemplate>> {
    let sql = "SELECT doc FROM launch_template t WHERE $1 IN (
                   SELECT latest.doc -> 'data' ->> 'image_id' FROM (
                       SELECT v.doc FROM launch_template_version v WHERE v.template_id = t.id
                       ORDER BY v.number DESC LIMIT $2) latest)
               ORDER BY id";
    let rows = sqlx::query(sql)
        .bind(image.as_str())
        .bind(i64::from(depth))
        .fetch_all(conn)
        .await?;
    doc::decode_all(TEMPLATE, &rows)
}

/// The versions of a template, the latest first.
pub async fn versions(
    conn: &mut Connection,
    template: &LaunchTemplateId,
) -> Result<Vec<TemplateVersion>> {
    let sql = "SELECT doc FROM launch_template_version WHERE template_id = $1 ORDER BY number DESC";
    let rows = sqlx::query(sql)
        .bind(template.as_str())
        .fetch_all(conn)
        .await?;
    doc::decode_all(VERSION, &rows)
}

/// Changes a template; none if there is no such template.
pub async fn update(
    tx: &mut WriteTx,
    id: &LaunchTemplateId,
    change: impl FnOnce(&mut LaunchTemplate) + Send,
) -> Result<Option<LaunchTemplate>> {
    let Some(mut found) = read(tx, id).await? else {
        return Ok(None);
    };
    change(&mut found.noun);
    let sql = "UPDATE launch_template SET doc = $3, generation = generation + 1 WHERE id = $1 AND generation = $2";
    doc::rewrite(tx, TEMPLATE, sql, id.as_str(), &found).await?;
    Ok(Some(found.noun))
}

/// Deletes a template with its versions. False: there was none.
pub async fn delete(tx: &mut WriteTx, id: &LaunchTemplateId) -> Result<bool> {
    doc::delete(tx, "DELETE FROM launch_template WHERE id = $1", id.as_str()).await
}

/// Deletes a version. False: there was none.
pub async fn delete_version(tx: &mut WriteTx, id: &LaunchTemplateId, number: i64) -> Result<bool> {
    let sql = "DELETE FROM launch_template_version WHERE template_id = $1 AND number = $2";
    let done = sqlx::query(sql)
        .bind(id.as_str())
        .bind(number)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() > 0)
}

async fn read(
    conn: &mut Connection,
    id: &LaunchTemplateId,
) -> Result<Option<doc::Versioned<LaunchTemplate>>> {
    let sql = "SELECT doc, generation FROM launch_template WHERE id = $1";
    doc::fetch(conn, TEMPLATE, sql, id.as_str()).await
}
