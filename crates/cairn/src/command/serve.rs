//! `cairn serve`.

use std::{io, net::SocketAddr, sync::Arc};

use cairn_api::Api;
use cairn_control::{
    Control, ControlOptions, OpenError,
    machine::{MachineOptions, Qemu},
};
use cairn_model::Region;
use cairn_vmm::{AcceleratorChoice, AcceleratorProbe, Config, Egress, probe_accelerator};
use serde::Serialize;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};

use crate::{
    cli::{self, Global, Output, Serve},
    data_dir::{Credentials, DataDir},
    failure::{Failure, Result},
    host::{OsEntropy, RealClock},
    output,
    settings::Settings,
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
        .map_err(open_failure)?;
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
    let endpoint = format!("http://{address}");
    keep_first_account(global.output, dir, control, &endpoint, settings.region).await?;
    dir.write_endpoint(&endpoint)
        .map_err(|cause| cannot_write(dir, &cause))?;
    let (accelerator, reason) = control.accelerator();
    tracing::info!(%endpoint, accelerator, reason, data = %dir.path().display(), "ready");
    let api = Api::new(control.clone(), Arc::new(RealClock), Arc::new(OsEntropy));
    let served = api.serve(listener, stop.told()).await;
    dir.remove_endpoint()
        .map_err(|cause| cannot_write(dir, &cause))?;
    served.map_err(Failure::failed)
}

/// Makes the first account of a new data directory, and shows its keys this once.
async fn keep_first_account(
    output: Output,
    dir: &DataDir,
    control: &Control,
    endpoint: &str,
    region: Region,
) -> Result<()> {
    if !control
        .accounts()
        .await
        .map_err(Failure::failed)?
        .is_empty()
    {
        return Ok(());
    }
    let account = control
        .create_account(None)
        .await
        .map_err(Failure::failed)?;
    let credentials = Credentials {
        access_key_id: account.access_key_id,
        secret_access_key: account.secret_access_key,
    };
    dir.write_credentials(&credentials)
        .map_err(|cause| cannot_write(dir, &cause))?;
    let first = FirstAccount {
        account_id: account.account.as_str(),
        access_key_id: &credentials.access_key_id,
        secret_access_key: &credentials.secret_access_key,
        endpoint,
        region: region.name(),
    };
    output::print(output, &first, |first| welcome(first, dir))
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
         export AWS_ENDPOINT_URL={endpoint} AWS_REGION={region} AWS_DEFAULT_REGION={region}\n\
         export AWS_ACCESS_KEY_ID={access_key_id}\n\
         export AWS_SECRET_ACCESS_KEY={secret_access_key}\n",
        dir.path().join("credentials").display()
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
    options.machines = MachineOptions::new(Arc::new(Qemu::new(machines, probe)));
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
        cli::EgressChoice::Open => Egress::Open,
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

fn open_failure(error: OpenError) -> Failure {
    match error {
        OpenError::InUse(_) => Failure::InUse(format!(
            "{error}; stop that one, or choose another with --data"
        )),
        error => Failure::failed(error),
    }
}

fn cannot_write(dir: &DataDir, cause: &io::Error) -> Failure {
    Failure::failed(format!("cannot write to {}: {cause}", dir.path().display()))
}

/// What tells a server to stop: SIGTERM and Ctrl-C.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn new() -> Result<Self> {
        let on = |kind| {
            signal(kind).map_err(|cause| Failure::failed(format!("cannot catch signals: {cause}")))
        };
        Ok(Self {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next such signal.
    async fn told(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
