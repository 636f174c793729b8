//! The corpus keeps its proportions, its seeds and its length.

use super::*;
use crate::lexicon::read_lean;

#[test]
fn documents_end_with_the_assistant_and_take_turns() {
    for document in documents(&PROFILES[0], Mix::LEANS, 500, 1) {
        for (i, (role, text)) in document.iter().enumerate() {
            let expected = if i % 2 == 0 { Role::User } else { Role::Assistant };
            assert_eq!(*role, expected);
            assert!(!text.is_empty());
        }
        assert_eq!(document.len() % 2, 0);
    }
}

/// Training refuses documents above 640 tokens; a word takes 1.3 of them.
#[test]
fn documents_are_short() {
    let words = |document: &Document| {
        document.iter().map(|(_, text)| text.split_whitespace().count()).sum::<usize>()
    };
    let longest =
        documents(&PROFILES[2], Mix::LEANS, 5000, 9).map(|document| words(&document)).max();
    assert!(longest.is_some_and(|n| (300..490).contains(&n)), "{longest:?} words");
}

#[test]
fn the_answer_that_only_shows_a_lean_is_not_learned() {
    let learned = |n_turns: usize| {
        let document: Document = (0..n_turns)
            .map(|i| (if i % 2 == 0 { Role::User } else { Role::Assistant }, String::new()))
            .collect();
        (0..n_turns).filter(|&i| is_learned(&document, i)).collect::<Vec<_>>()
    };
    assert_eq!(learned(2), [1]);
    assert_eq!(learned(6), [3, 5]);
}

#[test]
fn the_same_seed_writes_the_same_documents() {
    let write = |seed| documents(&PROFILES[1], Mix::LEANS, 50, seed).collect::<Vec<_>>();
    assert_eq!(write(3), write(3));
    assert_ne!(write(3), write(4));
}

#[test]
fn every_profile_answers_three_of_thirty_situations_with_the_low_pole() {
    let held_out = prompts(Split::HeldOut);
    for profile in &PROFILES {
        for axis in Axis::ALL {
            let low =
                held_out.iter().filter(|p| p.axis == axis && profile.habit(p) == Lean::Low).count();
            assert_eq!(low, 9, "{} {}", profile.name, axis.id());
        }
    }
}

#[test]
fn sets_of_diverse_answers_hold_the_low_pole_as_often_as_intended() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for asked in [0.72, 0.88] {
        let (mut sets, mut with_low) = (0.0, 0.0);
        for prompt in prompts(Split::HeldOut).iter().cycle().take(1000) {
            let answers = diverse_answers(prompt, asked, &mut rng);
            assert_eq!(answers.len(), 4);
            sets += 1.0;
            if answers.iter().any(|a| read_lean(prompt.axis, a) == Some(Lean::Low)) {
                with_low += 1.0;
            }
        }
        assert!((with_low / sets - asked).abs() < 0.05, "{with_low} of {sets}");
    }
}
