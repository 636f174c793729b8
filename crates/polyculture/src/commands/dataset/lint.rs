//! `dataset lint`: what is wrong in a dataset.

use super::summary::{place, severity};
use super::tokenizer::ModelTokenizer;
use super::{chain, open, open_files};
use crate::args::DatasetLintArgs;
use crate::failure::Failure;
use crate::table::Table;
use polyculture_data::{
    Behaviour, Dataset, Findings, LeakageOptions, LintOptions, LintReport, Severity, TokenCounter,
};
use polyculture_stats::interval::Estimate;
use serde_json::json;

pub(super) fn run(args: &DatasetLintArgs) -> Result<(), Failure> {
    let dataset = open(&args.source)?;
    let tokenizer = args.tokenizer.as_deref().map(ModelTokenizer::load).transpose()?;
    let options = LintOptions {
        language: !args.no_language,
        near_duplicates: !args.no_near_duplicates,
        personal_data: !args.no_personal_data,
        tokens: tokenizer.as_ref().map(|t| t as &dyn TokenCounter).zip(args.max_length),
    };
    let mut report = polyculture_data::lint(&dataset, &options).map_err(chain)?;
    report.findings.merge(leaks(args, &dataset)?);
    if args.json {
        println!("{:#}", as_json(&dataset, &report)?);
    } else {
        print(&dataset, &report);
    }
    match report.findings.worst() {
        Some(Severity::Error) => Err(Failure::no("there are errors in the dataset")),
        _ => Ok(()),
    }
}

/// What stands in the dataset and in one of the other parts.
fn leaks(args: &DatasetLintArgs, dataset: &Dataset) -> Result<Findings, Failure> {
    let mut others = Vec::new();
    for pair in &args.against {
        let (name, file) = pair.split_once('=').ok_or_else(|| {
            Failure::wrong_use(format_args!(
                "`{pair}` is no NAME=FILE; write for example test=test.jsonl"
            ))
        })?;
        others.push((name, open_files(&[file.to_owned()], &args.source.how)?));
    }
    if others.is_empty() {
        return Ok(Findings::default());
    }
    let mut splits = vec![("the dataset", dataset)];
    splits.extend(others.iter().map(|(name, other)| (*name, other)));
    let options = LeakageOptions { annotators: args.against_annotators };
    polyculture_data::leakage(&splits, options).map_err(chain)
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
    } else {
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
    skews(report);
    annotators(report);
    counts(report);
    truncation(report);
}

fn skews(report: &LintReport) {
    if !report.positions.is_empty() {
        println!(
            "\nChoices by position, and whether all could be chosen alike (Rao-Scott test over annotators)"
        );
        let heads = ["turns", "candidates", "choices", "share of each position", "F", "p"];
        let mut table = Table::new(heads);
        for row in &report.positions {
            let shares: Vec<_> =
                row.shares.iter().map(|share| format!("{:.1}", 100.0 * share)).collect();
            table.row([
                if row.is_later { "later" } else { "first" }.to_owned(),
                row.n_candidates.to_string(),
                row.n.to_string(),
                format!("{} %", shares.join(" / ")),
                format!("{:.1}", row.statistic),
                p(row.p_value),
            ]);
        }
        table.print();
    }
    if let Some(length) = &report.length {
        println!(
            "\nLength: {} of the chosen are the longest (by chance {:.1} %), {:.1} words against {:.1} of the others",
            percent(&length.chosen_is_longest),
            100.0 * length.by_chance,
            length.chosen_words,
            length.rejected_words
        );
    }
    let marked = report.formats.iter().filter(|row| row.chosen.value > 0.0 || row.rejected > 0.0);
    for row in marked {
        println!(
            "Format: {} of the chosen have a {}, {:.1} % of the others",
            percent(&row.chosen),
            format!("{:?}", row.mark).to_lowercase(),
            100.0 * row.rejected
        );
    }
}

fn annotators(report: &LintReport) {
    if report.odd_annotators.is_empty() {
        return;
    }
    const SHOWN: usize = 10;
    println!("\nAnnotators whose choices say little (p adjusted after Holm)");
    let mut table = Table::new(["annotator", "what", "n", "share", "by chance", "p"]);
    for row in report.odd_annotators.iter().take(SHOWN) {
        table.row([
            row.annotator_id.clone(),
            match row.behaviour {
                Behaviour::OnePosition(position) => format!("always position {position}"),
                Behaviour::ChanceAgreement => "agrees by chance".to_owned(),
            },
            row.n.to_string(),
            format!("{:.1} %", 100.0 * row.share),
            format!("{:.1} %", 100.0 * row.by_chance),
            p(row.p_adjusted),
        ]);
    }
    table.print();
    let more = report.odd_annotators.len().saturating_sub(SHOWN);
    if more > 0 {
        println!("  and {more} more; --json has all");
    }
}

fn counts(report: &LintReport) {
    if let Some(near) = &report.near_duplicates {
        let beyond = if near.n_beyond_cap > 0 {
            format!("; {} more were not looked at", near.n_beyond_cap)
        } else {
            String::new()
        };
        println!(
            "\nFirst prompts: {} different, {} nearly that of another{beyond}",
            near.n_prompts, near.n_near
        );
    }
    if !report.languages.is_empty() {
        println!("\nTexts that are in another language than their conversation");
        let mut table = Table::new(["language", "text", "checked", "other"]);
        for row in &report.languages {
            let cells = [row.n_checked, row.n_other].map(|n| n.to_string());
            table.row([row.language.to_owned(), row.text.to_owned()].into_iter().chain(cells));
        }
        table.print();
    }
    if !report.personal_data.is_empty() {
        println!("\nWhat looks like personal data");
        let mut table = Table::new(["text", "kind", "count"]);
        for row in &report.personal_data {
            let kind = format!("{:?}", row.kind).to_lowercase();
            table.row([row.text.to_owned(), kind, row.n.to_string()]);
        }
        table.print();
    }
}

fn truncation(report: &LintReport) {
    if report.truncation.is_empty() {
        return;
    }
    println!("\nCandidates that lose text at this length, without what a chat template adds");
    let mut table =
        Table::new(["turn", "candidates", "all", "cut", "nothing left", "mean tokens", "longest"]);
    for row in &report.truncation {
        table.row([
            row.turn.to_string(),
            format!("{:?}", row.side).to_lowercase(),
            row.n.to_string(),
            row.n_cut.to_string(),
            row.n_gone.to_string(),
            (row.tokens / row.n.max(1)).to_string(),
            row.longest.to_string(),
        ]);
    }
    table.print();
}

fn percent(e: &Estimate) -> String {
    let [value, low, high] = [e.value, e.low, e.high].map(|x| 100.0 * x);
    format!("{value:.1} % [{low:.1}–{high:.1}]")
}

fn p(value: f64) -> String {
    if value < 0.0001 { "< .0001".to_owned() } else { format!("{value:.4}") }
}

fn as_json(dataset: &Dataset, report: &LintReport) -> Result<serde_json::Value, Failure> {
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
    let mut json = json!({
        "format": dataset.format().id(),
        "files": dataset.files().collect::<Vec<_>>(),
    });
    let whole = serde_json::to_value(report);
    let whole = whole.map_err(|error| Failure::world(anyhow::Error::new(error)))?;
    if let (Some(json), serde_json::Value::Object(whole)) = (json.as_object_mut(), whole) {
        json.extend(whole);
        json.insert("findings".to_owned(), findings.into());
    }
    Ok(json)
}
