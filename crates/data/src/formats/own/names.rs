//! How the values of a column name candidates.

use super::super::fields::{mismatch, raw};
use super::super::{Output, ranking};
use super::columns::{Cells, Column, Got};
use crate::comparison::{Candidate, Choice};
use crate::finding::Rule;
use crate::mapping::{ChoiceColumn, ChoiceNames};
use serde_json::Value;
use std::borrow::Cow;

/// What names of candidates in a column mean.
pub(super) struct Names<'n> {
    /// The columns of the candidates' texts, where each has its own.
    pub(super) columns: Vec<&'n str>,
    pub(super) column: &'n Column,
    pub(super) names: ChoiceNames,
    pub(super) candidates: &'n [Candidate<'n>],
}

impl Names<'_> {
    fn position(&self, name: &str) -> Option<usize> {
        let position = |is: &dyn Fn(&Candidate<'_>) -> bool| self.candidates.iter().position(is);
        let at = |first: f64| {
            let number = name.parse::<f64>().ok()? - first;
            let is_position = number >= 0.0 && number.fract() == 0.0;
            is_position.then_some(number as usize).filter(|i| *i < self.candidates.len())
        };
        match self.names {
            ChoiceNames::From0 => at(0.0),
            ChoiceNames::From1 => at(1.0),
            ChoiceNames::Model => position(&|c| c.model.as_deref() == Some(name)),
            ChoiceNames::Text => position(&|c| c.text().trim() == name),
            ChoiceNames::Any => position(&|c| c.id == name)
                .or_else(|| position(&|c| c.id.eq_ignore_ascii_case(name)))
                .or_else(|| self.columns.iter().position(|column| *column == name))
                .or_else(|| by_letter(name).filter(|i| *i < self.candidates.len()))
                .or_else(|| position(&|c| c.text.is_some() && c.text().trim() == name)),
        }
    }

    fn unknown(&self, name: &str, line: u64, out: &mut Output<'_>) -> (Choice, bool) {
        out.find(Rule::UnknownChoice, line, &self.column.name, name);
        (Choice::None, true)
    }

    /// What a column says was chosen, and whether it was said already why that is nothing.
    pub(super) fn chosen(
        &self,
        how: &ChoiceColumn,
        cells: Cells<'_>,
        out: &mut Output<'_>,
    ) -> (Choice, bool) {
        let Some(got) = cells.get(self.column, out) else {
            return (Choice::None, false);
        };
        let line = cells.line;
        let names: Vec<Cow<'_, str>> = match &got {
            Got::Text(text) => vec![Cow::Borrowed(text.as_ref())],
            Got::Json(value) => match value.as_ref() {
                Value::Array(items) => items.iter().filter_map(raw).collect(),
                one => raw(one).into_iter().collect(),
            },
        };
        let mut chosen = Vec::new();
        for name in names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
            let is = |words: &[String]| words.iter().any(|word| word.eq_ignore_ascii_case(name));
            if is(&how.tie) {
                return (Choice::Tie, false);
            }
            if is(&how.none) {
                return (Choice::None, false);
            }
            let found = match how.values.get(name) {
                Some(id) => self.candidates.iter().position(|c| c.id == id.as_str()),
                None => self.position(name),
            };
            match found {
                Some(found) if !chosen.contains(&found) => chosen.push(found),
                Some(_) => {}
                None => return self.unknown(name, line, out),
            }
        }
        match chosen.as_slice() {
            [] => (Choice::None, false),
            [one] => (Choice::One(*one), false),
            _ => (Choice::Several(chosen), false),
        }
    }

    /// What a column with a ranking says, in the same way.
    pub(super) fn ranking(&self, cells: Cells<'_>, out: &mut Output<'_>) -> (Choice, bool) {
        let Some(got) = cells.get(self.column, out) else {
            return (Choice::None, false);
        };
        let line = cells.line;
        let mut tiers = Vec::new();
        match &got {
            Got::Text(text) => match ranking::tiers(text, |name| self.position(name)) {
                Ok(read) => tiers = read,
                Err(name) => return self.unknown(name, line, out),
            },
            Got::Json(value) => {
                let Value::Array(items) = value.as_ref() else {
                    mismatch(value, "a ranking", line, &self.column.name, out);
                    return (Choice::None, true);
                };
                for name in items.iter().filter_map(raw) {
                    match self.position(name.trim()) {
                        Some(found) if !tiers.contains(&vec![found]) => tiers.push(vec![found]),
                        _ => return self.unknown(&name, line, out),
                    }
                }
            }
        }
        (ranking::of_tiers(&tiers), false)
    }
}

/// The position that a letter stands for, alone or after a word: `B`, `response_b`, `Model B`.
fn by_letter(name: &str) -> Option<usize> {
    let letter = name.rsplit(['_', ' ', '-']).next()?.to_ascii_lowercase();
    let [letter @ b'a'..=b'z'] = letter.as_bytes() else {
        return None;
    };
    Some(usize::from(letter - b'a'))
}
