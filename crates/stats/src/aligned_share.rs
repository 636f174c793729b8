//! For what share of the people do the models speak? Five readings of one published sentence.
//!
//! The paper (arXiv 2507.09650) calls its figure the overlap of the two distributions on the plane, "taking the minimum
//! of the two axes and calculating the proportion of human preferences within that range", and no more. The
//! five readings below are ours: the first is the headline and the others stand beside it.
//!
//! With h_ik the position of person i on axis k, m_jk that of model j, shares weighted:
//! - O1 lower corner: people with `h_ik >= min_j m_jk` on every axis;
//! - O2 box: people with `min_j m_jk <= h_ik <= max_j m_jk` on every axis;
//! - O3 weakest axis: the smallest over k of the share with `min_j m_jk <= h_ik <= max_j m_jk`;
//! - O4 histogram overlap: sum over cells of `min(p_human, p_model)`;
//! - O5 quadrant: people in the quadrant that holds most models (the mean over quadrants that tie).
//!
//! Cells. B bins cut an axis into `[0, 1/B], (1/B, 2/B], ..., (1-1/B, 1]`: a position on a cut falls low, so a balanced .5
//! counts with the low half. A quadrant is a cell of two bins. All comparisons allow 1e-9 for rounding, because equal
//! means of different sums may differ in their last bit. With few models a fine histogram cannot overlap much whatever
//! they say: read O4 beside a baseline with as many points.
//!
//! [`aligned_share`] takes people as points. [`survey_share`] takes what they answered to the models' own prompts, carries
//! the error of their places and of the judge, and gives every group and every model beside it. [`cover()`] asks which few
//! models stand near most people.

mod cover;
mod judge_error;
mod places;
mod readings;
mod scores;
mod survey;
mod two_way;

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::bootstrap::{
    Bootstrap, BootstrapError, Resamples, Strata, Target, quantile, std_dev, summarise,
};
use crate::interval::{Estimate, Method, Range};
use crate::weights::kish_design_effect;

pub use self::cover::{Cover, CoverError, CoverStep, cover};
pub use self::judge_error::CorrectionError;
pub use self::places::{People, Points};
use self::readings::{N_READINGS, Yardstick, readings};
pub use self::scores::{CLASS_PLACES, Models, PromptScores};
pub use self::survey::{Respondent, Survey, SurveyError};
pub use self::two_way::{Added, GroupShare, ModelShare, PlacedShare, SurveyShare, survey_share};

/// The five readings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlignedShare {
    /// O1, the headline.
    pub lower_corner: Estimate,
    /// O2.
    pub inside_box: Estimate,
    /// O3.
    pub weakest_axis: Estimate,
    /// O4 with cells split at .5.
    pub overlap: Estimate,
    /// O4 with `fine_bins` bins an axis.
    pub overlap_fine: Estimate,
    /// O5.
    pub quadrant: Estimate,
    /// Bins an axis of `overlap_fine`.
    pub fine_bins: usize,
    /// Number of people.
    pub n_people: usize,
    /// Number of models.
    pub n_models: usize,
    /// Kish's design effect of the weights, 1 when they are equal.
    pub design_effect: f64,
}

/// Why there is no aligned share.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AlignedShareError {
    /// Value spaces have 1 to 8 axes.
    #[error("use `{0}` axes: 1 to 8 are possible")]
    Axes(usize),
    /// People and models live in different spaces.
    #[error("compare people on `{people}` axes with models on `{models}`")]
    AxesDiffer {
        /// Axes of the people.
        people: usize,
        /// Axes of the models.
        models: usize,
    },
    /// Not a whole number of rows, or a column of another length than the people.
    #[error("read `{found}` {what}: `{expected}` are needed")]
    Shape {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there must be (for coordinates: a multiple of it).
        expected: usize,
    },
    /// No people or no models.
    #[error("find any {0}")]
    Nobody(&'static str),
    /// A coordinate or score outside [0, 1].
    #[error("read position `{value}` of row `{row}`: not in [0, 1]")]
    Position {
        /// The point or model.
        row: usize,
        /// What was found.
        value: f64,
    },
    /// A negative, infinite or NaN weight, or no weight above 0 (then `row` is the number of people).
    #[error("weigh person `{row}` with `{value}`: weights are at least 0, finite, and not all 0")]
    Weight {
        /// The person.
        row: usize,
        /// What was found.
        value: f64,
    },
    /// A prompt of an axis that does not exist.
    #[error("use axis `{axis}` of prompt `{prompt}`: there are `{n_axes}` axes, counted from 0")]
    PromptAxis {
        /// The prompt.
        prompt: usize,
        /// Its axis.
        axis: usize,
        /// Axes that exist.
        n_axes: usize,
    },
    /// People and models were asked prompts of other axes.
    #[error("place people and models by the same prompts: prompt `{0}` has another axis")]
    PromptsDiffer(usize),
    /// A model without a scored prompt on an axis has no position.
    #[error("place model `{model}` on axis `{axis}`: none of its prompts is scored")]
    Unplaced {
        /// The model.
        model: usize,
        /// The axis.
        axis: usize,
    },
    /// Fine bins outside 2..=100.
    #[error("cut an axis into `{0}` bins: 2 to 100 are possible")]
    Bins(usize),
    /// The resampling failed.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
}

/// The five readings with percentile bootstrap intervals.
///
/// Method: people are drawn with replacement within their strata and keep their weights. Where the models are
/// [`Models::Measured`] the prompts of each axis are drawn independently at the same time: the two-way pigeonhole bootstrap
/// (Owen 2007, Ann. Appl. Stat. 1, 386-411), mildly conservative. Models are never resampled: the readings are
/// statements about these models, and a bootstrap of a minimum or maximum over models is inconsistent.
///
/// Assumes people were sampled independently within strata. Limits: the error of a person's own position is not
/// carried; a stratum of one person adds no variance; resampling prompts moves the smallest of many noisy positions down, so
/// that O1 to O3 intervals of measured models lean to the high side. `n_clusters` is the effective number of people,
/// `n / design effect`.
/// Checked against numpy (values), and the standard error of O1 against the linearised one.
///
/// # Errors
/// Different axes, fine bins outside 2..=100, a model without a position, wrong settings.
pub fn aligned_share(
    people: &People,
    models: &Models,
    fine_bins: usize,
    settings: &Bootstrap,
) -> Result<AlignedShare, AlignedShareError> {
    settings.check()?;
    let positions = match models {
        Models::Fixed(points) => points.clone(),
        Models::Measured(scores) => scores.places(),
    };
    let mut yardstick = yardstick(people, &positions, fine_bins)?;
    yardstick.place(&positions.coordinates);
    let values = readings(people, &people.weights, &yardstick);

    let mut resamples = Resamples::new(N_READINGS, settings.resamples);
    let mut rng = settings.rng();
    let person_strata = Strata::new(people.strata.iter().copied());
    let mut weights = vec![0.0; people.weights.len()];
    match models {
        Models::Fixed(_) => {
            for _ in 0..settings.resamples {
                person_strata.draw(&mut rng, &mut weights);
                multiply(&mut weights, &people.weights);
                resamples.push(&readings(people, &weights, &yardstick));
            }
        }
        Models::Measured(scores) => {
            let prompt_strata = Strata::new(scores.axis_of_prompt().iter().copied());
            let mut prompts = vec![0.0; scores.axis_of_prompt().len()];
            let mut drawn = Vec::new();
            for _ in 0..settings.resamples {
                person_strata.draw(&mut rng, &mut weights);
                multiply(&mut weights, &people.weights);
                prompt_strata.draw(&mut rng, &mut prompts);
                if scores.place(&prompts, &mut drawn).is_ok() {
                    yardstick.place(&drawn);
                    resamples.push(&readings(people, &weights, &yardstick));
                } else {
                    // A draw that leaves a model without a scored prompt has no readings.
                    resamples.push(&[f64::NAN; N_READINGS]);
                }
            }
        }
    }
    let target = Target { range: Range::SHARE, n: people.len(), n_clusters: people.effective_n() };
    assemble(people, positions.len(), fine_bins, |i| {
        summarise(values[i], &resamples.0[i], None, target, settings)
            .ok_or(AlignedShareError::Bootstrap(BootstrapError::Undefined(i)))
    })
}

/// Baseline: what the readings are when `n_models` people, drawn by their weights, stand in for the models.
///
/// The people against their whole own range give 1 by construction; against as many of them as there are models the figure
/// says how far that number of independent voices could reach. Each value is the mean over draws with the central
/// part of the draws ([`Method::Draws`]).
///
/// # Errors
/// No models asked for, fine bins outside 2..=100, wrong settings.
pub fn people_as_models(
    people: &People,
    n_models: usize,
    fine_bins: usize,
    settings: &Bootstrap,
) -> Result<AlignedShare, AlignedShareError> {
    settings.check()?;
    if n_models == 0 {
        return Err(AlignedShareError::Nobody("models"));
    }
    check_bins(fine_bins)?;
    let mut yardstick = Yardstick::new(people.positions.n_axes, n_models, fine_bins);
    let mut cumulative = 0.0;
    let cumulated: Vec<f64> = people
        .weights
        .iter()
        .map(|weight| {
            cumulative += weight;
            cumulative
        })
        .collect();
    let mut rng = settings.rng();
    let mut draws = Resamples::new(N_READINGS, settings.resamples);
    for _ in 0..settings.resamples {
        let mut voices = Vec::with_capacity(n_models * people.positions.n_axes);
        for _ in 0..n_models {
            let at = rng.random::<f64>() * cumulative;
            // `at` may round up to the total: then the last person with a weight is meant.
            let person = cumulated.partition_point(|sum| *sum <= at).min(people.last_with_weight());
            voices.extend_from_slice(people.positions.row(person));
        }
        yardstick.place(&voices);
        draws.push(&readings(people, &people.weights, &yardstick));
    }
    let tail = 0.5 - settings.level / 2.0;
    assemble(people, n_models, fine_bins, |i| {
        let mut values = draws.0[i].clone();
        values.sort_by(f64::total_cmp);
        Ok(Estimate {
            value: values.iter().sum::<f64>() / values.len() as f64,
            low: quantile(&values, tail),
            high: quantile(&values, 1.0 - tail),
            level: settings.level,
            std_error: Some(std_dev(&values)),
            n: people.len(),
            n_clusters: people.effective_n(),
            method: Method::Draws,
        })
    })
}

fn yardstick(
    people: &People,
    models: &Points,
    fine_bins: usize,
) -> Result<Yardstick, AlignedShareError> {
    let (people, n_axes) = (people.positions.n_axes, models.n_axes);
    if people != n_axes {
        return Err(AlignedShareError::AxesDiffer { people, models: n_axes });
    }
    check_bins(fine_bins)?;
    Ok(Yardstick::new(n_axes, models.len(), fine_bins))
}

fn check_bins(fine_bins: usize) -> Result<(), AlignedShareError> {
    if !(2..=100).contains(&fine_bins) {
        return Err(AlignedShareError::Bins(fine_bins));
    }
    Ok(())
}

fn assemble(
    people: &People,
    n_models: usize,
    fine_bins: usize,
    mut estimate: impl FnMut(usize) -> Result<Estimate, AlignedShareError>,
) -> Result<AlignedShare, AlignedShareError> {
    Ok(AlignedShare {
        lower_corner: estimate(0)?,
        inside_box: estimate(1)?,
        weakest_axis: estimate(2)?,
        overlap: estimate(3)?,
        overlap_fine: estimate(4)?,
        quadrant: estimate(5)?,
        fine_bins,
        n_people: people.len(),
        n_models,
        design_effect: kish_design_effect(&people.weights),
    })
}

fn multiply(counts: &mut [f64], weights: &[f64]) {
    for (count, weight) in counts.iter_mut().zip(weights) {
        *count *= weight;
    }
}

#[cfg(test)]
mod tests;
