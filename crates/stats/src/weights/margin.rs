//! What we know of a population in one respect (age, region), and where each respondent stands in it.

use super::WeightsError;

/// One margin: the categories of a question, the weight that each should have, and the category of each respondent.
#[derive(Debug, Clone, PartialEq)]
pub struct Margin {
    name: String,
    categories: Vec<String>,
    /// `[n_categories]`, sum 1.
    shares: Vec<f64>,
    /// The sum of the targets, where they are totals.
    total: Option<f64>,
    /// `[n]`; who has no category is in one more, `n_categories`.
    pub(super) category_of: Vec<u32>,
}

/// The weight that each category should have, `[n_categories]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// Parts of the population on any scale (shares, percentages): divided by their sum.
    Shares(Vec<f64>),
    /// Numbers of people: the weights will add up to their sum.
    Totals(Vec<f64>),
}

/// What becomes of respondents without a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// An error that says how many they are. The default: nobody is left out of a margin unnoticed.
    #[default]
    Refuse,
    /// They form a category of their own that keeps the share it has under the base weights; the targets are met among the
    /// others. To leave them alone in each step of the raking instead would let their share end where the order of the margins
    /// takes it; so, what the weights should meet is said beforehand, and has one answer.
    KeepShare,
}

impl Margin {
    /// A margin by its name, the names of its categories, their targets, and the index of each respondent's category, `[n]`.
    ///
    /// # Errors
    /// Not as many targets as categories, none at all, one that is negative or not finite, or all 0; a category that
    /// does not exist; a respondent without a category, unless `missing` allows it.
    pub fn new(
        name: impl Into<String>,
        categories: Vec<String>,
        targets: Targets,
        category_of: &[Option<u32>],
        missing: Missing,
    ) -> Result<Self, WeightsError> {
        let margin = name.into();
        let n_categories = categories.len();
        let (mut shares, are_totals) = match targets {
            Targets::Shares(shares) => (shares, false),
            Targets::Totals(totals) => (totals, true),
        };
        if shares.len() != n_categories || shares.is_empty() {
            let found = shares.len();
            return Err(WeightsError::TargetCount { margin, found, expected: n_categories });
        }
        if let Some(i) = shares.iter().position(|target| !target.is_finite() || *target < 0.0) {
            let category = categories[i].clone();
            return Err(WeightsError::Target { margin, category, value: shares[i] });
        }
        let sum: f64 = shares.iter().sum();
        if sum == 0.0 {
            return Err(WeightsError::NoTargets { margin });
        }
        shares.iter_mut().for_each(|target| *target /= sum);
        let unknown = |category: &Option<u32>| category.is_some_and(|c| c as usize >= n_categories);
        if let Some(row) = category_of.iter().position(unknown) {
            let category = category_of[row].unwrap_or_default();
            return Err(WeightsError::UnknownCategory { margin, row, category, n_categories });
        }
        let n_missing = category_of.iter().filter(|category| category.is_none()).count();
        if n_missing > 0 && missing == Missing::Refuse {
            let n = category_of.len();
            return Err(WeightsError::MissingCategory { margin, n_missing, n });
        }
        let none = n_categories as u32;
        Ok(Self {
            name: margin,
            categories,
            shares,
            total: are_totals.then_some(sum),
            category_of: category_of.iter().map(|category| category.unwrap_or(none)).collect(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of its categories, `[n_categories]`.
    pub fn categories(&self) -> &[String] {
        &self.categories
    }

    /// Its targets as shares, `[n_categories]`, sum 1.
    pub fn shares(&self) -> &[f64] {
        &self.shares
    }

    /// The sum of its targets, where they are totals.
    pub fn total(&self) -> Option<f64> {
        self.total
    }

    /// Categories, and one for those without.
    pub(super) fn n_slots(&self) -> usize {
        self.categories.len() + 1
    }

    /// The name of a category, or of those without.
    pub(super) fn label(&self, slot: usize) -> String {
        self.categories.get(slot).map_or_else(|| "(no category)".into(), Clone::clone)
    }

    /// For each category, and for those without one: the number of people with a weight, of all, and the sum of weights.
    pub(super) fn count(&self, weights: &[f64]) -> Result<Vec<Slot>, WeightsError> {
        if self.category_of.len() != weights.len() {
            return Err(WeightsError::Length {
                margin: self.name.clone(),
                found: self.category_of.len(),
                expected: weights.len(),
            });
        }
        let mut slots = vec![Slot::default(); self.n_slots()];
        for (category, weight) in self.category_of.iter().zip(weights) {
            let slot = &mut slots[*category as usize];
            slot.n += 1;
            slot.n_weighted += usize::from(*weight > 0.0);
            slot.weight += weight;
        }
        Ok(slots)
    }
}

/// The people of one category.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slot {
    pub(super) n: usize,
    pub(super) n_weighted: usize,
    pub(super) weight: f64,
}
