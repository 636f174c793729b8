//! This program's own shape as JSON Lines: the columns of [`crate::schema`], by their names.

use super::{ColumnRole, ExtraColumn, FormatError, Output, Parser, Part, Record, Sample, Source};
use crate::comparison::{Candidate, Choice, Comparison, Message, Role};
use crate::finding::Rule;
use crate::schema::{COLUMNS, extra_name};
use serde_json::{Map, Value};
use std::borrow::Cow;

pub(super) fn recognises(sample: &Sample) -> Option<Part> {
    let has = ["conversation_id", "turn", "prompt", "candidates", "choice", "chosen"];
    has.iter().all(|column| sample.has(column)).then_some(Part::Main)
}

pub(super) fn parser(source: &Source<'_>) -> Result<Box<dyn Parser>, FormatError> {
    for column in ["conversation_id", "prompt", "candidates", "choice", "chosen"] {
        if !source.sample.has(column) {
            return Err(FormatError::Column(column.to_owned()));
        }
    }
    let is_own =
        |name: &str| name == "format" || COLUMNS.iter().any(|(_, known, _)| *known == name);
    let extra = source
        .sample
        .columns
        .iter()
        .filter(|name| !is_own(name))
        .map(|name| ExtraColumn { name: name.clone(), role: ColumnRole::guess(name) });
    Ok(Box::new(Own { extra: extra.collect() }))
}

struct Own {
    extra: Vec<ExtraColumn>,
}

impl Parser for Own {
    fn extra_columns(&self) -> &[ExtraColumn] {
        &self.extra
    }

    fn parse(&self, record: Record<'_, '_>, line: u64, out: &mut Output<'_>) {
        let Record::Object(object) = record else {
            out.find(Rule::UnreadableRecord, line, "", "a row of cells, where an object belongs");
            return;
        };
        let Some(conversation_id) = text(object, "conversation_id") else {
            out.find(Rule::UnreadableRecord, line, "conversation_id", "no id");
            return;
        };
        let candidates: Vec<Candidate<'_>> = objects(object, "candidates").map(candidate).collect();
        let chosen: Vec<usize> = array(object, "chosen")
            .filter_map(|id| {
                let found = candidates.iter().position(|c| Some(c.id.as_ref()) == id.as_str());
                if found.is_none() {
                    out.find(Rule::UnknownChoice, line, "chosen", &id.to_string());
                }
                found
            })
            .collect();
        let kind = text(object, "choice").unwrap_or_default();
        let choice = Choice::from_kind(&kind, chosen);
        if choice.kind() != kind {
            out.find(Rule::UnknownChoice, line, "choice", &kind);
        }
        let history = objects(object, "history").map(|message| Message {
            role: Role::from_id(&text(message, "role").unwrap_or_default()),
            text: text(message, "content").unwrap_or_default(),
        });
        let turn = object.get("turn").and_then(Value::as_u64).unwrap_or(1);
        (out.emit)(&Comparison {
            conversation_id,
            turn: u32::try_from(turn).unwrap_or(u32::MAX),
            history: history.collect(),
            prompt: text(object, "prompt").unwrap_or_default(),
            candidates,
            choice,
            explanation: text(object, "explanation"),
            annotator_id: text(object, "annotator_id"),
            language: text(object, "language"),
            extra: self.extra.iter().map(|c| text(object, &extra_name(&c.name))).collect(),
            line: object.get("line").and_then(Value::as_u64).unwrap_or(line),
        });
    }
}

fn candidate(object: &Map<String, Value>) -> Candidate<'_> {
    Candidate {
        id: text(object, "id").unwrap_or_default(),
        text: text(object, "text"),
        source: text(object, "source"),
        model: text(object, "model"),
        score: object.get("score").and_then(Value::as_f64),
    }
}

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<Cow<'a, str>> {
    match object.get(key)? {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        other => Some(Cow::Owned(other.to_string())),
    }
}

fn array<'a>(object: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a Value> {
    object.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn objects<'a>(
    object: &'a Map<String, Value>,
    key: &str,
) -> impl Iterator<Item = &'a Map<String, Value>> {
    array(object, key).filter_map(Value::as_object)
}
