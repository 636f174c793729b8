//! Candidates of one set that say the same.

use super::texts::Texts;
use crate::comparison::Comparison;
use crate::finding::{Finding, Findings, Rule};

/// Reports [`Rule::ChosenEqualsRejected`] and [`Rule::DuplicateCandidates`], for each candidate that says what an earlier one says.
pub(super) fn look(comparison: &Comparison<'_>, texts: &Texts, findings: &mut Findings) {
    let candidates = &comparison.candidates;
    let chosen = comparison.choice.chosen();
    for i in 1..candidates.len() {
        let text = texts.candidate(i);
        if text.is_empty() {
            continue;
        }
        let Some(j) = (0..i).find(|j| texts.candidate(*j) == text) else {
            continue;
        };
        let rule = if chosen.contains(&i) == chosen.contains(&j) {
            Rule::DuplicateCandidates
        } else {
            Rule::ChosenEqualsRejected
        };
        findings.push_with(rule, || {
            let column = format!("turn {}", comparison.turn);
            let (first, second) = (&candidates[j], &candidates[i]);
            let which = format!("{} and {}: {}", first.id, second.id, first.text());
            Finding::new(rule, comparison.line, Some(&column), &which)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::Case;

    #[test]
    fn case_and_white_space_do_not_tell_candidates_apart() {
        fn check(candidates: &[&str], chosen: Option<usize>, expected: &[(Rule, &str)]) {
            let case = Case::new("p", candidates);
            let comparison = chosen.map_or(case.clone(), |c| case.chosen(c)).comparison();
            let (mut texts, mut findings) = (Texts::default(), Findings::default());
            texts.read(&comparison);
            look(&comparison, &texts, &mut findings);
            let found =
                findings.iter().flat_map(|(rule, _, e)| e.iter().map(move |e| (rule, &*e.value)));
            assert_eq!(found.collect::<Vec<_>>(), expected, "{candidates:?}");
        }
        check(&["x", "y", "z"], Some(0), &[]);
        check(&["", "", "z"], Some(2), &[]);
        check(&["Yes!", "no", "yes! "], Some(1), &[(Rule::DuplicateCandidates, "a and c: Yes!")]);
        check(&["Yes!", "no", "yes! "], Some(2), &[(Rule::ChosenEqualsRejected, "a and c: Yes!")]);
        check(&["Yes!", "yes!"], None, &[(Rule::DuplicateCandidates, "a and b: Yes!")]);
    }
}
