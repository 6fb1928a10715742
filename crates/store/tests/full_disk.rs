//! A database that may not grow any more, as on a full disk: what fails must not break what comes after.

#![allow(clippy::unwrap_used, missing_docs)]

use cairn_model::{AccountId, Timestamp};
use cairn_store::{
    Result, Store,
    account::{self, Account},
};

/// Longer than what is free in the pages of a new database.
const LONG: usize = 1 << 20;

fn account(number: u32, name_length: usize) -> Account {
    Account {
        id: format!("{number:012}").parse::<AccountId>().unwrap(),
        name: Some("n".repeat(name_length)),
        operator: false,
        created: Timestamp(0),
        memberships: Vec::new(),
    }
}

async fn insert(store: &Store, new: &Account) -> Result<()> {
    let mut tx = store.write().await?;
    account::insert(&mut tx, new).await?;
    tx.commit().await
}

/// Fails as on a full disk; where, `max_page_count` decides for this one connection.
async fn insert_without_space(store: &Store, new: &Account) {
    let mut tx = store.write().await.unwrap();
    sqlx::query("PRAGMA max_page_count = 1")
        .execute(&mut *tx)
        .await
        .unwrap();
    let error = account::insert(&mut tx, new).await.unwrap_err();
    assert!(error.is_storage_full(), "{error}");
}

#[tokio::test]
async fn transactions_go_on_once_there_is_space_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    for round in 0..3 {
        insert_without_space(&store, &account(2 * round, LONG)).await;
        insert(&store, &account(2 * round + 1, LONG)).await.unwrap();
    }
    let found = account::list(&mut store.read().await.unwrap())
        .await
        .unwrap();
    let numbers: Vec<_> = found.iter().map(|found| found.id.to_string()).collect();
    assert_eq!(
        numbers,
        ["000000000001", "000000000003", "000000000005"],
        "only what was committed"
    );
}
