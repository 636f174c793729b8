//! The plane and the aligned share: whom do the models' answers speak for?

use super::coverage::only_model;
use super::scores::{Scores, clusters, probes};
use super::{EvaluateError, strategy};
use crate::estimates::to_core;
use polyculture_core::results::{ModelPoint, Person, Plane, ShareRow};
use polyculture_core::{CandidateSet, ModelId, Position, Seed, ValueFrame};
use polyculture_stats::aligned_share::{
    AlignedShare, Models, People, Points, PromptScores, aligned_share, people_as_models,
};
use polyculture_stats::bootstrap::{Bootstrap, clustered_mean};
use polyculture_stats::interval::Range;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Bins an axis of the finer histogram overlap.
pub const FINE_BINS: usize = 5;

/// Whom the shares are of, when they are of all people.
pub const EVERYONE: &str = "everyone";

/// The readings in their order, with what each counts.
const READINGS: [(&str, &str); 6] = [
    ("O1", "people who stand at or above the lowest model on every axis"),
    ("O2", "people who stand between the lowest and the highest model on every axis"),
    (
        "O3",
        "people between the lowest and the highest model on one axis, for the axis where they are fewest",
    ),
    ("O4", "overlap of the two histograms, cells split at 0.5"),
    ("O4 fine", "overlap of the two histograms, five bins an axis"),
    ("O5", "people in the quadrant that holds most models"),
];

/// Where each model stands by what it answers under one strategy, prompt by prompt.
#[derive(Debug, Clone)]
pub struct ModelScores {
    models: Vec<ModelId>,
    /// The axis of each prompt that probes it.
    axis_of_prompt: Vec<usize>,
    /// `[models, prompts]`, the mean place of a model's responses.
    scores: Vec<Option<f64>>,
    n_axes: usize,
}

impl ModelScores {
    /// From the sets of a strategy that one model wrote alone.
    #[must_use]
    pub fn new(sets: &[CandidateSet], scores: &Scores, frame: &ValueFrame, name: &str) -> Self {
        let cluster = clusters(sets);
        let mut models: Vec<ModelId> = Vec::new();
        let mut columns: Vec<(usize, usize)> = Vec::new();
        let mut sums = std::collections::HashMap::<(usize, usize), (f64, f64)>::new();
        for set in sets.iter().filter(|set| strategy(set) == name) {
            let Some(model) = only_model(set) else { continue };
            let row = models.iter().position(|known| known == model).unwrap_or_else(|| {
                models.push(model.clone());
                models.len() - 1
            });
            for (index, axis) in frame.axes.iter().enumerate().filter(|(_, a)| probes(set, &a.id)) {
                let column = (cluster[set.prompt_id.as_str()], index);
                let column =
                    columns.iter().position(|known| *known == column).unwrap_or_else(|| {
                        columns.push(column);
                        columns.len() - 1
                    });
                let sum = sums.entry((row, column)).or_default();
                for position in scores.positions(set, &axis.id).into_iter().flatten() {
                    sum.0 += Position::value(position);
                    sum.1 += 1.0;
                }
            }
        }
        let cell = |row, column| {
            let (total, n) = sums.get(&(row, column)).copied().unwrap_or_default();
            (n > 0.0).then(|| total / n)
        };
        let scores = (0..models.len())
            .flat_map(|row| (0..columns.len()).map(move |column| (row, column)))
            .map(|(row, column)| cell(row, column))
            .collect();
        let axis_of_prompt = columns.into_iter().map(|(_, axis)| axis).collect();
        Self { models, axis_of_prompt, scores, n_axes: frame.axes.len() }
    }

    /// How many models there are.
    #[must_use]
    pub fn n_models(&self) -> usize {
        self.models.len()
    }

    /// Whether every model has a scored prompt on every axis.
    #[must_use]
    pub fn is_placed(&self) -> bool {
        let n_prompts = self.axis_of_prompt.len();
        self.scores.chunks(n_prompts.max(1)).all(|row| {
            (0..self.n_axes).all(|axis| {
                row.iter()
                    .zip(&self.axis_of_prompt)
                    .any(|(s, probed)| *probed == axis && s.is_some())
            })
        })
    }

    /// Each model's place, the interval over prompts.
    ///
    /// # Errors
    /// If a model has no scored prompt on an axis.
    pub fn points(&self, settings: &Bootstrap) -> Result<Vec<ModelPoint>, EvaluateError> {
        let n_prompts = self.axis_of_prompt.len();
        let rows = self.models.iter().zip(self.scores.chunks(n_prompts.max(1)));
        rows.map(|(model, row)| {
            let at = (0..self.n_axes).map(|axis| {
                let of_axis = row.iter().zip(&self.axis_of_prompt).enumerate();
                let places = of_axis
                    .filter(|(_, (_, probed))| **probed == axis)
                    .filter_map(|(prompt, (score, _))| score.map(|score| (prompt, score)));
                Ok(to_core(clustered_mean(places, Range::SHARE, settings)?))
            });
            Ok(ModelPoint { model: model.clone(), at: at.collect::<Result<_, EvaluateError>>()? })
        })
        .collect()
    }

    fn measured(&self) -> Result<Models, EvaluateError> {
        let scores = self.scores.clone();
        Ok(Models::Measured(PromptScores::new(self.n_axes, self.axis_of_prompt.clone(), scores)?))
    }

    /// As many choosers as there are models, who place themselves at random on every prompt.
    fn random_choosers(&self, seed: Seed) -> Result<Models, EvaluateError> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.stream("share", "random-choosers").get());
        let scores = (0..self.scores.len())
            .map(|_| Some(Position::ALL[rng.random_range(0..3)].value()))
            .collect();
        Ok(Models::Measured(PromptScores::new(self.n_axes, self.axis_of_prompt.clone(), scores)?))
    }
}

/// People and models side by side.
///
/// # Errors
/// If a model has no place on an axis.
pub fn plane(
    description: &str,
    people: &[Person],
    models: &ModelScores,
    settings: &Bootstrap,
) -> Result<Plane, EvaluateError> {
    Ok(Plane {
        population: description.to_owned(),
        people: people.to_vec(),
        models: models.points(settings)?,
    })
}

/// The five readings of the aligned share for everyone and for each group, and baselines for
/// everyone.
///
/// # Errors
/// If there are no people or no models.
pub fn share_rows(
    people: &[Person],
    models: &ModelScores,
    seed: Seed,
    settings: &Bootstrap,
) -> Result<Vec<ShareRow>, EvaluateError> {
    let everyone: Vec<&Person> = people.iter().collect();
    let measured = models.measured()?;
    let all = population(&everyone, models.n_axes)?;
    let mut rows = Vec::new();
    rows.extend(readings("models", EVERYONE, aligned_share(&all, &measured, FINE_BINS, settings)?));
    for group in groups(people) {
        let members: Vec<&Person> = people.iter().filter(|p| p.group == group).collect();
        let members = population(&members, models.n_axes)?;
        let found = aligned_share(&members, &measured, FINE_BINS, settings)?;
        rows.extend(readings("models", &group, found));
    }
    let random = aligned_share(&all, &models.random_choosers(seed)?, FINE_BINS, settings)?;
    rows.extend(readings("as many random choosers", EVERYONE, random));
    let own = people_as_models(&all, models.n_models(), FINE_BINS, settings)?;
    rows.extend(readings("as many people", EVERYONE, own));
    Ok(rows)
}

pub(super) fn readings(source: &str, population: &str, found: AlignedShare) -> Vec<ShareRow> {
    let estimates = [
        found.lower_corner,
        found.inside_box,
        found.weakest_axis,
        found.overlap,
        found.overlap_fine,
        found.quadrant,
    ];
    READINGS
        .iter()
        .zip(estimates)
        .map(|((reading, definition), share)| ShareRow {
            reading: (*reading).to_owned(),
            definition: (*definition).to_owned(),
            source: source.to_owned(),
            population: population.to_owned(),
            share: to_core(share),
        })
        .collect()
}

fn groups(people: &[Person]) -> Vec<String> {
    let mut groups = Vec::new();
    for person in people {
        if !groups.contains(&person.group) {
            groups.push(person.group.clone());
        }
    }
    groups
}

fn population(people: &[&Person], n_axes: usize) -> Result<People, EvaluateError> {
    let mut names: Vec<&str> = Vec::new();
    let mut strata = Vec::with_capacity(people.len());
    for person in people {
        let stratum = names.iter().position(|name| *name == person.group).unwrap_or_else(|| {
            names.push(&person.group);
            names.len() - 1
        });
        strata.push(stratum);
    }
    let coordinates = people.iter().flat_map(|person| person.at.iter().copied()).collect();
    let points = Points::new(n_axes, coordinates)?;
    let weights = people.iter().map(|person| person.weight).collect();
    Ok(People::new(points).with_weights(weights)?.with_strata(strata)?)
}
