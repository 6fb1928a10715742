//! `cairn completions`.

use clap::CommandFactory as _;

use crate::{
    cli::{Cli, Completions},
    failure::Result,
    output,
};

/// Prints the completions of a shell.
pub(crate) fn run(args: &Completions) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "cairn", &mut script);
    output::print_line(String::from_utf8_lossy(&script).trim_end())
}
