//! What models answered on prompts of one axis each: where their places come from, and the error of these.

use super::places::{MAX_AXES, Points, check_axes};
use super::{AlignedShareError, places};

/// The classes that a judge puts an answer into, by their place on an axis.
pub const CLASS_PLACES: [f64; 3] = [0.0, 0.5, 1.0];

/// Scores of models on prompts of one axis each: where positions come from, and their error.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptScores {
    n_axes: usize,
    axis_of_prompt: Vec<usize>,
    /// `[n_models, n_prompts]`.
    scores: Vec<Option<f64>>,
    /// `[n_models, n_prompts]`: how a prompt's answers divide over the classes; without rows where only means are known.
    class_shares: Vec<[f64; 3]>,
}

/// The points that stand for the models (or for any other chooser, such as a uniform random one).
#[derive(Debug, Clone, PartialEq)]
pub enum Models {
    /// Positions taken as given: the interval carries only the sampling of people.
    Fixed(Points),
    /// Positions that are means over prompts: the interval carries the sampling of prompts too.
    Measured(PromptScores),
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
        check_prompts(n_axes, &axis_of_prompt)?;
        let n_prompts = axis_of_prompt.len();
        check_rows(scores.len(), n_prompts)?;
        let outside =
            |score: &Option<f64>| score.is_some_and(|score| !(0.0..=1.0).contains(&score));
        if let Some(i) = scores.iter().position(outside) {
            return Err(AlignedShareError::Position {
                row: i / n_prompts,
                value: scores[i].unwrap_or(f64::NAN),
            });
        }
        let made = Self { n_axes, axis_of_prompt, scores, class_shares: Vec::new() };
        made.place(&vec![1.0; n_prompts], &mut Vec::new())?;
        Ok(made)
    }

    /// From how many of a model's answers to a prompt were judged to stand at 0, .5 and 1, `[n_models, n_prompts]` row by row.
    ///
    /// A prompt's score is the mean of its answers, and a prompt without any is unscored. Knowing the classes and not only
    /// their mean is what a correction for the judge's error needs.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn from_counts(
        n_axes: usize,
        axis_of_prompt: Vec<usize>,
        counts: &[[u32; 3]],
    ) -> Result<Self, AlignedShareError> {
        let class_shares: Vec<[f64; 3]> = counts
            .iter()
            .map(|counts| {
                let counts = counts.map(f64::from);
                let n: f64 = counts.iter().sum();
                if n > 0.0 { counts.map(|count| count / n) } else { [0.0; 3] }
            })
            .collect();
        let answered = |shares: &[f64; 3]| shares.iter().any(|share| *share > 0.0);
        let scores = class_shares
            .iter()
            .map(|shares| answered(shares).then(|| places::clip(mean_place(shares))))
            .collect();
        Ok(Self { class_shares, ..Self::new(n_axes, axis_of_prompt, scores)? })
    }

    /// With the models of `others`, scored on the same prompts, after these: candidates, of whom one asks what they
    /// would add. The classes stay known where both sides have them.
    ///
    /// # Errors
    /// Other prompts.
    pub fn append(mut self, others: &Self) -> Result<Self, AlignedShareError> {
        self.check_prompts(others.n_axes, &others.axis_of_prompt)?;
        self.scores.extend_from_slice(&others.scores);
        if self.class_shares.is_empty() || others.class_shares.is_empty() {
            self.class_shares.clear();
        } else {
            self.class_shares.extend_from_slice(&others.class_shares);
        }
        Ok(self)
    }

    /// Number of models, at least 1.
    pub fn n_models(&self) -> usize {
        self.scores.len() / self.axis_of_prompt.len()
    }

    /// Each model's mean score on each axis, `[n_models, n_axes]`.
    pub fn places(&self) -> Points {
        let mut coordinates = Vec::new();
        self.place(&vec![1.0; self.axis_of_prompt.len()], &mut coordinates)
            .expect("the constructor placed every model");
        Points { n_axes: self.n_axes, coordinates }
    }

    pub(super) fn axis_of_prompt(&self) -> &[usize] {
        &self.axis_of_prompt
    }

    /// Whether the classes of the answers are known.
    pub(super) fn has_classes(&self) -> bool {
        !self.class_shares.is_empty()
    }

    /// Prompts of an axis on which a model has a score.
    pub(super) fn n_scored(&self, model: usize, axis: usize) -> usize {
        let scores = self.scores[model * self.axis_of_prompt.len()..].iter();
        scores
            .zip(&self.axis_of_prompt)
            .filter(|(score, of)| **of == axis && score.is_some())
            .count()
    }

    /// That somebody else's prompts are these, in this order.
    pub(super) fn check_prompts(
        &self,
        n_axes: usize,
        axis_of_prompt: &[usize],
    ) -> Result<(), AlignedShareError> {
        if n_axes != self.n_axes {
            return Err(AlignedShareError::AxesDiffer { people: n_axes, models: self.n_axes });
        }
        let (found, expected) = (axis_of_prompt.len(), self.axis_of_prompt.len());
        if found != expected {
            return Err(AlignedShareError::Shape { what: "prompts", found, expected });
        }
        let differs = |prompt: &usize| axis_of_prompt[*prompt] != self.axis_of_prompt[*prompt];
        match (0..expected).find(differs) {
            Some(prompt) => Err(AlignedShareError::PromptsDiffer(prompt)),
            None => Ok(()),
        }
    }

    /// Writes each model's mean score on each axis, a prompt counting `weights[prompt]` times.
    pub(super) fn place(
        &self,
        weights: &[f64],
        coordinates: &mut Vec<f64>,
    ) -> Result<(), AlignedShareError> {
        coordinates.clear();
        let rows = self.scores.chunks_exact(self.axis_of_prompt.len());
        for (model, scores) in rows.enumerate() {
            let mut sums = [(0.0, 0.0); MAX_AXES];
            for ((score, axis), weight) in scores.iter().zip(&self.axis_of_prompt).zip(weights) {
                if let Some(score) = score {
                    sums[*axis].0 += weight * score;
                    sums[*axis].1 += weight;
                }
            }
            for (axis, (sum, weight)) in sums[..self.n_axes].iter().enumerate() {
                if *weight == 0.0 {
                    return Err(AlignedShareError::Unplaced { model, axis });
                }
                coordinates.push(places::clip(sum / weight));
            }
        }
        Ok(())
    }

    /// Writes each model's mean place on each axis after `correct(axis, q)` has turned the class shares q of its
    /// judged answers into those of the true ones. For models that [`Self::place`] can place, with known classes.
    pub(super) fn place_corrected(
        &self,
        weights: &[f64],
        coordinates: &mut Vec<f64>,
        correct: impl Fn(usize, [f64; 3]) -> [f64; 3],
    ) {
        coordinates.clear();
        for shares in self.class_shares.chunks_exact(self.axis_of_prompt.len()) {
            let mut sums = [[0.0; 3]; MAX_AXES];
            for ((shares, axis), weight) in shares.iter().zip(&self.axis_of_prompt).zip(weights) {
                for (sum, share) in sums[*axis].iter_mut().zip(shares) {
                    *sum += weight * share;
                }
            }
            for (axis, sums) in sums[..self.n_axes].iter().enumerate() {
                // An unscored prompt has added nothing, so the total is that of the scored ones.
                let total: f64 = sums.iter().sum();
                let shares = correct(axis, sums.map(|sum| sum / total));
                coordinates.push(places::clip(mean_place(&shares)));
            }
        }
    }
}

/// That every prompt has an axis.
pub(super) fn check_prompts(
    n_axes: usize,
    axis_of_prompt: &[usize],
) -> Result<(), AlignedShareError> {
    check_axes(n_axes)?;
    if let Some(prompt) = axis_of_prompt.iter().position(|axis| *axis >= n_axes) {
        let axis = axis_of_prompt[prompt];
        return Err(AlignedShareError::PromptAxis { prompt, axis, n_axes });
    }
    Ok(())
}

fn check_rows(found: usize, n_prompts: usize) -> Result<(), AlignedShareError> {
    if n_prompts == 0 || found == 0 {
        return Err(AlignedShareError::Nobody("models"));
    }
    if !found.is_multiple_of(n_prompts) {
        return Err(AlignedShareError::Shape { what: "scores", found, expected: n_prompts });
    }
    Ok(())
}

fn mean_place(shares: &[f64; 3]) -> f64 {
    shares.iter().zip(CLASS_PLACES).map(|(share, place)| share * place).sum()
}
