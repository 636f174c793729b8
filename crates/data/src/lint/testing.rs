//! Comparisons for the tests of the rules, and a whole dataset from a few lines.

use super::{LintOptions, LintReport, lint};
use crate::comparison::{Candidate, Choice, Comparison};
use crate::dataset::{Dataset, OpenOptions};
use crate::finding::Rule;
use std::borrow::Cow;
use std::fs;

/// A comparison to be.
#[derive(Debug, Clone)]
pub(super) struct Case<'a>(Comparison<'a>);

impl<'a> Case<'a> {
    pub(super) fn new(prompt: &'a str, candidates: &[&'a str]) -> Self {
        let candidates = candidates.iter().enumerate().map(|(i, text)| {
            let id = char::from(b'a' + i as u8).to_string();
            Candidate::new(id, (!text.is_empty()).then_some(Cow::Borrowed(*text)))
        });
        Self(Comparison {
            conversation_id: "1".into(),
            turn: 1,
            history: Vec::new(),
            prompt: prompt.into(),
            candidates: candidates.collect(),
            choice: Choice::None,
            explanation: None,
            annotator_id: None,
            language: None,
            extra: Vec::new(),
            line: 2,
        })
    }

    pub(super) fn chosen(mut self, chosen: usize) -> Self {
        self.0.choice = Choice::One(chosen);
        self
    }

    pub(super) fn language(mut self, language: &'a str) -> Self {
        self.0.language = Some(language.into());
        self
    }

    pub(super) fn comparison(self) -> Comparison<'a> {
        self.0
    }
}

/// A folder with a Community Alignment file of one turn: each row is annotator, language, country, prompt, candidates, choice.
pub(super) fn dataset(rows: &[[&str; 9]]) -> (tempfile::TempDir, Dataset) {
    let mut text = "conversation_id,annotator_id,assigned_lang,annotator_country,\
        first_turn_prompt,first_turn_response_a,first_turn_response_b,first_turn_response_c,\
        first_turn_response_d,first_turn_preferred_response\n"
        .to_owned();
    for (i, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('"', "\"\"")).collect();
        text += &format!("c{i},\"{}\"\n", cells.join("\",\""));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ca.csv");
    fs::write(&path, text).expect("written");
    let dataset =
        Dataset::open(&[path.display().to_string()], &OpenOptions::default()).expect("a dataset");
    (folder, dataset)
}

/// What the linter says of such a file.
pub(super) fn report(rows: &[[&str; 9]]) -> LintReport {
    let (_folder, dataset) = dataset(rows);
    lint(&dataset, &LintOptions::default()).expect("readable")
}

/// The examples of a rule: line, column, value.
pub(super) fn examples(report: &LintReport, rule: Rule) -> Vec<(u64, String, String)> {
    let of_rule = report.findings.iter().filter(|(found, ..)| *found == rule);
    let examples = of_rule.flat_map(|(.., examples)| examples);
    examples.map(|e| (e.line, e.column.clone().unwrap_or_default(), e.value.clone())).collect()
}
