//! What is wrong in a dataset beyond what its reader stumbles on.

use crate::comparison::Comparison;
use crate::dataset::{Dataset, ReadError};
use crate::finding::{Finding, Findings, Rule};
use crate::identity::fold;

/// What was found in a dataset.
#[derive(Debug)]
pub struct LintReport {
    /// Records of the files: rows, or lines.
    pub n_records: u64,
    /// Turns in which candidates were shown, chosen from or not.
    pub n_turns: u64,
    /// What is wrong.
    pub findings: Findings,
}

/// Reads a dataset whole and says what is wrong in it.
///
/// # Errors
/// When a file cannot be read to its end.
pub fn lint(dataset: &Dataset) -> Result<LintReport, ReadError> {
    let mut report = LintReport { n_records: 0, n_turns: 0, findings: Findings::default() };
    let scan = dataset.fold(Linter::default, Linter::look, |file, mut linter| {
        linter.findings.set_file(file);
        report.n_turns += linter.n_turns;
        report.findings.merge(linter.findings);
        Ok::<_, ReadError>(())
    })?;
    report.n_records = scan.n_records;
    report.findings.merge(scan.findings);
    Ok(report)
}

#[derive(Default)]
struct Linter {
    n_turns: u64,
    findings: Findings,
    folded: Vec<String>,
}

impl Linter {
    fn look(&mut self, comparison: &Comparison<'_>) {
        self.n_turns += 1;
        let candidates = &comparison.candidates;
        self.folded.resize_with(candidates.len().max(self.folded.len()), String::new);
        for (folded, candidate) in self.folded.iter_mut().zip(candidates) {
            folded.clear();
            fold(candidate.text(), folded);
        }
        let folded = &self.folded[..candidates.len()];
        let chosen = comparison.choice.chosen();
        for (i, text) in folded.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
            let Some(j) = (0..i).find(|j| folded[*j] == *text) else {
                continue;
            };
            let rule = if chosen.contains(&i) == chosen.contains(&j) {
                Rule::DuplicateCandidates
            } else {
                Rule::ChosenEqualsRejected
            };
            self.findings.push_with(rule, || {
                let column = format!("turn {}", comparison.turn);
                let which = format!("{} and {}: {text}", candidates[j].id, candidates[i].id);
                Finding::new(rule, comparison.line, Some(&column), &which)
            });
        }
    }
}
