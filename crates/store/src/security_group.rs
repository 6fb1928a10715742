//! Security groups and their rules.

use cairn_model::{
    AccountId, Region, SecurityGroup, SecurityGroupId, SecurityGroupRule, SecurityGroupRuleId,
};

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::Result,
};

const GROUP: &str = "security group";
const RULE: &str = "security group rule";

/// Records a new group, whose name no other group of its VPC has.
pub async fn insert(tx: &mut WriteTx, group: &SecurityGroup) -> Result<()> {
    sqlx::query(
        "INSERT INTO security_group (id, account, region, vpc_id, name, generation, doc)
         VALUES ($1, $2, $3, $4, $5, 1, $6)",
    )
    .bind(group.id.as_str())
    .bind(group.account.as_str())
    .bind(group.region.name())
    .bind(group.vpc_id.as_str())
    .bind(&group.name)
    .bind(doc::encode(GROUP, group)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The security group of an id, whoever owns it.
pub async fn get(conn: &mut Connection, id: &SecurityGroupId) -> Result<Option<SecurityGroup>> {
    Ok(read(conn, id).await?.map(|found| found.noun))
}

/// All security groups of an account in a region.
pub async fn list(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<SecurityGroup>> {
    let sql = "SELECT doc FROM security_group WHERE account = $1 AND region = $2 ORDER BY id";
    doc::fetch_owned(conn, GROUP, sql, (account.as_str(), region.name())).await
}

/// Changes a security group; none if there is no such group.
pub async fn update(
    tx: &mut WriteTx,
    id: &SecurityGroupId,
    change: impl FnOnce(&mut SecurityGroup) + Send,
) -> Result<Option<SecurityGroup>> {
    let Some(mut found) = read(tx, id).await? else {
        return Ok(None);
    };
    change(&mut found.noun);
    let sql = "UPDATE security_group SET doc = $3, generation = generation + 1 WHERE id = $1 AND generation = $2";
    doc::rewrite(tx, GROUP, sql, id.as_str(), &found).await?;
    Ok(Some(found.noun))
}

/// Deletes a group with its rules. False: there was none.
pub async fn delete(tx: &mut WriteTx, id: &SecurityGroupId) -> Result<bool> {
    doc::delete(tx, "DELETE FROM security_group WHERE id = $1", id.as_str()).await
}

/// Records a new rule.
pub async fn insert_rule(tx: &mut WriteTx, rule: &SecurityGroupRule) -> Result<()> {
    sqlx::query(
        "INSERT INTO security_group_rule (id, account, region, group_id, generation, doc) VALUES ($1, $2, $3, $4, 1, $5)",
    )
    .bind(rule.id.as_str())
    .bind(rule.account.as_str())
    .bind(rule.region.name())
    .bind(rule.group_id.as_str())
    .bind(doc::encode(RULE, rule)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The rule of an id, whoever owns it.
pub async fn get_rule(
    conn: &mut Connection,
    id: &SecurityGroupRuleId,
) -> Result<Option<SecurityGroupRule>> {
    Ok(read_rule(conn, id).await?.map(|found| found.noun))
}

/// All rules of an account in a region, by id.
pub async fn list_rules(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<Vec<SecurityGroupRule>> {
    let sql = "SELECT doc FROM security_group_rule WHERE account = $1 AND region = $2 ORDER BY id";
    doc::fetch_owned(conn, RULE, sql, (account.as_str(), region.name())).await
}

/// The rules of a group, by id.
pub async fn rules_of(
    conn: &mut Connection,
    group: &SecurityGroupId,
) -> Result<Vec<SecurityGroupRule>> {
    let sql = "SELECT doc FROM security_group_rule WHERE group_id = $1 ORDER BY id";
    let rows = sqlx::query(sql)
        .bind(group.as_str())
        .fetch_all(conn)
        .await?;
    doc::decode_all(RULE, &rows)
}

/// Changes a rule; none if there is no such rule.
pub async fn update_rule(
    tx: &mut WriteTx,
    id: &SecurityGroupRuleId,
    change: impl FnOnce(&mut SecurityGroupRule) + Send,
) -> Result<Option<SecurityGroupRule>> {
    let Some(mut found) = read_rule(tx, id).await? else {
        return Ok(None);
    };
    change(&mut found.noun);
    let sql = "UPDATE security_group_rule SET doc = $3, generation = generation + 1 WHERE id = $1 AND generation = $2";
    doc::rewrite(tx, RULE, sql, id.as_str(), &found).await?;
    Ok(Some(found.noun))
}

/// Deletes a rule. False: there was none.
pub async fn delete_rule(tx: &mut WriteTx, id: &SecurityGroupRuleId) -> Result<bool> {
    let sql = "DELETE FROM security_group_rule WHERE id = $1";
    doc::delete(tx, sql, id.as_str()).await
}

async fn read(
    conn: &mut Connection,
    id: &SecurityGroupId,
) -> Result<Option<doc::Versioned<SecurityGroup>>> {
    let sql = "SELECT doc, generation FROM security_group WHERE id = $1";
    doc::fetch(conn, GROUP, sql, id.as_str()).await
}

async fn read_rule(
    conn: &mut Connection,
    id: &SecurityGroupRuleId,
) -> Result<Option<doc::Versioned<SecurityGroupRule>>> {
    let sql = "SELECT doc, generation FROM security_group_rule WHERE id = $1";
    doc::fetch(conn, RULE, sql, id.as_str()).await
}
