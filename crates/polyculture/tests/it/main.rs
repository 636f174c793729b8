//! The program as a person or a script meets it: what it prints, what it leaves on disk, how it
//! exits.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod dataset;
mod demo;
mod errors;
mod files;
mod survey;

use std::path::Path;
use std::process::{Command, Output};

/// A run of the program in a folder, without the machine's own keys and settings.
fn polyculture(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().expect("the program starts")
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_polyculture"));
    command.args(args).current_dir(folder).env_remove("POLYCULTURE_STUDY");
    for key in ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENROUTER_API_KEY"] {
        command.env_remove(key);
    }
    command
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("the program prints UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("the program prints UTF-8")
}

/// Checks the exit code and shows what was printed if it is another.
#[track_caller]
fn expect_code(output: &Output, code: i32) {
    let (out, err) = (stdout(output), stderr(output));
    assert_eq!(output.status.code(), Some(code), "stdout:\n{out}\nstderr:\n{err}");
}
