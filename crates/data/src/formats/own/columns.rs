//! Where the columns of a mapping are in a record, be it a row of cells or an object.

use super::super::fields::{are_messages, cell_text, messages, nested, number, raw, text};
use super::super::transcript::{is_marked, marked};
use super::super::{Output, Record, Sample};
use super::{Message, Role, Side, clean};
use crate::finding::Rule;
use serde_json::Value;
use std::borrow::Cow;

/// A column of the file.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// Its place in a row.
    index: Option<usize>,
}

impl Column {
    /// The column of that name; nothing if the file has none. A dot may lead into an object.
    pub(super) fn new(name: &str, sample: &Sample) -> Option<Self> {
        let index = sample.columns.iter().position(|c| c == name);
        let is_nested = || name.split_once('.').is_some_and(|(first, _)| sample.has(first));
        (index.is_some() || is_nested()).then(|| Self { name: name.to_owned(), index })
    }
}

/// What stands in a column.
#[derive(Debug)]
pub(super) enum Got<'r> {
    Text(Cow<'r, str>),
    /// Anything else, or a list that stands in a text.
    Json(Cow<'r, Value>),
}

impl Got<'_> {
    pub(super) fn number(&self, line: u64, column: &str, out: &mut Output<'_>) -> Option<f64> {
        match self {
            Got::Json(value) => number(value, line, column, out),
            Got::Text(text) => number(&Value::String(text.as_ref().to_owned()), line, column, out),
        }
    }

    /// As a side of a pair, or a prompt.
    pub(super) fn side(&self, line: u64, column: &str, out: &mut Output<'_>) -> Side<'_> {
        match self {
            Got::Json(value) if are_messages(value) => {
                Side::Messages(messages(value, line, column, out))
            }
            Got::Json(value) => text(value, line, column, out).map_or(Side::Nothing, Side::Text),
            Got::Text(text) => {
                let text = clean(Cow::Borrowed(text.as_ref()), line, column, out);
                text.map_or(Side::Nothing, Side::Text)
            }
        }
    }

    /// As messages: a list of them, or a text with the marks of its speakers. Any other text is one message
    /// of the person.
    pub(super) fn messages(
        &self,
        line: u64,
        column: &str,
        out: &mut Output<'_>,
    ) -> Vec<Message<'_>> {
        match self {
            Got::Text(text) if is_marked(text) => marked(text),
            Got::Json(value) if value.as_array().is_some_and(Vec::is_empty) => Vec::new(),
            other => other.side(line, column, out).messages(Role::User),
        }
    }
}

/// A record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cells<'r> {
    pub(super) record: Record<'r, 'r>,
    pub(super) line: u64,
}

impl<'r> Cells<'r> {
    /// What stands in a column, if it is anything; also a list or an object that stands in a text.
    pub(super) fn get(self, column: &Column, out: &mut Output<'_>) -> Option<Got<'r>> {
        self.get_if(column, |value| value.is_array() || value.is_object(), out)
    }

    /// What stands in a column; also messages that stand in a text.
    pub(super) fn said(self, column: &Column, out: &mut Output<'_>) -> Option<Got<'r>> {
        self.get_if(column, are_messages, out)
    }

    fn get_if(
        self,
        column: &Column,
        is_list: impl Fn(&Value) -> bool,
        out: &mut Output<'_>,
    ) -> Option<Got<'r>> {
        let text = match self.record {
            Record::Row(cells) => {
                let cell = &cells[column.index?];
                cell_text(cell, &column.name, self.line, out)?
            }
            Record::Object(_) => match self.value(column)? {
                Value::String(text) => Cow::Borrowed(text.as_str()),
                other => return Some(Got::Json(Cow::Borrowed(other))),
            },
        };
        if text.trim_start().starts_with(['[', '{']) {
            let value = nested(&text, &column.name, self.line, out, &is_list);
            if is_list(&value) {
                return Some(Got::Json(Cow::Owned(value)));
            }
        }
        Some(Got::Text(text))
    }

    fn value(self, column: &Column) -> Option<&'r Value> {
        let Record::Object(object) = self.record else {
            return None;
        };
        let found = match object.get(&column.name) {
            Some(value) => Some(value),
            None => {
                let mut keys = column.name.split('.');
                let first = object.get(keys.next()?)?;
                keys.try_fold(first, |value, key| value.get(key))
            }
        };
        found.filter(|value| !value.is_null())
    }

    /// The cleaned text of a column.
    pub(super) fn text(self, column: &Column, out: &mut Output<'_>) -> Option<Cow<'r, str>> {
        let text = match self.record {
            Record::Row(cells) => cell_text(&cells[column.index?], &column.name, self.line, out)?,
            Record::Object(_) => return text(self.value(column)?, self.line, &column.name, out),
        };
        clean(text, self.line, &column.name, out)
    }

    /// The text of an id.
    pub(super) fn id(self, column: &Column, out: &mut Output<'_>) -> Option<Cow<'r, str>> {
        if let Record::Object(_) = self.record
            && let Some(Value::Number(number)) = self.value(column)
            && number.is_f64()
            && number.as_f64().is_some_and(|n| n.abs() >= super::super::fields::WHOLE)
        {
            let what = "an id as a floating-point number: its last digits are lost";
            out.find(Rule::TypeMismatch, self.line, &column.name, what);
        }
        self.text(column, out)
    }

    /// What comes along as it stands.
    pub(super) fn raw(self, column: &Column, out: &mut Output<'_>) -> Option<Cow<'r, str>> {
        match self.record {
            Record::Row(cells) => cell_text(&cells[column.index?], &column.name, self.line, out),
            Record::Object(_) => raw(self.value(column)?),
        }
    }
}
