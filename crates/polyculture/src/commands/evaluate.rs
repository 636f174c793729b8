//! `evaluate`: judges what is not judged yet, and measures.

use super::study::{Clock, config, keep, open, print_json, verdicts, write_report};
use crate::args::{EvaluateArgs, EvaluateVerb};
use crate::failure::Failure;
use crate::progress::Shown;
use crate::table::{self, Table};
use polyculture_core::Results;
use polyculture_study::evaluate::NO_STRATEGY;
use polyculture_study::input;
use polyculture_study::pipeline::made;

pub(crate) async fn run(verb: EvaluateVerb) -> Result<(), Failure> {
    match verb {
        EvaluateVerb::Coverage(args) => {
            let results = evaluate(&args).await?;
            if args.json {
                print_json(&results);
            } else {
                show_coverage(&results);
            }
            Ok(())
        }
        EvaluateVerb::Share(args) => {
            let results = evaluate(&args).await?;
            if results.plane.is_none() {
                return Err(Failure::wrong_use(
                    "no model has answered prompts of every axis alone: there is no place to hold people against",
                ));
            }
            if args.json {
                print_json(&results);
            } else {
                table::shares(&results);
                note(&results);
            }
            Ok(())
        }
    }
}

async fn evaluate(args: &EvaluateArgs) -> Result<Results, Failure> {
    let clock = Clock::start();
    let mut config = config(&args.study)?;
    if let Some(judge) = &args.judge {
        config.judge.model = judge.clone();
    }
    let study = open(&args.study.study, config)?;
    let file = args.candidates.clone().unwrap_or_else(|| study.folder.candidates());
    let verdicts = verdicts(&study, args.candidates.as_deref())?;
    let sets = input::candidates(&file, &study.frame)?;
    let judged = study.judge(&sets, &file, &verdicts, args.force, &Shown::new()).await?;
    let mut made = made(&study, &sets);
    let bytes =
        std::fs::read(&file).map_err(|e| Failure::world(format!("{}: {e}", file.display())))?;
    made.inputs.insert(file.display().to_string(), polyculture_core::digest(&bytes));
    let mut results = study.evaluate(&sets, &judged.verdicts, made)?;
    clock.stamp(&mut results.made);
    if args.candidates.is_none() {
        keep(&study.folder, &results)?;
    }
    if let Some(path) = &args.report {
        write_report(path, &results)?;
    }
    Ok(results)
}

fn show_coverage(results: &Results) {
    table::coverage(results);
    println!();
    table::diversity(results);
    by_value(results);
    by_place(results);
    note(results);
}

/// What stands at each place of the sets, where no strategy says how they were drawn.
fn by_place(results: &Results) {
    let given: Vec<_> = results.places.iter().filter(|row| row.strategy == NO_STRATEGY).collect();
    let mut candidates: Vec<&str> = given.iter().map(|row| row.candidate.as_str()).collect();
    candidates.sort_unstable();
    candidates.dedup();
    if candidates.is_empty() {
        return;
    }
    println!("\nResponses of each value by place in the set");
    let values: Vec<_> = results.frame.values().map(|(axis, side)| axis.pole(side)).collect();
    let mut table =
        Table::new(std::iter::once("place").chain(values.iter().map(|pole| pole.id.as_str())));
    for candidate in candidates {
        let cells = values.iter().map(|pole| {
            let row = given.iter().find(|r| r.candidate == candidate && r.value == pole.id);
            row.map_or_else(|| "–".to_owned(), |row| table::percent(&row.share))
        });
        table.row(std::iter::once(candidate.to_owned()).chain(cells));
    }
    table.print();
}

/// Per value, how large its share of all responses is.
fn by_value(results: &Results) {
    println!("\nResponses of each value");
    let mut table = Table::new(["strategy", "value", "share", "independent draws would need"]);
    for row in results.coverage.iter().filter(|row| row.model.is_none()) {
        table.row([
            row.strategy.clone(),
            row.value.to_string(),
            table::percent(&row.share),
            table::percent(&row.implied_share),
        ]);
    }
    table.print();
}

fn note(results: &Results) {
    if let Some(why) = &results.synthetic {
        println!("\nSYNTHETIC: {why}");
    }
}
