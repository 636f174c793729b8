//! What a survey found: who answered, how they were weighted, where they stand, and how far models are from them.

use super::Estimate;
use crate::ids::{AxisId, ModelId, PromptId};
use serde::{Deserialize, Serialize};

/// A survey's chapter of the results.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SurveySummary {
    /// Who answered, and what their weights are worth: each country, then everyone.
    pub people: Vec<PeopleRow>,
    /// The margins before and after weighting.
    pub balance: Vec<BalanceRow>,
    /// Where people stand, each population on each axis.
    pub scores: Vec<ScoreRow>,
    /// How well the items of an axis measure one thing.
    pub reliability: Vec<ReliabilityRow>,
    /// How often the option at each place is chosen, everyone.
    pub order: Vec<OrderRow>,
    /// Respondents who may not have read.
    pub careless: Vec<CarelessRow>,
    /// What was chosen from each item, everyone and each country.
    pub items: Vec<ItemRow>,
    /// Where people stand, in cells.
    pub densities: Vec<Density>,
    /// How far each model stands from each population.
    pub distances: Vec<DistanceRow>,
    /// What the aligned share would lose without each model.
    pub added: Vec<AddedRow>,
    /// The models in the order in which they cover most people.
    pub cover: Vec<CoverRow>,
    /// Within how much of a model's place on every axis a person counts as covered.
    pub cover_radius: f64,
}

/// The respondents of one population, and their weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeopleRow {
    /// A country, or `everyone`.
    pub population: String,
    /// Respondents.
    pub n: usize,
    /// Answers that could be used.
    pub n_answers: usize,
    /// Kish's design effect of the weights.
    pub design_effect: f64,
    /// The number of equally weighted respondents that are worth as much.
    pub effective_n: f64,
    /// What weighting did, in words: margins, iterations, trimming.
    pub weighting: String,
}

/// One category of one margin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BalanceRow {
    /// A country, or `everyone`.
    pub population: String,
    /// The variable, such as `age`.
    pub variable: String,
    /// The category, such as `18-34`.
    pub category: String,
    /// Its share of the population.
    pub target: f64,
    /// Its share of the respondents, by base weights.
    pub before: f64,
    /// Its share by final weights.
    pub after: f64,
    /// Standardised difference from the target before weighting.
    pub difference_before: f64,
    /// Standardised difference from the target after weighting.
    pub difference_after: f64,
}

/// Where a population stands on an axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    /// A country, a group such as `age: 18-34`, or `everyone`.
    pub population: String,
    /// The axis.
    pub axis: AxisId,
    /// The weighted mean of people's scores.
    pub mean: Estimate,
    /// The same without choices of the default response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_default: Option<Estimate>,
    /// Share of choices that fell on the default response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_share: Option<Estimate>,
    /// Share of people who chose the default response at least once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people_with_default: Option<Estimate>,
}

/// How well the items of an axis measure one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityRow {
    /// A country, or `everyone`.
    pub population: String,
    /// The axis.
    pub axis: AxisId,
    /// Correlation of two halves of a person's answers, stepped up to all of them (Spearman-Brown).
    pub split_half: Estimate,
    /// Cronbach's alpha for as many items as a person answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha: Option<Estimate>,
}

/// How often the option at one place is chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderRow {
    /// The place, from 1.
    pub place: usize,
    /// Its share of the choices.
    pub share: Estimate,
    /// What it would be if the order did not matter.
    pub expected: f64,
    /// The probability of differences this large over all places, if the order did not matter.
    pub p_value: f64,
}

/// A reason to think that respondents did not read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CarelessRow {
    /// The rule, such as `one-place`.
    pub rule: String,
    /// What it means, in a sentence.
    pub description: String,
    /// Share of the respondents.
    pub share: Estimate,
    /// Whether their answers were left out.
    pub dropped: bool,
}

/// What was chosen from one item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemRow {
    /// The item.
    pub item: PromptId,
    /// Its axis.
    pub axis: AxisId,
    /// What it is about.
    pub topic: String,
    /// A country, or `everyone`.
    pub population: String,
    /// Shares of the low, balanced, high and default response.
    pub shares: [Estimate; 4],
}

/// How much weight of a population stands in each cell of one or two axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Density {
    /// A country, or `everyone`.
    pub population: String,
    /// The axis from left to right, and the one from bottom to top.
    pub axes: Vec<AxisId>,
    /// Cells an axis, centred on 0 and 1 and, evenly, between: with 21, on 0, .05, .10 … 1, where the means of
    /// ten answers lie.
    pub bins: usize,
    /// Shares of the population, `[bins]` or `[bins, bins]`, the last axis fastest.
    pub shares: Vec<f64>,
}

/// How far a model stands from a population.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DistanceRow {
    /// The model.
    pub model: ModelId,
    /// A country, a group, or `everyone`.
    pub population: String,
    /// Euclidean distance of the model's place from the population's mean.
    pub distance: Estimate,
    /// The model's place minus the mean, axis by axis.
    pub difference: Vec<Estimate>,
}

/// What the aligned share would lose without a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AddedRow {
    /// The model.
    pub model: ModelId,
    /// The reading, such as `O1`.
    pub reading: String,
    /// A country, or `everyone`.
    pub population: String,
    /// The share with all models minus the share with all the others.
    pub added: Estimate,
}

/// One step of covering people with few models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoverRow {
    /// The model that is taken at this step.
    pub model: ModelId,
    /// Share of the people whom the models up to here cover.
    pub share: Estimate,
    /// No set of as many of the models can cover a larger share.
    pub bound: f64,
}
