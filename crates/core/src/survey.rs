//! A survey: who was asked, what they were shown, what they chose. Four files of JSON Lines, so that each can
//! come from elsewhere: `survey/design.jsonl`, `respondents.jsonl`, `answers.jsonl`, `defaults.jsonl`.

use crate::ids::{ModelId, PromptId, RespondentId};
use crate::instrument::Item;
use crate::jsonl::Format;
use crate::verdict::Position;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// What a respondent can be shown beside a prompt: the curated responses, and a model's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shown {
    /// The curated response at the axis' low pole.
    Low,
    /// The curated response between the poles.
    Balanced,
    /// The curated response at the axis' high pole.
    High,
    /// What a model answers when it is just asked. Its place is for a judge to say.
    Default,
}

impl Shown {
    /// All four.
    pub const ALL: [Shown; 4] = [Shown::Low, Shown::Balanced, Shown::High, Shown::Default];

    /// Where it stands by design; the default response stands nowhere by design.
    #[must_use]
    pub fn position(self) -> Option<Position> {
        match self {
            Shown::Low => Some(Position::Low),
            Shown::Balanced => Some(Position::Balanced),
            Shown::High => Some(Position::High),
            Shown::Default => None,
        }
    }

    /// As it is written in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Shown::Low => "low",
            Shown::Balanced => "balanced",
            Shown::High => "high",
            Shown::Default => "default",
        }
    }

    /// What it says in an item; nothing for the default response, which no instrument holds.
    #[must_use]
    pub fn text(self, item: &Item) -> Option<&str> {
        match self {
            Shown::Low => Some(&item.responses.low),
            Shown::Balanced => Some(&item.responses.balanced),
            Shown::High => Some(&item.responses.high),
            Shown::Default => None,
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no option.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of the options `low`, `balanced`, `high` and `default`")]
pub struct ShownError(String);

impl FromStr for Shown {
    type Err = ShownError;

    fn from_str(word: &str) -> Result<Self, ShownError> {
        let is_it = |shown: &Shown| shown.as_str().eq_ignore_ascii_case(word.trim());
        Shown::ALL.into_iter().find(is_it).ok_or_else(|| ShownError(word.to_owned()))
    }
}

/// A person who was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Respondent {
    /// Unique in the survey.
    pub id: RespondentId,
    /// Where they were sampled; countries are strata.
    pub country: String,
    /// The language that they were asked in, a BCP 47 tag.
    pub language: String,
    /// What else is known, such as age and gender.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub demographics: BTreeMap<String, String>,
    /// The base weight: how many people they stand for, by how they were sampled.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: f64,
}

impl Format for Respondent {
    const FORMAT: &'static str = "polyculture.respondents/1";
}

fn one() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(weight: &f64) -> bool {
    *weight == 1.0
}

/// One choice of one respondent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Who chose.
    pub respondent: RespondentId,
    /// The item.
    pub item: PromptId,
    /// The options from first to last, as they were shown; empty where nobody knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<Shown>,
    /// What was chosen.
    pub chosen: Shown,
    /// How long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

impl Format for Answer {
    const FORMAT: &'static str = "polyculture.answers/1";
}

/// How much a respondent counts, after weighting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SurveyWeight {
    /// Who.
    pub respondent: RespondentId,
    /// The weight.
    pub weight: f64,
}

impl Format for SurveyWeight {
    const FORMAT: &'static str = "polyculture.weights/1";
}

/// What one respondent is to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The place in the sample that a person is to fill.
    pub respondent: RespondentId,
    /// Where the person is to be found.
    pub country: String,
    /// The language that they are asked in, a BCP 47 tag.
    pub language: String,
    /// The quota cell, such as age and gender.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub demographics: BTreeMap<String, String>,
    /// The items in the order in which they are shown.
    pub items: Vec<AssignedItem>,
}

/// An item with the order of its options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignedItem {
    /// The item.
    pub item: PromptId,
    /// The options from first to last.
    pub shown: Vec<Shown>,
}

impl Format for Assignment {
    const FORMAT: &'static str = "polyculture.design/1";
}

/// The default response of an item in one language, and where a judge places it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DefaultResponse {
    /// The item.
    pub item: PromptId,
    /// The language, a BCP 47 tag.
    pub language: String,
    /// Who wrote it, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelId>,
    /// What it says.
    pub text: String,
    /// Where it stands on the item's axis; nothing where the judge could not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Who says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge: Option<String>,
}

impl Format for DefaultResponse {
    const FORMAT: &'static str = "polyculture.defaults/1";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_reads_as_it_is_written() {
        for shown in Shown::ALL {
            assert_eq!(shown.as_str().parse(), Ok(shown));
            assert_eq!(serde_json::to_string(&shown).unwrap(), format!("\"{shown}\""));
        }
        assert_eq!(" High".parse(), Ok(Shown::High));
        let error = "middle".parse::<Shown>().unwrap_err().to_string();
        assert!(error.starts_with("`middle` is none of the options"), "{error}");
    }

    #[test]
    fn what_is_usual_is_not_written() {
        let line = r#"{"id":"r1","country":"Italy","language":"it"}"#;
        let respondent: Respondent = serde_json::from_str(line).unwrap();
        assert_eq!(respondent.weight, 1.0);
        assert_eq!(serde_json::to_string(&respondent).unwrap(), line);
    }
}
