//! What publishing did, and why it could not be done.

use super::declaration::Visibility;
use super::pseudonym::{KeyError, KeySource};
use crate::dataset::{OpenError, ReadError};
use crate::finding::Findings;
use crate::stats::StatsError;
use serde::Serialize;
use std::io;
use std::path::PathBuf;

/// Why a dataset could not be published. The folder is then as it was before.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// There is something already.
    #[error("`{}` is there already; --force replaces it", .0.display())]
    Exists(PathBuf),
    /// What is there was not published by this program, and replacing it could destroy something else.
    #[error("`{}` is there already and is no published dataset, so not even --force replaces it", .0.display())]
    NotOurs(PathBuf),
    /// Another run is at it.
    #[error("another run is publishing to `{}`", .0.display())]
    Busy(PathBuf),
    /// Nothing is to be published.
    #[error("there is no split to publish")]
    NoSplit,
    /// The name of a split that the hub does not take.
    #[error(
        "`{0}` is no name of a split: letters, digits and `_`, such as train, validation, test"
    )]
    SplitName(String),
    /// Two splits of one name.
    #[error("there are two splits `{0}`")]
    TwoSplits(String),
    /// Splits must have the same columns.
    #[error("the split `{split}` has other columns that come along than `{first}`")]
    Differs {
        /// The split.
        split: String,
        /// The first split.
        first: String,
    },
    /// A column is declared that is not there.
    #[error("the declaration names `{column}`, which is no column{}", nearest.as_ref().map_or(String::new(), |n| format!("; is it `{n}`?")))]
    UnknownColumn {
        /// The column.
        column: String,
        /// The column with the most similar name.
        nearest: Option<String>,
    },
    /// A column without which there is no dataset.
    #[error(
        "`{0}` cannot be private: without it there is no comparison; explanation, annotator_id and language can be"
    )]
    MustBePublic(String),
    /// Columns that must be declared and are not.
    #[error("the declaration is strict, and does not say whether these columns are public: {}", .0.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", "))]
    Undeclared(Vec<String>),
    /// No key of pseudonyms.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The source could not be read to its end.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What was written could not be opened again.
    #[error("could not open what was written")]
    Open(#[from] OpenError),
    /// The figures of the card could not be worked out.
    #[error(transparent)]
    Stats(#[from] StatsError),
    /// A file could not be written.
    #[error("could not write `{}`", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What was published, and what was not.
#[derive(Debug, Clone, Serialize)]
pub struct PublishReport {
    /// The name and version of this shape.
    pub format: &'static str,
    /// The folder.
    pub folder: PathBuf,
    /// The splits, in order.
    pub splits: Vec<PublishedSplit>,
    /// Columns that came along, and those of the shape that were kept private.
    pub columns: Vec<ColumnDecision>,
    /// Where the key of pseudonyms came from; nothing, where ids stayed as they are.
    pub pseudonyms: Option<KeySource>,
    /// The fewest people that may share a combination.
    pub min_cell: u64,
    /// Of how many people values were left out, by column.
    pub suppressed: Vec<Suppressed>,
    /// Whether texts were searched for personal data.
    pub scrubs: bool,
    /// What was replaced in texts.
    pub scrubbed: Vec<Scrubbed>,
    /// What the reader found wrong with the source.
    pub findings: Findings,
    /// What a person must still write.
    pub gaps: Vec<Gap>,
}

/// A split that was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishedSplit {
    /// Its name.
    pub name: String,
    /// Comparisons: the rows of its table.
    pub rows: u64,
    /// Bytes of its values in memory, as the hub's library counts them.
    pub memory_bytes: u64,
    /// Its files.
    pub shards: Vec<Shard>,
}

impl PublishedSplit {
    /// Bytes of its files.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.shards.iter().map(|shard| shard.bytes).sum()
    }
}

/// A file of a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shard {
    /// Its path in the folder, with slashes.
    pub path: String,
    /// Comparisons.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// What became of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnDecision {
    /// Its name in the table.
    pub name: String,
    /// What it says; `shape` for a column that every table has.
    pub role: &'static str,
    /// Whether it is published.
    pub visibility: Visibility,
    /// Whether somebody said so; otherwise it is the default.
    pub declared: bool,
}

/// Values that were left out because too few people share them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suppressed {
    /// The column.
    pub column: String,
    /// Of how many people; of conversations, where annotators are unknown.
    pub people: u64,
}

/// Personal data that was replaced in texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scrubbed {
    /// The column.
    pub column: String,
    /// What it was.
    pub kind: &'static str,
    /// How often.
    pub replaced: u64,
}

/// Something that only a person can say, and that nobody has said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Where it goes: a key of the section `[card]`.
    pub field: &'static str,
    /// What is asked.
    pub question: &'static str,
}
