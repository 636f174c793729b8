//! PRISM (Kirk et al. 2024): conversations in which each answer has a score, and a survey of the annotators.
//!
//! `conversations.jsonl` is read, and `survey.jsonl` for who the annotators are; `utterances.jsonl` says the
//! same as the conversations without their order, and `metadata.jsonl` nothing that is needed. Turns count
//! from 1 here, from 0 there. The history follows the answers that the file marks, since the conversations
//! went on from them, whatever the rule for scores. The feedback on a whole conversation is the explanation
//! of its last turn.

use super::fields::{Fields, as_object, emit, letter, mismatch, number, text};
use super::people::{People, Said};
use super::{ColumnRole, ExtraColumn, FormatError, Output, Parser, Part, Record, Sample, Source};
use crate::choice_rule::ChoiceRule;
use crate::comparison::{Candidate, Choice, Comparison, Message, Role};
use crate::finding::{Findings, Rule};
use serde_json::Value;
use std::borrow::Cow;

const HISTORY: &str = "conversation_history";
/// What the survey says about annotators, as in the codebook; a name may stand for an object's field.
const SURVEY: [(&str, ColumnRole); 17] = [
    ("location_reside_country", ColumnRole::Country),
    ("location_birth_country", ColumnRole::Demographic),
    ("location_special_region", ColumnRole::Demographic),
    ("age", ColumnRole::Demographic),
    ("gender", ColumnRole::Demographic),
    ("education", ColumnRole::Demographic),
    ("employment_status", ColumnRole::Demographic),
    ("marital_status", ColumnRole::Demographic),
    ("english_proficiency", ColumnRole::Demographic),
    ("religion_simplified", ColumnRole::Demographic),
    ("ethnicity_simplified", ColumnRole::Demographic),
    ("study_locale", ColumnRole::Demographic),
    ("lm_familiarity", ColumnRole::Demographic),
    ("lm_direct_use", ColumnRole::Demographic),
    ("lm_indirect_use", ColumnRole::Demographic),
    ("lm_frequency_use", ColumnRole::Demographic),
    ("included_in_US_REP", ColumnRole::Other),
];

pub(super) fn recognises(sample: &Sample) -> Option<Part> {
    let has = |columns: &[&str]| columns.iter().all(|column| sample.has(column));
    if has(&["conversation_id", "user_id", HISTORY]) {
        Some(Part::Main)
    } else if has(&["user_id", "lm_familiarity"]) || has(&["user_id", "study_locale"]) {
        Some(Part::Side)
    } else if has(&["utterance_id", "user_prompt", "model_response"])
        || has(&["column_id", "user_id", "pii_flag"])
    {
        Some(Part::Spare)
    } else {
        None
    }
}

pub(super) fn parser(source: &Source<'_>) -> Result<Box<dyn Parser>, FormatError> {
    let sample = source.sample;
    for column in ["conversation_id", "user_id", HISTORY] {
        if !sample.has(column) {
            return Err(FormatError::Column(column.to_owned()));
        }
    }
    let people = People::read(source.sides, "user_id", survey)?;
    let is_own = |name: &str| {
        ["conversation_id", "user_id", HISTORY, "opening_prompt", "open_feedback"].contains(&name)
    };
    let mut extra: Vec<ExtraColumn> = sample
        .columns
        .iter()
        .filter(|name| !is_own(name))
        .map(|name| ExtraColumn { name: name.clone(), role: role(name) })
        .collect();
    let n_own = extra.len();
    extra.extend(people.columns.iter().cloned());
    let rule = source.options.choice_rule;
    Ok(Box::new(Prism { columns: sample.columns.clone(), extra, n_own, people, rule }))
}

fn role(column: &str) -> ColumnRole {
    match column {
        "conversation_type" | "included_in_balanced_subset" => ColumnRole::Group,
        _ => ColumnRole::Other,
    }
}

/// What a row of the survey says.
fn survey(fields: Fields<'_>) -> Vec<Said> {
    let said = |(name, role): &(&str, ColumnRole)| {
        let inner = || {
            let (object, key) = name.split_once('_')?;
            fields.inner(object)?.raw(key)
        };
        let value = fields.raw(name).or_else(inner);
        ((*name).to_owned(), *role, value.map(Cow::into_owned))
    };
    let all = SURVEY.iter().map(said);
    all.filter(|(name, _, value)| value.is_some() || fields.object.contains_key(name)).collect()
}

struct Prism {
    columns: Vec<String>,
    extra: Vec<ExtraColumn>,
    /// Extra columns that are the conversation's; those after them are the annotator's.
    n_own: usize,
    people: People,
    rule: ChoiceRule,
}

/// A turn of the conversation.
struct Turn<'r> {
    /// Its number in the file.
    number: Option<f64>,
    prompt: Option<Cow<'r, str>>,
    candidates: Vec<Candidate<'r>>,
    /// The candidates that the file marks as chosen.
    marked: Vec<usize>,
}

/// The turns of a history: each begins with a message of the person.
fn turns<'r>(history: &'r [Value], line: u64, out: &mut Output<'_>) -> Vec<Turn<'r>> {
    let mut turns: Vec<Turn<'r>> = Vec::new();
    for item in history {
        let Value::Object(object) = item else {
            mismatch(item, "a message", line, HISTORY, out);
            continue;
        };
        let fields = Fields { object, line };
        let number = fields.object.get("turn").and_then(|n| number(n, line, "turn", out));
        let said = fields.object.get("content").and_then(|v| text(v, line, HISTORY, out));
        let role = fields.value("role").and_then(Value::as_str).unwrap_or_default();
        let is_person = Role::from_id(role) == Role::User;
        let is_new = turns.last().is_none_or(|turn| number.is_some() && turn.number != number);
        if is_person || is_new {
            let prompt = None;
            turns.push(Turn { number, prompt, candidates: Vec::new(), marked: Vec::new() });
        }
        let Some(turn) = turns.last_mut() else {
            continue;
        };
        if is_person {
            turn.prompt = said;
            continue;
        }
        let position = turn.candidates.len();
        if fields.flag("if_chosen") == Some(true) {
            turn.marked.push(position);
        }
        turn.candidates.push(Candidate {
            model: fields.text("model_name", out),
            score: fields.number("score", out),
            ..Candidate::new(letter(position), said)
        });
    }
    turns
}

impl Parser for Prism {
    fn extra_columns(&self) -> &[ExtraColumn] {
        &self.extra
    }

    fn findings(&self) -> Findings {
        self.people.findings.clone()
    }

    fn parse(&self, record: Record<'_, '_>, line: u64, out: &mut Output<'_>) {
        let object = as_object(record, &self.columns, line, out, Value::is_array);
        let fields = Fields { object: &object, line };
        let Some(conversation_id) = fields.id("conversation_id", out) else {
            out.find(Rule::UnreadableRecord, line, "conversation_id", "no id");
            return;
        };
        let annotator_id = fields.id("user_id", out);
        let mut extra: Vec<Option<Cow<'_, str>>> =
            self.extra[..self.n_own].iter().map(|c| fields.raw(&c.name)).collect();
        let known = self.people.of(annotator_id.as_deref(), line, "user_id", out);
        extra.extend(known.map(|value| value.map(Cow::Borrowed)));
        let mut feedback = fields.text("open_feedback", out);
        let turns = turns(fields.list(HISTORY, out), line, out);
        if turns.is_empty() {
            out.find(Rule::UnreadableRecord, line, HISTORY, "a conversation without a turn");
        }
        let mut comparison = Comparison {
            conversation_id,
            turn: 0,
            history: Vec::new(),
            prompt: Cow::Borrowed(""),
            candidates: Vec::new(),
            choice: Choice::None,
            explanation: None,
            annotator_id,
            language: None,
            extra,
            line,
        };
        let n_turns = turns.len();
        for (i, turn) in turns.into_iter().enumerate() {
            let before = comparison.turn;
            comparison.turn = match turn.number {
                Some(n) if n >= 0.0 && n.fract() == 0.0 && n < f64::from(u32::MAX) => n as u32 + 1,
                _ => before + 1,
            };
            if comparison.turn != before + 1 {
                let what = format!("turn {} follows turn {before}", comparison.turn);
                out.find(Rule::TurnGap, line, HISTORY, &what);
            }
            comparison.prompt = turn.prompt.unwrap_or_default();
            comparison.candidates = turn.candidates;
            let scores: Vec<Option<f64>> = comparison.candidates.iter().map(|c| c.score).collect();
            comparison.choice = self.rule.choose(&scores, &turn.marked);
            comparison.explanation = if i + 1 == n_turns { feedback.take() } else { None };
            emit(&comparison, HISTORY, Some(HISTORY), out);
            let text = std::mem::take(&mut comparison.prompt);
            comparison.history.push(Message { role: Role::User, text });
            let path = turn.marked.first().or(comparison.choice.chosen().first()).copied();
            if let Some(text) = path.and_then(|path| comparison.candidates.swap_remove(path).text) {
                comparison.history.push(Message { role: Role::Assistant, text });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::read;
    use crate::{ChoiceRule, OpenError, OpenOptions, Rule};
    use serde_json::json;

    fn conversation(id: &str, user: &str) -> String {
        let model = |turn: u32, name: &str, text: &str, score: u32, chosen: bool| {
            json!({"turn": turn, "role": "model", "content": text, "model_name": name,
                "model_provider": "p", "score": score, "if_chosen": chosen, "within_turn_id": 0})
        };
        json!({
            "conversation_id": id, "user_id": user, "conversation_type": "unguided",
            "opening_prompt": "Tea?", "conversation_turns": 2,
            "conversation_history": [
                {"turn": 0, "role": "user", "content": "Tea?"},
                model(0, "m1", "Yes", 80, false),
                model(0, "m2", "No", 82, true),
                model(0, "m3", "EMPTY STRING", 1, false),
                {"turn": 1, "role": "user", "content": "Why?"},
                model(1, "m2", "So", 50, true),
                model(1, "m2", "Thus", 50, true),
            ],
            "performance_attributes": {"fluency": 90},
            "open_feedback": "Fine.",
        })
        .to_string()
    }

    const SURVEY: &str = r#"{"user_id": "u1", "lm_familiarity": "Very familiar", "age": "18-24 years old", "religion": {"simplified": "Other", "categorised": "x"}, "location": {"reside_country": "Italy"}, "study_locale": "it"}
{"user_id": "u1", "age": "again"}
{"age": "nobody"}"#;

    #[test]
    fn conversations_are_read_with_the_survey() {
        let text = format!("{}\n{}", conversation("c1", "u1"), conversation("c2", "u2"));
        let files = [
            ("conversations.jsonl", text.as_str()),
            ("metadata.jsonl", r#"{"column_id": "x", "user_id": "u1", "pii_flag": false}"#),
            ("survey.jsonl", SURVEY),
            (
                "utterances.jsonl",
                r#"{"utterance_id": "x", "user_prompt": "u", "model_response": "m"}"#,
            ),
        ];
        let first = |chosen: &str| format!("1. [] Tea? (a=Yes@m1#80 b=No@m2#82 c=-@m3#1) {chosen}");
        let second = "2. [user: Tea? | assistant: No] Why? (a=So@m2#50 b=Thus@m2#50)";
        for (rule, choices) in [
            (ChoiceRule::Marked, ["b", "a+b"]),
            (ChoiceRule::Highest, ["b", "a+b"]),
            (ChoiceRule::Margin(5.0), ["tie", "tie"]),
            (ChoiceRule::Scores, ["scores", "scores"]),
        ] {
            let options = OpenOptions { choice_rule: rule, ..OpenOptions::default() };
            let read = read(&files, &options).expect("readable");
            assert_eq!(read.format, "prism");
            let both = [first(choices[0]), format!("{second} {} because Fine.", choices[1])];
            assert_eq!(read.comparisons, [&both[..], &both[..]].concat());
            assert_eq!(
                read.found(),
                [
                    (Rule::UnreadableRecord, 1),
                    (Rule::MissingCandidate, 2),
                    (Rule::Sentinel, 2),
                    (Rule::UnknownAnnotator, 2),
                ]
            );
            assert_eq!(read.ids[1], "c1 u1 - 1");
            assert_eq!(
                read.extra[0],
                "conversation_type:group=unguided conversation_turns:other=2 \
                 performance_attributes:other={\"fluency\":90} location_reside_country:country=Italy \
                 age:demographic=18-24 years old religion_simplified:demographic=Other \
                 study_locale:demographic=it lm_familiarity:demographic=Very familiar"
            );
            assert!(!read.extra[2].contains("Italy"));
        }
    }

    #[test]
    fn turns_that_are_missing_are_reported() {
        let text = r#"{"conversation_id": 1, "user_id": "u", "conversation_history": [{"turn": 2, "role": "model", "content": "x", "score": "n/a", "if_chosen": false}, 7]}
{"conversation_id": 2, "user_id": "u", "conversation_history": []}"#;
        let read =
            read(&[("conversations.jsonl", text)], &OpenOptions::default()).expect("readable");
        assert_eq!(read.comparisons, ["3. []  (a=x) none"]);
        assert_eq!(
            read.found(),
            [
                (Rule::UnreadableRecord, 1),
                (Rule::EmptyPrompt, 1),
                (Rule::TypeMismatch, 1),
                (Rule::TurnGap, 1),
                (Rule::NoChoice, 1),
            ]
        );
    }

    #[test]
    fn utterances_alone_ask_for_the_conversations() {
        let text = r#"{"utterance_id": "x", "user_prompt": "u", "model_response": "m"}"#;
        let error = read(&[("utterances.jsonl", text)], &OpenOptions::default()).err();
        let Some(error @ OpenError::NoMain { .. }) = error else {
            panic!("no error");
        };
        assert!(error.to_string().ends_with("give `conversations.jsonl` too"), "{error}");
    }
}
