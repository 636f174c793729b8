//! Comparisons as JSON Lines of this program's own shape: what [`Format::Polyculture`](crate::Format) reads.

use super::json::{self, Object};
use crate::comparison::Comparison;
use crate::formats::ExtraColumn;
use crate::schema::{self, Column};

/// The key under which a column that came along stands.
pub(crate) fn key(column: &ExtraColumn) -> String {
    match column.name.as_str() {
        // The key of the shape's name, which is no column.
        "format" => "extra_format".to_owned(),
        name => schema::extra_name(name),
    }
}

/// Appends a comparison as one line; `keys` are those of its extra columns. Every line has every key, so
/// that a reader knows all columns from the first.
pub(crate) fn write(comparison: &Comparison<'_>, keys: &[String], out: &mut Vec<u8>) {
    let c = comparison;
    let mut row = Object::begin(out);
    row.text("format", schema::FORMAT)
        .text(Column::ConversationId.name(), &c.conversation_id)
        .plain(Column::Turn.name(), c.turn)
        .messages(Column::History.name(), c.history.iter().map(|m| (m.role, m.text.as_ref())))
        .text(Column::Prompt.name(), &c.prompt);
    json::list(row.value(Column::Candidates.name()), &c.candidates, |out, candidate| {
        let mut object = Object::begin(out);
        object
            .text("id", &candidate.id)
            .optional("text", candidate.text.as_deref())
            .optional("source", candidate.source.as_deref())
            .optional("model", candidate.model.as_deref())
            .plain("score", candidate.score);
        object.end();
    });
    row.text(Column::Choice.name(), c.choice.kind());
    json::list(row.value(Column::Chosen.name()), c.choice.chosen(), |out, chosen| {
        json::text(out, &c.candidates[*chosen].id);
    });
    row.optional(Column::Explanation.name(), c.explanation.as_deref())
        .optional(Column::AnnotatorId.name(), c.annotator_id.as_deref())
        .optional(Column::Language.name(), c.language.as_deref())
        .plain(Column::Line.name(), c.line);
    for (key, value) in keys.iter().zip(&c.extra) {
        row.optional(key, value.as_deref());
    }
    row.end();
    out.push(b'\n');
}

#[cfg(test)]
mod tests;
