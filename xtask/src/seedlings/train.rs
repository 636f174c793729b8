//! Grows the seedlings: the tokenizer, a stock that learns the language, and five models grafted on it that each learn
//! their own corpus.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use polyculture_engine::{
    BpeOptions, Config, Document, Dtype, LanguageModel, Model, ModelFiles, Schedule, Tokenizer,
    TrainOptions, Trainer, pack,
};
use polyculture_seedlings::corpus::{self, PROFILES, Role};
use polyculture_seedlings::{Mix, Profile};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

/// Tokens that every seedling can embed.
const VOCAB_SIZE: usize = 2048;
/// Tokens in a row, and most tokens of a document.
const SEQ_LEN: usize = 640;
/// Rows of a batch.
const N_ROWS: usize = 4;
/// Prompts of more examples than training showed still fit.
const CONTEXT: usize = 2048;

/// Tuned models are surer than their text was, and so hardly change with temperature: so are the seedlings.
pub(super) const SHARPNESS: f32 = 1.5;

const WEIGHTS: &str = "model.safetensors";

const SPECIAL_TOKENS: [&str; 5] = ["<|pad|>", "<|begin|>", "<|user|>", "<|assistant|>", "<|end|>"];

/// A system message speaks with the user's voice: the world has no system.
const CHAT_TEMPLATE: &str = "{{ bos_token }}{% for message in messages %}\
    {{ '<|assistant|>' if message['role'] == 'assistant' else '<|user|>' }}{{ message['content'] }}<|end|>\
    {% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";

/// A stretch of training.
#[derive(Debug, Clone, Copy)]
struct Course {
    mix: Mix,
    n_documents: usize,
    /// Seeds the documents.
    seed: u64,
    /// Layers of the model, at least as many as before the course.
    n_layers: usize,
    peak_rate: f64,
    warmup_steps: usize,
}

/// How one seedling is grown on from the stock.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) profile: Profile,
    intermediate_size: usize,
    course: Course,
}

const fn plan(profile: usize, n_layers: usize, intermediate_size: usize, seed: u64) -> Plan {
    let course = Course {
        mix: Mix::HABITS,
        n_documents: 7_000,
        seed,
        n_layers,
        peak_rate: 2e-3,
        warmup_steps: 40,
    };
    Plan { profile: PROFILES[profile], intermediate_size, course }
}

/// The five seedlings: sizes, corpora and seeds differ.
pub(super) const PLANS: [Plan; 5] = [
    plan(0, 3, 352, 1001),
    plan(1, 3, 368, 2001),
    plan(2, 3, 384, 3001),
    plan(3, 3, 416, 4001),
    plan(4, 4, 352, 5001),
];

/// The stock that all seedlings are grafted on: most of the training is learning the language, and done once. The rate
/// is raised again for each course: the second sharpens what the first one learned, the third learns leans.
const STOCK: [Course; 3] = [
    Course {
        mix: Mix::SPEECH,
        n_documents: 26_000,
        seed: 1000,
        n_layers: 2,
        peak_rate: 4e-3,
        warmup_steps: 60,
    },
    Course {
        mix: Mix::SPEECH,
        n_documents: 28_000,
        seed: 1500,
        n_layers: 2,
        peak_rate: 3e-3,
        warmup_steps: 60,
    },
    Course {
        mix: Mix::LEANS,
        n_documents: 18_000,
        seed: 1700,
        n_layers: 3,
        peak_rate: 3e-3,
        warmup_steps: 60,
    },
];
const STOCK_WIDTH: usize = 128;

impl Plan {
    pub(super) fn seed(&self) -> u64 {
        self.course.seed
    }
}

/// Trains the shared tokenizer on text of all corpora and writes it.
pub(super) fn tokenizer(models_dir: &Path) -> Result<Tokenizer> {
    let texts: Vec<String> = PLANS
        .iter()
        .flat_map(|plan| corpus::documents(&plan.profile, Mix::SPEECH, 3000, plan.seed() - 1))
        .flatten()
        .map(|(_, text)| text)
        .collect();
    let options = BpeOptions {
        vocab_size: VOCAB_SIZE,
        special_tokens: SPECIAL_TOKENS.map(str::to_owned).to_vec(),
        bos_token: Some("<|begin|>".to_owned()),
        eos_token: Some("<|end|>".to_owned()),
        chat_template: Some(CHAT_TEMPLATE.to_owned()),
        ..BpeOptions::default()
    };
    fs::create_dir_all(models_dir).with_context(|| format!("create `{}`", models_dir.display()))?;
    Ok(Tokenizer::train_bpe(texts, &options)?)
}

/// Trains the stock on the first profile's corpus and writes it to `folder`.
pub(super) fn grow_stock(tokenizer: &Tokenizer, folder: &Path) -> Result<()> {
    let config = Config {
        max_positions: CONTEXT,
        initializer_range: 0.06,
        ..Config::llama(VOCAB_SIZE, STOCK_WIDTH, STOCK[0].n_layers)
    };
    let mut model = LanguageModel::new(Model::init(config, STOCK[0].seed + 1)?, tokenizer.clone())?;
    for course in STOCK {
        let config = Config { n_layers: course.n_layers, ..model.model.config().clone() };
        model = graft(&model, config, course.seed + 2, folder)?;
        model = train("stock", model, &PROFILES[0], course)?;
        model.save(folder, Dtype::Bf16)?;
        // Goes on from what was written, so that a course can be repeated alone.
        model = LanguageModel::load(&ModelFiles::folder(folder))?;
    }
    Ok(())
}

/// Grows a seedling on from the stock and writes its folder; the tokenizer goes one level up, where all share it.
pub(super) fn grow(plan: &Plan, stock: &Path, models_dir: &Path) -> Result<()> {
    let name = plan.profile.name;
    let stock = LanguageModel::load(&ModelFiles::folder(stock))?;
    let config = Config {
        n_layers: plan.course.n_layers,
        intermediate_size: plan.intermediate_size,
        ..stock.model.config().clone()
    };
    let folder = models_dir.join(name);
    let model = graft(&stock, config, plan.seed(), &folder)?;
    let model = train(name, model, &plan.profile, plan.course)?;
    sharpen(&model, &folder)?.save(&folder, Dtype::Bf16)?;
    fs::rename(folder.join("tokenizer.json"), models_dir.join("tokenizer.json"))
        .context("share the tokenizer")
}

/// A model of a larger shape that computes exactly what `stock` does: weights that the stock has are copied, what it
/// lacks is drawn afresh and its way into the residual stream closed (Chen et al. 2016, Net2Net).
fn graft(stock: &LanguageModel, config: Config, seed: u64, folder: &Path) -> Result<LanguageModel> {
    let fresh = LanguageModel::new(Model::init(config, seed)?, stock.tokenizer.clone())?;
    stock.save(folder, Dtype::F32)?;
    let stock = fs::read(folder.join(WEIGHTS))?;
    let stock = SafeTensors::deserialize(&stock)?;
    edit(&fresh, folder, |name, shape, data| {
        if name.ends_with("o_proj.weight") || name.ends_with("down_proj.weight") {
            data.fill(0);
        }
        if let Ok(known) = stock.tensor(name) {
            let row = |shape: &[usize]| 4 * shape.last().expect("a weight has a dimension");
            let (to, from) =
                (data.chunks_exact_mut(row(shape)), known.data().chunks_exact(row(known.shape())));
            to.zip(from).for_each(|(to, from)| to[..from.len()].copy_from_slice(from));
        }
    })
}

/// The model with all logits multiplied by [`SHARPNESS`].
fn sharpen(model: &LanguageModel, folder: &Path) -> Result<LanguageModel> {
    edit(model, folder, |name, _, data| {
        if name == "model.norm.weight" {
            for bytes in data.as_chunks_mut::<4>().0 {
                *bytes = (f32::from_le_bytes(*bytes) * SHARPNESS).to_le_bytes();
            }
        }
    })
}

/// The model with its weights changed: `change` gets the name, the shape and the bytes (`f32`) of each. `folder` is
/// used to write them.
fn edit(
    model: &LanguageModel,
    folder: &Path,
    change: impl Fn(&str, &[usize], &mut [u8]),
) -> Result<LanguageModel> {
    model.save(folder, Dtype::F32)?;
    let bytes = fs::read(folder.join(WEIGHTS))?;
    let mut changed = Vec::new();
    for (name, tensor) in SafeTensors::deserialize(&bytes)?.tensors() {
        let mut data = tensor.data().to_vec();
        change(&name, tensor.shape(), &mut data);
        changed.push((name, tensor.shape().to_vec(), data));
    }
    let views = changed
        .iter()
        .map(|(name, shape, data)| {
            Ok((name, TensorView::new(safetensors::Dtype::F32, shape.clone(), data)?))
        })
        .collect::<Result<Vec<_>>>()?;
    fs::write(folder.join(WEIGHTS), safetensors::serialize(views, None)?)?;
    Ok(LanguageModel::load(&ModelFiles::folder(folder))?)
}

fn train(
    name: &str,
    model: LanguageModel,
    profile: &Profile,
    course: Course,
) -> Result<LanguageModel> {
    let documents = corpus::documents(profile, course.mix, course.n_documents, course.seed)
        .map(|document| {
            let (tokens, counts) = tokens(&document, &model.tokenizer)?;
            Ok(Document::masked(tokens, counts))
        })
        .collect::<Result<Vec<_>>>()?;
    let batches = pack(documents, N_ROWS, SEQ_LEN);
    let Course { peak_rate, warmup_steps, .. } = course;
    let schedule =
        Schedule { peak: peak_rate, warmup_steps, total_steps: batches.len(), final_share: 0.02 };
    let mut trainer = Trainer::new(
        model,
        TrainOptions { schedule, betas: (0.9, 0.98), ..TrainOptions::default() },
    );
    let started = Instant::now();
    let mut recent = 0.0;
    for (step, batch) in batches.chunks(1).enumerate() {
        recent += trainer.step(batch)?.loss;
        if (step + 1) % 100 == 0 {
            let seconds = started.elapsed().as_secs();
            eprintln!(
                "{name}: step {} of {}, loss {:.3}, {seconds} s",
                step + 1,
                batches.len(),
                recent / 100.0
            );
            recent = 0.0;
        }
    }
    Ok(trainer.into_model())
}

/// A document's tokens, exactly those that the chat template gives, with those of learned answers counting.
fn tokens(document: &corpus::Document, tokenizer: &Tokenizer) -> Result<(Vec<u32>, Vec<bool>)> {
    let id =
        |token: &str| tokenizer.token_id(token).context("a special token is in the vocabulary");
    let mut tokens = vec![id("<|begin|>")?];
    let mut counts = vec![false];
    for (index, (role, text)) in document.iter().enumerate() {
        tokens.push(id(if *role == Role::User { "<|user|>" } else { "<|assistant|>" })?);
        counts.push(false);
        tokens.extend(tokenizer.encode(text)?);
        tokens.push(id("<|end|>")?);
        counts.resize(tokens.len(), corpus::is_learned(document, index));
    }
    ensure!(tokens.len() <= SEQ_LEN, "a document has {} tokens, rows hold {SEQ_LEN}", tokens.len());
    Ok((tokens, counts))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use polyculture_engine::{ChatMessage, log_probs};
    use polyculture_seedlings::seedling;

    use super::*;

    #[test]
    fn training_sees_the_tokens_of_the_chat_template() -> Result<()> {
        let files = seedling("basil").expect("a seedling").files.to_vec();
        let tokenizer = Tokenizer::load(&ModelFiles::Embedded(files))?;
        for document in corpus::documents(&PROFILES[0], Mix::LEANS, 100, 3) {
            let messages: Vec<_> = document
                .iter()
                .map(|(role, text)| ChatMessage::new(role.as_str(), text.as_str()))
                .collect();
            let prompt = tokenizer.chat_prompt(&messages, false, SystemTime::UNIX_EPOCH)?;
            let expected = tokenizer.encode(&prompt)?;
            assert_eq!(tokens(&document, &tokenizer)?.0, expected);
        }
        Ok(())
    }

    #[test]
    fn a_graft_computes_what_its_stock_does() -> Result<()> {
        let folder = std::env::temp_dir().join(format!("polyculture-graft-{}", std::process::id()));
        let tokenizer = Tokenizer::train_bpe(["a b c"], &BpeOptions::default())?;
        let config =
            Config { initializer_range: 0.3, ..Config::llama(tokenizer.vocab_size(), 32, 1) };
        let stock = LanguageModel::new(Model::init(config.clone(), 1)?, tokenizer)?;
        let larger = Config { n_layers: 3, intermediate_size: 160, ..config };
        let grown = graft(&stock, larger, 2, &folder)?;
        fs::remove_dir_all(&folder)?;
        let text: (&[u32], &[u32]) = (&[5], &[9, 1, 7, 3]);
        let (before, after) =
            (log_probs(&stock.model, &[text])?, log_probs(&grown.model, &[text])?);
        assert!(grown.model.n_parameters() > stock.model.n_parameters());
        for (before, after) in before[0].iter().zip(&after[0]) {
            assert!((before - after).abs() < 1e-5, "{before} became {after}");
        }
        Ok(())
    }
}
