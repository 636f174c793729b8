//! How surprising a count or a mean is: tests that know that observations of one cluster go together.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, FisherSnedecor, StudentsT};

/// The answer of [`goodness_of_fit`].
#[derive(Debug, Clone, PartialEq)]
pub struct GoodnessOfFit {
    /// Rao and Scott's F: Pearson's X² over the sum of the design effects.
    pub statistic: f64,
    /// Its degrees of freedom: at most the number of classes less one.
    pub df: f64,
    /// The degrees of freedom of its denominator: `df` times the clusters less one.
    pub df_denominator: f64,
    /// The chance of a statistic as large as this, if the expected shares hold.
    pub p_value: f64,
    /// Pearson's X² as if observations were independent.
    pub chi_square: f64,
    /// How many times larger the variance is than that of independent observations, on average.
    pub design_effect: f64,
    /// The share of each class.
    pub shares: Vec<f64>,
    /// Observations.
    pub n: usize,
    /// Clusters with observations.
    pub n_clusters: usize,
}

/// Whether classes come up with the `expected` shares (positive, sum 1), given the counts of each cluster. `None` with fewer than two
/// clusters with observations, or fewer than two classes.
///
/// Formula: `F = X² / tr(D)` on `tr(D)²/tr(D²)` and that times `G - 1` degrees of freedom, with `X² = n sum_j (p_j - e_j)²/e_j`,
/// `D = n diag(1/e) V` and `V = G/(G-1) sum_g z_g z_g' / n²`, `z_g` the cluster's counts less its total times `p` (Rao and Scott 1984, Ann.
/// Stat. 12, 46-60, the second-order correction in the form of Thomas and Rao 1987, JASA 82, 630-636). Assumes independent
/// clusters. Where `V` is nothing (every cluster alike), the clusters are taken for the observations, `D = I`.
/// Checked against numpy and scipy, with `D` from a generalised inverse, and a simulation of the level.
///
/// # Panics
/// If a cluster has another number of classes than `expected`: a bug of the caller.
pub fn goodness_of_fit<C: AsRef<[f64]>>(clusters: &[C], expected: &[f64]) -> Option<GoodnessOfFit> {
    let n_classes = expected.len();
    let mut totals = vec![0.0; n_classes];
    let mut n_clusters = 0;
    for counts in clusters.iter().map(AsRef::as_ref) {
        assert_eq!(counts.len(), n_classes, "a count for each class");
        n_clusters += usize::from(counts.iter().sum::<f64>() > 0.0);
        totals.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
    }
    if n_clusters < 2 || n_classes < 2 {
        return None;
    }
    let n: f64 = totals.iter().sum();
    let shares: Vec<f64> = totals.iter().map(|total| total / n).collect();
    let mut covariance = vec![0.0; n_classes * n_classes];
    let mut residual = vec![0.0; n_classes];
    for counts in clusters.iter().map(AsRef::as_ref) {
        let total: f64 = counts.iter().sum();
        for ((r, count), share) in residual.iter_mut().zip(counts).zip(&shares) {
            *r = count - total * share;
        }
        for (row, a) in covariance.chunks_exact_mut(n_classes).zip(&residual) {
            row.iter_mut().zip(&residual).for_each(|(sum, b)| *sum += a * b);
        }
    }
    let groups = n_clusters as f64;
    let scale = groups / (groups - 1.0) / n;
    let (mut trace, mut trace_of_square) = (0.0, 0.0);
    for (i, row) in covariance.chunks_exact(n_classes).enumerate() {
        trace += scale * row[i] / expected[i];
        for (value, e) in row.iter().zip(expected) {
            trace_of_square += (scale * value).powi(2) / (expected[i] * e);
        }
    }
    let deviation: f64 = shares.iter().zip(expected).map(|(p, e)| (p - e).powi(2) / e).sum();
    let chi_square = n * deviation;
    let full = (n_classes - 1) as f64;
    let (statistic, df) = if trace > 1e-9 {
        (chi_square / trace, trace * trace / trace_of_square)
    } else {
        (groups * deviation / full, full)
    };
    let df_denominator = df * (groups - 1.0);
    let f = FisherSnedecor::new(df, df_denominator).expect("degrees of freedom are positive");
    Some(GoodnessOfFit {
        statistic,
        df,
        df_denominator,
        p_value: f.sf(statistic).clamp(0.0, 1.0),
        chi_square,
        design_effect: if trace > 1e-9 { trace / full } else { n / groups },
        shares,
        n: n as usize,
        n_clusters,
    })
}

/// The chance of at least `successes` in `trials` independent trials that succeed with `probability`.
///
/// Where trials succeed with different probabilities of that mean, this is an upper bound for all `successes` of at least one
/// more than the expected number (Hoeffding 1956, Ann. Math. Stat. 27, 713-721).
///
/// # Panics
/// If `probability` is not in [0, 1].
#[must_use]
pub fn at_least(successes: u64, trials: u64, probability: f64) -> f64 {
    if successes == 0 {
        return 1.0;
    }
    let binomial = Binomial::new(probability, trials).expect("the probability is one");
    binomial.sf(successes - 1).clamp(0.0, 1.0)
}

/// The chance of a mean as low as that of `values`, if they are independent and their true mean is zero: Student's test, one-sided.
/// `None` for fewer than two values, or where all are equal.
#[must_use]
pub fn mean_below_zero(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let error = crate::bootstrap::std_dev(values) / n.sqrt();
    if values.len() < 2 || error <= 1e-12 {
        return None;
    }
    let t = StudentsT::new(0.0, 1.0, n - 1.0).expect("n is at least 2");
    Some(t.cdf(mean / error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{check_close, read};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use serde_json::Value;

    /// One section of what `testdata/significance.py` writes.
    fn oracle(section: &str) -> Value {
        let mut all: Value =
            serde_json::from_str(include_str!("../testdata/significance.json")).unwrap();
        all[section].take()
    }

    #[test]
    fn goodness_of_fit_equals_numpy_and_scipy() {
        for case in oracle("goodness_of_fit").as_array().expect("cases") {
            let clusters: Vec<Vec<f64>> = read(&case["clusters"]);
            let found =
                goodness_of_fit(&clusters, &read::<Vec<f64>>(&case["expected"])).expect("a test");
            for (value, name) in [
                (found.statistic, "statistic"),
                (found.df, "df"),
                (found.df_denominator, "df_denominator"),
                (found.p_value, "p_value"),
                (found.chi_square, "chi_square"),
            ] {
                check_close(value, read(&case[name]), 1e-8);
            }
        }
    }

    #[test]
    fn tails_equal_scipy() {
        for (successes, trials, probability, tail) in
            read::<Vec<(u64, u64, f64, f64)>>(&oracle("binomial"))
        {
            let found = at_least(successes, trials, probability);
            assert!(
                (found / tail - 1.0).abs() < 1e-9,
                "{successes} of {trials}: {found}, expected {tail}"
            );
        }
        for (values, p_value) in read::<Vec<(Vec<f64>, f64)>>(&oracle("mean_below_zero")) {
            check_close(mean_below_zero(&values).expect("a test"), p_value, 1e-9);
        }
    }

    #[test]
    fn degenerate_data() {
        assert_eq!(goodness_of_fit(&[[3.0, 4.0]], &[0.5, 0.5]), None);
        assert_eq!(goodness_of_fit::<[f64; 2]>(&[], &[0.5, 0.5]), None);
        let alike = goodness_of_fit(&[[5.0, 0.0]; 10], &[0.5, 0.5]).expect("a test");
        assert!(
            (alike.statistic, alike.design_effect) == (10.0, 5.0) && alike.p_value < 0.02,
            "{alike:?}"
        );
        assert_eq!(mean_below_zero(&[1.0]), None);
        assert_eq!(mean_below_zero(&[1.0, 1.0]), None);
        assert_eq!(at_least(0, 5, 0.1), 1.0);
    }

    /// People who each like one place best, no place liked best by all: Pearson's test would find a skew in most such data.
    #[test]
    fn the_level_holds_where_observations_of_a_cluster_are_alike() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut rejected = 0;
        for _ in 0..400 {
            let clusters: Vec<[f64; 4]> = (0..60)
                .map(|_| {
                    let favourite = rng.random_range(0..4_usize);
                    let mut counts = [0.0; 4];
                    for _ in 0..20 {
                        let own = rng.random_range(0..2_u32) == 0;
                        counts[if own { favourite } else { rng.random_range(0..4_usize) }] += 1.0;
                    }
                    counts
                })
                .collect();
            let found = goodness_of_fit(&clusters, &[0.25; 4]).expect("a test");
            rejected += usize::from(found.p_value < 0.05);
        }
        assert!((8..=34).contains(&rejected), "rejected {rejected} of 400 at .05");
    }
}
