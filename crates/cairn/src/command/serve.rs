//! `cairn serve`.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use cairn_api::Api;
use cairn_control::{
    Control, ControlOptions, OpenError,
    account::AccessKey,
    machine::{MachineOptions, Qemu},
};
use cairn_model::Region;
use cairn_vmm::{AcceleratorChoice, AcceleratorProbe, Config, Egress, probe_accelerator};
use rustix::{fs::Mode, process::umask};
use serde::Serialize;
use tokio::net::TcpListener;

use crate::{
    cli::{self, Global, Output, Serve},
    command::env::quoted,
    data_dir::{Credentials, DataDir},
    failure::{Failure, Result},
    host::{OsEntropy, RealClock},
    output,
    settings::Settings,
    stop::Stop,
};

/// What is printed once about the first account.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FirstAccount<'a> {
    account_id: &'a str,
    access_key_id: &'a str,
    secret_access_key: &'a str,
    endpoint: &'a str,
    region: &'a str,
}

/// Runs the server until it is told to stop.
pub(crate) async fn run(global: &Global, args: &Serve) -> Result<()> {
    let mut stop = Stop::new()?;
    // A directory that was there before may be open to others; what is put into it is not: disks and keys.
    umask(Mode::RWXG | Mode::RWXO);
    let dir = DataDir::named_or_default(global.data.as_deref())?;
    let settings = Settings::load(args, &dir)?;
    dir.create().map_err(|cause| {
        Failure::failed(format!("cannot create {}: {cause}", dir.path().display()))
    })?;
    dir.check_unused()?;
    let machines = machines(&settings)?;
    let probe = probe_accelerator(&machines, dir.path())
        .await
        .map_err(Failure::failed)?;
    let control = Control::open(options(&dir, &settings, machines, probe)?)
        .await
        .map_err(|cause| open_failure(&dir, cause))?;
    let outcome = serve(global, &dir, &settings, &control, &mut stop).await;
    // What is under way ends at a point from which the next server goes on.
    tokio::select! {
        () = control.shutdown() => outcome,
        () = stop.told() => Err(Failure::failed("told to stop a second time; what was under way goes on at the next start")),
    }
}

async fn serve(
    global: &Global,
    dir: &DataDir,
    settings: &Settings,
    control: &Control,
    stop: &mut Stop,
) -> Result<()> {
    let listener = bind(settings.listen).await?;
    let address = listener.local_addr().map_err(Failure::failed)?;
    let endpoint = format!("http://{}", reachable(address));
    keep_first_account(global.output, dir, control, &endpoint, settings.region).await?;
    dir.write_region(settings.region.name())
        .and_then(|()| dir.write_endpoint(&endpoint))
        .map_err(|cause| cannot_write(dir, &cause))?;
    let (accelerator, reason) = control.accelerator();
    tracing::info!(%endpoint, accelerator, reason, data = %dir.path().display(), "ready");
    let api = Api::new(control.clone(), Arc::new(RealClock), Arc::new(OsEntropy));
    let served = api.serve(listener, stop.told()).await;
    dir.remove_endpoint()
        .map_err(|cause| cannot_write(dir, &cause))?;
    served.map_err(Failure::failed)
}

/// Sees to it that the keys of the first account lie in the data directory: makes it in a new one,
/// and shows its keys this once. Where they could not be kept then, they are kept now.
async fn keep_first_account(
    output: Output,
    dir: &DataDir,
    control: &Control,
    endpoint: &str,
    region: Region,
) -> Result<()> {
    if let Some(key) = control.operator_key().await.map_err(Failure::failed)? {
        return keep_again(dir, key);
    }
    let account = control.create_account(None).await.map_err(|cause| {
        Failure::failed(format!(
            "cannot make the first account in {}: {cause}",
            dir.path().display()
        ))
    })?;
    let credentials = Credentials {
        access_key_id: account.access_key_id,
        secret_access_key: account.secret_access_key,
    };
    keep(dir, &credentials)?;
    let first = FirstAccount {
        account_id: account.account.as_str(),
        access_key_id: &credentials.access_key_id,
        secret_access_key: &credentials.secret_access_key,
        endpoint,
        region: region.name(),
    };
    output::print(output, &first, |first| welcome(first, dir))
}

fn keep_again(dir: &DataDir, key: AccessKey) -> Result<()> {
    if dir.has_credentials() {
        return Ok(());
    }
    tracing::warn!(data = %dir.path().display(), "the first account's keys were not in DIR/credentials; now they are");
    let credentials = Credentials {
        access_key_id: key.id,
        secret_access_key: key.secret,
    };
    keep(dir, &credentials)
}

fn keep(dir: &DataDir, credentials: &Credentials) -> Result<()> {
    dir.write_credentials(credentials)
        .map_err(|cause| cannot_write(dir, &cause))
}

fn welcome(first: &FirstAccount<'_>, dir: &DataDir) -> String {
    let FirstAccount {
        account_id,
        access_key_id,
        secret_access_key,
        endpoint,
        region,
    } = first;
    format!(
        "Account {account_id} is made. These lines make the AWS CLI work with it; they are shown this once,\n\
         and the keys are kept in {}:\n\n\
         export AWS_ENDPOINT_URL={} AWS_REGION={region} AWS_DEFAULT_REGION={region}\n\
         export AWS_ACCESS_KEY_ID={access_key_id}\n\
         export AWS_SECRET_ACCESS_KEY={secret_access_key}\n",
        dir.path().join("credentials").display(),
        quoted(endpoint),
    )
}

fn options(
    dir: &DataDir,
    settings: &Settings,
    machines: Config,
    probe: AcceleratorProbe,
) -> Result<ControlOptions> {
    let mut options = ControlOptions::new(
        dir.path().to_owned(),
        Arc::new(RealClock),
        Arc::new(OsEntropy),
    )
    .map_err(Failure::failed)?;
    options.scrubs = settings.scrub;
    options.collection = settings.collection;
    options.root_key = settings.root_key.clone();
    options.block_cache_file_bytes = settings.block_cache_file_bytes;
    options.enforce_limits = settings.enforce_limits;
    options.machines = MachineOptions::new(Arc::new(Qemu::new(machines, probe)));
    if let Some(deadline) = settings.shutdown_deadline {
        options.machines.shutdown_deadline = deadline;
    }
    Ok(options)
}

fn machines(settings: &Settings) -> Result<Config> {
    let this = std::env::current_exe()
        .map_err(|cause| Failure::failed(format!("where is this program? {cause}")))?;
    let this = this.into_os_string().into_string().map_err(|path| {
        Failure::Usage(format!(
            "the program's own path is not UTF-8, which QEMU needs: {}",
            path.display()
        ))
    })?;
    let mut config = Config::new(vec![this, "metadata-link".into()]);
    config.accelerator = match settings.accelerator {
        cli::AcceleratorChoice::Auto => AcceleratorChoice::Auto,
        cli::AcceleratorChoice::Kvm => AcceleratorChoice::Kvm,
        cli::AcceleratorChoice::Tcg => AcceleratorChoice::Tcg,
    };
    config.egress = match settings.egress {
        cli::EgressChoice::Isolated => Egress::Isolated,
        cli::EgressChoice::Open => {
            tracing::warn!(
                "egress is open: guests can reach every service on this machine's loopback interface; trust them like programs of your own"
            );
            Egress::Open
        }
    };
    Ok(config)
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "listening beyond this machine over plain HTTP: whoever can listen in sees what is sent");
    }
    TcpListener::bind(address)
        .await
        .map_err(|cause| match cause.kind() {
            io::ErrorKind::AddrInUse => Failure::failed(format!(
                "{address} is taken by another program; choose another address with --listen"
            )),
            _ => Failure::failed(format!("cannot listen on {address}: {cause}")),
        })
}

/// The address as this machine reaches it: a server that listens on every address is here by the
/// loopback interface.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn open_failure(dir: &DataDir, error: OpenError) -> Failure {
    match error {
        OpenError::InUse(_) => Failure::InUse(format!(
            "{error}; stop that one, or choose another with --data"
        )),
        OpenError::Store(_) => {
            Failure::failed(format!("cannot use {}: {error}", dir.path().display()))
        }
        error => Failure::failed(error),
    }
}

fn cannot_write(dir: &DataDir, cause: &io::Error) -> Failure {
    Failure::failed(format!("cannot write to {}: {cause}", dir.path().display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_every_address_is_named_by_one() {
        let named = |address: &str| reachable(address.parse().unwrap()).to_string();
        assert_eq!(named("0.0.0.0:8773"), "127.0.0.1:8773");
        assert_eq!(named("[::]:8773"), "[::1]:8773");
        assert_eq!(named("192.0.2.1:1"), "192.0.2.1:1");
    }
}
