//! The formats that preference data comes in, each with how it is recognised and read.

mod chatbot_arena;
mod collective_alignment;
mod community_alignment;
mod fields;
mod hh_rlhf;
mod own;
mod people;
mod polyculture;
mod prism;
mod ranking;
pub(crate) mod records;
#[cfg(test)]
mod testing;
mod transcript;
mod trl;
mod ultrafeedback;
mod votes;

use crate::comparison::Comparison;
use crate::csv::Cell;
use crate::dataset::{OpenError, OpenOptions};
use crate::finding::{Finding, Findings, Rule};
use crate::input::Input;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The format of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// This program's own shape.
    Polyculture,
    /// Community Alignment, v1.1 (one column per candidate) and v1.0 (candidates packed in one cell).
    CommunityAlignment,
    /// PRISM: conversations with scored answers, and a survey of the annotators.
    Prism,
    /// Collective Alignment 1: rankings of four answers by people of many countries.
    CollectiveAlignment,
    /// Choices between the answers of two models, as Chatbot Arena publishes them.
    ChatbotArena,
    /// UltraFeedback as it was made: up to four scored completions of an instruction.
    UltraFeedback,
    /// Comparisons with counts of votes.
    Votes,
    /// HH-RLHF: pairs of transcripts.
    HhRlhf,
    /// Files for TRL: pairs of answers, as texts or as messages, or single answers with a label.
    Trl,
    /// Any other file, with a [`Mapping`](crate::Mapping) that says what its columns mean.
    Own,
}

impl Format {
    /// All formats, those with the surest marks first.
    pub const ALL: &'static [Format] = &[
        Format::Polyculture,
        Format::CommunityAlignment,
        Format::Prism,
        Format::CollectiveAlignment,
        Format::ChatbotArena,
        Format::UltraFeedback,
        Format::Votes,
        Format::HhRlhf,
        Format::Trl,
        Format::Own,
    ];

    /// The name of the format on the command line.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Format::Polyculture => "polyculture",
            Format::CommunityAlignment => "community-alignment",
            Format::Prism => "prism",
            Format::CollectiveAlignment => "collective-alignment",
            Format::ChatbotArena => "chatbot-arena",
            Format::UltraFeedback => "ultrafeedback",
            Format::Votes => "votes",
            Format::HhRlhf => "hh-rlhf",
            Format::Trl => "trl",
            Format::Own => "own",
        }
    }

    /// The format of that name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.id() == id)
    }

    /// What a file with this beginning is to a dataset of the format; nothing, if it is of another one.
    pub(crate) fn recognises(self, sample: &Sample) -> Option<Part> {
        match self {
            Format::Polyculture => polyculture::recognises(sample),
            Format::CommunityAlignment => community_alignment::recognises(sample),
            Format::Prism => prism::recognises(sample),
            Format::CollectiveAlignment => collective_alignment::recognises(sample),
            Format::ChatbotArena => chatbot_arena::recognises(sample),
            Format::UltraFeedback => ultrafeedback::recognises(sample),
            Format::Votes => votes::recognises(sample),
            Format::HhRlhf => hh_rlhf::recognises(sample),
            Format::Trl => trl::recognises(sample),
            Format::Own => None,
        }
    }

    /// A reader of files of the format that begin like the source's sample.
    pub(crate) fn parser(self, source: &Source<'_>) -> Result<Box<dyn Parser>, FormatError> {
        match self {
            Format::Polyculture => polyculture::parser(source),
            Format::CommunityAlignment => community_alignment::parser(source),
            Format::Prism => prism::parser(source),
            Format::CollectiveAlignment => collective_alignment::parser(source),
            Format::ChatbotArena => chatbot_arena::parser(source),
            Format::UltraFeedback => ultrafeedback::parser(source),
            Format::Votes => votes::parser(source),
            Format::HhRlhf => hh_rlhf::parser(source),
            Format::Trl => trl::parser(source),
            Format::Own => own::parser(source),
        }
    }

    /// The file without which a dataset of several files cannot be read.
    pub(crate) fn main_file(self) -> Option<&'static str> {
        match self {
            Format::Prism => Some("conversations.jsonl"),
            Format::CollectiveAlignment => Some("comparisons.jsonl"),
            _ => None,
        }
    }
}

/// What a file is to its dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Its records hold comparisons.
    Main,
    /// Its records say again what those of a main file say: read only where there is none.
    Second,
    /// It says more about them, such as who the annotators are: read whole when the dataset is opened.
    Side,
    /// It says nothing that the others do not: left unread.
    Spare,
}

/// How a file begins.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    /// The header of a table, or the keys of the first objects in the order in which they appear.
    pub(crate) columns: Vec<String>,
    /// The first object; in a table of cells the first row, all as strings.
    pub(crate) first: Map<String, Value>,
}

impl Sample {
    pub(crate) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|c| c == column)
    }
}

/// What a parser is made from.
pub(crate) struct Source<'s> {
    /// How the first main file begins.
    pub(crate) sample: &'s Sample,
    /// The files that say more.
    pub(crate) sides: &'s [Input],
    /// What the user said.
    pub(crate) options: &'s OpenOptions,
}

/// Why files cannot be read as a format.
#[derive(Debug)]
pub(crate) enum FormatError {
    /// A column that must be there and is not.
    Column(String),
    /// A side file could not be read.
    Side(Box<OpenError>),
    /// Nothing says what the columns mean.
    NoMapping,
}

/// What a column that comes along says, as far as figures are made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnRole {
    /// The annotator's country.
    Country,
    /// The wave of the collection.
    Wave,
    /// Whether the first prompt was given (`true`) or the annotator's own.
    PromptOrigin,
    /// Something else about the annotator: figures are broken down by it.
    Demographic,
    /// Anything else with few values: figures are broken down by it.
    Group,
    /// Carried along only.
    Other,
}

impl ColumnRole {
    const NAMES: [(ColumnRole, &'static str); 6] = [
        (ColumnRole::Country, "country"),
        (ColumnRole::Wave, "wave"),
        (ColumnRole::PromptOrigin, "prompt-origin"),
        (ColumnRole::Demographic, "demographic"),
        (ColumnRole::Group, "group"),
        (ColumnRole::Other, "other"),
    ];

    /// The name of the role in files.
    #[must_use]
    pub fn id(self) -> &'static str {
        Self::NAMES.iter().find(|(role, _)| *role == self).map_or("other", |(_, id)| id)
    }

    /// What a column of that name most likely says.
    #[must_use]
    pub fn guess(column: &str) -> Self {
        let name = column.to_ascii_lowercase();
        let name = name.strip_prefix("annotator_").unwrap_or(&name);
        let demographic = |word: &str| name == word || name.starts_with(&format!("{word}_"));
        match name {
            "country" | "location" | "annotator_country" => ColumnRole::Country,
            "wave" => ColumnRole::Wave,
            "is_pregenerated_first_prompt" => ColumnRole::PromptOrigin,
            _ if name.len() < column.len() => ColumnRole::Demographic,
            _ if ["age", "gender", "sex", "education", "ethnicity", "religion", "political"]
                .into_iter()
                .any(demographic) =>
            {
                ColumnRole::Demographic
            }
            _ => ColumnRole::Other,
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == id).map(|(role, _)| *role)
    }
}

/// A column that comes along with each comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraColumn {
    /// Its name in the file.
    pub name: String,
    /// What it says.
    pub role: ColumnRole,
}

/// Reads the records of one format.
pub(crate) trait Parser: Send + Sync {
    /// The columns that come along, in the order of [`Comparison::extra`].
    fn extra_columns(&self) -> &[ExtraColumn];

    /// What was wrong in the files that say more.
    fn findings(&self) -> Findings {
        Findings::default()
    }

    /// Hands on the comparisons of a record, and what is wrong with it.
    fn parse(&self, record: Record<'_, '_>, line: u64, out: &mut Output<'_>);
}

/// A record of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Record<'r, 'a> {
    /// The cells of a row, as many as the header has.
    Row(&'r [Cell<'a>]),
    /// An object.
    Object(&'r Map<String, Value>),
}

/// Where a parser puts what it reads.
pub(crate) struct Output<'o> {
    pub(crate) emit: &'o mut dyn FnMut(&Comparison<'_>),
    pub(crate) findings: &'o mut Findings,
}

impl Output<'_> {
    pub(crate) fn find(&mut self, rule: Rule, line: u64, column: &str, value: &str) {
        self.findings.push_with(rule, || Finding::new(rule, line, Some(column), value));
    }
}

/// What stands for nothing.
const SENTINELS: [&str; 4] = ["EMPTY STRING", "nan", "none", "null"];
/// What marks the end of a text for a model.
const ENDS_OF_TEXT: [&str; 6] =
    ["<|end_of_text|>", "<|eot_id|>", "<|endoftext|>", "<|im_end|>", "</s>", "<|end|>"];

/// A text as it was meant: nothing if it is empty or a stand-in, without a mark of its end. Both are
/// reported.
pub(crate) fn clean<'a>(
    text: Cow<'a, str>,
    line: u64,
    column: &str,
    out: &mut Output<'_>,
) -> Option<Cow<'a, str>> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    if trimmed.len() <= 12 && SENTINELS.iter().any(|s| s.eq_ignore_ascii_case(trimmed)) {
        out.find(Rule::Sentinel, line, column, trimmed);
        return None;
    }
    let marked = text.trim_end();
    if marked.ends_with('>') && ENDS_OF_TEXT.iter().any(|end| marked.ends_with(end)) {
        out.find(
            Rule::EndOfText,
            line,
            column,
            marked.rsplit_once(char::is_whitespace).map_or(marked, |(_, last)| last),
        );
        let mut kept = marked;
        while let Some(shorter) = ENDS_OF_TEXT.iter().find_map(|end| kept.strip_suffix(end)) {
            kept = shorter.trim_end();
        }
        let kept = kept.to_owned();
        return (!kept.trim().is_empty()).then_some(Cow::Owned(kept));
    }
    Some(text)
}
