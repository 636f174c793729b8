//! The formats that preference data comes in, each with how it is recognised and read.

mod community_alignment;

use crate::comparison::Comparison;
use crate::csv::Cell;
use crate::finding::{Finding, Findings, Rule};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The format of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Community Alignment, v1.1 (one column per candidate) and v1.0 (candidates packed in one cell).
    CommunityAlignment,
}

impl Format {
    /// All formats, those with the surest marks first.
    pub const ALL: &'static [Format] = &[Format::CommunityAlignment];

    /// The name of the format on the command line.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Format::CommunityAlignment => "community-alignment",
        }
    }

    /// The format of that name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.id() == id)
    }

    /// Whether a file with this beginning is of the format.
    pub(crate) fn recognises(self, sample: &Sample) -> bool {
        match self {
            Format::CommunityAlignment => community_alignment::recognises(sample),
        }
    }

    /// A reader of files of the format that begin like `sample`.
    pub(crate) fn parser(self, sample: &Sample) -> Result<Box<dyn Parser>, ColumnError> {
        match self {
            Format::CommunityAlignment => community_alignment::parser(sample),
        }
    }
}

/// How a file begins.
#[derive(Debug)]
pub(crate) struct Sample {
    /// The header of a table, or the keys of the first object.
    pub(crate) columns: Vec<String>,
}

impl Sample {
    pub(crate) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|c| c == column)
    }
}

/// A column that must be there and is not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ColumnError {
    pub(crate) column: String,
}

/// Reads the records of one format.
pub(crate) trait Parser: Send + Sync {
    /// The columns that come along, in the order of [`Comparison::extra`].
    fn extra_columns(&self) -> &[String];

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
