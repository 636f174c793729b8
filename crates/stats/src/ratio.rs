//! Ratios over clusters, with intervals in closed form: for tables of hundreds of cells, where a bootstrap
//! of each would take longer than reading the data.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::interval::{Estimate, Method, Range, wilson_bounds};

/// Why there is no ratio.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RatioError {
    /// No cluster, or all of them without weight.
    #[error("take a ratio to nothing")]
    Empty,
    /// The level is not inside (0, 1).
    #[error("make an interval of level `{0}`: not between 0 and 1")]
    Level(f64),
    /// A sum of a cluster is not a number.
    #[error("read cluster `{0}`: not finite")]
    NotFinite(usize),
}

/// The share `sum of numerators / sum of denominators`, numerators and denominators being counts of one
/// cluster each (such as the choices of one annotator).
///
/// Formula: Taylor linearisation, `V = m/(m-1) sum_c (y_c - R x_c)^2 / X^2` over `m` clusters (Cochran 1977, Sampling
/// Techniques, eq. 6.4 applied to totals; what `svyratio` of R's survey does with clusters in one stratum), the interval on the scale of
/// the logit with Student's t on `m - 1` degrees of freedom, as `svyciprop(method = "logit")` does. At 0 and 1, and where all clusters
/// agree, Wilson's interval with the clusters as trials. Assumes independent clusters; below some 10 clusters read the width as a lower bound.
/// Clusters with denominator 0 are left out. Checked against R's survey 4.1.
///
/// # Errors
/// No cluster with a denominator, a sum that is not finite, a level outside (0, 1).
pub fn clustered_share(clusters: &[(f64, f64)], level: f64) -> Result<Estimate, RatioError> {
    let Linear { value, std_error, n, m } = Linear::of(clusters, level)?;
    let (low, high, method) = match std_error {
        None => (Range::SHARE.low, Range::SHARE.high, Method::WholeRange),
        Some(se) if se < 1e-12 || value <= 0.0 || value >= 1.0 => {
            let (low, high) = wilson_bounds(value.clamp(0.0, 1.0), m as f64, level);
            (low, high, Method::WilsonOnClusters)
        }
        Some(se) => {
            let logit = (value / (1.0 - value)).ln();
            let half = t(m, level) * se / (value * (1.0 - value));
            let back = |x: f64| 1.0 / (1.0 + (-x).exp());
            (back(logit - half), back(logit + half), Method::Linearised)
        }
    };
    Ok(Estimate { value, low, high, level, std_error, n: n as usize, n_clusters: m, method })
}

/// The mean `sum of values / number of values`, given per cluster: as [`clustered_share`], but for what has
/// no bounds, the interval on the plain scale.
///
/// # Errors
/// As [`clustered_share`]; with one cluster there is no interval either.
pub fn clustered_ratio(clusters: &[(f64, f64)], level: f64) -> Result<Estimate, RatioError> {
    let Linear { value, std_error, n, m } = Linear::of(clusters, level)?;
    let half = t(m, level) * std_error.ok_or(RatioError::Empty)?;
    Ok(Estimate {
        value,
        low: value - half,
        high: value + half,
        level,
        std_error,
        n: n as usize,
        n_clusters: m,
        method: Method::Linearised,
    })
}

/// The estimate of a smooth function of sums over units, given each unit's influence: its derivative in the
/// direction of the unit. The interval is on the plain scale with Student's t, cut to the range; where all units agree, Wilson's with
/// the units as trials on the scale of the range.
pub(crate) fn linearised(
    value: f64,
    influences: &[f64],
    n: usize,
    range: Range,
    level: f64,
) -> Estimate {
    let m = influences.len();
    let whole = Estimate {
        value,
        low: range.low,
        high: range.high,
        level,
        std_error: None,
        n,
        n_clusters: m,
        method: Method::WholeRange,
    };
    if m < 2 {
        return whole;
    }
    let mean = influences.iter().sum::<f64>() / m as f64;
    let squares: f64 = influences.iter().map(|z| (z - mean).powi(2)).sum();
    let std_error = (m as f64 / (m as f64 - 1.0) * squares).sqrt();
    if std_error < 1e-12 {
        let width = range.high - range.low;
        let share = ((value - range.low) / width).clamp(0.0, 1.0);
        let (low, high) = wilson_bounds(share, m as f64, level);
        let (low, high) = (range.low + low * width, range.low + high * width);
        let std_error = Some(std_error);
        return Estimate { low, high, std_error, method: Method::WilsonOnClusters, ..whole };
    }
    let half = t(m, level) * std_error;
    let (low, high) = ((value - half).max(range.low), (value + half).min(range.high));
    Estimate { low, high, std_error: Some(std_error), method: Method::Linearised, ..whole }
}

/// Student's t on one degree of freedom fewer than there are clusters.
fn t(n_clusters: usize, level: f64) -> f64 {
    let freedom = (n_clusters.max(2) - 1) as f64;
    let t = StudentsT::new(0.0, 1.0, freedom).expect("a positive number of degrees of freedom");
    t.inverse_cdf(0.5 + level / 2.0)
}

struct Linear {
    value: f64,
    /// Nothing with fewer than two clusters.
    std_error: Option<f64>,
    /// Sum of the denominators.
    n: f64,
    /// Clusters with a denominator.
    m: usize,
}

impl Linear {
    fn of(clusters: &[(f64, f64)], level: f64) -> Result<Self, RatioError> {
        if !(level > 0.0 && level < 1.0) {
            return Err(RatioError::Level(level));
        }
        let odd = clusters.iter().position(|(y, x)| !y.is_finite() || !x.is_finite());
        if let Some(odd) = odd {
            return Err(RatioError::NotFinite(odd));
        }
        let used = || clusters.iter().filter(|(_, x)| *x != 0.0);
        let (y, n) = used().fold((0.0, 0.0), |(y, n), cluster| (y + cluster.0, n + cluster.1));
        let m = used().count();
        if n <= 0.0 {
            return Err(RatioError::Empty);
        }
        let value = y / n;
        let squares: f64 = used().map(|(y, x)| (y - value * x).powi(2)).sum();
        let std_error = (m > 1).then(|| (m as f64 / (m as f64 - 1.0) * squares).sqrt() / n);
        Ok(Self { value, std_error, n, m })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{check_close, read};

    #[test]
    fn shares_and_means_equal_those_of_the_survey_package() {
        let oracle: serde_json::Value =
            serde_json::from_str(include_str!("../testdata/survey.json")).unwrap();
        for case in oracle["cases"].as_array().unwrap() {
            let clusters: Vec<(f64, f64)> = read(&case["clusters"]);
            let level: f64 = read(&case["level"]);
            let share = clustered_share(&clusters, level).unwrap();
            let mean = clustered_ratio(&clusters, level).unwrap();
            for found in [share, mean] {
                check_close(found.value, read(&case["value"]), 1e-9);
                check_close(found.std_error.unwrap(), read(&case["std_error"]), 1e-9);
            }
            check_close(share.low, read(&case["logit"][0]), 1e-7);
            check_close(share.high, read(&case["logit"][1]), 1e-7);
            check_close(mean.low, read(&case["plain"][0]), 1e-7);
            check_close(mean.high, read(&case["plain"][1]), 1e-7);
        }
    }

    #[test]
    fn what_the_data_do_not_determine_has_the_whole_range_or_none() {
        let one = clustered_share(&[(3.0, 10.0), (0.0, 0.0)], 0.95).unwrap();
        assert_eq!((one.low, one.high, one.method), (0.0, 1.0, Method::WholeRange));
        assert_eq!(clustered_ratio(&[(3.0, 10.0)], 0.95), Err(RatioError::Empty));
        assert_eq!(clustered_share(&[], 0.95), Err(RatioError::Empty));
        assert_eq!(clustered_share(&[(f64::NAN, 1.0)], 0.95), Err(RatioError::NotFinite(0)));
        let all = clustered_share(&[(2.0, 2.0); 20], 0.95).unwrap();
        assert_eq!((all.high, all.method), (1.0, Method::WilsonOnClusters));
        assert!(all.low > 0.8 && all.low < 0.9, "{all:?}");
    }
}
