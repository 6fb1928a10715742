//! `cairn ssh`.

use std::process::Command;

use serde::Serialize;

use crate::{
    cli::{Global, Output, Ssh},
    client::{connect, ec2},
    failure::{Failure, Result},
    output,
};

/// Who logs in unless told otherwise.
const DEFAULT_USER: &str = "root";

/// Where an instance's SSH is reached.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Address {
    instance_id: String,
    host: String,
    port: u16,
}

/// Runs `ssh`, or says where it would go.
pub(crate) async fn run(global: &Global, args: &Ssh) -> Result<()> {
    let (user, instance) = args
        .target
        .rsplit_once('@')
        .unwrap_or((DEFAULT_USER, &args.target));
    if user.is_empty() || instance.is_empty() {
        let told = format!(
            "{:?}: name an instance, such as i-0123456789abcdef0 or admin@i-0123456789abcdef0",
            args.target
        );
        return Err(Failure::Usage(told));
    }
    let client = connect(global, &args.region)?;
    let address = find(&client, instance).await?;
    if args.print || global.output == Output::Json {
        return output::print(global.output, &address, |address| {
            format!("{}:{}", address.host, address.port)
        });
    }
    let command = command(args, user, &address);
    // The program takes over the terminal, and its exit code is ours.
    let status = tokio::task::spawn_blocking(move || { command }.status())
        .await
        .map_err(Failure::failed)?;
    let status = status.map_err(|cause| {
        Failure::failed(format!("cannot run ssh: {cause} (Debian: openssh-client)"))
    })?;
    match status.code().map(u8::try_from) {
        Some(Ok(0)) => Ok(()),
        Some(Ok(code)) => Err(Failure::Child(code)),
        _ => Err(Failure::failed(format!("ssh ended by {status}"))),
    }
}

async fn find(client: &crate::client::Client, instance: &str) -> Result<Address> {
    let found = ec2::ssh_address(client, instance).await?;
    let unreachable = || {
        Failure::failed(format!(
            "{instance} has no forwarded port now; is it running?"
        ))
    };
    let address: std::net::SocketAddr = found
        .and_then(|text| text.parse().ok())
        .ok_or_else(unreachable)?;
    Ok(Address {
        instance_id: instance.to_owned(),
        host: address.ip().to_string(),
        port: address.port(),
    })
}

fn command(args: &Ssh, user: &str, address: &Address) -> Command {
    let mut command = Command::new("ssh");
    command.args(["-p", &address.port.to_string()]);
    for option in [
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "LogLevel=ERROR",
    ] {
        command.args(["-o", option]);
    }
    if let Some(identity) = &args.identity {
        command
            .arg("-i")
            .arg(identity)
            .args(["-o", "IdentitiesOnly=yes"]);
    }
    command
        // Whatever it is, it is no option.
        .args(["-l", user, &address.host, "--"])
        .args(&args.command);
    command
}
