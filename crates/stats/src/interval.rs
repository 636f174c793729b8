//! The shape of every figure: a value with its interval, its sample size and how the interval was made.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};

/// A figure with its interval. Always finite, so that it survives JSON.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The point estimate.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Nominal coverage of the interval, in (0, 1): usually .95.
    pub level: f64,
    /// Standard error; `None` where the data do not determine it (one cluster).
    pub std_error: Option<f64>,
    /// Observations that the value rests on (sets, responses, people).
    pub n: usize,
    /// Independent units that the interval rests on (prompts, people).
    pub n_clusters: usize,
    /// How `low` and `high` were made.
    pub method: Method,
}

/// How an interval was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Wilson's score interval of a binomial share of independent trials.
    Wilson,
    /// Bias-corrected and accelerated bootstrap of whole clusters.
    Bca,
    /// Percentile bootstrap of whole clusters or people.
    Percentile,
    /// Taylor linearisation over clusters, Student's t; a share on the scale of the logit.
    Linearised,
    /// Jackknife that leaves out groups of people, Student's t; a reliability on the scale of `log(1 - value)`.
    Jackknife,
    /// Wilson's interval with the clusters as trials. Taken where every resample gave the same value: a
    /// bootstrap of such data is a point and claims a certainty that nobody has. Conservative: no distribution on
    /// the range has a larger variance than the two-point one that Wilson assumes.
    WilsonOnClusters,
    /// The whole range that the figure can take: the data say nothing of its uncertainty (one cluster, or
    /// more than 1 in 20 resamples in which the figure does not exist).
    WholeRange,
    /// The central part of a figure's distribution over random draws: a reference range, not a
    /// confidence interval of the mean.
    Draws,
}

/// The values that a figure can take; intervals are clipped to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Smallest possible value.
    pub low: f64,
    /// Largest possible value.
    pub high: f64,
}

impl Range {
    /// A share: 0 to 1.
    pub const SHARE: Self = Self { low: 0.0, high: 1.0 };
    /// A difference of two shares: -1 to 1.
    pub const DIFFERENCE: Self = Self { low: -1.0, high: 1.0 };
}

/// Why a share has no interval.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ShareError {
    /// There is nothing to take a share of.
    #[error("take a share of nothing")]
    NoTrials,
    /// More successes than trials.
    #[error("take a share of `{successes}` in `{trials}`")]
    TooManySuccesses {
        /// The number of successes given.
        successes: usize,
        /// The number of trials given.
        trials: usize,
    },
    /// The level is not inside (0, 1).
    #[error("make an interval of level `{0}`: not between 0 and 1")]
    Level(f64),
}

/// The share `successes / trials` of independent trials, with Wilson's score interval.
///
/// Formula: `(p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)`, Wilson 1927 (JASA 22, 209-212). Stays inside
/// [0, 1] and keeps a width at 0 and at n successes. Assumes independent trials: for responses that share
/// prompts use [`crate::bootstrap::clustered_mean`]. The standard error is the plain `sqrt(p(1-p)/n)`.
/// Checked against statsmodels `proportion_confint(method="wilson")`.
///
/// # Errors
/// No trials, more successes than trials, or a level outside (0, 1).
pub fn wilson(successes: usize, trials: usize, level: f64) -> Result<Estimate, ShareError> {
    if !(level > 0.0 && level < 1.0) {
        return Err(ShareError::Level(level));
    }
    if trials == 0 {
        return Err(ShareError::NoTrials);
    }
    if successes > trials {
        return Err(ShareError::TooManySuccesses { successes, trials });
    }
    let n = trials as f64;
    let value = successes as f64 / n;
    let (low, high) = wilson_bounds(value, n, level);
    Ok(Estimate {
        value,
        low,
        high,
        level,
        std_error: Some((value * (1.0 - value) / n).sqrt()),
        n: trials,
        n_clusters: trials,
        method: Method::Wilson,
    })
}

/// Wilson's bounds for a share `p` of `n` trials, `n` not necessarily whole.
pub(crate) fn wilson_bounds(p: f64, n: f64, level: f64) -> (f64, f64) {
    let z = normal().inverse_cdf(0.5 + level / 2.0);
    let z2_n = z * z / n;
    let centre = p + z2_n / 2.0;
    let half = (p * (1.0 - p) * z2_n + z2_n * z2_n / 4.0).sqrt();
    // At p = 0 and p = 1 the near end is p itself; rounding must not move it.
    let low = if p <= 0.0 { 0.0 } else { (centre - half) / (1.0 + z2_n) };
    let high = if p >= 1.0 { 1.0 } else { (centre + half) / (1.0 + z2_n) };
    (low.max(0.0), high.min(1.0))
}

/// The quantile of Student's t on so many degrees of freedom (at least 1) that the two-sided interval of a level takes.
/// Checked against R's `qt` to 1e-9: the library's own inverse is off by 7e-6 at 100,000 degrees.
pub(crate) fn t_quantile(freedom: usize, level: f64) -> f64 {
    let (p, v) = (0.5 + level / 2.0, freedom as f64);
    if freedom > 1000 {
        // Abramowitz and Stegun 26.7.5; the next term is below 1e-10.
        let z = normal().inverse_cdf(p);
        let z2 = z * z;
        let first = z * (z2 + 1.0) / 4.0;
        let second = z * ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0;
        let third = z * (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0;
        return z + (first + (second + third / v) / v) / v;
    }
    let t = StudentsT::new(0.0, 1.0, v).expect("at least one degree of freedom");
    let start = t.inverse_cdf(p);
    // A step of Newton's doubles the digits.
    start - (t.cdf(start) - p) / t.pdf(start)
}

pub(crate) fn normal() -> Normal {
    Normal::new(0.0, 1.0).expect("a unit standard deviation is valid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{check_close, oracle, read};

    #[test]
    fn wilson_equals_statsmodels() {
        for (successes, trials, level, low, high) in
            read::<Vec<(usize, usize, f64, f64, f64)>>(&oracle("wilson"))
        {
            let found = wilson(successes, trials, level).unwrap();
            check_close(found.low, low, 1e-9);
            check_close(found.high, high, 1e-9);
        }
    }

    #[test]
    fn quantiles_of_t_equal_those_of_r() {
        for (freedom, level, expected) in [
            (1, 0.95, 12.7062047361747),
            (2, 0.99, 9.92484320091829),
            (5, 0.9, 2.01504837333302),
            (39, 0.95, 2.02269092003676),
            (197, 0.95, 1.9720790337785),
            (1000, 0.99, 2.58075469806595),
            (1001, 0.99, 2.58074976875052),
            (100_000, 0.95, 1.95998770753461),
            (1_500_000, 0.95, 1.95996556605546),
        ] {
            check_close(t_quantile(freedom, level), expected, 1e-9);
        }
    }

    #[test]
    fn impossible_shares_are_errors() {
        assert_eq!(wilson(0, 0, 0.95), Err(ShareError::NoTrials));
        assert_eq!(
            wilson(3, 2, 0.95),
            Err(ShareError::TooManySuccesses { successes: 3, trials: 2 })
        );
        assert_eq!(wilson(1, 2, 1.0), Err(ShareError::Level(1.0)));
    }

    #[test]
    fn the_edges_keep_a_width() {
        let none = wilson(0, 60, 0.95).unwrap();
        assert_eq!((none.value, none.low), (0.0, 0.0));
        assert!(none.high > 0.05 && none.high < 0.07, "{none:?}");
        let all = wilson(60, 60, 0.95).unwrap();
        assert!((all.low - (1.0 - none.high)).abs() < 1e-12 && all.high == 1.0);
    }

    #[test]
    fn an_estimate_survives_json() {
        let estimate = wilson(1, 7, 0.95).unwrap();
        let text = serde_json::to_string(&estimate).unwrap();
        assert!(text.contains(r#""method":"wilson""#), "{text}");
        assert_eq!(serde_json::from_str::<Estimate>(&text).unwrap(), estimate);
    }
}
