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

use std::collections::HashMap;

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::bootstrap::{
    Bootstrap, BootstrapError, Resamples, Strata, Target, quantile, std_dev, summarise,
};
use crate::interval::{Estimate, Method, Range};
use crate::weights::kish_design_effect;

/// Points of the value space, `[n_points, n_axes]`, each coordinate in [0, 1].
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    n_axes: usize,
    coordinates: Vec<f64>,
}

/// People: where they stand, how much they weigh and where they were sampled.
#[derive(Debug, Clone, PartialEq)]
pub struct People {
    positions: Points,
    weights: Vec<f64>,
    strata: Vec<usize>,
}

/// Scores of models on prompts of one axis each: where positions come from, and their error.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptScores {
    n_axes: usize,
    axis_of_prompt: Vec<usize>,
    scores: Vec<Option<f64>>,
}

/// The points that stand for the models (or for any other chooser, such as a uniform random one).
#[derive(Debug, Clone, PartialEq)]
pub enum Models {
    /// Positions taken as given: the interval carries only the sampling of people.
    Fixed(Points),
    /// Positions that are means over prompts: the interval carries the sampling of prompts too.
    Measured(PromptScores),
}

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
        Models::Measured(scores) => scores.positions(&vec![1.0; scores.axis_of_prompt.len()])?,
    };
    let space = Space::new(people, positions.n_axes, fine_bins)?;
    let values = space.readings(&people.weights, &positions.coordinates);

    let mut resamples = Resamples::new(N_READINGS, settings.resamples);
    let mut rng = settings.rng();
    let person_strata = Strata::new(people.strata.iter().copied());
    let mut weights = vec![0.0; people.weights.len()];
    match models {
        Models::Fixed(points) => {
            for _ in 0..settings.resamples {
                person_strata.draw(&mut rng, &mut weights);
                multiply(&mut weights, &people.weights);
                resamples.push(&space.readings(&weights, &points.coordinates));
            }
        }
        Models::Measured(scores) => {
            let prompt_strata = Strata::new(scores.axis_of_prompt.iter().copied());
            let mut prompts = vec![0.0; scores.axis_of_prompt.len()];
            for _ in 0..settings.resamples {
                person_strata.draw(&mut rng, &mut weights);
                multiply(&mut weights, &people.weights);
                prompt_strata.draw(&mut rng, &mut prompts);
                // A draw that leaves a model without a scored prompt has no readings.
                let readings = scores.positions(&prompts).map_or([f64::NAN; N_READINGS], |drawn| {
                    space.readings(&weights, &drawn.coordinates)
                });
                resamples.push(&readings);
            }
        }
    }
    let target = Target { range: Range::SHARE, n: people.len(), n_clusters: people.effective_n() };
    space.assemble(positions.len(), |i| {
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
    let space = Space::new(people, people.positions.n_axes, fine_bins)?;
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
        draws.push(&space.readings(&people.weights, &voices));
    }
    let tail = 0.5 - settings.level / 2.0;
    space.assemble(n_models, |i| {
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

impl Points {
    /// Points from their coordinates row by row, `[n_points, n_axes]`.
    ///
    /// # Errors
    /// Axes outside 1..=8, a broken row, no point, a coordinate outside [0, 1].
    pub fn new(n_axes: usize, coordinates: Vec<f64>) -> Result<Self, AlignedShareError> {
        if !(1..=8).contains(&n_axes) {
            return Err(AlignedShareError::Axes(n_axes));
        }
        if coordinates.is_empty() {
            return Err(AlignedShareError::Nobody("points"));
        }
        if !coordinates.len().is_multiple_of(n_axes) {
            let found = coordinates.len();
            return Err(AlignedShareError::Shape { what: "coordinates", found, expected: n_axes });
        }
        if let Some(i) = coordinates.iter().position(|x| !(0.0..=1.0).contains(x)) {
            return Err(AlignedShareError::Position { row: i / n_axes, value: coordinates[i] });
        }
        Ok(Self { n_axes, coordinates })
    }

    /// Number of points, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "there is always a point")]
    pub fn len(&self) -> usize {
        self.coordinates.len() / self.n_axes
    }

    /// The coordinates of one point, `[n_axes]`.
    pub fn row(&self, point: usize) -> &[f64] {
        &self.coordinates[point * self.n_axes..][..self.n_axes]
    }
}

impl People {
    /// People of equal weight from one stratum.
    pub fn new(positions: Points) -> Self {
        let n = positions.len();
        Self { positions, weights: vec![1.0; n], strata: vec![0; n] }
    }

    /// With survey weights, one a person; their scale does not matter.
    ///
    /// # Errors
    /// A wrong number of weights, one that is negative or not finite, or none above 0.
    pub fn with_weights(mut self, weights: Vec<f64>) -> Result<Self, AlignedShareError> {
        self.check_length("weights", weights.len())?;
        if let Some(row) = weights.iter().position(|weight| !weight.is_finite() || *weight < 0.0) {
            return Err(AlignedShareError::Weight { row, value: weights[row] });
        }
        if weights.iter().all(|weight| *weight == 0.0) {
            return Err(AlignedShareError::Weight { row: weights.len(), value: 0.0 });
        }
        self.weights = weights;
        Ok(self)
    }

    /// With the stratum (country) that each person was sampled from.
    ///
    /// # Errors
    /// A wrong number of strata.
    pub fn with_strata(mut self, strata: Vec<usize>) -> Result<Self, AlignedShareError> {
        self.check_length("strata", strata.len())?;
        self.strata = strata;
        Ok(self)
    }

    /// Number of people, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "there is always a person")]
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    fn effective_n(&self) -> usize {
        // Rounding must not make 99 of 100 people with equal weights.
        (self.len() as f64 / kish_design_effect(&self.weights) + 1e-9).floor() as usize
    }

    fn last_with_weight(&self) -> usize {
        self.weights.iter().rposition(|weight| *weight > 0.0).expect("not all weights are 0")
    }

    fn check_length(&self, what: &'static str, found: usize) -> Result<(), AlignedShareError> {
        let expected = self.len();
        if found != expected {
            return Err(AlignedShareError::Shape { what, found, expected });
        }
        Ok(())
    }
}

impl PromptScores {
    /// Scores `[n_models, n_prompts]` in [0, 1], row by row; `None` is unscored and left out of the model's mean.
    ///
    /// # Errors
    /// Axes outside 1..=8, a broken row, no model, a score outside [0, 1], a prompt of an unknown axis, a model without
    /// a scored prompt on an axis.
    pub fn new(
        n_axes: usize,
        axis_of_prompt: Vec<usize>,
        scores: Vec<Option<f64>>,
    ) -> Result<Self, AlignedShareError> {
        if !(1..=8).contains(&n_axes) {
            return Err(AlignedShareError::Axes(n_axes));
        }
        let n_prompts = axis_of_prompt.len();
        if n_prompts == 0 || scores.is_empty() {
            return Err(AlignedShareError::Nobody("models"));
        }
        if !scores.len().is_multiple_of(n_prompts) {
            return Err(AlignedShareError::Shape {
                what: "scores",
                found: scores.len(),
                expected: n_prompts,
            });
        }
        if let Some(prompt) = axis_of_prompt.iter().position(|axis| *axis >= n_axes) {
            return Err(AlignedShareError::PromptAxis {
                prompt,
                axis: axis_of_prompt[prompt],
                n_axes,
            });
        }
        let outside =
            |score: &Option<f64>| score.is_some_and(|score| !(0.0..=1.0).contains(&score));
        if let Some(i) = scores.iter().position(outside) {
            return Err(AlignedShareError::Position {
                row: i / n_prompts,
                value: scores[i].unwrap_or(f64::NAN),
            });
        }
        let made = Self { n_axes, axis_of_prompt, scores };
        made.positions(&vec![1.0; n_prompts])?;
        Ok(made)
    }

    /// Each model's mean score on each axis, a prompt counting `weights[prompt]` times.
    fn positions(&self, weights: &[f64]) -> Result<Points, AlignedShareError> {
        let n_axes = self.n_axes;
        let n_prompts = self.axis_of_prompt.len();
        let mut coordinates = Vec::with_capacity(self.scores.len() / n_prompts * n_axes);
        for (model, scores) in self.scores.chunks_exact(n_prompts).enumerate() {
            let mut sums = [(0.0, 0.0); 8];
            for ((score, axis), weight) in scores.iter().zip(&self.axis_of_prompt).zip(weights) {
                if let Some(score) = score {
                    sums[*axis].0 += weight * score;
                    sums[*axis].1 += weight;
                }
            }
            for (axis, (sum, weight)) in sums[..n_axes].iter().enumerate() {
                if *weight == 0.0 {
                    return Err(AlignedShareError::Unplaced { model, axis });
                }
                // The mean of ones must not round past 1.
                coordinates.push((sum / weight).min(1.0));
            }
        }
        Ok(Points { n_axes, coordinates })
    }
}

const N_READINGS: usize = 6;
const TOLERANCE: f64 = 1e-9;

/// The people's side of the readings, worked out once: resamples change only weights and models.
struct Space<'a> {
    people: &'a People,
    halves: Cells,
    fine: Cells,
}

impl<'a> Space<'a> {
    fn new(people: &'a People, n_axes: usize, fine_bins: usize) -> Result<Self, AlignedShareError> {
        if people.positions.n_axes != n_axes {
            return Err(AlignedShareError::AxesDiffer {
                people: people.positions.n_axes,
                models: n_axes,
            });
        }
        if !(2..=100).contains(&fine_bins) {
            return Err(AlignedShareError::Bins(fine_bins));
        }
        Ok(Self {
            people,
            halves: Cells::new(&people.positions, 2),
            fine: Cells::new(&people.positions, fine_bins),
        })
    }

    /// O1, O2, O3, O4, O4 fine, O5 for one weighting of the people and one placing of the models `[n_models, n_axes]`.
    fn readings(&self, weights: &[f64], models: &[f64]) -> [f64; N_READINGS] {
        let n_axes = self.people.positions.n_axes;
        let (mut lows, mut highs) = ([f64::INFINITY; 8], [f64::NEG_INFINITY; 8]);
        for model in models.chunks_exact(n_axes) {
            for (axis, position) in model.iter().enumerate() {
                lows[axis] = lows[axis].min(position - TOLERANCE);
                highs[axis] = highs[axis].max(position + TOLERANCE);
            }
        }
        let (mut total, mut above, mut boxed, mut on_axis) = (0.0, 0.0, 0.0, [0.0; 8]);
        let mut in_half = vec![0.0; self.halves.n_taken()];
        let mut in_fine = vec![0.0; self.fine.n_taken()];
        let rows = self.people.positions.coordinates.chunks_exact(n_axes);
        for (person, (position, weight)) in rows.zip(weights).enumerate() {
            if *weight == 0.0 {
                continue;
            }
            let (mut is_above, mut is_boxed) = (true, true);
            for (axis, h) in position.iter().enumerate() {
                let inside = lows[axis] <= *h && *h <= highs[axis];
                is_above &= lows[axis] <= *h;
                is_boxed &= inside;
                on_axis[axis] += if inside { *weight } else { 0.0 };
            }
            total += weight;
            above += if is_above { *weight } else { 0.0 };
            boxed += if is_boxed { *weight } else { 0.0 };
            in_half[self.halves.of_person[person]] += weight;
            in_fine[self.fine.of_person[person]] += weight;
        }
        let weakest = on_axis[..n_axes].iter().copied().fold(f64::INFINITY, f64::min);
        let model_halves = self.halves.count(models, n_axes);
        let model_fine = self.fine.count(models, n_axes);
        [
            above / total,
            boxed / total,
            weakest / total,
            self.halves.overlap(&in_half, total, &model_halves),
            self.fine.overlap(&in_fine, total, &model_fine),
            self.halves.fullest(&in_half, &model_halves) / total,
        ]
    }

    fn assemble(
        &self,
        n_models: usize,
        mut estimate: impl FnMut(usize) -> Result<Estimate, AlignedShareError>,
    ) -> Result<AlignedShare, AlignedShareError> {
        Ok(AlignedShare {
            lower_corner: estimate(0)?,
            inside_box: estimate(1)?,
            weakest_axis: estimate(2)?,
            overlap: estimate(3)?,
            overlap_fine: estimate(4)?,
            quadrant: estimate(5)?,
            fine_bins: self.fine.bins,
            n_people: self.people.len(),
            n_models,
            design_effect: kish_design_effect(&self.people.weights),
        })
    }
}

/// A grid over the space; only cells in which somebody stands are kept.
struct Cells {
    bins: usize,
    index_of_code: HashMap<u64, usize>,
    of_person: Vec<usize>,
}

impl Cells {
    fn new(positions: &Points, bins: usize) -> Self {
        let mut index_of_code = HashMap::new();
        let of_person = positions
            .coordinates
            .chunks_exact(positions.n_axes)
            .map(|position| {
                let next = index_of_code.len();
                *index_of_code.entry(code(position, bins)).or_insert(next)
            })
            .collect();
        Self { bins, index_of_code, of_person }
    }

    fn n_taken(&self) -> usize {
        self.index_of_code.len()
    }

    /// Number of models per cell; people need not stand in it.
    fn count(&self, models: &[f64], n_axes: usize) -> Vec<(u64, usize)> {
        let mut codes: Vec<u64> =
            models.chunks_exact(n_axes).map(|model| code(model, self.bins)).collect();
        codes.sort_unstable();
        codes.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect()
    }

    fn overlap(&self, in_cell: &[f64], total: f64, models: &[(u64, usize)]) -> f64 {
        let n_models: usize = models.iter().map(|(_, n)| n).sum();
        models
            .iter()
            .map(|(code, n)| {
                (self.people_in(in_cell, *code) / total).min(*n as f64 / n_models as f64)
            })
            .sum()
    }

    /// Weight of the people in the cell with most models; the mean over cells that tie.
    fn fullest(&self, in_cell: &[f64], models: &[(u64, usize)]) -> f64 {
        let most = models.iter().map(|(_, n)| *n).max().unwrap_or(0);
        let (mut sum, mut ties) = (0.0, 0.0);
        for (code, _) in models.iter().filter(|(_, n)| *n == most) {
            sum += self.people_in(in_cell, *code);
            ties += 1.0;
        }
        sum / ties
    }

    fn people_in(&self, in_cell: &[f64], code: u64) -> f64 {
        self.index_of_code.get(&code).map_or(0.0, |index| in_cell[*index])
    }
}

/// The number of a position's cell; at most 100^8, which fits.
fn code(position: &[f64], bins: usize) -> u64 {
    position.iter().fold(0, |code, x| {
        let bin = (x * bins as f64 - TOLERANCE).ceil().max(1.0) as u64 - 1;
        code * bins as u64 + bin
    })
}

fn multiply(counts: &mut [f64], weights: &[f64]) {
    for (count, weight) in counts.iter_mut().zip(weights) {
        *count *= weight;
    }
}

#[cfg(test)]
mod tests;
