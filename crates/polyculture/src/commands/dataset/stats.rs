//! `dataset stats`: what is in a dataset.

use super::summary::summary;
use super::{chain, open};
use crate::args::DatasetStatsArgs;
use crate::commands::study::Clock;
use crate::failure::Failure;
use crate::table::Table;
use polyculture_core::results::Made;
use polyculture_data::{Counts, DatasetStats, Group, ImportError, StatsError};
use polyculture_stats::interval::Estimate;
use std::path::Path;

pub(super) fn run(args: &DatasetStatsArgs) -> Result<(), Failure> {
    let clock = Clock::start();
    let dataset = open(&args.source)?;
    let stats = polyculture_data::stats(&dataset).map_err(|error| match error {
        StatsError::Import(ImportError::Write { .. }) => Failure::world(anyhow::Error::new(error)),
        other => chain(other),
    })?;
    if let Some(path) = &args.report {
        report(&stats, path, &clock)?;
    }
    if args.json {
        let json = serde_json::to_string_pretty(&stats);
        println!("{}", json.map_err(|error| Failure::world(anyhow::Error::new(error)))?);
    } else {
        print(&stats);
    }
    Ok(())
}

fn report(stats: &DatasetStats, path: &Path, clock: &Clock) -> Result<(), Failure> {
    let mut made = Made { version: env!("CARGO_PKG_VERSION").to_owned(), ..Made::default() };
    clock.stamp(&mut made);
    let html = polyculture_report::dataset_html(&summary(stats), &made)
        .map_err(|error| Failure::world(anyhow::Error::new(error)))?;
    std::fs::write(path, html).map_err(|error| {
        Failure::world(
            anyhow::Error::new(error).context(format!("could not write `{}`", path.display())),
        )
    })?;
    eprintln!("{}", path.display());
    Ok(())
}

fn print(stats: &DatasetStats) {
    println!("{}: {}", stats.source, stats.files.join(", "));
    let mut table = Table::new(["", "count"]);
    let mut row = |name: &str, n: u64| table.row([name.to_owned(), thousands(n)]);
    row("records", stats.rows);
    row("conversations", stats.conversations);
    row("turns shown", stats.turns_shown);
    row("comparisons (somebody chose)", stats.comparisons);
    row("  with a text in every candidate", stats.comparisons_with_all_candidates);
    row("explanations", stats.explanations);
    if stats.annotators > 0 {
        row("annotators", stats.annotators);
    }
    let overlap = &stats.overlap;
    row("first prompts", overlap.first_prompts);
    row("  met by 2 or more annotators", overlap.first_prompts_2plus_annotators);
    row("  met by 10 or more", overlap.first_prompts_10plus_annotators);
    row("first comparisons", overlap.first_turn_comparisons_distinct);
    row("  met by 2 or more annotators", overlap.first_turn_comparisons_2plus_annotators);
    row("  met by 10 or more", overlap.first_turn_comparisons_10plus_annotators);
    table.print();
    if let Some(median) = stats.median_conversations_per_annotator {
        println!("  median conversations per annotator: {median}");
    }
    if let Some(share) = stats.non_english_share {
        println!("  comparisons not in English: {:.1} %", 100.0 * share);
    }
    agreement(stats);
    println!("\nBy column [95 % interval over {}]", stats.clusters);
    let mut table = Table::new([
        "column",
        "value",
        "comparisons",
        "annotators",
        "explained",
        "longest chosen",
        "words chosen",
        "words other",
        "pairs agree",
    ]);
    let share = |e: &Option<Estimate>| e.as_ref().map_or_else(|| "–".to_owned(), percent);
    let mean = |e: &Option<Estimate>| e.as_ref().map_or_else(|| "–".to_owned(), number);
    let all = stats.everything.iter().map(|group| ("all", group));
    let by = stats.breakdowns.iter().flat_map(|b| b.groups.iter().map(|g| (b.column.as_str(), g)));
    for (column, group) in all.chain(by) {
        table.row([
            column.to_owned(),
            if column == "all" { String::new() } else { label(group) },
            thousands(group.comparisons),
            thousands(group.annotators),
            share(&group.explained),
            share(&group.chosen_longest),
            mean(&group.chosen_words),
            mean(&group.rejected_words),
            group.agreement.as_ref().map_or_else(|| "–".to_owned(), |a| percent(&a.pairwise)),
        ]);
    }
    table.print();
    choices(stats);
    if !stats.too_many_values.is_empty() {
        println!(
            "  not broken down, for they have too many values: {}",
            stats.too_many_values.join(", ")
        );
    }
}

fn agreement(stats: &DatasetStats) {
    let Some(agreement) = &stats.agreement else { return };
    println!(
        "\nHow far people agree who chose from the same candidates [95 % interval over comparisons]"
    );
    println!(
        "  {} of pairs choose the same; n = {} votes on {} comparisons",
        percent(&agreement.pairwise),
        thousands(agreement.pairwise.n as u64),
        thousands(agreement.pairwise.n_clusters as u64),
    );
    if let Some(alpha) = &agreement.alpha {
        println!("  Krippendorff's alpha (nominal, by place) {}", precise(alpha));
    }
    let median = stats.median_choice_entropy_bits;
    println!(
        "  entropy of the votes {} bits, median {}",
        precise(&agreement.entropy_bits),
        median.map_or_else(|| "–".to_owned(), |m| format!("{m:.3}")),
    );
}

fn choices(stats: &DatasetStats) {
    let with_choices = |counts: &Counts| counts.total() > 0;
    let Some(all) = stats.everything.as_ref().filter(|g| with_choices(&g.choices)) else { return };
    println!("\nWhich candidate was chosen [95 % interval over {}]", stats.clusters);
    let ids = all.choice_shares.iter().map(|(id, _)| id.clone());
    let mut table = Table::new(["turn".to_owned(), "choices".to_owned()].into_iter().chain(ids));
    let turns = stats.breakdowns.iter().filter(|b| b.column == "turn").flat_map(|b| &b.groups);
    for group in turns.chain([all]).filter(|g| with_choices(&g.choices)) {
        let name = if group.value.is_some() { label(group) } else { "all".to_owned() };
        let shares = group.choice_shares.iter().map(|(_, share)| percent(share));
        table.row([name, thousands(group.choices.total())].into_iter().chain(shares));
    }
    table.print();
}

fn label(group: &Group) -> String {
    group.value.clone().unwrap_or_else(|| "(missing)".to_owned())
}

fn percent(e: &Estimate) -> String {
    let [value, low, high] = [e.value, e.low, e.high].map(|x| 100.0 * x);
    format!("{value:.1} % [{low:.1}–{high:.1}]")
}

fn number(e: &Estimate) -> String {
    format!("{:.1} [{:.1}–{:.1}]", e.value, e.low, e.high)
}

fn precise(e: &Estimate) -> String {
    format!("{:.3} [{:.3} to {:.3}]", e.value, e.low, e.high)
}

fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
