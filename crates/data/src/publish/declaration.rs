//! What is published, in the words of whoever publishes it: one TOML file, checked against the columns that there are.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What may be seen, how people are protected, and what a person has to say about the dataset.
///
/// ```toml
/// [columns]                      # columns that come along are private unless they are named here
/// annotator_age = "public"
/// annotator_country = "public"
/// explanation = "private"        # so are these columns of the shape: explanation, annotator_id, language
///
/// [privacy]
/// min_cell = 5
/// importance = ["annotator_country", "annotator_age"]
///
/// [card]
/// title = "Everyday questions"
/// license = "cc-by-4.0"
/// authors = [{ name = "Example Institute" }]
/// ```
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Declaration {
    /// Which columns may be seen, by their names in the file.
    pub columns: BTreeMap<String, Visibility>,
    /// How people are protected.
    pub privacy: Privacy,
    /// What no file says.
    pub card: Card,
}

/// A text that declares nothing.
#[derive(Debug, thiserror::Error)]
#[error("the declaration of what is published is not right: {0}")]
pub struct DeclarationError(#[from] toml::de::Error);

impl Declaration {
    /// Reads a declaration.
    ///
    /// # Errors
    /// When it is no TOML, or has a key that means nothing.
    pub fn from_toml(text: &str) -> Result<Self, DeclarationError> {
        Ok(toml::from_str(text)?)
    }
}

/// Whether a column may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// It is published.
    Public,
    /// It is not.
    Private,
}

/// How people are protected.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Privacy {
    /// Every column that comes along must be declared.
    pub strict: bool,
    /// What stands in the place of annotators and conversations.
    pub ids: Ids,
    /// The fewest annotators that may share a combination of what tells them apart; 1 suppresses nothing.
    pub min_cell: u64,
    /// Columns that tell people apart, the most important first: values of the last are given up first. Public
    /// columns about annotators that are not named follow, in the order of the file.
    pub importance: Vec<String>,
    /// Whether what the linter takes for personal data in texts (mail, phone, card, account, IP and street addresses) is
    /// replaced.
    pub scrub: bool,
}

impl Default for Privacy {
    fn default() -> Self {
        Self {
            strict: false,
            ids: Ids::Pseudonyms,
            min_cell: 5,
            importance: Vec::new(),
            scrub: true,
        }
    }
}

/// What stands in the place of annotators and conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ids {
    /// Keyed pseudonyms.
    #[default]
    Pseudonyms,
    /// The ids of the source: for sources that are public already.
    AsTheyAre,
}

/// Somebody who made the dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Author {
    /// Their name, or that of an organisation.
    pub name: String,
    /// Where they work.
    pub affiliation: Option<String>,
    /// Their ORCID, as a URL or a number.
    pub orcid: Option<String>,
}

/// What only a person can say. Whatever is missing is a marked gap in the files, and is reported.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the questions of the datasheet say what each is for")]
pub struct Card {
    pub title: Option<String>,
    pub description: Option<String>,
    /// The id of a licence on the hub, such as `cc-by-4.0`.
    pub license: Option<String>,
    pub authors: Vec<Author>,
    pub contact: Option<String>,
    pub url: Option<String>,
    /// `MAJOR.MINOR.PATCH`.
    pub version: Option<String>,
    /// BibTeX.
    pub citation: Option<String>,
    /// ISO codes, where the file names no languages.
    pub language: Vec<String>,
    pub annotations_creators: Vec<String>,
    pub language_creators: Vec<String>,
    pub source_datasets: Vec<String>,
    pub task_categories: Vec<String>,
    pub tags: Vec<String>,
    pub motivation: Option<String>,
    pub funding: Option<String>,
    pub collection: Option<String>,
    /// Days, such as `2025-03-01`: the first and the last.
    pub timeframe: Vec<String>,
    pub annotation_protocol: Option<String>,
    pub annotation_platform: Option<String>,
    pub compensation: Option<String>,
    pub consent: Option<String>,
    pub ethics_review: Option<String>,
    pub preprocessing: Option<String>,
    pub personal_information: Option<String>,
    pub uses: Option<String>,
    pub out_of_scope: Option<String>,
    pub biases: Option<String>,
    pub limitations: Option<String>,
    pub social_impact: Option<String>,
    pub distribution: Option<String>,
    pub maintenance: Option<String>,
}
