//! Choices between the answers of two models, as Chatbot Arena publishes them: with whole conversations
//! (33k, 100k, 140k), or with lists of prompts and responses (the 55k of the competition).
//!
//! Each model held its own conversation, and one choice was made at the end: where there are several turns,
//! the candidates are the whole rests after the last message that both share. That both are bad is a tie
//! here; the file's own word is in the column `winner`. A column `full_conversation` repeats the others and
//! does not come along.

use super::fields::{Fields, as_object, emit, made_id, messages, nested, text, turn};
use super::transcript::{Split, cleaned};
use super::{ColumnRole, ExtraColumn, FormatError, Output, Parser, Part, Record, Sample, Source};
use crate::comparison::{Candidate, Choice, Comparison, Message, Role};
use crate::finding::Rule;
use serde_json::Value;
use std::borrow::Cow;

const SIDES: [&str; 2] = ["a", "b"];
const IDS: [&str; 4] = ["evaluation_session_id", "question_id", "id", "conversation_id"];
const ANNOTATORS: [&str; 3] = ["judge", "judge_hash", "user_id"];
const ORDER: &str = "evaluation_order";
const FLAGS: [&str; 3] = ["winner_model_a", "winner_model_b", "winner_tie"];

fn has(sample: &Sample, columns: &[&str]) -> bool {
    columns.iter().all(|column| sample.has(column))
}

pub(super) fn recognises(sample: &Sample) -> Option<Part> {
    let has_texts = has(sample, &["conversation_a", "conversation_b"])
        || has(sample, &["prompt", "response_a", "response_b"]);
    let has_winner = sample.has("winner") || has(sample, &FLAGS);
    let has_models = has(sample, &["model_a", "model_b"]) || has(sample, &FLAGS);
    (has_texts && has_winner && has_models).then_some(Part::Main)
}

pub(super) fn parser(source: &Source<'_>) -> Result<Box<dyn Parser>, FormatError> {
    let sample = source.sample;
    let has_conversations = sample.has("conversation_a");
    let texts: &[&str] = if has_conversations {
        &["conversation_a", "conversation_b"]
    } else {
        &["prompt", "response_a", "response_b"]
    };
    let winner: &[&str] = if sample.has("winner_model_a") { &FLAGS } else { &["winner"] };
    if let Some(missing) = texts.iter().chain(winner).find(|column| !sample.has(column)) {
        return Err(FormatError::Column((*missing).to_owned()));
    }
    let first_of = |names: &[&'static str]| names.iter().copied().find(|name| sample.has(name));
    let (id, annotator) = (first_of(&IDS), first_of(&ANNOTATORS));
    let is_own = |name: &str| {
        let own = ["model_a", "model_b", "language", "full_conversation", ORDER];
        own.contains(&name)
            || texts.contains(&name)
            || FLAGS.contains(&name)
            || Some(name) == id
            || Some(name) == annotator
    };
    let extra = sample
        .columns
        .iter()
        .filter(|name| !is_own(name))
        .map(|name| ExtraColumn { name: name.clone(), role: ColumnRole::guess(name) });
    let extra = extra.collect();
    let columns = sample.columns.clone();
    Ok(Box::new(Arena { columns, has_conversations, id, annotator, extra }))
}

struct Arena {
    columns: Vec<String>,
    has_conversations: bool,
    id: Option<&'static str>,
    annotator: Option<&'static str>,
    extra: Vec<ExtraColumn>,
}

/// A list, also one that is written into a text as JSON.
fn list<'r>(fields: Fields<'r>, column: &str, out: &mut Output<'_>) -> Cow<'r, Value> {
    match fields.value(column) {
        None => Cow::Owned(Value::Null),
        Some(Value::String(text)) if text.trim_start().starts_with('[') => {
            Cow::Owned(nested(text, column, fields.line, out, &Value::is_array))
        }
        Some(other) => Cow::Borrowed(other),
    }
}

/// Prompts and responses in turn.
fn conversation<'r>(
    prompts: &'r Value,
    responses: &'r Value,
    column: &str,
    line: u64,
    out: &mut Output<'_>,
) -> Vec<Message<'r>> {
    let items = |value: &'r Value| match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let (prompts, responses) = (items(prompts), items(responses));
    if prompts.len() != responses.len() {
        let what = format!("{} responses to {} prompts", responses.len(), prompts.len());
        out.find(Rule::TypeMismatch, line, column, &what);
    }
    let mut messages = Vec::new();
    for i in 0..prompts.len().max(responses.len()) {
        for (said, role, name) in
            [(prompts, Role::User, "prompt"), (responses, Role::Assistant, column)]
        {
            if let Some(value) = said.get(i) {
                let text = text(value, line, name, out).unwrap_or_default();
                messages.push(Message { role, text });
            }
        }
    }
    messages
}

/// What was chosen, and whether it was said already why there is nothing.
fn choice(fields: Fields<'_>, out: &mut Output<'_>) -> (Choice, bool) {
    if fields.value("winner_model_a").is_some() {
        return match FLAGS.map(|flag| fields.flag(flag) == Some(true)) {
            [true, false, false] => (Choice::One(0), false),
            [false, true, false] => (Choice::One(1), false),
            [false, false, true] => (Choice::Tie, false),
            [false, false, false] => (Choice::None, false),
            _ => {
                out.find(Rule::UnknownChoice, fields.line, FLAGS[0], "several winners");
                (Choice::None, true)
            }
        };
    }
    let Some(winner) = fields.text("winner", out) else {
        return (Choice::None, false);
    };
    match winner.trim().to_ascii_lowercase().as_str() {
        "model_a" | "a" => (Choice::One(0), false),
        "model_b" | "b" => (Choice::One(1), false),
        "tie" | "tie (bothbad)" | "both_bad" | "bothbad" => (Choice::Tie, false),
        _ => {
            out.find(Rule::UnknownChoice, fields.line, "winner", &winner);
            (Choice::None, true)
        }
    }
}

impl Parser for Arena {
    fn extra_columns(&self) -> &[ExtraColumn] {
        &self.extra
    }

    fn parse(&self, record: Record<'_, '_>, line: u64, out: &mut Output<'_>) {
        let object = as_object(record, &self.columns, line, out, Value::is_array);
        let fields = Fields { object: &object, line };
        let texts = SIDES.map(|side| {
            let start = if self.has_conversations { "conversation" } else { "response" };
            format!("{start}_{side}")
        });
        let lists = texts.each_ref().map(|column| list(fields, column, out));
        let prompts = list(fields, "prompt", out);
        let mut sides = [Vec::new(), Vec::new()];
        for ((side, said), column) in sides.iter_mut().zip(&lists).zip(&texts) {
            *side = if self.has_conversations {
                messages(said, line, column, out)
            } else {
                conversation(&prompts, said, column, line, out)
            };
        }
        let [first, second] = sides;
        let split = Split::new(first, second, "User");
        if split.is_early {
            out.find(Rule::EarlyDivergence, line, &texts[1], &split.prompt);
        }
        let answers = split.answers.into_iter().zip(SIDES).zip(&texts);
        let candidates: Vec<Candidate<'_>> = answers
            .map(|((answer, id), column)| Candidate {
                model: fields.text(&format!("model_{id}"), out),
                ..Candidate::new(id, cleaned(answer, line, column, out))
            })
            .collect();
        let (choice, is_said) = choice(fields, out);
        let order = fields.value(ORDER).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
        let id = self.id.and_then(|column| fields.id(column, out));
        let comparison = Comparison {
            conversation_id: id.unwrap_or_else(|| {
                Cow::Owned(made_id(line, &split.history, &split.prompt, &candidates))
            }),
            turn: order.filter(|n| *n > 0).unwrap_or_else(|| turn(&split.history)),
            history: split.history,
            prompt: split.prompt,
            candidates,
            choice,
            explanation: None,
            annotator_id: self.annotator.and_then(|column| fields.id(column, out)),
            language: fields.text("language", out),
            extra: self.extra.iter().map(|c| fields.raw(&c.name)).collect(),
            line,
        };
        emit(&comparison, &texts[0], (!is_said).then_some("winner"), out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use crate::Rule;
    use serde_json::{Value, json};

    fn said(texts: &[&str]) -> Value {
        let roles = ["user", "assistant"].into_iter().cycle();
        texts.iter().zip(roles).map(|(text, role)| json!({"role": role, "content": text})).collect()
    }

    fn row(a: &[&str], b: &[&str], winner: &str) -> String {
        json!({
            "question_id": "q1", "model_a": "m1", "model_b": "m2", "winner": winner, "judge": "u1",
            "conversation_a": said(a), "conversation_b": said(b), "turn": 1, "language": "English",
        })
        .to_string()
    }

    #[test]
    fn conversations_are_compared_where_they_part() {
        let (yes, no) = (&["Tea?", "Yes"], &["Tea?", "No"]);
        let text = [
            row(yes, no, "model_a"),
            row(yes, no, "tie (bothbad)"),
            row(yes, no, "both_bad"),
            row(yes, no, "left"),
            row(&["Tea?", "Yes", "So?", "So"], &["Tea?", "No", "So?", "No"], "model_b"),
        ];
        let tea = "1. [] Tea? (a=Yes@m1 b=No@m2)";
        let read = check(
            "chatbot-arena",
            "arena.jsonl",
            text.join("\n"),
            &[
                &format!("{tea} a"),
                &format!("{tea} tie"),
                &format!("{tea} tie"),
                &format!("{tea} none"),
                "1. [] Tea? (a=Yes\n\nUser: So?\n\nAssistant: So@m1 b=No\n\nUser: So?\n\nAssistant: No@m2) b",
            ],
            &[(Rule::UnknownChoice, 1), (Rule::EarlyDivergence, 1)],
        );
        assert_eq!(read.ids[1], "q1 u1 English 2");
        assert_eq!(read.extra[1], "winner:other=tie (bothbad) turn:other=1");
    }

    #[test]
    fn messages_may_come_in_parts() {
        let message = |role: &str, text: &str| json!({"role": role, "content": [{"type": "text", "text": text, "image": null}]});
        let text = json!({
            "id": "x", "model_a": "m1", "model_b": "m2", "winner": "model_b",
            "evaluation_session_id": "s1", "evaluation_order": 2, "full_conversation": [],
            "conversation_a": [message("user", "Tea?"), message("assistant", "Yes")],
            "conversation_b": [message("user", "Tea?"), message("assistant", "No")],
        });
        let expected = ["2. [] Tea? (a=Yes@m1 b=No@m2) b"];
        let read = check("chatbot-arena", "arena.jsonl", text.to_string(), &expected, &[]);
        assert_eq!(
            (read.ids[0].as_str(), read.extra[0].as_str()),
            ("s1 - - 1", "id:other=x winner:other=model_b")
        );
    }

    #[test]
    fn lists_in_cells_are_read() {
        let text = "id,model_a,model_b,prompt,response_a,response_b,winner_model_a,winner_model_b,winner_tie\n\
            7,m1,m2,\"[\"\"Hi\"\",\"\"Tea?\"\"]\",\"[\"\"Hello\"\",\"\"Yes\"\"]\",\"[\"\"Hello\"\",\"\"No\"\"]\",0,1,0\n\
            8,m1,m2,\"[\"\"Tea?\"\"]\",\"[null]\",\"[\"\"No\"\",\"\"x\"\"]\",0,0,1\n\
            9,m1,m2,\"[\"\"Tea?\"\"]\",\"[\"\"Yes\"\"]\",\"[\"\"No\"\"]\",1,1,0\n";
        check(
            "chatbot-arena",
            "arena.csv",
            text,
            &[
                "2. [user: Hi | assistant: Hello] Tea? (a=Yes@m1 b=No@m2) b",
                "1. [] Tea? (a=-@m1 b=No\n\nAssistant: x@m2) tie",
                "1. [] Tea? (a=Yes@m1 b=No@m2) none",
            ],
            &[
                (Rule::UnknownChoice, 1),
                (Rule::TypeMismatch, 1),
                (Rule::MissingCandidate, 1),
                (Rule::EarlyDivergence, 1),
            ],
        );
    }
}
