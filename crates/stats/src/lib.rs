//! Estimators of pluralism: numbers and slices in, numbers with intervals out.
//!
//! The crate knows no domain. A response is a yes or no ("is it of this class?"), a person is a point,
//! a prompt is a cluster number. What they mean is the caller's business.
//!
//! | question | module |
//! |---|---|
//! | How sure are we of a figure? | [`interval`], [`bootstrap`], [`ratio`] |
//! | How often does a set of k responses hold at least one of a class? | [`coverage`] |
//! | Do responses of one set avoid each other? | [`dependence`] |
//! | How different are the responses of a set? | [`diversity`] |
//! | For how many people do the models speak, and which few of them for most? | [`aligned_share`] |
//! | What should each respondent weigh, and what does that cost? | [`weights`] |
//! | What do the sampling and the weights of a survey make of an estimate? | [`design`] |
//! | How far do raters, or a judge and the truth, agree? | [`agreement`] |
//! | How reliable are the scores of people who answered some of the items? | [`reliability`] |
//! | How far do those agree who chose from the same options? | [`votes`] |
//! | Which of many comparisons survive? | [`multiple`] |
//! | How surprising is a count, given that observations go together? | [`significance`] |
//!
//! Three rules hold everywhere. A missing score is never a zero: it leaves the estimate and is counted.
//! A figure that the data do not determine is a typed error, never a silent 0. An interval that the data do
//! not determine is the whole range that the figure can take, and says so in [`interval::Method`].
//!
//! ```
//! use polyculture_stats::bootstrap::Bootstrap;
//! use polyculture_stats::coverage::{ScoredSet, coverage};
//!
//! // Two prompts with two sets each of four responses: is a response of the class? `None` is unscored.
//! let sets: Vec<ScoredSet> = [
//!     (0, vec![Some(true), Some(false), Some(false), Some(false)]),
//!     (0, vec![Some(false), Some(false), Some(false), Some(false)]),
//!     (1, vec![Some(false), Some(true), Some(true), Some(false)]),
//!     (1, vec![Some(false), None, Some(false), Some(false)]),
//! ]
//! .into_iter()
//! .map(|(prompt, slots)| ScoredSet::new(prompt, slots))
//! .collect();
//!
//! let found = coverage(&sets, 4, &Bootstrap::default())?;
//! assert_eq!(found.coverage.value, 2.0 / 3.0);
//! assert_eq!((found.tally.used, found.tally.excluded), (3, 1));
//! # Ok::<(), polyculture_stats::coverage::CoverageError>(())
//! ```

pub mod agreement;
pub mod aligned_share;
pub mod bootstrap;
pub mod coverage;
pub mod dependence;
pub mod design;
pub mod diversity;
pub mod interval;
pub mod multiple;
pub mod ratio;
pub mod reliability;
pub mod significance;
pub mod votes;
pub mod weights;

#[cfg(test)]
mod oracle;
