//! `cargo xtask seedlings`: trains the embedded models from scratch, measures them on held-out prompts and
//! writes their model card. Seeded throughout: the same machine gives the same models.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};
use polyculture_engine::{LanguageModel, Model, ModelFiles, Tokenizer};
use polyculture_seedlings::{Split, prompts};

mod card;
mod measure;
mod train;

use measure::Measured;
use train::{PLANS, Plan};

/// Where the models and their card lie, and which models to train.
#[derive(Debug)]
pub(crate) struct Options {
    /// The folder of the crate `polyculture-seedlings`.
    pub(crate) crate_dir: PathBuf,
    /// Where the stock is kept: a build output, not shipped.
    pub(crate) stock_dir: PathBuf,
    /// Only these models are grown, on the stock in place; tokenizer, stock and all models if empty.
    pub(crate) only: Vec<String>,
    /// Nothing is trained, the models in place are measured.
    pub(crate) measure_only: bool,
    /// Measures on the prompts on which choices are made, and leaves the card as it is.
    pub(crate) validation: bool,
}

/// Trains, measures and writes the card.
///
/// # Errors
/// When a training diverges, a model does not fit its tokenizer, or a file cannot be read or written.
pub(crate) fn run(options: &Options) -> Result<()> {
    let models_dir = options.crate_dir.join("models");
    let wanted = |plan: &&Plan| {
        options.only.is_empty() || options.only.iter().any(|name| name == plan.profile.name)
    };
    let plans: Vec<&Plan> = PLANS.iter().filter(wanted).collect();
    if !options.measure_only {
        if options.only.is_empty() || !options.stock_dir.exists() {
            let tokenizer = train::tokenizer(&models_dir)?;
            train::grow_stock(&tokenizer, &options.stock_dir)?;
        }
        for plan in &plans {
            train::grow(plan, &options.stock_dir, &models_dir)?;
        }
    }
    let mut models = Vec::new();
    for plan in plans {
        models.push((plan, load(&models_dir, plan.profile.name)?));
    }
    let prompts = prompts(if options.validation { Split::Validation } else { Split::HeldOut });
    let mut measured = Vec::new();
    for (plan, model) in &models {
        eprintln!("measuring {}", plan.profile.name);
        measured.push(Measured::of(plan, model, &prompts)?);
    }
    let together =
        measure::many_models(&models.iter().map(|(_, model)| model).collect::<Vec<_>>(), &prompts)?;
    let text = card::markdown(&measured, &together);
    if options.only.is_empty() && !options.validation {
        let path = options.crate_dir.join("MODEL_CARD.md");
        std::fs::write(&path, &text).with_context(|| format!("write `{}`", path.display()))?;
    }
    println!("{text}");
    Ok(())
}

fn shared_tokenizer(models_dir: &Path) -> Result<Tokenizer> {
    let read = |path: PathBuf| {
        std::fs::read_to_string(&path).with_context(|| format!("read `{}`", path.display()))
    };
    let config = read(models_dir.join(PLANS[0].profile.name).join("tokenizer_config.json"))?;
    Ok(Tokenizer::from_json(&read(models_dir.join("tokenizer.json"))?, &config)?)
}

/// The model as it is shipped, rounded to bf16.
fn load(models_dir: &Path, name: &str) -> Result<LanguageModel> {
    let model = Model::load(&ModelFiles::folder(models_dir.join(name)))?;
    Ok(LanguageModel::new(model, shared_tokenizer(models_dir)?)?)
}

/// The tokens of a chat prompt that ends where the model's answer begins.
fn prompt_tokens(
    model: &LanguageModel,
    turns: &[(polyculture_seedlings::Role, String)],
) -> Result<Vec<u32>> {
    let messages: Vec<_> = turns
        .iter()
        .map(|(role, text)| polyculture_engine::ChatMessage::new(role.as_str(), text.as_str()))
        .collect();
    let prompt = model.tokenizer.chat_prompt(&messages, true, SystemTime::UNIX_EPOCH)?;
    Ok(model.tokenizer.encode(&prompt)?)
}
