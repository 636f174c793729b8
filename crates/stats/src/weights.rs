//! Survey weights: make a sample look like its population in what we know of both, and say what that costs.
//!
//! [`rake`] and [`poststratify`] fit weights to [`Margin`]s, [`trim`] and [`trim_and_rake`] keep single people from
//! counting for too many, [`balance`] shows what was gained, [`effective_sample_size`] and [`kish_design_effect`] what was paid.
//!
//! ```
//! use polyculture_stats::weights::{Margin, Missing, RakeSettings, Targets, rake};
//!
//! let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
//! let (women, men) = (Some(0), Some(1));
//! let gender = Margin::new(
//!     "gender",
//!     names(&["women", "men"]),
//!     Targets::Shares(vec![0.5, 0.5]),
//!     &[women, women, women, men],
//!     Missing::Refuse,
//! )?;
//! let raked = rake(&[1.0; 4], &[gender], &RakeSettings::default())?;
//! assert_eq!(raked.weights, [2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 2.0]);
//! # Ok::<(), polyculture_stats::weights::WeightsError>(())
//! ```

mod balance;
mod margin;
mod rake;
mod trim;

#[cfg(test)]
mod tests;

pub use balance::{Balance, balance};
pub use margin::{Margin, Missing, Targets};
pub use rake::{MarginFit, RakeSettings, Raked, poststratify, rake};
pub use trim::{Bound, BoundedRaked, Bounds, Trimmed, trim, trim_and_rake};

/// Kish's design effect of weights, `n sum w² / (sum w)²` (Kish 1965): at least 1; the factor by which weighting alone
/// inflates a variance. NaN for no weights.
///
/// People of weight 0 count in `n`, so that `n / design effect` is [`effective_sample_size`] in any case.
pub fn kish_design_effect(weights: &[f64]) -> f64 {
    weights.len() as f64 / effective_sample_size(weights)
}

/// Kish's effective sample size, `(sum w)² / sum w²` (Kish 1965): how many people of equal weight would give as narrow an
/// interval, if weights have nothing to do with what is measured. At most the number of people with a weight;
/// whatever the scale of the weights. NaN for no weights. Checked against R.
pub fn effective_sample_size(weights: &[f64]) -> f64 {
    let sum: f64 = weights.iter().sum();
    let squares: f64 = weights.iter().map(|weight| weight * weight).sum();
    sum * sum / squares
}

/// Why there are no weights.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WeightsError {
    /// No respondents.
    #[error("weight nobody")]
    Nobody,
    /// A column of another length than the weights.
    #[error("read `{found}` respondents in `{margin}`: there are `{expected}` weights")]
    Length {
        /// The margin (or which weights).
        margin: String,
        /// Its respondents.
        found: usize,
        /// The number of weights.
        expected: usize,
    },
    /// A negative, infinite or missing (NaN) weight.
    #[error("read weight `{value}` of respondent `{row}`: weights are at least 0 and finite")]
    Weight {
        /// The respondent.
        row: usize,
        /// What was found.
        value: f64,
    },
    /// All weights are 0.
    #[error("weight anybody: all weights are 0")]
    NoWeight,
    /// Not as many targets as categories, or none.
    #[error("read `{found}` targets of `{margin}`: it has `{expected}` categories")]
    TargetCount {
        /// The margin.
        margin: String,
        /// Its targets.
        found: usize,
        /// Its categories.
        expected: usize,
    },
    /// A target that is negative or not finite.
    #[error(
        "read target `{value}` of `{category}` in `{margin}`: targets are at least 0 and finite"
    )]
    Target {
        /// The margin.
        margin: String,
        /// The category.
        category: String,
        /// What was found.
        value: f64,
    },
    /// All targets of a margin are 0.
    #[error("read the targets of `{margin}`: all are 0")]
    NoTargets {
        /// The margin.
        margin: String,
    },
    /// A respondent of a category that does not exist.
    #[error(
        "place respondent `{row}` in category `{category}` of `{margin}`: there are `{n_categories}`, counted from 0"
    )]
    UnknownCategory {
        /// The margin.
        margin: String,
        /// The respondent.
        row: usize,
        /// The category's index.
        category: u32,
        /// Categories that exist.
        n_categories: usize,
    },
    /// Respondents without a category, and [`Missing::Refuse`].
    #[error("place `{n_missing}` of `{n}` respondents in `{margin}`: they have no category")]
    MissingCategory {
        /// The margin.
        margin: String,
        /// Respondents without a category.
        n_missing: usize,
        /// All respondents.
        n: usize,
    },
    /// A category with a target, but without anybody to carry it.
    #[error(
        "reach the target of `{category}` in `{margin}`, a share of `{share}`: none of its `{n}` respondents has a weight"
    )]
    EmptyCategory {
        /// The margin.
        margin: String,
        /// The category.
        category: String,
        /// Its target as a share of the margin.
        share: f64,
        /// Its respondents, all of weight 0.
        n: usize,
    },
    /// A category with people, but with a target of 0.
    #[error(
        "weight `{n}` respondents of `{category}` in `{margin}`: its target is 0 (leave them out, or join it with another category)"
    )]
    NoTarget {
        /// The margin.
        margin: String,
        /// The category.
        category: String,
        /// Its respondents with a weight.
        n: usize,
    },
    /// Two margins given as totals of different populations.
    #[error(
        "rake to `{first}` with a total of `{first_total}` and to `{second}` with `{second_total}`: totals must agree"
    )]
    TotalsDiffer {
        /// A margin.
        first: String,
        /// The sum of its targets.
        first_total: f64,
        /// Another margin.
        second: String,
        /// The sum of its targets.
        second_total: f64,
    },
    /// Margins that cannot all be met, or not in the iterations allowed.
    #[error(
        "meet all margins in `{iterations}` iterations: `{category}` in `{margin}` weighs `{found}` instead of `{target}`, off by `{deviation:.2e}` of it"
    )]
    NotConverged {
        /// Iterations done.
        iterations: usize,
        /// The margin that is off most.
        margin: String,
        /// Its category that is off most.
        category: String,
        /// The weight in it.
        found: f64,
        /// The weight that it should have.
        target: f64,
        /// `|found / target - 1|`.
        deviation: f64,
    },
    /// A bound that is none.
    #[error("bound weights by `{0}`: bounds are finite and at least 0, an upper one more than 0")]
    Bound(f64),
    /// A lower bound above the upper one.
    #[error("keep weights between `{lower}` and `{upper}`")]
    BoundsCrossed {
        /// The lower bound as a weight.
        lower: f64,
        /// The upper bound as a weight.
        upper: f64,
    },
    /// Trimming keeps the mean; it is outside the bounds.
    #[error("keep weights between `{lower}` and `{upper}`: their mean is `{mean}`")]
    MeanOutOfBounds {
        /// The lower bound as a weight.
        lower: f64,
        /// The upper bound as a weight.
        upper: f64,
        /// The mean of the weights above 0.
        mean: f64,
    },
    /// A category whose people cannot carry its target within the bounds.
    #[error(
        "reach the target of `{category}` in `{margin}`, `{target}`: `{n}` respondents between `{lower}` and `{upper}` cannot weigh that"
    )]
    BoundsAgainstTarget {
        /// The margin.
        margin: String,
        /// The category.
        category: String,
        /// The weight that it should have.
        target: f64,
        /// Its respondents with a weight.
        n: usize,
        /// The lower bound as a weight.
        lower: f64,
        /// The upper bound as a weight.
        upper: f64,
    },
    /// Margins and bounds do not hold together, or not in the rounds allowed.
    #[error(
        "meet all margins between `{lower}` and `{upper}` in `{rounds}` rounds: `{n}` respondents are outside, the farthest weighs `{weight}`"
    )]
    BoundsNotMet {
        /// Rounds of trimming and raking.
        rounds: usize,
        /// The lower bound as a weight.
        lower: f64,
        /// The upper bound as a weight.
        upper: f64,
        /// Respondents outside after the last raking.
        n: usize,
        /// The weight farthest outside, by its ratio to the bound.
        weight: f64,
    },
    /// A tolerance or a number of iterations that is none.
    #[error(
        "rake with tolerance `{tolerance}` and `{max_iterations}` iterations: both are more than 0, the tolerance below 1"
    )]
    Settings {
        /// The tolerance given.
        tolerance: f64,
        /// The iterations given.
        max_iterations: usize,
    },
}

/// Weights that are at least 0, finite and not all 0.
pub(crate) fn check_weights(weights: &[f64]) -> Result<(), WeightsError> {
    if weights.is_empty() {
        return Err(WeightsError::Nobody);
    }
    if let Some(row) = weights.iter().position(|weight| !weight.is_finite() || *weight < 0.0) {
        return Err(WeightsError::Weight { row, value: weights[row] });
    }
    if weights.iter().all(|weight| *weight == 0.0) {
        return Err(WeightsError::NoWeight);
    }
    Ok(())
}
