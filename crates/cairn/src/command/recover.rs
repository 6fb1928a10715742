//! `cairn recover`.

use std::{path::PathBuf, sync::Arc};

use cairn_blocks::FsDisk;
use cairn_control::{
    OpenError,
    recover::{RecoverError, RecoverOptions, Recovered, RecoveredAccount, RecoveredSnapshot},
};
use serde::Serialize;

use crate::{
    cli::{Global, Recover},
    data_dir::{Credentials, DataDir},
    failure::{Failure, Result},
    host::{OsEntropy, RealClock},
    output, settings,
};

/// What came back, as it is printed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    rebuilt: Vec<PathBuf>,
    kept: Vec<PathBuf>,
    packs: u64,
    blobs: u64,
    snapshots: Vec<Snapshot>,
    accounts: Vec<Account>,
    unread: Vec<String>,
    volumes: Vec<PathBuf>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Snapshot {
    snapshot_id: String,
    account: String,
    region: &'static str,
    unreadable_blocks: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    locked: Option<String>,
    signature_ok: bool,
}

/// The secret is shown this once.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Account {
    account_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    operator: bool,
    access_key_id: String,
    secret_access_key: String,
}

/// Rebuilds what is lost.
pub(crate) async fn run(global: &Global, args: &Recover) -> Result<()> {
    let dir = DataDir::named_or_default(global.data.as_deref())?;
    if !dir.path().is_dir() {
        let path = dir.path().display();
        return Err(Failure::Usage(format!(
            "{path} is no directory; name one with --data DIR"
        )));
    }
    let options = RecoverOptions {
        data_dir: dir.path().to_owned(),
        clock: Arc::new(RealClock),
        entropy: Arc::new(OsEntropy),
        disk: Arc::new(FsDisk),
        root_key: settings::root_key(&dir)?,
        force: args.force,
    };
    let recovered = cairn_control::recover::recover(options)
        .await
        .map_err(failure)?;
    let report = Report::of(recovered);
    // Printed first: the keys are nowhere else.
    output::print(global.output, &report, |report| text(report, &dir))?;
    keep_credentials(&dir, &report)?;
    verdict(&report)
}

fn failure(error: RecoverError) -> Failure {
    match error {
        RecoverError::Open(OpenError::InUse(_)) => {
            Failure::InUse(format!("{error}; stop that one first"))
        }
        RecoverError::Exists(_) => Failure::Usage(error.to_string()),
        error => Failure::failed(error),
    }
}

/// The commands find the operator's key where they found the one before.
fn keep_credentials(dir: &DataDir, report: &Report) -> Result<()> {
    let Some(operator) = report.accounts.iter().find(|account| account.operator) else {
        return Ok(());
    };
    let credentials = Credentials {
        access_key_id: operator.access_key_id.clone(),
        secret_access_key: operator.secret_access_key.clone(),
    };
    dir.write_credentials(&credentials).map_err(|cause| {
        Failure::failed(format!("cannot write to {}: {cause}", dir.path().display()))
    })
}

fn verdict(report: &Report) -> Result<()> {
    let damaged: Vec<_> = report
        .snapshots
        .iter()
        .filter(|snapshot| !snapshot.is_whole())
        .collect();
    match damaged.is_empty() && report.unread.is_empty() {
        true => Ok(()),
        false => Err(Failure::NotVerified(format!(
            "{} of {} snapshots are not whole, and {} files could not be read",
            damaged.len(),
            report.snapshots.len(),
            report.unread.len()
        ))),
    }
}

impl Report {
    fn of(recovered: Recovered) -> Self {
        Self {
            rebuilt: recovered.rebuilt,
            kept: recovered.kept,
            packs: recovered.packs,
            blobs: recovered.blobs,
            snapshots: recovered.snapshots.into_iter().map(Snapshot::of).collect(),
            accounts: recovered.accounts.into_iter().map(Account::of).collect(),
            unread: recovered.unread,
            volumes: recovered.volumes,
        }
    }
}

impl Snapshot {
    fn of(snapshot: RecoveredSnapshot) -> Self {
        Self {
            snapshot_id: snapshot.id.to_string(),
            account: snapshot.account.to_string(),
            region: snapshot.region.name(),
            unreadable_blocks: snapshot.unreadable_blocks,
            locked: snapshot.locked,
            signature_ok: snapshot.signature_ok,
        }
    }

    fn is_whole(&self) -> bool {
        self.unreadable_blocks == 0 && self.locked.is_none() && self.signature_ok
    }
}

impl Account {
    fn of(recovered: RecoveredAccount) -> Self {
        let account = recovered.account;
        Self {
            account_id: account.account.to_string(),
            name: account.name,
            operator: recovered.operator,
            access_key_id: account.access_key_id,
            secret_access_key: account.secret_access_key,
        }
    }
}

fn text(report: &Report, dir: &DataDir) -> String {
    let mut lines = Vec::new();
    let mut paths = |what: &str, paths: &[PathBuf]| {
        lines.extend(
            paths
                .iter()
                .map(|path| format!("{what}  {}", path.display())),
        );
    };
    paths("rebuilt", &report.rebuilt);
    paths("kept   ", &report.kept);
    lines.push(format!(
        "{} blobs in {} packs, {} snapshots",
        report.blobs,
        report.packs,
        report.snapshots.len()
    ));
    lines.extend(
        report
            .snapshots
            .iter()
            .filter(|snapshot| !snapshot.is_whole())
            .map(damaged),
    );
    lines.extend(
        report
            .unread
            .iter()
            .map(|unread| format!("left out  {unread}")),
    );
    lines.extend(report.volumes.iter().map(|path| {
        format!(
            "files of a volume that nothing knows any more  {}",
            path.display()
        )
    }));
    lines.extend(report.accounts.iter().map(|account| keys(account, dir)));
    lines.join("\n")
}

fn damaged(snapshot: &Snapshot) -> String {
    let signature = if snapshot.signature_ok {
        ""
    } else {
        ", and its signature does not fit"
    };
    let harm = match &snapshot.locked {
        Some(why) => format!("its blocks could not be looked for: {why}"),
        None => format!("{} blocks cannot be read", snapshot.unreadable_blocks),
    };
    format!(
        "{} in {}: {harm}{signature}",
        snapshot.snapshot_id, snapshot.region
    )
}

fn keys(account: &Account, dir: &DataDir) -> String {
    let kept = if account.operator {
        format!("; kept in {}", dir.path().join("credentials").display())
    } else {
        String::new()
    };
    let name = account
        .name
        .as_deref()
        .map(|name| format!(" ({name})"))
        .unwrap_or_default();
    format!(
        "\naccount            {}{name}\naccess key id      {}\nsecret access key  {}   (shown this once{kept})",
        account.account_id, account.access_key_id, account.secret_access_key
    )
}
