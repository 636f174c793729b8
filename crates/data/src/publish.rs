//! A dataset for everybody: a folder that the hub's library and Croissant readers open, in which nothing is seen that
//! was not meant to be, and which says of itself what is known and what a person must still say.
//!
//! What may be seen is declared ([`Declaration`]). By default a column that comes along is private, unless it says how the
//! collection went (its role is wave or prompt origin): what is about people, and whatever nobody thought of, stays at home.
//! The card's figures are worked out from the published files, not from the source, so they cannot give away more than those.

mod citation;
mod columns;
mod croissant;
mod datasheet;
mod declaration;
mod features;
mod folder;
mod languages;
mod prepare;
mod pseudonym;
mod readme;
mod report;
mod scrub;
mod shards;
mod statements;
mod suppress;
mod yaml;

pub use declaration::{Author, Card, Declaration, DeclarationError, Ids, Privacy, Visibility};
pub use pseudonym::{KeyError, KeySource, PseudonymKey};
pub use report::{
    ColumnDecision, Gap, PublishError, PublishReport, PublishedSplit, Scrubbed, Shard, Suppressed,
};

use crate::dataset::{Dataset, OpenOptions, Scan};
use crate::formats::Format;
use crate::stats::stats;
use columns::Columns;
use folder::Building;
use prepare::{Found, Preparation};
use shards::{Written, write_split};
use statements::{Gaps, Published};
use std::path::Path;
use suppress::Suppression;

/// How Parquet pages are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Small.
    #[default]
    Zstd,
    /// Larger, and read by everything.
    Snappy,
}

/// How to publish.
#[derive(Debug, Clone)]
pub struct PublishOptions {
    /// What is published, and what is said of it.
    pub declaration: Declaration,
    /// The key of pseudonyms; without one a key is drawn for this one time, and is gone afterwards.
    pub key: Option<PseudonymKey>,
    /// The day of publication, as `2026-03-01`.
    pub date: Option<String>,
    /// Comparisons in a file, at most.
    pub max_shard_rows: u64,
    /// Bytes of a file after which the next one begins.
    pub max_shard_bytes: u64,
    /// How pages are packed.
    pub compression: Compression,
    /// Whether a dataset that was published to the folder before is replaced.
    pub force: bool,
}

impl Default for PublishOptions {
    fn default() -> Self {
        Self {
            declaration: Declaration::default(),
            key: None,
            date: None,
            max_shard_rows: u64::MAX,
            max_shard_bytes: 500_000_000,
            compression: Compression::default(),
            force: false,
        }
    }
}

/// Publishes splits, each a name and a dataset, to a folder: `data/*.parquet`, `README.md`, `croissant.json` and
/// `CITATION.cff`. The folder is there whole, or not at all.
///
/// # Errors
/// When something is there already, a declaration does not fit the columns, a dataset cannot be read to its end, or a file
/// cannot be written.
pub fn publish(
    splits: &[(&str, &Dataset)],
    options: &PublishOptions,
    folder: &Path,
) -> Result<PublishReport, PublishError> {
    let first = check_splits(splits)?;
    let declaration = &options.declaration;
    let extra = first.extra_columns();
    let columns = Columns::resolve(extra, declaration)?;
    let building = Building::begin(folder, options.force)?;

    let datasets: Vec<&Dataset> = splits.iter().map(|(_, dataset)| *dataset).collect();
    let privacy = &declaration.privacy;
    let suppression = Suppression::decide(&datasets, &columns, privacy.min_cell)?;
    let key = match (privacy.ids, &options.key) {
        (Ids::AsTheyAre, _) => None,
        (Ids::Pseudonyms, Some(key)) => Some(key.clone()),
        (Ids::Pseudonyms, None) => Some(PseudonymKey::random()?),
    };
    let preparation = Preparation { columns, suppression, key, scrubs: privacy.scrub };

    let mut written = Vec::with_capacity(splits.len());
    for (name, dataset) in splits {
        written.push(write_split(name, dataset, &preparation, options, building.path())?);
    }
    let report = report(&written, preparation, options, extra);
    describe(&written, report, options, first.format(), building)
}

/// The first dataset, if the splits go together.
fn check_splits<'d>(splits: &[(&str, &'d Dataset)]) -> Result<&'d Dataset, PublishError> {
    let Some((first_name, first)) = splits.first() else { return Err(PublishError::NoSplit) };
    for (i, (name, dataset)) in splits.iter().enumerate() {
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(letters) {
            return Err(PublishError::SplitName((*name).to_owned()));
        }
        if splits[..i].iter().any(|(other, _)| other == name) {
            return Err(PublishError::TwoSplits((*name).to_owned()));
        }
        if dataset.extra_columns() != first.extra_columns() {
            let (split, first) = ((*name).to_owned(), (*first_name).to_owned());
            return Err(PublishError::Differs { split, first });
        }
    }
    Ok(first)
}

/// What was done so far. The folder and the gaps come later.
fn report(
    written: &[Written],
    preparation: Preparation,
    options: &PublishOptions,
    extra: &[crate::formats::ExtraColumn],
) -> PublishReport {
    let (mut found, mut scan) = (Found::new(extra.len()), Scan::default());
    for split in written {
        found.merge(&split.found);
        scan.merge(split.scan.clone());
    }
    PublishReport {
        format: "polyculture.publish-report/1",
        folder: Path::new("").to_owned(),
        splits: written.iter().map(|written| written.split.clone()).collect(),
        columns: preparation.columns.decisions,
        pseudonyms: preparation.key.as_ref().map(PseudonymKey::source),
        min_cell: options.declaration.privacy.min_cell,
        suppressed: preparation.suppression.counts,
        scrubs: preparation.scrubs,
        scrubbed: found.report(extra),
        findings: scan.findings,
        gaps: Vec::new(),
    }
}

/// Writes the files beside the data, and puts the folder in its place.
fn describe(
    written: &[Written],
    mut report: PublishReport,
    options: &PublishOptions,
    source: Format,
    building: Building,
) -> Result<PublishReport, PublishError> {
    let shards = report.splits.iter().flat_map(|split| &split.shards);
    let names: Vec<String> =
        shards.map(|shard| building.path().join(&shard.path).display().to_string()).collect();
    let own = OpenOptions { format: Some(Format::Polyculture), ..OpenOptions::default() };
    let stats = stats(&Dataset::open(&names, &own)?)?;

    let schema = written[0].schema.clone();
    let missing = schema.fields().iter().enumerate().map(|(i, field)| {
        (field.name().clone(), written.iter().map(|split| split.missing[i]).sum())
    });
    let published = Published {
        card: &options.declaration.card,
        report: &report,
        stats: &stats,
        features: features::features(&schema),
        missing: missing.collect(),
        schema,
        source,
        date: options.date.as_deref(),
    };
    let mut gaps = Gaps::default();
    building.write("README.md", &readme::readme(&published, &mut gaps))?;
    building.write("croissant.json", &croissant::croissant(&published, &mut gaps))?;
    building.write("CITATION.cff", &citation::citation(&published, &mut gaps))?;
    report.gaps = gaps.0;
    report.folder = building.finish(options.force)?;
    Ok(report)
}

#[cfg(test)]
mod tests;
