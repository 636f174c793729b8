//! Bounds of weights: nobody shall count for too many or for nothing, at the price of some bias.

use serde::{Deserialize, Serialize};

use super::rake::{MarginFit, RakeSettings, Raked, Raking, not_converged};
use super::{Margin, WeightsError, check_weights};

/// How small and how large weights may be; `None` is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bounds {
    /// The smallest weight.
    pub lower: Option<Bound>,
    /// The largest weight.
    pub upper: Option<Bound>,
}

/// A bound, as a weight or relative to the weights above 0 before trimming.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// A weight.
    Absolute(f64),
    /// So many times the mean.
    TimesMean(f64),
    /// So many times the median.
    TimesMedian(f64),
}

/// Trimmed weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trimmed {
    /// One a respondent.
    pub weights: Vec<f64>,
    /// The lower bound as a weight.
    pub lower: Option<f64>,
    /// The upper bound as a weight.
    pub upper: Option<f64>,
    /// Respondents at the lower bound.
    pub n_at_lower: usize,
    /// Respondents at the upper bound.
    pub n_at_upper: usize,
}

/// Weights that meet margins within bounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoundedRaked {
    /// The weights, how well they meet the margins, and the iterations of all rakings together.
    pub raked: Raked,
    /// The lower bound as a weight.
    pub lower: Option<f64>,
    /// The upper bound as a weight.
    pub upper: Option<f64>,
    /// Respondents at the lower bound.
    pub n_at_lower: usize,
    /// Respondents at the upper bound.
    pub n_at_upper: usize,
    /// Times that raked weights had to be trimmed.
    pub rounds: usize,
}

/// Weights within bounds, with the same sum.
///
/// Method: weights outside are put on the bound; what that takes or gives is shared out evenly (so much
/// a respondent) among those that were inside, and so on until all are inside. This is `trimWeights(strict = TRUE)` of R's
/// survey, with three differences: a weight of 0 is nobody and stays 0; rounds come to an end where R's may only tend to it;
/// and the sum is kept also where nobody was inside at first, where R loses it.
/// Margins that held before do not hold afterwards: see [`trim_and_rake`].
/// Checked against R's survey 4.1.
///
/// # Errors
/// Weights or bounds that are none, or a mean outside the bounds.
pub fn trim(weights: &[f64], bounds: &Bounds) -> Result<Trimmed, WeightsError> {
    check_weights(weights)?;
    let interval = Interval::of(weights, bounds)?;
    let mut weights = weights.to_vec();
    interval.trim(&mut weights)?;
    let (n_at_lower, n_at_upper) = interval.count(&weights);
    let (lower, upper) = interval.ends();
    Ok(Trimmed { weights, lower, upper, n_at_lower, n_at_upper })
}

/// Weights that meet all margins within bounds: raked, trimmed, raked again, until both hold.
///
/// Method: [`super::rake`] and [`trim`] in turn (as `rake` and `trimWeights(strict = TRUE)` of R's survey in a loop), until
/// raked weights are within the bounds. Bounds relative to mean or median are taken once, from the weights raked first.
/// In the end all weights are within the bounds exactly, and margins within the tolerance. `max_iterations` limits the rounds and the
/// iterations of each; `allow_unconverged` returns raked weights of which some are out of bounds. Checked against that loop in R.
///
/// # Errors
/// As [`super::rake`] and [`trim`]; a category whose people cannot carry its target within the bounds (named at once); bounds and
/// margins that do not hold together.
pub fn trim_and_rake(
    base: &[f64],
    margins: &[Margin],
    bounds: &Bounds,
    settings: &RakeSettings,
) -> Result<BoundedRaked, WeightsError> {
    settings.check()?;
    let raking = Raking::new(base, margins)?;
    // Half the tolerance is for raking, half for the last cut.
    let half = RakeSettings { tolerance: settings.tolerance / 2.0, ..*settings };
    let mut weights = base.to_vec();
    let (mut iterations, mut fits) = raking.apply(&mut weights, &half);
    let interval = Interval::of(&weights, bounds)?;
    interval.check_targets(&raking, margins)?;
    let mut rounds = 0;
    let converged = loop {
        let raked = fits.iter().all(|fit| fit.deviation <= half.tolerance);
        if !raked && !settings.allow_unconverged {
            return Err(not_converged(iterations, fits));
        }
        let (n_outside, farthest) = interval.outside(&weights, half.tolerance);
        if n_outside == 0 {
            interval.clamp(&mut weights);
            fits = raking.fits(&weights);
            break raked;
        }
        if !raked || rounds == settings.max_iterations {
            if settings.allow_unconverged {
                break false;
            }
            let Interval { lower, upper } = interval;
            let (n, weight) = (n_outside, farthest);
            return Err(WeightsError::BoundsNotMet { rounds, lower, upper, n, weight });
        }
        rounds += 1;
        interval.trim(&mut weights)?;
        let (more, new_fits): (usize, Vec<MarginFit>) = raking.apply(&mut weights, &half);
        (iterations, fits) = (iterations + more, new_fits);
    };
    let (n_at_lower, n_at_upper) = interval.count(&weights);
    let (lower, upper) = interval.ends();
    let raked = Raked { weights, iterations, converged, margins: fits };
    Ok(BoundedRaked { raked, lower, upper, n_at_lower, n_at_upper, rounds })
}

/// Bounds as weights: 0 and infinity where there are none.
#[derive(Debug, Clone, Copy)]
struct Interval {
    lower: f64,
    upper: f64,
}

impl Interval {
    fn of(weights: &[f64], bounds: &Bounds) -> Result<Self, WeightsError> {
        let lower = bounds.lower.map_or(Ok(0.0), |bound| bound.weight(weights))?;
        let upper = bounds.upper.map_or(Ok(f64::INFINITY), |bound| bound.weight(weights))?;
        if upper <= 0.0 {
            return Err(WeightsError::Bound(upper));
        }
        if lower > upper {
            return Err(WeightsError::BoundsCrossed { lower, upper });
        }
        Ok(Self { lower, upper })
    }

    fn ends(&self) -> (Option<f64>, Option<f64>) {
        let is_bound = |bound: &f64| *bound > 0.0 && bound.is_finite();
        (Some(self.lower).filter(is_bound), Some(self.upper).filter(is_bound))
    }

    /// Brings weights inside; who weighs 0 is left out.
    fn trim(&self, weights: &mut [f64]) -> Result<(), WeightsError> {
        let Self { lower, upper } = *self;
        let (sum, n) = sum_and_count(weights);
        let mean = sum / n;
        if mean < lower * (1.0 - 1e-12) || mean > upper * (1.0 + 1e-12) {
            return Err(WeightsError::MeanOutOfBounds { lower, upper, mean });
        }
        // Between rounds a weight may be below 0: what is given to others is taken from few at first.
        // What cutting has taken (or, below 0, given) and nobody has got yet.
        let mut excess = 0.0;
        for round in 0_usize.. {
            let (mut n_outside, mut n_inside, mut n_below, mut n_above) = (0, 0, 0, 0);
            for weight in weights.iter().filter(|weight| **weight != 0.0) {
                let cut = weight.clamp(lower, upper);
                let outside = cut != *weight;
                excess += weight - cut;
                n_outside += usize::from(outside);
                n_inside += usize::from(!outside);
                n_below += usize::from(cut < upper && !outside);
                n_above += usize::from(cut > lower && !outside);
            }
            if n_outside == 0 && excess.abs() <= 1e-15 * sum {
                break;
            }
            // In the first round R gives to all who were inside, also on a bound. Later it makes no difference to the result whether
            // those on the bound get a part that the next round takes again; without it the rounds come to an end: each
            // but the last brings one more to the bound.
            let (n_takers, first) = match (round, excess > 0.0) {
                (0, _) => (n_inside, true),
                (_, true) => (n_below, false),
                (_, false) => (n_above, false),
            };
            let part = if n_takers > 0 { excess / n_takers as f64 } else { 0.0 };
            for weight in weights.iter_mut().filter(|weight| **weight != 0.0) {
                let cut = weight.clamp(lower, upper);
                let takes = cut == *weight
                    && (first || if excess > 0.0 { cut < upper } else { cut > lower });
                *weight = if takes { cut + part } else { cut };
                if *weight == 0.0 {
                    // On its way from above to the lower bound, by chance; not nobody.
                    *weight = f64::MIN_POSITIVE;
                }
            }
            if n_takers > 0 {
                excess = 0.0;
            } else if round > 0 {
                // All are on one bound: it is the mean, but for rounding.
                break;
            }
        }
        Ok(())
    }

    fn clamp(&self, weights: &mut [f64]) {
        for weight in weights.iter_mut().filter(|weight| **weight > 0.0) {
            *weight = weight.clamp(self.lower, self.upper);
        }
    }

    /// People outside by more than a tolerance, and the weight farthest outside.
    fn outside(&self, weights: &[f64], tolerance: f64) -> (usize, f64) {
        let (mut n, mut farthest) = (0, (1.0 + tolerance, 0.0));
        for weight in weights.iter().filter(|weight| **weight > 0.0) {
            let ratio = (weight / self.upper).max(self.lower / weight);
            n += usize::from(ratio > 1.0 + tolerance);
            if ratio > farthest.0 {
                farthest = (ratio, *weight);
            }
        }
        (n, farthest.1)
    }

    fn count(&self, weights: &[f64]) -> (usize, usize) {
        let near = |bound: f64| {
            let at = |weight: &&f64| **weight > 0.0 && (**weight - bound).abs() <= 1e-12 * bound;
            weights.iter().filter(at).count()
        };
        let n_at = |bound: Option<f64>| bound.map_or(0, near);
        let (lower, upper) = self.ends();
        (n_at(lower), n_at(upper))
    }

    /// Whether the people of each category could carry its target.
    fn check_targets(&self, raking: &Raking, margins: &[Margin]) -> Result<(), WeightsError> {
        let Self { lower, upper } = *self;
        for ((margin, targets), counts) in
            margins.iter().zip(&raking.targets).zip(&raking.n_weighted)
        {
            for (i, (&target, &n)) in targets.iter().zip(counts).enumerate() {
                let people = n as f64;
                let too_few = target > people * upper * (1.0 + 1e-9);
                if n > 0 && (too_few || target < people * lower * (1.0 - 1e-9)) {
                    let (margin, category) = (margin.name().to_string(), margin.label(i));
                    return Err(WeightsError::BoundsAgainstTarget {
                        margin,
                        category,
                        target,
                        n,
                        lower,
                        upper,
                    });
                }
            }
        }
        Ok(())
    }
}

impl Bound {
    fn weight(self, weights: &[f64]) -> Result<f64, WeightsError> {
        let (Self::Absolute(times) | Self::TimesMean(times) | Self::TimesMedian(times)) = self;
        if !times.is_finite() || times < 0.0 {
            return Err(WeightsError::Bound(times));
        }
        Ok(match self {
            Self::Absolute(weight) => weight,
            Self::TimesMean(times) => {
                let (sum, n) = sum_and_count(weights);
                times * sum / n
            }
            Self::TimesMedian(times) => times * median(weights),
        })
    }
}

/// Of the weights above 0.
fn sum_and_count(weights: &[f64]) -> (f64, f64) {
    let above = weights.iter().filter(|weight| **weight > 0.0);
    above.fold((0.0, 0.0), |(sum, n), weight| (sum + weight, n + 1.0))
}

/// Of the weights above 0; of an even number, the mean of the two in the middle.
fn median(weights: &[f64]) -> f64 {
    let mut above: Vec<f64> = weights.iter().copied().filter(|weight| *weight > 0.0).collect();
    let half = above.len() / 2;
    let is_even = above.len().is_multiple_of(2);
    let (below, middle, _) = above.select_nth_unstable_by(half, f64::total_cmp);
    if is_even {
        let before = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        return (before + *middle) / 2.0;
    }
    *middle
}
