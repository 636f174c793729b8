//! The vocabulary of polyculture: what every crate means by a frame, an instrument, a candidate
//! set, a verdict and a figure, and how each of them is written to disk.
//!
//! Nothing here computes or waits: shapes, their checks, and JSON Lines.

pub mod candidates;
pub mod frame;
pub mod ids;
pub mod instrument;
pub mod jsonl;
pub mod results;
pub mod seed;
pub mod survey;
pub mod template;
pub mod verdict;

pub use candidates::{Call, Candidate, CandidateSet};
pub use frame::{Axis, FrameError, Pole, Side, ValueFrame};
pub use ids::{AxisId, IdError, ModelId, PoleId, PromptId, RespondentId, SetId};
pub use instrument::{Instrument, Item, Leaning};
pub use jsonl::{Format, JsonlError, JsonlWriter};
pub use results::{Estimate, Results};
pub use seed::{Seed, digest};
pub use survey::{
    Answer, AssignedItem, Assignment, DefaultResponse, Respondent, Shown, SurveyWeight,
};
pub use template::Template;
pub use verdict::{Outcome, Position, Verdict};
