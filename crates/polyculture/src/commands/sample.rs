//! `sample`: draws candidate sets.

use super::study::{config, open};
use crate::args::SampleArgs;
use crate::failure::Failure;
use crate::progress::Shown;
use crate::table::Table;
use polyculture_llm::{ChatRequest, Message, Params};
use polyculture_study::Progress;
use polyculture_study::pipeline::Study;
use polyculture_study::sample::{Plan, Strategy};

pub(crate) async fn run(args: SampleArgs) -> Result<(), Failure> {
    let mut config = config(&args.study)?;
    let sample = &mut config.sample;
    if !args.models.is_empty() {
        sample.models = args.models;
    }
    if !args.strategies.is_empty() {
        sample.strategies = args.strategies;
    }
    sample.prompts = args.prompts.unwrap_or(std::mem::take(&mut sample.prompts));
    sample.language = args.language.unwrap_or(std::mem::take(&mut sample.language));
    sample.k = args.k.unwrap_or(sample.k);
    sample.sets_per_prompt = args.sets_per_prompt.unwrap_or(sample.sets_per_prompt);
    sample.limit = args.limit.unwrap_or(sample.limit);
    sample.max_tokens = args.max_tokens.unwrap_or(sample.max_tokens);
    sample.concurrency = args.concurrency.unwrap_or(sample.concurrency);
    let study = open(&args.study.study, config)?;
    if args.dry_run {
        forecast(&study, &study.plan()?);
        return Ok(());
    }
    let progress = Shown::new();
    let sampled = study.sample(args.force, &progress).await?;
    for missing in &sampled.unusable {
        progress.note(&format!("warning: {missing}"));
    }
    println!(
        "{}: {} sets, {} of them drawn now",
        study.folder.candidates().display(),
        sampled.sets.len(),
        sampled.sets.len() - sampled.resumed
    );
    if sampled.unusable.is_empty() {
        return Ok(());
    }
    let n = sampled.unusable.len();
    Err(Failure::no(format!(
        "{n} sets could not be drawn; run again with more `retries` to try anew"
    )))
}

/// How many calls each model would get, and what they may cost at most.
fn forecast(study: &Study, plan: &Plan) {
    let mut table = Table::new(["model", "sets", "calls", "at most"]);
    let sets = plan.prompts.len() * plan.sets_per_prompt;
    for model in &plan.models {
        let (mut n_sets, mut n_calls, mut cost) = (0, 0.0, 0.0);
        for strategy in &plan.strategies {
            // Many models share their sets' calls.
            let (of_model, calls, responses) = match strategy {
                Strategy::Temperature(_) | Strategy::Sequential(_) => (sets, sets * plan.k, 1),
                Strategy::ManyModels(_) => (0, sets * plan.k / plan.models.len(), 1),
                Strategy::Nc(_) | Strategy::Verbalised(_) => (sets, sets, plan.k),
            };
            n_sets += of_model;
            n_calls += calls as f64;
            let longest = plan.prompts.iter().map(|prompt| &prompt.text).max_by_key(|t| t.len());
            let max_tokens = plan.max_tokens * u32::try_from(responses).unwrap_or(u32::MAX);
            let request = ChatRequest::new([Message::user(longest.cloned().unwrap_or_default())])
                .with(Params { max_tokens, ..Params::default() });
            if let Some(price) = study.registry.price(model.id()) {
                cost += calls as f64 * price.at_most(&request, 1).units();
            }
        }
        let known = study.registry.price(model.id()).is_some();
        let cost = if known { format!("{cost:.2}") } else { "no price given".into() };
        table.row([model.id().to_string(), n_sets.to_string(), format!("{n_calls}"), cost]);
    }
    table.print();
    println!(
        "  Replies that do not hold what was asked for are drawn again, up to {} times, on top.",
        plan.retries
    );
}
