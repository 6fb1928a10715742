//! `cairn completions`.

use clap::{Command, CommandFactory as _};

use crate::{
    cli::{Cli, Completions},
    failure::Result,
    output,
};

/// Prints the completions of a shell.
pub(crate) fn run(args: &Completions) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut visible(), "cairn", &mut script);
    output::print_line(String::from_utf8_lossy(&script).trim_end())
}

/// What there is to type, without the commands that programs start; completions would show those, too.
fn visible() -> Command {
    let whole = Cli::command();
    Command::new("cairn")
        .version(env!("CARGO_PKG_VERSION"))
        .args(whole.get_arguments())
        .subcommands(whole.get_subcommands().filter(|sub| !sub.is_hide_set()))
}
