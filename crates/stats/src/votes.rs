//! Agreement of people who chose one of several options, from counts of votes: many items, each with
//! options of its own, each seen by a few people.

use serde::{Deserialize, Serialize};

use crate::interval::{Estimate, Method, Range};
use crate::ratio::{RatioError, clustered_ratio, clustered_share, linearised};

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
/// nothing and are left out.
///
/// Pairwise agreement and entropy are ratios of sums over items, their intervals [linearised](crate::ratio); pairwise agreement
/// weighs an item by its pairs. Alpha: `1 - (n-1) O / E` with `O = sum_u (m_u^2 - sum_c n_uc^2) / (m_u - 1)` and `E = n^2 - sum_c n_c^2`
/// (Krippendorff 2011), from the same counts as [`crate::agreement::krippendorff_alpha`], which it equals. Its interval is
/// linearised too, on the plain scale: alpha is a function of the sums `O`, `n` and `n_c` over items, an item's influence is its
/// derivative in the direction of the item (Taylor linearisation, as in [`crate::ratio`]). Assumes independent items.
/// Checked against the package krippendorff, loops over pairs, and the delete-one jackknife.
///
/// # Errors
/// No item with two votes, or a level that is none.
pub fn agreement<V: AsRef<[u32]>>(items: &[V], level: f64) -> Result<VoteAgreement, RatioError> {
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
        Err(error) => return Err(error),
    };
    Ok(VoteAgreement { pairwise, alpha: alpha(&voted, &sums, level), entropy_bits })
}

/// Alpha with its interval; nothing where all votes are for the same place.
fn alpha(voted: &[&[u32]], sums: &[Item], level: f64) -> Option<Estimate> {
    let n_options = voted.iter().map(|v| v.len()).max().unwrap_or(0);
    let mut places = vec![0.0; n_options];
    for votes in voted {
        for (place, votes) in places.iter_mut().zip(*votes) {
            *place += f64::from(*votes);
        }
    }
    if places.iter().filter(|votes| **votes > 0.0).count() < 2 {
        return None;
    }
    let n: f64 = places.iter().sum();
    let observed: f64 = sums.iter().map(|item| item.disagreement).sum();
    let expected = n * n - places.iter().map(|t| t * t).sum::<f64>();
    let value = 1.0 - (n - 1.0) * observed / expected;
    let influences: Vec<f64> = voted
        .iter()
        .zip(sums)
        .map(|(votes, item)| {
            let m: f64 = votes.iter().map(|v| f64::from(*v)).sum();
            let overlap: f64 = places.iter().zip(*votes).map(|(t, v)| t * f64::from(*v)).sum();
            let of_expected = 2.0 * (n * m - overlap);
            (n - 1.0) * observed * of_expected / (expected * expected)
                - (m * observed + (n - 1.0) * item.disagreement) / expected
        })
        .collect();
    Some(linearised(value, &influences, n as usize, Range { low: -1.0, high: 1.0 }, level))
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
    use crate::bootstrap::Bootstrap;
    use crate::oracle::{check_close, seeded};
    use proptest::prelude::*;

    fn settings() -> Bootstrap {
        Bootstrap { resamples: 200, ..Bootstrap::default() }
    }

    #[test]
    fn the_linearised_error_of_alpha_is_that_of_the_jackknife() {
        // Three in five votes for the item's own favourite, the others anywhere.
        let items: Vec<[u32; 4]> = (0..400_u32)
            .map(|i| {
                let mut votes = [0; 4];
                for vote in 0..2 + i % 9 {
                    let hash = (i * 31 + vote).wrapping_mul(2_654_435_761) >> 16;
                    let place = if hash % 5 < 3 { i % 3 } else { hash / 5 % 4 };
                    votes[place as usize] += 1;
                }
                votes
            })
            .collect();
        let all = agreement(&items, 0.95).unwrap().alpha.unwrap();
        let left_out: Vec<f64> = (0..items.len())
            .map(|out| {
                let others: Vec<[u32; 4]> =
                    items.iter().enumerate().filter(|(i, _)| *i != out).map(|(_, v)| *v).collect();
                agreement(&others, 0.95).unwrap().alpha.unwrap().value
            })
            .collect();
        let n = items.len() as f64;
        let mean = left_out.iter().sum::<f64>() / n;
        let squares: f64 = left_out.iter().map(|x| (x - mean).powi(2)).sum();
        let jackknife = ((n - 1.0) / n * squares).sqrt();
        let ratio = all.std_error.unwrap() / jackknife;
        assert!((ratio - 1.0).abs() < 0.01, "{all:?}, jackknife {jackknife}");
        assert!(all.low < all.value && all.value < all.high && all.method == Method::Linearised);
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
        let none = agreement(&[[1, 0], [0, 1]], 0.95);
        assert_eq!(none, Err(RatioError::Empty));
        let unanimous = agreement(&[[3, 0], [2, 0], [1, 0]], 0.95).unwrap();
        assert_eq!((unanimous.pairwise.value, unanimous.alpha), (1.0, None));
        assert_eq!((unanimous.pairwise.n, unanimous.pairwise.n_clusters), (5, 2));
    }

    #[test]
    fn one_item_leaves_everything_open() {
        let one = agreement(&[[1, 1]], 0.95).unwrap();
        assert_eq!((one.pairwise.low, one.pairwise.high), (0.0, 1.0));
        let alpha = one.alpha.unwrap();
        assert_eq!((alpha.low, alpha.high, alpha.method), (-1.0, 1.0, Method::WholeRange));
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
            let Ok(found) = agreement(&items, 0.95) else { return Ok(()) };
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
