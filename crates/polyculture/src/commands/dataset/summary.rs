//! The statistics of a dataset as the report shows them.

use polyculture_core::Estimate;
use polyculture_core::results::{AgreementRow, ChoiceRow, DatasetSummary, FindingRow, GroupRow};
use polyculture_data::{DatasetStats, Finding, Findings, Group, Severity};
use polyculture_stats::interval::Estimate as Measured;

pub(super) fn summary(stats: &DatasetStats) -> DatasetSummary {
    let mut counts = vec![
        ("records".to_owned(), stats.rows),
        ("conversations".to_owned(), stats.conversations),
        ("comparisons".to_owned(), stats.comparisons),
        ("explanations".to_owned(), stats.explanations),
    ];
    if stats.annotators > 0 {
        counts.insert(2, ("annotators".to_owned(), stats.annotators));
        let overlap = &stats.overlap;
        counts.push((
            "first prompts that 10 or more annotators met".to_owned(),
            overlap.first_prompts_10plus_annotators,
        ));
    }
    let mut groups: Vec<GroupRow> = stats.everything.iter().map(|g| group(None, g)).collect();
    let mut choices = Vec::new();
    for breakdown in &stats.breakdowns {
        groups.extend(breakdown.groups.iter().map(|g| group(Some(&breakdown.column), g)));
        if breakdown.column == "turn" {
            choices.extend(breakdown.groups.iter().flat_map(choices_of));
        }
    }
    choices.extend(stats.everything.iter().flat_map(choices_of));
    DatasetSummary {
        name: stats.files.join(", "),
        source: stats.source.to_owned(),
        clusters: stats.clusters.to_owned(),
        counts,
        agreement: agreement(stats),
        choices,
        groups,
        findings: findings(&stats.findings),
    }
}

fn agreement(stats: &DatasetStats) -> Vec<AgreementRow> {
    let Some(agreement) = &stats.agreement else { return Vec::new() };
    let row = |measure: &str, is_share, measured: &Measured| AgreementRow {
        measure: measure.to_owned(),
        is_share,
        estimate: estimate(measured),
    };
    let mut rows = vec![row("pairs of people who chose the same", true, &agreement.pairwise)];
    let alpha = agreement.alpha.iter();
    rows.extend(alpha.map(|a| row("Krippendorff’s alpha, nominal, by place", false, a)));
    rows.push(row("entropy of the votes on a comparison, bits", false, &agreement.entropy_bits));
    rows
}

fn choices_of(group: &Group) -> impl Iterator<Item = ChoiceRow> + '_ {
    let turn = group.value.clone().unwrap_or_else(|| "all".to_owned());
    group.choice_shares.iter().map(move |(candidate, share)| ChoiceRow {
        turn: turn.clone(),
        candidate: candidate.clone(),
        share: estimate(share),
    })
}

fn group(column: Option<&str>, group: &Group) -> GroupRow {
    let maybe = |measured: &Option<Measured>| measured.as_ref().map(estimate);
    GroupRow {
        column: column.map(str::to_owned),
        value: group.value.clone(),
        comparisons: group.comparisons,
        annotators: group.annotators,
        explained: maybe(&group.explained),
        chosen_longest: maybe(&group.chosen_longest),
        chosen_words: maybe(&group.chosen_words),
        rejected_words: maybe(&group.rejected_words),
        agreement: group.agreement.as_ref().map(|a| estimate(&a.pairwise)),
    }
}

fn findings(findings: &Findings) -> Vec<FindingRow> {
    let row = |(rule, n, examples): (polyculture_data::Rule, u64, &[Finding])| FindingRow {
        severity: severity(rule.severity()).to_owned(),
        rule: rule.id().to_owned(),
        n,
        description: rule.description().to_owned(),
        places: examples.iter().take(3).map(place).collect(),
    };
    findings.iter().map(row).collect()
}

/// The name of a severity.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// Where a finding is: `votes.csv:12, first_turn_prompt`; what it is, where it concerns the whole dataset.
pub(super) fn place(finding: &Finding) -> String {
    if finding.line == 0 {
        let column = finding.column.as_ref().map_or_else(String::new, |c| format!("{c}: "));
        return format!("{column}{}", finding.value);
    }
    let column = finding.column.as_ref().map_or_else(String::new, |c| format!(", {c}"));
    format!("{}:{}{column}", finding.file, finding.line)
}

fn estimate(measured: &Measured) -> Estimate {
    Estimate {
        value: measured.value,
        low: measured.low,
        high: measured.high,
        level: measured.level,
        n: measured.n,
        n_clusters: measured.n_clusters,
    }
}
