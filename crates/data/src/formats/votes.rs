//! Comparisons with counts of votes: as if each vote were a comparison by somebody unknown.
//!
//! Files have the set's id, and for each candidate the number of people who chose it: `votes` as an object
//! by candidate, or columns `choice_a`, `choice_b` and so on (also `votes_a`). Texts may be there
//! (`prompt`, and `responses` by candidate or columns `response_a`) or not: agreement needs none.

use super::fields::{Fields, as_object, number, text};
use super::{ColumnRole, ExtraColumn, FormatError, Output, Parser, Part, Record, Sample, Source};
use crate::comparison::{Candidate, Choice, Comparison};
use crate::finding::Rule;
use serde_json::Value;

const IDS: [&str; 6] = [
    "set_id",
    "comparison_id",
    "comparison_hash",
    "comparison_hash_prefix8",
    "conversation_id",
    "id",
];
const LANGUAGES: [&str; 4] = ["assigned_lang", "language", "languages", "lang"];
const COUNTS: [&str; 2] = ["choice_", "votes_"];
/// More votes than this in one set are taken for a mistake.
const MOST_VOTES: f64 = 1e6;

/// The candidate whose votes a column counts.
fn counted(column: &str) -> Option<&str> {
    let rest = COUNTS.iter().find_map(|start| column.strip_prefix(start))?;
    (rest.len() == 1 && rest.as_bytes()[0].is_ascii_alphabetic()).then_some(rest)
}

fn first_of<'n>(sample: &Sample, names: &[&'n str]) -> Option<&'n str> {
    names.iter().copied().find(|name| sample.has(name))
}

pub(super) fn recognises(sample: &Sample) -> Option<Part> {
    let by_object = sample.first.get("votes").is_some_and(Value::is_object);
    let by_column = sample.columns.iter().filter(|c| counted(c).is_some()).count() > 1;
    (first_of(sample, &IDS).is_some() && (by_object || by_column)).then_some(Part::Main)
}

pub(super) fn parser(source: &Source<'_>) -> Result<Box<dyn Parser>, FormatError> {
    let sample = source.sample;
    let id = first_of(sample, &IDS).ok_or_else(|| FormatError::Column("set_id".to_owned()))?;
    let counts: Vec<(String, String)> = sample
        .columns
        .iter()
        .filter_map(|column| Some((counted(column)?.to_owned(), column.clone())))
        .collect();
    if counts.is_empty() && !sample.has("votes") {
        return Err(FormatError::Column("votes".to_owned()));
    }
    let language = first_of(sample, &LANGUAGES);
    let response = |column: &str| {
        column.strip_prefix("response_").is_some_and(|rest| counts.iter().any(|(id, _)| id == rest))
    };
    let is_own = |column: &String| {
        column == id
            || Some(column.as_str()) == language
            || ["prompt", "responses", "votes"].contains(&column.as_str())
            || counted(column).is_some()
            || response(column)
    };
    let extra = sample.columns.iter().filter(|column| !is_own(column));
    let extra = extra
        .map(|name| ExtraColumn { name: name.clone(), role: ColumnRole::guess(name) })
        .collect();
    let has_texts = sample.has("prompt") || sample.has("responses");
    let columns = sample.columns.clone();
    Ok(Box::new(Votes { id, language, counts, has_texts, extra, columns }))
}

struct Votes {
    id: &'static str,
    language: Option<&'static str>,
    /// Candidates with the columns that count their votes; none where one column holds all.
    counts: Vec<(String, String)>,
    has_texts: bool,
    extra: Vec<ExtraColumn>,
    columns: Vec<String>,
}

impl Votes {
    /// The candidates, each with its votes.
    fn counted<'r>(
        &'r self,
        fields: Fields<'r>,
        out: &mut Output<'_>,
    ) -> Vec<(Candidate<'r>, Option<f64>)> {
        let line = fields.line;
        if let Some(votes) = fields.inner("votes") {
            let responses = fields.inner("responses");
            let more = responses.iter().flat_map(|responses| responses.object.keys());
            let mut ids: Vec<&str> = more.map(String::as_str).collect();
            ids.extend(
                votes
                    .object
                    .keys()
                    .map(String::as_str)
                    .filter(|id| !ids.contains(id))
                    .collect::<Vec<_>>(),
            );
            let one = |id| {
                let said = responses.and_then(|r| text(r.object.get(id)?, line, "responses", out));
                let n = votes.object.get(id).and_then(|n| number(n, line, "votes", out));
                (Candidate::new(id, said), n)
            };
            return ids.into_iter().map(one).collect();
        }
        let one = |(id, column): &'r (String, String)| {
            let said = fields.text(&format!("response_{id}"), out);
            (Candidate::new(id.as_str(), said), fields.number(column, out))
        };
        self.counts.iter().map(one).collect()
    }
}

impl Parser for Votes {
    fn extra_columns(&self) -> &[ExtraColumn] {
        &self.extra
    }

    fn parse(&self, record: Record<'_, '_>, line: u64, out: &mut Output<'_>) {
        let object = as_object(record, &self.columns, line, out, Value::is_object);
        let fields = Fields { object: &object, line };
        let Some(conversation_id) = fields.id(self.id, out) else {
            out.find(Rule::UnreadableRecord, line, self.id, "no id");
            return;
        };
        let (candidates, votes): (Vec<_>, Vec<_>) = self.counted(fields, out).into_iter().unzip();
        let mut comparison = Comparison {
            conversation_id,
            turn: 1,
            history: Vec::new(),
            prompt: fields.text("prompt", out).unwrap_or_default(),
            candidates,
            choice: Choice::None,
            explanation: None,
            annotator_id: None,
            language: self.language.and_then(|column| fields.text(column, out)),
            extra: self.extra.iter().map(|c| fields.raw(&c.name)).collect(),
            line,
        };
        if self.has_texts {
            if comparison.prompt.is_empty() {
                out.find(Rule::EmptyPrompt, line, "prompt", "");
            }
            let n_texts = comparison.candidates.iter().filter(|c| c.text.is_some()).count();
            if n_texts < comparison.candidates.len() {
                let what = format!("{n_texts} of {} candidates", comparison.candidates.len());
                out.find(Rule::MissingCandidate, line, "responses", &what);
            }
        }
        let mut n_votes = 0;
        for (i, n) in votes.into_iter().enumerate() {
            let n = n.unwrap_or(0.0);
            if !(0.0..=MOST_VOTES).contains(&n) || n.fract() != 0.0 {
                let id = &comparison.candidates[i].id;
                let what = format!("{n} votes for {id}, where a count belongs");
                out.find(Rule::TypeMismatch, line, "votes", &what);
                continue;
            }
            if n > 0.0 && self.has_texts && comparison.candidates[i].text.is_none() {
                out.find(Rule::ChoiceWithoutText, line, "votes", &comparison.candidates[i].id);
            }
            comparison.choice = Choice::One(i);
            for _ in 0..n as u64 {
                (out.emit)(&comparison);
                n_votes += 1;
            }
        }
        if n_votes == 0 {
            out.find(Rule::NoChoice, line, "votes", "");
            comparison.choice = Choice::None;
            (out.emit)(&comparison);
        }
        if let Some(n) = fields.number("n_rows", out).filter(|n| *n != f64::from(n_votes)) {
            let what = format!("{n} rows, {n_votes} votes");
            out.find(Rule::UnreadableRecord, line, "n_rows", &what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, read_path, shared};
    use crate::{OpenOptions, Rule};

    #[test]
    fn each_vote_is_a_comparison() {
        let text = r#"{"set_id": "s1", "assigned_lang": "en", "prompt": "Tea?", "responses": {"a": "Yes", "b": "No"}, "votes": {"a": 2, "b": 1}, "annotators": 3}
{"set_id": "s2", "assigned_lang": "fr", "prompt": "", "responses": {"a": "Oui", "b": ""}, "votes": {"a": 0, "b": "1", "c": -1}}
{"set_id": "s3", "prompt": "x", "responses": {"a": "1", "b": "2"}, "votes": {}}
{"votes": {"a": 1}}"#;
        let tea = "1. [] Tea? (a=Yes b=No)";
        let read = check(
            "votes",
            "sets.jsonl",
            text,
            &[
                &format!("{tea} a"),
                &format!("{tea} a"),
                &format!("{tea} b"),
                "1. []  (a=Oui b=- c=-) b",
                "1. [] x (a=1 b=2) none",
            ],
            &[
                (Rule::UnreadableRecord, 1),
                (Rule::EmptyPrompt, 1),
                (Rule::ChoiceWithoutText, 1),
                (Rule::TypeMismatch, 1),
                (Rule::MissingCandidate, 1),
                (Rule::NoChoice, 1),
            ],
        );
        assert_eq!(read.ids, ["s1 - en 1", "s1 - en 1", "s1 - en 1", "s2 - fr 2", "s3 - - 3"]);
        assert_eq!(read.extra[0], "annotators:other=3");
    }

    #[test]
    fn the_real_samples_have_609_and_1176_votes() {
        for (file, n) in [("choice_sets_50.jsonl", 609), ("comparison_votes_sample.csv", 1_176)] {
            let Some(file) = shared(&format!("data/community-alignment/{file}")) else {
                continue;
            };
            let read = read_path(&file, &OpenOptions::default()).expect("readable");
            assert_eq!((read.format, read.comparisons.len()), ("votes", n));
            assert!(read.findings.is_empty(), "{:?}", read.findings);
        }
    }

    #[test]
    fn counts_in_columns_need_no_texts() {
        let text = "comparison_hash_prefix8,n_rows,choice_a,choice_b,languages\nff01,2,1,1,it\n0e10,3,2,0,pt\n";
        let read = check(
            "votes",
            "votes.csv",
            text,
            &[
                "1. []  (a=- b=-) a",
                "1. []  (a=- b=-) b",
                "1. []  (a=- b=-) a",
                "1. []  (a=- b=-) a",
            ],
            &[(Rule::UnreadableRecord, 1)],
        );
        assert_eq!(read.ids, ["ff01 - it 2", "ff01 - it 2", "0e10 - pt 3", "0e10 - pt 3"]);
        assert_eq!(read.extra[3], "n_rows:other=3");
    }
}
