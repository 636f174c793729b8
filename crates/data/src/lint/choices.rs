//! Comparisons that several annotators, or one annotator twice, chose from.

use super::people::People;
use super::seen::Place;
use crate::finding::{Finding, Findings, Rule};
use std::collections::BTreeMap;

/// A choice by somebody: 32 bytes for each turn of the dataset, the one thing here that grows with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Logged {
    pub(super) comparison: u64,
    pub(super) person: u32,
    pub(super) place: Place,
    /// Nothing where no one candidate was chosen.
    pub(super) chosen: Option<u8>,
}

/// All choices of which the annotator is known.
#[derive(Debug, Default)]
pub(super) struct Choices {
    log: Vec<Logged>,
}

/// How far an annotator agrees with those who saw the same comparisons.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Agreement {
    /// For each shared comparison the share of the others who chose the same, less the share of pairs of the others who did.
    pub(super) differences: Vec<f64>,
    /// Sum of the shares of others who chose the same.
    pub(super) observed: f64,
    /// Sum of what a choice by the shares of all positions would give.
    pub(super) by_chance: f64,
}

impl Choices {
    pub(super) fn push(&mut self, logged: Logged) {
        self.log.push(logged);
    }

    /// Reports [`Rule::AnnotatedTwice`] and gives the agreement of each annotator, over comparisons that at least two others saw.
    pub(super) fn finish(
        mut self,
        people: &People,
        files: &[String],
        findings: &mut Findings,
    ) -> BTreeMap<u32, Agreement> {
        self.log.sort_unstable();
        let mut twice: Vec<(Logged, Logged)> = Vec::new();
        let by_person =
            |a: &Logged, b: &Logged| (a.comparison, a.person) == (b.comparison, b.person);
        for same in self.log.chunk_by(by_person).filter(|same| same.len() > 1) {
            twice.extend(same[1..].iter().map(|again| (same[0], *again)));
        }
        twice.sort_by_key(|(_, again)| again.place);
        for (first, again) in twice {
            findings.push_with(Rule::AnnotatedTwice, || {
                let position =
                    |l: Logged| l.chosen.map_or("none".to_owned(), |c| (c + 1).to_string());
                let value = format!(
                    "annotator {} also on line {}; chose position {}, then {}",
                    people.id(again.person),
                    first.place.line,
                    position(first),
                    position(again)
                );
                let file = files[again.place.file as usize].clone();
                Finding {
                    file,
                    ..Finding::new(Rule::AnnotatedTwice, again.place.line, None, &value)
                }
            });
        }
        self.log.dedup_by(|b, a| by_person(a, b));
        self.log.retain(|logged| logged.chosen.is_some());
        self.agreement()
    }

    fn agreement(&self) -> BTreeMap<u32, Agreement> {
        let shared =
            || self.log.chunk_by(|a, b| a.comparison == b.comparison).filter(|g| g.len() > 2);
        let mut all = [0.0; 256];
        for logged in shared().flatten() {
            all[position(logged)] += 1.0;
        }
        let n_all: f64 = all.iter().sum();
        let mut people: BTreeMap<u32, Agreement> = BTreeMap::new();
        for group in shared() {
            let mut counts = [0.0; 256];
            for logged in group {
                counts[position(logged)] += 1.0;
            }
            let others = group.len() as f64 - 1.0;
            let n_pairs: f64 = counts.iter().map(|n| n * (n - 1.0)).sum();
            let chance: f64 = counts.iter().zip(&all).map(|(n, all)| n * all).sum();
            for logged in group {
                let own = counts[position(logged)];
                let observed = (own - 1.0) / others;
                // Leaving out the own choice takes `own - 1` pairs away, each in two orders.
                let pairs_of_others = n_pairs - 2.0 * (own - 1.0);
                let typical = pairs_of_others / (others * (others - 1.0));
                let agreement = people.entry(logged.person).or_default();
                agreement.differences.push(observed - typical);
                agreement.observed += observed;
                agreement.by_chance += (chance - all[position(logged)]) / (n_all * others);
            }
        }
        people
    }
}

fn position(logged: &Logged) -> usize {
    logged.chosen.map_or(0, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{examples, report};

    #[test]
    fn one_annotator_twice_on_one_comparison() {
        fn check(rows: &[(&str, &str, &str)], expected: &[(u64, &str)]) {
            let rows: Vec<[&str; 9]> = rows
                .iter()
                .map(|(who, prompt, chosen)| {
                    [*who, "en", "india", *prompt, "w", "x", "y", "z", *chosen]
                })
                .collect();
            let found = examples(&report(&rows), Rule::AnnotatedTwice);
            let found: Vec<(u64, &str)> =
                found.iter().map(|(line, _, value)| (*line, &**value)).collect();
            assert_eq!(found, expected);
        }
        check(&[("7", "p", "response_a"), ("8", "p", "response_a"), ("7", "q", "response_a")], &[]);
        check(&[("", "p", "response_a"), ("", "p", "response_a")], &[]);
        check(
            &[
                ("7", "p", "response_a"),
                ("8", "P ", "response_c"),
                ("7", " P", "response_b"),
                ("8", "p", ""),
            ],
            &[
                (4, "annotator 7 also on line 2; chose position 1, then 2"),
                (5, "annotator 8 also on line 3; chose position 3, then none"),
            ],
        );
    }

    #[test]
    fn agreement_is_held_against_that_of_the_others() {
        let mut choices = Choices::default();
        for (person, chosen) in [(0, 1), (1, 1), (2, 1), (3, 0)] {
            let place = Place { file: 0, line: 2 };
            choices.push(Logged { comparison: 5, person, place, chosen: Some(chosen) });
        }
        let found = choices.agreement();
        let of = |person: u32| {
            let Agreement { differences, observed, by_chance } = &found[&person];
            (differences[0], *observed, *by_chance)
        };
        // The others of 0 are 1, 1 and 0: two of three agree with it, one of three pairs agrees.
        assert_eq!(of(0), (2.0 / 3.0 - 1.0 / 3.0, 2.0 / 3.0, (2.0 * 0.75 + 0.25) / 3.0));
        assert_eq!(of(3), (-1.0, 0.0, 0.75));
    }
}
