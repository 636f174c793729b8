//! Reliability of scores: how far a person's score would come out the same, had other items of the scale been asked.
//!
//! People answer some of the items of a scale, and not all the same ones (planned missingness): each an [`Answers`]. [`split_half`] lets
//! one half of a person's answers predict the other, [`cronbach_alpha`] asks how items go together; both say what share of the variance of
//! scores is that of people. They differ in one thing: scores that are plain means of different items also differ by which items were
//! easy to agree with. That is an error to [`split_half`], and none to [`cronbach_alpha`], which takes each item from its own mean;
//! take the items' means from the answers, and it is none to either.
//!
//! All items must point the same way: turn the answers to reversed ones round beforehand.
//!
//! ```
//! use polyculture_stats::reliability::{Answers, Jackknife, cronbach_alpha, split_half};
//!
//! // Sixty people answer four of the twelve items each, some high and some low, nobody quite steadily.
//! let people: Vec<Answers> = (0..60)
//!     .map(|i| {
//!         let answer = |k: usize| ((i + 3 * k) % 12, (i % 5 + (i * 7 + k * 11) % 3) as f64);
//!         Answers { scores: (0..4).map(answer).collect(), weight: 1.0 }
//!     })
//!     .collect();
//! let halves = split_half(&people, 100, &Jackknife::default())?;
//! let alpha = cronbach_alpha(&people, 12, None, &Jackknife::default())?;
//! assert_eq!((alpha.per_person, alpha.n_pairs, alpha.n_pairs_left_out), (4.0, 18, 48));
//! assert!(halves.estimate.low > 0.8 && alpha.estimate.low > 0.8);
//! # Ok::<(), polyculture_stats::reliability::ReliabilityError>(())
//! ```

mod jackknife;
mod sheet;
mod sums;

#[cfg(test)]
mod tests;

pub use jackknife::Jackknife;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::interval::{Estimate, Method};
use crate::weights::WeightsError;
use jackknife::{Groups, jackknifed};
use sheet::Sheet;
use sums::{HalfSums, PairSums};

/// What one person answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// The items that the person answered, counted from 0, each at most once, with the scores: in any order.
    pub scores: Vec<(usize, f64)>,
    /// The person's weight; 0 leaves the person out.
    pub weight: f64,
}

/// The answer of [`split_half`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SplitHalf {
    /// The reliability of a score of as many items as people answered. `n` are the answers, `n_clusters` the people.
    pub estimate: Estimate,
    /// The mean correlation of the halves, before it is stepped up.
    pub correlation: f64,
    /// Random splits that it is the mean of.
    pub n_splits: usize,
    /// People with fewer than two answers or without a weight.
    pub n_left_out: usize,
}

/// The answer of [`cronbach_alpha`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Alpha {
    /// The reliability of a score of `per_person` items. `n` are the answers, `n_clusters` the people.
    pub estimate: Estimate,
    /// Items that the score rests on.
    pub per_person: f64,
    /// The reliability of one answer: the mean covariance of two items over the mean variance of one.
    pub correlation: f64,
    /// Pairs of items that at least two people answered.
    pub n_pairs: usize,
    /// Pairs of items that fewer answered.
    pub n_pairs_left_out: usize,
    /// People without an answer or without a weight.
    pub n_left_out: usize,
}

/// Why there is no reliability.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReliabilityError {
    /// Weights that are none.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The level is not inside (0, 1).
    #[error("make an interval of level `{0}`: not between 0 and 1")]
    Level(f64),
    /// Fewer than two groups to leave out.
    #[error("leave out one of `{0}` groups of people: at least 2 are needed")]
    TooFewGroups(usize),
    /// No split.
    #[error("split the answers `0` times")]
    NoSplits,
    /// A score of fewer items than one.
    #[error("rest a score on `{0}` items: at least 1, and finite")]
    PerPerson(f64),
    /// A score is not a number.
    #[error("read the score of person `{person}` on item `{item}`: not finite")]
    NotFinite {
        /// The person.
        person: usize,
        /// The item.
        item: usize,
    },
    /// An item that does not exist.
    #[error("read item `{item}` of person `{person}`: there are `{n_items}`, counted from 0")]
    UnknownItem {
        /// The person.
        person: usize,
        /// The item.
        item: usize,
        /// Items that exist.
        n_items: usize,
    },
    /// Two answers of a person to the same item.
    #[error("read the answers of person `{person}`: item `{item}` is answered twice")]
    AnsweredTwice {
        /// The person.
        person: usize,
        /// The item.
        item: usize,
    },
    /// Fewer than three people to learn from.
    #[error(
        "tell people from chance by `{n}` of them: at least 3 with a weight and `{n_answers}` answers are needed"
    )]
    TooFewPeople {
        /// People with a weight and as many answers.
        n: usize,
        /// The answers that a person needs.
        n_answers: usize,
    },
    /// All scores are equal, or the means of all people's halves in one of the splits: there is nothing to be reliable.
    #[error("find a variance in the scores: people do not differ")]
    NoVariance,
    /// No two items were answered by the same two people.
    #[error("find a pair among `{0}` items that the same two people answered")]
    NoPairs(usize),
    /// Answers go against each other so far that no number of items has a reliability.
    #[error(
        "step up a correlation of `{correlation}` to `{length}` times the length: it would go below any bound (is an item reversed?)"
    )]
    TooNegative {
        /// The mean correlation.
        correlation: f64,
        /// How much longer the score is than what was correlated.
        length: f64,
    },
}

/// The reliability of a score `length` times as long as one of reliability `correlation`. `None` where it would be infinite or beyond.
///
/// Formula: `n r / (1 + (n - 1) r)` (Spearman 1910, Br. J. Psychol. 3, 271-295; Brown 1910, the same, 296-322). Assumes that what is
/// added is like what is there.
pub fn spearman_brown(correlation: f64, length: f64) -> Option<f64> {
    let denominator = 1.0 + (length - 1.0) * correlation;
    (denominator > 1e-12).then(|| length * correlation / denominator)
}

/// How reliable the mean of a person's answers is, from random halves of them.
///
/// Formula: `2 r / (1 + r)` ([`spearman_brown`]), `r` the plain mean over `n_splits` splits of the weighted Pearson correlation, over people, of
/// the means of their halves; each person's answers are split anew at random each time. The mean is taken of the correlations as
/// they are and not of their Fisher transforms: those of many splits of the same answers are close to each other, and either mean is
/// close to their median. The interval is described at [`Jackknife`]; it covers the chance of the splits too, of which some 100 leave little.
///
/// Shapes: `answers` `[n_people]`. Of an odd number of answers one half, drawn by lot, has one more; the step up takes halves for
/// equally long and so understates a little (by less than .01 from five answers on). People with fewer than two answers are left out and counted.
/// Time is linear in answers times splits.
///
/// Assumes independent people, and items that were asked regardless of what a person would say. Where numbers of answers differ between
/// people, it is the reliability of their scores taken together, not of one of them. Checked against R (correlations by `cov.wt`, the jackknife by
/// survey's `withReplicates`, the mean over splits by a program of its own) and a simulation of the coverage.
///
/// # Errors
/// Wrong settings, no split, weights that are none, a score that is not finite, an item answered twice; fewer than three people with two
/// answers and a weight; halves without a variance; halves that correlate at -1.
pub fn split_half(
    answers: &[Answers],
    n_splits: usize,
    settings: &Jackknife,
) -> Result<SplitHalf, ReliabilityError> {
    settings.check()?;
    if n_splits == 0 {
        return Err(ReliabilityError::NoSplits);
    }
    let mut sheet = Sheet::new(answers, 2, None)?;
    let floor = sheet.centre(1, |_| 0);
    let mut rng = settings.rng();
    let groups = Groups::draw(sheet.len(), settings.n_groups, &mut rng);
    let mut halves = HalfSums::new(groups.n_groups, n_splits);
    let mut scores = Vec::new();
    for (person, &group) in groups.of_person.iter().enumerate() {
        scores.clear();
        scores.extend(sheet.answers(person).iter().map(|(_, score)| *score));
        for split in 0..n_splits {
            let one_more = scores.len() % 2 == 1 && rng.random::<bool>();
            let n_first = scores.len() / 2 + usize::from(one_more);
            draw_first(&mut scores, n_first, &mut rng);
            let (first, second) = scores.split_at(n_first);
            halves.add(group, split, sheet.weights[person], mean(first), mean(second));
        }
    }
    let correlation = halves.correlation(None, floor).ok_or(ReliabilityError::NoVariance)?;
    let estimate = estimate(correlation, 2.0, &sheet, settings.level, halves.without_each(floor))?;
    Ok(SplitHalf { estimate, correlation, n_splits, n_left_out: sheet.n_left_out })
}

/// Cronbach's alpha: how reliable the mean of `per_person` answers is (if `None`, of as many as people answered on average, by their
/// weights), from how items go together.
///
/// Formula: `k c / (v + (k - 1) c)`, the variance `v` of an item and the covariance `c` of two being means over items and over pairs
/// of items, k the answers per person. Both are weighted, with the denominator `sum w - sum w² / sum w`, and a covariance is that of the
/// people who answered both items. So it is [`spearman_brown`] of `c / v`. With complete data and `k = n_items` it equals Cronbach's
/// alpha `k / (k - 1) (1 - sum of variances / variance of the sum)` (Cronbach 1951, Psychometrika 16, 297-334) exactly. The interval
/// is described at [`Jackknife`]; `k` stays what it is in it.
///
/// Shapes: `answers` `[n_people]`, items in `0..n_items`. Pairs of items that fewer than two people share are left out and counted, and so
/// is the variance of an item without a pair. Time is linear in people, and in groups times `n_items²`.
///
/// Assumes independent people, and pairs that were asked regardless of what a person would say: those left out are taken to be like the others.
/// Limits: all pairs count the same, so pairs of few people make it noisy; alpha is a lower bound of reliability where items
/// measure one thing to different degrees, and with unequal numbers of answers per person somewhat above the mean of what these deserve.
/// Checked against R's psych 2.2 `alpha` (complete data, and planned missingness with `k = n_items`), `cov.wt` and survey's `withReplicates`, and a
/// simulation of the coverage.
///
/// # Errors
/// Wrong settings, `per_person` below 1, weights that are none, a score that is not finite, an item that does not exist or was answered twice;
/// fewer than three people with an answer and a weight; no pairs, no variance, or covariances that are too negative.
pub fn cronbach_alpha(
    answers: &[Answers],
    n_items: usize,
    per_person: Option<f64>,
    settings: &Jackknife,
) -> Result<Alpha, ReliabilityError> {
    settings.check()?;
    if let Some(k) = per_person.filter(|k| !k.is_finite() || *k < 1.0) {
        return Err(ReliabilityError::PerPerson(k));
    }
    let sheet = Sheet::new(answers, 1, Some(n_items))?;
    let groups = Groups::draw(sheet.len(), settings.n_groups, &mut settings.rng());
    alpha_of(sheet, n_items, per_person, &groups, settings.level)
}

/// Alpha of the people in a sheet, given the groups of the jackknife.
fn alpha_of(
    mut sheet: Sheet,
    n_items: usize,
    per_person: Option<f64>,
    groups: &Groups,
    level: f64,
) -> Result<Alpha, ReliabilityError> {
    let floor = sheet.centre(n_items, |item| item);
    let per_person = per_person.unwrap_or_else(|| sheet.mean_answers());
    let sums_of = |members: &[usize]| {
        let mut sums = PairSums::new(n_items);
        members.iter().for_each(|&person| sums.add(sheet.answers(person), sheet.weights[person]));
        sums
    };
    let everybody: Vec<usize> = (0..sheet.len()).collect();
    let total = sums_of(&everybody);
    let n_pairs = total.n_pairs();
    if n_pairs == 0 {
        return Err(ReliabilityError::NoPairs(n_items));
    }
    let correlation = total.correlation(None, floor).ok_or(ReliabilityError::NoVariance)?;
    let members = groups.members();
    let without_each = members.iter().map(|group| total.correlation(Some(&sums_of(group)), floor));
    let estimate = estimate(correlation, per_person, &sheet, level, without_each)?;
    Ok(Alpha {
        estimate,
        per_person,
        correlation,
        n_pairs,
        n_pairs_left_out: n_items * n_items.saturating_sub(1) / 2 - n_pairs,
        n_left_out: sheet.n_left_out,
    })
}

/// A correlation stepped up, its interval from the correlations without each group.
fn estimate(
    correlation: f64,
    length: f64,
    sheet: &Sheet,
    level: f64,
    without_each: impl Iterator<Item = Option<f64>>,
) -> Result<Estimate, ReliabilityError> {
    let value = spearman_brown(correlation, length)
        .ok_or(ReliabilityError::TooNegative { correlation, length })?;
    let replicates: Vec<Option<f64>> =
        without_each.map(|correlation| spearman_brown(correlation?, length)).collect();
    let whole = Estimate {
        value,
        low: value.min(-1.0),
        high: 1.0,
        level,
        std_error: None,
        n: sheet.n_answers(),
        n_clusters: sheet.len(),
        method: Method::WholeRange,
    };
    Ok(jackknifed(whole, &replicates))
}

/// Puts a random choice of `n` entries in front, in random order.
fn draw_first<T>(entries: &mut [T], n: usize, rng: &mut ChaCha8Rng) {
    // u32 draws: the same numbers on every machine.
    let len = u32::try_from(entries.len()).expect("more than 4 billion do not fit in memory");
    for at in 0..n {
        entries.swap(at, rng.random_range(at as u32..len) as usize);
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
