//! Preference data as the training tools want it: one pass, flat memory, and an account of all that is left out.
//!
//! A comparison of n candidates becomes rows by a [`PairRule`]; what cannot become a row (nobody chose, a tie, equal
//! texts) is counted by its [`Reason`]. `candidates` of a comparison never mix with those of another, and no row depends
//! on where in the files its comparison stands.

mod axolotl;
pub(crate) mod column;
mod json;
mod left_out;
mod llama_factory;
pub(crate) mod own;
mod pairs;
mod preview;
mod render;
mod select;
mod similarity;
mod target;

pub use column::UnknownColumn;
pub use left_out::Reason;
pub use llama_factory::DatasetInfoError;
pub use pairs::PairRule;
pub use preview::{ChatFormat, Preview, PreviewOptions, PreviewSequence, TruncationMode, preview};
pub use select::Filter;
pub use target::{Style, Target};

use crate::comparison::Comparison;
use crate::dataset::{Dataset, ReadError, Scan};
use crate::write::{WholeFile, WriteError, is_compressed};
use polyculture_core::Seed;
use render::Renderer;
use select::Selector;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What to convert, and to what.
#[derive(Debug, Clone, Serialize)]
pub struct ConvertOptions {
    /// The dataset type.
    pub target: Target,
    /// How conversations are written.
    pub style: Style,
    /// Which candidates stand against each other.
    pub pairs: PairRule,
    /// Which comparisons.
    pub filter: Filter,
    /// At most so many rows of one comparison, picked at random.
    pub max_rows_per_comparison: Option<usize>,
    /// The column that becomes `weight`: a number from 0 up.
    pub weight: Option<String>,
    /// Columns that are carried along under their names, as texts, empty where there is none.
    pub carry: Vec<String>,
    /// At most so many rows in all: the first.
    pub limit: Option<u64>,
    /// Whatever is picked at random is picked by it.
    pub seed: Seed,
    /// The name of the dataset in `dataset_info.json`; that of the file, if nothing is said.
    pub name: Option<String>,
}

impl ConvertOptions {
    /// A conversion of everything.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self {
            target,
            style: Style::default(),
            pairs: PairRule::default(),
            filter: Filter::default(),
            max_rows_per_comparison: None,
            weight: None,
            carry: Vec::new(),
            limit: None,
            seed: Seed::new(0),
            name: None,
        }
    }
}

/// What was converted, and what was not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConvertReport {
    /// The files that were written: the data, then what goes with it.
    pub files: Vec<PathBuf>,
    /// Rows of the data file.
    pub n_rows: u64,
    /// Comparisons that were read; with a limit, as many as it took.
    pub n_comparisons: u64,
    /// Comparisons of which there are rows.
    pub n_used: u64,
    /// Comparisons of which there are none, by reason: together with `n_used` all that were read.
    pub left_out: BTreeMap<Reason, u64>,
    /// Pairs, or other rows, that are missing of comparisons that were used.
    pub rows_left_out: BTreeMap<Reason, u64>,
    /// Whether the limit ended it before the end of the files.
    pub is_limited: bool,
    /// What was found to be wrong on the way, if the files were read to their end.
    pub scan: Option<Scan>,
}

/// Why a dataset could not be converted.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// A file could not be read to its end.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A column is not there.
    #[error(transparent)]
    Column(#[from] UnknownColumn),
    /// The list of datasets in the folder is none.
    #[error(transparent)]
    DatasetInfo(#[from] DatasetInfoError),
    /// The tool reads no compressed files.
    #[error("`{}` is compressed, which LLaMA-Factory does not read; name it .jsonl", .0.display())]
    Compressed(PathBuf),
    /// The tool knows conversations only as messages.
    #[error("{} has no {} style; it takes messages", .0.id(), Style::Standard.id())]
    NoStandardStyle(Target),
    /// The tool refuses other keys than its own.
    #[error("{} takes no further columns, neither weights nor carried ones", .0.id())]
    NoFurtherColumns(Target),
    /// A chat template or tokenizer refused a conversation.
    #[error("the chat template refused line {line}: {message}")]
    ChatFormat {
        /// The line of the comparison.
        line: u64,
        /// Why.
        message: String,
    },
}

/// Converts a dataset to a file, compressed if its name ends in `.gz` or `.zst`; LLaMA-Factory and Axolotl get a file beside
/// it that says how to read it. Files have their names only when they are whole.
///
/// # Errors
/// When the dataset cannot be read to its end, a file not be written, a column is not there, or the target does
/// not go with the other options.
pub fn convert(
    dataset: &Dataset,
    options: &ConvertOptions,
    out: &Path,
) -> Result<ConvertReport, ConvertError> {
    let target = options.target;
    if target.is_llama_factory() && is_compressed(out) {
        return Err(ConvertError::Compressed(out.to_owned()));
    }
    let (selector, renderer) = prepare(dataset, options)?;
    let companion = match target {
        _ if target.is_llama_factory() => Some(llama_factory::entry(out, options)?),
        Target::AxolotlSft | Target::AxolotlDpo => Some(axolotl::fragment(out, target)),
        _ => None,
    };
    let mut file = WholeFile::create(out)?;
    let mut report = ConvertReport {
        files: vec![out.to_owned()],
        n_rows: 0,
        n_comparisons: 0,
        n_used: 0,
        left_out: BTreeMap::new(),
        rows_left_out: BTreeMap::new(),
        is_limited: false,
        scan: None,
    };
    let scan = dataset.fold(
        Block::default,
        |block, comparison| block.push(comparison, &selector, &renderer),
        |_, block| block.pour(&mut file, &mut report, options.limit),
    );
    match scan {
        Ok(scan) => report.scan = Some(scan),
        Err(Stop::Limit) => report.is_limited = true,
        Err(Stop::Failed(error)) => return Err(error),
    }
    file.finish()?;
    if let Some((path, bytes)) = companion {
        crate::write::write_whole(&path, &bytes)?;
        report.files.push(path);
    }
    Ok(report)
}

/// Checks options against the target and the dataset.
fn prepare<'o>(
    dataset: &Dataset,
    options: &'o ConvertOptions,
) -> Result<(Selector<'o>, Renderer), ConvertError> {
    let target = options.target;
    if options.style == Style::Standard && !target.has_standard_style() {
        return Err(ConvertError::NoStandardStyle(target));
    }
    let has_further = options.weight.is_some() || !options.carry.is_empty();
    if has_further && target.is_openai() {
        return Err(ConvertError::NoFurtherColumns(target));
    }
    let extra = dataset.extra_columns();
    Ok((Selector::new(options, extra)?, Renderer::new(options, extra)?))
}

/// Why reading ended early.
enum Stop {
    Limit,
    Failed(ConvertError),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<WriteError> for Stop {
    fn from(error: WriteError) -> Self {
        Self::Failed(error.into())
    }
}

/// The rows of a block of records.
#[derive(Default)]
struct Block {
    bytes: Vec<u8>,
    /// Where each row ends.
    ends: Vec<usize>,
    entries: Vec<Entry>,
}

/// What became of a comparison.
struct Entry {
    outcome: Result<usize, Reason>,
    rows_left_out: Vec<(Reason, u64)>,
}

impl Block {
    fn push(&mut self, comparison: &Comparison<'_>, selector: &Selector<'_>, renderer: &Renderer) {
        let made = selector.select(comparison).and_then(|c| Ok((selector.rows(&c)?, c)));
        let (rows, comparison) = match made {
            Ok(made) => made,
            Err(reason) => {
                self.entries.push(Entry { outcome: Err(reason), rows_left_out: Vec::new() });
                return;
            }
        };
        for row in &rows.rows {
            renderer.row(&comparison, *row, rows.weight, &mut self.bytes);
            self.ends.push(self.bytes.len());
        }
        let outcome = Ok(rows.rows.len());
        self.entries.push(Entry { outcome, rows_left_out: rows.pairs_left_out });
    }

    fn pour(
        self,
        file: &mut WholeFile,
        report: &mut ConvertReport,
        limit: Option<u64>,
    ) -> Result<(), Stop> {
        let mut n_rows = 0;
        let mut is_full = false;
        for entry in self.entries {
            let room = limit.map_or(u64::MAX, |limit| limit - report.n_rows);
            if room == 0 {
                is_full = true;
                break;
            }
            report.n_comparisons += 1;
            match entry.outcome {
                Err(reason) => *report.left_out.entry(reason).or_default() += 1,
                Ok(of_this) => {
                    let taken = room.min(of_this as u64);
                    n_rows += taken as usize;
                    report.n_rows += taken;
                    report.n_used += u64::from(taken > 0);
                }
            }
            for (reason, n) in entry.rows_left_out {
                *report.rows_left_out.entry(reason).or_default() += n;
            }
        }
        let end = if n_rows == 0 { 0 } else { self.ends[n_rows - 1] };
        file.write(&self.bytes[..end])?;
        if is_full { Err(Stop::Limit) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
