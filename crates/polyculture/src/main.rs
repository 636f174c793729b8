//! The command line: parse, call, print. Exit codes: 0 done, 1 the answer is "no", 2 wrong use or
//! unreadable input, 3 the outside world failed.

mod args;
mod commands;
mod failure;
mod progress;
mod table;

use args::{Args, Command};
use clap::Parser;
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    // `polyculture … | head` ends quietly, as other programs do.
    sigpipe::reset();
    let args = Args::parse();
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {}", failure.error);
            failure.code.into()
        }
    }
}

fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Demo(args) => in_runtime(commands::demo::run(args)),
        Command::Init(args) => commands::init::run(&args),
        Command::Run(args) => in_runtime(commands::run::run(args)),
        Command::Survey { verb } => in_runtime(commands::survey::run(*verb)),
        Command::Sample(args) => in_runtime(commands::sample::run(args)),
        Command::Judge { verb } => in_runtime(commands::judge::run(verb)),
        Command::Evaluate { verb } => in_runtime(commands::evaluate::run(verb)),
        Command::Dataset { verb } => commands::dataset::run(&verb),
        Command::Report(args) => commands::report::run(&args),
        Command::Doctor(args) => in_runtime(commands::doctor::run(args)),
        Command::Completions { shell } => {
            commands::completions(shell);
            Ok(())
        }
    }
}

/// Only commands that wait for the world pay for a runtime.
fn in_runtime(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
            Failure::world(anyhow::Error::new(error).context("cannot start threads"))
        })?;
    runtime.block_on(work)
}
