//! Which few models cover most people? Greedy maximum coverage, with a bound that says how good it is.

use std::collections::HashMap;

use rayon::prelude::*;

use super::places::{People, Points};
use super::readings::TOLERANCE;
use crate::bootstrap::{Bootstrap, BootstrapError, Strata, Target, summarise};
use crate::interval::{Estimate, Range};

/// Models in the order in which they add most people.
#[derive(Debug, Clone, PartialEq)]
pub struct Cover {
    /// How far a model reaches on each axis.
    pub radius: f64,
    /// The models that cover somebody whom those before them do not. Models that are not here add nobody.
    pub steps: Vec<CoverStep>,
    /// Share of the people whom at least one of all the models covers: that of the last step.
    pub all: Estimate,
}

/// A step of a [`Cover`]: the set of the models up to here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoverStep {
    /// The model.
    pub model: usize,
    /// Share of the people whom it covers and those before do not.
    pub gain: f64,
    /// Share of the people whom the set covers. The interval takes the order as given: it is of these models, not of the
    /// best ones.
    pub covered: Estimate,
    /// No set of as many models covers a larger share of these people.
    pub upper_bound: f64,
}

/// Why there is no cover.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CoverError {
    /// A radius that is negative or not a number.
    #[error("cover people within `{0}`: a radius is at least 0")]
    Radius(f64),
    /// People and models live in different spaces.
    #[error("compare people on `{people}` axes with models on `{models}`")]
    AxesDiffer {
        /// Axes of the people.
        people: usize,
        /// Axes of the models.
        models: usize,
    },
    /// The resampling failed.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
}

impl CoverStep {
    /// At least this part of what the best set of as many models covers: never below `1 - (1 - 1/k)^k > 1 - 1/e` at step k,
    /// and mostly close to 1.
    pub fn share_of_best(&self) -> f64 {
        self.covered.value / self.upper_bound
    }
}

/// Orders the models such that each covers most of the people whom those before it leave uncovered.
///
/// Model j covers person i if `|h_ik - m_jk| <= radius` on every axis k (with 1e-9 for rounding). The greedy order covers at least
/// `1 - (1 - 1/k)^k` of what the best k models cover (Nemhauser, Wolsey and Fisher 1978, Math. Program. 14, 265-294). In the
/// data at hand it is nearly always better, which `upper_bound` shows: coverage is submodular, so that for any set S the best k models cover
/// at most `f(S)` and the k largest gains over S; taken is the smallest such bound over all sets of the order, and what all
/// models cover together. Models that gain the same are taken in their order. The last step covers all who can be covered, not
/// necessarily with as few models as possible.
///
/// Intervals: percentile bootstrap, people drawn with replacement within strata; the models stay where they are. The draws
/// of resample r depend on the seed and r alone.
/// Checked against all subsets of few models.
///
/// # Errors
/// A negative radius, different axes, wrong settings.
pub fn cover(
    people: &People,
    models: &Points,
    radius: f64,
    settings: &Bootstrap,
) -> Result<Cover, CoverError> {
    settings.check()?;
    if radius.is_nan() || radius < 0.0 {
        return Err(CoverError::Radius(radius));
    }
    let (people_axes, model_axes) = (people.positions().n_axes(), models.n_axes());
    if people_axes != model_axes {
        return Err(CoverError::AxesDiffer { people: people_axes, models: model_axes });
    }
    let reach = Reach::new(people, models, radius);
    let (order, bounds) = reach.greedy();
    let covered = reach.estimates(people, &order, settings)?;
    let mut before = 0.0;
    let steps =
        order.iter().zip(&covered[1..]).zip(bounds).map(|((model, covered), upper_bound)| {
            let gain = covered.value - before;
            before = covered.value;
            // The two are sums of the same shares in another order.
            let upper_bound = upper_bound.max(covered.value);
            CoverStep { model: *model, gain, covered: *covered, upper_bound }
        });
    Ok(Cover { radius, steps: steps.collect(), all: covered[covered.len() - 1] })
}

/// Whom each model reaches. People within reach of the same models are one row.
struct Reach {
    n_models: usize,
    row_of_person: Vec<u32>,
    /// The models of a row as bits of words.
    rows: Vec<Vec<u64>>,
    /// Share of the people in each row.
    shares: Vec<f64>,
}

fn has(row: &[u64], model: usize) -> bool {
    row[model / 64] >> (model % 64) & 1 == 1
}

impl Reach {
    fn new(people: &People, models: &Points, radius: f64) -> Self {
        let n_models = models.len();
        let mut index_of_row: HashMap<Vec<u64>, u32> = HashMap::new();
        let mut made = Self {
            n_models,
            row_of_person: Vec::with_capacity(people.len()),
            rows: Vec::new(),
            shares: Vec::new(),
        };
        let mut row = vec![0; n_models.div_ceil(64)];
        let total: f64 = people.weights.iter().sum();
        for (person, weight) in people.weights.iter().enumerate() {
            row.fill(0_u64);
            let place = people.positions().row(person);
            for model in 0..n_models {
                let mut axes = place.iter().zip(models.row(model));
                if axes.all(|(h, m)| (h - m).abs() <= radius + TOLERANCE) {
                    row[model / 64] |= 1 << (model % 64);
                }
            }
            let index = index_of_row.get(&row).copied().unwrap_or_else(|| {
                let next = u32::try_from(made.rows.len()).expect("rows are fewer than people");
                index_of_row.insert(row.clone(), next);
                made.rows.push(row.clone());
                made.shares.push(0.0);
                next
            });
            made.row_of_person.push(index);
            made.shares[index as usize] += weight / total;
        }
        made
    }

    /// The order of the models that add somebody, and for each size of the set a bound on what the best one covers.
    fn greedy(&self) -> (Vec<usize>, Vec<f64>) {
        let mut is_covered = vec![false; self.rows.len()];
        let mut order = Vec::new();
        let mut covered = 0.0;
        // For each greedy set, from the empty one on: what it covers, and the gains over it from the largest down.
        let mut sets: Vec<(f64, Vec<f64>)> = Vec::new();
        loop {
            let mut gains = vec![0.0; self.n_models];
            for ((row, share), _) in self
                .rows
                .iter()
                .zip(&self.shares)
                .zip(&is_covered)
                .filter(|(_, covered)| !**covered)
            {
                for (_, gain) in gains.iter_mut().enumerate().filter(|(model, _)| has(row, *model))
                {
                    *gain += share;
                }
            }
            let best = (0..self.n_models).rev().max_by(|a, b| gains[*a].total_cmp(&gains[*b]));
            let gain = best.map_or(0.0, |best| gains[best]);
            gains.sort_by(|a, b| b.total_cmp(a));
            sets.push((covered, gains));
            let Some(best) = best.filter(|_| gain > 0.0) else { break };
            covered += gain;
            order.push(best);
            for (covered, row) in is_covered.iter_mut().zip(&self.rows) {
                *covered |= has(row, best);
            }
        }
        let bound = |size: usize| {
            let over =
                |(covered, gains): &(f64, Vec<f64>)| covered + gains[..size].iter().sum::<f64>();
            // The last set covers all who can be covered.
            sets.iter().map(over).fold(covered, f64::min)
        };
        let bounds = (1..=order.len()).map(bound).collect();
        (order, bounds)
    }

    /// Shares covered by the first 0, 1, 2, ... models of the order.
    fn estimates(
        &self,
        people: &People,
        order: &[usize],
        settings: &Bootstrap,
    ) -> Result<Vec<Estimate>, BootstrapError> {
        // The step from which on the people of a row are covered; after the last one for those who never are.
        let step_of_row: Vec<usize> = self
            .rows
            .iter()
            .map(|row| {
                order.iter().position(|model| has(row, *model)).map_or(order.len() + 1, |i| i + 1)
            })
            .collect();
        let step_of_person = |person: usize| step_of_row[self.row_of_person[person] as usize];
        let shares = |by_step: &mut [f64]| {
            let total: f64 = by_step.iter().sum();
            let mut sum = 0.0;
            for step in by_step {
                sum += *step;
                *step = sum / total;
            }
        };
        let n_steps = order.len() + 2;
        let mut values = vec![0.0; n_steps];
        for (person, weight) in people.weights.iter().enumerate() {
            values[step_of_person(person)] += weight;
        }
        shares(&mut values);
        let strata = Strata::new(people.strata.iter().copied());
        let mut resamples = vec![0.0; n_steps * settings.resamples];
        resamples.par_chunks_mut(n_steps).enumerate().for_each(|(resample, by_step)| {
            let mut rng = settings.rng_of(resample);
            strata.draw_each(&mut rng, |person| {
                by_step[step_of_person(person)] += people.weights[person];
            });
            shares(by_step);
        });
        let n_clusters = people.effective_n();
        let target = Target { range: Range::SHARE, n: people.len(), n_clusters };
        (0..=order.len())
            .map(|step| {
                let column = resamples.iter().skip(step).step_by(n_steps).copied();
                let column: Vec<f64> = column.collect();
                summarise(values[step], &column, None, target, settings)
                    .ok_or(BootstrapError::Undefined(step))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
