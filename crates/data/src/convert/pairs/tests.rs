//! Choices of every kind, and the pairs that each rule makes of them.

use super::*;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// `rules` with the rows that they make of a comparison: chosen and rejected by their letters.
fn check_pairs(
    choice: Choice,
    candidates: &[(Option<&str>, Option<f64>)],
    rules: &[(PairRule, Result<&str, Reason>)],
) {
    let candidates = candidates.iter().enumerate().map(|(i, (text, score))| {
        let id = ["a", "b", "c", "d", "e"][i];
        Candidate { score: *score, ..Candidate::new(id, text.map(Cow::Borrowed)) }
    });
    let comparison = Comparison { candidates: candidates.collect(), choice, ..comparison() };
    for (rule, expected) in rules {
        let pairs = Levels::of(&comparison)
            .and_then(|levels| levels.pairs(&comparison, *rule, false, Seed::new(1)));
        let id = |i: usize| comparison.candidates[i].id.as_ref();
        let shown = pairs.map(|pairs| {
            let all: Vec<String> =
                pairs.pairs.iter().map(|(a, b)| format!("{}>{}", id(*a), id(*b))).collect();
            all.join(" ")
        });
        assert_eq!(shown, expected.map(str::to_owned), "{rule:?} of {:?}", comparison.choice);
    }
}

fn comparison() -> Comparison<'static> {
    Comparison {
        conversation_id: "c".into(),
        turn: 1,
        history: Vec::new(),
        prompt: "Hi?".into(),
        candidates: Vec::new(),
        choice: Choice::None,
        explanation: None,
        annotator_id: None,
        language: None,
        extra: Vec::new(),
        line: 1,
    }
}

#[test]
fn a_choice_becomes_pairs_by_the_rule() {
    use PairRule::{All, BestWorst, Closest, ClosestScore};
    let texts = ["one two three four", "x y z", "one two three five", "one two six"];
    let plain = texts.map(|text| (Some(text), None));
    check_pairs(
        Choice::One(0),
        &plain,
        &[
            (All, Ok("a>b a>c a>d")),
            (Closest, Ok("a>c")),
            (ClosestScore, Err(Reason::NoScores)),
            (BestWorst, Err(Reason::NoOrder)),
        ],
    );
    check_pairs(Choice::One(1), &plain[..2], &[(BestWorst, Ok("b>a")), (Closest, Ok("b>a"))]);
    check_pairs(
        Choice::Several(vec![0, 1]),
        &plain,
        &[(All, Ok("a>c a>d b>c b>d")), (Closest, Ok("a>c b>c"))],
    );
    check_pairs(
        Choice::Ranking(vec![2, 0, 1]),
        &plain,
        &[(All, Ok("c>a c>b a>b")), (BestWorst, Ok("c>b")), (Closest, Ok("c>a"))],
    );
    let scores = [Some(3.0), Some(9.0), Some(3.0), None];
    let scored: Vec<_> = texts.iter().zip(scores).map(|(text, s)| (Some(*text), s)).collect();
    check_pairs(
        Choice::Scores,
        &scored,
        &[(All, Ok("b>a b>c")), (BestWorst, Ok("b>a")), (ClosestScore, Ok("b>a"))],
    );
    check_pairs(Choice::One(1), &scored[..3], &[(BestWorst, Ok("b>a"))]);
    check_pairs(Choice::Scores, &plain, &[(All, Err(Reason::NoChoice))]);
    check_pairs(Choice::Scores, &[scored[0], scored[2]], &[(All, Err(Reason::Tie))]);
    check_pairs(Choice::Tie, &plain, &[(All, Err(Reason::Tie))]);
    check_pairs(Choice::One(0), &plain[..1], &[(All, Err(Reason::NothingRejected))]);
    let silent = [(None, None), (Some("x"), None), (Some("y"), None)];
    check_pairs(Choice::One(0), &silent, &[(All, Err(Reason::ChoiceWithoutText))]);
    check_pairs(Choice::One(1), &silent, &[(All, Ok("b>c"))]);
    check_pairs(Choice::Several(vec![0, 1]), &silent, &[(All, Ok("b>c"))]);
    let same = [(Some("Yes"), None), (Some(" yes "), None), (Some("No"), None)];
    check_pairs(Choice::One(0), &same, &[(All, Ok("a>c")), (Closest, Ok("a>c"))]);
    check_pairs(Choice::One(0), &same[..2], &[(All, Err(Reason::EqualTexts))]);
}

proptest::proptest! {
    #[test]
    fn texts_are_the_same_if_they_fold_alike(a in "[aAéÉİΣ \n]{0,4}", b in "[aAéÉİΣ \n]{0,4}") {
        let folded = |text: &str| {
            let mut out = String::new();
            crate::fold(text, &mut out);
            out
        };
        proptest::prop_assert_eq!(says_the_same(&a, &b), folded(&a) == folded(&b));
    }
}

#[test]
fn chance_is_the_comparisons_own() {
    let candidates: Vec<Candidate<'_>> =
        ["a", "b", "c", "d"].map(|id| Candidate::new(id, Some(id.into()))).into();
    let mut seen = BTreeSet::new();
    for i in 0..40 {
        let c = Comparison {
            conversation_id: i.to_string().into(),
            candidates: candidates.clone(),
            choice: Choice::One(0),
            ..comparison()
        };
        let pick = |c: &Comparison<'_>, seed| {
            let levels = Levels::of(c).expect("a choice");
            levels.pairs(c, PairRule::Random, false, Seed::new(seed)).expect("a pair").pairs[0].1
        };
        assert_eq!(pick(&c, 1), pick(&Comparison { line: 99, ..c.clone() }, 1));
        seen.insert((pick(&c, 1), pick(&c, 2)));
    }
    assert_eq!(seen.len(), 9, "all pairs of picks under two seeds");
}
