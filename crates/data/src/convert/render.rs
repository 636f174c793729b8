//! Rows as each tool wants them, one JSON object a line.

use super::ConvertOptions;
use super::column::{ColumnAt, UnknownColumn};
use super::json::{self, Object};
use super::own;
use super::select::Row;
use super::target::{Style, Target};
use crate::comparison::{Comparison, Role};
use crate::formats::ExtraColumn;

/// Keys that mean something to a tool: a carried column of that name is written as `extra_NAME`.
const TAKEN: [&str; 28] = [
    "prompt",
    "chosen",
    "rejected",
    "completion",
    "messages",
    "text",
    "label",
    "weight",
    "images",
    "image",
    "tools",
    "chat_template_kwargs",
    "candidates",
    "candidate_ids",
    "candidate_chosen",
    "instruction",
    "input",
    "output",
    "system",
    "history",
    "kto_tag",
    "preferred_output",
    "non_preferred_output",
    "conversation_id",
    "turn",
    "query",
    "response",
    "input_ids",
];

/// Writes rows.
#[derive(Debug)]
pub(super) struct Renderer {
    target: Target,
    style: Style,
    carry: Vec<(String, ColumnAt)>,
    /// Keys of all extra columns in this program's own shape.
    own_keys: Vec<String>,
}

/// The messages that an answer answers.
pub(super) fn prompt_messages<'c>(
    comparison: &'c Comparison<'_>,
) -> impl Iterator<Item = (Role, &'c str)> + Clone {
    let history = comparison.history.iter().map(|m| (m.role, m.text.as_ref()));
    history.chain([(Role::User, comparison.prompt.as_ref())])
}

/// A prompt and its answer as one text, where a tool wants no messages.
pub(super) fn as_text(comparison: &Comparison<'_>, answer: &str) -> String {
    format!("{}\n\n{answer}", comparison.prompt)
}

impl Renderer {
    pub(super) fn new(
        options: &ConvertOptions,
        extra: &[ExtraColumn],
    ) -> Result<Self, UnknownColumn> {
        let named_by_us = options.target == Target::TrlPromptOnly;
        let carry = options.carry.iter().map(|name| {
            let is_ours = ["conversation_id", "turn"].contains(&name.as_str()) && !named_by_us;
            let is_taken = TAKEN.contains(&name.as_str()) && !is_ours;
            let key = if is_taken { format!("extra_{name}") } else { name.clone() };
            Ok((key, ColumnAt::find(name, extra)?))
        });
        Ok(Self {
            target: options.target,
            style: options.style,
            carry: carry.collect::<Result<_, _>>()?,
            own_keys: extra.iter().map(own::key).collect(),
        })
    }

    /// Appends a row as a line.
    pub(super) fn row(&self, c: &Comparison<'_>, row: Row, weight: Option<f64>, out: &mut Vec<u8>) {
        if row == Row::Comparison {
            own::write(c, &self.own_keys, out);
            return;
        }
        let mut object = Object::begin(out);
        match self.target {
            _ if self.target.is_trl() => self.trl(c, row, &mut object),
            _ if self.target.is_openai() => openai(c, row, &mut object),
            _ if self.target.is_llama_factory() && self.style == Style::Standard => {
                alpaca(c, row, &mut object);
            }
            _ => chat(c, row, self.target == Target::AxolotlSft, &mut object),
        }
        if let Some(weight) = weight {
            object.plain("weight", weight);
        }
        for (key, column) in &self.carry {
            // Loaders take the type of a column from its first rows: `null` there would be a type of its own.
            object.text(key, &column.value(c).unwrap_or_default());
        }
        object.end();
        out.push(b'\n');
    }

    fn trl(&self, c: &Comparison<'_>, row: Row, object: &mut Object<'_>) {
        let is_plain = self.style == Style::Standard;
        let answer = |object: &mut Object<'_>, key: &str, i: usize| {
            let text = c.candidates[i].text();
            if is_plain {
                object.text(key, text);
            } else {
                object.messages(key, [(Role::Assistant, text)]);
            }
        };
        if self.target != Target::TrlLanguageModelling {
            if is_plain {
                object.text("prompt", &c.prompt);
            } else {
                object.messages("prompt", prompt_messages(c));
            }
        }
        match row {
            Row::Pair { chosen, rejected } => {
                answer(object, "chosen", chosen);
                answer(object, "rejected", rejected);
            }
            Row::Chosen(i) if self.target == Target::TrlLanguageModelling => {
                let text = c.candidates[i].text();
                if is_plain {
                    object.text("text", &as_text(c, text));
                } else {
                    let all = prompt_messages(c).chain([(Role::Assistant, text)]);
                    object.messages("messages", all);
                }
            }
            Row::Chosen(i) => answer(object, "completion", i),
            Row::Labelled { answer: i, is_chosen } => {
                answer(object, "completion", i);
                object.plain("label", is_chosen);
            }
            Row::Prompt => candidates(c, object),
            Row::Comparison => {}
        }
    }
}

/// What a reward may need to know. No key is called `chosen`: TRL would take the row for a pair.
fn candidates(c: &Comparison<'_>, object: &mut Object<'_>) {
    let with_text = || c.candidates.iter().enumerate().filter(|(_, c)| c.text.is_some());
    json::list(object.value("candidates"), with_text(), |out, (_, candidate)| {
        json::text(out, candidate.text());
    });
    json::list(object.value("candidate_ids"), with_text(), |out, (_, candidate)| {
        json::text(out, &candidate.id);
    });
    let best = match super::pairs::Levels::of(c) {
        Ok(levels) => levels.highest().to_vec(),
        Err(_) => Vec::new(),
    };
    json::list(object.value("candidate_chosen"), with_text(), |out, (i, _)| {
        out.extend_from_slice(if best.contains(&i) { b"true" } else { b"false" });
    });
    object.text("conversation_id", &c.conversation_id).plain("turn", c.turn);
}

fn openai(c: &Comparison<'_>, row: Row, object: &mut Object<'_>) {
    let answer = |i: usize| [(Role::Assistant, c.candidates[i].text())];
    match row {
        Row::Pair { chosen, rejected } => {
            let mut input = Object::begin(object.value("input"));
            input.messages("messages", prompt_messages(c));
            input.end();
            object
                .messages("preferred_output", answer(chosen))
                .messages("non_preferred_output", answer(rejected));
        }
        Row::Chosen(i) => {
            let n_before = c.history.len() + 1;
            let all = prompt_messages(c).chain(answer(i)).enumerate();
            json::list(object.value("messages"), all, |out, (at, (role, content))| {
                let mut message = Object::begin(out);
                message.text("role", role.as_str()).text("content", content);
                // Each turn of a conversation is a row of its own: its answer is learned there.
                if role == Role::Assistant && at < n_before {
                    message.plain("weight", 0);
                }
                message.end();
            });
        }
        Row::Labelled { .. } | Row::Prompt | Row::Comparison => {}
    }
}

/// LLaMA-Factory's alpaca form: texts, with what was said before as pairs.
fn alpaca(c: &Comparison<'_>, row: Row, object: &mut Object<'_>) {
    let is_system = |role: Role| role == Role::System;
    let system = c.history.iter().find(|m| is_system(m.role)).map(|m| m.text.as_ref());
    let said: Vec<&str> =
        c.history.iter().filter(|m| !is_system(m.role)).map(|m| m.text.as_ref()).collect();
    object
        .text("instruction", &c.prompt)
        .text("input", "")
        .text("system", system.unwrap_or_default())
        .plain("history", said.chunks(2).collect::<Vec<_>>());
    let text = |i: usize| c.candidates[i].text();
    match row {
        Row::Pair { chosen, rejected } => {
            object.text("chosen", text(chosen)).text("rejected", text(rejected));
        }
        Row::Chosen(i) => {
            object.text("output", text(i));
        }
        Row::Labelled { answer, is_chosen } => {
            object.text("output", text(answer)).plain("kto_tag", is_chosen);
        }
        Row::Prompt | Row::Comparison => {}
    }
}

/// Messages, as LLaMA-Factory's sharegpt form and Axolotl's chat templates read them.
fn chat(c: &Comparison<'_>, row: Row, marks_training: bool, object: &mut Object<'_>) {
    let one = |object: &mut Object<'_>, key: &str, i: usize| {
        json::message(object.value(key), Role::Assistant, c.candidates[i].text());
    };
    let with = |i: usize| prompt_messages(c).chain([(Role::Assistant, c.candidates[i].text())]);
    match row {
        Row::Pair { chosen, rejected } => {
            object.messages("messages", prompt_messages(c));
            one(object, "chosen", chosen);
            one(object, "rejected", rejected);
        }
        Row::Chosen(i) if marks_training => {
            let n_before = c.history.len() + 1;
            json::list(object.value("messages"), with(i).enumerate(), |out, (at, (role, text))| {
                let mut message = Object::begin(out);
                message.text("role", role.as_str()).text("content", text);
                message.plain("train", at == n_before);
                message.end();
            });
        }
        Row::Chosen(i) => {
            object.messages("messages", with(i));
        }
        Row::Labelled { answer, is_chosen } => {
            object.messages("messages", with(answer)).plain("kto_tag", is_chosen);
        }
        Row::Prompt | Row::Comparison => {}
    }
}
