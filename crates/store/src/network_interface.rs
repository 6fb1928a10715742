//! Network interfaces that were made by themselves; the first one of an instance is part of it.

use cairn_model::{AccountId, InstanceId, NetworkInterface, NetworkInterfaceId, Region};

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::Result,
};

const NOUN: &str = "network interface";

/// Records a new interface and takes its private address. One that is taken is refused as
/// [`Constraint::PrivateAddress`](crate::Constraint::PrivateAddress).
pub async fn insert(tx: &mut WriteTx, interface: &NetworkInterface) -> Result<()> {
    sqlx::query(
        "INSERT INTO network_interface (id, account, region, instance_id, generation, doc)
         VALUES ($1, $2, $3, $4, 1, $5)",
    )
    .bind(interface.id.as_str())
    .bind(interface.account.as_str())
    .bind(interface.region.name())
    .bind(instance_of(interface))
    .bind(doc::encode(NOUN, interface)?)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "INSERT INTO private_address (subnet_id, address, interface_id) VALUES ($1, $2, $3)",
    )
    .bind(interface.subnet_id.as_str())
    .bind(interface.private_ip.to_string())
    .bind(interface.id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The interface of an id, whoever owns it.
pub async fn get(
    conn: &mut Connection,
    id: &NetworkInterfaceId,
) -> Result<Option<NetworkInterface>> {
    Ok(read(conn, id).await?.map(|found| found.noun))
}

/// All interfaces of an account in a region, by id.
pub async fn list(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<NetworkInterface>> {
    let sql = "SELECT doc FROM network_interface WHERE account = $1 AND region = $2 ORDER BY id";
    doc::fetch_owned(conn, NOUN, sql, (account.as_str(), region.name())).await
}

/// The interfaces that are attached to an instance.
pub async fn list_at(
    conn: &mut Connection,
    instance: &InstanceId,
) -> Result<Vec<NetworkInterface>> {
    let rows = sqlx::query("SELECT doc FROM network_interface WHERE instance_id = $1 ORDER BY id")
        .bind(instance.as_str())
        .fetch_all(conn)
        .await?;
    doc::decode_all(NOUN, &rows)
}

/// Changes an interface; none if there is no such interface.
pub async fn update(
    tx: &mut WriteTx,
    id: &NetworkInterfaceId,
    change: impl FnOnce(&mut NetworkInterface) + Send,
) -> Result<Option<NetworkInterface>> {
    let Some(mut found) = read(tx, id).await? else {
        return Ok(None);
    };
    change(&mut found.noun);
    let done = sqlx::query(
        "UPDATE network_interface SET instance_id = $3, doc = $4, generation = generation + 1
         WHERE id = $1 AND generation = $2",
    )
    .bind(id.as_str())
    .bind(found.generation)
    .bind(instance_of(&found.noun))
    .bind(doc::encode(NOUN, &found.noun)?)
    .execute(&mut **tx)
    .await?;
    doc::changed_one(NOUN, id.as_str(), done.rows_affected())?;
    Ok(Some(found.noun))
}

/// Deletes an interface, and gives back its address. False: there was none.
pub async fn delete(tx: &mut WriteTx, id: &NetworkInterfaceId) -> Result<bool> {
    let sql = "DELETE FROM network_interface WHERE id = $1";
    doc::delete(tx, sql, id.as_str()).await
}

fn instance_of(interface: &NetworkInterface) -> Option<&str> {
    let attachment = interface.attachment.as_ref();
    attachment.map(|attachment| attachment.instance_id.as_str())
}

async fn read(
    conn: &mut Connection,
    id: &NetworkInterfaceId,
) -> Result<Option<doc::Versioned<NetworkInterface>>> {
    let sql = "SELECT doc, generation FROM network_interface WHERE id = $1";
    doc::fetch(conn, NOUN, sql, id.as_str()).await
}
