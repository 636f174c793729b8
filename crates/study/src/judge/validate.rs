//! How good is the embedded judge? Measured where the truth is known: on held-out prompts of the
//! seedlings' world, and on the curated instrument by cross-validation over prompts, in each language.

use super::embedded::{EmbeddedJudge, Example, Features, Labelled, NAME, Training, built_in_axes};
use crate::estimates::to_core;
use polyculture_core::results::JudgeRow;
use polyculture_core::{AxisId, Estimate, Instrument, Position, Seed, ValueFrame};
use polyculture_seedlings::{Lean, Split, labelled};
use polyculture_stats::agreement::{AgreementError, Confusion};
use polyculture_stats::bootstrap::{Bootstrap, BootstrapError, clustered_mean};
use polyculture_stats::interval::Range;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::HashMap;

/// Folds of the cross-validation over the instrument's prompts.
const FOLDS: usize = 10;
/// Texts for each training prompt of the world and each lean.
const WORLD_TEXTS: usize = 2;
/// How often the instrument's texts stand among the training texts: they are few, and the only
/// ones in people's own words.
const INSTRUMENT_COPIES: usize = 6;

/// Why a judge could not be validated.
#[derive(Debug, thiserror::Error)]
pub enum ValidateError {
    /// No text of that axis.
    #[error("failed to {0}")]
    Bootstrap(#[from] BootstrapError),
    /// A place that is none of the three.
    #[error("failed to {0}")]
    Confusion(#[from] AgreementError),
}

/// The texts that a judge for a frame learns from: the world's training prompts, on the axes that the world has, and the
/// instrument in all its languages.
#[must_use]
pub fn training_texts(frame: &ValueFrame, instrument: &Instrument, seed: Seed) -> Vec<Labelled> {
    let mut texts = world_texts(Split::Train, WORLD_TEXTS, seed);
    texts.retain(|text| frame.axis(&text.axis).is_some());
    texts.extend(copies(instrument_texts(instrument).map(|(_, text)| text)));
    texts
}

/// The built-in judge, trained anew: what `data/judge.bin` holds.
#[must_use]
pub fn train_built_in() -> EmbeddedJudge {
    train(&ValueFrame::inglehart_welzel(), &Instrument::inglehart_welzel())
}

/// The embedded judge for a frame: the one in the binary if it knows the axes, or one that learns from the instrument,
/// in a second or two.
#[must_use]
pub fn embedded_judge(frame: &ValueFrame, instrument: &Instrument) -> EmbeddedJudge {
    let known = built_in_axes();
    if frame.axes.iter().all(|axis| known.contains(&axis.id)) {
        return EmbeddedJudge::built_in().clone();
    }
    train(frame, instrument)
}

fn train(frame: &ValueFrame, instrument: &Instrument) -> EmbeddedJudge {
    let seed = Seed::new(0);
    let axes: Vec<AxisId> = frame.axes.iter().map(|axis| axis.id.clone()).collect();
    EmbeddedJudge::train(&axes, &training_texts(frame, instrument, seed), Training::default(), seed)
}

/// Accuracy of the embedded judge on prompts of the seedlings' world that it has not seen.
///
/// # Errors
/// If the world has no held-out prompt of an axis.
pub fn on_world(
    judge: &EmbeddedJudge,
    settings: &Bootstrap,
) -> Result<Vec<JudgeRow>, ValidateError> {
    let held_out = labelled(Split::HeldOut, 3, 1);
    let items: Vec<Item> = held_out
        .iter()
        .map(|text| Item {
            prompt: text.prompt_id.clone(),
            language: "en".into(),
            axis: axis(text.axis),
            truth: position(text.lean),
            verdict: judge.position(&text.response, &axis(text.axis)),
        })
        .collect();
    let data = "the seedlings' world, held-out prompts (synthetic)";
    summarise(&items, &ValueFrame::inglehart_welzel(), data, settings)
}

/// Accuracy on a curated instrument, in each of its languages: each prompt is judged by a classifier that was trained
/// without any of its responses in any language.
///
/// # Errors
/// If the instrument has no item of an axis.
pub fn on_instrument(
    instrument: &Instrument,
    frame: &ValueFrame,
    settings: &Bootstrap,
) -> Result<Vec<JudgeRow>, ValidateError> {
    let seed = Seed::new(0);
    let axes: Vec<AxisId> = frame.axes.iter().map(|axis| axis.id.clone()).collect();
    let mut world = world_texts(Split::Train, WORLD_TEXTS, seed);
    world.retain(|text| axes.contains(&text.axis));
    let of_world: Vec<Features> = world.iter().map(|text| Features::of(&text.text)).collect();
    let texts: Vec<(&polyculture_core::Item, Labelled)> = instrument_texts(instrument).collect();
    let features: Vec<Features> = texts.iter().map(|(_, t)| Features::of(&t.text)).collect();

    let mut prompts: Vec<&str> = Vec::new();
    for item in instrument.items() {
        if !prompts.contains(&item.id.as_str()) {
            prompts.push(item.id.as_str());
        }
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed.stream("folds", "instrument").get());
    prompts.shuffle(&mut rng);
    let fold: HashMap<&str, usize> =
        prompts.iter().enumerate().map(|(i, prompt)| (*prompt, i % FOLDS)).collect();
    let mut items = Vec::new();
    for held_out in 0..FOLDS.min(prompts.len()) {
        let is_held_out = |item: &polyculture_core::Item| fold[item.id.as_str()] == held_out;
        let mut examples: Vec<Example<'_>> =
            of_world.iter().zip(&world).map(|(f, text)| (f, &text.axis, text.position)).collect();
        for ((item, text), features) in texts.iter().zip(&features) {
            if !is_held_out(item) {
                let example = (features, &text.axis, text.position);
                examples.extend(std::iter::repeat_n(example, INSTRUMENT_COPIES));
            }
        }
        let judge = EmbeddedJudge::train_on(&axes, &examples, Training::default(), seed);
        let tested = texts.iter().zip(&features).filter(|((item, _), _)| is_held_out(item));
        items.extend(tested.map(|((item, text), features)| Item {
            prompt: item.id.to_string(),
            language: item.language.clone(),
            axis: text.axis.clone(),
            truth: text.position,
            verdict: judge.position_of(features, &text.axis),
        }));
    }
    let data = "the curated instrument, 10-fold cross-validation over prompts";
    summarise(&items, frame, data, settings)
}

struct Item {
    prompt: String,
    language: String,
    axis: AxisId,
    truth: Position,
    verdict: Option<Position>,
}

/// One row for each language and axis that there are items of.
fn summarise(
    items: &[Item],
    frame: &ValueFrame,
    data: &str,
    settings: &Bootstrap,
) -> Result<Vec<JudgeRow>, ValidateError> {
    let class = |position: Position| (position.value() * 2.0) as usize;
    let mut languages: Vec<&str> = Vec::new();
    for item in items {
        if !languages.contains(&item.language.as_str()) {
            languages.push(&item.language);
        }
    }
    let mut rows = Vec::new();
    let each = languages.iter().flat_map(|l| frame.axes.iter().map(move |axis| (*l, axis)));
    for (language, axis) in each {
        let is_it = |item: &&Item| item.axis == axis.id && item.language == language;
        let of_axis: Vec<&Item> = items.iter().filter(is_it).collect();
        if of_axis.is_empty() {
            continue;
        }
        let mut clusters: HashMap<&str, usize> = HashMap::new();
        let scored: Vec<(usize, f64)> = of_axis
            .iter()
            .filter_map(|item| {
                let next = clusters.len();
                let cluster = *clusters.entry(&item.prompt).or_insert(next);
                Some((cluster, if item.verdict? == item.truth { 1.0 } else { 0.0 }))
            })
            .collect();
        let accuracy: Estimate = to_core(clustered_mean(scored, Range::SHARE, settings)?);
        let pairs = of_axis.iter().map(|item| (class(item.truth), item.verdict.map(class)));
        let confusion = Confusion::new(pairs, 3)?;
        rows.push(JudgeRow {
            judge: NAME.to_owned(),
            data: data.to_owned(),
            language: language.to_owned(),
            axis: axis.id.clone(),
            accuracy,
            confusion: std::array::from_fn(|truth| {
                std::array::from_fn(|verdict| confusion.counts[truth][verdict])
            }),
        });
    }
    Ok(rows)
}

/// Each text of the world teaches its own axis, and one in four that it leans nowhere on the other.
fn world_texts(split: Split, per_prompt: usize, seed: Seed) -> Vec<Labelled> {
    let texts = labelled(split, per_prompt, seed.stream("judge", "world").get());
    let mut out = Vec::with_capacity(texts.len() * 5 / 4);
    for (i, text) in texts.into_iter().enumerate() {
        // Neither three nor six, the texts of a prompt, is a multiple of four: every lean has its turn.
        if i % 4 == 0 {
            let other = polyculture_seedlings::Axis::ALL.into_iter().find(|a| *a != text.axis);
            out.extend(other.map(|other| Labelled {
                axis: axis(other),
                position: Position::Balanced,
                text: text.response.clone(),
            }));
        }
        out.push(Labelled {
            axis: axis(text.axis),
            position: position(text.lean),
            text: text.response,
        });
    }
    out
}

fn instrument_texts(
    instrument: &Instrument,
) -> impl Iterator<Item = (&polyculture_core::Item, Labelled)> {
    instrument.items().iter().flat_map(|item| {
        item.leanings().map(move |leaning| {
            let text = Labelled {
                axis: item.axis.clone(),
                position: leaning.position,
                text: leaning.text.to_owned(),
            };
            (item, text)
        })
    })
}

fn copies(texts: impl Iterator<Item = Labelled>) -> impl Iterator<Item = Labelled> {
    texts.flat_map(|text| std::iter::repeat_n(text, INSTRUMENT_COPIES))
}

fn axis(axis: polyculture_seedlings::Axis) -> AxisId {
    AxisId::new(axis.id()).expect("the world's axes have good ids")
}

fn position(lean: Lean) -> Position {
    match lean {
        Lean::Low => Position::Low,
        Lean::Balanced => Position::Balanced,
        Lean::High => Position::High,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_judge_in_the_binary_is_the_one_that_is_trained_here() {
        assert!(
            train_built_in() == *EmbeddedJudge::built_in(),
            "data/judge.bin is stale; make it again with `cargo xtask judge`"
        );
    }

    #[test]
    fn the_world_is_judged_at_ninety_percent_or_better() {
        for row in on_world(EmbeddedJudge::built_in(), &Bootstrap::default()).unwrap() {
            assert!(row.accuracy.low >= 0.90, "{}: {:?}", row.axis, row.accuracy);
        }
    }

    #[test]
    fn a_judge_for_another_frame_learns_from_its_instrument() {
        let frame = ValueFrame::built_in("hofstede").unwrap();
        let instrument = Instrument::built_in(&frame).unwrap();
        let judge = embedded_judge(&frame, &instrument);
        assert!(judge.axes().eq(frame.axes.iter().map(|axis| &axis.id)));
        // It has read these very texts: it must know nearly all of them.
        let known = instrument_texts(&instrument)
            .filter(|(_, text)| judge.position(&text.text, &text.axis) == Some(text.position));
        assert!(known.count() > 65, "of 72");
        let rows = on_instrument(&instrument, &frame, &Bootstrap::default()).unwrap();
        assert_eq!(rows.len(), 4);
    }

    #[test]
    fn the_instrument_is_judged_better_than_by_chance() {
        let (instrument, frame) = (Instrument::inglehart_welzel(), ValueFrame::inglehart_welzel());
        let rows = on_instrument(&instrument, &frame, &Bootstrap::default()).unwrap();
        assert_eq!(rows.len(), 10, "five languages, two axes");
        for row in rows {
            let place = format!("{} {}: {:?}", row.language, row.axis, row.accuracy);
            assert!(row.accuracy.low > 1.0 / 3.0, "{place}");
            assert_eq!(row.confusion.as_flattened().iter().sum::<usize>(), 90);
        }
    }
}
