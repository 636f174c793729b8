//! Chores: `cargo xtask test` is what CI runs; the others make what is committed but not written by
//! hand.

mod imports;
mod licences;
mod links;
mod oracles;
mod seedlings;
mod steps;
mod tidy;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};

/// Chores of the polyculture repository.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Everything that must hold: format, lints, tests, doctests, docs, import table, licences, links.
    Test,
    /// Only what is checked without compiling: import table, licences, links, tidiness.
    Tidy,
    /// Train the embedded models again, measure them and write their card.
    Seedlings {
        /// Train only these, and keep the tokenizer.
        only: Vec<String>,
        /// Train nothing: only measure the models that are there.
        #[arg(long)]
        measure_only: bool,
        /// Measure on the prompts on which choices are made, and leave the card as it is.
        #[arg(long)]
        validation: bool,
    },
    /// Train the embedded judge again.
    Judge,
    /// Make the golden numbers again (needs Python; installs torch and transformers).
    Oracles,
}

fn main() -> Result<()> {
    match Args::parse().chore {
        Chore::Test => steps::test(),
        Chore::Tidy => steps::tidy(),
        Chore::Seedlings { only, measure_only, validation } => {
            let crate_dir = root().join("crates/seedlings");
            let stock_dir = root().join("target/seedlings-stock");
            seedlings::run(&seedlings::Options {
                crate_dir,
                stock_dir,
                only,
                measure_only,
                validation,
            })
        }
        Chore::Judge => judge(),
        Chore::Oracles => oracles::run(),
    }
}

/// Trains the embedded judge and writes its weights.
fn judge() -> Result<()> {
    let bytes = polyculture_study::judge::validate::train_built_in().to_bytes();
    let path = root().join("crates/study/data/judge.bin");
    std::fs::write(&path, &bytes)?;
    println!(
        "{}: {} bytes; `polyculture judge validate` says how good it is",
        path.display(),
        bytes.len()
    );
    Ok(())
}

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root").to_owned()
}
