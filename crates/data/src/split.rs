//! Splits without leaks: no conversation and no prompt stands on both sides.
//!
//! Conversations that begin with the same prompt (lower-cased, white space folded), and the comparisons of
//! one conversation, belong together: they form *components*, and a component goes into one split as a whole.
//!
//! - **By hash** (no column to stratify by): a component goes where the hash of its key and the seed falls.
//!   Shares hold on average, with the spread of as many coin tosses as there are components. The key is the
//!   smallest prompt hash in the component, so that it depends on no order of rows, and data that grows keeps its split:
//!   a conversation that begins with a known prompt joins that prompt's component and changes nothing.
//! - **Stratified**: components of a stratum (the language that most of their comparisons are in, say) are put in the order
//!   of that hash and cut where the sum of their sizes reaches the shares: per-stratum thresholds on the hash.
//!   Shares hold within each stratum to within one component. Data that grows moves the cuts a little: components
//!   near a cut can change sides, the others cannot.
//! - **When components merge**, because new data bridges them, the merged one takes the smaller of the keys and with
//!   it the split of one part; what was in the other part's split moves. With annotators or all prompts as links
//!   a new prompt can also become the smallest of a component; with first prompts alone it cannot.

mod assign;
mod collect;
mod files;
mod forest;
mod leaks;
mod plan;
mod ratios;

pub use files::{WrittenSplit, write_splits};
pub use leaks::{Leak, LeakKind, LeakReport};
pub use plan::{LeftOutOfSplits, SplitPlan, SplitReport, SplitSize, SplitWarning, StratumSize};
pub use ratios::{ParseRatiosError, Ratios};

use crate::convert::column::{ColumnAt, UnknownColumn};
use crate::dataset::{Dataset, ReadError};
use crate::formats::ColumnRole;
use crate::write::WriteError;
use polyculture_core::Seed;
use serde::Serialize;
use std::path::PathBuf;

/// The name of the split that takes what is held out.
pub const TEST: &str = "test";

/// How to split.
#[derive(Debug, Clone, Serialize)]
pub struct SplitOptions {
    /// The splits and their shares of the comparisons.
    pub ratios: Ratios,
    /// Another seed gives another split.
    pub seed: Seed,
    /// What makes components, beside conversations and their first prompts.
    pub links: Links,
    /// Columns within whose values the shares hold: `language`, or any that came along.
    pub stratify: Vec<String>,
    /// Who or what is only in `test`.
    pub hold_out: Option<HoldOut>,
}

impl Default for SplitOptions {
    fn default() -> Self {
        Self {
            ratios: Ratios::default(),
            seed: Seed::new(0),
            links: Links::default(),
            stratify: Vec::new(),
            hold_out: None,
        }
    }
}

/// What else may not stand on both sides. Either can tie most of a dataset together: the plan warns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Links {
    /// Annotators.
    pub annotators: bool,
    /// Prompts of all turns, not of the first alone.
    pub all_prompts: bool,
}

/// Who or what is only in the split [`TEST`]. The other splits share the rest in proportion to their shares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HoldOut {
    /// Who or what.
    pub who: HeldOut,
    /// Whether others' conversations that begin with a prompt of the held-out ones stay in the other splits.
    /// They are left out of all splits otherwise, as the prompt would be on both sides.
    pub keep_shared_prompts: bool,
}

/// Who or what is held out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum HeldOut {
    /// So many annotators: those with the smallest hashes.
    Annotators(usize),
    /// A share of the annotators: each by its own hash, so that data that grows keeps them.
    AnnotatorShare(f64),
    /// Comparisons with one of these values in a column; in that of countries, if none is named.
    Values {
        /// The column.
        column: Option<String>,
        /// The values, in any case.
        values: Vec<String>,
    },
}

/// Why a dataset could not be split.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// A file could not be read to its end.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A folder could not be made.
    #[error("could not make the folder `{}`", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A column to stratify or hold out by is not there.
    #[error(transparent)]
    Column(#[from] UnknownColumn),
    /// Nothing is known to be a country.
    #[error(
        "no column of the dataset says the annotator's country; name the column to hold out by"
    )]
    NoCountry,
    /// Nobody knows who chose.
    #[error("annotators cannot be held out: the dataset does not say who chose")]
    NoAnnotators,
    /// What is to be held out is not there.
    #[error("nothing is held out: no comparison has {} in column `{column}`", list(.values))]
    NothingHeldOut {
        /// The column.
        column: String,
        /// The values.
        values: Vec<String>,
    },
    /// The share of annotators is none.
    #[error("`{0}` is no share of annotators; it lies between 0 and 1")]
    Share(f64),
    /// There is no split for what is held out.
    #[error("what is held out goes into a split named `{TEST}`, which the ratios do not have")]
    NoTest,
}

fn list(values: &[String]) -> String {
    values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(" or ")
}

/// Splits a dataset: one pass over it, and memory for a few numbers per conversation.
///
/// # Errors
/// When a file cannot be read to its end, a column is not there, or nothing can be held out.
pub fn plan(dataset: &Dataset, options: &SplitOptions) -> Result<SplitPlan, SplitError> {
    if options.hold_out.is_some() && options.ratios.position(TEST).is_none() {
        return Err(SplitError::NoTest);
    }
    let extra = dataset.extra_columns();
    let mut what = collect::What { links: options.links, ..collect::What::default() };
    for column in &options.stratify {
        what.strata.push(ColumnAt::find(column, extra)?);
    }
    if let Some(HoldOut { who: HeldOut::Values { column, values }, .. }) = &options.hold_out {
        let country = || extra.iter().position(|column| column.role == ColumnRole::Country);
        let at = match column {
            Some(column) => ColumnAt::find(column, extra)?,
            None => ColumnAt::Extra(country().ok_or(SplitError::NoCountry)?),
        };
        what.held = Some((at, values.iter().map(|value| value.to_lowercase()).collect()));
    }
    let collected = collect::collect(dataset, &what)?;
    if let Some((column, values)) = &what.held
        && !collected.rows.iter().any(|row| row.is_held)
    {
        let (column, values) = (column.name(extra).to_owned(), values.clone());
        return Err(SplitError::NothingHeldOut { column, values });
    }
    assign::assign(collected, options)
}

#[cfg(test)]
mod tests;
