//! What a survey says: where people stand, how well that is measured, and whom the models speak for, with people and prompts
//! in every interval.

use super::EvaluateError;
use super::coverage::only_model;
use super::scores::{Scores, probes};
use super::share::{EVERYONE, FINE_BINS, readings};
use super::strategy;
use crate::estimates::to_core;
use crate::survey::careless::Flags;
use crate::survey::table::{Choice, SurveyTable};
use crate::survey::weight::{CountryWeights, distinct};
use polyculture_core::results::{
    AddedRow, CarelessRow, CoverRow, Density, DistanceRow, ItemRow, JudgeRow, ModelPoint, OrderRow,
    PeopleRow, Person, Plane, ReliabilityRow, ScoreRow, ShareRow, SurveySummary,
};
use polyculture_core::{CandidateSet, ModelId, Position, Seed, Shown, ValueFrame};
use polyculture_stats::agreement::Confusion;
use polyculture_stats::aligned_share::{
    GroupShare, PlacedShare, PromptScores, Respondent, Survey, SurveyShare, cover,
    people_as_models, survey_share,
};
use polyculture_stats::bootstrap::Bootstrap;
use polyculture_stats::design::{Design, LonelyPsu, Stage};
use polyculture_stats::interval::wilson;
use polyculture_stats::ratio::clustered_share;
use polyculture_stats::reliability::{Answers, Jackknife, cronbach_alpha, split_half};
use polyculture_stats::significance::goodness_of_fit;
use polyculture_stats::weights::{effective_sample_size, kish_design_effect};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::HashMap;

/// Cells an axis in which people are shown: centred on 0, .05, .10 … 1.
const BINS: usize = 21;
/// Groups smaller than this have no figures of their own.
const SMALLEST_GROUP: usize = 30;

/// Models that answered the survey's items under one strategy: how often each place was the judge's verdict.
#[derive(Debug, Clone)]
pub struct ModelAnswers {
    models: Vec<ModelId>,
    /// `[models, items]`.
    counts: Vec<[u32; 3]>,
}

impl ModelAnswers {
    /// From the sets of a strategy that one model wrote alone. Prompts that are no items of the survey stand for nothing.
    #[must_use]
    pub fn new(
        sets: &[CandidateSet],
        scores: &Scores,
        frame: &ValueFrame,
        name: &str,
        table: &SurveyTable,
    ) -> Self {
        let numbers: HashMap<_, _> =
            table.items.iter().enumerate().map(|(i, item)| (&item.id, i)).collect();
        let n_items = table.items.len();
        let (mut models, mut counts): (Vec<ModelId>, Vec<[u32; 3]>) = (Vec::new(), Vec::new());
        for set in sets.iter().filter(|set| strategy(set) == name) {
            let (Some(model), Some(item)) = (only_model(set), numbers.get(&set.prompt_id)) else {
                continue;
            };
            let row = models.iter().position(|known| known == model).unwrap_or_else(|| {
                models.push(model.clone());
                counts.resize(models.len() * n_items, [0; 3]);
                models.len() - 1
            });
            let axis = &frame.axes[table.items[*item].axis];
            if probes(set, &axis.id) {
                for position in scores.positions(set, &axis.id).into_iter().flatten() {
                    counts[row * n_items + item][class(position)] += 1;
                }
            }
        }
        Self { models, counts }
    }

    /// The models that have a place on every axis; the others' names are given back.
    fn placed(&mut self, table: &SurveyTable, n_axes: usize) -> Vec<ModelId> {
        let n_items = table.items.len();
        let is_placed = |row: &[[u32; 3]]| {
            (0..n_axes).all(|axis| {
                let mut of_axis = row.iter().zip(&table.items).filter(|(_, i)| i.axis == axis);
                of_axis.any(|(counts, _)| counts.iter().any(|n| *n > 0))
            })
        };
        let keep: Vec<bool> = self.counts.chunks(n_items.max(1)).map(is_placed).collect();
        let out = self.models.iter().zip(&keep).filter(|(_, keep)| !**keep);
        let out = out.map(|(model, _)| model.clone()).collect();
        let rows = self.counts.chunks(n_items.max(1)).zip(&keep).filter(|(_, keep)| **keep);
        self.counts = rows.flat_map(|(row, _)| row.iter().copied()).collect();
        let mut each = keep.iter();
        self.models.retain(|_| *each.next().expect("one a model"));
        out
    }

    fn scores(&self, table: &SurveyTable, n_axes: usize) -> Result<PromptScores, EvaluateError> {
        let axis_of_prompt = table.items.iter().map(|item| item.axis).collect();
        Ok(PromptScores::from_counts(n_axes, axis_of_prompt, &self.counts)?)
    }

    /// As many choosers as there are models, who place themselves at random on every prompt that their model answered.
    fn random(&self, seed: Seed) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.stream("share", "random-choosers").get());
        let counts = self.counts.iter().map(|counts| {
            let mut drawn = [0; 3];
            if counts.iter().any(|n| *n > 0) {
                drawn[rng.random_range(0..3)] = 1;
            }
            drawn
        });
        Self { models: self.models.clone(), counts: counts.collect() }
    }
}

/// What is asked of a survey.
pub struct SurveyQuestion<'a> {
    /// The survey, without those who are left out.
    pub table: &'a SurveyTable,
    /// What weighting did.
    pub weighting: &'a [CountryWeights],
    /// The axes.
    pub frame: &'a ValueFrame,
    /// The judge's validation, a row an axis, if there is one.
    pub judges: &'a [JudgeRow],
    /// Within how much of a model's place a person counts as covered.
    pub cover_radius: f64,
    /// Chance.
    pub seed: Seed,
    /// Intervals.
    pub settings: Bootstrap,
}

/// What a survey answers.
pub struct SurveyAnswer {
    /// The chapter.
    pub summary: SurveySummary,
    /// The aligned shares, if there are models.
    pub shares: Vec<ShareRow>,
    /// People and models, if there are models.
    pub plane: Option<Plane>,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

/// A population within the survey: a country, or a group such as `age: 18-34`.
struct Group {
    name: String,
    members: Vec<bool>,
}

/// Answers a survey's questions. Without models, those about people alone.
///
/// # Errors
/// If nobody has a place, or a figure does not exist.
pub fn survey(
    question: &SurveyQuestion<'_>,
    models: Option<ModelAnswers>,
) -> Result<SurveyAnswer, EvaluateError> {
    let SurveyQuestion { table, frame, settings, .. } = question;
    let countries = distinct(table.respondents.iter().map(|r| r.country.as_str()));
    let groups = groups(table, &countries);
    let survey = people(table, &groups, &countries, frame.axes.len())?;
    let mut warnings = Vec::new();
    if survey.n_unplaced() > 0 {
        warnings.push(format!(
            "{} respondents have no answer with a place on some axis: they are in no share.",
            survey.n_unplaced()
        ));
    }
    if table.n_unplaced > 0 {
        warnings.push(format!(
            "{} choices fell on a default response that nobody has placed; they count neither way. `polyculture survey defaults` places them.",
            table.n_unplaced
        ));
    }
    let mut answer = SurveyAnswer {
        summary: summary(question, &groups, &countries)?,
        shares: Vec::new(),
        plane: None,
        warnings,
    };
    answer.summary.densities = densities(table, &survey, &groups, &countries, frame)?;
    let Some(mut models) = models else { return Ok(answer) };
    let unplaced = models.placed(table, frame.axes.len());
    if !unplaced.is_empty() {
        let names: Vec<_> = unplaced.iter().map(ToString::to_string).collect();
        answer
            .warnings
            .push(format!("No place on some axis, and so in no share: {}.", names.join(", ")));
    }
    if models.models.is_empty() {
        return Ok(answer);
    }
    let scores = models.scores(table, frame.axes.len())?;
    let tables = confusions(question.judges, frame)?;
    let found = survey_share(&survey, &scores, tables.as_deref(), FINE_BINS, settings)?;
    let random = models.random(question.seed).scores(table, frame.axes.len())?;
    let random = survey_share(&survey, &random, None, FINE_BINS, settings)?;
    let own = people_as_models(&survey.people()?, models.models.len(), FINE_BINS, settings)?;
    answer.shares = shares("models", &found.judged, &groups);
    match &found.corrected {
        Some(Ok(corrected)) => {
            let source = "models, corrected for the judge's error";
            answer.shares.extend(shares(source, corrected, &groups));
        }
        Some(Err(reason)) => answer.warnings.push(format!(
            "The judge's error could not be taken out of the models' places: failed to {reason}."
        )),
        None => answer
            .warnings
            .push("The judge is not validated: its error is in no interval.".to_owned()),
    }
    answer.shares.extend(readings(
        "as many random choosers",
        EVERYONE,
        random.judged.everyone.share.clone(),
    ));
    answer.shares.extend(readings("as many people", EVERYONE, own));
    beside_models(&mut answer.summary, &found, &models.models, &groups);
    let people = survey.people()?;
    let covered = cover(&people, &scores.places(), question.cover_radius, settings)?;
    answer.summary.cover_radius = covered.radius;
    answer.summary.cover = covered
        .steps
        .iter()
        .map(|step| CoverRow {
            model: models.models[step.model].clone(),
            share: to_core(step.covered),
            bound: step.upper_bound,
        })
        .collect();
    answer.plane = Some(Plane {
        population: format!(
            "survey of {} people in {} {}",
            table.respondents.len(),
            countries.len(),
            if countries.len() == 1 { "country" } else { "countries" }
        ),
        people: shown_people(table, frame.axes.len()),
        models: models
            .models
            .iter()
            .zip(&found.judged.places)
            .map(|(model, at)| ModelPoint {
                model: model.clone(),
                at: at.iter().copied().map(to_core).collect(),
            })
            .collect(),
    });
    Ok(answer)
}

/// The countries, then languages if there are several in some country, then what is known of people.
fn groups(table: &SurveyTable, countries: &[&str]) -> Vec<Group> {
    let respondents = &table.respondents;
    let group = |name: String, is_in: &dyn Fn(usize) -> bool| Group {
        name,
        members: (0..respondents.len()).map(is_in).collect(),
    };
    let mut groups: Vec<Group> = countries
        .iter()
        .map(|country| group((*country).to_owned(), &|i| respondents[i].country == *country))
        .collect();
    let languages = distinct(respondents.iter().map(|r| r.language.as_str()));
    if languages.len() > 1 {
        groups.extend(languages.iter().map(|language| {
            group(format!("language: {language}"), &|i| respondents[i].language == *language)
        }));
    }
    let variables =
        distinct(respondents.iter().flat_map(|r| r.demographics.keys().map(String::as_str)));
    for variable in variables {
        let of = |i: usize| respondents[i].demographics.get(variable).map(String::as_str);
        let mut categories = distinct((0..respondents.len()).filter_map(of));
        categories.sort_unstable();
        // A column with a value of its own for everybody is no grouping.
        if categories.len() > 50 {
            continue;
        }
        groups.extend(categories.into_iter().map(|category| {
            group(format!("{variable}: {category}"), &|i| of(i) == Some(category))
        }));
    }
    groups.retain(|group| {
        let n = group.members.iter().filter(|member| **member).count();
        n >= SMALLEST_GROUP || countries.contains(&group.name.as_str())
    });
    groups
}

fn people(
    table: &SurveyTable,
    groups: &[Group],
    countries: &[&str],
    n_axes: usize,
) -> Result<Survey, EvaluateError> {
    let axis_of_prompt = table.items.iter().map(|item| item.axis).collect();
    let mut survey = Survey::new(n_axes, axis_of_prompt, groups.len())?;
    let stratum: HashMap<&str, usize> =
        countries.iter().enumerate().map(|(i, country)| (*country, i)).collect();
    let (mut answers, mut of_person) = (Vec::new(), Vec::new());
    for (i, respondent) in table.respondents.iter().enumerate() {
        answers.clear();
        answers.extend(
            table
                .choices(i)
                .iter()
                .filter_map(|choice| Some((usize::from(choice.item), choice.position?.value()))),
        );
        of_person.clear();
        of_person.extend((0..groups.len()).filter(|group| groups[*group].members[i]));
        survey.push(&Respondent {
            answers: &answers,
            weight: table.weights[i],
            stratum: stratum[respondent.country.as_str()],
            groups: &of_person,
        })?;
    }
    Ok(survey)
}

/// The judge's validation as a table an axis; nothing if an axis has none.
fn confusions(
    judges: &[JudgeRow],
    frame: &ValueFrame,
) -> Result<Option<Vec<Confusion>>, EvaluateError> {
    let mut tables = Vec::new();
    for axis in &frame.axes {
        let Some(row) = judges.iter().find(|row| row.axis == axis.id) else { return Ok(None) };
        let pairs = row.confusion.iter().enumerate().flat_map(|(truth, verdicts)| {
            verdicts
                .iter()
                .enumerate()
                .flat_map(move |(verdict, n)| std::iter::repeat_n((truth, Some(verdict)), *n))
        });
        tables.push(Confusion::new(pairs, 3)?);
    }
    Ok(Some(tables))
}

fn shares(source: &str, found: &PlacedShare, groups: &[Group]) -> Vec<ShareRow> {
    let mut rows = readings(source, EVERYONE, found.everyone.share.clone());
    for (group, share) in groups.iter().zip(&found.groups) {
        if let Some(share) = share {
            rows.extend(readings(source, &group.name, share.share.clone()));
        }
    }
    rows
}

/// Distances and what each model adds.
fn beside_models(
    summary: &mut SurveySummary,
    found: &SurveyShare,
    models: &[ModelId],
    groups: &[Group],
) {
    let everyone = std::iter::once((EVERYONE, &found.judged.everyone));
    let others = groups.iter().zip(&found.judged.groups);
    let others = others.filter_map(|(group, share)| Some((group.name.as_str(), share.as_ref()?)));
    let all: Vec<(&str, &GroupShare)> = everyone.chain(others).collect();
    for (population, share) in all {
        for (model, beside) in models.iter().zip(&share.models) {
            summary.distances.push(DistanceRow {
                model: model.clone(),
                population: population.to_owned(),
                distance: to_core(beside.distance),
                difference: beside.difference.iter().copied().map(to_core).collect(),
            });
            let added = &beside.added;
            let readings =
                [("O1", added.lower_corner), ("O2", added.inside_box), ("O4", added.overlap)];
            summary.added.extend(readings.map(|(reading, added)| AddedRow {
                model: model.clone(),
                reading: reading.to_owned(),
                population: population.to_owned(),
                added: to_core(added),
            }));
        }
        let place = share
            .place
            .iter()
            .zip(summary.scores.iter_mut().filter(|row| row.population == population));
        // Prompts are in this interval too, as they are in the models'.
        place.for_each(|(place, row)| row.mean = to_core(*place));
    }
}

/// More people than this are shown by their densities alone.
const SHOWN: usize = 3000;

/// People with their places, if they are few enough to be shown one by one.
fn shown_people(table: &SurveyTable, n_axes: usize) -> Vec<Person> {
    if table.respondents.len() > SHOWN {
        return Vec::new();
    }
    let person = |i: usize| {
        Some(Person {
            group: table.respondents[i].country.clone(),
            weight: table.weights[i],
            at: place(table.choices(i), &table.items, n_axes)?,
        })
    };
    (0..table.respondents.len()).filter_map(person).collect()
}

/// The mean place of the choices on each axis; nothing if there is none on some axis.
fn place(
    choices: &[Choice],
    items: &[crate::survey::table::SurveyItem],
    n_axes: usize,
) -> Option<Vec<f64>> {
    let mut sums = vec![(0.0, 0.0); n_axes];
    for choice in choices {
        if let Some(position) = choice.position {
            let sum = &mut sums[items[usize::from(choice.item)].axis];
            sum.0 += position.value();
            sum.1 += 1.0;
        }
    }
    sums.iter().map(|(sum, n)| (*n > 0.0).then(|| sum / n)).collect()
}

fn densities(
    table: &SurveyTable,
    survey: &Survey,
    groups: &[Group],
    countries: &[&str],
    frame: &ValueFrame,
) -> Result<Vec<Density>, EvaluateError> {
    let n_axes = survey.n_axes();
    let places: Vec<Option<Vec<f64>>> = (0..table.respondents.len())
        .map(|i| place(table.choices(i), &table.items, n_axes))
        .collect();
    let all = vec![true; table.respondents.len()];
    let populations = std::iter::once((EVERYONE, &all)).chain(
        groups
            .iter()
            .filter(|group| countries.contains(&group.name.as_str()))
            .map(|group| (group.name.as_str(), &group.members)),
    );
    let mut rows = Vec::new();
    // From left to right the second axis, upwards the first, as on the map of the World Values Survey.
    let pairs: Vec<Vec<usize>> =
        if n_axes == 2 { vec![vec![1, 0]] } else { (0..n_axes).map(|axis| vec![axis]).collect() };
    for (population, members) in populations {
        for axes in &pairs {
            let mut shares = vec![0.0; BINS.pow(axes.len() as u32)];
            let mut total = 0.0;
            for (i, place) in places.iter().enumerate().filter(|(i, _)| members[*i]) {
                let Some(place) = place else { continue };
                let bin = |axis: &usize| (place[*axis] * (BINS - 1) as f64).round() as usize;
                let cell = axes.iter().map(bin).fold(0, |cell, bin| cell * BINS + bin);
                shares[cell] += table.weights[i];
                total += table.weights[i];
            }
            if total > 0.0 {
                shares.iter_mut().for_each(|share| *share /= total);
                rows.push(Density {
                    population: population.to_owned(),
                    axes: axes.iter().map(|axis| frame.axes[*axis].id.clone()).collect(),
                    bins: BINS,
                    shares,
                });
            }
        }
    }
    Ok(rows)
}

fn class(position: Position) -> usize {
    (position.value() * 2.0) as usize
}

fn summary(
    question: &SurveyQuestion<'_>,
    groups: &[Group],
    countries: &[&str],
) -> Result<SurveySummary, EvaluateError> {
    let SurveyQuestion { table, frame, settings, .. } = question;
    let all = vec![true; table.respondents.len()];
    let everyone = || std::iter::once((EVERYONE, &all));
    let named = |group: &'_ Group| countries.contains(&group.name.as_str());
    let of_countries: Vec<(&str, &Vec<bool>)> = everyone()
        .chain(groups.iter().filter(|g| named(g)).map(|g| (g.name.as_str(), &g.members)))
        .collect();
    let of_all: Vec<(&str, &Vec<bool>)> =
        everyone().chain(groups.iter().map(|g| (g.name.as_str(), &g.members))).collect();
    let stratum: HashMap<&str, usize> =
        countries.iter().enumerate().map(|(i, country)| (*country, i)).collect();
    let strata = table.respondents.iter().map(|r| stratum[r.country.as_str()]).collect();
    let stage = Stage { strata: Some(strata), ..Stage::default() };
    let design = Design::new(table.weights.clone(), &[stage], LonelyPsu::Adjust)?;
    let mut summary = SurveySummary::default();
    for (population, members) in &of_countries {
        summary.people.push(people_row(question, population, members));
    }
    for (population, members) in &of_all {
        let Ok(design) = design.domain(members) else { continue };
        for axis in 0..frame.axes.len() {
            summary.scores.extend(score_row(question, &design, population, axis));
        }
    }
    for (population, members) in &of_countries {
        for axis in 0..frame.axes.len() {
            summary.reliability.extend(reliability_row(question, population, members, axis));
        }
        for item in 0..table.items.len() {
            summary.items.extend(item_row(question, population, members, item));
        }
    }
    summary.order = order_rows(table, settings.level);
    Ok(summary)
}

fn people_row(question: &SurveyQuestion<'_>, population: &str, members: &[bool]) -> PeopleRow {
    let table = question.table;
    let inside = || (0..members.len()).filter(|i| members[*i]);
    let weights: Vec<f64> = inside().map(|i| table.weights[i]).collect();
    let weighting = question.weighting.iter().find(|made| made.country == population);
    PeopleRow {
        population: population.to_owned(),
        n: weights.len(),
        n_answers: inside().map(|i| table.choices(i).len()).sum(),
        design_effect: kish_design_effect(&weights),
        effective_n: effective_sample_size(&weights),
        weighting: match weighting {
            Some(made) => made.describe(),
            None if population == EVERYONE => "each country by itself".into(),
            None => "base weights".into(),
        },
    }
}

fn score_row(
    question: &SurveyQuestion<'_>,
    design: &Design,
    population: &str,
    axis: usize,
) -> Option<ScoreRow> {
    let SurveyQuestion { table, frame, settings, .. } = question;
    let of_axis = |choice: &&Choice| table.items[usize::from(choice.item)].axis == axis;
    let choices = |i: usize| table.choices(i).iter().filter(of_axis);
    let score = |i: usize, with_default: bool| {
        let counted = choices(i).filter(|c| with_default || c.chosen != Shown::Default);
        let (sum, n) = counted
            .filter_map(|choice| choice.position)
            .fold((0.0, 0.0), |(sum, n), position| (sum + position.value(), n + 1.0));
        (n > 0.0).then(|| sum / n)
    };
    let n = table.respondents.len();
    let level = settings.level;
    let scores: Vec<Option<f64>> = (0..n).map(|i| score(i, true)).collect();
    let mean = design.mean(&scores, level).ok()?;
    let is_default = |choice: &Choice| choice.chosen == Shown::Default;
    let any_default = (0..n).any(|i| choices(i).any(is_default));
    let beside = any_default.then(|| {
        let without: Vec<Option<f64>> = (0..n).map(|i| score(i, false)).collect();
        let counts = |is_it: &dyn Fn(&Choice) -> bool| -> Vec<Option<f64>> {
            let count = |i: usize| choices(i).filter(|choice| is_it(choice)).count() as f64;
            (0..n).map(|i| (!table.choices(i).is_empty()).then(|| count(i))).collect()
        };
        let chosen = counts(&is_default);
        let people: Vec<Option<bool>> = chosen.iter().map(|n| n.map(|n| n > 0.0)).collect();
        (
            design.mean(&without, level).ok().map(|found| to_core(found.estimate)),
            design.ratio(&chosen, &counts(&|_| true), level).ok().map(|f| to_core(f.estimate)),
            design.share(&people, level).ok().map(|found| to_core(found.estimate)),
        )
    });
    let (without_default, default_share, people_with_default) = beside.unwrap_or_default();
    Some(ScoreRow {
        population: population.to_owned(),
        axis: frame.axes[axis].id.clone(),
        mean: to_core(mean.estimate),
        without_default,
        default_share,
        people_with_default,
    })
}

/// Random splits of a person's answers.
const SPLITS: usize = 50;

fn reliability_row(
    question: &SurveyQuestion<'_>,
    population: &str,
    members: &[bool],
    axis: usize,
) -> Option<ReliabilityRow> {
    let SurveyQuestion { table, frame, settings, .. } = question;
    let of_axis: HashMap<u16, usize> = (0..table.items.len())
        .filter(|item| table.items[*item].axis == axis)
        .enumerate()
        .map(|(number, item)| (item as u16, number))
        .collect();
    let people: Vec<Answers> = (0..members.len())
        .filter(|i| members[*i])
        .map(|i| {
            let scores = table
                .choices(i)
                .iter()
                .filter_map(|choice| Some((*of_axis.get(&choice.item)?, choice.position?.value())));
            Answers { scores: scores.collect(), weight: table.weights[i] }
        })
        .collect();
    let jackknife =
        Jackknife { level: settings.level, seed: question.seed.get(), ..Jackknife::default() };
    let halves = split_half(&people, SPLITS, &jackknife).ok()?;
    let alpha = cronbach_alpha(&people, of_axis.len(), None, &jackknife).ok();
    Some(ReliabilityRow {
        population: population.to_owned(),
        axis: frame.axes[axis].id.clone(),
        split_half: to_core(halves.estimate),
        alpha: alpha.map(|alpha| to_core(alpha.estimate)),
    })
}

fn item_row(
    question: &SurveyQuestion<'_>,
    population: &str,
    members: &[bool],
    item: usize,
) -> Option<ItemRow> {
    let SurveyQuestion { table, frame, settings, .. } = question;
    let chosen: Vec<(Shown, f64)> = (0..members.len())
        .filter(|i| members[*i])
        .filter_map(|i| {
            let choice = table.choices(i).iter().find(|c| usize::from(c.item) == item)?;
            Some((choice.chosen, table.weights[i]))
        })
        .collect();
    let share = |shown: Shown| {
        let sums: Vec<(f64, f64)> = chosen
            .iter()
            .map(|(chosen, weight)| (if *chosen == shown { *weight } else { 0.0 }, *weight))
            .collect();
        let found = clustered_share(&sums, settings.level).ok()?;
        Some(polyculture_core::Estimate { n: chosen.len(), ..to_core(found) })
    };
    let [low, balanced, high, default] = Shown::ALL.map(share);
    let item = &table.items[item];
    Some(ItemRow {
        item: item.id.clone(),
        axis: frame.axes[item.axis].id.clone(),
        topic: item.topic.clone(),
        population: population.to_owned(),
        shares: [low?, balanced?, high?, default?],
    })
}

/// How often the option at each place is chosen, over the answers with the usual number of options.
fn order_rows(table: &SurveyTable, level: f64) -> Vec<OrderRow> {
    let places =
        || (0..table.respondents.len()).flat_map(|i| table.choices(i)).filter_map(|c| c.place);
    let mut counts = [0usize; 256];
    places().for_each(|(_, n)| counts[usize::from(n)] += 1);
    let most = counts.iter().enumerate().max_by_key(|(n, count)| (**count, *n));
    let Some((n_options, _)) = most.filter(|(n, count)| *n > 1 && **count > 0) else {
        return Vec::new();
    };
    let of_person = |i: usize| {
        let mut counts = vec![0.0; n_options];
        for (place, n) in table.choices(i).iter().filter_map(|choice| choice.place) {
            if usize::from(n) == n_options {
                counts[usize::from(place)] += 1.0;
            }
        }
        counts
    };
    let clusters: Vec<Vec<f64>> = (0..table.respondents.len()).map(of_person).collect();
    let expected = 1.0 / n_options as f64;
    let Some(test) = goodness_of_fit(&clusters, &vec![expected; n_options]) else {
        return Vec::new();
    };
    (0..n_options)
        .filter_map(|place| {
            let sums: Vec<(f64, f64)> =
                clusters.iter().map(|c| (c[place], c.iter().sum())).collect();
            let share = to_core(clustered_share(&sums, level).ok()?);
            Some(OrderRow { place: place + 1, share, expected, p_value: test.p_value })
        })
        .collect()
}

/// The rules about respondents who may not have read.
#[must_use]
pub fn careless_rows(
    flags: &[Flags],
    settings: &crate::config::CarelessSection,
    level: f64,
) -> Vec<CarelessRow> {
    let too_fast = format!("Half of the answers took less than {} seconds.", settings.seconds);
    let one_place =
        format!("At least {:.0} % of the choices fell on one place.", 100.0 * settings.one_place);
    let known = |flag: fn(&Flags) -> Option<bool>| flags.iter().filter_map(flag).collect();
    let rules: [(&str, String, Vec<bool>); 2] = [
        ("too-fast", too_fast, known(|flags| flags.too_fast)),
        ("one-place", one_place, known(|flags| flags.one_place)),
    ];
    rules
        .into_iter()
        .filter_map(|(rule, description, known)| {
            let hits = known.iter().filter(|hit| **hit).count();
            let share = to_core(wilson(hits, known.len(), level).ok()?);
            Some(CarelessRow { rule: rule.to_owned(), description, share, dropped: settings.drop })
        })
        .collect()
}
