//! Whether longer, or differently formatted, candidates are chosen more often.

use super::seen::Contrast;
use super::style::Mark;
use crate::finding::{Finding, Findings, Rule};
use polyculture_stats::interval::Estimate;
use polyculture_stats::ratio::{clustered_ratio, clustered_share};
use serde::Serialize;
use std::collections::BTreeMap;

/// A skew is reported when its whole interval is at least this far from nothing.
const FAR: f64 = 0.05;
const LEVEL: f64 = 0.95;

/// The length of the chosen beside that of the others, over choices where both have texts.
///
/// Intervals are linearised over annotators (conversations, where nobody says who chose): see [`polyculture_stats::ratio`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LengthSkew {
    /// The share of choices in which no other candidate has more words.
    pub chosen_is_longest: Estimate,
    /// That share if one of the candidates was drawn: the mean share of candidates that are as long as the longest of their set.
    pub by_chance: f64,
    /// The difference of the two; nothing with one cluster only.
    pub excess: Option<Estimate>,
    /// Mean words of the chosen.
    pub chosen_words: f64,
    /// Mean words of the others, each choice weighing the same.
    pub rejected_words: f64,
    /// The difference of the two; nothing with one cluster only.
    pub difference_words: Option<Estimate>,
}

/// One mark of formatting in the chosen beside the others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FormatSkew {
    /// The mark.
    pub mark: Mark,
    /// The share of the chosen that have it.
    pub chosen: Estimate,
    /// The share of the others that have it, each choice weighing the same.
    pub rejected: f64,
    /// The difference of the two; nothing with one cluster only.
    pub difference: Option<Estimate>,
}

const N: usize = 0;
const LONGEST: usize = 1;
const CHANCE: usize = 2;
const CHOSEN_WORDS: usize = 3;
const REJECTED_WORDS: usize = 4;
/// For each mark the chosen with it, and the share of the others.
const MARKS: usize = 5;
const N_SUMS: usize = MARKS + 2 * Mark::ALL.len();

/// Sums by cluster.
#[derive(Debug, Default)]
pub(super) struct Skews {
    clusters: BTreeMap<usize, [f64; N_SUMS]>,
}

impl Skews {
    pub(super) fn add(&mut self, contrast: &Contrast, cluster: usize) {
        let sums = self.clusters.entry(cluster).or_insert([0.0; N_SUMS]);
        sums[N] += 1.0;
        sums[LONGEST] += f64::from(u8::from(contrast.is_longest));
        sums[CHANCE] += contrast.share_longest;
        sums[CHOSEN_WORDS] += contrast.chosen_words;
        sums[REJECTED_WORDS] += contrast.rejected_words;
        for (i, mark) in Mark::ALL.into_iter().enumerate() {
            sums[MARKS + 2 * i] += f64::from(u8::from(contrast.chosen_marks.has(mark)));
            sums[MARKS + 2 * i + 1] += contrast.rejected_marks[i];
        }
    }

    /// The tables, and [`Rule::LengthSkew`] and [`Rule::FormatSkew`] where the skew is large.
    pub(super) fn finish(&self, findings: &mut Findings) -> (Option<LengthSkew>, Vec<FormatSkew>) {
        let length = self.length();
        if let Some(skew) = length.filter(|skew| is_far(skew.excess)) {
            let [share, chance] = [skew.chosen_is_longest.value, skew.by_chance].map(percent);
            let [chosen, rejected] = [skew.chosen_words, skew.rejected_words].map(f64::round);
            let value = format!(
                "the longest is chosen in {share} of {} choices, by chance {chance}; {chosen} words against {rejected}",
                skew.chosen_is_longest.n
            );
            findings.push(Finding { value, ..Finding::new(Rule::LengthSkew, 0, None, "") });
        }
        let formats: Vec<FormatSkew> =
            (0..Mark::ALL.len()).filter_map(|i| self.format(i)).collect();
        for skew in formats.iter().filter(|skew| is_far(skew.difference)) {
            let [chosen, rejected] = [skew.chosen.value, skew.rejected].map(percent);
            let value =
                format!("{:?} in {chosen} of the chosen, {rejected} of the others", skew.mark);
            findings.push(Finding { value, ..Finding::new(Rule::FormatSkew, 0, None, "") });
        }
        (length, formats)
    }

    fn length(&self) -> Option<LengthSkew> {
        Some(LengthSkew {
            chosen_is_longest: self.share(LONGEST)?,
            by_chance: self.mean(CHANCE),
            excess: self.difference(LONGEST, CHANCE),
            chosen_words: self.mean(CHOSEN_WORDS),
            rejected_words: self.mean(REJECTED_WORDS),
            difference_words: self.difference(CHOSEN_WORDS, REJECTED_WORDS),
        })
    }

    fn format(&self, i: usize) -> Option<FormatSkew> {
        let (chosen, rejected) = (MARKS + 2 * i, MARKS + 2 * i + 1);
        Some(FormatSkew {
            mark: Mark::ALL[i],
            chosen: self.share(chosen)?,
            rejected: self.mean(rejected),
            difference: self.difference(chosen, rejected),
        })
    }

    fn total(&self, column: usize) -> f64 {
        self.clusters.values().map(|sums| sums[column]).sum()
    }

    fn mean(&self, column: usize) -> f64 {
        self.total(column) / self.total(N)
    }

    fn share(&self, column: usize) -> Option<Estimate> {
        let sums: Vec<_> = self.clusters.values().map(|sums| (sums[column], sums[N])).collect();
        clustered_share(&sums, LEVEL).ok()
    }

    fn difference(&self, a: usize, b: usize) -> Option<Estimate> {
        let sums: Vec<_> = self.clusters.values().map(|s| (s[a] - s[b], s[N])).collect();
        clustered_ratio(&sums, LEVEL).ok()
    }
}

fn is_far(difference: Option<Estimate>) -> bool {
    difference.is_some_and(|d| d.low >= FAR || d.high <= -FAR)
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::seen::Seen;
    use crate::lint::testing::Case;
    use crate::lint::texts::Texts;

    fn check(
        n: usize,
        candidates: impl Fn(usize) -> ([&'static str; 2], usize),
        expected: &[(Rule, &str)],
    ) {
        let (mut skews, mut texts) = (Skews::default(), Texts::default());
        for i in 0..n {
            let (candidates, chosen) = candidates(i);
            let comparison = Case::new("p", &candidates).chosen(chosen).comparison();
            texts.read(&comparison);
            let pick = Seen::of(&comparison, &texts, None).pick.expect("a pick");
            skews.add(&pick.texts.expect("texts"), i / 2);
        }
        let mut findings = Findings::default();
        skews.finish(&mut findings);
        let found =
            findings.iter().flat_map(|(rule, _, e)| e.iter().map(move |e| (rule, &*e.value)));
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn skews_are_found_where_there_are_choices_enough() {
        check(400, |i| (["one two three", "one"], i % 2), &[]);
        let longest =
            "the longest is chosen in 80 % of 400 choices, by chance 50 %; 3 words against 1";
        check(
            400,
            |i| (["one two three", "one"], usize::from(i % 5 == 0)),
            &[(Rule::LengthSkew, longest)],
        );
        check(8, |i| (["one two three", "one"], usize::from(i % 4 == 0)), &[]);
        let bold = "Bold in 25 % of the chosen, 75 % of the others";
        check(400, |i| (["a **b**", "a b"], usize::from(i % 4 != 0)), &[(Rule::FormatSkew, bold)]);
        check(400, |_| (["same words", "words same"], 0), &[]);
    }

    #[test]
    fn nothing_is_said_of_nothing() {
        assert_eq!(Skews::default().finish(&mut Findings::default()), (None, vec![]));
    }
}
