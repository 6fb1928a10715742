//! One file per command.

mod account;
mod completions;
mod du;
mod env;
mod gc;
mod import;
mod key;
mod recover;
mod scrub;
mod serve;
mod ssh;
mod status;
mod verify;

use std::{path::Path, time::Duration};

use crate::{
    cli::{AccountCommand, Cli, Command, KeyCommand},
    failure::{Failure, Result},
};

/// How long a guest's metadata request waits for a server that is restarting.
const LINK_PATIENCE: Duration = Duration::from_secs(60);

/// Runs a command.
pub(crate) fn run(cli: Cli) -> Result<()> {
    let Cli { global, command } = cli;
    match command {
        Command::Completions(args) => completions::run(&args),
        // QEMU starts this once for each connection of a guest: no runtime, no threads to spare.
        Command::MetadataLink { socket } => metadata_link(&socket),
        Command::Env(args) => env::run(&global, &args),
        Command::Serve(args) => on_runtime(serve::run(&global, &args)),
        Command::Account(AccountCommand::Create(args)) => {
            on_runtime(account::create(&global, &args))
        }
        Command::Account(AccountCommand::Membership(args)) => {
            on_runtime(account::membership(&global, &args))
        }
        Command::Key(KeyCommand::Create(args)) => on_runtime(key::create(&global, &args)),
        Command::Key(KeyCommand::List(args)) => on_runtime(key::list(&global, &args)),
        Command::Key(KeyCommand::Delete(args)) => on_runtime(key::delete(&global, &args)),
        Command::Import(args) => on_runtime(import::run(&global, &args)),
        Command::Verify(args) => on_runtime(verify::run(&global, &args)),
        Command::Scrub(args) => on_runtime(scrub::run(&global, &args)),
        Command::Recover(args) => on_runtime(recover::run(&global, &args)),
        Command::Gc(args) => on_runtime(gc::run(&global, &args)),
        Command::Du(args) => on_runtime(du::run(&global, &args)),
        Command::Status(args) => on_runtime(status::run(&global, &args)),
        Command::Ssh(args) => on_runtime(ssh::run(&global, &args)),
    }
}

fn metadata_link(socket: &Path) -> Result<()> {
    cairn_vmm::metadata::link(socket, LINK_PATIENCE)
        .map_err(|cause| Failure::failed(format!("{}: {cause}", socket.display())))
}

/// Runs to the end on a runtime of its own.
fn on_runtime(command: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|cause| Failure::failed(format!("cannot start the runtime: {cause}")))?;
    let outcome = runtime.block_on(command);
    // Threads that still read a file must not keep the process alive.
    runtime.shutdown_background();
    outcome
}
