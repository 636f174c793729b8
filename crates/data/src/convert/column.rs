//! Columns by their names, as a person asks for them: those of every comparison, and those that came along.

use crate::comparison::Comparison;
use crate::formats::ExtraColumn;
use std::borrow::Cow;

/// A column that is not there.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the dataset has no column `{column}`{}; there are {}", nearest(.column, .known), listed(.known))]
pub struct UnknownColumn {
    /// What was asked for.
    pub column: String,
    /// What is there.
    pub known: Vec<String>,
}

fn nearest(column: &str, known: &[String]) -> String {
    let similar = known.iter().map(|name| (strsim::jaro_winkler(column, name), name));
    let best =
        similar.filter(|(similarity, _)| *similarity > 0.85).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or_else(String::new, |(_, name)| format!(", did you mean `{name}`?"))
}

fn listed(known: &[String]) -> String {
    known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Where the value of a column stands in a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnAt {
    ConversationId,
    Turn,
    AnnotatorId,
    Language,
    Extra(usize),
}

impl ColumnAt {
    const OWN: [(Self, &'static str); 4] = [
        (Self::ConversationId, "conversation_id"),
        (Self::Turn, "turn"),
        (Self::AnnotatorId, "annotator_id"),
        (Self::Language, "language"),
    ];

    /// Finds a column by its name.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn find(name: &str, extra: &[ExtraColumn]) -> Result<Self, UnknownColumn> {
        if let Some((own, _)) = Self::OWN.iter().find(|(_, known)| *known == name) {
            return Ok(*own);
        }
        let at = extra.iter().position(|column| column.name == name);
        at.map(Self::Extra).ok_or_else(|| UnknownColumn {
            column: name.to_owned(),
            known: (Self::OWN.iter().map(|(_, name)| (*name).to_owned()))
                .chain(extra.iter().map(|column| column.name.clone()))
                .collect(),
        })
    }

    /// Its name.
    pub(crate) fn name(self, extra: &[ExtraColumn]) -> &str {
        match self {
            Self::Extra(i) => extra.get(i).map_or("", |column| &column.name),
            own => Self::OWN.iter().find(|(known, _)| *known == own).map_or("", |(_, name)| name),
        }
    }

    /// Its value; nothing where there is none.
    pub(crate) fn value<'c>(self, comparison: &'c Comparison<'_>) -> Option<Cow<'c, str>> {
        match self {
            Self::ConversationId => Some(Cow::Borrowed(&comparison.conversation_id)),
            Self::Turn => Some(Cow::Owned(comparison.turn.to_string())),
            Self::AnnotatorId => comparison.annotator_id.as_deref().map(Cow::Borrowed),
            Self::Language => comparison.language.as_deref().map(Cow::Borrowed),
            Self::Extra(i) => comparison.extra.get(i)?.as_deref().map(Cow::Borrowed),
        }
    }
}
