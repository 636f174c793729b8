//! Collective Alignment 1 (OpenAI 2025): people of many countries rank four answers to a prompt.
//!
//! `comparisons.jsonl` is read, and `annotators.jsonl` for who the annotators are; the merged file says both
//! and is read where there is nothing else. Each assessment is one comparison. Which answer people prefer
//! for themselves is the choice, and why is the explanation; their ranking for the world, what they find
//! unacceptable, and their ratings come along. A tie within a ranking ends it: from there on candidates are
//! left out, and several at the top are chosen alike. The rankings come along as they were written.

use super::fields::{Fields, emit, messages, mismatch, turn};
use super::people::{People, Said};
use super::ranking;
use super::transcript::{cleaned, prompt_of, rest};
use super::{ColumnRole, ExtraColumn, FormatError, Output, Parser, Part, Record, Sample, Source};
use crate::comparison::{Candidate, Choice, Comparison, Message};
use crate::finding::{Findings, Rule};
use serde_json::Value;
use std::borrow::Cow;

const ID: &str = "prompt_id";
const ANNOTATOR: &str = "annotator_id";
const BLOCKS: &str = "ranking_blocks";
const RESPONSES: &str = "responses";
const DEMOGRAPHICS: &str = "demographics";
/// What comes along from an assessment, before who the annotator is.
const SAID: [(&str, ColumnRole); 8] = [
    ("importance", ColumnRole::Group),
    ("representativeness", ColumnRole::Group),
    ("subjectivity", ColumnRole::Group),
    ("personal_ranking", ColumnRole::Other),
    ("world_ranking", ColumnRole::Other),
    ("world_rationale", ColumnRole::Other),
    ("unacceptable", ColumnRole::Other),
    ("unacceptable_rationale", ColumnRole::Other),
];

pub(super) fn recognises(sample: &Sample) -> Option<Part> {
    let has = |columns: &[&str]| columns.iter().all(|column| sample.has(column));
    let has_assessments =
        sample.first.get("metadata").is_some_and(|m| m.get("assessments").is_some());
    if has(&[ID, ANNOTATOR, BLOCKS]) {
        Some(Part::Second)
    } else if has(&[ID, RESPONSES, "metadata"]) && has_assessments {
        Some(Part::Main)
    } else if has(&[ANNOTATOR, DEMOGRAPHICS]) {
        Some(Part::Side)
    } else if sample.has(ID) && sample.columns.iter().any(|column| column.contains("rubric")) {
        Some(Part::Spare)
    } else {
        None
    }
}

pub(super) fn parser(source: &Source<'_>) -> Result<Box<dyn Parser>, FormatError> {
    let sample = source.sample;
    let is_merged = sample.has(BLOCKS);
    let required = if is_merged { [ID, ANNOTATOR] } else { [ID, RESPONSES] };
    if let Some(missing) = required.into_iter().find(|column| !sample.has(column)) {
        return Err(FormatError::Column(missing.to_owned()));
    }
    let people = People::read(source.sides, ANNOTATOR, demographics)?;
    let mut extra: Vec<ExtraColumn> = SAID
        .iter()
        .map(|(name, role)| ExtraColumn { name: (*name).to_owned(), role: *role })
        .collect();
    let is_own = |name: &str| {
        let own = [ID, ANNOTATOR, BLOCKS, RESPONSES, DEMOGRAPHICS, "prompt", "metadata"];
        own.contains(&name) || SAID.iter().any(|(said, _)| *said == name)
    };
    let others = sample.columns.iter().filter(|name| !is_own(name));
    extra.extend(others.map(|name| ExtraColumn { name: name.clone(), role: ColumnRole::Other }));
    let n_own = extra.len();
    if is_merged {
        let first = Fields { object: &sample.first, line: 1 };
        let said = demographics(first).into_iter();
        extra.extend(said.map(|(name, role, _)| ExtraColumn { name, role }));
    }
    let n_inner = extra.len();
    extra.extend(people.columns.iter().cloned());
    let has_texts = sample.has(RESPONSES);
    Ok(Box::new(Collective { extra, n_own, n_inner, people, has_texts }))
}

/// What is known about an annotator.
fn demographics(fields: Fields<'_>) -> Vec<Said> {
    let Some(inner) = fields.inner(DEMOGRAPHICS) else {
        return Vec::new();
    };
    let mut country =
        inner.object.keys().filter(|name| name.to_ascii_lowercase().contains("country"));
    let country = country.next();
    let role =
        |name| if Some(name) == country { ColumnRole::Country } else { ColumnRole::Demographic };
    let said = inner
        .object
        .keys()
        .map(|name| (name.clone(), role(name), inner.raw(name).map(Cow::into_owned)));
    said.collect()
}

struct Collective {
    extra: Vec<ExtraColumn>,
    /// Extra columns of the assessment and the record; then those that the record itself says about the
    /// annotator, up to `n_inner`; then those of the annotators' file.
    n_own: usize,
    n_inner: usize,
    people: People,
    has_texts: bool,
}

impl Parser for Collective {
    fn extra_columns(&self) -> &[ExtraColumn] {
        &self.extra
    }

    fn findings(&self) -> Findings {
        self.people.findings.clone()
    }

    fn parse(&self, record: Record<'_, '_>, line: u64, out: &mut Output<'_>) {
        let Record::Object(object) = record else {
            out.find(Rule::UnreadableRecord, line, ID, "a row of cells, where an object belongs");
            return;
        };
        let fields = Fields { object, line };
        let Some(conversation_id) = fields.id(ID, out) else {
            out.find(Rule::UnreadableRecord, line, ID, "no id");
            return;
        };
        let said = fields.inner("prompt").map_or(fields.value("prompt"), |p| p.value("messages"));
        let said = said.map_or_else(Vec::new, |list| messages(list, line, "prompt", out));
        let (history, prompt) = prompt_of(said);
        let mut comparison = Comparison {
            conversation_id,
            turn: turn(&history),
            history,
            prompt,
            candidates: candidates(fields, out),
            choice: Choice::None,
            explanation: None,
            annotator_id: None,
            language: None,
            extra: Vec::new(),
            line,
        };
        if fields.value(BLOCKS).is_some() {
            self.assessment(fields, fields, &mut comparison, out);
            return;
        }
        let assessments = fields.inner("metadata").map_or(&[][..], |m| m.list("assessments", out));
        if assessments.is_empty() {
            emit(&comparison, "prompt", Some("assessments"), out);
        }
        for item in assessments {
            match item {
                Value::Object(object) => {
                    self.assessment(fields, Fields { object, line }, &mut comparison, out);
                }
                other => mismatch(other, "an assessment", line, "assessments", out),
            }
        }
    }
}

impl Collective {
    /// Hands on what one person said.
    fn assessment<'r>(
        &'r self,
        fields: Fields<'r>,
        assessment: Fields<'r>,
        comparison: &mut Comparison<'r>,
        out: &mut Output<'_>,
    ) {
        let line = fields.line;
        let blocks = assessment.inner(BLOCKS);
        let mut block = |name| blocks.and_then(|blocks| first(blocks, name, out));
        let [personal, world, unacceptable] = ["personal", "world", "unacceptable"].map(&mut block);
        let raw = |block: Option<Fields<'r>>, key| block.and_then(|block| block.raw(key));
        let order = raw(personal, "ranking");
        if !self.has_texts {
            let world = raw(world, "ranking");
            let all = [&order, &world].map(|order| order.as_deref().unwrap_or(""));
            let mut ids: Vec<char> =
                all.concat().chars().filter(char::is_ascii_alphabetic).collect();
            ids.sort_unstable();
            ids.dedup();
            let ids = ids.into_iter().map(String::from);
            comparison.candidates = ids.map(|id| Candidate::new(id, None)).collect();
        }
        let position = |name: &str| comparison.candidates.iter().position(|c| c.id == name);
        let tiers = ranking::tiers(order.as_deref().unwrap_or(""), position);
        let is_known = tiers.is_ok();
        comparison.choice = match tiers {
            Ok(tiers) => ranking::of_tiers(&tiers),
            Err(name) => {
                out.find(Rule::UnknownChoice, line, "ranking", name);
                Choice::None
            }
        };
        comparison.explanation = personal.and_then(|block| block.text("rationale", out));
        comparison.annotator_id = assessment.id(ANNOTATOR, out);
        let rating = unacceptable.and_then(|block| block.value("rating"));
        let rating = rating.map(|rating| match rating {
            Value::Array(ids) => {
                Cow::Owned(ids.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","))
            }
            other => super::fields::raw(other).unwrap_or_default(),
        });
        comparison.extra = SAID[..3].iter().map(|(name, _)| assessment.raw(name)).collect();
        comparison.extra.extend([
            order.clone(),
            raw(world, "ranking"),
            raw(world, "rationale"),
            rating.filter(|rating| !rating.is_empty()),
            raw(unacceptable, "rationale"),
        ]);
        let others = self.extra[SAID.len()..self.n_own].iter();
        comparison.extra.extend(others.map(|c| fields.raw(&c.name)));
        let inner = assessment.inner(DEMOGRAPHICS);
        let known = self.extra[self.n_own..self.n_inner].iter();
        comparison.extra.extend(known.map(|c| inner.and_then(|inner| inner.raw(&c.name))));
        let id = comparison.annotator_id.as_deref();
        let people = self.people.of(id, line, ANNOTATOR, out);
        comparison.extra.extend(people.map(|value| value.map(Cow::Borrowed)));
        if self.has_texts {
            emit(comparison, "prompt", is_known.then_some("ranking"), out);
        } else {
            if is_known && comparison.choice == Choice::None {
                out.find(Rule::NoChoice, line, "ranking", "");
            }
            (out.emit)(comparison);
        }
    }
}

/// The first of what somebody said under a name: there should be one.
fn first<'r>(blocks: Fields<'r>, name: &str, out: &mut Output<'_>) -> Option<Fields<'r>> {
    let all = blocks.list(name, out);
    if all.len() > 1 {
        let what = format!("{} rankings, the first is read", all.len());
        out.find(Rule::TypeMismatch, blocks.line, name, &what);
    }
    Some(Fields { object: all.first()?.as_object()?, line: blocks.line })
}

/// The answers, each a list of messages.
fn candidates<'r>(fields: Fields<'r>, out: &mut Output<'_>) -> Vec<Candidate<'r>> {
    let line = fields.line;
    let mut candidates = Vec::new();
    for (i, item) in fields.list(RESPONSES, out).iter().enumerate() {
        let Value::Object(object) = item else {
            mismatch(item, "a response", line, RESPONSES, out);
            continue;
        };
        let response = Fields { object, line };
        let said: Vec<Message<'r>> =
            response.value("messages").map_or_else(Vec::new, |m| messages(m, line, RESPONSES, out));
        let id = response.raw("response_index").unwrap_or_else(|| super::fields::letter(i));
        candidates.push(Candidate {
            model: response.text("model", out),
            ..Candidate::new(id, cleaned(rest(said, "User"), line, RESPONSES, out))
        });
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::super::testing::read;
    use crate::{OpenError, OpenOptions, Rule};

    const COMPARISONS: &str = r#"{"prompt_id": "p1", "prompt": {"id": "p1", "messages": [{"role": "developer", "content": "Be kind."}, {"role": "user", "content": "Tea?"}]}, "responses": [{"response_index": "A", "messages": [{"role": "assistant", "content": "Yes"}]}, {"response_index": "B", "messages": [{"role": "assistant", "content": "No"}]}, {"response_index": "C", "messages": []}], "metadata": {"assessments": [{"annotator_id": "u1", "importance": "High", "ranking_blocks": {"personal": [{"ranking": "B>A>C", "rationale": "cold"}], "world": [{"ranking": "A>B=C", "rationale": "warm"}], "unacceptable": [{"rating": ["C"], "rationale": "empty"}]}}, {"annotator_id": "u2", "ranking_blocks": {"personal": [{"ranking": "A=B>C"}], "world": []}}, {"annotator_id": "u3", "ranking_blocks": {"personal": [{"ranking": "A>D"}]}}, {"annotator_id": "u3", "ranking_blocks": {}}]}}"#;
    const ANNOTATORS: &str = r#"{"annotator_id": "u1", "demographics": {"age": "25-34", "country_of_residence": "Italy"}, "assessments": []}
{"annotator_id": "u2", "demographics": {"age": "35-44"}, "assessments": []}"#;
    const MERGED: &str = r#"{"prompt_id": "p1", "annotator_id": "u1", "importance": "High", "demographics": {"age": "25-34"}, "ranking_blocks": {"personal": [{"ranking": "B>A=C"}], "world": [{"ranking": "A>B=C"}]}}"#;

    #[test]
    fn each_assessment_is_a_comparison() {
        let files = [
            ("annotators.jsonl", ANNOTATORS),
            ("comparisons.jsonl", COMPARISONS),
            ("merged.jsonl", MERGED),
        ];
        let read = read(&files, &OpenOptions::default()).expect("readable");
        assert_eq!(read.format, "collective-alignment");
        let tea = "1. [system: Be kind.] Tea? (A=Yes B=No C=-)";
        assert_eq!(
            read.comparisons,
            [
                format!("{tea} B>A>C because cold"),
                format!("{tea} A+B"),
                format!("{tea} none"),
                format!("{tea} none"),
            ]
        );
        assert_eq!(
            read.found(),
            [
                (Rule::UnknownChoice, 1),
                (Rule::MissingCandidate, 4),
                (Rule::UnknownAnnotator, 2),
                (Rule::NoChoice, 1),
            ]
        );
        assert_eq!(
            read.extra[0],
            "importance:group=High personal_ranking:other=B>A>C world_ranking:other=A>B=C \
             world_rationale:other=warm unacceptable:other=C unacceptable_rationale:other=empty \
             age:demographic=25-34 country_of_residence:country=Italy"
        );
        assert_eq!(read.extra[1], "personal_ranking:other=A=B>C age:demographic=35-44");
        assert_eq!(read.ids[1], "p1 u2 - 1");
    }

    #[test]
    fn the_merged_file_alone_is_read() {
        let read = read(&[("merged.jsonl", MERGED)], &OpenOptions::default()).expect("readable");
        assert_eq!(read.comparisons, ["1. []  (A=- B=- C=-) B"]);
        assert_eq!(
            read.extra,
            [
                "importance:group=High personal_ranking:other=B>A=C world_ranking:other=A>B=C age:demographic=25-34"
            ]
        );
        assert!(read.found().is_empty());
    }

    #[test]
    fn annotators_alone_ask_for_the_comparisons() {
        let error = read(&[("annotators.jsonl", ANNOTATORS)], &OpenOptions::default()).err();
        let Some(error @ OpenError::NoMain { .. }) = error else {
            panic!("no error");
        };
        assert!(error.to_string().ends_with("give `comparisons.jsonl` too"), "{error}");
    }
}
