//! `dataset`: preference data of any tool.

mod convert;
mod elsewhere;
mod import;
mod lint;
mod publish;
mod query;
mod split;
mod stats;
mod summary;
mod tokenizer;

use crate::args::{DatasetVerb, HowArgs, SourceArgs};
use crate::failure::Failure;
use polyculture_data::{Dataset, Findings, Format, Mapping, OpenOptions, Severity};

pub(crate) fn run(verb: &DatasetVerb) -> Result<(), Failure> {
    match verb {
        DatasetVerb::Lint(args) => lint::run(args),
        DatasetVerb::Stats(args) => stats::run(args),
        DatasetVerb::Import(args) => import::run(args),
        DatasetVerb::Query(args) => query::run(args),
        DatasetVerb::Split(args) => split::run(args),
        DatasetVerb::Convert(args) => convert::run(args),
        DatasetVerb::Publish(args) => publish::run(args),
    }
}

fn open(source: &SourceArgs) -> Result<Dataset, Failure> {
    open_files(&source.files, &source.how)
}

fn open_files(files: &[String], how: &HowArgs) -> Result<Dataset, Failure> {
    let format = how.format.as_deref().map(format_of).transpose()?;
    let mapping = how.mapping.as_deref().map(mapping).transpose()?;
    let options =
        OpenOptions { format, mapping, choice_rule: how.choice_rule, ..OpenOptions::default() };
    let files = elsewhere::here(files, how)?;
    Dataset::open(&files, &options).map_err(chain)
}

fn mapping(path: &std::path::Path) -> Result<Mapping, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::wrong_use(format_args!("`{}`: {error}", path.display()))
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    Mapping::from_toml(&text).map_err(|error| failed(&error))
}

fn format_of(id: &str) -> Result<Format, Failure> {
    Format::from_id(id).ok_or_else(|| {
        let known: Vec<&str> = Format::ALL.iter().map(|format| format.id()).collect();
        Failure::wrong_use(format_args!("`{id}` is no format; there are {}", known.join(", ")))
    })
}

/// An error with its causes, as wrong use or unreadable input.
pub(crate) fn chain(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::wrong_use(format_args!("{:#}", anyhow::Error::new(error)))
}

/// Says on standard error what the records had that the result does not show.
fn tell(findings: &Findings) {
    let n: u64 = findings.iter().map(|(_, n, _)| n).sum();
    if n > 0 {
        let worst =
            if findings.worst() == Some(Severity::Error) { ", errors among them" } else { "" };
        eprintln!(
            "note: the reader found {n} things in the records{worst}; `polyculture dataset lint` names them"
        );
    }
}
