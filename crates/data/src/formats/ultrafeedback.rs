//! UltraFeedback (Cui et al. 2023) as it was made: an instruction, and completions that a model scored.
//!
//! Scores become choices by the rule for them. The system prompts that drew out the completions differ
//! from one to the next and are not part of what was compared: a completion's principle is its source.

use super::fields::{Fields, as_object, emit, letter, made_id, mismatch, turn};
use super::{ColumnRole, ExtraColumn, FormatError, Output, Parser, Part, Record, Sample, Source};
use crate::choice_rule::ChoiceRule;
use crate::comparison::{Candidate, Comparison};
use serde_json::Value;
use std::borrow::Cow;

const PROMPT: &str = "instruction";
const COMPLETIONS: &str = "completions";
/// Scores of a completion, the first that is there.
const SCORES: [&str; 2] = ["overall_score", "fine-grained_score"];

pub(super) fn recognises(sample: &Sample) -> Option<Part> {
    (sample.has(PROMPT) && sample.has(COMPLETIONS)).then_some(Part::Main)
}

pub(super) fn parser(source: &Source<'_>) -> Result<Box<dyn Parser>, FormatError> {
    let sample = source.sample;
    for column in [PROMPT, COMPLETIONS] {
        if !sample.has(column) {
            return Err(FormatError::Column(column.to_owned()));
        }
    }
    let extra =
        sample.columns.iter().filter(|name| ![PROMPT, COMPLETIONS].contains(&name.as_str()));
    let role = |name: &str| match name {
        "source" => ColumnRole::Group,
        _ => ColumnRole::guess(name),
    };
    let extra = extra.map(|name| ExtraColumn { name: name.clone(), role: role(name) }).collect();
    let rule = source.options.choice_rule;
    Ok(Box::new(UltraFeedback { columns: sample.columns.clone(), extra, rule }))
}

struct UltraFeedback {
    columns: Vec<String>,
    extra: Vec<ExtraColumn>,
    rule: ChoiceRule,
}

impl Parser for UltraFeedback {
    fn extra_columns(&self) -> &[ExtraColumn] {
        &self.extra
    }

    fn parse(&self, record: Record<'_, '_>, line: u64, out: &mut Output<'_>) {
        let object = as_object(record, &self.columns, line, out, Value::is_array);
        let fields = Fields { object: &object, line };
        let prompt = fields.text(PROMPT, out).unwrap_or_default();
        let mut candidates = Vec::new();
        for (i, item) in fields.list(COMPLETIONS, out).iter().enumerate() {
            let Value::Object(object) = item else {
                mismatch(item, "a completion", line, COMPLETIONS, out);
                continue;
            };
            let completion = Fields { object, line };
            candidates.push(Candidate {
                source: completion.text("principle", out),
                model: completion.text("model", out),
                score: SCORES.iter().find_map(|score| completion.number(score, out)),
                ..Candidate::new(letter(i), completion.text("response", out))
            });
        }
        let scores: Vec<Option<f64>> = candidates.iter().map(|c| c.score).collect();
        let comparison = Comparison {
            conversation_id: Cow::Owned(made_id(line, &[], &prompt, &candidates)),
            turn: turn(&[]),
            history: Vec::new(),
            prompt,
            candidates,
            choice: self.rule.choose(&scores, &[]),
            explanation: None,
            annotator_id: None,
            language: None,
            extra: self.extra.iter().map(|c| fields.raw(&c.name)).collect(),
            line,
        };
        emit(&comparison, PROMPT, Some(COMPLETIONS), out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, read};
    use crate::{ChoiceRule, OpenOptions, Rule};

    const TEXT: &str = r#"{"source": "s", "instruction": "Tea?", "models": ["m1", "m2"], "completions": [{"model": "m1", "principle": "honesty", "response": "Yes", "overall_score": 7.5}, {"model": "m2", "response": "No", "overall_score": "N/A", "fine-grained_score": 8}]}
{"source": "s", "instruction": "x", "completions": []}
{"source": "s", "instruction": "x", "completions": [{"model": "m1", "response": ["Yes"], "overall_score": 1}, "No"]}"#;

    #[test]
    fn scores_become_choices() {
        let tea = "1. [] Tea? (a=Yes@m1#7.5 b=No@m2#8)";
        let rest = ["1. [] x () none", "1. [] x (a=-@m1#1) a"];
        let first = format!("{tea} b");
        let expected: Vec<&str> = [first.as_str()].into_iter().chain(rest).collect();
        let findings = [
            (Rule::ChoiceWithoutText, 1),
            (Rule::TypeMismatch, 2),
            (Rule::MissingCandidate, 2),
            (Rule::NoChoice, 1),
        ];
        let marked = check("ultrafeedback", "uf.jsonl", TEXT, &expected, &findings);
        assert_eq!(marked.extra[0], "source:group=s models:other=[\"m1\",\"m2\"]");
        let options =
            OpenOptions { choice_rule: ChoiceRule::Margin(1.0), ..OpenOptions::default() };
        let margin = read(&[("uf.jsonl", TEXT)], &options).expect("readable");
        assert_eq!(margin.comparisons[0], format!("{tea} tie"));
    }
}
