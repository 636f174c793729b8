//! `dataset`: preference data of any tool.

use crate::args::{DatasetLintArgs, DatasetVerb};
use crate::failure::Failure;
use crate::table::Table;
use polyculture_data::{Dataset, Finding, Format, LintReport, OpenOptions, Severity};
use serde_json::json;

pub(crate) fn run(verb: &DatasetVerb) -> Result<(), Failure> {
    match verb {
        DatasetVerb::Lint(args) => lint(args),
    }
}

fn lint(args: &DatasetLintArgs) -> Result<(), Failure> {
    let format = args.format.as_deref().map(format_of).transpose()?;
    let dataset = Dataset::open(&args.files, &OpenOptions { format, ..OpenOptions::default() })
        .map_err(|error| Failure::wrong_use(format_args!("{:#}", anyhow::Error::new(error))))?;
    let report = polyculture_data::lint(&dataset)
        .map_err(|error| Failure::wrong_use(format_args!("{:#}", anyhow::Error::new(error))))?;
    if args.json {
        println!("{:#}", as_json(&dataset, &report));
    } else {
        print(&dataset, &report);
    }
    match report.findings.worst() {
        Some(Severity::Error) => Err(Failure::no("there are errors in the dataset")),
        _ => Ok(()),
    }
}

fn format_of(id: &str) -> Result<Format, Failure> {
    Format::from_id(id).ok_or_else(|| {
        let known: Vec<&str> = Format::ALL.iter().map(|format| format.id()).collect();
        Failure::wrong_use(format_args!("`{id}` is no format; there are {}", known.join(", ")))
    })
}

fn print(dataset: &Dataset, report: &LintReport) {
    println!(
        "{}: {} records, {} turns with candidates",
        dataset.format().id(),
        report.n_records,
        report.n_turns
    );
    if report.findings.is_empty() {
        println!("nothing was found to be wrong");
        return;
    }
    let mut table = Table::new(["severity", "rule", "count", "first", "what"]);
    for (rule, n, examples) in report.findings.iter() {
        table.row([
            severity(rule.severity()).to_owned(),
            rule.id().to_owned(),
            n.to_string(),
            examples.first().map_or_else(String::new, place),
            rule.description().to_owned(),
        ]);
    }
    table.print();
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// Where a finding is: `votes.csv:12, first_turn_prompt`.
fn place(finding: &Finding) -> String {
    let column = finding.column.as_ref().map_or_else(String::new, |c| format!(", {c}"));
    format!("{}:{}{column}", finding.file, finding.line)
}

fn as_json(dataset: &Dataset, report: &LintReport) -> serde_json::Value {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|(rule, n, examples)| {
            json!({
                "rule": rule,
                "severity": rule.severity(),
                "count": n,
                "description": rule.description(),
                "examples": examples,
            })
        })
        .collect();
    json!({
        "format": dataset.format().id(),
        "files": dataset.files().collect::<Vec<_>>(),
        "n_records": report.n_records,
        "n_turns": report.n_turns,
        "findings": findings,
    })
}
