//! The `cairn` binary: the server, and the command line that scripts and people talk to it with.
//!
//! - [`cli`]: what can be typed, with its help.
//! - [`command`]: one file per command.
//! - [`client`]: signed requests to a server, this one or any other that speaks AWS.
//! - [`import`]: a disk file becomes a stream of blocks, and those a snapshot.
//! - [`data_dir`]: what lies in the data directory for others to read: the address, the keys.
//! - [`settings`]: flags over environment over `config.toml`.
//! - [`host`]: the real clock and real randomness.
//! - [`stop`]: Ctrl-C and SIGTERM.
//! - [`output`]: text for people, one line of JSON for scripts.
//! - [`failure`]: what went wrong, and the exit code that says so.

#![forbid(unsafe_code)]

mod cli;
mod client;
mod command;
mod data_dir;
mod failure;
mod host;
mod import;
mod output;
mod settings;
mod stop;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(cli: cli::Cli) -> failure::Result<()> {
    output::start_logging(&cli)?;
    command::run(cli)
}
