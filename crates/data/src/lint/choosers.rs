//! Annotators who always choose the same position, or agree with the others no more than chance would.

use super::choices::Agreement;
use super::people::People;
use super::seen::{Pick, Stratum};
use crate::finding::{Finding, Findings, Rule};
use polyculture_stats::multiple::holm;
use polyculture_stats::significance::{at_least, mean_below_zero};
use serde::Serialize;
use std::collections::BTreeMap;

/// Annotators with fewer choices, or fewer shared comparisons, are left alone.
const FEWEST: usize = 20;
/// The share of choices at one position from which on it is reported.
const ALWAYS: f64 = 0.9;
/// The largest p-value, adjusted over all annotators with choices enough.
const RARE: f64 = 0.01;

/// What an annotator was found to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Behaviour {
    /// Chooses one position (from 1) in at least 90 % of at least 20 choices. The p-value: the sum over positions of the binomial
    /// chance of as many choices of that one, with the mean share that it has among everyone else's choices of the same kind (first or
    /// later turn, number of candidates): an upper bound, by Hoeffding's inequality.
    OnePosition(usize),
    /// Agrees with others on at least 20 comparisons that two others saw no more than a choice by everybody's shares of positions
    /// would, and less than these others agree with each other. The p-value: Student's test of the difference over comparisons.
    ChanceAgreement,
}

/// An annotator whose choices say little.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OddAnnotator {
    /// The annotator's id.
    pub annotator_id: String,
    /// What was found.
    pub behaviour: Behaviour,
    /// Choices, or shared comparisons.
    pub n: usize,
    /// The share of choices at the position, or of others who chose the same.
    pub share: f64,
    /// That share if the annotator chose by everybody's shares of positions.
    pub by_chance: f64,
    /// The chance of this for one annotator.
    pub p_value: f64,
    /// The same, adjusted over all annotators who were looked at (Holm).
    pub p_adjusted: f64,
}

/// Choices by annotator and position.
#[derive(Debug, Default)]
pub(super) struct Choosers {
    counts: BTreeMap<u32, BTreeMap<Stratum, Vec<u32>>>,
}

impl Choosers {
    pub(super) fn add(&mut self, pick: &Pick, person: u32) {
        let n_candidates = usize::from(pick.stratum.n_candidates);
        let strata = self.counts.entry(person).or_default();
        strata.entry(pick.stratum).or_insert_with(|| vec![0; n_candidates])
            [usize::from(pick.chosen)] += 1;
    }

    /// The table, and [`Rule::OnePosition`] and [`Rule::ChanceAgreement`] for each row.
    pub(super) fn finish(
        self,
        agreement: BTreeMap<u32, Agreement>,
        people: &People,
        files: &[String],
        findings: &mut Findings,
    ) -> Vec<OddAnnotator> {
        let mut odd = odd(self.positions(), |share, _| share >= ALWAYS);
        odd.extend(self::odd(agreements(agreement), |share, by_chance| share <= by_chance));
        let rows = odd.into_iter().map(|(person, mut row)| {
            row.annotator_id = people.id(person).to_owned();
            let place = people.first(person);
            let mut finding = row.finding();
            (finding.file, finding.line) = (files[place.file as usize].clone(), place.line);
            findings.push(finding);
            row
        });
        rows.collect()
    }

    fn positions(&self) -> Vec<(u32, OddAnnotator)> {
        let mut everyone: BTreeMap<Stratum, Vec<f64>> = BTreeMap::new();
        for (stratum, counts) in self.counts.values().flatten() {
            let sums = everyone.entry(*stratum).or_insert_with(|| vec![0.0; counts.len()]);
            sums.iter_mut().zip(counts).for_each(|(sum, n)| *sum += f64::from(*n));
        }
        let rows = self.counts.iter().filter_map(|(person, strata)| {
            let n: u32 = strata.values().flatten().sum();
            let longest = strata.values().map(Vec::len).max().unwrap_or_default();
            let (mut own, mut expected) = (vec![0_u32; longest], vec![0.0; longest]);
            for (stratum, counts) in strata {
                let of_stratum = f64::from(counts.iter().sum::<u32>());
                let all = &everyone[stratum];
                let others: f64 = all.iter().sum::<f64>() - of_stratum;
                for (i, count) in counts.iter().enumerate() {
                    own[i] += count;
                    // One choice of each position is added, so that no share is 0.
                    let share = (all[i] - f64::from(*count) + 1.0) / (others + counts.len() as f64);
                    expected[i] += share * of_stratum / f64::from(n);
                }
            }
            let (position, most) = own.iter().copied().enumerate().max_by_key(|(_, n)| *n)?;
            let tail = |p: &f64| at_least(u64::from(most), u64::from(n), p.min(1.0));
            let p_value = expected.iter().map(tail).sum::<f64>().min(1.0);
            let behaviour = Behaviour::OnePosition(position + 1);
            let share = f64::from(most) / f64::from(n);
            Some((*person, row(behaviour, n as usize, share, expected[position], p_value)))
        });
        rows.collect()
    }
}

fn agreements(agreement: BTreeMap<u32, Agreement>) -> Vec<(u32, OddAnnotator)> {
    let rows = agreement.into_iter().map(|(person, found)| {
        let n = found.differences.len();
        let p_value = mean_below_zero(&found.differences).unwrap_or(1.0);
        let [share, by_chance] = [found.observed, found.by_chance].map(|sum| sum / n as f64);
        (person, row(Behaviour::ChanceAgreement, n, share, by_chance, p_value))
    });
    rows.collect()
}

fn row(behaviour: Behaviour, n: usize, share: f64, by_chance: f64, p_value: f64) -> OddAnnotator {
    let annotator_id = String::new();
    OddAnnotator { annotator_id, behaviour, n, share, by_chance, p_value, p_adjusted: 1.0 }
}

/// Those with choices enough, whose share `is_odd` and too rare for chance.
fn odd(
    mut rows: Vec<(u32, OddAnnotator)>,
    is_odd: impl Fn(f64, f64) -> bool,
) -> Vec<(u32, OddAnnotator)> {
    rows.retain(|(_, row)| row.n >= FEWEST);
    let p_values: Vec<f64> = rows.iter().map(|(_, row)| row.p_value).collect();
    let adjusted = holm(&p_values).expect("p-values are in [0, 1]");
    for ((_, row), p) in rows.iter_mut().zip(adjusted) {
        row.p_adjusted = p;
    }
    rows.retain(|(_, row)| is_odd(row.share, row.by_chance) && row.p_adjusted < RARE);
    rows
}

impl OddAnnotator {
    fn finding(&self) -> Finding {
        let [share, by_chance] =
            [self.share, self.by_chance].map(|s| format!("{:.0} %", 100.0 * s));
        let (id, n, p) = (&self.annotator_id, self.n, super::p_text(self.p_adjusted));
        let (rule, value) = match self.behaviour {
            Behaviour::OnePosition(position) => (
                Rule::OnePosition,
                format!(
                    "annotator {id}: position {position} in {share} of {n} choices, others {by_chance}; {p}"
                ),
            ),
            Behaviour::ChanceAgreement => (
                Rule::ChanceAgreement,
                format!(
                    "annotator {id}: agrees with {share} on {n} comparisons, by chance {by_chance}; {p}"
                ),
            ),
        };
        Finding { value, ..Finding::new(rule, 0, None, "") }
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Rule;
    use crate::lint::testing::{examples, report};

    /// Thirty annotators choose from each of `n` comparisons; gives what is found of those who do it oddly.
    fn check(n: usize, chosen: impl Fn(usize, usize) -> usize, expected: &[(Rule, &str)]) {
        let prompts: Vec<String> = (0..n).map(|i| format!("prompt {i}")).collect();
        let people: Vec<String> = (0..30).map(|i| format!("{i}")).collect();
        let mut rows = Vec::new();
        for (item, prompt) in prompts.iter().enumerate() {
            for (who, person) in people.iter().enumerate() {
                let letter =
                    ["response_a", "response_b", "response_c", "response_d"][chosen(item, who)];
                rows.push([person, "en", "india", prompt, "w", "x", "y", "z", letter]);
            }
        }
        let report = report(&rows);
        let mut found = Vec::new();
        for rule in [Rule::OnePosition, Rule::ChanceAgreement] {
            found.extend(examples(&report, rule).into_iter().map(|(_, _, value)| (rule, value)));
        }
        let found: Vec<(Rule, &str)> =
            found.iter().map(|(rule, value)| (*rule, &**value)).collect();
        assert_eq!(found, expected);
        assert_eq!(report.odd_annotators.len(), expected.len());
    }

    /// A number below four that looks like chance.
    fn dice(item: usize, who: usize) -> usize {
        (crate::facts::hash(&format!("{item}/{who}")) % 4) as usize
    }

    #[test]
    fn who_does_as_others_do_is_left_alone() {
        check(40, dice, &[]);
        check(40, |item, who| if dice(item, who) < 2 { dice(who, item) } else { item % 4 }, &[]);
        check(10, |item, who| if who == 3 { 2 } else { item % 4 }, &[]);
    }

    #[test]
    fn who_takes_one_position_is_found() {
        check(
            40,
            |item, who| if who == 3 && item > 1 { 2 } else { dice(item, who) },
            &[(
                Rule::OnePosition,
                "annotator 3: position 3 in 95 % of 40 choices, others 25 %; p < .0001",
            )],
        );
    }

    #[test]
    fn who_agrees_with_nobody_is_found() {
        let opposite = |item: usize, who: usize| {
            let usual = if dice(item, who) == 0 { dice(item, 99) } else { item % 4 };
            if who == 5 { (item + 1 + item / 4 % 3) % 4 } else { usual }
        };
        check(
            40,
            opposite,
            &[(
                Rule::ChanceAgreement,
                "annotator 5: agrees with 5 % on 40 comparisons, by chance 25 %; p < .0001",
            )],
        );
    }
}
