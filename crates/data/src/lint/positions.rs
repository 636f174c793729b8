//! Whether every place in the list of candidates is chosen alike.

use super::seen::{Pick, Stratum};
use crate::finding::{Finding, Findings, Rule};
use polyculture_stats::significance::goodness_of_fit;
use serde::Serialize;
use std::collections::BTreeMap;

/// A skew is reported when it would come about by chance less often than this ...
const RARE: f64 = 0.001;
/// ... and the share of a position is at least this far from what it would be if all were chosen alike.
const FAR: f64 = 0.03;

/// How often each position was chosen, against all alike.
///
/// The test is Rao and Scott's of [`goodness_of_fit`], annotators as clusters (conversations, where nobody says who chose).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PositionShares {
    /// Whether these are turns after the first.
    pub is_later: bool,
    /// Candidates of each set.
    pub n_candidates: usize,
    /// Choices.
    pub n: usize,
    /// Annotators, or conversations.
    pub n_clusters: usize,
    /// The share of choices of each position.
    pub shares: Vec<f64>,
    /// The test's F.
    pub statistic: f64,
    /// Its degrees of freedom.
    pub df: f64,
    /// And those of its denominator.
    pub df_denominator: f64,
    /// The chance of such a skew where all positions are chosen alike.
    pub p_value: f64,
}

/// Choices by position and cluster.
#[derive(Debug, Default)]
pub(super) struct Positions {
    counts: BTreeMap<Stratum, BTreeMap<usize, Vec<f64>>>,
}

impl Positions {
    pub(super) fn add(&mut self, pick: &Pick, cluster: usize) {
        let clusters = self.counts.entry(pick.stratum).or_default();
        let n_candidates = usize::from(pick.stratum.n_candidates);
        clusters.entry(cluster).or_insert_with(|| vec![0.0; n_candidates])
            [usize::from(pick.chosen)] += 1.0;
    }

    /// The table, and [`Rule::PositionSkew`] for each row with one.
    pub(super) fn finish(self, findings: &mut Findings) -> Vec<PositionShares> {
        let rows = self.counts.into_iter().filter_map(|(stratum, clusters)| {
            let n_candidates = usize::from(stratum.n_candidates);
            let even = 1.0 / n_candidates as f64;
            let clusters: Vec<Vec<f64>> = clusters.into_values().collect();
            let test = goodness_of_fit(&clusters, &vec![even; n_candidates])?;
            let row = PositionShares {
                is_later: stratum.is_later,
                n_candidates,
                n: test.n,
                n_clusters: test.n_clusters,
                shares: test.shares,
                statistic: test.statistic,
                df: test.df,
                df_denominator: test.df_denominator,
                p_value: test.p_value,
            };
            if row.p_value < RARE && row.shares.iter().any(|s| (s - even).abs() >= FAR) {
                findings.push(row.finding());
            }
            Some(row)
        });
        rows.collect()
    }
}

impl PositionShares {
    fn finding(&self) -> Finding {
        let shares: Vec<String> =
            self.shares.iter().map(|share| format!("{:.0} %", 100.0 * share)).collect();
        Finding {
            rule: Rule::PositionSkew,
            file: String::new(),
            line: 0,
            column: Some(if self.is_later { "later turns" } else { "turn 1" }.to_owned()),
            value: format!(
                "{} of {} choices; F({:.1}, {:.0}) = {:.1}, {}",
                shares.join(", "),
                self.n,
                self.df,
                self.df_denominator,
                self.statistic,
                super::p_text(self.p_value)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 200 people, each with choices by position.
    fn check(counts: impl Fn(usize) -> Vec<usize>, expected: &[&str]) {
        let mut positions = Positions::default();
        for person in 0..200 {
            let counts = counts(person);
            let stratum = Stratum { is_later: person % 2 == 1, n_candidates: counts.len() as u8 };
            for (chosen, n) in counts.iter().enumerate() {
                for _ in 0..*n {
                    let pick =
                        Pick { stratum, chosen: chosen as u8, has_places: true, texts: None };
                    positions.add(&pick, person);
                }
            }
        }
        let mut findings = Findings::default();
        let rows = positions.finish(&mut findings);
        assert_eq!(rows.iter().map(|row| row.n_clusters).collect::<Vec<_>>(), [100, 100]);
        let found = findings.iter().flat_map(|(_, _, e)| e);
        let found: Vec<String> =
            found.map(|f| format!("{}: {}", f.column.as_deref().unwrap_or(""), f.value)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_skew_is_found_if_people_share_it() {
        check(|_| vec![3, 3, 3, 3], &[]);
        // Half of them later, only those skewed; a bit of chance between people.
        check(
            |person| if person % 2 == 1 { vec![5 + person % 3, 3, 2, 2] } else { vec![3; 4] },
            &[
                "later turns: 46 %, 23 %, 15 %, 15 % of 1300 choices; F(1.0, 99) = 4129.0, p < .0001",
            ],
        );
    }

    #[test]
    fn people_who_each_like_one_place_are_no_skew() {
        check(|person| (0..4).map(|i| if person / 2 % 4 == i { 20 } else { 1 }).collect(), &[]);
        // 30 of 100 rather than 25 like the first: Pearson's test would find p < .0001.
        check(
            |person| {
                let favourite = if person < 12 { 0 } else { person / 2 % 4 };
                (0..4).map(|i| if favourite == i { 20 } else { 1 }).collect()
            },
            &[],
        );
    }
}
