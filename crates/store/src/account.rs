//! Accounts and their access keys.

use cairn_model::{AccountId, Timestamp};
use sqlx::{Row as _, sqlite::SqliteRow};

use crate::{
    db::{Connection, WriteTx},
    doc,
    error::{Error, Result},
};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// What people call it.
    pub name: Option<String>,
    /// Whether it may make other accounts.
    pub operator: bool,
    /// When it was made.
    pub created: Timestamp,
    /// ARNs of the organization and of the organizational units that it belongs to.
    pub memberships: Vec<String>,
}

/// An access key as signatures are checked with.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// Its id, `AKIA` and 16 more.
    pub id: String,
    /// Whose it is.
    pub account: AccountId,
    /// The secret half.
    pub secret: String,
    /// Whether the account may make other accounts.
    pub operator: bool,
    /// ARNs of the organization and of the organizational units that the account belongs to.
    pub memberships: Vec<String>,
}

/// The secret is not shown.
impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey")
            .field("id", &self.id)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// Records a new account.
pub async fn insert(tx: &mut WriteTx, account: &Account) -> Result<()> {
    sqlx::query(
        "INSERT INTO account (id, name, operator, created, memberships) VALUES ($1, $2, $3, $4, $5)",
    )
        .bind(account.id.as_str())
        .bind(&account.name)
        .bind(i64::from(account.operator))
        .bind(account.created.0)
        .bind(doc::encode("account", &account.memberships)?)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The account of a number.
pub async fn get(conn: &mut Connection, id: &AccountId) -> Result<Option<Account>> {
    let row =
        sqlx::query("SELECT id, name, operator, created, memberships FROM account WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(conn)
            .await?;
    row.as_ref().map(account).transpose()
}

/// All accounts, oldest first.
pub async fn list(conn: &mut Connection) -> Result<Vec<Account>> {
    let rows = sqlx::query(
        "SELECT id, name, operator, created, memberships FROM account ORDER BY created, id",
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(account).collect()
}

/// Sets the organization and the organizational units that an account belongs to. False: there is no
/// such account.
pub async fn set_memberships(
    tx: &mut WriteTx,
    id: &AccountId,
    memberships: &[String],
) -> Result<bool> {
    let done = sqlx::query("UPDATE account SET memberships = $2 WHERE id = $1")
        .bind(id.as_str())
        .bind(doc::encode("account", &memberships)?)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Records an access key.
pub async fn insert_key(tx: &mut WriteTx, key: &AccessKey, created: Timestamp) -> Result<()> {
    sqlx::query("INSERT INTO access_key (id, account, secret, created) VALUES ($1, $2, $3, $4)")
        .bind(&key.id)
        .bind(key.account.as_str())
        .bind(&key.secret)
        .bind(created.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The access key of an id.
pub async fn get_key(conn: &mut Connection, id: &str) -> Result<Option<AccessKey>> {
    let row = sqlx::query(
        "SELECT access_key.id, account, secret, operator, memberships FROM access_key
         JOIN account ON account.id = access_key.account WHERE access_key.id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(access_key).transpose()
}

/// The operator's oldest access key; none before the first account is made.
pub async fn operator_key(conn: &mut Connection) -> Result<Option<AccessKey>> {
    let row = sqlx::query(
        "SELECT access_key.id, account, secret, operator, memberships FROM access_key
         JOIN account ON account.id = access_key.account
         WHERE operator = 1 ORDER BY access_key.created, access_key.id LIMIT 1",
    )
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(access_key).transpose()
}

fn account(row: &SqliteRow) -> Result<Account> {
    Ok(Account {
        id: account_id(row, "id")?,
        name: row.try_get("name")?,
        operator: row.try_get::<i64, _>("operator")? != 0,
        created: Timestamp(row.try_get("created")?),
        memberships: memberships(row)?,
    })
}

fn access_key(row: &SqliteRow) -> Result<AccessKey> {
    Ok(AccessKey {
        id: row.try_get("id")?,
        account: account_id(row, "account")?,
        secret: row.try_get("secret")?,
        operator: row.try_get::<i64, _>("operator")? != 0,
        memberships: memberships(row)?,
    })
}

fn memberships(row: &SqliteRow) -> Result<Vec<String>> {
    doc::decode("account", row.try_get::<&str, _>("memberships")?)
}

pub(crate) fn account_id(row: &SqliteRow, column: &str) -> Result<AccountId> {
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|e| Error::Damaged {
        noun: "account id",
        reason: format!("{e}"),
    })
}
