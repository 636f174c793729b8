//! `evaluate`: from candidate sets and verdicts to figures with intervals.

pub mod coverage;
pub mod diversity;
pub mod scores;
pub mod share;
pub mod survey;

pub use scores::Scores;

use polyculture_core::results::Example;
use polyculture_core::{CandidateSet, ValueFrame};
use polyculture_stats::agreement::AgreementError;
use polyculture_stats::aligned_share::{AlignedShareError, CoverError, SurveyError};
use polyculture_stats::bootstrap::BootstrapError;
use polyculture_stats::coverage::CoverageError;
use polyculture_stats::dependence::DependenceError;
use polyculture_stats::design::DesignError;
use polyculture_stats::diversity::DiversityError;

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// No candidate set.
    #[error("there are no candidate sets to evaluate")]
    NoSets,
    /// No verdict for any response of a strategy on an axis.
    #[error("failed to measure coverage of `{value}` by strategy `{strategy}`: failed to {source}")]
    Coverage {
        /// The strategy.
        strategy: String,
        /// The value.
        value: String,
        /// Why.
        source: CoverageError,
    },
    /// Covariance.
    #[error("failed to {0}")]
    Dependence(#[from] DependenceError),
    /// A clustered mean.
    #[error("failed to {0}")]
    Bootstrap(#[from] BootstrapError),
    /// A set's diversity.
    #[error("failed to {0}")]
    Diversity(#[from] DiversityError),
    /// The aligned share.
    #[error("failed to {0}")]
    Share(#[from] AlignedShareError),
    /// The aligned share over a survey.
    #[error("failed to {0}")]
    Survey(#[from] SurveyError),
    /// The order of models by whom they cover.
    #[error("failed to {0}")]
    Cover(#[from] CoverError),
    /// A survey's design.
    #[error("failed to {0}")]
    Design(#[from] DesignError),
    /// The judge's validation.
    #[error("failed to {0}")]
    Confusion(#[from] AgreementError),
}

/// The name under which sets without a strategy are reported.
pub const NO_STRATEGY: &str = "given";

/// The strategies of the sets, in the order in which they first occur.
#[must_use]
pub fn strategies(sets: &[CandidateSet]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for set in sets {
        let name = strategy(set);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The strategy that others are held against: temperature 1 if it is there, else the first.
#[must_use]
pub fn baseline<'a>(strategies: &[&'a str]) -> Option<&'a str> {
    strategies.iter().find(|name| **name == "temperature-1").or(strategies.first()).copied()
}

pub(crate) fn strategy(set: &CandidateSet) -> &str {
    set.strategy.as_deref().unwrap_or(NO_STRATEGY)
}

/// Sets to read: of the first prompt of each axis, one set of every strategy. The first ones, so
/// that nobody chose them for what they say.
#[must_use]
pub fn examples(sets: &[CandidateSet], scores: &Scores, frame: &ValueFrame) -> Vec<Example> {
    let mut prompts: Vec<_> = frame
        .axes
        .iter()
        .filter_map(|axis| sets.iter().find(|set| set.axis.as_ref() == Some(&axis.id)))
        .map(|set| &set.prompt_id)
        .collect();
    if prompts.is_empty() {
        prompts = sets.first().map(|set| &set.prompt_id).into_iter().collect();
    }
    let names = strategies(sets);
    let mut found = Vec::new();
    for prompt in prompts {
        for name in &names {
            let set = sets.iter().find(|s| s.prompt_id == *prompt && strategy(s) == *name);
            found.extend(set.map(|set| scores.example(set, frame)));
        }
    }
    found
}
