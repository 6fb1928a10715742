//! `cairn key`.

use std::time::Duration;

use crate::{
    cli::{Global, KeyCreate, KeyDelete, KeyList},
    client::{
        cairn::{self, Key, Keys},
        connect,
    },
    failure::{Failure, Result},
    host::pause,
    output,
};

/// How often a deletion is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Makes a key.
pub(crate) async fn create(global: &Global, args: &KeyCreate) -> Result<()> {
    let client = connect(global, &args.region)?;
    let key = cairn::create_key(&client, args.description.as_deref()).await?;
    output::print(global.output, &key, |key| key.arn.clone())
}

/// Lists the keys.
pub(crate) async fn list(global: &Global, args: &KeyList) -> Result<()> {
    let client = connect(global, &args.region)?;
    let keys = cairn::keys(&client).await?;
    output::print(global.output, &keys, text)
}

/// Deletes a key: in some days, or at once.
pub(crate) async fn delete(global: &Global, args: &KeyDelete) -> Result<()> {
    match args.now {
        true => erase(global, args).await,
        false => schedule(global, args).await,
    }
}

/// Has a key deleted in some days.
async fn schedule(global: &Global, args: &KeyDelete) -> Result<()> {
    let client = connect(global, &args.region)?;
    let key = cairn::schedule_key_deletion(&client, &args.key, args.days).await?;
    output::print(global.output, &key, |key| {
        let date = key.deletion_date.as_deref().unwrap_or_default();
        format!(
            "{} cannot be used any more, and is erased on {date}; until then, `aws kms cancel-key-deletion --key-id {}` keeps it",
            key.key_id, key.key_id
        )
    })
}

/// Erases a key, and waits until it is gone.
async fn erase(global: &Global, args: &KeyDelete) -> Result<()> {
    if !args.erase_everything_under_it {
        return Err(Failure::Usage(format!(
            "all volumes and snapshots that are kept under {} would be lost for good; say --erase-everything-under-it if that is meant",
            args.key
        )));
    }
    let client = connect(global, &args.region)?;
    let mut key = cairn::delete_key(&client, &args.key).await?;
    while key.key_state == "PendingDeletion" {
        pause(LOOK).await;
        let id = key.key_id;
        let found = cairn::keys(&client).await?.keys;
        key = found
            .into_iter()
            .find(|found| found.key_id == id)
            .ok_or_else(|| Failure::failed(format!("the server forgot key {id}")))?;
    }
    output::print(global.output, &key, |key| {
        format!("{} is gone, and all that was kept under it", key.key_id)
    })
}

fn text(keys: &Keys) -> String {
    match keys.keys.as_slice() {
        [] => {
            "no keys: the first is made by `cairn key create`, or with the first encrypted volume"
                .to_owned()
        }
        keys => keys.iter().map(line).collect::<Vec<_>>().join("\n"),
    }
}

fn line(key: &Key) -> String {
    let alias = if key.aws_managed {
        "alias/aws/ebs  "
    } else {
        ""
    };
    let due = key.deletion_date.as_ref();
    let due = due.filter(|_| key.key_state == "PendingDeletion");
    let due = due.map(|date| format!("erased on {date}  "));
    let line = format!(
        "{}  {:15}  {}  {}{alias}{}",
        key.key_id,
        key.key_state,
        key.creation_date,
        due.unwrap_or_default(),
        key.description
    );
    line.trim_end().to_owned()
}
