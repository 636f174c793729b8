//! Results: every figure of a study with its interval and n, as the report shows it and `--json`
//! prints it. One shape for both, so that they cannot disagree.

mod dataset;
mod survey;

pub use dataset::{AgreementRow, ChoiceRow, DatasetSummary, FindingRow, GroupRow};
pub use survey::{
    AddedRow, BalanceRow, CarelessRow, CoverRow, Density, DistanceRow, ItemRow, OrderRow,
    PeopleRow, ReliabilityRow, ScoreRow, SurveySummary,
};

use crate::frame::ValueFrame;
use crate::ids::{AxisId, ModelId, PoleId, PromptId};
use crate::jsonl::Format;
use crate::template::TemplateRef;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A figure with its interval: a number without one is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
    /// The interval's level, such as 0.95.
    pub level: f64,
    /// How many units it rests on: sets, responses or people.
    pub n: usize,
    /// How many independent clusters those units form: prompts, or people.
    pub n_clusters: usize,
}

/// Everything that a run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// What a reader sees first.
    pub title: String,
    /// Why the figures are no evidence about real models or people, if they are not: shown wherever
    /// they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synthetic: Option<String>,
    /// The axes.
    pub frame: ValueFrame,
    /// What made it.
    pub made: Made,
    /// How often a set of candidates holds each value.
    #[serde(default)]
    pub coverage: Vec<CoverageRow>,
    /// What each strategy gains over the first one, and from where.
    #[serde(default)]
    pub gains: Vec<GainRow>,
    /// How different the candidates are, how many failed, what they cost.
    #[serde(default)]
    pub diversity: Vec<DiversityRow>,
    /// How often the responses at each place in a set are of each value: places need not be alike.
    #[serde(default)]
    pub places: Vec<PlaceRow>,
    /// People and models side by side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plane: Option<Plane>,
    /// How much of the population the models' answers speak for.
    #[serde(default)]
    pub shares: Vec<ShareRow>,
    /// How good the judge is, measured where the truth is known.
    #[serde(default)]
    pub judges: Vec<JudgeRow>,
    /// The survey.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub survey: Option<SurveySummary>,
    /// Candidate sets to read.
    #[serde(default)]
    pub examples: Vec<Example>,
    /// The preference dataset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<DatasetSummary>,
    /// What a reader must know before using a figure.
    #[serde(default)]
    pub warnings: Vec<String>,
}

impl Format for Results {
    const FORMAT: &'static str = "polyculture.results/1";
}

/// How often a set of `k` candidates holds a value, for one strategy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoverageRow {
    /// The strategy, such as `nc`.
    pub strategy: String,
    /// The model, or nothing for the mean over models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelId>,
    /// The axis.
    pub axis: AxisId,
    /// The value: a pole of the axis.
    pub value: PoleId,
    /// Candidates in a set.
    pub k: usize,
    /// Share of sets with at least one response of the value.
    pub coverage: Estimate,
    /// Coverage at `k` estimated without bias from all draws for a prompt, where draws are
    /// independent and there are at least `k`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unbiased: Option<Estimate>,
    /// Share of responses of the value.
    pub share: Estimate,
    /// The share of responses that independent draws would need for the same coverage.
    pub implied_share: Estimate,
    /// Mean covariance of "is of the value" between two responses of one set, pooled over prompts and
    /// models: an upper bound, on average, of the covariance given the prompt, which is at most 0 for
    /// negatively correlated sampling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covariance: Option<Estimate>,
    /// Responses that the judge could not place. They count neither way.
    pub unscored: usize,
}

/// What a strategy gains in coverage over a baseline, split in two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GainRow {
    /// The strategy.
    pub strategy: String,
    /// What it is held against.
    pub baseline: String,
    /// The value.
    pub value: PoleId,
    /// Coverage gained.
    pub gain: Estimate,
    /// The part that comes from more responses of the value.
    pub marginal: Estimate,
    /// The part that comes from how responses of one set depend on each other.
    pub dependence: Estimate,
}

/// How different the candidates of a strategy are, and what they cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DiversityRow {
    /// The strategy.
    pub strategy: String,
    /// Vendi score of a set: the effective number of different responses, 1 to k.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendi: Option<Estimate>,
    /// Number of classes of responses in a set that the judge tells apart, 1 to k.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<Estimate>,
    /// Share of two-word sequences in a set that occur once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct_2: Option<Estimate>,
    /// Words in a response.
    pub words: Estimate,
    /// Tokens that a set cost, prompts and replies together, where they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Estimate>,
    /// Share of draws that did not hold what was asked for.
    pub failed: Estimate,
}

/// How often the responses at one place in a set are of a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaceRow {
    /// The strategy.
    pub strategy: String,
    /// The place: a response's id, such as `a`.
    pub candidate: String,
    /// The value.
    pub value: PoleId,
    /// Share of the responses at this place that are of the value.
    pub share: Estimate,
}

/// Where people and models stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plane {
    /// What the people are, in words: `synthetic panel of five countries, n = 2,500`.
    pub population: String,
    /// The people.
    pub people: Vec<Person>,
    /// The models.
    pub models: Vec<ModelPoint>,
}

/// A person's place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// The country or group.
    pub group: String,
    /// How many people they stand for, relative to the others.
    pub weight: f64,
    /// One place an axis, each 0 to 1.
    pub at: Vec<f64>,
}

/// A model's place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelPoint {
    /// The model.
    pub model: ModelId,
    /// One place an axis, each 0 to 1, the mean over the prompts that probe it.
    pub at: Vec<Estimate>,
}

/// How much of a population a set of points speaks for, in one reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShareRow {
    /// `O1` to `O5`.
    pub reading: String,
    /// What it counts, in a sentence.
    pub definition: String,
    /// Whose places are held against the people: `models`, or a baseline.
    pub source: String,
    /// Which people: a country, or `everyone`.
    pub population: String,
    /// The share.
    pub share: Estimate,
}

/// How good a judge is on one axis, where the truth is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgeRow {
    /// The judge.
    pub judge: String,
    /// What it was tried on, in words.
    pub data: String,
    /// The language.
    pub language: String,
    /// The axis.
    pub axis: AxisId,
    /// Share of texts placed where they belong.
    pub accuracy: Estimate,
    /// Counts: rows are the true places 0, 0.5, 1; columns are the judge's.
    pub confusion: [[usize; 3]; 3],
}

/// A candidate set to read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// The prompt.
    pub prompt_id: PromptId,
    /// What was asked.
    pub prompt: String,
    /// The strategy.
    pub strategy: String,
    /// The candidates.
    pub responses: Vec<ExampleResponse>,
}

/// A candidate to read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExampleResponse {
    /// Who said it, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelId>,
    /// What was said.
    pub text: String,
    /// Where the judge placed it on each axis of the frame; nothing where it could not.
    pub at: Vec<Option<f64>>,
}

/// How a run was made: enough to make it again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Made {
    /// The program's version.
    pub version: String,
    /// The command line.
    pub command: String,
    /// When it began, RFC 3339.
    pub started: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The seed of all chance.
    pub seed: u64,
    /// The models that answered.
    pub models: Vec<ModelId>,
    /// The judge that placed the answers.
    pub judge: String,
    /// The prompt texts that were used.
    pub templates: Vec<TemplateRef>,
    /// Digests of the files that were read, by name.
    pub inputs: BTreeMap<String, String>,
    /// Settings as they were resolved.
    pub settings: BTreeMap<String, serde_json::Value>,
}
