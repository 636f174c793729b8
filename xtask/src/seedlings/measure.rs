//! Measures a seedling on held-out prompts by sampling from it; leans are read from the grammar's wording.

use anyhow::Result;
use polyculture_engine::{GenerateOptions, LanguageModel, Request, Sampling, generate, log_probs};
use polyculture_seedlings::corpus::nc_message;
use polyculture_seedlings::lexicon::{Reading, read, read_lean};
use polyculture_seedlings::{Axis, Lean, Role, Split, WorldPrompt, labelled, respond};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::prompt_tokens;
use super::train::Plan;

/// The temperatures at which the default is measured.
pub(super) const TEMPERATURES: [f64; 6] = [0.3, 0.5, 0.7, 1.0, 1.2, 1.5];
/// Independent samples of a set.
const K: usize = 4;
/// Earlier exchanges shown when in-context leaning is measured.
pub(super) const N_EXAMPLES: usize = 4;

/// `hits` of `n` prompts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rate {
    pub(super) hits: usize,
    pub(super) n: usize,
}

impl Rate {
    fn count(&mut self, hit: bool) {
        self.n += 1;
        self.hits += usize::from(hit);
    }

    pub(super) fn share(self) -> f64 {
        self.hits as f64 / self.n as f64
    }

    /// Wilson's 95 % interval (Wilson 1927).
    pub(super) fn interval(self) -> (f64, f64) {
        let (n, p, z) = (self.n as f64, self.share(), 1.959_964);
        let centre = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        (centre - half, centre + half)
    }
}

/// One rate per axis, in the order of [`Axis::ALL`].
pub(super) type ByAxis = [Rate; 2];

/// What was found for one seedling.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) name: &'static str,
    pub(super) n_parameters: usize,
    pub(super) intermediate_size: usize,
    pub(super) n_layers: usize,
    /// Per token, of answers that the grammar writes to held-out prompts with the profile's default lean.
    pub(super) perplexity: f64,
    pub(super) n_perplexity_tokens: usize,
    /// One answer per prompt at temperature 0.7: about the prompt's situation, and made of whole known words.
    pub(super) on_topic: Rate,
    pub(super) well_formed: Rate,
    /// Sets of four independent answers with the low pole, by temperature.
    pub(super) default_coverage: [ByAxis; TEMPERATURES.len()],
    /// Sets of four from the instruction: exactly four sections, and with the low pole.
    pub(super) nc_four: Rate,
    pub(super) nc_coverage: ByAxis,
    /// First answers at temperature 1 by lean, without and with examples of that lean before the prompt.
    pub(super) lean_by_default: [ByAxis; 3],
    pub(super) lean_after_examples: [ByAxis; 3],
    /// An answer by default and the answer to the instruction, to show.
    pub(super) shown: [String; 3],
}

impl Measured {
    pub(super) fn of(plan: &Plan, model: &LanguageModel, held_out: &[WorldPrompt]) -> Result<Self> {
        let mut default_coverage = [ByAxis::default(); TEMPERATURES.len()];
        let mut lean_by_default = [ByAxis::default(); 3];
        let (mut on_topic, mut well_formed) = (Rate::default(), Rate::default());
        let mut shown = <[String; 3]>::default();
        for (i, &temperature) in TEMPERATURES.iter().enumerate() {
            let answers = default_answers(model, held_out, temperature, K, plan.seed())?;
            for (prompt, set) in held_out.iter().zip(answers.chunks(K)) {
                let readings: Vec<Reading> =
                    set.iter().map(|answer| read(prompt, answer)).collect();
                let low = readings.iter().any(|r| r.lean == Some(Lean::Low));
                default_coverage[i][prompt.axis as usize].count(low);
                if temperature == 0.7 {
                    on_topic.count(readings[0].on_topic);
                    well_formed.count(readings[0].known_words == 1.0);
                }
                if temperature == 1.0 {
                    for lean in Lean::ALL {
                        lean_by_default[lean as usize][prompt.axis as usize]
                            .count(readings[0].lean == Some(lean));
                    }
                }
            }
            if temperature == 0.7 {
                shown[..2].clone_from_slice(&[held_out[7].text.clone(), answers[7 * K].clone()]);
            }
        }

        let asked: Vec<_> =
            held_out.iter().map(|p| vec![(Role::User, nc_message(&p.text))]).collect();
        let replies = sample(model, &asked, 1.0, 320, plan.seed())?;
        shown[2].clone_from(&replies[7]);
        let (mut nc_four, mut nc_coverage) = (Rate::default(), ByAxis::default());
        for (prompt, reply) in held_out.iter().zip(&replies) {
            let sections: Vec<&str> = reply.split("###").skip(1).map(str::trim).collect();
            nc_four.count(sections.len() == K);
            let low =
                sections.iter().any(|section| read_lean(prompt.axis, section) == Some(Lean::Low));
            nc_coverage[prompt.axis as usize].count(low);
        }

        let mut lean_after_examples = [ByAxis::default(); 3];
        for lean in Lean::ALL {
            let asked = with_examples(held_out, lean, plan.seed());
            for (prompt, answer) in
                held_out.iter().zip(sample(model, &asked, 1.0, 96, plan.seed())?)
            {
                let found = read_lean(prompt.axis, &answer);
                lean_after_examples[lean as usize][prompt.axis as usize].count(found == Some(lean));
            }
        }
        let (perplexity, n_perplexity_tokens) = perplexity(plan, model, held_out)?;
        let config = model.model.config();
        Ok(Measured {
            name: plan.profile.name,
            n_parameters: model.model.n_parameters(),
            intermediate_size: config.intermediate_size,
            n_layers: config.n_layers,
            perplexity,
            n_perplexity_tokens,
            on_topic,
            well_formed,
            default_coverage,
            nc_four,
            nc_coverage,
            lean_by_default,
            lean_after_examples,
            shown,
        })
    }
}

/// Coverage of the low pole by sets of four answers, each from another model, at temperature 1.
pub(super) fn many_models(models: &[&LanguageModel], held_out: &[WorldPrompt]) -> Result<ByAxis> {
    let mut low = vec![0; held_out.len()];
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let orders: Vec<Vec<usize>> = held_out
        .iter()
        .map(|_| rand::seq::index::sample(&mut rng, models.len(), K.min(models.len())).into_vec())
        .collect();
    for (m, model) in models.iter().enumerate() {
        let answers = default_answers(model, held_out, 1.0, 1, 77 + m as u64)?;
        for (i, (prompt, answer)) in held_out.iter().zip(&answers).enumerate() {
            let is_low = read_lean(prompt.axis, answer) == Some(Lean::Low);
            low[i] += usize::from(is_low && orders[i].contains(&m));
        }
    }
    let mut coverage = ByAxis::default();
    for (prompt, low) in held_out.iter().zip(low) {
        coverage[prompt.axis as usize].count(low > 0);
    }
    Ok(coverage)
}

fn default_answers(
    model: &LanguageModel,
    held_out: &[WorldPrompt],
    temperature: f64,
    k: usize,
    seed: u64,
) -> Result<Vec<String>> {
    let asked: Vec<_> = held_out
        .iter()
        .flat_map(|prompt| vec![vec![(Role::User, prompt.text.clone())]; k])
        .collect();
    sample(model, &asked, temperature, 96, seed)
}

fn sample(
    model: &LanguageModel,
    conversations: &[Vec<(Role, String)>],
    temperature: f64,
    max_new_tokens: usize,
    seed: u64,
) -> Result<Vec<String>> {
    let mut seeds = ChaCha8Rng::seed_from_u64(seed);
    let requests = conversations
        .iter()
        .map(|turns| {
            Ok(Request {
                prompt: prompt_tokens(model, turns)?,
                seed: seeds.random(),
                sampling: Sampling { temperature, ..Sampling::default() },
                max_new_tokens,
                ..Request::default()
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let completions = generate(model, &requests, &GenerateOptions::default(), |_, _| {})?;
    Ok(completions.into_iter().map(|completion| completion.text).collect())
}

/// Each prompt after [`N_EXAMPLES`] exchanges on its axis with answers of `lean`.
fn with_examples(held_out: &[WorldPrompt], lean: Lean, seed: u64) -> Vec<Vec<(Role, String)>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let examples = Axis::ALL.map(|axis| {
        let all = labelled(Split::Train, 1, seed);
        all.into_iter().filter(|t| t.axis == axis && t.lean == lean).collect::<Vec<_>>()
    });
    held_out
        .iter()
        .map(|prompt| {
            let mut turns: Vec<_> = examples[prompt.axis as usize]
                .choose_multiple(&mut rng, N_EXAMPLES)
                .flat_map(|example| {
                    [
                        (Role::User, example.prompt.clone()),
                        (Role::Assistant, example.response.clone()),
                    ]
                })
                .collect();
            turns.push((Role::User, prompt.text.clone()));
            turns
        })
        .collect()
}

fn perplexity(
    plan: &Plan,
    model: &LanguageModel,
    held_out: &[WorldPrompt],
) -> Result<(f64, usize)> {
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed());
    let (mut sum, mut n) = (0.0, 0);
    for prompt in held_out {
        let lean = plan.profile.default_lean(prompt, &mut rng);
        let question = prompt_tokens(model, &[(Role::User, prompt.text.clone())])?;
        let answer =
            model.tokenizer.encode(&format!("{}<|end|>", respond(prompt, lean, &mut rng)))?;
        let found = log_probs(&model.model, &[(&question, &answer)])?;
        sum += found[0].iter().map(|lp| f64::from(*lp)).sum::<f64>();
        n += answer.len();
    }
    Ok(((-sum / n as f64).exp(), n))
}
