//! Intervals by resampling whole clusters: responses to one prompt are not independent, prompts are.
//!
//! One pass serves many statistics: every cluster is reduced to a row of sums, a resample adds rows, and all the
//! statistics are read off the same sums. So differences between strategies are paired by prompt for free.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::interval::{Estimate, Method, Range, normal, wilson_bounds};

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// Number of resamples, at least 100.
    pub resamples: usize,
    /// Nominal coverage of the intervals, in (0, 1).
    pub level: f64,
    /// Same seed, same data: same interval, on every machine.
    pub seed: u64,
}

impl Default for Bootstrap {
    /// 2,000 resamples, 95 %, seed 0.
    fn default() -> Self {
        Self { resamples: 2_000, level: 0.95, seed: 0 }
    }
}

/// What the interval of one statistic must know beside its resamples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// The values that the statistic can take.
    pub range: Range,
    /// Observations that it rests on.
    pub n: usize,
    /// Clusters that contribute to it.
    pub n_clusters: usize,
}

/// Why there is no estimate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BootstrapError {
    /// Fewer than 100 resamples.
    #[error("resample `{0}` times: at least 100 are needed")]
    TooFewResamples(usize),
    /// The level is not inside (0, 1).
    #[error("make an interval of level `{0}`: not between 0 and 1")]
    Level(f64),
    /// No observation at all.
    #[error("estimate from no observations")]
    Empty,
    /// The statistic does not exist on these data (0/0, or a NaN among them).
    #[error("evaluate statistic `{0}`: not a number on these data")]
    Undefined(usize),
}

/// Per-cluster sums, `[n_clusters, n_columns]`: all that ratio statistics need.
#[derive(Debug, Clone)]
pub struct ClusterSums {
    n_columns: usize,
    rows: BTreeMap<usize, Vec<f64>>,
}

impl ClusterSums {
    /// An empty table with `n_columns` sums per cluster.
    pub fn new(n_columns: usize) -> Self {
        Self { n_columns, rows: BTreeMap::new() }
    }

    /// Adds `amounts` to the columns from `first_column` on of the cluster's row.
    ///
    /// # Panics
    /// If the columns do not exist: a bug of the caller.
    pub fn add(&mut self, cluster: usize, first_column: usize, amounts: &[f64]) {
        let row = self.rows.entry(cluster).or_insert_with(|| vec![0.0; self.n_columns]);
        for (sum, amount) in row[first_column..first_column + amounts.len()].iter_mut().zip(amounts)
        {
            *sum += amount;
        }
    }

    /// The number of clusters with something in `column`.
    pub fn n_clusters(&self, column: usize) -> usize {
        self.rows.values().filter(|row| row[column] != 0.0).count()
    }

    /// The clusters and their rows, in the order of the clusters.
    pub fn rows(&self) -> impl Iterator<Item = (usize, &[f64])> {
        self.rows.iter().map(|(cluster, row)| (*cluster, row.as_slice()))
    }

    /// Estimates each of `statistic`'s figures, a function of the column totals, in one pass.
    ///
    /// Method: the clusters are drawn with replacement; the interval is BCa (Efron 1987, JASA 82, 171-185; the
    /// acceleration by leaving out each cluster once) at tail probability `Φ(-t sqrt(n/(n-1)))`, t the quantile of
    /// Student's distribution on n-1 degrees of freedom: without this expansion bootstrap intervals of few
    /// clusters are too narrow (Hesterberg 2015, Am. Stat. 69, 371-386, section 5.3). The standard error is the
    /// standard deviation of the resamples.
    ///
    /// Assumes that clusters are independent. Limits: below some 10 clusters read the width as a lower bound.
    /// A resample in which a figure does not exist (0/0) is left out for that figure. Degenerate data give the
    /// intervals described at [`Method::WilsonOnClusters`] and [`Method::WholeRange`].
    /// Checked against scipy.stats.bootstrap (ends, from the same resamples) and a simulation of the coverage.
    ///
    /// # Errors
    /// Wrong settings, no cluster, or a figure that does not exist on the whole data.
    pub fn estimate(
        &self,
        settings: &Bootstrap,
        targets: &[Target],
        mut statistic: impl FnMut(&[f64]) -> Vec<f64>,
    ) -> Result<Vec<Estimate>, BootstrapError> {
        let rows: Vec<&[f64]> = self.rows.values().map(Vec::as_slice).collect();
        let mut totals = vec![0.0; self.n_columns];
        resample_units(rows.len(), settings, targets, |weights| {
            totals.fill(0.0);
            for (row, weight) in rows.iter().zip(weights).filter(|(_, weight)| **weight != 0.0) {
                for (total, sum) in totals.iter_mut().zip(*row) {
                    *total += weight * sum;
                }
            }
            statistic(&totals)
        })
    }
}

/// Estimates each of `statistic`'s figures, a function of how often each of `n_units` independent units
/// was drawn. The general form of [`ClusterSums::estimate`], same method: for statistics that are no function of sums.
///
/// # Errors
/// Wrong settings, no unit, or a figure that does not exist on the whole data.
pub fn resample_units(
    n_units: usize,
    settings: &Bootstrap,
    targets: &[Target],
    mut statistic: impl FnMut(&[f64]) -> Vec<f64>,
) -> Result<Vec<Estimate>, BootstrapError> {
    settings.check()?;
    if n_units == 0 {
        return Err(BootstrapError::Empty);
    }
    let mut weights = vec![1.0; n_units];
    let values = statistic(&weights);
    let mut resamples = Resamples::new(targets.len(), settings.resamples);
    let mut left_out = Resamples::new(targets.len(), n_units);
    for unit in 0..n_units {
        weights[unit] = 0.0;
        left_out.push(&statistic(&weights));
        weights[unit] = 1.0;
    }
    let units = Strata::one(n_units);
    let mut rng = settings.rng();
    for _ in 0..settings.resamples {
        units.draw(&mut rng, &mut weights);
        resamples.push(&statistic(&weights));
    }
    (0..targets.len())
        .map(|i| {
            summarise(values[i], &resamples.0[i], Some(&left_out.0[i]), targets[i], settings)
                .ok_or(BootstrapError::Undefined(i))
        })
        .collect()
}

/// The mean of `(cluster, value)` observations, the interval clustered.
///
/// Formula: the ratio of the cluster totals of the values and of the counts, so that every observation, not every
/// cluster, has the same weight. See [`ClusterSums::estimate`] for the interval. `range` is what one observation can be.
///
/// # Errors
/// Wrong settings, no observation, or a value that is not a number.
pub fn clustered_mean(
    observations: impl IntoIterator<Item = (usize, f64)>,
    range: Range,
    settings: &Bootstrap,
) -> Result<Estimate, BootstrapError> {
    let mut sums = ClusterSums::new(2);
    let mut n = 0;
    for (cluster, value) in observations {
        sums.add(cluster, 0, &[value, 1.0]);
        n += 1;
    }
    let target = Target { range, n, n_clusters: sums.n_clusters(1) };
    Ok(sums.estimate(settings, &[target], |total| vec![total[0] / total[1]])?[0])
}

impl Bootstrap {
    pub(crate) fn check(&self) -> Result<(), BootstrapError> {
        if self.resamples < 100 {
            return Err(BootstrapError::TooFewResamples(self.resamples));
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(BootstrapError::Level(self.level));
        }
        Ok(())
    }

    pub(crate) fn rng(&self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.seed)
    }

    /// A stream of random numbers for each resample: what it draws does not depend on who drew before.
    pub(crate) fn rng_of(&self, resample: usize) -> ChaCha8Rng {
        let mut rng = self.rng();
        rng.set_stream(resample as u64);
        rng
    }
}

/// Values of several statistics over resamples, `[n_statistics][n_resamples]`.
pub(crate) struct Resamples(pub(crate) Vec<Vec<f64>>);

impl Resamples {
    pub(crate) fn new(n_statistics: usize, capacity: usize) -> Self {
        Self(vec![Vec::with_capacity(capacity); n_statistics])
    }

    pub(crate) fn push(&mut self, values: &[f64]) {
        for (column, value) in self.0.iter_mut().zip(values) {
            column.push(*value);
        }
    }
}

/// Units grouped into strata: a draw takes as many of each stratum as it has, with replacement.
pub(crate) struct Strata(Vec<Vec<usize>>);

impl Strata {
    pub(crate) fn one(n_units: usize) -> Self {
        Self(vec![(0..n_units).collect()])
    }

    pub(crate) fn new(stratum_of_unit: impl IntoIterator<Item = usize>) -> Self {
        let mut strata: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (unit, stratum) in stratum_of_unit.into_iter().enumerate() {
            strata.entry(stratum).or_default().push(unit);
        }
        Self(strata.into_values().collect())
    }

    /// Writes how often each unit was drawn.
    pub(crate) fn draw(&self, rng: &mut ChaCha8Rng, counts: &mut [f64]) {
        counts.fill(0.0);
        self.draw_each(rng, |unit| counts[unit] += 1.0);
    }

    /// Calls `take` with each drawn unit, as often as it was drawn.
    pub(crate) fn draw_each(&self, rng: &mut ChaCha8Rng, mut take: impl FnMut(usize)) {
        for members in &self.0 {
            // u32 draws: half the random bits of usize draws, and the same numbers on every machine.
            let size = u32::try_from(members.len())
                .expect("more than 4 billion units do not fit in memory");
            for _ in 0..size {
                take(members[rng.random_range(0..size) as usize]);
            }
        }
    }
}

/// The estimate from a value and its resamples; `None` where the value does not exist.
/// BCa where the leave-one-out values are given, else percentile.
pub(crate) fn summarise(
    value: f64,
    resamples: &[f64],
    left_out: Option<&[f64]>,
    target: Target,
    settings: &Bootstrap,
) -> Option<Estimate> {
    if !value.is_finite() {
        return None;
    }
    let Range { low: min, high: max } = target.range;
    let estimate = Estimate {
        value,
        low: min,
        high: max,
        level: settings.level,
        std_error: None,
        n: target.n,
        n_clusters: target.n_clusters,
        method: Method::WholeRange,
    };
    let mut sorted: Vec<f64> = resamples.iter().copied().filter(|x| x.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    if target.n_clusters < 2 || sorted.len() * 20 < resamples.len() * 19 {
        return Some(estimate);
    }
    let width = max - min;
    if sorted[sorted.len() - 1] - sorted[0] <= 1e-12 * width {
        let share = ((value - min) / width).clamp(0.0, 1.0);
        let (low, high) = wilson_bounds(share, target.n_clusters as f64, settings.level);
        let (low, high) = (min + low * width, min + high * width);
        return Some(Estimate { low, high, method: Method::WilsonOnClusters, ..estimate });
    }
    let tail = expanded_tail(settings.level, target.n_clusters);
    let bca = left_out.and_then(|left_out| bca_tails(value, &sorted, left_out, tail));
    let (low_tail, high_tail) = bca.unwrap_or((tail, 1.0 - tail));
    // Resamples of minima and of overlaps lie to one side of their value, as far as beyond a tail: an interval that did not hold
    // its own value would claim to know better.
    Some(Estimate {
        low: quantile(&sorted, low_tail).min(value).clamp(min, max),
        high: quantile(&sorted, high_tail).max(value).clamp(min, max),
        std_error: Some(std_dev(&sorted)),
        method: if bca.is_some() { Method::Bca } else { Method::Percentile },
        ..estimate
    })
}

/// Hesterberg's tail probability: what makes a percentile interval as wide as a t interval.
fn expanded_tail(level: f64, n_clusters: usize) -> f64 {
    let n = n_clusters as f64;
    let t =
        StudentsT::new(0.0, 1.0, n - 1.0).expect("n is at least 2").inverse_cdf(0.5 + level / 2.0);
    normal().cdf(-t * (n / (n - 1.0)).sqrt())
}

/// The two quantiles that BCa reads off the resamples; `None` where its corrections do not exist.
fn bca_tails(value: f64, sorted: &[f64], left_out: &[f64], tail: f64) -> Option<(f64, f64)> {
    // Resamples equal to the value count half; equal sums in another order may differ in their last bit.
    let rounding = 1e-12 * value.abs().max(1.0);
    let below = sorted.partition_point(|x| *x < value - rounding);
    let up_to = sorted.partition_point(|x| *x <= value + rounding);
    let bias = normal().inverse_cdf((below + up_to) as f64 / (2 * sorted.len()) as f64);

    let mean = left_out.iter().sum::<f64>() / left_out.len() as f64;
    let squares: f64 = left_out.iter().map(|x| (mean - x).powi(2)).sum();
    let cubes: f64 = left_out.iter().map(|x| (mean - x).powi(3)).sum();
    let acceleration = cubes / (6.0 * squares.powf(1.5));

    let shifted = |probability: f64| {
        let z = bias + normal().inverse_cdf(probability);
        normal().cdf(bias + z / (1.0 - acceleration * z))
    };
    let (low, high) = (shifted(tail), shifted(1.0 - tail));
    (bias.is_finite() && low.is_finite() && low < high).then_some((low, high))
}

/// The quantile of sorted values, linear between order statistics (R's type 7).
pub(crate) fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let at = probability * (sorted.len() - 1) as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (at - below as f64) * (sorted[above] - sorted[below])
}

/// Sample standard deviation (n - 1).
pub(crate) fn std_dev(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
}

#[cfg(test)]
mod tests;
