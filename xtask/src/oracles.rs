//! Makes the golden numbers again: in a virtual environment with pinned versions, and in the R that is installed.

use crate::root;
use anyhow::{Context, Result, bail};
use std::process::{Command, Stdio};

/// Scripts with the packages that they need and what they are called with.
const ORACLES: [(&str, &str, &[&str]); 3] = [
    (
        "xtask/oracles/transformers_parity.py",
        "xtask/oracles/requirements.txt",
        &["crates/engine/testdata/parity"],
    ),
    ("crates/stats/testdata/oracles.py", "crates/stats/testdata/requirements.txt", &[]),
    ("crates/stats/testdata/aligned_share.py", "crates/stats/testdata/requirements.txt", &[]),
];

/// R scripts, each printing the file beside it. They need the packages survey and psych; their versions are in what they print.
const R_ORACLES: [(&str, &str); 3] = [
    ("crates/stats/testdata/survey.R", "crates/stats/testdata/survey.json"),
    ("crates/stats/testdata/design.R", "crates/stats/testdata/design.json"),
    ("crates/stats/testdata/reliability.R", "crates/stats/testdata/reliability.json"),
];

pub(crate) fn run() -> Result<()> {
    let venv = root().join(".venv-oracles");
    let python = venv.join("bin/python");
    if !python.exists() {
        step(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    for (script, requirements, args) in ORACLES {
        step(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r", requirements]))?;
        step(Command::new(&python).arg(script).args(args))?;
    }
    for (script, made) in R_ORACLES {
        let mut command = Command::new("Rscript");
        command.arg(script).current_dir(root()).stderr(Stdio::inherit());
        println!("{command:?}");
        let output = command.output().context("start Rscript: is R installed?")?;
        if !output.status.success() {
            bail!("failed: {command:?}");
        }
        std::fs::write(root().join(made), output.stdout).context(made)?;
    }
    Ok(())
}

fn step(command: &mut Command) -> Result<()> {
    println!("{command:?}");
    let status = command.current_dir(root()).status()?;
    if !status.success() {
        bail!("failed: {command:?}");
    }
    Ok(())
}
