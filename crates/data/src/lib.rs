//! Preference datasets: whoever asked whom to choose between which answers, in one shape.
//!
//! A [`Dataset`] is one or more files of a known [`Format`]. Reading it gives [`Comparison`]s and, for
//! everything in the files that is not as it should be, [`Finding`]s with their lines: nothing is
//! dropped in silence. All else here works on that one shape, block by block, so that memory stays flat
//! however long the files are.

mod choice_rule;
mod comparison;
pub mod convert;
mod csv;
mod dataset;
mod facts;
mod finding;
mod formats;
mod head;
mod identity;
mod input;
mod json_array;
mod lint;
mod mapping;
mod parallel;
mod parquet_file;
mod parquet_rows;
mod publish;
mod query;
mod rows;
pub mod schema;
pub mod split;
mod stats;
mod table;
mod write;

pub use choice_rule::ChoiceRule;
pub use comparison::{Candidate, Choice, Comparison, Message, Role};
pub use dataset::{Dataset, OpenError, OpenOptions, ReadError, Scan};
pub use finding::{Finding, Findings, Rule, Severity};
pub use formats::{ColumnRole, ExtraColumn, Format};
pub use identity::{fold, words};
pub use lint::{
    Behaviour, FormatSkew, LanguageCount, LeakageOptions, LengthSkew, LintOptions, LintReport,
    Mark, NearDuplicates, OddAnnotator, PersonalData, PersonalKind, PositionShares, Side,
    TokenCounter, Truncation, leakage, lint,
};
pub use mapping::{
    CandidateColumns, CandidateList, ChoiceColumn, ChoiceNames, Mapping, MappingError, Pair,
    RankingColumn,
};
pub use parquet_file::{ImportError, import};
pub use publish::{
    Author, Card, ColumnDecision, Compression, Declaration, DeclarationError, Gap, Ids, KeyError,
    KeySource, Privacy, PseudonymKey, PublishError, PublishOptions, PublishReport, PublishedSplit,
    Scrubbed, Shard, Suppressed, Visibility, publish,
};
pub use query::{ParseRowFormatError, Queried, QueryError, RowFormat, query};
pub use rows::{TableRow, rows};
pub use stats::{
    Breakdown, Census, Counts, CrossCounts, DatasetStats, Group, Overlap, StatsError, stats,
};
pub use write::{WriteError, whole_file};
