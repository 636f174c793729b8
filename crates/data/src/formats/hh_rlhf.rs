//! HH-RLHF (Bai et al. 2022): pairs of transcripts, each with the marks of its speakers.
//!
//! What both transcripts have is the history and the prompt; the last answers are the candidates. Where the
//! transcripts part earlier, the candidates are the whole rests, with the marks in them.

use super::fields::{Fields, as_object, emit, made_id, turn};
use super::transcript::{Split, cleaned, is_marked, marked};
use super::{ColumnRole, ExtraColumn, FormatError, Output, Parser, Part, Record, Sample, Source};
use crate::comparison::{Candidate, Choice, Comparison};
use crate::finding::Rule;
use serde_json::Value;
use std::borrow::Cow;

const CHOSEN: &str = "chosen";
const REJECTED: &str = "rejected";

pub(super) fn recognises(sample: &Sample) -> Option<Part> {
    let is_transcript =
        |column| sample.first.get(column).and_then(Value::as_str).is_some_and(is_marked);
    (is_transcript(CHOSEN) && is_transcript(REJECTED)).then_some(Part::Main)
}

pub(super) fn parser(source: &Source<'_>) -> Result<Box<dyn Parser>, FormatError> {
    let columns = source.sample.columns.clone();
    for column in [CHOSEN, REJECTED] {
        if !source.sample.has(column) {
            return Err(FormatError::Column(column.to_owned()));
        }
    }
    let others = columns.iter().filter(|name| *name != CHOSEN && *name != REJECTED);
    let extra =
        others.map(|name| ExtraColumn { name: name.clone(), role: ColumnRole::guess(name) });
    let extra = extra.collect();
    Ok(Box::new(HhRlhf { columns, extra }))
}

struct HhRlhf {
    columns: Vec<String>,
    extra: Vec<ExtraColumn>,
}

impl Parser for HhRlhf {
    fn extra_columns(&self) -> &[ExtraColumn] {
        &self.extra
    }

    fn parse(&self, record: Record<'_, '_>, line: u64, out: &mut Output<'_>) {
        let object = as_object(record, &self.columns, line, out, |_| false);
        let fields = Fields { object: &object, line };
        let [chosen, rejected] =
            [CHOSEN, REJECTED].map(|column| transcript(fields, column, out).unwrap_or_default());
        let split = Split::new(marked(chosen), marked(rejected), "Human");
        if split.is_early {
            out.find(Rule::EarlyDivergence, line, REJECTED, &split.prompt);
        }
        let [chosen, rejected] = split.answers;
        let candidates = vec![
            Candidate::new(CHOSEN, cleaned(chosen, line, CHOSEN, out)),
            Candidate::new(REJECTED, cleaned(rejected, line, REJECTED, out)),
        ];
        let comparison = Comparison {
            conversation_id: Cow::Owned(made_id(line, &split.history, &split.prompt, &candidates)),
            turn: turn(&split.history),
            history: split.history,
            prompt: split.prompt,
            candidates,
            choice: Choice::One(0),
            explanation: None,
            annotator_id: None,
            language: None,
            extra: self.extra.iter().map(|c| fields.raw(&c.name)).collect(),
            line,
        };
        emit(&comparison, CHOSEN, Some(CHOSEN), out);
    }
}

/// The text of a transcript, not yet cleaned: it is told apart first.
fn transcript<'r>(fields: Fields<'r>, column: &str, out: &mut Output<'_>) -> Option<&'r str> {
    match fields.value(column)? {
        Value::String(text) => Some(text),
        other => {
            super::fields::mismatch(other, "a transcript", fields.line, column, out);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, read_path, shared};
    use super::*;
    use crate::OpenOptions;

    fn row(chosen: &str, rejected: &str) -> String {
        serde_json::json!({"chosen": chosen, "rejected": rejected}).to_string()
    }

    #[test]
    fn transcripts_become_history_prompt_and_answers() {
        let start = "\n\nHuman: Tea?\n\nAssistant: Yes.\n\nHuman: Why?\n\nAssistant:";
        let text = [
            row(&format!("{start} It is warm."), &format!("{start} No idea.")),
            row(&format!("{start} Same."), &format!("{start} Same.")),
            row(
                "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: d",
                "\n\nHuman: a\n\nAssistant: e",
            ),
            row(&format!("{start} Good.<|endoftext|>"), start),
        ];
        let history = "[user: Tea? | assistant: Yes.] Why?";
        let read = check(
            "hh-rlhf",
            "pairs.jsonl",
            text.join("\n"),
            &[
                &format!("2. {history} (chosen=It is warm. rejected=No idea.) chosen"),
                &format!("2. {history} (chosen=Same. rejected=Same.) chosen"),
                "1. [] a (chosen=b\n\nHuman: c\n\nAssistant: d rejected=e) chosen",
                &format!("2. {history} (chosen=Good. rejected=-) chosen"),
            ],
            &[(Rule::MissingCandidate, 1), (Rule::EndOfText, 1), (Rule::EarlyDivergence, 1)],
        );
        assert!(read.ids[2].ends_with(" - - 3"), "{}", read.ids[2]);
    }

    #[test]
    fn what_is_no_transcript_is_reported() {
        let text = [
            row("\n\nHuman: a\n\nAssistant: b", "\n\nHuman: a\n\nAssistant: c"),
            r#"{"chosen": ["x"], "rejected": "\n\nHuman: a\n\nAssistant: c"}"#.to_owned(),
        ];
        check(
            "hh-rlhf",
            "pairs.jsonl",
            text.join("\n"),
            &["1. [] a (chosen=b rejected=c) chosen", "1. [] a (chosen=- rejected=c) chosen"],
            &[(Rule::ChoiceWithoutText, 1), (Rule::TypeMismatch, 1), (Rule::MissingCandidate, 1)],
        );
    }

    #[test]
    fn tables_are_recognised_by_their_first_row() {
        let cell = |answer: &str| format!("\"\n\nHuman: Tea?\n\nAssistant: {answer}\"");
        let text = format!("id,chosen,rejected\n7,{},{}\n", cell("Yes"), cell("No"));
        let expected = ["1. [] Tea? (chosen=Yes rejected=No) chosen"];
        assert_eq!(check("hh-rlhf", "pairs.csv", &text, &expected, &[]).extra, ["id:other=7"]);
    }

    #[test]
    fn the_real_file_has_2312_pairs_of_which_5_part_early() {
        let Some(file) = shared("data/hh-rlhf/harmless-base-test.jsonl.gz") else {
            return;
        };
        let read = read_path(&file, &OpenOptions::default()).expect("readable");
        assert_eq!((read.format, read.comparisons.len()), ("hh-rlhf", 2_312));
        assert_eq!(read.findings.count(Rule::EarlyDivergence), 5);
        assert_eq!(read.findings.count(Rule::EmptyPrompt), 0);
    }
}
