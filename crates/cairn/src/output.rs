//! Text for people, one line of JSON for scripts; messages and the log on standard error.

use std::io::{self, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use crate::{
    cli::{Cli, Command, Output},
    failure::{Failure, Result},
};

/// Prints a result: its JSON on one line, or the text that `text` makes of it.
pub(crate) fn print<T: Serialize>(
    output: Output,
    result: &T,
    text: impl FnOnce(&T) -> String,
) -> Result<()> {
    let line = match output {
        Output::Json => serde_json::to_string(result).map_err(Failure::failed)?,
        Output::Text => text(result),
    };
    print_line(&line)
}

/// Prints a line on standard output. A reader that went away is no failure of ours.
pub(crate) fn print_line(line: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("standard output: {cause}")))
        }
        _ => Ok(()),
    }
}

/// A bar of bytes on a terminal, and nothing in a pipe.
pub(crate) fn progress_bar(bytes: u64) -> ProgressBar {
    bar(
        bytes,
        "{bar:40} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left",
    )
}

/// A bar that counts packs on a terminal, and nothing in a pipe.
pub(crate) fn pack_bar() -> ProgressBar {
    bar(0, "{bar:40} {pos}/{len} packs  {eta} left")
}

fn bar(length: u64, template: &str) -> ProgressBar {
    let target = if io::IsTerminal::is_terminal(&io::stderr()) {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(length), target);
    // The templates are constants; were one wrong, the default style would do.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.with_style(style)
    } else {
        bar
    }
}

/// Says on standard error what went wrong.
pub(crate) fn complain(failure: &Failure) {
    match failure {
        // The child said what it had to say.
        Failure::Child(_) => {}
        // Where nobody can be told, the exit code still says it; `eprintln!` would panic instead.
        failure => drop(writeln!(io::stderr(), "cairn: {failure}")),
    }
}

/// Starts the log: the server tells what it does, other commands only what went wrong.
pub(crate) fn start_logging(cli: &Cli) -> Result<()> {
    let default = if matches!(cli.command, Command::Serve(_)) {
        "info"
    } else {
        "warn"
    };
    let wanted = cli
        .global
        .log
        .clone()
        .or_else(|| std::env::var("RUST_LOG").ok())
        .unwrap_or_else(|| default.into());
    let filter = EnvFilter::try_new(&wanted)
        .map_err(|cause| Failure::Usage(format!("--log {wanted}: {cause}")))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .with_target(false)
        // It would complain on standard error, and panic where that is the pipe that broke.
        .log_internal_errors(false)
        .try_init()
        .map_err(Failure::failed)
}
