//! One file a command.

pub(crate) mod dataset;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod evaluate;
pub(crate) mod init;
pub(crate) mod judge;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod sample;
mod study;
pub(crate) mod survey;

use clap::CommandFactory;

/// Prints completions for a shell.
pub(crate) fn completions(shell: clap_complete::Shell) {
    let mut command = crate::args::Args::command();
    clap_complete::generate(shell, &mut command, "polyculture", &mut std::io::stdout());
}
