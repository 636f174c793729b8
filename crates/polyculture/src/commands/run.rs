//! `run`: all stages of a study in order, with a short table after each. The demo is a study too.

use super::study::{Clock, config, keep, open, print_json};
use crate::args::RunArgs;
use crate::failure::Failure;
use crate::progress::Shown;
use crate::table;
use polyculture_core::Results;
use polyculture_study::Progress;
use polyculture_study::pipeline::{Study, made};

pub(crate) async fn run(args: RunArgs) -> Result<(), Failure> {
    let config = config(&args.study)?;
    let study = open(&args.study.study, config)?;
    stages(&study, args.force, args.json).await.map(|_| ())
}

/// Samples, judges, evaluates and reports; prints tables, or one JSON document.
pub(crate) async fn stages(study: &Study, force: bool, json: bool) -> Result<Results, Failure> {
    let clock = Clock::start();
    let progress = Shown::new();
    let sampled = study.sample(force, &progress).await?;
    for missing in &sampled.unusable {
        progress.note(&format!("warning: {missing}"));
    }
    if sampled.sets.is_empty() {
        return Err(Failure::world("no candidate set could be drawn"));
    }
    if !json {
        let responses: usize = sampled.sets.iter().map(|set| set.responses.len()).sum();
        println!(
            "sample    {} sets, {responses} responses by {} models{}",
            sampled.sets.len(),
            study.config.sample.models.len(),
            resumed(sampled.resumed)
        );
    }
    let file = study.folder.candidates();
    let judged =
        study.judge(&sampled.sets, &file, &study.folder.verdicts(), force, &progress).await?;
    if !json {
        let unscored = judged.verdicts.iter().filter(|v| v.outcome.position().is_none()).count();
        println!(
            "judge     {} verdicts by {}, {unscored} unscored{}\n",
            judged.verdicts.len(),
            study.config.judge.model,
            resumed(judged.resumed)
        );
    }
    let mut results =
        study.evaluate(&sampled.sets, &judged.verdicts, made(study, &sampled.sets))?;
    for missing in &sampled.unusable {
        results.warnings.push(missing.to_string());
    }
    clock.stamp(&mut results.made);
    keep(&study.folder, &results)?;
    if json {
        print_json(&results);
    } else {
        show(&results);
        println!("\nreport    {}", study.folder.report().display());
    }
    Ok(results)
}

fn show(results: &Results) {
    table::coverage(results);
    println!();
    table::diversity(results);
    println!();
    table::shares(results);
    println!();
    table::judges(&results.judges);
    if let Some(why) = &results.synthetic {
        println!("\nSYNTHETIC: {why}");
    }
}

fn resumed(n: usize) -> String {
    if n == 0 { String::new() } else { format!(" ({n} were there already)") }
}
