//! Estimates from survey samples: what strata, clusters, finite populations and weights make of a standard error.
//!
//! A [`Design`] says how respondents were drawn and what they weigh; its methods estimate a [mean](Design::mean), a
//! [total](Design::total), a [share](Design::share) or a [ratio](Design::ratio), in all or in a [domain](Design::domain).
//!
//! ```
//! use polyculture_stats::design::{Design, LonelyPsu, Stage};
//!
//! // Two strata, two villages drawn from each, two respondents a village.
//! let villages = Stage {
//!     strata: Some(vec![0, 0, 0, 0, 1, 1, 1, 1]),
//!     units: Some(vec![1, 1, 2, 2, 3, 3, 4, 4]),
//!     ..Stage::default()
//! };
//! let design = Design::new(vec![10., 10., 10., 10., 30., 30., 30., 30.], &[villages], LonelyPsu::Fail)?;
//! let agrees = [true, true, true, false, false, true, false, false].map(Some);
//! let share = design.share(&agrees, 0.95)?;
//! assert_eq!((share.estimate.value, share.df), (0.375, 2));
//! # Ok::<(), polyculture_stats::design::DesignError>(())
//! ```

mod stages;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::interval::{Estimate, Method, Range, t_quantile, wilson_bounds};
use crate::weights::{WeightsError, check_weights, effective_sample_size};
use stages::Stages;

/// One stage of sampling. Each column has one entry a respondent, `[n]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stage {
    /// The stratum of the respondent's unit. `None`: one stratum.
    pub strata: Option<Vec<usize>>,
    /// The respondent's sampling unit. `None`: respondents are the units. From the second stage on, numbers count within a unit
    /// of the stage before.
    pub units: Option<Vec<usize>>,
    /// How many units the population of the respondent's stratum has, the same for all of a stratum; infinity for drawing with replacement.
    /// `None`: all strata are drawn with replacement, and later stages add nothing.
    pub population: Option<Vec<f64>>,
    /// Numbers of units start again in each stratum: unit 1 of stratum 1 is another than unit 1 of stratum 2 (R's
    /// `nest = TRUE`). Otherwise a unit in two strata is an error.
    pub nest: bool,
}

/// What a stratum of one sampling unit (of several in the population) adds to the variance, which one unit cannot show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LonelyPsu {
    /// Nothing: it is an error that names the stratum.
    #[default]
    Fail,
    /// Its unit's deviation from the grand mean instead of the stratum's: conservative. R's `survey.lonely.psu = "adjust"`, as
    /// which it takes the linearised values as they are; their grand mean is 0 for means, shares and ratios, and not for totals, where
    /// a lonely unit therefore adds its whole total squared.
    Adjust,
}

/// How respondents were drawn and what they weigh.
#[derive(Debug, Clone)]
pub struct Design {
    stages: Arc<Stages>,
    /// `[n]`; 0 outside the domain.
    weights: Vec<f64>,
}

/// An estimate with what its design made of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DesignEstimate {
    /// The value, its standard error and interval. `n` are the respondents with a weight and a value, `n_clusters`
    /// their primary sampling units.
    pub estimate: Estimate,
    /// Degrees of freedom of the interval: primary sampling units less strata, both with a respondent in `n`.
    pub df: usize,
    /// Strata of the first stage with a respondent in `n`.
    pub n_strata: usize,
    /// The variance over that of a simple random sample of as many: with replacement (R's `deff = "replace"`), or without where
    /// the first stage has population counts (R's `deff = TRUE`). `None` where that variance is 0 or, the weights being too small for
    /// the population, does not exist.
    pub design_effect: Option<f64>,
}

/// Why there is no estimate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DesignError {
    /// Weights that are none.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A column of another length than the weights.
    #[error("read `{found}` {what}: there are `{expected}` respondents")]
    Length {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there must be.
        expected: usize,
    },
    /// The level is not inside (0, 1).
    #[error("make an interval of level `{0}`: not between 0 and 1")]
    Level(f64),
    /// A value is not a number; what is missing is `None`.
    #[error("read the value of respondent `{0}`: not finite")]
    NotFinite(usize),
    /// Nobody in the domain has a weight and a value.
    #[error("estimate anything from nobody: no respondent of the domain has a weight and a value")]
    Nobody,
    /// The denominators of a ratio add up to 0.
    #[error("take a ratio to a total of 0")]
    ZeroDenominator,
    /// A stratum of one sampling unit, and [`LonelyPsu::Fail`].
    #[error(
        "estimate the variance in stratum `{stratum}` of stage `{stage}`: unit `{unit}` is its only sampling unit (join strata, or adjust)"
    )]
    Lonely {
        /// The stage, counted from 1.
        stage: usize,
        /// The stratum; 0 where the stage has none.
        stratum: usize,
        /// Its unit; where respondents are the units, the respondent.
        unit: usize,
    },
    /// A sampling unit in two strata.
    #[error(
        "nest unit `{unit}` of stage `{stage}`: it is in stratum `{first}` and in stratum `{second}` (if numbers start again in each stratum, say so by `nest`)"
    )]
    NotNested {
        /// The stage, counted from 1.
        stage: usize,
        /// The unit.
        unit: usize,
        /// A stratum.
        first: usize,
        /// Another stratum.
        second: usize,
    },
    /// Two population counts of one stratum (or one that is not a number).
    #[error(
        "read population count `{second}` in stratum `{stratum}` of stage `{stage}`: before it was `{first}`"
    )]
    PopulationDiffers {
        /// The stage, counted from 1.
        stage: usize,
        /// The stratum; 0 where the stage has none.
        stratum: usize,
        /// The count of the stratum's first respondent.
        first: f64,
        /// Another one.
        second: f64,
    },
    /// More sampling units in the sample than in the population.
    #[error(
        "draw `{n_units}` units from stratum `{stratum}` of stage `{stage}`: its population count is `{population}`"
    )]
    PopulationTooSmall {
        /// The stage, counted from 1.
        stage: usize,
        /// The stratum; 0 where the stage has none.
        stratum: usize,
        /// Units in the sample.
        n_units: usize,
        /// Units in the population.
        population: f64,
    },
    /// Weights were to be made from population counts, and a stage has none.
    #[error("make weights from the population counts of stage `{0}`: it has none")]
    NoPopulation(usize),
    /// No degrees of freedom: no more sampling units than strata.
    #[error(
        "make an interval from `{n_psus}` sampling units in `{n_strata}` strata: no degrees of freedom"
    )]
    NoFreedom {
        /// Primary sampling units with a weight and a value.
        n_psus: usize,
        /// Their strata.
        n_strata: usize,
    },
}

impl Design {
    /// A design of weights and stages, the first stage first; without stages, respondents drawn independently.
    ///
    /// Later stages matter only under population counts of all stages before: drawn with replacement, primary sampling units carry
    /// all the variance there is. Units count whether their respondents have a weight or not.
    ///
    /// # Errors
    /// Weights that are none, columns of another length, a unit in two strata, population counts that are smaller than the sample or differ
    /// within a stratum, a stratum of one unit (unless it is the whole population of the stratum, or `lonely_psu` allows it).
    pub fn new(
        weights: Vec<f64>,
        stages: &[Stage],
        lonely_psu: LonelyPsu,
    ) -> Result<Self, DesignError> {
        check_weights(&weights)?;
        let stages = Arc::new(Stages::new(weights.len(), stages, lonely_psu)?);
        Ok(Self { stages, weights })
    }

    /// A design of `n` respondents whose weights follow from the population counts: the product over stages of units in the population
    /// over units drawn. What R's `svydesign` does when given `fpc` and no weights.
    ///
    /// # Errors
    /// As [`Design::new`]; a stage without finite population counts.
    pub fn from_population(
        n: usize,
        stages: &[Stage],
        lonely_psu: LonelyPsu,
    ) -> Result<Self, DesignError> {
        if n == 0 {
            return Err(WeightsError::Nobody.into());
        }
        let made = Stages::new(n, stages, lonely_psu)?;
        let weights = made.expansion.clone().map_err(DesignError::NoPopulation)?;
        Ok(Self { stages: Arc::new(made), weights })
    }

    /// The same design with respondents outside a subpopulation weighing 0, so that strata and units without anybody of it still
    /// count in the variance (but not in the degrees of freedom): `subset` of a design in R.
    ///
    /// # Errors
    /// A wrong number of members; nobody left.
    pub fn domain(&self, members: &[bool]) -> Result<Self, DesignError> {
        self.check_length("members", members.len())?;
        let inside = |(weight, member): (&f64, &bool)| if *member { *weight } else { 0.0 };
        let weights: Vec<f64> = self.weights.iter().zip(members).map(inside).collect();
        if weights.iter().all(|weight| *weight == 0.0) {
            return Err(DesignError::Nobody);
        }
        Ok(Self { stages: Arc::clone(&self.stages), weights })
    }

    /// The weights, `[n]`; 0 outside the domain.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The mean `sum w x / sum w`.
    ///
    /// Formula: Taylor linearisation. With `z_i = w_i (x_i - mean) / sum w`, `V = sum_h (1 - n_h/N_h) n_h/(n_h - 1) sum_u (z_u - z_h)²` over
    /// strata h and their units u, `z_u` being sums and `z_h` their mean; plus, for each unit drawn, `n_h/N_h` times the same of the next stage
    /// within it (Särndal, Swensson and Wretman 1992, Model Assisted Survey Sampling, chapters 4 and 5; as `svyrecvar` of R's survey,
    /// Lumley 2004, J. Stat. Softw. 9(8)).
    /// The interval is on the plain scale with Student's t on [`DesignEstimate::df`] degrees.
    ///
    /// `None` is a missing value: the mean is that of the domain of those with one. Assumes that units were drawn independently within strata
    /// with equal chances, and takes the weights as given: what raking or post-stratification adds to precision is not counted,
    /// which leaves intervals too wide rather than too narrow where the margins predict the values. Limits: below some 10 degrees of freedom read the
    /// width as a lower bound. Checked against R's survey 4.1 `svymean`.
    ///
    /// # Errors
    /// A wrong number of values, one that is not finite, nobody with a weight and a value, a level outside (0, 1), no degrees of freedom.
    pub fn mean(&self, values: &[Option<f64>], level: f64) -> Result<DesignEstimate, DesignError> {
        self.check_length("values", values.len())?;
        let ones = values.iter().map(|value| value.map(|_| 1.0));
        let linear = self.linearise(values.iter().copied(), ones, Kind::Ratio)?;
        self.estimate(linear, level, Scale::Plain)
    }

    /// The total `sum w x`; as [`Design::mean`] with `z_i = w_i x_i`. Of the domain of those with a value: a missing value is nothing added.
    /// Checked against R's survey 4.1 `svytotal`.
    ///
    /// # Errors
    /// As [`Design::mean`].
    pub fn total(&self, values: &[Option<f64>], level: f64) -> Result<DesignEstimate, DesignError> {
        self.check_length("values", values.len())?;
        let ones = values.iter().map(|value| value.map(|_| 1.0));
        let linear = self.linearise(values.iter().copied(), ones, Kind::Total)?;
        self.estimate(linear, level, Scale::Plain)
    }

    /// The share of yes; as [`Design::mean`] of 0 and 1, the interval on the scale of the logit (`svyciprop(method = "xlogit")` of R's
    /// survey).
    ///
    /// At 0 and 1, and where all sampling units agree, Wilson's interval with the units as trials, as many as Kish's effective size of
    /// their total weights. Without degrees of freedom, the whole range. Checked against R's survey 4.1.
    ///
    /// # Errors
    /// As [`Design::mean`], without the last.
    pub fn share(
        &self,
        values: &[Option<bool>],
        level: f64,
    ) -> Result<DesignEstimate, DesignError> {
        self.check_length("values", values.len())?;
        let numbers = values.iter().map(|value| value.map(|yes| f64::from(u8::from(yes))));
        let ones = values.iter().map(|value| value.map(|_| 1.0));
        let linear = self.linearise(numbers, ones, Kind::Ratio)?;
        self.estimate(linear, level, Scale::Logit)
    }

    /// The ratio of totals `R = sum w y / sum w x`; as [`Design::mean`] with `z_i = w_i (y_i - R x_i) / sum w x`, over those who have both.
    /// Checked against R's survey 4.1 `svyratio`.
    ///
    /// # Errors
    /// As [`Design::mean`]; denominators that add up to 0.
    pub fn ratio(
        &self,
        numerators: &[Option<f64>],
        denominators: &[Option<f64>],
        level: f64,
    ) -> Result<DesignEstimate, DesignError> {
        self.check_length("numerators", numerators.len())?;
        self.check_length("denominators", denominators.len())?;
        let (y, x) = (numerators.iter().copied(), denominators.iter().copied());
        let linear = self.linearise(y, x, Kind::Ratio)?;
        self.estimate(linear, level, Scale::Plain)
    }

    fn check_length(&self, what: &'static str, found: usize) -> Result<(), DesignError> {
        let expected = self.weights.len();
        if found != expected {
            return Err(DesignError::Length { what, found, expected });
        }
        Ok(())
    }

    /// The value and what each respondent adds to it, to first order.
    fn linearise(
        &self,
        y: impl Iterator<Item = Option<f64>>,
        x: impl Iterator<Item = Option<f64>>,
        kind: Kind,
    ) -> Result<Linear, DesignError> {
        let (mut weights, mut slopes) = (self.weights.clone(), vec![0.0; self.weights.len()]);
        let mut denominators = vec![0.0; if kind == Kind::Ratio { weights.len() } else { 0 }];
        let (mut sum_y, mut sum_x) = (0.0, 0.0);
        for (i, (y, x)) in y.zip(x).enumerate() {
            let (Some(y), Some(x)) = (y, x) else {
                weights[i] = 0.0;
                continue;
            };
            if !y.is_finite() || !x.is_finite() {
                return Err(DesignError::NotFinite(i));
            }
            sum_y += weights[i] * y;
            sum_x += weights[i] * x;
            slopes[i] = y;
            if kind == Kind::Ratio {
                denominators[i] = x;
            }
        }
        if weights.iter().all(|weight| *weight == 0.0) {
            return Err(DesignError::Nobody);
        }
        if kind == Kind::Total {
            return Ok(Linear { value: sum_y, weights, slopes });
        }
        if sum_x == 0.0 {
            return Err(DesignError::ZeroDenominator);
        }
        let value = sum_y / sum_x;
        for (slope, x) in slopes.iter_mut().zip(&denominators) {
            *slope = (*slope - value * x) / sum_x;
        }
        Ok(Linear { value, weights, slopes })
    }

    fn estimate(
        &self,
        linear: Linear,
        level: f64,
        scale: Scale,
    ) -> Result<DesignEstimate, DesignError> {
        if !(level > 0.0 && level < 1.0) {
            return Err(DesignError::Level(level));
        }
        let Linear { value, weights, slopes } = linear;
        let scores: Vec<f64> = weights.iter().zip(&slopes).map(|(w, slope)| w * slope).collect();
        let variance = self.stages.variance(&scores);
        let std_error = variance.sqrt();
        let psu_weights = self.stages.psu_weights(&weights);
        let n_psus = psu_weights.iter().filter(|weight| **weight > 0.0).count();
        let n_strata = self.stages.n_strata(&psu_weights);
        let df = n_psus.saturating_sub(n_strata);
        let n = weights.iter().filter(|weight| **weight > 0.0).count();
        let simple = simple_random_variance(&weights, &slopes, self.stages.has_population);
        let design_effect = simple.map(|simple| variance / simple).filter(|deff| deff.is_finite());
        let point = Estimate {
            value,
            low: value,
            high: value,
            level,
            std_error: Some(std_error),
            n,
            n_clusters: n_psus,
            method: Method::Linearised,
        };
        let estimate = match scale {
            // Everybody was asked: there is nothing to be unsure of.
            _ if self.stages.is_census => point,
            Scale::Plain if df == 0 => return Err(DesignError::NoFreedom { n_psus, n_strata }),
            Scale::Plain => {
                let half = t_quantile(df, level) * std_error;
                Estimate { low: value - half, high: value + half, ..point }
            }
            Scale::Logit if df == 0 => {
                let Range { low, high } = Range::SHARE;
                Estimate { low, high, std_error: None, method: Method::WholeRange, ..point }
            }
            Scale::Logit if std_error < 1e-12 || value <= 0.0 || value >= 1.0 => {
                let trials = effective_sample_size(&psu_weights);
                let (low, high) = wilson_bounds(value.clamp(0.0, 1.0), trials, level);
                Estimate { low, high, method: Method::WilsonOnClusters, ..point }
            }
            Scale::Logit => {
                let logit = (value / (1.0 - value)).ln();
                let half = t_quantile(df, level) * std_error / (value * (1.0 - value));
                let back = |x: f64| 1.0 / (1.0 + (-x).exp());
                Estimate { low: back(logit - half), high: back(logit + half), ..point }
            }
        };
        Ok(DesignEstimate { estimate, df, n_strata, design_effect })
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Total,
    Ratio,
}

#[derive(Clone, Copy)]
enum Scale {
    Plain,
    Logit,
}

struct Linear {
    value: f64,
    /// 0 for those outside the domain and those without a value.
    weights: Vec<f64>,
    /// The derivative of the value in the weight of each respondent.
    slopes: Vec<f64>,
}

/// The variance that a simple random sample of as many respondents would have had.
fn simple_random_variance(weights: &[f64], slopes: &[f64], is_finite: bool) -> Option<f64> {
    let (mut n, mut sum, mut mean) = (0.0, 0.0, 0.0);
    for (weight, slope) in weights.iter().zip(slopes).filter(|(weight, _)| **weight > 0.0) {
        n += 1.0;
        sum += weight;
        mean += weight * slope;
    }
    mean /= sum;
    let squares: f64 =
        weights.iter().zip(slopes).map(|(w, slope)| w * (slope - mean).powi(2)).sum();
    let variance_of_slopes = squares / sum * n / (n - 1.0);
    let finite = if is_finite { (sum - n) / sum } else { 1.0 };
    let variance = variance_of_slopes * sum * sum / n * finite;
    (variance > 0.0 && variance.is_finite()).then_some(variance)
}
