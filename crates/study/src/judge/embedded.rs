//! The embedded judge: a small classifier of texts for each axis, in the binary. It answers at once,
//! offline and always the same; how good it is, `judge validate` says.
//!
//! A text becomes the hashed counts of its words and word pairs; a multinomial logistic regression
//! per axis gives a probability to each of the three places, and the likeliest is the verdict.

use super::Judge;
use futures::future::BoxFuture;
use polyculture_core::{Axis, AxisId, CandidateSet, Outcome, Position, Seed};
use polyculture_llm::ModelError;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::sync::LazyLock;

/// The name that its verdicts carry.
pub const NAME: &str = "embedded/judge";

/// Slots that words and word pairs are hashed into.
const SLOTS: usize = 1 << 14;
const CLASSES: usize = 3;

/// A classifier for each axis it was trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddedJudge {
    axes: Vec<(AxisId, Classifier)>,
}

/// Features, the axis, and the place on it.
pub(crate) type Example<'a> = (&'a Features, &'a AxisId, Position);

/// A text whose place on an axis is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The axis.
    pub axis: AxisId,
    /// The place.
    pub position: Position,
    /// What is said.
    pub text: String,
}

/// How a classifier is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Training {
    /// Passes over the texts.
    pub epochs: usize,
    /// The first step's length; it falls linearly to nothing.
    pub learning_rate: f32,
    /// Ridge penalty per step.
    pub ridge: f32,
}

impl Default for Training {
    fn default() -> Self {
        Self { epochs: 6, learning_rate: 0.5, ridge: 1e-5 }
    }
}

/// Why stored weights cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeightsError {
    /// Another file, or a damaged one.
    #[error("judge weights are {found} bytes for {axes} axes, and {expected} are needed")]
    Length {
        /// Bytes there.
        found: usize,
        /// Axes asked for.
        axes: usize,
        /// Bytes needed.
        expected: usize,
    },
}

static BUILT_IN: LazyLock<EmbeddedJudge> = LazyLock::new(|| {
    EmbeddedJudge::from_bytes(built_in_axes(), include_bytes!("../../data/judge.bin"))
        .expect("the built-in weights are checked by a test")
});

/// The axes that the judge in the binary knows, in the order of its weights.
pub(crate) fn built_in_axes() -> Vec<AxisId> {
    polyculture_core::ValueFrame::inglehart_welzel().axes.into_iter().map(|axis| axis.id).collect()
}

impl EmbeddedJudge {
    /// The judge in the binary, for the axes of the Inglehart-Welzel frame.
    #[must_use]
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Trains a judge for these axes. The same texts in the same order give the same judge.
    #[must_use]
    pub fn train(axes: &[AxisId], texts: &[Labelled], training: Training, seed: Seed) -> Self {
        let features: Vec<Features> = texts.iter().map(|text| Features::of(&text.text)).collect();
        let examples: Vec<Example<'_>> =
            features.iter().zip(texts).map(|(f, text)| (f, &text.axis, text.position)).collect();
        Self::train_on(axes, &examples, training, seed)
    }

    /// As [`EmbeddedJudge::train`], from features that were made before.
    pub(crate) fn train_on(
        axes: &[AxisId],
        examples: &[Example<'_>],
        training: Training,
        seed: Seed,
    ) -> Self {
        let trained = axes.iter().map(|axis| {
            let of_axis: Vec<(&Features, Position)> = examples
                .iter()
                .filter(|(_, probed, _)| *probed == axis)
                .map(|(features, _, position)| (*features, *position))
                .collect();
            let classifier =
                Classifier::train(&of_axis, training, seed.stream("judge", axis.as_str()));
            (axis.clone(), classifier)
        });
        Self { axes: trained.collect() }
    }

    /// The axes that it knows.
    pub fn axes(&self) -> impl Iterator<Item = &AxisId> {
        self.axes.iter().map(|(axis, _)| axis)
    }

    /// The place of a text on an axis, or nothing if the judge does not know the axis.
    #[must_use]
    pub fn position(&self, text: &str, axis: &AxisId) -> Option<Position> {
        self.position_of(&Features::of(text), axis)
    }

    /// As [`EmbeddedJudge::position`], from features that were made before.
    pub(crate) fn position_of(&self, features: &Features, axis: &AxisId) -> Option<Position> {
        let (_, classifier) = self.axes.iter().find(|(known, _)| known == axis)?;
        let scores = classifier.scores(features);
        let best = (0..CLASSES).max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
        best.map(|class| Position::ALL[class])
    }

    /// The weights as bytes: per axis its scale (f32) and its weights (i16), little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.axes.iter().flat_map(|(_, classifier)| classifier.to_bytes()).collect()
    }

    /// A judge from stored weights.
    ///
    /// # Errors
    /// If there are not as many as the axes need.
    pub fn from_bytes(axes: Vec<AxisId>, bytes: &[u8]) -> Result<Self, WeightsError> {
        let expected = axes.len() * Classifier::BYTES;
        if bytes.len() != expected {
            return Err(WeightsError::Length { found: bytes.len(), axes: axes.len(), expected });
        }
        let classifiers = bytes.chunks_exact(Classifier::BYTES).map(Classifier::from_bytes);
        Ok(Self { axes: axes.into_iter().zip(classifiers).collect() })
    }
}

impl Judge for EmbeddedJudge {
    fn name(&self) -> &str {
        NAME
    }

    fn place<'a>(
        &'a self,
        _set: &'a CandidateSet,
        response: &'a str,
        axis: &'a Axis,
    ) -> BoxFuture<'a, Result<Outcome, ModelError>> {
        let outcome = match self.position(response, &axis.id) {
            Some(position) => Outcome::Scored { position, flipped: false },
            None => Outcome::Unscored {
                unscored: format!("the embedded judge does not know axis `{}`", axis.id),
            },
        };
        Box::pin(std::future::ready(Ok(outcome)))
    }
}

/// A text as slots and their weights, of length 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Features(Vec<(u32, f32)>);

impl Features {
    /// The features of a text: its words and word pairs, each counted as 1 + ln(count), scaled to
    /// length 1. A text without a word has none.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut hashes: Vec<u32> = Vec::with_capacity(2 * text.len() / 5);
        let mut previous = 0u64;
        let mut word = FNV_START;
        for c in text.chars().chain([' ']) {
            if is_of_word(c) || c == '\'' || c == '\u{2019}' {
                if is_of_word(c) {
                    for low in c.to_lowercase() {
                        word = fnv(word, u64::from(u32::from(low)));
                    }
                }
            } else if word != FNV_START {
                hashes.push(slot(word));
                if previous != 0 {
                    // Turned, so that a pair is not the same the other way round.
                    hashes.push(slot(fnv(previous.rotate_left(17), word)));
                }
                previous = word;
                word = FNV_START;
            }
        }
        hashes.sort_unstable();
        let mut features: Vec<(u32, f32)> = Vec::with_capacity(hashes.len());
        for same in hashes.chunk_by(|a, b| a == b) {
            features.push((same[0], 1.0 + (same.len() as f32).ln()));
        }
        let length = features.iter().map(|(_, x)| x * x).sum::<f32>().sqrt();
        for (_, x) in &mut features {
            *x /= length;
        }
        Self(features)
    }

    /// Slots and weights, in the order of slots.
    #[must_use]
    pub fn as_slice(&self) -> &[(u32, f32)] {
        &self.0
    }
}

impl AsRef<[(u32, f32)]> for Features {
    fn as_ref(&self) -> &[(u32, f32)] {
        &self.0
    }
}

/// Letters and digits, and the vowel signs of Indian scripts, without which half of a Hindi word would be missing.
fn is_of_word(c: char) -> bool {
    let is_sign = ('\u{900}'..='\u{dff}').contains(&c) && !matches!(c, '\u{964}' | '\u{965}');
    c.is_alphanumeric() || is_sign
}

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv(hash: u64, value: u64) -> u64 {
    (hash ^ value).wrapping_mul(0x0000_0100_0000_01b3)
}

fn slot(hash: u64) -> u32 {
    // The high bits are the best mixed ones.
    ((hash ^ (hash >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 50) as u32 % SLOTS as u32
}

/// Multinomial logistic regression on hashed features. The last row is the bias.
#[derive(Debug, Clone, PartialEq)]
struct Classifier {
    weights: Vec<[f32; CLASSES]>,
}

impl Classifier {
    const ROWS: usize = SLOTS + 1;
    const BYTES: usize = 4 + 2 * CLASSES * Self::ROWS;

    fn train(examples: &[(&Features, Position)], training: Training, seed: Seed) -> Self {
        let mut weights = vec![[0.0; CLASSES]; Self::ROWS];
        let mut order: Vec<usize> = (0..examples.len()).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(seed.get());
        let steps = (training.epochs * examples.len()).max(1) as f32;
        let mut step = 0.0;
        for _ in 0..training.epochs {
            order.shuffle(&mut rng);
            for &i in &order {
                let (features, position) = &examples[i];
                let rate = training.learning_rate * (1.0 - step / steps);
                step += 1.0;
                let scores = score(&weights, features);
                let top = scores.iter().copied().fold(f32::MIN, f32::max);
                let exp = scores.map(|s| (s - top).exp());
                let sum: f32 = exp.iter().sum();
                let truth = Position::ALL.iter().position(|p| p == position).expect("one of three");
                let bias = (SLOTS as u32, 0.1);
                for &(slot, x) in features.as_slice().iter().chain([&bias]) {
                    let row = &mut weights[slot as usize];
                    for class in 0..CLASSES {
                        let target = if class == truth { 1.0 } else { 0.0 };
                        let gradient =
                            (exp[class] / sum - target) * x + training.ridge * row[class];
                        row[class] -= rate * gradient;
                    }
                }
            }
        }
        // What is used is what can be stored.
        Self::from_bytes(&Self { weights }.to_bytes())
    }

    fn scores(&self, features: &Features) -> [f32; CLASSES] {
        score(&self.weights, features)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let largest = self.weights.iter().flatten().fold(0f32, |a, b| a.max(b.abs()));
        let scale = (largest / f32::from(i16::MAX)).max(f32::MIN_POSITIVE);
        let mut bytes = scale.to_le_bytes().to_vec();
        let stored = self.weights.iter().flatten().map(|w| (w / scale).round() as i16);
        bytes.extend(stored.flat_map(i16::to_le_bytes));
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        let (scale, stored) = bytes.split_at(4);
        let scale = f32::from_le_bytes(scale.try_into().expect("four bytes"));
        let weights = stored
            .chunks_exact(2 * CLASSES)
            .map(|row| {
                std::array::from_fn(|class| {
                    f32::from(i16::from_le_bytes([row[2 * class], row[2 * class + 1]])) * scale
                })
            })
            .collect();
        Self { weights }
    }
}

fn score(weights: &[[f32; CLASSES]], features: &Features) -> [f32; CLASSES] {
    let mut scores = weights[SLOTS].map(|bias| 0.1 * bias);
    for &(slot, x) in features.as_slice() {
        let row = &weights[slot as usize];
        for class in 0..CLASSES {
            scores[class] += x * row[class];
        }
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(position: Position, text: &str) -> Labelled {
        Labelled { axis: "x".parse().unwrap(), position, text: text.into() }
    }

    #[test]
    fn a_judge_learns_what_it_is_shown() {
        let texts = [
            labelled(Position::Low, "ask your grandmother and pray"),
            labelled(Position::Balanced, "weigh both sides for a week"),
            labelled(Position::High, "read the studies and decide for yourself"),
        ];
        let training = Training { epochs: 50, ..Training::default() };
        let axes = ["x".parse().unwrap()];
        let judge = EmbeddedJudge::train(&axes, &texts, training, Seed::new(1));
        let axis = "x".parse().unwrap();
        for text in &texts {
            assert_eq!(judge.position(&text.text, &axis), Some(text.position), "{}", text.text);
        }
        assert_eq!(judge.position("Pray with your grandmother!", &axis), Some(Position::Low));
        assert_eq!(judge.position("x", &"other".parse().unwrap()), None);
        assert_eq!(EmbeddedJudge::train(&axes, &texts, training, Seed::new(1)), judge);
        assert_eq!(EmbeddedJudge::from_bytes(vec![axis], &judge.to_bytes()).unwrap(), judge);
    }

    #[test]
    fn features_do_not_care_about_case_and_marks() {
        assert_eq!(Features::of("Don't stop, now"), Features::of("dont STOP now."));
        assert_ne!(Features::of("a b"), Features::of("b a"));
        // A word of Devanagari is one word with its vowel signs, and ends before the danda.
        assert_eq!(Features::of("कीजिए।"), Features::of("कीजिए"));
        assert_eq!(Features::of("कीजिए").as_slice().len(), 1);
        assert!(Features::of(" ... ").as_slice().is_empty());
        let length: f32 = Features::of("one two two").as_slice().iter().map(|(_, x)| x * x).sum();
        assert!((length - 1.0).abs() < 1e-6);
    }

    #[test]
    fn damaged_weights_are_refused() {
        let error = EmbeddedJudge::from_bytes(vec!["x".parse().unwrap()], &[0; 10]).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("judge weights are 10 bytes for 1 axes, and {} are needed", Classifier::BYTES)
        );
    }
}
