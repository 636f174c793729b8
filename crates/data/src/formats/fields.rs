//! The fields of records, read alike by all formats: what is of another type than belongs there is reported.

use super::{Output, Record, clean};
use crate::comparison::{Choice, Comparison, Message, Role};
use crate::csv::Cell;
use crate::finding::Rule;
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use xxhash_rust::xxh3::Xxh3Default;

/// Above this, floating-point numbers no longer hold every integer.
pub(super) const WHOLE: f64 = 9_007_199_254_740_992.0;

/// A record as an object. The cells of a row become strings, or what `is_json` takes of the JSON in them;
/// empty cells are left out.
pub(super) fn as_object<'r>(
    record: Record<'r, 'r>,
    columns: &[String],
    line: u64,
    out: &mut Output<'_>,
    is_json: impl Fn(&Value) -> bool,
) -> Cow<'r, Map<String, Value>> {
    let cells = match record {
        Record::Object(object) => return Cow::Borrowed(object),
        Record::Row(cells) => cells,
    };
    let mut object = Map::new();
    for (name, cell) in columns.iter().zip(cells) {
        if let Some(text) = cell_text(cell, name, line, out) {
            object.insert(name.clone(), nested(&text, name, line, out, &is_json));
        }
    }
    Cow::Owned(object)
}

/// What a cell says; nothing if it is empty.
pub(super) fn cell_text<'a>(
    cell: &Cell<'a>,
    column: &str,
    line: u64,
    out: &mut Output<'_>,
) -> Option<Cow<'a, str>> {
    if cell.is_empty() {
        return None;
    }
    let text = cell.text().ok();
    if text.is_none() {
        out.find(Rule::UnreadableRecord, line, column, "the cell is not UTF-8");
    }
    text
}

/// The JSON that stands in a text, if `is_json` takes it; otherwise the text.
pub(super) fn nested(
    text: &str,
    column: &str,
    line: u64,
    out: &mut Output<'_>,
    is_json: &impl Fn(&Value) -> bool,
) -> Value {
    let start = text.trim_start();
    if start.starts_with(['[', '{']) {
        match serde_json::from_str(start) {
            Ok(value) if is_json(&value) => return value,
            Err(_) if ["['", "[{'", "{'"].iter().any(|mark| start.starts_with(mark)) => {
                out.find(
                    Rule::TypeMismatch,
                    line,
                    column,
                    "a list as Python prints it, where JSON belongs",
                );
            }
            _ => {}
        }
    }
    Value::String(text.to_owned())
}

/// The fields of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'r> {
    pub(crate) object: &'r Map<String, Value>,
    pub(crate) line: u64,
}

impl<'r> Fields<'r> {
    /// What stands in a field, if it is anything.
    pub(super) fn value(self, key: &str) -> Option<&'r Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    /// A cleaned text.
    pub(super) fn text(self, key: &str, out: &mut Output<'_>) -> Option<Cow<'r, str>> {
        text(self.object.get(key)?, self.line, key, out)
    }

    /// The text of an id.
    pub(super) fn id(self, key: &str, out: &mut Output<'_>) -> Option<Cow<'r, str>> {
        let value = self.object.get(key)?;
        if let Value::Number(number) = value
            && number.is_f64()
            && number.as_f64().is_some_and(|n| n.abs() >= WHOLE)
        {
            let what = "an id as a floating-point number: its last digits are lost";
            out.find(Rule::TypeMismatch, self.line, key, what);
        }
        text(value, self.line, key, out)
    }

    /// A number, also one that is written as a text.
    pub(super) fn number(self, key: &str, out: &mut Output<'_>) -> Option<f64> {
        number(self.object.get(key)?, self.line, key, out)
    }

    /// Whether a field says yes.
    pub(super) fn flag(self, key: &str) -> Option<bool> {
        match self.object.get(key)? {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) => number.as_f64().map(|n| n != 0.0),
            Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "1.0" | "yes" => Some(true),
                "false" | "0" | "0.0" | "no" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// The elements of a list; what is no list is reported.
    pub(super) fn list(self, key: &str, out: &mut Output<'_>) -> &'r [Value] {
        match self.object.get(key) {
            Some(Value::Array(items)) => items,
            None | Some(Value::Null) => &[],
            Some(other) => {
                mismatch(other, "a list", self.line, key, out);
                &[]
            }
        }
    }

    /// The fields of an object in a field.
    pub(super) fn inner(self, key: &str) -> Option<Fields<'r>> {
        Some(Fields { object: self.object.get(key)?.as_object()?, line: self.line })
    }

    /// What comes along as it stands: lists and objects as JSON.
    pub(super) fn raw(self, key: &str) -> Option<Cow<'r, str>> {
        raw(self.object.get(key)?)
    }
}

/// A value as text, whatever it is.
pub(super) fn raw(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => (!text.is_empty()).then_some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number_text(number))),
        other => Some(Cow::Owned(other.to_string())),
    }
}

/// A cleaned text; numbers and truth values count as texts, lists and objects are reported.
pub(super) fn text<'a>(
    value: &'a Value,
    line: u64,
    column: &str,
    out: &mut Output<'_>,
) -> Option<Cow<'a, str>> {
    match value {
        Value::Array(_) | Value::Object(_) => {
            mismatch(value, "a text", line, column, out);
            None
        }
        scalar => clean(raw(scalar)?, line, column, out),
    }
}

/// A number, also one that is written as a text.
pub(super) fn number(value: &Value, line: u64, column: &str, out: &mut Output<'_>) -> Option<f64> {
    let number = match value {
        Value::Null => return None,
        Value::Number(number) => number.as_f64(),
        Value::String(text) => {
            let text = clean(Cow::Borrowed(text), line, column, out)?;
            let number = text.trim().parse().ok().filter(|n: &f64| n.is_finite());
            if number.is_none() && !text.trim().eq_ignore_ascii_case("n/a") {
                out.find(Rule::TypeMismatch, line, column, &text);
            }
            return number;
        }
        _ => None,
    };
    if number.is_none() {
        mismatch(value, "a number", line, column, out);
    }
    number
}

/// Reports a value of another type than belongs there.
pub(super) fn mismatch(value: &Value, wanted: &str, line: u64, column: &str, out: &mut Output<'_>) {
    let what = match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    out.find(Rule::TypeMismatch, line, column, &format!("{what}, where {wanted} belongs"));
}

/// A number with all its digits. One that other tools wrote as floating-point because others of its column
/// are missing looks like the integer that it is.
fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 => format!("{float}"),
        _ => number.to_string(),
    }
}

/// Whether a value is a list of messages, such as `{"role": "user", "content": "..."}`.
pub(super) fn are_messages(value: &Value) -> bool {
    let is_message = |item: &Value| item.get("role").or_else(|| item.get("from")).is_some();
    value.as_array().is_some_and(|items| items.first().is_some_and(is_message))
}

/// The messages of a list; what is none is reported.
pub(super) fn messages<'a>(
    value: &'a Value,
    line: u64,
    column: &str,
    out: &mut Output<'_>,
) -> Vec<Message<'a>> {
    let Value::Array(items) = value else {
        if !value.is_null() {
            mismatch(value, "a list of messages", line, column, out);
        }
        return Vec::new();
    };
    items.iter().filter_map(|item| message(item, line, column, out)).collect()
}

fn message<'a>(
    item: &'a Value,
    line: u64,
    column: &str,
    out: &mut Output<'_>,
) -> Option<Message<'a>> {
    let Value::Object(object) = item else {
        mismatch(item, "a message", line, column, out);
        return None;
    };
    let role = object.get("role").or_else(|| object.get("from")).and_then(Value::as_str);
    if role.is_none() {
        out.find(Rule::TypeMismatch, line, column, "a message without a role");
    }
    let content = object.get("content").or_else(|| object.get("value"));
    let text = content.and_then(|content| content_text(content, line, column, out));
    Some(Message { role: Role::from_id(role.unwrap_or("user")), text: text.unwrap_or_default() })
}

/// The text of a message, also where it comes in parts such as `{"type": "text", "text": "..."}`.
fn content_text<'a>(
    content: &'a Value,
    line: u64,
    column: &str,
    out: &mut Output<'_>,
) -> Option<Cow<'a, str>> {
    let Value::Array(parts) = content else {
        return text(content, line, column, out);
    };
    let mut whole = Cow::Borrowed("");
    for part in parts {
        let text = match part {
            Value::String(text) => Some(text.as_str()),
            other => other.get("text").and_then(Value::as_str),
        };
        match text {
            Some(text) if whole.is_empty() => whole = Cow::Borrowed(text),
            Some(text) => {
                let whole = whole.to_mut();
                whole.push('\n');
                whole.push_str(text);
            }
            None => {
                out.find(Rule::TypeMismatch, line, column, "a part of a message that is no text")
            }
        }
    }
    clean(whole, line, column, out)
}

/// The name of the candidate at a position: `a`, `b`, and so on.
pub(super) fn letter(position: usize) -> Cow<'static, str> {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";
    match LETTERS.get(position..=position) {
        Some(letter) => Cow::Borrowed(letter),
        None => Cow::Owned(format!("c{position}")),
    }
}

/// An id for a conversation of a file that names none: made from its texts and its line, so that neither
/// lines of several files nor several answers to one prompt fall together.
pub(super) fn made_id(
    line: u64,
    history: &[Message<'_>],
    prompt: &str,
    candidates: &[crate::comparison::Candidate<'_>],
) -> String {
    let mut hash = Xxh3Default::new();
    hash.update(&line.to_le_bytes());
    let texts = history.iter().map(|message| message.text.as_ref());
    for text in texts.chain([prompt]).chain(candidates.iter().map(|c| c.text())) {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    format!("{:016x}", hash.digest())
}

/// Hands a comparison on, and says what is missing in it. `prompt` and `choice` name the columns; no name
/// for the choice means that it was said already why there is none.
pub(super) fn emit(
    comparison: &Comparison<'_>,
    prompt: &str,
    choice: Option<&str>,
    out: &mut Output<'_>,
) {
    let line = comparison.line;
    let candidates = &comparison.candidates;
    let n_texts = candidates.iter().filter(|c| c.text.is_some()).count();
    if comparison.prompt.is_empty() {
        out.find(Rule::EmptyPrompt, line, prompt, "");
    }
    if n_texts < candidates.len() || candidates.is_empty() {
        let what = format!("{n_texts} of {} candidates", candidates.len());
        out.find(Rule::MissingCandidate, line, prompt, &what);
    }
    if let (Choice::None, Some(choice)) = (&comparison.choice, choice) {
        out.find(Rule::NoChoice, line, choice, "");
    }
    let chosen = match &comparison.choice {
        Choice::Ranking(order) => &order[..1],
        other => other.chosen(),
    };
    if let Some(empty) = chosen.iter().find(|i| candidates[**i].text.is_none()) {
        out.find(Rule::ChoiceWithoutText, line, choice.unwrap_or(prompt), &candidates[*empty].id);
    }
    (out.emit)(comparison);
}

/// The place of a comparison in its conversation, when its history holds all that came before.
pub(super) fn turn(history: &[Message<'_>]) -> u32 {
    history.iter().filter(|message| message.role == Role::User).count() as u32 + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Findings;

    #[test]
    fn ids_keep_their_digits_and_other_types_are_reported() {
        fn check(json: &str, expected: Option<&str>, n_findings: u64) {
            let value: Value = serde_json::from_str(&format!("{{\"id\": {json}}}")).expect("JSON");
            let object = value.as_object().expect("an object");
            let mut findings = Findings::default();
            let mut out = Output { emit: &mut |_| {}, findings: &mut findings };
            let id = Fields { object, line: 1 }.id("id", &mut out);
            assert_eq!(id.as_deref(), expected, "{json}");
            assert_eq!(findings.count(Rule::TypeMismatch), n_findings, "{json}");
        }
        check("9007199254740993", Some("9007199254740993"), 0);
        check("18446744073709551615", Some("18446744073709551615"), 0);
        check("1000000000000000000", Some("1000000000000000000"), 0);
        check("12.0", Some("12"), 0);
        check("1.5", Some("1.5"), 0);
        check("1e18", Some("1000000000000000000"), 1);
        check("\"x\"", Some("x"), 0);
        check("true", Some("true"), 0);
        check("null", None, 0);
        check("\"nan\"", None, 0);
        check("[\"x\"]", None, 1);
        check("{}", None, 1);
    }
}
