//! Instances, and the ports and addresses that they hold.

use std::collections::BTreeSet;

use cairn_model::{
    AccountId, Instance, InstanceId, InstanceState, NetworkInterfaceId, Region, ReservationId,
    Timestamp, state::Table as _,
};
use sqlx::Row as _;

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::{Error, Result},
};

const NOUN: &str = "instance";

/// Records a new instance and takes its private address. An address or port that another
/// instance has is refused as [`Constraint::PrivateAddress`](crate::Constraint::PrivateAddress) or
/// [`Constraint::SshPort`](crate::Constraint::SshPort).
pub async fn insert(tx: &mut WriteTx, instance: &Instance) -> Result<()> {
    sqlx::query(
        "INSERT INTO instance (id, account, region, state, image_id, reservation_id, network_interface_id,
                               launch_time, terminated, ssh_port, generation, doc)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11)",
    )
    .bind(instance.id.as_str())
    .bind(instance.account.as_str())
    .bind(instance.region.name())
    .bind(instance.state.as_str())
    .bind(instance.image_id.as_str())
    .bind(instance.reservation_id.as_str())
    .bind(instance.network_interface_id.as_str())
    .bind(instance.launch_time.0)
    .bind(instance.terminated_at.map(|at| at.0))
    .bind(instance.ssh_port.map(i64::from))
    .bind(doc::encode(NOUN, instance)?)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "INSERT INTO private_address (subnet_id, address, instance_id) VALUES ($1, $2, $3)",
    )
    .bind(instance.subnet_id.as_str())
    .bind(instance.private_ip.to_string())
    .bind(instance.id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The instance of an id, whoever owns it, terminated or not.
pub async fn get(conn: &mut Connection, id: &InstanceId) -> Result<Option<Instance>> {
    Ok(read(conn, id).await?.map(|found| found.noun))
}

/// The instance that has a network interface.
pub async fn get_by_interface(
    conn: &mut Connection,
    interface: &NetworkInterfaceId,
) -> Result<Option<Instance>> {
    let rows = sqlx::query("SELECT doc FROM instance WHERE network_interface_id = $1")
        .bind(interface.as_str())
        .fetch_all(conn)
        .await?;
    Ok(doc::decode_all(NOUN, &rows)?.pop())
}

/// All instances of an account in a region, in the order of their launch.
pub async fn list(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<Instance>> {
    let sql =
        "SELECT doc FROM instance WHERE account = $1 AND region = $2 ORDER BY launch_time, id";
    doc::fetch_owned(conn, NOUN, sql, (account.as_str(), region.name())).await
}

/// The instances of one launch, in their order.
pub async fn list_reservation(
    conn: &mut Connection,
    reservation: &ReservationId,
) -> Result<Vec<Instance>> {
    let rows = sqlx::query("SELECT doc FROM instance WHERE reservation_id = $1")
        .bind(reservation.as_str())
        .fetch_all(conn)
        .await?;
    let mut instances: Vec<Instance> = doc::decode_all(NOUN, &rows)?;
    instances.sort_by_key(|instance| instance.launch_index);
    Ok(instances)
}

/// All instances in a state, whoever owns them, by id.
pub async fn list_in(conn: &mut Connection, state: InstanceState) -> Result<Vec<Instance>> {
    let rows = sqlx::query("SELECT doc FROM instance WHERE state = $1 ORDER BY id")
        .bind(state.as_str())
        .fetch_all(conn)
        .await?;
    doc::decode_all(NOUN, &rows)
}

/// Changes an instance and returns it as it is now; none if there is no such instance. One that
/// becomes terminated gives back its address.
pub async fn update(
    tx: &mut WriteTx,
    id: &InstanceId,
    change: impl FnOnce(&mut Instance) + Send,
) -> Result<Option<Instance>> {
    let Some(mut found) = read(tx, id).await? else {
        return Ok(None);
    };
    let before = found.noun.state;
    change(&mut found.noun);
    doc::check_way(NOUN, id.as_str(), before.check(found.noun.state))?;
    write(tx, &found).await?;
    if found.noun.terminated_at.is_some() {
        sqlx::query("DELETE FROM private_address WHERE instance_id = $1")
            .bind(id.as_str())
            .execute(&mut **tx)
            .await?;
    }
    Ok(Some(found.noun))
}

/// Forgets the instances that were terminated before an instant, and returns their ids.
pub async fn delete_terminated_before(
    tx: &mut WriteTx,
    instant: Timestamp,
) -> Result<Vec<InstanceId>> {
    let rows = sqlx::query("DELETE FROM instance WHERE terminated < $1 RETURNING id")
        .bind(instant.0)
        .fetch_all(&mut **tx)
        .await?;
    rows.iter()
        .map(|row| row.try_get::<&str, _>("id")?.parse().map_err(damaged))
        .collect()
}

/// The ports that instances have, whoever owns them.
pub async fn ssh_ports(conn: &mut Connection) -> Result<BTreeSet<u16>> {
    let rows = sqlx::query("SELECT ssh_port FROM instance WHERE ssh_port IS NOT NULL")
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| u16::try_from(row.try_get::<i64, _>("ssh_port")?).map_err(damaged))
        .collect()
}

async fn read(conn: &mut Connection, id: &InstanceId) -> Result<Option<doc::Versioned<Instance>>> {
    let sql = "SELECT doc, generation FROM instance WHERE id = $1";
    doc::fetch(conn, NOUN, sql, id.as_str()).await
}

async fn write(tx: &mut WriteTx, changed: &doc::Versioned<Instance>) -> Result<()> {
    let instance = &changed.noun;
    let done = sqlx::query(
        "UPDATE instance SET state = $3, launch_time = $4, terminated = $5, ssh_port = $6, doc = $7,
                             generation = generation + 1
         WHERE id = $1 AND generation = $2",
    )
    .bind(instance.id.as_str())
    .bind(changed.generation)
    .bind(instance.state.as_str())
    .bind(instance.launch_time.0)
    .bind(instance.terminated_at.map(|at| at.0))
    .bind(instance.ssh_port.map(i64::from))
    .bind(doc::encode(NOUN, instance)?)
    .execute(&mut **tx)
    .await?;
    doc::changed_one(NOUN, instance.id.as_str(), done.rows_affected())
}

fn damaged(reason: impl std::fmt::Display) -> Error {
    Error::Damaged {
        noun: NOUN,
        reason: reason.to_string(),
    }
}
