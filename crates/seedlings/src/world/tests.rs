//! The laws of the world: no value is named, held-out prompts are new, every situation renders.

use super::*;
use std::collections::HashSet;

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(7)
}

#[test]
fn every_situation_is_complete_and_answers_within_the_limits_for_each_lean() {
    for axis in Axis::ALL {
        let situations = &grammar().axis(axis).situations;
        assert_eq!(situations.len(), 30);
        for situation in situations {
            assert_eq!((situation.who.len(), situation.what.len()), (4, 4), "{}", situation.topic);
            assert_eq!(situation.asks.len(), 3, "{}", situation.topic);
        }
    }
    let mut rng = rng();
    for prompt in prompts(Split::HeldOut) {
        for lean in Lean::ALL {
            for _ in 0..20 {
                let text = respond(&prompt, lean, &mut rng);
                let words = text.split_whitespace().count();
                assert!(ANSWER_WORDS.contains(&words), "{words} words: {text}");
                assert!(!text.contains(['{', '}', '|', '#']), "{text}");
            }
        }
    }
}

#[test]
fn no_text_names_a_value() {
    let named = ["tradition", "secular", "rational", "surviv", "self-expression", "express"];
    let texts = labelled(Split::HeldOut, 10, 3);
    for text in texts.iter().flat_map(|t| [&t.prompt, &t.response]) {
        let lower = text.to_lowercase();
        assert!(named.iter().all(|word| !lower.contains(word)), "{text}");
    }
}

#[test]
fn leans_are_equally_long() {
    let texts = labelled(Split::HeldOut, 10, 4);
    for axis in Axis::ALL {
        let mean = |lean| {
            let words: Vec<usize> = texts
                .iter()
                .filter(|t| t.axis == axis && t.lean == lean)
                .map(|t| t.response.split_whitespace().count())
                .collect();
            words.iter().sum::<usize>() as f64 / words.len() as f64
        };
        assert!((mean(Lean::Low) / mean(Lean::High) - 1.0).abs() < 0.06);
    }
}

#[test]
fn held_out_combinations_never_occur_in_training() {
    let key = |p: &WorldPrompt| (p.axis, p.situation, p.who, p.what);
    let train: HashSet<_> = prompts(Split::Train).iter().map(key).collect();
    let validation: HashSet<_> = prompts(Split::Validation).iter().map(key).collect();
    let held_out = prompts(Split::HeldOut);
    assert!(train.is_disjoint(&validation));
    assert!(held_out.iter().map(key).all(|k| !train.contains(&k) && !validation.contains(&k)));
    for axis in Axis::ALL {
        assert_eq!(held_out.iter().filter(|p| p.axis == axis).count(), 90);
        assert_eq!(validation.iter().filter(|p| p.0 == axis).count(), 90);
    }
}

#[test]
fn ids_and_texts_are_unique_and_stable() {
    let all = [prompts(Split::Train), prompts(Split::Validation), prompts(Split::HeldOut)].concat();
    let ids: HashSet<_> = all.iter().map(|p| &p.id).collect();
    let texts: HashSet<_> = all.iter().map(|p| &p.text).collect();
    assert_eq!(ids.len(), all.len());
    assert_eq!(texts.len(), all.len());
    let seventh = &prompts(Split::HeldOut)[7];
    assert_eq!(seventh.id, "world-ts-0007");
    assert_eq!(
        seventh.text,
        "I could use some advice. My son chose philosophy and my parents are against it. What do you advise?"
    );
}

#[test]
fn the_same_seed_writes_the_same_text() {
    assert_eq!(labelled(Split::HeldOut, 2, 5), labelled(Split::HeldOut, 2, 5));
    assert_ne!(labelled(Split::HeldOut, 2, 5), labelled(Split::HeldOut, 2, 6));
}
