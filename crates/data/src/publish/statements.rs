//! What can be said of a published dataset without asking anybody: sentences for the datasheet and for Croissant alike.

use super::declaration::{Card, Visibility};
use super::features::Feature;
use super::pseudonym::KeySource;
use super::report::{Gap, PublishReport};
use crate::formats::{ColumnRole, Format};
use crate::stats::{Breakdown, DatasetStats};
use datafusion::arrow::datatypes::SchemaRef;
use polyculture_stats::interval::Estimate;

/// All that the files beside the data are made from.
pub(super) struct Published<'p> {
    pub(super) card: &'p Card,
    pub(super) report: &'p PublishReport,
    /// Of what is published, not of the source: nothing that is private can be said by accident.
    pub(super) stats: &'p DatasetStats,
    pub(super) schema: SchemaRef,
    pub(super) features: Vec<(String, Feature)>,
    /// Values that are missing, by column.
    pub(super) missing: Vec<(String, u64)>,
    pub(super) source: Format,
    /// The day of publication, as `2026-03-01`.
    pub(super) date: Option<&'p str>,
}

/// A figure with its interval.
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) n: usize,
    /// Whose definition it is, and what it says.
    pub(super) definition: &'static str,
}

/// What nobody has said.
#[derive(Debug, Default)]
pub(super) struct Gaps(pub(super) Vec<Gap>);

impl Gaps {
    /// The answer; without one the question is kept, and the mark of a gap is given.
    pub(super) fn ask(
        &mut self,
        field: &'static str,
        answer: Option<&str>,
        question: &'static str,
    ) -> Option<String> {
        let answer = answer.map(str::trim).filter(|answer| !answer.is_empty());
        if answer.is_none() && !self.0.iter().any(|gap| gap.field == field) {
            self.0.push(Gap { field, question });
        }
        answer.map(str::to_owned)
    }
}

/// `1234567` as `1,234,567`.
pub(super) fn count(n: u64) -> String {
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

fn interval(estimate: &Estimate, scale: f64, unit: &str) -> String {
    let digits = if scale == 1.0 { 2usize } else { 1 };
    // What is shown as nought has no sign.
    let nought = 0.5 / 10f64.powi(digits as i32);
    let shown = |v: f64| if (v * scale).abs() < nought { 0.0 } else { v * scale };
    let [value, low, high] = [estimate.value, estimate.low, estimate.high].map(shown);
    format!("{value:.digits$}{unit} [{low:.digits$} to {high:.digits$}]")
}

fn percent(estimate: &Estimate) -> String {
    interval(estimate, 100.0, " %")
}

impl Published<'_> {
    pub(super) fn rows(&self) -> u64 {
        self.report.splits.iter().map(|split| split.rows).sum()
    }

    pub(super) fn title(&self) -> &str {
        self.card.title.as_deref().unwrap_or("Untitled preference dataset")
    }

    /// Codes of the languages: those of the card, otherwise those in the file; and names that have no code.
    pub(super) fn languages(&self) -> (Vec<String>, Vec<String>) {
        let (mut codes, mut unknown) = (self.card.language.clone(), Vec::new());
        if codes.is_empty() {
            for (name, _) in &self.stats.comparisons_by_language.0 {
                match super::languages::code(name) {
                    Some(code) if codes.contains(&code) => {}
                    Some(code) => codes.push(code),
                    None => unknown.push(name.clone()),
                }
            }
        }
        (codes, unknown)
    }

    /// What is in it, in counts.
    pub(super) fn composition(&self) -> Vec<String> {
        let stats = self.stats;
        let mut said = vec![format!(
            "{} comparisons ({} turns in which candidates were shown) of {} conversations.",
            count(stats.comparisons),
            count(stats.turns_shown),
            count(stats.conversations)
        )];
        if stats.annotators > 0 {
            let median = stats.median_conversations_per_annotator;
            let median = median
                .map_or(String::new(), |m| format!(", a median of {m:.0} conversations each"));
            said.push(format!("{} annotators{median}.", count(stats.annotators)));
        }
        let languages = &stats.comparisons_by_language;
        if languages.total() > 0 {
            let list = languages.0.iter().map(|(name, n)| format!("{name} {}", count(*n)));
            said.push(format!("Comparisons by language: {}.", list.collect::<Vec<_>>().join(", ")));
        }
        if stats.comparisons_by_turn.len() > 1 {
            let turns = stats.comparisons_by_turn.iter().map(|n| count(*n)).collect::<Vec<_>>();
            said.push(format!("Comparisons by turn, from the first: {}.", turns.join(", ")));
        }
        said.push(format!(
            "{} comparisons have an explanation in the annotator's words.",
            count(stats.explanations)
        ));
        said
    }

    /// How often the same was judged.
    pub(super) fn annotations_per_item(&self) -> String {
        let overlap = &self.stats.overlap;
        let median = overlap.median_annotators_per_repeated_prompt;
        let median = median.map_or(String::new(), |m| {
            format!(" A prompt that two or more annotators met was met by a median of {m:.0}.")
        });
        format!(
            "Of {} different first comparisons {} were judged by two or more annotators and {} by ten or more; the others by one.{median}",
            count(overlap.first_turn_comparisons_distinct),
            count(overlap.first_turn_comparisons_2plus_annotators),
            count(overlap.first_turn_comparisons_10plus_annotators),
        )
    }

    /// Figures that are estimates.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        let mut add =
            |name, estimate: Option<&Estimate>, show: fn(&Estimate) -> String, definition| {
                if let Some(estimate) = estimate {
                    figures.push(Figure { name, value: show(estimate), n: estimate.n, definition });
                }
            };
        let number: fn(&Estimate) -> String = |estimate| interval(estimate, 1.0, "");
        let agreement = self.stats.agreement.as_ref();
        add(
            "Pairs of votes that agree",
            agreement.map(|a| &a.pairwise),
            percent,
            "ours: pairs of votes on comparisons of the same texts that are for the same candidate",
        );
        add(
            "Agreement beyond chance",
            agreement.and_then(|a| a.alpha.as_ref()),
            number,
            "known: Krippendorff's alpha, nominal (Krippendorff 2011), a candidate's place being its name",
        );
        add(
            "Entropy of votes, bits",
            agreement.map(|a| &a.entropy_bits),
            number,
            "known: Shannon entropy; ours: its mean over comparisons with two or more votes",
        );
        let all = self.stats.everything.as_ref();
        add(
            "Comparisons with an explanation",
            all.and_then(|g| g.explained.as_ref()),
            percent,
            "ours: of the comparisons, those whose explanation is not empty",
        );
        add(
            "The longest candidate was chosen",
            all.and_then(|g| g.chosen_longest.as_ref()),
            percent,
            "ours: no candidate of the comparison has more words, ties included",
        );
        add(
            "The shortest candidate was chosen",
            all.and_then(|g| g.chosen_shortest.as_ref()),
            percent,
            "ours: no candidate of the comparison has fewer words, ties included",
        );
        figures
    }

    /// How figures come by their intervals.
    pub(super) fn method(&self) -> String {
        format!(
            "Intervals are for 95 %, clustered by {}; those of agreement resample comparisons. n counts comparisons, or votes \
             for agreement. A definition is `known` where it is published elsewhere, and `ours` where it is this program's.",
            self.stats.clusters
        )
    }

    /// Who the annotators are, one sentence for each public column about them.
    pub(super) fn demographics(&self) -> Vec<String> {
        let about =
            |b: &&Breakdown| matches!(b.role, Some(ColumnRole::Country | ColumnRole::Demographic));
        let sentence = |b: &Breakdown| {
            let knows = self.stats.annotators > 0;
            let unit = if knows { "annotators" } else { "records" };
            let groups = b.groups.iter().map(|group| {
                let value = group.value.as_deref().unwrap_or("not said or left out");
                format!("{value} {}", count(if knows { group.annotators } else { group.rows }))
            });
            format!("{}, in {unit}: {}.", b.column, groups.collect::<Vec<_>>().join(", "))
        };
        self.stats.breakdowns.iter().filter(about).map(sentence).collect()
    }

    /// Columns in which values are missing.
    pub(super) fn missing(&self) -> Vec<String> {
        let rows = self.rows().max(1);
        let some = self.missing.iter().filter(|(_, n)| *n > 0);
        some.map(|(column, n)| {
            format!(
                "`{column}`: {} of {} rows ({:.1} %).",
                count(*n),
                count(rows),
                *n as f64 * 100.0 / rows as f64
            )
        })
        .collect()
    }

    /// What the reader stumbled on.
    pub(super) fn findings(&self) -> Vec<String> {
        let found = self.report.findings.iter();
        found
            .map(|(rule, n, _)| {
                format!("{} ({}, {} times)", rule.description(), rule.id(), count(n))
            })
            .collect()
    }

    /// What was done to protect people.
    pub(super) fn privacy(&self) -> Vec<String> {
        let report = self.report;
        let mut done = vec![match report.pseudonyms {
            Some(source) => {
                let key = match source {
                    KeySource::Random => "that was drawn for this publication and not kept",
                    KeySource::File | KeySource::Environment => "that is not published",
                };
                format!(
                    "The ids of annotators and conversations are pseudonyms: a keyed hash (BLAKE3, 80 bits) of the \
                     source's ids, with a key {key}. All comparisons of one annotator stay linked to each other."
                )
            }
            None => "The ids of annotators and conversations are those of the source.".to_owned(),
        }];
        let private = report.columns.iter().filter(|c| c.visibility == Visibility::Private);
        let n_private = private.count();
        if n_private > 0 {
            done.push(format!("{n_private} columns of the source are not published."));
        }
        if report.min_cell > 1 && !report.suppressed.is_empty() {
            let columns = report.suppressed.iter().map(|s| format!("`{}`", s.column));
            let columns = columns.collect::<Vec<_>>().join(", ");
            let unit = if self.stats.annotators > 0 { "annotators" } else { "units" };
            let n = report.suppressed.iter().filter(|s| s.people > 0);
            let n = n.map(|s| format!("`{}` of {}", s.column, count(s.people))).collect::<Vec<_>>();
            let n = if n.is_empty() { "none".to_owned() } else { n.join(", ") };
            done.push(format!(
                "Combinations of {columns} that fewer than {} {unit} share lost the values of the last of these columns, then \
                 of the one before, until enough share them. Left out: {n}.",
                report.min_cell
            ));
        }
        if report.scrubs {
            let found = report.scrubbed.iter();
            let found =
                found.map(|s| format!("{} `{}` in `{}`", count(s.replaced), s.kind, s.column));
            let found = found.collect::<Vec<_>>().join(", ");
            let found = if found.is_empty() { "nothing".to_owned() } else { found };
            done.push(format!(
                "What has the form of a mail address, a phone number, a payment card, a bank account, an IP address or a street address \
                 was replaced in texts by marks such as `[mail]`. Replaced: {found}. Names and what people say of \
                 themselves have no form and were not looked for; the form is no proof either way."
            ));
        } else {
            done.push("Texts were not searched for personal data.".to_owned());
        }
        done
    }

    /// How annotation went, as far as the data show it.
    pub(super) fn protocol(&self) -> String {
        let choices = |n: u64| if n == 0 { "" } else { " Where nobody chose, `choice` is `none`." };
        let stats = self.stats;
        let sets = stats.choices_by_turn.first().map_or(0, |c| c.0.len());
        let sets = if sets > 0 { format!("up to {sets}") } else { "several".to_owned() };
        format!(
            "In each turn of a conversation {sets} candidate answers to a prompt stand side by side, with what was chosen among them; \
             the conversation goes on from the chosen one.{}",
            choices(stats.turns_shown.saturating_sub(stats.comparisons))
        )
    }
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!(
            [0, 999, 1000, 233_319, 1_234_567].map(count),
            ["0", "999", "1,000", "233,319", "1,234,567"]
        );
    }
}
