//! Checks and code generation that a script should not hold.
//!
//! - `cargo run -p xtask -- codegen`: writes the EC2 request and response types of crate `api`
//!   from the trimmed model; `codegen --check` only says whether they are as they would be written.

#![allow(clippy::print_stderr, reason = "a tool for people")]

use std::process::ExitCode;

use anyhow::{Result, bail};

mod codegen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<()> {
    match arguments {
        ["codegen"] => codegen::write(),
        ["codegen", "--check"] => codegen::check(),
        _ => bail!("usage: xtask codegen [--check]"),
    }
}
