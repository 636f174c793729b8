//! `dataset split`: parts of a dataset that share no prompt and no conversation.

use super::{chain, open, tell};
use crate::args::DatasetSplitArgs;
use crate::failure::Failure;
use crate::table::Table;
use polyculture_core::Seed;
use polyculture_data::Findings;
use polyculture_data::split::{
    HeldOut, HoldOut, LeakReport, Links, SplitError, SplitOptions, SplitPlan, WrittenSplit, plan,
    write_splits,
};
use serde_json::json;

pub(super) fn run(args: &DatasetSplitArgs) -> Result<(), Failure> {
    let dataset = open(&args.source)?;
    let options = SplitOptions {
        ratios: args.ratios.clone(),
        seed: Seed::new(args.seed),
        links: Links { annotators: args.link_annotators, all_prompts: args.link_all_prompts },
        stratify: args.stratify.clone(),
        hold_out: hold_out(args),
    };
    let plan = plan(&dataset, &options).map_err(failure)?;
    let leaks = plan.check(&dataset).map_err(chain)?;
    let written = match &args.out {
        Some(folder) => write_splits(&dataset, &plan, folder, &args.extension).map_err(failure)?,
        None => Vec::new(),
    };
    if args.json {
        let files: Vec<_> = written.iter().map(|file| file.path.display().to_string()).collect();
        let report = json!({"report": plan.report(), "leaks": leaks, "files": files});
        println!("{report:#}");
    } else {
        print(&plan, &leaks, &written);
    }
    tell(&Findings::default());
    if leaks.is_clean() { Ok(()) } else { Err(Failure::no("the splits leak")) }
}

fn hold_out(args: &DatasetSplitArgs) -> Option<HoldOut> {
    let who = if let Some(share) = args.leave_annotators_out {
        // A whole number is a number of annotators, a number below 1 a share of them.
        if share >= 1.0 {
            HeldOut::Annotators(share as usize)
        } else {
            HeldOut::AnnotatorShare(share)
        }
    } else if !args.leave_out.is_empty() {
        HeldOut::Values { column: args.leave_out_column.clone(), values: args.leave_out.clone() }
    } else {
        return None;
    };
    Some(HoldOut { who, keep_shared_prompts: args.keep_shared_prompts })
}

fn print(plan: &SplitPlan, leaks: &LeakReport, written: &[WrittenSplit]) {
    let report = plan.report();
    println!(
        "{} comparisons in {} components; the largest holds {:.1} %",
        report.n_comparisons,
        report.n_components,
        100.0 * report.largest_component_share
    );
    let heads = ["split", "wanted", "share", "comparisons", "conversations", "annotators"];
    let mut table = Table::new(heads);
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    for split in &report.splits {
        table.row([
            split.name.clone(),
            split.wanted_share.map_or_else(|| "–".to_owned(), percent),
            percent(split.share),
            split.n_comparisons.to_string(),
            split.n_conversations.to_string(),
            split.n_annotators.to_string(),
        ]);
    }
    table.print();
    if !report.strata.is_empty() {
        let names = plan.names().iter().map(String::as_str);
        let mut table = Table::new(["stratum"].into_iter().chain(names));
        for stratum in &report.strata {
            let name = if stratum.stratum.is_empty() { "(missing)" } else { &stratum.stratum };
            let counts = stratum.n_comparisons.iter().map(ToString::to_string);
            table.row([name.to_owned()].into_iter().chain(counts));
        }
        table.print();
    }
    let left_out = &report.left_out;
    if left_out.n_comparisons > 0 {
        println!(
            "  in no split: {} comparisons of {} conversations, which share a prompt with what is held out",
            left_out.n_comparisons, left_out.n_conversations
        );
    }
    for warning in &report.warnings {
        println!("  warning: {warning}");
    }
    let checked: u64 = leaks.n_checked.values().sum();
    let n: u64 = leaks.n_leaks.values().sum();
    println!(
        "  read again: {n} of {checked} conversations, prompts and annotators stand in more than one split"
    );
    for leak in &leaks.examples {
        println!("    {:?} `{}` stands in {}", leak.kind, leak.value, leak.splits.join(", "));
    }
    for file in written {
        println!("  {}: {} comparisons", file.path.display(), file.n_comparisons);
    }
}

fn failure(error: SplitError) -> Failure {
    match error {
        SplitError::Write(_) | SplitError::Folder { .. } => {
            Failure::world(anyhow::Error::new(error))
        }
        other => chain(other),
    }
}
