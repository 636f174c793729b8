//! `judge`: which value does a response lean to? Places every response on every axis at 0, 0.5 or
//! 1, or says why it could not.

pub mod embedded;
pub mod pairwise;
pub mod run;
pub mod validate;

pub use embedded::EmbeddedJudge;
pub use pairwise::{PairwiseError, PairwiseJudge};
pub use run::{JudgeError, Judged, run};
pub use validate::{embedded_judge, on_instrument, on_world};

use futures::future::BoxFuture;
use polyculture_core::{Axis, CandidateSet, Outcome};
use polyculture_llm::ModelError;

/// Whoever places responses on axes.
pub trait Judge: Send + Sync {
    /// The name that verdicts carry: a model's, or `embedded/judge`.
    fn name(&self) -> &str;

    /// Where one response of a set stands on an axis.
    ///
    /// # Errors
    /// If the judge cannot be reached. An answer that cannot be read is no error but
    /// [`Outcome::Unscored`].
    fn place<'a>(
        &'a self,
        set: &'a CandidateSet,
        response: &'a str,
        axis: &'a Axis,
    ) -> BoxFuture<'a, Result<Outcome, ModelError>>;
}
