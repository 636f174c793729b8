//! Community Alignment (Zhang, Milli et al. 2025): one wide row per conversation of up to four turns.
//!
//! In the first turn candidate D is the default response, A to C the negatively correlated ones in the
//! order in which they were generated; the letters are not exchangeable.

use super::{
    ColumnRole, ExtraColumn, FormatError, Output, Parser, Part, Record, Sample, Source, clean,
};
use crate::comparison::{Candidate, Choice, Comparison, Message, Role};
use crate::finding::{Finding, Rule};
use serde_json::Value;
use std::borrow::Cow;

const TURNS: [&str; 4] = ["first", "second", "third", "fourth"];
const LETTERS: [&str; 4] = ["a", "b", "c", "d"];

pub(super) fn recognises(sample: &Sample) -> Option<Part> {
    let has = sample.has("first_turn_prompt")
        && (sample.has("first_turn_response_a") || sample.has("first_turn_responses"));
    has.then_some(Part::Main)
}

/// What the columns that come along say.
fn role(column: &str) -> ColumnRole {
    if column.starts_with("in_balanced_subset") {
        ColumnRole::Group
    } else {
        ColumnRole::guess(column)
    }
}

/// Where in the header the columns of a turn are.
#[derive(Debug)]
struct Turn {
    prompt: Column,
    /// The candidates, one column each.
    responses: Option<[Column; 4]>,
    /// The candidates in one cell.
    packed: Option<Column>,
    preferred: Column,
    feedback: Option<Column>,
}

#[derive(Debug)]
struct Column {
    name: String,
    index: usize,
}

#[derive(Debug)]
struct CommunityAlignment {
    conversation_id: Column,
    annotator_id: Column,
    language: Option<Column>,
    turns: Vec<Turn>,
    extra: Vec<Column>,
    extra_columns: Vec<ExtraColumn>,
}

pub(super) fn parser(source: &Source<'_>) -> Result<Box<dyn Parser>, FormatError> {
    let sample = source.sample;
    let optional = |name: &str| {
        let index = sample.columns.iter().position(|c| c == name)?;
        Some(Column { name: name.to_owned(), index })
    };
    let required = |name: &str| optional(name).ok_or_else(|| FormatError::Column(name.to_owned()));
    let mut turns = Vec::new();
    for (i, turn) in TURNS.iter().enumerate() {
        let column = |rest: &str| format!("{turn}_turn_{rest}");
        // A file may leave out later turns, but not parts of one.
        if i > 0 && !sample.columns.iter().any(|c| c.starts_with(&column(""))) {
            break;
        }
        let packed = optional(&column("responses"));
        let separate = LETTERS.map(|letter| required(&column(&format!("response_{letter}"))));
        let any_separate = separate.iter().any(Result::is_ok);
        let responses = if any_separate || packed.is_none() {
            let [a, b, c, d] = separate;
            Some([a?, b?, c?, d?])
        } else {
            None
        };
        turns.push(Turn {
            prompt: required(&column("prompt"))?,
            packed: if responses.is_some() { None } else { packed },
            responses,
            preferred: required(&column("preferred_response"))?,
            feedback: optional(&column("feedback")),
        });
    }
    let conversation_id = required("conversation_id")?;
    let annotator_id = required("annotator_id")?;
    let language = optional("assigned_lang");
    let is_extra = |name: &str| {
        !["conversation_id", "annotator_id", "assigned_lang"].contains(&name)
            && !TURNS
                .iter()
                .any(|turn| name.strip_prefix(turn).is_some_and(|rest| rest.starts_with("_turn_")))
    };
    let extra: Vec<Column> = sample
        .columns
        .iter()
        .enumerate()
        .filter(|(_, name)| is_extra(name))
        .map(|(index, name)| Column { name: name.clone(), index })
        .collect();
    let extra_columns =
        extra.iter().map(|c| ExtraColumn { name: c.name.clone(), role: role(&c.name) }).collect();
    Ok(Box::new(CommunityAlignment {
        conversation_id,
        annotator_id,
        language,
        turns,
        extra,
        extra_columns,
    }))
}

/// The cells of a record by column.
struct Cells<'r> {
    record: Record<'r, 'r>,
    line: u64,
}

impl<'r> Cells<'r> {
    fn raw(&self, column: &Column, out: &mut Output<'_>) -> Option<Cow<'r, str>> {
        match self.record {
            Record::Row(cells) => {
                let cell = &cells[column.index];
                if cell.is_empty() {
                    return None;
                }
                match cell.text() {
                    Ok(text) => Some(text),
                    Err(_) => {
                        out.find(
                            Rule::UnreadableRecord,
                            self.line,
                            &column.name,
                            "the cell is not UTF-8",
                        );
                        None
                    }
                }
            }
            Record::Object(object) => match object.get(&column.name)? {
                Value::Null => None,
                Value::String(text) => Some(Cow::Borrowed(text)),
                Value::Array(_) | Value::Object(_) => {
                    out.find(Rule::UnreadableRecord, self.line, &column.name, "not a string");
                    None
                }
                other => Some(Cow::Owned(other.to_string())),
            },
        }
    }

    fn text(&self, column: &Column, out: &mut Output<'_>) -> Option<Cow<'r, str>> {
        let text = self.raw(column, out)?;
        clean(text, self.line, &column.name, out)
    }
}

impl Parser for CommunityAlignment {
    fn extra_columns(&self) -> &[ExtraColumn] {
        &self.extra_columns
    }

    fn parse(&self, record: Record<'_, '_>, line: u64, out: &mut Output<'_>) {
        let cells = Cells { record, line };
        let Some(conversation_id) = cells.text(&self.conversation_id, out) else {
            out.find(Rule::UnreadableRecord, line, &self.conversation_id.name, "no id");
            return;
        };
        let annotator_id = cells.text(&self.annotator_id, out);
        let language = self.language.as_ref().and_then(|c| cells.text(c, out));
        let extra: Vec<_> = self.extra.iter().map(|c| cells.raw(c, out)).collect();

        let mut comparison = Comparison {
            conversation_id,
            turn: 0,
            history: Vec::new(),
            prompt: Cow::Borrowed(""),
            candidates: Vec::new(),
            choice: Choice::None,
            explanation: None,
            annotator_id,
            language,
            extra,
            line,
        };
        let mut missing = None;
        for (i, turn) in self.turns.iter().enumerate() {
            let prompt = cells.text(&turn.prompt, out);
            comparison.candidates = turn.candidates(&cells, i, out);
            let has_candidates = comparison.candidates.iter().any(|c| c.text.is_some());
            let preferred = cells.text(&turn.preferred, out);
            comparison.explanation = turn.feedback.as_ref().and_then(|c| cells.text(c, out));
            if prompt.is_none() && !has_candidates && preferred.is_none() {
                missing.get_or_insert(i);
                continue;
            }
            if let Some(gap) = missing {
                let what = format!("the {} turn is there, the {} is not", TURNS[i], TURNS[gap]);
                out.find(Rule::TurnGap, line, &turn.prompt.name, &what);
            }
            if prompt.is_none() {
                out.find(Rule::EmptyPrompt, line, &turn.prompt.name, "");
            }
            comparison.turn = i as u32 + 1;
            comparison.prompt = prompt.unwrap_or_default();
            comparison.choice = turn.choice(preferred.as_deref(), &comparison, line, out);
            (out.emit)(&comparison);
            let prompt = std::mem::take(&mut comparison.prompt);
            comparison.history.push(Message { role: Role::User, text: prompt });
            let chosen = comparison.choice.best();
            if let Some(text) = chosen.and_then(|best| comparison.candidates.swap_remove(best).text)
            {
                comparison.history.push(Message { role: Role::Assistant, text });
            }
        }
    }
}

impl Turn {
    fn candidates<'a>(
        &self,
        cells: &Cells<'a>,
        turn: usize,
        out: &mut Output<'_>,
    ) -> Vec<Candidate<'a>> {
        let mut candidates = if let Some(columns) = &self.responses {
            let texts = columns.each_ref().map(|column| cells.text(column, out));
            LETTERS.into_iter().zip(texts).map(|(id, text)| Candidate::new(id, text)).collect()
        } else if let Some(column) = &self.packed {
            cells.text(column, out).map_or_else(Vec::new, |packed| unpack(&packed))
        } else {
            Vec::new()
        };
        if turn == 0 {
            for (i, candidate) in candidates.iter_mut().enumerate() {
                candidate.source = Some(Cow::Borrowed(if i == 3 { "default" } else { "nc" }));
            }
        }
        candidates
    }

    fn choice(
        &self,
        preferred: Option<&str>,
        comparison: &Comparison<'_>,
        line: u64,
        out: &mut Output<'_>,
    ) -> Choice {
        let column = &self.preferred.name;
        let n_texts = comparison.candidates.iter().filter(|c| c.text.is_some()).count();
        if n_texts < comparison.candidates.len() {
            out.findings.push_with(Rule::MissingCandidate, || {
                let value = format!("{n_texts} of {} candidates", comparison.candidates.len());
                Finding::new(Rule::MissingCandidate, line, Some(&self.prompt.name), &value)
            });
        }
        let Some(preferred) = preferred else {
            out.find(Rule::NoChoice, line, column, "");
            return Choice::None;
        };
        let letter = preferred.trim().to_ascii_lowercase();
        let letter = letter.strip_prefix("response_").unwrap_or(&letter);
        let chosen = comparison.candidates.iter().position(|c| c.id == letter);
        let Some(chosen) = chosen else {
            out.find(Rule::UnknownChoice, line, column, preferred);
            return Choice::None;
        };
        if comparison.candidates[chosen].text.is_none() {
            out.find(Rule::ChoiceWithoutText, line, column, preferred);
        }
        Choice::One(chosen)
    }
}

/// The candidates of v1.0: `# Response A:`, a line break, the text, and so on.
fn unpack<'a>(packed: &str) -> Vec<Candidate<'a>> {
    let mut candidates: Vec<Candidate<'a>> = Vec::new();
    let mut rest = packed;
    for (i, letter) in LETTERS.iter().enumerate() {
        let mark = format!("# Response {}:", letter.to_ascii_uppercase());
        let Some(at) = rest.find(&mark) else {
            continue;
        };
        let text = &rest[at + mark.len()..];
        let end = LETTERS[i + 1..]
            .iter()
            .filter_map(|next| text.find(&format!("# Response {}:", next.to_ascii_uppercase())))
            .min()
            .unwrap_or(text.len());
        let own = text[..end].trim();
        let own = (!own.is_empty()).then(|| Cow::Owned(own.to_owned()));
        candidates.push(Candidate::new(*letter, own));
        rest = &text[end..];
    }
    candidates
}

#[cfg(test)]
mod tests;
