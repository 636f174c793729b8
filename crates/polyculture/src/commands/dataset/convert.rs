//! `dataset convert`: training files for other tools, and what a model will see of them.

use super::tokenizer::ModelTokenizer;
use super::{chain, open, tell};
use crate::args::{DatasetConvertArgs, FilterArgs};
use crate::failure::Failure;
use polyculture_core::Seed;
use polyculture_data::convert::{
    ConvertError, ConvertOptions, ConvertReport, Filter, Preview, PreviewOptions, convert, preview,
};

pub(super) fn run(args: &DatasetConvertArgs) -> Result<(), Failure> {
    let dataset = open(&args.source)?;
    let options = ConvertOptions {
        target: args.to,
        style: args.style,
        pairs: args.pairs,
        filter: filter(&args.filter)?,
        max_rows_per_comparison: args.max_rows_per_comparison,
        weight: args.weight.clone(),
        carry: args.carry.clone(),
        limit: args.limit,
        seed: Seed::new(args.seed),
        name: args.name.clone(),
    };
    if let Some(n_rows) = args.preview {
        let name = args.tokenizer.as_deref().ok_or_else(|| {
            Failure::wrong_use("--preview needs --tokenizer: a model's folder, or embedded/NAME")
        })?;
        let how =
            PreviewOptions { n_rows, max_length: args.max_length, truncation: args.truncation };
        let tokenizer = ModelTokenizer::load(name)?;
        let previews = preview(&dataset, &options, &tokenizer, &how).map_err(failure)?;
        if args.json {
            let json = serde_json::to_string_pretty(&previews);
            println!("{}", json.map_err(|error| Failure::world(anyhow::Error::new(error)))?);
        } else {
            previews.iter().for_each(show);
        }
        return Ok(());
    }
    let out = args.out.as_ref().ok_or_else(|| Failure::wrong_use("name a file with --out"))?;
    let report = convert(&dataset, &options, out).map_err(failure)?;
    if args.json {
        let json = serde_json::to_string_pretty(&report);
        println!("{}", json.map_err(|error| Failure::world(anyhow::Error::new(error)))?);
    } else {
        print(&report);
    }
    if let Some(scan) = &report.scan {
        tell(&scan.findings);
    }
    Ok(())
}

fn filter(args: &FilterArgs) -> Result<Filter, Failure> {
    let mut columns: Vec<(String, Vec<String>)> = Vec::new();
    for pair in &args.only {
        let (column, value) = pair.split_once('=').ok_or_else(|| {
            Failure::wrong_use(format_args!(
                "`{pair}` is no COLUMN=VALUE; write for example annotator_country=france"
            ))
        })?;
        match columns.iter_mut().find(|(known, _)| known == column) {
            Some((_, values)) => values.push(value.to_owned()),
            None => columns.push((column.to_owned(), vec![value.to_owned()])),
        }
    }
    let turns = args.turns.as_deref().map(turns).transpose()?;
    Ok(Filter {
        languages: args.language.clone(),
        columns,
        sources: args.candidate_source.clone(),
        turns,
        annotators: args.annotator.clone(),
        complete_only: args.complete_only,
    })
}

/// `2` or `1-3`.
fn turns(text: &str) -> Result<std::ops::RangeInclusive<u32>, Failure> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) if first >= 1 && first <= last => Ok(first..=last),
        _ => Err(Failure::wrong_use(format_args!(
            "`{text}` is no turn and no range of turns; write for example 1 or 2-4"
        ))),
    }
}

fn print(report: &ConvertReport) {
    let files: Vec<_> = report.files.iter().map(|file| file.display().to_string()).collect();
    println!(
        "{}: {} rows of {} comparisons ({} were read)",
        files.join(", "),
        report.n_rows,
        report.n_used,
        report.n_comparisons
    );
    for (reason, n) in &report.left_out {
        println!("  left out: {n} comparisons: {}", reason.description());
    }
    for (reason, n) in &report.rows_left_out {
        println!("  left out: {n} rows: {}", reason.description());
    }
    if report.is_limited {
        println!("  stopped at the limit");
    }
}

/// What is cut off stands between `⟦` and `⟧`.
fn show(preview: &Preview) {
    println!(
        "── conversation {}, turn {}, line {}",
        preview.conversation_id, preview.turn, preview.line
    );
    if preview.is_dropped {
        println!("   dropped: the prompt alone fills the length");
    }
    if preview.n_prompt_tokens_moved > 0 {
        println!(
            "   note: {} tokens at the end of the prompt are others when the answer follows",
            preview.n_prompt_tokens_moved
        );
    }
    for sequence in &preview.sequences {
        let cut = |n: usize| if n > 0 { format!(", {n} cut off") } else { String::new() };
        println!(
            "   {}: prompt {} tokens{}, answer {} tokens{}",
            sequence.part,
            sequence.n_prompt_tokens,
            cut(sequence.n_prompt_tokens_cut),
            sequence.n_answer_tokens,
            cut(sequence.n_answer_tokens_cut)
        );
        let gone =
            |text: &str| if text.is_empty() { String::new() } else { format!("⟦{text}⟧") };
        println!(
            "{}{}▸{}{}",
            gone(&sequence.cut_start),
            sequence.prompt,
            sequence.answer,
            gone(&sequence.cut_end)
        );
    }
}

fn failure(error: ConvertError) -> Failure {
    match error {
        ConvertError::Write(_) => Failure::world(anyhow::Error::new(error)),
        other => chain(other),
    }
}
