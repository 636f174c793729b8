"""Expected numbers for the tests of `significance`, from numpy and scipy.

    python significance.py > significance.json     # needs numpy, scipy
"""
import json

import numpy as np
import scipy
import scipy.stats

rng = np.random.default_rng(20261124)


def goodness_of_fit(clusters, expected):
    """Rao and Scott's test on the free classes, all but the last: the design effects are eigenvalues of P0^-1 V."""
    counts, expected = np.array(clusters, float), np.array(expected)
    n, groups = counts.sum(), (counts.sum(1) > 0).sum()
    p = counts.sum(0) / n
    residuals = (counts - counts.sum(1, keepdims=True) * p)[:, :-1]
    v = groups / (groups - 1) * residuals.T @ residuals / n**2
    free = expected[:-1]
    p0 = (np.diag(free) - np.outer(free, free)) / n
    effects = np.linalg.eigvals(np.linalg.solve(p0, v)).real
    chi_square = scipy.stats.chisquare(counts.sum(0), n * expected).statistic
    statistic, df = chi_square / effects.sum(), effects.sum() ** 2 / (effects**2).sum()
    return {
        "clusters": counts.tolist(), "expected": expected.tolist(), "chi_square": float(chi_square), "statistic": float(statistic),
        "df": float(df), "df_denominator": float(df * (groups - 1)),
        "p_value": float(scipy.stats.f.sf(statistic, df, df * (groups - 1))),
    }


def clusters(n, k, concentration):
    return [rng.multinomial(rng.integers(1, 30), rng.dirichlet(np.full(k, concentration))).tolist() for _ in range(n)]


binomial = [(10, 10, 0.25), (30, 40, 0.3), (3, 12, 0.5), (120, 130, 0.28), (1, 4, 0.01)]
means = [rng.normal(shift, 1, n).round(3).tolist() for shift, n in [(0, 5), (-0.4, 30), (0.3, 12)]]
out = {
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__},
    "goodness_of_fit": [
        goodness_of_fit(clusters(8, 4, 1), [0.25] * 4),
        goodness_of_fit(clusters(25, 2, 5), [0.5, 0.5]),
        goodness_of_fit(clusters(40, 3, 0.5), [0.2, 0.3, 0.5]),
    ],
    "binomial": [(k, n, p, float(scipy.stats.binom.sf(k - 1, n, p))) for k, n, p in binomial],
    "mean_below_zero": [(x, float(scipy.stats.ttest_1samp(x, 0, alternative="less").pvalue)) for x in means],
}
print(json.dumps(out))
