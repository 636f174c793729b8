//! Agreement of people who chose one of several options, from counts of votes: many items, each with
//! options of its own, each seen by a few people.

use serde::{Deserialize, Serialize};

use crate::bootstrap::{Bootstrap, BootstrapError, Target, resample_units};
use crate::interval::{Estimate, Method, Range};
use crate::ratio::{RatioError, clustered_ratio, clustered_share};

/// How far those agree who saw the same items.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct VoteAgreement {
    /// Share of pairs of votes on one item that are for the same option: `sum c(c-1) / sum m(m-1)`.
    pub pairwise: Estimate,
    /// Krippendorff's alpha, nominal, an option's place being its name: agreement beyond that of votes dealt out anew over all
    /// items. It is of use where places mean the same in all items.
    pub alpha: Option<Estimate>,
    /// Mean over items of the entropy of the votes, in bits: 0 where all agree.
    pub entropy_bits: Estimate,
}

/// The entropy of votes, in bits: `-sum p log2 p`; 0 for no votes at all.
#[must_use]
pub fn entropy_bits(votes: &[u32]) -> f64 {
    let n: f64 = votes.iter().map(|v| f64::from(*v)).sum();
    let term = |votes: &u32| {
        let p = f64::from(*votes) / n;
        -p * p.log2()
    };
    // Adding 0 turns the -0 of a unanimous vote into 0.
    votes.iter().filter(|v| **v > 0).map(term).sum::<f64>() + 0.0
}

/// Agreement over items, each the votes for each of its options; items with fewer than two votes say
/// nothing and are left out. Without settings for a bootstrap there is no alpha.
///
/// Pairwise agreement and entropy are ratios of sums over items, their intervals [linearised](crate::ratio); pairwise agreement
/// weighs an item by its pairs. Alpha: `1 - (n-1) O / E` with `O = sum_u (m_u^2 - sum_c n_uc^2) / (m_u - 1)` and `E = n^2 - sum_c n_c^2`
/// (Krippendorff 2011), from the same counts as [`crate::agreement::krippendorff_alpha`], which it equals; its interval resamples
/// items. Assumes independent items. Checked against the package krippendorff and loops over pairs.
///
/// # Errors
/// No item with two votes, or wrong settings.
pub fn agreement<V: AsRef<[u32]>>(
    items: &[V],
    level: f64,
    for_alpha: Option<&Bootstrap>,
) -> Result<VoteAgreement, VotesError> {
    let voted: Vec<&[u32]> =
        items.iter().map(AsRef::as_ref).filter(|v| v.iter().sum::<u32>() >= 2).collect();
    let n: usize = voted.iter().map(|v| v.iter().sum::<u32>() as usize).sum();
    let sums: Vec<Item> = voted.iter().map(|votes| Item::of(votes)).collect();
    let pairs: Vec<(f64, f64)> = sums.iter().map(|item| (item.same, item.pairs)).collect();
    let entropies: Vec<(f64, f64)> = voted.iter().map(|votes| (entropy_bits(votes), 1.0)).collect();
    let pairwise = Estimate { n, ..clustered_share(&pairs, level)? };
    let entropy_bits = match clustered_ratio(&entropies, level) {
        Ok(found) => Estimate { n, low: found.low.max(0.0), ..found },
        // One item: it has an entropy, and nothing says how far others lie from it.
        Err(RatioError::Empty) if entropies.len() == 1 => {
            let n_options = voted[0].len().max(2) as f64;
            let whole = (0.0, n_options.log2());
            let method = Method::WholeRange;
            let value = entropies[0].0;
            Estimate { value, low: whole.0, high: whole.1, method, ..pairwise }
        }
        Err(error) => return Err(error.into()),
    };
    let alpha = match for_alpha {
        Some(settings) => alpha(&voted, &sums, n, settings)?,
        None => None,
    };
    Ok(VoteAgreement { pairwise, alpha, entropy_bits })
}

/// Alpha with its interval; nothing where all votes are for the same place.
fn alpha(
    voted: &[&[u32]],
    sums: &[Item],
    n: usize,
    settings: &Bootstrap,
) -> Result<Option<Estimate>, VotesError> {
    let n_options = voted.iter().map(|v| v.len()).max().unwrap_or(0);
    let mut places = vec![0.0; n_options];
    let used = |c: &usize| voted.iter().any(|votes| votes.get(*c).is_some_and(|v| *v > 0));
    if (0..n_options).filter(used).count() < 2 {
        return Ok(None);
    }
    let target = Target { range: Range { low: -1.0, high: 1.0 }, n, n_clusters: voted.len() };
    let found = resample_units(voted.len(), settings, &[target], |weights| {
        places.fill(0.0);
        let mut observed = 0.0;
        for ((votes, item), weight) in voted.iter().zip(sums).zip(weights) {
            if *weight == 0.0 {
                continue;
            }
            observed += weight * item.disagreement;
            for (place, votes) in places.iter_mut().zip(*votes) {
                *place += weight * f64::from(*votes);
            }
        }
        let n: f64 = places.iter().sum();
        let expected = n * n - places.iter().map(|t| t * t).sum::<f64>();
        vec![1.0 - (n - 1.0) * observed / expected]
    })?;
    Ok(Some(found[0]))
}

/// Why there is no agreement.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum VotesError {
    /// No item with two votes, or a level that is none.
    #[error(transparent)]
    Ratio(#[from] RatioError),
    /// Wrong settings for alpha.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
}

/// What one item adds to the sums.
struct Item {
    /// Ordered pairs of votes for the same option.
    same: f64,
    pairs: f64,
    /// Disagreement of pairs, each vote counted once.
    disagreement: f64,
}

impl Item {
    fn of(votes: &[u32]) -> Self {
        let m: f64 = votes.iter().map(|v| f64::from(*v)).sum();
        let squares: f64 = votes.iter().map(|v| f64::from(*v).powi(2)).sum();
        Self {
            same: squares - m,
            pairs: m * (m - 1.0),
            disagreement: (m * m - squares) / (m - 1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{Scale, krippendorff_alpha};
    use crate::oracle::{check_close, seeded};
    use proptest::prelude::*;

    fn settings() -> Bootstrap {
        Bootstrap { resamples: 200, ..Bootstrap::default() }
    }

    #[test]
    fn entropies_of_votes_in_bits() {
        check_close(entropy_bits(&[2, 0, 2, 10]), 1.148_834_854_280_916_6, 1e-12);
        check_close(entropy_bits(&[1, 1, 2, 6]), 1.570_950_594_454_668_7, 1e-12);
        assert_eq!(entropy_bits(&[7, 0]).to_bits(), 0.0_f64.to_bits());
        assert_eq!(entropy_bits(&[]), 0.0);
    }

    #[test]
    fn single_votes_say_nothing_and_one_option_has_no_alpha() {
        let none = agreement(&[[1, 0], [0, 1]], 0.95, Some(&settings()));
        assert_eq!(none, Err(VotesError::Ratio(RatioError::Empty)));
        let unanimous = agreement(&[[3, 0], [2, 0], [1, 0]], 0.95, Some(&settings())).unwrap();
        assert_eq!((unanimous.pairwise.value, unanimous.alpha), (1.0, None));
        assert_eq!((unanimous.pairwise.n, unanimous.pairwise.n_clusters), (5, 2));
    }

    #[test]
    fn one_item_leaves_everything_open() {
        let one = agreement(&[[1, 1]], 0.95, Some(&settings())).unwrap();
        assert_eq!((one.pairwise.low, one.pairwise.high), (0.0, 1.0));
        assert_eq!((one.entropy_bits.value, one.entropy_bits.high), (1.0, 1.0));
        assert_eq!(one.entropy_bits.method, Method::WholeRange);
    }

    proptest! {
        #![proptest_config(seeded())]

        #[test]
        fn counts_say_what_ratings_one_by_one_say(
            items in prop::collection::vec(prop::collection::vec(0u32..5, 4), 2..12)
        ) {
            let ratings: Vec<Vec<f64>> = items
                .iter()
                .map(|votes| {
                    let each = votes.iter().enumerate();
                    each.flat_map(|(c, n)| vec![c as f64; *n as usize]).collect()
                })
                .collect();
            let Ok(found) = agreement(&items, 0.95, Some(&settings())) else { return Ok(()) };
            let (mut same, mut pairs) = (0, 0);
            for unit in &ratings {
                for i in 0..unit.len() {
                    for j in (0..unit.len()).filter(|j| *j != i) {
                        same += usize::from(unit[i] == unit[j]);
                        pairs += 1;
                    }
                }
            }
            prop_assert!((found.pairwise.value - same as f64 / pairs as f64).abs() < 1e-12);
            if let Ok(alpha) = krippendorff_alpha(&ratings, Scale::Nominal, &settings()) {
                prop_assert!((found.alpha.unwrap().value - alpha.value).abs() < 1e-12);
            }
        }
    }
}
