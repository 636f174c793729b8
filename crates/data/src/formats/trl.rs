//! Files for TRL: pairs of answers (`chosen`, `rejected`) or single answers with a label (`completion`,
//! `label`), as texts or as lists of messages, with a `prompt` of their own or one that both sides begin with.
//!
//! A single answer has the score 1 if its label is good, else 0. Also read are the variants of the Hub in
//! which `prompt` is a text that the lists of messages repeat.

use super::fields::{
    Fields, are_messages, as_object, emit, made_id, messages, mismatch, text, turn,
};
use super::transcript::{Split, cleaned, prompt_of};
use super::{ColumnRole, ExtraColumn, FormatError, Output, Parser, Part, Record, Sample, Source};
use crate::comparison::{Candidate, Choice, Comparison, Message, Role};
use crate::finding::Rule;
use serde_json::Value;
use std::borrow::Cow;

const CHOSEN: &str = "chosen";
const REJECTED: &str = "rejected";
const PROMPT: &str = "prompt";
const COMPLETION: &str = "completion";
const LABEL: &str = "label";
/// Columns that are read; of those that repeat what others say, `messages` is the chosen conversation.
const OWN: [&str; 8] =
    [PROMPT, CHOSEN, REJECTED, COMPLETION, LABEL, "score_chosen", "score_rejected", "messages"];

pub(super) fn recognises(sample: &Sample) -> Option<Part> {
    let is_pair = sample.has(CHOSEN) && sample.has(REJECTED);
    let is_labelled = sample.has(PROMPT) && sample.has(COMPLETION) && sample.has(LABEL);
    (is_pair || is_labelled).then_some(Part::Main)
}

pub(super) fn parser(source: &Source<'_>) -> Result<Box<dyn Parser>, FormatError> {
    let sample = source.sample;
    let is_labelled = sample.has(COMPLETION) && !sample.has(CHOSEN);
    let required: &[&str] =
        if is_labelled { &[PROMPT, COMPLETION, LABEL] } else { &[CHOSEN, REJECTED] };
    if let Some(missing) = required.iter().find(|column| !sample.has(column)) {
        return Err(FormatError::Column((*missing).to_owned()));
    }
    let extra = sample.columns.iter().filter(|name| !OWN.contains(&name.as_str()));
    let extra = extra
        .map(|name| ExtraColumn { name: name.clone(), role: ColumnRole::guess(name) })
        .collect();
    Ok(Box::new(Trl { is_labelled, columns: sample.columns.clone(), extra }))
}

struct Trl {
    is_labelled: bool,
    columns: Vec<String>,
    extra: Vec<ExtraColumn>,
}

/// What stands on one side of a pair.
pub(super) enum Side<'r> {
    Nothing,
    Text(Cow<'r, str>),
    Messages(Vec<Message<'r>>),
}

impl<'r> Side<'r> {
    fn read(fields: Fields<'r>, column: &str, out: &mut Output<'_>) -> Self {
        match fields.value(column) {
            None => Side::Nothing,
            Some(list @ Value::Array(items)) if are_messages(list) || items.is_empty() => {
                Side::Messages(messages(list, fields.line, column, out))
            }
            Some(other) => text(other, fields.line, column, out).map_or(Side::Nothing, Side::Text),
        }
    }

    fn kind(&self) -> Option<&'static str> {
        match self {
            Side::Nothing => None,
            Side::Text(_) => Some("a text"),
            Side::Messages(_) => Some("a list of messages"),
        }
    }

    /// As messages; a text alone is what the model answers.
    pub(super) fn messages(self, role: Role) -> Vec<Message<'r>> {
        match self {
            Side::Nothing => Vec::new(),
            Side::Text(text) => vec![Message { role, text }],
            Side::Messages(messages) => messages,
        }
    }
}

/// A pair as history, prompt and answers.
pub(super) struct Pair<'r> {
    pub(super) history: Vec<Message<'r>>,
    pub(super) prompt: Cow<'r, str>,
    pub(super) answers: [Option<Cow<'r, str>>; 2],
}

impl<'r> Pair<'r> {
    /// What both sides have, and what each answers; `columns` are those of the sides.
    pub(super) fn new(
        prompt: Side<'r>,
        [chosen, rejected]: [Side<'r>; 2],
        columns: [&str; 2],
        line: u64,
        out: &mut Output<'_>,
    ) -> Self {
        let [chosen_column, rejected_column] = columns;
        if let (Some(chosen), Some(rejected)) = (chosen.kind(), rejected.kind())
            && chosen != rejected
        {
            let what = format!("{rejected}, `{chosen_column}` is {chosen}");
            out.find(Rule::TypeMismatch, line, rejected_column, &what);
        }
        let prompt_kind = prompt.kind();
        let before = prompt.messages(Role::User);
        let [mut chosen, mut rejected] = [chosen, rejected].map(|side| match side {
            Side::Text(_) => with_prompt(&before, side.messages(Role::Assistant)),
            Side::Messages(messages) => {
                if let [Message { role: Role::Assistant, .. }, ..] = messages.as_slice()
                    && prompt_kind == Some("a text")
                {
                    let what = "a list of messages, the prompt is a text";
                    out.find(Rule::TypeMismatch, line, chosen_column, what);
                }
                with_prompt(&before, messages)
            }
            Side::Nothing => Vec::new(),
        });
        if let Some(system) = lone_system(&chosen, &rejected) {
            out.find(Rule::AsymmetricHistory, line, rejected_column, &system.text);
            // What follows may still be the same on both sides.
            let system = system.clone();
            for side in [&mut chosen, &mut rejected] {
                if side.first().is_some_and(|first| first.role == Role::System) {
                    side[0] = system.clone();
                } else {
                    side.insert(0, system.clone());
                }
            }
            let split = Split::new(chosen, rejected, "User");
            return Self { history: split.history, prompt: split.prompt, answers: split.answers };
        }
        let no_answers = chosen.is_empty() && rejected.is_empty();
        let split = Split::new(chosen, rejected, "User");
        if split.is_early {
            out.find(Rule::AsymmetricHistory, line, rejected_column, &split.prompt);
        }
        let (history, prompt) =
            if no_answers { prompt_of(before) } else { (split.history, split.prompt) };
        Self { history, prompt, answers: split.answers }
    }
}

/// The messages of a side, with those of the prompt before them unless the side repeats them.
fn with_prompt<'r>(prompt: &[Message<'r>], side: Vec<Message<'r>>) -> Vec<Message<'r>> {
    let said = |message: &Message<'_>| message.role == Role::User;
    let repeats = match prompt {
        [] => true,
        // A text is the first or the last message of the person.
        [one] if one.role == Role::User => {
            side.iter().filter(|m| said(m)).any(|m| m.text.trim() == one.text.trim())
        }
        all => side.starts_with(all),
    };
    if repeats { side } else { prompt.iter().cloned().chain(side).collect() }
}

/// The system prompt of the one side that has another than the other side, or is alone in having one.
fn lone_system<'m, 'r>(
    chosen: &'m [Message<'r>],
    rejected: &'m [Message<'r>],
) -> Option<&'m Message<'r>> {
    if chosen.is_empty() || rejected.is_empty() {
        return None;
    }
    let [a, b] = [chosen, rejected].map(|side| side.first().filter(|m| m.role == Role::System));
    if a == b { None } else { a.or(b) }
}

/// Takes off what two texts begin with, up to the last blank in it: the prompt, in files without a column
/// for it. Texts that are equal are left as they are.
fn take_prompt<'r>(chosen: &mut Cow<'r, str>, rejected: &mut Cow<'r, str>) -> Option<Cow<'r, str>> {
    let pairs = chosen.char_indices().zip(rejected.chars());
    let end =
        pairs.take_while(|((_, a), b)| a == b).map(|((at, c), _)| at + c.len_utf8()).last()?;
    let at = chosen[..end].rfind(char::is_whitespace).filter(|_| chosen != rejected)?;
    let prompt = chosen[..at].trim_end().to_owned();
    for side in [chosen, rejected] {
        *side = Cow::Owned(side[at..].trim_start().to_owned());
    }
    (!prompt.is_empty()).then_some(Cow::Owned(prompt))
}

impl Trl {
    fn has_prompt(&self) -> bool {
        self.columns.iter().any(|column| column == PROMPT)
    }

    fn pair(&self, fields: Fields<'_>, out: &mut Output<'_>) {
        let line = fields.line;
        let prompt = Side::read(fields, PROMPT, out);
        let mut sides = [CHOSEN, REJECTED].map(|column| Side::read(fields, column, out));
        let prompt = match (&prompt, &mut sides) {
            (Side::Nothing, [Side::Text(chosen), Side::Text(rejected)]) if !self.has_prompt() => {
                take_prompt(chosen, rejected).map_or(Side::Nothing, Side::Text)
            }
            _ => prompt,
        };
        let Pair { history, prompt, answers: [chosen, rejected] } =
            Pair::new(prompt, sides, [CHOSEN, REJECTED], line, out);
        let candidates = [(CHOSEN, chosen, "score_chosen"), (REJECTED, rejected, "score_rejected")]
            .map(|(id, answer, score)| Candidate {
                score: fields.number(score, out),
                ..Candidate::new(id, cleaned(answer, line, id, out))
            });
        let column = if self.has_prompt() { PROMPT } else { CHOSEN };
        self.emit(
            fields,
            history,
            prompt,
            candidates.into(),
            Choice::One(0),
            [column, CHOSEN],
            out,
        );
    }

    fn labelled(&self, fields: Fields<'_>, out: &mut Output<'_>) {
        let line = fields.line;
        let (history, prompt) = prompt_of(Side::read(fields, PROMPT, out).messages(Role::User));
        let mut answer = Side::read(fields, COMPLETION, out).messages(Role::Assistant);
        if answer.len() > 1 {
            out.find(Rule::TypeMismatch, line, COMPLETION, "several messages, the last is read");
        }
        let answer = answer.pop().and_then(|m| cleaned(Some(m.text), line, COMPLETION, out));
        let label = fields.flag(LABEL);
        if let (None, Some(other)) = (label, fields.value(LABEL)) {
            mismatch(other, "a truth value", line, LABEL, out);
        }
        let score = label.map(|good| f64::from(u8::from(good)));
        let candidates = vec![Candidate { score, ..Candidate::new(COMPLETION, answer) }];
        let choice = if label.is_some() { Choice::Scores } else { Choice::None };
        self.emit(fields, history, prompt, candidates, choice, [PROMPT, LABEL], out);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one comparison")]
    fn emit<'r>(
        &self,
        fields: Fields<'r>,
        history: Vec<Message<'r>>,
        prompt: Cow<'r, str>,
        candidates: Vec<Candidate<'r>>,
        choice: Choice,
        [prompt_column, choice_column]: [&str; 2],
        out: &mut Output<'_>,
    ) {
        let comparison = Comparison {
            conversation_id: Cow::Owned(made_id(fields.line, &history, &prompt, &candidates)),
            turn: turn(&history),
            history,
            prompt,
            candidates,
            choice,
            explanation: None,
            annotator_id: None,
            language: None,
            extra: self.extra.iter().map(|c| fields.raw(&c.name)).collect(),
            line: fields.line,
        };
        emit(&comparison, prompt_column, Some(choice_column), out);
    }
}

impl Parser for Trl {
    fn extra_columns(&self) -> &[ExtraColumn] {
        &self.extra
    }

    fn parse(&self, record: Record<'_, '_>, line: u64, out: &mut Output<'_>) {
        let object = as_object(record, &self.columns, line, out, are_messages);
        let fields = Fields { object: &object, line };
        if self.is_labelled { self.labelled(fields, out) } else { self.pair(fields, out) }
    }
}

#[cfg(test)]
mod tests;
