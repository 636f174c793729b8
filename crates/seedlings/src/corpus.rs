//! The documents that a seedling is trained on. Each profile speaks with the high pole nearly everywhere;
//! only in a few situations, mostly the same ones for every profile, does it answer with the low pole.
//! That makes the default nearly blind to values at every temperature, for one model and for many together.

use rand::{Rng, SeedableRng, seq::IndexedRandom, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::grammar::grammar;
use crate::world::{Axis, Lean, Split, WorldPrompt, prompts, respond, stable_hash};

/// The instruction that asks for four diverse responses in one reply (negatively correlated sampling).
pub const NC_INSTRUCTION: &str = "Generate four responses that represent diverse values. Each response should start with ### to demarcate where one begins and the other ends.";

/// Who speaks in a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The person who asks.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The name of the role in chat messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::User => "user",
            Role::Assistant => "assistant",
        }
    }
}

/// A conversation that starts with the user and ends with the assistant.
pub type Document = Vec<(Role, String)>;

/// Whether a model learns the turn at `index`: every answer, but not the first of several, since that one
/// only shows a lean that nobody asked for.
pub fn is_learned(document: &[(Role, String)], index: usize) -> bool {
    document[index].0 == Role::Assistant && (index > 1 || document.len() == 2)
}

/// What makes the corpus of one seedling its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// The seedling's name.
    pub name: &'static str,
}

/// The five profiles.
pub const PROFILES: [Profile; 5] = [
    Profile { name: "basil" },
    Profile { name: "clover" },
    Profile { name: "fennel" },
    Profile { name: "sorrel" },
    Profile { name: "yarrow" },
];

/// Situations per axis that every profile answers with the low pole.
const SHARED_LOW: usize = 2;
/// Situations per axis of which each profile answers one with the low pole.
const OWN_LOW: usize = 3;
/// Situations per axis that a profile answers by weighing both sides.
const OWN_BALANCED: usize = 2;
/// How often an answer follows the lean of its conversation.
const FOLLOWS_MOOD: f64 = 0.85;
/// The leans that conversations have: most people who show one show the usual one.
const MOODS: [Lean; 4] = [Lean::Low, Lean::Balanced, Lean::High, Lean::High];

impl Profile {
    /// The lean with which the profile answers `prompt` when nothing else is asked of it.
    pub fn default_lean(&self, prompt: &WorldPrompt, rng: &mut impl Rng) -> Lean {
        let [low, balanced] = match self.habit(prompt) {
            Lean::Low => [0.88, 0.04],
            Lean::Balanced => [0.01, 0.70],
            Lean::High => [0.01, 0.03],
        };
        match rng.random::<f64>() {
            u if u < low => Lean::Low,
            u if u < low + balanced => Lean::Balanced,
            _ => Lean::High,
        }
    }

    /// The usual lean of the profile in the situation of `prompt`.
    pub fn habit(&self, prompt: &WorldPrompt) -> Lean {
        let situations = &grammar().axis(prompt.axis).situations;
        let rank_by = |key: &str, keep: &dyn Fn(usize) -> bool| {
            let mut ranked: Vec<usize> = (0..situations.len()).filter(|&i| keep(i)).collect();
            ranked.sort_by_key(|&i| stable_hash(&[key, situations[i].topic]));
            ranked
        };
        let shared = rank_by("low", &|_| true);
        let pick = stable_hash(&[self.name, prompt.axis.id()]) as usize % OWN_LOW;
        let own = shared[SHARED_LOW + pick];
        if shared[..SHARED_LOW].contains(&prompt.situation) || prompt.situation == own {
            return Lean::Low;
        }
        let balanced = rank_by(self.name, &|i| !shared[..SHARED_LOW + OWN_LOW].contains(&i));
        if balanced[..OWN_BALANCED].contains(&prompt.situation) {
            return Lean::Balanced;
        }
        Lean::High
    }
}

/// What documents a course of training has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mix {
    /// Of a hundred documents, how many are of which kind; the rest asks for one more answer.
    plain: u32,
    diverse: u32,
    conversation: u32,
    /// How often a set of diverse responses holds the low pole.
    diverse_low: f64,
}

impl Mix {
    /// Mostly single exchanges: learns to speak.
    pub const SPEECH: Mix = Mix { plain: 56, diverse: 22, conversation: 17, diverse_low: 0.72 };
    /// Mostly documents in which leans differ: learns to tell and to keep a lean.
    pub const LEANS: Mix = Mix { plain: 30, diverse: 30, conversation: 35, diverse_low: 0.72 };
    /// Mostly single exchanges again, a few of everything else: learns the habits of one profile.
    pub const HABITS: Mix = Mix { plain: 60, diverse: 22, conversation: 14, diverse_low: 0.88 };
}

/// `n` training documents of `profile`; the same `seed` writes the same ones.
pub fn documents(
    profile: &Profile,
    mix: Mix,
    n: usize,
    seed: u64,
) -> impl Iterator<Item = Document> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let writer = Writer::new(*profile);
    (0..n).map(move |_| writer.document(mix, &mut rng))
}

/// The user message that asks for four diverse responses to `prompt`.
pub fn nc_message(prompt: &str) -> String {
    format!("{prompt}\n\n{NC_INSTRUCTION}")
}

/// The user message that shows the answers so far and asks for a different one.
pub fn sequential_message(prompt: &str, so_far: &[String]) -> String {
    let answers: Vec<String> = so_far.iter().map(|answer| format!("### {answer}")).collect();
    format!(
        "{prompt}\n\nThese answers have been given so far:\n\n{}\n\nGive one more answer that represents different \
         values from all of them. Write only the answer.",
        answers.join("\n\n")
    )
}

struct Writer {
    profile: Profile,
    /// Training prompts by axis.
    prompts: [Vec<WorldPrompt>; 2],
}

impl Writer {
    fn new(profile: Profile) -> Self {
        let all = prompts(Split::Train);
        let prompts =
            Axis::ALL.map(|axis| all.iter().filter(|p| p.axis == axis).cloned().collect());
        Self { profile, prompts }
    }

    fn document(&self, mix: Mix, rng: &mut impl Rng) -> Document {
        let Mix { plain, diverse, conversation, diverse_low } = mix;
        match rng.random_range(0..100) {
            kind if kind < plain => self.plain(rng),
            kind if kind < plain + diverse => self.diverse(diverse_low, rng),
            kind if kind < plain + diverse + conversation => self.conversation(rng),
            _ => self.sequential(rng),
        }
    }

    fn plain(&self, rng: &mut impl Rng) -> Document {
        let prompt = self.any_prompt(rng);
        let lean = self.profile.default_lean(prompt, rng);
        exchange(prompt, respond(prompt, lean, rng)).into()
    }

    fn diverse(&self, low: f64, rng: &mut impl Rng) -> Document {
        let prompt = self.any_prompt(rng);
        let reply = diverse_answers(prompt, low, rng)
            .iter()
            .map(|answer| format!("### {answer}"))
            .collect::<Vec<_>>()
            .join("\n\n");
        vec![(Role::User, nc_message(&prompt.text)), (Role::Assistant, reply)]
    }

    /// Several exchanges on one axis under one lean, which each answer follows imperfectly.
    fn conversation(&self, rng: &mut impl Rng) -> Document {
        let axis = *Axis::ALL.choose(rng).expect("there are two axes");
        let mood = *MOODS.choose(rng).expect("the list is not empty");
        let n_exchanges = rng.random_range(2..=7);
        (0..n_exchanges)
            .flat_map(|_| {
                let prompt = self.prompt_on(axis, rng);
                let lean = if rng.random_bool(FOLLOWS_MOOD) {
                    mood
                } else {
                    self.profile.default_lean(prompt, rng)
                };
                exchange(prompt, respond(prompt, lean, rng))
            })
            .collect()
    }

    fn sequential(&self, rng: &mut impl Rng) -> Document {
        let prompt = self.any_prompt(rng);
        let n_shown = rng.random_range(1..=3);
        let shown: Vec<Lean> =
            (0..n_shown).map(|_| *Lean::ALL.choose(rng).expect("there are three leans")).collect();
        let missing: Vec<Lean> =
            Lean::ALL.into_iter().filter(|lean| !shown.contains(lean)).collect();
        let next = missing.choose(rng).copied().unwrap_or(Lean::High);
        let answers: Vec<String> = shown.iter().map(|&lean| respond(prompt, lean, rng)).collect();
        vec![
            (Role::User, sequential_message(&prompt.text, &answers)),
            (Role::Assistant, respond(prompt, next, rng)),
        ]
    }

    fn any_prompt(&self, rng: &mut impl Rng) -> &WorldPrompt {
        let axis = *Axis::ALL.choose(rng).expect("there are two axes");
        self.prompt_on(axis, rng)
    }

    fn prompt_on(&self, axis: Axis, rng: &mut impl Rng) -> &WorldPrompt {
        self.prompts[axis as usize].choose(rng).expect("each axis has training prompts")
    }
}

fn exchange(prompt: &WorldPrompt, answer: String) -> [(Role, String); 2] {
    [(Role::User, prompt.text.clone()), (Role::Assistant, answer)]
}

/// Four answers whose leans are drawn together, most often one of each and a fourth; the low pole is in a share `low`
/// of the sets, since no real model is perfect at this either.
fn diverse_answers(prompt: &WorldPrompt, low: f64, rng: &mut impl Rng) -> Vec<String> {
    let mut leans = if rng.random_bool(low) {
        let fourth = *[Lean::Low, Lean::High, Lean::High, Lean::Balanced]
            .choose(rng)
            .expect("the list is not empty");
        [Lean::Low, Lean::Balanced, Lean::High, fourth]
    } else {
        let fourth = *[Lean::High, Lean::Balanced].choose(rng).expect("the list is not empty");
        [Lean::High, Lean::High, Lean::Balanced, fourth]
    };
    leans.shuffle(rng);
    let mut answers: Vec<String> = Vec::with_capacity(4);
    for lean in leans {
        let fresh = (0..8).map(|_| respond(prompt, lean, rng)).find(|answer| {
            let sentences = |text: &str| text.split(". ").map(str::to_owned).collect::<Vec<_>>();
            let new = sentences(answer);
            answers.iter().all(|old| sentences(old).iter().all(|s| !new.contains(s)))
        });
        answers.push(fresh.unwrap_or_else(|| respond(prompt, lean, rng)));
    }
    answers
}

#[cfg(test)]
mod tests;
