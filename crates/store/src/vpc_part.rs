//! What comes with VPCs: route tables, network access control lists, gateways, DHCP options.

use cairn_model::{AccountId, Region, ResourceType, vpc_part::VpcPart};

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::Result,
};

const NOUN: &str = "part of a VPC";

/// Records a new part.
pub async fn insert(tx: &mut WriteTx, part: &VpcPart) -> Result<()> {
    sqlx::query(
        "INSERT INTO vpc_part (id, account, region, vpc_id, generation, doc) VALUES ($1, $2, $3, $4, 1, $5)",
    )
    .bind(&part.id)
    .bind(part.account.as_str())
    .bind(part.region.name())
    .bind(part.vpc_id.as_ref().map(cairn_model::VpcId::as_str))
    .bind(doc::encode(NOUN, part)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The part of an id and kind, whoever owns it.
pub async fn get(conn: &mut Connection, kind: ResourceType, id: &str) -> Result<Option<VpcPart>> {
    let found = read(conn, id).await?.map(|found| found.noun);
    Ok(found.filter(|part| part.kind == kind))
}

/// All parts of an account in a region, by id.
pub async fn list(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<VpcPart>> {
    let sql = "SELECT doc FROM vpc_part WHERE account = $1 AND region = $2 ORDER BY id";
    doc::fetch_owned(conn, NOUN, sql, (account.as_str(), region.name())).await
}

/// Changes a part; none if there is no such part.
pub async fn update(
    tx: &mut WriteTx,
    id: &str,
    change: impl FnOnce(&mut VpcPart) + Send,
) -> Result<Option<VpcPart>> {
    let Some(mut found) = read(tx, id).await? else {
        return Ok(None);
    };
    change(&mut found.noun);
    let sql = "UPDATE vpc_part SET doc = $3, generation = generation + 1 WHERE id = $1 AND generation = $2";
    doc::rewrite(tx, NOUN, sql, id, &found).await?;
    Ok(Some(found.noun))
}

async fn read(conn: &mut Connection, id: &str) -> Result<Option<doc::Versioned<VpcPart>>> {
    let sql = "SELECT doc, generation FROM vpc_part WHERE id = $1";
    doc::fetch(conn, NOUN, sql, id).await
}
