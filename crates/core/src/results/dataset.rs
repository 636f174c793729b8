//! What a reader of a report is told about a preference dataset.

use super::Estimate;
use serde::{Deserialize, Serialize};

/// What is in a preference dataset, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DatasetSummary {
    /// What it is called: its files.
    pub name: String,
    /// The format of the files.
    pub source: String,
    /// What intervals are clustered by: `annotators`, or `conversations`.
    pub clusters: String,
    /// Counts, in the order in which they are shown.
    pub counts: Vec<(String, u64)>,
    /// How far people agree.
    pub agreement: Vec<AgreementRow>,
    /// How often each candidate was chosen.
    pub choices: Vec<ChoiceRow>,
    /// The dataset by the values of its columns; first of all, all of it.
    pub groups: Vec<GroupRow>,
    /// What was found to be wrong.
    #[serde(default)]
    pub findings: Vec<FindingRow>,
}

/// A measure of agreement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgreementRow {
    /// What is measured, in words.
    pub measure: String,
    /// Whether it is a share, and so shown in per cent.
    pub is_share: bool,
    /// The figure; its n counts votes, its clusters comparisons.
    pub estimate: Estimate,
}

/// How often a candidate was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChoiceRow {
    /// The turn, or `all`.
    pub turn: String,
    /// The candidate's id or place.
    pub candidate: String,
    /// The share of choices.
    pub share: Estimate,
}

/// The comparisons that have one value of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupRow {
    /// The column; nothing for the whole dataset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The value; nothing where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Turns in which somebody chose.
    pub comparisons: u64,
    /// Annotators; 0 where they are unknown.
    pub annotators: u64,
    /// Share of comparisons with an explanation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explained: Option<Estimate>,
    /// Share of comparisons in which no candidate has more words than the chosen one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen_longest: Option<Estimate>,
    /// Words of a chosen candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen_words: Option<Estimate>,
    /// Words of another candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_words: Option<Estimate>,
    /// Share of pairs of people who chose the same from the same candidates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Estimate>,
}

/// A kind of thing that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FindingRow {
    /// `error`, `warning` or `note`.
    pub severity: String,
    /// The rule.
    pub rule: String,
    /// How often.
    pub n: u64,
    /// What it means, in a sentence.
    pub description: String,
    /// The first places, as `file:line, column`.
    pub places: Vec<String>,
}
