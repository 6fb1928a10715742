//! VPCs and subnets.

use std::{collections::BTreeSet, net::Ipv4Addr};

use cairn_model::{AccountId, Region, Subnet, SubnetId, Vpc, VpcId};
use sqlx::Row as _;

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::{Error, Result},
};

const VPC: &str = "VPC";
const SUBNET: &str = "subnet";

/// Records a new VPC.
pub async fn insert_vpc(tx: &mut WriteTx, vpc: &Vpc) -> Result<()> {
    sqlx::query(
        "INSERT INTO vpc (id, account, region, generation, doc) VALUES ($1, $2, $3, 1, $4)",
    )
    .bind(vpc.id.as_str())
    .bind(vpc.account.as_str())
    .bind(vpc.region.name())
    .bind(doc::encode(VPC, vpc)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Records a new subnet.
pub async fn insert_subnet(tx: &mut WriteTx, subnet: &Subnet) -> Result<()> {
    sqlx::query(
        "INSERT INTO subnet (id, account, region, vpc_id, generation, doc) VALUES ($1, $2, $3, $4, 1, $5)",
    )
    .bind(subnet.id.as_str())
    .bind(subnet.account.as_str())
    .bind(subnet.region.name())
    .bind(subnet.vpc_id.as_str())
    .bind(doc::encode(SUBNET, subnet)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The VPC of an id, whoever owns it.
pub async fn get_vpc(conn: &mut Connection, id: &VpcId) -> Result<Option<Vpc>> {
    Ok(read_vpc(conn, id).await?.map(|found| found.noun))
}

/// All VPCs of an account in a region.
pub async fn list_vpcs(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<Vpc>> {
    let sql = "SELECT doc FROM vpc WHERE account = $1 AND region = $2 ORDER BY id";
    doc::fetch_owned(conn, VPC, sql, (account.as_str(), region.name())).await
}

/// Changes a VPC; none if there is no such VPC.
pub async fn update_vpc(
    tx: &mut WriteTx,
    id: &VpcId,
    change: impl FnOnce(&mut Vpc) + Send,
) -> Result<Option<Vpc>> {
    let Some(mut found) = read_vpc(tx, id).await? else {
        return Ok(None);
    };
    change(&mut found.noun);
    let sql =
        "UPDATE vpc SET doc = $3, generation = generation + 1 WHERE id = $1 AND generation = $2";
    doc::rewrite(tx, VPC, sql, id.as_str(), &found).await?;
    Ok(Some(found.noun))
}

/// The subnet of an id, whoever owns it.
pub async fn get_subnet(conn: &mut Connection, id: &SubnetId) -> Result<Option<Subnet>> {
    let Some(found) = read_subnet(conn, id).await? else {
        return Ok(None);
    };
    Ok(Some(counted(conn, found.noun).await?))
}

/// Deletes a VPC, with its parts. False: there was none.
pub async fn delete_vpc(tx: &mut WriteTx, id: &VpcId) -> Result<bool> {
    doc::delete(tx, "DELETE FROM vpc WHERE id = $1", id.as_str()).await
}

/// Deletes a subnet. False: there was none.
pub async fn delete_subnet(tx: &mut WriteTx, id: &SubnetId) -> Result<bool> {
    doc::delete(tx, "DELETE FROM subnet WHERE id = $1", id.as_str()).await
}

/// All subnets of an account in a region.
pub async fn list_subnets(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<Subnet>> {
    let sql = "SELECT doc FROM subnet WHERE account = $1 AND region = $2 ORDER BY id";
    let subnets = doc::fetch_owned(conn, SUBNET, sql, (account.as_str(), region.name())).await?;
    let mut all = Vec::new();
    for subnet in subnets {
        all.push(counted(conn, subnet).await?);
    }
    Ok(all)
}

/// Changes a subnet; none if there is no such subnet.
pub async fn update_subnet(
    tx: &mut WriteTx,
    id: &SubnetId,
    change: impl FnOnce(&mut Subnet) + Send,
) -> Result<Option<Subnet>> {
    let Some(mut found) = read_subnet(tx, id).await? else {
        return Ok(None);
    };
    change(&mut found.noun);
    let sql =
        "UPDATE subnet SET doc = $3, generation = generation + 1 WHERE id = $1 AND generation = $2";
    doc::rewrite(tx, SUBNET, sql, id.as_str(), &found).await?;
    Ok(Some(found.noun))
}

/// The addresses of a subnet that instances and network interfaces have.
pub async fn taken_addresses(
    conn: &mut Connection,
    subnet: &SubnetId,
) -> Result<BTreeSet<Ipv4Addr>> {
    let rows = sqlx::query("SELECT address FROM private_address WHERE subnet_id = $1")
        .bind(subnet.as_str())
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            row.try_get::<&str, _>("address")?
                .parse()
                .map_err(|e: std::net::AddrParseError| Error::Damaged {
                    noun: "private address",
                    reason: e.to_string(),
                })
        })
        .collect()
}

/// The document has the number of addresses of an empty subnet; instances have some of them.
async fn counted(conn: &mut Connection, mut subnet: Subnet) -> Result<Subnet> {
    let taken = taken_addresses(conn, &subnet.id).await?.len();
    subnet.available_ip_address_count -= i32::try_from(taken).unwrap_or(i32::MAX);
    Ok(subnet)
}

async fn read_vpc(conn: &mut Connection, id: &VpcId) -> Result<Option<doc::Versioned<Vpc>>> {
    let sql = "SELECT doc, generation FROM vpc WHERE id = $1";
    doc::fetch(conn, VPC, sql, id.as_str()).await
}

async fn read_subnet(
    conn: &mut Connection,
    id: &SubnetId,
) -> Result<Option<doc::Versioned<Subnet>>> {
    let sql = "SELECT doc, generation FROM subnet WHERE id = $1";
    doc::fetch(conn, SUBNET, sql, id.as_str()).await
}
