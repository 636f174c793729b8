//! `survey`: what people prefer: who is shown what, what they chose, and what that says.

use super::study::{config, open, print_json};
use crate::args::{
    PeopleArgs, SurveyDefaultsArgs, SurveyDesignArgs, SurveyImportArgs, SurveyLanguagesArgs,
    SurveyPowerArgs, SurveyScoreArgs, SurveySimulateArgs, SurveyVerb, SurveyWeightArgs,
};
use crate::failure::Failure;
use crate::progress::Shown;
use crate::table::{self, Table};
use polyculture_core::results::SurveySummary;
use polyculture_core::{CandidateSet, Instrument, ValueFrame, Verdict};
use polyculture_data::rows;
use polyculture_stats::bootstrap::Bootstrap;
use polyculture_study::evaluate::{Scores, baseline, strategies, survey::ModelAnswers};
use polyculture_study::folder::Manifest;
use polyculture_study::judge::on_instrument;
use polyculture_study::pipeline::Study;
use polyculture_study::survey::design::ITEMS_PER_PERSON;
use polyculture_study::survey::{
    Behaviour, Imported, Importer, MarginRow, Population, Quota, SurveyTable, Weighting,
    check_languages,
};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

pub(crate) async fn run(verb: SurveyVerb) -> Result<(), Failure> {
    match verb {
        SurveyVerb::Languages(args) => languages(&args),
        SurveyVerb::Design(args) => design(&args),
        SurveyVerb::Simulate(args) => simulate(&args),
        SurveyVerb::Import(args) => import(&args),
        SurveyVerb::Weight(args) => weight(&args),
        SurveyVerb::Defaults(args) => defaults(args).await,
        SurveyVerb::Score(args) => score(&args),
        SurveyVerb::Power(args) => power(&args),
    }
}

fn study(args: &crate::args::StudyArgs) -> Result<Study, Failure> {
    open(&args.study, config(args)?)
}

fn languages(args: &SurveyLanguagesArgs) -> Result<(), Failure> {
    let study = study(&args.study)?;
    let instrument = study.instrument()?;
    let checks = check_languages(&instrument, &study.frame);
    let first = instrument.languages().first().map(|l| (*l).to_owned()).unwrap_or_default();
    let judges = if args.no_judge {
        Vec::new()
    } else {
        on_instrument(&instrument, &study.frame, &Bootstrap::default())
            .map_err(Failure::wrong_use)?
    };
    let problems: Vec<String> = checks
        .iter()
        .flat_map(|check| {
            let place = format!("{}, {}", check.language, check.axis);
            let found = check.problems(check.language == first);
            found.into_iter().map(move |problem| format!("{place}: {problem}"))
        })
        .collect();
    if args.json {
        print_json(&json!({"languages": checks, "judges": judges, "problems": problems}));
    } else {
        println!("The instrument of frame {} by language", study.frame.id);
        let mut table = Table::new([
            "language",
            "axis",
            "items",
            "script",
            "length to the first",
            "same words",
            "low / high words",
            "judge's accuracy",
        ]);
        for check in &checks {
            let judge =
                judges.iter().find(|r| r.language == check.language && r.axis == check.axis);
            let [mean, least, most] = check.length_ratio;
            table.row([
                check.language.clone(),
                check.axis.to_string(),
                check.n_items.to_string(),
                format!("{:.1} % {}", 100.0 * check.script_share, check.script),
                format!("{mean:.2} ({least:.2}–{most:.2})"),
                if check.language == first {
                    "–".into()
                } else {
                    format!("{:.1} %", 100.0 * check.same_words)
                },
                format!("{:.2}", check.pole_ratio),
                judge.map_or_else(|| "–".to_owned(), |row| table::percent(&row.accuracy)),
            ]);
        }
        table.print();
        for problem in &problems {
            println!("{problem}");
        }
        if !judges.is_empty() {
            println!(
                "\nAccuracy of the embedded judge: three places, chance is 33 %; 10-fold cross-validation over prompts."
            );
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Failure::no("the languages differ in more than words"))
    }
}

fn design(args: &SurveyDesignArgs) -> Result<(), Failure> {
    let study = study(&args.study)?;
    let quotas = match (&args.quotas, args.per_country) {
        (Some(file), _) => quotas(file)?,
        (None, Some(n)) => per_country(&population(&study.frame, args.population.as_deref())?, n),
        (None, None) => {
            return Err(Failure::wrong_use(
                "name a table of quotas with --quotas, or --per-country N",
            ));
        }
    };
    let items = items_per_person(args.items, &study.instrument()?);
    let drawn = study.design_survey(&quotas, items, !args.no_default)?;
    let file = study.folder.survey("design.jsonl");
    if args.json {
        print_json(&json!({"file": file, "places": drawn.len(), "items_per_person": items}));
        return Ok(());
    }
    println!("{}: {} places, {items} items each", file.display(), drawn.len());
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for place in &drawn {
        for assigned in &place.items {
            *seen.entry((&place.country, assigned.item.as_str())).or_default() += 1;
        }
    }
    let mut table = Table::new(["country", "language", "places", "each item is seen by"]);
    let mut countries: Vec<&str> = drawn.iter().map(|place| place.country.as_str()).collect();
    countries.dedup();
    for country in countries {
        let of_country = || drawn.iter().filter(|place| place.country == country);
        let counts: Vec<usize> =
            seen.iter().filter(|((named, _), _)| *named == country).map(|(_, n)| *n).collect();
        let (least, most) = (counts.iter().min(), counts.iter().max());
        let mut languages: Vec<&str> = of_country().map(|place| place.language.as_str()).collect();
        languages.sort_unstable();
        languages.dedup();
        table.row([
            country.to_owned(),
            languages.join(", "),
            of_country().count().to_string(),
            format!("{}–{}", least.copied().unwrap_or(0), most.copied().unwrap_or(0)),
        ]);
    }
    table.print();
    Ok(())
}

fn items_per_person(asked: Option<usize>, instrument: &Instrument) -> usize {
    let mut ids: Vec<&str> = instrument.items().iter().map(|item| item.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    asked.unwrap_or(ITEMS_PER_PERSON.min(ids.len()))
}

fn per_country(population: &Population, n: usize) -> Vec<Quota> {
    let quota = |country: &polyculture_study::survey::population::Country| Quota {
        country: country.name.clone(),
        language: country.language.clone(),
        demographics: BTreeMap::new(),
        n,
    };
    population.countries.iter().map(quota).collect()
}

fn population(frame: &ValueFrame, file: Option<&Path>) -> Result<Population, Failure> {
    let Some(file) = file else {
        if *frame == ValueFrame::inglehart_welzel() {
            return Ok(Population::five_countries());
        }
        return Err(Failure::wrong_use(format!(
            "nothing is known of people on the axes of frame `{}`; name a population with --population FILE",
            frame.id
        )));
    };
    let failed =
        |error: &dyn std::fmt::Display| Failure::wrong_use(format!("{}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| failed(&error))?;
    Population::parse(&text, frame).map_err(|error| failed(&error))
}

/// A cell as text.
fn cell(value: Option<&serde_json::Value>) -> Option<String> {
    match value? {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.trim().to_owned()).filter(|t| !t.is_empty()),
        other => Some(other.to_string()),
    }
}

/// Rows of a table; the first problem with its line.
fn table_of<T>(
    file: &str,
    must: &[&str],
    read: impl Fn(&serde_json::Map<String, serde_json::Value>) -> Result<T, String>,
) -> Result<Vec<T>, Failure> {
    let mut found = Vec::new();
    let mut problem = None;
    let findings = rows(&[file.to_owned()], |row| {
        if problem.is_some() {
            return;
        }
        if let Some(column) = must.iter().find(|c| !row.columns.iter().any(|name| name == *c)) {
            let there = row.columns.join("`, `");
            problem =
                Some(format!("{}: there is no column `{column}`; there are `{there}`", row.file));
            return;
        }
        match read(row.cells) {
            Ok(read) => found.push(read),
            Err(what) => problem = Some(format!("{}:{}: {what}", row.file, row.line)),
        }
    })
    .map_err(super::dataset::chain)?;
    if let Some((_, _, examples)) = findings.iter().next() {
        let first = &examples[0];
        let what = format!("{}:{}: {}", first.file, first.line, first.value);
        return Err(Failure::wrong_use(what));
    }
    match problem {
        Some(problem) => Err(Failure::wrong_use(problem)),
        None if found.is_empty() => {
            Err(Failure::wrong_use(format!("{file}: there is no row in it")))
        }
        None => Ok(found),
    }
}

fn quotas(file: &str) -> Result<Vec<Quota>, Failure> {
    table_of(file, &["country", "language", "n"], |cells| {
        let must =
            |column: &str| cell(cells.get(column)).ok_or_else(|| format!("`{column}` is empty"));
        let n = must("n")?;
        let named = ["country", "language", "n"];
        Ok(Quota {
            country: must("country")?,
            language: must("language")?,
            n: n.parse().map_err(|_| format!("`n` is `{n}`, which is no number of people"))?,
            demographics: cells
                .iter()
                .filter(|(name, _)| !named.contains(&name.as_str()))
                .filter_map(|(name, value)| Some((name.clone(), cell(Some(value))?)))
                .collect(),
        })
    })
}

fn margins(file: &str) -> Result<Vec<MarginRow>, Failure> {
    table_of(file, &["variable", "category", "share"], |cells| {
        let must =
            |column: &str| cell(cells.get(column)).ok_or_else(|| format!("`{column}` is empty"));
        let share = must("share")?;
        Ok(MarginRow {
            country: cell(cells.get("country")),
            variable: must("variable")?,
            category: must("category")?,
            share: share
                .parse()
                .map_err(|_| format!("`share` is `{share}`, which is no number"))?,
        })
    })
}

fn behaviour(args: &PeopleArgs) -> Behaviour {
    Behaviour {
        careless: args.careless,
        order_effect: args.order_effect,
        default_appeal: args.default_appeal,
    }
}

fn simulate(args: &SurveySimulateArgs) -> Result<(), Failure> {
    let study = study(&args.study)?;
    if study.folder.survey("answers.jsonl").exists() && !study.survey_is_simulated() && !args.force
    {
        return Err(Failure::wrong_use(
            "there is a survey of real answers in the study; --force takes its place",
        ));
    }
    let population = population(&study.frame, args.people.population.as_deref())?;
    let survey = study.simulate_survey(&population, behaviour(&args.people))?;
    println!(
        "{}: {} answers of {} made-up respondents",
        study.folder.survey("answers.jsonl").display(),
        survey.answers.len(),
        survey.respondents.len()
    );
    Ok(())
}

fn import(args: &SurveyImportArgs) -> Result<(), Failure> {
    let study = study(&args.study)?;
    let instrument = study.instrument()?;
    let settings = &study.config.survey;
    let mut importer = Importer::new(&instrument, &study.frame, &settings.columns, &settings.codes);
    let mut problem = None;
    let findings = rows(&args.files, |row| {
        if problem.is_none() {
            problem = importer.take(row.file, row.line, row.cells, row.columns).err();
        }
    })
    .map_err(super::dataset::chain)?;
    if let Some(problem) = problem {
        return Err(Failure::wrong_use(problem));
    }
    let survey = importer.finish().map_err(Failure::wrong_use)?;
    let mut manifest = Manifest::new("survey").setting("simulated", false);
    manifest = manifest.setting("columns", &settings.columns).setting("codes", &settings.codes);
    manifest = manifest.setting("files", &args.files);
    study.keep_survey(&survey, manifest)?;
    let unreadable: u64 = findings.iter().map(|(_, n, _)| n).sum();
    if args.json {
        let problems: serde_json::Map<String, serde_json::Value> = survey
            .problems
            .iter()
            .map(|(problem, found)| (problem.id().to_owned(), json!(found)))
            .collect();
        print_json(&json!({
            "rows": survey.n_rows, "respondents": survey.respondents.len(),
            "answers": survey.answers.len(), "unreadable": unreadable, "problems": problems,
        }));
        return Ok(());
    }
    show_import(&study, &survey, unreadable);
    for (rule, n, examples) in findings.iter() {
        let first = &examples[0];
        println!("{n} × {}: first at {}:{}: {}", rule.id(), first.file, first.line, first.value);
    }
    Ok(())
}

fn show_import(study: &Study, survey: &Imported, unreadable: u64) {
    println!(
        "{}: {} answers of {} respondents, from {} rows{}",
        study.folder.survey("answers.jsonl").display(),
        survey.answers.len(),
        survey.respondents.len(),
        survey.n_rows,
        if unreadable > 0 {
            format!("; {unreadable} rows could not be read")
        } else {
            String::new()
        }
    );
    if survey.problems.is_empty() {
        return;
    }
    println!("\nWhat could not be used as it stands");
    let mut table = Table::new(["problem", "rows", "first", "what"]);
    for (problem, found) in &survey.problems {
        let (file, line, what) = &found.examples[0];
        table.row([
            problem.id().to_owned(),
            found.n.to_string(),
            format!("{file}:{line}: {what}"),
            problem.description().to_owned(),
        ]);
    }
    table.print();
}

fn weight(args: &SurveyWeightArgs) -> Result<(), Failure> {
    let study = study(&args.study)?;
    let settings = Weighting {
        trim_above: args.trim_above,
        trim_below: args.trim_below,
        keep_missing: args.keep_missing,
    };
    let weighted = study.weigh_survey(&margins(&args.margins)?, &settings)?;
    if args.json {
        print_json(&json!({"countries": weighted.countries, "balance": weighted.balance}));
        return Ok(());
    }
    println!(
        "{}: {} weights",
        study.folder.survey("weights.jsonl").display(),
        weighted.weights.len()
    );
    let mut table = Table::new([
        "country",
        "people",
        "weighting",
        "off by at most",
        "design effect",
        "effective n",
    ]);
    for made in &weighted.countries {
        table.row([
            made.country.clone(),
            made.n.to_string(),
            made.describe(),
            format!("{:.1e}", made.deviation),
            format!("{:.3}", made.design_effect),
            format!("{:.0}", made.effective_n),
        ]);
    }
    table.print();
    println!("\nShares of people before and after, and standardised differences from the target");
    let mut table = Table::new([
        "country", "variable", "category", "target", "before", "after", "d before", "d after",
    ]);
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    for row in &weighted.balance {
        table.row([
            row.population.clone(),
            row.variable.clone(),
            row.category.clone(),
            percent(row.target),
            percent(row.before),
            percent(row.after),
            format!("{:+.3}", row.difference_before),
            format!("{:+.3}", row.difference_after),
        ]);
    }
    table.print();
    Ok(())
}

async fn defaults(args: SurveyDefaultsArgs) -> Result<(), Failure> {
    let mut config = config(&args.study)?;
    config.judge.model = args.judge.unwrap_or(config.judge.model);
    config.sample.models = vec![args.model.clone()];
    let study = open(&args.study.study, config)?;
    let languages = if args.languages.is_empty() { asked_in(&study)? } else { args.languages };
    let found = study.draw_defaults(&args.model, &languages, args.force, &Shown::new()).await?;
    println!(
        "{}: {} default responses",
        study.folder.survey("defaults.jsonl").display(),
        found.len()
    );
    let mut table = Table::new(["language", "responses", "low", "balanced", "high", "unscored"]);
    for language in &languages {
        let of = |position: Option<f64>| {
            let is_it = |d: &&polyculture_core::DefaultResponse| {
                d.language == *language && d.position.map(|p| p.value()) == position
            };
            found.iter().filter(is_it).count().to_string()
        };
        let n = found.iter().filter(|d| d.language == *language).count();
        table.row([
            language.clone(),
            n.to_string(),
            of(Some(0.0)),
            of(Some(0.5)),
            of(Some(1.0)),
            of(None),
        ]);
    }
    table.print();
    Ok(())
}

/// The languages of the survey, of its design, or of the instrument.
fn asked_in(study: &Study) -> Result<Vec<String>, Failure> {
    let mut languages: Vec<String> = if let Some(table) = study.survey_table()? {
        table.respondents.into_iter().map(|respondent| respondent.language).collect()
    } else if study.folder.survey("design.jsonl").exists() {
        study.survey_design()?.into_iter().map(|place| place.language).collect()
    } else {
        study.instrument()?.languages().into_iter().map(str::to_owned).collect()
    };
    languages.sort();
    languages.dedup();
    Ok(languages)
}

fn score(args: &SurveyScoreArgs) -> Result<(), Failure> {
    let study = study(&args.study)?;
    let Some(table) = study.survey_table()? else {
        return Err(Failure::wrong_use(
            "there are no answers in the study; `polyculture survey import FILE` reads them, `survey simulate` makes some up",
        ));
    };
    let found = study.survey_answer(&table, |_| None, &[])?;
    if args.json {
        print_json(
            &json!({"survey": found.summary, "warnings": found.warnings, "simulated": study.survey_is_simulated()}),
        );
        return Ok(());
    }
    show_summary(&found.summary);
    for warning in &found.warnings {
        println!("{warning}");
    }
    if study.survey_is_simulated() {
        println!("\nSYNTHETIC: the respondents are simulated.");
    }
    Ok(())
}

pub(crate) fn show_summary(summary: &SurveySummary) {
    println!("Who answered");
    let mut table = Table::new([
        "population",
        "people",
        "answers",
        "effective n",
        "design effect",
        "weighting",
    ]);
    for row in &summary.people {
        table.row([
            row.population.clone(),
            row.n.to_string(),
            row.n_answers.to_string(),
            format!("{:.0}", row.effective_n),
            format!("{:.3}", row.design_effect),
            row.weighting.clone(),
        ]);
    }
    table.print();
    println!("\nWhere people stand: mean score, 0 the low pole, 1 the high one");
    let with_default = summary.scores.iter().any(|row| row.default_share.is_some());
    let mut header = vec!["population", "axis", "mean"];
    if with_default {
        header.extend(["without default", "default chosen", "people who chose it"]);
    }
    let mut table = Table::new(header);
    let number =
        |e: &polyculture_core::Estimate| format!("{:.3} [{:.3}–{:.3}]", e.value, e.low, e.high);
    for row in &summary.scores {
        let mut cells = vec![row.population.clone(), row.axis.to_string(), number(&row.mean)];
        if with_default {
            cells.push(row.without_default.as_ref().map_or_else(|| "–".into(), number));
            cells.push(row.default_share.as_ref().map_or_else(|| "–".into(), table::percent));
            cells.push(row.people_with_default.as_ref().map_or_else(|| "–".into(), table::percent));
        }
        table.row(cells);
    }
    table.print();
    if !summary.reliability.is_empty() {
        println!("\nReliability of a person's score");
        let mut table = Table::new(["population", "axis", "split half", "alpha"]);
        for row in &summary.reliability {
            table.row([
                row.population.clone(),
                row.axis.to_string(),
                number(&row.split_half),
                row.alpha.as_ref().map_or_else(|| "–".into(), number),
            ]);
        }
        table.print();
    }
    if let Some(first) = summary.order.first() {
        println!(
            "\nChoice by place (without an effect of the order {:.0} % each; p {})",
            100.0 * first.expected,
            Short(first.p_value)
        );
        let mut table = Table::new(["place", "chosen"]);
        for row in &summary.order {
            table.row([row.place.to_string(), table::percent(&row.share)]);
        }
        table.print();
    }
    for row in &summary.careless {
        println!(
            "{}: {} {}{}",
            row.rule,
            table::percent(&row.share),
            row.description,
            if row.dropped { " Left out." } else { "" }
        );
    }
}

/// A probability in few digits.
struct Short(f64);

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            p if p < 1e-9 => write!(f, "< 1e-9"),
            p if p < 1e-3 => write!(f, "= {p:.0e}"),
            p => write!(f, "= {p:.3}"),
        }
    }
}

fn power(args: &SurveyPowerArgs) -> Result<(), Failure> {
    let study = study(&args.study)?;
    let population = population(&study.frame, args.people.population.as_deref())?;
    let items = items_per_person(args.items, &study.instrument()?);
    let judged = judged(&study)?;
    let models = |table: &SurveyTable| {
        let (sets, verdicts) = judged.as_ref()?;
        let scores = Scores::new(verdicts);
        let names = strategies(sets);
        Some(ModelAnswers::new(sets, &scores, &study.frame, baseline(&names)?, table))
    };
    let rows = study.survey_power(
        &args.per_country,
        &population,
        behaviour(&args.people),
        items,
        models,
    )?;
    if args.json {
        print_json(&json!({"items_per_person": items, "rows": rows}));
        return Ok(());
    }
    println!("How wide a 95 % interval would be (simulated, {items} items a person)");
    let mut table = Table::new(["people a country", "all", "figure", "value", "interval", "width"]);
    for row in &rows {
        table.row([
            row.n_per_country.to_string(),
            row.n.to_string(),
            row.figure.clone(),
            format!("{:.3}", row.value),
            format!("{:.3}–{:.3}", row.interval[0], row.interval[1]),
            format!("{:.3}", row.width),
        ]);
    }
    table.print();
    if judged.is_some() {
        println!(
            "\nIntervals carry people and items: beyond some size only more items make them narrower."
        );
    } else {
        println!(
            "\nIntervals carry people alone. Once models have answered and are judged, shares are told too, with items in the intervals."
        );
    }
    Ok(())
}

/// Candidate sets and their verdicts.
type Judged = (Vec<CandidateSet>, Vec<Verdict>);

/// Those of the study, if there are both.
fn judged(study: &Study) -> Result<Option<Judged>, Failure> {
    let (candidates, verdicts) = (study.folder.candidates(), study.folder.verdicts());
    if !candidates.exists() || !verdicts.exists() {
        return Ok(None);
    }
    let sets = polyculture_study::input::candidates(&candidates, &study.frame)?;
    Ok(Some((sets, polyculture_core::jsonl::read(&verdicts)?)))
}
