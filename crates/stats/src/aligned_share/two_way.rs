//! The aligned share over survey answers: people and prompts resampled together, every figure from the same resamples.

mod sample;

use self::sample::Sample;
use super::judge_error::{CorrectionError, JudgeError};
use super::scores::PromptScores;
use super::survey::{Survey, SurveyError};
use super::{AlignedShare, AlignedShareError, check_bins};
use crate::agreement::Confusion;
use crate::bootstrap::Bootstrap;
use crate::interval::Estimate;

/// What a survey says of whom the models speak for.
#[derive(Debug, Clone, PartialEq)]
pub struct SurveyShare {
    /// People with a place.
    pub n_people: usize,
    /// People left out, for want of an answer on some axis.
    pub n_unplaced: usize,
    /// The models where the judge's verdicts put them.
    pub judged: PlacedShare,
    /// The models where they stand after the judge's error is taken out; `None` if no validation was given, the reason if
    /// it does not suffice.
    pub corrected: Option<Result<PlacedShare, CorrectionError>>,
}

/// All figures of one way of placing the models.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedShare {
    /// Where each model stands, `[n_models][n_axes]`.
    pub places: Vec<Vec<Estimate>>,
    /// All people.
    pub everyone: GroupShare,
    /// The groups of the survey, `[n_groups]`; `None` for one in which nobody has a place and a weight.
    pub groups: Vec<Option<GroupShare>>,
}

/// The figures of a group of people.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupShare {
    /// The readings.
    pub share: AlignedShare,
    /// Number of people by their weights, `n / design effect`.
    pub effective_n: f64,
    /// Mean place on each axis, `[n_axes]`; people have no judge to correct, so that it is the same for both ways.
    pub place: Vec<Estimate>,
    /// Each model beside the group, `[n_models]`.
    pub models: Vec<ModelShare>,
}

/// A model beside a group of people.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelShare {
    /// Euclidean distance of the model's place from the group's mean place, 0 to `sqrt(n_axes)`. A distance cannot be
    /// negative: of places that are equal but for noise it is above 0, and so is its interval.
    pub distance: Estimate,
    /// The model's place less the group's mean place on each axis, `[n_axes]`.
    pub difference: Vec<Estimate>,
    /// What the model adds.
    pub added: Added,
}

/// What a model adds to the others: a reading with all models less the reading without this one (0 without any model), paired
/// over resamples. O1 and O2 can only gain from a model, an overlap can lose.
#[derive(Debug, Clone, PartialEq)]
pub struct Added {
    /// To O1.
    pub lower_corner: Estimate,
    /// To O2.
    pub inside_box: Estimate,
    /// To O4 with cells split at .5.
    pub overlap: Estimate,
}

/// The readings, mean places, distances and what each model adds, for everyone and each group, with percentile bootstrap
/// intervals from one pass of resamples.
///
/// Method: a resample draws the people with replacement within their strata, who keep their weights, and the prompts of
/// each axis with replacement. The same draw of prompts moves the places of people and of models, because both were asked the same
/// prompts: what makes a prompt hard for both cancels in their difference. This is the two-way pigeonhole bootstrap (Owen 2007,
/// Ann. Appl. Stat. 1, 386-411). It is conservative: the variance of single answers, that belongs neither to people nor to prompts,
/// counts three times, which is little where there are many answers.
/// A person whom a draw leaves without an answer on an axis has no weight in that resample; one that leaves a model
/// without a scored prompt has no figures. Models are never resampled, see [`super::aligned_share`].
///
/// With `judge`, a validation table an axis (true place by verdict, places 0, .5 and 1), all figures are given again for places
/// corrected by Rogan and Gladen's estimator for three classes: `C' pi = q` is solved for the class shares of each model
/// on each axis, shares below 0 are set to 0 and the rest is scaled to 1 (Rogan and Gladen 1978, Am. J. Epidemiol. 107, 71-76).
/// Each resample draws the validated texts of each true class anew. Needs [`PromptScores::from_counts`].
///
/// Baselines: uniform random choosers are other models on the same prompts; [`super::people_as_models`] takes [`Survey::people`].
/// What a model outside the set would add: append it ([`PromptScores::append`]) and read its [`Added`], which is the reading
/// with it less the reading of the set.
///
/// The draws of resample r depend on the seed and r alone: neither on the number of threads, nor on the models or the
/// validation. So two calls with one seed on one survey (the models and random choosers, say) are paired.
///
/// Assumes people were sampled independently within strata, prompts within axes. Limits: a stratum of one person and an axis of
/// one prompt add no variance; resampling prompts moves the smallest of many noisy places down, so that intervals
/// of O1 to O3 lean to the high side. `n_clusters` is the effective number of people of a group, and for the models' own places the
/// number of prompts.
/// Checked against numpy (every figure of whole samples and of given draws), and the standard error of a mean place against
/// `V_people + V_prompts - V_both`.
///
/// # Errors
/// Nobody with a place, other prompts than the survey's, fine bins outside 2..=100, wrong settings.
pub fn survey_share(
    survey: &Survey,
    models: &PromptScores,
    judge: Option<&[Confusion]>,
    fine_bins: usize,
    settings: &Bootstrap,
) -> Result<SurveyShare, SurveyError> {
    settings.check().map_err(AlignedShareError::from)?;
    check_bins(fine_bins)?;
    models.check_prompts(survey.n_axes(), survey.axis_of_prompt())?;
    let judge = judge.map(|tables| {
        let judge = JudgeError::new(tables, survey.n_axes())?;
        if models.has_classes() { Ok(judge) } else { Err(CorrectionError::NoClasses) }
    });
    let (judge, no_correction) = match judge {
        Some(Ok(judge)) => (Some(judge), None),
        Some(Err(reason)) => (None, Some(reason)),
        None => (None, None),
    };
    let sample = Sample::new(survey, models, judge, fine_bins)?;
    let mut estimates = sample.estimates(settings).into_iter();
    let judged = sample.assemble(&mut estimates)?;
    let corrected = match no_correction {
        Some(reason) => Some(Err(reason)),
        None => {
            sample.judge.is_some().then(|| sample.assemble(&mut estimates)).transpose()?.map(Ok)
        }
    };
    Ok(SurveyShare {
        n_people: survey.n_people(),
        n_unplaced: survey.n_unplaced(),
        judged,
        corrected,
    })
}

#[cfg(test)]
mod tests;
