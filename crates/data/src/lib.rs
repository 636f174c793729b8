//! Preference datasets: whoever asked whom to choose between which answers, in one shape.
//!
//! A [`Dataset`] is one or more files of a known [`Format`]. Reading it gives [`Comparison`]s and, for
//! everything in the files that is not as it should be, [`Finding`]s with their lines: nothing is
//! dropped in silence. All else here works on that one shape, block by block, so that memory stays flat
//! however long the files are.

mod comparison;
mod csv;
mod dataset;
mod finding;
mod formats;
mod identity;
mod input;
mod lint;
mod parallel;

pub use comparison::{Candidate, Choice, Comparison, Message, Role};
pub use dataset::{Dataset, OpenError, OpenOptions, ReadError, Scan};
pub use finding::{Finding, Findings, Rule, Severity};
pub use formats::Format;
pub use identity::fold;
pub use lint::{LintReport, lint};
