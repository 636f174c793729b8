//! What the columns of a file of no known format mean, in the words of who has the file.
//!
//! ```toml
//! prompt = "question"                 # a text, or a list of messages
//! annotator = "worker"
//!
//! [[candidates]]                      # one column per candidate ...
//! id = "left"
//! text = "answer_1"
//! model = "model_1"
//!
//! [[candidates]]
//! id = "right"
//! text = "answer_2"
//!
//! [choice]
//! column = "winner"                   # says `left`, `answer_1`, `a`, or what `values` translates
//! values = { "1" = "left", "2" = "right" }
//! tie = ["both"]
//!
//! [extra]
//! nation = "country"
//! ```

use crate::formats::ColumnRole;
use serde::de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;

/// What the columns mean. In objects, a dot leads into an object: `meta.language`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// The prompt: a text, or a list of messages with the history in it.
    pub prompt: Option<String>,
    /// The system prompt.
    pub system: Option<String>,
    /// What was said before: a list of messages, or a text.
    pub history: Option<String>,
    /// The candidates, one column each; `"answer_1"` is short for `{ text = "answer_1" }`.
    #[serde(deserialize_with = "candidates")]
    pub candidates: Vec<CandidateColumns>,
    /// The candidates, all in one column.
    pub candidate_list: Option<CandidateList>,
    /// The candidates, one column for the better and one for the other.
    pub pair: Option<Pair>,
    /// What was chosen, where a column says it.
    pub choice: Option<ChoiceColumn>,
    /// A ranking of the candidates.
    pub ranking: Option<RankingColumn>,
    /// Why.
    pub explanation: Option<String>,
    /// Who chose.
    pub annotator: Option<String>,
    /// The language of the conversation.
    pub language: Option<String>,
    /// The conversation.
    pub conversation: Option<String>,
    /// The place of the comparison in its conversation.
    pub turn: Option<String>,
    /// The number of the first turn of a conversation, if it is not 1.
    pub first_turn: Option<u32>,
    /// Other columns, with what they say.
    pub extra: BTreeMap<String, ColumnRole>,
    /// Leave out columns that are not named here; without this, they come along.
    pub drop_other: bool,
}

/// The columns of one candidate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CandidateColumns {
    /// The candidate's id; without it, the name of the column with its text.
    pub id: Option<String>,
    /// What it says.
    pub text: String,
    /// The model that wrote it.
    pub model: Option<String>,
    /// Where it comes from.
    pub source: Option<String>,
    /// Its score: scores become choices by the rule for them.
    pub score: Option<String>,
    /// Its rank, 1 for the best.
    pub rank: Option<String>,
}

/// A column with a list of candidates: texts, or objects with these keys; or an object of texts by id.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CandidateList {
    /// The column.
    pub column: String,
    /// The key of an id; without it, candidates are `a`, `b`, and so on.
    pub id: Option<String>,
    /// The key of what a candidate says.
    #[serde(default = "text_key")]
    pub text: String,
    /// The key of the model.
    pub model: Option<String>,
    /// The key of where it comes from.
    pub source: Option<String>,
    /// The key of the score.
    pub score: Option<String>,
    /// The key of the rank, 1 for the best.
    pub rank: Option<String>,
}

/// Two columns, of which it is known which answer was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The chosen answer: a text, or a list of messages that ends in it.
    pub chosen: String,
    /// The other.
    pub rejected: String,
}

/// A column that says what was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceColumn {
    /// The column: a value, or a list of values where several are chosen alike.
    pub column: String,
    /// What its values are.
    #[serde(default)]
    pub names: ChoiceNames,
    /// The ids of candidates that other values stand for.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// Values that say that all are equally good or bad.
    #[serde(default)]
    pub tie: Vec<String>,
    /// Values that say that nobody chose.
    #[serde(default)]
    pub none: Vec<String>,
}

/// How a value names a candidate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChoiceNames {
    /// By its id, its column, its letter (`a`, `A`, `response_a`, `model_a`), or its whole text.
    #[default]
    Any,
    /// By its position, from 0.
    #[serde(rename = "from-0")]
    From0,
    /// By its position, from 1.
    #[serde(rename = "from-1")]
    From1,
    /// By the model that wrote it.
    Model,
    /// By its whole text.
    Text,
}

/// A column with a ranking.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RankingColumn {
    /// The column: `b>a>c=d`, or a list of candidates from best to worst.
    pub column: String,
    /// What its values are.
    #[serde(default)]
    pub names: ChoiceNames,
}

/// Why a text is no mapping.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// It is no TOML, or has keys that are unknown.
    #[error("the mapping cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// There are no candidates.
    #[error(
        "the mapping names no candidates; say `candidates = [\"column\", \"column\"]`, `[candidate_list]` or `[pair]`"
    )]
    NoCandidates,
    /// Things that say the same in two ways.
    #[error("the mapping has both `{0}` and `{1}`; only one can say it")]
    Both(&'static str, &'static str),
    /// A candidate without a text.
    #[error("candidate {0} of the mapping names no column as `text`")]
    NoText(usize),
    /// Two candidates with one id.
    #[error("two candidates of the mapping have the id `{0}`")]
    SameId(String),
    /// A value stands for a candidate that is not there.
    #[error("in the mapping, the choice `{value}` stands for `{id}`, which is no candidate{}", nearest.as_ref().map_or(String::new(), |n| format!("; is it `{n}`?")))]
    UnknownId {
        /// The value in the column.
        value: String,
        /// What it stands for.
        id: String,
        /// The most similar id.
        nearest: Option<String>,
    },
}

impl Mapping {
    /// The mapping that a TOML text says.
    ///
    /// # Errors
    /// When it is none, or contradicts itself.
    ///
    /// ```
    /// let mapping = polyculture_data::Mapping::from_toml(
    ///     r#"
    ///     prompt = "question"
    ///     candidates = ["answer_1", "answer_2"]
    ///     choice = { column = "better", names = "from-1" }
    ///     "#,
    /// )?;
    /// assert_eq!(mapping.candidates[1].text, "answer_2");
    /// # Ok::<(), polyculture_data::MappingError>(())
    /// ```
    pub fn from_toml(text: &str) -> Result<Self, MappingError> {
        let mapping: Self = toml::from_str(text)?;
        mapping.check()?;
        Ok(mapping)
    }

    fn check(&self) -> Result<(), MappingError> {
        let candidates = [
            ("candidates", !self.candidates.is_empty()),
            ("candidate_list", self.candidate_list.is_some()),
            ("pair", self.pair.is_some()),
        ];
        only_one(&candidates)?;
        if candidates.iter().all(|(_, there)| !there) {
            return Err(MappingError::NoCandidates);
        }
        let choices = [
            ("choice", self.choice.is_some()),
            ("ranking", self.ranking.is_some()),
            ("pair", self.pair.is_some()),
        ];
        only_one(&choices)?;
        if let Some(i) = self.candidates.iter().position(|c| c.text.is_empty()) {
            return Err(MappingError::NoText(i + 1));
        }
        let ids: Vec<&str> = self.candidates.iter().map(CandidateColumns::id).collect();
        if let Some(id) = ids.iter().enumerate().find(|(i, id)| ids[..*i].contains(id)) {
            return Err(MappingError::SameId((*id.1).to_owned()));
        }
        let values = self.choice.iter().flat_map(|choice| &choice.values);
        let mut values = values.filter(|(_, id)| !ids.is_empty() && !ids.contains(&id.as_str()));
        if let Some((value, id)) = values.next() {
            let similarity = |known: &&&str| strsim::jaro_winkler(known, id);
            let nearest = ids
                .iter()
                .max_by(|a, b| similarity(a).total_cmp(&similarity(b)))
                .map(|nearest| (*nearest).to_owned());
            return Err(MappingError::UnknownId { value: value.clone(), id: id.clone(), nearest });
        }
        Ok(())
    }
}

fn only_one(all: &[(&'static str, bool)]) -> Result<(), MappingError> {
    let mut there = all.iter().filter(|(_, there)| *there).map(|(name, _)| *name);
    match (there.next(), there.next()) {
        (Some(one), Some(other)) => Err(MappingError::Both(one, other)),
        _ => Ok(()),
    }
}

impl CandidateColumns {
    /// The candidate's id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.text)
    }
}

fn text_key() -> String {
    "text".to_owned()
}

fn candidates<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<CandidateColumns>, D::Error> {
    struct One(CandidateColumns);
    struct OneVisitor;
    impl<'de> Visitor<'de> for OneVisitor {
        type Value = One;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the name of a column, or `{ id = ..., text = ... }`")
        }
        fn visit_str<E>(self, text: &str) -> Result<One, E> {
            Ok(One(CandidateColumns { text: text.to_owned(), ..CandidateColumns::default() }))
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<One, A::Error> {
            Deserialize::deserialize(MapAccessDeserializer::new(map)).map(One)
        }
    }
    impl<'de> Deserialize<'de> for One {
        fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
            d.deserialize_any(OneVisitor)
        }
    }
    let all = Vec::<One>::deserialize(d)?;
    Ok(all.into_iter().map(|One(columns)| columns).collect())
}

impl<'de> Deserialize<'de> for ColumnRole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        ColumnRole::from_id(&id).ok_or_else(|| {
            let known = "country, wave, prompt-origin, demographic, group, other";
            D::Error::custom(format_args!(
                "`{id}` is nothing that a column can say; there are {known}"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_mapping_is_said() {
        fn check(text: &str, expected: &str) {
            let error = Mapping::from_toml(text).expect_err("no mapping").to_string();
            assert!(error.contains(expected), "{error}");
        }
        check("promt = 'x'", "unknown field `promt`, expected one of `prompt`");
        check("prompt = 'x'", "names no candidates");
        check("candidates = ['a', 'a']", "two candidates of the mapping have the id `a`");
        check("candidates = ['a', { id = 'b' }]", "candidate 2 of the mapping names no column");
        check("candidates = [3]", "expected the name of a column");
        check(
            "candidates = ['a']\n[pair]\nchosen = 'c'\nrejected = 'r'",
            "has both `candidates` and `pair`",
        );
        check("candidates = ['a']\n[choice]\ncolumn = 'c'\nname = 'x'", "unknown field `name`");
        check("candidates = ['a']\n[choice]\ncolumn = 'c'\nnames = 'from-2'", "unknown variant");
        check(
            "candidates = ['a']\n[extra]\nnation = 'land'",
            "`land` is nothing that a column can say",
        );
        check(
            "candidates = ['left', 'right']\n[choice]\ncolumn = 'c'\nvalues = { x = 'rigth' }",
            "the choice `x` stands for `rigth`, which is no candidate; is it `right`?",
        );
    }
}
