//! `judge`: places responses on the axes, and says how well it does.

use super::study::{config, open, print_json, verdicts};
use crate::args::{JudgeRunArgs, JudgeVerb};
use crate::failure::Failure;
use crate::progress::Shown;
use crate::table;
use polyculture_core::{Instrument, ValueFrame};
use polyculture_stats::bootstrap::Bootstrap;
use polyculture_study::input;
use polyculture_study::judge::{EmbeddedJudge, on_instrument, on_world};

pub(crate) async fn run(verb: JudgeVerb) -> Result<(), Failure> {
    match verb {
        JudgeVerb::Run(args) => judge(args).await,
        JudgeVerb::Validate { json } => validate(json),
    }
}

async fn judge(args: JudgeRunArgs) -> Result<(), Failure> {
    let mut config = config(&args.study)?;
    config.judge.model = args.judge.unwrap_or(config.judge.model);
    let study = open(&args.study.study, config)?;
    let verdicts = verdicts(&study, args.candidates.as_deref())?;
    let file = args.candidates.unwrap_or_else(|| study.folder.candidates());
    let sets = input::candidates(&file, &study.frame)?;
    let judged = study.judge(&sets, &file, &verdicts, args.force, &Shown::new()).await?;
    let unscored = judged.verdicts.iter().filter(|v| v.outcome.position().is_none()).count();
    println!(
        "{}: {} verdicts on {} sets, {unscored} unscored",
        verdicts.display(),
        judged.verdicts.len(),
        sets.len()
    );
    Ok(())
}

fn validate(json: bool) -> Result<(), Failure> {
    let settings = Bootstrap::default();
    let mut rows = on_world(EmbeddedJudge::built_in(), &settings).map_err(Failure::wrong_use)?;
    for id in ValueFrame::BUILT_IN {
        let frame = ValueFrame::built_in(id).expect("it is built in");
        let instrument = Instrument::built_in(&frame).expect("built-in frames have one");
        let of_frame = on_instrument(&instrument, &frame, &settings);
        rows.extend(of_frame.map_err(Failure::wrong_use)?);
    }
    if json {
        print_json(&rows);
        return Ok(());
    }
    table::judges(&rows);
    for row in &rows {
        println!("\n  {}, {}: rows are the true place, columns the judge's", row.data, row.axis);
        let mut table = table::Table::new(["", "0", "0.5", "1"]);
        for (name, counts) in ["0", "0.5", "1"].iter().zip(&row.confusion) {
            let counts = counts.iter().map(ToString::to_string);
            table.row(std::iter::once((*name).to_owned()).chain(counts));
        }
        table.print();
    }
    Ok(())
}
