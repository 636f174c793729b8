//! `dataset publish`: a folder for everybody, and its way to the Hugging Face Hub.

use super::elsewhere::{failure as remote_failure, in_runtime, told};
use super::{chain, open_files, tell};
use crate::args::DatasetPublishArgs;
use crate::failure::Failure;
use polyculture_data::{
    Dataset, Declaration, ImportError, PseudonymKey, PublishError, PublishOptions, PublishReport,
    StatsError, Visibility, publish,
};
use polyculture_remote::{Access, PushOptions};
use std::path::Path;
use time::OffsetDateTime;

pub(super) fn run(args: &DatasetPublishArgs) -> Result<(), Failure> {
    let splits = splits(args)?;
    let splits: Vec<(&str, &Dataset)> =
        splits.iter().map(|(name, dataset)| (name.as_str(), dataset)).collect();
    let key = match &args.key {
        Some(path) => Some(PseudonymKey::from_file(path).map_err(chain)?),
        None => PseudonymKey::from_env().map_err(chain)?,
    };
    let now = OffsetDateTime::now_utc().date();
    let options = PublishOptions {
        declaration: args.declaration.as_deref().map(declaration).transpose()?.unwrap_or_default(),
        key,
        date: Some(now.to_string()),
        force: args.force,
        ..PublishOptions::default()
    };
    let report = publish(&splits, &options, &args.out).map_err(failure)?;
    if args.json {
        let json = serde_json::to_string_pretty(&report);
        println!("{}", json.map_err(|error| Failure::world(anyhow::Error::new(error)))?);
    } else {
        print(&report);
    }
    tell(&report.findings);
    match &args.push {
        Some(repository) => push(&args.out, repository, args.public),
        None => Ok(()),
    }
}

/// `NAME=FILE` is a split of that name; files without a name are `train` together.
fn splits(args: &DatasetPublishArgs) -> Result<Vec<(String, Dataset)>, Failure> {
    let mut parts: Vec<(String, Vec<String>)> = Vec::new();
    for file in &args.source.files {
        let named = file.split_once('=').filter(|_| !Path::new(file).exists());
        let (name, file) = named.unwrap_or(("train", file));
        match parts.iter_mut().find(|(known, _)| known == name) {
            Some((_, files)) => files.push(file.to_owned()),
            None => parts.push((name.to_owned(), vec![file.to_owned()])),
        }
    }
    let open =
        |(name, files): (String, Vec<String>)| Ok((name, open_files(&files, &args.source.how)?));
    parts.into_iter().map(open).collect()
}

fn declaration(path: &Path) -> Result<Declaration, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::wrong_use(format_args!("`{}`: {error}", path.display()))
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    Declaration::from_toml(&text).map_err(|error| failed(&error))
}

fn print(report: &PublishReport) {
    println!("{}", report.folder.display());
    for split in &report.splits {
        println!(
            "  {}: {} comparisons in {} files, {:.1} MB",
            split.name,
            split.rows,
            split.shards.len(),
            split.file_bytes() as f64 / 1e6
        );
    }
    let of = |visibility: Visibility| {
        let names = report.columns.iter().filter(|column| column.visibility == visibility);
        names.map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    println!("  public beside the shape: {}", of(Visibility::Public));
    println!("  private: {}", of(Visibility::Private));
    if let Some(source) = report.pseudonyms {
        println!("  ids are pseudonyms, the key from: {}", format!("{source:?}").to_lowercase());
    }
    for row in &report.suppressed {
        println!(
            "  left out: `{}` of {} people, as fewer than {} share it",
            row.column, row.people, report.min_cell
        );
    }
    for row in &report.scrubbed {
        println!("  taken out of {}: {} × {}", row.column, row.replaced, row.kind);
    }
    if !report.gaps.is_empty() {
        println!("  a person must still write:");
        for gap in &report.gaps {
            println!("    {}: {}", gap.field, gap.question);
        }
    }
}

fn push(folder: &Path, repository: &str, public: bool) -> Result<(), Failure> {
    let mut options = PushOptions::new(Access::from_env().map_err(remote_failure)?);
    options.private = !public;
    options.on_event = told();
    let pushed = in_runtime(polyculture_remote::push(folder, repository, &options))?;
    eprintln!("{}", pushed.page);
    Ok(())
}

fn failure(error: PublishError) -> Failure {
    let is_world = matches!(
        &error,
        PublishError::Write { .. }
            | PublishError::Stats(StatsError::Import(ImportError::Write { .. }))
    );
    if is_world { Failure::world(anyhow::Error::new(error)) } else { chain(error) }
}
