//! The made-up world: prompts that probe one axis each, and answers whose lean is known because we wrote it.

use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::grammar::{Situation, fill, grammar};

/// Pairs of person and matter that each situation keeps back from training, for each of two splits.
const KEPT_BACK: usize = 3;

/// Length of an answer in words.
pub(crate) const ANSWER_WORDS: std::ops::RangeInclusive<usize> = 22..=52;

/// An axis of the Inglehart-Welzel frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// Low: faith, custom, elders, authority. High: evidence, personal choice, expertise, questioning.
    TraditionalSecular,
    /// Low: security, thrift, order, caution. High: self-realisation, diversity, participation, environment.
    SurvivalSelfExpression,
}

impl Axis {
    /// Both axes.
    pub const ALL: [Axis; 2] = [Axis::TraditionalSecular, Axis::SurvivalSelfExpression];

    /// The id of the axis in the value frame.
    pub fn id(self) -> &'static str {
        match self {
            Axis::TraditionalSecular => "traditional-secular",
            Axis::SurvivalSelfExpression => "survival-self-expression",
        }
    }

    fn prompt_prefix(self) -> &'static str {
        match self {
            Axis::TraditionalSecular => "world-ts",
            Axis::SurvivalSelfExpression => "world-ss",
        }
    }
}

/// Which way an answer leans on the axis of its prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lean {
    /// Towards the low pole.
    Low,
    /// Towards neither pole.
    Balanced,
    /// Towards the high pole.
    High,
}

impl Lean {
    /// All leans, from the low pole to the high one.
    pub const ALL: [Lean; 3] = [Lean::Low, Lean::Balanced, Lean::High];

    /// The position on the axis: 0, 0.5 or 1.
    pub fn position(self) -> f64 {
        match self {
            Lean::Low => 0.0,
            Lean::Balanced => 0.5,
            Lean::High => 1.0,
        }
    }
}

/// Whether the models may see a prompt in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Split {
    /// Seen in training.
    Train,
    /// Never seen in training, in any phrasing of its combination of situation, person and matter; choices about
    /// training are made on it.
    Validation,
    /// Never seen in training either, nor when anything was chosen: what is published is measured on it.
    HeldOut,
}

/// A question that an ordinary person asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldPrompt {
    /// Stable, for example `world-ts-0007`; a held-out id carries the same text for ever.
    pub id: String,
    /// The one axis that the prompt probes.
    pub axis: Axis,
    /// A noun phrase for the situation: `the wedding`.
    pub topic: String,
    /// What the person writes.
    pub text: String,
    pub(crate) situation: usize,
    who: &'static str,
    what: &'static str,
}

/// An answer with its known lean, for training and testing a judge.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelledText {
    /// The axis of the prompt.
    pub axis: Axis,
    /// The lean that the answer was written with.
    pub lean: Lean,
    /// The id of the prompt.
    pub prompt_id: String,
    /// The prompt's text.
    pub prompt: String,
    /// The answer.
    pub response: String,
}

/// All prompts of a split, axis by axis. Validation and held out: one phrasing for each of 90 combinations per
/// axis, situations taking turns, so that any prefix spreads over situations. Train: every phrasing of the rest.
pub fn prompts(split: Split) -> Vec<WorldPrompt> {
    Axis::ALL
        .into_iter()
        .flat_map(|axis| match split {
            Split::Train => train_prompts(axis),
            Split::Validation => kept_back_prompts(axis, "-validation", 0..KEPT_BACK),
            Split::HeldOut => kept_back_prompts(axis, "", KEPT_BACK..2 * KEPT_BACK),
        })
        .collect()
}

/// Writes an answer to `prompt` that leans to `lean`: two or three sentences, 22 to 52 words.
pub fn respond(prompt: &WorldPrompt, lean: Lean, rng: &mut impl Rng) -> String {
    let axis = grammar().axis(prompt.axis);
    let answers = &axis.situations[prompt.situation].answers[lean as usize];
    let (openings, closings) = (&axis.openings[lean as usize], &axis.closings[lean as usize]);
    let (who, what) = (as_heard(prompt.who), as_heard(prompt.what));
    let slots =
        [("{who}", who.as_str()), ("{what}", what.as_str()), ("{topic}", prompt.topic.as_str())];
    // Shapes differ in length; those that fall outside the limits are drawn again. A test proves that every
    // situation has answers inside them.
    loop {
        let mut pick = |from: &[&'static str]| *from.choose(rng).expect("no list is empty");
        let (opening, neutral, closing) =
            (pick(openings), pick(&grammar().neutral), pick(closings));
        let (first, second) = (pick(answers), pick(answers));
        let sentences: &[&str] = match rng.random_range(0..10) {
            0..=3 => &[opening, first, closing],
            4 | 5 => &[neutral, first, closing],
            6 | 7 => &[first, closing],
            8 => &[opening, first],
            _ => &[first, second],
        };
        let text = fill(&sentences.join(" "), &slots);
        let repeats = sentences.len() == 2 && sentences[0] == sentences[1];
        if !repeats && ANSWER_WORDS.contains(&text.split_whitespace().count()) {
            return text;
        }
    }
}

/// `per_prompt_and_lean` answers of each lean to each prompt that was kept back, or to one phrasing of each training
/// combination: with 1, 270 texts per axis held out and 900 for training.
pub fn labelled(split: Split, per_prompt_and_lean: usize, seed: u64) -> Vec<LabelledText> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut texts = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for prompt in prompts(split) {
        if !seen.insert((prompt.axis, prompt.situation, prompt.who, prompt.what)) {
            continue;
        }
        for lean in Lean::ALL {
            for _ in 0..per_prompt_and_lean {
                texts.push(LabelledText {
                    axis: prompt.axis,
                    lean,
                    prompt_id: prompt.id.clone(),
                    prompt: prompt.text.clone(),
                    response: respond(&prompt, lean, &mut rng),
                });
            }
        }
    }
    texts
}

/// A stable 64-bit hash (FNV-1a with a final mix) of the parts, independent of platform and release.
pub(crate) fn stable_hash(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

/// The person and matter pairs of a situation by hash: those with the smallest are kept back.
fn pairs(situation: &Situation) -> Vec<(&'static str, &'static str)> {
    let mut pairs: Vec<_> = situation
        .who
        .iter()
        .flat_map(|&who| situation.what.iter().map(move |&what| (who, what)))
        .collect();
    pairs.sort_by_key(|(who, what)| stable_hash(&["split", situation.topic, who, what]));
    pairs
}

fn kept_back_prompts(axis: Axis, mark: &str, ranks: std::ops::Range<usize>) -> Vec<WorldPrompt> {
    let situations = &grammar().axis(axis).situations;
    let frames = &grammar().frames;
    let mut prompts = Vec::new();
    for rank in ranks {
        for (index, situation) in situations.iter().enumerate() {
            let (who, what) = pairs(situation)[rank];
            let hash = stable_hash(&["phrase", situation.topic, who, what]) as usize;
            let ask = situation.asks[hash % situation.asks.len()];
            let frame = frames[(hash >> 16) % frames.len()];
            let id = format!("{}{mark}-{:04}", axis.prompt_prefix(), prompts.len());
            prompts.push(prompt(id, axis, index, (who, what), ask, frame));
        }
    }
    prompts
}

fn train_prompts(axis: Axis) -> Vec<WorldPrompt> {
    let mut prompts = Vec::new();
    for (index, situation) in grammar().axis(axis).situations.iter().enumerate() {
        for &pair in &pairs(situation)[2 * KEPT_BACK..] {
            for &ask in &situation.asks {
                for &frame in &grammar().frames {
                    let id = format!("{}-train-{:05}", axis.prompt_prefix(), prompts.len());
                    prompts.push(prompt(id, axis, index, pair, ask, frame));
                }
            }
        }
    }
    prompts
}

fn prompt(
    id: String,
    axis: Axis,
    situation: usize,
    (who, what): (&'static str, &'static str),
    ask: &str,
    frame: &str,
) -> WorldPrompt {
    let topic = grammar().axis(axis).situations[situation].topic;
    let slots = [("{who}", who), ("{what}", what), ("{topic}", topic)];
    WorldPrompt {
        id,
        axis,
        topic: topic.to_owned(),
        text: fill(&frame.replace("{ask}", &fill(ask, &slots)), &[]),
        situation,
        who,
        what,
    }
}

/// Turns what the asker says of themselves into what the one who answers says: `my son` to `your son`.
pub(crate) fn as_heard(phrase: &str) -> String {
    phrase
        .split(' ')
        .map(|word| match word {
            "my" => "your",
            "me" => "you",
            "our" => "your",
            word => word,
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests;
